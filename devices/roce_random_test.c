/* Random traffic between two RoCE NICs over a wire that loses, doubles, swaps and damages frames.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/roce_lab_test.h"

/* Each side sends SENDs and WRITEs of random sizes from its first half into the peer's second half; a
 * shadow of that half, changed as the requests are posted, says what must be there at the end. Each
 * message carries its number, so that "once and in order" is seen from the receive completions. */
enum {
    QPS = 3,
    HALF = MEMORY / 2,
    ROOM = HALF / QPS, /* of the target memory, a QP: between QPs there is no order */
    RECEIVES = 16,
    SLOT = ROOM / 2 / RECEIVES, /* receive buffers lie in the upper half of the room */
    MESSAGES = 200              /* a QP and a side */
};

struct flow {
    struct smc_rdma_qp *qp;
    uint8_t shadow[ROOM / 2];         /* of the peer's room */
    uint32_t sent[MESSAGES];          /* length of each SEND */
    uint32_t offset[MESSAGES];        /* of its bytes in the source */
    unsigned posted, sends, received; /* received: SENDs of the peer that came here */
    unsigned completed, buffers;
};

struct traffic {
    struct lab *lab;
    struct flow flows[SIDES][QPS];
};

enum { FAIR, STORM, CONGESTED /* a storm too */ };

static enum fate weather(struct lab *lab, unsigned from, uint8_t *frame, size_t length)
{
    (void)from;
    uint32_t dice = lab_random(lab, 1000);
    if (lab->counter == FAIR)
        return FATE_PASS;
    if (lab->counter == CONGESTED && dice >= 600 && dice < 900)
        mark_ce(frame);
    if (dice < 15)
        return FATE_DROP;
    if (dice < 30)
        return FATE_TWICE;
    if (dice < 45)
        return FATE_LATER;
    if (dice < 55)
        frame[lab_random(lab, (uint32_t)length)] ^= (uint8_t)(1 + lab_random(lab, 255));
    return FATE_PASS;
}

static size_t room_of(unsigned flow)
{
    return HALF + (size_t)flow * ROOM;
}

static void give_buffer(struct traffic *traffic, unsigned side, unsigned f)
{
    struct end *end = &traffic->lab->ends[side];
    struct flow *flow = &traffic->flows[side][f];
    end->qp = flow->qp;
    size_t slot = room_of(f) + ROOM / 2 + (flow->buffers % RECEIVES) * SLOT;
    receive(end, UINT64_C(1) << 32 | flow->buffers++, slot, SLOT);
}

static void post(struct traffic *traffic, unsigned side, unsigned f)
{
    struct lab *lab = traffic->lab;
    struct end *end = &lab->ends[side];
    struct flow *flow = &traffic->flows[side][f];
    bool send = lab_random(lab, 3) == 0;
    uint32_t length = lab_random(lab, lab_random(lab, 4) ? 300 : send ? SLOT : 12000);
    uint32_t from = lab_random(lab, HALF - length);
    end->qp = flow->qp;
    if (send) {
        if (try_send(end, flow->posted, from, length) < 0)
            return;
        flow->sent[flow->sends] = length;
        flow->offset[flow->sends++] = from;
    } else {
        uint32_t to = lab_random(lab, ROOM / 2 - length);
        if (try_write(lab, side, flow->posted, from, room_of(f) + to, length) < 0)
            return;
        memcpy(flow->shadow + to, end->memory + from, length);
    }
    flow->posted++;
}

static struct flow *flow_of(struct traffic *traffic, unsigned side, const struct smc_rdma_qp *qp)
{
    for (unsigned f = 0; f < QPS; f++)
        if (traffic->flows[side][f].qp == qp)
            return &traffic->flows[side][f];
    ck_abort_msg("completion of an unknown QP");
    return NULL;
}

static void check_receive(struct traffic *traffic, unsigned side, const struct smc_rdma_completion *c)
{
    struct flow *flow = flow_of(traffic, side, c->qp);
    unsigned f = (unsigned)(flow - traffic->flows[side]);
    const struct flow *peer = &traffic->flows[side ^ 1][f];
    unsigned number = flow->received++;
    size_t slot = room_of(f) + ROOM / 2 + (number % RECEIVES) * SLOT;
    ck_assert_uint_eq(c->id, UINT64_C(1) << 32 | number);
    ck_assert_uint_lt(number, peer->sends);
    ck_assert_uint_eq(c->length, peer->sent[number]);
    ck_assert(memcmp(traffic->lab->ends[side].memory + slot,
                     traffic->lab->ends[side ^ 1].memory + peer->offset[number], c->length) == 0);
    give_buffer(traffic, side, f);
}

static void check_completions(struct traffic *traffic)
{
    for (unsigned side = 0; side < SIDES; side++) {
        struct end *end = &traffic->lab->ends[side];
        end->done_count = 0;
        end_poll(end, end->cq);
        for (unsigned i = 0; i < end->done_count; i++) {
            const struct smc_rdma_completion *c = &end->done[i];
            ck_assert_int_eq(c->status, SMC_RDMA_SUCCESS);
            if (c->opcode == SMC_RDMA_RECV)
                check_receive(traffic, side, c);
            else
                ck_assert_uint_eq(c->id, flow_of(traffic, side, c->qp)->completed++);
        }
    }
}

static void open_flows(struct traffic *traffic, struct setup *setup)
{
    struct lab *lab = traffic->lab;
    struct smc_rdma_qp_config config = {.max_send = 20, .max_receive = RECEIVES, .max_pieces = 3};
    for (unsigned f = 0; f < QPS; f++) {
        for (unsigned side = 0; side < SIDES; side++) {
            struct end *end = &lab->ends[side];
            config.send_cq = config.receive_cq = end->cq;
            ck_assert_int_eq(end->ops->create_qp(end->device, end->pd, &config, &end->qp), 0);
            traffic->flows[side][f].qp = end->qp;
            memcpy(traffic->flows[side ^ 1][f].shadow, end->memory + room_of(f), ROOM / 2);
        }
        for (unsigned side = 0; side < SIDES; side++)
            setup->psn[side] = lab_random(lab, 1u << 24) | (f == 0 ? 0xffff00 : 0);
        for (unsigned side = 0; side < SIDES; side++)
            connect_qp(lab, side, setup);
        for (unsigned side = 0; side < SIDES; side++)
            for (unsigned i = 0; i < RECEIVES / 2; i++) /* fewer than needed: RNR happens too */
                give_buffer(traffic, side, f);
    }
}

static bool unfinished(const struct traffic *traffic)
{
    for (unsigned side = 0; side < SIDES; side++)
        for (unsigned f = 0; f < QPS; f++)
            if (traffic->flows[side][f].completed < MESSAGES)
                return true;
    return false;
}

static void run(struct traffic *traffic)
{
    struct lab *lab = traffic->lab;
    lab->ends[0].manual = lab->ends[1].manual = true;
    for (unsigned long steps = 0; unfinished(traffic); steps++) {
        ck_assert_uint_lt(steps, 3000000);
        unsigned side = lab_random(lab, SIDES), f = lab_random(lab, QPS);
        if (traffic->flows[side][f].posted < MESSAGES && lab_random(lab, 3) == 0)
            post(traffic, side, f);
        lab_step(lab, UINT64_MAX);
        check_completions(traffic);
    }
    while (lab_step(lab, UINT64_MAX))
        check_completions(traffic);
}

static void check_end(const struct traffic *traffic)
{
    for (unsigned side = 0; side < SIDES; side++) {
        for (unsigned f = 0; f < QPS; f++) {
            const struct flow *flow = &traffic->flows[side][f];
            const struct end *peer = &traffic->lab->ends[side ^ 1];
            ck_assert_uint_eq(flow->completed, MESSAGES);
            ck_assert_uint_eq(traffic->flows[side ^ 1][f].received, flow->sends);
            ck_assert(memcmp(flow->shadow, peer->memory + room_of(f), ROOM / 2) == 0);
        }
    }
}

static uint64_t run_seed(unsigned seed, unsigned storm)
{
    struct setup setup = plain_setup();
    struct traffic *traffic = calloc(1, sizeof(*traffic));
    setup.mtu = (enum smc_rdma_mtu)(1 + seed % 5);
    setup.ipv6 = seed % 2;
    setup.type = seed % 3 == 2 ? SMC_RDMA_GID_ROCE_V1 : SMC_RDMA_GID_ROCE_V2;
    setup.config.window_packets = seed % 4 == 0 ? 5 : 0;
    setup.config.ack_delay_ns = seed % 4 == 1 ? 3000 : 0;
    setup.ack_timeout = 9; /* 2 ms: longer than a full queue of the wire takes */
    traffic->lab = lab_open(&setup);
    traffic->lab->random = seed;
    traffic->lab->fate = weather;
    traffic->lab->counter = storm;
    struct roce_dcqcn dcqcn = {.line_rate = seed % 2 ? 10000000000 : 1000000000};
    for (unsigned side = 0; side < SIDES && storm == CONGESTED; side++)
        ck_assert_int_eq(roce_set_dcqcn(traffic->lab->ends[side].roce, &dcqcn), 0);
    open_flows(traffic, &setup);
    run(traffic);
    check_end(traffic);
    const struct roce_counters *a = roce_counters(traffic->lab->ends[0].roce);
    uint64_t print = a->packets_sent * 31 + a->bytes_received * 7 + a->retransmissions +
                     traffic->lab->now_ns;
    if (storm == CONGESTED)
        ck_assert_uint_gt(a->cnps_sent + a->cnps_received, 0);
    if (storm != FAIR) {
        ck_assert_uint_gt(a->retransmissions, 0);
        ck_assert_uint_gt(a->duplicates, 0);
        ck_assert_uint_gt(a->dropped_bad_icrc, 0);
    } else {
        ck_assert_uint_eq(a->timeouts, 0);
        ck_assert_uint_eq(a->sequence_naks_sent, 0);
    }
    lab_close(traffic->lab);
    free(traffic);
    return print;
}

START_TEST(in_any_weather_everything_arrives_once_and_in_order)
{
    run_seed((unsigned)_i + 1, STORM);
}
END_TEST

START_TEST(rates_that_change_lose_nothing)
{
    run_seed((unsigned)_i + 1, CONGESTED);
}
END_TEST

START_TEST(in_fair_weather_nothing_is_sent_twice_for_want_of_an_ack)
{
    run_seed((unsigned)_i + 1, FAIR);
}
END_TEST

START_TEST(the_same_seed_is_the_same_run)
{
    ck_assert_uint_eq(run_seed(77, STORM), run_seed(77, STORM));
    ck_assert_uint_ne(run_seed(77, STORM), run_seed(92, STORM));
}
END_TEST

static Suite *random_suite(void)
{
    Suite *suite = suite_create("roce_random");
    TCase *tests = tcase_create("random");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, in_any_weather_everything_arrives_once_and_in_order, 0, 20);
    tcase_add_loop_test(tests, rates_that_change_lose_nothing, 0, 20);
    tcase_add_loop_test(tests, in_fair_weather_nothing_is_sent_twice_for_want_of_an_ack, 0, 5);
    tcase_add_test(tests, the_same_seed_is_the_same_run);
    suite_add_tcase(suite, tests);
    return suite;
}
CHECK_MAIN(random_suite)
