/* Tests of reading several captures of one run as one: order, duplicates, files that break off.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "testing/check_main.h"
#include "traces/merge.h"
#include "traces/test_frames.h"
#include "traces/writer.h"

#include <unistd.h>

#define V2 "captures/6.12.107-v2-a-first-contact"

/* In loops: Check's own assertions cost a system call each. */
#define ck_abort_if(condition)                                                                     \
    do {                                                                                           \
        if (condition)                                                                             \
            ck_abort_msg("%s", #condition);                                                        \
    } while (0)

struct written {
    char path[64];
};

static struct written write_frames(const struct test_frames *all, size_t from, size_t step, int64_t shift_ns)
{
    struct written file = {"/tmp/smclab-reader-test-XXXXXX"};
    char error[1024];
    int fd = mkstemp(file.path);
    ck_assert_int_ge(fd, 0);
    close(fd);
    struct trace_writer *w = trace_writer_open(file.path, 1, 262144, error, sizeof error);
    ck_assert_ptr_nonnull(w);
    for (size_t i = from; i < all->n; i += step) {
        struct trace_raw raw = test_raw(&all->frame[i]);
        ck_assert_int_eq(trace_writer_put(w, raw.ts_ns + (uint64_t)shift_ns, raw.bytes, raw.wire_len), 0);
    }
    ck_assert_int_eq(trace_writer_close(w), 0);
    return file;
}

/* Reads files merged; fills `all` with what came. Returns how reading ended. */
static enum trace_read read_merged(const char *const *paths, size_t n, struct test_frames *out, char *last_error)
{
    char error[1024];
    struct trace_reader *r = trace_reader_open_merged(paths, n, error, sizeof error);
    ck_assert_msg(r != NULL, "%s", r ? "" : error);
    *out = (struct test_frames){0, calloc(TEST_FRAMES_MAX, sizeof *out->frame)};
    struct trace_raw raw;
    enum trace_read result;
    while ((result = trace_reader_next(r, &raw)) == TRACE_READ_PACKET) {
        struct test_frame *f = &out->frame[out->n++];
        ck_assert_uint_eq(raw.frame, out->n);
        f->ts_ns = raw.ts_ns;
        f->n = smc_view_len(raw.bytes);
        memcpy(f->b, raw.bytes.p, f->n);
    }
    snprintf(last_error, 1024, "%s", trace_reader_error(r));
    trace_reader_close(r);
    return result;
}

static void expect_merged(const struct test_frames *expected, const char *const *paths, size_t n)
{
    struct test_frames got;
    char error[1024];
    ck_assert_int_eq(read_merged(paths, n, &got, error), TRACE_READ_END);
    ck_assert_uint_eq(got.n, expected->n);
    for (size_t i = 0; i < got.n; i++) {
        ck_assert_uint_eq(got.frame[i].n, expected->frame[i].n);
        ck_assert_int_eq(memcmp(got.frame[i].b, expected->frame[i].b, got.frame[i].n), 0);
    }
    test_frames_free(&got);
}

START_TEST(a_capture_split_over_two_files_is_whole_again)
{
    struct test_frames all = test_load(V2);
    struct written even = write_frames(&all, 0, 2, 0), odd = write_frames(&all, 1, 2, 0);
    expect_merged(&all, (const char *[]){even.path, odd.path}, 2);
    expect_merged(&all, (const char *[]){odd.path, even.path}, 2);
    unlink(even.path);
    unlink(odd.path);
    test_frames_free(&all);
}
END_TEST

START_TEST(a_packet_seen_at_both_ends_comes_once)
{
    static const char *const names[] = {V2, "captures/6.12.107-v2-g2-failover-server-link-down",
                                        "captures/6.12.107-smclo-v1pure-g6-failover-delete-rxe1", "synthetic/smcd-records-le"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct test_frames all = test_load(names[i]);
        struct written here = write_frames(&all, 0, 1, 0), there = write_frames(&all, 0, 1, 30000);
        struct test_frames got;
        char error[1024];
        ck_assert_int_eq(read_merged((const char *[]){here.path, there.path, here.path}, 3, &got, error), TRACE_READ_END);
        ck_assert_msg(got.n == all.n, "%s: %zu packets became %zu", names[i], all.n, got.n);
        test_frames_free(&got);
        unlink(here.path);
        unlink(there.path);
        test_frames_free(&all);
    }
}
END_TEST

/* The other end sees other MACs, a VLAN tag, one hop less, and less of each packet. */
START_TEST(the_frame_around_a_packet_does_not_matter)
{
    struct test_frames all = test_load(V2), other = test_load(V2);
    for (size_t i = 0; i < other.n; i++) {
        struct test_frame *f = &other.frame[i];
        f->b[14 + 8]--;
        memset(f->b, 0x02, 12);
        f->n -= smc_view_len(test_decode(f).payload) / 2;
        test_replace(f, 12, 0, "\x81\x00\x00\x05", 4);
    }
    struct written here = write_frames(&all, 0, 1, 0), there = write_frames(&other, 0, 1, 1);
    expect_merged(&all, (const char *[]){here.path, there.path}, 2);
    unlink(here.path);
    unlink(there.path);
    test_frames_free(&all);
    test_frames_free(&other);
}
END_TEST

START_TEST(a_retransmission_is_not_a_second_sight)
{
    struct test_frames all = test_load(V2), got;
    char error[1024];
    struct test_frames twice = {20, all.frame};
    for (size_t i = 0; i < 10; i++) { /* ten packets, each sent again after 100 ms */
        twice.frame[10 + i] = all.frame[i];
        twice.frame[10 + i].ts_ns = all.frame[i].ts_ns + 100000000;
    }
    struct written here = write_frames(&twice, 0, 1, 0), there = write_frames(&twice, 0, 1, 5000);
    struct test_frames first = {10, all.frame};
    struct written lossy = write_frames(&first, 0, 1, 5000);
    read_merged((const char *[]){here.path, there.path}, 2, &got, error);
    ck_assert_uint_eq(got.n, 20);
    test_frames_free(&got);
    read_merged((const char *[]){here.path, lossy.path}, 2, &got, error);
    ck_assert_uint_eq(got.n, 20);
    test_frames_free(&got);
    unlink(here.path);
    unlink(there.path);
    unlink(lossy.path);
    test_frames_free(&all);
}
END_TEST

START_TEST(the_same_packet_much_later_is_another_one)
{
    struct test_frames all = test_load(V2), got;
    char error[1024];
    all.n = 1;
    struct written here = write_frames(&all, 0, 1, 0);
    struct written late = write_frames(&all, 0, 1, (int64_t)TRACE_MERGE_WINDOW_NS + 1);
    struct written early = write_frames(&all, 0, 1, (int64_t)TRACE_MERGE_WINDOW_NS);
    read_merged((const char *[]){here.path, late.path}, 2, &got, error);
    ck_assert_uint_eq(got.n, 2);
    test_frames_free(&got);
    read_merged((const char *[]){here.path, early.path}, 2, &got, error);
    ck_assert_uint_eq(got.n, 1);
    test_frames_free(&got);
    unlink(here.path);
    unlink(late.path);
    unlink(early.path);
    test_frames_free(&all);
}
END_TEST

/* More packets than are remembered: the oldest are forgotten, what lies close together still comes once. */
START_TEST(a_long_capture_of_both_ends_is_merged_in_bounded_memory)
{
    enum { MANY = 150000 };
    struct test_frame f = test_frame_of(V2, 4);
    char error[1024], paths[2][64] = {"/tmp/smclab-reader-test-XXXXXX", "/tmp/smclab-reader-test-XXXXXX"};
    for (int end = 0; end < 2; end++) {
        close(mkstemp(paths[end]));
        struct trace_writer *w = trace_writer_open(paths[end], 1, 262144, error, sizeof error);
        for (uint64_t i = 0; i < MANY; i++) {
            smc_store_be(f.b + 14 + 20 + 4, 4, i * 156); /* TCP sequence number */
            ck_abort_if(trace_writer_put(w, f.ts_ns + i * 1000 + (unsigned)end * 500, smc_view_of(f.b, f.n), (uint32_t)f.n) != 0);
        }
        ck_assert_int_eq(trace_writer_close(w), 0);
    }
    struct trace_reader *r = trace_reader_open_merged((const char *[]){paths[0], paths[1]}, 2, error, sizeof error);
    ck_assert_ptr_nonnull(r);
    struct trace_raw raw;
    size_t n = 0;
    for (; trace_reader_next(r, &raw) == TRACE_READ_PACKET; n++)
        ck_abort_if(smc_load_be(raw.bytes.p + 14 + 20 + 4, 4) != (uint32_t)(n * 156));
    ck_assert_uint_eq(n, MANY);
    trace_reader_close(r);
    unlink(paths[0]);
    unlink(paths[1]);
}
END_TEST

START_TEST(a_single_file_is_merged_with_nothing)
{
    char path[512];
    struct test_frames all = test_load(V2);
    expect_merged(&all, (const char *[]){test_path(V2, path, sizeof path)}, 1);
    test_frames_free(&all);
}
END_TEST

START_TEST(a_file_that_breaks_off_is_told_when_the_others_have_ended)
{
    struct test_frames all = test_load(V2), got;
    char error[1024];
    struct written here = write_frames(&all, 0, 1, 0), broken = write_frames(&all, 0, 1, 100);
    ck_assert_int_eq(truncate(broken.path, 100), 0);
    ck_assert_int_eq(read_merged((const char *[]){broken.path, here.path}, 2, &got, error), TRACE_READ_ERROR);
    ck_assert_uint_eq(got.n, all.n);
    ck_assert_ptr_nonnull(strstr(error, broken.path));
    test_frames_free(&got);
    unlink(here.path);
    unlink(broken.path);
    test_frames_free(&all);
}
END_TEST

START_TEST(files_that_cannot_be_merged_are_named)
{
    char path[512], error[1024];
    const char *paths[TRACE_MERGE_MAX_FILES + 1] = {test_path(V2, path, sizeof path), "/nonexistent"};
    ck_assert_ptr_null(trace_reader_open_merged(paths, 2, error, sizeof error));
    ck_assert_str_eq(error, "/nonexistent: No such file or directory");
    ck_assert_ptr_null(trace_reader_open_merged(paths, 0, error, sizeof error));
    ck_assert_ptr_null(trace_reader_open_merged(paths, TRACE_MERGE_MAX_FILES + 1, error, sizeof error));
    ck_assert_ptr_nonnull(strstr(error, "65 files"));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *s = suite_create("merge");
    TCase *t = tcase_create("merge");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, a_capture_split_over_two_files_is_whole_again);
    tcase_add_test(t, a_packet_seen_at_both_ends_comes_once);
    tcase_add_test(t, the_frame_around_a_packet_does_not_matter);
    tcase_add_test(t, a_retransmission_is_not_a_second_sight);
    tcase_add_test(t, the_same_packet_much_later_is_another_one);
    tcase_add_test(t, a_long_capture_of_both_ends_is_merged_in_bounded_memory);
    tcase_add_test(t, a_single_file_is_merged_with_nothing);
    tcase_add_test(t, a_file_that_breaks_off_is_told_when_the_others_have_ended);
    tcase_add_test(t, files_that_cannot_be_merged_are_named);
    suite_add_tcase(s, t);
    return s;
}

CHECK_MAIN(make_suite)
