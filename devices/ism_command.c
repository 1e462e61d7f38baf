/* ISM firmware: the control-block commands, from request bytes to response bytes.
 * SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "devices/ism_internal.h"
#include "wire/field.h"
#include "wire/values.h"

enum { HEADER = 8, IEQ_ENTRY = 32, TYPE_SOFTWARE = 2 };

/* What a handler gets: the request's fields; what it fills in: the response's, behind the header. */
struct call {
    struct ism_function *function;
    const uint8_t *in;
    uint8_t *out;
};

static uint64_t u64_at(const struct call *c, unsigned offset)
{
    return smc_load_be(c->in + offset, 8);
}

static uint32_t u32_at(const struct call *c, unsigned offset)
{
    return (uint32_t)smc_load_be(c->in + offset, 4);
}

/* ---- summary bit area, event queue, GID ---- */

static enum ism_response reg_sba(struct call *c)
{
    uint64_t address = u64_at(c, 0);
    uint8_t *memory = ism_reach(c->function, address, ISM_SBA_BYTES);
    if (memory == NULL || address % DIBS_PAGE_BYTES != 0 || c->function->sba != NULL)
        return ISM_ERROR;
    c->function->sba = memory;
    c->function->sba_address = address;
    return ISM_OK;
}

static enum ism_response reg_ieq(struct call *c)
{
    uint64_t address = u64_at(c, 0), length = u64_at(c, 8);
    uint8_t *memory = ism_reach(c->function, address, ISM_IEQ_BYTES);
    if (memory == NULL || length != ISM_IEQ_BYTES || c->function->ieq != NULL)
        return ISM_ERROR;
    memset(memory, 0, ISM_IEQ_BYTES);
    smc_store_be(memory + 8, 8, ISM_IEQ_BYTES);
    smc_store_be(memory + 16, 8, IEQ_ENTRY);
    c->function->ieq = memory;
    c->function->ieq_address = address;
    c->function->ieq_unread = 0;
    return ISM_OK;
}

static uint32_t count_dmbs(const struct ism_function *function)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < ISM_DMBS; i++)
        count += function->dmbs[i].token != 0;
    return count;
}

static enum ism_response unreg_sba(struct call *c)
{
    if (c->function->sba == NULL || count_dmbs(c->function) > 0)
        return ISM_ERROR;
    c->function->sba = NULL;
    return ISM_OK;
}

static enum ism_response unreg_ieq(struct call *c)
{
    if (c->function->ieq == NULL)
        return ISM_ERROR;
    c->function->ieq = NULL;
    return ISM_OK;
}

static enum ism_response read_gid(struct call *c)
{
    smc_store_be(c->out, 8, c->function->gid);
    return ISM_OK;
}

/* ---- VLANs ---- */

static enum ism_response add_vlan(struct call *c)
{
    struct ism_function *f = c->function;
    uint64_t id = u64_at(c, 0);
    bool reserved = id == ISM_RESERVED_VLAN && f->accepts_v2;
    if (!reserved && (id == 0 || id >= 0xfff))
        return ISM_ERROR;
    if (!reserved && f->refuses_vlans)
        return ISM_NO_ROOM;
    if (ism_has_vlan(f, (uint16_t)id))
        return ISM_OK;
    if (f->vlan_count == ISM_VLANS)
        return ISM_NO_ROOM;
    f->vlans[f->vlan_count++] = (uint16_t)id;
    return ISM_OK;
}

static enum ism_response del_vlan(struct call *c)
{
    struct ism_function *f = c->function;
    uint64_t id = u64_at(c, 0);
    for (uint32_t i = 0; i < f->vlan_count; i++) {
        if (f->vlans[i] != id)
            continue;
        memmove(&f->vlans[i], &f->vlans[i + 1], (f->vlan_count - i - 1) * sizeof(f->vlans[0]));
        f->vlan_count--;
        return ISM_OK;
    }
    return ISM_UNKNOWN;
}

static enum ism_response set_vlan_required(struct call *c)
{
    c->function->vlan_required = true;
    return ISM_OK;
}

static enum ism_response reset_vlan_required(struct call *c)
{
    c->function->vlan_required = false;
    return ISM_OK;
}

/* ---- queries ---- */

static uint32_t count_used(const struct ism_function *function)
{
    uint32_t count = 0;
    for (const struct ism_function *f = function->fabric->functions; f != NULL; f = f->next)
        for (uint32_t i = 0; i < ISM_DMBS; i++)
            count += !f->gone && f->dmbs[i].token != 0 && f->dmbs[i].rgid == function->gid;
    return count;
}

static enum ism_response query_info(struct call *c)
{
    const struct ism_function *f = c->function;
    uint32_t words[] = {count_dmbs(f), count_used(f), f->vlan_required, f->vlan_count};
    smc_store_be(c->out, 4, 1); /* version */
    smc_store_be(c->out + 4, 4, f->fabric->config.max_dmb_bytes);
    smc_store_be(c->out + 8, 8, f->sba != NULL && f->ieq != NULL); /* state */
    smc_store_be(c->out + 16, 8, f->gid);
    smc_store_be(c->out + 24, 8, f->sba != NULL ? f->sba_address : 0);
    smc_store_be(c->out + 32, 8, f->ieq != NULL ? f->ieq_address : 0);
    smc_store_be(c->out + 40, 4, f->ieq != NULL ? ISM_IEQ_BYTES : 0);
    for (unsigned i = 0; i < 4; i++)
        smc_store_be(c->out + 48 + 4 * i, 4, words[i]);
    for (unsigned i = 0; i < f->vlan_count; i++)
        smc_store_be(c->out + 64 + 2 * i, 2, f->vlans[i]);
    return ISM_OK;
}

/* A VLAN must be known to both ends; without one, neither may insist on VLANs. [SMCD-025] */
static bool vlan_allows(const struct ism_function *a, const struct ism_function *b, bool valid,
                        uint32_t vlan_id)
{
    if (!valid)
        return !a->vlan_required && !b->vlan_required;
    return vlan_id < 0xfff && ism_has_vlan(a, (uint16_t)vlan_id) &&
           ism_has_vlan(b, (uint16_t)vlan_id);
}

static struct ism_function *reachable(struct ism_function *from, uint64_t gid)
{
    struct ism_function *to = ism_find_function(from->fabric, gid);
    return to != NULL && to->chid == from->chid ? to : NULL; /* [DIBS-016] */
}

static enum ism_response query_rgid(struct call *c)
{
    struct ism_function *to = reachable(c->function, u64_at(c, 0));
    bool valid = u32_at(c, 8) != 0;
    if (to == NULL)
        return ISM_UNREACHABLE;
    /* The asker joins a VLAN when it knows that the peer is there. */
    bool there = valid ? u32_at(c, 12) < 0xfff && ism_has_vlan(to, (uint16_t)u32_at(c, 12)) : vlan_allows(c->function, to, false, 0);
    return there ? ISM_OK : ISM_UNREACHABLE;
}

/* ---- DMBs ---- */

static enum ism_response reg_dmb(struct call *c)
{
    struct ism_function *f = c->function;
    uint64_t address = u64_at(c, 0), rgid = u64_at(c, 24);
    uint32_t length = u32_at(c, 8), index = u32_at(c, 12), vlan_id = u32_at(c, 20);
    bool vlan_valid = u32_at(c, 16) != 0;
    if (!dibs_length_ok(length, f->fabric->config.max_dmb_bytes) ||
        address % DIBS_PAGE_BYTES != 0 || index >= ISM_DMBS || f->sba == NULL)
        return ISM_ERROR;
    uint8_t *memory = ism_reach(f, address, length);
    if (memory == NULL)
        return ISM_ERROR;
    if (f->dmbs[index].token != 0) /* [DIBS-009] */
        return ISM_NO_ROOM;
    struct ism_function *peer = reachable(f, rgid);
    if (peer == NULL || (vlan_valid && !vlan_allows(f, peer, true, vlan_id)))
        return ISM_UNREACHABLE;
    uint64_t token = ism_new_token(f->fabric, index);
    f->dmbs[index] = (struct ism_dmb){token, rgid, length, vlan_valid, (uint16_t)vlan_id, memory};
    smc_store_be(c->out, 8, token);
    struct dibs_operation o = {.operation = SMC_RECORD_REGISTER,
                               .source = dibs_gid(f->gid, 0),
                               .destination = dibs_gid(rgid, 0),
                               .token = token,
                               .index = index,
                               .total = length};
    dibs_record(f->fabric->observer, &o, NULL);
    return ISM_OK;
}

/* Clears the bits as well: a signal for this DMB must not meet the next one. [SMCD-008] */
static void clear_signal(struct ism_function *f, uint32_t index)
{
    if (f->sba == NULL)
        return;
    f->sba[ISM_SBA_BITS + index / 8] &= (uint8_t) ~(0x80u >> index % 8);
    smc_store_be(f->sba + ISM_SBA_MASKS + 2 * index, 2, 0);
}

static enum ism_response unreg_dmb(struct call *c)
{
    struct ism_function *f = c->function, *owner;
    uint64_t token = u64_at(c, 0);
    struct ism_dmb *dmb = ism_find_dmb(f->fabric, token, &owner);
    if (dmb == NULL || owner != f)
        return ISM_UNKNOWN;
    uint32_t index = (uint32_t)(dmb - f->dmbs);
    struct dibs_operation o = {.operation = SMC_RECORD_UNREGISTER,
                               .source = dibs_gid(f->gid, 0),
                               .destination = dibs_gid(dmb->rgid, 0),
                               .token = token,
                               .index = index};
    dibs_record(f->fabric->observer, &o, NULL);
    *dmb = (struct ism_dmb){0}; /* [DIBS-011] */
    clear_signal(f, index);
    return ISM_OK;
}

/* ---- events ---- */

static void report_event(struct ism_function *from, uint64_t rgid, uint32_t code, uint64_t info)
{
    const struct dibs_observer *observer = from->fabric->observer;
    if (observer == NULL)
        return;
    uint8_t bytes[8];
    if (observer->byte_order == SMC_ORDER_BIG)
        smc_store_be(bytes, 8, info);
    else
        smc_store_le(bytes, 8, info);
    struct dibs_operation o = {.operation = SMC_RECORD_EVENT,
                               .source = dibs_gid(from->gid, 0),
                               .destination = dibs_gid(rgid, 0),
                               .index = code,
                               .offset = SMC_DIBS_EVENT_SOFTWARE,
                               .total = sizeof(bytes)};
    dibs_record(observer, &o, bytes);
}

static enum ism_response signal_ieq(struct call *c)
{
    uint64_t rgid = u64_at(c, 0);
    struct ism_function *to = reachable(c->function, rgid);
    if (to == NULL)
        return ISM_UNREACHABLE;
    struct ism_entry entry = {TYPE_SOFTWARE, u32_at(c, 12), c->function->gid, u64_at(c, 16)};
    /* One place is kept for "a peer is gone". */
    bool busy = to->sba != NULL && (smc_load_be(to->sba, 4) & ISM_EVENT) != 0;
    if ((busy && to->ieq_unread >= ISM_IEQ_ENTRIES - 2) || !ism_post(to, &entry, u32_at(c, 8) != 0))
        return ISM_NO_ROOM;
    report_event(c->function, rgid, entry.code, entry.info);
    return ISM_OK;
}

/* ---- dispatch ---- */

struct command {
    uint32_t code;
    uint16_t request, response; /* bytes, headers included */
    enum ism_response (*handle)(struct call *);
};

static const struct command commands[] = {
    {ISM_REG_SBA, 16, 8, reg_sba},
    {ISM_REG_IEQ, 24, 8, reg_ieq},
    {ISM_READ_GID, 8, 16, read_gid},
    {ISM_ADD_VLAN_ID, 16, 8, add_vlan},
    {ISM_DEL_VLAN_ID, 16, 8, del_vlan},
    {ISM_SET_VLAN, 8, 8, set_vlan_required},
    {ISM_RESET_VLAN, 8, 8, reset_vlan_required},
    {ISM_QUERY_INFO, 8, ISM_BLOCK_BYTES, query_info},
    {ISM_QUERY_RGID, 24, 8, query_rgid},
    {ISM_REG_DMB, 40, 16, reg_dmb},
    {ISM_UNREG_DMB, 16, 8, unreg_dmb},
    {ISM_SIGNAL_IEQ, 32, 8, signal_ieq},
    {ISM_UNREG_SBA, 8, 8, unreg_sba},
    {ISM_UNREG_IEQ, 8, 8, unreg_ieq},
};

static const struct command *find_command(uint32_t code)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (commands[i].code == code)
            return &commands[i];
    return NULL;
}

static enum ism_response carry_out(const struct command *command, struct ism_function *function,
                                   const uint8_t *block, size_t size, uint8_t *out)
{
    if (command == NULL || size < command->request || size < command->response ||
        smc_load_be(block + 6, 2) != command->request)
        return ISM_ERROR;
    if (function->gone)
        return ISM_GONE;
    struct call call = {function, block + HEADER, out};
    return command->handle(&call);
}

void ism_command(struct ism_function *function, uint8_t *block, size_t size)
{
    if (size < HEADER)
        return;
    /* Request and response share the block, so the response grows beside it. */
    uint8_t out[ISM_BLOCK_BYTES - HEADER] = {0};
    const struct command *command = find_command((uint32_t)smc_load_be(block, 4));
    enum ism_response ret = carry_out(command, function, block, size, out);
    uint16_t length = ret == ISM_OK ? command->response : HEADER;
    smc_store_be(block + 4, 2, ret);
    smc_store_be(block + 6, 2, length);
    memcpy(block + HEADER, out, length - HEADER);
}
