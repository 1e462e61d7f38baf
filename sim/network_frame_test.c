/* Tests of the frame classifier and of checksums that follow changes; any bytes are survived.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/network_test.h"
#include "sim/random.h"

#include "testing/check_main.h"

static struct net_frame_info classify(const uint8_t *f, size_t n)
{
    struct net_frame_info info;
    net_frame_classify(f, n, &info);
    return info;
}

START_TEST(a_clc_message_is_seen_in_its_segment)
{
    static const uint8_t proposal[8] = {0xe2, 0xd4, 0xc3, 0xd9, 1, 0, 52, 0x10};
    uint8_t f[200];
    struct test_segment s = {.from = 1, .to = 2, .sport = 4000, .dport = 80, .flags = 24,
                             .data = proposal, .n_data = sizeof proposal};
    size_t n = make_tcp(f, &s);
    struct net_frame_info info = classify(f, n);
    ck_assert_int_eq(info.clc_type, 1);
    ck_assert_uint_eq(info.dport, 80);
    ck_assert_int_eq(info.tcp_flags, 24);
    ck_assert_int_eq(info.payload, 54);
    ck_assert(!info.roce);
    f[57] = 0xc4; /* SMCD */
    ck_assert_int_eq(classify(f, n).clc_type, 1);
    f[57] = 0xc5;
    ck_assert_int_eq(classify(f, n).clc_type, -1);
}
END_TEST

START_TEST(roce_is_seen_behind_tags_and_in_all_its_forms)
{
    uint8_t f[200], tagged[208], llc[44] = {0xfe, 44};
    size_t n = make_roce(f, 1, 2, SMC_BTH_SEND_ONLY, 0x123456, 77, llc, sizeof llc, 0);
    memcpy(tagged, f, 12);
    smc_store_be(tagged + 12, 8, UINT64_C(0x88a8a0658100000a));
    memcpy(tagged + 20, f + 12, n - 12);
    struct net_frame_info info = classify(tagged, n + 8);
    ck_assert_uint_eq(info.tags, 2);
    ck_assert_uint_eq(info.vlan, 0x65);
    ck_assert_uint_eq(info.pcp, 5);
    ck_assert(info.roce);
    ck_assert_uint_eq(info.dqpn, 0x123456);
    ck_assert_uint_eq(info.psn, 77);
    ck_assert_int_eq(info.message, 0xfe);
    f[42] = SMC_BTH_WRITE_ONLY;
    ck_assert_int_eq(classify(f, n).message, -1);
    uint8_t v1[200] = {0};
    smc_eth_put_ethertype(v1, SMC_ETHERTYPE_ROCE);
    smc_ipv6_put_version(v1 + 14, 6);
    smc_ipv6_put_next_header(v1 + 14, 0x1b);
    smc_ipv6_put_payload_length(v1 + 14, 60);
    smc_bth_put_opcode(v1 + 54, SMC_BTH_SEND_FIRST);
    v1[66] = 3;
    v1[69] = 0x80;
    info = classify(v1, 14 + 40 + 60);
    ck_assert(info.roce);
    ck_assert_int_eq(info.message, 3);
    ck_assert_int_eq(info.llc_flags, 0x80);
}
END_TEST

START_TEST(patterns_match_each_field)
{
    uint8_t tcp[100], roce[200], llc[44] = {7, 44, 0, 0x80};
    struct test_segment s = {.from = 1, .to = 2, .sport = 4, .dport = 8, .flags = 18};
    struct net_frame_info t = classify(tcp, make_tcp(tcp, &s));
    struct net_frame_info r = classify(roce, make_roce(roce, 1, 2, 4, 9, 1, llc, 44, 0));
    struct net_frame_pattern p = NET_FRAME_PATTERN_ANY;
    ck_assert(net_frame_matches(&p, &t) && net_frame_matches(&p, &r));
#define ONLY(field, value, tcp_matches, roce_matches)                                              \
    do {                                                                                           \
        struct net_frame_pattern q = NET_FRAME_PATTERN_ANY;                                        \
        q.field = (value);                                                                         \
        ck_assert_int_eq(net_frame_matches(&q, &t), tcp_matches);                                  \
        ck_assert_int_eq(net_frame_matches(&q, &r), roce_matches);                                 \
    } while (0)
    ONLY(ethertype, 0x800, true, true);
    ONLY(ethertype, 0x806, false, false);
    ONLY(ip_protocol, 6, true, false);
    ONLY(dport, 4791, false, true);
    ONLY(sport, 4, true, false);
    ONLY(tcp_flags_set, 2, true, false);
    ONLY(tcp_flags_set, 4, false, false);
    ONLY(tcp_flags_clear, 4, true, false);
    ONLY(tcp_flags_clear, 16, false, false);
    ONLY(clc_type, 1, false, false);
    ONLY(opcode, 4, false, true);
    ONLY(dqpn, 9, false, true);
    ONLY(dqpn, 8, false, false);
    ONLY(message, 7, false, true);
    ONLY(response, 1, false, true);
    ONLY(response, 0, false, false);
    ONLY(min_length, 80, false, true);
}
END_TEST

START_TEST(checksums_follow_what_changes)
{
    struct sim_random r;
    uint8_t f[200];
    sim_random_init(&r, 1, "sums");
    for (int i = 0; i < 5000; i++) {
        struct test_segment s = {.from = 1, .to = 2, .flags = 16,
                                 .seq = (uint32_t)sim_random_next(&r)};
        size_t n = make_tcp(f, &s);
        ck_assert(transport_holds(f, n));
        uint32_t before = net_sum(f + 38, 8, 0);
        sim_random_bytes(&r, f + 38, 8);
        if (i % 3 == 0)
            memset(f + 38, i % 2 ? 0xff : 0, 8);
        net_sum_adjust(f + 34 + 16, before, net_sum(f + 38, 8, 0));
        ck_assert(transport_holds(f, n));
    }
    ck_assert_uint_eq(net_sum((const uint8_t *)"\x12\x34\x56", 3, 0), 0x1234 + 0x5600);
}
END_TEST

START_TEST(a_mark_is_set_in_both_families_only_where_allowed)
{
    uint8_t f[200], data[4] = {0}, v6[60] = {0};
    size_t n = make_roce(f, 1, 2, 4, 9, 1, data, 4, 0x61);
    ck_assert(net_frame_mark_ce(f, n));
    ck_assert_int_eq(f[15], 0x63);
    ck_assert(ipv4_holds(f));
    ck_assert(!net_frame_mark_ce(f, n)); /* is marked */
    (void)make_roce(f, 1, 2, 4, 9, 1, data, 4, 0x60);
    ck_assert(!net_frame_mark_ce(f, n));
    smc_eth_put_ethertype(v6, SMC_ETHERTYPE_IPV6);
    smc_ipv6_put_version(v6 + 14, 6);
    smc_ipv6_put_traffic_class(v6 + 14, 2);
    ck_assert(net_frame_mark_ce(v6, sizeof v6));
    ck_assert_uint_eq(smc_load_be(v6 + 14, 4), 0x60300000);
    ck_assert(!net_frame_mark_ce(v6, 20));
}
END_TEST

START_TEST(any_bytes_are_survived)
{
    struct sim_random r;
    uint8_t seedling[2][200], data[64] = {0};
    struct test_segment s = {.from = 1, .to = 2, .data = data, .n_data = sizeof data};
    size_t n[2] = {make_tcp(seedling[0], &s), make_roce(seedling[1], 1, 2, 4, 9, 1, data, 64, 0)};
    sim_random_init(&r, 2, "fuzz");
    for (int i = 0; i < 100000; i++) {
        size_t length = (size_t)sim_random_below(&r, n[i & 1] + 1);
        uint8_t *f = malloc(length + 1); /* so that the sanitizer sees its end */
        memcpy(f, seedling[i & 1], length);
        for (uint64_t k = sim_random_below(&r, 8); k > 0 && length > 0; k--)
            f[sim_random_below(&r, length < 60 ? length : 60)] = (uint8_t)sim_random_next(&r);
        struct net_frame_info info = classify(f, length);
        ck_assert_uint_le(info.payload_end, length);
        ck_assert(info.l4 == 0 || info.l4 <= info.payload_end);
        ck_assert(info.payload <= info.payload_end || info.payload_end == 0);
        if (info.l4 != 0)
            (void)net_frame_transport_sum(&info);
        (void)net_frame_mark_ce(f, length);
        free(f);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *s = suite_create("network_frame");
    TCase *c = tcase_create("frames");
    tcase_set_timeout(c, 60);
    tcase_add_test(c, a_clc_message_is_seen_in_its_segment);
    tcase_add_test(c, roce_is_seen_behind_tags_and_in_all_its_forms);
    tcase_add_test(c, patterns_match_each_field);
    tcase_add_test(c, checksums_follow_what_changes);
    tcase_add_test(c, a_mark_is_set_in_both_families_only_where_allowed);
    tcase_add_test(c, any_bytes_are_survived);
    suite_add_tcase(s, c);
    return s;
}
CHECK_MAIN(make_suite)
