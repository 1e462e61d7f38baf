/* What qp.c (streams), qp_order.c (PSN order) and qp_message.c (messages) share.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRACE_QP_INTERNAL_H
#define TRACE_QP_INTERNAL_H

#include "hold.h"
#include "list.h"
#include "qp.h"
#include "table.h"

enum {
    QP_PSN_MASK = 0xffffff,
    QP_BEHIND = 0x800000, /* a distance from here on means: behind */
};

/* The message that is under way. */
enum qp_doing { QP_NOTHING, QP_SENDING, QP_WRITING };

struct qp_message {
    enum qp_doing doing;
    bool broken;          /* SEND: its beginning or middle is missing */
    uint32_t mtu;         /* WRITE: payload of all packets but the last */
    uint32_t rkey, dma_length;
    uint64_t va, offset;  /* WRITE: of its first byte; bytes before the next packet */
    uint64_t first_frame;
    uint32_t wire_len;    /* SEND: bytes so far */
    uint8_t *buf;         /* SEND: owned; the bytes captured so far */
    uint32_t len, cap;
};

struct qp_stream {
    struct trace_stream pub; /* first, so that the listener's pointer is ours */
    struct qp_message msg;
    struct trace_hold hold;
    uint64_t held_ns;     /* the earliest of the packets that are held */
    uint32_t first_psn;   /* expected, or else seen first */
    uint32_t acked_end;   /* PSN behind the last one acknowledged, if acked_ahead */
    uint32_t skippable;   /* PSNs that the responses to a READ may have used up */
    bool acked_ahead;     /* acked_end is ahead of next_psn */
    bool opened;          /* a packet was seen */
    bool astray;          /* it was not near the expected PSN */
    bool guessed;         /* pub.reverse is a guess that no ACK has confirmed */
    bool dead;            /* in the graveyard */
    uint64_t hash;
    struct qp_peers *peers;
    int way;              /* 0: from the lower to the higher address */
    struct trace_node by_id, by_use, by_peers;
};

/* Two addresses between which streams run. */
struct qp_peers {
    struct trace_addr addr[2];
    uint64_t hash;
    struct trace_list streams[2];
};

struct trace_qp {
    struct trace_qp_events ev;
    void *ctx;
    struct trace_table table, peers;
    struct trace_list all;       /* in order of id */
    struct trace_list used;      /* in order of last use */
    struct trace_list graveyard; /* ended in the middle of a delivery: freed after it */
    struct qp_stream *last;      /* of the packet before */
    uint64_t count, next_id, now_ns, now_frame;
    size_t held_bytes;
    int depth;                   /* > 0: a delivery is under way */
    bool no_memory;
};

/* One request packet, at hand or held before. */
struct qp_arrival {
    const struct trace_roce *roce;
    struct smc_view bytes;
    uint32_t wire_len;
    uint64_t frame, ts_ns, posted_ns;
    const struct trace_packet *packet; /* NULL if it was held */
};

/* A listener may end the stream in any callback: after each of these, look at s->dead. */

/* Hands the next request in order to the listener. */
void trace_qp_message_deliver(struct trace_qp *t, struct qp_stream *s, const struct qp_arrival *a);
/* n packets of the stream will never come. */
void trace_qp_message_skip(struct qp_stream *s, uint32_t n);
void trace_qp_message_free(struct qp_stream *s);

/* A request packet of this stream. */
void trace_qp_order_request(struct trace_qp *t, struct qp_stream *s, const struct trace_packet *p);
/* The responder acknowledged all PSNs before `end`. */
void trace_qp_order_ack(struct trace_qp *t, struct qp_stream *s, uint32_t end);
/* No more packets will come: delivers what waits. */
void trace_qp_order_flush(struct trace_qp *t, struct qp_stream *s);
void trace_qp_order_drop(struct trace_qp *t, struct qp_stream *s);

static inline uint32_t qp_distance(uint32_t psn, uint32_t base)
{
    return (psn - base) & QP_PSN_MASK;
}

#endif
