/* Tests of the engine: order, ties, moving and cancelling, against a plain reference; limits; memory.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/network_test.h"

#include "testing/check_main.h"

struct log {
    struct sim *sim;
    uint64_t at[64];
    int who[64];
    unsigned n;
};

struct mark {
    struct log *log;
    int who;
};

static void note(void *ctx, uint64_t now_ns)
{
    struct mark *m = ctx;
    ck_assert_uint_eq(sim_now(m->log->sim), now_ns);
    m->log->at[m->log->n] = now_ns;
    m->log->who[m->log->n++] = m->who;
}

static struct ledger memory;

static struct sim *fresh(void)
{
    ledger_init(&memory);
    struct sim *sim = sim_new(&memory.alloc, 1);
    ck_assert_ptr_nonnull(sim);
    return sim;
}

static void finish(struct sim *sim)
{
    sim_free(sim);
    ck_assert_uint_eq(memory.held_bytes, 0);
}

START_TEST(events_happen_by_time_then_by_insertion)
{
    struct log log = {.sim = fresh()};
    struct mark m[6];
    static const uint64_t at[6] = {30, 10, 20, 10, 30, 10};
    static const int order[6] = {1, 3, 5, 2, 0, 4};
    for (int i = 0; i < 6; i++) {
        m[i] = (struct mark){&log, i};
        ck_assert_int_eq(sim_at(log.sim, at[i], note, &m[i]), 0);
    }
    run(log.sim, 10);
    ck_assert_uint_eq(log.n, 3);
    ck_assert_uint_eq(sim_next_ns(log.sim), 20);
    run(log.sim, 25);
    ck_assert_uint_eq(sim_now(log.sim), 25);
    run(log.sim, SIM_NEVER);
    ck_assert_uint_eq(sim_now(log.sim), 30);
    ck_assert_mem_eq(log.who, order, sizeof order);
    ck_assert_uint_eq(sim_events(log.sim), 6);
    ck_assert_int_eq(sim_step(log.sim), 0);
    finish(log.sim);
}
END_TEST

START_TEST(a_moved_timer_is_inserted_anew_and_a_cancelled_one_silent)
{
    struct log log = {.sim = fresh()};
    struct mark m[3] = {{&log, 0}, {&log, 1}, {&log, 2}};
    struct sim_timer t[3];
    for (int i = 0; i < 3; i++) {
        sim_timer_init(&t[i], note, &m[i]);
        ck_assert_int_eq(sim_timer_set(log.sim, &t[i], 10), 0);
    }
    ck_assert_int_eq(sim_timer_set(log.sim, &t[0], 10), 0); /* same time, now the last */
    sim_timer_cancel(log.sim, &t[1]);
    sim_timer_cancel(log.sim, &t[1]);
    ck_assert(!sim_timer_is_set(&t[1]));
    ck_assert_uint_eq(sim_pending(log.sim), 2);
    run(log.sim, SIM_NEVER);
    ck_assert_uint_eq(log.n, 2);
    ck_assert_int_eq(log.who[0], 2);
    ck_assert_int_eq(log.who[1], 0);
    ck_assert_int_eq(sim_timer_set(log.sim, &t[1], 3), 0); /* past: now */
    ck_assert_int_eq(sim_timer_set(log.sim, &t[0], 50), 0);
    ck_assert_int_eq(sim_timer_set(log.sim, &t[0], SIM_NEVER), 0);
    run(log.sim, SIM_NEVER);
    ck_assert_uint_eq(log.n, 3);
    ck_assert_uint_eq(log.at[2], 10);
    finish(log.sim);
}
END_TEST

/* ---- against a reference ---- */

enum { TIMERS = 100000 };

struct model {
    struct sim *sim;
    struct sim_random random;
    struct sim_timer *timer;
    uint64_t *at, *order; /* SIM_NEVER: not set */
    uint64_t inserted, fired;
    uint64_t last_at, last_order;
};

struct probe {
    struct model *model;
    uint32_t i;
};

static void set(struct model *m, uint32_t i, uint64_t at)
{
    ck_assert_int_eq(sim_timer_set(m->sim, &m->timer[i], at), 0);
    m->at[i] = at;
    m->order[i] = m->inserted++;
}

static void fire(void *ctx, uint64_t now_ns)
{
    struct probe *p = ctx;
    struct model *m = p->model;
    ck_assert_uint_eq(m->at[p->i], now_ns);
    /* Later than the one before in (time, insertion), and it was set. */
    ck_assert(now_ns > m->last_at || (now_ns == m->last_at && m->order[p->i] > m->last_order) ||
              m->fired == 0);
    m->last_at = now_ns;
    m->last_order = m->order[p->i];
    m->at[p->i] = SIM_NEVER;
    m->fired++;
    uint32_t other = (uint32_t)sim_random_below(&m->random, TIMERS);
    switch (sim_random_below(&m->random, 8)) {
    case 0:
        set(m, other, now_ns + sim_random_below(&m->random, 1000));
        break;
    case 1:
        sim_timer_cancel(m->sim, &m->timer[other]);
        m->at[other] = SIM_NEVER;
        break;
    case 2:
        if (m->fired < 3 * TIMERS)
            set(m, p->i, now_ns + sim_random_below(&m->random, 100000));
        break;
    default:
        break;
    }
}

START_TEST(a_hundred_thousand_random_timers_keep_the_order)
{
    struct model m = {.sim = fresh()};
    struct probe *probe = calloc(TIMERS, sizeof *probe);
    m.timer = calloc(TIMERS, sizeof *m.timer);
    m.at = calloc(TIMERS, sizeof *m.at);
    m.order = calloc(TIMERS, sizeof *m.order);
    sim_random(m.sim, &m.random, "test");
    for (uint32_t i = 0; i < TIMERS; i++) {
        probe[i] = (struct probe){&m, i};
        sim_timer_init(&m.timer[i], fire, &probe[i]);
        set(&m, i, sim_random_below(&m.random, 50000)); /* many ties */
    }
    run(m.sim, SIM_NEVER);
    ck_assert_uint_ge(m.fired, TIMERS * 8 / 10);
    for (uint32_t i = 0; i < TIMERS; i++)
        ck_assert_uint_eq(m.at[i], SIM_NEVER); /* none forgotten */
    finish(m.sim);
    free(probe);
    free(m.timer);
    free(m.at);
    free(m.order);
}
END_TEST

/* ---- from within events ---- */

struct inner {
    struct sim *sim;
    struct sim_timer self, other;
    int runs, result;
};

static void frees_itself(void *ctx, uint64_t now_ns)
{
    (void)now_ns;
    free(ctx);
}

static void runs_the_engine(void *ctx, uint64_t now_ns)
{
    struct inner *x = ctx;
    x->result = sim_run_until(x->sim, now_ns + 1);
    sim_timer_cancel(x->sim, &x->other);
    if (++x->runs < 3)
        ck_assert_int_eq(sim_timer_set(x->sim, &x->self, now_ns), 0);
}

START_TEST(an_event_may_do_all_but_run_the_engine)
{
    struct inner x = {.sim = fresh()};
    struct sim_timer *gone = malloc(sizeof *gone);
    sim_timer_init(gone, frees_itself, gone);
    ck_assert_int_eq(sim_timer_set(x.sim, gone, 5), 0);
    sim_timer_init(&x.self, runs_the_engine, &x);
    sim_timer_init(&x.other, runs_the_engine, &x);
    ck_assert_int_eq(sim_timer_set(x.sim, &x.self, 6), 0);
    ck_assert_int_eq(sim_timer_set(x.sim, &x.other, 6), 0);
    run(x.sim, 100);
    ck_assert_int_eq(x.result, SMC_ERR_REENTERED);
    ck_assert_int_eq(x.runs, 3);
    ck_assert_uint_eq(sim_events(x.sim), 4);
    finish(x.sim);
}
END_TEST

static void again(void *ctx, uint64_t now_ns)
{
    ck_assert_int_eq(sim_at(ctx, now_ns, again, ctx), 0);
}

static void stops(void *ctx, uint64_t now_ns)
{
    (void)now_ns;
    sim_stop(ctx, SMC_ERR_IO);
    sim_stop(ctx, SMC_ERR_RESET);
}

START_TEST(a_run_without_end_reaches_the_limit)
{
    struct sim *sim = fresh();
    ck_assert_int_eq(sim_at(sim, 0, again, sim), 0);
    sim_set_limit(sim, 1000);
    ck_assert_int_eq(sim_run_until(sim, 1), SMC_ERR_TIMEOUT);
    ck_assert_uint_eq(sim_events(sim), 1000);
    ck_assert_int_eq(sim_step(sim), SMC_ERR_TIMEOUT);
    sim_set_limit(sim, 1001);
    ck_assert_int_eq(sim_step(sim), 1);
    finish(sim);
}
END_TEST

START_TEST(a_stop_ends_the_run_with_the_first_error)
{
    struct sim *sim = fresh();
    ck_assert_int_eq(sim_at(sim, 5, stops, sim), 0);
    ck_assert_int_eq(sim_at(sim, 5, again, sim), 0);
    ck_assert_int_eq(sim_run_until(sim, 5), SMC_ERR_IO);
    ck_assert_int_eq(sim_step(sim), SMC_ERR_IO);
    ck_assert_int_eq(sim_run_until(sim, 9), SMC_ERR_IO);
    ck_assert_uint_eq(sim_now(sim), 5);
    sim_stop(sim, 0);
    ck_assert_int_eq(sim_step(sim), 1);
    finish(sim);
}
END_TEST

/* ---- memory ---- */

static void nothing(void *ctx, uint64_t now_ns)
{
    (void)ctx;
    (void)now_ns;
}

START_TEST(without_memory_nothing_changes_and_reserved_timers_work)
{
    enum { MANY = 2000 };
    struct sim *sim = fresh();
    struct sim_timer *t = calloc(MANY, sizeof *t), kept;
    int error = 0;
    unsigned n = 0;
    sim_timer_init(&kept, nothing, NULL);
    ck_assert_int_eq(sim_timer_reserve(sim, &kept), 0);
    memory.fail_from = memory.calls + 1;
    while (error == 0 && n < MANY) {
        sim_timer_init(&t[n], nothing, NULL);
        error = sim_timer_set(sim, &t[n], n);
        n++;
    }
    ck_assert_int_eq(error, SMC_ERR_NOMEM);
    ck_assert(!sim_timer_is_set(&t[n - 1]));
    ck_assert_uint_eq(sim_pending(sim), n - 1);
    ck_assert_int_eq(sim_timer_set(sim, &kept, 1), 0);
    ck_assert_int_eq(sim_timer_set(sim, &t[0], 7), 0); /* moving needs none */
    ck_assert_int_eq(sim_at(sim, 1, nothing, NULL), SMC_ERR_NOMEM);
    memory.fail_from = 0;
    ck_assert_int_eq(sim_timer_set(sim, &t[n - 1], 1), 0);
    run(sim, SIM_NEVER);
    ck_assert_uint_eq(sim_events(sim), n + 1);
    sim_timer_release(sim, &kept);
    finish(sim);
    free(t);
}
END_TEST

START_TEST(creation_fails_cleanly_at_each_allocation)
{
    for (size_t i = 1; i <= 2; i++) {
        ledger_init(&memory);
        memory.fail_at = i;
        ck_assert_ptr_null(sim_new(&memory.alloc, 1));
        ck_assert_uint_eq(memory.held_bytes, 0);
    }
}
END_TEST

START_TEST(one_shots_are_taken_from_the_pool_again)
{
    struct sim *sim = fresh();
    ck_assert_int_eq(sim_at(sim, 0, nothing, NULL), 0);
    run(sim, 0);
    size_t calls = memory.calls;
    for (int i = 0; i < 10000; i++) {
        ck_assert_int_eq(sim_at(sim, sim_now(sim) + 1, nothing, NULL), 0);
        ck_assert_int_eq(sim_step(sim), 1);
    }
    ck_assert_uint_eq(memory.calls, calls);
    ck_assert_int_eq(sim_at(sim, SIM_NEVER, nothing, NULL), SMC_ERR_ARGUMENT);
    finish(sim);
}
END_TEST

START_TEST(the_digest_tells_notes_and_times_apart)
{
    uint64_t digest[5][2];
    static const char *const notes[5] = {"ab", "ab", "abc", "ab", "ab"};
    for (int i = 0; i < 5; i++) {
        struct sim *sim = fresh();
        run(sim, i == 3 ? 8 : 7);
        sim_note(sim, notes[i], strlen(notes[i]));
        if (i == 4)
            run(sim, 9);
        sim_digest(sim, digest[i]);
        finish(sim);
    }
    ck_assert_mem_eq(digest[0], digest[1], sizeof digest[0]);
    for (int i = 2; i < 5; i++)
        ck_assert_uint_ne(digest[0][0], digest[i][0]);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *s = suite_create("engine");
    TCase *c = tcase_create("engine");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, events_happen_by_time_then_by_insertion);
    tcase_add_test(c, a_moved_timer_is_inserted_anew_and_a_cancelled_one_silent);
    tcase_add_test(c, a_hundred_thousand_random_timers_keep_the_order);
    tcase_add_test(c, an_event_may_do_all_but_run_the_engine);
    tcase_add_test(c, a_run_without_end_reaches_the_limit);
    tcase_add_test(c, a_stop_ends_the_run_with_the_first_error);
    tcase_add_test(c, without_memory_nothing_changes_and_reserved_timers_work);
    tcase_add_test(c, creation_fails_cleanly_at_each_allocation);
    tcase_add_test(c, one_shots_are_taken_from_the_pool_again);
    tcase_add_test(c, the_digest_tells_notes_and_times_apart);
    suite_add_tcase(s, c);
    return s;
}
CHECK_MAIN(make_suite)
