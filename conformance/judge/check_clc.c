/* CLC: hands each event to the checks of its kind and keeps what they share.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "check_clc.h"

struct clc_conn *clc_conn_of(struct trace_conn *c)
{
    return judge_state(judge_conn_slot(c, JUDGE_AREA_CLC), sizeof(struct clc_conn));
}

struct clc_capture *clc_capture_of(struct judge *j)
{
    return judge_state(judge_slot(j, JUDGE_AREA_CLC), sizeof(struct clc_capture));
}

bool clc_impl_binds(const struct trace_clc_event *e)
{
    if (e->version >= 2)
        return true;
    if (smc_view_len(e->bytes) < 8)
        return false;
    /* In a Proposal the low bits are typev1, whose bit 0 is SMC-D; in Accept and Confirm the path, 1 is SMC-D. */
    return e->type >= SMC_CLC_PROPOSAL && e->type <= SMC_CLC_CONFIRM && (e->bytes.p[7] & 1) != 0;
}

int clc_acknowledges(const struct clc_conn *s, int side, uint64_t frame, uint32_t at)
{
    const struct clc_stream *own = &s->stream[side];
    if (!own->ack_known || own->ack_frame != frame)
        return -1;
    return (int32_t)(own->ack - at) >= 0;
}

bool clc_capture_lacks(const struct clc_conn *s, int side, uint64_t frame)
{
    const struct clc_stream *own = &s->stream[side], *other = &s->stream[!side];
    return !own->ack_known || own->ack_frame != frame || own->holes || other->holes ||
           (int32_t)(own->ack - other->seen_end) > 0;
}

static void keep_position(struct clc_conn *s, int dir, const struct trace_packet *p)
{
    struct clc_stream *own = &s->stream[dir], *other = &s->stream[!dir];
    if (p->tcp.syn && !own->base_known) {
        own->base_known = true;
        own->base = p->tcp.seq + 1;
    }
    own->ack_frame = p->raw.frame;
    own->ack_ns = p->raw.ts_ns;
    own->ack_known = p->tcp.has_ack && other->base_known;
    own->ack = p->tcp.ack - other->base;
    own->holes |= p->cut;
    uint32_t end = p->tcp.seq - own->base + p->payload_wire_len;
    if (own->base_known && p->payload_wire_len > 0 && (int32_t)(end - own->seen_end) > 0) {
        own->seen_end = end;
        own->seen_ns = p->raw.ts_ns;
    }
}

static bool in_handshake(const struct trace_conn *c)
{
    return c->phase == TRACE_CLC_PROPOSAL || c->phase == TRACE_CLC_ACCEPT || c->phase == TRACE_CLC_CONFIRM;
}

static void segment(void *ctx, struct trace_conn *c, int dir, const struct trace_packet *p, bool duplicate)
{
    (void)duplicate;
    if ((!in_handshake(c) && c->phase != TRACE_CLC_DONE && c->phase != TRACE_CLC_DECLINED) ||
        (!c->option[0] && !c->option[1]))
        return;
    struct clc_conn *s = clc_conn_of(c);
    if (s == NULL)
        return;
    keep_position(s, dir, p);
    if (dir == TRACE_S2C)
        clc_exchange_late(ctx, s, !p->tcp.rst);
    if (p->tcp.rst && in_handshake(c))
        clc_exchange_segment(ctx, c, s, dir, p);
}

static void clc(void *ctx, const struct trace_clc_event *e)
{
    struct clc_conn *s = clc_conn_of(e->conn);
    if (s == NULL)
        return;
    struct clc_stream *own = &s->stream[e->side];
    own->msg_start = own->msg_end;
    own->msg_end += (uint32_t)smc_view_len(e->bytes);
    clc_message(ctx, e, s);
    if (e->broken)
        return;
    clc_exchange(ctx, e, s);
    clc_react(ctx, e, s);
    if (e->accept_valid && e->accept.type == SMC_CLC_ACCEPT && e->side == TRACE_S2C) {
        clc_negotiate_accept(ctx, e);
        clc_group_accept(ctx, e);
    } else if (e->accept_valid && e->accept.type == SMC_CLC_CONFIRM && e->side == TRACE_C2S) {
        clc_negotiate_confirm(ctx, e);
        clc_group_confirm(ctx, e);
    } else if (e->decline_valid) {
        clc_group_decline(ctx, e);
    }
}

static void plain(void *ctx, struct trace_conn *c, int side, struct smc_view bytes, uint64_t frame, uint64_t ts_ns)
{
    (void)ts_ns;
    if (c->phase != TRACE_CLC_BROKEN && c->phase != TRACE_CLC_DECLINED)
        return;
    struct clc_conn *s = clc_conn_of(c);
    if (s == NULL)
        return;
    if (s->odd[!side].pending)
        judge_holds(ctx, s->odd[!side].req, true);
    s->odd[!side].pending = false;
    if (c->phase == TRACE_CLC_BROKEN) {
        clc_after_broken(ctx, c, s, side, bytes, frame);
    } else if (!s->after_decline) {
        s->after_decline = true;
        judge_holds(ctx, REQ_CLC_046, true); /* plain TCP, as it should be */
    }
}

static void fin(void *ctx, struct trace_conn *c, int side, uint64_t frame, uint64_t ts_ns)
{
    struct clc_conn *s = clc_conn_of(c);
    if (s == NULL)
        return;
    if (s->cut_frame[side] != 0)
        clc_message_cut(ctx, c, side, s->cut_frame[side]);
    clc_react_end(ctx, c, s, side, false, frame, ts_ns);
}

static void rst(void *ctx, struct trace_conn *c, int side, uint64_t frame, uint64_t ts_ns)
{
    struct clc_conn *s = clc_conn_of(c);
    if (s != NULL)
        clc_react_end(ctx, c, s, side, true, frame, ts_ns);
}

static void llc(void *ctx, const struct trace_llc_event *e)
{
    if (!e->valid)
        return;
    clc_group_llc(ctx, e);
    if (e->link != NULL)
        clc_rdma_llc(ctx, e);
}

static void write_seen(void *ctx, const struct trace_write_event *e)
{
    if (e->link != NULL && e->side >= 0)
        clc_rdma_write(ctx, e);
}

static void rc_ack(void *ctx, struct trace_stream *s, struct trace_link *l, const struct trace_packet *p)
{
    if (l != NULL)
        clc_rdma_ack(ctx, l, s, p);
}

/* The rules on late Declines were kept by whoever never sent one. */
static void conn_end(void *ctx, struct trace_conn *c)
{
    struct clc_conn *s = *judge_conn_slot(c, JUDGE_AREA_CLC);
    if (s != NULL && c->side[TRACE_S2C].cdc_count > 0)
        clc_exchange_late(ctx, s, true);
    clc_group_conn_end(ctx, c);
    if (!c->confirmed || !c->accepted || c->declined)
        return;
    if (c->first_contact && c->mode == TRACE_MODE_SMCR) {
        judge_holds(ctx, REQ_CLC_050, true);
    } else if (!c->first_contact) {
        judge_holds(ctx, REQ_CLC_048, true);
        judge_holds(ctx, REQ_CLC_049, true);
    }
}

const struct trace_session_events judge_clc_events = {.segment = segment, .clc = clc, .plain = plain, .fin = fin,
    .rst = rst, .llc = llc, .write = write_seen, .rc_ack = rc_ack, .conn_end = conn_end};
