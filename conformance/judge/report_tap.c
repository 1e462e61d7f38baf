/* The report as TAP 13: a test point for each requirement that a file evaluated.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "report_common.h"

#include <inttypes.h>
#include <stdlib.h>

/* A description: '#' would begin a directive, '\' the escape of one. */
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

/* A YAML scalar in single quotes, where only the quote itself needs care. */
static void put_yaml(FILE *out, const char *key, const char *text)
{
    char *clean = judge_clean(text, false);
    fprintf(out, "    %s: '", key);
    for (const char *p = clean != NULL ? clean : "(out of memory)"; *p != '\0'; p++) {
        if (*p == '\'')
            fputc('\'', out);
        fputc(*p, out);
    }
    fputs("'\n", out);
    free(clean);
}

static void put_finding(FILE *out, const struct judge_finding *f)
{
    fprintf(out, "  - verdict: %s\n", judge_verdict_name(f->verdict));
    if (f->deviation != NULL)
        fprintf(out, "    deviation: %s\n", f->deviation);
    fprintf(out, "    at_fault: %s\n", judge_fault_name(f->at_fault));
    if (f->frame != 0)
        fprintf(out, "    frame: %" PRIu64 "\n", f->frame);
    if (f->connection != 0)
        fprintf(out, "    connection: c%" PRIu64 "\n", f->connection);
    if (f->offset >= 0)
        fprintf(out, "    offset: %" PRId64 "\n", f->offset);
    if (*f->seen != '\0')
        put_yaml(out, "seen", f->seen);
    if (*f->expected != '\0')
        put_yaml(out, "expected", f->expected);
    put_yaml(out, "message", f->message);
}

static void put_findings(FILE *out, const struct judge_result *r, size_t requirement)
{
    fputs("  ---\n  findings:\n", out);
    for (size_t i = 0; i < r->nfindings; i++)
        if ((size_t)r->findings[i].requirement == requirement)
            put_finding(out, &r->findings[i]);
    fputs("  ...\n", out);
}

static void put_requirement(FILE *out, const struct judge_result *r, size_t requirement, unsigned *number)
{
    enum judge_verdict worst = judge_requirement_verdict(r, requirement);
    uint64_t count = r->exercised[requirement];
    if (count == 0 && worst == JUDGE_VERDICTS)
        return;
    fprintf(out, "%s %u - ", worst == JUDGE_FAIL ? "not ok" : "ok", ++*number);
    put_description(out, r->file);
    fprintf(out, ": %s, evaluated %" PRIu64 " time%s", judge_catalogue[requirement].id, count, JUDGE_S(count));
    if (worst == JUDGE_INCONCLUSIVE)
        fputs(" # SKIP inconclusive", out);
    else if (worst == JUDGE_WARN || worst == JUDGE_DEVIATION)
        fprintf(out, ", %s", judge_verdict_name(worst));
    fputc('\n', out);
    if (worst != JUDGE_VERDICTS)
        put_findings(out, r, requirement);
}

static void put_file(FILE *out, const struct judge_result *r, unsigned *number)
{
    for (size_t i = 0; i < judge_catalogue_size; i++)
        put_requirement(out, r, i, number);
    if (r->error == NULL)
        return;
    fprintf(out, "not ok %u - ", ++*number);
    put_description(out, r->file);
    fputs(": read to its end\n  ---\n", out);
    put_yaml(out, "message", r->error);
    fputs("  ...\n", out);
}

int judge_write_tap(const struct judge_reports *r, FILE *out)
{
    unsigned number = 0;
    fputs("TAP version 13\n", out);
    for (size_t i = 0; i < r->nfiles; i++)
        put_file(out, r->files[i].result, &number);
    /* The plan may stand at the end; nothing judged is no success. */
    fprintf(out, "1..%u%s\n", number, number == 0 ? " # SKIP nothing could be judged" : "");
    return 0;
}
