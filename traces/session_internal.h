/* What the files of the tracker share; not for its listeners.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRACE_SESSION_INTERNAL_H
#define TRACE_SESSION_INTERNAL_H

#include "session.h"

enum { GROUP_KEEP_MAX = 65536, GROUP_CONNS = 320, ORPHANS = 64, ORPHAN_BYTES = 256 };

/* An LLC message of a queue pair that nobody has named yet: the group is older than the capture, and the Accept or
 * Confirm that names the link follows. Kept, so that the message can be told again with its link. */
struct orphan {
    struct trace_stream *stream; /* NULL: free */
    struct trace_request request;
    uint8_t bytes[ORPHAN_BYTES];
};

/* Bytes of one direction that may still be a CLC message. */
struct clc_rx {
    uint8_t *buf;
    size_t len, cap;
    uint64_t first_frame;
    bool settled; /* after a Decline: these bytes were looked at, the rest is plain */
};

/* A move into the DMB that an Accept named, before its Confirm arrived: shared memory is faster than the network. Kept until then. */
struct held_move {
    struct held_move *next;
    struct trace_raw raw;
    uint8_t bytes[];
};

struct conn {
    struct trace_conn pub; /* first: the listener's pointer is this one */
    struct held_move *held; /* oldest first */
    unsigned nheld;
    struct clc_rx rx[2];
    struct conn *prev, *next; /* all connections that live */
};

struct group {
    struct trace_group pub;
    struct trace_rmb *last_rkey_rmb[2]; /* of the side's CONFIRM RKEY that waits for its answer, for its refusal */
    struct trace_rmb *cont_rmb[2];      /* of the side's last CONFIRM RKEY: its continuation may come after the answer */
    bool deleting_rkeys[2];             /* a DELETE RKEY of that side waits for its response */
    bool deleting_links;                /* some link's `delete_asked` waits for its acknowledgement */
    uint64_t last_ns;
    struct trace_addr tcp[2];           /* addresses of the connection that made it known */
    unsigned refs;                      /* connections that point here */
    uint8_t next_pseudo;                /* number for the next link whose real one is not known */
};

/* A named end of a link in the table of ends. */
struct end_ref {
    struct trace_link *link;
    int side;
    struct end_ref *next;
};

struct rmb {
    struct trace_rmb pub;
    const struct trace_link *delete_pending; /* the link over which DELETE RKEY named it; NULL: none did, or it was answered */
    bool told_again; /* the CONFIRM RKEY that is open names keys that the peer has: a refusal takes none of them away */
};

struct trace_session {
    struct trace_session_events ev;
    void *ctx;
    struct trace_tcp *tcp;
    struct trace_qp *qp;
    struct trace_group *groups, *last_group;
    size_t ngroups;
    struct conn *conns;
    struct end_ref **ends;
    size_t end_buckets, nends;
    struct orphan orphans[ORPHANS]; /* oldest first from next_orphan on */
    unsigned next_orphan, norphans;
    uint64_t next_group, packets, last_frame, last_ns, next_sweep;
    const struct trace_packet *packet; /* at hand */
    bool short_of_memory;
};

#define EMIT(s, event, ...)                                                                                 \
    do {                                                                                                    \
        if ((s)->ev.event)                                                                                  \
            (s)->ev.event((s)->ctx, __VA_ARGS__);                                                           \
    } while (0)

/* ---- session.c ---- */
/* Requests of that side of a link are missing from the capture. */
void session_link_lost(struct trace_session *s, struct trace_link *l, int side);
/* The other end of `over` has what `side` sent up to that PSN: it knows which links are to be deleted. */
void session_delete_acked(struct trace_link *over, int side, uint32_t psn);
void session_group_lost(struct trace_session *s, struct trace_group *g);

/* ---- session_group.c ---- */
struct trace_group *session_group_new(struct trace_session *s, bool smcd, uint64_t frame);
void session_group_free(struct trace_session *s, struct trace_group *g);
void session_group_gone(struct trace_group *g, uint64_t frame, uint64_t ns);
void session_groups_sweep(struct trace_session *s, uint64_t now_ns);
struct trace_link *session_link_new(struct trace_session *s, struct trace_group *g);
/* Names an end; when both are named the two streams are expected (psn < 0: their PSNs are not known). */
void session_link_end(struct trace_session *s, struct trace_link *l, int side, const uint8_t gid[16], const uint8_t mac[6],
                      uint32_t qpn, int64_t psn, uint8_t mtu);
void session_link_number(struct trace_link *l, uint8_t number);
/* Numbers of the links of a group older than the capture, as far as CONFIRM RKEYs tell. */
void session_links_learn(struct trace_group *g);
/* The late group that an Accept for an unknown link most probably belongs to, or NULL. */
struct trace_group *session_group_late(struct trace_session *s, const struct trace_conn *c, const struct smc_clc_accept_info *a);
/* Newest link, not gone, with this end; `peer` may be NULL (any). */
struct trace_link *session_link_find(struct trace_session *s, const uint8_t gid[16], uint32_t qpn, int side,
                                     const struct trace_addr *peer);
/* Link and side of a stream's sender; false if nobody announced the queue pair. */
bool session_stream_link(struct trace_session *s, struct trace_stream *st, struct trace_link **link, int *side);
/* A queue pair that nobody named, but whose failover validation names a connection of a late group: another link of
 * that group, older than the capture. NULL if it is not so. */
struct trace_link *session_link_adopt(struct trace_session *s, struct trace_stream *st, uint32_t token);
void session_group_attach(struct trace_group *g, struct trace_conn *c);
void session_group_detach(struct trace_conn *c);

/* ---- session_rmb.c ---- */
struct trace_rtoken *session_rmb_token(struct trace_rmb *r, uint8_t link_number);
struct trace_rmb *session_rmb_find(struct trace_group *g, int owner, uint8_t link_number, uint32_t rkey, bool valid,
                                   struct trace_rtoken **token);
struct trace_rmb *session_rmb_announce(struct trace_session *s, struct trace_group *g, int owner, uint8_t link_number,
                                       uint32_t rkey, uint64_t va, uint64_t frame);
void session_rmb_add_token(const struct trace_group *g, struct trace_rmb *r, uint8_t link_number, uint32_t rkey, uint64_t va, uint64_t frame);
void session_rmb_delete(struct trace_rmb *r, uint64_t frame);

/* ---- session_data.c ---- */
void session_moves_replay(struct trace_session *s, struct conn *cc);
void session_moves_drop(struct conn *cc);

/* ---- session_clc.c ---- */
void session_clc_bytes(struct trace_session *s, struct conn *c, int dir, struct smc_view bytes, uint64_t frame, uint64_t ns);
/* A message will never be complete: FIN, RST (hole 0), or a hole of that many bytes in the stream. */
void session_clc_stop(struct trace_session *s, struct conn *c, int dir, uint64_t hole, uint64_t frame, uint64_t ns);

/* ---- session_llc.c, session_data.c ---- */
void session_send(struct trace_session *s, struct trace_stream *st, const struct trace_request *r);
void session_llc(struct trace_session *s, struct trace_llc_event *e);
/* Tells the messages again whose link has become known. */
void session_orphans_replay(struct trace_session *s);
/* A stream ends: its messages go. */
void session_orphans_drop(struct trace_session *s, const struct trace_stream *st);
void session_cdc(struct trace_session *s, struct trace_stream *st, struct trace_link *l, int side, const struct trace_request *r);
void session_write(struct trace_session *s, struct trace_stream *st, const struct trace_request *r);
/* `gone` is no more: the connection is on `instead`. */
void session_data_forget_link(struct trace_conn *c, const struct trace_link *gone, struct trace_link *instead);
void session_record(struct trace_session *s, const struct trace_packet *p);
void session_ring_sizes(struct trace_conn *c);
/* Starting cursors of a connection whose handshake is in the capture. */
void session_cursors_start(struct trace_conn *c);

#endif
