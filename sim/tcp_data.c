/* What the data of a segment does: put in its place, in order or not; the urgent pointer; FIN.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/tcp_parts.h"

/* Linux's reading: one byte, the last one announced counts; one that nobody fetched becomes an ordinary
 * byte unless it is the next to be read. */
void tcp_take_urgent(struct tcp_conn *conn, const struct tcp_segment *segment)
{
    if ((segment->flags & URG) == 0 || conn->fin_done)
        return;
    uint32_t at = segment->seq + segment->urgent - (segment->urgent > 0);
    if (seq_before(at, conn->rcv_nxt) || (conn->urgent_in && seq_upto(at, conn->rcv_up)))
        return;
    if (conn->urgent_in && conn->rcv_up == conn->rcv_read && conn->receive.used > 0 &&
        !conn->urgent_inline) {
        tcp_ring_drop(&conn->receive, 1);
        conn->rcv_read++;
        tcp_devmem_consumed(conn);
    }
    conn->urgent_in = true;
    conn->urgent_taken = false;
    conn->rcv_up = at;
    conn->tell |= TELL_URGENT;
}

/* Adds from .. to - 1 to the islands. false: no room for another one. */
static bool add_range(struct tcp_ranges *ranges, uint32_t from, uint32_t to)
{
    unsigned first = 0, last;
    while (first < ranges->count && seq_before(ranges->at[first].to, from))
        first++;
    for (last = first; last < ranges->count && seq_upto(ranges->at[last].from, to); last++) {
        if (seq_before(ranges->at[last].from, from))
            from = ranges->at[last].from;
        if (seq_before(to, ranges->at[last].to))
            to = ranges->at[last].to;
    }
    if (last == first && ranges->count == TCP_RANGES)
        return false;
    memmove(&ranges->at[first + 1], &ranges->at[last],
            (ranges->count - last) * sizeof(ranges->at[0]));
    ranges->at[first] = (struct tcp_range){from, to};
    ranges->count = ranges->count + 1 - (last - first);
    return true;
}

static bool keep_range(struct tcp_conn *conn, uint32_t from, uint32_t to)
{
    if (conn->ranges == NULL)
        conn->ranges = smc_alloc_zeroed(conn->stack->config.alloc, 1, sizeof(*conn->ranges));
    return conn->ranges != NULL && add_range(conn->ranges, from, to);
}

/* The islands that are reached now. */
static void join_ranges(struct tcp_conn *conn)
{
    struct tcp_ranges *ranges = conn->ranges;
    unsigned gone = 0;
    if (ranges == NULL)
        return;
    while (gone < ranges->count && seq_upto(ranges->at[gone].from, conn->rcv_nxt)) {
        if (seq_before(conn->rcv_nxt, ranges->at[gone].to)) {
            conn->receive.used += ranges->at[gone].to - conn->rcv_nxt;
            conn->rcv_nxt = ranges->at[gone].to;
        }
        gone++;
    }
    ranges->count -= gone;
    memmove(&ranges->at[0], &ranges->at[gone], ranges->count * sizeof(ranges->at[0]));
    if (gone > 0)
        conn->ack_now = true;
    if (ranges->count == 0) {
        smc_alloc_release(conn->stack->config.alloc, ranges, 1, sizeof(*ranges));
        conn->ranges = NULL;
    }
}

static void advance(struct tcp_conn *conn, uint32_t length)
{
    conn->receive.used += length;
    conn->rcv_nxt += length;
    conn->unacked += length;
    join_ranges(conn);
    conn->tell |= TELL_READABLE;
    if (conn->unacked > conn->mss)
        conn->ack_now = true;
    else if (conn->ack_at_ns == TCP_NEVER)
        conn->ack_at_ns = conn->stack->now_ns + conn->stack->config.delayed_ack_ns;
}

/* Of a packet from a bound queue only what is in host memory goes into the ring; the rest stays where it is and
 * leaves a gap there. */
static void put(struct tcp_conn *conn, const struct tcp_segment *segment, uint32_t skip,
                uint32_t from, uint32_t length)
{
    uint32_t offset = conn->receive.used + (from - conn->rcv_nxt);
    uint32_t host = skip < segment->linear ? tcp_min(segment->linear - skip, length) : 0;
    if (host > 0)
        tcp_ring_write(&conn->receive, offset, segment->data + skip, host);
    if (segment->skb != NULL)
        tcp_devmem_note(conn, segment, skip, from, length);
}

/* The segment's data behind `skip` bytes stands at `from`, inside the window. false: no memory or no room for an
 * island. */
static bool place(struct tcp_conn *conn, const struct tcp_segment *segment, uint32_t from,
                  uint32_t length)
{
    uint32_t offset = conn->receive.used + (from - conn->rcv_nxt);
    if (tcp_ring_reserve(conn->stack->config.alloc, &conn->receive, offset + length) != 0) {
        conn->stack->counters.no_memory++;
        return false;
    }
    if (segment->skb != NULL && tcp_devmem_reserve(conn, segment, from, length) != 0) {
        conn->stack->counters.no_memory++;
        return false;
    }
    if (from != conn->rcv_nxt && !keep_range(conn, from, from + length))
        return false;
    put(conn, segment, from - segment->seq, from, length);
    if (from == conn->rcv_nxt)
        advance(conn, length);
    else
        conn->ack_now = true; /* the sender counts these */
    return true;
}

static void reached_fin(struct tcp_conn *conn)
{
    conn->fin_done = true;
    conn->rcv_nxt++;
    conn->ack_now = true;
    conn->tell |= TELL_EOF;
    if (conn->state == TCP_ESTABLISHED)
        conn->state = TCP_CLOSE_WAIT;
    else if (conn->state == TCP_FIN_WAIT_1)
        conn->state = TCP_CLOSING;
    else if (conn->state == TCP_FIN_WAIT_2)
        tcp_enter_time_wait(conn);
}

/* Nobody will read what comes now: a peer must not believe it arrived. */
static bool nobody_reads(const struct tcp_conn *conn)
{
    return conn->released && conn->listener == NULL;
}

void tcp_take_data(struct tcp_conn *conn, const struct tcp_segment *segment)
{
    uint32_t from = segment->seq, end = from + segment->length;
    bool fin = (segment->flags & FIN) != 0;
    if (conn->fin_done || (segment->length == 0 && !fin))
        return;
    uint32_t edge = seq_before(conn->rcv_nxt, conn->rcv_adv) ? conn->rcv_adv : conn->rcv_nxt;
    if (conn->fin_known && seq_before(conn->fin_seq, edge))
        edge = conn->fin_seq; /* nothing is behind a FIN */
    if (fin && !conn->fin_known && seq_upto(conn->rcv_nxt, end) && seq_upto(end, edge)) {
        conn->fin_known = true;
        conn->fin_seq = end;
        conn->ack_now = true;
    }
    if (seq_before(from, conn->rcv_nxt)) {
        conn->ack_now = true;
        if (seq_upto(end, conn->rcv_nxt))
            from = end = conn->rcv_nxt;
        else
            from = conn->rcv_nxt;
    }
    if (seq_before(edge, end))
        end = edge;
    if (seq_before(from, end)) {
        if (nobody_reads(conn)) {
            tcp_send_reset(conn);
            tcp_conn_end(conn);
            return;
        }
        if (!place(conn, segment, from, end - from))
            return;
    }
    if (conn->fin_known && conn->rcv_nxt == conn->fin_seq)
        reached_fin(conn);
}
