/* The generated mutator as an AFL++ custom mutator: AFL_CUSTOM_MUTATOR_LIBRARY=libsmc_afl_mutator.so
 * SPDX-License-Identifier: BSD-3-Clause */
#include "wire/mutate.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* AFL++'s interface (its docs/custom_mutators.md). */
void *afl_custom_init(void *afl, unsigned int seed);
size_t afl_custom_fuzz(void *state, uint8_t *data, size_t size, uint8_t **out, uint8_t *other, size_t other_size,
                       size_t max_size);
void afl_custom_deinit(void *state);

struct mutator {
    uint64_t seed;
    uint8_t *buffer; /* owned; what the last call returned */
    size_t room;
};

void *afl_custom_init(void *afl, unsigned int seed)
{
    struct mutator *m = calloc(1, sizeof *m);
    (void)afl;
    if (m != NULL)
        m->seed = (uint64_t)seed << 32;
    return m;
}

/* Mutates a copy; 0 (skip this round) if there is no memory for one. */
size_t afl_custom_fuzz(void *state, uint8_t *data, size_t size, uint8_t **out, uint8_t *other, size_t other_size,
                       size_t max_size)
{
    struct mutator *m = state;
    (void)other;
    (void)other_size;
    if (m->room < max_size) {
        uint8_t *more = realloc(m->buffer, max_size);
        if (more == NULL)
            return 0;
        m->buffer = more;
        m->room = max_size;
    }
    if (size > max_size)
        size = max_size;
    memcpy(m->buffer, data, size);
    *out = m->buffer;
    return smc_mutate(m->buffer, size, max_size, ++m->seed);
}

void afl_custom_deinit(void *state)
{
    struct mutator *m = state;
    free(m->buffer);
    free(m);
}
