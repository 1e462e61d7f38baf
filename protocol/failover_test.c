/* Tests of failover: loss at every point, both ways of sending again, closing connections, failures of the second link.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conn_fake_test.h"

enum { WAYS = 4 }; /* both profiles, both ways of sending again */

static void begin(int way)
{
    fake_begin(way & 1 ? FAKE_R_LINUX : FAKE_R_RFC);
    for (unsigned i = 0; i < 2; i++)
        fake[i].ep.profile.failover_resends = (way & 2) != 0;
    fake_set_wraps(0xffff, 0xfffc); /* numbers and cursors go round while links fail */
}

/* As LLC does when DELETE LINK is answered. */
static void free_dead(void)
{
    for (unsigned i = 0; i < 2; i++)
        for (unsigned l = 0; l < FAKE_LINKS; l++)
            if (fake[i].queue[l].dead)
                smc_failover_link_freed(&fake[i].group, l);
}

static void read_all(void)
{
    for (unsigned n = 0; n < 20; n++) {
        free_dead();
        fake_pump();
        (void)fake_recv(0, 1 << 18);
        (void)fake_recv(1, 1 << 18);
    }
}

static void whole(void)
{
    read_all();
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_int_eq(fake[i].c->error, 0);
        ck_assert_uint_eq(fake_streams[i].sent, fake_streams[i].received);
        ck_assert_uint_eq(fake[i].c->cdc_pending, 0);
        ck_assert_uint_eq(fake[i].c->cdc_notes, 0);
        ck_assert_uint_eq(fake[i].c->cdc_completed, fake[i].c->cdc_sent);
    }
}

/* Messages that left side i on a link: F first and only first; numbers without a gap, above what was completed. */
static void check_link(unsigned i, unsigned link, uint16_t completed)
{
    unsigned n = 0;
    uint16_t next = 0;
    for (unsigned k = 0; k < fake[i].seen_count; k++) {
        const struct fake_cdc *m = &fake[i].seen[k];
        if (m->link != link)
            continue;
        FAKE_NEED(((m->prod_flags & SMC_PROD_F) != 0) == (n == 0)); /* [FAILOVER-002] */
        if (n == 0)
            FAKE_NEED(m->seq == completed);
        if (n > 1)
            FAKE_NEED(m->seq == next); /* [FAILOVER-003] */
        next = (uint16_t)(m->seq + 1);
        n++;
    }
}

/* One message each of several kinds, and one that goes around the ring's end. */
static void post_some(unsigned i)
{
    (void)fake_send(i, 3000, 0);
    (void)fake_send(i, 1, 0);
    (void)fake_send(i, 7000, 0);
    (void)fake_send(i, 500, 0);
}

static void advance(unsigned i, size_t bytes)
{
    (void)fake_send(i, bytes, 0);
    read_all();
}

START_TEST(loss_at_every_point_is_made_good)
{
    for (unsigned carried = 0; carried <= 12; carried++)
        for (unsigned done = 0; done <= 4; done++) {
            begin(_i);
            for (unsigned i = 0; i < 2; i++)
                advance(i, 9000 * (i + 1) / 2);
            for (unsigned i = 0; i < 2; i++)
                post_some(i);
            fake_deliver(&fake[0], 0, carried);
            fake_deliver(&fake[1], 0, 12 - carried);
            (void)fake_recv(1, 1500); /* what was read is not written again [FAILOVER-010] */
            fake_complete(&fake[0], 0, done);
            fake_complete(&fake[1], 0, 4 - done);
            uint16_t completed[2] = {fake[0].c->cdc_completed, fake[1].c->cdc_completed};
            fake_link_dies(0);
            (void)fake_send(0, 100, 0); /* new data stand behind those lost [FAILOVER-006] */
            ck_assert_uint_eq(fake[0].link[0].connections, 0);
            ck_assert_uint_eq(fake[0].link[1].connections, 1);
            whole();
            check_link(0, 1, completed[0]);
            check_link(1, 1, completed[1]);
            fake_end();
        }
}
END_TEST

START_TEST(a_second_failure_while_the_first_is_made_good)
{
    for (unsigned carried = 0; carried <= 10; carried++)
        for (unsigned done = 0; done <= 4; done++) {
            begin(_i);
            advance(0, 12000);
            post_some(0);
            post_some(1);
            fake_deliver(&fake[0], 0, carried);
            fake_complete(&fake[0], 0, done / 2);
            fake_link_dies(0);
            for (unsigned i = 0; i < 2; i++)
                fake_work(&fake[i]);
            fake_deliver(&fake[0], 1, carried / 2);
            fake_deliver(&fake[1], 1, 10 - carried);
            fake_complete(&fake[0], 1, done);
            fake_link_dies(1);
            whole();
            fake_end();
        }
}
END_TEST

/* A WRITE that did not complete may still come, late, over the old link: until that is freed nothing new is put where it writes,
 * though the peer has consumed what it brings. */
START_TEST(nothing_new_where_a_lost_link_may_still_write)
{
    begin(_i);
    advance(0, 9000);
    (void)fake_send(0, 4000, 0);
    fake_deliver(&fake[0], 0, FAKE_OPS);
    (void)fake_recv(1, 1 << 18);
    (void)fake_work(&fake[1]);
    fake_deliver(&fake[1], 0, FAKE_OPS);
    fake_link_dies(0);
    for (unsigned n = 0; n < 9; n++) {
        (void)fake_send(0, 1 << 18, 0);
        fake_pump();
        (void)fake_recv(1, 1 << 18);
    }
    uint32_t ring = fake[0].c->tx_ring;
    ck_assert_uint_gt(smc_tx_window(fake[0].c), 0);
    ck_assert_uint_eq(smc_tx_allowed(fake[0].c), 0);
    ck_assert_uint_eq(fake_streams[0].received, 9000 + ring);
    ck_assert_uint_eq(fake[0].c->told_flags & SMC_PROD_B, 0);
    whole();
    ck_assert_uint_gt(fake_streams[0].received, 9000 + ring);
    fake_end();
}
END_TEST

START_TEST(random_traffic_while_links_die)
{
    for (uint64_t life = 0; life < 60; life++) {
        uint64_t seed = life * 1000 + (uint64_t)_i;
        begin(_i);
        unsigned links_left = 2, link = 0;
        for (unsigned n = 0; n < 800; n++) {
            uint64_t r = fake_random(&seed);
            unsigned i = r & 1;
            if (r >> 8 & 1)
                (void)fake_send(i, 1 + (r >> 16) % 6000, 0);
            else
                (void)fake_recv(i, 1 + (r >> 16) % 9000);
            fake_work(&fake[r >> 1 & 1]);
            fake_deliver(&fake[r >> 2 & 1], link, (r >> 32) % 6);
            fake_complete(&fake[r >> 3 & 1], link, (r >> 36) % 4);
            if (links_left > 0 && (r >> 40) % 200 == 0) {
                fake_link_dies(link++);
                links_left--;
            }
        }
        whole();
        ck_assert_uint_gt(fake_streams[0].sent, 20000);
        fake_end();
    }
}
END_TEST

START_TEST(an_urgent_byte_lost_with_the_link_is_urgent_again)
{
    begin(_i);
    (void)fake_send(0, 100, SMC_MSG_OOB);
    fake_link_dies(0);
    fake_pump();
    uint8_t byte;
    ck_assert_int_eq(smc_recv(fake[1].c, &byte, 1, SMC_MSG_OOB, 0), 1);
    ck_assert_uint_eq(byte, fake_byte(0, 99));
    ck_assert_int_eq(fake_recv(1, 1000), 99);
    fake_streams[0].received++;
    fake_pump();
    ck_assert(!fake[0].c->urg_tx_wait);
    whole();
    fake_end();
}
END_TEST

START_TEST(nothing_lost_takes_nothing_but_f)
{
    begin(_i);
    advance(0, 1000);
    unsigned before = fake[0].seen_count;
    fake_link_dies(0);
    fake_pump();
    ck_assert_uint_eq(fake[0].seen_count, before + 1);
    ck_assert_uint_eq(fake_last(0).prod_flags, SMC_PROD_F);
    ck_assert_uint_eq(fake_last(0).seq, fake[0].c->cdc_sent);
    whole();
    fake_end();
}
END_TEST

START_TEST(old_completions_come_first)
{
    begin(_i);
    (void)fake_send(0, 1000, 0);
    fake[0].queue[0].dead = true;
    smc_link_down(&fake[0].link[0]);
    fake_work(&fake[0]);
    ck_assert_uint_eq(fake[0].seen_count, 1); /* no F while something is under way [FAILOVER-009] */
    fake_flush(&fake[0], 0);
    fake_work(&fake[0]);
    ck_assert_uint_gt(fake[0].seen_count, 1);
    whole();
    fake_end();
}
END_TEST

/* ---- The side that receives F ---- */
START_TEST(f_is_believed_by_its_number_alone)
{
    begin(_i);
    advance(1, 100);
    struct fake_cdc w = fake_words(0, 0);
    uint16_t received = fake[0].c->cdc_received;
    for (unsigned n = 0; n < 3; n++) {
        w = (struct fake_cdc){.seq = (uint16_t)(received - n), .prod_flags = 0xff, .conn_flags = 0xff};
        w.prod.count = w.cons.count = 0xffffffff; /* [CDC-013] */
        fake_inject_r(0, &w);
        ck_assert_int_eq(fake[0].c->state, SMC_STATE_ACTIVE); /* [FAILOVER-005] */
        ck_assert_uint_eq(fake[0].c->cdc_received, received);
    }
    fake_pump();
    w.seq = (uint16_t)(received + 1);
    fake_inject_r(0, &w);
    ck_assert_int_eq(fake[0].c->error, SMC_ERR_RESET); /* [FAILOVER-004] */
    ck_assert_uint_eq(fake[0].aborts, 1);
    ck_assert(fake[0].c->out_of_sync);
    fake_end();
}
END_TEST

/* ---- Connections that are closing ---- */
static unsigned validations(unsigned i)
{
    unsigned n = 0;
    for (unsigned k = 0; k < fake[i].seen_count; k++)
        n += (fake[i].seen[k].prod_flags & SMC_PROD_F) != 0;
    return n;
}

START_TEST(d_and_c_lost_with_the_link_are_said_again)
{
    for (unsigned both = 0; both < 2; both++) {
        begin(_i);
        (void)fake_send(0, 700, 0);
        if (both)
            smc_close(fake[0].c, 0);
        else
            ck_assert_int_eq(smc_shutdown(fake[0].c, SMC_SHUT_WR, 0), 0);
        fake_work(&fake[0]);
        ck_assert_int_eq(fake[0].c->state, SMC_STATE_PEERCLOSEWAIT1);
        uint16_t last = fake[0].c->cdc_sent;
        fake_link_dies(0);
        fake_pump();
        ck_assert_uint_eq(validations(0), 0); /* [FAILOVER-019] */
        ck_assert_uint_eq(fake_last(0).conn_flags, both ? SMC_CONN_C : SMC_CONN_D);
        if (both)
            ck_assert_uint_eq(fake[0].c->cdc_sent, last); /* after C there are no new numbers */
        ck_assert_int_eq(fake_recv(1, 10000), 700);
        ck_assert_int_eq(fake_recv(1, 10000), 0);
        smc_close(fake[1].c, 0);
        fake_pump();
        ck_assert_int_eq(fake[1].c->state, both ? SMC_STATE_CLOSED : SMC_STATE_PEERFINCLOSEWAIT);
        if (both)
            ck_assert_int_eq(fake[0].c->state, SMC_STATE_CLOSED);
        fake_end();
    }
}
END_TEST

START_TEST(the_last_word_of_a_connection_that_is_over_is_said_again)
{
    for (unsigned abort = 0; abort < 2; abort++) {
        begin(_i);
        smc_close(fake[1].c, 0);
        fake_pump();
        (void)fake_recv(0, 10);
        if (abort)
            smc_close_abort(fake[0].c, SMC_ERR_RESET);
        smc_close(fake[0].c, 0);
        fake_work(&fake[0]);
        ck_assert_int_eq(fake[0].c->state, SMC_STATE_CLOSED);
        ck_assert_uint_eq(fake[0].dooms, 0);
        fake_link_dies(0);
        fake_pump();
        ck_assert_uint_eq(fake_last(0).link, 1);
        ck_assert_uint_eq(fake_last(0).conn_flags, abort ? SMC_CONN_A : SMC_CONN_C);
        ck_assert_int_eq(fake[1].c->state, SMC_STATE_CLOSED);
        ck_assert_uint_eq(fake[0].dooms, 1);
        ck_assert_uint_eq(fake[1].dooms, 1);
        fake_end();
    }
}
END_TEST

/* D, C, or data behind the peer's D: no F tells what the receiver's NIC acknowledged and its software never heard. */
START_TEST(what_a_closing_connection_said_is_heard_over_the_other_link)
{
    for (unsigned word = 0; word < 3; word++) {
        begin(_i);
        if (word == 2) {
            ck_assert_int_eq(smc_shutdown(fake[1].c, SMC_SHUT_WR, 0), 0);
            fake_pump();
        }
        fake[0].queue[0].deaf = true;
        (void)fake_send(0, 700, 0);
        if (word == 0)
            ck_assert_int_eq(smc_shutdown(fake[0].c, SMC_SHUT_WR, 0), 0);
        else if (word == 1)
            smc_close(fake[0].c, 0);
        fake_pump();
        ck_assert_uint_eq(fake[0].c->cdc_completed, fake[0].c->cdc_sent);
        ck_assert_int_lt(fake_recv(1, 10000), 0);
        fake_link_dies(0);
        fake_pump();
        ck_assert_uint_eq(validations(0), 0); /* [FAILOVER-019] */
        ck_assert_int_eq(fake_recv(1, 10000), 700);
        if (word < 2)
            ck_assert_int_eq(fake_recv(1, 10000), 0);
        fake_end();
    }
}
END_TEST

START_TEST(what_cannot_be_said_again_is_not_waited_for)
{
    begin(_i);
    (void)fake_send(0, 700, 0);
    smc_close(fake[0].c, 0);
    fake_work(&fake[0]);
    ck_assert_int_eq(fake[0].c->state, SMC_STATE_PEERCLOSEWAIT1);
    for (unsigned l = 0; l < FAKE_LINKS; l++)
        fake[0].rtokens[l].valid = false; /* there is no way to the peer's memory */
    fake_link_dies(0);
    fake_work(&fake[0]);
    ck_assert_int_eq(fake[0].c->state, SMC_STATE_CLOSED);
    ck_assert_uint_eq(fake[0].aborts, 1);
    ck_assert_uint_eq(fake[0].closed_events, 1);
    ck_assert_uint_eq(fake[0].dooms, 1);
    fake_end();
}
END_TEST

START_TEST(data_before_a_lost_c_are_delivered_too)
{
    begin(_i);
    ck_assert_int_eq(smc_shutdown(fake[1].c, SMC_SHUT_WR, 0), 0);
    fake_pump();
    ck_assert_int_eq(fake_recv(0, 10), 0);
    (void)fake_send(0, 3000, 0);
    smc_close(fake[0].c, 0);
    fake_work(&fake[0]);
    ck_assert_int_eq(fake[0].c->state, SMC_STATE_PEERFINCLOSEWAIT);
    fake_link_dies(0);
    fake_pump();
    ck_assert_int_eq(fake_recv(1, 10000), 3000);
    ck_assert_int_eq(fake_recv(1, 10000), 0);
    smc_close(fake[1].c, 0);
    fake_pump();
    ck_assert_int_eq(fake[0].c->state, SMC_STATE_CLOSED);
    ck_assert_int_eq(fake[1].c->state, SMC_STATE_CLOSED);
    fake_end();
}
END_TEST

START_TEST(a_half_closed_connection_still_delivers_what_was_lost)
{
    begin(_i);
    ck_assert_int_eq(smc_shutdown(fake[0].c, SMC_SHUT_WR, 0), 0);
    fake_pump();
    post_some(1);
    fake_deliver(&fake[1], 0, 3);
    fake_link_dies(0);
    fake_pump();
    ck_assert_uint_eq(validations(1), 0);
    read_all();
    ck_assert_uint_eq(fake_streams[1].received, fake_streams[1].sent);
    smc_close(fake[1].c, 0);
    smc_close(fake[0].c, 0);
    fake_pump();
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_int_eq(fake[i].c->state, SMC_STATE_CLOSED);
        ck_assert_int_eq(fake[i].c->error, 0);
    }
    fake_end();
}
END_TEST

START_TEST(a_close_that_drains_goes_on_draining)
{
    begin(_i);
    while (fake_send(1, 20000, 0) > 0)
        fake_pump();
    smc_close(fake[1].c, 0);
    fake_work(&fake[1]);
    fake_link_dies(0);
    while (fake_recv(0, 5000) > 0)
        fake_pump();
    ck_assert_uint_eq(fake_streams[1].received, fake_streams[1].sent);
    ck_assert_int_eq(fake_recv(0, 10), 0);
    ck_assert_int_eq(fake[1].c->state, SMC_STATE_PEERCLOSEWAIT1);
    fake_end();
}
END_TEST

START_TEST(an_abort_before_the_move_is_over_is_told_on_the_new_link)
{
    begin(_i);
    post_some(0);
    fake_link_dies(0);
    smc_close_abort(fake[0].c, SMC_ERR_RESET);
    fake_pump();
    ck_assert_uint_eq(fake_last(0).conn_flags, SMC_CONN_A);
    ck_assert_uint_eq(fake_last(0).link, 1);
    ck_assert_int_eq(fake[1].c->error, SMC_ERR_RESET);
    fake_end();
}
END_TEST

/* ---- When it fails ---- */
static void nothing(void *ctx, int error)
{
    (void)ctx;
    (void)error;
}

START_TEST(a_new_link_without_slots_is_waited_for)
{
    begin(_i);
    uint8_t message[44] = {0};
    for (unsigned n = 0; n < SMC_SEND_SLOTS; n++)
        ck_assert_int_eq(smc_wr_send(&fake[0].link[1], message, 44, nothing, NULL), 0);
    post_some(0);
    fake_link_dies(0);
    fake_work(&fake[0]);
    ck_assert_uint_eq(validations(0), 0);
    ck_assert(!smc_list_empty(&fake[0].c->wants_slot)); /* B-49 [FAILOVER-021] */
    whole();
    ck_assert_uint_eq(validations(0), 1);
    fake_end();
}
END_TEST

START_TEST(a_failure_in_the_middle_of_sending_again_keeps_the_order)
{
    for (unsigned slots = 0; slots < 5; slots++)
        for (unsigned carried = 0; carried < 12; carried += 3) {
            begin(_i);
            uint8_t message[44] = {0};
            for (unsigned n = slots; n < SMC_SEND_SLOTS; n++)
                ck_assert_int_eq(smc_wr_send(&fake[0].link[1], message, 44, nothing, NULL), 0);
            for (unsigned n = 0; n < 9; n++)
                (void)fake_send(0, 900, 0);
            fake_link_dies(0);
            fake_work(&fake[0]);
            fake_deliver(&fake[0], 1, SMC_SEND_SLOTS - slots + carried);
            fake_link_dies(1);
            fake_work(&fake[0]);
            whole();
            ck_assert_uint_eq(fake_last(0).link, 2);
            fake_end();
        }
}
END_TEST

START_TEST(what_is_sent_again_says_of_the_own_ring_what_it_said_before)
{
    begin(2); /* the same messages again */
    (void)fake_send(1, 500, 0);
    fake_pump();
    (void)fake_send(0, 10, 0);
    (void)fake_recv(0, 500);
    struct smc_cursor said = fake_last(0).cons;
    fake_link_dies(0);
    fake_work(&fake[0]);
    ck_assert_uint_eq(fake_last(0).seq, fake[0].c->cdc_sent);
    ck_assert(smc_cursor_equal(fake_last(0).cons, said));
    whole();
    fake_end();
}
END_TEST

START_TEST(a_read_during_the_move_calls_for_no_update_that_says_nothing)
{
    begin(_i);
    while (fake_send(1, 20000, 0) > 0)
        fake_pump();
    ck_assert_uint_ne(fake[0].c->rx_prod_flags & SMC_PROD_B, 0);
    (void)fake_send(0, 10, 0);
    fake_link_dies(0);
    (void)fake_recv(0, 100);
    fake_work(&fake[0]);
    for (unsigned k = 1; k < fake[0].seen_count; k++) {
        const struct fake_cdc *a = &fake[0].seen[k - 1], *b = &fake[0].seen[k];
        if ((a->prod_flags | b->prod_flags) & SMC_PROD_F || a->link != b->link)
            continue;
        ck_assert(!smc_cursor_equal(a->prod, b->prod) || !smc_cursor_equal(a->cons, b->cons));
    }
    fake_end();
    begin(_i);
    (void)fake_send(1, 100, 0);
    fake_pump();
    (void)fake_send(0, 10, 0);
    fake_link_dies(0);
    (void)fake_recv(0, 100); /* worth no message */
    fake_pump();
    unsigned after_f = 0;
    for (unsigned k = 0; k < fake[0].seen_count; k++)
        after_f += fake[0].seen[k].link == 1;
    ck_assert_uint_eq(after_f, 2); /* F, and what was lost */
    fake_end();
}
END_TEST

START_TEST(a_link_that_fails_in_the_switch_goes_down_too)
{
    begin(_i);
    post_some(0);
    fake[0].queue[1].refuses = true; /* and its group does not know yet */
    fake_link_dies(0);
    whole();
    ck_assert_uint_eq(fake[0].links_down, 2);
    ck_assert_uint_eq(fake_last(0).link, 2);
    fake_end();
}
END_TEST

START_TEST(without_a_link_everything_is_reset)
{
    begin(_i);
    post_some(0);
    for (unsigned l = 0; l < FAKE_LINKS; l++)
        fake_link_dies(l);
    fake_work(&fake[0]);
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_int_eq(fake[i].c->error, SMC_ERR_RESET); /* [FAILOVER-012] [CLOSE-021] */
        ck_assert_int_eq(fake[i].c->state, SMC_STATE_CLOSED);
        ck_assert_uint_eq(fake[i].aborts, 1);
    }
    fake_end();
}
END_TEST

static Suite *failover_suite(void)
{
    Suite *suite = suite_create("failover");
    TCase *tests = tcase_create("failover");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, loss_at_every_point_is_made_good, 0, WAYS);
    tcase_add_loop_test(tests, a_second_failure_while_the_first_is_made_good, 0, WAYS);
    tcase_add_loop_test(tests, nothing_new_where_a_lost_link_may_still_write, 0, WAYS);
    tcase_add_loop_test(tests, random_traffic_while_links_die, 0, WAYS);
    tcase_add_loop_test(tests, an_urgent_byte_lost_with_the_link_is_urgent_again, 0, WAYS);
    tcase_add_loop_test(tests, nothing_lost_takes_nothing_but_f, 0, WAYS);
    tcase_add_loop_test(tests, old_completions_come_first, 0, WAYS);
    tcase_add_loop_test(tests, f_is_believed_by_its_number_alone, 0, WAYS);
    tcase_add_loop_test(tests, d_and_c_lost_with_the_link_are_said_again, 0, WAYS);
    tcase_add_loop_test(tests, the_last_word_of_a_connection_that_is_over_is_said_again, 0, WAYS);
    tcase_add_loop_test(tests, what_a_closing_connection_said_is_heard_over_the_other_link, 0, WAYS);
    tcase_add_loop_test(tests, what_cannot_be_said_again_is_not_waited_for, 0, WAYS);
    tcase_add_loop_test(tests, data_before_a_lost_c_are_delivered_too, 0, WAYS);
    tcase_add_loop_test(tests, a_half_closed_connection_still_delivers_what_was_lost, 0, WAYS);
    tcase_add_loop_test(tests, a_close_that_drains_goes_on_draining, 0, WAYS);
    tcase_add_loop_test(tests, an_abort_before_the_move_is_over_is_told_on_the_new_link, 0, WAYS);
    tcase_add_loop_test(tests, a_new_link_without_slots_is_waited_for, 0, WAYS);
    tcase_add_loop_test(tests, a_failure_in_the_middle_of_sending_again_keeps_the_order, 0, WAYS);
    tcase_add_test(tests, what_is_sent_again_says_of_the_own_ring_what_it_said_before);
    tcase_add_loop_test(tests, a_read_during_the_move_calls_for_no_update_that_says_nothing, 0, WAYS);
    tcase_add_loop_test(tests, a_link_that_fails_in_the_switch_goes_down_too, 0, WAYS);
    tcase_add_loop_test(tests, without_a_link_everything_is_reset, 0, WAYS);
    suite_add_tcase(suite, tests);
    return suite;
}
CHECK_MAIN(failover_suite)
