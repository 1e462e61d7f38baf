/* The clock that follows real time, and looks outside between events.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/live/live.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>

enum { WATCHES = 64, STEPS_BETWEEN_LOOKS = 32 };
#define LONGEST_STEP (10 * SIM_MS)
#define LOOK_AGAIN (2 * SIM_MS)

struct live {
    struct lab_clock clock;
    struct live_watch *watches;
    uint64_t start_ns;
    unsigned steps; /* since the last look outside, which was at looked_ns */
    uint64_t looked_ns;
};

static uint64_t monotonic(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SIM_S + (uint64_t)now.tv_nsec;
}

uint64_t live_now(const struct live *live)
{
    return monotonic() - live->start_ns;
}

void live_watch(struct live *live, struct live_watch *watch)
{
    watch->live = live;
    watch->next = live->watches;
    live->watches = watch;
}

void live_unwatch(struct live_watch *watch)
{
    if (watch->live == NULL)
        return;
    for (struct live_watch **at = &watch->live->watches; *at != NULL; at = &(*at)->next)
        if (*at == watch) {
            *at = watch->next;
            break;
        }
    watch->live = NULL;
}

static bool is_watched(const struct live *live, const struct live_watch *watch)
{
    for (const struct live_watch *w = live->watches; w != NULL; w = w->next)
        if (w == watch)
            return true;
    return false;
}

/* ---- looking outside ---- */
struct look {
    struct live *live;
    struct pollfd polled[WATCHES];
    struct live_watch *of[WATCHES];
    nfds_t count;
};

/* One of them may end another, or itself: each is looked for again before it is called. */
static void tell(void *ctx, uint64_t now_ns)
{
    struct look *look = ctx;
    for (nfds_t i = 0; i < look->count; i++)
        if (look->polled[i].revents != 0 && is_watched(look->live, look->of[i]))
            look->of[i]->ready(look->of[i]->user, now_ns);
}

static bool look_outside(struct live *live, struct look *look, uint64_t wait_ns)
{
    struct timespec wait = {.tv_sec = (time_t)(wait_ns / SIM_S), .tv_nsec = (long)(wait_ns % SIM_S)};
    look->live = live;
    look->count = 0;
    for (struct live_watch *w = live->watches; w != NULL && look->count < WATCHES; w = w->next) {
        look->of[look->count] = w;
        look->polled[look->count++] = (struct pollfd){.fd = w->fd, .events = (short)(POLLIN | (w->writing ? POLLOUT : 0))};
    }
    live->steps = 0;
    bool ready = ppoll(look->polled, look->count, &wait, NULL) > 0;
    live->looked_ns = live_now(live);
    return ready;
}

/* What came is an event of this moment. Where virtual time lags behind, as after this process has slept against its will, it may
 * have come long ago: then it is let in before what is due, or a timer would run out over an answer that is there already. */
static int let_in(struct live *live, struct sim *sim, struct look *look)
{
    uint64_t now = live_now(live);
    uint64_t at = now > sim_now(sim) && sim_next_ns(sim) > now ? now : sim_now(sim);
    int error = sim_run_until(sim, at); /* from within an event: says so, and nothing is left behind */
    if (error == 0)
        error = sim_at(sim, at, tell, look);
    return error != 0 ? error : sim_run_until(sim, at);
}

static int step(void *user, struct sim *sim, uint64_t until_ns)
{
    struct live *live = user;
    struct look look;
    uint64_t now = live_now(live), next = sim_next_ns(sim), wait = 0;
    if (next <= now && next <= until_ns && now - live->looked_ns < LOOK_AGAIN && live->steps++ < STEPS_BETWEEN_LOOKS)
        return sim_step(sim);
    if (now >= until_ns && next > until_ns) {
        if (look_outside(live, &look, 0)) {
            int error = let_in(live, sim, &look);
            if (error != 0)
                return error;
        }
        int error = sim_now(sim) < until_ns ? sim_run_until(sim, until_ns) : 0;
        return error;
    }
    if (next > now) {
        uint64_t due = next < until_ns ? next : until_ns;
        wait = due - now < LONGEST_STEP ? due - now : LONGEST_STEP;
    }
    int error = look_outside(live, &look, wait) ? let_in(live, sim, &look) : 0;
    if (error != 0)
        return error;
    now = live_now(live);
    if (now > until_ns)
        now = until_ns;
    /* Time passes also where nothing happens. */
    if (sim_now(sim) < now && sim_next_ns(sim) > now)
        error = sim_run_until(sim, now);
    return error != 0 ? error : 1;
}

struct live *live_new(void)
{
    struct live *live = calloc(1, sizeof(*live));
    if (live == NULL)
        return NULL;
    live->clock = (struct lab_clock){.step = step, .user = live};
    live->start_ns = monotonic();
    return live;
}

void live_free(struct live *live)
{
    free(live);
}

const struct lab_clock *live_clock(struct live *live)
{
    return &live->clock;
}
