/* What the capture itself lacks: it began late, ended early, was cut, or misses packets. Never anybody's fault.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Silence is not a pass: where these things leave rules undecided, the result says so once a connection or group, with the
 * first requirement that suffers and what would be needed. */
#include "check.h"

/* Of the capture. */
struct capture_state {
    uint64_t orphans, orphan_frame; /* LLC and CDC of queue pairs that nothing captured names */
    uint64_t cut, cut_frame;        /* RoCE packets shorter than on the wire */
};

/* Of a group. */
struct group_state {
    uint64_t lost, lost_frame;
};

static struct capture_state *state_of(struct judge *j)
{
    return judge_state(judge_slot(j, JUDGE_AREA_CAPTURE), sizeof(struct capture_state));
}

static struct group_state *group_of(struct trace_group *g)
{
    return g ? judge_state(judge_group_slot(g, JUDGE_AREA_CAPTURE), sizeof(struct group_state)) : NULL;
}

static void on_packet(void *ctx, const struct trace_packet *p)
{
    if (p->proto != TRACE_ROCE || !p->cut)
        return;
    struct capture_state *s = state_of(ctx);
    if (s && s->cut++ == 0)
        s->cut_frame = p->raw.frame;
}

static void orphan(struct judge *j, uint64_t frame)
{
    struct capture_state *s = state_of(j);
    if (s && s->orphans++ == 0)
        s->orphan_frame = frame;
}

static void on_llc(void *ctx, const struct trace_llc_event *e)
{
    if (!e->link)
        orphan(ctx, e->request->frame);
    else if (e->replayed) { /* counted before its link was named */
        struct capture_state *s = state_of(ctx);
        if (s && s->orphans && --s->orphans == 0)
            s->orphan_frame = 0;
    }
}

static void on_cdc(void *ctx, const struct trace_cdc_event *e)
{
    if (!e->smcd && !e->link)
        orphan(ctx, e->frame);
}

static void on_group_open(void *ctx, struct trace_group *g)
{
    if (g->late)
        judge_inconclusive(ctx, &(struct judge_case){.req = REQ_LLC_009, .side = -1, .frame = g->first_frame, .group = g, .offset = -1},
                           "link group %s is older than the capture: its first contact, links and earlier rkeys are not known; "
                           "capture from before the first connection to judge them", g->name);
}

static void on_rc_gap(void *ctx, struct trace_stream *st, struct trace_link *l, uint32_t n, uint64_t frame)
{
    struct group_state *g = l ? group_of(l->group) : NULL;
    (void)ctx;
    (void)st;
    if (g && (g->lost += n) == n)
        g->lost_frame = frame;
}

static void on_group_end(void *ctx, struct trace_group *g)
{
    struct group_state *x = group_of(g);
    if (x && x->lost)
        judge_inconclusive(ctx, &(struct judge_case){.req = REQ_CDC_007, .side = -1, .frame = x->lost_frame, .group = g, .offset = -1},
                           "%llu packets of link group %s were acknowledged but are missing from the capture: order, numbers and "
                           "replies around them cannot be judged", (unsigned long long)x->lost, g->name);
}

static void on_tcp_gap(void *ctx, struct trace_conn *c, int side, uint64_t n, uint64_t frame)
{
    if (c->phase != TRACE_CLC_PROPOSAL && c->phase != TRACE_CLC_ACCEPT && c->phase != TRACE_CLC_CONFIRM)
        return;
    judge_inconclusive(ctx, &(struct judge_case){.req = REQ_CLC_006, .side = -1, .frame = frame, .conn = c, .offset = -1},
                       "%llu bytes that the %s sent during the CLC handshake are missing from the capture (cut or lost packets)",
                       (unsigned long long)n, side == TRACE_C2S ? "client" : "server");
}

static void on_conn_end(void *ctx, struct trace_conn *c)
{
    bool smc = c->mode == TRACE_MODE_SMCR || (c->mode == TRACE_MODE_SMCD && c->side[0].cdc_count + c->side[1].cdc_count > 0);
    if (smc && c->closed == TRACE_CLOSED_OPEN)
        judge_inconclusive(ctx, &(struct judge_case){.req = REQ_CLOSE_001, .side = -1, .conn = c, .offset = -1},
                           "the capture ends before the connection is closed: its close cannot be judged");
}

static void on_finish(void *ctx, uint64_t last_frame, uint64_t last_ns)
{
    struct capture_state *s = state_of(ctx);
    (void)last_frame;
    (void)last_ns;
    if (s && s->orphans)
        judge_inconclusive(ctx, &(struct judge_case){.req = REQ_CDC_005, .side = -1, .frame = s->orphan_frame, .offset = -1},
                           "%llu LLC and CDC messages belong to queue pairs that no captured handshake names: the capture began late "
                           "or lacks the TCP connections; nothing of them can be judged", (unsigned long long)s->orphans);
    if (s && s->cut)
        judge_inconclusive(ctx, &(struct judge_case){.req = REQ_CDC_001, .side = -1, .frame = s->cut_frame, .offset = -1},
                           "%llu RoCE packets are cut by the snap length: their ICRC and what was cut cannot be checked; capture "
                           "with -s 0", (unsigned long long)s->cut);
}

const struct trace_session_events judge_capture_events = {
    .packet = on_packet,
    .llc = on_llc,
    .cdc = on_cdc,
    .group_open = on_group_open,
    .rc_gap = on_rc_gap,
    .group_end = on_group_end,
    .tcp_gap = on_tcp_gap,
    .conn_end = on_conn_end,
    .finish = on_finish,
};
