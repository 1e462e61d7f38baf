/* What the files of `smclab run` share: finding scenarios, writing reports.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SMCLAB_RUN_H
#define SMCLAB_RUN_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

struct run_files {
    char **paths; /* owned */
    size_t count, room;
};
/* A file as it is; of a folder all *.lua in it and below, sorted by their bytes. A path that is there already is not added again.
 * 0; -1 with errno: the folder cannot be read, or memory is short. */
int run_files_add(struct run_files *files, const char *path);
void run_files_free(struct run_files *files);

enum run_format { RUN_TEXT, RUN_TAP, RUN_JUNIT, RUN_JSON, RUN_SARIF, RUN_HTML, RUN_FORMATS };
enum run_format run_format_of(const char *name, size_t length);
/* Writes the records of all runs. SARIF and HTML tell of the findings in the captures, which are read once more. 0, or -1. */
int run_report_write(enum run_format format, json_t *const *records, size_t count, FILE *out);

int run_write_junit(json_t *const *records, size_t count, FILE *out);

struct run_summary {
    size_t pass, fail, error, skip;
};
struct run_summary run_summary_of(json_t *const *records, size_t count);
/* "" if it is null. */
const char *run_text(const json_t *record, const char *key);

#endif
