/* The seam below our links: another simulator (ns-3) queues, transmits and propagates the frames of a link in our place.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_CARRIER_H
#define SIM_CARRIER_H

#include "sim/network.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A link that is carried keeps what is the laboratory's: its ports, fault plans, taps, the capture, its being up or down, and
 * (where a port has them) flow control and ECN thresholds. Its queue, its transmitter, its delay and its errors are the carrier's:
 *
 *     port_send ─▶ carrier: queue ─▶ transmitter ─▶ faults ─▶ carrier: propagation, errors ─▶ port at the other end
 *
 * A port with flow control or ECN thresholds, and every frame of a lossless class, waits in our queues; the carrier gets those
 * frames one by one. A packet that the carrier has is given back by exactly one of the three net_carrier_… functions below, called
 * from within an event of the engine (sim_call()), never from within `propagate`. */
struct net_packet;

struct net_option {
    const char *name, *value;
};

/* What a link wants from its carrier. */
struct net_carried_link {
    struct net_link *link;
    struct port *end[2];
    struct net_params params;
    const struct net_option *options;
    unsigned option_count;
};

struct net_carrier {
    void *user;
    /* Fills in what the carrier calls the two ends. 0; or SMC_ERR_…, and why in `problem`. */
    int (*link)(void *user, const struct net_carried_link *link, void *ends[2], char *problem, size_t problem_size);
    /* Takes a frame into the queue of an end. False: it had no room (the packet stays the caller's). The bytes are borrowed. */
    bool (*send)(void *end, struct net_packet *packet, const uint8_t *bytes, size_t length);
    /* The frame has left the transmitter: it arrives after the propagation, and `late_ns`. False: in another process (the packet
     * stays the caller's). */
    bool (*propagate)(void *end, struct net_packet *packet, const uint8_t *bytes, size_t length, uint64_t late_ns);
    /* What waits or is in transmission is given back as lost, at once. */
    void (*flush)(void *end);
};

/* Puts a carrier below a link that has carried nothing yet. Errors as `link` above. */
int net_link_carry(struct net_link *link, const struct net_carrier *carrier, const struct net_option *options,
                   unsigned option_count, char *problem, size_t problem_size);

/* The frame has left the transmitter of `from`: faults are decided, then propagate() is called (or not). */
void net_carrier_sent(struct port *from, struct net_packet *packet, uint64_t now_ns);
/* It is at the other end. */
void net_carrier_arrived(struct net_packet *packet, uint64_t now_ns);
enum net_carrier_loss { NET_LOST_QUEUE, NET_LOST_ERROR, NET_LOST_LINK };
/* It is lost. May also be called from within `send` (for other packets than that) and `flush`. */
void net_carrier_lost(struct port *from, struct net_packet *packet, enum net_carrier_loss why);
/* A frame from another process has arrived at a port here; the bytes are copied. */
void net_carrier_entered(struct port *to, const uint8_t *bytes, size_t length, uint64_t now_ns);
/* An ECN-capable frame in the carrier's queue is marked CE. False: it is not capable. The new bytes replace the old ones. */
bool net_carrier_mark_ce(struct port *from, struct net_packet *packet, const uint8_t **bytes);

/* How many frames carriers have now. */
size_t net_frames_carried(const struct net *net);

#ifdef __cplusplus
}
#endif

#endif
