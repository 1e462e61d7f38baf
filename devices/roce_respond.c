/* The responder of a RoCE QP: carries incoming requests out, in order and once, and answers them.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/roce_internal.h"

/* What an opcode of ours is made of. */
struct shape {
    bool known, write, first, last;
};

static struct shape shape_of(uint8_t opcode)
{
    switch (opcode) {
    case SMC_BTH_SEND_FIRST:
        return (struct shape){true, false, true, false};
    case SMC_BTH_SEND_MIDDLE:
        return (struct shape){true, false, false, false};
    case SMC_BTH_SEND_LAST:
        return (struct shape){true, false, false, true};
    case SMC_BTH_SEND_ONLY:
        return (struct shape){true, false, true, true};
    case SMC_BTH_WRITE_FIRST:
        return (struct shape){true, true, true, false};
    case SMC_BTH_WRITE_MIDDLE:
        return (struct shape){true, true, false, false};
    case SMC_BTH_WRITE_LAST:
        return (struct shape){true, true, false, true};
    case SMC_BTH_WRITE_ONLY:
        return (struct shape){true, true, true, true};
    default:
        return (struct shape){false, false, false, false};
    }
}

/* ---- Answers ------------------------------------------------------------------------------------- */

/* An answer that the port refuses is lost, and asked for again by the other side's timeout. */
static void answer(struct smc_rdma_qp *qp, uint32_t psn, uint8_t kind, uint8_t value)
{
    struct roce_bth bth = {.opcode = SMC_BTH_ACK, .psn = psn};
    uint8_t *p = roce_packet_begin(qp, &bth);
    smc_store_be(p, smc_aeth_size, 0);
    smc_aeth_put_kind(p, kind);
    smc_aeth_put_value(p, value);
    smc_aeth_put_msn(p, qp->msn);
    if (qp->ack_ns != ROCE_NEVER) { /* whatever it says covers an ACK that waited */
        qp->ack_ns = ROCE_NEVER;
        roce_schedule(qp);
    }
    roce_emit(qp, roce_packet_end(qp, smc_aeth_size, 0));
}

static void send_ack(struct smc_rdma_qp *qp)
{
    qp->roce->counters.acks_sent++;
    answer(qp, roce_psn_add(qp->expected, ROCE_PSN_MASK), ROCE_AETH_ACK, ROCE_CREDITS_UNKNOWN);
}

void roce_send_pending_ack(struct smc_rdma_qp *qp)
{
    qp->ack_ns = ROCE_NEVER;
    if (roce_qp_has_gid(qp))
        send_ack(qp);
}

static void acknowledge(struct smc_rdma_qp *qp)
{
    uint32_t delay = qp->roce->config.ack_delay_ns;
    if (delay == 0) {
        send_ack(qp);
    } else if (qp->ack_ns == ROCE_NEVER) {
        qp->ack_ns = qp->roce->now_ns + delay;
        roce_schedule(qp);
    }
}

/* A NAK that breaks the connection; the receive buffer in use, if any, is flushed with the others. */
static void refuse(struct smc_rdma_qp *qp, uint8_t code)
{
    qp->roce->counters.fatal_naks_sent++;
    answer(qp, qp->expected, ROCE_AETH_NAK, code);
    roce_qp_break(qp, code == ROCE_NAK_ACCESS ? SMC_RDMA_QP_ACCESS_ERROR : SMC_RDMA_QP_FATAL);
}

/* The same where a receive completion names what was wrong: no event. */
static void refuse_receive(struct smc_rdma_qp *qp, uint8_t code, enum smc_rdma_status status)
{
    const struct roce_work *work = roce_work_at(&qp->rq, qp->rq.head++);
    qp->roce->counters.fatal_naks_sent++;
    qp->roce->counters.qp_errors++;
    answer(qp, qp->expected, ROCE_AETH_NAK, code);
    roce_complete(qp, work, status, 0);
    roce_qp_to_error(qp);
}

/* ---- In order ------------------------------------------------------------------------------------ */

/* Does the packet fit the message it is part of, and its payload the path MTU? */
static bool fits(const struct smc_rdma_qp *qp, struct shape shape, uint32_t n)
{
    if (!shape.known || shape.first == qp->in.active)
        return false;
    if (!shape.first && shape.write != qp->in.write)
        return false;
    if (!shape.last)
        return n == qp->mtu;
    return n <= qp->mtu && (shape.first || n > 0);
}

static void accept(struct smc_rdma_qp *qp, struct shape shape)
{
    qp->expected = roce_psn_add(qp->expected, 1);
    qp->nak_sent = false;
    qp->in.active = !shape.last;
    if (shape.last)
        qp->msn = roce_psn_add(qp->msn, 1);
}

static void place_write(struct smc_rdma_qp *qp, uint8_t *memory, const uint8_t *bytes, uint32_t n)
{
    struct roce_incoming *in = &qp->in;
    if (in->lost || n == 0)
        return;
    /* Behind something kept back everything is, lest the older bytes overwrite the newer. */
    if (qp->late != NULL && roce_late_keep(qp, in->rkey, in->address + in->done, bytes, n))
        return;
    roce_late_place(qp);
    memcpy(memory, bytes, n);
    qp->roce->counters.payload_placed += n;
}

static void start_write(struct smc_rdma_qp *qp, struct smc_reth reth)
{
    qp->in = (struct roce_incoming){
        .write = true,
        .rkey = smc_reth_rkey(reth),
        .address = smc_reth_va(reth),
        .length = smc_reth_dma_length(reth),
        .lost = roce_fault_strikes_now(qp->roce, ROCE_FAULT_NOT_PLACED, qp, SMC_RDMA_WRITE, NULL),
    };
    /* An entry without bytes is enough to hold back what follows. */
    if (roce_fault_strikes_now(qp->roce, ROCE_FAULT_LATE_WRITE, qp, SMC_RDMA_WRITE, NULL))
        roce_late_keep(qp, qp->in.rkey, qp->in.address, (const uint8_t *)"", 0);
}

/* The memory is looked up for each packet: it may be deregistered between two. */
static bool receive_write(struct smc_rdma_qp *qp, struct shape shape, struct smc_view payload)
{
    struct smc_reth reth = {payload.p};
    if (shape.first) {
        payload = smc_view_sub(payload, smc_reth_size, SIZE_MAX);
        uint32_t length = smc_reth_dma_length(reth);
        if (length > 0 &&
            roce_remote_memory(qp, smc_reth_rkey(reth), smc_reth_va(reth), length) == NULL) {
            refuse(qp, ROCE_NAK_ACCESS);
            return false;
        }
        start_write(qp, reth);
    }
    struct roce_incoming *in = &qp->in;
    uint32_t n = (uint32_t)smc_view_len(payload);
    if (shape.last ? n != in->length - in->done : n >= in->length - in->done) {
        refuse(qp, ROCE_NAK_INVALID);
        return false;
    }
    uint8_t *memory = roce_remote_memory(qp, in->rkey, in->address + in->done, n);
    if (memory == NULL && n > 0) {
        refuse(qp, ROCE_NAK_ACCESS);
        return false;
    }
    place_write(qp, memory, payload.p, n);
    in->done += n;
    accept(qp, shape);
    return true;
}

/* False: no receive buffer, and the sender is told so. */
static bool start_send(struct smc_rdma_qp *qp)
{
    struct roce *roce = qp->roce;
    if (qp->rq.head == qp->rq.tail ||
        roce_fault_strikes_now(roce, ROCE_FAULT_RNR, qp, SMC_RDMA_SEND, NULL)) {
        roce->counters.rnr_naks_sent++;
        qp->nak_sent = true;
        answer(qp, qp->expected, ROCE_AETH_RNR, qp->min_rnr_timer);
        return false;
    }
    const struct roce_work *work = roce_work_at(&qp->rq, qp->rq.head);
    const struct roce_piece *pieces = roce_pieces_at(qp, &qp->rq, qp->rq.head);
    if (!roce_pieces_valid(qp, pieces, work->piece_count, true)) {
        refuse_receive(qp, ROCE_NAK_OPERATIONAL, SMC_RDMA_LOCAL_PROTECTION_ERROR);
        return false;
    }
    qp->in = (struct roce_incoming){
        .length = work->length,
        .lost = roce_fault_strikes_now(roce, ROCE_FAULT_NOT_PLACED, qp, SMC_RDMA_SEND, NULL),
    };
    return true;
}

static void finish_send(struct smc_rdma_qp *qp)
{
    struct roce *roce = qp->roce;
    if (roce_fault_strikes_now(roce, ROCE_FAULT_DEVICE_FATAL, qp, SMC_RDMA_RECV, NULL)) {
        roce_fail(roce);
    } else if (roce_fault_strikes_now(roce, ROCE_FAULT_QP_FATAL, qp, SMC_RDMA_RECV, NULL)) {
        roce_qp_break(qp, SMC_RDMA_QP_FATAL);
    } else {
        /* What was written before it is there before anybody hears of it. */
        roce_late_place(qp);
        roce_complete(qp, roce_work_at(&qp->rq, qp->rq.head++), SMC_RDMA_SUCCESS, qp->in.done);
    }
}

static bool receive_send(struct smc_rdma_qp *qp, struct shape shape, struct smc_view payload)
{
    if (shape.first && !start_send(qp))
        return false;
    struct roce_incoming *in = &qp->in;
    const struct roce_work *work = roce_work_at(&qp->rq, qp->rq.head);
    const struct roce_piece *pieces = roce_pieces_at(qp, &qp->rq, qp->rq.head);
    uint32_t n = (uint32_t)smc_view_len(payload);
    if (n > in->length - in->done) {
        refuse_receive(qp, ROCE_NAK_INVALID, SMC_RDMA_LOCAL_LENGTH_ERROR);
        return false;
    }
    if (!in->lost && !roce_scatter(qp, pieces, work->piece_count, in->done, payload.p, n)) {
        refuse_receive(qp, ROCE_NAK_OPERATIONAL, SMC_RDMA_LOCAL_PROTECTION_ERROR);
        return false;
    }
    qp->roce->counters.payload_placed += in->lost ? 0 : n;
    in->done += n;
    accept(qp, shape);
    if (shape.last)
        finish_send(qp);
    return true;
}

static void carry_out(struct smc_rdma_qp *qp, const struct roce_packet *packet)
{
    struct shape shape = shape_of(smc_bth_opcode(packet->bth));
    size_t extended = shape.write && shape.first ? smc_reth_size : 0;
    size_t body = smc_view_len(packet->body);
    if (body < extended) {
        qp->roce->counters.dropped_malformed++;
        return;
    }
    if (!fits(qp, shape, (uint32_t)(body - extended))) {
        refuse(qp, ROCE_NAK_INVALID);
        return;
    }
    bool done = shape.write ? receive_write(qp, shape, packet->body)
                            : receive_send(qp, shape, packet->body);
    if (done && qp->state != SMC_RDMA_QP_ERR && smc_bth_ackreq(packet->bth))
        acknowledge(qp);
}

/* ---- Out of order -------------------------------------------------------------------------------- */

/* Carried out long ago: say so again, the first ACK may be lost. */
static void duplicate(struct smc_rdma_qp *qp, const struct roce_packet *packet)
{
    qp->roce->counters.duplicates++;
    if (smc_bth_ackreq(packet->bth))
        send_ack(qp);
}

static void ahead(struct smc_rdma_qp *qp)
{
    qp->roce->counters.out_of_sequence++;
    if (qp->nak_sent)
        return;
    qp->nak_sent = true;
    qp->roce->counters.sequence_naks_sent++;
    answer(qp, qp->expected, ROCE_AETH_NAK, ROCE_NAK_SEQUENCE);
}

void roce_respond(struct smc_rdma_qp *qp, const struct roce_packet *packet)
{
    uint32_t psn = smc_bth_psn(packet->bth);
    if (psn == qp->expected)
        carry_out(qp, packet);
    else if (roce_psn_before(psn, qp->expected))
        duplicate(qp, packet);
    else
        ahead(qp);
}
