/* smclab run with a real host: a kernel in a virtual machine, this machine's own, or a machine far away.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SMCLAB_RUN_LIVE_H
#define SMCLAB_RUN_LIVE_H

#include "run.h"

#include "scenarios/engine/runner.h"

struct run_live_options {
    const char *kernel;   /* of vm: NULL: debian */
    bool debug;
    bool no_v1;                 /* a kernel that has version 1 does as if it had not, where a script does not depend on it */
    const char *roles;    /* "client,server"; NULL: the first two hosts of each script, one after the other */
    const char *agent;    /* of host: the path of the agent's unix socket */
    const char *carriers[4]; /* of host and remote: "tap:NAME", "packet:INTERFACE", "stream:PATH" */
    unsigned carrier_count;
    const char *remote;   /* of remote: its address, "192.168.1.7/24" */
    const char *own;      /* of remote: that of our host there; NULL: the script's */
    uint16_t remote_port; /* 0: as the script says */
    unsigned patience;
};

/* Whether `target` is one of these. */
bool run_live_is(const char *target);
/* Starts what the target needs, and sets in `runner` what runs of it need; `files` become one entry a run: a script once for each
 * role. 0, or an exit status (it said why). */
struct run_live;
int run_live_start(const struct run_live_options *options, struct runner_options *runner, struct run_files *files, struct run_live **out);
/* Told of each record as it comes: a host that is not usable any more is made anew before the next run. */
void run_live_saw(struct run_live *live, const json_t *record);
/* Ends it; an exit status: 0, or that of what was wrong at the end. NULL is allowed. */
int run_live_end(struct run_live *live);

#endif
