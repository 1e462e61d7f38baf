/* Tests of the random streams: known values, independence, no bias, bounds.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/random.h"

#include "testing/check_main.h"

#include <inttypes.h>
#include <string.h>

START_TEST(a_stream_is_the_same_everywhere)
{
    struct sim_random r;
    char text[80];
    sim_random_init(&r, 42, "loss");
    uint64_t a = sim_random_next(&r), b = sim_random_next(&r), c = sim_random_below(&r, 1000);
    snprintf(text, sizeof text, "%016" PRIx64 " %016" PRIx64 " %" PRIu64, a, b, c);
    ck_assert_str_eq(text, "1f35ee1b368540c2 b9741b0922f10655 150");
}
END_TEST

START_TEST(streams_of_other_names_and_seeds_differ)
{
    struct sim_random a, b, c;
    unsigned equal = 0;
    sim_random_init(&a, 1, "loss");
    sim_random_init(&b, 1, "delay");
    sim_random_init(&c, 2, "loss");
    for (int i = 0; i < 1000; i++) {
        uint64_t x = sim_random_next(&a);
        equal += x == sim_random_next(&b);
        equal += x == sim_random_next(&c);
    }
    ck_assert_uint_eq(equal, 0);
}
END_TEST

START_TEST(ranges_are_kept_and_even)
{
    struct sim_random r;
    unsigned count[7] = {0};
    sim_random_init(&r, 3, "even");
    for (int i = 0; i < 70000; i++) {
        uint64_t x = sim_random_range(&r, 10, 16);
        ck_assert(x >= 10 && x <= 16);
        count[x - 10]++;
    }
    for (int i = 0; i < 7; i++)
        ck_assert(count[i] > 9600 && count[i] < 10400); /* 4 standard deviations */
    ck_assert_uint_eq(sim_random_below(&r, 0), 0);
    ck_assert_uint_eq(sim_random_below(&r, 1), 0);
    ck_assert_uint_eq(sim_random_range(&r, 5, 5), 5);
    (void)sim_random_range(&r, 0, UINT64_MAX);
}
END_TEST

START_TEST(a_bound_of_two_thirds_is_not_biased)
{
    /* x % n would put half of all values into the lowest third here. */
    struct sim_random r;
    uint64_t n = UINT64_C(0xaaaaaaaaaaaaaaaa);
    unsigned low = 0;
    sim_random_init(&r, 4, "bias");
    for (int i = 0; i < 30000; i++)
        low += sim_random_below(&r, n) < n / 2;
    ck_assert(low > 14600 && low < 15400);
}
END_TEST

START_TEST(chance_is_exact_at_its_ends)
{
    struct sim_random r, copy;
    unsigned hits = 0;
    sim_random_init(&r, 5, "chance");
    copy = r;
    for (int i = 0; i < 100; i++) {
        ck_assert(!sim_random_chance(&r, 0, 10));
        ck_assert(sim_random_chance(&r, 10, 10));
    }
    ck_assert_mem_eq(&r, &copy, sizeof r); /* nothing drawn */
    for (int i = 0; i < 100000; i++)
        hits += sim_random_chance(&r, 3, 10);
    ck_assert(hits > 29400 && hits < 30600);
}
END_TEST

START_TEST(a_shuffle_keeps_all_elements)
{
    struct sim_random r;
    uint32_t deck[52], seen = 0, moved = 0;
    sim_random_init(&r, 6, "deck");
    for (uint32_t i = 0; i < 52; i++)
        deck[i] = i;
    sim_random_shuffle(&r, deck, 52, sizeof *deck);
    for (uint32_t i = 0; i < 52; i++) {
        seen += deck[i];
        moved += deck[i] != i;
    }
    ck_assert_uint_eq(seen, 51 * 52 / 2);
    ck_assert_uint_gt(moved, 40);
    sim_random_shuffle(&r, deck, 0, sizeof *deck);
}
END_TEST

START_TEST(bytes_do_not_depend_on_byte_order_or_length)
{
    struct sim_random a, b;
    uint8_t x[13] = {0}, y[16] = {0};
    sim_random_init(&a, 7, "bytes");
    b = a;
    sim_random_bytes(&a, x, sizeof x);
    sim_random_bytes(&b, y, sizeof y);
    ck_assert_mem_eq(x, y, sizeof x);
    ck_assert_mem_eq(&a, &b, sizeof a);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *s = suite_create("random");
    TCase *c = tcase_create("streams");
    tcase_add_test(c, a_stream_is_the_same_everywhere);
    tcase_add_test(c, streams_of_other_names_and_seeds_differ);
    tcase_add_test(c, ranges_are_kept_and_even);
    tcase_add_test(c, a_bound_of_two_thirds_is_not_biased);
    tcase_add_test(c, chance_is_exact_at_its_ends);
    tcase_add_test(c, a_shuffle_keeps_all_elements);
    tcase_add_test(c, bytes_do_not_depend_on_byte_order_or_length);
    suite_add_tcase(s, c);
    return s;
}
CHECK_MAIN(make_suite)
