/* What a receiver must put up with: reserved bits, reserved values, unknown codes. Seen only when it does not.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "check_clc.h"

/* An end of the connection this soon is the answer to the message before. */
static const uint64_t at_once_ns = UINT64_C(2000000000);

static bool field_set(const struct smc_field *f, const uint8_t *p)
{
    if (f->kind != SMC_BYTES)
        return smc_field_get(f, p) != 0;
    for (unsigned i = 0; i < f->size; i++)
        if (p[f->off + i] != 0)
            return true;
    return false;
}

/* Some reserved field of the message is not zero; byte 7 of a Decline is looked at apart. */
static bool reserved_set(const struct smc_parsed *m)
{
    for (unsigned i = 0; i < m->n; i++) {
        const struct smc_part_at *at = &m->at[i];
        for (unsigned k = 0; k < at->layout->nfields; k++) {
            const struct smc_field *f = &at->layout->fields[k];
            bool byte7 = at->layout == &smc_clc_decline_layout && f->off == 7;
            if (f->rule == SMC_RULE_ZERO && !byte7 && field_set(f, m->bytes.p + at->off))
                return true;
        }
    }
    return false;
}

static bool known_code(uint32_t code)
{
    for (const struct smc_value_name *v = smc_values_clc_diagnosis; v->name != NULL; v++)
        if (v->value == code)
            return true;
    return false;
}

/* The one rule that protects this message, in the order of how sure it is; false if nothing is unusual. */
static bool unusual(const struct trace_clc_event *e, enum judge_req *req)
{
    struct smc_parsed m;
    struct smc_reject why;
    if (!smc_clc_parse(e->bytes, &m, &why))
        return false;
    bool reserved_mtu = e->accept_valid && e->accept.path == SMC_PATH_R && smc_clc_mtu_bytes(e->accept.mtu) == 0;
    if (e->decline_valid && (e->bytes.p[7] & 7) != 0)
        *req = REQ_CLC_045;
    else if (reserved_mtu)
        *req = e->accept.first_contact ? REQ_CLC_009 : REQ_CLC_036;
    else if (reserved_set(&m))
        *req = REQ_CLC_003;
    else if (e->proposal_valid && (e->proposal.features & ~1u) != 0)
        *req = REQ_CLC_069;
    else if (e->decline_valid && !known_code(e->decline.diagnosis))
        *req = REQ_CLC_054;
    else
        return false;
    return true;
}

/* [CLC-009] A reserved MTU code in a first contact must be declined; Linux takes it. */
static void reserved_mtu_taken(struct judge *j, const struct trace_clc_event *e, const struct clc_odd *odd)
{
    judge_holds(j, REQ_CLC_009, false);
    judge_report(j, &(struct judge_case){.req = REQ_CLC_009, .side = e->side, .frame = e->frame, .related = {odd->frame},
                 .conn = e->conn, .offset = -1, .deviation = "A-26"}, "Confirm", "Decline",
                 "an Accept with a reserved MTU code is confirmed");
}

void clc_react(struct judge *j, const struct trace_clc_event *e, struct clc_conn *s)
{
    struct clc_odd *before = &s->odd[!e->side], *own = &s->odd[e->side];
    if (before->pending) {
        before->pending = false;
        if (before->req == REQ_CLC_009 && e->type == SMC_CLC_CONFIRM)
            reserved_mtu_taken(j, e, before);
        else
            judge_holds(j, before->req, true);
    }
    *own = (struct clc_odd){.frame = e->frame, .ns = e->ts_ns};
    own->pending = unusual(e, &own->req);
}

static const char *what_was_odd(enum judge_req req)
{
    switch (req) {
    case REQ_CLC_045:
        return "the low reserved bits of a Decline are set";
    case REQ_CLC_009:
    case REQ_CLC_036:
        return "the MTU code of the Accept is reserved";
    case REQ_CLC_069:
        return "the feature mask of the Proposal has unknown bits";
    case REQ_CLC_054:
        return "the diagnosis code of the Decline is unknown";
    default:
        return "reserved fields of the message are set";
    }
}

/* A FIN in place of an answer ends the handshake as well; after a Decline or a Confirm it is the application's. */
void clc_react_end(struct judge *j, const struct trace_conn *c, struct clc_conn *s, int side, bool rst, uint64_t frame,
                   uint64_t ns)
{
    struct clc_odd *odd = &s->odd[!side];
    bool awaited = c->phase == TRACE_CLC_ACCEPT || c->phase == TRACE_CLC_CONFIRM;
    if (!odd->pending)
        return;
    odd->pending = false;
    if ((!rst && !awaited) || ns - odd->ns > at_once_ns || clc_acknowledges(s, side, frame, s->stream[!side].msg_end) == 0)
        return;
    judge_holds(j, odd->req, false);
    judge_report(j, &(struct judge_case){.req = odd->req, .side = side, .frame = frame, .related = {odd->frame}, .conn = c,
                 .offset = -1, .v2 = c->proposed && c->proposal.version >= 2}, rst ? "RST" : "FIN",
                 odd->req == REQ_CLC_009 ? "Decline" : "no difference", "%s and the connection is terminated",
                 what_was_odd(odd->req));
}
