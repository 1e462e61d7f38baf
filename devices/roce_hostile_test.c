/* Tests of the RoCE NIC against frames that are damaged, forged or out of sequence.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/roce_internal.h"
#include "devices/roce_lab_test.h"

/* One frame from side 0 to side 1, taken off the wire. */
struct catch {
    uint8_t bytes[WIRE_FRAME_MAX];
    size_t length;
};

static struct catch take(struct lab *lab)
{
    struct catch caught = {.length = 0};
    roce_run(lab->ends[0].roce, lab->now_ns);
    ck_assert_uint_ge(lab->count, 1);
    struct wire_frame *frame = &lab->queue[lab->first];
    caught.length = frame->length;
    memcpy(caught.bytes, frame->bytes, frame->length);
    while (lab->count > 0) {
        free(lab->queue[lab->first].bytes);
        lab->first = (lab->first + 1) % QUEUE_FRAMES;
        lab->count--;
    }
    return caught;
}

static void give(struct lab *lab, const struct catch *frame)
{
    roce_frame(lab->ends[1].roce, 1, frame->bytes, frame->length, lab->now_ns);
}

/* A WRITE or (`send`) SEND of `length` bytes, first packet. */
static struct catch make(struct lab *lab, bool send, uint32_t length)
{
    if (send)
        post_send(&lab->ends[0], 1, 0, length);
    else
        post_write(lab, 0, 1, 0, 0, length);
    return take(lab);
}

static void connect_again(struct lab *lab, const struct setup *setup)
{
    struct end *b = &lab->ends[1];
    struct smc_rdma_qp_change reset = {.state = SMC_RDMA_QP_RESET};
    ck_assert_int_eq(b->ops->modify_qp(b->device, b->qp, &reset), 0);
    connect_qp(lab, 1, setup);
}

static const struct roce_counters *counters_of(const struct lab *lab)
{
    return roce_counters(lab->ends[1].roce);
}

/* ---- Addressing ---------------------------------------------------------------------------------- */

START_TEST(frames_for_others_are_dropped)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    const struct roce_counters *counters = counters_of(lab);
    const struct catch good = make(lab, false, 100);
    struct catch frame = good;
    frame.bytes[5] ^= 1; /* MAC */
    give(lab, &frame);
    ck_assert_uint_eq(counters->dropped_not_for_us, 1);
    frame = good;
    smc_bth_put_pkey(frame.bytes + 42, 0x8001);
    seal(frame.bytes, frame.length);
    give(lab, &frame);
    ck_assert_uint_eq(counters->dropped_not_for_us, 2);
    frame = good;
    smc_bth_put_dqpn(frame.bytes + 42, 0x123456);
    seal(frame.bytes, frame.length);
    give(lab, &frame);
    ck_assert_uint_eq(counters->dropped_unknown_qp, 1);
    frame = good; /* a VLAN tag that the GID entry has not */
    memmove(frame.bytes + 18, frame.bytes + 14, frame.length - 14);
    smc_store_be(frame.bytes + 12, 2, 0x8100);
    smc_store_be(frame.bytes + 14, 2, 7);
    smc_store_be(frame.bytes + 16, 2, 0x0800);
    frame.length += 4;
    give(lab, &frame);
    ck_assert_uint_eq(counters->dropped_not_for_us, 3);
    smc_store_be(frame.bytes + 14, 2, 0xe000); /* only a priority: that is no VLAN */
    give(lab, &frame);
    ck_assert_uint_eq(counters->packets_received, 1);
    lab_close(lab);
}
END_TEST

static void put_ipv4_checksum(uint8_t *ip)
{
    uint32_t sum = 0;
    smc_ipv4_put_checksum(ip, 0);
    for (unsigned i = 0; i < 20; i += 2)
        sum += (uint32_t)smc_load_be(ip + i, 2);
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    smc_ipv4_put_checksum(ip, (uint16_t)~sum);
}

START_TEST(only_the_peer_and_ones_own_gid_count)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    const struct roce_counters *counters = counters_of(lab);
    const struct catch good = make(lab, false, 100);
    for (unsigned at = 29; at <= 33; at += 4) { /* last byte of source, of destination */
        struct catch frame = good;
        frame.bytes[at] ^= 0x40;
        put_ipv4_checksum(frame.bytes + 14);
        seal(frame.bytes, frame.length);
        give(lab, &frame);
    }
    ck_assert_uint_eq(counters->dropped_unknown_qp, 1); /* from a stranger */
    ck_assert_uint_eq(counters->dropped_not_for_us, 1);
    ck_assert_uint_eq(counters->packets_received, 0);
    give(lab, &good);
    ck_assert_uint_eq(counters->packets_received, 1);
    lab_close(lab);
}
END_TEST

START_TEST(a_frame_with_trailing_padding_is_read_to_its_own_end)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct catch frame = make(lab, false, 100);
    memset(frame.bytes + frame.length, 0xaa, 30);
    frame.length += 30;
    give(lab, &frame);
    ck_assert_uint_eq(counters_of(lab)->payload_placed, 100);
    lab_close(lab);
}
END_TEST

/* ---- Damage -------------------------------------------------------------------------------------- */

START_TEST(no_truncation_is_taken_for_a_packet)
{
    struct setup setup = plain_setup();
    setup.ipv6 = _i == 1;
    setup.type = _i == 2 ? SMC_RDMA_GID_ROCE_V1 : SMC_RDMA_GID_ROCE_V2;
    setup.vlan_id = _i == 3 ? 9 : 0;
    struct lab *lab = lab_open(&setup);
    const struct catch good = make(lab, false, 101);
    for (size_t length = 0; length < good.length; length++) {
        uint8_t *exact = malloc(length + 1); /* so that ASan sees every byte too many */
        memcpy(exact + 1, good.bytes, length);
        roce_is_roce(exact + 1, length);
        roce_frame(lab->ends[1].roce, 1, exact + 1, length, lab->now_ns);
        free(exact);
    }
    ck_assert_uint_eq(counters_of(lab)->dropped_malformed, good.length);
    ck_assert_uint_eq(counters_of(lab)->packets_received, 0);
    lab_close(lab);
}
END_TEST

START_TEST(no_single_damaged_bit_places_a_wrong_byte)
{
    struct setup setup = plain_setup();
    setup.ipv6 = _i == 1;
    setup.type = _i == 2 ? SMC_RDMA_GID_ROCE_V1 : SMC_RDMA_GID_ROCE_V2;
    struct lab *lab = lab_open(&setup);
    struct end *b = &lab->ends[1];
    uint8_t *before = malloc(MEMORY);
    memcpy(before, b->memory, MEMORY);
    const struct catch good = make(lab, false, 101);
    unsigned placed = 0;
    for (size_t bit = 0; bit < good.length * 8; bit++) {
        struct catch frame = good;
        frame.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        give(lab, &frame);
        if (memcmp(before, b->memory, MEMORY) == 0)
            continue;
        ck_assert_mem_eq(b->memory, lab->ends[0].memory, 101);
        ck_assert_mem_eq(before + 101, b->memory + 101, MEMORY - 101);
        memcpy(b->memory, before, 101);
        connect_again(lab, &setup);
        placed++;
    }
    /* Source MAC, BECN and its neighbours; IPv6: class, flow label and hop limit besides. Routers and
     * switches may change these; IPv4 guards its own by a checksum. */
    ck_assert_uint_eq(placed, _i == 0 ? 48 + 8 : 48 + 8 + 36);
    ck_assert_int_eq(state_of(b), SMC_RDMA_QP_RTS);
    free(before);
    lab_close(lab);
}
END_TEST

START_TEST(a_bad_icrc_is_counted_and_dropped)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct catch frame = make(lab, false, 100);
    frame.bytes[frame.length - 10] ^= 1;
    give(lab, &frame);
    ck_assert_uint_eq(counters_of(lab)->dropped_bad_icrc, 1);
    ck_assert_uint_eq(counters_of(lab)->payload_placed, 0);
    lab_close(lab);
}
END_TEST

/* Forged with a right ICRC: whatever it does, nothing outside of the region changes and nothing crashes. */
START_TEST(sealed_nonsense_never_crashes)
{
    struct setup setup = plain_setup();
    setup.ipv6 = _i % 3 == 1;
    setup.type = _i % 3 == 2 ? SMC_RDMA_GID_ROCE_V1 : SMC_RDMA_GID_ROCE_V2;
    struct lab *lab = lab_open(&setup);
    struct end *b = &lab->ends[1];
    lab->random = (uint64_t)_i + 7;
    const struct catch good = make(lab, _i % 2 == 0, 300);
    unsigned long broken = 0;
    for (unsigned round = 0; round < 4000; round++) {
        struct catch frame = good;
        size_t bth = bth_of(good.bytes);
        receive(b, round, lab_random(lab, 1000), lab_random(lab, 2000));
        for (unsigned i = lab_random(lab, 4); i > 0; i--)
            frame.bytes[bth + lab_random(lab, 32)] = (uint8_t)lab_random(lab, 256);
        if (lab_random(lab, 2))
            frame.bytes[bth] = (uint8_t)lab_random(lab, 24);
        uint32_t off = lab_random(lab, 8) ? 0 : lab_random(lab, 5) - 2;
        smc_bth_put_psn(frame.bytes + bth, (b->qp->expected + off) & 0xffffff);
        seal(frame.bytes, frame.length);
        roce_frame(b->roce, 1, frame.bytes, frame.length, lab->now_ns);
        while (lab->count > 0) {
            free(lab->queue[lab->first].bytes);
            lab->first = (lab->first + 1) % QUEUE_FRAMES;
            lab->count--;
        }
        b->done_count = 0;
        end_poll(b, b->cq);
        b->event_count = 0;
        broken += state_of(b) == SMC_RDMA_QP_ERR;
        if (state_of(b) == SMC_RDMA_QP_ERR || round % 60 == 59)
            connect_again(lab, &setup);
    }
    ck_assert_uint_gt(broken, 100);
    ck_assert_uint_gt(counters_of(lab)->fatal_naks_sent, 100);
    lab_close(lab);
}
END_TEST

/* ---- Sequences of opcodes ------------------------------------------------------------------------ */

/* Gives side 1 a packet with this opcode, PSN in order and payload of `n` bytes (multiple of 4). */
static void forge(struct lab *lab, const struct catch *like, uint8_t opcode, uint32_t psn, size_t n)
{
    struct catch frame = *like;
    size_t extended = opcode == SMC_BTH_WRITE_FIRST || opcode == SMC_BTH_WRITE_ONLY ? 16 : 0;
    uint8_t *bth = frame.bytes + 42;
    smc_bth_put_opcode(bth, opcode);
    smc_bth_put_psn(bth, psn);
    smc_bth_put_pad(bth, 0);
    frame.length = 42 + 12 + extended + n + 4;
    smc_udp_put_length(frame.bytes + 34, (uint16_t)(frame.length - 34));
    smc_ipv4_put_total_length(frame.bytes + 14, (uint16_t)(frame.length - 14));
    put_ipv4_checksum(frame.bytes + 14);
    seal(frame.bytes, frame.length);
    give(lab, &frame);
}

/* Two opcodes in a row of which the second is not allowed (or the only one, if psn stays). */
static const struct {
    uint8_t first, second;
    uint16_t size;
} wrong[] = {
    {SMC_BTH_SEND_FIRST, SMC_BTH_SEND_FIRST, 1024},   {SMC_BTH_SEND_FIRST, SMC_BTH_SEND_ONLY, 1024},
    {SMC_BTH_SEND_FIRST, SMC_BTH_WRITE_MIDDLE, 1024}, {SMC_BTH_SEND_FIRST, SMC_BTH_WRITE_LAST, 4},
    {SMC_BTH_SEND_FIRST, SMC_BTH_WRITE_ONLY, 4},      {SMC_BTH_WRITE_FIRST, SMC_BTH_SEND_LAST, 4},
    {SMC_BTH_WRITE_FIRST, SMC_BTH_WRITE_FIRST, 1024}, {SMC_BTH_SEND_FIRST, SMC_BTH_SEND_MIDDLE, 512},
    {SMC_BTH_SEND_FIRST, SMC_BTH_SEND_LAST, 0},       {SMC_BTH_SEND_FIRST, SMC_BTH_SEND_LAST, 1028},
    {SMC_BTH_SEND_ONLY, SMC_BTH_SEND_LAST, 4},        {SMC_BTH_SEND_ONLY, SMC_BTH_SEND_MIDDLE, 1024},
    {SMC_BTH_SEND_ONLY, SMC_BTH_WRITE_LAST, 4},       {SMC_BTH_SEND_ONLY, SMC_BTH_SEND_ONLY_IMM, 8},
    {SMC_BTH_SEND_ONLY, SMC_BTH_WRITE_ONLY_IMM, 24},  {SMC_BTH_SEND_ONLY, SMC_BTH_READ_REQUEST, 16},
    {SMC_BTH_SEND_ONLY, SMC_BTH_CMP_SWAP, 28},        {SMC_BTH_SEND_ONLY, SMC_BTH_SEND_ONLY_INV, 8},
    {SMC_BTH_SEND_ONLY, 0xff, 8},                     {SMC_BTH_SEND_ONLY, SMC_BTH_SEND_ONLY, 1028},
    {SMC_BTH_WRITE_FIRST, SMC_BTH_WRITE_LAST, 1024},  {SMC_BTH_SEND_ONLY, SMC_BTH_SEND_FIRST, 512},
    {SMC_BTH_WRITE_FIRST, SMC_BTH_WRITE_LAST, 472},   {SMC_BTH_SEND_ONLY, SMC_BTH_WRITE_ONLY, 1000},
};

START_TEST(an_opcode_out_of_sequence_is_an_invalid_request)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *b = &lab->ends[1];
    const struct catch like = make(lab, false, 1500); /* RETH says 1500 bytes */
    receive(b, 1, 0, 5000);
    receive(b, 2, 0, 5000);
    bool only = wrong[_i].first == SMC_BTH_SEND_ONLY;
    forge(lab, &like, wrong[_i].first, 1000, only ? 4 : 1024);
    ck_assert_int_eq(state_of(b), SMC_RDMA_QP_RTS);
    forge(lab, &like, wrong[_i].second, 1001, wrong[_i].size);
    ck_assert_int_eq(state_of(b), SMC_RDMA_QP_ERR);
    ck_assert_uint_eq(counters_of(lab)->fatal_naks_sent, 1);
    expect_event(b, SMC_RDMA_QP_FATAL);
    struct wire_frame *nak = &lab->queue[(lab->first + lab->count - 1) % QUEUE_FRAMES];
    struct smc_aeth aeth = {nak->bytes + bth_of(nak->bytes) + smc_bth_size};
    ck_assert_uint_eq(smc_aeth_kind(aeth), 3);
    ck_assert_uint_eq(smc_aeth_value(aeth), 1);
    ck_assert_uint_eq(smc_bth_psn(bth_in(nak->bytes)), 1001);
    lab_close(lab);
}
END_TEST

START_TEST(fragments_and_wrong_checksums_are_malformed)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    const struct catch good = make(lab, false, 100);
    struct catch frame = good;
    smc_ipv4_put_more_fragments(frame.bytes + 14, 1);
    put_ipv4_checksum(frame.bytes + 14);
    seal(frame.bytes, frame.length);
    give(lab, &frame);
    frame = good;
    frame.bytes[22]++; /* TTL, checksum not mended */
    give(lab, &frame);
    frame = good;
    smc_udp_put_checksum(frame.bytes + 34, 0x1234);
    give(lab, &frame);
    frame = good;
    smc_bth_put_tver(frame.bytes + 42, 1);
    seal(frame.bytes, frame.length);
    give(lab, &frame);
    frame = good;
    smc_ipv4_put_version(frame.bytes + 14, 5);
    give(lab, &frame);
    frame = good; /* a payload that is no multiple of four, without padding */
    frame.length--;
    smc_ipv4_put_total_length(frame.bytes + 14, (uint16_t)(frame.length - 14));
    smc_udp_put_length(frame.bytes + 34, (uint16_t)(frame.length - 34));
    put_ipv4_checksum(frame.bytes + 14);
    seal(frame.bytes, frame.length);
    give(lab, &frame);
    ck_assert_uint_eq(counters_of(lab)->dropped_malformed, 6);
    ck_assert_uint_eq(counters_of(lab)->packets_received, 0);
    lab_close(lab);
}
END_TEST

/* ---- Answers ------------------------------------------------------------------------------------- */

/* An answer as side 1 would send it, given to side 0. */
static void forge_answer(struct lab *lab, uint32_t psn, uint8_t kind, uint8_t value)
{
    struct catch frame = {.length = 62};
    struct smc_rdma_gid_entry from, to;
    struct end *a = &lab->ends[0], *b = &lab->ends[1];
    ck_assert_int_eq(b->ops->query_gid(b->device, 1, 3, &from), 0);
    ck_assert_int_eq(a->ops->query_gid(a->device, 1, 3, &to), 0);
    smc_eth_put_dst(frame.bytes, to.mac);
    smc_eth_put_src(frame.bytes, from.mac);
    smc_eth_put_ethertype(frame.bytes, 0x0800);
    uint8_t *ip = frame.bytes + 14;
    smc_store_be(ip, 4, 0x45000030);
    smc_ipv4_put_ttl(ip, 64);
    smc_ipv4_put_protocol(ip, 17);
    memcpy(ip + 12, from.gid.bytes + 12, 4);
    memcpy(ip + 16, to.gid.bytes + 12, 4);
    put_ipv4_checksum(ip);
    smc_udp_put_dport(ip + 20, 4791);
    smc_udp_put_length(ip + 20, 28);
    smc_bth_put_opcode(ip + 28, SMC_BTH_ACK);
    smc_bth_put_pkey(ip + 28, 0xffff);
    smc_bth_put_dqpn(ip + 28, a->ops->qp_number(a->qp));
    smc_bth_put_psn(ip + 28, psn);
    smc_aeth_put_kind(ip + 40, kind);
    smc_aeth_put_value(ip + 40, value);
    seal(frame.bytes, frame.length);
    roce_frame(a->roce, 1, frame.bytes, frame.length, lab->now_ns);
}

START_TEST(answers_to_nothing_outstanding_are_ignored)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0];
    make(lab, false, 3000); /* PSNs 1000 to 1002 are out */
    static const uint32_t psns[] = {999, 1003, 1003 + (1 << 22), 0, 0xffffff};
    for (unsigned i = 0; i < 5; i++)
        for (uint8_t kind = 0; kind < 4; kind++)
            for (uint8_t value = 0; value < 32; value++)
                forge_answer(lab, psns[i], kind, value);
    ck_assert_uint_eq(roce_counters(a->roce)->stale_acks, 5 * 4 * 32);
    forge_answer(lab, 1001, 2, 0); /* a kind that is reserved */
    forge_answer(lab, 1001, 3, 9); /* a NAK code that is */
    lab_poll(lab);
    ck_assert_uint_eq(a->done_count, 0);
    ck_assert_int_eq(state_of(a), SMC_RDMA_QP_RTS);
    forge_answer(lab, 1002, 0, 31);
    lab_poll(lab);
    expect_done(a, 0, 1, SMC_RDMA_WRITE, SMC_RDMA_SUCCESS);
    lab_close(lab);
}
END_TEST

START_TEST(a_nak_acknowledges_what_came_before_it)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0];
    static const enum smc_rdma_status statuses[] = {SMC_RDMA_REMOTE_INVALID_REQUEST,
                                                    SMC_RDMA_REMOTE_ACCESS_ERROR,
                                                    SMC_RDMA_REMOTE_OPERATION_ERROR};
    for (unsigned i = 1; i <= 3; i++)
        post_write(lab, 0, i, 0, 0, 2048);
    take(lab);
    forge_answer(lab, 1003, 3, (uint8_t)(_i + 1));
    lab_poll(lab);
    ck_assert_uint_eq(a->done_count, 3);
    expect_done(a, 0, 1, SMC_RDMA_WRITE, SMC_RDMA_SUCCESS);
    expect_done(a, 1, 2, SMC_RDMA_WRITE, statuses[_i]);
    expect_done(a, 2, 3, SMC_RDMA_WRITE, SMC_RDMA_FLUSHED);
    lab_close(lab);
}
END_TEST

/* The timeout went back to the first packet, the port did not take it yet, and then its ACK came. */
START_TEST(what_an_ack_covers_is_not_sent_again)
{
    struct setup setup = plain_setup();
    struct lab *lab = lab_open(&setup);
    struct end *a = &lab->ends[0];
    for (unsigned i = 1; i <= 3; i++)
        post_write(lab, 0, i, 0, 0, 100);
    take(lab); /* PSNs 1000 to 1002 */
    a->wire.refuse = 1;
    lab->now_ns = roce_next_ns(a->roce);
    roce_run(a->roce, lab->now_ns);
    ck_assert_uint_eq(roce_counters(a->roce)->timeouts, 1);
    ck_assert_uint_eq(lab->count, 0);
    forge_answer(lab, 1001, 0, 31);
    lab->now_ns = roce_next_ns(a->roce);
    struct catch again = take(lab);
    ck_assert_uint_eq(smc_bth_psn(bth_in(again.bytes)), 1002);
    ck_assert_uint_eq(roce_counters(a->roce)->retransmissions, 1);
    lab_poll(lab);
    ck_assert_uint_eq(a->done_count, 2);
    lab_close(lab);
}
END_TEST

static Suite *hostile_suite(void)
{
    Suite *suite = suite_create("roce_hostile");
    TCase *tests = tcase_create("hostile");
    tcase_add_test(tests, frames_for_others_are_dropped);
    tcase_add_test(tests, only_the_peer_and_ones_own_gid_count);
    tcase_add_test(tests, a_frame_with_trailing_padding_is_read_to_its_own_end);
    tcase_add_loop_test(tests, no_truncation_is_taken_for_a_packet, 0, 4);
    tcase_add_loop_test(tests, no_single_damaged_bit_places_a_wrong_byte, 0, 3);
    tcase_add_test(tests, a_bad_icrc_is_counted_and_dropped);
    tcase_add_loop_test(tests, sealed_nonsense_never_crashes, 0, 6);
    tcase_add_loop_test(tests, an_opcode_out_of_sequence_is_an_invalid_request, 0,
                        sizeof(wrong) / sizeof(wrong[0]));
    tcase_add_test(tests, fragments_and_wrong_checksums_are_malformed);
    tcase_add_test(tests, answers_to_nothing_outstanding_are_ignored);
    tcase_add_loop_test(tests, a_nak_acknowledges_what_came_before_it, 0, 3);
    tcase_add_test(tests, what_an_ack_covers_is_not_sent_again);
    suite_add_tcase(suite, tests);
    return suite;
}
CHECK_MAIN(hostile_suite)
