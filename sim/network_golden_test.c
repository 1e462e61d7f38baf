/* Same seed, same bytes: a run with every kind of fault, twice, and against a digest that all compilers must give.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/middlebox.h"
#include "sim/network_test.h"
#include "sim/pfc.h"
#include "sim/switch.h"

#include "testing/check_main.h"

#include <stdio.h>

enum { HOSTS = 6, FRAMES = 3000 };

struct world {
    struct ledger memory;
    struct sim *sim;
    struct net *net;
    struct host host[HOSTS + 1];
    struct capture *capture;
    struct sim_random traffic;
    struct sim_timer next;
    unsigned sent;
};

static void send_next(void *ctx, uint64_t now_ns)
{
    struct world *w = ctx;
    uint8_t f[1600], data[1024];
    unsigned from = (unsigned)sim_random_range(&w->traffic, 1, HOSTS);
    unsigned to = (unsigned)sim_random_range(&w->traffic, 1, HOSTS);
    size_t n = (size_t)sim_random_below(&w->traffic, 256) * 4;
    sim_random_bytes(&w->traffic, data, n);
    struct test_segment s = {.from = from, .to = to, .sport = (uint16_t)w->sent, .dport = 80,
                             .seq = w->sent, .flags = 24, .data = data, .n_data = n};
    size_t length = sim_random_chance(&w->traffic, 1, 2)
                        ? make_tcp(f, &s)
                        : make_roce(f, from, to, SMC_BTH_SEND_ONLY, 9, w->sent, data, n, 0x62);
    (void)port_send(w->host[from].port, f, length, now_ns);
    if (++w->sent < FRAMES)
        ck_assert_int_eq(sim_timer_set(w->sim, &w->next,
                                       now_ns + sim_random_below(&w->traffic, 4000)), 0);
}

/* Host 1 stands behind a box; all are on one switch with flow control and marks; all links have faults. */
static void build(struct world *w)
{
    static const struct fault_rates rates = {20000, 20000, 50000, 10000, 10000, 30000, 2000};
    static const struct pfc_config pfc = {.lossless = 1 << 3, .trust = PFC_TRUST_DSCP,
                                          .xoff_bytes = 6000, .xon_bytes = 3000,
                                          .headroom_bytes = 20000};
    static const struct ecn_config ecn = {2000, 20000, 200000};
    static const struct net_params params = {.rate_bps = 2500000000, .delay_ns = 700,
                                             .queue_bytes = 30000};
    struct net_switch *sw = net_switch_new(w->net, "sw0", HOSTS);
    struct net_box *box = net_box_new(w->net, "box");
    net_box_strip_option(box, NET_BOX_TOWARD_0 | NET_BOX_TOWARD_1);
    for (unsigned i = 1; i <= HOSTS; i++) {
        char name[16];
        snprintf(name, sizeof name, "h%u.eth0", i);
        host_init(&w->host[i], w->net, name, i);
        ck_assert_int_eq(pfc_enable(w->host[i].port, &pfc), 0);
        struct port *up = i == 1 ? net_box_port(box, 0) : net_switch_port(sw, i - 1);
        struct net_link *link = net_link_new(w->net, w->host[i].port, up, &params);
        for (int d = 0; d < 2; d++)
            ck_assert_int_eq(fault_set_rates(net_link_faults(link, (enum net_direction)d), &rates), 0);
    }
    ck_assert_ptr_nonnull(
        net_link_new(w->net, net_box_port(box, 1), net_switch_port(sw, 0), &params));
    ck_assert_int_eq(net_switch_enable_pfc(sw, &pfc), 0);
    ck_assert_int_eq(net_switch_enable_ecn(sw, &ecn), 0);
}

/* `fails`: the number of the allocation that fails once all is built; 0: none. Returns allocations. */
static size_t world_run(uint64_t seed, enum net_capture_point point, size_t fails,
                        uint64_t frames[2], uint64_t whole[2])
{
    struct world w;
    static const struct capture_options none;
    memset(&w, 0, sizeof w);
    ledger_init(&w.memory);
    w.sim = sim_new(&w.memory.alloc, seed);
    w.net = net_new(w.sim, &w.memory.alloc);
    ck_assert_int_eq(capture_open(&w.memory.alloc, &none, &w.capture, NULL, 0), 0);
    net_set_capture(w.net, w.capture, point);
    build(&w);
    sim_random(w.sim, &w.traffic, "traffic");
    sim_timer_init(&w.next, send_next, &w);
    ck_assert_int_eq(sim_timer_reserve(w.sim, &w.next), 0);
    ck_assert_int_eq(sim_timer_set(w.sim, &w.next, 1), 0);
    size_t before = w.memory.calls;
    w.memory.fail_at = fails > 0 ? before + fails : 0;
    run(w.sim, SIM_NEVER);
    ck_assert_uint_eq(w.sent, FRAMES);
    ck_assert_uint_gt(capture_count(w.capture), FRAMES / 2);
    ck_assert_uint_eq(net_frames_alive(w.net), 0);
    capture_digest(w.capture, frames);
    for (unsigned i = 1; i <= HOSTS; i++) {
        const struct net_stats *s = net_port_stats(w.host[i].port);
        uint8_t note[24];
        smc_store_le(note, 8, w.host[i].n);
        smc_store_le(note + 8, 8, s->fault_drops);
        smc_store_le(note + 16, 8, s->fcs_errors);
        sim_note(w.sim, note, sizeof note);
    }
    sim_digest(w.sim, whole);
    size_t calls = w.memory.calls - before;
    sim_timer_release(w.sim, &w.next);
    net_free(w.net);
    sim_free(w.sim);
    (void)capture_close(w.capture);
    for (unsigned i = 1; i <= HOSTS; i++)
        host_free(&w.host[i]);
    ck_assert_uint_eq(w.memory.held_bytes, 0);
    return calls;
}

START_TEST(the_same_seed_gives_the_same_run)
{
    uint64_t a[2], b[2], whole_a[2], whole_b[2];
    for (uint64_t seed = 1; seed <= 3; seed++) {
        world_run(seed, NET_CAPTURE_DELIVERED, 0, a, whole_a);
        world_run(seed, NET_CAPTURE_DELIVERED, 0, b, whole_b);
        ck_assert_mem_eq(a, b, sizeof a);
        ck_assert_mem_eq(whole_a, whole_b, sizeof a);
        world_run(seed + 1, NET_CAPTURE_DELIVERED, 0, b, whole_b);
        ck_assert_mem_ne(a, b, sizeof a);
        ck_assert_mem_ne(whole_a, whole_b, sizeof a);
    }
}
END_TEST

START_TEST(where_one_captures_does_not_change_the_run)
{
    uint64_t a[2], b[2], whole_a[2], whole_b[2];
    world_run(5, NET_CAPTURE_DELIVERED, 0, a, whole_a);
    world_run(5, NET_CAPTURE_SENT, 0, b, whole_b);
    ck_assert_mem_ne(a, b, sizeof a);
    ck_assert_mem_eq(whole_a, whole_b, sizeof a);
}
END_TEST

/* If a change of the simulator is meant to change runs, this digest changes with it; anything else that
 * changes it is a bug. It is the same for every compiler, optimisation and machine. */
START_TEST(the_run_of_seed_2026_is_known)
{
    uint64_t frames[2], whole[2];
    char text[SIM_HASH_TEXT];
    world_run(2026, NET_CAPTURE_DELIVERED, 0, frames, whole);
    ck_assert_str_eq(sim_hash_text(frames, text), "7bbb884ee2f57f42bad82001b4ab8c54");
    ck_assert_str_eq(sim_hash_text(whole, text), "ade180f5ce2dc12c992688a4d5941d3e");
}
END_TEST

START_TEST(each_allocation_may_fail_and_the_run_goes_on)
{
    uint64_t frames[2], whole[2];
    size_t n = world_run(7, NET_CAPTURE_DELIVERED, 0, frames, whole);
    ck_assert_uint_gt(n, 20);
    for (size_t i = 1; i <= n; i++)
        (void)world_run(7, NET_CAPTURE_DELIVERED, i, frames, whole); /* looks for leaks itself */
}
END_TEST

static Suite *make_suite(void)
{
    Suite *s = suite_create("network_golden");
    TCase *c = tcase_create("replay");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, the_same_seed_gives_the_same_run);
    tcase_add_test(c, where_one_captures_does_not_change_the_run);
    tcase_add_test(c, the_run_of_seed_2026_is_known);
    tcase_add_test(c, each_allocation_may_fail_and_the_run_goes_on);
    suite_add_tcase(s, c);
    return s;
}
CHECK_MAIN(make_suite)
