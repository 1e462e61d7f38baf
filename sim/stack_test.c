/* Tests of the stack below TCP: addresses and routes, ARP and neighbour discovery, VLANs, echo, loopback, bad packets.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/tcp_pair_test.h"

static struct pair *pair;
static struct ip_stack *a, *b;
static const struct ip_address any;

static void setup(void)
{
    pair = pair_new();
    a = pair->end[0].stack;
    b = pair->end[1].stack;
}

static void teardown(void)
{
    pair_free(pair);
}

static struct {
    unsigned calls;
    int result;
    struct ip_hop hop;
} answer;

static void resolved(void *user, int result, const struct ip_hop *hop)
{
    ck_assert_ptr_eq(user, &answer);
    answer.calls++;
    answer.result = result;
    answer.hop = *hop;
}

START_TEST(addresses_become_text_and_back)
{
    static const char *const texts[] = {"192.0.2.1", "2001:db8::1", "fe80::ff:fe00:1"};
    char text[IP_TEXT_SIZE];
    for (int i = 0; i < 3; i++) {
        ip_to_text(pair_address(texts[i]), text);
        ck_assert_str_eq(text, texts[i]);
    }
    struct ip_address out;
    ck_assert(!ip_from_text("192.0.2", &out));
    ck_assert(ip_is_v4(pair_address("::ffff:192.0.2.1")));
    ck_assert(!ip_is_v4(pair_address("::1")));
}
END_TEST

START_TEST(the_longest_prefix_wins_and_names_the_gateway)
{
    struct ip_hop hop;
    struct ip_address gateway = pair_address("192.0.2.2"), far = pair_address("198.51.100.7");
    ck_assert_int_eq(ip_hop_to(a, -1, far, &hop), SMC_ERR_UNREACHABLE);
    ck_assert_int_eq(ip_add_route(a, 0, pair_address("0.0.0.0"), 0, gateway), 0);
    ck_assert_int_eq(ip_hop_to(a, -1, far, &hop), 0);
    ck_assert(!hop.on_link && ip_equal(hop.next, gateway));
    ck_assert(ip_equal(hop.source, pair->end[0].v4));
    ck_assert_int_eq(ip_add_route(a, 0, pair_address("198.51.100.0"), 24, any), 0);
    ck_assert_int_eq(ip_hop_to(a, -1, far, &hop), 0);
    ck_assert(hop.on_link && ip_equal(hop.next, far));
    ck_assert_int_eq(ip_hop_to(a, -1, pair_address("2001:db8:1::1"), &hop), SMC_ERR_UNREACHABLE);
    ck_assert_int_eq(ip_hop_to(a, -1, pair->end[1].v6, &hop), 0);
    ck_assert(hop.on_link && ip_equal(hop.source, pair->end[0].v6) && !hop.mac_known);
}
END_TEST

START_TEST(wrong_configuration_is_refused)
{
    const struct ip_interface_config again = {.port = &pair->end[0].port},
                                     vlan = {.port = &pair->end[0].port, .vlan = 4095};
    ck_assert_int_eq(ip_add_interface(a, &again), SMC_ERR_EXISTS);
    ck_assert_int_eq(ip_add_interface(a, &vlan), SMC_ERR_ARGUMENT);
    ck_assert_int_eq(ip_add_address(a, 0, pair->end[0].v4, 24), SMC_ERR_EXISTS);
    ck_assert_int_eq(ip_add_address(a, 0, pair_address("10.0.0.1"), 33), SMC_ERR_ARGUMENT);
    ck_assert_int_eq(ip_add_address(a, 1, pair_address("10.0.0.1"), 8), SMC_ERR_ARGUMENT);
    ck_assert_int_eq(ip_add_address(a, 0, pair_address("224.0.0.1"), 8), SMC_ERR_ARGUMENT);
    ck_assert_int_eq(ip_add_address(a, 0, pair_address("ff02::1"), 8), SMC_ERR_ARGUMENT);
    ck_assert_int_eq(ip_add_route(a, 0, pair_address("10.0.0.0"), 8, pair->end[1].v6),
                     SMC_ERR_ARGUMENT);
    ck_assert_int_eq(ip_remove_address(a, pair->end[1].v4), SMC_ERR_NOTFOUND);
    ck_assert_int_eq(ip_remove_address(a, pair->end[0].v4), 0);
    ck_assert(!ip_is_mine(a, pair->end[0].v4) && ip_is_mine(a, pair->end[0].v6));
}
END_TEST

START_TEST(a_neighbour_is_asked_for_and_remembered)
{
    struct ip_address peer = _i == 0 ? pair->end[1].v4 : pair->end[1].v6;
    struct ip_hop hop;
    uint8_t mac[6];
    memset(&answer, 0, sizeof(answer));
    ck_assert_int_eq(ip_neighbour(a, 0, peer, mac), SMC_ERR_NOTFOUND);
    unsigned wakes = pair->end[0].wakes;
    ck_assert_int_eq(ip_resolve(a, -1, peer, resolved, &answer, &hop), SMC_ERR_WOULDBLOCK);
    ck_assert_uint_gt(pair->end[0].wakes, wakes);
    ck_assert_uint_eq(ip_next_ns(a), 0);
    pair_run(pair, 100 * MS);
    ck_assert_uint_eq(answer.calls, 1);
    ck_assert_int_eq(answer.result, 0);
    ck_assert_int_eq(memcmp(answer.hop.mac, pair->end[1].port.mac, 6), 0);
    ck_assert_int_eq(ip_resolve(a, -1, peer, resolved, &answer, &hop), 0);
    ck_assert(hop.mac_known && memcmp(hop.mac, pair->end[1].port.mac, 6) == 0);
    ck_assert_int_eq(ip_neighbour(b, -1, _i == 0 ? pair->end[0].v4 : pair->end[0].v6, mac), 0);
    ck_assert_int_eq(memcmp(mac, pair->end[0].port.mac, 6), 0); /* learnt from the question */
    ip_forget_neighbours(a, -1);
    ck_assert_int_eq(ip_neighbour(a, -1, peer, mac), SMC_ERR_NOTFOUND);
}
END_TEST

START_TEST(a_silent_neighbour_is_asked_three_times)
{
    struct ip_hop hop;
    memset(&answer, 0, sizeof(answer));
    struct ip_address nobody = pair_address("192.0.2.77");
    ck_assert_int_eq(ip_resolve(a, -1, nobody, resolved, &answer, &hop), SMC_ERR_WOULDBLOCK);
    ck_assert_int_eq(ip_resolve(a, -1, nobody, resolved, &answer, &hop), SMC_ERR_WOULDBLOCK);
    pair_run(pair, 2900 * MS);
    ck_assert_uint_eq(answer.calls, 0);
    pair_run(pair, 200 * MS);
    ck_assert_uint_eq(answer.calls, 2);
    ck_assert_int_eq(answer.result, SMC_ERR_UNREACHABLE);
    ck_assert_uint_eq(pair->arps, 3);
    ck_assert_int_eq(ip_resolve(a, -1, nobody, resolved, &answer, &hop), SMC_ERR_WOULDBLOCK);
    ip_resolve_cancel(a, resolved, &answer);
    pair_run(pair, 10 * SECOND);
    ck_assert_uint_eq(answer.calls, 2);
}
END_TEST

START_TEST(an_old_neighbour_is_used_while_it_is_asked_again)
{
    struct app client = {0}, server = {0};
    pair_open(pair, &client, &server);
    ck_assert_uint_eq(pair->arps, 2);
    pair_run(pair, 100 * SECOND);
    tcp_send(client.conn, "x", 1);
    uint64_t sent = pair->now;
    pair_run(pair, 6 * MS);
    ck_assert_uint_eq(server.in_length, 1); /* at once */
    ck_assert_uint_eq(pair->log[pair->nlog - 1].at, sent);
    pair_run(pair, SECOND);
    ck_assert_uint_gt(pair->arps, 2);
    app_free(&server);
}
END_TEST

START_TEST(packets_wait_for_the_neighbour_and_only_so_many)
{
    struct tcp_conn *conn[20];
    static const struct tcp_callbacks none;
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(tcp_connect(a, pair->end[1].v4, 9, NULL, &none, NULL, &conn[i]), 0);
    pair_run(pair, 100 * MS);
    ck_assert_uint_eq(ip_counters(a).unsent, 4);
    ck_assert_uint_eq(pair_count_flags(pair, 0, F_SYN, F_SYN), 16);
    ck_assert_uint_eq(ip_counters(b).resets_out, 16);
}
END_TEST

START_TEST(a_link_that_went_down_forgets_its_neighbours)
{
    struct app client = {0}, server = {0};
    uint8_t mac[6];
    pair_open(pair, &client, &server);
    ck_assert_int_eq(ip_neighbour(a, 0, pair->end[1].v4, mac), 0);
    pair->end[0].down = true;
    ip_link(a, 0, false, pair->now);
    ck_assert_int_eq(ip_neighbour(a, 0, pair->end[1].v4, mac), SMC_ERR_NOTFOUND);
    tcp_send(client.conn, "kept", 4);
    pair_run(pair, 500 * MS);
    pair->end[0].down = false;
    ip_link(a, 0, true, pair->now);
    pair_run(pair, 10 * SECOND);
    ck_assert_uint_eq(server.in_length, 4);
    app_free(&server);
}
END_TEST

START_TEST(a_vlan_keeps_to_itself)
{
    const struct ip_interface_config vlan = {.port = &pair->end[0].port, .vlan = 7},
                                     peer = {.port = &pair->end[1].port,
                                             .vlan = (uint16_t)(_i == 0 ? 7 : 8)};
    struct app client = {0}, server = {0};
    struct ip_address ours = pair_address("10.7.0.1"), theirs = pair_address("10.7.0.2");
    ck_assert_int_eq(ip_add_interface(a, &vlan), 1);
    ck_assert_int_eq(ip_add_interface(b, &peer), 1);
    ck_assert_int_eq(ip_add_address(a, 1, ours, 24), 0);
    ck_assert_int_eq(ip_add_address(b, 1, theirs, 24), 0);
    pair_listen(pair, &server, NULL);
    ck_assert_int_eq(tcp_connect(a, theirs, PORT_HTTP, NULL, &app_callbacks, &client, &client.conn),
                     0);
    pair_run(pair, 5 * SECOND);
    ck_assert_uint_eq(client.established, _i == 0);
    ck_assert_int_eq(client.error, _i == 0 ? 0 : SMC_ERR_UNREACHABLE);
    ck_assert_uint_eq(smc_load_be(pair->last[0] + 12, 2), 0x8100);
    ck_assert_uint_eq(smc_load_be(pair->last[0] + 14, 2), 7);
}
END_TEST

/* An echo request put together here; IPv6: with the MACs of the other end. */
static size_t echo(uint8_t *frame, size_t data)
{
    memset(frame, 0, 14 + 20 + 8 + data);
    memcpy(frame, pair->end[1].port.mac, 6);
    memcpy(frame + 6, pair->end[0].port.mac, 6);
    smc_store_be(frame + 12, 2, 0x0800);
    frame[14] = 0x45;
    smc_store_be(frame + 16, 2, 28 + data);
    frame[22] = 64;
    frame[23] = 1;
    memcpy(frame + 26, pair->end[0].v4.bytes + 12, 4);
    memcpy(frame + 30, pair->end[1].v4.bytes + 12, 4);
    frame[34] = 8;
    memset(frame + 42, 'p', data);
    uint32_t sum = 0;
    for (size_t i = 14; i < 34; i += 2)
        sum += (uint32_t)smc_load_be(frame + i, 2);
    sum = (sum & 0xffff) + (sum >> 16);
    smc_store_be(frame + 24, 2, 0xffff & ~(sum + (sum >> 16)));
    sum = 0;
    for (size_t i = 34; i < 42 + data; i += 2)
        sum += (uint32_t)smc_load_be(frame + i, 2);
    sum = (sum & 0xffff) + (sum >> 16);
    smc_store_be(frame + 36, 2, 0xffff & ~(sum + (sum >> 16)));
    return 42 + data;
}

START_TEST(an_echo_is_answered_with_the_same_bytes)
{
    uint8_t frame[256];
    size_t n = echo(frame, 32);
    ip_frame(b, 0, frame, n, pair->now);
    pair_run(pair, SECOND);
    ck_assert_uint_eq(ip_counters(b).echoes, 1);
    ck_assert_uint_eq(pair->last_length[1], n);
    ck_assert_int_eq(pair->last[1][34], 0);
    ck_assert_int_eq(memcmp(pair->last[1] + 38, frame + 38, n - 38), 0);
    ck_assert_uint_eq(ip_counters(a).bad_checksum, 0);
    ck_assert_uint_eq(ip_counters(a).packets_in, 1);
}
END_TEST

START_TEST(packets_that_cannot_be_are_dropped_and_counted)
{
    uint8_t frame[256];
    size_t n = echo(frame, 32);
    for (size_t cut = 0; cut < n; cut++) {
        uint8_t *exact = malloc(cut + 1);
        memcpy(exact, frame, cut);
        ip_frame(b, 0, exact, cut, pair->now);
        free(exact);
    }
    ck_assert_uint_eq(ip_counters(b).malformed, n);
    frame[50] ^= 1;
    ip_frame(b, 0, frame, n, pair->now);
    ck_assert_uint_eq(ip_counters(b).bad_checksum, 1);
    frame[50] ^= 1;
    frame[25] ^= 1;
    ip_frame(b, 0, frame, n, pair->now);
    ck_assert_uint_eq(ip_counters(b).bad_checksum, 2);
    n = echo(frame, 32);
    frame[5] ^= 4; /* another MAC */
    ip_frame(b, 0, frame, n, pair->now);
    ck_assert_uint_eq(ip_counters(b).not_mine, 1);
    n = echo(frame, 32);
    frame[20] |= 0x20; /* more fragments; the sum repaired */
    smc_store_be(frame + 24, 2, smc_load_be(frame + 24, 2) - 0x2000);
    ip_frame(b, 0, frame, n, pair->now);
    ck_assert_uint_eq(ip_counters(b).fragments, 1);
    n = echo(frame, 32);
    memset(frame + n, 0, 20); /* padding is no part of the packet */
    ip_frame(b, 0, frame, n + 20, pair->now);
    ck_assert_uint_eq(ip_counters(b).echoes, 1);
}
END_TEST

START_TEST(the_table_of_neighbours_is_bounded)
{
    uint8_t frame[42] = {0};
    memcpy(frame, pair->end[1].port.mac, 6);
    smc_store_be(frame + 12, 2, 0x0806);
    const struct smc_arp_fields request = {.htype = 1,
                                           .ptype = 0x0800,
                                           .hlen = 6,
                                           .plen = 4,
                                           .operation = 1,
                                           .sender_mac = {2, 9, 9, 9, 9, 9},
                                           .target_ip = 0xc0000202};
    smc_arp_encode(&request, frame + 14);
    pair->end[1].down = true;
    size_t before = pair->memory.live, at_limit = 0;
    for (uint32_t i = 0; i < 6000; i++) {
        smc_arp_put_sender_ip(frame + 14, 0x0a000000 + i);
        ip_frame(b, 0, frame, sizeof(frame), pair->now);
        if (i == 4095)
            at_limit = pair->memory.live;
    }
    ck_assert_uint_gt(at_limit, before);
    ck_assert_uint_eq(pair->memory.live, at_limit);
    uint8_t mac[6];
    ck_assert_int_eq(ip_neighbour(b, 0, pair_address("10.0.0.0"), mac), SMC_ERR_NOTFOUND);
    ck_assert_int_eq(ip_neighbour(b, 0, pair_address("10.0.23.111"), mac), 0);
}
END_TEST

/* A port that leads back. */
struct mirror {
    struct port port;
    struct pair *pair;
};
static bool mirror_send(struct port *port, const uint8_t *frame, size_t length, uint64_t now)
{
    pair_deliver_later(((struct mirror *)port)->pair, 0, frame, length, now);
    return true;
}
static uint32_t mirror_mtu(const struct port *port)
{
    (void)port;
    return 9000;
}
static bool mirror_up(const struct port *port)
{
    (void)port;
    return true;
}

START_TEST(a_loopback_port_leads_to_own_addresses_without_questions)
{
    static const struct port_ops ops = {mirror_send, mirror_mtu, mirror_up};
    struct mirror mirror = {.port = {.ops = &ops, .mac = {2, 0, 0, 0, 0, 1}}, .pair = pair};
    const struct ip_interface_config loopback = {.port = &mirror.port, .loopback = true};
    struct app client = {0}, server = {0};
    ck_assert_int_eq(tcp_connect(a, pair->end[0].v4, PORT_HTTP, NULL, &app_callbacks, &client,
                                 &client.conn),
                     SMC_ERR_UNREACHABLE);
    ck_assert_int_eq(ip_add_interface(a, &loopback), 1);
    ck_assert_int_eq(tcp_listen(a, any, PORT_HTTP, 1, NULL, &app_callbacks, &server,
                                &server.listener),
                     0);
    ck_assert_int_eq(tcp_connect(a, pair->end[0].v4, PORT_HTTP, NULL, &app_callbacks, &client,
                                 &client.conn),
                     0);
    pair_run(pair, 100 * MS);
    ck_assert_uint_eq(client.established, 1);
    tcp_send(client.conn, "self", 4);
    pair_run(pair, 100 * MS);
    ck_assert_uint_eq(server.in_length, 4);
    ck_assert_uint_eq(pair->arps, 0);
    app_free(&server);
}
END_TEST

static Suite *stack_suite(void)
{
    Suite *suite = suite_create("stack");
    TCase *tests = tcase_create("stack");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, addresses_become_text_and_back);
    tcase_add_test(tests, the_longest_prefix_wins_and_names_the_gateway);
    tcase_add_test(tests, wrong_configuration_is_refused);
    tcase_add_loop_test(tests, a_neighbour_is_asked_for_and_remembered, 0, 2);
    tcase_add_test(tests, a_silent_neighbour_is_asked_three_times);
    tcase_add_test(tests, an_old_neighbour_is_used_while_it_is_asked_again);
    tcase_add_test(tests, packets_wait_for_the_neighbour_and_only_so_many);
    tcase_add_test(tests, a_link_that_went_down_forgets_its_neighbours);
    tcase_add_loop_test(tests, a_vlan_keeps_to_itself, 0, 2);
    tcase_add_test(tests, an_echo_is_answered_with_the_same_bytes);
    tcase_add_test(tests, packets_that_cannot_be_are_dropped_and_counted);
    tcase_add_test(tests, the_table_of_neighbours_is_bounded);
    tcase_add_test(tests, a_loopback_port_leads_to_own_addresses_without_questions);
    suite_add_tcase(suite, tests);
    return suite;
}
CHECK_MAIN(stack_suite)
