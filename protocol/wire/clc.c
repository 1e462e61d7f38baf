/* CLC messages: framing, identification, parsing, decoding.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "clc.h"

const uint8_t smc_eyecatcher_r[4] = {0xe2, 0xd4, 0xc3, 0xd9};
const uint8_t smc_eyecatcher_d[4] = {0xe2, 0xd4, 0xc3, 0xc4};

bool smc_is_eyecatcher(const uint8_t *p)
{
    return memcmp(p, smc_eyecatcher_r, 4) == 0 || memcmp(p, smc_eyecatcher_d, 4) == 0;
}

static bool refuse(struct smc_reject *why, size_t offset, const char *field, const char *rule,
                   const char *what, uint64_t seen)
{
    *why = (struct smc_reject){
        .offset = offset, .field = field, .rule = rule, .what = what, .seen = seen};
    return false;
}

const struct smc_message *smc_clc_identify(struct smc_view bytes)
{
    return smc_message_find(smc_clc_messages, bytes);
}

unsigned smc_clc_type_of(struct smc_view bytes)
{
    struct smc_clc_header h;
    return smc_clc_header_at(bytes, 0, &h) ? smc_clc_header_type(h) : 0;
}

/* The first bytes alone can tell that this is no CLC message; a stream must not wait for more of them. */
static bool eyecatcher_begins(struct smc_view stream, struct smc_reject *why)
{
    size_t have = smc_view_len(stream) < 4 ? smc_view_len(stream) : 4;
    for (size_t i = 0; i < have; i++)
        if (stream.p[i] != smc_eyecatcher_r[i] && stream.p[i] != smc_eyecatcher_d[i])
            return refuse(why, i, "eyecatcher", "CLC-001", "no eyecatcher at the start",
                          stream.p[i]);
    return true;
}

/* [CLC-004] [CLC-007] [CLC-009]: what no message of the family answers to. */
static bool header_known(struct smc_clc_header h, struct smc_reject *why)
{
    unsigned type = smc_clc_header_type(h);
    if (type < SMC_CLC_PROPOSAL || type > SMC_CLC_DECLINE)
        return refuse(why, 4, "type", "CLC-007", "there is no such message type", type);
    if (smc_clc_header_version(h) == 0)
        return refuse(why, 7, "version", "CLC-004", "there is no version 0", 0);
    unsigned path = smc_clc_header_flags(h) & 3;
    if ((type == SMC_CLC_ACCEPT || type == SMC_CLC_CONFIRM) && path > SMC_PATH_D)
        return refuse(why, 7, "path", "CLC-009", "the path is neither SMC-R nor SMC-D", path);
    return true;
}

/* [CLC-008], and the rule of the message whose sizes are known. */
static bool length_possible(const struct smc_message *message, unsigned len, struct smc_reject *why)
{
    if (len < SMC_CLC_MIN)
        return refuse(why, 5, "length", "CLC-008", "shorter than header and trailer", len);
    if (len < message->min)
        return refuse(why, 5, "length", message->end_rule,
                      "shorter than the shortest message of its kind", len);
    if (len > message->max)
        return refuse(why, 5, "length", message->end_rule,
                      "longer than the longest message of its kind", len);
    return true;
}

enum smc_frame smc_clc_frame(struct smc_view stream, size_t *len, struct smc_reject *why)
{
    struct smc_clc_header h;
    *len = 0;
    if (!eyecatcher_begins(stream, why))
        return SMC_FRAME_BAD;
    if (!smc_clc_header_at(stream, 0, &h))
        return SMC_FRAME_MORE;
    if (!header_known(h, why) ||
        !length_possible(smc_clc_identify(stream), smc_clc_header_length(h), why))
        return SMC_FRAME_BAD;
    *len = smc_clc_header_length(h); /* [CLC-005] */
    return smc_view_len(stream) < *len ? SMC_FRAME_MORE : SMC_FRAME_OK;
}

/* [CLC-001]: a message whose areas are all right must end with an eyecatcher. */
static bool trailer_there(const struct smc_parsed *m, struct smc_reject *why)
{
    struct smc_clc_trailer t;
    if (SMC_PART(m, clc_trailer, 0, &t) && smc_is_eyecatcher(smc_clc_trailer_eyecatcher(t)))
        return true;
    return refuse(why, smc_view_len(m->bytes) - smc_clc_trailer_size, "eyecatcher", "CLC-001",
                  "no eyecatcher at the end", smc_load_be(m->bytes.end - smc_clc_trailer_size, 4));
}

/* [CLC-029]: an IP area that should not be there is seen by the parser as unused bytes before the v2 extension. */
static void name_the_ip_area(const struct smc_parsed *m, struct smc_reject *why)
{
    struct smc_clc_proposal h;
    struct smc_clc_smcd_area area;
    enum {
        AREA_TO_EXT = smc_clc_smcd_area_size - 12
    }; /* bytes from the end of the offset to the area's end */
    if (!SMC_PART(m, clc_proposal, 0, &h) || !SMC_PART(m, clc_smcd_area, 0, &area) ||
        smc_clc_proposal_typev1(h) != SMC_MODES_NONE || strcmp(why->field, "v2_offset") != 0 ||
        strcmp(why->rule, "CLC-023") != 0)
        return;
    if (smc_clc_smcd_area_v2_offset(area) >= AREA_TO_EXT + smc_clc_ip_area_size) {
        why->rule = "CLC-029";
        why->what = "bytes of an IP area although typev1 offers nothing";
    }
}

bool smc_clc_parse(struct smc_view bytes, struct smc_parsed *out, struct smc_reject *why)
{
    size_t len;
    *out = (struct smc_parsed){.bytes = bytes};
    enum smc_frame frame = smc_clc_frame(bytes, &len, why);
    if (frame == SMC_FRAME_MORE)
        return refuse(why, smc_view_len(bytes), "length", "CLC-008", "the message is not complete",
                      smc_view_len(bytes));
    if (frame == SMC_FRAME_BAD)
        return false;
    if (len != smc_view_len(bytes))
        return refuse(why, 5, "length", "CLC-008", "bytes beyond the message", len);
    if (smc_message_parse(smc_clc_identify(bytes), bytes, out, why))
        return trailer_there(out, why);
    name_the_ip_area(out, why);
    return false;
}

/* ---- decoding ---- */
#define COPY(to, from) memcpy(to, from, sizeof(to))

static void decode_ip_area(const struct smc_parsed *m, struct smc_clc_proposal_info *out)
{
    struct smc_clc_ip_area ip;
    struct smc_clc_ip6_prefix prefix;
    out->has_ip_area = SMC_PART(m, clc_ip_area, 0, &ip);
    if (!out->has_ip_area)
        return;
    out->subnet = smc_clc_ip_area_subnet(ip);
    out->mask_len = smc_clc_ip_area_mask_len(ip);
    out->prefix_count = smc_clc_ip_area_prefix_count(ip);
    for (unsigned i = 0; i < SMC_CLC_MAX_PREFIXES && SMC_PART(m, clc_ip6_prefix, i, &prefix); i++)
        smc_clc_ip6_prefix_decode(prefix, &out->prefixes[i]);
}

static void decode_smcd_area(const struct smc_parsed *m, struct smc_clc_proposal_info *out)
{
    struct smc_clc_smcd_area area;
    out->has_smcd_area = SMC_PART(m, clc_smcd_area, 0, &area);
    if (!out->has_smcd_area)
        return;
    COPY(out->ism_gid, smc_clc_smcd_area_ism_gid(area));
    out->ism_chid = smc_clc_smcd_area_chid(area);
    out->v2_offset = smc_clc_smcd_area_v2_offset(area);
    COPY(out->oui, smc_clc_smcd_area_oui(area));
    COPY(out->vendor_options, smc_clc_smcd_area_vendor_options(area));
}

static void decode_v2_ext(const struct smc_parsed *m, struct smc_clc_proposal_info *out)
{
    struct smc_clc_v2_ext ext;
    struct smc_clc_eid eid;
    out->has_v2_ext = SMC_PART(m, clc_v2_ext, 0, &ext);
    if (!out->has_v2_ext)
        return;
    out->eid_count = smc_clc_v2_ext_eid_count(ext);
    out->gid_count = smc_clc_v2_ext_gid_count(ext);
    out->release = smc_clc_v2_ext_release(ext);
    out->seid_valid = smc_clc_v2_ext_seid_valid(ext);
    out->d_offset = smc_clc_v2_ext_d_offset(ext);
    COPY(out->roce_gid, smc_clc_v2_ext_roce_gid(ext));
    out->max_conns = smc_clc_v2_ext_max_conns(ext);
    out->max_links = smc_clc_v2_ext_max_links(ext);
    out->features = smc_clc_v2_ext_features(ext);
    for (unsigned i = 0; i < SMC_CLC_MAX_EIDS && SMC_PART(m, clc_eid, i, &eid); i++)
        COPY(out->eids[i], smc_clc_eid_eid(eid));
}

static void decode_d_ext(const struct smc_parsed *m, struct smc_clc_proposal_info *out)
{
    struct smc_clc_d_ext ext;
    struct smc_clc_gid_chid entry;
    out->has_d_ext = SMC_PART(m, clc_d_ext, 0, &ext);
    if (!out->has_d_ext)
        return;
    COPY(out->seid, smc_clc_d_ext_seid(ext));
    for (unsigned i = 0; i < SMC_CLC_MAX_GIDS && SMC_PART(m, clc_gid_chid, i, &entry); i++)
        smc_clc_gid_chid_decode(entry, &out->entries[i]);
}

static bool offers(unsigned modes, unsigned path)
{
    return modes == SMC_MODES_BOTH || modes == path; /* SMC_MODES_R is SMC_PATH_R, likewise D */
}

bool smc_clc_decode_proposal(const struct smc_parsed *m, struct smc_clc_proposal_info *out)
{
    struct smc_clc_proposal h;
    *out = (struct smc_clc_proposal_info){0};
    if (!SMC_PART(m, clc_proposal, 0, &h))
        return false;
    out->version = smc_clc_proposal_version(h);
    out->typev1 = smc_clc_proposal_typev1(h);
    out->typev2 = smc_clc_proposal_typev2(h);
    out->v1_r = offers(out->typev1, SMC_PATH_R);
    out->v1_d = offers(out->typev1, SMC_PATH_D);
    out->v2_r = out->version >= 2 && offers(out->typev2, SMC_PATH_R); /* [CLC-028] */
    out->v2_d = out->version >= 2 && offers(out->typev2, SMC_PATH_D);
    memcpy(out->peer_id, h.p + 8, sizeof(out->peer_id)); /* instance and MAC */
    COPY(out->gid, smc_clc_proposal_gid(h));
    COPY(out->mac, smc_clc_proposal_mac(h));
    out->iparea_offset = smc_clc_proposal_iparea_offset(h);
    decode_smcd_area(m, out);
    decode_ip_area(m, out);
    decode_v2_ext(m, out);
    decode_d_ext(m, out);
    return true;
}

static bool decode_accept_r(const struct smc_parsed *m, struct smc_clc_accept_info *out)
{
    struct smc_clc_accept_r h;
    if (!SMC_PART(m, clc_accept_r, 0, &h))
        return false;
    memcpy(out->peer_id, h.p + 8, sizeof(out->peer_id));
    COPY(out->gid, smc_clc_accept_r_gid(h));
    COPY(out->mac, smc_clc_accept_r_mac(h));
    out->qpn = smc_clc_accept_r_qpn(h);
    out->rkey = smc_clc_accept_r_rkey(h);
    out->rmbe_index = smc_clc_accept_r_rmbe_index(h);
    out->token = smc_clc_accept_r_token(h);
    out->bsize = smc_clc_accept_r_bsize(h);
    out->mtu = smc_clc_accept_r_mtu(h);
    out->rmb_va = smc_clc_accept_r_rmb_va(h);
    out->psn = smc_clc_accept_r_psn(h);
    struct smc_clc_accept_r_v2 v2;
    out->has_eid = SMC_PART(m, clc_accept_r_v2, 0, &v2);
    if (out->has_eid)
        COPY(out->eid, smc_clc_accept_r_v2_eid(v2));
    return true;
}

static bool decode_accept_d(const struct smc_parsed *m, struct smc_clc_accept_info *out)
{
    struct smc_clc_accept_d h;
    if (!SMC_PART(m, clc_accept_d, 0, &h))
        return false;
    memcpy(out->gid, smc_clc_accept_d_gid(h), 8);
    out->dmb_token = smc_clc_accept_d_token(h);
    out->rmbe_index = smc_clc_accept_d_dmbe_index(h);
    out->bsize = smc_clc_accept_d_bsize(h);
    out->link_id = smc_clc_accept_d_link_id(h);
    struct smc_clc_accept_d_v2 v2;
    out->has_eid = SMC_PART(m, clc_accept_d_v2, 0, &v2);
    if (out->has_eid) {
        out->chid = smc_clc_accept_d_v2_chid(v2);
        COPY(out->eid, smc_clc_accept_d_v2_eid(v2));
        memcpy(out->gid + 8, smc_clc_accept_d_v2_gid_ext(v2), 8);
    }
    return true;
}

static void decode_fce(const struct smc_parsed *m, struct smc_clc_accept_info *out)
{
    struct smc_clc_fce fce;
    struct smc_clc_fce_v2x tail;
    if (!SMC_PART(m, clc_fce, 0, &fce))
        return;
    out->fce_len = SMC_CLC_FCE_SHORT;
    out->v2_direct = smc_clc_fce_v2_direct(fce);
    out->os_type = smc_clc_fce_os_type(fce);
    out->release = smc_clc_fce_release(fce);
    COPY(out->hostname, smc_clc_fce_hostname(fce));
    if (!SMC_PART(m, clc_fce_v2x, 0, &tail))
        return;
    out->fce_len = SMC_CLC_FCE_LONG;
    out->max_conns = smc_clc_fce_v2x_max_conns(tail);
    out->max_links = smc_clc_fce_v2x_max_links(tail);
    out->features = smc_clc_fce_v2x_features(tail);
    COPY(out->vendor_options, smc_clc_fce_v2x_vendor_options(tail));
}

static void decode_gid_list(const struct smc_parsed *m, struct smc_clc_accept_info *out)
{
    out->has_gid_list = smc_part_count(m, &smc_clc_gid_list_layout) > 0;
    out->gid_count = smc_part_count(m, &smc_clc_gid_layout);
    if (out->gid_count > 0)
        out->gids = smc_view_of(smc_part_find(m, &smc_clc_gid_layout, 0),
                                (size_t)out->gid_count * smc_clc_gid_size);
}

bool smc_clc_decode_accept(const struct smc_parsed *m, struct smc_clc_accept_info *out)
{
    struct smc_clc_accept_d h; /* the first 8 bytes are the same for SMC-R */
    *out = (struct smc_clc_accept_info){0};
    if (!decode_accept_r(m, out) && !decode_accept_d(m, out))
        return false;
    h.p = m->bytes.p;
    out->type = smc_clc_accept_d_type(h);
    out->version = smc_clc_accept_d_version(h);
    out->path = smc_clc_accept_d_path(h);
    out->first_contact = smc_clc_accept_d_first_contact(h);
    decode_fce(m, out);
    decode_gid_list(m, out);
    return true;
}

bool smc_clc_decode_decline(const struct smc_parsed *m, struct smc_clc_decline_info *out)
{
    struct smc_clc_decline h;
    struct smc_clc_decline_v2 more;
    *out = (struct smc_clc_decline_info){0};
    if (!SMC_PART(m, clc_decline, 0, &h))
        return false;
    out->version = smc_clc_decline_version(h);
    out->out_of_sync = smc_clc_decline_out_of_sync(h); /* the bits below it are ignored [CLC-045] */
    memcpy(out->peer_id, h.p + 8, sizeof(out->peer_id));
    out->diagnosis = smc_clc_decline_diagnosis(h);
    if (!SMC_PART(m, clc_decline_v2, 0, &more))
        return true;
    out->os_type = smc_clc_decline_os_type(h);
    for (unsigned i = 0; i < 4; i++)
        out->diagnosis4[i] = (uint32_t)smc_load_be(more.p + 4 * i, 4);
    return true;
}
