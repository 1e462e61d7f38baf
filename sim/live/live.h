/* The laboratory in real time: a clock that follows CLOCK_MONOTONIC, and what comes from outside while it runs.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_LIVE_LIVE_H
#define SIM_LIVE_LIVE_H

#include "sim/lab.h"

/* Virtual time is the real time since live_new(). An event of the engine happens when its time has come, or as soon after
 * as the machine allows: virtual time may lag behind, and never runs ahead. What comes from outside (a frame, a line of an
 * agent) is an event of the engine too, at the real time at which it was seen: so everything above knows one clock.
 *
 * One thread; poll(), no signals. Nothing outside is read but from within lab_step(). */
struct live;

/* A descriptor to look at: `ready` is called as an event of the engine whenever it can be read (or has failed, or was closed).
 * It must read what is there, or stop watching. */
struct live_watch {
    struct live *live; /* NULL: not watched */
    struct live_watch *next;
    int fd;
    bool writing;      /* also when it can be written: set and cleared by the owner */
    void (*ready)(void *user, uint64_t now_ns);
    void *user;
};

/* NULL: memory is short. */
struct live *live_new(void);
void live_free(struct live *live); /* watches must have ended; NULL is allowed */

/* For lab_config.clock; belongs to the live. Each step takes at most 10 ms of real time, so that whoever waits can look at
 * what has no descriptor. */
const struct lab_clock *live_clock(struct live *live);

/* Real nanoseconds since live_new(). */
uint64_t live_now(const struct live *live);

/* `watch` lies in the caller's struct; the fields fd, ready and user are set. */
void live_watch(struct live *live, struct live_watch *watch);
void live_unwatch(struct live_watch *watch); /* allowed when it is not watched, and from within `ready` */

#endif
