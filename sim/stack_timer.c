/* The stack's timers: a binary heap by (time, order of arming) whose arming cannot fail.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/stack_parts.h"

#include <assert.h>

int ip_timer_reserve(struct ip_stack *stack)
{
    struct ip_timers *timers = &stack->timers;
    if (timers->reserved == timers->capacity) {
        uint32_t capacity = timers->capacity > 0 ? timers->capacity * 2 : 16;
        struct ip_timer **heap = smc_alloc_grow(stack->config.alloc, timers->heap, timers->capacity,
                                                capacity, sizeof(struct ip_timer *));
        if (heap == NULL)
            return SMC_ERR_NOMEM;
        timers->heap = heap;
        timers->capacity = capacity;
    }
    timers->reserved++;
    return 0;
}

static bool earlier(const struct ip_timer *a, const struct ip_timer *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void put(struct ip_timers *timers, uint32_t at, struct ip_timer *timer)
{
    timers->heap[at] = timer;
    timer->slot = at + 1;
}

static void rise(struct ip_timers *timers, uint32_t at)
{
    struct ip_timer *timer = timers->heap[at];
    while (at > 0 && earlier(timer, timers->heap[(at - 1) / 2])) {
        put(timers, at, timers->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    put(timers, at, timer);
}

static void sink(struct ip_timers *timers, uint32_t at)
{
    struct ip_timer *timer = timers->heap[at];
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= timers->count)
            break;
        if (child + 1 < timers->count && earlier(timers->heap[child + 1], timers->heap[child]))
            child++;
        if (!earlier(timers->heap[child], timer))
            break;
        put(timers, at, timers->heap[child]);
        at = child;
    }
    put(timers, at, timer);
}

static void take_out(struct ip_timers *timers, struct ip_timer *timer)
{
    uint32_t at = timer->slot - 1;
    timer->slot = 0;
    struct ip_timer *last = timers->heap[--timers->count];
    if (last == timer)
        return;
    put(timers, at, last);
    rise(timers, at);
    sink(timers, last->slot - 1);
}

void ip_timer_set(struct ip_stack *stack, struct ip_timer *timer, uint64_t at_ns)
{
    struct ip_timers *timers = &stack->timers;
    if (timer->slot != 0 && timer->at_ns == at_ns)
        return;
    if (timer->slot != 0)
        take_out(timers, timer);
    if (at_ns == UINT64_MAX)
        return;
    assert(timers->count < timers->reserved);
    timer->at_ns = at_ns;
    timer->order = timers->order++;
    put(timers, timers->count, timer);
    rise(timers, timers->count++);
}

void ip_timer_drop(struct ip_stack *stack, struct ip_timer *timer)
{
    ip_timer_set(stack, timer, UINT64_MAX);
    assert(stack->timers.reserved > 0);
    stack->timers.reserved--;
}
