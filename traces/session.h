/* What the two ends must know, rebuilt from what crossed the wire: connections, link groups, links, RMBs, cursors.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * The tracker ties TCP connections and RC streams together by what CLC and LLC said. It knows no rules: it keeps
 * the most plausible state and tells its listener every message with the state it met, *before* the message changes
 * that state. The judge, `follow`, `decode` and the ladder diagrams are such listeners.
 *
 * Sides: 0 (TRACE_C2S) is the client, 1 (TRACE_S2C) the server of the TCP connection that created the group; in an
 * event `side` is who sent it. What a side *gave* (token, rkey, ring) is stored at that side; what it *wrote*
 * (producer cursor, sequence numbers) is stored at the writer.
 *
 * Positions: a cursor (wrap, count) is also kept as an absolute 64-bit position: bytes of the stream since its start.
 * Position p lies at ring offset p mod ring_size, element offset `origin` + that. */
#ifndef TRACE_SESSION_H
#define TRACE_SESSION_H

#include "qp.h"
#include "tcp.h"
#include "wire/clc.h"
#include "wire/llc.h"

struct trace_group;
struct trace_link;
struct trace_conn;

enum trace_mode {
    TRACE_MODE_UNKNOWN, /* handshake not finished, or its beginning was not captured */
    TRACE_MODE_TCP,     /* plain TCP: no option, or fallback */
    TRACE_MODE_SMCR,
    TRACE_MODE_SMCD,
};

struct trace_cursor {
    uint16_t wrap;
    uint32_t count;
};

/* An interval [from, to) of absolute positions. */
struct trace_span {
    uint64_t from, to;
    uint64_t frame; /* of the write that brought its end */
};

enum { TRACE_MAX_SPANS = 32, TRACE_MAX_LEFT = 8 };

/* A link that a side writes over no more, and since when. */
struct trace_left {
    const struct trace_link *link;
    uint64_t ns;
};

/* One side of one connection. */
struct trace_conn_side {
    bool given;            /* Accept (server) or Confirm (client) was seen: the fields down to ring_size hold */
    uint32_t token;        /* alert token this side gave, SMC-R */
    uint64_t dmb_token;    /* SMC-D */
    uint8_t rmbe_index;    /* 1-based, SMC-R; DMBE index, SMC-D */
    struct trace_rmb *rmb; /* SMC-R: the RMB it gave (NULL if unknown) */
    uint32_t element_size; /* bytes of the RMBE or DMB, eyecatcher or CDC block included */
    uint32_t ring_size;    /* usable bytes; 0 if not known */

    /* As a writer, into the *peer's* ring. */
    bool seq_known;
    uint16_t last_seq;      /* of the last CDC (F excluded) */
    uint64_t cdc_count;     /* CDCs of this side, F excluded */
    uint64_t last_cdc_frame, last_cdc_ns;
    bool prod_known;        /* prod and prod_pos hold */
    struct trace_cursor prod;
    uint64_t prod_pos;      /* highest position announced */
    uint64_t prod_frame;    /* CDC that announced it */
    unsigned nspans;        /* written and not yet announced, sorted, disjoint */
    struct trace_span spans[TRACE_MAX_SPANS];
    uint64_t written_pos;   /* highest position written */
    bool spans_lost;        /* a gap in the capture: what was written is no longer known for sure */
    /* As a reader of its own ring. */
    bool cons_known;
    struct trace_cursor cons;
    uint64_t cons_pos;      /* consumed up to here, as its last CDC said */
    uint64_t cons_frame;
    uint8_t prod_flags, conn_flags; /* of its last CDC (F excluded) */
    bool done, closed, aborted;     /* D, C, A were sent */
    uint64_t done_frame, closed_frame, aborted_frame;
    /* Failover. */
    bool replaying;         /* sent F, and has not yet passed its old producer cursor */
    uint64_t replay_from;   /* lowest position it may write again: the peer's consumer at F */
    uint64_t validations;   /* F messages sent */
    struct trace_link *via;  /* SMC-R: of its last CDC or WRITE that was not late */
    struct trace_left left[TRACE_MAX_LEFT]; /* by F, or when closing without; the last one first */
    unsigned nleft;
    const struct trace_link *ended[TRACE_MAX_LEFT]; /* SMC-R: over which it said C or A, the first one last; then NULL */
    uint64_t fin_frame, rst_frame; /* TCP */
    uint64_t fin_ns, rst_ns, closed_ns, done_ns, aborted_ns;
};

enum trace_closed { TRACE_CLOSED_OPEN, TRACE_CLOSED_NORMAL, TRACE_CLOSED_ABORT };

enum trace_clc_phase {
    TRACE_CLC_NONE,     /* no SMC option on both sides: never CLC */
    TRACE_CLC_PROPOSAL, /* waiting for the client's Proposal (or Decline) */
    TRACE_CLC_ACCEPT,   /* waiting for Accept or Decline */
    TRACE_CLC_CONFIRM,  /* waiting for Confirm or Decline */
    TRACE_CLC_DONE,     /* Confirm seen */
    TRACE_CLC_DECLINED, /* Decline seen: what follows is plain TCP */
    TRACE_CLC_BROKEN,   /* something that cannot be a CLC message was seen: plain bytes from here */
    TRACE_CLC_LATE,     /* the capture began inside the connection */
};

struct trace_conn {
    uint64_t id;               /* flow id; "c<id>" is the name people use */
    char name[24];
    struct trace_flow *flow;   /* NULL once the flow was forgotten */
    struct trace_addr addr[2];
    uint16_t port[2];
    uint64_t first_frame, first_ns;
    bool option[2];            /* SMC option on SYN / SYN-ACK */
    bool late;                 /* no SYN seen */
    bool incomplete;           /* packets that matter for it are missing from the capture */
    enum trace_clc_phase phase;
    enum trace_mode mode;
    bool proposed, accepted, confirmed;
    uint64_t proposal_frame, accept_frame, confirm_frame, decline_frame;
    uint64_t proposal_ns, accept_ns, confirm_ns, decline_ns;
    struct smc_clc_proposal_info proposal; /* valid if proposed; its views point into proposal_bytes */
    uint8_t *proposal_bytes;   /* freed when the handshake is settled for good and nobody asks again */
    size_t proposal_len;
    struct smc_clc_accept_info accept, confirm;
    bool declined;
    int decline_side;
    uint32_t decline_code;
    bool decline_sync;         /* S bit */
    uint8_t version;           /* of Accept; 0 if none */
    uint8_t release;           /* SMC release negotiated (v2: FCE of Accept, else the group's) */
    bool first_contact;
    struct trace_group *group; /* NULL if none */
    struct trace_link *link;   /* SMC-R: link of its last CDC or write, at first the one CLC named */
    struct trace_conn_side side[2];
    uint64_t plain_bytes[2];   /* TCP bytes that are application data */
    bool rst;                  /* a TCP RST was seen */
    enum trace_closed closed;
    struct trace_conn *group_next; /* in group->conns, newest first */
    void *user;                /* the listener's */
};

/* A remote memory buffer that one side of a group owns, with the rkey it has on each link. */
struct trace_rtoken {
    uint8_t link_number;
    bool valid;          /* false: deleted (kept, so that a late use can be named) */
    uint32_t rkey;
    uint64_t va;
    uint64_t frame;      /* that announced it */
    uint64_t first_frame; /* the same, but not if it only announced again what was valid */
    uint64_t deleted_frame;
};

struct trace_rmb {
    int owner;           /* side */
    uint32_t element_size; /* bytes of one RMBE, 0 if not known */
    unsigned elements;   /* highest index seen */
    bool clc_named;      /* some Accept/Confirm named it */
    unsigned ntokens;
    struct trace_rtoken tokens[10];
    struct trace_rmb *next; /* in group->rmbs */
};

enum trace_link_state {
    TRACE_LINK_ADDING,    /* announced (CLC first contact, ADD LINK request) */
    TRACE_LINK_ANSWERED,  /* both ends named */
    TRACE_LINK_ACTIVE,    /* CONFIRM LINK exchange complete (or the group is older than the capture) */
    TRACE_LINK_DELETING,  /* DELETE LINK request seen */
    TRACE_LINK_GONE,      /* deleted, rejected, or never completed */
};

struct trace_link_end {
    bool known;
    uint8_t gid[16], mac[6];
    uint32_t qpn, psn;
    uint8_t mtu;              /* code as sent */
    struct trace_addr addr;   /* where its packets go: the GID */
    struct trace_stream *tx;  /* requests sent by this end */
};

struct trace_link {
    struct trace_group *group;
    uint8_t number;           /* 0 until known */
    bool number_known;
    enum trace_link_state state;
    bool first;               /* the one the group was created with */
    bool asymmetric;
    struct trace_link_end end[2];
    uint64_t add_frame, active_frame, delete_frame, gone_frame;
    uint64_t add_ns, active_ns, delete_ns, gone_ns;
    bool delete_known[2];     /* this end has lost it, and asked for its deletion, or its NIC has the other's request */
    struct {                  /* the last such request: over which link, from which end; number 0: none that is not acknowledged */
        uint8_t number;
        int side;
        uint32_t psn;
    } delete_asked;
    struct trace_link *next;  /* in group->links, oldest first */
    void *user;
};

/* Has this end lost the link, or heard that the other did? What is said of it over another one that has failed does not arrive. */
static inline bool trace_link_lost(const struct trace_link *l, int side)
{
    return l->state == TRACE_LINK_GONE || (l->state == TRACE_LINK_DELETING && l->delete_known[side]);
}

struct trace_group {
    uint64_t id;
    char name[24];             /* "g<id>" */
    bool smcd;
    uint8_t version;           /* 1 or 2 */
    uint8_t release;
    bool late;                 /* its first contact is not in the capture */
    bool gone;                 /* deleted as a whole, or out of sync */
    bool incomplete;           /* packets of its links or of a handshake are missing from the capture */
    uint64_t incomplete_ns;    /* when that was last noticed */
    uint8_t peer_id[2][8];
    uint8_t gid[2][16];        /* SMC-D: 128 bits */
    uint32_t link_id[2];       /* SMC-D: what each side calls the group */
    uint8_t eid[32];
    bool vlan_known;
    bool vlan_present;
    uint16_t vlan;
    bool origin_known;         /* eyecatcher or not is known */
    uint32_t origin;           /* 4 with eyecatcher (RFC), 0 without */
    uint8_t max_links, max_conns; /* negotiated; 0 if not known */
    struct trace_link *links;
    struct trace_rmb *rmbs[2]; /* newest first, deleted ones for a while */
    struct trace_conn *conns;  /* open or recently closed, newest first */
    unsigned nconns;
    uint64_t first_frame, gone_frame, gone_ns;
    struct trace_group *next;  /* oldest first */
    void *user;
};

/* ---- events ---- */

struct trace_clc_event {
    struct trace_conn *conn;
    int side;                  /* who sent it */
    struct smc_view bytes;
    uint64_t frame, ts_ns;     /* packet that completed it */
    uint64_t first_frame;      /* packet that began it */
    bool broken;               /* not a CLC message: `reject` says why */
    struct smc_reject reject;
    uint8_t type;              /* SMC_CLC_…, 0 if not even that is known */
    uint8_t version;
    bool accept_valid, proposal_valid, decline_valid;
    struct smc_clc_proposal_info proposal;
    struct smc_clc_accept_info accept; /* Accept and Confirm */
    struct smc_clc_decline_info decline;
};

struct trace_llc_event {
    struct trace_stream *stream;
    struct trace_link *link;   /* NULL: a queue pair that nobody announced */
    struct trace_group *group;
    int side;                  /* -1 if link is NULL */
    const struct trace_request *request;
    struct smc_view bytes;
    bool cut;                  /* shorter in the capture than on the wire */
    bool replayed;             /* told before without its link, which was named since; times and frames are its own */
    bool valid;                /* info holds; else `reject` says why */
    struct smc_reject reject;
    struct smc_llc_info info;
};

struct trace_cdc_event {
    struct trace_stream *stream;   /* NULL for SMC-D */
    struct trace_link *link;
    struct trace_group *group;
    struct trace_conn *conn;       /* NULL: token of no known connection */
    int side;
    uint64_t frame, ts_ns;
    struct smc_view bytes;
    bool valid;                    /* long enough; the fields hold */
    bool smcd;
    uint16_t seq;                  /* SMC-R */
    uint32_t token;                /* SMC-R */
    struct trace_cursor prod, cons;
    uint8_t prod_flags, conn_flags;
    bool validation;               /* F: cursors mean nothing */
    bool late;                     /* came over the link that F had left: it was on its way; the state does not follow it */
    bool stale;                    /* SMC-R: number serially not above the last one; a receiver drops or repeats it */
    bool prod_pos_ok, cons_pos_ok; /* the positions hold (cursor inside the ring, ring known, history known) */
    uint64_t prod_pos, cons_pos;   /* absolute */
    const struct trace_request *request; /* NULL for SMC-D */
};

enum trace_write_target {
    TRACE_WRITE_RING,        /* inside the ring of an open connection */
    TRACE_WRITE_IDLE,        /* inside a known RMB, in an element no open connection has */
    TRACE_WRITE_OUTSIDE,     /* known rkey, but not inside an RMB of known size, or not inside one ring */
    TRACE_WRITE_DELETED,     /* the rkey was deleted before */
    TRACE_WRITE_UNKNOWN,     /* rkey was never announced on this link (group complete in the capture) */
    TRACE_WRITE_UNTRACKED,   /* nothing is known: late group, or unknown queue pair */
};

struct trace_write_event {
    struct trace_stream *stream;   /* NULL for SMC-D */
    struct trace_link *link;
    struct trace_group *group;
    struct trace_conn *conn;       /* whose ring; NULL if none */
    int side;                      /* the writer; -1 if unknown */
    enum trace_write_target target;
    const struct trace_rmb *rmb;
    const struct trace_rtoken *rtoken;
    uint64_t frame, ts_ns;
    uint64_t element_offset;       /* of its first byte in the RMBE/DMB */
    uint32_t len;
    bool late;                     /* as in trace_cdc_event */
    bool pos_ok;                   /* from/to hold */
    uint64_t from, to;             /* absolute positions written */
    struct smc_view bytes;         /* captured part */
    const struct trace_request *request; /* NULL for SMC-D */
    const struct smc_smcd_record *record; /* SMC-D */
};

struct trace_session_events {
    void (*packet)(void *ctx, const struct trace_packet *p);       /* every packet, first */
    void (*segment)(void *ctx, struct trace_conn *c, int dir, const struct trace_packet *p, bool duplicate);
    void (*conn_open)(void *ctx, struct trace_conn *c);
    void (*clc)(void *ctx, const struct trace_clc_event *e);
    void (*plain)(void *ctx, struct trace_conn *c, int side, struct smc_view bytes, uint64_t frame, uint64_t ts_ns); /* application bytes over TCP */
    void (*tcp_gap)(void *ctx, struct trace_conn *c, int side, uint64_t n, uint64_t frame);
    void (*fin)(void *ctx, struct trace_conn *c, int side, uint64_t frame, uint64_t ts_ns);
    void (*rst)(void *ctx, struct trace_conn *c, int side, uint64_t frame, uint64_t ts_ns);
    void (*group_open)(void *ctx, struct trace_group *g);
    void (*llc)(void *ctx, const struct trace_llc_event *e);
    void (*llc_done)(void *ctx, const struct trace_llc_event *e);  /* after the state followed it */
    void (*cdc)(void *ctx, const struct trace_cdc_event *e);
    void (*cdc_done)(void *ctx, const struct trace_cdc_event *e);  /* after the state followed it */
    void (*write)(void *ctx, const struct trace_write_event *e);
    void (*record)(void *ctx, const struct trace_packet *p, struct trace_conn *c); /* SMC-D record, any operation */
    void (*request_other)(void *ctx, struct trace_stream *s, struct trace_link *l, const struct trace_request *r, uint8_t opcode);
    void (*rc_gap)(void *ctx, struct trace_stream *s, struct trace_link *l, uint32_t n, uint64_t frame);
    void (*rc_ack)(void *ctx, struct trace_stream *s, struct trace_link *l, const struct trace_packet *p);
    void (*rc_duplicate)(void *ctx, struct trace_stream *s, struct trace_link *l, const struct trace_packet *p);
    void (*conn_end)(void *ctx, struct trace_conn *c);   /* being forgotten; free c->user */
    void (*group_end)(void *ctx, struct trace_group *g); /* being forgotten; free g->user and its links' */
    void (*finish)(void *ctx, uint64_t last_frame, uint64_t last_ns); /* end of the capture, before the ends */
};

struct trace_session;

/* events members may be NULL. NULL if memory is short. */
struct trace_session *trace_session_new(const struct trace_session_events *events, void *ctx);
/* Takes one packet apart and follows it; -1 if memory is short (the packet is lost for the state, and `incomplete`
 * is set where it matters). Packets must come in order of time (see order.h). */
int trace_session_input(struct trace_session *s, const struct trace_raw *raw);
void trace_session_finish(struct trace_session *s);
void trace_session_free(struct trace_session *s);
uint64_t trace_session_packets(const struct trace_session *s);
/* The groups there are, oldest first. */
struct trace_group *trace_session_groups(struct trace_session *s);

/* Link of a group with this number that is not gone (else the newest gone one, else NULL). */
struct trace_link *trace_link_by_number(struct trace_group *g, uint8_t number);
/* Why a fallback happened, in words; NULL if none. */
const char *trace_conn_fallback(const struct trace_conn *c);

#endif
