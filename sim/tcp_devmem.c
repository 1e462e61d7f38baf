/* Device memory in TCP's reassembly: frames from the NIC, and runs of fragments by sequence number.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/tcp_devmem_parts.h"

#include <assert.h>

enum { FIRST_RUNS = 16 };

/* ---- frames ---- */
bool tcp_devmem_verified(const struct devmem_skb *skb)
{
    return skb->checksum == DEVMEM_CHECKSUM_GOOD;
}

/* Every fragment is of the kind that the packet says, and no device memory goes to ourselves. */
static bool sound(const struct ip_stack *stack, int interface, const struct devmem_skb *skb)
{
    for (unsigned i = 0; i < skb->nfrags; i++)
        if (devmem_is_iov(skb->frags[i].mem) != skb->unreadable) /* [DEVMEM-019] */
            return false;
    return !skb->unreadable || interface < 0 || interface >= stack->ninterfaces ||
           !stack->interfaces[interface].loopback; /* [DEVMEM-018] */
}

static void give_unreadable(struct ip_stack *stack, int interface, const struct devmem_skb *skb,
                            uint64_t now_ns)
{
    stack->skb = skb;
    stack->behind = skb->length - skb->linear;
    ip_frame(stack, interface, skb->head, skb->linear, now_ns);
    stack->skb = NULL;
    stack->behind = 0;
}

static void give_readable(struct ip_stack *stack, int interface, const struct devmem_skb *skb,
                          uint64_t now_ns)
{
    const struct smc_alloc *alloc = stack->config.alloc;
    uint8_t *whole = NULL;
    if (skb->nfrags > 0) {
        whole = alloc->allocate(alloc->user, skb->length);
        if (whole == NULL) {
            stack->counters.no_memory++;
            return;
        }
        int error = devmem_skb_copy(skb, 0, whole, skb->length);
        assert(error == 0);
        (void)error;
    }
    stack->skb = skb->bound ? skb : NULL;
    ip_frame(stack, interface, whole != NULL ? whole : skb->head, skb->length, now_ns);
    stack->skb = NULL;
    smc_alloc_release(alloc, whole, skb->length, 1);
}

void tcp_devmem_frame(struct ip_stack *stack, int interface, struct devmem_nic *nic,
                      const uint8_t *frame, size_t length, uint64_t now_ns)
{
    struct devmem_skb *skb = NULL;
    if (devmem_nic_rx(nic, frame, length, &skb) != 0)
        return;
    if (!sound(stack, interface, skb))
        stack->counters.not_mine++;
    else if (skb->unreadable)
        give_unreadable(stack, interface, skb, now_ns);
    else
        give_readable(stack, interface, skb, now_ns);
    devmem_skb_free(skb);
}

/* ---- runs ---- */
static uint32_t overlapped(const struct tcp_devmem *d, uint32_t from, uint32_t to)
{
    uint32_t n = 0;
    for (uint32_t i = d->end; i > d->first && seq_before(from, d->runs[i - 1].to); i--)
        n += seq_before(d->runs[i - 1].from, to);
    return n;
}

static int make_room(const struct smc_alloc *alloc, struct tcp_devmem *d, uint32_t more)
{
    if (d->first > 0 && d->capacity - d->end < more) {
        memmove(d->runs, d->runs + d->first, (d->end - d->first) * sizeof(*d->runs));
        d->end -= d->first;
        d->first = 0;
    }
    if (d->capacity - d->end >= more)
        return 0;
    uint32_t wanted = d->capacity > 0 ? d->capacity * 2 : FIRST_RUNS;
    while (wanted - d->end < more)
        wanted *= 2;
    struct tcp_run *runs = smc_alloc_grow(alloc, d->runs, d->capacity, wanted, sizeof(*runs));
    if (runs == NULL)
        return SMC_ERR_NOMEM;
    d->runs = runs;
    d->capacity = wanted;
    return 0;
}

/* Each run in the way may cut a piece in two. */
int tcp_devmem_reserve(struct tcp_conn *conn, const struct tcp_segment *segment, uint32_t from,
                       uint32_t length)
{
    const struct smc_alloc *alloc = conn->stack->config.alloc;
    if (conn->devmem == NULL)
        conn->devmem = smc_alloc_zeroed(alloc, 1, sizeof(*conn->devmem));
    if (conn->devmem == NULL)
        return SMC_ERR_NOMEM;
    return make_room(alloc, conn->devmem,
                     1 + segment->skb->nfrags + overlapped(conn->devmem, from, from + length));
}

static void insert_at(struct tcp_devmem *d, uint32_t i, const struct tcp_run *run, uint32_t from,
                      uint32_t to)
{
    assert(d->end < d->capacity);
    memmove(d->runs + i + 1, d->runs + i, (d->end - i) * sizeof(*d->runs));
    d->end++;
    d->runs[i] = *run;
    d->runs[i].from = from;
    d->runs[i].to = to;
    if (run->mem != 0) {
        d->runs[i].offset += from - run->from;
        devmem_netmem_get(run->mem);
    }
}

/* Into the gaps between what is there: data that came twice stays where it was put first. */
static void insert(struct tcp_devmem *d, const struct tcp_run *run)
{
    uint32_t at = run->from, i = d->end;
    while (i > d->first && seq_before(at, d->runs[i - 1].to))
        i--;
    while (seq_before(at, run->to)) {
        if (i == d->end || seq_upto(run->to, d->runs[i].from)) {
            insert_at(d, i, run, at, run->to);
            return;
        }
        if (seq_before(at, d->runs[i].from)) {
            insert_at(d, i, run, at, d->runs[i].from);
            i++;
        }
        at = d->runs[i].to;
        i++;
    }
}

/* One piece of the packet, bytes begin .. begin + size - 1 of its data, as far as it lies in skip .. skip + length - 1. */
static void note_piece(struct tcp_devmem *d, const struct tcp_run *like, uint32_t begin,
                       uint32_t size, uint32_t skip, uint32_t from, uint32_t length)
{
    uint32_t first = begin > skip ? begin : skip;
    uint32_t last = tcp_min(begin + size, skip + length);
    if (first >= last)
        return;
    struct tcp_run run = *like;
    run.from = from + (first - skip);
    run.to = from + (last - skip);
    if (run.mem != 0)
        run.offset += first - begin;
    insert(d, &run);
}

void tcp_devmem_note(struct tcp_conn *conn, const struct tcp_segment *segment, uint32_t skip,
                     uint32_t from, uint32_t length)
{
    const struct devmem_skb *skb = segment->skb;
    uint32_t begin = segment->linear;
    struct tcp_run run = {.unreadable = skb->unreadable};
    note_piece(conn->devmem, &run, 0, begin, skip, from, length);
    for (unsigned i = 0; skb->unreadable && i < skb->nfrags; i++) {
        run.mem = skb->frags[i].mem;
        run.offset = skb->frags[i].offset;
        note_piece(conn->devmem, &run, begin, skb->frags[i].size, skip, from, length);
        begin += skb->frags[i].size;
    }
}

uint32_t tcp_devmem_readable(const struct tcp_conn *conn, uint32_t skip, uint32_t length)
{
    const struct tcp_devmem *d = conn->devmem;
    uint32_t from = conn->rcv_read + skip;
    for (uint32_t i = d != NULL ? d->first : 0; d != NULL && i < d->end; i++) {
        if (!d->runs[i].unreadable || seq_upto(d->runs[i].to, from))
            continue;
        return seq_upto(d->runs[i].from, from) ? 0 : tcp_min(length, d->runs[i].from - from);
    }
    return length;
}

static void drop(struct tcp_run *run)
{
    if (run->mem != 0)
        devmem_netmem_put(run->mem);
}

void tcp_devmem_consumed(struct tcp_conn *conn)
{
    struct tcp_devmem *d = conn->devmem;
    if (d == NULL)
        return;
    while (d->first < d->end && seq_upto(d->runs[d->first].to, conn->rcv_read))
        drop(&d->runs[d->first++]);
    if (d->first == d->end) {
        d->first = d->end = 0;
        return;
    }
    struct tcp_run *run = &d->runs[d->first];
    if (seq_before(run->from, conn->rcv_read)) {
        run->offset += conn->rcv_read - run->from;
        run->from = conn->rcv_read;
    }
}

void tcp_devmem_forget_islands(struct tcp_conn *conn)
{
    struct tcp_devmem *d = conn->devmem;
    while (d != NULL && d->end > d->first && seq_upto(conn->rcv_nxt, d->runs[d->end - 1].from))
        drop(&d->runs[--d->end]);
}

void tcp_devmem_release(struct tcp_conn *conn)
{
    const struct smc_alloc *alloc = conn->stack->config.alloc;
    struct tcp_devmem *d = conn->devmem;
    if (d == NULL)
        return;
    conn->devmem = NULL;
    for (uint32_t i = d->first; i < d->end; i++)
        drop(&d->runs[i]);
    for (uint32_t i = 0; i < d->token_room; i++)
        if (d->tokens[i] != 0)
            devmem_netmem_put(d->tokens[i]);
    smc_alloc_release(alloc, d->runs, d->capacity, sizeof(*d->runs));
    smc_alloc_release(alloc, d->tokens, d->token_room, sizeof(*d->tokens));
    smc_alloc_release(alloc, d, 1, sizeof(*d));
}

struct tcp_devmem_info tcp_devmem_info(const struct tcp_conn *conn)
{
    const struct tcp_devmem *d = conn->devmem;
    if (d == NULL)
        return (struct tcp_devmem_info){0, 0};
    return (struct tcp_devmem_info){.tokens = d->outstanding, .fragments = d->end - d->first};
}
