/* Checks of the ways a connection ends: D, C and A, what may follow them, TCP beside them, buffers after them.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "check_data.h"

/* What follows a C or an A must be told from a C or A that the peer's own called forth. */
static const uint64_t FIN_LATE_NS = 2000 * DATA_MS;
static const uint64_t PROBE_NS = 300 * DATA_MS;

static void broken(const struct data_act *a, enum judge_req req, uint64_t related, const char *seen, const char *expected,
                   const char *message)
{
    struct judge_case k = judge_data_case(a, req, -1);
    k.related[0] = related;
    judge_holds(a->j, req, false);
    judge_report(a->j, &k, seen, expected, "%s", message);
}

/* ---- after D ---- */

static void after_done(const struct data_act *a, uint64_t to, bool again)
{
    const struct data_side *me = a->me, *peer = a->peer;
    bool passive = (peer->done.set && peer->done.frame < me->done.frame) || (peer->closed.set && peer->closed.frame < me->done.frame);
    enum judge_req req = passive ? REQ_CLOSE_011 : REQ_CDC_010;
    if (!me->done.set)
        return;
    if (to <= me->done_pos || again) {
        judge_holds(a->j, req, true);
        return;
    }
    broken(a, req, me->done.frame, JT("data up to %llu", (unsigned long long)to),
           JT("no data beyond %llu", (unsigned long long)me->done_pos), "data after sending done (D)");
}

/* ---- after C and A ---- */

/* A C or A once more, after the peer's own crossed the first. */
static bool crossed(const struct data_act *a, const struct data_sent *mine, const struct data_sent *theirs)
{
    struct data_sent s = *mine;
    if (!theirs->set)
        return false;
    judge_data_delivered(a, a->side, &s, 0);
    return s.ack_ns == 0 || s.ack_ns > theirs->ts_ns;
}

static void after_abort(struct data_cdc *x)
{
    const struct data_side *me = x->a.me, *peer = x->a.peer;
    bool again = (x->cf & DATA_A) && peer->aborted.set && !x->prod_taken;
    if ((x->cf & DATA_A) && peer->aborted.set && (uint64_t)x->prod_pos == me->prod_pos)
        again = true;
    if (again && crossed(&x->a, &me->aborted, &peer->aborted))
        broken(&x->a, REQ_CLOSE_019, me->aborted.frame, "A once more", "nothing after crossing As",
               "both sides aborted at once, and one of them aborts again"); /* [CLOSE-019] */
    else if (again)
        broken(&x->a, REQ_CLOSE_016, peer->aborted.frame, "A once more", "nothing after A was answered by A",
               "an A that answered an A is answered again"); /* [CLOSE-016] */
    else
        broken(&x->a, REQ_CLOSE_015, me->aborted.frame, "a CDC", "nothing after A", "a CDC after the own A"); /* [CLOSE-015] */
}

static void after_close(struct data_cdc *x)
{
    const struct data_side *me = x->a.me, *peer = x->a.peer;
    bool answer = peer->closed.set && peer->closed.frame > me->closed.frame && (x->cf & DATA_C);
    if ((x->cf & DATA_A) && !peer->closed.set && !peer->aborted.set) /* the group ends before the peer closed */
        return;
    if (answer && crossed(&x->a, &me->closed, &peer->closed))
        broken(&x->a, REQ_CLOSE_013, me->closed.frame, "C once more", "nothing after crossing Cs",
               "both sides closed at once, and one of them closes again"); /* [CLOSE-013] */
    else
        broken(&x->a, REQ_CDC_011, me->closed.frame, "a CDC", "nothing after C", "a CDC after C"); /* [CDC-011] */
}

/* The same words again because a link failed. */
static bool repetition(const struct data_cdc *x)
{
    const struct data_side *me = x->a.me;
    return x->kind == DATA_REPLAY || (x->kind == DATA_OLD && me->closed.set && me->closed.link != x->a.link);
}

static void after_end(struct data_cdc *x)
{
    const struct data_side *me = x->a.me, *peer = x->a.peer;
    if (repetition(x))
        return;
    if (me->aborted.set)
        after_abort(x);
    else if (me->closed.set)
        after_close(x);
    else
        return;
    (void)peer;
}

/* ---- C and A as they come ---- */

/* The highest position of the peer that this side must know of by now. */
static uint64_t known_producer(const struct data_act *a)
{
    struct data_side *peer = a->peer;
    uint64_t pos = peer->acked_prod;
    judge_data_acks(a, !a->side);
    for (unsigned i = 0; i < peer->nnotes; i++) {
        struct data_note *n = &peer->notes[i];
        if (judge_data_delivered(a, !a->side, &n->sent, DATA_GRACE_NS) && n->prod_pos > pos)
            pos = n->prod_pos;
    }
    return pos;
}

/* A reader that closes without having read the urgent byte, or that read it out of line. */
static void urgent_left(const struct data_cdc *x)
{
    struct judge_case k = judge_data_case(&x->a, REQ_CURSOR_018, 18);
    k.related[0] = x->a.peer->urgent_frame;
    k.deviation = "A-46";
    judge_holds(x->a.j, REQ_CURSOR_018, false);
    judge_report(x->a.j, &k, JT("consumer at %lld", (long long)x->cons_pos), JT("%llu", (unsigned long long)x->a.peer->urgent_pos),
                 "the consumption of the urgent byte was never confirmed");
}

/* [CLOSE-002] */
static void unread(struct data_cdc *x)
{
    struct data_side *peer = x->a.peer;
    uint64_t known = known_producer(&x->a), read = x->cons_taken ? (uint64_t)x->cons_pos : x->a.me->cons_pos;
    struct judge_case k = judge_data_case(&x->a, REQ_CLOSE_002, 25);
    if (!x->cons_ok || !x->cons_taken)
        return;
    if (judge_holds(x->a.j, REQ_CLOSE_002, known <= read))
        return;
    if (peer->urgent_open && peer->urgent_pos == known && known - read == 1) {
        k.deviation = "A-47";
        urgent_left(x);
    }
    k.related[0] = peer->prod_frame;
    judge_report(x->a.j, &k, JT("C with %llu bytes unread", (unsigned long long)(known - read)), "A (0x20)",
                 "a connection with unread data is closed without abort");
}

/* B may stand although nothing waits, if the last data just filled the ring. */
static bool exactly_full(const struct data_cdc *x)
{
    const struct data_side *me = x->a.me;
    uint64_t pos = x->prod_taken ? (uint64_t)x->prod_pos : me->prod_pos, ring = x->a.ring[!x->a.side];
    bool full = pos == x->a.peer->cons_pos + ring || pos == ring;
    for (unsigned i = 0; i < DATA_FULLS; i++)
        full |= me->fulls[i] != 0 && me->fulls[i] == pos;
    return full;
}

/* D or C while data wait [CLOSE-003], C where only a reset tells the loss [CLOSE-006]. */
static void waiting_data(struct data_cdc *x)
{
    const struct data_side *me = x->a.me, *peer = x->a.peer;
    bool passive = peer->closed.set && !me->done.set && (x->cf & DATA_C);
    bool expired = me->blocked_unsent && x->a.now > me->blocked_ns + 3 * DATA_LONG_NS / 2; /* a timer may end the wait */
    bool blocked = (x->pf & DATA_B) && !exactly_full(x) && !expired;
    if (!judge_holds(x->a.j, REQ_CLOSE_003, !blocked)) {
        broken(&x->a, REQ_CLOSE_003, me->blocked_frame, JT("flags 0x%02x 0x%02x", x->pf, x->cf), "D and C without B",
               "the side says that it is done while data wait (B)");
        return;
    }
    if (!passive || !me->blocked_unsent)
        return;
    bool dropped = !(x->pf & DATA_B) && (uint64_t)x->prod_pos == me->prod_pos;
    if (dropped)
        broken(&x->a, REQ_CLOSE_006, me->blocked_frame, "C, B gone and nothing written", "A (0x20)",
               "the peer closed while data waited, and the answer is C instead of a reset");
}

/* The data of this side were written when A had been there for a moment, and nothing was under way any more. */
static bool began_after(const struct data_act *a, const struct data_sent *abort)
{
    judge_data_acks(a, a->side);
    for (unsigned i = 0; i < a->me->nnotes; i++)
        if (!a->me->notes[i].sent.ack_ns || a->me->notes[i].sent.ack_ns > abort->ack_ns)
            return false;
    return a->me->last_write.set && a->me->last_write.ts_ns > abort->ack_ns + DATA_MS;
}

/* C in the place of the answer to A [CLOSE-016]. */
static void answer(struct data_cdc *x)
{
    struct data_side *me = x->a.me, *peer = x->a.peer;
    bool data = x->prod_taken && (uint64_t)x->prod_pos > me->prod_pos && !(x->cf & DATA_A);
    if (me->closed.set || me->aborted.set || !judge_data_delivered(&x->a, !x->a.side, &peer->aborted, data ? DATA_MS : DATA_GRACE_NS))
        return;
    if (data && !began_after(&x->a, &peer->aborted)) /* it may have been under way */
        return;
    if (x->cf & DATA_A)
        judge_holds(x->a.j, REQ_CLOSE_016, true);
    else if (x->cf & DATA_C)
        broken(&x->a, REQ_CLOSE_016, peer->aborted.frame, "C", "A (0x20)", "A is answered by C");
    else if (data)
        broken(&x->a, REQ_CDC_012, peer->aborted.frame, "data", "A (0x20)", "the receiver of A goes on sending"); /* [CDC-012] */
}

static void fin_before(struct data_cdc *x)
{
    struct data_side *me = x->a.me;
    struct judge_case k = judge_data_case(&x->a, REQ_CLOSE_023, -1);
    bool late = me->fin_ns && !me->done.set && x->a.now > me->fin_ns + DATA_LONG_NS;
    k.frame = me->fin_ns ? me->fin_frame : x->a.frame;
    k.related[0] = me->fin_ns ? x->a.frame : 0;
    if (judge_holds(x->a.j, REQ_CLOSE_023, me->fin_ns == 0) || me->late_data) /* [CLOSE-023] */
        return;
    k.deviation = late ? NULL : "A-50";
    me->late_data = true;
    judge_report(x->a.j, &k, JT("FIN in frame %llu, C in frame %llu", (unsigned long long)me->fin_frame,
                                (unsigned long long)x->a.frame),
                 "C before FIN", "the TCP FIN is ahead of C");
}

/* Data long after the FIN of the side that sends them, without D. */
static void after_fin(const struct data_act *a)
{
    struct data_side *me = a->me;
    struct judge_case k = judge_data_case(a, REQ_CLOSE_023, -1);
    if (!me->fin_ns || me->done.set || me->closed.set || me->late_data || a->now <= me->fin_ns + DATA_LONG_NS)
        return;
    k.related[0] = me->fin_frame;
    me->late_data = true;
    judge_holds(a->j, REQ_CLOSE_023, false);
    judge_report(a->j, &k, JT("data %llu ms after FIN", (unsigned long long)((a->now - me->fin_ns) / DATA_MS)), "C before FIN",
                 "data go on after the TCP FIN of their sender");
}

/* A message of the side that reset the connection [CDC-014] [CLOSE-018]. */
static void after_rst(const struct data_act *a, uint64_t cons, bool abort)
{
    const struct data_side *me = a->me;
    if (!me->rst_ns || abort || a->now <= me->rst_ns + 2 * DATA_GRACE_NS)
        return;
    if (cons > me->rst_peer_prod)
        broken(a, REQ_CDC_014, me->rst_frame, JT("consumer at %llu", (unsigned long long)cons),
               JT("nothing consumed beyond %llu", (unsigned long long)me->rst_peer_prod),
               "a side consumes what came after it reset the connection");
    else
        broken(a, REQ_CLOSE_018, me->rst_frame, "data or cursors", "at most A", "a side goes on after it reset the connection");
}

void judge_close_cdc(struct data_cdc *x)
{
    struct data_side *me = x->a.me;
    bool ends = (x->cf & (DATA_C | DATA_D) & ~me->conn_flags) != 0;
    after_end(x);
    if (x->prod_taken && (uint64_t)x->prod_pos > me->prod_pos) {
        after_done(&x->a, (uint64_t)x->prod_pos, x->kind != DATA_NEW);
        after_fin(&x->a);
    }
    after_rst(&x->a, x->cons_ok && x->cons_pos > 0 ? (uint64_t)x->cons_pos : 0, (x->cf & (DATA_A | DATA_C)) != 0);
    answer(x);
    if (ends && !(x->cf & DATA_A) && x->kind == DATA_NEW && x->prod_ok)
        waiting_data(x);
    if ((x->cf & DATA_C) && !(x->cf & DATA_A) && !me->closed.set && !x->a.peer->aborted.set && x->kind == DATA_NEW)
        unread(x);
    if ((x->cf & DATA_C) && !me->closed.set)
        fin_before(x);
}

void judge_close_write(const struct data_act *a, uint64_t from, uint64_t to, bool placed)
{
    const struct data_side *me = a->me;
    bool again = me->replaying && placed && from < me->replay_end;
    if (again)
        return;
    if (me->aborted.set && !me->closed.set)
        broken(a, REQ_CLOSE_015, me->aborted.frame, "a WRITE", "nothing after A", "a WRITE after the own A");
    else if (me->closed.set && (a->peer->closed.set || a->peer->aborted.set)) /* the element may have a new owner */
        judge_data_pend_foreign(a, REQ_CDC_011, me->closed.frame);
    else if (me->closed.set)
        broken(a, REQ_CDC_011, me->closed.frame, "a WRITE", "nothing after C", "a WRITE after C");
    else if (placed)
        after_done(a, to, false);
    after_rst(a, 0, false);
    after_fin(a);
}

/* ---- TCP ---- */

void judge_close_fin(const struct data_act *a)
{
    if (a->me->fin_ns)
        return;
    a->me->fin_ns = a->now;
    a->me->fin_frame = a->frame;
}

void judge_close_rst(const struct data_act *a)
{
    if (a->me->rst_ns)
        return;
    judge_holds(a->j, REQ_CLOSE_018, true);
    a->me->rst_ns = a->now;
    a->me->rst_frame = a->frame;
    a->me->rst_peer_prod = a->peer->prod_pos;
}

static void vlan_of(struct data_conn *d, const struct trace_packet *p)
{
    if (d->vlan_known)
        return;
    d->vlan_known = true;
    d->vlan_present = p->vlan_present;
    d->vlan = p->vlan;
}

/* A keepalive probe: no data, for the byte before the next one. */
static void probe(struct data_act *a, const struct trace_packet *p)
{
    struct data_side *me = a->me;
    if (me->probes++ == 0) {
        me->probe_ns = p->raw.ts_ns;
        me->probe_frame = p->raw.frame;
    }
    if (me->probes < 3 || p->raw.ts_ns < me->probe_ns + PROBE_NS)
        return;
    struct judge_case k = {.req = REQ_CLOSE_028, .side = !a->side, .related = {me->probe_frame, p->raw.frame}, .conn = a->c,
                           .group = a->c->group, .offset = -1};
    judge_holds(a->j, REQ_CLOSE_028, false);
    if (me->probes == 3)
        judge_report(a->j, &k, JT("%u keepalive probes without answer", me->probes), "an acknowledgement of each",
                     "TCP keepalive probes are not answered"); /* [CLOSE-028] */
}

void judge_close_segment(struct judge *j, struct trace_conn *c, int dir, const struct trace_packet *p, bool duplicate)
{
    struct data_act a;
    const struct trace_tcp_header *t = &p->tcp;
    bool handshake = c->mode == TRACE_MODE_UNKNOWN && c->proposed;
    if ((c->mode < TRACE_MODE_SMCR && !handshake) || !judge_data_act(&a, j, c, dir, NULL, p->raw.frame, p->raw.ts_ns))
        return;
    (void)duplicate;
    vlan_of(a.d, p);
    uint32_t end = t->seq + p->payload_wire_len + t->syn + t->fin;
    bool quiet = !t->syn && !t->fin && !t->rst && p->payload_wire_len == 0;
    if (a.peer->probes)
        judge_holds(j, REQ_CLOSE_028, true);
    a.peer->probes = 0;
    if (quiet && a.me->tcp_known && t->seq == a.me->tcp_end - 1 && !c->incomplete && !c->rst)
        probe(&a, p);
    if (!t->rst && (!a.me->tcp_known || (int32_t)(end - a.me->tcp_end) > 0)) {
        a.me->tcp_known = true;
        a.me->tcp_end = end;
    }
}

/* ---- buffers ---- */

static bool has_key(const struct trace_rmb *r, uint8_t link, uint32_t rkey)
{
    for (unsigned i = 0; i < r->ntokens; i++)
        if (r->tokens[i].valid && r->tokens[i].link_number == link && r->tokens[i].rkey == rkey)
            return true;
    return false;
}

static void freed(struct judge *j, const struct trace_llc_event *e, uint32_t rkey)
{
    struct data_act a;
    for (struct trace_conn *c = e->group->conns; c; c = c->group_next) {
        const struct trace_rmb *r = c->side[e->side].rmb;
        if (!r || !c->confirmed || c->declined || c->mode != TRACE_MODE_SMCR || !has_key(r, e->link->number, rkey) ||
            !judge_data_act(&a, j, c, e->side, e->link, e->request->frame, e->request->ts_ns))
            continue;
        if (!a.me->freed.set)
            a.me->freed = (struct data_sent){.set = true, .link = e->link, .frame = a.frame, .ts_ns = a.now};
    }
}

void judge_close_llc(struct judge *j, const struct trace_llc_event *e)
{
    if (!e->valid || e->side < 0 || !e->link || e->info.type != SMC_LLC_DELETE_RKEY || e->info.response)
        return;
    for (unsigned i = 0; i < e->info.nrkeys; i++)
        freed(j, e, smc_llc_info_rkey(&e->info, i));
}

/* ---- the end ---- */

/* Was it sent before the buffer was given back? Over another link the capture may show it a little later. */
static bool before_free(const struct data_side *me, const struct data_sent *s)
{
    uint64_t slack = s->link == me->freed.link ? 0 : 50 * DATA_MS;
    return s->set && s->ts_ns <= me->freed.ts_ns + slack;
}

static void freed_open(const struct data_act *a)
{
    const struct data_side *me = a->me, *peer = a->peer;
    if (before_free(me, &peer->aborted) && me->done.set)
        return; /* both were done: A ends it [CLOSE-016] */
    if (before_free(me, &peer->aborted))
        broken(a, REQ_CLOSE_016, peer->aborted.frame, "the RMB is deleted", "A (0x20)", "A was never answered");
    else if (me->done.set && before_free(me, &peer->closed))
        broken(a, REQ_CLOSE_010, peer->closed.frame, "the RMB is deleted", "C (0x40)",
               "after D and the peer's C the side never sends C"); /* [CLOSE-010] */
    else
        broken(a, REQ_CLOSE_001, 0, "the RMB is deleted", "C (0x40) or A (0x20)", "a connection ends without C"); /* [CLOSE-001] */
}

static void freed_early(const struct data_act *a)
{
    const struct data_side *peer = a->peer;
    if (peer->freed.set && !peer->closed.set && !peer->aborted.set) /* it is the peer that forgot its C */
        return;
    if (before_free(a->me, &peer->done))
        broken(a, REQ_CLOSE_012, peer->done.frame, "the RMB is deleted", "not before the peer's C",
               "the peer has only said D and its C is not awaited"); /* [CLOSE-012] */
    else
        broken(a, REQ_CLOSE_020, a->me->closed.frame, "the RMB is deleted", "not before the peer's C or A",
               "the RMB is given back while the peer may still write"); /* [CLOSE-020] */
}

static void at_free(const struct data_act *a)
{
    struct data_side *me = a->me, *peer = a->peer;
    bool mine = before_free(me, &me->closed) || before_free(me, &me->aborted);
    bool theirs = before_free(me, &peer->closed) || before_free(me, &peer->aborted);
    struct data_act at = *a;
    at.frame = me->freed.frame;
    at.now = me->freed.ts_ns;
    if (!mine) {
        freed_open(&at);
        return;
    }
    judge_holds(a->j, me->done.set && theirs ? REQ_CLOSE_010 : REQ_CLOSE_001, true);
    if (theirs || me->aborted.set)
        judge_holds(a->j, peer->done.set ? REQ_CLOSE_012 : REQ_CLOSE_020, true);
    else
        freed_early(&at);
}

/* TCP was closed and nobody ever said C [CLOSE-001]. */
static void never_closed(const struct data_act *a)
{
    const struct data_side *me = a->me, *peer = a->peer;
    bool lives = a->c->mode == TRACE_MODE_SMCD || (me->link && me->link->state == TRACE_LINK_ACTIVE);
    if (me->closed.set || me->aborted.set || me->done.set || !me->fin_ns || !peer->fin_ns || !lives || me->cdcs == 0)
        return;
    uint64_t both = me->fin_ns > peer->fin_ns ? me->fin_ns : peer->fin_ns;
    if (a->now > both + FIN_LATE_NS)
        broken(a, REQ_CLOSE_001, me->fin_frame, "TCP is closed", "C (0x40) or A (0x20)", "a connection ends without C");
}

/* The side that closes first and at once ends TCP [CLOSE-024]. */
static void active_fin(const struct data_act *a)
{
    const struct data_side *me = a->me, *peer = a->peer;
    struct judge_case k = judge_data_case(a, REQ_CLOSE_024, -1);
    bool active = me->closed.set && !me->aborted.set && !me->done.set && !(peer->closed.set && peer->closed.frame < me->closed.frame) &&
                  !peer->done.set && !peer->aborted.set;
    uint64_t fin = me->fin_ns ? me->fin_ns : a->now;
    if (!active || (!me->fin_ns && fin <= me->closed.ts_ns + FIN_LATE_NS))
        return;
    k.frame = me->fin_frame;
    k.related[0] = me->closed.frame;
    if (!judge_holds(a->j, REQ_CLOSE_024, fin <= me->closed.ts_ns + FIN_LATE_NS))
        judge_report(a->j, &k, me->fin_ns ? JT("FIN %llu ms after C", (unsigned long long)((fin - me->closed.ts_ns) / DATA_MS)) : "no FIN",
                     "FIN right after C", "the side that closed first does not close TCP");
}

/* A last word given to a link that had died is on no wire. */
static bool link_lives(const struct data_side *x)
{
    return !x->link || x->link->state == TRACE_LINK_ACTIVE;
}

void judge_close_end(const struct data_act *a)
{
    struct data_side *me = a->me;
    if (a->c->rst || a->c->incomplete || a->c->group->gone || !link_lives(a->me) || !link_lives(a->peer))
        return;
    if (me->freed.set)
        at_free(a);
    else
        never_closed(a);
    active_fin(a);
}
