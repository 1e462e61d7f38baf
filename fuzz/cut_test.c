/* Test: a capture cut at every byte is judged to where it goes, and being cut is nobody's fault.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "testing/check_main.h"

#include "conformance/judge/judge.h"
#include "fuzz/fuzz.h"
#include "traces/reader.h"
#include <string.h>

enum { ROOM = 1 << 16, FILE_HEADER = 24, RECORD_HEADER = 16 };
static const char *const captures[] = {"captures/6.12.107-v2-a-first-contact.pcap",
                                       "captures/6.12.107-smclo-v1pure-d2-half-close-peer-sends.pcap",
                                       "captures/7.3.4-smclo-smcd-a-first-contact.pcap"};

static size_t load(const char *name, uint8_t *data)
{
    char path[512];
    snprintf(path, sizeof path, "%s/traces/%s", SMCLAB_SOURCE_DIR, name);
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    size_t size = fread(data, 1, ROOM, file);
    fclose(file);
    ck_assert_uint_lt(size, ROOM);
    return size;
}

/* Packets that are whole in the first `size` bytes; *clean: they end exactly there. */
static uint64_t whole_packets(const uint8_t *data, size_t size, bool *clean)
{
    uint64_t n = 0;
    size_t at = FILE_HEADER;
    while (size - at >= RECORD_HEADER) {
        size_t captured = (size_t)smc_load_le(data + at + 8, 4);
        if (size - at - RECORD_HEADER < captured)
            break;
        at += RECORD_HEADER + captured;
        n++;
    }
    *clean = at == size;
    return n;
}

static void judge_prefix(const uint8_t *data, size_t size)
{
    static const struct judge_options options = {.strict = false};
    char error[512] = "";
    struct trace_raw raw;
    enum trace_read state;
    bool clean;
    struct trace_reader *reader = trace_reader_open_stream(fuzz_open(data, size), "cut", error, sizeof error);
    if (reader == NULL) {
        ck_assert_uint_lt(size, FILE_HEADER);
        ck_assert_str_ne(error, "");
        return;
    }
    struct judge *judge = judge_new("cut", &options, NULL, NULL);
    ck_assert_ptr_nonnull(judge);
    while ((state = trace_reader_next(reader, &raw)) == TRACE_READ_PACKET)
        ck_assert_int_eq(judge_input(judge, &raw), 0);
    const struct judge_result *result =
        judge_finish(judge, state == TRACE_READ_ERROR ? trace_reader_error(reader) : NULL);
    ck_assert_uint_eq(result->packets, whole_packets(data, size, &clean));
    ck_assert_int_eq(state, clean ? TRACE_READ_END : TRACE_READ_ERROR);
    ck_assert_msg(result->summary[JUDGE_FAIL] == 0, "cut after %zu bytes: %s", size,
                  result->nfindings > 0 ? result->findings[0].message : "");
    judge_free(judge);
    trace_reader_close(reader);
}

START_TEST(every_prefix_is_judged_without_a_fail)
{
    static uint8_t data[ROOM];
    size_t size = load(captures[_i], data);
    for (size_t cut = 0; cut <= size; cut++)
        judge_prefix(data, cut);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("cut");
    TCase *tests = tcase_create("cut");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, every_prefix_is_judged_without_a_fail, 0, sizeof captures / sizeof captures[0]);
    suite_add_tcase(suite, tests);
    return suite;
}

CHECK_MAIN(make_suite)
