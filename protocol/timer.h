/* The endpoint's timers: intrusive, ordered by (time, order of setting), no allocation.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SMC_TIMER_H
#define SMC_TIMER_H

#include <stdbool.h>
#include <stdint.h>

struct smc_timer;
typedef void smc_timer_fn(struct smc_timer *timer);

/* A pairing heap's node. Zeroed: not set. `fn` finds its object by offset (SMC_LIST_ENTRY). */
struct smc_timer {
    struct smc_timer *child, *next, *prev; /* prev: parent of a first child, else left sibling */
    uint64_t at_ns, order;
    smc_timer_fn *fn;
    bool set;
};

struct smc_timers {
    struct smc_timer *root;
    uint64_t order;
};

/* Sets or sets again; when it runs out it is no longer set, and fn is called. */
void smc_timer_set(struct smc_timers *timers, struct smc_timer *timer, uint64_t at_ns, smc_timer_fn *fn);
void smc_timer_cancel(struct smc_timers *timers, struct smc_timer *timer); /* not set: nothing */
uint64_t smc_timers_next_ns(const struct smc_timers *timers);              /* UINT64_MAX: none */
/* Calls the fn of the first timer that is due; false: none is. fn may set, cancel and free timers, its own too. */
bool smc_timers_run_one(struct smc_timers *timers, uint64_t now_ns);

#endif
