/* What the dibs devices share: fault plans, element masks, seeded random numbers.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef DEVICES_DIBS_PARTS_H
#define DEVICES_DIBS_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include <smc/error.h>
#include <smc/gid.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { DIBS_PAGE_BYTES = 4096, DIBS_MAX_DMB_BYTES = 1 << 20 };

/* ---- fault plans ----
 * A device holds one and asks it at each operation. All zero: no faults. Written by whoever tests,
 * at any time. */
enum dibs_fault_point {
    DIBS_FAULT_QUERY,
    DIBS_FAULT_REGISTER,
    DIBS_FAULT_ATTACH,
    DIBS_FAULT_MOVE, /* checked after the arguments, so a refused move has placed nothing */
    DIBS_FAULT_EVENT,
    DIBS_FAULT_VLAN
};

/* "Let `after` operations pass, then `times` of them return `error`." */
struct dibs_fault {
    enum dibs_fault_point point;
    uint32_t after;
    uint32_t times;
    int error; /* one that the operation may return */
};

enum { DIBS_MAX_FAULTS = 8 };

struct dibs_faults {
    struct dibs_fault rules[DIBS_MAX_FAULTS];
    uint32_t count;
    /* Signals and events are delivered no earlier than this; until then they coalesce. A device
     * loses none of them, so this must come. 0: no delay. */
    uint64_t hold_until_ns;
    /* How many times more than once each event is delivered. */
    uint32_t event_copies;
};

/* Rules that are used up make room. SMC_ERR_NOSPACE. */
int dibs_faults_add(struct dibs_faults *faults, enum dibs_fault_point point, uint32_t after,
                    uint32_t times, int error);

/* One operation at `point` is about to happen: 0, or the error it has to return. Every rule of that
 * point counts it; the first one that is due decides. */
int dibs_faults_ask(struct dibs_faults *faults, enum dibs_fault_point point);

/* ---- small parts ---- */

/* The bit of an element in a signal's mask: 0x1000 rotated right by the element's number mod 16. */
static inline uint16_t dibs_element_mask(uint32_t element)
{
    uint32_t doubled = 0x10001000u >> (element & 15);
    return (uint16_t)doubled;
}

/* SplitMix64: the next of a sequence that the seed in *state decides. */
static inline uint64_t dibs_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Two 64-bit numbers as they stand in a GID, big endian. */
static inline struct smc_gid dibs_gid(uint64_t high, uint64_t low)
{
    struct smc_gid gid;
    for (int i = 7; i >= 0; i--, high >>= 8, low >>= 8) {
        gid.bytes[i] = (uint8_t)high;
        gid.bytes[8 + i] = (uint8_t)low;
    }
    return gid;
}

/* A DMB's length as devices take it: whole pages, not 0, not above `most`. */
static inline bool dibs_length_ok(uint32_t length, uint32_t most)
{
    return length > 0 && length % DIBS_PAGE_BYTES == 0 && length <= most;
}

/* [DIBS-012] [IVSHMEM-010]: in 64 bits, so that nothing wraps around. */
static inline bool dibs_inside(uint32_t offset, uint32_t size, uint32_t length)
{
    return (uint64_t)offset + size <= length;
}

#ifdef __cplusplus
}
#endif

#endif
