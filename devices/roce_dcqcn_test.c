/* Tests of DCQCN: the reaction point against the published equations, and what the NIC does on the wire.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/roce_lab_test.h"

#include <math.h>

#define ONE ((double)ROCE_DCQCN_ONE)

/* ---- A second implementation: the equations of the paper in floating point, and how far integers may be off ------------- */

struct model {
    double R_C, R_T, alpha;
    double off_C, off_T, off_alpha; /* bounds of the difference, by the header's claim for each step */
    double line, g, AI, HAI, min;
    uint64_t K, T, B, bytes, T_due, K_due;
    unsigned F, byte_count, time_count;
    bool cut;
};

static struct model model_of(const struct roce_dcqcn *p)
{
    return (struct model){.R_C = (double)p->line_rate, .R_T = (double)p->line_rate, .alpha = 1,
                          .line = (double)p->line_rate, .g = p->g / ONE, .AI = (double)p->R_AI,
                          .HAI = (double)p->R_HAI, .min = (double)p->R_MIN,
                          .K = p->K_ns, .T = p->T_ns, .B = p->B_bytes, .F = p->F};
}

static void model_rise(struct model *m)
{
    unsigned max = m->byte_count > m->time_count ? m->byte_count : m->time_count;
    unsigned min = m->byte_count < m->time_count ? m->byte_count : m->time_count;
    if (max >= m->F)
        m->R_T += min > m->F ? m->HAI : m->AI;
    if (m->R_T > m->line)
        m->R_T = m->line;
    m->R_C = (m->R_T + m->R_C) / 2;
    m->off_C = (m->off_T + m->off_C) / 2 + 0.5;
}

/* One timer after the other, each in its turn. */
static void model_until(struct model *m, uint64_t now)
{
    while (m->cut && (m->T_due <= now || m->K_due <= now)) {
        if (m->T_due <= m->K_due) {
            model_rise(m);
            m->time_count++;
            m->T_due += m->T;
        } else {
            m->alpha *= 1 - m->g;
            m->off_alpha = m->off_alpha * (1 - m->g) + 0.5 / ONE;
            m->K_due += m->K;
        }
    }
}

static void model_cnp(struct model *m, uint64_t now)
{
    model_until(m, now);
    m->R_T = m->R_C;
    m->off_T = m->off_C;
    m->off_C = m->off_C * (1 - m->alpha / 2) + m->R_C * m->off_alpha / 2 + 1;
    m->R_C *= 1 - m->alpha / 2;
    if (m->R_C < m->min)
        m->R_C = m->min;
    m->alpha = (1 - m->g) * m->alpha + m->g;
    m->off_alpha = m->off_alpha * (1 - m->g) + 0.5 / ONE;
    m->byte_count = m->time_count = 0;
    m->bytes = 0;
    m->T_due = now + m->T;
    m->K_due = now + m->K;
    m->cut = true;
}

static void model_sent(struct model *m, uint32_t bytes, uint64_t now)
{
    model_until(m, now);
    for (m->bytes += m->cut ? bytes : 0; m->bytes >= m->B; m->bytes -= m->B) {
        model_rise(m);
        m->byte_count++;
    }
}

/* 1e-9 of the value is for the doubles themselves. */
static void expect_near(const struct roce_rp *rp, const struct model *m)
{
    ck_assert_double_le(fabs((double)rp->R_C - m->R_C), m->off_C + 1e-9 * m->line);
    ck_assert_double_le(fabs((double)rp->R_T - m->R_T), m->off_T + 1e-9 * m->line);
    ck_assert_double_le(fabs(rp->alpha / ONE - m->alpha), m->off_alpha + 1e-9);
    ck_assert_uint_eq(rp->byte_stage, m->byte_count);
    ck_assert_uint_eq(rp->time_stage, m->time_count);
}

static struct roce_dcqcn defaults(uint64_t line_rate)
{
    struct roce_dcqcn p = {.line_rate = line_rate};
    ck_assert(roce_dcqcn_complete(&p));
    return p;
}

static struct roce_rp flow_of(const struct roce_dcqcn *p)
{
    struct roce_rp rp;
    roce_rp_init(&rp, p);
    return rp;
}

/* ---- The equations ------------------------------------------------------------------------------- */

START_TEST(what_is_not_given_is_as_published)
{
    struct roce_dcqcn p = defaults(0);
    ck_assert_uint_eq(p.line_rate, 10000000000);
    ck_assert_uint_eq(p.g, ROCE_DCQCN_ONE / 256);
    ck_assert_uint_eq(p.K_ns, 55000);
    ck_assert_uint_eq(p.T_ns, 55000);
    ck_assert_uint_eq(p.B_bytes, 10000000);
    ck_assert_uint_eq(p.F, 5);
    ck_assert_uint_eq(p.R_AI, 40000000);
    ck_assert_uint_eq(p.N_ns, 50000);
    ck_assert_uint_gt(p.K_ns, p.N_ns); /* or α would decay between two CNPs of one congestion */
}
END_TEST

START_TEST(values_out_of_range_are_refused)
{
    struct roce_dcqcn bad[] = {{.line_rate = ROCE_DCQCN_RATE_MAX + 1}, {.R_AI = ROCE_DCQCN_RATE_MAX + 1},
                               {.R_HAI = ROCE_DCQCN_RATE_MAX + 1},     {.line_rate = 1000, .R_MIN = 1001},
                               {.g = ROCE_DCQCN_ONE + 1},              {.cnp_dscp = 64}};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(!roce_dcqcn_complete(&bad[i]), "number %u was taken", i);
}
END_TEST

START_TEST(a_first_notification_halves_the_rate_and_five_steps_lead_back)
{
    struct roce_dcqcn p = defaults(10000000000);
    struct roce_rp rp = flow_of(&p);
    static const uint64_t rates[] = {5000000000, 7500000000, 8750000000, 9375000000, 9687500000, 9843750000};
    roce_rp_cnp(&rp, &p, 1000);
    ck_assert_uint_eq(rp.R_T, p.line_rate);
    ck_assert_uint_eq(rp.alpha, ROCE_DCQCN_ONE); /* (1 − g) 1 + g */
    for (unsigned i = 0; i < 6; i++) {
        roce_rp_advance(&rp, &p, 1000 + i * p.T_ns);
        ck_assert_uint_eq(rp.R_C, rates[i]);
        roce_rp_advance(&rp, &p, 1000 + (i + 1) * p.T_ns - 1);
        ck_assert_uint_eq(rp.R_C, rates[i]); /* not a nanosecond early */
    }
}
END_TEST

START_TEST(without_notifications_alpha_falls_by_g_each_K)
{
    struct roce_dcqcn p = defaults(10000000000);
    struct roce_rp rp = flow_of(&p);
    roce_rp_cnp(&rp, &p, 0);
    for (unsigned n = 1; n <= 3000; n++) {
        roce_rp_advance(&rp, &p, n * p.K_ns);
        ck_assert_double_le(fabs(rp.alpha / ONE - pow(255.0 / 256, n)), 128 / ONE); /* 1/(2g) units */
    }
    uint32_t before = rp.alpha;
    roce_rp_cnp(&rp, &p, 3000 * p.K_ns);
    ck_assert_double_le(fabs(rp.alpha / ONE - (255.0 / 256 * (before / ONE) + 1.0 / 256)), 1 / ONE);
}
END_TEST

START_TEST(behind_fast_recovery_the_target_rises_by_R_AI_and_with_both_counters_by_R_HAI)
{
    struct roce_dcqcn p = defaults(100000000000);
    struct roce_rp rp = flow_of(&p);
    for (unsigned i = 0; i < 10; i++)
        roce_rp_cnp(&rp, &p, 0);
    uint64_t target = rp.R_T;
    ck_assert_uint_eq(target, p.line_rate >> 9); /* α is 1: each halves */
    uint64_t now = 0;
    for (unsigned i = 0; i < 5; i++)
        roce_rp_advance(&rp, &p, now += p.T_ns);
    ck_assert_uint_eq(rp.R_T, target);
    for (unsigned i = 1; i <= 3; i++) {
        roce_rp_advance(&rp, &p, now += p.T_ns);
        ck_assert_uint_eq(rp.R_T, target + i * p.R_AI);
    }
    target = rp.R_T;
    /* Six times the byte counter: its count is at most F, which is not above F. */
    for (unsigned i = 1; i <= 6; i++)
        roce_rp_sent(&rp, &p, (uint32_t)p.B_bytes, now);
    ck_assert_uint_eq(rp.R_T, target + 6 * p.R_AI);
    roce_rp_sent(&rp, &p, (uint32_t)p.B_bytes, now);
    ck_assert_uint_eq(rp.R_T, target + 6 * p.R_AI + p.R_HAI);
    roce_rp_advance(&rp, &p, now + p.T_ns);
    ck_assert_uint_eq(rp.R_T, target + 6 * p.R_AI + 2 * p.R_HAI);
}
END_TEST

START_TEST(the_rate_stays_between_R_MIN_and_line_rate)
{
    struct roce_dcqcn p = defaults(10000000000);
    struct roce_rp rp = flow_of(&p);
    for (unsigned i = 0; i < 100; i++)
        roce_rp_cnp(&rp, &p, i);
    ck_assert_uint_eq(rp.R_C, p.R_MIN);
    roce_rp_advance(&rp, &p, 20000000000);
    ck_assert_uint_eq(rp.R_C, p.line_rate);
    ck_assert_uint_eq(rp.R_T, p.line_rate);
}
END_TEST

/* Different parameters, times, bytes: what happens in the order of time gives what the equations give. */
START_TEST(any_sequence_follows_the_equations_within_the_bound_of_rounding)
{
    static const uint64_t lines[] = {1000000000, 10000000000, 100000000000, 400000000000};
    static const uint64_t steps[] = {10, 3000, 70000, 1000000};
    struct lab draw = {.random = (uint64_t)_i + 1};
    struct roce_dcqcn p = {.line_rate = lines[_i % 4], .B_bytes = _i % 3 == 0 ? 20000 : 0,
                           .T_ns = _i % 5 == 0 ? 1500000 : 0, .g = _i % 7 == 0 ? ROCE_DCQCN_ONE / 16 : 0};
    ck_assert(roce_dcqcn_complete(&p));
    struct roce_rp rp = flow_of(&p);
    struct model m = model_of(&p);
    uint64_t now = 0;
    for (unsigned n = 0; n < 3000; n++) {
        now += lab_random(&draw, (uint32_t)steps[lab_random(&draw, 4)]);
        uint32_t bytes = 60 + lab_random(&draw, 4200);
        if (lab_random(&draw, 20) == 0) {
            roce_rp_cnp(&rp, &p, now);
            model_cnp(&m, now);
        } else {
            roce_rp_sent(&rp, &p, bytes, now);
            model_sent(&m, bytes, now);
        }
        expect_near(&rp, &m);
    }
    ck_assert(m.cut);
}
END_TEST

START_TEST(a_long_sleep_gives_what_looking_often_gives)
{
    struct roce_dcqcn p = defaults(10000000000);
    struct roce_rp often = flow_of(&p), once;
    for (unsigned i = 0; i < 12; i++)
        roce_rp_cnp(&often, &p, 5);
    once = often;
    uint64_t end = UINT64_C(3600000000000);
    for (uint64_t now = 5; now < 2000000000; now += 37003)
        roce_rp_advance(&often, &p, now);
    roce_rp_advance(&often, &p, end);
    roce_rp_advance(&once, &p, end);
    ck_assert_uint_eq(often.R_C, once.R_C);
    ck_assert_uint_eq(often.alpha, once.alpha);
    ck_assert_uint_eq(often.time_stage, once.time_stage);
    ck_assert_uint_eq(often.T_due_ns, once.T_due_ns);
    ck_assert_uint_eq(often.K_due_ns, once.K_due_ns);
    ck_assert_uint_eq(once.time_stage, (end - 5) / p.T_ns);
}
END_TEST

START_TEST(a_frame_takes_its_bits_at_the_rate_of_the_moment)
{
    static const uint64_t rates[] = {10000000, 1000000001, 9843750000, 400000000000};
    for (unsigned i = 0; i < 4; i++)
        for (uint32_t bytes = 30; bytes < 4300; bytes += 97) {
            struct roce_rp rp = {.R_C = rates[i]};
            double exact = ((bytes < 60 ? 60 : bytes) + 24) * 8e9 / (double)rates[i];
            ck_assert_double_le(fabs((double)roce_rp_gap(&rp, bytes) / 65536 - exact), 1.0 / 65536 + 1e-9 * exact);
        }
}
END_TEST

/* ---- On the wire --------------------------------------------------------------------------------- */

enum { PACKETS = 200, ECT_0 = 2 };

/* What left side 0, and the CNPs that left side 1. */
static struct {
    uint64_t at_ns[4 * PACKETS];
    unsigned sent, marked_every, cnps;
    uint64_t cnp_at_ns[PACKETS];
    uint8_t cnp[128], tos_of_data, tos_of_ack;
    size_t cnp_length;
} wire;

static uint8_t tos_of(const uint8_t *frame)
{
    const uint8_t *ip = frame + l3_of(frame);
    return ip[0] >> 4 == 4 ? ip[1] : (uint8_t)(ip[0] << 4 | ip[1] >> 4);
}

static enum fate watch(struct lab *lab, unsigned from, uint8_t *frame, size_t length)
{
    uint8_t opcode = smc_bth_opcode(bth_in(frame));
    if (opcode == SMC_BTH_CNP) {
        wire.cnp_at_ns[wire.cnps++ % PACKETS] = lab->now_ns;
        memcpy(wire.cnp, frame, length < sizeof(wire.cnp) ? length : sizeof(wire.cnp));
        wire.cnp_length = length;
    } else if (opcode == SMC_BTH_ACK) {
        wire.tos_of_ack = tos_of(frame);
    } else if (from == 0) {
        wire.tos_of_data = tos_of(frame);
        wire.at_ns[wire.sent++ % (4 * PACKETS)] = lab->now_ns;
        if (wire.marked_every > 0 && wire.sent % wire.marked_every == 0)
            mark_ce(frame);
    }
    return FATE_PASS;
}

static struct lab *open_marking(struct setup *setup, const struct roce_dcqcn *params, unsigned marked_every)
{
    memset(&wire, 0, sizeof(wire));
    wire.marked_every = marked_every;
    setup->ack_timeout = 14;
    struct lab *lab = lab_open(setup);
    lab->fate = watch;
    for (unsigned side = 0; side < SIDES && params != NULL; side++)
        ck_assert_int_eq(roce_set_dcqcn(lab->ends[side].roce, params), 0);
    return lab;
}

static void write_packets(struct lab *lab, unsigned packets)
{
    unsigned before = lab->ends[0].done_count;
    post_write(lab, 0, 1, 0, 0, packets * 1024);
    lab_settle(lab);
    expect_done(&lab->ends[0], before, 1, SMC_RDMA_WRITE, SMC_RDMA_SUCCESS);
}

START_TEST(it_is_off_at_first_and_then_nothing_is_said_of_congestion)
{
    struct setup setup = plain_setup();
    struct lab *lab = open_marking(&setup, NULL, 1);
    struct roce_dcqcn params;
    ck_assert(!roce_dcqcn_params(lab->ends[0].roce, &params));
    write_packets(lab, PACKETS);
    ck_assert_uint_eq(wire.tos_of_data, 0);
    ck_assert_uint_eq(wire.cnps, 0);
    ck_assert_uint_eq(roce_counters(lab->ends[1].roce)->ce_received, PACKETS);
    lab_close(lab);
}
END_TEST

START_TEST(requests_may_be_marked_and_answers_may_not)
{
    struct setup setup = plain_setup();
    struct roce_dcqcn p = {.cnp_dscp = 40};
    setup.config.dscp = 26;
    setup.ipv6 = _i == 1;
    setup.type = _i == 2 ? SMC_RDMA_GID_ROCE_V1 : SMC_RDMA_GID_ROCE_V2;
    struct lab *lab = open_marking(&setup, &p, 0);
    write_packets(lab, PACKETS);
    ck_assert_uint_eq(wire.sent, PACKETS);
    ck_assert_uint_eq(wire.tos_of_data, 26 << 2 | (_i == 2 ? 0 : ECT_0)); /* RoCEv1 has no IP header to mark */
    ck_assert_uint_eq(wire.tos_of_ack, 26 << 2);
    lab_close(lab);
}
END_TEST

START_TEST(marks_are_answered_at_most_once_each_N)
{
    struct setup setup = plain_setup();
    struct roce_dcqcn p = {.line_rate = 1000000000, .R_MIN = 1000000000}; /* it stays at 1 Gbit/s: 8.8 µs a packet */
    setup.ipv6 = _i == 1;
    struct lab *lab = open_marking(&setup, &p, 1);
    write_packets(lab, PACKETS);
    const struct roce_counters *np = roce_counters(lab->ends[1].roce), *rp = roce_counters(lab->ends[0].roce);
    ck_assert_uint_eq(np->ce_received, PACKETS);
    ck_assert_uint_eq(np->cnps_sent, wire.cnps);
    ck_assert_uint_eq(rp->cnps_received, wire.cnps);
    for (unsigned i = 1; i < wire.cnps; i++) {
        ck_assert_uint_ge(wire.cnp_at_ns[i] - wire.cnp_at_ns[i - 1], 50000);
        ck_assert_uint_le(wire.cnp_at_ns[i] - wire.cnp_at_ns[i - 1], 50000 + 9500); /* the next marked packet */
    }
    uint64_t took = wire.at_ns[PACKETS - 1] - wire.at_ns[0];
    ck_assert_uint_ge(wire.cnps, took / (50000 + 9500));
    ck_assert_uint_le(wire.cnps, took / 50000 + 1);
    lab_close(lab);
}
END_TEST

START_TEST(a_notification_has_the_form_of_the_annex)
{
    struct setup setup = plain_setup();
    struct roce_dcqcn p = {0};
    static const uint8_t zero[16];
    struct lab *lab = open_marking(&setup, &p, 1);
    write_packets(lab, 1);
    ck_assert_uint_eq(wire.cnps, 1);
    struct smc_bth bth = bth_in(wire.cnp);
    ck_assert_uint_eq(smc_bth_opcode(bth), 129);
    ck_assert_uint_eq(smc_bth_becn(bth), 1);
    ck_assert_uint_eq(smc_bth_psn(bth), 0);
    ck_assert_uint_eq(smc_bth_ackreq(bth), 0);
    ck_assert_uint_eq(smc_bth_solicited(bth), 0);
    ck_assert_uint_eq(smc_bth_pkey(bth), 0xffff);
    ck_assert_uint_eq(smc_bth_dqpn(bth), lab->ends[0].ops->qp_number(lab->ends[0].qp));
    ck_assert_uint_eq(tos_of(wire.cnp), 48 << 2);
    ck_assert_uint_eq(wire.cnp_length, bth_of(wire.cnp) + 12 + 16 + 4);
    ck_assert_mem_eq(wire.cnp + bth_of(wire.cnp) + 12, zero, 16);
    lab_close(lab);
}
END_TEST

static struct roce_flow flow_at(struct lab *lab, unsigned side)
{
    struct roce_flow flow;
    ck_assert(roce_get_flow(lab->ends[side].roce, 0, lab->now_ns, &flow));
    ck_assert(!roce_get_flow(lab->ends[side].roce, 1, lab->now_ns, &flow) || flow.qp_number != 0);
    return flow;
}

START_TEST(packets_leave_at_the_current_rate_and_the_rate_follows_the_equations)
{
    struct setup setup = plain_setup();
    struct roce_dcqcn p = defaults(100000000);
    struct lab *lab = open_marking(&setup, &p, 40);
    struct model m = model_of(&p);
    write_packets(lab, PACKETS);
    const double bits = (14 + 20 + 8 + 12 + 1024 + 4 + 24) * 8.0; /* the first has 16 more, a RETH */
    unsigned cnp = 0;
    double due = 0;
    for (unsigned i = 0; i < PACKETS; i++) {
        for (; cnp < wire.cnps && wire.cnp_at_ns[cnp] + HOP_NS <= wire.at_ns[i]; cnp++)
            model_cnp(&m, wire.cnp_at_ns[cnp] + HOP_NS);
        model_until(&m, wire.at_ns[i]);
        if (i > 0)
            ck_assert_double_le(fabs((double)wire.at_ns[i] - due), 2);
        due = (double)wire.at_ns[i] + (bits + (i == 0 ? 128 : 0)) * 1e9 / m.R_C;
        model_sent(&m, 1082, wire.at_ns[i]);
    }
    ck_assert_uint_eq(wire.cnps, PACKETS / 40);
    for (; cnp < wire.cnps; cnp++) /* for the last packet */
        model_cnp(&m, wire.cnp_at_ns[cnp] + HOP_NS);
    struct roce_flow flow = flow_at(lab, 0);
    model_until(&m, lab->now_ns);
    expect_near(&flow.rp, &m);
    ck_assert_uint_lt(flow.rp.R_C, p.line_rate);
    lab_close(lab);
}
END_TEST

START_TEST(turning_it_off_lets_packets_go_at_once)
{
    struct setup setup = plain_setup();
    struct roce_dcqcn p = {.line_rate = 10000000, .R_MIN = 1000000}, bad = {.cnp_dscp = 64};
    struct lab *lab = open_marking(&setup, &p, 0);
    ck_assert_int_eq(roce_set_dcqcn(lab->ends[0].roce, &bad), SMC_ERR_ARGUMENT);
    post_write(lab, 0, 1, 0, 0, 50 * 1024);
    lab_run_until(lab, lab->now_ns + 5000000);
    ck_assert_uint_lt(wire.sent, 8); /* 0.88 ms each */
    ck_assert_int_eq(roce_set_dcqcn(lab->ends[0].roce, NULL), 0);
    lab_run_until(lab, lab->now_ns + 100000);
    ck_assert_uint_eq(wire.sent, 50);
    lab_settle(lab);
    expect_done(&lab->ends[0], 0, 1, SMC_RDMA_WRITE, SMC_RDMA_SUCCESS);
    ck_assert_uint_eq(flow_at(lab, 0).rp.R_C, 0);
    lab_close(lab);
}
END_TEST

START_TEST(a_notification_of_wrong_length_is_dropped_and_one_that_nobody_asked_for_counted)
{
    struct setup setup = plain_setup();
    struct roce_dcqcn p = {0};
    struct lab *lab = open_marking(&setup, &p, 1);
    write_packets(lab, 1);
    uint64_t line = 10000000000, before = flow_at(lab, 0).rp.R_C;
    ck_assert_uint_lt(before, line);
    uint8_t *ip = wire.cnp + l3_of(wire.cnp);
    size_t length = wire.cnp_length - 4;
    smc_store_be(ip + 2, 2, smc_load_be(ip + 2, 2) - 4);
    smc_store_be(ip + 24, 2, smc_load_be(ip + 24, 2) - 4);
    mark_ce(wire.cnp); /* puts the checksum right */
    seal(wire.cnp, length);
    uint64_t received = roce_counters(lab->ends[0].roce)->cnps_received;
    uint64_t malformed = roce_counters(lab->ends[0].roce)->dropped_malformed;
    roce_frame(lab->ends[0].roce, 1, wire.cnp, length, lab->now_ns);
    ck_assert_uint_eq(roce_counters(lab->ends[0].roce)->cnps_received, received);
    ck_assert_uint_eq(roce_counters(lab->ends[0].roce)->dropped_malformed, malformed + 1);
    ck_assert_uint_eq(flow_at(lab, 0).rp.R_C, before);
    lab_close(lab);
}
END_TEST

START_TEST(a_notification_that_the_port_refuses_is_made_up_for)
{
    struct setup setup = plain_setup();
    struct roce_dcqcn p = {0};
    struct lab *lab = open_marking(&setup, &p, 1);
    lab->ends[1].wire.refuse = 1;
    post_write(lab, 0, 1, 0, 0, 10 * 1024);
    lab_settle(lab);
    ck_assert_uint_eq(roce_counters(lab->ends[1].roce)->cnps_sent, 1);
    ck_assert_uint_eq(wire.cnps, 1);
    lab_close(lab);
}
END_TEST

static Suite *dcqcn_suite(void)
{
    Suite *suite = suite_create("roce_dcqcn");
    TCase *tests = tcase_create("equations");
    tcase_add_test(tests, what_is_not_given_is_as_published);
    tcase_add_test(tests, values_out_of_range_are_refused);
    tcase_add_test(tests, a_first_notification_halves_the_rate_and_five_steps_lead_back);
    tcase_add_test(tests, without_notifications_alpha_falls_by_g_each_K);
    tcase_add_test(tests, behind_fast_recovery_the_target_rises_by_R_AI_and_with_both_counters_by_R_HAI);
    tcase_add_test(tests, the_rate_stays_between_R_MIN_and_line_rate);
    tcase_add_loop_test(tests, any_sequence_follows_the_equations_within_the_bound_of_rounding, 0, 40);
    tcase_add_test(tests, a_long_sleep_gives_what_looking_often_gives);
    tcase_add_test(tests, a_frame_takes_its_bits_at_the_rate_of_the_moment);
    suite_add_tcase(suite, tests);
    tests = tcase_create("wire");
    tcase_add_test(tests, it_is_off_at_first_and_then_nothing_is_said_of_congestion);
    tcase_add_loop_test(tests, requests_may_be_marked_and_answers_may_not, 0, 3);
    tcase_add_loop_test(tests, marks_are_answered_at_most_once_each_N, 0, 2);
    tcase_add_test(tests, a_notification_has_the_form_of_the_annex);
    tcase_add_test(tests, packets_leave_at_the_current_rate_and_the_rate_follows_the_equations);
    tcase_add_test(tests, turning_it_off_lets_packets_go_at_once);
    tcase_add_test(tests, a_notification_of_wrong_length_is_dropped_and_one_that_nobody_asked_for_counted);
    tcase_add_test(tests, a_notification_that_the_port_refuses_is_made_up_for);
    suite_add_tcase(suite, tests);
    return suite;
}
CHECK_MAIN(dcqcn_suite)
