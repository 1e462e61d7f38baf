/* The results of a sweep as a CSV file that grows while it runs, and can be gone on with.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXPERIMENT_TABLE_H
#define EXPERIMENT_TABLE_H

#include "origin.h"
#include "plan.h"
#include "statistics.h"

#include <stdint.h>
#include <stdio.h>

/* The file: comment lines that begin with '#' and say where it comes from, a line of column names (parameters in the order of
 * their names, seed, measures), then a line a run. Lines are added in the order in which runs end, each in one piece; when
 * the sweep is complete they are put into the order of the points. A file is gone on with if its comments say the same
 * experiment, engine, program and machine; its last line is dropped if it has no end. Whatever else it holds is an error:
 * nothing is overwritten that was not asked for. One process at a time has it (flock). */
struct experiment_table {
    const struct experiment_plan *plan;
    const struct experiment_origin *origin;
    char *path;                 /* owned */
    uint64_t first_seed;
    double *values;             /* [point][repetition][measure]; owned */
    bool *have;                 /* [point][repetition]; owned */
    size_t runs, done, resumed; /* wanted; there; of them from the file */
    char units[SCRIPT_MEASURES][SCRIPT_UNIT];
    bool units_known;
    int fd;                     /* -1: closed */
    uint64_t bytes;             /* the length of what is whole */
};

enum { TABLE_BYTES_MAX = 256 << 20 };

/* Opens or makes the file, reads what is there. `fresh`: what is there is thrown away. 0, or -1 and why (then nothing is open). */
int experiment_table_open(struct experiment_table *table, const char *path, bool fresh, char *error, size_t error_size);
bool experiment_table_has(const struct experiment_table *table, size_t point, unsigned repetition);
const double *experiment_table_get(const struct experiment_table *table, size_t point, unsigned repetition);
/* Adds what a run measured, to the file too. -1 and why: not all of the measures, other units than before, or the file cannot be
 * written (what was whole before stays). */
int experiment_table_add(struct experiment_table *table, size_t point, unsigned repetition, const struct script_measure *measures,
                         unsigned count, char *error, size_t error_size);
/* All runs are there: the file in the order of the points. */
int experiment_table_sort(struct experiment_table *table, char *error, size_t error_size);
void experiment_table_close(struct experiment_table *table);

/* A line a point: mean, standard deviation and half the 95 % confidence interval of each measure; empty where there are too few
 * runs. To `out`, or (with the origin) into a file. */
int experiment_summary_print(const struct experiment_table *table, FILE *out);
int experiment_summary_write(const struct experiment_table *table, const char *path, char *error, size_t error_size);
struct experiment_summary experiment_summary_of(const struct experiment_table *table, size_t point, unsigned measure);

#endif
