/* A simulated host's TCP (RFC 9293) with the SMC option: listeners, connections, their bytes and their end.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_TCP_H
#define SIM_TCP_H

#include "sim/stack.h"
#include "wire/tcp_option.h"

/* A connection handle is valid from tcp_connect() or tcp_accept() until tcp_close() or tcp_abort(), one of
 * which must be called exactly once, also after `reset` and `closed`. What is left of the
 * connection afterwards (its FIN, TIME_WAIT) goes on without the handle and without callbacks.
 *
 * Implemented: RFC 9293 with simultaneous open and close; window scale; retransmission timer after
 * RFC 6298, fast retransmit and NewReno (RFC 5681, 6582); RFC 5961 for RST, SYN and ACK out of place; zero-window probes;
 * delayed ACKs; Nagle; keepalive; urgent data as Linux has it (one byte, out of line).
 * Left out: SACK, timestamps, ECN, path MTU discovery; data in a SYN is not taken (the peer sends it again). */
struct tcp_conn;
struct tcp_listener;

/* Any member may be NULL. Called when what they say became true, not again while it stays true. */
struct tcp_callbacks {
    /* A listener has a connection for tcp_accept(). */
    void (*accepted)(void *user, struct tcp_listener *listener);
    void (*established)(void *user, struct tcp_conn *conn);
    /* Bytes arrived in order. */
    void (*readable)(void *user, struct tcp_conn *conn);
    /* Room again after tcp_send() took less than it was given. */
    void (*writable)(void *user, struct tcp_conn *conn);
    /* The peer announced an urgent byte; it may still be on its way. */
    void (*urgent)(void *user, struct tcp_conn *conn);
    /* The peer's FIN came and everything before it; some may be unread still. */
    void (*eof)(void *user, struct tcp_conn *conn);
    /* The connection is dead. SMC_ERR_RESET: RST came (before `established`: refused);
     * SMC_ERR_TIMEOUT: no answer; SMC_ERR_UNREACHABLE: no route or no neighbour. */
    void (*reset)(void *user, struct tcp_conn *conn, int error);
    /* Both directions ended in order (TIME_WAIT has begun or is not needed). */
    void (*closed)(void *user, struct tcp_conn *conn);
};

enum tcp_smc {
    TCP_SMC_OFF,    /* no option: an AF_INET socket */
    TCP_SMC_ON,     /* active: on the SYN; passive: answered if the SYN had it [TCPOPT-002, TCPOPT-003] */
    TCP_SMC_ALWAYS, /* passive: on every SYN-ACK, asked or not; active: as TCP_SMC_ON */
};

/* For tests of the other side: how the option looks and where it stands. All zero: as it should be. */
struct tcp_smc_form {
    uint8_t length;     /* 0: 6; else 2 … 16 */
    uint32_t exid;      /* 0: SMC's */
    bool on_ack;        /* also on the ACK that ends the handshake [TCPOPT-004] */
    bool not_on_syn;    /* then not on SYN or SYN-ACK */
};

enum { TCP_COOKIE_MAX = 16, TCP_EXTRA_MAX = 36 };

/* All zero: the defaults in brackets. */
struct tcp_options {
    enum tcp_smc smc;
    bool smc_takes_long; /* the option with length 8, 10 … counts too (Linux, deviation A-44) */
    struct tcp_smc_form smc_form;
    bool fast_open; /* SYN: Fast Open option with this cookie, length 0 asks for one [TCPOPT-009] */
    uint8_t cookie_length;
    uint8_t cookie[TCP_COOKIE_MAX];
    uint8_t extra_length; /* whole options, put on SYN and SYN-ACK before SMC's; what does not fit
                           * into 40 bytes is left out, SMC's first [TCPOPT-007] */
    uint8_t extra[TCP_EXTRA_MAX];
    bool no_delay;         /* Nagle off */
    bool urgent_inline;    /* SO_OOBINLINE */
    bool no_window_scale;
    uint16_t mss;          /* at most this is announced and sent [what the MTU allows] */
    uint32_t send_bytes;   /* buffer limit, at most 2^28 [64 KiB] */
    uint32_t receive_bytes; /* the same, and the largest window */
    uint64_t keepalive_idle_ns;     /* [0: no probes] */
    uint64_t keepalive_interval_ns; /* [75 s] */
    unsigned keepalive_probes;      /* [9] */
    struct ip_address local;        /* tcp_connect(): bind to it [chosen by route] */
    uint16_t local_port;            /* tcp_connect(): bind to it [ephemeral] */
};

/* `local` any: all addresses. `port` 0: chosen, see tcp_listener_port(). At most `backlog` (> 0)
 * connections wait for their last ACK or for tcp_accept(); further SYNs are dropped. `options` may be
 * NULL. `callbacks` are borrowed. SMC_ERR_EXISTS: taken; SMC_ERR_NOMEM, SMC_ERR_ARGUMENT. */
int tcp_listen(struct ip_stack *stack, struct ip_address local, uint16_t port, unsigned backlog,
               const struct tcp_options *options, const struct tcp_callbacks *callbacks, void *user,
               struct tcp_listener **out);
uint16_t tcp_listener_port(const struct tcp_listener *listener);
/* Connections not yet accepted are reset. */
void tcp_listener_close(struct tcp_listener *listener);
/* The next one, or NULL. What happened before (data, FIN) is told again by `callbacks`. */
struct tcp_conn *tcp_accept(struct tcp_listener *listener, const struct tcp_callbacks *callbacks,
                            void *user);

/* SMC_ERR_UNREACHABLE: no route; SMC_ERR_EXISTS: this pair of addresses and ports is in use, or no
 * port is free; SMC_ERR_NOMEM, SMC_ERR_ARGUMENT. */
int tcp_connect(struct ip_stack *stack, struct ip_address remote, uint16_t port,
                const struct tcp_options *options, const struct tcp_callbacks *callbacks,
                void *user, struct tcp_conn **out);
void tcp_set_callbacks(struct tcp_conn *conn, const struct tcp_callbacks *callbacks, void *user);
void tcp_set_no_delay(struct tcp_conn *conn, bool no_delay);
void tcp_set_urgent_inline(struct tcp_conn *conn, bool in_line);

/* Bytes taken (> 0, or 0 if length is 0). SMC_ERR_WOULDBLOCK: no room; SMC_ERR_CLOSED: after
 * tcp_shutdown_write(); SMC_ERR_NOMEM; the error of `reset`. Allowed before `established`. */
int64_t tcp_send(struct tcp_conn *conn, const void *data, size_t length);
/* The same; if all was taken its last byte is urgent. */
int64_t tcp_send_urgent(struct tcp_conn *conn, const void *data, size_t length);

/* Bytes read; 0: the end of the stream. Stops before an urgent byte; one that is out of line is left out.
 * SMC_ERR_WOULDBLOCK: nothing there; the error of `reset` once everything is read; SMC_ERR_PERMISSION: the
 * next byte is in device memory (EFAULT of Linux), only tcp_devmem_recv() gets past it. */
int64_t tcp_read(struct tcp_conn *conn, void *data, size_t length);
/* The same bytes stay unread. */
int64_t tcp_peek(const struct tcp_conn *conn, void *data, size_t length);
/* Gives the urgent byte that is out of line, once: 0. SMC_ERR_WOULDBLOCK: announced, not here yet;
 * SMC_ERR_NOTFOUND: none, already read, or in line; SMC_ERR_PERMISSION: in device memory. */
int tcp_read_urgent(struct tcp_conn *conn, uint8_t *byte);
/* The next byte to be read is the urgent one, or would be if it were in line (SIOCATMARK). */
bool tcp_at_mark(const struct tcp_conn *conn);

/* FIN after everything sent so far. SMC_ERR_STATE: not connected, or done before. */
int tcp_shutdown_write(struct tcp_conn *conn);
/* Gives the handle back: the rest is sent, then FIN; RST if there are unread bytes. */
void tcp_close(struct tcp_conn *conn);
/* Gives the handle back and sends RST. */
void tcp_abort(struct tcp_conn *conn);

enum tcp_state {
    TCP_CLOSED,
    TCP_SYN_SENT,
    TCP_SYN_RECEIVED,
    TCP_ESTABLISHED,
    TCP_FIN_WAIT_1,
    TCP_FIN_WAIT_2,
    TCP_CLOSE_WAIT,
    TCP_CLOSING,
    TCP_LAST_ACK,
    TCP_TIME_WAIT
};
const char *tcp_state_name(enum tcp_state state);

struct tcp_info {
    enum tcp_state state;
    int error; /* 0 or that of `reset` */
    struct ip_address local, remote;
    uint16_t local_port, remote_port;
    bool smc_sent;                          /* the option was on our SYN or SYN-ACK */
    enum smc_tcp_option_found smc_received; /* on the peer's SYN or SYN-ACK */
    bool smc_agreed;     /* both, and in a form that counts [TCPOPT-005] */
    bool smc_on_ack;     /* on a segment without SYN; means nothing [TCPOPT-010] */
    bool fast_open_sent, fast_open_received;
    bool eof; /* the peer's FIN came in order */
    uint16_t mss;        /* largest segment we send */
    uint32_t in_flight, unsent, unread; /* bytes */
    uint32_t send_room;                 /* bytes tcp_send() would take */
    uint32_t cwnd, peer_window;         /* bytes */
    uint64_t srtt_ns, rto_ns;
    uint64_t segments_in, segments_out;
    uint32_t retransmissions; /* segments sent again */
};
struct tcp_info tcp_info(const struct tcp_conn *conn);

/* Connections that exist, those in TIME_WAIT and those without a handle among them. */
size_t tcp_count(const struct ip_stack *stack);
/* Every connection in order of creation: start with NULL, ends with NULL. The handle is for tcp_info() only. */
const struct tcp_conn *tcp_next(const struct ip_stack *stack, const struct tcp_conn *conn);

#endif
