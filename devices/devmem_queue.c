/* The queues of a NIC: their memory, and the restart that must never lose a running queue without need.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/devmem_internal.h"

struct devmem_memory *devmem_memory_new(struct devmem_nic *nic, uint32_t queue)
{
    struct devmem *host = nic->host;
    struct devmem_binding *binding = nic->queues[queue].binding;
    if (devmem_step_fails(host, DEVMEM_STEP_ALLOC, queue))
        return NULL;
    struct devmem_memory *memory = smc_alloc_zeroed(host->config.alloc, 1, sizeof(*memory));
    if (memory == NULL)
        return NULL;
    memory->pool = devmem_pool_new(host, binding);
    if (memory->pool == NULL) {
        smc_alloc_release(host->config.alloc, memory, 1, sizeof(*memory));
        return NULL;
    }
    return memory;
}

void devmem_memory_free(struct devmem *host, struct devmem_memory *memory)
{
    if (memory == NULL)
        return;
    if (memory->current != 0)
        devmem_netmem_put(memory->current);
    devmem_pool_end(memory->pool);
    smc_alloc_release(host->config.alloc, memory, 1, sizeof(*memory));
}

/* The driver hands the memory of the stopped queue back; from then on it is ours. */
static int stop(struct devmem_nic *nic, uint32_t q, struct devmem_memory **old)
{
    if (devmem_step_fails(nic->host, DEVMEM_STEP_STOP, q))
        return DEVMEM_EIO;
    *old = nic->queues[q].memory;
    nic->queues[q].memory = NULL;
    return 0;
}

/* A driver that refuses leaves the memory with us. */
static int start(struct devmem_nic *nic, uint32_t q, enum devmem_step step,
                 struct devmem_memory *memory)
{
    if (devmem_step_fails(nic->host, step, q))
        return DEVMEM_EIO;
    nic->queues[q].memory = memory;
    return 0;
}

static int start_failed(struct devmem_nic *nic, uint32_t q, struct devmem_memory *fresh,
                        struct devmem_memory *old)
{
    devmem_memory_free(nic->host, fresh);
    if (start(nic, q, DEVMEM_STEP_RESTORE, old) != 0) { /* [DEVMEM-014] */
        devmem_memory_free(nic->host, old);
        devmem_log(nic->host, "queue is dead: neither its new nor its old memory could be started",
                   nic->config.ifindex, q);
    }
    return DEVMEM_EIO;
}

int devmem_queue_restart(struct devmem_nic *nic, uint32_t q)
{
    struct devmem_memory *fresh, *old = NULL;
    if (q >= nic->config.queues)
        return DEVMEM_ERANGE;
    if (nic->queues[q].memory == NULL)
        return DEVMEM_EIO;
    fresh = devmem_memory_new(nic, q);
    if (fresh == NULL)
        return DEVMEM_ENOMEM; /* [DEVMEM-015] */
    int error = stop(nic, q, &old);
    if (error != 0) {
        devmem_memory_free(nic->host, fresh);
        return error;
    }
    if (start(nic, q, DEVMEM_STEP_START, fresh) != 0)
        return start_failed(nic, q, fresh, old);
    devmem_memory_free(nic->host, old);
    nic->queues[q].counts.restarts++;
    return 0;
}

struct devmem_queue_info devmem_nic_queue(const struct devmem_nic *nic, uint32_t q)
{
    if (q >= nic->config.queues)
        return (struct devmem_queue_info){.alive = false};
    const struct devmem_queue *queue = &nic->queues[q];
    struct devmem_queue_info info = queue->counts;
    info.alive = queue->memory != NULL;
    info.dmabuf_id = queue->binding != NULL ? queue->binding->id : 0;
    if (queue->memory != NULL && queue->memory->pool->binding != NULL)
        info.memory_id = queue->memory->pool->binding->id;
    return info;
}
