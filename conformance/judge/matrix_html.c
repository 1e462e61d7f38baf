/* The matrix for a browser: first what is not as it should be, then all the rest.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "matrix.h"
#include "report_html.h"

#include <inttypes.h>
#include <string.h>

static void put_chip(FILE *out, enum judge_cell c)
{
    const char *name = judge_cell_name(c);
    fprintf(out, "<span class=\"chip %s\">%s</span>", c == JUDGE_CELL_NOT_EXERCISED ? "none" : name, name);
}

/* A path as the target of a link: only what needs no escaping stays as it is, so that no scheme can be made of it. */
static void put_href(FILE *out, const char *path)
{
    if (strchr(path, ':') != NULL && path[0] != '/' && path[0] != '.')
        fputs("./", out);
    for (const unsigned char *p = (const unsigned char *)path; *p != 0; p++) {
        if ((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || strchr("/._-", *p) != NULL)
            fputc(*p, out);
        else
            fprintf(out, "%%%02X", *p);
    }
}

static void put_capture(FILE *out, const struct judge_evidence *e, const struct judge_matrix_links *links)
{
    long section = links != NULL ? links->section(links->ctx, e->capture) : -1;
    if (e->capture[0] == '\0') {
        judge_html_text(out, e->scenario);
        return;
    }
    fputs("<a href=\"", out);
    if (section >= 0)
        fprintf(out, "#f%ld", section);
    else
        put_href(out, e->capture);
    fputs("\">", out);
    judge_html_text(out, e->capture);
    fputs("</a>", out);
}

static void put_evidence(FILE *out, const char *column, const struct judge_evidence *e, const struct judge_matrix_links *links)
{
    fprintf(out, "<p class=\"rule\"><b>%s%s", e->verdict, e->deviation[0] != '\0' ? " " : "");
    judge_html_text(out, e->deviation);
    fputs("</b> of ", out);
    judge_html_text(out, column);
    fputs(": ", out);
    judge_html_text(out, e->message);
    fputs(" · ", out);
    put_capture(out, e, links);
    if (e->frame != 0)
        fprintf(out, ", frame %" PRIu64, e->frame);
    fputs("</p>", out);
}

static void put_row(FILE *out, const struct judge_matrix *m, size_t i, const struct judge_matrix_links *links)
{
    fprintf(out, "<tr><td><b>%s</b> <span class=\"quiet\">%s</span></td><td class=\"name text\">", judge_catalogue[i].id,
            judge_level_name(judge_catalogue[i].level));
    judge_html_text(out, judge_catalogue[i].text);
    for (size_t c = 0; c < m->ncolumns; c++)
        for (size_t k = 0; k < m->columns[c].cells[i].nevidence; k++)
            put_evidence(out, m->columns[c].name, &m->columns[c].cells[i].evidence[k], links);
    fputs("</td>", out);
    for (size_t c = 0; c < m->ncolumns; c++) {
        fputs("<td>", out);
        put_chip(out, m->columns[c].cells[i].verdict);
        fputs("</td>", out);
    }
    fputs("</tr>\n", out);
}

static bool remarkable(const struct judge_matrix *m, size_t i)
{
    for (size_t c = 0; c < m->ncolumns; c++)
        if (m->columns[c].cells[i].verdict >= JUDGE_CELL_DEVIATION)
            return true;
    return false;
}

static size_t put_rows(FILE *out, const struct judge_matrix *m, bool which, const struct judge_matrix_links *links)
{
    size_t n = 0;
    fputs("<div class=\"wide\"><table class=\"matrix\"><thead><tr><th>requirement</th><th class=\"name\">text</th>", out);
    for (size_t c = 0; c < m->ncolumns; c++) {
        fputs("<th>", out);
        judge_html_text(out, m->columns[c].name);
        fputs("</th>", out);
    }
    fputs("</tr></thead><tbody>\n", out);
    for (size_t i = 0; i < judge_catalogue_size; i++)
        if (judge_matrix_shows(m, i) && remarkable(m, i) == which) {
            put_row(out, m, i, links);
            n++;
        }
    fputs("</tbody></table></div>\n", out);
    return n;
}

static void put_sums(FILE *out, const struct judge_matrix *m)
{
    fputs("<div class=\"wide\"><table><thead><tr><th>implementation</th><th>runs</th><th>fail</th><th>deviation</th><th>pass</th>"
          "<th>not exercised</th></tr></thead><tbody>\n", out);
    for (size_t c = 0; c < m->ncolumns; c++) {
        size_t n[JUDGE_CELLS];
        judge_matrix_sums(m, c, n);
        fputs("<tr><td class=\"name\">", out);
        judge_html_text(out, m->columns[c].name);
        fprintf(out, "</td><td>%" PRIu64 "</td>", m->columns[c].runs);
        for (int v = JUDGE_CELL_FAIL; v >= 0; v--)
            fprintf(out, "<td%s>%zu</td>", n[v] == 0 ? " class=\"zero\"" : "", n[v]);
        fputs("</tr>\n", out);
    }
    fputs("</tbody></table></div>\n", out);
}

void judge_matrix_html(const struct judge_matrix *m, const struct judge_matrix_links *links, FILE *out)
{
    fputs("<section id=\"matrix\"><h2>Requirements by implementation</h2>\n", out);
    put_sums(out, m);
    if (m->hostile_runs > 0)
        fprintf(out, "<p class=\"quiet\">Not counted: %" PRIu64 " run%s in which a host breaks rules on purpose.</p>\n", m->hostile_runs,
                JUDGE_S(m->hostile_runs));
    if (m->unattributed > 0)
        fprintf(out, "<p class=\"quiet\">%" PRIu64 " finding%s could not be laid to one side.</p>\n", m->unattributed,
                JUDGE_S(m->unattributed));
    fputs("<h3>Failed or deviating</h3>\n", out);
    put_rows(out, m, true, links);
    fputs("<details><summary>Kept, or not exercised</summary>\n", out);
    put_rows(out, m, false, links);
    fputs("</details></section>\n", out);
}

void judge_matrix_page(const struct judge_matrix *m, FILE *out)
{
    judge_html_head(out, "smclab matrix");
    fputs("<header><h1>smclab matrix</h1></header>\n<main>\n", out);
    judge_matrix_html(m, NULL, out);
    fprintf(out, "</main><footer>smclab %s</footer>\n<script>%s</script></body></html>\n", SMCLAB_VERSION, judge_html_script);
}
