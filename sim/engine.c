/* The event heap: 4-ary, times beside the pointers so that sifting touches no timer but those it moves.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/engine.h"

#include <assert.h>

enum { FIRST_CAPACITY = 256, CHUNK = 128, ARITY = 4 };

struct entry {
    uint64_t at_ns;
    uint64_t order; /* of insertion; unique */
    struct sim_timer *timer;
};

/* One-shots come from chunks that are never given back before the end; a free one points to the next. */
struct chunk {
    struct chunk *next;
    struct sim_timer timer[CHUNK];
};

struct sim {
    const struct smc_alloc *alloc;
    struct entry *heap;
    uint32_t count, capacity;
    uint32_t reserved; /* timers with a kept place, set or not */
    uint32_t unreserved_set;
    uint64_t now_ns, order, seed;
    uint64_t events, limit;
    struct chunk *chunks;
    struct sim_timer *free_shots;
    struct sim_hash hash;
    int error;
    bool running;
};

struct sim *sim_new(const struct smc_alloc *alloc, uint64_t seed)
{
    struct sim *sim = smc_alloc_zeroed(alloc, 1, sizeof *sim);
    if (sim == NULL)
        return NULL;
    sim->alloc = alloc;
    sim->seed = seed;
    sim_hash_init(&sim->hash, seed);
    sim->heap = smc_alloc_zeroed(alloc, FIRST_CAPACITY, sizeof *sim->heap);
    if (sim->heap == NULL) {
        smc_alloc_release(alloc, sim, 1, sizeof *sim);
        return NULL;
    }
    sim->capacity = FIRST_CAPACITY;
    return sim;
}

void sim_free(struct sim *sim)
{
    if (sim == NULL)
        return;
    while (sim->chunks != NULL) {
        struct chunk *chunk = sim->chunks;
        sim->chunks = chunk->next;
        smc_alloc_release(sim->alloc, chunk, 1, sizeof *chunk);
    }
    smc_alloc_release(sim->alloc, sim->heap, sim->capacity, sizeof *sim->heap);
    smc_alloc_release(sim->alloc, sim, 1, sizeof *sim);
}

uint64_t sim_now(const struct sim *sim)
{
    return sim->now_ns;
}

uint64_t sim_seed(const struct sim *sim)
{
    return sim->seed;
}

void sim_random(const struct sim *sim, struct sim_random *r, const char *name)
{
    sim_random_init(r, sim->seed, name);
}

/* ---- heap ---- */

static inline bool earlier(const struct entry *a, const struct entry *b)
{
    return a->at_ns < b->at_ns || (a->at_ns == b->at_ns && a->order < b->order);
}

static inline void place(struct sim *sim, uint32_t i, struct entry e)
{
    sim->heap[i] = e;
    e.timer->slot = i + 1;
}

static void sift_up(struct sim *sim, uint32_t i, struct entry e)
{
    while (i > 0) {
        uint32_t parent = (i - 1) / ARITY;
        if (!earlier(&e, &sim->heap[parent]))
            break;
        place(sim, i, sim->heap[parent]);
        i = parent;
    }
    place(sim, i, e);
}

static void sift_down(struct sim *sim, uint32_t i, struct entry e)
{
    const struct entry *heap = sim->heap;
    for (;;) {
        uint32_t child = i * ARITY + 1;
        if (child >= sim->count)
            break;
        uint32_t last = child + ARITY < sim->count ? child + ARITY : sim->count, best = child;
        while (++child < last)
            if (earlier(&heap[child], &heap[best]))
                best = child;
        if (!earlier(&heap[best], &e))
            break;
        place(sim, i, heap[best]);
        i = best;
    }
    place(sim, i, e);
}

static void remove_at(struct sim *sim, uint32_t i)
{
    struct entry last = sim->heap[--sim->count];
    if (i == sim->count)
        return;
    if (i > 0 && earlier(&last, &sim->heap[(i - 1) / ARITY]))
        sift_up(sim, i, last);
    else
        sift_down(sim, i, last);
}

/* Room for that many; the limit keeps `slot` and the child index from overflowing. */
static int make_room(struct sim *sim, uint32_t needed)
{
    if (needed <= sim->capacity)
        return 0;
    uint32_t more = sim->capacity * 2;
    if (needed > UINT32_MAX / 16)
        return SMC_ERR_NOMEM;
    struct entry *heap = smc_alloc_grow(sim->alloc, sim->heap, sim->capacity, more, sizeof *heap);
    if (heap == NULL)
        return SMC_ERR_NOMEM;
    sim->heap = heap;
    sim->capacity = more;
    return 0;
}

/* ---- timers ---- */

void sim_timer_init(struct sim_timer *t, sim_fn fn, void *ctx)
{
    *t = (struct sim_timer){.fn = fn, .ctx = ctx};
}

int sim_timer_reserve(struct sim *sim, struct sim_timer *t)
{
    if (t->reserved)
        return 0;
    int error = make_room(sim, sim->unreserved_set + sim->reserved + 1);
    if (error != 0)
        return error;
    t->reserved = true;
    sim->reserved++;
    if (t->slot != 0)
        sim->unreserved_set--;
    return 0;
}

void sim_timer_release(struct sim *sim, struct sim_timer *t)
{
    sim_timer_cancel(sim, t);
    if (t->reserved)
        sim->reserved--;
    t->reserved = false;
}

static void move(struct sim *sim, struct sim_timer *t, struct entry e)
{
    uint32_t i = t->slot - 1;
    if (earlier(&e, &sim->heap[i]))
        sift_up(sim, i, e);
    else
        sift_down(sim, i, e);
}

int sim_timer_set(struct sim *sim, struct sim_timer *t, uint64_t at_ns)
{
    if (at_ns == SIM_NEVER) {
        sim_timer_cancel(sim, t);
        return 0;
    }
    struct entry e = {at_ns > sim->now_ns ? at_ns : sim->now_ns, sim->order, t};
    if (t->slot == 0) {
        if (!t->reserved) {
            int error = make_room(sim, sim->unreserved_set + sim->reserved + 1);
            if (error != 0)
                return error;
            sim->unreserved_set++;
        }
        assert(sim->count < sim->capacity);
        sift_up(sim, sim->count++, e);
    } else {
        move(sim, t, e);
    }
    sim->order++;
    t->at_ns = e.at_ns;
    return 0;
}

void sim_timer_cancel(struct sim *sim, struct sim_timer *t)
{
    if (t->slot == 0)
        return;
    assert(t->slot <= sim->count && sim->heap[t->slot - 1].timer == t);
    remove_at(sim, t->slot - 1);
    t->slot = 0;
    if (!t->reserved)
        sim->unreserved_set--;
}

/* ---- one-shots ---- */

static struct sim_timer *take_shot(struct sim *sim)
{
    if (sim->free_shots == NULL) {
        struct chunk *chunk = smc_alloc_zeroed(sim->alloc, 1, sizeof *chunk);
        if (chunk == NULL)
            return NULL;
        chunk->next = sim->chunks;
        sim->chunks = chunk;
        for (unsigned i = CHUNK; i-- > 0;) {
            chunk->timer[i].ctx = sim->free_shots;
            sim->free_shots = &chunk->timer[i];
        }
    }
    struct sim_timer *t = sim->free_shots;
    sim->free_shots = t->ctx;
    return t;
}

static void give_shot(struct sim *sim, struct sim_timer *t)
{
    t->ctx = sim->free_shots;
    sim->free_shots = t;
}

int sim_at(struct sim *sim, uint64_t at_ns, sim_fn fn, void *ctx)
{
    if (at_ns == SIM_NEVER)
        return SMC_ERR_ARGUMENT;
    struct sim_timer *t = take_shot(sim);
    if (t == NULL)
        return SMC_ERR_NOMEM;
    sim_timer_init(t, fn, ctx);
    t->pooled = true;
    int error = sim_timer_set(sim, t, at_ns);
    if (error != 0)
        give_shot(sim, t);
    return error;
}

/* ---- running ---- */

uint64_t sim_next_ns(const struct sim *sim)
{
    return sim->count > 0 ? sim->heap[0].at_ns : SIM_NEVER;
}

static void happen(struct sim *sim)
{
    struct sim_timer *t = sim->heap[0].timer;
    sim_fn fn = t->fn;
    void *ctx = t->ctx;
    sim->now_ns = sim->heap[0].at_ns;
    sim->events++;
    sim_timer_cancel(sim, t);
    if (t->pooled)
        give_shot(sim, t);
    fn(ctx, sim->now_ns); /* `t` may be gone now */
}

static int may_go_on(const struct sim *sim)
{
    if (sim->error != 0)
        return sim->error;
    return sim->limit != 0 && sim->events >= sim->limit ? SMC_ERR_TIMEOUT : 0;
}

int sim_step(struct sim *sim)
{
    if (sim->running)
        return SMC_ERR_REENTERED;
    if (sim->count == 0)
        return sim->error;
    int error = may_go_on(sim);
    if (error != 0)
        return error;
    sim->running = true;
    happen(sim);
    sim->running = false;
    return sim->error != 0 ? sim->error : 1;
}

int sim_call(struct sim *sim, uint64_t at_ns, sim_fn fn, void *ctx)
{
    int error = sim->running ? SMC_ERR_REENTERED : at_ns < sim->now_ns || at_ns > sim_next_ns(sim) ? SMC_ERR_ARGUMENT : may_go_on(sim);
    if (error != 0)
        return error;
    sim->now_ns = at_ns;
    sim->events++;
    sim->running = true;
    fn(ctx, at_ns);
    sim->running = false;
    return sim->error != 0 ? sim->error : 1;
}

int sim_run_until(struct sim *sim, uint64_t until_ns)
{
    int error = sim->error;
    if (sim->running)
        return SMC_ERR_REENTERED;
    sim->running = true;
    while (error == 0 && sim->count > 0 && sim->heap[0].at_ns <= until_ns) {
        error = may_go_on(sim);
        if (error == 0)
            happen(sim);
    }
    sim->running = false;
    if (error == 0)
        error = sim->error;
    if (error == 0 && until_ns != SIM_NEVER && until_ns > sim->now_ns)
        sim->now_ns = until_ns;
    return error;
}

void sim_stop(struct sim *sim, int error)
{
    if (error == 0 || sim->error == 0)
        sim->error = error;
}

uint64_t sim_events(const struct sim *sim)
{
    return sim->events;
}

void sim_set_limit(struct sim *sim, uint64_t events)
{
    sim->limit = events;
}

size_t sim_pending(const struct sim *sim)
{
    return sim->count;
}

/* ---- digest ---- */

void sim_note(struct sim *sim, const void *bytes, size_t n)
{
    sim_hash_add_u64(&sim->hash, sim->now_ns);
    sim_hash_add_u64(&sim->hash, n);
    sim_hash_add(&sim->hash, bytes, n);
}

void sim_digest(const struct sim *sim, uint64_t value[2])
{
    struct sim_hash h = sim->hash;
    sim_hash_add_u64(&h, sim->now_ns);
    sim_hash_add_u64(&h, sim->events);
    sim_hash_value(&h, value);
}
