/* Tests of what no capture at hand can show: a group that is full, against one with room.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "testing/check_main.h"

#include "check_clc.h"
#include "state.h"

enum { CONNECTIONS = 17 };

struct full_group {
    struct trace_group group;
    struct trace_link link;
    struct trace_rmb rmbs[CONNECTIONS];
    struct trace_conn conns[CONNECTIONS];
};

/* A group of SMC-Rv2 with 16 connections and a 17th that is about to be confirmed: conns[16]. */
static void fill(struct full_group *f, uint8_t max_conns)
{
    *f = (struct full_group){.group = {.id = 1, .version = 2, .release = 1, .max_conns = max_conns, .nconns = CONNECTIONS},
                             .link = {.state = TRACE_LINK_ACTIVE, .first = true}};
    f->group.links = &f->link;
    f->link.group = &f->group;
    f->link.end[0].known = f->link.end[1].known = true;
    f->link.end[0].qpn = 0x11;
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        struct trace_conn *c = &f->conns[i];
        bool last = i == CONNECTIONS - 1;
        *c = (struct trace_conn){.id = i + 1, .first_frame = 10 * i + 1, .accepted = true, .confirmed = !last,
                                 .mode = last ? TRACE_MODE_UNKNOWN : TRACE_MODE_SMCR, .version = 2,
                                 .phase = last ? TRACE_CLC_CONFIRM : TRACE_CLC_DONE, .group = &f->group, .link = &f->link,
                                 .accept_frame = 10 * i + 5};
        c->side[1] = (struct trace_conn_side){.given = true, .rmbe_index = 1, .rmb = &f->rmbs[i]};
        c->group_next = f->group.conns;
        f->group.conns = c;
    }
}

/* Verdict on the Confirm of the last connection: the number of failures, and the one there is in *requirement. */
static uint64_t confirm(struct full_group *f, int *requirement)
{
    struct judge *j = judge_new("test", NULL, NULL, NULL);
    struct trace_clc_event e = {.conn = &f->conns[CONNECTIONS - 1], .side = TRACE_C2S, .frame = 500, .type = SMC_CLC_CONFIRM,
                                .version = 2, .accept_valid = true};
    e.bytes = smc_view_of("", 0);
    e.accept = (struct smc_clc_accept_info){.type = SMC_CLC_CONFIRM, .version = 2, .qpn = 0x11, .rmbe_index = 1};
    ck_assert_ptr_nonnull(j);
    clc_group_confirm(j, &e);
    const struct judge_result *r = judge_finish(j, NULL);
    uint64_t failures = r->summary[JUDGE_FAIL];
    *requirement = failures > 0 ? r->findings[0].requirement : -1;
    judge_free(j);
    return failures;
}

START_TEST(a_full_group_takes_no_further_connection)
{
    struct full_group f;
    int requirement;
    fill(&f, 16);
    ck_assert_uint_eq(confirm(&f, &requirement), 1);
    ck_assert_int_eq(requirement, REQ_CLC_080);
}
END_TEST

START_TEST(a_group_with_room_takes_one_more)
{
    struct full_group f;
    int requirement;
    fill(&f, 17);
    ck_assert_uint_eq(confirm(&f, &requirement), 0);
    fill(&f, 0); /* not negotiated */
    ck_assert_uint_eq(confirm(&f, &requirement), 0);
}
END_TEST

START_TEST(a_closed_connection_makes_room)
{
    struct full_group f;
    int requirement;
    fill(&f, 16);
    f.conns[3].side[0].closed = f.conns[3].side[1].closed = true;
    ck_assert_uint_eq(confirm(&f, &requirement), 0);
}
END_TEST

START_TEST(a_link_that_went_during_the_handshake_may_be_named)
{
    struct full_group f;
    int requirement;
    fill(&f, 255);
    f.link.state = TRACE_LINK_GONE;
    f.link.gone_frame = f.conns[CONNECTIONS - 1].first_frame + 1;
    ck_assert_uint_eq(confirm(&f, &requirement), 0);
    f.link.gone_frame = f.conns[CONNECTIONS - 1].first_frame - 1;
    ck_assert_uint_eq(confirm(&f, &requirement), 1);
    ck_assert_int_eq(requirement, REQ_CLC_040);
}
END_TEST

START_TEST(an_element_in_use_is_not_offered_again)
{
    struct full_group f;
    int requirement;
    fill(&f, 255);
    f.conns[CONNECTIONS - 1].side[1].rmb = &f.rmbs[2];
    ck_assert_uint_eq(confirm(&f, &requirement), 1);
    ck_assert_int_eq(requirement, REQ_CLC_039);
    f.conns[CONNECTIONS - 1].side[1].rmbe_index = 2; /* another element of the same RMB */
    ck_assert_uint_eq(confirm(&f, &requirement), 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("check_clc_group");
    TCase *tests = tcase_create("groups");
    tcase_add_test(tests, a_full_group_takes_no_further_connection);
    tcase_add_test(tests, a_group_with_room_takes_one_more);
    tcase_add_test(tests, a_closed_connection_makes_room);
    tcase_add_test(tests, a_link_that_went_during_the_handshake_may_be_named);
    tcase_add_test(tests, an_element_in_use_is_not_offered_again);
    suite_add_tcase(suite, tests);
    return suite;
}

CHECK_MAIN(make_suite)
