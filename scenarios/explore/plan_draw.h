/* How plans are drawn: small draws, and what plain plans and those with an aim share.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SCENARIOS_EXPLORE_PLAN_DRAW_H
#define SCENARIOS_EXPLORE_PLAN_DRAW_H

#include "plan.h"

#include "sim/random.h"

static inline uint64_t explore_below(struct sim_random *r, uint64_t n)
{
    return sim_random_below(r, n);
}

static inline bool explore_one_in(struct sim_random *r, uint64_t n)
{
    return sim_random_below(r, n) == 0;
}

/* Between low and high, each power of two equally likely. */
static inline uint64_t explore_spread(struct sim_random *r, uint64_t low, uint64_t high)
{
    unsigned steps = 0;
    while (steps < 62 && low << (steps + 1) <= high)
        steps++;
    uint64_t base = low << explore_below(r, steps + 1);
    uint64_t value = base + explore_below(r, base);
    return value < high ? value : high;
}

/* plan.c */
void explore_add_link(struct sim_random *r, struct explore_plan *p, uint64_t a, uint64_t b);
/* Flow control, congestion control, or both, where there are switches. */
void explore_congest(struct sim_random *r, struct explore_plan *p, bool flow_control, bool congestion_control);
void explore_draw_side(struct sim_random *r, struct explore_side *s, uint64_t scale);
/* plan_class.c: a plan with an aim; net_seed is drawn already. */
void explore_draw_class(enum explore_class class, struct explore_plan *p);

#endif
