/* A leaf and spine over several ranks: what each host received must not depend on how many processes there are.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Every rank builds the whole laboratory; leaf i and its hosts belong to rank i modulo their number, spine i as well. A rank lets only
 * its own hosts talk. It prints a line for each of them: bytes the application received, frames that came, a hash over their bytes and
 * times. Broadcasts are not in it: the capture holds them once, at the first host of each process. */
#include "sim/lab_internal.h"
#include "sim/ns3/adapter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MTU = 1500 }; /* ns-3 passes at most 2,000 bytes from rank to rank, its own header included */
enum { LEAVES = 4, SPINES = 2, EACH = 4, HOSTS = LEAVES * EACH, PORT = 5000, BYTES = 1 << 20 };

struct world {
    struct lab *lab;
    struct lab_host *host[HOSTS];
    struct lab_interface *interface[HOSTS];
    struct lab_socket *accepted[HOSTS][HOSTS];
    unsigned accepted_count[HOSTS];
    struct sim_hash hash[HOSTS];
    uint64_t frames[HOSTS];
};

struct listener {
    struct world *world;
    unsigned host;
};

static unsigned rank_of(const char *node)
{
    unsigned n = 0;
    if (sscanf(node, "leaf%u", &n) == 1 || sscanf(node, "spine%u", &n) == 1)
        return n % ns3_rank_count();
    return sscanf(node, "h%u", &n) == 1 ? n / EACH % ns3_rank_count() : 0;
}

static bool is_mine(unsigned host)
{
    return host / EACH % ns3_rank_count() == ns3_rank();
}

static void must(const struct world *w, int error, const char *what)
{
    if (error == 0)
        return;
    fprintf(stderr, "%s: %s (%s)\n", what, smc_error_text(error), w->lab != NULL ? lab_problem(w->lab) : "");
    exit(1);
}

static void on_frame(void *user, uint64_t at_ns, const uint8_t *bytes, size_t length)
{
    struct world *w = user;
    for (unsigned i = 0; i < HOSTS; i++)
        if (memcmp(w->interface[i]->port->mac, bytes, 6) == 0) {
            sim_hash_add_u64(&w->hash[i], at_ns);
            sim_hash_add(&w->hash[i], bytes, length);
            w->frames[i]++;
        }
}

static void add_host(struct world *w, unsigned i)
{
    char name[24], address[40];
    snprintf(name, sizeof(name), "h%u", i);
    snprintf(address, sizeof(address), "10.0.0.%u/24", i + 1);
    must(w, lab_add_host(w->lab, &(struct lab_host_config){.name = name}, &w->host[i]), "host");
    must(w, lab_add_interface(w->host[i], &(struct lab_interface_config){.name = "eth0", .address = address}, &w->interface[i]), "interface");
    sim_hash_init(&w->hash[i], 0);
}

static void join(struct world *w, const char *a, const char *b)
{
    must(w, lab_add_link(w->lab, a, b, &(struct lab_link_config){.delay_ns = 2 * SIM_US, .mtu = MTU}, NULL), "link");
}

static void build(struct world *w)
{
    char leaf[24], spine[24], name[64];
    for (unsigned s = 0; s < SPINES; s++) {
        snprintf(spine, sizeof(spine), "spine%u", s);
        must(w, lab_add_switch(w->lab, spine, 0), "switch");
    }
    for (unsigned l = 0; l < LEAVES; l++) {
        snprintf(leaf, sizeof(leaf), "leaf%u", l);
        must(w, lab_add_switch(w->lab, leaf, 0), "switch");
        for (unsigned s = 0; s < SPINES; s++) {
            snprintf(spine, sizeof(spine), "spine%u", s);
            join(w, leaf, spine);
            snprintf(name, sizeof(name), "%s--%s", leaf, spine);
            must(w, lab_switch_group(w->lab, leaf, name, 1), "group");
        }
        for (unsigned h = l * EACH; h < (l + 1) * EACH; h++) {
            add_host(w, h);
            snprintf(name, sizeof(name), "h%u.eth0", h);
            join(w, name, leaf);
        }
    }
}

static void on_accepted(void *user, struct lab_socket *listener, struct lab_socket *socket)
{
    struct listener *l = user;
    (void)listener;
    l->world->accepted[l->host][l->world->accepted_count[l->host]++] = socket;
    must(l->world, lab_traffic_start(socket, &(struct lab_traffic){.receive_bytes = UINT64_MAX, .receive_pattern = 1}), "traffic");
}

static const struct lab_socket_ops listener_ops = {.accepted = on_accepted};

/* Each host sends to one of each other leaf, one after the other by a microsecond: no two events at one instant by design. */
static void talk(struct world *w, struct listener listeners[HOSTS])
{
    struct lab_socket *s;
    for (unsigned i = 0; i < HOSTS; i++) {
        struct lab_socket_config listen = {.ops = &listener_ops, .user = &listeners[i]};
        listeners[i] = (struct listener){w, i};
        if (is_mine(i))
            must(w, lab_listen(w->host[i], PORT, &listen, &s), "listen");
    }
    for (unsigned step = 1; step < LEAVES; step++)
        for (unsigned i = 0; i < HOSTS; i++) {
            char peer[24];
            snprintf(peer, sizeof(peer), "h%u", (i + step * EACH) % HOSTS);
            must(w, lab_run_until(w->lab, (step * HOSTS + i) * 1009), "run");
            if (!is_mine(i))
                continue;
            must(w, lab_connect(w->host[i], peer, PORT, NULL, &s), "connect");
            must(w, lab_traffic_start(s, &(struct lab_traffic){.send_bytes = BYTES, .send_pattern = 1}), "traffic");
        }
}

static void report(struct world *w)
{
    for (unsigned i = 0; i < HOSTS; i++) {
        uint64_t received = 0, value[2];
        if (!is_mine(i))
            continue;
        for (unsigned k = 0; k < w->accepted_count[i]; k++) {
            struct lab_traffic_state state;
            lab_traffic_get(w->accepted[i][k], &state);
            received += state.wrong ? 0 : state.received;
        }
        sim_hash_value(&w->hash[i], value);
        printf("h%02u received %llu bytes in %u connections, %llu frames, %016llx%016llx\n", i, (unsigned long long)received, w->accepted_count[i],
               (unsigned long long)w->frames[i], (unsigned long long)value[0], (unsigned long long)value[1]);
    }
}

int main(int argc, char **argv)
{
    static struct world w;
    static struct listener listeners[HOSTS];
    struct ns3_engine *engine;
    char why[256] = "";
    ns3_ranks_begin(&argc, &argv);
    struct ns3_engine_config wanted = {.seed = 1, .rank_of = rank_of};
    if (ns3_engine_new(&wanted, &engine, why, sizeof(why)) != 0) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    struct lab_config config = {.seed = 1, .clock = ns3_engine_clock(engine), .sink = on_frame, .sink_user = &w, .event_limit = UINT64_MAX};
    must(&w, lab_new(&config, &w.lab), "laboratory");
    ns3_engine_attach(engine, w.lab);
    build(&w);
    talk(&w, listeners);
    must(&w, lab_run_until(w.lab, 100 * SIM_MS), "run");
    report(&w);
    fprintf(stderr, "rank %u of %u: %llu events of ours, %llu of ns-3\n", ns3_rank(), ns3_rank_count(), (unsigned long long)sim_events(lab_sim(w.lab)),
            (unsigned long long)ns3_engine_events(engine));
    ns3_engine_free(engine);
    must(&w, lab_free(w.lab), "end");
    ns3_ranks_end();
    return 0;
}
