/* Tests of the RoCE NIC's reliable connection: packets, acknowledgements, loss, retries, refusals.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/roce_lab_test.h"

/* ---- Filters ------------------------------------------------------------------------------------- */

/* What passed, for tests that look at frames. */
static uint8_t seen[256][WIRE_FRAME_MAX];
static size_t seen_length[256];
static unsigned seen_count;

static enum fate record(struct lab *lab, unsigned from, uint8_t *frame, size_t length)
{
    (void)lab;
    (void)from;
    ck_assert_uint_lt(seen_count, 256);
    memcpy(seen[seen_count], frame, length);
    seen_length[seen_count++] = length;
    return FATE_PASS;
}

/* Drops the request number `counter` (counted down). */
static enum fate drop_one_request(struct lab *lab, unsigned from, uint8_t *frame, size_t length)
{
    (void)from;
    (void)length;
    return is_request(frame) && lab->counter > 0 && --lab->counter == 0 ? FATE_DROP : FATE_PASS;
}

static enum fate drop_one_answer(struct lab *lab, unsigned from, uint8_t *frame, size_t length)
{
    (void)from;
    (void)length;
    return !is_request(frame) && lab->counter > 0 && --lab->counter == 0 ? FATE_DROP : FATE_PASS;
}

static enum fate drop_all(struct lab *lab, unsigned from, uint8_t *frame, size_t length)
{
    (void)from;
    (void)frame;
    (void)length;
    lab->counter++;
    return FATE_DROP;
}

static enum fate all_twice(struct lab *lab, unsigned from, uint8_t *frame, size_t length)
{
    (void)lab;
    (void)from;
    (void)frame;
    (void)length;
    return FATE_TWICE;
}

/* ---- Transport ----------------------------------------------------------------------------------- */

START_TEST(a_send_fills_the_receive_buffer_and_both_sides_learn_of_it)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0], *b = &lab->ends[1];
    receive(b, 7, 4096, 44);
    post_send(a, 3, 100, 44);
    ck_assert_uint_eq(a->wakes, 1);
    ck_assert_uint_eq(lab->frames, 0); /* nothing leaves before roce_run */
    lab_settle(lab);
    ck_assert_uint_eq(a->done_count, 1);
    ck_assert_uint_eq(b->done_count, 1);
    expect_done(a, 0, 3, SMC_RDMA_SEND, SMC_RDMA_SUCCESS);
    expect_done(b, 0, 7, SMC_RDMA_RECV, SMC_RDMA_SUCCESS);
    ck_assert_uint_eq(b->done[0].length, 44);
    ck_assert_mem_eq(b->memory + 4096, a->memory + 100, 44);
    ck_assert_uint_eq(lab->frames, 2);
    ck_assert_uint_eq(roce_next_ns(a->roce), UINT64_MAX);
    lab_close(lab);
}
END_TEST

/* Sizes around the path MTU and the padding; _i is an index. */
static const uint32_t sizes[] = {0, 1, 2, 3, 4, 1023, 1024, 1025, 2048, 2049, 5000, 131072};

START_TEST(a_write_arrives_whole_whatever_its_size)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0], *b = &lab->ends[1];
    uint32_t size = sizes[_i];
    uint8_t before = b->memory[77 + size];
    post_write(lab, 0, 1, 5, 77, size);
    lab_settle(lab);
    ck_assert_uint_eq(a->done_count, 1);
    expect_done(a, 0, 1, SMC_RDMA_WRITE, SMC_RDMA_SUCCESS);
    ck_assert_uint_eq(b->done_count, 0);
    ck_assert(size == 0 || memcmp(a->memory + 5, b->memory + 77, size) == 0);
    ck_assert_uint_eq(b->memory[77 + size], before);
    uint32_t packets = size > 0 ? (size + 1023) / 1024 : 1;
    const struct roce_counters *counters = roce_counters(a->roce);
    ck_assert_uint_eq(counters->packets_sent, packets);
    ck_assert_uint_eq(counters->payload_sent, size);
    ck_assert_uint_eq(roce_counters(b->roce)->payload_placed, size);
    lab_close(lab);
}
END_TEST

START_TEST(a_message_is_cut_into_first_middle_and_last_as_the_wire_wants_it)
{
    static const uint8_t opcodes[] = {SMC_BTH_WRITE_FIRST, SMC_BTH_WRITE_MIDDLE,
                                      SMC_BTH_WRITE_LAST, SMC_BTH_SEND_FIRST, SMC_BTH_SEND_LAST,
                                      SMC_BTH_SEND_ONLY};
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0], *b = &lab->ends[1];
    seen_count = 0;
    lab->fate = record;
    receive(b, 1, 0, 4000);
    receive(b, 2, 4000, 44);
    post_write(lab, 0, 1, 0, 9000, 2051);
    post_send(a, 2, 0, 1030);
    post_send(a, 3, 0, 44);
    roce_run(a->roce, lab->now_ns);
    ck_assert_uint_eq(seen_count, 6);
    for (unsigned i = 0; i < 6; i++) {
        struct smc_bth bth = bth_in(seen[i]);
        bool last = i == 2 || i >= 4;
        ck_assert_uint_eq(smc_bth_opcode(bth), opcodes[i]);
        ck_assert_uint_eq(smc_bth_psn(bth), 1000 + i);
        ck_assert_uint_eq(smc_bth_ackreq(bth), last);
        ck_assert_uint_eq(smc_bth_solicited(bth), i >= 4);
        ck_assert_uint_eq(smc_bth_pkey(bth), 0xffff);
        ck_assert_uint_eq(smc_bth_pad(bth), i == 2 ? 1 : i == 4 ? 2 : 0);
        ck_assert_uint_eq(smc_bth_dqpn(bth), b->ops->qp_number(b->qp));
        ck_assert_uint_eq(smc_bth_migreq(bth), 0);
    }
    struct smc_reth reth = {seen[0] + bth_of(seen[0]) + smc_bth_size};
    ck_assert_uint_eq(smc_reth_va(reth), b->mr.remote_address + 9000);
    ck_assert_uint_eq(smc_reth_rkey(reth), b->mr.rkey);
    ck_assert_uint_eq(smc_reth_dma_length(reth), 2051);
    lab_settle(lab);
    ck_assert_uint_eq(a->done_count, 3);
    lab_close(lab);
}
END_TEST

START_TEST(an_ipv4_frame_looks_like_one_of_rxe)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0], *b = &lab->ends[1];
    static const uint8_t from[] = {10, 0, 0, 1}, to[] = {10, 0, 0, 2};
    seen_count = 0;
    lab->fate = record;
    receive(b, 1, 0, 44);
    post_send(a, 1, 0, 44);
    lab_settle(lab);
    ck_assert_uint_eq(seen_length[0], 102); /* as in captures of rxe */
    ck_assert_uint_eq(seen_length[1], 62);
    struct smc_ipv4 ip = {seen[0] + 14};
    struct smc_udp udp = {seen[0] + 34};
    ck_assert_mem_eq(seen[0], "\x52\x54\0\0\0\2\x52\x54\0\0\0\1\x08\0", 14);
    ck_assert_uint_eq(smc_ipv4_ihl(ip), 5);
    ck_assert_uint_eq(smc_ipv4_total_length(ip), 88);
    ck_assert_uint_eq(smc_ipv4_dont_fragment(ip), 1);
    ck_assert_uint_eq(smc_ipv4_ttl(ip), 1);
    ck_assert_mem_eq(ip.p + 12, from, 4);
    ck_assert_mem_eq(ip.p + 16, to, 4);
    ck_assert_uint_eq(smc_udp_sport(udp), 49441); /* QPs 0x11 and 0x11, as in the captures */
    ck_assert_uint_eq(smc_udp_dport(udp), 4791);
    ck_assert_uint_eq(smc_udp_length(udp), 68);
    ck_assert_uint_eq(smc_udp_checksum(udp), 0);
    struct smc_aeth aeth = {seen[1] + bth_of(seen[1]) + smc_bth_size};
    ck_assert_uint_eq(smc_aeth_kind(aeth), 0);
    ck_assert_uint_eq(smc_aeth_value(aeth), 31);
    ck_assert_uint_eq(smc_aeth_msn(aeth), 1);
    lab_close(lab);
}
END_TEST

START_TEST(ipv6_rocev1_and_vlans_have_their_own_headers)
{
    struct setup setup = plain_setup();
    setup.type = _i == 1 ? SMC_RDMA_GID_ROCE_V1 : SMC_RDMA_GID_ROCE_V2;
    setup.ipv6 = _i != 2;
    setup.vlan_id = _i == 0 ? 0 : 42;
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0], *b = &lab->ends[1];
    seen_count = 0;
    lab->fate = record;
    receive(b, 1, 0, 44);
    post_send(a, 1, 0, 44);
    lab_settle(lab);
    ck_assert_uint_eq(a->done_count + b->done_count, 2);
    static const size_t lengths[] = {122, 118, 106};
    static const uint16_t types[] = {0x86dd, 0x8915, 0x0800};
    size_t l3 = l3_of(seen[0]);
    ck_assert_uint_eq(seen_length[0], lengths[_i]);
    ck_assert_uint_eq(smc_load_be(seen[0] + l3 - 2, 2), types[_i]);
    if (_i > 0)
        ck_assert_uint_eq(smc_load_be(seen[0] + 14, 2), 42);
    struct smc_ipv6 ip = {seen[0] + l3};
    if (_i < 2) {
        ck_assert_uint_eq(smc_ipv6_next_header(ip), _i == 1 ? 0x1b : 17);
        ck_assert_uint_eq(smc_ipv6_payload_length(ip), seen_length[0] - l3 - 40);
        ck_assert_mem_eq(smc_ipv6_dst(ip), b->gid.bytes, 16);
    }
    lab_close(lab);
}
END_TEST

START_TEST(rocev1_is_carried_over_udp_if_both_want_it)
{
    struct setup setup = plain_setup();
    setup.type = SMC_RDMA_GID_ROCE_V1;
    setup.config.v1_over_udp = true;
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0], *b = &lab->ends[1];
    seen_count = 0;
    lab->fate = record;
    receive(b, 1, 0, 44);
    post_send(a, 1, 0, 44);
    lab_settle(lab);
    ck_assert_uint_eq(a->done_count + b->done_count, 2);
    size_t l3 = l3_of(seen[0]);
    struct smc_ipv6 ip = {seen[0] + l3};
    ck_assert_uint_eq(smc_load_be(seen[0] + l3 - 2, 2), 0x86dd);
    ck_assert_uint_eq(smc_ipv6_next_header(ip), 17);
    ck_assert_mem_eq(smc_ipv6_dst(ip), b->gid.bytes, 16);
    lab_close(lab);
}
END_TEST

START_TEST(a_request_is_gathered_from_pieces_and_scattered_into_pieces)
{
    struct setup setup = plain_setup();
    setup.mtu = SMC_RDMA_MTU_256;
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0], *b = &lab->ends[1];
    struct smc_rdma_piece from[] = {{&a->mr, 0, 300}, {&a->mr, 5000, 0}, {&a->mr, 1000, 601}};
    struct smc_rdma_piece to[] = {{&b->mr, 20000, 1}, {&b->mr, 30000, 511}, {&b->mr, 40000, 900}};
    struct smc_rdma_receive into = {9, to, 3};
    struct smc_rdma_send out = {.id = 8, .opcode = SMC_RDMA_SEND, .pieces = from, .piece_count = 3};
    ck_assert_int_eq(b->ops->post_receive(b->device, b->qp, &into), 0);
    ck_assert_int_eq(a->ops->post_send(a->device, a->qp, &out), 0);
    lab_settle(lab);
    ck_assert_uint_eq(a->done_count, 0); /* not signaled */
    ck_assert_uint_eq(b->done[0].length, 901);
    uint8_t sent[901], got[901];
    memcpy(sent, a->memory, 300);
    memcpy(sent + 300, a->memory + 1000, 601);
    memcpy(got, b->memory + 20000, 1);
    memcpy(got + 1, b->memory + 30000, 511);
    memcpy(got + 512, b->memory + 40000, 389);
    ck_assert_mem_eq(sent, got, 901);
    lab_close(lab);
}
END_TEST

START_TEST(psns_wrap_around_in_the_middle_of_a_message)
{
    struct setup setup = plain_setup();
    setup.psn[0] = 0xffffff - 20;
    struct lab *lab = lab_open(&setup);
    lab->fate = drop_one_request;
    for (unsigned round = 0; round < 3; round++) {
        lab->counter = 15;
        post_write(lab, 0, round, round * 1000, 0, 40000);
        lab_settle(lab);
        ck_assert_mem_eq(lab->ends[1].memory, lab->ends[0].memory + round * 1000, 40000);
    }
    ck_assert_uint_eq(lab->ends[0].done_count, 3);
    ck_assert_uint_gt(roce_counters(lab->ends[0].roce)->retransmissions, 0);
    lab_close(lab);
}
END_TEST

START_TEST(the_window_bounds_what_is_under_way)
{
    struct setup setup = plain_setup();
    setup.config.window_packets = 8;
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0];
    post_write(lab, 0, 1, 0, 0, 100 * 1024);
    roce_run(a->roce, lab->now_ns);
    ck_assert_uint_eq(lab->count, 8);
    while (lab_step(lab, UINT64_MAX))
        ck_assert_uint_le(lab->count, 8 + 1);
    expect_done(a, 0, 1, SMC_RDMA_WRITE, SMC_RDMA_SUCCESS);
    ck_assert_mem_eq(lab->ends[1].memory, a->memory, 100 * 1024);
    ck_assert_uint_eq(roce_counters(a->roce)->timeouts, 0);
    lab_close(lab);
}
END_TEST

START_TEST(a_long_message_asks_for_acks_on_its_way)
{
    struct setup setup = plain_setup();
    setup.config.ack_every = 10;
    struct lab *lab = lab_open(&setup);
    seen_count = 0;
    lab->fate = record;
    post_write(lab, 0, 1, 0, 0, 45 * 1024);
    roce_run(lab->ends[0].roce, lab->now_ns);
    ck_assert_uint_eq(seen_count, 45);
    for (unsigned i = 0; i < 45; i++)
        ck_assert_uint_eq(smc_bth_ackreq(bth_in(seen[i])), i % 10 == 9 || i == 44);
    lab_settle(lab);
    ck_assert_uint_eq(roce_counters(lab->ends[0].roce)->acks_received, 5);
    lab_close(lab);
}
END_TEST

START_TEST(acks_that_may_wait_are_joined)
{
    struct setup setup = plain_setup();
    setup.config.ack_delay_ns = 50000;
    setup.ack_timeout = 12;
    struct lab *lab = lab_open(&setup);
    for (unsigned i = 0; i < 20; i++)
        post_write(lab, 0, i, i * 100, i * 100, 100);
    lab_settle(lab);
    ck_assert_uint_eq(lab->ends[0].done_count, 20);
    ck_assert_uint_eq(roce_counters(lab->ends[1].roce)->acks_sent, 1);
    ck_assert_uint_eq(roce_counters(lab->ends[0].roce)->acks_received, 1);
    for (unsigned i = 0; i < 20; i++)
        expect_done(&lab->ends[0], i, i, SMC_RDMA_WRITE, SMC_RDMA_SUCCESS);
    lab_close(lab);
}
END_TEST

/* ---- Loss ---------------------------------------------------------------------------------------- */

START_TEST(a_lost_packet_is_reported_once_and_sent_again_from_there)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    lab->fate = drop_one_request;
    lab->counter = 3;
    post_write(lab, 0, 1, 0, 0, 10 * 1024);
    lab_settle(lab);
    expect_done(&lab->ends[0], 0, 1, SMC_RDMA_WRITE, SMC_RDMA_SUCCESS);
    ck_assert_mem_eq(lab->ends[1].memory, lab->ends[0].memory, 10 * 1024);
    const struct roce_counters *a = roce_counters(lab->ends[0].roce);
    const struct roce_counters *b = roce_counters(lab->ends[1].roce);
    ck_assert_uint_eq(b->sequence_naks_sent, 1);
    ck_assert_uint_eq(b->out_of_sequence, 7);
    ck_assert_uint_eq(a->sequence_naks_received, 1);
    ck_assert_uint_eq(a->retransmissions, 8);
    ck_assert_uint_eq(a->timeouts, 0);
    lab_close(lab);
}
END_TEST

START_TEST(a_lost_last_packet_is_sent_again_after_the_timeout)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    lab->fate = drop_one_request;
    lab->counter = 2;
    uint64_t start = lab->now_ns;
    post_write(lab, 0, 1, 0, 0, 2048);
    lab_settle(lab);
    expect_done(&lab->ends[0], 0, 1, SMC_RDMA_WRITE, SMC_RDMA_SUCCESS);
    ck_assert_uint_eq(roce_counters(lab->ends[0].roce)->timeouts, 1);
    ck_assert_uint_ge(lab->now_ns - start, UINT64_C(4096) << 8);
    ck_assert_uint_lt(lab->now_ns - start, (UINT64_C(4096) << 8) + 100 * HOP_NS);
    lab_close(lab);
}
END_TEST

START_TEST(a_lost_ack_makes_the_request_come_twice_but_be_carried_out_once)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0], *b = &lab->ends[1];
    lab->fate = drop_one_answer;
    lab->counter = 1;
    receive(b, 1, 0, 44);
    receive(b, 2, 44, 44);
    post_send(a, 1, 0, 44);
    lab_settle(lab);
    ck_assert_uint_eq(b->done_count, 1);
    ck_assert_uint_eq(roce_counters(b->roce)->duplicates, 1);
    expect_done(a, 0, 1, SMC_RDMA_SEND, SMC_RDMA_SUCCESS);
    lab_close(lab);
}
END_TEST

START_TEST(everything_twice_is_carried_out_once)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0], *b = &lab->ends[1];
    lab->fate = all_twice;
    for (unsigned i = 0; i < 10; i++) {
        receive(b, i, 50000 + i * 3000, 3000);
        post_send(a, i, i * 3000, 3000);
    }
    lab_settle(lab);
    ck_assert_uint_eq(b->done_count, 10);
    ck_assert_uint_eq(a->done_count, 10);
    ck_assert_mem_eq(b->memory + 50000, a->memory, 30000);
    lab_close(lab);
}
END_TEST

START_TEST(retries_are_counted_and_run_out)
{
    struct setup setup = plain_setup();
    setup.retry_count = 3;
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0];
    lab->fate = drop_all;
    uint64_t start = lab->now_ns;
    post_write(lab, 0, 1, 0, 0, 10);
    post_write(lab, 0, 2, 0, 0, 10);
    receive(a, 3, 0, 10);
    lab_settle(lab);
    ck_assert_uint_eq(lab->counter, 2 * (1 + 3));
    ck_assert_uint_eq(lab->now_ns - start, 4 * (UINT64_C(4096) << 8));
    ck_assert_uint_eq(a->done_count, 3);
    expect_done(a, 0, 1, SMC_RDMA_WRITE, SMC_RDMA_RETRY_EXCEEDED);
    expect_done(a, 1, 2, SMC_RDMA_WRITE, SMC_RDMA_FLUSHED);
    expect_done(a, 2, 3, SMC_RDMA_RECV, SMC_RDMA_FLUSHED);
    ck_assert_int_eq(state_of(a), SMC_RDMA_QP_ERR);
    ck_assert_uint_eq(a->event_count, 2); /* port and GID at the start: a completion names it */
    lab_close(lab);
}
END_TEST

/* Many QPs, each with its own timeout and time of posting: each fails exactly at its time. */
START_TEST(every_qp_keeps_its_own_time)
{
    enum { COUNT = 90, STEP_NS = 777 };
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0];
    struct smc_rdma_qp_config config = {a->cq, a->cq, 1, 1, 1};
    uint64_t due[COUNT];
    lab->fate = drop_all;
    setup.retry_count = 0;
    for (unsigned i = 0; i < COUNT; i++) {
        setup.ack_timeout = (uint8_t)(8 + i * 7 % 10);
        ck_assert_int_eq(a->ops->create_qp(a->device, a->pd, &config, &a->qp), 0);
        connect_qp(lab, 0, &setup);
        post_write(lab, 0, i, 0, 0, 1);
        roce_run(a->roce, lab->now_ns);
        due[i] = lab->now_ns + (UINT64_C(4096) << setup.ack_timeout);
        lab->now_ns += STEP_NS;
    }
    for (unsigned seen_done = 0; lab_step(lab, UINT64_MAX);)
        for (; seen_done < a->done_count; seen_done++) {
            ck_assert_int_eq(a->done[seen_done].status, SMC_RDMA_RETRY_EXCEEDED);
            ck_assert_uint_eq(due[a->done[seen_done].id], lab->now_ns);
        }
    ck_assert_uint_eq(a->done_count, COUNT);
    lab_close(lab);
}
END_TEST

START_TEST(an_ack_timeout_of_zero_waits_for_ever)
{
    struct setup setup = plain_setup();
    setup.ack_timeout = 0;
    struct lab *lab = lab_open(&setup);
    lab->fate = drop_all;
    post_write(lab, 0, 1, 0, 0, 10);
    lab_settle(lab);
    ck_assert_uint_eq(lab->counter, 1);
    ck_assert_uint_eq(lab->ends[0].done_count, 0);
    ck_assert_int_eq(state_of(&lab->ends[0]), SMC_RDMA_QP_RTS);
    lab_close(lab);
}
END_TEST

START_TEST(a_link_that_comes_back_in_time_costs_only_retries)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0];
    struct smc_rdma_port port;
    a->wire.up = false;
    roce_link(a->roce, 1, false, lab->now_ns);
    ck_assert_int_eq(a->events[a->event_count - 1].type, SMC_RDMA_PORT_ERROR);
    ck_assert_uint_eq(a->events[a->event_count - 1].port, 1);
    ck_assert_int_eq(a->ops->query_port(a->device, 1, &port), 0);
    ck_assert(!port.active);
    post_write(lab, 0, 1, 0, 0, 10);
    lab_run_until(lab, lab->now_ns + 3000000);
    ck_assert_uint_gt(roce_counters(a->roce)->lost_no_link, 0);
    a->wire.up = true;
    roce_link(a->roce, 1, true, lab->now_ns);
    ck_assert_int_eq(a->events[a->event_count - 1].type, SMC_RDMA_PORT_ACTIVE);
    lab_settle(lab);
    expect_done(a, 0, 1, SMC_RDMA_WRITE, SMC_RDMA_SUCCESS);
    lab_close(lab);
}
END_TEST

START_TEST(a_port_that_refuses_is_asked_again_and_nothing_is_lost)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    lab->ends[0].wire.refuse = 5;
    post_write(lab, 0, 1, 0, 0, 20 * 1024);
    lab_settle(lab);
    expect_done(&lab->ends[0], 0, 1, SMC_RDMA_WRITE, SMC_RDMA_SUCCESS);
    const struct roce_counters *a = roce_counters(lab->ends[0].roce);
    ck_assert_uint_eq(a->port_refusals, 5);
    ck_assert_uint_eq(a->retransmissions, 0);
    lab_close(lab);
}
END_TEST

/* ---- No receive buffer --------------------------------------------------------------------------- */

START_TEST(a_sender_without_receiver_waits_what_the_timer_code_says)
{
    static const struct {
        uint8_t code;
        uint64_t ns;
    } codes[] = {{0, 655360000}, {1, 10000}, {5, 60000}, {14, 1280000}, {31, 491520000}};
    struct setup setup = plain_setup();
    setup.min_rnr_timer = codes[_i].code;
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0], *b = &lab->ends[1];
    uint64_t start = lab->now_ns;
    post_send(a, 1, 0, 44);
    lab_run_until(lab, start + codes[_i].ns / 2);
    ck_assert_uint_eq(roce_counters(a->roce)->rnr_naks_received, 1);
    receive(b, 2, 0, 44);
    lab_settle(lab);
    expect_done(a, 0, 1, SMC_RDMA_SEND, SMC_RDMA_SUCCESS);
    expect_done(b, 0, 2, SMC_RDMA_RECV, SMC_RDMA_SUCCESS);
    ck_assert_uint_eq(lab->now_ns - start, codes[_i].ns + 4 * HOP_NS);
    lab_close(lab);
}
END_TEST

START_TEST(rnr_retries_run_out_unless_they_are_seven)
{
    struct setup setup = plain_setup();
    setup.rnr_retry = (uint8_t)_i;
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0];
    post_write(lab, 0, 1, 0, 0, 10);
    post_send(a, 2, 0, 44);
    post_send(a, 3, 0, 44);
    lab_run_until(lab, lab->now_ns + 3000000);
    expect_done(a, 0, 1, SMC_RDMA_WRITE, SMC_RDMA_SUCCESS);
    if (_i == 7) {
        ck_assert_uint_eq(a->done_count, 1);
        ck_assert_int_eq(state_of(a), SMC_RDMA_QP_RTS);
        ck_assert_uint_gt(roce_counters(a->roce)->rnr_naks_received, 200);
    } else {
        expect_done(a, 1, 2, SMC_RDMA_SEND, SMC_RDMA_RNR_RETRY_EXCEEDED);
        expect_done(a, 2, 3, SMC_RDMA_SEND, SMC_RDMA_FLUSHED);
        ck_assert_uint_eq(roce_counters(a->roce)->rnr_naks_received, (uint64_t)_i + 1);
    }
    lab_close(lab);
}
END_TEST

/* ---- Refusals ------------------------------------------------------------------------------------ */

START_TEST(a_message_too_long_for_the_buffer_breaks_both_sides)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0], *b = &lab->ends[1];
    receive(b, 1, 0, 1500);
    receive(b, 2, 4000, 10);
    post_send(a, 3, 0, 1501);
    post_send(a, 4, 0, 1);
    lab_settle(lab);
    expect_done(a, 0, 3, SMC_RDMA_SEND, SMC_RDMA_REMOTE_INVALID_REQUEST);
    expect_done(a, 1, 4, SMC_RDMA_SEND, SMC_RDMA_FLUSHED);
    expect_done(b, 0, 1, SMC_RDMA_RECV, SMC_RDMA_LOCAL_LENGTH_ERROR);
    expect_done(b, 1, 2, SMC_RDMA_RECV, SMC_RDMA_FLUSHED);
    ck_assert_int_eq(state_of(a), SMC_RDMA_QP_ERR);
    ck_assert_int_eq(state_of(b), SMC_RDMA_QP_ERR);
    lab_close(lab);
}
END_TEST

/* Each way in which a WRITE may miss the peer's memory. */
START_TEST(a_write_outside_what_was_granted_is_refused_and_touches_nothing)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0], *b = &lab->ends[1];
    struct smc_rdma_mr other = {0};
    struct smc_rdma_pd *pd = NULL;
    ck_assert_int_eq(b->ops->alloc_pd(b->device, &pd), 0);
    unsigned all = SMC_RDMA_LOCAL_WRITE | SMC_RDMA_REMOTE_WRITE;
    ck_assert_int_eq(b->ops->reg_mr(b->device, _i == 5 ? pd : b->pd, b->memory, 1000,
                                    _i == 4 ? SMC_RDMA_LOCAL_WRITE : all, &other),
                     0);
    struct smc_rdma_piece piece = {&a->mr, 0, 100};
    struct smc_rdma_send send = {.id = 1, .opcode = SMC_RDMA_WRITE, .pieces = &piece,
                                 .piece_count = 1, .remote_address = other.remote_address,
                                 .rkey = other.lkey};
    switch (_i) {
    case 0:
        send.rkey ^= 1;
        break;
    case 1:
        send.remote_address -= 1;
        break;
    case 2:
        send.remote_address += 901;
        break;
    case 3:
        send.remote_address = UINT64_MAX - 50;
        break;
    case 6:
        ck_assert_int_eq(b->ops->dereg_mr(b->device, &other), 0);
        break;
    default: /* 4: no remote write, 5: another PD */
        break;
    }
    uint8_t *before = malloc(MEMORY);
    memcpy(before, b->memory, MEMORY);
    receive(b, 9, 0, 1);
    ck_assert_int_eq(a->ops->post_send(a->device, a->qp, &send), 0);
    lab_settle(lab);
    expect_done(a, 0, 1, SMC_RDMA_WRITE, SMC_RDMA_REMOTE_ACCESS_ERROR);
    expect_done(b, 0, 9, SMC_RDMA_RECV, SMC_RDMA_FLUSHED);
    expect_event(b, SMC_RDMA_QP_ACCESS_ERROR);
    ck_assert_int_eq(state_of(b), SMC_RDMA_QP_ERR);
    ck_assert_mem_eq(before, b->memory, MEMORY);
    free(before);
    lab_close(lab);
}
END_TEST

START_TEST(memory_that_goes_away_within_a_write_is_refused_from_there_on)
{
    struct setup setup = plain_setup();
    setup.config.window_packets = 4;
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0], *b = &lab->ends[1];
    post_write(lab, 0, 1, 0, 0, 8 * 1024);
    roce_run(a->roce, lab->now_ns);
    lab_deliver(lab);
    lab_deliver(lab);
    ck_assert_int_eq(b->ops->dereg_mr(b->device, &b->mr), 0);
    uint8_t untouched = b->memory[2048];
    lab_settle(lab);
    ck_assert_mem_eq(b->memory, a->memory, 2048);
    ck_assert_uint_eq(b->memory[2048], untouched);
    expect_done(a, 0, 1, SMC_RDMA_WRITE, SMC_RDMA_REMOTE_ACCESS_ERROR);
    lab_close(lab);
}
END_TEST

START_TEST(ones_own_bad_memory_fails_in_its_turn)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0];
    struct smc_rdma_mr gone = {0};
    ck_assert_int_eq(a->ops->reg_mr(a->device, a->pd, a->memory, 100, 0, &gone), 0);
    struct smc_rdma_piece piece = {&gone, 0, 100};
    struct smc_rdma_send send = {.id = 2, .opcode = SMC_RDMA_SEND, .pieces = &piece,
                                 .piece_count = 1};
    post_write(lab, 0, 1, 0, 0, 5000);
    ck_assert_int_eq(a->ops->post_send(a->device, a->qp, &send), 0);
    post_write(lab, 0, 3, 0, 0, 5000);
    ck_assert_int_eq(a->ops->dereg_mr(a->device, &gone), 0);
    lab_settle(lab);
    ck_assert_uint_eq(a->done_count, 3);
    expect_done(a, 0, 1, SMC_RDMA_WRITE, SMC_RDMA_SUCCESS);
    expect_done(a, 1, 2, SMC_RDMA_SEND, SMC_RDMA_LOCAL_PROTECTION_ERROR);
    expect_done(a, 2, 3, SMC_RDMA_WRITE, SMC_RDMA_FLUSHED);
    lab_close(lab);
}
END_TEST

START_TEST(a_receive_buffer_that_may_not_be_written_is_an_operation_error)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0], *b = &lab->ends[1];
    struct smc_rdma_mr read_only = {0};
    ck_assert_int_eq(b->ops->reg_mr(b->device, b->pd, b->memory, 100, 0, &read_only), 0);
    struct smc_rdma_piece piece = {&read_only, 0, 100};
    struct smc_rdma_receive into = {5, &piece, 1};
    ck_assert_int_eq(b->ops->post_receive(b->device, b->qp, &into), 0);
    post_send(a, 1, 0, 10);
    lab_settle(lab);
    expect_done(a, 0, 1, SMC_RDMA_SEND, SMC_RDMA_REMOTE_OPERATION_ERROR);
    expect_done(b, 0, 5, SMC_RDMA_RECV, SMC_RDMA_LOCAL_PROTECTION_ERROR);
    lab_close(lab);
}
END_TEST

START_TEST(a_qp_whose_gid_went_away_can_neither_send_nor_receive)
{
    struct setup setup = plain_setup();
    setup.retry_count = 1;
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0], *b = &lab->ends[1];
    ck_assert_int_eq(roce_set_gid(a->roce, 1, 3, NULL), 0);
    ck_assert_int_eq(a->events[a->event_count - 1].type, SMC_RDMA_GID_CHANGE);
    post_write(lab, 0, 1, 0, 0, 10);
    post_write(lab, 1, 2, 0, 0, 10);
    lab_settle(lab);
    expect_done(a, 0, 1, SMC_RDMA_WRITE, SMC_RDMA_RETRY_EXCEEDED);
    expect_done(b, 0, 2, SMC_RDMA_WRITE, SMC_RDMA_RETRY_EXCEEDED);
    ck_assert_uint_gt(roce_counters(a->roce)->dropped_not_for_us, 0);
    lab_close(lab);
}
END_TEST

static Suite *reliable_suite(void)
{
    Suite *suite = suite_create("roce_reliable");
    TCase *tests = tcase_create("packets");
    tcase_add_test(tests, a_send_fills_the_receive_buffer_and_both_sides_learn_of_it);
    tcase_add_loop_test(tests, a_write_arrives_whole_whatever_its_size, 0,
                        sizeof(sizes) / sizeof(sizes[0]));
    tcase_add_test(tests, a_message_is_cut_into_first_middle_and_last_as_the_wire_wants_it);
    tcase_add_test(tests, an_ipv4_frame_looks_like_one_of_rxe);
    tcase_add_loop_test(tests, ipv6_rocev1_and_vlans_have_their_own_headers, 0, 3);
    tcase_add_test(tests, rocev1_is_carried_over_udp_if_both_want_it);
    tcase_add_test(tests, a_request_is_gathered_from_pieces_and_scattered_into_pieces);
    tcase_add_test(tests, psns_wrap_around_in_the_middle_of_a_message);
    tcase_add_test(tests, the_window_bounds_what_is_under_way);
    tcase_add_test(tests, a_long_message_asks_for_acks_on_its_way);
    tcase_add_test(tests, acks_that_may_wait_are_joined);
    suite_add_tcase(suite, tests);
    tests = tcase_create("loss");
    tcase_add_test(tests, a_lost_packet_is_reported_once_and_sent_again_from_there);
    tcase_add_test(tests, a_lost_last_packet_is_sent_again_after_the_timeout);
    tcase_add_test(tests, a_lost_ack_makes_the_request_come_twice_but_be_carried_out_once);
    tcase_add_test(tests, everything_twice_is_carried_out_once);
    tcase_add_test(tests, retries_are_counted_and_run_out);
    tcase_add_test(tests, every_qp_keeps_its_own_time);
    tcase_add_test(tests, an_ack_timeout_of_zero_waits_for_ever);
    tcase_add_test(tests, a_link_that_comes_back_in_time_costs_only_retries);
    tcase_add_test(tests, a_port_that_refuses_is_asked_again_and_nothing_is_lost);
    suite_add_tcase(suite, tests);
    tests = tcase_create("refusals");
    tcase_add_loop_test(tests, a_sender_without_receiver_waits_what_the_timer_code_says, 0, 5);
    tcase_add_loop_test(tests, rnr_retries_run_out_unless_they_are_seven, 0, 8);
    tcase_add_test(tests, a_message_too_long_for_the_buffer_breaks_both_sides);
    tcase_add_loop_test(tests, a_write_outside_what_was_granted_is_refused_and_touches_nothing, 0,
                        7);
    tcase_add_test(tests, memory_that_goes_away_within_a_write_is_refused_from_there_on);
    tcase_add_test(tests, ones_own_bad_memory_fails_in_its_turn);
    tcase_add_test(tests, a_receive_buffer_that_may_not_be_written_is_an_operation_error);
    tcase_add_test(tests, a_qp_whose_gid_went_away_can_neither_send_nor_receive);
    suite_add_tcase(suite, tests);
    return suite;
}
CHECK_MAIN(reliable_suite)
