/* Tests of what arrives: numbers, tokens, lies about cursors, flags, messages before and after the life of a connection.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conn_fake_test.h"

enum { KINDS = 4 };

static void alive(void)
{
    ck_assert_int_eq(fake[0].c->error, 0);
    ck_assert_int_eq(fake[0].c->state, SMC_STATE_ACTIVE);
}

/* The stream is whole in both directions whatever was injected. */
static void still_works(void)
{
    alive();
    (void)fake_send(1, 500, 0);
    fake_pump();
    while (fake_recv(0, 1000) > 0)
        ;
    (void)fake_send(0, 500, 0);
    fake_pump();
    while (fake_recv(1, 1000) > 0)
        ;
    ck_assert_uint_eq(fake_streams[0].received, fake_streams[0].sent);
    ck_assert_uint_eq(fake_streams[1].received, fake_streams[1].sent);
}

START_TEST(old_and_repeated_numbers_are_dropped)
{
    fake_begin((enum fake_kind)_i);
    fake_set_wraps(3, 0xfffd);
    for (unsigned n = 0; n < 5; n++) { /* over the wrap of the numbers */
        (void)fake_send(1, 10, 0);
        fake_pump();
    }
    ck_assert_uint_eq(fake[0].c->cdc_received, 2);
    for (int n = 0; n < 40; n += 1) {
        struct fake_cdc w = fake_words(0, 100);
        w.seq = (uint16_t)(2 - n * 800); /* the same, older ones [CDC-003] [CDC-004] */
        w.conn_flags = SMC_CONN_A;
        fake_inject(0, &w);
        ck_assert_uint_eq(fake[0].c->cdc_received, 2);
    }
    ck_assert_uint_eq(smc_readable(fake[0].c), 50);
    still_works();
    fake_end();
}
END_TEST

START_TEST(malformed_messages_and_unknown_tokens_change_nothing)
{
    fake_begin(FAKE_R_LINUX);
    uint8_t p[64] = {0xfe, 44, 0, 1, 0, 0, 0, 7};
    p[25] = SMC_CONN_A;
    for (size_t n = 0; n < sizeof(p); n++)
        if (n != 44)
            smc_cdc_input(&fake[0].link[0], p, n);
    p[1] = 43;
    smc_cdc_input(&fake[0].link[0], p, 44); /* [CDC-001] */
    p[1] = 44;
    p[7] = 8;
    smc_cdc_input(&fake[0].link[0], p, 44); /* [CDC-005] */
    p[7] = 0;
    smc_cdc_input(&fake[0].link[0], p, 44);
    p[7] = 7;
    struct smc_group other = {.ep = &fake[0].ep};
    struct smc_link stranger = {.group = &other};
    smc_cdc_input(&stranger, p, 44); /* a connection of another group */
    ck_assert_uint_eq(fake[0].ep.counters.cdc_dropped, 63 + 4);
    still_works();
    fake_end();
}
END_TEST

struct lie {
    int64_t prod, cons;        /* count, moved by this; INT64_MIN: leave it */
    int prod_wraps, cons_wraps;
    uint8_t flags;
    bool r_rfc, others; /* is it one? */
};
static const struct lie lies[] = {
    {.prod = FAKE_RMB, .r_rfc = true, .others = true}, /* [CURSOR-006] */
    {.prod = 0xffffff00, .r_rfc = true, .others = true},
    {.prod = 0xffffff00, .flags = SMC_PROD_P | SMC_PROD_U, .r_rfc = true, .others = true}, /* [CURSOR-027] */
    {.prod = -103, .r_rfc = true, .others = true}, /* into the eyecatcher, or below nought [CURSOR-004] */
    {.prod = -102, .r_rfc = true, .others = true},
    {.prod = 0, .prod_wraps = 2, .r_rfc = true, .others = true}, /* [CURSOR-007] */
    {.prod = 1, .prod_wraps = 1, .r_rfc = true, .others = true},
    {.prod = 0, .prod_wraps = 0x7fff, .r_rfc = true, .others = true},
    {.cons = 1, .r_rfc = true, .others = true}, /* [CURSOR-008] */
    {.cons = 0, .cons_wraps = 1, .r_rfc = true, .others = true},
    {.cons = 2 * FAKE_RMB, .r_rfc = true, .others = true}, /* [CURSOR-025] */
    {.cons = 0x7fffffff, .r_rfc = true, .others = true},
    {.prod = 10, .r_rfc = false, .others = false},
    {.prod = 0, .prod_wraps = -1, .r_rfc = false, .others = false}, /* old: says nothing */
    {.prod = -1, .r_rfc = false, .others = false},
    {.cons = -1, .r_rfc = false, .others = false},
    {.cons = 0, .cons_wraps = -3, .r_rfc = false, .others = false},
};
enum { LIES = sizeof(lies) / sizeof(lies[0]) };

START_TEST(a_lie_about_a_cursor_ends_the_connection)
{
    const struct lie *l = &lies[_i / KINDS];
    fake_begin((enum fake_kind)(_i % KINDS));
    for (unsigned i = 0; i < 2; i++)
        (void)fake_send(i, 100, 0);
    fake_pump();
    (void)fake_recv(0, 100);
    (void)fake_recv(1, 100);
    (void)fake_send(0, 1, SMC_MSG_OOB); /* its consumption is told: cursors at 101 everywhere */
    fake_pump();
    fake_streams[0].received++;
    (void)fake_recv(1, 10);
    fake_pump();
    (void)fake_send(1, 1, SMC_MSG_OOB);
    fake_pump();
    fake_streams[1].received++;
    (void)fake_recv(0, 10);
    fake_pump();
    ck_assert_uint_eq(fake[0].c->tx_cons.count, 101);
    ck_assert_uint_eq(fake[0].c->rx_confirmed.count, 101);
    struct fake_cdc w = fake_words(0, 0);
    w.prod.count = (uint32_t)((int64_t)w.prod.count + l->prod);
    w.cons.count = (uint32_t)((int64_t)w.cons.count + l->cons);
    w.prod.wrap = (uint16_t)(w.prod.wrap + l->prod_wraps);
    w.cons.wrap = (uint16_t)(w.cons.wrap + l->cons_wraps);
    w.prod_flags = l->flags;
    fake_inject(0, &w);
    bool is = fake_kind == FAKE_R_RFC ? l->r_rfc : l->others;
    ck_assert_int_eq(fake[0].c->error, is ? SMC_ERR_PROTOCOL : 0);
    if (is) {
        ck_assert_int_eq(fake_recv(0, 10), SMC_ERR_RESET);
        ck_assert_uint_eq(fake[0].aborts, 1);
        fake_work(&fake[0]);
        ck_assert_uint_eq(fake_last(0).conn_flags, SMC_CONN_A); /* [CLOSE-015] */
    }
    fake_end();
}
END_TEST

START_TEST(a_count_just_at_the_end_of_the_ring_is_a_lie)
{
    fake_begin((enum fake_kind)_i);
    (void)fake_send(1, 100, 0);
    fake_pump();
    (void)fake_recv(0, 100);
    struct fake_cdc w = fake_words(0, 0);
    w.prod.count += fake[0].c->rx_ring - 100; /* one wrap later it would be 0 */
    fake_inject(0, &w);
    ck_assert_int_eq(fake[0].c->error, SMC_ERR_PROTOCOL); /* [CURSOR-006] */
    fake_end();
}
END_TEST

START_TEST(room_that_the_peer_was_not_told_of_is_not_its_to_use)
{
    fake_begin((enum fake_kind)_i);
    (void)fake_send(1, 1000, 0);
    fake_pump();
    (void)fake_recv(0, 1000); /* no update is called for */
    ck_assert_uint_eq(fake[0].c->rx_confirmed.count, 0);
    struct fake_cdc w = fake_words(0, fake[0].c->rx_ring - 1000);
    fake_inject(0, &w); /* all it knows of */
    ck_assert_int_eq(fake[0].c->error, 0);
    w = fake_words(0, 1);
    fake_inject(0, &w);
    ck_assert_int_eq(fake[0].c->error, SMC_ERR_PROTOCOL); /* [CURSOR-007] */
    fake_end();
}
END_TEST

START_TEST(forged_messages_by_the_thousand_never_take_the_readable_length_out_of_the_ring)
{
    uint64_t seed = (uint64_t)_i + 1;
    for (unsigned life = 0; life < 300; life++) {
        fake_begin((enum fake_kind)(_i % FAKE_KINDS));
        for (unsigned n = 0; n < 100; n++) {
            struct fake_cdc w = fake_words(0, (uint32_t)(fake_random(&seed) % 9000));
            uint64_t r = fake_random(&seed);
            w.seq = (uint16_t)(w.seq + (r % 16 == 0 ? r >> 32 : 0));
            w.prod.count += r % 7 == 0 ? (uint32_t)(r >> 20) : 0;
            w.prod.wrap = (uint16_t)(w.prod.wrap + (r % 11 == 0 ? r >> 40 : 0));
            w.cons.count += r % 13 == 0 ? (uint32_t)(r >> 25) : 0;
            w.cons.wrap = (uint16_t)(w.cons.wrap + (r % 17 == 0 ? r >> 50 : 0));
            w.prod_flags = (uint8_t)(r >> 8 & (fake_r() && r % 32 != 0 ? 0xf7 : 0xff));
            w.conn_flags = (uint8_t)(r % 50 == 0 ? r >> 16 : 0);
            if (fake[0].c->group != NULL && !fake[0].c->freed) /* as a late one would, B-40 */
                fake_inject(0, &w);
            uint8_t bytes[6000];
            int64_t got = smc_recv(fake[0].c, bytes, sizeof(bytes), (unsigned)(r >> 60 & 3), 0);
            FAKE_NEED(got <= (int64_t)sizeof(bytes));
            FAKE_NEED(smc_readable(fake[0].c) <= fake[0].c->rx_ring); /* [CURSOR-026] */
            FAKE_NEED(smc_writable(fake[0].c) <= fake[0].c->tx_ring);
            (void)smc_send(fake[0].c, bytes, r % 5000, (unsigned)(r >> 58 & 7), 0);
            for (unsigned k = 0; k < 3; k++) {
                fake_work(&fake[0]);
                fake[0].queue[0].carried = fake[0].queue[0].end;
                fake_complete(&fake[0], 0, FAKE_OPS);
            }
        }
        fake_end();
    }
}
END_TEST

START_TEST(an_eyecatcher_written_over_ends_the_connection)
{
    fake_begin(FAKE_R_RFC);
    still_works();
    fake[0].rmb.memory[fake[0].rmb.rmbe_bytes + 2] ^= 1;
    (void)fake_send(1, 1, 0);
    fake_pump();
    ck_assert_int_eq(fake[0].c->error, SMC_ERR_PROTOCOL); /* [CURSOR-021] */
    fake_end();
}
END_TEST

START_TEST(r_is_answered_at_once_and_once)
{
    fake_begin((enum fake_kind)_i);
    for (unsigned n = 1; n <= 20; n++) {
        struct fake_cdc w = fake_words(0, 0);
        w.prod_flags = SMC_PROD_R;
        fake_inject(0, &w);
        fake_work(&fake[0]);
        ck_assert_uint_eq(fake[0].seen_count, fake_r() && n > SMC_SEND_SLOTS ? SMC_SEND_SLOTS : n); /* [CURSOR-012] */
    }
    fake_end();
}
END_TEST

START_TEST(nothing_is_taken_after_d_or_c)
{
    for (unsigned n = 0; n < 2; n++) {
        fake_begin((enum fake_kind)_i);
        struct fake_cdc w = fake_words(0, 10);
        w.conn_flags = n ? SMC_CONN_D : SMC_CONN_C;
        fake_inject(0, &w); /* D with data in the same message: data first [CLOSE-005] */
        ck_assert_uint_eq(smc_readable(fake[0].c), 10);
        w = fake_words(0, 10);
        fake_inject(0, &w); /* [CDC-010] [CDC-011] */
        ck_assert_uint_eq(smc_readable(fake[0].c), 10);
        fake_end();
    }
}
END_TEST

START_TEST(what_comes_before_the_handshake_is_over_is_kept)
{
    fake_kind = (enum fake_kind)_i;
    for (unsigned i = 0; i < 2; i++)
        fake_side_init(&fake[i], FAKE_RMB);
    for (unsigned i = 0; i < 2; i++)
        fake_connection(&fake[i], FAKE_RMB);
    memset(fake_streams, 0, sizeof(fake_streams));
    uint32_t known = fake[0].c->peer_rmbe_bytes;
    fake[0].c->peer_rmbe_bytes = 0; /* comes with the Confirm */
    smc_conn_start(fake[1].c);
    (void)fake_send(1, 1000, 0);
    (void)fake_send(1, 1, SMC_MSG_OOB);
    ck_assert_int_eq(smc_shutdown(fake[1].c, SMC_SHUT_RDWR, 0), 0);
    fake_pump();
    ck_assert_int_eq(fake[0].c->state, SMC_STATE_INIT);
    ck_assert_uint_eq(fake[0].events, 0);
    ck_assert_int_eq(fake_recv(0, 10), SMC_ERR_STATE);
    fake[0].c->peer_rmbe_bytes = known;
    smc_conn_start(fake[0].c);
    ck_assert_int_eq(fake[0].c->state, SMC_STATE_APPCLOSEWAIT1); /* [CLOSE-026] */
    ck_assert_uint_eq(fake[0].events, SMC_EVENT_CONNECTED | SMC_EVENT_READABLE | SMC_EVENT_EOF | SMC_EVENT_URGENT);
    ck_assert_int_eq(fake_recv(0, 10000), 1000);
    ck_assert_int_eq(fake_recv(0, 10000), 0);
    fake_end();
}
END_TEST

START_TEST(after_an_abort_nothing_counts_but_the_peers_end)
{
    fake_begin((enum fake_kind)_i);
    smc_close_abort(fake[0].c, SMC_ERR_RESET);
    struct fake_cdc w = fake_words(0, 100);
    w.cons.count += 1000; /* would be a lie */
    fake_inject(0, &w);
    ck_assert_int_eq(fake[0].c->error, SMC_ERR_RESET); /* [CDC-014] */
    ck_assert_uint_eq(smc_readable(fake[0].c), 0);
    fake_pump();
    fake_end();
}
END_TEST

START_TEST(flags_in_the_producer_half_are_nobodys)
{
    fake_begin(FAKE_D_LINUX);
    struct fake_cdc w = fake_words(0, 5);
    fake[0].rmb.memory[14] = 0xff;
    fake[0].rmb.memory[15] = SMC_CONN_A;
    fake_inject(0, &w);
    alive(); /* [SMCD-005] */
    ck_assert_uint_eq(smc_readable(fake[0].c), 5);
    smc_cdc_smcd_input(fake[0].c); /* two signals for one, one for none [SMCD-007] */
    ck_assert_uint_eq(smc_readable(fake[0].c), 5);
    fake_end();
    fake_begin(FAKE_D_LINUX);
    smc_cdc_smcd_input(fake[0].c);
    ck_assert_uint_eq(fake[0].ep.counters.cdc_dropped, 1);
    alive();
    fake_end();
}
END_TEST

static Suite *cdc_suite(void)
{
    Suite *suite = suite_create("cdc");
    TCase *tests = tcase_create("cdc");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, old_and_repeated_numbers_are_dropped, 0, 2);
    tcase_add_test(tests, malformed_messages_and_unknown_tokens_change_nothing);
    tcase_add_loop_test(tests, a_lie_about_a_cursor_ends_the_connection, 0, LIES * KINDS);
    tcase_add_loop_test(tests, a_count_just_at_the_end_of_the_ring_is_a_lie, 0, KINDS);
    tcase_add_loop_test(tests, room_that_the_peer_was_not_told_of_is_not_its_to_use, 0, KINDS);
    tcase_add_loop_test(tests, forged_messages_by_the_thousand_never_take_the_readable_length_out_of_the_ring, 0, 10);
    tcase_add_test(tests, an_eyecatcher_written_over_ends_the_connection);
    tcase_add_loop_test(tests, r_is_answered_at_once_and_once, 0, KINDS);
    tcase_add_loop_test(tests, nothing_is_taken_after_d_or_c, 0, KINDS);
    tcase_add_loop_test(tests, what_comes_before_the_handshake_is_over_is_kept, 0, FAKE_KINDS);
    tcase_add_loop_test(tests, after_an_abort_nothing_counts_but_the_peers_end, 0, KINDS);
    tcase_add_test(tests, flags_in_the_producer_half_are_nobodys);
    suite_add_tcase(suite, tests);
    return suite;
}
CHECK_MAIN(cdc_suite)
