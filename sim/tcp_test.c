/* Tests of TCP between two stacks: opening, data, every way to end, urgent data, windows, timers.
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

START_TEST(a_connection_is_opened_used_and_closed_in_order)
{
    client.close_when_done = server.close_when_done = true;
    app_fill(&client, 300000, 1);
    app_fill(&server, 200000, 2);
    pair_listen(pair, &server, NULL);
    pair_connect(pair, &client, NULL, _i == 1);
    pair_run(pair, 30 * SECOND);
    ck_assert_uint_eq(server.in_length, client.out_length);
    ck_assert_uint_eq(client.in_length, server.out_length);
    ck_assert_int_eq(memcmp(server.in, client.out, client.out_length), 0);
    ck_assert_int_eq(memcmp(client.in, server.out, server.out_length), 0);
    ck_assert_uint_eq(client.closed + server.closed, 2);
    ck_assert_uint_eq(client.eof, 1);
    ck_assert_uint_eq(server.eof, 1);
    ck_assert_int_eq(tcp_read(client.conn, client.in, 1), 0);
    ck_assert_uint_eq(tcp_info(client.conn).retransmissions, 0);
    tcp_close(client.conn);
    tcp_close(server.conn);
    pair_run(pair, 61 * SECOND);
    ck_assert_uint_eq(tcp_count(pair->end[0].stack) + tcp_count(pair->end[1].stack), 0);
}
END_TEST

START_TEST(who_closes_first_passes_fin_wait_and_time_wait)
{
    pair_open(pair, &client, &server);
    ck_assert_int_eq(tcp_shutdown_write(client.conn), 0);
    ck_assert_int_eq(app_state(&client), TCP_FIN_WAIT_1);
    pair_run(pair, 100 * MS);
    ck_assert_int_eq(app_state(&client), TCP_FIN_WAIT_2);
    ck_assert_int_eq(app_state(&server), TCP_CLOSE_WAIT);
    ck_assert_uint_eq(server.eof, 1);
    ck_assert_int_eq(tcp_send(server.conn, "late", 4), 4); /* half open the other way */
    pair_run(pair, 100 * MS);
    ck_assert_uint_eq(client.in_length, 4);
    ck_assert_int_eq(tcp_shutdown_write(server.conn), 0);
    ck_assert_int_eq(app_state(&server), TCP_LAST_ACK);
    pair_run(pair, 100 * MS);
    ck_assert_int_eq(app_state(&server), TCP_CLOSED);
    ck_assert_int_eq(app_state(&client), TCP_TIME_WAIT);
    ck_assert_uint_eq(client.closed, 1);
    ck_assert_uint_eq(server.closed, 1);
    ck_assert_int_eq(tcp_shutdown_write(client.conn), SMC_ERR_STATE);
    ck_assert_int_eq(tcp_send(client.conn, "x", 1), SMC_ERR_CLOSED);
    pair_run(pair, 59 * SECOND);
    ck_assert_int_eq(app_state(&client), TCP_TIME_WAIT);
    pair_run(pair, 2 * SECOND);
    ck_assert_int_eq(app_state(&client), TCP_CLOSED);
}
END_TEST

START_TEST(both_may_close_at_once)
{
    pair_open(pair, &client, &server);
    tcp_shutdown_write(client.conn);
    tcp_shutdown_write(server.conn);
    pair_run(pair, 6 * MS);
    ck_assert_int_eq(app_state(&client), TCP_CLOSING);
    ck_assert_int_eq(app_state(&server), TCP_CLOSING);
    pair_run(pair, 100 * MS);
    ck_assert_int_eq(app_state(&client), TCP_TIME_WAIT);
    ck_assert_int_eq(app_state(&server), TCP_TIME_WAIT);
    ck_assert_uint_eq(client.closed + server.closed, 2);
}
END_TEST

START_TEST(both_may_open_at_once)
{
    const struct tcp_options from = {.local_port = 1000, .smc = TCP_SMC_ON},
                             to = {.local_port = 2000, .smc = TCP_SMC_ON};
    ck_assert_int_eq(tcp_connect(pair->end[0].stack, pair->end[1].v6, 2000, &from, &app_callbacks,
                                 &client, &client.conn),
                     0);
    ck_assert_int_eq(tcp_connect(pair->end[1].stack, pair->end[0].v6, 1000, &to, &app_callbacks,
                                 &server, &server.conn),
                     0);
    pair_run(pair, 300 * MS);
    ck_assert_int_eq(app_state(&client), TCP_ESTABLISHED);
    ck_assert_int_eq(app_state(&server), TCP_ESTABLISHED);
    ck_assert_uint_eq(pair_count_flags(pair, 0, F_SYN | F_ACK, F_SYN | F_ACK), 1);
    ck_assert_uint_eq(pair_count_flags(pair, 1, F_SYN | F_ACK, F_SYN | F_ACK), 1);
    ck_assert_uint_eq(client.established + server.established, 2);
    ck_assert(tcp_info(client.conn).smc_agreed && tcp_info(server.conn).smc_agreed);
    ck_assert_int_eq(tcp_send(client.conn, "hello", 5), 5);
    pair_run(pair, 300 * MS);
    ck_assert_uint_eq(server.in_length, 5);
}
END_TEST

START_TEST(nobody_listening_answers_with_rst)
{
    pair_connect(pair, &client, NULL, false);
    pair_run(pair, 100 * MS);
    ck_assert_int_eq(client.error, SMC_ERR_RESET);
    ck_assert_uint_eq(client.established, 0);
    ck_assert_int_eq(app_state(&client), TCP_CLOSED);
    ck_assert_int_eq(tcp_send(client.conn, "x", 1), SMC_ERR_RESET);
    ck_assert_uint_eq(ip_counters(pair->end[1].stack).resets_out, 1);
}
END_TEST

START_TEST(a_host_that_is_not_there_is_unreachable)
{
    ck_assert_int_eq(tcp_connect(pair->end[0].stack, pair_address("192.0.2.99"), 80, NULL,
                                 &app_callbacks, &client, &client.conn),
                     0);
    pair_run(pair, 10 * SECOND);
    ck_assert_int_eq(client.error, SMC_ERR_UNREACHABLE);
    ck_assert_int_eq(tcp_connect(pair->end[0].stack, pair_address("198.51.100.1"), 80, NULL,
                                 &app_callbacks, &server, &server.conn),
                     SMC_ERR_UNREACHABLE);
}
END_TEST

static bool drop_all_tcp(struct pair *p, int from, const struct logged *segment)
{
    (void)p;
    (void)from;
    (void)segment;
    return true;
}

START_TEST(syn_is_repeated_with_doubled_pauses_and_then_given_up)
{
    pair->drop = drop_all_tcp;
    pair_listen(pair, &server, NULL);
    pair_connect(pair, &client, NULL, false);
    pair_run(pair, 200 * SECOND);
    ck_assert_int_eq(client.error, SMC_ERR_TIMEOUT);
    ck_assert_uint_eq(pair->nlog, 7);
    for (size_t i = 1; i + 1 < pair->nlog; i++)
        ck_assert_uint_eq(pair->log[i + 1].at - pair->log[i].at, SECOND << i);
}
END_TEST

START_TEST(data_without_answer_times_out)
{
    pair_open(pair, &client, &server);
    pair->drop = drop_all_tcp;
    pair->nlog = 0;
    ck_assert_int_eq(tcp_send(client.conn, "lost", 4), 4);
    pair_run(pair, 2000 * SECOND);
    ck_assert_int_eq(client.error, SMC_ERR_TIMEOUT);
    ck_assert_uint_eq(pair->nlog, 16); /* once and 15 times again */
    ck_assert_uint_eq(pair->log[1].at - pair->log[0].at, 200 * MS);
    ck_assert_uint_eq(pair->log[2].at - pair->log[1].at, 400 * MS);
    ck_assert_uint_eq(server.reset, 0);
}
END_TEST

START_TEST(abort_sends_rst_and_unread_bytes_survive_it)
{
    server.no_read = true;
    pair_open(pair, &client, &server);
    tcp_send(client.conn, "abc", 3);
    pair_run(pair, 100 * MS);
    tcp_abort(client.conn);
    pair_run(pair, 100 * MS);
    ck_assert_int_eq(server.error, SMC_ERR_RESET);
    char got[4];
    ck_assert_int_eq(tcp_read(server.conn, got, 4), 3);
    ck_assert_int_eq(tcp_read(server.conn, got, 4), SMC_ERR_RESET);
    ck_assert_uint_eq(tcp_count(pair->end[0].stack), 0);
}
END_TEST

START_TEST(close_with_unread_bytes_resets_and_without_does_not)
{
    server.no_read = _i == 0;
    pair_open(pair, &client, &server);
    tcp_send(client.conn, "abc", 3);
    pair_run(pair, 100 * MS);
    tcp_close(server.conn);
    pair_run(pair, 100 * MS);
    ck_assert_uint_eq(client.reset, _i == 0);
    ck_assert_uint_eq(client.eof, _i == 1);
}
END_TEST

START_TEST(data_for_who_gave_up_reading_is_reset)
{
    pair_open(pair, &client, &server);
    tcp_close(server.conn);
    pair_run(pair, 100 * MS);
    ck_assert_int_eq(app_state(&client), TCP_CLOSE_WAIT);
    tcp_send(client.conn, "abc", 3);
    pair_run(pair, 100 * MS);
    ck_assert_uint_eq(client.reset, 1);
    ck_assert_uint_eq(tcp_count(pair->end[1].stack), 0);
}
END_TEST

START_TEST(fin_wait_2_without_a_reader_ends_by_itself)
{
    pair_open(pair, &client, &server);
    tcp_close(client.conn);
    pair_run(pair, 59 * SECOND);
    ck_assert_uint_eq(tcp_count(pair->end[0].stack), 1);
    pair_run(pair, 2 * SECOND);
    ck_assert_uint_eq(tcp_count(pair->end[0].stack), 0);
}
END_TEST

/* Sends a hand-made copy of the client's last frame to the server, TCP fields changed. */
static void forge(int to, uint32_t seq, uint32_t ack, unsigned flags, size_t cut)
{
    uint8_t frame[2048];
    int from = 1 - to;
    size_t n = pair->last_length[from];
    memcpy(frame, pair->last[from], n);
    size_t header = (size_t)(frame[46] >> 4) * 4;
    n = 34 + header + cut;
    smc_store_be(frame + 38, 4, seq);
    smc_store_be(frame + 42, 4, ack);
    frame[47] = (uint8_t)flags;
    memset(frame + 34 + header, 'z', cut);
    smc_store_be(frame + 16, 2, n - 14);
    smc_store_be(frame + 24, 2, 0);
    smc_store_be(frame + 50, 2, 0);
    uint32_t sum = 0;
    for (size_t i = 14; i < 34; i += 2)
        sum += (uint32_t)smc_load_be(frame + i, 2);
    sum = (sum & 0xffff) + (sum >> 16);
    smc_store_be(frame + 24, 2, 0xffff & ~(sum + (sum >> 16)));
    sum = 6 + (uint32_t)(n - 34);
    frame[n] = 0;
    for (size_t i = 26; i < n; i += 2)
        sum += (uint32_t)smc_load_be(frame + i, 2);
    sum = (sum & 0xffff) + (sum >> 16);
    smc_store_be(frame + 50, 2, 0xffff & ~(sum + (sum >> 16)));
    pair_deliver_later(pair, to, frame, n, pair->now);
}

static struct logged last_from(int from)
{
    for (size_t i = pair->nlog; i-- > 0;)
        if (pair->log[i].from == from)
            return pair->log[i];
    ck_abort_msg("end %d sent nothing", from);
}

START_TEST(rst_and_syn_out_of_place_are_challenged_not_obeyed)
{
    pair_open(pair, &client, &server);
    struct logged ack = last_from(0);
    pair->nlog = 0;
    forge(1, ack.seq + 1, 0, F_RST, 0);
    pair_run(pair, MS);
    ck_assert_int_eq(app_state(&server), TCP_ESTABLISHED);
    ck_assert_uint_eq(pair_count_flags(pair, 1, F_ACK, F_ACK), 1);
    forge(1, ack.seq, 0, F_SYN, 0);
    pair_run(pair, MS);
    ck_assert_uint_eq(pair_count_flags(pair, 1, F_ACK, F_ACK), 2);
    forge(1, ack.seq + 200000, 0, F_RST, 0); /* outside the window: silence */
    pair_run(pair, MS);
    ck_assert_uint_eq(pair_count_flags(pair, 1, F_ACK, F_ACK), 2);
    ck_assert_int_eq(app_state(&server), TCP_ESTABLISHED);
    forge(1, ack.seq, 0, F_RST, 0);
    pair_run(pair, MS);
    ck_assert_int_eq(server.error, SMC_ERR_RESET);
}
END_TEST

START_TEST(an_ack_of_what_was_never_sent_is_challenged)
{
    pair_open(pair, &client, &server);
    struct logged ack = last_from(0);
    pair->nlog = 0;
    forge(1, ack.seq, ack.ack + 1000, F_ACK, 10);
    pair_run(pair, MS);
    ck_assert_uint_eq(pair_count_flags(pair, 1, F_ACK, F_ACK), 1);
    ck_assert_uint_eq(server.in_length, 0);
    forge(1, ack.seq, ack.ack - 5000000, F_ACK, 10);
    pair_run(pair, MS);
    ck_assert_uint_eq(server.in_length, 0);
}
END_TEST

START_TEST(challenges_are_limited)
{
    pair_open(pair, &client, &server);
    struct logged ack = last_from(0);
    pair_run(pair, SECOND);
    pair->nlog = 0;
    pair->end[0].down = true;
    for (int i = 0; i < 1000; i++)
        forge(1, ack.seq + 1, 0, F_RST, 0);
    pair_run(pair, MS);
    ck_assert_uint_eq(pair->nlog, 100);
}
END_TEST

static void start_bulk(uint32_t bytes)
{
    app_fill(&client, bytes, 9);
    app_push(&client);
}

START_TEST(a_closed_window_is_probed_and_reopened)
{
    server.no_read = true;
    pair_open(pair, &client, &server);
    start_bulk(300000);
    pair_run(pair, 20 * SECOND);
    ck_assert_uint_eq(tcp_info(client.conn).peer_window, 0);
    ck_assert_uint_ge(tcp_info(server.conn).unread, 65535); /* the scale rounds down */
    size_t before = pair->nlog;
    pair_run(pair, 100 * SECOND);
    ck_assert_uint_gt(pair->nlog, before + 2); /* it asks again and again */
    ck_assert_uint_lt(pair->nlog, before + 12); /* with longer and longer pauses */
    ck_assert_uint_eq(client.reset, 0);
    server.no_read = false;
    app_pull(&server);
    pair_run(pair, 10 * SECOND);
    ck_assert_uint_eq(server.in_length, 300000);
    ck_assert_int_eq(memcmp(server.in, client.out, 300000), 0);
}
END_TEST

static bool drop_from_server(struct pair *p, int from, const struct logged *segment)
{
    (void)p;
    (void)segment;
    return from == 1;
}

START_TEST(a_lost_window_update_does_not_stop_the_stream)
{
    server.no_read = true;
    pair_open(pair, &client, &server);
    start_bulk(100000);
    pair_run(pair, 2 * SECOND);
    server.no_read = false;
    pair->drop = drop_from_server;
    app_pull(&server);
    pair_run(pair, 10 * MS);
    pair->drop = NULL;
    pair_run(pair, 60 * SECOND);
    ck_assert_uint_eq(server.in_length, 100000);
}
END_TEST

static bool drop_fifth_data(struct pair *p, int from, const struct logged *segment)
{
    return from == 0 && segment->length > 0 && ++p->drops == 5;
}

START_TEST(three_duplicate_acks_repeat_one_segment_before_the_timer)
{
    pair_open(pair, &client, &server);
    pair->drop = drop_fifth_data;
    start_bulk(41 * 1460);
    pair_run(pair, 100 * MS); /* less than the smallest timeout */
    ck_assert_uint_eq(server.in_length, 41 * 1460);
    ck_assert_uint_eq(tcp_info(client.conn).retransmissions, 1);
    ck_assert_int_eq(memcmp(server.in, client.out, 41 * 1460), 0);
}
END_TEST

static bool drop_two_data(struct pair *p, int from, const struct logged *segment)
{
    return from == 0 && segment->length > 0 && (++p->drops == 2 || p->drops == 5);
}

START_TEST(a_partial_ack_uncovers_the_second_hole)
{
    pair_open(pair, &client, &server);
    pair->drop = drop_two_data;
    start_bulk(41 * 1460);
    pair_run(pair, 150 * MS);
    ck_assert_uint_eq(server.in_length, 41 * 1460);
    ck_assert_uint_eq(tcp_info(client.conn).retransmissions, 2);
}
END_TEST

START_TEST(a_window_does_not_open_byte_by_byte)
{
    char byte[2000];
    server.no_read = true;
    pair_open(pair, &client, &server);
    start_bulk(100000);
    pair_run(pair, 2 * SECOND);
    ck_assert_uint_eq(tcp_info(client.conn).peer_window, 0);
    for (int i = 0; i < 1000; i++)
        ck_assert_int_eq(tcp_read(server.conn, byte, 1), 1);
    pair_run(pair, 60 * SECOND); /* probes ask meanwhile */
    ck_assert_uint_le(tcp_info(server.conn).unread, 65536 - 1000);
    ck_assert_int_eq(tcp_read(server.conn, byte, 2000), 2000);
    pair_run(pair, 60 * SECOND);
    ck_assert_uint_ge(tcp_info(server.conn).unread, 65536 - 1460);
}
END_TEST

START_TEST(nothing_is_taken_from_behind_a_fin)
{
    pair_open(pair, &client, &server);
    struct logged ack = last_from(0);
    forge(1, ack.seq + 5, ack.ack, F_ACK | F_FIN, 0);
    pair_run(pair, MS);
    forge(1, ack.seq, ack.ack, F_ACK, 20);
    pair_run(pair, MS);
    ck_assert_uint_eq(server.in_length, 5);
    ck_assert_uint_eq(server.eof, 1);
    ck_assert_int_eq(app_state(&server), TCP_CLOSE_WAIT);
}
END_TEST

START_TEST(acks_are_delayed_and_every_second_segment_is_acked_at_once)
{
    pair_open(pair, &client, &server);
    pair->nlog = 0;
    tcp_send(client.conn, "one", 3);
    pair_run(pair, 10 * MS);
    ck_assert_uint_eq(pair_count_flags(pair, 1, F_ACK, F_ACK), 0);
    pair_run(pair, 40 * MS);
    ck_assert_uint_eq(pair_count_flags(pair, 1, F_ACK, F_ACK), 1);
    ck_assert_uint_eq(last_from(1).at - last_from(0).at, 45 * MS);
    server.no_read = true; /* reading so much would bring a window update */
    start_bulk(2 * 1460);
    pair_run(pair, 8 * MS);
    ck_assert_uint_eq(pair_count_flags(pair, 1, F_ACK, F_ACK), 2);
}
END_TEST

START_TEST(small_pieces_wait_for_the_ack_unless_delay_is_off)
{
    pair_open(pair, &client, &server);
    tcp_set_no_delay(client.conn, _i == 1);
    pair_run(pair, MS);
    pair->nlog = 0;
    tcp_send(client.conn, "a", 1);
    pair_run(pair, MS);
    tcp_send(client.conn, "b", 1);
    pair_run(pair, MS);
    tcp_send(client.conn, "c", 1);
    pair_run(pair, MS);
    ck_assert_uint_eq(pair_count_flags(pair, 0, F_PSH, F_PSH), _i == 1 ? 3 : 1);
    pair_run(pair, 200 * MS);
    ck_assert_uint_eq(pair_count_flags(pair, 0, F_PSH, F_PSH), _i == 1 ? 3 : 2);
    ck_assert_uint_eq(server.in_length, 3);
}
END_TEST

START_TEST(an_urgent_byte_is_read_out_of_line)
{
    char got[8];
    uint8_t byte;
    server.no_read = true;
    pair_open(pair, &client, &server);
    ck_assert_int_eq(tcp_read_urgent(server.conn, &byte), SMC_ERR_NOTFOUND);
    tcp_send_urgent(client.conn, "abcX", 4);
    tcp_send(client.conn, "de", 2);
    pair_run(pair, 200 * MS);
    ck_assert_uint_eq(server.urgent, 1);
    ck_assert_int_eq(tcp_read(server.conn, got, 8), 3);
    ck_assert(tcp_at_mark(server.conn));
    if (_i == 0) {
        ck_assert_int_eq(tcp_read_urgent(server.conn, &byte), 0);
        ck_assert_int_eq(byte, 'X');
        ck_assert_int_eq(tcp_read_urgent(server.conn, &byte), SMC_ERR_NOTFOUND);
        ck_assert_int_eq(tcp_read(server.conn, got, 8), 2);
        ck_assert_int_eq(memcmp(got, "de", 2), 0);
    } else {
        tcp_set_urgent_inline(server.conn, true);
        ck_assert_int_eq(tcp_read_urgent(server.conn, &byte), SMC_ERR_NOTFOUND);
        ck_assert_int_eq(tcp_read(server.conn, got, 8), 3);
        ck_assert_int_eq(memcmp(got, "Xde", 3), 0);
    }
    ck_assert(!tcp_at_mark(server.conn));
    ck_assert_uint_gt(pair_count_flags(pair, 0, F_URG, F_URG), 0);
}
END_TEST

START_TEST(an_urgent_byte_is_announced_behind_a_closed_window)
{
    uint8_t byte;
    server.no_read = true;
    pair_open(pair, &client, &server);
    start_bulk(65536);
    pair_run(pair, 2 * SECOND);
    ck_assert_uint_eq(tcp_info(client.conn).peer_window, 0);
    tcp_send_urgent(client.conn, "!", 1);
    pair_run(pair, 10 * MS);
    ck_assert_uint_eq(server.urgent, 1);
    ck_assert_int_eq(tcp_read_urgent(server.conn, &byte), SMC_ERR_WOULDBLOCK);
    app_pull(&server);
    pair_run(pair, 10 * SECOND);
    ck_assert_int_eq(tcp_read_urgent(server.conn, &byte), 0);
    ck_assert_int_eq(byte, '!');
}
END_TEST

START_TEST(keepalive_finds_a_dead_peer_and_leaves_a_living_one)
{
    const struct tcp_options options = {.keepalive_idle_ns = 10 * SECOND,
                                        .keepalive_interval_ns = SECOND,
                                        .keepalive_probes = 3};
    pair_listen(pair, &server, NULL);
    pair_connect(pair, &client, &options, false);
    pair_run(pair, 100 * SECOND);
    ck_assert_uint_eq(client.reset, 0);
    ck_assert_uint_eq(tcp_info(client.conn).unread + server.in_length, 0);
    pair->drop = drop_from_server;
    pair_run(pair, 30 * SECOND);
    ck_assert_int_eq(client.error, SMC_ERR_TIMEOUT);
}
END_TEST

START_TEST(the_backlog_bounds_what_is_not_accepted)
{
    static const struct tcp_callbacks none;
    struct app clients[4] = {{0}};
    struct tcp_listener *listener;
    struct ip_address any = {{0}};
    ck_assert_int_eq(tcp_listen(pair->end[1].stack, any, PORT_HTTP, 2, NULL, &none, NULL, &listener), 0);
    for (int i = 0; i < 4; i++)
        pair_connect(pair, &clients[i], NULL, false);
    pair_run(pair, 500 * MS);
    ck_assert_uint_eq(clients[0].established + clients[1].established, 2);
    ck_assert_uint_eq(clients[2].established + clients[3].established, 0);
    tcp_send(clients[0].conn, "early", 5);
    pair_run(pair, 100 * MS);
    server.conn = tcp_accept(listener, &app_callbacks, &server);
    ck_assert_uint_eq(pair->end[1].wakes > 0, true);
    pair_run(pair, 3 * SECOND);
    ck_assert_uint_eq(server.in_length, 5);
    ck_assert_uint_eq(clients[2].established, 1); /* its SYN came again */
    tcp_listener_close(listener);
    pair_run(pair, SECOND);
    ck_assert_uint_eq(clients[1].reset + clients[2].reset, 2);
    ck_assert_uint_eq(clients[0].reset, 0);
    ck_assert_ptr_null(tcp_next(pair->end[1].stack, tcp_next(pair->end[1].stack, NULL)));
}
END_TEST

START_TEST(a_new_syn_takes_the_place_of_time_wait)
{
    const struct tcp_options options = {.local_port = 1234};
    struct app second = {0};
    pair_listen(pair, &server, NULL);
    pair_connect(pair, &client, &options, false);
    pair_run(pair, 100 * MS);
    tcp_close(server.conn);
    pair_run(pair, 100 * MS);
    tcp_close(client.conn);
    server.conn = NULL;
    pair_run(pair, SECOND);
    ck_assert_uint_eq(tcp_count(pair->end[0].stack), 0);
    ck_assert_int_eq(tcp_next(pair->end[1].stack, NULL) != NULL, 1);
    pair_connect(pair, &second, &options, false);
    pair_run(pair, SECOND);
    ck_assert_uint_eq(second.established, 1);
    ck_assert_uint_eq(tcp_count(pair->end[1].stack), 1);
}
END_TEST

static bool drop_first_fin_ack(struct pair *p, int from, const struct logged *segment)
{
    return from == 0 && (segment->flags & F_FIN) == 0 && p->drops++ == 0;
}

START_TEST(a_fin_that_comes_again_in_time_wait_is_acked_again)
{
    pair_open(pair, &client, &server);
    tcp_shutdown_write(client.conn);
    pair_run(pair, 100 * MS);
    pair->drop = drop_first_fin_ack;
    tcp_shutdown_write(server.conn);
    pair_run(pair, 50 * MS);
    ck_assert_int_eq(app_state(&server), TCP_LAST_ACK);
    ck_assert_int_eq(app_state(&client), TCP_TIME_WAIT);
    pair_run(pair, 2 * SECOND);
    ck_assert_int_eq(app_state(&server), TCP_CLOSED);
    ck_assert_uint_eq(server.closed, 1);
}
END_TEST

START_TEST(ports_and_pairs_are_used_once)
{
    struct ip_address any = {{0}};
    struct tcp_listener *listener;
    struct tcp_conn *conn;
    const struct tcp_options options = {.local_port = 1234};
    pair_listen(pair, &server, NULL);
    ck_assert_int_eq(tcp_listen(pair->end[1].stack, pair->end[1].v4, PORT_HTTP, 1, NULL, NULL, NULL,
                                &listener),
                     SMC_ERR_EXISTS);
    ck_assert_int_eq(tcp_listen(pair->end[1].stack, any, 0, 1, NULL, NULL, NULL, &listener), 0);
    ck_assert_uint_ge(tcp_listener_port(listener), 32768);
    pair_connect(pair, &client, &options, false);
    ck_assert_int_eq(tcp_connect(pair->end[0].stack, pair->end[1].v4, PORT_HTTP, &options, NULL,
                                 NULL, &conn),
                     SMC_ERR_EXISTS);
    ck_assert_uint_eq(tcp_count(pair->end[0].stack), 1);
}
END_TEST

START_TEST(an_idle_connection_holds_no_buffers)
{
    pair_open(pair, &client, &server);
    pair_run(pair, SECOND);
    size_t idle = pair->memory.live;
    start_bulk(50000);
    ck_assert_uint_gt(pair->memory.live, idle + 50000);
    pair_run(pair, 10 * SECOND);
    ck_assert_uint_eq(server.in_length, 50000);
    ck_assert_uint_eq(pair->memory.live, idle);
}
END_TEST

START_TEST(a_thousand_connections_stay_apart_and_small)
{
    enum { MANY = 1000 };
    static struct app many[MANY];
    static const struct tcp_callbacks none;
    struct tcp_listener *listener;
    struct ip_address any = {{0}};
    ck_assert_int_eq(
        tcp_listen(pair->end[1].stack, any, PORT_HTTP, MANY, NULL, &none, NULL, &listener), 0);
    size_t before = pair->memory.live;
    for (int i = 0; i < MANY; i++) {
        pair_connect(pair, &many[i], NULL, true);
        if (i == 0)
            pair_run(pair, 100 * MS);
    }
    pair_run(pair, 5 * SECOND);
    for (int i = 0; i < MANY; i++) {
        ck_assert_uint_eq(many[i].established, 1);
        ck_assert_int_eq(tcp_send(many[i].conn, &i, sizeof(i)), (int)sizeof(i));
    }
    ck_assert_uint_lt(pair->memory.live - before, 2 * (size_t)MANY * (1024 + 2048));
    pair_run(pair, SECOND);
    ck_assert_uint_lt((pair->memory.live - before) / (2 * MANY), 2000);
    for (int i = 0, got; i < MANY; i++) {
        struct tcp_conn *conn = tcp_accept(listener, &none, NULL);
        ck_assert_int_eq(tcp_read(conn, &got, sizeof(got)), (int)sizeof(got));
        ck_assert_uint_eq(tcp_info(conn).remote_port, tcp_info(many[got].conn).local_port);
    }
    pair_run(pair, SECOND);
    ck_assert_uint_lt((pair->memory.live - before) / (2 * MANY), 1024);
}
END_TEST

static Suite *tcp_suite(void)
{
    Suite *suite = suite_create("tcp");
    TCase *tests = tcase_create("tcp");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, a_connection_is_opened_used_and_closed_in_order, 0, 2);
    tcase_add_test(tests, who_closes_first_passes_fin_wait_and_time_wait);
    tcase_add_test(tests, both_may_close_at_once);
    tcase_add_test(tests, both_may_open_at_once);
    tcase_add_test(tests, nobody_listening_answers_with_rst);
    tcase_add_test(tests, a_host_that_is_not_there_is_unreachable);
    tcase_add_test(tests, syn_is_repeated_with_doubled_pauses_and_then_given_up);
    tcase_add_test(tests, data_without_answer_times_out);
    tcase_add_test(tests, abort_sends_rst_and_unread_bytes_survive_it);
    tcase_add_loop_test(tests, close_with_unread_bytes_resets_and_without_does_not, 0, 2);
    tcase_add_test(tests, data_for_who_gave_up_reading_is_reset);
    tcase_add_test(tests, fin_wait_2_without_a_reader_ends_by_itself);
    tcase_add_test(tests, rst_and_syn_out_of_place_are_challenged_not_obeyed);
    tcase_add_test(tests, an_ack_of_what_was_never_sent_is_challenged);
    tcase_add_test(tests, challenges_are_limited);
    tcase_add_test(tests, a_closed_window_is_probed_and_reopened);
    tcase_add_test(tests, a_lost_window_update_does_not_stop_the_stream);
    tcase_add_test(tests, three_duplicate_acks_repeat_one_segment_before_the_timer);
    tcase_add_test(tests, a_partial_ack_uncovers_the_second_hole);
    tcase_add_test(tests, a_window_does_not_open_byte_by_byte);
    tcase_add_test(tests, nothing_is_taken_from_behind_a_fin);
    tcase_add_test(tests, acks_are_delayed_and_every_second_segment_is_acked_at_once);
    tcase_add_loop_test(tests, small_pieces_wait_for_the_ack_unless_delay_is_off, 0, 2);
    tcase_add_loop_test(tests, an_urgent_byte_is_read_out_of_line, 0, 2);
    tcase_add_test(tests, an_urgent_byte_is_announced_behind_a_closed_window);
    tcase_add_test(tests, keepalive_finds_a_dead_peer_and_leaves_a_living_one);
    tcase_add_test(tests, the_backlog_bounds_what_is_not_accepted);
    tcase_add_test(tests, a_new_syn_takes_the_place_of_time_wait);
    tcase_add_test(tests, a_fin_that_comes_again_in_time_wait_is_acked_again);
    tcase_add_test(tests, ports_and_pairs_are_used_once);
    tcase_add_test(tests, an_idle_connection_holds_no_buffers);
    tcase_add_test(tests, a_thousand_connections_stay_apart_and_small);
    suite_add_tcase(suite, tests);
    return suite;
}
CHECK_MAIN(tcp_suite)
