/* ISM firmware: functions of a machine, stores into DMBs, summary bits, the event queue, interrupts.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/ism.h"

#include <assert.h>
#include <string.h>

#include "devices/ism_internal.h"
#include "wire/field.h"
#include "wire/values.h"

enum { FIRST_ADDRESS = 0x10000, IEQ_USABLE = ISM_IEQ_ENTRIES - 1 };
enum { TYPE_GID = 1, CODE_DISABLED = 1 };

/* ---- finding things ---- */

struct ism_function *ism_find_function(struct ism_fabric *fabric, uint64_t gid)
{
    struct ism_function *f = fabric->functions;
    while (f != NULL && (f->gid != gid || f->gone))
        f = f->next;
    return f;
}

bool ism_has_vlan(const struct ism_function *function, uint16_t vlan_id)
{
    for (uint32_t i = 0; i < function->vlan_count; i++)
        if (function->vlans[i] == vlan_id)
            return true;
    return false;
}

/* A token is a random part of 21 bits and the index in its upper half; the lower half is left to
 * element, signal and offset. The index finds the DMB, the rest makes it hard to guess. */
uint64_t ism_new_token(struct ism_fabric *fabric, uint32_t index)
{
    uint64_t token;
    do
        token = (dibs_random(&fabric->random) >> 43 << 11 | index) << 32;
    while (ism_find_dmb(fabric, token, NULL) != NULL || token == 0);
    return token;
}

struct ism_dmb *ism_find_dmb(struct ism_fabric *fabric, uint64_t token, struct ism_function **owner)
{
    uint32_t index = (uint32_t)(token >> 32) & 0x7ff;
    if (index >= ISM_DMBS || token == 0)
        return NULL;
    for (struct ism_function *f = fabric->functions; f != NULL; f = f->next)
        if (!f->gone && f->dmbs[index].token == token) {
            if (owner != NULL)
                *owner = f;
            return &f->dmbs[index];
        }
    return NULL;
}

/* ---- the driver's memory ---- */

int ism_map(struct ism_function *function, uint8_t *memory, uint32_t length, uint64_t *address)
{
    struct ism_mapping *m = smc_alloc_zeroed(function->fabric->alloc, 1, sizeof(*m));
    if (m == NULL)
        return SMC_ERR_NOMEM;
    m->address = function->next_address;
    m->memory = memory;
    m->length = length;
    m->next = function->mappings;
    function->mappings = m;
    uint64_t pages = ((uint64_t)length + DIBS_PAGE_BYTES - 1) / DIBS_PAGE_BYTES;
    /* A page stays free behind each, so that running over the end meets nothing. */
    function->next_address += (pages + 1) * DIBS_PAGE_BYTES;
    *address = m->address;
    return 0;
}

static bool lies_in(const struct ism_mapping *m, const uint8_t *memory)
{
    return memory != NULL && memory >= m->memory && memory < m->memory + m->length;
}

/* A driver that takes away what is registered ends the registration, as a fault of the bus would. */
static void forget(struct ism_function *function, const struct ism_mapping *m)
{
    if (lies_in(m, function->sba))
        function->sba = NULL;
    if (lies_in(m, function->ieq))
        function->ieq = NULL;
    for (uint32_t i = 0; i < ISM_DMBS; i++)
        if (lies_in(m, function->dmbs[i].memory))
            function->dmbs[i] = (struct ism_dmb){0};
}

void ism_unmap(struct ism_function *function, uint64_t address)
{
    struct ism_mapping **link = &function->mappings;
    while (*link != NULL && (*link)->address != address)
        link = &(*link)->next;
    struct ism_mapping *m = *link;
    if (m == NULL)
        return;
    *link = m->next;
    forget(function, m);
    smc_alloc_release(function->fabric->alloc, m, 1, sizeof(*m));
}

uint8_t *ism_reach(struct ism_function *function, uint64_t address, uint64_t length)
{
    for (struct ism_mapping *m = function->mappings; m != NULL; m = m->next)
        if (address >= m->address && address - m->address <= m->length &&
            length <= m->length - (address - m->address))
            return m->memory + (address - m->address);
    return NULL;
}

/* ---- interrupts, signals, events ---- */

void ism_interrupt(struct ism_function *function)
{
    function->raised = true;
    if (function->wake != NULL)
        function->wake(function->user);
}

/* Only the first of several signals finds the summary bit clear and interrupts. [SMCD-007] */
static void set_summary(struct ism_function *to, uint32_t bits, bool interrupt)
{
    uint32_t word = (uint32_t)smc_load_be(to->sba, 4);
    bool quiet = (word & ISM_SUMMARY) != 0;
    smc_store_be(to->sba, 4, word | bits | (interrupt ? ISM_SUMMARY : 0));
    if (interrupt && !quiet)
        ism_interrupt(to);
}

static void signal_dmb(struct ism_function *to, uint32_t index, uint16_t mask)
{
    if (to->sba == NULL)
        return;
    to->sba[ISM_SBA_BITS + index / 8] |= (uint8_t)(0x80u >> index % 8);
    uint8_t *element = to->sba + ISM_SBA_MASKS + 2 * index;
    smc_store_be(element, 2, smc_load_be(element, 2) | mask);
    set_summary(to, 0, true);
}

/* Index and lengths of the queue's header are the firmware's; entry n is at 32 × (n + 1). A queue of
 * 15 entries can hold 14 unread ones: with 15 the index would equal the reader's. The firmware sees
 * that the reader has begun to drain by the event bit, which he clears first. */
bool ism_post(struct ism_function *to, const struct ism_entry *entry, bool interrupt)
{
    if (to->ieq == NULL || to->sba == NULL)
        return false;
    if ((smc_load_be(to->sba, 4) & ISM_EVENT) == 0)
        to->ieq_unread = 0;
    if (to->ieq_unread >= IEQ_USABLE)
        return false;
    uint32_t index = (uint32_t)smc_load_be(to->ieq, 8) % ISM_IEQ_ENTRIES;
    uint8_t *at = to->ieq + 32 * (index + 1);
    memset(at, 0, 32);
    smc_store_be(at, 4, entry->type);
    smc_store_be(at + 4, 4, entry->code);
    smc_store_be(at + 8, 8, entry->token);
    smc_store_be(at + 24, 8, entry->info);
    smc_store_be(to->ieq, 8, (index + 1) % ISM_IEQ_ENTRIES);
    to->ieq_unread++;
    set_summary(to, ISM_EVENT, interrupt);
    return true;
}

static void tell_gone(struct ism_function *to, uint64_t gid)
{
    struct ism_entry entry = {.type = TYPE_GID, .code = CODE_DISABLED, .token = gid};
    /* That a peer is gone must not get lost: the last free place says that of all of them. */
    if (to->ieq_unread >= IEQ_USABLE - 1 && to->sba != NULL &&
        (smc_load_be(to->sba, 4) & ISM_EVENT) != 0)
        entry.token = 0;
    if (!ism_post(to, &entry, true))
        return;
    struct dibs_operation o = {.operation = SMC_RECORD_EVENT,
                               .source = dibs_gid(gid, 0),
                               .destination = dibs_gid(to->gid, 0),
                               .index = CODE_DISABLED,
                               .offset = SMC_DIBS_EVENT_DEVICE};
    dibs_record(to->fabric->observer, &o, NULL);
}

static bool has_dmb_for(const struct ism_function *function, uint64_t gid)
{
    for (uint32_t i = 0; i < ISM_DMBS; i++)
        if (function->dmbs[i].token != 0 && function->dmbs[i].rgid == gid)
            return true;
    return false;
}

/* [SMCD-012]: who has a DMB for the one that is gone, and nobody else. [SMCD-027] */
void ism_function_fail(struct ism_function *function)
{
    if (function->gone)
        return;
    function->gone = true;
    for (struct ism_function *f = function->fabric->functions; f != NULL; f = f->next)
        if (!f->gone && has_dmb_for(f, function->gid))
            tell_gone(f, function->gid);
}

/* ---- stores ---- */

int ism_store_allowed(struct ism_function *function, uint64_t token, uint32_t offset, uint32_t size)
{
    if (function->gone)
        return SMC_ERR_GONE;
    struct ism_function *owner;
    struct ism_dmb *dmb = ism_find_dmb(function->fabric, token, &owner);
    if (dmb == NULL || owner->chid != function->chid)
        return SMC_ERR_NOTFOUND;
    if (dmb->rgid != function->gid) /* [SMCD-011] */
        return SMC_ERR_PERMISSION;
    return dibs_inside(offset, size, dmb->length) ? 0 : SMC_ERR_RANGE;
}

int ism_store(struct ism_function *function, uint64_t address, const void *data, uint32_t size)
{
    uint64_t token = address >> 32 << 32;
    uint32_t offset = (uint32_t)address & 0x7fffff, element = (uint32_t)address >> 24;
    if (size > DIBS_PAGE_BYTES - offset % DIBS_PAGE_BYTES)
        return SMC_ERR_RANGE;
    int error = ism_store_allowed(function, token, offset, size);
    if (error != 0)
        return error;
    struct ism_function *owner;
    struct ism_dmb *dmb = ism_find_dmb(function->fabric, token, &owner);
    if (size > 0)
        memmove(dmb->memory + offset, data, size);
    if (address & 0x800000)
        signal_dmb(owner, (uint32_t)(dmb - owner->dmbs), dibs_element_mask(element));
    return 0;
}

/* ---- life ---- */

int ism_fabric_create(const struct ism_config *config, const struct smc_alloc *alloc,
                      struct ism_fabric **out)
{
    if (config->max_dmb_bytes > 1u << 23)
        return SMC_ERR_ARGUMENT;
    struct ism_fabric *fabric = smc_alloc_zeroed(alloc, 1, sizeof(*fabric));
    if (fabric == NULL)
        return SMC_ERR_NOMEM;
    fabric->alloc = alloc;
    fabric->config = *config;
    if (config->max_dmb_bytes == 0)
        fabric->config.max_dmb_bytes = DIBS_MAX_DMB_BYTES;
    fabric->random = config->seed;
    *out = fabric;
    return 0;
}

int ism_fabric_destroy(struct ism_fabric *fabric)
{
    if (fabric->function_count > 0)
        return SMC_ERR_BUSY;
    smc_alloc_release(fabric->alloc, fabric, 1, sizeof(*fabric));
    return 0;
}

void ism_fabric_observe(struct ism_fabric *fabric, const struct dibs_observer *observer)
{
    fabric->observer = observer;
}

static void plug(struct ism_fabric *fabric, struct ism_function *function)
{
    struct ism_function **end = &fabric->functions;
    while (*end != NULL)
        end = &(*end)->next;
    *end = function;
    fabric->function_count++;
}

static void unplug(struct ism_function *function)
{
    struct ism_function **link = &function->fabric->functions;
    while (*link != function)
        link = &(*link)->next;
    *link = function->next;
}

static void set_up(struct ism_function *function, struct ism_fabric *fabric,
                   const struct ism_function_config *config)
{
    function->fabric = fabric;
    function->gid = config->gid;
    function->chid = config->chid;
    function->accepts_v2 = config->v2_capable;
    function->refuses_vlans = config->no_vlans;
    function->wake = config->wake;
    function->user = config->user;
    function->next_address = FIRST_ADDRESS;
    function->device.ops = &ism_driver_ops;
    function->device.name = config->name;
    if (config->pnet != NULL)
        strncpy(function->pnet, config->pnet, sizeof(function->pnet) - 1);
}

static void release(struct ism_function *function)
{
    while (function->mappings != NULL)
        ism_unmap(function, function->mappings->address);
    function->fabric->function_count--;
    smc_alloc_release(function->fabric->alloc, function, 1, sizeof(*function));
}

int ism_function_create(struct ism_fabric *fabric, const struct ism_function_config *config,
                        struct ism_function **out)
{
    if (config->gid == 0 || (config->pnet != NULL && strlen(config->pnet) > 16))
        return SMC_ERR_ARGUMENT;
    if (ism_find_function(fabric, config->gid) != NULL)
        return SMC_ERR_EXISTS;
    struct ism_function *function = smc_alloc_zeroed(fabric->alloc, 1, sizeof(*function));
    if (function == NULL)
        return SMC_ERR_NOMEM;
    set_up(function, fabric, config);
    plug(fabric, function);
    int error = ism_driver_start(function);
    if (error != 0) {
        unplug(function);
        release(function);
        return error;
    }
    *out = function;
    return 0;
}

int ism_function_destroy(struct ism_function *function)
{
    if (function->device.dibs != NULL)
        return SMC_ERR_BUSY;
    assert(!function->destroyed);
    ism_function_fail(function);
    ism_driver_stop(function);
    unplug(function);
    function->destroyed = true;
    if (function->device.references == 0)
        release(function);
    return 0;
}

/* With the last reference: the registry's, or that of a late interrupt. */
void ism_function_released(struct ism_function *function)
{
    if (function->destroyed)
        release(function);
}

struct smc_dibs_device *ism_function_device(struct ism_function *function)
{
    return &function->device;
}

const char *ism_function_pnet(const struct ism_function *function)
{
    return function->pnet;
}

bool ism_function_v2_capable(const struct ism_function *function)
{
    return function->v2_capable;
}

struct dibs_faults *ism_function_faults(struct ism_function *function)
{
    return &function->faults;
}
