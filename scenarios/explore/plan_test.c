/* Tests of plans: drawn from seeds, checked, written and read back.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "plan.h"

#include "testing/check_main.h"

#include <stdlib.h>
#include <string.h>

enum { SEEDS = 3000 };

static struct explore_plan plan, other;

START_TEST(same_seed_gives_the_same_plan_and_another_seed_another)
{
    explore_draw(7, &plan);
    explore_draw(7, &other);
    ck_assert_mem_eq(&plan, &other, sizeof(plan));
    explore_draw(8, &other);
    ck_assert_mem_ne(&plan, &other, sizeof(plan));
}
END_TEST

START_TEST(every_plan_drawn_is_valid)
{
    char problem[256];
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        explore_draw(seed, &plan);
        ck_assert_msg(explore_plan_check(&plan, problem), "seed %llu: %s", (unsigned long long)seed, problem);
        ck_assert_uint_ge(plan.conn_count, 2);
    }
}
END_TEST

START_TEST(a_plan_near_another_is_valid_and_has_its_hosts)
{
    char problem[256];
    unsigned same = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        static struct explore_plan again;
        explore_draw(seed / 10, &plan);
        explore_near(&plan, seed, &other);
        explore_near(&plan, seed, &again);
        ck_assert_mem_eq(&again, &other, sizeof(other));
        ck_assert_msg(explore_plan_check(&other, problem), "seed %llu: %s", (unsigned long long)seed, problem);
        ck_assert_mem_eq(plan.hosts, other.hosts, sizeof(plan.hosts));
        ck_assert_uint_eq(plan.conn_count, other.conn_count);
        other.seed = plan.seed;
        same += memcmp(&plan, &other, sizeof(plan)) == 0;
    }
    ck_assert_uint_lt(same, SEEDS / 10); /* a fault that changed nothing */
}
END_TEST

static int by_value(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

START_TEST(plans_are_not_empty)
{
    static uint64_t faults[SEEDS], there[SEEDS], back[SEEDS];
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        explore_draw(seed, &plan);
        faults[seed] = plan.fault_count;
        for (unsigned i = 0; i < plan.conn_count; i++) {
            there[seed] += plan.conns[i].side[0].bytes;
            back[seed] += plan.conns[i].side[1].bytes;
        }
    }
    qsort(faults, SEEDS, sizeof(faults[0]), by_value);
    qsort(there, SEEDS, sizeof(there[0]), by_value);
    qsort(back, SEEDS, sizeof(back[0]), by_value);
    ck_assert_uint_ge(faults[SEEDS / 2], 1);
    ck_assert_uint_ge(there[SEEDS / 2], 65536);
    ck_assert_uint_ge(back[SEEDS / 2], 65536);
}
END_TEST

START_TEST(every_kind_of_fault_and_every_end_is_drawn)
{
    unsigned faults[EXPLORE_FAULT_COUNT] = {0}, ends[8] = {0};
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        explore_draw(seed, &plan);
        for (unsigned i = 0; i < plan.fault_count; i++)
            faults[plan.faults[i].kind]++;
        for (unsigned i = 0; i < plan.conn_count; i++)
            ends[plan.conns[i].side[0].end]++;
    }
    for (unsigned i = 0; i < EXPLORE_FAULT_COUNT; i++)
        ck_assert_msg(faults[i] > 0, "fault %s is never drawn", explore_fault_name(i));
    for (unsigned i = 0; i < EXPLORE_ENDS; i++)
        ck_assert_msg(ends[i] > 0, "end %u is never drawn", i);
}
END_TEST

START_TEST(most_plans_are_plain_and_every_class_is_drawn)
{
    unsigned classes[EXPLORE_CLASS_COUNT] = {0};
    for (uint64_t seed = 0; seed < SEEDS; seed++)
        classes[explore_class_of(seed)]++;
    ck_assert_uint_gt(classes[EXPLORE_CLASS_PLAIN], SEEDS / 10 * 8);
    for (unsigned i = 0; i < EXPLORE_CLASS_COUNT; i++)
        ck_assert_msg(classes[i] > 0, "class %u is never drawn", i);
}
END_TEST

static bool read_text(const char *text, char problem[256])
{
    FILE *file = tmpfile();
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    rewind(file);
    bool ok = explore_plan_read(file, &other, problem);
    fclose(file);
    return ok;
}

START_TEST(a_plan_written_and_read_is_the_same)
{
    char problem[256];
    for (uint64_t seed = 0; seed < 200; seed++) {
        for (int scenario = 0; scenario < 2; scenario++) {
            FILE *file = tmpfile();
            ck_assert_ptr_nonnull(file);
            explore_draw(seed, &plan);
            if (scenario)
                fputs("-- a scenario\nhost \"alpha\" {}\n", file);
            explore_plan_write(&plan, scenario ? "--@ " : "", file);
            rewind(file);
            ck_assert_msg(explore_plan_read(file, &other, problem), "%s", problem);
            fclose(file);
            other.seed = plan.seed;
            ck_assert_mem_eq(&plan, &other, sizeof(plan));
        }
    }
}
END_TEST

START_TEST(a_file_that_is_no_plan_is_refused_with_a_reason)
{
    char problem[256] = "";
    ck_assert(!read_text("host 0 nics=1\n", problem)); /* alone */
    ck_assert_str_eq(problem, "two hosts at least");
    ck_assert(!read_text("hello\n", problem));
    ck_assert_str_eq(problem, "line 1 is none of a plan");
    ck_assert(!read_text("host 0 nics=1\nhost 1 nics=1 wheels=4\n", problem));
    ck_assert_str_eq(problem, "line 2 is none of a plan");
    ck_assert(!read_text("host 0 nics=1\nhost 1 nics=x\n", problem));
    ck_assert(!read_text("host 0 nics=1\nhost 1 nics=1\nlink 0 a=0 b=20\n", problem));
    ck_assert_str_eq(problem, "link 0: no such end");
    ck_assert(!read_text("host 0 nics=1\nhost 1 nics=1\nfault 0 kind=2 where=1\n", problem));
    ck_assert_str_eq(problem, "fault 0: a number is out of range");
    ck_assert(!read_text("host 0 nics=1\nhost 1 nics=1\nconn 0 client=0 server=2\n", problem));
    ck_assert(read_text("host 0 nics=1\nhost 1 nics=1\nlink 0 b=10\nconn 0 server=1\n", problem));
    ck_assert_uint_eq(other.conn_count, 1);
}
END_TEST

START_TEST(a_licence_tells_lasting_losses_from_passing_ones)
{
    struct explore_licence licence;
    memset(&plan, 0, sizeof(plan));
    plan.host_count = 2;
    plan.fault_count = 1;
    plan.faults[0] = (struct explore_fault){.kind = EXPLORE_FAULT_RATES, .p = 1000, .until = 5000};
    explore_licence_of(&plan, &licence);
    ck_assert(!licence.hard);
    ck_assert_uint_eq(licence.heal, 5000);
    plan.faults[plan.fault_count++] = (struct explore_fault){.kind = EXPLORE_FAULT_KILL, .where = 1, .until = 3000};
    explore_licence_of(&plan, &licence);
    ck_assert(licence.hard && licence.killed[1] && !licence.killed[0]);
    ck_assert_uint_eq(licence.heal, 5000);
}
END_TEST

static Suite *plan_suite(void)
{
    Suite *suite = suite_create("plan");
    TCase *cases = tcase_create("plan");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, same_seed_gives_the_same_plan_and_another_seed_another);
    tcase_add_test(cases, every_plan_drawn_is_valid);
    tcase_add_test(cases, a_plan_near_another_is_valid_and_has_its_hosts);
    tcase_add_test(cases, plans_are_not_empty);
    tcase_add_test(cases, every_kind_of_fault_and_every_end_is_drawn);
    tcase_add_test(cases, most_plans_are_plain_and_every_class_is_drawn);
    tcase_add_test(cases, a_plan_written_and_read_is_the_same);
    tcase_add_test(cases, a_file_that_is_no_plan_is_refused_with_a_reason);
    tcase_add_test(cases, a_licence_tells_lasting_losses_from_passing_ones);
    suite_add_tcase(suite, cases);
    return suite;
}

CHECK_MAIN(plan_suite)
