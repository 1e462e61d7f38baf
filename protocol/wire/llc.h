/* LLC messages, v1 and v2: identification, parsing, one decoded summary for all of them, encoding.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Bounds come from the bytes received, never from a length or count field. A v2 length or count may be in either
 * byte order [LLC-075]; which one fits is told. */
#ifndef SMC_WIRE_LLC_H
#define SMC_WIRE_LLC_H

#include "clc_layouts.h"
#include "llc_layouts.h"
#include "message.h"

enum {
    SMC_LLC_BYTES = 44,      /* every v1 message; the least of a v2 message */
    SMC_LLC_V2_MAX = 8192,   /* what Linux can receive */
    SMC_LLC_RESPONSE = 0x80, /* of the flags byte */
    SMC_LLC_V2_TYPE = 0x20,  /* of the type byte: SMC_LLC_ADD_LINK + SMC_LLC_V2_TYPE */
    SMC_LLC_MAX_RTOKENS = 255
};

/* What the first byte of a received SEND says (RFC 7609 A.3, A.4). */
enum smc_llc_class {
    SMC_LLC_KNOWN,    /* an LLC message of this folder */
    SMC_LLC_CDC,      /* 0xfe */
    SMC_LLC_OPTIONAL, /* 10xxxxxx: drop silently [LLC-003] */
    SMC_LLC_NOT_CDC,  /* 11xxxxxx but not 0xfe [LLC-005] */
    SMC_LLC_V2_NONE,  /* 0x23, 0x28: v2 has no such message, drop silently [LLC-074] */
    SMC_LLC_UNKNOWN,  /* anything else: protocol error [LLC-004] */
    SMC_LLC_EMPTY     /* no byte */
};
enum smc_llc_class smc_llc_classify(struct smc_view bytes);

/* The message that the bytes are, by the type byte; NULL if it is no known LLC type or fewer than 4 bytes are there. */
const struct smc_message *smc_llc_identify(struct smc_view bytes);

/* identify + smc_message_parse(). Rejections: unknown type [LLC-004, -003, -005, -074], fewer than 44 bytes or (v1)
 * not exactly 44 or another length byte [LLC-001, v2: LLC-069], an ADD LINK v2 extension cut short [LLC-070]. */
bool smc_llc_parse(struct smc_view bytes, struct smc_parsed *out, struct smc_reject *why);

struct smc_llc_token { /* of another link, in CONFIRM RKEY and its continuation */
    uint8_t link;
    uint32_t rkey;
    uint64_t va;
};

/* Every message in one struct; fields that a message does not have are zero. */
struct smc_llc_info {
    uint8_t version; /* 1 or 2 */
    uint8_t type;    /* enum smc_llc_type, without the version */
    bool response;
    uint16_t length; /* the length field, big endian reading */
    uint8_t
        length_order; /* which reading of it is the number of bytes received: SMC_FITS_*. When encoding v2:
                           * SMC_FITS_LE writes it little endian, all others big endian */

    bool reject;           /* ADD LINK, REQUEST ADD LINK: Z */
    bool negative;         /* CONFIRM RKEY, its continuation, DELETE RKEY: Z */
    bool retry;            /* CONFIRM RKEY: C */
    bool all, orderly;     /* DELETE LINK: A, O */
    uint8_t reject_reason; /* ADD LINK v1 */
    uint8_t no_eyecatcher; /* CONFIRM LINK: the two bits, 3 = no RMBE eyecatcher */

    uint8_t link_number; /* CONFIRM LINK, ADD LINK, its continuation, DELETE LINK */
    uint8_t mac[6];      /* CONFIRM LINK, ADD LINK */
    uint8_t gid[16];
    uint32_t qpn;
    uint8_t mtu;           /* ADD LINK: code */
    uint32_t psn;          /* ADD LINK */
    uint32_t link_user_id; /* CONFIRM LINK */
    uint8_t max_links;     /* CONFIRM LINK */
    uint8_t max_conns;     /* CONFIRM LINK, v2.1 */
    uint32_t reason;       /* DELETE LINK */

    uint32_t rkey; /* CONFIRM RKEY: of this link */
    uint64_t va;

    unsigned
        count; /* what the message's count field says, in the order chosen: other-link RTokens, RTokens
                            * still to come, rkeys, GIDs; may exceed what is there */
    uint8_t
        count_order; /* ADD LINK v2: the reading that was chosen, SMC_FITS_*; when encoding as length_order */
    uint8_t error_mask;    /* DELETE RKEY v1 */
    uint8_t invalid_count; /* DELETE RKEY v2, response */

    unsigned nothers; /* CONFIRM RKEY: min(count, 2); its continuation: min(count, 3) */
    struct smc_llc_token others[3];

    unsigned nrkeys; /* DELETE RKEY: min(count, 8), v2: min(count, what fits) */
    const uint8_t *
        rkeys; /* borrowed, 4 bytes each: smc_llc_info_rkey(); to encode, as they stand in a message */

    bool has_ext; /* ADD LINK v2 */
    bool v2_direct;
    uint8_t target_gid[16];
    unsigned nrtokens; /* ADD LINK v2: min(count, what fits); continuation: min(count, 2) */
    const uint8_t *
        rtokens; /* borrowed, 16 bytes each: smc_llc_info_rtoken(); to encode: smc_llc_rtoken_encode() */

    unsigned ngids;      /* REQUEST ADD LINK v2: min(count, what fits) */
    const uint8_t *gids; /* borrowed, 16 bytes each */

    uint8_t user_data[16]; /* TEST LINK */
};

/* Entry i < nrkeys, i < nrtokens. */
uint32_t smc_llc_info_rkey(const struct smc_llc_info *info, unsigned i);
struct smc_llc_rtoken_fields smc_llc_info_rtoken(const struct smc_llc_info *info, unsigned i);

/* smc_llc_parse() and the summary; the info borrows `bytes`. */
bool smc_llc_decode(struct smc_view bytes, struct smc_llc_info *out, struct smc_reject *why);

/* Writes a message, reserved fields zero; returns its length, 0 if `cap` is too small, there is no such message in
 * that version, or there are more entries than the message can hold. `count` is written as given, so that it may
 * differ from the entries (nothers, nrkeys, nrtokens, ngids). `length` is computed. */
size_t smc_llc_encode(const struct smc_llc_info *in, uint8_t *buf, size_t cap);

#endif
