/* What an experiment file declares: parameters, measures, figures; and the points of the sweep.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXPERIMENT_PLAN_H
#define EXPERIMENT_PLAN_H

#include "scenarios/engine/script.h"

#include <stdbool.h>
#include <stddef.h>

enum { PLAN_PLOTS = 16, PLAN_POINTS_MAX = 1000000 };

struct plan_parameter {
    const char *name;
    const char *const *values; /* as they stand in the CSV */
    unsigned count;
    bool numeric;              /* all of them are numbers */
};

struct plan_plot {
    const char *title;    /* may be "" */
    unsigned x;           /* index of a parameter */
    int by;               /* index of a parameter; -1: none named */
    unsigned y;           /* index of a measure */
    bool log_x, log_y;
    int fixed[SCRIPT_PARAMETERS]; /* index of the value; -1: free */
};

struct experiment_plan {
    char title[256];
    struct plan_parameter parameters[SCRIPT_PARAMETERS];
    unsigned parameter_count;
    const char *measures[SCRIPT_MEASURES];
    unsigned measure_count, repetitions;
    struct plan_plot plots[PLAN_PLOTS];
    unsigned plot_count;
    bool quick;
    size_t points;        /* the product of the parameters; a run is a point and a seed */
    char targets[SCRIPT_TARGETS][16];
    unsigned target_count;
    struct json_t *json;  /* owned: all texts lie in it */
    void *arena;          /* owned */
};

/* Reads the declaration of a file without running it. 0, or -1 and why. */
int experiment_plan_read(const char *path, bool quick, struct experiment_plan *out, char *error, size_t error_size);
void experiment_plan_free(struct experiment_plan *plan);
/* Which value each parameter has at a point: the last parameter changes fastest. */
struct script_point experiment_plan_point(const struct experiment_plan *plan, size_t point);
/* "a=1 b=TCP", cut to the room. */
void experiment_plan_label(const struct experiment_plan *plan, size_t point, char *out, size_t room);

#endif
