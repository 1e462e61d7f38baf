/* Device Memory TCP: the host's tables, dma-bufs and their descriptors.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/devmem_internal.h"

#include <assert.h>

enum { TWO_SEGMENTS_FROM = 16 };
#define OWN_ADDRESS UINT64_C(0x100000000) /* DMA address of memory of our own, and how far its second piece is away */
#define SIZE_LIMIT (UINT64_C(1) << 40)

const char *devmem_error_name(int64_t error)
{
    static const struct {
        int number;
        const char *name;
    } names[] = {{DEVMEM_EPERM, "EPERM"},
                 {DEVMEM_EIO, "EIO"},
                 {DEVMEM_EBADF, "EBADF"},
                 {DEVMEM_EAGAIN, "EAGAIN"},
                 {DEVMEM_ENOMEM, "ENOMEM"},
                 {DEVMEM_EFAULT, "EFAULT"},
                 {DEVMEM_EBUSY, "EBUSY"},
                 {DEVMEM_EEXIST, "EEXIST"},
                 {DEVMEM_ENODEV, "ENODEV"},
                 {DEVMEM_EINVAL, "EINVAL"},
                 {DEVMEM_ENOSPC, "ENOSPC"},
                 {DEVMEM_ERANGE, "ERANGE"},
                 {DEVMEM_EBADFD, "EBADFD"},
                 {DEVMEM_ENOPROTOOPT, "ENOPROTOOPT"},
                 {DEVMEM_EOPNOTSUPP, "EOPNOTSUPP"},
                 {DEVMEM_ENETDOWN, "ENETDOWN"},
                 {DEVMEM_ECONNRESET, "ECONNRESET"},
                 {DEVMEM_ENOBUFS, "ENOBUFS"},
                 {DEVMEM_ENOTCONN, "ENOTCONN"},
                 {DEVMEM_ETIMEDOUT, "ETIMEDOUT"},
                 {DEVMEM_EHOSTUNREACH, "EHOSTUNREACH"},
                 {DEVMEM_ETOOSMALL, "ETOOSMALL"}};
    if (error >= 0)
        return "success";
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].number == error)
            return names[i].name;
    return "unknown error";
}

struct devmem *devmem_new(const struct devmem_config *config)
{
    struct devmem *host = smc_alloc_zeroed(config->alloc, 1, sizeof(*host));
    if (host != NULL)
        host->config = *config;
    return host;
}

void devmem_free(struct devmem *host)
{
    if (host == NULL)
        return;
    const struct smc_alloc *alloc = host->config.alloc;
    while (host->netlinks != NULL)
        devmem_netlink_close(host->netlinks);
    while (host->nics != NULL)
        devmem_nic_unregister(host->nics);
    for (size_t i = 0; i < host->nfds; i++)
        if (host->fds[i] != NULL)
            devmem_buffer_put(host->fds[i]);
    smc_alloc_release(alloc, host->fds, host->nfds, sizeof(*host->fds));
    assert(host->objects.skbs == 0 && host->objects.pools == 0 && host->objects.bindings == 0);
    assert(host->objects.buffers == 0);
    smc_alloc_release(alloc, host, 1, sizeof(*host));
}

struct devmem_objects devmem_objects(const struct devmem *host)
{
    return host->objects;
}

/* ---- dma-bufs ---- */
int devmem_buffer_export(struct devmem *host, const struct devmem_exporter *exporter, void *user,
                         uint64_t size, struct devmem_buffer **out)
{
    if (size == 0 || size % DEVMEM_PAGE != 0 || size > SIZE_LIMIT || exporter->map == NULL ||
        exporter->dma_write == NULL || exporter->read == NULL)
        return DEVMEM_EINVAL;
    struct devmem_buffer *buffer = smc_alloc_zeroed(host->config.alloc, 1, sizeof(*buffer));
    if (buffer == NULL)
        return DEVMEM_ENOMEM;
    buffer->host = host;
    buffer->exporter = *exporter;
    buffer->user = user;
    buffer->size = size;
    buffer->refs = 1;
    host->objects.buffers++;
    *out = buffer;
    return 0;
}

/* Not in one piece, as real ones: offset and DMA address are different things. */
static int own_map(void *user, struct devmem_segment out[DEVMEM_SEGMENTS_MAX])
{
    const struct devmem_buffer *buffer = user;
    uint64_t pages = buffer->size / DEVMEM_PAGE;
    uint64_t first = pages >= TWO_SEGMENTS_FROM ? pages / 2 : pages;
    out[0] = (struct devmem_segment){OWN_ADDRESS, first * DEVMEM_PAGE};
    out[1] = (struct devmem_segment){OWN_ADDRESS * 2 + buffer->size, (pages - first) * DEVMEM_PAGE};
    return first < pages ? 2 : 1;
}

static void own_write(void *user, uint64_t address, const void *data, size_t length)
{
    struct devmem_buffer *buffer = user;
    uint64_t second = OWN_ADDRESS * 2 + buffer->size;
    uint64_t half = buffer->size / DEVMEM_PAGE / 2 * DEVMEM_PAGE;
    uint64_t offset = address >= second ? half + (address - second) : address - OWN_ADDRESS;
    assert(offset <= buffer->size && length <= buffer->size - offset);
    memcpy(buffer->own + offset, data, length);
}

static void own_read(void *user, uint64_t offset, void *out, size_t length)
{
    const struct devmem_buffer *buffer = user;
    memcpy(out, buffer->own + offset, length);
}

static void own_release(void *user)
{
    struct devmem_buffer *buffer = user;
    smc_alloc_release(buffer->host->config.alloc, buffer->own, (size_t)buffer->size, 1);
}

int devmem_buffer_new(struct devmem *host, uint64_t size, struct devmem_buffer **out)
{
    static const struct devmem_exporter own = {
        .map = own_map, .dma_write = own_write, .read = own_read, .release = own_release};
    struct devmem_buffer *buffer = NULL;
    if (size > SIZE_MAX)
        return DEVMEM_EINVAL;
    int error = devmem_buffer_export(host, &own, NULL, size, &buffer);
    if (error != 0)
        return error;
    buffer->user = buffer;
    buffer->own = smc_alloc_zeroed(host->config.alloc, (size_t)size, 1);
    if (buffer->own == NULL) {
        devmem_buffer_put(buffer);
        return DEVMEM_ENOMEM;
    }
    *out = buffer;
    return 0;
}

void devmem_buffer_put(struct devmem_buffer *buffer)
{
    struct devmem *host = buffer->host;
    assert(buffer->refs > 0);
    if (--buffer->refs > 0)
        return;
    if (buffer->exporter.release != NULL)
        buffer->exporter.release(buffer->user);
    host->objects.buffers--;
    smc_alloc_release(host->config.alloc, buffer, 1, sizeof(*buffer));
}

uint64_t devmem_buffer_size(const struct devmem_buffer *buffer)
{
    return buffer->size;
}

int devmem_buffer_read(const struct devmem_buffer *buffer, uint64_t offset, void *out, size_t length)
{
    if (offset > buffer->size || length > buffer->size - offset)
        return DEVMEM_ERANGE;
    if (length > 0)
        buffer->exporter.read(buffer->user, offset, out, length);
    return 0;
}

/* ---- descriptors ---- */
int devmem_buffer_fd(struct devmem_buffer *buffer)
{
    struct devmem *host = buffer->host;
    size_t at = 0;
    while (at < host->nfds && host->fds[at] != NULL)
        at++;
    if (at == host->nfds) {
        if (host->nfds >= INT32_MAX / 2)
            return DEVMEM_ENOMEM;
        struct devmem_buffer **fds = smc_alloc_grow(host->config.alloc, host->fds, host->nfds,
                                                    host->nfds + 4, sizeof(struct devmem_buffer *));
        if (fds == NULL)
            return DEVMEM_ENOMEM;
        host->fds = fds;
        host->nfds += 4;
    }
    host->fds[at] = buffer;
    buffer->refs++;
    return (int)at + DEVMEM_FD_FIRST;
}

struct devmem_buffer *devmem_fd_buffer(const struct devmem *host, int fd)
{
    if (fd < DEVMEM_FD_FIRST || (size_t)(fd - DEVMEM_FD_FIRST) >= host->nfds)
        return NULL;
    return host->fds[fd - DEVMEM_FD_FIRST];
}

int devmem_close_fd(struct devmem *host, int fd)
{
    struct devmem_buffer *buffer = devmem_fd_buffer(host, fd);
    if (buffer == NULL)
        return DEVMEM_EBADF;
    host->fds[fd - DEVMEM_FD_FIRST] = NULL;
    devmem_buffer_put(buffer);
    return 0;
}
