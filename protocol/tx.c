/* Sending: the application's bytes into the send buffer, from there into the peer's ring, then the CDC that announces them.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conn.h"

enum { AUTOCORK_BYTES_MAX = 65536, SNDBUF_BYTES_MIN = 16384 };

static uint32_t room(const struct smc_connection *c)
{
    return c->snd_ring - (uint32_t)smc_cursor_distance(c->snd_fin, c->snd_prep, c->snd_ring);
}

/* While urgent data are under way Linux takes no more from the application; the RFC only wants them not written. */
static bool urgent_blocks(const struct smc_connection *c)
{
    return c->ep->profile.urgent_blocks_window && (c->urg_tx_pending || c->urg_tx_wait);
}

static int may_write(const struct smc_connection *c)
{
    if (!smc_conn_moves_data(c) || !c->started)
        return SMC_ERR_STATE;
    if (c->error != 0)
        return SMC_ERR_RESET;
    if (c->shut_write || c->app_closed)
        return SMC_ERR_CLOSED;
    return c->group == NULL || (c->rx_conn_flags & (SMC_CONN_C | SMC_CONN_A)) != 0 ? SMC_ERR_RESET : 0;
}

/* ---- Into the send buffer ---- */
static void put(struct smc_connection *c, const uint8_t *data, uint32_t n)
{
    uint8_t *buffer = smc_transport_sndbuf(c);
    uint32_t first = n < c->snd_ring - c->snd_prep.count ? n : c->snd_ring - c->snd_prep.count;
    memcpy(buffer + c->snd_prep.count, data, first);
    if (n > first)
        memcpy(buffer, data + first, n - first);
    c->snd_prep = smc_cursor_add(c->snd_prep, c->snd_ring, n);
}

/* Data are held back while the application says that more will come. Linux waits for it (or for the buffer to be full), the RFC
 * wants a timer [CURSOR-014]. */
static bool corked(const struct smc_connection *c)
{
    return (c->cork || c->more) && room(c) > 0 && c->close_want == 0;
}

static bool autocorked(const struct smc_connection *c)
{
    uint32_t limit = c->snd_ring / 2 < AUTOCORK_BYTES_MAX ? c->snd_ring / 2 : AUTOCORK_BYTES_MAX;
    return c->ep->config.autocork && !c->nodelay && c->cdc_pending > 0 && smc_tx_pending(c) <= limit && c->close_want == 0;
}

bool smc_tx_waits(const struct smc_connection *c)
{
    if (c->urg_tx_pending || c->work_tx)
        return false;
    return corked(c) || autocorked(c);
}

static void hold(struct smc_connection *c)
{
    if (corked(c)) {
        smc_conn_counters(c)->cork++;
        if (c->ep->profile.cork_ns != 0 && c->timer_kind == 0)
            smc_conn_timer_set(c, SMC_CONN_TIMER_CORK, c->ep->profile.cork_ns);
    }
}

/* What a push finds wrong is told by smc_conn_work(), which meets it again. */
static void push_now(struct smc_connection *c)
{
    if (smc_tx_push(c) != 0) {
        c->work_tx = true;
        smc_ep_work(c);
    }
}

static void count(struct smc_connection *c, size_t taken)
{
    struct smc_path_counters *k = smc_conn_counters(c);
    c->tx_bytes += taken;
    k->tx_bytes += taken;
    k->tx_requests++;
    k->tx_size[smc_conn_size_class(taken)]++;
}

static size_t take(struct smc_connection *c, const uint8_t *data, size_t length, unsigned flags)
{
    size_t taken = 0;
    while (taken < length) {
        uint32_t n = room(c);
        if (n == 0 || urgent_blocks(c))
            break;
        if (n > length - taken)
            n = (uint32_t)(length - taken);
        put(c, data + taken, n);
        taken += n;
        if (taken == length && (flags & SMC_MSG_OOB) != 0)
            smc_urgent_queue(c);
        if (smc_tx_waits(c))
            hold(c);
        else
            push_now(c);
    }
    return taken;
}

int64_t smc_send(struct smc_connection *c, const void *data, size_t length, unsigned flags, uint64_t now_ns)
{
    c->ep->now_ns = now_ns;
    int error = may_write(c);
    if (error != 0 || length == 0)
        return error;
    if (c->sndbuf == NULL) {
        error = smc_buf_sndbuf(c);
        if (error != 0)
            return error == SMC_ERR_NOMEM ? error : SMC_ERR_NOMEM;
        smc_conn_rings(c);
    }
    c->more = (flags & SMC_MSG_MORE) != 0;
    size_t taken = take(c, data, length, flags);
    if (taken < length)
        c->want_write = true; /* after the last look at the room: whatever makes room later tells (B-29) */
    if (taken == 0) {
        smc_conn_counters(c)->tx_buffer_full++;
        return SMC_ERR_WOULDBLOCK;
    }
    count(c, taken);
    return (int64_t)taken;
}

uint32_t smc_writable(const struct smc_connection *c)
{
    if (may_write(c) != 0 || urgent_blocks(c))
        return 0;
    return c->sndbuf != NULL ? room(c) : SNDBUF_BYTES_MIN; /* as little as any buffer will have */
}

void smc_tx_freed(struct smc_connection *c)
{
    if (!c->want_write || room(c) == 0 || urgent_blocks(c))
        return;
    c->want_write = false;
    smc_ep_event(c, SMC_EVENT_WRITABLE);
}

void smc_tx_drop(struct smc_connection *c)
{
    c->snd_prep = c->snd_sent;
    c->urg_tx_pending = false;
    c->work_tx = false;
    smc_conn_timer_stop(c, SMC_CONN_TIMER_CORK);
}

/* ---- Into the peer's ring ---- */
/* B is set with the write that uses the window up and goes with the next write that does not [CURSOR-003]. */
static int write_and_announce(struct smc_connection *c, uint32_t n, bool blocked, bool urgent)
{
    int error = smc_transport_write(c, c->snd_sent, c->tx_prod, n); /* [CDC-007] */
    if (error != 0)
        return error;
    c->snd_sent = smc_cursor_add(c->snd_sent, c->snd_ring, n);
    c->tx_prod = smc_cursor_add(c->tx_prod, c->tx_ring, n);
    c->tx_prod_flags = (uint8_t)(blocked ? c->tx_prod_flags | SMC_PROD_B : c->tx_prod_flags & ~SMC_PROD_B);
    if (urgent)
        smc_urgent_written(c);
    error = smc_cdc_send(c, c->tx_conn_flags);
    if (error == 0 && c->mode == SMC_MODE_D)
        smc_tx_freed(c);
    return error;
}

static int write_all(struct smc_connection *c)
{
    for (;;) {
        bool urgent = false;
        uint32_t pending = smc_tx_pending(c), window = smc_tx_window(c); /* [CURSOR-001] [CURSOR-013] */
        uint32_t allowed = smc_tx_allowed(c); /* no more than the window */
        uint32_t n = smc_urgent_limit(c, pending < allowed ? pending : allowed, &urgent);
        if (n == 0)
            return 0;
        if (!smc_transport_room(c)) {
            smc_conn_wait_slot(c);
            c->work_tx = true;
            return SMC_ERR_NOSPACE;
        }
        int error = write_and_announce(c, n, pending >= window && allowed == window, urgent);
        if (error != 0)
            return error;
    }
}

/* With nothing to write that may be written: B and P are told all the same [CURSOR-016]. */
static int tell_flags(struct smc_connection *c)
{
    if (smc_tx_pending(c) > 0 && smc_tx_window(c) == 0) {
        if ((c->tx_prod_flags & SMC_PROD_B) == 0)
            smc_conn_counters(c)->tx_buffer_full_peer++;
        c->tx_prod_flags |= SMC_PROD_B;
    }
    if ((c->tx_prod_flags & ~c->told_flags & (SMC_PROD_B | SMC_PROD_P)) == 0)
        return 0;
    return smc_cdc_send(c, c->tx_conn_flags);
}

int smc_tx_push(struct smc_connection *c)
{
    c->work_tx = false;
    if (!smc_conn_may_send(c) || (c->tx_conn_flags & SMC_CONN_D) != 0)
        return 0;
    if (c->timer_kind == SMC_CONN_TIMER_CORK)
        smc_conn_timer_stop(c, SMC_CONN_TIMER_CORK);
    int error = write_all(c);
    if (error == 0)
        error = tell_flags(c);
    return error == SMC_ERR_NOSPACE ? 0 : error;
}
