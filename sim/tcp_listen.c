/* Listeners: SYNs become connections, established ones wait to be accepted.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/tcp_parts.h"

enum { PORT_FIRST = 32768, PORT_COUNT = 28232 };

static bool taken(const struct ip_stack *stack, struct ip_address local, uint16_t port)
{
    for (const struct tcp_listener *l = stack->tcp.listeners; l != NULL; l = l->next)
        if (l->port == port && (ip_is_any(l->local) || ip_is_any(local) || ip_equal(l->local, local)))
            return true;
    return false;
}

static uint16_t free_port(struct ip_stack *stack, struct ip_address local)
{
    for (uint32_t i = 0; i < PORT_COUNT; i++) {
        uint16_t port = (uint16_t)(PORT_FIRST + stack->tcp.next_port++ % PORT_COUNT);
        if (!taken(stack, local, port))
            return port;
    }
    return 0;
}

int tcp_listen(struct ip_stack *stack, struct ip_address local, uint16_t port, unsigned backlog,
               const struct tcp_options *options, const struct tcp_callbacks *callbacks, void *user,
               struct tcp_listener **out)
{
    if (backlog == 0 || (!ip_is_any(local) && !ip_is_mine(stack, local)))
        return SMC_ERR_ARGUMENT;
    if (port == 0)
        port = free_port(stack, local);
    if (port == 0 || taken(stack, local, port))
        return SMC_ERR_EXISTS;
    struct tcp_listener *listener = smc_alloc_zeroed(stack->config.alloc, 1, sizeof(*listener));
    if (listener == NULL)
        return SMC_ERR_NOMEM;
    listener->stack = stack;
    listener->local = local;
    listener->port = port;
    listener->backlog = backlog;
    if (options != NULL)
        listener->options = *options;
    listener->callbacks = callbacks;
    listener->user = user;
    listener->next = stack->tcp.listeners;
    stack->tcp.listeners = listener;
    *out = listener;
    return 0;
}

uint16_t tcp_listener_port(const struct tcp_listener *listener)
{
    return listener->port;
}

static void abort_children(const struct tcp_listener *listener)
{
    for (struct tcp_conn *conn = listener->stack->tcp.first, *next; conn != NULL; conn = next) {
        next = conn->next;
        if (conn->listener != listener)
            continue;
        conn->send_reset = true;
        tcp_conn_end(conn);
    }
}

void tcp_listener_close(struct tcp_listener *listener)
{
    struct ip_stack *stack = listener->stack;
    struct tcp_listener **at = &stack->tcp.listeners;
    abort_children(listener);
    while (*at != listener)
        at = &(*at)->next;
    *at = listener->next;
    smc_alloc_release(stack->config.alloc, listener, 1, sizeof(*listener));
    ip_wake(stack);
}

static void half_open(struct tcp_conn *conn, struct tcp_listener *listener,
                      const struct tcp_segment *segment)
{
    conn->local = segment->dst;
    conn->remote = segment->src;
    conn->local_port = segment->dport;
    conn->remote_port = segment->sport;
    conn->listener = listener;
    listener->pending++;
    conn->released = conn->passive = true; /* nobody has a handle yet */
    conn->scaling = !listener->options.no_window_scale;
    conn->state = TCP_SYN_RECEIVED;
    conn->irs = segment->seq;
    conn->rcv_nxt = conn->rcv_adv = conn->rcv_read = segment->seq + 1;
    conn->iss = conn->snd_una = conn->snd_nxt = conn->snd_max = tcp_first_seq(conn);
    conn->snd_wnd = conn->snd_wnd_max = segment->window;
    conn->snd_edge = conn->iss + 1 + conn->snd_wnd;
    conn->heard_ns = conn->stack->now_ns;
    conn->segments_in = 1;
    tcp_options_take(conn, segment);
    tcp_conn_hash(conn);
    conn->send_syn = true;
    tcp_output(conn);
    tcp_rearm(conn);
}

/* RFC 9293 section 3.10.7.2. Data of the SYN is not taken: it is not acknowledged and comes again. */
void tcp_listen_input(struct tcp_listener *listener, const struct tcp_segment *segment)
{
    if ((segment->flags & RST) != 0)
        return;
    if ((segment->flags & ACK) != 0) {
        tcp_refuse(listener->stack, segment);
        return;
    }
    if ((segment->flags & SYN) == 0 || listener->pending >= listener->backlog)
        return;
    struct tcp_conn *conn = tcp_conn_new(listener->stack, &listener->options);
    if (conn == NULL)
        listener->stack->counters.no_memory++;
    else
        half_open(conn, listener, segment);
}

void tcp_enqueue_child(struct tcp_conn *conn)
{
    struct tcp_listener *listener = conn->listener;
    conn->queued = true;
    conn->queue_next = NULL;
    if (listener->last != NULL)
        listener->last->queue_next = conn;
    else
        listener->first = conn;
    listener->last = conn;
}

void tcp_leave_listener(struct tcp_conn *conn)
{
    struct tcp_listener *listener = conn->listener;
    if (listener == NULL)
        return;
    listener->pending--;
    conn->listener = NULL;
    if (!conn->queued)
        return;
    struct tcp_conn **at = &listener->first, *before = NULL;
    while (*at != conn) {
        before = *at;
        at = &(*at)->queue_next;
    }
    *at = conn->queue_next;
    if (listener->last == conn)
        listener->last = before;
    conn->queued = false;
    conn->queue_next = NULL;
}

struct tcp_conn *tcp_accept(struct tcp_listener *listener, const struct tcp_callbacks *callbacks,
                            void *user)
{
    struct tcp_conn *conn = listener->first;
    if (conn == NULL)
        return NULL;
    tcp_leave_listener(conn);
    conn->released = false;
    conn->callbacks = callbacks;
    conn->user = user;
    if (conn->tell != 0)
        tcp_conn_work(conn);
    return conn;
}
