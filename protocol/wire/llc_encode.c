/* Encoder of the LLC messages.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * v1 and v2 share the bodies: a v1 body is written first, then the first bytes of a v2 message over it. */
#include "llc.h"

#define COPY(to, from) memcpy(to, from, sizeof(to))
#define FIRST(L, f)    smc_##L##_layout.fields[smc_##L##_i_##f].off

static void put_confirm_link(const struct smc_llc_info *in, uint8_t *p)
{
    struct smc_llc_confirm_link_fields m = {.response = in->response,
                                            .no_eyecatcher = in->no_eyecatcher,
                                            .qpn = in->qpn,
                                            .link_number = in->link_number,
                                            .link_user_id = in->link_user_id,
                                            .max_links = in->max_links,
                                            .max_conns = in->max_conns};
    COPY(m.mac, in->mac);
    COPY(m.gid, in->gid);
    smc_llc_confirm_link_encode(&m, p);
}

static void put_u16(uint8_t *p, unsigned order, unsigned value)
{
    if (order == SMC_FITS_LE)
        smc_store_le(p, 2, value);
    else
        smc_store_be(p, 2, value);
}

static void put_add_link(const struct smc_llc_info *in, uint8_t *p)
{
    struct smc_llc_add_link_fields m = {.reject_reason = in->reject_reason,
                                        .response = in->response,
                                        .reject = in->reject,
                                        .qpn = in->qpn,
                                        .link_number = in->link_number,
                                        .mtu = in->mtu,
                                        .psn = in->psn};
    COPY(m.mac, in->mac);
    COPY(m.gid, in->gid);
    smc_llc_add_link_encode(&m, p);
}

static void put_add_link_ext(const struct smc_llc_info *in, uint8_t *p)
{
    struct smc_llc_add_link_v2_ext_fields e = {.v2_direct = in->v2_direct};
    COPY(e.target_gid, in->target_gid);
    smc_llc_add_link_v2_ext_encode(&e, p);
    put_u16(p + FIRST(llc_add_link_v2_ext, rkey_count), in->count_order, in->count);
    if (in->nrtokens > 0)
        memcpy(p + smc_llc_add_link_v2_ext_size, in->rtokens,
               (size_t)in->nrtokens * smc_llc_rtoken_size);
}

static void put_add_link_cont(const struct smc_llc_info *in, uint8_t *p)
{
    struct smc_llc_add_link_cont_fields m = {.response = in->response,
                                             .link_number = in->link_number,
                                             .rtoken_count = (smc_u1)in->count};
    smc_llc_add_link_cont_encode(&m, p);
    if (in->nrtokens > 0)
        memcpy(p + FIRST(llc_add_link_cont, ref_rkey1), in->rtokens,
               (size_t)in->nrtokens * smc_llc_rtoken_size);
}

static void put_delete_link(const struct smc_llc_info *in, uint8_t *p)
{
    struct smc_llc_delete_link_fields m = {.response = in->response,
                                           .all = in->all,
                                           .orderly = in->orderly,
                                           .link_number = in->link_number,
                                           .reason = in->reason};
    smc_llc_delete_link_encode(&m, p);
}

static void put_req_add_link(const struct smc_llc_info *in, uint8_t *p)
{
    struct smc_llc_req_add_link_v2_fields m = {
        .response = in->response, .reject = in->reject, .gid_count = (smc_u1)in->count};
    smc_llc_req_add_link_v2_encode(&m, p);
    if (in->ngids > 0)
        memcpy(p + smc_llc_req_add_link_v2_size, in->gids, (size_t)in->ngids * smc_clc_gid_size);
}

static void put_others(const struct smc_llc_info *in, uint8_t *p)
{
    for (unsigned i = 0; i < in->nothers; i++, p += 13) {
        p[0] = in->others[i].link;
        smc_store_be(p + 1, 4, in->others[i].rkey);
        smc_store_be(p + 5, 8, in->others[i].va);
    }
}

static void put_confirm_rkey(const struct smc_llc_info *in, uint8_t *p)
{
    struct smc_llc_confirm_rkey_fields m = {.response = in->response,
                                            .negative = in->negative,
                                            .retry = in->retry,
                                            .other_count = (smc_u1)in->count,
                                            .rkey = in->rkey,
                                            .va = in->va};
    smc_llc_confirm_rkey_encode(&m, p);
    put_others(in, p + FIRST(llc_confirm_rkey, link1));
}

static void put_confirm_rkey_cont(const struct smc_llc_info *in, uint8_t *p)
{
    struct smc_llc_confirm_rkey_cont_fields m = {
        .response = in->response, .negative = in->negative, .rtoken_count = (smc_u1)in->count};
    smc_llc_confirm_rkey_cont_encode(&m, p);
    put_others(in, p + FIRST(llc_confirm_rkey_cont, link1));
}

static void put_test_link(const struct smc_llc_info *in, uint8_t *p)
{
    struct smc_llc_test_link_fields m = {.response = in->response};
    COPY(m.user_data, in->user_data);
    smc_llc_test_link_encode(&m, p);
}

static void put_delete_rkey(const struct smc_llc_info *in, uint8_t *p)
{
    struct smc_llc_delete_rkey_v2_fields m = {
        .response = in->response,
        .negative = in->negative,
        .count = (smc_u1)in->count,
        .invalid_count = in->version == 1 ? in->error_mask : in->invalid_count};
    smc_llc_delete_rkey_v2_encode(&m, p);
    if (in->nrkeys > 0)
        memcpy(p + smc_llc_delete_rkey_v2_size, in->rkeys, (size_t)in->nrkeys * smc_llc_rkey_size);
}

static void put_body(const struct smc_llc_info *in, uint8_t *p)
{
    switch (in->type) {
    case SMC_LLC_CONFIRM_LINK:
        put_confirm_link(in, p);
        break;
    case SMC_LLC_ADD_LINK:
        put_add_link(in, p);
        if (in->version == 2 && in->has_ext)
            put_add_link_ext(in, p + smc_llc_add_link_v2_size);
        break;
    case SMC_LLC_ADD_LINK_CONT:
        put_add_link_cont(in, p);
        break;
    case SMC_LLC_DELETE_LINK:
        put_delete_link(in, p);
        break;
    case SMC_LLC_REQ_ADD_LINK:
        put_req_add_link(in, p);
        break;
    case SMC_LLC_CONFIRM_RKEY:
        put_confirm_rkey(in, p);
        break;
    case SMC_LLC_TEST_LINK:
        put_test_link(in, p);
        break;
    case SMC_LLC_CONFIRM_RKEY_CONT:
        put_confirm_rkey_cont(in, p);
        break;
    default: /* SMC_LLC_DELETE_RKEY */
        put_delete_rkey(in, p);
    }
}

/* Bytes of the message; 0 if there is no such message or it cannot hold its entries. */
static size_t message_length(const struct smc_llc_info *in)
{
    bool v2 = in->version == 2;
    size_t length = SMC_LLC_BYTES;
    switch (in->type) {
    case SMC_LLC_CONFIRM_LINK:
    case SMC_LLC_DELETE_LINK:
    case SMC_LLC_TEST_LINK:
        break;
    case SMC_LLC_ADD_LINK:
        if (v2 && in->has_ext)
            length += smc_llc_add_link_v2_ext_size + (size_t)in->nrtokens * smc_llc_rtoken_size;
        break;
    case SMC_LLC_ADD_LINK_CONT:
        return v2 || in->nrtokens > 2 ? 0 : length; /* [LLC-074] */
    case SMC_LLC_REQ_ADD_LINK:
        length = v2 ? smc_llc_req_add_link_v2_size + (size_t)in->ngids * smc_clc_gid_size : 0;
        break;
    case SMC_LLC_CONFIRM_RKEY:
        return in->nothers > 2 ? 0 : length;
    case SMC_LLC_CONFIRM_RKEY_CONT:
        return v2 || in->nothers > 3 ? 0 : length;
    case SMC_LLC_DELETE_RKEY:
        if (!v2 && in->nrkeys > 8)
            return 0;
        length = smc_llc_delete_rkey_v2_size + (size_t)in->nrkeys * smc_llc_rkey_size;
        break;
    default:
        return 0;
    }
    return length == 0 || length >= SMC_LLC_BYTES ? length : SMC_LLC_BYTES;
}

size_t smc_llc_encode(const struct smc_llc_info *in, uint8_t *buf, size_t cap)
{
    size_t length = in->version == 1 || in->version == 2 ? message_length(in) : 0;
    if (length == 0 || length > cap || length > SMC_LLC_V2_MAX)
        return 0;
    memset(buf, 0, length);
    put_body(in, buf);
    buf[0] = in->type;
    if (in->version == 1) {
        buf[1] = SMC_LLC_BYTES; /* byte 2 of ADD LINK holds the reason */
    } else {
        buf[0] = (uint8_t)(in->type + SMC_LLC_V2_TYPE);
        put_u16(buf + 1, in->length_order, (unsigned)length);
    }
    return length;
}
