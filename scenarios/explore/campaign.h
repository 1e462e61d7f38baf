/* A campaign: many seeds in several processes, what came of them, and their results as JSON.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SCENARIOS_EXPLORE_CAMPAIGN_H
#define SCENARIOS_EXPLORE_CAMPAIGN_H

#include "explore.h"

#include <jansson.h>

/* ---- one run in a process of its own: a crash or an endless loop is a failure like others ---- */

enum { EXPLORE_SECONDS = 180 }; /* a run that takes longer hangs */

/* As explore_run(). SMC_ERR_IO: no process could be made. */
int explore_run_apart(const struct explore_plan *plan, const char *capture, struct explore_outcome *out);

/* ---- shrinking ---- */

struct explore_shrunk {
    struct explore_plan plan;
    struct explore_outcome outcome; /* of that plan */
    unsigned tried, kept;
};
/* Makes a failing plan simpler as long as it fails in the same way (outcome->kind), with at most `budget` runs. */
void explore_shrink(const struct explore_plan *plan, const struct explore_outcome *outcome, unsigned budget, struct explore_shrunk *out);

/* ---- scenarios ---- */

/* Writes the plan as a scenario (docs/scenarios.md), as far as that language can say it; what it cannot say stands in comments. */
void explore_scenario_write(const struct explore_plan *plan, const struct explore_outcome *outcome, FILE *to);

/* ---- campaigns ---- */

struct explore_failure {
    uint64_t seed;
    char kind[EXPLORE_KIND], why[EXPLORE_WHY];
    char scenario[512]; /* path; "" if none was written (another seed's tells of the same) */
};

struct explore_results {
    uint64_t seeds, events;
    uint64_t states[EXPLORE_STATES];
    uint64_t digest[2]; /* sums over all seeds, so that parts add up */
    struct explore_failure *failures; /* by seed; owned */
    size_t failure_count;
    const char *near; /* file of the plan that the campaign varied; borrowed; NULL: none */
    /* Medians over the seeds; not part of the JSON. */
    uint64_t median_events, median_connections, median_faults, median_bytes[2];
};
void explore_results_free(struct explore_results *r);
enum { EXPLORE_REPLAY = 600 };
/* The command that runs a seed of it again. */
void explore_replay_text(const struct explore_results *r, uint64_t seed, char text[EXPLORE_REPLAY]);

struct explore_campaign {
    uint64_t first, last;      /* seeds, both included */
    const struct explore_plan *near; /* NULL: each seed draws a plan; else it draws one near this */
    uint64_t shard, shards;    /* takes seeds with (seed - first) mod shards = shard; shards 0: all */
    unsigned jobs;
    /* Told after each seed, in the parent (may be NULL). */
    void (*progress)(void *user, uint64_t done, uint64_t all, uint64_t failures);
    void *user;
};
/* The plan of one of its seeds. */
void explore_campaign_plan(const struct explore_campaign *campaign, uint64_t seed, struct explore_plan *out);
/* SMC_ERR_NOMEM, SMC_ERR_IO. Results do not depend on `jobs`. */
int explore_campaign_run(const struct explore_campaign *campaign, struct explore_results *out);
uint64_t explore_campaign_size(const struct explore_campaign *campaign);

/* {"version":1,"seeds":n,"failures":[…],"states":{…},"events":n,"digest":…}: a new reference; NULL: out of memory. */
json_t *explore_results_json(const struct explore_results *r);
/* Adds the second to the first. false with a text: not such results, or of the same seed twice. */
bool explore_results_merge(json_t *into, const json_t *more, char problem[256]);

#endif
