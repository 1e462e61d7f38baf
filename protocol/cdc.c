/* CDC messages: their sending, completion and input; nothing of what a peer says is believed before it is checked.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conn.h"

enum {
    PROD_FLAGS_AT = 24, /* bytes of flags: one store each instead of eight */
    CONN_FLAGS_AT = 25,
    SMCD_PROD_FLAGS_AT = 22,
    SMCD_CONN_FLAGS_AT = 23,
    CLOSE_ANY = SMC_CONN_D | SMC_CONN_C | SMC_CONN_A
};

struct words { /* what a message says; cursors as on the wire */
    uint16_t seq;
    struct smc_cursor prod, cons;
    uint8_t prod_flags, conn_flags;
};

/* Where a ring begins on the wire [CURSOR-004] [CURSOR-005]. */
static uint32_t peer_origin(const struct smc_connection *c)
{
    return !c->group->smc_d && c->group->eyecatcher_peer ? SMC_EYECATCHER : 0;
}

static uint32_t own_origin(const struct smc_connection *c)
{
    return !c->group->smc_d && c->group->eyecatcher_own ? SMC_EYECATCHER : 0;
}

/* ---- Sending ---- */
static void put_r(const struct smc_connection *c, const struct words *w, uint8_t *p)
{
    memset(p, 0, smc_cdc_size);
    smc_cdc_put_type(p, SMC_CDC_TYPE);
    smc_cdc_put_length(p, smc_cdc_size);
    smc_cdc_put_seqno(p, w->seq);
    smc_cdc_put_token(p, c->peer_token);
    smc_cdc_put_prod_wrap(p, w->prod.wrap);
    smc_cdc_put_prod_count(p, w->prod.count + peer_origin(c));
    smc_cdc_put_cons_wrap(p, w->cons.wrap);
    smc_cdc_put_cons_count(p, w->cons.count + own_origin(c));
    p[PROD_FLAGS_AT] = w->prod_flags;
    p[CONN_FLAGS_AT] = w->conn_flags;
}

/* Little endian on every host: unlike hosts share an ivshmem, and what reads like a loopback's native order is the same
 * everywhere [SMCD-006]. */
static void put_d(const struct words *w, uint8_t *p)
{
    memset(p, 0, smc_smcd_cdc_le_size);
    smc_smcd_cdc_le_put_type(p, SMC_CDC_TYPE);
    smc_smcd_cdc_le_put_prod_wrap(p, w->prod.wrap);
    smc_smcd_cdc_le_put_prod_count(p, w->prod.count);
    smc_smcd_cdc_le_put_cons_wrap(p, w->cons.wrap);
    smc_smcd_cdc_le_put_cons_count(p, w->cons.count);
    p[SMCD_PROD_FLAGS_AT] = w->prod_flags;
    p[SMCD_CONN_FLAGS_AT] = w->conn_flags;
}

static struct smc_cursor note_cursor(const struct smc_cdc_note *n)
{
    return (struct smc_cursor){.count = n->sent_count, .wrap = n->sent_wrap};
}

/* In the order of the numbers among those lost: what fails on a second link was sent before what waits since the first. */
static void note_lost(struct smc_connection *c)
{
    struct smc_cdc_note lost = c->cdc_note[c->cdc_lost];
    unsigned at = c->cdc_lost++;
    while (at > 0 && (int16_t)(uint16_t)(c->cdc_note[at - 1].seq - lost.seq) > 0) {
        c->cdc_note[at] = c->cdc_note[at - 1];
        at--;
    }
    c->cdc_note[at] = lost;
}

static void note_good(struct smc_connection *c)
{
    struct smc_cdc_note *n = &c->cdc_note[c->cdc_lost];
    c->cdc_completed = n->seq; /* [FAILOVER-018] */
    if (c->snd_ring != 0)
        c->snd_fin = note_cursor(n);
    c->cdc_notes--;
    memmove(n, n + 1, (size_t)(c->cdc_notes - c->cdc_lost) * sizeof(*n));
}

/* A completion. The connection outlives it: it is not given up while something is under way [CDC-018] (B-11, B-45). */
static void completed(struct smc_connection *c, int error)
{
    c->cdc_pending--;
    bool idle = c->cdc_pending == 0;
    if (error == 0 && c->group != NULL && !c->killed)
        smc_tx_freed(c);
    if (idle && (c->fin_due || c->work_failover || c->state == SMC_STATE_CLOSED || smc_tx_pending(c) > 0))
        smc_ep_work(c);
}

static void cdc_done(void *ctx, int error)
{
    struct smc_connection *c = ctx;
    if (c->cdc_lost < c->cdc_notes) {
        if (error == 0)
            note_good(c);
        else
            note_lost(c);
    }
    completed(c, error);
}

static void validation_done(void *ctx, int error)
{
    completed(ctx, error);
}

static int post(struct smc_connection *c, const struct words *w, smc_wr_done_fn *done)
{
    uint8_t message[smc_cdc_size];
    if (c->link == NULL)
        return SMC_ERR_GONE;
    put_r(c, w, message);
    int error = smc_wr_send(c->link, message, sizeof(message), done, c);
    if (error == SMC_ERR_NOSPACE)
        smc_conn_wait_slot(c);
    if (error != 0)
        return error;
    c->cdc_pending++;
    c->tx_cdcs++;
    c->ep->counters.cdc_sent++;
    return 0;
}

static int move_block(struct smc_connection *c, const struct words *w)
{
    uint8_t block[smc_smcd_cdc_le_size];
    put_d(w, block);
    int error = smc_smcd_move(c, 0, block, sizeof(block), true); /* [SMCD-001] [SMCD-003] */
    if (error != 0)
        return error; /* [SMCD-010] */
    c->tx_cdcs++;
    c->ep->counters.cdc_sent++;
    c->cdc_completed = w->seq;
    if (!smc_conn_ghost(c))
        c->snd_fin = c->snd_sent; /* copied: the send buffer is free at once */
    return 0;
}

static int post_noted(struct smc_connection *c, const struct words *w, struct smc_cursor sent)
{
    if (c->mode == SMC_MODE_D)
        return move_block(c, w);
    if (c->cdc_notes == SMC_SEND_SLOTS) {
        smc_conn_wait_slot(c);
        return SMC_ERR_NOSPACE;
    }
    int error = post(c, w, cdc_done);
    if (error == 0)
        c->cdc_note[c->cdc_notes++] = (struct smc_cdc_note){
            .sent_count = sent.count, .sent_wrap = sent.wrap, .seq = w->seq, .prod_flags = w->prod_flags};
    return error;
}

static int send_numbered(struct smc_connection *c, uint16_t seq, uint8_t conn_flags)
{
    struct words w = {.seq = seq,
                      .prod = c->tx_prod,
                      .cons = c->rx_cons, /* [CDC-009] */
                      .prod_flags = c->tx_prod_flags,
                      .conn_flags = conn_flags};
    int error = post_noted(c, &w, c->snd_sent);
    if (error != 0) {
        c->work_cdc = true; /* what it announces may be written already */
        return error;       /* the number was not used [CDC-015] */
    }
    c->cdc_sent = seq;
    c->tx_conn_flags = conn_flags;
    c->told_flags = c->tx_prod_flags;
    c->rx_confirmed = c->rx_cons;
    c->work_cdc = c->work_cons = false;
    smc_urgent_told(c);
    return 0;
}

int smc_cdc_send(struct smc_connection *c, uint8_t conn_flags)
{
    return send_numbered(c, (uint16_t)(c->cdc_sent + 1), conn_flags); /* [CDC-002] */
}

int smc_cdc_send_last(struct smc_connection *c)
{
    return send_numbered(c, c->cdc_sent, c->tx_conn_flags);
}

/* Nothing but token and number counts; it takes no number of its own [FAILOVER-002] [FAILOVER-003] (A-45: the number of the
 * last CDC whose sending was completed, not one less). */
int smc_cdc_send_validation(struct smc_connection *c)
{
    uint8_t message[smc_cdc_size] = {0};
    smc_cdc_put_type(message, SMC_CDC_TYPE);
    smc_cdc_put_length(message, smc_cdc_size);
    smc_cdc_put_seqno(message, c->cdc_completed);
    smc_cdc_put_token(message, c->peer_token);
    message[PROD_FLAGS_AT] = SMC_PROD_F;
    int error = smc_wr_send(c->link, message, sizeof(message), validation_done, c);
    if (error == SMC_ERR_NOSPACE)
        smc_conn_wait_slot(c);
    if (error == 0)
        c->cdc_pending++;
    return error;
}

/* The consumer cursor is what the last message said, not newer: a peer that has seen the number drops this one, and must then
 * still be told what was read since. */
int smc_cdc_send_again(struct smc_connection *c)
{
    struct smc_cdc_note lost = c->cdc_note[0];
    uint32_t later = (uint32_t)smc_cursor_distance(note_cursor(&lost), c->snd_sent, c->snd_ring);
    struct words w = {.seq = lost.seq,
                      .prod = smc_cursor_back(c->tx_prod, c->tx_ring, later),
                      .cons = c->rx_confirmed,
                      .prod_flags = lost.prod_flags,
                      .conn_flags = c->tx_conn_flags};
    int error = post(c, &w, cdc_done);
    if (error != 0)
        return error;
    memmove(&c->cdc_note[0], &c->cdc_note[1], (size_t)(c->cdc_notes - 1) * sizeof(lost));
    c->cdc_note[c->cdc_notes - 1] = lost;
    c->cdc_lost--;
    return 0;
}

/* ---- Input ---- */
static void hostile(struct smc_connection *c)
{
    smc_close_abort(c, SMC_ERR_PROTOCOL);
}

/* The bytes in front of a ring are nobody's to write [CURSOR-021]. */
static bool eyecatcher_broken(const struct smc_connection *c)
{
    return c->started && own_origin(c) != 0 &&
           memcmp(smc_transport_ring(c) - SMC_EYECATCHER, smc_conn_eyecatcher, SMC_EYECATCHER) != 0;
}

/* The peer may write as far as it was told that there is room, which is not further than there is.
 * A cursor behind the present one is an old one and says nothing; the 16-bit wrap is compared as a serial number [CURSOR-009].
 * One that is further ahead than it can be is a lie: nothing of the message is used. */
static bool producer_lies(const struct smc_connection *c, struct smc_cursor prod)
{
    if (prod.count >= c->rx_ring) /* [CURSOR-006] [CURSOR-025] [CURSOR-027] */
        return true;
    return !smc_cursor_before(prod, c->rx_prod) &&
           smc_cursor_distance(c->rx_confirmed, prod, c->rx_ring) < 0; /* [CURSOR-007] [CURSOR-026] */
}

static bool consumer_lies(const struct smc_connection *c, struct smc_cursor cons)
{
    if (c->tx_ring == 0) /* before the handshake is over nothing was sent */
        return cons.count != 0 || cons.wrap != 0;
    if (cons.count >= c->tx_ring) /* [CURSOR-006] [CURSOR-025] */
        return true;
    return !smc_cursor_before(cons, c->tx_cons) &&
           smc_cursor_distance(cons, c->tx_prod, c->tx_ring) < 0; /* [CURSOR-008] */
}

static void take_producer(struct smc_connection *c, struct smc_cursor prod)
{
    if (smc_cursor_before(prod, c->rx_prod) || smc_cursor_equal(prod, c->rx_prod) ||
        (c->rx_conn_flags & CLOSE_ANY) != 0) /* nothing comes after D, C or A [CDC-010] [CDC-011] */
        return;
    c->rx_bytes += (uint64_t)smc_cursor_distance(c->rx_prod, prod, c->rx_ring);
    c->rx_prod = prod;
    if (smc_rx_unread(c) == c->rx_ring)
        smc_conn_counters(c)->rx_buffer_full++;
    if (c->started)
        smc_ep_event(c, SMC_EVENT_READABLE);
}

static void take_consumer(struct smc_connection *c, struct smc_cursor cons)
{
    if (smc_cursor_before(cons, c->tx_cons) || smc_cursor_equal(cons, c->tx_cons))
        return;
    c->tx_cons = cons;
    smc_urgent_consumed(c);
    if (smc_conn_ghost(c)) { /* [SMCD-021] */
        c->snd_fin = cons;
        smc_tx_freed(c);
    }
    if (smc_tx_pending(c) > 0 && c->started)
        smc_ep_work(c);
}

static void take(struct smc_connection *c, const struct words *w)
{
    uint8_t flags_before = c->rx_prod_flags, closed_before = c->rx_conn_flags;
    c->rx_cdcs++;
    if (producer_lies(c, w->prod) || consumer_lies(c, w->cons) || eyecatcher_broken(c)) {
        hostile(c);
        return;
    }
    take_producer(c, w->prod);
    take_consumer(c, w->cons);
    c->rx_prod_flags = w->prod_flags;
    smc_urgent_input(c, flags_before, w->prod_flags);
    if (w->prod_flags & SMC_PROD_R)
        c->work_cdc = true; /* one answer, at once [CURSOR-012] */
    c->rx_conn_flags |= w->conn_flags & CLOSE_ANY;
    if (c->started && c->rx_conn_flags != closed_before)
        smc_close_input(c, closed_before);
    if (c->started && c->work_cdc)
        smc_ep_work(c);
}

/* After an abort only the peer's own end counts, and only while it is awaited [CDC-014] [CLOSE-015]. */
static void take_killed(struct smc_connection *c, uint8_t conn_flags)
{
    uint8_t before = c->rx_conn_flags;
    if (c->out_of_sync)
        return;
    c->rx_conn_flags |= conn_flags & CLOSE_ANY;
    if (c->rx_conn_flags != before)
        smc_close_input(c, before);
}

static bool below(uint16_t a, uint16_t b)
{
    return (int16_t)(uint16_t)(a - b) < 0; /* [CDC-004] */
}

/* The sender's RNIC acknowledged what never came here: the stream has a hole [FAILOVER-004]. Else silence [FAILOVER-005]. */
static void validation(struct smc_connection *c, uint16_t seq)
{
    if (!below(c->cdc_received, seq))
        return;
    smc_close_abort(c, SMC_ERR_RESET);
    c->out_of_sync = true;
}

static void input(struct smc_connection *c, struct smc_cdc m)
{
    uint8_t prod_flags = m.p[PROD_FLAGS_AT];
    uint32_t own = own_origin(c), peer = peer_origin(c);
    if (prod_flags & SMC_PROD_F) { /* [CDC-013] */
        if (!c->killed)
            validation(c, smc_cdc_seqno(m));
        return;
    }
    /* An old number, or the last one again [CDC-003] (A-31: the same number a second time is dropped too). */
    if (!below(c->cdc_received, smc_cdc_seqno(m)))
        return;
    c->cdc_received = smc_cdc_seqno(m);
    if (c->killed) {
        take_killed(c, m.p[CONN_FLAGS_AT]);
        return;
    }
    struct words w = {
        .prod = {.count = smc_cdc_prod_count(m) - own, .wrap = smc_cdc_prod_wrap(m)}, /* into the eyecatcher: wraps to a */
        .cons = {.count = smc_cdc_cons_count(m) - peer, .wrap = smc_cdc_cons_wrap(m)}, /* count beyond any ring [CURSOR-004] */
        .prod_flags = prod_flags,
        .conn_flags = m.p[CONN_FLAGS_AT]};
    take(c, &w);
}

void smc_cdc_input(struct smc_link *link, const uint8_t *bytes, size_t length)
{
    struct smc_endpoint *ep = link->group->ep;
    struct smc_cdc m;
    ep->counters.cdc_received++;
    /* [CDC-001]; the length of the view was checked by smc_cdc_at() */
    if (length == smc_cdc_size && smc_cdc_at(smc_view_of(bytes, length), 0, &m) && smc_cdc_type(m) == SMC_CDC_TYPE &&
        smc_cdc_length(m) == smc_cdc_size) {
        struct smc_connection *c = smc_ep_token_find(ep, smc_cdc_token(m)); /* [CDC-005] */
        if (c != NULL && !c->freed && c->group == link->group && c->rmb != NULL) {
            smc_conn_rings(c);
            input(c, m);
            return;
        }
    }
    ep->counters.cdc_dropped++;
}

/* Each half of the block is one 8-byte unit that the writer stores at once, and is read at once [SMCD-004]. A DMB is page
 * aligned. */
static void read_block(const uint8_t *memory, uint8_t *block)
{
    uint64_t unit;
    for (unsigned at = 0; at < smc_smcd_cdc_le_size; at += sizeof(unit)) {
        unit = *(const volatile uint64_t *)(const volatile void *)(memory + at);
        memcpy(block + at, &unit, sizeof(unit));
    }
}

void smc_cdc_smcd_input(struct smc_connection *c)
{
    uint8_t block[smc_smcd_cdc_le_size];
    struct smc_smcd_cdc_le m = {block};
    if (c->freed || c->rmb == NULL || c->rmb->memory == NULL)
        return;
    read_block(c->rmb->memory, block);
    c->ep->counters.cdc_received++;
    if (smc_smcd_cdc_le_type(m) != SMC_CDC_TYPE) { /* a signal, and nothing was ever written [SMCD-007] */
        c->ep->counters.cdc_dropped++;
        return;
    }
    if (c->killed) {
        take_killed(c, block[SMCD_CONN_FLAGS_AT]);
        return;
    }
    smc_conn_rings(c);
    struct words w = {.prod = {.count = smc_smcd_cdc_le_prod_count(m), .wrap = smc_smcd_cdc_le_prod_wrap(m)},
                      .cons = {.count = smc_smcd_cdc_le_cons_count(m), .wrap = smc_smcd_cdc_le_cons_wrap(m)},
                      .prod_flags = block[SMCD_PROD_FLAGS_AT], /* [SMCD-005] */
                      .conn_flags = block[SMCD_CONN_FLAGS_AT]};
    take(c, &w);
}
