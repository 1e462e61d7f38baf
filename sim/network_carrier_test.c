/* Tests of links that another simulator carries: what it still has when everything ends is freed once.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/carrier.h"
#include "sim/network_test.h"
#include "sim/pfc.h"

#include "testing/check_main.h"

/* A carrier that takes what it is given and keeps it. */
static unsigned taken;

static int keep_link(void *user, const struct net_carried_link *link, void *ends[2], char *problem, size_t problem_size)
{
    (void)user;
    (void)problem;
    (void)problem_size;
    ends[0] = link->end[0];
    ends[1] = link->end[1];
    return 0;
}

static bool keep(void *end, struct net_packet *packet, const uint8_t *bytes, size_t length)
{
    (void)end;
    (void)packet;
    ck_assert(length >= 60 && bytes != NULL);
    taken++;
    return true;
}

static bool keep_on(void *end, struct net_packet *packet, const uint8_t *bytes, size_t length, uint64_t late_ns)
{
    (void)late_ns;
    return keep(end, packet, bytes, length);
}

static void flush_nothing(void *end)
{
    (void)end;
}

static const struct net_carrier keeper = {.link = keep_link, .send = keep, .propagate = keep_on, .flush = flush_nothing};

static void end_with_frames_under_way(bool queued_by_us)
{
    struct pair pair;
    struct ecn_config ecn = {.min_bytes = 1000, .max_bytes = 2000};
    char problem[80];
    taken = 0;
    pair_init(&pair, NULL, 1);
    ck_assert_int_eq(net_link_carry(pair.link, &keeper, NULL, 0, problem, sizeof problem), 0);
    if (queued_by_us)
        ck_assert_int_eq(ecn_enable(pair.a.port, &ecn), 0);
    for (unsigned i = 0; i < 5; i++)
        ck_assert(send_frame(pair.sim, &pair.a, 1, 2, 100, 1));
    ck_assert_uint_eq(taken, queued_by_us ? 1 : 5); /* ours come one by one */
    ck_assert_uint_eq(net_frames_carried(pair.net), taken);
    ck_assert_uint_eq(net_frames_alive(pair.net), 5);
    pair_free(&pair); /* the ledger finds what is freed twice, or not */
}

START_TEST(frames_that_a_carrier_keeps_are_freed_once)
{
    end_with_frames_under_way(_i == 1);
}
END_TEST

/* ---- a neighbour in another process ---- */
static struct net_packet *sending;

static bool send_now(void *end, struct net_packet *packet, const uint8_t *bytes, size_t length)
{
    sending = packet;
    return keep(end, packet, bytes, length);
}

static bool goes_elsewhere(void *end, struct net_packet *packet, const uint8_t *bytes, size_t length, uint64_t late_ns)
{
    (void)late_ns;
    (void)keep(end, packet, bytes, length);
    return false;
}

static const struct net_carrier far = {.link = keep_link, .send = send_now, .propagate = goes_elsewhere, .flush = flush_nothing};

START_TEST(a_frame_that_goes_to_another_process_is_gone_here_and_one_from_there_arrives)
{
    struct pair pair;
    char problem[80];
    uint8_t frame[60] = {0};
    taken = 0;
    pair_init(&pair, NULL, 1);
    ck_assert_int_eq(net_link_carry(pair.link, &far, NULL, 0, problem, sizeof problem), 0);
    ck_assert(send_frame(pair.sim, &pair.a, 1, 2, 100, 1));
    net_carrier_sent(pair.a.port, sending, sim_now(pair.sim));
    ck_assert_uint_eq(taken, 2);
    ck_assert_uint_eq(net_frames_alive(pair.net), 0);
    ck_assert_uint_eq(net_port_stats(pair.a.port)->sent, 1);
    memcpy(frame, pair.b.port->mac, 6);
    net_carrier_entered(pair.b.port, frame, sizeof frame, sim_now(pair.sim));
    ck_assert_uint_eq(net_port_stats(pair.b.port)->received, 1);
    net_link_set_up(pair.link, false);
    net_carrier_entered(pair.b.port, frame, sizeof frame, sim_now(pair.sim));
    ck_assert_uint_eq(net_port_stats(pair.b.port)->received, 1);
    ck_assert_uint_eq(net_frames_alive(pair.net), 0);
    pair_free(&pair);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *s = suite_create("network_carrier");
    TCase *c = tcase_create("end");
    tcase_add_loop_test(c, frames_that_a_carrier_keeps_are_freed_once, 0, 2);
    tcase_add_test(c, a_frame_that_goes_to_another_process_is_gone_here_and_one_from_there_arrives);
    suite_add_tcase(s, c);
    return s;
}
CHECK_MAIN(make_suite)
