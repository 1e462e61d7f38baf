/* Checks of what stands beside and behind the end of a connection: TCP's FIN, RST and probes, buffers given back.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "check_data.h"

static const uint64_t FIN_LATE_NS = 2000 * DATA_MS;
static const uint64_t FIN_LOST_NS = 10000 * DATA_MS; /* where packets are lost, FIN may be so several times */
static const uint64_t PROBE_NS = 300 * DATA_MS;

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
    struct judge_case k = {.req = REQ_CLOSE_028,
                           .side = !a->side,
                           .related = {me->probe_frame, p->raw.frame},
                           .conn = a->c,
                           .group = a->c->group,
                           .offset = -1};
    judge_holds(a->j, REQ_CLOSE_028, false);
    if (me->probes == 3)
        judge_report(a->j, &k, JT("%u keepalive probes without answer", me->probes),
                     "an acknowledgement of each",
                     "TCP keepalive probes are not answered"); /* [CLOSE-028] */
}

void judge_close_segment(struct judge *j, struct trace_conn *c, int dir,
                         const struct trace_packet *p, bool duplicate)
{
    struct data_act a;
    const struct trace_tcp_header *t = &p->tcp;
    bool handshake = c->mode == TRACE_MODE_UNKNOWN && c->proposed;
    if ((c->mode < TRACE_MODE_SMCR && !handshake) ||
        !judge_data_act(&a, j, c, dir, NULL, p->raw.frame, p->raw.ts_ns))
        return;
    (void)duplicate;
    for (int i = 0; i < 2; i++)
        if (a.d->side[i].closed.set && a.d->side[i].tcp_ns == 0)
            a.d->side[i].tcp_ns = p->raw.ts_ns;
    vlan_of(a.d, p);
    uint32_t end = t->seq + p->payload_wire_len + t->syn + t->fin;
    bool quiet = !t->syn && !t->fin && !t->rst && p->payload_wire_len == 0;
    if (a.peer->probes)
        judge_holds(j, REQ_CLOSE_028, true);
    a.peer->probes = 0;
    if (quiet && a.me->tcp_known && t->seq == a.me->tcp_end - 1 && !c->incomplete && !c->rst)
        probe(&a, p);
    a.me->tcp_last_ns = a.now;
    int32_t ahead = (int32_t)(t->seq - a.me->tcp_end);
    if (a.me->tcp_known && !t->rst && ((t->fin && ahead < 0) || (a.me->closed.set && ahead > 0)))
        a.me->fin_lost = true;
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
        if (!r || !c->confirmed || c->declined || c->mode != TRACE_MODE_SMCR ||
            !has_key(r, e->link->number, rkey) ||
            !judge_data_act(&a, j, c, e->side, e->link, e->request->frame, e->request->ts_ns))
            continue;
        if (!a.me->freed.set)
            a.me->freed =
                (struct data_sent){.set = true, .link = e->link, .frame = a.frame, .ts_ns = a.now};
    }
}

void judge_close_llc(struct judge *j, const struct trace_llc_event *e)
{
    if (!e->valid || e->side < 0 || !e->link || e->info.type != SMC_LLC_DELETE_RKEY ||
        e->info.response)
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
        judge_data_broken(a, REQ_CLOSE_016, peer->aborted.frame, "the RMB is deleted", "A (0x20)",
                          "A was never answered");
    else if (me->done.set && before_free(me, &peer->closed))
        judge_data_broken(a, REQ_CLOSE_010, peer->closed.frame, "the RMB is deleted", "C (0x40)",
                          "after D and the peer's C the side never sends C"); /* [CLOSE-010] */
    else
        judge_data_broken(a, REQ_CLOSE_001, 0, "the RMB is deleted", "C (0x40) or A (0x20)",
                          "a connection ends without C"); /* [CLOSE-001] */
}

static void freed_early(const struct data_act *a)
{
    const struct data_side *peer = a->peer;
    if (peer->freed.set && !peer->closed.set &&
        !peer->aborted.set) /* it is the peer that forgot its C */
        return;
    if (before_free(a->me, &peer->done))
        judge_data_broken(a, REQ_CLOSE_012, peer->done.frame, "the RMB is deleted",
                          "not before the peer's C",
                          "the peer has only said D and its C is not awaited"); /* [CLOSE-012] */
    else
        judge_data_broken(a, REQ_CLOSE_020, a->me->closed.frame, "the RMB is deleted",
                          "not before the peer's C or A",
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
        if (me->link == me->freed.link || judge_data_later(a, a->side, me->freed.ts_ns))
            freed_open(&at);
        return;
    }
    judge_holds(a->j, me->done.set && theirs ? REQ_CLOSE_010 : REQ_CLOSE_001, true);
    if (theirs || me->aborted.set)
        judge_holds(a->j, peer->done.set ? REQ_CLOSE_012 : REQ_CLOSE_020, true);
    else if (judge_data_later(a, !a->side, me->freed.ts_ns))
        freed_early(&at);
}

/* TCP was closed and nobody ever said C [CLOSE-001]. */
static void never_closed(const struct data_act *a)
{
    const struct data_side *me = a->me, *peer = a->peer;
    bool lives =
        a->c->mode == TRACE_MODE_SMCD || (me->link && me->link->state == TRACE_LINK_ACTIVE);
    if (me->closed.set || me->aborted.set || me->done.set || !me->fin_ns || !peer->fin_ns ||
        !lives || me->cdcs == 0)
        return;
    uint64_t both = me->fin_ns > peer->fin_ns ? me->fin_ns : peer->fin_ns;
    if (a->now > both + FIN_LATE_NS && judge_data_later(a, a->side, both))
        judge_data_broken(a, REQ_CLOSE_001, me->fin_frame, "TCP is closed", "C (0x40) or A (0x20)",
                          "a connection ends without C");
}

/* From when on the FIN was late: it may wait until C has arrived [CLOSE-023], and TCP has losses and timers of its own. SMC-D's devices
 * say nothing about the network: while TCP is silent it may be cut off. 0: never. */
static uint64_t fin_due(const struct data_act *a)
{
    struct data_side *me = a->me;
    bool smcd = a->c->mode == TRACE_MODE_SMCD;
    uint64_t said = me->closed.ts_ns;
    if (smcd && me->tcp_ns == 0)
        return 0;
    const struct data_capture *all = judge_data_capture(a->j);
    if (all && !all->lossy && !all->path_lost)
        return (smcd ? me->tcp_ns : said) + FIN_LATE_NS;
    judge_data_delivered(a, a->side, &me->closed, 0);
    if (me->closed.ack_ns == 0)
        return 0;
    return (me->tcp_ns > me->closed.ack_ns ? me->tcp_ns : me->closed.ack_ns) + FIN_LOST_NS;
}

/* Did the side do anything after that time? A host without power sends no FIN. */
static bool lived(const struct data_act *a, uint64_t ns)
{
    return a->me->tcp_last_ns > ns || (a->c->mode == TRACE_MODE_SMCR && judge_data_later(a, a->side, ns));
}

/* The side that closes first and at once ends TCP [CLOSE-024]. */
static void active_fin(const struct data_act *a)
{
    const struct data_side *me = a->me, *peer = a->peer;
    struct judge_case k = judge_data_case(a, REQ_CLOSE_024, -1);
    bool active = me->closed.set && !me->aborted.set && !me->done.set &&
                  !(peer->closed.set && peer->closed.frame < me->closed.frame) && !peer->done.set &&
                  !peer->aborted.set;
    uint64_t fin = me->fin_ns ? me->fin_ns : a->now;
    uint64_t due = fin_due(a);
    if (!active || due == 0 || me->fin_lost || (!me->fin_ns && (fin <= due || !lived(a, due))))
        return;
    k.frame = me->fin_frame;
    k.related[0] = me->closed.frame;
    if (!judge_holds(a->j, REQ_CLOSE_024, fin <= due))
        judge_report(a->j, &k,
                     me->fin_ns ? JT("FIN %llu ms after C",
                                     (unsigned long long)((fin - me->closed.ts_ns) / DATA_MS))
                                : "no FIN",
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
    if (a->c->rst || a->c->incomplete || a->c->group->gone || !link_lives(a->me) ||
        !link_lives(a->peer))
        return;
    if (me->freed.set)
        at_free(a);
    else
        never_closed(a);
    active_fin(a);
}
