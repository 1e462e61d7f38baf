/* Tests of Device Memory TCP as an application sees it: cmsgs, tokens, limits, and what happens when things go away.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/tcp_devmem_test.h"

struct scene {
    struct dev *dev;
    struct app client, server;
    struct reader *reader;
};

/* Client sends `bytes`, nobody reads. */
static struct scene *scene_new(const struct devmem_nic_config *config, size_t pages, bool bound, size_t bytes)
{
    static const struct devmem_nic_config plain = {.ifindex = IFINDEX, .queues = QUEUES};
    struct scene *s = calloc(1, sizeof(*s));
    s->dev = dev_new_with(config != NULL ? config : &plain, pages);
    s->reader = reader_new(s->dev);
    s->server.no_read = true;
    if (bound)
        ck_assert_int_ge(dev_bind(s->dev), 1);
    app_fill(&s->client, bytes, 7);
    pair_open(s->dev->pair, &s->client, &s->server);
    pair_run(s->dev->pair, 2 * SECOND);
    return s;
}

static void scene_free(struct scene *s)
{
    app_free(&s->client);
    app_free(&s->server);
    reader_free(s->reader);
    dev_free(s->dev);
    free(s);
}

static void check_stream(const struct scene *s, size_t length)
{
    ck_assert_uint_eq(s->reader->in_length, length);
    ck_assert_mem_eq(s->reader->in, s->client.out, length);
}

static int64_t dontneed(struct scene *s, uint32_t start, uint32_t count)
{
    uint8_t bytes[8];
    smc_store_le(bytes, 4, start);
    smc_store_le(bytes + 4, 4, count);
    return tcp_devmem_setsockopt(s->server.conn, TCP_SOL_SOCKET, TCP_SO_DEVMEM_DONTNEED, bytes, 8);
}

/* [DEVMEM-002, DEVMEM-021] */
START_TEST(split_payload_is_announced_and_is_where_the_cmsg_says)
{
    struct scene *s = scene_new(NULL, 64, true, 30000);
    ck_assert_int_eq(reader_drain(s->reader, s->server.conn), DEVMEM_EAGAIN);
    check_stream(s, 30000);
    ck_assert_uint_eq(s->reader->dmabuf, 30000);
    ck_assert_uint_eq(s->reader->linear + s->reader->plain, 0);
    ck_assert_uint_eq(tcp_devmem_info(s->server.conn).tokens, s->reader->fragments);
    ck_assert_uint_eq(tcp_devmem_info(s->server.conn).fragments, 0);
    scene_free(s);
}
END_TEST

START_TEST(a_cmsg_has_the_bytes_of_the_specification)
{
    static const uint8_t expected[40] = {40, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 79, 0, 0, 0, /* header */
                                         0, 0, 0, 0, 0, 0, 0, 0, 0xe8, 3, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0};
    struct scene *s = scene_new(NULL, 64, true, 1000);
    uint8_t control[40], host[2000];
    const struct tcp_devmem_iov iov = {host, sizeof(host)};
    struct tcp_devmem_message m = {&iov, 1, control, sizeof(control), 99};
    ck_assert_int_eq(tcp_devmem_recv(s->server.conn, &m, TCP_MSG_SOCK_DEVMEM | TCP_MSG_DONTWAIT), 1000);
    ck_assert_mem_eq(control, expected, 40);
    ck_assert_uint_eq(m.control_length, 40);
    ck_assert_uint_eq(m.flags, 0);
    scene_free(s);
}
END_TEST

/* [DEVMEM-001] */
START_TEST(without_the_flag_device_memory_is_a_fault_and_stays)
{
    struct scene *s = scene_new(NULL, 64, true, 5000);
    uint8_t bytes[100];
    ck_assert_int_eq(reader_read(s->reader, s->server.conn, 0), DEVMEM_EFAULT);
    ck_assert_int_eq(reader_read(s->reader, s->server.conn, TCP_MSG_DONTWAIT), DEVMEM_EFAULT);
    ck_assert_int_eq(reader_read(s->reader, s->server.conn, TCP_MSG_SOCK_DEVMEM | TCP_MSG_PEEK), DEVMEM_EINVAL);
    ck_assert_int_eq(reader_read(s->reader, s->server.conn, TCP_MSG_PEEK), DEVMEM_EINVAL);
    ck_assert_int_eq(tcp_read(s->server.conn, bytes, 100), SMC_ERR_PERMISSION);
    ck_assert_int_eq(tcp_peek(s->server.conn, bytes, 100), SMC_ERR_PERMISSION);
    ck_assert_uint_eq(tcp_devmem_info(s->server.conn).tokens, 0);
    reader_drain(s->reader, s->server.conn);
    check_stream(s, 5000);
    scene_free(s);
}
END_TEST

/* [DEVMEM-003] */
START_TEST(bytes_that_were_not_split_are_copied_and_announced)
{
    const struct devmem_nic_config config = {.ifindex = IFINDEX, .queues = QUEUES, .split_above = 1459};
    struct scene *s = scene_new(&config, 64, true, 2500); /* 1,460 split, 1,040 whole */
    reader_drain(s->reader, s->server.conn);
    check_stream(s, 2500);
    ck_assert_uint_eq(s->reader->dmabuf, 1460);
    ck_assert_uint_eq(s->reader->linear, 1040);
    ck_assert_uint_eq(s->reader->ntokens, 1);
    scene_free(s);
    const struct devmem_nic_config late = {.ifindex = IFINDEX, .queues = QUEUES, .split_late = 100};
    s = scene_new(&late, 64, true, 2500);
    ck_assert_int_eq(reader_read(s->reader, s->server.conn, 0), DEVMEM_EFAULT); /* the packet is unreadable, all of it */
    s->reader->iov_room = 700;
    reader_drain(s->reader, s->server.conn);
    check_stream(s, 2500);
    ck_assert_uint_eq(s->reader->linear, 200);
    scene_free(s);
}
END_TEST

START_TEST(unsplit_packets_of_a_bound_queue_can_be_read_without_the_flag)
{
    const struct devmem_nic_config config = {.ifindex = IFINDEX, .queues = QUEUES, .split_above = 1460};
    struct scene *s = scene_new(&config, 64, true, 4000);
    s->reader->iov_room = 999;
    while (reader_read(s->reader, s->server.conn, 0) > 0)
        ;
    check_stream(s, 4000);
    ck_assert_uint_eq(s->reader->plain, 4000);
    ck_assert_uint_eq(tcp_devmem_info(s->server.conn).fragments, 0);
    scene_free(s);
}
END_TEST

/* [DEVMEM-004] */
START_TEST(data_of_an_unbound_queue_has_no_cmsg)
{
    struct scene *s = scene_new(NULL, 64, false, 30000);
    reader_drain(s->reader, s->server.conn);
    check_stream(s, 30000);
    ck_assert_uint_eq(s->reader->plain, 30000);
    scene_free(s);
}
END_TEST

START_TEST(one_answer_is_either_ordinary_or_of_a_bound_queue)
{
    struct scene *s = scene_new(NULL, 64, false, 3000);
    struct reader *r = s->reader;
    ck_assert_int_ge(dev_bind(s->dev), 1);
    free(s->client.out);
    app_fill(&s->client, 6000, 7); /* the same 3,000 and as many more */
    app_push(&s->client);
    pair_run(s->dev->pair, SECOND);
    devmem_netlink_close(s->dev->netlink);
    ck_assert_int_eq(devmem_netlink_open(s->dev->host, true, &s->dev->netlink), 0);
    size_t middle = s->client.out_length;
    s->client.out = realloc(s->client.out, 8000);
    memset(s->client.out + middle, 'x', 8000 - middle);
    s->client.out_length = 8000;
    app_push(&s->client);
    pair_run(s->dev->pair, SECOND);
    ck_assert_int_eq(reader_read(r, s->server.conn, TCP_MSG_SOCK_DEVMEM), 3000);
    ck_assert_uint_eq(r->plain, 3000);
    ck_assert_int_eq(reader_read(r, s->server.conn, TCP_MSG_SOCK_DEVMEM), 3000);
    ck_assert_uint_eq(r->dmabuf, 3000);
    ck_assert_int_eq(reader_read(r, s->server.conn, TCP_MSG_SOCK_DEVMEM), 2000);
    ck_assert_uint_eq(r->plain, 5000);
    check_stream(s, 8000);
    scene_free(s);
}
END_TEST

START_TEST(no_token_is_lost_when_the_control_buffer_ends)
{
    struct scene *s = scene_new(NULL, 64, true, 10000);
    struct tcp_conn *conn = s->server.conn;
    uint8_t control[200], host[20000];
    const struct tcp_devmem_iov iov = {host, sizeof(host)};
    for (size_t room = 0; room <= 39; room += 13) {
        struct tcp_devmem_message m = {&iov, 1, control, room, 0};
        ck_assert_int_eq(tcp_devmem_recv(conn, &m, TCP_MSG_SOCK_DEVMEM), DEVMEM_ETOOSMALL);
        ck_assert_uint_eq(m.flags, TCP_MSG_CTRUNC);
        ck_assert_uint_eq(m.control_length, 0);
        ck_assert_uint_eq(tcp_devmem_info(conn).tokens, 0);
    }
    struct tcp_devmem_message none = {&iov, 1, NULL, 400, 0};
    ck_assert_int_eq(tcp_devmem_recv(conn, &none, TCP_MSG_SOCK_DEVMEM), DEVMEM_ETOOSMALL);
    struct tcp_devmem_message m = {&iov, 1, control, 119, 0};
    ck_assert_int_eq(tcp_devmem_recv(conn, &m, TCP_MSG_SOCK_DEVMEM), 2920);
    ck_assert_uint_eq(m.flags, TCP_MSG_CTRUNC);
    ck_assert_uint_eq(m.control_length, 80);
    ck_assert_uint_eq(tcp_devmem_info(conn).tokens, 2);
    reader_take(s->reader, control, 80, 2920);
    s->reader->cmsgs = 1;
    reader_drain(s->reader, conn);
    check_stream(s, 10000);
    scene_free(s);
}
END_TEST

START_TEST(a_fragment_can_be_read_in_parts)
{
    struct scene *s = scene_new(NULL, 64, true, 3000);
    s->reader->iov_room = 600;
    reader_drain(s->reader, s->server.conn);
    check_stream(s, 3000);
    ck_assert_uint_eq(s->reader->fragments, 7); /* 600 600 260+340 600 520+80 … */
    struct devmem_binding_info info = devmem_binding(s->dev->host, s->dev->id);
    ck_assert_uint_eq(info.chunks - info.available, 3);
    while (s->reader->ntokens > 1)
        reader_return(s->reader, s->server.conn, 0, 1);
    info = devmem_binding(s->dev->host, s->dev->id);
    ck_assert_uint_eq(info.chunks - info.available, 1); /* held by its last part */
    scene_free(s);
}
END_TEST

START_TEST(odd_messages_are_refused_without_loss)
{
    const struct devmem_nic_config config = {.ifindex = IFINDEX, .queues = QUEUES, .split_above = 2000};
    struct scene *s = scene_new(&config, 64, true, 1000);
    uint8_t control[400], host[10];
    const struct tcp_devmem_iov bad = {NULL, 500}, half[3] = {{host, 10}, {host, 0}, {NULL, 10}}, empty = {host, 0};
    struct tcp_devmem_message m = {&bad, 1, control, 400, 0};
    ck_assert_int_eq(tcp_devmem_recv(s->server.conn, &m, TCP_MSG_SOCK_DEVMEM), DEVMEM_EFAULT);
    m = (struct tcp_devmem_message){half, 3, control, 400, 0};
    ck_assert_int_eq(tcp_devmem_recv(s->server.conn, &m, TCP_MSG_SOCK_DEVMEM), DEVMEM_EFAULT);
    m = (struct tcp_devmem_message){NULL, 1, control, 400, 0};
    ck_assert_int_eq(tcp_devmem_recv(s->server.conn, &m, TCP_MSG_SOCK_DEVMEM), DEVMEM_EFAULT);
    m = (struct tcp_devmem_message){&empty, 1, control, 400, 0};
    ck_assert_int_eq(tcp_devmem_recv(s->server.conn, &m, TCP_MSG_SOCK_DEVMEM), 0);
    m = (struct tcp_devmem_message){NULL, 0, control, 400, 0};
    ck_assert_int_eq(tcp_devmem_recv(s->server.conn, &m, TCP_MSG_SOCK_DEVMEM), 0);
    size_t at = 0;
    struct tcp_devmem_cmsg c;
    memset(control, 0xff, 400);
    ck_assert(!tcp_devmem_next_cmsg(control, 400, &at, &c));
    ck_assert(!tcp_devmem_next_cmsg(control, 39, &at, &c));
    reader_drain(s->reader, s->server.conn);
    check_stream(s, 1000);
    scene_free(s);
}
END_TEST

/* ---- DONTNEED ---- */

/* [DEVMEM-006] */
START_TEST(dontneed_takes_128_whole_entries_of_a_tcp_socket)
{
    struct scene *s = scene_new(NULL, 64, true, 4000);
    uint8_t bytes[129 * 8];
    for (unsigned i = 0; i < 129; i++) {
        smc_store_le(bytes + 8 * i, 4, i + 1);
        smc_store_le(bytes + 8 * i + 4, 4, 1);
    }
    reader_drain(s->reader, s->server.conn);
    struct tcp_conn *conn = s->server.conn;
    enum { L = TCP_SOL_SOCKET, O = TCP_SO_DEVMEM_DONTNEED };
    ck_assert_int_eq(tcp_devmem_setsockopt(conn, L, O, bytes, 129 * 8), DEVMEM_EINVAL);
    ck_assert_int_eq(tcp_devmem_setsockopt(conn, L, O, bytes, 7), DEVMEM_EINVAL);
    ck_assert_int_eq(tcp_devmem_setsockopt(conn, L, O, bytes, 12), DEVMEM_EINVAL);
    ck_assert_int_eq(tcp_devmem_setsockopt(conn, L, O, NULL, 8), DEVMEM_EFAULT);
    ck_assert_int_eq(tcp_devmem_setsockopt(NULL, L, O, bytes, 7), DEVMEM_EBADF);
    ck_assert_int_eq(tcp_devmem_setsockopt(conn, L, O + 1, bytes, 8), DEVMEM_ENOPROTOOPT);
    ck_assert_int_eq(tcp_devmem_setsockopt(conn, 6, O, bytes, 8), DEVMEM_ENOPROTOOPT);
    ck_assert_uint_eq(tcp_devmem_info(conn).tokens, 3);
    ck_assert_int_eq(tcp_devmem_setsockopt(conn, L, O, bytes, 0), 0);
    ck_assert_int_eq(tcp_devmem_setsockopt(conn, L, O, bytes, 128 * 8), 3);
    ck_assert_uint_eq(tcp_devmem_info(conn).tokens, 0);
    scene_free(s);
}
END_TEST

/* [DEVMEM-008] */
START_TEST(a_token_is_given_back_once)
{
    struct scene *s = scene_new(NULL, 64, true, 5000);
    ck_assert_int_eq(dontneed(s, 1, 1), 0); /* not issued yet */
    reader_drain(s->reader, s->server.conn);
    ck_assert_int_eq(dontneed(s, 0, 2), 1); /* token 0 never is */
    ck_assert_int_eq(dontneed(s, 1, 1), 0);
    ck_assert_int_eq(dontneed(s, 3, 100), 2);
    ck_assert_int_eq(dontneed(s, UINT32_MAX, 3), 0);
    ck_assert_int_eq(dontneed(s, 1, 0), 0);
    ck_assert_int_eq(dontneed(s, 2, 1), 1);
    ck_assert_uint_eq(tcp_devmem_info(s->server.conn).tokens, 0);
    s->reader->ntokens = 0;
    ck_assert_int_eq(tcp_send(s->client.conn, "more", 4), 4);
    pair_run(s->dev->pair, SECOND);
    reader_drain(s->reader, s->server.conn);
    ck_assert_uint_eq(s->reader->tokens[0], 1); /* the lowest that is free */
    ck_assert_int_eq(dontneed(s, 1, 1), 1);
    struct devmem_binding_info info = devmem_binding(s->dev->host, s->dev->id);
    ck_assert_uint_eq(info.available, info.chunks);
    scene_free(s);
}
END_TEST

/* [DEVMEM-007] */
START_TEST(at_most_1024_go_back_in_a_call)
{
    struct scene *s = scene_new(NULL, 64, true, 40000);
    s->reader->iov_room = 30; /* 1,334 parts and more */
    reader_drain(s->reader, s->server.conn);
    uint32_t tokens = tcp_devmem_info(s->server.conn).tokens;
    ck_assert_uint_gt(tokens, 1025);
    ck_assert_int_eq(dontneed(s, 1, 1025), 1024);
    ck_assert_uint_eq(tcp_devmem_info(s->server.conn).tokens, tokens - 1024);
    ck_assert_int_eq(dontneed(s, 1, UINT32_MAX), 0); /* 1,024 names are used up, and it ends */
    ck_assert_int_eq(dontneed(s, 1025, UINT32_MAX), (int64_t)tokens - 1024);
    ck_assert_uint_eq(tcp_devmem_info(s->server.conn).tokens, 0);
    scene_free(s);
}
END_TEST

/* [DEVMEM-005, DEVMEM-017] */
START_TEST(a_starved_queue_drops_and_goes_on_after_dontneed)
{
    struct scene *s = scene_new(NULL, 8, true, 60000);
    struct reader *r = s->reader;
    reader_drain(r, s->server.conn);
    ck_assert_uint_eq(r->ntokens, 8);
    ck_assert_uint_gt(devmem_nic_queue(s->dev->nic, BOUND).no_memory, 0);
    ck_assert_int_eq(reader_drain(r, s->server.conn), DEVMEM_EAGAIN);
    struct reader *again = reader_new(s->dev);
    uint8_t bytes[DEVMEM_PAGE];
    for (unsigned i = 0; i < 8; i++) { /* held fragments keep their content */
        ck_assert_int_eq(devmem_buffer_read(s->dev->buffer, i * DEVMEM_PAGE, bytes, 1460), 0);
        reader_put(again, bytes, 1460);
    }
    ck_assert_mem_eq(again->in, s->client.out, 8 * 1460);
    reader_free(again);
    r->keep = 2;
    reader_return(r, s->server.conn, 0, 8);
    for (int i = 0; i < 400 && r->in_length < 60000; i++) {
        pair_run(s->dev->pair, SECOND);
        reader_drain(r, s->server.conn);
    }
    check_stream(s, 60000);
    scene_free(s);
}
END_TEST

/* [DEVMEM-010] */
START_TEST(closing_the_data_socket_frees_tokens_and_unread_fragments)
{
    for (int how = 0; how < 3; how++) {
        struct scene *s = scene_new(NULL, 64, true, 30000);
        s->reader->iov_room = 9000;
        reader_read(s->reader, s->server.conn, TCP_MSG_SOCK_DEVMEM);
        ck_assert_uint_gt(tcp_devmem_info(s->server.conn).tokens, 3);
        ck_assert_uint_gt(tcp_devmem_info(s->server.conn).fragments, 3);
        if (how == 0)
            tcp_close(s->server.conn);
        else if (how == 1)
            tcp_abort(s->server.conn);
        else {
            tcp_abort(s->client.conn); /* reset from the peer: what was received stays readable */
            pair_run(s->dev->pair, SECOND);
            reader_drain(s->reader, s->server.conn);
            check_stream(s, 30000);
            ck_assert_int_eq(reader_read(s->reader, s->server.conn, TCP_MSG_SOCK_DEVMEM), DEVMEM_ECONNRESET);
            tcp_close(s->server.conn);
        }
        struct devmem_binding_info info = devmem_binding(s->dev->host, s->dev->id);
        ck_assert_uint_eq(info.available, info.chunks);
        scene_free(s);
    }
}
END_TEST

START_TEST(the_end_of_the_stream_is_zero)
{
    struct scene *s = scene_new(NULL, 64, true, 3000);
    tcp_shutdown_write(s->client.conn);
    pair_run(s->dev->pair, SECOND);
    ck_assert_int_eq(reader_drain(s->reader, s->server.conn), 0);
    check_stream(s, 3000);
    scene_free(s);
}
END_TEST

/* ---- things go away ---- */

/* [DEVMEM-009, DEVMEM-019, DEVMEM-020] */
START_TEST(the_netlink_socket_is_closed_in_the_middle_of_traffic)
{
    struct scene *s = scene_new(NULL, 64, true, 400000);
    struct reader *r = s->reader;
    pair_run(s->dev->pair, 10 * MS);
    s->reader->iov_room = 20000;
    reader_read(r, s->server.conn, TCP_MSG_SOCK_DEVMEM); /* holds tokens, leaves unread fragments */
    devmem_netlink_close(s->dev->netlink);
    ck_assert(devmem_binding(s->dev->host, s->dev->id).known);
    for (int i = 0; i < 100 && r->in_length < 400000; i++) {
        reader_drain(r, s->server.conn);
        pair_run(s->dev->pair, 100 * MS);
    }
    check_stream(s, 400000);
    ck_assert(r->dmabuf > 20000 && r->plain > 100000 && r->linear == 0);
    ck_assert(devmem_binding(s->dev->host, s->dev->id).known);
    while (r->ntokens > 1)
        reader_return(r, s->server.conn, 0, 1);
    ck_assert(devmem_binding(s->dev->host, s->dev->id).known);
    ck_assert_uint_eq(s->dev->trap.attached, 1);
    reader_return(r, s->server.conn, 0, 1);
    ck_assert(!devmem_binding(s->dev->host, s->dev->id).known);
    ck_assert_uint_eq(s->dev->trap.attached, 0);
    scene_free(s);
}
END_TEST

START_TEST(the_device_goes_and_what_was_received_can_be_read)
{
    struct scene *s = scene_new(NULL, 64, true, 20000);
    devmem_nic_unregister(s->dev->nic);
    s->dev->nic = NULL;
    reader_drain(s->reader, s->server.conn);
    check_stream(s, 20000);
    ck_assert_uint_eq(s->reader->dmabuf, 20000);
    scene_free(s);
}
END_TEST

START_TEST(a_queue_restarts_under_traffic_and_no_byte_is_lost)
{
    struct scene *s = scene_new(NULL, 32, true, 300000);
    struct reader *r = s->reader;
    r->keep = 5;
    for (int i = 0; i < 3000 && r->in_length < 300000; i++) {
        if (i % 3 == 0)
            s->dev->faults.fail[DEVMEM_STEP_ALLOC + i % 9 / 3] = s->dev->faults.seen[DEVMEM_STEP_ALLOC + i % 9 / 3] + 1;
        (void)devmem_queue_restart(s->dev->nic, BOUND);
        ck_assert(devmem_nic_queue(s->dev->nic, BOUND).alive);
        reader_drain(r, s->server.conn);
        pair_run(s->dev->pair, 20 * MS);
    }
    check_stream(s, 300000);
    ck_assert_uint_eq(r->dmabuf, 300000);
    ck_assert_uint_gt(devmem_nic_queue(s->dev->nic, BOUND).restarts, 10);
    scene_free(s);
}
END_TEST

/* ---- what TCP may not do ---- */

/* [DEVMEM-018] */
START_TEST(nobody_adds_up_device_memory)
{
    const struct devmem_nic_config config = {.ifindex = IFINDEX, .queues = QUEUES, .no_checksum = true};
    struct scene *s = scene_new(&config, 64, true, 0);
    ck_assert_int_eq(tcp_send(s->client.conn, "unverified", 10), 10);
    pair_run(s->dev->pair, 2 * SECOND);
    ck_assert_int_eq(reader_drain(s->reader, s->server.conn), DEVMEM_EAGAIN);
    ck_assert_uint_eq(s->reader->in_length, 0);
    ck_assert_uint_gt(ip_counters(s->dev->pair->end[1].stack).bad_checksum, 0);
    scene_free(s);
}
END_TEST

START_TEST(damaged_packets_are_dropped_by_the_word_of_the_nic)
{
    struct scene *s = scene_new(NULL, 64, true, 0);
    free(s->client.out);
    app_fill(&s->client, 200000, 3);
    s->dev->pair->corrupt = 50;
    app_push(&s->client);
    s->reader->keep = 0;
    for (int i = 0; i < 3000 && s->reader->in_length < 200000; i++) {
        pair_run(s->dev->pair, 100 * MS);
        reader_drain(s->reader, s->server.conn);
    }
    check_stream(s, 200000);
    ck_assert_uint_gt(ip_counters(s->dev->pair->end[1].stack).bad_checksum, 0);
    scene_free(s);
}
END_TEST

START_TEST(device_memory_is_not_delivered_over_loopback)
{
    struct scene *s = scene_new(NULL, 64, true, 0);
    struct ip_stack *stack = s->dev->pair->end[1].stack;
    struct end other = s->dev->pair->end[1];
    const struct ip_interface_config lo = {.port = &other.port, .loopback = true};
    int interface = ip_add_interface(stack, &lo);
    ck_assert_int_ge(interface, 1);
    uint8_t frame[600];
    const struct devmem_test_frame f = {.dport = PORT_HTTP, .payload = 100};
    uint64_t before = ip_counters(stack).frames_in;
    tcp_devmem_frame(stack, interface, s->dev->nic, frame, devmem_test_build(&f, frame), s->dev->pair->now);
    ck_assert_uint_eq(ip_counters(stack).frames_in, before);
    tcp_devmem_frame(stack, 0, s->dev->nic, frame, devmem_test_build(&f, frame), s->dev->pair->now);
    ck_assert_uint_eq(ip_counters(stack).frames_in, before + 1);
    scene_free(s);
}
END_TEST

START_TEST(fragments_of_another_provider_are_refused)
{
    struct scene *s = scene_new(NULL, 64, false, 0);
    static const struct devmem_queue_id queue = {DEVMEM_QUEUE_RX, BOUND};
    const struct devmem_bind bind = {IFINDEX, s->dev->fd, &queue, 1, true};
    ck_assert_int_ge(devmem_bind_rx(s->dev->netlink, &bind), 1);
    ck_assert_int_eq(tcp_send(s->client.conn, "hello", 5), 5);
    pair_run(s->dev->pair, SECOND);
    ck_assert_int_eq(reader_read(s->reader, s->server.conn, TCP_MSG_SOCK_DEVMEM), DEVMEM_ENODEV);
    ck_assert_int_eq(reader_read(s->reader, s->server.conn, 0), DEVMEM_EFAULT);
    scene_free(s);
}
END_TEST

START_TEST(an_urgent_byte_in_device_memory_cannot_be_fetched_and_stops_the_read)
{
    struct scene *s = scene_new(NULL, 64, true, 1000);
    uint8_t byte;
    ck_assert_int_eq(tcp_send_urgent(s->client.conn, "abc!", 4), 4);
    ck_assert_int_eq(tcp_send(s->client.conn, "tail", 4), 4);
    pair_run(s->dev->pair, SECOND);
    ck_assert_uint_eq(s->server.urgent, 1);
    ck_assert_int_eq(tcp_read_urgent(s->server.conn, &byte), SMC_ERR_PERMISSION);
    ck_assert_int_eq(reader_read(s->reader, s->server.conn, TCP_MSG_SOCK_DEVMEM), 1003);
    ck_assert(tcp_at_mark(s->server.conn));
    ck_assert_int_eq(reader_read(s->reader, s->server.conn, TCP_MSG_SOCK_DEVMEM), 4); /* "!" is left out */
    ck_assert_mem_eq(s->reader->in + 1000, "abctail", 7);
    scene_free(s);
}
END_TEST

START_TEST(plain_sockets_of_the_same_host_are_as_ever)
{
    struct scene *s = scene_new(NULL, 64, true, 50000);
    struct app client = {0}, server = {0};
    static const struct ip_address any;
    app_fill(&client, 150000, 99);
    ck_assert_int_eq(tcp_listen(s->dev->pair->end[1].stack, any, 8080, 4, NULL, &app_callbacks, &server, &server.listener), 0);
    ck_assert_int_eq(tcp_connect(s->dev->pair->end[0].stack, s->dev->pair->end[1].v6, 8080, NULL, &app_callbacks,
                                 &client, &client.conn),
                     0);
    pair_run(s->dev->pair, 10 * SECOND);
    ck_assert_uint_eq(server.in_length, 150000);
    ck_assert_mem_eq(server.in, client.out, 150000);
    ck_assert_uint_eq(tcp_devmem_info(server.conn).fragments, 0);
    reader_drain(s->reader, s->server.conn);
    check_stream(s, 50000);
    app_free(&client);
    app_free(&server);
    scene_free(s);
}
END_TEST

/* A segment as the client would send it, with bytes from .. to - 1 behind what it has sent. */
static void forge(struct scene *s, uint32_t from, uint32_t to, unsigned flags)
{
    struct pair *pair = s->dev->pair;
    uint8_t frame[2000];
    uint32_t seq = 0, length = to - from + 20;
    for (size_t i = 0; i < pair->nlog; i++)
        if (pair->log[i].from == 0)
            seq = pair->log[i].seq + pair->log[i].length;
    memcpy(frame, pair->last[0], 54);
    smc_ipv4_put_total_length(frame + 14, (uint16_t)(20 + length));
    smc_ipv4_put_checksum(frame + 14, 0);
    smc_ipv4_put_checksum(frame + 14, (uint16_t)~devmem_test_sum(0, frame + 14, 20));
    smc_tcp_put_seq(frame + 34, seq + from);
    frame[46] = 5 << 4;
    frame[47] = (uint8_t)flags;
    smc_tcp_put_checksum(frame + 34, 0);
    for (uint32_t i = from; i < to; i++)
        frame[54 + i - from] = devmem_test_byte(1, i);
    uint32_t sum = devmem_test_sum(6 + length, frame + 26, 8);
    smc_tcp_put_checksum(frame + 34, (uint16_t)~devmem_test_sum(sum, frame + 34, length));
    tcp_devmem_frame(pair->end[1].stack, 0, s->dev->nic, frame, 34 + length, pair->now);
}

/* Islands that overlap in every way, some of them host memory: the stream is the same, nothing is held twice. */
START_TEST(overlapping_segments_give_each_byte_once)
{
    const struct devmem_nic_config config = {.ifindex = IFINDEX, .queues = QUEUES, .split_above = 99};
    uint32_t random = 77;
    for (int round = 0; round < 60; round++) {
        struct scene *s = scene_new(&config, 256, true, 100);
        reader_drain(s->reader, s->server.conn);
        for (int i = 0; i < 60; i++) {
            random = random * 1664525u + 1013904223u;
            uint32_t from = 1 + (random >> 8) % 2500, size = 1 + (random >> 20) % 900;
            forge(s, from, from + size < 3000 ? from + size : 3000, F_ACK);
        }
        forge(s, 1200, 2600, F_ACK);
        forge(s, 2400, 3000, F_ACK);
        ck_assert_int_eq(reader_drain(s->reader, s->server.conn), DEVMEM_EAGAIN);
        forge(s, 0, 1300, F_ACK);
        s->reader->iov_room = 1 + (size_t)round * 40;
        reader_drain(s->reader, s->server.conn);
        ck_assert_uint_eq(s->reader->in_length, 3100);
        for (uint32_t i = 0; i < 3000; i++)
            ck_assert_uint_eq(s->reader->in[100 + i], devmem_test_byte(1, i));
        ck_assert(s->reader->dmabuf > 0 && tcp_devmem_info(s->server.conn).fragments == 0);
        scene_free(s);
    }
}
END_TEST

START_TEST(islands_are_given_back_when_the_connection_dies)
{
    struct scene *s = scene_new(NULL, 64, true, 1000);
    forge(s, 500, 1500, F_ACK);
    ck_assert_uint_eq(tcp_devmem_info(s->server.conn).fragments, 2);
    forge(s, 0, 0, F_RST);
    ck_assert_uint_eq(s->server.reset, 1);
    ck_assert_uint_eq(tcp_devmem_info(s->server.conn).fragments, 1);
    reader_drain(s->reader, s->server.conn);
    check_stream(s, 1000);
    scene_free(s);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("tcp_devmem");
    TCase *t = tcase_create("recvmsg");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, split_payload_is_announced_and_is_where_the_cmsg_says);
    tcase_add_test(t, a_cmsg_has_the_bytes_of_the_specification);
    tcase_add_test(t, without_the_flag_device_memory_is_a_fault_and_stays);
    tcase_add_test(t, bytes_that_were_not_split_are_copied_and_announced);
    tcase_add_test(t, unsplit_packets_of_a_bound_queue_can_be_read_without_the_flag);
    tcase_add_test(t, data_of_an_unbound_queue_has_no_cmsg);
    tcase_add_test(t, one_answer_is_either_ordinary_or_of_a_bound_queue);
    tcase_add_test(t, no_token_is_lost_when_the_control_buffer_ends);
    tcase_add_test(t, a_fragment_can_be_read_in_parts);
    tcase_add_test(t, odd_messages_are_refused_without_loss);
    tcase_add_test(t, dontneed_takes_128_whole_entries_of_a_tcp_socket);
    tcase_add_test(t, a_token_is_given_back_once);
    tcase_add_test(t, at_most_1024_go_back_in_a_call);
    tcase_add_test(t, a_starved_queue_drops_and_goes_on_after_dontneed);
    tcase_add_test(t, closing_the_data_socket_frees_tokens_and_unread_fragments);
    tcase_add_test(t, the_end_of_the_stream_is_zero);
    suite_add_tcase(suite, t);
    TCase *u = tcase_create("going away");
    tcase_set_timeout(u, 60);
    tcase_add_test(u, the_netlink_socket_is_closed_in_the_middle_of_traffic);
    tcase_add_test(u, the_device_goes_and_what_was_received_can_be_read);
    tcase_add_test(u, a_queue_restarts_under_traffic_and_no_byte_is_lost);
    tcase_add_test(u, nobody_adds_up_device_memory);
    tcase_add_test(u, damaged_packets_are_dropped_by_the_word_of_the_nic);
    tcase_add_test(u, device_memory_is_not_delivered_over_loopback);
    tcase_add_test(u, fragments_of_another_provider_are_refused);
    tcase_add_test(u, an_urgent_byte_in_device_memory_cannot_be_fetched_and_stops_the_read);
    tcase_add_test(u, plain_sockets_of_the_same_host_are_as_ever);
    tcase_add_test(u, overlapping_segments_give_each_byte_once);
    tcase_add_test(u, islands_are_given_back_when_the_connection_dies);
    suite_add_tcase(suite, u);
    return suite;
}

CHECK_MAIN(make_suite)
