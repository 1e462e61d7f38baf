/* Unit tests of the matrix: whose column a finding and an evaluation count for.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "matrix.h"
#include "result.h"
#include "testing/check_main.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static struct judge_matrix m;

static void start(void)
{
    judge_matrix_init(&m);
}

static void end(void)
{
    judge_matrix_free(&m);
}

static int add(const char *text)
{
    json_error_t error;
    json_t *record = json_loads(text, 0, &error);
    ck_assert_msg(record != NULL, "%s", error.text);
    int bad = judge_matrix_add(&m, record);
    json_decref(record);
    return bad;
}

static const struct judge_matrix_cell *cell(const char *column, const char *requirement)
{
    for (size_t c = 0; c < m.ncolumns; c++)
        if (strcmp(m.columns[c].name, column) == 0)
            return &m.columns[c].cells[judge_requirement_index(requirement)];
    ck_abort_msg("no column %s", column);
    return NULL;
}

static void is(const char *column, const char *requirement, enum judge_cell verdict)
{
    ck_assert_str_eq(judge_cell_name(cell(column, requirement)->verdict), judge_cell_name(verdict));
}

#define LIVE "\"scenario\":\"a.lua\",\"target\":\"vm\",\"verdict\":\"pass\",\"implementation\":\"Linux 6\",\"role\":\"alpha\",\"capture\":\"a.pcap\""
#define FOUND(rule, verdict, deviation, side)                                                                                    \
    "{\"requirement\":\"" rule "\",\"verdict\":\"" verdict "\",\"deviation\":" deviation ",\"at_fault\":\"" side               \
    "\",\"frame\":7,\"message\":\"m\"}"

START_TEST(simulated_hosts_are_all_our_core)
{
    ck_assert_int_eq(add("{\"scenario\":\"s\",\"target\":\"sim\",\"exercised\":{\"CLC-001\":3,\"CLC-002\":1},\"findings\":["
                         FOUND("CLC-002", "fail", "null", "server") "]}"), 0);
    ck_assert_uint_eq(m.ncolumns, 1);
    is("libsmc (sim)", "CLC-001", JUDGE_CELL_PASS);
    is("libsmc (sim)", "CLC-002", JUDGE_CELL_FAIL);
    is("libsmc (sim)", "CLC-003", JUDGE_CELL_NOT_EXERCISED);
    ck_assert_uint_eq(cell("libsmc (sim)", "CLC-001")->evaluated, 3);
    ck_assert(!judge_matrix_has_real(&m));
}
END_TEST

START_TEST(each_side_counts_for_who_stands_there)
{
    ck_assert_int_eq(add("{" LIVE ",\"real_side\":\"server\",\"exercised\":{\"CLC-001\":2,\"CLC-002\":2},\"exercised_by\":{\"client\":"
                         "{\"CLC-001\":1},\"server\":{\"CLC-001\":1,\"CLC-002\":2}},\"findings\":["
                         FOUND("CLC-002", "deviation", "\"A-45\"", "server") "," FOUND("CLC-001", "fail", "null", "client") "]}"), 0);
    is("Linux 6", "CLC-001", JUDGE_CELL_PASS);
    is("Linux 6", "CLC-002", JUDGE_CELL_DEVIATION);
    is("libsmc (live)", "CLC-001", JUDGE_CELL_FAIL);
    is("libsmc (live)", "CLC-002", JUDGE_CELL_NOT_EXERCISED);
    ck_assert(judge_matrix_has_real(&m));
    ck_assert_str_eq(m.columns[0].name, "libsmc (live)");
    const struct judge_evidence *e = &cell("Linux 6", "CLC-002")->evidence[0];
    ck_assert_str_eq(e->capture, "a.pcap");
    ck_assert_str_eq(e->deviation, "A-45");
    ck_assert_uint_eq(e->frame, 7);
}
END_TEST

START_TEST(a_host_that_is_both_is_known_by_its_name)
{
    ck_assert_int_eq(add("{" LIVE ",\"real_side\":\"both\",\"exercised\":{\"CLC-001\":2},\"exercised_by\":{\"client\":{\"CLC-001\":1},"
                         "\"server\":{\"CLC-001\":1}},\"findings\":[{\"requirement\":\"CLC-002\",\"verdict\":\"warn\",\"deviation\":null,"
                         "\"at_fault\":\"client\",\"host\":\"alpha\",\"message\":\"m\"},{\"requirement\":\"CLC-003\",\"verdict\":\"fail\","
                         "\"deviation\":null,\"at_fault\":\"client\",\"host\":\"beta\",\"message\":\"m\"},"
                         FOUND("CLC-004", "fail", "null", "client") "]}"), 0);
    is("Linux 6", "CLC-001", JUDGE_CELL_NOT_EXERCISED);
    is("Linux 6", "CLC-002", JUDGE_CELL_DEVIATION);
    is("libsmc (live)", "CLC-003", JUDGE_CELL_FAIL);
    is("Linux 6", "CLC-004", JUDGE_CELL_NOT_EXERCISED);
    ck_assert_uint_eq(m.unattributed, 1);
}
END_TEST

START_TEST(both_sides_count_for_a_kernel_that_was_both_hosts)
{
    ck_assert_int_eq(add("{" LIVE ",\"real_side\":\"all\",\"exercised\":{\"CLC-001\":2},\"exercised_by\":{\"client\":{\"CLC-001\":1},"
                         "\"server\":{\"CLC-003\":1}},\"findings\":[{\"requirement\":\"CLC-002\",\"verdict\":\"warn\",\"deviation\":null,"
                         "\"at_fault\":\"client\",\"host\":\"alpha\",\"message\":\"m\"}," FOUND("CLC-004", "fail", "null", "server") "]}"), 0);
    is("Linux 6", "CLC-001", JUDGE_CELL_PASS);
    is("Linux 6", "CLC-002", JUDGE_CELL_DEVIATION);
    is("Linux 6", "CLC-003", JUDGE_CELL_PASS);
    is("Linux 6", "CLC-004", JUDGE_CELL_FAIL);
    is("libsmc (live)", "CLC-001", JUDGE_CELL_NOT_EXERCISED);
    ck_assert_uint_eq(m.unattributed, 0);
}
END_TEST

START_TEST(the_worst_of_all_runs_counts_and_stands_first)
{
    static const char one[] = "{" LIVE ",\"real_side\":\"client\",\"exercised\":{\"CLC-001\":1},\"exercised_by\":{\"client\":{\"CLC-001\":1},"
                              "\"server\":{}},\"findings\":[";
    char text[2048];
    static const char *const findings[] = {"", FOUND("CLC-001", "deviation", "\"A-45\"", "client"), FOUND("CLC-001", "fail", "null", "client"),
                                           FOUND("CLC-001", "deviation", "\"A-45\"", "client"), FOUND("CLC-001", "inconclusive", "null", "client")};
    for (size_t i = 0; i < sizeof(findings) / sizeof(findings[0]); i++) {
        snprintf(text, sizeof(text), "%s%s]}", one, findings[i]);
        ck_assert_int_eq(add(text), 0);
    }
    const struct judge_matrix_cell *c = cell("Linux 6", "CLC-001");
    ck_assert_int_eq(c->verdict, JUDGE_CELL_FAIL);
    ck_assert_uint_eq(c->evaluated, 5);
    ck_assert_uint_eq(c->findings, 3);
    ck_assert_uint_eq(c->nevidence, 2); /* the same deviation of the same run is one */
    ck_assert_str_eq(c->evidence[0].verdict, "fail");
    size_t sums[JUDGE_CELLS];
    judge_matrix_sums(&m, 1, sums);
    ck_assert_uint_eq(sums[JUDGE_CELL_FAIL], 1);
    ck_assert_uint_eq(sums[JUDGE_CELL_PASS] + sums[JUDGE_CELL_DEVIATION], 0);
}
END_TEST

START_TEST(hostile_runs_and_what_did_not_run_count_for_nobody)
{
    ck_assert_int_eq(add("{" LIVE ",\"hostile\":true,\"exercised\":{\"CLC-001\":1},\"findings\":[" FOUND("CLC-001", "fail", "null", "client") "]}"), 0);
    ck_assert_int_eq(add("{" LIVE ",\"findings\":[]}"), 0);
    ck_assert_int_eq(add("[]"), 0);
    ck_assert_int_eq(add("{\"exercised\":{\"NONE-001\":1,\"CLC-001\":-1},\"target\":7,\"findings\":[3,{}]}"), 0);
    ck_assert_uint_eq(m.hostile_runs, 1);
    ck_assert_uint_eq(m.ncolumns, 1);
    is("libsmc ()", "CLC-001", JUDGE_CELL_NOT_EXERCISED);
}
END_TEST

START_TEST(only_so_many_implementations_and_findings_are_kept)
{
    char text[1024];
    int bad = 0;
    for (int i = 0; i < 40 && bad == 0; i++) {
        snprintf(text, sizeof(text), "{\"scenario\":\"%d.lua\",\"target\":\"vm\",\"implementation\":\"Linux %02d\",\"role\":\"client\",\"exercised\":{},"
                 "\"findings\":[%s]}", i, i, FOUND("CLC-001", "fail", "null", "server"));
        bad = add(text);
    }
    ck_assert_int_eq(bad, -1);
    ck_assert_uint_eq(m.ncolumns, JUDGE_MATRIX_COLUMNS);
    ck_assert_uint_eq(cell("libsmc (live)", "CLC-001")->nevidence, JUDGE_MATRIX_EVIDENCE);
    ck_assert_uint_eq(cell("libsmc (live)", "CLC-001")->findings, JUDGE_MATRIX_COLUMNS - 1);
    ck_assert_str_eq(m.columns[1].name, "Linux 00"); /* by name */
}
END_TEST

START_TEST(a_page_escapes_what_came_in)
{
    char *page = NULL;
    size_t length;
    ck_assert_int_eq(add("{\"scenario\":\"<s>\",\"target\":\"vm\",\"implementation\":\"<b>\",\"role\":\"client\",\"capture\":\"javascript:1\\\"<\","
                         "\"exercised\":{},\"findings\":[{\"requirement\":\"CLC-001\",\"verdict\":\"fail\",\"at_fault\":\"client\","
                         "\"message\":\"<img>\\u202e\"}]}"), 0);
    FILE *out = open_memstream(&page, &length);
    judge_matrix_page(&m, out);
    judge_matrix_text(&m, out);
    ck_assert_int_eq(fclose(out), 0);
    ck_assert_ptr_null(strstr(page, "<b></th>"));
    ck_assert_ptr_null(strstr(page, "<img>\xe2"));
    ck_assert_ptr_nonnull(strstr(page, "&lt;img&gt;"));
    ck_assert_ptr_nonnull(strstr(page, "href=\"./javascript%3A1%22%3C\""));
    ck_assert_ptr_nonnull(strstr(page, "[1] libsmc (live): 1 run;"));
    free(page);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("matrix");
    TCase *t = tcase_create("matrix");
    tcase_add_checked_fixture(t, start, end);
    tcase_add_test(t, simulated_hosts_are_all_our_core);
    tcase_add_test(t, each_side_counts_for_who_stands_there);
    tcase_add_test(t, a_host_that_is_both_is_known_by_its_name);
    tcase_add_test(t, both_sides_count_for_a_kernel_that_was_both_hosts);
    tcase_add_test(t, the_worst_of_all_runs_counts_and_stands_first);
    tcase_add_test(t, hostile_runs_and_what_did_not_run_count_for_nobody);
    tcase_add_test(t, only_so_many_implementations_and_findings_are_kept);
    tcase_add_test(t, a_page_escapes_what_came_in);
    suite_add_tcase(s, t);
    return s;
}

CHECK_MAIN(suite)
