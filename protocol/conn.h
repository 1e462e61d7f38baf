/* What the files of a connection's data share: conn.c tx.c rx.c cdc.c urgent.c close.c failover.c transport.c.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Everything here runs either in a function of the public API or in the run loop. What an arriving message or a completion
 * asks for is noted (work_* and smc_ep_work()) and done by smc_conn_work(), so that nothing is sent, and no link or group is
 * ended, from within a poll. The one who finds that the link is dead tells it from smc_conn_work() alone.
 *
 * Cursors: rx_* in the own RMBE, tx_* in the peer's, snd_* in the send buffer. They count from 0; only cdc.c knows that the wire
 * may count from 4. With the no-copy ring of SMC-D the send buffer is the peer's ring: snd_prep runs ahead of tx_prod in the same
 * memory, and the buffer is free again when the peer has consumed. */
#ifndef SMC_CONN_H
#define SMC_CONN_H

#include "core.h"

enum { /* producer flags, byte 24 of the message */
    SMC_PROD_B = 0x80,
    SMC_PROD_P = 0x40,
    SMC_PROD_U = 0x20,
    SMC_PROD_R = 0x10,
    SMC_PROD_F = 0x08
};
enum { /* connection flags, byte 25 */
    SMC_CONN_D = 0x80,
    SMC_CONN_C = 0x40,
    SMC_CONN_A = 0x20
};
enum {
    SMC_SMCD_BLOCK = 32, /* bytes of the CDC block in front of a DMB's ring */
    SMC_EYECATCHER = 4   /* bytes of the eyecatcher in front of an RMBE's ring, where there is one */
};
enum { SMC_CONN_TIMER_CORK = 1, SMC_CONN_TIMER_DRAIN, SMC_CONN_TIMER_GUARD };
enum { SMC_REPLAY_NONE, SMC_REPLAY_WAIT, SMC_REPLAY_VALIDATE, SMC_REPLAY_AGAIN, SMC_REPLAY_DATA, SMC_REPLAY_ANNOUNCE };

static inline bool smc_conn_moves_data(const struct smc_connection *c)
{
    return c->mode == SMC_MODE_R || c->mode == SMC_MODE_D;
}

static inline struct smc_path_counters *smc_conn_counters(struct smc_connection *c)
{
    return c->mode == SMC_MODE_D ? &c->ep->counters.d : &c->ep->counters.r;
}

static inline bool smc_conn_ghost(const struct smc_connection *c)
{
    return c->sndbuf != NULL && c->sndbuf->ghost;
}

/* Bytes put into the send buffer and not yet written to the peer. */
static inline uint32_t smc_tx_pending(const struct smc_connection *c)
{
    return (uint32_t)smc_cursor_distance(c->snd_sent, c->snd_prep, c->snd_ring);
}

/* Bytes the peer's ring has room for. */
static inline uint32_t smc_tx_window(const struct smc_connection *c)
{
    return c->tx_ring - (uint32_t)smc_cursor_distance(c->tx_cons, c->tx_prod, c->tx_ring);
}

/* Bytes that may be written now. Where a lost link's WRITEs may still come, in the network or a queue, the same bytes harm nobody;
 * new ones take their place only when the peer's queue pair is gone, even if it has long consumed the old ones. */
static inline uint32_t smc_tx_allowed(const struct smc_connection *c)
{
    uint32_t window = smc_tx_window(c);
    if (!c->stale_known)
        return window;
    uint32_t kept = c->tx_ring - (uint32_t)smc_cursor_distance(c->stale_from, c->tx_prod, c->tx_ring);
    return kept < window ? kept : window;
}

/* Bytes in the own ring that nobody has read, urgent ones too. */
static inline uint32_t smc_rx_unread(const struct smc_connection *c)
{
    return (uint32_t)smc_cursor_distance(c->rx_cons, c->rx_prod, c->rx_ring);
}

/* After C or A nothing may be sent any more [CDC-011] [CLOSE-015]. */
static inline bool smc_conn_may_send(const struct smc_connection *c)
{
    return c->group != NULL && !c->work_failover && (c->tx_conn_flags & (SMC_CONN_C | SMC_CONN_A)) == 0;
}

/* ---- conn.c */
extern const uint8_t smc_conn_eyecatcher[SMC_EYECATCHER];
void smc_conn_rings(struct smc_connection *c); /* sizes of the rings, as far as they are known */
void smc_conn_timer_set(struct smc_connection *c, unsigned kind, uint64_t after_ns);
void smc_conn_timer_stop(struct smc_connection *c, unsigned kind); /* if it is of that kind */
void smc_conn_wait_slot(struct smc_connection *c); /* smc_conn_work() when the link has a free slot */
/* 1, 2, 3 …: how the counters class a size. */
unsigned smc_conn_size_class(uint64_t bytes);

/* ---- transport.c: the same three things over a QP and over a DMB. */
/* Is there room for two WRITEs and a CDC? SMC-D: always. */
bool smc_transport_room(const struct smc_connection *c);
uint8_t *smc_transport_ring(const struct smc_connection *c); /* own ring, first byte of data */
uint8_t *smc_transport_sndbuf(const struct smc_connection *c);
/* n > 0 bytes of the send buffer from `from` on to the peer's ring from `to` on: up to 2 WRITEs, or 3 moves. 0, SMC_ERR_NOTFOUND
 * (peer's RMB or own buffer not known on this link), or what the device says. */
int smc_transport_write(struct smc_connection *c, struct smc_cursor from, struct smc_cursor to, uint32_t n);

/* ---- cdc.c */
/* A CDC with the next number and the present cursors and flags, and these connection flags besides, which become the
 * connection's when it is sent. 0, SMC_ERR_NOSPACE (smc_conn_wait_slot() was called), or what the device says. */
int smc_cdc_send(struct smc_connection *c, uint8_t conn_flags);
/* Like it, but with the last number: C or A once more after their link failed. */
int smc_cdc_send_last(struct smc_connection *c);
int smc_cdc_send_validation(struct smc_connection *c);
/* The oldest lost CDC once more; its data have been written. */
int smc_cdc_send_again(struct smc_connection *c);

/* ---- tx.c */
/* Writes what may be written now and announces it. 0 (also when it has to wait), or what the device says. */
int smc_tx_push(struct smc_connection *c);
void smc_tx_freed(struct smc_connection *c); /* there may be room again for smc_send() */
void smc_tx_drop(struct smc_connection *c);  /* forgets what was not written */
bool smc_tx_waits(const struct smc_connection *c); /* held back by cork or autocork */

/* ---- rx.c */
/* A dedicated consumer cursor update if one is called for. 0, or what the device says. */
int smc_rx_update(struct smc_connection *c);
/* Passes over n bytes. */
void smc_rx_consume(struct smc_connection *c, uint32_t n);

/* ---- urgent.c */
void smc_urgent_queue(struct smc_connection *c); /* the last byte of the send buffer is urgent */
/* How many of n bytes may be written now, and whether the last of them is the urgent one. */
uint32_t smc_urgent_limit(const struct smc_connection *c, uint32_t n, bool *urgent);
void smc_urgent_written(struct smc_connection *c);
void smc_urgent_told(struct smc_connection *c);     /* a CDC has left */
void smc_urgent_consumed(struct smc_connection *c); /* the peer's consumer cursor moved */
void smc_urgent_input(struct smc_connection *c, uint8_t before, uint8_t flags); /* producer flags of a message */
/* How many of n > 0 unread bytes a read may take in one go; it passes over an urgent byte out of line first. `first`: nothing
 * has been read by this call. */
uint32_t smc_urgent_readable(struct smc_connection *c, uint32_t n, bool first);
void smc_urgent_passed(struct smc_connection *c, uint32_t n); /* before rx_cons moves by n */
void smc_urgent_skip(struct smc_connection *c); /* an out-of-line byte that is the next one is passed over */
int64_t smc_urgent_read(struct smc_connection *c, void *data, size_t length, unsigned flags);
uint32_t smc_urgent_hidden(const struct smc_connection *c); /* unread bytes that a read will not deliver: 0 or 1 */

/* ---- close.c */
void smc_close_input(struct smc_connection *c, uint8_t before); /* rx_conn_flags were `before` */
int smc_close_step(struct smc_connection *c);    /* sends D, C or A when it is time */
void smc_close_finish(struct smc_connection *c); /* state CLOSED: gives back what is no longer needed */
void smc_close_give_up(struct smc_connection *c); /* the way to the peer is gone: nothing can be said any more */
void smc_close_timer(struct smc_connection *c, unsigned kind);
void smc_close_completed(struct smc_connection *c); /* TCP's FIN, when C has arrived */

/* ---- failover.c */
int smc_failover_step(struct smc_connection *c);

#endif
