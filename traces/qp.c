/* RC queue pairs out of RoCE packets: which stream a packet belongs to, which stream an ACK answers.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "qp_internal.h"

#include <stdlib.h>

static const uint64_t IDLE_NS = UINT64_C(600000000000);
enum {
    STREAMS_MANY = 1 << 16, /* from here on idle streams are forgotten */
    STREAMS_MAX = 1 << 20,  /* and here the one idle longest, whenever it was used */
};
/* How far from the next PSN an ACK confirms a guessed pair: by chance one in two thousand would. */
static const uint32_t GUESS_WINDOW = 1 << 12;

struct name {
    const struct trace_addr *src, *dst;
    uint32_t dqpn;
};

static inline bool has_name(const struct qp_stream *s, const struct name *n)
{
    return s->pub.dqpn == n->dqpn && trace_addr_equal(&s->pub.src, n->src) && trace_addr_equal(&s->pub.dst, n->dst);
}

static bool same_stream(const void *item, const void *key)
{
    return has_name(item, key);
}

static uint64_t hash_of(const struct name *n)
{
    return trace_mix(trace_hash_addr(n->dst, trace_hash_addr(n->src, 0)), n->dqpn);
}

static struct qp_stream *find(struct trace_qp *t, const struct name *n)
{
    struct qp_stream *s = t->last;
    if (s && has_name(s, n))
        return s;
    if (s && s->pub.reverse && has_name((struct qp_stream *)s->pub.reverse, n))
        return (struct qp_stream *)s->pub.reverse;
    return trace_table_find(&t->table, hash_of(n), same_stream, n);
}

/* ---- pairs ---- */

static void part_ways(struct trace_stream *x)
{
    if (!x->reverse)
        return;
    ((struct qp_stream *)x->reverse)->guessed = false;
    ((struct qp_stream *)x)->guessed = false;
    x->reverse->reverse = NULL;
    x->reverse = NULL;
}

void trace_qp_pair(struct trace_stream *x, struct trace_stream *y)
{
    if (!x || !y || !trace_addr_equal(&x->src, &y->dst) || !trace_addr_equal(&x->dst, &y->src) || x == y)
        return;
    if (x->reverse != y) {
        part_ways(x);
        part_ways(y);
        x->reverse = y;
        y->reverse = x;
    }
    ((struct qp_stream *)x)->guessed = false;
    ((struct qp_stream *)y)->guessed = false;
}

static bool same_peers(const void *item, const void *key)
{
    const struct qp_peers *a = item;
    const struct qp_peers *b = key;
    return trace_addr_equal(&a->addr[0], &b->addr[0]) && trace_addr_equal(&a->addr[1], &b->addr[1]);
}

/* Which way a stream from src to dst runs, and between whom. */
static int way_of(const struct trace_addr *src, const struct trace_addr *dst, struct qp_peers *key)
{
    int way = memcmp(src, dst, sizeof *src) > 0;
    key->addr[way] = *src;
    key->addr[!way] = *dst;
    key->hash = trace_hash_addr(&key->addr[1], trace_hash_addr(&key->addr[0], 1));
    return way;
}

static struct qp_peers *find_peers(struct trace_qp *t, const struct qp_peers *key)
{
    return trace_table_find(&t->peers, key->hash, same_peers, key);
}

static struct qp_peers *get_peers(struct trace_qp *t, const struct qp_peers *key)
{
    struct qp_peers *peers = find_peers(t, key);
    if (peers)
        return peers;
    peers = calloc(1, sizeof *peers);
    if (!peers)
        return NULL;
    memcpy(peers->addr, key->addr, sizeof peers->addr);
    peers->hash = key->hash;
    if (trace_table_add(&t->peers, peers->hash, peers) != 0) {
        free(peers);
        return NULL;
    }
    return peers;
}

static void drop_empty_peers(struct trace_qp *t, struct qp_peers *peers)
{
    if (!peers || peers->streams[0].first || peers->streams[1].first)
        return;
    trace_table_remove(&t->peers, peers->hash, peers);
    free(peers);
}

/* The only stream that runs this way; NULL if there are none or several. */
static struct qp_stream *only_one(const struct qp_peers *peers, int way)
{
    const struct trace_list *l = &peers->streams[way];
    return l->first == l->last ? TRACE_ITEM(l->first, struct qp_stream, by_peers) : NULL;
}

/* A stream was added: are there now exactly two that can belong together, or is a guess no longer certain? */
static void guess_pair(const struct qp_peers *peers, struct qp_stream *s)
{
    struct qp_stream *mine = only_one(peers, s->way);
    struct qp_stream *other = only_one(peers, !s->way);
    if (mine && other && !mine->pub.reverse && !other->pub.reverse) {
        trace_qp_pair(&mine->pub, &other->pub);
        mine->guessed = other->guessed = true;
    } else if (other && other->guessed && !mine) {
        part_ways(&other->pub);
    }
}

/* ---- streams ---- */

static void bury(struct trace_qp *t)
{
    struct qp_stream *s;
    if (t->depth > 0)
        return;
    while ((s = TRACE_ITEM(t->graveyard.first, struct qp_stream, by_use)) != NULL) {
        trace_list_remove(&t->graveyard, &s->by_use);
        trace_qp_message_free(s);
        free(s);
    }
}

/* Ends a stream. It may be the one whose packet is being delivered, so its memory stays until that is over. */
static void forget(struct trace_qp *t, struct qp_stream *s)
{
    trace_qp_order_drop(t, s);
    part_ways(&s->pub);
    trace_list_remove(&s->peers->streams[s->way], &s->by_peers);
    drop_empty_peers(t, s->peers);
    trace_table_remove(&t->table, s->hash, s);
    trace_list_remove(&t->all, &s->by_id);
    trace_list_remove(&t->used, &s->by_use);
    trace_list_append(&t->graveyard, &s->by_use);
    if (t->last == s)
        t->last = NULL;
    t->count--;
    s->dead = true;
    if (t->ev.end)
        t->ev.end(t->ctx, &s->pub);
    bury(t);
}

static void flush_and_forget(struct trace_qp *t, struct qp_stream *s)
{
    t->depth++;
    trace_qp_order_flush(t, s);
    t->depth--;
    if (!s->dead)
        forget(t, s);
    bury(t);
}

static void make_room(struct trace_qp *t)
{
    struct qp_stream *s;
    while (t->count > STREAMS_MANY && (s = TRACE_ITEM(t->used.first, struct qp_stream, by_use)) != NULL) {
        bool idle = t->now_ns > s->pub.last_ns && t->now_ns - s->pub.last_ns > IDLE_NS;
        if (!idle && t->count < STREAMS_MAX)
            break;
        flush_and_forget(t, s);
    }
}

static struct qp_stream *add(struct trace_qp *t, const struct name *n)
{
    make_room(t);
    struct qp_stream *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    struct qp_peers key;
    s->way = way_of(n->src, n->dst, &key);
    s->hash = hash_of(n);
    s->peers = get_peers(t, &key);
    if (!s->peers || trace_table_add(&t->table, s->hash, s) != 0) {
        drop_empty_peers(t, s->peers);
        free(s);
        return NULL;
    }
    s->pub.src = *n->src;
    s->pub.dst = *n->dst;
    s->pub.dqpn = n->dqpn;
    s->pub.id = ++t->next_id;
    s->pub.last_ns = t->now_ns;
    trace_list_append(&t->all, &s->by_id);
    trace_list_append(&t->used, &s->by_use);
    trace_list_append(&s->peers->streams[s->way], &s->by_peers);
    t->count++;
    guess_pair(s->peers, s);
    return s;
}

struct trace_stream *trace_qp_find(struct trace_qp *t, const struct trace_addr *src, const struct trace_addr *dst,
                                   uint32_t dqpn)
{
    struct name n = {src, dst, dqpn};
    struct qp_stream *s = find(t, &n);
    return s ? &s->pub : NULL;
}

/* Is this PSN the one the running stream began with? Its first packets may not have been captured. */
static bool began_with(const struct qp_stream *s, uint32_t psn)
{
    if (!s->pub.started)
        return true;
    if (s->pub.has_initial_psn || !s->opened)
        return s->first_psn == psn;
    return qp_distance(s->first_psn, psn) <= TRACE_QP_HOLD;
}

static void set_initial(struct qp_stream *s, uint32_t psn)
{
    s->pub.has_initial_psn = true;
    if (s->pub.started)
        return;
    s->pub.started = true;
    s->pub.next_psn = s->first_psn = psn;
}

struct trace_stream *trace_qp_expect(struct trace_qp *t, const struct trace_addr *src, const struct trace_addr *dst,
                                     uint32_t dqpn, int64_t psn)
{
    struct trace_addr from = *src; /* the name may stand in the stream that ends here */
    struct trace_addr to = *dst;
    struct name n = {&from, &to, dqpn};
    struct qp_stream *s = find(t, &n);
    uint32_t initial = (uint32_t)psn & QP_PSN_MASK;
    if (s && psn >= 0 && !began_with(s, initial)) {
        flush_and_forget(t, s);
        s = find(t, &n);
    }
    if (!s)
        s = add(t, &n);
    if (s && psn >= 0)
        set_initial(s, initial);
    return s ? &s->pub : NULL;
}

/* ---- packets ---- */

/* The stream whose requests this packet (of a responder) answers. The packet travels under the name of the stream
 * towards the requester. */
static struct qp_stream *answered(struct trace_qp *t, const struct name *n)
{
    struct qp_stream *towards = find(t, n);
    if (towards && towards->pub.reverse)
        return (struct qp_stream *)towards->pub.reverse;
    struct qp_peers key;
    int way = way_of(n->src, n->dst, &key);
    const struct qp_peers *peers = find_peers(t, &key);
    if (!peers || (peers->streams[way].first && towards != only_one(peers, way)))
        return NULL;
    struct qp_stream *s = only_one(peers, !way);
    return s && !s->pub.reverse ? s : NULL;
}

/* False if the pair was a guess and this ACK speaks against it. */
static bool confirm_guess(struct qp_stream *s, uint32_t psn)
{
    if (!s->guessed || !s->pub.started)
        return true;
    if (qp_distance(psn, s->pub.next_psn - GUESS_WINDOW) >= 2 * GUESS_WINDOW)
        return false;
    s->guessed = ((struct qp_stream *)s->pub.reverse)->guessed = false;
    return true;
}

/* A NAK acknowledges what stands before its PSN; an ACK its PSN too. */
static void take_ack(struct trace_qp *t, const struct trace_packet *p, const struct name *n)
{
    struct qp_stream *s = answered(t, n);
    if (!s || !p->roce.has_aeth || !confirm_guess(s, p->roce.psn))
        return;
    bool nak = p->roce.aeth_kind != 0;
    s->pub.naks += nak;
    if (t->ev.ack)
        t->ev.ack(t->ctx, &s->pub, p);
    if (!s->dead)
        trace_qp_order_ack(t, s, (p->roce.psn + !nak) & QP_PSN_MASK);
}

static void take_request(struct trace_qp *t, const struct trace_packet *p, const struct name *n)
{
    struct qp_stream *s = find(t, n);
    if (!s && p->roce.icrc != TRACE_ICRC_BAD)
        s = add(t, n);
    if (!s) {
        t->no_memory = p->roce.icrc != TRACE_ICRC_BAD;
        return;
    }
    if (p->roce.icrc == TRACE_ICRC_BAD) {
        s->pub.bad_icrc++;
        return;
    }
    t->last = s;
    s->pub.last_ns = p->raw.ts_ns;
    trace_list_touch(&t->used, &s->by_use);
    trace_qp_order_request(t, s, p);
}

/* Responses: of READ and atomics, which SMC does not use, and ACK. */
static bool is_response(uint8_t opcode)
{
    return opcode >= SMC_BTH_READ_RESP_FIRST && opcode <= SMC_BTH_ATOMIC_ACK;
}

int trace_qp_input(struct trace_qp *t, const struct trace_packet *p)
{
    struct name n = {&p->src, &p->dst, p->roce.dqpn};
    uint8_t opcode = p->roce.opcode;
    t->now_frame = p->raw.frame;
    if (p->raw.ts_ns > t->now_ns)
        t->now_ns = p->raw.ts_ns;
    t->no_memory = false;
    t->depth++;
    if (opcode >> 5 != 0) { /* CNP, or a transport other than RC */
    } else if (!is_response(opcode)) {
        take_request(t, p, &n);
    } else if (opcode == SMC_BTH_ACK && p->roce.icrc != TRACE_ICRC_BAD) {
        take_ack(t, p, &n);
    }
    t->depth--;
    bury(t);
    return t->no_memory ? -1 : 0;
}

struct trace_qp *trace_qp_new(const struct trace_qp_events *events, void *ctx)
{
    struct trace_qp *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->ev = *events;
    t->ctx = ctx;
    return t;
}

static void forget_all(struct trace_qp *t)
{
    struct qp_stream *s;
    while ((s = TRACE_ITEM(t->all.first, struct qp_stream, by_id)) != NULL)
        forget(t, s);
}

void trace_qp_finish(struct trace_qp *t)
{
    t->depth++; /* a stream that ends while we walk stays readable */
    for (struct trace_node *l = t->all.first; l; l = l->next)
        trace_qp_order_flush(t, TRACE_ITEM(l, struct qp_stream, by_id));
    t->depth--;
    bury(t);
    forget_all(t);
}

void trace_qp_free(struct trace_qp *t)
{
    if (!t)
        return;
    forget_all(t);
    trace_table_free(&t->table);
    trace_table_free(&t->peers);
    free(t);
}
