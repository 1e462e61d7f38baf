/* For tests of a connection's data: two connections back to back over fake links and DMBs whose every step the test controls.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Included by one file of a test program. It stands in for the endpoint, groups, links, work requests and the dibs client:
 * what is posted waits in a queue; fake_deliver() carries out the oldest, fake_complete() completes what was carried out,
 * fake_link_dies() fails the rest. fake_pump() does everything until nothing is left to do. */
#ifndef SMC_CONN_FAKE_H
#define SMC_CONN_FAKE_H

#include <stdlib.h>

#include "conn.h"

#include "testing/check_main.h"

enum { FAKE_LINKS = 3, FAKE_OPS = 512, FAKE_RMB = 16384, FAKE_SEEN = 4096 };
enum fake_kind { FAKE_R_RFC, FAKE_R_LINUX, FAKE_D_RFC, FAKE_D_LINUX, FAKE_D_NO_COPY, FAKE_KINDS };

struct fake_op {
    bool write, carried_out;
    struct smc_rdma_piece pieces[2];
    unsigned count;
    uint32_t rkey;
    uint64_t va;
    uint8_t message[64];
    smc_wr_done_fn *done;
    void *ctx;
};

struct fake_queue { /* of one link, of one side */
    struct fake_op op[FAKE_OPS];
    unsigned first, carried, end; /* not completed; not carried out; free */
    bool dead, refuses;
    bool deaf; /* what is sent is acknowledged, but the receiver's software never hears of it */
};

struct fake_cdc { /* a message as it left */
    unsigned link;
    uint16_t seq;
    struct smc_cursor prod, cons;
    uint8_t prod_flags, conn_flags;
};

struct fake_side {
    struct smc_endpoint ep;
    struct smc_group group;
    struct smc_link link[FAKE_LINKS];
    struct fake_queue queue[FAKE_LINKS];
    struct smc_connection *c;
    struct smc_rmb rmb;
    struct smc_dibs_use use;
    struct smc_sndbuf sndbuf;
    struct smc_rdma_mr mrs[FAKE_LINKS];
    struct smc_rtoken rtokens[FAKE_LINKS];
    struct fake_cdc seen[FAKE_SEEN];
    unsigned seen_count;
    unsigned events, fins, aborts, dooms, detached, links_down; /* events: all there ever were */
    int move_error, buffer_error;
    bool signalled, terminated;
    unsigned closed_events;
};

/* Check's own assertions tell their parent of each success, which is too slow for what is done a million times. */
#define FAKE_NEED(condition)                                                                                                 \
    do {                                                                                                                     \
        if (!(condition))                                                                                                    \
            ck_abort_msg("%s", #condition);                                                                                  \
    } while (0)

static struct fake_side fake[2];
static enum fake_kind fake_kind;
static bool fake_r(void)
{
    return fake_kind <= FAKE_R_LINUX;
}

static struct fake_side *fake_of(const struct smc_endpoint *ep)
{
    return ep == &fake[0].ep ? &fake[0] : &fake[1];
}

static struct fake_side *fake_peer(const struct fake_side *s)
{
    return s == &fake[0] ? &fake[1] : &fake[0];
}

/* ---- The endpoint ---- */
void smc_ep_event(struct smc_connection *c, unsigned events)
{
    if (c->freed)
        ck_abort_msg("an event after the end");
    c->events |= (uint8_t)events;
    fake_of(c->ep)->events |= events;
    fake_of(c->ep)->closed_events += (events & SMC_EVENT_CLOSED) != 0;
}

void smc_ep_work(struct smc_connection *c)
{
    if (c->freed)
        ck_abort_msg("work after the end");
    if (smc_list_empty(&c->work))
        smc_list_add_tail(&c->ep->work, &c->work);
}

void smc_ep_wake(struct smc_endpoint *ep)
{
    (void)ep;
}

void smc_ep_doom(struct smc_connection *c)
{
    ck_assert_ptr_null(c->group);
    ck_assert_ptr_null(c->hs);
    ck_assert_uint_eq(c->cdc_pending, 0);
    ck_assert(!c->freed);
    c->freed = true;
    fake_of(c->ep)->dooms++;
    smc_list_remove(&c->work);
}

struct smc_connection *smc_ep_token_find(struct smc_endpoint *ep, uint32_t token)
{
    struct smc_connection *c = fake_of(ep)->c;
    return c->token == token ? c : NULL;
}

static void fake_tcp_shutdown(void *host, void *user)
{
    (void)user;
    ((struct fake_side *)host)->fins++;
}

static void fake_tcp_abort(void *host, void *user)
{
    (void)user;
    ((struct fake_side *)host)->aborts++;
}

static const struct smc_host_ops fake_ops = {.tcp_shutdown = fake_tcp_shutdown, .tcp_abort = fake_tcp_abort};

/* ---- Groups, links, buffers ---- */
void smc_group_detach(struct smc_connection *c)
{
    struct fake_side *s = fake_of(c->ep);
    s->detached++;
    smc_list_remove(&c->of_link);
    smc_list_remove(&c->of_group);
    c->group = NULL;
    c->link = NULL;
    c->rmb = NULL;
    if (c->sndbuf != NULL && !c->sndbuf->ghost && !s->group.dying) {
        free(s->sndbuf.memory); /* a WRITE out of it that is still under way is found by the sanitizer */
        s->sndbuf.memory = NULL;
    }
    c->sndbuf = NULL;
}

struct smc_link *smc_group_other_link(struct smc_group *group, const struct smc_link *not, bool on_other_rnic)
{
    (void)on_other_rnic;
    for (unsigned i = 0; i < group->link_slots; i++)
        if (group->links[i] != NULL && group->links[i] != not && group->links[i]->state == SMC_LINK_ACTIVE)
            return group->links[i];
    return NULL;
}

static void fake_terminate(struct fake_side *s)
{
    if (s->group.dying)
        return;
    s->group.dying = s->terminated = true;
    if (s->c->group != NULL)
        smc_close_abort(s->c, SMC_ERR_RESET);
    ck_assert_ptr_null(s->c->group);
}

void smc_link_down(struct smc_link *link)
{
    struct fake_side *s = fake_of(link->group->ep);
    if (link->state != SMC_LINK_ACTIVE)
        return;
    s->links_down++;
    link->state = SMC_LINK_INACTIVE;
    link->going_down = true;
    s->queue[link->slot].dead = true;
    if (smc_group_other_link(&s->group, link, false) != NULL)
        smc_failover_link(link);
    else
        fake_terminate(s);
}

int smc_buf_sndbuf(struct smc_connection *c)
{
    struct fake_side *s = fake_of(c->ep);
    if (s->buffer_error != 0)
        return s->buffer_error;
    s->sndbuf = (struct smc_sndbuf){.bytes = FAKE_RMB, .used = true, .memory = calloc(1, FAKE_RMB), .mrs = s->mrs, .registered = {7, 0}};
    for (unsigned i = 0; i < FAKE_LINKS; i++)
        s->mrs[i] = (struct smc_rdma_mr){.memory = s->sndbuf.memory, .length = FAKE_RMB};
    c->sndbuf = &s->sndbuf;
    return 0;
}

void smc_hs_abandon(struct smc_connection *c)
{
    c->hs = NULL;
}

/* ---- Work requests ---- */
static unsigned fake_under_way(const struct fake_queue *q, bool write)
{
    unsigned n = 0;
    for (unsigned i = q->first; i != q->end; i = (i + 1) % FAKE_OPS)
        n += q->op[i].write == write;
    return n;
}

static struct fake_queue *fake_queue_of(const struct smc_link *link)
{
    return &fake_of(link->group->ep)->queue[link->slot];
}

unsigned smc_wr_send_room(const struct smc_link *link)
{
    return SMC_SEND_SLOTS - fake_under_way(fake_queue_of(link), false);
}

unsigned smc_wr_write_room(const struct smc_link *link)
{
    return SMC_WRITE_SLOTS - fake_under_way(fake_queue_of(link), true);
}

static struct fake_op *fake_post(const struct smc_link *link)
{
    struct fake_queue *q = fake_queue_of(link);
    struct fake_op *op = &q->op[q->end];
    q->end = (q->end + 1) % FAKE_OPS;
    *op = (struct fake_op){.write = false};
    return op;
}

static void fake_note(struct fake_side *s, unsigned link, const uint8_t *p)
{
    struct smc_cdc m = {p};
    s->seen[s->seen_count++ % FAKE_SEEN] = (struct fake_cdc){.link = link,
                                                 .seq = smc_cdc_seqno(m),
                                                 .prod = {smc_cdc_prod_count(m), smc_cdc_prod_wrap(m)},
                                                 .cons = {smc_cdc_cons_count(m), smc_cdc_cons_wrap(m)},
                                                 .prod_flags = p[24],
                                                 .conn_flags = p[25]};
}

int smc_wr_send(struct smc_link *link, const uint8_t *bytes, size_t length, smc_wr_done_fn *done, void *ctx)
{
    FAKE_NEED(length == 44);
    if (smc_wr_send_room(link) == 0)
        return SMC_ERR_NOSPACE;
    if (link->state != SMC_LINK_ACTIVE || fake_queue_of(link)->refuses)
        return SMC_ERR_STATE;
    struct fake_op *op = fake_post(link);
    memcpy(op->message, bytes, length);
    op->done = done;
    op->ctx = ctx;
    fake_note(fake_of(link->group->ep), link->slot, bytes);
    return 0;
}

int smc_wr_write(struct smc_link *link, const struct smc_rdma_piece *pieces, unsigned count, uint32_t rkey, uint64_t va)
{
    if (smc_wr_write_room(link) == 0)
        return SMC_ERR_NOSPACE;
    if (link->state != SMC_LINK_ACTIVE || fake_queue_of(link)->refuses)
        return SMC_ERR_STATE;
    FAKE_NEED(count <= 2);
    struct fake_op *op = fake_post(link);
    op->write = true;
    memcpy(op->pieces, pieces, count * sizeof(*pieces));
    op->count = count;
    op->rkey = rkey;
    op->va = va;
    return 0;
}

static uint64_t fake_va(unsigned link)
{
    return UINT64_C(0x100000) * (link + 1);
}

static void fake_write(struct fake_side *to, unsigned link, const struct fake_op *op)
{
    uint64_t at = op->va - fake_va(link);
    FAKE_NEED(op->rkey == 100 + link); /* of this link [FAILOVER-013] */
    for (unsigned i = 0; i < op->count; i++) {
        const struct smc_rdma_piece *p = &op->pieces[i];
        FAKE_NEED(p->length > 0);
        FAKE_NEED(p->offset + p->length <= p->mr->length);
        FAKE_NEED(at >= to->rmb.rmbe_bytes); /* the second element of the RMB */
        FAKE_NEED(at + p->length <= 2 * (uint64_t)to->rmb.rmbe_bytes);
        memcpy(to->rmb.memory + at, p->mr->memory + p->offset, p->length);
        at += p->length;
    }
}

/* Carries out up to n requests of a link; returns how many. */
static unsigned fake_deliver(struct fake_side *s, unsigned link, unsigned n)
{
    struct fake_queue *q = &s->queue[link];
    struct fake_side *to = fake_peer(s);
    unsigned done = 0;
    for (; done < n && q->carried != q->end && !q->dead; done++) {
        struct fake_op *op = &q->op[q->carried];
        q->carried = (q->carried + 1) % FAKE_OPS;
        op->carried_out = true;
        if (op->write)
            fake_write(to, link, op);
        else if (!q->deaf)
            smc_cdc_input(&to->link[link], op->message, 44);
    }
    return done;
}

static void fake_wake(struct smc_link *link)
{
    while (!smc_list_empty(&link->send_waiters)) {
        struct smc_connection *c = SMC_LIST_ENTRY(link->send_waiters.next, struct smc_connection, wants_slot);
        smc_list_remove(&c->wants_slot);
        smc_ep_work(c);
    }
}

/* Completes up to n of the SENDs that were carried out, and the WRITEs before them. */
static unsigned fake_complete(struct fake_side *s, unsigned link, unsigned n)
{
    struct fake_queue *q = &s->queue[link];
    unsigned done = 0;
    while (done < n && q->first != q->carried && !q->dead) {
        unsigned last = q->first; /* the next SEND */
        while (last != q->carried && q->op[last].write)
            last = (last + 1) % FAKE_OPS;
        if (last == q->carried)
            break;
        struct fake_op *op = &q->op[last];
        q->first = (last + 1) % FAKE_OPS;
        done++;
        op->done(op->ctx, 0);
        fake_wake(&s->link[link]);
    }
    return done;
}

/* What a dead link still held fails, also what was carried out and never acknowledged. */
static void fake_flush(struct fake_side *s, unsigned link)
{
    struct fake_queue *q = &s->queue[link];
    while (q->first != q->end) {
        struct fake_op *op = &q->op[q->first];
        q->first = (q->first + 1) % FAKE_OPS;
        if (!op->write)
            op->done(op->ctx, SMC_ERR_IO);
    }
    q->carried = q->end;
}

static inline void fake_link_dies(unsigned link)
{
    for (unsigned i = 0; i < 2; i++) {
        fake[i].queue[link].dead = true;
        smc_link_down(&fake[i].link[link]);
    }
    for (unsigned i = 0; i < 2; i++)
        fake_flush(&fake[i], link);
}

/* ---- SMC-D ---- */
int smc_smcd_move(struct smc_connection *c, uint32_t offset, const void *data, uint32_t size, bool signal)
{
    struct fake_side *s = fake_of(c->ep), *to = fake_peer(s);
    if (s->move_error != 0)
        return s->move_error;
    FAKE_NEED(offset + size <= to->rmb.rmbe_bytes);
    FAKE_NEED(signal == (offset == 0));
    FAKE_NEED(offset == 0 ? size == 32 : offset >= 32);
    memcpy(to->rmb.memory + offset, data, size);
    to->signalled |= signal;
    if (signal) {
        const uint8_t *b = data;
        FAKE_NEED(b[0] == 0xfe);
        struct smc_smcd_cdc_le m = {b};
        s->seen[s->seen_count++ % FAKE_SEEN] = (struct fake_cdc){.prod = {smc_smcd_cdc_le_prod_count(m), smc_smcd_cdc_le_prod_wrap(m)},
                                                     .cons = {smc_smcd_cdc_le_cons_count(m), smc_smcd_cdc_le_cons_wrap(m)},
                                                     .prod_flags = b[22],
                                                     .conn_flags = b[23]};
    }
    return 0;
}

int smc_smcd_attach(struct smc_connection *c)
{
    struct fake_side *s = fake_of(c->ep), *to = fake_peer(s);
    if (fake_kind != FAKE_D_NO_COPY)
        return SMC_ERR_UNSUPPORTED;
    s->sndbuf = (struct smc_sndbuf){.bytes = to->rmb.rmbe_bytes, .used = true, .ghost = true, .memory = to->rmb.memory};
    c->sndbuf = &s->sndbuf;
    return 0;
}

static uint16_t fake_fabric(struct smc_dibs_device *device)
{
    (void)device;
    return SMC_DIBS_LOOPBACK_FABRIC;
}

/* ---- The world ---- */
static const struct smc_dibs_ops fake_dibs_ops = {.get_fabric_id = fake_fabric};
static struct smc_dibs_device fake_device = {.ops = &fake_dibs_ops};

static const struct smc_profile *fake_profile(void)
{
    return fake_kind == FAKE_R_RFC || fake_kind == FAKE_D_RFC ? &smc_profile_rfc : &smc_profile_linux;
}

static void fake_side_init(struct fake_side *s, uint32_t rmb_bytes)
{
    memset(s, 0, sizeof(*s));
    s->ep.profile = *fake_profile();
    s->ep.config.ops = &fake_ops;
    s->ep.config.host = s;
    smc_list_init(&s->ep.work);
    struct smc_group *g = &s->group;
    g->ep = &s->ep;
    g->smc_d = !fake_r();
    g->eyecatcher_own = g->eyecatcher_peer = fake_kind == FAKE_R_RFC;
    g->link_slots = FAKE_LINKS;
    g->rtokens = s->rtokens;
    g->rtoken_rows = 1;
    smc_list_init(&g->conns);
    s->use.device = &fake_device;
    g->device = &s->use;
    for (unsigned i = 0; i < FAKE_LINKS; i++) {
        g->links[i] = &s->link[i];
        s->link[i] = (struct smc_link){.group = g, .slot = (uint8_t)i, .number = (uint8_t)(i + 1), .state = SMC_LINK_ACTIVE};
        smc_list_init(&s->link[i].conns);
        smc_list_init(&s->link[i].send_waiters);
        s->rtokens[i] = (struct smc_rtoken){.rkey = 100 + i, .va = fake_va(i), .valid = true};
    }
    s->rmb = (struct smc_rmb){.group = g, .rmbe_bytes = rmb_bytes, .rmbe_count = 2, .memory = calloc(2, rmb_bytes)};
}

static void fake_connection(struct fake_side *s, uint32_t peer_bytes)
{
    struct smc_connection *c = s->c = calloc(1, sizeof(*c));
    struct smc_list *nodes[] = {&c->all, &c->ready, &c->work, &c->of_group, &c->of_link, &c->wants_slot, &c->signalled};
    for (unsigned i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
        smc_list_init(nodes[i]);
    c->ep = &s->ep;
    c->state = SMC_STATE_INIT;
    c->group = &s->group;
    smc_list_add_tail(&s->group.conns, &c->of_group);
    if (fake_r()) {
        c->link = &s->link[0];
        c->link->connections = 1;
        smc_list_add_tail(&c->link->conns, &c->of_link);
    }
    c->rmb = &s->rmb;
    c->rmbe_index = fake_r() ? 2 : 0;
    c->peer_rmbe_offset = fake_r() ? peer_bytes : 0;
    c->peer_rmbe_bytes = peer_bytes;
    c->token = s == &fake[0] ? 7 : 9;
    c->peer_token = s == &fake[0] ? 9 : 7;
}

static inline void fake_start(enum fake_kind kind)
{
    fake_kind = kind;
    for (unsigned i = 0; i < 2; i++)
        fake_side_init(&fake[i], FAKE_RMB << i); /* rings of different sizes [CURSOR-025] */
    for (unsigned i = 0; i < 2; i++)
        fake_connection(&fake[i], FAKE_RMB << !i);
    for (unsigned i = 0; i < 2; i++)
        smc_conn_start(fake[i].c);
}

static inline void fake_end(void)
{
    for (unsigned i = 0; i < 2; i++) {
        fake_terminate(&fake[i]);
        for (unsigned l = 0; l < FAKE_LINKS; l++)
            fake_flush(&fake[i], l);
        smc_conn_work(fake[i].c);
    }
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_uint_eq(fake[i].c->cdc_pending, 0);
        ck_assert_uint_eq(fake[i].detached, 1);
        free(fake[i].rmb.memory);
        if (!fake[i].sndbuf.ghost)
            free(fake[i].sndbuf.memory);
        free(fake[i].c);
    }
}

/* What the run loop does. */
static bool fake_work(struct fake_side *s)
{
    bool any = false;
    if (s->signalled) {
        s->signalled = false;
        any = true;
        if (s->c->group != NULL)
            smc_cdc_smcd_input(s->c);
    }
    while (!smc_list_empty(&s->ep.work)) {
        smc_list_remove(&s->c->work);
        smc_conn_work(s->c);
        any = true;
    }
    return any;
}

static inline void fake_pump(void)
{
    bool any = true;
    for (unsigned rounds = 0; any; rounds++) {
        FAKE_NEED(rounds < 10000); /* messages that answer each other for ever */
        any = false;
        for (unsigned i = 0; i < 2; i++) {
            any |= fake_work(&fake[i]);
            for (unsigned l = 0; l < FAKE_LINKS; l++) {
                any |= fake_deliver(&fake[i], l, FAKE_OPS) > 0;
                any |= fake_complete(&fake[i], l, FAKE_OPS) > 0;
            }
        }
    }
}

static inline void fake_later(uint64_t ns)
{
    for (unsigned i = 0; i < 2; i++) {
        fake[i].ep.now_ns += ns;
        while (smc_timers_run_one(&fake[i].ep.timers, fake[i].ep.now_ns))
            ;
    }
    fake_pump();
}

/* Both rings as if they had gone round often: the next wrap of cursors and numbers is near. */
static inline void fake_set_wraps(uint16_t wrap, uint16_t seq)
{
    for (unsigned i = 0; i < 2; i++) {
        struct smc_connection *c = fake[i].c;
        struct smc_cursor at = {.wrap = wrap};
        c->rx_prod = c->rx_cons = c->rx_confirmed = c->tx_prod = c->tx_cons = at;
        c->snd_prep = c->snd_sent = c->snd_fin = at;
        c->cdc_sent = c->cdc_completed = c->cdc_received = seq;
    }
}

/* ---- Messages that nobody sent ---- */
/* What the peer of side i would say: cursors as i sees them itself, moved by n bytes of data; then change what you like. */
static inline struct fake_cdc fake_words(unsigned i, uint32_t n)
{
    struct smc_connection *c = fake[i].c;
    uint32_t origin = fake_kind == FAKE_R_RFC ? 4 : 0;
    struct fake_cdc w = {.seq = (uint16_t)(c->cdc_received + 1), .prod = smc_cursor_add(c->rx_prod, c->rx_ring, n), .cons = c->tx_cons};
    w.prod.count += origin;
    w.cons.count += origin;
    w.conn_flags = c->rx_conn_flags;
    return w;
}

static inline void fake_inject_r(unsigned i, const struct fake_cdc *w)
{
    uint8_t p[44] = {0};
    smc_cdc_put_type(p, 0xfe);
    smc_cdc_put_length(p, 44);
    smc_cdc_put_seqno(p, w->seq);
    smc_cdc_put_token(p, i == 0 ? 7 : 9);
    smc_cdc_put_prod_wrap(p, w->prod.wrap);
    smc_cdc_put_prod_count(p, w->prod.count);
    smc_cdc_put_cons_wrap(p, w->cons.wrap);
    smc_cdc_put_cons_count(p, w->cons.count);
    p[24] = w->prod_flags;
    p[25] = w->conn_flags;
    smc_cdc_input(&fake[i].link[w->link], p, sizeof(p));
}

static inline void fake_inject(unsigned i, const struct fake_cdc *w)
{
    uint8_t *p = fake[i].rmb.memory;
    if (fake_r()) {
        fake_inject_r(i, w);
        return;
    }
    p[0] = 0xfe;
    smc_smcd_cdc_le_put_prod_wrap(p, w->prod.wrap);
    smc_smcd_cdc_le_put_prod_count(p, w->prod.count);
    smc_smcd_cdc_le_put_cons_wrap(p, w->cons.wrap);
    smc_smcd_cdc_le_put_cons_count(p, w->cons.count);
    p[22] = w->prod_flags;
    p[23] = w->conn_flags;
    if (fake[i].c->group != NULL)
        smc_cdc_smcd_input(fake[i].c);
}

/* ---- Small helps ---- */
static inline uint64_t fake_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* The stream that side i sends: byte n of it. */
static inline uint8_t fake_byte(unsigned i, uint64_t n)
{
    return (uint8_t)(n * 31 + (n >> 8) * 7 + (n >> 16) + i * 101);
}

struct fake_stream {
    uint64_t sent, received; /* by side i, of side i's stream */
};
static struct fake_stream fake_streams[2];

static inline int64_t fake_send(unsigned i, size_t n, unsigned flags)
{
    static uint8_t bytes[1 << 18];
    for (size_t k = 0; k < n; k++)
        bytes[k] = fake_byte(i, fake_streams[i].sent + k);
    int64_t taken = smc_send(fake[i].c, bytes, n, flags, fake[i].ep.now_ns);
    if (taken > 0)
        fake_streams[i].sent += (uint64_t)taken;
    return taken;
}

/* Side i reads of the other's stream, and compares. */
static inline int64_t fake_recv(unsigned i, size_t n)
{
    static uint8_t bytes[1 << 18];
    int64_t got = smc_recv(fake[i].c, bytes, n, 0, fake[i].ep.now_ns);
    bool same = true; /* an assertion for each byte would take Check minutes */
    for (int64_t k = 0; k < got; k++)
        same &= bytes[k] == fake_byte(!i, fake_streams[!i].received + (uint64_t)k);
    FAKE_NEED(same);
    if (got > 0)
        fake_streams[!i].received += (uint64_t)got;
    return got;
}

static inline struct fake_cdc fake_last(unsigned i)
{
    FAKE_NEED(fake[i].seen_count > 0);
    return fake[i].seen[(fake[i].seen_count - 1) % FAKE_SEEN];
}

static inline void fake_begin(enum fake_kind kind)
{
    memset(fake_streams, 0, sizeof(fake_streams));
    fake_start(kind);
}

#endif
