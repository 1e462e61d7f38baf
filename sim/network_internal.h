/* What the parts of the simulated network share: buffers, packets, ports, links.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_NETWORK_INTERNAL_H
#define SIM_NETWORK_INTERNAL_H

#include "sim/capture.h"
#include "sim/carrier.h"
#include "sim/network.h"
#include "sim/pfc.h"

enum {
    NET_CLASSES = 4,      /* of buffer sizes */
    NET_MIN_FRAME = 60,   /* without FCS */
    NET_WIRE_EXTRA = 24,  /* preamble, FCS, gap */
    NET_PRIORITIES = 8,
    NET_MTU_DEFAULT = 1500,
    NET_MTU_MIN = 68,
    NET_MTU_MAX = 65535,
    NET_NAME_MAX = 64,
};

/* A frame's bytes, shared by all hops and copies of it; unchanged as long as refs > 1. */
struct net_buffer {
    uint32_t refs, length;
    uint8_t size_class;
    bool tapped; /* the capture of the run has it */
    struct net_buffer *next; /* free list */
    uint8_t bytes[];
};

/* A frame at one place: in a queue, in a transmitter, on a wire, held. */
struct net_packet {
    struct sim_timer timer;  /* arrival */
    struct net_packet *next; /* queue, or free list */
    struct net_packet *wire_next, **wire_back; /* all packets on wires and held, for net_free() */
    struct net *net;
    struct net_buffer *buffer;
    struct net_port *port;    /* on a wire: where it goes; held: where it came from */
    struct net_port *charged; /* the switch port whose ingress account it stands in */
    uint32_t charged_bytes;   /* with which */
    uint64_t link_epoch;
    uint32_t rule;            /* that holds it */
    uint8_t priority;
    bool priority_known;
    bool bad_fcs;
};

struct net_queue {
    struct net_packet *first, **last;
    uint32_t bytes, frames;
};

/* Whose port it is. `arrive` owns the packet. */
struct net_port_kind {
    void (*arrive)(struct net_port *port, struct net_packet *packet, uint64_t now_ns);
    void (*link)(struct net_port *port, bool up, uint64_t now_ns); /* NULL: does not care */
};

struct net_tap {
    struct capture *capture;
    unsigned directions;
};

struct net_port {
    struct port port; /* first: a struct port * of this net is a struct net_port * */
    struct net *net;
    struct net_port *next;
    const struct net_port_kind *kind;
    void *owner;       /* switch or box */
    uint32_t index;    /* among the owner's ports */
    struct net_link *link;
    unsigned side;     /* 0 or 1: also the direction that leaves here */
    struct net_queue queue[NET_PRIORITIES];
    struct net_queue control; /* PAUSE: before all others, never counted or dropped */
    uint32_t queued_bytes, queued_frames;
    unsigned turn;     /* priority that was served last */
    struct net_packet *sending;
    struct sim_timer tx, told;
    bool told_up;
    struct net_tap tap;
    struct net_stats stats;
    struct pfc_port *pfc;    /* NULL: off */
    struct ecn_port *ecn;    /* NULL: off */
    const struct net_carrier *carrier; /* NULL: we carry */
    void *carried_end;
    char name[NET_NAME_MAX];
};

struct net_wire { /* one direction of a link */
    struct net_params params;
    struct fault_plan faults;
    uint64_t last_arrival_ns;
    struct net_queue held;
};

struct net_link {
    struct net_link *next;
    struct net *net;
    struct net_port *end[2];
    struct net_wire wire[2]; /* [i] leaves end[i] */
    bool up;
    uint64_t epoch; /* counts changes: what was sent in another one is lost */
};

/* Switches and boxes, freed with the net. */
struct net_part {
    struct net_part *next;
    void (*free)(struct net_part *part);
};

struct net {
    struct sim *sim;
    const struct smc_alloc *alloc;
    struct net_port *ports, **last_port;
    struct net_link *links;
    struct net_part *parts;
    struct net_packet *on_wires;
    struct net_buffer *free_buffers[NET_CLASSES];
    struct net_packet *free_packets;
    size_t packets_alive, carried;
    struct capture *capture;
    enum net_capture_point point;
};

static inline struct net_port *net_port_of(struct port *port)
{
    return (struct net_port *)port;
}

/* ---- buffers and packets (network_buffer.c) ---- */

/* Content undefined behind what is copied; padded with zeros to `length`. NULL: no memory. */
struct net_buffer *net_buffer_new(struct net *net, const uint8_t *bytes, size_t n, size_t length);
void net_buffer_drop(struct net *net, struct net_buffer *buffer);
/* Takes over one reference to the buffer, also when it fails (NULL). */
struct net_packet *net_packet_new(struct net *net, struct net_buffer *buffer);
/* Another packet of the same buffer. */
struct net_packet *net_packet_share(struct net_packet *packet);
/* Makes the packet's buffer its own, so that bytes may be changed. False: no memory. */
bool net_packet_unshare(struct net_packet *packet);
/* Drops its reference, takes it out of the ingress account. */
void net_packet_free(struct net_packet *packet);
void net_buffers_free(struct net *net);

void net_queue_init(struct net_queue *q);
void net_queue_put(struct net_queue *q, struct net_packet *packet);
struct net_packet *net_queue_take(struct net_queue *q); /* NULL: empty */

/* Packets that stand in no queue, so that net_free() finds them. */
void net_packet_enlist(struct net_packet *packet);
void net_packet_delist(struct net_packet *packet);

/* ---- carried links (network_carrier.c) ---- */

/* May the frame go to the carrier's queue, or does it wait in ours? */
bool net_carry_direct(const struct net_port *port, const struct net_packet *packet);
/* Into the carrier's queue; false: no room, the packet is still the caller's. */
bool net_carry(struct net_port *port, struct net_packet *packet);
/* From the transmitter to the other end. */
void net_carry_on(struct net_port *from, struct net_packet *packet, uint64_t late_ns);
/* From the transmitter to the faults; from the wire to the receiver (network_link.c). Both own the packet. */
void net_put_on_wire(struct net_port *from, struct net_packet *packet, uint64_t now_ns);
void net_arrive(struct net_packet *packet, uint64_t now_ns);

/* ---- ports and links ---- */

/* NULL: no memory, name taken. `kind` NULL: a host's. */
struct net_port *net_port_make(struct net *net, const char *name, const uint8_t mac[6],
                               const struct net_port_kind *kind, void *owner, uint32_t index);
/* Takes back ports made since; `before` is what net->last_port was. They are not linked. */
void net_ports_unmake(struct net *net, struct net_port **before);
void net_add_part(struct net *net, struct net_part *part, void (*release)(struct net_part *part));
/* Prepares the transmitter. */
void net_port_init_tx(struct net_port *port);
/* Puts a packet into the port's queue and takes it over. False: it was dropped (and counted). */
bool net_port_queue(struct net_port *port, struct net_packet *packet, uint64_t now_ns);
/* MAC control: at the head of all queues. */
void net_port_queue_control(struct net_port *port, struct net_packet *packet, uint64_t now_ns);
/* Starts the transmitter if it rests. */
void net_port_kick(struct net_port *port, uint64_t now_ns);
/* The present rate that leaves the port; 0: no limit. */
uint64_t net_port_rate(const struct net_port *port);
/* Is that much too long for the port's link, tags not counted? */
bool net_too_long(const struct net_port *port, const uint8_t *bytes, size_t length);
/* The capture of the run, if it does not have the frame yet. */
void net_capture_once(struct net *net, struct net_buffer *buffer, uint64_t now_ns);

/* ---- flow control (pfc.c) ---- */

/* The queue it belongs in. */
unsigned pfc_priority(struct net_port *egress, struct net_packet *packet);
bool pfc_is_paused(const struct net_port *port, unsigned priority, uint64_t now_ns);
/* A MAC control frame came. */
void pfc_receive(struct net_port *port, const struct net_packet *packet, uint64_t now_ns);
/* A switch port took a frame in; false: it has no room, the caller drops it. */
bool pfc_charge(struct net_port *ingress, struct net_packet *packet, uint64_t now_ns);
void pfc_uncharge(struct net_packet *packet);
bool pfc_is_lossless(const struct net_packet *packet);
/* On its way into a queue of so many bytes. */
void ecn_mark(struct net_port *egress, struct net_packet *packet, uint32_t queued);
void pfc_free(struct net_port *port);
/* The link went down: pauses and accounts of the other end mean nothing any more. */
void pfc_reset(struct net_port *port);

#endif
