/* Tests of the SMC option on the handshake: who puts it there, in which form, and what the other side makes of it.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/tcp_pair_test.h"

static struct pair *pair;
static struct app client, server;

static void setup(void)
{
    pair = pair_new();
    memset(&client, 0, sizeof(client));
    memset(&server, 0, sizeof(server));
}

static void teardown(void)
{
    pair_free(pair);
    app_free(&client);
    app_free(&server);
}

static void open_with(const struct tcp_options *from, const struct tcp_options *to)
{
    pair_listen(pair, &server, to);
    pair_connect(pair, &client, from, false);
    pair_run(pair, 300 * MS);
    ck_assert_uint_eq(client.established, 1);
    ck_assert_ptr_nonnull(server.conn);
}

/* Whether the option is on a segment of the log; what a decoder says, not what the sender believes. */
static enum smc_tcp_option_found on_wire(size_t segment)
{
    ck_assert_uint_lt(segment, pair->nlog);
    return smc_tcp_option_find(
        smc_view_of(pair->log[segment].options, pair->log[segment].options_length), NULL, NULL);
}

/* every combination: client off/on, server off/on/always */
START_TEST(both_sides_need_the_option)
{
    const struct tcp_options from = {.smc = _i % 2 ? TCP_SMC_ON : TCP_SMC_OFF};
    const struct tcp_options to = {.smc = (enum tcp_smc)(_i / 2)};
    open_with(&from, &to);
    bool asked = from.smc == TCP_SMC_ON;
    bool answered = to.smc == TCP_SMC_ALWAYS || (to.smc == TCP_SMC_ON && asked);
    ck_assert_int_eq(on_wire(0), asked ? SMC_OPTION_PRESENT : SMC_OPTION_ABSENT);
    ck_assert_int_eq(on_wire(1), answered ? SMC_OPTION_PRESENT : SMC_OPTION_ABSENT);
    ck_assert_int_eq(on_wire(2), SMC_OPTION_ABSENT);
    struct tcp_info c = tcp_info(client.conn), s = tcp_info(server.conn);
    ck_assert_int_eq(c.smc_sent, asked);
    ck_assert_int_eq(s.smc_sent, answered);
    ck_assert_int_eq(c.smc_agreed, asked && answered);
    ck_assert_int_eq(s.smc_agreed, asked && answered);
}
END_TEST

START_TEST(a_longer_option_counts_only_for_who_takes_it)
{
    static const uint8_t lengths[] = {5, 6, 7, 8, 10};
    const struct tcp_options from = {.smc = TCP_SMC_ON,
                                     .smc_form = {.length = lengths[_i % 5]},
                                     .smc_takes_long = true};
    const struct tcp_options to = {.smc = TCP_SMC_ON, .smc_takes_long = _i >= 5};
    unsigned length = lengths[_i % 5];
    open_with(&from, &to);
    bool counts = length == 6 || (length > 6 && length % 2 == 0 && to.smc_takes_long);
    ck_assert_int_eq(on_wire(0), length == 5   ? SMC_OPTION_ABSENT
                                 : length == 6 ? SMC_OPTION_PRESENT
                                 : length == 7 ? SMC_OPTION_LONG_ODD
                                               : SMC_OPTION_LONG_EVEN);
    ck_assert_int_eq(on_wire(1), counts ? SMC_OPTION_PRESENT : SMC_OPTION_ABSENT);
    ck_assert_int_eq(tcp_info(server.conn).smc_agreed, counts);
    ck_assert_int_eq(tcp_info(client.conn).smc_agreed, counts);
}
END_TEST

START_TEST(another_experiment_is_not_smc)
{
    const struct tcp_options from = {.smc = TCP_SMC_ON, .smc_form = {.exid = 0xe2d4c3c4}};
    const struct tcp_options to = {.smc = TCP_SMC_ON};
    open_with(&from, &to);
    ck_assert_int_eq(tcp_info(server.conn).smc_received, SMC_OPTION_ABSENT);
    ck_assert_int_eq(on_wire(1), SMC_OPTION_ABSENT);
    ck_assert(!tcp_info(client.conn).smc_agreed);
}
END_TEST

START_TEST(the_option_on_the_last_ack_is_seen_and_changes_nothing)
{
    const struct tcp_options from = {
        .smc = TCP_SMC_ON,
        .smc_form = {.on_ack = true, .not_on_syn = _i == 1, .length = _i == 2 ? 7 : 0}};
    const struct tcp_options to = {.smc = TCP_SMC_ON};
    open_with(&from, &to);
    ck_assert_int_eq(on_wire(2), _i == 2 ? SMC_OPTION_LONG_ODD : SMC_OPTION_PRESENT);
    ck_assert(tcp_info(server.conn).smc_on_ack);
    ck_assert_int_eq(tcp_info(server.conn).smc_agreed, _i == 0);
    ck_assert_int_eq(tcp_info(client.conn).smc_agreed, _i == 0);
    tcp_send(client.conn, "data", 4);
    pair_run(pair, 100 * MS);
    ck_assert_uint_eq(server.in_length, 4);
    ck_assert_int_eq(on_wire(pair->nlog - 2), SMC_OPTION_ABSENT);
}
END_TEST

START_TEST(the_option_is_left_out_where_it_does_not_fit)
{
    struct tcp_options from = {.smc = TCP_SMC_ON, .extra_length = (uint8_t)(_i == 0 ? 24 : 28)};
    from.extra[0] = 253;
    from.extra[1] = from.extra_length;
    const struct tcp_options to = {.smc = TCP_SMC_ON};
    open_with(&from, &to);
    ck_assert_int_eq(on_wire(0), _i == 0 ? SMC_OPTION_PRESENT : SMC_OPTION_ABSENT);
    ck_assert_int_eq(tcp_info(client.conn).smc_sent, _i == 0);
    ck_assert_int_eq(tcp_info(server.conn).smc_agreed, _i == 0);
    ck_assert_uint_le(pair->log[0].options_length, 40);
}
END_TEST

START_TEST(fast_open_is_sent_and_seen)
{
    struct tcp_options from = {
        .smc = TCP_SMC_ON, .fast_open = true, .cookie_length = (uint8_t)(_i * 8)};
    const struct tcp_options to = {.smc = TCP_SMC_ON};
    open_with(&from, &to);
    ck_assert(tcp_info(client.conn).fast_open_sent);
    ck_assert(tcp_info(server.conn).fast_open_received);
    ck_assert(!tcp_info(client.conn).fast_open_received);
    ck_assert_int_eq(on_wire(0), SMC_OPTION_PRESENT);
}
END_TEST

/* What a middlebox does that strips the option: NOPs in its place, the checksum made right again. */
static void strip(uint8_t *frame, size_t length)
{
    size_t header = (size_t)(frame[46] >> 4) * 4, end = 14 + (size_t)smc_load_be(frame + 16, 2);
    ck_assert_uint_le(end, length);
    for (size_t i = 54; i + 6 <= 34 + header; i++)
        if (frame[i] == 254 && frame[i + 1] == 6)
            memset(frame + i, 1, 6);
    smc_store_be(frame + 50, 2, 0);
    uint32_t sum = 6 + (uint32_t)(end - 34);
    for (size_t i = 26; i < end; i += 2)
        sum += (uint32_t)(frame[i] << 8 | (i + 1 < end ? frame[i + 1] : 0));
    sum = (sum & 0xffff) + (sum >> 16);
    smc_store_be(frame + 50, 2, 0xffff & ~(sum + (sum >> 16)));
}

START_TEST(a_box_that_strips_one_direction_leaves_plain_tcp)
{
    const struct tcp_options on = {.smc = TCP_SMC_ON};
    int stripped = _i;
    pair_listen(pair, &server, &on);
    pair_connect(pair, &client, &on, false);
    while (pair->nlog < 3 && pair_next(pair) < 2 * SECOND) {
        size_t before = pair->nlog;
        pair->now = pair_next(pair) > pair->now ? pair_next(pair) : pair->now;
        pair_step(pair);
        if (pair->nlog > before && pair->log[pair->nlog - 1].from == stripped &&
            (pair->log[pair->nlog - 1].flags & F_SYN) != 0)
            for (size_t i = 0; i < pair->nqueue; i++)
                strip(pair->queue[i].bytes, pair->queue[i].length);
    }
    pair_run(pair, 100 * MS);
    ck_assert_uint_eq(client.established, 1);
    ck_assert(!tcp_info(client.conn).smc_agreed);
    ck_assert_int_eq(tcp_info(server.conn).smc_agreed, stripped == 1); /* it cannot know */
}
END_TEST

START_TEST(mss_and_window_scale_follow_the_options_of_both)
{
    const struct tcp_options from = {.mss = 1000, .no_window_scale = _i % 2 == 1};
    const struct tcp_options to = {
        .receive_bytes = 1 << 20, .no_window_scale = _i / 2 == 1, .send_bytes = 1 << 20};
    app_fill(&client, 2000000, 3);
    client.close_when_done = true;
    open_with(&from, &to);
    ck_assert_uint_eq(tcp_info(client.conn).mss, 1000);
    ck_assert_uint_eq(tcp_info(server.conn).mss, 1000);
    pair_run(pair, 60 * SECOND);
    ck_assert_uint_eq(server.in_length, client.out_length);
    ck_assert_int_eq(memcmp(server.in, client.out, client.out_length), 0);
    ck_assert_int_eq(tcp_info(client.conn).peer_window > 65535, _i == 0);
}
END_TEST

static Suite *options_suite(void)
{
    Suite *suite = suite_create("tcp_options");
    TCase *tests = tcase_create("tcp_options");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, both_sides_need_the_option, 0, 6);
    tcase_add_loop_test(tests, a_longer_option_counts_only_for_who_takes_it, 0, 10);
    tcase_add_test(tests, another_experiment_is_not_smc);
    tcase_add_loop_test(tests, the_option_on_the_last_ack_is_seen_and_changes_nothing, 0, 3);
    tcase_add_loop_test(tests, the_option_is_left_out_where_it_does_not_fit, 0, 2);
    tcase_add_loop_test(tests, fast_open_is_sent_and_seen, 0, 3);
    tcase_add_loop_test(tests, a_box_that_strips_one_direction_leaves_plain_tcp, 0, 2);
    tcase_add_loop_test(tests, mss_and_window_scale_follow_the_options_of_both, 0, 4);
    suite_add_tcase(suite, tests);
    return suite;
}
CHECK_MAIN(options_suite)
