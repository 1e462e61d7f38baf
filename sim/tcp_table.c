/* TCP's objects: connections made, found by address, ended and freed.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/tcp_parts.h"

enum { FIRST_BUCKETS = 16 };

int tcp_part_init(struct ip_stack *stack)
{
    struct tcp_part *tcp = &stack->tcp;
    tcp->buckets = smc_alloc_zeroed(stack->config.alloc, FIRST_BUCKETS, sizeof(*tcp->buckets));
    if (tcp->buckets == NULL)
        return SMC_ERR_NOMEM;
    tcp->nbuckets = FIRST_BUCKETS;
    tcp->next_port = (uint32_t)ip_hash(stack->config.seed, "port", 4);
    return 0;
}

static uint64_t hash_of(const struct ip_stack *stack, struct ip_address local, uint16_t local_port,
                        struct ip_address remote, uint16_t remote_port)
{
    uint8_t key[36];
    memcpy(key, local.bytes, 16);
    memcpy(key + 16, remote.bytes, 16);
    smc_store_be(key + 32, 2, local_port);
    smc_store_be(key + 34, 2, remote_port);
    return ip_hash(stack->config.seed, key, sizeof(key));
}

static uint64_t hash_conn(const struct tcp_conn *conn)
{
    return hash_of(conn->stack, conn->local, conn->local_port, conn->remote, conn->remote_port);
}

struct tcp_conn *tcp_find(const struct ip_stack *stack, struct ip_address local, uint16_t local_port,
                          struct ip_address remote, uint16_t remote_port)
{
    uint64_t hash = hash_of(stack, local, local_port, remote, remote_port);
    struct tcp_conn *conn = stack->tcp.buckets[hash & (stack->tcp.nbuckets - 1)];
    while (conn != NULL &&
           !(conn->local_port == local_port && conn->remote_port == remote_port &&
             ip_equal(conn->local, local) && ip_equal(conn->remote, remote)))
        conn = conn->hash_next;
    return conn;
}

/* RFC 6528: a clock of 4 microseconds plus a keyed hash of the addresses. */
uint32_t tcp_first_seq(const struct tcp_conn *conn)
{
    uint64_t hash = ip_hash(hash_conn(conn), "iss", 3);
    return (uint32_t)(hash + conn->stack->now_ns / 4000);
}

/* A table that could not grow goes on with longer chains. */
static void grow_table(struct ip_stack *stack)
{
    struct tcp_part *tcp = &stack->tcp;
    uint32_t nbuckets = tcp->nbuckets * 2;
    struct tcp_conn **buckets = smc_alloc_zeroed(stack->config.alloc, nbuckets, sizeof(*buckets));
    if (buckets == NULL)
        return;
    smc_alloc_release(stack->config.alloc, tcp->buckets, tcp->nbuckets, sizeof(*buckets));
    tcp->buckets = buckets;
    tcp->nbuckets = nbuckets;
    for (struct tcp_conn *conn = tcp->first; conn != NULL; conn = conn->next)
        if (conn->hashed) {
            struct tcp_conn **at = &buckets[hash_conn(conn) & (nbuckets - 1)];
            conn->hash_next = *at;
            *at = conn;
        }
}

void tcp_conn_hash(struct tcp_conn *conn)
{
    struct tcp_part *tcp = &conn->stack->tcp;
    if (tcp->nhashed >= tcp->nbuckets && tcp->nbuckets < UINT32_C(1) << 24)
        grow_table(conn->stack);
    struct tcp_conn **at = &tcp->buckets[hash_conn(conn) & (tcp->nbuckets - 1)];
    conn->hash_next = *at;
    *at = conn;
    conn->hashed = true;
    tcp->nhashed++;
}

static void unhash(struct tcp_conn *conn)
{
    struct tcp_part *tcp = &conn->stack->tcp;
    if (!conn->hashed)
        return;
    struct tcp_conn **at = &tcp->buckets[hash_conn(conn) & (tcp->nbuckets - 1)];
    while (*at != conn)
        at = &(*at)->hash_next;
    *at = conn->hash_next;
    conn->hashed = false;
    tcp->nhashed--;
}

static uint32_t buffer_limit(uint32_t wanted)
{
    return wanted == 0 ? TCP_BUFFER_DEFAULT : tcp_min(wanted, TCP_BUFFER_MAX);
}

static void set_options(struct tcp_conn *conn, const struct tcp_options *options)
{
    conn->no_delay = options->no_delay;
    conn->urgent_inline = options->urgent_inline;
    conn->form_on_ack = options->smc_form.on_ack;
    conn->send_limit = buffer_limit(options->send_bytes);
    conn->receive_limit = buffer_limit(options->receive_bytes);
    while (!options->no_window_scale && conn->receive_scale < 14 &&
           conn->receive_limit >> conn->receive_scale > UINT16_MAX)
        conn->receive_scale++;
    conn->keep_idle_ns = options->keepalive_idle_ns;
    conn->keep_interval_ns =
        options->keepalive_interval_ns != 0 ? options->keepalive_interval_ns : 75 * TCP_SECOND;
    conn->keep_probes = options->keepalive_probes != 0 ? options->keepalive_probes : 9;
}

static void append(struct tcp_part *tcp, struct tcp_conn *conn)
{
    conn->id = tcp->next_id++;
    conn->prev = tcp->last;
    if (tcp->last != NULL)
        tcp->last->next = conn;
    else
        tcp->first = conn;
    tcp->last = conn;
    tcp->count++;
}

struct tcp_conn *tcp_conn_new(struct ip_stack *stack, const struct tcp_options *options)
{
    if (ip_timer_reserve(stack) != 0)
        return NULL;
    struct tcp_conn *conn = smc_alloc_zeroed(stack->config.alloc, 1, sizeof(*conn));
    if (conn == NULL) {
        stack->timers.reserved--;
        return NULL;
    }
    conn->timer.due = tcp_due;
    conn->stack = stack;
    conn->rto_ns = stack->config.rto_initial_ns;
    conn->rtx_at_ns = conn->ack_at_ns = conn->keep_at_ns = conn->wait_at_ns = TCP_NEVER;
    set_options(conn, options);
    append(&stack->tcp, conn);
    return conn;
}

static void free_parts(struct tcp_conn *conn)
{
    const struct smc_alloc *alloc = conn->stack->config.alloc;
    tcp_ring_free(alloc, &conn->send);
    tcp_devmem_forget_islands(conn);
    smc_alloc_release(alloc, conn->ranges, 1, sizeof(*conn->ranges));
    conn->ranges = NULL;
    smc_alloc_release(alloc, conn->extra, 1, sizeof(*conn->extra));
    conn->extra = NULL;
}

static void free_conn(struct tcp_conn *conn)
{
    struct tcp_part *tcp = &conn->stack->tcp;
    free_parts(conn);
    tcp_ring_free(conn->stack->config.alloc, &conn->receive);
    tcp_devmem_release(conn);
    if (conn->prev != NULL)
        conn->prev->next = conn->next;
    else
        tcp->first = conn->next;
    if (conn->next != NULL)
        conn->next->prev = conn->prev;
    else
        tcp->last = conn->prev;
    tcp->count--;
    ip_timer_drop(conn->stack, &conn->timer);
    smc_alloc_release(conn->stack->config.alloc, conn, 1, sizeof(*conn));
}

void tcp_reap(struct ip_stack *stack)
{
    while (stack->tcp.dead != NULL) {
        struct tcp_conn *conn = stack->tcp.dead;
        stack->tcp.dead = conn->queue_next;
        free_conn(conn);
    }
}

/* Freed at once unless code further up the call stack may still hold it. */
void tcp_conn_bury(struct tcp_conn *conn)
{
    struct ip_stack *stack = conn->stack;
    if (conn->state != TCP_CLOSED || !conn->released || conn->send_reset || conn->on_dead)
        return;
    conn->on_dead = true;
    conn->queue_next = stack->tcp.dead;
    stack->tcp.dead = conn;
    if (stack->depth == 0)
        tcp_reap(stack);
}

void tcp_conn_end(struct tcp_conn *conn)
{
    tcp_leave_listener(conn);
    unhash(conn);
    conn->state = TCP_CLOSED;
    conn->work = conn->send_syn = conn->ack_now = false;
    conn->rtx_at_ns = conn->ack_at_ns = conn->keep_at_ns = conn->wait_at_ns = TCP_NEVER;
    ip_timer_set(conn->stack, &conn->timer, conn->send_reset ? 0 : TCP_NEVER);
    free_parts(conn);
    tcp_conn_bury(conn);
}

void tcp_conn_fail(struct tcp_conn *conn, int error)
{
    if (conn->state == TCP_CLOSED)
        return;
    conn->error = (int8_t)error;
    conn->tell |= TELL_RESET;
    tcp_conn_end(conn);
}

void tcp_conn_work(struct tcp_conn *conn)
{
    conn->work = true;
    tcp_rearm(conn);
    ip_wake(conn->stack);
}

const struct tcp_options *tcp_options_of(const struct tcp_conn *conn)
{
    static const struct tcp_options none;
    if (conn->extra != NULL)
        return conn->extra;
    return conn->listener != NULL ? &conn->listener->options : &none;
}

/* One that is bound to the address goes before one that takes all. */
struct tcp_listener *tcp_find_listener(const struct ip_stack *stack, struct ip_address local,
                                       uint16_t port)
{
    struct tcp_listener *any = NULL;
    for (struct tcp_listener *l = stack->tcp.listeners; l != NULL; l = l->next) {
        if (l->port != port)
            continue;
        if (ip_equal(l->local, local))
            return l;
        if (ip_is_any(l->local))
            any = l;
    }
    return any;
}

/* Only connections opened before the call: a callback that tries again gets its own answer later. */
void tcp_unreachable(struct ip_stack *stack, struct ip_address next)
{
    uint64_t limit = stack->tcp.next_id;
    for (struct tcp_conn *conn = stack->tcp.first; conn != NULL && conn->id < limit;
         conn = conn->next) {
        struct ip_hop hop;
        if (conn->state != TCP_SYN_SENT ||
            ip_route_find(stack, -1, conn->local, conn->remote, &hop) != 0 ||
            !ip_equal(hop.next, next))
            continue;
        tcp_conn_fail(conn, SMC_ERR_UNREACHABLE);
        tcp_tell(conn);
    }
}

void tcp_part_free(struct ip_stack *stack)
{
    struct tcp_part *tcp = &stack->tcp;
    while (tcp->first != NULL)
        free_conn(tcp->first);
    while (tcp->listeners != NULL) {
        struct tcp_listener *listener = tcp->listeners;
        tcp->listeners = listener->next;
        smc_alloc_release(stack->config.alloc, listener, 1, sizeof(*listener));
    }
    smc_alloc_release(stack->config.alloc, tcp->buckets, tcp->nbuckets, sizeof(*tcp->buckets));
}

size_t tcp_count(const struct ip_stack *stack)
{
    return stack->tcp.count;
}

const struct tcp_conn *tcp_next(const struct ip_stack *stack, const struct tcp_conn *conn)
{
    return conn == NULL ? stack->tcp.first : conn->next;
}
