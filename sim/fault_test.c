/* Tests of fault plans: each kind of chance, each action of a rule, partition, what flips can be caught.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/network_test.h"

#include "testing/check_main.h"

static struct pair p;

static struct fault_plan *plan(void)
{
    return net_link_faults(p.link, NET_A_TO_B);
}

static void rates(struct fault_rates r)
{
    ck_assert_int_eq(fault_set_rates(plan(), &r), 0);
}

static uint32_t rule(struct fault_rule r)
{
    int number = fault_add(plan(), &r);
    ck_assert_int_gt(number, 0);
    return (uint32_t)number;
}

static void send_numbered(int n)
{
    for (int i = 0; i < n; i++) {
        ck_assert(send_frame(p.sim, &p.a, 1, 2, 100, (uint8_t)i));
        run(p.sim, sim_now(p.sim) + 1000);
    }
}

static void setup(void)
{
    struct net_params params = {.delay_ns = 500};
    pair_init(&p, &params, 11);
}

static void teardown(void)
{
    pair_free(&p);
}

START_TEST(loss_strikes_as_often_as_it_should)
{
    rates((struct fault_rates){.loss = 250000});
    send_numbered(2000);
    ck_assert(p.b.n > 1420 && p.b.n < 1580);
    ck_assert_uint_eq(plan()->counts.lost, 2000 - p.b.n);
    ck_assert_uint_eq(net_port_stats(p.a.port)->fault_drops, 2000 - p.b.n);
    ck_assert_uint_eq(p.a.n, 0);
}
END_TEST

START_TEST(other_faults_do_not_change_what_is_lost)
{
    uint8_t lost[2][500];
    for (int round = 0; round < 2; round++) {
        struct fault_plan f;
        struct fault_rates r = {.loss = 300000, .duplicate = round ? 500000 : 0,
                                .jitter_ns = round ? 99 : 0, .corrupt = round ? 100000 : 0};
        uint8_t frame[60] = {0};
        fault_init(&f, &p.ledger.alloc, 5, "x");
        ck_assert_int_eq(fault_set_rates(&f, &r), 0);
        for (int i = 0; i < 500; i++) {
            struct fault_verdict v;
            fault_decide(&f, frame, sizeof frame, &v);
            lost[round][i] = v.drop;
        }
        fault_free(&f);
    }
    ck_assert_mem_eq(lost[0], lost[1], sizeof lost[0]);
}
END_TEST

START_TEST(a_duplicate_comes_twice_and_late)
{
    rates((struct fault_rates){.duplicate = 1000000, .reorder_ns = 0});
    send_numbered(10);
    ck_assert_uint_eq(p.b.n, 20);
    ck_assert_mem_eq(p.b.got[0].bytes, p.b.got[1].bytes, 100);
}
END_TEST

START_TEST(reordered_frames_are_overtaken_within_the_window)
{
    unsigned swapped = 0;
    rates((struct fault_rates){.reorder = 300000, .reorder_ns = 3000});
    send_numbered(200);
    run(p.sim, SIM_NEVER);
    ck_assert_uint_eq(p.b.n, 200);
    for (unsigned i = 1; i < 200; i++)
        swapped += p.b.got[i].bytes[99] < p.b.got[i - 1].bytes[99];
    ck_assert_uint_gt(swapped, 10);
    for (unsigned i = 0; i < 200; i++)
        ck_assert_uint_le(p.b.got[i].at_ns, p.b.got[i].bytes[99] * 1000u + 500 + 3000);
}
END_TEST

START_TEST(jitter_delays_but_keeps_the_order)
{
    unsigned late = 0;
    rates((struct fault_rates){.jitter_ns = 5000});
    send_numbered(200);
    run(p.sim, SIM_NEVER);
    for (unsigned i = 0; i < 200; i++) {
        ck_assert_uint_eq(p.b.got[i].bytes[99], i);
        late += p.b.got[i].at_ns > i * 1000 + 500;
    }
    ck_assert_uint_gt(late, 150);
}
END_TEST

START_TEST(a_bad_fcs_ends_at_the_receiving_mac)
{
    rates((struct fault_rates){.corrupt = 1000000});
    send_numbered(5);
    ck_assert_uint_eq(p.b.n, 0);
    ck_assert_uint_eq(net_port_stats(p.b.port)->fcs_errors, 5);
}
END_TEST

START_TEST(every_deep_flip_is_caught_by_a_checksum)
{
    uint8_t f[1600], data[64];
    struct test_segment s = {.from = 1, .to = 2, .sport = 5, .dport = 6, .seq = 9, .flags = 16,
                             .data = data, .n_data = sizeof data};
    memset(data, 0xff, sizeof data);
    rates((struct fault_rates){.corrupt_deep = 1000000});
    for (int i = 0; i < 1000; i++) {
        size_t n = i % 2 ? make_tcp(f, &s) : make_roce(f, 1, 2, 4, 17, (uint32_t)i, data, 64, 0);
        ck_assert(port_send(p.a.port, f, n, sim_now(p.sim)));
        run(p.sim, SIM_NEVER);
        const struct got *g = &p.b.got[p.b.n - 1];
        ck_assert_uint_eq(p.b.n, (unsigned)i + 1);
        ck_assert_mem_eq(g->bytes, f, 34); /* link layer and IP are left alone */
        ck_assert_mem_ne(g->bytes, f, n);
        if (i % 2)
            ck_assert(!transport_holds(g->bytes, g->length));
        bool masked = g->bytes[40] != f[40] || g->bytes[41] != f[41] || g->bytes[46] != f[46];
        if (i % 2 == 0 && !masked) /* UDP checksum and the BTH's FECN byte may change on the way */
            ck_assert(!smc_icrc_holds(smc_view_of(g->bytes + 14, n - 14), NULL));
    }
    ck_assert_uint_eq(plan()->counts.flipped, 1000);
}
END_TEST

START_TEST(deep_corruption_of_what_nothing_protects_is_a_bad_fcs)
{
    rates((struct fault_rates){.corrupt_deep = 1000000});
    send_numbered(3);
    ck_assert_uint_eq(p.b.n, 0);
    ck_assert_uint_eq(net_port_stats(p.b.port)->fcs_errors, 3);
    ck_assert_uint_eq(plan()->counts.flipped, 0);
}
END_TEST

START_TEST(a_partition_cuts_one_way)
{
    fault_partition(plan(), true);
    send_numbered(2);
    ck_assert(send_frame(p.sim, &p.b, 2, 1, 100, 1));
    run(p.sim, SIM_NEVER);
    ck_assert_uint_eq(p.b.n, 0);
    ck_assert_uint_eq(p.a.n, 1);
    fault_clear(plan());
    ck_assert(!fault_is_active(plan()));
    send_numbered(1);
    ck_assert_uint_eq(p.b.n, 1);
}
END_TEST

static bool is_odd(void *user, const struct net_frame_info *info)
{
    ++*(unsigned *)user;
    return info->bytes[info->length - 1] & 1;
}

START_TEST(a_rule_skips_takes_and_goes)
{
    unsigned asked = 0;
    uint32_t number = rule((struct fault_rule){.action = FAULT_DROP, .match = is_odd,
                                               .user = &asked, .skip = 1, .count = 2});
    send_numbered(4);
    ck_assert_int_eq(fault_taken(plan(), number), 1);
    send_numbered(8); /* 1 3 | 1 3 5 7: the second and third odd one are lost */
    ck_assert_uint_eq(p.b.n, 10);
    ck_assert_int_eq(fault_taken(plan(), number), SMC_ERR_NOTFOUND);
    ck_assert_int_eq(fault_remove(plan(), number), SMC_ERR_NOTFOUND);
    ck_assert_uint_eq(asked, 6);
    ck_assert(!fault_is_active(plan()));
}
END_TEST

START_TEST(the_first_rule_that_takes_a_frame_decides)
{
    uint32_t pass = rule((struct fault_rule){.action = FAULT_PASS, .count = 2});
    uint32_t drop = rule((struct fault_rule){.action = FAULT_DROP});
    rates((struct fault_rates){.loss = 1000000});
    send_numbered(5);
    ck_assert_uint_eq(p.b.n, 2);
    ck_assert_int_eq(fault_taken(plan(), drop), 3);
    ck_assert_int_eq(fault_taken(plan(), pass), SMC_ERR_NOTFOUND);
    ck_assert_int_eq(fault_remove(plan(), drop), 0);
}
END_TEST

START_TEST(each_action_does_what_it_says)
{
    rule((struct fault_rule){.action = FAULT_DUPLICATE, .count = 1});
    send_numbered(1);
    ck_assert_uint_eq(p.b.n, 2);
    rule((struct fault_rule){.action = FAULT_CORRUPT, .count = 1});
    send_numbered(1);
    ck_assert_uint_eq(p.b.n, 2);
    rule((struct fault_rule){.action = FAULT_DELAY, .count = 1, .delay_ns = 1700});
    send_numbered(3);
    run(p.sim, SIM_NEVER);
    ck_assert_uint_eq(p.b.n, 5);
    ck_assert_uint_eq(p.b.got[2].bytes[99], 1);
    ck_assert_uint_eq(p.b.got[3].bytes[99], 0);
    ck_assert_uint_eq(plan()->counts.by_rules, 3);
}
END_TEST

START_TEST(a_held_frame_waits_until_it_is_let_go_or_its_time_is_up)
{
    uint32_t first = rule((struct fault_rule){.action = FAULT_HOLD, .count = 2});
    rule((struct fault_rule){.action = FAULT_HOLD, .count = 1, .delay_ns = 5000});
    send_numbered(4);
    ck_assert_uint_eq(p.b.n, 1);
    ck_assert_uint_eq(net_link_held(p.link, NET_A_TO_B), 3);
    run(p.sim, 7400);
    ck_assert_uint_eq(p.b.n, 1);
    run(p.sim, 7500); /* 2000 + 5000 + 500 */
    ck_assert_uint_eq(p.b.n, 2);
    ck_assert_uint_eq(p.b.got[1].bytes[99], 2);
    ck_assert_uint_eq(net_link_let_go(p.link, NET_A_TO_B, first + 7), 0);
    ck_assert_uint_eq(net_link_let_go(p.link, NET_A_TO_B, first), 2);
    run(p.sim, SIM_NEVER);
    ck_assert_uint_eq(p.b.got[2].bytes[99], 0);
    ck_assert_uint_eq(p.b.got[3].bytes[99], 1);
    ck_assert_uint_eq(net_link_held(p.link, NET_A_TO_B), 0);
}
END_TEST

START_TEST(a_scenario_can_drop_the_next_confirm_link_response)
{
    uint8_t f[200], llc[44] = {1, 44, 0, 0};
    struct fault_rule r = {.action = FAULT_DROP, .match = net_frame_matches, .count = 1,
                           .pattern = NET_FRAME_PATTERN_ANY};
    r.pattern.message = 1;
    r.pattern.response = 1;
    rule(r);
    for (unsigned i = 0; i < 4; i++) {
        llc[0] = i == 1 ? 2 : 1;         /* CONFIRM LINK, ADD LINK */
        llc[3] = i == 0 ? 0 : 0x80;      /* request, responses */
        size_t n = make_roce(f, 1, 2, SMC_BTH_SEND_ONLY, 9, i, llc, sizeof llc, 0);
        ck_assert(port_send(p.a.port, f, n, 0));
    }
    run(p.sim, SIM_NEVER);
    ck_assert_uint_eq(p.b.n, 3);
    struct net_frame_info info;
    net_frame_classify(p.b.got[2].bytes, p.b.got[2].length, &info);
    ck_assert_uint_eq(info.psn, 3); /* number 2 is gone, the next one passes */
}
END_TEST

START_TEST(rates_and_rules_have_bounds)
{
    struct fault_rates much = {.reorder = 1000001};
    struct fault_rule r = {.action = FAULT_DROP};
    ck_assert_int_eq(fault_set_rates(plan(), &much), SMC_ERR_ARGUMENT);
    p.ledger.fail_at = p.ledger.calls + 1;
    ck_assert_int_eq(fault_add(plan(), &r), SMC_ERR_NOMEM);
    ck_assert(!fault_is_active(plan()));
    for (int i = 0; i < FAULT_RULES_MAX; i++)
        rule(r);
    ck_assert_int_eq(fault_add(plan(), &r), SMC_ERR_NOSPACE);
}
END_TEST

START_TEST(a_copy_that_finds_no_memory_is_lost_alone)
{
    send_numbered(1); /* warms the pools */
    rates((struct fault_rates){.duplicate = 1000000});
    p.ledger.fail_at = p.ledger.calls + 1;
    send_numbered(1);
    ck_assert_uint_eq(p.b.n, 2);
    ck_assert_uint_eq(net_port_stats(p.a.port)->no_memory, 1);
    ck_assert_uint_eq(net_frames_alive(p.net), 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *s = suite_create("fault");
    TCase *c = tcase_create("plans");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, loss_strikes_as_often_as_it_should);
    tcase_add_test(c, other_faults_do_not_change_what_is_lost);
    tcase_add_test(c, a_duplicate_comes_twice_and_late);
    tcase_add_test(c, reordered_frames_are_overtaken_within_the_window);
    tcase_add_test(c, jitter_delays_but_keeps_the_order);
    tcase_add_test(c, a_bad_fcs_ends_at_the_receiving_mac);
    tcase_add_test(c, every_deep_flip_is_caught_by_a_checksum);
    tcase_add_test(c, deep_corruption_of_what_nothing_protects_is_a_bad_fcs);
    tcase_add_test(c, a_partition_cuts_one_way);
    tcase_add_test(c, a_rule_skips_takes_and_goes);
    tcase_add_test(c, the_first_rule_that_takes_a_frame_decides);
    tcase_add_test(c, each_action_does_what_it_says);
    tcase_add_test(c, a_held_frame_waits_until_it_is_let_go_or_its_time_is_up);
    tcase_add_test(c, a_scenario_can_drop_the_next_confirm_link_response);
    tcase_add_test(c, rates_and_rules_have_bounds);
    tcase_add_test(c, a_copy_that_finds_no_memory_is_lost_alone);
    suite_add_tcase(s, c);
    return s;
}
CHECK_MAIN(make_suite)
