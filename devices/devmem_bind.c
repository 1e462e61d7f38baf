/* Netlink sockets and bindings: bind-rx in the order of its steps, and the one routine that undoes it.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/devmem_internal.h"

#include <assert.h>

int devmem_netlink_open(struct devmem *host, bool admin, struct devmem_netlink **out)
{
    struct devmem_netlink *netlink = smc_alloc_zeroed(host->config.alloc, 1, sizeof(*netlink));
    if (netlink == NULL)
        return DEVMEM_ENOMEM;
    *netlink = (struct devmem_netlink){.host = host, .next = host->netlinks, .admin = admin};
    host->netlinks = netlink;
    *out = netlink;
    return 0;
}

static struct devmem_binding *bound_by(const struct devmem_netlink *netlink)
{
    struct devmem_binding *b = netlink->host->bindings;
    while (b != NULL && b->netlink != netlink)
        b = b->next;
    return b;
}

/* [DEVMEM-009] */
void devmem_netlink_close(struct devmem_netlink *netlink)
{
    struct devmem *host = netlink->host;
    struct devmem_binding *binding;
    while ((binding = bound_by(netlink)) != NULL)
        devmem_binding_undo(binding);
    struct devmem_netlink **at = &host->netlinks;
    while (*at != netlink)
        at = &(*at)->next;
    *at = netlink->next;
    smc_alloc_release(host->config.alloc, netlink, 1, sizeof(*netlink));
}

/* ---- the end of a binding ---- */
static void binding_free(struct devmem_binding *binding)
{
    struct devmem *host = binding->host;
    const struct smc_alloc *alloc = host->config.alloc;
    struct devmem_binding **at = &host->bindings;
    assert(binding->available == binding->chunks || binding->free == NULL);
    while (*at != binding)
        at = &(*at)->next;
    *at = binding->next;
    smc_alloc_release(alloc, binding->free, (size_t)binding->chunks, sizeof(*binding->free));
    smc_alloc_release(alloc, binding->iovs, (size_t)binding->chunks, sizeof(*binding->iovs));
    if (binding->mapped && binding->buffer->exporter.unmap != NULL)
        binding->buffer->exporter.unmap(binding->buffer->user);
    if (binding->attached && binding->buffer->exporter.detach != NULL)
        binding->buffer->exporter.detach(binding->buffer->user);
    if (binding->buffer != NULL)
        devmem_buffer_put(binding->buffer);
    host->objects.bindings--;
    smc_alloc_release(alloc, binding, 1, sizeof(*binding));
}

void devmem_binding_put(struct devmem_binding *binding)
{
    if (--binding->refs == 0)
        binding_free(binding); /* not before every chunk is back [DEVMEM-020] */
}

/* A queue whose memory never came from this binding, because its restart failed, needs no other one. */
static void release_queue(struct devmem_nic *nic, uint32_t q, const struct devmem_binding *binding)
{
    struct devmem_queue *queue = &nic->queues[q];
    queue->binding = NULL;
    if (queue->memory == NULL || queue->memory->pool->binding != binding)
        return;
    if (devmem_queue_restart(nic, q) != 0 && queue->memory != NULL)
        devmem_log(nic->host, "queue keeps the memory of an undone binding until its next restart",
                   nic->config.ifindex, q);
}

void devmem_binding_undo(struct devmem_binding *binding)
{
    struct devmem_nic *nic = binding->nic;
    for (uint32_t q = 0; nic != NULL && q < nic->config.queues; q++)
        if (nic->queues[q].binding == binding)
            release_queue(nic, q, binding);
    binding->nic = NULL;
    binding->netlink = NULL;
    devmem_binding_put(binding);
}

/* ---- its beginning ---- */
static int check_queue(const struct devmem_nic *nic, const struct devmem_bind *bind, size_t i)
{
    if (bind->queues[i].type != DEVMEM_QUEUE_RX)
        return DEVMEM_EINVAL;
    for (size_t k = 0; k < i; k++)
        if (bind->queues[k].id == bind->queues[i].id)
            return DEVMEM_EINVAL;
    if (bind->queues[i].id >= nic->config.queues)
        return DEVMEM_ERANGE; /* [DEVMEM-012] */
    return 0;
}

static int check(const struct devmem_netlink *netlink, const struct devmem_nic *nic,
                 const struct devmem_bind *bind)
{
    if (!netlink->admin)
        return DEVMEM_EPERM; /* [DEVMEM-013] */
    if (nic == NULL)
        return DEVMEM_ENODEV;
    if (nic->config.no_queue_ops || nic->config.no_split)
        return DEVMEM_EOPNOTSUPP;
    if (bind->count == 0 || bind->queues == NULL || bind->count > DEVMEM_QUEUES_MAX)
        return DEVMEM_EINVAL;
    for (size_t i = 0; i < bind->count; i++) {
        int error = check_queue(nic, bind, i);
        if (error != 0)
            return error;
    }
    for (size_t i = 0; i < bind->count; i++)
        if (nic->queues[bind->queues[i].id].binding != NULL)
            return DEVMEM_EEXIST; /* [DEVMEM-011] */
    return devmem_fd_buffer(netlink->host, bind->fd) == NULL ? DEVMEM_EBADFD : 0;
}

static int attach_and_map(struct devmem_binding *binding, struct devmem_segment *segments)
{
    struct devmem *host = binding->host;
    struct devmem_buffer *buffer = binding->buffer;
    int error = 0;
    if (devmem_step_fails(host, DEVMEM_STEP_ATTACH, DEVMEM_NO_QUEUE))
        return DEVMEM_EIO;
    if (buffer->exporter.attach != NULL)
        error = buffer->exporter.attach(buffer->user);
    if (error != 0)
        return error;
    binding->attached = true;
    if (devmem_step_fails(host, DEVMEM_STEP_MAP, DEVMEM_NO_QUEUE))
        return DEVMEM_EIO;
    int n = buffer->exporter.map(buffer->user, segments);
    if (n < 0)
        return n;
    binding->mapped = true;
    if (n == 0 || n > DEVMEM_SEGMENTS_MAX)
        return DEVMEM_EINVAL;
    uint64_t left = buffer->size;
    for (int i = 0; i < n; i++) {
        if (segments[i].bytes == 0 || segments[i].bytes % DEVMEM_PAGE != 0 ||
            segments[i].bytes > left || segments[i].address > UINT64_MAX - segments[i].bytes)
            return DEVMEM_EINVAL;
        left -= segments[i].bytes;
    }
    binding->nowners = (unsigned)n;
    return left == 0 ? 0 : DEVMEM_EINVAL;
}

/* The lowest offset is on top of the stack. */
static int cut(struct devmem_binding *binding, const struct devmem_segment *segments)
{
    struct devmem *host = binding->host;
    uint64_t chunks = binding->buffer->size / DEVMEM_PAGE, done = 0;
    if (devmem_step_fails(host, DEVMEM_STEP_CHUNKS, DEVMEM_NO_QUEUE) || chunks > SIZE_MAX)
        return DEVMEM_ENOMEM;
    binding->chunks = chunks;
    binding->iovs = smc_alloc_zeroed(host->config.alloc, (size_t)chunks, sizeof(*binding->iovs));
    if (binding->iovs == NULL)
        return DEVMEM_ENOMEM;
    binding->free =
        smc_alloc_zeroed(host->config.alloc, (size_t)chunks, sizeof(struct devmem_iov *));
    if (binding->free == NULL)
        return DEVMEM_ENOMEM;
    for (unsigned i = 0; i < binding->nowners; i++) {
        struct devmem_owner *owner = &binding->owners[i];
        *owner = (struct devmem_owner){.binding = binding,
                                       .base_address = segments[i].address,
                                       .base_offset = done * DEVMEM_PAGE,
                                       .first = &binding->iovs[done],
                                       .chunks = segments[i].bytes / DEVMEM_PAGE};
        for (uint64_t k = 0; k < owner->chunks; k++)
            owner->first[k].owner = owner;
        done += owner->chunks;
    }
    for (uint64_t k = 0; k < chunks; k++)
        binding->free[k] = &binding->iovs[chunks - 1 - k];
    binding->available = chunks;
    return 0;
}

static int build(struct devmem_binding *binding, int fd)
{
    struct devmem_segment segments[DEVMEM_SEGMENTS_MAX];
    struct devmem *host = binding->host;
    memset(segments, 0, sizeof(segments));
    if (devmem_step_fails(host, DEVMEM_STEP_GET, DEVMEM_NO_QUEUE))
        return DEVMEM_EBADFD;
    binding->buffer = devmem_fd_buffer(host, fd);
    binding->buffer->refs++;
    int error = attach_and_map(binding, segments);
    return error != 0 ? error : cut(binding, segments);
}

static bool id_taken(const struct devmem *host, uint32_t id)
{
    for (const struct devmem_binding *b = host->bindings; b != NULL; b = b->next)
        if (b->id == id)
            return true;
    return false;
}

static struct devmem_binding *binding_new(struct devmem_netlink *netlink, struct devmem_nic *nic)
{
    struct devmem *host = netlink->host;
    struct devmem_binding *binding = smc_alloc_zeroed(host->config.alloc, 1, sizeof(*binding));
    if (binding == NULL)
        return NULL;
    do
        host->last_id++;
    while (host->last_id == 0 || id_taken(host, host->last_id));
    binding->host = host;
    binding->id = host->last_id;
    binding->netlink = netlink;
    binding->nic = nic;
    binding->refs = 1;
    binding->next = host->bindings;
    host->bindings = binding;
    host->objects.bindings++;
    return binding;
}

int64_t devmem_bind_rx(struct devmem_netlink *netlink, const struct devmem_bind *bind)
{
    struct devmem_nic *nic = devmem_find_nic(netlink->host, bind->ifindex);
    int error = check(netlink, nic, bind);
    if (error != 0)
        return error;
    struct devmem_binding *binding = binding_new(netlink, nic);
    if (binding == NULL)
        return DEVMEM_ENOMEM;
    binding->other_provider = bind->other_provider;
    error = build(binding, bind->fd);
    for (size_t i = 0; error == 0 && i < bind->count; i++) {
        nic->queues[bind->queues[i].id].binding = binding;
        error = devmem_queue_restart(nic, bind->queues[i].id);
    }
    if (error == 0)
        return binding->id;
    devmem_binding_undo(binding); /* [DEVMEM-016] */
    return error;
}

struct devmem_binding_info devmem_binding(const struct devmem *host, uint32_t id)
{
    const struct devmem_binding *b = host->bindings;
    while (b != NULL && b->id != id)
        b = b->next;
    if (b == NULL)
        return (struct devmem_binding_info){.known = false};
    struct devmem_binding_info info = {.known = true,
                                       .bound = b->netlink != NULL,
                                       .ifindex = b->nic != NULL ? b->nic->config.ifindex : 0,
                                       .chunks = b->chunks,
                                       .available = b->available};
    for (const struct devmem_pool *p = host->pools; p != NULL; p = p->next)
        if (p->binding == b)
            info.available += p->cached;
    return info;
}
