/* Requirement × implementation: what the records of runs say of our core, and of each kernel that was one of the hosts.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * A record (scenarios/engine/run.schema.json) names the host that was real and what it was, on which side of the connections it
 * stood, what the judge found and which rules it evaluated by what each side did. The real side counts for its implementation,
 * the other one and all simulated hosts for our core. Runs in which a host breaks rules on purpose count for nobody. */
#ifndef JUDGE_MATRIX_H
#define JUDGE_MATRIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct json_t;

/* In order of gravity: the worst of all runs counts. A warning (a SHOULD not followed) is a deviation. */
enum judge_cell { JUDGE_CELL_NOT_EXERCISED, JUDGE_CELL_PASS, JUDGE_CELL_DEVIATION, JUDGE_CELL_FAIL, JUDGE_CELLS };

enum { JUDGE_MATRIX_COLUMNS = 32, JUDGE_MATRIX_EVIDENCE = 8 };

struct judge_evidence { /* a finding; all texts owned, "" if there is none */
    char *verdict, *deviation, *scenario, *role, *capture, *message;
    uint64_t frame; /* 0: something is absent */
};

struct judge_matrix_cell {
    enum judge_cell verdict;
    uint64_t evaluated, findings; /* findings: all of them, not only those kept */
    struct judge_evidence evidence[JUDGE_MATRIX_EVIDENCE];
    size_t nevidence; /* the gravest first */
};

struct judge_matrix_column {
    char *name; /* "libsmc (sim)", "Linux 6.12.117" … */
    bool real;  /* not our core */
    uint64_t runs;
    struct judge_matrix_cell *cells; /* [judge_catalogue_size] */
};

struct judge_matrix {
    struct judge_matrix_column columns[JUDGE_MATRIX_COLUMNS]; /* our core first, then by name */
    size_t ncolumns;
    uint64_t hostile_runs;  /* not counted */
    uint64_t unattributed;  /* findings of which nobody knows whose they are */
};

void judge_matrix_init(struct judge_matrix *m);
void judge_matrix_free(struct judge_matrix *m);
/* Adds a record; what is not shaped like one adds nothing. 0; -1: memory is short, or there are too many implementations. */
int judge_matrix_add(struct judge_matrix *m, const struct json_t *record);
/* Whether a kernel, or whatever else is not ours, is among them. */
bool judge_matrix_has_real(const struct judge_matrix *m);
/* "not exercised", "pass", "deviation", "fail" */
const char *judge_cell_name(enum judge_cell c);
/* Rows that are shown: a capture can show the rule, or a run did. */
bool judge_matrix_shows(const struct judge_matrix *m, size_t requirement);
/* Cells of a column that are shown, by verdict. */
void judge_matrix_sums(const struct judge_matrix *m, size_t column, size_t sums[JUDGE_CELLS]);

/* A new reference; NULL: memory is short. */
struct json_t *judge_matrix_json(const struct judge_matrix *m);
void judge_matrix_text(const struct judge_matrix *m, FILE *out);
/* `anchor` (may be NULL) gives what a capture's name links to in this page: the number of its section, -1 for none. */
struct judge_matrix_links {
    long (*section)(const void *ctx, const char *capture);
    const void *ctx;
};
void judge_matrix_html(const struct judge_matrix *m, const struct judge_matrix_links *links, FILE *out);
/* A page of its own; its links lead to the capture files. */
void judge_matrix_page(const struct judge_matrix *m, FILE *out);

#endif
