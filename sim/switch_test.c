/* Tests of the switch: learning, flooding, forgetting, VLANs and their tags.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/network_test.h"
#include "sim/switch.h"

#include "testing/check_main.h"

#include <stdio.h>

enum { HOSTS = 5 };

static struct ledger memory;
static struct sim *sim;
static struct net *net;
static struct net_switch *sw;
static struct host host[HOSTS + 1]; /* from 1, as the MACs */
static struct net_link *link_of[HOSTS + 1];

static void setup(void)
{
    ledger_init(&memory);
    sim = sim_new(&memory.alloc, 1);
    net = net_new(sim, &memory.alloc);
    sw = net_switch_new(net, "sw0", HOSTS);
    ck_assert_ptr_nonnull(sw);
    for (unsigned i = 1; i <= HOSTS; i++) {
        char name[16];
        snprintf(name, sizeof name, "h%u.eth0", i);
        host_init(&host[i], net, name, i);
        ck_assert_ptr_eq(net_switch_free_port(sw), net_switch_port(sw, i - 1));
        link_of[i] = net_link_new(net, host[i].port, net_switch_free_port(sw), NULL);
        ck_assert_ptr_nonnull(link_of[i]);
    }
    ck_assert_ptr_null(net_switch_free_port(sw));
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

/* A bit for each host that got a frame just now. */
static unsigned who_gets(unsigned from, unsigned to)
{
    unsigned before[HOSTS + 1], got = 0;
    for (unsigned i = 1; i <= HOSTS; i++)
        before[i] = host[i].n;
    ck_assert(send_frame(sim, &host[from], from, to, 100, 1));
    run(sim, sim_now(sim) + 1000);
    for (unsigned i = 1; i <= HOSTS; i++)
        got |= (unsigned)(host[i].n > before[i]) << i;
    return got;
}

static unsigned all_but(unsigned i)
{
    return ((1u << (HOSTS + 1)) - 2) & ~(1u << i);
}

START_TEST(an_unknown_station_is_flooded_and_then_known)
{
    uint8_t mac[6];
    ck_assert_uint_eq(who_gets(1, 2), all_but(1));
    ck_assert_uint_eq(who_gets(2, 1), 1u << 1);
    ck_assert_uint_eq(who_gets(1, 2), 1u << 2);
    mac_of(2, mac);
    ck_assert_int_eq(net_switch_find_station(sw, 1, mac), 1);
    ck_assert_int_eq(net_switch_find_station(sw, 7, mac), -1);
    net_switch_flush(sw);
    ck_assert_uint_eq(who_gets(1, 2), all_but(1));
}
END_TEST

START_TEST(what_is_not_heard_of_is_forgotten)
{
    (void)who_gets(2, 1);
    ck_assert_uint_eq(who_gets(1, 2), 1u << 2);
    run(sim, sim_now(sim) + SWITCH_AGE_NS);
    ck_assert_uint_eq(who_gets(1, 2), all_but(1));
    (void)who_gets(2, 1);
    net_link_set_up(link_of[2], false);
    run(sim, sim_now(sim) + 1);
    ck_assert_uint_eq(who_gets(1, 2), all_but(1) & ~(1u << 2));
}
END_TEST

START_TEST(a_station_that_moves_is_learned_anew_and_a_fixed_one_is_not)
{
    uint8_t mac[6];
    (void)who_gets(2, 1);
    ck_assert(send_frame(sim, &host[3], 2, 1, 100, 1)); /* 2 is now behind the port of 3 */
    run(sim, sim_now(sim) + 1);
    ck_assert_uint_eq(who_gets(1, 2), 1u << 3);
    mac_of(2, mac);
    ck_assert_int_eq(net_switch_set_station(sw, 1, mac, 4), 0);
    (void)who_gets(2, 1);
    net_switch_flush(sw);
    run(sim, sim_now(sim) + 2 * SWITCH_AGE_NS);
    ck_assert_uint_eq(who_gets(1, 2), 1u << 5);
    mac[0] = 1;
    ck_assert_int_eq(net_switch_set_station(sw, 1, mac, 4), SMC_ERR_ARGUMENT);
}
END_TEST

START_TEST(nothing_goes_back_where_it_came_from)
{
    (void)who_gets(2, 1);
    ck_assert(send_frame(sim, &host[2], 9, 2, 100, 1)); /* to a station on its own port */
    run(sim, sim_now(sim) + 1);
    ck_assert_uint_eq(net_port_stats(net_switch_port(sw, 1))->filtered, 1);
}
END_TEST

START_TEST(link_local_frames_stay_on_their_link)
{
    static const uint8_t lldp[6] = {0x01, 0x80, 0xc2, 0, 0, 0x0e};
    uint8_t f[100];
    make_frame(f, 1, 2, sizeof f, 0);
    memcpy(f, lldp, 6);
    ck_assert(port_send(host[1].port, f, sizeof f, 0));
    run(sim, sim_now(sim) + 1);
    for (unsigned i = 1; i <= HOSTS; i++)
        ck_assert_uint_eq(host[i].n, 0);
}
END_TEST

START_TEST(vlans_are_apart)
{
    for (unsigned i = 0; i < HOSTS; i++)
        ck_assert_int_eq(net_switch_access(sw, i, i < 2 ? 10 : 20), 0);
    ck_assert_uint_eq(who_gets(1, 99), 1u << 2);
    ck_assert_uint_eq(who_gets(3, 99), 1u << 4 | 1u << 5);
    ck_assert_uint_eq(who_gets(1, 3), 1u << 2); /* not across, though it exists */
    ck_assert_int_eq(net_switch_access(sw, 0, 0), SMC_ERR_ARGUMENT);
    ck_assert_int_eq(net_switch_access(sw, 0, 4095), SMC_ERR_ARGUMENT);
    ck_assert_int_eq(net_switch_access(sw, HOSTS, 1), SMC_ERR_ARGUMENT);
}
END_TEST

static void send_tagged(unsigned from, unsigned to, uint16_t tci, size_t length)
{
    uint8_t f[200];
    make_frame(f, from, to, length, 0x33);
    smc_store_be(f + 12, 2, 0x8100);
    smc_store_be(f + 14, 2, tci);
    smc_store_be(f + 16, 2, 0x88b6);
    ck_assert(port_send(host[from].port, f, length, 0));
    run(sim, sim_now(sim) + 1);
}

START_TEST(tags_come_and_go_at_the_right_ports)
{
    static const uint16_t ten_and_twenty[2] = {10, 20};
    static const uint16_t beyond[1] = {4095};
    ck_assert_int_eq(net_switch_access(sw, 0, 10), 0);
    ck_assert_int_eq(net_switch_access(sw, 1, 10), 0);
    ck_assert_int_eq(net_switch_trunk(sw, 2, 0, ten_and_twenty, 2), 0);
    ck_assert_int_eq(net_switch_trunk(sw, 3, 10, ten_and_twenty, 2), 0);
    ck_assert_int_eq(net_switch_trunk(sw, 4, 30, ten_and_twenty + 1, 1), 0);
    ck_assert_int_eq(net_switch_trunk(sw, 4, 0, beyond, 1), SMC_ERR_ARGUMENT);
    ck_assert_uint_eq(who_gets(1, 99), 1u << 2 | 1u << 3 | 1u << 4);
    ck_assert_uint_eq(host[2].got[0].length, 100); /* access: untagged */
    ck_assert_uint_eq(host[3].got[0].length, 104); /* trunk: tagged */
    ck_assert_uint_eq(smc_load_be(host[3].got[0].bytes + 12, 4), 0x8100000a);
    ck_assert_uint_eq(smc_load_be(host[3].got[0].bytes + 16, 2), 0x88b6);
    ck_assert_mem_eq(host[3].got[0].bytes + 18, host[2].got[0].bytes + 14, 86);
    ck_assert_uint_eq(host[4].got[0].length, 100); /* native: untagged */
    send_tagged(3, 99, 0xa00a, 104); /* priority 5, VLAN 10 */
    ck_assert_uint_eq(host[1].got[0].length, 100);
    ck_assert_uint_eq(smc_load_be(host[1].got[0].bytes + 12, 2), 0x88b6);
    send_tagged(3, 99, 0xa014, 104); /* VLAN 20: unchanged to 4 and 5 */
    ck_assert_uint_eq(smc_load_be(host[4].got[host[4].n - 1].bytes + 12, 4), 0x8100a014);
    ck_assert_uint_eq(smc_load_be(host[5].got[0].bytes + 12, 4), 0x8100a014);
    unsigned before = host[1].n;
    send_tagged(3, 99, 30, 104);              /* not of this trunk */
    ck_assert(send_frame(sim, &host[3], 3, 99, 100, 1)); /* untagged, and no native VLAN */
    send_tagged(1, 99, 20, 104);              /* another VLAN than the access port's */
    ck_assert_uint_eq(host[1].n, before);
    ck_assert_uint_eq(net_port_stats(net_switch_port(sw, 2))->filtered, 2);
    ck_assert_uint_eq(net_port_stats(net_switch_port(sw, 0))->filtered, 1);
}
END_TEST

START_TEST(a_frame_that_loses_its_tag_is_padded)
{
    ck_assert_int_eq(net_switch_access(sw, 1, 10), 0);
    send_tagged(1, 2, 10, 60);
    ck_assert_uint_eq(host[2].got[0].length, 60);
    ck_assert_uint_eq(host[2].got[0].bytes[55], 0x33);
    ck_assert_uint_eq(host[2].got[0].bytes[56], 0);
    send_tagged(1, 2, 0x6000, 60); /* a priority alone: the native VLAN, which is 1 */
    ck_assert_uint_eq(host[2].n, 1);
    ck_assert_uint_eq(smc_load_be(host[3].got[1].bytes + 12, 2), 0x88b6);
}
END_TEST

START_TEST(hostile_sources_do_not_poison_the_table)
{
    uint8_t f[100];
    make_frame(f, 1, 2, sizeof f, 0);
    memset(f + 6, 0xff, 6); /* broadcast as a source */
    ck_assert(port_send(host[1].port, f, sizeof f, 0));
    run(sim, sim_now(sim) + 1);
    ck_assert_int_eq(net_switch_find_station(sw, 1, f + 6), -1);
    f[12] = 0x81; /* an EtherType of a tag and nothing behind */
    f[13] = 0;
    ck_assert(port_send(host[1].port, f, 14, 0));
    run(sim, sim_now(sim) + 1);
}
END_TEST

START_TEST(many_stations_are_remembered_and_without_memory_flooded)
{
    uint8_t mac[6];
    for (unsigned i = 100; i < 1100; i++) {
        ck_assert(send_frame(sim, &host[1], i, 1, 60, 1));
        run(sim, sim_now(sim) + 1);
    }
    for (unsigned i = 100; i < 1100; i++) {
        mac_of(i, mac);
        ck_assert_int_eq(net_switch_find_station(sw, 1, mac), 0);
    }
    memory.fail_from = memory.calls + 1;
    for (unsigned i = 2000; i < 4000; i++) {
        ck_assert(send_frame(sim, &host[1], i, 1, 60, 1));
        run(sim, sim_now(sim) + 1);
    }
    mac_of(3999, mac);
    ck_assert_int_eq(net_switch_find_station(sw, 1, mac), -1);
    ck_assert_uint_eq(who_gets(2, 3999), all_but(2));
    memory.fail_from = 0;
    (void)who_gets(3, 1);
    ck_assert_uint_eq(who_gets(2, 3), 1u << 3);
}
END_TEST

START_TEST(a_switch_fails_cleanly_at_each_allocation)
{
    for (size_t i = 1; i <= 8; i++) {
        size_t held = memory.held_bytes;
        memory.fail_at = memory.calls + i;
        struct net_switch *other = net_switch_new(net, "sw1", 5);
        if (i <= 8)
            ck_assert_ptr_null(other);
        ck_assert_uint_eq(memory.held_bytes, held);
        ck_assert_ptr_null(net_port_find(net, "sw1.0"));
    }
    ck_assert_ptr_nonnull(net_switch_new(net, "sw1", 5));
    ck_assert_ptr_null(net_switch_new(net, "sw1", 5));
    ck_assert_ptr_null(net_switch_new(net, "sw2", 0));
    ck_assert_ptr_null(net_switch_port(sw, HOSTS));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *s = suite_create("switch");
    TCase *c = tcase_create("switch");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_test(c, an_unknown_station_is_flooded_and_then_known);
    tcase_add_test(c, what_is_not_heard_of_is_forgotten);
    tcase_add_test(c, a_station_that_moves_is_learned_anew_and_a_fixed_one_is_not);
    tcase_add_test(c, nothing_goes_back_where_it_came_from);
    tcase_add_test(c, link_local_frames_stay_on_their_link);
    tcase_add_test(c, vlans_are_apart);
    tcase_add_test(c, tags_come_and_go_at_the_right_ports);
    tcase_add_test(c, a_frame_that_loses_its_tag_is_padded);
    tcase_add_test(c, hostile_sources_do_not_poison_the_table);
    tcase_add_test(c, many_stations_are_remembered_and_without_memory_flooded);
    tcase_add_test(c, a_switch_fails_cleanly_at_each_allocation);
    suite_add_tcase(s, c);
    return s;
}
CHECK_MAIN(make_suite)
