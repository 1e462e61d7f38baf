/* The allocator of a run: what is alive is counted, and some allocations fail because the plan wants it.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#include <stdlib.h>

static bool refuses(struct explore_memory *m)
{
    if (!m->armed)
        return false;
    uint64_t n = m->count++;
    bool no = n >= m->pass && (n < m->pass + m->fail || (m->every != 0 && (n - m->pass) % m->every == 0));
    m->failed += no;
    return no;
}

static void *allocate(void *user, size_t size)
{
    struct explore_memory *m = user;
    void *block = refuses(m) ? NULL : malloc(size);
    m->blocks += block != NULL;
    return block;
}

static void *resize(void *user, void *block, size_t old_size, size_t new_size)
{
    struct explore_memory *m = user;
    (void)old_size;
    void *grown = refuses(m) ? NULL : realloc(block, new_size);
    m->blocks += grown != NULL && block == NULL;
    return grown;
}

static void release(void *user, void *block, size_t size)
{
    struct explore_memory *m = user;
    (void)size;
    m->blocks -= block != NULL;
    free(block);
}

void explore_memory_init(struct explore_memory *m)
{
    *m = (struct explore_memory){.alloc = {.allocate = allocate, .resize = resize, .release = release, .user = m}};
}

void explore_memory_arm(struct explore_memory *m, const struct explore_fault *f)
{
    m->armed = true;
    m->count = 0;
    m->pass = f->p;
    m->fail = f->q;
    m->every = f->r;
}

void explore_memory_disarm(struct explore_memory *m)
{
    m->armed = false;
}
