/* Tests of link groups: found, shared, filled, idle, ended; RTokens; who waits for a first contact.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "link_fake_test.h"

static struct smc_connection c[300];

static void attach(struct smc_group *g, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        fake_connection(&c[i]);
        ck_assert_int_eq(smc_group_attach(g, NULL, &c[i]), 0);
    }
}

static struct smc_group *find(const struct smc_choice *choice, bool *no_link)
{
    struct smc_link *link;
    return smc_group_find(&fake_ep, choice, &link, no_link);
}

START_TEST(a_group_is_reused_only_if_everything_fits)
{
    fake_start(&smc_profile_linux);
    struct smc_group *g = fake_group(_i & 1, 1);
    struct smc_choice right = fake_choice(_i & 1, 1), other;
    bool no_link;
    ck_assert_ptr_eq(find(&right, &no_link), g);
    other = right, other.peer_id[7] = 1;
    ck_assert_ptr_null(find(&other, &no_link));
    ck_assert(!no_link);
    other = right, other.client = !other.client;
    ck_assert_ptr_null(find(&other, &no_link));
    other = right, other.version = 2;
    ck_assert_ptr_null(find(&other, &no_link));
    other = right, other.vlan_valid = true;
    ck_assert_ptr_null(find(&other, &no_link)); /* [ROCE-013] */
    other = right, other.peer_gid.bytes[0] = 1;
    ck_assert_ptr_null(find(&other, &no_link));
    ck_assert(no_link); /* the group is there, the link is not */
    other = right, other.peer_mac[5] = 1;
    ck_assert_ptr_null(find(&other, &no_link));
    ck_assert(no_link);
    g->sync_error = true;
    ck_assert_ptr_null(find(&right, &no_link));
    ck_assert(!no_link);
    g->sync_error = false, g->first_contact = true;
    ck_assert_ptr_null(find(&right, &no_link));
    g->first_contact = false;
    fake_stop();
}
END_TEST

START_TEST(a_client_takes_the_link_that_the_accept_names)
{
    fake_start(&smc_profile_linux);
    struct smc_group *g = fake_group(true, 1);
    struct smc_link *second = fake_second(g), *link;
    struct smc_choice choice = fake_choice(true, 1);
    bool no_link;
    second->peer_gid = g->links[0]->peer_gid;
    memcpy(second->peer_mac, g->links[0]->peer_mac, 6);
    second->peer_qpn = choice.peer_qpn = 1234;
    ck_assert_ptr_eq(smc_group_find(&fake_ep, &choice, &link, &no_link), g);
    ck_assert_ptr_eq(link, second);
    choice.peer_qpn = 1235;
    ck_assert_ptr_null(smc_group_find(&fake_ep, &choice, &link, &no_link));
    ck_assert(no_link);
    fake_stop();
}
END_TEST

START_TEST(a_v2_group_ignores_vlan_and_mac)
{
    fake_start(&smc_profile_linux);
    struct smc_group *g = fake_group(false, 2);
    struct smc_choice choice = fake_choice(false, 2);
    bool no_link;
    choice.vlan_valid = true;
    choice.peer_mac[0]++;
    ck_assert_ptr_eq(find(&choice, &no_link), g);
    fake_stop();
}
END_TEST

/* A Proposal of version 2 alone does not say who its sender is; in version 1, and at the client, the id must be the same. */
START_TEST(a_v2_server_finds_a_group_by_gid_where_the_proposal_says_no_id)
{
    for (uint8_t version = 1; version <= 2; version++) {
        for (unsigned client = 0; client < 2; client++) {
            bool no_link;
            fake_start(&smc_profile_linux);
            struct smc_group *g = fake_group(client, version);
            struct smc_choice choice = fake_choice(client, version);
            memset(g->peer_id, 7, sizeof(g->peer_id));
            ck_assert_ptr_null(find(&choice, &no_link)); /* another's id */
            memset(choice.peer_id, 0, sizeof(choice.peer_id));
            ck_assert_ptr_eq(find(&choice, &no_link), version == 2 && !client ? g : NULL);
            choice.peer_gid.bytes[0] ^= 1;
            ck_assert_ptr_null(find(&choice, &no_link));
            fake_stop();
        }
    }
}
END_TEST

START_TEST(an_smcd_group_is_one_device_and_one_gid_of_128_bits)
{
    fake_start(&smc_profile_linux);
    struct smc_dibs_device device = {0}; /* of another GID than the peer: nobody shares it */
    struct smc_dibs_use use = {.device = &device}, other_use = {.device = &device};
    struct smc_choice choice = fake_choice(false, 2), other;
    struct smc_group *g;
    bool no_link;
    choice.smc_d = true;
    choice.device = &use;
    ck_assert_int_eq(smc_group_new(&fake_ep, &choice, &g), 0);
    other = choice, other.client = true;
    ck_assert_ptr_null(find(&choice, &no_link)); /* another one that asks waits for the Confirm */
    ck_assert_ptr_eq(find(&other, &no_link), g); /* but the peer, whose Confirm is on its way, may name the group already */
    smc_group_settled(g);
    ck_assert_ptr_eq(find(&choice, &no_link), g);
    ck_assert_ptr_eq(find(&other, &no_link), g);
    other = choice, other.peer_gid.bytes[8] ^= 1; /* gid_ext */
    ck_assert_ptr_null(find(&other, &no_link));
    other = choice, other.device = &other_use;
    ck_assert_ptr_null(find(&other, &no_link));
    attach(g, 270); /* not bounded by max_conns */
    ck_assert_ptr_eq(find(&choice, &no_link), g);
    ck_assert_ptr_null(c[0].link);
    smc_group_terminate(g, 0, true);
    ck_assert_uint_eq(seen.smcd_ends, 1);
    ck_assert(seen.smcd_told);
    ck_assert_uint_eq(seen.aborts, 270);
    fake_stop();
}
END_TEST

/* Containers on one loopback all have its GID: their addresses tell them apart. */
START_TEST(sharers_of_one_gid_have_groups_of_their_own)
{
    fake_start(&smc_profile_linux);
    struct smc_choice choice = fake_choice(false, 2), other;
    struct smc_dibs_device device = {.gid = choice.peer_gid};
    struct smc_dibs_use use = {.device = &device};
    struct smc_group *g;
    bool no_link;
    choice.smc_d = true;
    choice.device = &use;
    choice.own_ip.bytes[15] = 1;
    choice.peer_ip.bytes[15] = 2;
    ck_assert_int_eq(smc_group_new(&fake_ep, &choice, &g), 0);
    smc_group_settled(g);
    ck_assert_ptr_eq(find(&choice, &no_link), g);
    other = choice, other.peer_ip.bytes[15] = 3;
    ck_assert_ptr_null(find(&other, &no_link));
    other = choice, other.own_ip.bytes[15] = 3;
    ck_assert_ptr_null(find(&other, &no_link));
    device.gid.bytes[15] ^= 1; /* not shared: the GID says all */
    ck_assert_ptr_eq(find(&other, &no_link), g);
    smc_group_terminate(g, 0, true);
    fake_stop();
}
END_TEST

START_TEST(the_256th_connection_finds_no_room_at_the_server)
{
    fake_start(&smc_profile_linux);
    struct smc_group *g = fake_group(false, 1);
    struct smc_choice choice = fake_choice(false, 1);
    bool no_link;
    attach(g, 255);
    ck_assert_ptr_null(find(&choice, &no_link)); /* [CLC-080] */
    ck_assert(!no_link);
    fake_connection(&c[255]);
    ck_assert_int_eq(smc_group_attach(g, NULL, &c[255]), SMC_ERR_NOSPACE);
    ck_assert_ptr_null(c[255].group);
    smc_group_detach(&c[100]);
    ck_assert_ptr_eq(find(&choice, &no_link), g);
    ck_assert_int_eq(smc_group_attach(g, NULL, &c[255]), 0);
    fake_stop();
}
END_TEST

START_TEST(the_server_spreads_connections_and_leaves_asymmetric_links_alone)
{
    fake_start(&smc_profile_linux);
    struct smc_group *g = fake_group(false, 1);
    struct smc_link *second = fake_second(g), *third;
    ck_assert_int_eq(smc_link_new(g, fake_rnic(1), 2, 0, &third), 0);
    fake_up(third);
    third->asymmetric = true;
    attach(g, 10);
    ck_assert_uint_eq(g->links[0]->connections, 5);
    ck_assert_uint_eq(second->connections, 5);
    ck_assert_uint_eq(third->connections, 0);
    fake_stop();
}
END_TEST

START_TEST(without_an_active_link_nobody_joins)
{
    fake_start(&smc_profile_linux);
    struct smc_group *g = fake_group(false, 1);
    g->links[0]->state = SMC_LINK_INACTIVE;
    fake_connection(&c[0]);
    ck_assert_int_eq(smc_group_attach(g, NULL, &c[0]), SMC_ERR_GONE);
    ck_assert_int_eq(smc_group_attach(g, g->links[0], &c[0]), SMC_ERR_GONE);
    g->links[0]->state = SMC_LINK_ACTIVE;
    fake_memory.countdown = 0;
    ck_assert_int_eq(smc_group_attach(g, NULL, &c[0]), SMC_ERR_NOMEM);
    ck_assert(c[0].group == NULL && g->connections == 0 && g->links[0]->connections == 0);
    fake_stop();
}
END_TEST

START_TEST(the_type_follows_the_active_links)
{
    fake_start(&smc_profile_linux);
    struct smc_group *g = fake_group(false, 1);
    ck_assert_int_eq(g->type, SMC_GROUP_SINGLE);
    struct smc_link *second = fake_second(g);
    ck_assert_int_eq(g->type, SMC_GROUP_SYMMETRIC);
    second->peer_gid = g->links[0]->peer_gid;
    smc_group_update_type(g);
    ck_assert_int_eq(g->type, SMC_GROUP_ASYMMETRIC_PEER);
    smc_link_free(second);
    ck_assert_int_eq(g->type, SMC_GROUP_SINGLE);
    ck_assert_int_eq(smc_link_new(g, fake_rnic(0), 1, 0, &second), 0);
    ck_assert_int_eq(g->type, SMC_GROUP_SINGLE);
    fake_up(second);
    ck_assert_int_eq(g->type, SMC_GROUP_ASYMMETRIC_LOCAL);
    struct smc_link *third = fake_second(g);
    ck_assert_int_eq(g->type, SMC_GROUP_SYMMETRIC);
    ck_assert_ptr_eq(smc_group_other_link(g, g->links[0], true), third);
    ck_assert_ptr_eq(smc_group_other_link(g, g->links[0], false), second);
    fake_stop();
}
END_TEST

START_TEST(an_idle_group_ends_after_its_time_and_a_new_connection_saves_it)
{
    fake_start(&smc_profile_linux);
    struct smc_group *g = fake_group(_i, 1);
    uint64_t idle = _i ? UINT64_C(610000000000) : UINT64_C(600000000000);
    attach(g, 1);
    smc_group_detach(&c[0]);
    ck_assert_uint_eq(smc_timers_next_ns(&fake_ep.timers), fake_ep.now_ns + idle);
    attach(g, 1);
    ck_assert_uint_eq(smc_timers_next_ns(&fake_ep.timers), UINT64_MAX);
    smc_group_detach(&c[0]);
    fake_ep.now_ns += idle - 1;
    fake_poll();
    ck_assert(!smc_list_empty(&fake_ep.groups));
    fake_ep.now_ns++;
    fake_poll();
    ck_assert(smc_list_empty(&fake_ep.groups));
    ck_assert_uint_eq(seen.delete_all, 1);
    ck_assert_uint_eq(fake_ep.counters.groups_freed, 1);
    fake_stop();
}
END_TEST

/* The message leaves before the QP is destroyed; what comes meanwhile is not looked at. */
START_TEST(a_group_lingers_until_its_last_words_have_left)
{
    fake_start(&smc_profile_linux);
    struct smc_group *g = fake_group(false, 1);
    struct smc_rdma_qp *qp = g->links[0]->qp;
    struct smc_rdma_device *d = &fake_devices[0].device;
    uint8_t bytes[SMC_LLC_BYTES] = {SMC_LLC_DELETE_LINK, SMC_LLC_BYTES};
    seen.delete_all_sends = true;
    attach(g, 3);
    smc_group_terminate(g, SMC_LLC_DEL_PROGRAM, true);
    ck_assert(smc_list_empty(&fake_ep.groups));
    ck_assert_uint_eq(seen.aborts, 3);
    ck_assert_uint_eq(fake_devices[0].qps, 1);
    ck_assert_uint_eq(qp->send_count, 1);
    ck_assert(fake_arrives(d, qp, bytes, sizeof(bytes)));
    fake_poll();
    ck_assert_uint_eq(seen.flow_input, 0);
    if (_i == 0) {
        fake_complete(d, qp, 1, SMC_RDMA_SUCCESS);
    } else if (_i == 1) {
        fake_complete(d, qp, 1, SMC_RDMA_RETRY_EXCEEDED);
    } else {
        ck_assert_uint_eq(smc_timers_next_ns(&fake_ep.timers), fake_ep.now_ns + smc_profile_linux.llc_timeout_ns);
        fake_ep.now_ns += smc_profile_linux.llc_timeout_ns;
    }
    fake_poll();
    ck_assert_uint_eq(fake_devices[0].qps, 0);
    fake_stop();
}
END_TEST

START_TEST(a_group_ends_once_even_if_it_is_held)
{
    fake_start(&smc_profile_linux);
    struct smc_group *g = fake_group(false, 1);
    attach(g, 5);
    smc_group_hold(g);
    smc_group_terminate(g, 0, false);
    smc_group_terminate(g, 0, true);
    ck_assert_uint_eq(seen.aborts, 5);
    ck_assert_uint_eq(seen.delete_all, 0);
    ck_assert(g->dying);
    ck_assert_uint_eq(fake_ep.counters.groups_freed, 1);
    fake_connection(&c[9]);
    ck_assert_int_eq(smc_group_attach(g, NULL, &c[9]), SMC_ERR_GONE);
    ck_assert(!smc_group_release(g));
    fake_stop();
}
END_TEST

START_TEST(a_failed_first_contact_ends_its_group_and_lets_the_others_try)
{
    fake_start(&smc_profile_linux);
    struct smc_choice choice = fake_choice(false, 1);
    struct smc_group *g, *running = fake_group(false, 1);
    ck_assert_int_eq(smc_group_new(&fake_ep, &choice, &g), 0);
    fake_connection(&c[0]);
    ck_assert_int_eq(smc_group_attach(g, NULL, &c[0]), 0); /* on the link that is still to be confirmed */
    ck_assert_ptr_eq(c[0].link, g->links[0]);
    for (unsigned i = 1; i <= 3; i++) {
        fake_connection(&c[i]);
        smc_list_add_tail(&fake_ep.pending_server, &c[i].of_group);
    }
    c[2].hs = (struct smc_handshake *)(void *)&c[2]; /* waits again */
    smc_group_detach(&c[0]);
    ck_assert_uint_eq(seen.resumed, 3);
    ck_assert_ptr_eq(fake_ep.pending_server.next, &c[2].of_group);
    ck_assert_ptr_eq(fake_ep.pending_server.prev, &c[2].of_group);
    ck_assert_ptr_eq(fake_ep.groups.next, &running->all); /* the other group is as before (B-18) */
    ck_assert_ptr_eq(fake_ep.groups.prev, &running->all);
    c[2].hs = NULL;
    smc_list_remove(&c[2].of_group);
    fake_stop();
}
END_TEST

static int forgotten[4];
static void forgets(void *ctx, int error)
{
    forgotten[(struct smc_connection *)ctx - c] = error;
}

START_TEST(who_leaves_hears_of_its_messages_at_once_and_never_again)
{
    fake_start(&smc_profile_linux);
    struct smc_group *g = fake_group(false, 1);
    uint8_t bytes[SMC_LLC_BYTES] = {SMC_CDC_TYPE};
    attach(g, 2);
    memset(forgotten, 0x7f, sizeof(forgotten));
    for (unsigned i = 0; i < 2; i++)
        ck_assert_int_eq(smc_wr_send(g->links[0], bytes, sizeof(bytes), forgets, &c[i]), 0);
    smc_group_detach(&c[0]);
    ck_assert_int_eq(forgotten[0], SMC_ERR_GONE);
    ck_assert_uint_eq(g->links[0]->qp->send_count, 2); /* they go on their way all the same */
    memset(&forgotten[0], 0x7f, sizeof(forgotten[0]));
    fake_complete(&fake_devices[0].device, g->links[0]->qp, 2, SMC_RDMA_SUCCESS);
    fake_poll();
    ck_assert_int_ne(forgotten[0], 0);
    ck_assert_int_eq(forgotten[1], 0);
    fake_stop();
}
END_TEST

START_TEST(group_ids_leave_room_for_link_numbers)
{
    fake_start(&smc_profile_linux);
    struct smc_group *a = fake_group(false, 1), *b = fake_group(true, 1);
    ck_assert_uint_ne(a->id, 0);
    ck_assert_uint_eq(b->id - a->id, 256);
    ck_assert_uint_eq(b->links[0]->number, 0); /* a client is told */
    fake_stop();
}
END_TEST

/* ---- RTokens ---- */
START_TEST(the_rtoken_table_holds_255_rows_and_no_more)
{
    fake_start(&smc_profile_linux);
    struct smc_group *g = fake_group(false, 1);
    struct smc_link *link = g->links[0];
    struct smc_choice choice = fake_choice(false, 1);
    bool no_link;
    for (unsigned i = 0; i < 255; i++)
        ck_assert_int_eq(smc_rtoken_add(g, link, 1000 + i, i), (int)i);
    ck_assert_int_eq(smc_rtoken_add(g, link, 1, 1), SMC_ERR_NOSPACE); /* [LLC-055] */
    ck_assert_int_eq(smc_rtoken_add(g, link, 1007, 99), 7); /* known: the same row */
    ck_assert_uint_eq(g->rtokens[7 * g->link_slots].va, 99);
    ck_assert_ptr_null(find(&choice, &no_link));
    ck_assert_int_eq(smc_rtoken_delete(g, link, 1100), 0);
    ck_assert_int_eq(smc_rtoken_delete(g, link, 1100), SMC_ERR_NOTFOUND);
    ck_assert_ptr_eq(find(&choice, &no_link), g);
    ck_assert_int_eq(smc_rtoken_add(g, link, 1, 1), 100);
    fake_stop();
}
END_TEST

START_TEST(rtokens_of_other_links_hang_on_a_known_one)
{
    fake_start(&smc_profile_linux);
    struct smc_group *g = fake_group(false, 1);
    struct smc_link *a = g->links[0], *b = fake_second(g);
    ck_assert_int_eq(smc_rtoken_add(g, a, 10, 1), 0);
    ck_assert_int_eq(smc_rtoken_add(g, a, 11, 2), 1);
    ck_assert_int_eq(smc_rtoken_map(g, a, 11, b, 20, 3), 1);
    ck_assert_int_eq(smc_rtoken_map(g, a, 12, b, 21, 3), SMC_ERR_NOTFOUND);
    ck_assert_int_eq(smc_rtoken_find(g, b, 20), 1);
    ck_assert_int_eq(smc_rtoken_find(g, b, 11), SMC_ERR_NOTFOUND);
    ck_assert_int_eq(smc_rtoken_delete(g, b, 20), 0);
    ck_assert_int_eq(smc_rtoken_find(g, a, 11), SMC_ERR_NOTFOUND);
    smc_link_free(a);
    ck_assert_int_eq(smc_rtoken_add(g, b, 30, 1), 0); /* the row of rkey 10 went with its only link */
    fake_stop();
}
END_TEST

START_TEST(a_row_in_use_is_not_given_to_another_rmb)
{
    fake_start(&smc_profile_linux);
    struct smc_group *g = fake_group(false, 1);
    attach(g, 2);
    c[0].peer_row = (int16_t)smc_rtoken_add(g, g->links[0], 10, 1);
    ck_assert_int_eq(smc_rtoken_delete(g, g->links[0], 10), 0);
    ck_assert_int_eq(smc_rtoken_add(g, g->links[0], 11, 1), 1);
    smc_group_detach(&c[0]);
    ck_assert_int_eq(smc_rtoken_add(g, g->links[0], 12, 1), 0);
    fake_stop();
}
END_TEST

START_TEST(an_rtoken_without_memory_changes_nothing)
{
    fake_start(&smc_profile_linux);
    struct smc_group *g = fake_group(false, 1);
    for (unsigned i = 0; i < 8; i++)
        ck_assert_int_eq(smc_rtoken_add(g, g->links[0], 1 + i, 1), (int)i);
    fake_memory.countdown = 0;
    ck_assert_int_eq(smc_rtoken_add(g, g->links[0], 100, 1), SMC_ERR_NOMEM);
    ck_assert_int_eq(smc_rtoken_find(g, g->links[0], 8), 7);
    ck_assert_int_eq(smc_rtoken_add(g, g->links[0], 100, 1), 8);
    fake_stop();
}
END_TEST

static Suite *make_suite(void)
{
    Suite *s = suite_create("group");
    TCase *t = tcase_create("group");
    tcase_add_loop_test(t, a_group_is_reused_only_if_everything_fits, 0, 2);
    tcase_add_test(t, a_client_takes_the_link_that_the_accept_names);
    tcase_add_test(t, a_v2_group_ignores_vlan_and_mac);
    tcase_add_test(t, a_v2_server_finds_a_group_by_gid_where_the_proposal_says_no_id);
    tcase_add_test(t, an_smcd_group_is_one_device_and_one_gid_of_128_bits);
    tcase_add_test(t, sharers_of_one_gid_have_groups_of_their_own);
    tcase_add_test(t, the_256th_connection_finds_no_room_at_the_server);
    tcase_add_test(t, the_server_spreads_connections_and_leaves_asymmetric_links_alone);
    tcase_add_test(t, without_an_active_link_nobody_joins);
    tcase_add_test(t, the_type_follows_the_active_links);
    tcase_add_loop_test(t, an_idle_group_ends_after_its_time_and_a_new_connection_saves_it, 0, 2);
    tcase_add_loop_test(t, a_group_lingers_until_its_last_words_have_left, 0, 3);
    tcase_add_test(t, a_group_ends_once_even_if_it_is_held);
    tcase_add_test(t, a_failed_first_contact_ends_its_group_and_lets_the_others_try);
    tcase_add_test(t, who_leaves_hears_of_its_messages_at_once_and_never_again);
    tcase_add_test(t, group_ids_leave_room_for_link_numbers);
    tcase_add_test(t, the_rtoken_table_holds_255_rows_and_no_more);
    tcase_add_test(t, rtokens_of_other_links_hang_on_a_known_one);
    tcase_add_test(t, a_row_in_use_is_not_given_to_another_rmb);
    tcase_add_test(t, an_rtoken_without_memory_changes_nothing);
    suite_add_tcase(s, t);
    return s;
}
CHECK_MAIN(make_suite)
