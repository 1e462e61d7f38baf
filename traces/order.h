/* Packets in order of time: captures of several interfaces are often a few milliseconds out of order.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRACE_ORDER_H
#define TRACE_ORDER_H

#include "packet.h"

struct trace_order;

/* `emit` gets the packets in order of (time, frame). Packets wait until one more than `window_ns` younger came, or
 * until `max_packets` wait. NULL if memory is short. */
struct trace_order *trace_order_new(uint64_t window_ns, size_t max_packets,
                                    int (*emit)(void *ctx, const struct trace_raw *raw), void *ctx);
/* -1 if memory is short or emit failed. */
int trace_order_put(struct trace_order *o, const struct trace_raw *raw);
int trace_order_flush(struct trace_order *o);
void trace_order_free(struct trace_order *o);

#endif
