/* The endpoint: one host's SMC stack, its connections, and how a host embeds it.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SMC_ENDPOINT_H
#define SMC_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <smc/alloc.h>
#include <smc/dibs.h>
#include <smc/error.h>
#include <smc/gid.h>
#include <smc/rdma.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The concept
 * ===========
 * The host has a TCP of its own. When a TCP connection is established on which SMC is wanted, the host
 * makes an smc_connection beside it and hands it the bytes that TCP receives. The connection negotiates
 * (CLC), and then either moves the application's bytes through a device (mode R or D) or gives the TCP
 * connection back to the host (mode TCP, with the reason).
 *
 *     application ── smc_send, smc_recv … ──▶ endpoint ── smc/rdma.h, smc/dibs.h ──▶ devices
 *     host's TCP  ── smc_tcp_input … ───────▶          ── struct smc_host_ops ─────▶ host's TCP
 *
 * The endpoint opens no socket, reads no clock, starts no thread. `now_ns` is a clock that never runs
 * backwards. After ANY call into the endpoint, and whenever ops->wake was called, the host looks at
 * smc_endpoint_next_ns() and calls smc_endpoint_run() at that time (0: at once).
 *
 * Callbacks: tcp_* and route are called from within any function here and must only queue; they must not
 * call back into the endpoint. `event` is called from smc_endpoint_run() alone, and may call everything
 * that takes a connection.
 *
 * Failure: a function that fails leaves things as they were. What a peer or a device does wrong ends in
 * an event (FALLBACK, ERROR), never in an assertion. */

struct smc_endpoint;
struct smc_connection;

enum smc_mode {
    SMC_MODE_NONE, /* being negotiated */
    SMC_MODE_TCP,  /* fallback: the TCP connection is the host's alone */
    SMC_MODE_R,
    SMC_MODE_D
};

/* Socket states, with Linux's numbers (state-machines §4; Linux net/smc/smc.h). */
enum smc_state {
    SMC_STATE_ACTIVE = 1,
    SMC_STATE_INIT = 2,
    SMC_STATE_CLOSED = 7,
    SMC_STATE_LISTEN = 10,
    SMC_STATE_PEERCLOSEWAIT1 = 20,
    SMC_STATE_PEERCLOSEWAIT2 = 21,
    SMC_STATE_APPCLOSEWAIT1 = 22,
    SMC_STATE_APPCLOSEWAIT2 = 23,
    SMC_STATE_APPFINCLOSEWAIT = 24,
    SMC_STATE_PEERFINCLOSEWAIT = 25,
    SMC_STATE_PEERABORTWAIT = 26,
    SMC_STATE_PROCESSABORT = 27
};
/* "ACTIVE", "PEERCLOSEWAIT1" …; "?" for a number that is none. */
const char *smc_state_name(int state);

/* ---- Profile: where RFC 7609 and Linux differ (deviations.md section A) ------------------------- */
struct smc_profile {
    const char *name;
    /* Forms. */
    bool rmbe_eyecatcher;      /* 4 bytes at the head of an RMBE, cursors run from 4 */
    uint8_t rmbes_per_rmb;     /* 1 to 255 */
    bool proposal_smcd_area;   /* the 40 bytes between base part and IP area */
    bool proposal_always_v2;   /* version nibble 2 also in a v1-only Proposal */
    bool subnet_number;        /* address AND mask; else the mask */
    bool confirm_repeats_f;    /* F in the Confirm (Linux) */
    bool v2_little_endian;     /* lengths and counts of v2 LLC messages */
    bool add_link_target_own;  /* "client target GID" is the sender's own */
    bool alert_tokens_count;   /* 1, 2, 3 …; else unpredictable */
    /* Rules. */
    bool require_no_eyecatcher; /* Linux: Decline 0x03050000 to a peer with eyecatchers */
    bool window_update_linux;   /* B does not override max(10 %, 2304); else RFC 4.5.1 */
    bool urgent_blocks_window;  /* blocked until the window is fully open; else until consumed */
    bool confirm_link_decline;  /* time-out of the first CONFIRM LINK reply: Decline; else RST */
    bool first_link_is_enough;  /* client without ADD LINK goes on; else RST */
    bool llc_errors_dropped;    /* unknown types, wrong lengths: dropped; else the link has failed */
    bool carrier_survives;      /* a request without an answer: its link stays up; else it has failed */
    bool lost_link_orderly;     /* DELETE LINK of a failed link says "orderly" (Linux) */
    bool client_frees_at_once;  /* client: link freed with its own DELETE LINK; else when the server asks for it */
    bool test_link_zero;        /* zeros as data, the reply is not compared; else random and compared */
    bool delete_rkey_single;    /* one key a DELETE RKEY; else up to 8 */
    bool rmbe_conflict_unseen;  /* an RMBE believed in use is named again: taken; else the old connection ends */
    bool rkey_in_parallel;      /* a remote RKEY flow beside ADD/DELETE LINK; else refused, retry */
    bool abort_closes_at_once;  /* else PEERABORTWAIT until an answer or the guard */
    bool failover_resends;      /* false: one merged write under a new number; true: same numbers again */
    bool fin_with_done;         /* TCP's FIN goes with D; else it follows C */
    bool option_even_lengths;   /* A-44 (for whoever parses the SYN) */
    /* Limits. */
    uint8_t max_links;          /* offered, 1 to 8 (Linux 2); release 1 agrees on at most 2 */
    uint8_t max_conns;          /* per group, 16 to 255 */
    /* Timers, nanoseconds (state-machines §1.7). 0: there is none. */
    uint64_t clc_timeout_ns, clc_decline_timeout_ns;
    uint64_t confirm_link_timeout_ns, add_link_timeout_ns, later_link_timeout_ns, llc_timeout_ns;
    uint64_t llc_turn_timeout_ns, send_slot_timeout_ns, request_add_link_timeout_ns;
    uint64_t test_link_idle_ns, test_link_reply_ns;
    uint64_t group_idle_server_ns, group_idle_client_ns;
    uint64_t close_drain_ns, close_guard_ns, second_link_retry_ns;
    uint64_t cork_ns; /* RFC: data held back is sent after this at the latest; Linux: none */
};
extern const struct smc_profile smc_profile_rfc;
extern const struct smc_profile smc_profile_linux;

/* ---- What the host gives ------------------------------------------------------------------------ */
enum {
    SMC_EVENT_CONNECTED = 1, /* negotiated: smc_connection_mode() says R, D or TCP; once */
    SMC_EVENT_READABLE = 2,  /* bytes, or the end of them, can be read */
    SMC_EVENT_WRITABLE = 4,  /* there is room after smc_send() said WOULDBLOCK */
    SMC_EVENT_URGENT = 8,    /* urgent data announced (SIGURG) */
    SMC_EVENT_EOF = 16,      /* the peer sends no more */
    SMC_EVENT_ERROR = 32,    /* smc_connection_error(): RESET, TIMEOUT, PROTOCOL … */
    SMC_EVENT_CLOSED = 64    /* everything is over; after smc_close(): the pointer dies when `event` returns */
};

struct smc_route {
    bool direct;         /* no IP gateway between */
    uint8_t next_hop_mac[6];
};

struct smc_host_ops {
    /* `conn_user` is what smc_connection_new() was given. Queues all bytes (CLC messages, < 1 KiB each);
     * 0, or SMC_ERR_RESET if the TCP connection is dead. */
    int (*tcp_send)(void *host, void *conn_user, const uint8_t *bytes, size_t length);
    /* FIN behind what is queued. */
    void (*tcp_shutdown)(void *host, void *conn_user);
    /* RST. */
    void (*tcp_abort)(void *host, void *conn_user);
    void (*event)(void *host, struct smc_connection *connection, void *conn_user, unsigned events);
    /* SMC-Rv2: the way from own GID (an IP address) to the peer's. 0, SMC_ERR_UNREACHABLE,
     * SMC_ERR_WOULDBLOCK: being resolved, ask again (the endpoint retries each 10 ms, 100 times). */
    int (*route)(void *host, const struct smc_gid *own, const struct smc_gid *peer, struct smc_route *out);
    void (*wake)(void *host);
};

struct smc_endpoint_config {
    const struct smc_alloc *alloc;     /* borrowed, as all pointers here */
    const struct smc_profile *profile; /* copied */
    const struct smc_host_ops *ops;
    void *host;
    uint64_t seed; /* of peer id instance, PSNs, tokens: nothing else is random */
    uint8_t hostname[32]; /* ASCII, blank padded; all zero: blanks */
    uint8_t os_type;      /* 0: Linux (2) */
    bool v1, v2;          /* versions offered and accepted */
    bool smc_r, smc_d;    /* paths offered and accepted */
    uint8_t release;      /* of v2: 0 or 1 */
    bool emulated_ism;    /* feature bit 0x0001, emulated devices (CHID 0xFF00 and up) are used */
    bool seid_enabled;
    uint8_t seid[32];
    uint32_t rmb_bytes, sndbuf_bytes; /* defaults, 0: 64 KiB; rounded up to 16 KiB × 2^n */
    bool no_copy;         /* use attached DMBs where the device can (state-machines §9.5) */
    bool autocork;
};

int smc_endpoint_new(const struct smc_endpoint_config *config, struct smc_endpoint **out);
/* Ends everything at once: RST to every TCP connection, DMBs and QPs given back; no events any more. */
void smc_endpoint_free(struct smc_endpoint *endpoint);

/* UEIDs, in order of preference, at most 8 (Linux: 4). SMC_ERR_ARGUMENT (not [A-Z0-9][A-Z0-9.-]*, blank
 * padded to 32), SMC_ERR_EXISTS, SMC_ERR_NOSPACE, SMC_ERR_NOTFOUND. */
int smc_endpoint_add_ueid(struct smc_endpoint *endpoint, const char *ueid);
int smc_endpoint_remove_ueid(struct smc_endpoint *endpoint, const char *ueid);

/* Devices may come and go at any time. `pnet` names the physical network, up to 16 characters, "" or NULL:
 * every one. The endpoint becomes the handler of an RDMA device and uses all its ports; removal ends its
 * links (failover, or reset) before it returns. SMC_ERR_NOMEM, SMC_ERR_NOTFOUND. */
int smc_endpoint_add_rdma(struct smc_endpoint *endpoint, struct smc_rdma_device *device, const char *pnet,
                          uint64_t now_ns);
int smc_endpoint_remove_rdma(struct smc_endpoint *endpoint, struct smc_rdma_device *device, uint64_t now_ns);
/* What an operator asks for: one link of a group (its id and the link's number: smc_endpoint_get_group) goes, and its connections
 * go on by another one. DELETE LINK with the reason "operator", from either role; `orderly`: sends that wait on the link are awaited.
 * Begun here, done when the peer has answered. While its devices are there the group makes another link (to keep it off, remove
 * the device). SMC_ERR_NOTFOUND: no such link is active; SMC_ERR_STATE: no other one is, and
 * connections would be lost. */
int smc_endpoint_delete_link(struct smc_endpoint *endpoint, uint32_t group, uint8_t number, bool orderly, uint64_t now_ns);
/* Becomes a client of a registry, whose devices may come and go. One registry an endpoint. */
int smc_endpoint_use_dibs(struct smc_endpoint *endpoint, struct smc_dibs *dibs, uint64_t now_ns);
int smc_endpoint_set_dibs_pnet(struct smc_endpoint *endpoint, struct smc_dibs_device *device, const char *pnet);

/* When it wants to run: UINT64_MAX never, 0 at once. */
uint64_t smc_endpoint_next_ns(const struct smc_endpoint *endpoint);
void smc_endpoint_run(struct smc_endpoint *endpoint, uint64_t now_ns);

/* ---- Connections -------------------------------------------------------------------------------- */
struct smc_ip_prefix {
    struct smc_gid address; /* IPv4-mapped or IPv6 */
    uint8_t length;         /* IPv4: 0 to 32; IPv6: 0 to 128 */
};

struct smc_connection_config {
    bool client; /* the side that connected */
    bool option; /* both SYN and SYN-ACK carried the SMC option */
    bool ipsec;
    bool fast_open;
    struct smc_gid own_ip, peer_ip; /* IPv4-mapped or IPv6 */
    const struct smc_ip_prefix *prefixes; /* of the interface, 1 to 8, copied */
    unsigned prefix_count;
    bool vlan_valid;
    uint16_t vlan_id;
    const char *pnet;                 /* of the TCP interface, copied; "" or NULL: every one */
    uint32_t rmb_bytes, sndbuf_bytes; /* 0: the endpoint's defaults */
};

/* Call when TCP is established. A client's Proposal leaves at once. SMC_ERR_NOMEM, SMC_ERR_ARGUMENT. */
int smc_connection_new(struct smc_endpoint *endpoint, const struct smc_connection_config *config, void *conn_user,
                       uint64_t now_ns, struct smc_connection **out);

/* TCP's input. `bytes` are all bytes received and not consumed; returns how many were consumed now. What is
 * left is offered again, with what came meanwhile. In mode TCP nothing is consumed: it is the application's. */
size_t smc_tcp_input(struct smc_connection *connection, const uint8_t *bytes, size_t length, uint64_t now_ns);
void smc_tcp_eof(struct smc_connection *connection, uint64_t now_ns);   /* FIN received, all bytes offered */
void smc_tcp_reset(struct smc_connection *connection, uint64_t now_ns); /* RST, time-out: the TCP is dead */

enum smc_mode smc_connection_mode(const struct smc_connection *connection);
enum smc_state smc_connection_state(const struct smc_connection *connection);
int smc_connection_error(const struct smc_connection *connection); /* 0 or enum smc_error */
/* Mode TCP: own diagnosis, or 0x05000000 (peer declined) and the peer's. 0: none. */
uint32_t smc_connection_fallback(const struct smc_connection *connection, uint32_t *peer_diagnosis);
void *smc_connection_user(const struct smc_connection *connection);

enum { SMC_MSG_OOB = 1, SMC_MSG_PEEK = 2, SMC_MSG_MORE = 4 };
/* Modes R and D only; else SMC_ERR_STATE. Bytes taken (> 0), or SMC_ERR_WOULDBLOCK, SMC_ERR_CLOSED (own
 * direction closed), SMC_ERR_RESET, SMC_ERR_NOMEM. OOB: the last byte is urgent. */
int64_t smc_send(struct smc_connection *connection, const void *data, size_t length, unsigned flags, uint64_t now_ns);
/* Bytes read; 0 at the end of the stream; SMC_ERR_WOULDBLOCK, SMC_ERR_RESET. OOB: the urgent byte, SMC_ERR_ARGUMENT
 * if there is none (or it is in line). */
int64_t smc_recv(struct smc_connection *connection, void *data, size_t length, unsigned flags, uint64_t now_ns);
uint32_t smc_readable(const struct smc_connection *connection); /* bytes */
uint32_t smc_writable(const struct smc_connection *connection); /* bytes that smc_send() would take now */

enum smc_how { SMC_SHUT_RD, SMC_SHUT_WR, SMC_SHUT_RDWR };
int smc_shutdown(struct smc_connection *connection, enum smc_how how, uint64_t now_ns); /* SMC_ERR_STATE */
/* Allowed in every state and mode, once; the core lives on until CLOSED. In mode TCP (or NONE) the TCP
 * connection itself is the host's to close. */
void smc_close(struct smc_connection *connection, uint64_t now_ns);

/* SMC_ERR_ARGUMENT: there is no such option. LINGER_NS: nanoseconds, negative: off; the others: 0 off, else on. KEEPALIVE is accepted and
 * changes nothing here: SMC probes links (TEST LINK, profile), not connections; SO_KEEPALIVE belongs to the TCP connection, which the
 * host has. */
enum smc_option { SMC_OPTION_NODELAY, SMC_OPTION_CORK, SMC_OPTION_OOBINLINE, SMC_OPTION_LINGER_NS, SMC_OPTION_KEEPALIVE };
int smc_set_option(struct smc_connection *connection, enum smc_option option, int64_t value, uint64_t now_ns);

/* ---- Looking in: what smcss, smcr and smcd print ------------------------------------------------ */
struct smc_cursor_info { uint16_t wrap; uint32_t count; };
struct smc_connection_info {
    enum smc_state state;
    enum smc_mode mode;
    bool client;
    uint8_t version, release;
    uint32_t fallback, peer_diagnosis;
    uint32_t group_id; /* 0: none */
    uint8_t link_number;
    uint32_t alert_token, peer_alert_token;
    uint32_t rmb_bytes, sndbuf_bytes, peer_rmb_bytes;
    struct smc_cursor_info rx_prod, rx_cons, tx_prod, tx_cons, tx_prep, tx_sent, tx_fin;
    uint8_t rx_prod_flags, rx_conn_flags, tx_prod_flags, tx_conn_flags;
    uint64_t rx_bytes, tx_bytes, rx_cdc, tx_cdc, tx_writes;
};
void smc_connection_get_info(const struct smc_connection *connection, struct smc_connection_info *out);
struct smc_connection *smc_endpoint_next_connection(const struct smc_endpoint *endpoint, const struct smc_connection *previous);

enum smc_group_type { SMC_GROUP_NONE, SMC_GROUP_SINGLE, SMC_GROUP_SYMMETRIC, SMC_GROUP_ASYMMETRIC_PEER, SMC_GROUP_ASYMMETRIC_LOCAL };
enum smc_link_state { SMC_LINK_UNUSED, SMC_LINK_ACTIVATING, SMC_LINK_ACTIVE, SMC_LINK_INACTIVE };
struct smc_link_info {
    uint8_t number;
    enum smc_link_state state;
    const char *device;
    uint8_t port;
    struct smc_gid gid, peer_gid;
    uint32_t qp_number, peer_qp_number;
    uint32_t connections;
    bool asymmetric;
};
struct smc_group_info {
    uint32_t id;
    bool client, smc_d;
    uint8_t version, release;
    enum smc_group_type type;
    uint32_t connections, max_conns, max_links;
    uint32_t rmbs, rtokens;
    uint8_t peer_id[8];
    struct smc_gid peer_gid; /* SMC-D */
    bool vlan_valid;
    uint16_t vlan_id;
    const char *flow; /* LLC flow under way, or "none" */
    unsigned link_count;
    struct smc_link_info links[9];
};
/* The i-th group, oldest first; false: there are fewer. */
bool smc_endpoint_get_group(const struct smc_endpoint *endpoint, unsigned i, struct smc_group_info *out);

/* Counters, with the names of `smcr stats` and `smcd stats`; one set for R, one for D. */
enum { SMC_STATS_SIZES = 9 }; /* ≤ 8K, 16K, 32K, 64K, 128K, 256K, 512K, 1024K, more */
struct smc_path_counters {
    uint64_t connections_v1, connections_v2;
    uint64_t rx_bytes, tx_bytes, rx_requests, tx_requests;
    uint64_t rx_size[SMC_STATS_SIZES], tx_size[SMC_STATS_SIZES];         /* of requests */
    uint64_t rx_rmb_size[SMC_STATS_SIZES], tx_rmb_size[SMC_STATS_SIZES]; /* buffers: in use at present */
    uint64_t rx_buffer_small, rx_buffer_small_peer, rx_buffer_full, rx_buffer_reuse, rx_buffer_alloc, rx_buffer_downgraded;
    uint64_t tx_buffer_small, tx_buffer_small_peer, tx_buffer_full, tx_buffer_full_peer, tx_buffer_reuse, tx_buffer_alloc, tx_buffer_downgraded;
    uint64_t urgent_sent, urgent_received, cork, nodelay, sendpage, splice;
};
enum { SMC_STATS_REASONS = 48 };
struct smc_counters {
    struct smc_path_counters r, d;
    uint64_t client_handshakes, server_handshakes, client_fallbacks, server_fallbacks, handshake_errors;
    struct { uint32_t code; uint64_t count; } client_reasons[SMC_STATS_REASONS], server_reasons[SMC_STATS_REASONS];
    uint64_t llc_sent[16], llc_received[16], llc_dropped; /* by type, v1 and v2 together */
    uint64_t cdc_sent, cdc_received, cdc_dropped, links_added, links_lost, groups_created, groups_freed, failovers;
};
const struct smc_counters *smc_endpoint_counters(const struct smc_endpoint *endpoint);

#ifdef __cplusplus
}
#endif

#endif
