/* DCQCN, the congestion control of RoCEv2: parameters, the reaction point's state, and its arithmetic.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef DEVICES_ROCE_DCQCN_H
#define DEVICES_ROCE_DCQCN_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* After Zhu et al., "Congestion Control for Large-Scale RDMA Deployments", SIGCOMM 2015 ("the paper"),
 * with its names. Three points take part:
 *
 *     RP, sender ── ECT(0) ──▶ CP, switch: marks CE by its queue (sim/pfc.h) ── CE ──▶ NP, receiver
 *        ▲                                                                               │
 *        └────────────────── CNP, at most one each N for a flow ────────────────────────┘
 *
 * The reaction point of a flow (here: a QP) sends at the current rate R_C. With a CNP (equation 1)
 *     R_T = R_C;  R_C = R_C (1 − α/2);  α = (1 − g) α + g
 * and all counters and timers begin anew. After each K without a CNP (equation 2): α = (1 − g) α.
 * After each B bytes sent, and after each T, the rate rises:
 *     fast recovery    max(BC, T) < F   R_C = (R_T + R_C) / 2                       (equation 3)
 *     hyper increase   min(BC, T) > F   R_T = R_T + R_HAI; R_C = (R_T + R_C) / 2
 *     additive         else             R_T = R_T + R_AI;  R_C = (R_T + R_C) / 2    (equation 4)
 * BC and T: how often the byte counter and the timer had run out before this time, so that a flow
 * makes F steps of fast recovery, as the paper says in words. R_T and R_C never pass the line rate;
 * R_C never falls below R_MIN. A flow starts at line rate with α = 1.
 *
 * The NIC paces a flow's packets: the next one starts when this one's bits on the wire would have passed
 * at R_C as it was when this one was sent.
 *
 * Integers only. Rates are bits per second; α and g are fractions of ROCE_DCQCN_ONE. Results are rounded
 * to the nearest: one step of a rate is off by 1/2 bit/s at most for (3) and (4), by 1 bit/s for (1);
 * one step of α by 1/2 unit, which (1) and (2) multiply by 1 − g, so that α as a whole is never off by
 * more than 1/(2g) units: 1.2e-7 for g = 1/256.
 *
 * No timer runs: what fell due is caught up with before the state is used, with the same result. */
#define ROCE_DCQCN_ONE (UINT32_C(1) << 30)
#define ROCE_DCQCN_RATE_MAX UINT64_C(10000000000000) /* 10 Tbit/s */
enum { ROCE_DCQCN_WIRE_BYTES = 24 /* preamble, FCS and gap, which a frame takes besides */ };

/* 0 means the value in brackets. Where it comes from: (P) the paper, sections 5.2 and 6 or table 14;
 * (Q) the draft that DCQCN took the reaction point from, 802.1Qau; (A17) InfiniBand annex A17;
 * (ours) where neither gives a number. */
struct roce_dcqcn {
    uint64_t line_rate;      /* bit/s [10 Gbit/s, (ours): sim/lab.h puts the link's rate] */
    uint32_t g;              /* of ROCE_DCQCN_ONE [1/256, (P)] */
    uint64_t K_ns;           /* of α [55 µs, (P): longer than N] */
    uint64_t T_ns;           /* rate increase timer [55 µs, (P)] */
    uint64_t B_bytes;        /* byte counter [10 MB = 10,000,000, (P)] */
    uint32_t F;              /* steps of fast recovery [5, (P)] */
    uint64_t R_AI, R_HAI;    /* bit/s [40 Mbit/s, (P)] [400 Mbit/s, (ours): ten steps of R_AI in one, the
                              * relation that vendors' defaults of 5 and 50 Mbit/s have] */
    uint64_t R_MIN;          /* bit/s [10 Mbit/s, (Q)] */
    uint64_t N_ns;           /* a flow's CNPs at most so often [50 µs, (P)] */
    uint8_t cnp_dscp;        /* [48, the network control class: (P) asks for a high priority] */
};

/* Fills in what is 0. False: a value is out of range: line rate or an increase above
 * ROCE_DCQCN_RATE_MAX, R_MIN above the line rate, g above 1. */
bool roce_dcqcn_complete(struct roce_dcqcn *params);

/* The reaction point of one flow. */
struct roce_rp {
    uint64_t R_C, R_T;
    uint32_t alpha;
    bool cut;              /* a CNP came: before, nothing is counted and α stays 1 */
    uint32_t byte_stage;   /* BC */
    uint32_t time_stage;   /* T */
    uint64_t bytes;        /* since the byte counter ran out */
    uint64_t T_due_ns, K_due_ns;
};

void roce_rp_init(struct roce_rp *rp, const struct roce_dcqcn *params);
/* Does what fell due until now. */
void roce_rp_advance(struct roce_rp *rp, const struct roce_dcqcn *params, uint64_t now_ns);
/* A CNP came. */
void roce_rp_cnp(struct roce_rp *rp, const struct roce_dcqcn *params, uint64_t now_ns);
/* So many bytes were sent. */
void roce_rp_sent(struct roce_rp *rp, const struct roce_dcqcn *params, uint32_t bytes,
                  uint64_t now_ns);
/* How long a frame of that many bytes takes at R_C, in 1/65536 ns (ROCE_DCQCN_WIRE_BYTES and padding to
 * 60 bytes included); at most 65,536 bytes. */
uint64_t roce_rp_gap(const struct roce_rp *rp, uint32_t bytes);

#ifdef __cplusplus
}
#endif

#endif
