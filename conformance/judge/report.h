/* Reports: what the judge found, for people and for other programs.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * All formats are deterministic: no clock, no pointers; the same results give the same bytes. Text that came from
 * a capture or a file name is hostile: every writer escapes it for its own format. */
#ifndef JUDGE_REPORT_H
#define JUDGE_REPORT_H

#include "ladder.h"
#include "result.h"

#include <stdio.h>

enum judge_format {
    JUDGE_TEXT,  /* for people at a terminal */
    JUDGE_TAP,   /* TAP 13: a test point a requirement evaluated and file */
    JUDGE_JUNIT, /* a test suite a file, a test case a requirement evaluated */
    JUDGE_JSON,  /* the contract: check.schema.json */
    JUDGE_SARIF, /* SARIF 2.1.0 */
    JUDGE_HTML,  /* one offline file with ladder diagrams */
    JUDGE_FORMATS
};

struct judge_matrix;
struct judge_report_file {
    const struct judge_result *result;  /* borrowed */
    struct judge_ladders *ladders;      /* borrowed; only HTML uses it; may be NULL */
};

struct judge_reports {
    const struct judge_report_file *files; /* in the order of the command line */
    size_t nfiles;
    const struct judge_matrix *matrix; /* matrix.h; only HTML uses it; may be NULL: a page of captures alone */
    bool verbose; /* JUDGE_TEXT: all connections, and how often each requirement was evaluated */
};

/* "text", "tap", "junit", "json", "sarif", "html"; JUDGE_FORMATS if it is none of them. */
enum judge_format judge_format_of(const char *name, size_t length);
/* 0, or -1 if `out` could not be written or memory is short. Flushes, does not close. */
int judge_report_write(enum judge_format format, const struct judge_reports *reports, FILE *out);

/* Parts of the JSON report for reports of others (jansson's json_t; a new reference, NULL if memory is short): all listed
 * findings of a result as an array; how often each requirement was evaluated. */
struct json_t;
struct json_t *judge_findings_json(const struct judge_result *result);
struct json_t *judge_exercised_json(const struct judge_result *result);
/* The same by what one side (0 client, 1 server) did. */
struct json_t *judge_exercised_by_json(const struct judge_result *result, unsigned side);

#endif
