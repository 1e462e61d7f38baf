/* The hash table behind flows and streams.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"

#include <stdlib.h>

enum { FIRST_SIZE = 64 };

void *trace_table_find(const struct trace_table *t, uint64_t hash, trace_same_fn same, const void *key)
{
    if (t->size == 0)
        return NULL;
    for (size_t i = hash & (t->size - 1); t->cells[i].item; i = (i + 1) & (t->size - 1)) {
        if (t->cells[i].hash == hash && same(t->cells[i].item, key))
            return t->cells[i].item;
    }
    return NULL;
}

static void put(struct trace_cell *cells, size_t size, uint64_t hash, void *item)
{
    size_t i = hash & (size - 1);
    while (cells[i].item)
        i = (i + 1) & (size - 1);
    cells[i] = (struct trace_cell){hash, item};
}

static int grow(struct trace_table *t)
{
    size_t size = t->size ? t->size * 2 : FIRST_SIZE;
    struct trace_cell *cells = calloc(size, sizeof *cells);
    if (!cells)
        return -1;
    for (size_t i = 0; i < t->size; i++) {
        if (t->cells[i].item)
            put(cells, size, t->cells[i].hash, t->cells[i].item);
    }
    free(t->cells);
    t->cells = cells;
    t->size = size;
    return 0;
}

int trace_table_add(struct trace_table *t, uint64_t hash, void *item)
{
    if (t->used >= t->size / 2 && grow(t) != 0)
        return -1;
    put(t->cells, t->size, hash, item);
    t->used++;
    return 0;
}

/* Closes the hole at i: moves back what was pushed past its own cell, so that no tombstones are needed. */
static void close_hole(struct trace_table *t, size_t i)
{
    size_t mask = t->size - 1;
    for (size_t j = (i + 1) & mask; t->cells[j].item; j = (j + 1) & mask) {
        size_t home = t->cells[j].hash & mask;
        if (((j - home) & mask) >= ((j - i) & mask)) {
            t->cells[i] = t->cells[j];
            i = j;
        }
    }
    t->cells[i].item = NULL;
}

void trace_table_remove(struct trace_table *t, uint64_t hash, const void *item)
{
    size_t i = hash & (t->size - 1);
    while (t->cells[i].item != item)
        i = (i + 1) & (t->size - 1);
    close_hole(t, i);
    t->used--;
}

void trace_table_free(struct trace_table *t)
{
    free(t->cells);
    *t = (struct trace_table){0};
}
