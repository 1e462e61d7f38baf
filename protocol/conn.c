/* A connection in mode R or D: its start, what is due for it, options, timer, and what can be seen of it.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conn.h"

/* "RMBE" in EBCDIC. What stands there is each implementation's own affair (RFC 7609 4.2). */
const uint8_t smc_conn_eyecatcher[SMC_EYECATCHER] = {0xd9, 0xd4, 0xc2, 0xc5};

void smc_conn_rings(struct smc_connection *c)
{
    const struct smc_group *g = c->group;
    uint32_t own = g->smc_d ? SMC_SMCD_BLOCK : g->eyecatcher_own ? SMC_EYECATCHER : 0;
    uint32_t peer = g->smc_d ? SMC_SMCD_BLOCK : g->eyecatcher_peer ? SMC_EYECATCHER : 0;
    c->rx_ring = c->rmb->rmbe_bytes - own; /* [SMCD-002] */
    if (c->peer_rmbe_bytes > peer)
        c->tx_ring = c->peer_rmbe_bytes - peer;
    if (c->sndbuf != NULL)
        c->snd_ring = c->sndbuf->ghost ? c->tx_ring : c->sndbuf->bytes;
}

/* What the peer said before this side knew that the handshake was over [CLOSE-026]. */
static void catch_up(struct smc_connection *c)
{
    unsigned events = SMC_EVENT_CONNECTED;
    if (smc_rx_unread(c) > 0)
        events |= SMC_EVENT_READABLE;
    if (c->urg_rx_pending || c->urg_rx_valid)
        events |= SMC_EVENT_URGENT;
    smc_ep_event(c, events);
    if (c->rx_conn_flags != 0)
        smc_close_input(c, 0);
    if (c->work_cdc)
        smc_ep_work(c);
}

void smc_conn_start(struct smc_connection *c)
{
    bool d = c->group->smc_d;
    c->mode = d ? SMC_MODE_D : SMC_MODE_R;
    if (d && c->sndbuf == NULL)
        (void)smc_smcd_attach(c); /* else data are copied [SMCD-028] */
    smc_conn_rings(c);
    if (!d && c->group->eyecatcher_own)
        memcpy(smc_transport_ring(c) - SMC_EYECATCHER, smc_conn_eyecatcher, SMC_EYECATCHER);
    c->state = SMC_STATE_ACTIVE;
    c->started = true;
    catch_up(c);
}

/* ---- What is due ---- */
static int steps(struct smc_connection *c)
{
    int error = c->work_failover ? smc_failover_step(c) : 0;
    if (error != 0 || c->work_failover)
        return error;
    if (c->move_failed)
        return SMC_ERR_IO;
    if (smc_tx_pending(c) > 0 && !smc_tx_waits(c))
        error = smc_tx_push(c);
    /* The end carries the cursors too. An update before it would take the only free slot again and again. */
    if (error == 0)
        error = smc_close_step(c);
    if (error == 0 && (c->work_cdc || c->work_cons))
        error = smc_rx_update(c);
    return error;
}

/* The device, or the link, has failed. A link that is down already has given up its connections; one that still has this one
 * cannot serve it. */
static void failed(struct smc_connection *c, int error)
{
    struct smc_link *link = c->link;
    if (c->mode == SMC_MODE_R && link != NULL && error != SMC_ERR_NOTFOUND) {
        smc_link_down(link);
        if (c->group == NULL || c->link != link)
            return;
    }
    smc_close_abort(c, SMC_ERR_RESET); /* [SMCD-010] */
    smc_close_give_up(c);
}

void smc_conn_work(struct smc_connection *c)
{
    if (c->freed || !c->started)
        return;
    int error = c->group != NULL && !c->group->dying ? steps(c) : 0;
    if (error != 0 && error != SMC_ERR_NOSPACE) {
        failed(c, error);
        return;
    }
    smc_close_completed(c);
    smc_close_finish(c);
}

void smc_conn_wait_slot(struct smc_connection *c)
{
    if (c->link != NULL && smc_list_empty(&c->wants_slot))
        smc_list_add_tail(&c->link->send_waiters, &c->wants_slot);
}

/* ---- Timer ---- */
static void timer_runs_out(struct smc_timer *timer)
{
    struct smc_connection *c = SMC_LIST_ENTRY(timer, struct smc_connection, timer);
    unsigned kind = c->timer_kind;
    c->timer_kind = 0;
    if (kind == SMC_CONN_TIMER_CORK) { /* [CURSOR-014] */
        c->more = false;
        c->work_tx = true;
        smc_ep_work(c);
    } else {
        smc_close_timer(c, kind);
    }
}

void smc_conn_timer_set(struct smc_connection *c, unsigned kind, uint64_t after_ns)
{
    uint64_t now = c->ep->now_ns;
    c->timer_kind = (uint8_t)kind;
    smc_timer_set(&c->ep->timers, &c->timer, after_ns < UINT64_MAX - now ? now + after_ns : UINT64_MAX - 1, timer_runs_out);
}

void smc_conn_timer_stop(struct smc_connection *c, unsigned kind)
{
    if (c->timer_kind != kind)
        return;
    c->timer_kind = 0;
    smc_timer_cancel(&c->ep->timers, &c->timer);
}

/* ---- Options ---- */
static void flush(struct smc_connection *c)
{
    if (!c->started)
        return; /* there is nothing, and the note would let the first write pass the cork */
    c->more = false;
    c->work_tx = true;
    smc_ep_work(c);
}

int smc_set_option(struct smc_connection *c, enum smc_option option, int64_t value, uint64_t now_ns)
{
    c->ep->now_ns = now_ns;
    switch (option) {
    case SMC_OPTION_NODELAY:
        c->nodelay = value != 0;
        if (c->nodelay)
            flush(c);
        smc_conn_counters(c)->nodelay += c->nodelay;
        return 0;
    case SMC_OPTION_CORK:
        c->cork = value != 0;
        if (!c->cork)
            flush(c);
        return 0;
    case SMC_OPTION_OOBINLINE:
        c->oob_inline = value != 0;
        return 0;
    case SMC_OPTION_LINGER_NS: /* negative: as if it had never been set */
        c->linger_set = value >= 0;
        c->linger_ns = value >= 0 ? (uint64_t)value : 0;
        return 0;
    case SMC_OPTION_KEEPALIVE:
        return 0; /* of the TCP connection, which is the host's */
    default:
        return SMC_ERR_ARGUMENT;
    }
}

/* ---- Looking in ---- */
unsigned smc_conn_size_class(uint64_t bytes)
{
    unsigned i = 0;
    while (i < SMC_STATS_SIZES - 1 && bytes > (UINT64_C(8192) << i))
        i++;
    return i;
}

static struct smc_cursor_info show(struct smc_cursor cursor)
{
    return (struct smc_cursor_info){.wrap = cursor.wrap, .count = cursor.count};
}

static void show_cursors(const struct smc_connection *c, struct smc_connection_info *out)
{
    out->rx_prod = show(c->rx_prod);
    out->rx_cons = show(c->rx_cons);
    out->tx_prod = show(c->tx_prod);
    out->tx_cons = show(c->tx_cons);
    out->tx_prep = show(c->snd_prep);
    out->tx_sent = show(c->snd_sent);
    out->tx_fin = show(c->snd_fin);
}

void smc_connection_get_info(const struct smc_connection *c, struct smc_connection_info *out)
{
    *out = (struct smc_connection_info){.state = (enum smc_state)c->state,
                                        .mode = (enum smc_mode)c->mode,
                                        .client = c->client,
                                        .version = c->version,
                                        .release = c->release,
                                        .fallback = c->fallback,
                                        .peer_diagnosis = c->peer_diagnosis,
                                        .group_id = c->group != NULL ? c->group->id : 0,
                                        .link_number = c->link != NULL ? c->link->number : 0,
                                        .alert_token = c->token,
                                        .peer_alert_token = c->peer_token,
                                        .rmb_bytes = c->rmb != NULL ? c->rmb->rmbe_bytes : 0,
                                        .sndbuf_bytes = c->sndbuf != NULL ? c->sndbuf->bytes : 0,
                                        .peer_rmb_bytes = c->peer_rmbe_bytes,
                                        .rx_prod_flags = c->rx_prod_flags,
                                        .rx_conn_flags = c->rx_conn_flags,
                                        .tx_prod_flags = c->told_flags,
                                        .tx_conn_flags = c->tx_conn_flags,
                                        .rx_bytes = c->rx_bytes,
                                        .tx_bytes = c->tx_bytes,
                                        .rx_cdc = c->rx_cdcs,
                                        .tx_cdc = c->tx_cdcs,
                                        .tx_writes = c->tx_writes};
    show_cursors(c, out);
}
