/* Tests of TCP under faults: a bad cable, memory that fails, hostile segments; and that a run repeats itself.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/tcp_pair_test.h"

struct faults {
    unsigned loss, duplicate, corrupt, reorder;
};
static const struct faults cables[] = {
    {50, 0, 0, 0}, {0, 100, 0, 0}, {0, 0, 50, 0}, {0, 0, 0, 300}, {50, 50, 20, 200}, {200, 0, 0, 0},
};
enum { CABLES = sizeof(cables) / sizeof(cables[0]), SEEDS = 8 };

static uint64_t digest(const struct pair *pair)
{
    uint64_t h = 1;
    for (size_t i = 0; i < pair->nlog; i++) {
        const struct logged *s = &pair->log[i];
        uint64_t words[] = {s->at, s->flags, s->seq, s->ack, s->length, s->window};
        for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++)
            h = (h ^ words[w]) * UINT64_C(0x9e3779b97f4a7c15) + (h >> 29);
    }
    return h;
}

/* Both ways at once over a bad cable; the digest of what was sent. */
static uint64_t transfer(const struct faults *faults, uint64_t seed, size_t bytes)
{
    const struct ip_config config = {.seed = seed};
    struct pair *pair = pair_new_with(&config, 0);
    struct app client = {.close_when_done = true}, server = {.close_when_done = true};
    app_fill(&client, bytes, (uint32_t)seed);
    app_fill(&server, bytes / 2, (uint32_t)seed + 1);
    pair->loss = faults->loss;
    pair->duplicate = faults->duplicate;
    pair->corrupt = faults->corrupt;
    pair->reorder = faults->reorder;
    pair_listen(pair, &server, NULL);
    do { /* ARP itself may fail on such a cable */
        memset(&client.error, 0, sizeof(client.error));
        pair_connect(pair, &client, NULL, seed % 2 == 1);
        pair_run(pair, 10 * SECOND);
        if (client.error == SMC_ERR_UNREACHABLE)
            tcp_close(client.conn);
    } while (client.error == SMC_ERR_UNREACHABLE);
    pair_run(pair, 2000 * SECOND);
    ck_assert_uint_eq(client.reset + server.reset, 0);
    ck_assert_uint_eq(server.in_length, client.out_length);
    ck_assert_uint_eq(client.in_length, server.out_length);
    ck_assert_int_eq(memcmp(server.in, client.out, client.out_length), 0);
    ck_assert_int_eq(memcmp(client.in, server.out, server.out_length), 0);
    ck_assert_uint_eq(client.closed + server.closed, 2);
    uint64_t h = digest(pair);
    tcp_close(client.conn);
    tcp_close(server.conn);
    pair_run(pair, 200 * SECOND);
    ck_assert_uint_eq(tcp_count(pair->end[0].stack) + tcp_count(pair->end[1].stack), 0);
    pair_free(pair);
    app_free(&client);
    app_free(&server);
    return h;
}

START_TEST(every_byte_arrives_once_and_in_order_over_a_bad_cable)
{
    transfer(&cables[_i % CABLES], (uint64_t)_i + 1, 200000);
}
END_TEST

START_TEST(two_megabytes_survive_five_percent_loss)
{
    transfer(&cables[0], 4711, 2000000);
}
END_TEST

START_TEST(the_same_seed_sends_the_same_segments)
{
    uint64_t first = transfer(&cables[4], 5, 100000);
    ck_assert_uint_eq(first, transfer(&cables[4], 5, 100000));
    ck_assert_uint_ne(first, transfer(&cables[4], 7, 100000));
}
END_TEST

/* Whatever fails, the transfer ends or a function said so; nothing leaks (pair_free). false: this call was never made. */
static bool one_failure(size_t fail_at)
{
    static const struct ip_address any;
    const struct ip_config config = {.seed = 9};
    struct pair *pair = pair_new_with(&config, fail_at);
    struct app client = {.close_when_done = true}, server = {.close_when_done = true};
    app_fill(&client, 30000, 1);
    app_fill(&server, 5000, 2);
    pair->reorder = 300;
    if (pair->end[0].stack != NULL && pair->end[1].stack != NULL) {
        int listening = tcp_listen(pair->end[1].stack, any, PORT_HTTP, 1, NULL, &app_callbacks,
                                   &server, &server.listener);
        int error = tcp_connect(pair->end[0].stack, pair->end[1].v4, PORT_HTTP, NULL,
                                &app_callbacks, &client, &client.conn);
        ck_assert(listening == 0 || listening == SMC_ERR_NOMEM);
        ck_assert(error == 0 || error == SMC_ERR_NOMEM);
        for (int i = 0; i < 100; i++) { /* tcp_send() may have failed: again */
            pair_run(pair, SECOND);
            if (client.conn != NULL && client.established > 0)
                app_push(&client);
            if (server.conn != NULL)
                app_push(&server);
        }
        if (listening == 0 && error == 0) {
            ck_assert_uint_eq(server.in_length, 30000);
            ck_assert_uint_eq(client.in_length, 5000);
            ck_assert_int_eq(memcmp(server.in, client.out, 30000), 0);
            ck_assert_uint_eq(client.closed + server.closed, 2);
        }
    }
    bool made = pair->memory.calls >= fail_at;
    pair_free(pair);
    app_free(&client);
    app_free(&server);
    return made;
}

START_TEST(each_allocation_may_fail_in_turn)
{
    size_t n = 1;
    while (one_failure(n))
        n++;
    ck_assert_uint_gt(n, 20);
}
END_TEST

/* Random bytes, and real frames with some bytes changed and their sums repaired half of the time. */
static void repair(uint8_t *frame, size_t n)
{
    if (n < 54 || frame[12] != 8 || frame[13] != 0 || frame[23] != 6)
        return;
    smc_store_be(frame + 24, 2, 0);
    uint32_t sum = 0;
    size_t ihl = (size_t)(frame[14] & 15) * 4;
    for (size_t i = 14; i + 1 < 14 + ihl && i + 1 < n; i += 2)
        sum += (uint32_t)smc_load_be(frame + i, 2);
    sum = (sum & 0xffff) + (sum >> 16);
    smc_store_be(frame + 24, 2, 0xffff & ~(sum + (sum >> 16)));
    size_t end = 14 + (size_t)smc_load_be(frame + 16, 2), tcp = 14 + ihl;
    if (end > n || tcp + 20 > end)
        return;
    smc_store_be(frame + tcp + 16, 2, 0);
    sum = 6 + (uint32_t)(end - tcp);
    for (size_t i = 26; i < 34; i += 2)
        sum += (uint32_t)smc_load_be(frame + i, 2);
    for (size_t i = tcp; i < end; i += 2)
        sum += (uint32_t)(frame[i] << 8 | (i + 1 < end ? frame[i + 1] : 0));
    sum = (sum & 0xffff) + (sum >> 16);
    smc_store_be(frame + tcp + 16, 2, 0xffff & ~(sum + (sum >> 16)));
}

static void throw_one(struct pair *pair, int to)
{
    uint8_t frame[2048];
    size_t n = pair->last_length[1 - to];
    memcpy(frame, pair->last[1 - to], n);
    unsigned kind = pair_random(pair) % 4;
    if (kind == 0 || n == 0) {
        n = pair_random(pair) % 200;
        for (size_t i = 0; i < n; i++)
            frame[i] = (uint8_t)pair_random(pair);
        memcpy(frame, pair->end[to].port.mac, 6);
        static const uint16_t types[] = {0x0800, 0x0806, 0x86dd, 0x8100};
        smc_store_be(frame + 12, 2, types[pair_random(pair) % 4]);
        if (n < 14)
            n = 14;
    } else {
        unsigned changes = 1 + pair_random(pair) % 4;
        for (unsigned i = 0; i < changes; i++)
            frame[14 + pair_random(pair) % (n - 14)] ^= (uint8_t)(1u << pair_random(pair) % 8);
        if (kind == 2)
            n -= pair_random(pair) % (n / 2);
        if (kind == 3)
            repair(frame, n);
    }
    uint8_t *exact = malloc(n); /* so that a sanitizer sees a read beyond the end */
    memcpy(exact, frame, n);
    ip_frame(pair->end[to].stack, 0, exact, n, pair->now);
    free(exact);
}

START_TEST(hostile_frames_break_connections_at_most_never_the_stack)
{
    const struct ip_config config = {.seed = (uint64_t)_i + 100};
    struct pair *pair = pair_new_with(&config, 0);
    unsigned survived = 0;
    struct app server = {0};
    pair_listen(pair, &server, NULL);
    for (unsigned round = 0; round < 20; round++) {
        struct app client = {.close_when_done = true};
        app_fill(&client, 20000, round);
        server.conn = NULL;
        server.in_length = 0;
        pair_connect(pair, &client, NULL, false);
        for (unsigned i = 0; i < 300; i++) {
            throw_one(pair, (int)(pair_random(pair) % 2));
            pair_run(pair, MS);
        }
        pair_run(pair, 20 * SECOND);
        survived += client.reset == 0 && server.in_length == 20000;
        tcp_abort(client.conn);
        if (server.conn != NULL)
            tcp_abort(server.conn);
        pair_run(pair, 100 * SECOND);
        app_free(&client);
    }
    ck_assert_uint_gt(survived, 0);
    pair_free(pair);
    app_free(&server);
}
END_TEST

static Suite *fault_suite(void)
{
    Suite *suite = suite_create("tcp_fault");
    TCase *tests = tcase_create("tcp_fault");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, every_byte_arrives_once_and_in_order_over_a_bad_cable, 0,
                        CABLES * SEEDS);
    tcase_add_test(tests, two_megabytes_survive_five_percent_loss);
    tcase_add_test(tests, the_same_seed_sends_the_same_segments);
    tcase_add_test(tests, each_allocation_may_fail_in_turn);
    tcase_add_loop_test(tests, hostile_frames_break_connections_at_most_never_the_stack, 0, 10);
    suite_add_tcase(suite, tests);
    return suite;
}
CHECK_MAIN(fault_suite)
