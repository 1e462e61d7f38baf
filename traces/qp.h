/* RC queue pairs out of RoCE packets: requests in PSN order, each once, whatever the network did.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * A stream is what one requester sends to one destination queue pair. It is named by source address,
 * destination address and destination QP number (both ends often use the same number). A packet whose PSN was
 * delivered before is a duplicate; one ahead of the next PSN is held until the missing ones come. If instead
 * an ACK of the responder covers the missing PSN (only known once the two streams of a connection were paired),
 * or more than TRACE_QP_HOLD packets wait, the missing packets are reported as a gap and the stream goes on. A stream
 * first seen in the middle starts at the PSN seen; a packet of SEND/WRITE middle or last without its
 * first is reported with `headless`. Packets with a bad ICRC are dropped as a NIC would, and counted. When there are
 * more than 65,536 streams those idle for 600 s of capture time are forgotten, beyond 1,048,576 the one idle longest. */
#ifndef TRACE_QP_H
#define TRACE_QP_H

#include "packet.h"

enum { TRACE_QP_HOLD = 256 };

struct trace_stream {
    uint64_t id;                /* from 1, in order of appearance */
    struct trace_addr src, dst;
    uint32_t dqpn;
    bool v1;
    struct trace_stream *reverse; /* the other direction of the same RC connection, NULL if not known */
    uint32_t next_psn;
    bool started;               /* next_psn is known */
    bool has_initial_psn;       /* ... because trace_qp_expect() said so */
    uint64_t requests, duplicates, gaps, naks, bad_icrc;
    uint32_t acked_psn;         /* highest PSN acknowledged by the responder */
    bool has_acked;
    uint64_t first_frame, last_ns;
    void *user;                 /* the listener's */
};

/* One request packet in order (WRITE), or one whole message (SEND). */
struct trace_request {
    uint64_t frame;       /* packet that completed it */
    uint64_t first_frame; /* packet that began it */
    uint64_t ts_ns;
    uint64_t posted_ns;   /* it had been posted by then: a later packet of its stream was captured when it was still missing; else ts_ns */
    uint32_t psn;         /* of the (last) packet */
    bool first, last;     /* WRITE: this packet begins / ends the message. SEND: both true */
    bool headless;        /* the beginning was not captured: rkey/va unknown (WRITE), bytes incomplete (SEND) */
    bool has_imm;
    uint32_t imm;
    uint32_t rkey;        /* WRITE */
    uint64_t va;          /* WRITE: address of this packet's first byte */
    uint32_t dma_length;  /* WRITE: of the whole message, from the RETH */
    uint32_t len;         /* payload bytes on the wire */
    struct smc_view bytes;/* captured part of the payload */
    bool solicited;
    const struct trace_packet *packet; /* the packet at hand if it was not held, else NULL */
};

struct trace_qp_events {
    void (*open)(void *ctx, struct trace_stream *s, const struct trace_packet *p); /* first packet of a stream */
    void (*send)(void *ctx, struct trace_stream *s, const struct trace_request *r);
    void (*write)(void *ctx, struct trace_stream *s, const struct trace_request *r);
    /* Another request (READ, atomics …): SMC uses none. */
    void (*other)(void *ctx, struct trace_stream *s, const struct trace_request *r, uint8_t opcode);
    /* `n` packets from PSN `psn` on were not captured. */
    void (*gap)(void *ctx, struct trace_stream *s, uint32_t psn, uint32_t n, uint64_t frame, uint64_t ts_ns);
    void (*duplicate)(void *ctx, struct trace_stream *s, const struct trace_packet *p);
    /* ACK or NAK that acknowledges requests of `s` (called on the stream whose requests it answers). */
    void (*ack)(void *ctx, struct trace_stream *s, const struct trace_packet *p);
    void (*end)(void *ctx, struct trace_stream *s); /* being forgotten; free s->user */
};

/* Has the responder acknowledged requests that were not captured (yet)? */
static inline bool trace_stream_lacks(const struct trace_stream *s)
{
    uint32_t ahead = (s->acked_psn + 1 - s->next_psn) & 0xffffff;
    return s->started && s->has_acked && ahead != 0 && ahead <= TRACE_QP_HOLD;
}

struct trace_qp;

struct trace_qp *trace_qp_new(const struct trace_qp_events *events, void *ctx);
/* Feeds one TRACE_ROCE packet; -1 if memory is short. CNPs are counted and ignored. */
int trace_qp_input(struct trace_qp *t, const struct trace_packet *p);
/* Announces a queue pair that CLC or LLC told of: requests from `src` to (`dst`, dqpn) begin at PSN `psn`
 * (psn < 0: unknown). A stream that exists already under this name with other PSNs starts anew: the QP number was
 * reused (unless `psn` is what the running stream began with, give or take TRACE_QP_HOLD uncaptured packets); what
 * the old one holds is delivered first, then its `end`. May be called from a listener, even one that this very stream
 * is calling. Returns the stream; NULL if memory is short. */
struct trace_stream *trace_qp_expect(struct trace_qp *t, const struct trace_addr *src, const struct trace_addr *dst,
                                     uint32_t dqpn, int64_t psn);
/* The stream of this name, or NULL. */
struct trace_stream *trace_qp_find(struct trace_qp *t, const struct trace_addr *src, const struct trace_addr *dst, uint32_t dqpn);
/* Says that two streams are the two directions of one RC connection, so that ACKs can be told apart. Without it
 * the two are paired by themselves when exactly one stream runs each way between two addresses. */
void trace_qp_pair(struct trace_stream *x, struct trace_stream *y);
/* End of the capture: what is held is delivered (gap first), then `end` for each stream in order of id. */
void trace_qp_finish(struct trace_qp *t);
void trace_qp_free(struct trace_qp *t);

#endif
