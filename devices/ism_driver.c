/* The driver half of ISM: dibs operations as control blocks and stores, and the interrupt handler.
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "devices/ism_internal.h"
#include "wire/field.h"
#include "wire/values.h"

enum { HEADER = 8 };

static struct ism_function *function_of(struct smc_dibs_device *device)
{
    return (struct ism_function *)device;
}

/* ---- control blocks ---- */

struct block {
    uint8_t bytes[ISM_BLOCK_BYTES];
    uint16_t length;
};

static struct block request(uint32_t code)
{
    struct block b = {.length = HEADER};
    smc_store_be(b.bytes, 4, code);
    return b;
}

static void put(struct block *b, unsigned size, uint64_t value)
{
    smc_store_be(b->bytes + b->length, size, value);
    b->length = (uint16_t)(b->length + size);
}

static int error_of(uint32_t ret)
{
    switch (ret) {
    case ISM_OK:
        return 0;
    case ISM_NO_ROOM:
        return SMC_ERR_NOSPACE;
    case ISM_UNKNOWN:
        return SMC_ERR_NOTFOUND;
    case ISM_UNREACHABLE:
        return SMC_ERR_UNREACHABLE;
    case ISM_GONE:
        return SMC_ERR_GONE;
    default:
        return SMC_ERR_ARGUMENT;
    }
}

static int submit(struct ism_function *function, struct block *b)
{
    smc_store_be(b->bytes + 6, 2, b->length);
    ism_command(function, b->bytes, sizeof(b->bytes));
    return error_of((uint32_t)smc_load_be(b->bytes + 4, 2));
}

static int submit_u64(struct ism_function *function, uint32_t code, uint64_t value)
{
    struct block b = request(code);
    put(&b, 8, value);
    return submit(function, &b);
}

static int submit_plain(struct ism_function *function, uint32_t code)
{
    struct block b = request(code);
    return submit(function, &b);
}

/* ---- start and stop ---- */

static int map_new(struct ism_function *function, uint32_t length, uint8_t **memory, uint64_t *map)
{
    const struct smc_alloc *alloc = function->fabric->alloc;
    uint8_t *block = smc_alloc_zeroed(alloc, length, 1);
    if (block == NULL)
        return SMC_ERR_NOMEM;
    int error = ism_map(function, block, length, map);
    if (error != 0) {
        smc_alloc_release(alloc, block, length, 1);
        return error;
    }
    *memory = block;
    return 0;
}

static void unmap_free(struct ism_function *function, uint32_t length, uint8_t **memory,
                       uint64_t map)
{
    if (*memory == NULL)
        return;
    ism_unmap(function, map);
    smc_alloc_release(function->fabric->alloc, *memory, length, 1);
    *memory = NULL;
}

static int register_areas(struct ism_function *function)
{
    int error = submit_u64(function, ISM_REG_SBA, function->sba_map);
    if (error != 0)
        return error;
    struct block b = request(ISM_REG_IEQ);
    put(&b, 8, function->ieq_map);
    put(&b, 8, ISM_IEQ_BYTES);
    return submit(function, &b);
}

int ism_driver_start(struct ism_function *function)
{
    int error = map_new(function, ISM_SBA_BYTES, &function->sba_memory, &function->sba_map);
    if (error == 0)
        error = map_new(function, ISM_IEQ_BYTES, &function->ieq_memory, &function->ieq_map);
    if (error == 0)
        error = register_areas(function);
    struct block b = request(ISM_READ_GID);
    if (error == 0)
        error = submit(function, &b);
    if (error != 0) {
        ism_driver_stop(function);
        return error;
    }
    function->device.gid = dibs_gid(smc_load_be(b.bytes + HEADER, 8), 0);
    /* Only hardware that knows version 2 takes the reserved id. */
    function->v2_capable = submit_u64(function, ISM_ADD_VLAN_ID, ISM_RESERVED_VLAN) == 0;
    return 0;
}

static void free_buffer(struct ism_function *function, struct ism_buffer *buffer)
{
    unmap_free(function, buffer->length, &buffer->memory, buffer->address);
    *buffer = (struct ism_buffer){0};
}

void ism_driver_stop(struct ism_function *function)
{
    for (uint32_t i = 0; i < ISM_DMBS; i++)
        free_buffer(function, &function->buffers[i]);
    submit_plain(function, ISM_UNREG_IEQ);
    submit_plain(function, ISM_UNREG_SBA);
    unmap_free(function, ISM_IEQ_BYTES, &function->ieq_memory, function->ieq_map);
    unmap_free(function, ISM_SBA_BYTES, &function->sba_memory, function->sba_map);
    function->raised = false;
}

/* ---- operations ---- */

/* The 64-bit GID in a dibs GID; 0 (which no function has) if it is not one of ISM's. */
static uint64_t short_gid(const struct smc_gid *gid)
{
    return smc_load_be(gid->bytes + 8, 8) == 0 ? smc_load_be(gid->bytes, 8) : 0;
}

static uint16_t get_fabric_id(struct smc_dibs_device *device)
{
    return function_of(device)->chid;
}

static int query_remote_gid(struct smc_dibs_device *device, const struct smc_gid *rgid,
                            bool vlan_valid, uint16_t vlan_id)
{
    struct ism_function *function = function_of(device);
    int error = dibs_faults_ask(&function->faults, DIBS_FAULT_QUERY);
    if (error != 0)
        return error;
    struct block b = request(ISM_QUERY_RGID);
    put(&b, 8, short_gid(rgid));
    put(&b, 4, vlan_valid);
    put(&b, 4, vlan_id);
    return submit(function, &b);
}

static uint32_t max_dmbs(struct smc_dibs_device *device)
{
    (void)device;
    return ISM_DMBS;
}

static uint32_t free_index(const struct ism_function *function)
{
    uint32_t index = ISM_FIRST_DMB;
    while (index < ISM_DMBS && function->buffers[index].memory != NULL)
        index++;
    return index;
}

static int submit_dmb(struct ism_function *function, const struct smc_dibs_dmb *dmb, uint32_t index,
                      struct ism_buffer *buffer)
{
    struct block b = request(ISM_REG_DMB);
    put(&b, 8, buffer->address);
    put(&b, 4, buffer->length);
    put(&b, 4, index);
    put(&b, 4, dmb->vlan_valid);
    put(&b, 4, dmb->vlan_id);
    put(&b, 8, short_gid(&dmb->rgid));
    int error = submit(function, &b);
    if (error == 0)
        buffer->token = smc_load_be(b.bytes + HEADER, 8);
    return error;
}

static int register_dmb(struct smc_dibs_device *device, struct smc_dibs_dmb *dmb)
{
    struct ism_function *function = function_of(device);
    if (!dibs_length_ok(dmb->length, function->fabric->config.max_dmb_bytes))
        return SMC_ERR_ARGUMENT;
    int error = dibs_faults_ask(&function->faults, DIBS_FAULT_REGISTER);
    if (error != 0)
        return error;
    uint32_t index = free_index(function);
    if (index == ISM_DMBS) /* [SMCD-016] */
        return SMC_ERR_NOSPACE;
    struct ism_buffer buffer = {.length = dmb->length};
    error = map_new(function, dmb->length, &buffer.memory, &buffer.address);
    if (error != 0)
        return error;
    error = submit_dmb(function, dmb, index, &buffer);
    if (error != 0) {
        free_buffer(function, &buffer);
        return error;
    }
    function->buffers[index] = buffer;
    dmb->index = index;
    dmb->token = buffer.token;
    dmb->data = buffer.memory;
    return 0;
}

static int unregister_dmb(struct smc_dibs_device *device, struct smc_dibs_dmb *dmb)
{
    struct ism_function *function = function_of(device);
    if (dmb->index >= ISM_DMBS || function->buffers[dmb->index].memory == NULL ||
        function->buffers[dmb->index].token != dmb->token)
        return SMC_ERR_NOTFOUND;
    int error = submit_u64(function, ISM_UNREG_DMB, dmb->token);
    /* A function that vanished cannot write any more; the memory goes all the same. */
    if (error != 0 && error != SMC_ERR_GONE)
        return error;
    free_buffer(function, &function->buffers[dmb->index]);
    return 0;
}

static void report_move(struct ism_function *function, uint64_t token, bool signal, uint32_t offset,
                        const void *data, uint32_t size)
{
    struct ism_function *owner;
    struct ism_dmb *dmb = ism_find_dmb(function->fabric, token, &owner);
    struct dibs_operation o = {.operation = SMC_RECORD_MOVE,
                               .signal = signal,
                               .source = function->device.gid,
                               .destination = owner->device.gid,
                               .token = token,
                               .index = (uint32_t)(dmb - owner->dmbs),
                               .offset = offset,
                               .total = size};
    if (size > 0 || signal)
        dibs_record(function->fabric->observer, &o, size > 0 ? data : NULL);
}

/* No store crosses a page, and only the last one of a move carries the signal. */
static int store_pages(struct ism_function *function, uint64_t token, uint32_t index, bool signal,
                       uint32_t offset, const uint8_t *data, uint32_t size)
{
    do {
        uint32_t room = DIBS_PAGE_BYTES - offset % DIBS_PAGE_BYTES;
        uint32_t piece = size < room ? size : room;
        bool last = piece == size;
        if (last && size == 0 && !signal)
            return 0;
        uint64_t address =
            token | (uint64_t)(index & 15) << 24 | (uint64_t)(signal && last) << 23 | offset;
        int error = ism_store(function, address, data, piece);
        if (error != 0)
            return SMC_ERR_IO;
        size -= piece;
        offset += piece;
        data = size > 0 ? data + piece : NULL;
    } while (size > 0);
    return 0;
}

static int move_data(struct smc_dibs_device *device, uint64_t token, uint32_t index, bool signal,
                     uint32_t offset, const void *data, uint32_t size)
{
    struct ism_function *function = function_of(device);
    /* Asked for the whole move, so that a refusal has placed nothing. Real firmware refuses store by
     * store. */
    int error = ism_store_allowed(function, token, offset, size);
    if (error == 0)
        error = dibs_faults_ask(&function->faults, DIBS_FAULT_MOVE);
    if (error != 0)
        return error;
    report_move(function, token, signal, offset, data, size);
    return store_pages(function, token, index, signal, offset, data, size);
}

static int change_vlan(struct smc_dibs_device *device, uint32_t code, uint16_t vlan_id)
{
    struct ism_function *function = function_of(device);
    int error = dibs_faults_ask(&function->faults, DIBS_FAULT_VLAN);
    return error != 0 ? error : submit_u64(function, code, vlan_id);
}

static int add_vlan_id(struct smc_dibs_device *device, uint16_t vlan_id)
{
    return change_vlan(device, ISM_ADD_VLAN_ID, vlan_id);
}

static int del_vlan_id(struct smc_dibs_device *device, uint16_t vlan_id)
{
    return change_vlan(device, ISM_DEL_VLAN_ID, vlan_id);
}

static int signal_event(struct smc_dibs_device *device, const struct smc_gid *rgid,
                        bool trigger_irq, uint32_t code, uint64_t data)
{
    struct ism_function *function = function_of(device);
    int error = dibs_faults_ask(&function->faults, DIBS_FAULT_EVENT);
    if (error != 0)
        return error;
    struct block b = request(ISM_SIGNAL_IEQ);
    put(&b, 8, short_gid(rgid));
    put(&b, 4, trigger_irq);
    put(&b, 4, code);
    put(&b, 8, data);
    error = submit(function, &b);
    return error == SMC_ERR_NOSPACE ? SMC_ERR_IO : error; /* the receiver's queue is full */
}

static void released(struct smc_dibs_device *device)
{
    ism_function_released(function_of(device));
}

const struct smc_dibs_ops ism_driver_ops = {
    .get_fabric_id = get_fabric_id,
    .query_remote_gid = query_remote_gid,
    .max_dmbs = max_dmbs,
    .register_dmb = register_dmb,
    .unregister_dmb = unregister_dmb,
    .move_data = move_data,
    .add_vlan_id = add_vlan_id,
    .del_vlan_id = del_vlan_id,
    .signal_event = signal_event,
    .released = released,
};

/* ---- interrupts ---- */

static void handle_dmb(struct ism_function *function, uint32_t bit)
{
    uint8_t *element = function->sba_memory + ISM_SBA_MASKS + 2 * bit;
    uint16_t mask = (uint16_t)smc_load_be(element, 2);
    smc_store_be(element, 2, 0);
    smc_dibs_irq(&function->device, bit, mask);
}

static void scan_bits(struct ism_function *function)
{
    uint8_t *bits = function->sba_memory + ISM_SBA_BITS;
    for (uint32_t bit = ISM_FIRST_DMB; bit < ISM_DMBS; bit++) {
        if (bits[bit / 8] == 0) {
            bit |= 7;
            continue;
        }
        uint8_t one = (uint8_t)(0x80u >> bit % 8); /* bit 0 is the most significant one */
        if ((bits[bit / 8] & one) == 0)
            continue;
        bits[bit / 8] &= (uint8_t)~one;
        handle_dmb(function, bit);
    }
}

static void handle_entry(struct ism_function *function, const uint8_t *entry)
{
    struct smc_dibs_event event = {.type = SMC_DIBS_EVENT_SOFTWARE};
    uint32_t type = (uint32_t)smc_load_be(entry, 4), code = (uint32_t)smc_load_be(entry + 4, 4);
    uint64_t token = smc_load_be(entry + 8, 8);
    if (type > SMC_DIBS_EVENT_SOFTWARE)
        return;
    event.type = (enum smc_dibs_event_type)type;
    if (event.type == SMC_DIBS_EVENT_BUFFER)
        event.token = token;
    else
        event.gid = dibs_gid(token, 0);
    if (event.type == SMC_DIBS_EVENT_DEVICE && code <= SMC_DIBS_SUBTYPE_ERROR_STATE)
        event.subtype = (enum smc_dibs_event_subtype)code;
    if (event.type == SMC_DIBS_EVENT_SOFTWARE) {
        event.code = code;
        event.data = smc_load_be(entry + 24, 8);
    }
    for (uint32_t i = 0; i <= function->faults.event_copies; i++)
        smc_dibs_event(&function->device, &event);
}

static void drain_events(struct ism_function *function)
{
    /* Modulo, though the firmware is ours: this reads memory that a device writes. */
    uint32_t end = (uint32_t)(smc_load_be(function->ieq_memory, 8) % ISM_IEQ_ENTRIES);
    while (function->ieq_next != end) {
        uint32_t index = function->ieq_next;
        function->ieq_next = (index + 1) % ISM_IEQ_ENTRIES;
        handle_entry(function, function->ieq_memory + 32 * (index + 1));
    }
}

static void handle_interrupt(struct ism_function *function)
{
    uint32_t word = (uint32_t)smc_load_be(function->sba_memory, 4) & ~ISM_SUMMARY;
    smc_store_be(function->sba_memory, 4, word);
    scan_bits(function);
    word = (uint32_t)smc_load_be(function->sba_memory, 4);
    if ((word & ISM_EVENT) == 0)
        return;
    smc_store_be(function->sba_memory, 4, word & ~ISM_EVENT);
    drain_events(function);
}

uint64_t ism_next_ns(const struct ism_function *function)
{
    if (!function->raised)
        return UINT64_MAX;
    uint64_t due = function->stamped ? function->due_ns : 0;
    return due > function->faults.hold_until_ns ? due : function->faults.hold_until_ns;
}

void ism_run(struct ism_function *function, uint64_t now_ns)
{
    if (!function->raised)
        return;
    if (!function->stamped) { /* now is when the signal came: whoever raised it woke the host */
        function->stamped = true;
        function->due_ns = now_ns + function->fabric->config.interrupt_delay_ns;
    }
    if (now_ns < ism_next_ns(function))
        return;
    function->raised = function->stamped = false;
    handle_interrupt(function);
}
