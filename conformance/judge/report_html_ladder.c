/* Ladder diagrams as inline SVG: client and server as two lifelines, an arrow a message.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "report_html.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    WIDTH = 1120, CLIENT = 190, SERVER = 620, DETAIL = 645, TOP = 46, ROW = 30, BADGES = 20,
    DETAIL_CHARS = 64, SHOWN_BADGES = 4,
};

/* Findings of a ladder by the event that they lead to. */
struct badge {
    size_t event, finding;
};

struct badges {
    struct badge *list;
    size_t n;
};

static int by_event(const void *x, const void *y)
{
    const struct badge *a = x, *b = y;
    if (a->event != b->event)
        return a->event < b->event ? -1 : 1;
    return (a->finding > b->finding) - (a->finding < b->finding);
}

static struct badges badges_of(const struct judge_html_file *f, const struct judge_ladder *ladder)
{
    struct badges b = {calloc(f->result->nfindings + 1, sizeof *b.list), 0};
    const struct judge_ladder *where;
    size_t event;
    if (b.list == NULL || !ladder->finding)
        return b;
    for (size_t i = 0; i < f->result->nfindings; i++)
        if (judge_ladder_anchor(f->ladders, &f->result->findings[i], &where, &event) && where == ladder)
            b.list[b.n++] = (struct badge){event, i};
    qsort(b.list, b.n, sizeof *b.list, by_event);
    return b;
}

static const char *kind_class(unsigned kind)
{
    static const char *const names[JUDGE_EVENT_KINDS] = {"tcp", "clc", "llc", "cdc", "write", "record", "gap", "other", "absent"};
    return names[kind];
}

/* ---- one row ---- */

static void put_arrow(FILE *out, const struct judge_ladder_event *e, int y)
{
    if (e->side < 0)
        fprintf(out, "<line class=\"both\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>", CLIENT, y, SERVER, y);
    else if (e->side == 0)
        fprintf(out, "<path class=\"arrow\" d=\"M%d %dH%d\"/><path class=\"tip\" d=\"M%d %dl-9 -4v8z\"/>", CLIENT, y, SERVER - 8, SERVER, y);
    else
        fprintf(out, "<path class=\"arrow\" d=\"M%d %dH%d\"/><path class=\"tip\" d=\"M%d %dl9 -4v8z\"/>", SERVER, y, CLIENT + 8, CLIENT, y);
}

static void put_numbers(FILE *out, const struct judge_ladder *l, const struct judge_ladder_event *e, int y)
{
    if (e->frame == 0)
        return;
    fprintf(out, "<text class=\"frame\" x=\"4\" y=\"%d\">%" PRIu64, y + 4, e->frame);
    if (e->last_frame != e->frame)
        fprintf(out, "–%" PRIu64, e->last_frame);
    fputs("</text>", out);
    if (e->ts_ns < l->first_ns || e->ts_ns == 0)
        return;
    uint64_t us = (e->ts_ns - l->first_ns) / 1000;
    fprintf(out, "<text class=\"time\" x=\"%d\" y=\"%d\">+%" PRIu64 ".%06" PRIu64 "</text>", CLIENT - 8, y + 4, us / 1000000, us % 1000000);
}

static void put_badges(FILE *out, const struct judge_html_file *f, const struct badge *b, size_t n, int y)
{
    int x = DETAIL;
    for (size_t i = 0; i < n && i < SHOWN_BADGES; i++) {
        const struct judge_finding *finding = &f->result->findings[b[i].finding];
        const char *id = judge_catalogue[finding->requirement].id;
        int width = (int)strlen(id) * 7 + 14;
        fprintf(out, "<a class=\"badge %s\" href=\"#f%zun%zu\"><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"16\" rx=\"8\"/>"
                     "<text x=\"%d\" y=\"%d\">%s</text><title>", judge_verdict_name(finding->verdict), f->number, b[i].finding,
                x, y, width, x + width / 2, y + 12, id);
        judge_html_text(out, finding->message);
        fputs("</title></a>", out);
        x += width + 6;
    }
    if (n > SHOWN_BADGES)
        fprintf(out, "<text class=\"detail\" x=\"%d\" y=\"%d\">and %zu more</text>", x, y + 12, n - SHOWN_BADGES);
}

static int put_event(FILE *out, const struct judge_html_file *f, const struct judge_ladder *l, size_t index, const struct badge *b,
                     size_t nbadges, int y)
{
    const struct judge_ladder_event *e = &l->events[index];
    int height = ROW + (nbadges > 0 ? BADGES : 0);
    fprintf(out, "<g class=\"row %s%s\" id=\"f%zuc%" PRIu64 "e%zu\"><rect class=\"back\" x=\"0\" y=\"%d\" width=\"%d\" height=\"%d\"/>",
            kind_class(e->kind), nbadges > 0 ? " found" : "", f->number, l->id, index, y, WIDTH, height);
    put_numbers(out, l, e, y + 18);
    put_arrow(out, e, y + 20);
    fprintf(out, "<text class=\"label\" x=\"%d\" y=\"%d\">", (CLIENT + SERVER) / 2, y + 15);
    judge_html_text(out, e->label);
    fprintf(out, "</text><text class=\"detail\" x=\"%d\" y=\"%d\">", DETAIL, y + 22);
    if (e->link != 0)
        fprintf(out, "on link %u%s", e->link, *e->detail != '\0' ? " · " : "");
    judge_html_cut(out, e->detail, DETAIL_CHARS);
    fputs("</text>", out);
    if (strlen(e->detail) > DETAIL_CHARS) {
        fputs("<title>", out);
        judge_html_text(out, e->detail);
        fputs("</title>", out);
    }
    put_badges(out, f, b, nbadges, y + ROW);
    fputs("</g>\n", out);
    return y + height;
}

static int put_left_out(FILE *out, uint64_t n, int y)
{
    fprintf(out, "<g class=\"left-out\"><line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/><text x=\"%d\" y=\"%d\">%" PRIu64
                 " event%s left out</text></g>\n",
            CLIENT + 20, y + 15, SERVER - 20, y + 15, (CLIENT + SERVER) / 2, y + 12, n, JUDGE_S(n));
    return y + ROW;
}

/* ---- one ladder ---- */

/* Draws the rows, or only measures them (out NULL). */
static int rows(FILE *out, const struct judge_html_file *f, const struct judge_ladder *l, const struct badges *b)
{
    int y = TOP;
    uint64_t serial = 0;
    size_t badge = 0;
    for (size_t i = 0; i < l->nevents; i++) {
        uint64_t next = l->events[i].serial;
        if (next > serial + 1)
            y = out != NULL ? put_left_out(out, next - serial - 1, y) : y + ROW;
        if (next != 0)
            serial = next;
        size_t from = badge;
        while (badge < b->n && b->list[badge].event == i)
            badge++;
        if (out != NULL)
            y = put_event(out, f, l, i, &b->list[from], badge - from, y);
        else
            y += ROW + (badge > from ? BADGES : 0);
    }
    if (l->serial > serial)
        y = out != NULL ? put_left_out(out, l->serial - serial, y) : y + ROW;
    return y;
}

static void put_hosts(FILE *out, const struct judge_ladder *l, int bottom)
{
    static const char *const roles[] = {"client", "server"};
    for (int side = 0; side < 2; side++) {
        char text[64] = "";
        int x = side == 0 ? CLIENT : SERVER;
        if (l->id != 0)
            trace_endpoint_text(&l->addr[side], l->port[side], text, sizeof text);
        fprintf(out, "<line class=\"life\" x1=\"%d\" y1=\"40\" x2=\"%d\" y2=\"%d\"/><text class=\"host\" x=\"%d\" y=\"16\">%s</text>"
                     "<text class=\"address\" x=\"%d\" y=\"33\">%s</text>\n", x, x, bottom, x, l->id != 0 ? roles[side] : "", x, text);
    }
    fprintf(out, "<text class=\"column\" x=\"4\" y=\"16\">frame</text><text class=\"column right\" x=\"%d\" y=\"16\">"
                 "cursors are wrap:count</text>\n", WIDTH - 4);
}

static void put_ladder(FILE *out, const struct judge_html_file *f, const struct judge_ladder *l)
{
    struct badges b = badges_of(f, l);
    if (b.list == NULL)
        return;
    int bottom = rows(NULL, f, l, &b) + 12;
    fprintf(out, "<details class=\"ladder\" id=\"f%zuc%" PRIu64 "\"%s><summary>", f->number, l->id, b.n > 0 ? " open" : "");
    if (l->id != 0)
        fprintf(out, "c%" PRIu64 ": %" PRIu64 " event%s", l->id, l->serial, JUDGE_S(l->serial));
    else
        fputs("what belongs to no connection", out);
    if (b.n > 0)
        fprintf(out, ", %zu finding%s", b.n, JUDGE_S(b.n));
    fprintf(out, "</summary><div class=\"wide\"><svg role=\"img\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\">\n", WIDTH, bottom, WIDTH,
            bottom);
    put_hosts(out, l, bottom);
    rows(out, f, l, &b);
    fputs("</svg></div></details>\n", out);
    free(b.list);
}

void judge_html_ladders(FILE *out, const struct judge_html_file *f)
{
    size_t n = judge_ladders_count(f->ladders);
    uint64_t dropped = judge_ladders_dropped(f->ladders);
    if (n > 0)
        fprintf(out, "<h3>What crossed the wire</h3>\n<p class=\"quiet\">Of each connection the first %d events and at most %d around "
                     "findings.</p>\n", JUDGE_LADDER_FIRST, JUDGE_LADDER_AROUND);
    for (size_t i = 0; i < n; i++)
        put_ladder(out, f, judge_ladders_get(f->ladders, i));
    if (dropped > 0)
        fprintf(out, "<p class=\"quiet\">%" PRIu64 " more connection%s not drawn.</p>\n", dropped, dropped == 1 ? " is" : "s are");
}
