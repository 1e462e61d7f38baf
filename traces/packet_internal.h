/* What the parts of the packet decoder share: the rest of a packet, and what was found so far.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRACE_PACKET_INTERNAL_H
#define TRACE_PACKET_INTERNAL_H

#include "packet.h"

/* What is left of a packet: the captured bytes from p to end, of `wire` bytes that were there. */
struct rest {
    const uint8_t *p, *end;
    size_t wire;
};

struct decoder {
    struct trace_packet *out;
    const uint8_t *l3; /* innermost IP header or GRH: where the ICRC begins */
    int nesting;
    bool check_icrc;
};

static inline struct smc_view captured(const struct rest *r)
{
    return (struct smc_view){r->p, r->end};
}

/* Steps over n bytes that the caller knows to be captured. */
static inline void skip(struct rest *r, size_t n)
{
    r->p += n;
    r->wire -= n;
}

/* Ends the packet after n bytes, as a header says: padding goes. Where the header promises more than the
 * capture knows of (cut by a switch, or written without the true length), the header is believed. */
static inline void limit(struct rest *r, size_t n)
{
    if ((size_t)(r->end - r->p) > n)
        r->end = r->p + n;
    r->wire = n;
}

/* Steps over a header of n bytes of which perhaps only a part was captured; false if the packet itself ends before. */
static inline bool skip_header(struct rest *r, size_t n)
{
    size_t have = (size_t)(r->end - r->p);
    if (r->wire < n)
        return false;
    r->p += n < have ? n : have;
    r->wire -= n;
    return true;
}

static inline void set_payload(struct trace_packet *out, const struct rest *r)
{
    out->payload = captured(r);
    out->payload_wire_len = (uint32_t)r->wire;
    out->cut = smc_view_len(out->payload) < r->wire;
}

/* A RoCE packet from its BTH on. */
void trace_packet_decode_roce(struct decoder *d, struct rest r, bool v1);

#endif
