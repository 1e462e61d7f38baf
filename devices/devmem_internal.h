/* What the parts of the devmem model share with one another: the objects behind devmem.h.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef DEVICES_DEVMEM_INTERNAL_H
#define DEVICES_DEVMEM_INTERNAL_H

#include "devices/devmem_pool.h"

struct devmem {
    struct devmem_config config;
    struct devmem_buffer **fds; /* index: fd - DEVMEM_FD_FIRST; NULL: closed */
    size_t nfds;
    struct devmem_nic *nics;
    struct devmem_netlink *netlinks;
    struct devmem_binding *bindings;
    struct devmem_pool *pools;
    uint32_t last_id;
    struct devmem_objects objects;
};

struct devmem_buffer {
    struct devmem *host;
    struct devmem_exporter exporter; /* table copied */
    void *user;                      /* borrowed; of devmem_buffer_new(): the buffer itself */
    uint64_t size;
    uint8_t *own; /* memory of devmem_buffer_new() */
    size_t refs;
};

/* A run of chunks that is contiguous for DMA. */
struct devmem_owner {
    struct devmem_binding *binding;
    uint64_t base_address; /* DMA address of the first chunk */
    uint64_t base_offset;  /* its offset in the dma-buf */
    struct devmem_iov *first;
    uint64_t chunks;
};

/* References: 1 while bound, 1 for each pool. The flags say how far it was built. */
struct devmem_binding {
    struct devmem *host;
    struct devmem_binding *next;
    struct devmem_netlink *netlink; /* NULL: undone */
    struct devmem_nic *nic;         /* NULL: undone, or the device is gone */
    struct devmem_buffer *buffer;   /* one reference; NULL: not got yet */
    uint32_t id;
    uint32_t refs;
    bool attached, mapped, other_provider;
    unsigned nowners;
    struct devmem_owner owners[DEVMEM_SEGMENTS_MAX];
    struct devmem_iov *iovs;  /* `chunks` of them */
    struct devmem_iov **free; /* the gen pool: a stack of `available` */
    uint64_t chunks, available;
};

struct devmem_netlink {
    struct devmem *host;
    struct devmem_netlink *next;
    bool admin;
};

/* What a driver allocates for a queue before it stops the old one. */
struct devmem_memory {
    struct devmem_pool *pool;
    devmem_netmem current; /* being packed; holds one reference; 0: none */
    uint32_t filled;       /* of it */
};

struct devmem_queue {
    struct devmem_binding *binding; /* recorded; the driver reads it when it restarts the queue */
    struct devmem_memory *memory;   /* NULL: the queue is dead */
    struct devmem_queue_info counts;
};

struct devmem_nic {
    struct devmem *host;
    struct devmem_nic *next;
    struct devmem_nic_config config;
    uint32_t rss_first, rss_count;
    struct {
        bool used;
        struct devmem_rule rule;
    } rules[DEVMEM_RULES_MAX];
    devmem_tap tap;
    void *tap_user;
    struct devmem_queue queues[DEVMEM_QUEUES_MAX];
};

static inline bool devmem_step_fails(struct devmem *host, enum devmem_step step, uint32_t queue)
{
    return host->config.fail != NULL && host->config.fail(host->config.user, step, queue);
}

static inline void devmem_log(struct devmem *host, const char *text, uint32_t ifindex,
                              uint32_t queue)
{
    if (host->config.log != NULL)
        host->config.log(host->config.user, text, ifindex, queue);
}

/* NULL: not open. */
struct devmem_buffer *devmem_fd_buffer(const struct devmem *host, int fd);
void devmem_binding_put(struct devmem_binding *binding);
/* The queues go back to host pages, the reference of being bound is dropped. Copes with anything half built. */
void devmem_binding_undo(struct devmem_binding *binding);
struct devmem_nic *devmem_find_nic(const struct devmem *host, uint32_t ifindex);
/* NULL: out of memory (or told to fail). */
struct devmem_memory *devmem_memory_new(struct devmem_nic *nic, uint32_t queue);
void devmem_memory_free(struct devmem *host, struct devmem_memory *memory);

/* A TCP packet over IPv4 or IPv6, as far as a NIC looks. */
struct devmem_flow {
    uint8_t src[16], dst[16];
    uint16_t sport, dport;
    uint32_t tcp_at, payload_at, end; /* offsets in the frame */
};
/* false: something else, or malformed. */
bool devmem_parse(const uint8_t *frame, size_t length, struct devmem_flow *out);
bool devmem_checksum_good(const uint8_t *frame, const struct devmem_flow *flow);
/* `flow` NULL: not TCP. */
uint32_t devmem_steer(const struct devmem_nic *nic, const struct devmem_flow *flow);

#endif
