/* The RoCE NIC's map from 32-bit keys (QP numbers, memory keys) to objects: open addressing.
 * SPDX-License-Identifier: BSD-3-Clause */
#include <assert.h>

#include "devices/roce_internal.h"

static uint32_t home(const struct roce_map *map, uint32_t key)
{
    return (uint32_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (map->capacity - 1);
}

/* The key's slot, or the free one where it would go. There is always a free one. */
static struct roce_map_slot *slot_of(const struct roce_map *map, uint32_t key)
{
    uint32_t i = home(map, key);
    while (map->slots[i].value != NULL && map->slots[i].key != key)
        i = (i + 1) & (map->capacity - 1);
    return &map->slots[i];
}

void *roce_map_find(const struct roce_map *map, uint32_t key)
{
    return map->capacity > 0 ? slot_of(map, key)->value : NULL;
}

static int grow(struct roce_map *map, const struct smc_alloc *alloc)
{
    struct roce_map bigger = {.capacity = map->capacity > 0 ? map->capacity * 2 : 16,
                              .count = map->count};
    bigger.slots = smc_alloc_zeroed(alloc, bigger.capacity, sizeof(*bigger.slots));
    if (bigger.slots == NULL)
        return SMC_ERR_NOMEM;
    for (uint32_t i = 0; i < map->capacity; i++)
        if (map->slots[i].value != NULL)
            *slot_of(&bigger, map->slots[i].key) = map->slots[i];
    smc_alloc_release(alloc, map->slots, map->capacity, sizeof(*map->slots));
    *map = bigger;
    return 0;
}

int roce_map_add(struct roce_map *map, const struct smc_alloc *alloc, uint32_t key, void *value)
{
    if (map->count >= map->capacity / 2) {
        int error = grow(map, alloc);
        if (error < 0)
            return error;
    }
    struct roce_map_slot *slot = slot_of(map, key);
    assert(slot->value == NULL && value != NULL);
    *slot = (struct roce_map_slot){.key = key, .value = value};
    map->count++;
    return 0;
}

/* Closes the gap, so that no search ends too early: whatever stands behind it and is not at home
 * between gap and itself moves up. */
void roce_map_remove(struct roce_map *map, uint32_t key)
{
    if (roce_map_find(map, key) == NULL)
        return;
    uint32_t last = map->capacity - 1;
    uint32_t gap = (uint32_t)(slot_of(map, key) - map->slots);
    for (uint32_t i = (gap + 1) & last; map->slots[i].value != NULL; i = (i + 1) & last) {
        uint32_t wanted = home(map, map->slots[i].key);
        if (((i - wanted) & last) >= ((i - gap) & last)) {
            map->slots[gap] = map->slots[i];
            gap = i;
        }
    }
    map->slots[gap] = (struct roce_map_slot){0};
    map->count--;
}

void roce_map_free(struct roce_map *map, const struct smc_alloc *alloc)
{
    smc_alloc_release(alloc, map->slots, map->capacity, sizeof(*map->slots));
    *map = (struct roce_map){0};
}
