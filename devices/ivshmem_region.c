/* The shared region of ivshmem: its layout, its format, pages, event rings, by atomic words throughout.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/ivshmem_region.h"

#include <stdatomic.h>
#include <string.h>

#include "wire/field.h"

/* "SMCDIVSH", the first letter at the lowest address. */
#define MAGIC_LOW       0x44434d53u
#define MAGIC_HIGH      0x48535649u
#define BYTE_ORDER_MARK 0x01020304u

_Static_assert(HEADER_RUNG + IVSHMEM_MAX_PEERS / 8 <= DIBS_PAGE_BYTES, "the flags stand in the header page");

/* ---- words ---- */

static _Atomic uint32_t *word(const struct ivshmem_region *region, size_t offset)
{
    return (_Atomic uint32_t *)(void *)(region->memory + offset);
}

/* Little endian in memory; the same both ways. */
static uint32_t swap(uint32_t value)
{
    uint8_t bytes[4];
    memcpy(bytes, &value, sizeof(bytes));
    return (uint32_t)smc_load_le(bytes, sizeof(bytes));
}

uint32_t ivshmem_load(const struct ivshmem_region *region, size_t offset)
{
    return swap(atomic_load(word(region, offset)));
}

void ivshmem_store(const struct ivshmem_region *region, size_t offset, uint32_t value)
{
    atomic_store(word(region, offset), swap(value));
}

uint32_t ivshmem_exchange(const struct ivshmem_region *region, size_t offset, uint32_t value)
{
    return swap(atomic_exchange(word(region, offset), swap(value)));
}

uint32_t ivshmem_set_bits(const struct ivshmem_region *region, size_t offset, uint32_t bits)
{
    return swap(atomic_fetch_or(word(region, offset), swap(bits)));
}

uint32_t ivshmem_clear_bits(const struct ivshmem_region *region, size_t offset, uint32_t bits)
{
    return swap(atomic_fetch_and(word(region, offset), ~swap(bits)));
}

bool ivshmem_replace(const struct ivshmem_region *region, size_t offset, uint32_t old_value,
                     uint32_t new_value)
{
    uint32_t expected = swap(old_value);
    return atomic_compare_exchange_strong(word(region, offset), &expected, swap(new_value));
}

uint32_t ivshmem_add(const struct ivshmem_region *region, size_t offset, uint32_t value)
{
    uint32_t before;
    do
        before = ivshmem_load(region, offset);
    while (!ivshmem_replace(region, offset, before, before + value));
    return before + value;
}

/* ---- layout and format ---- */

/* Follows from the two counts and the size, so that no offset is ever read from the region. */
static int lay_out(struct ivshmem_region *r)
{
    if (r->max_peers == 0 || r->max_peers > IVSHMEM_MAX_PEERS || r->max_dmbs == 0 ||
        r->max_dmbs > IVSHMEM_MAX_DMBS)
        return SMC_ERR_ARGUMENT;
    size_t all_pages = r->bytes / DIBS_PAGE_BYTES;
    r->peers = DIBS_PAGE_BYTES;
    r->directory = r->peers + (size_t)r->max_peers * PEER_BYTES;
    r->directory = (r->directory + 63) / 64 * 64;
    r->bitmap = r->directory + (size_t)r->max_dmbs * DMB_BYTES;
    r->pending = r->bitmap + (all_pages + 31) / 32 * 4;
    r->rings = r->pending + (size_t)r->max_peers * ivshmem_pending_words(r) * 4;
    r->data = r->rings + (size_t)r->max_peers * RING_BYTES;
    r->data = (r->data + DIBS_PAGE_BYTES - 1) / DIBS_PAGE_BYTES * DIBS_PAGE_BYTES;
    if (r->data >= r->bytes)
        return SMC_ERR_NOSPACE;
    size_t pages = (r->bytes - r->data) / DIBS_PAGE_BYTES;
    r->pages =
        pages < UINT32_MAX / DIBS_PAGE_BYTES ? (uint32_t)pages : UINT32_MAX / DIBS_PAGE_BYTES;
    return r->pages > 0 ? 0 : SMC_ERR_NOSPACE;
}

static void format(const struct ivshmem_region *r)
{
    for (size_t offset = DIBS_PAGE_BYTES; offset < r->data; offset += 4)
        ivshmem_store(r, offset, 0);
    for (uint32_t id = 0; id < r->max_peers; id++)
        ivshmem_ring_reset(r, id);
    ivshmem_store(r, HEADER_VERSION, IVSHMEM_VERSION);
    ivshmem_store(r, HEADER_ORDER, BYTE_ORDER_MARK);
    ivshmem_store(r, HEADER_HOST, (uint32_t)r->host_id);
    ivshmem_store(r, HEADER_HOST + 4, (uint32_t)(r->host_id >> 32));
    ivshmem_store(r, HEADER_FABRIC, r->fabric_id);
    ivshmem_store(r, HEADER_PEERS, r->max_peers);
    ivshmem_store(r, HEADER_DMBS, r->max_dmbs);
    ivshmem_store(r, HEADER_MAGIC + 4, MAGIC_HIGH);
    ivshmem_store(r, HEADER_MAGIC, MAGIC_LOW); /* last: from now on others may use it */
}

/* [IVSHMEM-015] */
static int read_header(struct ivshmem_region *r)
{
    if (ivshmem_load(r, HEADER_MAGIC) != MAGIC_LOW ||
        ivshmem_load(r, HEADER_MAGIC + 4) != MAGIC_HIGH ||
        ivshmem_load(r, HEADER_VERSION) != IVSHMEM_VERSION ||
        ivshmem_load(r, HEADER_ORDER) != BYTE_ORDER_MARK)
        return SMC_ERR_PROTOCOL;
    uint32_t fabric_id = ivshmem_load(r, HEADER_FABRIC);
    r->host_id = ivshmem_load(r, HEADER_HOST) | (uint64_t)ivshmem_load(r, HEADER_HOST + 4) << 32;
    r->max_peers = ivshmem_load(r, HEADER_PEERS);
    r->max_dmbs = ivshmem_load(r, HEADER_DMBS);
    r->fabric_id = (uint16_t)fabric_id;
    if (fabric_id < 0xff00 || fabric_id > 0xfffe || r->host_id == 0)
        return SMC_ERR_PROTOCOL;
    return lay_out(r) == 0 ? 0 : SMC_ERR_PROTOCOL;
}

int ivshmem_region_open(struct ivshmem_region *region, uint8_t *memory, size_t bytes,
                        const struct ivshmem_region *wanted)
{
    *region = *wanted;
    region->memory = memory;
    region->bytes = bytes;
    if ((uintptr_t)memory % 8 != 0 || bytes < DIBS_PAGE_BYTES)
        return SMC_ERR_ARGUMENT;
    if (ivshmem_load(region, HEADER_MAGIC) != 0)
        return read_header(region);
    int error = lay_out(region);
    if (error != 0)
        return error;
    if (!ivshmem_replace(region, HEADER_FORMATTING, 0, 1))
        return SMC_ERR_BUSY;
    format(region);
    return 0;
}

/* ---- pages ---- */

bool ivshmem_pages_ok(const struct ivshmem_region *region, uint32_t page, uint32_t length)
{
    return dibs_length_ok(length, UINT32_MAX) &&
           (uint64_t)page + length / DIBS_PAGE_BYTES <= region->pages;
}

static bool page_is_set(const struct ivshmem_region *region, uint32_t page)
{
    return (ivshmem_load(region, region->bitmap + page / 32 * 4) >> page % 32 & 1) != 0;
}

/* Takes page after page; one that somebody else took meanwhile ends the attempt. */
static uint32_t take_run(const struct ivshmem_region *region, uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t page = first + i, bit = 1u << page % 32;
        if (ivshmem_set_bits(region, region->bitmap + page / 32 * 4, bit) & bit)
            return i;
    }
    return count;
}

int ivshmem_claim_pages(const struct ivshmem_region *region, uint32_t count,
                        bool (*refused)(void *user, uint32_t page), void *user, uint32_t *first)
{
    uint32_t run = 0;
    for (uint32_t page = 0; page < region->pages; page++) {
        run = page_is_set(region, page) || refused(user, page) ? 0 : run + 1;
        if (run < count)
            continue;
        *first = page + 1 - count;
        uint32_t taken = take_run(region, *first, count);
        if (taken == count)
            return 0;
        ivshmem_free_pages(region, *first, taken);
        run = 0;
    }
    return SMC_ERR_NOSPACE;
}

void ivshmem_free_pages(const struct ivshmem_region *region, uint32_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        ivshmem_clear_bits(region, region->bitmap + (first + i) / 32 * 4, 1u << (first + i) % 32);
}

/* ---- event rings: many producers, one consumer ---- */

static size_t ring_at(const struct ivshmem_region *region, uint32_t id)
{
    return region->rings + (size_t)id * RING_BYTES;
}

static size_t slot_at(const struct ivshmem_region *region, uint32_t id, uint32_t ticket)
{
    return ring_at(region, id) + RING_SLOTS + (size_t)(ticket % IVSHMEM_EVENT_SLOTS) * SLOT_BYTES;
}

uint32_t ivshmem_ring_reset(const struct ivshmem_region *region, uint32_t id)
{
    for (uint32_t i = 0; i < IVSHMEM_EVENT_SLOTS; i++)
        ivshmem_store(region, slot_at(region, id, i) + SLOT_TURN, i);
    ivshmem_store(region, ring_at(region, id) + RING_HEAD, 0);
    return 0;
}

/* Tries again when another producer was faster, but not for ever: it may be hostile. */
static bool take_ticket(const struct ivshmem_region *region, uint32_t id, uint32_t *ticket)
{
    size_t head = ring_at(region, id) + RING_HEAD;
    for (int attempt = 0; attempt < 64; attempt++) {
        *ticket = ivshmem_load(region, head);
        if (ivshmem_load(region, slot_at(region, id, *ticket) + SLOT_TURN) == *ticket &&
            ivshmem_replace(region, head, *ticket, *ticket + 1))
            return true;
    }
    return false;
}

bool ivshmem_ring_put(const struct ivshmem_region *region, uint32_t id,
                      const struct ivshmem_message *message)
{
    uint32_t ticket;
    if (!take_ticket(region, id, &ticket))
        return false;
    size_t slot = slot_at(region, id, ticket);
    ivshmem_store(region, slot + SLOT_ID, message->id);
    ivshmem_store(region, slot + SLOT_GENERATION, message->generation);
    ivshmem_store(region, slot + SLOT_CODE, message->code);
    ivshmem_store(region, slot + SLOT_DATA, (uint32_t)message->data);
    ivshmem_store(region, slot + SLOT_DATA + 4, (uint32_t)(message->data >> 32));
    ivshmem_store(region, slot + SLOT_TURN, ticket + 1); /* last */
    return true;
}

bool ivshmem_ring_get(const struct ivshmem_region *region, uint32_t id, uint32_t *next,
                      struct ivshmem_message *message)
{
    size_t slot = slot_at(region, id, *next);
    if (ivshmem_load(region, slot + SLOT_TURN) != *next + 1)
        return false;
    message->id = ivshmem_load(region, slot + SLOT_ID);
    message->generation = ivshmem_load(region, slot + SLOT_GENERATION);
    message->code = ivshmem_load(region, slot + SLOT_CODE);
    message->data = ivshmem_load(region, slot + SLOT_DATA) |
                    (uint64_t)ivshmem_load(region, slot + SLOT_DATA + 4) << 32;
    ivshmem_store(region, slot + SLOT_TURN, *next + IVSHMEM_EVENT_SLOTS);
    (*next)++;
    return true;
}
