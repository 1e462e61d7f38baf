/* Tests of links and RDMA devices: bringing up, numbers, ports, events, failing at every step, removal.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "link_fake_test.h"

START_TEST(a_qp_is_brought_up_with_the_attributes_of_linux)
{
    fake_start(&smc_profile_linux);
    struct smc_choice choice = fake_choice(false, 1);
    struct smc_group *g;
    ck_assert_int_eq(smc_group_new(&fake_ep, &choice, &g), 0);
    struct smc_link *link = g->links[0];
    ck_assert_int_eq(link->state, SMC_LINK_ACTIVATING);
    ck_assert_int_eq(link->qp->state, SMC_RDMA_QP_INIT);
    ck_assert_uint_eq(link->qp->receive_count, SMC_RECEIVE_BUFFERS); /* [ROCE-007] */
    ck_assert_uint_eq(link->number, 1);
    ck_assert_uint_eq(link->qpn, link->qp->number);
    ck_assert_uint_le(link->psn, 0xffffff);
    link->peer_qpn = 0x123456;
    link->peer_psn = 0x654321;
    link->peer_mtu = SMC_RDMA_MTU_512;
    fake_up(link);
    const struct smc_rdma_qp_change *rtr = &link->qp->rtr, *rts = &link->qp->rts;
    ck_assert_uint_eq(rtr->rtr.remote_qp_number, 0x123456);
    ck_assert_uint_eq(rtr->rtr.receive_psn, 0x654321);
    ck_assert_uint_eq(rtr->rtr.path_mtu, SMC_RDMA_MTU_512);
    ck_assert_uint_eq(rtr->rtr.min_rnr_timer, 5);
    ck_assert_uint_eq(rtr->rtr.hop_limit, 1); /* [ROCE-011] */
    ck_assert_mem_eq(rtr->rtr.remote_mac, choice.peer_mac, 6);
    ck_assert_uint_eq(rts->rts.send_psn, link->psn);
    ck_assert_uint_eq(rts->rts.ack_timeout, 15);
    ck_assert_uint_eq(rts->rts.retry_count, 7);
    ck_assert_uint_eq(rts->rts.rnr_retry, 7);
    ck_assert_uint_eq(link->mtu, SMC_RDMA_MTU_512);
    ck_assert_uint_eq(fake_ep.counters.links_added, 1);
    ck_assert_int_eq(g->type, SMC_GROUP_SINGLE);
    fake_stop();
}
END_TEST

START_TEST(own_mtu_holds_if_the_peers_is_greater_and_an_unknown_one_is_refused)
{
    fake_start(&smc_profile_linux);
    struct smc_choice choice = fake_choice(false, 1);
    struct smc_group *g;
    ck_assert_int_eq(smc_group_new(&fake_ep, &choice, &g), 0);
    g->links[0]->peer_mtu = 6;
    ck_assert_int_eq(smc_link_rtr(g->links[0]), SMC_ERR_PROTOCOL);
    ck_assert_int_eq(g->links[0]->qp->state, SMC_RDMA_QP_INIT);
    g->links[0]->peer_mtu = SMC_RDMA_MTU_4096;
    ck_assert_int_eq(smc_link_rtr(g->links[0]), 0);
    ck_assert_uint_eq(g->links[0]->qp->rtr.rtr.path_mtu, SMC_RDMA_MTU_1024);
    fake_stop();
}
END_TEST

START_TEST(a_v2_link_over_a_gateway_names_the_next_hop)
{
    fake_start(&smc_profile_linux);
    struct smc_choice choice = fake_choice(false, 2);
    struct smc_group *g;
    choice.route.direct = false;
    memcpy(choice.route.next_hop_mac, "\2\3\4\5\6\7", 6);
    ck_assert_int_eq(smc_group_new(&fake_ep, &choice, &g), 0);
    fake_up(g->links[0]);
    ck_assert_uint_eq(g->links[0]->qp->rtr.rtr.hop_limit, 64); /* [ROCE-011] */
    ck_assert_mem_eq(g->links[0]->qp->rtr.rtr.remote_mac, choice.route.next_hop_mac, 6);
    fake_stop();
}
END_TEST

/* 600 links come and go beside one that stays, with number 2 [LLC-019] [LLC-020] (B-17). */
START_TEST(link_numbers_are_unique_and_come_again_only_after_all_others)
{
    fake_start(&smc_profile_linux);
    struct smc_group *g = fake_group(false, 1);
    struct smc_link *stays = fake_second(g), *link;
    uint8_t before = stays->number;
    ck_assert_uint_eq(before, 2);
    for (unsigned i = 0; i < 600; i++) {
        ck_assert_int_eq(smc_link_new(g, fake_rnic(0), 1, 0, &link), 0);
        ck_assert_uint_ne(link->number, 0);
        ck_assert_uint_ne(link->number, 1);
        ck_assert_uint_ne(link->number, stays->number);
        ck_assert_uint_eq(link->number, before == 255 ? 3 : before + 1);
        ck_assert_ptr_eq(smc_group_link_by_number(g, link->number), link);
        before = link->number;
        smc_link_free(link);
    }
    fake_stop();
}
END_TEST

START_TEST(there_is_one_link_more_than_agreed_for_a_while)
{
    fake_start(&smc_profile_linux);
    struct smc_group *g = fake_group(false, 1);
    struct smc_link *link;
    ck_assert_int_eq(smc_link_new(g, fake_rnic(1), 1, 0, &link), 0);
    ck_assert_int_eq(smc_link_new(g, fake_rnic(1), 2, 0, &link), 0);
    ck_assert_int_eq(smc_link_new(g, fake_rnic(1), 2, 0, &link), SMC_ERR_NOSPACE);
    fake_stop();
}
END_TEST

/* Each request of memory and each operation of the device fails once; nothing is left over, and then it works. */
START_TEST(a_link_that_fails_on_the_way_leaves_nothing)
{
    fake_start(_i == 0 ? &smc_profile_linux : &smc_profile_rfc);
    struct smc_choice choice = fake_choice(false, (uint8_t)(1 + _i));
    unsigned failures = 0;
    for (int device = 0; device < 2; device++) {
        for (long n = 0;; n++) {
            struct smc_group *g = NULL;
            size_t live = fake_memory.live;
            *(device ? &fake_device_countdown : &fake_memory.countdown) = n;
            int error = smc_group_new(&fake_ep, &choice, &g);
            fake_memory.countdown = fake_device_countdown = -1;
            if (error == 0) {
                smc_group_terminate(g, 0, false);
                break;
            }
            failures++;
            ck_assert(error == SMC_ERR_NOMEM || error == SMC_ERR_NOSPACE);
            ck_assert_uint_eq(fake_memory.live, live);
            ck_assert_uint_eq(fake_devices[0].pds + fake_devices[0].mrs + fake_devices[0].cqs + fake_devices[0].qps, 0);
            ck_assert(smc_list_empty(&fake_ep.groups) && smc_list_empty(&fake_rnic(0)->links));
        }
    }
    ck_assert_uint_ge(failures, 25);
    ck_assert_uint_eq(fake_ep.counters.groups_created, 2);
    fake_stop();
}
END_TEST

START_TEST(a_second_port_is_looked_for_on_another_device_first)
{
    fake_start(&smc_profile_linux);
    struct smc_group *g = fake_group(false, 1);
    struct smc_rnic *rnic;
    struct smc_link *link;
    uint8_t port;
    uint32_t index;
    bool asymmetric;
    ck_assert_int_eq(smc_link_find_port(g, &rnic, &port, &index, &asymmetric), 0);
    ck_assert_ptr_eq(rnic, fake_rnic(1));
    ck_assert_uint_eq(port, 1);
    ck_assert(!asymmetric);
    ck_assert_int_eq(smc_link_new(g, rnic, port, index, &link), 0);
    ck_assert_int_eq(smc_link_find_port(g, &rnic, &port, &index, &asymmetric), 0);
    ck_assert(rnic == fake_rnic(1) && port == 2 && !asymmetric);
    fake_devices[1].ports[2].active = false;
    ck_assert_int_eq(smc_link_find_port(g, &rnic, &port, &index, &asymmetric), 0);
    ck_assert(asymmetric);
    fake_devices[1].ports[1].active = fake_devices[0].ports[1].active = false;
    ck_assert_int_eq(smc_link_find_port(g, &rnic, &port, &index, &asymmetric), SMC_ERR_NOTFOUND);
    fake_stop();
}
END_TEST

START_TEST(a_port_of_another_physical_network_or_vlan_is_none)
{
    fake_start(&smc_profile_linux);
    struct smc_group *g = fake_group(false, 1);
    struct smc_rnic *rnic;
    uint8_t port;
    uint32_t index;
    bool asymmetric;
    memcpy(fake_rnic(0)->pnet, "NET1", 5);
    memcpy(fake_rnic(1)->pnet, "NET2", 5);
    ck_assert_int_eq(smc_link_find_port(g, &rnic, &port, &index, &asymmetric), 0);
    ck_assert(rnic == fake_rnic(0) && asymmetric);
    g->vlan_valid = true;
    g->vlan_id = 7;
    ck_assert_int_eq(smc_link_find_port(g, &rnic, &port, &index, &asymmetric), SMC_ERR_NOTFOUND);
    fake_devices[0].gids[1][3] = fake_devices[0].gids[1][0];
    fake_devices[0].gids[1][3].vlan_valid = true;
    fake_devices[0].gids[1][3].vlan_id = 7;
    ck_assert_int_eq(smc_link_find_port(g, &rnic, &port, &index, &asymmetric), 0);
    ck_assert_uint_eq(index, 3);
    fake_stop();
}
END_TEST

START_TEST(gids_are_chosen_by_version_and_v2_prefers_ipv4)
{
    fake_start(&smc_profile_linux);
    struct smc_rdma_gid_entry entry;
    uint32_t index;
    ck_assert_int_eq(smc_rnic_find_gid(fake_rnic(0), 1, 1, false, 0, &index, &entry), 0);
    ck_assert_uint_eq(index, 0);
    ck_assert_int_eq(smc_rnic_find_gid(fake_rnic(0), 1, 2, false, 0, &index, &entry), 0);
    ck_assert_uint_eq(index, 2);
    memset(&fake_devices[0].gids[1][2], 0, sizeof(entry));
    ck_assert_int_eq(smc_rnic_find_gid(fake_rnic(0), 1, 2, false, 0, &index, &entry), 0);
    ck_assert_uint_eq(index, 1);
    ck_assert_int_eq(smc_rnic_find_gid(fake_rnic(0), 2, 2, false, 0, &index, &entry), SMC_ERR_NOTFOUND);
    fake_stop();
}
END_TEST

static void tell(unsigned device, enum smc_rdma_event_type type, uint8_t port, struct smc_rdma_qp *qp)
{
    struct smc_rdma_device *d = &fake_devices[device].device;
    struct smc_rdma_event e = {.type = type, .port = port, .qp = qp};
    d->handler.event(d->handler.user, &e);
}

START_TEST(events_take_down_the_links_they_concern_and_no_others)
{
    fake_start(&smc_profile_linux);
    struct smc_group *g = fake_group(false, 1);
    struct smc_link *first = g->links[0], *second = fake_second(g);
    tell(1, SMC_RDMA_PORT_ERROR, 2, NULL); /* not in use */
    tell(1, SMC_RDMA_PORT_ERROR, 3, NULL); /* there is none [FAILOVER-014] */
    tell(0, SMC_RDMA_GID_CHANGE, 1, NULL); /* it is still there */
    fake_poll();
    ck_assert_uint_eq(seen.lost, 0);
    switch (_i) {
    case 0: tell(1, SMC_RDMA_PORT_ERROR, 1, NULL); break;
    case 1: tell(1, SMC_RDMA_DEVICE_FATAL, 0, NULL); break;
    case 2: tell(1, SMC_RDMA_QP_FATAL, 0, second->qp); break;
    case 3: tell(1, SMC_RDMA_QP_ACCESS_ERROR, 0, second->qp); break;
    default:
        memset(&fake_devices[1].gids[1][0], 0, sizeof(struct smc_rdma_gid_entry));
        tell(1, SMC_RDMA_GID_CHANGE, 1, NULL);
    }
    ck_assert_int_eq(second->state, SMC_LINK_ACTIVE); /* only noted */
    fake_poll();
    ck_assert_int_eq(second->state, SMC_LINK_INACTIVE);
    ck_assert_int_eq(first->state, SMC_LINK_ACTIVE);
    ck_assert_uint_eq(seen.lost, 1);
    ck_assert_uint_eq(seen.failovers, 1);
    ck_assert_uint_eq(fake_ep.counters.links_lost, 1);
    smc_link_down(second); /* once only */
    ck_assert_uint_eq(seen.lost, 1);
    fake_stop();
}
END_TEST

START_TEST(a_port_that_comes_up_is_told_if_it_is_up)
{
    fake_start(&smc_profile_linux);
    fake_devices[1].ports[2].active = false;
    tell(1, SMC_RDMA_PORT_ACTIVE, 1, NULL);
    tell(1, SMC_RDMA_PORT_ACTIVE, 2, NULL);
    tell(1, SMC_RDMA_PORT_ACTIVE, 200, NULL);
    fake_poll();
    ck_assert_uint_eq(seen.port_ups, 1);
    fake_poll();
    ck_assert_uint_eq(seen.port_ups, 1);
    fake_stop();
}
END_TEST

START_TEST(the_last_link_takes_the_group_along)
{
    fake_start(&smc_profile_linux);
    struct smc_group *g = fake_group(false, 1);
    struct smc_connection c[3];
    for (unsigned i = 0; i < 3; i++) {
        fake_connection(&c[i]);
        ck_assert_int_eq(smc_group_attach(g, NULL, &c[i]), 0);
        ck_assert_int_eq(smc_buf_rmb(&c[i], 0), 0);
    }
    tell(0, SMC_RDMA_PORT_ERROR, 1, NULL);
    fake_poll();
    ck_assert(smc_list_empty(&fake_ep.groups));
    ck_assert_uint_eq(seen.aborts, 3);
    ck_assert_uint_eq(seen.delete_all, 0); /* there is nobody left to tell */
    ck_assert_ptr_null(c[0].group);
    ck_assert_ptr_null(c[2].rmb);
    fake_stop();
}
END_TEST

START_TEST(both_links_of_a_dying_device_go_without_moving_to_one_another)
{
    fake_start(&smc_profile_linux);
    struct smc_choice choice = fake_choice(false, 1);
    struct smc_group *g;
    struct smc_link *second, *third;
    struct smc_connection c;
    choice.rnic = fake_rnic(1);
    ck_assert_int_eq(smc_group_new(&fake_ep, &choice, &g), 0);
    ck_assert_int_eq(smc_link_new(g, fake_rnic(1), 2, 0, &second), 0);
    ck_assert_int_eq(smc_link_new(g, fake_rnic(0), 1, 0, &third), 0);
    for (unsigned i = 0; i < 3; i++)
        fake_up(g->links[i]);
    smc_group_settled(g);
    fake_connection(&c);
    ck_assert_int_eq(smc_group_attach(g, g->links[0], &c), 0);
    if (_i == 0)
        tell(1, SMC_RDMA_DEVICE_FATAL, 0, NULL);
    else
        smc_rnic_remove(fake_rnic(1));
    fake_poll();
    ck_assert_ptr_eq(c.link, third);
    ck_assert_uint_eq(seen.moves, 1);
    ck_assert_uint_eq(seen.lost, 2);
    ck_assert_uint_eq(third->connections, 1);
    fake_stop();
}
END_TEST

START_TEST(connections_that_failover_leaves_behind_are_aborted)
{
    fake_start(&smc_profile_linux);
    struct smc_group *g = fake_group(false, 1);
    struct smc_link *a = fake_second(g);
    struct smc_connection c[2];
    seen.failover_keeps = true;
    seen.flow_free_on_loss = true;
    for (unsigned i = 0; i < 2; i++) {
        fake_connection(&c[i]);
        ck_assert_int_eq(smc_group_attach(g, a, &c[i]), 0);
    }
    smc_link_down(a);
    ck_assert_uint_eq(seen.aborts, 2);
    ck_assert(c[0].group == NULL && c[1].group == NULL);
    ck_assert_ptr_null(g->links[1]);
    fake_stop();
}
END_TEST

START_TEST(a_connection_does_not_outlive_the_link_that_is_freed_under_it)
{
    fake_start(&smc_profile_linux);
    struct smc_group *g = fake_group(false, 1);
    struct smc_link *second = fake_second(g);
    struct smc_connection c;
    fake_connection(&c);
    ck_assert_int_eq(smc_group_attach(g, second, &c), 0);
    smc_link_free(second);
    ck_assert_uint_eq(seen.aborts, 1);
    ck_assert(c.group == NULL && c.link == NULL && c.peer_silent);
    fake_stop();
}
END_TEST

START_TEST(removing_a_device_ends_its_links_and_leaves_husks_to_the_flows)
{
    fake_start(&smc_profile_linux);
    struct smc_group *g = fake_group(false, 1);
    struct smc_link *second = fake_second(g);
    struct smc_rnic *rnic = fake_rnic(1);
    struct smc_connection c;
    fake_connection(&c);
    ck_assert_int_eq(smc_group_attach(g, second, &c), 0);
    ck_assert_int_eq(smc_buf_rmb(&c, 0), 0);
    smc_rnic_remove(rnic);
    ck_assert_uint_eq(fake_devices[1].qps + fake_devices[1].mrs + fake_devices[1].pds + fake_devices[1].cqs, 0);
    ck_assert_ptr_eq(c.link, g->links[0]);
    ck_assert_ptr_null(second->rnic);
    ck_assert_ptr_eq(g->links[1], second);
    uint8_t message[SMC_LLC_BYTES] = {0};
    ck_assert_int_eq(smc_wr_send(second, message, sizeof(message), NULL, NULL), SMC_ERR_STATE);
    ck_assert_int_eq(smc_link_rts(second), SMC_ERR_GONE);
    fake_devices[1].device.handler.completed(fake_devices[1].device.handler.user, NULL); /* too late: nobody listens */
    smc_link_free(second);
    fake_stop();
}
END_TEST

START_TEST(a_removed_device_stays_harmless_while_a_handshake_may_name_it)
{
    fake_start(&smc_profile_linux);
    struct smc_connection c;
    struct smc_rnic *rnic = fake_rnic(1);
    struct smc_rdma_gid_entry entry;
    uint32_t index;
    struct smc_choice choice = fake_choice(false, 1);
    struct smc_group *g;
    fake_connection(&c);
    c.hs = (struct smc_handshake *)(void *)&c;
    smc_list_add_tail(&fake_ep.connections, &c.all);
    smc_rnic_remove(rnic);
    ck_assert_int_eq(smc_rnic_find_gid(rnic, 1, 1, false, 0, &index, &entry), SMC_ERR_NOTFOUND);
    choice.rnic = rnic;
    ck_assert_int_eq(smc_group_new(&fake_ep, &choice, &g), SMC_ERR_GONE);
    c.hs = NULL;
    fake_poll();
    ck_assert_ptr_eq(fake_ep.rnics.next->next, &fake_ep.rnics);
    ck_assert_int_eq(smc_rnic_add(&fake_ep, &fake_devices[1].device, ""), 0); /* it may come back */
    smc_list_remove(&c.all);
    fake_stop();
}
END_TEST

START_TEST(a_device_is_added_once_and_gives_the_peer_id)
{
    fake_start(&smc_profile_linux);
    ck_assert_int_eq(smc_rnic_add(&fake_ep, &fake_devices[0].device, ""), SMC_ERR_EXISTS);
    ck_assert_int_eq(smc_rnic_add(&fake_ep, &fake_devices[0].device, "12345678901234567"), SMC_ERR_ARGUMENT);
    ck_assert_mem_eq(fake_ep.peer_id + 2, fake_devices[0].gids[1][0].mac, 6);
    uint8_t before[8];
    memcpy(before, fake_ep.peer_id, sizeof(before));
    smc_rnic_remove(fake_rnic(0));
    ck_assert_mem_eq(fake_ep.peer_id, before, sizeof(before));
    fake_memory.countdown = 0;
    ck_assert_int_eq(smc_rnic_add(&fake_ep, &fake_devices[0].device, ""), SMC_ERR_NOMEM);
    fake_stop();
}
END_TEST

static Suite *make_suite(void)
{
    Suite *s = suite_create("link");
    TCase *t = tcase_create("link");
    tcase_add_test(t, a_qp_is_brought_up_with_the_attributes_of_linux);
    tcase_add_test(t, own_mtu_holds_if_the_peers_is_greater_and_an_unknown_one_is_refused);
    tcase_add_test(t, a_v2_link_over_a_gateway_names_the_next_hop);
    tcase_add_test(t, link_numbers_are_unique_and_come_again_only_after_all_others);
    tcase_add_test(t, there_is_one_link_more_than_agreed_for_a_while);
    tcase_add_loop_test(t, a_link_that_fails_on_the_way_leaves_nothing, 0, 2);
    tcase_add_test(t, a_second_port_is_looked_for_on_another_device_first);
    tcase_add_test(t, a_port_of_another_physical_network_or_vlan_is_none);
    tcase_add_test(t, gids_are_chosen_by_version_and_v2_prefers_ipv4);
    tcase_add_loop_test(t, events_take_down_the_links_they_concern_and_no_others, 0, 5);
    tcase_add_test(t, a_port_that_comes_up_is_told_if_it_is_up);
    tcase_add_test(t, the_last_link_takes_the_group_along);
    tcase_add_loop_test(t, both_links_of_a_dying_device_go_without_moving_to_one_another, 0, 2);
    tcase_add_test(t, connections_that_failover_leaves_behind_are_aborted);
    tcase_add_test(t, a_connection_does_not_outlive_the_link_that_is_freed_under_it);
    tcase_add_test(t, removing_a_device_ends_its_links_and_leaves_husks_to_the_flows);
    tcase_add_test(t, a_removed_device_stays_harmless_while_a_handshake_may_name_it);
    tcase_add_test(t, a_device_is_added_once_and_gives_the_peer_id);
    suite_add_tcase(s, t);
    return s;
}
CHECK_MAIN(make_suite)
