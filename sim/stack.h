/* A simulated host's IP: interfaces on ports, addresses, routes, neighbours (ARP and ND), echo; TCP is in tcp.h.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_STACK_H
#define SIM_STACK_H

#include "devices/port.h"

#include <smc/alloc.h>
#include <smc/error.h>

#include <string.h>

/* One stack a host. It does no I/O of its own and reads no clock: the host hands in frames, link
 * changes and the time, and calls ip_run() when ip_next_ns() says so. Frames leave by port_send()
 * from within ip_run(), ip_frame() and ip_link() only; everything else (tcp_send(), ip_resolve() …)
 * marks work, makes ip_next_ns() 0 and calls `wake`.
 *
 * Callbacks come from within ip_run(), ip_frame() and ip_link(). They may call any function of
 * stack.h and tcp.h but these three and ip_stack_free().
 *
 * Deterministic: what it sends depends on the seed, the calls and their times, on nothing else.
 *
 * Not done: fragments (dropped; every packet is sent with DF), multicast, duplicate address detection,
 * router solicitation, ICMP errors, forwarding. */

/* An IPv6 address; an IPv4 one as ::ffff:a.b.c.d (which is also its RoCEv2 GID). All zero: none, any. */
struct ip_address {
    uint8_t bytes[16];
};

static inline bool ip_equal(struct ip_address a, struct ip_address b)
{
    return memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0;
}

static inline bool ip_is_any(struct ip_address a)
{
    static const struct ip_address any;
    return ip_equal(a, any);
}

static inline bool ip_is_v4(struct ip_address a)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return memcmp(a.bytes, mapped, sizeof(mapped)) == 0;
}

/* From four bytes on the wire. */
struct ip_address ip_from_v4(const uint8_t v4[4]);
/* "192.0.2.1" or "2001:db8::1"; false: not an address. */
bool ip_from_text(const char *text, struct ip_address *out);
enum { IP_TEXT_SIZE = 48 };
void ip_to_text(struct ip_address address, char text[IP_TEXT_SIZE]);

struct ip_stack;

/* Times and limits: 0 takes the default in brackets. */
struct ip_config {
    const struct smc_alloc *alloc; /* borrowed */
    uint64_t seed;                 /* of initial sequence numbers, ports and hashes */
    /* ip_next_ns() may have become earlier by something other than ip_run(); may be NULL. */
    void (*wake)(void *user);
    void *user;
    uint64_t neighbour_valid_ns;   /* how long an answer is believed without asking again [60 s] */
    uint64_t neighbour_retry_ns;   /* between two questions [1 s] */
    unsigned neighbour_tries;      /* questions [3] */
    uint64_t time_wait_ns;         /* TIME_WAIT [60 s] */
    uint64_t fin_wait_ns;          /* FIN_WAIT_2 after tcp_close() [60 s] */
    uint64_t rto_initial_ns;       /* before the first measurement [1 s] */
    uint64_t rto_min_ns;           /* [200 ms] */
    uint64_t rto_max_ns;           /* [120 s] */
    uint64_t delayed_ack_ns;       /* [40 ms] */
    unsigned syn_retries;          /* of a SYN or SYN-ACK [6] */
    unsigned retries;              /* of data, FIN and window probes without answer, at most 254 [15] */
};

/* NULL: out of memory. */
struct ip_stack *ip_stack_new(const struct ip_config *config);
/* Ends everything without a word on the wire; handles of connections and listeners become invalid. */
void ip_stack_free(struct ip_stack *stack);

struct ip_interface_config {
    struct port *port; /* borrowed; its receiver is the host's, which calls ip_frame() */
    uint16_t vlan;     /* 1 … 4094: frames carry this tag; 0: none */
    bool loopback;     /* the port leads back to this host: no ARP, carries every local address */
};

enum { IP_MAX_INTERFACES = 16 };

/* Returns its index, from 0. Several may share a port if their VLANs differ.
 * SMC_ERR_NOSPACE, SMC_ERR_NOMEM, SMC_ERR_EXISTS (same port and VLAN), SMC_ERR_ARGUMENT. */
int ip_add_interface(struct ip_stack *stack, const struct ip_interface_config *config);

/* `prefix` in bits of the address as written (0 … 32, or 0 … 128); the prefix is on-link there.
 * SMC_ERR_NOMEM, SMC_ERR_EXISTS, SMC_ERR_ARGUMENT. */
int ip_add_address(struct ip_stack *stack, int interface, struct ip_address address,
                   unsigned prefix);
/* SMC_ERR_NOTFOUND. Connections that use it are left to time out. */
int ip_remove_address(struct ip_stack *stack, struct ip_address address);
/* A static route; `gateway` any: on-link. The longest prefix wins. SMC_ERR_NOMEM, SMC_ERR_ARGUMENT. */
int ip_add_route(struct ip_stack *stack, int interface, struct ip_address destination,
                 unsigned prefix, struct ip_address gateway);
/* Is this one of the host's own addresses? */
bool ip_is_mine(const struct ip_stack *stack, struct ip_address address);

/* Where a packet to a destination goes. */
struct ip_hop {
    int interface;
    bool on_link;            /* no gateway between */
    bool mac_known;
    struct ip_address source; /* the address that a connection from here would have */
    struct ip_address next;   /* the destination itself or the gateway */
    uint8_t mac[6];           /* valid if mac_known */
};

/* `interface` -1: any. Does not ask anybody: mac_known says whether the next hop's MAC is known.
 * SMC_ERR_UNREACHABLE: no route, or no source address of that family. */
int ip_hop_to(const struct ip_stack *stack, int interface, struct ip_address destination,
              struct ip_hop *hop);

/* The MAC in the cache; SMC_ERR_NOTFOUND if there is none. `interface` -1: any. */
int ip_neighbour(const struct ip_stack *stack, int interface, struct ip_address address,
                 uint8_t mac[6]);

/* result 0: hop is complete; SMC_ERR_UNREACHABLE: nobody answered. */
typedef void (*ip_resolved)(void *user, int result, const struct ip_hop *hop);

/* Like ip_hop_to(), and asks for the MAC if it is not known. 0: *hop is complete, no callback will
 * come. SMC_ERR_WOULDBLOCK: `done` will be called once, unless cancelled. SMC_ERR_UNREACHABLE,
 * SMC_ERR_NOMEM: nothing was begun. */
int ip_resolve(struct ip_stack *stack, int interface, struct ip_address destination,
               ip_resolved done, void *user, struct ip_hop *hop);
/* Forgets all questions with this callback and user. */
void ip_resolve_cancel(struct ip_stack *stack, ip_resolved done, void *user);
/* Forgets what is known about neighbours on an interface (-1: all); open questions go on. */
void ip_forget_neighbours(struct ip_stack *stack, int interface);

/* A frame came in by the port of `interface` (any interface of that port will do: the VLAN tag
 * decides). Whatever it holds is checked; what is not for this stack is dropped. */
void ip_frame(struct ip_stack *stack, int interface, const uint8_t *frame, size_t length,
              uint64_t now_ns);
/* The link of the port of `interface` went up or down. */
void ip_link(struct ip_stack *stack, int interface, bool up, uint64_t now_ns);
/* When ip_run() is due: 0 at once, UINT64_MAX never. */
uint64_t ip_next_ns(const struct ip_stack *stack);
void ip_run(struct ip_stack *stack, uint64_t now_ns);

/* What came and went; grows only. */
struct ip_counters {
    uint64_t frames_in, packets_in, packets_out;
    uint64_t malformed;    /* lengths or fields that cannot be */
    uint64_t bad_checksum; /* IP, ICMP, TCP */
    uint64_t not_mine;     /* other MAC, VLAN, address or protocol */
    uint64_t fragments;
    uint64_t no_memory; /* packets dropped because an allocation failed */
    uint64_t unsent;    /* no route, queue of a neighbour full, refused by the port, nobody answered */
    uint64_t echoes;    /* answered */
    uint64_t resets_out; /* TCP segments that no connection knew, answered with RST */
};
struct ip_counters ip_counters(const struct ip_stack *stack);

#endif
