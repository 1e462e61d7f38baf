/* Who may send which CLC message when: order, Declines, time.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "check_clc.h"

/* Linux waits 6 s for a CLC message; what takes a second more was not held back by the network alone. */
static const uint64_t wait_ns = UINT64_C(7000000000);
/* A reset this soon was not the CLC timer's. */
static const uint64_t at_once_ns = UINT64_C(1000000000);
static const uint64_t confirm_link_wait_ns = UINT64_C(2000000000);

static const char *name_of(const struct trace_clc_event *e)
{
    static const char *const names[] = {"message", "Proposal", "Accept", "Confirm", "Decline"};
    return names[e->type < 5 ? e->type : 0];
}

static void report(struct judge *j, const struct trace_clc_event *e, enum judge_req req, uint64_t related,
                   const char *expected, const char *what)
{
    judge_holds(j, req, false);
    judge_report(j, &(struct judge_case){.req = req, .side = e->side, .frame = e->frame, .related = {related},
                 .conn = e->conn, .offset = -1, .v2 = e->version >= 2}, name_of(e), expected, "%s", what);
}

/* ---- answers to messages that are not there yet ---- */

/* Does position `at` lie inside a CLC message of that direction? */
static bool inside(const struct clc_stream *s, uint32_t at)
{
    if ((int32_t)(at - s->msg_start) > 0 && (int32_t)(at - s->msg_end) < 0)
        return true;
    /* Bytes beyond the last whole message: all that was captured of the next one, and it is not whole. */
    return (int32_t)(at - s->msg_end) > 0 && (int32_t)(s->seen_end - at) >= 0;
}

/* [CLC-006] Did the frame at hand of `side` leave when its sender had a part of a message only? */
static bool too_early(const struct clc_conn *s, int side, uint64_t frame)
{
    return !clc_capture_lacks(s, side, frame) && inside(&s->stream[!side], s->stream[side].ack);
}

void clc_exchange_segment(struct judge *j, const struct trace_conn *c, struct clc_conn *s, int side,
                          const struct trace_packet *p)
{
    const struct clc_stream *other = &s->stream[!side];
    if (!too_early(s, side, p->raw.frame) || p->raw.ts_ns - other->seen_ns > at_once_ns)
        return;
    judge_holds(j, REQ_CLC_006, false);
    judge_report(j, &(struct judge_case){.req = REQ_CLC_006, .side = side, .frame = p->raw.frame, .conn = c, .offset = -1},
                 JT("RST at byte %u", s->stream[side].ack), "wait for the rest of the message",
                 "the connection is reset when a part of a CLC message has arrived");
}

static bool answered_too_early(struct judge *j, const struct trace_clc_event *e, const struct clc_conn *s)
{
    if (e->conn->phase != TRACE_CLC_PROPOSAL && e->conn->phase != TRACE_CLC_ACCEPT &&
        e->conn->phase != TRACE_CLC_CONFIRM)
        return false;
    if (judge_holds(j, REQ_CLC_006, !too_early(s, e->side, e->frame)))
        return false;
    judge_report(j, &(struct judge_case){.req = REQ_CLC_006, .side = e->side, .frame = e->frame, .conn = e->conn, .offset = -1},
                 JT("%s that acknowledges byte %u", name_of(e), s->stream[e->side].ack),
                 "an answer to the whole message", "the answer leaves when a part of the message before has arrived");
    return true;
}

/* ---- Declines ---- */

static void decline_while_awaiting(struct judge *j, const struct trace_clc_event *e)
{
    const struct trace_conn *c = e->conn;
    bool client = e->side == TRACE_C2S;
    switch (c->phase) {
    case TRACE_CLC_PROPOSAL: /* a client without a device declines in place of its Proposal */
        if (!client)
            report(j, e, REQ_CLC_047, 0, "nothing before the Proposal", "the server declines what nobody proposed yet");
        break;
    case TRACE_CLC_ACCEPT:
        if (client)
            report(j, e, REQ_CLC_047, c->proposal_frame, "wait for the server's answer",
                   "the client's Decline chases its own Proposal");
        else
            judge_holds(j, REQ_CLC_047, true);
        break;
    default:
        if (client)
            judge_holds(j, REQ_CLC_047, true);
        else if (c->accepted && !c->first_contact)
            report(j, e, REQ_CLC_048, c->accept_frame, "reset",
                   "the server declines after its Accept of a subsequent contact");
        else
            report(j, e, REQ_CLC_047, c->accept_frame, "wait for the client's answer",
                   "the server's Decline chases its own Accept");
        break;
    }
}

/* [CLC-050] First contact: no Decline once the own CONFIRM LINK has reached the peer. */
static void decline_after_first_contact(struct judge *j, const struct trace_clc_event *e)
{
    const struct trace_conn *c = e->conn;
    uint64_t sent_ns = 0;
    if (c->mode != TRACE_MODE_SMCR || c->link == NULL || (c->group != NULL && c->group->incomplete))
        return;
    if (judge_holds(j, REQ_CLC_050, !clc_confirm_link_done(c, e->side, &sent_ns)))
        return;
    /* Its NIC may have held CONFIRM LINK, and a reply that comes while the server only looks for a Decline is too late. */
    uint64_t posted_ns = c->confirm_ns && c->confirm_ns < sent_ns ? c->confirm_ns : sent_ns;
    bool answered = c->link->state == TRACE_LINK_ACTIVE && c->link->active_ns < posted_ns + confirm_link_wait_ns;
    bool timed_out = e->side == TRACE_S2C && e->decline.diagnosis == SMC_DIAG_TIMEOUT_CL && !answered &&
                     e->ts_ns - posted_ns >= confirm_link_wait_ns;
    const char *deviation = timed_out ? "A-11" : e->decline.diagnosis == SMC_DIAG_RMBE_EC ? "A-01" : NULL;
    judge_report(j, &(struct judge_case){.req = REQ_CLC_050, .side = e->side, .frame = e->frame,
                 .related = {c->confirm_frame}, .conn = c, .offset = -1, .deviation = deviation},
                 JT("Decline %#010x", e->decline.diagnosis), "reset",
                 "a Decline after the sender's CONFIRM LINK was delivered");
}

static void decline_when_done(struct judge *j, const struct trace_clc_event *e)
{
    const struct trace_conn *c = e->conn;
    if (!c->accepted || !c->confirmed)
        return;
    if (c->first_contact)
        decline_after_first_contact(j, e);
    else if (e->side == TRACE_C2S)
        report(j, e, REQ_CLC_049, c->confirm_frame, "reset",
               "the client declines after its Confirm of a subsequent contact");
    else
        report(j, e, REQ_CLC_048, c->accept_frame, "reset",
               "the server declines after its Accept of a subsequent contact");
}

/* [CLC-046] Nothing of CLC follows a Decline; two Declines may cross on their way. */
static void after_decline(struct judge *j, const struct trace_clc_event *e, const struct clc_conn *s)
{
    const struct trace_conn *c = e->conn;
    if (e->side == c->decline_side) {
        report(j, e, REQ_CLC_046, c->decline_frame, "plain TCP", "a CLC message after the sender's own Decline");
        return;
    }
    int answers = clc_acknowledges(s, e->side, e->frame, s->stream[!e->side].msg_end);
    if (answers > 0)
        report(j, e, REQ_CLC_046, c->decline_frame, "plain TCP", "a Decline is answered by a CLC message");
}

/* ---- order ---- */

static bool is_next(const struct trace_clc_event *e)
{
    bool client = e->side == TRACE_C2S;
    switch (e->conn->phase) {
    case TRACE_CLC_PROPOSAL:
        return e->type == SMC_CLC_PROPOSAL && client;
    case TRACE_CLC_ACCEPT:
        return e->type == SMC_CLC_ACCEPT && !client;
    case TRACE_CLC_CONFIRM:
        return e->type == SMC_CLC_CONFIRM && client;
    default:
        return false;
    }
}

static const char *awaited(const struct trace_conn *c)
{
    switch (c->phase) {
    case TRACE_CLC_PROPOSAL:
        return "Proposal of the client";
    case TRACE_CLC_ACCEPT:
        return "Accept or Decline of the server";
    case TRACE_CLC_CONFIRM:
        return "Confirm or Decline of the client";
    default:
        return "no further CLC message";
    }
}

/* ---- time ---- */

/* [CLC-012] Nobody waits longer than 6 s. A late Accept is the client's fault only if it takes it. */
static void check_time(struct judge *j, const struct trace_clc_event *e, struct clc_conn *s)
{
    const struct trace_conn *c = e->conn;
    bool accept = e->type == SMC_CLC_ACCEPT;
    uint64_t asked = accept ? c->proposal_ns : c->accept_ns;
    int waiting = accept ? TRACE_C2S : TRACE_S2C;
    if ((e->type != SMC_CLC_ACCEPT && e->type != SMC_CLC_CONFIRM) || c->incomplete || !(accept ? c->proposed : c->accepted) ||
        c->side[waiting].fin_frame != 0 || c->rst)
        return;
    bool late = e->ts_ns > asked && e->ts_ns - asked > wait_ns;
    struct judge_case at_fault = {.req = REQ_CLC_012, .side = waiting, .frame = e->frame, .conn = c, .offset = -1,
                                  .related = {accept ? c->proposal_frame : c->accept_frame}, .v2 = clc_impl_binds(e)};
    if (accept && late) {
        s->late_accept = e->frame;
        return;
    }
    if (late) {
        s->late_confirm = at_fault;
        s->late_ns = e->ts_ns - asked;
    } else {
        judge_holds(j, REQ_CLC_012, true);
    }
    if (!accept && s->late_accept != 0) {
        at_fault.side = TRACE_C2S;
        at_fault.related[1] = s->late_accept;
        judge_report(j, &at_fault, "Confirm", "end of the connection",
                     "the client confirms an Accept that came after its time was over");
    }
}

void clc_exchange_late(struct judge *j, struct clc_conn *s, bool goes_on)
{
    struct judge_case at_fault = s->late_confirm;
    if (at_fault.frame == 0)
        return;
    s->late_confirm.frame = 0;
    judge_holds(j, REQ_CLC_012, !goes_on);
    if (goes_on)
        judge_report(j, &at_fault, JT("%.3f s", (double)s->late_ns / 1e9), "at most 6 s",
                     "the server still waits for the Confirm after its time is over");
}

void clc_exchange(struct judge *j, const struct trace_clc_event *e, struct clc_conn *s)
{
    struct trace_conn *c = e->conn;
    if (c->phase == TRACE_CLC_LATE || c->phase == TRACE_CLC_BROKEN || c->phase == TRACE_CLC_NONE)
        return;
    if (c->phase == TRACE_CLC_DECLINED) {
        after_decline(j, e, s);
        return;
    }
    if (answered_too_early(j, e, s))
        return;
    check_time(j, e, s);
    if (clc_capture_lacks(s, e->side, e->frame))
        return;
    if (e->type == SMC_CLC_DECLINE && c->phase == TRACE_CLC_DONE)
        decline_when_done(j, e);
    else if (e->type == SMC_CLC_DECLINE)
        decline_while_awaiting(j, e);
    else if (!judge_holds(j, REQ_CLC_007, is_next(e)))
        report(j, e, REQ_CLC_007, 0, awaited(c), "a CLC message of the wrong type or from the wrong side");
}
