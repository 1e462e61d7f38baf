/* LLC: links. CONFIRM LINK, ADD LINK with its continuations, numbers, limits, symmetric, asymmetric, parallel.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "check_llc.h"

/* ---- what links there are ---- */

static bool same_rnic(const struct trace_link *l, int side, const uint8_t *mac)
{
    return l->end[side].known && memcmp(l->end[side].mac, mac, 6) == 0;
}

static bool counts(const struct trace_link *l)
{
    return l->state == TRACE_LINK_ACTIVE;
}

unsigned llc_active_links(const struct trace_group *g)
{
    unsigned n = 0;
    for (const struct trace_link *l = g->links; l; l = l->next)
        n += counts(l);
    return n;
}

enum { MAX_LINKS = 12 }; /* more than any group may have: larger ones are not judged by the kind of their links */

struct kinds {
    unsigned n, symmetric;
    const struct trace_link *link[MAX_LINKS];
    bool asymmetric[MAX_LINKS];
};

/* Of the links that stood before this frame: a link is asymmetric if an older symmetric one has its RNIC at one end (RFC 7609 2.2.1).
 * False: too many links. */
static bool classify(const struct trace_group *g, uint64_t before, struct kinds *k)
{
    memset(k, 0, sizeof *k);
    for (const struct trace_link *l = g->links; l; l = l->next) {
        if (!counts(l) || l->active_frame >= before)
            continue;
        if (k->n == MAX_LINKS)
            return false;
        bool shared = false;
        for (unsigned i = 0; i < k->n; i++)
            shared = shared || (!k->asymmetric[i] && (same_rnic(k->link[i], 0, l->end[0].mac) || same_rnic(k->link[i], 1, l->end[1].mac)));
        k->asymmetric[k->n] = shared;
        k->link[k->n++] = l;
        k->symmetric += !shared;
    }
    return true;
}

unsigned llc_symmetric_links(const struct trace_group *g)
{
    struct kinds k;
    return classify(g, UINT64_MAX, &k) ? k.symmetric : 0;
}

bool llc_link_asymmetric(const struct trace_group *g, const struct trace_link *l)
{
    struct kinds k;
    if (!classify(g, UINT64_MAX, &k))
        return false;
    for (unsigned i = 0; i < k.n; i++)
        if (k.link[i] == l)
            return k.asymmetric[i];
    return false;
}

bool llc_at_max(const struct trace_group *g)
{
    return g->max_links && llc_symmetric_links(g) >= g->max_links;
}

static bool end_seen(const struct trace_link *l, int side)
{
    return l->end[side].tx && l->end[side].tx->requests;
}

bool llc_all_links_seen(const struct llc_group *st, const struct trace_group *g)
{
    unsigned known = 0, live = 0;
    for (const struct trace_link *l = g->links; l; l = l->next) {
        if (l->state == TRACE_LINK_GONE)
            continue;
        known++;
        if (l->state != TRACE_LINK_ADDING && !(end_seen(l, 0) && end_seen(l, 1)))
            return false;
    }
    for (unsigned n = 0; n < 256; n++)
        live += llc_bit(st->live, (uint8_t)n);
    return live <= known;
}

/* ---- CONFIRM LINK ---- */

static bool end_is(const struct trace_link *l, const struct llc_msg *m)
{
    const struct trace_link_end *e = &l->end[m->side];
    return e->known && e->qpn == m->info.qpn && memcmp(e->gid, m->info.gid, 16) == 0;
}

/* The link that a CONFIRM LINK is about, by what it says of its sender. */
static struct trace_link *subject_of(const struct llc_msg *m)
{
    if (end_is(m->link, m))
        return m->link;
    for (struct trace_link *l = m->g->links; l; l = l->next)
        if (l != m->link && l->state != TRACE_LINK_GONE && end_is(l, m))
            return l;
    return m->link;
}

/* [LLC-011] as in CLC (first link) or ADD LINK (later ones). */
static void check_identity(struct llc_msg *m)
{
    static const uint8_t no_mac[6]; /* the end is known by its packets alone */
    const struct trace_link_end *e = &m->link->end[m->side];
    if (!e->known || m->link->state == TRACE_LINK_GONE || memcmp(e->mac, no_mac, 6) == 0)
        return;
    bool mac = memcmp(e->mac, m->info.mac, 6) == 0, gid = memcmp(e->gid, m->info.gid, 16) == 0, qpn = e->qpn == m->info.qpn;
    if (judge_holds(m->j, REQ_LLC_011, mac && gid && qpn))
        return;
    if (!mac)
        LLC_REPORT(m, REQ_LLC_011, m->side, 4, m->link->add_frame, NULL, JHEX(m->info.mac, 6), JHEX(e->mac, 6),
                   "CONFIRM LINK names another MAC address than before");
    else if (!gid)
        LLC_REPORT(m, REQ_LLC_011, m->side, 10, m->link->add_frame, NULL, JHEX(m->info.gid, 16), JHEX(e->gid, 16),
                   "CONFIRM LINK names another GID than before");
    else
        LLC_REPORT(m, REQ_LLC_011, m->side, 26, m->link->add_frame, NULL, JT("0x%06x", m->info.qpn), JT("0x%06x", e->qpn),
                   "CONFIRM LINK names another QP number than before");
}

/* True if the message is about the link that carries it. */
static bool check_confirm(struct llc_msg *m, const struct llc_open *request)
{
    struct trace_link *about = subject_of(m);
    bool here = about == m->link;
    if (!judge_holds(m->j, REQ_LLC_006, here))
        LLC_REPORT(m, REQ_LLC_006, m->side, -1, request ? request->frame : 0, NULL, JT("over link %u", m->link->number),
                   JT("over link %u", about->number), "CONFIRM LINK does not travel on the link that it confirms");
    else
        check_identity(m);
    if (m->info.version == 2 && !judge_holds(m->j, REQ_LLC_012, m->info.no_eyecatcher == 3))
        LLC_REPORT(m, REQ_LLC_012, m->side, 3, 0, NULL, JT("%u", m->info.no_eyecatcher), "3", "CONFIRM LINK does not announce RMBEs without eyecatcher");
    return here;
}

static bool max_links_ok(const struct llc_msg *m)
{
    unsigned least = m->info.version == 1 || m->g->max_links != 1 ? 2 : 1;
    return m->info.max_links >= least && m->info.max_links <= 8;
}

void llc_confirm_link_request(struct llc_msg *m)
{
    if (!judge_holds(m->j, REQ_LLC_009, m->side == LLC_SERVER)) {
        LLC_REPORT(m, REQ_LLC_009, m->side, 3, 0, NULL, "CONFIRM LINK request of the client", "the server begins",
                   "the client begins to confirm the link");
        return;
    }
    check_confirm(m, NULL);
    if (!judge_holds(m->j, REQ_LLC_013, max_links_ok(m)))
        LLC_REPORT(m, REQ_LLC_013, m->side, 34, 0, NULL, JT("%u", m->info.max_links), "2 to 8", "a link group cannot have this many links");
    struct llc_add *a = &m->st->add;
    if (a->phase != LLC_ADD_ANSWERED || a->number != m->info.link_number)
        return;
    a->phase = LLC_ADD_CONFIRMING;
    if (a->early_frame && a->early_served) {
        judge_holds(m->j, REQ_LLC_046, false);
        judge_report(m->j, &(struct judge_case){.req = REQ_LLC_046, .side = LLC_SERVER, .frame = a->early_frame, .related = {a->frame, m->frame},
                                                .group = m->g, .offset = -1},
                     "DELETE LINK within ADD LINK", "the client's DELETE LINK waits for the end",
                     "the client's DELETE LINK is served while a link is being added");
    }
    a->early_frame = 0;
}

/* Nothing was left for later when the server went on to CONFIRM LINK. Judged at the response, since the request
 * travels on another link than the continuations do. */
static void check_leftovers(struct llc_msg *m)
{
    struct llc_add *a = &m->st->add;
    if (a->v2 || !a->cont[LLC_SERVER])
        return;
    if (!judge_holds(m->j, REQ_LLC_030, !a->left[LLC_SERVER]))
        LLC_REPORT(m, REQ_LLC_030, LLC_SERVER, -1, a->cont_frame[LLC_SERVER], NULL, JT("%u pairs announced and not sent", a->left[LLC_SERVER]),
                   "all pairs that the count announces", "the server confirms the link before it has sent all its RTokens");
    if (a->cont[LLC_CLIENT] && !judge_holds(m->j, REQ_LLC_031, !a->left[LLC_CLIENT]))
        LLC_REPORT(m, REQ_LLC_031, LLC_SERVER, -1, a->cont_frame[LLC_CLIENT], NULL, JT("%u pairs of the client not asked for", a->left[LLC_CLIENT]),
                   "another continuation that solicits them", "the server goes on although the client has RTokens left");
}

static void end_of_add(struct llc_msg *m)
{
    struct llc_add *a = &m->st->add;
    if (a->phase != LLC_ADD_NONE && a->initial && !a->told)
        judge_holds(m->j, REQ_LLC_021, true);
    a->phase = LLC_ADD_NONE;
}

void llc_confirm_link_response(struct llc_msg *m, struct llc_open *o)
{
    struct smc_llc_confirm_link request = {o->body};
    bool here = check_confirm(m, o);
    uint8_t asked = smc_llc_confirm_link_link_number(request), max = smc_llc_confirm_link_max_links(request);
    if (!judge_holds(m->j, REQ_LLC_010, m->info.link_number == asked))
        LLC_REPORT(m, REQ_LLC_010, m->side, 29, o->frame, NULL, JT("%u", m->info.link_number), JT("%u", asked),
                   "the client does not return the link number");
    bool above = m->info.max_links > max;
    if (!judge_holds(m->j, REQ_LLC_014, !above))
        LLC_REPORT(m, REQ_LLC_014, m->side, 34, o->frame, NULL, JT("%u", m->info.max_links), JT("at most %u", max),
                   "the client wants more links than the server");
    else if (m->info.max_links != max && !judge_holds(m->j, REQ_LLC_013, max_links_ok(m)))
        LLC_REPORT(m, REQ_LLC_013, m->side, 34, o->frame, NULL, JT("%u", m->info.max_links), JT("2 to %u", max),
                   "a link group cannot have this many links");
    llc_bit_set(m->st->live, asked, true);
    llc_bit_set(m->st->used, asked, true);
    if (m->st->add.phase == LLC_ADD_CONFIRMING && m->st->add.number == asked) {
        if (here)
            check_leftovers(m);
        end_of_add(m);
    }
}

/* ---- ADD LINK ---- */

static bool mapped(const uint8_t *gid)
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
    return memcmp(gid, prefix, 12) == 0;
}

static bool link_local(const uint8_t *gid)
{
    return gid[0] == 0xfe && (gid[1] & 0xc0) == 0x80;
}

/* [LLC-022] The layout of the RFC's figure gives itself away where the GID has one of its common forms. */
static void check_layout(struct llc_msg *m)
{
    const uint8_t *wire = m->body + 12, *figure = m->body + 10;
    bool ok = mapped(wire) || link_local(wire) || !(mapped(figure) || link_local(figure));
    if (!judge_holds(m->j, REQ_LLC_022, ok))
        LLC_REPORT(m, REQ_LLC_022, m->side, 10, 0, NULL, JT("GID at offset 10: %s", JHEX(figure, 16)), "two reserved bytes, GID at offset 12",
                   "ADD LINK is laid out as in the RFC's figure, not as on the wire");
}

static void check_number(struct llc_msg *m)
{
    uint8_t n = m->info.link_number;
    if (!judge_holds(m->j, REQ_LLC_020, !llc_bit(m->st->live, n))) {
        LLC_REPORT(m, REQ_LLC_020, m->side, 31, 0, NULL, JT("%u", n), "a number that no link of the group has",
                   "the new link gets the number of a link that exists");
        return;
    }
    unsigned taken = 0;
    for (unsigned i = 1; i < 256; i++)
        taken += llc_bit(m->st->used, (uint8_t)i);
    if (taken >= 255)
        memcpy(m->st->used, m->st->live, sizeof m->st->used);
    if (!judge_holds(m->j, REQ_LLC_019, !llc_bit(m->st->used, n)))
        LLC_REPORT(m, REQ_LLC_019, m->side, 31, 0, NULL, JT("%u", n), "a number not used before", "a link number is used again although others are free");
}

/* [LLC-043] Does an exchange of the server run that excludes ADD LINK? */
static void check_exclusive(struct llc_msg *m)
{
    struct llc_open *add = m->st->add.phase == LLC_ADD_OFFERED ? llc_find(m->st, SMC_LLC_ADD_LINK, LLC_SERVER, m->st->add.number) : NULL;
    struct llc_open *del = llc_find(m->st, SMC_LLC_DELETE_LINK, LLC_SERVER, -1);
    const struct llc_open *open = NULL;
    /* Where the link that carried the offer is deleted no answer will come. */
    if (add && add->frame != m->frame && m->ns < add->ns + LLC_REPLY_SOON && add->link->state < TRACE_LINK_DELETING)
        open = add;
    /* The link that carries the request may be dying, then there is nothing to wait for. */
    if (del && !del->all && del->live && !del->young && del->delivered && m->ns < del->ns + LLC_REPLY_SOON)
        open = del;
    if (!judge_holds(m->j, REQ_LLC_043, !open))
        LLC_REPORT(m, REQ_LLC_043, m->side, -1, open->frame, NULL, "ADD LINK", "no exchange before the running one is over",
                   "ADD LINK is sent while %s is unanswered", open == add ? "another ADD LINK" : "DELETE LINK");
}

/* [LLC-026] What the server does about a client's ADD LINK. */
static void check_cause(struct llc_msg *m)
{
    struct llc_open *ask = llc_find(m->st, SMC_LLC_ADD_LINK, LLC_CLIENT, -1);
    if (ask) {
        ask->answered = true;
        bool ignored = !(ask->at_max && llc_at_max(m->g) && m->ns < ask->ns + LLC_NEW_LINK);
        if (!judge_holds(m->j, REQ_LLC_026, ignored))
            LLC_REPORT(m, REQ_LLC_026, m->side, -1, ask->frame, NULL, "ADD LINK", "the client's ADD LINK is ignored",
                       "the server offers a link although there are as many as may be");
        else
            judge_holds(m->j, REQ_LLC_028, true);
    }
    ask = llc_find(m->st, SMC_LLC_REQ_ADD_LINK, LLC_CLIENT, -1);
    if (ask) {
        ask->answered = true;
        judge_holds(m->j, REQ_LLC_078, true);
    }
}

static void client_add_link(struct llc_msg *m, struct llc_open *o)
{
    o->during_add = m->st->add.phase == LLC_ADD_OFFERED;
    o->at_max = llc_at_max(m->g);
    /* Nothing has to happen then; a response would be wrong all the same. */
    if (o->during_add || o->at_max || m->st->add.phase != LLC_ADD_NONE)
        o->judged = true;
}

/* The server's offer stood in the queue of a link that failed: DELETE LINK over another link has overtaken it. On one link, or once queues
 * are empty, it is a new offer. */
static bool overtaken(const struct llc_msg *m)
{
    for (unsigned i = 0; i < LLC_OPENS; i++) {
        const struct llc_open *d = &m->st->opens[i];
        if (d->kind == SMC_LLC_DELETE_LINK && d->side == LLC_SERVER && !d->all && !d->known && d->number == m->info.link_number &&
            d->link != m->link && m->ns < d->ns + LLC_REPLY)
            return true;
    }
    return false;
}

void llc_add_link_request(struct llc_msg *m, struct llc_open *o)
{
    if (m->side == LLC_CLIENT) {
        client_add_link(m, o);
        return;
    }
    m->st->offer_ns = m->ns;
    llc_bit_set(m->st->offered, m->info.link_number, true); /* also if it is given up: the client may have it */
    if (m->link->state >= TRACE_LINK_DELETING || overtaken(m)) { /* given up already: nobody need answer, the offer comes again elsewhere */
        o->judged = o->requester_judged = true;
        return;
    }
    check_layout(m);
    check_number(m);
    check_exclusive(m);
    check_cause(m);
    struct llc_open *rkey = llc_find(m->st, SMC_LLC_CONFIRM_RKEY, LLC_CLIENT, -1);
    o->crossed = rkey && m->ns < rkey->ns + LLC_REPLY;
    struct llc_add *a = &m->st->add;
    m->st->given_up = *a;
    memset(a, 0, sizeof *a);
    a->phase = LLC_ADD_OFFERED;
    a->initial = !m->g->late && m->st->adds == 0 && !m->st->data;
    a->v2 = m->info.version == 2;
    a->number = m->info.link_number;
    a->frame = m->frame;
    a->ns = m->ns;
    a->carrier = m->link;
    m->st->adds++;
    if (!a->v2)
        return;
    llc_check_rtokens(m);
    unsigned be = m->len >= 72 && smc_view_len(m->e->bytes) >= 72 ? (unsigned)smc_load_be(m->e->bytes.p + 70, 2) : 0;
    if (m->info.has_ext && m->info.count > m->info.nrtokens && be != 0xffff)
        m->st->odd[m->side] = (struct llc_odd){true, REQ_LLC_076, m->frame};
}

static void check_reject_v2(struct llc_msg *m, const struct llc_open *o)
{
    /* Reserved bytes 10, 11 and 36..43 may hold anything. */
    bool echo = memcmp(o->body + 4, m->body + 4, 6) == 0 && memcmp(o->body + 12, m->body + 12, 24) == 0;
    bool bare = (m->body[3] & 0x3f) == 0;
    if (judge_holds(m->j, REQ_LLC_077, echo && bare))
        return;
    if (!bare)
        LLC_REPORT(m, REQ_LLC_077, m->side, 3, o->frame, NULL, JT("flags 0x%02x", m->body[3]), "0xc0", "the reject carries more than the flag");
    else
        LLC_REPORT(m, REQ_LLC_077, m->side, 4, o->frame, NULL, JHEX(m->body + 4, 32), JHEX(o->body + 4, 32),
                   "the reject does not repeat the request");
}

static void add_link_rejected(struct llc_msg *m, const struct llc_open *o, bool mtu_ok)
{
    uint8_t reason = m->info.reject_reason;
    if (m->info.version == 2) {
        check_reject_v2(m, o);
        return;
    }
    if (!mtu_ok && reason == SMC_LLC_REJECT_NO_ALT_PATH) {
        judge_holds(m->j, REQ_LLC_024, false);
        LLC_REPORT(m, REQ_LLC_024, m->side, 2, o->frame, "A-18", "reason 1", "reason 2", "a reserved MTU is refused with reason 1");
        return;
    }
    bool ok = reason == SMC_LLC_REJECT_NO_ALT_PATH || (reason == SMC_LLC_REJECT_INVALID_MTU && !mtu_ok);
    if (!judge_holds(m->j, REQ_LLC_023, ok))
        LLC_REPORT(m, REQ_LLC_023, m->side, 2, o->frame, NULL, JT("reason %u", reason), "reason 1, no alternate path",
                   "ADD LINK is rejected with a wrong reason");
}

/* Which kind of link the client has accepted. What stands since the offer was not there when the client had it: links are added one at a
 * time, so the offer was given up meanwhile, and the answer waited in a queue. */
static void check_path(struct llc_msg *m, const struct llc_open *o)
{
    struct smc_llc_add_link request = {o->body};
    const uint8_t *smac = smc_llc_add_link_mac(request), *sgid = smc_llc_add_link_gid(request);
    bool asymmetric = false;
    struct kinds k;
    if (!classify(m->g, o->frame, &k))
        return;
    for (unsigned i = 0; i < k.n; i++) {
        const struct trace_link *l = k.link[i];
        bool server = same_rnic(l, LLC_SERVER, smac), client = same_rnic(l, LLC_CLIENT, m->info.mac);
        bool parallel = server && client && memcmp(l->end[LLC_SERVER].gid, sgid, 16) == 0 && memcmp(l->end[LLC_CLIENT].gid, m->info.gid, 16) == 0;
        if (!judge_holds(m->j, REQ_LLC_017, !parallel))
            LLC_REPORT(m, REQ_LLC_017, m->side, 4, o->frame, NULL, JT("the RNICs of link %u", l->number), "reject, reason 1",
                       "the client accepts a parallel link");
        asymmetric = asymmetric || ((server || client) && !k.asymmetric[i]);
    }
    if (asymmetric) {
        if (!judge_holds(m->j, REQ_LLC_016, k.symmetric == k.n))
            LLC_REPORT(m, REQ_LLC_016, LLC_SERVER, -1, o->frame, NULL, "another asymmetric link", "at most one", "a second asymmetric link is added");
    } else if (m->g->max_links && !judge_holds(m->j, REQ_LLC_015, k.symmetric < m->g->max_links)) {
        LLC_REPORT(m, REQ_LLC_015, LLC_SERVER, -1, o->frame, NULL, JT("link %u", k.symmetric + 1), JT("at most %u", m->g->max_links),
                   "more symmetric links are added than were agreed");
    }
}

/* The server answers a client's ADD LINK instead of acting on it or leaving it. */
static void server_answers_add(struct llc_msg *m, const struct llc_open *o)
{
    enum judge_req req = o->during_add ? REQ_LLC_045 : o->at_max ? REQ_LLC_026 : REQ_LLC_028;
    judge_holds(m->j, req, false);
    LLC_REPORT(m, req, m->side, 3, o->frame, NULL, "a response of the server", o->during_add || o->at_max ? "no answer" : "ADD LINK by the server",
               "the server answers the client's ADD LINK");
}

void llc_add_link_response(struct llc_msg *m, struct llc_open *o)
{
    struct smc_llc_add_link request = {o->body};
    struct llc_add *a = &m->st->add;
    if (m->side == LLC_SERVER) {
        server_answers_add(m, o);
        return;
    }
    if (o->crossed)
        judge_holds(m->j, REQ_LLC_049, true);
    uint8_t mtu = smc_llc_add_link_mtu(request);
    bool mtu_ok = smc_clc_mtu_bytes(mtu) != 0, reject = m->info.reject;
    if (!judge_holds(m->j, REQ_LLC_024, mtu_ok || reject))
        LLC_REPORT(m, REQ_LLC_024, m->side, 3, o->frame, NULL, JT("MTU code %u accepted", mtu), "reject, reason 2", "ADD LINK with a reserved MTU is accepted");
    if (reject)
        add_link_rejected(m, o, mtu_ok);
    else
        check_path(m, o);
    if (a->phase == LLC_ADD_NONE || a->number != o->number)
        return;
    if (reject) {
        end_of_add(m);
        return;
    }
    a->phase = LLC_ADD_ANSWERED;
    a->answer_ns = m->ns;
    if (a->v2)
        llc_check_rtokens(m);
}

/* ---- ADD LINK CONTINUATION ---- */

/* The exchange that the message belongs to, or NULL. Until the client answers an offer it may still be with the one before, which
 * the server has given up: that message names the earlier link. */
static struct llc_add *exchange_of(const struct llc_msg *m)
{
    struct llc_add *a = &m->st->add, *old = &m->st->given_up;
    uint8_t n = m->info.link_number;
    if (a->phase == LLC_ADD_OFFERED && n != a->number && llc_bit(m->st->offered, n))
        return old->number == n ? old : NULL;
    return a->phase == LLC_ADD_NONE ? NULL : a;
}

void llc_continuation(struct llc_msg *m)
{
    struct llc_add *a = exchange_of(m);
    if (!a || a->v2 || a->carrier != m->link)
        return;
    if (m->side == LLC_CLIENT && a->cont[LLC_SERVER])
        judge_holds(m->j, REQ_LLC_029, true);
    else if (m->side == LLC_CLIENT) {
        struct judge_case c = {.req = REQ_LLC_029, .side = m->side, .frame = m->frame, .related = {a->frame}, .group = m->g, .offset = 0};
        llc_later(m->st, &c, m->link->end[LLC_SERVER].tx, "a continuation of the client", "the server begins",
                  "the client begins to exchange RTokens");
    }
    bool fits = !a->cont[m->side] || m->info.count == a->left[m->side];
    if (!judge_holds(m->j, REQ_LLC_030, fits))
        LLC_REPORT(m, REQ_LLC_030, m->side, 5, a->cont_frame[m->side], NULL, JT("%u", m->info.count), JT("%u", a->left[m->side]),
                   "the count of the continuation does not follow from the one before");
    a->cont[m->side] = true;
    a->cont_frame[m->side] = m->frame;
    a->left[m->side] = m->info.count > 2 ? m->info.count - 2 : 0;
    llc_check_rtokens(m);
}
