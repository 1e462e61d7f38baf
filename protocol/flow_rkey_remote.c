/* CONFIRM RKEY and DELETE RKEY that the peer starts: answered at once, unless WRITEs to a key that goes are under way.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "flow.h"

enum { NEGATIVE = 0x20, RETRY = 0x10, ACTIVE_GRACE_NS = 50000000, HELD_AGAIN_NS = 1000000 };

static void reply(struct smc_flow *f, struct smc_link *link, const uint8_t *bytes, uint8_t flags)
{
    if (smc_flow_echo(f, link, bytes, flags) < 0) /* [LLC-008] [LLC-051] */
        smc_flow_drop(f);
}

/* [LLC-047] [LLC-048]; a client meets this only from a server that breaks the rules, and is lenient. */
static bool change_runs(const struct smc_flow *f)
{
    return !f->group->client && !flow_profile(f)->rkey_in_parallel &&
           (f->add.state != FLOW_ADD_IDLE || f->del.state != FLOW_DEL_IDLE);
}

static void map_others(struct smc_flow *f, const struct smc_link *link, uint32_t rkey, const struct smc_llc_info *m)
{
    for (unsigned i = 0; i < m->nothers; i++) {
        const struct smc_llc_token *t = &m->others[i];
        const struct smc_link *other = t->link != 0 ? smc_group_link_by_number(f->group, t->link) : NULL;
        if (other == NULL || other == link)
            continue;
        if (smc_rtoken_map(f->group, link, rkey, other, t->rkey, t->va) >= 0)
            f->remote.listed = (uint16_t)(f->remote.listed | 1u << other->slot);
    }
}

/* [LLC-050]: a link without an RToken counts as failed, unless it is so new that the peer could not know. */
static void check_missing(struct smc_flow *f, const struct smc_link *link)
{
    uint64_t now = f->group->ep->now_ns;
    if (flow_profile(f)->llc_errors_dropped || f->add.state != FLOW_ADD_IDLE || f->del.state != FLOW_DEL_IDLE)
        return;
    for (unsigned i = 0; i < f->group->link_slots; i++) {
        const struct smc_link *l = f->group->links[i];
        if (l != link && smc_flow_usable(l) && !(f->remote.listed >> i & 1) && now >= f->active_ns[i] + ACTIVE_GRACE_NS)
            smc_flow_fail_link(f, l);
    }
}

/* The row of the RMB. Once there is a link more the peer asks again, perhaps over that: then the other keys tell which RMB it is. A second
 * row of it would hold the new key, while connections of the other links name the first: they could not move to the new one. */
static int take_key(struct smc_flow *f, const struct smc_link *link, const struct smc_llc_info *m)
{
    struct smc_group *g = f->group;
    bool known = smc_rtoken_find(g, link, m->rkey) >= 0;
    for (unsigned i = 0; i < m->nothers && !known; i++) {
        const struct smc_llc_token *t = &m->others[i];
        const struct smc_link *other = t->link != 0 ? smc_group_link_by_number(g, t->link) : NULL;
        int row = other != NULL ? smc_rtoken_find(g, other, t->rkey) : SMC_ERR_NOTFOUND;
        if (row >= 0 && g->rtokens[(size_t)row * g->link_slots + other->slot].va == t->va)
            return smc_rtoken_map(g, other, t->rkey, link, m->rkey, m->va);
    }
    return smc_rtoken_add(g, link, m->rkey, m->va);
}

void smc_flow_remote_confirm(struct smc_flow *f, struct smc_link *link, const struct smc_llc_info *m, const uint8_t *bytes)
{
    unsigned most = m->version == 2 ? 2 : SMC_LINK_SLOTS_MAX - 1;
    f->remote.open = false;
    if (!smc_flow_usable(link)) {
        smc_flow_drop(f);
        return;
    }
    if (change_runs(f)) {
        reply(f, link, bytes, NEGATIVE | RETRY);
        return;
    }
    if (m->count > most || take_key(f, link, m) < 0) { /* [LLC-055] [LLC-056] */
        reply(f, link, bytes, NEGATIVE);
        return;
    }
    f->remote.listed = 0;
    map_others(f, link, m->rkey, m);
    if (m->count > m->nothers) {
        f->remote.open = true;
        f->remote.on = smc_flow_ref(link);
        f->remote.rkey = m->rkey;
        f->remote.left = m->count - m->nothers;
    } else {
        check_missing(f, link);
    }
    reply(f, link, bytes, 0);
}

/* CONFIRM RKEY CONTINUATION [LLC-057] */
void smc_flow_remote_more(struct smc_flow *f, struct smc_link *link, const struct smc_llc_info *m, const uint8_t *bytes)
{
    struct flow_remote *r = &f->remote;
    if (!r->open || smc_flow_deref(f, r->on) != link) {
        smc_flow_drop(f);
        return;
    }
    if (m->count != r->left) {
        r->open = false;
        reply(f, link, bytes, NEGATIVE);
        return;
    }
    map_others(f, link, r->rkey, m);
    r->left -= m->nothers;
    r->open = r->left > 0;
    if (!r->open)
        check_missing(f, link);
    reply(f, link, bytes, 0);
}

/* ---- DELETE RKEY ---------------------------------------------------------------------------------- */
static bool writes_done(const struct smc_flow *f)
{
    for (unsigned i = 0; i < f->held.count; i++) {
        const struct smc_link *link = smc_flow_deref(f, f->held.fences[i].link);
        if (smc_flow_usable(link) && !smc_wr_passed(link, f->held.fences[i].work))
            return false;
    }
    return true;
}

static void answer_held(struct smc_flow *f)
{
    struct smc_link *on = smc_flow_deref(f, f->held.on);
    f->held.set = false;
    smc_timer_cancel(&f->group->ep->timers, &f->held.timer);
    if (smc_flow_usable(on))
        reply(f, on, f->held.bytes, f->held.flags);
}

static void held_fired(struct smc_timer *timer)
{
    struct flow_held *h = SMC_LIST_ENTRY(timer, struct flow_held, timer);
    struct smc_flow *f = SMC_LIST_ENTRY(h, struct smc_flow, held);
    if (writes_done(f) || f->group->ep->now_ns >= h->until_ns)
        answer_held(f);
    else
        smc_flow_timer(f, &h->timer, HELD_AGAIN_NS, held_fired);
}

/* What is under way on links over which this RMB can be written. On the link of the answer itself it arrives before that. */
static void fence_row(struct smc_flow *f, const struct smc_link *link, int row)
{
    struct smc_group *g = f->group;
    struct flow_held *h = &f->held;
    for (unsigned i = 0; i < g->link_slots; i++) {
        const struct smc_link *other = g->links[i];
        if (other == link || !smc_flow_usable(other) || !g->rtokens[(size_t)row * g->link_slots + i].valid)
            continue;
        uint64_t work = smc_wr_fence(other);
        bool known = work == 0;
        for (unsigned k = 0; k < h->count; k++)
            known |= h->fences[k].link.slot == i;
        if (known)
            continue;
        h->fences[h->count].link = smc_flow_ref(other);
        h->fences[h->count++].work = work;
    }
}

/* A key is free for the peer once we have answered [LLC-060]: a WRITE that is still repeated on another link would find none,
 * and break that link for all its connections. One exchange is open at a time: who asks again gets the former answer first. */
static void begin_held(struct smc_flow *f, const struct smc_link *link)
{
    if (f->held.set)
        answer_held(f);
    f->held.count = 0;
    f->held.on = smc_flow_ref(link);
    f->held.until_ns = f->group->ep->now_ns + flow_profile(f)->llc_timeout_ns / 4 * 3; /* a link that is silent is lost by then */
}

static void end_held(struct smc_flow *f, const uint8_t *bytes, uint8_t flags)
{
    memcpy(f->held.bytes, bytes, sizeof(f->held.bytes));
    f->held.flags = flags;
    f->held.set = true;
    if (writes_done(f))
        answer_held(f);
    else
        smc_flow_timer(f, &f->held.timer, HELD_AGAIN_NS, held_fired);
}

/* [LLC-058] [LLC-059] [LLC-081] */
void smc_flow_remote_delete(struct smc_flow *f, struct smc_link *link, const struct smc_llc_info *m, const uint8_t *bytes)
{
    uint8_t out[SMC_LLC_BYTES];
    unsigned unknown = 0;
    uint8_t mask = 0;
    if (!smc_flow_usable(link)) {
        smc_flow_drop(f);
        return;
    }
    begin_held(f, link);
    for (unsigned i = 0; i < m->nrkeys; i++) {
        int row = smc_rtoken_find(f->group, link, smc_llc_info_rkey(m, i));
        if (row >= 0) {
            fence_row(f, link, row);
            (void)smc_rtoken_delete(f->group, link, smc_llc_info_rkey(m, i));
            continue;
        }
        unknown++;
        mask = (uint8_t)(mask | (i < 8 ? 0x80u >> i : 0));
    }
    memcpy(out, bytes, sizeof(out));
    if (m->version == 2)
        memset(out + 8, 0, sizeof(out) - 8);
    out[5] = m->version == 2 ? (uint8_t)unknown : mask;
    end_held(f, out, unknown > 0 ? NEGATIVE : 0);
}
