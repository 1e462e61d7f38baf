/* Page pools of receive queues: the slow path to the memory provider, and the end of a pool.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/devmem_internal.h"

#include <assert.h>

struct devmem_pool *devmem_pool_new(struct devmem *host, struct devmem_binding *binding)
{
    struct devmem_pool *pool = smc_alloc_zeroed(host->config.alloc, 1, sizeof(*pool));
    if (pool == NULL)
        return NULL;
    pool->host = host;
    pool->binding = binding;
    pool->room = DEVMEM_CACHE;
    if (binding != NULL)
        binding->refs++;
    pool->next = host->pools;
    if (pool->next != NULL)
        pool->next->prev = pool;
    host->pools = pool;
    host->objects.pools++;
    return pool;
}

static void pool_free(struct devmem_pool *pool)
{
    struct devmem *host = pool->host;
    struct devmem_binding *binding = pool->binding;
    if (pool->prev != NULL)
        pool->prev->next = pool->next;
    else
        host->pools = pool->next;
    if (pool->next != NULL)
        pool->next->prev = pool->prev;
    host->objects.pools--;
    smc_alloc_release(host->config.alloc, pool, 1, sizeof(*pool));
    if (binding != NULL)
        devmem_binding_put(binding);
}

/* A net_iov goes back to the gen pool of its binding and nowhere else, a page to the allocator. */
static void to_provider(struct devmem_pool *pool, devmem_netmem mem)
{
    struct devmem_mem *m = devmem_mem_of(mem);
    m->pool = NULL;
    m->refs = 0;
    pool->held--;
    if (!devmem_is_iov(mem)) {
        smc_alloc_release(pool->host->config.alloc, m, 1, sizeof(struct devmem_page));
        return;
    }
    struct devmem_iov *iov = (struct devmem_iov *)m;
    struct devmem_binding *binding = iov->owner->binding;
    assert(binding == pool->binding && binding->available < binding->chunks);
    binding->free[binding->available++] = iov;
}

devmem_netmem devmem_pool_refill(struct devmem_pool *pool)
{
    struct devmem_binding *binding = pool->binding;
    struct devmem_mem *m = NULL;
    if (pool->dead)
        return 0;
    if (binding == NULL)
        m = smc_alloc_zeroed(pool->host->config.alloc, 1, sizeof(struct devmem_page));
    else if (binding->available > 0)
        m = &binding->free[--binding->available]->mem;
    if (m == NULL)
        return 0;
    m->pool = pool;
    m->refs = 1;
    pool->held++;
    return (uintptr_t)m | (binding != NULL);
}

void devmem_pool_return(struct devmem_pool *pool, devmem_netmem mem)
{
    to_provider(pool, mem);
    if (pool->dead && pool->held == 0)
        pool_free(pool);
}

void devmem_pool_end(struct devmem_pool *pool)
{
    pool->dead = true;
    pool->room = 0;
    while (pool->cached > 0)
        to_provider(pool, pool->cache[--pool->cached]);
    if (pool->held == 0)
        pool_free(pool);
}

/* ---- references ---- */
static const struct devmem_iov *iov_of(devmem_netmem mem)
{
    assert(devmem_is_iov(mem));
    return (const struct devmem_iov *)devmem_mem_of(mem);
}

void devmem_netmem_get(devmem_netmem mem)
{
    struct devmem_mem *m = devmem_mem_of(mem);
    assert(m->refs > 0 && m->refs < UINT32_MAX);
    m->refs++;
}

void devmem_netmem_put(devmem_netmem mem)
{
    assert(devmem_mem_of(mem)->refs > 0);
    devmem_pool_give(mem);
}

const uint8_t *devmem_netmem_bytes(devmem_netmem mem)
{
    if (devmem_is_iov(mem))
        return NULL;
    return ((const struct devmem_page *)devmem_mem_of(mem))->bytes;
}

uint64_t devmem_netmem_offset(devmem_netmem mem)
{
    const struct devmem_iov *iov = iov_of(mem);
    return iov->owner->base_offset + (uint64_t)(iov - iov->owner->first) * DEVMEM_PAGE;
}

uint32_t devmem_netmem_id(devmem_netmem mem)
{
    return iov_of(mem)->owner->binding->id;
}

bool devmem_netmem_is_dmabuf(devmem_netmem mem)
{
    return devmem_is_iov(mem) && !iov_of(mem)->owner->binding->other_provider;
}
