/* The CLC handshake of a connection: what is kept until its mode is known, and what its files share.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SMC_HANDSHAKE_H
#define SMC_HANDSHAKE_H

#include "core.h"
#include "negotiate.h"

/* handshake.c: beginning, input, timers, waiting. handshake_end.c: every way in which it can end. handshake_own.c: what this
 * host has for a connection. handshake_peer.c: values of Accept and Confirm, own and the peer's. handshake_client.c,
 * handshake_server.c: the roles. */
enum smc_hs_state {
    SMC_HS_WAIT_PROPOSAL, /* server */
    SMC_HS_PENDING,       /* another handshake's first contact is not settled */
    SMC_HS_ROUTE,         /* SMC-Rv2: the way to the peer is being resolved */
    SMC_HS_RKEY,          /* CONFIRM RKEY before Accept or Confirm */
    SMC_HS_WAIT_ACCEPT,   /* client */
    SMC_HS_WAIT_CONFIRM,  /* server */
    SMC_HS_LLC,           /* first contact, SMC-R: CONFIRM LINK, second link */
    SMC_HS_LOOK_DECLINE,  /* LLC ran out of time: is there a Decline of the peer? */
    SMC_HS_CROSSING       /* declined after Confirm: the peer's own Decline may be on its way */
};

struct smc_handshake {
    struct smc_connection *c;
    struct smc_list of_endpoint;
    enum smc_hs_state state;
    struct smc_timer timer;
    struct smc_gid own_ip, peer_ip;
    struct smc_ip_prefix prefixes[8];
    unsigned prefix_count;
    bool vlan_valid;
    uint16_t vlan_id;
    struct smc_dibs_use *vlan_device; /* client: holds the VLAN while the server asks whether it is reached */
    char pnet[SMC_PNET_BYTES];
    struct smc_own own;
    struct smc_dibs_use *uses[SMC_OWN_DEVICES_MAX]; /* parallel to own.devices */
    struct smc_clc_proposal_info proposal;          /* sent, or received */
    struct smc_offered offered;                     /* client */
    struct smc_clc_accept_info accept;              /* sent, or received */
    struct smc_choice choice;
    struct smc_step steps[SMC_STEPS_MAX];           /* server */
    unsigned step, step_count;
    uint32_t first_reason;    /* of the steps that failed */
    unsigned route_tries;
    uint32_t late_diagnosis;  /* SMC_HS_LOOK_DECLINE: declined with it if no Decline comes; SMC_HS_CROSSING: was declined with it */
    uint32_t drain;           /* bytes still to come of a message that is too long to be kept */
    bool confirmed;           /* a Confirm was sent or received: Declines may cross from now on */
    bool link_serves;         /* SMC_HS_LOOK_DECLINE: established if no Decline comes */
    bool impatient;           /* has waited long enough for another's first contact */
};

/* handshake_own.c */
void smc_hs_fill_own(struct smc_handshake *h);
/* A port for SMC-R of this version: SMC_ERR_NOTFOUND. Fills rnic, port, gid_index, gid, mac of the choice. */
int smc_hs_choose_port(struct smc_handshake *h, uint8_t version, struct smc_choice *choice);

/* handshake.c. All of these may free h. */
void smc_hs_wait(struct smc_handshake *h, enum smc_hs_state state, uint64_t for_ns); /* 0: no limit */
bool smc_hs_pend(struct smc_handshake *h); /* true: waits for another's first contact with the same peer */
void smc_hs_ask_route(struct smc_handshake *h);

/* handshake_end.c. All but smc_hs_send() and smc_hs_free() end the handshake; h may be freed afterwards. */
int smc_hs_send(struct smc_handshake *h, const uint8_t *bytes, size_t length);
void smc_hs_decline(struct smc_handshake *h, uint32_t diagnosis, bool out_of_sync); /* Decline, then TCP */
/* A Confirm that cannot be accepted: Decline where it may still be sent, else RST [CLC-048]. */
void smc_hs_decline_late(struct smc_handshake *h, uint32_t diagnosis);
void smc_hs_fall_back(struct smc_handshake *h, uint32_t reason, uint32_t peer_diagnosis);
void smc_hs_fatal(struct smc_handshake *h, int error); /* RST */
void smc_hs_established(struct smc_handshake *h);      /* mode R or D */
void smc_hs_free(struct smc_handshake *h);             /* without a word; the group is left alone */

/* handshake_peer.c */
uint32_t smc_hs_diagnosis(int error, bool smc_d); /* what a failed set-up is declined with */
/* Both roles: own values of an Accept or Confirm. */
void smc_hs_fill_accept(struct smc_handshake *h, struct smc_clc_accept_info *m, uint8_t type);
/* What the peer's Accept or Confirm says of its buffer. A diagnosis, or 0. */
uint32_t smc_hs_take_peer(struct smc_handshake *h, const struct smc_clc_accept_info *m);
void smc_hs_take_link(struct smc_handshake *h, const struct smc_clc_accept_info *m); /* first contact, SMC-R */
bool smc_hs_reachable(const struct smc_handshake *h); /* SMC-D: does choice.device reach choice.peer_gid? */

/* The roles. */
void smc_hs_client_start(struct smc_handshake *h);
void smc_hs_client_accept(struct smc_handshake *h);
void smc_hs_client_routed(struct smc_handshake *h, int error, const struct smc_route *route);
void smc_hs_client_confirm(struct smc_handshake *h); /* the RMB is known: send it */
void smc_hs_server_proposal(struct smc_handshake *h);
void smc_hs_server_routed(struct smc_handshake *h, int error, const struct smc_route *route);
void smc_hs_server_accept(struct smc_handshake *h);
void smc_hs_server_confirm(struct smc_handshake *h, const struct smc_clc_accept_info *confirm);

#endif
