/* Tests of the embedded catalogue: rows, constants and look-up agree.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "testing/check_main.h"

#include "check.h"
#include <string.h>

START_TEST(constants_are_indexes_of_their_rows)
{
    ck_assert_uint_eq(judge_catalogue_size, JUDGE_REQUIREMENTS);
    ck_assert_str_eq(judge_catalogue[REQ_TCPOPT_001].id, "TCPOPT-001");
    ck_assert_str_eq(judge_catalogue[REQ_CLC_081].id, "CLC-081");
    ck_assert_str_eq(judge_catalogue[REQ_ROCE_016].id, "ROCE-016");
    ck_assert_int_eq(REQ_TCPOPT_001, 0);
}
END_TEST

START_TEST(every_id_is_found_once)
{
    for (size_t i = 0; i < judge_catalogue_size; i++)
        ck_assert_int_eq(judge_requirement_index(judge_catalogue[i].id), (int)i);
    ck_assert_int_eq(judge_requirement_index("CLC-999"), -1);
    ck_assert_int_eq(judge_requirement_index("CLC-00"), -1);
    ck_assert_int_eq(judge_requirement_index(""), -1);
}
END_TEST

START_TEST(levels_and_texts_come_from_the_file)
{
    ck_assert_int_eq(judge_catalogue[REQ_TCPOPT_001].level, JUDGE_MUST);
    ck_assert_int_eq(judge_catalogue[REQ_TCPOPT_003].level, JUDGE_SHOULD);
    ck_assert_int_eq(judge_catalogue[REQ_TCPOPT_004].level, JUDGE_MAY);
    ck_assert_int_eq(judge_catalogue[REQ_TCPOPT_007].level, JUDGE_IMPL);
    ck_assert_str_eq(judge_catalogue[REQ_TCPOPT_001].source, "RFC 7609 3.1");
    /* A text with a comma, which the file has to quote. */
    ck_assert_str_eq(judge_catalogue[REQ_TCPOPT_001].text,
                     "Use option kind 254, length 6, ExID 0xE2D4C3D9 to announce SMC");
}
END_TEST

START_TEST(every_row_is_whole)
{
    for (size_t i = 0; i < judge_catalogue_size; i++) {
        const struct judge_requirement *r = &judge_catalogue[i];
        size_t area = strlen(r->area);
        ck_assert_msg(strncmp(r->id, r->area, area) == 0 && r->id[area] == '-', "%s is not of area %s", r->id, r->area);
        ck_assert_msg(r->text[0] != '\0' && r->source[0] != '\0' && r->observable[0] != '\0', "%s lacks a column", r->id);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("catalogue");
    TCase *tests = tcase_create("catalogue");
    tcase_add_test(tests, constants_are_indexes_of_their_rows);
    tcase_add_test(tests, every_id_is_found_once);
    tcase_add_test(tests, levels_and_texts_come_from_the_file);
    tcase_add_test(tests, every_row_is_whole);
    suite_add_tcase(suite, tests);
    return suite;
}

CHECK_MAIN(make_suite)
