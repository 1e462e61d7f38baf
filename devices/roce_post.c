/* Posting to the queues of a RoCE QP.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/roce_internal.h"

#define MESSAGE_MAX (UINT32_C(1) << 31) /* InfiniBand 9.4.3 */

int roce_queue_new(const struct smc_alloc *alloc, struct roce_queue *queue, uint32_t limit,
                   uint32_t max_pieces)
{
    uint32_t slots = 1;
    while (slots < limit)
        slots *= 2;
    *queue = (struct roce_queue){.mask = slots - 1, .limit = limit};
    queue->works = smc_alloc_zeroed(alloc, slots, sizeof(*queue->works));
    queue->pieces = smc_alloc_zeroed(alloc, (size_t)slots * max_pieces, sizeof(*queue->pieces));
    return queue->works != NULL && queue->pieces != NULL ? 0 : SMC_ERR_NOMEM;
}

void roce_queue_free(const struct smc_alloc *alloc, struct roce_queue *queue, uint32_t max_pieces)
{
    size_t slots = (size_t)queue->mask + 1;
    smc_alloc_release(alloc, queue->works, slots, sizeof(*queue->works));
    smc_alloc_release(alloc, queue->pieces, slots * max_pieces, sizeof(*queue->pieces));
    *queue = (struct roce_queue){0};
}

/* Checks ranges and adds up; *length only if 0 is returned. */
static int measure(const struct smc_rdma_qp *qp, const struct smc_rdma_piece *pieces,
                   uint32_t count, uint32_t *length)
{
    uint64_t sum = 0;
    if (count > qp->max_pieces || (count > 0 && pieces == NULL))
        return SMC_ERR_ARGUMENT;
    for (uint32_t i = 0; i < count; i++) {
        const struct smc_rdma_piece *piece = &pieces[i];
        if (piece->mr == NULL)
            return SMC_ERR_ARGUMENT;
        if (piece->offset > piece->mr->length ||
            piece->length > piece->mr->length - piece->offset)
            return SMC_ERR_RANGE;
        sum += piece->length;
    }
    if (sum > MESSAGE_MAX)
        return SMC_ERR_ARGUMENT;
    *length = (uint32_t)sum;
    return 0;
}

static void enqueue(struct smc_rdma_qp *qp, struct roce_queue *queue, const struct roce_work *work,
                    const struct smc_rdma_piece *pieces)
{
    struct roce_piece *own = roce_pieces_at(qp, queue, queue->tail);
    for (uint32_t i = 0; i < work->piece_count; i++)
        own[i] = (struct roce_piece){.offset = pieces[i].offset,
                                     .lkey = pieces[i].mr->lkey,
                                     .length = pieces[i].length};
    *roce_work_at(queue, queue->tail++) = *work;
}

static int may_post(struct roce *roce, const struct smc_rdma_qp *qp, const void *request)
{
    int error = roce_may(roce);
    if (error < 0)
        return error;
    return qp == NULL || qp->roce != roce || request == NULL ? SMC_ERR_ARGUMENT : 0;
}

static struct roce_work work_of(const struct smc_rdma_send *send, uint32_t length)
{
    return (struct roce_work){.id = send->id,
                              .remote_address = send->remote_address,
                              .rkey = send->rkey,
                              .length = length,
                              .piece_count = send->piece_count,
                              .opcode = (uint8_t)send->opcode,
                              .status = SMC_RDMA_SUCCESS,
                              .signaled = send->signaled,
                              .solicited = send->solicited};
}

int roce_post_send(struct smc_rdma_device *device, struct smc_rdma_qp *qp,
                   const struct smc_rdma_send *send)
{
    struct roce *roce = roce_of(device);
    uint32_t length = 0;
    int error = may_post(roce, qp, send);
    if (error < 0)
        return error;
    if (send->opcode != SMC_RDMA_SEND && send->opcode != SMC_RDMA_WRITE)
        return SMC_ERR_ARGUMENT;
    if (qp->state != SMC_RDMA_QP_RTS && qp->state != SMC_RDMA_QP_ERR)
        return SMC_ERR_STATE;
    error = measure(qp, send->pieces, send->piece_count, &length);
    if (error < 0)
        return error;
    struct roce_work work = work_of(send, length);
    if (qp->state == SMC_RDMA_QP_ERR) {
        roce_complete(qp, &work, SMC_RDMA_FLUSHED, 0);
        roce_notify(roce);
        return 0;
    }
    if (qp->sq.tail - qp->sq.head >= qp->sq.limit)
        return SMC_ERR_NOSPACE;
    work.first_psn = qp->post_psn;
    work.packets = length > 0 ? (length - 1) / qp->mtu + 1 : 1;
    qp->post_psn = roce_psn_add(qp->post_psn, work.packets);
    enqueue(qp, &qp->sq, &work, send->pieces);
    roce_kick(qp);
    roce_notify(roce);
    return 0;
}

int roce_post_receive(struct smc_rdma_device *device, struct smc_rdma_qp *qp,
                      const struct smc_rdma_receive *receive)
{
    struct roce *roce = roce_of(device);
    uint32_t length = 0;
    int error = may_post(roce, qp, receive);
    if (error < 0)
        return error;
    if (qp->state == SMC_RDMA_QP_RESET)
        return SMC_ERR_STATE;
    error = measure(qp, receive->pieces, receive->piece_count, &length);
    if (error < 0)
        return error;
    struct roce_work work = {.id = receive->id,
                             .length = length,
                             .piece_count = receive->piece_count,
                             .opcode = SMC_RDMA_RECV,
                             .signaled = true};
    if (qp->state == SMC_RDMA_QP_ERR) {
        roce_complete(qp, &work, SMC_RDMA_FLUSHED, 0);
        roce_notify(roce);
        return 0;
    }
    if (qp->rq.tail - qp->rq.head >= qp->rq.limit)
        return SMC_ERR_NOSPACE;
    enqueue(qp, &qp->rq, &work, receive->pieces);
    return 0;
}
