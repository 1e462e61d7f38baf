/* LLC messages: classification, parsing, decoding.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "llc.h"

enum { CDC_TYPE = 0xfe };

const struct smc_message *smc_llc_identify(struct smc_view bytes)
{
    return smc_view_len(bytes) < smc_llc_header_size ? NULL
                                                     : smc_message_find(smc_llc_messages, bytes);
}

/* Of an unknown type, the two top bits decide what a receiver does (RFC 7609 A.3). */
enum smc_llc_class smc_llc_classify(struct smc_view bytes)
{
    if (smc_view_len(bytes) == 0)
        return SMC_LLC_EMPTY;
    unsigned type = bytes.p[0];
    if (type == CDC_TYPE) /* [LLC-005] */
        return SMC_LLC_CDC;
    if (smc_message_find(smc_llc_messages, bytes))
        return SMC_LLC_KNOWN;
    if (type == SMC_LLC_V2_TYPE + SMC_LLC_ADD_LINK_CONT ||
        type == SMC_LLC_V2_TYPE + SMC_LLC_CONFIRM_RKEY_CONT)
        return SMC_LLC_V2_NONE; /* [LLC-074] */
    if ((type & 0xc0) == 0xc0)
        return SMC_LLC_NOT_CDC;
    return (type & 0xc0) == 0x80 ? SMC_LLC_OPTIONAL : SMC_LLC_UNKNOWN; /* [LLC-003] [LLC-004] */
}

static bool refuse_type(struct smc_view bytes, struct smc_reject *why)
{
    static const struct {
        const char *rule, *what;
    } reasons[] = {
        [SMC_LLC_KNOWN] = {"LLC-001", "the message is too short"},
        [SMC_LLC_CDC] = {"LLC-005", "this is CDC"},
        [SMC_LLC_OPTIONAL] = {"LLC-003", "an optional message that is not known"},
        [SMC_LLC_NOT_CDC] = {"LLC-005", "the top bits say CDC and the type is not 0xfe"},
        [SMC_LLC_V2_NONE] = {"LLC-074", "version 2 has no such message"},
        [SMC_LLC_UNKNOWN] = {"LLC-004", "there is no such message"},
        [SMC_LLC_EMPTY] = {"LLC-001", "the message is empty"},
    };
    enum smc_llc_class class = smc_llc_classify(bytes);
    *why = (struct smc_reject){.field = "type",
                               .rule = reasons[class].rule,
                               .what = reasons[class].what,
                               .seen = class == SMC_LLC_EMPTY ? 0 : bytes.p[0]};
    return false;
}

bool smc_llc_parse(struct smc_view bytes, struct smc_parsed *out, struct smc_reject *why)
{
    const struct smc_message *message = smc_llc_identify(bytes);
    *out = (struct smc_parsed){.bytes = bytes};
    return message ? smc_message_parse(message, bytes, out, why) : refuse_type(bytes, why);
}

/* ---- decoding ---- */
#define COPY(to, from) memcpy(to, from, sizeof(to))

/* v1 and v2 share the bodies from byte 4 on; the bits of the flags byte are in the same place. So the v1 handle
 * reads both, except byte 2: a reject reason in v1, part of the length in v2. */
static void decode_confirm_link(const uint8_t *p, struct smc_llc_info *out)
{
    struct smc_llc_confirm_link h = {p};
    out->no_eyecatcher = smc_llc_confirm_link_no_eyecatcher(h);
    COPY(out->mac, smc_llc_confirm_link_mac(h));
    COPY(out->gid, smc_llc_confirm_link_gid(h));
    out->qpn = smc_llc_confirm_link_qpn(h);
    out->link_number = smc_llc_confirm_link_link_number(h);
    out->link_user_id = smc_llc_confirm_link_link_user_id(h);
    out->max_links = smc_llc_confirm_link_max_links(h);
    out->max_conns = smc_llc_confirm_link_max_conns(h);
}

/* The entries behind the extension; the count may be in either byte order and more than what fits [LLC-076]. */
static void decode_add_link_ext(const struct smc_parsed *m, struct smc_llc_info *out)
{
    struct smc_llc_add_link_v2_ext ext;
    unsigned order;
    out->has_ext = SMC_PART(m, llc_add_link_v2_ext, 0, &ext);
    if (!out->has_ext)
        return;
    out->v2_direct = smc_llc_add_link_v2_ext_v2_direct(ext);
    COPY(out->target_gid, smc_llc_add_link_v2_ext_target_gid(ext));
    size_t room = (size_t)(m->bytes.end - (ext.p + smc_llc_add_link_v2_ext_size));
    out->nrtokens = smc_count_either(smc_llc_add_link_v2_ext_rkey_count(ext),
                                     (unsigned)(room / smc_llc_rtoken_size), &out->count, &order);
    out->count_order = (uint8_t)order;
    out->rtokens = out->nrtokens ? smc_part_find(m, &smc_llc_rtoken_layout, 0) : NULL;
}

static void decode_add_link(const struct smc_parsed *m, struct smc_llc_info *out)
{
    struct smc_llc_add_link h = {m->bytes.p};
    out->reject = smc_llc_add_link_reject(h);
    out->reject_reason = out->version == 1 ? smc_llc_add_link_reject_reason(h) : 0; /* [LLC-077] */
    COPY(out->mac, smc_llc_add_link_mac(h));
    COPY(out->gid, smc_llc_add_link_gid(h));
    out->qpn = smc_llc_add_link_qpn(h);
    out->link_number = smc_llc_add_link_link_number(h);
    out->mtu = smc_llc_add_link_mtu(h);
    out->psn = smc_llc_add_link_psn(h);
    decode_add_link_ext(m, out);
}

static void decode_add_link_cont(const uint8_t *p, struct smc_llc_info *out)
{
    struct smc_llc_add_link_cont h = {p};
    out->link_number = smc_llc_add_link_cont_link_number(h);
    out->count = smc_llc_add_link_cont_rtoken_count(h);
    out->nrtokens = out->count < 2 ? out->count : 2; /* [LLC-030] */
    out->rtokens = p + smc_llc_add_link_cont_layout.fields[smc_llc_add_link_cont_i_ref_rkey1].off;
}

static void decode_delete_link(const uint8_t *p, struct smc_llc_info *out)
{
    struct smc_llc_delete_link h = {p};
    out->all = smc_llc_delete_link_all(h);
    out->orderly = smc_llc_delete_link_orderly(h);
    out->link_number = smc_llc_delete_link_link_number(h);
    out->reason = smc_llc_delete_link_reason(h);
}

enum { OTHER_BYTES = 13 }; /* link number, rkey, virtual address */

/* [LLC-056]: the count is the peer's, the entries are what the message has room for. */
static void decode_others(const uint8_t *p, unsigned max, struct smc_llc_info *out)
{
    out->nothers = out->count < max ? out->count : max;
    for (unsigned i = 0; i < out->nothers; i++, p += OTHER_BYTES)
        out->others[i] = (struct smc_llc_token){
            .link = p[0], .rkey = (uint32_t)smc_load_be(p + 1, 4), .va = smc_load_be(p + 5, 8)};
}

static void decode_confirm_rkey(const uint8_t *p, struct smc_llc_info *out)
{
    struct smc_llc_confirm_rkey h = {p};
    out->negative = smc_llc_confirm_rkey_negative(h);
    out->retry = smc_llc_confirm_rkey_retry(h);
    out->count = smc_llc_confirm_rkey_other_count(h);
    out->rkey = smc_llc_confirm_rkey_rkey(h);
    out->va = smc_llc_confirm_rkey_va(h);
    decode_others(p + smc_llc_confirm_rkey_layout.fields[smc_llc_confirm_rkey_i_link1].off, 2, out);
}

static void decode_confirm_rkey_cont(const uint8_t *p, struct smc_llc_info *out)
{
    struct smc_llc_confirm_rkey_cont h = {p};
    out->negative = smc_llc_confirm_rkey_cont_negative(h);
    out->count = smc_llc_confirm_rkey_cont_rtoken_count(h);
    decode_others(
        p + smc_llc_confirm_rkey_cont_layout.fields[smc_llc_confirm_rkey_cont_i_link1].off, 3, out);
}

static void decode_delete_rkey(const struct smc_parsed *m, struct smc_llc_info *out)
{
    struct smc_llc_delete_rkey h = {m->bytes.p};
    out->negative = smc_llc_delete_rkey_negative(h);
    out->count = smc_llc_delete_rkey_count(h);
    if (out->version == 1) {
        out->error_mask = smc_llc_delete_rkey_error_mask(h);
        out->nrkeys = out->count < 8 ? out->count : 8; /* [LLC-058] */
        out->rkeys = h.p + smc_llc_delete_rkey_layout.fields[smc_llc_delete_rkey_i_rkey1].off;
        return;
    }
    struct smc_llc_delete_rkey_v2 v2 = {m->bytes.p};
    out->invalid_count = smc_llc_delete_rkey_v2_invalid_count(v2);
    out->nrkeys = smc_part_count(m, &smc_llc_rkey_layout);
    out->rkeys = smc_part_find(m, &smc_llc_rkey_layout, 0);
}

static void decode_req_add_link(const struct smc_parsed *m, struct smc_llc_info *out)
{
    struct smc_llc_req_add_link_v2 h = {m->bytes.p};
    out->reject = smc_llc_req_add_link_v2_reject(h);
    out->count = smc_llc_req_add_link_v2_gid_count(h);
    out->ngids = smc_part_count(m, &smc_clc_gid_layout);
    out->gids = smc_part_find(m, &smc_clc_gid_layout, 0);
}

static void decode_body(const struct smc_parsed *m, struct smc_llc_info *out)
{
    const uint8_t *p = m->bytes.p;
    switch (out->type) {
    case SMC_LLC_CONFIRM_LINK:
        decode_confirm_link(p, out);
        break;
    case SMC_LLC_ADD_LINK:
        decode_add_link(m, out);
        break;
    case SMC_LLC_ADD_LINK_CONT:
        decode_add_link_cont(p, out);
        break;
    case SMC_LLC_DELETE_LINK:
        decode_delete_link(p, out);
        break;
    case SMC_LLC_REQ_ADD_LINK:
        decode_req_add_link(m, out);
        break;
    case SMC_LLC_CONFIRM_RKEY:
        decode_confirm_rkey(p, out);
        break;
    case SMC_LLC_TEST_LINK:
        memcpy(out->user_data, p + smc_llc_header_size, sizeof(out->user_data));
        break;
    case SMC_LLC_CONFIRM_RKEY_CONT:
        decode_confirm_rkey_cont(p, out);
        break;
    default: /* SMC_LLC_DELETE_RKEY */
        decode_delete_rkey(m, out);
    }
}

/* Which readings of the v2 length are the number of bytes received [LLC-075]. */
static void decode_length(const struct smc_parsed *m, struct smc_llc_info *out)
{
    size_t have = smc_view_len(m->bytes);
    if (out->version == 1) { /* checked by the grammar */
        out->length = SMC_LLC_BYTES;
        out->length_order = SMC_FITS_BOTH;
        return;
    }
    out->length = (uint16_t)smc_load_be(m->bytes.p + 1, 2);
    out->length_order = (uint8_t)((out->length == have ? SMC_FITS_BE : 0) |
                                  (smc_load_le(m->bytes.p + 1, 2) == have ? SMC_FITS_LE : 0));
}

bool smc_llc_decode(struct smc_view bytes, struct smc_llc_info *out, struct smc_reject *why)
{
    struct smc_parsed m;
    *out = (struct smc_llc_info){0};
    if (!smc_llc_parse(bytes, &m, why))
        return false;
    out->version = bytes.p[0] & SMC_LLC_V2_TYPE ? 2 : 1;
    out->type = bytes.p[0] & 0x0f;
    out->response = (bytes.p[3] & SMC_LLC_RESPONSE) != 0;
    decode_length(&m, out);
    decode_body(&m, out);
    return true;
}

uint32_t smc_llc_info_rkey(const struct smc_llc_info *info, unsigned i)
{
    return (uint32_t)smc_load_be(info->rkeys + (size_t)i * smc_llc_rkey_size, smc_llc_rkey_size);
}

struct smc_llc_rtoken_fields smc_llc_info_rtoken(const struct smc_llc_info *info, unsigned i)
{
    struct smc_llc_rtoken h = {info->rtokens + (size_t)i * smc_llc_rtoken_size};
    struct smc_llc_rtoken_fields out;
    smc_llc_rtoken_decode(h, &out);
    return out;
}
