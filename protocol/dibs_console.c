/* The console over dibs: two rings, two blocks of counters, and no trust in the peer's.
 * SPDX-License-Identifier: BSD-3-Clause */
#include <smc/dibs_console.h>

#include <string.h>

#include "wire/field.h"

enum { MAGIC = 0x4f434253, BLOCK_BYTES = 64, SENT_BYTES = 32, FLAG_CLOSED = 1 };
enum { AT_MAGIC = 0, AT_FLAGS = 4, AT_WRITTEN = 8, AT_TAKEN = 16, AT_RING = 24 };

struct smc_dibs_session {
    struct smc_dibs_session *next;
    struct smc_dibs_console *console;
    struct smc_dibs_device *device; /* NULL: it is gone */
    struct smc_gid peer;
    struct smc_dibs_dmb dmb;
    bool connected;  /* the peer's token is known */
    bool introduced; /* and its ring's size, from its first block */
    bool signalled, closed_by_peer;
    int error; /* SMC_ERR_PROTOCOL or SMC_ERR_RESET: no more of it; 0 */
    uint64_t peer_token;
    uint32_t peer_ring;
    uint64_t written, peer_taken; /* this way */
    uint64_t peer_written, taken; /* that way */
};

static uint32_t ring_bytes(const struct smc_dibs_session *s)
{
    return s->dmb.length - BLOCK_BYTES;
}

/* ---- the block ---- */

static int send_block(struct smc_dibs_session *s, uint32_t flags)
{
    uint8_t block[SENT_BYTES] = {0};
    smc_store_le(block + AT_MAGIC, 4, MAGIC);
    smc_store_le(block + AT_FLAGS, 4, flags);
    smc_store_le(block + AT_WRITTEN, 8, s->written);
    smc_store_le(block + AT_TAKEN, 8, s->taken);
    smc_store_le(block + AT_RING, 4, ring_bytes(s));
    return smc_dibs_move_data(s->device, s->peer_token, 0, true, 0, block, sizeof(block));
}

struct block {
    uint32_t flags, ring;
    uint64_t written, taken;
};

/* Counters only grow, nobody has read what was not written, and a ring holds no more than its size. */
static bool plausible(const struct smc_dibs_session *s, const struct block *b)
{
    if (b->ring == 0 || (s->introduced && b->ring != s->peer_ring))
        return false;
    if (b->written < s->peer_written || b->written - s->taken > ring_bytes(s))
        return false;
    return b->taken >= s->peer_taken && b->taken <= s->written;
}

static void read_block(struct smc_dibs_session *s)
{
    uint8_t copy[SENT_BYTES]; /* the peer can change the original while it is being checked */
    memcpy(copy, s->dmb.data, sizeof(copy));
    if (smc_load_le(copy + AT_MAGIC, 4) != MAGIC) {
        /* Zero: nothing was ever moved here, this signal was for somebody who had the index before. */
        if (s->introduced || smc_load_le(copy + AT_MAGIC, 4) != 0)
            s->error = SMC_ERR_PROTOCOL;
        return;
    }
    struct block b = {.flags = (uint32_t)smc_load_le(copy + AT_FLAGS, 4),
                      .ring = (uint32_t)smc_load_le(copy + AT_RING, 4),
                      .written = smc_load_le(copy + AT_WRITTEN, 8),
                      .taken = smc_load_le(copy + AT_TAKEN, 8)};
    if (!plausible(s, &b)) {
        s->error = SMC_ERR_PROTOCOL;
        return;
    }
    s->introduced = true;
    s->peer_ring = b.ring;
    s->peer_written = b.written;
    s->peer_taken = b.taken;
    s->closed_by_peer |= (b.flags & FLAG_CLOSED) != 0;
}

/* ---- sessions ---- */

static struct smc_dibs_session *find_session(const struct smc_dibs_console *console,
                                             const struct smc_dibs_device *device,
                                             const struct smc_gid *peer)
{
    struct smc_dibs_session *s = console->sessions;
    while (s != NULL && (s->device != device || !smc_gid_equal(&s->peer, peer)))
        s = s->next;
    return s;
}

int smc_dibs_console_connect(struct smc_dibs_session *s, uint64_t peer_token)
{
    if (s->error != 0)
        return s->error;
    if (s->connected)
        return SMC_ERR_STATE;
    s->peer_token = peer_token;
    int error = send_block(s, 0);
    s->connected = error == 0;
    return error;
}

static void take_offer(struct smc_dibs_console *console, struct smc_dibs_offer *offer)
{
    struct smc_dibs_session *s = find_session(console, offer->device, &offer->gid);
    bool twice = s != NULL && s->connected && s->peer_token == offer->token;
    if (s == NULL || s->error != 0 || (s->connected && !twice))
        return; /* kept until somebody opens, or opens again */
    uint64_t token = offer->token;
    offer->device = NULL;
    if (twice)
        return;
    int error = smc_dibs_console_connect(s, token);
    /* An offer may be older than its DMB; then the next one is waited for. */
    if (error != 0 && error != SMC_ERR_NOTFOUND)
        s->error = SMC_ERR_RESET;
}

static void take_offers(struct smc_dibs_console *console)
{
    for (int i = 0; i < SMC_DIBS_CONSOLE_OFFERS; i++)
        if (console->offers[i].device != NULL)
            take_offer(console, &console->offers[i]);
}

void smc_dibs_console_run(struct smc_dibs_console *console)
{
    take_offers(console);
    for (struct smc_dibs_session *s = console->sessions; s != NULL; s = s->next) {
        if (!s->signalled || s->error != 0)
            continue;
        s->signalled = false;
        read_block(s);
    }
}

static void tell_token(struct smc_dibs_session *s)
{
    /* A device without events, or a peer that does not listen: the token goes another way. */
    (void)smc_dibs_signal_event(s->device, &s->peer, true, SMC_DIBS_CONSOLE_EVENT, s->dmb.token);
}

int smc_dibs_console_open(struct smc_dibs_console *console, struct smc_dibs_device *device,
                          const struct smc_gid *peer, uint32_t bytes,
                          struct smc_dibs_session **session)
{
    if (bytes <= BLOCK_BYTES)
        return SMC_ERR_ARGUMENT;
    if (find_session(console, device, peer) != NULL)
        return SMC_ERR_EXISTS;
    struct smc_dibs_session *s = smc_alloc_zeroed(console->alloc, 1, sizeof(*s));
    if (s == NULL)
        return SMC_ERR_NOMEM;
    s->console = console;
    s->device = device;
    s->peer = *peer;
    s->dmb.rgid = *peer;
    s->dmb.length = bytes;
    int error = smc_dibs_register_dmb(&console->client, device, &s->dmb);
    if (error != 0) {
        smc_alloc_release(console->alloc, s, 1, sizeof(*s));
        return error;
    }
    s->next = console->sessions;
    console->sessions = s;
    tell_token(s);
    take_offers(console);
    *session = s;
    return 0;
}

uint64_t smc_dibs_console_token(const struct smc_dibs_session *s)
{
    return s->dmb.token;
}

/* ---- bytes ---- */

static int fail(struct smc_dibs_session *s, int error)
{
    s->error = error;
    return error;
}

/* One piece up to the end of the peer's ring. */
static int move_piece(struct smc_dibs_session *s, const uint8_t *data, uint32_t size)
{
    uint32_t at = (uint32_t)(s->written % s->peer_ring);
    uint32_t piece = size < s->peer_ring - at ? size : s->peer_ring - at;
    /* The peer said how long its ring is; the device knows better. */
    uint64_t offset = (uint64_t)BLOCK_BYTES + at;
    if (offset + piece > UINT32_MAX)
        return SMC_ERR_RANGE;
    int error =
        smc_dibs_move_data(s->device, s->peer_token, 0, false, (uint32_t)offset, data, piece);
    if (error != 0)
        return error;
    s->written += piece;
    return (int)piece;
}

int smc_dibs_console_write(struct smc_dibs_session *s, const void *data, uint32_t size)
{
    if (s->error != 0)
        return s->error;
    if (s->closed_by_peer)
        return SMC_ERR_CLOSED;
    uint64_t room = s->connected && s->introduced ? s->peer_ring - (s->written - s->peer_taken) : 0;
    uint32_t left = size < room ? size : (uint32_t)room, most = left;
    if (left > INT32_MAX)
        left = most = INT32_MAX;
    if (most == 0)
        return size == 0 ? 0 : SMC_ERR_WOULDBLOCK;
    const uint8_t *at = data;
    while (left > 0) {
        int piece = move_piece(s, at, left);
        if (piece < 0)
            return fail(s, piece == SMC_ERR_RANGE ? SMC_ERR_PROTOCOL : SMC_ERR_RESET);
        at += piece;
        left -= (uint32_t)piece;
    }
    return send_block(s, 0) == 0 ? (int)most : fail(s, SMC_ERR_RESET);
}

static uint32_t copy_out(struct smc_dibs_session *s, uint8_t *data, uint32_t size)
{
    uint32_t at = (uint32_t)(s->taken % ring_bytes(s)), first = ring_bytes(s) - at;
    if (first > size)
        first = size;
    memcpy(data, s->dmb.data + BLOCK_BYTES + at, first);
    if (size > first)
        memcpy(data + first, s->dmb.data + BLOCK_BYTES, size - first);
    s->taken += size;
    return size;
}

int smc_dibs_console_read(struct smc_dibs_session *s, void *data, uint32_t size)
{
    uint64_t unread = s->peer_written - s->taken; /* at most a ring, checked in plausible() */
    if (s->error == SMC_ERR_PROTOCOL || s->device == NULL)
        return s->error;
    if (unread == 0 && s->error != 0)
        return s->error;
    if (unread == 0)
        return s->closed_by_peer || size == 0 ? 0 : SMC_ERR_WOULDBLOCK;
    uint32_t most = size < unread ? size : (uint32_t)unread;
    if (most > INT32_MAX)
        most = INT32_MAX;
    if (most == 0)
        return 0;
    copy_out(s, data, most);
    /* Told at once; a peer that has closed does not listen any more. */
    if (s->connected && s->error == 0 && !s->closed_by_peer && send_block(s, 0) != 0)
        s->error = SMC_ERR_RESET;
    return (int)most;
}

/* ---- the end ---- */

static void unlink_session(struct smc_dibs_session *s)
{
    struct smc_dibs_session **link = &s->console->sessions;
    while (*link != s)
        link = &(*link)->next;
    *link = s->next;
    smc_alloc_release(s->console->alloc, s, 1, sizeof(*s));
}

int smc_dibs_console_close(struct smc_dibs_session *s)
{
    if (s->device != NULL && s->device->calling)
        return SMC_ERR_REENTERED;
    if (s->device != NULL) {
        if (s->connected && s->error == 0)
            (void)send_block(s, FLAG_CLOSED); /* if it fails the peer is gone already */
        (void)smc_dibs_unregister_dmb(&s->console->client, s->device, &s->dmb);
    }
    unlink_session(s);
    return 0;
}

/* ---- the client ---- */

static struct smc_dibs_console *console_of(struct smc_dibs_client *client)
{
    return (struct smc_dibs_console *)client;
}

static void wake(struct smc_dibs_console *console)
{
    if (console->wake != NULL)
        console->wake(console->user);
}

static void add_dev(struct smc_dibs_client *client, struct smc_dibs_device *device)
{
    (void)client;
    (void)device; /* sessions are opened by people */
}

/* The memory goes with the device, and the rest of the session waits for its owner to close it. */
static void del_dev(struct smc_dibs_client *client, struct smc_dibs_device *device)
{
    struct smc_dibs_console *console = console_of(client);
    for (struct smc_dibs_session *s = console->sessions; s != NULL; s = s->next) {
        if (s->device != device)
            continue;
        (void)smc_dibs_unregister_dmb(client, device, &s->dmb);
        s->device = NULL;
        s->error = SMC_ERR_RESET;
    }
    for (int i = 0; i < SMC_DIBS_CONSOLE_OFFERS; i++)
        if (console->offers[i].device == device)
            console->offers[i].device = NULL;
    wake(console);
}

static void handle_irq(struct smc_dibs_client *client, struct smc_dibs_device *device,
                       uint32_t index, uint16_t mask)
{
    struct smc_dibs_console *console = console_of(client);
    (void)mask;
    for (struct smc_dibs_session *s = console->sessions; s != NULL; s = s->next)
        if (s->device == device && s->dmb.index == index)
            s->signalled = true;
    wake(console);
}

/* A second offer of a peer replaces its first; with all places taken the newest is dropped, and that
 * peer's token has to come another way. */
static void note_offer(struct smc_dibs_console *console, struct smc_dibs_device *device,
                       const struct smc_dibs_event *event)
{
    struct smc_dibs_offer *place = NULL;
    for (int i = SMC_DIBS_CONSOLE_OFFERS - 1; i >= 0; i--)
        if (console->offers[i].device == NULL)
            place = &console->offers[i];
    for (int i = 0; i < SMC_DIBS_CONSOLE_OFFERS; i++)
        if (console->offers[i].device == device &&
            smc_gid_equal(&console->offers[i].gid, &event->gid))
            place = &console->offers[i];
    if (place != NULL)
        *place = (struct smc_dibs_offer){device, event->gid, event->data};
}

static void peer_gone(struct smc_dibs_console *console, struct smc_dibs_device *device,
                      const struct smc_gid *gid)
{
    for (struct smc_dibs_session *s = console->sessions; s != NULL; s = s->next)
        if (s->device == device && s->error == 0 &&
            (smc_gid_is_zero(gid) || smc_gid_equal(&s->peer, gid)))
            s->error = SMC_ERR_RESET;
}

static void handle_event(struct smc_dibs_client *client, struct smc_dibs_device *device,
                         const struct smc_dibs_event *event)
{
    struct smc_dibs_console *console = console_of(client);
    if (event->type == SMC_DIBS_EVENT_SOFTWARE && event->code == SMC_DIBS_CONSOLE_EVENT)
        note_offer(console, device, event);
    else if (event->type == SMC_DIBS_EVENT_DEVICE && event->subtype != SMC_DIBS_SUBTYPE_NONE)
        peer_gone(console, device, &event->gid);
    else
        return; /* another client's */
    wake(console);
}

static const struct smc_dibs_client_ops client_ops = {add_dev, del_dev, handle_irq, handle_event};

int smc_dibs_console_init(struct smc_dibs_console *console, struct smc_dibs *dibs,
                          const struct smc_alloc *alloc, void (*wake_function)(void *user),
                          void *user)
{
    memset(console, 0, sizeof(*console));
    console->client.ops = &client_ops;
    console->client.name = "console";
    console->dibs = dibs;
    console->alloc = alloc;
    console->wake = wake_function;
    console->user = user;
    return smc_dibs_register_client(dibs, &console->client);
}

static bool may_close_all(const struct smc_dibs_console *console)
{
    if (console->dibs->walking)
        return false;
    for (const struct smc_dibs_device *d = console->dibs->devices; d != NULL; d = d->next)
        if (d->calling)
            return false;
    return true;
}

int smc_dibs_console_free(struct smc_dibs_console *console)
{
    if (!may_close_all(console))
        return SMC_ERR_REENTERED;
    while (console->sessions != NULL)
        smc_dibs_console_close(console->sessions);
    return smc_dibs_unregister_client(console->dibs, &console->client);
}
