/* Tests of middleboxes: options stripped, cookies proved, connections balanced; checksums hold throughout.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/middlebox.h"
#include "sim/network_test.h"
#include "sim/switch.h"
#include "wire/tcp_option.h"

#include "testing/check_main.h"

enum { CLIENT = 1, SERVER = 2, SECOND = 3, VIP = 100, SYN = 2, RST = 4, ACK = 16 };

static struct ledger memory;
static struct sim *sim;
static struct net *net;
static struct net_box *box;
static struct host client, server, second;
static struct capture *capture;

static void setup(void)
{
    static const struct capture_options keep = {.keep = true};
    ledger_init(&memory);
    sim = sim_new(&memory.alloc, 1);
    net = net_new(sim, &memory.alloc);
    host_init(&client, net, "client", CLIENT);
    host_init(&server, net, "server", SERVER);
    host_init(&second, net, "second", SECOND);
    box = net_box_new(net, "box");
    struct net_switch *sw = net_switch_new(net, "sw", 3);
    ck_assert_ptr_nonnull(net_link_new(net, client.port, net_box_port(box, 0), NULL));
    ck_assert_ptr_nonnull(net_link_new(net, net_box_port(box, 1), net_switch_port(sw, 0), NULL));
    ck_assert_ptr_nonnull(net_link_new(net, server.port, net_switch_port(sw, 1), NULL));
    ck_assert_ptr_nonnull(net_link_new(net, second.port, net_switch_port(sw, 2), NULL));
    ck_assert_int_eq(capture_open(&memory.alloc, &keep, &capture, NULL, 0), 0);
    net_set_capture(net, capture, NET_CAPTURE_DELIVERED);
    run(sim, 0);
    for (unsigned i = SERVER; i <= SECOND; i++) { /* the switch knows both, the client forgets */
        ck_assert(send_frame(sim, i == SERVER ? &server : &second, i, CLIENT, 60, 0));
        run(sim, sim_now(sim) + 1);
    }
    client.n = server.n = second.n = 0;
}

static void teardown(void)
{
    (void)capture_close(capture);
    net_free(net);
    sim_free(sim);
    host_free(&client);
    host_free(&server);
    host_free(&second);
    ck_assert_uint_eq(memory.held_bytes, 0);
}

static void send_tcp(struct host *h, struct test_segment s)
{
    uint8_t f[1600];
    ck_assert(port_send(h->port, f, make_tcp(f, &s), sim_now(sim)));
    run(sim, sim_now(sim) + 1000);
}

/* The last frame that came, with its TCP header; checksums hold. */
static struct net_frame_info last(const struct host *h, struct smc_tcp *tcp)
{
    struct net_frame_info info;
    ck_assert_uint_gt(h->n, 0);
    const struct got *g = &h->got[h->n - 1];
    ck_assert(ipv4_holds(g->bytes));
    ck_assert(transport_holds(g->bytes, g->length));
    net_frame_classify(g->bytes, g->length, &info);
    ck_assert(smc_tcp_at(smc_view_of(g->bytes, g->length), info.l4, tcp));
    return info;
}

static bool has_smc(const struct host *h)
{
    struct smc_tcp tcp;
    struct net_frame_info info = last(h, &tcp);
    return smc_tcp_option_find(smc_view_of(tcp.p + 20, (size_t)(info.payload - info.l4 - 20)), NULL,
                               NULL) != SMC_OPTION_ABSENT;
}

static const uint8_t options[12] = {2, 4, 5, 0xb4, 1, 1, 254, 6, 0xe2, 0xd4, 0xc3, 0xd9};
static const uint8_t odd_options[12] = {1, 254, 6, 0xe2, 0xd4, 0xc3, 0xd9, 2, 4, 5, 0xb4, 0};

static void send_syn(unsigned flags, const uint8_t *opts)
{
    bool answer = flags & ACK;
    struct test_segment s = {.from = answer ? SERVER : CLIENT, .to = answer ? CLIENT : SERVER,
                             .sport = 40000, .dport = 80, .seq = 77, .flags = (uint8_t)flags,
                             .options = opts, .n_options = 12};
    send_tcp(answer ? &server : &client, s);
}

START_TEST(an_option_is_stripped_in_the_directions_wanted)
{
    struct smc_tcp tcp;
    send_syn(SYN, options);
    ck_assert(has_smc(&server));
    net_box_strip_option(box, NET_BOX_TOWARD_1);
    send_syn(SYN, options);
    ck_assert(!has_smc(&server));
    (void)last(&server, &tcp);
    ck_assert_mem_eq(tcp.p + 20, options, 4); /* the others stay */
    send_syn(SYN, odd_options);
    ck_assert(!has_smc(&server));
    send_syn(SYN | ACK, options);
    ck_assert(has_smc(&client));
    net_box_strip_option(box, NET_BOX_TOWARD_0);
    send_syn(SYN | ACK, odd_options);
    ck_assert(!has_smc(&client));
    send_syn(SYN, odd_options);
    ck_assert(has_smc(&server));
    ck_assert_uint_eq(net_box_stats(box)->options_stripped, 3);
}
END_TEST

START_TEST(a_damaged_segment_stays_damaged)
{
    uint8_t f[200];
    struct test_segment s = {.from = CLIENT, .to = SERVER, .sport = 4, .dport = 8, .flags = SYN,
                             .options = options, .n_options = 12};
    size_t n = make_tcp(f, &s);
    f[39] ^= 0x10;
    net_box_strip_option(box, NET_BOX_TOWARD_1);
    ck_assert(port_send(client.port, f, n, 0));
    run(sim, sim_now(sim) + 1);
    ck_assert_uint_eq(net_box_stats(box)->options_stripped, 1);
    ck_assert(!transport_holds(server.got[0].bytes, server.got[0].length));
}
END_TEST

START_TEST(hostile_options_end_the_search)
{
    static const uint8_t bad[3][12] = {{254, 0, 1}, {254, 60, 1}, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 254}};
    net_box_strip_option(box, NET_BOX_TOWARD_1);
    for (int i = 0; i < 3; i++) {
        struct smc_tcp tcp;
        send_syn(SYN, bad[i]);
        (void)last(&server, &tcp);
        ck_assert_mem_eq(tcp.p + 20, bad[i], 12);
    }
}
END_TEST

/* ---- cookies ---- */

static const struct test_segment to_server = {.from = CLIENT, .to = SERVER, .sport = 5000,
                                              .dport = 80, .window = 8000};
static const struct test_segment to_client = {.from = SERVER, .to = CLIENT, .sport = 80,
                                              .dport = 5000, .window = 9000};

static struct test_segment segment(struct test_segment s, uint8_t flags, uint32_t seq, uint32_t ack)
{
    s.flags = flags;
    s.seq = seq;
    s.ack = ack;
    return s;
}

/* Handshake through the box; returns the cookie. The server's own number is 9000. */
static uint32_t shake_hands(void)
{
    struct smc_tcp tcp;
    struct test_segment syn = segment(to_server, SYN, 1000, 0);
    syn.options = options;
    syn.n_options = 12;
    net_box_syn_cookies(box, true, 80);
    send_tcp(&client, syn);
    ck_assert_uint_eq(server.n, 0);
    (void)last(&client, &tcp);
    ck_assert_int_eq(tcp.p[13], SYN | ACK);
    ck_assert_uint_eq(smc_tcp_ack_seq(tcp), 1001);
    ck_assert_uint_eq(smc_tcp_data_offset(tcp), 6);
    ck_assert(!has_smc(&client)); /* the option is lost */
    uint32_t cookie = smc_tcp_seq(tcp);
    send_tcp(&client, segment(to_server, ACK, 1001, cookie + 1));
    ck_assert_uint_eq(server.n, 1);
    (void)last(&server, &tcp);
    ck_assert_int_eq(tcp.p[13], SYN);
    ck_assert_uint_eq(smc_tcp_seq(tcp), 1000);
    ck_assert_uint_eq(smc_tcp_window(tcp), 8000);
    ck_assert(!has_smc(&server));
    return cookie;
}

START_TEST(cookies_join_two_connections_into_one)
{
    struct smc_tcp tcp;
    struct net_frame_info info;
    uint8_t data[33];
    uint64_t captured = capture_count(capture);
    uint32_t cookie = shake_hands();
    unsigned before = client.n;
    send_tcp(&server, segment(to_client, SYN | ACK, 9000, 1001));
    ck_assert_uint_eq(client.n, before); /* the box acknowledges itself */
    (void)last(&server, &tcp);
    ck_assert_int_eq(tcp.p[13], ACK);
    ck_assert_uint_eq(smc_tcp_seq(tcp), 1001);
    ck_assert_uint_eq(smc_tcp_ack_seq(tcp), 9001);
    struct test_segment s = segment(to_server, ACK, 1001, cookie + 1);
    memset(data, 0x5a, sizeof data);
    s.data = data;
    s.n_data = sizeof data;
    send_tcp(&client, s);
    info = last(&server, &tcp);
    ck_assert_uint_eq(smc_tcp_seq(tcp), 1001);
    ck_assert_uint_eq(smc_tcp_ack_seq(tcp), 9001);
    ck_assert_int_eq(info.payload_end - info.payload, 33);
    send_tcp(&server, segment(to_client, ACK, 9001, 1034));
    (void)last(&client, &tcp);
    ck_assert_uint_eq(smc_tcp_seq(tcp), cookie + 1);
    ck_assert_uint_eq(smc_tcp_ack_seq(tcp), 1034);
    /* The capture shows one connection: SYN, SYN-ACK, ACK, data, ACK, with the client's numbers. */
    ck_assert_uint_eq(capture_count(capture), captured + 5);
    send_tcp(&server, segment(to_client, RST | ACK, 9001, 1034));
    s.seq = 1034;
    send_tcp(&client, s); /* unknown now, and no first ACK: the cookie does not fit */
    ck_assert_uint_eq(net_box_stats(box)->cookies_refused, 1);
    ck_assert_uint_eq(net_box_stats(box)->cookies_proved, 1);
}
END_TEST

START_TEST(a_lost_syn_for_the_server_is_said_again)
{
    (void)shake_hands();
    run(sim, sim_now(sim) + SIM_S);
    ck_assert_uint_eq(server.n, 2);
    run(sim, sim_now(sim) + 20 * SIM_S);
    ck_assert_uint_eq(server.n, 6); /* then it gives up */
    ck_assert_uint_eq(sim_pending(sim), 0);
}
END_TEST

START_TEST(a_refusal_reaches_the_client_with_a_number_it_takes)
{
    struct smc_tcp tcp;
    uint32_t cookie = shake_hands();
    send_tcp(&server, segment(to_client, RST | ACK, 0, 1001));
    (void)last(&client, &tcp);
    ck_assert_int_eq(tcp.p[13], RST | ACK);
    ck_assert_uint_eq(smc_tcp_seq(tcp), cookie + 1);
    run(sim, sim_now(sim) + 20 * SIM_S);
    ck_assert_uint_eq(server.n, 1);
}
END_TEST

START_TEST(a_guessed_cookie_opens_nothing_and_other_ports_pass)
{
    net_box_syn_cookies(box, true, 80);
    send_tcp(&client, segment(to_server, ACK, 1001, 4242));
    ck_assert_uint_eq(server.n, 0);
    struct test_segment other = segment(to_server, SYN, 1, 0);
    other.dport = 81;
    send_tcp(&client, other);
    ck_assert_uint_eq(server.n, 1);
    net_box_syn_cookies(box, false, 0);
    send_tcp(&client, segment(to_server, SYN, 1, 0));
    ck_assert_uint_eq(server.n, 2);
}
END_TEST

/* ---- balancer ---- */

static void mapped(uint8_t a[16], unsigned last_byte)
{
    const uint8_t m[16] = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = (uint8_t)last_byte};
    memcpy(a, m, 16);
}

static void balance(void)
{
    struct net_server s[2];
    uint8_t vip[16];
    mapped(vip, VIP);
    for (unsigned i = 0; i < 2; i++) {
        mapped(s[i].address, SERVER + i);
        mac_of(SERVER + i, s[i].mac);
    }
    ck_assert_int_eq(net_box_balance(box, vip, s, 2), 0);
}

static struct test_segment to_vip(uint16_t sport, uint8_t flags)
{
    /* the MAC does not matter: the box is in the way; a nonsense one shows that it is replaced */
    return (struct test_segment){.from = CLIENT, .to = VIP, .to_mac = 55, .sport = sport,
                                 .dport = 80, .flags = flags, .seq = 3};
}

START_TEST(connections_go_to_one_server_after_the_other_and_stay_there)
{
    struct smc_tcp tcp;
    uint8_t mac[6];
    balance();
    for (uint16_t sport = 1000; sport < 1004; sport++)
        send_tcp(&client, to_vip(sport, SYN));
    ck_assert_uint_eq(server.n, 2);
    ck_assert_uint_eq(second.n, 2);
    send_tcp(&client, to_vip(1001, ACK));
    ck_assert_uint_eq(second.n, 3);
    struct net_frame_info info = last(&second, &tcp);
    ck_assert_uint_eq(smc_load_be(info.bytes + 30, 4), 0x0a000000u + SECOND);
    mac_of(SECOND, mac);
    ck_assert_mem_eq(info.bytes, mac, 6);
    send_tcp(&second, (struct test_segment){.from = SECOND, .to = CLIENT, .sport = 80,
                                            .dport = 1001, .flags = SYN | ACK});
    info = last(&client, &tcp);
    ck_assert_uint_eq(smc_load_be(info.bytes + 26, 4), 0x0a000000u + VIP);
    ck_assert_mem_eq(info.bytes + 6, net_box_port(box, 0)->mac, 6);
    send_tcp(&server, (struct test_segment){.from = SERVER, .to = CLIENT, .sport = 80,
                                            .dport = 1001, .flags = ACK}); /* not its connection */
    info = last(&client, &tcp);
    ck_assert_uint_eq(smc_load_be(info.bytes + 26, 4), 0x0a000000u + SERVER);
    send_tcp(&client, to_vip(2000, ACK)); /* no connection */
    ck_assert_uint_eq(server.n + second.n, 5);
    ck_assert_uint_eq(net_box_stats(box)->balanced[0], 2);
    ck_assert_uint_eq(net_box_stats(box)->balanced[1], 2);
}
END_TEST

START_TEST(the_capture_shows_the_connection_as_the_client_sees_it)
{
    struct capture_entry e;
    balance();
    uint64_t before = capture_count(capture);
    send_tcp(&client, to_vip(1000, SYN));
    send_tcp(&server, (struct test_segment){.from = SERVER, .to = CLIENT, .sport = 80,
                                            .dport = 1000, .flags = SYN | ACK});
    ck_assert_uint_eq(capture_count(capture), before + 2);
    ck_assert(capture_frame(capture, before, &e));
    ck_assert_uint_eq(smc_load_be(e.bytes + 30, 4), 0x0a000000u + VIP);
    ck_assert(capture_frame(capture, before + 1, &e));
    ck_assert_uint_eq(smc_load_be(e.bytes + 26, 4), 0x0a000000u + VIP);
}
END_TEST

START_TEST(arp_for_the_address_is_answered)
{
    uint8_t f[60] = {0}, *arp = f + 14;
    balance();
    memset(f, 0xff, 6);
    mac_of(CLIENT, f + 6);
    smc_eth_put_ethertype(f, SMC_ETHERTYPE_ARP);
    smc_store_be(arp, 8, UINT64_C(0x0001080006040001));
    mac_of(CLIENT, arp + 8);
    smc_store_be(arp + 14, 4, 0x0a000001);
    smc_store_be(arp + 24, 4, 0x0a000000u + VIP);
    ck_assert(port_send(client.port, f, sizeof f, 0));
    run(sim, sim_now(sim) + 1);
    ck_assert_uint_eq(server.n, 0); /* not passed on */
    ck_assert_uint_eq(client.n, 1);
    const uint8_t *reply = client.got[0].bytes + 14;
    ck_assert_uint_eq(smc_load_be(reply + 6, 2), 2);
    ck_assert_mem_eq(reply + 8, net_box_port(box, 0)->mac, 6);
    ck_assert_uint_eq(smc_load_be(reply + 14, 4), 0x0a000000u + VIP);
    ck_assert_mem_eq(reply + 18, f + 6, 6);
    ck_assert_uint_eq(smc_load_be(reply + 24, 4), 0x0a000001);
    smc_store_be(arp + 24, 4, 0x0a000000u + SERVER);
    ck_assert(port_send(client.port, f, sizeof f, 0));
    run(sim, sim_now(sim) + 1);
    ck_assert_uint_eq(server.n, 1);
}
END_TEST

START_TEST(nd_for_the_address_is_answered)
{
    uint8_t f[86] = {0}, vip[16] = {0xfd, [15] = VIP}, *ip = f + 14, *nd = ip + 40;
    struct net_server s = {.address = {0xfd, [15] = 2}, .mac = {2, 0, 0, 0, 0, 2}};
    struct net_frame_info info;
    ck_assert_int_eq(net_box_balance(box, vip, &s, 1), 0);
    mac_of(CLIENT, f + 6);
    f[0] = f[1] = 0x33;
    smc_eth_put_ethertype(f, SMC_ETHERTYPE_IPV6);
    smc_ipv6_put_version(ip, 6);
    smc_ipv6_put_payload_length(ip, 32);
    smc_ipv6_put_next_header(ip, 58);
    smc_ipv6_put_hop_limit(ip, 255);
    ip[8] = 0xfd;
    ip[23] = CLIENT;
    ip[24] = 0xff;
    nd[0] = 135;
    memcpy(nd + 8, vip, 16);
    ck_assert(port_send(client.port, f, sizeof f, 0));
    run(sim, sim_now(sim) + 1);
    ck_assert_uint_eq(client.n, 1);
    net_frame_classify(client.got[0].bytes, client.got[0].length, &info);
    ck_assert_int_eq(net_frame_transport_sum(&info), 0);
    ck_assert_int_eq(info.bytes[info.l4], 136);
    ck_assert_mem_eq(info.bytes + info.l4 + 8, vip, 16);
    ck_assert_mem_eq(info.bytes + info.l4 + 26, net_box_port(box, 0)->mac, 6);
}
END_TEST

START_TEST(a_balancer_checks_its_servers)
{
    struct net_server s = {.address = {0xfd}};
    uint8_t vip[16];
    mapped(vip, VIP);
    ck_assert_int_eq(net_box_balance(box, vip, &s, 1), SMC_ERR_ARGUMENT);
    ck_assert_int_eq(net_box_balance(box, vip, &s, 0), SMC_ERR_ARGUMENT);
    ck_assert_int_eq(net_box_balance(box, vip, &s, NET_SERVERS_MAX + 1), SMC_ERR_ARGUMENT);
    ck_assert_int_eq(net_box_balance(box, vip, NULL, 0), 0);
}
END_TEST

START_TEST(a_full_table_forgets_the_oldest)
{
    balance();
    client.n = 0;
    for (uint32_t i = 0; i < 4100; i++) {
        struct test_segment s = to_vip((uint16_t)(1000 + i), SYN);
        server.n = second.n = 0;
        send_tcp(&client, s);
    }
    ck_assert_uint_eq(net_box_stats(box)->flows_forgotten, 4);
}
END_TEST

START_TEST(a_box_fails_cleanly_without_memory)
{
    for (size_t i = 1; i <= 3; i++) {
        size_t held = memory.held_bytes;
        memory.fail_at = memory.calls + i;
        ck_assert_ptr_null(net_box_new(net, "other"));
        ck_assert_uint_eq(memory.held_bytes, held);
    }
    memory.fail_at = 0;
    balance();
    memory.fail_from = memory.calls + 1;
    send_tcp(&client, to_vip(1000, SYN)); /* no flow: the client will ask again */
    memory.fail_from = 0;
    ck_assert_uint_eq(server.n + second.n, 0);
    send_tcp(&client, to_vip(1000, SYN));
    ck_assert_uint_eq(server.n + second.n, 1);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *s = suite_create("middlebox");
    TCase *c = tcase_create("boxes");
    tcase_set_timeout(c, 60);
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, an_option_is_stripped_in_the_directions_wanted);
    tcase_add_test(c, a_damaged_segment_stays_damaged);
    tcase_add_test(c, hostile_options_end_the_search);
    tcase_add_test(c, cookies_join_two_connections_into_one);
    tcase_add_test(c, a_lost_syn_for_the_server_is_said_again);
    tcase_add_test(c, a_refusal_reaches_the_client_with_a_number_it_takes);
    tcase_add_test(c, a_guessed_cookie_opens_nothing_and_other_ports_pass);
    tcase_add_test(c, connections_go_to_one_server_after_the_other_and_stay_there);
    tcase_add_test(c, the_capture_shows_the_connection_as_the_client_sees_it);
    tcase_add_test(c, arp_for_the_address_is_answered);
    tcase_add_test(c, nd_for_the_address_is_answered);
    tcase_add_test(c, a_balancer_checks_its_servers);
    tcase_add_test(c, a_full_table_forgets_the_oldest);
    tcase_add_test(c, a_box_fails_cleanly_without_memory);
    suite_add_tcase(s, c);
    return s;
}
CHECK_MAIN(make_suite)
