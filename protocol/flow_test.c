/* LLC: first contact, ADD LINK and DELETE LINK, each answer and each time-out, both profiles, v1 and v2.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "flow_fake_test.h"
#include "testing/check_main.h"

/* ---- first contact ---- */
START_TEST(two_devices_on_both_sides_give_two_links_that_know_each_others_rmbs)
{
    up(_i, 2, 2, 2);
    for (int s = 0; s < 2; s++) {
        ck_assert_uint_eq(links(s), 2);
        struct smc_rmb *peer = sides[!s].c.rmb;
        struct smc_link *second = link_of(s, 2);
        int row = smc_rtoken_find(sides[s].g, second, peer->mrs[1].rkey);
        ck_assert_int_ge(row, 0);
        ck_assert_int_eq(row, smc_rtoken_find(sides[s].g, link_of(s, 1), peer->mrs[0].rkey));
        ck_assert(flow_bit(sides[s].c.rmb->announced, 1));
        ck_assert_uint_eq(second->mtu, 3);
        ck_assert(!second->asymmetric);
    }
    ck_assert_uint_eq(sides[SERVER].g->eyecatcher_peer, sides[CLIENT].g->eyecatcher_own);
    ck_assert_uint_eq(count(SERVER, (uint8_t)(1 + T(_i)), sides[SERVER].g->eyecatcher_own ? 0 : 3), 2);
    ck_assert_uint_eq(count(CLIENT, 3, 0x80), VERSION(_i) == 1);
    ck_assert_str_eq(smc_flow_name(sides[SERVER].g), "none");
    tear_down();
}
END_TEST

START_TEST(one_device_on_both_sides_is_refused_as_parallel_with_reason_1)
{
    up(_i, 1, 1, 2);
    ck_assert_uint_eq(slots(SERVER), 1);
    ck_assert_uint_eq(slots(CLIENT), 1);
    const uint8_t *m = last(CLIENT, (uint8_t)(2 + T(_i)));
    ck_assert_uint_eq(m[3], 0xc0);
    if (VERSION(_i) == 1)
        ck_assert_uint_eq(m[2], 1);
    ck_assert_int_eq(memcmp(m + 4, last(SERVER, (uint8_t)(2 + T(_i))) + 4, 40), 0);
    run(11 * SECOND); /* C.8: only the RFC tries again by itself */
    ck_assert_uint_eq(count(SERVER, (uint8_t)(2 + T(_i)), 0), PROFILE(_i) == &smc_profile_rfc ? 2 : 1);
    tear_down();
}
END_TEST

START_TEST(one_device_on_one_side_gives_an_asymmetric_link_that_goes_when_a_symmetric_one_comes)
{
    up(_i, 1, 2, 2);
    ck_assert(link_of(SERVER, 2)->asymmetric);
    ck_assert(link_of(CLIENT, 2)->asymmetric);
    sides[SERVER].ups = sides[CLIENT].ups = 7;
    smc_flow_port_up(&sides[SERVER].rnics[1], 1);
    run(SECOND);
    ck_assert_uint_eq(links(SERVER), 2);
    ck_assert_uint_eq(links(CLIENT), 2);
    ck_assert_ptr_null(link_of(CLIENT, 2));
    ck_assert_uint_eq(smc_load_be(last(SERVER, (uint8_t)(4 + T(_i))) + 5, 4), SMC_LLC_DEL_NO_ASYM_NEEDED);
    tear_down();
}
END_TEST

START_TEST(the_server_without_a_confirm_link_reply_resets_or_declines)
{
    ck_assert(wire_up(PROFILE(_i), PROFILE(_i), VERSION(_i), 2, 2, 2));
    awaited = 1;
    filter = drop_type;
    first_contact();
    run(2 * SECOND - MS);
    ck_assert_int_eq(sides[SERVER].llc, 1);
    run(2 * MS);
    ck_assert_int_eq(sides[SERVER].llc, SMC_ERR_TIMEOUT);
    ck_assert_uint_eq(sides[SERVER].diagnosis, PROFILE(_i)->confirm_link_decline ? SMC_DIAG_TIMEOUT_CL : 0);
    tear_down();
}
END_TEST

START_TEST(the_client_waits_twice_as_long_for_confirm_link)
{
    ck_assert(wire_up(PROFILE(_i), PROFILE(_i), VERSION(_i), 2, 2, 2));
    awaited = 1;
    filter = drop_request;
    first_contact();
    run(4 * SECOND - MS);
    ck_assert_int_eq(sides[CLIENT].llc, 1);
    run(2 * MS);
    ck_assert_int_eq(sides[CLIENT].llc, SMC_ERR_TIMEOUT);
    tear_down();
}
END_TEST

START_TEST(a_client_without_add_link_resets_or_goes_on_with_one_link)
{
    ck_assert(wire_up(PROFILE(_i), PROFILE(_i), VERSION(_i), 2, 2, 2));
    awaited = 2;
    filter = drop_request;
    first_contact();
    run(3 * SECOND);
    int expected = PROFILE(_i)->first_link_is_enough ? 0 : SMC_ERR_TIMEOUT;
    ck_assert_int_eq(sides[CLIENT].llc, expected);
    ck_assert_int_eq(sides[SERVER].llc, expected);
    tear_down();
}
END_TEST

START_TEST(a_client_declines_eyecatchers_and_a_wrong_identity)
{
    ck_assert(wire_up(&smc_profile_rfc, &smc_profile_linux, 1, 1, 1, 2));
    first_contact();
    run(SECOND);
    ck_assert_uint_eq(sides[CLIENT].diagnosis, SMC_DIAG_RMBE_EC);
    tear_down();
    for (int i = 0; i < 3; i++) {
        ck_assert(wire_up(&smc_profile_rfc, &smc_profile_rfc, 1, 1, 1, 2));
        struct smc_link *l = sides[CLIENT].g->links[0];
        l->peer_qpn += i == 0;
        l->peer_mac[3] ^= i == 1;
        l->peer_gid.bytes[3] ^= i == 2;
        first_contact();
        run(SECOND);
        ck_assert_int_eq(sides[CLIENT].llc, SMC_ERR_PROTOCOL);
        ck_assert_uint_eq(sides[CLIENT].diagnosis, SMC_DIAG_INTERR);
        ck_assert_uint_eq(count(CLIENT, 1, 0x80), 0);
        tear_down();
    }
}
END_TEST

START_TEST(max_links_becomes_the_smaller_of_both)
{
    ck_assert(wire_up(&smc_profile_rfc, &smc_profile_rfc, 1, 8, 8, 8));
    sides[CLIENT].g->max_links = 4;
    first_contact();
    run(SECOND);
    ck_assert_uint_eq(sides[SERVER].g->max_links, 4);
    ck_assert_uint_eq(links(SERVER), 4);
    ck_assert_uint_eq(links(CLIENT), 4);
    tear_down();
}
END_TEST

START_TEST(an_abandoned_first_contact_calls_nobody)
{
    ck_assert(wire_up(PROFILE(_i), PROFILE(_i), VERSION(_i), 2, 2, 2));
    first_contact();
    smc_flow_abandon(sides[SERVER].g, &sides[SERVER].c);
    smc_flow_abandon(sides[CLIENT].g, &sides[CLIENT].c);
    run(10 * SECOND);
    ck_assert_int_eq(sides[SERVER].llc, 1);
    ck_assert_int_eq(sides[CLIENT].llc, 1);
    tear_down();
}
END_TEST

/* ---- ADD LINK ---- */
START_TEST(many_rmbs_need_several_continuations_of_either_side)
{
    static const unsigned own[] = {1, 5, 5, 20}, peer[] = {5, 1, 20, 200};
    ck_assert(wire_up(PROFILE(_i), PROFILE(_i), VERSION(_i), 2, 2, 2));
    for (unsigned i = 1; i < own[_i]; i++)
        add_rmb(SERVER, true);
    for (unsigned i = 1; i < peer[_i]; i++)
        add_rmb(CLIENT, true);
    add_rmb(CLIENT, true)->rmbes_used = 0; /* [LLC-033] */
    first_contact();
    run(SECOND);
    ck_assert_int_eq(sides[SERVER].llc, 0);
    ck_assert_uint_eq(links(CLIENT), 2);
    unsigned known[2] = {0};
    for (int s = 0; s < 2; s++)
        for (unsigned r = 0; r < SMC_RTOKEN_ROWS; r++)
            known[s] += sides[s].g->rtokens[r * sides[s].g->link_slots + 1].valid;
    ck_assert_uint_eq(known[CLIENT], own[_i]);
    ck_assert_uint_eq(known[SERVER], peer[_i]);
    unsigned most = own[_i] > peer[_i] ? own[_i] : peer[_i];
    ck_assert_uint_eq(count(SERVER, 3, 0), VERSION(_i) == 1 ? (most + 1) / 2 : 0);
    tear_down();
}
END_TEST

static int continuations;
static int rising(int from, const uint8_t *bytes, uint8_t number)
{
    if (from != CLIENT || bytes[0] != 3 || ++continuations != 2)
        return 0;
    uint8_t copy[44];
    memcpy(copy, bytes, 44);
    copy[5] = 255;
    smc_flow_input(link_of(SERVER, number), copy, 44);
    return 1;
}
START_TEST(a_continuation_whose_count_does_not_follow_ends_the_new_link)
{
    ck_assert(wire_up(PROFILE(_i), PROFILE(_i), 1, 2, 2, 2));
    for (int i = 0; i < 6; i++)
        add_rmb(CLIENT, true);
    continuations = 0;
    filter = rising;
    first_contact();
    run(SECOND);
    ck_assert_int_eq(continuations, 2); /* [LLC-030] */
    ck_assert_int_eq(sides[SERVER].llc, 0);
    ck_assert_uint_eq(count(SERVER, 4, 0), 1);
    ck_assert_uint_eq(slots(SERVER), 1);
    ck_assert_uint_eq(slots(CLIENT), 1);
    tear_down();
}
END_TEST

static int break_mtu(int from, const uint8_t *bytes, uint8_t number)
{
    (void)number;
    if (from == SERVER && (bytes[0] & 15) == 2) {
        uint8_t copy[512];
        size_t length = (bytes[0] & 0x20) ? 88 : 44;
        memcpy(copy, bytes, length);
        copy[32] = 6;
        smc_flow_input(sides[CLIENT].g->links[0], copy, length);
        return 1;
    }
    return 0;
}
START_TEST(a_reserved_mtu_is_refused_with_reason_2)
{
    ck_assert(wire_up(PROFILE(_i), PROFILE(_i), VERSION(_i), 2, 2, 2));
    filter = break_mtu;
    first_contact();
    run(SECOND);
    ck_assert_uint_eq(slots(CLIENT), 1);
    ck_assert_uint_eq(last(CLIENT, (uint8_t)(2 + T(_i)))[3], 0xc0);
    if (VERSION(_i) == 1)
        ck_assert_uint_eq(last(CLIENT, 2)[2], 2);
    tear_down();
}
END_TEST

START_TEST(a_second_link_that_is_not_confirmed_is_deleted_on_both_sides_and_answered)
{
    ck_assert(wire_up(PROFILE(_i), PROFILE(_i), VERSION(_i), 2, 2, 2));
    first_contact();
    rts[3] = false;
    awaited = 99;
    filter = drop_request;
    run(0);
    tear_down();
    /* The reply over the new link is lost. */
    ck_assert(wire_up(PROFILE(_i), PROFILE(_i), VERSION(_i), 1, 1, 2));
    first_contact();
    run(SECOND);
    sides[SERVER].ups = sides[CLIENT].ups = 3;
    awaited = 1;
    filter = drop_type;
    smc_flow_add_link(sides[SERVER].g);
    run(6 * SECOND);
    ck_assert_uint_eq(slots(SERVER), 1);
    ck_assert_uint_eq(slots(CLIENT), 1);
    ck_assert_uint_eq(count(SERVER, (uint8_t)(4 + T(_i)), 0), 1);
    ck_assert_uint_eq(count(CLIENT, (uint8_t)(4 + T(_i)), 0x80), 1);
    ck_assert_uint_eq(count(CLIENT, (uint8_t)(2 + T(_i)), 0xc0), 1); /* of the first, parallel one: no late reject */
    tear_down();
}
END_TEST

START_TEST(a_client_that_misses_confirm_link_says_so_and_answers_the_servers_delete_link)
{
    up(_i, 1, 1, 2);
    sides[SERVER].ups = sides[CLIENT].ups = 3;
    awaited = 1;
    filter = drop_request;
    smc_flow_add_link(sides[SERVER].g);
    run(6 * SECOND);
    ck_assert_uint_eq(slots(SERVER), 1);
    ck_assert_uint_eq(slots(CLIENT), 1);
    unsigned asked = count(SERVER, (uint8_t)(4 + T(_i)), 0);
    ck_assert_uint_ge(asked, 1);
    ck_assert_uint_eq(count(CLIENT, (uint8_t)(4 + T(_i)), 0x80), asked); /* */
    tear_down();
}
END_TEST

START_TEST(add_link_without_an_answer_fails_the_carrying_link_or_is_given_up)
{
    up(_i, 2, 2, 2);
    sides[SERVER].ups = sides[CLIENT].ups = 7;
    sides[SERVER].g->max_links = sides[CLIENT].g->max_links = 2;
    smc_flow_delete_link(link_of(SERVER, 2), SMC_LLC_DEL_OPERATOR, true);
    awaited = 2;
    filter = drop_type;
    run(SECOND);
    ck_assert_uint_eq(links(SERVER), 1);
    run(2 * SECOND);
    ck_assert_uint_eq(sides[SERVER].ended, PROFILE(_i)->carrier_survives ? 0 : 1); /* it was the last one */
    ck_assert_uint_le(slots(SERVER), 1);
    tear_down();
}
END_TEST

START_TEST(a_server_without_memory_gives_up_and_tries_again_later)
{
    for (int who = 0; who < 2; who++) {
        ck_assert(wire_up(who ? &smc_profile_rfc : &smc_profile_linux, &smc_profile_linux, 2, 2, 2, 2));
        sides[SERVER].fail_new = 2;
        first_contact();
        run(1500 * MS);
        ck_assert_int_eq(sides[SERVER].llc, 0);
        ck_assert_uint_eq(links(SERVER), 1);
        run(SECOND); /* not after the 10 s of C.8, or never, as where there is no second device */
        ck_assert_uint_eq(links(SERVER), 2);
        tear_down();
    }
}
END_TEST

START_TEST(a_new_link_that_is_lost_before_it_was_accepted_is_rejected)
{
    ck_assert(wire_up(PROFILE(_i), PROFILE(_i), 2, 2, 2, 2));
    sides[CLIENT].route = SMC_ERR_WOULDBLOCK;
    first_contact();
    run(100 * MS);
    ck_assert_uint_eq(slots(CLIENT), 2);
    smc_link_down(sides[CLIENT].g->links[1]);
    run(100 * MS);
    ck_assert_uint_eq(count(CLIENT, 2 + 0x20, 0xc0), 1);
    ck_assert_uint_eq(count(CLIENT, 4 + 0x20, 0), 0); /* no DELETE LINK: there is nothing to delete */
    ck_assert_int_eq(sides[CLIENT].llc, 0);
    ck_assert_int_eq(sides[SERVER].llc, 0);
    ck_assert_uint_eq(slots(CLIENT), 1);
    tear_down();
}
END_TEST

START_TEST(the_way_to_a_gid_may_take_time_or_not_exist)
{
    for (int who = 0; who < 2; who++) {
        ck_assert(wire_up(PROFILE(_i), PROFILE(_i), 2, 2, 2, 2));
        sides[who].route = SMC_ERR_WOULDBLOCK;
        first_contact();
        run(500 * MS);
        ck_assert_uint_eq(links(CLIENT), 1);
        sides[who].route = 0;
        run(100 * MS);
        ck_assert_uint_eq(links(CLIENT), 2);
        tear_down();
        ck_assert(wire_up(PROFILE(_i), PROFILE(_i), 2, 2, 2, 2));
        sides[who].route = SMC_ERR_UNREACHABLE;
        first_contact();
        run(SECOND);
        ck_assert_uint_eq(slots(CLIENT), 1);
        ck_assert_uint_eq(slots(SERVER), 1);
        ck_assert_int_eq(sides[CLIENT].llc, 0);
        tear_down();
    }
}
END_TEST

START_TEST(a_client_with_a_new_device_asks_and_gets_a_link)
{
    up(_i, 2, 1, 2);
    smc_flow_delete_link(link_of(SERVER, 2), SMC_LLC_DEL_OPERATOR, true);
    sides[SERVER].ups = 1;
    run(100 * MS);
    ck_assert_uint_eq(links(CLIENT), 1);
    sides[SERVER].ups = sides[CLIENT].ups = 3;
    smc_flow_port_up(&sides[CLIENT].rnics[1], 1);
    run(SECOND);
    ck_assert_uint_eq(links(CLIENT), 2);
    ck_assert_uint_eq(count(CLIENT, VERSION(_i) == 2 ? 0x25 : 0x02, 0), 1);
    smc_flow_add_link(sides[CLIENT].g); /* nothing to ask for [LLC-080] */
    run(SECOND);
    ck_assert_uint_eq(count(CLIENT, VERSION(_i) == 2 ? 0x25 : 0x02, 0), 1);
    tear_down();
}
END_TEST

START_TEST(a_server_that_adds_no_link_answers_the_request_and_a_silent_one_blocks_nothing)
{
    up(_i, 2, 2, 2);
    uint8_t gids[32] = {1};
    struct smc_llc_info m = {.type = SMC_LLC_REQ_ADD_LINK, .count = 2, .ngids = 2, .gids = gids};
    for (int i = 0; i < 1000; i++)
        inject(CLIENT, 1, m);
    run(SECOND);
    ck_assert_uint_eq(count(SERVER, 0x25, 0x80) > 0, VERSION(_i) == 2);
    ck_assert_uint_eq(slots(SERVER), 2);
    if (VERSION(_i) == 2) {
        static const uint8_t zero[40];
        ck_assert_int_eq(memcmp(last(SERVER, 0x25) + 4, zero, 40), 0);
        smc_flow_delete_link(link_of(SERVER, 2), SMC_LLC_DEL_OPERATOR, true);
        sides[SERVER].ups = sides[CLIENT].ups = 1;
        run(SECOND);
        sides[CLIENT].ups = 3;
        awaited = 5;
        filter = drop_request;
        smc_flow_add_link(sides[CLIENT].g);
        run(10 * MS);
        sides[CLIENT].c.rmb = add_rmb(CLIENT, false);
        smc_flow_confirm_rkey(&sides[CLIENT].c);
        run(10 * MS); /* [LLC-079] */
        ck_assert_int_eq(sides[CLIENT].rkey, 0);
        run(6 * SECOND);
        ck_assert_str_eq(smc_flow_name(sides[CLIENT].g), "none");
    }
    tear_down();
}
END_TEST

START_TEST(links_come_and_go_300_times_and_numbers_stay_unique)
{
    up(_i, 2, 2, 2);
    unsigned seen[256] = {0}, before = 0;
    for (int i = 0; i < 300; i++) {
        struct smc_link *second = sides[SERVER].g->links[1];
        ck_assert_ptr_nonnull(second);
        uint8_t number = second->number;
        ck_assert(number != sides[SERVER].g->links[0]->number && number != 0);
        if (i < 254)
            ck_assert_uint_eq(seen[number]++, 0); /* [LLC-019] */
        if (i & 1)
            smc_flow_delete_link(link_of(CLIENT, number), SMC_LLC_DEL_PROGRAM, (i & 2) != 0);
        else
            smc_flow_delete_link(second, SMC_LLC_DEL_OPERATOR, (i & 2) != 0);
        run(SECOND);
        ck_assert_uint_eq(links(SERVER), 2);
        ck_assert_uint_eq(links(CLIENT), 2);
        before += number;
        logged = 0;
    }
    ck_assert_uint_gt(before, 0);
    tear_down();
}
END_TEST

/* ---- DELETE LINK ---- */
START_TEST(delete_link_moves_connections_and_frees_only_after_the_answer)
{
    up(_i, 2, 2, 2);
    sides[SERVER].ups = sides[CLIENT].ups = 1;
    awaited = 4;
    filter = hold_type;
    smc_flow_delete_link(link_of(SERVER, 1), SMC_LLC_DEL_OPERATOR, true);
    run(100 * MS);
    ck_assert_uint_eq(slots(SERVER), 2); /* [LLC-036] */
    ck_assert_uint_eq(sides[SERVER].c.link->number, 2);
    ck_assert_uint_eq(sides[CLIENT].c.link->number, 2);
    ck_assert_uint_eq(last(CLIENT, (uint8_t)(4 + T(_i)))[3], 0xa0);
    filter = NULL;
    release_held();
    run(100 * MS);
    ck_assert_ptr_null(link_of(SERVER, 1));
    ck_assert_ptr_null(link_of(CLIENT, 1));
    tear_down();
}
END_TEST

START_TEST(an_orderly_delete_link_waits_for_what_was_posted)
{
    up(_i, 2, 2, 2);
    sides[SERVER].pending = 1;
    smc_flow_delete_link(link_of(SERVER, 2), SMC_LLC_DEL_OPERATOR, true);
    run(SECOND);
    ck_assert_uint_eq(count(SERVER, (uint8_t)(4 + T(_i)), 0x20), 0);
    sides[SERVER].pending = 0;
    run(10 * MS);
    ck_assert_uint_eq(count(SERVER, (uint8_t)(4 + T(_i)), 0x20), 1);
    tear_down();
}
END_TEST

static uint8_t answered_on; /* the link over which the client answered last */
static int note_answer(int from, const uint8_t *bytes, uint8_t number)
{
    if (from == CLIENT && (bytes[0] & 0x0f) == SMC_LLC_DELETE_LINK && (bytes[3] & 0x80))
        answered_on = number;
    return 0;
}

START_TEST(a_delete_link_repeated_over_another_link_is_answered_there)
{
    struct smc_llc_info m = {.type = SMC_LLC_DELETE_LINK, .link_number = 3, .reason = SMC_LLC_DEL_OPERATOR, .orderly = true};
    ck_assert(wire_up(PROFILE(_i & 1), PROFILE(_i & 1), 1, 3, 3, 3));
    first_contact();
    run(SECOND);
    ck_assert_uint_eq(links(CLIENT), 3);
    answered_on = 0;
    filter = note_answer;
    sides[CLIENT].pending = 1;
    inject(SERVER, 1, m);
    run(10 * MS);
    inject(SERVER, 2, m);
    run(10 * MS);
    ck_assert_uint_eq(answered_on, 0);
    sides[CLIENT].pending = 0;
    run(10 * MS);
    ck_assert_uint_eq(answered_on, 2); /* [LLC-035] */
    ck_assert_ptr_null(link_of(CLIENT, 3));
    tear_down();
}
END_TEST

START_TEST(delete_link_without_an_answer_fails_the_carrier_or_clears_all_the_same)
{
    ck_assert(wire_up(PROFILE(_i & 1), PROFILE(_i & 1), 1, 3, 3, 3));
    sides[CLIENT].ep.profile.llc_errors_dropped = sides[SERVER].ep.profile.llc_errors_dropped = true;
    first_contact();
    run(SECOND);
    ck_assert_uint_eq(links(SERVER), 3);
    awaited = 4;
    filter = drop_type;
    sides[SERVER].ups = sides[CLIENT].ups = 0;
    smc_flow_delete_link(link_of(SERVER, 3), SMC_LLC_DEL_OPERATOR, false);
    run(2 * SECOND - MS);
    ck_assert_uint_eq(slots(SERVER), 3);
    filter = NULL;
    run(3 * SECOND);
    if (PROFILE(_i)->carrier_survives) {
        ck_assert_uint_eq(links(SERVER), 2);
    } else { /* [LLC-066] */
        ck_assert_uint_eq(slots(SERVER), 1);
        ck_assert_uint_eq(slots(CLIENT), 1);
    }
    tear_down();
}
END_TEST

START_TEST(an_unknown_link_is_answered_by_the_client_and_asked_about_by_the_server)
{
    up(_i, 2, 2, 2);
    inject(SERVER, 1, (struct smc_llc_info){.type = SMC_LLC_DELETE_LINK, .link_number = 77, .reason = SMC_LLC_DEL_OPERATOR});
    run(SECOND);
    const uint8_t *m = last(CLIENT, (uint8_t)(4 + T(_i)));
    ck_assert_uint_eq(m[3], 0x80);
    ck_assert_uint_eq(smc_load_be(m + 5, 4), SMC_LLC_DEL_UNKNOWN_LINK);
    for (int i = 1; i < 256; i++) /* a flood of them is bounded */
        inject(CLIENT, 1, (struct smc_llc_info){.type = SMC_LLC_DELETE_LINK, .link_number = (uint8_t)(i > 2 ? i : 77)});
    run(10 * SECOND);
    ck_assert_uint_eq(links(SERVER), 2);
    ck_assert_uint_le(count(SERVER, (uint8_t)(4 + T(_i)), 0), FLOW_DELETES);
    tear_down();
}
END_TEST

START_TEST(delete_link_all_ends_the_group_at_once_and_the_server_repeats_it)
{
    for (int from = 0; from < 2; from++) {
        up(_i, 2, 2, 2);
        inject(from, 1, (struct smc_llc_info){.type = SMC_LLC_DELETE_LINK, .all = true, .link_number = 9, .reason = SMC_LLC_DEL_PROGRAM});
        run(10 * MS);
        ck_assert_uint_eq(sides[!from].ended, 1);
        ck_assert_uint_eq(count(SERVER, (uint8_t)(4 + T(_i)), 0x60), from == CLIENT); /* [LLC-039] */
        ck_assert_uint_eq(count(CLIENT, (uint8_t)(4 + T(_i)), 0xc0), 0);
        tear_down();
    }
    up(_i, 2, 2, 2);
    smc_flow_delete_all(sides[SERVER].g, SMC_LLC_DEL_PROGRAM);
    run(10 * MS);
    ck_assert_uint_eq(count(SERVER, (uint8_t)(4 + T(_i)), 0x40), 1);
    ck_assert_uint_eq(last(SERVER, (uint8_t)(4 + T(_i)))[4], 0); /* [LLC-034] */
    ck_assert_uint_eq(sides[CLIENT].ended, 1);
    tear_down();
}
END_TEST

START_TEST(the_last_link_takes_the_group_along)
{
    up(_i, 1, 1, 2);
    smc_flow_delete_link(link_of(SERVER, 1), SMC_LLC_DEL_OPERATOR, true);
    run(SECOND);
    ck_assert_uint_eq(sides[SERVER].ended, 1);
    ck_assert_uint_eq(sides[CLIENT].ended, 1);
    tear_down();
}
END_TEST

START_TEST(a_failed_link_is_deleted_over_the_other_one_whoever_sees_it)
{
    for (int who = 0; who < 2; who++)
        for (uint8_t number = 1; number <= 2; number++) {
            up(_i, 2, 2, 2);
            sides[SERVER].ups = sides[CLIENT].ups = 0;
            smc_link_down(link_of(who, number));
            run(5 * SECOND);
            for (int s = 0; s < 2; s++) {
                ck_assert_uint_eq(slots(s), 1);
                ck_assert_ptr_nonnull(link_of(s, (uint8_t)(3 - number)));
            }
            ck_assert_uint_eq(count(who, (uint8_t)(4 + T(_i)), PROFILE(_i)->lost_link_orderly ? 0x20 : 0), 1);
            tear_down();
        }
}
END_TEST

/* What the failed end had sent may still be on its way, and must not overwrite what comes over the other link meanwhile. */
START_TEST(a_link_whose_other_end_failed_takes_nothing_any_more)
{
    for (int who = 0; who < 2; who++) {
        up(_i, 2, 2, 2);
        sides[1 - who].pending = 1; /* nor is it waited for what the link will never take */
        smc_link_down(link_of(who, 1));
        run(MS);
        const struct smc_link *other = link_of(1 - who, 1);
        ck_assert(other == NULL || other->going_down);
        sides[1 - who].pending = 0;
        run(5 * SECOND);
        ck_assert_uint_eq(slots(CLIENT), slots(SERVER));
        tear_down();
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("flow");
    TCase *t = tcase_create("flow");
    tcase_add_checked_fixture(t, reset_alloc, NULL);
    tcase_set_timeout(t, 120);
#define EVERY(f) tcase_add_loop_test(t, f, 0, 4)
    EVERY(two_devices_on_both_sides_give_two_links_that_know_each_others_rmbs);
    EVERY(one_device_on_both_sides_is_refused_as_parallel_with_reason_1);
    EVERY(one_device_on_one_side_gives_an_asymmetric_link_that_goes_when_a_symmetric_one_comes);
    EVERY(the_server_without_a_confirm_link_reply_resets_or_declines);
    EVERY(the_client_waits_twice_as_long_for_confirm_link);
    EVERY(a_client_without_add_link_resets_or_goes_on_with_one_link);
    tcase_add_test(t, a_client_declines_eyecatchers_and_a_wrong_identity);
    tcase_add_test(t, max_links_becomes_the_smaller_of_both);
    EVERY(an_abandoned_first_contact_calls_nobody);
    EVERY(many_rmbs_need_several_continuations_of_either_side);
    tcase_add_loop_test(t, a_continuation_whose_count_does_not_follow_ends_the_new_link, 0, 2);
    EVERY(a_reserved_mtu_is_refused_with_reason_2);
    EVERY(a_second_link_that_is_not_confirmed_is_deleted_on_both_sides_and_answered);
    EVERY(a_client_that_misses_confirm_link_says_so_and_answers_the_servers_delete_link);
    EVERY(add_link_without_an_answer_fails_the_carrying_link_or_is_given_up);
    tcase_add_test(t, a_server_without_memory_gives_up_and_tries_again_later);
    tcase_add_loop_test(t, a_new_link_that_is_lost_before_it_was_accepted_is_rejected, 0, 2);
    tcase_add_loop_test(t, the_way_to_a_gid_may_take_time_or_not_exist, 0, 2);
    EVERY(a_client_with_a_new_device_asks_and_gets_a_link);
    EVERY(a_server_that_adds_no_link_answers_the_request_and_a_silent_one_blocks_nothing);
    EVERY(links_come_and_go_300_times_and_numbers_stay_unique);
    EVERY(delete_link_moves_connections_and_frees_only_after_the_answer);
    EVERY(an_orderly_delete_link_waits_for_what_was_posted);
    tcase_add_loop_test(t, a_delete_link_repeated_over_another_link_is_answered_there, 0, 2);
    EVERY(a_link_whose_other_end_failed_takes_nothing_any_more);
    tcase_add_loop_test(t, delete_link_without_an_answer_fails_the_carrier_or_clears_all_the_same, 0, 2);
    EVERY(an_unknown_link_is_answered_by_the_client_and_asked_about_by_the_server);
    EVERY(delete_link_all_ends_the_group_at_once_and_the_server_repeats_it);
    EVERY(the_last_link_takes_the_group_along);
    EVERY(a_failed_link_is_deleted_over_the_other_one_whoever_sees_it);
    suite_add_tcase(suite, t);
    return suite;
}

CHECK_MAIN(make_suite)
