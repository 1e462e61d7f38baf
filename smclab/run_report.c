/* Reports of runs: for people, TAP, JSON; the judge's own pages for the captures.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "run.h"

#include "conformance/judge/judge.h"
#include "conformance/judge/matrix.h"
#include "conformance/judge/report.h"
#include "conformance/judge/report_common.h"

#include <stdlib.h>
#include <string.h>

const char *run_text(const json_t *record, const char *key)
{
    const char *text = json_string_value(json_object_get(record, key));
    return text != NULL ? text : "";
}

struct run_summary run_summary_of(json_t *const *records, size_t count)
{
    struct run_summary sum = {0};
    for (size_t i = 0; i < count; i++) {
        const char *verdict = run_text(records[i], "verdict");
        sum.pass += strcmp(verdict, "pass") == 0;
        sum.fail += strcmp(verdict, "fail") == 0;
        sum.error += strcmp(verdict, "error") == 0;
        sum.skip += strcmp(verdict, "skip") == 0;
    }
    return sum;
}

static json_int_t seed_of(const json_t *record)
{
    return json_integer_value(json_object_get(record, "seed"));
}

/* Each line of a text, indented; what a terminal would obey is shown instead. */
static void put_lines(FILE *out, const char *indent, const char *text)
{
    while (*text != '\0') {
        size_t n = strcspn(text, "\n");
        char *line = strndup(text, n);
        fputs(indent, out);
        judge_put_clean(out, line != NULL ? line : "(out of memory)");
        fputc('\n', out);
        free(line);
        text += n;
        text += *text == '\n';
    }
}

/* Which host was real, and what it was. */
static void put_role(FILE *out, const json_t *r)
{
    if (run_text(r, "role")[0] != '\0' && run_text(r, "implementation")[0] != '\0')
        fprintf(out, ", %s is %s", run_text(r, "role"), run_text(r, "implementation"));
}

/* ---- for people ---- */
static void put_finding_text(FILE *out, const json_t *f)
{
    const char *deviation = json_string_value(json_object_get(f, "deviation"));
    fprintf(out, "      %s %s%s%s by %s", run_text(f, "verdict"), run_text(f, "requirement"), deviation != NULL ? " " : "",
            deviation != NULL ? deviation : "", run_text(f, "at_fault"));
    if (json_is_integer(json_object_get(f, "frame")))
        fprintf(out, ", frame %" JSON_INTEGER_FORMAT, json_integer_value(json_object_get(f, "frame")));
    fputs(": ", out);
    judge_put_clean(out, run_text(f, "message"));
    fputc('\n', out);
}

static void put_run_text(FILE *out, const json_t *r)
{
    enum { SHOWN = 20 };
    const char *verdict = run_text(r, "verdict");
    bool bad = strcmp(verdict, "fail") == 0 || strcmp(verdict, "error") == 0;
    json_t *findings = json_object_get(r, "findings");
    fprintf(out, "%-5s ", bad ? (verdict[0] == 'f' ? "FAIL" : "ERROR") : verdict);
    judge_put_clean(out, run_text(r, "scenario"));
    fprintf(out, ", seed %" JSON_INTEGER_FORMAT "%s", seed_of(r), json_is_true(json_object_get(r, "hostile")) ? ", hostile" : "");
    put_role(out, r);
    fputc('\n', out);
    put_lines(out, "      ", run_text(r, "reason"));
    if (!bad)
        return;
    for (size_t i = 0; i < json_array_size(findings) && i < SHOWN; i++)
        put_finding_text(out, json_array_get(findings, i));
    if (json_array_size(findings) > SHOWN)
        fprintf(out, "      … and %zu findings more\n", json_array_size(findings) - SHOWN);
    put_lines(out, "      ", run_text(r, "ladder"));
    if (run_text(r, "capture")[0] != '\0')
        put_lines(out, "      capture: ", run_text(r, "capture"));
}

static int write_text(json_t *const *records, size_t count, FILE *out)
{
    struct run_summary sum = run_summary_of(records, count);
    for (size_t i = 0; i < count; i++)
        put_run_text(out, records[i]);
    fprintf(out, "%zu pass, %zu fail, %zu error, %zu skip\n", sum.pass, sum.fail, sum.error, sum.skip);
    return 0;
}

/* ---- TAP 13 ---- */
static void put_description(FILE *out, const char *text)
{
    char *clean = judge_clean(text, false);
    for (const char *p = clean != NULL ? clean : "(out of memory)"; *p != '\0'; p++) {
        if (*p == '#' || *p == '\\')
            fputc('\\', out);
        fputc(*p, out);
    }
    free(clean);
}

static void put_yaml(FILE *out, const char *key, const char *text)
{
    if (text[0] == '\0')
        return;
    fprintf(out, "  %s: |\n", key);
    put_lines(out, "    ", text);
}

static int write_tap(json_t *const *records, size_t count, FILE *out)
{
    fprintf(out, "TAP version 13\n1..%zu%s\n", count, count == 0 ? " # SKIP no scenario" : "");
    for (size_t i = 0; i < count; i++) {
        const json_t *r = records[i];
        const char *verdict = run_text(r, "verdict");
        bool bad = strcmp(verdict, "fail") == 0 || strcmp(verdict, "error") == 0;
        fprintf(out, "%s %zu - ", bad ? "not ok" : "ok", i + 1);
        put_description(out, run_text(r, "scenario"));
        fprintf(out, ", seed %" JSON_INTEGER_FORMAT, seed_of(r));
        put_role(out, r);
        if (strcmp(verdict, "skip") == 0) {
            fputs(" # SKIP ", out);
            judge_put_clean(out, run_text(r, "reason"));
        }
        fputc('\n', out);
        if (!bad)
            continue;
        fprintf(out, "  ---\n  verdict: %s\n", verdict);
        put_yaml(out, "reason", run_text(r, "reason"));
        put_yaml(out, "ladder", run_text(r, "ladder"));
        put_yaml(out, "capture", run_text(r, "capture"));
        fputs("  ...\n", out);
    }
    return 0;
}

/* ---- requirement by implementation, if a host was real ---- */
static int fill_matrix(struct judge_matrix *m, json_t *const *records, size_t count)
{
    int bad = 0;
    judge_matrix_init(m);
    for (size_t i = 0; i < count && bad == 0; i++)
        bad = judge_matrix_add(m, records[i]);
    return bad;
}

static int put_matrix(json_t *const *records, size_t count, FILE *out)
{
    struct judge_matrix m;
    int bad = fill_matrix(&m, records, count);
    json_t *json = bad == 0 && judge_matrix_has_real(&m) ? judge_matrix_json(&m) : NULL;
    if (bad == 0 && judge_matrix_has_real(&m)) {
        fputs("\"matrix\":", out);
        bad = json == NULL ? -1 : json_dumpf(json, out, JSON_COMPACT | JSON_PRESERVE_ORDER);
        fputs(",\n", out);
    }
    json_decref(json);
    judge_matrix_free(&m);
    return bad;
}

/* ---- JSON ---- */
static int write_json(json_t *const *records, size_t count, FILE *out)
{
    struct run_summary sum = run_summary_of(records, count);
    int bad = 0;
    fputs("{\"version\":1,\"runs\":[", out);
    for (size_t i = 0; i < count; i++) {
        fputs(i > 0 ? ",\n" : "\n", out);
        bad |= json_dumpf(records[i], out, JSON_COMPACT | JSON_PRESERVE_ORDER);
    }
    fputs("],\n", out);
    bad |= put_matrix(records, count, out);
    fprintf(out, "\"summary\":{\"pass\":%zu,\"fail\":%zu,\"error\":%zu,\"skip\":%zu}}\n", sum.pass, sum.fail, sum.error, sum.skip);
    return bad;
}

/* ---- the judge's pages ---- */
struct page {
    struct judge *judge;
    struct judge_ladders *ladders;
};

static int open_page(const char *capture, struct page *p)
{
    char error[1024];
    struct judge_options options = {0};
    p->ladders = judge_ladders_new();
    if (p->ladders == NULL)
        return -1;
    p->judge = judge_file(capture, &options, &judge_ladder_events, p->ladders, error, sizeof(error));
    return p->judge != NULL ? 0 : -1;
}

static int write_pages(enum judge_format format, json_t *const *records, size_t count, FILE *out)
{
    struct page *pages = calloc(count + 1, sizeof(*pages));
    struct judge_report_file *files = calloc(count + 1, sizeof(*files));
    struct judge_reports reports = {.files = files};
    struct judge_matrix matrix;
    int bad = fill_matrix(&matrix, records, count);
    if (bad == 0 && (pages == NULL || files == NULL))
        bad = -1;
    reports.matrix = judge_matrix_has_real(&matrix) ? &matrix : NULL;
    size_t n = 0;
    for (size_t i = 0; bad == 0 && i < count; i++) {
        if (run_text(records[i], "capture")[0] == '\0')
            continue;
        bad = open_page(run_text(records[i], "capture"), &pages[n++]);
        if (bad == 0)
            files[reports.nfiles++] = (struct judge_report_file){judge_result_of(pages[n - 1].judge), pages[n - 1].ladders};
    }
    if (bad == 0)
        bad = judge_report_write(format, &reports, out);
    for (size_t i = 0; i < n; i++) {
        judge_free(pages[i].judge);
        judge_ladders_free(pages[i].ladders);
    }
    judge_matrix_free(&matrix);
    free(pages);
    free(files);
    return bad;
}

enum run_format run_format_of(const char *name, size_t length)
{
    static const char *const names[RUN_FORMATS] = {"text", "tap", "junit", "json", "sarif", "html"};
    for (unsigned i = 0; i < RUN_FORMATS; i++)
        if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0)
            return (enum run_format)i;
    return RUN_FORMATS;
}

int run_report_write(enum run_format format, json_t *const *records, size_t count, FILE *out)
{
    int bad = format == RUN_TEXT    ? write_text(records, count, out)
              : format == RUN_TAP   ? write_tap(records, count, out)
              : format == RUN_JUNIT ? run_write_junit(records, count, out)
              : format == RUN_JSON  ? write_json(records, count, out)
                                    : write_pages(format == RUN_SARIF ? JUDGE_SARIF : JUDGE_HTML, records, count, out);
    return fflush(out) != 0 || ferror(out) ? -1 : bad;
}
