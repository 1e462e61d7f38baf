/* TCP connections out of packets: which flow a packet belongs to, where flows begin and end.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_internal.h"

#include <stdlib.h>

/* How long a finished flow waits for what comes after its FINs (SMC's own close may), and how many may wait. */
static const uint64_t FINISHED_NS = UINT64_C(10000000000);
enum { FINISHED_MAX = 2048 };

struct endpoint {
    const struct trace_addr *addr;
    uint16_t port;
};

/* ---- flows ---- */

/* 0 or 1: the slot that sent p; -1: p is not of this flow. */
static inline int slot_of(const struct tcp_flow *f, struct endpoint src, struct endpoint dst)
{
    int first = f->flip; /* direction of slot 0 */
    const struct trace_flow *pub = &f->pub;
    if (pub->port[first] == src.port && pub->port[!first] == dst.port &&
        trace_addr_equal(&pub->addr[first], src.addr) && trace_addr_equal(&pub->addr[!first], dst.addr))
        return 0;
    if (pub->port[first] == dst.port && pub->port[!first] == src.port &&
        trace_addr_equal(&pub->addr[first], dst.addr) && trace_addr_equal(&pub->addr[!first], src.addr))
        return 1;
    return -1;
}

static bool same_flow(const void *item, const void *key)
{
    const struct endpoint *ends = key;
    return slot_of(item, ends[0], ends[1]) >= 0;
}

static uint64_t hash_of(const struct endpoint ends[2])
{
    return trace_mix(trace_hash_addr(ends[0].addr, 0), ends[0].port) +
           trace_mix(trace_hash_addr(ends[1].addr, 0), ends[1].port);
}

static void forget(struct trace_tcp *t, struct tcp_flow *f)
{
    for (int slot = 0; slot < 2; slot++)
        trace_tcp_order_drop(t, &f->side[slot]);
    trace_table_remove(&t->table, f->hash, f);
    trace_list_remove(&t->all, &f->by_id);
    trace_list_remove(f->finished ? &t->finished : &t->live, &f->by_use);
    if (t->last == f)
        t->last = NULL;
    t->nfinished -= f->finished;
    t->flows--;
    if (t->ev.end)
        t->ev.end(t->ctx, &f->pub);
    free(f);
}

static void flush_flow(struct trace_tcp *t, struct tcp_flow *f)
{
    int client = f->flip;
    trace_tcp_order_flush(t, f, client);
    trace_tcp_order_flush(t, f, !client);
}

static void flush_and_forget(struct trace_tcp *t, struct tcp_flow *f)
{
    flush_flow(t, f);
    forget(t, f);
}

static struct tcp_flow *idle_longest(const struct trace_tcp *t)
{
    struct tcp_flow *a = TRACE_ITEM(t->finished.first, struct tcp_flow, by_use);
    struct tcp_flow *b = TRACE_ITEM(t->live.first, struct tcp_flow, by_use);
    if (!a || !b)
        return a ? a : b;
    return a->pub.last_ns <= b->pub.last_ns ? a : b;
}

static void expire(struct trace_tcp *t)
{
    struct tcp_flow *f;
    while ((f = TRACE_ITEM(t->finished.first, struct tcp_flow, by_use)) != NULL &&
           (t->nfinished > FINISHED_MAX || (t->now_ns > f->pub.last_ns && t->now_ns - f->pub.last_ns > FINISHED_NS)))
        flush_and_forget(t, f);
}

/* Is the sender of this packet the client? Without a SYN the lower port is taken for the server's. */
static bool from_client(const struct trace_tcp_header *h)
{
    if (h->syn)
        return !h->has_ack;
    return h->sport >= h->dport;
}

static struct tcp_flow *open_flow(struct trace_tcp *t, const struct trace_packet *p, const struct endpoint ends[2])
{
    uint64_t hash = hash_of(ends);
    if (t->flows >= TRACE_TCP_MAX_FLOWS)
        flush_and_forget(t, idle_longest(t));
    struct tcp_flow *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    if (trace_table_add(&t->table, hash, f) != 0) {
        free(f);
        return NULL;
    }
    bool client = from_client(&p->tcp);
    f->hash = hash;
    f->flip = client ? 0 : 1;
    for (int slot = 0; slot < 2; slot++) {
        f->pub.addr[tcp_direction(f, slot)] = *ends[slot].addr;
        f->pub.port[tcp_direction(f, slot)] = ends[slot].port;
    }
    f->pub.id = ++t->next_id;
    f->pub.first_frame = p->raw.frame;
    f->pub.first_ns = p->raw.ts_ns;
    trace_list_append(&t->all, &f->by_id);
    trace_list_append(&t->live, &f->by_use);
    t->flows++;
    return f;
}

static void swap_pub(struct trace_flow *f)
{
    struct trace_flow old = *f;
    for (int i = 0; i < 2; i++) {
        f->addr[i] = old.addr[!i];
        f->port[i] = old.port[!i];
        f->syn_seen[i] = old.syn_seen[!i];
        f->fin[i] = old.fin[!i];
        f->rst[i] = old.rst[!i];
        f->bytes[i] = old.bytes[!i];
        f->gap[i] = old.gap[!i];
    }
}

static void swap_roles(struct tcp_flow *f)
{
    swap_pub(&f->pub);
    f->flip ^= 1;
}

/* ---- SYN ---- */

/* Does a SYN without ACK begin another connection than the one we know under this name? */
static bool syn_is_new(const struct tcp_flow *f, int slot, uint32_t first)
{
    const struct tcp_side *s = &f->side[slot];
    const struct tcp_side *o = &f->side[!slot];
    if (s->known)
        return s->start != first;
    /* The other side alone was seen: a simultaneous open, or the rest of an older connection. */
    return !(o->known && o->next == o->start && f->pub.syn_seen[tcp_direction(f, !slot)]);
}

static bool syn_ack_is_new(const struct tcp_flow *f, int slot, const struct trace_tcp_header *h)
{
    const struct tcp_side *s = &f->side[slot];
    const struct tcp_side *o = &f->side[!slot];
    if (s->known && s->start == h->seq + 1)
        return false;
    if (!o->known)
        return s->known;
    /* It answers the SYN we saw (perhaps with the data of a fast open). */
    return h->ack - o->start > o->next - o->start;
}

static bool begins_anew(const struct tcp_flow *f, int slot, const struct trace_tcp_header *h)
{
    if (!h->syn || h->rst)
        return false;
    return h->has_ack ? syn_ack_is_new(f, slot, h) : syn_is_new(f, slot, h->seq + 1);
}

static void anchor(struct tcp_side *s, uint32_t seq)
{
    s->start = s->next = seq;
    s->known = true;
}

/* Learns from a SYN of this connection: roles, and where the streams begin. False if it was seen before. */
static bool learn_syn(struct tcp_flow *f, int slot, const struct trace_tcp_header *h)
{
    struct tcp_side *s = &f->side[slot];
    struct tcp_side *o = &f->side[!slot];
    if (!f->pub.roles_known && tcp_direction(f, slot) != (h->has_ack ? TRACE_S2C : TRACE_C2S))
        swap_roles(f);
    f->pub.roles_known = true;
    if (!s->known || (s->start != h->seq + 1 && s->next == s->start && !s->slow))
        anchor(s, h->seq + 1);
    if (h->has_ack && !o->known)
        anchor(o, h->ack);
    bool fresh = !f->pub.syn_seen[tcp_direction(f, slot)];
    f->pub.syn_seen[tcp_direction(f, slot)] = true;
    return fresh;
}

/* ---- one packet ---- */

static void emit_segment(struct trace_tcp *t, struct tcp_flow *f, int slot, const struct trace_packet *p, bool dup)
{
    if (t->ev.segment)
        t->ev.segment(t->ctx, &f->pub, tcp_direction(f, slot), p, dup);
}

/* Neither the bytes nor the ACK of an RST are trusted: it may answer a packet of another connection. */
static void take_rst(struct trace_tcp *t, struct tcp_flow *f, int slot, const struct trace_packet *p)
{
    bool *seen = &f->pub.rst[tcp_direction(f, slot)];
    bool before = *seen;
    *seen = true;
    emit_segment(t, f, slot, p, before);
    if (!before && t->ev.rst)
        t->ev.rst(t->ctx, &f->pub, tcp_direction(f, slot), p->raw.frame, p->raw.ts_ns);
}

static int take_segment(struct trace_tcp *t, struct tcp_flow *f, int slot, const struct trace_packet *p)
{
    const struct trace_tcp_header *h = &p->tcp;
    bool fresh_syn = h->syn && learn_syn(f, slot, h);
    if (!f->side[slot].known)
        anchor(&f->side[slot], h->seq);
    struct tcp_segment g = trace_tcp_order_look(t, f, slot, p);
    bool carries = h->syn || h->fin || p->payload_wire_len > 0;
    emit_segment(t, f, slot, p, carries && !fresh_syn && !g.fresh_bytes && !g.fresh_fin);
    if (h->has_ack) /* first: these bytes may be the answer to what the ACK shows to be lost */
        trace_tcp_order_ack(t, f, !slot, h->ack);
    trace_tcp_order_take(t, f, slot, p, &g);
    return g.no_memory ? -1 : 0;
}

/* A side is at its end if its FIN is acknowledged, or was (one byte ahead of all we saw) without being captured. */
static bool side_closed(const struct tcp_side *s)
{
    return s->fin_acked || ((s->slow & SLOW_ACKED) && tcp_ahead(s->acked, s->next) == 1);
}

static void note_end(struct trace_tcp *t, struct tcp_flow *f)
{
    const struct tcp_side *s = f->side;
    bool reset = f->pub.rst[0] || f->pub.rst[1];
    bool closed = (s[0].fin_done || s[1].fin_done) && side_closed(&s[0]) && side_closed(&s[1]);
    if (f->finished || !(reset || closed))
        return;
    trace_list_remove(&t->live, &f->by_use);
    trace_list_append(&t->finished, &f->by_use);
    f->finished = true;
    t->nfinished++;
}

/* The flow of a packet and the side that sent it; NULL if there is none and memory is short. */
static struct tcp_flow *flow_of(struct trace_tcp *t, const struct trace_packet *p, int *slot)
{
    struct endpoint ends[2] = {{&p->src, p->tcp.sport}, {&p->dst, p->tcp.dport}};
    struct tcp_flow *f = t->last;
    *slot = f ? slot_of(f, ends[0], ends[1]) : -1;
    if (*slot < 0) {
        uint64_t hash = hash_of(ends);
        f = trace_table_find(&t->table, hash, same_flow, ends);
        *slot = f ? slot_of(f, ends[0], ends[1]) : 0;
    }
    if (f && !begins_anew(f, *slot, &p->tcp))
        return f;
    if (f)
        flush_and_forget(t, f);
    *slot = 0;
    return open_flow(t, p, ends);
}

int trace_tcp_input(struct trace_tcp *t, const struct trace_packet *p)
{
    int slot, rc = 0;
    t->now_frame = p->raw.frame;
    if (p->raw.ts_ns > t->now_ns)
        t->now_ns = p->raw.ts_ns;
    expire(t);
    struct tcp_flow *f = flow_of(t, p, &slot);
    if (!f)
        return -1;
    t->last = f;
    f->pub.last_ns = p->raw.ts_ns;
    trace_list_touch(f->finished ? &t->finished : &t->live, &f->by_use);
    if (p->tcp.rst)
        take_rst(t, f, slot, p);
    else
        rc = take_segment(t, f, slot, p);
    note_end(t, f);
    return rc;
}

struct trace_tcp *trace_tcp_new(const struct trace_tcp_events *events, void *ctx)
{
    struct trace_tcp *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->ev = *events;
    t->ctx = ctx;
    return t;
}

void trace_tcp_swap_roles(struct trace_tcp *t, struct trace_flow *f)
{
    (void)t;
    if (!f->roles_known)
        swap_roles((struct tcp_flow *)f);
}

void trace_tcp_count_only(struct trace_tcp *t, struct trace_flow *pub)
{
    struct tcp_flow *f = (struct tcp_flow *)pub;
    f->count_only = true;
    for (int slot = 0; slot < 2; slot++)
        trace_tcp_order_count(t, f, slot);
}

void trace_tcp_finish(struct trace_tcp *t)
{
    struct tcp_flow *f;
    for (struct trace_node *l = t->all.first; l; l = l->next) {
        f = TRACE_ITEM(l, struct tcp_flow, by_id);
        flush_flow(t, f);
    }
    while ((f = TRACE_ITEM(t->all.first, struct tcp_flow, by_id)) != NULL)
        forget(t, f);
}

void trace_tcp_free(struct trace_tcp *t)
{
    struct tcp_flow *f;
    if (!t)
        return;
    while ((f = TRACE_ITEM(t->all.first, struct tcp_flow, by_id)) != NULL)
        forget(t, f);
    trace_table_free(&t->table);
    free(t);
}
