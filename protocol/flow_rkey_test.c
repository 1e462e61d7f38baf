/* LLC: RKEY exchanges, the collision table, TEST LINK, hostile input, dying links, failing memory.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "flow_fake_test.h"
#include "testing/check_main.h"
#include "wire/mutate.h"

/* ---- RKEYs ---- */
static struct smc_rmb *confirm(int side)
{
    struct smc_rmb *rmb = sides[side].c.rmb = add_rmb(side, false);
    smc_flow_confirm_rkey(&sides[side].c);
    return rmb;
}

START_TEST(confirm_rkey_names_all_links_and_both_sides_may_do_it_at_once)
{
    up(_i, 2, 2, 2);
    struct smc_rmb *rmb[2] = {confirm(SERVER), confirm(CLIENT)};
    run(10 * MS);
    for (int s = 0; s < 2; s++) {
        ck_assert_int_eq(sides[s].rkey, 0);
        ck_assert(!smc_rmb_needs_confirm(rmb[s]));
        int row = smc_rtoken_find(sides[!s].g, link_of(!s, 1), rmb[s]->mrs[0].rkey);
        ck_assert_int_ge(row, 0);
        ck_assert_int_eq(smc_rtoken_find(sides[!s].g, link_of(!s, 2), rmb[s]->mrs[1].rkey), row);
    }
    tear_down();
}
END_TEST

START_TEST(eight_links_need_confirm_rkey_continuations)
{
    ck_assert(wire_up(&smc_profile_rfc, &smc_profile_rfc, 1, 8, 8, 8));
    first_contact();
    run(SECOND);
    ck_assert_uint_eq(links(CLIENT), 8);
    struct smc_rmb *rmb = confirm(CLIENT);
    run(SECOND);
    ck_assert_int_eq(sides[CLIENT].rkey, 0);
    ck_assert_uint_eq(count(CLIENT, 8, 0), 2); /* 7 others: 2 + 3 + 2 */
    int row = smc_rtoken_find(sides[SERVER].g, link_of(SERVER, 1), rmb->mrs[0].rkey);
    for (uint8_t i = 1; i <= 8; i++)
        ck_assert_int_eq(smc_rtoken_find(sides[SERVER].g, link_of(SERVER, i), rmb->mrs[link_of(CLIENT, i)->slot].rkey), row);
    tear_down();
}
END_TEST

/* Link 1 has gone, and another has taken its place while nobody used the RMB. */
START_TEST(an_rmb_that_is_confirmed_again_over_a_new_link_stays_one)
{
    up(_i, 2, 2, 2);
    struct smc_rmb *rmb = confirm(CLIENT);
    run(10 * MS);
    struct smc_group *g = sides[SERVER].g;
    const struct smc_link *fresh = link_of(SERVER, 1), *old = link_of(SERVER, 2);
    int row = smc_rtoken_find(g, old, rmb->mrs[1].rkey);
    g->rtokens[(unsigned)row * g->link_slots + fresh->slot].valid = false;
    flow_bit_put(rmb->announced, link_of(CLIENT, 1)->slot, false);
    for (unsigned i = 0; i < 2; i++) { /* the second time all is known */
        smc_flow_confirm_rkey(&sides[CLIENT].c);
        run(10 * MS);
        ck_assert_int_eq(smc_rtoken_find(g, fresh, rmb->mrs[0].rkey), row);
        ck_assert_int_eq(smc_rtoken_find(g, old, rmb->mrs[1].rkey), row);
    }
    tear_down();
}
END_TEST

START_TEST(a_key_with_another_address_is_of_another_rmb)
{
    up(_i, 2, 2, 2);
    struct smc_group *g = sides[SERVER].g;
    struct smc_rmb *rmb = sides[CLIENT].c.rmb = add_rmb(CLIENT, false);
    int row = smc_rtoken_add(g, link_of(SERVER, 2), rmb->mrs[1].rkey, rmb->mrs[1].remote_address + 1);
    smc_flow_confirm_rkey(&sides[CLIENT].c);
    run(10 * MS);
    ck_assert_int_ne(smc_rtoken_find(g, link_of(SERVER, 1), rmb->mrs[0].rkey), row);
    tear_down();
}
END_TEST

START_TEST(the_256th_rmb_is_refused_for_good)
{
    up(_i, 1, 1, 2);
    for (unsigned i = 0; i < SMC_RTOKEN_ROWS; i++)
        (void)smc_rtoken_add(sides[SERVER].g, link_of(SERVER, 1), 0x10000 + i, i);
    confirm(CLIENT);
    run(SECOND);
    ck_assert_int_eq(sides[CLIENT].rkey, SMC_ERR_NOSPACE);
    ck_assert_uint_eq(last(SERVER, (uint8_t)(6 + T(_i)))[3], 0xa0);
    tear_down();
}
END_TEST

START_TEST(an_rkey_exchange_without_an_answer_fails_the_link_and_begins_anew_on_another)
{
    up(_i, 2, 2, 2);
    sides[SERVER].ups = sides[CLIENT].ups = 0;
    awaited = 6;
    filter = drop_type;
    confirm(CLIENT);
    run(SECOND);
    ck_assert_int_eq(sides[CLIENT].rkey, 1);
    filter = NULL;
    run(10 * SECOND);
    if (PROFILE(_i)->carrier_survives) {
        ck_assert_int_eq(sides[CLIENT].rkey, SMC_ERR_TIMEOUT);
        ck_assert_uint_eq(links(CLIENT), 2);
    } else {
        ck_assert_int_eq(sides[CLIENT].rkey, 0);
        ck_assert_uint_eq(slots(CLIENT), 1);
        ck_assert_uint_eq(slots(SERVER), 1);
    }
    tear_down();
}
END_TEST

START_TEST(delete_rkey_frees_after_the_answer_in_batches_or_one_by_one)
{
    up(_i, 2, 2, 2);
    awaited = 9;
    filter = hold_type;
    for (int i = 0; i < 10; i++)
        smc_flow_delete_rkey(add_rmb(CLIENT, true));
    run(10 * MS);
    ck_assert_uint_eq(sides[CLIENT].freed_rmbs, 0); /* [LLC-060] */
    filter = NULL;
    release_held();
    run(SECOND);
    ck_assert_uint_eq(sides[CLIENT].freed_rmbs, 10);
    ck_assert_uint_eq(count(CLIENT, (uint8_t)(9 + T(_i)), 0), PROFILE(_i)->delete_rkey_single ? 10 : 2);
    unsigned rows = 0;
    for (unsigned i = 0; i < SMC_RTOKEN_ROWS; i++)
        rows += flow_bit(sides[SERVER].g->rtoken_used, i);
    ck_assert_uint_eq(rows, 1);
    smc_flow_delete_rkey(add_rmb(CLIENT, false)); /* never told: no message */
    run(SECOND);
    ck_assert_uint_eq(sides[CLIENT].freed_rmbs, 11);
    ck_assert_uint_eq(count(CLIENT, (uint8_t)(9 + T(_i)), 0), PROFILE(_i)->delete_rkey_single ? 10 : 2);
    tear_down();
}
END_TEST

START_TEST(unknown_keys_are_marked)
{
    up(_i, 1, 1, 2);
    struct smc_rmb *rmb = add_rmb(CLIENT, true);
    uint8_t keys[12] = {0};
    smc_store_be(keys, 4, rmb->mrs[0].rkey);
    smc_store_be(keys + 4, 4, 0x7777);
    smc_store_be(keys + 8, 4, 0x8888);
    inject(CLIENT, 1, (struct smc_llc_info){.type = SMC_LLC_DELETE_RKEY, .count = 3, .nrkeys = 3, .rkeys = keys});
    const uint8_t *m = last(SERVER, (uint8_t)(9 + T(_i)));
    ck_assert_uint_eq(m[3], 0xa0);
    ck_assert_uint_eq(m[5], VERSION(_i) == 2 ? 2 : 0x60);
    inject(CLIENT, 1, (struct smc_llc_info){.type = SMC_LLC_DELETE_RKEY, .count = 255, .nrkeys = 3, .rkeys = keys}); /* [LLC-058] */
    ck_assert_uint_eq(last(SERVER, (uint8_t)(9 + T(_i)))[5], VERSION(_i) == 2 ? 9 : 0xff);
    tear_down();
}
END_TEST

/* WRITEs to the key are under way on the link that does not carry the exchange. */
static struct smc_rmb *delete_while_written(void)
{
    struct smc_rmb *rmb = confirm(CLIENT);
    run(10 * MS);
    ck_assert_int_eq(sides[CLIENT].rkey, 0);
    sides[CLIENT].c.rmb = NULL;
    const struct smc_link *other = link_of(SERVER, 2);
    sides[SERVER].posted[other->slot] = 7;
    sides[SERVER].completed[other->slot] = 6;
    smc_flow_delete_rkey(rmb);
    run(100 * MS);
    ck_assert_int_eq(smc_rtoken_find(sides[SERVER].g, link_of(SERVER, 1), rmb->mrs[0].rkey), SMC_ERR_NOTFOUND);
    ck_assert_uint_eq(sides[CLIENT].freed_rmbs, 0);
    return rmb;
}

START_TEST(delete_rkey_is_answered_when_writes_to_that_key_are_done_on_other_links)
{
    up(_i, 2, 2, 2);
    (void)delete_while_written();
    sides[SERVER].posted[link_of(SERVER, 2)->slot] = 9; /* what came later went to other keys */
    sides[SERVER].completed[link_of(SERVER, 2)->slot] = 7;
    run(10 * MS);
    ck_assert_uint_eq(sides[CLIENT].freed_rmbs, 1);
    ck_assert_uint_eq(count(SERVER, (uint8_t)(9 + T(_i)), 0x80), 1);
    sides[SERVER].posted[link_of(SERVER, 1)->slot] = 5; /* on the link of the answer it comes after them anyway */
    struct smc_rmb *rmb = add_rmb(CLIENT, true);
    smc_flow_delete_rkey(rmb);
    run(10 * MS);
    ck_assert_uint_eq(sides[CLIENT].freed_rmbs, 2);
    tear_down();
}
END_TEST

START_TEST(a_held_answer_to_delete_rkey_goes_when_the_writing_link_is_lost)
{
    up(_i, 2, 2, 2);
    sides[SERVER].ups = sides[CLIENT].ups = 1;
    (void)delete_while_written();
    smc_link_down(link_of(SERVER, 2));
    run(10 * MS);
    ck_assert_uint_eq(sides[CLIENT].freed_rmbs, 1);
    tear_down();
}
END_TEST

START_TEST(a_held_answer_to_delete_rkey_waits_less_than_its_asker)
{
    up(_i, 2, 2, 2);
    (void)delete_while_written();
    run(PROFILE(_i)->llc_timeout_ns);
    ck_assert_uint_eq(sides[CLIENT].freed_rmbs, 1);
    ck_assert_uint_eq(links(CLIENT), 2);
    tear_down();
}
END_TEST

START_TEST(who_deletes_another_key_meanwhile_gets_both_answers)
{
    up(_i, 2, 2, 2);
    (void)delete_while_written();
    uint8_t key[4] = {1, 2, 3, 4};
    inject(CLIENT, 1, (struct smc_llc_info){.type = SMC_LLC_DELETE_RKEY, .count = 1, .nrkeys = 1, .rkeys = key});
    run(10 * MS);
    ck_assert_uint_eq(count(SERVER, (uint8_t)(9 + T(_i)), 0x80), 1);
    ck_assert_uint_eq(count(SERVER, (uint8_t)(9 + T(_i)), 0xa0), 1);
    tear_down();
}
END_TEST

START_TEST(an_rmb_that_goes_while_it_is_confirmed_is_taken_back)
{
    up(_i, 1, 1, 2);
    awaited = 6;
    filter = hold_type;
    struct smc_rmb *rmb = confirm(CLIENT);
    run(MS);
    smc_flow_forget(&sides[CLIENT].c);
    smc_buf_free_rmb(rmb);
    filter = NULL;
    release_held();
    run(SECOND);
    ck_assert_int_eq(sides[CLIENT].rkey, 1);
    ck_assert_uint_eq(count(CLIENT, (uint8_t)(9 + T(_i)), 0), 1);
    ck_assert_uint_eq(count(SERVER, (uint8_t)(9 + T(_i)), 0x80), 1);
    tear_down();
}
END_TEST

/* ---- Collisions (state-machines §3.2) ---- */
START_TEST(test_link_is_answered_during_any_exchange)
{
    static const uint8_t types[] = {2, 4, 6, 9};
    for (unsigned k = 0; k < 4; k++) {
        up(_i, 2, 2, 2);
        awaited = types[k];
        filter = hold_type;
        if (k < 2)
            smc_flow_delete_link(link_of(SERVER, 2), SMC_LLC_DEL_OPERATOR, false);
        else if (k == 2)
            confirm(SERVER);
        else
            smc_flow_delete_rkey(sides[SERVER].c.rmb);
        run(MS);
        ck_assert_str_ne(smc_flow_name(sides[SERVER].g), "none");
        struct smc_llc_info m = {.type = SMC_LLC_TEST_LINK, .user_data = {1, 2, 3}};
        inject(CLIENT, 1, m);
        ck_assert_uint_eq(count(SERVER, (uint8_t)(7 + T(_i)), 0x80), 1); /* [LLC-042] */
        ck_assert_int_eq(memcmp(last(SERVER, (uint8_t)(7 + T(_i))) + 4, m.user_data, 16), 0);
        tear_down();
    }
}
END_TEST

static void begin_add(int i)
{
    up(i, 1, 1, 2);
    logged = 0;
    sides[SERVER].ups = sides[CLIENT].ups = 3;
    awaited = 2;
    filter = hold_type;
    smc_flow_add_link(sides[SERVER].g);
    run(MS);
    ck_assert_str_eq(smc_flow_name(sides[SERVER].g), "ADD LINK");
}

START_TEST(during_add_link_a_clients_add_link_is_ignored)
{
    begin_add(_i);
    inject(CLIENT, 1, (struct smc_llc_info){.type = VERSION(_i) == 2 ? SMC_LLC_REQ_ADD_LINK : SMC_LLC_ADD_LINK, .count = 1, .ngids = 1,
                                            .gids = (const uint8_t[16]){1}});
    filter = NULL;
    release_held();
    run(SECOND);
    ck_assert_uint_eq(count(SERVER, (uint8_t)(2 + T(_i)), 0), 1); /* [LLC-045] */
    ck_assert_uint_eq(count(SERVER, 0x25, 0x80), 0);
    ck_assert_uint_eq(links(SERVER), 2);
    tear_down();
}
END_TEST

START_TEST(during_add_link_delete_link_is_queued_and_none_is_lost)
{
    ck_assert(wire_up(PROFILE(_i), PROFILE(_i), 1, 3, 3, 3));
    first_contact();
    run(SECOND);
    smc_flow_delete_link(link_of(SERVER, 3), SMC_LLC_DEL_OPERATOR, true);
    awaited = 2;
    filter = hold_type;
    run(100 * MS);
    ck_assert_str_eq(smc_flow_name(sides[SERVER].g), "ADD LINK");
    logged = 0;
    inject(CLIENT, 1, (struct smc_llc_info){.type = SMC_LLC_DELETE_LINK, .link_number = 2, .reason = SMC_LLC_DEL_OPERATOR});
    inject(CLIENT, 1, (struct smc_llc_info){.type = SMC_LLC_DELETE_LINK, .link_number = 1, .reason = SMC_LLC_DEL_OPERATOR});
    run(100 * MS);
    ck_assert_uint_eq(count(SERVER, 4, 0), 0); /* [LLC-046] */
    filter = NULL;
    release_held();
    run(SECOND);
    ck_assert_uint_eq(count(SERVER, 4, 0), 2);
    ck_assert_ptr_null(link_of(CLIENT, 1));
    ck_assert_ptr_null(link_of(CLIENT, 2));
    tear_down();
}
END_TEST

START_TEST(during_a_change_of_the_servers_confirm_rkey_is_refused_and_repeated)
{
    for (int del = 0; del < 2; del++) {
        if (del) {
            up(_i, 2, 2, 2);
            sides[SERVER].ups = sides[CLIENT].ups = 0;
            awaited = 4;
            filter = hold_type;
            smc_flow_delete_link(link_of(SERVER, 2), SMC_LLC_DEL_OPERATOR, false);
            run(MS);
        } else {
            begin_add(_i);
        }
        struct smc_rmb *rmb = add_rmb(CLIENT, false);
        struct smc_llc_info m = {.type = SMC_LLC_CONFIRM_RKEY, .rkey = rmb->mrs[0].rkey, .va = 1};
        inject(CLIENT, 1, m);
        bool parallel = PROFILE(_i)->rkey_in_parallel;
        ck_assert_uint_eq(last(SERVER, (uint8_t)(6 + T(_i)))[3], parallel ? 0x80 : 0xb0); /* [LLC-047] [LLC-048] */
        ck_assert_int_eq(smc_rtoken_find(sides[SERVER].g, link_of(SERVER, 1), rmb->mrs[0].rkey) >= 0, parallel);
        run(MS);
        filter = NULL;
        release_held();
        run(SECOND);
        tear_down();
    }
}
END_TEST

START_TEST(a_client_serves_add_link_although_its_confirm_rkey_is_open_and_repeats_that)
{
    up(_i, 1, 1, 2);
    logged = 0;
    sides[SERVER].ups = sides[CLIENT].ups = 3;
    awaited = 6;
    filter = hold_type; /* CONFIRM RKEY is answered late */
    struct smc_rmb *rmb = confirm(CLIENT);
    smc_flow_add_link(sides[SERVER].g);
    run(MS);
    ck_assert_uint_eq(count(CLIENT, (uint8_t)(2 + T(_i)), 0xc0), 0);
    filter = NULL;
    release_held();
    run(SECOND);
    ck_assert_uint_eq(links(CLIENT), 2); /* [LLC-049] */
    ck_assert_int_eq(sides[CLIENT].rkey, 0);
    ck_assert_int_ge(smc_rtoken_find(sides[SERVER].g, sides[SERVER].g->links[1], rmb->mrs[1].rkey), 0);
    ck_assert(!smc_rmb_needs_confirm(rmb));
    tear_down();
}
END_TEST

static int refusals;
static int refuse(int from, const uint8_t *bytes, uint8_t number)
{
    if (from != SERVER || (bytes[0] & 15) != 6 || !(bytes[3] & 0x80) || refusals == 0)
        return 0;
    refusals--;
    uint8_t copy[44];
    memcpy(copy, bytes, 44);
    copy[3] = 0xb0;
    smc_flow_input(link_of(CLIENT, number), copy, 44);
    return 1;
}
START_TEST(a_refusal_with_retry_is_repeated_until_the_turn_runs_out)
{
    up(_i, 1, 1, 2);
    refusals = 3;
    filter = refuse;
    confirm(CLIENT);
    run(SECOND);
    ck_assert_int_eq(sides[CLIENT].rkey, 0);
    refusals = 100000;
    confirm(CLIENT);
    run(19 * SECOND);
    ck_assert_int_eq(sides[CLIENT].rkeys, 1);
    run(2 * SECOND);
    ck_assert_int_eq(sides[CLIENT].rkey, SMC_ERR_TIMEOUT); /* [LLC-073] */
    tear_down();
}
END_TEST

START_TEST(during_the_servers_confirm_rkey_what_the_client_wants_is_queued)
{
    up(_i, 2, 2, 2);
    logged = 0;
    awaited = 6;
    filter = hold_type;
    confirm(SERVER);
    run(MS);
    inject(CLIENT, 1, (struct smc_llc_info){.type = SMC_LLC_DELETE_LINK, .link_number = 2, .reason = SMC_LLC_DEL_OPERATOR});
    run(MS);
    ck_assert_uint_eq(count(SERVER, (uint8_t)(4 + T(_i)), 0), 0);
    filter = NULL;
    release_held();
    run(SECOND);
    ck_assert_uint_eq(count(SERVER, (uint8_t)(4 + T(_i)), 0), 1);
    ck_assert_uint_eq(links(SERVER), 2); /* and a new one was added */
    tear_down();
}
END_TEST

/* ---- TEST LINK, send slots ---- */
START_TEST(test_link_is_sent_on_an_idle_link_and_silence_takes_it_down)
{
    up(_i, 2, 2, 2);
    run(28 * SECOND);
    ck_assert_uint_eq(count(SERVER, (uint8_t)(7 + T(_i)), 0), 0);
    run(3 * SECOND);
    ck_assert_uint_ge(count(SERVER, (uint8_t)(7 + T(_i)), 0) + count(CLIENT, (uint8_t)(7 + T(_i)), 0), 2);
    ck_assert_uint_eq(links(SERVER), 2);
    static const uint8_t zero[16];
    const uint8_t *m = last(SERVER, (uint8_t)(7 + T(_i)));
    ck_assert_ptr_nonnull(m);
    ck_assert_uint_eq(memcmp(m + 4, zero, 16) == 0, PROFILE(_i)->test_link_zero);
    awaited = 7;
    filter = drop_type;
    run(40 * SECOND);
    ck_assert_uint_eq(sides[SERVER].ended, 1);
    tear_down();
}
END_TEST

START_TEST(a_test_link_reply_with_other_data_or_on_another_link_is_none)
{
    up(_i, 2, 2, 2);
    sides[CLIENT].ep.profile.test_link_idle_ns = 0;
    awaited = 7;
    filter = drop_request;
    run(30 * SECOND);
    ck_assert(link_of(SERVER, 1)->test_outstanding);
    struct smc_llc_info m = {.type = SMC_LLC_TEST_LINK, .response = true, .user_data = {0xaa}};
    inject(CLIENT, 1, m);
    ck_assert_uint_eq(link_of(SERVER, 1)->test_outstanding, !PROFILE(_i)->test_link_zero); /* */
    sides[SERVER].ups = sides[CLIENT].ups = 0;
    filter = NULL;
    run(MS);
    if (!PROFILE(_i)->test_link_zero)
        ck_assert_uint_eq(links(SERVER), 1); /* [LLC-063] */
    tear_down();
}
END_TEST

START_TEST(a_message_waits_ten_seconds_for_a_slot)
{
    up(_i, 1, 1, 2);
    sides[CLIENT].full = 9000; /* looked at every millisecond */
    confirm(CLIENT);
    run(10 * SECOND);
    ck_assert_int_eq(sides[CLIENT].rkey, 0); /* [LLC-087] */
    sides[CLIENT].full = 1000000;
    confirm(CLIENT);
    run(9 * SECOND);
    ck_assert_uint_eq(sides[CLIENT].ended, 0);
    run(2 * SECOND);
    ck_assert_uint_eq(sides[CLIENT].ended, 1);
    tear_down();
}
END_TEST

/* ---- Hostile input ---- */
START_TEST(responses_that_nobody_asked_for_are_dropped)
{
    up(_i, 2, 2, 2);
    uint64_t before = sides[SERVER].ep.counters.llc_dropped + sides[CLIENT].ep.counters.llc_dropped;
    static const uint8_t types[] = {1, 2, 3, 4, 6, 7, 8, 9, 5};
    unsigned sent = 0;
    for (unsigned i = 0; i < sizeof(types); i++) {
        if (VERSION(_i) == 2 ? types[i] == 3 || types[i] == 8 : types[i] == 5)
            continue;
        for (int from = 0; from < 2; from++) {
            inject(from, 1, (struct smc_llc_info){.type = types[i], .response = true, .link_number = 2, .rkey = 5});
            sent++;
        }
    }
    run(SECOND);
    uint64_t after = sides[SERVER].ep.counters.llc_dropped + sides[CLIENT].ep.counters.llc_dropped;
    ck_assert_uint_ge(after - before, sent - 1); /* REQUEST ADD LINK is dropped by the wrong side as well */
    ck_assert_uint_eq(links(SERVER), 2);
    ck_assert_uint_eq(links(CLIENT), 2);
    tear_down();
}
END_TEST

START_TEST(unknown_types_and_wrong_lengths_fail_the_link_or_are_dropped)
{
    static const struct { uint8_t type; size_t length; bool bad; } cases[] = {
        {0x0a, 44, true}, {0x80, 44, false}, {0xbf, 44, false}, {0xc0, 44, true}, {0x23, 44, false}, {0x28, 44, false}, {0x01, 43, true}};
    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        up(_i, 2, 2, 2);
        sides[SERVER].ups = sides[CLIENT].ups = 0;
        uint8_t bytes[44] = {cases[i].type, 44};
        smc_flow_input(link_of(SERVER, 2), bytes, cases[i].length);
        run(MS);
        ck_assert_uint_eq(links(SERVER), cases[i].bad && !PROFILE(_i)->llc_errors_dropped ? 1 : 2);
        tear_down();
    }
}
END_TEST

START_TEST(a_server_speaks_and_a_client_answers_never_the_other_way)
{
    up(_i, 2, 2, 2);
    unsigned before = logged;
    inject(CLIENT, 1, (struct smc_llc_info){.type = SMC_LLC_CONFIRM_LINK, .link_number = 1, .max_links = 2, .no_eyecatcher = 3});
    inject(CLIENT, 1, (struct smc_llc_info){.type = SMC_LLC_ADD_LINK_CONT, .link_number = 2, .count = 1});
    inject(SERVER, 1, (struct smc_llc_info){.type = SMC_LLC_ADD_LINK_CONT, .link_number = 2, .count = 1});
    inject(SERVER, 1, (struct smc_llc_info){.type = SMC_LLC_CONFIRM_RKEY_CONT, .count = 3});
    run(MS);
    ck_assert_uint_eq(logged, before);
    tear_down();
}
END_TEST

static int cut_after;
static uint8_t cut_number;
static int cut(int from, const uint8_t *bytes, uint8_t number)
{
    (void)from;
    (void)bytes;
    if (cut_after > 0 && --cut_after == 0)
        cut_number = number;
    return cut_number != 0 && number == cut_number ? 1 : 0;
}
/* Whatever is under way when a link dies: in the end both sides have the same links, and no exchange hangs. */
START_TEST(a_link_may_die_at_any_message_of_any_exchange)
{
    for (int k = 1; k < 40; k++) {
        int who = k & 1;
        cut_number = 0;
        cut_after = 0;
        ck_assert(wire_up(PROFILE(_i), PROFILE(_i), VERSION(_i), 4, 4, 3));
        first_contact();
        run(SECOND);
        ck_assert_uint_eq(links(CLIENT), 3);
        cut_after = k;
        filter = cut;
        smc_flow_delete_link(link_of(SERVER, 2), SMC_LLC_DEL_OPERATOR, (k & 2) != 0);
        confirm(CLIENT);
        confirm(SERVER);
        smc_flow_delete_rkey(add_rmb(CLIENT, true));
        smc_flow_delete_rkey(add_rmb(SERVER, true));
        run(MS);
        if (cut_number != 0 && link_of(who, cut_number) != NULL)
            smc_link_down(link_of(who, cut_number));
        run(70 * SECOND);
        ck_assert_uint_eq(sides[SERVER].ended, sides[CLIENT].ended);
        ck_assert_int_ne(sides[CLIENT].rkey, 1);
        ck_assert_int_ne(sides[SERVER].rkey, 1);
        for (unsigned n = 1; sides[SERVER].ended == 0 && n < 256; n++)
            ck_assert_msg((link_of(SERVER, (uint8_t)n) != NULL) == (link_of(CLIENT, (uint8_t)n) != NULL), "cut %d: link %u", k, n);
        if (sides[SERVER].ended == 0) {
            ck_assert_str_eq(smc_flow_name(sides[SERVER].g), "none");
            ck_assert_str_eq(smc_flow_name(sides[CLIENT].g), "none");
        }
        tear_down();
        ck_assert_int_eq(blocks, 0);
    }
}
END_TEST

static uint64_t fuzz_state;
static int mutate(int from, const uint8_t *bytes, uint8_t number)
{
    fuzz_state = fuzz_state * 6364136223846793005u + 1442695040888963407u;
    if ((fuzz_state >> 40) % 4 != 0 || wire_count > WIRE / 2)
        return (fuzz_state >> 50) % 16 == 0 ? 1 : 0;
    uint8_t *copy = malloc(512);
    memcpy(copy, bytes, 44);
    struct smc_link *l = sides[from].g->dying ? NULL : link_of(from, number);
    size_t length = smc_mutate(copy, 44, 512, fuzz_state);
    wire[wire_count++] = (struct packet){from, l != NULL ? l->peer_qpn : 0, number, copy, length, false};
    return 0;
}
START_TEST(mutated_messages_harm_nobody)
{
    for (unsigned seed = 0; seed < 250; seed++) {
        fuzz_state = seed * 4u + (unsigned)_i;
        ck_assert(wire_up(PROFILE(_i), PROFILE((unsigned)_i ^ (seed & 1)), VERSION(_i), 2 + seed % 2, 2 + seed % 3, 2));
        filter = mutate;
        first_contact();
        run(SECOND);
        for (int k = 0; k < 12; k++) {
            for (int s = 0; s < 2; s++) {
                struct smc_group *g = sides[s].g;
                if (g->dying || sides[s].llc != 0)
                    continue;
                if (k % 3 == 0)
                    confirm(s);
                if (k % 4 == 1)
                    smc_flow_delete_rkey(add_rmb(s, false));
                if (k % 5 == 2 && g->links[1] != NULL)
                    smc_flow_delete_link(g->links[1], SMC_LLC_DEL_OPERATOR, k & 1);
                if (k % 6 == 5)
                    smc_flow_add_link(g);
            }
            run((uint64_t)(k + 1) * 300 * MS);
        }
        ck_assert_uint_lt(logged, LOG);
        tear_down();
        ck_assert_int_eq(blocks, 0);
    }
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    for (long n = 0; n < 12; n++) {
        allocations_left = n;
        bool made = wire_up(PROFILE(_i), PROFILE(_i), VERSION(_i), 2, 2, 2);
        if (made) {
            for (int k = 0; k < 20; k++)
                add_rmb(SERVER, true); /* a v2 ADD LINK of more than the kept messages hold */
            sides[SERVER].full = 3;
            first_contact();
            run(3 * SECOND);
            if (n > 8)
                ck_assert_uint_eq(links(SERVER), 2);
        }
        allocations_left = -1;
        tear_down();
        ck_assert_int_eq(blocks, 0);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("flow_rkey");
    TCase *t = tcase_create("flow_rkey");
    tcase_add_checked_fixture(t, reset_alloc, NULL);
    tcase_set_timeout(t, 120);
#define EVERY(f) tcase_add_loop_test(t, f, 0, 4)
    EVERY(confirm_rkey_names_all_links_and_both_sides_may_do_it_at_once);
    tcase_add_test(t, eight_links_need_confirm_rkey_continuations);
    EVERY(an_rmb_that_is_confirmed_again_over_a_new_link_stays_one);
    EVERY(a_key_with_another_address_is_of_another_rmb);
    EVERY(the_256th_rmb_is_refused_for_good);
    EVERY(an_rkey_exchange_without_an_answer_fails_the_link_and_begins_anew_on_another);
    EVERY(delete_rkey_frees_after_the_answer_in_batches_or_one_by_one);
    EVERY(delete_rkey_is_answered_when_writes_to_that_key_are_done_on_other_links);
    EVERY(a_held_answer_to_delete_rkey_goes_when_the_writing_link_is_lost);
    EVERY(a_held_answer_to_delete_rkey_waits_less_than_its_asker);
    EVERY(who_deletes_another_key_meanwhile_gets_both_answers);
    EVERY(unknown_keys_are_marked);
    EVERY(an_rmb_that_goes_while_it_is_confirmed_is_taken_back);
    EVERY(test_link_is_answered_during_any_exchange);
    EVERY(during_add_link_a_clients_add_link_is_ignored);
    tcase_add_loop_test(t, during_add_link_delete_link_is_queued_and_none_is_lost, 0, 2);
    EVERY(during_a_change_of_the_servers_confirm_rkey_is_refused_and_repeated);
    EVERY(a_client_serves_add_link_although_its_confirm_rkey_is_open_and_repeats_that);
    EVERY(a_refusal_with_retry_is_repeated_until_the_turn_runs_out);
    EVERY(during_the_servers_confirm_rkey_what_the_client_wants_is_queued);
    EVERY(test_link_is_sent_on_an_idle_link_and_silence_takes_it_down);
    EVERY(a_test_link_reply_with_other_data_or_on_another_link_is_none);
    EVERY(a_message_waits_ten_seconds_for_a_slot);
    EVERY(responses_that_nobody_asked_for_are_dropped);
    EVERY(unknown_types_and_wrong_lengths_fail_the_link_or_are_dropped);
    EVERY(a_server_speaks_and_a_client_answers_never_the_other_way);
    EVERY(a_link_may_die_at_any_message_of_any_exchange);
    EVERY(mutated_messages_harm_nobody);
    EVERY(every_allocation_may_fail);
    suite_add_tcase(suite, t);
    return suite;
}

CHECK_MAIN(make_suite)
