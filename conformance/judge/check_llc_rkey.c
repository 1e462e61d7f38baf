/* LLC: RTokens. CONFIRM RKEY with its continuation, DELETE RKEY, the tokens of a new link, RMBs offered by CLC.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "check_llc.h"

enum { MAX_RMBS = 255, REORDER = 20 }; /* REORDER: ms that CLC and LLC may be captured in the wrong order */

#define NEW_LINK (50 * LLC_MS) /* so young a link may be unknown to the sender of a list */

/* ---- what is known of keys ---- */

enum known { KEY_UNSURE, KEY_KNOWN, KEY_DELETED, KEY_UNKNOWN };

static enum known look_up(const struct trace_group *g, int owner, uint8_t link_number, uint32_t rkey, const struct trace_rmb **rmb)
{
    enum known found = llc_complete(g) ? KEY_UNKNOWN : KEY_UNSURE;
    for (const struct trace_rmb *r = g->rmbs[owner]; r; r = r->next)
        for (unsigned i = 0; i < r->ntokens; i++) {
            const struct trace_rtoken *t = &r->tokens[i];
            if (t->link_number != link_number || t->rkey != rkey || found == KEY_KNOWN)
                continue;
            found = t->valid ? KEY_KNOWN : KEY_DELETED;
            if (rmb)
                *rmb = r;
        }
    return found;
}

static unsigned rmbs_alive(const struct trace_group *g, int owner)
{
    unsigned n = 0;
    for (const struct trace_rmb *r = g->rmbs[owner]; r; r = r->next)
        for (unsigned i = 0; i < r->ntokens; i++)
            if (r->tokens[i].valid) {
                n++;
                break;
            }
    return n;
}

static uint32_t key_at(const struct llc_open *o, unsigned i)
{
    return (uint32_t)smc_load_be(o->body + (i == 0 ? 5 : i == 1 ? 18 : 31), 4);
}

static unsigned keys_of(const struct llc_open *o)
{
    return o->body[4] < 2 ? 1u + o->body[4] : 3;
}

static bool refused_key(const struct llc_refusal *r, uint32_t rkey)
{
    for (unsigned i = 0; i < r->nkeys; i++)
        if (r->rkey[i] == rkey)
            return true;
    return false;
}

/* Do two CONFIRM RKEYs name a key in common? */
static bool same_keys(const struct llc_open *x, const struct llc_open *y)
{
    for (unsigned i = 0; i < keys_of(x); i++)
        for (unsigned k = 0; k < keys_of(y); k++)
            if (key_at(x, i) == key_at(y, k))
                return true;
    return false;
}

/* ---- CONFIRM RKEY, request ---- */

/* A token of another link, at `offset` [LLC-050] */
static void check_other(struct llc_msg *m, uint8_t n, int offset)
{
    uint8_t *named = m->st->lists[m->side].named;
    bool own = m->link->number_known && n == m->link->number, twice = llc_bit(named, n);
    bool never = llc_complete(m->g) && !llc_bit(m->st->used, n) && !llc_bit(m->st->offered, n);
    if (!judge_holds(m->j, REQ_LLC_050, !own && !twice && !never))
        LLC_REPORT(m, REQ_LLC_050, m->side, offset, 0, NULL, JT("a token for link %u", n), "one token for each other link",
                   own ? "the list of other links names the link itself" : twice ? "a link is listed twice" : "there is no link of this number");
    llc_bit_set(named, n, true);
}

/* The list is complete: which links does it leave out [LLC-050]? The sender may know already that one has failed: wait until it uses
 * that again. And what was added while the first message was on its way it did not know: it says it once more [LLC-049]. */
static void check_omitted(struct llc_msg *m)
{
    struct llc_group *st = m->st;
    uint64_t asked_ns = st->lists[m->side].ns;
    uint8_t links[32] = {0};
    bool any = false;
    for (const struct trace_link *l = llc_complete(m->g) ? m->g->links : NULL; l; l = l->next) {
        if (l == m->link || l->state != TRACE_LINK_ACTIVE || llc_bit(st->lists[m->side].named, l->number) || asked_ns < l->active_ns + NEW_LINK)
            continue;
        llc_bit_set(links, l->number, true);
        any = true;
    }
    if (!any) {
        bool again = st->omitted[m->side].carrier == m->link && st->omitted[m->side].rkey == st->lists[m->side].rkey;
        st->omitted[m->side].any = st->omitted[m->side].any && !again;
        return;
    }
    st->omitted[m->side].any = true;
    st->omitted[m->side].carrier = m->link;
    st->omitted[m->side].rkey = st->lists[m->side].rkey;
    memcpy(st->omitted[m->side].links, links, sizeof links);
    st->omitted[m->side].frame = st->lists[m->side].frame;
    st->omitted[m->side].ns = asked_ns;
}

/* `offset` is that of the first token of this message; `more`: others follow in the next. */
static void check_others(struct llc_msg *m, int offset, bool more)
{
    for (unsigned i = 0; i < m->info.nothers; i++)
        check_other(m, m->info.others[i].link, offset + 13 * (int)i);
    if (more)
        return;
    check_omitted(m);
    m->st->lists[m->side].on = NULL;
}

static void list_begin(struct llc_msg *m)
{
    struct llc_group *st = m->st;
    bool left = st->rkey_left[m->side] && st->lists[m->side].carrier != m->link;
    st->cut_lists[m->side].on = left ? st->lists[m->side].carrier : NULL;
    st->cut_lists[m->side].left = st->rkey_left[m->side];
    memset(&m->st->lists[m->side], 0, sizeof m->st->lists[m->side]);
    m->st->lists[m->side].carrier = m->link;
    m->st->lists[m->side].on = m->link;
    m->st->lists[m->side].frame = m->frame;
    m->st->lists[m->side].ns = m->ns;
    m->st->lists[m->side].rkey = m->info.rkey;
}

static void learn_numbers(struct llc_msg *m)
{
    for (unsigned i = 0; i < m->info.nothers; i++) {
        uint8_t n = m->info.others[i].link;
        struct trace_link *l = trace_link_by_number(m->g, n);
        if (llc_complete(m->g) || (l && l->state >= TRACE_LINK_DELETING))
            continue;
        llc_bit_set(m->st->live, n, true);
        llc_bit_set(m->st->used, n, true);
    }
}

/* Does the list of this CONFIRM RKEY, as far as it has come, speak of that link? Continuations may yet. */
static bool may_name(const struct llc_msg *m, const struct trace_link *l)
{
    bool named = m->info.count > m->info.nothers;
    for (unsigned i = 0; i < m->info.nothers; i++)
        named |= m->info.others[i].link == l->number;
    return named;
}

/* [FAILOVER-008] Who leaves out the link that the request went over has given that link up, and begins anew without it. */
static void check_replay(struct llc_msg *m, const struct llc_open *o)
{
    for (unsigned i = 0; i < LLC_OPENS; i++) {
        const struct llc_open *old = &m->st->opens[i];
        if (old->kind != SMC_LLC_CONFIRM_RKEY || old == o || old->side != m->side || old->answered || old->link == m->link)
            continue;
        /* What comes over a link that is given up already was queued there before. */
        bool replayed = old->link->state != TRACE_LINK_GONE && may_name(m, old->link) && m->link->state < TRACE_LINK_DELETING && m->ns < old->ns + LLC_REPLY && same_keys(old, o);
        if (!judge_holds(m->j, REQ_FAILOVER_008, !replayed))
            LLC_REPORT(m, REQ_FAILOVER_008, m->side, -1, old->frame, NULL, "CONFIRM RKEY again over another link",
                       "the exchange begins anew when the group is stable", "an LLC message is replayed");
    }
}

/* What was refused before comes again. */
static void check_retry(struct llc_msg *m, const struct llc_open *o)
{
    struct llc_capture *all = llc_capture_state(m->j);
    for (unsigned i = 0; i < LLC_REFUSALS; i++) {
        struct llc_refusal *r = &m->st->refusals[i];
        bool same = false;
        for (unsigned k = 0; r->used && k < keys_of(o); k++)
            same = same || refused_key(r, key_at(o, k));
        if (!r->used || r->side != m->side || !same)
            continue;
        r->used = false;
        if (r->retry) {
            judge_holds(m->j, REQ_LLC_052, true);
            continue;
        }
        bool stimulus = !all || r->others || all->stimulus_ns >= r->ns || m->st->delete_ns >= r->ns || m->st->add.ns >= r->ns;
        if (!judge_holds(m->j, REQ_LLC_053, stimulus || m->ns > r->ns + LLC_REPLY))
            LLC_REPORT(m, REQ_LLC_053, m->side, -1, r->frame, NULL, "CONFIRM RKEY again", "not before something else happens",
                       "CONFIRM RKEY was refused for good and is repeated at once");
    }
}

static struct llc_key *newest_key(struct llc_capture *all, int side, uint32_t rkey, uint32_t qpn, const uint8_t gid[16])
{
    struct llc_key *newest = NULL;
    for (unsigned i = 0; i < LLC_KEYS; i++) {
        struct llc_key *k = &all->keys[i];
        if (k->group && k->side == side && k->rkey == rkey && k->qpn == qpn && memcmp(k->gid, gid, 16) == 0 && (!newest || k->ns >= newest->ns))
            newest = k;
    }
    return newest;
}

/* Announced before, by ADD LINK or by a CONFIRM RKEY that was answered. */
static bool was_known(const struct llc_msg *m, struct llc_capture *all, const struct llc_key *key, uint8_t link_number)
{
    const struct llc_key *before = newest_key(all, m->side, key->rkey, key->qpn, key->gid);
    if (before && before->group == m->g && !before->known && before->state != LLC_KEY_CONFIRMED)
        return false;
    for (const struct trace_rmb *r = m->g->rmbs[m->side]; r; r = r->next)
        for (unsigned i = 0; i < r->ntokens; i++)
            if (r->tokens[i].link_number == link_number && r->tokens[i].rkey == key->rkey && r->tokens[i].valid)
                return r->tokens[i].first_frame < m->frame;
    return false;
}

/* Remembers a key that an Accept or Confirm may not use yet. */
static void watch_key(struct llc_msg *m, const struct trace_link *l, uint32_t rkey)
{
    struct llc_capture *all = llc_capture_state(m->j);
    if (!all || !l || !l->end[m->side].known || m->link->state >= TRACE_LINK_DELETING) /* queued before that: what is asked elsewhere is newer */
        return;
    struct llc_key k = {.group = m->g, .side = (uint8_t)m->side, .qpn = l->end[m->side].qpn, .state = LLC_KEY_OPEN, .asked_on = m->link->number,
                        .rkey = rkey, .frame = m->frame, .list = m->st->lists[m->side].frame, .ns = m->ns};
    memcpy(k.gid, l->end[m->side].gid, 16);
    k.known = was_known(m, all, &k, l->number);
    all->keys[all->next_key++ % LLC_KEYS] = k;
}

static void watch_others(struct llc_msg *m)
{
    for (unsigned i = 0; i < m->info.nothers; i++)
        watch_key(m, trace_link_by_number(m->g, m->info.others[i].link), m->info.others[i].rkey);
}

void llc_confirm_rkey_request(struct llc_msg *m, struct llc_open *o)
{
    unsigned most = m->info.version == 2 ? 2 : 8; /* v2 has no continuation, v1 at most 8 other links */
    o->during_delete = false;
    list_begin(m);
    if (!judge_holds(m->j, REQ_LLC_056, m->info.count <= most)) {
        LLC_REPORT(m, REQ_LLC_056, m->side, 4, 0, NULL, JT("%u", m->info.count), JT("at most %u", most),
                   "CONFIRM RKEY counts more other links than there can be");
        m->st->rkey_left[m->side] = 0;
    } else {
        m->st->rkey_left[m->side] = m->info.count > 2 ? m->info.count - 2 : 0;
        check_others(m, 17, m->info.count > 2);
    }
    learn_numbers(m);
    check_replay(m, o);
    check_retry(m, o);
    watch_key(m, m->link, m->info.rkey);
    watch_others(m);
    struct llc_open *del = llc_find(m->st, SMC_LLC_DELETE_LINK, LLC_SERVER, -1);
    o->during_delete = m->side == LLC_CLIENT && del && !del->all && m->ns < del->ns + LLC_REPLY;
    o->during_add = m->side == LLC_CLIENT && llc_adding(m->st, m->ns);
}

void llc_rkey_continuation(struct llc_msg *m)
{
    struct llc_group *st = m->st;
    bool old = m->link == st->cut_lists[m->side].on && m->link != st->lists[m->side].carrier;
    unsigned *rest = old ? &st->cut_lists[m->side].left : &st->rkey_left[m->side], left = *rest;
    if (m->g->late && !left)
        return;
    bool follows = m->info.count == left && left;
    if (!judge_holds(m->j, REQ_LLC_057, follows))
        LLC_REPORT(m, REQ_LLC_057, m->side, 4, 0, NULL, JT("%u", m->info.count), left ? JT("%u", left) : "no continuation",
                   "the count of the continuation does not follow from the message before");
    *rest = left > 3 ? left - 3 : 0;
    if (old)
        return;
    if (follows && m->st->lists[m->side].on == m->link)
        check_others(m, 5, left > 3);
    watch_others(m);
}

/* ---- CONFIRM RKEY, response ---- */

static void refused(struct llc_msg *m, const struct llc_open *o)
{
    struct llc_refusal *r = &m->st->refusals[m->st->next_refusal++ % LLC_REFUSALS];
    const struct llc_capture *all = llc_capture_state(m->j);
    *r = (struct llc_refusal){.used = true, .retry = m->info.retry, .side = o->side, .nkeys = (uint8_t)keys_of(o), .frame = m->frame, .ns = m->ns};
    r->others = all && all->handshakes > 1;
    for (unsigned i = 0; i < r->nkeys; i++)
        r->rkey[i] = key_at(o, i);
    if (o->link == m->st->lists[o->side].carrier)
        m->st->rkey_left[o->side] = 0;
}

/* The request cannot name a key for a link that was still being added when it was sent. */
static bool added_since(const struct trace_group *g, uint64_t ns)
{
    for (const struct trace_link *l = g->links; l; l = l->next)
        if (l->active_ns > ns)
            return true;
    return false;
}

/* Why may the server refuse, or why must it? */
static void check_collision(struct llc_msg *m, const struct llc_open *o)
{
    struct llc_open *del = llc_find(m->st, SMC_LLC_DELETE_LINK, LLC_SERVER, -1);
    bool negative = m->info.negative, retry = m->info.retry;
    if (m->side == LLC_SERVER && o->during_add && llc_adding(m->st, m->ns)) {
        if (!judge_holds(m->j, REQ_LLC_047, negative && retry))
            LLC_REPORT(m, REQ_LLC_047, m->side, 3, o->frame, negative ? NULL : "A-14", negative ? "refused without C" : "confirmed", "refused, C set",
                       "CONFIRM RKEY while a link is being added");
        return;
    }
    if (m->side == LLC_SERVER && o->during_delete && del && !del->all) {
        if (m->ns < del->ns + LLC_REPLY_SOON && !judge_holds(m->j, REQ_LLC_048, negative))
            LLC_REPORT(m, REQ_LLC_048, m->side, 3, o->frame, "A-14", "confirmed", "refused", "CONFIRM RKEY while a link is being deleted");
        return;
    }
    /* Who has a CONFIRM RKEY open runs no other exchange that could be the reason, but one that ran when the request came may have
     * ended while the refusal waited to be sent. */
    if (o->during_add || o->during_delete || m->st->offer_ns > o->ns || m->st->delete_ns > o->ns || m->link->state == TRACE_LINK_GONE ||
        added_since(m->g, o->ns))
        return;
    struct llc_open *own = llc_find(m->st, SMC_LLC_CONFIRM_RKEY, m->side, -1);
    if (!own || m->ns > own->ns + LLC_REPLY || o->body[4] > 3 || rmbs_alive(m->g, o->side) >= MAX_RMBS - 1 || m->st->add.phase != LLC_ADD_NONE)
        return;
    if (!judge_holds(m->j, REQ_LLC_044, !(negative && retry)))
        LLC_REPORT(m, REQ_LLC_044, m->side, 3, o->frame, NULL, "refused, C set", "both exchanges proceed",
                   "CONFIRM RKEY is refused although only the sender's own CONFIRM RKEY is open");
}

static void settle_keys(struct llc_msg *m, const struct llc_open *o)
{
    struct llc_capture *all = llc_capture_state(m->j);
    for (unsigned i = 0; all && i < LLC_KEYS; i++) {
        struct llc_key *k = &all->keys[i];
        if (k->group != m->g || k->frame != o->frame)
            continue;
        k->state = m->info.negative ? LLC_KEY_REFUSED : LLC_KEY_CONFIRMED;
        llc_judge_offer(m->j, k, m->ns);
    }
}

void llc_confirm_rkey_response(struct llc_msg *m, struct llc_open *o)
{
    bool same = memcmp(o->body + 4, m->body + 4, LLC_BODY - 5) == 0;
    if (!judge_holds(m->j, REQ_LLC_051, same)) {
        unsigned at = 4;
        while (o->body[at] == m->body[at])
            at++;
        LLC_REPORT(m, REQ_LLC_051, m->side, at, o->frame, NULL, JHEX(m->body + 4, 39), JHEX(o->body + 4, 39), "the response does not repeat the request");
    }
    if (o->kind == SMC_LLC_CONFIRM_RKEY)
        check_collision(m, o);
    settle_keys(m, o);
    o->refused = m->info.negative;
    if (m->info.negative) {
        refused(m, o);
        return;
    }
    unsigned n = rmbs_alive(m->g, o->side);
    if (!judge_holds(m->j, REQ_LLC_055, n <= MAX_RMBS))
        LLC_REPORT(m, REQ_LLC_055, o->side, -1, o->frame, NULL, JT("%u RMBs", n), "at most 255", "one side has more RMBs than a link group may have");
}

/* ---- DELETE RKEY ---- */

/* Connections that use the RMB: if their owner goes on, it was in use [LLC-061]. */
static void mark_users(struct llc_msg *m, const struct trace_rmb *rmb)
{
    for (struct trace_conn *c = m->g->conns; c; c = c->group_next) {
        struct llc_conn *state = c->side[m->side].rmb == rmb && c->confirmed && !c->declined ? llc_conn_state(c) : NULL;
        if (!state || state->freed_frame[m->side])
            continue;
        state->freed_frame[m->side] = m->frame;
        state->freed_ns[m->side] = m->ns;
        state->freed_link[m->side] = m->link;
    }
}

static void note_key(struct llc_open *o, unsigned i, bool unknown, bool unsure)
{
    uint8_t bit = (uint8_t)(i < 8 ? 0x80u >> i : 0); /* version 2 has more keys, and a count instead of a mask */
    if (unknown)
        o->unknown |= bit;
    if (unsure)
        o->unsure |= bit;
    o->least = (uint8_t)(o->least + unknown);
    o->most = (uint8_t)(o->most + (unknown || unsure));
}

static void look_up_keys(struct llc_msg *m, struct llc_open *o)
{
    o->nkeys = (uint8_t)m->info.nrkeys;
    for (unsigned i = 0; i < o->nkeys; i++) {
        const struct trace_rmb *rmb = NULL;
        uint32_t rkey = smc_llc_info_rkey(&m->info, i);
        struct llc_open *open = llc_find(m->st, SMC_LLC_CONFIRM_RKEY, m->side, -1);
        enum known known = open ? KEY_UNSURE : look_up(m->g, m->side, m->link->number, rkey, &rmb);
        bool unknown = known == KEY_UNKNOWN || (known == KEY_DELETED && llc_complete(m->g)), unsure = !unknown && known != KEY_KNOWN;
        if (known == KEY_KNOWN)
            mark_users(m, rmb);
        for (unsigned k = 0; k < LLC_REFUSALS; k++)
            if (m->st->refusals[k].side == m->side && refused_key(&m->st->refusals[k], rkey))
                m->st->refusals[k].used = false;
        /* Asked twice before the answer: which of the two fails is open. */
        for (unsigned k = 0; k < LLC_OPENS; k++) {
            const struct llc_open *d = &m->st->opens[k];
            if (d != o && d->kind == SMC_LLC_DELETE_RKEY && d->side == m->side && !d->answered)
                unsure = true;
        }
        note_key(o, i, unknown, unsure);
    }
}

void llc_delete_rkey_request(struct llc_msg *m, struct llc_open *o)
{
    bool v2 = m->info.version == 2;
    unsigned count = m->body[4], fit = m->len > 8 ? (unsigned)((m->len - 8) / 4) : 0;
    bool ok = count >= 1 && (v2 || count <= 8);
    if (!judge_holds(m->j, REQ_LLC_058, ok))
        LLC_REPORT(m, REQ_LLC_058, m->side, 4, 0, NULL, JT("%u keys", count), "1 to 8 keys", "DELETE RKEY counts a wrong number of keys");
    if (v2 && !judge_holds(m->j, REQ_LLC_070, count <= fit))
        LLC_REPORT(m, REQ_LLC_070, m->side, 4, 0, NULL, JT("%u keys", count), JT("at most %u in %zu bytes", fit, m->len),
                   "DELETE RKEY counts more keys than it holds");
    look_up_keys(m, o);
    if (!ok || (v2 && count > fit))
        o->nkeys = 0; /* what the answer to it should be is open */
    if (o->nkeys)
        judge_holds(m->j, REQ_LLC_061, true);
}

static void check_mask(struct llc_msg *m, const struct llc_open *o)
{
    uint8_t mask = m->info.error_mask, most = (uint8_t)(o->unknown | o->unsure);
    bool ok = (mask & o->unknown) == o->unknown && (mask & ~most) == 0 && m->info.negative == (mask != 0);
    if (!judge_holds(m->j, REQ_LLC_059, ok))
        LLC_REPORT(m, REQ_LLC_059, m->side, m->info.negative == (mask != 0) ? 5 : 3, o->frame, NULL, JT("Z %u, mask 0x%02x", m->info.negative, mask),
                   JT("mask 0x%02x, Z %s", o->unknown, o->unknown ? "set" : "only with a mask"),
                   "the response to DELETE RKEY does not say which keys are unknown");
}

static void check_count(struct llc_msg *m, const struct llc_open *o)
{
    unsigned n = m->info.invalid_count;
    bool ok = n >= o->least && n <= o->most && m->info.negative == (n != 0);
    if (!judge_holds(m->j, REQ_LLC_081, ok))
        LLC_REPORT(m, REQ_LLC_081, m->side, 5, o->frame, NULL, JT("%u unknown keys, Z %u", n, m->info.negative), JT("%u", o->least),
                   "the response to DELETE RKEY counts the unknown keys wrongly");
    for (unsigned i = 8; i < 8 + 4u * o->nkeys && i < LLC_BODY; i++)
        if (m->body[i] != 0) {
            judge_holds(m->j, REQ_LLC_081, false);
            LLC_REPORT(m, REQ_LLC_081, m->side, i & ~3u, o->frame, NULL, JHEX(m->body + 8, LLC_BODY - 8), "zero", "the response to DELETE RKEY names keys");
            return;
        }
}

void llc_delete_rkey_response(struct llc_msg *m, struct llc_open *o)
{
    m->st->rkey_link[o->side] = m->link;
    m->st->rkey_ns[o->side] = m->ns;
    if (!o->nkeys)
        return;
    if (m->info.version == 2)
        check_count(m, o);
    else
        check_mask(m, o);
}

void llc_check_freed(struct judge *j, const struct trace_cdc_event *e)
{
    struct llc_conn *c = e->conn && e->valid && !e->validation && !e->stale ? llc_conn_state(e->conn) : NULL;
    if (!c || !c->freed_frame[e->side] || c->freed_told[e->side])
        return;
    if (e->link != c->freed_link[e->side] && e->ts_ns < c->freed_ns[e->side] + 50 * LLC_MS)
        return;
    c->freed_told[e->side] = true;
    judge_holds(j, REQ_LLC_061, false);
    judge_report(j, &(struct judge_case){.req = REQ_LLC_061, .side = e->side, .frame = e->frame, .related = {c->freed_frame[e->side]},
                                         .conn = e->conn, .group = e->group, .offset = -1},
                 "CDC of a connection whose RMB was deleted", "no DELETE RKEY while the RMB is in use", "an RMB was deleted while its connection used it");
}

/* ---- RTokens of a new link ---- */

void llc_check_rtokens(struct llc_msg *m)
{
    bool v2 = m->info.version == 2;
    if (v2 && m->info.has_ext && smc_view_len(m->e->bytes) >= 72) {
        unsigned be = (unsigned)smc_load_be(m->e->bytes.p + 70, 2), le = (unsigned)smc_load_le(m->e->bytes.p + 70, 2);
        if (!judge_holds(m->j, REQ_LLC_070, be <= 255 || le <= 255))
            LLC_REPORT(m, REQ_LLC_070, m->side, 70, 0, NULL, JT("%u keys", be), JT("%u in %zu bytes", m->info.nrtokens, m->len),
                       "ADD LINK counts more keys than any message holds");
    }
    for (unsigned i = 0; i < m->info.nrtokens; i++) {
        struct smc_llc_rtoken_fields t = smc_llc_info_rtoken(&m->info, i);
        enum known known = look_up(m->g, m->side, m->link->number, t.ref_rkey, NULL);
        int64_t at = (v2 ? 72 : 8) + 16 * (int64_t)i;
        if ((t.ref_rkey == 0 && t.new_rkey == 0) || known == KEY_UNSURE)
            continue;
        if (!judge_holds(m->j, REQ_LLC_033, known != KEY_DELETED))
            LLC_REPORT(m, REQ_LLC_033, m->side, at, 0, NULL, JT("rkey 0x%08x", t.ref_rkey), "only RMBs that are in use", "an RMB is announced that was deleted before");
        if (!judge_holds(m->j, REQ_LLC_032, known != KEY_UNKNOWN))
            LLC_REPORT(m, REQ_LLC_032, m->side, at, 0, NULL, JT("rkey 0x%08x", t.ref_rkey), JT("an rkey of link %u", m->link->number),
                       "the reference rkey is none of the link that carries the message");
    }
}

/* ---- RMBs that CLC offers ---- */

/* The stream that would have carried the peer's answer; NULL if it is not known, or silent until the offer. */
static const struct trace_stream *answers_to(const struct llc_key *k)
{
    for (const struct trace_link *l = k->group->links; l; l = l->next)
        if (l->end[k->side].known && l->end[k->side].qpn == k->qpn && memcmp(l->end[k->side].gid, k->gid, 16) == 0) {
            const struct trace_stream *s = l->end[!k->side].tx;
            bool heard = s && s->first_frame && s->first_frame < k->offer_frame && !trace_stream_lacks(s);
            return heard || !k->group->late ? s : NULL;
        }
    return NULL;
}

static bool link_stands(const struct llc_key *k)
{
    for (const struct trace_link *l = k->group->links; l; l = l->next)
        if (l->state < TRACE_LINK_DELETING && l->end[k->side].known && l->end[k->side].qpn == k->qpn && memcmp(l->end[k->side].gid, k->gid, 16) == 0)
            return true;
    return false;
}

/* Was it asked for the sake of links that have gone? Then what the peer had before is all that it needs. With the link that carried it
 * a request went, too; an answer that was on its way there is heard no more. */
static bool asked_in_vain(const struct llc_capture *all, const struct llc_key *k)
{
    const struct trace_link *on = trace_link_by_number(k->group, k->asked_on);
    if (!k->known || (k->state != LLC_KEY_REFUSED && on && on->state < TRACE_LINK_DELETING))
        return false;
    for (unsigned i = 0; i < LLC_KEYS; i++) {
        const struct llc_key *x = &all->keys[i];
        if (x->group == k->group && x->side == k->side && x->list == k->list && !x->known && link_stands(x))
            return false;
    }
    return true;
}

/* The offer is sound, and nothing is left to be asked again [LLC-052]. */
static void accept_offer(struct judge *j, struct llc_key *k)
{
    struct llc_group *st = llc_group_state(k->group);
    k->offer_frame = 0;
    judge_holds(j, REQ_LLC_054, true);
    for (unsigned i = 0; st && i < LLC_REFUSALS; i++)
        if (st->refusals[i].side == k->side && refused_key(&st->refusals[i], k->rkey))
            st->refusals[i].used = false;
}

/* Whoever offers what the peer had before it was asked may know of lost links whose DELETE LINK waits in a queue. */
static uint64_t patience(const struct llc_key *k)
{
    return k->known ? LLC_REPLY : REORDER * LLC_MS;
}

void llc_judge_offer(struct judge *j, struct llc_key *k, uint64_t ns)
{
    if (k->offer_frame && asked_in_vain(llc_capture_state(j), k))
        accept_offer(j, k);
    if (!k->offer_frame || ((k->state == LLC_KEY_CONFIRMED || k->known) && ns <= k->offer_ns + patience(k)))
        return;
    struct judge_case c = {.req = REQ_LLC_054, .side = k->side, .frame = k->offer_frame, .related = {k->frame}, .group = k->group, .offset = 41};
    const char *message = "an RMB is offered whose CONFIRM RKEY has not been confirmed", *expected = "an RMB whose RTokens are all confirmed";
    if (k->state == LLC_KEY_REFUSED) {
        k->offer_frame = 0;
        judge_holds(j, REQ_LLC_054, false);
        judge_report(j, &c, JT("rkey 0x%08x, refused", k->rkey), expected, "%s", message);
        return;
    }
    struct llc_group *st = llc_group_state(k->group);
    if (st)
        llc_later(st, &c, answers_to(k), JT("rkey 0x%08x, not yet confirmed", k->rkey), expected, message);
    k->offer_frame = 0;
}

void llc_check_offer(struct judge *j, const struct trace_clc_event *e)
{
    struct llc_capture *all = llc_capture_state(j);
    const struct smc_clc_accept_info *a = &e->accept;
    if (!all || !e->accept_valid || a->path != 0 || a->first_contact)
        return;
    struct llc_key *newest = newest_key(all, e->side, a->rkey, a->qpn, a->gid);
    if (!newest || newest->state == LLC_KEY_LOST)
        return;
    if (newest->state == LLC_KEY_CONFIRMED) {
        judge_holds(j, REQ_LLC_054, true);
        return;
    }
    newest->offer_frame = e->frame;
    newest->offer_ns = e->ts_ns;
    all->offers = true;
    if (newest->state == LLC_KEY_REFUSED || newest->known)
        llc_judge_offer(j, newest, e->ts_ns);
}

void llc_keys_forget(struct judge *j, const struct trace_group *g, bool ended)
{
    struct llc_capture *all = llc_capture_state(j);
    for (unsigned i = 0; all && i < LLC_KEYS; i++) {
        if (all->keys[i].group != g)
            continue;
        all->keys[i].state = LLC_KEY_LOST;
        all->keys[i].offer_frame = 0;
        if (ended)
            all->keys[i].group = NULL;
    }
}

/* ---- what time brings out ---- */

static void tick_offers(struct judge *j, const struct trace_group *g, uint64_t ns)
{
    struct llc_capture *all = llc_capture_state(j);
    all->offers = false;
    for (unsigned i = 0; i < LLC_KEYS; i++) {
        if (all->keys[i].group == g && all->keys[i].offer_frame && ns > all->keys[i].offer_ns + patience(&all->keys[i]))
            llc_judge_offer(j, &all->keys[i], ns);
        all->offers = all->offers || all->keys[i].offer_frame;
    }
}

static void tick_omitted(struct judge *j, struct trace_group *g, struct llc_group *st, const struct trace_link *l, int side, uint64_t ns)
{
    uint64_t asked_ns = st->omitted[side].ns;
    if (ns > asked_ns + LLC_ACTION) {
        st->omitted[side].any = false;
        return;
    }
    bool younger = asked_ns < l->active_ns + NEW_LINK; /* another one of the same number */
    if (!llc_bit(st->omitted[side].links, l->number) || younger || ns < asked_ns + 5 * LLC_MS)
        return;
    judge_holds(j, REQ_LLC_050, false);
    judge_report(j, &(struct judge_case){.req = REQ_LLC_050, .side = side, .frame = st->omitted[side].frame, .group = g, .offset = 4},
                 JT("no token for link %u", l->number), "one token for each other link", "CONFIRM RKEY leaves out a link that is in use");
    st->omitted[side].any = false;
}

static void tick_refusal(struct judge *j, struct trace_group *g, const struct llc_capture *all, struct llc_refusal *r, int side, uint64_t ns)
{
    if (!r->used || !r->retry || r->side != side || ns < r->ns + LLC_ACTION)
        return;
    r->used = false;
    if (!all || all->breakup_ns >= r->ns)
        return; /* the connection may have been given up */
    judge_holds(j, REQ_LLC_052, false);
    LLC_ABSENT(j, g, REQ_LLC_052, r->side, r->frame, NULL, "no further CONFIRM RKEY", "CONFIRM RKEY again after the change",
               "CONFIRM RKEY was refused with C and is never repeated");
}

void llc_rkey_gap(struct llc_group *st)
{
    for (int side = 0; side < 2; side++) {
        st->lists[side].on = NULL;
        st->omitted[side].any = false;
    }
}

void llc_rkey_tick(struct judge *j, struct trace_group *g, struct trace_link *l, int side, uint64_t ns)
{
    struct llc_group *st = llc_group_state(g);
    struct llc_capture *all = llc_capture_state(j);
    if (st->omitted[side].any)
        tick_omitted(j, g, st, l, side, ns);
    for (unsigned i = 0; i < LLC_REFUSALS; i++)
        tick_refusal(j, g, all, &st->refusals[i], side, ns);
    if (all && all->offers)
        tick_offers(j, g, ns);
}
