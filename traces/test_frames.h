/* Real frames for tests: all packets of a capture in memory, and bytes put together around them.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRACE_TEST_FRAMES_H
#define TRACE_TEST_FRAMES_H

#include "traces/reader.h"
#include <check.h>
#include <stdlib.h>

#ifndef SMCLAB_SOURCE_DIR /* the build says where the sources are; by hand: run it there */
#define SMCLAB_SOURCE_DIR "."
#endif

enum { TEST_FRAME_MAX = 4096, TEST_FRAMES_MAX = 5000 };

struct test_frame {
    uint64_t frame, ts_ns;
    int linktype;
    size_t n, wire_len;
    uint8_t b[TEST_FRAME_MAX];
};

struct test_frames {
    size_t n;
    struct test_frame *frame; /* released by test_frames_free() */
};

static inline const char *test_path(const char *name, char *buf, size_t size)
{
    int n = snprintf(buf, size, "%s/traces/%s.pcap", SMCLAB_SOURCE_DIR, name);
    ck_assert_int_lt(n, (int)size);
    return buf;
}

/* Loads traces/<name>.pcap; the test fails if it cannot be read to its end. */
static inline struct test_frames test_load(const char *name)
{
    char path[512], error[1024];
    struct test_frames all = {0, calloc(TEST_FRAMES_MAX, sizeof *all.frame)};
    struct trace_reader *r = trace_reader_open(test_path(name, path, sizeof path), error, sizeof error);
    ck_assert_msg(r != NULL, "%s", r ? "" : error);
    ck_assert_ptr_nonnull(all.frame);
    struct trace_raw raw;
    enum trace_read result;
    while ((result = trace_reader_next(r, &raw)) == TRACE_READ_PACKET) {
        struct test_frame *f = &all.frame[all.n++];
        ck_assert_uint_lt(all.n, TEST_FRAMES_MAX);
        f->n = smc_view_len(raw.bytes);
        ck_assert_uint_le(f->n, TEST_FRAME_MAX);
        memcpy(f->b, raw.bytes.p, f->n);
        f->frame = raw.frame;
        f->ts_ns = raw.ts_ns;
        f->linktype = raw.linktype;
        f->wire_len = raw.wire_len;
    }
    ck_assert_int_eq(result, TRACE_READ_END);
    trace_reader_close(r);
    return all;
}

static inline void test_frames_free(struct test_frames *all)
{
    free(all->frame);
}

/* One frame of a capture, by Wireshark's number. */
static inline struct test_frame test_frame_of(const char *name, size_t number)
{
    struct test_frames all = test_load(name);
    ck_assert_uint_ge(all.n, number);
    struct test_frame f = all.frame[number - 1];
    test_frames_free(&all);
    return f;
}

static inline struct trace_raw test_raw(const struct test_frame *f)
{
    return (struct trace_raw){f->frame, f->ts_ns, f->linktype, (uint32_t)f->wire_len, smc_view_of(f->b, f->n)};
}

static inline struct trace_packet test_decode(const struct test_frame *f)
{
    struct trace_raw raw = test_raw(f);
    struct trace_packet p;
    trace_packet_decode(&raw, true, &p);
    return p;
}

/* Replaces `gone` bytes at `at` by `bytes`. */
static inline void test_replace(struct test_frame *f, size_t at, size_t gone, const void *bytes, size_t n)
{
    ck_assert_uint_le(at + gone, f->n);
    ck_assert_uint_le(f->n + n, sizeof f->b);
    memmove(f->b + at + n, f->b + at + gone, f->n - at - gone);
    memcpy(f->b + at, bytes, n);
    f->n = f->n + n - gone;
    f->wire_len = f->wire_len + n - gone;
}

#endif
