/* How a connection ends: D, C and A, the socket states of state-machines §4, the timers, and TCP beside it.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conn.h"

enum { CLOSED_ANY = SMC_CONN_C | SMC_CONN_A };

static bool said_close(const struct smc_connection *c)
{
    return (c->tx_conn_flags & CLOSED_ANY) != 0;
}

static bool peer_said_close(const struct smc_connection *c)
{
    return (c->rx_conn_flags & CLOSED_ANY) != 0;
}

/* Can something still be said to the peer, and its completion be waited for? */
static bool connected(const struct smc_connection *c)
{
    if (c->group == NULL || c->group->dying)
        return false;
    return c->mode == SMC_MODE_D || (c->link != NULL && !c->link->going_down);
}

static void enter(struct smc_connection *c, enum smc_state state)
{
    c->state = (uint8_t)state;
    if (state != SMC_STATE_CLOSED)
        return;
    c->killed = true;
    smc_conn_timer_stop(c, SMC_CONN_TIMER_DRAIN);
    smc_conn_timer_stop(c, SMC_CONN_TIMER_GUARD);
}

/* ---- TCP ---- */
static void tcp_fin(struct smc_connection *c)
{
    if (c->tcp_dead || c->tcp_fin_sent)
        return;
    c->tcp_fin_sent = true;
    c->ep->config.ops->tcp_shutdown(c->ep->config.host, c->user);
}

static void tcp_abort(struct smc_connection *c)
{
    if (c->tcp_dead)
        return;
    c->tcp_dead = true;
    c->ep->config.ops->tcp_abort(c->ep->config.host, c->user);
}

/* TCP is closed after SMC: its FIN leaves when C has arrived, so that it does not overtake it on another way [CLOSE-023]
 * [CLOSE-024]. */
void smc_close_completed(struct smc_connection *c)
{
    if (!c->fin_due || (c->cdc_pending > 0 && connected(c)) || c->work_failover)
        return;
    c->fin_due = false;
    tcp_fin(c);
}

/* ---- The end ---- */
static void leave(struct smc_connection *c)
{
    smc_timer_cancel(&c->ep->timers, &c->timer);
    c->timer_kind = 0;
    smc_list_remove(&c->wants_slot);
    if (c->group == NULL)
        return;
    c->peer_silent = c->started ? !peer_said_close(c) : c->offered; /* its RMBE may still be written to [CLOSE-020] */
    c->work_failover = false;
    smc_group_detach(c);
}

static void tell_closed(struct smc_connection *c)
{
    if (!c->closed_told)
        smc_ep_event(c, SMC_EVENT_CLOSED);
    c->closed_told = true;
}

/* The last word must have left, and what was posted be completed: it names memory that would be used again (B-11, B-45). */
void smc_close_finish(struct smc_connection *c)
{
    if (c->freed || c->state != SMC_STATE_CLOSED)
        return;
    if (connected(c) && (c->cdc_pending > 0 || c->work_failover || (c->close_want & ~c->tx_conn_flags) != 0))
        return;
    leave(c);
    if (c->started)
        tcp_fin(c);
    tell_closed(c);
    if (c->app_closed && c->cdc_pending == 0)
        smc_ep_doom(c);
}

/* ---- What the application does ---- */
static void guard(struct smc_connection *c)
{
    if (c->app_closed && c->ep->profile.close_guard_ns != 0 && c->state != SMC_STATE_CLOSED)
        smc_conn_timer_set(c, SMC_CONN_TIMER_GUARD, c->ep->profile.close_guard_ns); /* [CLOSE-014] [CLOSE-017] */
}

static void want_abort(struct smc_connection *c)
{
    smc_tx_drop(c);
    c->close_want = (uint8_t)(said_close(c) ? c->tx_conn_flags : SMC_CONN_A);
    smc_conn_timer_stop(c, SMC_CONN_TIMER_DRAIN);
    smc_ep_work(c);
}

/* Both directions. What was not read is lost to the peer: that must be told by A [CLOSE-002]. What was not sent is waited for
 * [CLOSE-003]; if the time for it is nought, or up, the stream has lost its end, which C would deny. */
static void begin_close(struct smc_connection *c)
{
    uint64_t drain = c->linger_set ? c->linger_ns : c->ep->profile.close_drain_ns;
    bool waiting = smc_tx_pending(c) > 0 || c->work_failover;
    if (said_close(c) || (c->close_want & SMC_CONN_A) != 0) { /* an A that still waits for a slot, or for another link, stays one */
        guard(c);
        return;
    }
    if (smc_rx_unread(c) > 0 || (smc_tx_pending(c) > 0 && drain == 0)) {
        want_abort(c);
        return;
    }
    c->close_want = SMC_CONN_C;
    smc_conn_timer_stop(c, SMC_CONN_TIMER_CORK);
    if (waiting && c->timer_kind == 0)
        smc_conn_timer_set(c, SMC_CONN_TIMER_DRAIN, drain);
    smc_ep_work(c);
}

static void close_unstarted(struct smc_connection *c)
{
    if (c->hs != NULL)
        smc_hs_abandon(c);
    leave(c);
    enter(c, SMC_STATE_CLOSED);
    tell_closed(c);
    if (c->app_closed)
        smc_ep_doom(c);
}

void smc_close(struct smc_connection *c, uint64_t now_ns)
{
    c->ep->now_ns = now_ns;
    if (c->app_closed)
        return;
    c->app_closed = c->shut_read = c->shut_write = true;
    c->want_write = false;
    if (!c->started) {
        close_unstarted(c);
        return;
    }
    switch (c->state) {
    case SMC_STATE_CLOSED:
        smc_ep_work(c);
        smc_close_finish(c);
        break;
    case SMC_STATE_PROCESSABORT: /* A is answered by A [CLOSE-016] */
        want_abort(c);
        break;
    case SMC_STATE_APPFINCLOSEWAIT:
        if (said_close(c))
            enter(c, SMC_STATE_CLOSED);
        begin_close(c);
        smc_ep_work(c);
        break;
    default:
        begin_close(c);
    }
}

static bool may_shut(const struct smc_connection *c)
{
    switch (c->state) {
    case SMC_STATE_ACTIVE:
    case SMC_STATE_PEERCLOSEWAIT1:
    case SMC_STATE_PEERCLOSEWAIT2:
    case SMC_STATE_APPCLOSEWAIT1:
    case SMC_STATE_APPCLOSEWAIT2:
    case SMC_STATE_APPFINCLOSEWAIT:
        return c->started && !c->app_closed;
    default:
        return false;
    }
}

int smc_shutdown(struct smc_connection *c, enum smc_how how, uint64_t now_ns)
{
    c->ep->now_ns = now_ns;
    if (how != SMC_SHUT_RD && how != SMC_SHUT_WR && how != SMC_SHUT_RDWR)
        return SMC_ERR_ARGUMENT;
    if (!may_shut(c))
        return SMC_ERR_STATE;
    c->shut_read |= how != SMC_SHUT_WR;
    if (how == SMC_SHUT_RD || (how == SMC_SHUT_WR && c->shut_write))
        return 0;
    c->shut_write = true;
    c->want_write = false;
    if (how == SMC_SHUT_RDWR) {
        begin_close(c);
        return 0;
    }
    c->close_want |= SMC_CONN_D; /* as soon as everything is sent, however long that takes: the socket is still open */
    smc_ep_work(c);
    return 0;
}

/* ---- Telling the peer ---- */
static enum smc_state after_final(const struct smc_connection *c, bool abort)
{
    bool wait_for_abort = abort && !c->ep->profile.abort_closes_at_once; /* */
    switch (c->state) {
    case SMC_STATE_ACTIVE:
        return wait_for_abort ? SMC_STATE_PEERABORTWAIT : SMC_STATE_PEERCLOSEWAIT1;
    case SMC_STATE_PEERCLOSEWAIT1:
    case SMC_STATE_PEERCLOSEWAIT2:
        return wait_for_abort ? SMC_STATE_PEERABORTWAIT : (enum smc_state)c->state;
    case SMC_STATE_APPCLOSEWAIT1:
    case SMC_STATE_APPCLOSEWAIT2:
        if (peer_said_close(c))
            return SMC_STATE_CLOSED;
        return wait_for_abort ? SMC_STATE_PEERABORTWAIT : SMC_STATE_PEERFINCLOSEWAIT; /* [CLOSE-012] */
    case SMC_STATE_APPFINCLOSEWAIT: /* [CLOSE-010]; after shutdown(RDWR) the application still holds the socket */
    case SMC_STATE_PROCESSABORT:
        return SMC_STATE_CLOSED;
    default:
        return (enum smc_state)c->state;
    }
}

static void final_sent(struct smc_connection *c, bool abort)
{
    smc_conn_timer_stop(c, SMC_CONN_TIMER_DRAIN);
    c->fin_due = true;
    enter(c, after_final(c, abort));
    guard(c);
}

static void done_sent(struct smc_connection *c)
{
    if (c->state == SMC_STATE_ACTIVE)
        enter(c, SMC_STATE_PEERCLOSEWAIT1);
    else if (c->state == SMC_STATE_APPCLOSEWAIT1)
        enter(c, SMC_STATE_APPCLOSEWAIT2); /* [CLOSE-011] */
    c->fin_due |= c->ep->profile.fin_with_done;
}

int smc_close_step(struct smc_connection *c)
{
    uint8_t due = c->close_want & (uint8_t)~c->tx_conn_flags;
    if (due == 0 || said_close(c) || c->work_failover || c->group == NULL)
        return 0;
    if ((due & SMC_CONN_A) == 0 && smc_tx_pending(c) > 0)
        return 0;
    if ((due & SMC_CONN_C) != 0 && smc_rx_unread(c) > 0)
        due = SMC_CONN_A; /* it came while the own data were drained [CLOSE-002] */
    int error = smc_cdc_send(c, c->tx_conn_flags | due);
    if (error != 0)
        return error == SMC_ERR_NOSPACE ? 0 : error;
    c->close_want |= due;
    if (due & CLOSED_ANY) {
        c->close_want = c->tx_conn_flags;
        final_sent(c, (due & SMC_CONN_A) != 0);
    } else {
        done_sent(c);
    }
    return 0;
}

/* ---- What the peer does ---- */
static void fail(struct smc_connection *c, int error)
{
    if (c->error == 0)
        c->error = (int8_t)error;
    if (!c->app_closed)
        smc_ep_event(c, SMC_EVENT_ERROR);
}

static void peer_aborts(struct smc_connection *c)
{
    bool in_wait = c->state == SMC_STATE_PEERCLOSEWAIT1 || c->state == SMC_STATE_PEERCLOSEWAIT2;
    bool process = c->state == SMC_STATE_ACTIVE || c->state == SMC_STATE_APPCLOSEWAIT1 ||
                   c->state == SMC_STATE_APPFINCLOSEWAIT || in_wait;
    if (c->state == SMC_STATE_CLOSED || c->state == SMC_STATE_PROCESSABORT)
        return;
    if (said_close(c) && (in_wait || c->app_closed)) /* nothing may follow C or A [CLOSE-019] */
        process = false;
    c->killed = true; /* what is in the ring is purged [CDC-012] */
    smc_tx_drop(c);
    if (c->state != SMC_STATE_PEERABORTWAIT && !(c->app_closed && said_close(c)))
        fail(c, SMC_ERR_RESET);
    /* The answer [CLOSE-016], or the own A that was still to be said when the peer's came. */
    bool owed = process ? c->app_closed : (c->close_want & SMC_CONN_A) != 0 && !said_close(c);
    enter(c, process ? SMC_STATE_PROCESSABORT : SMC_STATE_CLOSED);
    c->close_want = (uint8_t)(owed ? SMC_CONN_A : c->tx_conn_flags);
    smc_conn_timer_stop(c, SMC_CONN_TIMER_DRAIN);
    smc_ep_work(c);
}

/* C in a state that waited for it. */
static void peer_closes(struct smc_connection *c)
{
    switch (c->state) {
    case SMC_STATE_PEERCLOSEWAIT1:
    case SMC_STATE_PEERCLOSEWAIT2:
        enter(c, c->app_closed && said_close(c) ? SMC_STATE_CLOSED : SMC_STATE_APPFINCLOSEWAIT); /* [CLOSE-008] [CLOSE-009] */
        break;
    case SMC_STATE_PEERFINCLOSEWAIT:
    case SMC_STATE_PEERABORTWAIT: /* it had closed before our A came */
        enter(c, SMC_STATE_CLOSED);
        break;
    default:
        break;
    }
}

void smc_close_input(struct smc_connection *c, uint8_t before)
{
    uint8_t flags = c->rx_conn_flags;
    if (flags & SMC_CONN_A) { /* wins over D and C */
        peer_aborts(c);
        return;
    }
    if ((before & (SMC_CONN_D | SMC_CONN_C)) == 0 && !c->app_closed)
        smc_ep_event(c, SMC_EVENT_EOF | SMC_EVENT_READABLE); /* [CLOSE-005] */
    if (c->state == SMC_STATE_ACTIVE)
        enter(c, SMC_STATE_APPCLOSEWAIT1);
    else if (c->state == SMC_STATE_PEERCLOSEWAIT1 && (flags & SMC_CONN_D) != 0)
        enter(c, SMC_STATE_PEERCLOSEWAIT2); /* [CLOSE-007] */
    if (flags & SMC_CONN_C) {
        peer_closes(c);
        if (smc_tx_pending(c) > 0 && !said_close(c))
            smc_close_abort(c, SMC_ERR_RESET); /* nobody will read it [CLOSE-006] */
    }
    smc_ep_work(c);
}

/* ---- Aborting ---- */
static void abort_unstarted(struct smc_connection *c, int error)
{
    if (c->mode == SMC_MODE_TCP || c->state == SMC_STATE_CLOSED)
        return;
    tcp_abort(c);
    fail(c, error);
    close_unstarted(c);
}

/* In a group that ends there is no time for an answer. A DMB can still be told at once; a message over a QP that is destroyed the
 * next moment would not leave. */
static void last_word(struct smc_connection *c)
{
    if (c->mode == SMC_MODE_D && c->group != NULL && !said_close(c))
        (void)smc_cdc_send(c, c->tx_conn_flags | SMC_CONN_A);
}

void smc_close_abort(struct smc_connection *c, int error)
{
    if (c->freed || !c->started) {
        if (!c->freed)
            abort_unstarted(c, error);
        return;
    }
    if (c->state != SMC_STATE_CLOSED) {
        c->killed = true;
        fail(c, error);
        want_abort(c);
        tcp_abort(c);
        bool over = !connected(c) || c->ep->profile.abort_closes_at_once || peer_said_close(c); /* */
        enter(c, over ? SMC_STATE_CLOSED : SMC_STATE_PEERABORTWAIT);
        if (!over && c->ep->profile.close_guard_ns != 0)
            smc_conn_timer_set(c, SMC_CONN_TIMER_GUARD, c->ep->profile.close_guard_ns); /* [CLOSE-017] */
    }
    if (!connected(c)) { /* [CLOSE-030] (B-41): whoever ends the group finds its connections gone */
        last_word(c);
        smc_close_finish(c);
    }
}

void smc_close_give_up(struct smc_connection *c)
{
    if (c->move_failed) /* the next move may succeed, and the RST be lost [SMCD-010] */
        last_word(c);
    c->close_want = c->tx_conn_flags;
    c->work_failover = false; /* what cannot be said again, were it C, is not waited for */
    enter(c, SMC_STATE_CLOSED);
    smc_close_finish(c);
}

void smc_close_tcp_eof(struct smc_connection *c)
{
    c->tcp_fin_received = true; /* C comes on another way, before or after: a FIN alone says nothing */
}

/* A reset after both, or one, have said C is only TCP's way of ending: no second error [CLOSE-018]. Where no timer guards the wait
 * for the peer's C it ends the wait. */
void smc_close_tcp_reset(struct smc_connection *c)
{
    c->tcp_dead = true;
    if (!c->started || c->state == SMC_STATE_CLOSED)
        return;
    if (!said_close(c)) {
        if (!peer_said_close(c))
            smc_close_abort(c, SMC_ERR_RESET);
    } else if (c->app_closed && c->timer_kind != SMC_CONN_TIMER_GUARD) {
        enter(c, SMC_STATE_CLOSED);
        smc_ep_work(c);
    }
}

void smc_close_timer(struct smc_connection *c, unsigned kind)
{
    if (kind == SMC_CONN_TIMER_DRAIN) {
        want_abort(c);
        return;
    }
    fail(c, SMC_ERR_TIMEOUT);
    tcp_abort(c);
    enter(c, SMC_STATE_CLOSED);
    c->close_want = c->tx_conn_flags;
    smc_ep_work(c);
}
