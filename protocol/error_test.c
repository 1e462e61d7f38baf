/* Tests of the error numbers, names and texts.
 * SPDX-License-Identifier: BSD-3-Clause */
#include <limits.h>
#include <string.h>

#include <smc/error.h>

#include "testing/check_main.h"

static const int numbers[] = {
#define ERROR_NUMBER(name, number, text) SMC_ERR_##name,
    SMC_ERROR_LIST(ERROR_NUMBER)
#undef ERROR_NUMBER
};
enum { COUNT = sizeof(numbers) / sizeof(numbers[0]) };

START_TEST(numbers_are_negative_and_have_no_gap)
{
    for (int i = 0; i < COUNT; i++)
        ck_assert_int_eq(numbers[i], -1 - i);
}
END_TEST

START_TEST(every_error_has_its_own_name_and_text)
{
    for (int i = 0; i < COUNT; i++) {
        ck_assert_int_eq(strncmp(smc_error_name(numbers[i]), "SMC_ERR_", 8), 0);
        ck_assert_str_ne(smc_error_text(numbers[i]), "unknown error");
        for (int j = 0; j < i; j++) {
            ck_assert_str_ne(smc_error_name(numbers[i]), smc_error_name(numbers[j]));
            ck_assert_str_ne(smc_error_text(numbers[i]), smc_error_text(numbers[j]));
        }
    }
}
END_TEST

START_TEST(known_numbers_keep_their_names)
{
    ck_assert_str_eq(smc_error_name(0), "SMC_OK");
    ck_assert_str_eq(smc_error_text(0), "success");
    ck_assert_str_eq(smc_error_name(-1), "SMC_ERR_NOMEM");
    ck_assert_str_eq(smc_error_text(-1), "out of memory");
    ck_assert_str_eq(smc_error_name(-21), "SMC_ERR_CLOSED");
}
END_TEST

START_TEST(any_other_number_is_unknown)
{
    static const int others[] = {1, -1 - COUNT, INT_MAX, INT_MIN};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        ck_assert_ptr_null(smc_error_name(others[i]));
        ck_assert_str_eq(smc_error_text(others[i]), "unknown error");
    }
}
END_TEST

static Suite *error_suite(void)
{
    Suite *suite = suite_create("error");
    TCase *tests = tcase_create("error");
    tcase_add_test(tests, numbers_are_negative_and_have_no_gap);
    tcase_add_test(tests, every_error_has_its_own_name_and_text);
    tcase_add_test(tests, known_numbers_keep_their_names);
    tcase_add_test(tests, any_other_number_is_unknown);
    suite_add_tcase(suite, tests);
    return suite;
}
CHECK_MAIN(error_suite)
