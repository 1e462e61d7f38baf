/* A fast 128-bit hash that gives the same value everywhere: digests of runs, frames and states.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_HASH_H
#define SIM_HASH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Four 64-bit lanes that take little-endian words in turn. Not cryptographic: it tells runs apart, it
 * keeps out nobody. The value depends on the bytes and the seed only, not on how they were divided into
 * calls, nor on compiler, optimisation or byte order. */
struct sim_hash {
    uint64_t lane[4];
    uint64_t total; /* bytes so far */
    uint8_t tail[32];
};

enum { SIM_HASH_TEXT = 33 }; /* 32 hex digits and the NUL */

void sim_hash_init(struct sim_hash *h, uint64_t seed);
void sim_hash_add(struct sim_hash *h, const void *data, size_t n);
/* An integer, as 8 little-endian bytes. */
void sim_hash_add_u64(struct sim_hash *h, uint64_t value);
/* The value so far; more may be added afterwards. */
void sim_hash_value(const struct sim_hash *h, uint64_t value[2]);
/* As 32 hex digits, value[0] first. Returns text. */
char *sim_hash_text(const uint64_t value[2], char text[SIM_HASH_TEXT]);
/* All at once, 64 bits. */
uint64_t sim_hash_64(const void *data, size_t n, uint64_t seed);

/* Mixes all bits of one word; a bijection. */
static inline uint64_t sim_mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

#ifdef __cplusplus
}
#endif

#endif
