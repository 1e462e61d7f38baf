/* What the tests of the RC tracker share: a listener that remembers, and packets.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRACE_QP_TEST_H
#define TRACE_QP_TEST_H

#include "qp_internal.h"

#include <check.h>
#include <stdlib.h>

/* For what is checked at every packet: a passing ck_assert() writes to a pipe. */
#define MUST(condition)                            \
    do {                                           \
        if (!(condition))                          \
            ck_abort_msg("%s", #condition);        \
    } while (0)

enum { QPN = 0x11, RKEY = 0x1234 };

/* ---- a listener that remembers ---- */

struct seen {
    struct trace_qp *t;
    struct trace_stream *stream;       /* of the last event */
    struct trace_request last;         /* the last request; its bytes are copied to `bytes` */
    uint8_t bytes[70000];
    unsigned opens, sends, writes, others, gaps, duplicates, acks, ends, headless;
    uint64_t gap_packets, ended[64];
    uint32_t gap_psn;
    void (*during_send)(struct trace_stream *s); /* what a listener does in the middle of a delivery */
    void (*check)(const struct trace_request *r, bool write);
};

static struct seen S;

static inline void on_open(void *ctx, struct trace_stream *s, const struct trace_packet *p)
{
    (void)ctx;
    MUST(trace_addr_equal(&s->src, &p->src) && trace_addr_equal(&s->dst, &p->dst));
    MUST(s->dqpn == p->roce.dqpn);
    S.opens++;
    S.stream = s;
}

static inline void remember(struct trace_stream *s, const struct trace_request *r)
{
    S.stream = s;
    S.last = *r;
    size_t n = smc_view_len(r->bytes);
    MUST(n <= r->len);
    if (n > 0)
        memcpy(S.bytes, r->bytes.p, n < sizeof S.bytes ? n : sizeof S.bytes);
    S.headless += r->headless;
}

static inline void on_send(void *ctx, struct trace_stream *s, const struct trace_request *r)
{
    (void)ctx;
    MUST(r->first && r->last);
    remember(s, r);
    S.sends++;
    if (S.check)
        S.check(r, false);
    if (S.during_send)
        S.during_send(s);
}

static inline void on_write(void *ctx, struct trace_stream *s, const struct trace_request *r)
{
    (void)ctx;
    remember(s, r);
    S.writes++;
    if (S.check)
        S.check(r, true);
}

static inline void on_other(void *ctx, struct trace_stream *s, const struct trace_request *r, uint8_t opcode)
{
    (void)ctx, (void)opcode;
    remember(s, r);
    S.others++;
}

static inline void on_gap(void *ctx, struct trace_stream *s, uint32_t psn, uint32_t n, uint64_t frame, uint64_t ts_ns)
{
    (void)ctx, (void)s, (void)frame, (void)ts_ns;
    MUST(n > 0);
    MUST(psn <= QP_PSN_MASK);
    S.gaps++;
    S.gap_packets += n;
    S.gap_psn = psn;
}

static inline void on_duplicate(void *ctx, struct trace_stream *s, const struct trace_packet *p)
{
    (void)ctx, (void)p;
    S.stream = s;
    S.duplicates++;
}

static inline void on_ack(void *ctx, struct trace_stream *s, const struct trace_packet *p)
{
    (void)ctx;
    MUST(trace_addr_equal(&s->src, &p->dst));
    S.stream = s;
    S.acks++;
}

static inline void on_end(void *ctx, struct trace_stream *s)
{
    (void)ctx;
    S.ended[S.ends++ % 64] = s->id;
}

static const struct trace_qp_events events = {on_open, on_send,      on_write, on_other,
                                              on_gap,  on_duplicate, on_ack,   on_end};

/* ---- packets: host 1 is the requester, host 2 the responder, unless `back` ---- */

static uint64_t frame_now, time_now;

static inline void setup(void)
{
    memset(&S, 0, sizeof S);
    frame_now = 0;
    time_now = UINT64_C(1700000000000000000);
    S.t = trace_qp_new(&events, NULL);
    ck_assert_ptr_nonnull(S.t);
}

static inline void teardown(void)
{
    trace_qp_free(S.t);
}

static inline struct trace_addr host(unsigned n)
{
    struct trace_addr a = {{0}};
    smc_store_be(a.b + 12, 4, n);
    return a;
}

static inline struct trace_packet packet(uint8_t opcode, uint32_t psn, const void *bytes, uint32_t len)
{
    struct trace_packet p = {.proto = TRACE_ROCE};
    p.raw.frame = ++frame_now;
    p.raw.ts_ns = time_now += 1000;
    p.src = host(1);
    p.dst = host(2);
    p.roce.opcode = opcode;
    p.roce.dqpn = QPN;
    p.roce.psn = psn & QP_PSN_MASK;
    p.roce.icrc = TRACE_ICRC_GOOD;
    p.payload = smc_view_of(bytes ? bytes : "", len);
    p.payload_wire_len = len;
    return p;
}

static inline void feed(const struct trace_packet *p)
{
    MUST(trace_qp_input(S.t, p) == 0);
}

static inline void request(uint8_t opcode, uint32_t psn, const void *bytes, uint32_t len)
{
    struct trace_packet p = packet(opcode, psn, bytes, len);
    feed(&p);
}

static inline void send_only(uint32_t psn)
{
    request(SMC_BTH_SEND_ONLY, psn, "message", 7);
}

static inline void write_first(uint8_t opcode, uint32_t psn, uint64_t va, uint32_t dma_length, uint32_t len)
{
    static const uint8_t zeros[4096];
    struct trace_packet p = packet(opcode, psn, zeros, len);
    p.roce.has_reth = true;
    p.roce.va = va;
    p.roce.rkey = RKEY;
    p.roce.dma_length = dma_length;
    feed(&p);
}

/* The request stream of host 2, which gives it a name that ACKs for host 1 travel under. */
static inline struct trace_packet back(uint8_t opcode, uint32_t psn)
{
    struct trace_packet p = packet(opcode, psn, "reply", 5);
    p.src = host(2);
    p.dst = host(1);
    p.roce.dqpn = QPN + 1;
    return p;
}

static inline void answer(unsigned kind, unsigned value, uint32_t psn)
{
    struct trace_packet p = back(SMC_BTH_ACK, psn);
    p.payload_wire_len = 0;
    p.payload.end = p.payload.p;
    p.roce.has_aeth = true;
    p.roce.aeth_kind = (uint8_t)kind;
    p.roce.aeth_value = (uint8_t)value;
    feed(&p);
}

static inline void ack(uint32_t psn)
{
    answer(0, 31, psn);
}

static inline void reply(uint32_t psn)
{
    struct trace_packet p = back(SMC_BTH_SEND_ONLY, psn);
    feed(&p);
}

static inline struct trace_stream *expect(unsigned from, unsigned to, uint32_t qpn, int64_t psn)
{
    struct trace_addr src = host(from), dst = host(to);
    struct trace_stream *s = trace_qp_expect(S.t, &src, &dst, qpn, psn);
    ck_assert_ptr_nonnull(s);
    return s;
}

typedef void (*add_fn)(TCase *c);

static inline int run_groups(const char *name, const add_fn *groups, const char *const *names, size_t n)
{
    Suite *suite = suite_create(name);
    for (size_t i = 0; i < n; i++) {
        TCase *c = tcase_create(names[i]);
        tcase_add_checked_fixture(c, setup, teardown);
        tcase_set_timeout(c, 60);
        groups[i](c);
        suite_add_tcase(suite, c);
    }
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
