/* The caller's memory: the one way in which the core obtains and returns it.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SMC_ALLOC_H
#define SMC_ALLOC_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The core never calls malloc(). Whoever creates an object of the core passes this table; the object
 * borrows it: table and `user` must live as long as the object and whatever was allocated through it.
 *
 * EVERY call that asks for memory may fail, at any time, and the core goes on: the function that
 * needed the memory returns SMC_ERR_NOMEM and leaves its object as it was before the call. Tests make
 * the first, the second, the third … allocation fail and check just that.
 *
 * The functions are called from the thread that called the core, never concurrently for one object.
 * Memory is aligned for any object (as malloc's). Its content is undefined unless said otherwise. */
struct smc_alloc {
    /* `size` bytes, size > 0; NULL if there are none. */
    void *(*allocate)(void *user, size_t size);
    /* Makes a block `new_size` bytes long (> 0), keeping min(old_size, new_size) bytes of content.
     * NULL: nothing changed, the old block is still valid. `block` NULL with old_size 0: allocate. */
    void *(*resize)(void *user, void *block, size_t old_size, size_t new_size);
    /* Returns a block; `size` is its present size. Never called with NULL. Cannot fail. */
    void (*release)(void *user, void *block, size_t size);
    /* Passed back to the three functions; otherwise untouched. */
    void *user;
};

/* The functions below are what the core itself uses: with them no size is multiplied unchecked. */

/* count × size bytes, all zero; NULL if that overflows, is 0, or memory is short. */
static inline void *smc_alloc_zeroed(const struct smc_alloc *alloc, size_t count, size_t size)
{
    if (count == 0 || size == 0 || count > SIZE_MAX / size)
        return NULL;
    void *block = alloc->allocate(alloc->user, count * size);
    if (block != NULL)
        memset(block, 0, count * size);
    return block;
}

/* A block of old_count elements becomes one of new_count, new elements zeroed; NULL (overflow,
 * new_count 0, memory short) leaves the old block valid. `block` may be NULL when old_count is 0. */
static inline void *smc_alloc_grow(const struct smc_alloc *alloc, void *block, size_t old_count,
                                   size_t new_count, size_t size)
{
    if (new_count == 0 || size == 0 || new_count > SIZE_MAX / size || old_count > new_count)
        return NULL;
    void *grown = alloc->resize(alloc->user, block, old_count * size, new_count * size);
    if (grown != NULL)
        memset((char *)grown + old_count * size, 0, (new_count - old_count) * size);
    return grown;
}

/* Returns `count` elements of `size` bytes; NULL is allowed and does nothing. */
static inline void smc_alloc_release(const struct smc_alloc *alloc, void *block, size_t count,
                                     size_t size)
{
    if (block != NULL)
        alloc->release(alloc->user, block, count * size);
}

#ifdef __cplusplus
}
#endif

#endif
