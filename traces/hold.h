/* Packets that wait behind a hole, sorted by sequence number or PSN (private to traces/).
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Numbers are compared by their distance from a base (the next number expected), modulo mask + 1, so a
 * hold may span the wrap. The caller keeps every number at a distance below half the modulus. */
#ifndef TRACE_HOLD_H
#define TRACE_HOLD_H

#include "packet.h"

struct trace_held {
    uint32_t at;       /* number of its first byte, or its PSN */
    uint32_t wire_len; /* bytes on the wire */
    uint32_t len;      /* bytes kept, <= wire_len */
    uint32_t head_len; /* bytes of the caller's own in front of them */
    uint64_t frame, ts_ns;
    uint8_t data[]; /* head, then the bytes */
};

/* All zero is an empty hold. */
struct trace_hold {
    struct trace_held **v; /* owned, as are the items */
    size_t first, n, cap;
    size_t bytes; /* memory its items take */
};

static inline struct trace_held *trace_hold_front(const struct trace_hold *h)
{
    return h->n ? h->v[h->first] : NULL;
}

static inline struct trace_held *trace_hold_at(const struct trace_hold *h, size_t i)
{
    return h->v[h->first + i];
}

static inline size_t trace_held_bytes(const struct trace_held *e)
{
    return sizeof *e + e->head_len + e->len;
}

static inline struct smc_view trace_held_view(const struct trace_held *e)
{
    return smc_view_of(e->data + e->head_len, e->len);
}

/* Index of the first item whose distance from base is at least that of `at`. */
size_t trace_hold_find(const struct trace_hold *h, uint32_t base, uint32_t mask, uint32_t at);
/* Inserts a copy at index i; frame, ts_ns and wire_len are taken from `like`. -1 if memory is short. */
int trace_hold_insert(struct trace_hold *h, size_t i, const struct trace_held *like, struct smc_view head,
                      struct smc_view bytes);
/* Takes out the first item; the caller frees it. */
struct trace_held *trace_hold_pop(struct trace_hold *h);
void trace_hold_clear(struct trace_hold *h);

/* Keeps of the bytes [like->at, like->at + like->wire_len), of which `bytes` were captured, those that no
 * earlier copy covers (mask 0xffffffff). *fresh: how many that are. -1 if memory is short. */
int trace_hold_bytes(struct trace_hold *h, uint32_t base, const struct trace_held *like, struct smc_view bytes,
                     uint32_t *fresh);

#endif
