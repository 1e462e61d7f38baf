/* Sorts what records say into cells.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "matrix.h"

#include "result.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char *const sides[2] = {"client", "server"};

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text != NULL ? text : "";
}

const char *judge_cell_name(enum judge_cell c)
{
    static const char *const names[JUDGE_CELLS] = {"not exercised", "pass", "deviation", "fail"};
    return names[c];
}

void judge_matrix_init(struct judge_matrix *m)
{
    *m = (struct judge_matrix){0};
}

static void evidence_free(struct judge_evidence *e)
{
    free(e->verdict);
    free(e->deviation);
    free(e->scenario);
    free(e->role);
    free(e->capture);
    free(e->message);
}

void judge_matrix_free(struct judge_matrix *m)
{
    for (size_t c = 0; c < m->ncolumns; c++) {
        for (size_t i = 0; i < judge_catalogue_size; i++)
            for (size_t k = 0; k < m->columns[c].cells[i].nevidence; k++)
                evidence_free(&m->columns[c].cells[i].evidence[k]);
        free(m->columns[c].cells);
        free(m->columns[c].name);
    }
    judge_matrix_init(m);
}

/* ---- columns ---- */

static int order(const struct judge_matrix_column *c, const char *name, bool real)
{
    return c->real != real ? (c->real ? 1 : -1) : strcmp(c->name, name);
}

/* The column of that name, made if it is not there. NULL: memory is short, or too many. */
static struct judge_matrix_column *column_of(struct judge_matrix *m, const char *name, bool real)
{
    size_t at = 0;
    while (at < m->ncolumns && order(&m->columns[at], name, real) < 0)
        at++;
    if (at < m->ncolumns && order(&m->columns[at], name, real) == 0)
        return &m->columns[at];
    if (m->ncolumns == JUDGE_MATRIX_COLUMNS)
        return NULL;
    struct judge_matrix_column made = {.name = strdup(name), .real = real,
                                       .cells = calloc(judge_catalogue_size, sizeof(struct judge_matrix_cell))};
    if (made.name == NULL || made.cells == NULL) {
        free(made.name);
        free(made.cells);
        return NULL;
    }
    memmove(&m->columns[at + 1], &m->columns[at], (m->ncolumns - at) * sizeof(made));
    m->columns[at] = made;
    m->ncolumns++;
    return &m->columns[at];
}

/* ---- cells ---- */

static enum judge_cell cell_verdict(const char *verdict)
{
    return strcmp(verdict, "fail") == 0 ? JUDGE_CELL_FAIL
           : strcmp(verdict, "deviation") == 0 || strcmp(verdict, "warn") == 0 ? JUDGE_CELL_DEVIATION
                                                                               : JUDGE_CELL_NOT_EXERCISED;
}

static void worse(struct judge_matrix_cell *cell, enum judge_cell verdict)
{
    if (verdict > cell->verdict)
        cell->verdict = verdict;
}

/* One finding of a kind in a run tells enough: verdict, deviation, scenario and role are its kind. */
static bool known(const struct judge_matrix_cell *cell, const struct judge_evidence *e)
{
    for (size_t i = 0; i < cell->nevidence; i++) {
        const struct judge_evidence *o = &cell->evidence[i];
        if (strcmp(o->verdict, e->verdict) == 0 && strcmp(o->deviation, e->deviation) == 0 && strcmp(o->scenario, e->scenario) == 0 &&
            strcmp(o->role, e->role) == 0)
            return true;
    }
    return false;
}

/* Puts it before the first that is less grave; takes it over. */
static void keep(struct judge_matrix_cell *cell, struct judge_evidence *e)
{
    size_t at = 0;
    while (at < cell->nevidence && cell_verdict(cell->evidence[at].verdict) >= cell_verdict(e->verdict))
        at++;
    if (at == JUDGE_MATRIX_EVIDENCE) {
        evidence_free(e);
        return;
    }
    if (cell->nevidence == JUDGE_MATRIX_EVIDENCE)
        evidence_free(&cell->evidence[--cell->nevidence]);
    memmove(&cell->evidence[at + 1], &cell->evidence[at], (cell->nevidence - at) * sizeof(*e));
    cell->evidence[at] = *e;
    cell->nevidence++;
}

static int add_evidence(struct judge_matrix_cell *cell, const json_t *record, const json_t *finding)
{
    struct judge_evidence e = {.verdict = strdup(text_of(finding, "verdict")), .deviation = strdup(text_of(finding, "deviation")),
                               .scenario = strdup(text_of(record, "scenario")), .role = strdup(text_of(record, "role")),
                               .capture = strdup(text_of(record, "capture")), .message = strdup(text_of(finding, "message")),
                               .frame = (uint64_t)json_integer_value(json_object_get(finding, "frame"))};
    if (e.verdict == NULL || e.deviation == NULL || e.scenario == NULL || e.role == NULL || e.capture == NULL || e.message == NULL) {
        evidence_free(&e);
        return -1;
    }
    cell->findings++;
    worse(cell, cell_verdict(e.verdict));
    if (known(cell, &e))
        evidence_free(&e);
    else
        keep(cell, &e);
    return 0;
}

/* ---- one record ---- */

/* Who stands where in a record. */
struct who {
    struct judge_matrix_column *ours, *real; /* real: NULL: all hosts are ours */
    const char *role;   /* the real host's name */
    int real_side;      /* 0 client, 1 server; REAL_ALL; -1: sometimes one, sometimes the other, or nobody knows */
};
enum { REAL_ALL = 2 };  /* both hosts of the script were the real one */

static int real_side(const json_t *record)
{
    const char *side = text_of(record, json_is_string(json_object_get(record, "real_side")) ? "real_side" : "role");
    return strcmp(side, sides[0]) == 0 ? 0 : strcmp(side, sides[1]) == 0 ? 1 : strcmp(side, "all") == 0 ? REAL_ALL : -1;
}

static struct judge_matrix_column *side_column(const struct who *w, int side)
{
    if (w->real == NULL)
        return w->ours;
    return w->real_side < 0 ? NULL : w->real_side == REAL_ALL || side == w->real_side ? w->real : w->ours;
}

/* NULL: nobody knows whose it is. */
static struct judge_matrix_column *guilty(const struct who *w, const json_t *finding)
{
    const char *host = text_of(finding, "host"), *fault = text_of(finding, "at_fault");
    if (w->real != NULL && w->real_side == REAL_ALL)
        return w->real;
    if (w->real != NULL && host[0] != '\0')
        return strcmp(host, w->role) == 0 ? w->real : w->ours;
    for (int side = 0; side < 2; side++)
        if (strcmp(fault, sides[side]) == 0)
            return side_column(w, side);
    return w->real == NULL ? w->ours : NULL;
}

static int add_findings(struct judge_matrix *m, const struct who *w, const json_t *record)
{
    size_t i;
    json_t *finding;
    json_array_foreach(json_object_get(record, "findings"), i, finding) {
        int requirement = judge_requirement_index(text_of(finding, "requirement"));
        struct judge_matrix_column *c = guilty(w, finding);
        if (requirement < 0 || cell_verdict(text_of(finding, "verdict")) == JUDGE_CELL_NOT_EXERCISED)
            continue; /* inconclusive: nothing is known */
        if (c == NULL)
            m->unattributed++;
        else if (add_evidence(&c->cells[requirement], record, finding) != 0)
            return -1;
    }
    return 0;
}

static void add_exercised(struct judge_matrix_column *c, const json_t *counts)
{
    const char *id;
    json_t *count;
    json_object_foreach((json_t *)(uintptr_t)counts, id, count) {
        int requirement = judge_requirement_index(id);
        if (requirement < 0 || json_integer_value(count) <= 0)
            continue;
        c->cells[requirement].evaluated += (uint64_t)json_integer_value(count);
        worse(&c->cells[requirement], JUDGE_CELL_PASS);
    }
}

static void add_all_exercised(const struct who *w, const json_t *record)
{
    const json_t *by = json_object_get(record, "exercised_by");
    if (w->real == NULL)
        add_exercised(w->ours, json_object_get(record, "exercised"));
    for (int side = 0; w->real != NULL && side < 2; side++)
        if (side_column(w, side) != NULL)
            add_exercised(side_column(w, side), json_object_get(by, sides[side]));
}

int judge_matrix_add(struct judge_matrix *m, const json_t *record)
{
    char name[64];
    const char *implementation = text_of(record, "implementation"), *target = text_of(record, "target");
    bool real = implementation[0] != '\0';
    if (!json_is_object(record) || !json_is_object(json_object_get(record, "exercised")))
        return 0; /* nothing ran, or nothing was judged */
    if (json_is_true(json_object_get(record, "hostile"))) {
        m->hostile_runs++;
        return 0;
    }
    snprintf(name, sizeof(name), "libsmc (%.40s)", real ? "live" : target);
    if (column_of(m, name, false) == NULL || (real && column_of(m, implementation, true) == NULL))
        return -1;
    struct who w = {.ours = column_of(m, name, false), .real = real ? column_of(m, implementation, true) : NULL,
                    .role = text_of(record, "role"), .real_side = real_side(record)};
    w.ours->runs += w.real == NULL || w.real_side != REAL_ALL;
    if (w.real != NULL)
        w.real->runs++;
    add_all_exercised(&w, record);
    return add_findings(m, &w, record);
}

/* ---- questions ---- */

bool judge_matrix_has_real(const struct judge_matrix *m)
{
    return m->ncolumns > 0 && m->columns[m->ncolumns - 1].real;
}

bool judge_matrix_shows(const struct judge_matrix *m, size_t requirement)
{
    for (size_t c = 0; c < m->ncolumns; c++)
        if (m->columns[c].cells[requirement].verdict != JUDGE_CELL_NOT_EXERCISED)
            return true;
    return strcmp(judge_catalogue[requirement].observable, "wire") == 0;
}

void judge_matrix_sums(const struct judge_matrix *m, size_t column, size_t sums[JUDGE_CELLS])
{
    memset(sums, 0, JUDGE_CELLS * sizeof(*sums));
    for (size_t i = 0; i < judge_catalogue_size; i++)
        if (judge_matrix_shows(m, i))
            sums[m->columns[column].cells[i].verdict]++;
}
