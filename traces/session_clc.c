/* CLC messages in TCP streams, and what they make of connections, groups and links.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "session_internal.h"

#include <stdlib.h>

static const uint64_t ACCEPT_LATE_NS = 1000000000; /* so long an Accept may be on its way, or wait to be sent again */

/* ---- what the messages change ---- */

static void take_proposal(struct conn *c, const struct trace_clc_event *e)
{
    struct trace_conn *p = &c->pub;
    p->proposed = true;
    p->proposal = e->proposal;
    p->proposal_frame = e->frame;
    p->proposal_ns = e->ts_ns;
    p->phase = TRACE_CLC_ACCEPT;
    free(p->proposal_bytes);
    p->proposal_len = 0;
    p->proposal_bytes = malloc(smc_view_len(e->bytes));
    if (p->proposal_bytes) {
        p->proposal_len = smc_view_len(e->bytes);
        memcpy(p->proposal_bytes, e->bytes.p, p->proposal_len);
    }
}

static void element_from(struct trace_conn_side *x, const struct smc_clc_accept_info *a)
{
    x->given = true;
    x->token = a->token;
    x->dmb_token = a->dmb_token;
    x->rmbe_index = a->rmbe_index;
    x->element_size = (uint32_t)smc_clc_buffer_size(a->bsize);
}

void session_ring_sizes(struct trace_conn *c)
{
    for (int i = 0; i < 2; i++) {
        struct trace_conn_side *x = &c->side[i];
        if (!x->given)
            continue;
        uint32_t head = c->group && c->group->smcd ? 32 : c->group ? c->group->origin : 0;
        x->ring_size = x->element_size > head ? x->element_size - head : 0;
    }
}

void session_cursors_start(struct trace_conn *c)
{
    uint32_t origin = c->group && !c->group->smcd ? c->group->origin : 0;
    for (int i = 0; i < 2; i++) {
        struct trace_conn_side *x = &c->side[i];
        if (x->cdc_count || x->validations)
            continue;
        x->prod = x->cons = (struct trace_cursor){0, origin};
        x->prod_pos = x->cons_pos = 0;
        x->prod_known = x->cons_known = true;
        x->seq_known = true;
        x->last_seq = 0;
    }
}

static void give_rmb(struct trace_session *s, struct trace_conn *c, int side, const struct smc_clc_accept_info *a,
                     uint64_t frame)
{
    struct trace_link *l = c->link;
    if (!l)
        return;
    struct trace_rtoken *t = NULL;
    struct trace_rmb *r = session_rmb_find(c->group, side, l->number, a->rkey, true, &t);
    if (!r)
        r = session_rmb_announce(s, c->group, side, l->number, a->rkey, a->rmb_va, frame);
    if (!r)
        return;
    session_links_learn(c->group);
    r->clc_named = true;
    r->element_size = (uint32_t)smc_clc_buffer_size(a->bsize);
    if (a->rmbe_index > r->elements)
        r->elements = a->rmbe_index;
    c->side[side].rmb = r;
}

static struct trace_group *group_from_accept(struct trace_session *s, struct trace_conn *c,
                                             const struct smc_clc_accept_info *a, uint64_t frame)
{
    struct trace_group *g = session_group_new(s, a->path == SMC_PATH_D, frame);
    if (!g)
        return NULL;
    g->version = a->version;
    g->release = a->release;
    memcpy(g->peer_id[TRACE_S2C], a->peer_id, 8);
    memcpy(g->gid[TRACE_S2C], a->gid, 16);
    memcpy(g->eid, a->eid, sizeof g->eid);
    g->max_links = a->max_links;
    g->max_conns = a->max_conns;
    memcpy(((struct group *)g)->tcp, c->addr, sizeof c->addr);
    if (c->proposed)
        memcpy(g->peer_id[TRACE_C2S], c->proposal.peer_id, 8);
    if (s->packet) {
        g->vlan_known = true;
        g->vlan_present = s->packet->vlan_present;
        g->vlan = s->packet->vlan;
    }
    return g;
}

/* The group and link that an Accept makes (first contact), or that existed before the capture (late). */
static struct trace_link *link_from_accept(struct trace_session *s, struct trace_conn *c, const struct smc_clc_accept_info *a,
                                           bool late, uint64_t frame)
{
    struct trace_group *g = late ? session_group_late(s, c, a) : NULL;
    bool fresh = !g;
    if (!g)
        g = group_from_accept(s, c, a, frame);
    struct trace_link *l = g ? session_link_new(s, g) : NULL;
    if (!l)
        return NULL;
    g->late = late;
    if (c->incomplete)
        session_group_lost(s, g);
    l->first = fresh;
    session_link_end(s, l, TRACE_S2C, a->gid, a->mac, a->qpn, late ? -1 : (int64_t)a->psn, a->mtu);
    l->state = late ? TRACE_LINK_ACTIVE : TRACE_LINK_ADDING;
    if (late && a->version >= 2)
        g->origin_known = true; /* v2 has no eyecatcher */
    if (fresh)
        EMIT(s, group_open, g);
    return l;
}

/* It may have been deleted meanwhile, and its whole group have gone while the Accept was on its way; longer after that it is another one. */
static struct trace_link *named_link(struct trace_session *s, const struct smc_clc_accept_info *a, uint64_t ns)
{
    struct trace_link *l = a->first_contact ? NULL : session_link_find(s, a->gid, a->qpn, TRACE_S2C, NULL);
    return l && (l->state != TRACE_LINK_GONE || !l->group->gone || ns < l->group->gone_ns + ACCEPT_LATE_NS) ? l : NULL;
}

/* What an Accept or Confirm says of a group older than the capture is needed before anybody looks at the message: LLC
 * that came before it on its queue pairs can be told now. */
static void foresee(struct trace_session *s, struct trace_conn *c, const struct trace_clc_event *e)
{
    const struct smc_clc_accept_info *a = &e->accept;
    if (!e->accept_valid || a->path != SMC_PATH_R || c->declined)
        return;
    if (a->type == SMC_CLC_ACCEPT && !a->first_contact && !c->accepted && !named_link(s, a, e->ts_ns))
        link_from_accept(s, c, a, true, e->frame);
    else if (a->type == SMC_CLC_CONFIRM && c->link && c->group && c->group->late && !c->link->end[TRACE_C2S].known)
        session_link_end(s, c->link, TRACE_C2S, a->gid, a->mac, a->qpn, -1, a->mtu);
    else
        return;
    session_orphans_replay(s);
}

/* SMC-R: a first contact makes a group and its first link; else the Accept names a link that exists. */
static void accept_smcr(struct trace_session *s, struct trace_conn *c, const struct smc_clc_accept_info *a,
                        uint64_t frame, uint64_t ns)
{
    struct trace_link *l = named_link(s, a, ns);
    if (!l)
        l = link_from_accept(s, c, a, !a->first_contact, frame);
    if (!l)
        return;
    session_group_attach(l->group, c);
    c->link = c->side[0].via = c->side[1].via = l;
    ((struct group *)l->group)->last_ns = ns;
    give_rmb(s, c, TRACE_S2C, a, frame);
}

static void take_accept(struct trace_session *s, struct conn *cc, const struct trace_clc_event *e)
{
    struct trace_conn *c = &cc->pub;
    const struct smc_clc_accept_info *a = &e->accept;
    c->accepted = true;
    c->accept = *a;
    c->accept.gids = smc_view_of("", 0);
    c->accept_frame = e->frame;
    c->accept_ns = e->ts_ns;
    c->version = a->version;
    c->release = a->release;
    c->first_contact = a->first_contact;
    c->phase = TRACE_CLC_CONFIRM;
    element_from(&c->side[TRACE_S2C], a);
    if (a->path == SMC_PATH_R)
        accept_smcr(s, c, a, e->frame, e->ts_ns);
    session_ring_sizes(c);
    session_cursors_start(c);
}

static bool same_smcd_group(const struct trace_group *g, const struct trace_conn *c)
{
    return g->smcd && !g->gone && g->version == c->accept.version && memcmp(g->gid[0], c->confirm.gid, 16) == 0 &&
           memcmp(g->gid[1], c->accept.gid, 16) == 0;
}

/* Two hosts have several groups where there are several VLANs, or containers on one loopback. */
static bool same_link_ids(const struct trace_group *g, const struct trace_conn *c)
{
    return g->link_id[TRACE_C2S] == c->confirm.link_id && g->link_id[TRACE_S2C] == c->accept.link_id;
}

static void confirm_smcd(struct trace_session *s, struct trace_conn *c, uint64_t frame, uint64_t ns)
{
    struct trace_group *g = NULL;
    for (struct trace_group *x = s->groups; x && !c->first_contact; x = x->next)
        if (same_smcd_group(x, c) && (!g || same_link_ids(x, c)))
            g = x;
    if (!g) {
        g = group_from_accept(s, c, &c->accept, frame);
        if (!g)
            return;
        g->late = !c->first_contact;
        memcpy(g->gid[TRACE_C2S], c->confirm.gid, 16);
        g->link_id[TRACE_C2S] = c->confirm.link_id;
        g->link_id[TRACE_S2C] = c->accept.link_id;
        session_group_attach(g, c);
        EMIT(s, group_open, g);
    } else {
        session_group_attach(g, c);
    }
    ((struct group *)g)->last_ns = ns;
}

static void confirm_smcr(struct trace_session *s, struct trace_conn *c, const struct smc_clc_accept_info *a, uint64_t frame)
{
    struct trace_link *l = c->link;
    if (!l)
        return;
    struct trace_group *g = c->group;
    bool learned = g->late && l->end[TRACE_C2S].known && l->end[TRACE_C2S].qpn == a->qpn &&
                   memcmp(l->end[TRACE_C2S].gid, a->gid, 16) == 0; /* perhaps from its packets alone */
    if (!l->end[TRACE_C2S].known || learned) {
        memcpy(g->peer_id[TRACE_C2S], a->peer_id, 8);
        memcpy(g->gid[TRACE_C2S], a->gid, 16);
        session_link_end(s, l, TRACE_C2S, a->gid, a->mac, a->qpn, g->late ? -1 : (int64_t)a->psn, a->mtu);
    } else if (l->end[TRACE_C2S].qpn != a->qpn || memcmp(l->end[TRACE_C2S].gid, a->gid, 16) != 0) {
        /* The client uses another link of the group than the Accept named. */
        struct trace_link *other = session_link_find(s, a->gid, a->qpn, TRACE_C2S, NULL);
        if (other && other->group == g && other->state != TRACE_LINK_GONE)
            c->link = c->side[0].via = c->side[1].via = other;
    }
    give_rmb(s, c, TRACE_C2S, a, frame);
}

static void take_confirm(struct trace_session *s, struct conn *cc, const struct trace_clc_event *e)
{
    struct trace_conn *c = &cc->pub;
    const struct smc_clc_accept_info *a = &e->accept;
    c->confirmed = true;
    c->confirm = *a;
    c->confirm.gids = smc_view_of("", 0);
    c->confirm_frame = e->frame;
    c->confirm_ns = e->ts_ns;
    c->phase = TRACE_CLC_DONE;
    element_from(&c->side[TRACE_C2S], a);
    if (!c->accepted) { /* only the end of the handshake was captured */
        c->mode = a->path == SMC_PATH_D ? TRACE_MODE_SMCD : TRACE_MODE_SMCR;
        c->version = a->version;
        c->incomplete = true;
        return;
    }
    c->mode = c->accept.path == SMC_PATH_D ? TRACE_MODE_SMCD : TRACE_MODE_SMCR;
    if (c->mode == TRACE_MODE_SMCD)
        confirm_smcd(s, c, e->frame, e->ts_ns);
    else
        confirm_smcr(s, c, a, e->frame);
    if (c->group && !c->release)
        c->release = c->group->release;
    session_ring_sizes(c);
    session_cursors_start(c);
    session_moves_replay(s, cc);
}

static void take_decline(struct conn *cc, const struct trace_clc_event *e)
{
    struct trace_conn *c = &cc->pub;
    if (!c->declined) {
        c->declined = true;
        c->decline_side = e->side;
        c->decline_code = e->decline.diagnosis;
        c->decline_sync = e->decline.out_of_sync;
        c->decline_frame = e->frame;
        c->decline_ns = e->ts_ns;
    }
    c->phase = TRACE_CLC_DECLINED;
    c->mode = TRACE_MODE_TCP;
    if (!c->group)
        return;
    bool made_here = c->first_contact && c->group->conns == c && c->group_next == NULL;
    if (made_here || e->decline.out_of_sync)
        session_group_gone(c->group, e->frame, e->ts_ns);
}

static void take(struct trace_session *s, struct conn *c, const struct trace_clc_event *e)
{
    if (e->proposal_valid)
        take_proposal(c, e);
    else if (e->accept_valid && e->accept.type == SMC_CLC_ACCEPT)
        take_accept(s, c, e);
    else if (e->accept_valid)
        take_confirm(s, c, e);
    else if (e->decline_valid)
        take_decline(c, e);
}

/* ---- finding the messages ---- */

static void decode(struct trace_clc_event *e)
{
    struct smc_parsed m;
    e->type = (uint8_t)smc_clc_type_of(e->bytes);
    e->version = smc_view_len(e->bytes) > 7 ? e->bytes.p[7] >> 4 : 0;
    if (!smc_clc_parse(e->bytes, &m, &e->reject)) {
        e->broken = true;
        return;
    }
    e->proposal_valid = smc_clc_decode_proposal(&m, &e->proposal);
    e->accept_valid = smc_clc_decode_accept(&m, &e->accept);
    e->decline_valid = smc_clc_decode_decline(&m, &e->decline);
}

static void plain(struct trace_session *s, struct conn *c, int dir, struct smc_view bytes, uint64_t frame, uint64_t ns)
{
    if (smc_view_len(bytes) == 0)
        return;
    EMIT(s, plain, &c->pub, dir, bytes, frame, ns);
    c->pub.plain_bytes[dir] += smc_view_len(bytes);
    if (c->pub.mode == TRACE_MODE_UNKNOWN && c->pub.phase != TRACE_CLC_LATE)
        c->pub.mode = TRACE_MODE_TCP;
}

static bool may_hold_clc(struct trace_session *s, struct conn *c, int dir)
{
    switch (c->pub.phase) {
    case TRACE_CLC_NONE:
    case TRACE_CLC_BROKEN:
        return false;
    case TRACE_CLC_DECLINED:
        return !c->rx[dir].settled;
    case TRACE_CLC_PROPOSAL:
        if (!c->pub.option[0] || !c->pub.option[1]) {
            /* A SYN that was not captured may have carried the option; then only the bytes can tell. */
            bool seen = c->pub.flow && c->pub.flow->syn_seen[0] && c->pub.flow->syn_seen[1];
            if (seen)
                c->pub.phase = TRACE_CLC_NONE;
            (void)s;
            return !seen;
        }
        return true;
    default:
        return true;
    }
}

static bool hold(struct clc_rx *rx, struct smc_view bytes, uint64_t frame)
{
    size_t n = smc_view_len(bytes);
    if (rx->len == 0)
        rx->first_frame = frame;
    if (rx->len + n > rx->cap) {
        size_t cap = rx->len + n < 512 ? 512 : (rx->len + n) * 2;
        uint8_t *grown = realloc(rx->buf, cap);
        if (!grown)
            return false;
        rx->buf = grown;
        rx->cap = cap;
    }
    memcpy(rx->buf + rx->len, bytes.p, n);
    rx->len += n;
    return true;
}

/* Whatever is held turned out not to be CLC. */
static void release_plain(struct trace_session *s, struct conn *c, int dir, uint64_t frame, uint64_t ns)
{
    struct clc_rx rx = c->rx[dir];
    c->rx[dir] = (struct clc_rx){.settled = true};
    plain(s, c, dir, smc_view_of(rx.buf ? rx.buf : (const uint8_t *)"", rx.len), frame, ns);
    free(rx.buf);
}

static void emit_broken(struct trace_session *s, struct conn *c, int dir, const struct smc_reject *why, uint64_t frame,
                        uint64_t ns)
{
    struct clc_rx *rx = &c->rx[dir];
    struct trace_clc_event e = {.conn = &c->pub, .side = dir, .frame = frame, .ts_ns = ns, .broken = true, .reject = *why};
    e.bytes = smc_view_of(rx->buf, rx->len);
    e.first_frame = rx->first_frame;
    e.type = (uint8_t)smc_clc_type_of(e.bytes);
    e.version = rx->len > 7 ? rx->buf[7] >> 4 : 0;
    EMIT(s, clc, &e);
}

/* A message from the wrong side tells that the roles were guessed wrong. */
static int settle_roles(struct trace_session *s, struct conn *c, int dir, unsigned type)
{
    bool from_client = type == SMC_CLC_PROPOSAL || type == SMC_CLC_CONFIRM;
    bool from_server = type == SMC_CLC_ACCEPT;
    if (!c->pub.flow || c->pub.flow->roles_known || (!from_client && !from_server) || from_client == (dir == TRACE_C2S))
        return dir;
    trace_tcp_swap_roles(s->tcp, c->pub.flow);
    memcpy(c->pub.addr, c->pub.flow->addr, sizeof c->pub.addr);
    memcpy(c->pub.port, c->pub.flow->port, sizeof c->pub.port);
    struct clc_rx rx = c->rx[0];
    c->rx[0] = c->rx[1];
    c->rx[1] = rx;
    return !dir;
}

/* Before the first message, and where nothing but application data may come, bytes must look like CLC to be taken so. */
static bool looks_plain(const struct conn *c, int dir, struct smc_view held)
{
    struct smc_reject why;
    size_t len;
    struct smc_parsed m;
    switch (c->pub.phase) {
    case TRACE_CLC_LATE:
        return smc_clc_frame(held, &len, &why) == SMC_FRAME_BAD;
    case TRACE_CLC_DONE:
        return smc_clc_frame(held, &len, &why) == SMC_FRAME_BAD;
    case TRACE_CLC_DECLINED: /* only a whole, sound message is worth a look; all else is application data */
        return smc_clc_frame(held, &len, &why) != SMC_FRAME_OK ||
               !smc_clc_parse(smc_view_sub(held, 0, len), &m, &why);
    case TRACE_CLC_PROPOSAL:
        return (!c->pub.option[0] || !c->pub.option[1]) && smc_clc_frame(held, &len, &why) == SMC_FRAME_BAD;
    default:
        (void)dir;
        return false;
    }
}

void session_clc_bytes(struct trace_session *s, struct conn *c, int dir, struct smc_view bytes, uint64_t frame, uint64_t ns)
{
    if (!may_hold_clc(s, c, dir) || (c->rx[dir].settled && c->pub.phase == TRACE_CLC_LATE)) {
        plain(s, c, dir, bytes, frame, ns);
        return;
    }
    if (!hold(&c->rx[dir], bytes, frame)) {
        s->short_of_memory = true;
        c->pub.incomplete = true;
        return;
    }
    for (;;) {
        struct clc_rx *rx = &c->rx[dir];
        struct smc_view held = smc_view_of(rx->buf, rx->len);
        struct smc_reject why;
        size_t len = 0;
        if (rx->len == 0)
            return;
        if (!may_hold_clc(s, c, dir) || looks_plain(c, dir, held)) {
            release_plain(s, c, dir, frame, ns);
            return;
        }
        enum smc_frame got = smc_clc_frame(held, &len, &why);
        if (got == SMC_FRAME_MORE)
            return;
        if (got == SMC_FRAME_BAD) {
            emit_broken(s, c, dir, &why, frame, ns);
            c->pub.phase = TRACE_CLC_BROKEN;
            release_plain(s, c, dir, frame, ns);
            return;
        }
        dir = settle_roles(s, c, dir, smc_clc_type_of(held));
        rx = &c->rx[dir];
        struct trace_clc_event e = {.conn = &c->pub, .side = dir, .bytes = smc_view_sub(held, 0, len), .frame = frame,
                                    .ts_ns = ns, .first_frame = rx->first_frame};
        decode(&e);
        foresee(s, &c->pub, &e);
        EMIT(s, clc, &e);
        if (e.broken) {
            c->pub.phase = TRACE_CLC_BROKEN;
        } else if (c->pub.phase == TRACE_CLC_DECLINED) {
            rx->settled = true;
        } else {
            take(s, c, &e);
        }
        memmove(rx->buf, rx->buf + len, rx->len - len);
        rx->len -= len;
        rx->first_frame = frame;
    }
}

/* A message whose end the snap length cut off still names queue pairs, keys and tokens: they stand in front. What was
 * cut reads as zero, nobody is told of the message, and the connection counts as incomplete. */
static bool take_cut(struct trace_session *s, struct conn *c, int dir, uint64_t hole, uint64_t frame, uint64_t ns)
{
    struct clc_rx *rx = &c->rx[dir];
    struct smc_clc_header h;
    uint8_t whole[1024] = {0};
    if (!smc_clc_header_at(smc_view_of(rx->buf, rx->len), 0, &h))
        return false;
    size_t len = smc_clc_header_length(h);
    if (len < SMC_CLC_MIN || len > sizeof whole || rx->len >= len || hole < len - rx->len)
        return false;
    memcpy(whole, rx->buf, rx->len);
    memcpy(whole + len - 4, whole, 4);
    struct trace_clc_event e = {.conn = &c->pub, .side = dir, .bytes = smc_view_of(whole, len), .frame = frame,
                                .ts_ns = ns, .first_frame = rx->first_frame};
    decode(&e);
    bool accept = e.accept_valid && rx->len >= smc_clc_accept_r_size;
    if (accept)
        take(s, c, &e);
    else if (e.type == SMC_CLC_PROPOSAL && (c->pub.phase == TRACE_CLC_PROPOSAL || c->pub.phase == TRACE_CLC_LATE))
        c->pub.phase = TRACE_CLC_ACCEPT;
    else
        return false;
    rx->len = 0;
    return true;
}

void session_clc_stop(struct trace_session *s, struct conn *c, int dir, uint64_t hole, uint64_t frame, uint64_t ns)
{
    struct clc_rx *rx = &c->rx[dir];
    if (hole) {
        if (rx->len && take_cut(s, c, dir, hole, frame, ns))
            return;
        if (c->pub.phase != TRACE_CLC_NONE && c->pub.phase != TRACE_CLC_DONE && c->pub.phase != TRACE_CLC_DECLINED &&
            c->pub.phase != TRACE_CLC_BROKEN)
            c->pub.phase = TRACE_CLC_LATE;
        rx->len = 0;
        rx->settled = true;
        return;
    }
    if (rx->len == 0)
        return;
    if (c->pub.phase == TRACE_CLC_PROPOSAL || c->pub.phase == TRACE_CLC_ACCEPT || c->pub.phase == TRACE_CLC_CONFIRM ||
        c->pub.phase == TRACE_CLC_DONE) {
        struct smc_reject why = {.offset = rx->len, .field = "length", .rule = "CLC-008",
                                 .what = "the stream ends inside a CLC message", .seen = rx->len};
        emit_broken(s, c, dir, &why, frame, ns);
        c->pub.phase = TRACE_CLC_BROKEN;
    }
    release_plain(s, c, dir, frame, ns);
}
