/* CONFIRM RKEY and DELETE RKEY that we start: one exchange at a time.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "flow.h"

enum { RETRY_NS = 100000000 }; /* a refusal whose reason we do not see */

static void turn_fired(struct smc_timer *timer);

static void rkey_fired(struct smc_timer *timer);

static void rkey_end(struct smc_flow *f)
{
    smc_timer_cancel(&f->group->ep->timers, &f->rkey.timer);
    memset(&f->rkey, 0, sizeof(f->rkey));
    smc_flow_kick(f);
}

/* The next time at which one of those that wait has to be looked at. */
static void arm_turn(struct smc_flow *f)
{
    struct smc_list *n, *following;
    struct smc_timers *timers = &f->group->ep->timers;
    uint64_t at = UINT64_MAX;
    SMC_LIST_EACH (n, following, &f->rkeys) {
        struct smc_connection *c = SMC_LIST_ENTRY(n, struct smc_connection, wants_rkey);
        uint64_t due = c->rkey_refused && f->refused_until_ns < c->rkey_until_ns ? f->refused_until_ns : c->rkey_until_ns;
        at = due < at ? due : at;
    }
    if (at == UINT64_MAX)
        smc_timer_cancel(timers, &f->turn_timer);
    else
        smc_timer_set(timers, &f->turn_timer, at, turn_fired);
}

void smc_flow_rkey_settled(struct smc_flow *f)
{
    struct smc_list *n, *following;
    SMC_LIST_EACH (n, following, &f->rkeys)
        SMC_LIST_ENTRY(n, struct smc_connection, wants_rkey)->rkey_refused = false;
    smc_flow_kick(f);
}

static void unqueue(struct smc_connection *c)
{
    if (c->wants_rkey.next != NULL)
        smc_list_remove(&c->wants_rkey);
}

void smc_flow_confirm_rkey(struct smc_connection *c)
{
    struct smc_flow *f = c->group->flow;
    if (c->wants_rkey.next == NULL)
        smc_list_init(&c->wants_rkey);
    if (f == NULL || !smc_list_empty(&c->wants_rkey) || f->rkey.c == c)
        return;
    c->rkey_until_ns = c->ep->now_ns + c->ep->profile.llc_turn_timeout_ns; /* [LLC-073] */
    c->rkey_refused = false;
    smc_list_add_tail(&f->rkeys, &c->wants_rkey);
    smc_flow_kick(f);
    arm_turn(f);
}

void smc_flow_forget(struct smc_connection *c)
{
    unqueue(c);
    if (c->group != NULL && c->group->flow != NULL && c->group->flow->rkey.c == c)
        c->group->flow->rkey.c = NULL;
}

void smc_flow_delete_rkey(struct smc_rmb *rmb)
{
    rmb->deleting = true;
    if (rmb->group->flow != NULL)
        smc_flow_kick(rmb->group->flow);
}

/* ---- CONFIRM RKEY -------------------------------------------------------------------------------- */
static int send_confirm(struct smc_flow *f, struct smc_link *link, struct smc_llc_info *m)
{
    uint8_t *keep = f->rkey.request;
    m->version = f->group->version == 2 ? 2 : 1;
    if (smc_llc_encode(m, keep, SMC_LLC_BYTES) == 0)
        return SMC_ERR_ARGUMENT;
    f->rkey.type = m->type;
    smc_flow_timer(f, &f->rkey.timer, flow_profile(f)->llc_timeout_ns, rkey_fired);
    return smc_flow_send(f, link, m);
}

static void take_tokens(struct smc_flow *f, struct smc_llc_info *m, unsigned max)
{
    struct flow_rkey *r = &f->rkey;
    m->count = r->tokens - r->sent;
    for (m->nothers = 0; m->nothers < max && r->sent < r->tokens; m->nothers++)
        m->others[m->nothers] = r->token[r->sent++];
}

/* The RToken of each other link that can be used [LLC-050]. */
static void collect(struct smc_flow *f, const struct smc_rmb *rmb, const struct smc_link *on)
{
    struct smc_group *g = f->group;
    for (unsigned i = 0; i < g->link_slots; i++) {
        if (g->links[i] == on || !smc_flow_usable(g->links[i]) || !flow_bit(rmb->registered, i))
            continue;
        f->rkey.token[f->rkey.tokens++] = (struct smc_llc_token){
            .link = g->links[i]->number, .rkey = rmb->mrs[i].rkey, .va = rmb->mrs[i].remote_address};
    }
    if (g->version == 2 && f->rkey.tokens > 2)
        f->rkey.tokens = 2; /* [LLC-074] there is no continuation */
}

static void begin_confirm(struct smc_flow *f, struct smc_connection *c, struct smc_link *on)
{
    struct flow_rkey *r = &f->rkey;
    struct smc_llc_info m = {.type = SMC_LLC_CONFIRM_RKEY};
    r->state = FLOW_RKEY_CONFIRM;
    r->c = c;
    r->on = smc_flow_ref(on);
    r->rkey = m.rkey = c->rmb->mrs[on->slot].rkey;
    m.va = c->rmb->mrs[on->slot].remote_address;
    collect(f, c->rmb, on);
    take_tokens(f, &m, 2);
    if (send_confirm(f, on, &m) < 0)
        smc_flow_fail_link(f, on);
}

/* May `c` begin now? One that was refused waits until there is no change any more, at least RETRY_NS. */
static struct smc_connection *next_confirm(struct smc_flow *f, struct smc_link **on)
{
    struct smc_list *n, *following;
    SMC_LIST_EACH (n, following, &f->rkeys) {
        struct smc_connection *c = SMC_LIST_ENTRY(n, struct smc_connection, wants_rkey);
        *on = smc_flow_carrier(f, c->link, NULL);
        if (!c->rkey_refused && c->rmb != NULL && *on != NULL && flow_bit(c->rmb->registered, (*on)->slot))
            return c;
    }
    return NULL;
}

bool smc_flow_rkey_start(struct smc_flow *f)
{
    struct smc_link *on;
    struct smc_connection *c = next_confirm(f, &on);
    if (c == NULL)
        return false;
    unqueue(c);
    if (smc_rmb_needs_confirm(c->rmb)) {
        begin_confirm(f, c, on);
        return true;
    }
    smc_flow_kick(f); /* another connection has had this RMB confirmed, or the link that did not know it has gone */
    smc_hs_rkey_done(c, 0);
    return true;
}

static struct smc_rmb *find_rmb(const struct smc_flow *f, uint8_t slot, uint32_t rkey)
{
    struct smc_list *n, *following;
    SMC_LIST_EACH (n, following, &f->group->rmbs) {
        struct smc_rmb *rmb = SMC_LIST_ENTRY(n, struct smc_rmb, node);
        if (flow_bit(rmb->registered, slot) && rmb->mrs[slot].rkey == rkey)
            return rmb;
    }
    return NULL;
}

/* The peer knows it now. An RMB that is gone has to be taken back. */
static struct smc_rmb *announce(struct smc_flow *f)
{
    struct flow_rkey *r = &f->rkey;
    struct smc_rmb *rmb = find_rmb(f, r->on.slot, r->rkey);
    if (rmb == NULL) {
        if (f->orphan_count < FLOW_ORPHANS) {
            f->orphans[f->orphan_count].slot = r->on.slot;
            f->orphans[f->orphan_count++].rkey = r->rkey;
        }
        return NULL;
    }
    flow_bit_put(rmb->announced, r->on.slot, true);
    for (unsigned i = 0; i < r->tokens; i++) {
        const struct smc_link *link = smc_group_link_by_number(f->group, r->token[i].link);
        if (link != NULL)
            flow_bit_put(rmb->announced, link->slot, true);
    }
    return rmb;
}

static bool link_left_out(const struct smc_flow *f, const struct smc_rmb *rmb)
{
    if (f->group->version == 2 && f->rkey.tokens >= 2)
        return false; /* there is no room for more */
    for (unsigned i = 0; i < f->group->link_slots; i++)
        if (smc_flow_usable(f->group->links[i]) && flow_bit(rmb->registered, i) && !flow_bit(rmb->announced, i))
            return true;
    /* One that is being added, whose list of RMBs was made before this one was known: again when it is there. */
    const struct smc_link *fresh = smc_flow_deref(f, f->add.fresh);
    return fresh != NULL && f->add.state != FLOW_ADD_DELETE && flow_bit(rmb->registered, fresh->slot) &&
           !flow_bit(rmb->announced, fresh->slot) && !rmb->shared;
}

static void again(struct smc_flow *f, struct smc_connection *c, bool refused)
{
    rkey_end(f);
    if (c == NULL)
        return;
    c->rkey_refused = refused;
    smc_list_add_head(&f->rkeys, &c->wants_rkey);
    if (refused)
        f->refused_until_ns = c->ep->now_ns + RETRY_NS;
    arm_turn(f);
}

static void confirmed(struct smc_flow *f)
{
    struct smc_connection *c = f->rkey.c;
    struct smc_link *on = smc_flow_deref(f, f->rkey.on);
    if (f->rkey.sent < f->rkey.tokens) {
        struct smc_llc_info m = {.type = SMC_LLC_CONFIRM_RKEY_CONT}; /* [LLC-057] */
        take_tokens(f, &m, 3);
        if (send_confirm(f, on, &m) < 0)
            smc_flow_fail_link(f, on);
        return;
    }
    struct smc_rmb *rmb = announce(f);
    if (c != NULL && rmb != NULL && link_left_out(f, rmb)) { /* added meanwhile */
        again(f, c, false);
        return;
    }
    rkey_end(f);
    if (c != NULL)
        smc_hs_rkey_done(c, 0);
}

static void refused(struct smc_flow *f, bool retry)
{
    struct smc_connection *c = f->rkey.c;
    if (retry) { /* [LLC-052] */
        again(f, c, true);
        return;
    }
    rkey_end(f); /* [LLC-053] */
    if (c != NULL)
        smc_hs_rkey_done(c, SMC_ERR_NOSPACE);
}

/* ---- DELETE RKEY ---------------------------------------------------------------------------------- */
static struct smc_rmb *entry(struct smc_list *n)
{
    return SMC_LIST_ENTRY(n, struct smc_rmb, node);
}

/* A link that can be used and over which the peer knows the RMB. */
static struct smc_link *where(const struct smc_flow *f, const struct smc_rmb *rmb)
{
    for (unsigned i = 0; i < f->group->link_slots; i++) {
        struct smc_link *link = f->group->links[i];
        if (smc_flow_usable(link) && !(f->down >> i & 1) && flow_bit(rmb->announced, i) && flow_bit(rmb->registered, i))
            return link;
    }
    return NULL;
}

static unsigned fill_batch(struct smc_flow *f, struct smc_link **on, uint8_t *keys)
{
    struct smc_list *n, *following;
    unsigned count = 0, max = flow_profile(f)->delete_rkey_single ? 1 : FLOW_BATCH;
    SMC_LIST_EACH (n, following, &f->group->rmbs) {
        struct smc_rmb *rmb = entry(n);
        if (!rmb->deleting || count == max)
            continue;
        struct smc_link *link = where(f, rmb);
        if (link == NULL) { /* the peer does not know it, or no longer */
            smc_buf_free_rmb(rmb);
            continue;
        }
        if (*on != NULL && *on != link)
            continue;
        *on = link;
        rmb->delete_sent = true;
        smc_store_be(keys + 4 * (size_t)count++, 4, rmb->mrs[link->slot].rkey);
    }
    return count;
}

/* Keys that no RMB has any more, one at a time. */
static unsigned take_orphan(struct smc_flow *f, struct smc_link **on, uint8_t *keys)
{
    while (f->orphan_count > 0) {
        struct smc_link *link = f->group->links[f->orphans[f->orphan_count - 1].slot];
        uint32_t rkey = f->orphans[--f->orphan_count].rkey;
        if (!smc_flow_usable(link))
            continue;
        *on = link;
        smc_store_be(keys, 4, rkey);
        return 1;
    }
    return 0;
}

bool smc_flow_rkey_delete_start(struct smc_flow *f)
{
    uint8_t keys[4 * FLOW_BATCH];
    struct smc_link *on = NULL;
    unsigned count = take_orphan(f, &on, keys);
    if (smc_flow_carrier(f, NULL, NULL) == NULL)
        return false; /* the group is at its end */
    if (count == 0)
        count = fill_batch(f, &on, keys);
    if (count == 0)
        return false;
    struct smc_llc_info m = {.type = SMC_LLC_DELETE_RKEY, .count = count, .nrkeys = count, .rkeys = keys};
    f->rkey.state = FLOW_RKEY_DELETE;
    f->rkey.on = smc_flow_ref(on);
    if (send_confirm(f, on, &m) < 0)
        smc_flow_fail_link(f, on);
    return true;
}

/* What was named in the exchange: freed [LLC-060], or to be named again. */
static void settle_batch(struct smc_flow *f, bool done)
{
    struct smc_list *n, *following;
    SMC_LIST_EACH (n, following, &f->group->rmbs) {
        struct smc_rmb *rmb = entry(n);
        if (rmb->delete_sent && done)
            smc_buf_free_rmb(rmb);
        else
            rmb->delete_sent = false;
    }
}

/* ---- Answers, time, failures ------------------------------------------------------------------------ */
/* v2 DELETE RKEY answers with other keys and a count; else the body comes back [LLC-051]. */
static bool repeats(const struct smc_flow *f, const struct smc_llc_info *m, const uint8_t *bytes)
{
    if (m->type == SMC_LLC_DELETE_RKEY)
        return m->version == 2 || memcmp(bytes + 8, f->rkey.request + 8, SMC_LLC_BYTES - 8) == 0;
    return memcmp(bytes + 4, f->rkey.request + 4, SMC_LLC_BYTES - 4) == 0;
}

void smc_flow_rkey_response(struct smc_flow *f, struct smc_link *link, const struct smc_llc_info *m, const uint8_t *bytes)
{
    struct flow_rkey *r = &f->rkey;
    if (r->state == FLOW_RKEY_IDLE || r->type != m->type || smc_flow_deref(f, r->on) != link) { /* [LLC-068] [LLC-082] */
        smc_flow_drop(f);
        return;
    }
    if (!repeats(f, m, bytes) && !flow_profile(f)->llc_errors_dropped) {
        smc_flow_fail_link(f, link);
        return;
    }
    if (r->state == FLOW_RKEY_DELETE) { /* Z: unknown to the peer, all the better */
        settle_batch(f, true);
        rkey_end(f);
    } else if (m->negative) {
        refused(f, m->retry && m->type == SMC_LLC_CONFIRM_RKEY);
    } else {
        confirmed(f);
    }
}

/* Those refused may try again; the first that is queued for too long is told so [LLC-073]. */
static void turn_fired(struct smc_timer *timer)
{
    struct smc_flow *f = SMC_LIST_ENTRY(timer, struct smc_flow, turn_timer);
    struct smc_list *n, *following;
    struct smc_connection *late = NULL;
    uint64_t now = f->group->ep->now_ns;
    if (f->refused_until_ns <= now)
        smc_flow_rkey_settled(f);
    SMC_LIST_EACH (n, following, &f->rkeys) {
        struct smc_connection *c = SMC_LIST_ENTRY(n, struct smc_connection, wants_rkey);
        if (late == NULL && c->rkey_until_ns <= now)
            late = c;
    }
    if (late != NULL)
        unqueue(late);
    arm_turn(f);
    if (late != NULL)
        smc_hs_rkey_done(late, SMC_ERR_TIMEOUT);
}

static void unanswered(struct smc_flow *f)
{
    struct smc_link *on = smc_flow_deref(f, f->rkey.on);
    struct smc_connection *c = f->rkey.c;
    if (on != NULL && smc_flow_waits(f, f->rkey.on)) {
        smc_flow_timer(f, &f->rkey.timer, flow_profile(f)->llc_timeout_ns, rkey_fired);
        return;
    }
    if (!flow_profile(f)->carrier_survives && on != NULL) {
        smc_flow_fail_link(f, on); /* smc_flow_rkey_lost() does the rest */
        return;
    }
    if (f->rkey.state == FLOW_RKEY_DELETE)
        settle_batch(f, true);
    rkey_end(f);
    if (c != NULL)
        smc_hs_rkey_done(c, SMC_ERR_TIMEOUT);
}

static void rkey_fired(struct smc_timer *timer)
{
    struct flow_rkey *r = SMC_LIST_ENTRY(timer, struct flow_rkey, timer);
    struct smc_flow *f = SMC_LIST_ENTRY(r, struct smc_flow, rkey);
    if (r->state != FLOW_RKEY_IDLE)
        unanswered(f);
}

/* LLC is not replayed: the exchange begins anew once the group is stable. */
void smc_flow_rkey_lost(struct smc_flow *f, const struct smc_link *link)
{
    if (f->rkey.state == FLOW_RKEY_IDLE || f->rkey.on.slot != link->slot)
        return;
    if (f->rkey.state == FLOW_RKEY_DELETE) {
        settle_batch(f, false);
        rkey_end(f);
    } else {
        again(f, f->rkey.c, false);
    }
}

/* The group ends: all that wait are told, one by one, since each may take others along. */
void smc_flow_rkey_free(struct smc_flow *f)
{
    struct smc_connection *c = f->rkey.c;
    f->rkey.c = NULL;
    while (c != NULL || !smc_list_empty(&f->rkeys)) {
        if (c == NULL) {
            c = SMC_LIST_ENTRY(f->rkeys.next, struct smc_connection, wants_rkey);
            unqueue(c);
        }
        struct smc_connection *told = c;
        c = NULL;
        smc_hs_rkey_done(told, SMC_ERR_GONE);
    }
}
