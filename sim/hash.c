/* The digest of runs: multiply, rotate, multiply over four lanes.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/hash.h"

#include "wire/field.h"

#include <string.h>

enum { STRIPE = 32 };

#define FIRST  UINT64_C(0x9fb21c651e98df25) /* odd, about half of the bits set */
#define SECOND UINT64_C(0xd6e8feb86659fd93)

static uint64_t rotate(uint64_t x, unsigned by)
{
    return x << by | x >> (64 - by);
}

/* Shifts that compilers know to be one load on a little-endian machine. */
static uint64_t word_at(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
           (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 | (uint64_t)p[7] << 56;
}

static void take_stripe(uint64_t lane[4], const uint8_t *p)
{
    for (unsigned i = 0; i < 4; i++)
        lane[i] = rotate(lane[i] + word_at(p + 8 * i) * SECOND, 31) * FIRST;
}

void sim_hash_init(struct sim_hash *h, uint64_t seed)
{
    memset(h, 0, sizeof *h);
    for (unsigned i = 0; i < 4; i++)
        h->lane[i] = sim_mix(seed + (i + 1) * UINT64_C(0x9e3779b97f4a7c15));
}

void sim_hash_add(struct sim_hash *h, const void *data, size_t n)
{
    const uint8_t *p = data;
    size_t held = h->total % STRIPE;
    h->total += n;
    if (held + n < STRIPE) {
        if (n > 0)
            memcpy(h->tail + held, p, n);
        return;
    }
    if (held > 0) {
        memcpy(h->tail + held, p, STRIPE - held);
        take_stripe(h->lane, h->tail);
        p += STRIPE - held;
        n -= STRIPE - held;
    }
    for (; n >= STRIPE; n -= STRIPE, p += STRIPE)
        take_stripe(h->lane, p);
    if (n > 0)
        memcpy(h->tail, p, n);
}

void sim_hash_add_u64(struct sim_hash *h, uint64_t value)
{
    uint8_t bytes[8];
    smc_store_le(bytes, sizeof bytes, value);
    sim_hash_add(h, bytes, sizeof bytes);
}

void sim_hash_value(const struct sim_hash *h, uint64_t value[2])
{
    uint64_t lane[4];
    uint8_t last[STRIPE] = {0};
    size_t held = h->total % STRIPE;
    memcpy(lane, h->lane, sizeof lane);
    memcpy(last, h->tail, held);
    take_stripe(lane, last); /* zeros behind the end are told from data by the length below */
    uint64_t a = sim_mix(lane[0] ^ rotate(lane[1], 17)) + h->total;
    uint64_t b = sim_mix(lane[2] ^ rotate(lane[3], 29)) ^ h->total * FIRST;
    value[0] = sim_mix(a + rotate(b, 32) * SECOND);
    value[1] = sim_mix(b + rotate(value[0], 23) * FIRST);
}

char *sim_hash_text(const uint64_t value[2], char text[SIM_HASH_TEXT])
{
    for (unsigned i = 0; i < 32; i++)
        text[i] = "0123456789abcdef"[value[i / 16] >> (60 - 4 * (i % 16)) & 15];
    text[32] = '\0';
    return text;
}

uint64_t sim_hash_64(const void *data, size_t n, uint64_t seed)
{
    struct sim_hash h;
    uint64_t value[2];
    sim_hash_init(&h, seed);
    sim_hash_add(&h, data, n);
    sim_hash_value(&h, value);
    return value[0];
}
