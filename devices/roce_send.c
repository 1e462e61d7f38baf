/* The requester of a RoCE QP: sends requests packet by packet, and again until they are acknowledged.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Nothing is copied for a retransmission: the memory belongs to the NIC until the completion, so going
 * back is moving `next` back to `una`. */
#include <assert.h>

#include "devices/roce_internal.h"

enum { BURST = 16 /* packets of a QP before the next QP has its turn */, ECT_0 = 2 };

static bool may_send(const struct smc_rdma_qp *qp)
{
    return qp->state == SMC_RDMA_QP_RTS && qp->sq_next != qp->sq.tail &&
           roce_work_at(&qp->sq, qp->sq_next)->status == SMC_RDMA_SUCCESS &&
           qp->rnr_ns == ROCE_NEVER && qp->hold_ns == ROCE_NEVER && qp->pace_ns == ROCE_NEVER &&
           roce_psn_distance(qp->next, qp->una) < qp->roce->config.window_packets;
}

void roce_kick(struct smc_rdma_qp *qp)
{
    if (may_send(qp) && roce_list_empty(&qp->ready))
        roce_list_append(&qp->port->ready, &qp->ready);
}

/* ---- Completing ---------------------------------------------------------------------------------- */

/* The oldest request fails, and the QP with it. */
static void fail_head(struct smc_rdma_qp *qp, enum smc_rdma_status status)
{
    assert(qp->sq.head != qp->sq.tail);
    const struct roce_work *work = roce_work_at(&qp->sq, qp->sq.head++);
    qp->roce->counters.qp_errors++;
    roce_complete(qp, work, status, 0);
    roce_qp_to_error(qp);
}

/* An error of one's own waits until all requests before it are done, so that completions keep order. */
static void fail_if_due(struct smc_rdma_qp *qp)
{
    if (qp->state != SMC_RDMA_QP_RTS || qp->sq.head == qp->sq.tail)
        return;
    const struct roce_work *work = roce_work_at(&qp->sq, qp->sq.head);
    if (work->status != SMC_RDMA_SUCCESS)
        fail_head(qp, (enum smc_rdma_status)work->status);
}

static void complete_head(struct smc_rdma_qp *qp)
{
    const struct roce_work *work = roce_work_at(&qp->sq, qp->sq.head);
    uint64_t status;
    if (roce_fault_strikes_now(qp->roce, ROCE_FAULT_ERROR_COMPLETION, qp,
                               (enum smc_rdma_opcode)work->opcode, &status)) {
        fail_head(qp, (enum smc_rdma_status)status);
        return;
    }
    qp->sq.head++;
    if (work->signaled)
        roce_complete(qp, work, SMC_RDMA_SUCCESS, 0);
}

/* Where `next` points once it is at `una`: that lies in the oldest request, if there is one. */
static void rewind_to_una(struct smc_rdma_qp *qp)
{
    qp->next = qp->una;
    qp->sq_next = qp->sq.head;
    qp->next_packet = 0;
    qp->since_ack_request = 0;
    if (qp->sq.head != qp->sq.tail)
        qp->next_packet = roce_psn_distance(qp->una, roce_work_at(&qp->sq, qp->sq.head)->first_psn);
}

/* Everything before `psn` (una ≤ psn ≤ highest) is acknowledged. */
static void advance(struct smc_rdma_qp *qp, uint32_t psn)
{
    if (psn == qp->una)
        return;
    bool overtaken = roce_psn_before(qp->next, psn);
    qp->una = psn;
    qp->retries = qp->rnr_retries = 0;
    qp->rnr_ns = ROCE_NEVER;
    while (qp->state == SMC_RDMA_QP_RTS && qp->sq.head != qp->sq.tail) {
        const struct roce_work *work = roce_work_at(&qp->sq, qp->sq.head);
        if (!work->started || roce_psn_distance(psn, work->first_psn) < work->packets)
            break;
        complete_head(qp);
    }
    if (qp->state != SMC_RDMA_QP_RTS)
        return;
    if (overtaken)
        rewind_to_una(qp);
    bool idle = qp->una == qp->highest || qp->ack_timeout_ns == 0;
    qp->retry_ns = idle ? ROCE_NEVER : qp->roce->now_ns + qp->ack_timeout_ns;
}

/* ---- Answers ------------------------------------------------------------------------------------- */

static void go_back(struct smc_rdma_qp *qp)
{
    if (qp->retries >= qp->retry_count) {
        fail_head(qp, SMC_RDMA_RETRY_EXCEEDED);
        return;
    }
    qp->retries++;
    qp->retry_ns = ROCE_NEVER; /* runs from the first packet sent again */
    rewind_to_una(qp);
}

static void receiver_not_ready(struct smc_rdma_qp *qp, uint8_t code)
{
    enum { FOR_EVER = 7 };
    if (qp->rnr_ns != ROCE_NEVER)
        return; /* the same NAK twice */
    if (qp->rnr_retry != FOR_EVER && qp->rnr_retries >= qp->rnr_retry) {
        fail_head(qp, SMC_RDMA_RNR_RETRY_EXCEEDED);
        return;
    }
    if (qp->rnr_retry != FOR_EVER)
        qp->rnr_retries++;
    qp->retries = 0; /* somebody is there */
    qp->retry_ns = ROCE_NEVER;
    qp->rnr_ns = qp->roce->now_ns + roce_rnr_ns(code);
    rewind_to_una(qp);
}

static void refused(struct smc_rdma_qp *qp, uint8_t code)
{
    struct roce_counters *counters = &qp->roce->counters;
    if (code == ROCE_NAK_SEQUENCE) {
        counters->sequence_naks_received++;
        go_back(qp);
        return;
    }
    static const enum smc_rdma_status statuses[] = {
        [ROCE_NAK_INVALID] = SMC_RDMA_REMOTE_INVALID_REQUEST,
        [ROCE_NAK_ACCESS] = SMC_RDMA_REMOTE_ACCESS_ERROR,
        [ROCE_NAK_OPERATIONAL] = SMC_RDMA_REMOTE_OPERATION_ERROR,
    };
    counters->fatal_naks_received++;
    fail_head(qp, statuses[code]);
}

/* A NAK also acknowledges all before its PSN. */
static void negative(struct smc_rdma_qp *qp, struct smc_aeth aeth, uint32_t psn)
{
    bool rnr = smc_aeth_kind(aeth) == ROCE_AETH_RNR;
    if (!rnr && smc_aeth_value(aeth) > ROCE_NAK_OPERATIONAL)
        return; /* reserved codes */
    advance(qp, psn);
    fail_if_due(qp);
    if (qp->state != SMC_RDMA_QP_RTS)
        return;
    if (rnr) {
        qp->roce->counters.rnr_naks_received++;
        receiver_not_ready(qp, smc_aeth_value(aeth));
    } else {
        refused(qp, smc_aeth_value(aeth));
    }
}

void roce_acknowledged(struct smc_rdma_qp *qp, const struct roce_packet *packet)
{
    struct roce_counters *counters = &qp->roce->counters;
    struct smc_aeth aeth;
    uint32_t psn = smc_bth_psn(packet->bth);
    if (!smc_aeth_at(packet->body, 0, &aeth) || smc_view_len(packet->body) != smc_aeth_size) {
        counters->dropped_malformed++;
        return;
    }
    if (roce_psn_distance(psn, qp->una) >= roce_psn_distance(qp->highest, qp->una)) {
        counters->stale_acks++;
        return;
    }
    if (smc_aeth_kind(aeth) == ROCE_AETH_ACK) {
        counters->acks_received++;
        advance(qp, roce_psn_add(psn, 1));
        fail_if_due(qp);
    } else if (smc_aeth_kind(aeth) == ROCE_AETH_RNR || smc_aeth_kind(aeth) == ROCE_AETH_NAK) {
        negative(qp, aeth, psn);
    }
    if (qp->state != SMC_RDMA_QP_RTS)
        return;
    roce_schedule(qp);
    roce_kick(qp);
}

void roce_qp_expire(struct smc_rdma_qp *qp, uint64_t now_ns)
{
    if (qp->ack_ns <= now_ns)
        roce_send_pending_ack(qp);
    if (qp->rnr_ns <= now_ns)
        qp->rnr_ns = ROCE_NEVER;
    if (qp->hold_ns <= now_ns)
        qp->hold_ns = ROCE_NEVER;
    if (qp->pace_ns <= now_ns)
        qp->pace_ns = ROCE_NEVER;
    if (qp->retry_ns <= now_ns) {
        qp->retry_ns = ROCE_NEVER;
        qp->roce->counters.timeouts++;
        go_back(qp);
    }
    if (qp->state == SMC_RDMA_QP_ERR)
        return;
    roce_schedule(qp);
    roce_kick(qp);
}

/* ---- Sending ------------------------------------------------------------------------------------- */

/* First packet of a request that was never sent: faults strike, and its memory is checked. */
static bool start(struct smc_rdma_qp *qp, struct roce_work *work)
{
    struct roce *roce = qp->roce;
    enum smc_rdma_opcode opcode = (enum smc_rdma_opcode)work->opcode;
    uint64_t hold = 0;
    work->started = true;
    if (roce_fault_strikes_now(roce, ROCE_FAULT_DEVICE_FATAL, qp, opcode, NULL)) {
        roce_fail(roce);
        return false;
    }
    if (roce_fault_strikes_now(roce, ROCE_FAULT_QP_FATAL, qp, opcode, NULL)) {
        roce_qp_break(qp, SMC_RDMA_QP_FATAL);
        return false;
    }
    if (roce_fault_strikes_now(roce, ROCE_FAULT_HOLD_QP, qp, opcode, &hold) && hold > 0) {
        qp->hold_ns = hold < ROCE_NEVER - roce->now_ns ? roce->now_ns + hold : ROCE_NEVER - 1;
        return false;
    }
    return true;
}

/* The request's memory is not, or no longer, the QP's. */
static void fail_local(struct smc_rdma_qp *qp, struct roce_work *work)
{
    work->status = SMC_RDMA_LOCAL_PROTECTION_ERROR;
    fail_if_due(qp);
}

static uint8_t opcode_of(const struct roce_work *work, bool first, bool last)
{
    static const uint8_t opcodes[2][2][2] = {
        {{SMC_BTH_SEND_MIDDLE, SMC_BTH_SEND_LAST}, {SMC_BTH_SEND_FIRST, SMC_BTH_SEND_ONLY}},
        {{SMC_BTH_WRITE_MIDDLE, SMC_BTH_WRITE_LAST}, {SMC_BTH_WRITE_FIRST, SMC_BTH_WRITE_ONLY}}};
    return opcodes[work->opcode == SMC_RDMA_WRITE][first][last];
}

static size_t put_reth(uint8_t *p, const struct roce_work *work)
{
    smc_reth_put_va(p, work->remote_address);
    smc_reth_put_rkey(p, work->rkey);
    smc_reth_put_dma_length(p, work->length);
    return smc_reth_size;
}

/* Builds packet `next_packet` of the request. Returns the frame's length; 0: memory refused. */
static size_t build(struct smc_rdma_qp *qp, const struct roce_work *work, bool ack_request)
{
    uint32_t offset = qp->next_packet * qp->mtu;
    uint32_t left = work->length - offset;
    uint32_t n = left < qp->mtu ? left : qp->mtu;
    bool first = qp->next_packet == 0, last = qp->next_packet + 1 == work->packets;
    struct roce_bth bth = {.opcode = opcode_of(work, first, last),
                           .solicited = last && work->solicited && work->opcode == SMC_RDMA_SEND,
                           .ack_request = ack_request,
                           .psn = qp->next};
    uint8_t *p = roce_packet_begin(qp, &bth);
    if (roce_dcqcn_marks(qp))
        roce_packet_class(qp, (uint8_t)(qp->traffic_class | ECT_0));
    size_t extended = first && work->opcode == SMC_RDMA_WRITE ? put_reth(p, work) : 0;
    unsigned pad = (4 - n % 4) % 4;
    const struct roce_piece *pieces = roce_pieces_at(qp, &qp->sq, qp->sq_next);
    if (first && !roce_pieces_valid(qp, pieces, work->piece_count, false))
        return 0;
    if (!roce_gather(qp, pieces, work->piece_count, offset, p + extended, n))
        return 0;
    memset(p + extended + n, 0, pad);
    return roce_packet_end(qp, extended + n + pad, pad);
}

/* Every so many packets, with the last of a message, and with the last the window lets through. */
static bool wants_ack(const struct smc_rdma_qp *qp, const struct roce_work *work)
{
    const struct roce_config *config = &qp->roce->config;
    return qp->next_packet + 1 == work->packets ||
           qp->since_ack_request + 1 >= config->ack_every ||
           roce_psn_distance(qp->next, qp->una) + 1 >= config->window_packets;
}

static void sent(struct smc_rdma_qp *qp, const struct roce_work *work, bool ack_request)
{
    uint32_t left = work->length - qp->next_packet * qp->mtu;
    qp->roce->counters.payload_sent += left < qp->mtu ? left : qp->mtu;
    if (roce_psn_distance(qp->next, qp->una) < roce_psn_distance(qp->highest, qp->una))
        qp->roce->counters.retransmissions++;
    else
        qp->highest = roce_psn_add(qp->next, 1);
    qp->next = roce_psn_add(qp->next, 1);
    qp->since_ack_request = ack_request ? 0 : qp->since_ack_request + 1;
    if (++qp->next_packet == work->packets) {
        qp->sq_next++;
        qp->next_packet = 0;
    }
    if (qp->retry_ns == ROCE_NEVER && qp->ack_timeout_ns > 0)
        qp->retry_ns = qp->roce->now_ns + qp->ack_timeout_ns;
}

/* One packet. False: the port takes no more for now. */
static bool send_packet(struct smc_rdma_qp *qp)
{
    struct roce_work *work = roce_work_at(&qp->sq, qp->sq_next);
    if (!work->started && !start(qp, work))
        return true;
    bool ack_request = wants_ack(qp, work);
    size_t length = build(qp, work, ack_request);
    if (length == 0) {
        fail_local(qp, work);
        return true;
    }
    if (!roce_qp_has_gid(qp))
        qp->roce->counters.lost_no_link++; /* its source address is gone */
    else if (!roce_emit(qp, length))
        return false;
    sent(qp, work, ack_request);
    roce_dcqcn_sent(qp, length);
    return true;
}

static void serve_port(struct roce_port *port, uint64_t now_ns)
{
    while (!roce_list_empty(&port->ready) && port->blocked_ns <= now_ns) {
        struct smc_rdma_qp *qp = ROCE_OWNER(port->ready.next, struct smc_rdma_qp, ready);
        roce_list_remove(&qp->ready);
        for (unsigned i = 0; i < BURST && may_send(qp); i++)
            if (!send_packet(qp))
                break;
        if (qp->state != SMC_RDMA_QP_ERR)
            roce_schedule(qp);
        roce_kick(qp);
    }
}

void roce_serve(struct roce *roce)
{
    for (unsigned i = 0; i < roce->config.ports; i++)
        serve_port(&roce->ports[i], roce->now_ns);
}
