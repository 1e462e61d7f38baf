/* Tests of the ICRC on packets that real kernels sent, and on RoCEv1 frames of the synthetic captures.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "pcap_test.h"

#include "wire/icrc.h"

/* Another sum with the same shape, to see that the one passed is used. */
static unsigned other_calls;
static uint32_t other_crc(uint32_t crc, const void *p, size_t n)
{
    other_calls++;
    return smc_crc32(crc, p, n);
}

static unsigned check_file(const char *name)
{
    struct file f = load_from(SMCLAB_SOURCE_DIR, name);
    struct smc_view frame;
    unsigned good = 0;
    for (size_t at = 24; next_frame(&f, &at, &frame);) {
        struct smc_view packet = roce_of(frame);
        if (smc_view_len(packet) == 0)
            continue;
        size_t n = smc_view_len(packet);
        uint8_t *copy = exactly(packet.p, n);
        ck_assert_msg(smc_icrc_holds(smc_view_of(copy, n), NULL), "%s: frame before %zu", name, at);
        ck_assert(smc_icrc_holds(smc_view_of(copy, n), other_crc));
        good++;
        free(copy);
    }
    free(f.bytes);
    return good;
}

START_TEST(every_packet_of_real_kernels_holds)
{
    ck_assert_uint_ge(check_file("captures/6.12.107-v2-a-first-contact"), 20);
    ck_assert_uint_ge(check_file("captures/6.12.107-smclo-v1pure-b2-sizes"),
                      50); /* IPv6, multi-packet */
    ck_assert_uint_ge(check_file("captures/6.12.107-smclo-v1pure-i-ipv6"), 20);
    ck_assert_uint_ge(check_file("captures/7.3.4-smclo-v2-k-urgent"), 20);
    ck_assert_uint_ge(check_file("captures/6.12.107-v2-c2-slow-reader-300kB"), 200);
    ck_assert_uint_gt(other_calls, 0);
}
END_TEST

START_TEST(every_frame_of_rocev1_holds)
{
    ck_assert_uint_ge(check_file("synthetic/first-contact-rocev1"), 10);
}
END_TEST

/* A UDP/IPv4 packet of RoCEv2: the first whole one of a capture. */
static uint8_t *one_packet(const char *name, size_t *n)
{
    struct file f = load_from(SMCLAB_SOURCE_DIR, name);
    struct smc_view frame, packet = {NULL, NULL};
    for (size_t at = 24; smc_view_len(packet) == 0 && next_frame(&f, &at, &frame);)
        packet = roce_of(frame);
    *n = smc_view_len(packet);
    ck_assert_uint_gt(*n, 0);
    uint8_t *copy = exactly(packet.p, *n);
    free(f.bytes);
    return copy;
}

/* Which bytes routers may change: TOS, TTL, checksum of IPv4 (or class, label, hop limit of IPv6), the checksum of
 * UDP, and the byte of FECN and BECN. */
static bool may_change(const uint8_t *p, size_t i)
{
    bool v4 = p[0] >> 4 == 4;
    size_t udp = v4 ? 20 : 40;
    if (v4 ? i == 1 || i == 8 || i == 10 || i == 11 : i == 1 || i == 2 || i == 3 || i == 7)
        return true;
    return i == udp + 6 || i == udp + 7 || i == udp + 8 + 4;
}

static void check_each_byte(const char *name)
{
    size_t n;
    uint8_t *p = one_packet(name, &n);
    for (size_t i = 0; i < n; i++) {
        uint8_t bit =
            i == 0 ? 0x01 : 0x10; /* of byte 0 only what is neither version nor (IPv6) class */
        if (i == 0 && p[0] >> 4 == 6)
            continue;
        p[i] ^= bit;
        ck_assert_msg(smc_icrc_holds(smc_view_of(p, n), NULL) == may_change(p, i), "%s: byte %zu",
                      name, i);
        p[i] ^= bit;
    }
    free(p);
}

START_TEST(a_changed_bit_breaks_it_unless_routers_may_change_it)
{
    check_each_byte("captures/6.12.107-v2-a-first-contact");
    check_each_byte("captures/6.12.107-smclo-v1pure-a-first-contact");
}
END_TEST

START_TEST(what_is_no_roce_has_no_icrc)
{
    size_t n;
    uint32_t value = 0;
    uint8_t *p = one_packet("captures/6.12.107-v2-a-first-contact", &n);
    for (size_t cut = 0; cut < 20 + 8 + 12; cut++) {
        uint8_t *q = exactly(p, cut);
        ck_assert(!smc_icrc(smc_view_of(q, cut), NULL, &value));
        ck_assert(!smc_icrc_holds(smc_view_of(q, cut), NULL));
        free(q);
    }
    p[9] = 6; /* TCP */
    ck_assert(!smc_icrc(smc_view_of(p, n), NULL, &value));
    p[9] = 17;
    p[0] = 0x44; /* a header of 16 bytes */
    ck_assert(!smc_icrc(smc_view_of(p, n), NULL, &value));
    p[0] = 0x75;
    ck_assert(!smc_icrc(smc_view_of(p, n), NULL, &value));
    free(p);
}
END_TEST

START_TEST(options_in_the_ipv4_header_are_summed)
{
    size_t n;
    uint32_t with, changed;
    uint8_t bytes[60 + 8 + 12 + 4] = {0x4f, [9] = 17};
    n = sizeof(bytes);
    ck_assert(smc_icrc(smc_view_of(bytes, n), NULL, &with));
    bytes[59] = 1;
    ck_assert(smc_icrc(smc_view_of(bytes, n), NULL, &changed));
    ck_assert_uint_ne(with, changed);
    ck_assert(!smc_icrc(smc_view_of(bytes, 60 + 8 + 11), NULL, &with));
}
END_TEST

START_TEST(an_icrc_that_was_put_holds)
{
    uint32_t value;
    uint8_t bytes[20 + 8 + 12 + 44 + 4] = {0x45, [9] = 17};
    size_t n = sizeof(bytes) - SMC_ICRC_BYTES;
    ck_assert(smc_icrc(smc_view_of(bytes, n), NULL, &value));
    smc_icrc_put(bytes + n, value);
    ck_assert(smc_icrc_holds(smc_view_of(bytes, sizeof(bytes)), NULL));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("icrc");
    TCase *tc = tcase_create("icrc");
    tcase_add_test(tc, every_packet_of_real_kernels_holds);
    tcase_add_test(tc, every_frame_of_rocev1_holds);
    tcase_add_test(tc, a_changed_bit_breaks_it_unless_routers_may_change_it);
    tcase_add_test(tc, what_is_no_roce_has_no_icrc);
    tcase_add_test(tc, options_in_the_ipv4_header_are_summed);
    tcase_add_test(tc, an_icrc_that_was_put_holds);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(make_suite)
