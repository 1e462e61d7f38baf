/* Tests of the packet decoder: fields, lengths, the ICRC, what is not SMC's, and text of addresses.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "testing/check_main.h"
#include "traces/test_frames.h"

#include <libdeflate.h>

#define V2 "captures/6.12.107-v2-a-first-contact"
#define V1_IPV6 "captures/6.12.107-smclo-v1pure-i-ipv6"
#define ROCEV1 "synthetic/first-contact-rocev1"
#define RECORDS "synthetic/smcd-records-le"

enum { AT_IP = 14, AT_UDP = 34, AT_BTH = 42 }; /* in an IPv4 frame without tags */

static const char *text(const struct trace_addr *a)
{
    static char buf[4][64];
    static int next;
    next = (next + 1) % 4;
    return trace_addr_text(a, buf[next], sizeof buf[next]);
}

/* ---- fields, compared with what Wireshark shows for these frames ---- */

START_TEST(a_tcp_segment_has_its_fields)
{
    struct test_frame f = test_frame_of(V2, 4);
    struct trace_packet p = test_decode(&f);
    ck_assert_int_eq(p.proto, TRACE_TCP);
    ck_assert_str_eq(text(&p.src), "10.0.0.1");
    ck_assert_str_eq(text(&p.dst), "10.0.0.2");
    ck_assert_uint_eq(p.tcp.sport, 33964);
    ck_assert_uint_eq(p.tcp.dport, 5000);
    ck_assert_uint_eq(p.tcp.seq, 3663941443u);
    ck_assert_uint_eq(p.tcp.ack, 2359609798u);
    ck_assert(p.tcp.has_ack && p.tcp.psh && !p.tcp.syn && !p.tcp.fin && !p.tcp.rst && !p.tcp.urg);
    ck_assert_uint_eq(p.payload_wire_len, 156);
    ck_assert_uint_eq(smc_view_len(p.payload), 156);
    ck_assert(!p.cut && !p.ipv6 && !p.fragment && !p.vlan_present);
    ck_assert_mem_eq(p.src_mac, f.b + 6, 6);
    ck_assert_mem_eq(p.dst_mac, f.b, 6);
}
END_TEST

START_TEST(a_syn_has_its_options)
{
    static const uint8_t smc_option[] = {0xfe, 6, 0xe2, 0xd4, 0xc3, 0xd9};
    struct test_frame f = test_frame_of(V2, 1);
    struct trace_packet p = test_decode(&f);
    ck_assert(p.tcp.syn && !p.tcp.has_ack);
    ck_assert_ptr_nonnull(memmem(p.tcp.options.p, smc_view_len(p.tcp.options), smc_option, sizeof smc_option));
    ck_assert_uint_eq(p.payload_wire_len, 0);
}
END_TEST

START_TEST(an_rdma_write_has_its_reth)
{
    struct test_frame f = test_frame_of(V2, 18);
    struct trace_packet p = test_decode(&f);
    ck_assert_int_eq(p.proto, TRACE_ROCE);
    ck_assert_uint_eq(p.roce.opcode, SMC_BTH_WRITE_ONLY);
    ck_assert_uint_eq(p.roce.dqpn, 0x11);
    ck_assert_uint_eq(p.roce.psn, 16341701);
    ck_assert(p.roce.has_reth && !p.roce.has_aeth && !p.roce.has_imm && !p.roce.v1);
    ck_assert_uint_eq(p.roce.va, 0xffff8efe03280000);
    ck_assert_uint_eq(p.roce.rkey, 0x388);
    ck_assert_uint_eq(p.roce.dma_length, 32);
    ck_assert_uint_eq(p.payload_wire_len, 32);
    ck_assert_mem_eq(p.payload.p, "Hello SMC from client, message 1", 32);
    ck_assert_int_eq(p.roce.icrc, TRACE_ICRC_GOOD);
}
END_TEST

START_TEST(an_acknowledgement_has_its_aeth)
{
    struct test_frame f = test_frame_of(V2, 25);
    struct trace_packet p = test_decode(&f);
    ck_assert_uint_eq(p.roce.opcode, SMC_BTH_ACK);
    ck_assert(p.roce.has_aeth && !p.roce.has_reth);
    ck_assert_uint_eq(p.roce.aeth_kind, 0);
    ck_assert_uint_eq(p.roce.msn, 4);
    ck_assert_uint_eq(p.payload_wire_len, 0);
    f.b[AT_BTH + smc_bth_size] = 0x61; /* NAK, PSN out of sequence = code 0; here code 1 */
    p = test_decode(&f);
    ck_assert_uint_eq(p.roce.aeth_kind, 3);
    ck_assert_uint_eq(p.roce.aeth_value, 1);
}
END_TEST

START_TEST(pad_bytes_are_no_payload)
{
    struct test_frame f = test_frame_of(ROCEV1, 20);
    struct trace_packet p = test_decode(&f);
    ck_assert_uint_eq(p.payload_wire_len, 17);
    ck_assert_uint_eq(p.roce.dma_length, 17);
    ck_assert(!p.cut);
}
END_TEST

START_TEST(rocev1_has_the_addresses_of_its_grh)
{
    struct test_frame f = test_frame_of(ROCEV1, 12);
    struct trace_packet p = test_decode(&f);
    ck_assert_int_eq(p.proto, TRACE_ROCE);
    ck_assert(p.roce.v1 && p.ipv6);
    ck_assert_str_eq(text(&p.src), "fe80::5eff:fe02:1");
    ck_assert_str_eq(text(&p.dst), "fe80::5eff:fe01:1");
    ck_assert_uint_eq(p.payload_wire_len, 44);
    ck_assert_int_eq(p.roce.icrc, TRACE_ICRC_GOOD);
}
END_TEST

START_TEST(immediate_data_follows_the_reth)
{
    static const uint8_t imm[4] = {1, 2, 3, 4};
    struct test_frame f = test_frame_of(V2, 18);
    f.b[AT_BTH] = SMC_BTH_WRITE_ONLY_IMM;
    test_replace(&f, AT_BTH + smc_bth_size + smc_reth_size, 0, imm, sizeof imm);
    f.b[AT_IP + 3] = (uint8_t)(f.b[AT_IP + 3] + 4);
    f.b[AT_UDP + 5] = (uint8_t)(f.b[AT_UDP + 5] + 4);
    struct trace_packet p = test_decode(&f);
    ck_assert(p.roce.has_reth && p.roce.has_imm);
    ck_assert_uint_eq(p.roce.imm, 0x01020304);
    ck_assert_uint_eq(p.payload_wire_len, 32);
    ck_assert_mem_eq(p.payload.p, "Hello", 5);
}
END_TEST

/* Length of extension headers, seen by what is left as payload of a packet whose opcode was changed. */
START_TEST(each_opcode_has_its_extension_headers)
{
    static const struct {
        uint8_t opcode;
        unsigned extensions;
    } table[] = {
        {SMC_BTH_SEND_FIRST, 0},      {SMC_BTH_SEND_MIDDLE, 0},     {SMC_BTH_SEND_LAST, 0},       {SMC_BTH_SEND_LAST_IMM, 4},
        {SMC_BTH_SEND_ONLY_IMM, 4},   {SMC_BTH_WRITE_FIRST, 16},    {SMC_BTH_WRITE_MIDDLE, 0},    {SMC_BTH_WRITE_LAST, 0},
        {SMC_BTH_WRITE_LAST_IMM, 4},  {SMC_BTH_WRITE_ONLY_IMM, 20}, {SMC_BTH_READ_REQUEST, 16},   {SMC_BTH_READ_RESP_FIRST, 4},
        {SMC_BTH_READ_RESP_MIDDLE, 0},{SMC_BTH_READ_RESP_LAST, 4},  {SMC_BTH_READ_RESP_ONLY, 4},  {SMC_BTH_ATOMIC_ACK, 12},
        {SMC_BTH_CMP_SWAP, 28},       {SMC_BTH_FETCH_ADD, 28},      {SMC_BTH_SEND_LAST_INV, 4},   {SMC_BTH_SEND_ONLY_INV, 4},
        {0x64, 8},                    {0x65, 12},                   {SMC_BTH_CNP, 0},
    };
    struct test_frame f = test_frame_of(V2, 10);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        f.b[AT_BTH] = table[i].opcode;
        struct trace_packet p = test_decode(&f);
        ck_assert_int_eq(p.proto, TRACE_ROCE);
        ck_assert_uint_eq(p.roce.opcode, table[i].opcode);
        ck_assert_msg(p.payload_wire_len == 44 - table[i].extensions, "opcode %u: %u bytes of payload", table[i].opcode,
                      p.payload_wire_len);
    }
}
END_TEST

START_TEST(a_record_has_the_data_of_a_move_only)
{
    struct test_frame f = test_frame_of(RECORDS, 19); /* the last of four: 1400, 1400, 1400, 800 */
    struct trace_packet p = test_decode(&f);
    ck_assert_int_eq(p.proto, TRACE_RECORD);
    ck_assert_uint_eq(smc_smcd_record_operation(p.record), SMC_RECORD_MOVE);
    ck_assert_uint_eq(smc_smcd_record_total(p.record), 5000);
    ck_assert_uint_eq(smc_smcd_record_fragment_offset(p.record), 4200);
    ck_assert_uint_eq(p.payload_wire_len, 800);
    test_replace(&f, f.n, 0, "\1\2\3\4", 4); /* a frame check sequence left in the capture is no data */
    ck_assert_uint_eq(test_decode(&f).payload_wire_len, 800);
    f = test_frame_of(RECORDS, 11);
    test_replace(&f, f.n, 0, "\1\2\3\4", 4);
    p = test_decode(&f);
    ck_assert_uint_eq(smc_smcd_record_operation(p.record), SMC_RECORD_REGISTER);
    ck_assert_uint_eq(p.payload_wire_len, 0);
}
END_TEST

/* ---- ICRC ---- */

START_TEST(every_complete_packet_of_real_kernels_has_a_good_icrc)
{
    static const char *const names[] = {V2, V1_IPV6, "captures/6.12.107-v2-c2-slow-reader-300kB",
                                        "captures/6.12.107-v2-c-bulk-4MB-snap160"};
    size_t good = 0, unknown = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct test_frames all = test_load(names[i]);
        for (size_t k = 0; k < all.n; k++) {
            struct trace_packet p = test_decode(&all.frame[k]);
            if (p.proto != TRACE_ROCE)
                continue;
            bool cut = all.frame[k].n < all.frame[k].wire_len;
            ck_assert_msg(p.roce.icrc == (cut ? TRACE_ICRC_UNKNOWN : TRACE_ICRC_GOOD), "%s frame %zu", names[i], k + 1);
            good += !cut;
            unknown += cut;
        }
        test_frames_free(&all);
    }
    ck_assert_uint_eq(good, 28 + 28 + 397 + 334);
    ck_assert_uint_eq(unknown, 3907);
}
END_TEST

/* Every bit that may change on the way, and no other, leaves the ICRC good. */
static void only_mutable_bytes_may_change(const char *name, size_t number, const char *mutable_at, size_t from, size_t end)
{
    struct test_frame f = test_frame_of(name, number);
    ck_assert_int_eq(test_decode(&f).roce.icrc, TRACE_ICRC_GOOD);
    for (size_t at = from; at < end; at++) {
        f.b[at] ^= 0x01; /* the low bit: keeps versions and header lengths, is part of each mutable field */
        struct trace_packet p = test_decode(&f);
        bool may = strchr(mutable_at, (int)(at - from + 1)) != NULL;
        if (p.proto == TRACE_ROCE && p.roce.icrc != TRACE_ICRC_UNKNOWN)
            ck_assert_msg((p.roce.icrc == TRACE_ICRC_GOOD) == may, "%s: byte %zu", name, at);
        else
            ck_assert_msg(!may, "%s: byte %zu", name, at);
        f.b[at] ^= 0x01;
    }
}

START_TEST(only_mutable_fields_are_left_out_of_the_icrc)
{
    /* Offsets from the IP header, plus one: TOS, TTL, header checksum, UDP checksum, the byte after the P_Key. */
    only_mutable_bytes_may_change(V2, 18, "\x02\x09\x0b\x0c\x1b\x1c\x21", AT_IP, test_frame_of(V2, 18).n);
    /* Traffic class, flow label, hop limit. */
    only_mutable_bytes_may_change(V1_IPV6, 6, "\x01\x02\x03\x04\x08\x2f\x30\x35", AT_IP, test_frame_of(V1_IPV6, 6).n);
    only_mutable_bytes_may_change(ROCEV1, 12, "\x01\x02\x03\x04\x08\x2d", AT_IP, test_frame_of(ROCEV1, 12).n);
}
END_TEST

START_TEST(the_icrc_behind_ipv6_extension_headers_is_not_known)
{
    uint8_t header[8] = {17};
    struct test_frame f = test_frame_of(V1_IPV6, 6);
    f.b[AT_IP + 6] = 60;
    test_replace(&f, AT_IP + 40, 0, header, sizeof header);
    f.b[AT_IP + 5] = (uint8_t)(f.b[AT_IP + 5] + sizeof header);
    struct trace_packet p = test_decode(&f);
    ck_assert_int_eq(p.proto, TRACE_ROCE);
    ck_assert_int_eq(p.roce.icrc, TRACE_ICRC_UNKNOWN);
}
END_TEST

START_TEST(the_icrc_is_not_looked_at_unless_asked_for)
{
    struct test_frame f = test_frame_of(V2, 18);
    struct trace_raw raw = test_raw(&f);
    struct trace_packet p;
    trace_packet_decode(&raw, false, &p);
    ck_assert_int_eq(p.proto, TRACE_ROCE);
    ck_assert_int_eq(p.roce.icrc, TRACE_ICRC_UNKNOWN);
}
END_TEST

/* ---- lengths ---- */

START_TEST(padding_behind_the_ip_packet_is_no_payload)
{
    struct test_frame f = test_frame_of(V2, 5); /* a bare ACK */
    static const uint8_t zeros[6];
    test_replace(&f, f.n, 0, zeros, sizeof zeros);
    struct trace_packet p = test_decode(&f);
    ck_assert_uint_eq(p.payload_wire_len, 0);
    ck_assert(!p.cut);
}
END_TEST

START_TEST(a_cut_packet_says_how_long_it_was)
{
    struct test_frame f = test_frame_of(V2, 4);
    f.n -= 100;
    struct trace_packet p = test_decode(&f);
    ck_assert(p.cut);
    ck_assert_uint_eq(p.payload_wire_len, 156);
    ck_assert_uint_eq(smc_view_len(p.payload), 56);
    f.wire_len = f.n; /* cut by something that did not write down the true length */
    p = test_decode(&f);
    ck_assert(p.cut);
    ck_assert_uint_eq(p.payload_wire_len, 156);
}
END_TEST

START_TEST(a_packet_without_its_reth_says_so)
{
    struct test_frame f = test_frame_of(V2, 18);
    f.n = AT_BTH + smc_bth_size + 8;
    struct trace_packet p = test_decode(&f);
    ck_assert_int_eq(p.proto, TRACE_ROCE);
    ck_assert(!p.roce.has_reth && p.cut);
    ck_assert_uint_eq(p.payload_wire_len, 32);
    ck_assert_uint_eq(smc_view_len(p.payload), 0);
}
END_TEST

START_TEST(a_segment_that_a_nic_was_to_cut_fills_its_frame)
{
    struct test_frame f = test_frame_of(V2, 4);
    f.b[AT_IP + 2] = f.b[AT_IP + 3] = 0;
    ck_assert_uint_eq(test_decode(&f).payload_wire_len, 156);
    f = test_frame_of(V1_IPV6, 4);
    f.b[AT_IP + 4] = f.b[AT_IP + 5] = 0;
    ck_assert_uint_eq(test_decode(&f).payload_wire_len, 109);
}
END_TEST

START_TEST(a_wrong_udp_length_is_passed_over)
{
    struct test_frame f = test_frame_of(V2, 10);
    f.b[AT_UDP + 4] = 0xff;
    ck_assert_uint_eq(test_decode(&f).payload_wire_len, 44);
    f.b[AT_UDP + 4] = f.b[AT_UDP + 5] = 0;
    ck_assert_uint_eq(test_decode(&f).payload_wire_len, 44);
}
END_TEST

/* ---- what is not understood ---- */

static void expect_other(struct test_frame f, size_t at, uint8_t value)
{
    f.b[at] = value;
    ck_assert_msg(test_decode(&f).proto == TRACE_OTHER, "byte %zu = 0x%02x", at, value);
}

START_TEST(malformed_headers_make_a_packet_other)
{
    struct test_frame tcp = test_frame_of(V2, 4), roce = test_frame_of(V2, 18), ipv6 = test_frame_of(V1_IPV6, 4);
    struct test_frame v1 = test_frame_of(ROCEV1, 12);
    expect_other(tcp, 12, 0x99);          /* an unknown EtherType */
    expect_other(tcp, AT_IP, 0x65);       /* IP version */
    expect_other(tcp, AT_IP, 0x44);       /* header shorter than itself */
    expect_other(tcp, AT_IP + 9, 132);    /* SCTP */
    expect_other(tcp, AT_UDP + 12, 0x40); /* TCP header shorter than itself */
    expect_other(roce, AT_UDP + 2, 0);    /* another port */
    expect_other(ipv6, AT_IP, 0x40);
    expect_other(ipv6, AT_IP + 6, 59); /* no next header */
    expect_other(v1, AT_IP + 6, 0x1c); /* a GRH with something else behind */
    tcp.b[AT_IP + 2] = 0;
    expect_other(tcp, AT_IP + 3, 19); /* total length within the header */
    expect_other(tcp, AT_IP + 3, 50); /* ends within the TCP header */
    roce.b[AT_UDP + 4] = 0;
    expect_other(roce, AT_UDP + 5, 8 + 12 + 16 + 3); /* no room for the ICRC */
}
END_TEST

START_TEST(fragments_are_counted_and_not_looked_into)
{
    struct test_frame f = test_frame_of(V2, 4);
    f.b[AT_IP + 6] = 0x20;
    struct trace_packet p = test_decode(&f);
    ck_assert(p.fragment);
    ck_assert_int_eq(p.proto, TRACE_OTHER);
    ck_assert_str_eq(text(&p.src), "10.0.0.1");
    f.b[AT_IP + 6] = 0;
    f.b[AT_IP + 7] = 1;
    ck_assert(test_decode(&f).fragment);
}
END_TEST

START_TEST(ipv6_extension_headers_are_stepped_over)
{
    static const uint8_t types[] = {0, 43, 51, 60, 135};
    struct test_frame real = test_frame_of(V1_IPV6, 4);
    for (size_t i = 0; i < sizeof types; i++) {
        struct test_frame f = real;
        uint8_t header[16] = {6, types[i] == 51 ? 2 : 1};
        f.b[AT_IP + 6] = types[i];
        test_replace(&f, AT_IP + 40, 0, header, sizeof header);
        f.b[AT_IP + 5] = (uint8_t)(f.b[AT_IP + 5] + sizeof header);
        struct trace_packet p = test_decode(&f);
        ck_assert_int_eq(p.proto, TRACE_TCP);
        ck_assert_uint_eq(p.payload_wire_len, 109);
        f.n = AT_IP + 40 + 10; /* cut inside the extension header */
        ck_assert_int_eq(test_decode(&f).proto, TRACE_OTHER);
        f.n = AT_IP + 40 + 4;
        ck_assert_int_eq(test_decode(&f).proto, TRACE_OTHER);
    }
}
END_TEST

START_TEST(only_a_lone_ipv6_fragment_is_looked_into)
{
    uint8_t header[8] = {6, 0, 0, 0, 1, 2, 3, 4};
    struct test_frame real = test_frame_of(V1_IPV6, 4);
    real.b[AT_IP + 6] = 44;
    real.b[AT_IP + 5] = (uint8_t)(real.b[AT_IP + 5] + sizeof header);
    struct test_frame f = real;
    test_replace(&f, AT_IP + 40, 0, header, sizeof header);
    ck_assert_int_eq(test_decode(&f).proto, TRACE_TCP);
    f.b[AT_IP + 43] = 1; /* more follow */
    ck_assert(test_decode(&f).fragment);
    f.b[AT_IP + 43] = 0;
    f.b[AT_IP + 42] = 1; /* not the first */
    ck_assert(test_decode(&f).fragment);
    ck_assert_int_eq(test_decode(&f).proto, TRACE_OTHER);
}
END_TEST

START_TEST(an_endless_chain_of_extension_headers_ends)
{
    struct test_frame f = test_frame_of(V1_IPV6, 4);
    uint8_t chain[8 * 9] = {0};
    f.b[AT_IP + 6] = 0;
    for (size_t i = 0; i < sizeof chain; i += 8)
        chain[i] = i + 8 < sizeof chain ? 0 : 6;
    test_replace(&f, AT_IP + 40, 0, chain, sizeof chain);
    f.b[AT_IP + 5] = (uint8_t)(f.b[AT_IP + 5] + sizeof chain);
    ck_assert_int_eq(test_decode(&f).proto, TRACE_OTHER);
}
END_TEST

/* ---- text ---- */

START_TEST(addresses_and_endpoints_have_their_usual_text)
{
    struct trace_addr ip4 = {{[10] = 0xff, 0xff, 192, 0, 2, 255}}, ip6 = {{0x20, 1, 0x0d, 0xb8, [15] = 1}};
    char buf[54];
    ck_assert_str_eq(trace_addr_text(&ip4, buf, sizeof buf), "192.0.2.255");
    ck_assert_str_eq(trace_addr_text(&ip6, buf, sizeof buf), "2001:db8::1");
    ck_assert_str_eq(trace_endpoint_text(&ip4, 65535, buf, sizeof buf), "192.0.2.255:65535");
    ck_assert_str_eq(trace_endpoint_text(&ip6, 80, buf, sizeof buf), "[2001:db8::1]:80");
    ck_assert_str_eq(trace_addr_text(&ip6, buf, 5), "");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *s = suite_create("packet");
    TCase *t = tcase_create("packet");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, a_tcp_segment_has_its_fields);
    tcase_add_test(t, a_syn_has_its_options);
    tcase_add_test(t, an_rdma_write_has_its_reth);
    tcase_add_test(t, an_acknowledgement_has_its_aeth);
    tcase_add_test(t, pad_bytes_are_no_payload);
    tcase_add_test(t, rocev1_has_the_addresses_of_its_grh);
    tcase_add_test(t, immediate_data_follows_the_reth);
    tcase_add_test(t, each_opcode_has_its_extension_headers);
    tcase_add_test(t, a_record_has_the_data_of_a_move_only);
    tcase_add_test(t, every_complete_packet_of_real_kernels_has_a_good_icrc);
    tcase_add_test(t, only_mutable_fields_are_left_out_of_the_icrc);
    tcase_add_test(t, the_icrc_behind_ipv6_extension_headers_is_not_known);
    tcase_add_test(t, the_icrc_is_not_looked_at_unless_asked_for);
    tcase_add_test(t, padding_behind_the_ip_packet_is_no_payload);
    tcase_add_test(t, a_cut_packet_says_how_long_it_was);
    tcase_add_test(t, a_packet_without_its_reth_says_so);
    tcase_add_test(t, a_segment_that_a_nic_was_to_cut_fills_its_frame);
    tcase_add_test(t, a_wrong_udp_length_is_passed_over);
    tcase_add_test(t, malformed_headers_make_a_packet_other);
    tcase_add_test(t, fragments_are_counted_and_not_looked_into);
    tcase_add_test(t, ipv6_extension_headers_are_stepped_over);
    tcase_add_test(t, only_a_lone_ipv6_fragment_is_looked_into);
    tcase_add_test(t, an_endless_chain_of_extension_headers_ends);
    tcase_add_test(t, addresses_and_endpoints_have_their_usual_text);
    suite_add_tcase(s, t);
    return s;
}

CHECK_MAIN(make_suite)
