/* The quantiles against the printed tables of Student's t; means, deviations and intervals against values worked out by hand.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "statistics.h"

#include "testing/check_main.h"

#include <math.h>

static const struct {
    unsigned freedom;
    double t95, t99;
} printed[] = {{1, 12.706, 63.657}, {2, 4.303, 9.925},  {3, 3.182, 5.841},  {4, 2.776, 4.604},   {5, 2.571, 4.032},
               {6, 2.447, 3.707},   {7, 2.365, 3.499},  {8, 2.306, 3.355},  {9, 2.262, 3.250},   {10, 2.228, 3.169},
               {15, 2.131, 2.947},  {19, 2.093, 2.861}, {20, 2.086, 2.845}, {29, 2.045, 2.756},  {30, 2.042, 2.750},
               {60, 2.000, 2.660},  {99, 1.984, 2.626}, {120, 1.980, 2.617}, {1000, 1.962, 2.581}};

START_TEST(quantiles_are_those_of_the_printed_table)
{
    double t95 = experiment_student_quantile(0.95, printed[_i].freedom), t99 = experiment_student_quantile(0.99, printed[_i].freedom);
    ck_assert_double_eq_tol(t95, printed[_i].t95, 0.00051);
    ck_assert_double_eq_tol(t99, printed[_i].t99, 0.00051);
}
END_TEST

START_TEST(a_quantile_and_the_distribution_are_inverses)
{
    for (unsigned freedom = 1; freedom < 200; freedom++)
        for (double share = 0.05; share < 1; share += 0.05)
            ck_assert_double_eq_tol(experiment_student(experiment_student_quantile(share, freedom), freedom), share, 1e-9);
}
END_TEST

START_TEST(the_interval_of_ten_values_is_the_one_worked_out_by_hand)
{
    const double values[] = {10, 12, 9, 11, 10, 13, 8, 11, 10, 12};
    struct experiment_summary s = experiment_summarize(values, 10);
    ck_assert_double_eq_tol(s.mean, 10.6, 1e-12);
    ck_assert_double_eq_tol(s.deviation, 1.505545305, 1e-9);
    ck_assert_double_eq_tol(s.interval, 2.262157163 * 1.505545305 / sqrt(10), 1e-6);
}
END_TEST

START_TEST(equal_values_have_no_width_and_one_value_has_no_interval)
{
    const double values[] = {3.25, 3.25, 3.25};
    struct experiment_summary s = experiment_summarize(values, 3);
    ck_assert_double_eq(s.mean, 3.25);
    ck_assert_double_eq(s.interval, 0);
    s = experiment_summarize(values, 1);
    ck_assert_double_eq(s.mean, 3.25);
    ck_assert(isnan(s.interval));
}
END_TEST

START_TEST(large_offsets_do_not_eat_the_deviation)
{
    const double values[] = {1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16};
    struct experiment_summary s = experiment_summarize(values, 4);
    ck_assert_double_eq_tol(s.deviation, sqrt(30), 1e-9);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("experiment statistics");
    TCase *c = tcase_create("statistics");
    tcase_add_loop_test(c, quantiles_are_those_of_the_printed_table, 0, sizeof(printed) / sizeof(printed[0]));
    tcase_add_test(c, a_quantile_and_the_distribution_are_inverses);
    tcase_add_test(c, the_interval_of_ten_values_is_the_one_worked_out_by_hand);
    tcase_add_test(c, equal_values_have_no_width_and_one_value_has_no_interval);
    tcase_add_test(c, large_offsets_do_not_eat_the_deviation);
    suite_add_tcase(s, c);
    return s;
}

CHECK_MAIN(suite)
