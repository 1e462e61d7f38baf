/* A ring of bytes that grows from nothing, for what TCP holds to send and what it has received.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_TCP_RING_H
#define SIM_TCP_RING_H

#include <smc/alloc.h>

/* All zero is an empty ring without memory. Bytes 0 … used - 1 count from the oldest; what
 * tcp_ring_write() put behind `used` is kept too (segments out of order). */
struct tcp_ring {
    uint8_t *bytes;
    uint32_t size; /* a power of two, or 0 */
    uint32_t head;
    uint32_t used;
};

/* Room for `need` bytes counted from the oldest (at most 2^30). SMC_ERR_NOMEM: nothing changed. */
int tcp_ring_reserve(const struct smc_alloc *alloc, struct tcp_ring *ring, uint32_t need);
void tcp_ring_free(const struct smc_alloc *alloc, struct tcp_ring *ring);
/* offset + length within what was reserved. `used` stays. */
void tcp_ring_write(struct tcp_ring *ring, uint32_t offset, const void *data, uint32_t length);
void tcp_ring_read(const struct tcp_ring *ring, uint32_t offset, void *data, uint32_t length);
/* Forgets the oldest; length <= used. */
void tcp_ring_drop(struct tcp_ring *ring, uint32_t length);

#endif
