/* A bounded window in which packets are put in order of time.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "order.h"

#include <stdlib.h>

/* The window is an array sorted by time, used as a ring; packets nearly always arrive at its end. */
struct slot {
    struct trace_raw raw;
    uint8_t *bytes;
    size_t cap;
};

struct trace_order {
    uint64_t window_ns;
    size_t max, head, n;
    int (*emit)(void *ctx, const struct trace_raw *raw);
    void *ctx;
    struct slot *slots;
};

struct trace_order *trace_order_new(uint64_t window_ns, size_t max_packets,
                                    int (*emit)(void *ctx, const struct trace_raw *raw), void *ctx)
{
    struct trace_order *o = calloc(1, sizeof *o);
    if (!o)
        return NULL;
    o->slots = calloc(max_packets, sizeof *o->slots);
    if (!o->slots) {
        free(o);
        return NULL;
    }
    o->window_ns = window_ns;
    o->max = max_packets;
    o->emit = emit;
    o->ctx = ctx;
    return o;
}

static struct slot *slot_at(struct trace_order *o, size_t i)
{
    return &o->slots[(o->head + i) % o->max];
}

static int emit_first(struct trace_order *o)
{
    struct slot *first = slot_at(o, 0);
    o->head = (o->head + 1) % o->max;
    o->n--;
    return o->emit(o->ctx, &first->raw);
}

static bool fill(struct slot *slot, const struct trace_raw *raw)
{
    size_t len = smc_view_len(raw->bytes);
    if (len > slot->cap) {
        uint8_t *grown = realloc(slot->bytes, len < 2048 ? 2048 : len);
        if (!grown)
            return false;
        slot->bytes = grown;
        slot->cap = len < 2048 ? 2048 : len;
    }
    if (len)
        memcpy(slot->bytes, raw->bytes.p, len);
    slot->raw = *raw;
    slot->raw.bytes = smc_view_of(slot->bytes ? slot->bytes : (const uint8_t *)"", len);
    return true;
}

int trace_order_put(struct trace_order *o, const struct trace_raw *raw)
{
    int result = 0;
    if (o->n == o->max)
        result = emit_first(o);
    if (!fill(slot_at(o, o->n), raw))
        return -1;
    size_t i = o->n++;
    for (; i > 0 && slot_at(o, i - 1)->raw.ts_ns > raw->ts_ns; i--) {
        struct slot moved = *slot_at(o, i);
        *slot_at(o, i) = *slot_at(o, i - 1);
        *slot_at(o, i - 1) = moved;
    }
    uint64_t newest = slot_at(o, o->n - 1)->raw.ts_ns;
    while (o->n > 0 && newest - slot_at(o, 0)->raw.ts_ns > o->window_ns)
        if (emit_first(o) != 0)
            result = -1;
    return result;
}

int trace_order_flush(struct trace_order *o)
{
    int result = 0;
    while (o->n > 0)
        if (emit_first(o) != 0)
            result = -1;
    return result;
}

void trace_order_free(struct trace_order *o)
{
    if (!o)
        return;
    for (size_t i = 0; i < o->max; i++)
        free(o->slots[i].bytes);
    free(o->slots);
    free(o);
}
