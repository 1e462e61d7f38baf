/* Tests of receiving: when a consumer cursor update is sent, peeking, urgent data in line and beside the stream.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conn_fake_test.h"

enum { KINDS = 4 };

/* Side 1 writes into side 0's ring of 16 KiB. */
static void fill(size_t n)
{
    while (n > 0) {
        int64_t taken = fake_send(1, n, 0);
        ck_assert_int_gt(taken, 0);
        n -= (size_t)taken;
        fake_pump();
    }
}

START_TEST(an_update_needs_less_than_half_a_window_and_a_tenth_gained)
{
    fake_begin((enum fake_kind)_i);
    fill(7000);
    for (unsigned n = 0; n < 7; n++)
        (void)fake_recv(0, 1000);
    ck_assert_uint_eq(fake[0].seen_count, 0); /* window above half */
    fill(3000); /* the writer knows of 10000 bytes: less than half is free */
    (void)fake_recv(0, 100);
    ck_assert_uint_eq(fake[0].seen_count, 1); /* 7100 gained [CURSOR-010] */
    fill(8000);
    unsigned before = fake[0].seen_count, reads = 0;
    while (fake[0].seen_count == before) {
        (void)fake_recv(0, 100);
        reads++;
    }
    ck_assert_uint_eq(reads, 24); /* the first time above 2304 bytes [CURSOR-023] (B-20) */
    fake_end();
}
END_TEST

START_TEST(in_a_large_ring_a_tenth_is_more_than_the_least_bytes)
{
    fake_begin((enum fake_kind)_i);
    for (unsigned n = 0; n < 30; n++) {
        (void)fake_send(0, 1000, 0);
        fake_pump();
    }
    unsigned reads = 0;
    while (fake[1].seen_count == 0 && reads < 100) {
        (void)fake_recv(1, 100);
        reads++;
    }
    ck_assert_uint_eq(reads, fake[1].c->rx_ring / 1000 + 1); /* the first time above a tenth */
    fake_end();
}
END_TEST

START_TEST(with_b_every_read_is_told_or_only_those_worth_it)
{
    fake_begin((enum fake_kind)_i);
    while (fake_send(1, 20000, 0) > 0)
        fake_pump();
    ck_assert_uint_ne(fake_last(1).prod_flags & SMC_PROD_B, 0);
    for (unsigned n = 1; n <= 5; n++) {
        (void)fake_recv(0, 10);
        ck_assert_uint_eq(fake[0].seen_count, fake_profile()->window_update_linux ? 0 : n); /* [CURSOR-011] */
        fake_complete(&fake[0], 0, 1);
    }
    fake_end();
}
END_TEST

START_TEST(b_counts_with_linux_when_the_gain_does)
{
    fake_begin((enum fake_kind)_i);
    while (fake_send(1, 20000, 0) > 0)
        fake_pump();
    (void)fake_recv(0, 2305);
    ck_assert_uint_eq(fake[0].seen_count, 1);
    fake_end();
}
END_TEST

START_TEST(every_message_carries_the_consumer_cursor)
{
    fake_begin((enum fake_kind)_i);
    fill(500);
    (void)fake_recv(0, 200);
    ck_assert_uint_eq(fake[0].seen_count, 0);
    (void)fake_send(0, 1, 0);
    ck_assert_uint_eq(fake_last(0).cons.count, 200u + (fake_kind == FAKE_R_RFC ? 4 : 0)); /* [CDC-009] */
    fake_end();
}
END_TEST

START_TEST(an_update_that_finds_no_slot_is_sent_later)
{
    fake_begin((enum fake_kind)_i);
    for (unsigned n = 0; n < SMC_SEND_SLOTS; n++)
        (void)fake_send(0, 1, 0);
    while (fake_send(1, 20000, 0) > 0) {
        fake_work(&fake[1]);
        fake_deliver(&fake[1], 0, FAKE_OPS);
        fake_complete(&fake[1], 0, FAKE_OPS);
    }
    while (fake_recv(0, 1000) > 0)
        ;
    ck_assert_uint_eq(fake[0].seen_count, SMC_SEND_SLOTS);
    fake_pump();
    ck_assert_uint_gt(fake[0].seen_count, SMC_SEND_SLOTS);
    while (fake_recv(0, 1 << 18) > 0)
        fake_pump();
    ck_assert_uint_eq(fake_streams[1].received, fake_streams[1].sent);
    fake_end();
}
END_TEST

START_TEST(peeking_leaves_all_where_it_is)
{
    uint8_t a[100], b[100];
    fake_begin((enum fake_kind)_i);
    fill(60);
    ck_assert_int_eq(smc_recv(fake[0].c, a, 100, SMC_MSG_PEEK, 0), 60);
    ck_assert_uint_eq(smc_readable(fake[0].c), 60);
    ck_assert_int_eq(smc_recv(fake[0].c, b, 100, 0, 0), 60);
    ck_assert_mem_eq(a, b, 60);
    ck_assert_int_eq(smc_recv(fake[0].c, b, 100, 0, 0), SMC_ERR_WOULDBLOCK);
    ck_assert_int_eq(smc_recv(fake[0].c, b, 0, 0, 0), 0);
    fake_end();
}
END_TEST

/* ---- Urgent data ---- */
static int64_t oob(unsigned flags, uint8_t *byte)
{
    return smc_recv(fake[0].c, byte, 1, SMC_MSG_OOB | flags, 0);
}

START_TEST(an_urgent_byte_is_announced_marked_and_blocks_until_consumed)
{
    uint8_t byte = 0;
    fake_begin((enum fake_kind)_i);
    ck_assert_int_eq(oob(0, &byte), SMC_ERR_ARGUMENT);
    (void)fake_send(1, 100, SMC_MSG_OOB);
    fake_pump();
    ck_assert_uint_eq(fake_last(1).prod_flags, SMC_PROD_P | SMC_PROD_U);
    ck_assert_uint_eq(fake_last(1).prod.count, 100u + (fake_kind == FAKE_R_RFC ? 4 : 0)); /* [CURSOR-015] */
    ck_assert_uint_ne(fake[0].events & SMC_EVENT_URGENT, 0);
    unsigned before = fake[1].seen_count;
    bool linux = fake_profile()->urgent_blocks_window;
    ck_assert_int_eq(fake_send(1, 50, 0), linux ? SMC_ERR_WOULDBLOCK : 50); /* */
    fake_pump();
    ck_assert_uint_eq(fake[1].seen_count, before); /* [CURSOR-017] */
    ck_assert_uint_eq(smc_readable(fake[0].c), 99);
    ck_assert_int_eq(oob(SMC_MSG_PEEK, &byte), 1);
    ck_assert_int_eq(oob(0, &byte), 1);
    ck_assert_uint_eq(byte, fake_byte(1, 99));
    ck_assert_int_eq(oob(0, &byte), SMC_ERR_ARGUMENT);
    ck_assert_int_eq(fake_recv(0, 1000), 99);
    fake_pump();
    fake_streams[1].received++; /* the urgent byte is not in the stream */
    if (linux)
        ck_assert_int_eq(fake_send(1, 50, 0), 50);
    fake_pump();
    ck_assert_int_eq(fake_recv(0, 1000), 50);
    ck_assert_uint_eq(fake_last(1).prod_flags & (SMC_PROD_P | SMC_PROD_U), 0);
    fake_end();
}
END_TEST

START_TEST(an_urgent_byte_read_as_the_next_one_is_confirmed)
{
    uint8_t byte;
    fake_begin((enum fake_kind)_i);
    (void)fake_send(1, 1, SMC_MSG_OOB);
    fake_pump();
    ck_assert_uint_eq(smc_readable(fake[0].c), 0);
    unsigned before = fake[0].seen_count;
    ck_assert_int_eq(oob(0, &byte), 1);
    ck_assert_uint_eq(fake[0].seen_count, before + 1); /* [CURSOR-018] */
    fake_pump();
    ck_assert(!fake[1].c->urg_tx_wait);
    ck_assert_int_eq(fake_send(1, 10, 0), 10);
    fake_streams[1].received++;
    fake_pump();
    ck_assert_int_eq(fake_recv(0, 100), 10);
    fake_end();
}
END_TEST

START_TEST(a_reader_that_never_asks_for_it_passes_the_urgent_byte)
{
    fake_begin((enum fake_kind)_i);
    (void)fake_send(1, 30, SMC_MSG_OOB);
    fake_pump();
    ck_assert_int_eq(fake_recv(0, 10), 10);
    ck_assert_uint_eq(fake[0].seen_count, 0);
    ck_assert_int_eq(fake_recv(0, 100), 19);
    ck_assert_uint_eq(fake[0].seen_count, 1);
    fake_pump();
    smc_close(fake[0].c, 0);
    fake_pump();
    ck_assert_uint_eq(fake_last(0).conn_flags, SMC_CONN_C); /* nothing is unread */
    fake_end();
    fake_begin((enum fake_kind)_i);
    (void)fake_send(1, 1, SMC_MSG_OOB);
    fake_pump();
    smc_close(fake[0].c, 0);
    fake_pump();
    ck_assert_uint_eq(fake_last(0).conn_flags, SMC_CONN_A); /* never looked at */
    fake_end();
}
END_TEST

START_TEST(in_line_a_read_stops_at_the_urgent_byte)
{
    uint8_t byte;
    fake_begin((enum fake_kind)_i);
    ck_assert_int_eq(smc_set_option(fake[0].c, SMC_OPTION_OOBINLINE, 1, 0), 0);
    (void)fake_send(1, 30, SMC_MSG_OOB);
    fake_pump();
    ck_assert_int_eq(oob(0, &byte), SMC_ERR_ARGUMENT);
    ck_assert_uint_eq(smc_readable(fake[0].c), 30);
    ck_assert_int_eq(fake_recv(0, 100), 29); /* [CURSOR-020] */
    ck_assert_uint_eq(fake[0].seen_count, 0);
    ck_assert_int_eq(fake_recv(0, 100), 1);
    ck_assert_uint_eq(fake[0].seen_count, 1);
    fake_pump();
    ck_assert_int_eq(fake_send(1, 20, 0), 20);
    fake_pump();
    ck_assert_int_eq(fake_recv(0, 100), 20);
    fake_end();
}
END_TEST

START_TEST(p_is_told_with_the_window_closed)
{
    uint8_t byte;
    fake_begin((enum fake_kind)_i);
    fill(fake[1].c->tx_ring);
    fake_pump();
    ck_assert_int_eq(fake_send(1, 200, SMC_MSG_OOB), 200);
    fake_pump();
    ck_assert_uint_eq(fake_last(1).prod_flags & (SMC_PROD_P | SMC_PROD_U), SMC_PROD_P); /* [CURSOR-016] */
    ck_assert_uint_ne(fake[0].events & SMC_EVENT_URGENT, 0);
    ck_assert_int_eq(oob(0, &byte), SMC_ERR_WOULDBLOCK);
    ck_assert_int_gt(fake_recv(0, 1 << 18), 0);
    fake_pump();
    ck_assert_int_eq(oob(0, &byte), 1);
    ck_assert_uint_eq(byte, fake_byte(1, fake_streams[1].sent - 1));
    ck_assert_int_eq(fake_recv(0, 1000), 199);
    fake_pump();
    ck_assert(!fake[1].c->urg_tx_wait);
    fake_end();
}
END_TEST

START_TEST(an_urgent_byte_at_the_very_end_of_the_ring_is_found)
{
    uint8_t byte;
    fake_begin((enum fake_kind)_i);
    uint32_t ring = fake[1].c->tx_ring;
    fill(ring / 2);
    (void)fake_recv(0, ring);
    fake_pump();
    fake_streams[1].received = fake_streams[1].sent;
    (void)fake_send(1, ring - ring / 2, SMC_MSG_OOB);
    fake_pump();
    ck_assert_uint_eq(fake[0].c->rx_prod.count, 0); /* [CURSOR-019] */
    ck_assert_uint_eq(fake[0].c->rx_prod.wrap, 1);
    ck_assert_int_eq(oob(0, &byte), 1);
    ck_assert_uint_eq(byte, fake_byte(1, ring - 1));
    fake_end();
}
END_TEST

/* Bytes in random portions, some urgent; the reader sees every byte of the stream but those it took or passed as urgent. */
START_TEST(random_streams_with_urgent_bytes)
{
    static uint8_t bytes[20000];
    uint64_t seed = (uint64_t)_i + 5;
    fake_begin((enum fake_kind)(_i % FAKE_KINDS));
    fake_set_wraps(0xfffe, 0xffe0);
    uint64_t sum_sent = 0, sum_read = 0, urgent = 0, taken_oob = 0;
    for (unsigned n = 0; n < 4000; n++) {
        uint64_t r = fake_random(&seed);
        bool is_urgent = r % 16 == 0;
        size_t size = 1 + (r >> 8) % 4000;
        memset(bytes, 1, size);
        if (is_urgent)
            bytes[size - 1] = 100;
        int64_t sent = smc_send(fake[1].c, bytes, size, is_urgent ? SMC_MSG_OOB : 0, 0);
        for (int64_t k = 0; k < sent; k++)
            sum_sent += bytes[k];
        urgent += is_urgent && sent == (int64_t)size;
        if (r >> 40 & 1)
            fake_pump();
        uint8_t byte;
        if (oob(0, &byte) == 1) {
            FAKE_NEED(byte == 100);
            taken_oob++;
        }
        int64_t got = smc_recv(fake[0].c, bytes, (r >> 20) % sizeof(bytes), 0, 0);
        for (int64_t k = 0; k < got; k++)
            sum_read += bytes[k];
    }
    for (unsigned n = 0; n < 50; n++) {
        fake_pump();
        int64_t got = smc_recv(fake[0].c, bytes, sizeof(bytes), 0, 0);
        for (int64_t k = 0; k < got; k++)
            sum_read += bytes[k];
    }
    ck_assert_uint_gt(urgent, 60);
    ck_assert_uint_gt(taken_oob, 5);
    ck_assert_uint_le(sum_read, sum_sent);
    ck_assert_uint_eq((sum_sent - sum_read) % 100, 0);
    ck_assert_uint_le((sum_sent - sum_read) / 100, urgent);
    ck_assert_uint_eq(smc_tx_pending(fake[1].c), 0);
    ck_assert_int_eq(fake[0].c->error, 0);
    fake_end();
}
END_TEST

static Suite *rx_suite(void)
{
    Suite *suite = suite_create("rx");
    TCase *tests = tcase_create("rx");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, an_update_needs_less_than_half_a_window_and_a_tenth_gained, 0, FAKE_KINDS);
    tcase_add_loop_test(tests, in_a_large_ring_a_tenth_is_more_than_the_least_bytes, 0, KINDS);
    tcase_add_loop_test(tests, with_b_every_read_is_told_or_only_those_worth_it, 0, FAKE_KINDS);
    tcase_add_loop_test(tests, b_counts_with_linux_when_the_gain_does, 0, FAKE_KINDS);
    tcase_add_loop_test(tests, every_message_carries_the_consumer_cursor, 0, FAKE_KINDS);
    tcase_add_loop_test(tests, an_update_that_finds_no_slot_is_sent_later, 0, 2);
    tcase_add_loop_test(tests, peeking_leaves_all_where_it_is, 0, FAKE_KINDS);
    tcase_add_loop_test(tests, an_urgent_byte_is_announced_marked_and_blocks_until_consumed, 0, FAKE_KINDS);
    tcase_add_loop_test(tests, an_urgent_byte_read_as_the_next_one_is_confirmed, 0, FAKE_KINDS);
    tcase_add_loop_test(tests, a_reader_that_never_asks_for_it_passes_the_urgent_byte, 0, FAKE_KINDS);
    tcase_add_loop_test(tests, in_line_a_read_stops_at_the_urgent_byte, 0, FAKE_KINDS);
    tcase_add_loop_test(tests, p_is_told_with_the_window_closed, 0, KINDS);
    tcase_add_loop_test(tests, an_urgent_byte_at_the_very_end_of_the_ring_is_found, 0, FAKE_KINDS);
    tcase_add_loop_test(tests, random_streams_with_urgent_bytes, 0, 4 * FAKE_KINDS);
    suite_add_tcase(suite, tests);
    return suite;
}
CHECK_MAIN(rx_suite)
