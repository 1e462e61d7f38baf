/* Moving to another link when one has failed, and sending again what was lost with it (RFC 7609 4.6; state-machines §7).
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conn.h"

/* Links on the device and port that failed come last: whatever broke this one breaks them too [FAILOVER-020]. */
static struct smc_link *choose(struct smc_link *from)
{
    struct smc_link *to = smc_group_other_link(from->group, from, true);
    return to != NULL ? to : smc_group_other_link(from->group, from, false);
}

static void move(struct smc_connection *c, struct smc_link *from, struct smc_link *to)
{
    smc_list_remove(&c->of_link);
    smc_list_remove(&c->wants_slot);
    from->connections--;
    c->link = to;
    to->connections++;
    smc_list_add_tail(&to->conns, &c->of_link);
    if (!c->started)
        return;
    c->stale_links = (uint16_t)(c->stale_links | 1u << from->slot);
    c->work_failover = true;
    c->replay = SMC_REPLAY_WAIT;
    smc_ep_work(c);
}

void smc_failover_link_freed(struct smc_group *group, unsigned slot)
{
    struct smc_list *n, *following;
    SMC_LIST_EACH(n, following, &group->conns) {
        struct smc_connection *c = SMC_LIST_ENTRY(n, struct smc_connection, of_group);
        if ((c->stale_links >> slot & 1) == 0)
            continue;
        c->stale_links = (uint16_t)(c->stale_links & ~(1u << slot));
        if (c->stale_links != 0 || !c->stale_known)
            continue;
        c->stale_known = false;
        c->work_tx = true;
        smc_ep_work(c);
    }
}

/* What did not complete may still be under way over the link that was left. The oldest counts, if several were. */
static void note_stale(struct smc_connection *c, uint32_t unsure)
{
    if (unsure > 0 && c->stale_links != 0 && !c->stale_known) {
        c->stale_known = true;
        c->stale_from = smc_cursor_back(c->tx_prod, c->tx_ring, unsure < c->tx_ring ? unsure : c->tx_ring);
    }
    if (!c->stale_known)
        c->stale_links = 0;
}

/* Each side moves by itself [FAILOVER-001]. Nothing is sent here: a link that fails while connections are moved to it would move
 * them again. */
void smc_failover_link(struct smc_link *from)
{
    struct smc_link *to = choose(from);
    struct smc_list *n, *following;
    if (to != NULL && !smc_list_empty(&from->conns))
        from->group->ep->counters.failovers++;
    SMC_LIST_EACH(n, following, &from->conns) {
        struct smc_connection *c = SMC_LIST_ENTRY(n, struct smc_connection, of_link);
        if (to != NULL)
            move(c, from, to);
        else
            smc_close_abort(c, SMC_ERR_RESET); /* [FAILOVER-012] */
    }
}

static void done(struct smc_connection *c)
{
    c->work_failover = false;
    c->replay = SMC_REPLAY_NONE;
    c->replay_left = 0;
}

/* C or A went with the link: the peer would wait for it, perhaps for ever. */
static bool last_word_lost(const struct smc_connection *c)
{
    return (c->tx_conn_flags & (SMC_CONN_C | SMC_CONN_A)) != 0 && c->cdc_completed != c->cdc_sent;
}

/* Everything of the old link has completed or failed [FAILOVER-009]. Lost is what lies behind the last good completion, but not
 * what the peer has consumed all the same: only the acknowledgement was lost [FAILOVER-010]. */
static void prepare(struct smc_connection *c)
{
    uint32_t unsure = (uint32_t)smc_cursor_distance(c->snd_fin, c->snd_sent, c->snd_ring);
    uint32_t unread = (uint32_t)smc_cursor_distance(c->tx_cons, c->tx_prod, c->tx_ring);
    note_stale(c, unsure);
    c->replay_left = unsure < unread ? unsure : unread;
    if ((c->tx_conn_flags & SMC_CONN_A) != 0)
        c->replay_left = 0; /* whoever is told A reads no more */
    /* Only an active connection validates; the others just go on, and say again what was lost [FAILOVER-019]. */
    c->replay = c->state == SMC_STATE_ACTIVE ? SMC_REPLAY_VALIDATE : SMC_REPLAY_DATA;
}

static int write_again(struct smc_connection *c, uint32_t n)
{
    if (smc_wr_send_room(c->link) == 0 || smc_wr_write_room(c->link) < 2) {
        smc_conn_wait_slot(c);
        return SMC_ERR_NOSPACE;
    }
    int error = smc_transport_write(c, smc_cursor_back(c->snd_sent, c->snd_ring, c->replay_left),
                                    smc_cursor_back(c->tx_prod, c->tx_ring, c->replay_left), n);
    if (error == 0)
        c->replay_left -= n;
    return error;
}

/* The same messages with the same numbers, each after its data. */
static int again(struct smc_connection *c)
{
    while (c->cdc_lost > 0) {
        struct smc_cursor end = {.count = c->cdc_note[0].sent_count, .wrap = c->cdc_note[0].sent_wrap};
        uint32_t behind = (uint32_t)smc_cursor_distance(end, c->snd_sent, c->snd_ring);
        int error = behind < c->replay_left ? write_again(c, c->replay_left - behind) : 0;
        if (error == 0)
            error = smc_cdc_send_again(c);
        if (error != 0)
            return error;
    }
    c->replay = SMC_REPLAY_DATA; /* what was written and never announced */
    return 0;
}

/* A NIC acknowledges what its software may never hear of, for it destroys the queue pair of a link that failed. F would tell
 * [FAILOVER-005]; where there is none, what was said last is said again: the data are in the peer's memory. */
static bool unheard(const struct smc_connection *c)
{
    return c->state != SMC_STATE_ACTIVE && c->cdc_sent != 0;
}

/* What is left in one go, under a number above all that were lost [FAILOVER-006] [FAILOVER-007]. */
static int merged(struct smc_connection *c)
{
    bool silent = c->cdc_notes == c->cdc_lost && (c->cdc_completed != c->cdc_sent || unheard(c));
    if (c->replay_left > 0) {
        int error = write_again(c, c->replay_left);
        if (error != 0)
            return error;
        silent = true;
    }
    c->cdc_notes = (uint8_t)(c->cdc_notes - c->cdc_lost);
    memmove(&c->cdc_note[0], &c->cdc_note[c->cdc_lost], c->cdc_notes * sizeof(c->cdc_note[0]));
    c->cdc_lost = 0;
    if (silent)
        c->replay = SMC_REPLAY_ANNOUNCE;
    else
        done(c);
    return 0;
}

/* U goes with the message whose cursor is one beyond the urgent byte, and that one was lost. After C or A there is no new number
 * to be had: the last message is said again. */
static int announce(struct smc_connection *c)
{
    bool closed = (c->tx_conn_flags & (SMC_CONN_C | SMC_CONN_A)) != 0;
    if (c->urg_tx_wait)
        c->tx_prod_flags |= SMC_PROD_P | SMC_PROD_U;
    int error = closed ? smc_cdc_send_last(c) : smc_cdc_send(c, c->tx_conn_flags);
    if (error == 0)
        done(c);
    return error;
}

static int validate(struct smc_connection *c)
{
    int error = smc_cdc_send_validation(c); /* [FAILOVER-002] */
    if (error == 0)
        c->replay = c->ep->profile.failover_resends ? SMC_REPLAY_AGAIN : SMC_REPLAY_DATA;
    return error;
}

static int step(struct smc_connection *c)
{
    switch (c->replay) {
    case SMC_REPLAY_WAIT:
        prepare(c);
        return 0;
    case SMC_REPLAY_VALIDATE:
        return validate(c);
    case SMC_REPLAY_AGAIN:
        return again(c);
    case SMC_REPLAY_DATA:
        return merged(c);
    default:
        return announce(c);
    }
}

int smc_failover_step(struct smc_connection *c)
{
    int error = 0;
    if (c->replay == SMC_REPLAY_WAIT && c->cdc_pending > 0)
        return 0; /* the last completion comes back here */
    if (c->killed && !last_word_lost(c)) { /* at most A is still owed */
        c->cdc_notes = c->cdc_lost = 0;
        done(c);
        return 0;
    }
    while (c->work_failover && error == 0)
        error = step(c);
    return error == SMC_ERR_NOSPACE ? 0 : error;
}
