/* CLC messages: framing in a TCP stream, identification, parsing, decoded summaries, encoding.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * A receiver calls smc_clc_frame() on what the stream holds until it says how many bytes one message has, then
 * smc_clc_parse() on exactly these, then the decoder for the message's type. A rejection means that RFC 7609 C.6
 * applies (the TCP connection is terminated). Values that are merely not allowed are found by smc_clc_check(). */
#ifndef SMC_WIRE_CLC_H
#define SMC_WIRE_CLC_H

#include "clc_layouts.h"
#include "message.h"

enum {
    SMC_CLC_FRAME_BYTES = 8, /* what framing needs */
    SMC_CLC_MIN = 12,        /* header and trailer */
    SMC_CLC_MAX_EIDS = 8,
    SMC_CLC_MAX_GIDS = 8,
    SMC_CLC_MAX_PREFIXES = 8,
    SMC_CLC_MAX_PROPOSAL = 652, /* the largest that an encoder writes */
    SMC_CLC_EID_BYTES = 32,
    SMC_CLC_MAX_BSIZE_R = 5, /* compressed sizes: 512 KiB */
    SMC_CLC_MAX_BSIZE_D = 6, /* 1 MiB */
    SMC_CLC_FCE_SHORT = 36,
    SMC_CLC_FCE_LONG = 52,
    SMC_CHID_EMULATED = 0xff00, /* CHIDs from here on are emulated-ISM devices with 128-bit GIDs */
    SMC_CHID_LOOPBACK = 0xffff
};

extern const uint8_t smc_eyecatcher_r[4]; /* SMCR in EBCDIC */
extern const uint8_t smc_eyecatcher_d[4]; /* SMCD */

/* Are these 4 bytes one of the two eyecatchers? */
bool smc_is_eyecatcher(const uint8_t *p);

/* Bytes of an RMBE or DMBE with this compressed size, 0..15. */
static inline uint64_t smc_clc_buffer_size(unsigned bsize)
{
    return UINT64_C(1) << ((bsize & 15) + 14);
}

/* Bytes of an MTU code; 0 for a reserved one. */
static inline unsigned smc_clc_mtu_bytes(unsigned code)
{
    return code >= 1 && code <= 5 ? 128u << code : 0;
}

/* ---- framing ---- */
enum smc_frame { SMC_FRAME_MORE, SMC_FRAME_OK, SMC_FRAME_BAD };

/* How many bytes at the start of `stream` are one message. SMC_FRAME_MORE: fewer than 8 bytes are there, or fewer
 * than the message has (*len is then 0 or its length). SMC_FRAME_OK: all *len bytes are there. SMC_FRAME_BAD: this is
 * no CLC message, *why says so; an eyecatcher that is wrong in its first bytes is found before 8 are there.
 * Rejected here: eyecatcher [CLC-001], type [CLC-007], version 0 [CLC-004], path [CLC-009], a length that no message
 * of this type, path and version can have [CLC-008 and the rule of the message]. */
enum smc_frame smc_clc_frame(struct smc_view stream, size_t *len, struct smc_reject *why);

/* The message that these bytes begin, by type, version and path; NULL if none (or fewer than 8 bytes). */
const struct smc_message *smc_clc_identify(struct smc_view bytes);

/* Type of a message, 1..4 (enum smc_clc_type); 0 if the bytes are too few. */
unsigned smc_clc_type_of(struct smc_view bytes);

/* ---- parsing ---- */
/* Everything that one message alone can show to be unparsable: what smc_clc_frame() rejects, a length field that is
 * not the number of bytes [CLC-008], counts, offsets, sums of lengths, the trailer [CLC-001]. */
bool smc_clc_parse(struct smc_view bytes, struct smc_parsed *out, struct smc_reject *why);

/* Calls back for every rule that a parsable message breaks by itself: reserved enumerated values and values out of
 * range (CLC-001, -009, -021, -026, -027, -029, -031, -033, -037, -056 to -059, -066, -067, SMCD-009, -026). Values that
 * need the other messages of the handshake are not looked at. [CLC-009] and [CLC-021] say what a receiver does with such
 * a value, so a message with one breaks nothing until it is accepted. Returns the number of calls. */
unsigned smc_clc_check(const struct smc_parsed *m,
                       void (*broken)(void *ctx, const struct smc_reject *why), void *ctx);

/* ---- decoded messages ----
 * Flat copies; nothing is borrowed but what is said to be. Fields of absent areas are zero. */
struct smc_clc_proposal_info {
    uint8_t version;
    uint8_t typev1, typev2; /* enum smc_clc_modes, as they stand in byte 7 */
    /* What is offered: typev1, and typev2 if the version is 2 or more [CLC-028]. */
    bool v1_r, v1_d, v2_r, v2_d;
    uint8_t peer_id[8];
    uint8_t gid[16];
    uint8_t mac[6];
    uint16_t iparea_offset; /* decoded only; the encoder computes its own offsets */
    uint16_t v2_offset;     /* decoded only */
    uint16_t d_offset;      /* decoded only */

    bool has_smcd_area;
    uint8_t ism_gid[8];
    uint16_t ism_chid;
    uint8_t oui[3];
    uint8_t vendor_options[5];

    bool has_ip_area;
    uint32_t subnet; /* IPv4, host order: 10.0.0.0 is 0x0a000000 */
    uint8_t mask_len;
    uint8_t prefix_count;
    struct smc_clc_ip6_prefix_fields prefixes[SMC_CLC_MAX_PREFIXES];

    bool has_v2_ext;
    uint8_t eid_count;
    uint8_t eids[SMC_CLC_MAX_EIDS][SMC_CLC_EID_BYTES];
    uint8_t gid_count; /* as announced; entries are there only with has_d_ext */
    uint8_t release;
    bool seid_valid;
    uint8_t roce_gid[16];
    uint8_t max_conns, max_links;
    uint16_t features;

    bool has_d_ext;
    uint8_t seid[SMC_CLC_EID_BYTES];
    struct smc_clc_gid_chid_fields entries[SMC_CLC_MAX_GIDS];
};

struct smc_clc_accept_info {
    uint8_t type;    /* SMC_CLC_ACCEPT or SMC_CLC_CONFIRM */
    uint8_t version; /* the nibble: 1, 2 … */
    uint8_t path;    /* enum smc_clc_path */
    bool first_contact;

    /* SMC-R */
    uint8_t peer_id[8];
    uint8_t gid[16]; /* R: the GID. D: GID in 0..7, GID extension (v2) in 8..15 */
    uint8_t mac[6];
    uint32_t qpn;
    uint32_t rkey;
    uint8_t rmbe_index; /* R: RMBE index, from 1. D: DMBE index, from 0 */
    uint32_t token;     /* alert token */
    uint8_t mtu;        /* code */
    uint64_t rmb_va;
    uint32_t psn;

    /* SMC-D */
    uint64_t dmb_token;
    uint32_t link_id;
    uint16_t chid; /* v2 */

    /* both */
    uint8_t bsize;                  /* compressed size: smc_clc_buffer_size() */
    bool has_eid;                   /* v2 */
    uint8_t eid[SMC_CLC_EID_BYTES]; /* v2 */

    /* first-contact extension */
    uint8_t fce_len; /* 0 (absent), 36 or 52 */
    bool v2_direct;
    uint8_t os_type;
    uint8_t release;
    uint8_t hostname[32];
    uint8_t max_conns, max_links; /* with fce_len 52 */
    uint16_t features;            /* with fce_len 52 */
    uint8_t vendor_options[4];    /* with fce_len 52 */

    /* GID list of a first Confirm, SMC-R v2 */
    bool has_gid_list;
    unsigned gid_count;
    struct smc_view gids; /* borrowed: gid_count times 16 bytes */
};

struct smc_clc_decline_info {
    uint8_t version;
    bool out_of_sync;
    uint8_t peer_id[8];
    uint32_t diagnosis;
    uint8_t os_type;        /* v2 */
    uint32_t diagnosis4[4]; /* v2: the further codes */
};

/* Each returns false if the parsed message is not of this kind. */
bool smc_clc_decode_proposal(const struct smc_parsed *m, struct smc_clc_proposal_info *out);
bool smc_clc_decode_accept(const struct smc_parsed *m,
                           struct smc_clc_accept_info *out); /* Confirm as well */
bool smc_clc_decode_decline(const struct smc_parsed *m, struct smc_clc_decline_info *out);

/* ---- encoding ----
 * Each writes one whole message, reserved fields zero, and returns its length; 0 if `cap` is too small or the info
 * contradicts itself (a count above its maximum, an fce_len other than 0, 36, 52 …). Legal values are the caller's
 * business: a test wants to send illegal ones. */
size_t smc_clc_encode_proposal(const struct smc_clc_proposal_info *in, uint8_t *buf, size_t cap);
size_t smc_clc_encode_accept(const struct smc_clc_accept_info *in, uint8_t *buf, size_t cap);
size_t smc_clc_encode_decline(const struct smc_clc_decline_info *in, uint8_t *buf, size_t cap);

#endif
