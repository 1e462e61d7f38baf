/* LLC checks: the table of events, the state of groups and links, and what each event is handed to.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "check_llc.h"

struct llc_group *llc_group_state(struct trace_group *g)
{
    return judge_state(judge_group_slot(g, JUDGE_AREA_LLC), sizeof(struct llc_group));
}

struct llc_link *llc_link_state(struct trace_link *l)
{
    return judge_state(judge_link_slot(l, JUDGE_AREA_LLC), sizeof(struct llc_link));
}

struct llc_conn *llc_conn_state(struct trace_conn *c)
{
    return judge_state(judge_conn_slot(c, JUDGE_AREA_LLC), sizeof(struct llc_conn));
}

struct llc_capture *llc_capture_state(struct judge *j)
{
    return judge_state(judge_slot(j, JUDGE_AREA_LLC), sizeof(struct llc_capture));
}

void llc_bit_set(uint8_t *map, uint8_t n, bool value)
{
    uint8_t bit = (uint8_t)(1u << (n & 7));
    map[n >> 3] = (uint8_t)(value ? map[n >> 3] | bit : map[n >> 3] & ~bit);
}

bool llc_complete(const struct trace_group *g)
{
    return !g->late && !g->incomplete;
}

bool llc_sure(const struct llc_group *st, const struct trace_group *g, uint64_t ns)
{
    /* What was asked before the capture began is answered within seconds. */
    if (g->late && ns < st->first_ns + LLC_NEW_LINK)
        return false;
    uint64_t forgot_ns = st->forgot_ns > g->incomplete_ns ? st->forgot_ns : g->incomplete_ns;
    return !forgot_ns || ns > forgot_ns + 2 * LLC_NEW_LINK;
}

/* The message as the checks see it; false: nothing can be said of it. */
static bool message_of(struct judge *j, const struct trace_llc_event *e, struct llc_msg *m)
{
    memset(m, 0, sizeof *m);
    if (!e->link || !e->group || e->side < 0 || !e->request || e->request->headless)
        return false;
    m->st = llc_group_state(e->group);
    if (!m->st)
        return false;
    m->j = j;
    m->e = e;
    m->g = e->group;
    m->link = e->link;
    m->side = e->side;
    m->peer = 1 - e->side;
    m->frame = e->request->frame;
    m->ns = e->request->ts_ns;
    m->len = e->request->len;
    if (!m->st->first_ns)
        m->st->first_ns = m->ns ? m->ns : 1;
    size_t have = smc_view_len(e->bytes);
    memcpy(m->body, e->bytes.p, have < LLC_BODY ? have : LLC_BODY);
    return true;
}

static void sent(struct trace_link *l, int side, uint64_t ns)
{
    struct llc_link *state = l && side >= 0 ? llc_link_state(l) : NULL;
    if (!state)
        return;
    state->send_ns[side][1] = state->send_ns[side][0];
    state->send_ns[side][0] = ns;
}

static void on_llc(void *ctx, const struct trace_llc_event *e)
{
    struct llc_msg m;
    if (!message_of(ctx, e, &m))
        return;
    llc_later_proved(ctx, m.st, e->stream);
    llc_tick(ctx, m.g, m.link, m.side, m.frame, m.ns);
    llc_check_punishment(&m);
    if (llc_check_message(&m)) {
        roce_gid(&m);
        if (m.info.response)
            llc_response(&m);
        else
            llc_request(&m);
    }
    sent(m.link, m.side, m.ns);
}

/* [LLC-005] The tracker hands over whatever has the top bits of a CDC. */
static void check_cdc_type(struct judge *j, const struct trace_cdc_event *e)
{
    if (!e->link || e->side < 0 || !smc_view_len(e->bytes) || e->request->headless)
        return;
    if (!judge_holds(j, REQ_LLC_005, e->bytes.p[0] == 0xfe))
        judge_report(j, &(struct judge_case){.req = REQ_LLC_005, .side = e->side, .frame = e->frame, .group = e->group},
                     JT("type 0x%02x", e->bytes.p[0]), "0xfe", "the top bits of the type say CDC, but CDC is 0xfe");
}

static void proved(struct judge *j, struct trace_group *g, const struct trace_stream *stream)
{
    struct llc_group *st = llc_group_state(g);
    if (st && st->any_late)
        llc_later_proved(j, st, stream);
}

static void on_cdc(void *ctx, const struct trace_cdc_event *e)
{
    if (e->smcd || !e->request)
        return;
    check_cdc_type(ctx, e);
    if (e->group && e->link && e->side >= 0) {
        proved(ctx, e->group, e->stream);
        llc_tick(ctx, e->group, e->link, e->side, e->frame, e->ts_ns);
        if (!e->validation)
            llc_check_data(ctx, e->group, e->link, e->side, e->frame, e->ts_ns);
        llc_check_freed(ctx, e);
        sent(e->link, e->side, e->ts_ns);
    }
    roce_cdc(ctx, e);
}

static void on_write(void *ctx, const struct trace_write_event *e)
{
    if (!e->request)
        return;
    if (e->group && e->link && e->side >= 0) {
        proved(ctx, e->group, e->stream);
        llc_tick(ctx, e->group, e->link, e->side, e->frame, e->ts_ns);
        llc_check_data(ctx, e->group, e->link, e->side, e->frame, e->ts_ns);
    }
    roce_write(ctx, e);
}

static void handshake(struct llc_capture *all, struct trace_conn *c, bool open)
{
    struct llc_conn *st = llc_conn_state(c);
    if (!st || st->shaking == open)
        return;
    st->shaking = open;
    all->handshakes += open ? 1 : -1u;
}

static void on_clc(void *ctx, const struct trace_clc_event *e)
{
    struct llc_capture *all = llc_capture_state(ctx);
    if (all) {
        all->stimulus_ns = e->ts_ns;
        if (e->type != SMC_CLC_ACCEPT)
            handshake(all, e->conn, e->type == SMC_CLC_PROPOSAL);
        if (e->type == SMC_CLC_DECLINE || e->broken)
            all->breakup_ns = e->ts_ns;
    }
    llc_check_offer(ctx, e);
    roce_clc(ctx, e);
}

static void on_conn_open(void *ctx, struct trace_conn *c)
{
    struct llc_capture *all = llc_capture_state(ctx);
    if (all)
        all->stimulus_ns = c->first_ns;
}

static void on_rst(void *ctx, struct trace_conn *c, int side, uint64_t frame, uint64_t ts_ns)
{
    struct llc_capture *all = llc_capture_state(ctx);
    (void)side, (void)frame;
    if (!all)
        return;
    all->breakup_ns = ts_ns;
    handshake(all, c, false);
}

static void on_segment(void *ctx, struct trace_conn *c, int dir, const struct trace_packet *p, bool duplicate)
{
    if (!duplicate || p->tcp.syn)
        roce_segment(ctx, c, dir, p);
}

static void on_rc_ack(void *ctx, struct trace_stream *s, struct trace_link *l, const struct trace_packet *p)
{
    (void)ctx;
    if (!l || !l->group || p->roce.aeth_kind != 0)
        return;
    struct llc_group *st = llc_group_state(l->group);
    if (st)
        llc_delivered(st, s, p->roce.psn, p->raw.ts_ns);
}

static void on_rc_gap(void *ctx, struct trace_stream *s, struct trace_link *l, uint32_t n, uint64_t frame)
{
    (void)n, (void)frame;
    if (!l || !l->group)
        return;
    struct llc_group *st = llc_group_state(l->group);
    if (!st)
        return;
    llc_later_lost(st, s);
    llc_gap(st, l, s->last_ns);
    llc_keys_forget(ctx, l->group, false);
}

static void on_group_end(void *ctx, struct trace_group *g)
{
    struct llc_group *st = g->smcd ? NULL : llc_group_state(g);
    llc_keys_forget(ctx, g, true);
    for (int side = 0; st && side < 2; side++)
        if (st->all_ns[side] && !st->all_told[side])
            judge_holds(ctx, REQ_LLC_038, true);
}

const struct trace_session_events judge_llc_events = {
    .segment = on_segment,
    .conn_open = on_conn_open,
    .clc = on_clc,
    .rst = on_rst,
    .llc = on_llc,
    .cdc = on_cdc,
    .write = on_write,
    .rc_gap = on_rc_gap,
    .rc_ack = on_rc_ack,
    .group_end = on_group_end,
};
