/* Which events of a connection are kept: the first ones and those around findings.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "ladder_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct judge_ladders *judge_ladders_new(void)
{
    return calloc(1, sizeof(struct judge_ladders));
}

static void ladder_free(struct judge_ladder *l)
{
    free(l->events);
    free(l->recent);
}

void judge_ladders_free(struct judge_ladders *l)
{
    if (l == NULL)
        return;
    for (size_t i = 0; i < l->n; i++) {
        ladder_free(l->all[i]);
        free(l->all[i]);
    }
    ladder_free(&l->rest);
    free(l->all);
    free(l->marks);
    free(l);
}

/* ---- the table ---- */

/* Where the ladder of this id stands or would stand. */
static size_t place(const struct judge_ladders *l, uint64_t id)
{
    size_t low = 0, high = l->n;
    if (high > 0 && l->all[high - 1]->id < id) /* ids come in order */
        return high;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (l->all[middle]->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct judge_ladder *find(const struct judge_ladders *l, uint64_t id)
{
    size_t i = place(l, id);
    return i < l->n && l->all[i]->id == id ? l->all[i] : NULL;
}

static struct judge_ladder *insert(struct judge_ladders *l, const struct trace_conn *c)
{
    if (l->n == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 16;
        struct judge_ladder **more = realloc(l->all, cap * sizeof *more);
        if (more == NULL)
            return NULL;
        l->all = more;
        l->cap = cap;
    }
    struct judge_ladder *made = calloc(1, sizeof *made);
    if (made == NULL)
        return NULL;
    size_t at = place(l, c->id);
    memmove(&l->all[at + 1], &l->all[at], (l->n - at) * sizeof *l->all);
    l->all[at] = made;
    l->n++;
    l->live++;
    made->id = c->id;
    made->first_ns = c->first_ns;
    memcpy(made->addr, c->addr, sizeof made->addr);
    memcpy(made->port, c->port, sizeof made->port);
    return made;
}

static void drop(struct judge_ladders *l, struct judge_ladder *ladder)
{
    size_t at = place(l, ladder->id);
    memmove(&l->all[at], &l->all[at + 1], (l->n - at - 1) * sizeof *l->all);
    l->n--;
    l->dropped++;
    ladder_free(ladder);
    free(ladder);
}

/* The tracker learned that the guessed roles were the wrong way round. */
static void follow_roles(struct judge_ladder *ladder, const struct trace_conn *c)
{
    if (ladder->port[0] == c->port[0] && trace_addr_equal(&ladder->addr[0], &c->addr[0]))
        return;
    memcpy(ladder->addr, c->addr, sizeof ladder->addr);
    memcpy(ladder->port, c->port, sizeof ladder->port);
    for (size_t i = 0; i < ladder->nevents; i++)
        if (ladder->events[i].side >= 0)
            ladder->events[i].side = !ladder->events[i].side;
    for (unsigned i = 0; i < ladder->nrecent; i++)
        if (ladder->recent[i].side >= 0)
            ladder->recent[i].side = !ladder->recent[i].side;
}

struct judge_ladder *judge_ladder_live(struct judge_ladders *l, const struct trace_conn *c)
{
    struct judge_ladder *ladder = find(l, c->id);
    if (ladder == NULL && l->live < JUDGE_LADDER_LIVE)
        ladder = insert(l, c);
    if (ladder == NULL || ladder->ended)
        return NULL;
    follow_roles(ladder, c);
    return ladder;
}

void judge_ladder_settle(struct judge_ladders *l)
{
    struct judge_ladder *ladder = l->leaving;
    if (ladder == NULL)
        return;
    l->leaving = NULL;
    size_t *kept = ladder->finding ? &l->kept_findings : &l->kept_plain;
    size_t limit = ladder->finding ? JUDGE_LADDER_FINDINGS : JUDGE_LADDER_PLAIN;
    if (*kept == limit) {
        drop(l, ladder);
        return;
    }
    ++*kept;
    free(ladder->recent);
    ladder->recent = NULL;
    ladder->nrecent = 0;
}

void judge_ladder_end(struct judge_ladders *l, const struct trace_conn *c)
{
    judge_ladder_settle(l);
    struct judge_ladder *ladder = find(l, c->id);
    if (ladder == NULL || ladder->ended) {
        l->dropped += ladder == NULL;
        return;
    }
    follow_roles(ladder, c);
    ladder->ended = true;
    l->live--;
    l->leaving = ladder;
}

/* ---- events ---- */

static struct judge_ladder_event *append(struct judge_ladder *ladder, const struct judge_ladder_event *e)
{
    if (ladder->nevents == ladder->cap) {
        size_t cap = ladder->cap ? 2 * ladder->cap : 16;
        struct judge_ladder_event *more = realloc(ladder->events, cap * sizeof *more);
        if (more == NULL)
            return NULL;
        ladder->events = more;
        ladder->cap = cap;
    }
    ladder->events[ladder->nevents] = *e;
    return &ladder->events[ladder->nevents++];
}

static void remember(struct judge_ladder *ladder, const struct judge_ladder_event *e)
{
    if (ladder->recent == NULL)
        ladder->recent = calloc(JUDGE_LADDER_BEFORE, sizeof *ladder->recent);
    if (ladder->recent == NULL)
        return;
    ladder->recent[ladder->recent_at] = *e;
    ladder->recent_at = (ladder->recent_at + 1) % JUDGE_LADDER_BEFORE;
    if (ladder->nrecent < JUDGE_LADDER_BEFORE)
        ladder->nrecent++;
}

void judge_ladder_add(struct judge_ladders *l, struct judge_ladder *ladder, const struct judge_ladder_event *e)
{
    struct judge_ladder_event event = *e;
    event.serial = ++ladder->serial;
    l->last_frame = e->last_frame;
    l->last_ladder = ladder->id;
    if (event.serial > JUDGE_LADDER_FIRST) {
        if (ladder->after == 0 || ladder->around == JUDGE_LADDER_AROUND) {
            remember(ladder, &event);
            return;
        }
        ladder->after--;
        ladder->around++;
    }
    append(ladder, &event);
}

struct judge_ladder_event *judge_ladder_newest(struct judge_ladder *ladder)
{
    if (ladder->nrecent > 0) {
        struct judge_ladder_event *e = &ladder->recent[(ladder->recent_at + JUDGE_LADDER_BEFORE - 1) % JUDGE_LADDER_BEFORE];
        if (e->serial == ladder->serial)
            return e;
    }
    if (ladder->nevents > 0 && ladder->events[ladder->nevents - 1].serial == ladder->serial)
        return ladder->serial > 0 ? &ladder->events[ladder->nevents - 1] : NULL;
    return NULL;
}

/* ---- findings ---- */

/* What came before a finding becomes worth keeping. */
static void keep_recent(struct judge_ladder *ladder)
{
    unsigned first = (ladder->recent_at + JUDGE_LADDER_BEFORE - ladder->nrecent) % JUDGE_LADDER_BEFORE;
    for (unsigned i = 0; i < ladder->nrecent && ladder->around < JUDGE_LADDER_AROUND; i++) {
        append(ladder, &ladder->recent[(first + i) % JUDGE_LADDER_BEFORE]);
        ladder->around++;
    }
    ladder->nrecent = 0;
    ladder->after = JUDGE_LADDER_AFTER;
}

ptrdiff_t judge_ladder_at(const struct judge_ladder *l, uint64_t frame)
{
    ptrdiff_t best = -1;
    for (size_t i = 0; i < l->nevents; i++) {
        const struct judge_ladder_event *e = &l->events[i];
        if (frame == 0 || frame < e->frame || frame > e->last_frame)
            continue;
        if (best < 0 || e->last_frame - e->frame < l->events[best].last_frame - l->events[best].frame)
            best = (ptrdiff_t)i;
    }
    return best;
}

static bool same_way(const struct judge_ladder *ladder, int side, const struct trace_packet *p)
{
    return trace_addr_equal(&p->src, &ladder->addr[side]) && trace_addr_equal(&p->dst, &ladder->addr[!side]);
}

/* An event for a finding that has none. */
static struct judge_ladder_event *add_note(struct judge_ladders *l, struct judge_ladder *ladder, const struct judge_finding *f)
{
    struct judge_ladder_event e = {.frame = f->frame, .last_frame = f->frame, .packets = 1, .side = -1};
    if (ladder->notes == JUDGE_LADDER_NOTES)
        return NULL;
    e.bytes = ladder->notes;
    e.kind = f->frame != 0 ? JUDGE_EVENT_OTHER : JUDGE_EVENT_ABSENT;
    if (f->frame == 0) {
        snprintf(e.label, sizeof e.label, "%s", judge_catalogue[f->requirement].id);
        snprintf(e.detail, sizeof e.detail, "something is absent");
    } else if (f->frame == l->packet.raw.frame) {
        judge_ladder_describe(&l->packet, e.label, sizeof e.label);
        e.ts_ns = l->packet.raw.ts_ns;
        for (int side = 0; side < 2 && e.side < 0 && l->packet.proto == TRACE_TCP; side++)
            if (same_way(ladder, side, &l->packet))
                e.side = (int8_t)side;
    } else {
        snprintf(e.label, sizeof e.label, "an earlier packet");
    }
    struct judge_ladder_event *made = append(ladder, &e);
    if (made == NULL)
        return NULL;
    ladder->notes++;
    /* An earlier frame goes where it belongs. */
    for (size_t i = ladder->nevents - 1; f->frame != 0 && i > 0 && ladder->events[i - 1].frame > f->frame; i--) {
        struct judge_ladder_event swap = ladder->events[i - 1];
        ladder->events[i - 1] = ladder->events[i];
        ladder->events[i] = swap;
        made = &ladder->events[i - 1];
    }
    return made;
}

static void mark(struct judge_ladders *l, const struct judge_finding *f, const struct judge_ladder *ladder,
                 const struct judge_ladder_event *e)
{
    if (l->nmarks == l->marks_cap) {
        size_t cap = l->marks_cap ? 2 * l->marks_cap : 16;
        struct judge_ladder_mark *more = realloc(l->marks, cap * sizeof *more);
        if (more == NULL)
            return;
        l->marks = more;
        l->marks_cap = cap;
    }
    l->marks[l->nmarks++] = (struct judge_ladder_mark){.finding = *f, .ladder = ladder->id, .serial = e->serial,
                                                       .note = (unsigned)e->bytes};
    l->sorted = false;
}

void judge_ladder_finding(void *ctx, const struct judge_finding *f)
{
    struct judge_ladders *l = ctx;
    struct judge_ladder *ladder = f->connection != 0 ? find(l, f->connection) : NULL;
    if (ladder == NULL && f->connection == 0 && f->frame != 0 && f->frame == l->last_frame)
        ladder = find(l, l->last_ladder); /* a message of a group: one of its connections shows it */
    if (ladder == NULL)
        ladder = &l->rest;
    ladder->finding = true;
    keep_recent(ladder);
    ptrdiff_t at = judge_ladder_at(ladder, f->frame);
    const struct judge_ladder_event *e = at >= 0 ? &ladder->events[at] : add_note(l, ladder, f);
    if (e != NULL)
        mark(l, f, ladder, e);
}

/* Any fixed order will do; two findings of a file differ in one of these. */
static int by_finding(const void *x, const void *y)
{
    const struct judge_finding *a = &((const struct judge_ladder_mark *)x)->finding;
    const struct judge_finding *b = &((const struct judge_ladder_mark *)y)->finding;
    if (a->frame != b->frame)
        return a->frame < b->frame ? -1 : 1;
    if (a->requirement != b->requirement)
        return a->requirement < b->requirement ? -1 : 1;
    if (a->connection != b->connection)
        return a->connection < b->connection ? -1 : 1;
    if (a->offset != b->offset)
        return a->offset < b->offset ? -1 : 1;
    if (a->verdict != b->verdict)
        return a->verdict < b->verdict ? -1 : 1;
    return (a->at_fault > b->at_fault) - (a->at_fault < b->at_fault);
}

static ptrdiff_t event_of(const struct judge_ladder *ladder, const struct judge_ladder_mark *m)
{
    for (size_t i = 0; i < ladder->nevents; i++)
        if (ladder->events[i].serial == m->serial && (m->serial != 0 || ladder->events[i].bytes == m->note))
            return (ptrdiff_t)i;
    return -1;
}

bool judge_ladder_anchor(struct judge_ladders *l, const struct judge_finding *f, const struct judge_ladder **ladder,
                         size_t *event)
{
    const struct judge_ladder_mark wanted = {.finding = *f};
    if (l->nmarks == 0)
        return false;
    if (!l->sorted)
        qsort(l->marks, l->nmarks, sizeof *l->marks, by_finding);
    l->sorted = true;
    const struct judge_ladder_mark *m = bsearch(&wanted, l->marks, l->nmarks, sizeof *l->marks, by_finding);
    if (m == NULL)
        return false;
    *ladder = m->ladder == 0 ? &l->rest : find(l, m->ladder);
    ptrdiff_t at = *ladder != NULL ? event_of(*ladder, m) : -1;
    *event = (size_t)at;
    return at >= 0;
}

/* ---- what was kept ---- */

size_t judge_ladders_count(const struct judge_ladders *l)
{
    return l->n + (l->rest.nevents > 0);
}

const struct judge_ladder *judge_ladders_get(const struct judge_ladders *l, size_t i)
{
    return i < l->n ? l->all[i] : &l->rest;
}

uint64_t judge_ladders_dropped(const struct judge_ladders *l)
{
    return l->dropped;
}
