/* The laboratory: one run in virtual time — hosts, networks, devices, captures — and the sockets of its applications.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_LAB_H
#define SIM_LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <smc/endpoint.h>

#include "sim/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A run: make a lab, then hosts with interfaces and devices, join interfaces by links and switches, open sockets, let time
 * pass. A host has a TCP/IP stack (sim/stack.h), an SMC endpoint (libsmc), and RoCE NICs, ISM functions, a loopback or
 * ivshmem device. Everything that crosses between two hosts is frames; what dibs devices do is recorded as SMC-D records;
 * all of it goes into one capture, which the judge reads.
 *
 * Objects are found by name ("client", "client.eth0"); names are unique in a lab and borrowed nowhere (copied). The lab owns
 * everything; lab_free() ends it. All functions return 0 or an enum smc_error; lab_problem() says in words what was wrong.
 * Deterministic: same calls, same seed → same capture, same digest. */

struct lab;
struct lab_host;
struct lab_interface;
struct lab_socket;
struct lab_link;
struct net_option; /* sim/carrier.h */

/* Who lets time pass, where virtual time is not the engine's own: a real clock with frames from outside, or ns-3's simulator. */
struct lab_clock {
    /* Does the next thing that is due at or before until_ns: an event of the engine (sim_step), or what came from outside, put
     * into the engine at its own time. Returns 1 if something may have happened, 0 once until_ns has come (then sim_now() is
     * until_ns) or nothing can happen any more; or an error, with lab_fail's text set by the caller. */
    int (*step)(void *user, struct sim *sim, uint64_t until_ns);
    void *user;
};

struct lab_config {
    const struct smc_alloc *alloc; /* NULL: malloc */
    const struct lab_clock *clock; /* NULL: virtual time, as fast as it goes; borrowed */
    uint64_t seed;
    const char *capture;           /* pcap file of the whole run; NULL: none is written */
    bool capture_hashed;           /* without a file too: every captured byte goes into the digest */
    /* Every captured frame, in order (may be NULL); it must not touch the lab. */
    void (*sink)(void *user, uint64_t at_ns, const uint8_t *bytes, size_t length);
    void *sink_user;
    uint64_t event_limit;          /* 0: 200 million */
};
int lab_new(const struct lab_config *config, struct lab **out);
/* Closes the capture. 0; SMC_ERR_IO if it could not be written; SMC_ERR_BUSY if something leaked (it says what). */
int lab_free(struct lab *lab);
const char *lab_problem(const struct lab *lab);
struct sim *lab_sim(struct lab *lab);
/* Lets time pass. SMC_ERR_TIMEOUT: the limit of events; errors of sim_stop() and of the clock. */
int lab_run_until(struct lab *lab, uint64_t at_ns);
/* One event at most, as lab_clock's step: 1 something happened, 0 at_ns has come; errors as lab_run_until(). */
int lab_step(struct lab *lab, uint64_t at_ns);
void lab_digest(const struct lab *lab, uint64_t value[2]);

/* The host with this IP address or GID (of RoCE or dibs); "" if none or several have it. */
const char *lab_owner_of(struct lab *lab, const uint8_t address[16]);

/* ---- Hosts -------------------------------------------------------------------------------------- */
struct lab_host_config {
    const char *name;
    const struct smc_profile *profile; /* NULL: smc_profile_linux; copied */
    bool no_smc;                       /* a plain TCP host */
    bool v1, v2, smc_r, smc_d;         /* as in smc_endpoint_config; all false: all true */
    uint8_t release;
    bool release_set;                  /* false: release 1 */
    bool no_copy, autocork, seid_enabled, emulated_ism_off;
    uint8_t seid[32];
    uint32_t rmb_bytes, sndbuf_bytes;
    const char *ueids[8];              /* NULL ends; none: "SMCLAB.EID" */
    bool no_ueid;
    bool ipsec;                        /* SMC must not be used */
    const char *machine;               /* hosts of one machine share ISM fabrics, loopback, ivshmem; NULL: its own */
    bool retry_given;                  /* then QPs get these instead of libsmc's (retry_count 7, ack_timeout 15) */
    uint8_t retry_count, ack_timeout;  /* 0 to 7; 4.096 us × 2^n, 0 to 31 */
    const struct cpu_costs *cpu;       /* sim/cpu.h: what its software costs; copied; NULL: no time at all */
};
int lab_add_host(struct lab *lab, const struct lab_host_config *config, struct lab_host **out);
struct lab_host *lab_find_host(struct lab *lab, const char *name);
struct smc_endpoint *lab_host_endpoint(struct lab_host *host); /* NULL: no_smc */
const char *lab_host_name(const struct lab_host *host);
/* smc_endpoint_delete_link() of this host. */
int lab_host_delete_link(struct lab_host *host, uint32_t group, uint8_t number, bool orderly);
/* The stack ends without a word (power cut): nothing is sent any more, sockets are gone. */
int lab_host_kill(struct lab_host *host);

struct lab_interface_config {
    const char *name;          /* "eth0": found as "host.eth0" */
    const char *address;       /* "10.0.0.1/24" or "2001:db8::1/64"; several: separated by blanks */
    const char *gateway;       /* NULL: none */
    uint32_t mtu;              /* 0: 1500 */
    uint16_t vlan;             /* 0: none */
    const char *pnet;          /* NULL: "" */
    bool no_roce;              /* an Ethernet NIC only */
    bool roce_v1_only, roce_v2_only; /* GID table; both false: both kinds */
    uint8_t dscp, priority;    /* of the RoCE NIC's packets: DSCP; PCP, where they have a VLAN tag */
    const struct roce_dcqcn *dcqcn;  /* of the RoCE NIC; NULL: off; a line rate of 0 is the link's */
    bool flow_control;         /* stops the priorities that a PFC frame names (sim/pfc.h) … */
    bool trust_pcp;            /* … which come from VLAN tags, else from DSCP */
};
int lab_add_interface(struct lab_host *host, const struct lab_interface_config *config, struct lab_interface **out);
struct lab_interface *lab_host_interface(struct lab_host *host, const char *name); /* "eth0"; NULL: none */
struct roce *lab_interface_roce(struct lab_interface *interface);
/* The RoCE device leaves (unplugged), and comes back. */
int lab_interface_roce_present(struct lab_interface *interface, bool present);
int lab_interface_set_address(struct lab_interface *interface, const char *address); /* GID_CHANGE */

/* Adds a rule to the fault plan of an interface's RoCE device; the plan's counts begin anew. NULL: no faults any more. */
struct roce_fault;
int lab_interface_add_fault(struct lab_interface *interface, const struct roce_fault *fault);

/* dibs devices. `kind`: "ism", "loopback", "ivshmem". ISM: gid (0: made from the seed) and CHID; the fabric is the machine's of
 * that CHID. Found as "host.ism0". */
struct lab_dibs_config {
    const char *kind, *name;
    uint64_t gid;
    uint16_t chid;             /* 0: 0x07C0 (ism), 0xFF01 (ivshmem) */
    const char *pnet;
    uint64_t signal_delay_ns;  /* of an interrupt */
};
int lab_add_dibs(struct lab_host *host, const struct lab_dibs_config *config);
int lab_dibs_present(struct lab *lab, const char *name, bool present); /* taken out of the registry, put back */
struct smc_dibs_device *lab_find_dibs(struct lab *lab, const char *name);
/* The fault plan of a device (devices/dibs_parts.h); NULL: no such device. A loopback has one plan for all its ports. */
struct dibs_faults *lab_dibs_faults(struct lab *lab, const char *name);

/* ---- Networks ----------------------------------------------------------------------------------- */
struct lab_link_config {
    const char *name;      /* NULL: "a--b" */
    uint64_t rate_bits;    /* a second; 0: 10 Gbit/s */
    uint64_t delay_ns;     /* one way; 0: 1 µs */
    uint32_t queue_bytes;  /* a direction; 0: 1 MiB */
    uint32_t mtu;          /* 0: 9000 */
    const struct net_option *options; /* for the carrier (sim/carrier.h), if there is one; else they mean nothing */
    unsigned option_count;
};
/* Another simulator carries the frames of all links made from now on; NULL: ours. Borrowed. */
struct net_carrier;
void lab_set_carrier(struct lab *lab, const struct net_carrier *carrier);
/* When something happens next: now, while frames are with a carrier. SIM_NEVER: all is quiet. */
uint64_t lab_next_ns(const struct lab *lab);
/* Ends: an interface ("client.eth0") or a switch ("sw0"). */
int lab_add_link(struct lab *lab, const char *a, const char *b, const struct lab_link_config *config, struct lab_link **out);
int lab_add_switch(struct lab *lab, const char *name, unsigned ports); /* 0: 64 */
/* Flow control and ECN marks of all its ports (sim/pfc.h); NULL: off. Before frames flow. */
struct pfc_config;
struct ecn_config;
int lab_switch_flow(struct lab *lab, const char *name, const struct pfc_config *pfc, const struct ecn_config *ecn);
/* The switch's ends of these links are one group: several ways to the same places (sim/switch.h). Number the groups from 1. */
int lab_switch_group(struct lab *lab, const char *name, const char *link, unsigned group);
/* Frames to that interface ("client.eth0") leave the switch by this link, or by the group of it: never learned otherwise. */
int lab_switch_station(struct lab *lab, const char *name, const char *interface, const char *link);
/* The end of a link that belongs to a host, an interface or a switch; NULL: none does. */
struct port *lab_link_port(struct lab_link *link, const char *owner);
/* The switch's i-th port; NULL: no such switch or port. */
struct port *lab_switch_port(struct lab *lab, const char *name, unsigned i);
/* A middlebox (sim/middlebox.h) with ports "name.0" (clients' side) and "name.1", to be linked. `kind`: "strip" (the SMC option,
 * both ways), "strip to 0", "strip to 1", "syn cookies", "balance". */
int lab_add_box(struct lab *lab, const char *name, const char *kind);
/* The box answers for `address` and spreads connections over the first interfaces of these hosts. */
int lab_box_balance(struct lab *lab, const char *name, const char *address, struct lab_host *const *servers, unsigned count);
struct lab_link *lab_find_link(struct lab *lab, const char *name);
struct net_link *lab_link_net(struct lab_link *link); /* faults: sim/fault.h on the net_link */
int lab_link_up(struct lab_link *link, bool up);

/* ---- Sockets ------------------------------------------------------------------------------------
 * An application's view: connect, listen, bytes both ways, in whatever mode was negotiated. Events are noted in the socket and
 * told to its owner once per change, from within the run. */
struct lab_socket_ops {
    /* A bit sum of SMC_EVENT_*: CONNECTED (mode known), READABLE, WRITABLE, URGENT, EOF, ERROR, CLOSED. */
    void (*event)(void *user, struct lab_socket *socket, unsigned events);
    /* A listener's: a new connection (its ops and user are the listener's until set). Mode is known already. */
    void (*accepted)(void *user, struct lab_socket *listener, struct lab_socket *socket);
};
struct lab_socket_config {
    bool tcp_only;              /* no SMC option */
    bool fast_open;             /* asks for it: SMC must not be used */
    bool nodelay, cork, oob_inline;
    uint32_t rmb_bytes, sndbuf_bytes;
    uint32_t tcp_bytes;         /* TCP's buffers, each way; 0: 64 KiB */
    const struct lab_socket_ops *ops;
    void *user;
};
int lab_listen(struct lab_host *host, uint16_t port, const struct lab_socket_config *config, struct lab_socket **out);
/* `peer`: a host's name (its first address) or an address. */
int lab_connect(struct lab_host *host, const char *peer, uint16_t port, const struct lab_socket_config *config,
                struct lab_socket **out);
void lab_socket_set_ops(struct lab_socket *socket, const struct lab_socket_ops *ops, void *user);
int64_t lab_send(struct lab_socket *socket, const void *data, size_t length, unsigned flags); /* as smc_send() */
int64_t lab_recv(struct lab_socket *socket, void *data, size_t length, unsigned flags);       /* as smc_recv() */
uint32_t lab_writable(const struct lab_socket *socket); /* bytes that lab_send() would take now */
int lab_shutdown(struct lab_socket *socket, enum smc_how how);
/* The application is done with it; it lives on inside until CLOSED, then lab_socket_id() is all that is left of it. */
void lab_close(struct lab_socket *socket);
int lab_set_option(struct lab_socket *socket, enum smc_option option, int64_t value);
enum smc_mode lab_socket_mode(const struct lab_socket *socket);
struct smc_connection *lab_socket_connection(struct lab_socket *socket); /* NULL: plain TCP, or gone */
int lab_socket_error(const struct lab_socket *socket);
uint32_t lab_socket_fallback(const struct lab_socket *socket, uint32_t *peer_diagnosis);
/* "ACTIVE", "APPCLOSEWAIT1" … of SMC; "TCP" in that mode; "CLOSED" when it is gone. */
const char *lab_socket_state(const struct lab_socket *socket);
unsigned lab_socket_events(const struct lab_socket *socket); /* all that have occurred so far */
unsigned lab_socket_id(const struct lab_socket *socket);     /* from 1, in order of creation */
struct lab_socket *lab_find_socket(struct lab *lab, unsigned id); /* NULL: none */
struct lab_host *lab_socket_host(const struct lab_socket *socket);
struct lab_socket *lab_next_socket(struct lab *lab, const struct lab_socket *previous);

/* For tables: hosts in order of creation (start with NULL); a host's IP addresses (returns how many there are, fills at most
 * `room`); what TCP knows of a socket. */
struct lab_host *lab_next_host(struct lab *lab, const struct lab_host *previous);
unsigned lab_host_addresses(const struct lab_host *host, struct smc_gid *out, unsigned room);
struct lab_socket_view {
    bool listening, closed;     /* closed: nothing but its number is left */
    bool tcp;                   /* there is a TCP connection: the fields below */
    struct smc_gid own, peer;   /* IPv4-mapped or IPv6 */
    uint16_t own_port, peer_port;
    unsigned interface;         /* of its host, from 1; 0: unknown */
};
void lab_socket_view(const struct lab_socket *socket, struct lab_socket_view *out);

/* Hostile and broken peers: raw bytes where libsmc would send its own.
 * lab_inject_tcp: into the TCP stream of a socket's connection (CLC bytes). lab_inject_link: a SEND on the QP of link `number`
 * of the group the socket is in (LLC, CDC); 0: the link it uses. lab_inject_frame: a frame out of an interface.
 * lab_inject_smcd: into the peer's DMB at `offset`, with signal. lab_mute: the endpoint of a host sends no CLC on this
 * socket any more (the script does). */
int lab_inject_tcp(struct lab_socket *socket, const void *bytes, size_t length);
int lab_inject_link(struct lab_socket *socket, uint8_t number, const void *bytes, size_t length);
int lab_inject_frame(struct lab_interface *interface, const void *bytes, size_t length);
int lab_inject_smcd(struct lab_socket *socket, uint32_t offset, const void *bytes, size_t length);
void lab_mute(struct lab_socket *socket, bool muted);
/* Changes messages that libsmc of this host sends, before they leave: CLC (TCP), LLC and CDC (link). The hook may edit bytes in
 * place, change the length within `room`, or return false to drop the message. One hook a host. */
typedef bool lab_edit_fn(void *user, struct lab_socket *socket, uint8_t *bytes, size_t *length, size_t room);
void lab_edit(struct lab_host *host, lab_edit_fn *edit, void *user);

/* ---- Applications with a pattern -----------------------------------------------------------------
 * A pattern is an endless pseudo-random stream named by a number. A writer sends `bytes` of it in chunks, whenever there is
 * room; a reader reads at most so much at a time and compares. Both run by themselves from the socket's events. */
struct lab_traffic {
    uint64_t send_bytes, send_chunk;       /* chunk 0: 16 KiB */
    uint64_t send_pattern, receive_pattern;
    uint64_t receive_bytes;                /* expected; more is an error */
    uint64_t read_chunk, read_delay_ns;    /* 0: all at once; a slow reader waits between reads */
    uint64_t write_delay_ns;
    bool close_when_done, shutdown_when_sent, echo; /* echo: sends back what it receives */
};
int lab_traffic_start(struct lab_socket *socket, const struct lab_traffic *traffic);
/* Ends it: the socket is the script's again, and may have other traffic. Not from within an event of the socket. */
void lab_traffic_stop(struct lab_socket *socket);
struct lab_traffic_state {
    uint64_t sent, received;
    uint64_t sent_hash, received_hash;  /* of the bytes, sim/hash.h */
    bool done, wrong;                   /* wrong: a byte differed, at offset `wrong_at` */
    uint64_t wrong_at;
};
void lab_traffic_get(const struct lab_socket *socket, struct lab_traffic_state *out);
/* Bytes [from, from + n) of a pattern. */
void lab_pattern(uint64_t pattern, uint64_t from, void *to, size_t n);

#ifdef __cplusplus
}
#endif

#endif
