/* The tracker: packets to TCP and RC streams, and their events to the files that know CLC, LLC and CDC.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "session_internal.h"

#include "wire/tcp_option.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- TCP ---- */

static struct conn *conn_new(struct trace_session *s, struct trace_flow *f)
{
    struct conn *c = calloc(1, sizeof *c);
    if (!c) {
        s->short_of_memory = true;
        return NULL;
    }
    c->pub.id = f->id;
    snprintf(c->pub.name, sizeof c->pub.name, "c%llu", (unsigned long long)f->id);
    c->pub.flow = f;
    memcpy(c->pub.addr, f->addr, sizeof f->addr);
    memcpy(c->pub.port, f->port, sizeof f->port);
    c->pub.first_frame = f->first_frame;
    c->pub.first_ns = f->first_ns;
    c->pub.late = !f->syn_seen[0] && !f->syn_seen[1];
    c->pub.phase = c->pub.late ? TRACE_CLC_LATE : TRACE_CLC_PROPOSAL;
    c->next = s->conns;
    if (s->conns)
        s->conns->prev = c;
    s->conns = c;
    f->user = c;
    EMIT(s, conn_open, &c->pub);
    return c;
}

static bool has_smc_option(struct smc_view options)
{
    size_t at;
    unsigned length;
    return smc_tcp_option_find(options, &at, &length) == SMC_OPTION_PRESENT;
}

static void on_segment(void *ctx, struct trace_flow *f, int dir, const struct trace_packet *p, bool duplicate)
{
    struct trace_session *s = ctx;
    struct conn *c = f->user ? f->user : conn_new(s, f);
    if (!c)
        return;
    if (p->tcp.syn) {
        c->pub.option[dir] |= has_smc_option(p->tcp.options);
        /* A SYN captured after the SYN-ACK (or alone) still shows that we saw the beginning. */
        if (c->pub.late && c->pub.phase == TRACE_CLC_LATE) {
            c->pub.late = false;
            c->pub.phase = TRACE_CLC_PROPOSAL;
        }
    }
    EMIT(s, segment, &c->pub, dir, p, duplicate);
}

static void on_data(void *ctx, struct trace_flow *f, int dir, struct smc_view bytes, uint64_t frame, uint64_t ns)
{
    if (f->user)
        session_clc_bytes(ctx, f->user, dir, bytes, frame, ns);
}

void session_group_lost(struct trace_session *s, struct trace_group *g)
{
    g->incomplete = true;
    g->incomplete_ns = s->last_ns ? s->last_ns : 1;
}

static void on_gap(void *ctx, struct trace_flow *f, int dir, uint64_t n, uint64_t frame, uint64_t ns)
{
    struct trace_session *s = ctx;
    struct conn *c = f->user;
    if (!c)
        return;
    c->pub.incomplete = true;
    if (c->pub.group && !c->pub.confirmed) /* what its handshake agreed on is not known */
        session_group_lost(s, c->pub.group);
    EMIT(s, tcp_gap, &c->pub, dir, n, frame);
    session_clc_stop(s, c, dir, n ? n : 1, frame, ns);
}

static void settle_close(struct trace_conn *c)
{
    bool both = c->mode >= TRACE_MODE_SMCR && c->side[0].cdc_count + c->side[1].cdc_count > 0
                    ? c->side[0].closed && c->side[1].closed
                    : c->side[0].fin_frame && c->side[1].fin_frame;
    if (c->side[0].aborted || c->side[1].aborted || (c->rst && !both))
        c->closed = TRACE_CLOSED_ABORT;
    else if (both)
        c->closed = TRACE_CLOSED_NORMAL;
}

static void on_fin(void *ctx, struct trace_flow *f, int dir, uint64_t frame, uint64_t ns)
{
    struct trace_session *s = ctx;
    struct conn *c = f->user;
    if (!c)
        return;
    session_clc_stop(s, c, dir, 0, frame, ns);
    EMIT(s, fin, &c->pub, dir, frame, ns);
    c->pub.side[dir].fin_frame = frame;
    c->pub.side[dir].fin_ns = ns;
    settle_close(&c->pub);
}

static void on_rst(void *ctx, struct trace_flow *f, int dir, uint64_t frame, uint64_t ns)
{
    struct trace_session *s = ctx;
    struct conn *c = f->user;
    if (!c)
        return;
    session_clc_stop(s, c, dir, 0, frame, ns);
    EMIT(s, rst, &c->pub, dir, frame, ns);
    c->pub.side[dir].rst_frame = frame;
    c->pub.side[dir].rst_ns = ns;
    c->pub.rst = true;
    settle_close(&c->pub);
}

static void on_flow_end(void *ctx, struct trace_flow *f)
{
    struct trace_session *s = ctx;
    struct conn *c = f->user;
    if (!c)
        return;
    settle_close(&c->pub);
    EMIT(s, conn_end, &c->pub);
    session_group_detach(&c->pub);
    if (c->prev)
        c->prev->next = c->next;
    else
        s->conns = c->next;
    if (c->next)
        c->next->prev = c->prev;
    session_moves_drop(c);
    free(c->rx[0].buf);
    free(c->rx[1].buf);
    free(c->pub.proposal_bytes);
    free(c);
    f->user = NULL;
}

/* ---- RC ---- */

static void on_send(void *ctx, struct trace_stream *st, const struct trace_request *r)
{
    session_send(ctx, st, r);
}

static void on_write(void *ctx, struct trace_stream *st, const struct trace_request *r)
{
    session_write(ctx, st, r);
}

static void on_other(void *ctx, struct trace_stream *st, const struct trace_request *r, uint8_t opcode)
{
    struct trace_session *s = ctx;
    struct trace_link *l = NULL;
    int side;
    session_stream_link(s, st, &l, &side);
    EMIT(s, request_other, st, l, r, opcode);
}

/* Packets of a link are missing: what they wrote, announced or agreed is unknown. */
void session_link_lost(struct trace_session *s, struct trace_link *l, int side)
{
    session_group_lost(s, l->group);
    for (struct trace_conn *c = l->group->conns; c; c = c->group_next) {
        c->incomplete = true;
        c->side[side].spans_lost = true;
        c->side[side].seq_known = false;
    }
}

static void on_rc_gap(void *ctx, struct trace_stream *st, uint32_t psn, uint32_t n, uint64_t frame, uint64_t ns)
{
    struct trace_session *s = ctx;
    struct trace_link *l = NULL;
    int side;
    (void)psn;
    (void)ns;
    if (session_stream_link(s, st, &l, &side))
        session_link_lost(s, l, side);
    EMIT(s, rc_gap, st, l, n, frame);
}

static void on_ack(void *ctx, struct trace_stream *st, const struct trace_packet *p)
{
    struct trace_session *s = ctx;
    struct trace_link *l = NULL;
    int side;
    if (session_stream_link(s, st, &l, &side))
        session_delete_acked(l, side, p->roce.aeth_kind == 0 ? p->roce.psn : p->roce.psn - 1);
    EMIT(s, rc_ack, st, l, p);
}

static void on_duplicate(void *ctx, struct trace_stream *st, const struct trace_packet *p)
{
    struct trace_session *s = ctx;
    struct trace_link *l = NULL;
    int side;
    if (!s->ev.rc_duplicate)
        return;
    session_stream_link(s, st, &l, &side);
    s->ev.rc_duplicate(s->ctx, st, l, p);
}

static void on_stream_end(void *ctx, struct trace_stream *st)
{
    struct trace_session *s = ctx;
    for (struct trace_group *g = s->groups; g; g = g->next)
        for (struct trace_link *l = g->links; l; l = l->next)
            for (int i = 0; i < 2; i++)
                if (l->end[i].tx == st)
                    l->end[i].tx = NULL;
    session_orphans_drop(s, st);
    st->user = NULL;
}

/* ---- life ---- */

struct trace_session *trace_session_new(const struct trace_session_events *events, void *ctx)
{
    static const struct trace_tcp_events tcp_events = {.segment = on_segment, .data = on_data, .gap = on_gap,
                                                       .fin = on_fin, .rst = on_rst, .end = on_flow_end};
    static const struct trace_qp_events qp_events = {.send = on_send, .write = on_write, .other = on_other,
                                                     .gap = on_rc_gap, .duplicate = on_duplicate, .ack = on_ack,
                                                     .end = on_stream_end};
    struct trace_session *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->ev = *events;
    s->ctx = ctx;
    s->end_buckets = 1024;
    s->ends = calloc(s->end_buckets, sizeof(struct end_ref *));
    s->tcp = trace_tcp_new(&tcp_events, s);
    s->qp = trace_qp_new(&qp_events, s);
    if (!s->tcp || !s->qp || !s->ends) {
        trace_session_free(s);
        return NULL;
    }
    return s;
}

int trace_session_input(struct trace_session *s, const struct trace_raw *raw)
{
    struct trace_packet p;
    int result = 0;
    trace_packet_decode(raw, true, &p);
    s->packets++;
    s->packet = &p;
    s->last_frame = raw->frame;
    s->last_ns = raw->ts_ns;
    EMIT(s, packet, &p);
    if (p.proto == TRACE_TCP)
        result = trace_tcp_input(s->tcp, &p);
    else if (p.proto == TRACE_ROCE)
        result = trace_qp_input(s->qp, &p);
    else if (p.proto == TRACE_RECORD)
        session_record(s, &p);
    s->packet = NULL;
    if (s->packets >= s->next_sweep) {
        session_groups_sweep(s, raw->ts_ns);
        s->next_sweep = s->packets + 4096 + 8 * s->ngroups;
    }
    if (s->short_of_memory) {
        s->short_of_memory = false;
        result = -1;
    }
    return result;
}

void trace_session_finish(struct trace_session *s)
{
    trace_qp_finish(s->qp);
    EMIT(s, finish, s->last_frame, s->last_ns);
    trace_tcp_finish(s->tcp);
    while (s->groups)
        session_group_free(s, s->groups);
}

void trace_session_free(struct trace_session *s)
{
    if (!s)
        return;
    if (s->tcp && s->qp && s->ends && (s->groups || s->conns)) {
        memset(&s->ev, 0, sizeof s->ev); /* nobody listens any more */
        trace_session_finish(s);
    }
    trace_tcp_free(s->tcp);
    trace_qp_free(s->qp);
    free(s->ends);
    free(s);
}

uint64_t trace_session_packets(const struct trace_session *s)
{
    return s->packets;
}

struct trace_group *trace_session_groups(struct trace_session *s)
{
    return s->groups;
}

const char *trace_conn_fallback(const struct trace_conn *c)
{
    if (c->mode != TRACE_MODE_TCP)
        return NULL;
    if (c->declined)
        return c->decline_side == TRACE_C2S ? "declined by the client" : "declined by the server";
    if (!c->option[0] && !c->option[1])
        return NULL; /* nobody wanted SMC */
    if (!c->option[1])
        return "no SMC option in the SYN-ACK";
    if (!c->option[0])
        return "no SMC option in the SYN";
    return "no CLC message followed the TCP handshake";
}
