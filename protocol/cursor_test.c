/* Tests of cursor arithmetic against plain 64-bit positions.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "cursor.h"

#include "testing/check_main.h"

static struct smc_cursor at(uint64_t position, uint32_t size)
{
    return (struct smc_cursor){.count = (uint32_t)(position % size), .wrap = (uint16_t)(position / size)};
}

static void same(struct smc_cursor a, struct smc_cursor b)
{
    ck_assert_uint_eq(a.count, b.count);
    ck_assert_uint_eq(a.wrap, b.wrap);
}

/* Every start, every step, around the wrap of the 16 bits. */
START_TEST(adding_and_going_back_agree_with_positions)
{
    enum { SIZE = 5 };
    for (uint64_t start = 65533 * SIZE; start < 65539 * SIZE; start++)
        for (uint32_t n = 0; n <= SIZE; n++) {
            same(smc_cursor_add(at(start, SIZE), SIZE, n), at(start + n, SIZE));
            for (uint32_t more = 0; more <= 4 * SIZE; more += SIZE) /* data of a send buffer that holds several rings */
                same(smc_cursor_back(at(start + n + more, SIZE), SIZE, n + more), at(start, SIZE));
        }
}
END_TEST

START_TEST(a_distance_is_known_from_nought_to_the_whole_ring_and_refused_beyond)
{
    enum { SIZE = 7 };
    for (uint64_t start = 65534 * SIZE; start < 65538 * SIZE; start++)
        for (int n = -2 * SIZE; n <= 3 * SIZE; n++) {
            int64_t d = smc_cursor_distance(at(start, SIZE), at(start + (uint64_t)n, SIZE), SIZE);
            ck_assert_int_eq(d, n >= 0 && n <= SIZE ? n : -1); /* full and empty are told apart [CURSOR-002] */
        }
}
END_TEST

START_TEST(before_is_serial_arithmetic)
{
    enum { SIZE = 3 };
    for (uint64_t start = 65535 * SIZE; start < 65538 * SIZE; start++)
        for (int n = -30000 * SIZE; n <= 30000 * SIZE; n += 7)
            ck_assert(smc_cursor_before(at(start + (uint64_t)n, SIZE), at(start, SIZE)) == (n < 0)); /* [CURSOR-009] */
    struct smc_cursor last = {.wrap = 0xffff, .count = 2}, next = {.wrap = 1, .count = 0};
    ck_assert(!smc_cursor_before(next, last)); /* a jump from 0xffff to 1 is no step back */
    ck_assert(smc_cursor_before(last, next));
    ck_assert(smc_cursor_equal(last, last));
    ck_assert(!smc_cursor_equal(last, next));
}
END_TEST

static Suite *cursor_suite(void)
{
    Suite *suite = suite_create("cursor");
    TCase *tests = tcase_create("cursor");
    tcase_add_test(tests, adding_and_going_back_agree_with_positions);
    tcase_add_test(tests, a_distance_is_known_from_nought_to_the_whole_ring_and_refused_beyond);
    tcase_add_test(tests, before_is_serial_arithmetic);
    suite_add_tcase(suite, tests);
    return suite;
}
CHECK_MAIN(cursor_suite)
