/* TCP's clocks: retransmission, window probes, delayed ACK, keepalive, TIME_WAIT; and the callbacks.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/tcp_parts.h"

enum { GRANULARITY_NS = 1000000 };

static uint64_t earlier_of(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

void tcp_rearm(struct tcp_conn *conn)
{
    uint64_t at = earlier_of(earlier_of(conn->rtx_at_ns, conn->ack_at_ns),
                             earlier_of(conn->keep_at_ns, conn->wait_at_ns));
    if (conn->work || conn->send_reset)
        at = 0;
    ip_timer_set(conn->stack, &conn->timer, at);
}

/* RFC 6298, doubled with every expiry. */
uint64_t tcp_rto(const struct tcp_conn *conn)
{
    uint64_t most = conn->stack->config.rto_max_ns;
    unsigned shift = conn->tries < 20 ? conn->tries : 20;
    return conn->rto_ns > most >> shift ? most : conn->rto_ns << shift;
}

void tcp_measured(struct tcp_conn *conn, uint64_t rtt_ns)
{
    const struct ip_config *config = &conn->stack->config;
    if (conn->srtt_ns == 0) {
        conn->srtt_ns = rtt_ns > 0 ? rtt_ns : 1;
        conn->rttvar_ns = rtt_ns / 2;
    } else {
        uint64_t off = conn->srtt_ns > rtt_ns ? conn->srtt_ns - rtt_ns : rtt_ns - conn->srtt_ns;
        conn->rttvar_ns = (3 * conn->rttvar_ns + off) / 4;
        conn->srtt_ns = (7 * conn->srtt_ns + rtt_ns) / 8;
    }
    uint64_t margin = 4 * conn->rttvar_ns;
    uint64_t rto = conn->srtt_ns + (margin > GRANULARITY_NS ? margin : GRANULARITY_NS);
    conn->rto_ns = rto < config->rto_min_ns ? config->rto_min_ns : rto;
    if (conn->rto_ns > config->rto_max_ns)
        conn->rto_ns = config->rto_max_ns;
}

static void resend_all(struct tcp_conn *conn)
{
    uint32_t flight = conn->snd_max - conn->snd_una;
    uint16_t mss = tcp_mss_for(conn);
    if (mss < conn->mss) /* the MTU became smaller */
        conn->mss = mss;
    if (conn->tries == 1) {
        conn->ssthresh = flight / 2 > 2u * conn->mss ? flight / 2 : 2u * conn->mss;
        conn->recover = conn->snd_max;
    }
    conn->cwnd = conn->mss;
    conn->recovering = false;
    conn->duplicates = 0;
    conn->timing = false;
    conn->snd_nxt = conn->snd_una;
}

static void rtx_due(struct tcp_conn *conn)
{
    const struct ip_config *config = &conn->stack->config;
    bool opening = conn->state == TCP_SYN_SENT || conn->state == TCP_SYN_RECEIVED;
    unsigned failed = conn->probing ? conn->silent : conn->tries;
    conn->rtx_at_ns = TCP_NEVER;
    if (failed >= (opening ? config->syn_retries : config->retries)) {
        tcp_conn_fail(conn, SMC_ERR_TIMEOUT);
        return;
    }
    if (conn->tries < UINT8_MAX)
        conn->tries++;
    if (conn->silent < UINT8_MAX)
        conn->silent++;
    if (opening)
        conn->send_syn = true;
    else if (conn->probing)
        tcp_send_probe(conn);
    else
        resend_all(conn);
}

static void keep_due(struct tcp_conn *conn, uint64_t now_ns)
{
    uint64_t quiet_until = conn->heard_ns + conn->keep_idle_ns;
    if (now_ns < quiet_until || conn->snd_una != conn->snd_max) {
        conn->keep_tries = 0;
        conn->keep_at_ns = now_ns < quiet_until ? quiet_until : now_ns + conn->keep_idle_ns;
        return;
    }
    if (conn->keep_tries >= conn->keep_probes) {
        tcp_send_reset(conn);
        tcp_conn_fail(conn, SMC_ERR_TIMEOUT);
        return;
    }
    conn->keep_tries++;
    conn->keep_at_ns = now_ns + conn->keep_interval_ns;
    tcp_send_probe(conn);
}

void tcp_enter_time_wait(struct tcp_conn *conn)
{
    if (conn->state != TCP_TIME_WAIT)
        conn->tell |= TELL_CLOSED;
    conn->state = TCP_TIME_WAIT;
    conn->rtx_at_ns = conn->keep_at_ns = TCP_NEVER;
    conn->wait_at_ns = conn->stack->now_ns + conn->stack->config.time_wait_ns;
    tcp_ring_free(conn->stack->config.alloc, &conn->send);
}

void tcp_due(struct ip_timer *timer, uint64_t now_ns)
{
    struct tcp_conn *conn = (struct tcp_conn *)timer;
    conn->work = false;
    if (conn->send_reset) {
        tcp_send_reset(conn);
        conn->send_reset = false;
        tcp_conn_bury(conn);
        return;
    }
    if (conn->ack_at_ns <= now_ns)
        conn->ack_now = true;
    if (conn->wait_at_ns <= now_ns)
        tcp_conn_end(conn);
    if (conn->rtx_at_ns <= now_ns)
        rtx_due(conn);
    if (conn->keep_at_ns <= now_ns)
        keep_due(conn, now_ns);
    tcp_tell(conn);
    tcp_output(conn);
    tcp_rearm(conn);
}

typedef void (*simple_callback)(void *user, struct tcp_conn *conn);

static void tell_one(struct tcp_conn *conn, unsigned what, simple_callback callback)
{
    if ((conn->tell & what) == 0 || conn->released)
        return;
    conn->tell &= (uint8_t)~what;
    if (callback != NULL)
        callback(conn->user, conn);
}

/* The listener may accept the connection, or be closed, in its callback. */
static void tell_listener(struct tcp_conn *conn)
{
    struct tcp_listener *listener = conn->listener;
    if (listener == NULL || (conn->tell & TELL_ESTABLISHED) == 0)
        return;
    conn->tell &= (uint8_t)~TELL_ESTABLISHED;
    if (listener->callbacks != NULL && listener->callbacks->accepted != NULL)
        listener->callbacks->accepted(listener->user, listener);
}

/* In the order in which a program wants to hear it. A callback may replace the callbacks or give the handle back. */
void tcp_tell(struct tcp_conn *conn)
{
    static const struct tcp_callbacks none;
#define TELL(what, name)                                                                           \
    tell_one(conn, what, (conn->callbacks != NULL ? conn->callbacks : &none)->name)
    tell_listener(conn);
    if (conn->tell == 0 || conn->listener != NULL)
        return;
    TELL(TELL_ESTABLISHED, established);
    TELL(TELL_URGENT, urgent);
    TELL(TELL_WRITABLE, writable);
    TELL(TELL_READABLE, readable);
    TELL(TELL_EOF, eof);
    if ((conn->tell & TELL_RESET) != 0 && !conn->released) {
        conn->tell &= (uint8_t)~TELL_RESET;
        if (conn->callbacks != NULL && conn->callbacks->reset != NULL)
            conn->callbacks->reset(conn->user, conn, conn->error);
    }
    TELL(TELL_CLOSED, closed);
#undef TELL
    if (conn->released)
        conn->tell = 0;
}
