/* Link groups and links: made by CLC and ADD LINK, found by the names of their queue pairs, forgotten when idle.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "session_internal.h"

#include <stdio.h>
#include <stdlib.h>

enum { GONE_KEEP_S = 60, IDLE_KEEP_S = 1300 }; /* Linux frees an idle group after 600 s and 610 s */

struct trace_group *session_group_new(struct trace_session *s, bool smcd, uint64_t frame)
{
    struct group *g = calloc(1, sizeof *g);
    if (!g) {
        s->short_of_memory = true;
        return NULL;
    }
    g->pub.id = ++s->next_group;
    snprintf(g->pub.name, sizeof g->pub.name, "g%llu", (unsigned long long)g->pub.id);
    g->pub.smcd = smcd;
    g->pub.first_frame = frame;
    g->last_ns = s->last_ns;
    if (s->last_group)
        s->last_group->next = &g->pub;
    else
        s->groups = &g->pub;
    s->last_group = &g->pub;
    s->ngroups++;
    return &g->pub;
}

static size_t end_hash(const struct trace_session *s, const uint8_t gid[16], uint32_t qpn)
{
    uint64_t h = qpn;
    for (int i = 0; i < 16; i += 8)
        h = (h ^ smc_load_be(gid + i, 8)) * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(h >> 32) & (s->end_buckets - 1);
}

static void end_forget(struct trace_session *s, struct trace_link *l, int side)
{
    if (!l->end[side].known)
        return;
    struct end_ref **at = &s->ends[end_hash(s, l->end[side].gid, l->end[side].qpn)];
    while (*at && ((*at)->link != l || (*at)->side != side))
        at = &(*at)->next;
    if (*at) {
        struct end_ref *ref = *at;
        *at = ref->next;
        free(ref);
        s->nends--;
    }
}

static void end_remember(struct trace_session *s, struct trace_link *l, int side)
{
    struct end_ref *ref = calloc(1, sizeof *ref);
    if (!ref) {
        s->short_of_memory = true;
        return;
    }
    struct end_ref **at = &s->ends[end_hash(s, l->end[side].gid, l->end[side].qpn)];
    ref->link = l;
    ref->side = side;
    ref->next = *at; /* newest first */
    *at = ref;
    s->nends++;
}

static void stream_forget_link(struct trace_link *l)
{
    for (int i = 0; i < 2; i++)
        if (l->end[i].tx && l->end[i].tx->user == l)
            l->end[i].tx->user = NULL;
}

void session_group_free(struct trace_session *s, struct trace_group *g)
{
    while (g->conns)
        session_group_detach(g->conns);
    EMIT(s, group_end, g);
    struct trace_group **at = &s->groups, *before = NULL;
    while (*at != g) {
        before = *at;
        at = &(*at)->next;
    }
    *at = g->next;
    if (s->last_group == g)
        s->last_group = before;
    while (g->links) {
        struct trace_link *l = g->links;
        g->links = l->next;
        end_forget(s, l, 0);
        end_forget(s, l, 1);
        stream_forget_link(l);
        free(l);
    }
    for (int i = 0; i < 2; i++)
        while (g->rmbs[i]) {
            struct trace_rmb *r = g->rmbs[i];
            g->rmbs[i] = r->next;
            free(r);
        }
    s->ngroups--;
    free(g);
}

void session_group_gone(struct trace_group *g, uint64_t frame, uint64_t ns)
{
    if (g->gone)
        return;
    g->gone = true;
    g->gone_frame = frame;
    g->gone_ns = ns;
    for (struct trace_link *l = g->links; l; l = l->next)
        if (l->state != TRACE_LINK_GONE) {
            l->state = TRACE_LINK_GONE;
            l->gone_frame = frame;
            l->gone_ns = ns;
        }
}

static uint64_t group_last_ns(const struct trace_group *g)
{
    uint64_t last = ((const struct group *)g)->last_ns;
    for (const struct trace_link *l = g->links; l; l = l->next)
        for (int i = 0; i < 2; i++)
            if (l->end[i].tx && l->end[i].tx->last_ns > last)
                last = l->end[i].tx->last_ns;
    return last;
}

void session_groups_sweep(struct trace_session *s, uint64_t now_ns)
{
    size_t over = s->ngroups > GROUP_KEEP_MAX ? s->ngroups - GROUP_KEEP_MAX : 0;
    for (struct trace_group *g = s->groups, *next; g; g = next) {
        next = g->next;
        if (((struct group *)g)->refs)
            continue;
        uint64_t last = group_last_ns(g);
        uint64_t keep = (uint64_t)(g->gone ? GONE_KEEP_S : IDLE_KEEP_S) * 1000000000u;
        if (over == 0 && (now_ns < last || now_ns - last < keep))
            continue;
        session_group_free(s, g);
        if (over)
            over--;
    }
}

struct trace_link *session_link_new(struct trace_session *s, struct trace_group *g)
{
    struct trace_link *l = calloc(1, sizeof *l);
    if (!l) {
        s->short_of_memory = true;
        return NULL;
    }
    l->group = g;
    if (g->links) /* until it is known; counted down from 255, and none that a link has */
        do
            l->number = --((struct group *)g)->next_pseudo;
        while (l->number == 0 || trace_link_by_number(g, l->number));
    l->add_frame = s->last_frame;
    l->add_ns = s->last_ns;
    struct trace_link **at = &g->links;
    unsigned n = 0;
    while (*at) {
        at = &(*at)->next;
        n++;
    }
    *at = l;
    /* A group that adds and deletes links for ever must not grow: the oldest gone one goes. */
    for (struct trace_link **old = &g->links; n >= 64 && *old != l; old = &(*old)->next)
        if ((*old)->state == TRACE_LINK_GONE && !(*old)->first && !(*old)->user) {
            struct trace_link *gone = *old;
            *old = gone->next;
            end_forget(s, gone, 0);
            end_forget(s, gone, 1);
            stream_forget_link(gone);
            for (struct trace_conn *c = g->conns; c; c = c->group_next)
                session_data_forget_link(c, gone, g->links);
            free(gone);
            break;
        }
    return l;
}

static void expect_stream(struct trace_session *s, struct trace_link *l, int side, int64_t psn)
{
    struct trace_stream *st =
        trace_qp_expect(s->qp, &l->end[side].addr, &l->end[!side].addr, l->end[!side].qpn, psn);
    if (!st) {
        s->short_of_memory = true;
        return;
    }
    l->end[side].tx = st;
    st->user = l;
}

void session_link_end(struct trace_session *s, struct trace_link *l, int side, const uint8_t gid[16], const uint8_t mac[6],
                      uint32_t qpn, int64_t psn, uint8_t mtu)
{
    struct trace_link_end *e = &l->end[side];
    end_forget(s, l, side);
    e->known = true;
    memcpy(e->gid, gid, 16);
    memcpy(e->addr.b, gid, 16);
    if (mac)
        memcpy(e->mac, mac, 6);
    e->qpn = qpn;
    e->psn = psn < 0 ? 0 : (uint32_t)psn;
    e->mtu = mtu;
    end_remember(s, l, side);
    if (!l->end[!side].known)
        return;
    for (int i = 0; i < 2; i++)
        expect_stream(s, l, i, psn < 0 ? -1 : (int64_t)l->end[i].psn);
    if (l->end[0].tx && l->end[1].tx)
        trace_qp_pair(l->end[0].tx, l->end[1].tx);
    if (l->state == TRACE_LINK_ADDING)
        l->state = TRACE_LINK_ANSWERED;
}

void session_link_number(struct trace_link *l, uint8_t number)
{
    if (l->number_known && l->number == number)
        return;
    if (!l->number_known) /* RTokens that were named before the link had its number */
        for (int side = 0; side < 2; side++)
            for (struct trace_rmb *r = l->group->rmbs[side]; r; r = r->next) {
                struct trace_rtoken *t = session_rmb_token(r, l->number);
                if (t && !session_rmb_token(r, number))
                    t->link_number = number;
            }
    l->number = number;
    l->number_known = true;
}

/* The only number that RTokens name, that no link has, and that no RMB has beside a key on this link; else -1. */
static int only_candidate(const struct trace_group *g, const struct trace_link *l)
{
    bool named[256] = {false};
    int found = -1, n = 0;
    for (int side = 0; side < 2; side++)
        for (struct trace_rmb *r = g->rmbs[side]; r; r = r->next)
            for (unsigned i = 0; i < r->ntokens; i++)
                named[r->tokens[i].link_number] = true;
    for (const struct trace_link *o = g->links; o; o = o->next)
        named[o->number] = false;
    for (int side = 0; side < 2; side++)
        for (struct trace_rmb *r = g->rmbs[side]; r; r = r->next)
            for (unsigned i = 0; session_rmb_token(r, l->number) && i < r->ntokens; i++)
                named[r->tokens[i].link_number] = false;
    for (int i = 1; i < 256; i++)
        if (named[i]) {
            found = i;
            n++;
        }
    return n == 1 ? found : -1;
}

void session_links_learn(struct trace_group *g)
{
    for (struct trace_link *l = g->links; g->late && l; l = l->next) {
        int number = l->number_known ? -1 : only_candidate(g, l);
        if (number >= 0)
            session_link_number(l, (uint8_t)number);
    }
}

struct trace_group *session_group_late(struct trace_session *s, const struct trace_conn *c, const struct smc_clc_accept_info *a)
{
    struct trace_group *found = NULL;
    for (struct trace_group *g = s->groups; g; g = g->next) {
        const struct group *x = (const struct group *)g;
        if (g->late && !g->gone && !g->smcd && g->version == a->version &&
            memcmp(g->peer_id[TRACE_S2C], a->peer_id, 8) == 0 && trace_addr_equal(&x->tcp[0], &c->addr[0]) &&
            trace_addr_equal(&x->tcp[1], &c->addr[1]))
            found = g;
    }
    return found;
}

struct trace_link *session_link_find(struct trace_session *s, const uint8_t gid[16], uint32_t qpn, int side,
                                     const struct trace_addr *peer)
{
    struct trace_link *gone = NULL;
    for (struct end_ref *ref = s->ends[end_hash(s, gid, qpn)]; ref; ref = ref->next) {
        struct trace_link *l = ref->link;
        if (ref->side != side || l->end[side].qpn != qpn || memcmp(l->end[side].gid, gid, 16) != 0)
            continue;
        if (peer && l->end[!side].known && !trace_addr_equal(&l->end[!side].addr, peer))
            continue;
        if (l->state != TRACE_LINK_GONE)
            return l;
        if (!gone)
            gone = l;
    }
    return gone;
}

/* The other direction is a link of which only that end is named: this stream names the missing one. */
static struct trace_link *link_of_reverse(struct trace_session *s, struct trace_stream *st)
{
    static const uint8_t no_mac[6];
    struct trace_link *l = st->reverse ? st->reverse->user : NULL;
    if (!l || l->state == TRACE_LINK_GONE || l->end[0].known == l->end[1].known)
        return NULL;
    int named = l->end[1].known;
    if (!trace_addr_equal(&l->end[named].addr, &st->src) || l->end[named].qpn != st->reverse->dqpn)
        return NULL;
    session_link_end(s, l, !named, st->dst.b, no_mac, st->dqpn, -1, 0);
    if (!l->group->late) /* a Confirm or ADD LINK response was not captured */
        session_group_lost(s, l->group);
    return l;
}

bool session_stream_link(struct trace_session *s, struct trace_stream *st, struct trace_link **link, int *side)
{
    struct trace_link *l = st->user;
    if (!l) {
        l = session_link_find(s, st->dst.b, st->dqpn, TRACE_S2C, &st->src);
        if (!l)
            l = session_link_find(s, st->dst.b, st->dqpn, TRACE_C2S, &st->src);
        if (!l)
            l = link_of_reverse(s, st);
        if (!l)
            return false;
        st->user = l;
    }
    *link = l;
    /* Both ends may have the same QP number and (in one host) the same address: the stream decides. */
    if (l->end[0].tx == st)
        *side = 0;
    else if (l->end[1].tx == st)
        *side = 1;
    else
        *side = l->end[1].known && l->end[1].qpn == st->dqpn && trace_addr_equal(&l->end[1].addr, &st->dst) ? 0 : 1;
    return true;
}

struct trace_link *trace_link_by_number(struct trace_group *g, uint8_t number)
{
    struct trace_link *gone = NULL, *live = NULL;
    for (struct trace_link *l = g->links; l; l = l->next)
        if (l->number_known && l->number == number)
            *(l->state == TRACE_LINK_GONE ? &gone : &live) = l;
    return live ? live : gone;
}

/* Can the sender of a stream be this side? Both ends may have given the same token; then addresses decide. */
static bool may_send(const struct trace_conn *c, int side, uint32_t token, const struct trace_stream *st)
{
    if (!c->side[!side].given || c->side[!side].token != token || c->mode != TRACE_MODE_SMCR)
        return false;
    if (!c->side[side].given || c->side[side].token != token)
        return true;
    return trace_addr_equal(&c->addr[side], &st->src) || trace_addr_equal(&c->addr[!side], &st->dst);
}

/* The late group of the only connection that this token can mean, and the side that sends; NULL if there is none. */
static struct trace_group *late_group_of(struct trace_session *s, uint32_t token, const struct trace_stream *st, int *side)
{
    struct trace_group *found = NULL;
    for (struct trace_group *g = s->groups; g; g = g->next)
        for (struct trace_conn *c = g->late && !g->gone ? g->conns : NULL; c; c = c->group_next)
            for (int sender = 0; sender < 2; sender++)
                if (may_send(c, sender, token, st)) {
                    if (found && (found != g || *side != sender))
                        return NULL; /* ambiguous */
                    found = g;
                    *side = sender;
                }
    return found;
}

struct trace_link *session_link_adopt(struct trace_session *s, struct trace_stream *st, uint32_t token)
{
    static const uint8_t no_mac[6];
    int side = 0;
    struct trace_group *g = late_group_of(s, token, st, &side);
    if (!g)
        return NULL;
    struct trace_link *l = g->links;
    while (l && !(l->end[side].known && !l->end[!side].known && trace_addr_equal(&l->end[side].addr, &st->src)))
        l = l->next;
    if (!l) {
        l = session_link_new(s, g);
        if (!l)
            return NULL;
        l->state = TRACE_LINK_ACTIVE;
    }
    session_link_end(s, l, !side, st->dst.b, no_mac, st->dqpn, -1, 0);
    l->state = TRACE_LINK_ACTIVE;
    l->end[side].tx = st;
    st->user = l;
    session_links_learn(g);
    return l;
}

static void conn_unlink(struct trace_conn *c)
{
    for (struct trace_conn **at = &c->group->conns; *at; at = &(*at)->group_next)
        if (*at == c) {
            *at = c->group_next;
            c->group->nconns--;
            break;
        }
    c->group_next = NULL;
}

static bool both_closed(const struct trace_conn *c)
{
    return (c->side[0].closed || c->side[0].aborted) && (c->side[1].closed || c->side[1].aborted);
}

/* Closed connections stay a while, so that a late message finds them; not so many that finding takes long. */
static void drop_oldest_closed(struct trace_group *g)
{
    struct trace_conn *oldest = NULL;
    for (struct trace_conn *c = g->conns; c; c = c->group_next)
        if (both_closed(c) || c->declined || c->rst)
            oldest = c;
    if (oldest)
        conn_unlink(oldest);
}

void session_group_attach(struct trace_group *g, struct trace_conn *c)
{
    if (c->group)
        session_group_detach(c);
    if (g->nconns >= GROUP_CONNS)
        drop_oldest_closed(g);
    c->group = g;
    ((struct group *)g)->refs++;
    c->group_next = g->conns;
    g->conns = c;
    g->nconns++;
}

void session_group_detach(struct trace_conn *c)
{
    if (!c->group)
        return;
    conn_unlink(c);
    ((struct group *)c->group)->refs--;
    c->group = NULL;
    c->link = NULL;
}
