/* What the checks of the data path share: their state of a connection and of the message at hand.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * The tracker keeps the most plausible state; these checks keep their own, because after a broken rule they must go on
 * with what the peer can have understood, and because they need to know what was acknowledged and when. Positions are
 * bytes of the stream since its start, as in traces/session.h.
 *
 * "After" across two streams: what a side says about the other's messages is compared with messages that passed the
 * capture point before. Where a rule would blame a side for ignoring a message, that message must have been
 * acknowledged for DATA_GRACE_NS: it may still have been under way to the software. */
#ifndef JUDGE_CHECK_DATA_H
#define JUDGE_CHECK_DATA_H

#include "check.h"

enum {
    DATA_SPANS = 8,
    DATA_NOTES = 16, /* CDCs remembered a side; Linux has at most 16 under way */
    DATA_PENDING = 4,
    DATA_ACKS = 8,
    DATA_FULLS = 4 * DATA_NOTES, /* what was posted when the ring was full may leave that many of the peer's messages later, and be told after a gap */
    DATA_ENDED = 16,
    DATA_PORTS = 16
};
#define DATA_MS       UINT64_C(1000000)
#define DATA_GRACE_NS (20 * DATA_MS)
#define DATA_LONG_NS  (1000 * DATA_MS) /* what is to happen at once has happened by then */

enum {
    DATA_B = 0x80,
    DATA_P = 0x40,
    DATA_U = 0x20,
    DATA_R = 0x10,
    DATA_F = 0x08
};                                                    /* producer flags */
enum { DATA_D = 0x80, DATA_C = 0x40, DATA_A = 0x20 }; /* connection flags */

/* ---- intervals ---- */
struct data_span {
    uint64_t from, to;
};

struct data_spans {
    unsigned n;
    bool lost; /* more intervals than fit: nothing can be said until it is empty */
    struct data_span s[DATA_SPANS];
};

void judge_spans_add(struct data_spans *w, uint64_t from, uint64_t to);
void judge_spans_drop(struct data_spans *w, uint64_t below);
/* First byte of [from, to) that is not in it; `to` if none. */
uint64_t judge_spans_hole(const struct data_spans *w, uint64_t from, uint64_t to);

/* ---- state ---- */
/* A message on its way. */
struct data_sent {
    bool set;
    const struct trace_link *link; /* NULL: SMC-D, delivered at once */
    uint32_t psn;
    uint64_t frame, ts_ns, ack_ns; /* ack_ns 0: not acknowledged so far */
};

/* A link that a side sends over no more. */
struct data_left {
    const struct trace_link *link;
    uint64_t ns, f_frame; /* since when; of the F that told so, 0: it moved without */
    bool last_known, f_only; /* f_only: it said nothing there but an F with that number, or with one more */
    uint16_t last; /* number of its last message there: the next one that it gave to that link has the next number */
};

/* Where a side was before it came to the link on which it seems to be. */
struct data_before {
    const struct trace_link *link; /* NULL: there is no doubt; else it may be there still: what came last was older, and overtaken */
    uint64_t ns;                   /* since when */
    struct data_sent f;            /* last F by then */
    uint64_t f_sent_ns;
    uint16_t f_seq, last; /* last: number of the last message over that link, 0: none */
};

struct data_note { /* a CDC that was sent */
    struct data_sent sent;
    struct data_sent data; /* last WRITE before it, if any */
    uint16_t seq;
    uint64_t prod_pos, cons_pos;
};

struct data_side {
    /* Numbers. */
    uint16_t last_seq; /* highest sent */
    uint16_t old_seq;  /* of the last message with an old number */
    uint8_t old_seqs;  /* how many such messages came since the last good one */
    uint64_t cdcs, cdc_frame;
    /* As a writer. */
    struct trace_cursor prod, cons; /* announced; cons: of its own ring */
    uint64_t prod_pos, cons_pos;
    uint64_t prod_frame;
    uint64_t written_pos;
    uint64_t unsure_pos; /* end of what was written since the last CDC and may be new or old data; 0: none */
    uint64_t write_to; /* end of the last packet of a WRITE: where its next one goes on */
    bool write_known;
    struct data_spans written; /* and not yet announced; after F: on the new link */
    struct data_span missing;  /* announced, but not written */
    struct data_sent last_write;
    unsigned writes; /* WRITE messages since the last CDC */
    bool write_over; /* the WRITEs since the last CDC ran over the window */
    bool off_origin; /* it counts from another origin: what it writes cannot be placed */
    uint64_t stale_pos, stale_frame; /* highest position that an old-numbered message announced */
    bool stale_equal;                /* ... which repeated the last number */
    uint64_t left_pos; /* highest position announced on the link that F left: the peer may have taken it */
    uint8_t left_flags; /* connection flags said there: D, C, A */
    uint64_t left_cons; /* highest consumer told there: the peer may have taken it, whatever is repeated meanwhile */
    uint64_t beyond_pos; /* last producer beyond the window, 0 if the last one was inside */
    bool prod_unsure,
        cons_unsure; /* the last one was broken: what the peer made of it cannot be known */
    uint64_t fulls
        [DATA_FULLS]; /* positions at which the ring was full, by the peer's last consumer cursors */
    uint8_t prod_flags, conn_flags;
    struct data_sent b_clear; /* B was set, and this message said no more so */
    bool blocked_unsent; /* B was set, and no data since */
    uint64_t blocked_frame, blocked_ns;
    struct data_sent asked; /* R that the peer has not answered */
    bool attention;         /* P, U or R since the peer's last CDC */
    bool urgent_open;
    uint64_t urgent_pos; /* one beyond the urgent byte */
    uint64_t urgent_frame;
    struct data_note notes[DATA_NOTES]; /* [0] is the oldest */
    unsigned nnotes;
    struct data_note marks[2]; /* acknowledged ones that made room, a grace apart, newest last; not each one is kept */
    uint16_t dropped_seq; /* of the last note that made room, and its producer */
    uint64_t dropped_prod;
    uint16_t acked_seq; /* highest number known to be acknowledged; 0 none */
    uint64_t acked_ns;
    uint64_t acked_prod, acked_cons; /* of notes that made room */
    uint64_t acked_prod_ns, acked_cons_ns; /* when that was acknowledged */
    bool notes_lost;                 /* a note not acknowledged made room */
    /* Close. */
    struct data_sent done, closed, aborted;
    uint64_t done_pos, closed_pos;
    struct data_sent freed; /* DELETE RKEY for the RMB it gave */
    uint64_t fin_frame, fin_ns, rst_frame, rst_ns;
    uint64_t rst_peer_prod; /* the peer's producer when it reset */
    bool rst_f;             /* it reset just after an F that shows no loss: */
    uint16_t rst_f_seq, rst_last_seq;
    uint32_t rst_psn;       /* what the peer sends next over the link of F */
    struct judge_case rst_case;
    bool late_data;         /* reported: data long after FIN */
    /* Failover. */
    const struct trace_link *link;        /* of its last message */
    uint64_t link_ns, moved_ns;           /* when it came there; the same if it moved without F, else 0 */
    struct data_left left[TRACE_MAX_LEFT]; /* the last one first */
    unsigned nleft;
    const struct trace_link *unnamed_link; /* a WRITE came over it without F: the next CDC tells whether one was due; NULL: none did */
    uint64_t unnamed_frame;
    uint8_t unnamed_before; /* number of the link before */
    struct data_sent f;
    struct data_before before;
    uint64_t f_sent_ns; /* given to its link by then, at the earliest */
    uint64_t f_first_ns; /* of its first F */
    uint16_t f_seq;
    uint64_t f_prod; /* producer in an F, which means nothing */
    uint64_t f_prod_frame;
    bool
        f_beyond; /* F named a number not seen: never sent, or lost by the capture; the next number tells */
    uint64_t f_ignored; /* frame in which the receiver of such an F went on */
    bool f_doubt;       /* ... or names one older than what was acknowledged, and nothing was said since: */
    uint16_t f_sure, f_last; /* that one, and the last one sent */
    uint64_t f_again;        /* from where on it must write again, at the latest; UINT64_MAX: not known */
    bool after_f;       /* no CDC since F */
    bool moved;         /* to another link without F, as closing connections do; no CDC since */
    bool replaying;     /* what was lost is not yet announced again */
    uint64_t replay_from, replay_end;
    uint64_t f_from; /* after F: from where on its sender writes again, as its number says; replay_end if that is not known */
    uint16_t replay_seq; /* number of the last repeated message, 0 if none */
    /* SMC-D: what the record at hand must continue, 0 if nothing. */
    uint32_t move_offset, move_total, move_next;
    /* TCP. */
    uint32_t tcp_end; /* sequence number behind everything sent */
    bool tcp_known;
    uint64_t tcp_ns; /* first segment of either side after its C */
    uint64_t tcp_last_ns;
    bool fin_lost; /* its FIN was not captured, or only when it was repeated */
    unsigned probes;
    uint64_t probe_ns, probe_frame;
};

/* A finding that waits: the message of the other side that would make it right may still be held by the tracker
 * because packets before it are missing. */
struct data_pending {
    enum judge_req req;
    int side; /* at fault */
    bool
        on_cons; /* it is the consumer of the other side that must have reached `need`; else the producer */
    bool
        foreign; /* wrong unless it belongs to a connection whose handshake the capture lost: waits for the end */
    uint64_t frame, ts_ns, related, need, have;
    int64_t offset;
};

struct data_conn {
    bool started, nocopy[2], order_known;
    bool gap;              /* packets of its links are missing */
    bool counted, settled; /* in struct data_capture */
    uint64_t group_id;
    const struct trace_link *first_link; /* which CLC named */
    uint8_t order; /* SMC-D byte order */
    bool vlan_known, vlan_present;
    uint16_t vlan;
    uint32_t origin;
    struct data_side side[2];
    struct data_pending pending[DATA_PENDING];
    unsigned npending;
};

struct data_group {
    uint32_t token[2]; /* of the connection before */
    uint64_t token_conn[2];
    bool token_known[2];
    bool cut; /* CDCs are cut by the snap length */
    uint64_t rst_ns, rst_conn, rsts_ns; /* the last RST, of which connection; when last two were reset at once */
    uint32_t ended
        [2][DATA_ENDED]; /* tokens of connections that the tracker forgot before they were closed */
    unsigned nended[2];
    uint64_t stray[2]; /* frame of the last WRITE of a side that no connection could be found for */
};

/* Acknowledgements of the requests of each end of a link, newest last. */
struct data_link {
    struct {
        uint32_t psn;
        uint64_t ts_ns;
    } ack[2][DATA_ACKS];
    unsigned n[2];
    uint64_t last_ns[2]; /* of the last request of each end */
    uint64_t busy_ns[2]; /* since then it never paused */
    uint64_t held_ns[2]; /* so long the network held a packet of each end, while later ones passed, or it was sent again */
    unsigned waits[2];   /* messages of each end of which it is to be known when they were acknowledged, and were not */
};

/* An Ethernet port that sends, whatever it is: what waits in its queue waits for all of it. */
struct data_port {
    uint8_t mac[6];
    uint64_t last_ns; /* of its last packet; 0: none */
    uint64_t busy_ns; /* since then it never paused for DATA_GRACE_NS */
};

struct data_capture {
    uint64_t last_ns;
    struct data_port ports[DATA_PORTS]; /* those that sent last */
    bool unclear;            /* a handshake was not wholly captured */
    bool lossy;              /* something was sent twice: the network loses packets, also such as the capture never saw */
    bool path_lost;          /* DELETE LINK said so: where that link went TCP's segments may go, too */
    uint64_t begun, settled; /* handshakes */
};

/* ---- the message at hand ---- */
struct data_act {
    struct judge *j;
    struct trace_conn *c;
    struct data_conn *d;
    int side;
    struct data_side *me, *peer;
    struct trace_link *link; /* NULL: SMC-D */
    uint64_t frame, now;
    uint64_t by; /* it was posted by then; `now` if the capture does not tell */
    uint32_t origin;
    uint32_t ring[2]; /* of each side */
};

enum data_kind { DATA_NEW, DATA_REPLAY, DATA_OLD };

struct data_cdc {
    struct data_act a;
    const struct trace_cdc_event *e;
    struct trace_cursor prod, cons;
    uint8_t pf, cf;
    enum data_kind kind;
    bool prod_ok, cons_ok; /* inside the ring */
    int64_t prod_pos, cons_pos;
    bool prod_taken, cons_taken; /* become the side's own */
};

/* Counts and reports a broken rule. */
void judge_data_broken(const struct data_act *a, enum judge_req req, uint64_t related,
                       const char *seen, const char *expected, const char *message);
struct judge_case judge_data_case(const struct data_act *a, enum judge_req req, int64_t offset);
bool judge_data_act(struct data_act *a, struct judge *j, struct trace_conn *c, int side,
                    struct trace_link *l, uint64_t frame, uint64_t now);
void judge_data_start(struct data_act *a, uint32_t count, bool is_write);
/* Acknowledged (SMC-D: sent) at least `grace` ago. */
/* Did a side say something on its link after `ns`? Else the capture may have lost the end of what it said. */
bool judge_data_later(const struct data_act *a, int side, uint64_t ns);
/* When the message at hand may have been given to its link: what stands before it in the queue can take long on a slow one. */
uint64_t judge_data_posted(const struct data_act *a);
/* Any packet, before anything else is told of it: its port is busy. */
void judge_data_port(struct judge *j, const struct trace_packet *p);
/* Since when the message at hand may have waited behind others: its link, or the port that it leaves by, never paused since. */
uint64_t judge_data_busy(const struct data_act *a);
/* Has the capture shown so far that the network loses packets? */
bool judge_data_lossy(const struct data_act *a);
/* Takes note of when this message of the side at hand is acknowledged, to the packet. */
void judge_data_watch(const struct data_act *a, struct data_sent *s);
/* Packet p acknowledges what `sender` sent over l up to PSN `covers`. */
void judge_data_acked(struct data_link *k, const struct trace_link *l, int sender, uint32_t covers, uint64_t ns);
/* False if the capture does not show all that the two sides said. */
bool judge_data_sure(const struct data_act *a);
bool judge_data_delivered(const struct data_act *a, int sender, struct data_sent *s,
                          uint64_t grace);
/* Brings the acknowledgements of all notes up to date. */
void judge_data_acks(const struct data_act *a, int sender);
struct data_capture *judge_data_capture(struct judge *j);
uint64_t judge_data_last_ns(struct judge *j);
/* Remembers a CDC; the oldest one makes room. */
void judge_data_note(const struct data_act *a, const struct data_note *note);
/* What a side may be known to have consumed, on whatever link it said so. */
static inline uint64_t judge_data_consumed(const struct data_side *x)
{
    return x->left_cons > x->cons_pos ? x->left_cons : x->cons_pos;
}
/* How far PSN x is ahead of y, modulo 2^24. */
static inline uint32_t judge_psn_ahead(uint32_t x, uint32_t y)
{
    return (x - y) & 0xffffff;
}
/* Position of a side's cursor, reckoned from its last one; false if the count is outside the ring. */
bool judge_data_position(const struct data_act *a, struct trace_cursor cur, uint32_t ring,
                         struct trace_cursor from, uint64_t from_pos, int64_t *pos);
void judge_data_pend(const struct data_act *a, enum judge_req req, bool on_cons, uint64_t need,
                     uint64_t have, int64_t offset, uint64_t related);
/* A message of `side` was taken into the state: what waited for it is settled. `all`: nothing more will come. */
/* A message of a connection that nobody knows would explain it, if the capture may have lost that one's handshake. */
void judge_data_pend_foreign(const struct data_act *a, enum judge_req req, uint64_t related);
void judge_data_settle(const struct data_act *a, bool all);

/* check_cdc.c */
bool judge_cdc_message(struct judge *j, const struct trace_cdc_event *e);
struct trace_conn *judge_cdc_token(struct judge *j, const struct trace_cdc_event *e);
void judge_cdc_ended(const struct data_act *a);
void judge_cdc_successive_tokens(const struct data_act *a);
/* NULL, or the connection that the message belongs to although its token names another. */
struct trace_conn *judge_cdc_number(struct data_cdc *x);
void judge_cdc_announced(struct data_cdc *x);

/* check_cursor.c */
void judge_cursor_values(struct data_cdc *x);
void judge_cursor_flags(struct data_cdc *x);
void judge_cursor_update(struct data_cdc *x);
void judge_cursor_end(const struct data_act *a);

/* check_write.c */
void judge_write(struct judge *j, const struct trace_write_event *e);

/* check_close.c */
void judge_close_cdc(struct data_cdc *x);
/* Data written at [from, to). */
void judge_close_write(const struct data_act *a, uint64_t from, uint64_t to, bool placed);
void judge_close_fin(const struct data_act *a);
void judge_close_rst(const struct data_act *a);
void judge_close_llc(struct judge *j, const struct trace_llc_event *e);
void judge_close_segment(struct judge *j, struct trace_conn *c, int dir,
                         const struct trace_packet *p, bool duplicate);
void judge_close_end(const struct data_act *a);

/* check_failover.c */
/* Which link the message is on, a CDC or (NULL) a WRITE. False if it is a straggler from before the side's F, which
 * changes nothing any more. */
bool judge_failover_link(const struct data_act *a, const struct data_cdc *x);
/* Such a straggler; its receiver may have acted on it. */
void judge_failover_straggler(struct data_cdc *x);
void judge_failover_validation(struct data_cdc *x);
/* The first number after F. False if it shows that the capture lost messages. */
bool judge_failover_next(struct data_cdc *x);
/* Is the first message behind F one that its number allows? */
void judge_failover_replay(struct data_cdc *x);
void judge_failover_rst(const struct data_act *a);
void judge_failover_end(const struct data_act *a);
void judge_failover_receiver(const struct data_act *a);

/* check_smcd.c */
void judge_smcd_record(struct judge *j, const struct trace_packet *p, struct trace_conn *c);
void judge_smcd_block(struct data_cdc *x);
void judge_smcd_clc(struct judge *j, const struct trace_clc_event *e);
void judge_smcd_end(const struct data_act *a);

#endif
