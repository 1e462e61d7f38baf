/* TCP connections out of packets: byte streams in order, whatever the network did to the segments.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Handles out of order, retransmitted and overlapping segments (the first copy of a byte wins), captures
 * that start in the middle, segments cut by the snap length (a gap) and lost packets: when the receiver's ACK
 * covers bytes that were never captured, or too much waits behind a hole, the hole is reported as a gap and
 * the stream goes on behind it. Memory: in-order data is not copied; out-of-order data is kept up to
 * TRACE_TCP_HOLD_BYTES a direction. Finished connections (both FINs acknowledged or RST, then a new SYN, or
 * 10 s of capture time, or 2,048 others finished) and, beyond TRACE_TCP_MAX_FLOWS, the one idle longest are
 * forgotten: `end`. */
#ifndef TRACE_TCP_H
#define TRACE_TCP_H

#include "packet.h"

enum { TRACE_TCP_HOLD_BYTES = 1 << 20, TRACE_TCP_MAX_FLOWS = 1 << 20 };

/* Directions, of TCP flows and of everything above them. */
enum { TRACE_C2S = 0, TRACE_S2C = 1 };

struct trace_flow {
    uint64_t id;               /* from 1, in order of appearance in the file */
    struct trace_addr addr[2]; /* [0] client, [1] server */
    uint16_t port[2];
    bool roles_known;          /* a SYN or SYN-ACK was seen; else the roles are a guess */
    bool syn_seen[2];          /* SYN by the client, SYN-ACK by the server */
    bool fin[2], rst[2];       /* seen from that side (FIN: in order) */
    uint64_t bytes[2];         /* delivered or skipped as gap, from the start of what was seen */
    bool gap[2];               /* bytes are missing in that direction */
    uint64_t first_frame;
    uint64_t first_ns, last_ns;
    void *user;                /* the listener's */
};

struct trace_tcp_events {
    /* Every segment as captured, before anything else is made of it. `duplicate`: brings no new byte. */
    void (*segment)(void *ctx, struct trace_flow *f, int dir, const struct trace_packet *p, bool duplicate);
    /* The next bytes of a stream, in order, each byte once. `frame`/`ts_ns`: the packet that carried them. */
    void (*data)(void *ctx, struct trace_flow *f, int dir, struct smc_view bytes, uint64_t frame, uint64_t ts_ns);
    /* n bytes of the stream will never come (0: unknown number). */
    void (*gap)(void *ctx, struct trace_flow *f, int dir, uint64_t n, uint64_t frame, uint64_t ts_ns);
    void (*fin)(void *ctx, struct trace_flow *f, int dir, uint64_t frame, uint64_t ts_ns);
    void (*rst)(void *ctx, struct trace_flow *f, int dir, uint64_t frame, uint64_t ts_ns);
    /* The flow is being forgotten; free f->user. */
    void (*end)(void *ctx, struct trace_flow *f);
};

struct trace_tcp;

/* `events` members may be NULL. NULL if memory is short. */
struct trace_tcp *trace_tcp_new(const struct trace_tcp_events *events, void *ctx);
/* Feeds one TRACE_TCP packet. -1 if memory is short (the packet is then ignored and counted). */
int trace_tcp_input(struct trace_tcp *t, const struct trace_packet *p);
/* Exchanges client and server of a flow whose roles were guessed (the caller learned better). */
void trace_tcp_swap_roles(struct trace_tcp *t, struct trace_flow *f);
/* No more payload is wanted in this flow (plain TCP, or SMC took over): data is still counted and FIN/RST still
 * reported, but `data` is no longer called and nothing is held. */
void trace_tcp_count_only(struct trace_tcp *t, struct trace_flow *f);
/* End of the capture: delivers what waits behind holes (as gap + data), then `end` for every flow, in order of id. */
void trace_tcp_finish(struct trace_tcp *t);
void trace_tcp_free(struct trace_tcp *t);

#endif
