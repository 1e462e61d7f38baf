/* TCP tracking: every byte once and in order, whatever networks and captures do.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "tcp_test.h"

enum { STREAM_MAX = 6000 };

static uint64_t rng;

/* The next seed of a property, with a fresh tracker. (Several seeds a process: forking costs more than a seed.) */
enum { SEEDS = 50 };

static void next_seed(uint64_t family, int group, int seed)
{
    teardown();
    setup();
    rng = family * 1000000 + (uint64_t)group * SEEDS + (uint64_t)seed;
}

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

static void add_properties(TCase *c)
{
    tcase_add_loop_test(c, every_byte_comes_once_whatever_the_network_did, 0, 8);
    tcase_add_loop_test(c, lost_and_cut_frames_leave_gaps_of_the_right_size_at_the_right_place, 0, 8);
    tcase_add_loop_test(c, a_capture_may_begin_in_the_middle, 0, 2);
    tcase_add_loop_test(c, noise_does_no_harm, 0, 2);
}

int main(void)
{
    const add_fn groups[] = {add_properties};
    const char *const names[] = {"properties"};
    return run_groups("tcp random", groups, names, 1);
}
