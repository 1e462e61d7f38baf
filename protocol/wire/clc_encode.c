/* Encoders of the CLC messages.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Each computes the length first and compares it with the room once; then areas are written one behind the other. */
#include "clc.h"

#define COPY(to, from) memcpy(to, from, sizeof(to))

/* peer id, as the layouts have it: instance and MAC */
#define PUT_PEER_ID(fields, id)                                                                    \
    do {                                                                                           \
        (fields).instance = (smc_u2)smc_load_be(id, 2);                                            \
        memcpy((fields).peer_mac, (id) + 2, 6);                                                    \
    } while (0)

static uint8_t *put_trailer(uint8_t *p, const uint8_t *eyecatcher)
{
    memcpy(p, eyecatcher, smc_clc_trailer_size);
    return p + smc_clc_trailer_size;
}

/* ---- Proposal ---- */
struct proposal_plan {
    size_t ip_area; /* bytes of it and its prefixes */
    size_t v2_ext;  /* and its EIDs */
    size_t d_ext;   /* and its entries */
    size_t total;
};

static bool plan_proposal(const struct smc_clc_proposal_info *in, struct proposal_plan *plan)
{
    if (in->prefix_count > SMC_CLC_MAX_PREFIXES || in->eid_count > SMC_CLC_MAX_EIDS ||
        (in->has_d_ext && in->gid_count > SMC_CLC_MAX_GIDS) ||
        (in->has_v2_ext && !in->has_smcd_area) || (in->has_d_ext && !in->has_v2_ext))
        return false;
    plan->ip_area = in->has_ip_area
                        ? smc_clc_ip_area_size + (size_t)in->prefix_count * smc_clc_ip6_prefix_size
                        : 0;
    plan->v2_ext =
        in->has_v2_ext ? smc_clc_v2_ext_size + (size_t)in->eid_count * smc_clc_eid_size : 0;
    plan->d_ext =
        in->has_d_ext ? smc_clc_d_ext_size + (size_t)in->gid_count * smc_clc_gid_chid_size : 0;
    plan->total = smc_clc_proposal_size + (in->has_smcd_area ? smc_clc_smcd_area_size : 0) +
                  plan->ip_area + plan->v2_ext + plan->d_ext + smc_clc_trailer_size;
    return true;
}

/* Distance from the end of a two-byte offset field to the end of the layout that holds it. */
#define BEHIND(L, f) ((uint16_t)(smc_##L##_size - smc_##L##_layout.fields[smc_##L##_i_##f].off - 2))

static uint8_t *put_proposal_head(uint8_t *p, const struct smc_clc_proposal_info *in,
                                  const struct proposal_plan *plan)
{
    struct smc_clc_proposal_fields h = {.type = SMC_CLC_PROPOSAL,
                                        .length = (smc_u2)plan->total,
                                        .version = in->version,
                                        .typev2 = in->typev2,
                                        .typev1 = in->typev1};
    COPY(h.eyecatcher, smc_eyecatcher_r);
    PUT_PEER_ID(h, in->peer_id);
    COPY(h.gid, in->gid);
    COPY(h.mac, in->mac);
    h.iparea_offset =
        in->has_ip_area && in->has_smcd_area ? smc_clc_smcd_area_size : 0; /* [CLC-029] */
    smc_clc_proposal_encode(&h, p);
    return p + smc_clc_proposal_size;
}

static uint8_t *put_smcd_area(uint8_t *p, const struct smc_clc_proposal_info *in,
                              const struct proposal_plan *plan)
{
    struct smc_clc_smcd_area_fields a = {.chid = in->ism_chid};
    if (!in->has_smcd_area)
        return p;
    COPY(a.ism_gid, in->ism_gid);
    if (in->has_v2_ext)
        a.v2_offset = (smc_u2)(BEHIND(clc_smcd_area, v2_offset) + plan->ip_area);
    COPY(a.oui, in->oui);
    COPY(a.vendor_options, in->vendor_options);
    smc_clc_smcd_area_encode(&a, p);
    return p + smc_clc_smcd_area_size;
}

static uint8_t *put_ip_area(uint8_t *p, const struct smc_clc_proposal_info *in)
{
    struct smc_clc_ip_area_fields a = {
        .subnet = in->subnet, .mask_len = in->mask_len, .prefix_count = in->prefix_count};
    if (!in->has_ip_area)
        return p;
    smc_clc_ip_area_encode(&a, p);
    p += smc_clc_ip_area_size;
    for (unsigned i = 0; i < in->prefix_count; i++, p += smc_clc_ip6_prefix_size)
        smc_clc_ip6_prefix_encode(&in->prefixes[i], p);
    return p;
}

static uint8_t *put_v2_ext(uint8_t *p, const struct smc_clc_proposal_info *in,
                           const struct proposal_plan *plan)
{
    struct smc_clc_v2_ext_fields e = {.eid_count = in->eid_count,
                                      .gid_count = in->gid_count,
                                      .release = in->release,
                                      .seid_valid = in->seid_valid,
                                      .max_conns = in->max_conns,
                                      .max_links = in->max_links,
                                      .features = in->features};
    if (!in->has_v2_ext)
        return p;
    COPY(e.roce_gid, in->roce_gid);
    if (in->has_d_ext)
        e.d_offset = (smc_u2)(BEHIND(clc_v2_ext, d_offset) + plan->v2_ext - smc_clc_v2_ext_size);
    smc_clc_v2_ext_encode(&e, p);
    memcpy(p + smc_clc_v2_ext_size, in->eids, plan->v2_ext - smc_clc_v2_ext_size);
    return p + plan->v2_ext;
}

static uint8_t *put_d_ext(uint8_t *p, const struct smc_clc_proposal_info *in)
{
    struct smc_clc_d_ext_fields d = {0};
    if (!in->has_d_ext)
        return p;
    COPY(d.seid, in->seid);
    smc_clc_d_ext_encode(&d, p);
    p += smc_clc_d_ext_size;
    for (unsigned i = 0; i < in->gid_count; i++, p += smc_clc_gid_chid_size)
        smc_clc_gid_chid_encode(&in->entries[i], p);
    return p;
}

size_t smc_clc_encode_proposal(const struct smc_clc_proposal_info *in, uint8_t *buf, size_t cap)
{
    struct proposal_plan plan;
    if (!plan_proposal(in, &plan) || cap < plan.total)
        return 0;
    uint8_t *p = put_proposal_head(buf, in, &plan);
    p = put_smcd_area(p, in, &plan);
    p = put_ip_area(p, in);
    p = put_v2_ext(p, in, &plan);
    p = put_d_ext(p, in);
    put_trailer(p, smc_eyecatcher_r);
    return plan.total;
}

/* ---- Accept and Confirm ---- */
static size_t accept_length(const struct smc_clc_accept_info *in)
{
    size_t gids =
        in->has_gid_list ? smc_clc_gid_list_size + (size_t)in->gid_count * smc_clc_gid_size : 0;
    size_t body;
    if (in->path == SMC_PATH_R)
        body = smc_clc_accept_r_size + (in->has_eid ? smc_clc_accept_r_v2_size : 0);
    else
        body = smc_clc_accept_d_size +
               (in->has_eid ? smc_clc_accept_d_v2_size : smc_clc_accept_d_v1_size);
    return body + in->fce_len + gids + smc_clc_trailer_size;
}

static bool accept_consistent(const struct smc_clc_accept_info *in)
{
    return in->path <= SMC_PATH_D && in->gid_count <= UINT8_MAX &&
           (in->fce_len == 0 || in->fce_len == SMC_CLC_FCE_SHORT ||
            in->fce_len == SMC_CLC_FCE_LONG) &&
           (!in->has_gid_list ||
            smc_view_len(in->gids) == (size_t)in->gid_count * smc_clc_gid_size);
}

static uint8_t *put_accept_r(uint8_t *p, const struct smc_clc_accept_info *in, size_t length)
{
    struct smc_clc_accept_r_fields h = {.type = in->type,
                                        .length = (smc_u2)length,
                                        .version = in->version,
                                        .first_contact = in->first_contact,
                                        .path = in->path,
                                        .qpn = in->qpn,
                                        .rkey = in->rkey,
                                        .rmbe_index = in->rmbe_index,
                                        .token = in->token,
                                        .bsize = in->bsize,
                                        .mtu = in->mtu,
                                        .rmb_va = in->rmb_va,
                                        .psn = in->psn};
    struct smc_clc_accept_r_v2_fields v2 = {0};
    COPY(h.eyecatcher, smc_eyecatcher_r);
    PUT_PEER_ID(h, in->peer_id);
    COPY(h.gid, in->gid);
    COPY(h.mac, in->mac);
    smc_clc_accept_r_encode(&h, p);
    p += smc_clc_accept_r_size;
    if (!in->has_eid)
        return p;
    COPY(v2.eid, in->eid);
    smc_clc_accept_r_v2_encode(&v2, p);
    return p + smc_clc_accept_r_v2_size;
}

static uint8_t *put_accept_d(uint8_t *p, const struct smc_clc_accept_info *in, size_t length)
{
    struct smc_clc_accept_d_fields h = {.type = in->type,
                                        .length = (smc_u2)length,
                                        .version = in->version,
                                        .first_contact = in->first_contact,
                                        .path = in->path,
                                        .token = in->dmb_token,
                                        .dmbe_index = in->rmbe_index,
                                        .bsize = in->bsize,
                                        .link_id = in->link_id};
    struct smc_clc_accept_d_v2_fields v2 = {.chid = in->chid};
    COPY(h.eyecatcher, smc_eyecatcher_d);
    COPY(h.gid, in->gid);
    smc_clc_accept_d_encode(&h, p);
    p += smc_clc_accept_d_size;
    if (!in->has_eid) {
        memset(p, 0, smc_clc_accept_d_v1_size);
        return p + smc_clc_accept_d_v1_size;
    }
    COPY(v2.eid, in->eid);
    COPY(v2.gid_ext, in->gid + 8);
    smc_clc_accept_d_v2_encode(&v2, p);
    return p + smc_clc_accept_d_v2_size;
}

static uint8_t *put_fce(uint8_t *p, const struct smc_clc_accept_info *in)
{
    struct smc_clc_fce_fields fce = {
        .v2_direct = in->v2_direct, .os_type = in->os_type, .release = in->release};
    struct smc_clc_fce_v2x_fields tail = {
        .max_conns = in->max_conns, .max_links = in->max_links, .features = in->features};
    if (in->fce_len == 0)
        return p;
    COPY(fce.hostname, in->hostname);
    smc_clc_fce_encode(&fce, p);
    p += smc_clc_fce_size;
    if (in->fce_len == SMC_CLC_FCE_SHORT)
        return p;
    COPY(tail.vendor_options, in->vendor_options);
    smc_clc_fce_v2x_encode(&tail, p);
    return p + smc_clc_fce_v2x_size;
}

static uint8_t *put_gid_list(uint8_t *p, const struct smc_clc_accept_info *in)
{
    struct smc_clc_gid_list_fields list = {.count = (smc_u1)in->gid_count};
    if (!in->has_gid_list)
        return p;
    smc_clc_gid_list_encode(&list, p);
    p += smc_clc_gid_list_size;
    if (in->gid_count > 0)
        memcpy(p, in->gids.p, smc_view_len(in->gids));
    return p + (size_t)in->gid_count * smc_clc_gid_size;
}

size_t smc_clc_encode_accept(const struct smc_clc_accept_info *in, uint8_t *buf, size_t cap)
{
    size_t length = accept_length(in);
    if (!accept_consistent(in) || cap < length)
        return 0;
    bool r = in->path == SMC_PATH_R;
    uint8_t *p = r ? put_accept_r(buf, in, length) : put_accept_d(buf, in, length);
    p = put_fce(p, in);
    p = put_gid_list(p, in);
    put_trailer(p, r ? smc_eyecatcher_r : smc_eyecatcher_d);
    return length;
}

/* ---- Decline ---- */
size_t smc_clc_encode_decline(const struct smc_clc_decline_info *in, uint8_t *buf, size_t cap)
{
    bool v2 = in->version >= 2; /* [CLC-043] [CLC-044] */
    size_t length =
        smc_clc_decline_size + (v2 ? smc_clc_decline_v2_size : 0) + smc_clc_trailer_size;
    struct smc_clc_decline_fields h = {.type = SMC_CLC_DECLINE,
                                       .length = (smc_u2)length,
                                       .version = in->version,
                                       .out_of_sync = in->out_of_sync,
                                       .diagnosis = in->diagnosis,
                                       .os_type = v2 ? in->os_type : 0};
    if (cap < length)
        return 0;
    COPY(h.eyecatcher, smc_eyecatcher_r);
    PUT_PEER_ID(h, in->peer_id);
    smc_clc_decline_encode(&h, buf);
    uint8_t *p = buf + smc_clc_decline_size;
    for (unsigned i = 0; v2 && i < 4; i++, p += 4)
        smc_store_be(p, 4, in->diagnosis4[i]);
    put_trailer(p, smc_eyecatcher_r);
    return length;
}
