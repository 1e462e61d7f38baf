/* Device Memory TCP in the laboratory: limits, wrong arguments, failing memory, and runs that end in the middle.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/lab_devmem.h"

#include "sim/engine.h"
#include "wire/field.h"

#include "testing/check_main.h"

#include <string.h>


enum { BYTES = 20000, BUFFER = 16 * DEVMEM_PAGE };

/* ---- memory that fails once ---- */
struct memory {
    struct smc_alloc alloc;
    unsigned calls, fail_at; /* this call fails; 0: none */
};

static void *get(void *user, size_t size)
{
    struct memory *m = user;
    return ++m->calls == m->fail_at ? NULL : malloc(size);
}

static void *grow(void *user, void *block, size_t old_size, size_t new_size)
{
    struct memory *m = user;
    (void)old_size;
    return ++m->calls == m->fail_at ? NULL : realloc(block, new_size);
}

static void put(void *user, void *block, size_t size)
{
    (void)user;
    (void)size;
    free(block);
}

/* ---- two hosts, plain TCP ---- */
struct world {
    struct memory memory;
    struct lab *lab;
    struct lab_host *client, *server;
    struct lab_interface *eth[2];
    struct lab_socket *c, *s, *listener;
    int buffer, netlink;
    int64_t id;
    uint8_t sent[BYTES];
};

static void on_accepted(void *user, struct lab_socket *listener, struct lab_socket *socket)
{
    struct world *w = user;
    (void)listener;
    w->s = socket;
}

static const struct lab_socket_ops ops = {.accepted = on_accepted};

static void world_new(struct world *w)
{
    const struct lab_host_config hosts[2] = {{.name = "client", .no_smc = true}, {.name = "server", .no_smc = true}};
    const struct lab_interface_config nics[2] = {{.name = "eth0", .address = "10.0.0.1/24", .no_roce = true},
                                                 {.name = "eth0", .address = "10.0.0.2/24", .no_roce = true}};
    struct lab_link *link;
    memset(w, 0, sizeof(*w));
    w->memory.alloc = (struct smc_alloc){get, grow, put, &w->memory};
    const struct lab_config config = {.alloc = &w->memory.alloc, .seed = 1};
    ck_assert_int_eq(lab_new(&config, &w->lab), 0);
    ck_assert_int_eq(lab_add_host(w->lab, &hosts[0], &w->client), 0);
    ck_assert_int_eq(lab_add_host(w->lab, &hosts[1], &w->server), 0);
    ck_assert_int_eq(lab_add_interface(w->client, &nics[0], &w->eth[0]), 0);
    ck_assert_int_eq(lab_add_interface(w->server, &nics[1], &w->eth[1]), 0);
    ck_assert_int_eq(lab_add_link(w->lab, "client.eth0", "server.eth0", &(struct lab_link_config){.mtu = 1500}, &link), 0);
    lab_pattern(3, 0, w->sent, BYTES);
}

/* Nothing may be left: lab_free() counts. */
static void world_free(struct world *w)
{
    ck_assert_int_eq(lab_free(w->lab), 0);
}

/* NIC, buffer, binding of queue 1, rule for port 5000: 0, or the first error. */
static int64_t equip(struct world *w)
{
    static const struct devmem_queue_id queue = {DEVMEM_QUEUE_RX, 1};
    const struct devmem_nic_config config = {.queues = 2};
    const struct devmem_rule rule = {.dport = 5000, .queue = 1};
    int error = lab_devmem_nic_new(w->eth[1], &config);
    if (error != 0)
        return error;
    ck_assert_int_eq(devmem_nic_add_rule(lab_devmem_nic(w->eth[1]), &rule), 0);
    w->buffer = lab_devmem_buffer_new(w->server, BUFFER);
    if (w->buffer < 0)
        return w->buffer;
    w->netlink = lab_devmem_netlink_open(w->server, true);
    if (w->netlink < 0)
        return w->netlink;
    const struct lab_devmem_bind bind = {w->netlink, w->buffer, w->eth[1], &queue, 1};
    w->id = lab_devmem_bind(w->server, &bind);
    return w->id < 0 ? w->id : 0;
}

static void run(struct world *w, uint64_t for_ns)
{
    ck_assert_int_eq(lab_run_until(w->lab, sim_now(lab_sim(w->lab)) + for_ns), 0);
}

static bool open_connection(struct world *w)
{
    const struct lab_socket_config config = {.ops = &ops, .user = w};
    if (lab_listen(w->server, 5000, &config, &w->listener) != 0 || lab_connect(w->client, "server", 5000, NULL, &w->c) != 0)
        return false;
    run(w, 4 * SIM_S);
    return w->s != NULL && lab_socket_mode(w->c) == SMC_MODE_TCP;
}

/* What is there; appended to `got`, fragments given back if `back`. */
static int64_t take(struct world *w, uint8_t *got, size_t *at, bool back)
{
    uint8_t control[16 * TCP_CMSG_SPACE], host[BYTES], entry[8];
    const struct tcp_devmem_iov iov = {host, sizeof(host)};
    struct tcp_devmem_message m = {.iov = &iov, .iov_count = 1, .control = control, .control_length = sizeof(control)};
    struct tcp_devmem_cmsg c;
    size_t next = 0;
    int64_t n = lab_devmem_recv(w->s, &m, TCP_MSG_SOCK_DEVMEM);
    while (n > 0 && tcp_devmem_next_cmsg(control, m.control_length, &next, &c)) {
        ck_assert_uint_eq(c.type, TCP_SCM_DEVMEM_DMABUF);
        ck_assert_uint_le(c.frag_size, BYTES - *at);
        ck_assert_int_eq(lab_devmem_read(w->server, w->buffer, c.frag_offset, got + *at, c.frag_size), 0);
        *at += c.frag_size;
        smc_store_le(entry, 4, c.frag_token);
        smc_store_le(entry + 4, 4, 1);
        if (back)
            ck_assert_int_eq(lab_devmem_dontneed(w->s, entry, 8), 1);
    }
    return n;
}

/* The whole stream; a call that memory failed is made again. */
static void transfer(struct world *w)
{
    static uint8_t got[BYTES];
    size_t sent = 0, at = 0;
    for (int i = 0; i < 200 && at < BYTES; i++) {
        int64_t n = sent < BYTES ? lab_send(w->c, w->sent + sent, BYTES - sent, 0) : 0;
        sent += n > 0 ? (size_t)n : 0;
        run(w, SIM_S);
        while ((n = take(w, got, &at, true)) > 0)
            ;
        ck_assert(n == DEVMEM_EAGAIN || n == DEVMEM_ENOMEM);
    }
    ck_assert_uint_eq(at, BYTES);
    ck_assert_mem_eq(got, w->sent, BYTES);
}

START_TEST(bytes_go_to_device_memory_and_everything_comes_back)
{
    struct world w;
    world_new(&w);
    ck_assert_int_eq(equip(&w), 0);
    ck_assert(open_connection(&w));
    transfer(&w);
    struct devmem_binding_info info = devmem_binding(lab_host_devmem(w.server), (uint32_t)w.id);
    ck_assert_uint_eq(info.available, info.chunks);
    ck_assert_uint_gt(devmem_nic_queue(lab_devmem_nic(w.eth[1]), 1).split, BYTES / 1460);
    struct lab_devmem_tap tap = lab_devmem_tap(w.server);
    ck_assert_uint_ge(tap.bytes - tap.readable, BYTES);
    world_free(&w);
}
END_TEST

/* Each allocation from the first call of ours on fails once: an error is told or the work is done later, and nothing leaks. */
START_TEST(any_allocation_may_fail)
{
    unsigned refused = 0, last = 0;
    for (unsigned n = 1; last == 0 || n <= last; n++) {
        struct world w;
        world_new(&w);
        unsigned before = w.memory.calls;
        w.memory.fail_at = before + n;
        int64_t error = equip(&w);
        ck_assert(error == 0 || error == DEVMEM_ENOMEM);
        refused += error != 0;
        if (error == 0 && open_connection(&w))
            transfer(&w);
        else if (lab_devmem_nic(w.eth[1]) != NULL && error != 0)
            ck_assert_uint_eq(devmem_nic_queue(lab_devmem_nic(w.eth[1]), 1).dmabuf_id, 0);
        if (w.memory.calls < w.memory.fail_at)
            last = n; /* this one failed nothing: all are through */
        world_free(&w);
        if (last != 0)
            break;
    }
    ck_assert_uint_gt(refused, 8);
    ck_assert_uint_gt(last, refused + 20);
}
END_TEST

START_TEST(a_run_may_end_with_everything_open)
{
    for (int how = 0; how < 5; how++) {
        struct world w;
        uint8_t got[BYTES];
        size_t at = 0;
        world_new(&w);
        ck_assert_int_eq(equip(&w), 0);
        ck_assert(open_connection(&w));
        ck_assert_int_gt(lab_send(w.c, w.sent, BYTES, 0), 0);
        run(&w, SIM_S);
        ck_assert_int_gt(take(&w, got, &at, false), 0);
        ck_assert_uint_gt(lab_devmem_info(w.s).tokens, 0);
        if (how == 1)
            ck_assert_int_eq(lab_host_kill(w.server), 0);
        if (how == 2)
            ck_assert_int_eq(lab_devmem_unregister(w.eth[1]), 0);
        if (how == 3)
            ck_assert_int_eq(lab_devmem_netlink_close(w.server, w.netlink), 0);
        if (how == 4)
            ck_assert_int_eq(lab_devmem_close_fd(w.server, w.buffer), 0);
        run(&w, SIM_S);
        world_free(&w);
    }
}
END_TEST

START_TEST(what_is_not_there_is_an_error)
{
    struct world w;
    uint8_t byte[8] = {0};
    uint32_t queue;
    static const struct devmem_queue_id one = {DEVMEM_QUEUE_RX, 1};
    world_new(&w);
    ck_assert_ptr_null(lab_devmem_note(w.client, 0, &queue));
    ck_assert_uint_eq(lab_devmem_tap(w.client).packets, 0);
    ck_assert_int_eq(lab_devmem_unregister(w.eth[0]), DEVMEM_ENODEV);
    ck_assert_int_eq(lab_devmem_netlink_close(w.client, 1), DEVMEM_EBADF);
    ck_assert_int_eq(lab_devmem_read(w.client, 1, 0, byte, 1), DEVMEM_EBADF);
    ck_assert_int_eq(lab_devmem_close_fd(w.client, 1), DEVMEM_EBADF);
    ck_assert_int_eq(equip(&w), 0);
    ck_assert_int_eq(lab_devmem_nic_new(w.eth[1], &(struct devmem_nic_config){.queues = 1}), DEVMEM_EEXIST);
    ck_assert_int_eq(lab_devmem_nic_new(w.eth[0], &(struct devmem_nic_config){.queues = 0}), DEVMEM_EINVAL);
    ck_assert_int_eq(lab_devmem_read(w.server, w.buffer, BUFFER - 1, byte, 2), DEVMEM_ERANGE);
    ck_assert_int_eq(lab_devmem_read(w.server, 0, 0, byte, 1), DEVMEM_EBADF);
    ck_assert_int_eq(lab_devmem_read(w.server, LAB_DEVMEM_BUFFERS + 1, 0, byte, 1), DEVMEM_EBADF);
    ck_assert_int_eq(lab_devmem_netlink_close(w.server, LAB_DEVMEM_NETLINKS + 1), DEVMEM_EBADF);
    ck_assert_int_eq(lab_devmem_bind(w.server, &(struct lab_devmem_bind){7, w.buffer, w.eth[1], &one, 1}), DEVMEM_EBADF);
    ck_assert_int_eq(lab_devmem_bind(w.server, &(struct lab_devmem_bind){w.netlink, w.buffer, w.eth[0], &one, 1}), DEVMEM_ENODEV);
    ck_assert_int_eq(lab_devmem_close_fd(w.server, w.buffer), 0);
    ck_assert_int_eq(lab_devmem_close_fd(w.server, w.buffer), DEVMEM_EBADF);
    ck_assert_int_eq(lab_devmem_read(w.server, w.buffer, BUFFER - 1, byte, 1), 0);
    ck_assert(open_connection(&w));
    ck_assert_int_eq(lab_devmem_dontneed(w.listener, byte, 8), DEVMEM_EBADF);
    lab_close(w.s);
    struct tcp_devmem_message m = {.iov_count = 0};
    ck_assert_int_eq(lab_devmem_recv(w.s, &m, TCP_MSG_SOCK_DEVMEM), DEVMEM_EBADF);
    ck_assert_uint_eq(lab_devmem_info(w.s).tokens, 0);
    world_free(&w);
}
END_TEST

START_TEST(tables_are_full_at_their_limits)
{
    struct world w;
    world_new(&w);
    ck_assert_int_eq(lab_devmem_buffer_new(w.server, 0), DEVMEM_EINVAL);
    ck_assert_int_eq(lab_devmem_buffer_new(w.server, DEVMEM_PAGE + 1), DEVMEM_EINVAL);
    ck_assert_int_eq(lab_devmem_buffer_new(w.server, UINT64_C(1) << 40), DEVMEM_EINVAL);
    for (int i = 1; i <= LAB_DEVMEM_BUFFERS; i++)
        ck_assert_int_eq(lab_devmem_buffer_new(w.server, DEVMEM_PAGE), i);
    ck_assert_int_eq(lab_devmem_buffer_new(w.server, DEVMEM_PAGE), DEVMEM_ENOSPC);
    for (int i = 1; i <= LAB_DEVMEM_NETLINKS; i++)
        ck_assert_int_eq(lab_devmem_netlink_open(w.server, false), i);
    ck_assert_int_eq(lab_devmem_netlink_open(w.server, false), DEVMEM_ENOSPC);
    ck_assert_int_eq(lab_devmem_netlink_close(w.server, 5), 0);
    ck_assert_int_eq(lab_devmem_netlink_open(w.server, true), 5);
    for (int i = 0; i < LAB_DEVMEM_FAULTS; i++)
        ck_assert_int_eq(lab_devmem_fault(w.server, DEVMEM_STEP_ALLOC, 1, 0, 1), 0);
    ck_assert_int_eq(lab_devmem_fault(w.server, DEVMEM_STEP_ALLOC, 1, 0, 1), DEVMEM_ENOSPC);
    world_free(&w);
}
END_TEST

/* [DEVMEM-014] */
START_TEST(faults_strike_where_and_as_often_as_they_say)
{
    struct world w;
    uint32_t queue;
    world_new(&w);
    ck_assert_int_eq(equip(&w), 0);
    struct devmem_nic *nic = lab_devmem_nic(w.eth[1]);
    ck_assert_int_eq(lab_devmem_fault(w.server, DEVMEM_STEP_STOP, 1, 1, 2), 0);
    const int expected[] = {0, DEVMEM_EIO, DEVMEM_EIO, 0};
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(devmem_queue_restart(nic, 1), expected[i]);
        ck_assert_int_eq(devmem_queue_restart(nic, 0), 0);
    }
    ck_assert_int_eq(lab_devmem_fault(w.server, DEVMEM_STEP_START, DEVMEM_NO_QUEUE, 0, 1), 0);
    ck_assert_int_eq(lab_devmem_fault(w.server, DEVMEM_STEP_RESTORE, DEVMEM_NO_QUEUE, 0, 1), 0);
    ck_assert_int_eq(devmem_queue_restart(nic, 0), DEVMEM_EIO);
    ck_assert_ptr_nonnull(lab_devmem_note(w.server, 0, &queue));
    ck_assert_uint_eq(queue, 0);
    ck_assert_ptr_null(lab_devmem_note(w.server, 1, &queue));
    world_free(&w);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("lab_devmem");
    TCase *tc = tcase_create("all");
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, bytes_go_to_device_memory_and_everything_comes_back);
    tcase_add_test(tc, any_allocation_may_fail);
    tcase_add_test(tc, a_run_may_end_with_everything_open);
    tcase_add_test(tc, what_is_not_there_is_an_error);
    tcase_add_test(tc, tables_are_full_at_their_limits);
    tcase_add_test(tc, faults_strike_where_and_as_often_as_they_say);
    suite_add_tcase(suite, tc);
    return suite;
}

CHECK_MAIN(make_suite)
