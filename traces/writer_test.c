/* Tests of the capture writer: what was written is read back, and what cannot be written is told.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "testing/check_main.h"
#include "traces/test_frames.h"
#include "traces/writer.h"

#include <unistd.h>

static char path[64];

static void make_path(void)
{
    strcpy(path, "/tmp/smclab-writer-test-XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

static void remove_path(void)
{
    unlink(path);
}

static void write_all(const struct test_frames *all, int linktype, uint32_t snaplen)
{
    char error[512];
    struct trace_writer *w = trace_writer_open(path, linktype, snaplen, error, sizeof error);
    ck_assert_msg(w != NULL, "%s", w ? "" : error);
    for (size_t i = 0; i < all->n; i++) {
        struct trace_raw raw = test_raw(&all->frame[i]);
        ck_assert_int_eq(trace_writer_put(w, raw.ts_ns, raw.bytes, raw.wire_len), 0);
    }
    ck_assert_int_eq(trace_writer_close(w), 0);
}

/* Reads back; every frame as it was, but for bytes beyond the snap length. */
static void expect_all(const struct test_frames *all, int linktype, size_t snaplen)
{
    char error[512];
    struct trace_reader *r = trace_reader_open(path, error, sizeof error);
    ck_assert_msg(r != NULL, "%s", r ? "" : error);
    struct trace_raw raw;
    for (size_t i = 0; i < all->n; i++) {
        const struct test_frame *f = &all->frame[i];
        ck_assert_int_eq(trace_reader_next(r, &raw), TRACE_READ_PACKET);
        ck_assert_uint_eq(raw.ts_ns, f->ts_ns);
        ck_assert_int_eq(raw.linktype, linktype);
        ck_assert_uint_eq(raw.wire_len, f->wire_len);
        ck_assert_uint_eq(smc_view_len(raw.bytes), f->n < snaplen ? f->n : snaplen);
        ck_assert_int_eq(memcmp(raw.bytes.p, f->b, smc_view_len(raw.bytes)), 0);
    }
    ck_assert_int_eq(trace_reader_next(r, &raw), TRACE_READ_END);
    trace_reader_close(r);
}

START_TEST(what_was_written_is_read_back_to_the_nanosecond)
{
    struct test_frames all = test_load("captures/6.12.107-v2-c-bulk-4MB-snap160");
    for (size_t i = 0; i < all.n; i++)
        all.frame[i].ts_ns += i % 1000;
    write_all(&all, 1, 262144);
    expect_all(&all, 1, 262144);
    test_frames_free(&all);
}
END_TEST

START_TEST(other_link_types_are_kept)
{
    static const int types[] = {113, 276};
    struct test_frames all = test_load("captures/6.12.107-v2-a-first-contact");
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        write_all(&all, types[i], 262144);
        expect_all(&all, types[i], 262144);
    }
    test_frames_free(&all);
}
END_TEST

START_TEST(frames_are_cut_at_the_snap_length)
{
    struct test_frames all = test_load("captures/6.12.107-v2-a-first-contact");
    write_all(&all, 1, 96);
    expect_all(&all, 1, 96);
    test_frames_free(&all);
}
END_TEST

START_TEST(a_file_that_cannot_be_created_is_named)
{
    char error[512] = "";
    ck_assert_ptr_null(trace_writer_open("/nonexistent/a.pcap", 1, 262144, error, sizeof error));
    ck_assert_ptr_nonnull(strstr(error, "/nonexistent/a.pcap"));
    ck_assert_ptr_nonnull(strstr(error, "No such file or directory"));
}
END_TEST

START_TEST(a_full_disk_is_told)
{
    static const uint8_t frame[1500];
    char error[512];
    struct trace_writer *w = trace_writer_open("/dev/full", 1, 262144, error, sizeof error);
    ck_assert_ptr_nonnull(w);
    int result = 0;
    for (int i = 0; i < 100; i++)
        result = trace_writer_put(w, 0, smc_view_of(frame, sizeof frame), sizeof frame);
    ck_assert_int_eq(result, -1);
    ck_assert_int_eq(trace_writer_close(w), -1);
    w = trace_writer_open("/dev/full", 1, 262144, error, sizeof error);
    ck_assert_int_eq(trace_writer_put(w, 0, smc_view_of(frame, 60), 60), 0); /* still in the buffer */
    ck_assert_int_eq(trace_writer_close(w), -1);
    ck_assert_int_eq(trace_writer_close(NULL), 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *s = suite_create("writer");
    TCase *t = tcase_create("writer");
    tcase_add_checked_fixture(t, make_path, remove_path);
    tcase_add_test(t, what_was_written_is_read_back_to_the_nanosecond);
    tcase_add_test(t, other_link_types_are_kept);
    tcase_add_test(t, frames_are_cut_at_the_snap_length);
    tcase_add_test(t, a_file_that_cannot_be_created_is_named);
    tcase_add_test(t, a_full_disk_is_told);
    suite_add_tcase(s, t);
    return s;
}

CHECK_MAIN(make_suite)
