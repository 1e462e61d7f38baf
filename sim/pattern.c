/* Patterns: each eight bytes are a mixed counter, so that any part can be made without what is before it.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/pattern.h"

#include "sim/hash.h"
#include "wire/field.h"

/* The word that covers bytes [8 i, 8 i + 8) of a pattern, little endian. */
static uint64_t pattern_word(uint64_t base, uint64_t i)
{
    return sim_mix(base + i);
}

void sim_pattern(uint64_t pattern, uint64_t from, void *to, size_t n)
{
    uint8_t *p = to;
    uint64_t base = sim_mix(pattern + UINT64_C(0x9e3779b97f4a7c15));
    for (; n > 0 && from % 8 != 0; from++, n--)
        *p++ = (uint8_t)(pattern_word(base, from / 8) >> (from % 8 * 8));
    for (; n >= 8; from += 8, n -= 8, p += 8)
        smc_store_le(p, 8, pattern_word(base, from / 8));
    for (; n > 0; from++, n--)
        *p++ = (uint8_t)(pattern_word(base, from / 8) >> (from % 8 * 8));
}
