/* The matrix as JSON and as text.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "matrix.h"
#include "report_common.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

static json_t *text_or_null(const char *text)
{
    return text[0] != '\0' ? json_string(text) : json_null();
}

/* ---- JSON ---- */

static json_t *evidence(const struct judge_evidence *e)
{
    return json_pack("{s:s, s:o, s:s, s:o, s:o, s:o, s:s}", "verdict", e->verdict, "deviation", text_or_null(e->deviation), "scenario",
                     e->scenario, "role", text_or_null(e->role), "frame",
                     e->frame != 0 ? json_integer((json_int_t)e->frame) : json_null(), "capture", text_or_null(e->capture), "message",
                     e->message);
}

static json_t *cell(const struct judge_matrix_cell *c)
{
    json_t *o = json_pack("{s:s, s:I}", "verdict", judge_cell_name(c->verdict), "evaluated", (json_int_t)c->evaluated);
    if (c->nevidence == 0)
        return o;
    json_t *all = json_array();
    for (size_t i = 0; i < c->nevidence; i++)
        json_array_append_new(all, evidence(&c->evidence[i]));
    json_object_set_new(o, "findings", json_integer((json_int_t)c->findings));
    json_object_set_new(o, "evidence", all);
    return o;
}

static json_t *row(const struct judge_matrix *m, size_t i)
{
    const struct judge_requirement *r = &judge_catalogue[i];
    json_t *cells = json_array();
    for (size_t c = 0; c < m->ncolumns; c++)
        json_array_append_new(cells, cell(&m->columns[c].cells[i]));
    return json_pack("{s:s, s:s, s:s, s:o}", "requirement", r->id, "level", judge_level_name(r->level), "text", r->text, "cells", cells);
}

static json_t *head(const struct judge_matrix *m, size_t c)
{
    size_t n[JUDGE_CELLS];
    judge_matrix_sums(m, c, n);
    return json_pack("{s:s, s:b, s:I, s:I, s:I, s:I, s:I}", "name", m->columns[c].name, "real", m->columns[c].real, "runs",
                     (json_int_t)m->columns[c].runs, "fail", (json_int_t)n[JUDGE_CELL_FAIL], "deviation",
                     (json_int_t)n[JUDGE_CELL_DEVIATION], "pass", (json_int_t)n[JUDGE_CELL_PASS], "not_exercised",
                     (json_int_t)n[JUDGE_CELL_NOT_EXERCISED]);
}

json_t *judge_matrix_json(const struct judge_matrix *m)
{
    json_t *columns = json_array(), *rows = json_array();
    for (size_t c = 0; c < m->ncolumns; c++)
        json_array_append_new(columns, head(m, c));
    for (size_t i = 0; i < judge_catalogue_size; i++)
        if (judge_matrix_shows(m, i))
            json_array_append_new(rows, row(m, i));
    return json_pack("{s:o, s:o, s:I, s:I}", "implementations", columns, "requirements", rows, "hostile_runs_not_counted",
                     (json_int_t)m->hostile_runs, "findings_of_nobody", (json_int_t)m->unattributed);
}

/* ---- text ---- */

static void put_columns(const struct judge_matrix *m, FILE *out)
{
    for (size_t c = 0; c < m->ncolumns; c++) {
        size_t n[JUDGE_CELLS];
        judge_matrix_sums(m, c, n);
        fprintf(out, "[%zu] ", c + 1);
        judge_put_clean(out, m->columns[c].name);
        fprintf(out, ": %" PRIu64 " run%s; %zu fail, %zu deviation, %zu pass, %zu not exercised\n", m->columns[c].runs,
                JUDGE_S(m->columns[c].runs), n[JUDGE_CELL_FAIL], n[JUDGE_CELL_DEVIATION], n[JUDGE_CELL_PASS],
                n[JUDGE_CELL_NOT_EXERCISED]);
    }
}

static void put_evidence(const struct judge_evidence *e, size_t column, FILE *out)
{
    fprintf(out, "%14s[%zu] %s%s%s, ", "", column + 1, e->verdict, e->deviation[0] != '\0' ? " " : "", e->deviation);
    judge_put_clean(out, e->capture[0] != '\0' ? e->capture : e->scenario);
    if (e->frame != 0)
        fprintf(out, ", frame %" PRIu64, e->frame);
    fputs(": ", out);
    judge_put_clean(out, e->message);
    fputc('\n', out);
}

static void put_row(const struct judge_matrix *m, size_t i, FILE *out)
{
    fprintf(out, "%-13s %-6s", judge_catalogue[i].id, judge_level_name(judge_catalogue[i].level));
    for (size_t c = 0; c < m->ncolumns; c++)
        fprintf(out, " %-13s", judge_cell_name(m->columns[c].cells[i].verdict));
    fprintf(out, " %s\n", judge_catalogue[i].text);
    for (size_t c = 0; c < m->ncolumns; c++)
        if (m->columns[c].cells[i].nevidence > 0)
            put_evidence(&m->columns[c].cells[i].evidence[0], c, out);
}

void judge_matrix_text(const struct judge_matrix *m, FILE *out)
{
    put_columns(m, out);
    fprintf(out, "\n%-13s %-6s", "requirement", "level");
    for (size_t c = 0; c < m->ncolumns; c++)
        fprintf(out, " [%zu]%*s", c + 1, c + 1 < 10 ? 10 : 9, "");
    fputc('\n', out);
    for (size_t i = 0; i < judge_catalogue_size; i++)
        if (judge_matrix_shows(m, i))
            put_row(m, i, out);
    if (m->hostile_runs > 0)
        fprintf(out, "\nNot counted: %" PRIu64 " run%s in which a host breaks rules on purpose.\n", m->hostile_runs, JUDGE_S(m->hostile_runs));
    if (m->unattributed > 0)
        fprintf(out, "\n%" PRIu64 " finding%s could not be laid to one side.\n", m->unattributed, JUDGE_S(m->unattributed));
}
