/* Tests of buffers: sizes, elements, registration, announcement, reuse without a trace, shortage.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "link_fake_test.h"

static struct smc_connection c[300];

static struct smc_group *begin(const struct smc_profile *profile, unsigned connections)
{
    fake_start(profile);
    struct smc_group *g = fake_group(false, 1);
    for (unsigned i = 0; i < connections; i++) {
        fake_connection(&c[i]);
        ck_assert_int_eq(smc_group_attach(g, NULL, &c[i]), 0);
    }
    return g;
}

START_TEST(sizes_are_rounded_up_and_bounded)
{
    begin(&smc_profile_linux, 4);
    ck_assert_int_eq(smc_buf_rmb(&c[0], 0), 0);
    ck_assert_uint_eq(c[0].rmb->rmbe_bytes, 65536);
    ck_assert_uint_eq(c[0].rmb->bsize, 2);
    ck_assert_uint_eq(c[0].rx_ring, 65536);
    ck_assert_int_eq(smc_buf_rmb(&c[1], 1), 0);
    ck_assert_uint_eq(c[1].rmb->rmbe_bytes, 16384);
    ck_assert_int_eq(smc_buf_rmb(&c[2], 65537), 0);
    ck_assert_uint_eq(c[2].rmb->rmbe_bytes, 131072);
    ck_assert_int_eq(smc_buf_rmb(&c[3], UINT32_MAX), 0);
    ck_assert_uint_eq(c[3].rmb->rmbe_bytes, 524288);
    c[0].sndbuf_wanted = 20000;
    ck_assert_int_eq(smc_buf_sndbuf(&c[0]), 0);
    ck_assert_uint_eq(c[0].sndbuf->bytes, 32768);
    struct smc_sndbuf *same = c[0].sndbuf;
    ck_assert_int_eq(smc_buf_sndbuf(&c[0]), 0);
    ck_assert_ptr_eq(c[0].sndbuf, same);
    ck_assert_uint_eq(fake_ep.counters.r.rx_rmb_size[3], 1);
    ck_assert_uint_eq(fake_ep.counters.r.rx_buffer_alloc, 4);
    ck_assert_uint_eq(fake_ep.counters.r.rx_buffer_downgraded, 0); /* the greatest size is no shortage */
    fake_stop();
    ck_assert_uint_eq(fake_ep.counters.r.rx_rmb_size[3], 0);
}
END_TEST

START_TEST(elements_share_an_rmb_with_an_eyecatcher_each)
{
    struct smc_group *g = begin(&smc_profile_rfc, 9);
    for (unsigned i = 0; i < 9; i++)
        ck_assert_int_eq(smc_buf_rmb(&c[i], 0), 0);
    ck_assert_uint_eq(g->rmb_count, 2);
    for (unsigned i = 0; i < 8; i++) {
        ck_assert_ptr_eq(c[i].rmb, c[0].rmb);
        ck_assert_uint_eq(c[i].rmbe_index, i + 1); /* [CLC-037] */
        ck_assert_mem_eq(c[i].rmb->memory + (size_t)i * 65536, smc_conn_eyecatcher, 4);
        ck_assert_uint_eq(c[i].rx_ring, 65532);
    }
    ck_assert_ptr_ne(c[8].rmb, c[0].rmb);
    ck_assert_uint_eq(c[0].rmb->mrs[0].length, 8 * 65536);
    smc_group_detach(&c[3]);
    fake_connection(&c[20]);
    ck_assert_int_eq(smc_group_attach(g, NULL, &c[20]), 0);
    ck_assert_int_eq(smc_buf_rmb(&c[20], 0), 0);
    ck_assert_ptr_eq(c[20].rmb, c[0].rmb);
    ck_assert_uint_eq(c[20].rmbe_index, 4);
    ck_assert_uint_eq(seen.delete_rkey, 0);
    fake_stop();
}
END_TEST

/* [CURSOR-022] */
START_TEST(no_byte_of_a_connection_reaches_the_next)
{
    struct smc_group *g = begin(_i ? &smc_profile_rfc : &smc_profile_linux, 2);
    ck_assert_int_eq(smc_buf_rmb(&c[0], 0), 0);
    ck_assert_int_eq(smc_buf_sndbuf(&c[0]), 0);
    struct smc_rmb *rmb = c[0].rmb;
    struct smc_sndbuf *sndbuf = c[0].sndbuf;
    for (uint32_t i = 0; i < 65536; i++)
        ck_assert_uint_eq(rmb->memory[i], _i && i < 4 ? smc_conn_eyecatcher[i] : 0);
    memset(rmb->memory + 4, 0x77, 65532);
    memset(sndbuf->memory, 0x77, 65536);
    rmb->announced[0] = 1;
    smc_group_detach(&c[0]);
    if (rmb->deleting) {
        ck_assert_uint_eq(seen.delete_rkey, 1);
        smc_buf_free_rmb(rmb); /* answered */
    }
    ck_assert_int_eq(smc_buf_rmb(&c[1], 0), 0);
    ck_assert_int_eq(smc_buf_sndbuf(&c[1]), 0);
    ck_assert_ptr_eq(c[1].rmb, rmb);
    ck_assert_ptr_eq(c[1].sndbuf, sndbuf);
    for (uint32_t i = 4; i < 65536; i++)
        ck_assert_uint_eq(rmb->memory[i] | sndbuf->memory[i], 0);
    ck_assert_uint_eq(fake_ep.counters.r.rx_buffer_reuse, 1);
    ck_assert_uint_eq(fake_ep.counters.r.tx_buffer_reuse, 1);
    ck_assert_uint_eq(g->rmb_count, 1);
    fake_stop();
}
END_TEST

START_TEST(an_rmb_is_deleted_at_the_peer_before_it_is_used_again_and_then_confirmed_again)
{
    struct smc_group *g = begin(&smc_profile_linux, 3);
    ck_assert_int_eq(smc_buf_rmb(&c[0], 0), 0);
    struct smc_rmb *rmb = c[0].rmb;
    ck_assert(smc_rmb_needs_confirm(rmb));
    rmb->announced[0] = 1;
    ck_assert(!smc_rmb_needs_confirm(rmb));
    smc_group_detach(&c[0]);
    ck_assert(rmb->deleting);
    ck_assert_int_eq(smc_buf_rmb(&c[1], 0), 0);
    ck_assert_ptr_ne(c[1].rmb, rmb); /* [LLC-060] */
    smc_buf_free_rmb(rmb);
    ck_assert_int_eq(smc_buf_rmb(&c[2], 0), 0);
    ck_assert_ptr_eq(c[2].rmb, rmb);
    ck_assert(smc_rmb_needs_confirm(rmb));
    ck_assert_uint_eq(g->rmb_count, 2);
    fake_stop();
}
END_TEST

/* [LLC-054] */
START_TEST(an_rmb_used_again_while_a_link_is_added_is_confirmed_unless_it_is_on_the_list)
{
    struct smc_group *g = begin(&smc_profile_rfc, 2);
    struct smc_link *link = fake_second(g);
    link->state = SMC_LINK_ACTIVATING;
    ck_assert_int_eq(smc_buf_rmb(&c[0], 0), 0);
    struct smc_rmb *rmb = c[0].rmb;
    rmb->announced[0] = 1;
    ck_assert(smc_rmb_needs_confirm(rmb));
    rmb->shared = true;
    ck_assert(!smc_rmb_needs_confirm(rmb));
    rmb->shared = false;
    link->state = SMC_LINK_INACTIVE; /* it has failed */
    ck_assert(!smc_rmb_needs_confirm(rmb));
    link->state = SMC_LINK_ACTIVATING;
    smc_link_bit_set(rmb->announced, link->slot);
    ck_assert(!smc_rmb_needs_confirm(rmb));
    fake_stop();
}
END_TEST

START_TEST(an_rmb_that_a_silent_peer_may_still_write_is_never_used_again)
{
    struct smc_group *g = begin(&smc_profile_rfc, 4);
    ck_assert_int_eq(smc_buf_rmb(&c[0], 0), 0);
    ck_assert_int_eq(smc_buf_rmb(&c[1], 0), 0);
    struct smc_rmb *rmb = c[0].rmb;
    rmb->announced[0] = 1;
    c[0].peer_silent = true;
    smc_group_detach(&c[0]);
    ck_assert_int_eq(smc_buf_rmb(&c[2], 0), 0);
    ck_assert_ptr_ne(c[2].rmb, rmb);
    ck_assert(!rmb->deleting); /* another connection still has its element [LLC-061] */
    smc_group_detach(&c[1]);
    ck_assert(rmb->deleting);
    smc_buf_free_rmb(rmb);
    ck_assert_uint_eq(g->rmb_count, 1);
    fake_stop();
}
END_TEST

START_TEST(one_unused_rmb_of_a_size_is_kept_and_the_others_are_deleted)
{
    begin(&smc_profile_rfc, 17);
    for (unsigned i = 0; i < 16; i++) {
        ck_assert_int_eq(smc_buf_rmb(&c[i], 0), 0);
        c[i].rmb->announced[0] = 1;
    }
    for (unsigned i = 0; i < 8; i++)
        smc_group_detach(&c[i]);
    ck_assert_uint_eq(seen.delete_rkey, 0);
    for (unsigned i = 8; i < 16; i++)
        smc_group_detach(&c[i]);
    ck_assert_uint_eq(seen.delete_rkey, 1);
    fake_stop();
}
END_TEST

/* B-15, B-16: what nobody uses is not mapped to a new link, and is when it is used again. */
START_TEST(a_new_link_gets_what_is_in_use_and_the_rest_when_it_is)
{
    struct smc_group *g = begin(&smc_profile_linux, 4);
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_int_eq(smc_buf_rmb(&c[i], 0), 0);
        ck_assert_int_eq(smc_buf_sndbuf(&c[i]), 0);
        c[i].rmb->announced[0] = 1;
    }
    struct smc_rmb *freed = c[0].rmb, *used = c[1].rmb;
    smc_group_detach(&c[0]);
    smc_buf_free_rmb(freed);
    struct smc_link *link = fake_second(g);
    ck_assert(smc_link_bit(used->registered, link->slot));
    ck_assert(!smc_link_bit(freed->registered, link->slot));
    ck_assert(smc_rmb_needs_confirm(used));
    ck_assert_int_eq(smc_buf_rmb(&c[2], 0), 0);
    ck_assert_ptr_eq(c[2].rmb, freed);
    ck_assert(smc_link_bit(freed->registered, link->slot));
    ck_assert_uint_ne(freed->mrs[0].rkey, freed->mrs[link->slot].rkey);
    ck_assert_int_eq(smc_buf_sndbuf(&c[2]), 0);
    ck_assert(smc_link_bit(c[2].sndbuf->registered, link->slot));
    used->announced[0] |= (uint8_t)(1u << link->slot);
    unsigned slot = link->slot;
    smc_link_free(link);
    ck_assert(!smc_link_bit(used->registered, slot) && !smc_link_bit(used->announced, slot));
    fake_stop();
}
END_TEST

START_TEST(a_new_link_that_cannot_have_all_has_none)
{
    struct smc_group *g = begin(&smc_profile_linux, 3);
    struct smc_link *link;
    for (unsigned i = 0; i < 3; i++)
        ck_assert_int_eq(smc_buf_rmb(&c[i], 0), 0);
    ck_assert_int_eq(smc_link_new(g, fake_rnic(1), 1, 0, &link), 0);
    unsigned before = fake_devices[1].mrs;
    fake_device_countdown = 2;
    ck_assert_int_eq(smc_buf_register_link(g, link), SMC_ERR_NOSPACE);
    ck_assert_uint_eq(fake_devices[1].mrs, before);
    ck_assert_int_eq(smc_buf_register_link(g, link), 0);
    ck_assert_uint_eq(fake_devices[1].mrs, before + 3);
    fake_stop();
}
END_TEST

/* What a WRITE under way would repeat must not be another connection's bytes. */
START_TEST(a_send_buffer_rests_until_what_was_written_from_it_is_done)
{
    struct smc_group *g = begin(&smc_profile_linux, 3);
    struct smc_link *link = g->links[0];
    uint8_t message[SMC_LLC_BYTES] = {SMC_CDC_TYPE};
    ck_assert_int_eq(smc_buf_sndbuf(&c[0]), 0);
    struct smc_sndbuf *b = c[0].sndbuf;
    struct smc_rdma_piece piece = {.mr = &b->mrs[0], .offset = 0, .length = 100};
    ck_assert_int_eq(smc_wr_write(link, &piece, 1, 1, 1), 0);
    ck_assert_int_eq(smc_wr_send(link, message, sizeof(message), NULL, NULL), 0);
    smc_group_detach(&c[0]);
    ck_assert_int_eq(smc_buf_sndbuf(&c[1]), 0);
    ck_assert_ptr_ne(c[1].sndbuf, b);
    fake_complete(link->rnic->device, link->qp, 2, SMC_RDMA_SUCCESS);
    fake_poll();
    ck_assert_int_eq(smc_buf_sndbuf(&c[2]), 0);
    ck_assert_ptr_eq(c[2].sndbuf, b);
    fake_stop();
}
END_TEST

START_TEST(a_shortage_is_met_with_a_smaller_size)
{
    struct smc_group *g = begin(&smc_profile_linux, 4);
    fake_memory.countdown = 2; /* the RMB's memory */
    ck_assert_int_eq(smc_buf_rmb(&c[0], 1 << 17), 0);
    ck_assert_uint_eq(c[0].rmb->rmbe_bytes, 65536);
    ck_assert_uint_eq(fake_ep.counters.r.rx_buffer_downgraded, 1);
    fake_memory.countdown = 1;
    c[0].sndbuf_wanted = 1 << 18;
    ck_assert_int_eq(smc_buf_sndbuf(&c[0]), 0);
    ck_assert_uint_eq(c[0].sndbuf->bytes, 1 << 17);
    ck_assert_uint_eq(fake_ep.counters.r.tx_buffer_downgraded, 1);
    size_t live = fake_memory.live;
    fake_devices[0].mr_limit = fake_devices[0].mrs;
    ck_assert_int_eq(smc_buf_rmb(&c[1], 0), SMC_ERR_NOSPACE);
    ck_assert_int_eq(smc_buf_sndbuf(&c[1]), SMC_ERR_NOMEM);
    ck_assert_ptr_null(c[1].rmb);
    ck_assert_ptr_null(c[1].sndbuf);
    ck_assert_uint_eq(fake_memory.live, live);
    ck_assert_uint_eq(g->rmb_count, 1);
    fake_stop();
}
END_TEST

START_TEST(memory_for_one_element_is_better_than_none)
{
    begin(&smc_profile_rfc, 1);
    fake_memory.countdown = 2;
    ck_assert_int_eq(smc_buf_rmb(&c[0], 0), 0);
    ck_assert_uint_eq(c[0].rmb->rmbe_bytes, 65536);
    ck_assert_uint_eq(c[0].rmb->rmbe_count, 1);
    fake_stop();
}
END_TEST

START_TEST(the_256th_rmb_takes_the_place_of_an_unused_one_or_there_is_none)
{
    struct smc_group *g = begin(&smc_profile_linux, 255);
    for (unsigned i = 0; i < 255; i++) {
        ck_assert_int_eq(smc_buf_rmb(&c[i], 16384), 0);
        c[i].rmb->announced[0] = 1;
    }
    ck_assert_uint_eq(g->rmb_count, 255);
    struct smc_rmb *rmb = c[7].rmb;
    smc_group_detach(&c[7]);
    fake_connection(&c[255]);
    ck_assert_int_eq(smc_group_attach(g, NULL, &c[255]), 0);
    ck_assert_int_eq(smc_buf_rmb(&c[255], 65536), SMC_ERR_NOSPACE); /* [LLC-055] */
    smc_buf_free_rmb(rmb);
    ck_assert_int_eq(smc_buf_rmb(&c[255], 65536), 0);
    ck_assert_uint_eq(c[255].rmb->rmbe_bytes, 65536);
    ck_assert_uint_eq(g->rmb_count, 255);
    fake_stop();
}
END_TEST

static struct smc_group *begin_d(struct smc_dibs_use *use, unsigned connections)
{
    fake_start(&smc_profile_linux);
    struct smc_choice choice = fake_choice(false, 2);
    struct smc_group *g;
    choice.smc_d = true;
    choice.device = use;
    ck_assert_int_eq(smc_group_new(&fake_ep, &choice, &g), 0);
    smc_group_settled(g);
    for (unsigned i = 0; i < connections; i++) {
        fake_connection(&c[i]);
        ck_assert_int_eq(smc_group_attach(g, NULL, &c[i]), 0);
    }
    return g;
}

START_TEST(a_dmb_has_one_element_and_is_reused_clean_unless_its_peer_was_silent)
{
    struct smc_dibs_use use = {0};
    begin_d(&use, 4);
    ck_assert_int_eq(smc_buf_rmb(&c[0], UINT32_MAX), 0);
    struct smc_rmb *rmb = c[0].rmb;
    ck_assert_uint_eq(rmb->rmbe_bytes, 1 << 20);
    ck_assert_uint_eq(c[0].rmbe_index, 0);
    ck_assert_uint_eq(c[0].rx_ring, (1 << 20) - 32);
    ck_assert_ptr_eq(rmb->user, &c[0]);
    ck_assert_uint_eq(rmb->memory[0], 0);
    memset(rmb->memory, 0x77, 1 << 20);
    smc_group_detach(&c[0]);
    ck_assert_ptr_null(rmb->user);
    ck_assert_int_eq(smc_buf_rmb(&c[1], 1 << 20), 0);
    ck_assert_ptr_eq(c[1].rmb, rmb);
    ck_assert_ptr_eq(rmb->user, &c[1]);
    for (uint32_t i = 0; i < 1 << 20; i++)
        ck_assert(rmb->memory[i] == 0);
    ck_assert_int_eq(smc_buf_sndbuf(&c[1]), 0);
    c[1].peer_silent = true;
    smc_group_detach(&c[1]);
    ck_assert_uint_eq(fake_dmbs, 0);
    ck_assert_uint_eq(seen.delete_rkey, 0);
    fake_stop();
}
END_TEST

START_TEST(without_dmbs_there_is_no_space_and_nothing_left)
{
    struct smc_dibs_use use = {0};
    begin_d(&use, 3);
    fake_dmb_limit = 2;
    ck_assert_int_eq(smc_buf_rmb(&c[0], 0), 0);
    ck_assert_int_eq(smc_buf_rmb(&c[1], 0), 0);
    ck_assert_int_eq(smc_buf_rmb(&c[2], 0), SMC_ERR_NOSPACE);
    ck_assert_ptr_null(c[2].rmb);
    fake_stop();
}
END_TEST

/* Any request fails: whatever comes of it, a connection has a whole buffer or none, and the end finds nothing left. */
START_TEST(every_allocation_may_fail)
{
    unsigned failed = 0;
    for (long n = 0; n < 40; n++) {
        for (int device = 0; device < 2; device++) {
            struct smc_group *g = begin(_i ? &smc_profile_rfc : &smc_profile_linux, 3);
            fake_second(g);
            *(device ? &fake_device_countdown : &fake_memory.countdown) = n;
            for (unsigned i = 0; i < 3; i++) {
                int rmb = smc_buf_rmb(&c[i], 16384), sndbuf = smc_buf_sndbuf(&c[i]);
                failed += (rmb != 0) + (sndbuf != 0);
                ck_assert((rmb == 0) == (c[i].rmb != NULL) && (sndbuf == 0) == (c[i].sndbuf != NULL));
                if (rmb == 0)
                    ck_assert(smc_link_bit(c[i].rmb->registered, 0) && smc_link_bit(c[i].rmb->registered, 1));
                if (sndbuf == 0)
                    ck_assert(smc_link_bit(c[i].sndbuf->registered, 0) && smc_link_bit(c[i].sndbuf->registered, 1));
            }
            smc_group_detach(&c[1]);
            fake_stop();
        }
    }
    if (_i) /* one failure is always made up for by an RMB of one element, or a smaller buffer */
        ck_assert_uint_eq(failed, 0);
    else
        ck_assert_uint_ge(failed, 10);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *s = suite_create("buffer");
    TCase *t = tcase_create("buffer");
    tcase_add_test(t, sizes_are_rounded_up_and_bounded);
    tcase_add_test(t, elements_share_an_rmb_with_an_eyecatcher_each);
    tcase_add_loop_test(t, no_byte_of_a_connection_reaches_the_next, 0, 2);
    tcase_add_test(t, an_rmb_is_deleted_at_the_peer_before_it_is_used_again_and_then_confirmed_again);
    tcase_add_test(t, an_rmb_used_again_while_a_link_is_added_is_confirmed_unless_it_is_on_the_list);
    tcase_add_test(t, an_rmb_that_a_silent_peer_may_still_write_is_never_used_again);
    tcase_add_test(t, one_unused_rmb_of_a_size_is_kept_and_the_others_are_deleted);
    tcase_add_test(t, a_new_link_gets_what_is_in_use_and_the_rest_when_it_is);
    tcase_add_test(t, a_new_link_that_cannot_have_all_has_none);
    tcase_add_test(t, a_send_buffer_rests_until_what_was_written_from_it_is_done);
    tcase_add_test(t, a_shortage_is_met_with_a_smaller_size);
    tcase_add_test(t, memory_for_one_element_is_better_than_none);
    tcase_add_test(t, the_256th_rmb_takes_the_place_of_an_unused_one_or_there_is_none);
    tcase_add_test(t, a_dmb_has_one_element_and_is_reused_clean_unless_its_peer_was_silent);
    tcase_add_test(t, without_dmbs_there_is_no_space_and_nothing_left);
    tcase_add_loop_test(t, every_allocation_may_fail, 0, 2);
    suite_add_tcase(s, t);
    return s;
}
CHECK_MAIN(make_suite)
