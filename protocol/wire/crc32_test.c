/* Tests of CRC-32 against its definition, bit by bit, and known values.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "wire_test.h"

#include "wire/crc32.h"

static uint32_t bit_by_bit(uint32_t crc, const uint8_t *p, size_t n)
{
    crc = ~crc;
    for (size_t i = 0; i < n; i++) {
        crc ^= p[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
    }
    return ~crc;
}

START_TEST(known_values)
{
    ck_assert_uint_eq(smc_crc32(0, "", 0), 0);
    ck_assert_uint_eq(smc_crc32(0, "123456789", 9), 0xcbf43926);
    ck_assert_uint_eq(smc_crc32(0, "The quick brown fox jumps over the lazy dog", 43), 0x414fa339);
}
END_TEST

START_TEST(every_length_at_every_alignment_agrees_with_the_definition)
{
    uint64_t seed = 4;
    uint8_t bytes[80];
    random_bytes(&seed, bytes, sizeof(bytes));
    for (size_t at = 0; at < 8; at++)
        for (size_t n = 0; n <= 72; n++)
            ck_assert_uint_eq(smc_crc32(0, bytes + at, n), bit_by_bit(0, bytes + at, n));
}
END_TEST

START_TEST(a_sum_continues_where_the_last_one_ended)
{
    uint64_t seed = 5;
    uint8_t bytes[100];
    random_bytes(&seed, bytes, sizeof(bytes));
    uint32_t whole = smc_crc32(0, bytes, sizeof(bytes));
    for (size_t cut = 0; cut <= sizeof(bytes); cut++)
        ck_assert_uint_eq(smc_crc32(smc_crc32(0, bytes, cut), bytes + cut, sizeof(bytes) - cut),
                          whole);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("crc32");
    TCase *tc = tcase_create("crc32");
    tcase_add_test(tc, known_values);
    tcase_add_test(tc, every_length_at_every_alignment_agrees_with_the_definition);
    tcase_add_test(tc, a_sum_continues_where_the_last_one_ended);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(make_suite)
