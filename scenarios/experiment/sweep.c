/* A run is one process: it gets its parameters and its seed, and hands back what it measured.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sweep.h"

#include "scenarios/engine/runner.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL = 160 };

struct job {
    size_t point;
    unsigned repetition;
    char label[LABEL];
};

struct sweeping {
    struct experiment_sweep *sweep;
    struct job *jobs;
    const char **labels;
    size_t count;
};

/* ---- In the process of one run ---- */
static json_t *measures_json(const struct script_result *result)
{
    json_t *all = json_array();
    for (unsigned i = 0; i < result->measure_count; i++)
        json_array_append_new(all, json_pack("{s:s,s:s,s:f}", "name", result->measures[i].name, "unit", result->measures[i].unit,
                                             "value", result->measures[i].value));
    return all;
}

static json_t *run_one(void *user, size_t index)
{
    static const char *const verdicts[] = {[SCRIPT_PASS] = "pass", [SCRIPT_FAIL] = "fail", [SCRIPT_ERROR] = "error"};
    struct sweeping *s = user;
    const struct job *job = &s->jobs[index];
    const struct experiment_table *t = s->sweep->table;
    struct script_result *result = calloc(1, sizeof(*result));
    if (result == NULL)
        return NULL;
    const struct script_point point = experiment_plan_point(t->plan, job->point);
    const struct script_options options = {.path = s->sweep->path, .seed = t->first_seed + job->repetition, .unwatched = true,
                                           .point = &point, .target = s->sweep->target};
    script_run(&options, NULL, NULL, result);
    const char *verdict = (size_t)result->verdict < sizeof(verdicts) / sizeof(verdicts[0]) ? verdicts[result->verdict] : "error";
    json_t *record = json_pack("{s:s,s:s%,s:o}", "verdict", verdict, "reason", result->reason, strlen(result->reason), "measures",
                               measures_json(result));
    if (record == NULL) /* the reason is no UTF-8 */
        record = json_pack("{s:s,s:s,s:o}", "verdict", "error", "reason", "the script failed, and not in words", "measures",
                           measures_json(result));
    script_result_free(result);
    free(result);
    return record;
}

/* ---- In the process that started them ---- */
static void note_failure(struct experiment_sweep *sweep, const char *label, const char *verdict, const char *why)
{
    size_t n = sweep->failed + sweep->errors;
    if (n < SWEEP_FAILURES)
        snprintf(sweep->failures[n], sizeof(sweep->failures[n]), "%.*s: %.*s", LABEL, label, 320, why);
    if (strcmp(verdict, "fail") == 0)
        sweep->failed++;
    else
        sweep->errors++;
}

static unsigned read_measures(const json_t *record, struct script_measure out[SCRIPT_MEASURES])
{
    const json_t *all = json_object_get(record, "measures");
    unsigned n = (unsigned)json_array_size(all);
    for (unsigned i = 0; i < n && i < SCRIPT_MEASURES; i++) {
        const json_t *one = json_array_get(all, i);
        snprintf(out[i].name, sizeof(out[i].name), "%s", json_string_value(json_object_get(one, "name")));
        snprintf(out[i].unit, sizeof(out[i].unit), "%s", json_string_value(json_object_get(one, "unit")));
        out[i].value = json_number_value(json_object_get(one, "value"));
    }
    return n < SCRIPT_MEASURES ? n : SCRIPT_MEASURES;
}

static void take_pass(struct sweeping *s, const struct job *job, const json_t *record)
{
    struct experiment_sweep *sweep = s->sweep;
    struct script_measure measures[SCRIPT_MEASURES];
    char error[1024];
    unsigned n = read_measures(record, measures);
    uint64_t before = sweep->table->bytes;
    if (experiment_table_add(sweep->table, job->point, job->repetition, measures, n, error, sizeof(error)) == 0)
        return;
    if (strncmp(error, sweep->table->path, strlen(sweep->table->path)) == 0 && sweep->table->bytes == before) {
        snprintf(sweep->error, sizeof(sweep->error), "%s", error);
        *sweep->stop = 1; /* no other run could be written either */
    } else {
        note_failure(sweep, job->label, "error", error);
    }
}

static void take_record(struct sweeping *s, size_t index, const json_t *record)
{
    const char *verdict = json_string_value(json_object_get(record, "verdict"));
    const char *reason = json_string_value(json_object_get(record, "reason"));
    if (*s->sweep->stop)
        return; /* it may have been ended with the sweep */
    if (strcmp(verdict, "pass") == 0)
        take_pass(s, &s->jobs[index], record);
    else
        note_failure(s->sweep, s->jobs[index].label, verdict, reason != NULL ? reason : "");
}

static void progress(void *user, size_t index, const json_t *record)
{
    struct sweeping *s = user;
    struct experiment_sweep *sweep = s->sweep;
    if (record != NULL)
        take_record(s, index, record);
    if (sweep->progress != NULL)
        sweep->progress(sweep->progress_user, sweep->table->done + sweep->failed + sweep->errors, sweep->table->runs,
                        s->jobs[index].label);
}

static int list_jobs(struct sweeping *s)
{
    const struct experiment_table *t = s->sweep->table;
    size_t room = t->runs - t->done;
    s->jobs = calloc(room + 1, sizeof(*s->jobs));
    s->labels = calloc(room + 1, sizeof(*s->labels));
    if (s->jobs == NULL || s->labels == NULL)
        return -1;
    for (size_t point = 0; point < t->plan->points; point++) {
        for (unsigned i = 0; i < t->plan->repetitions; i++) {
            if (experiment_table_has(t, point, i))
                continue;
            struct job *job = &s->jobs[s->count];
            *job = (struct job){.point = point, .repetition = i};
            experiment_plan_label(t->plan, point, job->label, LABEL - 24);
            size_t n = strlen(job->label);
            snprintf(job->label + n, LABEL - n, " seed=%" PRIu64, t->first_seed + i);
            s->labels[s->count++] = job->label;
        }
    }
    return 0;
}

int experiment_sweep_run(struct experiment_sweep *sweep)
{
    struct sweeping s = {.sweep = sweep};
    int bad = list_jobs(&s);
    json_t **records = calloc(s.count + 1, sizeof(*records));
    struct runner_options options = {.target = sweep->engine, .folder = ".", .jobs = sweep->jobs, .wall_seconds = sweep->wall_seconds,
                                     .progress = progress, .progress_user = &s, .work = run_one, .work_user = &s, .stop = sweep->stop};
    if (bad == 0 && records != NULL && s.count > 0)
        bad = runner_run_all(&options, s.labels, s.count, records);
    for (size_t i = 0; records != NULL && i < s.count; i++)
        json_decref(records[i]);
    bad |= records == NULL;
    free(records);
    free(s.jobs);
    free(s.labels);
    return bad != 0 ? -1 : 0;
}
