/* Checks of RDMA WRITEs: immediate data, keys of other links, the window, what may be written at that moment.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "check_data.h"

static bool first_packet(const struct trace_write_event *e)
{
    return e->request ? e->request->first : smc_smcd_record_fragment_offset(*e->record) == 0;
}

/* [CDC-008] */
static void immediate(struct judge *j, const struct trace_write_event *e)
{
    struct judge_case k = {.req = REQ_CDC_008,
                           .side = e->side,
                           .frame = e->frame,
                           .conn = e->conn,
                           .group = e->group,
                           .offset = -1};
    if (!e->request || !e->request->last || !e->link)
        return;
    if (!judge_holds(j, REQ_CDC_008, !e->request->has_imm))
        judge_report(j, &k, JT("immediate 0x%08x", e->request->imm),
                     "RDMA WRITE without immediate data", "an RDMA WRITE carries immediate data");
}

/* ---- keys and bounds ---- */

static bool lies_in(const struct trace_rmb *r, const struct trace_rtoken *t,
                    const struct trace_write_event *e)
{
    uint64_t size = (uint64_t)r->element_size * (r->elements ? r->elements : 1);
    return t->rkey == e->request->rkey && e->request->va >= t->va && e->request->va - t->va < size;
}

static const struct trace_rtoken *token_of(const struct trace_rmb *r, uint8_t link_number)
{
    for (unsigned i = 0; i < r->ntokens; i++)
        if (r->tokens[i].valid && r->tokens[i].link_number == link_number)
            return &r->tokens[i];
    return NULL;
}

/* The key that the same RMB has on another link, if it is that one which was used. */
static const struct trace_rtoken *of_other_link(const struct trace_write_event *e,
                                                const struct trace_rmb **rmb)
{
    for (const struct trace_rmb *r = e->group->rmbs[!e->side]; r; r = r->next) {
        const struct trace_rtoken *here = token_of(r, e->link->number);
        for (unsigned i = 0; here && r->element_size && i < r->ntokens; i++)
            if (r->tokens[i].link_number != e->link->number && r->tokens[i].rkey != here->rkey &&
                lies_in(r, &r->tokens[i], e)) {
                *rmb = r;
                return &r->tokens[i];
            }
    }
    return NULL;
}

/* [FAILOVER-013]; keys that nobody knows are ROCE-005 (check_roce.c). */
static void foreign_key(struct judge *j, const struct trace_write_event *e)
{
    const struct trace_rmb *rmb = NULL;
    const struct trace_rtoken *t = of_other_link(e, &rmb);
    struct judge_case k = {.req = REQ_FAILOVER_013,
                           .side = e->side,
                           .frame = e->frame,
                           .group = e->group,
                           .offset = -1};
    if (!t)
        return;
    judge_holds(j, REQ_FAILOVER_013, false);
    judge_report(j, &k, JT("rkey 0x%x of link %u", t->rkey, t->link_number),
                 JT("the RMB's rkey on link %u", e->link->number),
                 "a WRITE uses the key of another link");
    for (struct trace_conn *c = e->group->conns; c; c = c->group_next) {
        struct data_conn *d =
            c->side[!e->side].rmb == rmb ? *judge_conn_slot(c, JUDGE_AREA_DATA) : NULL;
        if (d) /* one fault is enough: the bytes are taken as meant */
            d->side[e->side].written.lost = true;
    }
}

static void stray(const struct trace_write_event *e)
{
    struct data_group *g = judge_state(judge_group_slot(e->group, JUDGE_AREA_DATA), sizeof *g);
    if (g)
        g->stray[e->side] = e->frame;
}

/* True if the bytes go into the element of a connection. Bounds are CLC-038 (check_clc_rdma.c). */
static bool allowed(struct judge *j, const struct trace_write_event *e)
{
    switch (e->target) {
    case TRACE_WRITE_RING:
        if (e->link && e->group->links->next)
            judge_holds(j, REQ_FAILOVER_013, true);
        return e->conn != NULL;
    case TRACE_WRITE_OUTSIDE:
        if (e->conn && e->element_offset < (e->group->smcd ? 32 : e->group->origin))
            return true; /* on the eyecatcher */
        stray(e);
        return false;
    case TRACE_WRITE_UNKNOWN:
    case TRACE_WRITE_UNTRACKED:
        if (e->link && e->request && !e->request->headless)
            foreign_key(j, e);
        stray(e);
        return false;
    default:
        stray(e);
        return false;
    }
}

/* ---- position ---- */

struct place {
    uint64_t from, to;
    bool again; /* behind the peer's consumer: consumed already */
    bool late;  /* fills what was announced too early */
    bool unsure; /* as well new data as old ones again: what the writer knew of the consumer decides, and that is not sure */
};

static uint64_t forward(uint64_t at, uint64_t from, uint64_t ring)
{
    return (at + ring - from % ring) % ring;
}

/* The peer's consumer as this side surely knew it when it sent F, or moved without. */
static uint64_t known_consumer(const struct data_act *a)
{
    uint64_t sent = a->me->f_sent_ns;
    uint64_t pos = a->peer->acked_cons_ns + DATA_GRACE_NS <= sent ? a->peer->acked_cons : 0;
    judge_data_acks(a, !a->side);
    for (unsigned i = 0; i < a->peer->nnotes; i++) {
        const struct data_note *n = &a->peer->notes[i];
        if (n->sent.ack_ns && n->sent.ack_ns + DATA_GRACE_NS <= sent && n->cons_pos > pos)
            pos = n->cons_pos;
    }
    return pos;
}

/* The writer takes everything behind the number of its F for lost, also what did arrive: right at the end of what was written, a WRITE
 * may as well lie one ring before it. */
static bool due_again(const struct data_act *a, uint64_t before)
{
    const struct data_side *me = a->me;
    return me->f_from < me->replay_end && before >= me->f_from && before < me->replay_end && before >= known_consumer(a);
}

/* The peer said on a link that it left that it consumed more: if the writer knows that, this WRITE may go on where the last one ended,
 * unless F says that it has to begin before. */
static void by_straggler(const struct data_act *a, uint64_t at, struct place *p)
{
    uint64_t ring = a->ring[!a->side], cons = a->peer->left_cons, from = cons + forward(at, cons, ring);
    if (cons <= a->peer->cons_pos || from == p->from)
        return;
    p->unsure = true;
    if (!due_again(a, p->from) && from == (a->me->unsure_pos > a->me->written_pos ? a->me->unsure_pos : a->me->written_pos)) {
        p->from = from;
        p->again = false;
    }
}

/* `goes_on`: not the first packet of its WRITE. */
static struct place place(const struct data_act *a, uint64_t at, uint32_t len, bool goes_on)
{
    const struct data_side *me = a->me;
    uint64_t ring = a->ring[!a->side], cons = a->peer->cons_pos;
    struct place p = {.from = me->prod_pos + forward(at, me->prod_pos, ring)};
    if (me->missing.to > me->missing.from &&
        me->missing.from + forward(at, me->missing.from, ring) < me->missing.to) {
        p.from = me->missing.from + forward(at, me->missing.from, ring);
        p.late = true;
    } else if (goes_on && me->write_known && me->write_to % ring == at) {
        p.from = me->write_to;
        p.again = me->replaying && p.from < cons;
        p.unsure = me->unsure_pos == p.from;
    } else if (me->replaying) {
        p.from = cons + forward(at, cons, ring);
        bool beyond = p.from > me->written_pos || (p.from == me->written_pos && p.from >= ring && due_again(a, p.from - ring));
        if (beyond && p.from >= ring && p.from - ring < me->replay_end) {
            p.unsure = p.from == me->written_pos;
            p.from -= ring;
            p.again = true;
        }
        by_straggler(a, at, &p);
    }
    p.to = p.from + len;
    return p;
}

/* ---- what may be written now ---- */

static void over_window(const struct data_act *a, const struct place *p)
{
    struct data_side *me = a->me;
    uint64_t ring = a->ring[!a->side];
    bool fits = p->to <= a->peer->cons_pos + ring;
    if (p->late || p->again || me->write_over || a->peer->cons_unsure)
        return;
    judge_holds(a->j, REQ_CURSOR_001, fits); /* [CURSOR-001] */
    if (fits)
        return;
    judge_data_pend(a, REQ_CURSOR_001, true, p->to - ring, a->peer->cons_pos, -1, 0);
    me->write_over = true;
}

static void past_urgent(const struct data_act *a, const struct place *p)
{
    const struct data_side *me = a->me;
    if (!me->urgent_open || p->to <= me->urgent_pos || p->late || a->peer->cons_unsure)
        return;
    bool ok = a->peer->cons_pos >= me->urgent_pos;
    if (!judge_holds(a->j, REQ_CURSOR_017, ok)) /* [CURSOR-017] */
        judge_data_pend(a, REQ_CURSOR_017, true, me->urgent_pos, a->peer->cons_pos, -1,
                        me->urgent_frame);
}

static void again(const struct data_act *a, const struct place *p)
{
    struct judge_case k = judge_data_case(a, REQ_FAILOVER_010, -1);
    uint64_t consumed = known_consumer(a);
    if (!a->me->replaying)
        return;
    k.related[0] = a->me->f.frame;
    if (!judge_holds(a->j, REQ_FAILOVER_010, p->from >= consumed)) /* [FAILOVER-010] */
        judge_report(a->j, &k, JT("written again from %llu", (unsigned long long)p->from),
                     JT("from %llu at the earliest", (unsigned long long)consumed),
                     "bytes that the peer has consumed are written again");
}

/* The first byte of a stream lies at the origin. False if it cannot be placed. */
static bool origin(struct data_act *a, const struct trace_write_event *e, uint64_t *at,
                   uint32_t *len)
{
    struct judge_case k = judge_data_case(a, REQ_CURSOR_004, -1);
    uint32_t head = e->group->smcd ? 32 : a->origin;
    *at = e->element_offset;
    *len = e->len;
    if (*at < head) {          /* [CURSOR-004] */
        if (!e->group->smcd) { /* [SMCD-001] is told of the record */
            judge_holds(a->j, REQ_CURSOR_004, false);
            judge_report(a->j, &k, JT("element offset %llu", (unsigned long long)*at),
                         JT("from offset %u on", head), "a WRITE into the eyecatcher of an RMBE");
        }
        a->me->off_origin = true;
        return false;
    }
    if (!e->group->smcd && head == 0 && *at == 4 && a->me->written_pos == 0 && a->me->cdcs == 0) {
        k.req = REQ_CURSOR_005; /* [CURSOR-005] */
        judge_holds(a->j, REQ_CURSOR_005, false);
        judge_report(a->j, &k, "first byte at element offset 4", "first byte at element offset 0",
                     "data begin behind an eyecatcher that was said to be absent");
        a->me->off_origin = true;
    }
    *at -= head;
    return true;
}

static void ring_write(struct data_act *a, const struct trace_write_event *e)
{
    uint64_t at;
    uint32_t len;
    bool placed = origin(a, e, &at, &len) && a->ring[!a->side] && at + len <= a->ring[!a->side];
    struct place p = placed ? place(a, at, len, !first_packet(e)) : (struct place){0};
    a->me->write_known = placed;
    a->me->write_to = p.to;
    judge_close_write(a, p.from, p.to, placed && !p.late);
    if (!placed)
        return;
    again(a, &p);
    over_window(a, &p);
    past_urgent(a, &p);
    judge_spans_add(&a->me->written, p.from, p.to);
    a->me->written.lost |= p.unsure;
    if (p.late && p.to >= a->me->missing.to)
        a->me->missing = (struct data_span){0, 0};
    if (p.again && p.to > a->me->f_from)
        a->me->f_from = p.to;
    if (p.to > a->me->written_pos) /* what may be old data reached that far only if the next CDC says so */
        *(p.unsure ? &a->me->unsure_pos : &a->me->written_pos) = p.to;
}

void judge_write(struct judge *j, const struct trace_write_event *e)
{
    struct data_act a;
    immediate(j, e);
    if (e->side < 0 || !e->group || !allowed(j, e) ||
        !judge_data_act(&a, j, e->conn, e->side, e->link, e->frame, e->ts_ns))
        return;
    if (!judge_data_sure(&a))
        return;
    judge_data_start(&a, (uint32_t)e->element_offset, true);
    if (e->request)
        a.by = e->request->posted_ns;
    if (!judge_failover_link(&a, NULL))
        return;
    if (first_packet(e)) {
        a.me->writes++;
        judge_failover_receiver(&a);
    }
    ring_write(&a, e);
    a.me->last_write = (struct data_sent){.set = true,
                                          .link = e->link,
                                          .psn = e->request ? e->request->psn : 0,
                                          .frame = e->frame,
                                          .ts_ns = e->ts_ns};
}
