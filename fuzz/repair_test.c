/* Test: after a byte of every RoCE packet was changed, the repair makes each ICRC hold again, and touches nothing else.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "testing/check_main.h"

#include "fuzz/fuzz.h"
#include "traces/packet.h"
#include "traces/reader.h"
#include <string.h>

enum { ROOM = 1 << 16 };
static const char *const captures[] = {"captures/6.12.107-v2-a-first-contact.pcap",
                                       "captures/6.12.107-smclo-v1pure-a-first-contact.pcap",
                                       "synthetic/first-contact-rocev1.pcap"};

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

struct tally {
    unsigned good, bad, other;
};

/* Reads the capture; XORs `change` into the last byte before padding and ICRC of every RoCE packet, if it has a payload. */
static struct tally count(uint8_t *data, size_t size, uint8_t change)
{
    struct tally t = {0};
    struct trace_raw raw;
    struct trace_packet packet;
    char error[512];
    size_t at = 24;
    struct trace_reader *reader = trace_reader_open_stream(fuzz_open(data, size), "test", error, sizeof error);
    ck_assert_ptr_nonnull(reader);
    while (trace_reader_next(reader, &raw) == TRACE_READ_PACKET) {
        trace_packet_decode(&raw, true, &packet);
        t.good += packet.proto == TRACE_ROCE && packet.roce.icrc == TRACE_ICRC_GOOD;
        t.bad += packet.proto == TRACE_ROCE && packet.roce.icrc == TRACE_ICRC_BAD;
        t.other += packet.proto != TRACE_ROCE;
        at += 16;
        if (packet.proto == TRACE_ROCE && smc_view_len(packet.payload) > 0)
            data[at + (size_t)(packet.payload.end - raw.bytes.p) - 1] ^= change;
        at += smc_view_len(raw.bytes);
    }
    trace_reader_close(reader);
    return t;
}

START_TEST(repairs_every_icrc_and_nothing_else)
{
    static uint8_t data[ROOM], original[ROOM];
    size_t size = load(captures[_i], data);
    memcpy(original, data, size);
    struct tally before = count(data, size, 0x40);
    struct tally broken = count(data, size, 0);
    ck_assert_uint_gt(before.good, 10);
    ck_assert_uint_eq(before.bad, 0);
    ck_assert_uint_gt(broken.bad, 5);
    fuzz_repair_capture(data, size);
    struct tally after = count(data, size, 0x40);
    ck_assert_uint_eq(after.good, before.good);
    ck_assert_uint_eq(after.bad, 0);
    fuzz_repair_capture(data, size);
    ck_assert_mem_eq(data, original, size);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("repair");
    TCase *tests = tcase_create("repair");
    tcase_add_loop_test(tests, repairs_every_icrc_and_nothing_else, 0, sizeof captures / sizeof captures[0]);
    suite_add_tcase(suite, tests);
    return suite;
}

CHECK_MAIN(make_suite)
