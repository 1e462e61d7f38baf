/* One run: a scenario with a seed, its capture judged, the verdict of both together; and many of them in parallel.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SCENARIOS_RUNNER_H
#define SCENARIOS_RUNNER_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The record of a run is an object of jansson's, as run.schema.json says: scenario, seed, target, hostile, verdict ("pass",
 * "fail", "error", "skip"), reason, capture, capture_sha256, findings, and more that helps. Nothing in it depends on the
 * machine or its clock, except the wall-clock limit. */
struct json_t;
struct script_target;

#define RUNNER_NO_ROLE "none"

struct runner_options {
    const char *target;       /* "sim" */
    const struct script_target *script_target; /* of that name; NULL: the simulation */
    uint64_t seed;
    const char *folder;       /* captures go there; made if missing */
    bool keep_failed_only;    /* captures of runs that pass are removed */
    unsigned jobs;            /* processes at a time, at least 1 */
    unsigned wall_seconds;    /* a run that takes longer is an error */
    /* Told when a run begins (record NULL) and when it has ended; may be NULL. */
    void (*progress)(void *user, size_t index, const struct json_t *record);
    void *progress_user;
    /* What a process does instead of runner_run(); paths[i] is then only what it is called. NULL: runner_run(). */
    struct json_t *(*work)(void *user, size_t index);
    void *work_user;
    const volatile sig_atomic_t *stop; /* once it is set, what runs is ended and nothing begins; NULL: never */
    /* Where one host of a script is real: roles[i] is the host that paths[i] is run with (a name, or "1", "2" …: see target.h), or
     * RUNNER_NO_ROLE: it is not run, and the record says why. NULL: there are none. `role` is that of one run. */
    const char *const *roles;
    const char *role;
    /* Called before each run in the process that starts them all (runs of such targets go one after the other); nonzero: it cannot
     * be run, and why. May be NULL. */
    int (*before)(void *user, char *error, size_t error_size);
    void *before_user;
};

/* Runs one scenario here and now, in this process. NULL: memory is short. */
struct json_t *runner_run(const struct runner_options *options, const char *path);

/* Runs all, each in a process of its own: one that crashes, hangs or eats its memory is an `error` and disturbs no other.
 * records[i] belongs to paths[i], whatever came first. 0, or -1: memory was short. */
int runner_run_all(const struct runner_options *options, const char *const *paths, size_t count, struct json_t **records);

/* A record without a run. */
struct json_t *runner_record(const struct runner_options *options, const char *path, const char *verdict, const char *reason);

/* Where the capture of a scenario goes: FOLDER/its/path.SEED.pcap. Freed by the caller; NULL: memory is short. */
char *runner_capture_path(const struct runner_options *options, const char *path);

#endif
