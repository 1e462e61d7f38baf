/* Queue pairs of the RoCE NIC: creation, the arrows between states, and how they break.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/roce_internal.h"

enum { QUEUE_MAX = 65536, PIECES_MAX = 256, QP_NUMBER_MIN = 2 /* 0 and 1 are special QPs */ };

uint32_t roce_qp_number(const struct smc_rdma_qp *qp)
{
    return qp->number;
}

enum smc_rdma_qp_state roce_qp_state(const struct smc_rdma_qp *qp)
{
    return qp->state;
}

/* ---- Creation and destruction -------------------------------------------------------------------- */

static bool config_allowed(const struct roce *roce, const struct smc_rdma_pd *pd,
                           const struct smc_rdma_qp_config *config)
{
    if (pd == NULL || pd->roce != roce || config == NULL || config->send_cq == NULL ||
        config->receive_cq == NULL)
        return false;
    return config->send_cq->roce == roce && config->receive_cq->roce == roce &&
           config->max_send <= QUEUE_MAX && config->max_receive <= QUEUE_MAX &&
           config->max_pieces >= 1 && config->max_pieces <= PIECES_MAX;
}

static uint32_t new_number(struct roce *roce)
{
    for (;;) {
        uint32_t number = roce->next_qp_number;
        roce->next_qp_number = (number + 1) & ROCE_PSN_MASK;
        /* All ones names the multicast QP. */
        if (number >= QP_NUMBER_MIN && number != ROCE_PSN_MASK &&
            roce_map_find(&roce->qp_map, number) == NULL)
            return number;
    }
}

static void forget_connection(struct smc_rdma_qp *qp)
{
    qp->retry_ns = qp->rnr_ns = qp->hold_ns = qp->ack_ns = ROCE_NEVER;
    roce_dcqcn_start(qp);
    qp->sq.head = qp->sq.tail = qp->rq.head = qp->rq.tail = 0;
    qp->una = qp->next = qp->highest = qp->post_psn = 0;
    qp->sq_next = qp->next_packet = qp->since_ack_request = 0;
    qp->retries = qp->rnr_retries = 0;
    qp->nak_sent = false;
    qp->in.active = false;
    qp->msn = 0;
}

static int allocate(struct smc_rdma_qp *qp, const struct smc_rdma_qp_config *config)
{
    struct roce *roce = qp->roce;
    int error = roce_queue_new(roce->alloc, &qp->sq, config->max_send, config->max_pieces);
    if (error == 0)
        error = roce_queue_new(roce->alloc, &qp->rq, config->max_receive, config->max_pieces);
    if (error == 0)
        error = roce_heap_reserve(roce, roce->qp_map.count + 1);
    if (error == 0) {
        qp->number = new_number(roce);
        error = roce_map_add(&roce->qp_map, roce->alloc, qp->number, qp);
    }
    return error;
}

static void release(struct smc_rdma_qp *qp)
{
    const struct smc_alloc *alloc = qp->roce->alloc;
    roce_queue_free(alloc, &qp->sq, qp->max_pieces);
    roce_queue_free(alloc, &qp->rq, qp->max_pieces);
    smc_alloc_release(alloc, qp, 1, sizeof(*qp));
}

int roce_create_qp(struct smc_rdma_device *device, struct smc_rdma_pd *pd,
                   const struct smc_rdma_qp_config *config, struct smc_rdma_qp **out)
{
    struct roce *roce = roce_of(device);
    int error = roce_may(roce);
    if (error < 0)
        return error;
    if (!config_allowed(roce, pd, config))
        return SMC_ERR_ARGUMENT;
    if (roce->qp_map.count >= roce->config.max_qps)
        return SMC_ERR_NOSPACE;
    if (roce_fault_strikes_now(roce, ROCE_FAULT_REFUSE_QP, NULL, SMC_RDMA_SEND, NULL))
        return SMC_ERR_NOMEM;
    struct smc_rdma_qp *qp = smc_alloc_zeroed(roce->alloc, 1, sizeof(*qp));
    if (qp == NULL)
        return SMC_ERR_NOMEM;
    qp->roce = roce;
    qp->max_pieces = config->max_pieces;
    error = allocate(qp, config);
    if (error < 0) {
        release(qp);
        return error;
    }
    qp->pd = pd;
    qp->send_cq = config->send_cq;
    qp->receive_cq = config->receive_cq;
    qp->state = SMC_RDMA_QP_RESET;
    qp->heap_index = UINT32_MAX;
    qp->serial = roce->next_serial++;
    qp->late_end = &qp->late;
    roce_list_init(&qp->ready);
    forget_connection(qp);
    pd->users++;
    qp->send_cq->users++;
    qp->receive_cq->users++;
    roce_list_append(&roce->qps, &qp->node);
    *out = qp;
    return 0;
}

/* Out of every line it may stand in; what was acknowledged gets its place before. */
static void stop(struct smc_rdma_qp *qp)
{
    roce_late_place(qp);
    qp->retry_ns = qp->rnr_ns = qp->hold_ns = qp->ack_ns = qp->pace_ns = ROCE_NEVER;
    roce_unschedule(qp);
    roce_list_remove(&qp->ready);
}

void roce_qp_free(struct smc_rdma_qp *qp)
{
    stop(qp);
    roce_map_remove(&qp->roce->qp_map, qp->number);
    roce_list_remove(&qp->node);
    qp->pd->users--;
    qp->send_cq->users--;
    qp->receive_cq->users--;
    release(qp);
}

int roce_destroy_qp(struct smc_rdma_device *device, struct smc_rdma_qp *qp)
{
    struct roce *roce = roce_of(device);
    if (roce->callbacks > 0)
        return SMC_ERR_REENTERED;
    if (qp == NULL || qp->roce != roce)
        return SMC_ERR_ARGUMENT;
    roce_cq_forget(qp->send_cq, qp);
    roce_cq_forget(qp->receive_cq, qp);
    roce_qp_free(qp);
    roce_notify(roce); /* completions it held up */
    return 0;
}

/* ---- Errors -------------------------------------------------------------------------------------- */

static void flush(struct smc_rdma_qp *qp, struct roce_queue *queue)
{
    while (queue->head != queue->tail)
        roce_complete(qp, roce_work_at(queue, queue->head++), SMC_RDMA_FLUSHED, 0);
}

void roce_qp_to_error(struct smc_rdma_qp *qp)
{
    if (qp->state == SMC_RDMA_QP_ERR)
        return;
    stop(qp);
    qp->state = SMC_RDMA_QP_ERR;
    flush(qp, &qp->sq);
    flush(qp, &qp->rq);
}

void roce_qp_break(struct smc_rdma_qp *qp, enum smc_rdma_event_type event)
{
    if (qp->state == SMC_RDMA_QP_ERR)
        return;
    qp->roce->counters.qp_errors++;
    roce_qp_to_error(qp);
    roce_raise(qp->roce, event, 0, qp);
}

bool roce_qp_has_gid(const struct smc_rdma_qp *qp)
{
    return qp->port->gid_versions[qp->gid_index] == qp->gid_version;
}

/* ---- Arrows -------------------------------------------------------------------------------------- */

static int to_init(struct smc_rdma_qp *qp, const struct smc_rdma_qp_change *change)
{
    if (qp->state != SMC_RDMA_QP_RESET)
        return SMC_ERR_STATE;
    struct roce_port *port = roce_port_of(qp->roce, change->init.port);
    if (port == NULL)
        return SMC_ERR_ARGUMENT;
    qp->port = port;
    qp->state = SMC_RDMA_QP_INIT;
    return 0;
}

static bool mapped(const struct smc_gid *gid)
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
    return memcmp(gid->bytes, prefix, sizeof(prefix)) == 0;
}

static int to_rtr(struct smc_rdma_qp *qp, const struct smc_rdma_qp_change *change)
{
    static const uint8_t no_mac[6];
    struct smc_rdma_port port;
    if (qp->state != SMC_RDMA_QP_INIT)
        return SMC_ERR_STATE;
    int error = qp->roce->device.ops->query_port(&qp->roce->device, qp->port->number, &port);
    if (error < 0)
        return error;
    if (change->rtr.gid_index >= port.gid_count || change->rtr.path_mtu < SMC_RDMA_MTU_256 ||
        change->rtr.path_mtu > port.active_mtu || change->rtr.min_rnr_timer > 31 ||
        change->rtr.remote_qp_number > ROCE_PSN_MASK || change->rtr.receive_psn > ROCE_PSN_MASK)
        return SMC_ERR_ARGUMENT;
    const struct smc_rdma_gid_entry *own = &qp->port->gids[change->rtr.gid_index];
    if (smc_gid_is_zero(&own->gid))
        return SMC_ERR_ARGUMENT;
    bool udp = roce_wire_type(qp->roce, own) == SMC_RDMA_GID_ROCE_V2;
    if (smc_gid_is_zero(&change->rtr.remote_gid) ||
        memcmp(change->rtr.remote_mac, no_mac, sizeof(no_mac)) == 0 ||
        (udp && mapped(&own->gid) != mapped(&change->rtr.remote_gid)))
        return SMC_ERR_UNREACHABLE;
    qp->remote_gid = change->rtr.remote_gid;
    qp->remote_number = change->rtr.remote_qp_number;
    qp->expected = change->rtr.receive_psn;
    qp->gid_index = change->rtr.gid_index;
    qp->gid_version = qp->port->gid_versions[qp->gid_index];
    qp->mtu = 128u << change->rtr.path_mtu;
    qp->min_rnr_timer = change->rtr.min_rnr_timer;
    uint8_t hop_limit = change->rtr.hop_limit > 0 ? change->rtr.hop_limit : 1;
    roce_build_head(qp, own, change->rtr.remote_mac, hop_limit, change->rtr.traffic_class);
    qp->state = SMC_RDMA_QP_RTR;
    return 0;
}

static int to_rts(struct smc_rdma_qp *qp, const struct smc_rdma_qp_change *change)
{
    if (qp->state != SMC_RDMA_QP_RTR)
        return SMC_ERR_STATE;
    if (change->rts.send_psn > ROCE_PSN_MASK || change->rts.ack_timeout > 31 ||
        change->rts.retry_count > 7 || change->rts.rnr_retry > 7)
        return SMC_ERR_ARGUMENT;
    qp->una = qp->next = qp->highest = qp->post_psn = change->rts.send_psn;
    qp->ack_timeout_ns = change->rts.ack_timeout > 0 ? UINT64_C(4096) << change->rts.ack_timeout : 0;
    qp->retry_count = change->rts.retry_count;
    qp->rnr_retry = change->rts.rnr_retry;
    qp->state = SMC_RDMA_QP_RTS;
    return 0;
}

int roce_modify_qp(struct smc_rdma_device *device, struct smc_rdma_qp *qp,
                   const struct smc_rdma_qp_change *change)
{
    struct roce *roce = roce_of(device);
    int error = roce_may(roce);
    if (error < 0)
        return error;
    if (qp == NULL || qp->roce != roce || change == NULL)
        return SMC_ERR_ARGUMENT;
    bool forward = change->state == SMC_RDMA_QP_INIT || change->state == SMC_RDMA_QP_RTR || change->state == SMC_RDMA_QP_RTS;
    if (forward && roce_fault_strikes_now(roce, ROCE_FAULT_REFUSE_CHANGE, NULL, SMC_RDMA_SEND, NULL))
        return SMC_ERR_IO;
    switch (change->state) {
    case SMC_RDMA_QP_RESET:
        stop(qp);
        forget_connection(qp);
        qp->state = SMC_RDMA_QP_RESET;
        break;
    case SMC_RDMA_QP_INIT:
        return to_init(qp, change);
    case SMC_RDMA_QP_RTR:
        return to_rtr(qp, change);
    case SMC_RDMA_QP_RTS:
        return to_rts(qp, change);
    case SMC_RDMA_QP_ERR:
        roce_qp_to_error(qp);
        break;
    default:
        return SMC_ERR_ARGUMENT;
    }
    roce_notify(roce);
    return 0;
}

int roce_fail_qp(struct roce *roce, uint32_t qp_number)
{
    struct smc_rdma_qp *qp = roce_map_find(&roce->qp_map, qp_number);
    if (qp == NULL)
        return SMC_ERR_NOTFOUND;
    roce_qp_break(qp, SMC_RDMA_QP_FATAL);
    roce_notify(roce);
    return 0;
}
