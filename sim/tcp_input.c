/* A segment comes in: checked, given to its connection, and taken through RFC 9293 section 3.10.7.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/tcp_parts.h"

/* What is in device memory cannot be added up: there the NIC's word counts [DEVMEM-018]. */
static bool checksum_good(const struct ip_stack *stack, struct smc_view bytes,
                          const struct tcp_segment *segment)
{
    size_t n = smc_view_len(bytes);
    if (stack->behind > 0)
        return tcp_devmem_verified(stack->skb);
    uint32_t sum = ip_sum_pseudo(segment->src, segment->dst, IP_PROTOCOL_TCP, n);
    return ip_sum_finish(ip_sum(sum, bytes.p, n)) == 0;
}

static bool take_apart(struct ip_stack *stack, struct smc_view bytes, struct tcp_segment *segment)
{
    struct smc_tcp tcp;
    size_t n = smc_view_len(bytes);
    if (!smc_tcp_at(bytes, 0, &tcp) || smc_tcp_data_offset(tcp) < 5 ||
        smc_tcp_data_offset(tcp) * 4u > n) {
        stack->counters.malformed++;
        return false;
    }
    if (!checksum_good(stack, bytes, segment)) {
        stack->counters.bad_checksum++;
        return false;
    }
    size_t header = smc_tcp_data_offset(tcp) * 4u;
    segment->sport = smc_tcp_sport(tcp);
    segment->dport = smc_tcp_dport(tcp);
    segment->seq = smc_tcp_seq(tcp);
    segment->ack = smc_tcp_ack_seq(tcp);
    segment->flags = tcp.p[13] & (FIN | SYN | RST | PSH | ACK | URG);
    segment->window = smc_tcp_window(tcp);
    segment->urgent = smc_tcp_urgent(tcp);
    segment->data = bytes.p + header;
    segment->linear = (uint32_t)(n - header);
    segment->length = segment->linear + stack->behind;
    segment->skb = stack->skb;
    tcp_options_read(smc_view_sub(bytes, smc_tcp_size, header - smc_tcp_size), segment);
    if (segment->sport == 0 || segment->dport == 0) {
        stack->counters.malformed++;
        return false;
    }
    return true;
}

/* Answers are limited, so that two ends that disagree do not talk for ever. */
void tcp_challenge(struct tcp_conn *conn)
{
    uint64_t second = conn->stack->now_ns / TCP_SECOND;
    if (second != conn->challenge_second) {
        conn->challenge_second = second;
        conn->challenges = 0;
    }
    if (conn->challenges++ < TCP_CHALLENGES)
        conn->ack_now = true;
}

void tcp_established(struct tcp_conn *conn)
{
    struct ip_stack *stack = conn->stack;
    conn->state = conn->fin_queued ? TCP_FIN_WAIT_1 : TCP_ESTABLISHED;
    conn->snd_una = conn->iss + 1;
    conn->tries = 0;
    conn->rtx_at_ns = TCP_NEVER;
    if (conn->timing)
        tcp_measured(conn, stack->now_ns - conn->rtt_start_ns);
    conn->timing = false;
    conn->recover = conn->iss;
    conn->ssthresh = UINT32_MAX;
    conn->cwnd = 10u * conn->mss; /* RFC 6928 */
    if (conn->keep_idle_ns > 0)
        conn->keep_at_ns = stack->now_ns + conn->keep_idle_ns;
    conn->tell |= TELL_ESTABLISHED;
    if (conn->listener != NULL)
        tcp_enqueue_child(conn);
}

static void first_window(struct tcp_conn *conn, const struct tcp_segment *segment)
{
    conn->snd_wnd = conn->snd_wnd_max = segment->window; /* never scaled on a SYN */
    conn->snd_edge = conn->iss + 1 + conn->snd_wnd;
    conn->snd_wl1 = segment->seq;
    conn->snd_wl2 = segment->ack;
}

static void in_syn_sent(struct tcp_conn *conn, const struct tcp_segment *segment)
{
    bool ack = (segment->flags & ACK) != 0;
    if (ack && segment->ack != conn->iss + 1) {
        tcp_refuse(conn->stack, segment);
        return;
    }
    if ((segment->flags & RST) != 0) {
        if (ack)
            tcp_conn_fail(conn, SMC_ERR_RESET);
        return;
    }
    if ((segment->flags & SYN) == 0)
        return;
    conn->irs = segment->seq;
    conn->rcv_nxt = conn->rcv_adv = conn->rcv_read = segment->seq + 1;
    tcp_options_take(conn, segment);
    first_window(conn, segment);
    if (!ack) { /* both opened at once */
        conn->state = TCP_SYN_RECEIVED;
        conn->send_syn = true;
        return;
    }
    tcp_established(conn);
    if (conn->form_on_ack)
        tcp_send_ack(conn);
    else
        conn->ack_now = true;
}

/* RFC 9293 section 3.10.7.4, first check; a closed window lets through what has no length. */
static bool acceptable(const struct tcp_conn *conn, const struct tcp_segment *segment)
{
    uint32_t window =
        seq_before(conn->rcv_nxt, conn->rcv_adv) ? conn->rcv_adv - conn->rcv_nxt : 0;
    uint32_t length = segment->length + ((segment->flags & SYN) != 0) +
                      ((segment->flags & FIN) != 0);
    uint32_t first = segment->seq - conn->rcv_nxt;
    if (length == 0)
        return window > 0 ? first < window : first == 0;
    return window > 0 && (first < window || segment->seq + length - 1 - conn->rcv_nxt < window);
}

static void unacceptable(struct tcp_conn *conn, const struct tcp_segment *segment)
{
    if ((segment->flags & RST) != 0)
        return;
    if (conn->state == TCP_TIME_WAIT && (segment->flags & FIN) != 0)
        tcp_enter_time_wait(conn); /* our ACK was lost: wait anew */
    if (segment->length > 0 || (segment->flags & FIN) != 0)
        conn->ack_now = true;
    else
        tcp_challenge(conn);
}

/* RFC 5961 section 3: only the exact number resets. */
static void take_reset(struct tcp_conn *conn, const struct tcp_segment *segment)
{
    if (segment->seq != conn->rcv_nxt)
        tcp_challenge(conn);
    else if (conn->state == TCP_CLOSING || conn->state == TCP_LAST_ACK ||
             conn->state == TCP_TIME_WAIT) {
        if (conn->state != TCP_TIME_WAIT)
            conn->tell |= TELL_CLOSED;
        tcp_conn_end(conn);
    } else
        tcp_conn_fail(conn, SMC_ERR_RESET);
}

static void after_ack(struct tcp_conn *conn)
{
    if (!conn->fin_acked)
        return;
    if (conn->state == TCP_FIN_WAIT_1) {
        conn->state = TCP_FIN_WAIT_2;
        if (conn->released)
            conn->wait_at_ns = conn->stack->now_ns + conn->stack->config.fin_wait_ns;
    } else if (conn->state == TCP_CLOSING) {
        tcp_enter_time_wait(conn);
    } else if (conn->state == TCP_LAST_ACK) {
        conn->tell |= TELL_CLOSED;
        tcp_conn_end(conn);
    }
}

/* The SYN of a simultaneous open comes again within the peer's SYN-ACK: it has been counted. */
static bool in_syn_received(struct tcp_conn *conn, struct tcp_segment *segment)
{
    if ((segment->flags & (SYN | RST)) == SYN && segment->seq == conn->irs) {
        if ((segment->flags & ACK) == 0) { /* our SYN-ACK was lost */
            conn->send_syn = true;
            return false;
        }
        segment->flags &= ~(unsigned)SYN;
        segment->seq++;
    }
    return true;
}

static bool finish_opening(struct tcp_conn *conn, const struct tcp_segment *segment)
{
    if (segment->ack != conn->iss + 1) {
        tcp_refuse(conn->stack, segment);
        return false;
    }
    tcp_established(conn);
    conn->snd_wnd = conn->snd_wnd_max = (uint32_t)segment->window << conn->send_scale;
    conn->snd_edge = segment->ack + conn->snd_wnd;
    conn->snd_wl1 = segment->seq;
    conn->snd_wl2 = segment->ack;
    return true;
}

static void in_other_state(struct tcp_conn *conn, struct tcp_segment *segment)
{
    if (segment->smc != SMC_OPTION_ABSENT && (segment->flags & SYN) == 0)
        conn->smc_on_ack = true; /* known, without effect [TCPOPT-010] */
    if (conn->state == TCP_SYN_RECEIVED && !in_syn_received(conn, segment))
        return;
    bool closed_window = !seq_before(conn->rcv_nxt, conn->rcv_adv);
    if (closed_window && segment->seq == conn->rcv_nxt &&
        (segment->flags & (SYN | RST)) == 0 && segment->length > 0) {
        segment->length = 0; /* a probe: its ACK counts, its byte does not */
        segment->flags &= ~(unsigned)FIN;
        conn->ack_now = true;
    }
    if (!acceptable(conn, segment)) {
        unacceptable(conn, segment);
        return;
    }
    if ((segment->flags & RST) != 0) {
        take_reset(conn, segment);
        return;
    }
    if ((segment->flags & SYN) != 0) { /* RFC 5961 section 4 */
        tcp_challenge(conn);
        return;
    }
    if ((segment->flags & ACK) == 0)
        return;
    if (conn->state == TCP_SYN_RECEIVED && !finish_opening(conn, segment))
        return;
    if (!tcp_take_ack(conn, segment))
        return;
    after_ack(conn);
    if (conn->state == TCP_CLOSED || conn->state == TCP_TIME_WAIT)
        return;
    tcp_take_urgent(conn, segment);
    tcp_take_data(conn, segment);
}

static void arrived(struct tcp_conn *conn, struct tcp_segment *segment)
{
    conn->segments_in++;
    conn->heard_ns = conn->stack->now_ns;
    conn->keep_tries = 0;
    if (conn->state == TCP_SYN_SENT)
        in_syn_sent(conn, segment);
    else
        in_other_state(conn, segment);
    tcp_tell(conn);
    tcp_output(conn);
    if (conn->state != TCP_CLOSED)
        tcp_rearm(conn);
}

/* A new SYN may take the place of a connection in TIME_WAIT if its numbers are behind the old ones
 * (RFC 9293 section 3.6.1). */
static bool gives_way(const struct tcp_conn *conn, const struct tcp_segment *segment)
{
    return conn->state == TCP_TIME_WAIT && (segment->flags & (SYN | ACK | RST)) == SYN &&
           seq_before(conn->rcv_nxt, segment->seq) &&
           tcp_find_listener(conn->stack, segment->dst, segment->dport) != NULL;
}

void tcp_input(struct ip_stack *stack, struct ip_address src, struct ip_address dst,
               struct smc_view bytes)
{
    struct tcp_segment segment = {.src = src, .dst = dst};
    if (!take_apart(stack, bytes, &segment))
        return;
    struct tcp_conn *conn = tcp_find(stack, dst, segment.dport, src, segment.sport);
    if (conn != NULL && gives_way(conn, &segment)) {
        tcp_conn_end(conn);
        conn = NULL;
    }
    struct tcp_listener *listener = NULL;
    if (conn != NULL)
        arrived(conn, &segment);
    else if ((listener = tcp_find_listener(stack, dst, segment.dport)) != NULL)
        tcp_listen_input(listener, &segment);
    else
        tcp_refuse(stack, &segment);
}
