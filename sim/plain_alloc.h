/* malloc() as an allocator of the core: for programs that need no other.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_PLAIN_ALLOC_H
#define SIM_PLAIN_ALLOC_H

#include <smc/alloc.h>

#include <stdlib.h>

/* In a header, so that the static programs for guests need not link the laboratory for it. */

static inline void *plain_allocate(void *user, size_t size)
{
    (void)user;
    return malloc(size);
}

static inline void *plain_resize(void *user, void *block, size_t old_size, size_t new_size)
{
    (void)user;
    (void)old_size;
    return realloc(block, new_size);
}

static inline void plain_release(void *user, void *block, size_t size)
{
    (void)user;
    (void)size;
    free(block);
}

/* Fails when malloc() does; `user` is not used. */
static const struct smc_alloc plain_alloc = {plain_allocate, plain_resize, plain_release, NULL};

#endif
