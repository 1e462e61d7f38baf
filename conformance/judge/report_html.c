/* The report for a browser: one file that needs no network, findings linked to the frames of ladder diagrams.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "matrix.h"
#include "report_html.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_CONNECTIONS = 200 };

static void put_escaped(FILE *out, const char *p, size_t n)
{
    for (; n > 0; n--, p++) {
        switch (*p) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        case '\'':
            fputs("&#39;", out);
            break;
        default:
            fputc(*p, out);
        }
    }
}

void judge_html_text(FILE *out, const char *text)
{
    judge_html_cut(out, text, SIZE_MAX);
}

void judge_html_cut(FILE *out, const char *text, size_t width)
{
    char *clean = judge_clean(text, false);
    if (clean == NULL)
        return;
    size_t n = strlen(clean);
    bool cut = n > width;
    if (cut)
        for (n = width; n > 0 && ((unsigned char)clean[n] & 0xc0) == 0x80;)
            n--;
    put_escaped(out, clean, n);
    if (cut)
        fputs("…", out);
    free(clean);
}

static void put_chip(FILE *out, const char *verdict)
{
    /* The class is the first word: "nothing to judge" is `nothing`. */
    fprintf(out, "<span class=\"chip %.*s\">%s</span>", (int)strcspn(verdict, " "), verdict, verdict);
}

/* ---- the table of files ---- */

static void put_row(FILE *out, const struct judge_html_file *f)
{
    const struct judge_result *r = f->result;
    fprintf(out, "<tr><td class=\"name\"><a href=\"#f%zu\">", f->number);
    judge_html_text(out, r->file);
    fputs("</a></td><td>", out);
    put_chip(out, judge_file_verdict(r));
    fprintf(out, "</td><td>%" PRIu64 "</td><td>%zu</td><td>%zu</td>", r->packets, r->nconnections, judge_exercised_count(r));
    for (unsigned v = 0; v < JUDGE_VERDICTS; v++)
        fprintf(out, "<td%s>%" PRIu64 "</td>", r->summary[v] == 0 ? " class=\"zero\"" : "", r->summary[v]);
    fputs("</tr>\n", out);
}

static void put_table(FILE *out, const struct judge_reports *r)
{
    fputs("<div class=\"wide\"><table class=\"files\"><thead><tr><th>capture</th><th>verdict</th><th>packets</th>"
          "<th>connections</th><th>rules evaluated</th><th>fail</th><th>warn</th><th>deviation</th><th>inconclusive</th></tr>"
          "</thead><tbody>\n", out);
    for (size_t i = 0; i < r->nfiles; i++) {
        struct judge_html_file f = {i, r->files[i].result, r->files[i].ladders};
        put_row(out, &f);
    }
    fputs("</tbody></table></div>\n", out);
}

/* ---- findings ---- */

static void put_frame_link(FILE *out, const struct judge_html_file *f, const struct judge_ladder *ladder, size_t event,
                           const char *class_, uint64_t frame)
{
    fprintf(out, "<a class=\"%s\" href=\"#f%zuc%" PRIu64 "e%zu\">", class_, f->number, ladder->id, event);
    if (frame != 0)
        fprintf(out, "frame %" PRIu64 "</a>", frame);
    else
        fputs("where it is absent</a>", out);
}

static void put_related(FILE *out, const struct judge_html_file *f, const struct judge_finding *n, const struct judge_ladder *ladder)
{
    for (unsigned i = 0; i < n->nrelated; i++) {
        ptrdiff_t at = ladder != NULL ? judge_ladder_at(ladder, n->related[i]) : -1;
        fputs(i == 0 ? " · see also " : ", ", out);
        if (at >= 0)
            put_frame_link(out, f, ladder, (size_t)at, "also", n->related[i]);
        else
            fprintf(out, "frame %" PRIu64, n->related[i]);
    }
}

static void put_place(FILE *out, const struct judge_html_file *f, const struct judge_finding *n)
{
    const struct judge_ladder *ladder = NULL;
    size_t event;
    if (f->ladders != NULL && judge_ladder_anchor(f->ladders, n, &ladder, &event))
        put_frame_link(out, f, ladder, event, "go", n->frame);
    else if (n->frame != 0)
        fprintf(out, "frame %" PRIu64, n->frame);
    else
        fputs("something is absent", out);
    if (n->connection != 0)
        fprintf(out, " · c%" PRIu64, n->connection);
    if (n->at_fault != JUDGE_FAULT_UNKNOWN && n->verdict != JUDGE_INCONCLUSIVE)
        fprintf(out, " · by the %s", judge_fault_name(n->at_fault));
    if (n->deviation != NULL)
        fprintf(out, " · deviation %s", n->deviation);
    put_related(out, f, n, ladder);
}

static void put_evidence(FILE *out, const struct judge_finding *n)
{
    if (*n->seen == '\0' && *n->expected == '\0')
        return;
    fputs("<dl>", out);
    if (n->offset >= 0)
        fprintf(out, "<dt>byte</dt><dd>%" PRId64 "</dd>", n->offset);
    fputs("<dt>seen</dt><dd class=\"bad\">", out);
    judge_html_text(out, *n->seen != '\0' ? n->seen : "nothing");
    fputs("</dd><dt>expected</dt><dd class=\"good\">", out);
    judge_html_text(out, *n->expected != '\0' ? n->expected : "nothing");
    fputs("</dd></dl>", out);
}

static void put_finding(FILE *out, const struct judge_html_file *f, size_t number)
{
    const struct judge_finding *n = &f->result->findings[number];
    const struct judge_requirement *r = &judge_catalogue[n->requirement];
    fprintf(out, "<li class=\"finding %s\" id=\"f%zun%zu\"><div class=\"head\">", judge_verdict_name(n->verdict), f->number, number);
    put_chip(out, judge_verdict_name(n->verdict));
    fprintf(out, "<b>%s</b> <span class=\"place\">", r->id);
    put_place(out, f, n);
    fputs("</span></div><p>", out);
    judge_html_text(out, n->message);
    fputs("</p>", out);
    put_evidence(out, n);
    fprintf(out, "<p class=\"rule\">%s: ", judge_level_name(r->level));
    judge_html_text(out, r->text);
    fputs(" (", out);
    judge_html_text(out, r->source);
    fputs(")</p></li>\n", out);
}

/* The gravest first. */
static void put_findings(FILE *out, const struct judge_html_file *f)
{
    const struct judge_result *r = f->result;
    if (r->nfindings == 0)
        return;
    fputs("<h3>Findings</h3>\n<ol class=\"findings\">\n", out);
    for (unsigned v = 0; v < JUDGE_VERDICTS; v++)
        for (size_t i = 0; i < r->nfindings; i++)
            if (r->findings[i].verdict == v)
                put_finding(out, f, i);
    fputs("</ol>\n", out);
    if (r->dropped_findings > 0)
        fprintf(out, "<p class=\"quiet\">%" PRIu64 " more of the same kinds were counted and not kept.</p>\n", r->dropped_findings);
}

/* ---- connections ---- */

static void put_bytes(FILE *out, const struct judge_connection *c, int side)
{
    if (c->bytes_known[side])
        fprintf(out, "<td>%" PRIu64 "</td>", c->bytes[side]);
    else
        fputs("<td class=\"zero\">?</td>", out);
}

static void put_connection(FILE *out, const struct judge_html_file *f, const struct judge_connection *c)
{
    char client[JUDGE_ENDPOINT], server[JUDGE_ENDPOINT];
    const char *version = judge_version_name(c);
    fprintf(out, "<tr><td><a href=\"#f%zuc%" PRIu64 "\">c%" PRIu64 "</a></td><td class=\"name\">%s</td><td class=\"name\">%s</td>",
            f->number, c->id, c->id, judge_endpoint(c, 0, client), judge_endpoint(c, 1, server));
    fprintf(out, "<td>%s%s%s</td>", judge_mode_name(c), version != NULL ? " v" : "", version != NULL ? version : "");
    if (c->group != 0)
        fprintf(out, "<td>g%" PRIu64 "</td>", c->group);
    else
        fputs("<td class=\"zero\">none</td>", out);
    put_bytes(out, c, 0);
    put_bytes(out, c, 1);
    fprintf(out, "<td>%s</td><td class=\"name\">", judge_closed_name(c));
    if (c->fallback != NULL)
        judge_html_text(out, c->fallback);
    if (c->declined)
        fprintf(out, " (0x%08" PRIx32 ")", c->decline);
    fputs("</td></tr>\n", out);
}

static void put_connections(FILE *out, const struct judge_html_file *f)
{
    const struct judge_result *r = f->result;
    size_t shown = r->nconnections < SHOWN_CONNECTIONS ? r->nconnections : SHOWN_CONNECTIONS;
    if (shown == 0)
        return;
    fputs("<h3>Connections</h3>\n<div class=\"wide\"><table><thead><tr><th>id</th><th class=\"name\">client</th><th class=\"name\">server</th><th>mode</th>"
          "<th>group</th><th>bytes to server</th><th>bytes to client</th><th>closed</th><th class=\"name\">fallback</th></tr></thead><tbody>\n", out);
    for (size_t i = 0; i < shown; i++)
        put_connection(out, f, &r->connections[i]);
    fputs("</tbody></table></div>\n", out);
    if (shown < r->nconnections)
        fprintf(out, "<p class=\"quiet\">%zu more connections are left out here; the JSON report lists them.</p>\n",
                r->nconnections - shown);
}

/* ---- the page ---- */

static void put_file(FILE *out, const struct judge_html_file *f)
{
    const struct judge_result *r = f->result;
    fprintf(out, "<section id=\"f%zu\"><h2>", f->number);
    put_chip(out, judge_file_verdict(r));
    fputs(" ", out);
    judge_html_text(out, r->file);
    fprintf(out, "</h2>\n<p class=\"quiet\">%" PRIu64 " packet%s, %zu connection%s, %zu of %zu rules evaluated</p>\n", r->packets,
            JUDGE_S(r->packets), r->nconnections, JUDGE_S(r->nconnections), judge_exercised_count(r), judge_catalogue_size);
    if (r->error != NULL) {
        fputs("<p class=\"error\">Not read to its end: ", out);
        judge_html_text(out, r->error);
        fputs("</p>\n", out);
    }
    put_findings(out, f);
    put_connections(out, f);
    if (f->ladders != NULL)
        judge_html_ladders(out, f);
    fputs("</section>\n", out);
}

void judge_html_head(FILE *out, const char *title)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n", out);
    fprintf(out, "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
                 "script-src 'sha256-%s'\">\n", judge_html_script_hash);
    fputs("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n"
          "<title>", out);
    judge_html_text(out, title);
    fputs("</title>\n<style>\n", out);
    fputs(judge_html_style, out);
    fputs("</style></head><body>\n", out);
}

/* Where in the page a capture is told of. */
static long section_of(const void *ctx, const char *capture)
{
    const struct judge_reports *r = ctx;
    for (size_t i = 0; i < r->nfiles; i++)
        if (strcmp(r->files[i].result->file, capture) == 0)
            return (long)i;
    return -1;
}

int judge_write_html(const struct judge_reports *r, FILE *out)
{
    uint64_t sum[JUDGE_VERDICTS] = {0};
    for (size_t i = 0; i < r->nfiles; i++)
        for (unsigned v = 0; v < JUDGE_VERDICTS; v++)
            sum[v] += r->files[i].result->summary[v];
    judge_html_head(out, r->matrix != NULL ? "smclab run" : "smclab check");
    fprintf(out, "<header><h1>%s</h1><p>%zu capture%s:", r->matrix != NULL ? "smclab run" : "smclab check", r->nfiles, JUDGE_S(r->nfiles));
    for (unsigned v = 0; v < JUDGE_VERDICTS; v++)
        fprintf(out, " <span class=\"chip %s%s\">%" PRIu64 " %s</span>", judge_verdict_name((enum judge_verdict)v),
                sum[v] == 0 ? " none" : "", sum[v], judge_verdict_name((enum judge_verdict)v));
    fputs("</p></header>\n<main>\n", out);
    put_table(out, r);
    if (r->matrix != NULL)
        judge_matrix_html(r->matrix, &(struct judge_matrix_links){section_of, r}, out);
    for (size_t i = 0; i < r->nfiles; i++) {
        struct judge_html_file f = {i, r->files[i].result, r->files[i].ladders};
        put_file(out, &f);
    }
    fprintf(out, "</main><footer>smclab %s. Frames count from 1, as in Wireshark.</footer>\n<script>%s</script></body></html>\n",
            SMCLAB_VERSION, judge_html_script);
    return 0;
}
