/* Takes RoCE packets apart: BTH, extension headers, padding, ICRC.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "traces/packet_internal.h"

#include "wire/icrc.h"

#include <libdeflate.h>

enum { DETH_BYTES = 8 };

/* Which extension headers follow the BTH; only the RC operations have any that are looked at. */
struct extensions {
    bool reth, aeth, imm;
    size_t size; /* of all of them */
};

static struct extensions extensions_of(uint8_t opcode)
{
    enum { R = 1, A = 2, I = 4, IETH = 8, ATOMIC = 16, ATOMIC_ACK = 32 };
    static const uint8_t rc[] = {
        [SMC_BTH_SEND_LAST_IMM] = I,        [SMC_BTH_SEND_ONLY_IMM] = I,  [SMC_BTH_WRITE_FIRST] = R,
        [SMC_BTH_WRITE_LAST_IMM] = I,       [SMC_BTH_WRITE_ONLY] = R,     [SMC_BTH_WRITE_ONLY_IMM] = R | I,
        [SMC_BTH_READ_REQUEST] = R,         [SMC_BTH_READ_RESP_FIRST] = A, [SMC_BTH_READ_RESP_LAST] = A,
        [SMC_BTH_READ_RESP_ONLY] = A,       [SMC_BTH_ACK] = A,            [SMC_BTH_ATOMIC_ACK] = A | ATOMIC_ACK,
        [SMC_BTH_CMP_SWAP] = ATOMIC,        [SMC_BTH_FETCH_ADD] = ATOMIC, [SMC_BTH_SEND_LAST_INV] = IETH,
        [SMC_BTH_SEND_ONLY_INV] = IETH,
    };
    struct extensions e = {0};
    if (opcode == 0x64 || opcode == 0x65) { /* UD SEND only: a DETH comes first */
        e.imm = opcode == 0x65;
        e.size = DETH_BYTES + (e.imm ? smc_immdt_size : 0);
    }
    if (opcode >= sizeof rc)
        return e;
    uint8_t has = rc[opcode];
    e.reth = has & R;
    e.aeth = has & A;
    e.imm = has & I;
    e.size = (e.reth ? smc_reth_size : 0) + (e.aeth ? smc_aeth_size : 0) + (e.imm ? smc_immdt_size : 0) +
             (has & IETH ? 4 : 0) + (has & ATOMIC ? 28 : 0) + (has & ATOMIC_ACK ? 8 : 0);
    return e;
}

/* Reads the extension headers that were captured, in the order in which they follow the BTH. */
static void read_extensions(struct trace_roce *roce, struct extensions e, struct smc_view v)
{
    struct smc_reth reth;
    struct smc_aeth aeth;
    struct smc_immdt imm;
    if (e.reth && smc_reth_at(v, 0, &reth)) {
        roce->has_reth = true;
        roce->va = smc_reth_va(reth);
        roce->rkey = smc_reth_rkey(reth);
        roce->dma_length = smc_reth_dma_length(reth);
    }
    if (e.aeth && smc_aeth_at(v, 0, &aeth)) {
        roce->has_aeth = true;
        roce->aeth_kind = smc_aeth_kind(aeth);
        roce->aeth_value = smc_aeth_value(aeth);
        roce->msn = smc_aeth_msn(aeth);
    }
    if (e.imm && smc_immdt_at(v, e.size - smc_immdt_size, &imm)) {
        roce->has_imm = true;
        roce->imm = smc_immdt_imm(imm);
    }
}

static void read_bth(struct trace_roce *roce, struct smc_bth h)
{
    roce->opcode = smc_bth_opcode(h);
    roce->ackreq = smc_bth_ackreq(h);
    roce->solicited = smc_bth_solicited(h);
    roce->dqpn = smc_bth_dqpn(h);
    roce->psn = smc_bth_psn(h);
}

/* From the IP header or GRH to the end of a complete packet. */
static enum trace_icrc judge_icrc(const uint8_t *l3, const uint8_t *end)
{
    uint32_t value;
    const uint8_t *icrc = end - SMC_ICRC_BYTES;
    if (!smc_icrc((struct smc_view){l3, icrc}, libdeflate_crc32, &value))
        return TRACE_ICRC_UNKNOWN; /* extension headers between IPv6 and UDP */
    return value == smc_load_le(icrc, SMC_ICRC_BYTES) ? TRACE_ICRC_GOOD : TRACE_ICRC_BAD;
}

void trace_packet_decode_roce(struct decoder *d, struct rest r, bool v1)
{
    struct trace_packet *out = d->out;
    struct trace_roce *roce = &out->roce;
    struct smc_bth h;
    bool complete = (size_t)(r.end - r.p) == r.wire;
    if (!smc_bth_at(captured(&r), 0, &h))
        return;
    struct extensions e = extensions_of(smc_bth_opcode(h));
    size_t pad = smc_bth_pad(h);
    skip(&r, smc_bth_size);
    if (r.wire < e.size + pad + SMC_ICRC_BYTES)
        return;
    out->proto = TRACE_ROCE;
    roce->v1 = v1;
    read_bth(roce, h);
    read_extensions(roce, e, captured(&r));
    (void)skip_header(&r, e.size);
    if (complete && d->check_icrc)
        roce->icrc = judge_icrc(d->l3, r.end);
    limit(&r, r.wire - pad - SMC_ICRC_BYTES);
    set_payload(out, &r);
}
