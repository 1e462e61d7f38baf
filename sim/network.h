/* Simulated networks: ports of hosts, links with rate, delay and queues; each port is a struct port.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_NETWORK_H
#define SIM_NETWORK_H

#include "devices/port.h"
#include "sim/engine.h"
#include "sim/fault.h"

#include <smc/alloc.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A net holds ports; a link joins two of them. Ports belong to hosts (net_port_new), to switches
 * (sim/switch.h) or to middleboxes (sim/middlebox.h). A frame takes this way:
 *
 *     port_send ─▶ queue ─▶ transmitter ─▶ faults ─▶ propagation ─▶ port at the other end ─▶ receiver
 *                 (drop     (length        (lost,     (delay)       (FCS, PAUSE; taps;
 *                  tail)     ÷ rate)        twice …)                 switch: next queue)
 *
 * Its bytes are copied once, into a buffer that all hops share; a hop that changes them takes a copy.
 * On the wire a frame takes at least 60 bytes (short ones are padded with zeros) and 24 more: preamble,
 * FCS, gap. Every step is an event of the engine, so nothing is ever called from within port_send.
 *
 * Where memory is short while the net runs, frames are lost and counted; nothing else changes.
 *
 * All objects live until net_free(). Names are copied; "client.eth0" is the custom for a port. */

struct net;
struct net_link;
struct capture;

/* Of one direction. Zero in a field: no limit (rate, queue), at once (delay), 1500 (mtu). */
struct net_params {
    uint64_t rate_bps;     /* bits per second */
    uint64_t delay_ns;     /* propagation */
    uint32_t queue_bytes;  /* what may wait, the frame in transmission not counted; each priority
                            * where there is flow control (sim/pfc.h) */
    uint32_t queue_frames;
    uint32_t mtu;          /* bytes behind Ethernet header and tags; 68 … 65535 */
};

enum net_direction { NET_A_TO_B, NET_B_TO_A };

/* Of a port. Frames that end here, by reason. */
struct net_stats {
    uint64_t sent, sent_bytes;         /* put on the wire */
    uint64_t received, received_bytes; /* came in good order */
    uint64_t refused;                  /* port_send said no: link down, too long */
    uint64_t queue_drops;              /* drop tail; for a host's port, also refused to it */
    uint64_t too_long;                 /* for the link they were to leave by */
    uint64_t fault_drops;              /* by the fault plan of the direction that leaves here */
    uint64_t link_drops;               /* queued or under way when the link went down, or queued by a RoCE device that left */
    uint64_t fcs_errors;               /* came damaged and were dropped */
    uint64_t filtered;                 /* a switch had no way for them: VLAN, same port, loop */
    uint64_t no_memory;
    uint64_t ecn_marked;
    uint64_t pause_sent, pause_received; /* PAUSE and PFC frames */
    uint64_t queued_peak; /* the most bytes that ever waited to leave, of all priorities */
};

/* NULL if memory is short. */
struct net *net_new(struct sim *sim, const struct smc_alloc *alloc);
/* Cancels what is under way and frees all ports, links, switches and boxes. NULL is allowed. */
void net_free(struct net *net);
struct sim *net_sim(struct net *net);

/* A host's interface; down until it is linked. NULL if memory is short or the name is taken or empty. */
struct port *net_port_new(struct net *net, const char *name, const uint8_t mac[6]);
struct port *net_port_find(struct net *net, const char *name); /* NULL: none */
const char *net_port_name(const struct port *port);
const struct net_stats *net_port_stats(const struct port *port);
uint32_t net_port_queued(const struct port *port); /* bytes that wait now */
/* A RoCE device leaves: what it had given to the port and waits there goes with it, as the queues of a NIC do. */
void net_port_drop_roce(struct port *port);
/* NULL while it is not linked. */
struct net_link *net_port_link(const struct port *port);
/* The direction that leaves this port. */
enum net_direction net_port_direction(const struct port *port);

/* Joins two ports of one net, both directions alike; up at once. NULL: memory short, a port is linked
 * already, both are the same, or mtu out of bounds. `params` NULL: all zero. */
struct net_link *net_link_new(struct net *net, struct port *a, struct port *b,
                              const struct net_params *params);
struct port *net_link_end(const struct net_link *link, enum net_direction from);
/* Takes effect with the next frame. SMC_ERR_ARGUMENT: mtu out of bounds; SMC_ERR_STATE: another mtu
 * while the link is up. The mtu is that of both directions. */
int net_link_set_params(struct net_link *link, enum net_direction dir,
                        const struct net_params *params);
const struct net_params *net_link_params(const struct net_link *link, enum net_direction dir);
/* Down: queued frames and those under way are lost. Both receivers are told by an event of now. */
void net_link_set_up(struct net_link *link, bool up);
bool net_link_is_up(const struct net_link *link);
/* What goes wrong in that direction; never NULL. */
struct fault_plan *net_link_faults(struct net_link *link, enum net_direction dir);
/* Sends on, in their order, the frames that a rule holds; rule 0: of all rules. Returns how many. */
unsigned net_link_let_go(struct net_link *link, enum net_direction dir, uint32_t rule);
/* How many are held. */
unsigned net_link_held(const struct net_link *link, enum net_direction dir);

/* ---- captures ----
 *
 * The capture of the run holds each frame once, however many links it crosses. */
enum net_capture_point {
    NET_CAPTURE_DELIVERED, /* when it reaches the host it is for: lost frames are not in it. A host's
                            * answer stands behind what it answers */
    NET_CAPTURE_SENT,      /* when it leaves the sending host, before the faults of its link */
};
/* Of all hosts' ports; NULL: none. The capture is borrowed. */
void net_set_capture(struct net *net, struct capture *capture, enum net_capture_point point);

enum { NET_TAP_IN = 1, NET_TAP_OUT = 2 };
/* A tap at one port, besides: frames that come in undamaged, frames that go out (before faults). PAUSE
 * frames are seen here. `capture` NULL: none. */
void net_port_tap(struct port *port, struct capture *capture, unsigned directions);

/* Frames that are in queues, under way or held: 0 when all is quiet. */
size_t net_frames_alive(const struct net *net);

#ifdef __cplusplus
}
#endif

#endif
