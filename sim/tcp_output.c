/* TCP's way out: which bytes may go now, and how a segment is put together.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/tcp_parts.h"

/* Writes the header before what already stands behind it, and sends. */
static void finish(struct ip_stack *stack, const struct tcp_segment *out, size_t options)
{
    uint8_t *p = ip_payload(stack);
    const struct smc_tcp_fields header = {
        .sport = out->sport,
        .dport = out->dport,
        .seq = out->seq,
        .ack_seq = (out->flags & ACK) != 0 ? out->ack : 0,
        .data_offset = (uint8_t)((smc_tcp_size + options) / 4),
        .urg = (out->flags & URG) != 0,
        .ack = (out->flags & ACK) != 0,
        .psh = (out->flags & PSH) != 0,
        .rst = (out->flags & RST) != 0,
        .syn = (out->flags & SYN) != 0,
        .fin = (out->flags & FIN) != 0,
        .window = out->window,
        .urgent = out->urgent};
    size_t length = smc_tcp_size + options + out->length;
    smc_tcp_encode(&header, p);
    uint32_t sum = ip_sum_pseudo(out->src, out->dst, IP_PROTOCOL_TCP, length);
    smc_tcp_put_checksum(p, ip_sum_finish(ip_sum(sum, p, length)));
    (void)ip_output(stack, out->src, out->dst, IP_PROTOCOL_TCP, length); /* lost like any packet */
}

/* Bytes offered: no shrinking, and no growing in small steps (RFC 9293 section 3.8.6.2.2). */
static uint32_t window_step(const struct tcp_conn *conn)
{
    return tcp_min(conn->receive_limit / 2, conn->mss);
}

uint32_t tcp_window(const struct tcp_conn *conn)
{
    uint32_t used = conn->receive.used;
    uint32_t room = used < conn->receive_limit ? conn->receive_limit - used : 0;
    uint32_t promised =
        seq_before(conn->rcv_nxt, conn->rcv_adv) ? conn->rcv_adv - conn->rcv_nxt : 0;
    uint32_t most = (uint32_t)UINT16_MAX << conn->receive_scale;
    room = tcp_min(room, most);
    return room < promised || room - promised < window_step(conn) ? promised : room;
}

bool tcp_window_grew(const struct tcp_conn *conn)
{
    uint32_t promised =
        seq_before(conn->rcv_nxt, conn->rcv_adv) ? conn->rcv_adv - conn->rcv_nxt : 0;
    return !conn->fin_done &&
           tcp_window(conn) - promised >= tcp_min(conn->receive_limit / 2, 2u * conn->mss);
}

static void set_window(struct tcp_conn *conn, struct tcp_segment *out)
{
    uint32_t window = tcp_window(conn);
    unsigned scale = (out->flags & SYN) != 0 ? 0 : conn->receive_scale;
    uint32_t field = tcp_min(window >> scale, UINT16_MAX);
    out->window = (uint16_t)field;
    if ((out->flags & (ACK | SYN)) != 0 && seq_before(conn->rcv_adv, conn->rcv_nxt + (field << scale)))
        conn->rcv_adv = conn->rcv_nxt + (field << scale);
}

/* The pointer names the byte behind the urgent one, as everybody does (RFC 6093). */
static void set_urgent(const struct tcp_conn *conn, struct tcp_segment *out)
{
    if (!conn->urgent_out || !seq_before(out->seq, conn->snd_up) ||
        conn->snd_up - out->seq > UINT16_MAX || (out->flags & SYN) != 0)
        return;
    out->flags |= URG;
    out->urgent = (uint16_t)(conn->snd_up - out->seq);
}

/* `offset` into the bytes still unacknowledged. */
static void emit(struct tcp_conn *conn, uint32_t seq, unsigned flags, uint32_t offset,
                 uint32_t length, bool with_options)
{
    struct tcp_segment out = {.src = conn->local,
                              .dst = conn->remote,
                              .sport = conn->local_port,
                              .dport = conn->remote_port,
                              .seq = seq,
                              .ack = conn->rcv_nxt,
                              .flags = flags,
                              .length = length};
    uint8_t *p = ip_payload(conn->stack) + smc_tcp_size;
    size_t options = with_options ? tcp_options_write(conn, flags, p) : 0;
    if (length > 0)
        tcp_ring_read(&conn->send, offset, p + options, length);
    set_urgent(conn, &out);
    set_window(conn, &out);
    conn->segments_out++;
    if ((flags & ACK) != 0) {
        conn->ack_now = false;
        conn->ack_at_ns = TCP_NEVER;
        conn->unacked = 0;
    }
    finish(conn->stack, &out, options);
}

static void start_timer(struct tcp_conn *conn)
{
    if (conn->rtx_at_ns == TCP_NEVER)
        conn->rtx_at_ns = conn->stack->now_ns + tcp_rto(conn);
}

static void output_syn(struct tcp_conn *conn)
{
    bool again = conn->snd_max != conn->iss;
    unsigned flags = conn->state == TCP_SYN_SENT ? SYN : SYN | ACK;
    if (!conn->send_syn)
        return;
    conn->send_syn = false;
    conn->retransmissions += again;
    conn->timing = !again;
    conn->rtt_seq = conn->iss + 1;
    conn->rtt_start_ns = conn->stack->now_ns;
    conn->snd_nxt = conn->snd_max = conn->iss + 1;
    emit(conn, conn->iss, flags, 0, 0, true);
    start_timer(conn);
}

/* A segment with data or FIN, from `seq`. */
static void send_piece(struct tcp_conn *conn, uint32_t seq, uint32_t length, bool fin)
{
    uint32_t offset = seq - conn->snd_una;
    uint32_t end = seq + length + fin;
    unsigned flags = ACK | (fin ? FIN : 0u);
    if (length > 0 && offset + length == conn->send.used)
        flags |= PSH;
    if (seq_before(seq, conn->snd_max)) {
        conn->retransmissions++;
        conn->timing = false;
    } else if (!conn->timing) {
        conn->timing = true;
        conn->rtt_seq = end;
        conn->rtt_start_ns = conn->stack->now_ns;
    }
    conn->fin_sent = conn->fin_sent || fin;
    if (seq_before(conn->snd_max, end))
        conn->snd_max = end;
    emit(conn, seq, flags, offset, length, false);
}

void tcp_resend_first(struct tcp_conn *conn)
{
    uint32_t length = tcp_min(conn->send.used, conn->mss);
    bool fin = conn->fin_sent && !conn->fin_acked && length == conn->send.used;
    if (length > 0 || fin)
        send_piece(conn, conn->snd_una, length, fin);
}

/* Whether a piece smaller than a full segment may go (RFC 9293 section 3.7.4 and 3.8.6.2.1). */
static bool small_may_go(const struct tcp_conn *conn, uint32_t length, uint32_t unsent, bool fin)
{
    if (seq_before(conn->snd_nxt, conn->snd_max) || fin)
        return true;
    if (length == unsent)
        return conn->no_delay || conn->snd_nxt == conn->snd_una ||
               (conn->urgent_out && seq_before(conn->snd_nxt, conn->snd_up));
    return length >= conn->snd_wnd_max / 2 && length > 0;
}

static bool send_next(struct tcp_conn *conn)
{
    uint32_t sent = conn->snd_nxt - conn->snd_una;
    uint32_t unsent = sent < conn->send.used ? conn->send.used - sent : 0;
    uint32_t window = tcp_min(conn->snd_wnd, conn->cwnd);
    uint32_t room = window > sent ? window - sent : 0;
    uint32_t length = tcp_min(tcp_min(unsent, room), conn->mss);
    bool fin = conn->fin_queued && !conn->fin_acked && sent + length == conn->send.used &&
               room > length;
    if (length == 0 && !fin)
        return false;
    if (length < conn->mss && !small_may_go(conn, length, unsent, fin))
        return false;
    send_piece(conn, conn->snd_nxt, length, fin);
    conn->snd_nxt += length + fin;
    return true;
}

static bool has_unsent(const struct tcp_conn *conn)
{
    uint32_t sent = conn->snd_nxt - conn->snd_una;
    return sent < conn->send.used ||
           (conn->fin_queued && !conn->fin_acked && sent == conn->send.used);
}

/* One clock for both: bytes in flight are sent again; bytes held back by the window are probed with. */
static void choose_timer(struct tcp_conn *conn)
{
    bool held_back = conn->snd_nxt == conn->snd_una && has_unsent(conn);
    if (held_back != conn->probing) {
        conn->probing = held_back;
        conn->tries = conn->silent = 0;
        conn->rtx_at_ns = TCP_NEVER;
    }
    if (held_back || conn->snd_una != conn->snd_max)
        start_timer(conn);
    else
        conn->rtx_at_ns = TCP_NEVER;
}

void tcp_output(struct tcp_conn *conn)
{
    if (conn->state == TCP_SYN_SENT || conn->state == TCP_SYN_RECEIVED) {
        output_syn(conn);
        return;
    }
    if (conn->state == TCP_CLOSED)
        return;
    if (conn->state != TCP_TIME_WAIT) {
        while (send_next(conn))
            ;
        choose_timer(conn);
    }
    if (conn->ack_now)
        tcp_send_ack(conn);
}

/* Never beyond the peer's window, where only a probe goes: it would not be looked at. The furthest edge counts, not the last: a window is
 * said in units of its scale, so that an edge may seem to go back by less than one of them though all before it was taken
 * (RFC 7323 section 2.4). Two sides whose ACKs stayed behind it would hear nothing from each other any more. */
static uint32_t acceptable_seq(const struct tcp_conn *conn)
{
    return seq_before(conn->snd_edge, conn->snd_max) ? conn->snd_edge : conn->snd_max;
}

void tcp_send_ack(struct tcp_conn *conn)
{
    bool option = conn->form_on_ack && !conn->passive;
    conn->form_on_ack = false;
    emit(conn, acceptable_seq(conn), ACK, 0, 0, option);
}

/* One byte beyond the window if there is one, else a sequence number that must be answered. */
void tcp_send_probe(struct tcp_conn *conn)
{
    if (conn->send.used > 0)
        send_piece(conn, conn->snd_una, 1, false);
    else if (conn->fin_queued && !conn->fin_acked)
        send_piece(conn, conn->snd_una, 0, true);
    else
        emit(conn, conn->snd_una - 1, ACK, 0, 0, false);
}

void tcp_send_reset(struct tcp_conn *conn)
{
    emit(conn, acceptable_seq(conn), RST | ACK, 0, 0, false);
}

void tcp_refuse(struct ip_stack *stack, const struct tcp_segment *segment)
{
    struct tcp_segment out = {.src = segment->dst,
                              .dst = segment->src,
                              .sport = segment->dport,
                              .dport = segment->sport};
    if ((segment->flags & RST) != 0)
        return;
    stack->counters.resets_out++;
    if ((segment->flags & ACK) != 0) {
        out.flags = RST;
        out.seq = segment->ack;
    } else {
        out.flags = RST | ACK;
        out.ack = segment->seq + segment->length + ((segment->flags & SYN) != 0) +
                  ((segment->flags & FIN) != 0);
    }
    finish(stack, &out, 0);
}
