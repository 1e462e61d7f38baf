/* Accept against Proposal, Confirm against Accept: version, mode, EID, release, limits, subnet, MTU.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "check_clc.h"

#include <string.h>

/* How long it is believed that a server still knows an EID that it once chose. */
static const uint64_t eid_memory_ns = UINT64_C(60000000000);

static struct judge_case at_sender(const struct trace_clc_event *e, enum judge_req req, int64_t offset)
{
    const struct trace_conn *c = e->conn;
    uint64_t before = e->type == SMC_CLC_ACCEPT ? c->proposal_frame : c->accept_frame;
    return (struct judge_case){.req = req, .side = e->side, .frame = e->frame, .related = {before}, .conn = c,
                               .offset = offset,
                               .v2 = clc_impl_binds(e) ||
                                     (c->proposed && (c->proposal.version >= 2 || c->proposal.v1_d))};
}

#define RULE(j, e, req, ok, offset, seen, expected, ...)                                           \
    do {                                                                                           \
        if (!judge_holds(j, req, ok)) {                                                            \
            struct judge_case case_ = at_sender(e, req, offset);                                   \
            judge_report(j, &case_, seen, expected, __VA_ARGS__);                                  \
        }                                                                                          \
    } while (0)

/* ---- version and mode ---- */

static bool offered(const struct smc_clc_proposal_info *p, const struct smc_clc_accept_info *a)
{
    bool v2 = a->version >= 2;
    if (a->path == SMC_PATH_D)
        return v2 ? p->v2_d : p->v1_d;
    return v2 ? p->v2_r : p->v1_r;
}

/* Is the answer one that this Proposal allows at all? */
static bool check_mode(struct judge *j, const struct trace_clc_event *e)
{
    const struct smc_clc_proposal_info *p = &e->conn->proposal;
    const struct smc_clc_accept_info *a = &e->accept;
    bool nothing = !p->v1_r && !p->v1_d && !p->v2_r && !p->v2_d;
    enum judge_req version = p->version < 2 && p->typev2 != 0 ? REQ_CLC_028 : REQ_CLC_004;
    RULE(j, e, version, a->version <= p->version, 7, JT("version %u", a->version), JT("at most %u", p->version),
         "the Accept has a higher version than the Proposal");
    if (a->version > p->version)
        return false;
    RULE(j, e, REQ_CLC_030, !nothing, -1, "Accept", "Decline", "the Proposal offers no mode at all and is accepted");
    if (nothing)
        return false;
    RULE(j, e, REQ_CLC_076, offered(p, a), 7, JT("SMC-%c v%u", a->path == SMC_PATH_D ? 'D' : 'R', a->version),
         "a mode of the Proposal", "the Accept chooses what the Proposal does not offer");
    return offered(p, a);
}

static void check_extensions(struct judge *j, const struct trace_clc_event *e)
{
    const struct smc_clc_proposal_info *p = &e->conn->proposal;
    if (e->accept.version < 2)
        return;
    RULE(j, e, REQ_CLC_026, p->has_v2_ext, -1, "Accept", "Decline", "version 2 is accepted without a v2 extension");
    if (e->accept.path == SMC_PATH_D && p->has_v2_ext)
        RULE(j, e, REQ_CLC_027, p->has_d_ext, -1, "Accept", "Decline",
             "SMC-Dv2 is accepted without an SMC-Dv2 extension");
}

/* ---- EID ---- */

static int ueid_index(const struct smc_clc_proposal_info *p, const uint8_t *eid)
{
    for (int i = 0; i < p->eid_count && i < SMC_CLC_MAX_EIDS; i++)
        if (memcmp(p->eids[i], eid, SMC_CLC_EID_BYTES) == 0)
            return i;
    return -1;
}

static bool server_knows(const struct clc_capture *k, const struct trace_conn *c, const uint8_t *eid, uint64_t now)
{
    for (unsigned i = 0; k != NULL && i < CLC_KNOWN_EIDS && i < k->neids; i++)
        if (memcmp(k->eids[i].eid, eid, SMC_CLC_EID_BYTES) == 0 &&
            memcmp(k->eids[i].server, c->addr[TRACE_S2C].b, 16) == 0 && now - k->eids[i].ns <= eid_memory_ns)
            return true;
    return false;
}

static void remember_eid(struct clc_capture *k, const struct trace_clc_event *e)
{
    if (k == NULL)
        return;
    unsigned i = 0;
    while (i < CLC_KNOWN_EIDS && i < k->neids &&
           (memcmp(k->eids[i].eid, e->accept.eid, 32) != 0 || memcmp(k->eids[i].server, e->conn->addr[TRACE_S2C].b, 16) != 0))
        i++;
    if (i == CLC_KNOWN_EIDS || i == k->neids)
        i = k->neids++ % CLC_KNOWN_EIDS;
    memcpy(k->eids[i].eid, e->accept.eid, 32);
    memcpy(k->eids[i].server, e->conn->addr[TRACE_S2C].b, 16);
    k->eids[i].ns = e->ts_ns;
}

static int64_t eid_offset(const struct trace_clc_event *e)
{
    return e->accept.path == SMC_PATH_D ? 34 : 64;
}

/* [CLC-062] A UEID that stands further in front and that this server knows has priority. */
static void check_priority(struct judge *j, const struct trace_clc_event *e, const struct clc_capture *k, int chosen)
{
    const struct smc_clc_proposal_info *p = &e->conn->proposal;
    int better = 0;
    while (better < chosen && !server_knows(k, e->conn, p->eids[better], e->ts_ns))
        better++;
    RULE(j, e, REQ_CLC_062, better == chosen, eid_offset(e), JT("EID %d of the offer", chosen + 1),
         JT("EID %d of the offer", better + 1), "the server passes over an EID that it knows and that comes first");
}

static void check_eid(struct judge *j, const struct trace_clc_event *e)
{
    const struct smc_clc_proposal_info *p = &e->conn->proposal;
    const struct smc_clc_accept_info *a = &e->accept;
    struct clc_capture *k = clc_capture_of(j);
    if (!a->has_eid || !p->has_v2_ext)
        return;
    if (a->path == SMC_PATH_R) {
        RULE(j, e, REQ_CLC_064, p->eid_count > 0, -1, "Accept", "Decline", "SMC-Rv2 is accepted without a UEID");
        if (p->eid_count == 0)
            return;
    }
    int chosen = ueid_index(p, a->eid);
    bool seid = a->path == SMC_PATH_D && p->has_d_ext && memcmp(p->seid, a->eid, SMC_CLC_EID_BYTES) == 0;
    if (chosen < 0 && seid) {
        RULE(j, e, REQ_CLC_062, p->seid_valid, eid_offset(e), "the SEID", "an EID that is offered",
             "the server chooses the SEID though its indicator is not set");
        return;
    }
    RULE(j, e, REQ_CLC_061, chosen >= 0, eid_offset(e), JT("%.32s", (const char *)a->eid), "an EID of the Proposal",
         "the Accept carries an EID that was not offered");
    if (chosen < 0)
        return;
    check_priority(j, e, k, chosen);
    remember_eid(k, e);
}

/* ---- subnet ---- */

static bool same_bits(const uint8_t *x, const uint8_t *y, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    return memcmp(x, y, whole) == 0 && (rest == 0 || (x[whole] ^ y[whole]) >> (8 - rest) == 0);
}

static bool subnet_matches(const struct smc_clc_proposal_info *p, const struct trace_addr *server)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (memcmp(server->b, mapped, sizeof mapped) == 0) {
        uint8_t subnet[4];
        smc_store_be(subnet, 4, p->subnet);
        return p->mask_len <= 32 && same_bits(subnet, server->b + 12, p->mask_len);
    }
    if (server->b[0] == 0xfe && (server->b[1] & 0xc0) == 0x80)
        return true; /* link-local addresses are in no prefix of a Proposal: nothing can be said */
    for (unsigned i = 0; i < p->prefix_count && i < SMC_CLC_MAX_PREFIXES; i++)
        if (p->prefixes[i].length <= 128 && same_bits(p->prefixes[i].prefix, server->b, p->prefixes[i].length))
            return true;
    return false;
}

/* [CLC-021] v1 only: version 2 crosses subnets. */
static void check_subnet(struct judge *j, const struct trace_clc_event *e)
{
    const struct smc_clc_proposal_info *p = &e->conn->proposal;
    if (e->accept.version >= 2 || e->accept.path != SMC_PATH_R || !e->accept.first_contact || !p->has_ip_area)
        return;
    RULE(j, e, REQ_CLC_021, subnet_matches(p, &e->conn->addr[TRACE_S2C]), -1, JT("%#010x/%u", p->subnet, p->mask_len),
         "a subnet or prefix of the server", "first contact is accepted from another subnet");
}

/* ---- both messages ---- */

void clc_negotiate_accept(struct judge *j, const struct trace_clc_event *e)
{
    const struct smc_clc_proposal_info *p = &e->conn->proposal;
    if (!e->conn->proposed || !check_mode(j, e))
        return;
    check_extensions(j, e);
    check_eid(j, e);
    check_subnet(j, e);
    if (e->accept.fce_len != 0 && p->has_v2_ext)
        RULE(j, e, REQ_CLC_065, e->accept.release <= p->release, -1, JT("release %u", e->accept.release),
             JT("at most %u", p->release), "the Accept has a higher release than the Proposal");
    if (e->accept.path == SMC_PATH_D)
        clc_smcd_accept(j, e);
}

static bool limits_negotiated(const struct smc_clc_accept_info *a)
{
    return a->path == SMC_PATH_R && a->fce_len == SMC_CLC_FCE_LONG && a->release >= 1;
}

/* [CLC-014] The same peer id at both ends is right for two ends of one stack; with two GIDs it may be Linux's habit. */
static void check_peer_ids(struct judge *j, const struct trace_clc_event *e)
{
    static const uint8_t none[8];
    const struct smc_clc_accept_info *a = &e->conn->accept, *c = &e->accept;
    if (a->path != SMC_PATH_R || !a->first_contact || memcmp(c->peer_id, none, 8) == 0 ||
        memcmp(a->gid, c->gid, 16) == 0)
        return;
    if (judge_holds(j, REQ_CLC_014, memcmp(a->peer_id, c->peer_id, 8) != 0))
        return;
    struct judge_case case_ = at_sender(e, REQ_CLC_014, 8);
    case_.side = -1;
    case_.deviation = "A-52";
    judge_report(j, &case_, JHEX(c->peer_id, 8), "two peer ids", "both ends carry the same peer id with different GIDs");
}

void clc_negotiate_confirm(struct judge *j, const struct trace_clc_event *e)
{
    const struct smc_clc_accept_info *a = &e->conn->accept, *c = &e->accept;
    if (!e->conn->accepted)
        return;
    RULE(j, e, REQ_CLC_004, c->version == a->version, 7, JT("version %u", c->version), JT("version %u", a->version),
         "the Confirm has another version than the Accept");
    RULE(j, e, REQ_CLC_076, c->path == a->path, 7, JT("path %u", c->path), JT("path %u", a->path),
         "the Confirm has another mode than the Accept");
    if (c->version != a->version || c->path != a->path)
        return;
    check_peer_ids(j, e);
    if (a->has_eid && c->has_eid)
        RULE(j, e, REQ_CLC_061, memcmp(a->eid, c->eid, sizeof a->eid) == 0, eid_offset(e), JT("%.32s", (const char *)c->eid),
             JT("%.32s", (const char *)a->eid), "the Confirm carries another EID than the Accept");
    if (a->fce_len != 0 && c->fce_len != 0)
        RULE(j, e, REQ_CLC_065, c->release == a->release, -1, JT("release %u", c->release), JT("release %u", a->release),
             "the Confirm has another release than the Accept");
    if (limits_negotiated(a) && limits_negotiated(c))
        RULE(j, e, REQ_CLC_068, c->max_conns == a->max_conns && c->max_links == a->max_links, -1,
             JT("%u connections, %u links", c->max_conns, c->max_links),
             JT("%u connections, %u links", a->max_conns, a->max_links), "the Confirm does not repeat the limits of the Accept");
    if (a->path == SMC_PATH_R && a->first_contact && smc_clc_mtu_bytes(a->mtu) != 0 && smc_clc_mtu_bytes(c->mtu) != 0)
        RULE(j, e, REQ_CLC_035, c->mtu <= a->mtu, 50, JT("MTU code %u", c->mtu), JT("at most %u", a->mtu),
             "the Confirm has a larger MTU than the Accept");
}
