/* The dibs loopback device: shared memory within one system, between all its network namespaces.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef DEVICES_LOOPBACK_H
#define DEVICES_LOOPBACK_H

#include <smc/alloc.h>
#include <smc/dibs.h>

#include "devices/dibs_parts.h"
#include "devices/dibs_record.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A system has one loopback: one GID, fabric id 0xFFFF, one set of DMBs. Each registry on that system
 * (a host has one; several namespaces may have one each) gets a port of it, a dibs device:
 *
 *     registry A ── port A ──┐
 *                            ├── loopback: DMBs by token and by index, 5000 of them
 *     registry B ── port B ──┘
 *
 * What it is after: the dibs loopback of Linux (drivers/dibs/dibs_loopback.c), without its weak spots:
 * every move is checked in 64 bits, a token is dead once its owner let go, nobody can drop a
 * reference twice, and an index is free for others only when owner and attacher are both gone.
 * No VLANs and no events; VLAN ids are ignored. The peer may attach a DMB and write there itself.
 *
 * A signal calls the owner's handle_irq within the sender's move_data, except while the fault plan
 * holds signals back: then loopback_run of the owner's port does. */
struct loopback;
struct loopback_port;

struct loopback_config {
    uint64_t seed;          /* of tokens, and of the GID if that is zero */
    struct smc_gid gid;     /* zero: a random UUID from the seed */
    uint32_t max_dmbs;      /* 0: 5000 */
    uint32_t max_dmb_bytes; /* 0: 1 MiB. A longer DMB, or one that is no multiple of 4 KiB:
                             * SMC_ERR_ARGUMENT */
};

/* `alloc` is borrowed and serves ports and DMBs too. SMC_ERR_NOMEM. */
int loopback_create(const struct loopback_config *config, const struct smc_alloc *alloc,
                    struct loopback **out);
/* SMC_ERR_BUSY while there are ports, or DMBs that somebody has registered or attached; then nothing
 * happened. */
int loopback_destroy(struct loopback *loopback);

/* Borrowed; NULL: nobody captures. */
void loopback_observe(struct loopback *loopback, const struct dibs_observer *observer);
/* The plan of the whole loopback, to be written into. */
struct dibs_faults *loopback_faults(struct loopback *loopback);
/* DMBs registered, or still attached after their owner let go. */
uint32_t loopback_dmb_count(const struct loopback *loopback);

/* `wake` may be NULL: called when loopback_next_ns of the port may have become earlier.
 * `name` is borrowed. SMC_ERR_NOMEM. */
int loopback_port_create(struct loopback *loopback, const char *name, void (*wake)(void *user),
                         void *user, struct loopback_port **out);
/* SMC_ERR_BUSY while a registry has it. What the port still has attached is detached. The object goes
 * now, or with the last reference that somebody holds. */
int loopback_port_destroy(struct loopback_port *port);
/* For smc_dibs_add_device. */
struct smc_dibs_device *loopback_port_device(struct loopback_port *port);

/* UINT64_MAX unless signals were held back. */
uint64_t loopback_next_ns(const struct loopback_port *port);
void loopback_run(struct loopback_port *port, uint64_t now_ns);

#ifdef __cplusplus
}
#endif

#endif
