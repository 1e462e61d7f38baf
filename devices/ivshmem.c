/* The dibs device on an ivshmem region: DMBs in shared pages, doorbells, peers that come and go.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/ivshmem.h"

#include <assert.h>
#include <string.h>

#include "devices/ivshmem_region.h"
#include "wire/field.h"
#include "wire/values.h"

enum { DEFAULT_PEERS = 64, DEFAULT_DMBS = 256, EVENT_VECTOR = 0 };

/* A machine, as GIDs and directory entries name it. */
struct peer {
    uint32_t id, generation;
};

/* A DMB of this machine. What counts is here; the directory only tells the others. */
struct own_dmb {
    bool used, peer_gone;
    uint32_t generation;
    uint32_t first_page, length;
    struct peer writer;
    uint32_t alive; /* the writer's counter when last looked at … */
    uint64_t alive_since_ns;
    bool alive_known;
};

struct ivshmem {
    struct smc_dibs_device device; /* first: the device operations cast */
    const struct smc_alloc *alloc;
    struct ivshmem_config config;
    struct ivshmem_region region;
    struct dibs_faults faults;
    struct peer me;
    struct own_dmb *own; /* max_dmbs */
    uint32_t next_event; /* ticket in my ring */
    uint64_t next_alive_ns;
    bool involved; /* in a connection: count up the alive counter */
    bool raised, stamped;
    uint64_t due_ns;
    bool failed, destroyed;
};

static struct ivshmem *ivshmem_of(struct smc_dibs_device *device)
{
    return (struct ivshmem *)device;
}

/* ---- peers ---- */

static struct smc_gid gid_of(const struct ivshmem *v, struct peer p)
{
    return dibs_gid(v->region.host_id, (uint64_t)p.id << 32 | p.generation);
}

static bool is_me(const struct ivshmem *v, struct peer p)
{
    return p.id == v->me.id && p.generation == v->me.generation;
}

static bool is_present(const struct ivshmem *v, struct peer p)
{
    if (p.id >= v->region.max_peers || p.generation == 0)
        return false;
    size_t at = ivshmem_peer_at(&v->region, p.id);
    return ivshmem_load(&v->region, at + PEER_PRESENT) == 1 &&
           ivshmem_load(&v->region, at + PEER_GENERATION) == p.generation;
}

/* [IVSHMEM-011]: a GID of another host does not name a machine here. */
static bool find_peer(const struct ivshmem *v, const struct smc_gid *gid, struct peer *out)
{
    out->id = (uint32_t)smc_load_be(gid->bytes + 8, 4);
    out->generation = (uint32_t)smc_load_be(gid->bytes + 12, 4);
    return smc_load_be(gid->bytes, 8) == v->region.host_id && is_present(v, *out);
}

/* The flag first: a machine without interrupts looks for nothing else. */
static void ring(struct ivshmem *v, uint32_t id, uint32_t vector)
{
    ivshmem_set_bits(&v->region, HEADER_RUNG + id / 32 * 4, 1u << id % 32);
    v->config.bars.write(v->config.bars.user, IVSHMEM_DOORBELL, id << 16 | vector);
}

/* With one vector all share it; how many the receiver has connected he says himself. */
static uint32_t vector_of(const struct ivshmem *v, uint32_t id, uint32_t slot)
{
    uint32_t vectors =
        ivshmem_load(&v->region, ivshmem_peer_at(&v->region, id) + PEER_VECTORS) & 0xffff;
    return vectors > 1 ? 1 + slot % (vectors - 1) : EVENT_VECTOR;
}

static void wake(struct ivshmem *v)
{
    if (v->config.wake != NULL)
        v->config.wake(v->config.user);
}

/* ---- queries ---- */

static uint16_t get_fabric_id(struct smc_dibs_device *device)
{
    return ivshmem_of(device)->region.fabric_id;
}

static uint32_t max_dmbs(struct smc_dibs_device *device)
{
    return ivshmem_of(device)->region.max_dmbs;
}

static int query_remote_gid(struct smc_dibs_device *device, const struct smc_gid *rgid,
                            bool vlan_valid, uint16_t vlan_id)
{
    struct ivshmem *v = ivshmem_of(device);
    struct peer peer;
    (void)vlan_valid;
    (void)vlan_id;
    if (v->failed)
        return SMC_ERR_GONE;
    int error = dibs_faults_ask(&v->faults, DIBS_FAULT_QUERY);
    if (error != 0)
        return error;
    return find_peer(v, rgid, &peer) ? 0 : SMC_ERR_UNREACHABLE;
}

/* ---- registration ---- */

static bool page_is_mine(void *user, uint32_t page)
{
    const struct ivshmem *v = user;
    for (uint32_t i = 0; i < v->region.max_dmbs; i++) {
        const struct own_dmb *own = &v->own[i];
        if (own->used && page >= own->first_page &&
            page - own->first_page < own->length / DIBS_PAGE_BYTES)
            return true;
    }
    return false;
}

/* A slot that this machine still uses is not free, whatever the directory says. */
static uint32_t claim_slot(struct ivshmem *v)
{
    for (uint32_t slot = 0; slot < v->region.max_dmbs; slot++)
        if (!v->own[slot].used &&
            ivshmem_replace(&v->region, ivshmem_dmb_at(&v->region, slot) + DMB_STATE, DMB_FREE,
                            DMB_CLAIMED))
            return slot;
    return v->region.max_dmbs;
}

static void publish(struct ivshmem *v, uint32_t slot, const struct own_dmb *own)
{
    const struct ivshmem_region *r = &v->region;
    size_t at = ivshmem_dmb_at(r, slot);
    ivshmem_store(r, at + DMB_GENERATION, own->generation);
    ivshmem_store(r, at + DMB_OWNER, v->me.id);
    ivshmem_store(r, at + DMB_OWNER_GENERATION, v->me.generation);
    ivshmem_store(r, at + DMB_WRITER, own->writer.id);
    ivshmem_store(r, at + DMB_WRITER_GENERATION, own->writer.generation);
    ivshmem_store(r, at + DMB_LENGTH, own->length);
    ivshmem_store(r, at + DMB_PAGE, own->first_page);
    ivshmem_store(r, at + DMB_MASK, 0);
    ivshmem_store(r, at + DMB_STATE, DMB_LIVE); /* last */
}

static void tell(const struct ivshmem *v, enum smc_record_op operation, uint32_t slot,
                 uint32_t total)
{
    const struct own_dmb *own = &v->own[slot];
    struct dibs_operation o = {.operation = (uint8_t)operation,
                               .source = v->device.gid,
                               .destination = gid_of(v, own->writer),
                               .token = (uint64_t)own->generation << 32 | slot,
                               .index = slot,
                               .total = total};
    dibs_record(v->config.observer, &o, NULL);
}

static void fill_in(struct ivshmem *v, uint32_t slot, struct smc_dibs_dmb *dmb)
{
    const struct own_dmb *own = &v->own[slot];
    dmb->index = slot;
    dmb->token = (uint64_t)own->generation << 32 | slot;
    dmb->data = ivshmem_page(&v->region, own->first_page);
}

static int place(struct ivshmem *v, struct peer writer, struct smc_dibs_dmb *dmb)
{
    const struct ivshmem_region *r = &v->region;
    uint32_t slot = claim_slot(v);
    if (slot == r->max_dmbs)
        return SMC_ERR_NOSPACE;
    size_t at = ivshmem_dmb_at(r, slot);
    struct own_dmb own = {.used = true, .length = dmb->length, .writer = writer};
    int error =
        ivshmem_claim_pages(r, dmb->length / DIBS_PAGE_BYTES, page_is_mine, v, &own.first_page);
    if (error != 0) {
        ivshmem_store(r, at + DMB_STATE, DMB_FREE);
        return error;
    }
    own.generation = ivshmem_load(r, at + DMB_GENERATION) + 1;
    if (own.generation == 0)
        own.generation = 1;
    memset(ivshmem_page(r, own.first_page), 0, own.length); /* [IVSHMEM-012] */
    v->own[slot] = own;
    fill_in(v, slot, dmb);
    publish(v, slot, &own);
    tell(v, SMC_RECORD_REGISTER, slot, own.length);
    return 0;
}

static int register_dmb(struct smc_dibs_device *device, struct smc_dibs_dmb *dmb)
{
    struct ivshmem *v = ivshmem_of(device);
    struct peer writer;
    if (v->failed)
        return SMC_ERR_GONE;
    if (!dibs_length_ok(dmb->length, DIBS_MAX_DMB_BYTES))
        return SMC_ERR_ARGUMENT;
    if (!find_peer(v, &dmb->rgid, &writer))
        return SMC_ERR_UNREACHABLE;
    int error = dibs_faults_ask(&v->faults, DIBS_FAULT_REGISTER);
    if (error == 0)
        error = place(v, writer, dmb);
    if (error != 0)
        return error;
    if (!v->involved) {
        v->involved = true;
        wake(v);
    }
    ring(v, writer.id, EVENT_VECTOR); /* it takes part now, too: its alive counter is watched */
    return 0;
}

static void withdraw(struct ivshmem *v, uint32_t slot)
{
    const struct ivshmem_region *r = &v->region;
    struct own_dmb *own = &v->own[slot];
    size_t state = ivshmem_dmb_at(r, slot) + DMB_STATE;
    ivshmem_store(r, state, DMB_CLAIMED); /* dead for writers, not yet free for others */
    ivshmem_clear_bits(r, ivshmem_pending_at(r, v->me.id, slot), 1u << slot % 32);
    ivshmem_free_pages(r, own->first_page, own->length / DIBS_PAGE_BYTES);
    *own = (struct own_dmb){0};
    ivshmem_store(r, state, DMB_FREE);
}

static int unregister_dmb(struct smc_dibs_device *device, struct smc_dibs_dmb *dmb)
{
    struct ivshmem *v = ivshmem_of(device);
    uint32_t slot = (uint32_t)dmb->token;
    if (slot >= v->region.max_dmbs || slot != dmb->index || !v->own[slot].used ||
        v->own[slot].generation != dmb->token >> 32)
        return SMC_ERR_NOTFOUND;
    tell(v, SMC_RECORD_UNREGISTER, slot, 0);
    if (v->failed)
        v->own[slot] = (struct own_dmb){0}; /* a dead machine touches nothing */
    else
        withdraw(v, slot);
    return 0;
}

/* ---- moves ---- */

/* A directory entry, read once. */
struct target {
    struct peer owner, writer;
    uint32_t slot, length, page;
};

static int read_target(const struct ivshmem *v, uint64_t token, struct target *t)
{
    const struct ivshmem_region *r = &v->region;
    t->slot = (uint32_t)token;
    if (t->slot >= r->max_dmbs)
        return SMC_ERR_NOTFOUND;
    size_t at = ivshmem_dmb_at(r, t->slot);
    uint32_t state = ivshmem_load(r, at + DMB_STATE);
    if (state != DMB_LIVE || ivshmem_load(r, at + DMB_GENERATION) != token >> 32)
        return SMC_ERR_NOTFOUND;
    t->owner.id = ivshmem_load(r, at + DMB_OWNER);
    t->owner.generation = ivshmem_load(r, at + DMB_OWNER_GENERATION);
    t->writer.id = ivshmem_load(r, at + DMB_WRITER);
    t->writer.generation = ivshmem_load(r, at + DMB_WRITER_GENERATION);
    t->length = ivshmem_load(r, at + DMB_LENGTH);
    t->page = ivshmem_load(r, at + DMB_PAGE);
    return is_present(v, t->owner) ? 0 : SMC_ERR_NOTFOUND;
}

static bool hits_mine(const struct ivshmem *v, const struct target *t)
{
    for (uint32_t i = 0; i < v->region.max_dmbs; i++) {
        const struct own_dmb *own = &v->own[i];
        if (own->used && i != t->slot &&
            t->page < own->first_page + own->length / DIBS_PAGE_BYTES &&
            own->first_page < t->page + t->length / DIBS_PAGE_BYTES)
            return true;
    }
    const struct own_dmb *own = &v->own[t->slot];
    return own->used && (own->first_page != t->page || own->length != t->length);
}

/* Whether what the entry says can be true; if not, somebody scribbled there. [IVSHMEM-010] */
static bool plausible(const struct ivshmem *v, const struct target *t)
{
    return ivshmem_pages_ok(&v->region, t->page, t->length) && !hits_mine(v, t);
}

static void signal_owner(struct ivshmem *v, const struct target *t, uint32_t element)
{
    const struct ivshmem_region *r = &v->region;
    ivshmem_set_bits(r, ivshmem_dmb_at(r, t->slot) + DMB_MASK, dibs_element_mask(element));
    ivshmem_set_bits(r, ivshmem_pending_at(r, t->owner.id, t->slot), 1u << t->slot % 32);
    ring(v, t->owner.id, vector_of(v, t->owner.id, t->slot));
}

static void report_move(struct ivshmem *v, const struct target *t, uint64_t token, bool signal,
                        uint32_t offset, const void *data, uint32_t size)
{
    struct dibs_operation o = {.operation = SMC_RECORD_MOVE,
                               .signal = signal,
                               .source = v->device.gid,
                               .destination = gid_of(v, t->owner),
                               .token = token,
                               .index = t->slot,
                               .offset = offset,
                               .total = size};
    if (size > 0 || signal)
        dibs_record(v->config.observer, &o, size > 0 ? data : NULL);
}

static int check_move(struct ivshmem *v, uint64_t token, uint32_t offset, uint32_t size,
                      struct target *t)
{
    int error = v->failed ? SMC_ERR_GONE : read_target(v, token, t);
    if (error != 0)
        return error;
    if (!is_me(v, t->writer)) /* [SMCD-011] */
        return SMC_ERR_PERMISSION;
    if (!dibs_inside(offset, size, t->length))
        return SMC_ERR_RANGE;
    if (!plausible(v, t))
        return SMC_ERR_IO;
    return dibs_faults_ask(&v->faults, DIBS_FAULT_MOVE);
}

static int move_data(struct smc_dibs_device *device, uint64_t token, uint32_t index, bool signal,
                     uint32_t offset, const void *data, uint32_t size)
{
    struct ivshmem *v = ivshmem_of(device);
    struct target t;
    int error = check_move(v, token, offset, size, &t);
    if (error != 0)
        return error;
    report_move(v, &t, token, signal, offset, data, size);
    if (size > 0)
        memmove(ivshmem_page(&v->region, t.page) + offset, data, size);
    if (signal)
        signal_owner(v, &t, index); /* its atomic words order the data before the doorbell */
    return 0;
}

/* ---- events ---- */

static void report_event(struct ivshmem *v, const struct smc_gid *rgid, uint32_t code,
                         uint64_t data)
{
    const struct dibs_observer *observer = v->config.observer;
    if (observer == NULL)
        return;
    uint8_t bytes[8];
    if (observer->byte_order == SMC_ORDER_BIG)
        smc_store_be(bytes, 8, data);
    else
        smc_store_le(bytes, 8, data);
    struct dibs_operation o = {.operation = SMC_RECORD_EVENT,
                               .source = v->device.gid,
                               .destination = *rgid,
                               .index = code,
                               .offset = SMC_DIBS_EVENT_SOFTWARE,
                               .total = sizeof(bytes)};
    dibs_record(observer, &o, bytes);
}

static int signal_event(struct smc_dibs_device *device, const struct smc_gid *rgid,
                        bool trigger_irq, uint32_t code, uint64_t data)
{
    struct ivshmem *v = ivshmem_of(device);
    struct peer peer;
    if (v->failed)
        return SMC_ERR_GONE;
    int error = dibs_faults_ask(&v->faults, DIBS_FAULT_EVENT);
    if (error != 0)
        return error;
    if (!find_peer(v, rgid, &peer))
        return SMC_ERR_UNREACHABLE;
    struct ivshmem_message message = {v->me.id, v->me.generation, code, data};
    if (!ivshmem_ring_put(&v->region, peer.id, &message))
        return SMC_ERR_IO;
    report_event(v, rgid, code, data);
    if (trigger_irq)
        ring(v, peer.id, EVENT_VECTOR);
    return 0;
}

static void released(struct smc_dibs_device *device)
{
    struct ivshmem *v = ivshmem_of(device);
    if (!v->destroyed)
        return;
    smc_alloc_release(v->alloc, v->own, v->region.max_dmbs, sizeof(*v->own));
    smc_alloc_release(v->alloc, v, 1, sizeof(*v));
}

static const struct smc_dibs_ops ops = {
    .get_fabric_id = get_fabric_id,
    .query_remote_gid = query_remote_gid,
    .max_dmbs = max_dmbs,
    .register_dmb = register_dmb,
    .unregister_dmb = unregister_dmb,
    .move_data = move_data,
    .signal_event = signal_event,
    .released = released,
};

/* ---- interrupts ---- */

void ivshmem_interrupt(void *ivshmem, uint16_t vector)
{
    struct ivshmem *v = ivshmem;
    (void)vector; /* everything pending is looked at: vectors only spread the load */
    if (v->failed)
        return;
    v->raised = true;
    wake(v);
}

bool ivshmem_poll(struct ivshmem *v)
{
    uint32_t bit = 1u << v->me.id % 32;
    size_t at = HEADER_RUNG + v->me.id / 32 * 4;
    bool rung = !v->failed && (ivshmem_load(&v->region, at) & bit) != 0 && (ivshmem_clear_bits(&v->region, at, bit) & bit) != 0;
    if (rung)
        ivshmem_interrupt(v, EVENT_VECTOR);
    return rung;
}

static void deliver(struct ivshmem *v, const struct smc_dibs_event *event)
{
    for (uint32_t i = 0; i <= v->faults.event_copies; i++)
        smc_dibs_event(&v->device, event);
}

/* At most one round of the ring, so that a peer that fills it for ever is no endless loop. */
static void drain_ring(struct ivshmem *v)
{
    struct ivshmem_message message;
    for (int i = 0; i < IVSHMEM_EVENT_SLOTS; i++) {
        if (!ivshmem_ring_get(&v->region, v->me.id, &v->next_event, &message))
            return;
        struct peer from = {message.id, message.generation};
        if (!is_present(v, from))
            continue;
        struct smc_dibs_event event = {.type = SMC_DIBS_EVENT_SOFTWARE,
                                       .gid = gid_of(v, from),
                                       .code = message.code,
                                       .data = message.data};
        deliver(v, &event);
    }
}

static void deliver_signals(struct ivshmem *v)
{
    const struct ivshmem_region *r = &v->region;
    for (uint32_t base = 0; base < r->max_dmbs; base += 32) {
        uint32_t bits = ivshmem_exchange(r, ivshmem_pending_at(r, v->me.id, base), 0);
        for (uint32_t slot = base; bits != 0; slot++, bits >>= 1) {
            if ((bits & 1) == 0 || slot >= r->max_dmbs || !v->own[slot].used) /* [SMCD-008] */
                continue;
            uint32_t mask = ivshmem_exchange(r, ivshmem_dmb_at(r, slot) + DMB_MASK, 0);
            smc_dibs_irq(&v->device, slot, (uint16_t)mask);
        }
    }
}

/* ---- peers that go ---- */

/* One event, whatever number of DMBs there are for it. [IVSHMEM-013] [SMCD-027] */
static void peer_gone(struct ivshmem *v, struct peer peer)
{
    for (uint32_t i = 0; i < v->region.max_dmbs; i++)
        if (v->own[i].used && v->own[i].writer.id == peer.id &&
            v->own[i].writer.generation == peer.generation)
            v->own[i].peer_gone = true;
    struct smc_dibs_event event = {.type = SMC_DIBS_EVENT_DEVICE,
                                   .subtype = SMC_DIBS_SUBTYPE_DISABLED,
                                   .gid = gid_of(v, peer)};
    struct dibs_operation o = {.operation = SMC_RECORD_EVENT,
                               .source = event.gid,
                               .destination = v->device.gid,
                               .index = SMC_DIBS_SUBTYPE_DISABLED,
                               .offset = SMC_DIBS_EVENT_DEVICE};
    dibs_record(v->config.observer, &o, NULL);
    deliver(v, &event);
}

static bool stands_still(struct ivshmem *v, struct own_dmb *own, uint64_t now_ns)
{
    size_t at = ivshmem_peer_at(&v->region, own->writer.id) + PEER_ALIVE;
    uint32_t alive = ivshmem_load(&v->region, at);
    if (v->config.alive_interval_ns == 0 || is_me(v, own->writer))
        return false;
    if (!own->alive_known || own->alive != alive) {
        own->alive_known = true;
        own->alive = alive;
        own->alive_since_ns = now_ns;
    }
    return now_ns - own->alive_since_ns >= v->config.alive_timeout_ns;
}

static void look_for_gone(struct ivshmem *v, uint64_t now_ns)
{
    for (uint32_t i = 0; i < v->region.max_dmbs; i++) {
        struct own_dmb *own = &v->own[i];
        if (own->used && !own->peer_gone &&
            (!is_present(v, own->writer) || stands_still(v, own, now_ns)))
            peer_gone(v, own->writer);
    }
}

void ivshmem_peer_left(struct ivshmem *v, uint16_t id)
{
    if (v->failed || id == v->me.id || id >= v->region.max_peers)
        return; /* [IVSHMEM-005] */
    /* Said in the region, where the next run of every machine finds it. */
    ivshmem_store(&v->region, ivshmem_peer_at(&v->region, id) + PEER_PRESENT, 0);
    v->raised = true;
    wake(v);
}

static bool takes_part(const struct ivshmem *v)
{
    const struct ivshmem_region *r = &v->region;
    for (uint32_t slot = 0; slot < r->max_dmbs; slot++) {
        size_t at = ivshmem_dmb_at(r, slot);
        if (v->own[slot].used || (ivshmem_load(r, at + DMB_STATE) == DMB_LIVE &&
                                  ivshmem_load(r, at + DMB_WRITER) == v->me.id))
            return true;
    }
    return false;
}

static void beat(struct ivshmem *v, uint64_t now_ns)
{
    v->involved = takes_part(v);
    if (v->config.alive_interval_ns == 0 || !v->involved || now_ns < v->next_alive_ns)
        return;
    ivshmem_add(&v->region, ivshmem_peer_at(&v->region, v->me.id) + PEER_ALIVE, 1);
    v->next_alive_ns = now_ns + v->config.alive_interval_ns;
}

uint64_t ivshmem_next_ns(const struct ivshmem *v)
{
    uint64_t next = UINT64_MAX;
    if (v->failed)
        return next;
    if (v->config.alive_interval_ns != 0 && v->involved)
        next = v->next_alive_ns;
    if (!v->raised)
        return next;
    uint64_t due = v->stamped ? v->due_ns : 0;
    if (due < v->faults.hold_until_ns)
        due = v->faults.hold_until_ns;
    return due < next ? due : next;
}

static bool interrupt_is_due(struct ivshmem *v, uint64_t now_ns)
{
    if (!v->raised)
        return false;
    if (!v->stamped) {
        v->stamped = true;
        v->due_ns = now_ns + v->config.interrupt_delay_ns;
    }
    return now_ns >= v->due_ns && now_ns >= v->faults.hold_until_ns;
}

void ivshmem_run(struct ivshmem *v, uint64_t now_ns)
{
    if (v->failed)
        return;
    bool due = interrupt_is_due(v, now_ns);
    if (due) {
        v->raised = v->stamped = false;
        deliver_signals(v);
        drain_ring(v);
    }
    beat(v, now_ns);
    if (due || v->config.alive_interval_ns != 0)
        look_for_gone(v, now_ns);
}

/* ---- life ---- */

/* What a machine with this ID left behind when it died. */
static void reclaim(struct ivshmem *v)
{
    const struct ivshmem_region *r = &v->region;
    for (uint32_t slot = 0; slot < r->max_dmbs; slot++) {
        size_t at = ivshmem_dmb_at(r, slot);
        uint32_t length = ivshmem_load(r, at + DMB_LENGTH), page = ivshmem_load(r, at + DMB_PAGE);
        if (ivshmem_load(r, at + DMB_OWNER) != v->me.id ||
            !ivshmem_replace(r, at + DMB_STATE, DMB_LIVE, DMB_CLAIMED))
            continue;
        if (ivshmem_pages_ok(r, page, length))
            ivshmem_free_pages(r, page, length / DIBS_PAGE_BYTES);
        ivshmem_store(r, at + DMB_STATE, DMB_FREE);
    }
}

static void tell_others(struct ivshmem *v)
{
    for (uint32_t id = 0; id < v->region.max_peers; id++)
        if (id != v->me.id &&
            ivshmem_load(&v->region, ivshmem_peer_at(&v->region, id) + PEER_PRESENT) == 1)
            ring(v, id, EVENT_VECTOR);
}

static void join(struct ivshmem *v)
{
    const struct ivshmem_region *r = &v->region;
    size_t at = ivshmem_peer_at(r, v->me.id);
    v->me.generation = ivshmem_add(r, at + PEER_GENERATION, 1);
    if (v->me.generation == 0)
        v->me.generation = ivshmem_add(r, at + PEER_GENERATION, 1);
    reclaim(v);
    v->next_event = ivshmem_ring_reset(r, v->me.id);
    for (uint32_t slot = 0; slot < r->max_dmbs; slot += 32)
        ivshmem_store(r, ivshmem_pending_at(r, v->me.id, slot), 0);
    ivshmem_store(r, at + PEER_VECTORS, v->config.bars.vectors);
    ivshmem_store(r, at + PEER_ALIVE, 0);
    ivshmem_store(r, at + PEER_PRESENT, 1);
    v->device.gid = gid_of(v, v->me);
    v->device.name = v->config.name;
    v->device.ops = &ops;
    tell_others(v); /* who knew the last machine with this ID learns that it is gone */
}

static struct ivshmem_region wanted_region(const struct ivshmem_config *config)
{
    uint64_t random = config->seed;
    struct ivshmem_region wanted = {
        .host_id = dibs_random(&random) | 1, /* never zero */
        .fabric_id = config->fabric_id != 0 ? config->fabric_id : SMC_DIBS_EMULATED_FABRIC_FIRST,
        .max_peers = config->max_peers != 0 ? config->max_peers : DEFAULT_PEERS,
        .max_dmbs = config->max_dmbs != 0 ? config->max_dmbs : DEFAULT_DMBS};
    return wanted;
}

static int open_region(struct ivshmem *v)
{
    const struct ivshmem_config *config = &v->config;
    struct ivshmem_region wanted = wanted_region(config);
    if (wanted.fabric_id < SMC_DIBS_EMULATED_FABRIC_FIRST ||
        wanted.fabric_id == SMC_DIBS_LOOPBACK_FABRIC)
        return SMC_ERR_ARGUMENT;
    if (config->bars.vectors == 0)
        return SMC_ERR_UNSUPPORTED;
    int error =
        ivshmem_region_open(&v->region, config->bars.memory, config->bars.memory_bytes, &wanted);
    if (error != 0)
        return error;
    v->me.id = config->bars.read(config->bars.user, IVSHMEM_POSITION); /* [IVSHMEM-007] */
    return v->me.id < v->region.max_peers ? 0 : SMC_ERR_NOSPACE;
}

int ivshmem_create(const struct ivshmem_config *config, const struct smc_alloc *alloc,
                   struct ivshmem **out)
{
    struct ivshmem *v = smc_alloc_zeroed(alloc, 1, sizeof(*v));
    if (v == NULL)
        return SMC_ERR_NOMEM;
    v->alloc = alloc;
    v->config = *config;
    int error = open_region(v);
    if (error == 0) {
        v->own = smc_alloc_zeroed(alloc, v->region.max_dmbs, sizeof(*v->own));
        if (v->own == NULL)
            error = SMC_ERR_NOMEM;
    }
    if (error != 0) {
        smc_alloc_release(alloc, v, 1, sizeof(*v));
        return error;
    }
    join(v);
    *out = v;
    return 0;
}

void ivshmem_fail(struct ivshmem *v)
{
    v->failed = true;
    v->raised = false;
}

int ivshmem_destroy(struct ivshmem *v)
{
    if (v->device.dibs != NULL)
        return SMC_ERR_BUSY;
    assert(!v->destroyed);
    if (!v->failed) {
        size_t at = ivshmem_peer_at(&v->region, v->me.id);
        ivshmem_replace(&v->region, at + PEER_PRESENT, 1, 0);
        tell_others(v);
    }
    v->failed = true;
    v->destroyed = true;
    if (v->device.references == 0)
        released(&v->device);
    return 0;
}

struct smc_dibs_device *ivshmem_device(struct ivshmem *v)
{
    return &v->device;
}

struct dibs_faults *ivshmem_faults(struct ivshmem *v)
{
    return &v->faults;
}
