/* DCQCN: the reaction point's arithmetic, and what the NIC does as notification and reaction point.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/roce_internal.h"

enum { FRAME_MIN = 60 };
#define SECOND_NS UINT64_C(1000000000)

/* ---- Parameters ---------------------------------------------------------------------------------- */

static uint64_t or_default(uint64_t value, uint64_t otherwise)
{
    return value > 0 ? value : otherwise;
}

bool roce_dcqcn_complete(struct roce_dcqcn *p)
{
    p->line_rate = or_default(p->line_rate, UINT64_C(10000000000));
    p->g = p->g > 0 ? p->g : ROCE_DCQCN_ONE / 256;
    p->K_ns = or_default(p->K_ns, 55000);
    p->T_ns = or_default(p->T_ns, 55000);
    p->B_bytes = or_default(p->B_bytes, 10000000);
    p->F = p->F > 0 ? p->F : 5;
    p->R_AI = or_default(p->R_AI, 40000000);
    p->R_HAI = or_default(p->R_HAI, 400000000);
    p->R_MIN = or_default(p->R_MIN, 10000000);
    p->N_ns = or_default(p->N_ns, 50000);
    p->cnp_dscp = p->cnp_dscp > 0 ? p->cnp_dscp : 48;
    return p->line_rate <= ROCE_DCQCN_RATE_MAX && p->R_AI <= ROCE_DCQCN_RATE_MAX &&
           p->R_HAI <= ROCE_DCQCN_RATE_MAX && p->R_MIN <= p->line_rate && p->g <= ROCE_DCQCN_ONE &&
           p->cnp_dscp < 64;
}

/* ---- Arithmetic ---------------------------------------------------------------------------------- */

/* rate × fraction / 2, rounded to the nearest. In two halves: a rate has up to 44 bits, α 31. */
static uint64_t half_of(uint64_t rate, uint32_t alpha)
{
    uint64_t high = (rate >> 16) * alpha;            /* 28 + 31 bits */
    uint64_t low = (rate & 0xffff) * (uint64_t)alpha; /* 16 + 31 bits */
    uint64_t sum = high + (low >> 16);               /* of 2^-15 × ONE / ONE … */
    return (sum + (1 << 14)) >> 15;
}

/* (1 − g) α; by α = 0 at the latest it stays as it is. */
static uint32_t decayed(uint32_t alpha, uint32_t g)
{
    uint64_t kept = (uint64_t)alpha * (ROCE_DCQCN_ONE - g);
    return (uint32_t)((kept + ROCE_DCQCN_ONE / 2) >> 30);
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Equations (3) and (4). The sum is rounded up, or R_C would stop one bit below R_T. */
static void rise(struct roce_rp *rp, const struct roce_dcqcn *p)
{
    uint32_t most = rp->byte_stage > rp->time_stage ? rp->byte_stage : rp->time_stage;
    uint32_t fewest = rp->byte_stage < rp->time_stage ? rp->byte_stage : rp->time_stage;
    if (fewest > p->F)
        rp->R_T = least(rp->R_T + p->R_HAI, p->line_rate);
    else if (most >= p->F)
        rp->R_T = least(rp->R_T + p->R_AI, p->line_rate);
    rp->R_C = (rp->R_T + rp->R_C + 1) / 2;
}

static void count(uint32_t *stage, uint64_t n)
{
    *stage = n < UINT32_MAX - *stage ? *stage + (uint32_t)n : UINT32_MAX;
}

/* ---- The reaction point -------------------------------------------------------------------------- */

void roce_rp_init(struct roce_rp *rp, const struct roce_dcqcn *p)
{
    *rp = (struct roce_rp){.R_C = p->line_rate, .R_T = p->line_rate, .alpha = ROCE_DCQCN_ONE};
}

/* Once nothing changes any more the rest is counted at once: a flow that slept an hour costs no more. */
static void advance_rate(struct roce_rp *rp, const struct roce_dcqcn *p, uint64_t now_ns)
{
    while (rp->T_due_ns <= now_ns && rp->R_C < p->line_rate) {
        rise(rp, p);
        count(&rp->time_stage, 1);
        rp->T_due_ns += p->T_ns;
    }
    if (rp->T_due_ns > now_ns)
        return;
    uint64_t n = (now_ns - rp->T_due_ns) / p->T_ns + 1;
    count(&rp->time_stage, n);
    rp->T_due_ns += n * p->T_ns;
}

static void advance_alpha(struct roce_rp *rp, const struct roce_dcqcn *p, uint64_t now_ns)
{
    uint32_t before = 0;
    while (rp->K_due_ns <= now_ns && before != rp->alpha) {
        before = rp->alpha;
        rp->alpha = decayed(before, p->g);
        rp->K_due_ns += p->K_ns;
    }
    if (rp->K_due_ns <= now_ns)
        rp->K_due_ns += ((now_ns - rp->K_due_ns) / p->K_ns + 1) * p->K_ns;
}

void roce_rp_advance(struct roce_rp *rp, const struct roce_dcqcn *p, uint64_t now_ns)
{
    if (!rp->cut)
        return;
    advance_rate(rp, p, now_ns);
    advance_alpha(rp, p, now_ns);
}

void roce_rp_cnp(struct roce_rp *rp, const struct roce_dcqcn *p, uint64_t now_ns)
{
    roce_rp_advance(rp, p, now_ns);
    rp->R_T = rp->R_C;
    rp->R_C -= half_of(rp->R_C, rp->alpha);
    if (rp->R_C < p->R_MIN)
        rp->R_C = p->R_MIN;
    rp->alpha = decayed(rp->alpha, p->g) + p->g;
    rp->cut = true;
    rp->byte_stage = rp->time_stage = 0;
    rp->bytes = 0;
    rp->T_due_ns = now_ns + p->T_ns;
    rp->K_due_ns = now_ns + p->K_ns;
}

void roce_rp_sent(struct roce_rp *rp, const struct roce_dcqcn *p, uint32_t bytes, uint64_t now_ns)
{
    if (!rp->cut)
        return;
    roce_rp_advance(rp, p, now_ns);
    rp->bytes += bytes;
    while (rp->bytes >= p->B_bytes) {
        rp->bytes -= p->B_bytes;
        rise(rp, p);
        count(&rp->byte_stage, 1);
    }
}

uint64_t roce_rp_gap(const struct roce_rp *rp, uint32_t bytes)
{
    uint64_t bits = ((uint64_t)(bytes > FRAME_MIN ? bytes : FRAME_MIN) + ROCE_DCQCN_WIRE_BYTES) * 8;
    uint64_t ns = bits * SECOND_NS / rp->R_C, rest = bits * SECOND_NS % rp->R_C;
    return (ns << 16) + (rest << 16) / rp->R_C; /* rest < R_C < 2^44 */
}

/* ---- The NIC's part ------------------------------------------------------------------------------ */

int roce_set_dcqcn(struct roce *roce, const struct roce_dcqcn *params)
{
    struct roce_dcqcn complete;
    if (params != NULL) {
        complete = *params;
        if (!roce_dcqcn_complete(&complete))
            return SMC_ERR_ARGUMENT;
        roce->dcqcn = complete;
    }
    roce->dcqcn_on = params != NULL;
    for (struct roce_list *node = roce->qps.next; node != &roce->qps; node = node->next) {
        struct smc_rdma_qp *qp = ROCE_OWNER(node, struct smc_rdma_qp, node);
        roce_dcqcn_start(qp);
        if (qp->state == SMC_RDMA_QP_RTS) {
            roce_schedule(qp);
            roce_kick(qp);
        }
    }
    roce_notify(roce);
    return 0;
}

bool roce_dcqcn_params(const struct roce *roce, struct roce_dcqcn *out)
{
    *out = roce->dcqcn;
    return roce->dcqcn_on;
}

void roce_dcqcn_start(struct smc_rdma_qp *qp)
{
    if (qp->roce->dcqcn_on)
        roce_rp_init(&qp->rp, &qp->roce->dcqcn);
    qp->pace_ns = ROCE_NEVER;
    qp->pace_rest = 0;
    qp->cnp_ns = 0;
}

/* [A17] only RoCEv2 has an IP header whose ECN field switches may write. */
bool roce_dcqcn_marks(const struct smc_rdma_qp *qp)
{
    return qp->roce->dcqcn_on &&
           roce_wire_type(qp->roce, &qp->port->gids[qp->gid_index]) == SMC_RDMA_GID_ROCE_V2;
}

void roce_dcqcn_sent(struct smc_rdma_qp *qp, size_t length)
{
    struct roce *roce = qp->roce;
    if (!roce->dcqcn_on)
        return;
    roce_rp_advance(&qp->rp, &roce->dcqcn, roce->now_ns);
    uint64_t gap = roce_rp_gap(&qp->rp, (uint32_t)length) + qp->pace_rest;
    roce_rp_sent(&qp->rp, &roce->dcqcn, (uint32_t)length, roce->now_ns);
    qp->pace_ns = roce->now_ns + (gap >> 16);
    qp->pace_rest = (uint16_t)gap;
}

/* A packet marked on its way: says so, but not more often than each N. A CNP that the port refuses is
 * made up for by the next mark. */
void roce_congestion_seen(struct smc_rdma_qp *qp)
{
    struct roce *roce = qp->roce;
    roce->counters.ce_received++;
    if (!roce->dcqcn_on || roce->now_ns < qp->cnp_ns)
        return;
    struct roce_bth bth = {.opcode = SMC_BTH_CNP, .becn = true};
    uint8_t *p = roce_packet_begin(qp, &bth);
    memset(p, 0, smc_cnp_size);
    roce_packet_class(qp, (uint8_t)(roce->dcqcn.cnp_dscp << 2));
    if (!roce_emit(qp, roce_packet_end(qp, smc_cnp_size, 0)))
        return;
    roce->counters.cnps_sent++;
    qp->cnp_ns = roce->now_ns + roce->dcqcn.N_ns;
}

void roce_cnp(struct smc_rdma_qp *qp, const struct roce_packet *packet)
{
    struct roce *roce = qp->roce;
    if (smc_view_len(packet->body) != smc_cnp_size) {
        roce->counters.dropped_malformed++;
        return;
    }
    roce->counters.cnps_received++;
    if (roce->dcqcn_on && qp->state == SMC_RDMA_QP_RTS)
        roce_rp_cnp(&qp->rp, &roce->dcqcn, roce->now_ns);
}

bool roce_get_flow(const struct roce *roce, unsigned index, uint64_t now_ns, struct roce_flow *out)
{
    for (struct roce_list *node = roce->qps.next; node != &roce->qps; node = node->next) {
        if (index-- > 0)
            continue;
        const struct smc_rdma_qp *qp = ROCE_OWNER(node, struct smc_rdma_qp, node);
        *out = (struct roce_flow){.qp_number = qp->number, .remote_qp_number = qp->remote_number};
        if (!roce->dcqcn_on)
            return true;
        out->rp = qp->rp;
        roce_rp_advance(&out->rp, &roce->dcqcn, now_ns);
        return true;
    }
    return false;
}
