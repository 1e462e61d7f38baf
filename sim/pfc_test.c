/* Tests of flow control: incast without loss, PAUSE frames and their time, ECN marks.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/network_test.h"
#include "sim/pfc.h"
#include "sim/switch.h"

#include "testing/check_main.h"

#include <stdio.h>

enum { SENDERS = 4, EACH = 500, PRIORITY = 3, TOS = PRIORITY << 5 | 2 /* ECT(0) */ };

static struct ledger memory;
static struct sim *sim;
static struct net *net;
static struct net_switch *sw;
static struct host host[SENDERS + 2]; /* 1 … SENDERS send to SENDERS + 1 */

static const struct pfc_config lossless = {.lossless = 1 << PRIORITY, .trust = PFC_TRUST_DSCP,
                                           .xoff_bytes = 20000, .xon_bytes = 10000,
                                           .headroom_bytes = 10000};

static void setup(void)
{
    struct net_params params = {.rate_bps = 10000000000, .delay_ns = 1000, .queue_bytes = 100000};
    ledger_init(&memory);
    sim = sim_new(&memory.alloc, 1);
    net = net_new(sim, &memory.alloc);
    sw = net_switch_new(net, "sw0", SENDERS + 1);
    for (unsigned i = 1; i <= SENDERS + 1; i++) {
        char name[16];
        snprintf(name, sizeof name, "h%u", i);
        host_init(&host[i], net, name, i);
        struct net_link *link =
            net_link_new(net, host[i].port, net_switch_port(sw, i - 1), &params);
        params.queue_bytes = 0;
        ck_assert_int_eq(net_link_set_params(link, NET_A_TO_B, &params), 0); /* a host can wait */
        params.queue_bytes = 100000;
    }
    run(sim, 0);
    ck_assert(send_frame(sim, &host[SENDERS + 1], SENDERS + 1, 1, 60, 0)); /* is known */
    run(sim, 10000);
}

static void teardown(void)
{
    ck_assert_uint_eq(net_frames_alive(net), 0);
    net_free(net);
    sim_free(sim);
    for (unsigned i = 1; i <= SENDERS + 1; i++)
        host_free(&host[i]);
    ck_assert_uint_eq(memory.held_bytes, 0);
}

static void enable_everywhere(void)
{
    ck_assert_int_eq(net_switch_enable_pfc(sw, &lossless), 0);
    for (unsigned i = 1; i <= SENDERS + 1; i++)
        ck_assert_int_eq(pfc_enable(host[i].port, &lossless), 0);
}

static void incast(unsigned tos)
{
    uint8_t f[1100], data[1000];
    memset(data, 0x11, sizeof data);
    for (unsigned n = 0; n < EACH; n++)
        for (unsigned i = 1; i <= SENDERS; i++) {
            size_t length = make_roce(f, i, SENDERS + 1, 4, 9, n, data, sizeof data, tos);
            ck_assert(port_send(host[i].port, f, length, sim_now(sim)));
        }
}

static uint64_t dropped(void)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i <= SENDERS; i++)
        sum += net_port_stats(net_switch_port(sw, i))->queue_drops;
    return sum;
}

START_TEST(without_flow_control_an_incast_drops)
{
    incast(TOS);
    run(sim, SIM_NEVER);
    ck_assert_uint_gt(dropped(), EACH);
    ck_assert_uint_eq(host[SENDERS + 1].n + dropped(), SENDERS * EACH);
}
END_TEST

START_TEST(a_lossless_class_drops_nothing)
{
    enable_everywhere();
    incast(TOS);
    run(sim, sim_now(sim) + 200000);
    ck_assert(pfc_paused(host[1].port, PRIORITY) || pfc_paused(host[2].port, PRIORITY));
    ck_assert(!pfc_paused(host[1].port, 0));
    ck_assert_uint_gt(pfc_ingress_bytes(net_switch_port(sw, 0), PRIORITY), 0);
    run(sim, SIM_NEVER);
    ck_assert_uint_eq(dropped(), 0);
    ck_assert_uint_eq(host[SENDERS + 1].n, SENDERS * EACH);
    ck_assert_uint_gt(net_port_stats(net_switch_port(sw, 0))->pause_sent, 2);
    ck_assert_uint_eq(net_port_stats(net_switch_port(sw, 0))->pause_sent,
                      net_port_stats(host[1].port)->pause_received);
    for (unsigned i = 0; i <= SENDERS; i++)
        ck_assert_uint_eq(pfc_ingress_bytes(net_switch_port(sw, i), PRIORITY), 0);
    /* As fast as the one link allows: 1066 + 24 bytes each at 10 Gbit/s, a little slack at the start. */
    uint64_t ideal = (uint64_t)SENDERS * EACH * 1090 * 8 / 10;
    ck_assert_uint_lt(host[SENDERS + 1].got[SENDERS * EACH - 1].at_ns, ideal * 102 / 100 + 20000);
}
END_TEST

START_TEST(a_pause_is_said_again_before_it_ends)
{
    struct pfc_config brief = lossless;
    brief.quanta = 80; /* 4.1 µs; draining from xoff to xon takes longer */
    brief.headroom_bytes = 8000;
    ck_assert_int_eq(net_switch_enable_pfc(sw, &brief), 0);
    for (unsigned i = 1; i <= SENDERS + 1; i++)
        ck_assert_int_eq(pfc_enable(host[i].port, &brief), 0);
    incast(TOS);
    run(sim, SIM_NEVER);
    ck_assert_uint_eq(dropped(), 0);
    ck_assert_uint_eq(host[SENDERS + 1].n, SENDERS * EACH);
}
END_TEST

START_TEST(other_classes_are_dropped_and_not_stopped)
{
    enable_everywhere();
    incast(0);
    run(sim, SIM_NEVER);
    ck_assert_uint_gt(dropped(), EACH);
    ck_assert_uint_eq(net_port_stats(net_switch_port(sw, 0))->pause_sent, 0);
}
END_TEST

START_TEST(a_sender_that_ignores_pauses_overruns_the_headroom)
{
    ck_assert_int_eq(net_switch_enable_pfc(sw, &lossless), 0); /* hosts stay off */
    incast(TOS);
    run(sim, SIM_NEVER);
    ck_assert_uint_gt(dropped(), 0);
    ck_assert_uint_gt(net_port_stats(net_switch_port(sw, 0))->pause_sent, 0);
}
END_TEST

/* Sends a frame of the class from host 1 and says when it came. */
static uint64_t arrival(unsigned tos)
{
    uint8_t f[200], data[64] = {0};
    unsigned before = host[SENDERS + 1].n;
    size_t n = make_roce(f, 1, SENDERS + 1, 4, 9, 0, data, sizeof data, tos);
    uint64_t start = sim_now(sim);
    ck_assert(port_send(host[1].port, f, n, start));
    run(sim, start + 2 * SIM_MS);
    ck_assert_uint_eq(host[SENDERS + 1].n, before + 1);
    return host[SENDERS + 1].got[before].at_ns - start;
}

static void pause_host_1(uint8_t enable, uint16_t quanta)
{
    /* Whoever sends such a frame stops its neighbour: here host 1 gets one by way of a crafted peer. */
    uint8_t frame[PFC_FRAME_BYTES];
    struct host *h = &host[1];
    pfc_frame(frame, h->port->mac, enable, quanta);
    ck_assert(port_send(net_switch_port(sw, 0), frame, sizeof frame, sim_now(sim)));
    run(sim, sim_now(sim) + 2000);
}

START_TEST(a_pause_lasts_its_quanta_and_hits_its_class_only)
{
    enable_everywhere();
    uint64_t plain = arrival(TOS);
    unsigned before = host[1].n;
    pause_host_1(1 << PRIORITY, 1000); /* 1000 × 512 bits at 10 Gbit/s: 51.2 µs */
    ck_assert_uint_eq(host[1].n, before); /* not handed to the host */
    uint64_t other = arrival(0);
    ck_assert_uint_eq(other, plain);
    pause_host_1(1 << PRIORITY, 1000);
    uint64_t late = arrival(TOS);
    ck_assert(late > plain + 48000 && late < plain + 51200);
    pause_host_1(1 << PRIORITY, 65535);
    pause_host_1(1 << PRIORITY, 0); /* go on */
    ck_assert_uint_eq(arrival(TOS), plain);
}
END_TEST

START_TEST(a_link_flap_ends_all_pauses)
{
    enable_everywhere();
    uint64_t plain = arrival(TOS);
    pause_host_1(0xff, 65535);
    ck_assert(pfc_paused(host[1].port, 7));
    net_link_set_up(net_port_link(host[1].port), false);
    net_link_set_up(net_port_link(host[1].port), true);
    ck_assert(!pfc_paused(host[1].port, 7));
    ck_assert_uint_eq(arrival(TOS), plain);
}
END_TEST

START_TEST(full_queues_mark_what_can_be_marked)
{
    struct ecn_config ecn = {.min_bytes = 5000, .max_bytes = 50000, .max_per_million = 100000};
    unsigned marked = 0;
    ck_assert_int_eq(net_switch_enable_ecn(sw, &ecn), 0);
    incast(TOS);
    run(sim, SIM_NEVER);
    for (unsigned i = 0; i < host[SENDERS + 1].n; i++) {
        const struct got *g = &host[SENDERS + 1].got[i];
        marked += (g->bytes[15] & 3) == 3;
        ck_assert(ipv4_holds(g->bytes));
        ck_assert(smc_icrc_holds(smc_view_of(g->bytes + 14, g->length - 14), NULL));
    }
    ck_assert_uint_eq(marked, net_port_stats(net_switch_port(sw, SENDERS))->ecn_marked);
    ck_assert_uint_gt(marked, 100);
    ck_assert_uint_lt(marked, host[SENDERS + 1].n);
    ck_assert_uint_eq(host[SENDERS + 1].got[0].bytes[15] & 3, 2); /* the queue was short then */
}
END_TEST

START_TEST(what_is_not_ecn_capable_is_never_marked)
{
    struct ecn_config ecn = {.min_bytes = 0, .max_bytes = 0, .max_per_million = 1000000};
    ck_assert_int_eq(net_switch_enable_ecn(sw, &ecn), 0);
    incast(0);
    run(sim, SIM_NEVER);
    ck_assert_uint_eq(net_port_stats(net_switch_port(sw, SENDERS))->ecn_marked, 0);
}
END_TEST

START_TEST(configurations_are_checked_and_need_memory)
{
    struct pfc_config wrong = {.xoff_bytes = 1, .xon_bytes = 2};
    struct ecn_config odd = {.min_bytes = 2, .max_bytes = 1};
    struct port *port = net_switch_port(sw, 0);
    ck_assert_int_eq(pfc_enable(port, &wrong), SMC_ERR_ARGUMENT);
    ck_assert_int_eq(ecn_enable(port, &odd), SMC_ERR_ARGUMENT);
    memory.fail_at = memory.calls + 1;
    ck_assert_int_eq(pfc_enable(port, &lossless), SMC_ERR_NOMEM);
    memory.fail_at = memory.calls + 1;
    odd.max_bytes = 3;
    ck_assert_int_eq(ecn_enable(port, &odd), SMC_ERR_NOMEM);
    ck_assert_int_eq(ecn_enable(port, &odd), 0);
    ck_assert_int_eq(pfc_enable(port, &lossless), 0);
    ck_assert_int_eq(ecn_enable(port, NULL), 0);
    ck_assert_int_eq(pfc_enable(port, NULL), 0);
    ck_assert_int_eq(pfc_enable(port, NULL), 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *s = suite_create("pfc");
    TCase *c = tcase_create("flow control");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, without_flow_control_an_incast_drops);
    tcase_add_test(c, a_lossless_class_drops_nothing);
    tcase_add_test(c, a_pause_is_said_again_before_it_ends);
    tcase_add_test(c, other_classes_are_dropped_and_not_stopped);
    tcase_add_test(c, a_sender_that_ignores_pauses_overruns_the_headroom);
    tcase_add_test(c, a_pause_lasts_its_quanta_and_hits_its_class_only);
    tcase_add_test(c, a_link_flap_ends_all_pauses);
    tcase_add_test(c, full_queues_mark_what_can_be_marked);
    tcase_add_test(c, what_is_not_ecn_capable_is_never_marked);
    tcase_add_test(c, configurations_are_checked_and_need_memory);
    suite_add_tcase(s, c);
    return s;
}
CHECK_MAIN(make_suite)
