/* The page pool of a receive queue and its fast path: take a chunk or page, give it back, recycle it.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef DEVICES_DEVMEM_POOL_H
#define DEVICES_DEVMEM_POOL_H

#include "devices/devmem.h"

struct devmem_pool;
struct devmem_binding;
struct devmem_owner;

/* What pages and net_iovs have in common, at their beginning. */
struct devmem_mem {
    struct devmem_pool *pool; /* out of which it was taken; NULL: with its provider */
    uint32_t refs;            /* pp_ref_count */
};

/* One chunk of a dma-buf. It has no bytes: those are the device's. */
struct devmem_iov {
    struct devmem_mem mem;
    struct devmem_owner *owner;
};

struct devmem_page {
    struct devmem_mem mem;
    uint8_t bytes[DEVMEM_PAGE];
};

enum { DEVMEM_CACHE = 64 };

/* `held`: what it took from its provider and has not given back, the cache included; as in Linux only the
 * slow path counts. A pool that is `dead` lives until that is 0. */
struct devmem_pool {
    struct devmem *host;
    struct devmem_binding *binding; /* provider of net_iovs, one reference; NULL: host pages */
    bool dead;
    uint32_t cached;
    uint32_t room; /* DEVMEM_CACHE; 0 once dead */
    uint64_t held;
    struct devmem_pool *prev, *next; /* of the host */
    devmem_netmem cache[DEVMEM_CACHE];
};

static inline struct devmem_mem *devmem_mem_of(devmem_netmem mem)
{
    return (struct devmem_mem *)(mem & ~(uintptr_t)1);
}

/* NULL: out of memory. */
struct devmem_pool *devmem_pool_new(struct devmem *host, struct devmem_binding *binding);
/* No more is taken; what is out comes back in its own time. */
void devmem_pool_end(struct devmem_pool *pool);
/* The cache is empty: from the provider. 0: it has none left. */
devmem_netmem devmem_pool_refill(struct devmem_pool *pool);
/* Not into the cache: full, or the pool is dead. The last reference is gone. */
void devmem_pool_return(struct devmem_pool *pool, devmem_netmem mem);

/* One reference, the caller's. 0: none left. */
static inline devmem_netmem devmem_pool_take(struct devmem_pool *pool)
{
    if (pool->cached == 0)
        return devmem_pool_refill(pool);
    devmem_netmem mem = pool->cache[--pool->cached];
    devmem_mem_of(mem)->refs = 1;
    return mem;
}

static inline void devmem_pool_give(devmem_netmem mem)
{
    struct devmem_mem *m = devmem_mem_of(mem);
    struct devmem_pool *pool = m->pool;
    if (m->refs > 1)
        m->refs--;
    else if (pool->cached < pool->room)
        pool->cache[pool->cached++] = mem;
    else
        devmem_pool_return(pool, mem);
}

#endif
