/* The data path: cursors, RDMA WRITEs into rings, and SMC-D records; both kinds end in the same state.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "session_internal.h"

#include "wire/cdc_layouts.h"

#include <stdlib.h>

/* ---- positions ---- */

/* Absolute position of a cursor, reckoned from one whose position is known. */
static bool position(struct trace_cursor c, uint32_t origin, uint32_t ring, struct trace_cursor from, uint64_t from_pos,
                     uint64_t *pos)
{
    if (ring == 0 || c.count < origin || c.count - origin >= ring) /* [CURSOR-006] */
        return false;
    int64_t wraps = (int16_t)(uint16_t)(c.wrap - from.wrap);
    int64_t p = (int64_t)from_pos + wraps * (int64_t)ring + ((int64_t)c.count - (int64_t)from.count);
    if (p < 0)
        return false;
    *pos = (uint64_t)p;
    return true;
}

static uint32_t origin_of(const struct trace_conn *c)
{
    return c->group && !c->group->smcd ? c->group->origin : 0;
}

/* What the capture did not show from the start begins at the cursor seen. */
static void cursor_position(const struct trace_conn *c, struct trace_cursor cur, uint32_t ring, bool known,
                            struct trace_cursor from, uint64_t from_pos, bool *ok, uint64_t *pos)
{
    uint32_t origin = origin_of(c);
    struct trace_cursor zero = {0, origin};
    *ok = known ? position(cur, origin, ring, from, from_pos, pos) : position(cur, origin, ring, zero, 0, pos);
}

static void spans_drop_below(struct trace_conn_side *w, uint64_t pos)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < w->nspans; i++) {
        if (w->spans[i].to <= pos)
            continue;
        w->spans[kept] = w->spans[i];
        if (w->spans[kept].from < pos)
            w->spans[kept].from = pos;
        kept++;
    }
    w->nspans = kept;
}

static void span_add(struct trace_conn_side *w, uint64_t from, uint64_t to, uint64_t frame)
{
    unsigned i = w->nspans;
    if (from >= to)
        return;
    while (i > 0 && w->spans[i - 1].from > from)
        i--;
    if (i > 0 && w->spans[i - 1].to >= from) { /* grows the one before */
        i--;
        if (to > w->spans[i].to) {
            w->spans[i].to = to;
            w->spans[i].frame = frame;
        }
    } else if (w->nspans < TRACE_MAX_SPANS) {
        memmove(&w->spans[i + 1], &w->spans[i], (w->nspans - i) * sizeof w->spans[0]);
        w->spans[i] = (struct trace_span){from, to, frame};
        w->nspans++;
    } else {
        w->spans_lost = true;
        return;
    }
    while (i + 1 < w->nspans && w->spans[i].to >= w->spans[i + 1].from) {
        if (w->spans[i + 1].to > w->spans[i].to)
            w->spans[i].to = w->spans[i + 1].to;
        memmove(&w->spans[i + 1], &w->spans[i + 2], (w->nspans - i - 2) * sizeof w->spans[0]);
        w->nspans--;
    }
}

/* ---- CDC ---- */

static void follow_flags(struct trace_conn_side *x, const struct trace_cdc_event *e)
{
    x->prod_flags = e->prod_flags;
    x->conn_flags = e->conn_flags;
    if ((e->conn_flags & 0x80) && !x->done) {
        x->done = true;
        x->done_frame = e->frame;
        x->done_ns = e->ts_ns;
    }
    if ((e->conn_flags & 0x40) && !x->closed) {
        x->closed = true;
        x->closed_frame = e->frame;
        x->closed_ns = e->ts_ns;
    }
    if ((e->conn_flags & 0x20) && !x->aborted) {
        x->aborted = true;
        x->aborted_frame = e->frame;
        x->aborted_ns = e->ts_ns;
    }
}

static void settle(struct trace_conn *c)
{
    if (c->side[0].aborted || c->side[1].aborted)
        c->closed = TRACE_CLOSED_ABORT;
    else if (c->side[0].closed && c->side[1].closed)
        c->closed = TRACE_CLOSED_NORMAL;
}

/* NULL: it never left that link, or so long ago that it is forgotten. */
static const struct trace_left *left_of(const struct trace_conn_side *x, const struct trace_link *l)
{
    for (unsigned i = 0; l && i < x->nleft; i++)
        if (x->left[i].link == l)
            return &x->left[i];
    return NULL;
}

static void left_drop(struct trace_conn_side *x, const struct trace_link *l)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < x->nleft; i++)
        if (x->left[i].link != l)
            x->left[kept++] = x->left[i];
    x->nleft = kept;
}

/* A side may move on before what it had queued on the link before last has left: every link counts, not just the last one. */
static void left_add(struct trace_conn_side *x, const struct trace_link *from, uint64_t ns)
{
    left_drop(x, from);
    x->nleft -= x->nleft == TRACE_MAX_LEFT;
    memmove(&x->left[1], &x->left[0], x->nleft * sizeof x->left[0]);
    x->left[0] = (struct trace_left){from, ns};
    x->nleft++;
}

static void leave(struct trace_conn_side *x, const struct trace_link *from, const struct trace_link *to, uint64_t ns)
{
    left_drop(x, to);
    if (from)
        left_add(x, from, ns);
}

static bool ended_over(const struct trace_conn_side *x, const struct trace_link *l)
{
    for (unsigned i = 0; i < TRACE_MAX_LEFT && x->ended[i]; i++)
        if (x->ended[i] == l)
            return true;
    return false;
}

static void ended_add(struct trace_conn_side *x, const struct trace_link *l)
{
    if (!l || ended_over(x, l))
        return;
    memmove(&x->ended[1], &x->ended[0], (TRACE_MAX_LEFT - 1) * sizeof x->ended[0]);
    x->ended[0] = l;
}

static void ended_drop(struct trace_conn_side *x, const struct trace_link *l)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < TRACE_MAX_LEFT; i++)
        if (x->ended[i] != l)
            x->ended[kept++] = x->ended[i];
    while (kept < TRACE_MAX_LEFT)
        x->ended[kept++] = NULL;
}

/* An F that waited in the queue of a link which failed too, until the side had long gone on to the next one. */
static bool overtaken(const struct trace_conn_side *x, const struct trace_link *l, int side)
{
    return l && trace_link_lost(l, side) && x->validations > 0 && x->via && x->via != l && !trace_link_lost(x->via, side);
}

void session_data_forget_link(struct trace_conn *c, const struct trace_link *gone, struct trace_link *instead)
{
    if (c->link == gone)
        c->link = instead;
    for (int i = 0; i < 2; i++) {
        left_drop(&c->side[i], gone);
        ended_drop(&c->side[i], gone);
        if (c->side[i].via == gone)
            c->side[i].via = NULL;
    }
}

/* What it left this link by was such a one, as it turns out: that link fails, and the side goes on here. */
static bool went_back(const struct trace_conn_side *x, const struct trace_link *l, int side)
{
    return l && x->nleft > 0 && x->left[0].link == l && !trace_link_lost(l, side) && x->via && x->via != l &&
           trace_link_lost(x->via, side);
}

/* Packets of a link that failed may still be on their way when F arrives over another one: switches hold them, and a slow link empties
 * its queue. Nobody comes back to a link that was deleted. */
static bool is_late(const struct trace_conn_side *x, const struct trace_link *l, int side, uint64_t ns)
{
    static const uint64_t on_its_way_ns = 50 * 1000 * 1000, at_most_ns = 1000 * 1000 * 1000;
    const struct trace_left *left = left_of(x, l);
    if (!left && l && x->via && x->via != l && trace_link_lost(l, side) && !trace_link_lost(x->via, side)) /* nobody goes over to a lost link */
        return true;
    return left && x->via != l && !went_back(x, l, side) && ns <= left->ns + (l->state >= TRACE_LINK_DELETING ? at_most_ns : on_its_way_ns);
}

/* A side that is closing moves without F. Hardly ever back to a link it left: that is a straggler which took longer. */
static void moved_on(struct trace_conn_side *x, const struct trace_link *to, int side, uint64_t ns)
{
    if (to && x->via && x->via != to && (!left_of(x, to) || went_back(x, to, side)))
        leave(x, x->via, to, ns);
}

static void cdc_follow(const struct trace_cdc_event *e)
{
    struct trace_conn *c = e->conn;
    struct trace_conn_side *x = &c->side[e->side], *peer = &c->side[!e->side];
    if (!e->validation && (e->conn_flags & 0x60)) /* late or not: it posts nothing more there */
        ended_add(x, e->link);
    if (e->validation && overtaken(x, e->link, e->side)) {
        left_add(x, e->link, e->ts_ns);
        return;
    }
    if (e->late)
        return;
    if (e->validation && e->link != x->via) /* what it wrote before may all be on its way still */
        leave(x, x->via ? x->via : c->link, e->link, e->ts_ns);
    moved_on(x, e->link, e->side, e->ts_ns);
    if (e->link)
        c->link = x->via = e->link;
    if (e->validation) { /* [CDC-013]: nothing else in it means anything */
        x->validations++;
        x->replaying = true;
        x->replay_from = peer->cons_pos;
        return;
    }
    x->last_cdc_frame = e->frame;
    x->last_cdc_ns = e->ts_ns;
    if (e->stale)
        return;
    x->cdc_count++;
    x->seq_known = true;
    x->last_seq = e->seq;
    if (e->prod_pos_ok && (!x->prod_known || e->prod_pos >= x->prod_pos)) {
        x->prod_known = true;
        x->prod = e->prod;
        x->prod_pos = e->prod_pos;
        x->prod_frame = e->frame;
        x->replaying = false;
        spans_drop_below(x, x->prod_pos);
        if (x->nspans == 0)
            x->spans_lost = false;
    }
    if (e->cons_pos_ok && (!x->cons_known || e->cons_pos >= x->cons_pos)) {
        x->cons_known = true;
        x->cons = e->cons;
        x->cons_pos = e->cons_pos;
        x->cons_frame = e->frame;
    }
    follow_flags(x, e);
    settle(c);
}

static void cdc_positions(struct trace_cdc_event *e)
{
    struct trace_conn *c = e->conn;
    struct trace_conn_side *x = &c->side[e->side], *peer = &c->side[!e->side];
    cursor_position(c, e->prod, peer->ring_size, x->prod_known, x->prod, x->prod_pos, &e->prod_pos_ok, &e->prod_pos);
    cursor_position(c, e->cons, x->ring_size, x->cons_known, x->cons, x->cons_pos, &e->cons_pos_ok, &e->cons_pos);
}

static void cdc_emit(struct trace_session *s, struct trace_cdc_event *e)
{
    if (e->conn && e->valid) {
        struct trace_conn_side *x = &e->conn->side[e->side];
        e->late = is_late(x, e->link, e->side, e->request ? e->request->posted_ns : e->ts_ns);
        e->stale = !e->smcd && !e->validation && x->seq_known && (int16_t)(uint16_t)(e->seq - x->last_seq) <= 0;
        cdc_positions(e);
    }
    EMIT(s, cdc, e);
    if (e->conn && e->valid)
        cdc_follow(e);
    EMIT(s, cdc_done, e);
}

static struct trace_conn *conn_by_token(struct trace_group *g, int owner, uint32_t token)
{
    struct trace_conn *closed = NULL;
    for (struct trace_conn *c = g->conns; c; c = c->group_next) {
        const struct trace_conn_side *x = &c->side[owner];
        if (!x->given || x->token != token || c->declined)
            continue;
        if (!(c->side[0].closed || c->side[0].aborted) || !(c->side[1].closed || c->side[1].aborted))
            return c;
        if (!closed)
            closed = c;
    }
    return closed;
}

void session_cdc(struct trace_session *s, struct trace_stream *st, struct trace_link *l, int side, const struct trace_request *r)
{
    struct trace_cdc_event e = {.stream = st, .link = l, .group = l ? l->group : NULL, .side = side, .frame = r->frame,
                                .ts_ns = r->ts_ns, .bytes = r->bytes, .request = r};
    struct smc_cdc m;
    if (smc_cdc_at(r->bytes, 0, &m) && !r->headless) {
        e.valid = smc_cdc_type(m) == 0xfe;
        e.seq = smc_cdc_seqno(m);
        e.token = smc_cdc_token(m);
        e.prod = (struct trace_cursor){smc_cdc_prod_wrap(m), smc_cdc_prod_count(m)};
        e.cons = (struct trace_cursor){smc_cdc_cons_wrap(m), smc_cdc_cons_count(m)};
        e.prod_flags = m.p[24];
        e.conn_flags = m.p[25];
        e.validation = smc_cdc_failover_validation(m);
        if (l && e.valid)
            e.conn = conn_by_token(l->group, !side, e.token);
    }
    cdc_emit(s, &e);
}

/* ---- WRITE ---- */

/* Did what this side wrote for a connection that is over go over this link, which it has lost? Before, it may write there for another. A
 * queue pair keeps what is posted in order: what comes after C or A over the same link was not written for this connection. */
static bool wrote_over(const struct trace_conn_side *w, const struct trace_link *l, int side)
{
    return l && !ended_over(w, l) && (left_of(w, l) || (w->via == l && trace_link_lost(l, side)));
}

/* Of those that had the element, the youngest whose writer has not said that it is over. An element that a RST freed, or A over
 * another link, may have a new owner while WRITEs of the old one are sent again over their link: those of another link than the new
 * one's are the old one's, and those that were posted before it was given away. */
static struct trace_conn *conn_by_element(const struct trace_write_event *e, uint64_t index)
{
    int owner = !e->side;
    struct trace_conn *closed = NULL, *open = NULL, *later = NULL, *late = NULL;
    bool there = false; /* was `closed` on this link? */
    for (struct trace_conn *c = e->group->conns; c; c = c->group_next) {
        const struct trace_conn_side *w = &c->side[!owner];
        if (c->side[owner].rmb != e->rmb || c->side[owner].rmbe_index != index || c->declined)
            continue;
        if ((owner == TRACE_S2C ? c->accept_ns : c->confirm_ns) > e->request->posted_ns) {
            later = c;
        } else if (w->closed || w->aborted) {
            if (!closed)
                there = (w->via ? w->via : c->link) == e->link;
            closed = closed ? closed : c;
            late = late || !wrote_over(w, e->link, e->side) ? late : c;
        } else {
            bool here = (w->via ? w->via : c->link) == e->link || left_of(w, e->link);
            if (here && (!open || c->rst))
                return c;
            open = open ? open : c;
        }
    }
    if (late && (open || !there)) /* neither `open` nor who had the element last was on this link */
        return late;
    return open ? open : closed ? closed : later;
}

/* Where in the stream a write lies: the one place at its ring offset inside the window that the reader left open. */
static void write_position(struct trace_write_event *e)
{
    struct trace_conn_side *reader = &e->conn->side[!e->side];
    uint32_t ring = reader->ring_size, origin = e->conn->group->smcd ? 32 : e->conn->group->origin;
    if (ring == 0 || e->element_offset < origin || e->element_offset + e->len > (uint64_t)origin + ring) {
        e->target = TRACE_WRITE_OUTSIDE;
        return;
    }
    e->target = TRACE_WRITE_RING;
    if (!reader->cons_known)
        return;
    uint64_t at = e->element_offset - origin, base = reader->cons_pos;
    e->from = base + (at + ring - base % ring) % ring;
    e->to = e->from + e->len;
    e->pos_ok = true;
}

static void write_emit(struct trace_session *s, struct trace_write_event *e)
{
    e->late = e->conn && e->side >= 0 && is_late(&e->conn->side[e->side], e->link, e->side, e->request ? e->request->posted_ns : e->ts_ns);
    EMIT(s, write, e);
    if (!e->conn || !e->pos_ok || e->late)
        return;
    struct trace_conn_side *w = &e->conn->side[e->side];
    moved_on(w, e->link, e->side, e->ts_ns);
    if (e->link)
        e->conn->link = w->via = e->link;
    if (e->to > w->prod_pos || w->replaying)
        span_add(w, e->from > w->prod_pos ? e->from : w->prod_pos, e->to, e->frame);
    if (e->to > w->written_pos)
        w->written_pos = e->to;
}

static void write_target(struct trace_session *s, struct trace_write_event *e, const struct trace_request *r)
{
    struct trace_rtoken *t = NULL;
    struct trace_rmb *rmb = session_rmb_find(e->group, !e->side, e->link->number, r->rkey, false, &t);
    (void)s;
    if (!rmb) {
        e->target = e->group->late || e->group->incomplete || r->headless ? TRACE_WRITE_UNTRACKED : TRACE_WRITE_UNKNOWN;
        return;
    }
    e->rmb = rmb;
    e->rtoken = t;
    if (!t->valid && t->deleted_frame < r->frame) { /* held back for a gap before it, a WRITE comes here after later frames */
        e->target = TRACE_WRITE_DELETED;
        return;
    }
    uint64_t size = rmb->element_size;
    if (size == 0) {
        e->target = TRACE_WRITE_UNTRACKED;
        return;
    }
    uint64_t off = r->va - t->va, index = off / size + 1;
    /* How many elements an RMB has is nowhere said; without eyecatchers (Linux, v2) it is what CLC named so far. */
    if (r->va < t->va || index > (e->group->origin ? 255 : rmb->elements)) {
        e->target = TRACE_WRITE_OUTSIDE;
        return;
    }
    e->element_offset = off % size;
    e->conn = conn_by_element(e, index);
    if (!e->conn) {
        e->target = TRACE_WRITE_IDLE;
        return;
    }
    write_position(e);
}

void session_write(struct trace_session *s, struct trace_stream *st, const struct trace_request *r)
{
    struct trace_write_event e = {.stream = st, .side = -1, .target = TRACE_WRITE_UNTRACKED, .frame = r->frame,
                                  .ts_ns = r->ts_ns, .len = r->len, .bytes = r->bytes, .request = r};
    int side;
    if (session_stream_link(s, st, &e.link, &side)) {
        e.side = side;
        e.group = e.link->group;
        if (!r->headless)
            write_target(s, &e, r);
    }
    write_emit(s, &e);
}

/* ---- SMC-D records ---- */

/* Tokens are the device's: those of two devices may be equal. Version 1 says only half of a GID. */
static bool lies_at(const struct smc_clc_accept_info *a, const struct trace_packet *p)
{
    const uint8_t *to = smc_smcd_record_dst_gid(p->record);
    return memcmp(a->gid, to, 8) == 0 && (a->version < 2 || memcmp(a->gid + 8, to + 8, 8) == 0);
}

/* A DMB is used again by later connections, also of another group: the last that gave it has it. */
static struct trace_conn *conn_by_dmb(struct trace_session *s, const struct trace_packet *p, uint64_t token, int *owner)
{
    struct trace_conn *best = NULL;
    uint64_t given = 0;
    for (struct trace_group *g = s->groups; g; g = g->next)
        for (struct trace_conn *c = g->smcd ? g->conns : NULL; c; c = c->group_next)
            for (int i = 0; i < 2; i++) {
                uint64_t frame = i == TRACE_C2S ? c->confirm_frame : c->accept_frame;
                if (c->side[i].given && c->side[i].dmb_token == token && c->mode == TRACE_MODE_SMCD && (!best || frame > given) &&
                    lies_at(i == TRACE_C2S ? &c->confirm : &c->accept, p)) {
                    *owner = i;
                    best = c;
                    given = frame;
                }
            }
    return best;
}

static void block_little(struct smc_view v, struct trace_cdc_event *e)
{
    struct smc_smcd_cdc_le m;
    if (!smc_smcd_cdc_le_at(v, 0, &m))
        return;
    e->valid = smc_smcd_cdc_le_type(m) == 0xfe;
    e->prod = (struct trace_cursor){smc_smcd_cdc_le_prod_wrap(m), smc_smcd_cdc_le_prod_count(m)};
    e->cons = (struct trace_cursor){smc_smcd_cdc_le_cons_wrap(m), smc_smcd_cdc_le_cons_count(m)};
}

static void block_big(struct smc_view v, struct trace_cdc_event *e)
{
    struct smc_smcd_cdc_be m;
    if (!smc_smcd_cdc_be_at(v, 0, &m))
        return;
    e->valid = smc_smcd_cdc_be_type(m) == 0xfe;
    e->prod = (struct trace_cursor){smc_smcd_cdc_be_prod_wrap(m), smc_smcd_cdc_be_prod_count(m)};
    e->cons = (struct trace_cursor){smc_smcd_cdc_be_cons_wrap(m), smc_smcd_cdc_be_cons_count(m)};
}

static void record_block(struct trace_session *s, const struct trace_packet *p, struct trace_conn *c, int side)
{
    struct trace_cdc_event e = {.group = c->group, .conn = c, .side = side, .frame = p->raw.frame, .ts_ns = p->raw.ts_ns,
                                .bytes = p->payload, .smcd = true};
    if (smc_smcd_record_byte_order(p->record) == SMC_ORDER_BIG)
        block_big(p->payload, &e);
    else
        block_little(p->payload, &e);
    if (e.valid) { /* [SMCD-005]: flags stand in the consumer half */
        e.prod_flags = p->payload.p[22];
        e.conn_flags = p->payload.p[23];
    }
    cdc_emit(s, &e);
}

/* The connection whose Accept named this DMB and whose Confirm is still under way; NULL if none. */
static struct conn *conn_unconfirmed(struct trace_session *s, const struct trace_packet *p, uint64_t token)
{
    for (struct conn *cc = s->conns; cc; cc = cc->next)
        if (cc->pub.phase == TRACE_CLC_CONFIRM && cc->pub.accept.path == SMC_PATH_D && cc->pub.side[TRACE_S2C].given &&
            cc->pub.side[TRACE_S2C].dmb_token == token && lies_at(&cc->pub.accept, p))
            return cc;
    return NULL;
}

static void hold_move(struct trace_session *s, struct conn *cc, const struct trace_packet *p)
{
    enum { MOVES_MAX = 1024 };
    size_t n = smc_view_len(p->raw.bytes);
    struct held_move **end = &cc->held, *h = cc->nheld < MOVES_MAX ? malloc(sizeof(*h) + n) : NULL;
    if (!h) {
        cc->pub.incomplete = true;
        s->short_of_memory |= cc->nheld < MOVES_MAX;
        return;
    }
    h->next = NULL;
    h->raw = p->raw;
    memcpy(h->bytes, p->raw.bytes.p, n);
    h->raw.bytes = smc_view_of(h->bytes, n);
    while (*end)
        end = &(*end)->next;
    *end = h;
    cc->nheld++;
}

static void move_seen(struct trace_session *s, const struct trace_packet *p, struct trace_conn *c, int owner)
{
    uint64_t element = (uint64_t)c->side[owner].rmbe_index * c->side[owner].element_size;
    uint64_t at = (uint64_t)smc_smcd_record_offset(p->record) + smc_smcd_record_fragment_offset(p->record);
    if (at == element && smc_view_len(p->payload) >= smc_smcd_cdc_le_size) {
        record_block(s, p, c, !owner);
        return;
    }
    struct trace_write_event e = {.group = c->group, .conn = c, .side = !owner, .target = TRACE_WRITE_OUTSIDE,
                                  .frame = p->raw.frame, .ts_ns = p->raw.ts_ns, .len = p->payload_wire_len,
                                  .bytes = p->payload, .record = &p->record};
    if (at >= element) {
        e.element_offset = at - element;
        write_position(&e);
    }
    write_emit(s, &e);
}

void session_record(struct trace_session *s, const struct trace_packet *p)
{
    int owner = 0;
    uint64_t token = smc_smcd_record_token(p->record);
    /* A DMB used again: the older connection is over, or the handshake that never ended. */
    struct conn *early = conn_unconfirmed(s, p, token);
    struct trace_conn *c = conn_by_dmb(s, p, token, &owner);
    if (early && c && (owner == TRACE_C2S ? c->confirm_frame : c->accept_frame) > early->pub.accept_frame)
        early = NULL;
    if (early)
        c = &early->pub;
    EMIT(s, record, p, c);
    if (smc_smcd_record_operation(p->record) != SMC_RECORD_MOVE || p->payload_wire_len == 0)
        return;
    if (early)
        hold_move(s, early, p);
    else if (c)
        move_seen(s, p, c, owner);
}

void session_moves_drop(struct conn *cc)
{
    while (cc->held) {
        struct held_move *h = cc->held;
        cc->held = h->next;
        free(h);
    }
    cc->nheld = 0;
}

void session_moves_replay(struct trace_session *s, struct conn *cc)
{
    for (struct held_move *h = cc->held; h && cc->pub.mode == TRACE_MODE_SMCD && cc->pub.group; h = h->next) {
        struct trace_packet p;
        trace_packet_decode(&h->raw, false, &p);
        move_seen(s, &p, &cc->pub, TRACE_S2C);
    }
    session_moves_drop(cc);
}
