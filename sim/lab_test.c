/* Whole runs: two hosts whose stack is libsmc, over every kind of device, and what their applications see.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/lab_internal.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "testing/check_main.h"

struct setting {
    const char *name;
    struct lab_host_config client, server;
    const char *device; /* dibs device on both, NULL: none */
    bool one_machine, no_roce;
    enum smc_mode mode;
    uint8_t version;
};

static const struct setting settings[] = {
    {.name = "R v2 Linux", .client = {.v2 = true}, .server = {.v2 = true}, .mode = SMC_MODE_R, .version = 2},
    {.name = "R v1 Linux", .client = {.v1 = true}, .server = {.v1 = true}, .mode = SMC_MODE_R, .version = 1},
    {.name = "R v1 RFC",
     .client = {.v1 = true, .profile = &smc_profile_rfc},
     .server = {.v1 = true, .profile = &smc_profile_rfc},
     .mode = SMC_MODE_R,
     .version = 1},
    {.name = "R v2 RFC",
     .client = {.v2 = true, .profile = &smc_profile_rfc},
     .server = {.v2 = true, .profile = &smc_profile_rfc},
     .mode = SMC_MODE_R,
     .version = 2},
    {.name = "D v1 ISM", .client = {.v1 = true}, .server = {.v1 = true}, .device = "ism", .one_machine = true,
     .mode = SMC_MODE_D, .version = 1},
    {.name = "D v2 ISM", .device = "ism", .one_machine = true, .mode = SMC_MODE_D, .version = 2},
    {.name = "D v2 loopback", .device = "loopback", .one_machine = true, .mode = SMC_MODE_D, .version = 2},
    {.name = "D v2 loopback no copy", .client = {.no_copy = true}, .server = {.no_copy = true}, .device = "loopback",
     .one_machine = true, .mode = SMC_MODE_D, .version = 2},
    {.name = "D v2 ivshmem", .device = "ivshmem", .one_machine = true, .mode = SMC_MODE_D, .version = 2},
    {.name = "fallback", .server = {.no_smc = true}, .mode = SMC_MODE_TCP},
};
enum { SETTINGS = sizeof(settings) / sizeof(settings[0]) };

struct pair {
    struct lab *lab;
    struct lab_host *client, *server;
    struct lab_link *link;
    struct lab_socket *listener, *c, *s;
    unsigned accepted;
};

static void on_accepted(void *user, struct lab_socket *listener, struct lab_socket *socket)
{
    struct pair *p = user;
    (void)listener;
    p->s = socket;
    p->accepted++;
}

static const struct lab_socket_ops listener_ops = {.accepted = on_accepted};

static void must(struct lab *lab, int error, const char *what)
{
    if (error != 0)
        ck_abort_msg("%s: %s (%s)", what, smc_error_text(error), lab_problem(lab));
}

static struct lab_host *add_host(struct lab *lab, const char *name, const char *address, const struct lab_host_config *from,
                                 const struct setting *set)
{
    struct lab_host_config config = *from;
    struct lab_host *host = NULL;
    struct lab_interface *interface;
    config.name = name;
    config.machine = set->one_machine ? "machine" : NULL;
    must(lab, lab_add_host(lab, &config, &host), "host");
    struct lab_interface_config eth = {.name = "eth0", .address = address, .no_roce = set->no_roce};
    must(lab, lab_add_interface(host, &eth, &interface), "interface");
    if (set->device != NULL)
        must(lab, lab_add_dibs(host, &(struct lab_dibs_config){.kind = set->device}), "dibs device");
    return host;
}

static void pair_new(struct pair *p, const struct setting *set, uint64_t seed)
{
    char path[128] = "";
    const char *folder = getenv("LAB_TEST_CAPTURES");
    memset(p, 0, sizeof(*p));
    if (folder != NULL)
        snprintf(path, sizeof(path), "%s/%s.pcap", folder, set->name);
    struct lab_config config = {.seed = seed, .capture = folder != NULL ? path : NULL, .capture_hashed = true};
    ck_assert_int_eq(lab_new(&config, &p->lab), 0);
    p->client = add_host(p->lab, "client", "10.0.0.1/24", &set->client, set);
    p->server = add_host(p->lab, "server", "10.0.0.2/24", &set->server, set);
    must(p->lab, lab_add_link(p->lab, "client.eth0", "server.eth0", NULL, &p->link), "link");
    struct lab_socket_config listen = {.ops = &listener_ops, .user = p};
    must(p->lab, lab_listen(p->server, 5000, &listen, &p->listener), "listen");
    must(p->lab, lab_connect(p->client, "server", 5000, NULL, &p->c), "connect");
}

static void pair_free(struct pair *p)
{
    ck_assert_int_eq(lab_free(p->lab), 0);
}

static void run(struct pair *p, uint64_t for_ns)
{
    must(p->lab, lab_run_until(p->lab, sim_now(lab_sim(p->lab)) + for_ns), "run");
}

static void check_connected(struct pair *p, const struct setting *set)
{
    ck_assert_msg(p->s != NULL, "%s: nothing was accepted; client in state %s, mode %d, error %d, fallback %#x", set->name,
                  lab_socket_state(p->c), lab_socket_mode(p->c), lab_socket_error(p->c), lab_socket_fallback(p->c, NULL));
    ck_assert_msg(lab_socket_mode(p->c) == set->mode, "%s: client in mode %d, fallback %#x", set->name, lab_socket_mode(p->c),
                  lab_socket_fallback(p->c, NULL));
    ck_assert_msg(lab_socket_mode(p->s) == set->mode, "%s: server in mode %d, fallback %#x", set->name, lab_socket_mode(p->s),
                  lab_socket_fallback(p->s, NULL));
    if (set->mode == SMC_MODE_TCP)
        return;
    struct smc_connection_info info;
    smc_connection_get_info(lab_socket_connection(p->c), &info);
    ck_assert_uint_eq(info.version, set->version);
    ck_assert_int_eq(info.state, SMC_STATE_ACTIVE);
}

START_TEST(two_hosts_agree_on_the_mode_that_both_can)
{
    const struct setting *set = &settings[_i];
    struct pair p;
    pair_new(&p, set, 1);
    run(&p, 5 * SIM_S);
    check_connected(&p, set);
    lab_close(p.c);
    lab_close(p.s);
    run(&p, 30 * SIM_S);
    ck_assert_str_eq(lab_socket_state(p.c), "CLOSED");
    ck_assert_str_eq(lab_socket_state(p.s), "CLOSED");
    pair_free(&p);
}
END_TEST

static void check_traffic(struct pair *p, const struct setting *set, uint64_t bytes)
{
    struct lab_traffic_state c, s;
    lab_traffic_get(p->c, &c);
    lab_traffic_get(p->s, &s);
    ck_assert_msg(c.received == bytes && s.received == bytes,
                  "%s: client received %llu, server %llu of %llu; sent %llu, %llu; states %s, %s", set->name,
                  (unsigned long long)c.received, (unsigned long long)s.received, (unsigned long long)bytes,
                  (unsigned long long)c.sent, (unsigned long long)s.sent, lab_socket_state(p->c), lab_socket_state(p->s));
    ck_assert_msg(!c.wrong && !s.wrong, "%s: wrong byte at %llu / %llu", set->name, (unsigned long long)c.wrong_at,
                  (unsigned long long)s.wrong_at);
    ck_assert(c.sent_hash == s.received_hash && s.sent_hash == c.received_hash);
}

static void both_ways(struct pair *p, const struct setting *set, uint64_t bytes, uint64_t chunk)
{
    run(p, 5 * SIM_S);
    check_connected(p, set);
    struct lab_traffic t = {.send_bytes = bytes, .receive_bytes = bytes, .send_chunk = chunk, .send_pattern = 1, .receive_pattern = 2,
                            .close_when_done = true};
    must(p->lab, lab_traffic_start(p->c, &t), "traffic");
    t.send_pattern = 2;
    t.receive_pattern = 1;
    must(p->lab, lab_traffic_start(p->s, &t), "traffic");
    run(p, 60 * SIM_S);
    check_traffic(p, set, bytes);
    ck_assert_str_eq(lab_socket_state(p->c), "CLOSED");
    ck_assert_str_eq(lab_socket_state(p->s), "CLOSED");
}

START_TEST(every_byte_arrives_both_ways_and_both_ends_close)
{
    struct pair p;
    pair_new(&p, &settings[_i], 2);
    both_ways(&p, &settings[_i], 1 << 20, 10000);
    pair_free(&p);
}
END_TEST

static void lossy(struct pair *p, uint32_t per_million)
{
    struct fault_rates rates = {.loss = per_million, .duplicate = per_million, .reorder = per_million,
                                .reorder_ns = 50 * SIM_US, .corrupt_deep = per_million};
    ck_assert_int_eq(fault_set_rates(net_link_faults(lab_link_net(p->link), NET_A_TO_B), &rates), 0);
    ck_assert_int_eq(fault_set_rates(net_link_faults(lab_link_net(p->link), NET_B_TO_A), &rates), 0);
}

START_TEST(every_byte_arrives_over_a_link_that_loses_repeats_and_damages_frames)
{
    struct pair p;
    pair_new(&p, &settings[_i], 3);
    lossy(&p, 10000);
    both_ways(&p, &settings[_i], 1 << 19, 5000);
    pair_free(&p);
}
END_TEST

START_TEST(the_same_seed_gives_the_same_bytes)
{
    uint64_t digest[2][2];
    for (int round = 0; round < 2; round++) {
        struct pair p;
        pair_new(&p, &settings[_i], 4);
        lossy(&p, 20000);
        both_ways(&p, &settings[_i], 100000, 3000);
        lab_digest(p.lab, digest[round]);
        pair_free(&p);
    }
    ck_assert(digest[0][0] == digest[1][0] && digest[0][1] == digest[1][1]);
}
END_TEST

static Suite *lab_suite(void)
{
    Suite *s = suite_create("lab");
    TCase *t = tcase_create("pairs");
    tcase_set_timeout(t, 120);
    tcase_add_loop_test(t, two_hosts_agree_on_the_mode_that_both_can, 0, SETTINGS);
    tcase_add_loop_test(t, every_byte_arrives_both_ways_and_both_ends_close, 0, SETTINGS);
    tcase_add_loop_test(t, every_byte_arrives_over_a_link_that_loses_repeats_and_damages_frames, 0, SETTINGS);
    tcase_add_loop_test(t, the_same_seed_gives_the_same_bytes, 0, SETTINGS);
    suite_add_tcase(s, t);
    return s;
}

CHECK_MAIN(lab_suite)
