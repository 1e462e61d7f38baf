/* Tests of captures: each frame once, at the right place and time; files that others can read; memory.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/network_test.h"
#include "sim/switch.h"
#include "traces/reader.h"
#include "wire/smcd_record_layouts.h"

#include "testing/check_main.h"

#include <stdio.h>
#include <unistd.h>

static struct ledger memory;
static struct sim *sim;
static struct net *net;
static struct host host[4]; /* from 1: 1 and 2 and 3 on a switch */
static struct net_link *link_of[4];
static struct capture *capture;

static void setup(void)
{
    static const struct capture_options keep = {.keep = true};
    struct net_params params = {.delay_ns = 1000};
    ledger_init(&memory);
    sim = sim_new(&memory.alloc, 1);
    net = net_new(sim, &memory.alloc);
    struct net_switch *sw = net_switch_new(net, "sw0", 3);
    for (unsigned i = 1; i <= 3; i++) {
        char name[16];
        snprintf(name, sizeof name, "h%u", i);
        host_init(&host[i], net, name, i);
        link_of[i] = net_link_new(net, host[i].port, net_switch_port(sw, i - 1), &params);
    }
    ck_assert_int_eq(capture_open(&memory.alloc, &keep, &capture, NULL, 0), 0);
    run(sim, 0);
}

static void teardown(void)
{
    net_free(net);
    sim_free(sim);
    for (unsigned i = 1; i <= 3; i++)
        host_free(&host[i]);
    (void)capture_close(capture);
    ck_assert_uint_eq(memory.held_bytes, 0);
}

static void send_at_once(unsigned from, unsigned to, uint8_t fill)
{
    ck_assert(send_frame(sim, &host[from], from, to, 100, fill));
    run(sim, sim_now(sim) + 10000);
}

START_TEST(a_flooded_frame_is_captured_once_where_it_belongs)
{
    struct capture_entry e;
    net_set_capture(net, capture, NET_CAPTURE_DELIVERED);
    send_at_once(1, 2, 5);
    ck_assert_uint_eq(host[3].n, 1); /* flooded there too */
    ck_assert_uint_eq(capture_count(capture), 1);
    ck_assert(capture_frame(capture, 0, &e));
    ck_assert_uint_eq(e.at_ns, 2000);
    ck_assert_uint_eq(e.length, 100);
    ck_assert_mem_eq(e.bytes, host[2].got[0].bytes, 100);
    uint8_t f[60];
    make_frame(f, 1, 2, sizeof f, 1);
    memset(f, 0xff, 6);
    ck_assert(port_send(host[1].port, f, sizeof f, sim_now(sim)));
    run(sim, SIM_NEVER);
    ck_assert_uint_eq(capture_count(capture), 2);
    send_at_once(1, 77, 5); /* nobody's */
    ck_assert_uint_eq(capture_count(capture), 2);
    ck_assert(!capture_frame(capture, 2, &e));
}
END_TEST

START_TEST(lost_frames_are_in_the_capture_of_senders_only)
{
    struct fault_rates loss = {.loss = 1000000}, twice = {.duplicate = 1000000};
    net_set_capture(net, capture, NET_CAPTURE_DELIVERED);
    ck_assert_int_eq(fault_set_rates(net_link_faults(link_of[2], NET_B_TO_A), &loss), 0);
    send_at_once(1, 2, 5);
    ck_assert_uint_eq(capture_count(capture), 0);
    net_set_capture(net, capture, NET_CAPTURE_SENT);
    send_at_once(1, 2, 5);
    ck_assert_uint_eq(capture_count(capture), 1);
    net_set_capture(net, capture, NET_CAPTURE_DELIVERED);
    ck_assert_int_eq(fault_set_rates(net_link_faults(link_of[2], NET_B_TO_A), &twice), 0);
    send_at_once(1, 2, 5);
    ck_assert_uint_eq(capture_count(capture), 3); /* both arrived */
    ck_assert_uint_eq(host[2].n, 2);
    ck_assert_int_eq(fault_set_rates(net_link_faults(link_of[1], NET_A_TO_B), &loss), 0);
    net_set_capture(net, capture, NET_CAPTURE_SENT);
    send_at_once(1, 2, 5);
    ck_assert_uint_eq(capture_count(capture), 4);
}
END_TEST

START_TEST(a_tap_sees_one_port_only_and_the_directions_it_wants)
{
    net_port_tap(host[2].port, capture, NET_TAP_IN);
    send_at_once(1, 2, 5);
    send_at_once(2, 1, 5);
    send_at_once(1, 3, 5); /* flooded: it comes to 2 as well */
    ck_assert_uint_eq(capture_count(capture), 2);
    net_port_tap(host[2].port, capture, NET_TAP_IN | NET_TAP_OUT);
    send_at_once(2, 1, 5);
    ck_assert_uint_eq(capture_count(capture), 3);
    net_port_tap(host[2].port, NULL, NET_TAP_IN);
    send_at_once(1, 2, 5);
    ck_assert_uint_eq(capture_count(capture), 3);
}
END_TEST

/* Writes a capture of three frames. */
static void write_file(const char *path, uint64_t digest[2])
{
    struct capture_options file = {.path = path};
    struct capture *c;
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};
    uint8_t f[100], record[SMC_RECORD_MAX_DATA + 61] = {1, SMC_RECORD_MOVE};
    ck_assert_int_eq(capture_open(&memory.alloc, &file, &c, NULL, 0), 0);
    smc_smcd_record_put_total(record, 8);
    capture_put(c, 1, f, make_frame(f, 1, 2, 100, 1));
    ck_assert_int_eq(capture_record(c, 1500000001, mac, NULL, record, 68), 0);
    capture_put(c, 1500000002, f, make_frame(f, 2, 1, 60, 2));
    ck_assert_int_eq(capture_record(c, 3, mac, mac, record, 59), SMC_ERR_ARGUMENT);
    ck_assert_int_eq(capture_record(c, 3, mac, mac, record, sizeof record), SMC_ERR_ARGUMENT);
    ck_assert_uint_eq(capture_count(c), 3);
    capture_digest(c, digest);
    ck_assert_int_eq(capture_close(c), 0);
}

START_TEST(a_file_holds_time_and_bytes_and_records)
{
    char path[] = "/tmp/sim-capture-XXXXXX", error[256];
    uint64_t digest[2], again[2];
    struct trace_raw raw;
    struct trace_packet packet;
    close(mkstemp(path));
    write_file(path, digest);
    write_file(path, again);
    ck_assert_mem_eq(digest, again, sizeof digest);
    struct trace_reader *r = trace_reader_open(path, error, sizeof error);
    ck_assert_ptr_nonnull(r);
    ck_assert_int_eq(trace_reader_next(r, &raw), TRACE_READ_PACKET);
    ck_assert_uint_eq(raw.ts_ns, CAPTURE_EPOCH_S * SIM_S + 1);
    ck_assert_uint_eq(raw.wire_len, 100);
    ck_assert_int_eq(trace_reader_next(r, &raw), TRACE_READ_PACKET);
    ck_assert_uint_eq(raw.ts_ns, CAPTURE_EPOCH_S * SIM_S + 1500000001);
    trace_packet_decode(&raw, true, &packet);
    ck_assert_int_eq(packet.proto, TRACE_RECORD);
    ck_assert_uint_eq(packet.payload_wire_len, 8);
    ck_assert_int_eq(packet.src_mac[5], 9);
    ck_assert_int_eq(trace_reader_next(r, &raw), TRACE_READ_PACKET);
    ck_assert_int_eq(trace_reader_next(r, &raw), TRACE_READ_END);
    trace_reader_close(r);
    unlink(path);
}
END_TEST

START_TEST(a_file_that_cannot_be_written_is_an_error)
{
    struct capture_options nowhere = {.path = "/nonexistent/x.pcap"}, full = {.path = "/dev/full"};
    struct capture *c;
    char error[256];
    uint8_t f[100];
    ck_assert_int_eq(capture_open(&memory.alloc, &nowhere, &c, error, sizeof error), SMC_ERR_IO);
    ck_assert_ptr_null(c);
    ck_assert_ptr_nonnull(strstr(error, "/nonexistent/x.pcap"));
    ck_assert_int_eq(capture_open(&memory.alloc, &full, &c, error, sizeof error), 0);
    for (int i = 0; i < 1000; i++)
        capture_put(c, 1, f, make_frame(f, 1, 2, 100, 1));
    ck_assert_int_eq(capture_error(c), SMC_ERR_IO);
    ck_assert_int_eq(capture_close(c), SMC_ERR_IO);
}
END_TEST

static void count(void *user, uint64_t at_ns, const uint8_t *bytes, size_t length)
{
    (void)bytes;
    *(uint64_t *)user += at_ns + length;
}

START_TEST(without_memory_the_digest_goes_on_and_the_end_tells)
{
    uint64_t seen = 0, digest[2], whole[2];
    struct capture_options keep = {.keep = true, .sink = count, .user = &seen}, none = {0};
    struct capture *c, *reference;
    struct capture_entry e;
    uint8_t f[100];
    size_t n = make_frame(f, 1, 2, 100, 1);
    ck_assert_int_eq(capture_open(&memory.alloc, &none, &reference, NULL, 0), 0);
    ck_assert_int_eq(capture_open(&memory.alloc, &keep, &c, NULL, 0), 0);
    for (unsigned i = 0; i < 300; i++) {
        if (i == 200)
            memory.fail_from = memory.calls + 1;
        capture_put(c, i, f, n);
        capture_put(reference, i, f, n);
        ck_assert(i >= 200 || capture_frame(c, i, &e));
    }
    memory.fail_from = 0;
    capture_digest(c, digest);
    capture_digest(reference, whole);
    ck_assert_mem_eq(digest, whole, sizeof whole);
    ck_assert_uint_eq(seen, 300 * 299 / 2 + 300 * 100);
    ck_assert(!capture_frame(c, 0, &e));
    ck_assert_int_eq(capture_close(c), SMC_ERR_NOMEM);
    ck_assert_int_eq(capture_close(reference), 0);
    memory.fail_at = memory.calls + 1;
    ck_assert_int_eq(capture_open(&memory.alloc, &none, &c, NULL, 0), SMC_ERR_NOMEM);
    ck_assert_int_eq(capture_close(NULL), 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *s = suite_create("capture");
    TCase *c = tcase_create("capture");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, a_flooded_frame_is_captured_once_where_it_belongs);
    tcase_add_test(c, lost_frames_are_in_the_capture_of_senders_only);
    tcase_add_test(c, a_tap_sees_one_port_only_and_the_directions_it_wants);
    tcase_add_test(c, a_file_holds_time_and_bytes_and_records);
    tcase_add_test(c, a_file_that_cannot_be_written_is_an_error);
    tcase_add_test(c, without_memory_the_digest_goes_on_and_the_end_tells);
    suite_add_tcase(s, c);
    return s;
}
CHECK_MAIN(make_suite)
