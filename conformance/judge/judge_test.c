/* Tests of the judge's framework: verdicts, options, limits, order, connections, errors.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "testing/check_main.h"

#include "state.h"
#include <signal.h>
#include <string.h>
#include <unistd.h>

static const char *const a_capture = SMCLAB_SOURCE_DIR "/traces/captures/6.12.107-smclo-v1pure-a-first-contact.pcap";
static const char *const a_decline = SMCLAB_SOURCE_DIR "/traces/captures/6.12.107-v2-f3-decline-no-device-server.pcap";

static struct judge *fresh(const struct judge_options *options)
{
    struct judge *j = judge_new("test.pcap", options, NULL, NULL);
    ck_assert_ptr_nonnull(j);
    return j;
}

static void report(struct judge *j, enum judge_req req, uint64_t frame)
{
    judge_report(j, &(struct judge_case){.req = req, .side = 0, .frame = frame, .offset = -1}, "this", "that", "why");
}

/* ---- verdicts ---- */

START_TEST(a_verdict_follows_from_the_level)
{
    static const struct judge_options none;
    ck_assert_int_eq(judge_verdict_of(JUDGE_MUST, false, NULL, 0, &none), JUDGE_FAIL);
    ck_assert_int_eq(judge_verdict_of(JUDGE_SHOULD, false, NULL, 0, &none), JUDGE_WARN);
    ck_assert_int_eq(judge_verdict_of(JUDGE_SHOULD, true, NULL, 0, &none), JUDGE_WARN);
    ck_assert_int_eq(judge_verdict_of(JUDGE_MAY, true, NULL, 0, &none), JUDGE_VERDICTS);
    ck_assert_int_eq(judge_verdict_of(JUDGE_IMPL, true, NULL, 0, &none), JUDGE_FAIL);
    ck_assert_int_eq(judge_verdict_of(JUDGE_IMPL, false, NULL, 0, &none), JUDGE_VERDICTS);
}
END_TEST

START_TEST(a_deviation_excuses_what_would_be_reported)
{
    static const struct judge_options none, strict = {.strict = true};
    ck_assert_int_eq(judge_verdict_of(JUDGE_MUST, false, "A-45", 0, &none), JUDGE_DEVIATION);
    ck_assert_int_eq(judge_verdict_of(JUDGE_SHOULD, false, "A-51", 1, &none), JUDGE_DEVIATION);
    ck_assert_int_eq(judge_verdict_of(JUDGE_IMPL, false, "A-49", 0, &none), JUDGE_VERDICTS);
    ck_assert_int_eq(judge_verdict_of(JUDGE_MUST, false, "A-45", 0, &strict), JUDGE_FAIL);
    ck_assert_int_eq(judge_verdict_of(JUDGE_SHOULD, false, "A-51", 0, &strict), JUDGE_WARN);
}
END_TEST

START_TEST(a_deviation_excuses_the_implementation_that_has_it)
{
    static const struct judge_options mixed = {.implementation = {JUDGE_IMPL_LINUX, JUDGE_IMPL_OTHER}};
    static const struct judge_options others = {.implementation = {JUDGE_IMPL_OTHER, JUDGE_IMPL_OTHER}};
    ck_assert_int_eq(judge_verdict_of(JUDGE_MUST, false, "A-45", 0, &mixed), JUDGE_DEVIATION);
    ck_assert_int_eq(judge_verdict_of(JUDGE_MUST, false, "A-45", 1, &mixed), JUDGE_FAIL);
    ck_assert_int_eq(judge_verdict_of(JUDGE_MUST, false, "A-45", -1, &mixed), JUDGE_DEVIATION);
    ck_assert_int_eq(judge_verdict_of(JUDGE_MUST, false, "A-45", -1, &others), JUDGE_FAIL);
}
END_TEST

START_TEST(an_impl_row_binds_by_connection_group_or_message)
{
    struct judge *j = fresh(NULL);
    struct trace_conn v1 = {.id = 1, .version = 1, .mode = TRACE_MODE_SMCR};
    struct trace_conn v2 = {.id = 2, .version = 2, .mode = TRACE_MODE_SMCR};
    struct trace_conn smcd = {.id = 3, .version = 1, .mode = TRACE_MODE_SMCD};
    struct trace_group group = {.id = 1, .version = 2};
    judge_report(j, &(struct judge_case){.req = REQ_CLC_023, .frame = 1, .conn = &v1, .offset = -1}, "", "", "v1");
    ck_assert_uint_eq(judge_result_of(j)->summary[JUDGE_FAIL], 0);
    judge_report(j, &(struct judge_case){.req = REQ_CLC_023, .frame = 2, .conn = &v2, .offset = -1}, "", "", "v2");
    judge_report(j, &(struct judge_case){.req = REQ_CLC_023, .frame = 3, .conn = &smcd, .offset = -1}, "", "", "SMC-D");
    judge_report(j, &(struct judge_case){.req = REQ_CLC_023, .frame = 4, .group = &group, .offset = -1}, "", "", "group");
    judge_report(j, &(struct judge_case){.req = REQ_CLC_023, .frame = 5, .v2 = true, .offset = -1}, "", "", "message");
    ck_assert_uint_eq(judge_result_of(j)->summary[JUDGE_FAIL], 4);
    judge_free(j);
}
END_TEST

START_TEST(a_deviation_that_does_not_excuse_the_requirement_aborts)
{
    struct judge *j = fresh(NULL);
    judge_report(j, &(struct judge_case){.req = REQ_CLC_001, .offset = -1, .deviation = "A-45"}, "", "", "wrong entry");
}
END_TEST

/* ---- findings ---- */

START_TEST(a_finding_holds_what_the_check_said)
{
    struct judge *j = fresh(NULL);
    struct trace_conn conn = {.id = 17};
    judge_report(j, &(struct judge_case){.req = REQ_CDC_002, .side = 1, .frame = 9, .related = {3, 0, 5}, .conn = &conn,
                 .offset = 0}, JT("%u", 7u), JHEX((const uint8_t *)"\xab\xcd", 2), "number %d", 7);
    const struct judge_result *r = judge_finish(j, NULL);
    ck_assert_uint_eq(r->nfindings, 1);
    const struct judge_finding *f = &r->findings[0];
    ck_assert_int_eq(f->requirement, REQ_CDC_002);
    ck_assert_int_eq(f->verdict, JUDGE_FAIL);
    ck_assert_int_eq(f->at_fault, JUDGE_FAULT_SERVER);
    ck_assert_uint_eq(f->frame, 9);
    ck_assert_uint_eq(f->nrelated, 2);
    ck_assert_uint_eq(f->related[1], 5);
    ck_assert_uint_eq(f->connection, 17);
    ck_assert_int_eq(f->offset, 0);
    ck_assert_str_eq(f->seen, "7");
    ck_assert_str_eq(f->expected, "abcd");
    ck_assert_str_eq(f->message, "number 7");
    ck_assert_ptr_null(f->deviation);
    judge_free(j);
}
END_TEST

START_TEST(the_same_finding_is_listed_once)
{
    struct judge *j = fresh(NULL);
    for (int i = 0; i < 3; i++)
        report(j, REQ_CLC_001, 5);
    report(j, REQ_CLC_001, 6);
    report(j, REQ_CLC_007, 5);
    const struct judge_result *r = judge_finish(j, NULL);
    ck_assert_uint_eq(r->nfindings, 3);
    ck_assert_uint_eq(r->summary[JUDGE_FAIL], 3);
    judge_free(j);
}
END_TEST

START_TEST(fifty_findings_of_a_requirement_are_listed_and_all_are_counted)
{
    struct judge *j = fresh(NULL);
    for (uint64_t frame = 1; frame <= 60; frame++)
        report(j, REQ_CLC_001, frame);
    /* Another verdict of the same requirement is not crowded out. */
    judge_inconclusive(j, &(struct judge_case){.req = REQ_CLC_001, .offset = -1}, "the capture began late");
    report(j, REQ_CLC_007, 1);
    const struct judge_result *r = judge_finish(j, NULL);
    ck_assert_uint_eq(r->nfindings, 52);
    ck_assert_uint_eq(r->dropped_findings, 10);
    ck_assert_uint_eq(r->summary[JUDGE_FAIL], 61);
    ck_assert_uint_eq(r->summary[JUDGE_INCONCLUSIVE], 1);
    judge_free(j);
}
END_TEST

START_TEST(findings_are_sorted_by_frame_and_requirement)
{
    struct judge *j = fresh(NULL);
    report(j, REQ_CLC_007, 0);
    report(j, REQ_CLC_007, 8);
    report(j, REQ_CLC_001, 8);
    report(j, REQ_CLC_008, 2);
    const struct judge_result *r = judge_finish(j, NULL);
    ck_assert_uint_eq(r->nfindings, 4);
    ck_assert_uint_eq(r->findings[0].frame, 2);
    ck_assert_int_eq(r->findings[1].requirement, REQ_CLC_001);
    ck_assert_int_eq(r->findings[2].requirement, REQ_CLC_007);
    ck_assert_uint_eq(r->findings[3].frame, 0); /* what is absent stands last */
    judge_free(j);
}
END_TEST

START_TEST(inconclusive_is_said_once_for_each_connection_and_group)
{
    struct judge *j = fresh(NULL);
    struct trace_conn conns[2] = {{.id = 1}, {.id = 2}};
    struct trace_group group = {.id = 1};
    for (int i = 0; i < 2; i++) {
        ck_assert_ptr_nonnull(judge_conn_slot(&conns[i], JUDGE_AREA_DATA));
        for (int times = 0; times < 3; times++)
            judge_inconclusive(j, &(struct judge_case){.req = REQ_CDC_007, .conn = &conns[i], .offset = -1}, "cut");
    }
    ck_assert_ptr_nonnull(judge_group_slot(&group, JUDGE_AREA_LLC));
    for (int times = 0; times < 3; times++) {
        judge_inconclusive(j, &(struct judge_case){.req = REQ_LLC_021, .group = &group, .offset = -1}, "late");
        judge_inconclusive(j, &(struct judge_case){.req = REQ_LLC_021, .offset = -1}, "empty");
    }
    ck_assert_uint_eq(judge_finish(j, NULL)->summary[JUDGE_INCONCLUSIVE], 4);
    judge_slots_free(&conns[0].user);
    judge_slots_free(&conns[1].user);
    judge_slots_free(&group.user);
    judge_free(j);
}
END_TEST

static void count_finding(void *ctx, const struct judge_finding *f)
{
    const struct judge_finding **last = ctx;
    *last = f;
}

START_TEST(the_listener_of_findings_may_keep_them)
{
    struct judge *j = fresh(NULL);
    const struct judge_finding *last = NULL;
    judge_on_finding(j, count_finding, &last);
    report(j, REQ_CLC_001, 1);
    const struct judge_finding *first = last;
    for (uint64_t frame = 2; frame < 100; frame++)
        report(j, REQ_CLC_001, frame);
    judge_finish(j, NULL);
    ck_assert_uint_eq(first->frame, 1);
    ck_assert_str_eq(first->message, "why");
    judge_free(j);
}
END_TEST

START_TEST(evaluations_are_counted_kept_or_broken)
{
    struct judge *j = fresh(NULL);
    ck_assert(judge_holds(j, REQ_CLC_001, true));
    ck_assert(!judge_holds(j, REQ_CLC_001, false));
    const struct judge_result *r = judge_finish(j, NULL);
    ck_assert_uint_eq(r->exercised[REQ_CLC_001], 2);
    ck_assert_uint_eq(r->exercised[REQ_CLC_002], 0);
    ck_assert(r->anything_judged);
    judge_free(j);
}
END_TEST

START_TEST(evaluations_count_for_the_side_that_acted)
{
    char error[256];
    struct judge *j = judge_file(SMCLAB_SOURCE_DIR "/traces/captures/7.3.4-smclo-v2-k-urgent.pcap", NULL, NULL, NULL, error, sizeof error);
    ck_assert_msg(j != NULL, "%s", error);
    const struct judge_result *r = judge_result_of(j);
    for (size_t i = 0; i < judge_catalogue_size; i++)
        ck_assert_uint_le(r->exercised_by[0][i], r->exercised[i]);
    ck_assert_uint_gt(r->exercised_by[0][REQ_CLC_023], 0); /* the Proposal is the client's */
    ck_assert_uint_eq(r->exercised_by[1][REQ_CLC_023], 0);
    ck_assert_uint_gt(r->exercised_by[0][REQ_CDC_002], 0);
    ck_assert_uint_gt(r->exercised_by[1][REQ_CDC_002], 0);
    ck_assert_uint_gt(r->exercised_by[1][REQ_CURSOR_018], 0); /* the reader's deviation A-46 */
    judge_free(j);
}
END_TEST

START_TEST(texts_are_cut_not_overrun)
{
    uint8_t bytes[200];
    memset(bytes, 0x5a, sizeof bytes);
    ck_assert_uint_lt(strlen(JHEX(bytes, sizeof bytes)), 160);
    ck_assert_uint_eq(strlen(JHEX(bytes, 77)), 154);
    ck_assert_str_eq(JHEX(bytes, 0), "");
    ck_assert_uint_eq(strlen(JT("%0300d", 1)), 159);
}
END_TEST

/* ---- files ---- */

static unsigned observed;

static void observe(void *ctx, const struct trace_clc_event *e)
{
    ck_assert_ptr_eq(ctx, &observed);
    observed += e->type;
}

START_TEST(a_capture_is_judged_and_its_connections_listed)
{
    static const struct trace_session_events observer = {.clc = observe};
    char error[512];
    observed = 0;
    struct judge *j = judge_file(a_capture, NULL, &observer, &observed, error, sizeof error);
    ck_assert_ptr_nonnull(j);
    const struct judge_result *r = judge_result_of(j);
    ck_assert_uint_eq(observed, 1 + 2 + 3); /* Proposal, Accept, Confirm */
    ck_assert_uint_eq(r->packets, 43);
    ck_assert_uint_eq(r->summary[JUDGE_FAIL] + r->summary[JUDGE_WARN], 0);
    ck_assert(r->anything_judged);
    ck_assert_ptr_null(r->error);
    ck_assert_uint_eq(r->nconnections, 1);
    const struct judge_connection *c = &r->connections[0];
    ck_assert_int_eq(c->mode, TRACE_MODE_SMCR);
    ck_assert_int_eq(c->version, 1);
    ck_assert(c->bytes_known[0] && c->bytes_known[1]);
    ck_assert_uint_eq(c->bytes[0], 32);
    ck_assert_uint_eq(c->bytes[1], 32);
    ck_assert_uint_ne(c->group, 0);
    ck_assert_ptr_null(c->fallback);
    ck_assert_ptr_eq(judge_finish(j, NULL), r);
    judge_free(j);
}
END_TEST

START_TEST(a_declined_connection_says_why_it_is_plain_tcp)
{
    char error[512];
    struct judge *j = judge_file(a_decline, NULL, NULL, NULL, error, sizeof error);
    ck_assert_ptr_nonnull(j);
    const struct judge_connection *c = &judge_result_of(j)->connections[0];
    ck_assert_int_eq(c->mode, TRACE_MODE_TCP);
    ck_assert(c->declined);
    ck_assert_uint_eq(c->decline, 0x03030002);
    ck_assert_ptr_nonnull(c->fallback);
    ck_assert_uint_eq(c->bytes[0], 32);
    judge_free(j);
}
END_TEST

START_TEST(a_file_that_cannot_be_opened_gives_an_error)
{
    char error[512] = "";
    ck_assert_ptr_null(judge_file("/nonexistent/capture.pcap", NULL, NULL, NULL, error, sizeof error));
    ck_assert_uint_gt(strlen(error), 0);
}
END_TEST

/* The first `size` bytes of the capture in a file of its own; its path in `path`. */
static void cut_capture(char *path, size_t size)
{
    uint8_t bytes[2048];
    FILE *in = fopen(a_capture, "rb");
    ck_assert_ptr_nonnull(in);
    ck_assert_uint_le(size, sizeof bytes);
    ck_assert_uint_eq(fread(bytes, 1, size, in), size);
    fclose(in);
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
    close(fd);
}

START_TEST(what_was_readable_of_a_broken_file_is_judged)
{
    char path[] = "/tmp/judge_test_XXXXXX", error[512];
    cut_capture(path, 24 + 16 + 82 + 16 + 40); /* the second record is cut */
    struct judge *j = judge_file(path, NULL, NULL, NULL, error, sizeof error);
    unlink(path);
    ck_assert_ptr_nonnull(j);
    ck_assert_uint_eq(judge_result_of(j)->packets, 1);
    ck_assert_ptr_nonnull(judge_result_of(j)->error);
    judge_free(j);
}
END_TEST

START_TEST(nothing_is_judged_where_there_is_no_smc)
{
    struct judge *j = fresh(NULL);
    static const uint8_t frame[60] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 8, 6};
    struct trace_raw raw = {.frame = 1, .ts_ns = 1, .linktype = 1, .wire_len = sizeof frame,
                            .bytes = smc_view_of(frame, sizeof frame)};
    ck_assert_int_eq(judge_input(j, &raw), 0);
    const struct judge_result *r = judge_finish(j, "cut");
    ck_assert_uint_eq(r->packets, 1);
    ck_assert(!r->anything_judged);
    ck_assert_str_eq(r->error, "cut");
    judge_free(j);
}
END_TEST

START_TEST(a_judge_that_never_finished_gives_everything_back)
{
    struct judge *j = fresh(NULL);
    report(j, REQ_CLC_001, 1);
    judge_free(j);
    judge_free(NULL);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("judge");
    TCase *verdicts = tcase_create("verdicts");
    tcase_add_test(verdicts, a_verdict_follows_from_the_level);
    tcase_add_test(verdicts, a_deviation_excuses_what_would_be_reported);
    tcase_add_test(verdicts, a_deviation_excuses_the_implementation_that_has_it);
    tcase_add_test(verdicts, an_impl_row_binds_by_connection_group_or_message);
    tcase_add_test_raise_signal(verdicts, a_deviation_that_does_not_excuse_the_requirement_aborts, SIGABRT);
    suite_add_tcase(suite, verdicts);
    TCase *findings = tcase_create("findings");
    tcase_add_test(findings, a_finding_holds_what_the_check_said);
    tcase_add_test(findings, the_same_finding_is_listed_once);
    tcase_add_test(findings, fifty_findings_of_a_requirement_are_listed_and_all_are_counted);
    tcase_add_test(findings, findings_are_sorted_by_frame_and_requirement);
    tcase_add_test(findings, inconclusive_is_said_once_for_each_connection_and_group);
    tcase_add_test(findings, the_listener_of_findings_may_keep_them);
    tcase_add_test(findings, evaluations_are_counted_kept_or_broken);
    tcase_add_test(findings, evaluations_count_for_the_side_that_acted);
    tcase_add_test(findings, texts_are_cut_not_overrun);
    suite_add_tcase(suite, findings);
    TCase *files = tcase_create("files");
    tcase_add_test(files, a_capture_is_judged_and_its_connections_listed);
    tcase_add_test(files, a_declined_connection_says_why_it_is_plain_tcp);
    tcase_add_test(files, a_file_that_cannot_be_opened_gives_an_error);
    tcase_add_test(files, what_was_readable_of_a_broken_file_is_judged);
    tcase_add_test(files, nothing_is_judged_where_there_is_no_smc);
    tcase_add_test(files, a_judge_that_never_finished_gives_everything_back);
    suite_add_tcase(suite, files);
    return suite;
}

CHECK_MAIN(make_suite)
