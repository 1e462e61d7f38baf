/* Timers against a plain reference: order, setting again, cancelling, freeing from within.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "protocol/timer.h"

#include <check.h>
#include <stdlib.h>

#include "testing/check_main.h"

enum { COUNT = 500 };
struct entry {
    struct smc_timer timer;
    unsigned fired;
    uint64_t at, order;
};
static struct entry entries[COUNT];
static struct smc_timers timers;
static struct entry *last;
static uint64_t rng = 1;

static unsigned draw(unsigned below)
{
    rng = rng * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (unsigned)((rng >> 33) % below);
}

static void fired(struct smc_timer *t)
{
    struct entry *e = (struct entry *)(void *)t;
    ck_assert(!t->set);
    if (last != NULL)
        ck_assert(last->at < e->at || (last->at == e->at && last->order < e->order));
    e->fired++;
    last = e;
}

static struct entry *first_of_reference(void)
{
    struct entry *first = NULL;
    for (unsigned i = 0; i < COUNT; i++) {
        struct entry *e = &entries[i];
        if (e->timer.set && (first == NULL || e->at < first->at || (e->at == first->at && e->order < first->order)))
            first = e;
    }
    return first;
}

START_TEST(timers_run_in_order_of_time_then_of_setting)
{
    uint64_t order = 0;
    for (unsigned step = 0; step < 20000; step++) {
        struct entry *e = &entries[draw(COUNT)];
        if (draw(3) != 0) {
            e->at = draw(1000);
            e->order = order++;
            smc_timer_set(&timers, &e->timer, e->at, fired);
        } else {
            smc_timer_cancel(&timers, &e->timer);
        }
        struct entry *first = first_of_reference();
        ck_assert_uint_eq(smc_timers_next_ns(&timers), first != NULL ? first->at : UINT64_MAX);
        if (draw(50) == 0 && first != NULL) {
            last = NULL;
            ck_assert(!smc_timers_run_one(&timers, first->at - (first->at > 0 ? 1 : 0)) || first->at == 0);
            if (first->at > 0)
                ck_assert(smc_timers_run_one(&timers, first->at));
            ck_assert_ptr_eq(last, first);
        }
    }
    last = NULL;
    while (smc_timers_run_one(&timers, 1000))
        ;
    ck_assert_uint_eq(smc_timers_next_ns(&timers), UINT64_MAX);
    ck_assert_ptr_null(first_of_reference());
}
END_TEST

static void frees_itself(struct smc_timer *t)
{
    free(t);
}

START_TEST(a_timer_may_free_itself)
{
    struct smc_timers own = {0};
    for (int i = 0; i < 10; i++) {
        struct smc_timer *t = calloc(1, sizeof(*t));
        smc_timer_set(&own, t, (uint64_t)(10 - i), frees_itself);
    }
    int ran = 0;
    while (smc_timers_run_one(&own, 100))
        ran++;
    ck_assert_int_eq(ran, 10);
}
END_TEST

static Suite *timer_suite(void)
{
    Suite *s = suite_create("timer");
    TCase *t = tcase_create("timers");
    tcase_add_test(t, timers_run_in_order_of_time_then_of_setting);
    tcase_add_test(t, a_timer_may_free_itself);
    suite_add_tcase(s, t);
    return s;
}

CHECK_MAIN(timer_suite)
