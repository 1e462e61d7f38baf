/* Deadlines of the RoCE NIC's QPs: a binary heap, ordered by time and then by the QP's age.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * A QP that keeps moving its deadline away is left where it is: the key in the heap may be earlier
 * than the deadline, and is put right when its time comes. So steady traffic costs no heap work. */
#include <assert.h>

#include "devices/roce_internal.h"

/* InfiniBand 9.7.5.2.8, table 45: RNR NAK timer field, in units of 10 µs. */
static const uint32_t rnr_units[32] = {65536, 1,    2,    3,    4,    6,     8,     12,
                                       16,    24,   32,   48,   64,   96,    128,   192,
                                       256,   384,  512,  768,  1024, 1536,  2048,  3072,
                                       4096,  6144, 8192, 12288, 16384, 24576, 32768, 49152};

uint64_t roce_rnr_ns(uint8_t code)
{
    return (uint64_t)rnr_units[code & 31] * 10000;
}

int roce_heap_reserve(struct roce *roce, uint32_t count)
{
    if (count <= roce->heap_capacity)
        return 0;
    uint32_t capacity = roce->heap_capacity > 0 ? roce->heap_capacity * 2 : 8;
    struct smc_rdma_qp **heap = smc_alloc_grow(roce->alloc, roce->heap, roce->heap_capacity,
                                               capacity, sizeof(struct smc_rdma_qp *));
    if (heap == NULL)
        return SMC_ERR_NOMEM;
    roce->heap = heap;
    roce->heap_capacity = capacity;
    return 0;
}

static bool earlier(const struct smc_rdma_qp *a, const struct smc_rdma_qp *b)
{
    return a->heap_key != b->heap_key ? a->heap_key < b->heap_key : a->serial < b->serial;
}

static void put(struct roce *roce, uint32_t i, struct smc_rdma_qp *qp)
{
    roce->heap[i] = qp;
    qp->heap_index = i;
}

static void move_up(struct roce *roce, uint32_t i)
{
    struct smc_rdma_qp *qp = roce->heap[i];
    while (i > 0 && earlier(qp, roce->heap[(i - 1) / 2])) {
        put(roce, i, roce->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    put(roce, i, qp);
}

static void move_down(struct roce *roce, uint32_t i)
{
    struct smc_rdma_qp *qp = roce->heap[i];
    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= roce->heap_count)
            break;
        if (child + 1 < roce->heap_count && earlier(roce->heap[child + 1], roce->heap[child]))
            child++;
        if (!earlier(roce->heap[child], qp))
            break;
        put(roce, i, roce->heap[child]);
        i = child;
    }
    put(roce, i, qp);
}

void roce_unschedule(struct smc_rdma_qp *qp)
{
    struct roce *roce = qp->roce;
    uint32_t i = qp->heap_index;
    if (i == UINT32_MAX)
        return;
    qp->heap_index = UINT32_MAX;
    struct smc_rdma_qp *last = roce->heap[--roce->heap_count];
    if (last == qp)
        return;
    put(roce, i, last);
    move_up(roce, i);
    move_down(roce, last->heap_index);
}

static uint64_t earliest(const struct smc_rdma_qp *qp)
{
    uint64_t due = qp->retry_ns;
    due = qp->rnr_ns < due ? qp->rnr_ns : due;
    due = qp->hold_ns < due ? qp->hold_ns : due;
    due = qp->pace_ns < due ? qp->pace_ns : due;
    return qp->ack_ns < due ? qp->ack_ns : due;
}

void roce_schedule(struct smc_rdma_qp *qp)
{
    struct roce *roce = qp->roce;
    uint64_t due = earliest(qp);
    if (due == ROCE_NEVER) {
        roce_unschedule(qp);
    } else if (qp->heap_index == UINT32_MAX) {
        assert(roce->heap_count < roce->heap_capacity); /* create_qp reserved it */
        qp->heap_key = due;
        put(roce, roce->heap_count++, qp);
        move_up(roce, qp->heap_index);
    } else if (due < qp->heap_key) {
        qp->heap_key = due;
        move_up(roce, qp->heap_index);
    }
}

struct smc_rdma_qp *roce_expired(struct roce *roce, uint64_t now_ns)
{
    while (roce->heap_count > 0 && roce->heap[0]->heap_key <= now_ns) {
        struct smc_rdma_qp *qp = roce->heap[0];
        roce_unschedule(qp);
        if (earliest(qp) <= now_ns)
            return qp;
        roce_schedule(qp);
    }
    return NULL;
}
