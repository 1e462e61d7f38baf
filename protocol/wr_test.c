/* Tests of work requests: slots, writes, completions, hostile messages, links that end while their completions are handled.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "link_fake_test.h"

static int done_error[64];
static unsigned done_count;

static void done(void *ctx, int error)
{
    (void)ctx;
    done_error[done_count++ % 64] = error;
}

static struct smc_link *link_up(uint8_t version)
{
    done_count = 0;
    fake_start(&smc_profile_linux);
    return fake_group(false, version)->links[0];
}

static const uint8_t message[SMC_LLC_BYTES] = {SMC_CDC_TYPE, SMC_LLC_BYTES, 7};

static void complete(struct smc_link *link, unsigned n, enum smc_rdma_status status)
{
    fake_complete(link->rnic->device, link->qp, n, status);
}

START_TEST(a_message_goes_out_signaled_solicited_and_copied)
{
    struct smc_link *link = link_up(1);
    uint8_t bytes[SMC_LLC_BYTES] = {SMC_CDC_TYPE, 1, 2};
    ck_assert_int_eq(smc_wr_send(link, bytes, sizeof(bytes), done, NULL), 0);
    bytes[1] = 99;
    ck_assert_uint_eq(link->qp->send_count, 1);
    const struct fake_post *post = &link->qp->sends[0];
    ck_assert(post->send.signaled && post->send.solicited && post->send.opcode == SMC_RDMA_SEND);
    ck_assert_uint_eq(post->length, SMC_LLC_BYTES);
    ck_assert_uint_eq(post->bytes[1], 1);
    ck_assert_uint_eq(smc_wr_pending(link), 1);
    complete(link, 1, SMC_RDMA_SUCCESS);
    ck_assert_uint_eq(done_count, 0); /* the callback only notes */
    fake_poll();
    ck_assert_uint_eq(done_count, 1);
    ck_assert_int_eq(done_error[0], 0);
    ck_assert_uint_eq(smc_wr_pending(link), 0);
    fake_stop();
}
END_TEST

START_TEST(sixteen_messages_fit_and_then_waiters_are_woken_in_order)
{
    struct smc_link *link = link_up(1);
    struct smc_connection c[3];
    for (unsigned i = 0; i < SMC_SEND_SLOTS; i++)
        ck_assert_int_eq(smc_wr_send(link, message, sizeof(message), done, NULL), 0);
    ck_assert_uint_eq(smc_wr_send_room(link), 0);
    ck_assert_int_eq(smc_wr_send(link, message, sizeof(message), done, NULL), SMC_ERR_NOSPACE);
    for (unsigned i = 0; i < 3; i++) {
        fake_connection(&c[i]);
        smc_list_add_tail(&link->send_waiters, &c[i].wants_slot);
    }
    complete(link, 1, SMC_RDMA_SUCCESS);
    fake_poll();
    ck_assert_uint_eq(smc_wr_send_room(link), 1);
    ck_assert_uint_eq(seen.worked, 3);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_ptr_eq(seen.order[i], &c[i]);
    fake_stop();
}
END_TEST

START_TEST(nothing_is_sent_before_rts_nor_after_the_end)
{
    fake_start(&smc_profile_linux);
    struct smc_choice choice = fake_choice(false, 1);
    struct smc_group *g;
    ck_assert_int_eq(smc_group_new(&fake_ep, &choice, &g), 0);
    struct smc_link *link = g->links[0];
    ck_assert_int_eq(smc_wr_send(link, message, sizeof(message), done, NULL), SMC_ERR_STATE);
    ck_assert_int_eq(smc_link_rtr(link), 0);
    ck_assert_int_eq(smc_wr_send(link, message, sizeof(message), done, NULL), SMC_ERR_STATE);
    ck_assert_int_eq(smc_link_rts(link), 0);
    ck_assert_int_eq(smc_wr_send(link, message, 0, done, NULL), SMC_ERR_ARGUMENT);
    ck_assert_int_eq(smc_wr_send(link, message, SMC_LLC_BYTES + 1, done, NULL), SMC_ERR_ARGUMENT);
    ck_assert_int_eq(smc_wr_send(link, message, sizeof(message), done, NULL), 0);
    smc_link_down(link);
    ck_assert_int_eq(smc_wr_send(link, message, sizeof(message), done, NULL), SMC_ERR_STATE);
    fake_stop();
}
END_TEST

START_TEST(a_v2_link_sends_one_long_message_at_a_time)
{
    struct smc_link *link = link_up(2);
    static const uint8_t big[SMC_LLC_V2_MAX] = {SMC_LLC_ADD_LINK + SMC_LLC_V2_TYPE};
    ck_assert_int_eq(smc_wr_send(link, big, sizeof(big), NULL, NULL), 0);
    ck_assert_int_eq(smc_wr_send(link, big, 45, NULL, NULL), SMC_ERR_NOSPACE);
    ck_assert_int_eq(smc_wr_send(link, big, 44, NULL, NULL), 0);
    ck_assert_int_eq(smc_wr_send(link, big, sizeof(big) + 1, NULL, NULL), SMC_ERR_ARGUMENT);
    ck_assert_uint_eq(link->qp->sends[0].length, SMC_LLC_V2_MAX);
    complete(link, 1, SMC_RDMA_SUCCESS);
    fake_poll();
    ck_assert_int_eq(smc_wr_send(link, big, 45, NULL, NULL), 0);
    fake_stop();
}
END_TEST

START_TEST(writes_are_bounded_and_free_again_with_the_next_message)
{
    struct smc_link *link = link_up(1);
    struct smc_rdma_piece piece = {.mr = &link->wr->mr, .offset = 0, .length = 8};
    for (unsigned i = 0; i < SMC_WRITE_SLOTS; i++)
        ck_assert_int_eq(smc_wr_write(link, &piece, 1, 5, 1000 + i), 0);
    ck_assert_uint_eq(smc_wr_write_room(link), 0);
    ck_assert_int_eq(smc_wr_write(link, &piece, 1, 5, 1), SMC_ERR_NOSPACE);
    ck_assert(!link->qp->sends[0].send.signaled && link->qp->sends[0].send.opcode == SMC_RDMA_WRITE);
    ck_assert_uint_eq(link->qp->sends[3].send.remote_address, 1003);
    uint64_t fence = smc_wr_fence(link);
    for (unsigned i = 0; i < SMC_SEND_SLOTS; i++)
        ck_assert_int_eq(smc_wr_send(link, message, sizeof(message), NULL, NULL), 0);
    ck_assert(!smc_wr_passed(link, fence));
    complete(link, SMC_WRITE_SLOTS, SMC_RDMA_SUCCESS);
    fake_poll();
    ck_assert(!smc_wr_passed(link, fence)); /* nobody has said so yet */
    complete(link, 1, SMC_RDMA_SUCCESS);
    fake_poll();
    ck_assert(smc_wr_passed(link, fence));
    ck_assert_uint_eq(smc_wr_write_room(link), SMC_WRITE_SLOTS);
    fake_stop();
}
END_TEST

START_TEST(an_error_is_told_once_and_takes_the_link_down_after_what_came_in)
{
    struct smc_link *link = link_up(1);
    struct smc_group *g = link->group;
    fake_second(g);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_int_eq(smc_wr_send(link, message, sizeof(message), done, NULL), 0);
    complete(link, 1, SMC_RDMA_SUCCESS);
    complete(link, 1, SMC_RDMA_RETRY_EXCEEDED);
    complete(link, 1, SMC_RDMA_FLUSHED);
    ck_assert(fake_arrives(link->rnic->device, link->qp, message, sizeof(message)));
    fake_poll();
    ck_assert_uint_eq(done_count, 3);
    ck_assert_int_eq(done_error[0], 0);
    ck_assert_int_eq(done_error[1], SMC_ERR_IO);
    ck_assert_int_eq(done_error[2], SMC_ERR_GONE);
    ck_assert_uint_eq(seen.cdc_input, 1); /* it was acknowledged: nobody says it again */
    ck_assert_uint_eq(seen.failovers, 1);
    ck_assert_uint_eq(seen.lost, 1);
    fake_poll();
    ck_assert_uint_eq(seen.lost, 1);
    fake_stop();
}
END_TEST

START_TEST(what_is_under_way_has_failed_before_connections_move)
{
    struct smc_link *link = link_up(1);
    fake_second(link->group);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_int_eq(smc_wr_send(link, message, sizeof(message), done, NULL), 0);
    smc_link_down(link);
    ck_assert_uint_eq(done_count, 3);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_int_eq(done_error[i], SMC_ERR_IO);
    fake_poll();
    ck_assert_uint_eq(done_count, 3); /* flushed; they know */
    fake_stop();
}
END_TEST

START_TEST(a_write_that_fails_takes_the_link_down)
{
    struct smc_link *link = link_up(1);
    fake_second(link->group);
    struct smc_rdma_piece piece = {.mr = &link->wr->mr, .offset = 0, .length = 8};
    ck_assert_int_eq(smc_wr_write(link, &piece, 1, 5, 1000), 0);
    complete(link, 1, SMC_RDMA_REMOTE_ACCESS_ERROR);
    fake_poll();
    ck_assert_uint_eq(seen.lost, 1);
    fake_stop();
}
END_TEST

START_TEST(whatever_arrives_is_handed_on_by_its_first_byte_and_the_buffer_posted_again)
{
    struct smc_link *link = link_up(1);
    unsigned posted = link->qp->receive_count;
    uint8_t bytes[SMC_LLC_BYTES] = {0};
    ck_assert_uint_eq(posted, SMC_RECEIVE_BUFFERS);
    for (unsigned first = 0; first < 256; first++) {
        bytes[0] = (uint8_t)first;
        fake_ep.now_ns = 5000 + first;
        ck_assert(fake_arrives(link->rnic->device, link->qp, bytes, 1 + first % SMC_LLC_BYTES));
        fake_poll();
        ck_assert_uint_eq(seen.last_first, first);
        ck_assert_uint_eq(seen.last_length, 1 + first % SMC_LLC_BYTES);
        ck_assert_uint_eq(link->last_received_ns, fake_ep.now_ns);
    }
    ck_assert_uint_eq(seen.cdc_input, 1);
    ck_assert_uint_eq(seen.flow_input, 255);
    ck_assert_uint_eq(link->qp->receive_count, posted);
    ck_assert(fake_arrives(link->rnic->device, link->qp, bytes, 0));
    fake_poll();
    ck_assert_uint_eq(seen.cdc_input + seen.flow_input, 256);
    ck_assert_uint_eq(fake_ep.counters.llc_dropped, 1);
    fake_stop();
}
END_TEST

START_TEST(a_burst_that_fills_every_buffer_is_taken)
{
    struct smc_link *link = link_up((uint8_t)_i);
    unsigned n = 0;
    while (fake_arrives(link->rnic->device, link->qp, message, sizeof(message)))
        n++;
    ck_assert_uint_eq(n, _i == 1 ? SMC_RECEIVE_BUFFERS : SMC_WR_V2_RECEIVES);
    ck_assert_uint_gt(n, SMC_WR_SLOTS); /* more than a peer like us can have under way */
    fake_poll();
    ck_assert_uint_eq(seen.cdc_input, n);
    ck_assert_uint_eq(link->qp->receive_count, n);
    fake_stop();
}
END_TEST

START_TEST(a_completion_longer_than_its_buffer_breaks_the_link)
{
    struct smc_link *link = link_up(1);
    fake_second(link->group);
    ck_assert(fake_arrives(link->rnic->device, link->qp, message, 60));
    fake_poll();
    ck_assert_uint_eq(seen.cdc_input, 0);
    ck_assert_uint_eq(seen.lost, 1);
    fake_stop();
}
END_TEST

START_TEST(a_link_may_end_while_its_messages_are_handled)
{
    struct smc_link *link = link_up(_i < 2 ? 1 : 2);
    uint8_t bytes[SMC_LLC_BYTES] = {SMC_LLC_TEST_LINK, SMC_LLC_BYTES};
    if (_i % 2 == 0)
        seen.flow_ends_link = link;
    else
        seen.flow_ends_group = true;
    for (unsigned i = 0; i < 5; i++)
        ck_assert(fake_arrives(link->rnic->device, link->qp, bytes, sizeof(bytes)));
    fake_poll();
    ck_assert_uint_eq(seen.flow_input, 1);
    fake_poll();
    fake_stop();
}
END_TEST

static struct smc_link *to_free;
static void done_frees(void *ctx, int error)
{
    done(ctx, error);
    if (to_free != NULL) {
        struct smc_link *link = to_free;
        to_free = NULL;
        smc_link_free(link);
    }
}

START_TEST(a_link_may_end_in_a_callback_and_the_other_callbacks_still_come)
{
    struct smc_link *link = link_up(1);
    to_free = link;
    for (unsigned i = 0; i < 4; i++)
        ck_assert_int_eq(smc_wr_send(link, message, sizeof(message), done_frees, NULL), 0);
    complete(link, 3, SMC_RDMA_SUCCESS);
    fake_poll();
    ck_assert_uint_eq(done_count, 4);
    ck_assert_int_eq(done_error[0], 0);
    for (unsigned i = 1; i < 4; i++)
        ck_assert_int_eq(done_error[i], SMC_ERR_GONE);
    fake_stop();
}
END_TEST

START_TEST(a_send_that_the_device_refuses_leaves_no_trace)
{
    struct smc_link *link = link_up(1);
    fake_device_countdown = 0;
    ck_assert_int_eq(smc_wr_send(link, message, sizeof(message), done, NULL), SMC_ERR_NOMEM);
    ck_assert_uint_eq(smc_wr_send_room(link), SMC_SEND_SLOTS);
    ck_assert_uint_eq(smc_wr_pending(link), 0);
    fake_stop();
    ck_assert_uint_eq(done_count, 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *s = suite_create("wr");
    TCase *t = tcase_create("wr");
    tcase_add_test(t, a_message_goes_out_signaled_solicited_and_copied);
    tcase_add_test(t, sixteen_messages_fit_and_then_waiters_are_woken_in_order);
    tcase_add_test(t, nothing_is_sent_before_rts_nor_after_the_end);
    tcase_add_test(t, a_v2_link_sends_one_long_message_at_a_time);
    tcase_add_test(t, writes_are_bounded_and_free_again_with_the_next_message);
    tcase_add_test(t, an_error_is_told_once_and_takes_the_link_down_after_what_came_in);
    tcase_add_test(t, what_is_under_way_has_failed_before_connections_move);
    tcase_add_test(t, a_write_that_fails_takes_the_link_down);
    tcase_add_test(t, whatever_arrives_is_handed_on_by_its_first_byte_and_the_buffer_posted_again);
    tcase_add_loop_test(t, a_burst_that_fills_every_buffer_is_taken, 1, 3);
    tcase_add_test(t, a_completion_longer_than_its_buffer_breaks_the_link);
    tcase_add_loop_test(t, a_link_may_end_while_its_messages_are_handled, 0, 4);
    tcase_add_test(t, a_link_may_end_in_a_callback_and_the_other_callbacks_still_come);
    tcase_add_test(t, a_send_that_the_device_refuses_leaves_no_trace);
    suite_add_tcase(s, t);
    return s;
}
CHECK_MAIN(make_suite)
