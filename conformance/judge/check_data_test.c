/* Tests of what the checks of the data path reckon with: written intervals, cursor positions.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "check_data.h"

#include "testing/check_main.h"

START_TEST(intervals_that_touch_become_one)
{
    struct data_spans w = {0};
    judge_spans_add(&w, 10, 20);
    judge_spans_add(&w, 30, 40);
    judge_spans_add(&w, 20, 30);
    ck_assert_uint_eq(w.n, 1);
    ck_assert_uint_eq(w.s[0].from, 10);
    ck_assert_uint_eq(w.s[0].to, 40);
}
END_TEST

START_TEST(the_first_byte_not_written_is_found)
{
    struct data_spans w = {0};
    judge_spans_add(&w, 30, 40);
    judge_spans_add(&w, 0, 10);
    ck_assert_uint_eq(judge_spans_hole(&w, 0, 40), 10);
    ck_assert_uint_eq(judge_spans_hole(&w, 2, 8), 8);
    ck_assert_uint_eq(judge_spans_hole(&w, 32, 45), 40);
    judge_spans_add(&w, 5, 35);
    ck_assert_uint_eq(judge_spans_hole(&w, 0, 40), 40);
}
END_TEST

START_TEST(what_is_announced_is_forgotten)
{
    struct data_spans w = {0};
    judge_spans_add(&w, 0, 10);
    judge_spans_add(&w, 20, 30);
    judge_spans_drop(&w, 25);
    ck_assert_uint_eq(w.n, 1);
    ck_assert_uint_eq(w.s[0].from, 25);
    judge_spans_drop(&w, 30);
    ck_assert_uint_eq(w.n, 0);
}
END_TEST

START_TEST(more_intervals_than_fit_are_lost_until_all_are_announced)
{
    struct data_spans w = {0};
    for (uint64_t i = 0; i <= DATA_SPANS; i++)
        judge_spans_add(&w, 10 * i, 10 * i + 1);
    ck_assert_uint_eq(w.n, DATA_SPANS);
    ck_assert(w.lost);
    judge_spans_drop(&w, 20);
    ck_assert(w.lost);
    judge_spans_drop(&w, 1000);
    ck_assert(!w.lost);
}
END_TEST

START_TEST(a_position_follows_the_wrap_and_knows_the_end_of_the_ring)
{
    struct data_act a = {.origin = 4};
    struct trace_cursor from = {0xffff, 104};
    int64_t pos;
    ck_assert(judge_data_position(&a, (struct trace_cursor){0, 4}, 1000, from, 5100, &pos));
    ck_assert_int_eq(pos, 6000);
    ck_assert(judge_data_position(&a, (struct trace_cursor){0xffff, 1003}, 1000, from, 5100, &pos));
    ck_assert(
        !judge_data_position(&a, (struct trace_cursor){0xffff, 1004}, 1000, from, 5100, &pos));
    ck_assert(!judge_data_position(&a, (struct trace_cursor){0xffff, 3}, 1000, from, 5100, &pos));
    ck_assert(judge_data_position(&a, (struct trace_cursor){0xfffe, 104}, 1000, from, 100, &pos));
    ck_assert_int_eq(pos, -900);
}
END_TEST

START_TEST(psns_are_compared_across_their_end)
{
    ck_assert_uint_eq(judge_psn_ahead(2, 0xfffffe), 4);
    ck_assert_uint_eq(judge_psn_ahead(5, 5), 0);
    ck_assert(judge_psn_ahead(0xfffffe, 2) >= 0x800000);
}
END_TEST

static Suite *check_data_suite(void)
{
    Suite *suite = suite_create("check_data");
    TCase *tests = tcase_create("check_data");
    tcase_add_test(tests, intervals_that_touch_become_one);
    tcase_add_test(tests, the_first_byte_not_written_is_found);
    tcase_add_test(tests, what_is_announced_is_forgotten);
    tcase_add_test(tests, more_intervals_than_fit_are_lost_until_all_are_announced);
    tcase_add_test(tests, a_position_follows_the_wrap_and_knows_the_end_of_the_ring);
    tcase_add_test(tests, psns_are_compared_across_their_end);
    suite_add_tcase(suite, tests);
    return suite;
}
CHECK_MAIN(check_data_suite)
