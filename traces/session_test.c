/* The tracker rebuilds from captures what both ends must have known.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "order.h"
#include "reader.h"
#include "session.h"
#include "testing/check_main.h"

#include <stdio.h>
#include <stdlib.h>

/* What a run leaves behind: copied in `finish`, while everything still lives. */
struct seen {
    struct trace_session *session;
    unsigned groups, links, active, conns, rmbs, valid_tokens;
    unsigned cdcs, cdcs_unknown, writes, writes_in_ring, llcs_unknown, gaps;
    uint32_t origin, ring[2];
    uint64_t prod[2];
    bool late, no_events_after_finish;
    enum trace_closed closed;
    uint8_t numbers[8];
};

static void on_finish(void *ctx, uint64_t frame, uint64_t ns)
{
    struct seen *w = ctx;
    (void)frame;
    (void)ns;
    for (struct trace_group *g = trace_session_groups(w->session); g; g = g->next) {
        w->groups++;
        w->origin = g->origin;
        w->late |= g->late;
        for (struct trace_link *l = g->links; l; l = l->next) {
            if (w->links < 8)
                w->numbers[w->links] = l->number_known ? l->number : 0;
            w->links++;
            w->active += l->state == TRACE_LINK_ACTIVE;
        }
        for (int side = 0; side < 2; side++)
            for (struct trace_rmb *r = g->rmbs[side]; r; r = r->next) {
                w->rmbs++;
                for (unsigned i = 0; i < r->ntokens; i++)
                    w->valid_tokens += r->tokens[i].valid;
            }
    }
}

static void on_conn_end(void *ctx, struct trace_conn *c)
{
    struct seen *w = ctx;
    w->conns++;
    w->closed = c->closed;
    for (int i = 0; i < 2; i++) {
        w->ring[i] = c->side[i].ring_size;
        w->prod[i] = c->side[i].prod_pos;
    }
}

static void on_cdc(void *ctx, const struct trace_cdc_event *e)
{
    struct seen *w = ctx;
    w->cdcs++;
    w->cdcs_unknown += !e->conn;
}

static void on_write(void *ctx, const struct trace_write_event *e)
{
    struct seen *w = ctx;
    w->writes++;
    w->writes_in_ring += e->target == TRACE_WRITE_RING && e->pos_ok;
}

static void on_llc(void *ctx, const struct trace_llc_event *e)
{
    ((struct seen *)ctx)->llcs_unknown += !e->link;
}

static void on_gap(void *ctx, struct trace_stream *s, struct trace_link *l, uint32_t n, uint64_t frame)
{
    (void)s;
    (void)l;
    (void)frame;
    ((struct seen *)ctx)->gaps += n;
}

static int emit(void *ctx, const struct trace_raw *raw)
{
    return trace_session_input(ctx, raw);
}

/* Runs a capture; frames `from` to `to` are left out (0, 0: none). */
static struct seen run_without(const char *name, uint64_t from, uint64_t to)
{
    static const struct trace_session_events events = {.finish = on_finish, .conn_end = on_conn_end, .cdc = on_cdc,
                                                       .write = on_write, .llc = on_llc, .rc_gap = on_gap};
    char path[512], error[512];
    struct seen w = {0};
    struct trace_raw raw;
    snprintf(path, sizeof path, "%s/traces/%s.pcap", SMCLAB_SOURCE_DIR, name);
    struct trace_reader *r = trace_reader_open(path, error, sizeof error);
    ck_assert_msg(r != NULL, "%s", error);
    w.session = trace_session_new(&events, &w);
    struct trace_order *o = trace_order_new(50000000, 4096, emit, w.session);
    while (trace_reader_next(r, &raw) == TRACE_READ_PACKET)
        if (raw.frame < from || raw.frame > to)
            ck_assert_int_eq(trace_order_put(o, &raw), 0);
    ck_assert_int_eq(trace_order_flush(o), 0);
    trace_session_finish(w.session);
    trace_order_free(o);
    trace_session_free(w.session);
    trace_reader_close(r);
    return w;
}

static struct seen run(const char *name)
{
    return run_without(name, 0, 0);
}

START_TEST(a_first_contact_makes_one_group_one_link_and_two_rmbs)
{
    struct seen w = run("captures/6.12.107-v2-a-first-contact");
    ck_assert_uint_eq(w.groups, 1);
    ck_assert_uint_eq(w.active, 1);
    ck_assert_uint_eq(w.rmbs, 2);
    ck_assert_uint_eq(w.origin, 0);
    ck_assert_uint_eq(w.ring[0], 65536);
    ck_assert_uint_eq(w.prod[0], 32);
    ck_assert_uint_eq(w.prod[1], 32);
    ck_assert_uint_eq(w.cdcs_unknown, 0);
    ck_assert_uint_eq(w.writes_in_ring, 2);
    ck_assert_int_eq(w.closed, TRACE_CLOSED_NORMAL);
}
END_TEST

START_TEST(deleted_rkeys_are_no_longer_valid)
{
    ck_assert_uint_eq(run("captures/6.12.107-v2-a-first-contact").valid_tokens, 0);
}
END_TEST

START_TEST(add_link_gives_a_second_link_that_reaches_every_rmb)
{
    struct seen w = run("captures/6.12.107-smclo-v1pure-g-two-links-add-link");
    ck_assert_uint_eq(w.groups, 1);
    ck_assert_uint_eq(w.active, 2);
    ck_assert_uint_eq(w.numbers[0], 1);
    ck_assert_uint_eq(w.numbers[1], 2);
    ck_assert_uint_eq(w.writes_in_ring, w.writes);
}
END_TEST

START_TEST(eyecatchers_move_the_origin_and_shrink_the_ring)
{
    struct seen w = run("synthetic/first-contact-rocev1");
    ck_assert_uint_eq(w.origin, 4);
    ck_assert_uint_eq(w.ring[0], 16380);
    ck_assert_uint_eq(w.writes_in_ring, w.writes);
}
END_TEST

START_TEST(links_older_than_the_capture_join_one_group_with_their_numbers)
{
    struct seen w = run("captures/6.12.107-v2-g2-failover-server-link-down");
    ck_assert(w.late);
    ck_assert_uint_eq(w.groups, 1);
    ck_assert_uint_eq(w.cdcs_unknown, 0);
    ck_assert_uint_eq(w.writes_in_ring, w.writes);
    ck_assert_uint_eq(w.numbers[0] + w.numbers[1], 3); /* 1 and 2, whichever connection came first */
    ck_assert_uint_eq(w.prod[0], 200);
}
END_TEST

/* Without the handshake of the first connection nobody names the link that the other one fails over to. */
START_TEST(a_failover_to_an_unnamed_link_makes_it_known)
{
    struct seen w = run_without("captures/6.12.107-v2-g2-failover-server-link-down", 1, 16);
    ck_assert_uint_eq(w.groups, 1);
    ck_assert_uint_eq(w.prod[0], 200);
    ck_assert_uint_eq(w.prod[1], 200);
}
END_TEST

START_TEST(several_elements_of_one_rmb_belong_to_their_own_connections)
{
    struct seen w = run("synthetic/shared-rmb");
    ck_assert_uint_gt(w.conns, 2);
    ck_assert_uint_eq(w.cdcs_unknown, 0);
    ck_assert_uint_eq(w.writes_in_ring, w.writes);
}
END_TEST

START_TEST(smcd_records_are_followed_like_writes)
{
    const char *names[] = {"synthetic/smcd-records-le", "synthetic/smcd-records-be"};
    for (int i = 0; i < 2; i++) {
        struct seen w = run(names[i]);
        ck_assert_uint_gt(w.cdcs, 0);
        ck_assert_uint_eq(w.writes_in_ring, w.writes);
    }
}
END_TEST

START_TEST(clc_that_the_snap_length_cut_still_names_the_rings)
{
    struct seen w = run("captures/6.12.107-v2-c-bulk-4MB-snap160");
    ck_assert_uint_eq(w.writes_in_ring, w.writes);
    ck_assert_uint_eq(w.prod[0], 4000000);
}
END_TEST

START_TEST(each_single_lost_frame_is_survived)
{
    const char *name = "captures/6.12.107-smclo-v1pure-g-two-links-add-link";
    uint64_t gaps = 0;
    for (uint64_t skip = 1; skip <= 90; skip++) {
        struct seen w = run_without(name, skip, skip);
        gaps += w.gaps;
        ck_assert_uint_eq(w.conns, 1);
    }
    ck_assert_uint_gt(gaps, 0);
}
END_TEST

static uint64_t order_seen[8];
static unsigned order_n;

static int note_order(void *ctx, const struct trace_raw *raw)
{
    (void)ctx;
    order_seen[order_n++ % 8] = raw->frame;
    return 0;
}

START_TEST(packets_leave_the_window_in_order_of_time)
{
    const uint64_t times[] = {1000, 5000, 3000, 4000, 90000, 3000};
    const uint64_t want[] = {1, 3, 6, 4, 2, 5};
    struct trace_order *o = trace_order_new(100000, 16, note_order, NULL);
    order_n = 0;
    for (uint64_t i = 0; i < 6; i++) {
        struct trace_raw raw = {.frame = i + 1, .ts_ns = times[i], .bytes = smc_view_of("x", 1)};
        ck_assert_int_eq(trace_order_put(o, &raw), 0);
    }
    trace_order_flush(o);
    trace_order_free(o);
    ck_assert_uint_eq(order_n, 6);
    for (unsigned i = 0; i < 6; i++)
        ck_assert_uint_eq(order_seen[i], want[i]);
}
END_TEST

START_TEST(a_full_window_lets_the_oldest_go)
{
    struct trace_order *o = trace_order_new(UINT64_MAX, 2, note_order, NULL);
    order_n = 0;
    for (uint64_t i = 0; i < 5; i++) {
        struct trace_raw raw = {.frame = i + 1, .ts_ns = i, .bytes = smc_view_of("x", 1)};
        ck_assert_int_eq(trace_order_put(o, &raw), 0);
    }
    ck_assert_uint_eq(order_n, 3);
    trace_order_free(o);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("session");
    TCase *t = tcase_create("session");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, a_first_contact_makes_one_group_one_link_and_two_rmbs);
    tcase_add_test(t, deleted_rkeys_are_no_longer_valid);
    tcase_add_test(t, add_link_gives_a_second_link_that_reaches_every_rmb);
    tcase_add_test(t, eyecatchers_move_the_origin_and_shrink_the_ring);
    tcase_add_test(t, links_older_than_the_capture_join_one_group_with_their_numbers);
    tcase_add_test(t, a_failover_to_an_unnamed_link_makes_it_known);
    tcase_add_test(t, several_elements_of_one_rmb_belong_to_their_own_connections);
    tcase_add_test(t, smcd_records_are_followed_like_writes);
    tcase_add_test(t, clc_that_the_snap_length_cut_still_names_the_rings);
    tcase_add_test(t, each_single_lost_frame_is_survived);
    tcase_add_test(t, packets_leave_the_window_in_order_of_time);
    tcase_add_test(t, a_full_window_lets_the_oldest_go);
    suite_add_tcase(s, t);
    return s;
}
CHECK_MAIN(suite)
