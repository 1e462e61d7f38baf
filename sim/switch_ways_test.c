/* Tests of switches with several ways to one place: leaves and spines without loops, flows that keep their way.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/network_test.h"
#include "sim/switch.h"

#include "testing/check_main.h"

#include <stdio.h>

enum { LEAVES = 3, SPINES = 3, EACH = 2, HOSTS = LEAVES * EACH };

static struct ledger memory;
static struct sim *sim;
static struct net *net;
static struct net_switch *leaf[LEAVES], *spine[SPINES];
static struct net_link *uplink[LEAVES][SPINES];
static struct host host[HOSTS + 1]; /* from 1; EACH a leaf */

static struct net_switch *new_switch(const char *kind, unsigned i, unsigned ports)
{
    char name[16];
    snprintf(name, sizeof name, "%s%u", kind, i);
    struct net_switch *s = net_switch_new(net, name, ports);
    ck_assert_ptr_nonnull(s);
    return s;
}

static void setup(void)
{
    ledger_init(&memory);
    sim = sim_new(&memory.alloc, 1);
    net = net_new(sim, &memory.alloc);
    for (unsigned s = 0; s < SPINES; s++)
        spine[s] = new_switch("spine", s, LEAVES);
    for (unsigned l = 0; l < LEAVES; l++) {
        leaf[l] = new_switch("leaf", l, SPINES + EACH);
        for (unsigned s = 0; s < SPINES; s++) {
            uplink[l][s] = net_link_new(net, net_switch_port(leaf[l], s), net_switch_port(spine[s], l), NULL);
            ck_assert_int_eq(net_switch_set_group(leaf[l], s, 1), 0);
        }
        for (unsigned e = 0; e < EACH; e++) {
            unsigned i = l * EACH + e + 1;
            char name[16];
            snprintf(name, sizeof name, "h%u", i);
            host_init(&host[i], net, name, i);
            ck_assert_ptr_nonnull(net_link_new(net, host[i].port, net_switch_port(leaf[l], SPINES + e), NULL));
        }
    }
    run(sim, 0);
}

static void teardown(void)
{
    ck_assert_uint_eq(net_frames_alive(net), 0);
    net_free(net);
    sim_free(sim);
    for (unsigned i = 1; i <= HOSTS; i++)
        host_free(&host[i]);
    ck_assert_uint_eq(memory.held_bytes, 0);
}

static void set_stations(void)
{
    for (unsigned i = 1; i <= HOSTS; i++) {
        unsigned home = (i - 1) / EACH;
        uint8_t mac[6];
        mac_of(i, mac);
        for (unsigned s = 0; s < SPINES; s++)
            ck_assert_int_eq(net_switch_set_station(spine[s], 1, mac, home), 0);
        for (unsigned l = 0; l < LEAVES; l++)
            ck_assert_int_eq(net_switch_set_station(leaf[l], 1, mac, l == home ? SPINES + (i - 1) % EACH : 0), 0);
    }
}

static size_t flow_frame(uint8_t *f, unsigned from, unsigned to, uint16_t sport)
{
    struct test_segment s = {.from = from, .to = to, .sport = sport, .dport = 80, .flags = 16};
    return make_tcp(f, &s);
}

static void send_flow(unsigned from, unsigned to, uint16_t sport)
{
    uint8_t f[200];
    size_t n = flow_frame(f, from, to, sport);
    ck_assert(port_send(host[from].port, f, n, sim_now(sim)));
    run(sim, sim_now(sim) + 1000);
}

/* By which spine the leaf of `from` sends a flow; -1: by none. */
static int way_of(unsigned from, unsigned to, uint16_t sport)
{
    unsigned l = (from - 1) / EACH;
    uint64_t before[SPINES];
    int way = -1;
    for (unsigned s = 0; s < SPINES; s++)
        before[s] = net_port_stats(net_switch_port(leaf[l], s))->sent;
    send_flow(from, to, sport);
    for (unsigned s = 0; s < SPINES; s++)
        if (net_port_stats(net_switch_port(leaf[l], s))->sent > before[s]) {
            ck_assert_int_eq(way, -1); /* by one only */
            way = (int)s;
        }
    return way;
}

START_TEST(a_flooded_frame_reaches_each_other_host_once_and_comes_to_rest)
{
    uint8_t f[100];
    for (unsigned from = 1; from <= HOSTS; from++) {
        unsigned before[HOSTS + 1];
        for (unsigned i = 1; i <= HOSTS; i++)
            before[i] = host[i].n;
        size_t n = make_frame(f, from, 0, sizeof f, 1);
        memset(f, 0xff, 6);
        ck_assert(port_send(host[from].port, f, n, sim_now(sim)));
        run(sim, SIM_NEVER); /* ends: no loop */
        for (unsigned i = 1; i <= HOSTS; i++)
            ck_assert_uint_eq(host[i].n - before[i], i != from);
    }
}
END_TEST

START_TEST(without_set_stations_a_fabric_learns_and_loses_nothing)
{
    for (uint16_t port = 1000; port < 1020; port++)
        for (unsigned i = 1; i <= HOSTS; i++) {
            unsigned to = i % HOSTS + 1, before = host[to].n;
            send_flow(i, to, port);
            ck_assert_uint_eq(host[to].n, before + 1);
        }
}
END_TEST

START_TEST(a_flow_keeps_its_way_and_flows_are_spread)
{
    unsigned used[SPINES] = {0};
    set_stations();
    for (uint16_t port = 1; port <= 300; port++) {
        int way = way_of(1, HOSTS, port);
        ck_assert_int_ge(way, 0);
        ck_assert_int_eq(way_of(1, HOSTS, port), way);
        used[way]++;
    }
    for (unsigned s = 0; s < SPINES; s++)
        ck_assert(used[s] > 60 && used[s] < 140); /* 100 each; 4.9 standard deviations */
    ck_assert_uint_eq(host[HOSTS].n, 600);
    for (unsigned i = 1; i < HOSTS; i++)
        ck_assert_uint_eq(host[i].n, 0); /* nothing was flooded */
}
END_TEST

START_TEST(switches_choose_independently)
{
    unsigned differ = 0;
    set_stations();
    for (uint16_t port = 1; port <= 90; port++) /* the same key but for the source; leaf 0 and leaf 1 */
        differ += way_of(1, HOSTS, port) != way_of(EACH + 1, HOSTS, port);
    ck_assert(differ > 30 && differ < 90); /* two thirds */
}
END_TEST

START_TEST(when_a_way_is_down_its_flows_take_the_others)
{
    set_stations();
    net_link_set_up(uplink[0][1], false);
    for (uint16_t port = 1; port <= 60; port++) {
        int way = way_of(1, HOSTS, port);
        ck_assert(way == 0 || way == 2);
    }
    ck_assert_uint_eq(host[HOSTS].n, 60);
    net_link_set_up(uplink[0][0], false);
    net_link_set_up(uplink[0][2], false);
    ck_assert_int_eq(way_of(1, HOSTS, 1), -1);
    ck_assert_uint_eq(host[HOSTS].n, 60);
}
END_TEST

START_TEST(the_hash_of_a_flow_depends_on_each_part_of_its_key_and_nothing_else)
{
    uint8_t f[200], other[200];
    struct net_frame_info a, b;
    size_t n = flow_frame(f, 1, 2, 1000);
    net_frame_classify(f, n, &a);
    uint64_t hash = net_frame_flow(&a, 5);
    ck_assert_uint_ne(hash, net_frame_flow(&a, 6));
    static const size_t parts[] = {26, 29, 30, 33, 34, 35, 36, 37}, not_parts[] = {0, 6, 18, 19, 22, 40, 50};
    for (unsigned i = 0; i < 8; i++) {
        memcpy(other, f, n);
        other[parts[i]] ^= 1;
        net_frame_classify(other, n, &b);
        ck_assert_uint_ne(net_frame_flow(&b, 5), hash);
    }
    for (unsigned i = 0; i < 7; i++) {
        memcpy(other, f, n);
        other[not_parts[i]] ^= 1;
        net_frame_classify(other, n, &b);
        ck_assert_uint_eq(net_frame_flow(&b, 5), hash);
    }
    n = make_frame(f, 1, 2, 100, 0);
    net_frame_classify(f, n, &a);
    hash = net_frame_flow(&a, 5);
    f[11] ^= 1; /* source MAC */
    ck_assert_uint_ne(net_frame_flow(&a, 5), hash);
}
END_TEST

START_TEST(a_port_that_is_not_there_has_no_group)
{
    ck_assert_int_eq(net_switch_set_group(leaf[0], SPINES + EACH, 1), SMC_ERR_ARGUMENT);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *s = suite_create("switch_ways");
    TCase *c = tcase_create("ways");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, a_flooded_frame_reaches_each_other_host_once_and_comes_to_rest);
    tcase_add_test(c, without_set_stations_a_fabric_learns_and_loses_nothing);
    tcase_add_test(c, a_flow_keeps_its_way_and_flows_are_spread);
    tcase_add_test(c, switches_choose_independently);
    tcase_add_test(c, when_a_way_is_down_its_flows_take_the_others);
    tcase_add_test(c, the_hash_of_a_flow_depends_on_each_part_of_its_key_and_nothing_else);
    tcase_add_test(c, a_port_that_is_not_there_has_no_group);
    suite_add_tcase(s, c);
    return s;
}
CHECK_MAIN(make_suite)
