/* What the links carry against what CLC said: packet sizes, element addresses, readiness, delivered CONFIRM LINKs.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "check_clc.h"

/* A link's CONFIRM LINK messages. */
struct clc_link {
    struct {
        bool sent, delivered;
        uint32_t psn;
        uint64_t ns;
    } confirm[2];
};

static struct clc_link *state_of(struct trace_link *l)
{
    return judge_state(judge_link_slot(l, JUDGE_AREA_CLC), sizeof(struct clc_link));
}

/* PSNs are serial numbers of 24 bits. */
static bool covers(uint32_t acked, uint32_t psn)
{
    return ((acked - psn) & 0xffffff) < 0x800000;
}

bool clc_confirm_link_done(const struct trace_conn *c, int side, uint64_t *ns)
{
    struct clc_link *s = state_of(c->link);
    if (s == NULL || !s->confirm[side].sent || !s->confirm[side].delivered)
        return false;
    *ns = s->confirm[side].ns;
    return true;
}

void clc_rdma_llc(struct judge *j, const struct trace_llc_event *e)
{
    struct clc_link *s = state_of(e->link);
    (void)j;
    if (s == NULL)
        return;
    bool confirm = e->info.type == SMC_LLC_CONFIRM_LINK;
    if (confirm && !s->confirm[e->side].sent) {
        s->confirm[e->side].sent = true;
        s->confirm[e->side].psn = e->request->psn;
        s->confirm[e->side].ns = e->request->ts_ns;
    }
    /* The client's response answers the request; whatever the server says next, it had the response. */
    if (s->confirm[!e->side].sent && (e->info.response || !confirm))
        s->confirm[!e->side].delivered = true;
}

static void not_ready(struct judge *j, const struct trace_link *l, struct trace_conn *c, struct clc_conn *s,
                      const struct trace_packet *p)
{
    judge_holds(j, REQ_CLC_042, false);
    judge_report(j, &(struct judge_case){.req = REQ_CLC_042, .side = TRACE_S2C, .frame = p->raw.frame,
                 .related = {c->accept_frame, s->write_frame}, .conn = c, .group = l->group, .offset = -1},
                 "NAK, remote access error", "ACK", "the RMB of the Accept refuses the client's first WRITE");
}

void clc_rdma_ack(struct judge *j, struct trace_link *l, struct trace_stream *st, const struct trace_packet *p)
{
    enum { ACK = 0, NAK = 3, REMOTE_ACCESS = 2 };
    struct clc_link *s = state_of(l);
    bool ack = p->roce.aeth_kind == ACK, refused = p->roce.aeth_kind == NAK && p->roce.aeth_value == REMOTE_ACCESS;
    if (!p->roce.has_aeth || (!ack && !refused))
        return;
    for (int side = 0; s != NULL && side < 2 && ack; side++)
        if (l->end[side].tx == st && s->confirm[side].sent && covers(p->roce.psn, s->confirm[side].psn))
            s->confirm[side].delivered = true;
    for (struct trace_conn *c = refused ? l->group->conns : NULL; c != NULL; c = c->group_next) {
        struct clc_conn *k = clc_conn_of(c);
        if (k == NULL || !k->wrote || k->write_stream != st || k->write_psn != p->roce.psn || !c->confirmed)
            continue;
        not_ready(j, l, c, k, p);
        return;
    }
}

/* [CLC-034] On first contact both ends name an MTU, and no packet of the link is larger than the smaller one. */
static void check_mtu(struct judge *j, const struct trace_write_event *e)
{
    const struct trace_link *l = e->link;
    if (l->group->late || !l->end[0].known || !l->end[1].known)
        return;
    unsigned x = smc_clc_mtu_bytes(l->end[0].mtu), y = smc_clc_mtu_bytes(l->end[1].mtu), mtu = x < y ? x : y;
    if (mtu == 0 || judge_holds(j, REQ_CLC_034, e->len <= mtu))
        return;
    judge_report(j, &(struct judge_case){.req = REQ_CLC_034, .side = e->side, .frame = e->frame, .conn = e->conn,
                 .group = e->group, .offset = -1}, JT("%u bytes", e->len), JT("at most %u", mtu),
                 "a packet is larger than the smaller MTU of both ends");
}

/* Was the element that the WRITE begins in ever given, if only to a connection that is over? */
static bool ever_given(const struct trace_write_event *e)
{
    if (e->request == NULL || e->rmb->element_size == 0)
        return true;
    uint64_t index = (e->request->va - e->rtoken->va) / e->rmb->element_size + 1;
    for (const struct trace_conn *c = e->group->conns; c != NULL; c = c->group_next)
        if (c->side[!e->side].rmb == e->rmb && c->side[!e->side].rmbe_index == index)
            return true;
    return false;
}

/* [CLC-038] */
static void check_address(struct judge *j, const struct trace_write_event *e)
{
    if (e->group->incomplete || e->rmb == NULL || e->rtoken == NULL || !e->rmb->clc_named)
        return;
    if (e->target == TRACE_WRITE_RING) { /* nearly every WRITE: no text is made for it */
        judge_holds(j, REQ_CLC_038, true);
        return;
    }
    struct judge_case at_fault = {.req = REQ_CLC_038, .side = e->side, .frame = e->frame,
                                  .related = {e->rtoken->frame}, .conn = e->conn, .group = e->group, .offset = -1};
    const char *seen = JT("va %#llx, %u bytes, rkey %#x", (unsigned long long)(e->request ? e->request->va : 0), e->len,
                          e->rtoken->rkey);
    switch (e->target) {
    case TRACE_WRITE_OUTSIDE:
        judge_holds(j, REQ_CLC_038, false);
        judge_report(j, &at_fault, seen, JT("inside the element, RMB at %#llx", (unsigned long long)e->rtoken->va),
                     "a WRITE lies outside the element that CLC gave");
        break;
    case TRACE_WRITE_IDLE:
        /* A connection whose handshake was not captured may have it: one older than the capture, or, where RMBs have
         * several elements (RFC mode), one that the capture lost. */
        if (e->group->late || e->group->origin != 0 || ever_given(e))
            return;
        judge_holds(j, REQ_CLC_038, false);
        judge_report(j, &at_fault, seen, "the element that CLC gave", "a WRITE into an element that no connection was given");
        break;
    default:
        break;
    }
}

void clc_rdma_write(struct judge *j, const struct trace_write_event *e)
{
    struct clc_conn *s = e->conn != NULL ? clc_conn_of(e->conn) : NULL;
    check_mtu(j, e);
    check_address(j, e);
    if (s == NULL || s->wrote || e->side != TRACE_C2S || e->target != TRACE_WRITE_RING || e->request == NULL)
        return;
    s->wrote = true;
    s->write_frame = e->frame;
    s->write_psn = e->request->psn;
    s->write_stream = e->stream;
    judge_holds(j, REQ_CLC_042, true);
}
