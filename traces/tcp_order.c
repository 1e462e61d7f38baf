/* TCP bytes in order: what waits, what is missing, when a hole is given up.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_internal.h"

#include <stdlib.h>

/* All flows together: a capture cannot make us keep more, however many connections it opens. */
static const size_t HOLD_TOTAL = (size_t)64 << 20;

/* ---- events ---- */

/* n bytes of this side will never come. */
static void skip(struct trace_tcp *t, struct tcp_flow *f, int slot, uint32_t n, uint64_t frame, uint64_t ts_ns)
{
    int dir = tcp_direction(f, slot);
    f->side[slot].next += n;
    f->pub.bytes[dir] += n;
    f->pub.gap[dir] = true;
    if (t->ev.gap)
        t->ev.gap(t->ctx, &f->pub, dir, n, frame, ts_ns);
}

/* Nothing is kept any more: the stream is as long as the furthest byte seen. */
static void count(struct tcp_flow *f, int slot, uint32_t end)
{
    struct tcp_side *s = &f->side[slot];
    uint32_t n = tcp_ahead(end, s->next);
    s->next += n;
    f->pub.bytes[tcp_direction(f, slot)] += n;
}

/* The next wire_len bytes of this side, of which `bytes` were captured. */
static void give(struct trace_tcp *t, struct tcp_flow *f, int slot, struct smc_view bytes, uint32_t wire_len,
                 uint64_t frame, uint64_t ts_ns)
{
    int dir = tcp_direction(f, slot);
    uint32_t len = (uint32_t)smc_view_len(bytes);
    f->side[slot].next += len;
    f->pub.bytes[dir] += len;
    if (len > 0 && t->ev.data)
        t->ev.data(t->ctx, &f->pub, dir, bytes, frame, ts_ns);
    if (len < wire_len && !f->count_only)
        skip(t, f, slot, wire_len - len, frame, ts_ns);
    else if (len < wire_len) /* the listener lost interest just now */
        count(f, slot, f->side[slot].next + wire_len - len);
}

/* ---- what waits ---- */

void trace_tcp_order_drop(struct trace_tcp *t, struct tcp_side *s)
{
    if (!s->hold)
        return;
    t->held_bytes -= s->hold->bytes;
    trace_hold_clear(s->hold);
    free(s->hold);
    s->hold = NULL;
    s->slow &= (uint8_t)~SLOW_HOLD;
}

/* Delivers what waited for exactly this point. A callback may take the hold away (trace_tcp_count_only). */
static void drain(struct trace_tcp *t, struct tcp_flow *f, int slot)
{
    struct tcp_side *s = &f->side[slot];
    while (s->hold && s->hold->n > 0 && trace_hold_front(s->hold)->at == s->next) {
        struct trace_held *e = trace_hold_pop(s->hold);
        t->held_bytes -= trace_held_bytes(e);
        give(t, f, slot, trace_held_view(e), e->wire_len, e->frame, e->ts_ns);
        free(e);
    }
    if (s->hold && s->hold->n == 0)
        trace_tcp_order_drop(t, s);
}

static void skip_to_held(struct trace_tcp *t, struct tcp_flow *f, int slot, uint64_t frame, uint64_t ts_ns)
{
    struct tcp_side *s = &f->side[slot];
    skip(t, f, slot, trace_hold_front(s->hold)->at - s->next, frame, ts_ns);
    drain(t, f, slot);
}

/* Too much waits: the hole is given up. */
static void limit_hold(struct trace_tcp *t, struct tcp_flow *f, int slot)
{
    struct tcp_side *s = &f->side[slot];
    while (s->hold && (s->hold->bytes > TRACE_TCP_HOLD_BYTES || t->held_bytes > HOLD_TOTAL))
        skip_to_held(t, f, slot, t->now_frame, t->now_ns);
}

/* Keeps a segment that is ahead. Returns how many bytes of it are new, -1 if memory is short. */
static int64_t hold_segment(struct trace_tcp *t, struct tcp_side *s, uint32_t seq, uint32_t len,
                            const struct trace_packet *p)
{
    uint32_t fresh;
    if (!s->hold && !(s->hold = calloc(1, sizeof *s->hold)))
        return -1;
    s->slow |= SLOW_HOLD;
    struct trace_held like = {.at = seq, .wire_len = len, .frame = p->raw.frame, .ts_ns = p->raw.ts_ns};
    size_t before = s->hold->bytes;
    int rc = trace_hold_bytes(s->hold, s->next, &like, smc_view_sub(p->payload, 0, len), &fresh);
    t->held_bytes += s->hold->bytes - before;
    if (s->hold->n == 0)
        trace_tcp_order_drop(t, s);
    return rc != 0 ? -1 : (int64_t)fresh;
}

/* Forgets what `next` has caught up with; reports a FIN whose turn it is. */
static void settle(struct trace_tcp *t, struct tcp_flow *f, int slot)
{
    struct tcp_side *s = &f->side[slot];
    if ((s->slow & SLOW_FIN) && tcp_ahead(s->fin_seq, s->next) == 0) {
        int dir = tcp_direction(f, slot);
        s->slow &= (uint8_t)~SLOW_FIN;
        s->fin_done = true;
        s->next = s->fin_seq + 1;
        f->pub.fin[dir] = true;
        if (t->ev.fin)
            t->ev.fin(t->ctx, &f->pub, dir, s->fin_frame, s->fin_ns);
    }
    if ((s->slow & SLOW_SEEN) && tcp_ahead(s->seen, s->next) == 0)
        s->slow &= (uint8_t)~SLOW_SEEN;
    if ((s->slow & SLOW_ACKED) && tcp_ahead(s->acked, s->next) == 0) {
        s->fin_acked = s->fin_done;
        s->slow &= (uint8_t)~SLOW_ACKED;
    }
}

/* Where the hole at `next` surely ends; `next` if none is known. A single byte that only an empty segment
 * shows to be missing may be a FIN that was not captured: that is no hole. */
static uint32_t hole_end(const struct tcp_side *s)
{
    if (s->hold)
        return trace_hold_front(s->hold)->at;
    if (s->slow & SLOW_FIN)
        return s->fin_seq;
    if ((s->slow & SLOW_SEEN) && tcp_ahead(s->seen, s->next) > 1)
        return s->seen;
    return s->next;
}

/* Gives up what the receiver has acknowledged and nobody captured. An ACK alone is not enough: a capture may show
 * it before the data. The sender must have been seen behind the hole as well. */
static void resolve(struct trace_tcp *t, struct tcp_flow *f, int slot)
{
    struct tcp_side *s = &f->side[slot];
    while ((s->slow & SLOW_ACKED) && !f->count_only) {
        uint32_t acked = tcp_ahead(s->acked, s->next);
        uint32_t hole = tcp_ahead(hole_end(s), s->next);
        uint32_t n = acked < hole ? acked : hole;
        if (n == 0)
            break;
        skip(t, f, slot, n, t->now_frame, t->now_ns);
        drain(t, f, slot);
    }
    settle(t, f, slot);
}

/* The flow or the capture ends: everything that waits comes now. */
void trace_tcp_order_flush(struct trace_tcp *t, struct tcp_flow *f, int slot)
{
    struct tcp_side *s = &f->side[slot];
    while (s->hold)
        skip_to_held(t, f, slot, t->now_frame, t->now_ns);
    if (!f->count_only && (s->slow & SLOW_FIN) && tcp_ahead(s->fin_seq, s->next) > 0)
        skip(t, f, slot, s->fin_seq - s->next, t->now_frame, t->now_ns);
    settle(t, f, slot);
    if (f->count_only || s->fin_done)
        return;
    uint32_t acked = s->slow & SLOW_ACKED ? tcp_ahead(s->acked, s->next) : 0;
    uint32_t seen = s->slow & SLOW_SEEN ? tcp_ahead(s->seen, s->next) : 0;
    uint32_t n = acked > seen ? acked : seen;
    if (n > 1) /* one byte may be the FIN: see hole_end() */
        skip(t, f, slot, n, t->now_frame, t->now_ns);
}

/* In order, but something waits further on: its bytes came first. */
static void give_around(struct trace_tcp *t, struct tcp_flow *f, int slot, uint32_t seq, uint32_t len,
                        const struct trace_packet *p)
{
    struct tcp_side *s = &f->side[slot];
    uint32_t end = seq + len;
    while (!f->count_only && tcp_ahead(end, s->next) > 0) {
        uint32_t n = end - s->next;
        if (s->hold && trace_hold_front(s->hold)->at - s->next < n)
            n = trace_hold_front(s->hold)->at - s->next;
        give(t, f, slot, smc_view_sub(p->payload, s->next - seq, n), n, p->raw.frame, p->raw.ts_ns);
        drain(t, f, slot);
    }
    if (f->count_only)
        count(f, slot, end);
}

void trace_tcp_order_count(struct trace_tcp *t, struct tcp_flow *f, int slot)
{
    struct tcp_side *s = &f->side[slot];
    if (!s->hold)
        return;
    const struct trace_held *e = trace_hold_at(s->hold, s->hold->n - 1);
    count(f, slot, e->at + e->wire_len);
    trace_tcp_order_drop(t, s);
}

/* ---- one segment ---- */

/* A capture that begins in the middle may begin with a keepalive probe, which is one byte behind. */
static void forgive_probe(struct tcp_flow *f, int slot, uint32_t seq)
{
    struct tcp_side *s = &f->side[slot];
    bool fresh = s->next == s->start && (s->slow & ~SLOW_ACKED) == 0;
    if (seq == s->next + 1 && fresh && !f->pub.syn_seen[tcp_direction(f, slot)])
        s->start = s->next = seq;
}

struct tcp_segment trace_tcp_order_look(struct trace_tcp *t, struct tcp_flow *f, int slot, const struct trace_packet *p)
{
    struct tcp_side *s = &f->side[slot];
    struct tcp_segment g = {.seq = p->tcp.seq + (p->tcp.syn ? 1 : 0), .len = p->payload_wire_len};
    if (s->fin_done) {
        g.len = 0;
        return g;
    }
    g.fresh_fin = p->tcp.fin && !(s->slow & SLOW_FIN) && tcp_ahead(g.seq + g.len + 1, s->next) > 0;
    if ((s->slow & SLOW_FIN) && (int32_t)(g.seq + g.len - s->fin_seq) > 0)
        g.len = (int32_t)(s->fin_seq - g.seq) > 0 ? s->fin_seq - g.seq : 0;
    if (g.len == 0)
        return g;
    forgive_probe(f, slot, g.seq);
    g.fresh_bytes = tcp_ahead(g.seq + g.len, s->next) > 0;
    if (g.fresh_bytes && tcp_ahead(g.seq, s->next) > 0 && !f->count_only) {
        int64_t fresh = hold_segment(t, s, g.seq, g.len, p);
        g.no_memory = fresh < 0;
        g.fresh_bytes = fresh != 0;
    }
    return g;
}

/* The sender is ahead of what we have: there is a hole. */
static void note_seen(struct tcp_side *s, uint32_t seq)
{
    if (tcp_ahead(seq, s->next) == 0)
        return;
    if (!(s->slow & SLOW_SEEN) || tcp_ahead(seq, s->seen) > 0)
        s->seen = seq;
    s->slow |= SLOW_SEEN;
}

static void note_fin(struct tcp_side *s, uint32_t seq, const struct trace_packet *p)
{
    s->slow |= SLOW_FIN;
    s->fin_seq = seq;
    s->fin_frame = p->raw.frame;
    s->fin_ns = p->raw.ts_ns;
}

void trace_tcp_order_take(struct trace_tcp *t, struct tcp_flow *f, int slot, const struct trace_packet *p,
                    const struct tcp_segment *g)
{
    struct tcp_side *s = &f->side[slot];
    uint32_t end = g->seq + g->len;
    if (s->fin_done)
        return;
    if (g->fresh_fin)
        note_fin(s, end, p);
    if (f->count_only)
        count(f, slot, end);
    else if (g->seq == s->next && !s->hold)
        give(t, f, slot, smc_view_sub(p->payload, 0, g->len), g->len, p->raw.frame, p->raw.ts_ns);
    else if (tcp_ahead(g->seq, s->next) > 0)
        note_seen(s, g->seq);
    else if (g->len > 0)
        give_around(t, f, slot, g->seq, g->len, p);
    if (s->slow) {
        limit_hold(t, f, slot);
        resolve(t, f, slot);
    }
}

void trace_tcp_order_ack(struct trace_tcp *t, struct tcp_flow *f, int slot, uint32_t ack)
{
    struct tcp_side *s = &f->side[slot];
    if (!s->known)
        return;
    if (ack == s->next)
        s->fin_acked = s->fin_done;
    if (s->fin_done || tcp_ahead(ack, s->next) == 0)
        return;
    if (!(s->slow & SLOW_ACKED) || tcp_ahead(ack, s->acked) > 0)
        s->acked = ack;
    s->slow |= SLOW_ACKED;
    resolve(t, f, slot);
}
