/* Tests of the RoCE NIC's fault plan.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/roce_lab_test.h"

static void plan(struct end *end, struct roce_fault fault)
{
    ck_assert_int_eq(roce_set_faults(end->roce, &fault, 1), 0);
}

START_TEST(a_dropped_completion_is_never_seen_but_frees_its_slot)
{
    struct setup setup = plain_setup();
    setup.max_send = 2;
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0];
    plan(a, (struct roce_fault){.what = ROCE_FAULT_DROP_COMPLETION,
                                .operations = ROCE_ON_WRITE,
                                .first = 2,
                                .every = 2});
    for (unsigned i = 0; i < 6; i++) {
        post_write(lab, 0, i, 0, i, 1);
        lab_settle(lab);
    }
    ck_assert_uint_eq(a->done_count, 3);
    for (unsigned i = 0; i < 3; i++)
        expect_done(a, i, 2 * i, SMC_RDMA_WRITE, SMC_RDMA_SUCCESS);
    ck_assert_uint_eq(roce_fault_strikes(a->roce, 0), 3);
    ck_assert_uint_eq(roce_counters(a->roce)->faults, 3);
    lab_close(lab);
}
END_TEST

START_TEST(a_completion_may_say_error_though_the_data_arrived)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0], *b = &lab->ends[1];
    plan(a, (struct roce_fault){.what = ROCE_FAULT_ERROR_COMPLETION,
                                .argument = SMC_RDMA_RETRY_EXCEEDED});
    post_write(lab, 0, 1, 0, 500, 100);
    post_write(lab, 0, 2, 0, 700, 100);
    lab_settle(lab);
    expect_done(a, 0, 1, SMC_RDMA_WRITE, SMC_RDMA_RETRY_EXCEEDED);
    expect_done(a, 1, 2, SMC_RDMA_WRITE, SMC_RDMA_FLUSHED);
    ck_assert_mem_eq(b->memory + 500, a->memory, 100);
    ck_assert_int_eq(state_of(a), SMC_RDMA_QP_ERR);
    lab_close(lab);
}
END_TEST

START_TEST(data_may_be_acknowledged_and_not_placed)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0], *b = &lab->ends[1];
    plan(b, (struct roce_fault){.what = ROCE_FAULT_NOT_PLACED,
                                .operations = ROCE_ON_WRITE,
                                .first = 2});
    memset(b->memory, 0xee, 9000);
    for (unsigned i = 0; i < 3; i++)
        post_write(lab, 0, i, 20000, i * 3000, 3000);
    lab_settle(lab);
    ck_assert_uint_eq(a->done_count, 3);
    ck_assert_mem_eq(b->memory, a->memory + 20000, 3000);
    ck_assert_mem_eq(b->memory + 6000, a->memory + 20000, 3000);
    for (unsigned i = 0; i < 3000; i++)
        ck_assert_uint_eq(b->memory[3000 + i], 0xee);
    lab_close(lab);
}
END_TEST

START_TEST(a_late_write_is_seen_with_the_next_send_and_never_overtakes)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0], *b = &lab->ends[1];
    plan(b, (struct roce_fault){.what = ROCE_FAULT_LATE_WRITE});
    memset(b->memory, 0xee, 5000);
    receive(b, 1, 100000, 44);
    post_write(lab, 0, 1, 20000, 0, 5000);
    post_write(lab, 0, 2, 60000, 1000, 2000); /* not struck, yet behind the first */
    lab_settle(lab);
    ck_assert_uint_eq(a->done_count, 2);
    for (unsigned i = 0; i < 5000; i++)
        ck_assert_uint_eq(b->memory[i], 0xee);
    post_send(a, 3, 0, 44);
    lab_settle(lab);
    ck_assert_uint_eq(b->done_count, 1);
    ck_assert_mem_eq(b->memory, a->memory + 20000, 1000);
    ck_assert_mem_eq(b->memory + 1000, a->memory + 60000, 2000);
    ck_assert_mem_eq(b->memory + 3000, a->memory + 23000, 2000);
    lab_close(lab);
}
END_TEST

START_TEST(late_bytes_never_reach_memory_that_was_deregistered)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0], *b = &lab->ends[1];
    plan(b, (struct roce_fault){.what = ROCE_FAULT_LATE_WRITE});
    memset(b->memory, 0xee, 100);
    post_write(lab, 0, 1, 0, 0, 100);
    lab_settle(lab);
    ck_assert_uint_eq(a->done_count, 1);
    ck_assert_int_eq(b->ops->dereg_mr(b->device, &b->mr), 0);
    ck_assert_int_eq(b->ops->destroy_qp(b->device, b->qp), 0);
    for (unsigned i = 0; i < 100; i++)
        ck_assert_uint_eq(b->memory[i], 0xee);
    lab_close(lab);
}
END_TEST

START_TEST(late_bytes_are_placed_when_the_qp_dies)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0], *b = &lab->ends[1];
    plan(b, (struct roce_fault){.what = ROCE_FAULT_LATE_WRITE});
    memset(b->memory, 0xee, 100);
    post_write(lab, 0, 1, 0, 0, 100);
    lab_settle(lab);
    ck_assert_int_eq(roce_fail_qp(b->roce, b->ops->qp_number(b->qp)), 0);
    ck_assert_mem_eq(b->memory, a->memory, 100);
    expect_event(b, SMC_RDMA_QP_FATAL);
    lab_close(lab);
}
END_TEST

START_TEST(a_receiver_may_pretend_to_have_no_buffer_some_times)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0], *b = &lab->ends[1];
    plan(b, (struct roce_fault){.what = ROCE_FAULT_RNR, .every = 1, .times = 4});
    receive(b, 1, 0, 44);
    post_send(a, 2, 0, 44);
    uint64_t start = lab->now_ns;
    lab_settle(lab);
    expect_done(b, 0, 1, SMC_RDMA_RECV, SMC_RDMA_SUCCESS);
    expect_done(a, 0, 2, SMC_RDMA_SEND, SMC_RDMA_SUCCESS);
    ck_assert_uint_eq(roce_counters(b->roce)->rnr_naks_sent, 4);
    ck_assert_uint_ge(lab->now_ns - start, 40000);
    lab_close(lab);
}
END_TEST

START_TEST(a_delayed_completion_holds_up_those_behind_it)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0];
    plan(a, (struct roce_fault){.what = ROCE_FAULT_DELAY_COMPLETION,
                                .first = 2,
                                .argument = 700000});
    uint64_t start = lab->now_ns;
    for (unsigned i = 0; i < 4; i++)
        post_write(lab, 0, i, 0, 0, 10);
    lab_run_until(lab, start + 600000);
    ck_assert_uint_eq(a->done_count, 1);
    ck_assert_uint_eq(a->edges, 1);
    lab_settle(lab);
    ck_assert_uint_eq(a->done_count, 4);
    ck_assert_uint_eq(a->edges, 2);
    for (unsigned i = 0; i < 4; i++)
        expect_done(a, i, i, SMC_RDMA_WRITE, SMC_RDMA_SUCCESS);
    ck_assert_uint_ge(lab->now_ns, start + 700000);
    lab_close(lab);
}
END_TEST

START_TEST(a_destroyed_qp_leaves_the_delay_of_others_alone)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0];
    struct smc_rdma_qp_config config = {a->cq, a->cq, 8, 8, 1};
    struct smc_rdma_qp_change err = {.state = SMC_RDMA_QP_ERR};
    struct smc_rdma_qp *idle = NULL;
    ck_assert_int_eq(a->ops->create_qp(a->device, a->pd, &config, &idle), 0);
    plan(a, (struct roce_fault){.what = ROCE_FAULT_DELAY_COMPLETION, .argument = 700000});
    uint64_t start = lab->now_ns;
    post_write(lab, 0, 1, 0, 0, 10);
    lab_run_until(lab, start + 10000);
    struct smc_rdma_qp *first = a->qp;
    a->qp = idle;
    ck_assert_int_eq(a->ops->modify_qp(a->device, idle, &err), 0);
    post_send(a, 2, 0, 10); /* flushed, behind the delayed one */
    ck_assert_int_eq(a->ops->destroy_qp(a->device, idle), 0);
    a->qp = first;
    lab_run_until(lab, start + 600000);
    ck_assert_uint_eq(a->done_count, 0);
    lab_settle(lab);
    ck_assert_uint_eq(a->done_count, 1);
    expect_done(a, 0, 1, SMC_RDMA_WRITE, SMC_RDMA_SUCCESS);
    lab_close(lab);
}
END_TEST

/* A second QP beside the first, connected with nobody in particular: its packets only have to leave. */
START_TEST(a_held_qp_is_overtaken_by_others)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0];
    struct smc_rdma_qp *first = a->qp;
    struct smc_rdma_qp_config config = {a->cq, a->cq, 8, 8, 1};
    ck_assert_int_eq(a->ops->create_qp(a->device, a->pd, &config, &a->qp), 0);
    struct smc_rdma_qp *second = a->qp;
    connect_qp(lab, 0, &setup);
    plan(a, (struct roce_fault){.what = ROCE_FAULT_HOLD_QP,
                                .qp_number = a->ops->qp_number(first),
                                .argument = 100000});
    a->qp = first;
    post_write(lab, 0, 1, 0, 0, 10);
    a->qp = second;
    post_write(lab, 0, 2, 0, 0, 10);
    roce_run(a->roce, lab->now_ns);
    ck_assert_uint_eq(lab->count, 1); /* the second's */
    uint64_t start = lab->now_ns;
    lab_run_until(lab, start + 99999);
    ck_assert_uint_eq(roce_counters(a->roce)->packets_sent, 1);
    lab_run_until(lab, start + 200000);
    a->qp = first;
    expect_done(a, 0, 1, SMC_RDMA_WRITE, SMC_RDMA_SUCCESS);
    lab_close(lab);
}
END_TEST

START_TEST(a_qp_may_die_when_it_sends_or_when_it_receives)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0], *b = &lab->ends[1];
    unsigned side = _i == 0 ? 0 : 1;
    plan(&lab->ends[side], (struct roce_fault){.what = ROCE_FAULT_QP_FATAL,
                                               .operations = _i == 0 ? ROCE_ON_SEND : ROCE_ON_RECV,
                                               .first = 2});
    for (unsigned i = 0; i < 3; i++) {
        receive(b, i, 0, 44);
        post_send(a, i, 0, 44);
    }
    lab_settle(lab);
    expect_event(&lab->ends[side], SMC_RDMA_QP_FATAL);
    ck_assert_int_eq(state_of(&lab->ends[side]), SMC_RDMA_QP_ERR);
    expect_done(b, 0, 0, SMC_RDMA_RECV, SMC_RDMA_SUCCESS);
    ck_assert_uint_eq(a->done_count, 3);
    ck_assert_int_eq(a->done[1].status,
                     _i == 0 ? SMC_RDMA_FLUSHED : SMC_RDMA_RETRY_EXCEEDED);
    lab_close(lab);
}
END_TEST

START_TEST(a_device_may_die_and_can_then_only_be_cleared_away)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0];
    struct smc_rdma_port port;
    plan(a, (struct roce_fault){.what = ROCE_FAULT_DEVICE_FATAL, .operations = ROCE_ON_WRITE});
    receive(a, 1, 0, 10);
    post_write(lab, 0, 2, 0, 0, 10);
    lab_settle(lab);
    expect_event(a, SMC_RDMA_DEVICE_FATAL);
    expect_done(a, 0, 2, SMC_RDMA_WRITE, SMC_RDMA_FLUSHED);
    expect_done(a, 1, 1, SMC_RDMA_RECV, SMC_RDMA_FLUSHED);
    ck_assert_int_eq(a->ops->query_port(a->device, 1, &port), SMC_ERR_GONE);
    ck_assert_int_eq(try_send(a, 1, 0, 10), SMC_ERR_GONE);
    ck_assert_int_eq(try_receive(a, 1, 0, 10), SMC_ERR_GONE);
    ck_assert_int_eq(a->ops->alloc_pd(a->device, &a->pd), SMC_ERR_GONE);
    ck_assert_int_eq(a->ops->destroy_qp(a->device, a->qp), 0);
    ck_assert_int_eq(a->ops->dereg_mr(a->device, &a->mr), 0);
    ck_assert_int_eq(a->ops->destroy_cq(a->device, a->cq), 0);
    ck_assert_int_eq(a->ops->dealloc_pd(a->device, a->pd), 0);
    ck_assert_uint_eq(roce_next_ns(a->roce), UINT64_MAX);
    lab_close(lab);
}
END_TEST

START_TEST(registration_and_qps_may_be_refused)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0];
    static const struct roce_fault rules[] = {{.what = ROCE_FAULT_REFUSE_MR, .first = 2},
                                              {.what = ROCE_FAULT_REFUSE_QP},
                                              {.what = ROCE_FAULT_REFUSE_CHANGE}};
    static const struct smc_rdma_qp_change init = {.state = SMC_RDMA_QP_INIT, .init = {.port = 1}};
    static const struct smc_rdma_qp_change reset = {.state = SMC_RDMA_QP_RESET};
    struct smc_rdma_mr mr;
    struct smc_rdma_qp *qp = NULL;
    struct smc_rdma_qp_config config = {a->cq, a->cq, 8, 8, 1};
    ck_assert_int_eq(roce_set_faults(a->roce, rules, 3), 0);
    ck_assert_int_eq(a->ops->reg_mr(a->device, a->pd, a->memory, 10, 0, &mr), 0);
    ck_assert_int_eq(a->ops->reg_mr(a->device, a->pd, a->memory, 10, 0, &mr), SMC_ERR_NOMEM);
    ck_assert_int_eq(a->ops->reg_mr(a->device, a->pd, a->memory, 10, 0, &mr), 0);
    ck_assert_int_eq(a->ops->create_qp(a->device, a->pd, &config, &qp), SMC_ERR_NOMEM);
    ck_assert_int_eq(a->ops->create_qp(a->device, a->pd, &config, &qp), 0);
    ck_assert_int_eq(a->ops->modify_qp(a->device, qp, &reset), 0);
    ck_assert_int_eq(a->ops->modify_qp(a->device, qp, &init), SMC_ERR_IO);
    ck_assert_int_eq(a->ops->modify_qp(a->device, qp, &init), 0);
    lab_close(lab);
}
END_TEST

static bool odd_qp(void *user, uint32_t qp_number, enum smc_rdma_opcode opcode)
{
    unsigned *asked = user;
    ++*asked;
    return qp_number % 2 == 1 && opcode == SMC_RDMA_WRITE;
}

START_TEST(a_rule_strikes_exactly_what_it_names)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup); /* the QP's number is 0x11, odd */
    struct end *a = &lab->ends[0];
    unsigned asked = 0;
    struct roce_fault rules[] = {
        {.what = ROCE_FAULT_DROP_COMPLETION, .qp_number = 99},
        {.what = ROCE_FAULT_DROP_COMPLETION, .operations = ROCE_ON_SEND},
        {.what = ROCE_FAULT_DROP_COMPLETION, .first = 3, .every = 3, .times = 2,
         .matches = odd_qp, .user = &asked},
        {.what = ROCE_FAULT_DROP_COMPLETION, .first = 6}, /* struck already: this one counts only */
    };
    ck_assert_int_eq(roce_set_faults(a->roce, rules, 4), 0);
    for (unsigned i = 1; i <= 12; i++)
        post_write(lab, 0, i, 0, 0, 1);
    lab_settle(lab);
    ck_assert_uint_eq(asked, 12);
    ck_assert_uint_eq(roce_fault_strikes(a->roce, 0), 0);
    ck_assert_uint_eq(roce_fault_strikes(a->roce, 1), 0);
    ck_assert_uint_eq(roce_fault_strikes(a->roce, 2), 2);
    ck_assert_uint_eq(roce_fault_strikes(a->roce, 3), 0);
    ck_assert_uint_eq(a->done_count, 10);
    for (unsigned i = 0; i < a->done_count; i++)
        ck_assert(a->done[i].id != 3 && a->done[i].id != 6);
    lab_close(lab);
}
END_TEST

START_TEST(a_plan_is_checked_before_it_replaces_the_old_one)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct roce *roce = lab->ends[0].roce;
    static const struct roce_fault many[ROCE_FAULTS_MAX + 1];
    struct roce_fault bad = {.what = ROCE_FAULT_ERROR_COMPLETION};
    ck_assert_int_eq(roce_set_faults(roce, many, ROCE_FAULTS_MAX), 0);
    ck_assert_int_eq(roce_set_faults(roce, many, ROCE_FAULTS_MAX + 1), SMC_ERR_NOSPACE);
    ck_assert_int_eq(roce_set_faults(roce, &bad, 1), SMC_ERR_ARGUMENT); /* which error? */
    bad = (struct roce_fault){.what = (enum roce_fault_what)99};
    ck_assert_int_eq(roce_set_faults(roce, &bad, 1), SMC_ERR_ARGUMENT);
    post_write(lab, 0, 1, 0, 0, 1);
    lab_settle(lab);
    ck_assert_uint_eq(lab->ends[0].done_count, 0); /* dropped by the old plan */
    ck_assert_int_eq(roce_set_faults(roce, NULL, 0), 0);
    post_write(lab, 0, 2, 0, 0, 1);
    lab_settle(lab);
    ck_assert_uint_eq(lab->ends[0].done_count, 1);
    lab_close(lab);
}
END_TEST

static Suite *fault_suite(void)
{
    Suite *suite = suite_create("roce_fault");
    TCase *tests = tcase_create("faults");
    tcase_add_test(tests, a_dropped_completion_is_never_seen_but_frees_its_slot);
    tcase_add_test(tests, a_completion_may_say_error_though_the_data_arrived);
    tcase_add_test(tests, data_may_be_acknowledged_and_not_placed);
    tcase_add_test(tests, a_late_write_is_seen_with_the_next_send_and_never_overtakes);
    tcase_add_test(tests, late_bytes_never_reach_memory_that_was_deregistered);
    tcase_add_test(tests, late_bytes_are_placed_when_the_qp_dies);
    tcase_add_test(tests, a_receiver_may_pretend_to_have_no_buffer_some_times);
    tcase_add_test(tests, a_delayed_completion_holds_up_those_behind_it);
    tcase_add_test(tests, a_destroyed_qp_leaves_the_delay_of_others_alone);
    tcase_add_test(tests, a_held_qp_is_overtaken_by_others);
    tcase_add_loop_test(tests, a_qp_may_die_when_it_sends_or_when_it_receives, 0, 2);
    tcase_add_test(tests, a_device_may_die_and_can_then_only_be_cleared_away);
    tcase_add_test(tests, registration_and_qps_may_be_refused);
    tcase_add_test(tests, a_rule_strikes_exactly_what_it_names);
    tcase_add_test(tests, a_plan_is_checked_before_it_replaces_the_old_one);
    suite_add_tcase(suite, tests);
    return suite;
}
CHECK_MAIN(fault_suite)
