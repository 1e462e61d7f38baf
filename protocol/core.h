/* The inside of libsmc: the objects of an endpoint and the functions with which its parts meet.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Parts, each a few files, each using only those above it by what is declared here:
 *
 *   endpoint.c timer.c stats.c   the run loop, intrusive timers, lists, counters, public API glue
 *   group.c link.c wr.c          link groups, links (QPs), work requests and their completions
 *   buffer.c                     RMBs, DMBs and send buffers: allocated, registered, reused
 *   flow*.c                      LLC: dispatch, one file a flow; collisions, timers, queues
 *   handshake*.c negotiate.c     CLC, client and server
 *   eid.c profile.c              enterprise ids; the two named profiles, RFC 7609 and Linux
 *   smcd.c                       SMC-D groups, DMBs, moves, signals, events; the dibs client
 *   connection.c                 a connection's public face: made beside a TCP connection, asked at any time
 *   conn.c transport.c           in mode R or D: its work, options, timer; its bytes by RDMA WRITE or by move
 *   tx.c rx.c cdc.c urgent.c     a connection's data
 *   close.c failover.c           its end, and its moving to another link
 *
 * Nothing here calls the application: smc_ep_event() notes, smc_endpoint_run() delivers. A device's callback
 * only notes; smc_endpoint_run() polls. So no function is re-entered, and an object may be freed by whoever ends it
 * unless it is said otherwise. */
#ifndef SMC_CORE_H
#define SMC_CORE_H

#include <smc/endpoint.h>

#include "cursor.h"
#include "list.h"
#include "timer.h"
#include "wire/cdc.h"
#include "wire/clc.h"
#include "wire/llc.h"

enum {
    SMC_LINK_SLOTS_MAX = 9,  /* 8 symmetric links and one asymmetric (RFC 2.2.2) */
    SMC_RTOKEN_ROWS = 255,   /* peer's RMBs a group */
    SMC_SEND_SLOTS = 16,     /* messages (LLC, CDC) under way on a link */
    SMC_WRITE_SLOTS = 64,    /* RDMA WRITEs under way on a link */
    SMC_RECEIVE_BUFFERS = 48,/* posted on a link */
    SMC_PNET_BYTES = 17
};

struct smc_group;
struct smc_link;
struct smc_rmb;
struct smc_handshake;
struct smc_flow;

/* ---- Devices ------------------------------------------------------------------------------------ */
struct smc_rnic { /* an RDMA device in use; on ep->rnics */
    struct smc_list node;
    struct smc_endpoint *ep;
    struct smc_rdma_device *device;
    char pnet[SMC_PNET_BYTES];
    struct smc_list links;      /* smc_link.of_rnic */
    struct smc_list cqs_noted;  /* CQs with completions to poll: smc_link.completions */
    unsigned events;            /* noted: bits of enum smc_rdma_event_type */
    uint8_t port_events[256]; /* by port: bits of enum smc_rdma_event_type */
    struct smc_link *polled;  /* whose completions are being handled; NULL as soon as it is freed */
    bool gone;                /* removed: `device` has no port any more and refuses everything; freed when no handshake is left */
};
struct smc_dibs_use { /* a dibs device in use; on ep->dibs_devices, client data of the device */
    struct smc_list node;
    struct smc_endpoint *ep;
    struct smc_dibs_device *device;
    char pnet[SMC_PNET_BYTES];
    struct smc_rmb **by_index; /* DMB index → DMB; grown on demand */
    uint32_t by_index_count;
    struct smc_list groups; /* smc_group.of_device */
    bool gone, v2_capable;
    uint8_t test_answers; /* how many of test_gids are owed an answer to a test link event */
    struct smc_gid test_gids[8];
    /* VLANs in use and how many groups use each; smcd.c */
    struct { uint16_t id; uint16_t groups; } *vlans;
    uint32_t vlan_count;
};

/* ---- Endpoint ----------------------------------------------------------------------------------- */
struct smc_endpoint {
    struct smc_endpoint_config config;
    struct smc_profile profile;
    const struct smc_alloc *alloc;
    uint64_t now_ns;            /* as of the last call */
    uint64_t random;            /* state of smc_ep_random() */
    uint8_t peer_id[8];         /* own: 2 bytes instance, MAC of the first RoCE port; zero without one */
    uint8_t ueids[8][32];
    unsigned ueid_count;
    struct smc_timers timers;
    struct smc_list connections; /* smc_connection.all, oldest first */
    struct smc_list groups;      /* smc_group.all, oldest first */
    struct smc_list ready;       /* smc_connection.ready: events to deliver */
    struct smc_list work;        /* smc_connection.work: smc_conn_work() is due */
    struct smc_list doomed;      /* smc_connection.all of those to be freed at the end of smc_endpoint_run() */
    struct smc_list rnics, dibs_devices;
    struct smc_list gone_dibs;   /* smc_dibs_use.node of removed devices: a handshake may still name them */
    struct smc_list signalled;   /* smc_connection.signalled: smc_cdc_smcd_input() is due */
    struct smc_dibs *dibs;
    struct smc_dibs_client dibs_client;
    /* Handshakes waiting for another's first contact, in order: smc_connection.of_group (they have no group yet). Put in by
     * handshake*.c; smc_group_settled() and the end of a group take all out and call smc_hs_resume(). */
    struct smc_list pending_server, pending_client;
    struct smc_list handshakes; /* smc_handshake.of_endpoint: far fewer than connections */
    struct smc_connection **by_token; /* alert token → connection: open hashing, grown; smc_ep_token_*() */
    uint32_t token_slots, token_count;
    uint32_t next_token, next_group;
    struct smc_counters counters;
    bool running, again;        /* inside smc_endpoint_run(); something was noted */
};

uint64_t smc_ep_random(struct smc_endpoint *ep); /* from config.seed alone */
void smc_ep_wake(struct smc_endpoint *ep);       /* something to do: run at once */
void smc_ep_event(struct smc_connection *c, unsigned events); /* noted, delivered by the run loop */
void smc_ep_work(struct smc_connection *c);      /* smc_conn_work(c) will be called by the run loop */
/* Gives c a token that is not 0 and in no use (RFC 4.4.1; A-51), and finds it. SMC_ERR_NOMEM. */
int smc_ep_token_new(struct smc_connection *c);
void smc_ep_token_free(struct smc_connection *c);
struct smc_connection *smc_ep_token_find(struct smc_endpoint *ep, uint32_t token);
/* Takes c out of everything and frees it at the end of the run (its handshake and group are gone already). */
void smc_ep_doom(struct smc_connection *c);
/* Is there a clean match of two PNET names? "" matches all. */
bool smc_ep_pnet_match(const char *a, const char *b);

/* ---- Groups and links --------------------------------------------------------------------------- */
struct smc_rtoken { uint32_t rkey; uint64_t va; bool valid; };

struct smc_link {
    struct smc_group *group;
    struct smc_rnic *rnic;
    struct smc_list of_rnic, completions;
    uint8_t slot;          /* index in group->links and of every per-link array */
    uint8_t number;        /* on the wire; 0: not assigned yet */
    uint8_t port;
    uint32_t gid_index;
    enum smc_link_state state;
    bool asymmetric;
    bool going_down;       /* smc_link_down() has been here */
    bool failing;          /* port or QP are known to be dead, smc_link_down() follows: not to be moved to */
    bool confirmed;        /* CONFIRM LINK went both ways */
    struct smc_gid gid, peer_gid;
    uint8_t mac[6], peer_mac[6];
    uint32_t qpn, peer_qpn, psn, peer_psn;
    uint8_t mtu, peer_mtu; /* codes. mtu: own, after smc_link_rtr() the smaller of both; peer_mtu 0: as the own */
    uint32_t user_id, peer_user_id;
    bool v2_direct;
    uint8_t next_hop_mac[6];
    struct smc_rdma_pd *pd;
    struct smc_rdma_cq *send_cq, *receive_cq;
    struct smc_rdma_qp *qp;
    struct smc_wr *wr;     /* slots and buffers of wr.c */
    uint32_t connections;
    struct smc_list conns; /* smc_connection.of_link */
    struct smc_list send_waiters; /* smc_connection.wants_slot: woken in order when a slot is free */
    uint64_t last_received_ns;
    struct smc_timer test_timer;
    bool test_outstanding;
    uint8_t test_data[16];
};

struct smc_group {
    struct smc_list all, of_device;
    struct smc_endpoint *ep;
    uint32_t id;           /* steps by 256, so that id + link number is unique */
    bool client, smc_d;
    uint8_t version, release;
    uint8_t max_conns, max_links; /* negotiated */
    uint16_t features;
    uint8_t eid[32];
    uint8_t peer_id[8];
    uint8_t peer_hostname[32];
    uint8_t peer_os;
    bool vlan_valid;
    uint16_t vlan_id;
    bool first_contact;    /* the first contact is not settled yet */
    bool dying;            /* smc_group_terminate() has been here */
    bool sync_error;       /* not to be reused */
    enum smc_group_type type;
    struct smc_list conns; /* smc_connection.of_group */
    uint32_t connections;
    struct smc_timer idle_timer, retry_timer; /* free when idle; second link again (C.8) */
    /* SMC-R */
    unsigned link_slots;   /* max_links + 1 */
    struct smc_link *links[SMC_LINK_SLOTS_MAX]; /* NULL: unused */
    uint8_t last_link_number;
    bool eyecatcher_own, eyecatcher_peer;       /* cursor origin 4 in own RMBEs; in the peer's */
    struct smc_rtoken *rtokens;                 /* rtoken_rows × link_slots */
    uint32_t rtoken_rows;
    uint8_t rtoken_used[256 / 8];
    uint8_t *gids;         /* peer's GIDs of the Confirm's list, 16 bytes each */
    unsigned gid_count;
    struct smc_flow *flow; /* all of LLC's state: flow.c */
    uint32_t spread;       /* for spreading connections over links */
    uint8_t user_ids;      /* link user ids given out */
    bool lingering;        /* dying: links still send what was posted; idle_timer bounds it */
    unsigned holds;        /* smc_group_hold() */
    /* SMC-D */
    struct smc_dibs_use *device;
    struct smc_gid peer_gid;
    struct smc_gid own_ip, peer_ip; /* of the first connection: who it is that shares our device */
    uint32_t link_id, peer_link_id;
    bool peer_shut_down, shutdown_sent;
    bool end_noted;        /* a device event ended it: smc_dibs_poll() terminates */
    /* both */
    struct smc_list rmbs;     /* smc_rmb.node */
    struct smc_list sndbufs;  /* smc_sndbuf.node, unused ones too */
    uint32_t rmb_count;
};

/* What CLC has agreed on, or one side offers: filled by negotiate.c and handshake*.c, used to find or make a group. */
struct smc_choice {
    bool smc_d, client, first_contact;
    uint8_t version, release;
    uint8_t eid[32];
    uint8_t max_conns, max_links;
    uint16_t features;
    bool vlan_valid;
    uint16_t vlan_id;
    uint8_t peer_id[8];
    struct smc_gid peer_gid;
    /* R */
    struct smc_rnic *rnic;
    uint8_t port;
    uint32_t gid_index;
    struct smc_gid gid;
    uint8_t mac[6], peer_mac[6];
    struct smc_route route; /* v2 */
    uint32_t peer_qpn;      /* client: of the Accept */
    /* D */
    struct smc_dibs_use *device;
    uint16_t chid;
    struct smc_gid own_ip, peer_ip; /* of the TCP connection */
};

/* group.c ---- A group that fits (state-machines §2, "Group reuse test"), or NULL. Client of R: *link is the link that the
 * Accept names; *no_link: the group is there but not the link (Decline NOSRVLINK instead of SYNCERR). */
struct smc_group *smc_group_find(struct smc_endpoint *ep, const struct smc_choice *choice, struct smc_link **link, bool *no_link);
/* A new group with first_contact set; R: and its first link, slot 0, ACTIVATING, QP in INIT with receives posted.
 * SMC_ERR_NOMEM, SMC_ERR_NOSPACE, SMC_ERR_GONE. */
int smc_group_new(struct smc_endpoint *ep, const struct smc_choice *choice, struct smc_group **out);
/* Takes part: token, link (given, or chosen: load spread), counters; cancels the idle timer. SMC_ERR_NOMEM,
 * SMC_ERR_NOSPACE (max_conns), SMC_ERR_GONE (no active link: Decline 0x030b0000). */
int smc_group_attach(struct smc_group *group, struct smc_link *link, struct smc_connection *c);
/* Leaves: gives token and buffers back (R: DELETE RKEY or reuse: smc_buf_release), starts the idle timer with the last.
 * A group whose first contact failed is terminated by its last connection. */
void smc_group_detach(struct smc_connection *c);
/* The end of a group: it leaves ep->groups, its flows end, all connections are aborted (smc_close_abort, SMC_ERR_RESET), links
 * or DMBs and the group are freed, unless it is held. `tell`: first DELETE LINK all (R, reason) or the shutdown event (D). SMC-R:
 * links that are up live on, unseen and deaf, until what was posted is sent, llc_timeout_ns at most. Safe to call twice, and
 * from flows. */
void smc_group_terminate(struct smc_group *group, uint32_t reason, bool tell);
void smc_group_settled(struct smc_group *group); /* first contact done: resumes handshakes that wait for it */
/* Between the two the group's memory stays, whatever ends it (then ->dying is set, and links[] tells which links are left).
 * Release: false if it is gone now. */
void smc_group_hold(struct smc_group *group);
bool smc_group_release(struct smc_group *group);
void smc_group_update_type(struct smc_group *group);
unsigned smc_group_active_links(const struct smc_group *group);
struct smc_link *smc_group_link_by_number(struct smc_group *group, uint8_t number);
/* Another active link than `not` (NULL: any), the first by slot; on_other_rnic: not on the same device and port. */
struct smc_link *smc_group_other_link(struct smc_group *group, const struct smc_link *not, bool on_other_rnic);
/* Peer's RToken of one of its RMBs: a row (≥ 0), idempotent. SMC_ERR_NOSPACE (255 rows), SMC_ERR_NOMEM. */
int smc_rtoken_add(struct smc_group *group, const struct smc_link *link, uint32_t rkey, uint64_t va);
/* The same RMB on another link: reference rkey on `known`, new pair on `link`. SMC_ERR_NOTFOUND: unknown, skipped. */
int smc_rtoken_map(struct smc_group *group, const struct smc_link *known, uint32_t reference, const struct smc_link *link,
                   uint32_t rkey, uint64_t va);
int smc_rtoken_find(const struct smc_group *group, const struct smc_link *link, uint32_t rkey);
int smc_rtoken_delete(struct smc_group *group, const struct smc_link *link, uint32_t rkey); /* SMC_ERR_NOTFOUND */

/* link.c ---- */
/* ACTIVATING, QP in INIT with receives posted; a server's has its number. SMC_ERR_NOSPACE (max_links + 1), SMC_ERR_NOMEM,
 * SMC_ERR_GONE (port not active), SMC_ERR_NOTFOUND. */
int smc_link_new(struct smc_group *group, struct smc_rnic *rnic, uint8_t port, uint32_t gid_index, struct smc_link **out);
/* Next link number, not 0, not in use (RFC 2.2.4; B-17). */
uint8_t smc_link_next_number(struct smc_group *group);
int smc_link_rtr(struct smc_link *link); /* peer's QPN, PSN, GID, MAC, MTU are in the link */
int smc_link_rts(struct smc_link *link);
void smc_link_active(struct smc_link *link); /* CONFIRM LINK done: state, type of the group, counters */
/* The link failed (completion, TEST LINK, port, QP): ACTIVE → INACTIVE once; its connections move (smc_failover_link) or, if
 * it was the last one, the group is terminated; then smc_flow_link_lost() tells the peer. SENDs under way are done with an error
 * before anything moves. ACTIVATING → INACTIVE: only smc_flow_link_lost(), which ends the flow that wants the link. */
void smc_link_down(struct smc_link *link);
/* Frees the QP and everything of the link; its slot is NULL afterwards. No connection is on it any more. A link of a removed
 * device has rnic NULL and cannot send. */
void smc_link_free(struct smc_link *link);
/* Finds a port for another link: not one in use by `group` if possible; *asymmetric if it must be. v2: also a GID of the right
 * type and the VLAN. SMC_ERR_NOTFOUND. */
int smc_link_find_port(struct smc_group *group, struct smc_rnic **rnic, uint8_t *port, uint32_t *gid_index, bool *asymmetric);
/* The GID table entry of a port that version and VLAN ask for. SMC_ERR_NOTFOUND. */
int smc_rnic_find_gid(struct smc_rnic *rnic, uint8_t port, uint8_t version, bool vlan_valid, uint16_t vlan_id,
                      uint32_t *index, struct smc_rdma_gid_entry *entry);
void smc_rnic_poll(struct smc_rnic *rnic); /* called by the run loop: completions and events noted */
int smc_rnic_add(struct smc_endpoint *ep, struct smc_rdma_device *device, const char *pnet);
void smc_rnic_remove(struct smc_rnic *rnic);

/* wr.c ---- A SEND of LLC or CDC: copied, signaled. `done` (may be NULL) is called from the run loop with 0 or an error, exactly
 * once, also when the link is freed (SMC_ERR_GONE). SMC_ERR_NOSPACE: no slot (wait on link->send_waiters or retry),
 * SMC_ERR_STATE: QP not in RTS [LLC: B-12]. */
typedef void smc_wr_done_fn(void *ctx, int error);
int smc_wr_send(struct smc_link *link, const uint8_t *bytes, size_t length, smc_wr_done_fn *done, void *ctx);
/* An unsignaled RDMA WRITE out of a send buffer; the memory must stay until a SEND posted later on this link completes. */
int smc_wr_write(struct smc_link *link, const struct smc_rdma_piece *pieces, unsigned count, uint32_t rkey, uint64_t va);
unsigned smc_wr_write_room(const struct smc_link *link);
unsigned smc_wr_send_room(const struct smc_link *link);
unsigned smc_wr_pending(const struct smc_link *link); /* SENDs not completed */
/* Work posted so far, 0 if all of it is done. smc_wr_passed(): is it by now? */
uint64_t smc_wr_fence(const struct smc_link *link);
bool smc_wr_passed(const struct smc_link *link, uint64_t fence);

/* ---- Buffers ------------------------------------------------------------------------------------ */
struct smc_rmb { /* R: registered memory with 1 to 255 RMBEs; D: a DMB with one element */
    struct smc_list node;
    struct smc_group *group;
    uint8_t *memory;
    uint32_t rmbe_bytes;     /* of one element, a power of two ≥ 16 KiB */
    uint8_t bsize;           /* its compressed size */
    uint8_t rmbe_count, rmbes_used;
    uint8_t used[256 / 8];   /* by index - 1 */
    /* R, by link slot */
    struct smc_rdma_mr *mrs; /* link_slots of them */
    uint8_t registered[2];   /* bits by slot */
    uint8_t announced[2];    /* bits by slot: the peer knows the RToken (CLC, CONFIRM RKEY, ADD LINK) */
    bool deleting;           /* DELETE RKEY wanted or under way: freed when answered; never given out again */
    bool delete_sent, shared; /* flow_*.c: named in the DELETE RKEY under way; in the ADD LINK under way */
    bool tainted;            /* the peer of a connection that ended badly may still write: no new element until deleted */
    bool handed_out;         /* a connection has had an element of it: what comes now is reuse */
    struct smc_dibs_dmb dmb; /* D */
    struct smc_connection *user; /* D: the connection that uses it, set and cleared by buffer.c */
};
struct smc_sndbuf {
    struct smc_list node;
    struct smc_group *group;
    uint8_t *memory;
    uint32_t bytes;
    bool used;
    bool ghost;              /* D, no-copy: the peer's DMB, CDC block and all; memory is not ours */
    struct smc_rdma_mr *mrs; /* R: by link slot */
    uint8_t registered[2];
    uint64_t *fences;        /* R, by link slot: work posted there before it was given back (smc_wr_fence()) */
};
/* buffer.c ---- An RMBE for c in its group: reused, or new (then, R, registered on all links that have a QP). Tries the next
 * smaller size when memory is short. Sets c->rmb, rmbe_index, rx ring. SMC_ERR_NOMEM, SMC_ERR_NOSPACE (DMBs). */
int smc_buf_rmb(struct smc_connection *c, uint32_t wanted_bytes);
/* c's send buffer, at the first smc_send() (lazily). SMC_ERR_NOMEM. */
int smc_buf_sndbuf(struct smc_connection *c);
void smc_buf_release(struct smc_connection *c); /* zeroed [CONN: A-24] before any reuse; DELETE RKEY as the profile says */
int smc_buf_register_link(struct smc_group *group, struct smc_link *link); /* all RMBs and send buffers in use, on a new link */
void smc_buf_unregister_link(struct smc_group *group, struct smc_link *link);
void smc_buf_free_all(struct smc_group *group);
/* The peer does not know it any more (DELETE RKEY is answered): kept for reuse, not announced; freed if the group dies. */
void smc_buf_free_rmb(struct smc_rmb *rmb);
/* The RToken of some link, ACTIVE or being added, was not announced, nor will be by the ADD LINK under way. */
bool smc_rmb_needs_confirm(const struct smc_rmb *rmb);

/* ---- LLC flows ---------------------------------------------------------------------------------- */
int smc_flow_init(struct smc_group *group);
void smc_flow_free(struct smc_group *group); /* every callback that is owed is called with SMC_ERR_GONE */
void smc_flow_input(struct smc_link *link, const uint8_t *bytes, size_t length); /* an LLC message; hostile */
/* First contact. Server (link in RTS, peer's data in it): CONFIRM LINK, then the second link. Client (link in RTR, moved
 * to RTS by CONFIRM LINK): waits for both. Ends in smc_hs_llc_done(c, 0) or smc_hs_llc_failed(). The RMB of c counts as announced. */
void smc_flow_first_contact(struct smc_group *group, struct smc_connection *c);
void smc_flow_abandon(struct smc_group *group, struct smc_connection *c); /* handshake of c ended; no smc_hs_llc_done() any more */
/* CONFIRM RKEY of c->rmb on the links that do not know it; ends in smc_hs_rkey_done(c, 0 or error). */
void smc_flow_confirm_rkey(struct smc_connection *c);
/* DELETE RKEY, then smc_buf_free_rmb(). Queued behind other flows; also done when the group dies. */
void smc_flow_delete_rkey(struct smc_rmb *rmb);
void smc_flow_forget(struct smc_connection *c); /* c goes: no callback for it any more */
void smc_flow_link_lost(struct smc_link *link); /* after smc_link_down(): DELETE LINK on another link, then smc_link_free() */
void smc_flow_add_link(struct smc_group *group); /* server: another link if one is wanted; client: ask for it */
void smc_flow_delete_link(struct smc_link *link, uint32_t reason, bool orderly); /* either role starts it */
void smc_flow_delete_all(struct smc_group *group, uint32_t reason); /* sends DELETE LINK all, without waiting */
void smc_flow_port_up(struct smc_rnic *rnic, uint8_t port);
const char *smc_flow_name(const struct smc_group *group);

/* ---- SMC-D -------------------------------------------------------------------------------------- */
int smc_smcd_group_start(struct smc_group *group); /* VLAN registered … SMC_ERR_UNSUPPORTED: Decline ISMVLANERR */
void smc_smcd_group_end(struct smc_group *group, bool tell);
/* A VLAN id on a device, counted: SMC_ERR_NOMEM, SMC_ERR_UNSUPPORTED. */
int smc_smcd_vlan_get(struct smc_dibs_use *use, uint16_t id);
void smc_smcd_vlan_put(struct smc_dibs_use *use, uint16_t id);
int smc_smcd_register(struct smc_rmb *rmb, struct smc_connection *c); /* by buffer.c */
void smc_smcd_unregister(struct smc_rmb *rmb);
int smc_smcd_attach(struct smc_connection *c);  /* no-copy: ghost send buffer; SMC_ERR_UNSUPPORTED: copy */
void smc_smcd_detach(struct smc_connection *c);
int smc_smcd_move(struct smc_connection *c, uint32_t offset, const void *data, uint32_t size, bool signal);
bool smc_dibs_v2_capable(struct smc_dibs_use *use);
int smc_dibs_use_start(struct smc_endpoint *ep, struct smc_dibs *dibs);
void smc_dibs_use_stop(struct smc_endpoint *ep);
void smc_dibs_poll(struct smc_endpoint *ep); /* run loop: signals and events noted by the client's callbacks */

/* ---- Handshake ---------------------------------------------------------------------------------- */
int smc_hs_start(struct smc_connection *c, const struct smc_connection_config *config);
size_t smc_hs_input(struct smc_connection *c, const uint8_t *bytes, size_t length);
void smc_hs_eof(struct smc_connection *c);
void smc_hs_reset(struct smc_connection *c);
void smc_hs_llc_done(struct smc_connection *c, int error);
/* `error` of LLC: 0; SMC_ERR_TIMEOUT and others: state-machines §1.8, §1.9 say whether Decline or RST. `diagnosis` ≠ 0 is what LLC
 * wants declined (0x03050000 eyecatcher, 0x02010000 …). */
void smc_hs_llc_failed(struct smc_connection *c, int error, uint32_t diagnosis);
/* No ADD LINK came: the client goes on with its one link, unless a Decline shows that the server has given up. */
void smc_hs_llc_alone(struct smc_connection *c);
void smc_hs_rkey_done(struct smc_connection *c, int error);
void smc_hs_resume(struct smc_connection *c);  /* the first contact it waited for is settled */
void smc_hs_abandon(struct smc_connection *c); /* close, device gone …: frees c->hs without a word */

/* ---- Connections -------------------------------------------------------------------------------- */
struct smc_connection {
    struct smc_list all, ready, work, of_group, of_link, wants_slot, signalled;
    struct smc_list wants_rkey; /* flow_rkey.c; zeroed when new */
    uint64_t rkey_until_ns;
    bool rkey_refused;          /* with C: again after the running change */
    struct smc_endpoint *ep;
    void *user;
    struct smc_handshake *hs; /* NULL once the mode is known */
    struct smc_group *group;  /* NULL in mode TCP and after the end */
    struct smc_link *link;
    bool client;
    uint8_t mode;             /* enum smc_mode */
    uint8_t state;            /* enum smc_state */
    uint8_t version, release;
    int8_t error;             /* enum smc_error, sticky */
    uint8_t events;           /* noted, not delivered */
    uint32_t fallback, peer_diagnosis;
    uint32_t token, peer_token; /* alert tokens */
    /* Where data goes. R: row of the peer's RToken and offset of its RMBE in the RMB; D: the peer's DMB. */
    int16_t peer_row;
    uint8_t rmbe_index;       /* own: R from 1, D 0 */
    uint8_t peer_rmbe_index;
    uint32_t peer_rmbe_offset;
    uint32_t peer_rmbe_bytes; /* of the whole element */
    uint64_t peer_dmb_token;
    uint32_t rmb_wanted, sndbuf_wanted;
    struct smc_rmb *rmb;
    struct smc_sndbuf *sndbuf;
    /* Rings. Sizes are of the usable part; cursors count from 0, the wire adds the origin. */
    uint32_t rx_ring, tx_ring, snd_ring;
    struct smc_cursor rx_prod, rx_cons, rx_confirmed;      /* own RMBE: what the peer wrote, what was read, what it was told */
    struct smc_cursor tx_prod, tx_cons;                    /* peer's RMBE: what we wrote, what it has read */
    struct smc_cursor snd_prep, snd_sent, snd_fin;         /* send buffer: put in, written, free again */
    uint8_t tx_prod_flags, tx_conn_flags, rx_prod_flags, rx_conn_flags;
    uint16_t cdc_sent, cdc_completed, cdc_received;        /* sequence numbers */
    uint16_t cdc_pending;                                  /* SENDs not completed */
    /* Options and application's side. */
    bool nodelay, cork, oob_inline, linger_set;
    bool app_closed;          /* smc_close() was called */
    bool shut_read, shut_write;
    bool want_write;          /* smc_send() said WOULDBLOCK */
    bool tcp_dead, tcp_fin_sent, tcp_fin_received;
    bool killed, out_of_sync, freed;
    uint64_t linger_ns;
    /* Urgent. */
    bool urg_tx_pending, urg_rx_valid, urg_rx_skip, urg_rx_pending;
    bool urg_rx_mark;         /* the urgent byte lies ahead in the stream, urg_rx_cursor one beyond it */
    uint8_t urg_rx_byte;
    struct smc_cursor urg_tx_end, urg_rx_cursor;
    /* What smc_conn_work() has to do. */
    bool work_tx, work_cons, work_cdc, work_failover;
    bool move_failed;      /* SMC-D: to be ended, whoever wanted the move */
    uint8_t close_want;       /* D, C, A that are to be sent: after the data, A at once */
    uint8_t told_flags;       /* producer flags of the last CDC sent */
    bool more;                /* the last smc_send() said SMC_MSG_MORE */
    bool urg_tx_wait;         /* U was sent: no WRITE until the peer has consumed everything */
    bool offered;             /* its RMBE or DMB stood in an Accept or Confirm: the peer may write there from then on */
    bool started;             /* smc_conn_start() was called */
    bool closed_told;         /* SMC_EVENT_CLOSED was noted */
    bool fin_due;             /* C or A was sent: TCP's FIN follows its completion */
    bool peer_silent;         /* ended although the peer said neither C nor A: its RMBE must not be used again */
    struct smc_timer timer;   /* cork, close drain, close guard */
    uint8_t timer_kind;
    /* SMC-R: CDCs posted and not completed, oldest first. The first cdc_lost of them failed with their link. */
    uint8_t cdc_notes, cdc_lost;
    struct smc_cdc_note { uint32_t sent_count; uint16_t sent_wrap, seq; uint8_t prod_flags; } cdc_note[SMC_SEND_SLOTS];
    uint8_t replay;           /* what failover.c does next */
    uint32_t replay_left;     /* bytes to be written again */
    uint16_t stale_links;     /* bit for a link: lost, not freed yet, and what was written over it may still come to the peer */
    bool stale_known;         /* … from stale_from on */
    struct smc_cursor stale_from;
    uint64_t rx_bytes, tx_bytes, rx_cdcs, tx_cdcs, tx_writes;
};

/* conn.c ---- What is due for c: replay, data, window update, flags, close. Called by the run loop after smc_ep_work(). */
void smc_conn_work(struct smc_connection *c);
/* Handshake done, group, link, buffers, peer's data set: sets rings and cursors and goes to ACTIVE (mode R or D). */
void smc_conn_start(struct smc_connection *c);
void smc_failover_link_freed(struct smc_group *group, unsigned slot); /* failover.c */
/* cdc.c ---- */
void smc_cdc_input(struct smc_link *link, const uint8_t *bytes, size_t length); /* a CDC message of SMC-R; hostile */
void smc_cdc_smcd_input(struct smc_connection *c); /* a signal: looks at the CDC block in c's DMB; hostile */
/* close.c ---- */
void smc_close_abort(struct smc_connection *c, int error); /* active abort: A if it can be sent, RST; state per §4 */
void smc_close_tcp_eof(struct smc_connection *c);          /* TCP FIN in mode R or D */
void smc_close_tcp_reset(struct smc_connection *c);        /* TCP RST in mode R or D: abort */
/* failover.c ---- Every connection of `from` moves to another link; those that cannot are aborted. */
void smc_failover_link(struct smc_link *from);

#endif
