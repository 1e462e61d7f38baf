/* The allocator of a run: what is alive is counted, and some allocations fail because the plan wants it.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#include <stddef.h>
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

/* In front of each block stands its size: whoever gives it back must know it (smc/alloc.h). */
union head {
    size_t size;
    max_align_t aligned;
};

static union head *head_of(struct explore_memory *m, void *block, size_t size)
{
    union head *head = block != NULL ? (union head *)block - 1 : NULL;
    m->wrong_sizes += head != NULL && head->size != size;
    return head;
}

static void *filled(union head *head, size_t size)
{
    if (head == NULL)
        return NULL;
    head->size = size;
    return head + 1;
}

static void *allocate(void *user, size_t size)
{
    struct explore_memory *m = user;
    void *block = refuses(m) ? NULL : filled(malloc(sizeof(union head) + size), size);
    m->blocks += block != NULL;
    return block;
}

static void *resize(void *user, void *block, size_t old_size, size_t new_size)
{
    struct explore_memory *m = user;
    union head *head = head_of(m, block, old_size);
    void *grown = refuses(m) ? NULL : filled(realloc(head, sizeof(union head) + new_size), new_size);
    m->blocks += grown != NULL && block == NULL;
    return grown;
}

static void release(void *user, void *block, size_t size)
{
    struct explore_memory *m = user;
    m->blocks -= block != NULL;
    free(head_of(m, block, size));
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
