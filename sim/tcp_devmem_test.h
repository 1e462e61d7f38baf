/* For tests of Device Memory TCP: two stacks, the second one's frames through a NIC, and an application that reads by cmsgs.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_TCP_DEVMEM_TEST_H
#define SIM_TCP_DEVMEM_TEST_H

#include "devices/devmem_memory_test.h"
#include "sim/tcp_devmem.h"
#include "sim/tcp_pair_test.h"

enum { IFINDEX = 2, QUEUES = 4, BOUND = 3, TOKENS_KEPT = 4096, CMSGS = 64, READ = 1 << 17 };

struct dev {
    struct pair *pair;
    struct devmem_test_memory memory;
    struct devmem_test_faults faults;
    struct trap_memory trap;
    struct devmem *host;
    struct devmem_nic *nic; /* NULL: gone, frames go straight in */
    struct devmem_netlink *netlink;
    struct devmem_buffer *buffer; /* one reference */
    int fd;
    uint32_t id;
};

static inline void dev_deliver(struct pair *pair, int to, const uint8_t *frame, size_t length)
{
    struct dev *dev = pair->deliver_user;
    if (to == 1 && dev->nic != NULL)
        tcp_devmem_frame(pair->end[1].stack, 0, dev->nic, frame, length, pair->now);
    else
        ip_frame(pair->end[to].stack, 0, frame, length, pair->now);
}

/* Connections to PORT_HTTP go to the bound queue, everything else to queue 0. */
static inline bool dev_set_up(struct dev *dev, const struct devmem_nic_config *config, size_t pages)
{
    const struct devmem_config host = {&dev->memory.alloc, devmem_test_fail, devmem_test_log, &dev->faults};
    const struct devmem_rule rule = {.dport = PORT_HTTP, .queue = BOUND};
    dev->host = devmem_new(&host);
    if (dev->host == NULL || devmem_nic_new(dev->host, config, &dev->nic) != 0)
        return false;
    ck_assert_int_eq(devmem_nic_set_rss(dev->nic, 0, 1), 0);
    ck_assert_int_eq(devmem_nic_add_rule(dev->nic, &rule), 0);
    if (devmem_netlink_open(dev->host, true, &dev->netlink) != 0)
        return false;
    dev->fd = trap_fd(dev->host, &dev->trap, pages, &dev->buffer);
    return dev->fd >= 0;
}

static inline int64_t dev_bind(struct dev *dev)
{
    static const struct devmem_queue_id queue = {DEVMEM_QUEUE_RX, BOUND};
    const struct devmem_bind bind = {.ifindex = IFINDEX, .fd = dev->fd, .queues = &queue, .count = 1};
    int64_t id = devmem_bind_rx(dev->netlink, &bind);
    if (id > 0)
        dev->id = (uint32_t)id;
    return id;
}

static inline struct dev *dev_new_with(const struct devmem_nic_config *config, size_t pages)
{
    struct dev *dev = calloc(1, sizeof(*dev));
    dev->pair = pair_new();
    dev->pair->deliver = dev_deliver;
    dev->pair->deliver_user = dev;
    devmem_test_memory_init(&dev->memory, 0);
    ck_assert(dev_set_up(dev, config, pages));
    return dev;
}

static inline struct dev *dev_new(void)
{
    const struct devmem_nic_config config = {.ifindex = IFINDEX, .queues = QUEUES};
    return dev_new_with(&config, 64);
}

/* Nothing may be left: stacks first, they hold references. */
static inline void dev_free(struct dev *dev)
{
    pair_free(dev->pair);
    if (dev->host != NULL && dev->id != 0 && devmem_binding(dev->host, dev->id).known) {
        struct devmem_binding_info info = devmem_binding(dev->host, dev->id);
        ck_assert_uint_eq(info.available, info.chunks);
    }
    if (dev->host != NULL)
        ck_assert_uint_eq(devmem_objects(dev->host).skbs, 0);
    devmem_free(dev->host);
    ck_assert_uint_eq(dev->memory.live, 0);
    free(dev);
}

/* ---- the application ---- */
struct reader {
    struct dev *dev;
    uint8_t *in; /* the stream as the application has it */
    size_t in_length, in_room;
    uint32_t tokens[TOKENS_KEPT]; /* not given back yet */
    size_t ntokens;
    size_t linear, dmabuf, plain; /* bytes */
    size_t fragments;
    size_t cmsgs;    /* room for so many */
    size_t iov_room; /* asked for in one call */
    size_t keep;     /* give back when more are held */
    uint8_t host[READ];
};

static inline void reader_put(struct reader *r, const void *bytes, size_t n)
{
    while (r->in_length + n > r->in_room) {
        r->in_room = r->in_room * 2 + 65536;
        r->in = realloc(r->in, r->in_room);
    }
    memcpy(r->in + r->in_length, bytes, n);
    r->in_length += n;
}

static inline int64_t reader_return(struct reader *r, struct tcp_conn *conn, size_t first, size_t n)
{
    uint8_t bytes[TCP_DONTNEED_ENTRIES * TCP_DMABUF_TOKEN];
    size_t entries = 0;
    for (size_t i = first; i < first + n && entries < TCP_DONTNEED_ENTRIES; i++, entries++) {
        smc_store_le(bytes + 8 * entries, 4, r->tokens[i]);
        smc_store_le(bytes + 8 * entries + 4, 4, 1);
    }
    int64_t freed = tcp_devmem_setsockopt(conn, TCP_SOL_SOCKET, TCP_SO_DEVMEM_DONTNEED, bytes, 8 * entries);
    ck_assert_int_eq(freed, (int64_t)entries);
    memmove(r->tokens + first, r->tokens + first + entries, (r->ntokens - first - entries) * sizeof(r->tokens[0]));
    r->ntokens -= entries;
    return freed;
}

/* One fragment, read at the offset that the cmsg names [DEVMEM-021]. */
static inline void reader_fragment(struct reader *r, const struct tcp_devmem_cmsg *c)
{
    uint8_t bytes[DEVMEM_PAGE];
    ck_assert_uint_le(c->frag_size, DEVMEM_PAGE);
    ck_assert_uint_gt(c->frag_size, 0);
    ck_assert_uint_gt(c->frag_token, 0);
    ck_assert_uint_gt(c->dmabuf_id, 0);
    ck_assert_int_eq(devmem_buffer_read(r->dev->buffer, c->frag_offset, bytes, c->frag_size), 0);
    reader_put(r, bytes, c->frag_size);
    for (size_t i = 0; i < r->ntokens; i++)
        ck_assert_uint_ne(r->tokens[i], c->frag_token);
    ck_assert_uint_lt(r->ntokens, TOKENS_KEPT);
    r->tokens[r->ntokens++] = c->frag_token;
    r->dmabuf += c->frag_size;
    r->fragments++;
}

/* What one recvmsg gave, in the order of the stream. */
static inline void reader_take(struct reader *r, const uint8_t *control, size_t length, size_t n)
{
    struct tcp_devmem_cmsg c;
    size_t at = 0, sum = 0, copied = 0;
    if (length == 0) {
        reader_put(r, r->host, n);
        r->plain += n;
        return;
    }
    while (tcp_devmem_next_cmsg(control, length, &at, &c)) {
        ck_assert_uint_eq(c.level, TCP_SOL_SOCKET);
        ck_assert_uint_eq(c.flags, 0);
        sum += c.frag_size;
        if (c.type == TCP_SCM_DEVMEM_DMABUF) {
            reader_fragment(r, &c);
            continue;
        }
        ck_assert_uint_eq(c.type, TCP_SCM_DEVMEM_LINEAR);
        ck_assert(c.frag_offset == 0 && c.frag_token == 0 && c.dmabuf_id == 0);
        reader_put(r, r->host + copied, c.frag_size);
        copied += c.frag_size;
        r->linear += c.frag_size;
    }
    ck_assert_uint_eq(at, length);
    ck_assert_uint_eq(sum, n);
}

static inline int64_t reader_read(struct reader *r, struct tcp_conn *conn, uint32_t flags)
{
    uint8_t control[CMSGS * TCP_CMSG_SPACE];
    size_t room = r->iov_room > 0 ? r->iov_room : READ;
    const struct tcp_devmem_iov iov[2] = {{r->host, room / 3}, {r->host + room / 3, room - room / 3}};
    struct tcp_devmem_message m = {
        .iov = iov, .iov_count = 2, .control = control, .control_length = (r->cmsgs > 0 ? r->cmsgs : CMSGS) * TCP_CMSG_SPACE};
    int64_t n = tcp_devmem_recv(conn, &m, flags);
    if (n > 0)
        reader_take(r, control, m.control_length, (size_t)n);
    else
        ck_assert_uint_eq(m.control_length, 0);
    return n;
}

/* Until nothing is there. */
static inline int64_t reader_drain(struct reader *r, struct tcp_conn *conn)
{
    int64_t n;
    while ((n = reader_read(r, conn, TCP_MSG_SOCK_DEVMEM)) > 0)
        while (r->ntokens > r->keep)
            reader_return(r, conn, 0, r->ntokens - r->keep);
    return n;
}

static inline struct reader *reader_new(struct dev *dev)
{
    struct reader *r = calloc(1, sizeof(*r));
    r->dev = dev;
    r->keep = TOKENS_KEPT / 2;
    return r;
}

static inline void reader_free(struct reader *r)
{
    free(r->in);
    free(r);
}

#endif
