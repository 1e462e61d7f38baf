/* RC queue pairs: every request once and in PSN order, whatever requesters, networks and captures do.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "qp_test.h"

enum { MTU = 256, PACKETS_MAX = 600, SEEDS = 50 };

static uint64_t rng;

static uint32_t below(uint32_t n)
{
    rng = rng * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return n ? (uint32_t)(rng >> 33) % n : 0;
}

/* What the requester sends: packet k has PSN initial + k. */
struct plan {
    uint8_t opcode;
    bool write, first, last;
    uint32_t message; /* index of its message's first packet */
    uint32_t len, dma_length;
    uint64_t va; /* of this packet's bytes */
    uint8_t bytes[MTU];
};

static struct plan plan[PACKETS_MAX];
static uint32_t planned, initial;
static bool captured[PACKETS_MAX]; /* in this run */
static uint32_t next_expected;     /* packet the listener must get next */
static unsigned whole_sends;

static uint8_t opcode_of(bool write, bool first, bool last)
{
    static const uint8_t sends[4] = {SMC_BTH_SEND_MIDDLE, SMC_BTH_SEND_LAST, SMC_BTH_SEND_FIRST, SMC_BTH_SEND_ONLY};
    static const uint8_t writes[4] = {SMC_BTH_WRITE_MIDDLE, SMC_BTH_WRITE_LAST, SMC_BTH_WRITE_FIRST,
                                      SMC_BTH_WRITE_ONLY};
    return (write ? writes : sends)[first * 2 + last];
}

static void plan_message(uint32_t from, uint32_t n)
{
    bool write = below(2);
    uint64_t va = (uint64_t)below(1 << 30) << 20;
    uint32_t tail = n == 1 ? below(MTU + 1) : 1 + below(MTU);
    for (uint32_t k = 0; k < n; k++) {
        struct plan *x = &plan[from + k];
        x->write = write;
        x->first = k == 0;
        x->last = k == n - 1;
        x->opcode = opcode_of(write, x->first, x->last);
        x->message = from;
        x->len = x->last ? tail : MTU;
        x->dma_length = (n - 1) * MTU + tail;
        x->va = va + k * MTU;
        uint8_t start = (uint8_t)below(256);
        for (uint32_t i = 0; i < x->len; i++)
            x->bytes[i] = (uint8_t)(start + 7 * i);
    }
}

static void make_plan(void)
{
    planned = 1 + below(PACKETS_MAX);
    for (uint32_t k = 0; k < planned;) {
        uint32_t n = below(2) ? 1 : 1 + below(12);
        n = n < planned - k ? n : planned - k;
        plan_message(k, n);
        k += n;
    }
    initial = below(2) ? QP_PSN_MASK - below(PACKETS_MAX) : below(QP_PSN_MASK);
    memset(captured, 0, sizeof captured);
    next_expected = 0;
    whole_sends = 0;
}

static void capture(uint32_t k)
{
    const struct plan *x = &plan[k];
    struct trace_packet p = packet(x->opcode, initial + k, x->bytes, x->len);
    if (x->write && x->first) {
        p.roce.has_reth = true;
        p.roce.va = x->va;
        p.roce.rkey = RKEY;
        p.roce.dma_length = x->dma_length;
    }
    captured[k] = true;
    feed(&p);
}

static void check_write(const struct plan *x, uint32_t k, const struct trace_request *r)
{
    MUST(x->write);
    MUST(r->first == x->first && r->last == x->last);
    MUST(r->len == x->len);
    MUST(memcmp(S.bytes, x->bytes, x->len) == 0);
    if (r->headless) {
        MUST(!captured[x->message]);
        return;
    }
    MUST(r->va == x->va);
    MUST(r->rkey == RKEY);
    MUST(r->dma_length == x->dma_length);
    MUST(k >= next_expected);
}

static bool all_captured(uint32_t from, uint32_t to)
{
    for (uint32_t k = from; k <= to; k++) {
        if (!captured[k])
            return false;
    }
    return true;
}

static void check_send(uint32_t k, const struct trace_request *r)
{
    const struct plan *x = &plan[k];
    MUST(!x->write && x->last);
    MUST(r->headless == (!all_captured(x->message, k)));
    if (r->headless)
        return;
    MUST(r->len == x->dma_length);
    for (uint32_t m = x->message; m <= k; m++)
        MUST(memcmp(S.bytes + (m - x->message) * MTU, plan[m].bytes, plan[m].len) == 0);
    whole_sends++;
}

/* Each request comes once, in order: the PSN of a write is the next captured one; a SEND's is its last packet. */
static void check_request(const struct trace_request *r, bool write)
{
    uint32_t k = qp_distance(r->psn, initial);
    MUST(k < planned);
    MUST(captured[k]);
    MUST(k >= next_expected);
    for (uint32_t m = next_expected; m < k; m++)
        MUST(!plan[m].write || !captured[m]); /* no captured write was left out */
    if (write)
        check_write(&plan[k], k, r);
    else
        check_send(k, r);
    next_expected = k + 1;
}

static unsigned sends_captured(void)
{
    unsigned n = 0;
    for (uint32_t k = 0; k < planned; k++)
        n += !plan[k].write && plan[k].last && all_captured(plan[k].message, k);
    return n;
}

static unsigned packets_captured(void)
{
    unsigned n = 0;
    for (uint32_t k = 0; k < planned; k++)
        n += captured[k];
    return n;
}

static void next_seed(uint64_t family, int group, int seed)
{
    teardown();
    setup();
    rng = family * 1000000 + (uint64_t)group * SEEDS + (uint64_t)seed;
    make_plan();
    S.check = check_request;
}

/* Packets are lost before the point of capture; the responder says NAK, the requester goes back. Some packets
 * change places on the way. */
static void go_back_n(void)
{
    for (uint32_t k = 0; k < planned; k++) {
        if (below(8) == 0) { /* k is lost; some behind it arrive in vain */
            uint32_t ahead = 1 + below(30);
            for (uint32_t m = k + 1; m <= k + ahead && m < planned; m++)
                capture(m);
            answer(3, 0, initial + k);
        } else if (below(8) == 0 && k + 1 < planned) {
            capture(k + 1);
        }
        capture(k);
        if (below(10) == 0) { /* the ACK was lost: again from somewhat before */
            uint32_t from = k - below(k < 20 ? k + 1 : 20);
            for (uint32_t m = from; m <= k; m++)
                capture(m);
        }
        if (below(5) == 0)
            ack(initial + k);
    }
}

START_TEST(every_request_comes_once_whatever_the_network_did)
{
    for (int seed = 0; seed < SEEDS; seed++) {
        next_seed(0, _i, seed);
        expect(1, 2, QPN, initial);
        go_back_n();
        ck_assert_uint_eq(S.stream->requests, planned);
        ck_assert_uint_eq(next_expected, planned);
        ck_assert_uint_eq(whole_sends, sends_captured());
        ck_assert_uint_eq(S.gaps, 0);
        ck_assert_uint_eq(S.headless, 0);
        ck_assert_uint_eq(S.t->held_bytes, 0);
    }
}
END_TEST

/* Frames are missing from the capture, though the responder got and acknowledged them. */
START_TEST(frames_missing_from_the_capture_are_gaps)
{
    for (int seed = 0; seed < SEEDS; seed++) {
        next_seed(1, _i, seed);
        expect(1, 2, QPN, initial);
        S.check = NULL;
        reply(7); /* so that the two are paired */
        S.check = check_request;
        for (uint32_t k = 0; k < planned; k++) {
            if (below(6) != 0 || k == planned - 1)
                capture(k);
            if (below(6) == 0)
                ack(initial + k);
        }
        unsigned got = packets_captured();
        trace_qp_finish(S.t);
        ck_assert_uint_eq(S.gap_packets, planned - got);
        ck_assert_uint_eq(next_expected, planned - (plan[planned - 1].last ? 0 : 1));
        ck_assert_uint_eq(whole_sends, sends_captured());
        ck_assert_uint_eq(S.ends, 2);
    }
}
END_TEST

START_TEST(a_capture_may_begin_in_the_middle)
{
    for (int seed = 0; seed < SEEDS; seed++) {
        next_seed(2, _i, seed);
        next_expected = below(planned);
        for (uint32_t k = next_expected; k < planned; k++)
            capture(k);
        ck_assert_uint_eq(S.stream->requests, packets_captured());
        ck_assert_uint_eq(whole_sends, sends_captured());
        ck_assert_uint_eq(S.gaps, 0);
    }
}
END_TEST

static void restart_somewhere(struct trace_stream *s)
{
    struct trace_addr src = host(1), dst = host(2);
    if (below(4) == 0)
        trace_qp_expect(S.t, &src, &dst, QPN + below(3), below(100));
    else if (below(4) == 0)
        trace_qp_expect(S.t, &s->src, &s->dst, s->dqpn, below(100));
    else if (below(4) == 0)
        trace_qp_pair(s, trace_qp_find(S.t, &dst, &src, QPN + 1));
}

START_TEST(noise_does_no_harm)
{
    static uint8_t bytes[MTU];
    for (int seed = 0; seed < 4; seed++) {
        next_seed(3, _i, seed);
        S.check = NULL;
        S.during_send = restart_somewhere;
        for (int i = 0; i < 3000; i++) {
            struct trace_packet p = packet((uint8_t)below(26), below(60), bytes, below(MTU));
            p.roce.psn += below(20) ? 0 : below(QP_PSN_MASK - 100);
            p.roce.dqpn += below(3);
            p.roce.has_reth = p.roce.has_aeth = p.roce.has_imm = true;
            p.roce.dma_length = below(3000);
            p.roce.aeth_kind = (uint8_t)below(4);
            p.roce.opcode = below(100) ? p.roce.opcode : (uint8_t)below(256);
            if (below(3) == 0) {
                p.src = host(2);
                p.dst = host(1);
            }
            if (below(10) == 0)
                p.roce.icrc = TRACE_ICRC_BAD;
            feed(&p);
        }
        ck_assert_uint_gt(S.sends, 0);
        trace_qp_finish(S.t);
        ck_assert_uint_gt(S.ends, 0);
        ck_assert_uint_eq(S.t->held_bytes, 0);
        ck_assert_uint_eq(S.t->count, 0);
        ck_assert_uint_eq(S.t->table.used, 0);
        ck_assert_uint_eq(S.t->peers.used, 0);
    }
}
END_TEST

static void add_properties(TCase *c)
{
    tcase_add_loop_test(c, every_request_comes_once_whatever_the_network_did, 0, 8);
    tcase_add_loop_test(c, frames_missing_from_the_capture_are_gaps, 0, 8);
    tcase_add_loop_test(c, a_capture_may_begin_in_the_middle, 0, 4);
    tcase_add_loop_test(c, noise_does_no_harm, 0, 4);
}

int main(void)
{
    const add_fn groups[] = {add_properties};
    const char *const names[] = {"properties"};
    return run_groups("qp random", groups, names, 1);
}
