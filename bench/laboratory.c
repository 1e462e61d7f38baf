/* What a run of the laboratory costs: events, connections, bytes through each device against memcpy, memory of idle connections.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Every figure is printed as a ratio to something measured in the same run: memcpy of the same bytes, the smallest number of
 * connections, a run without the judge. */
#include "conformance/judge/judge.h"
#include "sim/lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PORT = 5000, PORTS = 8 /* a client has 28,232 ports to each */, MOVE_BYTES = 64 << 20 };

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- memory of a run, by who asked: rings are the large blocks ---- */
enum { RING_BYTES = 8192 };
static size_t state_bytes, ring_bytes;

static void account(size_t size, int sign)
{
    size_t *which = size >= RING_BYTES ? &ring_bytes : &state_bytes;
    *which = sign > 0 ? *which + size : *which - size;
}

static void *allocate(void *user, size_t size)
{
    (void)user;
    void *block = malloc(size);
    if (block != NULL)
        account(size, 1);
    return block;
}

static void *resize(void *user, void *block, size_t old_size, size_t new_size)
{
    (void)user;
    void *grown = realloc(block, new_size);
    if (grown != NULL) {
        if (block != NULL)
            account(old_size, -1);
        account(new_size, 1);
    }
    return grown;
}

static void release(void *user, void *block, size_t size)
{
    (void)user;
    account(size, -1);
    free(block);
}

static const struct smc_alloc counting = {allocate, resize, release, NULL};

/* ---- a pair of hosts ---- */
struct pair {
    struct lab *lab;
    struct lab_host *client, *server;
    struct lab_socket *accepted;
    unsigned count, tried;
};

static void must(const struct pair *p, int error, const char *what)
{
    if (error == 0)
        return;
    fprintf(stderr, "%s: %s (%s)\n", what, smc_error_text(error), p->lab != NULL ? lab_problem(p->lab) : "");
    exit(1);
}

static void on_accepted(void *user, struct lab_socket *listener, struct lab_socket *socket)
{
    struct pair *p = user;
    (void)listener;
    p->accepted = socket;
    p->count++;
}

static const struct lab_socket_ops listener_ops = {.accepted = on_accepted};

struct kind {
    const char *name, *device;
    bool no_copy, tcp;
};

static struct lab_host *add_host(struct pair *p, const char *name, const char *address, const struct kind *kind)
{
    struct lab_host_config config = {.name = name, .machine = kind->device != NULL ? "machine" : NULL, .no_copy = kind->no_copy,
                                     .no_smc = kind->tcp, .smc_r = kind->device == NULL, .smc_d = kind->device != NULL};
    struct lab_interface_config eth = {.name = "eth0", .address = address};
    struct lab_interface *interface;
    struct lab_host *host = NULL;
    must(p, lab_add_host(p->lab, &config, &host), "host");
    must(p, lab_add_interface(host, &eth, &interface), "interface");
    if (kind->device != NULL)
        must(p, lab_add_dibs(host, &(struct lab_dibs_config){.kind = kind->device}), "device");
    return host;
}

static void pair_new(struct pair *p, const struct kind *kind, void (*sink)(void *, uint64_t, const uint8_t *, size_t), void *user)
{
    struct lab_config config = {.alloc = &counting, .seed = 1, .sink = sink, .sink_user = user, .event_limit = UINT64_C(4000000000)};
    struct lab_link_config link = {.rate_bits = UINT64_C(100000000000), .queue_bytes = 16 << 20};
    memset(p, 0, sizeof(*p));
    must(p, lab_new(&config, &p->lab), "laboratory");
    p->client = add_host(p, "client", "10.0.0.1/16", kind);
    p->server = add_host(p, "server", "10.0.0.2/16", kind);
    must(p, lab_add_link(p->lab, "client.eth0", "server.eth0", &link, NULL), "link");
    struct lab_socket_config listen = {.ops = &listener_ops, .user = p};
    struct lab_socket *listener;
    for (uint16_t port = PORT; port < PORT + PORTS; port++)
        must(p, lab_listen(p->server, port, &listen, &listener), "listen");
}

static struct lab_socket *connect_one(struct pair *p)
{
    struct lab_socket *s;
    must(p, lab_connect(p->client, "server", (uint16_t)(PORT + p->tried++ % PORTS), NULL, &s), "connect");
    return s;
}

static void run(struct pair *p, uint64_t for_ns)
{
    must(p, lab_run_until(p->lab, sim_now(lab_sim(p->lab)) + for_ns), "run");
}

/* ---- bytes through a device ---- */
static double move(const struct kind *kind, uint64_t *events)
{
    struct pair p;
    pair_new(&p, kind, NULL, NULL);
    struct lab_socket *c = connect_one(&p);
    run(&p, 5 * SIM_S);
    if (p.accepted == NULL || lab_socket_mode(c) != (kind->tcp ? SMC_MODE_TCP : kind->device != NULL ? SMC_MODE_D : SMC_MODE_R)) {
        fprintf(stderr, "%s: not connected in the mode wanted\n", kind->name);
        exit(1);
    }
    struct lab_traffic t = {.send_bytes = MOVE_BYTES, .send_chunk = 65536, .send_pattern = 1};
    must(&p, lab_traffic_start(c, &t), "traffic");
    t = (struct lab_traffic){.receive_bytes = MOVE_BYTES, .receive_pattern = 1};
    must(&p, lab_traffic_start(p.accepted, &t), "traffic");
    uint64_t before = sim_events(lab_sim(p.lab));
    double start = seconds();
    struct lab_traffic_state state = {0};
    for (int i = 0; i < 600 && state.received < MOVE_BYTES; i++) {
        run(&p, SIM_S);
        lab_traffic_get(p.accepted, &state);
    }
    double taken = seconds() - start;
    if (state.received != MOVE_BYTES || state.wrong) {
        fprintf(stderr, "%s: %llu of %d bytes arrived\n", kind->name, (unsigned long long)state.received, MOVE_BYTES);
        exit(1);
    }
    *events = sim_events(lab_sim(p.lab)) - before;
    must(&p, lab_free(p.lab), "end");
    return taken;
}

static double copy(void)
{
    uint8_t *from = malloc(MOVE_BYTES), *to = malloc(MOVE_BYTES);
    if (from == NULL || to == NULL)
        exit(1);
    lab_pattern(1, 0, from, MOVE_BYTES);
    memset(to, 1, MOVE_BYTES);
    double start = seconds();
    for (int i = 0; i < MOVE_BYTES; i += 65536)
        memcpy(to + i, from + i, 65536);
    double taken = seconds() - start;
    if (memcmp(from, to, MOVE_BYTES) != 0)
        exit(1);
    free(from);
    free(to);
    return taken;
}

static void bytes_through_devices(void)
{
    static const struct kind kinds[] = {{"SMC-R, RoCE", NULL, false, false},        {"SMC-D, ISM", "ism", false, false},
                                        {"SMC-D, loopback", "loopback", false, false}, {"SMC-D, loopback, no copy", "loopback", true, false},
                                        {"SMC-D, ivshmem", "ivshmem", false, false}, {"TCP", NULL, false, true}};
    double base = copy();
    printf("bytes through a device, %d MiB, with the pattern made and checked (memcpy: %.0f MB/s):\n", MOVE_BYTES >> 20,
           MOVE_BYTES / base / 1e6);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        uint64_t events;
        double taken = move(&kinds[i], &events);
        printf("  %-26s %8.1f MB/s   1/%.0f of memcpy   %9.0f events/s\n", kinds[i].name, MOVE_BYTES / taken / 1e6, taken / base,
               (double)events / taken);
    }
}

/* ---- connections ---- */
static const struct kind roce = {"SMC-R", NULL, false, false};

static double set_up(unsigned count, double *state, double *rings)
{
    struct pair p;
    size_t state_before, rings_before;
    pair_new(&p, &roce, NULL, NULL);
    connect_one(&p);
    run(&p, 5 * SIM_S);
    state_before = state_bytes;
    rings_before = ring_bytes;
    double start = seconds();
    for (unsigned i = 0; i < count; i++) {
        connect_one(&p);
        run(&p, 200 * SIM_US);
    }
    run(&p, 10 * SIM_S);
    double taken = seconds() - start;
    if (p.count != count + 1) {
        fprintf(stderr, "%u of %u connections were accepted\n", p.count, count + 1);
        exit(1);
    }
    *state = (double)(state_bytes - state_before) / count / 2;
    *rings = (double)(ring_bytes - rings_before) / count / 2;
    must(&p, lab_free(p.lab), "end");
    return taken;
}

static void connections(unsigned most)
{
    double first = 0;
    printf("idle SMC-R connections (blocks of %d bytes and more count as rings; per side, TCP and socket included):\n", RING_BYTES);
    for (unsigned n = 10; n <= most; n *= 10) {
        double state, rings, taken = set_up(n, &state, &rings);
        double each = taken / n;
        if (n == 10)
            first = each;
        printf("  %7u connections   %8.0f set up/s   %.2f of the time each that 10 took   state %6.0f bytes   rings %6.0f bytes\n", n,
               1 / each, each / first, state, rings);
    }
}

/* ---- with the judge and without ---- */
static void judge_frame(void *user, uint64_t at_ns, const uint8_t *bytes, size_t length)
{
    static uint64_t frame;
    struct trace_raw raw = {.frame = ++frame, .ts_ns = at_ns, .bytes = {bytes, bytes + length}, .wire_len = (uint32_t)length, .linktype = 1};
    if (user != NULL)
        (void)judge_input(user, &raw);
}

static double small_messages(struct judge *judge, uint64_t *events)
{
    struct pair p;
    pair_new(&p, &roce, judge != NULL ? judge_frame : NULL, judge);
    struct lab_socket *c = connect_one(&p);
    run(&p, 5 * SIM_S);
    struct lab_traffic t = {.send_bytes = 20 << 20, .receive_bytes = 20 << 20, .send_chunk = 1000, .send_pattern = 1, .receive_pattern = 2};
    must(&p, lab_traffic_start(c, &t), "traffic");
    t.send_pattern = 2;
    t.receive_pattern = 1;
    must(&p, lab_traffic_start(p.accepted, &t), "traffic");
    uint64_t before = sim_events(lab_sim(p.lab));
    double start = seconds();
    run(&p, 60 * SIM_S);
    double taken = seconds() - start;
    *events = sim_events(lab_sim(p.lab)) - before;
    must(&p, lab_free(p.lab), "end");
    return taken;
}

static void events_per_second(void)
{
    uint64_t plain, judged;
    struct judge *judge = judge_new("run", &(struct judge_options){0}, NULL, NULL);
    double without = small_messages(NULL, &plain), with = small_messages(judge, &judged);
    const struct judge_result *result = judge_finish(judge, NULL);
    printf("events of the engine, 1,000-byte messages both ways over SMC-R: %.0f/s; with the judge: %.0f/s, %.2f of the time (%zu findings)\n",
           (double)plain / without, (double)judged / with, with / without, result->nfindings);
    judge_free(judge);
}

int main(int argc, char **argv)
{
    bool full = argc > 1 && strcmp(argv[1], "--full") == 0;
    events_per_second();
    bytes_through_devices();
    connections(full ? 100000 : 1000);
    return 0;
}
