/* What the parts of TCP share: the connection, a segment taken apart, and who does what.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_TCP_PARTS_H
#define SIM_TCP_PARTS_H

#include "sim/stack_parts.h"
#include "sim/tcp.h"
#include "sim/tcp_ring.h"

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32 };

enum {
    TCP_OPTIONS_MAX = 40,
    TCP_RANGES = 32,           /* islands of bytes received out of order */
    TCP_BUFFER_DEFAULT = 65536,
    TCP_CHALLENGES = 100,      /* ACKs a second in answer to segments out of place (RFC 5961 section 7) */
    TCP_DUPLICATES = 3
};
#define TCP_BUFFER_MAX (UINT32_C(1) << 28)
#define TCP_NEVER UINT64_MAX
#define TCP_SECOND UINT64_C(1000000000)

/* What the callbacks are to be told. */
enum {
    TELL_ESTABLISHED = 1,
    TELL_URGENT = 2,
    TELL_WRITABLE = 4,
    TELL_READABLE = 8,
    TELL_EOF = 16,
    TELL_RESET = 32,
    TELL_CLOSED = 64
};

/* Comparison of sequence numbers (RFC 9293 section 3.4). */
static inline bool seq_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}
static inline bool seq_upto(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) <= 0;
}
static inline uint32_t tcp_min(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

struct tcp_segment {
    struct ip_address src, dst;
    uint16_t sport, dport;
    uint32_t seq, ack;
    unsigned flags;
    uint16_t window, urgent;
    const uint8_t *data; /* borrowed */
    uint32_t linear;     /* bytes there */
    uint32_t length;     /* of the data; what exceeds `linear` is in the fragments of skb */
    const struct devmem_skb *skb; /* NULL: did not come by a bound queue */
    uint16_t mss;        /* 0: no such option */
    int scale;           /* -1: no such option */
    enum smc_tcp_option_found smc;
    bool fast_open;
};

/* Bytes from .. to - 1 that arrived before those in front of them. */
struct tcp_range {
    uint32_t from, to;
};
struct tcp_ranges {
    unsigned count;
    struct tcp_range at[TCP_RANGES]; /* ascending, not touching */
};

struct tcp_listener {
    struct tcp_listener *next;
    struct ip_stack *stack;
    struct ip_address local;
    uint16_t port;
    unsigned backlog, pending; /* children half open or not accepted */
    struct tcp_options options;
    const struct tcp_callbacks *callbacks;
    void *user;
    struct tcp_conn *first, *last; /* established, not accepted */
};

struct tcp_conn {
    struct ip_timer timer; /* first: the timer's address is the connection's */
    struct ip_stack *stack;
    struct tcp_conn *hash_next, *prev, *next; /* same bucket; all by order of creation */
    struct tcp_conn *queue_next;              /* listener's queue; the dead */
    struct tcp_listener *listener;            /* until accepted */
    const struct tcp_callbacks *callbacks;
    void *user;
    struct tcp_options *extra; /* active opener's and child's own copy while SYN may be sent again */
    struct tcp_ranges *ranges; /* NULL: nothing out of order */
    struct tcp_ring send, receive;
    struct tcp_devmem *devmem; /* what came by a bound queue; NULL: nothing */
    uint64_t id;

    struct ip_address local, remote;
    uint16_t local_port, remote_port;
    uint16_t mss; /* largest segment sent */
    uint8_t state;
    uint8_t tell;
    uint8_t send_scale, receive_scale;
    uint8_t duplicates; /* ACKs in a row, up to 255 */
    uint8_t tries;      /* expiries of rtx since the last progress */
    uint8_t silent;     /* window probes without any answer */
    uint8_t keep_tries;
    uint8_t smc_received;
    int8_t error;

    bool hashed : 1, released : 1, on_dead : 1, queued : 1; /* queued: in the listener's queue */
    bool work : 1;        /* output wanted from outside */
    bool send_syn : 1, send_reset : 1, ack_now : 1;
    bool fin_queued : 1, fin_sent : 1, fin_acked : 1;
    bool fin_known : 1, fin_done : 1; /* the peer's: seen; reached in order */
    bool passive : 1;
    bool no_delay : 1, urgent_inline : 1;
    bool scaling : 1;
    bool want_room : 1; /* tcp_send() took less than given */
    bool recovering : 1, timing : 1, probing : 1;
    bool smc_sent : 1, smc_agreed : 1, smc_on_ack : 1, fast_open_sent : 1, fast_open_received : 1;
    bool form_on_ack : 1; /* test hook: option on the ACK that ends the handshake */
    bool urgent_out : 1;  /* snd_up is ahead */
    bool urgent_in : 1;   /* rcv_up is meaningful */
    bool urgent_taken : 1;

    /* RFC 9293 section 3.3.1; snd_max is the largest snd_nxt so far (a timeout sets snd_nxt back). */
    uint32_t iss, snd_una, snd_nxt, snd_max, snd_wnd, snd_wl1, snd_wl2, snd_up, snd_wnd_max;
    uint32_t snd_edge; /* the furthest that the peer's window ever reached */
    uint32_t irs, rcv_nxt, rcv_adv, rcv_up, rcv_read, fin_seq;
    uint32_t cwnd, ssthresh, recover, acked_part;
    uint32_t send_limit, receive_limit;
    uint32_t unacked; /* bytes received since the last ACK sent */
    uint32_t challenges;
    uint32_t retransmissions;
    uint32_t rtt_seq;
    uint64_t challenge_second;
    uint64_t rtt_start_ns, srtt_ns, rttvar_ns, rto_ns;
    uint64_t rtx_at_ns, ack_at_ns, keep_at_ns, wait_at_ns; /* TCP_NEVER: not running */
    uint64_t keep_idle_ns, keep_interval_ns, heard_ns;
    unsigned keep_probes;
    uint64_t segments_in, segments_out;
};

/* ---- tcp_table.c: objects and where they are found ---- */
struct tcp_conn *tcp_find(const struct ip_stack *stack, struct ip_address local, uint16_t local_port,
                          struct ip_address remote, uint16_t remote_port);
/* In no state yet, not hashed. `options` is copied as far as needed. NULL: no memory. */
struct tcp_conn *tcp_conn_new(struct ip_stack *stack, const struct tcp_options *options);
/* local, remote and ports are set. */
void tcp_conn_hash(struct tcp_conn *conn);
uint32_t tcp_first_seq(const struct tcp_conn *conn);
/* State CLOSED; everything but the bytes still to be read is given back; freed when released. */
void tcp_conn_end(struct tcp_conn *conn);
/* The same after an error; tells `reset`. */
void tcp_conn_fail(struct tcp_conn *conn, int error);
void tcp_conn_bury(struct tcp_conn *conn);
/* Something for ip_run() to do. */
void tcp_conn_work(struct tcp_conn *conn);
struct tcp_listener *tcp_find_listener(const struct ip_stack *stack, struct ip_address local,
                                       uint16_t port);
const struct tcp_options *tcp_options_of(const struct tcp_conn *conn);

/* ---- tcp.c ---- */
/* Bytes up to the mark or the end, behind *skip bytes that are left out: an urgent one. */
uint32_t tcp_span(const struct tcp_conn *conn, uint32_t *skip);
void tcp_consume(struct tcp_conn *conn, uint32_t length);
/* Why there is nothing: 0 at the end of the stream. */
int tcp_nothing_to_read(const struct tcp_conn *conn);

/* ---- tcp_devmem.c: bytes that are not in the receive ring but in device memory ---- */
bool tcp_devmem_verified(const struct devmem_skb *skb);
/* Room to note `length` bytes of the segment's data from `skip` on, which stand at sequence number `from`.
 * SMC_ERR_NOMEM. */
int tcp_devmem_reserve(struct tcp_conn *conn, const struct tcp_segment *segment, uint32_t from,
                       uint32_t length);
/* After that, cannot fail. What is noted already stays. */
void tcp_devmem_note(struct tcp_conn *conn, const struct tcp_segment *segment, uint32_t skip,
                     uint32_t from, uint32_t length);
/* Of `length` bytes behind `skip` unread ones, those that an ordinary read may have. */
uint32_t tcp_devmem_readable(const struct tcp_conn *conn, uint32_t skip, uint32_t length);
/* rcv_read went ahead. */
void tcp_devmem_consumed(struct tcp_conn *conn);
/* What stands from rcv_nxt on will never be reached. */
void tcp_devmem_forget_islands(struct tcp_conn *conn);
/* Everything, tokens included [DEVMEM-010]. */
void tcp_devmem_release(struct tcp_conn *conn);

/* ---- tcp_options.c ---- */
void tcp_options_read(struct smc_view options, struct tcp_segment *segment);
/* Options of a SYN, SYN-ACK or the ACK that ends the handshake; a multiple of 4. */
size_t tcp_options_write(struct tcp_conn *conn, unsigned flags, uint8_t out[TCP_OPTIONS_MAX]);
/* What the peer's SYN or SYN-ACK says is taken over. */
void tcp_options_take(struct tcp_conn *conn, const struct tcp_segment *segment);
uint16_t tcp_mss_for(const struct tcp_conn *conn);

/* ---- tcp_output.c ---- */
void tcp_output(struct tcp_conn *conn);
/* One segment, again or for the first time, from snd_una. */
void tcp_resend_first(struct tcp_conn *conn);
void tcp_send_ack(struct tcp_conn *conn);
/* At snd_una - 1: makes the peer answer. */
void tcp_send_probe(struct tcp_conn *conn);
void tcp_send_reset(struct tcp_conn *conn);
/* In answer to a segment that belongs to nobody. */
void tcp_refuse(struct ip_stack *stack, const struct tcp_segment *segment);
uint32_t tcp_window(const struct tcp_conn *conn);
/* A window update is due because so much was read. */
bool tcp_window_grew(const struct tcp_conn *conn);

/* ---- tcp_input.c, tcp_ack.c, tcp_data.c, tcp_listen.c ---- */
void tcp_established(struct tcp_conn *conn);
void tcp_challenge(struct tcp_conn *conn);
/* Whether the ACK could be taken; else the segment goes no further. */
bool tcp_take_ack(struct tcp_conn *conn, const struct tcp_segment *segment);
void tcp_take_urgent(struct tcp_conn *conn, const struct tcp_segment *segment);
void tcp_take_data(struct tcp_conn *conn, const struct tcp_segment *segment);
void tcp_listen_input(struct tcp_listener *listener, const struct tcp_segment *segment);
void tcp_enqueue_child(struct tcp_conn *conn);
void tcp_leave_listener(struct tcp_conn *conn);

/* ---- tcp_timer.c ---- */
void tcp_due(struct ip_timer *timer, uint64_t now_ns);
void tcp_rearm(struct tcp_conn *conn);
void tcp_enter_time_wait(struct tcp_conn *conn);
uint64_t tcp_rto(const struct tcp_conn *conn);
void tcp_measured(struct tcp_conn *conn, uint64_t rtt_ns);
/* Calls the callbacks that have something to be told. */
void tcp_tell(struct tcp_conn *conn);

#endif
