/* LLC: which response belongs to which request, what came too late or not at all, and what must not run at once.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "check_llc.h"

static bool psn_reached(uint32_t acked, uint32_t psn)
{
    return ((acked - psn) & 0xffffff) < 0x800000;
}

/* ---- the table of requests ---- */

static struct llc_open *free_slot(struct llc_group *st, uint64_t ns)
{
    struct llc_open *oldest = NULL, *done = NULL;
    for (unsigned i = 0; i < LLC_OPENS; i++) {
        struct llc_open *o = &st->opens[i];
        if (!o->kind)
            return o;
        if (!oldest || o->ns < oldest->ns)
            oldest = o;
        if (o->answered && (!done || o->ns < done->ns))
            done = o;
    }
    if (!done)
        st->forgot_ns = ns;
    return done ? done : oldest;
}

/* How long the peer has for its answer, or what it has to do instead; 0: silence is not judged. */
static uint64_t deadline(const struct llc_open *o)
{
    switch (o->kind) {
    case SMC_LLC_TEST_LINK:
        return LLC_REPLY;
    case SMC_LLC_DELETE_LINK:
        if (o->side == LLC_SERVER)
            return o->all ? 0 : LLC_REPLY_SLOW;
        return o->all ? LLC_REPLY : LLC_ACTION;
    case SMC_LLC_ADD_LINK:
        return o->side == LLC_SERVER ? LLC_REPLY : LLC_NEW_LINK;
    case SMC_LLC_REQ_ADD_LINK:
        return LLC_NEW_LINK;
    case SMC_LLC_CONFIRM_RKEY:
    case SMC_LLC_DELETE_RKEY:
        return LLC_ACTION;
    default:
        return 0;
    }
}

static struct llc_open *open_request(struct llc_msg *m)
{
    const struct trace_stream *s = m->e->stream;
    struct llc_open *o = free_slot(m->st, m->ns);
    memset(o, 0, sizeof *o);
    o->kind = m->info.type;
    o->side = (uint8_t)m->side;
    o->number = m->info.link_number;
    o->all = m->info.all;
    o->orderly = m->info.orderly;
    o->reason = m->info.reason;
    o->v2 = m->info.version == 2;
    o->link = m->link;
    o->stream = s;
    o->psn = m->e->request->psn;
    o->frame = m->frame;
    o->ns = m->ns;
    memcpy(o->body, m->body, sizeof o->body);
    o->judged = deadline(o) == 0;
    o->requester_judged = o->kind != SMC_LLC_TEST_LINK && o->kind != SMC_LLC_DELETE_LINK;
    m->st->quiet = false;
    if (s && s->has_acked && psn_reached(s->acked_psn, o->psn)) {
        o->delivered = true;
        o->delivered_ns = m->ns;
    }
    return o;
}

struct llc_open *llc_find(struct llc_group *st, uint8_t kind, int side, int number)
{
    struct llc_open *best = NULL;
    for (unsigned i = 0; i < LLC_OPENS; i++) {
        struct llc_open *o = &st->opens[i];
        if (o->kind == kind && o->side == side && !o->answered && !o->over && (number < 0 || o->number == number) &&
            (!best || o->ns >= best->ns))
            best = o;
    }
    return best;
}

void llc_delivered(struct llc_group *st, const struct trace_stream *s, uint32_t psn, uint64_t ns)
{
    for (unsigned i = 0; i < LLC_OPENS; i++) {
        struct llc_open *o = &st->opens[i];
        if (o->kind && !o->delivered && o->stream == s && psn_reached(psn, o->psn)) {
            o->delivered = true;
            o->delivered_ns = ns;
        }
    }
}

void llc_gap(struct llc_group *st, const struct trace_link *l, uint64_t ns)
{
    st->forgot_ns = ns ? ns : 1;
    st->add.phase = LLC_ADD_NONE;
    st->add.carrier = st->given_up.carrier = NULL; /* who has sent which continuation is not known any more */
    llc_rkey_gap(st);
    for (unsigned i = 0; i < LLC_OPENS; i++)
        if (st->opens[i].link == l || st->opens[i].kind == SMC_LLC_DELETE_LINK || st->opens[i].kind == SMC_LLC_ADD_LINK)
            st->opens[i].kind = 0;
}

bool llc_adding(const struct llc_group *st, uint64_t ns)
{
    const struct llc_add *a = &st->add;
    if (ns > a->ns + LLC_NEW_LINK)
        return false;
    /* Once all RTokens are exchanged CONFIRM LINK may run where the capture does not look. */
    return a->phase == LLC_ADD_OFFERED || a->phase == LLC_ADD_CONFIRMING ||
           (a->phase == LLC_ADD_ANSWERED && !a->v2 && (!a->cont[0] || !a->cont[1] || a->left[0] || a->left[1]));
}

/* ---- matching ---- */

/* Do the fields that name the subject agree? */
static bool same_subject(const struct llc_open *o, const struct llc_msg *m)
{
    switch (o->kind) {
    case SMC_LLC_ADD_LINK:
    case SMC_LLC_DELETE_LINK:
        return o->number == m->info.link_number;
    case SMC_LLC_TEST_LINK:
        return memcmp(o->body + 4, m->body + 4, 16) == 0;
    case SMC_LLC_CONFIRM_RKEY:
    case SMC_LLC_CONFIRM_RKEY_CONT:
        return memcmp(o->body + 5, m->body + 5, 12) == 0;
    case SMC_LLC_DELETE_RKEY:
        return m->info.version == 2 || memcmp(o->body + 8, m->body + 8, 4) == 0;
    default:
        return true;
    }
}

/* How well a request fits a response; 0: not at all. Of equals the oldest. */
static unsigned fitness(const struct llc_open *o, const struct llc_msg *m)
{
    if (o->kind != m->info.type || o->side != m->peer)
        return 0;
    bool same_link = o->link == m->link, same = same_subject(o, m);
    if (!same_link && o->ns > m->ns + LLC_MS) /* held back for a gap, the response was sent before that request */
        return 0;
    if (o->answered)
        return same && same_link ? 1 : 0;
    return 2 + (same_link ? 4 : 0) + (same ? 2 : 0);
}

static struct llc_open *match(const struct llc_msg *m)
{
    struct llc_open *best = NULL;
    unsigned best_fit = 0;
    for (unsigned i = 0; i < LLC_OPENS; i++) {
        struct llc_open *o = &m->st->opens[i];
        unsigned fit = o->kind ? fitness(o, m) : 0;
        /* Of two open requests the older is meant, of two answered ones the newer. */
        if (fit > best_fit || (fit && fit == best_fit && (fit == 1 ? o->ns > best->ns : o->ns < best->ns))) {
            best = o;
            best_fit = fit;
        }
    }
    return best;
}

static void check_response_link(struct llc_msg *m, const struct llc_open *o)
{
    enum judge_req req = REQ_LLC_008;
    if (o->kind == SMC_LLC_TEST_LINK)
        req = REQ_LLC_007;
    if (o->kind == SMC_LLC_CONFIRM_LINK)
        return; /* judged by the link that it is about, check_llc_link.c */
    if (!judge_holds(m->j, req, o->link == m->link))
        LLC_REPORT(m, req, m->side, -1, o->frame, NULL, JT("a response over link %u", m->link->number),
                   JT("over link %u", o->link->number), "the response does not use the link of its request");
}

/* Linux, client: a reject behind the positive response, once setting up the link failed. */
static bool late_reject(const struct llc_msg *m, const struct llc_open *o)
{
    if (m->info.type != SMC_LLC_ADD_LINK || m->side != LLC_CLIENT || (m->body[3] & 0xff) != 0xc0)
        return false;
    if (m->info.version == 1 && m->info.reject_reason != SMC_LLC_REJECT_NO_ALT_PATH)
        return false;
    if (memcmp(o->body + 4, m->body + 4, LLC_BODY - 4) != 0)
        return false;
    for (unsigned i = 0; i < LLC_OPENS; i++) {
        const struct llc_open *d = &m->st->opens[i];
        if (d->kind == SMC_LLC_DELETE_LINK && d->number == o->number && !d->all && d->ns >= o->ns &&
            (d->side == LLC_CLIENT || d->answered))
            return true;
    }
    return false;
}

/* Each side has one RKEY exchange at a time: what was asked before the capture began was answered before this was asked. */
static bool only_one(const struct llc_msg *m, const struct llc_open *o)
{
    bool rkeys = o->kind == SMC_LLC_CONFIRM_RKEY || o->kind == SMC_LLC_DELETE_RKEY;
    return rkeys && o->link == m->link && !m->st->forgot_ns && !m->g->incomplete_ns;
}

static void second_response(struct llc_msg *m, const struct llc_open *o)
{
    if (late_reject(m, o)) {
        judge_holds(m->j, REQ_LLC_002, false);
        LLC_REPORT(m, REQ_LLC_002, m->side, 3, o->frame, "A-38", "ADD LINK rejected", "one response",
                   "the client rejects a link that it had accepted");
        return;
    }
    if (!llc_sure(m->st, m->g, m->ns) && !only_one(m, o))
        return;
    enum judge_req req = m->info.version == 2 ? REQ_LLC_082 : REQ_LLC_002;
    struct judge_case c = {.req = req, .side = m->side, .frame = m->frame, .related = {o->answer_frame}, .group = m->g, .offset = 3};
    llc_later(m->st, &c, m->link->end[m->peer].tx, "a second response", "one response to a request",
              JT("the request of frame %llu was answered before", (unsigned long long)o->frame));
}

/* A response of the wrong type answers the request whose body it repeats, in its way. */
static struct llc_open *wrong_type(const struct llc_msg *m)
{
    for (unsigned i = 0; i < LLC_OPENS; i++) {
        struct llc_open *o = &m->st->opens[i];
        if (o->kind && !o->answered && o->side == m->peer && o->link == m->link && o->kind != m->info.type &&
            memcmp(o->body + 4, m->body + 4, LLC_BODY - 4) == 0)
            return o;
    }
    return NULL;
}

static void stray_response(struct llc_msg *m)
{
    struct llc_open *o = wrong_type(m);
    if (o)
        o->answered = true;
    const struct trace_stream *asks = m->link->end[m->peer].tx;
    bool silent = !asks || !asks->first_frame; /* nothing of the peer on this link was captured: its request is missing */
    if (!o && (silent || !llc_sure(m->st, m->g, m->ns)))
        return;
    enum judge_req req = m->info.version == 2 && !o ? REQ_LLC_068 : REQ_LLC_002;
    if (m->info.type == SMC_LLC_REQ_ADD_LINK)
        req = REQ_LLC_078;
    if (!o) {
        struct judge_case c = {.req = req, .side = m->side, .frame = m->frame, .group = m->g, .offset = 3};
        llc_later(m->st, &c, asks, JT("response of type 0x%02x", m->body[0]), "no response without a request",
                  "a response that nobody asked for");
        return;
    }
    judge_holds(m->j, req, false);
    LLC_REPORT(m, req, m->side, 0, o->frame, NULL, JT("response of type 0x%02x", m->body[0]),
               JT("type 0x%02x as in the request", o->body[0]), "request and response differ in their type");
}

/* ---- requests ---- */

/* The reply to a request, but for the missing 0x80? */
static struct llc_open *echo_of(const struct llc_msg *m)
{
    for (unsigned i = 0; i < LLC_OPENS; i++) {
        struct llc_open *o = &m->st->opens[i];
        if (o->kind == m->info.type && o->side == m->peer && !o->answered && o->link == m->link &&
            memcmp(o->body + 4, m->body + 4, LLC_BODY - 4) == 0)
            return o;
    }
    return NULL;
}

static void report_no_bit(struct llc_msg *m, struct llc_open *o)
{
    o->answered = true;
    judge_holds(m->j, REQ_LLC_002, false);
    LLC_REPORT(m, REQ_LLC_002, m->side, 3, o->frame, NULL, JT("flags 0x%02x", m->body[3]), "flag 0x80 in a response",
               "the response is not marked as one");
}

/* An echo of keys that only the peer can own is a response without its flag; with TEST LINK it may be chance. */
static bool missing_bit(struct llc_msg *m)
{
    struct llc_open *o = NULL;
    if (m->info.type == SMC_LLC_CONFIRM_RKEY || m->info.type == SMC_LLC_CONFIRM_RKEY_CONT ||
        m->info.type == SMC_LLC_DELETE_RKEY)
        o = echo_of(m);
    if (m->info.type == SMC_LLC_ADD_LINK && m->side == LLC_CLIENT && m->info.qpn != 0 && m->info.link_number != 0)
        o = llc_find(m->st, SMC_LLC_ADD_LINK, LLC_SERVER, m->info.link_number);
    if (!o)
        return false;
    report_no_bit(m, o);
    if (m->info.type == SMC_LLC_ADD_LINK)
        llc_add_link_response(m, o);
    return true;
}

/* A TEST LINK reply that waits while its sender says other things was not sent at once [LLC-042]. */
static void count_later(struct llc_msg *m, const struct llc_open *except)
{
    for (unsigned i = 0; i < LLC_OPENS; i++) {
        struct llc_open *o = &m->st->opens[i];
        if (o->kind != SMC_LLC_TEST_LINK || o->side != m->peer || o->answered || o->judged || !o->delivered || o == except)
            continue;
        if (++o->later < 2 || m->ns < o->delivered_ns + 10 * LLC_MS)
            continue;
        o->judged = true;
        const struct trace_stream *answers = o->link ? o->link->end[m->side].tx : NULL;
        if (m->g->late && answers && answers->first_frame > o->frame) /* the answer may be older than what was captured */
            continue;
        struct judge_case c = {.req = REQ_LLC_042, .side = m->side, .frame = m->frame, .related = {o->frame}, .group = m->g, .offset = -1};
        llc_later(m->st, &c, answers, JT("%u other messages", o->later), "TEST LINK answered at once",
                  "TEST LINK is left unanswered while other messages are sent");
    }
}

/* [LLC-063] The requester goes on although the reply had other data. */
static void reply_taken(struct judge *j, struct trace_group *g, struct llc_group *st, const struct trace_link *l, int side, uint64_t frame)
{
    if (!st->wrong_reply.link || st->wrong_reply.link != l || st->wrong_reply.side != side)
        return;
    uint64_t reply = st->wrong_reply.frame;
    st->wrong_reply.link = NULL;
    judge_holds(j, REQ_LLC_063, false);
    judge_report(j, &(struct judge_case){.req = REQ_LLC_063, .side = side, .frame = frame, .related = {reply}, .group = g,
                                         .offset = -1, .deviation = "A-28"},
                 "the link is used on", "the link counts as failed", "a TEST LINK reply with other data is taken for good");
}

static void test_link_request(struct llc_msg *m, struct llc_open *o)
{
    struct llc_open *other = echo_of(m);
    if (other && other != o && m->ns < other->ns + LLC_REPLY) {
        other->mirrored = true;
        o->judged = o->requester_judged = true;
    }
    if (m->info.version != 2)
        return;
    /* The interval is a setting of whole seconds; a SEND that crosses on the wire proves nothing [LLC-086]. */
    struct llc_link *l = llc_link_state(m->link);
    if (!l)
        return;
    uint64_t *heard = l->send_ns[m->peer];
    uint64_t last = heard[0] + 5 * LLC_MS <= m->ns ? heard[0] : heard[1] + 5 * LLC_MS <= m->ns ? heard[1] : 0;
    if (last && !judge_holds(m->j, REQ_LLC_086, m->ns >= last + 900 * LLC_MS))
        LLC_REPORT(m, REQ_LLC_086, m->side, -1, 0, NULL, JT("%llu ms after a message of the peer", (unsigned long long)((m->ns - last) / LLC_MS)),
                   "nothing received for the interval", "TEST LINK on a link that is not idle");
}

void llc_request(struct llc_msg *m)
{
    count_later(m, NULL);
    if (m->info.type != SMC_LLC_DELETE_LINK)
        reply_taken(m->j, m->g, m->st, m->link, m->side, m->frame);
    if (m->info.type == SMC_LLC_ADD_LINK_CONT) {
        llc_continuation(m);
        return;
    }
    if (missing_bit(m))
        return;
    struct llc_open *o = open_request(m);
    switch (m->info.type) {
    case SMC_LLC_CONFIRM_LINK:
        llc_confirm_link_request(m);
        break;
    case SMC_LLC_ADD_LINK:
        llc_add_link_request(m, o);
        break;
    case SMC_LLC_DELETE_LINK:
        llc_delete_link_request(m, o);
        break;
    case SMC_LLC_REQ_ADD_LINK:
        llc_request_add_link(m, o);
        break;
    case SMC_LLC_CONFIRM_RKEY:
        llc_confirm_rkey_request(m, o);
        break;
    case SMC_LLC_CONFIRM_RKEY_CONT:
        llc_rkey_continuation(m);
        break;
    case SMC_LLC_DELETE_RKEY:
        llc_delete_rkey_request(m, o);
        break;
    case SMC_LLC_TEST_LINK:
        test_link_request(m, o);
        break;
    }
}

/* ---- responses ---- */

static void test_link_response(struct llc_msg *m, const struct llc_open *o)
{
    judge_holds(m->j, REQ_LLC_042, true);
    bool same = memcmp(o->body + 4, m->body + 4, 16) == 0;
    if (judge_holds(m->j, REQ_LLC_062, same))
        return;
    LLC_REPORT(m, REQ_LLC_062, m->side, 4, o->frame, NULL, JHEX(m->body + 4, 16), JHEX(o->body + 4, 16),
               "the TEST LINK reply does not return the data of the request");
    m->st->wrong_reply.link = o->link;
    m->st->wrong_reply.side = o->side;
    m->st->wrong_reply.frame = m->frame;
}

static void settle_response(struct llc_msg *m, struct llc_open *o)
{
    switch (m->info.type) {
    case SMC_LLC_CONFIRM_LINK:
        llc_confirm_link_response(m, o);
        break;
    case SMC_LLC_ADD_LINK:
        llc_add_link_response(m, o);
        break;
    case SMC_LLC_DELETE_LINK:
        llc_delete_link_response(m, o);
        break;
    case SMC_LLC_REQ_ADD_LINK:
        llc_request_add_link_response(m);
        break;
    case SMC_LLC_CONFIRM_RKEY:
    case SMC_LLC_CONFIRM_RKEY_CONT:
        llc_confirm_rkey_response(m, o);
        break;
    case SMC_LLC_DELETE_RKEY:
        llc_delete_rkey_response(m, o);
        break;
    case SMC_LLC_TEST_LINK:
        test_link_response(m, o);
        break;
    }
}

void llc_response(struct llc_msg *m)
{
    if (m->info.type == SMC_LLC_ADD_LINK_CONT) {
        count_later(m, NULL);
        llc_continuation(m);
        return;
    }
    struct llc_open *o = match(m);
    count_later(m, o);
    if (!o) {
        stray_response(m);
        return;
    }
    if (o->link != m->link && o->kind != SMC_LLC_CONFIRM_LINK && !llc_sure(m->st, m->g, m->ns))
        return; /* the request over this link may be missing */
    if (o->answered) {
        second_response(m, o);
        return;
    }
    judge_holds(m->j, REQ_LLC_002, true);
    if (m->info.version == 2) {
        judge_holds(m->j, REQ_LLC_068, true);
        judge_holds(m->j, REQ_LLC_082, true);
    }
    check_response_link(m, o);
    o->answered = true;
    o->answer_frame = m->frame;
    o->answer_ns = m->ns;
    settle_response(m, o);
}

/* ---- silence ---- */

static void test_link_silence(struct judge *j, struct trace_group *g, struct llc_open *o, int side)
{
    enum judge_req req = o->mirrored ? REQ_LLC_002 : REQ_LLC_042;
    judge_holds(j, req, false);
    LLC_ABSENT(j, g, req, side, o->frame, NULL, o->mirrored ? "the same message, not marked as a response" : "no reply",
               "a reply at once", "TEST LINK is not answered although the link goes on");
}

/* The client gave up waiting for CONFIRM LINK and said so by its own request. */
static bool client_gave_up(const struct llc_group *st, const struct llc_open *o)
{
    for (unsigned i = 0; i < LLC_OPENS; i++) {
        const struct llc_open *d = &st->opens[i];
        if (d->kind == SMC_LLC_DELETE_LINK && d->side == LLC_CLIENT && !d->all && d->number == o->number && !d->orderly &&
            d->reason == SMC_LLC_DEL_LOST_PATH && d->ns <= o->ns + LLC_NEW_LINK && d->ns + 2 * LLC_NEW_LINK >= o->ns)
            return true;
    }
    return false;
}

static void delete_silence_client(struct judge *j, struct trace_group *g, struct llc_group *st, struct llc_open *o)
{
    bool gave_up = !o->live && client_gave_up(st, o);
    judge_holds(j, REQ_LLC_035, false);
    LLC_ABSENT(j, g, REQ_LLC_035, LLC_CLIENT, o->frame, gave_up ? "A-48" : NULL, "no response", "a response of the client",
               "DELETE LINK for link %u is not answered although the link that carried it goes on", o->number);
}

static void delete_silence_server(struct judge *j, struct trace_group *g, struct llc_open *o)
{
    enum judge_req req = o->v2 ? REQ_LLC_084 : o->orderly ? REQ_LLC_041 : REQ_LLC_040;
    const char *deviation = NULL;
    if (o->during_add) {
        req = REQ_LLC_046;
        deviation = o->second ? "A-15" : NULL;
    }
    if (o->all)
        req = REQ_LLC_039;
    judge_holds(j, req, false);
    LLC_ABSENT(j, g, req, LLC_SERVER, o->frame, deviation, "no request of the server", "DELETE LINK by the server",
               "the client's DELETE LINK is not served");
    if (o->v2 && !o->all && !o->orderly && !o->during_add) {
        judge_holds(j, REQ_LLC_040, false);
        LLC_ABSENT(j, g, REQ_LLC_040, LLC_SERVER, o->frame, NULL, "no request of the server", "DELETE LINK by the server at once",
                   "the client's disorderly DELETE LINK is not served");
    }
}

static void add_silence(struct judge *j, struct trace_group *g, struct llc_open *o)
{
    if (!o->crossed)
        return;
    judge_holds(j, REQ_LLC_049, false);
    LLC_ABSENT(j, g, REQ_LLC_049, LLC_CLIENT, o->frame, NULL, "no response", "ADD LINK is processed, CONFIRM RKEY later repeated",
               "the client leaves ADD LINK unanswered while its CONFIRM RKEY is open");
}

static void ask_silence(struct judge *j, struct trace_group *g, struct llc_group *st, struct llc_open *o)
{
    /* A group that has just lost a link may be busy setting up another one. */
    if (st->delete_ns && o->ns < st->delete_ns + LLC_SETTLE)
        return;
    bool v2 = o->kind == SMC_LLC_REQ_ADD_LINK;
    enum judge_req req = v2 ? REQ_LLC_078 : REQ_LLC_028;
    if (!v2 && llc_active_links(g) != 1)
        return;
    judge_holds(j, req, false);
    LLC_ABSENT(j, g, req, LLC_SERVER, o->frame, NULL, "neither ADD LINK nor a response", v2 ? "ADD LINK or a response" : "ADD LINK",
               "the client's request for another link is ignored");
}

static void rkey_silence(struct judge *j, struct trace_group *g, struct llc_open *o, int side)
{
    enum judge_req req = o->kind == SMC_LLC_CONFIRM_RKEY ? REQ_LLC_051 : o->v2 ? REQ_LLC_081 : REQ_LLC_059;
    judge_holds(j, req, false);
    LLC_ABSENT(j, g, req, side, o->frame, NULL, "no response", "a response", "%s is not answered although the link goes on",
               o->kind == SMC_LLC_CONFIRM_RKEY ? "CONFIRM RKEY" : "DELETE RKEY");
}

/* `side`, who should have answered, was alive on the link after the deadline. */
static void judge_responder(struct judge *j, struct trace_group *g, struct llc_group *st, struct llc_open *o, int side)
{
    o->judged = true;
    bool asks = o->side == LLC_CLIENT && (o->kind == SMC_LLC_ADD_LINK || o->kind == SMC_LLC_DELETE_LINK || o->kind == SMC_LLC_REQ_ADD_LINK);
    if (asks && (!llc_all_links_seen(st, g) || (st->forgot_ns && o->ns < st->forgot_ns)))
        return; /* the server may have acted where the capture does not look */
    switch (o->kind) {
    case SMC_LLC_TEST_LINK:
        test_link_silence(j, g, o, side);
        break;
    case SMC_LLC_DELETE_LINK:
        if (o->side == LLC_SERVER)
            delete_silence_client(j, g, st, o);
        else
            delete_silence_server(j, g, o);
        break;
    case SMC_LLC_ADD_LINK:
        if (o->side == LLC_SERVER)
            add_silence(j, g, o);
        else
            ask_silence(j, g, st, o);
        break;
    case SMC_LLC_REQ_ADD_LINK:
        ask_silence(j, g, st, o);
        break;
    default:
        rkey_silence(j, g, o, side);
        break;
    }
}

/* Who asked and got no answer uses the link on. */
static void judge_requester(struct judge *j, struct trace_group *g, struct llc_open *o, uint64_t frame, uint64_t ns)
{
    struct judge_case c = {.side = o->side, .frame = frame, .related = {o->frame}, .group = g, .offset = -1};
    if (o->kind == SMC_LLC_TEST_LINK && ns >= o->ns + LLC_NEW_LINK) {
        o->requester_judged = true;
        c.req = REQ_FAILOVER_011;
        judge_holds(j, c.req, false);
        judge_report(j, &c, "the link is used on", "failover, or reset if it was the last link",
                     "TEST LINK was not answered and its sender goes on with the link");
    }
    if (o->kind == SMC_LLC_DELETE_LINK && o->side == LLC_SERVER && !o->all && ns >= o->ns + LLC_REPLY_SLOW) {
        o->requester_judged = true;
        c.req = REQ_LLC_066;
        c.deviation = "A-40";
        judge_holds(j, c.req, false);
        judge_report(j, &c, "the carrying link is used on", "DELETE LINK again over another link, for both links",
                     "DELETE LINK was not answered and the link that carried it counts as good");
    }
}

static void tick_open(struct judge *j, struct trace_group *g, struct llc_group *st, struct llc_open *o, struct trace_link *l,
                      int side, uint64_t frame, uint64_t ns)
{
    bool same_link = o->link == l;
    if (o->side == side) {
        if (same_link && !o->requester_judged)
            judge_requester(j, g, o, frame, ns);
        return;
    }
    uint64_t wait = deadline(o);
    const struct trace_stream *answers = o->link ? o->link->end[side].tx : NULL;
    bool older = g->late && answers && answers->first_frame > o->frame; /* the answer may be older than what was captured of its side */
    if (wait && same_link && o->delivered && !o->judged && !older && ns >= o->ns + wait)
        judge_responder(j, g, st, o, side);
}

void llc_tick(struct judge *j, struct trace_group *g, struct trace_link *l, int side, uint64_t frame, uint64_t ns)
{
    struct llc_group *st = llc_group_state(g);
    if (!st)
        return;
    llc_rkey_tick(j, g, l, side, ns);
    if (st->quiet)
        return;
    st->quiet = true;
    for (unsigned i = 0; i < LLC_OPENS; i++) {
        struct llc_open *o = &st->opens[i];
        if (!o->kind || o->answered || (o->judged && o->requester_judged) || ns > o->ns + 2 * LLC_SETTLE)
            continue;
        st->quiet = false;
        tick_open(j, g, st, o, l, side, frame, ns);
    }
}

/* ---- data ---- */

/* [LLC-021] The second link of a first contact is offered and neither accepted nor refused. */
static void check_settled(struct trace_group *g, struct llc_group *st, int side, uint64_t frame, uint64_t ns)
{
    struct llc_add *a = &st->add;
    if (a->phase != LLC_ADD_OFFERED || !a->initial || a->told || ns >= a->ns + LLC_REPLY)
        return;
    struct llc_open *o = llc_find(st, SMC_LLC_ADD_LINK, LLC_SERVER, a->number);
    if (!o || (side == LLC_CLIENT && !o->delivered))
        return;
    a->told = true;
    struct judge_case c = {.req = REQ_LLC_021, .side = side, .frame = frame, .related = {a->frame}, .group = g, .offset = -1};
    llc_later(st, &c, o->link ? o->link->end[LLC_CLIENT].tx : NULL, "data", "no data before the second link is up or refused",
              "data flows while ADD LINK is unanswered");
}

/* Was DELETE LINK all of that side acknowledged? */
static bool all_delivered(const struct llc_group *st, int by)
{
    for (unsigned i = 0; i < LLC_OPENS; i++) {
        const struct llc_open *o = &st->opens[i];
        if (o->kind == SMC_LLC_DELETE_LINK && o->all && o->side == by && o->delivered)
            return true;
    }
    return false;
}

/* [LLC-038] The whole group was deleted; half a second for what was on its way. */
static void check_deleted(struct judge *j, struct trace_group *g, struct llc_group *st, int by, int side, uint64_t frame, uint64_t ns)
{
    if (!st->all_ns[by] || st->all_told[by] || ns < st->all_ns[by] + 500 * LLC_MS)
        return;
    if (side != by && (by == LLC_CLIENT || !all_delivered(st, by)))
        return; /* after the client's request the server's own one is due: LLC-039 */
    st->all_told[by] = true;
    judge_holds(j, REQ_LLC_038, false);
    judge_report(j, &(struct judge_case){.req = REQ_LLC_038, .side = side, .frame = frame, .related = {st->all_frame[by]},
                                         .group = g, .offset = -1},
                 "data", "the connections are reset at once", "data flows after DELETE LINK of the whole group");
}

void llc_check_data(struct judge *j, struct trace_group *g, const struct trace_link *l, int side, uint64_t frame, uint64_t ns)
{
    struct llc_group *st = llc_group_state(g);
    if (!st)
        return;
    reply_taken(j, g, st, l, side, frame);
    st->data = true;
    check_settled(g, st, side, frame, ns);
    check_deleted(j, g, st, LLC_CLIENT, side, frame, ns);
    check_deleted(j, g, st, LLC_SERVER, side, frame, ns);
}
