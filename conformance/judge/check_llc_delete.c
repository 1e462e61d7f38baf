/* LLC: DELETE LINK, of one link and of all, and the client's REQUEST ADD LINK.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "check_llc.h"

#define NEW_LINK (50 * LLC_MS) /* a response may have stood so long in a queue */

/* ---- the whole group ---- */

/* [LLC-085] only where no RFC applies; the server's answer to the client's own request is orderly. */
static void check_termination(struct llc_msg *m)
{
    if (m->info.version != 2)
        return;
    uint32_t reason = m->info.reason;
    bool known = reason == SMC_LLC_DEL_PROGRAM || reason == SMC_LLC_DEL_OPERATOR || reason == SMC_LLC_DEL_PROT_VIOL ||
                 reason == SMC_LLC_DEL_LOST_PATH;
    bool answer = m->side == LLC_CLIENT || m->st->all_frame[LLC_CLIENT];
    if (judge_holds(m->j, REQ_LLC_085, known && (answer || !m->info.orderly)))
        return;
    if (!known)
        LLC_REPORT(m, REQ_LLC_085, m->side, 5, 0, NULL, JT("reason 0x%08x", reason), "0x00030000, or why the group ends",
                   "DELETE LINK of the whole group with a reason that is none for it");
    else
        LLC_REPORT(m, REQ_LLC_085, m->side, 3, 0, NULL, "orderly", "not orderly", "the group is ended, yet DELETE LINK says orderly");
}

static void delete_all(struct llc_msg *m)
{
    struct llc_group *st = m->st;
    if (!judge_holds(m->j, REQ_LLC_034, m->info.link_number == 0))
        LLC_REPORT(m, REQ_LLC_034, m->side, 4, 0, NULL, JT("link number %u", m->info.link_number), "0", "DELETE LINK of all links names one");
    check_termination(m);
    if (!st->all_ns[m->side]) {
        st->all_ns[m->side] = m->ns;
        st->all_frame[m->side] = m->frame;
    }
    st->add.phase = LLC_ADD_NONE;
    memset(st->live, 0, sizeof st->live);
    if (m->side != LLC_SERVER)
        return;
    struct llc_open *ask;
    while ((ask = llc_find(st, SMC_LLC_DELETE_LINK, LLC_CLIENT, -1))) {
        ask->answered = true;
        if (ask->all)
            judge_holds(m->j, REQ_LLC_039, true);
    }
}

/* ---- one link ---- */

/* [LLC-018] Once two symmetric links stand, the asymmetric one goes because it is not needed. */
static void check_asymmetric(struct llc_msg *m)
{
    struct trace_link *l = trace_link_by_number(m->g, m->info.link_number);
    unsigned symmetric = llc_symmetric_links(m->g);
    if (!l || l->state != TRACE_LINK_ACTIVE || symmetric < 2 || !llc_link_asymmetric(m->g, l))
        return;
    uint32_t reason = m->info.reason;
    bool ok = reason == SMC_LLC_DEL_NO_ASYM_NEEDED || reason == SMC_LLC_DEL_LOST_PATH || reason == SMC_LLC_DEL_PROT_VIOL;
    if (!judge_holds(m->j, REQ_LLC_018, ok))
        LLC_REPORT(m, REQ_LLC_018, m->side, 5, 0, NULL, JT("reason 0x%08x", reason), "0x00050000",
                   "the asymmetric link is deleted with another reason than that it is not needed");
}

/* May another link have failed for the server, whose turn comes first? If the client's is served then, silence tells. It is none of those that
 * have just carried the two requests; but who asks over the very link that the client wants deleted, and not at once, has not heard of that:
 * the link that brought it failed. */
static bool own_loss(const struct llc_msg *m, const struct llc_open *ask)
{
    bool unheard = ask->number == m->link->number && m->ns > ask->delivered_ns + LLC_AT_ONCE;
    return m->link->number != m->info.link_number && (unheard || ask->link->number != m->info.link_number);
}

/* A DELETE LINK of the client that this request of the server serves, or should have served. */
static void serve_client(struct llc_msg *m)
{
    struct llc_open *ask = llc_find(m->st, SMC_LLC_DELETE_LINK, LLC_CLIENT, m->info.link_number);
    if (ask) {
        ask->answered = true;
        judge_holds(m->j, ask->v2 ? REQ_LLC_084 : ask->orderly ? REQ_LLC_041 : REQ_LLC_040, true);
        return;
    }
    ask = llc_find(m->st, SMC_LLC_DELETE_LINK, LLC_CLIENT, -1);
    if (!ask || ask->all || !ask->v2 || !ask->delivered || m->ns > ask->ns + LLC_REPLY)
        return;
    bool forwarded = !own_loss(m, ask) && ask->reason == m->info.reason && ask->orderly == m->info.orderly;
    if (!judge_holds(m->j, REQ_LLC_084, !forwarded))
        LLC_REPORT(m, REQ_LLC_084, m->side, 4, ask->frame, NULL, JT("link %u", m->info.link_number), JT("link %u", ask->number),
                   "the server forwards the client's DELETE LINK for another link");
}

/* The server sent CONFIRM LINK again and again, or just now: it may be the acknowledgements, and the response, that were lost, or stood
 * behind data when the link failed. */
static bool may_be_confirmed(struct llc_group *st, int number, uint64_t ns)
{
    const struct llc_open *o = llc_find(st, SMC_LLC_CONFIRM_LINK, LLC_SERVER, number);
    return o && (o->delivered || (o->stream && o->stream->duplicates > 0) || ns < o->ns + LLC_REPLY);
}

/* DELETE LINK while a link is being added: it ends the adding if it is about that link, else it has to wait. */
static void check_during_add(struct llc_msg *m, struct llc_open *o)
{
    struct llc_add *a = &m->st->add;
    if (a->phase == LLC_ADD_NONE)
        return;
    if (a->number == m->info.link_number) {
        o->in_add = a->phase != LLC_ADD_OFFERED && !may_be_confirmed(m->st, a->number, m->ns);
        a->phase = LLC_ADD_NONE;
        return;
    }
    if (m->link != a->carrier || m->ns > a->ns + LLC_NEW_LINK)
        return; /* the carrying link may have failed, or the adding */
    struct llc_open *ask = llc_find(m->st, SMC_LLC_DELETE_LINK, LLC_CLIENT, m->info.link_number);
    if (a->phase == LLC_ADD_ANSWERED) { /* it may be over where the capture does not look: see CONFIRM LINK */
        a->early_frame = m->frame;
        a->early_served = ask && ask->during_add;
        return;
    }
    enum judge_req req = ask && ask->during_add ? REQ_LLC_046 : REQ_LLC_043;
    judge_holds(m->j, req, false);
    LLC_REPORT(m, req, m->side, -1, a->frame, NULL, "DELETE LINK", "no exchange before ADD LINK is over",
               "DELETE LINK of link %u is sent while link %u is being added", m->info.link_number, a->number);
}

static void client_deletes(struct llc_msg *m, struct llc_open *o)
{
    struct llc_add *a = &m->st->add;
    if (a->phase != LLC_ADD_NONE && a->number == m->info.link_number) {
        a->phase = LLC_ADD_NONE; /* the client gave the new link up */
    } else if (a->phase != LLC_ADD_NONE && a->carrier == m->link) {
        o->during_add = true;
        o->second = a->waiting++ > 0;
    }
    /* The server's own request may have crossed it: the client answers that after it gave the link up. */
    for (unsigned i = 0; i < LLC_OPENS; i++) {
        struct llc_open *d = &m->st->opens[i];
        if (d->kind == SMC_LLC_DELETE_LINK && d->side == LLC_SERVER && d->number == o->number && m->ns < d->ns + LLC_NEW_LINK) {
            o->answered = true;
            d->in_add = false;
        }
    }
}

/* What is asked for again on another link is no longer waited for on the first one [LLC-066]. Was a link that is up asked for, and not answered? */
static bool still_asked(struct llc_group *st, const struct llc_open *o)
{
    bool asked = false;
    for (unsigned i = 0; i < LLC_OPENS; i++) {
        struct llc_open *d = &st->opens[i];
        if (d == o || d->kind != SMC_LLC_DELETE_LINK || d->side != LLC_SERVER || d->number != o->number)
            continue;
        asked = asked || (d->live && !d->answered && !d->over);
        d->judged = d->requester_judged = d->over = true;
    }
    return asked;
}

/* One answer ends the exchange: what was asked over another link before, or waits there in a queue, is not answered any more, or late. */
static void all_over(struct llc_group *st, const struct llc_open *o)
{
    for (unsigned i = 0; i < LLC_OPENS; i++) {
        struct llc_open *d = &st->opens[i];
        if (d->kind == SMC_LLC_DELETE_LINK && d->side == LLC_SERVER && d->number == o->number && !d->all)
            d->over = true;
    }
}

/* So young that the server may not have had the response to its CONFIRM LINK when it failed: then it was still being added. */
static bool just_confirmed(const struct llc_msg *m, uint8_t number)
{
    const struct trace_link *l = trace_link_by_number(m->g, number);
    return l && l->active_ns && !l->first && m->ns < l->active_ns + NEW_LINK;
}

void llc_delete_link_request(struct llc_msg *m, struct llc_open *o)
{
    m->st->delete_ns = m->ns;
    if (m->info.all) {
        delete_all(m);
        return;
    }
    if (m->side == LLC_CLIENT) {
        struct llc_open *add = llc_find(m->st, SMC_LLC_ADD_LINK, LLC_SERVER, o->number);
        if (add && o->reason == SMC_LLC_DEL_LOST_PATH) /* its RNIC failed meanwhile: that is its answer to the offer [LLC-049] */
            add->crossed = false;
        client_deletes(m, o);
        return;
    }
    bool running = still_asked(m->st, o);
    check_asymmetric(m);
    check_during_add(m, o);
    serve_client(m);
    o->live = running || llc_bit(m->st->live, o->number);
    o->young = !running && just_confirmed(m, o->number);
    o->known = llc_bit(m->st->used, o->number) || llc_bit(m->st->offered, o->number);
    llc_bit_set(m->st->live, o->number, false);
}

/* [LLC-037] Was no link of this number ever there? An offer that waited in the queue of another link may have come after the request. */
static bool unknown_link(const struct llc_msg *m, const struct llc_open *o)
{
    return llc_complete(m->g) && llc_sure(m->st, m->g, m->ns) && !o->known && !llc_bit(m->st->offered, o->number);
}

void llc_delete_link_response(struct llc_msg *m, struct llc_open *o)
{
    struct judge *j = m->j;
    if (!judge_holds(j, REQ_LLC_041, m->side == LLC_CLIENT)) {
        LLC_REPORT(m, REQ_LLC_041, m->side, 3, o->frame, NULL, "a response of the server", "a DELETE LINK request of the server",
                   "the server answers the client's DELETE LINK instead of starting the exchange");
        return;
    }
    judge_holds(j, REQ_LLC_035, true);
    if (!o->all && unknown_link(m, o) && !judge_holds(j, REQ_LLC_037, m->info.reason == SMC_LLC_DEL_UNKNOWN_LINK))
        LLC_REPORT(m, REQ_LLC_037, m->side, 5, o->frame, NULL, JT("reason 0x%08x", m->info.reason), "0x00100000, unknown link",
                   "DELETE LINK for link %u, which does not exist, is answered with another reason", o->number);
    bool given_back = m->info.reason == o->reason || m->info.reason == SMC_LLC_DEL_UNKNOWN_LINK;
    if (o->in_add && m->info.version == 2 && !judge_holds(j, REQ_LLC_083, given_back))
        LLC_REPORT(m, REQ_LLC_083, m->side, 5, o->frame, NULL, JT("reason 0x%08x", m->info.reason), JT("0x%08x", o->reason),
                   "DELETE LINK instead of CONFIRM LINK is not returned as it is");
    if (!o->all) {
        all_over(m->st, o);
        llc_bit_set(m->st->used, o->number, true);
        llc_bit_set(m->st->live, o->number, false);
    }
}

/* ---- REQUEST ADD LINK ---- */

void llc_request_add_link(struct llc_msg *m, struct llc_open *o)
{
    if (!judge_holds(m->j, REQ_LLC_078, m->side == LLC_CLIENT)) {
        LLC_REPORT(m, REQ_LLC_078, m->side, 0, 0, NULL, "REQUEST ADD LINK of the server", "only a client sends it", "REQUEST ADD LINK from the wrong side");
        o->judged = true;
        return;
    }
    if (m->st->add.phase != LLC_ADD_NONE) /* they cross: what is under way is the answer [LLC-045] */
        o->judged = true;
    unsigned count = m->body[24];
    bool fits = m->len == 28 + 16 * (size_t)count;
    if (!judge_holds(m->j, REQ_LLC_072, fits))
        LLC_REPORT(m, REQ_LLC_072, m->side, 24, 0, NULL, JT("%u GIDs in %zu bytes", count, m->len), "as many GIDs as the count says",
                   "the list of GIDs does not have the announced length");
    bool grows = !(llc_complete(m->g) && llc_at_max(m->g));
    if (judge_holds(m->j, REQ_LLC_080, grows && (!fits || count >= 2)))
        return;
    LLC_REPORT(m, REQ_LLC_080, m->side, grows ? 24 : -1, 0, NULL, grows ? JT("%u GIDs", count) : JT("%u links", m->g->max_links),
               grows ? "at least two GIDs" : "a group that may grow", "REQUEST ADD LINK although no link can be added");
}

void llc_request_add_link_response(struct llc_msg *m)
{
    static const uint8_t zero[LLC_BODY];
    bool empty = memcmp(m->body + 4, zero, LLC_BODY - 4) == 0 && m->len == LLC_BODY;
    if (!judge_holds(m->j, REQ_LLC_078, empty))
        LLC_REPORT(m, REQ_LLC_078, m->side, 4, 0, NULL, JHEX(m->body + 4, 40), "44 bytes, zero behind the header",
                   "the response to REQUEST ADD LINK carries something");
}
