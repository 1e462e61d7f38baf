/* Requests in PSN order: duplicates, what waits, when a hole is given up.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "qp_internal.h"

#include <stdlib.h>

/* All streams together: a capture cannot make us keep more, however many queue pairs it shows. */
static const size_t HOLD_TOTAL = (size_t)64 << 20;
/* No requester has more packets under way: an ACK further ahead belongs to another queue pair. */
static const uint32_t ACK_WINDOW = 1 << 15;

static void skip(struct trace_qp *t, struct qp_stream *s, uint32_t n)
{
    uint32_t psn = s->pub.next_psn;
    s->pub.next_psn = (psn + n) & QP_PSN_MASK;
    s->pub.gaps++;
    s->skippable = 0;
    trace_qp_message_skip(s, n);
    if (t->ev.gap)
        t->ev.gap(t->ctx, &s->pub, psn, n, t->now_frame, t->now_ns);
}

static void deliver(struct trace_qp *t, struct qp_stream *s, const struct qp_arrival *a)
{
    s->pub.next_psn = (a->roce->psn + 1) & QP_PSN_MASK;
    s->skippable = 0;
    trace_qp_message_deliver(t, s, a);
}

/* ---- what waits ---- */

void trace_qp_order_drop(struct trace_qp *t, struct qp_stream *s)
{
    t->held_bytes -= s->hold.bytes;
    trace_hold_clear(&s->hold);
}

static void deliver_held(struct trace_qp *t, struct qp_stream *s, const struct trace_held *e)
{
    struct trace_roce roce;
    memcpy(&roce, e->data, sizeof roce);
    struct qp_arrival a = {&roce, trace_held_view(e), e->wire_len, e->frame, e->ts_ns, e->ts_ns, NULL};
    deliver(t, s, &a);
}

static void earliest(struct qp_stream *s)
{
    s->held_ns = UINT64_MAX;
    for (size_t i = 0; i < s->hold.n; i++)
        if (trace_hold_at(&s->hold, i)->ts_ns < s->held_ns)
            s->held_ns = trace_hold_at(&s->hold, i)->ts_ns;
}

static void drain(struct trace_qp *t, struct qp_stream *s)
{
    bool any = false;
    while (!s->dead && s->hold.n > 0 && trace_hold_front(&s->hold)->at == s->pub.next_psn) {
        struct trace_held *e = trace_hold_pop(&s->hold);
        t->held_bytes -= trace_held_bytes(e);
        deliver_held(t, s, e);
        free(e);
        any = true;
    }
    if (any)
        earliest(s);
    if (s->hold.n == 0)
        trace_hold_clear(&s->hold);
}

static void skip_to_held(struct trace_qp *t, struct qp_stream *s)
{
    uint32_t hole = qp_distance(trace_hold_front(&s->hold)->at, s->pub.next_psn);
    if (hole > 0) /* none if a listener ends the stream in the middle of a delivery */
        skip(t, s, hole);
    drain(t, s);
}

/* Gives up what the responder has acknowledged and nobody captured; only what stands before a packet that waits:
 * a capture may show the ACK before the request. */
static void resolve(struct trace_qp *t, struct qp_stream *s)
{
    while (!s->dead && s->hold.n > 0 && s->acked_ahead) {
        uint32_t hole = qp_distance(trace_hold_front(&s->hold)->at, s->pub.next_psn);
        uint32_t acked = qp_distance(s->acked_end, s->pub.next_psn);
        if (acked == 0 || acked >= QP_BEHIND)
            s->acked_ahead = false;
        else
            skip(t, s, acked < hole ? acked : hole);
        drain(t, s);
    }
}

static void limit_hold(struct trace_qp *t, struct qp_stream *s)
{
    while (!s->dead && s->hold.n > 0 && (s->hold.n > TRACE_QP_HOLD || t->held_bytes > HOLD_TOTAL))
        skip_to_held(t, s);
}

static void duplicate(struct trace_qp *t, struct qp_stream *s, const struct trace_packet *p)
{
    s->pub.duplicates++;
    if (t->ev.duplicate)
        t->ev.duplicate(t->ctx, &s->pub, p);
}

static void keep(struct trace_qp *t, struct qp_stream *s, const struct trace_packet *p)
{
    uint32_t psn = p->roce.psn;
    size_t i = trace_hold_find(&s->hold, s->pub.next_psn, QP_PSN_MASK, psn);
    if (i < s->hold.n && trace_hold_at(&s->hold, i)->at == psn) {
        duplicate(t, s, p);
        return;
    }
    struct trace_held like = {
        .at = psn, .wire_len = p->payload_wire_len, .frame = p->raw.frame, .ts_ns = p->raw.ts_ns};
    size_t before = s->hold.bytes;
    struct smc_view head = smc_view_of(&p->roce, sizeof p->roce);
    if (trace_hold_insert(&s->hold, i, &like, head, p->payload) != 0)
        t->no_memory = true;
    t->held_bytes += s->hold.bytes - before;
    if (s->hold.n == 1 || p->raw.ts_ns < s->held_ns)
        s->held_ns = p->raw.ts_ns;
    resolve(t, s);
    limit_hold(t, s);
}

void trace_qp_order_flush(struct trace_qp *t, struct qp_stream *s)
{
    while (!s->dead && s->hold.n > 0)
        skip_to_held(t, s);
    if (s->dead || !s->acked_ahead || !s->opened)
        return;
    uint32_t n = qp_distance(s->acked_end, s->pub.next_psn);
    s->acked_ahead = false;
    if (n > 0 && n < QP_BEHIND)
        skip(t, s, n);
}

/* ---- one packet ---- */

static void start_at(struct qp_stream *s, uint32_t psn)
{
    s->pub.started = true;
    s->pub.next_psn = s->first_psn = psn;
}

/* The first packet. If it is not where it was expected, the stream starts where it is. */
static void begin(struct trace_qp *t, struct qp_stream *s, uint32_t psn)
{
    if (!s->pub.started) {
        start_at(s, psn);
        return;
    }
    uint32_t distance = qp_distance(psn, s->pub.next_psn);
    if (distance <= TRACE_QP_HOLD || distance >= QP_PSN_MASK + 1 - TRACE_QP_HOLD)
        return;
    s->astray = true;
    skip(t, s, distance);
}

static void open_stream(struct trace_qp *t, struct qp_stream *s, const struct trace_packet *p)
{
    s->opened = true;
    s->pub.v1 = p->roce.v1;
    s->pub.first_frame = p->raw.frame;
    if (t->ev.open)
        t->ev.open(t->ctx, &s->pub, p);
    if (!s->dead)
        begin(t, s, p->roce.psn);
}

/* What was astray was of an older queue pair: here is the packet that was announced. */
static void return_to_start(struct trace_qp *t, struct qp_stream *s)
{
    s->astray = false;
    trace_qp_order_drop(t, s);
    trace_qp_message_free(s);
    s->pub.next_psn = s->first_psn;
    s->acked_ahead = false;
}

void trace_qp_order_request(struct trace_qp *t, struct qp_stream *s, const struct trace_packet *p)
{
    uint32_t psn = p->roce.psn;
    if (!s->opened)
        open_stream(t, s, p);
    if (s->dead)
        return;
    if (s->astray && psn == s->first_psn && s->pub.requests <= TRACE_QP_HOLD)
        return_to_start(t, s);
    uint32_t distance = qp_distance(psn, s->pub.next_psn);
    if (distance == 0 || (distance <= s->skippable && s->hold.n == 0)) {
        uint64_t posted = s->hold.n > 0 && s->held_ns < p->raw.ts_ns ? s->held_ns : p->raw.ts_ns;
        struct qp_arrival a = {&p->roce, p->payload, p->payload_wire_len, p->raw.frame, p->raw.ts_ns, posted, p};
        deliver(t, s, &a);
        if (s->hold.n > 0) {
            drain(t, s);
            resolve(t, s);
        }
    } else if (distance < QP_BEHIND) {
        keep(t, s, p);
    } else {
        duplicate(t, s, p);
    }
}

void trace_qp_order_ack(struct trace_qp *t, struct qp_stream *s, uint32_t end)
{
    uint32_t last = (end - 1) & QP_PSN_MASK;
    if (!s->pub.has_acked || qp_distance(last, s->pub.acked_psn) < QP_BEHIND)
        s->pub.acked_psn = last;
    s->pub.has_acked = true;
    uint32_t distance = qp_distance(end, s->pub.next_psn);
    if (!s->pub.started || distance == 0 || distance > ACK_WINDOW)
        return;
    if (!s->acked_ahead || distance > qp_distance(s->acked_end, s->pub.next_psn))
        s->acked_end = end;
    s->acked_ahead = true;
    resolve(t, s);
}
