/* TCP tracking: every byte once and in order, whatever the network and the capture did.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_internal.h"

#include <check.h>
#include <stdlib.h>

/* For what is checked at every packet: a passing ck_assert() writes to a pipe. */
#define MUST(condition)                            \
    do {                                           \
        if (!(condition))                          \
            ck_abort_msg("%s", #condition);        \
    } while (0)

enum { CLIENT_PORT = 40000, SERVER_PORT = 5000, STREAM_MAX = 6000 };

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

static void on_segment(void *ctx, struct trace_flow *f, int dir, const struct trace_packet *p, bool duplicate)
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

static void on_data(void *ctx, struct trace_flow *f, int dir, struct smc_view bytes, uint64_t frame, uint64_t ts_ns)
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

static void on_gap(void *ctx, struct trace_flow *f, int dir, uint64_t n, uint64_t frame, uint64_t ts_ns)
{
    struct seen *s = ctx;
    (void)frame, (void)ts_ns;
    MUST(f->gap[dir]);
    MUST(n > 0);
    s->gaps[dir]++;
    s->gap_bytes[dir] += n;
    s->length[dir] += n;
}

static void on_fin(void *ctx, struct trace_flow *f, int dir, uint64_t frame, uint64_t ts_ns)
{
    struct seen *s = ctx;
    (void)ts_ns;
    MUST(f->fin[dir]);
    s->fins[dir]++;
    s->fin_frame[dir] = frame;
}

static void on_rst(void *ctx, struct trace_flow *f, int dir, uint64_t frame, uint64_t ts_ns)
{
    struct seen *s = ctx;
    (void)frame, (void)ts_ns;
    MUST(f->rst[dir]);
    s->rsts[dir]++;
}

static void on_end(void *ctx, struct trace_flow *f)
{
    struct seen *s = ctx;
    s->ended[s->ends++ % 64] = f->id;
}

static const struct trace_tcp_events events = {on_segment, on_data, on_gap, on_fin, on_rst, on_end};

static void seen_init(struct seen *s, size_t cap)
{
    *s = (struct seen){.cap = cap};
    for (int dir = 0; dir < 2; dir++) {
        s->bytes[dir] = calloc(1, cap + 1);
        s->have[dir] = calloc(1, cap + 1);
    }
    s->t = trace_tcp_new(&events, s);
    ck_assert_ptr_nonnull(s->t);
}

static void seen_free(struct seen *s)
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

static uint64_t rng;
static uint64_t frame_now;
static uint64_t time_now;

static void reset_clock(void)
{
    frame_now = 0;
    time_now = UINT64_C(1700000000000000000);
}

static struct trace_packet packet_of(const struct shot *x)
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

static void shoot(struct seen *s, struct shot x)
{
    struct trace_packet p = packet_of(&x);
    MUST(trace_tcp_input(s->t, &p) == 0);
}

#define TEXT(x) .bytes = (x), .len = sizeof(x) - 1

/* Client 1000, server 9000; afterwards the client's next is 1001, the server's 9001. */
static void handshake(struct seen *s)
{
    shoot(s, (struct shot){TRACE_C2S, SYN, 1000, 0, .bytes = NULL});
    shoot(s, (struct shot){TRACE_S2C, SYN | ACK, 9000, 1001, .bytes = NULL});
    shoot(s, (struct shot){TRACE_C2S, ACK, 1001, 9001, .bytes = NULL});
}

static struct seen S;

static void setup(void)
{
    reset_clock();
    seen_init(&S, 1 << 16);
}

static void teardown(void)
{
    seen_free(&S);
}

/* The next seed of a property, with a fresh tracker. (Several seeds a process: forking costs more than a seed.) */
enum { SEEDS = 50 };

static void next_seed(uint64_t family, int group, int seed)
{
    teardown();
    setup();
    rng = family * 1000000 + (uint64_t)group * SEEDS + (uint64_t)seed;
}

/* ---- random networks ---- */

static uint32_t below(uint32_t n)
{
    rng = rng * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return n ? (uint32_t)(rng >> 33) % n : 0;
}

struct sent {
    struct shot shot;
    uint32_t from; /* offset in the stream */
    uint32_t key;  /* place in the capture */
};

static int by_key(const void *a, const void *b)
{
    const struct sent *x = a;
    const struct sent *y = b;
    return x->key < y->key ? -1 : x->key > y->key;
}

/* Cuts a stream into segments, sends some of them (or parts of them) again, and displaces them. */
static size_t network(struct sent *out, size_t max, const uint8_t *stream, uint32_t len, uint32_t isn, uint32_t jitter)
{
    size_t n = 0;
    for (uint32_t off = 0; off < len && n + 2 < max;) {
        uint32_t size = 1 + below(below(4) ? 100 : 1400);
        if (size > len - off)
            size = len - off;
        uint32_t at = (uint32_t)n * 10;
        out[n++] = (struct sent){{TRACE_C2S, ACK, isn + 1 + off, 9001, stream + off, size, 0}, off, at + below(jitter)};
        if (below(4) == 0) { /* again: from somewhat before, to somewhat behind */
            uint32_t from = off - below(off < 300 ? off + 1 : 300);
            uint32_t to = off + size + below(300);
            to = to < len ? to : len;
            out[n++] = (struct sent){
                {TRACE_C2S, ACK, isn + 1 + from, 9001, stream + from, to - from, 0}, from, at + below(2 * jitter + 1)};
        }
        off += size;
    }
    qsort(out, n, sizeof *out, by_key);
    return n;
}

static void random_bytes(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(1 + below(255)); /* never zero: zero marks a gap */
}

static void open_at(struct seen *s, uint32_t isn)
{
    shoot(s, (struct shot){TRACE_C2S, SYN, isn, 0, .bytes = NULL});
    shoot(s, (struct shot){TRACE_S2C, SYN | ACK, 9000, isn + 1, .bytes = NULL});
}

static uint32_t some_isn(void)
{
    return below(2) ? UINT32_MAX - below(STREAM_MAX) : below(UINT32_C(1) << 31) * 2;
}

static void network_once(void)
{
    static uint8_t stream[STREAM_MAX];
    static struct sent sent[STREAM_MAX];
    uint32_t isn = some_isn();
    uint32_t len = 1 + below(STREAM_MAX);
    random_bytes(stream, len);
    size_t n = network(sent, STREAM_MAX, stream, len, isn, 1 + below(200));
    open_at(&S, isn);
    uint32_t have = 0; /* what a receiver has who gets what we capture */
    static uint8_t got[STREAM_MAX];
    memset(got, 0, sizeof got);
    for (size_t i = 0; i < n; i++) {
        shoot(&S, sent[i].shot);
        memset(got + sent[i].from, 1, sent[i].shot.len);
        while (have < len && got[have])
            have++;
        if (below(3) == 0)
            shoot(&S, (struct shot){TRACE_S2C, ACK, 9001, isn + 1 + have, .bytes = NULL});
        MUST(S.delivered[TRACE_C2S] == have);
    }
    shoot(&S, (struct shot){TRACE_C2S, FIN | ACK, isn + 1 + len, 9001, .bytes = NULL});
    MUST(S.delivered[TRACE_C2S] == len);
    MUST(memcmp(S.bytes[TRACE_C2S], stream, len) == 0);
    MUST(S.gaps[TRACE_C2S] == 0);
    MUST(S.fins[TRACE_C2S] == 1);
}

START_TEST(every_byte_comes_once_whatever_the_network_did)
{
    for (int seed = 0; seed < SEEDS; seed++) {
        next_seed(0, _i, seed);
        network_once();
    }
}
END_TEST

/* Frames are missing from the capture, though the receiver got and acknowledged them; others are cut. */
static void lossy_once(void)
{
    static uint8_t stream[STREAM_MAX], expect[STREAM_MAX], have[STREAM_MAX];
    static struct sent sent[STREAM_MAX];
    uint32_t isn = some_isn();
    uint32_t len = 1 + below(STREAM_MAX);
    uint32_t snap = below(3) ? 0 : 20 + below(200);
    random_bytes(stream, len);
    memset(have, 0, sizeof have);
    size_t n = network(sent, STREAM_MAX, stream, len, isn, 1 + below(60));
    open_at(&S, isn);
    for (size_t i = 0; i < n; i++) {
        struct shot x = sent[i].shot;
        if (below(5) == 0)
            continue; /* lost */
        if (snap && snap < x.len)
            x.captured = snap;
        shoot(&S, x);
        /* the first copy wins, and what was cut off from it is lost */
        for (uint32_t k = 0; k < x.len; k++) {
            uint8_t *h = &have[sent[i].from + k];
            if (!*h)
                *h = x.captured && k >= x.captured ? 2 : 1;
        }
    }
    shoot(&S, (struct shot){TRACE_C2S, FIN | ACK, isn + 1 + len, 9001, .bytes = NULL});
    shoot(&S, (struct shot){TRACE_S2C, ACK, 9001, isn + 2 + len, .bytes = NULL});
    uint64_t total = 0;
    for (uint32_t k = 0; k < len; k++) {
        expect[k] = have[k] == 1 ? stream[k] : 0;
        total += have[k] == 1;
    }
    MUST(S.length[TRACE_C2S] == len);
    MUST(S.delivered[TRACE_C2S] == total);
    MUST(memcmp(S.bytes[TRACE_C2S], expect, len) == 0);
    MUST(S.fins[TRACE_C2S] == 1);
    MUST((S.gaps[TRACE_C2S] > 0) == (total < len));
}

START_TEST(lost_and_cut_frames_leave_gaps_of_the_right_size_at_the_right_place)
{
    for (int seed = 0; seed < SEEDS; seed++) {
        next_seed(1, _i, seed);
        lossy_once();
    }
}
END_TEST

/* Both directions at once, from the middle, without a SYN: all bytes from the first one seen. */
static void late_once(void)
{
    static uint8_t stream[STREAM_MAX];
    static struct sent sent[STREAM_MAX];
    uint32_t isn = some_isn();
    uint32_t len = 500 + below(STREAM_MAX - 500);
    random_bytes(stream, len);
    size_t n = network(sent, STREAM_MAX, stream, len, isn, 1);
    size_t first = below((uint32_t)n);
    uint32_t from = sent[first].from;
    for (size_t i = first; i < n; i++) {
        struct shot back = {TRACE_S2C, ACK, 9001 + (uint32_t)(i - first) * 4, 5, TEXT("pong")};
        shoot(&S, sent[i].shot);
        shoot(&S, back);
    }
    /* a retransmission may reach back before the first byte seen: not ours to deliver */
    MUST(S.delivered[TRACE_C2S] == len - from);
    MUST(memcmp(S.bytes[TRACE_C2S], stream + from, len - from) == 0);
    MUST(S.delivered[TRACE_S2C] == (n - first) * 4);
    MUST(S.gaps[TRACE_C2S] + S.gaps[TRACE_S2C] == 0);
    MUST(!S.flow->roles_known);
}

START_TEST(a_capture_may_begin_in_the_middle)
{
    for (int seed = 0; seed < SEEDS; seed++) {
        next_seed(2, _i, seed);
        late_once();
    }
}
END_TEST

static void noise_once(void)
{
    static uint8_t bytes[1500];
    random_bytes(bytes, sizeof bytes);
    for (int i = 0; i < 2000; i++) {
        uint32_t base = below(4) ? 0 : below(1000) * 4194304;
        struct shot x = {(int)below(2), 0, base + below(3000), base + below(3000), bytes, 0, 0};
        x.flags = below(3) ? ACK : below(16);
        x.len = below(3) ? below(1400) : 0;
        if (x.len > 1 && below(4) == 0)
            x.captured = 1 + below(x.len - 1);
        S.count_only_at_data = below(300) == 0;
        S.swap_at_segment = below(50) == 0;
        if (below(100) == 0)
            time_now += UINT64_C(70000000000);
        struct trace_packet p = packet_of(&x);
        /* the length bookkeeping of on_data holds for one flow only */
        struct trace_tcp_events quiet = {on_segment, NULL, NULL, NULL, NULL, on_end};
        if (i == 0)
            S.t->ev = quiet;
        MUST(trace_tcp_input(S.t, &p) == 0);
    }
    trace_tcp_finish(S.t);
    MUST(S.ends > 0);
    MUST(S.t->held_bytes == 0);
    MUST(S.t->flows == 0);
}

START_TEST(noise_does_no_harm)
{
    for (int seed = 0; seed < SEEDS; seed++) {
        next_seed(3, _i, seed);
        noise_once();
    }
}
END_TEST

/* ---- order ---- */

START_TEST(the_first_copy_of_a_byte_wins)
{
    handshake(&S);
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1004, 9001, TEXT("DEF")});
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1003, 9001, TEXT("cdefg")});
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1001, 9001, TEXT("12345678")});
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1001, 9001, TEXT("........9")});
    ck_assert_str_eq((char *)S.bytes[TRACE_C2S], "12cDEFg89");
    ck_assert_uint_eq(S.gaps[TRACE_C2S], 0);
}
END_TEST

START_TEST(data_names_the_frame_that_carried_it)
{
    handshake(&S);
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1004, 9001, TEXT("def")}); /* frame 4 */
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1001, 9001, TEXT("abc")});
    ck_assert_uint_eq(S.last_data_frame, 4);
}
END_TEST

START_TEST(a_keepalive_probe_is_no_data)
{
    handshake(&S);
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1001, 9001, TEXT("abc")});
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1003, 9001, TEXT("?")});
    ck_assert_uint_eq(S.duplicates, 1);
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1003, 9001, .bytes = NULL});
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1004, 9001, TEXT("d")});
    ck_assert_str_eq((char *)S.bytes[TRACE_C2S], "abcd");
}
END_TEST

START_TEST(a_capture_may_begin_with_a_keepalive_probe)
{
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1000, 9001, .bytes = NULL});
    shoot(&S, (struct shot){TRACE_S2C, ACK, 9001, 1001, .bytes = NULL});
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1001, 9001, TEXT("abc")});
    ck_assert_str_eq((char *)S.bytes[TRACE_C2S], "abc");
    ck_assert_uint_eq(S.gaps[TRACE_C2S], 0);
}
END_TEST

START_TEST(an_ack_captured_before_its_data_opens_no_gap)
{
    handshake(&S);
    shoot(&S, (struct shot){TRACE_S2C, ACK, 9001, 1004, TEXT("ok")});
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1001, 9003, TEXT("abc")});
    ck_assert_str_eq((char *)S.bytes[TRACE_C2S], "abc");
    ck_assert_uint_eq(S.gaps[TRACE_C2S], 0);
}
END_TEST

START_TEST(a_hole_that_was_acknowledged_is_a_gap)
{
    handshake(&S);
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1004, 9001, TEXT("def")});
    shoot(&S, (struct shot){TRACE_S2C, ACK, 9001, 1001, .bytes = NULL});
    ck_assert_uint_eq(S.length[TRACE_C2S], 0);
    shoot(&S, (struct shot){TRACE_S2C, ACK, 9001, 1003, .bytes = NULL}); /* a part of it: the third byte may come */
    ck_assert_uint_eq(S.gap_bytes[TRACE_C2S], 2);
    ck_assert_uint_eq(S.delivered[TRACE_C2S], 0);
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1001, 9001, TEXT("abc")});
    ck_assert_uint_eq(S.gap_bytes[TRACE_C2S], 2);
    ck_assert_mem_eq(S.bytes[TRACE_C2S], "\0\0cdef", 6);
}
END_TEST

START_TEST(lost_last_bytes_show_in_the_senders_next_ack)
{
    handshake(&S);
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1001, 9069, TEXT("confirm")}); /* 68 bytes of the server are lost */
    ck_assert_uint_eq(S.gaps[TRACE_S2C], 0);
    shoot(&S, (struct shot){TRACE_S2C, ACK, 9069, 1008, .bytes = NULL});
    ck_assert_uint_eq(S.gap_bytes[TRACE_S2C], 68);
    ck_assert_uint_eq(S.flow->bytes[TRACE_S2C], 68);
}
END_TEST

START_TEST(lost_last_bytes_show_at_the_end_at_the_latest)
{
    handshake(&S);
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1001, 9069, TEXT("confirm")});
    trace_tcp_finish(S.t);
    ck_assert_uint_eq(S.gap_bytes[TRACE_S2C], 68);
    ck_assert_uint_eq(S.ends, 1);
}
END_TEST

START_TEST(what_waits_behind_a_hole_comes_at_the_end)
{
    handshake(&S);
    shoot(&S, (struct shot){TRACE_C2S, ACK | FIN, 1004, 9001, TEXT("def")});
    trace_tcp_finish(S.t);
    ck_assert_mem_eq(S.bytes[TRACE_C2S], "\0\0\0def", 6);
    ck_assert_uint_eq(S.gap_bytes[TRACE_C2S], 3);
    ck_assert_uint_eq(S.fins[TRACE_C2S], 1);
}
END_TEST

START_TEST(bytes_far_outside_any_window_are_ignored)
{
    handshake(&S);
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1001 + (UINT32_C(3) << 29), 9001, TEXT("junk")});
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1001, 9001, TEXT("abc")});
    trace_tcp_finish(S.t);
    ck_assert_uint_eq(S.length[TRACE_C2S], 3);
}
END_TEST

START_TEST(a_fast_open_carries_data_in_its_syn)
{
    shoot(&S, (struct shot){TRACE_C2S, SYN, 1000, 0, TEXT("early")});
    shoot(&S, (struct shot){TRACE_S2C, SYN | ACK, 9000, 1006, .bytes = NULL});
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1006, 9001, TEXT("late")});
    ck_assert_str_eq((char *)S.bytes[TRACE_C2S], "earlylate");
    ck_assert_uint_eq(S.ends, 0);
}
END_TEST

/* ---- beginnings and ends ---- */

START_TEST(a_repeated_syn_is_a_duplicate)
{
    shoot(&S, (struct shot){TRACE_C2S, SYN, 1000, 0, .bytes = NULL});
    shoot(&S, (struct shot){TRACE_C2S, SYN, 1000, 0, .bytes = NULL});
    ck_assert_uint_eq(S.duplicates, 1);
    shoot(&S, (struct shot){TRACE_S2C, SYN | ACK, 9000, 1001, .bytes = NULL});
    shoot(&S, (struct shot){TRACE_S2C, SYN | ACK, 9000, 1001, .bytes = NULL});
    ck_assert_uint_eq(S.duplicates, 2);
    ck_assert(S.flow->syn_seen[0] && S.flow->syn_seen[1] && S.flow->roles_known);
    ck_assert_uint_eq(S.flow->id, 1);
}
END_TEST

START_TEST(the_lower_port_is_guessed_to_be_the_servers)
{
    shoot(&S, (struct shot){TRACE_S2C, ACK, 9001, 1001, TEXT("x")});
    ck_assert_uint_eq(S.flow->port[TRACE_C2S], CLIENT_PORT);
    ck_assert_uint_eq(S.delivered[TRACE_S2C], 1);
    ck_assert(!S.flow->roles_known);
}
END_TEST

START_TEST(a_late_syn_corrects_guessed_roles)
{
    /* the low port is the client's: guessed wrongly */
    shoot(&S, (struct shot){TRACE_S2C, ACK, 9001, 1001, .bytes = NULL});
    ck_assert_uint_eq(S.flow->port[TRACE_C2S], CLIENT_PORT);
    shoot(&S, (struct shot){TRACE_S2C, SYN, 9000, 0, .bytes = NULL});
    ck_assert_uint_eq(S.ends, 0);
    ck_assert_uint_eq(S.flow->port[TRACE_C2S], SERVER_PORT);
    ck_assert(S.flow->roles_known && S.flow->syn_seen[TRACE_C2S]);
}
END_TEST

START_TEST(guessed_roles_can_be_exchanged_in_the_middle_of_a_packet)
{
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1001, 9001, TEXT("ab")});
    ck_assert_uint_eq(S.delivered[TRACE_C2S], 2);
    S.delivered[TRACE_S2C] = 2; /* so that on_data()'s own arithmetic follows the exchange */
    S.delivered[TRACE_C2S] = 0;
    S.swap_at_segment = true;
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1003, 9001, TEXT("cd")});
    ck_assert_uint_eq(S.delivered[TRACE_S2C], 4);
    ck_assert_uint_eq(S.flow->bytes[TRACE_S2C], 4);
    ck_assert_uint_eq(S.flow->port[TRACE_S2C], CLIENT_PORT);
    trace_tcp_swap_roles(S.t, S.flow);
    ck_assert_uint_eq(S.flow->bytes[TRACE_C2S], 4);
}
END_TEST

START_TEST(known_roles_are_not_exchanged)
{
    handshake(&S);
    trace_tcp_swap_roles(S.t, S.flow);
    ck_assert_uint_eq(S.flow->port[TRACE_C2S], CLIENT_PORT);
}
END_TEST

START_TEST(a_new_syn_on_old_ports_is_a_new_flow)
{
    handshake(&S);
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1001, 9001, TEXT("abc")});
    shoot(&S, (struct shot){TRACE_C2S, SYN, 777000, 0, .bytes = NULL});
    ck_assert_uint_eq(S.ends, 1);
    ck_assert_uint_eq(S.ended[0], 1);
    ck_assert_uint_eq(S.flow->id, 2);
    ck_assert_uint_eq(S.flow->bytes[TRACE_C2S], 0);
}
END_TEST

START_TEST(a_new_syn_ack_shows_a_new_flow_whose_syn_was_lost)
{
    handshake(&S);
    shoot(&S, (struct shot){TRACE_S2C, SYN | ACK, 555000, 777001, .bytes = NULL});
    ck_assert_uint_eq(S.ends, 1);
    ck_assert_uint_eq(S.flow->id, 2);
    /* the SYN-ACK says where the client's stream begins, so a lost first segment is a gap */
    shoot(&S, (struct shot){TRACE_C2S, ACK, 777003, 555001, TEXT("c")});
    shoot(&S, (struct shot){TRACE_S2C, ACK, 555001, 777004, .bytes = NULL});
    ck_assert_uint_eq(S.gap_bytes[TRACE_C2S], 2);
}
END_TEST

START_TEST(a_late_syn_is_not_a_new_flow)
{
    shoot(&S, (struct shot){TRACE_S2C, SYN | ACK, 9000, 1001, .bytes = NULL});
    shoot(&S, (struct shot){TRACE_C2S, SYN, 1000, 0, .bytes = NULL});
    ck_assert_uint_eq(S.ends, 0);
    ck_assert(S.flow->syn_seen[0] && S.flow->syn_seen[1]);
}
END_TEST

START_TEST(both_may_open_at_once)
{
    shoot(&S, (struct shot){TRACE_C2S, SYN, 1000, 0, .bytes = NULL});
    shoot(&S, (struct shot){TRACE_S2C, SYN, 9000, 0, .bytes = NULL});
    shoot(&S, (struct shot){TRACE_C2S, SYN | ACK, 1000, 9001, .bytes = NULL});
    shoot(&S, (struct shot){TRACE_S2C, SYN | ACK, 9000, 1001, .bytes = NULL});
    shoot(&S, (struct shot){TRACE_S2C, ACK, 9001, 1001, TEXT("ab")});
    ck_assert_uint_eq(S.ends, 0);
    ck_assert_uint_eq(S.delivered[TRACE_S2C], 2);
    ck_assert_uint_eq(S.flow->port[TRACE_C2S], CLIENT_PORT);
}
END_TEST

START_TEST(a_fin_waits_for_the_bytes_before_it)
{
    handshake(&S);
    shoot(&S, (struct shot){TRACE_C2S, ACK | FIN, 1004, 9001, TEXT("def")}); /* frame 4 */
    ck_assert_uint_eq(S.fins[TRACE_C2S], 0);
    shoot(&S, (struct shot){TRACE_C2S, ACK | FIN, 1004, 9001, TEXT("def")});
    ck_assert_uint_eq(S.duplicates, 1);
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1001, 9001, TEXT("abc")});
    ck_assert_uint_eq(S.fins[TRACE_C2S], 1);
    ck_assert_uint_eq(S.fin_frame[TRACE_C2S], 4);
    shoot(&S, (struct shot){TRACE_C2S, ACK | FIN, 1007, 9001, .bytes = NULL});
    ck_assert_uint_eq(S.fins[TRACE_C2S], 1);
    ck_assert_uint_eq(S.duplicates, 2);
}
END_TEST

START_TEST(nothing_comes_behind_a_fin)
{
    handshake(&S);
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1003, 9001, TEXT("cdefg")});
    shoot(&S, (struct shot){TRACE_C2S, ACK | FIN, 1005, 9001, .bytes = NULL});
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1001, 9001, TEXT("ab")});
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1006, 9001, TEXT("xyz")});
    shoot(&S, (struct shot){TRACE_S2C, ACK, 9001, 1009, .bytes = NULL});
    trace_tcp_finish(S.t);
    ck_assert_uint_eq(S.fins[TRACE_C2S], 1);
    ck_assert_uint_eq(S.gaps[TRACE_C2S], 0);
    ck_assert_str_eq((char *)S.bytes[TRACE_C2S], "abcdefg");
}
END_TEST

START_TEST(a_reset_is_reported_once_a_side)
{
    handshake(&S);
    for (int i = 0; i < 3; i++)
        shoot(&S, (struct shot){TRACE_C2S, RST | ACK, 1001, 9001, .bytes = NULL});
    shoot(&S, (struct shot){TRACE_S2C, RST, 9001, 0, TEXT("reason")});
    ck_assert_uint_eq(S.rsts[TRACE_C2S], 1);
    ck_assert_uint_eq(S.rsts[TRACE_S2C], 1);
    ck_assert_uint_eq(S.duplicates, 2);
    ck_assert_uint_eq(S.length[TRACE_S2C], 0);
}
END_TEST

static void close_both(void)
{
    shoot(&S, (struct shot){TRACE_C2S, ACK | FIN, 1001, 9001, .bytes = NULL});
    shoot(&S, (struct shot){TRACE_S2C, ACK | FIN, 9001, 1002, .bytes = NULL});
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1002, 9002, .bytes = NULL});
}

/* A packet of another connection, s seconds later. */
static void later(unsigned s)
{
    struct shot x = {TRACE_C2S, SYN, 5, 0, .bytes = NULL};
    struct trace_packet p = packet_of(&x);
    p.src.b[0] = 77;
    p.raw.ts_ns = time_now += s * UINT64_C(1000000000);
    MUST(trace_tcp_input(S.t, &p) == 0);
}

START_TEST(a_closed_flow_is_forgotten_after_ten_seconds)
{
    handshake(&S);
    if (_i == 0)
        close_both();
    else
        shoot(&S, (struct shot){TRACE_S2C, RST, 9001, 0, .bytes = NULL});
    later(9);
    ck_assert_uint_eq(S.ends, 0);
    later(2);
    ck_assert_uint_eq(S.ends, 1);
    ck_assert_uint_eq(S.ended[0], 1);
}
END_TEST

START_TEST(a_flow_whose_last_fin_was_not_captured_is_closed_too)
{
    handshake(&S);
    shoot(&S, (struct shot){TRACE_C2S, ACK | FIN, 1001, 9001, .bytes = NULL});
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1002, 9002, .bytes = NULL}); /* acknowledges a FIN nobody saw */
    shoot(&S, (struct shot){TRACE_S2C, ACK, 9002, 1002, .bytes = NULL});
    later(11);
    ck_assert_uint_eq(S.ends, 1);
    ck_assert_uint_eq(S.gaps[TRACE_S2C], 0);
}
END_TEST

START_TEST(of_closed_flows_the_last_2048_are_kept)
{
    struct trace_tcp_events quiet = {.end = on_end};
    S.t->ev = quiet;
    for (uint32_t i = 0; i < 2048 + 50; i++) {
        struct shot x = {TRACE_C2S, RST, 5, 0, .bytes = NULL};
        struct trace_packet p = packet_of(&x);
        smc_store_be(p.src.b, 4, i);
        MUST(trace_tcp_input(S.t, &p) == 0);
    }
    later(0);
    ck_assert_uint_eq(S.ends, 50);
    for (unsigned i = 0; i < 50; i++)
        ck_assert_uint_eq(S.ended[i], i + 1);
}
END_TEST

START_TEST(an_open_flow_is_not_forgotten)
{
    handshake(&S);
    shoot(&S, (struct shot){TRACE_C2S, ACK | FIN, 1001, 9001, .bytes = NULL});
    later(3600);
    ck_assert_uint_eq(S.ends, 0);
    shoot(&S, (struct shot){TRACE_S2C, ACK, 9001, 1002, TEXT("still here")});
    ck_assert_uint_eq(S.delivered[TRACE_S2C], 10);
}
END_TEST

START_TEST(flows_end_in_order_of_id)
{
    struct shot x = {TRACE_C2S, SYN, 5, 0, .bytes = NULL};
    for (int i = 0; i < 60; i++) {
        struct trace_packet p = packet_of(&x);
        p.src.b[3] = (uint8_t)(i * 37);
        MUST(trace_tcp_input(S.t, &p) == 0);
    }
    trace_tcp_finish(S.t);
    ck_assert_uint_eq(S.ends, 60);
    for (unsigned i = 0; i < 60; i++)
        ck_assert_uint_eq(S.ended[i], i + 1);
}
END_TEST

/* ---- counting only ---- */

START_TEST(a_flow_nobody_reads_is_counted)
{
    handshake(&S);
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1004, 9001, TEXT("def")}); /* waits */
    trace_tcp_count_only(S.t, S.flow);
    ck_assert_uint_eq(S.t->held_bytes, 0);
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1001, 9001, TEXT("abc")});
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1010, 9001, TEXT("jk")}); /* three are still under way */
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1007, 9001, TEXT("ghi")});
    shoot(&S, (struct shot){TRACE_C2S, ACK | FIN, 1012, 9001, TEXT("l")});
    ck_assert_uint_eq(S.flow->bytes[TRACE_C2S], 12);
    ck_assert_uint_eq(S.fins[TRACE_C2S], 1);
    trace_tcp_finish(S.t);
    ck_assert_uint_eq(S.delivered[TRACE_C2S], 0);
    ck_assert_uint_eq(S.gaps[TRACE_C2S], 0);
}
END_TEST

START_TEST(a_listener_may_lose_interest_in_the_middle_of_a_delivery)
{
    handshake(&S);
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1004, 9001, TEXT("de")});
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1008, 9001, TEXT("hi")});
    S.count_only_at_data = true;
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1001, 9001, .bytes = "abcdefghijk", .len = 11, .captured = 10});
    ck_assert_uint_eq(S.delivered[TRACE_C2S], 3);
    ck_assert_uint_eq(S.flow->bytes[TRACE_C2S], 11);
    shoot(&S, (struct shot){TRACE_C2S, RST, 1012, 0, .bytes = NULL});
    ck_assert_uint_eq(S.rsts[TRACE_C2S], 1);
    ck_assert_uint_eq(S.gaps[TRACE_C2S], 0);
}
END_TEST

/* ---- bounds ---- */

START_TEST(a_flood_behind_a_hole_is_let_through)
{
    static uint8_t bytes[1000];
    uint32_t step = _i == 0 ? 1000 : 2; /* in a row, or a byte here and there */
    uint32_t len = _i == 0 ? 1000 : 1;
    handshake(&S);
    for (uint32_t k = 0; k < 40000; k++) {
        shoot(&S, (struct shot){TRACE_C2S, ACK, 1002 + k * step, 9001, bytes, len, 0});
        MUST(S.t->held_bytes <= TRACE_TCP_HOLD_BYTES);
    }
    ck_assert_uint_gt(S.delivered[TRACE_C2S], 0);
    trace_tcp_finish(S.t);
    ck_assert_uint_eq(S.delivered[TRACE_C2S], 40000 * len);
    ck_assert_uint_eq(S.t->held_bytes, 0);
}
END_TEST

START_TEST(all_flows_together_keep_a_bounded_amount)
{
    static uint8_t bytes[60000];
    struct trace_tcp_events quiet = {.end = on_end};
    S.t->ev = quiet;
    for (int flow = 0; flow < 100; flow++) {
        for (uint32_t k = 0; k < 18; k++) {
            struct shot x = {TRACE_C2S, ACK, k == 0 ? 1 : 10 + k * 60000, 0, bytes, k == 0 ? 1 : 60000, 0};
            struct trace_packet p = packet_of(&x);
            p.src.b[3] = (uint8_t)flow;
            MUST(trace_tcp_input(S.t, &p) == 0);
            MUST(S.t->held_bytes <= (size_t)64 << 20);
        }
    }
    ck_assert_uint_gt(S.t->held_bytes, (size_t)60 << 20);
    trace_tcp_finish(S.t);
    ck_assert_uint_eq(S.ends, 100);
}
END_TEST

START_TEST(beyond_the_limit_the_flow_idle_longest_is_forgotten)
{
    handshake(&S);                            /* flow 1 */
    later(0);                                 /* flow 2 */
    shoot(&S, (struct shot){TRACE_C2S, ACK, 1001, 9001, TEXT("busy")});
    S.t->flows = TRACE_TCP_MAX_FLOWS;         /* as if there were so many */
    struct shot x = {TRACE_C2S, SYN, 5, 0, .bytes = NULL};
    struct trace_packet p = packet_of(&x);
    p.src.b[1] = 5;
    ck_assert_int_eq(trace_tcp_input(S.t, &p), 0);
    ck_assert_uint_eq(S.ends, 1);
    ck_assert_uint_eq(S.ended[0], 2);
    ck_assert_uint_eq(S.t->flows, TRACE_TCP_MAX_FLOWS);
}
END_TEST

START_TEST(many_flows_are_told_apart)
{
    enum { FLOWS = 5000 };
    struct trace_tcp_events quiet = {.end = on_end};
    S.t->ev = quiet;
    for (int round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < FLOWS; i++) {
            struct shot x = {round == 1 ? TRACE_S2C : TRACE_C2S, ACK, 1 + (uint32_t)round, 0, TEXT("x")};
            struct trace_packet p = packet_of(&x);
            uint8_t *far = round == 1 ? p.dst.b : p.src.b;
            smc_store_be(far + 4, 4, i);
            MUST(trace_tcp_input(S.t, &p) == 0);
            MUST(S.t->last->pub.id == i + 1);
        }
    }
    ck_assert_uint_eq(S.t->flows, FLOWS);
    for (uint32_t i = 0; i < FLOWS; i += 2) { /* every other one ends; the rest must still be found */
        struct shot x = {TRACE_C2S, SYN, 70000, 0, .bytes = NULL};
        struct trace_packet p = packet_of(&x);
        smc_store_be(p.src.b + 4, 4, i);
        MUST(trace_tcp_input(S.t, &p) == 0);
        ck_assert_uint_gt(S.t->last->pub.id, FLOWS);
    }
    for (uint32_t i = 1; i < FLOWS; i += 2) {
        struct shot x = {TRACE_C2S, ACK, 70000, 0, .bytes = NULL};
        struct trace_packet p = packet_of(&x);
        smc_store_be(p.src.b + 4, 4, i);
        MUST(trace_tcp_input(S.t, &p) == 0);
        ck_assert_uint_eq(S.t->last->pub.id, i + 1);
    }
    ck_assert_uint_eq(S.ends, FLOWS / 2);
}
END_TEST

static void add_order(TCase *c)
{
    tcase_add_loop_test(c, every_byte_comes_once_whatever_the_network_did, 0, 8);
    tcase_add_loop_test(c, lost_and_cut_frames_leave_gaps_of_the_right_size_at_the_right_place, 0, 8);
    tcase_add_loop_test(c, a_capture_may_begin_in_the_middle, 0, 2);
    tcase_add_loop_test(c, noise_does_no_harm, 0, 2);
    tcase_add_test(c, the_first_copy_of_a_byte_wins);
    tcase_add_test(c, data_names_the_frame_that_carried_it);
    tcase_add_test(c, a_keepalive_probe_is_no_data);
    tcase_add_test(c, a_capture_may_begin_with_a_keepalive_probe);
    tcase_add_test(c, an_ack_captured_before_its_data_opens_no_gap);
    tcase_add_test(c, a_hole_that_was_acknowledged_is_a_gap);
    tcase_add_test(c, lost_last_bytes_show_in_the_senders_next_ack);
    tcase_add_test(c, lost_last_bytes_show_at_the_end_at_the_latest);
    tcase_add_test(c, what_waits_behind_a_hole_comes_at_the_end);
    tcase_add_test(c, bytes_far_outside_any_window_are_ignored);
    tcase_add_test(c, a_fast_open_carries_data_in_its_syn);
}

static void add_life(TCase *c)
{
    tcase_add_test(c, a_repeated_syn_is_a_duplicate);
    tcase_add_test(c, the_lower_port_is_guessed_to_be_the_servers);
    tcase_add_test(c, a_late_syn_corrects_guessed_roles);
    tcase_add_test(c, guessed_roles_can_be_exchanged_in_the_middle_of_a_packet);
    tcase_add_test(c, known_roles_are_not_exchanged);
    tcase_add_test(c, a_new_syn_on_old_ports_is_a_new_flow);
    tcase_add_test(c, a_new_syn_ack_shows_a_new_flow_whose_syn_was_lost);
    tcase_add_test(c, a_late_syn_is_not_a_new_flow);
    tcase_add_test(c, both_may_open_at_once);
    tcase_add_test(c, a_fin_waits_for_the_bytes_before_it);
    tcase_add_test(c, nothing_comes_behind_a_fin);
    tcase_add_test(c, a_reset_is_reported_once_a_side);
    tcase_add_loop_test(c, a_closed_flow_is_forgotten_after_ten_seconds, 0, 2);
    tcase_add_test(c, a_flow_whose_last_fin_was_not_captured_is_closed_too);
    tcase_add_test(c, of_closed_flows_the_last_2048_are_kept);
    tcase_add_test(c, an_open_flow_is_not_forgotten);
    tcase_add_test(c, flows_end_in_order_of_id);
}

static void add_bounds(TCase *c)
{
    tcase_add_test(c, a_flow_nobody_reads_is_counted);
    tcase_add_test(c, a_listener_may_lose_interest_in_the_middle_of_a_delivery);
    tcase_add_loop_test(c, a_flood_behind_a_hole_is_let_through, 0, 2);
    tcase_add_test(c, all_flows_together_keep_a_bounded_amount);
    tcase_add_test(c, beyond_the_limit_the_flow_idle_longest_is_forgotten);
    tcase_add_test(c, many_flows_are_told_apart);
}

int main(void)
{
    Suite *suite = suite_create("tcp");
    void (*const groups[])(TCase *) = {add_order, add_life, add_bounds};
    const char *const names[] = {"order", "beginnings and ends", "bounds"};
    for (size_t i = 0; i < 3; i++) {
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
