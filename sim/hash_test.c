/* Tests of the digest: known values, any division into calls, every byte counts.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/hash.h"

#include "testing/check_main.h"

#include <string.h>

static void fill(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(i * 7 + 3);
}

START_TEST(the_value_is_the_same_on_every_machine)
{
    uint8_t data[100];
    struct sim_hash h;
    uint64_t value[2];
    char text[SIM_HASH_TEXT];
    fill(data, sizeof data);
    sim_hash_init(&h, 1);
    sim_hash_add(&h, data, sizeof data);
    sim_hash_value(&h, value);
    ck_assert_str_eq(sim_hash_text(value, text), "820538049dba16b9b8023ba385086039");
    ck_assert_uint_eq(sim_hash_64(data, sizeof data, 1), value[0]);
}
END_TEST

START_TEST(the_division_into_calls_does_not_matter)
{
    uint8_t data[200];
    fill(data, sizeof data);
    for (size_t n = 0; n <= sizeof data; n++)
        for (size_t step = 1; step < 70; step += 3) {
            struct sim_hash h;
            uint64_t value[2];
            sim_hash_init(&h, 9);
            for (size_t i = 0; i < n; i += step)
                sim_hash_add(&h, data + i, n - i < step ? n - i : step);
            sim_hash_value(&h, value);
            ck_assert_uint_eq(value[0], sim_hash_64(data, n, 9));
        }
}
END_TEST

START_TEST(every_bit_the_length_and_the_seed_count)
{
    uint8_t data[80] = {0};
    uint64_t plain = sim_hash_64(data, sizeof data, 0);
    for (size_t i = 0; i < sizeof data * 8; i++) {
        data[i / 8] ^= (uint8_t)(1 << i % 8);
        ck_assert_uint_ne(sim_hash_64(data, sizeof data, 0), plain);
        data[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    for (size_t n = 0; n < sizeof data; n++)
        ck_assert_uint_ne(sim_hash_64(data, n, 0), sim_hash_64(data, n + 1, 0));
    ck_assert_uint_ne(sim_hash_64(data, sizeof data, 1), plain);
}
END_TEST

START_TEST(values_may_be_taken_in_between)
{
    struct sim_hash h;
    uint64_t first[2], second[2];
    sim_hash_init(&h, 0);
    sim_hash_add_u64(&h, 5);
    sim_hash_value(&h, first);
    sim_hash_value(&h, second);
    ck_assert_mem_eq(first, second, sizeof first);
    sim_hash_add(&h, "", 0);
    sim_hash_value(&h, second);
    ck_assert_mem_eq(first, second, sizeof first);
    sim_hash_add_u64(&h, 5);
    sim_hash_value(&h, second);
    ck_assert_uint_ne(first[0], second[0]);
    ck_assert_uint_ne(first[1], second[1]);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *s = suite_create("hash");
    TCase *c = tcase_create("digest");
    tcase_add_test(c, the_value_is_the_same_on_every_machine);
    tcase_add_test(c, the_division_into_calls_does_not_matter);
    tcase_add_test(c, every_bit_the_length_and_the_seed_count);
    tcase_add_test(c, values_may_be_taken_in_between);
    suite_add_tcase(s, c);
    return s;
}
CHECK_MAIN(make_suite)
