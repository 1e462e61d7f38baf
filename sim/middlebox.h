/* Middleboxes: what stands between hosts and treats TCP in its own way.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_MIDDLEBOX_H
#define SIM_MIDDLEBOX_H

#include "sim/network.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A box has two ports, 0 and 1 ("<name>.0" on the clients' side, "<name>.1" on the servers'), and passes
 * what it does not treat. It has a link on either side and sends no frame of its own but those named
 * below. Checksums are corrected by what was changed: a frame that came damaged stays damaged.
 *
 * SYN cookies and the balancer change what a connection looks like on the servers' side. So that the
 * capture of the run shows one connection and not two halves, it is then taken at the box's port 0:
 * frames of the clients when they reach the box, those for the clients when they reach them. */
struct net_box;

/* NULL: memory short, name taken or too long. Freed with the net. */
struct net_box *net_box_new(struct net *net, const char *name);
/* 0 or 1. */
struct port *net_box_port(struct net_box *box, unsigned side);

/* Overwrites the SMC option (and any other experimental option of kind 254) in TCP segments with SYN by
 * NOPs; bit 1 of `toward`: those that leave by port 0, bit 2: by port 1; 0: none. */
enum { NET_BOX_TOWARD_0 = 1, NET_BOX_TOWARD_1 = 2 };
void net_box_strip_option(struct net_box *box, unsigned toward);

/* Answers every SYN from port 0 itself, without state and therefore without options but MSS; when the
 * client's ACK proves the cookie, opens the connection to the server and shifts the server's sequence
 * numbers from then on. tcp_port 0: of all servers. */
void net_box_syn_cookies(struct net_box *box, bool on, uint16_t tcp_port);

/* One address for several servers: ARP and ND for it are answered with port 0's MAC; connections to it
 * go to one server after the other. Addresses are 16 bytes, IPv4 as ::ffff:a.b.c.d; all of one family. */
struct net_server {
    uint8_t address[16];
    uint8_t mac[6];
};
enum { NET_SERVERS_MAX = 16 };
/* SMC_ERR_ARGUMENT: no server, too many, mixed families. n_servers 0 with servers NULL turns it off. */
int net_box_balance(struct net_box *box, const uint8_t address[16], const struct net_server *servers,
                    unsigned n_servers);

struct net_box_stats {
    uint64_t options_stripped, cookies_sent, cookies_proved, cookies_refused;
    uint64_t balanced[NET_SERVERS_MAX]; /* connections */
    uint64_t flows_forgotten;           /* table full: the oldest */
};
const struct net_box_stats *net_box_stats(const struct net_box *box);

#ifdef __cplusplus
}
#endif

#endif
