/* The endpoint's timers: an intrusive pairing heap, so that setting one can never fail.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "timer.h"

#include <stddef.h>

static bool before(const struct smc_timer *a, const struct smc_timer *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

/* Both are roots without siblings. */
static struct smc_timer *meld(struct smc_timer *a, struct smc_timer *b)
{
    if (a == NULL)
        return b;
    if (b == NULL)
        return a;
    if (before(b, a)) {
        struct smc_timer *t = a;
        a = b;
        b = t;
    }
    b->next = a->child;
    if (b->next != NULL)
        b->next->prev = b;
    b->prev = a;
    a->child = b;
    return a;
}

/* The children of a removed root, paired from left to right, then melded from right to left. */
static struct smc_timer *pair_up(struct smc_timer *first)
{
    struct smc_timer *pairs = NULL;
    while (first != NULL) {
        struct smc_timer *a = first, *b = a->next;
        first = b != NULL ? b->next : NULL;
        a->next = a->prev = NULL;
        if (b != NULL)
            b->next = b->prev = NULL;
        struct smc_timer *melded = meld(a, b);
        melded->next = pairs; /* a stack through `next` */
        pairs = melded;
    }
    struct smc_timer *root = NULL;
    while (pairs != NULL) {
        struct smc_timer *one = pairs;
        pairs = one->next;
        one->next = NULL;
        root = meld(root, one);
    }
    return root;
}

void smc_timer_cancel(struct smc_timers *timers, struct smc_timer *timer)
{
    if (!timer->set)
        return;
    struct smc_timer *below = pair_up(timer->child);
    if (timer == timers->root) {
        timers->root = below;
    } else {
        if (timer->prev->child == timer)
            timer->prev->child = timer->next;
        else
            timer->prev->next = timer->next;
        if (timer->next != NULL)
            timer->next->prev = timer->prev;
        timers->root = meld(timers->root, below);
    }
    timer->child = timer->next = timer->prev = NULL;
    timer->set = false;
}

void smc_timer_set(struct smc_timers *timers, struct smc_timer *timer, uint64_t at_ns, smc_timer_fn *fn)
{
    smc_timer_cancel(timers, timer);
    timer->at_ns = at_ns;
    timer->order = timers->order++;
    timer->fn = fn;
    timer->set = true;
    timers->root = meld(timers->root, timer);
}

uint64_t smc_timers_next_ns(const struct smc_timers *timers)
{
    return timers->root != NULL ? timers->root->at_ns : UINT64_MAX;
}

bool smc_timers_run_one(struct smc_timers *timers, uint64_t now_ns)
{
    struct smc_timer *first = timers->root;
    if (first == NULL || first->at_ns > now_ns)
        return false;
    smc_timer_cancel(timers, first);
    first->fn(first);
    return true;
}
