/* Tests of the table of deviations: it names requirements that exist, each entry once, each with a predicate.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "testing/check_main.h"

#include "deviations.h"
#include "result.h"
#include <string.h>

START_TEST(entries_are_in_order_and_found)
{
    ck_assert_uint_gt(judge_deviations_size, 0);
    for (size_t i = 0; i < judge_deviations_size; i++) {
        ck_assert_ptr_eq(judge_deviation_find(judge_deviations[i].id), &judge_deviations[i]);
        if (i > 0)
            ck_assert_str_lt(judge_deviations[i - 1].id, judge_deviations[i].id);
    }
    ck_assert_ptr_null(judge_deviation_find("A-99"));
    ck_assert_ptr_null(judge_deviation_find(""));
}
END_TEST

START_TEST(every_excused_requirement_exists)
{
    for (size_t i = 0; i < judge_deviations_size; i++) {
        const struct judge_deviation *d = &judge_deviations[i];
        unsigned n = 0;
        for (; n < JUDGE_DEVIATION_REQUIREMENTS && d->requirements[n] != NULL; n++)
            ck_assert_msg(judge_requirement_index(d->requirements[n]) >= 0, "%s excuses %s, which does not exist", d->id,
                          d->requirements[n]);
        ck_assert_msg(n > 0, "%s excuses nothing", d->id);
        ck_assert_msg(strlen(d->predicate) > 20 && strcmp(d->implementation, "linux") == 0, "%s says too little", d->id);
    }
}
END_TEST

START_TEST(an_entry_excuses_what_it_names_and_nothing_else)
{
    const struct judge_deviation *d = judge_deviation_find("A-45");
    ck_assert_ptr_nonnull(d);
    ck_assert(judge_deviation_excuses(d, "FAILOVER-002"));
    ck_assert(!judge_deviation_excuses(d, "FAILOVER-003"));
    ck_assert(!judge_deviation_excuses(d, "FAILOVER"));
    unsigned excused = 0;
    for (size_t i = 0; i < judge_catalogue_size; i++)
        excused += judge_deviation_excuses(d, judge_catalogue[i].id);
    ck_assert_uint_eq(excused, 1);
}
END_TEST

START_TEST(an_entry_may_be_of_some_versions)
{
    const struct judge_versions middle = {"A-45", "6.12.110", "7.1"}, from = {"A-45", "7", NULL}, all = {"A-45", NULL, NULL};
    ck_assert(judge_versions_hold(&middle, "Linux 6.12.117+deb13-amd64"));
    ck_assert(judge_versions_hold(&middle, "Linux 6.12.110"));
    ck_assert(judge_versions_hold(&middle, "Linux 7.0.9"));
    ck_assert(!judge_versions_hold(&middle, "Linux 6.12.107"));
    ck_assert(!judge_versions_hold(&middle, "Linux 7.1"));
    ck_assert(!judge_versions_hold(&middle, "Linux 10.0"));
    ck_assert(judge_versions_hold(&from, "Linux 7.0-rc1"));
    ck_assert(!judge_versions_hold(&from, "Linux 6.99"));
    ck_assert(judge_versions_hold(&all, "Linux 1.0"));
    ck_assert(judge_versions_hold(&middle, "remote 10.0.0.1"));
    ck_assert(judge_versions_hold(&middle, "Linux next"));
    ck_assert(judge_deviation_in("A-99", "Linux 6.12.117"));
    ck_assert(judge_deviation_in("A-45", "Linux 7.3.4-smclab"));
    ck_assert(!judge_deviation_in("A-45", "Linux 6.1.0-45-amd64"));
    for (const struct judge_versions *v = judge_deviation_versions; v->id != NULL; v++)
        ck_assert_msg(judge_deviation_find(v->id) != NULL && (v->since != NULL || v->until != NULL), "%s: of which versions?", v->id);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("deviations");
    TCase *tests = tcase_create("deviations");
    tcase_add_test(tests, entries_are_in_order_and_found);
    tcase_add_test(tests, every_excused_requirement_exists);
    tcase_add_test(tests, an_entry_excuses_what_it_names_and_nothing_else);
    tcase_add_test(tests, an_entry_may_be_of_some_versions);
    suite_add_tcase(suite, tests);
    return suite;
}

CHECK_MAIN(make_suite)
