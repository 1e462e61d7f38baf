/* All state of LLC in a link group, and the functions with which its flows meet. Private to flow*.c.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Three flows may be under way: ADD LINK (first contact included), DELETE LINK and one RKEY exchange of our own. All
 * that we start ourselves is exclusive (RFC 7609 3.5.5.3); only a client runs what the server starts beside an RKEY
 * exchange of its own. Everything wanted is queued where it belongs: bits here, `deleting` of an RMB, wants_rkey of a connection.
 *
 * Nothing here ends a link or a group from within smc_flow_input(): that is noted (down, end_group) and done by
 * flow_work(), a timer that is due at once. Links are held as slot and number, since others may free them.
 * A function that calls the handshake or ends a link does so as its last act: the group may be gone afterwards. */
#ifndef SMC_FLOW_H
#define SMC_FLOW_H

#include "core.h"

enum {
    FLOW_OUT = 16,     /* messages that wait for a send slot */
    FLOW_OUT_BYTES = 64,
    FLOW_BATCH = 8,    /* keys of a DELETE RKEY */
    FLOW_ORPHANS = 8,
    FLOW_DELETES = SMC_LINK_SLOTS_MAX + 1
};

struct smc_flow_ref { uint8_t slot, number; bool set; };

enum flow_add_state {
    FLOW_ADD_IDLE,
    FLOW_FIRST_CONFIRM,  /* server: response, client: request of the first CONFIRM LINK is awaited */
    FLOW_FIRST_ADD,      /* client: the first ADD LINK is awaited */
    FLOW_ADD_RESPONSE,   /* server */
    FLOW_ADD_ROUTE,      /* v2: the way to the peer's GID is being resolved */
    FLOW_ADD_CONTINUE,   /* v1: the peer's continuation is awaited */
    FLOW_ADD_CONFIRM,    /* CONFIRM LINK on the new link is awaited */
    FLOW_ADD_DELETE      /* server: the answer to DELETE LINK of the failed new link is awaited */
};
struct flow_add {
    uint8_t state;
    struct smc_connection *first; /* whose first contact it is */
    struct smc_flow_ref carrier, fresh;
    bool heard;                   /* a continuation was received: `peer_left` holds */
    unsigned own_left, peer_left, route_tries;
    uint8_t request[SMC_LLC_BYTES];
    struct smc_timer timer;
};

enum flow_del_state { FLOW_DEL_IDLE, FLOW_DEL_DRAIN, FLOW_DEL_ANSWER, FLOW_DEL_SENT };
struct flow_del {
    uint8_t state;
    struct smc_flow_ref link, carrier; /* client: carrier is that of the request */
    uint8_t number;
    uint32_t reason;                   /* server: these two say what it sends */
    bool orderly;
    uint8_t request[SMC_LLC_BYTES];    /* client: is answered */
    uint64_t until_ns;
    struct smc_timer timer;
};
struct flow_want { /* a DELETE LINK that is to be sent */
    uint8_t number;               /* 0: unused */
    bool orderly;
    bool told;                    /* client: sent; the server's own request is awaited until until_ns */
    uint8_t slot;                 /* of the link that carried it */
    uint32_t reason;
    uint64_t until_ns;
};

enum flow_rkey_state { FLOW_RKEY_IDLE, FLOW_RKEY_CONFIRM, FLOW_RKEY_DELETE };
struct flow_rkey {
    uint8_t state;
    uint8_t type;                 /* of the response awaited */
    struct smc_connection *c;     /* NULL: it is gone */
    struct smc_flow_ref on;
    uint32_t rkey;
    unsigned tokens, sent;        /* of other links */
    struct smc_llc_token token[SMC_LINK_SLOTS_MAX];
    uint8_t request[SMC_LLC_BYTES];
    struct smc_timer timer;
};
struct flow_remote { bool open; struct smc_flow_ref on; uint32_t rkey; unsigned left; uint16_t listed; };
/* The answer to a DELETE RKEY: not before our own WRITEs to these keys are done on all links. */
struct flow_held {
    bool set;
    struct smc_flow_ref on;
    uint8_t bytes[SMC_LLC_BYTES]; /* the request, as the answer repeats it */
    uint8_t flags;
    struct { struct smc_flow_ref link; uint64_t work; } fences[SMC_LINK_SLOTS_MAX];
    unsigned count;
    uint64_t until_ns;
    struct smc_timer timer;
};

struct flow_message {
    struct smc_flow_ref on;
    uint8_t bytes[FLOW_OUT_BYTES];
    uint8_t *big;                 /* instead of `bytes` */
    size_t length;
    uint64_t until_ns;
};

struct smc_flow {
    struct smc_group *group;
    struct smc_timer work, out_timer, ask_timer;
    struct flow_add add;
    struct flow_del del;
    struct flow_rkey rkey;
    struct flow_remote remote;
    struct flow_held held;
    struct flow_want wants[FLOW_DELETES];
    struct smc_list rkeys;        /* smc_connection.wants_rkey */
    struct smc_timer turn_timer;  /* one of them has waited too long, or may try again */
    uint64_t refused_until_ns;
    struct { uint8_t slot; uint32_t rkey; } orphans[FLOW_ORPHANS]; /* confirmed to the peer, then freed here */
    unsigned orphan_count;
    bool want_add, want_ask;
    bool asked;                   /* client: REQUEST ADD LINK is unanswered */
    struct smc_flow_ref asker;        /* server: REQUEST ADD LINK is to be answered over this link */
    uint16_t down;                /* links, by slot, that have failed */
    bool end_group, end_tell;
    uint32_t end_reason;
    uint64_t active_ns[SMC_LINK_SLOTS_MAX];
    struct flow_message out[FLOW_OUT];
    unsigned out_count;
    uint16_t lost;                /* links, by slot, of which smc_flow_link_lost() has told */
    bool first_unsent;            /* the first CONFIRM LINK could not be sent */
};

static inline const struct smc_profile *flow_profile(const struct smc_flow *f) { return &f->group->ep->profile; }
static inline bool flow_bit(const uint8_t *set, unsigned i) { return (set[i / 8] >> (i % 8) & 1) != 0; }
static inline void flow_bit_put(uint8_t *set, unsigned i, bool on)
{
    set[i / 8] = (uint8_t)(on ? set[i / 8] | 1u << (i % 8) : set[i / 8] & ~(1u << (i % 8)));
}

/* flow.c ---- */
struct smc_flow_ref smc_flow_ref(const struct smc_link *link);
struct smc_link *smc_flow_deref(const struct smc_flow *f, struct smc_flow_ref ref); /* NULL: gone */
bool smc_flow_usable(const struct smc_link *link);                              /* ACTIVE and not failing */
struct smc_link *smc_flow_carrier(const struct smc_flow *f, const struct smc_link *preferred, const struct smc_link *not);
void smc_flow_kick(struct smc_flow *f);                                /* flow_work() soon */
void smc_flow_fail_link(struct smc_flow *f, const struct smc_link *link); /* it has failed, or is out of sync */
void smc_flow_timer(struct smc_flow *f, struct smc_timer *timer, uint64_t after_ns, smc_timer_fn *fn);
void smc_flow_drop(struct smc_flow *f);                                /* counts a message that is not used */
void smc_flow_activate(struct smc_flow *f, struct smc_link *link);     /* CONFIRM LINK went both ways */

/* smc_flow_send.c ---- Sends, or keeps until there is a slot. SMC_ERR_STATE, SMC_ERR_GONE, SMC_ERR_NOMEM, SMC_ERR_NOSPACE: not sent. */
int smc_flow_send(struct smc_flow *f, struct smc_link *link, struct smc_llc_info *info);
int smc_flow_send_bytes(struct smc_flow *f, struct smc_link *link, const uint8_t *bytes, size_t length);
/* The first 44 bytes of a request, with 0x80 and `flags`. */
int smc_flow_echo(struct smc_flow *f, struct smc_link *link, const uint8_t *request, uint8_t flags);
bool smc_flow_waits(const struct smc_flow *f, struct smc_flow_ref on); /* something for that link waits for a slot */
void smc_flow_out_drop(struct smc_flow *f, struct smc_flow_ref on);
void smc_flow_out_free(struct smc_flow *f);

/* flow_confirm.c ---- */
void smc_flow_confirm_request(struct smc_flow *f, struct smc_link *link);
void smc_flow_confirm_input(struct smc_flow *f, struct smc_link *link, const struct smc_llc_info *m);
void smc_flow_first_timeout(struct smc_flow *f);

/* flow_add.c, flow_add_server.c, flow_add_client.c ---- */
void smc_flow_add_end(struct smc_flow *f);                             /* last act: smc_hs_llc_done() */
void smc_flow_add_fail_first(struct smc_flow *f, int error, uint32_t diagnosis); /* last act */
void smc_flow_add_free(struct smc_flow *f);                            /* the new link, if there is one */
void smc_flow_add_failed(struct smc_flow *f);                          /* the new link does not work: last act */
void smc_flow_add_silence(struct smc_flow *f);                         /* an answer on the carrier is missing: last act */
void smc_flow_add_timeout(struct smc_timer *timer);
void smc_flow_add_wait(struct smc_flow *f, uint8_t state, uint64_t ns);
void smc_flow_add_lost(struct smc_flow *f, unsigned slot);             /* a link has failed: last act */
bool smc_flow_add_same_rnic(const struct smc_link *a, const struct smc_llc_info *m);
bool smc_flow_add_has_asymmetric(const struct smc_group *group);
unsigned smc_flow_add_symmetric(const struct smc_group *group);
void smc_flow_add_fill(const struct smc_link *link, const struct smc_link *carrier, struct smc_llc_info *m);
void smc_flow_add_peer(struct smc_link *link, const struct smc_llc_info *m);
int smc_flow_add_route(struct smc_flow *f, struct smc_link *fresh);    /* 0, SMC_ERR_WOULDBLOCK, SMC_ERR_UNREACHABLE */
void smc_flow_add_routed(struct smc_flow *f, int rc);
void smc_flow_add_continuation(struct smc_flow *f, struct smc_link *link, const struct smc_llc_info *m);
void smc_flow_add_input(struct smc_flow *f, struct smc_link *link, const struct smc_llc_info *m, const uint8_t *bytes);
void smc_flow_server_start(struct smc_flow *f);
void smc_flow_server_response(struct smc_flow *f, struct smc_link *link, const struct smc_llc_info *m);
void smc_flow_server_ready(struct smc_flow *f);                        /* route known: QP, then rkeys or CONFIRM LINK */
void smc_flow_server_asked(struct smc_flow *f, struct smc_link *link, const struct smc_llc_info *m);
void smc_flow_server_refuse_asker(struct smc_flow *f);
void smc_flow_server_confirmed(struct smc_flow *f);
void smc_flow_server_give_up(struct smc_flow *f);                      /* clean up, try again later: last act */
void smc_flow_client_offer(struct smc_flow *f, struct smc_link *link, const struct smc_llc_info *m, const uint8_t *bytes);
void smc_flow_client_ready(struct smc_flow *f);
void smc_flow_client_reject(struct smc_flow *f, struct smc_link *link, const uint8_t *request, uint8_t reason);
void smc_flow_client_ask(struct smc_flow *f);
void smc_flow_client_answer(struct smc_flow *f, struct smc_link *link);
void smc_flow_retry_fired(struct smc_timer *timer);

/* flow_rtoken.c ---- RTokens of the new link. */
unsigned smc_flow_share(struct smc_flow *f, const struct smc_link *carrier, const struct smc_link *fresh); /* how many */
unsigned smc_flow_share_take(struct smc_flow *f, const struct smc_link *carrier, const struct smc_link *fresh, unsigned max, uint8_t *out);
void smc_flow_share_end(struct smc_flow *f, uint8_t slot); /* the new link has failed */
void smc_flow_share_read(struct smc_flow *f, const struct smc_link *carrier, const struct smc_link *fresh, const struct smc_llc_info *m);

/* flow_delete.c ---- */
void smc_flow_want_delete(struct smc_flow *f, uint8_t number, uint32_t reason, bool orderly);
bool smc_flow_told(const struct smc_flow *f);                          /* client: the server has still to act */
bool smc_flow_delete_start(struct smc_flow *f);                        /* false: none is wanted */
void smc_flow_client_tell(struct smc_flow *f);
void smc_flow_delete_input(struct smc_flow *f, struct smc_link *link, const struct smc_llc_info *m, const uint8_t *bytes);
void smc_flow_delete_lost(struct smc_flow *f, const struct smc_link *link);
int smc_flow_delete_send(struct smc_flow *f, struct smc_link *carrier, uint8_t number, uint32_t reason, bool orderly);

/* flow_rkey.c, flow_rkey_remote.c ---- */
bool smc_flow_rkey_start(struct smc_flow *f);
bool smc_flow_rkey_delete_start(struct smc_flow *f);
void smc_flow_rkey_response(struct smc_flow *f, struct smc_link *link, const struct smc_llc_info *m, const uint8_t *bytes);
void smc_flow_rkey_settled(struct smc_flow *f);                        /* a change of the links is over: refused ones may go on */
void smc_flow_rkey_lost(struct smc_flow *f, const struct smc_link *link);
void smc_flow_rkey_free(struct smc_flow *f);
void smc_flow_remote_confirm(struct smc_flow *f, struct smc_link *link, const struct smc_llc_info *m, const uint8_t *bytes);
void smc_flow_remote_more(struct smc_flow *f, struct smc_link *link, const struct smc_llc_info *m, const uint8_t *bytes);
void smc_flow_remote_delete(struct smc_flow *f, struct smc_link *link, const struct smc_llc_info *m, const uint8_t *bytes);

/* flow_keepalive.c ---- */
void smc_flow_keepalive_start(struct smc_link *link);
void smc_flow_keepalive_input(struct smc_flow *f, struct smc_link *link, const struct smc_llc_info *m, const uint8_t *bytes);

#endif
