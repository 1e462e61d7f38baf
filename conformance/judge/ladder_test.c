/* Which events a ladder keeps, and where findings lead.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conformance/judge/ladder_state.h"
#include "testing/check_main.h"

#include <string.h>

static struct judge_ladders *l;
static struct trace_conn conn;
static const struct trace_session_events *on = &judge_ladder_events;

static void setup(void)
{
    l = judge_ladders_new();
    memset(&conn, 0, sizeof conn);
    conn.id = 1;
    conn.port[0] = 1000;
    conn.port[1] = 80;
    conn.addr[0].b[15] = 1;
    conn.addr[1].b[15] = 2;
}

static void teardown(void)
{
    judge_ladders_free(l);
}

/* A frame in which the connection's client sent a CDC message. */
static void cdc(uint64_t frame)
{
    struct trace_packet p = {.raw = {.frame = frame, .ts_ns = frame * 1000}};
    struct trace_cdc_event e = {.conn = &conn, .side = 0, .frame = frame, .ts_ns = frame * 1000, .seq = (uint16_t)frame};
    on->packet(l, &p);
    on->cdc(l, &e);
}

static void write_to_ring(uint64_t frame, uint64_t from, uint64_t to)
{
    struct trace_write_event e = {.conn = &conn, .side = 0, .frame = frame, .ts_ns = frame * 1000, .target = TRACE_WRITE_RING,
                                  .len = (uint32_t)(to - from), .pos_ok = true, .from = from, .to = to};
    on->write(l, &e);
}

static struct judge_finding found(uint64_t frame, uint64_t connection)
{
    struct judge_finding f = {.requirement = 3, .frame = frame, .connection = connection, .offset = -1};
    judge_ladder_finding(l, &f);
    return f;
}

static const struct judge_ladder *first(void)
{
    ck_assert_uint_ge(judge_ladders_count(l), 1);
    return judge_ladders_get(l, 0);
}

/* The event that a finding leads to. */
static const struct judge_ladder_event *target(struct judge_finding f, uint64_t ladder)
{
    const struct judge_ladder *where;
    size_t event;
    ck_assert(judge_ladder_anchor(l, &f, &where, &event));
    ck_assert_uint_eq(where->id, ladder);
    return &where->events[event];
}

START_TEST(the_first_events_are_kept_and_the_rest_counted)
{
    for (uint64_t i = 1; i <= 1000; i++)
        cdc(i);
    ck_assert_uint_eq(first()->nevents, JUDGE_LADDER_FIRST);
    ck_assert_uint_eq(first()->serial, 1000);
    ck_assert_uint_eq(first()->events[0].frame, 1);
    ck_assert_str_eq(first()->events[0].label, "CDC 1");
}
END_TEST

START_TEST(what_stands_around_a_finding_is_kept)
{
    for (uint64_t i = 1; i <= 500; i++)
        cdc(i);
    struct judge_finding f = found(500, 1);
    for (uint64_t i = 501; i <= 1000; i++)
        cdc(i);
    const struct judge_ladder *ladder = first();
    ck_assert_uint_eq(ladder->nevents, JUDGE_LADDER_FIRST + JUDGE_LADDER_BEFORE + JUDGE_LADDER_AFTER);
    ck_assert_uint_eq(ladder->events[JUDGE_LADDER_FIRST].frame, 500 - JUDGE_LADDER_BEFORE + 1);
    ck_assert_uint_eq(ladder->events[ladder->nevents - 1].frame, 500 + JUDGE_LADDER_AFTER);
    ck_assert_uint_eq(target(f, 1)->frame, 500);
}
END_TEST

START_TEST(a_ladder_never_exceeds_its_room)
{
    for (uint64_t i = 1; i <= 20000; i++) {
        cdc(i);
        if (i % 20 == 0)
            found(i, 1);
        if (i % 20 == 10)
            found(0, 1);
    }
    ck_assert_uint_le(first()->nevents, JUDGE_LADDER_FIRST + JUDGE_LADDER_AROUND + JUDGE_LADDER_NOTES);
    ck_assert_uint_eq(first()->around, JUDGE_LADDER_AROUND);
}
END_TEST

START_TEST(a_finding_without_room_leads_nowhere)
{
    struct judge_finding f = {0};
    for (uint64_t i = 1; i <= 20000; i++) {
        cdc(i);
        f = found(i, 1);
    }
    const struct judge_ladder *where;
    size_t event;
    ck_assert(!judge_ladder_anchor(l, &f, &where, &event));
    struct judge_finding never = {.requirement = 9, .frame = 1};
    ck_assert(!judge_ladder_anchor(l, &never, &where, &event));
}
END_TEST

START_TEST(consecutive_writes_are_one_event)
{
    cdc(1);
    write_to_ring(2, 0, 1024);
    write_to_ring(3, 1024, 2048);
    write_to_ring(4, 2048, 2050);
    write_to_ring(5, 4096, 5000); /* a hole: another event */
    ck_assert_uint_eq(first()->nevents, 3);
    const struct judge_ladder_event *e = &first()->events[1];
    ck_assert_uint_eq(e->frame, 2);
    ck_assert_uint_eq(e->last_frame, 4);
    ck_assert_str_eq(e->label, "RDMA WRITE, 2050 bytes in 3 packets");
    ck_assert_str_eq(e->detail, "stream 0 to 2050");
    ck_assert_int_eq((int)judge_ladder_at(first(), 3), 1);
    ck_assert_int_eq((int)judge_ladder_at(first(), 9), -1);
}
END_TEST

START_TEST(a_frame_that_no_event_has_gets_one)
{
    cdc(1);
    struct trace_packet p = {.raw = {.frame = 2, .ts_ns = 2000}, .proto = TRACE_ROCE, .roce = {.opcode = SMC_BTH_READ_REQUEST}};
    on->packet(l, &p);
    const struct judge_ladder_event *e = target(found(2, 1), 1);
    ck_assert_int_eq(e->kind, JUDGE_EVENT_OTHER);
    ck_assert_ptr_nonnull(strstr(e->label, "RDMA READ request"));
}
END_TEST

START_TEST(an_earlier_frame_stands_where_it_belongs)
{
    cdc(1);
    cdc(9);
    struct judge_finding f = found(4, 1);
    ck_assert_uint_eq(first()->events[1].frame, 4);
    ck_assert_uint_eq(first()->events[2].frame, 9);
    ck_assert_uint_eq(target(f, 1)->frame, 4);
}
END_TEST

START_TEST(what_is_absent_has_a_place_too)
{
    cdc(1);
    const struct judge_ladder_event *e = target(found(0, 1), 1);
    ck_assert_int_eq(e->kind, JUDGE_EVENT_ABSENT);
    ck_assert_str_eq(e->label, judge_catalogue[3].id);
}
END_TEST

START_TEST(a_finding_of_a_group_leads_to_the_connection_that_shows_it)
{
    struct trace_group group = {.id = 1, .conns = &conn};
    struct trace_request request = {.frame = 7, .ts_ns = 7000};
    struct trace_llc_event e = {.group = &group, .side = 1, .request = &request, .valid = true,
                                .info = {.version = 1, .type = SMC_LLC_TEST_LINK, .response = true}};
    on->llc(l, &e);
    ck_assert_str_eq(target(found(7, 0), 1)->label, "TEST LINK response");
}
END_TEST

START_TEST(a_finding_of_no_connection_stands_with_the_rest)
{
    cdc(1);
    ck_assert_uint_eq(judge_ladders_count(l), 1);
    target(found(33, 0), 0);
    ck_assert_uint_eq(judge_ladders_count(l), 2);
    ck_assert_uint_eq(judge_ladders_get(l, 1)->id, 0);
}
END_TEST

START_TEST(a_finding_at_the_end_of_a_connection_is_still_taken)
{
    cdc(1);
    on->conn_end(l, &conn);
    target(found(0, 1), 1); /* the checks hear of the end after us */
    struct trace_packet p = {.raw = {.frame = 2}};
    on->packet(l, &p);
    ck_assert_uint_eq(judge_ladders_count(l), 1);
}
END_TEST

START_TEST(roles_that_were_guessed_wrong_are_turned)
{
    cdc(1);
    struct trace_addr a = conn.addr[0];
    conn.addr[0] = conn.addr[1];
    conn.addr[1] = a;
    conn.port[0] = 80;
    conn.port[1] = 1000;
    cdc(2);
    ck_assert_int_eq(first()->events[0].side, 1);
    ck_assert_int_eq(first()->events[1].side, 0);
    ck_assert_uint_eq(first()->port[0], 80);
}
END_TEST

START_TEST(only_so_many_connections_are_kept)
{
    for (uint64_t id = 1; id <= 10000; id++) {
        conn.id = id;
        cdc(2 * id);
        if (id % 10 == 0)
            found(2 * id, id);
        on->conn_end(l, &conn);
    }
    struct trace_packet p = {.raw = {.frame = 1}};
    on->packet(l, &p);
    ck_assert_uint_eq(judge_ladders_count(l), JUDGE_LADDER_PLAIN + JUDGE_LADDER_FINDINGS);
    ck_assert_uint_eq(judge_ladders_dropped(l), 10000 - JUDGE_LADDER_PLAIN - JUDGE_LADDER_FINDINGS);
    for (size_t i = 1; i < judge_ladders_count(l); i++)
        ck_assert_uint_lt(judge_ladders_get(l, i - 1)->id, judge_ladders_get(l, i)->id);
}
END_TEST

START_TEST(only_so_many_live_connections_are_followed)
{
    for (uint64_t id = 1; id <= JUDGE_LADDER_LIVE + 10; id++) {
        conn.id = id;
        cdc(id);
    }
    ck_assert_uint_eq(judge_ladders_count(l), JUDGE_LADDER_LIVE);
    conn.id = JUDGE_LADDER_LIVE + 5;
    on->conn_end(l, &conn);
    ck_assert_uint_eq(judge_ladders_dropped(l), 1);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *s = suite_create("ladder");
    TCase *c = tcase_create("ladder");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, the_first_events_are_kept_and_the_rest_counted);
    tcase_add_test(c, what_stands_around_a_finding_is_kept);
    tcase_add_test(c, a_ladder_never_exceeds_its_room);
    tcase_add_test(c, a_finding_without_room_leads_nowhere);
    tcase_add_test(c, consecutive_writes_are_one_event);
    tcase_add_test(c, a_frame_that_no_event_has_gets_one);
    tcase_add_test(c, an_earlier_frame_stands_where_it_belongs);
    tcase_add_test(c, what_is_absent_has_a_place_too);
    tcase_add_test(c, a_finding_of_a_group_leads_to_the_connection_that_shows_it);
    tcase_add_test(c, a_finding_of_no_connection_stands_with_the_rest);
    tcase_add_test(c, a_finding_at_the_end_of_a_connection_is_still_taken);
    tcase_add_test(c, roles_that_were_guessed_wrong_are_turned);
    tcase_add_test(c, only_so_many_connections_are_kept);
    tcase_add_test(c, only_so_many_live_connections_are_followed);
    suite_add_tcase(s, c);
    return s;
}

CHECK_MAIN(make_suite)
