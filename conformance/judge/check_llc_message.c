/* LLC: what one message shows by itself: its type, its length, values that no message may have.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "check_llc.h"

static const char *class_text(enum smc_llc_class class)
{
    switch (class) {
    case SMC_LLC_V2_NONE:
        return "SMC-Rv2 has no such message";
    default:
        return "no LLC message has this type";
    }
}

/* Is the type one that a message of this group may have? */
static bool check_type(struct llc_msg *m, enum smc_llc_class class)
{
    struct judge *j = m->j;
    uint8_t type = m->body[0];
    bool group_v2 = m->g->version == 2, type_v2 = (type & 0xf0) == SMC_LLC_V2_TYPE;
    if (class == SMC_LLC_OPTIONAL) {
        m->st->odd[m->side] = (struct llc_odd){true, REQ_LLC_003, m->frame};
        return false;
    }
    if (class == SMC_LLC_V2_NONE && group_v2) {
        judge_holds(j, REQ_LLC_074, false);
        LLC_REPORT(m, REQ_LLC_074, m->side, 0, 0, NULL, JT("type 0x%02x", type), "a type that SMC-Rv2 has",
                   "a message of type 0x%02x: %s", type, class_text(class));
        return false;
    }
    if (group_v2)
        judge_holds(j, REQ_LLC_074, true);
    bool unknown = class != SMC_LLC_KNOWN || (m->g->version == 1 && type_v2);
    if (!judge_holds(j, REQ_LLC_004, !unknown)) {
        LLC_REPORT(m, REQ_LLC_004, m->side, 0, 0, NULL, JT("type 0x%02x", type), "an LLC type of this version",
                   "a message of type 0x%02x: %s", type, class == SMC_LLC_KNOWN ? "it belongs to SMC-Rv2" : class_text(class));
        return false;
    }
    if (group_v2 && !judge_holds(j, REQ_LLC_069, type_v2))
        LLC_REPORT(m, REQ_LLC_069, m->side, 0, 0, NULL, JT("type 0x%02x", type), JT("0x%02x", type | SMC_LLC_V2_TYPE),
                   "LLC message of version 1 in a link group of SMC-Rv2");
    return true;
}

static void check_length_v1(struct llc_msg *m)
{
    uint8_t said = m->body[1];
    bool ok = m->len == SMC_LLC_BYTES && said == SMC_LLC_BYTES;
    if (!judge_holds(m->j, REQ_LLC_001, ok))
        LLC_REPORT(m, REQ_LLC_001, m->side, 1, 0, NULL, JT("%zu bytes, length byte %u", m->len, said), "44 bytes, length byte 44",
                   "LLC message of a wrong length");
}

/* The order of the two length bytes is the sender's affair [LLC-075], that one reading fits is not. */
static void check_length_v2(struct llc_msg *m)
{
    struct judge *j = m->j;
    unsigned be = (unsigned)smc_load_be(m->body + 1, 2), le = (unsigned)smc_load_le(m->body + 1, 2);
    bool fits = be == m->len || le == m->len;
    unsigned least = be < le ? be : le;
    bool possible = m->len >= SMC_LLC_BYTES && (fits || least >= SMC_LLC_BYTES);
    if (!judge_holds(j, REQ_LLC_069, possible)) {
        LLC_REPORT(m, REQ_LLC_069, m->side, 1, 0, NULL, JT("%zu bytes, length field %u or %u", m->len, be, le),
                   "at least 44 bytes, and the length field says how many", "LLC message of a wrong length");
        return;
    }
    if (!fits) {
        judge_holds(j, REQ_LLC_071, false);
        LLC_REPORT(m, REQ_LLC_071, m->side, 1, 0, NULL, JT("%u or %u", be, le), JT("%zu", m->len),
                   "the length field fits the message in no byte order");
        return;
    }
    m->st->odd[m->side] = (struct llc_odd){true, REQ_LLC_075, m->frame};
    if (judge_holds(j, REQ_LLC_071, be == m->len) || m->st->order_told[m->side])
        return;
    m->st->order_told[m->side] = true; /* once a group and side: it is in every message */
    LLC_REPORT(m, REQ_LLC_071, m->side, 1, 0, "A-33", JHEX(m->body + 1, 2), JT("%04zx", m->len),
               "the length field is written little endian");
}

/* Decodes what can be decoded although a length is wrong, so that the exchange is followed all the same. */
static bool decode(struct llc_msg *m)
{
    struct smc_reject why;
    if (m->e->valid) {
        m->info = m->e->info;
        return true;
    }
    if (m->e->cut && smc_view_len(m->e->bytes) < LLC_BODY) {
        m->st->forgot_ns = m->ns;
        return false;
    }
    memcpy(m->fixed, m->body, sizeof m->fixed);
    m->fixed[1] = (m->fixed[0] & 0xf0) == SMC_LLC_V2_TYPE ? 0 : LLC_BODY;
    if ((m->fixed[0] & 0xf0) == SMC_LLC_V2_TYPE)
        m->fixed[2] = LLC_BODY;
    return smc_llc_decode(smc_view_of(m->fixed, sizeof m->fixed), &m->info, &why);
}

/* A rejection that none of the checks above is about. */
static void check_reject(struct llc_msg *m)
{
    const struct smc_reject *why = &m->e->reject;
    int req = m->e->valid || m->e->cut || !why->rule ? -1 : judge_requirement_index(why->rule);
    if (req < 0 || req == REQ_LLC_001 || req == REQ_LLC_069)
        return;
    judge_holds(m->j, (enum judge_req)req, false);
    LLC_REPORT(m, (enum judge_req)req, m->side, (int64_t)why->offset, 0, NULL, JT("%llu", (unsigned long long)why->seen),
               why->what ? why->what : "a message that can be parsed", "LLC message cannot be parsed: %s",
               why->field ? why->field : "its form");
}

bool llc_check_message(struct llc_msg *m)
{
    struct smc_view bytes = m->e->bytes;
    enum smc_llc_class class = smc_llc_classify(bytes);
    m->st->odd[m->side].set = false;
    if (class == SMC_LLC_EMPTY || class == SMC_LLC_CDC || !check_type(m, class) || smc_view_len(bytes) < 4)
        return false;
    if ((m->body[0] & 0xf0) == SMC_LLC_V2_TYPE)
        check_length_v2(m);
    else
        check_length_v1(m);
    check_reject(m);
    return decode(m);
}

/* [LLC-003], [LLC-075], [LLC-076]: what must be tolerated is no protocol violation. */
void llc_check_punishment(struct llc_msg *m)
{
    struct llc_odd *odd = &m->st->odd[m->peer];
    if (!odd->set)
        return;
    odd->set = false;
    if (m->g->gone) /* its end has a reason already: a Decline said that the peer is out of sync [CLC-052] */
        return;
    struct smc_view bytes = smc_view_of(m->body, LLC_BODY);
    struct smc_llc_delete_link del;
    bool punished = (m->body[0] & 0x0f) == SMC_LLC_DELETE_LINK && smc_llc_classify(bytes) == SMC_LLC_KNOWN &&
                    smc_llc_delete_link_at(bytes, 0, &del) && !smc_llc_delete_link_response(del) &&
                    smc_llc_delete_link_reason(del) == SMC_LLC_DEL_PROT_VIOL;
    if (!judge_holds(m->j, odd->req, !punished))
        LLC_REPORT(m, odd->req, m->side, 5, odd->frame, NULL, "DELETE LINK, reason protocol violation",
                   "the message is accepted or dropped silently", "a message that must be tolerated is taken for a protocol violation");
}
