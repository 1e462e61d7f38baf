/* What the files check_llc*.c share: the state kept of a link group, and one LLC message as the checks see it.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * State lives in the slots of check.h, flat, so that free() is all it takes. An *exchange* is a request and what has
 * become of it. Verdicts on silence need proof that the silent side had the request (its NIC acknowledged it) and
 * was alive on that link afterwards; see llc_tick(). */
#ifndef JUDGE_CHECK_LLC_H
#define JUDGE_CHECK_LLC_H

#include "check.h"
#include "wire/clc.h"
#include "wire/llc.h"

enum { LLC_CLIENT = 0, LLC_SERVER = 1 };
enum { LLC_OPENS = 48, LLC_BODY = 44, LLC_REFUSALS = 8, LLC_KEYS = 64 };

#define LLC_MS UINT64_C(1000000)
#define LLC_REPLY (2000 * LLC_MS)      /* timer of an LLC reply */
#define LLC_AT_ONCE (5 * LLC_MS)        /* who may act has done so */
#define LLC_REPLY_SOON (1500 * LLC_MS) /* … which may have begun before the request left its queue */
#define LLC_REPLY_SLOW (2500 * LLC_MS) /* … when only slowness could excuse */
#define LLC_ACTION (4000 * LLC_MS)     /* an exchange of the server that a client's request causes */
#define LLC_NEW_LINK (5000 * LLC_MS)   /* setting up a link; CONFIRM LINK of a later link */
#define LLC_SETTLE (30000 * LLC_MS)    /* after a DELETE LINK a group may be busy with itself this long */

/* A request that was seen, answered or not. */
struct llc_open {
    uint8_t kind; /* enum smc_llc_type; 0: the slot is free */
    uint8_t side; /* who asked */
    uint8_t number;
    bool all, orderly;
    bool delivered;  /* acknowledged by the peer's NIC */
    bool answered;   /* or served: what it waited for has happened */
    bool refused;    /* answered negatively */
    bool judged;     /* its deadline has been judged */
    bool requester_judged;
    bool over;       /* DELETE LINK of the server: asked again since, or one of those that asked for the same is answered */
    bool mirrored;   /* the peer sent the same body without 0x80 */
    bool during_add; /* arrived while a link was being added */
    bool during_delete; /* arrived while the server deleted a link */
    bool second;     /* not the first request that waits for the end of that */
    bool in_add;     /* DELETE LINK for the link being added */
    bool live;       /* DELETE LINK: of a link that is up */
    bool young;      /* … but the server may not know that yet */
    bool known;      /* DELETE LINK: a link of this number exists or existed */
    bool crossed;    /* the peer's CONFIRM RKEY was open */
    bool at_max;     /* client's ADD LINK: all links that may be are there */
    bool v2;
    uint8_t later;   /* messages of the peer since delivery */
    uint8_t unknown, unsure; /* DELETE RKEY: masks of keys that the peer cannot know, may not know, of the first eight */
    uint8_t nkeys, least, most; /* how many keys, and how many of all of them the peer cannot, may not know */
    uint32_t psn, reason;
    uint64_t frame, ns, delivered_ns, answer_frame, answer_ns;
    struct trace_link *link;
    const struct trace_stream *stream;
    uint8_t body[LLC_BODY];
};

enum llc_add_phase { LLC_ADD_NONE, LLC_ADD_OFFERED, LLC_ADD_ANSWERED, LLC_ADD_CONFIRMING };

/* The ADD LINK exchange that runs. */
struct llc_add {
    enum llc_add_phase phase;
    bool initial;      /* first attempt of a group whose first contact is in the capture */
    bool v2;
    bool told;         /* LLC-021 was reported */
    uint8_t number;
    uint64_t frame, ns, answer_ns;
    struct trace_link *carrier;
    bool cont[2];      /* has sent a continuation */
    unsigned left[2];  /* pairs that its last continuation left for later */
    uint64_t cont_frame[2];
    unsigned waiting;  /* client's DELETE LINKs that wait for the end */
    uint64_t early_frame; /* server's DELETE LINK of another link during it, that served the client */
    bool early_served;
};

/* A CONFIRM RKEY that was refused. */
struct llc_refusal {
    bool used, retry;
    uint8_t side, nkeys;
    uint32_t rkey[3]; /* of the same RMB on several links */
    bool others;      /* several handshakes waited: the element of another connection may lie in the same RMB, and be its stimulus */
    uint64_t frame, ns;
};

struct llc_odd {
    bool set;
    enum judge_req req; /* the rule that forbids to punish it */
    uint64_t frame;
};

enum { LLC_LATES = 4 };

/* A finding that waits until `proof` went on without a gap; see check_llc_later.c. */
struct llc_late {
    const struct trace_stream *proof; /* NULL: free */
    struct judge_case what;
    char seen[160], expected[160], message[160];
};

/* JUDGE_AREA_LLC of a group. */
struct llc_group {
    struct llc_open opens[LLC_OPENS];
    struct llc_late lates[LLC_LATES];
    bool any_late;
    struct llc_add add, given_up; /* the latest, and the one before it: the client may not know yet that it is over */
    uint64_t adds;        /* ADD LINK requests of the server */
    uint64_t offer_ns;    /* last ADD LINK of the server, whether or not the exchange still runs */
    uint8_t live[32], used[32], offered[32]; /* bitmaps of link numbers */
    const struct trace_link *rkey_link[2]; /* over it the last DELETE RKEY of that side was answered, at rkey_ns */
    uint64_t rkey_ns[2];
    bool data;  /* data have flowed: a second link that is offered now is no part of the first contact */
    bool quiet; /* no request waits for anything */
    uint64_t first_ns;
    uint64_t forgot_ns;   /* something may have been missed: who answers what is not sure for a while */
    uint64_t delete_ns;   /* last DELETE LINK */
    uint64_t all_frame[2], all_ns[2]; /* DELETE LINK all by that side */
    bool all_told[2];
    struct llc_odd odd[2];
    bool order_told[2];
    unsigned rkey_left[2]; /* tokens that CONFIRM RKEY CONTINUATION has still to bring */
    struct llc_refusal refusals[LLC_REFUSALS];
    unsigned next_refusal;
    struct { /* the last CONFIRM RKEY of that side, with its continuations */
        const struct trace_link *on; /* it came over this link; NULL: there is none, or its list is complete */
        const struct trace_link *carrier; /* the same, and stays */
        uint8_t named[32];           /* links of which it has brought a token */
        uint64_t frame, ns;
        uint32_t rkey; /* on that link */
    } lists[2];
    struct { /* the one before it, whose link failed: continuations may still stand in the queue there */
        const struct trace_link *on; /* NULL: it was complete */
        unsigned left;
    } cut_lists[2];
    struct { /* a CONFIRM RKEY of that side without tokens for these links */
        bool any;
        uint8_t links[32];
        uint64_t frame, ns;
        const struct trace_link *carrier;
        uint32_t rkey;
    } omitted[2];
    struct { /* wrong TEST LINK reply, taken or not */
        struct trace_link *link;
        uint8_t side; /* who asked */
        uint64_t frame;
    } wrong_reply;
};

/* JUDGE_AREA_LLC of a link: when a side's last two SENDs went by. */
struct llc_link {
    uint64_t send_ns[2][2];
};

/* JUDGE_AREA_LLC of a connection. */
struct llc_conn {
    uint64_t freed_frame[2], freed_ns[2]; /* DELETE RKEY for the RMB of that side */
    const struct trace_link *freed_link[2];
    bool freed_told[2];
    unsigned writes[2]; /* WRITEs since the last CDC */
    bool writes_unsure[2];
    const struct trace_link *writes_link[2];
    bool vlan_seen, vlan_judged;
    uint16_t vlan;
    bool shaking; /* its handshake is open: it counts in `handshakes` */
};

enum llc_key_state { LLC_KEY_OPEN, LLC_KEY_CONFIRMED, LLC_KEY_REFUSED, LLC_KEY_LOST };

/* A key that CONFIRM RKEY named, by the end of the link that it is for, as an Accept or Confirm will name it. */
struct llc_key {
    struct trace_group *group;
    uint8_t side, gid[16];
    uint32_t qpn, rkey;
    enum llc_key_state state;
    bool known;        /* the peer had it before, and is asked anew for the sake of another link */
    uint8_t asked_on;  /* number of the link that carried the request */
    uint64_t frame, ns;
    uint64_t list;     /* frame of the CONFIRM RKEY, also of a key that a continuation brings */
    uint64_t offer_frame, offer_ns; /* CLC offered it before it was confirmed */
};

/* JUDGE_AREA_LLC of the capture. */
struct llc_capture {
    struct llc_key keys[LLC_KEYS];
    unsigned next_key;
    bool offers; /* some key was offered too early */
    uint64_t stimulus_ns; /* last TCP SYN or CLC message */
    uint64_t breakup_ns;  /* last Decline or RST */
    unsigned handshakes;  /* open: Proposals without Confirm, Decline or RST */
};

/* One message. */
struct llc_msg {
    struct judge *j;
    const struct trace_llc_event *e;
    struct llc_group *st;
    struct trace_group *g;
    struct trace_link *link;
    int side, peer;
    uint64_t frame, ns;
    size_t len;             /* on the wire */
    struct smc_llc_info info;
    uint8_t body[LLC_BODY]; /* zero padded */
    uint8_t fixed[LLC_BODY]; /* `body` with the right length, if that was wrong: `info` borrows from it */
};

#define LLC_REPORT(m, r, s, off, rel, dev, seen, expected, ...)                                     \
    judge_report((m)->j,                                                                            \
                 &(struct judge_case){.req = (r), .side = (s), .frame = (m)->frame, .related = {rel}, \
                                      .group = (m)->g, .offset = (off), .deviation = (dev)},        \
                 seen, expected, __VA_ARGS__)
/* As LLC_REPORT, of something absent: related frame is the request. */
#define LLC_ABSENT(j, gr, r, s, rel, dev, seen, expected, ...)                                      \
    judge_report((j),                                                                               \
                 &(struct judge_case){.req = (r), .side = (s), .related = {rel}, .group = (gr),     \
                                      .offset = -1, .deviation = (dev)},                            \
                 seen, expected, __VA_ARGS__)

/* check_llc_later.c: the texts are copied; without a stream to prove it by, nothing is told */
void llc_later(struct llc_group *st, const struct judge_case *c, const struct trace_stream *proof, const char *seen,
               const char *expected, const char *message);
void llc_later_proved(struct judge *j, struct llc_group *st, const struct trace_stream *s); /* its next request came */
void llc_later_lost(struct llc_group *st, const struct trace_stream *s);                    /* requests of it are missing */

/* check_llc.c */
struct llc_group *llc_group_state(struct trace_group *g);
struct llc_link *llc_link_state(struct trace_link *l);
struct llc_conn *llc_conn_state(struct trace_conn *c);
struct llc_capture *llc_capture_state(struct judge *j);
static inline bool llc_bit(const uint8_t *map, uint8_t n)
{
    return (map[n >> 3] >> (n & 7) & 1) != 0;
}
void llc_bit_set(uint8_t *map, uint8_t n, bool value);
/* Is the whole life of the group in the capture, without holes? */
bool llc_complete(const struct trace_group *g);
/* Is it sure enough which requests are open? */
bool llc_sure(const struct llc_group *st, const struct trace_group *g, uint64_t ns);

/* check_llc_message.c: one message by itself. False if nothing more can be made of it. */
bool llc_check_message(struct llc_msg *m);
/* The peer's last message was unusual but allowed; `m` is what it gets for it. */
void llc_check_punishment(struct llc_msg *m);

/* check_llc_flow.c: requests and responses. */
void llc_request(struct llc_msg *m);
void llc_response(struct llc_msg *m);
/* A frame of `side` went over link `l`: judges what should have happened before. `fresh`: a new message of that side. */
void llc_tick(struct judge *j, struct trace_group *g, struct trace_link *l, int side, uint64_t frame, uint64_t ns);
void llc_delivered(struct llc_group *st, const struct trace_stream *s, uint32_t psn, uint64_t ns);
void llc_gap(struct llc_group *st, const struct trace_link *l, uint64_t ns);
/* The latest open request of this kind, or NULL. number < 0: any. */
struct llc_open *llc_find(struct llc_group *st, uint8_t kind, int side, int number);
/* Does the server surely have an ADD LINK exchange open? */
bool llc_adding(const struct llc_group *st, uint64_t ns);
/* Frames in which the data path must not move yet. */
void llc_check_data(struct judge *j, struct trace_group *g, const struct trace_link *l, int side, uint64_t frame, uint64_t ns);

/* check_llc_link.c: links. `o` is the request that a response answers. */
void llc_confirm_link_request(struct llc_msg *m);
void llc_confirm_link_response(struct llc_msg *m, struct llc_open *o);
void llc_add_link_request(struct llc_msg *m, struct llc_open *o);
void llc_add_link_response(struct llc_msg *m, struct llc_open *o);
void llc_continuation(struct llc_msg *m);
/* check_llc_delete.c */
void llc_delete_link_request(struct llc_msg *m, struct llc_open *o);
void llc_delete_link_response(struct llc_msg *m, struct llc_open *o);
void llc_request_add_link(struct llc_msg *m, struct llc_open *o);
void llc_request_add_link_response(struct llc_msg *m);
/* Does the group have as many symmetric links as it may? */
bool llc_at_max(const struct trace_group *g);
unsigned llc_active_links(const struct trace_group *g);
unsigned llc_symmetric_links(const struct trace_group *g);
bool llc_link_asymmetric(const struct trace_group *g, const struct trace_link *l);
/* Were both directions of all its links seen? */
bool llc_all_links_seen(const struct llc_group *st, const struct trace_group *g);

/* check_llc_rkey.c: RTokens. */
void llc_confirm_rkey_request(struct llc_msg *m, struct llc_open *o);
void llc_confirm_rkey_response(struct llc_msg *m, struct llc_open *o);
void llc_rkey_continuation(struct llc_msg *m);
void llc_delete_rkey_request(struct llc_msg *m, struct llc_open *o);
void llc_delete_rkey_response(struct llc_msg *m, struct llc_open *o);
/* RTokens of an ADD LINK v2 or a continuation: n entries of 16 bytes, the first at `offset`. */
void llc_check_rtokens(struct llc_msg *m);
void llc_rkey_gap(struct llc_group *st); /* messages are missing */
void llc_rkey_tick(struct judge *j, struct trace_group *g, struct trace_link *l, int side, uint64_t ns);
/* CLC offers an RMB. */
void llc_check_offer(struct judge *j, const struct trace_clc_event *e);
void llc_judge_offer(struct judge *j, struct llc_key *k, uint64_t ns);
void llc_keys_forget(struct judge *j, const struct trace_group *g, bool ended);
void llc_check_freed(struct judge *j, const struct trace_cdc_event *e);

/* check_roce.c */
void roce_write(struct judge *j, const struct trace_write_event *e);
void roce_cdc(struct judge *j, const struct trace_cdc_event *e);
void roce_clc(struct judge *j, const struct trace_clc_event *e);
void roce_segment(struct judge *j, struct trace_conn *c, int dir, const struct trace_packet *p);
void roce_gid(struct llc_msg *m);

#endif
