/* One run of a plan: the laboratory, its applications, its faults, the judge, and the verdict.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SCENARIOS_EXPLORE_H
#define SCENARIOS_EXPLORE_H

#include "plan.h"
#include "states.h"

/* First the safety phase: the applications talk while faults strike. Then the liveness phase: all faults are over, links are
 * up, and everything must come to its end: each connection has delivered every byte in order and is closed, or failed where
 * the plan allows it. Always: no wrong byte, none behind the end of a stream, no `fail` of the judge, nothing left behind. */

enum { EXPLORE_KIND = 80, EXPLORE_WHY = 400 };

struct explore_outcome {
    bool failed;
    char kind[EXPLORE_KIND]; /* what failed, without numbers: two failures of one kind count as the same */
    char why[EXPLORE_WHY];   /* one line for people */
    uint64_t events, frames, now_ns;
    uint64_t connections, delivered; /* that came up; that delivered all of both sides */
    uint64_t bytes[2];               /* delivered, client to server and back */
    uint64_t faults;                 /* in the plan */
    uint64_t digest[2];
    uint8_t states[EXPLORE_STATES];
};

/* Runs a plan that explore_plan_check() accepts. `capture`: pcap to write, or NULL. Does not fail: what goes wrong is in *out. */
void explore_run(const struct explore_plan *plan, const char *capture, struct explore_outcome *out);

#endif
