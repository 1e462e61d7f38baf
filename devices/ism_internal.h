/* The inside of the ISM model: what its firmware files and its driver share.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef DEVICES_ISM_INTERNAL_H
#define DEVICES_ISM_INTERNAL_H

#include "devices/ism.h"

/* Memory of the driver that the function may reach. */
struct ism_mapping {
    struct ism_mapping *next;
    uint64_t address;
    uint32_t length;
    uint8_t *memory;
};

/* Firmware: a registered DMB; token 0: none. */
struct ism_dmb {
    uint64_t token;
    uint64_t rgid;
    uint32_t length;
    bool vlan_valid;
    uint16_t vlan_id;
    uint8_t *memory;
};

struct ism_fabric {
    const struct smc_alloc *alloc;
    const struct dibs_observer *observer;
    struct ism_config config;
    uint64_t random;
    uint32_t function_count;        /* plugged in, or kept by a reference */
    struct ism_function *functions; /* in the order in which they were plugged in */
};

/* Driver: the mapping of a registered DMB; address 0: none. */
struct ism_buffer {
    uint64_t address;
    uint64_t token;
    uint32_t length;
    uint8_t *memory;
};

struct ism_function {
    struct smc_dibs_device device; /* first: the device operations cast */
    struct ism_fabric *fabric;
    struct ism_function *next;
    struct dibs_faults faults;
    char pnet[17];
    uint16_t chid;
    bool accepts_v2, refuses_vlans;

    /* firmware */
    uint64_t gid;
    bool gone, vlan_required;
    uint64_t sba_address, ieq_address;
    uint8_t *sba, *ieq; /* NULL: not registered; inside a mapping */
    uint32_t ieq_unread, events_refused;
    uint16_t vlans[ISM_VLANS];
    uint32_t vlan_count;
    struct ism_dmb dmbs[ISM_DMBS];
    struct ism_mapping *mappings;
    uint64_t next_address;

    /* the interrupt between them */
    bool raised, stamped;
    uint64_t due_ns;
    void (*wake)(void *user);
    void *user;

    /* driver */
    bool v2_capable, destroyed;
    uint8_t *sba_memory, *ieq_memory;
    uint64_t sba_map, ieq_map;
    uint32_t ieq_next; /* the driver's own read index */
    struct ism_buffer buffers[ISM_DMBS];
};

struct ism_function *ism_find_function(struct ism_fabric *fabric, uint64_t gid);
/* The memory at [address, address + length), all of it inside one mapping; NULL. */
uint8_t *ism_reach(struct ism_function *function, uint64_t address, uint64_t length);
bool ism_has_vlan(const struct ism_function *function, uint16_t vlan_id);
/* Which DMB a token names, and at whose function; NULL. */
struct ism_dmb *ism_find_dmb(struct ism_fabric *fabric, uint64_t token,
                             struct ism_function **owner);
/* What a store would say about [offset, offset + size) of the DMB. */
int ism_store_allowed(struct ism_function *function, uint64_t token, uint32_t offset,
                      uint32_t size);
uint64_t ism_new_token(struct ism_fabric *fabric, uint32_t index);

struct ism_entry {
    uint32_t type, code;
    uint64_t token, info;
};
/* Adds an entry to the queue of `to`; false: no room. */
bool ism_post(struct ism_function *to, const struct ism_entry *entry, bool interrupt);
void ism_interrupt(struct ism_function *function);

/* Called with the last reference to the device. */
void ism_function_released(struct ism_function *function);

/* Driver. */
int ism_driver_start(struct ism_function *function);
void ism_driver_stop(struct ism_function *function);
extern const struct smc_dibs_ops ism_driver_ops;

#endif
