/* Finishing frames that a kernel left unfinished.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/live/offload.h"

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <string.h>

enum { ETHERNET = 14, TAG = 4, IPV4 = 20, IPV6 = 40, TCP = 20, TCP_CHECKSUM = 16, PIECE_MAX = 65536, PROTOCOL_TCP = 6 };
enum { FIN = 0x01, PSH = 0x08, CWR = 0x80 };
_Static_assert(sizeof(struct virtio_net_hdr) == LIVE_OFFLOAD, "linux/virtio_net.h");

static unsigned get16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static void put16(uint8_t *p, unsigned value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void put32(uint8_t *p, uint32_t value)
{
    put16(p, value >> 16);
    put16(p + 2, value & 0xffff);
}

/* RFC 1071. */
static uint32_t sum(uint32_t so_far, const uint8_t *p, size_t n)
{
    uint64_t total = so_far;
    for (; n > 1; n -= 2, p += 2)
        total += get16(p);
    if (n > 0)
        total += (unsigned)p[0] << 8;
    while (total >> 16 != 0)
        total = (total & 0xffff) + (total >> 16);
    return (uint32_t)total;
}

static unsigned folded(uint32_t total)
{
    return ~total & 0xffff;
}

/* The kernel has put the pseudo header's sum into the field: the rest is added where it stands. */
static bool complete_checksum(uint8_t *frame, size_t n, size_t start, size_t offset)
{
    if (start > n || offset > n - start || n - start - offset < 2)
        return false;
    unsigned value = folded(sum(0, frame + start, n - start));
    put16(frame + start + offset, value != 0 ? value : 0xffff);
    return true;
}

/* Where the headers of a TCP frame are. */
struct tcp_frame {
    bool v4;
    size_t ip, tcp, data, end; /* offsets from the frame's begin */
};

static bool find_tcp(const uint8_t *f, size_t n, struct tcp_frame *out)
{
    size_t ip = ETHERNET;
    if (n >= ETHERNET + TAG && (get16(f + 12) == 0x8100 || get16(f + 12) == 0x88a8))
        ip += TAG;
    if (n < ip + IPV4)
        return false;
    unsigned type = get16(f + ip - 2);
    out->v4 = type == 0x0800;
    out->ip = ip;
    if (out->v4) {
        size_t length = get16(f + ip + 2);
        out->tcp = ip + (size_t)(f[ip] & 15) * 4;
        out->end = length != 0 ? ip + length : n; /* longer than 16 bits can say: the frame's end */
        if (f[ip] >> 4 != 4 || out->tcp < ip + IPV4 || f[ip + 9] != PROTOCOL_TCP)
            return false;
    } else {
        if (type != 0x86dd || n < ip + IPV6 || f[ip] >> 4 != 6 || f[ip + 6] != PROTOCOL_TCP)
            return false;
        size_t length = get16(f + ip + 4);
        out->tcp = ip + IPV6;
        out->end = length != 0 ? out->tcp + length : n;
    }
    if (out->end > n || out->tcp > out->end || out->end - out->tcp < TCP)
        return false;
    out->data = out->tcp + (size_t)(f[out->tcp + 12] >> 4) * 4;
    return out->data >= out->tcp + TCP && out->data <= out->end;
}

/* The headers of one piece, whose payload stands behind them already. */
static void finish_piece(uint8_t *p, const struct tcp_frame *t, size_t offset, size_t length, bool first, bool last, unsigned number)
{
    uint8_t *ip = p + t->ip, *tcp = p + t->tcp;
    size_t segment = t->data - t->tcp + length;
    uint32_t pseudo;
    if (t->v4) {
        put16(ip + 2, (unsigned)(t->tcp - t->ip + segment));
        put16(ip + 4, (get16(ip + 4) + number) & 0xffff);
        put16(ip + 10, 0);
        put16(ip + 10, folded(sum(0, ip, t->tcp - t->ip)));
        pseudo = sum(PROTOCOL_TCP + (uint32_t)segment, ip + 12, 8);
    } else {
        put16(ip + 4, (unsigned)segment);
        pseudo = sum(PROTOCOL_TCP + (uint32_t)segment, ip + 8, 32);
    }
    put32(tcp + 4, get32(tcp + 4) + (uint32_t)offset);
    if (!first)
        tcp[13] &= (uint8_t)~CWR;
    if (!last)
        tcp[13] &= (uint8_t)~(FIN | PSH);
    put16(tcp + TCP_CHECKSUM, 0);
    put16(tcp + TCP_CHECKSUM, folded(sum(pseudo, tcp, segment)));
}

static unsigned cut(const uint8_t *f, size_t n, size_t size, void (*frame)(void *user, const uint8_t *bytes, size_t length), void *user)
{
    struct tcp_frame t;
    uint8_t piece[PIECE_MAX];
    unsigned number = 0;
    if (!find_tcp(f, n, &t) || size == 0 || t.data + size > PIECE_MAX)
        return 1;
    size_t offset = 0, all = t.end - t.data;
    do {
        size_t length = all - offset < size ? all - offset : size;
        memcpy(piece, f, t.data);
        memcpy(piece + t.data, f + t.data + offset, length);
        finish_piece(piece, &t, offset, length, offset == 0, offset + length == all, number++);
        frame(user, piece, t.data + length);
        offset += length;
    } while (offset < all);
    return 0;
}

unsigned live_offload_finish(uint8_t *bytes, size_t length, void (*frame)(void *user, const uint8_t *bytes, size_t length), void *user)
{
    struct virtio_net_hdr h;
    if (length < LIVE_OFFLOAD + ETHERNET)
        return 1;
    memcpy(&h, bytes, sizeof(h));
    uint8_t *f = bytes + LIVE_OFFLOAD;
    size_t n = length - LIVE_OFFLOAD;
    unsigned kind = h.gso_type & (unsigned)~VIRTIO_NET_HDR_GSO_ECN;
    if (kind == VIRTIO_NET_HDR_GSO_TCPV4 || kind == VIRTIO_NET_HDR_GSO_TCPV6)
        return cut(f, n, h.gso_size, frame, user);
    if (kind != VIRTIO_NET_HDR_GSO_NONE)
        return 1;
    if ((h.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0 && !complete_checksum(f, n, h.csum_start, h.csum_offset))
        return 1;
    frame(user, f, n);
    return 0;
}
