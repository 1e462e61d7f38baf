/* Packets that wait behind a hole: a sorted array, popped from the front.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * An array and not a tree: it almost always holds a handful, appended at the end; and when a hostile
 * capture fills it, a binary search and a memmove of some kilobytes are still cheap. */
#include "hold.h"

#include <stdlib.h>

size_t trace_hold_find(const struct trace_hold *h, uint32_t base, uint32_t mask, uint32_t at)
{
    uint32_t distance = (at - base) & mask;
    size_t lo = 0;
    size_t hi = h->n;
    if (hi > 0 && ((trace_hold_at(h, hi - 1)->at - base) & mask) < distance)
        return hi; /* the usual case: behind everything that waits */
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (((trace_hold_at(h, mid)->at - base) & mask) < distance)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static int make_room(struct trace_hold *h)
{
    if (h->first + h->n < h->cap)
        return 0;
    if (h->first > h->cap / 2) {
        memmove(h->v, h->v + h->first, h->n * sizeof *h->v);
        h->first = 0;
        return 0;
    }
    size_t cap = h->cap ? h->cap * 2 : 8;
    struct trace_held **v = realloc(h->v, cap * sizeof *v);
    if (!v)
        return -1;
    h->v = v;
    h->cap = cap;
    return 0;
}

int trace_hold_insert(struct trace_hold *h, size_t i, const struct trace_held *like, struct smc_view head,
                      struct smc_view bytes)
{
    size_t head_len = smc_view_len(head);
    size_t len = smc_view_len(bytes);
    struct trace_held *e = malloc(sizeof *e + head_len + len);
    if (!e)
        return -1;
    if (make_room(h) != 0) {
        free(e);
        return -1;
    }
    *e = *like;
    e->head_len = (uint32_t)head_len;
    e->len = (uint32_t)len;
    if (head_len > 0)
        memcpy(e->data, head.p, head_len);
    if (len > 0)
        memcpy(e->data + head_len, bytes.p, len);
    struct trace_held **place = h->v + h->first + i;
    memmove(place + 1, place, (h->n - i) * sizeof *place);
    *place = e;
    h->n++;
    h->bytes += trace_held_bytes(e);
    return 0;
}

struct trace_held *trace_hold_pop(struct trace_hold *h)
{
    struct trace_held *e = h->v[h->first++];
    h->n--;
    h->bytes -= trace_held_bytes(e);
    return e;
}

void trace_hold_clear(struct trace_hold *h)
{
    while (h->n > 0)
        free(trace_hold_pop(h));
    free(h->v);
    *h = (struct trace_hold){0};
}

/* Bytes of [at, at + len) that the item before index i covers already. */
static uint32_t covered_before(const struct trace_hold *h, size_t i, uint32_t base, uint32_t at, uint32_t len)
{
    if (i == 0)
        return 0;
    const struct trace_held *e = trace_hold_at(h, i - 1);
    uint32_t end = e->at - base + e->wire_len;
    uint32_t from = at - base;
    if (end <= from)
        return 0;
    return end - from < len ? end - from : len;
}

int trace_hold_bytes(struct trace_hold *h, uint32_t base, const struct trace_held *like, struct smc_view bytes,
                     uint32_t *fresh)
{
    uint32_t len = like->wire_len;
    size_t i = trace_hold_find(h, base, UINT32_MAX, like->at);
    uint32_t done = covered_before(h, i, base, like->at, len);
    *fresh = 0;
    while (done < len) {
        uint32_t n = len - done; /* the piece up to the next item */
        if (i < h->n && trace_hold_at(h, i)->at - (like->at + done) < n)
            n = trace_hold_at(h, i)->at - (like->at + done);
        if (n > 0) {
            struct trace_held piece = *like;
            piece.at += done;
            piece.wire_len = n;
            if (trace_hold_insert(h, i, &piece, (struct smc_view){0}, smc_view_sub(bytes, done, n)) != 0)
                return -1;
            *fresh += n;
            done += n;
            i++;
        }
        if (done < len) { /* an item stands here: its bytes came first */
            uint32_t have = trace_hold_at(h, i++)->wire_len;
            done = have < len - done ? done + have : len;
        }
    }
    return 0;
}
