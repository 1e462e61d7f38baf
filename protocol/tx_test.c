/* Tests of sending: whole streams in every mode, windows, B, corks, wraps of cursors and numbers.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conn_fake_test.h"

enum { RING = FAKE_RMB }; /* of side 0; the peer's is twice as large */

static uint32_t tx_ring(unsigned i)
{
    return fake[i].c->tx_ring;
}

static void random_steps(uint64_t seed, unsigned steps)
{
    for (unsigned n = 0; n < steps; n++) {
        unsigned i = fake_random(&seed) & 1, what = fake_random(&seed) % 8;
        size_t size = 1 + fake_random(&seed) % (fake_random(&seed) % 4 == 0 ? 60000 : 3000);
        if (what < 3)
            (void)fake_send(i, size, fake_random(&seed) % 8 == 0 ? SMC_MSG_MORE : 0);
        else if (what < 6)
            (void)fake_recv(i, size);
        else if (what == 6)
            fake_deliver(&fake[i], 0, 1 + fake_random(&seed) % 5);
        else
            fake_complete(&fake[i], 0, 1 + fake_random(&seed) % 3);
        fake_work(&fake[i]);
    }
}

static void drain(void)
{
    for (unsigned i = 0; i < 2; i++)
        ck_assert_int_eq(smc_set_option(fake[i].c, SMC_OPTION_NODELAY, 1, 0), 0);
    for (unsigned n = 0; n < 100; n++) {
        fake_pump();
        (void)fake_recv(0, 1 << 18);
        (void)fake_recv(1, 1 << 18);
    }
    for (unsigned i = 0; i < 2; i++)
        ck_assert_uint_eq(fake_streams[i].sent, fake_streams[i].received);
}

START_TEST(random_streams_arrive_byte_for_byte)
{
    enum fake_kind kind = (enum fake_kind)(_i % FAKE_KINDS);
    for (uint64_t seed = 1; seed <= 8; seed++) {
        fake_begin(kind);
        fake_set_wraps((uint16_t)(0xffff - seed % 3), (uint16_t)(0xfff0 + seed));
        for (unsigned i = 0; i < 2; i++)
            fake[i].ep.config.autocork = seed % 2;
        random_steps(seed * 77 + (unsigned)_i, 3000);
        drain();
        ck_assert_uint_gt(fake_streams[0].sent, 200000);
        ck_assert_uint_gt(fake_streams[1].sent, 200000);
        ck_assert_int_eq(fake[0].c->error, 0);
        ck_assert_int_eq(fake[1].c->error, 0);
        fake_end();
    }
}
END_TEST

START_TEST(all_of_the_window_is_used_and_a_full_one_sets_b_and_wraps)
{
    fake_begin((enum fake_kind)_i);
    uint32_t ring = tx_ring(1);
    ck_assert_int_eq(fake_send(1, RING - 1000, 0), RING - 1000);
    fake_pump();
    ck_assert_uint_eq(fake_last(1).prod_flags & SMC_PROD_B, 0);
    ck_assert_int_gt(fake_send(1, 5000, 0), 0);
    fake_pump();
    ck_assert_uint_eq(smc_rx_unread(fake[0].c), ring); /* no byte is given away */
    ck_assert_uint_eq(fake_last(1).prod.wrap, 1);
    ck_assert_uint_ne(fake_last(1).prod_flags & SMC_PROD_B, 0);
    while (fake_recv(0, 1 << 18) > 0)
        fake_pump();
    ck_assert_uint_eq(fake_streams[1].sent, fake_streams[1].received);
    fake_end();
}
END_TEST

START_TEST(a_writer_that_finds_the_window_closed_says_b_alone)
{
    fake_begin((enum fake_kind)_i);
    /* The last write fills the ring just up: nothing waits, but B says that it is full. */
    ck_assert_int_eq(fake_send(1, tx_ring(1), 0), tx_ring(1));
    fake_pump();
    ck_assert_uint_ne(fake_last(1).prod_flags & SMC_PROD_B, 0);
    unsigned before = fake[1].seen_count;
    if (fake_kind == FAKE_D_NO_COPY) {
        ck_assert_int_eq(fake_send(1, 10, 0), SMC_ERR_WOULDBLOCK);
    } else {
        ck_assert_int_eq(fake_send(1, 10, 0), 10);
        fake_pump();
        ck_assert_uint_eq(fake[1].seen_count, before); /* it has been said */
    }
    (void)fake_recv(0, 4000);
    fake_pump();
    (void)fake_recv(0, 1 << 18);
    fake_pump();
    ck_assert_uint_eq(smc_tx_pending(fake[1].c), 0);
    (void)fake_send(1, 10, 0); /* goes with the next write that leaves room */
    fake_pump();
    ck_assert_uint_eq(fake_last(1).prod_flags & SMC_PROD_B, 0);
    fake_end();
}
END_TEST

START_TEST(small_data_leave_at_once)
{
    fake_begin((enum fake_kind)_i);
    for (unsigned n = 1; n <= 40; n++) {
        ck_assert_int_eq(fake_send(0, 1, 0), 1);
        fake_pump();
        ck_assert_uint_eq(fake[0].seen_count, n); /* [CURSOR-013] */
        if (fake_r())
            ck_assert_uint_eq(fake_last(0).seq, n);
    }
    ck_assert_int_eq(fake_recv(1, 100), 40);
    ck_assert_uint_eq(fake_last(0).prod.count, 40u + (fake_kind == FAKE_R_RFC ? 4 : 0));
    fake_end();
}
END_TEST

START_TEST(more_is_held_back_until_the_timer_or_the_next_send)
{
    fake_begin((enum fake_kind)_i);
    ck_assert_int_eq(fake_send(0, 100, SMC_MSG_MORE), 100);
    fake_pump();
    ck_assert_uint_eq(fake[0].seen_count, 0);
    fake_later(UINT64_C(300000000));
    bool timer = fake_profile()->cork_ns != 0;
    ck_assert_uint_eq(fake[0].seen_count, timer ? 1 : 0);
    ck_assert_int_eq(fake_send(0, 100, 0), 100);
    fake_pump();
    ck_assert_uint_eq(fake[0].seen_count, timer ? 2 : 1);
    ck_assert_int_eq(fake_recv(1, 1000), 200);
    ck_assert_uint_eq(fake[0].ep.timers.root == NULL, 1);
    fake_end();
}
END_TEST

START_TEST(a_cork_holds_until_it_is_drawn_or_the_buffer_is_full)
{
    fake_begin((enum fake_kind)_i);
    fake[0].ep.profile.cork_ns = 0;
    ck_assert_int_eq(smc_set_option(fake[0].c, SMC_OPTION_CORK, 1, 0), 0);
    fake_pump();
    ck_assert_int_eq(fake_send(0, 100, 0), 100);
    ck_assert_int_eq(fake_send(0, 100, 0), 100);
    fake_pump();
    ck_assert_uint_eq(fake[0].seen_count, 0);
    ck_assert_int_eq(smc_set_option(fake[0].c, SMC_OPTION_CORK, 0, 0), 0);
    fake_pump();
    ck_assert_uint_eq(fake[0].seen_count, 1);
    ck_assert_int_eq(smc_set_option(fake[0].c, SMC_OPTION_CORK, 1, 0), 0);
    fake_pump();
    ck_assert_int_gt(fake_send(0, 1 << 17, 0), 0);
    ck_assert_uint_gt(fake[0].seen_count, 1);
    fake_end();
}
END_TEST

START_TEST(autocork_gathers_while_a_cdc_is_under_way)
{
    fake_begin((enum fake_kind)_i);
    fake[0].ep.config.autocork = true;
    for (unsigned n = 0; n < 10; n++)
        ck_assert_int_eq(fake_send(0, 100, 0), 100);
    ck_assert_uint_eq(fake[0].seen_count, fake_r() ? 1 : 10);
    fake_pump();
    ck_assert_uint_eq(fake[0].seen_count, fake_r() ? 2 : 10);
    ck_assert_int_eq(smc_set_option(fake[0].c, SMC_OPTION_NODELAY, 1, 0), 0);
    fake_pump();
    unsigned before = fake[0].seen_count;
    for (unsigned n = 0; n < 5; n++)
        ck_assert_int_eq(fake_send(0, 100, 0), 100);
    ck_assert_uint_eq(fake[0].seen_count, before + 5);
    fake_pump();
    ck_assert_int_eq(fake_recv(1, 10000), 1500);
    fake_end();
}
END_TEST

START_TEST(who_was_refused_hears_of_room_exactly_when_there_is_some)
{
    fake_begin((enum fake_kind)_i);
    while (fake_send(1, 10000, 0) > 0) {
        fake_pump();
    }
    fake[1].events = 0;
    ck_assert_uint_eq(smc_writable(fake[1].c), 0);
    fake_pump();
    ck_assert_uint_eq(fake[1].events & SMC_EVENT_WRITABLE, 0);
    (void)fake_recv(0, 1 << 18);
    fake_pump();
    ck_assert_uint_ne(fake[1].events & SMC_EVENT_WRITABLE, 0); /* B-29 */
    ck_assert_uint_gt(smc_writable(fake[1].c), 0);
    fake_end();
}
END_TEST

START_TEST(without_slots_everything_waits_and_nothing_is_lost)
{
    fake_begin((enum fake_kind)_i);
    for (unsigned n = 0; n < 30; n++)
        ck_assert_int_eq(fake_send(0, 10, 0), 10); /* 16 slots */
    if (fake_r())
        ck_assert_uint_eq(fake[0].seen_count, SMC_SEND_SLOTS);
    fake_pump();
    ck_assert_int_eq(fake_recv(1, 1000), 300);
    fake_end();
}
END_TEST

START_TEST(a_buffer_that_cannot_be_had_leaves_all_as_it_was)
{
    fake_begin((enum fake_kind)_i);
    fake[0].buffer_error = SMC_ERR_NOMEM;
    ck_assert_int_eq(fake_send(0, 10, 0), SMC_ERR_NOMEM);
    fake[0].buffer_error = 0;
    ck_assert_int_eq(fake_send(0, 10, 0), 10);
    fake_pump();
    ck_assert_int_eq(fake_recv(1, 100), 10);
    fake_end();
}
END_TEST

START_TEST(a_device_that_refuses_a_move_ends_the_connection)
{
    fake_begin((enum fake_kind)_i);
    fake[0].move_error = SMC_ERR_IO;
    ck_assert_int_eq(fake_send(0, 10, 0), 10);
    fake_pump();
    ck_assert_int_eq(fake[0].c->error, SMC_ERR_RESET); /* [SMCD-010] */
    ck_assert_uint_ne(fake[0].events & SMC_EVENT_ERROR, 0);
    ck_assert_int_eq(fake_send(0, 10, 0), SMC_ERR_RESET);
    fake_end();
}
END_TEST

START_TEST(a_buffer_unknown_on_the_link_ends_the_connection)
{
    fake_begin((enum fake_kind)_i);
    fake[0].rtokens[0].valid = false;
    ck_assert_int_eq(fake_send(0, 10, 0), 10);
    fake_pump();
    ck_assert_int_eq(fake[0].c->error, SMC_ERR_RESET);
    fake_end();
}
END_TEST

static Suite *tx_suite(void)
{
    Suite *suite = suite_create("tx");
    TCase *tests = tcase_create("tx");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, random_streams_arrive_byte_for_byte, 0, FAKE_KINDS);
    tcase_add_loop_test(tests, all_of_the_window_is_used_and_a_full_one_sets_b_and_wraps, 0, FAKE_KINDS);
    tcase_add_loop_test(tests, a_writer_that_finds_the_window_closed_says_b_alone, 0, FAKE_KINDS);
    tcase_add_loop_test(tests, small_data_leave_at_once, 0, FAKE_KINDS);
    tcase_add_loop_test(tests, more_is_held_back_until_the_timer_or_the_next_send, 0, FAKE_KINDS);
    tcase_add_loop_test(tests, a_cork_holds_until_it_is_drawn_or_the_buffer_is_full, 0, FAKE_KINDS);
    tcase_add_loop_test(tests, autocork_gathers_while_a_cdc_is_under_way, 0, FAKE_KINDS);
    tcase_add_loop_test(tests, who_was_refused_hears_of_room_exactly_when_there_is_some, 0, FAKE_KINDS);
    tcase_add_loop_test(tests, without_slots_everything_waits_and_nothing_is_lost, 0, FAKE_KINDS);
    tcase_add_loop_test(tests, a_buffer_that_cannot_be_had_leaves_all_as_it_was, 0, FAKE_D_NO_COPY);
    tcase_add_loop_test(tests, a_device_that_refuses_a_move_ends_the_connection, FAKE_D_RFC, FAKE_KINDS);
    tcase_add_loop_test(tests, a_buffer_unknown_on_the_link_ends_the_connection, 0, FAKE_D_RFC);
    suite_add_tcase(suite, tests);
    return suite;
}
CHECK_MAIN(tx_suite)
