/* Tests of the allocation helpers: sizes never overflow, failure leaves the old block, new memory is zero.
 * SPDX-License-Identifier: BSD-3-Clause */
#include <stdbool.h>

#include <smc/alloc.h>

#include "testing/check_main.h"

struct ledger {
    size_t held_bytes;
    size_t calls;
    bool short_of_memory;
};

static void *ledger_allocate(void *user, size_t size)
{
    struct ledger *ledger = user;
    ledger->calls++;
    if (ledger->short_of_memory)
        return NULL;
    ledger->held_bytes += size;
    void *block = malloc(size);
    memset(block, 0xa5, size);
    return block;
}

static void ledger_release(void *user, void *block, size_t size)
{
    struct ledger *ledger = user;
    ledger->held_bytes -= size;
    free(block);
}

static void *ledger_resize(void *user, void *block, size_t old_size, size_t new_size)
{
    void *grown = ledger_allocate(user, new_size);
    if (grown != NULL && block != NULL) {
        memcpy(grown, block, old_size < new_size ? old_size : new_size);
        ledger_release(user, block, old_size);
    }
    return grown;
}

static struct smc_alloc ledger_table(struct ledger *ledger)
{
    return (struct smc_alloc){ledger_allocate, ledger_resize, ledger_release, ledger};
}

START_TEST(zeroed_memory_is_zero_and_is_returned_whole)
{
    struct ledger ledger = {0};
    struct smc_alloc alloc = ledger_table(&ledger);
    unsigned char *block = smc_alloc_zeroed(&alloc, 3, 5);
    ck_assert_ptr_nonnull(block);
    ck_assert_uint_eq(ledger.held_bytes, 15);
    for (int i = 0; i < 15; i++)
        ck_assert_uint_eq(block[i], 0);
    smc_alloc_release(&alloc, block, 3, 5);
    ck_assert_uint_eq(ledger.held_bytes, 0);
}
END_TEST

START_TEST(a_product_that_overflows_never_reaches_the_allocator)
{
    struct ledger ledger = {0};
    struct smc_alloc alloc = ledger_table(&ledger);
    ck_assert_ptr_null(smc_alloc_zeroed(&alloc, SIZE_MAX / 2 + 1, 2));
    ck_assert_ptr_null(smc_alloc_zeroed(&alloc, 0, 8));
    ck_assert_ptr_null(smc_alloc_zeroed(&alloc, 8, 0));
    ck_assert_ptr_null(smc_alloc_grow(&alloc, NULL, 0, SIZE_MAX / 4 + 1, 4));
    ck_assert_ptr_null(smc_alloc_grow(&alloc, NULL, 0, 0, 4));
    ck_assert_uint_eq(ledger.calls, 0);
}
END_TEST

START_TEST(growing_keeps_the_content_and_zeroes_the_rest)
{
    struct ledger ledger = {0};
    struct smc_alloc alloc = ledger_table(&ledger);
    uint32_t *block = smc_alloc_grow(&alloc, NULL, 0, 2, sizeof(*block));
    ck_assert_ptr_nonnull(block);
    block[0] = 7;
    block[1] = 8;
    block = smc_alloc_grow(&alloc, block, 2, 4, sizeof(*block));
    ck_assert_ptr_nonnull(block);
    ck_assert_uint_eq(block[0], 7);
    ck_assert_uint_eq(block[1], 8);
    ck_assert_uint_eq(block[2], 0);
    ck_assert_uint_eq(block[3], 0);
    smc_alloc_release(&alloc, block, 4, sizeof(*block));
    ck_assert_uint_eq(ledger.held_bytes, 0);
}
END_TEST

START_TEST(a_failed_grow_leaves_the_old_block_valid)
{
    struct ledger ledger = {0};
    struct smc_alloc alloc = ledger_table(&ledger);
    uint32_t *block = smc_alloc_zeroed(&alloc, 2, sizeof(*block));
    ck_assert_ptr_nonnull(block);
    block[1] = 9;
    ledger.short_of_memory = true;
    ck_assert_ptr_null(smc_alloc_grow(&alloc, block, 2, 4, sizeof(*block)));
    ck_assert_ptr_null(smc_alloc_zeroed(&alloc, 1, 1));
    ck_assert_uint_eq(block[1], 9);
    smc_alloc_release(&alloc, block, 2, sizeof(*block));
    ck_assert_uint_eq(ledger.held_bytes, 0);
}
END_TEST

START_TEST(releasing_nothing_does_nothing)
{
    struct ledger ledger = {0};
    struct smc_alloc alloc = ledger_table(&ledger);
    smc_alloc_release(&alloc, NULL, 2, 8);
    ck_assert_uint_eq(ledger.held_bytes, 0);
}
END_TEST

static Suite *alloc_suite(void)
{
    Suite *suite = suite_create("alloc");
    TCase *tests = tcase_create("alloc");
    tcase_add_test(tests, zeroed_memory_is_zero_and_is_returned_whole);
    tcase_add_test(tests, a_product_that_overflows_never_reaches_the_allocator);
    tcase_add_test(tests, growing_keeps_the_content_and_zeroes_the_rest);
    tcase_add_test(tests, a_failed_grow_leaves_the_old_block_valid);
    tcase_add_test(tests, releasing_nothing_does_nothing);
    suite_add_tcase(suite, tests);
    return suite;
}
CHECK_MAIN(alloc_suite)
