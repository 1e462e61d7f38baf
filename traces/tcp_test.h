/* What the tests of the TCP tracker share: a listener that remembers, and packets.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRACE_TCP_TEST_H
#define TRACE_TCP_TEST_H

#include "tcp_internal.h"

#include <check.h>
#include <stdlib.h>

/* For what is checked at every packet: a passing ck_assert() writes to a pipe. */
#define MUST(condition)                            \
    do {                                           \
        if (!(condition))                          \
            ck_abort_msg("%s", #condition);        \
    } while (0)

enum { CLIENT_PORT = 40000, SERVER_PORT = 5000 };

/* ---- a listener that remembers ---- */

struct seen {
    struct trace_tcp *t;
    struct trace_flow *flow; /* of the last event */
    uint8_t *bytes[2];       /* what was delivered, at its place; gaps stay zero */
    uint8_t *have[2];
    size_t cap;
    uint64_t delivered[2], gap_bytes[2], length[2];
    unsigned segments, duplicates, gaps[2], fins[2], rsts[2], ends;
    uint64_t last_data_frame, fin_frame[2], ended[64];
    bool count_only_at_data, swap_at_segment;
};

static inline void on_segment(void *ctx, struct trace_flow *f, int dir, const struct trace_packet *p, bool duplicate)
{
    struct seen *s = ctx;
    MUST(trace_addr_equal(&f->addr[dir], &p->src));
    MUST(f->port[dir] == p->tcp.sport);
    s->flow = f;
    s->segments++;
    s->duplicates += duplicate;
    if (s->swap_at_segment)
        trace_tcp_swap_roles(s->t, f);
    s->swap_at_segment = false;
}

static inline void on_data(void *ctx, struct trace_flow *f, int dir, struct smc_view bytes, uint64_t frame, uint64_t ts_ns)
{
    struct seen *s = ctx;
    size_t n = smc_view_len(bytes);
    MUST(n > 0);
    MUST(ts_ns > 0);
    MUST(f->bytes[dir] == s->delivered[dir] + s->gap_bytes[dir] + n);
    if (s->length[dir] + n <= s->cap) {
        memcpy(s->bytes[dir] + s->length[dir], bytes.p, n);
        memset(s->have[dir] + s->length[dir], 1, n);
    }
    s->length[dir] += n;
    s->delivered[dir] += n;
    s->last_data_frame = frame;
    if (s->count_only_at_data)
        trace_tcp_count_only(s->t, f);
}

static inline void on_gap(void *ctx, struct trace_flow *f, int dir, uint64_t n, uint64_t frame, uint64_t ts_ns)
{
    struct seen *s = ctx;
    (void)frame, (void)ts_ns;
    MUST(f->gap[dir]);
    MUST(n > 0);
    s->gaps[dir]++;
    s->gap_bytes[dir] += n;
    s->length[dir] += n;
}

static inline void on_fin(void *ctx, struct trace_flow *f, int dir, uint64_t frame, uint64_t ts_ns)
{
    struct seen *s = ctx;
    (void)ts_ns;
    MUST(f->fin[dir]);
    s->fins[dir]++;
    s->fin_frame[dir] = frame;
}

static inline void on_rst(void *ctx, struct trace_flow *f, int dir, uint64_t frame, uint64_t ts_ns)
{
    struct seen *s = ctx;
    (void)frame, (void)ts_ns;
    MUST(f->rst[dir]);
    s->rsts[dir]++;
}

static inline void on_end(void *ctx, struct trace_flow *f)
{
    struct seen *s = ctx;
    s->ended[s->ends++ % 64] = f->id;
}

static const struct trace_tcp_events events = {on_segment, on_data, on_gap, on_fin, on_rst, on_end};

static inline void seen_init(struct seen *s, size_t cap)
{
    *s = (struct seen){.cap = cap};
    for (int dir = 0; dir < 2; dir++) {
        s->bytes[dir] = calloc(1, cap + 1);
        s->have[dir] = calloc(1, cap + 1);
    }
    s->t = trace_tcp_new(&events, s);
    ck_assert_ptr_nonnull(s->t);
}

static inline void seen_free(struct seen *s)
{
    trace_tcp_free(s->t);
    for (int dir = 0; dir < 2; dir++) {
        free(s->bytes[dir]);
        free(s->have[dir]);
    }
}

/* ---- packets ---- */

enum { SYN = 1, FIN = 2, RST = 4, ACK = 8 };

struct shot {
    int dir;
    unsigned flags;
    uint32_t seq, ack;
    const void *bytes;
    uint32_t len, captured; /* captured 0: all of it */
};

static uint64_t frame_now;
static uint64_t time_now;

static inline void reset_clock(void)
{
    frame_now = 0;
    time_now = UINT64_C(1700000000000000000);
}

static inline struct trace_packet packet_of(const struct shot *x)
{
    struct trace_packet p = {.proto = TRACE_TCP};
    bool c2s = x->dir == TRACE_C2S;
    p.raw.frame = ++frame_now;
    p.raw.ts_ns = time_now += 1000;
    p.src.b[15] = c2s ? 1 : 2;
    p.dst.b[15] = c2s ? 2 : 1;
    p.tcp.sport = c2s ? CLIENT_PORT : SERVER_PORT;
    p.tcp.dport = c2s ? SERVER_PORT : CLIENT_PORT;
    p.tcp.seq = x->seq;
    p.tcp.ack = x->ack;
    p.tcp.syn = x->flags & SYN;
    p.tcp.fin = x->flags & FIN;
    p.tcp.rst = x->flags & RST;
    p.tcp.has_ack = x->flags & ACK;
    p.payload_wire_len = x->len;
    p.payload = smc_view_of(x->bytes ? x->bytes : "", x->captured ? x->captured : x->len);
    p.cut = x->captured != 0;
    return p;
}

static inline void shoot(struct seen *s, struct shot x)
{
    struct trace_packet p = packet_of(&x);
    MUST(trace_tcp_input(s->t, &p) == 0);
}

#define TEXT(x) .bytes = (x), .len = sizeof(x) - 1

/* Client 1000, server 9000; afterwards the client's next is 1001, the server's 9001. */
static inline void handshake(struct seen *s)
{
    shoot(s, (struct shot){TRACE_C2S, SYN, 1000, 0, .bytes = NULL});
    shoot(s, (struct shot){TRACE_S2C, SYN | ACK, 9000, 1001, .bytes = NULL});
    shoot(s, (struct shot){TRACE_C2S, ACK, 1001, 9001, .bytes = NULL});
}

static struct seen S;

static inline void setup(void)
{
    reset_clock();
    seen_init(&S, 1 << 16);
}

static inline void teardown(void)
{
    seen_free(&S);
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
