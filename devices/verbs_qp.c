/* Queue pairs of a libibverbs device: states, posts with tickets, completions.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/verbs_internal.h"

#include <errno.h>
#include <string.h>

enum { PIECES_MAX = 16 };

/* ---- life ---- */

static void queue_free(struct verbs *v, struct verbs_queue *q)
{
    smc_alloc_release(v->alloc, q->requests, q->room, sizeof(*q->requests));
}

static int queue_new(struct verbs *v, struct verbs_queue *q, uint32_t room)
{
    q->requests = smc_alloc_zeroed(v->alloc, room, sizeof(*q->requests));
    q->room = room;
    return q->requests != NULL ? 0 : SMC_ERR_NOMEM;
}

static void release(struct verbs *v, struct smc_rdma_qp *qp)
{
    queue_free(v, &qp->send);
    queue_free(v, &qp->receive);
    smc_alloc_release(v->alloc, qp, 1, sizeof(*qp));
}

static int make(struct smc_rdma_qp *qp, struct smc_rdma_pd *pd, const struct smc_rdma_qp_config *config)
{
    struct ibv_qp_init_attr attr = {.send_cq = config->send_cq->cq,
                                    .recv_cq = config->receive_cq->cq,
                                    .cap = {.max_send_wr = config->max_send,
                                            .max_recv_wr = config->max_receive,
                                            .max_send_sge = config->max_pieces,
                                            .max_recv_sge = config->max_pieces},
                                    .qp_type = IBV_QPT_RC};
    qp->qp = ibv_create_qp(pd->pd, &attr);
    return qp->qp != NULL ? 0 : verbs_error(errno);
}

int verbs_create_qp(struct smc_rdma_device *device, struct smc_rdma_pd *pd, const struct smc_rdma_qp_config *config,
                    struct smc_rdma_qp **out)
{
    struct verbs *v = verbs_of(device);
    if (v->calling)
        return SMC_ERR_REENTERED;
    if (config->max_send == 0 || config->max_receive == 0 || config->max_pieces == 0 || config->max_pieces > PIECES_MAX)
        return SMC_ERR_ARGUMENT;
    struct smc_rdma_qp *qp = smc_alloc_zeroed(v->alloc, 1, sizeof(*qp));
    if (qp == NULL)
        return SMC_ERR_NOMEM;
    int error = queue_new(v, &qp->send, config->max_send);
    if (error == 0)
        error = queue_new(v, &qp->receive, config->max_receive);
    if (error == 0)
        error = make(qp, pd, config);
    if (error != 0) {
        release(v, qp);
        return error;
    }
    qp->max_pieces = config->max_pieces;
    qp->send_cq = config->send_cq;
    qp->receive_cq = config->receive_cq;
    qp->next = v->qps;
    v->qps = qp;
    *out = qp;
    return 0;
}

int verbs_destroy_qp(struct smc_rdma_device *device, struct smc_rdma_qp *qp)
{
    struct verbs *v = verbs_of(device);
    if (v->calling)
        return SMC_ERR_REENTERED;
    int error = verbs_error(ibv_destroy_qp(qp->qp));
    if (error != 0)
        return error;
    struct smc_rdma_qp **link = &v->qps;
    while (*link != qp)
        link = &(*link)->next;
    *link = qp->next;
    release(v, qp);
    return 0;
}

uint32_t verbs_qp_number(const struct smc_rdma_qp *qp)
{
    return qp->qp->qp_num;
}

enum smc_rdma_qp_state verbs_qp_state(const struct smc_rdma_qp *qp)
{
    return qp->state;
}

/* ---- states ---- */

static int to_init(struct smc_rdma_qp *qp, const struct smc_rdma_qp_change *change)
{
    struct ibv_qp_attr attr = {
        .qp_state = IBV_QPS_INIT, .port_num = change->init.port, .qp_access_flags = IBV_ACCESS_REMOTE_WRITE};
    qp->port = change->init.port;
    return ibv_modify_qp(qp->qp, &attr, IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS);
}

static int to_rtr(struct smc_rdma_qp *qp, const struct smc_rdma_qp_change *change)
{
    struct ibv_qp_attr attr = {.qp_state = IBV_QPS_RTR,
                               .path_mtu = (enum ibv_mtu)change->rtr.path_mtu,
                               .dest_qp_num = change->rtr.remote_qp_number,
                               .rq_psn = change->rtr.receive_psn,
                               .max_dest_rd_atomic = 1,
                               .min_rnr_timer = change->rtr.min_rnr_timer,
                               .ah_attr = {.is_global = 1,
                                           .port_num = qp->port,
                                           .grh = {.sgid_index = (uint8_t)change->rtr.gid_index,
                                                   .hop_limit = change->rtr.hop_limit,
                                                   .traffic_class = change->rtr.traffic_class}}};
    if (change->rtr.gid_index > UINT8_MAX)
        return EINVAL;
    memcpy(attr.ah_attr.grh.dgid.raw, change->rtr.remote_gid.bytes, sizeof(attr.ah_attr.grh.dgid.raw));
    return ibv_modify_qp(qp->qp, &attr,
                         IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN | IBV_QP_RQ_PSN |
                             IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER);
}

static int to_rts(struct smc_rdma_qp *qp, const struct smc_rdma_qp_change *change)
{
    struct ibv_qp_attr attr = {.qp_state = IBV_QPS_RTS,
                               .sq_psn = change->rts.send_psn,
                               .timeout = change->rts.ack_timeout,
                               .retry_cnt = change->rts.retry_count,
                               .rnr_retry = change->rts.rnr_retry,
                               .max_rd_atomic = 1};
    return ibv_modify_qp(qp->qp, &attr,
                         IBV_QP_STATE | IBV_QP_SQ_PSN | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY |
                             IBV_QP_MAX_QP_RD_ATOMIC);
}

static int to(struct smc_rdma_qp *qp, enum ibv_qp_state state)
{
    struct ibv_qp_attr attr = {.qp_state = state};
    return ibv_modify_qp(qp->qp, &attr, IBV_QP_STATE);
}

int verbs_modify_qp(struct smc_rdma_device *device, struct smc_rdma_qp *qp, const struct smc_rdma_qp_change *change)
{
    enum smc_rdma_qp_state next = change->state;
    int error;
    if (verbs_of(device)->calling)
        return SMC_ERR_REENTERED;
    if (next > SMC_RDMA_QP_ERR ||
        (next != SMC_RDMA_QP_ERR && next != SMC_RDMA_QP_RESET && (qp->state > SMC_RDMA_QP_RTR || next != qp->state + 1)))
        return SMC_ERR_STATE;
    switch (next) {
    case SMC_RDMA_QP_INIT: error = to_init(qp, change); break;
    case SMC_RDMA_QP_RTR: error = to_rtr(qp, change); break;
    case SMC_RDMA_QP_RTS: error = to_rts(qp, change); break;
    case SMC_RDMA_QP_ERR: error = to(qp, IBV_QPS_ERR); break;
    default: error = to(qp, IBV_QPS_RESET); break;
    }
    if (error != 0)
        return verbs_error(error);
    if (next == SMC_RDMA_QP_RESET) {
        qp->send.completed = qp->send.posted; /* forgotten, without completions */
        qp->receive.completed = qp->receive.posted;
    }
    qp->state = next;
    return 0;
}

/* ---- posts ---- */

static int fill(const struct smc_rdma_qp *qp, const struct smc_rdma_piece *pieces, uint32_t count, struct ibv_sge *out)
{
    if (count > qp->max_pieces)
        return SMC_ERR_ARGUMENT;
    for (uint32_t i = 0; i < count; i++) {
        const struct smc_rdma_mr *mr = pieces[i].mr;
        if (pieces[i].offset > mr->length || pieces[i].length > mr->length - pieces[i].offset)
            return SMC_ERR_RANGE;
        out[i] = (struct ibv_sge){
            .addr = (uintptr_t)(mr->memory + pieces[i].offset), .length = pieces[i].length, .lkey = mr->lkey};
    }
    return 0;
}

static struct verbs_request *ticket(struct verbs_queue *q)
{
    return q->posted - q->completed < q->room ? &q->requests[q->posted % q->room] : NULL;
}

int verbs_post_send(struct smc_rdma_device *device, struct smc_rdma_qp *qp, const struct smc_rdma_send *send)
{
    struct ibv_sge sge[PIECES_MAX];
    struct ibv_send_wr wr = {.wr_id = qp->send.posted, .sg_list = sge, .num_sge = (int)send->piece_count}, *bad;
    struct verbs_request *request = ticket(&qp->send);
    if (verbs_of(device)->calling)
        return SMC_ERR_REENTERED;
    if (qp->state < SMC_RDMA_QP_RTS)
        return SMC_ERR_STATE;
    if (send->opcode != SMC_RDMA_SEND && send->opcode != SMC_RDMA_WRITE)
        return SMC_ERR_ARGUMENT;
    int error = fill(qp, send->pieces, send->piece_count, sge);
    if (error != 0 || request == NULL)
        return error != 0 ? error : SMC_ERR_NOSPACE;
    wr.opcode = send->opcode == SMC_RDMA_SEND ? IBV_WR_SEND : IBV_WR_RDMA_WRITE;
    wr.send_flags = IBV_SEND_SIGNALED | (send->solicited ? (unsigned)IBV_SEND_SOLICITED : 0);
    wr.wr.rdma.remote_addr = send->opcode == SMC_RDMA_WRITE ? send->remote_address : 0;
    wr.wr.rdma.rkey = send->opcode == SMC_RDMA_WRITE ? send->rkey : 0;
    *request = (struct verbs_request){.id = send->id, .opcode = send->opcode, .wanted = send->signaled};
    error = verbs_error(ibv_post_send(qp->qp, &wr, &bad));
    qp->send.posted += error == 0;
    return error == SMC_ERR_NOMEM ? SMC_ERR_NOSPACE : error;
}

int verbs_post_receive(struct smc_rdma_device *device, struct smc_rdma_qp *qp, const struct smc_rdma_receive *receive)
{
    struct ibv_sge sge[PIECES_MAX];
    struct ibv_recv_wr wr = {
        .wr_id = qp->receive.posted | VERBS_RECEIVE, .sg_list = sge, .num_sge = (int)receive->piece_count};
    struct ibv_recv_wr *bad;
    struct verbs_request *request = ticket(&qp->receive);
    if (verbs_of(device)->calling)
        return SMC_ERR_REENTERED;
    if (qp->state == SMC_RDMA_QP_RESET)
        return SMC_ERR_STATE;
    int error = fill(qp, receive->pieces, receive->piece_count, sge);
    if (error != 0 || request == NULL)
        return error != 0 ? error : SMC_ERR_NOSPACE;
    *request = (struct verbs_request){.id = receive->id, .opcode = SMC_RDMA_RECV, .wanted = true};
    error = verbs_error(ibv_post_recv(qp->qp, &wr, &bad));
    qp->receive.posted += error == 0;
    return error == SMC_ERR_NOMEM ? SMC_ERR_NOSPACE : error;
}

/* ---- completions ---- */

static enum smc_rdma_status status_of(enum ibv_wc_status status)
{
    switch (status) {
    case IBV_WC_SUCCESS: return SMC_RDMA_SUCCESS;
    case IBV_WC_LOC_LEN_ERR: return SMC_RDMA_LOCAL_LENGTH_ERROR;
    case IBV_WC_LOC_QP_OP_ERR:
    case IBV_WC_LOC_ACCESS_ERR:
    case IBV_WC_MW_BIND_ERR:
    case IBV_WC_LOC_PROT_ERR: return SMC_RDMA_LOCAL_PROTECTION_ERROR;
    case IBV_WC_REM_INV_REQ_ERR: return SMC_RDMA_REMOTE_INVALID_REQUEST;
    case IBV_WC_REM_ACCESS_ERR: return SMC_RDMA_REMOTE_ACCESS_ERROR;
    case IBV_WC_REM_OP_ERR: return SMC_RDMA_REMOTE_OPERATION_ERROR;
    case IBV_WC_RETRY_EXC_ERR:
    case IBV_WC_RESP_TIMEOUT_ERR: return SMC_RDMA_RETRY_EXCEEDED;
    case IBV_WC_RNR_RETRY_EXC_ERR: return SMC_RDMA_RNR_RETRY_EXCEEDED;
    default: return SMC_RDMA_FLUSHED;
    }
}

static struct smc_rdma_qp *qp_by_number(struct verbs *v, uint32_t number)
{
    struct smc_rdma_qp *qp = v->qps;
    while (qp != NULL && qp->qp->qp_num != number)
        qp = qp->next;
    return qp;
}

bool verbs_take_completion(struct verbs *v, const struct ibv_wc *wc, struct smc_rdma_completion *out)
{
    struct smc_rdma_qp *qp = qp_by_number(v, wc->qp_num);
    if (qp == NULL)
        return false;
    struct verbs_queue *q = (wc->wr_id & VERBS_RECEIVE) != 0 ? &qp->receive : &qp->send;
    uint64_t number = wc->wr_id & ~VERBS_RECEIVE;
    if (number < q->completed || number >= q->posted)
        return false; /* of a time before RESET */
    const struct verbs_request *request = &q->requests[number % q->room];
    q->completed = number + 1;
    *out = (struct smc_rdma_completion){.id = request->id,
                                        .qp = qp,
                                        .opcode = request->opcode,
                                        .status = status_of(wc->status),
                                        .length = request->opcode == SMC_RDMA_RECV ? wc->byte_len : 0};
    if (wc->status != IBV_WC_SUCCESS)
        qp->state = SMC_RDMA_QP_ERR;
    return request->wanted || wc->status != IBV_WC_SUCCESS;
}
