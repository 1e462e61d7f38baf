/* The real clock and the carriers of frames: events at their time, frames at the time they came, nothing lost, nobody trusted.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/live/carrier.h"
#include "sim/live/live.h"
#include "testing/check_main.h"

#include <smc/alloc.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct live *live;
static struct lab *lab;

static void open_lab(void)
{
    live = live_new();
    ck_assert_ptr_nonnull(live);
    struct lab_config config = {.clock = live_clock(live), .seed = 1};
    ck_assert_int_eq(lab_new(&config, &lab), 0);
}

static void close_lab(void)
{
    ck_assert_int_eq(lab_free(lab), 0);
    live_free(live);
}

/* ---- the clock ---- */
struct note {
    uint64_t virtual_ns, real_ns;
};

static void take_note(void *ctx, uint64_t now_ns)
{
    struct note *n = ctx;
    n->virtual_ns = now_ns;
    n->real_ns = live_now(live);
}

START_TEST(an_event_happens_at_its_time_and_never_before)
{
    struct note n = {0};
    uint64_t at = live_now(live) + 30 * SIM_MS;
    ck_assert_int_eq(sim_at(lab_sim(lab), at, take_note, &n), 0);
    ck_assert_int_eq(lab_run_until(lab, at + 20 * SIM_MS), 0);
    ck_assert_uint_eq(n.virtual_ns, at);
    ck_assert_uint_ge(n.real_ns, at);
    ck_assert_uint_eq(sim_now(lab_sim(lab)), at + 20 * SIM_MS);
    ck_assert_uint_ge(live_now(live), at + 20 * SIM_MS);
}
END_TEST

START_TEST(events_that_are_late_happen_in_their_order)
{
    struct note n[3] = {{0}};
    usleep(20000);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_int_eq(sim_at(lab_sim(lab), (3 - i) * SIM_MS, take_note, &n[i]), 0);
    ck_assert_int_eq(lab_run_until(lab, 5 * SIM_MS), 0);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_uint_eq(n[i].virtual_ns, (3 - i) * SIM_MS);
}
END_TEST

START_TEST(a_step_ends_soon_although_nothing_happens)
{
    uint64_t before = live_now(live);
    ck_assert_int_eq(lab_step(lab, before + 10 * SIM_S), 1);
    ck_assert_uint_lt(live_now(live), before + 2 * SIM_S);
}
END_TEST

struct counter {
    unsigned calls, bytes;
    uint64_t at_ns;
    int fd;
    struct live_watch *watch;
    bool stop;
};

static void read_it(void *user, uint64_t now_ns)
{
    struct counter *c = user;
    char bytes[64];
    ssize_t n = read(c->fd, bytes, sizeof(bytes));
    c->calls++;
    c->bytes += n > 0 ? (unsigned)n : 0;
    c->at_ns = now_ns;
    if (c->stop)
        live_unwatch(c->watch);
}

START_TEST(what_comes_from_outside_is_an_event_of_its_moment)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    struct counter c = {.fd = ends[0]};
    struct live_watch w = {.fd = ends[0], .ready = read_it, .user = &c};
    live_watch(live, &w);
    ck_assert_int_eq((int)write(ends[1], "hello", 5), 5);
    uint64_t before = live_now(live);
    ck_assert_int_eq(lab_run_until(lab, before + 30 * SIM_MS), 0);
    ck_assert_uint_eq(c.bytes, 5);
    ck_assert_uint_ge(c.at_ns, before);
    ck_assert_uint_le(c.at_ns, sim_now(lab_sim(lab)));
    live_unwatch(&w);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

START_TEST(a_watch_may_end_itself)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    struct live_watch w = {.fd = ends[0], .ready = read_it};
    struct counter c = {.fd = ends[0], .watch = &w, .stop = true};
    w.user = &c;
    live_watch(live, &w);
    ck_assert_int_eq((int)write(ends[1], "a", 1), 1);
    ck_assert_int_eq(lab_run_until(lab, live_now(live) + 15 * SIM_MS), 0);
    ck_assert_int_eq((int)write(ends[1], "b", 1), 1);
    ck_assert_int_eq(lab_run_until(lab, live_now(live) + 15 * SIM_MS), 0);
    ck_assert_uint_eq(c.calls, 1);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

/* ---- carriers ---- */
struct frames {
    unsigned count;
    size_t bytes;
    uint8_t last[2048];
    size_t last_length;
};

static void got(void *user, const uint8_t *bytes, size_t length)
{
    struct frames *f = user;
    f->count++;
    f->bytes += length;
    f->last_length = length < sizeof(f->last) ? length : sizeof(f->last);
    memcpy(f->last, bytes, f->last_length);
}

static void run_ms(unsigned ms)
{
    ck_assert_int_eq(lab_run_until(lab, live_now(live) + ms * SIM_MS), 0);
}

START_TEST(frames_cross_a_pair_of_datagram_sockets_whole)
{
    int ends[2];
    char error[LIVE_ERROR];
    uint8_t frame[1514];
    struct frames here = {0}, there = {0};
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
    struct live_carrier *a = live_carrier_fd(ends[0], false, error), *b = live_carrier_fd(ends[1], false, error);
    live_carrier_start(a, live, got, &here);
    live_carrier_start(b, live, got, &there);
    for (unsigned i = 0; i < 2000; i++) { /* more than a socket holds: they wait, in order */
        memset(frame, (int)(i & 0xff), sizeof(frame));
        live_carrier_send(a, frame, sizeof(frame) - i % 500);
    }
    for (unsigned i = 0; i < 200 && there.count < 2000; i++)
        run_ms(5);
    ck_assert_uint_eq(there.count, 2000);
    ck_assert_uint_eq(there.last_length, sizeof(frame) - 1999 % 500);
    ck_assert_uint_eq(there.last[0], 1999 & 0xff);
    ck_assert_uint_eq(live_carrier_stats(a).lost, 0);
    live_carrier_send(b, frame, 60);
    run_ms(10);
    ck_assert_uint_eq(here.count, 1);
    live_carrier_free(a);
    live_carrier_free(b);
}
END_TEST

START_TEST(a_stream_is_cut_into_frames_wherever_it_was_torn)
{
    int ends[2];
    char error[LIVE_ERROR];
    struct frames f = {0};
    uint8_t bytes[4 + 100];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    struct live_carrier *c = live_carrier_fd(ends[0], true, error);
    live_carrier_start(c, live, got, &f);
    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i < 4 ? 0 : i);
    bytes[3] = 100;
    for (unsigned i = 0; i < sizeof(bytes); i++) { /* a byte at a time */
        ck_assert_int_eq((int)write(ends[1], bytes + i, 1), 1);
        if (i % 20 == 0)
            run_ms(2);
    }
    run_ms(10);
    ck_assert_uint_eq(f.count, 1);
    ck_assert_uint_eq(f.last_length, 100);
    ck_assert_mem_eq(f.last, bytes + 4, 100);
    live_carrier_send(c, bytes, 60);
    run_ms(10);
    ck_assert_int_eq((int)read(ends[1], bytes, sizeof(bytes)), 64);
    ck_assert_uint_eq(bytes[3], 60);
    live_carrier_free(c);
    close(ends[1]);
}
END_TEST

START_TEST(a_length_beyond_every_frame_ends_a_stream)
{
    int ends[2];
    char error[LIVE_ERROR];
    struct frames f = {0};
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    struct live_carrier *c = live_carrier_fd(ends[0], true, error);
    live_carrier_start(c, live, got, &f);
    ck_assert_int_eq((int)write(ends[1], "\x7f\xff\xff\xff" "abc", 7), 7);
    run_ms(15);
    ck_assert(!live_carrier_alive(c));
    ck_assert_uint_eq(f.count, 0);
    live_carrier_free(c);
    close(ends[1]);
}
END_TEST

START_TEST(a_stream_that_is_closed_is_not_alive)
{
    int ends[2];
    char error[LIVE_ERROR];
    struct frames f = {0};
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    struct live_carrier *c = live_carrier_fd(ends[0], true, error);
    live_carrier_start(c, live, got, &f);
    ck_assert(live_carrier_alive(c));
    close(ends[1]);
    run_ms(15);
    ck_assert(!live_carrier_alive(c));
    live_carrier_free(c);
}
END_TEST

START_TEST(datagram_sockets_have_paths_as_qemu_wants_them)
{
    char folder[] = "/tmp/smclab-live-XXXXXX", a_path[64], b_path[64], error[LIVE_ERROR];
    struct frames f = {0};
    struct stat st;
    uint8_t frame[60] = {1};
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(a_path, sizeof(a_path), "%s/a", folder);
    snprintf(b_path, sizeof(b_path), "%s/b", folder);
    ck_assert_ptr_null(live_carrier_dgram(a_path, b_path, error)); /* nobody is there */
    ck_assert_ptr_nonnull(strstr(error, b_path));
    int peer = socket(AF_UNIX, SOCK_DGRAM, 0);
    struct { unsigned short family; char path[108]; } address = {AF_UNIX, ""};
    memcpy(address.path, b_path, strlen(b_path));
    ck_assert_int_eq(bind(peer, (struct sockaddr *)&address, sizeof(address)), 0);
    struct live_carrier *c = live_carrier_dgram(a_path, b_path, error);
    ck_assert_ptr_nonnull(c);
    live_carrier_start(c, live, got, &f);
    live_carrier_send(c, frame, sizeof(frame));
    uint8_t came[100];
    ck_assert_int_eq((int)recv(peer, came, sizeof(came), 0), 60);
    live_carrier_free(c);
    ck_assert_int_ne(stat(a_path, &st), 0); /* removed */
    close(peer);
    unlink(b_path);
    rmdir(folder);
}
END_TEST

START_TEST(an_interface_that_is_not_there_is_named)
{
    char error[LIVE_ERROR];
    char name[LIVE_INTERFACE];
    uint8_t mac[6];
    ck_assert_ptr_null(live_carrier_packet("smc-none0", error));
    ck_assert_ptr_nonnull(strstr(error, "smc-none0"));
    ck_assert_ptr_null(live_carrier_open("pigeon:1", error));
    ck_assert_ptr_nonnull(strstr(error, "pigeon:1"));
    for (const char *const *text = (const char *const[]){"packet:smc-none0", "packet:lo", "tap:smc-none0", "stream:/nowhere", NULL};
         *text != NULL; text++) {
        error[0] = '\0';
        ck_assert(!live_carrier_far_end(*text, name, mac, error));
        ck_assert_ptr_nonnull(strstr(error, strchr(*text, ':') + 1));
    }
}
END_TEST

static Suite *live_suite(void)
{
    Suite *s = suite_create("live");
    TCase *c = tcase_create("live");
    tcase_add_checked_fixture(c, open_lab, close_lab);
    tcase_add_test(c, an_event_happens_at_its_time_and_never_before);
    tcase_add_test(c, events_that_are_late_happen_in_their_order);
    tcase_add_test(c, a_step_ends_soon_although_nothing_happens);
    tcase_add_test(c, what_comes_from_outside_is_an_event_of_its_moment);
    tcase_add_test(c, a_watch_may_end_itself);
    tcase_add_test(c, frames_cross_a_pair_of_datagram_sockets_whole);
    tcase_add_test(c, a_stream_is_cut_into_frames_wherever_it_was_torn);
    tcase_add_test(c, a_length_beyond_every_frame_ends_a_stream);
    tcase_add_test(c, a_stream_that_is_closed_is_not_alive);
    tcase_add_test(c, datagram_sockets_have_paths_as_qemu_wants_them);
    tcase_add_test(c, an_interface_that_is_not_there_is_named);
    suite_add_tcase(s, c);
    return s;
}

CHECK_MAIN(live_suite)
