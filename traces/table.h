/* A hash table of borrowed items, open addressing (private to traces/). Never iterated: no output can
 * depend on hash order.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRACE_TABLE_H
#define TRACE_TABLE_H

#include "packet.h"

struct trace_cell {
    uint64_t hash;
    void *item; /* NULL: free */
};

/* All zero is an empty table. */
struct trace_table {
    struct trace_cell *cells;
    size_t size; /* 0 or a power of two */
    size_t used;
};

typedef bool (*trace_same_fn)(const void *item, const void *key);

/* The item with this hash for which same(item, key) holds, or NULL. */
void *trace_table_find(const struct trace_table *t, uint64_t hash, trace_same_fn same, const void *key);
/* Adds an item that is not in the table. -1 if memory is short. */
int trace_table_add(struct trace_table *t, uint64_t hash, void *item);
/* Takes out an item that is in the table under this hash. */
void trace_table_remove(struct trace_table *t, uint64_t hash, const void *item);
void trace_table_free(struct trace_table *t);

static inline uint64_t trace_mix(uint64_t h, uint64_t word)
{
    h ^= word; /* addresses differ in their last bytes, which are the word's high bits: fold them down first */
    h = (h ^ h >> 32) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 29;
}

static inline uint64_t trace_hash_addr(const struct trace_addr *a, uint64_t seed)
{
    uint64_t w[2];
    memcpy(w, a->b, sizeof w);
    return trace_mix(trace_mix(seed, w[0]), w[1]);
}

#endif
