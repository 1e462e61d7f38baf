/* Tests that no bytes make the packet decoder read what was not captured: every cut of every real frame, and
 * every value of every header byte. Meant for the address sanitizer; each packet lies in memory of its own length.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "testing/check_main.h"
#include "traces/test_frames.h"

#include <dirent.h>

/* Check's own assertions write a mark to a pipe each time, which millions of them cannot afford. */
#define must(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            ck_abort_msg("not so: %s", #condition);                                                \
    } while (0)

/* Decodes bytes that end where their memory ends and looks at what must hold of any packet. */
static struct trace_packet decode_exact(const struct test_frame *f, size_t n, size_t wire_len)
{
    uint8_t *exact = malloc(n > 0 ? n : 1);
    memcpy(exact, f->b, n);
    struct trace_raw raw = {f->frame, f->ts_ns, f->linktype, (uint32_t)wire_len, smc_view_of(exact, n)};
    struct trace_packet p;
    trace_packet_decode(&raw, true, &p);
    size_t have = smc_view_len(p.payload);
    if (p.proto != TRACE_OTHER) {
        must(p.payload.p >= exact && p.payload.end <= exact + n);
        must(have <= p.payload_wire_len);
        must(p.cut == (have < p.payload_wire_len));
    }
    if (p.proto == TRACE_TCP)
        must(p.tcp.options.p >= exact && p.tcp.options.end <= exact + n && p.tcp.options.p <= p.tcp.options.end);
    free(exact);
    return p; /* its pointers are for comparing lengths only */
}

static void cut_everywhere(const struct test_frame *f)
{
    struct trace_packet whole = decode_exact(f, f->n, f->wire_len);
    for (size_t n = 0; n < f->n; n++) {
        struct trace_packet p = decode_exact(f, n, f->wire_len);
        must(p.proto == TRACE_OTHER || p.proto == whole.proto);
        if (p.proto != TRACE_OTHER)
            must(p.payload_wire_len == whole.payload_wire_len);
        if (p.proto == TRACE_ROCE)
            must(p.roce.icrc == TRACE_ICRC_UNKNOWN);
        decode_exact(f, n, n); /* the file lies about the true length */
    }
}

/* Calls fn for each frame of each capture in a folder of traces/; returns how many. */
static size_t each_frame(const char *folder, void (*fn)(const struct test_frame *f))
{
    char path[512];
    size_t count = 0;
    snprintf(path, sizeof path, "%s/traces/%s", SMCLAB_SOURCE_DIR, folder);
    DIR *d = opendir(path);
    ck_assert_ptr_nonnull(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char *dot = strrchr(e->d_name, '.');
        if (dot == NULL || strcmp(dot, ".pcap") != 0)
            continue;
        snprintf(path, sizeof path, "%s/%.*s", folder, (int)(dot - e->d_name), e->d_name);
        struct test_frames all = test_load(path);
        for (size_t i = 0; i < all.n; i++)
            fn(&all.frame[i]);
        count += all.n;
        test_frames_free(&all);
    }
    closedir(d);
    return count;
}

START_TEST(every_cut_of_every_captured_frame_is_harmless)
{
    ck_assert_uint_ge(each_frame("captures", cut_everywhere), 6000);
}
END_TEST

START_TEST(every_cut_of_every_synthetic_frame_is_harmless)
{
    ck_assert_uint_ge(each_frame("synthetic", cut_everywhere), 3000);
}
END_TEST

START_TEST(every_value_of_every_header_byte_is_harmless)
{
    static const struct {
        const char *name;
        size_t number;
    } samples[] = {
        {"captures/6.12.107-v2-a-first-contact", 1},    {"captures/6.12.107-v2-a-first-contact", 18},
        {"captures/6.12.107-smclo-v1pure-i-ipv6", 4},   {"captures/6.12.107-smclo-v1pure-i-ipv6", 6},
        {"synthetic/first-contact-rocev1", 20},         {"synthetic/smcd-records-le", 19},
    };
    size_t understood = 0;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct test_frame f = test_frame_of(samples[i].name, samples[i].number);
        for (size_t at = 0; at < f.n && at < 100; at++) {
            uint8_t real = f.b[at];
            for (unsigned value = 0; value < 256; value++) {
                f.b[at] = (uint8_t)value;
                understood += decode_exact(&f, f.n, f.n).proto != TRACE_OTHER;
                decode_exact(&f, at + 1, f.n);
            }
            f.b[at] = real;
        }
    }
    ck_assert_uint_gt(understood, 6 * 100 * 128);
}
END_TEST

START_TEST(an_empty_packet_of_any_link_type_is_other)
{
    struct test_frame f = {.n = 0};
    for (f.linktype = 0; f.linktype < 300; f.linktype++) {
        ck_assert_int_eq(decode_exact(&f, 0, 0).proto, TRACE_OTHER);
        ck_assert_int_eq(decode_exact(&f, 0, 1500).proto, TRACE_OTHER);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *s = suite_create("packet cuts");
    TCase *t = tcase_create("cuts");
    tcase_set_timeout(t, 240);
    tcase_add_test(t, every_cut_of_every_captured_frame_is_harmless);
    tcase_add_test(t, every_cut_of_every_synthetic_frame_is_harmless);
    tcase_add_test(t, every_value_of_every_header_byte_is_harmless);
    tcase_add_test(t, an_empty_packet_of_any_link_type_is_other);
    suite_add_tcase(s, t);
    return s;
}

CHECK_MAIN(make_suite)
