/* Receiving: from the own ring to the application, and the consumer cursor back to the peer.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conn.h"

enum { UPDATE_BYTES_MIN = 2304 };

/* ---- Consumer cursor updates (RFC 7609 4.5.1) ---- */
/* A tenth of the ring, and not less than 2304 bytes [CURSOR-023] (A-09, B-20): the RFC says "only if", so the larger of both keeps
 * both rules. The window is the one that the peer knows of. */
static bool update_wanted(const struct smc_connection *c)
{
    uint32_t gain = (uint32_t)smc_cursor_distance(c->rx_confirmed, c->rx_cons, c->rx_ring);
    uint32_t used = (uint32_t)smc_cursor_distance(c->rx_confirmed, c->rx_prod, c->rx_ring);
    uint64_t window = c->rx_ring - used;
    bool blocked = (c->rx_prod_flags & SMC_PROD_B) != 0;
    bool enough = (uint64_t)gain * 10 > c->rx_ring && gain > UPDATE_BYTES_MIN;
    if (gain == 0)
        return false;
    if (c->ep->profile.window_update_linux) /* B does not make a small gain worth a message */
        return enough && (window * 2 <= c->rx_ring || blocked);
    return blocked || (enough && window * 2 < c->rx_ring); /* [CURSOR-010] [CURSOR-011] */
}

int smc_rx_update(struct smc_connection *c)
{
    if (!smc_conn_may_send(c)) {
        if (!c->work_failover) /* else it waits for the new link, and is weighed again there */
            c->work_cdc = c->work_cons = false;
        return 0;
    }
    if (!c->work_cdc && !update_wanted(c)) {
        c->work_cons = false;
        return 0;
    }
    int error = smc_cdc_send(c, c->tx_conn_flags);
    return error == SMC_ERR_NOSPACE ? 0 : error; /* noted: smc_conn_work() tries again */
}

static void update_now(struct smc_connection *c)
{
    if (smc_rx_update(c) != 0 || c->work_failover) {
        c->work_cons = true;
        smc_ep_work(c);
    }
}

void smc_rx_consume(struct smc_connection *c, uint32_t n)
{
    smc_urgent_passed(c, n);
    c->rx_cons = smc_cursor_add(c->rx_cons, c->rx_ring, n);
}

/* ---- Reading ---- */
static void copy_out(const struct smc_connection *c, struct smc_cursor from, uint8_t *data, uint32_t n)
{
    const uint8_t *ring = smc_transport_ring(c);
    uint32_t first = n < c->rx_ring - from.count ? n : c->rx_ring - from.count;
    memcpy(data, ring + from.count, first);
    if (n > first)
        memcpy(data + first, ring, n - first);
}

static uint32_t read_some(struct smc_connection *c, uint8_t *data, size_t length, bool peek)
{
    size_t done = 0;
    while (done < length) {
        uint32_t unread = smc_rx_unread(c);
        uint32_t n = unread > 0 ? smc_urgent_readable(c, unread, done == 0) : 0;
        if (n > length - done)
            n = (uint32_t)(length - done);
        if (n == 0)
            break;
        copy_out(c, c->rx_cons, data + done, n);
        done += n;
        if (peek)
            break;
        smc_rx_consume(c, n);
    }
    if (!peek)
        smc_urgent_skip(c);
    return (uint32_t)done;
}

static void count(struct smc_connection *c, uint32_t n)
{
    struct smc_path_counters *k = smc_conn_counters(c);
    k->rx_bytes += n;
    k->rx_requests++;
    k->rx_size[smc_conn_size_class(n)]++;
}

static bool ended(const struct smc_connection *c)
{
    return (c->rx_conn_flags & (SMC_CONN_D | SMC_CONN_C)) != 0;
}

static int may_read(const struct smc_connection *c)
{
    if (!smc_conn_moves_data(c) || !c->started || c->app_closed)
        return SMC_ERR_STATE;
    return c->error != 0 ? SMC_ERR_RESET : 0;
}

int64_t smc_recv(struct smc_connection *c, void *data, size_t length, unsigned flags, uint64_t now_ns)
{
    c->ep->now_ns = now_ns;
    int64_t n = may_read(c);
    if (n != 0)
        return n;
    if (c->shut_read || c->group == NULL)
        return 0;
    if (flags & SMC_MSG_OOB) {
        n = smc_urgent_read(c, data, length, flags);
    } else {
        n = read_some(c, data, length < INT32_MAX ? length : INT32_MAX, (flags & SMC_MSG_PEEK) != 0);
        if (n > 0)
            count(c, (uint32_t)n);
        else if (length > 0 && !ended(c)) /* [CLOSE-005] */
            n = SMC_ERR_WOULDBLOCK;
    }
    update_now(c);
    return n;
}

uint32_t smc_readable(const struct smc_connection *c)
{
    if (may_read(c) != 0 || c->shut_read || c->group == NULL)
        return 0;
    return smc_rx_unread(c) - smc_urgent_hidden(c);
}
