/* ivshmem: virtual machines of one host that share memory and ring each other's doorbells; a dibs device on it.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef DEVICES_IVSHMEM_H
#define DEVICES_IVSHMEM_H

#include <smc/alloc.h>
#include <smc/dibs.h>

#include "devices/dibs_parts.h"
#include "devices/dibs_record.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the model of the PCI device (ivshmem_model.c) ----------------------------------------------
 * After QEMU's specification of ivshmem-doorbell: registers in BAR0, vectors, memory in BAR2, and a
 * server that gives each machine the lowest free ID. */
struct ivshmem_host;
struct ivshmem_pci;

struct ivshmem_host_config {
    size_t memory_bytes; /* a multiple of 4 KiB */
    uint32_t vectors;    /* what the server hands out per machine, 0 to 65535 */
    uint8_t revision;    /* 1; 0: before QEMU 2.6, with Interrupt Mask and Status */
};

/* `alloc` is borrowed. SMC_ERR_ARGUMENT, SMC_ERR_NOMEM. */
int ivshmem_host_create(const struct ivshmem_host_config *config, const struct smc_alloc *alloc,
                        struct ivshmem_host **out);
/* SMC_ERR_BUSY while a machine is plugged in. */
int ivshmem_host_destroy(struct ivshmem_host *host);

/* `vectors`: of the machine's own; surplus ones on either side stay unconnected. 0: no interrupts.
 * SMC_ERR_NOMEM, SMC_ERR_NOSPACE (65,536 machines). */
int ivshmem_pci_plug(struct ivshmem_host *host, uint32_t vectors, struct ivshmem_pci **out);
void ivshmem_pci_unplug(struct ivshmem_pci *pci);
/* Who gets the interrupts; NULL: nobody. */
void ivshmem_pci_on_interrupt(struct ivshmem_pci *pci, void (*handler)(void *user, uint16_t vector),
                              void *user);
/* Whether the server's greeting is through (true after plugging). Before, doorbells of this machine
 * and to it are ignored, and with revision 0 IVPosition reads -1. */
void ivshmem_pci_set_ready(struct ivshmem_pci *pci, bool ready);
/* The server's number; the guest reads it from IVPosition. */
uint16_t ivshmem_pci_id(const struct ivshmem_pci *pci);

enum ivshmem_register {
    IVSHMEM_MASK = 0,
    IVSHMEM_STATUS = 4,
    IVSHMEM_POSITION = 8,
    IVSHMEM_DOORBELL = 12
};
/* A 32-bit access to BAR0, as a value; on the bus it is little endian. Reserved and write-only
 * registers read as 0, writes to reserved and read-only ones have no effect. */
uint32_t ivshmem_pci_read(void *pci, uint32_t offset);
void ivshmem_pci_write(void *pci, uint32_t offset, uint32_t value);

/* What a driver needs of such a device, modelled or real. */
struct ivshmem_bars {
    uint8_t *memory; /* BAR2, mapped; aligned to 8 bytes */
    size_t memory_bytes;
    uint32_t vectors; /* connected ones */
    uint32_t (*read)(void *user, uint32_t offset);
    void (*write)(void *user, uint32_t offset, uint32_t value);
    void *user;
};
struct ivshmem_bars ivshmem_pci_bars(struct ivshmem_pci *pci);

/* ---- the dibs device (ivshmem.c, ivshmem_region.c) ----------------------------------------------
 * The first machine formats the region; all others use it as they find it, or not at all:
 *
 *     page 0        header: magic, version, byte order, host id, fabric id, how many peers and DMBs;
 *                   a flag a peer that somebody rang for it
 *     then          peers (generation, presence, vectors, alive counter), by server ID
 *                   DMB directory, bitmap of data pages, per peer: pending DMBs, ring of events
 *     then          data pages
 *
 * Everything is little endian and read and written by atomic words. GID: host id ‖ ID, generation;
 * token: generation ‖ directory slot; a DMB's index is its slot. Vector 0 rings for events and for
 * peers that come and go, the others for DMBs.
 *
 * Whatever stands in the region another machine may have scribbled there. What this machine owns it
 * keeps in memory of its own and never reads back; what it must read is checked at each use. So a
 * hostile machine can spoil what lies in the region, but not lead this one outside of it or into
 * its own DMBs. */
struct ivshmem;

struct ivshmem_config {
    struct ivshmem_bars bars; /* borrowed while the device lives */
    const char *name;         /* borrowed */
    uint64_t seed;            /* of the host id, if this machine formats */
    uint16_t fabric_id;       /* if it formats: 0xFF00 to 0xFFFE; 0: 0xFF00 */
    uint32_t max_peers;       /* if it formats: IDs below it can take part; 0: 64, at most 1024 */
    uint32_t max_dmbs;        /* if it formats: 0: 256, at most 4096 */
    uint64_t interrupt_delay_ns;
    /* A machine that takes part in a connection counts up its alive counter every interval; a peer
     * whose counter stands still for `alive_timeout_ns` is gone. 0: not watched. */
    uint64_t alive_interval_ns, alive_timeout_ns;
    const struct dibs_observer *observer; /* borrowed; NULL: nobody captures */
    void (*wake)(void *user);             /* may be NULL */
    void *user;
};

/* SMC_ERR_NOMEM; SMC_ERR_ARGUMENT; SMC_ERR_UNSUPPORTED (no vectors: then a machine cannot know its
 * ID); SMC_ERR_NOSPACE (ID beyond max_peers, or region too small); SMC_ERR_PROTOCOL (formatted, but
 * not like this); SMC_ERR_BUSY (another machine formats right now). */
int ivshmem_create(const struct ivshmem_config *config, const struct smc_alloc *alloc,
                   struct ivshmem **out);
/* Says good-bye to the others. SMC_ERR_BUSY while a registry has the device. */
int ivshmem_destroy(struct ivshmem *ivshmem);
/* The machine dies: it says nothing, does nothing, and every operation returns SMC_ERR_GONE. */
void ivshmem_fail(struct ivshmem *ivshmem);

struct smc_dibs_device *ivshmem_device(struct ivshmem *ivshmem);
struct dibs_faults *ivshmem_faults(struct ivshmem *ivshmem);

/* An interrupt arrived; fits ivshmem_pci_on_interrupt with the device as `user`. */
void ivshmem_interrupt(void *ivshmem, uint16_t vector);
/* For a machine without interrupts: looks at its flag in the header page; if somebody rang (true), as ivshmem_interrupt. */
bool ivshmem_poll(struct ivshmem *ivshmem);
/* For who hears the server: this ID has disconnected. */
void ivshmem_peer_left(struct ivshmem *ivshmem, uint16_t id);

uint64_t ivshmem_next_ns(const struct ivshmem *ivshmem);
void ivshmem_run(struct ivshmem *ivshmem, uint64_t now_ns);

#ifdef __cplusplus
}
#endif

#endif
