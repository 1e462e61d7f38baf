/* Inside of the ivshmem device: where things stand in the shared region, and atomic access to them.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef DEVICES_IVSHMEM_REGION_H
#define DEVICES_IVSHMEM_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "devices/dibs_parts.h"

enum { IVSHMEM_VERSION = 2, IVSHMEM_MAX_PEERS = 1024, IVSHMEM_MAX_DMBS = 4096 };
enum { IVSHMEM_EVENT_SLOTS = 16 };

/* Offsets of words in the header page, in a peer's slot, a directory entry, an event ring. */
enum { HEADER_MAGIC = 0, HEADER_VERSION = 8, HEADER_ORDER = 12, HEADER_HOST = 16 };
enum { HEADER_FABRIC = 24, HEADER_PEERS = 28, HEADER_DMBS = 32, HEADER_FORMATTING = 36 };
/* A bit a peer, by ID: somebody has rung for it. Whoever has no interrupts looks here. */
enum { HEADER_RUNG = 256 };
enum { PEER_GENERATION = 0, PEER_PRESENT = 4, PEER_VECTORS = 8, PEER_ALIVE = 12, PEER_BYTES = 16 };
enum { DMB_STATE = 0, DMB_GENERATION = 4, DMB_OWNER = 8, DMB_OWNER_GENERATION = 12 };
enum { DMB_WRITER = 16, DMB_WRITER_GENERATION = 20, DMB_LENGTH = 24, DMB_PAGE = 28 };
enum { DMB_MASK = 32, DMB_BYTES = 64 };
enum { RING_HEAD = 0, RING_SLOTS = 32, SLOT_BYTES = 32 };
/* A slot's turn says whose it is: ticket = free for the producer with that ticket, ticket + 1 = full. */
enum { SLOT_TURN = 0, SLOT_ID = 4, SLOT_GENERATION = 8, SLOT_CODE = 12, SLOT_DATA = 16 };
enum { RING_BYTES = RING_SLOTS + IVSHMEM_EVENT_SLOTS * SLOT_BYTES };

enum dmb_state { DMB_FREE = 0, DMB_CLAIMED = 1, DMB_LIVE = 2 };

/* The region as this machine read it once; not read again. */
struct ivshmem_region {
    uint8_t *memory;
    size_t bytes;
    uint64_t host_id;
    uint16_t fabric_id;
    uint32_t max_peers, max_dmbs;
    uint32_t pages;                                        /* of data */
    size_t peers, directory, bitmap, pending, rings, data; /* offsets */
};

/* Formats a region that is all zero, or checks one that is formatted; see ivshmem_create. */
int ivshmem_region_open(struct ivshmem_region *region, uint8_t *memory, size_t bytes,
                        const struct ivshmem_region *wanted);

uint32_t ivshmem_load(const struct ivshmem_region *region, size_t offset);
void ivshmem_store(const struct ivshmem_region *region, size_t offset, uint32_t value);
uint32_t ivshmem_exchange(const struct ivshmem_region *region, size_t offset, uint32_t value);
uint32_t ivshmem_set_bits(const struct ivshmem_region *region, size_t offset, uint32_t bits);
uint32_t ivshmem_clear_bits(const struct ivshmem_region *region, size_t offset, uint32_t bits);
uint32_t ivshmem_add(const struct ivshmem_region *region, size_t offset, uint32_t value);
/* true: it was `old_value`. */
bool ivshmem_replace(const struct ivshmem_region *region, size_t offset, uint32_t old_value,
                     uint32_t new_value);

static inline size_t ivshmem_peer_at(const struct ivshmem_region *region, uint32_t id)
{
    return region->peers + (size_t)id * PEER_BYTES;
}

static inline size_t ivshmem_dmb_at(const struct ivshmem_region *region, uint32_t slot)
{
    return region->directory + (size_t)slot * DMB_BYTES;
}

static inline uint32_t ivshmem_pending_words(const struct ivshmem_region *region)
{
    return (region->max_dmbs + 31) / 32;
}

static inline size_t ivshmem_pending_at(const struct ivshmem_region *region, uint32_t id,
                                        uint32_t slot)
{
    return region->pending + ((size_t)id * ivshmem_pending_words(region) + slot / 32) * 4;
}

static inline uint8_t *ivshmem_page(const struct ivshmem_region *region, uint32_t page)
{
    return region->memory + region->data + (size_t)page * DIBS_PAGE_BYTES;
}

/* Whether [page, page + length) are whole pages of the data area. */
bool ivshmem_pages_ok(const struct ivshmem_region *region, uint32_t page, uint32_t length);
/* Claims `count` pages in a row that are free in the bitmap and not `refused`; SMC_ERR_NOSPACE. */
int ivshmem_claim_pages(const struct ivshmem_region *region, uint32_t count,
                        bool (*refused)(void *user, uint32_t page), void *user, uint32_t *first);
void ivshmem_free_pages(const struct ivshmem_region *region, uint32_t first, uint32_t count);

struct ivshmem_message {
    uint32_t id, generation, code;
    uint64_t data;
};
/* false: full, or nothing there. A ring in which the turns make no sense is full and empty. */
bool ivshmem_ring_put(const struct ivshmem_region *region, uint32_t id,
                      const struct ivshmem_message *message);
bool ivshmem_ring_get(const struct ivshmem_region *region, uint32_t id, uint32_t *next,
                      struct ivshmem_message *message);
/* The owner empties its ring; returns the next ticket. */
uint32_t ivshmem_ring_reset(const struct ivshmem_region *region, uint32_t id);

#endif
