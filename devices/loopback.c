/* The dibs loopback: DMBs in ordinary memory, found by random tokens, counted by owner and attacher.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/loopback.h"

#include <assert.h>
#include <string.h>

#include "wire/values.h"

enum { DEFAULT_DMBS = 5000, BUCKETS = 4096 };

/* Owner and attacher each hold one reference or more; memory, token and index go with the last. */
struct dmb {
    struct dmb *next; /* same bucket */
    struct loopback_port *owner;
    bool registered; /* the owner's reference; false: the token is dead */
    struct loopback_port *attacher;
    uint32_t attached; /* the attacher's references */
    uint64_t token;
    uint32_t index;
    uint32_t length;
    uint16_t held_mask; /* signals that the fault plan holds back */
    uint8_t *data;
};

struct loopback {
    const struct smc_alloc *alloc;
    const struct dibs_observer *observer;
    struct dibs_faults faults;
    struct smc_gid gid;
    uint64_t random;
    uint32_t max_dmbs, max_dmb_bytes;
    uint32_t dmb_count, port_count;
    struct dmb **by_index; /* max_dmbs; NULL: free */
    uint64_t *used;        /* the same as a bitmap, to find the first free index quickly */
    struct dmb *buckets[BUCKETS];
};

struct loopback_port {
    struct smc_dibs_device device; /* first: the device operations cast */
    struct loopback *loopback;
    void (*wake)(void *user);
    void *user;
    bool holding; /* a DMB of this port has a held_mask */
    bool destroyed;
};

static struct loopback_port *port_of(struct smc_dibs_device *device)
{
    return (struct loopback_port *)device;
}

/* ---- tables ---- */

static uint32_t used_words(const struct loopback *loopback)
{
    return (loopback->max_dmbs + 63) / 64;
}

static struct dmb **bucket_of(struct loopback *loopback, uint64_t token)
{
    return &loopback->buckets[token % BUCKETS]; /* tokens are random already */
}

static struct dmb *find(struct loopback *loopback, uint64_t token)
{
    struct dmb *dmb = *bucket_of(loopback, token);
    while (dmb != NULL && dmb->token != token)
        dmb = dmb->next;
    return dmb;
}

/* max_dmbs if all are in use. */
static uint32_t first_free_index(const struct loopback *loopback)
{
    for (uint32_t word = 0; word < used_words(loopback); word++) {
        if (loopback->used[word] == UINT64_MAX)
            continue;
        uint32_t index = word * 64;
        while (loopback->used[word] >> index % 64 & 1)
            index++;
        return index < loopback->max_dmbs ? index : loopback->max_dmbs;
    }
    return loopback->max_dmbs;
}

static uint64_t new_token(struct loopback *loopback)
{
    uint64_t token;
    do
        token = dibs_random(&loopback->random);
    while (token == 0 || find(loopback, token) != NULL);
    return token;
}

static void enter(struct loopback *loopback, struct dmb *dmb)
{
    struct dmb **bucket = bucket_of(loopback, dmb->token);
    dmb->next = *bucket;
    *bucket = dmb;
    loopback->by_index[dmb->index] = dmb;
    loopback->used[dmb->index / 64] |= (uint64_t)1 << dmb->index % 64;
    loopback->dmb_count++;
}

static void leave(struct loopback *loopback, struct dmb *dmb)
{
    struct dmb **link = bucket_of(loopback, dmb->token);
    while (*link != dmb)
        link = &(*link)->next;
    *link = dmb->next;
    loopback->by_index[dmb->index] = NULL;
    loopback->used[dmb->index / 64] &= ~((uint64_t)1 << dmb->index % 64);
    loopback->dmb_count--;
    smc_alloc_release(loopback->alloc, dmb->data, dmb->length, 1);
    smc_alloc_release(loopback->alloc, dmb, 1, sizeof(*dmb));
}

static void leave_if_unused(struct loopback *loopback, struct dmb *dmb)
{
    if (!dmb->registered && dmb->attached == 0)
        leave(loopback, dmb);
}

static void tell(const struct loopback *loopback, enum smc_record_op operation,
                 const struct dmb *dmb, uint32_t total)
{
    struct dibs_operation o = {.operation = (uint8_t)operation,
                               .source = loopback->gid,
                               .destination = loopback->gid,
                               .token = dmb->token,
                               .index = dmb->index,
                               .total = total};
    dibs_record(loopback->observer, &o, NULL);
}

/* ---- operations ---- */

static uint16_t get_fabric_id(struct smc_dibs_device *device)
{
    (void)device;
    return SMC_DIBS_LOOPBACK_FABRIC;
}

static int query_remote_gid(struct smc_dibs_device *device, const struct smc_gid *rgid,
                            bool vlan_valid, uint16_t vlan_id)
{
    struct loopback *loopback = port_of(device)->loopback;
    (void)vlan_valid;
    (void)vlan_id;
    int error = dibs_faults_ask(&loopback->faults, DIBS_FAULT_QUERY);
    if (error != 0)
        return error;
    /* [DIBS-015] [CLC-071]: all 128 bits, every system has a device of this fabric id. */
    return smc_gid_equal(rgid, &loopback->gid) ? 0 : SMC_ERR_UNREACHABLE;
}

static uint32_t max_dmbs(struct smc_dibs_device *device)
{
    return port_of(device)->loopback->max_dmbs;
}

static int make_dmb(struct loopback *loopback, uint32_t length, struct dmb **out)
{
    struct dmb *dmb = smc_alloc_zeroed(loopback->alloc, 1, sizeof(*dmb));
    if (dmb == NULL)
        return SMC_ERR_NOMEM;
    dmb->length = length;
    dmb->data = smc_alloc_zeroed(loopback->alloc, length, 1);
    if (dmb->data == NULL) {
        smc_alloc_release(loopback->alloc, dmb, 1, sizeof(*dmb));
        return SMC_ERR_NOMEM;
    }
    *out = dmb;
    return 0;
}

static int register_dmb(struct smc_dibs_device *device, struct smc_dibs_dmb *request)
{
    struct loopback *loopback = port_of(device)->loopback;
    if (!dibs_length_ok(request->length, loopback->max_dmb_bytes))
        return SMC_ERR_ARGUMENT;
    if (!smc_gid_equal(&request->rgid, &loopback->gid))
        return SMC_ERR_UNREACHABLE;
    int error = dibs_faults_ask(&loopback->faults, DIBS_FAULT_REGISTER);
    if (error != 0)
        return error;
    uint32_t index = first_free_index(loopback);
    if (index == loopback->max_dmbs)
        return SMC_ERR_NOSPACE;
    struct dmb *dmb;
    error = make_dmb(loopback, request->length, &dmb);
    if (error != 0)
        return error;
    dmb->owner = port_of(device);
    dmb->registered = true;
    dmb->index = index;
    dmb->token = new_token(loopback);
    enter(loopback, dmb);
    request->index = index;
    request->token = dmb->token;
    request->data = dmb->data;
    tell(loopback, SMC_RECORD_REGISTER, dmb, dmb->length);
    return 0;
}

static int unregister_dmb(struct smc_dibs_device *device, struct smc_dibs_dmb *request)
{
    struct loopback *loopback = port_of(device)->loopback;
    struct dmb *dmb = find(loopback, request->token);
    /* [DIBS-013]: a second time finds the owner's reference gone and leaves the attacher's alone. */
    if (dmb == NULL || !dmb->registered || dmb->owner != port_of(device) ||
        dmb->index != request->index)
        return SMC_ERR_NOTFOUND;
    dmb->registered = false; /* [DIBS-011] */
    dmb->held_mask = 0;
    tell(loopback, SMC_RECORD_UNREGISTER, dmb, 0);
    leave_if_unused(loopback, dmb); /* [SMCD-019] */
    return 0;
}

static void raise_signal(struct loopback *loopback, struct dmb *dmb, uint16_t mask)
{
    struct loopback_port *owner = dmb->owner;
    if (loopback->faults.hold_until_ns == 0 && !owner->holding) {
        smc_dibs_irq(&owner->device, dmb->index, mask);
        return;
    }
    dmb->held_mask |= mask; /* [SMCD-007] */
    owner->holding = true;
    if (owner->wake != NULL)
        owner->wake(owner->user);
}

static int move_data(struct smc_dibs_device *device, uint64_t token, uint32_t index, bool signal,
                     uint32_t offset, const void *data, uint32_t size)
{
    struct loopback *loopback = port_of(device)->loopback;
    struct dmb *dmb = find(loopback, token);
    if (dmb == NULL || !dmb->registered)
        return SMC_ERR_NOTFOUND;
    /* Whose GID may write needs no look: register_dmb admits no other than the one all ports have. */
    if (!dibs_inside(offset, size, dmb->length)) /* [DIBS-012] */
        return SMC_ERR_RANGE;
    int error = dibs_faults_ask(&loopback->faults, DIBS_FAULT_MOVE);
    if (error != 0)
        return error;
    if (size > 0) /* [DIBS-008]; memmove: a client may move from one part of a DMB to another */
        memmove(dmb->data + offset, data, size);
    struct dibs_operation o = {SMC_RECORD_MOVE, signal,     loopback->gid, loopback->gid,
                               token,           dmb->index, offset,        size};
    if (size > 0 || signal)
        dibs_record(loopback->observer, &o, size > 0 ? dmb->data + offset : NULL);
    if (signal)
        raise_signal(loopback, dmb, dibs_element_mask(index));
    return 0;
}

static bool support_mmapped_rdmb(struct smc_dibs_device *device)
{
    (void)device;
    return true;
}

static int attach_dmb(struct smc_dibs_device *device, struct smc_dibs_dmb *request)
{
    struct loopback_port *port = port_of(device);
    struct loopback *loopback = port->loopback;
    struct dmb *dmb = find(loopback, request->token);
    if (dmb == NULL || !dmb->registered) /* [SMCD-020] */
        return SMC_ERR_NOTFOUND;
    if (dmb->attached > 0 && dmb->attacher != port)
        return SMC_ERR_PERMISSION;
    int error = dibs_faults_ask(&loopback->faults, DIBS_FAULT_ATTACH);
    if (error != 0)
        return error;
    dmb->attacher = port;
    dmb->attached++;
    request->length = dmb->length;
    request->data = dmb->data;
    tell(loopback, SMC_RECORD_ATTACH, dmb, dmb->length);
    return 0;
}

static int detach_dmb(struct smc_dibs_device *device, uint64_t token)
{
    struct loopback_port *port = port_of(device);
    struct dmb *dmb = find(port->loopback, token);
    if (dmb == NULL || dmb->attached == 0 || dmb->attacher != port)
        return SMC_ERR_NOTFOUND;
    dmb->attached--;
    tell(port->loopback, SMC_RECORD_DETACH, dmb, 0);
    leave_if_unused(port->loopback, dmb);
    return 0;
}

static void wrote(struct smc_dibs_device *device, uint64_t token, uint32_t offset, uint32_t size)
{
    struct loopback_port *port = port_of(device);
    struct dmb *dmb = find(port->loopback, token);
    if (dmb == NULL || dmb->attached == 0 || dmb->attacher != port || size == 0 ||
        !dibs_inside(offset, size, dmb->length))
        return;
    struct dibs_operation o = {
        SMC_RECORD_MOVE, false, port->loopback->gid, port->loopback->gid, token, dmb->index,
        offset,          size};
    dibs_record(port->loopback->observer, &o, dmb->data + offset);
}

static void released(struct smc_dibs_device *device)
{
    struct loopback_port *port = port_of(device);
    if (!port->destroyed)
        return;
    struct loopback *loopback = port->loopback;
    loopback->port_count--;
    smc_alloc_release(loopback->alloc, port, 1, sizeof(*port));
}

static const struct smc_dibs_ops ops = {
    .get_fabric_id = get_fabric_id,
    .query_remote_gid = query_remote_gid,
    .max_dmbs = max_dmbs,
    .register_dmb = register_dmb,
    .unregister_dmb = unregister_dmb,
    .move_data = move_data,
    .support_mmapped_rdmb = support_mmapped_rdmb,
    .attach_dmb = attach_dmb,
    .detach_dmb = detach_dmb,
    .wrote = wrote,
    .released = released,
};

/* ---- held signals ---- */

uint64_t loopback_next_ns(const struct loopback_port *port)
{
    return port->holding ? port->loopback->faults.hold_until_ns : UINT64_MAX;
}

void loopback_run(struct loopback_port *port, uint64_t now_ns)
{
    struct loopback *loopback = port->loopback;
    if (!port->holding || now_ns < loopback->faults.hold_until_ns)
        return;
    loopback->faults.hold_until_ns = 0;
    port->holding = false;
    for (uint32_t i = 0; i < loopback->max_dmbs; i++) {
        struct dmb *dmb = loopback->by_index[i];
        if (dmb == NULL || dmb->owner != port || dmb->held_mask == 0)
            continue;
        uint16_t mask = dmb->held_mask;
        dmb->held_mask = 0;
        smc_dibs_irq(&port->device, i, mask);
    }
}

/* ---- life ---- */

static struct smc_gid random_uuid(uint64_t *random)
{
    uint64_t high = dibs_random(random), low = dibs_random(random); /* two statements: arguments have no order */
    struct smc_gid gid = dibs_gid(high, low);
    gid.bytes[6] = (uint8_t)(0x40 | (gid.bytes[6] & 0x0f)); /* version 4 */
    gid.bytes[8] = (uint8_t)(0x80 | (gid.bytes[8] & 0x3f));
    return gid;
}

static void release_all(struct loopback *loopback)
{
    smc_alloc_release(loopback->alloc, loopback->used, used_words(loopback), sizeof(uint64_t));
    smc_alloc_release(loopback->alloc, loopback->by_index, loopback->max_dmbs,
                      sizeof(*loopback->by_index));
    smc_alloc_release(loopback->alloc, loopback, 1, sizeof(*loopback));
}

int loopback_create(const struct loopback_config *config, const struct smc_alloc *alloc,
                    struct loopback **out)
{
    struct loopback *loopback = smc_alloc_zeroed(alloc, 1, sizeof(*loopback));
    if (loopback == NULL)
        return SMC_ERR_NOMEM;
    loopback->alloc = alloc;
    loopback->random = config->seed;
    loopback->max_dmbs = config->max_dmbs != 0 ? config->max_dmbs : DEFAULT_DMBS;
    loopback->max_dmb_bytes =
        config->max_dmb_bytes != 0 ? config->max_dmb_bytes : DIBS_MAX_DMB_BYTES;
    loopback->gid = smc_gid_is_zero(&config->gid) ? random_uuid(&loopback->random) : config->gid;
    loopback->by_index = smc_alloc_zeroed(alloc, loopback->max_dmbs, sizeof(*loopback->by_index));
    loopback->used = smc_alloc_zeroed(alloc, used_words(loopback), sizeof(*loopback->used));
    if (loopback->by_index == NULL || loopback->used == NULL) {
        release_all(loopback);
        return SMC_ERR_NOMEM;
    }
    *out = loopback;
    return 0;
}

int loopback_destroy(struct loopback *loopback)
{
    if (loopback->port_count > 0 || loopback->dmb_count > 0)
        return SMC_ERR_BUSY;
    release_all(loopback);
    return 0;
}

void loopback_observe(struct loopback *loopback, const struct dibs_observer *observer)
{
    loopback->observer = observer;
}

struct dibs_faults *loopback_faults(struct loopback *loopback)
{
    return &loopback->faults;
}

uint32_t loopback_dmb_count(const struct loopback *loopback)
{
    return loopback->dmb_count;
}

int loopback_port_create(struct loopback *loopback, const char *name, void (*wake)(void *user),
                         void *user, struct loopback_port **out)
{
    struct loopback_port *port = smc_alloc_zeroed(loopback->alloc, 1, sizeof(*port));
    if (port == NULL)
        return SMC_ERR_NOMEM;
    port->device.ops = &ops;
    port->device.gid = loopback->gid;
    port->device.name = name;
    port->loopback = loopback;
    port->wake = wake;
    port->user = user;
    loopback->port_count++;
    *out = port;
    return 0;
}

/* The registry took the port's DMBs back; what its client attached and forgot is known only here. */
static void detach_all(struct loopback_port *port)
{
    struct loopback *loopback = port->loopback;
    for (uint32_t i = 0; i < loopback->max_dmbs; i++) {
        struct dmb *dmb = loopback->by_index[i];
        if (dmb == NULL || dmb->attached == 0 || dmb->attacher != port)
            continue;
        dmb->attached = 0;
        tell(loopback, SMC_RECORD_DETACH, dmb, 0);
        leave_if_unused(loopback, dmb);
    }
}

int loopback_port_destroy(struct loopback_port *port)
{
    if (port->device.dibs != NULL)
        return SMC_ERR_BUSY;
    assert(!port->destroyed);
    detach_all(port);
    port->destroyed = true;
    if (port->device.references == 0)
        released(&port->device);
    return 0;
}

struct smc_dibs_device *loopback_port_device(struct loopback_port *port)
{
    return &port->device;
}
