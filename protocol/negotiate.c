/* What two sides agree on: the Proposal's content, a server's order of trying, the checks of Accept and Confirm.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "negotiate.h"

#include <assert.h>
#include <string.h>

static bool emulated(uint16_t chid)
{
    return chid >= SMC_CHID_EMULATED;
}

static unsigned modes(bool r, bool d)
{
    return r ? (d ? SMC_MODES_BOTH : SMC_MODES_R) : (d ? SMC_MODES_D : SMC_MODES_NONE);
}

/* The field of release 1 ends there; up to 8 of RFC 7609 can only be said by CONFIRM LINK. */
enum { RELEASE1_LINKS_MAX = 2 };

static uint8_t smaller(uint8_t a, uint8_t b)
{
    return a < b ? a : b;
}

/* ---- Networks ----------------------------------------------------------------------------------- */
bool smc_gid_is_ipv4(const struct smc_gid *gid)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return memcmp(gid->bytes, mapped, sizeof(mapped)) == 0;
}

static uint32_t ipv4(const struct smc_gid *gid)
{
    return (uint32_t)smc_load_be(gid->bytes + 12, 4);
}

static uint32_t mask_of(unsigned bits)
{
    return bits == 0 ? 0 : UINT32_MAX << (32 - bits);
}

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    if (memcmp(a, b, bits / 8) != 0)
        return false;
    uint8_t rest = (uint8_t)(0xff << (8 - bits % 8));
    return bits % 8 == 0 || ((a[bits / 8] ^ b[bits / 8]) & rest) == 0;
}

static bool usable(const struct smc_ip_prefix *prefix, bool v4)
{
    return smc_gid_is_ipv4(&prefix->address) == v4 && prefix->length <= (v4 ? 32 : 128);
}

static bool same_ipv4(const struct smc_own *own, const struct smc_clc_proposal_info *p)
{
    if (p->mask_len > 32) /* [CLC-021] */
        return false;
    uint32_t mask = mask_of(p->mask_len);
    for (unsigned i = 0; i < own->prefix_count; i++) {
        const struct smc_ip_prefix *mine = &own->prefixes[i];
        if (!usable(mine, true) || mine->length != p->mask_len)
            continue;
        uint32_t network = ipv4(&mine->address) & mask;
        if (p->subnet == network) /* [CLC-020] */
            return true;
        /* The field read as RFC 7609 names it, the mask itself: then the TCP peer's address tells. */
        if (!own->subnet_number && p->subnet == mask && smc_gid_is_ipv4(&own->peer_ip) &&
            (ipv4(&own->peer_ip) & mask) == network)
            return true;
    }
    return false;
}

static bool same_ipv6(const struct smc_own *own, const struct smc_clc_proposal_info *p)
{
    for (unsigned i = 0; i < own->prefix_count; i++)
        for (unsigned k = 0; k < p->prefix_count && k < SMC_CLC_MAX_PREFIXES; k++)
            if (usable(&own->prefixes[i], false) && p->prefixes[k].length <= 128 && /* [CLC-021] */
                same_bits(own->prefixes[i].address.bytes, p->prefixes[k].prefix, p->prefixes[k].length))
                return true;
    return false;
}

bool smc_negotiate_same_network(const struct smc_own *own, const struct smc_clc_proposal_info *p)
{
    if (!p->has_ip_area)
        return false;
    return smc_gid_is_ipv4(&own->own_ip) ? same_ipv4(own, p) : same_ipv6(own, p); /* [CLC-019] */
}

/* ---- The Proposal ------------------------------------------------------------------------------- */
static bool fill_ipv4(const struct smc_own *own, struct smc_clc_proposal_info *p)
{
    for (unsigned i = 0; i < own->prefix_count; i++) {
        const struct smc_ip_prefix *mine = &own->prefixes[i];
        if (!usable(mine, true) || ((ipv4(&mine->address) ^ ipv4(&own->own_ip)) & mask_of(mine->length)) != 0)
            continue;
        p->subnet = own->subnet_number ? ipv4(&mine->address) & mask_of(mine->length) : mask_of(mine->length); /* */
        p->mask_len = mine->length;
        return true;
    }
    return false;
}

static bool fill_ipv6(const struct smc_own *own, struct smc_clc_proposal_info *p)
{
    for (unsigned i = 0; i < own->prefix_count && p->prefix_count < SMC_CLC_MAX_PREFIXES; i++) {
        const struct smc_ip_prefix *mine = &own->prefixes[i];
        if (!usable(mine, false))
            continue;
        struct smc_clc_ip6_prefix_fields *to = &p->prefixes[p->prefix_count++];
        to->length = mine->length;
        for (unsigned byte = 0; byte * 8 < mine->length; byte++) {
            unsigned bits = mine->length - byte * 8;
            to->prefix[byte] = bits >= 8 ? mine->address.bytes[byte] : (uint8_t)(mine->address.bytes[byte] & (0xff << (8 - bits)));
        }
    }
    return p->prefix_count > 0;
}

/* A device of the list; emulated ones take two entries of the same CHID, the halves of the GID [CLC-070]. */
static bool list_device(const struct smc_own *own, unsigned index, struct smc_clc_proposal_info *p, struct smc_offered *offered)
{
    const struct smc_own_device *d = &own->devices[index];
    unsigned entries = emulated(d->chid) ? 2 : 1;
    if (p->gid_count + entries > SMC_CLC_MAX_GIDS)
        return false;
    for (unsigned k = 0; k < entries; k++) {
        struct smc_clc_gid_chid_fields *e = &p->entries[p->gid_count++];
        memcpy(e->gid, d->gid.bytes + 8 * k, sizeof(e->gid));
        e->chid = d->chid;
    }
    offered->listed[offered->listed_count++] = (uint8_t)index;
    return true;
}

static bool chid_taken(const struct smc_own *own, const struct smc_offered *offered, uint16_t chid)
{
    if (offered->native >= 0 && own->devices[offered->native].chid == chid)
        return true;
    for (unsigned i = 0; i < offered->listed_count; i++)
        if (own->devices[offered->listed[i]].chid == chid)
            return true;
    return false;
}

/* CHID 0 says "no device" in the locator area [SMCD-024], and an Accept names devices by CHID alone: one of each. */
static bool listable(const struct smc_own *own, const struct smc_offered *offered, const struct smc_own_device *d)
{
    return d->v2_capable && d->chid != 0 && (own->emulated || !emulated(d->chid)) && !chid_taken(own, offered, d->chid);
}

static bool offer_d2(const struct smc_own *own, struct smc_clc_proposal_info *p, struct smc_offered *offered)
{
    for (unsigned i = 0; i < own->device_count; i++)
        if (listable(own, offered, &own->devices[i]))
            (void)list_device(own, i, p, offered);
    return offered->listed_count > 0 ||
           (offered->native >= 0 && own->devices[offered->native].v2_capable && own->devices[offered->native].chid != 0);
}

static void offer_v1(const struct smc_own *own, struct smc_clc_proposal_info *p, struct smc_offered *offered)
{
    bool area = smc_gid_is_ipv4(&own->own_ip) ? fill_ipv4(own, p) : fill_ipv6(own, p);
    if (!own->v1 || !area)
        return;
    p->v1_r = own->smc_r && own->r1;
    for (unsigned i = 0; own->smc_d && i < own->device_count && offered->native < 0; i++)
        if (!emulated(own->devices[i].chid) && !own->devices[i].no_v1)
            offered->native = (int)i;
    p->v1_d = offered->native >= 0;
}

static void offer_v2(const struct smc_own *own, struct smc_clc_proposal_info *p, struct smc_offered *offered)
{
    if (!own->v2)
        return;
    /* Linux offers no SMC-Rv2 on a native IPv6 connection, and none without a UEID [CLC-064]. */
    p->v2_r = own->smc_r && own->r2 && own->eids.ueid_count > 0 && smc_gid_is_ipv4(&own->own_ip);
    p->v2_d = own->smc_d && offer_d2(own, p, offered);
}

static void fill_v2_ext(const struct smc_own *own, struct smc_clc_proposal_info *p)
{
    p->has_v2_ext = true;
    p->release = own->release;
    p->eid_count = (uint8_t)(own->eids.ueid_count < SMC_CLC_MAX_EIDS ? own->eids.ueid_count : SMC_CLC_MAX_EIDS);
    for (unsigned i = 0; i < p->eid_count; i++)
        memcpy(p->eids[i], own->eids.ueids[i], SMC_CLC_EID_BYTES);
    if (own->release >= 1)
        p->features = own->emulated ? SMC_FEATURE_EMULATED : 0;
    if (p->v2_r) {
        memcpy(p->roce_gid, own->r2_gid.bytes, sizeof(p->roce_gid));
        if (own->release >= 1) { /* zero otherwise, as captures show */
            p->max_conns = own->max_conns;
            p->max_links = own->max_links;
        }
    }
    if (!p->v2_d)
        return;
    p->has_d_ext = true;
    p->seid_valid = own->eids.seid_enabled;
    if (own->eids.seid_enabled)
        memcpy(p->seid, own->eids.seid, SMC_CLC_EID_BYTES);
}

static void fill_head(const struct smc_own *own, struct smc_clc_proposal_info *p, const struct smc_offered *offered)
{
    bool v2 = p->v2_r || p->v2_d;
    p->version = v2 || own->always_v2 ? 2 : 1; /* */
    p->typev1 = (uint8_t)modes(p->v1_r, p->v1_d);
    p->typev2 = (uint8_t)(p->version >= 2 ? modes(p->v2_r, p->v2_d) : 0);
    p->has_smcd_area = own->smcd_area || v2 || p->v1_d; /* [CLC-015] [CLC-017] */
    p->has_ip_area = p->typev1 != SMC_MODES_NONE;       /* [CLC-029] */
    if (p->v1_r) { /* zero otherwise, as captures show */
        memcpy(p->peer_id, own->peer_id, sizeof(p->peer_id));
        memcpy(p->gid, own->r1_gid.bytes, sizeof(p->gid));
        memcpy(p->mac, own->r1_mac, sizeof(p->mac));
    }
    if (p->v1_d) {
        memcpy(p->ism_gid, own->devices[offered->native].gid.bytes, sizeof(p->ism_gid));
        p->ism_chid = own->devices[offered->native].chid;
    }
}

uint32_t smc_negotiate_proposal(const struct smc_own *own, struct smc_clc_proposal_info *out, struct smc_offered *offered)
{
    *out = (struct smc_clc_proposal_info){0};
    *offered = (struct smc_offered){.native = -1};
    offer_v1(own, out, offered);
    offer_v2(own, out, offered);
    if (!out->v1_r && !out->v1_d && !out->v2_r && !out->v2_d) {
        /* Version 1 had something to offer, but no network to name. */
        bool no_area = own->v1 && ((own->smc_r && own->r1) || (own->smc_d && own->device_count > 0)) &&
                       out->mask_len == 0 && out->prefix_count == 0 && own->prefix_count == 0;
        return no_area ? SMC_DIAG_CNFERR : SMC_DIAG_NOSMCDEV;
    }
    fill_head(own, out, offered);
    if (out->v2_r || out->v2_d)
        fill_v2_ext(own, out);
    return 0;
}

/* ---- What a server tries ------------------------------------------------------------------------ */
struct plan {
    const struct smc_own *own;
    const struct smc_clc_proposal_info *p;
    struct smc_step *steps;
    unsigned count;
    bool d1, r1, d2, r2; /* both sides want it, and the prechecks let it be tried */
};

static void rule_out(struct plan *plan, uint32_t diagnosis, bool final)
{
    assert(plan->count < SMC_STEPS_MAX);
    plan->steps[plan->count++] = (struct smc_step){.diagnosis = diagnosis, .final = final};
}

static struct smc_agreement *add(struct plan *plan, bool smc_d, uint8_t version)
{
    assert(plan->count < SMC_STEPS_MAX);
    struct smc_step *s = &plan->steps[plan->count++];
    *s = (struct smc_step){.agreement = {.smc_d = smc_d, .version = version}};
    s->agreement.max_conns = plan->own->max_conns;
    s->agreement.max_links = plan->own->max_links;
    if (version >= 2) {
        s->agreement.release = smaller(plan->own->release, plan->p->release);
        if (s->agreement.release >= 1) /* unknown bits are ignored [CLC-069] */
            s->agreement.features = plan->p->features & (plan->own->emulated ? SMC_FEATURE_EMULATED : 0);
    }
    return &s->agreement;
}

/* What version 2 needs before any device is looked at: 0, or the reason that holds if nothing else is left. */
static uint32_t precheck_v2(struct plan *plan)
{
    const struct smc_own *own = plan->own;
    const struct smc_clc_proposal_info *p = plan->p;
    uint32_t reason = 0;
    if ((plan->d2 || plan->r2) && !p->has_v2_ext) { /* [CLC-026] */
        plan->d2 = plan->r2 = false;
        return SMC_DIAG_NOV2EXT;
    }
    if (plan->d2 && !p->has_d_ext) { /* [CLC-027] */
        plan->d2 = false;
        reason = SMC_DIAG_NOV2DEXT;
    } else if (plan->d2 && ((p->eid_count == 0 && !p->seid_valid) || (own->eids.ueid_count == 0 && !own->eids.seid_enabled))) {
        plan->d2 = false;
        reason = SMC_DIAG_NOUEID;
    }
    if (plan->r2 && (p->eid_count == 0 || own->eids.ueid_count == 0)) { /* [CLC-064] */
        plan->r2 = false;
        reason = SMC_DIAG_NOUEID;
    }
    return reason;
}

/* 0: something can be tried. */
static uint32_t precheck(struct plan *plan)
{
    const struct smc_own *own = plan->own;
    const struct smc_clc_proposal_info *p = plan->p;
    bool peer_v1 = p->v1_r || p->v1_d, peer_v2 = p->v2_r || p->v2_d;
    if (!peer_v1 && !peer_v2)
        return SMC_DIAG_PEERNOSMC; /* [CLC-030] */
    if (!(peer_v1 && own->v1) && !(peer_v2 && own->v2))
        return SMC_DIAG_VERSMISMAT;
    plan->d1 = own->v1 && own->smc_d && p->v1_d;
    plan->r1 = own->v1 && own->smc_r && p->v1_r;
    plan->d2 = own->v2 && own->smc_d && p->v2_d;
    plan->r2 = own->v2 && own->smc_r && p->v2_r;
    if (!plan->d1 && !plan->r1 && !plan->d2 && !plan->r2)
        return SMC_DIAG_MODEUNSUPP;
    uint32_t reason = precheck_v2(plan);
    return plan->d1 || plan->r1 || plan->d2 || plan->r2 ? 0 : reason;
}

/* Own devices of the same CHID: equal is necessary, not sufficient [SMCD-025]; the caller asks the device. */
static void match_chid(struct plan *plan, uint16_t chid, const struct smc_gid *peer, const uint8_t *eid)
{
    if (chid == 0 || smc_gid_is_zero(peer) || (emulated(chid) && !plan->own->emulated))
        return;
    for (unsigned i = 0; i < plan->own->device_count && plan->count < SMC_OWN_DEVICES_MAX; i++) {
        const struct smc_own_device *d = &plan->own->devices[i];
        if (d->chid != chid || !d->v2_capable)
            continue;
        struct smc_agreement *a = add(plan, true, 2);
        a->device = i;
        a->chid = chid;
        a->peer_gid = *peer;
        memcpy(a->eid, eid, sizeof(a->eid));
    }
}

static void match_list(struct plan *plan, const uint8_t *eid)
{
    const struct smc_clc_proposal_info *p = plan->p;
    unsigned count = p->gid_count < SMC_CLC_MAX_GIDS ? p->gid_count : SMC_CLC_MAX_GIDS;
    for (unsigned i = 0; i < count; i++) {
        struct smc_gid gid = {{0}};
        memcpy(gid.bytes, p->entries[i].gid, 8);
        if (emulated(p->entries[i].chid)) {
            if (i + 1 >= count || p->entries[i + 1].chid != p->entries[i].chid)
                continue; /* half a GID is no device [CLC-070] */
            memcpy(gid.bytes + 8, p->entries[++i].gid, 8);
        }
        match_chid(plan, p->entries[i].chid, &gid, eid);
    }
}

static void try_d2(struct plan *plan)
{
    uint8_t eid[SMC_CLC_EID_BYTES];
    if (!plan->d2)
        return;
    if (smc_eid_choose(&plan->own->eids, plan->p, true, eid)) {
        struct smc_gid native = {{0}};
        memcpy(native.bytes, plan->p->ism_gid, 8);
        if (!emulated(plan->p->ism_chid))
            match_chid(plan, plan->p->ism_chid, &native, eid); /* native first */
        match_list(plan, eid);
    }
    rule_out(plan, SMC_DIAG_NOSMCD2DEV, false); /* counts if none of them could be used */
}

static void try_d1(struct plan *plan)
{
    const struct smc_clc_proposal_info *p = plan->p;
    struct smc_gid peer = {{0}};
    if (!plan->d1)
        return;
    memcpy(peer.bytes, p->ism_gid, 8);
    for (unsigned i = 0; i < plan->own->device_count && !smc_gid_is_zero(&peer); i++) {
        const struct smc_own_device *d = &plan->own->devices[i];
        if (emulated(d->chid) || (p->ism_chid != 0 && p->ism_chid != d->chid)) /* [SMCD-025] */
            continue;
        struct smc_agreement *a = add(plan, true, 1);
        a->device = i;
        a->chid = d->chid;
        a->peer_gid = peer;
    }
    rule_out(plan, SMC_DIAG_NOSMCDDEV, false);
}

static void try_r2(struct plan *plan)
{
    const struct smc_clc_proposal_info *p = plan->p;
    uint8_t eid[SMC_CLC_EID_BYTES];
    if (!plan->r2 || !smc_eid_choose(&plan->own->eids, p, false, eid))
        return; /* no code of its own */
    if (!plan->own->r2 || smc_gid_is_zero((const struct smc_gid *)(const void *)p->roce_gid)) {
        rule_out(plan, SMC_DIAG_NOSMCRDEV, false);
        return;
    }
    bool release1 = plan->own->release >= 1 && p->release >= 1;
    if (release1 && p->max_conns < SMC_MAX_CONNS_MIN) { /* [CLC-066] */
        rule_out(plan, SMC_DIAG_MAXCONNERR, true);
        return;
    }
    if (release1 && p->max_links < 1) { /* [CLC-067] */
        rule_out(plan, SMC_DIAG_MAXLINKERR, true);
        return;
    }
    struct smc_agreement *a = add(plan, false, 2);
    memcpy(a->eid, eid, sizeof(a->eid));
    memcpy(a->peer_gid.bytes, p->roce_gid, sizeof(a->peer_gid.bytes));
    if (release1) {
        a->max_conns = smaller(a->max_conns, p->max_conns);
        a->max_links = smaller(smaller(a->max_links, p->max_links), RELEASE1_LINKS_MAX); /* [CLC-067] */
    }
}

static void try_r1(struct plan *plan, bool same_network)
{
    if (!plan->r1 || !plan->own->r1 || !same_network) {
        rule_out(plan, SMC_DIAG_NOSMCDEV, true);
        return;
    }
    struct smc_agreement *a = add(plan, false, 1);
    memcpy(a->peer_gid.bytes, plan->p->gid, sizeof(a->peer_gid.bytes));
}

unsigned smc_negotiate_server(const struct smc_own *own, const struct smc_clc_proposal_info *p,
                              struct smc_step steps[SMC_STEPS_MAX])
{
    struct plan plan = {.own = own, .p = p, .steps = steps};
    uint32_t reason = precheck(&plan);
    if (reason != 0) {
        rule_out(&plan, reason, true);
        return plan.count;
    }
    try_d2(&plan);
    bool same_network = smc_negotiate_same_network(own, p);
    if ((plan.r1 || plan.d1) && !same_network) /* only remembered: version 1 of SMC-R alone needs it [CLC-021] */
        rule_out(&plan, SMC_DIAG_DIFFPREFIX, false);
    try_d1(&plan);
    try_r2(&plan);
    try_r1(&plan, same_network);
    return plan.count;
}

/* ---- Accept and Confirm ------------------------------------------------------------------------- */
/* The element that the peer offers, and values that no side may send: Decline, not termination [CLC-009]. */
static uint32_t check_element(const struct smc_clc_accept_info *a, bool first_contact)
{
    if (a->path == SMC_PATH_D) /* [SMCD-009] [SMCD-026] */
        return a->rmbe_index >= 16 || a->bsize > SMC_CLC_MAX_BSIZE_D ? SMC_DIAG_CNFERR : 0;
    if (a->rmbe_index == 0) /* [CLC-037] */
        return SMC_DIAG_CNFERR;
    /* Linux from 6.11 on has elements above 512 KiB; the offset must fit [CLC-033] [CLC-038]. */
    if (smc_clc_buffer_size(a->bsize) * a->rmbe_index > INT32_MAX ||
        a->rmb_va > UINT64_MAX - smc_clc_buffer_size(a->bsize) * a->rmbe_index)
        return SMC_DIAG_CNFERR;
    if (first_contact && smc_clc_mtu_bytes(a->mtu) == 0) /* [CLC-036] */
        return SMC_DIAG_CNFERR;
    return 0;
}

/* The device that an Accept of SMC-D v2 names: one that was offered and exists [CLC-078]; -1: none. */
static int offered_device(const struct smc_own *own, const struct smc_offered *offered, uint16_t chid)
{
    if (chid == 0)
        return -1;
    if (offered->native >= 0 && own->devices[offered->native].chid == chid && own->devices[offered->native].v2_capable)
        return offered->native;
    for (unsigned i = 0; i < offered->listed_count; i++)
        if (own->devices[offered->listed[i]].chid == chid)
            return offered->listed[i];
    return -1;
}

static uint32_t check_mode(const struct smc_clc_proposal_info *sent, const struct smc_clc_accept_info *a)
{
    bool d = a->path == SMC_PATH_D;
    if (a->version > 2 || (a->version == 1 && !sent->v1_r && !sent->v1_d) || (a->version == 2 && !sent->v2_r && !sent->v2_d))
        return SMC_DIAG_VERSMISMAT;
    bool was_offered = a->version == 1 ? (d ? sent->v1_d : sent->v1_r) : (d ? sent->v2_d : sent->v2_r);
    return was_offered ? 0 : SMC_DIAG_MODEUNSUPP; /* [CLC-076] */
}

static uint32_t check_device(const struct smc_own *own, const struct smc_offered *offered, const struct smc_clc_accept_info *a,
                             struct smc_agreement *out)
{
    int device = a->version >= 2 ? offered_device(own, offered, a->chid) : offered->native;
    if (device < 0)
        return a->version >= 2 ? SMC_DIAG_NOSMCD2DEV : SMC_DIAG_NOSMCDDEV;
    out->device = (unsigned)device;
    out->chid = own->devices[device].chid;
    memcpy(out->peer_gid.bytes, a->gid, emulated(out->chid) ? 16 : 8);
    return smc_gid_is_zero(&out->peer_gid) ? SMC_DIAG_CNFERR : 0;
}

/* What the first-contact extension says. */
static uint32_t check_extension(const struct smc_clc_proposal_info *sent, const struct smc_clc_accept_info *a,
                                struct smc_agreement *out)
{
    if (a->fce_len == 0 || a->release > sent->release)
        return SMC_DIAG_RELEASEERR;
    out->release = a->release;
    if (a->release >= 1 && a->fce_len == SMC_CLC_FCE_LONG)
        out->features = a->features & sent->features; /* [CLC-069] */
    if (a->path == SMC_PATH_D || a->release < 1)
        return 0;
    if (a->fce_len != SMC_CLC_FCE_LONG)
        return SMC_DIAG_RELEASEERR; /* [CLC-059] */
    if (a->max_conns < SMC_MAX_CONNS_MIN)
        return SMC_DIAG_MAXCONNERR; /* [CLC-066] */
    if (a->max_links < 1 || a->max_links > smaller(sent->max_links, RELEASE1_LINKS_MAX))
        return SMC_DIAG_MAXLINKERR; /* [CLC-067] */
    out->max_conns = a->max_conns;
    out->max_links = a->max_links;
    return 0;
}

uint32_t smc_negotiate_accept(const struct smc_own *own, const struct smc_clc_proposal_info *sent,
                              const struct smc_offered *offered, const struct smc_clc_accept_info *a, struct smc_agreement *out)
{
    *out = (struct smc_agreement){.smc_d = a->path == SMC_PATH_D,
                                  .version = a->version,
                                  .max_conns = own->max_conns,
                                  .max_links = own->max_links};
    uint32_t diagnosis = check_mode(sent, a);
    if (diagnosis == 0)
        diagnosis = check_element(a, a->first_contact);
    if (diagnosis == 0 && out->smc_d)
        diagnosis = check_device(own, offered, a, out);
    if (diagnosis != 0)
        return diagnosis;
    if (!out->smc_d)
        memcpy(out->peer_gid.bytes, a->gid, sizeof(out->peer_gid.bytes));
    if (a->version < 2)
        return 0;
    if (!smc_eid_offered(sent, out->smc_d, a->eid)) /* [CLC-061]; no code of its own */
        return out->smc_d ? SMC_DIAG_NOSMCD2DEV : SMC_DIAG_NOSMCDEV;
    memcpy(out->eid, a->eid, sizeof(out->eid));
    return a->first_contact ? check_extension(sent, a, out) : 0;
}

static uint32_t check_repeated(const struct smc_clc_accept_info *sent, const struct smc_clc_accept_info *c)
{
    if (c->fce_len == 0 || c->release != sent->release)
        return SMC_DIAG_RELEASEERR; /* [CLC-065] */
    if (sent->path == SMC_PATH_D)
        return 0;
    if (c->v2_direct != sent->v2_direct)
        return SMC_DIAG_NOINDIRECT;
    if (sent->release < 1)
        return 0;
    if (c->fce_len != SMC_CLC_FCE_LONG)
        return SMC_DIAG_RELEASEERR;
    if (c->max_conns != sent->max_conns) /* [CLC-068] */
        return SMC_DIAG_MAXCONNERR;
    return c->max_links != sent->max_links ? SMC_DIAG_MAXLINKERR : 0;
}

uint32_t smc_negotiate_confirm(const struct smc_clc_accept_info *sent, const struct smc_clc_accept_info *c)
{
    if (c->version != sent->version)
        return SMC_DIAG_VERSMISMAT;
    if (c->path != sent->path)
        return SMC_DIAG_MODEUNSUPP;
    uint32_t diagnosis = check_element(c, sent->first_contact);
    if (diagnosis != 0)
        return diagnosis;
    if (sent->path == SMC_PATH_D && sent->version >= 2 && c->chid != sent->chid)
        return SMC_DIAG_NOSMCD2DEV;
    if (sent->version < 2)
        return 0;
    if (memcmp(c->eid, sent->eid, sizeof(c->eid)) != 0)
        return sent->path == SMC_PATH_D ? SMC_DIAG_NOSMCD2DEV : SMC_DIAG_NOSMCDEV;
    return sent->first_contact ? check_repeated(sent, c) : 0;
}
