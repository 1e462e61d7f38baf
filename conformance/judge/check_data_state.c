/* The state that the checks of the data path share: intervals, acknowledgements, positions, findings that wait.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "check_data.h"

#include <string.h>

/* ---- intervals ---- */

void judge_spans_drop(struct data_spans *w, uint64_t below)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < w->n; i++) {
        if (w->s[i].to <= below)
            continue;
        w->s[kept] = w->s[i];
        if (w->s[kept].from < below)
            w->s[kept].from = below;
        kept++;
    }
    w->n = kept;
    if (kept == 0)
        w->lost = false;
}

static void merge_right(struct data_spans *w, unsigned i)
{
    while (i + 1 < w->n && w->s[i].to >= w->s[i + 1].from) {
        if (w->s[i + 1].to > w->s[i].to)
            w->s[i].to = w->s[i + 1].to;
        memmove(&w->s[i + 1], &w->s[i + 2], (w->n - i - 2) * sizeof w->s[0]);
        w->n--;
    }
}

void judge_spans_add(struct data_spans *w, uint64_t from, uint64_t to)
{
    unsigned i = w->n;
    if (from >= to)
        return;
    while (i > 0 && w->s[i - 1].from > from)
        i--;
    if (i > 0 && w->s[i - 1].to >= from) {
        i--;
        if (to > w->s[i].to)
            w->s[i].to = to;
    } else if (w->n < DATA_SPANS) {
        memmove(&w->s[i + 1], &w->s[i], (w->n - i) * sizeof w->s[0]);
        w->s[i] = (struct data_span){from, to};
        w->n++;
    } else {
        w->lost = true;
        return;
    }
    merge_right(w, i);
}

uint64_t judge_spans_hole(const struct data_spans *w, uint64_t from, uint64_t to)
{
    for (unsigned i = 0; i < w->n && from < to; i++)
        if (w->s[i].from <= from && w->s[i].to > from)
            from = w->s[i].to;
    return from < to ? from : to;
}

/* ---- state ---- */

struct data_capture *judge_data_capture(struct judge *j)
{
    return judge_state(judge_slot(j, JUDGE_AREA_DATA), sizeof(struct data_capture));
}

uint64_t judge_data_last_ns(struct judge *j)
{
    struct data_capture *k = judge_data_capture(j);
    return k ? k->last_ns : 0;
}

struct judge_case judge_data_case(const struct data_act *a, enum judge_req req, int64_t offset)
{
    return (struct judge_case){.req = req,
                               .side = a->side,
                               .frame = a->frame,
                               .conn = a->c,
                               .group = a->c ? a->c->group : NULL,
                               .offset = offset};
}

void judge_data_broken(const struct data_act *a, enum judge_req req, uint64_t related,
                       const char *seen, const char *expected, const char *message)
{
    struct judge_case k = judge_data_case(a, req, -1);
    k.related[0] = related;
    judge_holds(a->j, req, false);
    judge_report(a->j, &k, seen, expected, "%s", message);
}

/* A second Accept may move a connection to another group: what was kept of the first one's links must go. */
static void same_group(struct data_conn *d, const struct trace_conn *c)
{
    uint64_t id = c->group ? c->group->id : 0;
    if (d->group_id && d->group_id != id)
        *d = (struct data_conn){
            .gap = true, .started = true, .counted = d->counted, .settled = d->settled};
    d->group_id = id;
}

bool judge_data_act(struct data_act *a, struct judge *j, struct trace_conn *c, int side,
                    struct trace_link *l, uint64_t frame, uint64_t now)
{
    struct data_conn *d = judge_state(judge_conn_slot(c, JUDGE_AREA_DATA), sizeof *d);
    if (!d || side < 0)
        return false;
    same_group(d, c);
    if (!c->confirmed || !d->first_link)
        d->first_link = c->link;
    *a = (struct data_act){.j = j,
                           .c = c,
                           .d = d,
                           .side = side,
                           .me = &d->side[side],
                           .peer = &d->side[!side],
                           .link = l,
                           .frame = frame,
                           .now = now,
                           .by = now};
    a->origin = d->origin;
    uint32_t head = c->group && c->group->smcd ? 32 : d->origin;
    for (int i = 0; i < 2; i++)
        a->ring[i] =
            c->side[i].given && c->side[i].element_size > head ? c->side[i].element_size - head : 0;
    return true;
}

bool judge_data_sure(const struct data_act *a)
{
    bool moves = a->c->mode != TRACE_MODE_SMCD || !a->c->incomplete; /* the tracker holds only so many that come before Confirm */
    bool ends = a->c->accepted && (a->c->confirmed || !a->c->incomplete); /* the client may write before its Confirm is captured */
    return !a->d->gap && ends && moves;
}

/* The origin of cursors is said by CONFIRM LINK; where that is older than the capture the first message tells. */
void judge_data_start(struct data_act *a, uint32_t count, bool is_write)
{
    struct data_conn *d = a->d;
    const struct trace_group *g = a->c->group;
    if (d->started)
        return;
    d->started = true;
    if (!g->smcd && g->origin_known)
        d->origin = g->origin;
    else if (!g->smcd)
        d->origin = count == 4 ? 4 : 0;
    (void)is_write;
    for (int i = 0; i < 2; i++)
        d->side[i].prod = d->side[i].cons = (struct trace_cursor){0, d->origin};
    judge_data_act(a, a->j, a->c, a->side, a->link, a->frame, a->now);
    judge_cdc_successive_tokens(a);
}

static void acknowledged(int sender, struct data_sent *s)
{
    if (!s->set || s->ack_ns)
        return;
    if (!s->link) {
        s->ack_ns = s->ts_ns;
        return;
    }
    struct data_link *l =
        *judge_link_slot((struct trace_link *)(uintptr_t)s->link, JUDGE_AREA_DATA);
    for (unsigned i = 0; l && i < l->n[sender]; i++)
        if (judge_psn_ahead(l->ack[sender][i].psn, s->psn) < 0x800000) {
            s->ack_ns = l->ack[sender][i].ts_ns;
            return;
        }
}

void judge_data_watch(const struct data_act *a, struct data_sent *s)
{
    struct data_link *k = a->link ? *judge_link_slot(a->link, JUDGE_AREA_DATA) : NULL;
    acknowledged(a->side, s);
    if (k && !s->ack_ns)
        k->waits[a->side]++;
}

void judge_data_acked(struct data_link *k, const struct trace_link *l, int sender, uint32_t covers, uint64_t ns)
{
    if (k->waits[sender] == 0)
        return;
    k->waits[sender] = 0;
    for (struct trace_conn *c = l->group->conns; c; c = c->group_next) {
        struct data_conn *d = *judge_conn_slot(c, JUDGE_AREA_DATA);
        for (int i = 0; d && i < 2; i++) {
            struct data_sent *s = i == 0 ? &d->side[sender].b_clear : &d->side[sender].closed;
            if (!s->set || s->ack_ns || s->link != l)
                continue;
            if (judge_psn_ahead(covers, s->psn) < 0x800000)
                s->ack_ns = ns;
            else
                k->waits[sender]++;
        }
    }
}

bool judge_data_delivered(const struct data_act *a, int sender, struct data_sent *s, uint64_t grace)
{
    acknowledged(sender, s);
    return s->set && s->ack_ns && s->ack_ns + grace <= a->now;
}

void judge_data_acks(const struct data_act *a, int sender)
{
    struct data_side *x = &a->d->side[sender];
    for (unsigned i = 0; i < x->nnotes; i++) {
        struct data_note *n = &x->notes[i];
        acknowledged(sender, &n->sent);
        acknowledged(sender, &n->data);
        if (n->sent.ack_ns && ((int16_t)(uint16_t)(n->seq - x->acked_seq) > 0 || !x->acked_ns)) {
            x->acked_seq = n->seq;
            x->acked_ns = n->sent.ack_ns;
        }
    }
}

/* The older mark is at least a grace old when the next note makes room: some number that was known for long is always at hand. */
static void mark(struct data_side *x, const struct data_note *old)
{
    if (x->marks[1].sent.ack_ns && old->sent.ack_ns < x->marks[1].sent.ack_ns + DATA_GRACE_NS)
        return;
    x->marks[0] = x->marks[1];
    x->marks[1] = *old;
}

void judge_data_note(const struct data_act *a, const struct data_note *note)
{
    struct data_side *x = a->me;
    if (x->nnotes == DATA_NOTES) {
        judge_data_acks(a, a->side);
        const struct data_note *old = &x->notes[0];
        if (old->sent.ack_ns) {
            x->acked_prod = old->prod_pos > x->acked_prod ? old->prod_pos : x->acked_prod;
            x->acked_prod_ns = old->sent.ack_ns;
            x->acked_cons = old->cons_pos > x->acked_cons ? old->cons_pos : x->acked_cons;
            x->acked_cons_ns = old->sent.ack_ns;
            mark(x, old);
        } else {
            x->notes_lost = true;
        }
        x->dropped_seq = old->seq;
        x->dropped_prod = old->prod_pos;
        memmove(&x->notes[0], &x->notes[1], (DATA_NOTES - 1) * sizeof x->notes[0]);
        x->nnotes--;
    }
    x->notes[x->nnotes++] = *note;
}

bool judge_data_position(const struct data_act *a, struct trace_cursor cur, uint32_t ring,
                         struct trace_cursor from, uint64_t from_pos, int64_t *pos)
{
    int64_t wraps = (int16_t)(uint16_t)(cur.wrap - from.wrap);
    *pos = (int64_t)from_pos + wraps * (int64_t)ring + ((int64_t)cur.count - (int64_t)from.count);
    return ring != 0 && cur.count >= a->origin && cur.count - a->origin < ring;
}

/* ---- findings that wait ---- */

void judge_data_pend(const struct data_act *a, enum judge_req req, bool on_cons, uint64_t need,
                     uint64_t have, int64_t offset, uint64_t related)
{
    struct data_conn *d = a->d;
    if (d->npending < DATA_PENDING)
        d->pending[d->npending++] = (struct data_pending){.req = req,
                                                          .side = a->side,
                                                          .on_cons = on_cons,
                                                          .frame = a->frame,
                                                          .ts_ns = a->now,
                                                          .related = related,
                                                          .need = need,
                                                          .have = have,
                                                          .offset = offset};
}

void judge_data_pend_foreign(const struct data_act *a, enum judge_req req, uint64_t related)
{
    struct data_conn *d = a->d;
    if (d->npending < DATA_PENDING)
        d->pending[d->npending++] = (struct data_pending){.req = req,
                                                          .side = a->side,
                                                          .foreign = true,
                                                          .frame = a->frame,
                                                          .ts_ns = a->now,
                                                          .related = related,
                                                          .offset = -1};
}

static const char *pending_text(enum judge_req req)
{
    switch (req) {
    case REQ_CURSOR_001:
        return "a WRITE runs over what the peer has not consumed";
    case REQ_CURSOR_007:
        return "the producer cursor is more than a ring ahead of the peer's consumer";
    case REQ_CURSOR_026:
        return "the producer cursor moves on although it is more than a ring ahead of the peer's "
               "consumer already";
    case REQ_CURSOR_017:
        return "a WRITE although the urgent byte is not yet consumed";
    default:
        return "the consumer cursor is ahead of what the peer announced";
    }
}

static void foreign_report(const struct data_act *a, const struct data_pending *p,
                           struct judge_case *k)
{
    const struct data_capture *s = judge_data_capture(a->j);
    if (s && (s->unclear || s->begun != s->settled))
        judge_inconclusive(a->j, k,
                           "the capture lost handshakes: it may belong to another connection");
    else if (p->req == REQ_CDC_005)
        judge_report(a->j, k, "a token that was never given",
                     JT("token 0x%08x", a->c->side[!p->side].token),
                     "no connection of the link group has this alert token");
    else
        judge_report(a->j, k, "a WRITE", "nothing after C", "a WRITE after both sides closed");
}

bool judge_data_later(const struct data_act *a, int side, uint64_t ns)
{
    const struct trace_link *l =
        a->d->side[side].link ? a->d->side[side].link : a->d->side[!side].link;
    struct data_link *k =
        l ? *judge_link_slot((struct trace_link *)(uintptr_t)l, JUDGE_AREA_DATA) : NULL;
    return l ? k && k->last_ns[side] > ns : a->c->mode == TRACE_MODE_SMCD;
}

static bool repeats(const struct trace_stream *s)
{
    return s && (s->bad_icrc || s->naks || s->duplicates || s->gaps);
}

/* Does the network lose, or damage, what is sent? What was lost before the capture point shows elsewhere, if at all. `k` knows later
 * packets: the message was held back for a gap. */
bool judge_data_lossy(const struct data_act *a)
{
    const struct data_capture *all = judge_data_capture(a->j);
    return all && all->lossy;
}

static bool lossy(const struct data_act *a, const struct data_link *k)
{
    return judge_data_lossy(a) || judge_options_of(a->j)->lossy || k->busy_ns[a->side] > a->now || repeats(a->link->end[0].tx) || repeats(a->link->end[1].tx);
}

/* NULL: it sent nothing, or others did since, too many to remember. */
static struct data_port *port_of(struct data_capture *all, const uint8_t *mac)
{
    for (unsigned i = 0; i < DATA_PORTS; i++)
        if (all->ports[i].last_ns && memcmp(all->ports[i].mac, mac, 6) == 0)
            return &all->ports[i];
    return NULL;
}

static struct data_port *port_new(struct data_capture *all, const uint8_t *mac)
{
    struct data_port *oldest = &all->ports[0];
    for (unsigned i = 1; i < DATA_PORTS; i++)
        if (all->ports[i].last_ns < oldest->last_ns)
            oldest = &all->ports[i];
    *oldest = (struct data_port){0};
    memcpy(oldest->mac, mac, 6);
    return oldest;
}

void judge_data_port(struct judge *j, const struct trace_packet *p)
{
    struct data_capture *all = p->src_mac ? judge_data_capture(j) : NULL;
    if (!all)
        return;
    struct data_port *x = port_of(all, p->src_mac);
    uint64_t ns = p->raw.ts_ns;
    if (!x)
        x = port_new(all, p->src_mac);
    if (!x->last_ns || ns > x->last_ns + DATA_GRACE_NS)
        x->busy_ns = ns;
    if (ns > x->last_ns)
        x->last_ns = ns;
}

uint64_t judge_data_busy(const struct data_act *a)
{
    const struct data_link *k = *judge_link_slot(a->link, JUDGE_AREA_DATA);
    struct data_capture *all = judge_data_capture(a->j);
    const struct data_port *x = all ? port_of(all, a->link->end[a->side].mac) : NULL;
    uint64_t own = k ? k->busy_ns[a->side] : a->now;
    return x && x->busy_ns < own ? x->busy_ns : own;
}

static uint64_t long_before(uint64_t ns)
{
    return ns > DATA_LONG_NS ? ns - DATA_LONG_NS : 0;
}

static uint64_t posted(const struct data_act *a)
{
    struct data_link *k = a->link ? *judge_link_slot(a->link, JUDGE_AREA_DATA) : NULL;
    uint64_t first = long_before(a->now);
    if (!k)
        return a->now;
    uint64_t busy = judge_data_busy(a);
    return !lossy(a, k) && busy > first ? busy : first;
}

uint64_t judge_data_posted(const struct data_act *a)
{
    uint64_t ns = posted(a);
    return a->by < ns ? a->by : ns;
}

static void pending_report(const struct data_act *a, const struct data_pending *p)
{
    struct judge_case k = {.req = p->req,
                           .side = p->side,
                           .frame = p->frame,
                           .related = {p->related},
                           .conn = a->c,
                           .group = a->c->group,
                           .offset = p->offset};
    if (p->foreign) {
        foreign_report(a, p, &k);
        return;
    }
    if (!judge_data_later(a, !p->side, p->ts_ns)) {
        judge_inconclusive(
            a->j, &k,
            "nothing later of the peer was captured that would show that no message is missing");
        return;
    }
    const char *what = p->on_cons ? "consumer" : "producer";
    judge_report(a->j, &k, JT("needs the peer's %s at %llu", what, (unsigned long long)p->need),
                 JT("the peer's %s is at %llu", what, (unsigned long long)p->have), "%s",
                 pending_text(p->req));
}

void judge_data_settle(const struct data_act *a, bool all)
{
    struct data_conn *d = a->d;
    unsigned kept = 0;
    if (!judge_data_sure(a))
        d->npending = 0;
    for (unsigned i = 0; i < d->npending; i++) {
        const struct data_pending p = d->pending[i];
        const struct data_side *other = &d->side[!p.side];
        bool reached = (p.on_cons ? other->cons_pos : other->prod_pos) >= p.need;
        bool decided = all || (!p.foreign && p.side != a->side && a->frame > p.frame);
        if (!p.foreign && reached && !all && p.side != a->side && a->frame < p.frame)
            continue; /* it was held back: in time after all */
        if (decided)
            pending_report(a, &p);
        else
            d->pending[kept++] = p;
    }
    d->npending = kept;
}
