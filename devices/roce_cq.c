/* Completion queues of the RoCE NIC.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/roce_internal.h"

enum { DEPTH_MAX = 1 << 22 };

int roce_create_cq(struct smc_rdma_device *device, uint32_t depth, struct smc_rdma_cq **out)
{
    struct roce *roce = roce_of(device);
    int error = roce_may(roce);
    if (error < 0)
        return error;
    if (depth == 0 || depth > DEPTH_MAX)
        return SMC_ERR_ARGUMENT;
    struct smc_rdma_cq *cq = smc_alloc_zeroed(roce->alloc, 1, sizeof(*cq));
    if (cq == NULL)
        return SMC_ERR_NOMEM;
    cq->entries = smc_alloc_zeroed(roce->alloc, depth, sizeof(*cq->entries));
    if (cq->entries == NULL) {
        smc_alloc_release(roce->alloc, cq, 1, sizeof(*cq));
        return SMC_ERR_NOMEM;
    }
    cq->roce = roce;
    cq->depth = depth;
    roce_list_init(&cq->delayed);
    roce_list_append(&roce->cqs, &cq->node);
    *out = cq;
    return 0;
}

void roce_cq_free(struct smc_rdma_cq *cq)
{
    const struct smc_alloc *alloc = cq->roce->alloc;
    roce_list_remove(&cq->node);
    roce_list_remove(&cq->delayed);
    smc_alloc_release(alloc, cq->entries, cq->depth, sizeof(*cq->entries));
    smc_alloc_release(alloc, cq, 1, sizeof(*cq));
}

int roce_destroy_cq(struct smc_rdma_device *device, struct smc_rdma_cq *cq)
{
    if (roce_of(device)->callbacks > 0)
        return SMC_ERR_REENTERED;
    if (cq == NULL || cq->roce != roce_of(device))
        return SMC_ERR_ARGUMENT;
    if (cq->users > 0)
        return SMC_ERR_BUSY;
    roce_cq_free(cq);
    return 0;
}

static struct roce_cqe *entry_at(const struct smc_rdma_cq *cq, uint32_t i)
{
    uint32_t slot = cq->head + i;
    return &cq->entries[slot < cq->depth ? slot : slot - cq->depth];
}

int roce_poll_cq(struct smc_rdma_device *device, struct smc_rdma_cq *cq,
                 struct smc_rdma_completion *out, int count)
{
    if (roce_of(device)->callbacks > 0)
        return SMC_ERR_REENTERED;
    if (cq == NULL || cq->roce != roce_of(device) || count < 0 || (count > 0 && out == NULL))
        return SMC_ERR_ARGUMENT;
    int taken = 0;
    while (taken < count && cq->visible > 0) {
        out[taken++] = entry_at(cq, 0)->completion;
        cq->head = cq->head + 1 < cq->depth ? cq->head + 1 : 0;
        cq->count--;
        cq->visible--;
    }
    return taken;
}

/* Shows what is due: a queue, so one that waits holds up all behind it. */
static void show(struct smc_rdma_cq *cq, uint64_t now_ns)
{
    struct roce *roce = cq->roce;
    uint32_t before = cq->visible;
    while (cq->visible < cq->count && entry_at(cq, cq->visible)->ready_ns <= now_ns)
        cq->visible++;
    roce_list_remove(&cq->delayed);
    if (cq->visible < cq->count)
        roce_list_append(&roce->delayed, &cq->delayed);
    if (before > 0 || cq->visible == 0 || roce->device.handler.completed == NULL)
        return;
    roce->callbacks++;
    roce->device.handler.completed(roce->device.handler.user, cq);
    roce->callbacks--;
}

void roce_cq_show_due(struct roce *roce, uint64_t now_ns)
{
    struct roce_list waiting;
    if (roce_list_empty(&roce->delayed))
        return;
    /* One pass: what still waits is appended to the list again. */
    waiting = roce->delayed;
    waiting.next->prev = waiting.prev->next = &waiting;
    roce_list_init(&roce->delayed);
    while (!roce_list_empty(&waiting))
        show(ROCE_OWNER(waiting.next, struct smc_rdma_cq, delayed), now_ns);
}

uint64_t roce_cq_next_ns(const struct roce *roce)
{
    uint64_t next = ROCE_NEVER;
    const struct roce_list *node = roce->delayed.next;
    for (; node != &roce->delayed; node = node->next) {
        const struct smc_rdma_cq *cq = (const struct smc_rdma_cq *)(const void *)(
            (const char *)node - offsetof(struct smc_rdma_cq, delayed));
        uint64_t ready = entry_at(cq, cq->visible)->ready_ns;
        next = ready < next ? ready : next;
    }
    return next;
}

void roce_complete(struct smc_rdma_qp *qp, const struct roce_work *work,
                   enum smc_rdma_status status, uint32_t length)
{
    struct roce *roce = qp->roce;
    enum smc_rdma_opcode opcode = (enum smc_rdma_opcode)work->opcode;
    struct smc_rdma_cq *cq = opcode == SMC_RDMA_RECV ? qp->receive_cq : qp->send_cq;
    uint64_t delay = 0;
    if (status == SMC_RDMA_SUCCESS) {
        if (roce_fault_strikes_now(roce, ROCE_FAULT_DROP_COMPLETION, qp, opcode, NULL))
            return;
        if (!roce_fault_strikes_now(roce, ROCE_FAULT_DELAY_COMPLETION, qp, opcode, &delay))
            delay = 0;
    }
    if (cq->count == cq->depth) {
        roce->counters.cq_overruns++;
        roce_qp_break(qp, SMC_RDMA_QP_FATAL);
        return;
    }
    *entry_at(cq, cq->count++) = (struct roce_cqe){
        .completion = {.id = work->id,
                       .qp = qp,
                       .opcode = opcode,
                       .status = status,
                       .length = status == SMC_RDMA_SUCCESS ? length : 0},
        .ready_ns = delay > ROCE_NEVER - 1 - roce->now_ns ? ROCE_NEVER - 1 : roce->now_ns + delay,
    };
    show(cq, roce->now_ns);
}

void roce_cq_forget(struct smc_rdma_cq *cq, const struct smc_rdma_qp *qp)
{
    uint32_t kept = 0, visible = 0;
    for (uint32_t i = 0; i < cq->count; i++) {
        const struct roce_cqe *entry = entry_at(cq, i);
        if (entry->completion.qp == qp)
            continue;
        visible += i < cq->visible;
        *entry_at(cq, kept++) = *entry;
    }
    cq->count = kept;
    cq->visible = visible;
    roce_list_remove(&cq->delayed);
    if (cq->visible < cq->count)
        roce_list_append(&cq->roce->delayed, &cq->delayed);
}
