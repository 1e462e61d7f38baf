/* What the files of the CLC checks share.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef JUDGE_CHECK_CLC_H
#define JUDGE_CHECK_CLC_H

#include "check.h"

enum { CLC_KNOWN_EIDS = 64, CLC_OUT_OF_SYNC = 32, CLC_RKEYS = 64 };

/* A message with something unusual that its receiver must put up with, until the receiver reacts. */
struct clc_odd {
    bool pending;
    enum judge_req req;
    uint64_t frame, ns;
};

/* Positions count from the first byte of a direction's stream. */
struct clc_stream {
    bool base_known;
    uint32_t base;           /* TCP number of the first byte */
    uint32_t seen_end;       /* behind the last byte captured */
    uint64_t seen_ns;
    uint32_t msg_start, msg_end; /* the last CLC message */
    uint64_t ack_frame;      /* the segment at hand of this direction, and what it acknowledges */
    uint64_t ack_ns;
    uint32_t ack;            /* position in the other direction */
    bool ack_known;
    bool holes;              /* packets were cut: seen_end does not tell what a message lacks */
};

struct clc_conn {
    struct clc_stream stream[2];
    struct clc_odd odd[2];   /* by sender */
    uint64_t cut_frame[2];   /* the stream ended inside a message: a fault if it ends by FIN */
    bool broken, broken_answered;
    int broken_side;
    enum judge_req broken_req;
    uint64_t broken_frame;
    uint8_t broken_type, broken_flags; /* bytes 4 and 7 */
    uint64_t late_accept;    /* frame of an Accept after the client's time was over */
    struct judge_case late_confirm; /* a Confirm after the server's time was over, if frame is set: what it does now shows whether it still waited */
    uint64_t late_ns;        /* ... how long after the Accept */
    bool after_decline;      /* evaluated what follows a Decline */
    bool wrote;              /* the client's first WRITE into the server's RMB is out */
    uint64_t write_frame;
    uint32_t write_psn;
    const struct trace_stream *write_stream;
};

/* The capture as a whole. */
struct clc_capture {
    struct {
        uint8_t server[16], eid[32];
        uint64_t ns;
    } eids[CLC_KNOWN_EIDS];  /* which server chose which EID, newest last, round about */
    unsigned neids;
    struct {
        uint8_t gid[16];
        uint32_t qpn;
        uint64_t frame;      /* of the Decline with S */
    } lost[CLC_OUT_OF_SYNC]; /* server ends of links whose group is out of sync */
    unsigned nlost;
    struct clc_rkey {
        uint64_t frame;
        struct trace_addr asker, peer;
        uint32_t rkeys[3];
        unsigned nrkeys;
        uint64_t used_frame; /* Accept or Confirm that names the RMB before the answer */
        const struct trace_conn *used_conn;
        int used_side;
    } rkeys[CLC_RKEYS];      /* CONFIRM RKEY without an answer yet, by the hosts' RoCE addresses: the group may be
                              * older than the capture, and nothing named it yet */
    unsigned nrkeys;
};

/* NULL if memory is short. */
struct clc_conn *clc_conn_of(struct trace_conn *c);
struct clc_capture *clc_capture_of(struct judge *j);

/* Does an IMPL row bind for this message? It speaks of SMC-D or of version 2. */
bool clc_impl_binds(const struct trace_clc_event *e);
/* Did the sender of the frame at hand have bytes of the other side that the capture lacks? Then nothing can be said of
 * the order. */
bool clc_capture_lacks(const struct clc_conn *s, int side, uint64_t frame);
/* Is position `at` of the other direction acknowledged by the frame at hand of this one? -1: not known. */
int clc_acknowledges(const struct clc_conn *s, int side, uint64_t frame, uint32_t at);

/* ---- check_clc_message.c: one message alone ---- */
void clc_message(struct judge *j, const struct trace_clc_event *e, struct clc_conn *s);
/* The bytes of a direction ended inside a message, by FIN. */
void clc_message_cut(struct judge *j, const struct trace_conn *c, int side, uint64_t frame);
/* Bytes that the tracker takes for plain ones because a message before them was broken. */
void clc_after_broken(struct judge *j, const struct trace_conn *c, struct clc_conn *s, int side, struct smc_view bytes,
                      uint64_t frame);

/* ---- check_clc_exchange.c: who may send what when ---- */
void clc_exchange(struct judge *j, const struct trace_clc_event *e, struct clc_conn *s);
/* The server goes on after a Confirm that came too late, or does not (a RST: it had not waited, and its first RST was lost). */
void clc_exchange_late(struct judge *j, struct clc_conn *s, bool goes_on);
void clc_exchange_segment(struct judge *j, const struct trace_conn *c, struct clc_conn *s, int side,
                          const struct trace_packet *p);

/* ---- check_clc_react.c: what a receiver must put up with ---- */
void clc_react(struct judge *j, const struct trace_clc_event *e, struct clc_conn *s);
void clc_react_end(struct judge *j, const struct trace_conn *c, struct clc_conn *s, int side, bool rst, uint64_t frame,
                   uint64_t ns);

/* ---- check_clc_negotiate.c, check_clc_smcd.c: answers against offers ---- */
void clc_negotiate_accept(struct judge *j, const struct trace_clc_event *e);
void clc_negotiate_confirm(struct judge *j, const struct trace_clc_event *e);
void clc_smcd_accept(struct judge *j, const struct trace_clc_event *e);

/* ---- check_clc_group.c: answers against link groups ---- */
void clc_group_accept(struct judge *j, const struct trace_clc_event *e);
void clc_group_confirm(struct judge *j, const struct trace_clc_event *e);
void clc_group_decline(struct judge *j, const struct trace_clc_event *e);
void clc_group_llc(struct judge *j, const struct trace_llc_event *e);
void clc_group_conn_end(struct judge *j, const struct trace_conn *c);

/* ---- check_clc_rdma.c: what the links carry against what CLC said ---- */
void clc_rdma_llc(struct judge *j, const struct trace_llc_event *e);
void clc_rdma_write(struct judge *j, const struct trace_write_event *e);
void clc_rdma_ack(struct judge *j, struct trace_link *l, struct trace_stream *st, const struct trace_packet *p);
/* Did this side's CONFIRM LINK on the connection's link reach the peer? Its time in *ns. */
bool clc_confirm_link_done(const struct trace_conn *c, int side, uint64_t *ns);

#endif
