/* RDMA WRITE packets and SEND messages out of requests in PSN order.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "qp_internal.h"

#include <stdlib.h>

enum { SEND_KEEP = 64 << 10 };

/* What an opcode says of its packet's place in the message. */
struct part {
    uint8_t doing;
    bool first, last;
};

static const struct part parts[] = {
    [SMC_BTH_SEND_FIRST] = {QP_SENDING, true, false},
    [SMC_BTH_SEND_MIDDLE] = {QP_SENDING, false, false},
    [SMC_BTH_SEND_LAST] = {QP_SENDING, false, true},
    [SMC_BTH_SEND_LAST_IMM] = {QP_SENDING, false, true},
    [SMC_BTH_SEND_ONLY] = {QP_SENDING, true, true},
    [SMC_BTH_SEND_ONLY_IMM] = {QP_SENDING, true, true},
    [SMC_BTH_WRITE_FIRST] = {QP_WRITING, true, false},
    [SMC_BTH_WRITE_MIDDLE] = {QP_WRITING, false, false},
    [SMC_BTH_WRITE_LAST] = {QP_WRITING, false, true},
    [SMC_BTH_WRITE_LAST_IMM] = {QP_WRITING, false, true},
    [SMC_BTH_WRITE_ONLY] = {QP_WRITING, true, true},
    [SMC_BTH_WRITE_ONLY_IMM] = {QP_WRITING, true, true},
    [SMC_BTH_SEND_LAST_INV] = {QP_SENDING, false, true},
    [SMC_BTH_SEND_ONLY_INV] = {QP_SENDING, true, true},
};

static struct part part_of(uint8_t opcode)
{
    struct part none = {QP_NOTHING, false, false};
    return opcode < sizeof parts / sizeof parts[0] ? parts[opcode] : none;
}

void trace_qp_message_free(struct qp_stream *s)
{
    free(s->msg.buf);
    s->msg = (struct qp_message){0};
}

static struct trace_request request_of(const struct qp_arrival *a)
{
    return (struct trace_request){
        .frame = a->frame,
        .first_frame = a->frame,
        .ts_ns = a->ts_ns,
        .posted_ns = a->posted_ns,
        .psn = a->roce->psn,
        .has_imm = a->roce->has_imm,
        .imm = a->roce->imm,
        .len = a->wire_len,
        .bytes = a->bytes,
        .solicited = a->roce->solicited,
        .packet = a->packet,
    };
}

/* ---- WRITE ---- */

static void write_begin(struct qp_message *m, const struct qp_arrival *a)
{
    m->doing = QP_WRITING;
    m->rkey = a->roce->rkey;
    m->va = a->roce->va;
    m->dma_length = a->roce->dma_length;
    m->mtu = a->wire_len;
    m->offset = 0;
    m->first_frame = a->frame;
}

static void deliver_write(struct trace_qp *t, struct qp_stream *s, const struct qp_arrival *a, struct part part)
{
    struct qp_message *m = &s->msg;
    struct trace_request r = request_of(a);
    if (part.first)
        write_begin(m, a);
    r.first = part.first;
    r.last = part.last;
    r.headless = m->doing != QP_WRITING;
    if (!r.headless) {
        r.first_frame = m->first_frame;
        r.rkey = m->rkey;
        r.va = m->va + m->offset;
        r.dma_length = m->dma_length;
        m->offset += a->wire_len;
    }
    if (part.last)
        m->doing = QP_NOTHING;
    if (t->ev.write)
        t->ev.write(t->ctx, &s->pub, &r);
}

/* All packets of a message but the last are equally long, so a gap that ends before the message does
 * leaves no doubt where the rest goes. */
static void write_skip(struct qp_message *m, uint32_t n)
{
    uint64_t offset = m->offset + (uint64_t)n * m->mtu;
    if (m->mtu > 0 && offset < m->dma_length)
        m->offset = offset;
    else
        m->doing = QP_NOTHING;
}

/* ---- SEND ---- */

static void send_begin(struct qp_message *m, const struct qp_arrival *a, bool broken)
{
    m->doing = QP_SENDING;
    m->broken = broken;
    m->first_frame = a->frame;
    m->wire_len = 0;
    m->len = 0;
}

static bool send_reserve(struct qp_message *m, uint32_t len)
{
    if (len <= m->cap)
        return true;
    uint32_t cap = m->cap ? m->cap : 4096;
    while (cap < len)
        cap *= 2;
    uint8_t *buf = realloc(m->buf, cap);
    if (!buf)
        return false;
    m->buf = buf;
    m->cap = cap;
    return true;
}

/* Appends as long as everything before was captured; what is kept is always a prefix. */
static void send_append(struct trace_qp *t, struct qp_message *m, const struct qp_arrival *a)
{
    uint32_t n = (uint32_t)smc_view_len(a->bytes);
    bool whole = m->len == m->wire_len && !m->broken;
    m->wire_len += a->wire_len;
    if (n > SEND_KEEP - m->len)
        n = SEND_KEEP - m->len;
    if (!whole || n == 0)
        return;
    if (!send_reserve(m, m->len + n)) {
        t->no_memory = true;
        m->broken = true;
        return;
    }
    memcpy(m->buf + m->len, a->bytes.p, n);
    m->len += n;
}

static void emit_send(struct trace_qp *t, struct qp_stream *s, struct trace_request *r)
{
    r->first = r->last = true;
    if (t->ev.send)
        t->ev.send(t->ctx, &s->pub, r);
}

static void deliver_send(struct trace_qp *t, struct qp_stream *s, const struct qp_arrival *a, struct part part)
{
    struct qp_message *m = &s->msg;
    struct trace_request r = request_of(a);
    if (part.first && part.last) { /* the usual case: nothing is copied */
        m->doing = QP_NOTHING;
        emit_send(t, s, &r);
        return;
    }
    if (part.first || m->doing != QP_SENDING)
        send_begin(m, a, !part.first);
    send_append(t, m, a);
    if (!part.last)
        return;
    r.first_frame = m->first_frame;
    r.headless = m->broken;
    r.len = m->wire_len;
    r.bytes = smc_view_of(m->buf, m->len);
    /* The listener may flush this very stream: the bytes it reads must not be reused meanwhile. (No buffer is
     * kept for the next message: one of several packets is rare.) */
    uint8_t *buf = m->buf;
    *m = (struct qp_message){0};
    emit_send(t, s, &r);
    free(buf);
}

/* ---- both ---- */

static void deliver_other(struct trace_qp *t, struct qp_stream *s, const struct qp_arrival *a)
{
    struct trace_request r = request_of(a);
    r.first = r.last = true;
    r.rkey = a->roce->rkey;
    r.va = a->roce->va;
    r.dma_length = a->roce->dma_length;
    s->msg.doing = QP_NOTHING;
    /* Each response packet of a READ uses up one PSN; 256 bytes is the smallest path MTU. */
    if (a->roce->opcode == SMC_BTH_READ_REQUEST)
        s->skippable = a->roce->dma_length / 256;
    if (t->ev.other)
        t->ev.other(t->ctx, &s->pub, &r, a->roce->opcode);
}

void trace_qp_message_deliver(struct trace_qp *t, struct qp_stream *s, const struct qp_arrival *a)
{
    struct part part = part_of(a->roce->opcode);
    s->pub.requests++;
    if (part.doing == QP_WRITING)
        deliver_write(t, s, a, part);
    else if (part.doing == QP_SENDING)
        deliver_send(t, s, a, part);
    else
        deliver_other(t, s, a);
}

void trace_qp_message_skip(struct qp_stream *s, uint32_t n)
{
    if (s->msg.doing == QP_WRITING)
        write_skip(&s->msg, n);
    else
        s->msg.broken = true;
}
