/* Frames that a kernel left unfinished leave here as they would be on a wire, and what cannot be is thrown away.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/live/offload.h"

#include "testing/check_main.h"

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <string.h>

enum { MOST = 16, HEADERS = 14 + 20 + 20 };

static struct {
    unsigned count;
    size_t length[MOST];
    uint8_t bytes[MOST][2048];
} out;

static void take(void *user, const uint8_t *bytes, size_t length)
{
    ck_assert_ptr_eq(user, &out);
    ck_assert_uint_lt(out.count, MOST);
    ck_assert_uint_le(length, sizeof(out.bytes[0]));
    memcpy(out.bytes[out.count], bytes, length);
    out.length[out.count++] = length;
}

static unsigned ones_sum(const uint8_t *p, size_t n, unsigned total)
{
    for (size_t i = 0; i < n; i++)
        total += i % 2 == 0 ? (unsigned)p[i] << 8 : p[i];
    while (total >> 16 != 0)
        total = (total & 0xffff) + (total >> 16);
    return total;
}

/* An IPv4 or IPv6 TCP frame with `payload` bytes behind a virtio header; the length. */
static size_t make(uint8_t *to, bool v4, size_t payload, const struct virtio_net_hdr *h)
{
    static const uint8_t tcp[20] = {0x13, 0x88, 0x13, 0x89, 0, 0, 0, 100, 0, 0, 0, 7, 0x50, 0x89 /* CWR PSH FIN */, 1, 0, 0, 0, 0, 0};
    uint8_t *f = to + LIVE_OFFLOAD, *ip = f + 14;
    size_t header = v4 ? 20 : 40, segment = 20 + payload;
    memcpy(to, h, sizeof(*h));
    memset(f, 0x22, 12);
    memcpy(f + 12, v4 ? "\x08\x00" : "\x86\xdd", 2);
    memset(ip, 0, header);
    ip[0] = v4 ? 0x45 : 0x60;
    ip[v4 ? 9 : 6] = 6;
    size_t length = v4 ? header + segment : segment;
    ip[v4 ? 2 : 4] = (uint8_t)(length >> 8);
    ip[v4 ? 3 : 5] = (uint8_t)length;
    for (size_t i = v4 ? 12 : 8; i < header; i++)
        ip[i] = (uint8_t)(i * 7);
    memcpy(ip + header, tcp, 20);
    for (size_t i = 0; i < payload; i++)
        ip[header + 20 + i] = (uint8_t)(i * 13);
    memset(&out, 0, sizeof(out));
    return LIVE_OFFLOAD + 14 + header + segment;
}

static bool tcp_checksum_is_right(const uint8_t *f, bool v4, size_t n)
{
    size_t header = v4 ? 20 : 40, segment = n - 14 - header;
    unsigned pseudo = ones_sum(f + 14 + (v4 ? 12 : 8), v4 ? 8 : 32, 6 + (unsigned)segment);
    return ones_sum(f + 14 + header, segment, pseudo) == 0xffff;
}

static void put_pseudo_sum(uint8_t *frame, size_t segment)
{
    unsigned sum = ones_sum(frame + 14 + 12, 8, 6 + (unsigned)segment);
    frame[14 + 20 + 16] = (uint8_t)(sum >> 8);
    frame[14 + 20 + 17] = (uint8_t)sum;
}

START_TEST(a_frame_that_is_finished_is_passed_on_as_it_is)
{
    static const struct virtio_net_hdr plain = {0};
    uint8_t bytes[400], before[400];
    size_t n = make(bytes, true, 100, &plain);
    memcpy(before, bytes, n);
    ck_assert_uint_eq(live_offload_finish(bytes, n, take, &out), 0);
    ck_assert_uint_eq(out.count, 1);
    ck_assert_uint_eq(out.length[0], n - LIVE_OFFLOAD);
    ck_assert_mem_eq(out.bytes[0], before + LIVE_OFFLOAD, n - LIVE_OFFLOAD);
}
END_TEST

START_TEST(a_checksum_that_covers_only_the_pseudo_header_is_completed)
{
    static const struct virtio_net_hdr partial = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 34, .csum_offset = 16};
    uint8_t bytes[400];
    for (size_t payload = 99; payload <= 100; payload++) { /* odd and even */
        size_t n = make(bytes, true, payload, &partial);
        put_pseudo_sum(bytes + LIVE_OFFLOAD, 20 + payload);
        ck_assert_uint_eq(live_offload_finish(bytes, n, take, &out), 0);
        ck_assert_uint_eq(out.count, 1);
        ck_assert(tcp_checksum_is_right(out.bytes[0], true, out.length[0]));
    }
}
END_TEST

static void check_cut(bool v4)
{
    const struct virtio_net_hdr h = {.gso_type = v4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6, .gso_size = 300};
    static const size_t payloads[] = {300, 300, 300, 100};
    uint8_t bytes[2000], sent[1000];
    size_t header = v4 ? 20 : 40, n = make(bytes, v4, 1000, &h), at = 0;
    memcpy(sent, bytes + n - 1000, 1000);
    ck_assert_uint_eq(live_offload_finish(bytes, n, take, &out), 0);
    ck_assert_uint_eq(out.count, 4);
    for (unsigned i = 0; i < 4; i++) {
        const uint8_t *f = out.bytes[i], *ip = f + 14, *tcp = ip + header;
        ck_assert_uint_eq(out.length[i], 14 + header + 20 + payloads[i]);
        ck_assert(tcp_checksum_is_right(f, v4, out.length[i]));
        ck_assert_uint_eq((unsigned)(tcp[6] << 8 | tcp[7]), 100 + at);
        ck_assert_uint_eq(tcp[13], 0x00 | (i == 0 ? 0x80 : 0) | (i == 3 ? 0x09 : 0));
        ck_assert_mem_eq(tcp + 20, sent + at, payloads[i]);
        if (v4) {
            ck_assert_uint_eq(ones_sum(ip, 20, 0), 0xffff);
            ck_assert_uint_eq((unsigned)(ip[4] << 8 | ip[5]), i);
            ck_assert_uint_eq((unsigned)(ip[2] << 8 | ip[3]), 40 + payloads[i]);
        } else {
            ck_assert_uint_eq((unsigned)(ip[4] << 8 | ip[5]), 20 + payloads[i]);
        }
        at += payloads[i];
    }
    ck_assert_uint_eq(at, 1000);
}

START_TEST(a_long_segment_is_cut_into_those_of_a_wire)
{
    check_cut(true);
    check_cut(false);
}
END_TEST

START_TEST(padding_behind_a_packet_is_no_payload)
{
    static const struct virtio_net_hdr h = {.gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 60};
    uint8_t bytes[400];
    size_t n = make(bytes, true, 100, &h);
    ck_assert_uint_eq(live_offload_finish(bytes, n + 50, take, &out), 0);
    ck_assert_uint_eq(out.count, 2);
    ck_assert_uint_eq(out.length[1], HEADERS + 40);
}
END_TEST

static void refused(uint8_t *bytes, size_t n, const struct virtio_net_hdr *h)
{
    memcpy(bytes, h, sizeof(*h));
    memset(&out, 0, sizeof(out));
    ck_assert_uint_eq(live_offload_finish(bytes, n, take, &out), 1);
    ck_assert_uint_eq(out.count, 0);
}

START_TEST(what_cannot_be_is_thrown_away)
{
    struct virtio_net_hdr h = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 34, .csum_offset = 16};
    uint8_t bytes[400];
    size_t n = make(bytes, true, 100, &h), frame = n - LIVE_OFFLOAD;
    for (size_t cut = 0; cut < LIVE_OFFLOAD + 14; cut++)
        refused(bytes, cut, &h);
    h.csum_start = (uint16_t)(frame - 17);
    refused(bytes, n, &h); /* one byte of the field is inside */
    h.csum_start = 65535;
    refused(bytes, n, &h);
    h = (struct virtio_net_hdr){.gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 0};
    refused(bytes, n, &h);
    h.gso_size = 65535;
    refused(bytes, n, &h);
    h.gso_size = 60;
    for (size_t cut = LIVE_OFFLOAD + 14; cut < n; cut++)
        refused(bytes, cut, &h); /* the IP header promises more */
    bytes[LIVE_OFFLOAD + 14 + 20 + 12] = 0xf0; /* 60 bytes of TCP header: 80 stay */
    memset(&out, 0, sizeof(out));
    ck_assert_uint_eq(live_offload_finish(bytes, n, take, &out), 0);
    bytes[LIVE_OFFLOAD + 14 + 20 + 12] = 0x40;
    refused(bytes, n, &h);
    bytes[LIVE_OFFLOAD + 14 + 20 + 12] = 0x50;
    bytes[LIVE_OFFLOAD + 14 + 9] = 17;
    refused(bytes, n, &h);
    h = (struct virtio_net_hdr){.gso_type = 5 /* several UDP datagrams */, .gso_size = 60};
    refused(bytes, n, &h);
}
END_TEST

static Suite *offload_suite(void)
{
    Suite *s = suite_create("offload");
    TCase *c = tcase_create("offload");
    tcase_add_test(c, a_frame_that_is_finished_is_passed_on_as_it_is);
    tcase_add_test(c, a_checksum_that_covers_only_the_pseudo_header_is_completed);
    tcase_add_test(c, a_long_segment_is_cut_into_those_of_a_wire);
    tcase_add_test(c, padding_behind_a_packet_is_no_payload);
    tcase_add_test(c, what_cannot_be_is_thrown_away);
    suite_add_tcase(s, c);
    return s;
}

CHECK_MAIN(offload_suite)
