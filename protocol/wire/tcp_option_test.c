/* Tests of the TCP option.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "wire_test.h"

#include "wire/tcp_option.h"

static enum smc_tcp_option_found find(const uint8_t *bytes, size_t n, size_t *at, unsigned *length)
{
    uint8_t *p = exactly(bytes, n);
    enum smc_tcp_option_found found = smc_tcp_option_find(smc_view_of(p, n), at, length);
    free(p);
    return found;
}

START_TEST(the_option_is_found_behind_others)
{
    static const uint8_t syn[] = {2, 4, 5, 0xb4, 4, 2, 8, 10, 1,    2, 3,    4,    0,    0,
                                  0, 0, 1, 3,    3, 7, 1, 1,  0xfe, 6, 0xe2, 0xd4, 0xc3, 0xd9};
    size_t at = 0;
    unsigned length = 0;
    ck_assert_int_eq(find(syn, sizeof(syn), &at, &length), SMC_OPTION_PRESENT);
    ck_assert_uint_eq(at, 22);
    ck_assert_uint_eq(length, 6);
    ck_assert_int_eq(find(vector_tcp_option, 6, NULL, NULL), SMC_OPTION_PRESENT);
}
END_TEST

START_TEST(every_cut_is_no_option)
{
    for (size_t n = 0; n < sizeof(vector_tcp_option_padded); n++)
        ck_assert_int_eq(find(vector_tcp_option_padded, n, NULL, NULL), SMC_OPTION_ABSENT);
}
END_TEST

START_TEST(other_experiments_and_lengths_are_told_apart) /* [TCPOPT-001], deviation A-44 */
{
    static const struct {
        uint8_t bytes[12];
        size_t n;
        enum smc_tcp_option_found found;
    } cases[] = {
        {{253, 6, 0xe2, 0xd4, 0xc3, 0xd9}, 6, SMC_OPTION_ABSENT},
        {{254, 6, 0xe2, 0xd4, 0xc3, 0xc4}, 6, SMC_OPTION_ABSENT},
        {{254, 5, 0xe2, 0xd4, 0xc3, 0xd9}, 6, SMC_OPTION_ABSENT},
        {{254, 7, 0xe2, 0xd4, 0xc3, 0xd9, 0}, 7, SMC_OPTION_LONG_ODD},
        {{254, 8, 0xe2, 0xd4, 0xc3, 0xd9, 0, 0}, 8, SMC_OPTION_LONG_EVEN},
        {{254, 255, 0xe2, 0xd4, 0xc3, 0xd9}, 6, SMC_OPTION_ABSENT},
        {{254, 0, 0xe2, 0xd4, 0xc3, 0xd9}, 6, SMC_OPTION_ABSENT},
        {{254, 1, 0xe2, 0xd4, 0xc3, 0xd9}, 6, SMC_OPTION_ABSENT},
        {{0, 0, 254, 6, 0xe2, 0xd4, 0xc3, 0xd9},
         8,
         SMC_OPTION_ABSENT}, /* behind the end of the list */
    };
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        ck_assert_msg(find(cases[i].bytes, cases[i].n, NULL, NULL) == cases[i].found, "case %u", i);
}
END_TEST

START_TEST(the_best_of_several_counts)
{
    static const uint8_t two[] = {254, 8,   0xe2, 0xd4, 0xc3, 0xd9, 0,
                                  0,   254, 6,    0xe2, 0xd4, 0xc3, 0xd9};
    size_t at = 99;
    ck_assert_int_eq(find(two, sizeof(two), &at, NULL), SMC_OPTION_PRESENT);
    ck_assert_uint_eq(at, 8);
    ck_assert_int_eq(find(two, 8, &at, NULL), SMC_OPTION_LONG_EVEN);
    ck_assert_uint_eq(at, 0);
}
END_TEST

START_TEST(it_is_written_as_linux_does_if_eight_bytes_are_free) /* [TCPOPT-007] */
{
    uint8_t buf[8];
    ck_assert_uint_eq(smc_tcp_option_write(buf, 7), 0);
    ck_assert_uint_eq(smc_tcp_option_write(buf, 8), 8);
    ck_assert_mem_eq(buf, vector_tcp_option_padded, 8);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("tcp_option");
    TCase *tc = tcase_create("tcp_option");
    tcase_add_test(tc, the_option_is_found_behind_others);
    tcase_add_test(tc, every_cut_is_no_option);
    tcase_add_test(tc, other_experiments_and_lengths_are_told_apart);
    tcase_add_test(tc, the_best_of_several_counts);
    tcase_add_test(tc, it_is_written_as_linux_does_if_eight_bytes_are_free);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(make_suite)
