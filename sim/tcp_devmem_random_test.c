/* Random traffic into device memory: loss, reordering, damage, rebinding under way, memory that runs out; every byte compared.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/tcp_devmem_test.h"

struct trial {
    struct dev *dev;
    struct reader *reader;
    struct app client, server;
    uint32_t random;
    unsigned binds;
};

static uint32_t draw(struct trial *t, uint32_t below)
{
    t->random = t->random * 1664525u + 1013904223u;
    return (t->random >> 8) % below;
}

static struct devmem_nic_config draw_config(struct trial *t)
{
    return (struct devmem_nic_config){.ifindex = IFINDEX,
                                      .queues = QUEUES,
                                      .pack = draw(t, 2) != 0,
                                      .split_above = draw(t, 3) == 0 ? draw(t, 1500) : 0,
                                      .split_late = draw(t, 3) == 0 ? draw(t, 200) : 0};
}

/* Bound or not, restarted, with some step failing now and then. */
static void disturb(struct trial *t)
{
    struct dev *dev = t->dev;
    if (draw(t, 4) == 0) {
        enum devmem_step step = (enum devmem_step)draw(t, DEVMEM_STEP_RESTORE);
        dev->faults.fail[step] = dev->faults.seen[step] + 1;
    }
    switch (draw(t, 6)) {
    case 0:
        devmem_netlink_close(dev->netlink);
        ck_assert_int_eq(devmem_netlink_open(dev->host, true, &dev->netlink), 0);
        break;
    case 1:
        (void)devmem_queue_restart(dev->nic, BOUND);
        break;
    default:
        break;
    }
    /* Two bindings would hand out the same memory twice: only when the last one is gone for good. */
    if (devmem_objects(dev->host).bindings == 0 && draw(t, 4) != 0)
        t->binds += dev_bind(dev) > 0;
    ck_assert(devmem_nic_queue(dev->nic, BOUND).alive);
}

static void read_some(struct trial *t)
{
    struct reader *r = t->reader;
    r->cmsgs = 1 + draw(t, CMSGS);
    r->iov_room = draw(t, 3) == 0 ? 1 + draw(t, 3000) : 0;
    for (uint32_t n = draw(t, 20); n > 0; n--)
        if (reader_read(r, t->server.conn, TCP_MSG_SOCK_DEVMEM) <= 0)
            break;
    uint32_t keep = devmem_binding(t->dev->host, t->dev->id).bound ? draw(t, 30) : 0; /* so that it can be bound again */
    while (r->ntokens > keep) /* in any order */
        reader_return(r, t->server.conn, draw(t, (uint32_t)r->ntokens), 1);
}

static void run_trial(uint32_t seed, unsigned *binds, size_t kinds[3])
{
    struct trial t = {.random = seed};
    const struct devmem_nic_config config = draw_config(&t);
    size_t length = 20000 + draw(&t, 200000);
    t.dev = dev_new_with(&config, 8 + draw(&t, 60));
    t.reader = reader_new(t.dev);
    t.server.no_read = true;
    struct pair *pair = t.dev->pair;
    pair->random = seed;
    pair_open(pair, &t.client, &t.server);
    app_fill(&t.client, length, seed);
    pair->loss = draw(&t, 50);
    pair->duplicate = draw(&t, 30);
    pair->reorder = draw(&t, 200);
    pair->corrupt = draw(&t, 20);
    app_push(&t.client);
    for (int i = 0; i < 40000 && t.reader->in_length < length; i++) {
        pair_run(pair, (1 + draw(&t, 40)) * MS);
        disturb(&t);
        read_some(&t);
    }
    ck_assert_msg(t.reader->in_length == length, "seed %u: %zu of %zu", seed, t.reader->in_length, length);
    ck_assert_mem_eq(t.reader->in, t.client.out, length);
    *binds += t.binds;
    kinds[0] += t.reader->plain;
    kinds[1] += t.reader->linear;
    kinds[2] += t.reader->dmabuf;
    while (t.reader->ntokens > 0)
        reader_return(t.reader, t.server.conn, 0, t.reader->ntokens);
    ck_assert_uint_eq(tcp_devmem_info(t.server.conn).tokens, 0);
    tcp_close(t.server.conn);
    tcp_abort(t.client.conn);
    memset(t.dev->faults.fail, 0, sizeof(t.dev->faults.fail));
    devmem_netlink_close(t.dev->netlink);
    ck_assert_int_eq(devmem_queue_restart(t.dev->nic, BOUND), 0); /* an unbind before may have failed to */
    ck_assert_uint_eq(devmem_objects(t.dev->host).bindings, 0);
    ck_assert_uint_eq(t.dev->trap.attached + t.dev->trap.mapped, 0);
    app_free(&t.client);
    app_free(&t.server);
    reader_free(t.reader);
    dev_free(t.dev);
}

START_TEST(every_byte_arrives_where_the_cmsgs_say)
{
    unsigned binds = 0;
    size_t kinds[3] = {0};
    for (uint32_t seed = 1; seed <= 40; seed++)
        run_trial(seed * 7919u + (uint32_t)_i * 1000003u, &binds, kinds);
    ck_assert_uint_gt(binds, 60);
    for (int k = 0; k < 3; k++)
        ck_assert_uint_gt(kinds[k], 20000); /* each kind was really met */
}
END_TEST

/* ---- memory runs out: in the stacks, or in the devmem host ---- */
static bool session(size_t fail_stack, size_t fail_host)
{
    static const struct devmem_nic_config config = {.ifindex = IFINDEX, .queues = QUEUES, .split_late = 20};
    struct dev *dev = calloc(1, sizeof(*dev));
    struct app client = {0}, server = {.no_read = true};
    dev->pair = pair_new();
    dev->pair->deliver = dev_deliver;
    dev->pair->deliver_user = dev;
    devmem_test_memory_init(&dev->memory, fail_host);
    struct reader *r = reader_new(dev);
    r->cmsgs = 3;
    r->iov_room = 2000;
    bool up = dev_set_up(dev, &config, 16);
    bool bound = up && dev_bind(dev) > 0;
    if (bound) {
        pair_listen(dev->pair, &server, NULL);
        pair_connect(dev->pair, &client, NULL, false);
        pair_run(dev->pair, 5 * SECOND); /* the SYN may be what found no memory */
        ck_assert_ptr_nonnull(server.conn);
        dev->pair->memory.fail_at = fail_stack > 0 ? dev->pair->memory.calls + fail_stack : 0;
        dev->pair->loss = 100;
        app_fill(&client, 60000, 5);
        for (int i = 0; i < 2000 && r->in_length < 60000; i++) {
            app_push(&client);
            pair_run(dev->pair, 50 * MS);
            while (reader_read(r, server.conn, TCP_MSG_SOCK_DEVMEM) > 0)
                if (r->ntokens > 3)
                    reader_return(r, server.conn, 0, r->ntokens - 1);
        }
        ck_assert_uint_eq(r->in_length, 60000); /* one failure is a lost packet, not a lost byte */
        ck_assert_mem_eq(r->in, client.out, 60000);
    }
    bool untouched = (fail_stack == 0 || dev->pair->memory.calls < dev->pair->memory.fail_at) &&
                     (fail_host == 0 || dev->memory.calls < fail_host);
    if (dev->fd < 0 || dev->host == NULL)
        dev->buffer = NULL;
    app_free(&client);
    app_free(&server);
    reader_free(r);
    dev_free(dev);
    return untouched;
}

START_TEST(each_allocation_of_the_stacks_may_fail)
{
    size_t n = 1;
    while (n < 60 && !session(n, 0))
        n++;
    ck_assert_uint_gt(n, 8);
}
END_TEST

START_TEST(each_allocation_of_the_devmem_host_may_fail)
{
    size_t n = 1;
    while (n < 80 && !session(0, n))
        n++;
    ck_assert_uint_gt(n, 20);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("tcp_devmem_random");
    TCase *t = tcase_create("random");
    tcase_set_timeout(t, 240);
    tcase_add_loop_test(t, every_byte_arrives_where_the_cmsgs_say, 0, 4);
    tcase_add_test(t, each_allocation_of_the_stacks_may_fail);
    tcase_add_test(t, each_allocation_of_the_devmem_host_may_fail);
    suite_add_tcase(suite, t);
    return suite;
}

CHECK_MAIN(make_suite)
