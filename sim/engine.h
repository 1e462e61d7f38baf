/* The virtual-time engine: events in the order of (time, insertion), and the digest of a run.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_ENGINE_H
#define SIM_ENGINE_H

#include "sim/hash.h"
#include "sim/random.h"

#include <smc/alloc.h>
#include <smc/error.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One thread, one clock. Time is nanoseconds since the start of the run and moves only from event to
 * event; two events of one instant happen in the order in which they were set. Whatever an event does
 * (set, move, cancel timers, free the struct that holds its own timer) is allowed from within it, but
 * for running the engine.
 *
 *     struct thing { struct sim_timer retry; … };
 *     sim_timer_init(&thing->retry, on_retry, thing);
 *     error = sim_timer_set(sim, &thing->retry, sim_now(sim) + 5 * SIM_MS);
 *     …
 *     sim_timer_cancel(sim, &thing->retry);     before the struct goes away */

#define SIM_US    UINT64_C(1000)
#define SIM_MS    UINT64_C(1000000)
#define SIM_S     UINT64_C(1000000000)
#define SIM_NEVER UINT64_MAX

struct sim;
typedef void (*sim_fn)(void *ctx, uint64_t now_ns);

/* Lies in the caller's struct; all fields are the engine's. It must not move while it is set. */
struct sim_timer {
    sim_fn fn;
    void *ctx;
    uint64_t at_ns;
    uint32_t slot;  /* place in the heap + 1; 0: not set */
    bool reserved;  /* the heap keeps a place for it */
    bool pooled;    /* a one-shot of the engine */
};

/* NULL if memory is short. `alloc` is borrowed. */
struct sim *sim_new(const struct smc_alloc *alloc, uint64_t seed);
/* Events that are still set do not happen. NULL is allowed. */
void sim_free(struct sim *sim);

uint64_t sim_now(const struct sim *sim);
uint64_t sim_seed(const struct sim *sim);
/* The stream `name` of this run. */
void sim_random(const struct sim *sim, struct sim_random *r, const char *name);

void sim_timer_init(struct sim_timer *t, sim_fn fn, void *ctx);
/* Sets or moves it; a time that is past means now, SIM_NEVER cancels. A moved timer counts as inserted
 * anew. SMC_ERR_NOMEM (never for a reserved timer, nor for one that is set): nothing changed. */
int sim_timer_set(struct sim *sim, struct sim_timer *t, uint64_t at_ns);
/* Allowed when it is not set. */
void sim_timer_cancel(struct sim *sim, struct sim_timer *t);
static inline bool sim_timer_is_set(const struct sim_timer *t)
{
    return t->slot != 0;
}
/* Keeps a place for this timer, so that setting it cannot fail. SMC_ERR_NOMEM. */
int sim_timer_reserve(struct sim *sim, struct sim_timer *t);
/* Cancels it and gives back its place, if it has one. */
void sim_timer_release(struct sim *sim, struct sim_timer *t);

/* Calls fn(ctx) once, at that time or now if that is past. It cannot be cancelled.
 * SMC_ERR_NOMEM; SMC_ERR_ARGUMENT for SIM_NEVER. */
int sim_at(struct sim *sim, uint64_t at_ns, sim_fn fn, void *ctx);

/* When the next event happens; SIM_NEVER if none is set. */
uint64_t sim_next_ns(const struct sim *sim);
/* One event. 1 if one happened, 0 if none is set; errors as sim_run_until(). */
int sim_step(struct sim *sim);
/* All events up to and including that time, which then is the present (with SIM_NEVER: until no event is
 * left; the present stays that of the last one). 0, or: SMC_ERR_TIMEOUT, the limit of events is
 * reached; SMC_ERR_REENTERED, called from within an event; what sim_stop() said. */
int sim_run_until(struct sim *sim, uint64_t until_ns);
/* What comes from outside at a time of its own (of a clock that is not the engine's): the present becomes at_ns, and fn(ctx)
 * happens there as an event. 1; SMC_ERR_ARGUMENT: at_ns is past, or a timer is due before it; errors as sim_run_until(). */
int sim_call(struct sim *sim, uint64_t at_ns, sim_fn fn, void *ctx);
/* Ends a run after the present event; it and all later ones return `error` (negative) until
 * sim_stop(sim, 0). The first error stays. */
void sim_stop(struct sim *sim, int error);

/* Events that happened since the start; the most that may (0: no limit). */
uint64_t sim_events(const struct sim *sim);
void sim_set_limit(struct sim *sim, uint64_t events);
/* Timers that are set now. */
size_t sim_pending(const struct sim *sim);

/* Folds bytes, their length and the time into the digest of the run. Two runs did the same if their
 * digests are the same. */
void sim_note(struct sim *sim, const void *bytes, size_t n);
/* Over all notes, the time and the number of events. */
void sim_digest(const struct sim *sim, uint64_t value[2]);

#ifdef __cplusplus
}
#endif

#endif
