/* What an ACK does: bytes leave the send buffer, the windows move, losses are noticed.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/tcp_parts.h"

#define CWND_MAX (UINT32_C(1) << 30)

static void grow_cwnd(struct tcp_conn *conn, uint32_t acked)
{
    uint32_t mss = conn->mss;
    if (conn->cwnd < conn->ssthresh) {
        conn->cwnd += tcp_min(acked, mss);
    } else {
        conn->acked_part += acked; /* one segment a window (RFC 5681 section 3.1) */
        if (conn->acked_part >= conn->cwnd) {
            conn->acked_part -= conn->cwnd;
            conn->cwnd += mss;
        }
    }
    conn->cwnd = tcp_min(conn->cwnd, CWND_MAX);
}

/* RFC 6582: a partial ACK uncovers the next hole, a full one ends the recovery. */
static void in_recovery(struct tcp_conn *conn, uint32_t acked)
{
    if (seq_upto(conn->recover, conn->snd_una)) {
        uint32_t flight = conn->snd_max - conn->snd_una;
        conn->cwnd = tcp_min(conn->ssthresh, (flight > conn->mss ? flight : conn->mss) + conn->mss);
        conn->recovering = false;
        return;
    }
    tcp_resend_first(conn);
    conn->cwnd = conn->cwnd > acked ? conn->cwnd - acked : 0;
    conn->cwnd += conn->mss;
}

static void drop_acked(struct tcp_conn *conn, uint32_t acked)
{
    uint32_t data = tcp_min(acked, conn->send.used);
    tcp_ring_drop(&conn->send, data);
    if (acked > data && conn->fin_sent)
        conn->fin_acked = true;
    if (conn->send.used == 0)
        tcp_ring_free(conn->stack->config.alloc, &conn->send);
    uint32_t room = conn->send_limit - conn->send.used;
    if (conn->want_room && room >= conn->send_limit / 3) {
        conn->want_room = false;
        conn->tell |= TELL_WRITABLE;
    }
}

static void new_ack(struct tcp_conn *conn, uint32_t ack)
{
    uint32_t acked = ack - conn->snd_una;
    drop_acked(conn, acked);
    conn->snd_una = ack;
    if (seq_before(conn->snd_nxt, ack))
        conn->snd_nxt = ack;
    if (conn->timing && seq_upto(conn->rtt_seq, ack)) { /* never of a byte sent twice */
        conn->timing = false;
        tcp_measured(conn, conn->stack->now_ns - conn->rtt_start_ns);
    }
    if (conn->urgent_out && seq_upto(conn->snd_up, ack))
        conn->urgent_out = false;
    conn->tries = 0;
    conn->duplicates = 0;
    conn->rtx_at_ns = TCP_NEVER;
    if (conn->recovering)
        in_recovery(conn, acked);
    else
        grow_cwnd(conn, acked);
}

static void duplicate_ack(struct tcp_conn *conn)
{
    if (conn->duplicates < UINT8_MAX)
        conn->duplicates++;
    if (conn->recovering) {
        conn->cwnd = tcp_min(conn->cwnd + conn->mss, CWND_MAX);
        return;
    }
    if (conn->duplicates != TCP_DUPLICATES || seq_upto(conn->snd_una, conn->recover))
        return;
    uint32_t flight = conn->snd_max - conn->snd_una;
    conn->ssthresh = flight / 2 > 2u * conn->mss ? flight / 2 : 2u * conn->mss;
    conn->recover = conn->snd_max;
    conn->recovering = true;
    tcp_resend_first(conn);
    conn->cwnd = conn->ssthresh + TCP_DUPLICATES * conn->mss;
    conn->rtx_at_ns = TCP_NEVER; /* counts from now */
}

static void take_window(struct tcp_conn *conn, const struct tcp_segment *segment)
{
    bool newer = seq_before(conn->snd_wl1, segment->seq) ||
                 (conn->snd_wl1 == segment->seq && seq_upto(conn->snd_wl2, segment->ack));
    if (!newer || segment->ack != conn->snd_una)
        return;
    conn->snd_wnd = (uint32_t)segment->window << conn->send_scale;
    conn->snd_wl1 = segment->seq;
    conn->snd_wl2 = segment->ack;
    if (conn->snd_wnd > conn->snd_wnd_max)
        conn->snd_wnd_max = conn->snd_wnd;
    if (seq_before(conn->snd_edge, conn->snd_una + conn->snd_wnd))
        conn->snd_edge = conn->snd_una + conn->snd_wnd;
}

bool tcp_take_ack(struct tcp_conn *conn, const struct tcp_segment *segment)
{
    uint32_t window = (uint32_t)segment->window << conn->send_scale;
    if (seq_before(conn->snd_max, segment->ack) ||
        seq_before(segment->ack, conn->snd_una - conn->snd_wnd_max)) { /* RFC 5961 section 5.2 */
        tcp_challenge(conn);
        return false;
    }
    if (conn->probing) /* alive, however closed the window */
        conn->silent = 0;
    if (seq_before(conn->snd_una, segment->ack))
        new_ack(conn, segment->ack);
    else if (segment->ack == conn->snd_una && segment->length == 0 && window == conn->snd_wnd &&
             (segment->flags & (SYN | FIN)) == 0 && conn->snd_una != conn->snd_max &&
             !conn->probing)
        duplicate_ack(conn);
    take_window(conn, segment);
    return true;
}
