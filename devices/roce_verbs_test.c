/* Tests of the RoCE NIC behind smc/rdma.h: objects, states, completion queues, and memory running out.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/roce_lab_test.h"

/* ---- Ports and GIDs ------------------------------------------------------------------------------ */

START_TEST(ports_and_gids_can_be_asked_for)
{
    struct setup setup = plain_setup();
    setup.config.ports = 2;
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0];
    struct smc_rdma_port port;
    struct smc_rdma_gid_entry gid, expected = end_gid(&setup, 0);
    ck_assert_str_eq(a->device->name, "roce0");
    ck_assert_uint_eq(a->device->port_count, 2);
    ck_assert_int_eq(a->ops->query_port(a->device, 1, &port), 0);
    ck_assert(port.active);
    ck_assert_int_eq(port.active_mtu, SMC_RDMA_MTU_4096);
    ck_assert_uint_eq(port.gid_count, 16);
    ck_assert_int_eq(a->ops->query_port(a->device, 2, &port), 0);
    ck_assert(!port.active);
    ck_assert_int_eq(a->ops->query_port(a->device, 0, &port), SMC_ERR_NOTFOUND);
    ck_assert_int_eq(a->ops->query_port(a->device, 3, &port), SMC_ERR_NOTFOUND);
    ck_assert_int_eq(a->ops->query_gid(a->device, 1, 3, &gid), 0);
    ck_assert(smc_gid_equal(&gid.gid, &expected.gid));
    ck_assert_int_eq(a->ops->query_gid(a->device, 1, 0, &gid), 0);
    ck_assert(smc_gid_is_zero(&gid.gid));
    ck_assert_int_eq(a->ops->query_gid(a->device, 1, 16, &gid), SMC_ERR_NOTFOUND);
    lab_close(lab);
}
END_TEST

START_TEST(the_active_mtu_leaves_room_for_headers)
{
    static const struct {
        uint32_t port;
        enum smc_rdma_mtu active;
    } mtus[] = {{68, SMC_RDMA_MTU_256},   {1500, SMC_RDMA_MTU_1024}, {1103, SMC_RDMA_MTU_512},
                {1104, SMC_RDMA_MTU_1024}, {4175, SMC_RDMA_MTU_2048}, {4176, SMC_RDMA_MTU_4096},
                {9000, SMC_RDMA_MTU_4096}};
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0];
    for (unsigned i = 0; i < sizeof(mtus) / sizeof(mtus[0]); i++) {
        struct smc_rdma_port port;
        a->wire.mtu = mtus[i].port;
        ck_assert_int_eq(a->ops->query_port(a->device, 1, &port), 0);
        ck_assert_int_eq(port.active_mtu, mtus[i].active);
    }
    lab_close(lab);
}
END_TEST

START_TEST(gid_changes_are_told_once_and_nonsense_is_refused)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0];
    struct smc_rdma_gid_entry gid = end_gid(&setup, 0);
    unsigned events = a->event_count;
    ck_assert_int_eq(roce_set_gid(a->roce, 1, 3, &gid), 0); /* as it was */
    ck_assert_uint_eq(a->event_count, events);
    ck_assert_int_eq(roce_set_gid(a->roce, 1, 4, &gid), 0);
    ck_assert_uint_eq(a->event_count, events + 1);
    ck_assert_int_eq(a->events[events].type, SMC_RDMA_GID_CHANGE);
    ck_assert_uint_eq(a->events[events].port, 1);
    ck_assert_int_eq(roce_set_gid(a->roce, 2, 0, &gid), SMC_ERR_NOTFOUND);
    ck_assert_int_eq(roce_set_gid(a->roce, 1, 16, &gid), SMC_ERR_NOTFOUND);
    gid.vlan_valid = true;
    gid.vlan_id = 4095;
    ck_assert_int_eq(roce_set_gid(a->roce, 1, 4, &gid), SMC_ERR_ARGUMENT);
    gid = end_gid(&setup, 0);
    gid.mac[0] |= 1;
    ck_assert_int_eq(roce_set_gid(a->roce, 1, 4, &gid), SMC_ERR_ARGUMENT);
    ck_assert_int_eq(roce_set_gid(a->roce, 1, 4, NULL), 0);
    ck_assert_uint_eq(a->event_count, events + 2);
    lab_close(lab);
}
END_TEST

/* ---- Objects ------------------------------------------------------------------------------------- */

START_TEST(what_is_in_use_cannot_be_destroyed)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0];
    ck_assert_int_eq(a->ops->dealloc_pd(a->device, a->pd), SMC_ERR_BUSY);
    ck_assert_int_eq(a->ops->destroy_cq(a->device, a->cq), SMC_ERR_BUSY);
    ck_assert_int_eq(a->ops->destroy_qp(a->device, a->qp), 0);
    ck_assert_int_eq(a->ops->destroy_cq(a->device, a->cq), 0);
    ck_assert_int_eq(a->ops->dealloc_pd(a->device, a->pd), SMC_ERR_BUSY); /* the MR */
    ck_assert_int_eq(a->ops->dereg_mr(a->device, &a->mr), 0);
    ck_assert_int_eq(a->ops->dereg_mr(a->device, &a->mr), SMC_ERR_NOTFOUND);
    ck_assert_int_eq(a->ops->dealloc_pd(a->device, a->pd), 0);
    lab_close(lab);
}
END_TEST

START_TEST(registration_checks_access_and_makes_keys_of_its_own)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0];
    struct smc_rdma_mr mr[3];
    unsigned remote = SMC_RDMA_REMOTE_WRITE, local = SMC_RDMA_LOCAL_WRITE;
    ck_assert_int_eq(a->ops->reg_mr(a->device, a->pd, a->memory, 9, remote, mr), SMC_ERR_ARGUMENT);
    ck_assert_int_eq(a->ops->reg_mr(a->device, a->pd, a->memory, 9, 4, mr), SMC_ERR_ARGUMENT);
    ck_assert_int_eq(a->ops->reg_mr(a->device, a->pd, a->memory, 0, 0, mr), SMC_ERR_ARGUMENT);
    ck_assert_int_eq(a->ops->reg_mr(a->device, a->pd, NULL, 9, 0, mr), SMC_ERR_ARGUMENT);
    ck_assert_int_eq(a->ops->reg_mr(a->device, NULL, a->memory, 9, 0, mr), SMC_ERR_ARGUMENT);
    ck_assert_int_eq(a->ops->reg_mr(a->device, a->pd, a->memory, 9, local, &mr[0]), 0);
    ck_assert_int_eq(a->ops->reg_mr(a->device, a->pd, a->memory, 9, local | remote, &mr[1]), 0);
    ck_assert_uint_eq(mr[0].rkey, 0);
    ck_assert_uint_ne(mr[1].rkey, 0);
    ck_assert_uint_ne(mr[0].lkey, mr[1].lkey);
    ck_assert_uint_ge(mr[1].remote_address, mr[0].remote_address + 9);
    lab_close(lab);
}
END_TEST

static int compare_keys(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

START_TEST(keys_do_not_come_again_and_hang_on_the_seed)
{
    enum { COUNT = 20000 };
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0], *b = &lab->ends[1]; /* b: seed + 1 */
    static uint32_t used[COUNT];
    unsigned same = 0;
    for (unsigned i = 0; i < COUNT; i++) {
        struct smc_rdma_mr x, y;
        ck_assert_int_eq(a->ops->reg_mr(a->device, a->pd, a->memory, 1, 0, &x), 0);
        ck_assert_int_eq(b->ops->reg_mr(b->device, b->pd, b->memory, 1, 0, &y), 0);
        used[i] = x.lkey;
        same += x.lkey == y.lkey;
        ck_assert_int_eq(a->ops->dereg_mr(a->device, &x), 0);
        if (i % 2)
            ck_assert_int_eq(b->ops->dereg_mr(b->device, &y), 0);
    }
    ck_assert_uint_lt(same, 3);
    qsort(used, COUNT, sizeof(used[0]), compare_keys);
    for (unsigned i = 1; i < COUNT; i++)
        ck_assert_uint_ne(used[i - 1], used[i]);
    lab_close(lab);
}
END_TEST

START_TEST(qp_numbers_are_unique_and_reused_late)
{
    struct setup setup = plain_setup();
    setup.config.first_qp_number = 0xfffffd;
    setup.config.max_qps = 40;
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0];
    struct smc_rdma_qp_config config = {a->cq, a->cq, 1, 1, 1};
    struct smc_rdma_qp *qps[40];
    ck_assert_uint_eq(a->ops->qp_number(a->qp), 0xfffffd);
    for (unsigned i = 0; i < 39; i++)
        ck_assert_int_eq(a->ops->create_qp(a->device, a->pd, &config, &qps[i]), 0);
    ck_assert_int_eq(a->ops->create_qp(a->device, a->pd, &config, &qps[39]), SMC_ERR_NOSPACE);
    ck_assert_uint_eq(a->ops->qp_number(qps[0]), 0xfffffe);
    ck_assert_uint_eq(a->ops->qp_number(qps[1]), 2); /* not all ones, 0 or 1 */
    ck_assert_int_eq(a->ops->destroy_qp(a->device, qps[5]), 0);
    ck_assert_int_eq(a->ops->create_qp(a->device, a->pd, &config, &qps[5]), 0);
    ck_assert_uint_eq(a->ops->qp_number(qps[5]), 40);
    lab_close(lab);
}
END_TEST

/* ---- States -------------------------------------------------------------------------------------- */

/* Brings a fresh QP into a state. */
static void go_to(struct lab *lab, const struct setup *setup, enum smc_rdma_qp_state state)
{
    struct end *a = &lab->ends[0];
    struct smc_rdma_qp_change change = {.state = SMC_RDMA_QP_RESET};
    ck_assert_int_eq(a->ops->modify_qp(a->device, a->qp, &change), 0);
    if (state == SMC_RDMA_QP_RESET)
        return;
    for (int s = SMC_RDMA_QP_INIT; s <= (int)state; s++) {
        change = s == SMC_RDMA_QP_RTR ? to_rtr(lab, 0, setup) : to_rts(setup, 0);
        change.state = (enum smc_rdma_qp_state)s;
        change.init.port = 1;
        ck_assert_int_eq(a->ops->modify_qp(a->device, a->qp, &change), 0);
    }
}

START_TEST(only_the_arrows_of_the_picture_exist)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0];
    for (int from = SMC_RDMA_QP_RESET; from <= SMC_RDMA_QP_ERR; from++) {
        for (int to = SMC_RDMA_QP_RESET; to <= SMC_RDMA_QP_ERR; to++) {
            struct smc_rdma_qp_change change =
                to == SMC_RDMA_QP_RTR ? to_rtr(lab, 0, &setup) : to_rts(&setup, 0);
            change.state = (enum smc_rdma_qp_state)to;
            change.init.port = 1;
            go_to(lab, &setup, (enum smc_rdma_qp_state)from);
            ck_assert_int_eq(state_of(a), from);
            bool arrow = to == SMC_RDMA_QP_RESET || to == SMC_RDMA_QP_ERR ||
                         (to == from + 1 && from < SMC_RDMA_QP_RTS);
            ck_assert_int_eq(a->ops->modify_qp(a->device, a->qp, &change),
                             arrow ? 0 : SMC_ERR_STATE);
            ck_assert_int_eq(state_of(a), arrow ? to : from);
        }
    }
    lab_close(lab);
}
END_TEST

START_TEST(a_change_with_a_bad_field_changes_nothing)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0];
    struct smc_rdma_qp_change good, bad[12];
    go_to(lab, &setup, SMC_RDMA_QP_INIT);
    good = to_rtr(lab, 0, &setup);
    for (unsigned i = 0; i < 12; i++)
        bad[i] = good;
    bad[0].rtr.gid_index = 16;
    bad[1].rtr.gid_index = 0; /* empty */
    bad[2].rtr.path_mtu = (enum smc_rdma_mtu)0;
    bad[3].rtr.path_mtu = (enum smc_rdma_mtu)6;
    bad[4].rtr.min_rnr_timer = 32;
    bad[5].rtr.remote_qp_number = 1u << 24;
    bad[6].rtr.receive_psn = 1u << 24;
    bad[7].rtr.remote_gid = (struct smc_gid){{0}};
    memset(bad[8].rtr.remote_mac, 0, 6);
    bad[9].rtr.remote_gid.bytes[10] = 0; /* an IPv6 address from an IPv4 one */
    bad[10].state = (enum smc_rdma_qp_state)77;
    for (unsigned i = 0; i < 11; i++) {
        int expected = i >= 7 && i <= 9 ? SMC_ERR_UNREACHABLE : SMC_ERR_ARGUMENT;
        ck_assert_int_eq(a->ops->modify_qp(a->device, a->qp, &bad[i]), expected);
        ck_assert_int_eq(state_of(a), SMC_RDMA_QP_INIT);
    }
    a->wire.mtu = 1500;
    bad[11].rtr.path_mtu = SMC_RDMA_MTU_2048; /* more than the port's */
    ck_assert_int_eq(a->ops->modify_qp(a->device, a->qp, &bad[11]), SMC_ERR_ARGUMENT);
    ck_assert_int_eq(a->ops->modify_qp(a->device, a->qp, &good), 0);
    for (unsigned i = 0; i < 4; i++) {
        struct smc_rdma_qp_change rts = to_rts(&setup, 0);
        rts.rts.send_psn = i == 0 ? 1u << 24 : 0;
        rts.rts.ack_timeout = i == 1 ? 32 : 1;
        rts.rts.retry_count = i == 2 ? 8 : 1;
        rts.rts.rnr_retry = i == 3 ? 8 : 1;
        ck_assert_int_eq(a->ops->modify_qp(a->device, a->qp, &rts), SMC_ERR_ARGUMENT);
    }
    lab_close(lab);
}
END_TEST

START_TEST(posting_depends_on_the_state)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0];
    static const int sends[] = {SMC_ERR_STATE, SMC_ERR_STATE, SMC_ERR_STATE, 0};
    static const int receives[] = {SMC_ERR_STATE, 0, 0, 0};
    for (int state = SMC_RDMA_QP_RESET; state <= SMC_RDMA_QP_RTS; state++) {
        go_to(lab, &setup, (enum smc_rdma_qp_state)state);
        ck_assert_int_eq(try_send(a, 1, 0, 10), sends[state]);
        ck_assert_int_eq(try_receive(a, 1, 0, 10), receives[state]);
    }
    lab_close(lab);
}
END_TEST

START_TEST(posting_checks_room_ranges_and_arguments)
{
    struct setup setup = plain_setup();
    setup.max_send = 3;
    setup.max_receive = 5;
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0];
    struct smc_rdma_piece pieces[4] = {{&a->mr, 0, 1}, {&a->mr, 0, 1}, {&a->mr, 0, 1}, {NULL, 0, 1}};
    struct smc_rdma_send send = {.opcode = SMC_RDMA_RECV};
    ck_assert_int_eq(try_send(a, 1, MEMORY - 9, 10), SMC_ERR_RANGE);
    ck_assert_int_eq(try_send(a, 1, SIZE_MAX, 10), SMC_ERR_RANGE);
    ck_assert_int_eq(try_receive(a, 1, MEMORY + 1, 0), SMC_ERR_RANGE);
    ck_assert_int_eq(a->ops->post_send(a->device, a->qp, &send), SMC_ERR_ARGUMENT);
    send = (struct smc_rdma_send){.opcode = SMC_RDMA_SEND, .pieces = pieces, .piece_count = 4};
    ck_assert_int_eq(a->ops->post_send(a->device, a->qp, &send), SMC_ERR_ARGUMENT);
    send.pieces = pieces + 3;
    send.piece_count = 1;
    ck_assert_int_eq(a->ops->post_send(a->device, a->qp, &send), SMC_ERR_ARGUMENT);
    send.pieces = NULL;
    ck_assert_int_eq(a->ops->post_send(a->device, a->qp, &send), SMC_ERR_ARGUMENT);
    for (unsigned i = 0; i < 3; i++)
        post_send(a, i, 0, 1);
    ck_assert_int_eq(try_send(a, 3, 0, 1), SMC_ERR_NOSPACE);
    for (unsigned i = 0; i < 5; i++)
        receive(a, i, 0, 1);
    ck_assert_int_eq(try_receive(a, 5, 0, 1), SMC_ERR_NOSPACE);
    lab_close(lab);
}
END_TEST

START_TEST(in_err_everything_is_flushed_in_order)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0];
    struct smc_rdma_qp_change err = {.state = SMC_RDMA_QP_ERR};
    for (unsigned i = 0; i < 4; i++) {
        post_write(lab, 0, i, 0, 0, 10);
        receive(a, 10 + i, 0, 10);
    }
    ck_assert_int_eq(a->ops->modify_qp(a->device, a->qp, &err), 0);
    post_send(a, 4, 0, 10);
    receive(a, 14, 0, 10);
    lab_settle(lab);
    ck_assert_uint_eq(lab->frames, 0);
    ck_assert_uint_eq(a->done_count, 10);
    for (unsigned i = 0; i < 4; i++) {
        expect_done(a, i, i, SMC_RDMA_WRITE, SMC_RDMA_FLUSHED);
        expect_done(a, 4 + i, 10 + i, SMC_RDMA_RECV, SMC_RDMA_FLUSHED);
    }
    expect_done(a, 8, 4, SMC_RDMA_SEND, SMC_RDMA_FLUSHED);
    expect_done(a, 9, 14, SMC_RDMA_RECV, SMC_RDMA_FLUSHED);
    lab_close(lab);
}
END_TEST

START_TEST(reset_forgets_what_was_posted_and_a_new_connection_works)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0], *b = &lab->ends[1];
    struct smc_rdma_qp_change reset = {.state = SMC_RDMA_QP_RESET};
    post_write(lab, 0, 1, 0, 0, 100000);
    receive(a, 2, 0, 10);
    roce_run(a->roce, lab->now_ns);
    lab_deliver(lab);
    for (unsigned side = 0; side < SIDES; side++) {
        struct end *end = &lab->ends[side];
        ck_assert_int_eq(end->ops->modify_qp(end->device, end->qp, &reset), 0);
    }
    lab_settle(lab);
    ck_assert_uint_eq(a->done_count, 0);
    ck_assert_uint_gt(roce_counters(b->roce)->dropped_wrong_state, 0);
    setup.psn[0] = 5;
    for (unsigned side = 0; side < SIDES; side++)
        connect_qp(lab, side, &setup);
    receive(b, 3, 0, 10);
    post_send(a, 4, 0, 10);
    lab_settle(lab);
    expect_done(a, 0, 4, SMC_RDMA_SEND, SMC_RDMA_SUCCESS);
    expect_done(b, 0, 3, SMC_RDMA_RECV, SMC_RDMA_SUCCESS);
    lab_close(lab);
}
END_TEST

/* ---- Completion queues --------------------------------------------------------------------------- */

START_TEST(a_queue_calls_once_when_it_is_no_longer_empty)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0];
    struct smc_rdma_completion out[4];
    a->manual = true;
    for (unsigned i = 0; i < 3; i++)
        post_write(lab, 0, i, 0, 0, 1);
    lab_settle(lab);
    ck_assert_uint_eq(a->edges, 1);
    ck_assert_int_eq(a->ops->poll_cq(a->device, a->cq, out, 2), 2);
    post_write(lab, 0, 3, 0, 0, 1);
    lab_settle(lab);
    ck_assert_uint_eq(a->edges, 1); /* one was left */
    ck_assert_int_eq(a->ops->poll_cq(a->device, a->cq, out, 4), 2);
    ck_assert_int_eq(a->ops->poll_cq(a->device, a->cq, out, 4), 0);
    ck_assert_int_eq(a->ops->poll_cq(a->device, a->cq, out, -1), SMC_ERR_ARGUMENT);
    post_write(lab, 0, 4, 0, 0, 1);
    lab_settle(lab);
    ck_assert_uint_eq(a->edges, 2);
    lab_close(lab);
}
END_TEST

START_TEST(an_overrun_breaks_the_qp)
{
    struct setup setup = plain_setup();
    setup.cq_depth = 4;
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0];
    struct smc_rdma_completion out[8];
    a->manual = true;
    for (unsigned i = 0; i < 6; i++)
        post_write(lab, 0, i, 0, 0, 1);
    lab_settle(lab);
    ck_assert_int_eq(state_of(a), SMC_RDMA_QP_ERR);
    expect_event(a, SMC_RDMA_QP_FATAL);
    ck_assert_uint_eq(roce_counters(a->roce)->cq_overruns, 2); /* the fifth, and the sixth flushed */
    ck_assert_int_eq(a->ops->poll_cq(a->device, a->cq, out, 8), 4);
    lab_close(lab);
}
END_TEST

START_TEST(a_destroyed_qp_takes_its_completions_along)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0];
    struct smc_rdma_cq *receives = NULL;
    struct smc_rdma_qp_change err = {.state = SMC_RDMA_QP_ERR};
    a->manual = true;
    ck_assert_int_eq(a->ops->create_cq(a->device, 20, &receives), 0);
    struct smc_rdma_qp_config config = {a->cq, receives, 8, 8, 1};
    ck_assert_int_eq(a->ops->create_qp(a->device, a->pd, &config, &a->qp), 0);
    struct smc_rdma_qp *first = a->qp;
    ck_assert_int_eq(a->ops->create_qp(a->device, a->pd, &config, &a->qp), 0);
    struct smc_rdma_qp *second = a->qp;
    ck_assert_int_eq(a->ops->modify_qp(a->device, first, &err), 0);
    ck_assert_int_eq(a->ops->modify_qp(a->device, second, &err), 0);
    for (unsigned i = 0; i < 6; i++) {
        a->qp = i % 2 ? second : first;
        post_send(a, i, 0, 1);
        receive(a, i, 0, 1);
    }
    ck_assert_int_eq(a->ops->destroy_qp(a->device, first), 0);
    a->qp = second;
    end_poll(a, a->cq);
    end_poll(a, receives);
    ck_assert_uint_eq(a->done_count, 6);
    for (unsigned i = 0; i < 3; i++) {
        expect_done(a, i, 2 * i + 1, SMC_RDMA_SEND, SMC_RDMA_FLUSHED);
        expect_done(a, 3 + i, 2 * i + 1, SMC_RDMA_RECV, SMC_RDMA_FLUSHED);
    }
    lab_close(lab);
}
END_TEST

/* In a callback every operation is refused; counts the refusals. */
static unsigned refusals;

static void try_everything(struct end *end)
{
    struct smc_rdma_port port;
    struct smc_rdma_gid_entry gid;
    struct smc_rdma_pd *pd;
    struct smc_rdma_cq *cq;
    struct smc_rdma_qp *qp;
    struct smc_rdma_mr mr;
    struct smc_rdma_completion out;
    struct smc_rdma_qp_config config = {end->cq, end->cq, 1, 1, 1};
    struct smc_rdma_qp_change change = {.state = SMC_RDMA_QP_ERR};
    const int results[] = {
        end->ops->query_port(end->device, 1, &port),
        end->ops->query_gid(end->device, 1, 0, &gid),
        end->ops->alloc_pd(end->device, &pd),
        end->ops->dealloc_pd(end->device, end->pd),
        end->ops->reg_mr(end->device, end->pd, end->memory, 1, 0, &mr),
        end->ops->dereg_mr(end->device, &end->mr),
        end->ops->create_cq(end->device, 1, &cq),
        end->ops->destroy_cq(end->device, end->cq),
        end->ops->poll_cq(end->device, end->cq, &out, 1),
        end->ops->create_qp(end->device, end->pd, &config, &qp),
        end->ops->modify_qp(end->device, end->qp, &change),
        end->ops->destroy_qp(end->device, end->qp),
        try_send(end, 1, 0, 1),
        try_receive(end, 1, 0, 1),
    };
    for (unsigned i = 0; i < sizeof(results) / sizeof(results[0]); i++)
        ck_assert_int_eq(results[i], SMC_ERR_REENTERED);
    refusals++;
}

static void completed_and_try(void *user, struct smc_rdma_cq *cq)
{
    (void)cq;
    try_everything(user);
}

static void event_and_try(void *user, const struct smc_rdma_event *event)
{
    (void)event;
    try_everything(user);
}

START_TEST(operations_are_refused_within_callbacks)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0];
    a->device->handler = (struct smc_rdma_handler){completed_and_try, event_and_try, a};
    refusals = 0;
    post_write(lab, 0, 1, 0, 0, 1);
    lab_settle(lab);
    ck_assert_uint_eq(refusals, 1);
    roce_link(a->roce, 1, false, lab->now_ns);
    ck_assert_uint_eq(refusals, 2);
    post_write(lab, 0, 2, 0, 0, 1);
    ck_assert_int_eq(roce_fail_qp(a->roce, a->ops->qp_number(a->qp)), 0);
    ck_assert_uint_eq(refusals, 4); /* flushed, QP_FATAL */
    ck_assert_int_eq(roce_fail_qp(a->roce, 0xabcdef), SMC_ERR_NOTFOUND);
    lab_close(lab);
}
END_TEST

/* ---- Memory -------------------------------------------------------------------------------------- */

/* One side is opened with its nth allocation failing, for every n; what failed is repeated and works. */
START_TEST(every_allocation_may_fail)
{
    struct setup setup = plain_setup();
    unsigned long failures = 0;
    for (unsigned long n = 1;; n++) {
        struct lab *lab = lab_new();
        struct end *a = &lab->ends[0];
        a->heap.fail_at = n;
        int error = end_open(lab, 0, &setup);
        bool failed = a->heap.calls >= n;
        ck_assert_int_eq(error, failed ? SMC_ERR_NOMEM : 0);
        failures += failed;
        if (failed && a->roce != NULL && a->pd != NULL && a->cq != NULL) {
            /* The device is as before: the same again succeeds. */
            struct smc_rdma_qp_config config = {a->cq, a->cq, 8, 8, 1};
            struct smc_rdma_mr mr;
            ck_assert_ptr_null(a->qp);
            ck_assert_int_eq(a->ops->reg_mr(a->device, a->pd, a->memory, 10, 0, &mr), 0);
            ck_assert_int_eq(a->ops->create_qp(a->device, a->pd, &config, &a->qp), 0);
            ck_assert_int_eq(a->ops->destroy_qp(a->device, a->qp), 0);
            ck_assert_int_eq(a->ops->dereg_mr(a->device, &mr), 0);
        }
        lab_close(lab);
        if (!failed)
            break;
    }
    ck_assert_uint_ge(failures, 12);
}
END_TEST

/* Hundreds of QPs and MRs, each creation failing at each of its allocations before it succeeds. */
START_TEST(tables_grow_or_stay_as_they_were)
{
    enum { COUNT = 300 };
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0];
    struct smc_rdma_qp_config config = {a->cq, a->cq, 2, 2, 1};
    struct smc_rdma_qp *qps[COUNT];
    struct smc_rdma_mr mrs[COUNT];
    unsigned long failures = 0;
    for (unsigned i = 0; i < COUNT; i++) {
        int error = SMC_ERR_NOMEM;
        for (unsigned n = 1; error < 0; n++) {
            size_t before = a->heap.outstanding;
            a->heap.fail_at = a->heap.calls + n;
            error = a->ops->create_qp(a->device, a->pd, &config, &qps[i]);
            failures += error < 0;
            /* Only a table that grew before may have stayed larger. */
            ck_assert(error == 0 || a->heap.outstanding - before <= 16 * 2 * (COUNT + 8));
        }
        error = SMC_ERR_NOMEM;
        for (unsigned n = 1; error < 0; n++) {
            a->heap.fail_at = a->heap.calls + n;
            error = a->ops->reg_mr(a->device, a->pd, a->memory, 1, 0, &mrs[i]);
            failures += error < 0;
        }
    }
    a->heap.fail_at = 0;
    ck_assert_uint_gt(failures, COUNT * 6);
    for (unsigned i = 0; i < COUNT; i += 2) {
        ck_assert_int_eq(a->ops->destroy_qp(a->device, qps[i]), 0);
        ck_assert_int_eq(a->ops->dereg_mr(a->device, &mrs[i]), 0);
    }
    for (unsigned i = 1; i < COUNT; i += 2) { /* removal left the others to be found */
        ck_assert_int_eq(roce_fail_qp(a->roce, a->ops->qp_number(qps[i])), 0);
        ck_assert_int_eq(a->ops->dereg_mr(a->device, &mrs[i]), 0);
    }
    lab_close(lab);
}
END_TEST

START_TEST(a_late_write_without_memory_is_placed_at_once)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0], *b = &lab->ends[1];
    struct roce_fault late = {.what = ROCE_FAULT_LATE_WRITE};
    ck_assert_int_eq(roce_set_faults(b->roce, &late, 1), 0);
    b->heap.fail_at = b->heap.calls + (unsigned long)_i;
    post_write(lab, 0, 1, 0, 0, 3000);
    lab_settle(lab);
    expect_done(a, 0, 1, SMC_RDMA_WRITE, SMC_RDMA_SUCCESS);
    /* All before the packet that could not be kept comes in too; what follows it, directly. */
    ck_assert_mem_eq(b->memory, a->memory, 3000);
    lab_close(lab);
}
END_TEST

START_TEST(a_configuration_out_of_range_is_refused)
{
    struct heap heap = {0};
    struct smc_alloc alloc = {heap_allocate, heap_resize, heap_release, &heap};
    struct roce *roce = NULL;
    struct roce_config bad[] = {{.alloc = NULL},
                                {.alloc = &alloc, .ports = ROCE_PORTS_MAX + 1},
                                {.alloc = &alloc, .first_qp_number = 1u << 24},
                                {.alloc = &alloc, .gid_table_size = 257},
                                {.alloc = &alloc, .window_packets = 32769}};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_int_eq(roce_new(&bad[i], &roce), SMC_ERR_ARGUMENT);
    ck_assert_ptr_null(roce);
    roce_free(NULL);
}
END_TEST

static Suite *verbs_suite(void)
{
    Suite *suite = suite_create("roce_verbs");
    TCase *tests = tcase_create("objects");
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, ports_and_gids_can_be_asked_for);
    tcase_add_test(tests, the_active_mtu_leaves_room_for_headers);
    tcase_add_test(tests, gid_changes_are_told_once_and_nonsense_is_refused);
    tcase_add_test(tests, what_is_in_use_cannot_be_destroyed);
    tcase_add_test(tests, registration_checks_access_and_makes_keys_of_its_own);
    tcase_add_test(tests, keys_do_not_come_again_and_hang_on_the_seed);
    tcase_add_test(tests, qp_numbers_are_unique_and_reused_late);
    suite_add_tcase(suite, tests);
    tests = tcase_create("states");
    tcase_add_test(tests, only_the_arrows_of_the_picture_exist);
    tcase_add_test(tests, a_change_with_a_bad_field_changes_nothing);
    tcase_add_test(tests, posting_depends_on_the_state);
    tcase_add_test(tests, posting_checks_room_ranges_and_arguments);
    tcase_add_test(tests, in_err_everything_is_flushed_in_order);
    tcase_add_test(tests, reset_forgets_what_was_posted_and_a_new_connection_works);
    suite_add_tcase(suite, tests);
    tests = tcase_create("completions");
    tcase_add_test(tests, a_queue_calls_once_when_it_is_no_longer_empty);
    tcase_add_test(tests, an_overrun_breaks_the_qp);
    tcase_add_test(tests, a_destroyed_qp_takes_its_completions_along);
    tcase_add_test(tests, operations_are_refused_within_callbacks);
    suite_add_tcase(suite, tests);
    tests = tcase_create("memory");
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, every_allocation_may_fail);
    tcase_add_test(tests, tables_grow_or_stay_as_they_were);
    tcase_add_loop_test(tests, a_late_write_without_memory_is_placed_at_once, 1, 2);
    tcase_add_test(tests, a_configuration_out_of_range_is_refused);
    suite_add_tcase(suite, tests);
    return suite;
}
CHECK_MAIN(verbs_suite)
