/* Accept and Confirm against the link groups there are: first or subsequent contact, links, RMBs, parallel groups.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "check_clc.h"
#include "state.h"

#include <string.h>

/* More groups than this are not searched: a real capture has a few. */
enum { SEARCHED_GROUPS = 1024 };

static bool usable(const struct trace_group *g)
{
    return g != NULL && !g->smcd && !g->gone;
}

static bool complete(const struct trace_group *g)
{
    return usable(g) && !g->late && !g->incomplete;
}

static struct judge_case at_sender(const struct trace_clc_event *e, enum judge_req req)
{
    return (struct judge_case){.req = req, .side = e->side, .frame = e->frame, .related = {e->conn->accept_frame},
                               .conn = e->conn, .offset = -1, .v2 = clc_impl_binds(e)};
}

/* [CLC-075] The message names an RMB whose CONFIRM RKEY is not answered yet: if the answer comes after all, it came too
 * late. (If none comes, that is LLC-054; if it was not captured, nothing can be said.) */
static void rkey_used(struct clc_capture *k, const struct trace_clc_event *e)
{
    for (unsigned i = 0; i < k->nrkeys; i++) {
        struct clc_rkey *r = &k->rkeys[i];
        for (unsigned n = 0; n < r->nrkeys; n++)
            if (r->rkeys[n] == e->accept.rkey && r->used_frame == 0 && memcmp(r->asker.b, e->accept.gid, 16) == 0) {
                r->used_frame = e->frame;
                r->used_conn = e->conn;
                r->used_side = e->side;
            }
    }
}

/* ---- out of sync ---- */

/* [CLC-080] A group that was declined with S=1 is gone; an Accept must not offer it again. */
void clc_group_accept(struct judge *j, const struct trace_clc_event *e)
{
    const struct smc_clc_accept_info *a = &e->accept;
    struct clc_capture *k = clc_capture_of(j);
    if (k == NULL || a->path != SMC_PATH_R)
        return;
    unsigned n = k->nlost < CLC_OUT_OF_SYNC ? k->nlost : CLC_OUT_OF_SYNC;
    for (unsigned i = 0; i < n; i++) {
        if (k->lost[i].frame == 0 || k->lost[i].qpn != a->qpn || memcmp(k->lost[i].gid, a->gid, 16) != 0)
            continue;
        if (a->first_contact) {
            k->lost[i].frame = 0; /* a new queue pair with the old number */
        } else if (e->conn->first_frame > k->lost[i].frame && !judge_holds(j, REQ_CLC_080, false)) {
            struct judge_case case_ = at_sender(e, REQ_CLC_080);
            case_.related[0] = k->lost[i].frame;
            judge_report(j, &case_, "first contact 0", "a new group", "a group declined as out of sync is offered again");
        }
    }
    rkey_used(k, e);
}

void clc_group_decline(struct judge *j, const struct trace_clc_event *e)
{
    const struct trace_conn *c = e->conn;
    struct clc_capture *k = clc_capture_of(j);
    if (e->side != TRACE_C2S || c->phase != TRACE_CLC_CONFIRM || !c->accepted || c->accept.path != SMC_PATH_R)
        return;
    if (e->decline.out_of_sync && k != NULL) {
        unsigned i = k->nlost++ % CLC_OUT_OF_SYNC;
        memcpy(k->lost[i].gid, c->accept.gid, 16);
        k->lost[i].qpn = c->accept.qpn;
        k->lost[i].frame = e->frame;
    }
    if (c->first_contact || c->group == NULL)
        return;
    /* [CLC-051] The link of the Accept is known and belongs to another peer, or the code says so. */
    bool stranger = !c->group->late && memcmp(c->group->peer_id[TRACE_S2C], c->accept.peer_id, 8) != 0;
    if (!stranger && e->decline.diagnosis != SMC_DIAG_SYNCERR)
        return;
    struct judge_case case_ = at_sender(e, REQ_CLC_051);
    case_.offset = 7;
    if (!judge_holds(j, REQ_CLC_051, e->decline.out_of_sync))
        judge_report(j, &case_, "S=0", "S=1",
                     "the client declines a link that it does not know without saying that the group is out of sync");
}

/* ---- links ---- */

/* A live link of another group whose client end this is. */
static const struct trace_link *other_link(struct judge *j, const struct trace_conn *c,
                                           const struct smc_clc_accept_info *confirm)
{
    unsigned searched = 0;
    for (const struct trace_group *g = trace_session_groups(j->session); g != NULL && searched++ < SEARCHED_GROUPS; g = g->next) {
        if (g == c->group || !complete(g))
            continue;
        for (const struct trace_link *l = g->links; l != NULL; l = l->next)
            if (l->state != TRACE_LINK_GONE && l->end[0].known && l->end[1].known && l->end[0].qpn == confirm->qpn &&
                memcmp(l->end[0].gid, confirm->gid, 16) == 0)
                return l;
    }
    return NULL;
}

/* A link that went while the handshake ran counts. */
static bool link_in_group(const struct trace_conn *c, const struct smc_clc_accept_info *confirm)
{
    for (const struct trace_link *l = c->group->links; l != NULL; l = l->next) {
        bool there = l->state != TRACE_LINK_GONE || l->gone_frame > c->first_frame;
        bool named = !l->end[0].known ||
                     (l->end[0].qpn == confirm->qpn && memcmp(l->end[0].gid, confirm->gid, 16) == 0);
        if (there && named)
            return true;
    }
    return false;
}

/* A queue pair has one peer: if the client names one that belongs to another link, it does not use the Accept's. */
static void check_link(struct judge *j, const struct trace_clc_event *e)
{
    const struct trace_conn *c = e->conn;
    struct judge_case case_ = at_sender(e, REQ_CLC_040);
    case_.offset = 38;
    const char *seen = JT("QP %#x", e->accept.qpn);
    if (!c->first_contact && complete(c->group)) {
        if (!judge_holds(j, REQ_CLC_040, link_in_group(c, &e->accept)))
            judge_report(j, &case_, seen, "an active link of the group", "the Confirm names no link of the group");
        return;
    }
    const struct trace_link *other = other_link(j, c, &e->accept);
    if (c->first_contact) {
        /* The same number and the same first PSN: this is not a new queue pair with an old number. */
        bool old = other != NULL && other->end[0].psn == e->accept.psn && other->end[1].qpn != c->accept.qpn;
        case_.req = REQ_CLC_073;
        if (!judge_holds(j, REQ_CLC_073, !old))
            judge_report(j, &case_, seen, "a new queue pair", "the server wants a new group and the client confirms an old link");
        return;
    }
    bool unknown = other != NULL && c->group->first_frame == c->accept_frame && other->end[0].psn == e->accept.psn;
    case_.req = REQ_CLC_051;
    if (other != NULL && !judge_holds(j, REQ_CLC_051, !unknown))
        judge_report(j, &case_, "Confirm", "Decline with S=1",
                     "the Accept names a link that does not exist and the client confirms");
}

/* ---- RMBs ---- */

static bool side_done(const struct trace_conn_side *s)
{
    return s->closed || s->aborted || s->rst_frame != 0;
}

static bool open_for_sure(const struct trace_conn *c)
{
    return c->confirmed && c->mode == TRACE_MODE_SMCR && !c->incomplete && !c->rst && c->closed == TRACE_CLOSED_OPEN &&
           !side_done(&c->side[0]) && !side_done(&c->side[1]) && c->side[0].fin_frame == 0 && c->side[1].fin_frame == 0;
}

/* [CLC-039] The element that the Accept offers must not be another connection's. */
static void check_element(struct judge *j, const struct trace_clc_event *e)
{
    const struct trace_conn *c = e->conn;
    const struct trace_conn_side *mine = &c->side[TRACE_S2C];
    if (c->first_contact || !mine->given || mine->rmb == NULL || c->group->incomplete)
        return;
    for (const struct trace_conn *o = c->group->conns; o != NULL; o = o->group_next) {
        const struct trace_conn_side *theirs = &o->side[TRACE_S2C];
        if (o == c || theirs->rmb != mine->rmb || theirs->rmbe_index != mine->rmbe_index || !open_for_sure(o))
            continue;
        struct judge_case case_ = at_sender(e, REQ_CLC_039);
        case_.side = TRACE_S2C;
        case_.frame = c->accept_frame;
        case_.related[0] = o->accept_frame;
        case_.offset = 45;
        judge_holds(j, REQ_CLC_039, false);
        judge_report(j, &case_, JT("rkey %#x, element %u", c->accept.rkey, mine->rmbe_index), "a free element",
                     "the Accept offers an element that connection %s still uses", o->name);
        return;
    }
    judge_holds(j, REQ_CLC_039, true);
}

static bool has_token(const struct trace_group *g, int owner, uint32_t rkey, uint64_t va)
{
    for (const struct trace_rmb *r = g->rmbs[owner]; r != NULL; r = r->next)
        for (unsigned i = 0; i < r->ntokens; i++)
            if (r->tokens[i].valid && r->tokens[i].rkey == rkey && r->tokens[i].va == va)
                return true;
    return false;
}

static bool same_host(const struct trace_group *g, int side, const uint8_t *gid)
{
    for (const struct trace_link *l = g->links; l != NULL; l = l->next)
        if (l->end[side].known && memcmp(l->end[side].gid, gid, 16) == 0)
            return true;
    return false;
}

/* A group without an open connection may have ended unseen, and its RMBs with it. */
static bool in_use(const struct trace_group *g)
{
    for (const struct trace_conn *c = g->conns; c != NULL; c = c->group_next)
        if (!c->rst && c->closed == TRACE_CLOSED_OPEN && c->side[0].fin_frame == 0 && c->side[1].fin_frame == 0)
            return true;
    return false;
}

/* [CLC-074] Groups of the same two hosts share no RMB. */
static void check_parallel(struct judge *j, const struct trace_clc_event *e)
{
    const struct trace_conn *c = e->conn;
    const struct smc_clc_accept_info *given[2] = {&e->accept, &c->accept};
    unsigned searched = 0;
    if (!c->first_contact)
        return;
    for (const struct trace_group *g = trace_session_groups(j->session); g != NULL && searched++ < SEARCHED_GROUPS; g = g->next) {
        if (g == c->group || !usable(g) || !in_use(g) || !same_host(g, 0, given[0]->gid) ||
            !same_host(g, 1, given[1]->gid))
            continue;
        for (int side = 0; side < 2; side++) {
            if (judge_holds(j, REQ_CLC_074, !has_token(g, side, given[side]->rkey, given[side]->rmb_va)))
                continue;
            struct judge_case case_ = at_sender(e, REQ_CLC_074);
            case_.side = side;
            case_.frame = side == TRACE_C2S ? e->frame : c->accept_frame;
            case_.offset = 41;
            judge_report(j, &case_, JT("rkey %#x at %#llx", given[side]->rkey, (unsigned long long)given[side]->rmb_va),
                         "an RMB of its own", "a parallel link group uses an RMB of group %s", g->name);
        }
    }
}

/* [CLC-080] A full group takes no further connection. */
static void check_room(struct judge *j, const struct trace_clc_event *e)
{
    const struct trace_conn *c = e->conn;
    const struct trace_group *g = c->group;
    unsigned open = 0;
    if (c->first_contact || g->max_conns == 0 || g->nconns <= g->max_conns)
        return;
    for (const struct trace_conn *o = g->conns; o != NULL; o = o->group_next)
        open += o != c && open_for_sure(o);
    struct judge_case case_ = at_sender(e, REQ_CLC_080);
    case_.side = TRACE_S2C;
    case_.frame = c->accept_frame;
    if (!judge_holds(j, REQ_CLC_080, open < g->max_conns))
        judge_report(j, &case_, JT("%u connections", open + 1), JT("at most %u", g->max_conns),
                     "the group is full and the Accept does not make a new one");
}

void clc_group_confirm(struct judge *j, const struct trace_clc_event *e)
{
    const struct trace_conn *c = e->conn;
    struct clc_capture *k = clc_capture_of(j);
    if (k != NULL && e->accept.path == SMC_PATH_R)
        rkey_used(k, e);
    if (!c->accepted || c->phase != TRACE_CLC_CONFIRM || c->group == NULL || e->accept.path != SMC_PATH_R ||
        c->group->smcd || c->group->links == NULL)
        return;
    check_link(j, e);
    check_element(j, e);
    check_parallel(j, e);
    check_room(j, e);
}

/* ---- what LLC says of the Accept ---- */

/* [CLC-032] CONFIRM LINK runs on first contact only: the Accept should have said so. */
static void check_first_contact(struct judge *j, const struct trace_llc_event *e)
{
    const struct trace_group *g = e->group;
    if (e->info.type != SMC_LLC_CONFIRM_LINK || e->info.response || e->side != TRACE_S2C || g == NULL || !e->link->first ||
        g->incomplete)
        return;
    for (const struct trace_conn *c = g->conns; c != NULL; c = c->group_next) {
        if (!c->accepted || c->accept_frame != g->first_frame)
            continue;
        if (judge_holds(j, REQ_CLC_032, c->first_contact))
            return;
        judge_report(j, &(struct judge_case){.req = REQ_CLC_032, .side = TRACE_S2C, .frame = c->accept_frame,
                     .related = {e->request->frame}, .conn = c, .group = g, .offset = 7}, "F=0", "F=1",
                     "CONFIRM LINK follows an Accept that does not say first contact");
        return;
    }
}

static bool same_rkey(const struct clc_rkey *r, const struct trace_addr *asker, const struct trace_addr *peer, uint32_t rkey)
{
    return r->rkeys[0] == rkey && trace_addr_equal(&r->asker, asker) && trace_addr_equal(&r->peer, peer);
}

static void rkey_forget(struct clc_capture *k, const struct trace_addr *asker, const struct trace_addr *peer, uint32_t rkey)
{
    for (unsigned i = 0; i < k->nrkeys;)
        if (same_rkey(&k->rkeys[i], asker, peer, rkey))
            k->rkeys[i] = k->rkeys[--k->nrkeys];
        else
            i++;
}

static void rkey_asked(struct clc_capture *k, const struct trace_llc_event *e)
{
    rkey_forget(k, &e->stream->src, &e->stream->dst, e->info.rkey);
    unsigned i = k->nrkeys < CLC_RKEYS ? k->nrkeys++ : 0;
    struct clc_rkey *r = &k->rkeys[i];
    *r = (struct clc_rkey){.frame = e->request->frame, .asker = e->stream->src, .peer = e->stream->dst,
                           .rkeys = {e->info.rkey}, .nrkeys = 1};
    for (unsigned n = 0; n < e->info.nothers && r->nrkeys < 3; n++)
        r->rkeys[r->nrkeys++] = e->info.others[n].rkey;
}

static void rkey_answered(struct judge *j, const struct clc_rkey *r, const struct trace_llc_event *e)
{
    if (e->link != NULL && e->link->state >= TRACE_LINK_DELETING)
        return; /* it was queued there: the request is void */
    if (judge_holds(j, REQ_CLC_075, r->used_frame == 0) || r->used_conn == NULL || r->used_conn->incomplete)
        return;
    judge_report(j, &(struct judge_case){.req = REQ_CLC_075, .side = r->used_side, .frame = r->used_frame,
                 .related = {r->frame, e->request->frame}, .conn = r->used_conn, .group = e->group, .offset = -1},
                 JT("%s before the CONFIRM RKEY response", r->used_side == TRACE_C2S ? "Confirm" : "Accept"),
                 "first the response", "the handshake goes on before the peer confirmed the new RMB");
}

static bool share_rkey(const struct clc_rkey *x, const struct clc_rkey *y)
{
    for (unsigned i = 0; i < x->nrkeys; i++)
        for (unsigned n = 0; n < y->nrkeys; n++)
            if (x->rkeys[i] == y->rkeys[n])
                return true;
    return false;
}

/* The same RMB may have been asked for before, over a link that failed: that answer is awaited no more. */
static void rkey_settled(struct clc_capture *k, const struct clc_rkey *answered)
{
    const struct clc_rkey r = *answered;
    for (unsigned i = 0; i < k->nrkeys;)
        if (share_rkey(&k->rkeys[i], &r))
            k->rkeys[i] = k->rkeys[--k->nrkeys];
        else
            i++;
}

void clc_group_llc(struct judge *j, const struct trace_llc_event *e)
{
    struct clc_capture *k = clc_capture_of(j);
    if (e->link != NULL)
        check_first_contact(j, e);
    if (k == NULL || e->info.type != SMC_LLC_CONFIRM_RKEY)
        return;
    if (!e->info.response) {
        rkey_asked(k, e);
        return;
    }
    const struct trace_addr *asker = &e->stream->dst, *peer = &e->stream->src;
    for (unsigned i = 0; i < k->nrkeys; i++)
        if (same_rkey(&k->rkeys[i], asker, peer, e->info.rkey)) {
            rkey_answered(j, &k->rkeys[i], e);
            rkey_settled(k, &k->rkeys[i]);
            break;
        }
}

void clc_group_conn_end(struct judge *j, const struct trace_conn *c)
{
    struct clc_capture *k = clc_capture_of(j);
    for (unsigned i = 0; k != NULL && i < k->nrkeys; i++)
        if (k->rkeys[i].used_conn == c)
            k->rkeys[i].used_conn = NULL;
}
