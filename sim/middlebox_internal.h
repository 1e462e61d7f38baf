/* What the treatments of a middlebox share: the segment in hand, the flows it knows.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_MIDDLEBOX_INTERNAL_H
#define SIM_MIDDLEBOX_INTERNAL_H

#include "sim/middlebox.h"
#include "sim/network_internal.h"

enum { FLOWS_MAX = 4096 };

/* A TCP connection, seen from the client. */
struct flow {
    uint8_t client[16], server[16]; /* as the client calls it */
    uint16_t client_port, server_port;
    uint64_t used_ns;
    /* cookies */
    bool open;               /* the server has answered */
    uint32_t client_isn, cookie, shift; /* the client's number of a server's byte = the server's + shift */
    uint16_t window;
    uint32_t tries;
    struct net_buffer *ack;  /* the client's ACK: from it the SYN for the server is made */
    /* balancer */
    uint32_t chosen;
};

struct flows {
    struct flow *entry;
    uint32_t count, capacity;
};

struct net_box {
    struct net_part part; /* first */
    struct net *net;
    struct net_port *side[2];
    unsigned strip;
    bool cookies;
    uint16_t cookie_port;
    uint64_t secret;
    struct flows cookie_flows;
    struct sim_timer retry;
    uint8_t address[16]; /* of the balancer */
    struct net_server servers[NET_SERVERS_MAX];
    unsigned n_servers, next_server;
    struct flows balanced_flows;
    struct net_box_stats stats;
};

enum verdict { BOX_PASS, BOX_TAKEN };

/* Who talks to whom. */
struct tuple {
    uint8_t src[16], dst[16];
    uint16_t sport, dport;
};
void box_tuple(const struct net_frame_info *info, struct tuple *out);

/* NULL: unknown. */
struct flow *flow_find(struct flows *flows, const uint8_t client[16], uint16_t client_port,
                       const uint8_t server[16], uint16_t server_port);
/* A new one; NULL: no memory. The oldest goes when the table is full. */
struct flow *flow_add(struct net_box *box, struct flows *flows, const uint8_t client[16],
                      uint16_t client_port, const uint8_t server[16], uint16_t server_port);
void flow_remove(struct net_box *box, struct flows *flows, struct flow *flow);
void flows_free(struct net_box *box, struct flows *flows);

/* Sends a frame of the box's own; seen by the capture of the run when delivered unless `hidden`. */
void box_send(struct net_box *box, unsigned side, const uint8_t *frame, size_t length, bool hidden);

/* The packet's bytes may be changed and `info` is decoded again; BOX_TAKEN: the caller frees it. */
enum verdict cookies_treat(struct net_box *box, unsigned from, struct net_packet *packet,
                           struct net_frame_info *info);
void cookies_retry(void *ctx, uint64_t now_ns);
enum verdict balance_treat(struct net_box *box, unsigned from, struct net_packet *packet,
                           struct net_frame_info *info);

#endif
