/* Tests of the capture reader: formats, what it says about broken files.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "testing/check_main.h"
#include "traces/test_frames.h"

#include <unistd.h>

#define V2 "captures/6.12.107-v2-a-first-contact"

/* ---- files in memory ---- */

struct blob {
    size_t n;
    uint8_t b[1 << 20];
};

static void add(struct blob *o, const void *p, size_t n)
{
    ck_assert_uint_le(o->n + n, sizeof o->b);
    memcpy(o->b + o->n, p, n);
    o->n += n;
}

static void add32(struct blob *o, bool big, uint32_t value)
{
    uint8_t b[4];
    big ? smc_store_be(b, 4, value) : smc_store_le(b, 4, value);
    add(o, b, 4);
}

static void add16(struct blob *o, bool big, uint32_t value)
{
    uint8_t b[2];
    big ? smc_store_be(b, 2, value) : smc_store_le(b, 2, value);
    add(o, b, 2);
}

static struct blob *pcap_of(const struct test_frames *all, bool big, bool nano, uint32_t linktype)
{
    struct blob *o = calloc(1, sizeof *o);
    add32(o, big, nano ? 0xa1b23c4d : 0xa1b2c3d4);
    add16(o, big, 2);
    add16(o, big, 4);
    add32(o, big, 0);
    add32(o, big, 0);
    add32(o, big, 262144);
    add32(o, big, linktype);
    for (size_t i = 0; i < all->n; i++) {
        const struct test_frame *f = &all->frame[i];
        add32(o, big, (uint32_t)(f->ts_ns / 1000000000));
        add32(o, big, (uint32_t)(f->ts_ns % 1000000000 / (nano ? 1 : 1000)));
        add32(o, big, (uint32_t)f->n);
        add32(o, big, (uint32_t)f->wire_len);
        add(o, f->b, f->n);
    }
    return o;
}

static void add_interface(struct blob *o, bool big, unsigned linktype, uint32_t snaplen)
{
    static const uint8_t nine[4] = {9};
    add32(o, big, 1);
    add32(o, big, 32);
    add16(o, big, linktype);
    add16(o, big, 0);
    add32(o, big, snaplen);
    add16(o, big, 9); /* if_tsresol */
    add16(o, big, 1);
    add(o, nine, 4);
    add32(o, big, 0);
    add32(o, big, 32);
}

struct interface {
    unsigned linktype;
    uint32_t snaplen;
};

/* Frames go to the interfaces in turn. */
static struct blob *pcapng_of(const struct test_frames *all, bool big, const struct interface *interfaces, size_t n)
{
    static const uint8_t zeros[4];
    struct blob *o = calloc(1, sizeof *o);
    add32(o, big, 0x0a0d0d0a);
    add32(o, big, 28);
    add32(o, big, 0x1a2b3c4d);
    add16(o, big, 1);
    add16(o, big, 0);
    add32(o, big, 0xffffffff);
    add32(o, big, 0xffffffff);
    add32(o, big, 28);
    for (size_t i = 0; i < n; i++)
        add_interface(o, big, interfaces[i].linktype, interfaces[i].snaplen);
    for (size_t i = 0; i < all->n; i++) {
        const struct test_frame *f = &all->frame[i];
        uint32_t pad = (uint32_t)(-f->n & 3), size = (uint32_t)(32 + f->n + pad);
        add32(o, big, 6);
        add32(o, big, size);
        add32(o, big, (uint32_t)(i % n));
        add32(o, big, (uint32_t)(f->ts_ns >> 32));
        add32(o, big, (uint32_t)f->ts_ns);
        add32(o, big, (uint32_t)f->n);
        add32(o, big, (uint32_t)f->wire_len);
        add(o, f->b, f->n);
        add(o, zeros, pad);
        add32(o, big, size);
    }
    return o;
}

static struct trace_reader *open_blob(const struct blob *o, size_t n, char *error)
{
    static uint8_t *copy; /* lives as long as the reader, of which there is one at a time */
    free(copy);
    copy = malloc(n + 1);
    memcpy(copy, o->b, n);
    FILE *stream = fmemopen(copy, n > 0 ? n : 1, "rb");
    ck_assert_ptr_nonnull(stream);
    return trace_reader_open_stream(stream, "memory", error, 1024);
}

static void expect_frames(const struct test_frames *all, const struct blob *o, uint64_t unit_ns)
{
    char error[1024] = "";
    struct trace_reader *r = open_blob(o, o->n, error);
    ck_assert_msg(r != NULL, "%s", error);
    struct trace_raw raw;
    for (size_t i = 0; i < all->n; i++) {
        ck_assert_int_eq(trace_reader_next(r, &raw), TRACE_READ_PACKET);
        ck_assert_uint_eq(raw.frame, i + 1);
        ck_assert_uint_eq(raw.ts_ns, all->frame[i].ts_ns / unit_ns * unit_ns);
        ck_assert_uint_eq(raw.wire_len, all->frame[i].wire_len);
        ck_assert_uint_eq(smc_view_len(raw.bytes), all->frame[i].n);
        ck_assert_int_eq(memcmp(raw.bytes.p, all->frame[i].b, all->frame[i].n), 0);
    }
    ck_assert_int_eq(trace_reader_next(r, &raw), TRACE_READ_END);
    ck_assert_int_eq(trace_reader_next(r, &raw), TRACE_READ_END);
    trace_reader_close(r);
}

/* ---- formats ---- */

START_TEST(every_byte_order_and_resolution_is_read)
{
    struct test_frames all = test_load(V2);
    for (size_t i = 0; i < all.n; i++)
        all.frame[i].ts_ns += 123; /* finer than a microsecond */
    for (int big = 0; big < 2; big++) {
        for (int nano = 0; nano < 2; nano++) {
            struct blob *o = pcap_of(&all, big, nano, 1);
            expect_frames(&all, o, nano ? 1 : 1000);
            free(o);
        }
        struct blob *o = pcapng_of(&all, big, (struct interface[]){{1, 0}, {1, 0}}, 2);
        expect_frames(&all, o, 1);
        free(o);
    }
    test_frames_free(&all);
}
END_TEST

START_TEST(the_link_type_of_the_file_is_told)
{
    struct test_frames all = test_load(V2);
    char error[1024];
    static const struct {
        uint32_t in_file;
        int told;
    } types[] = {{1, 1}, {113, 113}, {276, 276}, {0, 0}, {101, 12}};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct blob *o = pcap_of(&all, false, true, types[i].in_file);
        struct trace_reader *r = open_blob(o, o->n, error);
        struct trace_raw raw;
        ck_assert_int_eq(trace_reader_next(r, &raw), TRACE_READ_PACKET);
        ck_assert_int_eq(raw.linktype, types[i].told);
        trace_reader_close(r);
        free(o);
    }
    test_frames_free(&all);
}
END_TEST

START_TEST(an_empty_capture_has_no_packet_and_no_error)
{
    struct test_frames none = {0, NULL};
    struct blob *o = pcap_of(&none, false, false, 1);
    expect_frames(&none, o, 1);
    free(o);
}
END_TEST

START_TEST(standard_input_is_read_even_from_a_pipe)
{
    char path[512], command[700], error[1024];
    snprintf(command, sizeof command, "cat '%s'", test_path(V2, path, sizeof path));
    FILE *pipe = popen(command, "r");
    ck_assert_ptr_nonnull(pipe);
    ck_assert_int_ge(dup2(fileno(pipe), STDIN_FILENO), 0);
    struct trace_reader *r = trace_reader_open("-", error, sizeof error);
    ck_assert_ptr_nonnull(r);
    ck_assert_str_eq(trace_reader_name(r), "standard input");
    struct trace_raw raw;
    size_t n = 0;
    while (trace_reader_next(r, &raw) == TRACE_READ_PACKET)
        n++;
    ck_assert_uint_eq(n, 40);
    trace_reader_close(r);
    pclose(pipe);
}
END_TEST

/* ---- what cannot be read ---- */

START_TEST(a_file_cut_anywhere_gives_what_was_whole_and_says_where_it_ends)
{
    struct test_frames all = test_load(V2);
    all.n = 5;
    struct blob *o = pcap_of(&all, false, true, 1);
    size_t begin = 24, frame = 0;
    for (size_t n = 24; n < o->n; n++) {
        char error[1024] = "", expected[128];
        while (begin + 16 + all.frame[frame].n <= n)
            begin += 16 + all.frame[frame++].n;
        struct trace_reader *r = open_blob(o, n, error);
        ck_assert_msg(r != NULL, "%zu: %s", n, error);
        struct trace_raw raw;
        size_t read = 0;
        enum trace_read result;
        while ((result = trace_reader_next(r, &raw)) == TRACE_READ_PACKET)
            read++;
        ck_assert_uint_eq(read, frame);
        ck_assert_int_eq(result, n == begin ? TRACE_READ_END : TRACE_READ_ERROR);
        snprintf(expected, sizeof expected, "memory: frame %zu at file offset %zu cannot be read: ", frame + 1, begin);
        if (n != begin)
            ck_assert_msg(strstr(trace_reader_error(r), expected) != NULL, "%s, not %s", trace_reader_error(r), expected);
        trace_reader_close(r);
    }
    free(o);
    test_frames_free(&all);
}
END_TEST

START_TEST(a_cut_pcapng_says_the_frame_and_how_far_it_was_read)
{
    struct test_frames all = test_load(V2);
    struct blob *o = pcapng_of(&all, false, (struct interface[]){{1, 0}}, 1);
    char error[1024], expected[128];
    struct trace_reader *r = open_blob(o, o->n - 7, error);
    struct trace_raw raw;
    for (size_t i = 1; i < all.n; i++)
        ck_assert_int_eq(trace_reader_next(r, &raw), TRACE_READ_PACKET);
    ck_assert_int_eq(trace_reader_next(r, &raw), TRACE_READ_ERROR);
    snprintf(expected, sizeof expected, "memory: frame 40 before file offset %zu cannot be read: ", o->n - 7);
    ck_assert_msg(strstr(trace_reader_error(r), expected) != NULL, "%s", trace_reader_error(r));
    trace_reader_close(r);
    free(o);
    test_frames_free(&all);
}
END_TEST

static void expect_open_error(const struct blob *o, const char *part)
{
    char error[1024] = "";
    struct trace_reader *r = open_blob(o, o->n, error);
    ck_assert_ptr_null(r);
    ck_assert_msg(strstr(error, part) != NULL, "'%s' lacks '%s'", error, part);
}

START_TEST(interfaces_of_different_link_types_are_explained)
{
    struct test_frames all = test_load(V2);
    struct blob *o = pcapng_of(&all, false, (struct interface[]){{1, 0}, {113, 0}}, 2);
    expect_open_error(o, "different link types");
    expect_open_error(o, "tshark -r memory -Y 'frame.interface_id == 0' -w - | editcap -F nsecpcap -T ether - part0.pcap");
    expect_open_error(o, "smclab check --merge part0.pcap part1.pcap");
    free(o);
    static const struct {
        unsigned linktype;
        const char *name;
    } types[] = {{113, "linux-sll"}, {276, "linux-sll2"}, {0, "null"}, {108, "loop"}, {101, "rawip"}, {147, "ether"}};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        char part[64];
        snprintf(part, sizeof part, "editcap -F nsecpcap -T %s - part0.pcap", types[i].name);
        o = pcapng_of(&all, false, (struct interface[]){{types[i].linktype, 0}, {1, 0}}, 2);
        expect_open_error(o, part);
        free(o);
    }
    o = pcapng_of(&all, false, (struct interface[]){{1, 65535}, {1, 1000}}, 2);
    expect_open_error(o, "editcap -F nsecpcap memory rewritten.pcap");
    free(o);
    test_frames_free(&all);
}
END_TEST

START_TEST(what_is_no_capture_is_refused_with_a_reason)
{
    static struct blob text = {5, "hello"}, gzip = {10, {0x1f, 0x8b, 8}}, zstd = {10, {0x28, 0xb5, 0x2f, 0xfd}};
    static struct blob nothing = {0, {0}};
    char error[1024];
    expect_open_error(&text, "not a capture that can be read");
    expect_open_error(&gzip, "gunzip -c memory | smclab check -");
    expect_open_error(&zstd, "unzstd -c memory");
    expect_open_error(&nothing, "not a capture");
    ck_assert_ptr_null(trace_reader_open("/nonexistent/file.pcap", error, sizeof error));
    ck_assert_str_eq(error, "/nonexistent/file.pcap: No such file or directory");
    ck_assert_ptr_null(trace_reader_open("/", error, sizeof error));
}
END_TEST

START_TEST(hostile_record_lengths_are_errors)
{
    struct test_frames all = test_load(V2);
    all.n = 2;
    struct blob *o = pcap_of(&all, false, false, 1);
    char error[1024];
    struct trace_raw raw;
    smc_store_le(o->b + 24 + 8, 4, 0xffffffff); /* captured length */
    struct trace_reader *r = open_blob(o, o->n, error);
    ck_assert_int_eq(trace_reader_next(r, &raw), TRACE_READ_ERROR);
    ck_assert_int_eq(trace_reader_next(r, &raw), TRACE_READ_ERROR);
    trace_reader_close(r);
    smc_store_le(o->b + 24 + 8, 4, all.frame[0].n);
    smc_store_le(o->b + 24 + 12, 4, 1); /* shorter on the wire than captured */
    r = open_blob(o, o->n, error);
    ck_assert_int_eq(trace_reader_next(r, &raw), TRACE_READ_PACKET);
    ck_assert_uint_eq(raw.wire_len, all.frame[0].n);
    trace_reader_close(r);
    free(o);
    test_frames_free(&all);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *s = suite_create("reader");
    TCase *t = tcase_create("reader");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, every_byte_order_and_resolution_is_read);
    tcase_add_test(t, the_link_type_of_the_file_is_told);
    tcase_add_test(t, an_empty_capture_has_no_packet_and_no_error);
    tcase_add_test(t, standard_input_is_read_even_from_a_pipe);
    tcase_add_test(t, a_file_cut_anywhere_gives_what_was_whole_and_says_where_it_ends);
    tcase_add_test(t, a_cut_pcapng_says_the_frame_and_how_far_it_was_read);
    tcase_add_test(t, interfaces_of_different_link_types_are_explained);
    tcase_add_test(t, what_is_no_capture_is_refused_with_a_reason);
    tcase_add_test(t, hostile_record_lengths_are_errors);
    suite_add_tcase(s, t);
    return s;
}

CHECK_MAIN(make_suite)
