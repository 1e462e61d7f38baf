/* The laboratory over ns-3: topologies, queue discs with ECN, error models, flow control, and that runs repeat.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/ns3/adapter.h"

#include "sim/lab_internal.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "testing/check_main.h"

enum { HOSTS = 16, PORT = 5000, OTHER = 0x88b6 };

struct bench {
    struct ns3_engine *engine; /* NULL: the plain simulation */
    struct lab *lab;
    struct lab_host *host[HOSTS];
    struct lab_interface *interface[HOSTS];
    struct lab_socket *accepted[HOSTS];
    unsigned hosts, accepted_count;
    uint64_t frames, marked, data; /* captured: all, those with CE, UDP ones */
    uint8_t from[4];           /* the last bytes of the senders of OTHER frames, as they came */
    unsigned from_count;
    uint64_t digest[2];
};

static void on_frame(void *user, uint64_t at_ns, const uint8_t *bytes, size_t length)
{
    struct bench *b = user;
    struct net_frame_info info;
    (void)at_ns;
    net_frame_classify(bytes, length, &info);
    b->frames++;
    b->data += info.ip_protocol == 17 && !info.roce;
    if ((bytes[12] << 8 | bytes[13]) == OTHER && b->from_count < 4)
        b->from[b->from_count++] = bytes[11];
    b->marked += info.ip_version != 0 && (info.tos & 3) == 3;
}

static void must(const struct bench *b, int error)
{
    ck_assert_msg(error == 0, "%s: %s", smc_error_text(error), b->lab != NULL ? lab_problem(b->lab) : "");
}

static void start(struct bench *b, bool ns3, uint64_t seed)
{
    char why[256] = "";
    memset(b, 0, sizeof(*b));
    struct lab_config config = {.seed = seed, .capture_hashed = true, .sink = on_frame, .sink_user = b};
    if (ns3) {
        struct ns3_engine_config wanted = {.seed = seed};
        ck_assert_msg(ns3_engine_new(&wanted, &b->engine, why, sizeof(why)) == 0, "%s", why);
        config.clock = ns3_engine_clock(b->engine);
    }
    must(b, lab_new(&config, &b->lab));
    if (ns3)
        ns3_engine_attach(b->engine, b->lab);
}

static void stop(struct bench *b)
{
    lab_digest(b->lab, b->digest);
    ns3_engine_free(b->engine);
    ck_assert_int_eq(lab_free(b->lab), 0);
}

static void add_host(struct bench *b, bool flow_control)
{
    char name[24], address[32];
    unsigned i = b->hosts++;
    snprintf(name, sizeof(name), "h%u", i);
    snprintf(address, sizeof(address), "10.0.0.%u/24", i + 1);
    struct lab_host_config host = {.name = name};
    struct lab_interface_config eth = {.name = "eth0", .address = address, .flow_control = flow_control, .dscp = flow_control ? 24 : 0};
    must(b, lab_add_host(b->lab, &host, &b->host[i]));
    must(b, lab_add_interface(b->host[i], &eth, &b->interface[i]));
}

static struct lab_link *join(struct bench *b, const char *x, const char *y, const struct lab_link_config *config)
{
    struct lab_link *link;
    must(b, lab_add_link(b->lab, x, y, config, &link));
    return link;
}

static void on_accepted(void *user, struct lab_socket *listener, struct lab_socket *socket)
{
    struct bench *b = user;
    struct lab_traffic t = {.receive_bytes = UINT64_MAX, .receive_pattern = 1};
    (void)listener;
    b->accepted[b->accepted_count++] = socket;
    must(b, lab_traffic_start(socket, &t));
}

static const struct lab_socket_ops listener_ops = {.accepted = on_accepted};

/* Sends `bytes` from each host of a list to the one behind it, all at once; returns when the last byte was there. */
static uint64_t send_all(struct bench *b, const unsigned (*pairs)[2], unsigned count, uint64_t bytes)
{
    struct lab_socket_config listen = {.ops = &listener_ops, .user = b};
    struct lab_socket *listener, *s;
    uint64_t done = 0;
    for (unsigned i = 0; i < count; i++) {
        char peer[24];
        snprintf(peer, sizeof(peer), "h%u", pairs[i][1]);
        must(b, lab_listen(b->host[pairs[i][1]], (uint16_t)(PORT + i), &listen, &listener));
        must(b, lab_connect(b->host[pairs[i][0]], peer, (uint16_t)(PORT + i), NULL, &s));
        must(b, lab_traffic_start(s, &(struct lab_traffic){.send_bytes = bytes, .send_pattern = 1}));
    }
    for (uint64_t at = sim_now(lab_sim(b->lab)); done < count * bytes && at < 60 * SIM_S; at += SIM_MS) {
        must(b, lab_run_until(b->lab, at));
        done = 0;
        for (unsigned i = 0; i < b->accepted_count; i++) {
            struct lab_traffic_state state;
            lab_traffic_get(b->accepted[i], &state);
            ck_assert(!state.wrong);
            done += state.received;
        }
    }
    ck_assert_uint_eq(done, count * bytes);
    return sim_now(lab_sim(b->lab));
}

/* ---- topologies ---- */

static void point_to_point(struct bench *b, const struct lab_link_config *config)
{
    add_host(b, false);
    add_host(b, false);
    join(b, "h0.eth0", "h1.eth0", config);
}

START_TEST(two_hosts_do_the_same_on_both_engines)
{
    static const unsigned pair[][2] = {{0, 1}};
    uint64_t frames[2], ended[2];
    for (unsigned ns3 = 0; ns3 < 2; ns3++) {
        struct bench b;
        start(&b, ns3, 1);
        point_to_point(&b, NULL);
        ended[ns3] = send_all(&b, pair, 1, 4 << 20);
        frames[ns3] = b.frames;
        if (ns3)
            ck_assert_uint_gt(ns3_engine_events(b.engine), 2 * b.frames); /* they went through ns-3 */
        stop(&b);
    }
    ck_assert_uint_eq(frames[0], frames[1]);
    ck_assert_uint_eq(ended[0], ended[1]); /* to the millisecond */
}
END_TEST

static void dumbbell(struct bench *b, unsigned pairs, const struct lab_link_config *middle)
{
    must(b, lab_add_switch(b->lab, "left", 0));
    must(b, lab_add_switch(b->lab, "right", 0));
    for (unsigned i = 0; i < 2 * pairs; i++) {
        char name[24];
        add_host(b, false);
        snprintf(name, sizeof(name), "h%u.eth0", i);
        join(b, name, i < pairs ? "left" : "right", NULL);
    }
    join(b, "left", "right", middle);
}

START_TEST(a_dumbbell_is_as_fast_as_its_middle)
{
    static const unsigned pairs[][2] = {{0, 2}, {1, 3}};
    struct lab_link_config middle = {.name = "middle", .rate_bits = 1000000000, .delay_ns = 10 * SIM_US};
    struct bench b;
    start(&b, true, 1);
    dumbbell(&b, 2, &middle);
    uint64_t took = send_all(&b, pairs, 2, 4 << 20);
    /* 8 MiB and their headers (1,024 bytes of 1,024 + 82 on the wire) at 1 Gbit/s: 73 ms. */
    ck_assert_uint_ge(took, 67 * SIM_MS);
    ck_assert_uint_le(took, 110 * SIM_MS);
    stop(&b);
}
END_TEST

enum { LEAVES = 4, SPINES = 2, PER_LEAF = 2 };

static void leaf_spine(struct bench *b)
{
    char leaf[16], spine[16], name[40];
    for (unsigned s = 0; s < SPINES; s++) {
        snprintf(spine, sizeof(spine), "spine%u", s);
        must(b, lab_add_switch(b->lab, spine, 0));
    }
    for (unsigned l = 0; l < LEAVES; l++) {
        snprintf(leaf, sizeof(leaf), "leaf%u", l);
        must(b, lab_add_switch(b->lab, leaf, 0));
        for (unsigned s = 0; s < SPINES; s++) {
            snprintf(spine, sizeof(spine), "spine%u", s);
            snprintf(name, sizeof(name), "%s--%s", leaf, spine);
            join(b, leaf, spine, NULL);
            must(b, lab_switch_group(b->lab, leaf, name, 1));
        }
        for (unsigned h = 0; h < PER_LEAF; h++) {
            add_host(b, false);
            snprintf(name, sizeof(name), "h%u.eth0", b->hosts - 1);
            join(b, name, leaf, NULL);
        }
    }
}

static uint64_t sent_by(struct bench *b, const char *name)
{
    uint64_t sent = 0;
    struct port *port;
    for (unsigned i = 0; (port = lab_switch_port(b->lab, name, i)) != NULL; i++)
        sent += net_port_stats(port)->sent;
    return sent;
}

START_TEST(leaves_and_spines_carry_all_pairs_by_both_spines)
{
    static const unsigned pairs[][2] = {{0, 2}, {1, 4}, {2, 6}, {3, 5}, {4, 0}, {5, 7}, {6, 1}, {7, 3}};
    uint64_t digest[2][2];
    for (unsigned run = 0; run < 2; run++) {
        struct bench b;
        start(&b, true, 5);
        leaf_spine(&b);
        send_all(&b, pairs, 8, 1 << 20);
        ck_assert_uint_gt(sent_by(&b, "spine0"), 1000);
        ck_assert_uint_gt(sent_by(&b, "spine1"), 1000);
        stop(&b);
        memcpy(digest[run], b.digest, sizeof(b.digest));
    }
    ck_assert_mem_eq(digest[0], digest[1], sizeof(digest[0]));
}
END_TEST

/* ---- queue discs and ECN ---- */

/* A UDP packet of 1,000 bytes to h1, with these ECN bits. */
static void blast(struct bench *b, unsigned ecn, unsigned count, uint64_t every_ns)
{
    uint8_t frame[1014] = {0};
    memcpy(frame, b->interface[1]->port->mac, 6);
    memcpy(frame + 6, b->interface[0]->port->mac, 6);
    frame[12] = 0x08;
    uint8_t *ip = frame + 14;
    ip[0] = 0x45;
    ip[1] = (uint8_t)ecn;
    smc_store_be(ip + 2, 2, 1000);
    ip[8] = 64;
    ip[9] = 17;
    smc_store_be(ip + 12, 4, 0x0a000001);
    smc_store_be(ip + 16, 4, 0x0a000002);
    smc_store_be(ip + 20, 2, 4000);
    smc_store_be(ip + 22, 2, 9);
    smc_store_be(ip + 24, 2, 980);
    smc_store_be(ip + 10, 2, net_sum_finish(net_sum(ip, 20, 0)));
    for (unsigned i = 0; i < count; i++) {
        (void)lab_inject_frame(b->interface[0], frame, sizeof(frame)); /* a queue may refuse it */
        must(b, lab_run_until(b->lab, sim_now(lab_sim(b->lab)) + every_ns));
    }
    must(b, lab_run_until(b->lab, sim_now(lab_sim(b->lab)) + 100 * SIM_MS));
}

static const struct net_option red[] = {{"queue", "ns3::RedQueueDisc"}, {"UseEcn", "true"}, {"UseHardDrop", "false"},
                                        {"MaxSize", "1000p"}, {"MinTh", "10"}, {"MaxTh", "30"}, {"QW", "0.2"}};

static uint64_t red_marks(uint64_t seed, unsigned ecn, uint64_t *dropped)
{
    struct lab_link_config slow = {.rate_bits = 1000000000, .options = red, .option_count = sizeof(red) / sizeof(red[0])};
    struct bench b;
    start(&b, true, seed);
    point_to_point(&b, &slow);
    blast(&b, ecn, 1000, 6 * SIM_US); /* takes 8.3 µs each: a queue builds */
    const struct net_stats *stats = net_port_stats(b.interface[0]->port);
    uint64_t marked = b.marked;
    ck_assert_uint_eq(stats->ecn_marked, marked);
    *dropped = stats->queue_drops;
    ck_assert_uint_eq(b.data + stats->queue_drops, 1000);
    stop(&b);
    return marked;
}

START_TEST(red_marks_what_is_capable_and_drops_what_is_not)
{
    uint64_t dropped, again;
    uint64_t marked = red_marks(3, 2, &dropped);
    ck_assert_uint_gt(marked, 100);
    ck_assert_uint_eq(red_marks(3, 2, &again), marked);
    ck_assert_uint_eq(again, dropped);
    ck_assert_uint_eq(red_marks(3, 0, &again), 0);
    ck_assert_uint_gt(again, dropped);
}
END_TEST

START_TEST(every_queue_disc_carries_a_connection)
{
    static const char *const names[] = {"ns3::FifoQueueDisc", "ns3::RedQueueDisc", "ns3::CoDelQueueDisc", "ns3::FqCoDelQueueDisc",
                                        "ns3::PieQueueDisc", "ns3::FqPieQueueDisc", "ns3::CobaltQueueDisc", "ns3::FqCobaltQueueDisc",
                                        "ns3::PfifoFastQueueDisc"};
    static const unsigned pairs[][2] = {{0, 2}, {1, 3}};
    struct net_option option = {"queue", names[_i]};
    struct lab_link_config middle = {.rate_bits = 2000000000, .options = &option, .option_count = 1};
    struct bench b;
    start(&b, true, 1);
    dumbbell(&b, 2, &middle);
    send_all(&b, pairs, 2, 1 << 20);
    stop(&b);
}
END_TEST

START_TEST(a_queue_of_ns3_has_the_room_that_the_link_says)
{
    struct lab_link_config slow = {.rate_bits = 10000000, .queue_bytes = 10140};
    struct bench b;
    start(&b, true, 1);
    point_to_point(&b, &slow);
    blast(&b, 0, 50, 1);
    ck_assert_uint_eq(b.data, 11); /* one in transmission, ten wait */
    ck_assert_uint_eq(net_port_stats(b.interface[0]->port)->queue_drops, 39);
    stop(&b);
}
END_TEST

/* ---- errors ---- */

static uint64_t survivors(uint64_t seed, const struct net_option *options, unsigned count)
{
    struct lab_link_config link = {.options = options, .option_count = count};
    struct bench b;
    start(&b, true, seed);
    point_to_point(&b, &link);
    blast(&b, 0, 5000, 2 * SIM_US);
    ck_assert_uint_eq(b.data + net_port_stats(b.interface[0]->port)->fault_drops, 5000);
    stop(&b);
    return b.data;
}

START_TEST(an_error_model_takes_its_share_and_the_seed_decides_which)
{
    static const struct net_option rate[] = {{"error_rate", "0.1"}}, nothing[] = {{"error_rate", "0"}};
    static const struct net_option burst[] = {{"error", "ns3::BurstErrorModel"}, {"error.ErrorRate", "0.02"}};
    uint64_t first = survivors(1, rate, 1);
    ck_assert_uint_gt(first, 4400);
    ck_assert_uint_lt(first, 4600);
    ck_assert_uint_eq(survivors(1, rate, 1), first);
    ck_assert_uint_ne(survivors(2, rate, 1), first);
    ck_assert_uint_eq(survivors(1, nothing, 1), 5000);
    ck_assert_uint_lt(survivors(1, burst, 2), 4990);
}
END_TEST

START_TEST(what_ns3_does_not_know_fails_the_link)
{
    static const struct { struct net_option option; const char *says; } wrong[] = {
        {{"queue", "ns3::NoQueueDisc"}, "no queue disc"},      {{"queue", "ns3::Node"}, "no queue disc"},
        {{"queue", "ns3::QueueDisc"}, "no queue disc"},        {{"NoAttribute", "1"}, "no attribute NoAttribute"},
        {{"MaxSize", "many"}, "cannot be \"many\""},           {{"error", "ns3::RedQueueDisc"}, "no error model"},
        {{"error_rate", "two"}, "cannot be \"two\""},          {{"device.FrameOverhead", "9999"}, "cannot be"},
        {{"channel.Delay", "a while"}, "cannot be"},           {{"device.Colour", "red"}, "no attribute Colour"},
        {{"device.DataRate", "fast"}, "cannot be"},            {{"error.ErrorUnit", "lightyears"}, "cannot be"},
        {{"device.QueueDisc", "ns3::RedQueueDisc"}, "cannot"}, {{"MaxSize", "1.5p"}, "cannot be"}};
    struct lab_link_config config = {.options = &wrong[_i].option, .option_count = 1};
    struct bench b;
    start(&b, true, 1);
    add_host(&b, false);
    add_host(&b, false);
    ck_assert_int_eq(lab_add_link(b.lab, "h0.eth0", "h1.eth0", &config, NULL), SMC_ERR_ARGUMENT);
    ck_assert_msg(strstr(lab_problem(b.lab), wrong[_i].says) != NULL, "%s", lab_problem(b.lab));
    stop(&b);
}
END_TEST

/* ---- what stays the laboratory's ---- */

START_TEST(a_lossless_class_loses_nothing_over_ns3)
{
    static const unsigned pairs[][2] = {{0, 3}, {1, 3}, {2, 3}};
    static const struct pfc_config pfc = {.lossless = 1 << 3, .trust = PFC_TRUST_DSCP, .xoff_bytes = 40000, .xon_bytes = 20000,
                                          .headroom_bytes = 100000};
    struct lab_link_config link = {.rate_bits = 10000000000, .queue_bytes = 20000};
    struct bench b;
    uint64_t paused = 0, dropped = 0;
    start(&b, true, 1);
    must(&b, lab_add_switch(b.lab, "sw", 0));
    must(&b, lab_switch_flow(b.lab, "sw", &pfc, NULL));
    for (unsigned i = 0; i < 4; i++) {
        char name[24];
        add_host(&b, true);
        snprintf(name, sizeof(name), "h%u.eth0", i);
        join(&b, name, "sw", &link);
    }
    send_all(&b, pairs, 3, 2 << 20);
    for (unsigned i = 0; i < 4; i++) {
        paused += net_port_stats(lab_switch_port(b.lab, "sw", i))->pause_sent;
        dropped += net_port_stats(lab_switch_port(b.lab, "sw", i))->queue_drops;
    }
    ck_assert_uint_gt(paused, 0);
    ck_assert_uint_eq(dropped, 0);
    stop(&b);
}
END_TEST

START_TEST(a_link_that_goes_down_loses_what_ns3_has)
{
    struct lab_link_config slow = {.name = "slow", .rate_bits = 10000000};
    struct bench b;
    start(&b, true, 1);
    point_to_point(&b, &slow);
    uint8_t frame[1000] = {2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8, 0x88, 0xb6};
    for (unsigned i = 0; i < 10; i++)
        must(&b, lab_inject_frame(b.interface[0], frame, sizeof(frame)));
    must(&b, lab_run_until(b.lab, 1500 * SIM_US)); /* one is there, one on its way out, eight wait */
    ck_assert_uint_eq(net_frames_carried(b.lab->net), 9);
    ck_assert_uint_eq(lab_next_ns(b.lab), sim_now(lab_sim(b.lab)));
    must(&b, lab_link_up(lab_find_link(b.lab, "slow"), false));
    ck_assert_uint_eq(net_frames_carried(b.lab->net), 0);
    ck_assert_uint_eq(net_port_stats(b.interface[0]->port)->link_drops, 9);
    must(&b, lab_link_up(lab_find_link(b.lab, "slow"), true));
    must(&b, lab_inject_frame(b.interface[0], frame, sizeof(frame)));
    must(&b, lab_run_until(b.lab, 4 * SIM_MS));
    ck_assert_uint_eq(net_port_stats(b.interface[1]->port)->received, 2);
    stop(&b);
}
END_TEST

START_TEST(a_run_may_end_while_ns3_has_frames)
{
    struct bench b;
    start(&b, true, 1);
    point_to_point(&b, &(struct lab_link_config){.rate_bits = 1000000});
    uint8_t frame[1000] = {2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8, 0x88, 0xb6};
    for (unsigned i = 0; i < 5; i++)
        must(&b, lab_inject_frame(b.interface[0], frame, sizeof(frame)));
    must(&b, lab_run_until(b.lab, SIM_MS));
    ck_assert_uint_gt(net_frames_carried(b.lab->net), 0);
    stop(&b); /* lab_free() finds no block left */
}
END_TEST

/* Two hosts send to a third at the same instant, one or the other first. */
START_TEST(frames_of_one_instant_come_in_the_order_of_ports)
{
    struct bench b;
    uint8_t frame[100] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 0xc, OTHER >> 8, OTHER & 0xff};
    start(&b, true, 1);
    must(&b, lab_add_switch(b.lab, "sw", 0));
    for (unsigned i = 0; i < 3; i++) {
        char name[24];
        add_host(&b, false);
        snprintf(name, sizeof(name), "h%u.eth0", i);
        join(&b, name, "sw", NULL);
    }
    memcpy(frame + 6, b.interface[2]->port->mac, 6);
    must(&b, lab_inject_frame(b.interface[2], frame, sizeof(frame))); /* the switch knows where it is */
    must(&b, lab_run_until(b.lab, SIM_MS));
    b.from_count = 0;
    memcpy(frame, b.interface[2]->port->mac, 6);
    for (unsigned i = 0; i < 2; i++) {
        unsigned sender = _i == 0 ? i : 1 - i;
        memcpy(frame + 6, b.interface[sender]->port->mac, 6);
        must(&b, lab_inject_frame(b.interface[sender], frame, sizeof(frame)));
    }
    must(&b, lab_run_until(b.lab, 2 * SIM_MS));
    ck_assert_uint_eq(b.from_count, 2);
    for (unsigned i = 0; i < 2; i++)
        ck_assert_uint_eq(b.from[i], b.interface[i]->port->mac[5]);
    stop(&b);
}
END_TEST

START_TEST(time_stands_where_the_laboratory_says)
{
    struct bench b;
    start(&b, true, 1);
    point_to_point(&b, NULL);
    must(&b, lab_run_until(b.lab, 123456789));
    ck_assert_uint_eq(sim_now(lab_sim(b.lab)), 123456789);
    must(&b, lab_run_until(b.lab, 1000)); /* past: nothing happens */
    ck_assert_uint_eq(sim_now(lab_sim(b.lab)), 123456789);
    stop(&b);
}
END_TEST

START_TEST(there_is_one_ns3_in_a_process_and_its_scheduler_must_exist)
{
    struct bench b;
    struct ns3_engine *second = NULL;
    char why[256] = "";
    struct ns3_engine_config config = {.seed = 1, .scheduler = "ns3::NoScheduler"};
    ck_assert_int_eq(ns3_engine_new(&config, &second, why, sizeof(why)), SMC_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(why, "NoScheduler"));
    start(&b, true, 1);
    config.scheduler = NULL;
    ck_assert_int_eq(ns3_engine_new(&config, &second, why, sizeof(why)), SMC_ERR_BUSY);
    stop(&b);
}
END_TEST

START_TEST(all_schedulers_give_the_same_run)
{
    static const char *const names[] = {"ns3::PriorityQueueScheduler", "ns3::MapScheduler", "ns3::HeapScheduler", "ns3::CalendarScheduler",
                                        "ns3::ListScheduler"};
    static const unsigned pair[][2] = {{0, 1}};
    uint64_t first[2] = {0, 0};
    for (unsigned i = 0; i < 5; i++) {
        struct bench b;
        char why[256];
        memset(&b, 0, sizeof(b));
        struct ns3_engine_config wanted = {.seed = 1, .scheduler = names[i]};
        ck_assert_int_eq(ns3_engine_new(&wanted, &b.engine, why, sizeof(why)), 0);
        struct lab_config config = {.seed = 1, .capture_hashed = true, .clock = ns3_engine_clock(b.engine), .sink = on_frame, .sink_user = &b};
        must(&b, lab_new(&config, &b.lab));
        ns3_engine_attach(b.engine, b.lab);
        point_to_point(&b, NULL);
        send_all(&b, pair, 1, 1 << 20);
        stop(&b);
        if (i == 0)
            memcpy(first, b.digest, sizeof(first));
        ck_assert_mem_eq(first, b.digest, sizeof(first));
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("ns-3");
    TCase *t = tcase_create("adapter");
    tcase_add_test(t, two_hosts_do_the_same_on_both_engines);
    tcase_add_test(t, a_dumbbell_is_as_fast_as_its_middle);
    tcase_add_test(t, leaves_and_spines_carry_all_pairs_by_both_spines);
    tcase_add_test(t, red_marks_what_is_capable_and_drops_what_is_not);
    tcase_add_loop_test(t, every_queue_disc_carries_a_connection, 0, 9);
    tcase_add_test(t, a_queue_of_ns3_has_the_room_that_the_link_says);
    tcase_add_test(t, an_error_model_takes_its_share_and_the_seed_decides_which);
    tcase_add_loop_test(t, what_ns3_does_not_know_fails_the_link, 0, 14);
    tcase_add_test(t, a_lossless_class_loses_nothing_over_ns3);
    tcase_add_test(t, a_link_that_goes_down_loses_what_ns3_has);
    tcase_add_test(t, a_run_may_end_while_ns3_has_frames);
    tcase_add_loop_test(t, frames_of_one_instant_come_in_the_order_of_ports, 0, 2);
    tcase_add_test(t, time_stands_where_the_laboratory_says);
    tcase_add_test(t, there_is_one_ns3_in_a_process_and_its_scheduler_must_exist);
    tcase_add_test(t, all_schedulers_give_the_same_run);
    suite_add_tcase(s, t);
    return s;
}

CHECK_MAIN(suite)
