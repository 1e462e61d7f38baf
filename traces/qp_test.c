/* RC queue pairs: messages, order, pairs, announcements, bounds, case by case.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "qp_test.h"

/* ---- messages ---- */

START_TEST(a_send_of_several_packets_is_one_message)
{
    request(SMC_BTH_SEND_FIRST, 10, "one ", 4);
    request(SMC_BTH_SEND_MIDDLE, 11, "two ", 4);
    ck_assert_uint_eq(S.sends, 0);
    request(SMC_BTH_SEND_LAST, 12, "three", 5);
    ck_assert_uint_eq(S.sends, 1);
    ck_assert_uint_eq(S.last.len, 13);
    ck_assert_mem_eq(S.bytes, "one two three", 13);
    ck_assert_uint_eq(S.last.first_frame, 1);
    ck_assert_uint_eq(S.last.frame, 3);
    ck_assert_uint_eq(S.last.psn, 12);
}
END_TEST

START_TEST(of_a_send_with_a_cut_packet_the_prefix_is_kept)
{
    request(SMC_BTH_SEND_FIRST, 10, "one ", 4);
    struct trace_packet p = packet(SMC_BTH_SEND_MIDDLE, 11, "tw", 2);
    p.payload_wire_len = 4;
    feed(&p);
    request(SMC_BTH_SEND_LAST, 12, "three", 5);
    ck_assert_uint_eq(S.last.len, 13);
    ck_assert_uint_eq(smc_view_len(S.last.bytes), 6);
    ck_assert_mem_eq(S.bytes, "one tw", 6);
    ck_assert(!S.last.headless);
}
END_TEST

START_TEST(of_an_endless_send_64_kib_are_kept)
{
    static uint8_t bytes[4000];
    memset(bytes, 'x', sizeof bytes);
    request(SMC_BTH_SEND_FIRST, 0, bytes, sizeof bytes);
    for (uint32_t psn = 1; psn < 100; psn++)
        request(SMC_BTH_SEND_MIDDLE, psn, bytes, sizeof bytes);
    request(SMC_BTH_SEND_LAST, 100, bytes, sizeof bytes);
    ck_assert_uint_eq(S.last.len, 101 * sizeof bytes);
    ck_assert_uint_eq(smc_view_len(S.last.bytes), 64 << 10);
}
END_TEST

START_TEST(immediate_and_invalidate_variants_end_messages)
{
    struct trace_packet p = packet(SMC_BTH_SEND_ONLY_IMM, 1, "a", 1);
    p.roce.has_imm = true;
    p.roce.imm = 0xabcd;
    p.roce.solicited = true;
    feed(&p);
    ck_assert(S.last.has_imm && S.last.imm == 0xabcd && S.last.solicited && S.last.packet == &p);
    request(SMC_BTH_SEND_ONLY_INV, 2, "b", 1);
    request(SMC_BTH_SEND_FIRST, 3, "c", 1);
    request(SMC_BTH_SEND_LAST_INV, 4, "d", 1);
    request(SMC_BTH_SEND_FIRST, 5, "e", 1);
    request(SMC_BTH_SEND_LAST_IMM, 6, "f", 1);
    ck_assert_uint_eq(S.sends, 4);
    write_first(SMC_BTH_WRITE_ONLY_IMM, 7, 64, 1, 1);
    write_first(SMC_BTH_WRITE_FIRST, 8, 64, 9, 8);
    request(SMC_BTH_WRITE_LAST_IMM, 9, "g", 1);
    ck_assert_uint_eq(S.writes, 3);
    ck_assert(S.last.last && !S.last.first && S.last.va == 72 && S.last.rkey == RKEY && S.last.dma_length == 9);
    ck_assert_uint_eq(S.last.first_frame, 8);
    ck_assert_uint_eq(S.headless, 0);
}
END_TEST

START_TEST(a_message_without_its_beginning_is_headless)
{
    request(SMC_BTH_WRITE_LAST, 5, "x", 1);
    ck_assert(S.last.headless && S.writes == 1);
    request(SMC_BTH_SEND_LAST, 6, "x", 1);
    ck_assert(S.last.headless && S.sends == 1);
    ck_assert_uint_eq(smc_view_len(S.last.bytes), 0);
    send_only(7);
    ck_assert(!S.last.headless);
}
END_TEST

START_TEST(a_gap_inside_a_write_leaves_no_doubt_where_the_rest_goes)
{
    reply(1);
    write_first(SMC_BTH_WRITE_FIRST, 10, 1000, 450, 100);
    request(SMC_BTH_WRITE_MIDDLE, 13, "", 0); /* 11 and 12 are lost */
    ack(13);
    ck_assert_uint_eq(S.gap_packets, 2);
    ck_assert(!S.last.headless);
    ck_assert_uint_eq(S.last.va, 1300);
    request(SMC_BTH_WRITE_LAST, 20, "x", 1); /* not of this message, which had only five packets */
    ack(20);
    ck_assert(S.last.headless);
}
END_TEST

static uint64_t posted[8];
static unsigned nposted;

static void note_posted(const struct trace_request *r, bool write)
{
    (void)write;
    MUST(nposted < 8);
    posted[nposted++] = r->posted_ns - UINT64_C(1700000000000000000);
}

START_TEST(what_fills_a_hole_was_posted_before_what_came_behind_it)
{
    S.check = note_posted;
    nposted = 0;
    send_only(10);
    send_only(13); /* at 2000 */
    send_only(12); /* at 3000 */
    send_only(11); /* at 4000: after 13, which was seen at 2000 */
    ck_assert_uint_eq(nposted, 4);
    ck_assert_uint_eq(posted[0], 1000);
    ck_assert_uint_eq(posted[1], 2000);
    ck_assert_uint_eq(posted[2], 3000);
    ck_assert_uint_eq(posted[3], 2000);
    send_only(15); /* at 5000 */
    send_only(14); /* at 6000 */
    send_only(16); /* at 7000: nothing came before it */
    ck_assert_uint_eq(posted[4], 5000);
    ck_assert_uint_eq(posted[6], 7000);
}
END_TEST

START_TEST(a_gap_inside_a_send_makes_it_headless)
{
    reply(1);
    request(SMC_BTH_SEND_FIRST, 10, "one", 3);
    request(SMC_BTH_SEND_LAST, 12, "three", 5);
    ack(12);
    ck_assert(S.sends == 2 && S.last.headless);
    ck_assert_mem_eq(S.bytes, "one", 3);
}
END_TEST

START_TEST(what_smc_does_not_use_is_reported_as_other)
{
    struct trace_packet p = packet(SMC_BTH_READ_REQUEST, 10, NULL, 0);
    p.roce.has_reth = true;
    p.roce.dma_length = 4096;
    feed(&p);
    ck_assert_uint_eq(S.others, 1);
    ck_assert_uint_eq(S.last.dma_length, 4096);
    send_only(14); /* four PSNs belong to the responses */
    ck_assert_uint_eq(S.sends, 1);
    request(SMC_BTH_FETCH_ADD, 15, NULL, 0);
    ck_assert_uint_eq(S.others, 2);
    ck_assert_uint_eq(S.gaps, 0);
}
END_TEST

/* ---- order ---- */

START_TEST(a_repeated_psn_is_a_duplicate)
{
    send_only(QP_PSN_MASK);
    send_only(QP_PSN_MASK);
    send_only(0);
    send_only(2);
    send_only(2); /* waits already */
    send_only(QP_PSN_MASK);
    ck_assert_uint_eq(S.sends, 2);
    ck_assert_uint_eq(S.duplicates, 3);
    ck_assert_uint_eq(S.stream->duplicates, 3);
    send_only(1);
    ck_assert_uint_eq(S.sends, 4);
    ck_assert_ptr_null(S.last.packet); /* it was held */
    ck_assert_mem_eq(S.bytes, "message", 7);
    ck_assert_uint_eq(S.last.frame, 4);
}
END_TEST

START_TEST(an_ack_before_its_request_opens_no_gap)
{
    reply(1);
    send_only(10);
    ack(12);
    send_only(11);
    send_only(12);
    ck_assert_uint_eq(S.gaps, 0);
    ck_assert_uint_eq(S.sends, 4);
}
END_TEST

START_TEST(an_ack_may_cover_a_part_of_a_hole)
{
    reply(1);
    send_only(10);
    send_only(14);
    ack(11);
    ck_assert_uint_eq(S.gap_packets, 1);
    ck_assert_uint_eq(S.gap_psn, 11);
    send_only(12);
    send_only(13);
    ck_assert_uint_eq(S.sends, 5);
    ck_assert_uint_eq(S.gap_packets, 1);
}
END_TEST

START_TEST(a_nak_acknowledges_what_stands_before_it)
{
    reply(1);
    send_only(10);
    send_only(13);
    answer(_i == 0 ? 3 : 1, 0, 12); /* sequence error, receiver not ready */
    ck_assert_uint_eq(S.gap_packets, 1); /* 11 */
    ck_assert_uint_eq(S.stream->acked_psn, 11);
    ck_assert_uint_eq(S.stream->naks, 1);
    send_only(12);
    send_only(13);
    ck_assert_uint_eq(S.gap_packets, 1);
    ck_assert_uint_eq(S.sends, 4);
    ck_assert_uint_eq(S.duplicates, 1);
}
END_TEST

START_TEST(an_ack_of_what_nobody_can_have_sent_opens_no_gap)
{
    struct trace_stream *s = expect(1, 2, QPN, 10);
    trace_qp_pair(s, expect(2, 1, QPN + 1, 1));
    send_only(10);
    send_only(12);
    ack(12 + 100000);
    ck_assert_uint_eq(S.acks, 1);
    ck_assert_uint_eq(S.gaps, 0);
    send_only(11);
    ck_assert_uint_eq(S.sends, 3);
}
END_TEST

START_TEST(acks_only_move_forward)
{
    reply(1);
    send_only(QP_PSN_MASK);
    send_only(0);
    ack(0);
    ack(QP_PSN_MASK);
    ck_assert_uint_eq(S.stream->acked_psn, 0);
    ck_assert_uint_eq(S.acks, 2);
}
END_TEST

START_TEST(requests_acknowledged_but_never_captured_show_at_the_end)
{
    reply(1);
    send_only(10);
    ack(15);
    trace_qp_finish(S.t);
    ck_assert_uint_eq(S.gap_packets, 5);
    ck_assert_uint_eq(S.ends, 2);
}
END_TEST

START_TEST(what_waits_comes_at_the_end)
{
    send_only(10);
    send_only(13);
    trace_qp_finish(S.t);
    ck_assert_uint_eq(S.gap_packets, 2);
    ck_assert_uint_eq(S.sends, 2);
}
END_TEST

START_TEST(a_packet_with_a_bad_icrc_was_never_there)
{
    struct trace_packet bad = packet(SMC_BTH_SEND_ONLY, 10, "bad", 3);
    bad.roce.icrc = TRACE_ICRC_BAD;
    feed(&bad);
    ck_assert_uint_eq(S.opens, 0);
    ck_assert_uint_eq(S.t->count, 0);
    send_only(10);
    bad.roce.psn = 11;
    feed(&bad);
    send_only(11);
    ck_assert_uint_eq(S.sends, 2);
    ck_assert_uint_eq(S.duplicates, 0);
    ck_assert_uint_eq(S.stream->bad_icrc, 1);
}
END_TEST

START_TEST(congestion_notifications_and_other_transports_are_ignored)
{
    request(SMC_BTH_CNP, 0, NULL, 0);
    request(0x64, 0, "a datagram", 10);
    ck_assert_uint_eq(S.t->count, 0);
}
END_TEST

/* ---- pairs ---- */

START_TEST(two_lone_streams_pair_themselves)
{
    send_only(10);
    struct trace_stream *there = S.stream;
    reply(1);
    ck_assert_ptr_eq(there->reverse, S.stream);
    ck_assert_ptr_eq(S.stream->reverse, there);
}
END_TEST

START_TEST(a_responder_that_never_asks_is_understood)
{
    send_only(10);
    send_only(12);
    ack(12);
    ck_assert_uint_eq(S.acks, 1);
    ck_assert_uint_eq(S.gap_packets, 1);
    ck_assert_uint_eq(S.sends, 2);
}
END_TEST

START_TEST(among_several_streams_nobody_is_guessed)
{
    struct trace_packet p = packet(SMC_BTH_SEND_ONLY, 5000000, "x", 1);
    p.roce.dqpn = QPN + 7;
    send_only(10);
    feed(&p);
    send_only(12);
    ack(12);
    ck_assert_uint_eq(S.acks, 0);
    reply(1);
    ack(12);
    ck_assert_uint_eq(S.acks, 0);
    ck_assert_uint_eq(S.gaps, 0);
}
END_TEST

START_TEST(a_guess_is_dropped_when_a_third_stream_appears_before_an_ack_confirmed_it)
{
    struct trace_packet third = back(SMC_BTH_SEND_ONLY, 9);
    third.roce.dqpn = QPN + 9;
    send_only(10);
    struct trace_stream *there = S.stream;
    reply(1);
    if (_i == 1)
        ack(10);
    feed(&third);
    ck_assert_int_eq(there->reverse != NULL, _i == 1);
}
END_TEST

START_TEST(an_ack_far_from_a_guessed_stream_is_not_its)
{
    send_only(10);
    reply(1);
    send_only(12);
    ack(9000000);
    ck_assert_uint_eq(S.acks, 0);
    ck_assert_uint_eq(S.gaps, 0);
    ack(12);
    ck_assert_uint_eq(S.acks, 1);
    ck_assert_uint_eq(S.gaps, 1);
}
END_TEST

START_TEST(the_listener_knows_better_than_a_guess)
{
    send_only(10);
    struct trace_stream *a = S.stream;
    reply(1);
    struct trace_stream *b = S.stream;
    ack(10); /* speaks for the guess */
    ck_assert_ptr_eq(a->reverse, b);
    struct trace_stream *c = expect(2, 1, QPN + 5, 77);
    trace_qp_pair(a, c);
    ck_assert_ptr_eq(a->reverse, c);
    ck_assert_ptr_eq(c->reverse, a);
    ck_assert_ptr_null(b->reverse);
    struct trace_packet p = back(SMC_BTH_ACK, 10);
    p.roce.dqpn = QPN + 5;
    p.roce.has_aeth = true;
    feed(&p);
    ck_assert_uint_eq(S.acks, 2);
    ck_assert_ptr_eq(S.stream, a);
    ck_assert(a->has_acked && a->acked_psn == 10);
}
END_TEST

/* ---- what was announced ---- */

START_TEST(the_first_packets_of_an_announced_stream_may_be_missing)
{
    struct trace_stream *s = expect(1, 2, QPN, 100);
    ck_assert(s->started && s->has_initial_psn && s->next_psn == 100);
    ck_assert_uint_eq(S.opens, 0);
    send_only(102);
    ck_assert_uint_eq(S.opens, 1);
    ck_assert_uint_eq(S.sends, 0);
    ck_assert_uint_eq(s->first_frame, 1);
    ack(102);
    ck_assert_uint_eq(S.gap_packets, 2);
    ck_assert_uint_eq(S.sends, 1);
}
END_TEST

START_TEST(an_announced_stream_that_starts_elsewhere_starts_there)
{
    struct trace_stream *s = expect(1, 2, QPN, 100);
    send_only(100 + TRACE_QP_HOLD + 1);
    ck_assert_uint_eq(S.gap_packets, TRACE_QP_HOLD + 1);
    ck_assert_uint_eq(S.sends, 1);
    send_only(100); /* that was of an older queue pair: here it comes */
    send_only(101);
    ck_assert_uint_eq(S.sends, 3);
    ck_assert_uint_eq(s->next_psn, 102);
}
END_TEST

START_TEST(announcing_twice_changes_nothing)
{
    struct trace_stream *s = expect(1, 2, QPN, 100);
    send_only(100);
    send_only(101);
    ck_assert_ptr_eq(expect(1, 2, QPN, 100), s);
    ck_assert_ptr_eq(expect(1, 2, QPN, -1), s);
    ck_assert_uint_eq(s->next_psn, 102);
    ck_assert_uint_eq(S.ends, 0);
}
END_TEST

START_TEST(an_announcement_may_come_after_the_first_packets)
{
    send_only(100);
    struct trace_stream *s = S.stream;
    ck_assert(!s->has_initial_psn);
    ck_assert_ptr_eq(expect(1, 2, QPN, _i == 0 ? 100 : 98), s);
    ck_assert(s->has_initial_psn);
    ck_assert_uint_eq(s->next_psn, 101);
}
END_TEST

START_TEST(another_initial_psn_means_that_the_queue_pair_was_reused)
{
    send_only(5000);
    send_only(5002); /* waits; delivered when the stream ends */
    uint64_t old = S.stream->id;
    struct trace_stream *s = expect(1, 2, QPN, 100);
    ck_assert_uint_eq(S.ends, 1);
    ck_assert_uint_eq(S.ended[0], old);
    ck_assert_uint_eq(S.sends, 2);
    ck_assert_uint_ne(s->id, old);
    send_only(100);
    ck_assert_uint_eq(S.sends, 3);
    ck_assert_ptr_eq(S.stream, s);
}
END_TEST

START_TEST(an_announcement_without_psn_waits_for_the_first_packet)
{
    struct trace_stream *s = expect(1, 2, QPN, -1);
    ck_assert(!s->started);
    ck_assert_ptr_eq(expect(1, 2, QPN, 100), s);
    ck_assert(s->started);
    struct trace_stream *other = expect(1, 3, QPN, -1);
    struct trace_packet p = packet(SMC_BTH_SEND_ONLY, 4711, "x", 1);
    p.dst = host(3);
    feed(&p);
    ck_assert_uint_eq(other->next_psn, 4712);
    ck_assert_uint_eq(S.gaps, 0);
}
END_TEST

static void reuse_now(struct trace_stream *s)
{
    S.during_send = NULL;
    trace_qp_expect(S.t, &s->src, &s->dst, s->dqpn, 70000);
}

START_TEST(a_listener_may_reuse_a_queue_pair_in_the_middle_of_its_delivery)
{
    send_only(10);
    send_only(12);
    send_only(13);
    S.during_send = reuse_now;
    send_only(11);
    ck_assert_uint_eq(S.sends, 4);
    ck_assert_uint_eq(S.ends, 1);
    send_only(70000);
    ck_assert_uint_eq(S.sends, 5);
    ck_assert_uint_eq(S.stream->id, 2);
}
END_TEST

/* ---- bounds ---- */

START_TEST(a_flood_behind_a_hole_is_let_through)
{
    send_only(0);
    for (uint32_t k = 0; k < 2000; k++) {
        send_only(2 + k * (_i == 0 ? 1 : 3));
        MUST(((struct qp_stream *)S.stream)->hold.n <= TRACE_QP_HOLD);
    }
    ck_assert_uint_ge(S.sends, 2000 - TRACE_QP_HOLD);
    trace_qp_finish(S.t);
    ck_assert_uint_eq(S.sends, 2001);
}
END_TEST

START_TEST(all_streams_together_keep_a_bounded_amount)
{
    static uint8_t bytes[60000];
    for (unsigned i = 0; i < 100; i++) {
        for (uint32_t k = 0; k < 20; k++) {
            struct trace_packet p = packet(SMC_BTH_SEND_ONLY, k * 2, bytes, sizeof bytes);
            p.src = host(10 + i);
            feed(&p);
            MUST(S.t->held_bytes <= (size_t)64 << 20);
        }
    }
    ck_assert_uint_gt(S.t->held_bytes, (size_t)60 << 20);
    trace_qp_finish(S.t);
    ck_assert_uint_eq(S.sends, 2000);
}
END_TEST

static void one_of_many(unsigned i)
{
    struct trace_packet p = packet(SMC_BTH_SEND_ONLY, 1, "x", 1);
    p.src = host(1000 + i);
    feed(&p);
}

START_TEST(idle_streams_are_forgotten_when_there_are_many)
{
    enum { MANY = 1 << 16 };
    for (unsigned i = 0; i < MANY + 10; i++)
        one_of_many(i);
    ck_assert_uint_eq(S.ends, 0);
    time_now += UINT64_C(601000000000);
    one_of_many(5); /* busy again */
    one_of_many(MANY + 10);
    ck_assert_uint_eq(S.ends, 10);
    ck_assert_uint_eq(S.t->count, MANY + 1);
    ck_assert_uint_eq(S.ended[0], 1);
    ck_assert_uint_eq(S.ended[5], 7); /* not 6 */
}
END_TEST

START_TEST(beyond_the_limit_the_stream_idle_longest_is_forgotten)
{
    one_of_many(1);
    one_of_many(2);
    one_of_many(1);
    S.t->count = 1 << 20; /* as if there were so many */
    one_of_many(3);
    ck_assert_uint_eq(S.ends, 1);
    ck_assert_uint_eq(S.ended[0], 2);
}
END_TEST

START_TEST(streams_end_in_order_of_id)
{
    for (unsigned i = 0; i < 60; i++)
        one_of_many(i * 37 % 60);
    trace_qp_finish(S.t);
    ck_assert_uint_eq(S.ends, 60);
    for (unsigned i = 0; i < 60; i++)
        ck_assert_uint_eq(S.ended[i], i + 1);
}
END_TEST

static void add_messages(TCase *c)
{
    tcase_add_test(c, a_send_of_several_packets_is_one_message);
    tcase_add_test(c, of_a_send_with_a_cut_packet_the_prefix_is_kept);
    tcase_add_test(c, of_an_endless_send_64_kib_are_kept);
    tcase_add_test(c, immediate_and_invalidate_variants_end_messages);
    tcase_add_test(c, a_message_without_its_beginning_is_headless);
    tcase_add_test(c, a_gap_inside_a_write_leaves_no_doubt_where_the_rest_goes);
    tcase_add_test(c, a_gap_inside_a_send_makes_it_headless);
    tcase_add_test(c, what_fills_a_hole_was_posted_before_what_came_behind_it);
    tcase_add_test(c, what_smc_does_not_use_is_reported_as_other);
}

static void add_order(TCase *c)
{
    tcase_add_test(c, a_repeated_psn_is_a_duplicate);
    tcase_add_test(c, an_ack_before_its_request_opens_no_gap);
    tcase_add_test(c, an_ack_may_cover_a_part_of_a_hole);
    tcase_add_loop_test(c, a_nak_acknowledges_what_stands_before_it, 0, 2);
    tcase_add_test(c, an_ack_of_what_nobody_can_have_sent_opens_no_gap);
    tcase_add_test(c, acks_only_move_forward);
    tcase_add_test(c, requests_acknowledged_but_never_captured_show_at_the_end);
    tcase_add_test(c, what_waits_comes_at_the_end);
    tcase_add_test(c, a_packet_with_a_bad_icrc_was_never_there);
    tcase_add_test(c, congestion_notifications_and_other_transports_are_ignored);
}

static void add_names(TCase *c)
{
    tcase_add_test(c, two_lone_streams_pair_themselves);
    tcase_add_test(c, a_responder_that_never_asks_is_understood);
    tcase_add_test(c, among_several_streams_nobody_is_guessed);
    tcase_add_loop_test(c, a_guess_is_dropped_when_a_third_stream_appears_before_an_ack_confirmed_it, 0, 2);
    tcase_add_test(c, an_ack_far_from_a_guessed_stream_is_not_its);
    tcase_add_test(c, the_listener_knows_better_than_a_guess);
    tcase_add_test(c, the_first_packets_of_an_announced_stream_may_be_missing);
    tcase_add_test(c, an_announced_stream_that_starts_elsewhere_starts_there);
    tcase_add_test(c, announcing_twice_changes_nothing);
    tcase_add_loop_test(c, an_announcement_may_come_after_the_first_packets, 0, 2);
    tcase_add_test(c, another_initial_psn_means_that_the_queue_pair_was_reused);
    tcase_add_test(c, an_announcement_without_psn_waits_for_the_first_packet);
    tcase_add_test(c, a_listener_may_reuse_a_queue_pair_in_the_middle_of_its_delivery);
}

static void add_bounds(TCase *c)
{
    tcase_add_loop_test(c, a_flood_behind_a_hole_is_let_through, 0, 2);
    tcase_add_test(c, all_streams_together_keep_a_bounded_amount);
    tcase_add_test(c, idle_streams_are_forgotten_when_there_are_many);
    tcase_add_test(c, beyond_the_limit_the_stream_idle_longest_is_forgotten);
    tcase_add_test(c, streams_end_in_order_of_id);
}

int main(void)
{
    const add_fn groups[] = {add_messages, add_order, add_names, add_bounds};
    const char *const names[] = {"messages", "order", "names and pairs", "bounds"};
    return run_groups("qp", groups, names, 4);
}
