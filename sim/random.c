/* Random streams in integers only: xoshiro256**, unbiased ranges.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/random.h"

#include "sim/hash.h"
#include "wire/field.h"

#include <string.h>

static uint64_t rotate(uint64_t x, unsigned by)
{
    return x << by | x >> (64 - by);
}

void sim_random_init(struct sim_random *r, uint64_t seed, const char *name)
{
    uint64_t x = sim_hash_64(name, strlen(name), seed);
    for (unsigned i = 0; i < 4; i++)
        r->s[i] = sim_mix(x += UINT64_C(0x9e3779b97f4a7c15));
}

uint64_t sim_random_next(struct sim_random *r)
{
    uint64_t *s = r->s, result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

uint64_t sim_random_below(struct sim_random *r, uint64_t n)
{
    if (n < 2)
        return 0;
    uint64_t surplus = (0 - n) % n; /* 2^64 mod n: that many of the lowest values would count twice */
    uint64_t x;
    do
        x = sim_random_next(r);
    while (x < surplus);
    return x % n;
}

uint64_t sim_random_range(struct sim_random *r, uint64_t low, uint64_t high)
{
    if (high - low == UINT64_MAX)
        return sim_random_next(r);
    return low + sim_random_below(r, high - low + 1);
}

bool sim_random_chance(struct sim_random *r, uint64_t numerator, uint64_t denominator)
{
    if (numerator == 0 || numerator >= denominator)
        return numerator != 0;
    return sim_random_below(r, denominator) < numerator;
}

void sim_random_bytes(struct sim_random *r, void *to, size_t n)
{
    uint8_t *p = to, word[8];
    for (; n > 0; p += n < 8 ? n : 8, n -= n < 8 ? n : 8) {
        smc_store_le(word, sizeof word, sim_random_next(r));
        memcpy(p, word, n < 8 ? n : 8);
    }
}

static void swap(uint8_t *a, uint8_t *b, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t t = a[i];
        a[i] = b[i];
        b[i] = t;
    }
}

void sim_random_shuffle(struct sim_random *r, void *elements, size_t count, size_t size)
{
    uint8_t *p = elements;
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)sim_random_below(r, i);
        if (j != i - 1)
            swap(p + (i - 1) * size, p + j * size, size);
    }
}
