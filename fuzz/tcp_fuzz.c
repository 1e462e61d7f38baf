/* Fuzz target: TCP reassembly. The input is a list of segments; every byte of a stream comes at most once, in order.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * A segment: direction and flags (1 byte: FUZZ_TCP_*), flow (1), sequence number and ACK relative to the flow's start
 * (2 each, big endian, signed), captured length (1), bytes that the snap length cut off (1), the bytes. */
#include "fuzz.h"

#include "traces/tcp.h"
#include <string.h>

enum { SEGMENT_HEADER = 8, FLOWS = 4 };
enum { SERVER = 0x01, SYN = 0x02, FIN = 0x04, RST = 0x08, ACK = 0x10, LATE = 0x20, COUNT_ONLY = 0x40, SWAP = 0x80 };

struct stream {
    struct trace_tcp *tcp;
    struct trace_flow *last; /* the flow of the last event, while it lives */
    unsigned live;
    uint64_t passed; /* bytes delivered or given as gaps in this run */
    uint64_t sent;   /* bytes put in */
};

static void on_segment(void *ctx, struct trace_flow *f, int dir, const struct trace_packet *p, bool duplicate)
{
    struct stream *s = ctx;
    FUZZ_REQUIRE((dir == TRACE_C2S || dir == TRACE_S2C) && p->proto == TRACE_TCP);
    (void)duplicate;
    if (f->user == NULL) {
        f->user = s;
        s->live++;
    }
    s->last = f;
}

static void on_data(void *ctx, struct trace_flow *f, int dir, struct smc_view bytes, uint64_t frame, uint64_t ts_ns)
{
    struct stream *s = ctx;
    uint8_t sum = 0;
    FUZZ_REQUIRE(f->user == s && smc_view_len(bytes) > 0 && frame > 0 && ts_ns > 0);
    for (const uint8_t *p = bytes.p; p < bytes.end; p++) /* the sanitizer sees whether they can be read */
        sum ^= *p;
    s->passed += smc_view_len(bytes) + (sum & 0u);
    FUZZ_REQUIRE(s->passed <= s->sent && f->bytes[dir] > 0);
}

static void on_gap(void *ctx, struct trace_flow *f, int dir, uint64_t n, uint64_t frame, uint64_t ts_ns)
{
    (void)n;
    (void)frame;
    (void)ts_ns;
    FUZZ_REQUIRE(f->user == ctx && f->gap[dir]);
}

static void on_end(void *ctx, struct trace_flow *f)
{
    struct stream *s = ctx;
    if (f->user == s)
        s->live--;
    if (s->last == f)
        s->last = NULL;
}

static struct trace_packet segment(const uint8_t *p, struct smc_view payload, uint64_t frame)
{
    bool server = p[0] & SERVER;
    struct trace_packet packet = {.proto = TRACE_TCP, .payload = payload};
    struct trace_addr client = {{[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1}}, host = client;
    host.b[15] = 2;
    uint16_t port = (uint16_t)(40000 + p[1] % FLOWS);
    packet.raw.frame = frame;
    packet.raw.ts_ns = frame * (p[0] & LATE ? UINT64_C(10000000000) : UINT64_C(1000000));
    packet.src = server ? host : client;
    packet.dst = server ? client : host;
    packet.tcp = (struct trace_tcp_header){
        .sport = server ? 5000 : port, .dport = server ? port : 5000,
        .syn = p[0] & SYN, .fin = p[0] & FIN, .rst = p[0] & RST, .has_ack = p[0] & ACK, .window = 1000};
    packet.tcp.seq = (server ? 0xffffff00u : 0x7fffff00u) + (uint32_t)(int16_t)smc_load_be(p + 2, 2);
    packet.tcp.ack = (server ? 0x7fffff00u : 0xffffff00u) + (uint32_t)(int16_t)smc_load_be(p + 4, 2);
    packet.payload_wire_len = (uint32_t)smc_view_len(payload) + p[7];
    packet.cut = p[7] != 0;
    return packet;
}

static size_t feed(struct stream *s, const uint8_t *p, size_t left, uint64_t frame)
{
    size_t n = p[6] < left - SEGMENT_HEADER ? p[6] : left - SEGMENT_HEADER;
    struct trace_packet packet = segment(p, smc_view_of(p + SEGMENT_HEADER, n), frame);
    s->sent += n;
    FUZZ_REQUIRE(trace_tcp_input(s->tcp, &packet) == 0);
    if (s->last && (p[0] & (COUNT_ONLY | SWAP)) == COUNT_ONLY)
        trace_tcp_count_only(s->tcp, s->last);
    if (s->last && (p[0] & (COUNT_ONLY | SWAP)) == SWAP && !s->last->roles_known)
        trace_tcp_swap_roles(s->tcp, s->last);
    return SEGMENT_HEADER + n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct trace_tcp_events events = {
        .segment = on_segment, .data = on_data, .gap = on_gap, .end = on_end};
    struct stream s = {.live = 0};
    uint64_t frame = 0;
    s.tcp = trace_tcp_new(&events, &s);
    FUZZ_REQUIRE(s.tcp != NULL);
    for (size_t at = 0; size - at >= SEGMENT_HEADER;)
        at += feed(&s, data + at, size - at, ++frame);
    trace_tcp_finish(s.tcp);
    FUZZ_REQUIRE(s.live == 0);
    trace_tcp_free(s.tcp);
    return 0;
}
