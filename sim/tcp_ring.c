/* A ring of bytes that grows from nothing.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/tcp_ring.h"

#include <smc/error.h>

#include <assert.h>

enum { SMALLEST = 2048 };

int tcp_ring_reserve(const struct smc_alloc *alloc, struct tcp_ring *ring, uint32_t need)
{
    if (need <= ring->size)
        return 0;
    uint32_t size = SMALLEST;
    while (size < need)
        size *= 2;
    uint8_t *bytes = alloc->allocate(alloc->user, size);
    if (bytes == NULL)
        return SMC_ERR_NOMEM;
    if (ring->size > 0)
        tcp_ring_read(ring, 0, bytes, ring->size);
    smc_alloc_release(alloc, ring->bytes, ring->size, 1);
    ring->bytes = bytes;
    ring->size = size;
    ring->head = 0;
    return 0;
}

void tcp_ring_free(const struct smc_alloc *alloc, struct tcp_ring *ring)
{
    smc_alloc_release(alloc, ring->bytes, ring->size, 1);
    memset(ring, 0, sizeof(*ring));
}

void tcp_ring_write(struct tcp_ring *ring, uint32_t offset, const void *data, uint32_t length)
{
    assert(offset + length <= ring->size);
    if (length == 0)
        return;
    uint32_t at = (ring->head + offset) & (ring->size - 1);
    uint32_t first = length < ring->size - at ? length : ring->size - at;
    memcpy(ring->bytes + at, data, first);
    memcpy(ring->bytes, (const uint8_t *)data + first, length - first);
}

void tcp_ring_read(const struct tcp_ring *ring, uint32_t offset, void *data, uint32_t length)
{
    assert(offset + length <= ring->size);
    if (length == 0)
        return;
    uint32_t at = (ring->head + offset) & (ring->size - 1);
    uint32_t first = length < ring->size - at ? length : ring->size - at;
    memcpy(data, ring->bytes + at, first);
    memcpy((uint8_t *)data + first, ring->bytes, length - first);
}

void tcp_ring_drop(struct tcp_ring *ring, uint32_t length)
{
    assert(length <= ring->used);
    if (length == 0)
        return;
    ring->head = (ring->head + length) & (ring->size - 1);
    ring->used -= length;
}
