/* Tests of ECN and PFC against their equations: chance of a mark by queue length; XOFF, XON and headroom of the ingress account.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/network_internal.h"
#include "sim/network_test.h"
#include "sim/switch.h"

#include "testing/check_main.h"

#include <math.h>

enum { PRIORITY = 3, TOS = PRIORITY << 5 | 2, DATA = 1000, FRAME = 34 + 8 + 12 + DATA + 4, SENDERS = 8 };

static struct ledger memory;
static struct sim *sim;
static struct net *net;
static struct net_switch *sw;
static struct host host[SENDERS + 2];

static void open_star(unsigned hosts, const struct net_params *params)
{
    ledger_init(&memory);
    sim = sim_new(&memory.alloc, 7);
    net = net_new(sim, &memory.alloc);
    sw = net_switch_new(net, "sw0", hosts);
    for (unsigned i = 1; i <= hosts; i++) {
        char name[16];
        uint8_t mac[6];
        snprintf(name, sizeof name, "h%u", i);
        mac_of(i, mac);
        host_init(&host[i], net, name, i);
        ck_assert_ptr_nonnull(net_link_new(net, host[i].port, net_switch_port(sw, i - 1), params));
        ck_assert_int_eq(net_switch_set_station(sw, 1, mac, i - 1), 0);
    }
    run(sim, 0);
}

static void close_star(unsigned hosts)
{
    net_free(net);
    sim_free(sim);
    for (unsigned i = 1; i <= hosts; i++)
        host_free(&host[i]);
    ck_assert_uint_eq(memory.held_bytes, 0);
}

static struct net_packet *packet_of(unsigned from, unsigned to, size_t data)
{
    static const uint8_t bytes[4096];
    uint8_t f[4400];
    size_t n = make_roce(f, from, to, 4, 9, 0, bytes, data, TOS);
    struct net_packet *p = net_packet_new(net, net_buffer_new(net, f, n, n));
    ck_assert_ptr_nonnull(p);
    return p;
}

/* ---- ECN ---- */

static bool is_marked(const struct net_packet *p)
{
    return (p->buffer->bytes[15] & 3) == 3;
}

/* How many of n frames are marked on their way into a queue of q bytes. */
static unsigned marks(struct net_port *egress, uint32_t q, unsigned n)
{
    unsigned marked = 0;
    for (unsigned i = 0; i < n; i++) {
        struct net_packet *p = packet_of(1, 2, 64);
        ecn_mark(egress, p, q);
        marked += is_marked(p);
        net_packet_free(p);
    }
    return marked;
}

START_TEST(the_chance_of_a_mark_is_linear_between_Kmin_and_Kmax)
{
    static const struct ecn_config configs[] = {
        {.min_bytes = 5000, .max_bytes = 200000, .max_per_million = 10000}, /* the paper's */
        {.min_bytes = 0, .max_bytes = 100000, .max_per_million = 1000000},
        {.min_bytes = 40000, .max_bytes = 60001, .max_per_million = 333333},
    };
    const struct ecn_config *c = &configs[_i];
    enum { DRAWS = 20000, POINTS = 12 };
    open_star(2, NULL);
    struct port *port = net_switch_port(sw, 1);
    ck_assert_int_eq(ecn_enable(port, c), 0);
    for (unsigned k = 0; k <= POINTS; k++) {
        uint32_t q = c->min_bytes + (uint32_t)((uint64_t)(c->max_bytes - c->min_bytes) * k / POINTS);
        double p = c->max_per_million / 1e6 * (q - c->min_bytes) / (c->max_bytes - c->min_bytes);
        double four_sigma = 4 * sqrt(DRAWS * p * (1 - p));
        unsigned got = marks(net_port_of(port), q, DRAWS);
        ck_assert_msg(fabs(got - DRAWS * p) <= four_sigma + 1e-6, "queue %u: %u of %u marked, %f wanted", q, got,
                      (unsigned)DRAWS, DRAWS * p);
    }
    close_star(2);
}
END_TEST

START_TEST(no_frame_is_marked_up_to_Kmin_and_each_beyond_Kmax)
{
    struct ecn_config c = {.min_bytes = 5000, .max_bytes = 200000, .max_per_million = 10000};
    open_star(2, NULL);
    struct port *port = net_switch_port(sw, 1);
    ck_assert_int_eq(ecn_enable(port, &c), 0);
    ck_assert_uint_eq(marks(net_port_of(port), 0, 1000), 0);
    ck_assert_uint_eq(marks(net_port_of(port), 5000, 1000), 0);
    ck_assert_uint_eq(marks(net_port_of(port), 200001, 1000), 1000);
    ck_assert_uint_eq(net_port_stats(port)->ecn_marked, 1000);
    c = (struct ecn_config){.min_bytes = 3000, .max_bytes = 3000, .max_per_million = 10000}; /* a step */
    ck_assert_int_eq(ecn_enable(port, &c), 0);
    ck_assert_uint_eq(marks(net_port_of(port), 3000, 1000), 0);
    ck_assert_uint_eq(marks(net_port_of(port), 3001, 1000), 1000);
    close_star(2);
}
END_TEST

/* ---- PFC: the account ---- */

/* What the account must be, by the definition alone. */
struct account {
    uint64_t bytes, pauses;
    bool stopped;
};

static bool account_take(struct account *a, const struct pfc_config *c, uint32_t n)
{
    if (a->bytes + n > (uint64_t)c->xoff_bytes + c->headroom_bytes)
        return false;
    a->bytes += n;
    if (a->bytes > c->xoff_bytes && !a->stopped) {
        a->stopped = true;
        a->pauses++;
    }
    return true;
}

static void account_give(struct account *a, const struct pfc_config *c, uint32_t n)
{
    a->bytes -= n;
    if (a->stopped && a->bytes <= c->xon_bytes) {
        a->stopped = false;
        a->pauses++;
    }
}

START_TEST(an_account_says_stop_above_xoff_go_at_xon_and_takes_no_more_than_the_headroom)
{
    static const struct pfc_config configs[] = {
        {.lossless = 1 << PRIORITY, .trust = PFC_TRUST_DSCP, .xoff_bytes = 20000, .xon_bytes = 10000, .headroom_bytes = 5000},
        {.lossless = 1 << PRIORITY, .trust = PFC_TRUST_DSCP, .xoff_bytes = 9000, .xon_bytes = 9000, .headroom_bytes = 2000},
        {.lossless = 1 << PRIORITY, .trust = PFC_TRUST_DSCP, .xoff_bytes = 3000, .xon_bytes = 0, .headroom_bytes = 60000},
    };
    enum { HELD = 64, STEPS = 4000 };
    const struct pfc_config *c = &configs[_i];
    struct net_params params = {.rate_bps = 10000000000};
    struct net_packet *held[HELD];
    struct account a = {0};
    struct sim_random random;
    unsigned n = 0, refused = 0;
    open_star(2, &params);
    struct port *port = net_switch_port(sw, 0);
    ck_assert_int_eq(pfc_enable(port, c), 0);
    sim_random_init(&random, (uint64_t)_i, "test");
    for (unsigned step = 0; step < STEPS; step++) {
        /* Filling and draining in turns, so that both limits are met. */
        if (n < HELD && (n == 0 || sim_random_chance(&random, step / 50 % 2 == 0 ? 8 : 2, 10))) {
            struct net_packet *p = packet_of(1, 2, 4 * sim_random_below(&random, 1000));
            bool took = pfc_charge(net_port_of(port), p, sim_now(sim));
            ck_assert_int_eq(took, account_take(&a, c, p->buffer->length));
            refused += !took;
            if (took)
                held[n++] = p;
            else
                net_packet_free(p);
        } else {
            struct net_packet *p = held[--n];
            uint32_t bytes = p->buffer->length;
            net_packet_free(p);
            account_give(&a, c, bytes);
        }
        ck_assert_uint_eq(pfc_ingress_bytes(port, PRIORITY), a.bytes);
        ck_assert_uint_eq(net_port_stats(port)->pause_sent, a.pauses);
    }
    ck_assert_uint_gt(a.pauses, 20);
    ck_assert_uint_gt(refused, 0);
    while (n > 0)
        net_packet_free(held[--n]);
    close_star(2);
}
END_TEST

/* ---- PFC: what the headroom has to hold ---- */

/* The frame that passes XOFF may lie above it with all of its bytes. From that moment: the frame that the switch is sending that way
 * ends (here: there is none), the PAUSE takes its time on the wire and the delay; then the neighbour still ends the frame it has
 * begun, and what it sent comes for another delay. */
static uint32_t headroom_wanted(uint64_t rate, uint64_t delay_ns)
{
    double line = (double)rate / 8e9 * 2 * (double)delay_ns;
    return (uint32_t)ceil(line) + PFC_FRAME_BYTES + NET_WIRE_EXTRA + FRAME + (FRAME + NET_WIRE_EXTRA);
}

static uint64_t drops_of_incast(uint64_t rate, uint64_t delay_ns, uint32_t headroom)
{
    struct net_params params = {.rate_bps = rate, .delay_ns = delay_ns};
    struct pfc_config pfc = {.lossless = 1 << PRIORITY, .trust = PFC_TRUST_DSCP, .xoff_bytes = 4 * FRAME,
                             .xon_bytes = 2 * FRAME, .headroom_bytes = headroom};
    uint8_t f[FRAME], data[DATA] = {0};
    uint64_t drops = 0;
    open_star(SENDERS + 1, &params);
    ck_assert_int_eq(net_switch_enable_pfc(sw, &pfc), 0);
    for (unsigned i = 1; i <= SENDERS + 1; i++)
        ck_assert_int_eq(pfc_enable(host[i].port, &pfc), 0);
    for (unsigned n = 0; n < 200; n++)
        for (unsigned i = 1; i <= SENDERS; i++)
            ck_assert(port_send(host[i].port, f, make_roce(f, i, SENDERS + 1, 4, 9, n, data, DATA, TOS), sim_now(sim)));
    run(sim, SIM_NEVER);
    for (unsigned i = 0; i <= SENDERS; i++)
        drops += net_port_stats(net_switch_port(sw, i))->queue_drops;
    ck_assert_uint_eq(host[SENDERS + 1].n + drops, SENDERS * 200);
    ck_assert_uint_eq(net_frames_alive(net), 0);
    close_star(SENDERS + 1);
    return drops;
}

START_TEST(a_headroom_of_what_is_under_way_loses_nothing_and_less_does)
{
    static const struct { uint64_t rate, delay_ns; } lines[] = {
        {10000000000, 1000}, {10000000000, 10000}, {100000000000, 2000}, {1000000000, 50000}};
    uint64_t rate = lines[_i].rate, delay = lines[_i].delay_ns;
    uint32_t wanted = headroom_wanted(rate, delay);
    ck_assert_uint_eq(drops_of_incast(rate, delay, wanted), 0);
    ck_assert_uint_gt(drops_of_incast(rate, delay, wanted - 3 * FRAME), 0);
}
END_TEST

/* ---- one class does not take the others' room ---- */

START_TEST(a_lossless_class_that_waits_leaves_the_others_their_queue)
{
    struct net_params params = {.rate_bps = 10000000000, .queue_bytes = 20 * FRAME};
    struct pfc_config pfc = {.lossless = 1 << PRIORITY, .trust = PFC_TRUST_DSCP, .xoff_bytes = 100 * FRAME};
    uint8_t f[FRAME], data[DATA] = {0};
    open_star(2, &params);
    ck_assert_int_eq(pfc_enable(host[1].port, &pfc), 0);
    uint8_t pause[PFC_FRAME_BYTES];
    pfc_frame(pause, host[1].port->mac, 1 << PRIORITY, UINT16_MAX);
    ck_assert(port_send(net_switch_port(sw, 0), pause, sizeof pause, sim_now(sim)));
    run(sim, sim_now(sim) + 1000);
    unsigned taken = 0;
    while (taken < 100 && port_send(host[1].port, f, make_roce(f, 1, 2, 4, 9, taken, data, DATA, TOS), sim_now(sim)))
        taken++;
    ck_assert_uint_eq(taken, 20);
    for (unsigned n = 0; n < 10; n++)
        ck_assert(port_send(host[1].port, f, make_roce(f, 1, 2, 4, 9, n, data, DATA, 0), sim_now(sim)));
    run(sim, sim_now(sim) + 20000);
    ck_assert_uint_eq(host[2].n, 10);
    run(sim, SIM_NEVER);
    ck_assert_uint_eq(host[2].n, 30);
    close_star(2);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *s = suite_create("pfc_equations");
    TCase *c = tcase_create("equations");
    tcase_set_timeout(c, 30);
    tcase_add_loop_test(c, the_chance_of_a_mark_is_linear_between_Kmin_and_Kmax, 0, 3);
    tcase_add_test(c, no_frame_is_marked_up_to_Kmin_and_each_beyond_Kmax);
    tcase_add_loop_test(c, an_account_says_stop_above_xoff_go_at_xon_and_takes_no_more_than_the_headroom, 0, 3);
    tcase_add_loop_test(c, a_headroom_of_what_is_under_way_loses_nothing_and_less_does, 0, 4);
    tcase_add_test(c, a_lossless_class_that_waits_leaves_the_others_their_queue);
    suite_add_tcase(s, c);
    return s;
}
CHECK_MAIN(make_suite)
