/* Running a sweep: every point with every seed, in processes, into the table.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXPERIMENT_SWEEP_H
#define EXPERIMENT_SWEEP_H

#include "table.h"

#include <signal.h>

struct script_target;

enum { SWEEP_FAILURES = 8 };

struct experiment_sweep {
    const char *path;                     /* of the experiment */
    struct experiment_table *table;
    const char *engine;
    const struct script_target *target;   /* NULL: the simulation */
    unsigned jobs, wall_seconds;          /* wall_seconds: of one run */
    volatile sig_atomic_t *stop;          /* set from outside: ends the sweep; what was measured stays */
    /* Told after each run, and when one begins. May be NULL. `label`: what runs. */
    void (*progress)(void *user, size_t done, size_t wanted, const char *label);
    void *progress_user;
    /* Results. */
    size_t failed, errors;                /* runs whose expectations failed; that ended otherwise */
    char failures[SWEEP_FAILURES][512];   /* the first of them, in words */
    char error[1024];                     /* the table could not be written */
};

/* Runs what the table does not have. 0; -1: memory was short. */
int experiment_sweep_run(struct experiment_sweep *sweep);

#endif
