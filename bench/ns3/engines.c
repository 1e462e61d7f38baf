/* The same scenario on our engine and on ns-3's, in one run: frames and events a second.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/lab_internal.h"
#include "sim/network_internal.h"
#include "sim/ns3/adapter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { HOSTS_MAX = 64, PORT = 5000 };

struct shape {
    const char *name;
    unsigned leaves, spines, each; /* no leaf: two hosts and a link */
};

struct result {
    double seconds;
    uint64_t hops, events, ns3_events, virtual_ns, digest[2];
};

struct world {
    struct lab *lab;
    struct ns3_engine *engine;
    struct lab_host *host[HOSTS_MAX];
    struct lab_socket *accepted[HOSTS_MAX];
    unsigned hosts, accepted_count;
};

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(const struct world *w, int error, const char *what)
{
    if (error == 0)
        return;
    fprintf(stderr, "%s: %s (%s)\n", what, smc_error_text(error), w->lab != NULL ? lab_problem(w->lab) : "");
    exit(1);
}

static void add_host(struct world *w)
{
    char name[24], address[40];
    unsigned i = w->hosts++;
    snprintf(name, sizeof(name), "h%u", i);
    snprintf(address, sizeof(address), "10.0.0.%u/16", i + 1);
    struct lab_interface *interface;
    must(w, lab_add_host(w->lab, &(struct lab_host_config){.name = name}, &w->host[i]), "host");
    must(w, lab_add_interface(w->host[i], &(struct lab_interface_config){.name = "eth0", .address = address}, &interface), "interface");
}

static void join(struct world *w, const char *a, const char *b, uint64_t rate)
{
    must(w, lab_add_link(w->lab, a, b, &(struct lab_link_config){.rate_bits = rate}, NULL), "link");
}

static void build(struct world *w, const struct shape *shape)
{
    char leaf[24], spine[24], name[64];
    if (shape->leaves == 0) {
        add_host(w);
        add_host(w);
        join(w, "h0.eth0", "h1.eth0", UINT64_C(100000000000));
        return;
    }
    for (unsigned s = 0; s < shape->spines; s++) {
        snprintf(spine, sizeof(spine), "spine%u", s);
        must(w, lab_add_switch(w->lab, spine, 0), "switch");
    }
    for (unsigned l = 0; l < shape->leaves; l++) {
        snprintf(leaf, sizeof(leaf), "leaf%u", l);
        must(w, lab_add_switch(w->lab, leaf, 0), "switch");
        for (unsigned s = 0; s < shape->spines; s++) {
            snprintf(spine, sizeof(spine), "spine%u", s);
            join(w, leaf, spine, UINT64_C(100000000000));
            snprintf(name, sizeof(name), "%s--%s", leaf, spine);
            must(w, lab_switch_group(w->lab, leaf, name, 1), "group");
        }
        for (unsigned h = 0; h < shape->each; h++) {
            add_host(w);
            snprintf(name, sizeof(name), "h%u.eth0", w->hosts - 1);
            join(w, name, leaf, UINT64_C(25000000000));
        }
    }
}

static void on_accepted(void *user, struct lab_socket *listener, struct lab_socket *socket)
{
    struct world *w = user;
    (void)listener;
    must(w, lab_traffic_start(socket, &(struct lab_traffic){.receive_bytes = UINT64_MAX, .receive_pattern = 1}), "traffic");
    w->accepted[w->accepted_count++] = socket;
}

static const struct lab_socket_ops listener_ops = {.accepted = on_accepted};

/* Each host sends to the one half a round away. */
static void traffic(struct world *w, uint64_t bytes)
{
    struct lab_socket_config listen = {.ops = &listener_ops, .user = w};
    for (unsigned i = 0; i < w->hosts; i++) {
        struct lab_socket *s;
        char peer[24];
        unsigned to = (i + w->hosts / 2) % w->hosts;
        snprintf(peer, sizeof(peer), "h%u", to);
        must(w, lab_listen(w->host[to], (uint16_t)(PORT + i), &listen, &s), "listen");
        must(w, lab_connect(w->host[i], peer, (uint16_t)(PORT + i), NULL, &s), "connect");
        must(w, lab_traffic_start(s, &(struct lab_traffic){.send_bytes = bytes, .send_pattern = 1}), "traffic");
    }
}

static uint64_t received(const struct world *w)
{
    uint64_t all = 0;
    for (unsigned i = 0; i < w->accepted_count; i++) {
        struct lab_traffic_state state;
        lab_traffic_get(w->accepted[i], &state);
        all += state.received;
    }
    return all;
}

static void measure(const struct shape *shape, const char *scheduler, uint64_t bytes, struct result *r)
{
    struct world w = {NULL};
    struct lab_config config = {.seed = 1, .event_limit = UINT64_MAX};
    char why[256] = "";
    if (scheduler != NULL) {
        struct ns3_engine_config wanted = {.seed = 1, .scheduler = scheduler};
        if (ns3_engine_new(&wanted, &w.engine, why, sizeof(why)) != 0) {
            fprintf(stderr, "%s\n", why);
            exit(1);
        }
        config.clock = ns3_engine_clock(w.engine);
    }
    must(&w, lab_new(&config, &w.lab), "laboratory");
    if (w.engine != NULL)
        ns3_engine_attach(w.engine, w.lab);
    build(&w, shape);
    traffic(&w, bytes);
    double start = seconds();
    while (received(&w) < w.hosts * bytes && sim_now(lab_sim(w.lab)) < 100 * SIM_S)
        must(&w, lab_run_until(w.lab, sim_now(lab_sim(w.lab)) + SIM_MS), "run");
    memset(r, 0, sizeof(*r));
    r->seconds = seconds() - start;
    if (received(&w) != w.hosts * bytes) {
        fprintf(stderr, "%s: not everything arrived\n", shape->name);
        exit(1);
    }
    for (const struct net_port *p = w.lab->net->ports; p != NULL; p = p->next)
        r->hops += p->stats.sent;
    r->events = sim_events(lab_sim(w.lab));
    r->ns3_events = w.engine != NULL ? ns3_engine_events(w.engine) : 0;
    r->virtual_ns = sim_now(lab_sim(w.lab));
    ns3_engine_free(w.engine);
    must(&w, lab_free(w.lab), "end");
}

int main(int argc, char **argv)
{
    static const struct shape shapes[] = {{"two hosts, 100 Gbit/s", 0, 0, 0}, {"8 hosts, 2 leaves, 2 spines", 2, 2, 4},
                                          {"32 hosts, 4 leaves, 4 spines", 4, 4, 8}};
    static const char *const schedulers[] = {NULL, "ns3::PriorityQueueScheduler", "ns3::HeapScheduler", "ns3::MapScheduler",
                                             "ns3::CalendarScheduler"};
    bool is_short = argc > 1 && strcmp(argv[1], "--short") == 0;
    printf("SMC-R, each host streams to another; frames count once a hop; events of both engines, ns-3's own behind it\n");
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        double base = 0;
        uint64_t hops = 0, bytes = is_short ? 64 << 10 : i == 0 ? 32 << 20 : (128 << 20) / (shapes[i].leaves * shapes[i].each);
        printf("%s, %llu KiB each:\n", shapes[i].name, (unsigned long long)bytes >> 10);
        for (size_t k = 0; k < sizeof(schedulers) / sizeof(schedulers[0]); k++) {
            struct result r;
            measure(&shapes[i], schedulers[k], bytes, &r);
            if (k == 0) {
                base = r.seconds;
                hops = r.hops;
            }
            printf("  %-28s %9.0f frames/s  %9.0f events/s  %10llu + %10llu events  %5.2fx the time  (%.1f ms of the model)\n",
                   schedulers[k] != NULL ? schedulers[k] : "plain simulation", (double)r.hops / r.seconds,
                   (double)(r.events + r.ns3_events) / r.seconds, (unsigned long long)r.events, (unsigned long long)r.ns3_events,
                   r.seconds / base, (double)r.virtual_ns / 1e6);
            if (r.hops < hops - hops / 10 || r.hops > hops + hops / 10) {
                fprintf(stderr, "the engines did not do the same: %llu and %llu frames\n", (unsigned long long)hops, (unsigned long long)r.hops);
                return 1;
            }
        }
        fflush(stdout);
    }
    return 0;
}
