/* TCP as a program sees it: connect, send, read, urgent data, the ways to end, and what is going on.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/tcp_parts.h"

enum { PORT_FIRST = 32768, PORT_COUNT = 28232 };

static bool pair_in_use(const struct tcp_conn *conn, uint16_t port)
{
    return tcp_find(conn->stack, conn->local, port, conn->remote, conn->remote_port) != NULL;
}

static uint16_t choose_port(const struct tcp_conn *conn, uint16_t wanted)
{
    struct tcp_part *tcp = &conn->stack->tcp;
    if (wanted != 0)
        return pair_in_use(conn, wanted) ? 0 : wanted;
    for (uint32_t i = 0; i < PORT_COUNT; i++) {
        uint16_t port = (uint16_t)(PORT_FIRST + tcp->next_port++ % PORT_COUNT);
        if (!pair_in_use(conn, port) && tcp_find_listener(conn->stack, conn->local, port) == NULL)
            return port;
    }
    return 0;
}

static int open_conn(struct tcp_conn *conn, const struct tcp_options *options)
{
    struct ip_stack *stack = conn->stack;
    conn->local_port = choose_port(conn, options->local_port);
    if (conn->local_port == 0)
        return SMC_ERR_EXISTS;
    conn->extra = smc_alloc_zeroed(stack->config.alloc, 1, sizeof(*conn->extra));
    if (conn->extra == NULL)
        return SMC_ERR_NOMEM;
    *conn->extra = *options;
    conn->iss = conn->snd_una = conn->snd_nxt = conn->snd_max = tcp_first_seq(conn);
    conn->mss = tcp_mss_for(conn);
    conn->scaling = !options->no_window_scale;
    conn->state = TCP_SYN_SENT;
    conn->send_syn = true;
    tcp_conn_hash(conn);
    tcp_conn_work(conn);
    return 0;
}

int tcp_connect(struct ip_stack *stack, struct ip_address remote, uint16_t port,
                const struct tcp_options *options, const struct tcp_callbacks *callbacks,
                void *user, struct tcp_conn **out)
{
    static const struct tcp_options none;
    struct ip_hop hop;
    if (options == NULL)
        options = &none;
    bool bound = !ip_is_any(options->local);
    if (port == 0 || ip_is_any(remote) ||
        (bound && (!ip_is_mine(stack, options->local) ||
                   ip_is_v4(options->local) != ip_is_v4(remote))))
        return SMC_ERR_ARGUMENT;
    int error = ip_route_find(stack, -1, options->local, remote, &hop);
    if (error != 0)
        return error;
    struct tcp_conn *conn = tcp_conn_new(stack, options);
    if (conn == NULL)
        return SMC_ERR_NOMEM;
    conn->local = hop.source;
    conn->remote = remote;
    conn->remote_port = port;
    conn->callbacks = callbacks;
    conn->user = user;
    error = open_conn(conn, options);
    if (error != 0) {
        conn->released = true;
        tcp_conn_end(conn);
        return error;
    }
    *out = conn;
    return 0;
}

void tcp_set_callbacks(struct tcp_conn *conn, const struct tcp_callbacks *callbacks, void *user)
{
    conn->callbacks = callbacks;
    conn->user = user;
}

void tcp_set_no_delay(struct tcp_conn *conn, bool no_delay)
{
    conn->no_delay = no_delay;
    if (no_delay && conn->state != TCP_CLOSED)
        tcp_conn_work(conn);
}

void tcp_set_urgent_inline(struct tcp_conn *conn, bool in_line)
{
    conn->urgent_inline = in_line;
}

static bool can_send(const struct tcp_conn *conn)
{
    return !conn->fin_queued &&
           (conn->state == TCP_SYN_SENT || conn->state == TCP_SYN_RECEIVED ||
            conn->state == TCP_ESTABLISHED || conn->state == TCP_CLOSE_WAIT);
}

static int64_t take(struct tcp_conn *conn, const void *data, size_t length)
{
    if (conn->error != 0)
        return conn->error;
    if (!can_send(conn))
        return SMC_ERR_CLOSED;
    uint32_t room = conn->send_limit - conn->send.used;
    uint32_t n = length < room ? (uint32_t)length : room;
    if (n < length)
        conn->want_room = true;
    if (n == 0)
        return length == 0 ? 0 : SMC_ERR_WOULDBLOCK;
    if (tcp_ring_reserve(conn->stack->config.alloc, &conn->send, conn->send.used + n) != 0)
        return SMC_ERR_NOMEM;
    tcp_ring_write(&conn->send, conn->send.used, data, n);
    conn->send.used += n;
    return n;
}

int64_t tcp_send(struct tcp_conn *conn, const void *data, size_t length)
{
    int64_t n = take(conn, data, length);
    if (n > 0)
        tcp_conn_work(conn);
    return n;
}

/* Behind a closed window the pointer goes ahead alone, so that the reader knows. */
int64_t tcp_send_urgent(struct tcp_conn *conn, const void *data, size_t length)
{
    int64_t n = take(conn, data, length);
    if (n <= 0)
        return n;
    if ((size_t)n == length) {
        bool opening = conn->state == TCP_SYN_SENT || conn->state == TCP_SYN_RECEIVED;
        conn->urgent_out = true;
        conn->snd_up = conn->snd_una + opening + conn->send.used;
        conn->ack_now = conn->ack_now || (!opening && conn->snd_wnd == 0);
    }
    tcp_conn_work(conn);
    return n;
}

uint32_t tcp_span(const struct tcp_conn *conn, uint32_t *skip)
{
    uint32_t used = conn->receive.used;
    uint32_t before = conn->rcv_up - conn->rcv_read;
    *skip = 0;
    if (!conn->urgent_in || before >= used)
        return used;
    if (before > 0)
        return before;
    *skip = !conn->urgent_inline;
    return used - *skip;
}

void tcp_consume(struct tcp_conn *conn, uint32_t length)
{
    tcp_ring_drop(&conn->receive, length);
    conn->rcv_read += length;
    tcp_devmem_consumed(conn);
    if (conn->urgent_in && seq_before(conn->rcv_up, conn->rcv_read))
        conn->urgent_in = false;
    if (conn->receive.used == 0 && conn->ranges == NULL)
        tcp_ring_free(conn->stack->config.alloc, &conn->receive);
    if (length > 0 && conn->state != TCP_CLOSED && tcp_window_grew(conn)) {
        conn->ack_now = true;
        tcp_conn_work(conn);
    }
}

int tcp_nothing_to_read(const struct tcp_conn *conn)
{
    if (conn->fin_done)
        return 0;
    if (conn->error != 0)
        return conn->error;
    return conn->state == TCP_CLOSED ? SMC_ERR_CLOSED : SMC_ERR_WOULDBLOCK;
}

int64_t tcp_read(struct tcp_conn *conn, void *data, size_t length)
{
    uint32_t skip;
    uint32_t have = tcp_span(conn, &skip);
    uint32_t n = length < have ? (uint32_t)length : have;
    if (length == 0)
        return 0;
    if (n > 0) {
        n = tcp_devmem_readable(conn, skip, n);
        if (n == 0)
            return SMC_ERR_PERMISSION; /* [DEVMEM-001] */
        tcp_ring_read(&conn->receive, skip, data, n);
    }
    tcp_consume(conn, skip + n);
    return n > 0 ? (int64_t)n : tcp_nothing_to_read(conn);
}

int64_t tcp_peek(const struct tcp_conn *conn, void *data, size_t length)
{
    uint32_t skip;
    uint32_t have = tcp_span(conn, &skip);
    uint32_t n = length < have ? (uint32_t)length : have;
    if (length == 0)
        return 0;
    if (n == 0)
        return tcp_nothing_to_read(conn);
    n = tcp_devmem_readable(conn, skip, n);
    if (n == 0)
        return SMC_ERR_PERMISSION;
    tcp_ring_read(&conn->receive, skip, data, n);
    return n;
}

int tcp_read_urgent(struct tcp_conn *conn, uint8_t *byte)
{
    if (!conn->urgent_in || conn->urgent_inline || conn->urgent_taken)
        return SMC_ERR_NOTFOUND;
    uint32_t at = conn->rcv_up - conn->rcv_read;
    if (at >= conn->receive.used)
        return conn->fin_done || conn->state == TCP_CLOSED ? SMC_ERR_NOTFOUND : SMC_ERR_WOULDBLOCK;
    if (tcp_devmem_readable(conn, at, 1) == 0)
        return SMC_ERR_PERMISSION;
    tcp_ring_read(&conn->receive, at, byte, 1);
    conn->urgent_taken = true;
    return 0;
}

bool tcp_at_mark(const struct tcp_conn *conn)
{
    return conn->urgent_in && conn->rcv_up == conn->rcv_read;
}

static void begin_fin(struct tcp_conn *conn)
{
    conn->fin_queued = true;
    if (conn->state == TCP_ESTABLISHED)
        conn->state = TCP_FIN_WAIT_1;
    else if (conn->state == TCP_CLOSE_WAIT)
        conn->state = TCP_LAST_ACK;
    tcp_conn_work(conn);
}

int tcp_shutdown_write(struct tcp_conn *conn)
{
    if (!can_send(conn) || conn->state == TCP_SYN_SENT)
        return SMC_ERR_STATE;
    begin_fin(conn);
    return 0;
}

static void let_go(struct tcp_conn *conn)
{
    conn->released = true;
    conn->callbacks = NULL;
    conn->tell = 0;
    tcp_devmem_release(conn);
}

/* The urgent byte that was fetched has been read. */
static bool has_unread(const struct tcp_conn *conn)
{
    uint32_t fetched = conn->urgent_in && conn->urgent_taken &&
                       conn->rcv_up - conn->rcv_read < conn->receive.used;
    return conn->receive.used > fetched;
}

void tcp_close(struct tcp_conn *conn)
{
    let_go(conn);
    if (conn->state == TCP_CLOSED) {
        tcp_conn_bury(conn);
        return;
    }
    if (conn->state == TCP_SYN_SENT || has_unread(conn)) { /* RFC 9293 section 3.6, RFC 2525 section 2.17 */
        tcp_abort(conn);
        return;
    }
    tcp_ring_free(conn->stack->config.alloc, &conn->receive);
    smc_alloc_release(conn->stack->config.alloc, conn->ranges, 1, sizeof(*conn->ranges));
    conn->ranges = NULL;
    if (can_send(conn))
        begin_fin(conn);
    else if (conn->state == TCP_FIN_WAIT_2) {
        conn->wait_at_ns = conn->stack->now_ns + conn->stack->config.fin_wait_ns;
        tcp_conn_work(conn);
    }
}

void tcp_abort(struct tcp_conn *conn)
{
    struct ip_stack *stack = conn->stack;
    let_go(conn);
    conn->send_reset = conn->state != TCP_CLOSED && conn->state != TCP_SYN_SENT &&
                       conn->state != TCP_TIME_WAIT;
    tcp_conn_end(conn);
    ip_wake(stack);
}

const char *tcp_state_name(enum tcp_state state)
{
    static const char *const names[] = {"CLOSED",     "SYN_SENT",   "SYN_RECEIVED", "ESTABLISHED",
                                        "FIN_WAIT_1", "FIN_WAIT_2", "CLOSE_WAIT",   "CLOSING",
                                        "LAST_ACK",   "TIME_WAIT"};
    return (unsigned)state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

struct tcp_info tcp_info(const struct tcp_conn *conn)
{
    uint32_t flight = conn->snd_max - conn->snd_una;
    uint32_t sent = tcp_min(flight, conn->send.used);
    return (struct tcp_info){.state = (enum tcp_state)conn->state,
                             .error = conn->error,
                             .local = conn->local,
                             .remote = conn->remote,
                             .local_port = conn->local_port,
                             .remote_port = conn->remote_port,
                             .smc_sent = conn->smc_sent,
                             .smc_received = (enum smc_tcp_option_found)conn->smc_received,
                             .smc_agreed = conn->smc_agreed && conn->smc_sent,
                             .smc_on_ack = conn->smc_on_ack,
                             .fast_open_sent = conn->fast_open_sent,
                             .fast_open_received = conn->fast_open_received,
                             .eof = conn->fin_done,
                             .mss = conn->mss,
                             .in_flight = sent,
                             .unsent = conn->send.used - sent,
                             .unread = conn->receive.used,
                             .send_room = can_send(conn) ? conn->send_limit - conn->send.used : 0,
                             .cwnd = conn->cwnd,
                             .peer_window = conn->snd_wnd,
                             .srtt_ns = conn->srtt_ns,
                             .rto_ns = tcp_rto(conn),
                             .segments_in = conn->segments_in,
                             .segments_out = conn->segments_out,
                             .retransmissions = conn->retransmissions};
}
