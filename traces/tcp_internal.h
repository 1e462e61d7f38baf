/* What tcp.c (flows) and tcp_order.c (the order of bytes) share.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * A packet belongs to one of the two sides of a flow (`side[slot]`). Slots never change; when it turns out that
 * the roles were guessed wrongly only `flip` does, so that a callback may exchange the roles in the middle of a
 * delivery. */
#ifndef TRACE_TCP_INTERNAL_H
#define TRACE_TCP_INTERNAL_H

#include "hold.h"
#include "list.h"
#include "table.h"
#include "tcp.h"

/* What makes a side leave the fast path. */
enum {
    SLOW_HOLD = 1,  /* something waits in `hold` */
    SLOW_SEEN = 2,  /* the sender was seen to be at `seen`, ahead of `next` */
    SLOW_ACKED = 4, /* the receiver acknowledged up to `acked`, ahead of `next` */
    SLOW_FIN = 8,   /* a FIN waits at `fin_seq` */
};

struct tcp_side {
    uint32_t start; /* first sequence number of the stream (behind the SYN) */
    uint32_t next;  /* next one to deliver */
    uint32_t seen, acked, fin_seq;
    uint8_t slow;
    bool known;     /* start and next are */
    bool fin_done;  /* the FIN was reported */
    bool fin_acked;
    uint64_t fin_frame, fin_ns;
    struct trace_hold *hold; /* owned; NULL unless SLOW_HOLD */
};

struct tcp_flow {
    struct trace_flow pub; /* first, so that the listener's pointer is ours */
    struct tcp_side side[2];
    uint8_t flip; /* direction of a slot: slot ^ flip */
    bool count_only, finished;
    uint64_t hash;
    struct trace_node by_id, by_use;
};

struct trace_tcp {
    struct trace_tcp_events ev;
    void *ctx;
    struct trace_table table;
    struct trace_list all;            /* in order of id */
    struct trace_list live, finished; /* in order of last use */
    struct tcp_flow *last;                /* of the packet before */
    uint64_t flows, nfinished, next_id, now_ns, now_frame;
    size_t held_bytes;
};

/* Beyond this a sequence number is none of this connection: no window is larger (RFC 7323). */
#define TRACE_TCP_WINDOW (UINT32_C(1) << 30)

/* How far a is ahead of b; 0 if it is behind or has nothing to do with b. */
static inline uint32_t tcp_ahead(uint32_t a, uint32_t b)
{
    uint32_t distance = a - b;
    return distance <= TRACE_TCP_WINDOW ? distance : 0;
}

static inline int tcp_direction(const struct tcp_flow *f, int slot)
{
    return slot ^ f->flip;
}

/* What one segment brings to its sender's stream. */
struct tcp_segment {
    uint32_t seq, len;    /* of its bytes; those behind a FIN do not count */
    bool fresh_bytes;     /* some are neither delivered nor held yet */
    bool fresh_fin;
    bool no_memory;
};

/* First half: says what it brings, and puts what is out of order aside. Calls nobody. */
struct tcp_segment trace_tcp_order_look(struct trace_tcp *t, struct tcp_flow *f, int slot, const struct trace_packet *p);
/* Second half: delivers what can be delivered now. */
void trace_tcp_order_take(struct trace_tcp *t, struct tcp_flow *f, int slot, const struct trace_packet *p,
                    const struct tcp_segment *g);
/* The receiver of this side's bytes acknowledged everything before `ack`. */
void trace_tcp_order_ack(struct trace_tcp *t, struct tcp_flow *f, int slot, uint32_t ack);
/* No more packets will come: delivers what waits. */
void trace_tcp_order_flush(struct trace_tcp *t, struct tcp_flow *f, int slot);
/* Drops what waits; it was counted, or nobody will ask. */
void trace_tcp_order_drop(struct trace_tcp *t, struct tcp_side *s);
/* Only counts from now on: what waits is counted with the holes before it. */
void trace_tcp_order_count(struct trace_tcp *t, struct tcp_flow *f, int slot);

#endif
