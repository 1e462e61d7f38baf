/* Tests of results: JSON, parts that add up to the whole, and small real campaigns.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "campaign.h"

#include "testing/check_main.h"

#include <string.h>

static json_t *part(uint64_t first, uint64_t last, uint64_t shard, uint64_t shards, unsigned jobs)
{
    struct explore_campaign campaign = {.first = first, .last = last, .shard = shard, .shards = shards, .jobs = jobs};
    struct explore_results results;
    ck_assert_int_eq(explore_campaign_run(&campaign, &results), 0);
    ck_assert_uint_eq(results.seeds, explore_campaign_size(&campaign));
    json_t *json = explore_results_json(&results);
    explore_results_free(&results);
    ck_assert_ptr_nonnull(json);
    return json;
}

START_TEST(results_do_not_depend_on_the_number_of_processes)
{
    json_t *one = part(1, 24, 0, 0, 1), *three = part(1, 24, 0, 0, 3);
    ck_assert(json_equal(one, three));
    ck_assert_int_eq(json_integer_value(json_object_get(one, "seeds")), 24);
    json_decref(one);
    json_decref(three);
}
END_TEST

START_TEST(shards_merge_into_the_whole_campaign)
{
    char problem[256] = "";
    json_t *whole = part(5, 25, 0, 0, 2), *sum = part(5, 25, 0, 3, 2);
    for (uint64_t i = 1; i < 3; i++) {
        json_t *more = part(5, 25, i, 3, 1);
        ck_assert_msg(explore_results_merge(sum, more, problem), "%s", problem);
        json_decref(more);
    }
    ck_assert(json_equal(whole, sum));
    json_decref(whole);
    json_decref(sum);
}
END_TEST

START_TEST(a_failure_says_how_its_campaign_replays_it)
{
    char text[EXPLORE_REPLAY];
    struct explore_results results = {0};
    explore_replay_text(&results, 17, text);
    ck_assert_str_eq(text, "smclab explore --replay 17");
    results.near = "found/seed-4711.lua";
    explore_replay_text(&results, 18, text);
    ck_assert_str_eq(text, "smclab explore --near found/seed-4711.lua --replay 18");
}
END_TEST

START_TEST(what_is_no_result_or_no_part_is_not_merged)
{
    char problem[256] = "";
    json_t *a = json_loads("{\"version\":1,\"seeds\":1,\"failures\":[{\"seed\":4}],\"states\":{},\"events\":9,\"digest\":"
                           "\"0123456789abcdef0123456789abcdef\"}", 0, NULL);
    json_t *b = json_deep_copy(a);
    ck_assert_ptr_nonnull(a);
    ck_assert(!explore_results_merge(a, b, problem));
    ck_assert_ptr_nonnull(strstr(problem, "seed 4 failed in two"));
    json_object_set_new(b, "version", json_integer(2));
    ck_assert(!explore_results_merge(a, b, problem));
    json_object_set_new(b, "version", json_integer(1));
    json_object_set_new(b, "digest", json_string("nonsense"));
    ck_assert(!explore_results_merge(a, b, problem));
    json_decref(a);
    json_decref(b);
}
END_TEST

static struct explore_plan plan;

/* Impossible: what is sent is never all received, because a host without power is licensed, one that was never linked is not. */
START_TEST(a_failure_is_found_told_and_shrunk)
{
    struct explore_outcome outcome;
    static struct explore_shrunk shrunk;
    memset(&plan, 0, sizeof(plan));
    plan.host_count = 3;
    plan.conn_count = 3;
    plan.link_count = 2;
    for (unsigned i = 0; i < 3; i++)
        plan.hosts[i].nics = 1;
    plan.links[0] = (struct explore_link){.a = 0, .b = 100};
    plan.links[1] = (struct explore_link){.a = 10, .b = 100};
    for (unsigned i = 0; i < 3; i++) {
        plan.conns[i] = (struct explore_conn){.client = 0, .server = i == 2 ? 2 : 1};
        plan.conns[i].side[0].bytes = plan.conns[i].side[1].bytes = 4096;
    }
    plan.faults[plan.fault_count++] = (struct explore_fault){.kind = EXPLORE_FAULT_RATES, .q = 5000, .until = 1000000};
    ck_assert_int_eq(explore_run_apart(&plan, NULL, &outcome), 0);
    ck_assert(outcome.failed);
    ck_assert_str_ne(outcome.why, "");
    explore_shrink(&plan, &outcome, 60, &shrunk);
    ck_assert_str_eq(shrunk.outcome.kind, outcome.kind);
    ck_assert_uint_eq(shrunk.plan.conn_count, 1);
    ck_assert_uint_eq(shrunk.plan.conns[0].server, 2);
    ck_assert_uint_eq(shrunk.plan.fault_count, 0);
    ck_assert_uint_eq(shrunk.plan.conns[0].side[0].bytes, 0);
}
END_TEST

START_TEST(a_plain_transfer_delivers_all_bytes)
{
    struct explore_outcome outcome;
    memset(&plan, 0, sizeof(plan));
    plan.host_count = 2;
    plan.conn_count = plan.link_count = 1;
    plan.hosts[0].nics = plan.hosts[1].nics = 1;
    plan.links[0].b = 10;
    plan.conns[0].server = 1;
    plan.conns[0].side[0].bytes = 100000;
    plan.conns[0].side[1].bytes = 70000;
    explore_run(&plan, NULL, &outcome);
    ck_assert_msg(!outcome.failed, "%s", outcome.why);
    ck_assert_uint_eq(outcome.delivered, 1);
    ck_assert_uint_eq(outcome.bytes[0], 100000);
    ck_assert_uint_eq(outcome.bytes[1], 70000);
    ck_assert(outcome.states[EXPLORE_MODE_R2]);
    ck_assert(outcome.states[EXPLORE_RING_WRAP]);
}
END_TEST

static Suite *result_suite(void)
{
    Suite *suite = suite_create("result");
    TCase *cases = tcase_create("result");
    tcase_set_timeout(cases, 240);
    tcase_add_test(cases, results_do_not_depend_on_the_number_of_processes);
    tcase_add_test(cases, shards_merge_into_the_whole_campaign);
    tcase_add_test(cases, a_failure_says_how_its_campaign_replays_it);
    tcase_add_test(cases, what_is_no_result_or_no_part_is_not_merged);
    tcase_add_test(cases, a_failure_is_found_told_and_shrunk);
    tcase_add_test(cases, a_plain_transfer_delivers_all_bytes);
    suite_add_tcase(suite, cases);
    return suite;
}

CHECK_MAIN(result_suite)
