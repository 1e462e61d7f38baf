/* What LLC messages change: link numbers and states, rkeys, the eyecatcher mode.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "session_internal.h"

#include "wire/cdc_layouts.h"

static void link_state(struct trace_session *s, struct trace_link *l, enum trace_link_state state)
{
    if (l->state == state)
        return;
    l->state = state;
    if (state == TRACE_LINK_ACTIVE) {
        l->active_frame = s->last_frame;
        l->active_ns = s->last_ns;
    } else if (state == TRACE_LINK_GONE) {
        l->gone_frame = s->last_frame;
        l->gone_ns = s->last_ns;
    } else if (state == TRACE_LINK_DELETING) {
        l->delete_frame = s->last_frame;
        l->delete_ns = s->last_ns;
    }
}

static void set_origin(struct trace_group *g, uint32_t origin)
{
    if (g->origin_known)
        return;
    g->origin_known = true;
    g->origin = origin;
    for (struct trace_conn *c = g->conns; c; c = c->group_next) {
        session_ring_sizes(c);
        session_cursors_start(c);
    }
}

static void confirm_link(struct trace_session *s, const struct trace_llc_event *e)
{
    struct trace_link *l = e->link;
    session_link_number(l, e->info.link_number);
    if (e->info.max_links && (e->group->max_links == 0 || e->info.max_links < e->group->max_links))
        e->group->max_links = e->info.max_links;
    /* The server's word comes first; a client that uses eyecatchers says so in its response. */
    set_origin(e->group, e->info.no_eyecatcher == 3 ? 0 : 4);
    if (e->info.response && (l->state == TRACE_LINK_ADDING || l->state == TRACE_LINK_ANSWERED))
        link_state(s, l, TRACE_LINK_ACTIVE);
}

/* The link that an answer speaks of: that of its number; if there never was one, the newest. An offer that a dead link left behind may be
 * newer, and an answer may be late: then that link was given up already, or is being deleted. */
static struct trace_link *newest_adding(struct trace_group *g, uint8_t number)
{
    struct trace_link *found = NULL, *named = NULL;
    const struct trace_link *any = trace_link_by_number(g, number);
    for (struct trace_link *l = g->links; l; l = l->next)
        if (l->state == TRACE_LINK_ADDING || (l->state == TRACE_LINK_ANSWERED && !l->first)) {
            found = l;
            named = l->number_known && l->number == number ? l : named;
        }
    return named || (any && any->state >= TRACE_LINK_DELETING) ? named : found;
}

static bool shares_device(const struct trace_group *g, const struct trace_link *l, int side)
{
    for (const struct trace_link *o = g->links; o; o = o->next)
        if (o != l && o->state != TRACE_LINK_GONE && o->end[side].known &&
            memcmp(o->end[side].mac, l->end[side].mac, 6) == 0 && memcmp(o->end[side].gid, l->end[side].gid, 16) == 0)
            return true;
    return false;
}

static void link_rtokens(struct trace_session *s, const struct trace_llc_event *e, uint8_t number)
{
    for (unsigned i = 0; i < e->info.nrtokens; i++) {
        struct smc_llc_rtoken_fields t = smc_llc_info_rtoken(&e->info, i);
        struct trace_rmb *r = session_rmb_find(e->group, e->side, e->link->number, t.ref_rkey, true, NULL);
        if (!r && e->group->late && t.ref_rkey) /* an RMB older than the capture */
            r = session_rmb_announce(s, e->group, e->side, e->link->number, t.ref_rkey, 0, e->request->frame);
        if (r)
            session_rmb_add_token(e->group, r, number, t.new_rkey, t.new_va, e->request->frame);
    }
}

static void add_link_request(struct trace_session *s, const struct trace_llc_event *e)
{
    const struct smc_llc_info *i = &e->info;
    if (e->side != TRACE_S2C) /* the client's is only advice */
        return;
    struct trace_link *old = trace_link_by_number(e->group, i->link_number);
    if (old && (old->state == TRACE_LINK_ADDING || old->state == TRACE_LINK_ANSWERED))
        link_state(s, old, TRACE_LINK_GONE); /* given up, asked for again */
    struct trace_link *l = session_link_new(s, e->group);
    if (!l)
        return;
    session_link_number(l, i->link_number);
    session_link_end(s, l, TRACE_S2C, i->gid, i->mac, i->qpn, i->psn, i->mtu);
    if (e->group->version >= 2)
        link_rtokens(s, e, i->link_number);
}

static void add_link_response(struct trace_session *s, const struct trace_llc_event *e)
{
    const struct smc_llc_info *i = &e->info;
    struct trace_link *l = newest_adding(e->group, i->link_number);
    if (!l || e->side != TRACE_C2S)
        return;
    if (i->reject) {
        link_state(s, l, TRACE_LINK_GONE);
        return;
    }
    if (l->end[TRACE_C2S].known)
        return;
    session_link_end(s, l, TRACE_C2S, i->gid, i->mac, i->qpn, i->psn, i->mtu);
    l->asymmetric = shares_device(e->group, l, TRACE_C2S) != shares_device(e->group, l, TRACE_S2C);
    link_rtokens(s, e, l->number);
}

static void confirm_rkey(struct trace_session *s, const struct trace_llc_event *e)
{
    const struct smc_llc_info *i = &e->info;
    struct group *g = (struct group *)e->group;
    if (i->response) {
        struct trace_rmb *r = g->last_rkey_rmb[!e->side];
        if (i->negative && r && !r->clc_named && !((struct rmb *)r)->told_again)
            session_rmb_delete(r, e->request->frame);
        g->last_rkey_rmb[!e->side] = NULL;
        if (i->negative)
            g->cont_rmb[!e->side] = NULL;
        return;
    }
    bool known = session_rmb_find(e->group, e->side, e->link->number, i->rkey, true, NULL) != NULL;
    struct trace_rmb *r =
        session_rmb_announce(s, e->group, e->side, e->link->number, i->rkey, i->va, e->request->frame);
    if (!r)
        return;
    if (r != g->last_rkey_rmb[e->side]) /* else it is asked again before the answer came */
        ((struct rmb *)r)->told_again = known;
    r->clc_named = false;
    for (unsigned k = 0; k < i->nothers; k++)
        session_rmb_add_token(e->group, r, i->others[k].link, i->others[k].rkey, i->others[k].va, e->request->frame);
    g->last_rkey_rmb[e->side] = g->cont_rmb[e->side] = r;
    session_links_learn(e->group);
}

static void confirm_rkey_cont(const struct trace_llc_event *e)
{
    struct trace_rmb *r = ((struct group *)e->group)->cont_rmb[e->side];
    if (!r || e->info.response)
        return;
    for (unsigned k = 0; k < e->info.nothers; k++)
        session_rmb_add_token(e->group, r, e->info.others[k].link, e->info.others[k].rkey, e->info.others[k].va,
                              e->request->frame);
}

static bool delete_asked(const struct trace_group *g, int owner, const struct trace_link *l)
{
    for (const struct trace_rmb *r = g->rmbs[owner]; r; r = r->next)
        if (((const struct rmb *)r)->delete_pending == l)
            return true;
    return false;
}

/* The peer may write until it has answered, so keys die with the answer: those that were asked for over its link, for a request that
 * died with another link will come again. */
static void delete_rkey(const struct trace_llc_event *e)
{
    struct group *g = (struct group *)e->group;
    if (!e->info.response) {
        if (e->link->state == TRACE_LINK_GONE)
            return; /* it came out of a queue, and nobody hears it there */
        for (unsigned i = 0; i < e->info.nrkeys; i++) {
            struct trace_rmb *r = session_rmb_find(e->group, e->side, e->link->number,
                                                   smc_llc_info_rkey(&e->info, i), true, NULL);
            if (r)
                ((struct rmb *)r)->delete_pending = e->link;
        }
        g->deleting_rkeys[e->side] = true;
        return;
    }
    bool here = delete_asked(e->group, !e->side, e->link);
    if (!here && !g->deleting_rkeys[!e->side]) /* two may be under way, over two links */
        return;
    g->deleting_rkeys[!e->side] = false;
    for (struct trace_rmb *r = e->group->rmbs[!e->side]; r; r = r->next) {
        const struct trace_link *asked = ((struct rmb *)r)->delete_pending;
        if (asked && (asked == e->link || !here))
            session_rmb_delete(r, e->request->frame);
    }
}

static void delete_link(struct trace_session *s, const struct trace_llc_event *e)
{
    struct trace_link *l = trace_link_by_number(e->group, e->info.link_number);
    if (e->info.all) {
        session_group_gone(e->group, e->request->frame, e->request->ts_ns);
        return;
    }
    if (!l || l->state == TRACE_LINK_GONE)
        return;
    if (!e->info.response) {
        link_state(s, l, TRACE_LINK_DELETING);
        l->delete_known[e->side] = true;
        l->delete_asked.number = e->link->number;
        ((struct group *)e->group)->deleting_links = true;
        l->delete_asked.side = e->side;
        l->delete_asked.psn = e->request->psn;
    } else if (l->state == TRACE_LINK_DELETING)
        link_state(s, l, TRACE_LINK_GONE);
}

void session_delete_acked(struct trace_link *over, int side, uint32_t psn)
{
    struct group *g = (struct group *)over->group;
    if (!g->deleting_links) /* as nearly every acknowledgement finds it */
        return;
    g->deleting_links = false;
    for (struct trace_link *l = g->pub.links; l; l = l->next) {
        bool heard = l->delete_asked.number == over->number && l->delete_asked.side == side && ((psn - l->delete_asked.psn) & 0xffffff) < 0x800000;
        if (l->delete_asked.number != 0 && heard) {
            l->delete_known[!side] = true;
            l->delete_asked.number = 0;
        }
        g->deleting_links |= l->delete_asked.number != 0;
    }
}

static void follow(struct trace_session *s, const struct trace_llc_event *e)
{
    switch (e->info.type) {
    case SMC_LLC_CONFIRM_LINK:
        confirm_link(s, e);
        break;
    case SMC_LLC_ADD_LINK:
        if (e->info.response)
            add_link_response(s, e);
        else
            add_link_request(s, e);
        break;
    case SMC_LLC_ADD_LINK_CONT:
        link_rtokens(s, e, e->info.link_number);
        break;
    case SMC_LLC_DELETE_LINK:
        delete_link(s, e);
        break;
    case SMC_LLC_CONFIRM_RKEY:
        confirm_rkey(s, e);
        break;
    case SMC_LLC_CONFIRM_RKEY_CONT:
        confirm_rkey_cont(e);
        break;
    case SMC_LLC_DELETE_RKEY:
        delete_rkey(e);
        break;
    default:
        break;
    }
}

static void orphan_keep(struct trace_session *s, const struct trace_llc_event *e)
{
    struct orphan *o = &s->orphans[s->next_orphan];
    size_t n = smc_view_len(e->bytes);
    if (n > sizeof o->bytes)
        return;
    s->norphans += !o->stream;
    o->stream = e->stream;
    o->request = *e->request;
    o->request.packet = NULL;
    if (n)
        memcpy(o->bytes, e->bytes.p, n);
    o->request.bytes = smc_view_of(o->bytes, n);
    s->next_orphan = (s->next_orphan + 1) % ORPHANS;
}

void session_orphans_replay(struct trace_session *s)
{
    struct trace_link *l;
    int side;
    for (unsigned i = 0; i < ORPHANS && s->norphans; i++) /* a stream may be known only by its reverse */
        if (s->orphans[i].stream)
            session_stream_link(s, s->orphans[i].stream, &l, &side);
    for (unsigned i = 0; i < ORPHANS && s->norphans; i++) {
        struct orphan *o = &s->orphans[(s->next_orphan + i) % ORPHANS];
        struct trace_llc_event e = {.stream = o->stream, .replayed = true};
        if (!o->stream || !session_stream_link(s, o->stream, &e.link, &e.side))
            continue;
        struct orphan mine = *o; /* the listener may come back here */
        o->stream = NULL;
        s->norphans--;
        e.group = e.link->group;
        e.request = &mine.request;
        e.bytes = mine.request.bytes = smc_view_of(mine.bytes, smc_view_len(o->request.bytes));
        session_llc(s, &e);
    }
}

void session_orphans_drop(struct trace_session *s, const struct trace_stream *st)
{
    for (unsigned i = 0; i < ORPHANS && s->norphans; i++)
        if (s->orphans[i].stream == st) {
            s->orphans[i].stream = NULL;
            s->norphans--;
        }
}

void session_llc(struct trace_session *s, struct trace_llc_event *e)
{
    e->cut = e->request->len > smc_view_len(e->bytes) || e->request->headless;
    e->valid = smc_llc_decode(e->bytes, &e->info, &e->reject);
    EMIT(s, llc, e);
    if (e->valid && e->link)
        follow(s, e);
    else if (!e->link && !e->replayed)
        orphan_keep(s, e);
    if (e->link)
        ((struct group *)e->group)->last_ns = e->request->ts_ns;
    EMIT(s, llc_done, e);
}

/* The peer acknowledged requests that were not captured: what this message answers may be among them. */
static bool peer_lacks(const struct trace_link *l, int side)
{
    const struct trace_stream *other = l->end[!side].tx;
    return other && trace_stream_lacks(other);
}

void session_send(struct trace_session *s, struct trace_stream *st, const struct trace_request *r)
{
    struct trace_link *l = NULL;
    int side = -1;
    struct smc_cdc m;
    if (!session_stream_link(s, st, &l, &side))
        side = -1;
    if (!l && smc_cdc_at(r->bytes, 0, &m) && smc_cdc_type(m) == 0xfe && smc_cdc_failover_validation(m))
        l = session_link_adopt(s, st, smc_cdc_token(m));
    if (l && side < 0)
        session_stream_link(s, st, &l, &side);
    if (l && !l->end[side].known) /* its Confirm or ADD LINK response was not captured */
        session_group_lost(s, l->group);
    if (l && peer_lacks(l, side))
        session_link_lost(s, l, !side);
    if (smc_view_len(r->bytes) && (r->bytes.p[0] & 0xc0) == 0xc0) { /* [LLC-005] */
        session_cdc(s, st, l, side, r);
        return;
    }
    struct trace_llc_event e = {.stream = st, .link = l, .group = l ? l->group : NULL, .side = side, .request = r,
                                .bytes = r->bytes};
    session_llc(s, &e);
}
