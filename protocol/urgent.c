/* Urgent data (RFC 7609 4.7.5, 4.7.6): announced at once, marked by a cursor, read in line or beside the stream.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conn.h"

/* ---- The writer ---- */
/* A second urgent byte takes the place of one that was not written yet, as with TCP. P is told again: the peer shall read on. */
void smc_urgent_queue(struct smc_connection *c)
{
    c->urg_tx_pending = true;
    c->urg_tx_end = c->snd_prep;
    c->tx_prod_flags |= SMC_PROD_P;
    c->told_flags &= (uint8_t)~SMC_PROD_P;
    smc_conn_counters(c)->urgent_sent++;
}

uint32_t smc_urgent_limit(const struct smc_connection *c, uint32_t n, bool *urgent)
{
    if (c->urg_tx_wait) /* [CURSOR-017] */
        return 0;
    if (!c->urg_tx_pending)
        return n;
    uint32_t end = (uint32_t)smc_cursor_distance(c->snd_sent, c->urg_tx_end, c->snd_ring);
    *urgent = n >= end;
    return n < end ? n : end;
}

/* The cursor is one beyond the urgent byte [CURSOR-015]. Nothing is written until the peer has consumed it; as nothing is, that
 * is also when the window is wide open again, so that both rules of A-10 come to the same here. */
void smc_urgent_written(struct smc_connection *c)
{
    c->tx_prod_flags |= SMC_PROD_P | SMC_PROD_U;
    c->urg_tx_pending = false;
    c->urg_tx_wait = true;
}

static void clear(struct smc_connection *c)
{
    c->tx_prod_flags &= (uint8_t)~SMC_PROD_U;
    if (!c->urg_tx_pending)
        c->tx_prod_flags &= (uint8_t)~SMC_PROD_P;
}

/* A message says U once. The block in a DMB is looked at when the peer gets to it, and only the last one is seen: there U stands
 * until it is answered, or it would be lost together with the end of the wait [SMCD-007]. */
void smc_urgent_told(struct smc_connection *c)
{
    if ((c->tx_prod_flags & SMC_PROD_U) != 0 && (c->mode == SMC_MODE_R || !c->urg_tx_wait))
        clear(c);
}

void smc_urgent_consumed(struct smc_connection *c)
{
    if (!c->urg_tx_wait || !smc_cursor_equal(c->tx_cons, c->tx_prod))
        return;
    c->urg_tx_wait = false;
    clear(c);
    smc_tx_freed(c);
}

/* ---- The reader ---- */
static uint32_t before_mark(const struct smc_connection *c)
{
    return (uint32_t)smc_cursor_distance(c->rx_cons, c->urg_rx_cursor, c->rx_ring) - 1;
}

/* U says that the last byte announced is urgent. It is looked at only if it is a byte that nobody has read: that keeps it inside
 * the ring whatever the peer says [CURSOR-019] [CURSOR-027]. */
static void mark(struct smc_connection *c)
{
    if (smc_rx_unread(c) == 0 || (c->rx_conn_flags & (SMC_CONN_D | SMC_CONN_C)) != 0)
        return;
    struct smc_cursor at = smc_cursor_back(c->rx_prod, c->rx_ring, 1);
    c->urg_rx_cursor = c->rx_prod;
    c->urg_rx_byte = smc_transport_ring(c)[at.count];
    c->urg_rx_valid = c->urg_rx_mark = true;
    c->urg_rx_skip = !c->oob_inline;
    c->urg_rx_pending = false;
    smc_conn_counters(c)->urgent_received++;
    if (c->started)
        smc_ep_event(c, SMC_EVENT_URGENT);
}

void smc_urgent_input(struct smc_connection *c, uint8_t before, uint8_t flags)
{
    bool fresh = !smc_cursor_equal(c->urg_rx_cursor, c->rx_prod);
    if ((flags & SMC_PROD_P) == 0)
        c->urg_rx_pending = false;
    else if ((before & SMC_PROD_P) == 0 && (flags & SMC_PROD_U) == 0) {
        c->urg_rx_pending = true;
        if (c->started)
            smc_ep_event(c, SMC_EVENT_URGENT);
    }
    if ((flags & SMC_PROD_U) != 0 && (fresh || (before & SMC_PROD_U) == 0))
        mark(c);
}

/* In line a read ends before the mark, and the next one begins with the urgent byte [CURSOR-020]. */
uint32_t smc_urgent_readable(struct smc_connection *c, uint32_t n, bool first)
{
    if (!c->urg_rx_mark)
        return n;
    uint32_t before = before_mark(c);
    if (before > 0)
        return n < before ? n : before;
    if (c->urg_rx_skip) {
        smc_urgent_skip(c);
        return n - 1;
    }
    return first ? n : 0;
}

/* Consumed: the peer must know, whatever the window [CURSOR-018]. */
void smc_urgent_passed(struct smc_connection *c, uint32_t n)
{
    if (!c->urg_rx_mark || before_mark(c) >= n)
        return;
    c->urg_rx_mark = c->urg_rx_skip = false;
    if (c->oob_inline)
        c->urg_rx_valid = false;
    c->work_cdc = true;
}

/* The reader has come to the mark: the byte is beside the stream, and its copy can still be read. That does not depend on whether
 * the copy was read before or will be. */
void smc_urgent_skip(struct smc_connection *c)
{
    if (c->urg_rx_mark && c->urg_rx_skip && before_mark(c) == 0)
        smc_rx_consume(c, 1);
}

int64_t smc_urgent_read(struct smc_connection *c, void *data, size_t length, unsigned flags)
{
    if (c->oob_inline || (!c->urg_rx_valid && !c->urg_rx_pending))
        return SMC_ERR_ARGUMENT;
    if (!c->urg_rx_valid)
        return SMC_ERR_WOULDBLOCK;
    if (length == 0)
        return 0;
    *(uint8_t *)data = c->urg_rx_byte;
    if (flags & SMC_MSG_PEEK)
        return 1;
    c->urg_rx_valid = false;
    smc_urgent_skip(c);
    return 1;
}

uint32_t smc_urgent_hidden(const struct smc_connection *c)
{
    return c->urg_rx_mark && c->urg_rx_skip ? 1 : 0;
}
