/* What the unit tests of this folder share: the vectors, messages in memory of exactly their size, random numbers.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SMC_WIRE_WIRE_TEST_H
#define SMC_WIRE_WIRE_TEST_H

#include <stdlib.h>
#include <string.h>

#include "testing/check_main.h"
#include "wire/message.h"
#include "wire/vectors.h"

struct vector {
    const char *name;
    const char *grammar; /* name of a message; empty: none */
    const uint8_t *bytes;
    size_t size;
};

#define VECTOR_BYTES(name_, grammar_, ...) static const uint8_t vector_##name_[] = {__VA_ARGS__};
SMC_VECTORS(VECTOR_BYTES)
#define VECTOR_ROW(name_, grammar_, ...) {#name_, grammar_, vector_##name_, sizeof(vector_##name_)},
static const struct vector vectors[] = {SMC_VECTORS(VECTOR_ROW)};
enum { NVECTORS = sizeof(vectors) / sizeof(vectors[0]) };

/* A copy that ends where its memory ends, so that a sanitizer sees the first byte read beyond. */
static inline uint8_t *exactly(const uint8_t *bytes, size_t size)
{
    uint8_t *p = malloc(size ? size : 1);
    ck_assert_ptr_nonnull(p);
    if (size)
        memcpy(p, bytes, size);
    return p;
}

/* The vector of that name, to be freed. */
static inline uint8_t *vector_copy(const char *name, size_t *size)
{
    for (unsigned i = 0; i < NVECTORS; i++) {
        if (strcmp(vectors[i].name, name) != 0)
            continue;
        *size = vectors[i].size;
        return exactly(vectors[i].bytes, vectors[i].size);
    }
    ck_abort_msg("no vector %s", name);
}

static inline const struct smc_message *message_named(const char *name)
{
    for (unsigned i = 0; smc_message_families[i]; i++)
        for (unsigned k = 0; smc_message_families[i][k]; k++)
            if (strcmp(smc_message_families[i][k]->name, name) == 0)
                return smc_message_families[i][k];
    return NULL;
}

/* A fixed sequence for a fixed seed (xorshift64). */
static inline uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static inline void random_bytes(uint64_t *state, void *to, size_t n)
{
    uint8_t *p = to;
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(next_random(state) >> 32);
}

/* What holds of every parse: parts inside the bytes, in ascending order; a rejection names its rule. */
static inline void check_parse(bool parsed, const struct smc_parsed *m,
                               const struct smc_reject *why)
{
    size_t end = 0;
    for (unsigned i = 0; i < m->n; i++) {
        ck_assert_uint_ge(m->at[i].off, end);
        ck_assert_uint_ge(m->at[i].count, 1);
        end = m->at[i].off + (size_t)m->at[i].count * m->at[i].layout->size;
        ck_assert_uint_le(end, smc_view_len(m->bytes));
    }
    if (parsed)
        return;
    ck_assert_ptr_nonnull(why->rule);
    ck_assert_ptr_nonnull(why->field);
    ck_assert_ptr_nonnull(why->what);
    ck_assert_uint_le(why->offset, smc_view_len(m->bytes));
}

#endif
