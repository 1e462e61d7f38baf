/* ISM: a model of the virtual PCI functions by which partitions of one s390 machine share memory.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef DEVICES_ISM_H
#define DEVICES_ISM_H

#include <smc/alloc.h>
#include <smc/dibs.h>

#include "devices/dibs_parts.h"
#include "devices/dibs_record.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Two halves, and nothing between them but what crosses a PCI bus:
 *
 *     client ── smc/dibs.h ──▶ driver half  (ism_driver.c)   one per function
 *                                 │  ism_command: control blocks; ism_store: PCI stores
 *                                 │  ism_map: memory that the function may reach
 *                                 ▼  interrupt
 *                              firmware half (ism.c, ism_command.c)   one fabric per machine
 *
 * The firmware writes into the driver's memory (summary bit area, event queue, DMBs) big endian and
 * only inside what was mapped. Facts: drivers/s390/net/ism.h of Linux.
 *
 * A function's GID is 64 bits; in dibs form its first eight bytes, big endian, the rest zero. */
struct ism_fabric;
struct ism_function;

/* ---- the machine ---- */

struct ism_config {
    uint64_t seed;               /* of tokens */
    uint64_t interrupt_delay_ns; /* from a signal until the owner's driver runs */
    uint32_t max_dmb_bytes;      /* 0: 1 MiB; at most 8 MiB, what the offset of a store can name */
};

/* `alloc` is borrowed and serves the functions too. SMC_ERR_NOMEM, SMC_ERR_ARGUMENT. */
int ism_fabric_create(const struct ism_config *config, const struct smc_alloc *alloc,
                      struct ism_fabric **out);
/* SMC_ERR_BUSY while it has functions. */
int ism_fabric_destroy(struct ism_fabric *fabric);
/* Borrowed; NULL: nobody captures. */
void ism_fabric_observe(struct ism_fabric *fabric, const struct dibs_observer *observer);

/* ---- functions ---- */

struct ism_function_config {
    uint64_t gid;     /* not zero, unique on the machine */
    uint16_t chid;    /* functions of one CHID reach each other */
    const char *pnet; /* at most 16 characters, copied; NULL: none */
    const char *name; /* borrowed, "ism0" */
    bool v2_capable;  /* takes the reserved VLAN id 0x1FFF, by which a driver finds this out */
    bool no_vlans;    /* refuses every other VLAN id */
    void (*wake)(void *user); /* ism_next_ns may have become earlier; NULL: nobody asks */
    void *user;
};

/* Plugs a function in and starts its driver: maps and registers summary bit area and event queue,
 * reads the GID, tries VLAN id 0x1FFF. SMC_ERR_NOMEM, SMC_ERR_EXISTS (GID), SMC_ERR_ARGUMENT. */
int ism_function_create(struct ism_fabric *fabric, const struct ism_function_config *config,
                        struct ism_function **out);
/* Stops the driver and unplugs. SMC_ERR_BUSY while a registry has the device; otherwise the others
 * hear of it (see ism_function_fail), and the object goes now or with the last reference. */
int ism_function_destroy(struct ism_function *function);
/* The function vanishes under its driver: whoever has a DMB open to its GID gets a DEVICE event, its
 * DMBs are dead for writers, its own operations return SMC_ERR_GONE (unregister_dmb works, so that
 * the registry can still take it away). A second time: nothing. */
void ism_function_fail(struct ism_function *function);

struct smc_dibs_device *ism_function_device(struct ism_function *function);
const char *ism_function_pnet(const struct ism_function *function); /* "" if none */
/* What the driver found out. */
bool ism_function_v2_capable(const struct ism_function *function);
/* Of this function as caller, and of signals and events to it. To be written into. */
struct dibs_faults *ism_function_faults(struct ism_function *function);

/* When the driver's interrupt handler wants to run: 0 right after a signal arrived (the delay starts
 * at the first run), UINT64_MAX without one. It clears the summary bit, calls smc_dibs_irq for every
 * DMB bit and then smc_dibs_event for every entry of the event queue. */
uint64_t ism_next_ns(const struct ism_function *function);
void ism_run(struct ism_function *function, uint64_t now_ns);

/* ---- what the driver half uses, and tests of the firmware ---- */

enum ism_command_code {
    ISM_REG_SBA = 0x1,
    ISM_REG_IEQ = 0x2,
    ISM_READ_GID = 0x3,
    ISM_ADD_VLAN_ID = 0x4,
    ISM_DEL_VLAN_ID = 0x5,
    ISM_SET_VLAN = 0x6,
    ISM_RESET_VLAN = 0x7,
    ISM_QUERY_INFO = 0x8,
    ISM_QUERY_RGID = 0x9,
    ISM_REG_DMB = 0xA,
    ISM_UNREG_DMB = 0xB,
    ISM_SIGNAL_IEQ = 0xE,
    ISM_UNREG_SBA = 0x11,
    ISM_UNREG_IEQ = 0x12
};

/* Response codes. 0 and ISM_ERROR are the machine's; the others are this model's, because what real
 * firmware answers is not published. */
enum ism_response {
    ISM_OK = 0,
    ISM_NO_ROOM = 1,
    ISM_UNKNOWN = 2,
    ISM_UNREACHABLE = 3,
    ISM_GONE = 4,
    ISM_ERROR = 0xFFFF
};

enum {
    ISM_DMBS = 1920,
    ISM_FIRST_DMB = 32, /* the driver leaves the first word of bits unused */
    ISM_VLANS = 64,
    ISM_RESERVED_VLAN = 0x1FFF,
    ISM_SBA_BYTES = 4096,
    ISM_SBA_BITS = 4,    /* offset of 60 words, bit n counted from the most significant one */
    ISM_SBA_MASKS = 256, /* offset of 1920 × u16 */
    ISM_IEQ_BYTES = 512,
    ISM_IEQ_ENTRIES = 15,
    ISM_BLOCK_BYTES = 200 /* the longest request or response (QUERY_INFO) */
};

/* The two bits of the summary bit area's first word. */
#define ISM_SUMMARY 0x80000000u
#define ISM_EVENT   0x40000000u

/* Carries out the request in block[0..size) and writes the response over it: u32 command, u16 return
 * code, u16 length, then the command's fields, all big endian. A request whose length field is not
 * that of its command, or a block too short for request or response, is answered ISM_ERROR; a block
 * of fewer than eight bytes is left alone. */
void ism_command(struct ism_function *function, uint8_t *block, size_t size);

/* Opens [memory, memory + length) to the function and gives it an address (page aligned). `memory`
 * is borrowed until ism_unmap, which ends what is registered in it. SMC_ERR_NOMEM. */
int ism_map(struct ism_function *function, uint8_t *memory, uint32_t length, uint64_t *address);
void ism_unmap(struct ism_function *function, uint64_t address);

/* One PCI store of at most a page that crosses no page boundary of the DMB. `address` is
 * token | element << 24 | signal << 23 | offset. SMC_ERR_NOTFOUND, _PERMISSION, _RANGE, _GONE. */
int ism_store(struct ism_function *function, uint64_t address, const void *data, uint32_t size);

#ifdef __cplusplus
}
#endif

#endif
