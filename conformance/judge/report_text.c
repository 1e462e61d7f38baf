/* The report for people at a terminal.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "report_common.h"

#include <inttypes.h>
#include <string.h>

enum { SHOWN_CONNECTIONS = 20, SHOWN_FINDINGS = 100 };

static void put_bytes(FILE *out, const struct judge_connection *c, int side)
{
    if (c->bytes_known[side])
        fprintf(out, " %12" PRIu64, c->bytes[side]);
    else
        fprintf(out, " %12s", "?");
}

static void put_connection(FILE *out, const struct judge_connection *c)
{
    char client[JUDGE_ENDPOINT], server[JUDGE_ENDPOINT], id[24], group[24] = "-", mode[16];
    const char *version = judge_version_name(c);
    snprintf(id, sizeof id, "c%" PRIu64, c->id);
    if (c->group != 0)
        snprintf(group, sizeof group, "g%" PRIu64, c->group);
    snprintf(mode, sizeof mode, "%s%s%s", judge_mode_name(c), version != NULL ? " v" : "", version != NULL ? version : "");
    fprintf(out, "  %-5s %-24s %-24s %-10s %-5s", id, judge_endpoint(c, 0, client), judge_endpoint(c, 1, server), mode, group);
    put_bytes(out, c, 0);
    put_bytes(out, c, 1);
    fprintf(out, "  %s", judge_closed_name(c));
    if (c->fallback != NULL)
        fprintf(out, ", fallback: %s", c->fallback);
    if (c->declined)
        fprintf(out, " (0x%08" PRIx32 ")", c->decline);
    fputc('\n', out);
}

static void put_connections(const struct judge_result *r, bool all, FILE *out)
{
    size_t shown = all || r->nconnections < SHOWN_CONNECTIONS ? r->nconnections : SHOWN_CONNECTIONS;
    if (shown == 0)
        return;
    fprintf(out, "\n  %-5s %-24s %-24s %-10s %-5s %12s %12s  %s\n", "id", "client", "server", "mode", "group", "bytes c>s",
            "bytes s>c", "closed");
    for (size_t i = 0; i < shown; i++)
        put_connection(out, &r->connections[i]);
    if (shown < r->nconnections)
        fprintf(out, "  ... and %zu more (-v lists them)\n", r->nconnections - shown);
}

static void put_place(FILE *out, const struct judge_finding *f)
{
    if (f->frame != 0)
        fprintf(out, "frame %" PRIu64, f->frame);
    else
        fputs("no frame (something is absent)", out);
    if (f->connection != 0)
        fprintf(out, ", c%" PRIu64, f->connection);
    if (f->at_fault != JUDGE_FAULT_UNKNOWN && f->verdict != JUDGE_INCONCLUSIVE)
        fprintf(out, ", by the %s", judge_fault_name(f->at_fault));
    if (f->deviation != NULL)
        fprintf(out, ", deviation %s", f->deviation);
    fputs(": ", out);
    judge_put_clean(out, f->message);
    fputc('\n', out);
}

static void put_quoted(FILE *out, const char *what, const char *text)
{
    fprintf(out, "      %-9s", what);
    judge_put_clean(out, *text != '\0' ? text : "nothing");
    fputc('\n', out);
}

static void put_evidence(FILE *out, const struct judge_finding *f)
{
    if (f->offset >= 0)
        fprintf(out, "      byte     %" PRId64 "\n", f->offset);
    if (*f->seen != '\0' || *f->expected != '\0') {
        put_quoted(out, "seen", f->seen);
        put_quoted(out, "expected", f->expected);
    }
    for (unsigned i = 0; i < f->nrelated; i++)
        fprintf(out, "%s%" PRIu64, i > 0 ? ", " : "      see also frame ", f->related[i]);
    if (f->nrelated > 0)
        fputc('\n', out);
}

static void put_findings(const struct judge_result *r, bool all, FILE *out)
{
    size_t shown = 0;
    if (r->nfindings > 0)
        fputc('\n', out);
    for (unsigned v = 0; v < JUDGE_VERDICTS; v++) {
        for (size_t i = 0; i < r->nfindings; i++) {
            const struct judge_finding *f = &r->findings[i];
            if (f->verdict != v || (shown >= SHOWN_FINDINGS && !all))
                continue;
            shown++;
            fprintf(out, "  %-12s %-12s ", judge_verdict_name(f->verdict), judge_catalogue[f->requirement].id);
            put_place(out, f);
            put_evidence(out, f);
            if (f->verdict <= JUDGE_WARN)
                fprintf(out, "      rule     %s (%s)\n", judge_catalogue[f->requirement].text,
                        judge_catalogue[f->requirement].source);
        }
    }
    if (shown < r->nfindings)
        fprintf(out, "  ... and %zu more (-v lists them)\n", r->nfindings - shown);
    if (r->dropped_findings > 0)
        fprintf(out, "  ... and %" PRIu64 " more of the same kinds, counted but not kept\n", r->dropped_findings);
}

static void put_exercised(const struct judge_result *r, FILE *out)
{
    fputs("\n  evaluated, by requirement:\n", out);
    for (size_t i = 0; i < judge_catalogue_size; i++)
        if (r->exercised[i] > 0)
            fprintf(out, "  %-13s %10" PRIu64 "  %s\n", judge_catalogue[i].id, r->exercised[i], judge_catalogue[i].text);
}

static void put_file(const struct judge_result *r, bool verbose, FILE *out)
{
    judge_put_clean(out, r->file);
    fprintf(out, ": %s\n  %" PRIu64 " packet%s, %zu connection%s, %zu of %zu requirements evaluated\n", judge_file_verdict(r),
            r->packets, JUDGE_S(r->packets), r->nconnections, JUDGE_S(r->nconnections), judge_exercised_count(r),
            judge_catalogue_size);
    if (r->error != NULL) {
        fputs("  not read to its end: ", out);
        judge_put_clean(out, r->error);
        fputc('\n', out);
    }
    put_connections(r, verbose, out);
    put_findings(r, verbose, out);
    if (verbose)
        put_exercised(r, out);
    fputc('\n', out);
}

int judge_write_text(const struct judge_reports *r, FILE *out)
{
    uint64_t sum[JUDGE_VERDICTS] = {0};
    for (size_t i = 0; i < r->nfiles; i++) {
        const struct judge_result *result = r->files[i].result;
        put_file(result, r->verbose, out);
        for (unsigned v = 0; v < JUDGE_VERDICTS; v++)
            sum[v] += result->summary[v];
    }
    fprintf(out, "%zu file%s:", r->nfiles, JUDGE_S(r->nfiles));
    for (unsigned v = 0; v < JUDGE_VERDICTS; v++)
        fprintf(out, "%s %" PRIu64 " %s", v > 0 ? "," : "", sum[v], judge_verdict_name((enum judge_verdict)v));
    fputc('\n', out);
    return 0;
}
