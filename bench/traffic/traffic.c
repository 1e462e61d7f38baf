/* Makes a large capture out of small real ones: many host pairs, each with one link group and connection after connection.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Use: bench_traffic OUT MEGABYTES LANES PAUSE_MS FIRST.pcap NEXT.pcap...
 *
 * FIRST holds a first contact; each NEXT a later connection over the same link group, whole, with the packets uncut.
 * A lane is a pair of hosts with addresses and MACs of its own. It plays FIRST once and then NEXT after NEXT in
 * turn, until the file is large enough, each to its end; all lanes at once, mixed by time. In each connection the ports, TCP sequence
 * numbers, alert tokens and rkeys are new, PSNs and MSNs go on where they were; checksums and ICRCs are right. The
 * same arguments give the same bytes. */
#include "traces/reader.h"
#include "traces/writer.h"
#include "wire/cdc_layouts.h"
#include "wire/clc_layouts.h"
#include "wire/icrc.h"
#include "wire/llc_layouts.h"

#include <libdeflate.h>
#include <stdlib.h>

enum { MAX_NEXT = 16, MAX_LANES = 250, FRAME_MAX = 2048, PSN_SPACE = 1 << 24, RKEY_STEP = 0x1000, TOKEN_STEP = 0x40 };

/* One direction of a scene: requests of a host (0: 10.0.0.1, 1: 10.0.0.2) and ACKs of the other. */
struct numbers {
    bool used;
    uint32_t first_psn, next_psn; /* of requests */
    uint32_t first_msn, last_msn; /* in the ACKs of these requests */
};

struct frame {
    uint64_t ts_ns; /* since the scene's beginning */
    uint32_t n;
    uint8_t b[FRAME_MAX];
};

struct scene {
    size_t n;
    struct frame *frames;
    struct numbers numbers[2];
};

struct lane {
    unsigned id;
    uint64_t start_ns;      /* of the scene being played */
    unsigned round;         /* 0: FIRST */
    const struct scene *scene; /* NULL: done */
    size_t at;              /* frame to come */
    uint32_t psn[2], msn[2];/* where the scene began */
};

static void die(const char *what)
{
    fprintf(stderr, "bench_traffic: %s\n", what);
    exit(2);
}

/* ---- reading ---- */

static int host_of(const struct trace_addr *a)
{
    return a->b[15] == 2;
}

static void note_numbers(struct scene *s, const struct trace_packet *p)
{
    if (p->proto != TRACE_ROCE)
        return;
    if (p->roce.icrc != TRACE_ICRC_GOOD)
        die("a RoCE packet is cut or broken");
    int ack = p->roce.opcode == SMC_BTH_ACK;
    struct numbers *x = &s->numbers[host_of(&p->src) ^ ack];
    if (!ack && !x->used)
        *x = (struct numbers){true, p->roce.psn, p->roce.psn, 0, 0};
    if (!ack && (p->roce.psn - x->next_psn) % PSN_SPACE < PSN_SPACE / 2)
        x->next_psn = (p->roce.psn + 1) % PSN_SPACE;
    if (ack && x->first_msn == 0)
        x->first_msn = p->roce.msn;
    if (ack)
        x->last_msn = p->roce.msn;
}

static struct scene load(const char *path)
{
    char error[1024];
    struct trace_reader *r = trace_reader_open(path, error, sizeof error);
    struct scene s = {0};
    struct trace_raw raw;
    struct trace_packet p;
    uint64_t start = 0;
    if (r == NULL)
        die(error);
    while (trace_reader_next(r, &raw) == TRACE_READ_PACKET) {
        trace_packet_decode(&raw, true, &p);
        if (p.proto != TRACE_TCP && p.proto != TRACE_ROCE)
            continue; /* ARP */
        if (s.n % 64 == 0)
            s.frames = realloc(s.frames, (s.n + 64) * sizeof *s.frames);
        if (s.frames == NULL || smc_view_len(raw.bytes) > FRAME_MAX)
            die("memory is short, or a frame too long");
        if (s.n == 0)
            start = raw.ts_ns;
        struct frame *f = &s.frames[s.n++];
        f->ts_ns = raw.ts_ns - start;
        f->n = (uint32_t)smc_view_len(raw.bytes);
        memcpy(f->b, raw.bytes.p, f->n);
        note_numbers(&s, &p);
    }
    trace_reader_close(r);
    if (s.n == 0 || !s.numbers[0].used || !s.numbers[1].used)
        die("no SMC-R in both directions");
    return s;
}

/* ---- changing a frame ---- */

/* Addresses 10.0.0.x and MACs 52:54:00:00:.. become the lane's, wherever they stand in the headers and in CLC and LLC. */
static void move_hosts(const struct lane *l, uint8_t *p, size_t n)
{
    static const uint8_t mac[4] = {0x52, 0x54, 0, 0}, gid[9] = {0, 0, 0xff, 0xff, 10, 0, 0, 0};
    for (size_t i = 0; i + 8 <= n; i++) {
        if (memcmp(p + i, mac, sizeof mac) == 0)
            p[i + 3] = (uint8_t)l->id;
        if (memcmp(p + i, gid, 7) == 0)
            p[i + 5] = (uint8_t)l->id;
    }
}

static uint32_t moved_rkey(const struct lane *l, uint32_t rkey)
{
    return rkey != 0 ? rkey + l->round * RKEY_STEP : 0;
}

static void change_clc(const struct lane *l, uint8_t *p, size_t n)
{
    struct smc_clc_accept_r h;
    if (!smc_clc_accept_r_at(smc_view_of(p, n), 0, &h) || (p[4] != SMC_CLC_ACCEPT && p[4] != SMC_CLC_CONFIRM))
        return;
    smc_clc_accept_r_put_rkey(p, moved_rkey(l, smc_clc_accept_r_rkey(h)));
    smc_clc_accept_r_put_token(p, smc_clc_accept_r_token(h) + l->round * TOKEN_STEP);
}

static void change_message(const struct lane *l, uint8_t *p, size_t n)
{
    struct smc_cdc cdc;
    if (n < 44)
        return;
    if (p[0] == 0xfe && smc_cdc_at(smc_view_of(p, n), 0, &cdc))
        smc_cdc_put_token(p, smc_cdc_token(cdc) + l->round * TOKEN_STEP);
    if ((p[0] & 0x0f) == SMC_LLC_CONFIRM_RKEY) /* the rkey of its own link; the group has but one */
        smc_store_be(p + 5, 4, moved_rkey(l, (uint32_t)smc_load_be(p + 5, 4)));
    if ((p[0] & 0x0f) == SMC_LLC_DELETE_RKEY && !(p[3] & 0x80))
        smc_store_be(p + 8, 4, moved_rkey(l, (uint32_t)smc_load_be(p + 8, 4)));
}

static uint16_t sum(const uint8_t *p, size_t n, uint32_t start)
{
    for (; n > 1; p += 2, n -= 2)
        start += (uint32_t)(p[0] << 8 | p[1]);
    if (n == 1)
        start += (uint32_t)p[0] << 8;
    while (start >> 16)
        start = (start & 0xffff) + (start >> 16);
    return (uint16_t)~start;
}

static void change_tcp(const struct lane *l, struct trace_packet *p, uint8_t *ip, size_t n)
{
    uint8_t *tcp = ip + 20;
    uint32_t shift[2] = {l->round * 0x01234567u, l->round * 0x00fedcbau};
    int from = host_of(&p->src);
    struct smc_tcp h = {tcp};
    if (from == 0)
        smc_tcp_put_sport(tcp, (uint16_t)(10000 + (p->tcp.sport + l->round) % 50000));
    else
        smc_tcp_put_dport(tcp, (uint16_t)(10000 + (p->tcp.dport + l->round) % 50000));
    smc_tcp_put_seq(tcp, p->tcp.seq + shift[from]);
    if (smc_tcp_ack(h))
        smc_tcp_put_ack_seq(tcp, p->tcp.ack + shift[!from]);
    size_t header = (size_t)smc_tcp_data_offset(h) * 4;
    change_clc(l, tcp + header, n - 20 - header);
    smc_tcp_put_checksum(tcp, 0);
    uint32_t pseudo = (uint32_t)(6 + n - 20);
    for (size_t i = 12; i < 20; i += 2)
        pseudo += (uint32_t)smc_load_be(ip + i, 2);
    smc_tcp_put_checksum(tcp, sum(tcp, n - 20, pseudo));
}

static void change_roce(const struct lane *l, struct trace_packet *p, uint8_t *ip, size_t n)
{
    uint8_t *bth = ip + 28;
    int ack = p->roce.opcode == SMC_BTH_ACK, dir = host_of(&p->src) ^ ack;
    const struct numbers *x = &l->scene->numbers[dir];
    uint32_t icrc;
    smc_bth_put_psn(bth, (p->roce.psn - x->first_psn + l->psn[dir]) % PSN_SPACE);
    if (ack)
        smc_aeth_put_msn(bth + 12, (p->roce.msn - x->first_msn + l->msn[dir]) % PSN_SPACE);
    if (p->roce.has_reth)
        smc_reth_put_rkey(bth + 12, moved_rkey(l, p->roce.rkey));
    if (p->roce.opcode == SMC_BTH_SEND_ONLY)
        change_message(l, bth + 12, smc_view_len(p->payload));
    if (!smc_icrc(smc_view_of(ip, n - SMC_ICRC_BYTES), libdeflate_crc32, &icrc))
        die("no ICRC can be computed");
    smc_icrc_put(ip + n - SMC_ICRC_BYTES, icrc);
}

static void change(const struct lane *l, struct frame *f)
{
    enum { ETH = 14 };
    struct trace_raw raw = {.linktype = 1, .wire_len = f->n, .bytes = smc_view_of(f->b, f->n)};
    struct trace_packet p;
    uint8_t *ip = f->b + ETH;
    trace_packet_decode(&raw, false, &p);
    bool bulk = p.payload_wire_len > 400; /* application data stays as it is */
    move_hosts(l, f->b, bulk ? ETH : f->n);
    ip[13] = ip[17] = (uint8_t)l->id;
    smc_ipv4_put_checksum(ip, 0);
    smc_ipv4_put_checksum(ip, sum(ip, 20, 0));
    size_t n = smc_ipv4_total_length((struct smc_ipv4){ip});
    if (p.proto == TRACE_TCP)
        change_tcp(l, &p, ip, n);
    else
        change_roce(l, &p, ip, n);
}

/* ---- playing ---- */

static void next_scene(struct lane *l, const struct scene *next, size_t nnext, uint64_t pause_ns)
{
    const struct scene *old = l->scene;
    l->start_ns += old->frames[old->n - 1].ts_ns + pause_ns;
    for (int i = 0; i < 2; i++) {
        l->psn[i] = (l->psn[i] + old->numbers[i].next_psn - old->numbers[i].first_psn) % PSN_SPACE;
        l->msn[i] = (l->msn[i] + old->numbers[i].last_msn - old->numbers[i].first_msn + 1) % PSN_SPACE;
    }
    l->scene = &next[l->round % nnext];
    l->round++;
    l->at = 0;
}

static uint64_t next_time(const struct lane *l)
{
    if (l->scene == NULL)
        return UINT64_MAX;
    return l->start_ns + l->scene->frames[l->at].ts_ns;
}

static struct lane *earliest(struct lane *lanes, unsigned n)
{
    struct lane *best = &lanes[0];
    for (unsigned i = 1; i < n; i++)
        if (next_time(&lanes[i]) < next_time(best))
            best = &lanes[i];
    return best;
}

int main(int argc, char **argv)
{
    char error[1024];
    struct lane lanes[MAX_LANES] = {0};
    struct scene first, next[MAX_NEXT];
    size_t nnext = (size_t)argc - 6;
    if (argc < 7 || nnext > MAX_NEXT)
        die("use: bench_traffic OUT MEGABYTES LANES PAUSE_MS FIRST.pcap NEXT.pcap...");
    uint64_t left = strtoull(argv[2], NULL, 10) * 1000000, pause_ns = strtoull(argv[4], NULL, 10) * 1000000;
    unsigned n = (unsigned)strtoul(argv[3], NULL, 10), packets = 0;
    if (n < 1 || n > MAX_LANES)
        die("1 to 250 lanes");
    first = load(argv[5]);
    for (size_t i = 0; i < nnext; i++)
        next[i] = load(argv[6 + i]);
    struct trace_writer *out = trace_writer_open(argv[1], 1, 262144, error, sizeof error);
    if (out == NULL)
        die(error);
    for (unsigned i = 0; i < n; i++)
        lanes[i] = (struct lane){.id = i + 1, .start_ns = UINT64_C(1700000000000000000) + i * UINT64_C(7777777), .scene = &first,
                                 .psn = {first.numbers[0].first_psn, first.numbers[1].first_psn},
                                 .msn = {first.numbers[0].first_msn, first.numbers[1].first_msn}};
    for (struct lane *l; next_time(l = earliest(lanes, n)) != UINT64_MAX;) {
        struct frame f = l->scene->frames[l->at];
        change(l, &f);
        if (trace_writer_put(out, next_time(l), smc_view_of(f.b, f.n), f.n) != 0)
            die("cannot write");
        left -= left < f.n + 16 ? left : f.n + 16;
        packets++;
        if (++l->at == l->scene->n && left > 0)
            next_scene(l, next, nnext, pause_ns);
        else if (l->at == l->scene->n)
            l->scene = NULL; /* large enough: every connection is played to its end */
    }
    if (trace_writer_close(out) != 0)
        die("cannot write");
    printf("%u\n", packets);
    return 0;
}
