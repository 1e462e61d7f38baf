/* The data path: which check gets which event, and what becomes of the state afterwards.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "check_data.h"

#include <string.h>

static void tick(struct judge *j, uint64_t ns)
{
    struct data_capture *k = judge_data_capture(j);
    if (k && ns > k->last_ns)
        k->last_ns = ns;
}

static void request_on(struct trace_link *l, int side, uint64_t ns, const struct trace_request *r)
{
    struct data_link *k =
        l && side >= 0 ? judge_state(judge_link_slot(l, JUDGE_AREA_DATA), sizeof *k) : NULL;
    if (k && r && r->posted_ns + k->held_ns[side] < ns)
        k->held_ns[side] = ns - r->posted_ns;
    if (r && r->posted_ns < ns) /* that its end sends still, it does not show */
        ns = r->posted_ns;
    if (!k || ns <= k->last_ns[side])
        return;
    if (ns > k->last_ns[side] + 50 * DATA_MS)
        k->busy_ns[side] = ns;
    k->last_ns[side] = ns;
}

/* ---- CDC ---- */

static void remember_full(struct data_act *a)
{
    struct data_side *w = a->peer; /* it writes into my ring, which I just consumed from */
    memmove(&w->fulls[1], &w->fulls[0], (DATA_FULLS - 1) * sizeof w->fulls[0]);
    w->fulls[0] = a->me->cons_pos + a->ring[a->side];
}

static void commit_cursors(struct data_cdc *x)
{
    struct data_side *me = x->a.me;
    me->prod_unsure = !x->prod_taken && x->kind == DATA_NEW;
    me->cons_unsure = !x->cons_taken && (x->kind == DATA_NEW || me->cons_unsure); /* the same once more makes nothing sure */
    if (x->prod_taken) {
        me->blocked_unsent &= (uint64_t)x->prod_pos <= me->prod_pos;
        me->prod = x->prod;
        if ((uint64_t)x->prod_pos > me->prod_pos)
            me->prod_frame = x->a.frame;
        me->prod_pos = (uint64_t)x->prod_pos;
        if (me->written_pos < me->prod_pos)
            me->written_pos = me->prod_pos;
        if (me->replaying && me->prod_pos >= me->replay_end)
            me->replaying = false;
        if (!me->replaying)
            judge_spans_drop(&me->written, me->prod_pos);
    }
    if (x->cons_taken && (uint64_t)x->cons_pos >= me->cons_pos) {
        bool moved = (uint64_t)x->cons_pos > me->cons_pos;
        me->cons = x->cons;
        me->cons_pos = (uint64_t)x->cons_pos;
        if (moved)
            remember_full(&x->a);
    }
    me->cons_unsure |= me->cons_pos < me->left_cons;
    if (x->a.peer->urgent_open && me->cons_pos >= x->a.peer->urgent_pos)
        x->a.peer->urgent_open = false;
}

static struct data_sent sent_now(const struct data_cdc *x)
{
    return (struct data_sent){.set = true,
                              .link = x->a.link,
                              .psn = x->e->request ? x->e->request->psn : 0,
                              .frame = x->a.frame,
                              .ts_ns = x->a.now};
}

static void commit_flags(struct data_cdc *x)
{
    struct data_side *me = x->a.me;
    struct data_sent now = sent_now(x);
    if ((me->prod_flags & DATA_B) && !(x->pf & DATA_B)) {
        me->b_clear = now;
        judge_data_watch(&x->a, &me->b_clear);
    }
    if ((x->pf & DATA_B) && x->kind == DATA_NEW) { /* what is repeated was blocked once */
        if (!me->blocked_unsent || x->a.me->prod_frame == x->a.frame)
            me->blocked_ns = x->a.now;
        me->blocked_unsent = true;
        me->blocked_frame = x->a.frame;
    }
    if ((x->pf & DATA_R) && !me->asked.set)
        me->asked = now;
    me->attention |= (x->pf & (DATA_P | DATA_U | DATA_R)) != 0;
    x->a.peer->attention = false;
    x->a.peer->asked.set = false;
    if ((x->pf & DATA_U) && x->prod_taken && me->prod_pos > 0 &&
        me->prod_pos > x->a.peer->cons_pos) {
        me->urgent_open = true;
        me->urgent_pos = me->prod_pos;
        me->urgent_frame = x->a.frame;
    }
    if ((x->cf & DATA_D) && !me->done.set) {
        me->done = now;
        me->done_pos = me->prod_pos;
    }
    if ((x->cf & DATA_C) && !me->closed.set) {
        me->closed = now;
        me->closed_pos = me->prod_pos;
        judge_data_watch(&x->a, &me->closed);
    }
    if ((x->cf & DATA_A) && !me->aborted.set)
        me->aborted = now;
    me->prod_flags = x->pf;
    me->conn_flags |= x->cf;
}

/* What the message announces: once more it may be less than was announced before. */
static uint64_t announced(const struct data_cdc *x)
{
    uint64_t pos = x->a.me->prod_pos;
    return x->kind == DATA_REPLAY && x->prod_ok && x->prod_pos >= 0 && (uint64_t)x->prod_pos < pos ? (uint64_t)x->prod_pos : pos;
}

static void commit(struct data_cdc *x)
{
    struct data_side *me = x->a.me;
    if (x->kind != DATA_OLD) {
        commit_cursors(x);
        if (!x->e->smcd) {
            struct data_note n = {.sent = sent_now(x),
                                  .data = me->last_write,
                                  .seq = x->e->seq,
                                  .prod_pos = announced(x),
                                  .cons_pos = me->cons_pos};
            judge_data_note(&x->a, &n);
        } else {
            struct data_note n = {
                .sent = sent_now(x), .prod_pos = me->prod_pos, .cons_pos = me->cons_pos};
            judge_data_note(&x->a, &n);
        }
    }
    commit_flags(x);
    me->cdcs++;
    me->cdc_frame = x->a.frame;
    me->writes = 0;
    me->unsure_pos = 0;
    me->write_over = false;
    me->after_f = me->moved = false;
    judge_data_settle(&x->a, false);
}

static bool fill(struct data_cdc *x, struct judge *j, const struct trace_cdc_event *e,
                 struct trace_conn *c)
{
    *x = (struct data_cdc){.e = e,
                           .prod = e->prod,
                           .cons = e->cons,
                           .pf = e->prod_flags & 0xf8,
                           .cf = e->conn_flags & 0xe0};
    if (!c->group || !judge_data_act(&x->a, j, c, e->side, e->link, e->frame, e->ts_ns))
        return false;
    judge_data_start(&x->a, e->prod.count, false);
    if (e->request)
        x->a.by = e->request->posted_ns;
    return true;
}

/* Nothing of a stream can be missing before a message if its first PSN was announced, or if it ran before the connection. */
static void whole(struct data_act *a, const struct trace_stream *s)
{
    if (s && a->me->link == NULL && !s->has_initial_psn && s->first_frame >= a->c->accept_frame)
        a->d->gap = true;
}

/* What one message shows, whatever was missed before. */
static void alone(struct data_cdc *x)
{
    struct judge_case k = judge_data_case(&x->a, REQ_CDC_007, -1);
    judge_inconclusive(x->a.j, &k,
                       "packets of this connection are missing from the capture: order, numbers "
                       "and cursors cannot "
                       "be judged");
}

static void on_cdc(void *ctx, const struct trace_cdc_event *e)
{
    struct judge *j = ctx;
    struct data_cdc x;
    tick(j, e->ts_ns);
    request_on(e->link, e->side, e->ts_ns, e->request);
    if (!judge_cdc_message(j, e) || e->side < 0)
        return;
    struct trace_conn *c = e->conn ? e->conn : judge_cdc_token(j, e);
    if (!c || !fill(&x, j, e, c))
        return;
    whole(&x.a, e->stream);
    if (!judge_data_sure(&x.a)) {
        alone(&x);
        return;
    }
    if (e->smcd)
        judge_smcd_block(&x);
    if (e->validation && !e->smcd) {
        judge_failover_validation(&x);
        return;
    }
    if (!judge_failover_link(&x.a, &x)) {
        judge_failover_straggler(&x);
        return;
    }
    if (!judge_failover_next(&x)) {
        alone(&x);
        return;
    }
    c = judge_cdc_number(&x);
    if (c && (!fill(&x, j, e, c) || (judge_cdc_number(&x), false)))
        return;
    judge_failover_receiver(&x.a);
    judge_cursor_values(&x);
    judge_failover_replay(&x);
    judge_cdc_announced(&x);
    judge_cursor_flags(&x);
    judge_close_cdc(&x);
    judge_cursor_update(&x);
    commit(&x);
}

/* ---- other events ---- */

static void on_write(void *ctx, const struct trace_write_event *e)
{
    tick(ctx, e->ts_ns);
    request_on(e->link, e->side, e->ts_ns, e->request);
    judge_write(ctx, e);
}

static void on_packet(void *ctx, const struct trace_packet *p)
{
    judge_data_port(ctx, p);
}

static void on_fin(void *ctx, struct trace_conn *c, int side, uint64_t frame, uint64_t ts_ns)
{
    struct data_act a;
    tick(ctx, ts_ns);
    if (c->mode >= TRACE_MODE_SMCR && judge_data_act(&a, ctx, c, side, NULL, frame, ts_ns))
        judge_close_fin(&a);
}

static void on_rst(void *ctx, struct trace_conn *c, int side, uint64_t frame, uint64_t ts_ns)
{
    struct data_act a;
    tick(ctx, ts_ns);
    if (c->mode < TRACE_MODE_SMCR || !judge_data_act(&a, ctx, c, side, NULL, frame, ts_ns))
        return;
    if (c->group)
        judge_failover_rst(&a);
    judge_close_rst(&a);
}

static void on_llc(void *ctx, const struct trace_llc_event *e)
{
    tick(ctx, e->request->ts_ns);
    request_on(e->link, e->side, e->request->ts_ns, e->request);
    struct data_capture *k = judge_data_capture(ctx);
    if (k && e->valid && e->info.type == SMC_LLC_DELETE_LINK && !e->info.response && e->info.reason == SMC_LLC_DEL_LOST_PATH)
        k->path_lost = true;
    judge_close_llc(ctx, e);
}

static void on_rc_gap(void *ctx, struct trace_stream *s, struct trace_link *l, uint32_t n,
                      uint64_t frame)
{
    (void)ctx;
    (void)s;
    (void)n;
    (void)frame;
    for (struct trace_conn *c = l ? l->group->conns : NULL; c; c = c->group_next) {
        struct data_conn *d = judge_state(judge_conn_slot(c, JUDGE_AREA_DATA), sizeof *d);
        if (d)
            d->gap = true;
    }
}

static void on_rc_duplicate(void *ctx, struct trace_stream *s, struct trace_link *l, const struct trace_packet *p)
{
    struct data_capture *k = judge_data_capture(ctx);
    (void)s, (void)l, (void)p;
    if (k)
        k->lossy = true;
}

static void on_rc_ack(void *ctx, struct trace_stream *s, struct trace_link *l,
                      const struct trace_packet *p)
{
    (void)ctx;
    if (!l)
        return;
    int side = l->end[0].tx == s ? 0 : 1;
    if (l->end[side].tx != s)
        return;
    struct data_link *k = judge_state(judge_link_slot(l, JUDGE_AREA_DATA), sizeof *k);
    if (!k)
        return;
    uint32_t covers = p->roce.aeth_kind == 0 ? p->roce.psn : (p->roce.psn - 1) & 0xffffff;
    unsigned n = k->n[side];
    if (n > 0 && judge_psn_ahead(covers, k->ack[side][n - 1].psn) - 1 >= 0x800000 - 1)
        return; /* nothing new */
    if (n == DATA_ACKS) {
        memmove(&k->ack[side][0], &k->ack[side][1], (DATA_ACKS - 1) * sizeof k->ack[side][0]);
        n--;
    }
    k->ack[side][n].psn = covers;
    k->ack[side][n].ts_ns = p->raw.ts_ns;
    k->n[side] = n + 1;
    judge_data_acked(k, l, side, covers, p->raw.ts_ns);
}

/* ---- handshakes: how many began, how many are known ---- */

static void handshake(struct judge *j, struct trace_conn *c, bool begins, bool ends)
{
    struct data_capture *k = judge_data_capture(j);
    if (!k || (!begins && !c->option[0] && !c->option[1]))
        return;
    struct data_conn *d = judge_state(judge_conn_slot(c, JUDGE_AREA_DATA), sizeof *d);
    if (!d)
        return;
    k->begun += begins && !d->counted;
    d->counted |= begins;
    k->settled += ends && d->counted && !d->settled;
    d->settled |= ends && d->counted;
}

static void handshake_segment(struct judge *j, struct trace_conn *c, int dir,
                              const struct trace_tcp_header *t)
{
    if (t->syn && c->option[dir])
        handshake(j, c, true, false);
    if ((t->syn && dir == TRACE_S2C && !c->option[dir]) || t->rst)
        handshake(j, c, false, true);
}

static void on_conn_open(void *ctx, struct trace_conn *c)
{
    struct data_capture *k = judge_data_capture(ctx);
    if (k)
        k->unclear |= c->late;
}

static void on_tcp_gap(void *ctx, struct trace_conn *c, int side, uint64_t n, uint64_t frame)
{
    struct data_capture *k = judge_data_capture(ctx);
    (void)side;
    (void)n;
    (void)frame;
    if (k && (c->option[0] || c->option[1] || c->late))
        k->unclear = true;
}

static void on_segment(void *ctx, struct trace_conn *c, int dir, const struct trace_packet *p,
                       bool duplicate)
{
    struct data_capture *k = judge_data_capture(ctx);
    tick(ctx, p->raw.ts_ns);
    if (k && duplicate && (p->payload_wire_len > 1 || p->tcp.syn || p->tcp.fin)) /* no keepalive probe */
        k->lossy = true;
    handshake_segment(ctx, c, dir, &p->tcp);
    judge_close_segment(ctx, c, dir, p, duplicate);
}

static void on_clc(void *ctx, const struct trace_clc_event *e)
{
    tick(ctx, e->ts_ns);
    bool confirm = e->accept_valid && e->accept.type == SMC_CLC_CONFIRM;
    struct data_capture *k = judge_data_capture(ctx);
    if (e->decline_valid || confirm)
        handshake(ctx, e->conn, false, true);
    if (k && confirm && !e->conn->accepted)
        k->unclear = true;
    judge_smcd_clc(ctx, e);
}

static void on_record(void *ctx, const struct trace_packet *p, struct trace_conn *c)
{
    tick(ctx, p->raw.ts_ns);
    judge_smcd_record(ctx, p, c);
}

static void on_conn_end(void *ctx, struct trace_conn *c)
{
    struct data_act a;
    if (c->mode < TRACE_MODE_SMCR || !c->group || !*judge_conn_slot(c, JUDGE_AREA_DATA))
        return;
    for (int side = 0; side < 2; side++) {
        if (!judge_data_act(&a, ctx, c, side, NULL, 0, judge_data_last_ns(ctx)))
            return;
        if (side == 0)
            judge_data_settle(&a, true);
        if (side == 0)
            judge_cdc_ended(&a);
        if (!judge_data_sure(&a))
            continue;
        judge_cursor_end(&a);
        judge_close_end(&a);
        judge_failover_end(&a);
    }
    judge_smcd_end(&a);
}

static void on_finish(void *ctx, uint64_t last_frame, uint64_t last_ns)
{
    (void)last_frame;
    tick(ctx, last_ns);
}

const struct trace_session_events judge_data_events = {
    .packet = on_packet,
    .conn_open = on_conn_open,
    .tcp_gap = on_tcp_gap,
    .segment = on_segment,
    .clc = on_clc,
    .fin = on_fin,
    .rst = on_rst,
    .llc = on_llc,
    .cdc = on_cdc,
    .write = on_write,
    .record = on_record,
    .rc_gap = on_rc_gap,
    .rc_ack = on_rc_ack,
    .rc_duplicate = on_rc_duplicate,
    .conn_end = on_conn_end,
    .finish = on_finish,
};
