/* What the parts of the stack (timers, IP, neighbours, TCP) share with one another and with nobody else.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_STACK_PARTS_H
#define SIM_STACK_PARTS_H

#include "sim/stack.h"
#include "wire/carrier_layouts.h"

enum {
    IP_LINK_ROOM = 18,                  /* Ethernet header and one tag */
    IP_HEADROOM = IP_LINK_ROOM + 40,    /* and the longer IP header */
    IP_NEIGHBOUR_BUCKETS = 64,
    IP_NEIGHBOURS_MAX = 4096, /* then the oldest goes */
    IP_QUEUE_MAX = 16,        /* packets that wait for one neighbour */
    IP_TYPE_V4 = 0x0800,
    IP_TYPE_ARP = 0x0806,
    IP_TYPE_VLAN = 0x8100,
    IP_TYPE_V6 = 0x86dd,
    IP_PROTOCOL_ICMP = 1,
    IP_PROTOCOL_TCP = 6,
    IP_PROTOCOL_ICMPV6 = 58
};

/* ---- timers: a heap ordered by (time, order of arming) ---- */
struct ip_timer {
    uint64_t at_ns; /* meaningful while slot != 0 */
    uint64_t order;
    void (*due)(struct ip_timer *timer, uint64_t now_ns);
    uint32_t slot; /* place in the heap + 1; 0: not armed */
};

struct ip_timers {
    struct ip_timer **heap;
    uint32_t count, capacity, reserved;
    uint64_t order;
};

/* Room for one timer more, so that arming it cannot fail later. SMC_ERR_NOMEM. */
int ip_timer_reserve(struct ip_stack *stack);
/* Disarms and gives the room back. */
void ip_timer_drop(struct ip_stack *stack, struct ip_timer *timer);
/* UINT64_MAX disarms. */
void ip_timer_set(struct ip_stack *stack, struct ip_timer *timer, uint64_t at_ns);

/* ---- what the stack consists of ---- */
struct ip_interface {
    struct port *port;
    uint16_t vlan;
    bool loopback;
};

struct ip_owned {
    struct ip_address address;
    int interface;
    unsigned prefix; /* of 128 bits */
};

struct ip_route {
    struct ip_address destination, gateway;
    int interface;
    unsigned prefix; /* of 128 bits */
};

struct ip_neighbour_entry;
struct ip_question;
struct devmem_skb;
struct tcp_conn;
struct tcp_listener;

struct tcp_part {
    struct tcp_conn **buckets;
    uint32_t nbuckets, nhashed; /* nbuckets is a power of two */
    struct tcp_conn *first, *last; /* all, in order of creation */
    size_t count;
    uint64_t next_id;
    struct tcp_listener *listeners;
    struct tcp_conn *dead; /* to be freed once no callback is running */
    uint32_t next_port;
};

struct ip_stack {
    struct ip_config config; /* defaults filled in */
    struct ip_interface interfaces[IP_MAX_INTERFACES];
    int ninterfaces;
    struct ip_owned *addresses;
    unsigned naddresses;
    struct ip_route *routes;
    unsigned nroutes;
    struct ip_neighbour_entry *neighbours[IP_NEIGHBOUR_BUCKETS];
    unsigned nneighbours;
    uint64_t next_neighbour;
    struct ip_question *answers; /* of neighbours, about to be told */
    struct ip_timers timers;
    uint8_t *scratch; /* one packet being built: IP_HEADROOM, then its payload */
    size_t scratch_size;
    uint16_t packet_id;
    unsigned depth; /* > 0: within ip_run(), ip_frame() or ip_link() */
    uint64_t now_ns;
    const struct devmem_skb *skb; /* the frame being taken, if it came by a bound queue (tcp_devmem.h) */
    uint32_t behind; /* bytes of its payload that no view covers: they are in device memory */
    struct tcp_part tcp;
    struct ip_counters counters;
};

/* Tells the host that ip_next_ns() changed, unless it is inside one of the three and looks anyway. */
void ip_wake(struct ip_stack *stack);
/* Seeded, the same everywhere. */
uint64_t ip_hash(uint64_t seed, const void *bytes, size_t length);

/* ---- checksums: add up, then finish ---- */
uint32_t ip_sum(uint32_t sum, const uint8_t *bytes, size_t length);
uint16_t ip_sum_finish(uint32_t sum);
/* The pseudo header's part. */
uint32_t ip_sum_pseudo(struct ip_address src, struct ip_address dst, uint8_t protocol,
                       size_t length);

/* ---- routes ---- */
bool ip_matches(struct ip_address a, struct ip_address b, unsigned prefix_of_128);
bool ip_is_mine_on(const struct ip_stack *stack, int interface, struct ip_address address);
/* `source` any: chosen. Fills all but the MAC. SMC_ERR_UNREACHABLE. */
int ip_route_find(const struct ip_stack *stack, int interface, struct ip_address source,
                  struct ip_address destination, struct ip_hop *hop);
/* An own address on the interface to ask `target` from; any if there is none of that family. */
struct ip_address ip_source_on(const struct ip_stack *stack, int interface,
                               struct ip_address target);
uint32_t ip_interface_mtu(const struct ip_stack *stack, int interface);

/* ---- packets ---- */
/* Where the payload of the next packet is to be written, and how much may be. */
uint8_t *ip_payload(struct ip_stack *stack);
size_t ip_payload_room(const struct ip_stack *stack);
/* Sends `length` bytes standing at ip_payload(). SMC_ERR_UNREACHABLE, SMC_ERR_RANGE (more than the MTU),
 * SMC_ERR_NOSPACE, SMC_ERR_NOMEM, SMC_ERR_IO (refused by the port); each counts as a packet lost. */
int ip_output(struct ip_stack *stack, struct ip_address src, struct ip_address dst,
              uint8_t protocol, size_t length);
/* Puts the Ethernet header into the IP_LINK_ROOM bytes before `packet` and sends. */
int ip_transmit(struct ip_stack *stack, int interface, const uint8_t mac[6], uint16_t ethertype,
                uint8_t *packet, size_t length);
void ip_input_v4(struct ip_stack *stack, struct smc_view packet);
void ip_input_v6(struct ip_stack *stack, int interface, const uint8_t src_mac[6],
                 struct smc_view packet);
void ip_write_v6(uint8_t *packet, struct ip_address src, struct ip_address dst, uint8_t next_header,
                 uint8_t hop_limit, size_t payload_length);

/* ---- neighbours ---- */
/* A packet with IP_LINK_ROOM bytes before it; sent, or kept until the neighbour is known. */
int arp_send(struct ip_stack *stack, int interface, struct ip_address next, uint16_t ethertype,
             uint8_t *packet, size_t length);
void arp_input(struct ip_stack *stack, int interface, struct smc_view packet);
/* ICMPv6 types 135 and 136, checksum right; hop limit as it came. */
void arp_input_nd(struct ip_stack *stack, int interface, const uint8_t src_mac[6],
                  struct ip_address src, uint8_t hop_limit, struct smc_view icmp);
/* Asks who has `target`; `mac` NULL: everybody. */
void arp_ask(struct ip_stack *stack, int interface, struct ip_address target, const uint8_t *mac);
/* `create`: also if nobody had asked. */
void arp_learn(struct ip_stack *stack, int interface, struct ip_address address,
               const uint8_t mac[6], bool create);
void arp_free_all(struct ip_stack *stack);
bool arp_known(const struct ip_stack *stack, int interface, struct ip_address address,
               uint8_t mac[6]);

/* ---- TCP ---- */
int tcp_part_init(struct ip_stack *stack);
void tcp_part_free(struct ip_stack *stack);
void tcp_input(struct ip_stack *stack, struct ip_address src, struct ip_address dst,
               struct smc_view bytes);
/* Nobody answered for this next hop: connections being opened by way of it fail. */
void tcp_unreachable(struct ip_stack *stack, struct ip_address next);
void tcp_reap(struct ip_stack *stack);

#endif
