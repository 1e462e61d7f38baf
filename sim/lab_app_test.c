/* Applications that measure, on hosts whose software costs time: latencies are the sum of what the costs say, to the nanosecond.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/lab_app.h"

#include "sim/lab_cpu.h"
#include "testing/check_main.h"

#include <string.h>

enum { SYSCALL = 101, WAKEUP = 1009, INTERRUPT = 503, PACKET = 307, DELAY = 1000, WIRE = 8 };

static const struct cpu_costs plain = {.syscall_ns = SYSCALL, .wakeup_ns = WAKEUP, .interrupt_ns = INTERRUPT, .tcp_packet_ns = PACKET,
                                       .tcp_segment_ns = 10};
static const struct cpu_costs copying = {.copy_rate = UINT64_C(1000000000)};

struct world {
    struct lab *lab;
    struct lab_host *client, *server;
    struct lab_socket *listener, *accepted[4];
    unsigned accepted_count;
};

static void accepted(void *user, struct lab_socket *listener, struct lab_socket *socket)
{
    struct world *w = user;
    (void)listener;
    lab_socket_set_ops(socket, NULL, NULL);
    w->accepted[w->accepted_count++] = socket;
}

static const struct lab_socket_ops listener_ops = {.accepted = accepted};

static struct lab_host *add(struct world *w, const char *name, const char *address, const struct cpu_costs *costs, bool smc)
{
    struct lab_host *host;
    struct lab_interface *interface;
    ck_assert_int_eq(lab_add_host(w->lab, &(struct lab_host_config){.name = name, .cpu = costs, .no_smc = !smc}, &host), 0);
    ck_assert_int_eq(lab_add_interface(host, &(struct lab_interface_config){.name = "eth0", .address = address}, &interface), 0);
    return host;
}

static void start(struct world *w, const struct cpu_costs *costs, bool smc)
{
    struct lab_link *link;
    memset(w, 0, sizeof(*w));
    ck_assert_int_eq(lab_new(&(struct lab_config){.seed = 7, .capture_hashed = true}, &w->lab), 0);
    w->client = add(w, "client", "10.0.0.1/24", costs, smc);
    w->server = add(w, "server", "10.0.0.2/24", costs, smc);
    const struct lab_link_config c = {.rate_bits = UINT64_C(1000000000000), .delay_ns = DELAY, .mtu = 9000};
    ck_assert_int_eq(lab_add_link(w->lab, "client.eth0", "server.eth0", &c, &link), 0);
    const struct lab_socket_config s = {.nodelay = true, .ops = &listener_ops, .user = w};
    ck_assert_int_eq(lab_listen(w->server, 5000, &s, &w->listener), 0);
}

static struct lab_socket *connect_one(struct world *w)
{
    struct lab_socket *s;
    unsigned before = w->accepted_count;
    ck_assert_int_eq(lab_connect(w->client, "server", 5000, &(struct lab_socket_config){.nodelay = true}, &s), 0);
    ck_assert_int_eq(lab_run_until(w->lab, sim_now(lab_sim(w->lab)) + 500 * SIM_MS), 0);
    ck_assert_uint_eq(w->accepted_count, before + 1);
    return s;
}

static void pass(struct world *w, uint64_t ns)
{
    ck_assert_int_eq(lab_run_until(w->lab, sim_now(lab_sim(w->lab)) + ns), 0);
}

static struct lab_app_state state_of(const struct lab_socket *s)
{
    struct lab_app_state state;
    lab_app_get(s, &state);
    return state;
}

static void begin_calls(struct lab_socket *c, struct lab_socket *s, uint64_t bytes, uint64_t count, unsigned depth)
{
    struct lab_app_plan plan = {.kind = LAB_APP_ANSWERER, .request_bytes = bytes, .response_bytes = bytes, .count = count, .depth = depth,
                                .pattern = 40};
    ck_assert_int_eq(lab_app_start(s, &plan), 0);
    plan.kind = LAB_APP_CALLER;
    ck_assert_int_eq(lab_app_start(c, &plan), 0);
}

START_TEST(a_call_takes_the_sum_of_what_it_costs)
{
    struct world w;
    start(&w, &plain, false);
    struct lab_socket *c = connect_one(&w);
    begin_calls(c, w.accepted[0], 1, 100, 1);
    pass(&w, 100 * SIM_MS);
    struct lab_app_state s = state_of(c);
    ck_assert(s.done && !s.wrong && !s.failed);
    ck_assert_uint_eq(s.calls, 100);
    uint64_t one_way = SYSCALL + PACKET + DELAY + INTERRUPT + PACKET + WAKEUP + SYSCALL;
    ck_assert_uint_ge(s.latency_min_ns, 2 * one_way);
    ck_assert_uint_le(s.latency_max_ns, 2 * one_way + WIRE);
    ck_assert_uint_eq(lab_app_quantile(c, 500000), s.latency_max_ns); /* within 1/32, and never more than the longest */
    lab_free(w.lab);
}
END_TEST

START_TEST(without_costs_a_call_takes_the_way_there_and_back)
{
    struct world w;
    start(&w, NULL, false);
    struct lab_socket *c = connect_one(&w);
    begin_calls(c, w.accepted[0], 1, 10, 1);
    pass(&w, 10 * SIM_MS);
    struct lab_app_state s = state_of(c);
    ck_assert(s.done);
    ck_assert_uint_ge(s.latency_min_ns, 2 * DELAY);
    ck_assert_uint_le(s.latency_max_ns, 2 * DELAY + WIRE);
    ck_assert_ptr_null(lab_host_cpu(w.client));
    lab_free(w.lab);
}
END_TEST

START_TEST(copies_are_paid_once_on_each_side_whatever_the_path)
{
    struct world w;
    start(&w, &copying, _i == 1);
    struct lab_socket *c = connect_one(&w);
    ck_assert_int_eq(lab_socket_mode(c), _i == 1 ? SMC_MODE_R : SMC_MODE_TCP);
    struct lab_app_plan plan = {.kind = LAB_APP_RECEIVER, .request_bytes = 1 << 20, .count = 3, .chunk = 10000, .pattern = 9};
    uint64_t before[2] = {lab_host_cpu(w.client)->spent_ns[CPU_COPY], lab_host_cpu(w.server)->spent_ns[CPU_COPY]};
    ck_assert_int_eq(lab_app_start(w.accepted[0], &plan), 0);
    plan.kind = LAB_APP_SENDER;
    ck_assert_int_eq(lab_app_start(c, &plan), 0);
    pass(&w, SIM_S);
    ck_assert(state_of(c).done && state_of(w.accepted[0]).done && !state_of(w.accepted[0]).wrong);
    ck_assert_uint_eq(state_of(w.accepted[0]).received, 3 << 20);
    /* A byte with which a full stack is asked for room is part of the stream and not paid. */
    ck_assert_uint_le(lab_host_cpu(w.client)->spent_ns[CPU_COPY] - before[0], 3 << 20);
    ck_assert_uint_ge(lab_host_cpu(w.client)->spent_ns[CPU_COPY] - before[0], (3 << 20) - 2000);
    ck_assert_uint_eq(lab_host_cpu(w.server)->spent_ns[CPU_COPY] - before[1], 3 << 20);
    lab_free(w.lab);
}
END_TEST

START_TEST(one_application_runs_at_a_time)
{
    struct world w;
    start(&w, &plain, false);
    struct lab_socket *c[3];
    for (unsigned i = 0; i < 3; i++)
        c[i] = connect_one(&w);
    uint64_t before = cpu_total_ns(lab_host_cpu(w.server)), begun = sim_now(lab_sim(w.lab)), finish = 0;
    for (unsigned i = 0; i < 3; i++)
        begin_calls(c[i], w.accepted[i], 10, 200, 1);
    pass(&w, SIM_S);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert(state_of(c[i]).done);
        finish = state_of(c[i]).end_ns > finish ? state_of(c[i]).end_ns : finish;
    }
    uint64_t busy = cpu_total_ns(lab_host_cpu(w.server)) - before;
    ck_assert_uint_ge(busy, 600 * (2 * SYSCALL + WAKEUP)); /* each call wakes its answerer once */
    ck_assert_uint_le(busy, finish - begun);               /* there is one processor */
    lab_free(w.lab);
}
END_TEST

START_TEST(more_calls_at_a_time_are_served_sooner_in_all)
{
    uint64_t took[2];
    for (unsigned i = 0; i < 2; i++) {
        struct world w;
        start(&w, &plain, true);
        struct lab_socket *c = connect_one(&w);
        begin_calls(c, w.accepted[0], 100, 500, i == 0 ? 1 : 8);
        pass(&w, SIM_S);
        ck_assert(state_of(c).done);
        took[i] = state_of(c).end_ns - state_of(c).begin_ns;
        lab_free(w.lab);
    }
    ck_assert_uint_lt(took[1] * 2, took[0]);
}
END_TEST

START_TEST(a_connection_that_ends_early_is_told)
{
    struct world w;
    start(&w, &plain, _i == 1);
    struct lab_socket *c = connect_one(&w);
    const struct lab_app_plan plan = {.kind = LAB_APP_RECEIVER, .request_bytes = 1000, .count = 1, .pattern = 1};
    ck_assert_int_eq(lab_app_start(c, &plan), 0);
    lab_close(w.accepted[0]);
    pass(&w, SIM_S);
    ck_assert(state_of(c).failed && !state_of(c).done);
    lab_free(w.lab);
}
END_TEST

START_TEST(a_wrong_byte_is_told)
{
    struct world w;
    start(&w, &plain, false);
    struct lab_socket *c = connect_one(&w);
    struct lab_app_plan plan = {.kind = LAB_APP_RECEIVER, .request_bytes = 1000, .count = 1, .pattern = 1};
    ck_assert_int_eq(lab_app_start(w.accepted[0], &plan), 0);
    plan.kind = LAB_APP_SENDER;
    plan.pattern = 2;
    ck_assert_int_eq(lab_app_start(c, &plan), 0);
    pass(&w, SIM_S);
    ck_assert(state_of(w.accepted[0]).wrong);
    lab_free(w.lab);
}
END_TEST

START_TEST(plans_that_cannot_be_are_refused)
{
    static const struct lab_app_plan bad[] = {
        {.kind = LAB_APP_CALLER, .response_bytes = 1, .count = 1},
        {.kind = LAB_APP_CALLER, .request_bytes = 1, .count = 1},
        {.kind = LAB_APP_CALLER, .request_bytes = 1, .response_bytes = 1},
        {.kind = LAB_APP_CALLER, .request_bytes = 1, .response_bytes = 1, .count = 1, .depth = LAB_APP_DEPTH_MAX + 1},
        {.kind = LAB_APP_SENDER, .request_bytes = LAB_APP_CALL_MAX + 1, .count = 1},
        {.kind = LAB_APP_SENDER, .request_bytes = 1, .count = 1, .chunk = LAB_APP_CHUNK_MAX + 1},
    };
    const struct lab_app_plan good = {.kind = LAB_APP_SENDER, .request_bytes = 1, .count = 1};
    struct world w;
    start(&w, &plain, false);
    struct lab_socket *c = connect_one(&w);
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_int_eq(lab_app_start(c, &bad[i]), SMC_ERR_ARGUMENT);
    ck_assert_int_eq(lab_app_start(c, &good), 0);
    ck_assert_int_eq(lab_app_start(c, &good), SMC_ERR_EXISTS);
    lab_app_stop(c);
    ck_assert_int_eq(lab_traffic_start(c, &(struct lab_traffic){.send_bytes = 1}), SMC_ERR_UNSUPPORTED);
    lab_free(w.lab);
}
END_TEST

START_TEST(same_seed_same_run)
{
    uint64_t digest[2][2];
    for (unsigned i = 0; i < 2; i++) {
        struct world w;
        start(&w, &plain, true);
        struct lab_socket *c = connect_one(&w);
        begin_calls(c, w.accepted[0], 5000, 100, 3);
        pass(&w, SIM_S);
        ck_assert(state_of(c).done);
        lab_digest(w.lab, digest[i]);
        lab_free(w.lab);
    }
    ck_assert_mem_eq(digest[0], digest[1], sizeof(digest[0]));
}
END_TEST

START_TEST(a_host_may_die_with_work_on_its_processor)
{
    struct world w;
    start(&w, &plain, true);
    struct lab_socket *c = connect_one(&w);
    begin_calls(c, w.accepted[0], 5000, 100000, 8);
    pass(&w, 100 * SIM_US);
    ck_assert_int_eq(lab_host_kill(w.server), 0);
    pass(&w, 10 * SIM_MS);
    ck_assert(!state_of(c).done);
    ck_assert_int_eq(lab_free(w.lab), 0); /* nothing is left behind */
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("lab app");
    TCase *c = tcase_create("app");
    tcase_add_test(c, a_call_takes_the_sum_of_what_it_costs);
    tcase_add_test(c, without_costs_a_call_takes_the_way_there_and_back);
    tcase_add_loop_test(c, copies_are_paid_once_on_each_side_whatever_the_path, 0, 2);
    tcase_add_test(c, one_application_runs_at_a_time);
    tcase_add_test(c, more_calls_at_a_time_are_served_sooner_in_all);
    tcase_add_loop_test(c, a_connection_that_ends_early_is_told, 0, 2);
    tcase_add_test(c, a_wrong_byte_is_told);
    tcase_add_test(c, plans_that_cannot_be_are_refused);
    tcase_add_test(c, same_seed_same_run);
    tcase_add_test(c, a_host_may_die_with_work_on_its_processor);
    suite_add_tcase(s, c);
    return s;
}

CHECK_MAIN(suite)
