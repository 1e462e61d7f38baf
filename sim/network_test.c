/* Tests of links and ports: delay, rate, queues, MTU, flaps, memory; the contract of devices/port.h.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/network_test.h"

#include "testing/check_main.h"

START_TEST(a_frame_takes_its_length_by_the_rate_and_the_delay)
{
    struct pair p;
    struct net_params gigabit = {.rate_bps = 1000000000, .delay_ns = 5000};
    pair_init(&p, &gigabit, 1);
    ck_assert(send_frame(p.sim, &p.a, 1, 2, 1000, 7));
    ck_assert(send_frame(p.sim, &p.a, 1, 2, 20, 8));
    ck_assert_uint_eq(p.b.n, 0); /* never from within port_send */
    run(p.sim, SIM_NEVER);
    ck_assert_uint_eq(p.b.n, 2);
    ck_assert_uint_eq(p.b.got[0].at_ns, (1000 + 24) * 8 + 5000);
    ck_assert_uint_eq(p.b.got[1].at_ns, (1000 + 24 + 60 + 24) * 8 + 5000);
    ck_assert_uint_eq(p.b.got[1].length, 60); /* padded with zeros */
    ck_assert_uint_eq(p.b.got[1].bytes[19], 8);
    ck_assert_uint_eq(p.b.got[1].bytes[20], 0);
    ck_assert_uint_eq(net_port_stats(p.a.port)->sent, 2);
    ck_assert_uint_eq(net_port_stats(p.b.port)->received_bytes, 1060);
    ck_assert_uint_eq(net_frames_alive(p.net), 0);
    pair_free(&p);
}
END_TEST

START_TEST(both_directions_are_independent)
{
    struct pair p;
    struct net_params slow = {.rate_bps = 8000, .delay_ns = 0};
    struct net_params fast = {.rate_bps = 0, .delay_ns = 10};
    pair_init(&p, &slow, 1);
    ck_assert_int_eq(net_link_set_params(p.link, NET_B_TO_A, &fast), 0);
    ck_assert(send_frame(p.sim, &p.a, 1, 2, 976, 1));
    ck_assert(send_frame(p.sim, &p.b, 2, 1, 976, 2));
    run(p.sim, SIM_NEVER);
    ck_assert_uint_eq(p.a.got[0].at_ns, 10);
    ck_assert_uint_eq(p.b.got[0].at_ns, SIM_S);
    ck_assert_ptr_eq(net_port_link(p.a.port), p.link);
    ck_assert_int_eq(net_port_direction(p.b.port), NET_B_TO_A);
    ck_assert_ptr_eq(net_link_end(p.link, NET_B_TO_A), p.b.port);
    ck_assert_ptr_eq(net_port_find(p.net, "b.eth0"), p.b.port);
    ck_assert_ptr_null(net_port_find(p.net, "c.eth0"));
    ck_assert_str_eq(net_port_name(p.a.port), "a.eth0");
    pair_free(&p);
}
END_TEST

START_TEST(a_full_queue_refuses)
{
    struct pair p;
    struct net_params narrow = {.rate_bps = 1000000, .queue_frames = 3};
    pair_init(&p, &narrow, 1);
    for (int i = 0; i < 6; i++) /* one in transmission, three wait */
        ck_assert_int_eq(send_frame(p.sim, &p.a, 1, 2, 100, (uint8_t)i), i < 4);
    run(p.sim, SIM_NEVER);
    ck_assert_uint_eq(p.b.n, 4);
    ck_assert_uint_eq(net_port_stats(p.a.port)->queue_drops, 2);
    narrow = (struct net_params){.rate_bps = 1000000, .queue_bytes = 250};
    ck_assert_int_eq(net_link_set_params(p.link, NET_A_TO_B, &narrow), 0);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(send_frame(p.sim, &p.a, 1, 2, 100, (uint8_t)i), i < 3);
    run(p.sim, SIM_NEVER);
    ck_assert_uint_eq(p.b.n, 7);
    pair_free(&p);
}
END_TEST

START_TEST(the_mtu_counts_behind_header_and_tags)
{
    struct pair p;
    struct net_params params = {.mtu = 1000};
    uint8_t f[1100] = {0};
    pair_init(&p, &params, 1);
    ck_assert_uint_eq(port_mtu(p.a.port), 1000);
    ck_assert(send_frame(p.sim, &p.a, 1, 2, 1014, 0));
    ck_assert(!send_frame(p.sim, &p.a, 1, 2, 1015, 0));
    make_frame(f, 1, 2, sizeof f, 0);
    smc_store_be(f + 12, 2, 0x88a8);
    smc_store_be(f + 16, 2, 0x8100);
    ck_assert(port_send(p.a.port, f, 1022, 0));
    ck_assert(!port_send(p.a.port, f, 1023, 0));
    ck_assert(!port_send(p.a.port, f, 13, 0)); /* no header */
    ck_assert_uint_eq(net_port_stats(p.a.port)->refused, 3);
    params.mtu = 1500;
    ck_assert_int_eq(net_link_set_params(p.link, NET_A_TO_B, &params), SMC_ERR_STATE);
    net_link_set_up(p.link, false);
    ck_assert_int_eq(net_link_set_params(p.link, NET_A_TO_B, &params), 0);
    ck_assert_uint_eq(port_mtu(p.b.port), 1500);
    params.mtu = 67;
    ck_assert_int_eq(net_link_set_params(p.link, NET_A_TO_B, &params), SMC_ERR_ARGUMENT);
    pair_free(&p);
}
END_TEST

START_TEST(a_link_that_goes_down_loses_what_is_queued_and_under_way)
{
    struct pair p;
    struct net_params params = {.rate_bps = 1000000000, .delay_ns = 10000};
    pair_init(&p, &params, 1);
    ck_assert_uint_eq(p.a.ups, 1);
    ck_assert_uint_eq(p.b.ups, 1);
    for (int i = 0; i < 5; i++)
        ck_assert(send_frame(p.sim, &p.a, 1, 2, 101, 0)); /* 1 µs each */
    run(p.sim, 2500);
    net_link_set_up(p.link, false);
    ck_assert(!port_link_up(p.a.port));
    ck_assert_uint_eq(p.a.downs, 0); /* told by an event */
    ck_assert(!send_frame(p.sim, &p.a, 1, 2, 101, 0));
    run(p.sim, 3000);
    ck_assert_uint_eq(p.a.downs, 1);
    net_link_set_up(p.link, true); /* before the two on the wire would have come */
    run(p.sim, SIM_NEVER);
    ck_assert_uint_eq(p.b.n, 0);
    ck_assert_uint_eq(net_port_stats(p.a.port)->link_drops, 5);
    ck_assert_uint_eq(p.b.ups, 2);
    ck_assert(send_frame(p.sim, &p.a, 1, 2, 101, 0));
    run(p.sim, SIM_NEVER);
    ck_assert_uint_eq(p.b.n, 1);
    net_link_set_up(p.link, false); /* down and up in one instant: nobody needs to know */
    net_link_set_up(p.link, true);
    run(p.sim, SIM_NEVER);
    ck_assert_uint_eq(p.b.downs, 1);
    ck_assert_uint_eq(net_frames_alive(p.net), 0);
    pair_free(&p);
}
END_TEST

START_TEST(a_roce_device_that_leaves_takes_what_it_had_queued)
{
    struct pair p;
    struct net_params slow = {.rate_bps = 1000000};
    uint8_t f[200], llc[44] = {0xfe, 44};
    size_t n = make_roce(f, 1, 2, SMC_BTH_SEND_ONLY, 17, 77, llc, sizeof llc, 0);
    pair_init(&p, &slow, 1);
    for (int i = 0; i < 3; i++) { /* the first is under way */
        ck_assert(port_send(p.a.port, f, n, 0));
        ck_assert(send_frame(p.sim, &p.a, 1, 2, 100, (uint8_t)i));
    }
    net_port_drop_roce(p.a.port);
    ck_assert_uint_eq(net_port_stats(p.a.port)->link_drops, 2);
    ck_assert_uint_eq(net_port_queued(p.a.port), 300);
    run(p.sim, SIM_NEVER);
    ck_assert_uint_eq(p.b.n, 4);
    ck_assert_uint_eq(p.b.got[3].bytes[19], 2); /* the others in their order */
    ck_assert_uint_eq(net_frames_alive(p.net), 0);
    pair_free(&p);
}
END_TEST

START_TEST(a_port_without_link_is_down)
{
    struct pair p;
    struct host c;
    pair_init(&p, NULL, 1);
    host_init(&c, p.net, "c.eth0", 3);
    ck_assert(!port_link_up(c.port));
    ck_assert(!send_frame(p.sim, &c, 3, 1, 100, 0));
    ck_assert_uint_eq(port_mtu(c.port), 1500);
    ck_assert_ptr_null(net_link_new(p.net, c.port, c.port, NULL));
    ck_assert_ptr_null(net_link_new(p.net, c.port, p.a.port, NULL));
    ck_assert_ptr_null(net_port_new(p.net, "a.eth0", c.port->mac));
    ck_assert_ptr_null(net_port_new(p.net, "", c.port->mac));
    host_free(&c);
    pair_free(&p);
}
END_TEST

START_TEST(a_receiver_may_send_from_within_its_call)
{
    struct pair p;
    struct net_params params = {.delay_ns = 100};
    pair_init(&p, &params, 1);
    p.b.echo = true;
    ck_assert(send_frame(p.sim, &p.a, 1, 2, 100, 9));
    run(p.sim, SIM_NEVER);
    ck_assert_uint_eq(p.a.n, 1);
    ck_assert_uint_eq(p.a.got[0].at_ns, 200);
    pair_free(&p);
}
END_TEST

START_TEST(frames_keep_their_order_when_the_delay_shrinks)
{
    struct pair p;
    struct net_params far = {.delay_ns = 1000}, near = {.delay_ns = 1};
    pair_init(&p, &far, 1);
    ck_assert(send_frame(p.sim, &p.a, 1, 2, 100, 1));
    ck_assert_int_eq(net_link_set_params(p.link, NET_A_TO_B, &near), 0);
    ck_assert(send_frame(p.sim, &p.a, 1, 2, 100, 2));
    run(p.sim, SIM_NEVER);
    ck_assert_uint_eq(p.b.got[0].bytes[99], 1);
    ck_assert_uint_eq(p.b.got[1].at_ns, 1000);
    pair_free(&p);
}
END_TEST

START_TEST(building_a_net_fails_cleanly_at_each_allocation)
{
    for (size_t i = 1; i < 30; i++) {
        struct ledger l;
        uint8_t mac[6] = {2};
        ledger_init(&l);
        l.fail_at = i;
        struct sim *sim = sim_new(&l.alloc, 1);
        struct net *net = sim != NULL ? net_new(sim, &l.alloc) : NULL;
        struct port *a = net != NULL ? net_port_new(net, "a", mac) : NULL;
        struct port *b = net != NULL ? net_port_new(net, "b", mac) : NULL;
        struct net_link *link = a != NULL && b != NULL ? net_link_new(net, a, b, NULL) : NULL;
        if (i <= 6) /* sim 2, net 1, ports 2, link 1 */
            ck_assert_ptr_null(link);
        else
            ck_assert_ptr_nonnull(link);
        net_free(net);
        sim_free(sim);
        ck_assert_uint_eq(l.held_bytes, 0);
    }
}
END_TEST

START_TEST(without_memory_frames_are_refused_or_lost_and_the_net_goes_on)
{
    struct pair p;
    struct net_params params = {.rate_bps = 1000000000};
    pair_init(&p, &params, 1);
    for (size_t i = 1; i <= 4; i++) {
        unsigned before = p.b.n;
        p.ledger.fail_at = p.ledger.calls + i;
        bool sent = send_frame(p.sim, &p.a, 1, 2, 300 * i, 1); /* another size: another buffer */
        run(p.sim, SIM_NEVER);
        ck_assert_uint_eq(p.b.n - before, sent ? 1 : 0);
        ck_assert_uint_eq(net_frames_alive(p.net), 0);
    }
    ck_assert_uint_gt(net_port_stats(p.a.port)->no_memory, 0);
    p.ledger.fail_at = 0;
    ck_assert(send_frame(p.sim, &p.a, 1, 2, 100, 1));
    run(p.sim, SIM_NEVER);
    ck_assert_uint_gt(p.b.n, 0);
    pair_free(&p);
}
END_TEST

START_TEST(the_net_may_go_while_frames_are_everywhere)
{
    struct pair p;
    struct net_params params = {.rate_bps = 1000000000, .delay_ns = 100000};
    struct fault_rule hold = {.action = FAULT_HOLD, .count = 1, .delay_ns = 50};
    pair_init(&p, &params, 1);
    ck_assert_int_gt(fault_add(net_link_faults(p.link, NET_A_TO_B), &hold), 0);
    hold.delay_ns = 0;
    ck_assert_int_gt(fault_add(net_link_faults(p.link, NET_A_TO_B), &hold), 0);
    for (int i = 0; i < 10; i++)
        ck_assert(send_frame(p.sim, &p.a, 1, 2, 976, 1));
    run(p.sim, 30000);
    ck_assert_uint_eq(net_frames_alive(p.net), 10);
    ck_assert_uint_eq(net_link_held(p.link, NET_A_TO_B), 1);
    pair_free(&p);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *s = suite_create("network");
    TCase *c = tcase_create("links");
    tcase_add_test(c, a_frame_takes_its_length_by_the_rate_and_the_delay);
    tcase_add_test(c, both_directions_are_independent);
    tcase_add_test(c, a_full_queue_refuses);
    tcase_add_test(c, the_mtu_counts_behind_header_and_tags);
    tcase_add_test(c, a_link_that_goes_down_loses_what_is_queued_and_under_way);
    tcase_add_test(c, a_roce_device_that_leaves_takes_what_it_had_queued);
    tcase_add_test(c, a_port_without_link_is_down);
    tcase_add_test(c, a_receiver_may_send_from_within_its_call);
    tcase_add_test(c, frames_keep_their_order_when_the_delay_shrinks);
    tcase_add_test(c, building_a_net_fails_cleanly_at_each_allocation);
    tcase_add_test(c, without_memory_frames_are_refused_or_lost_and_the_net_goes_on);
    tcase_add_test(c, the_net_may_go_while_frames_are_everywhere);
    suite_add_tcase(s, c);
    return s;
}
CHECK_MAIN(make_suite)
