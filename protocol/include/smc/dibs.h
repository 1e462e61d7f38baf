/* dibs, direct internal buffer sharing: the interface to devices that move data by shared memory.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SMC_DIBS_H
#define SMC_DIBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <smc/alloc.h>
#include <smc/error.h>
#include <smc/gid.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The concept
 * ===========
 * Two systems on one machine can hand each other data without a network: the receiver sets aside a
 * piece of its memory, a direct memory buffer (DMB), and tells ONE sender its token. The sender asks
 * its device to move bytes to (token, offset); they are in place when the call returns. A move can
 * carry a signal, by which the owner learns that something in that DMB changed. This is what SMC-D
 * runs on; CLC carries the tokens, and the first bytes of each DMB carry the CDC block.
 *
 *     device   gives a system access: ISM (a PCI function), loopback (within one system), ivshmem
 *              (virtual machines on one host). It has a GID of its own and a fabric id (CHID).
 *              Different fabric ids: no way between two devices. Equal ones: ask query_remote_gid,
 *              fabric ids repeat from machine to machine.
 *     client   a protocol that uses devices; SMC is one. A client hears of every device, owns DMBs,
 *              and gets their signals.
 *     registry knows all devices and up to SMC_DIBS_MAX_CLIENTS clients, and passes on what happens.
 *
 *         client ──────── smc_dibs_register_dmb, _move_data … ───────▶ device (struct smc_dibs_ops)
 *           ▲                                                            │
 *           └── handle_irq, handle_event ◀── registry ◀── smc_dibs_irq, smc_dibs_event
 *
 * What a device guarantees: a move is synchronous, lossless, whole or refused; a signal is raised
 * only after the data of its move is in place. What it does not: signals may be coalesced. A signal
 * says "look at the CDC block", it is never a count.
 *
 * Who owns what
 * =============
 *  - The caller owns struct smc_dibs, every client and every device; all are linked into lists here,
 *    so they must not move or go away while registered.
 *  - A DMB belongs to the client that registered it, until smc_dibs_unregister_dmb. Its memory
 *    belongs to the device. On a device with attach_dmb a peer may have attached it as well; the
 *    memory then lives until the last of them lets go, in either order.
 *  - A device object is reference-counted, because a late interrupt may still hold it after removal.
 *    Its owner table is freed with the last reference and not before.
 *  - Data passed to a move or an event is borrowed for the call.
 *
 * Locking and calling back
 * ========================
 * Nothing here is thread-safe: one registry with its devices and clients is used by one thread at a
 * time. What follows is about re-entry, and a build with threads would turn each rule into a lock.
 *  1. add_dev and del_dev run while the registry walks its lists: from within them the four functions
 *     smc_dibs_register_client, _unregister_client, _add_device, _remove_device return
 *     SMC_ERR_REENTERED and do nothing. Device operations are allowed.
 *  2. handle_irq and handle_event run in the middle of someone else's operation: with loopback, inside
 *     the sender's move_data. From within them every operation on that device returns
 *     SMC_ERR_REENTERED, and so do the four. A client only notes what to do and does it later.
 *  3. Signals and events reach a client only after its add_dev for that device returned, and none
 *     after del_dev was called. A device may raise them earlier or later; they are dropped.
 */

enum { SMC_DIBS_MAX_CLIENTS = 8 };

/* Fabric id of a loopback device. Two systems may both have it: only an equal GID is reachable. */
#define SMC_DIBS_LOOPBACK_FABRIC 0xFFFFu
/* First of the fabric ids set aside for emulated ISM devices; the last is the loopback's. */
#define SMC_DIBS_EMULATED_FABRIC_FIRST 0xFF00u

struct smc_dibs;
struct smc_dibs_device;
struct smc_dibs_client;

/* One DMB as its owner sees it. `rgid`, `length`, `vlan_*` are filled in by the client before
 * registration, the rest by the device. */
struct smc_dibs_dmb {
    struct smc_gid rgid; /* the one peer that may move data into it */
    uint32_t length;     /* bytes, a multiple of the device's granule (ISM: a page), > 0 */
    bool vlan_valid;
    uint16_t vlan_id;
    uint32_t index; /* names the DMB in signals; unique on its device while registered */
    uint64_t token; /* what the peer needs; unpredictable where the device can afford it */
    uint8_t *data;  /* `length` bytes, zeroed at registration; the owner reads here */
};

/* Events come from the device (a peer is gone) or from the peer's client (`smc_dibs_signal_event`). */
enum smc_dibs_event_type {
    SMC_DIBS_EVENT_BUFFER = 0,  /* something about one DMB: `token` */
    SMC_DIBS_EVENT_DEVICE = 1,  /* something about a peer or the device: `gid` */
    SMC_DIBS_EVENT_SOFTWARE = 2 /* sent by a peer's client: `code` and `data` are the client's */
};
enum smc_dibs_event_subtype {
    SMC_DIBS_SUBTYPE_NONE = 0,
    SMC_DIBS_SUBTYPE_DISABLED = 1,   /* all connections with `gid` are dead; zero: with any peer */
    SMC_DIBS_SUBTYPE_ERROR_STATE = 2 /* likewise, and the device is in error */
};
struct smc_dibs_event {
    enum smc_dibs_event_type type;
    enum smc_dibs_event_subtype subtype;
    struct smc_gid gid; /* the peer it is about, or that sent it */
    uint64_t token;     /* BUFFER only */
    uint32_t code;      /* SOFTWARE only, e.g. 0x80 shutdown, 0x83 test link */
    uint64_t data;      /* SOFTWARE only: eight bytes as the sender had them in memory */
};

/* ---- A device's operations ----------------------------------------------------------------------
 * Filled in by a device; called by the functions further down, never by a client directly. All of
 * them return 0 or one of the errors named. Mandatory unless marked optional (NULL if absent). */
struct smc_dibs_ops {
    /* The fabric id (CHID), constant for the life of the device. */
    uint16_t (*get_fabric_id)(struct smc_dibs_device *device);

    /* 0 if a device with this GID can be reached, and through this VLAN if vlan_valid;
     * SMC_ERR_UNREACHABLE, SMC_ERR_GONE. */
    int (*query_remote_gid)(struct smc_dibs_device *device, const struct smc_gid *rgid,
                            bool vlan_valid, uint16_t vlan_id);

    /* How many DMBs there can be at one time; indexes are below it. Constant. */
    uint32_t (*max_dmbs)(struct smc_dibs_device *device);

    /* Sets aside dmb->length zeroed bytes and fills in index, token, data. On failure *dmb keeps the
     * caller's fields and nothing is set aside. SMC_ERR_NOMEM and SMC_ERR_NOSPACE (no index left):
     * the client may try a smaller one; SMC_ERR_ARGUMENT, SMC_ERR_UNREACHABLE, SMC_ERR_GONE. */
    int (*register_dmb)(struct smc_dibs_device *device, struct smc_dibs_dmb *dmb);

    /* The token is dead when this returns, and no move into it is under way. The memory goes unless
     * it is attached. Of *dmb only `index` and `token` count. SMC_ERR_NOTFOUND (not registered, or
     * twice). */
    int (*unregister_dmb)(struct smc_dibs_device *device, struct smc_dibs_dmb *dmb);

    /* Copies `size` bytes to `offset` of the peer's DMB `token`; they are in place at return. With
     * `signal`, then raises handle_irq(index, mask) at its owner. `size` may be 0 (a signal alone).
     * `index` is the element whose bit is set in the mask. The device checks, in 64 bits and before it
     * touches anything: the token (SMC_ERR_NOTFOUND), that this device's GID is the DMB's rgid
     * (SMC_ERR_PERMISSION), offset + size ≤ length (SMC_ERR_RANGE). SMC_ERR_IO: the hardware refused;
     * the connection is to be aborted. */
    int (*move_data)(struct smc_dibs_device *device, uint64_t token, uint32_t index, bool signal,
                     uint32_t offset, const void *data, uint32_t size);

    /* Optional, both or none. A device without VLANs: SMC_ERR_UNSUPPORTED to the client. Counted by
     * the client: added with the first link group that needs it, deleted with the last.
     * SMC_ERR_NOSPACE, SMC_ERR_NOTFOUND, SMC_ERR_GONE. */
    int (*add_vlan_id)(struct smc_dibs_device *device, uint16_t vlan_id);
    int (*del_vlan_id)(struct smc_dibs_device *device, uint16_t vlan_id);

    /* Optional. Delivers a SOFTWARE event to the clients of the device `rgid`. Fire and forget: 0 does
     * not mean that somebody listened. SMC_ERR_UNREACHABLE, SMC_ERR_IO. */
    int (*signal_event)(struct smc_dibs_device *device, const struct smc_gid *rgid,
                        bool trigger_irq, uint32_t code, uint64_t data);

    /* Optional, all three or none: the sender sees the peer's DMB in its own memory and writes there
     * itself, so that only signals and CDC blocks are still moved. */
    bool (*support_mmapped_rdmb)(struct smc_dibs_device *device);
    /* Fills in `length`, `data` of the peer's DMB `dmb->token`. SMC_ERR_NOTFOUND (unknown, or its
     * owner let go first), SMC_ERR_PERMISSION. */
    int (*attach_dmb)(struct smc_dibs_device *device, struct smc_dibs_dmb *dmb);
    /* SMC_ERR_NOTFOUND (not attached). If the owner has unregistered, the memory goes now. */
    int (*detach_dmb)(struct smc_dibs_device *device, uint64_t token);

    /* Optional, and only with attach_dmb: a hint that the caller has just written `size` bytes at
     * `offset` of the attached DMB `token`. Nothing depends on it; a device that records what
     * happens on it has no other way to see such writes. Ignored if anything in it is wrong. */
    void (*wrote)(struct smc_dibs_device *device, uint64_t token, uint32_t offset, uint32_t size);

    /* Called with the last reference, after the owner table is gone: the device may free itself. */
    void (*released)(struct smc_dibs_device *device);
};

/* A device fills in the first three before smc_dibs_add_device; the rest is the registry's, and zero
 * before the first registration. */
struct smc_dibs_device {
    const struct smc_dibs_ops *ops;
    struct smc_gid gid; /* constant while registered; not zero */
    const char *name;   /* for people: "ism0", "lo"; borrowed */

    struct smc_dibs *dibs;        /* NULL: not registered */
    struct smc_dibs_device *next; /* in the order of registration */
    uint32_t references;
    const struct smc_alloc *alloc; /* the owner table's; outlives the registration */
    uint32_t max_dmbs;             /* entries of the two tables */
    uint8_t *dmb_owners;           /* client id by DMB index, 0xFF: none */
    uint64_t *dmb_tokens;          /* token by DMB index, where there is an owner */
    uint8_t subscribed;  /* bit n: client n gets signals and events */
    bool calling;        /* inside handle_irq or handle_event: rule 2 */
    void *client_data[SMC_DIBS_MAX_CLIENTS]; /* NULL before add_dev and after del_dev */
};

/* ---- A client's operations --------------------------------------------------------------------- */
struct smc_dibs_client_ops {
    /* A device is there. Called once for each device present at registration and each later one. The
     * client may keep something in *client_data(device). Cannot refuse; it may ignore the device. */
    void (*add_dev)(struct smc_dibs_client *client, struct smc_dibs_device *device);

    /* The device goes. Signals have stopped. The client drops every connection over it and gives its
     * DMBs back before it returns; afterwards it does not touch the device again. */
    void (*del_dev)(struct smc_dibs_client *client, struct smc_dibs_device *device);

    /* Something moved into the client's DMB `index`. `mask` holds the bits of the elements that were
     * signalled, several if signals were coalesced; for SMC-D it says nothing more than `index`. */
    void (*handle_irq)(struct smc_dibs_client *client, struct smc_dibs_device *device,
                       uint32_t index, uint16_t mask);

    /* In the order in which they occurred, per device. *event is borrowed for the call. */
    void (*handle_event)(struct smc_dibs_client *client, struct smc_dibs_device *device,
                         const struct smc_dibs_event *event);
};

struct smc_dibs_client {
    const struct smc_dibs_client_ops *ops; /* filled in by the client, like the name */
    const char *name;                      /* borrowed */
    int id; /* slot, 0 to SMC_DIBS_MAX_CLIENTS - 1; the registry's; reused after unregistration */
};

/* ---- The registry ------------------------------------------------------------------------------ */
struct smc_dibs {
    const struct smc_alloc *alloc; /* borrowed */
    struct smc_dibs_device *devices;
    struct smc_dibs_client *clients[SMC_DIBS_MAX_CLIENTS];
    bool walking; /* inside add_dev or del_dev: rule 1 */
};

/* An empty registry. No memory is needed yet. */
void smc_dibs_init(struct smc_dibs *dibs, const struct smc_alloc *alloc);

/* SMC_ERR_BUSY if a client or a device is still registered; then nothing happened. */
int smc_dibs_free(struct smc_dibs *dibs);

/* Takes the lowest free slot and calls add_dev for every device, oldest first.
 * SMC_ERR_NOSPACE (the ninth), SMC_ERR_EXISTS, SMC_ERR_REENTERED. */
int smc_dibs_register_client(struct smc_dibs *dibs, struct smc_dibs_client *client);

/* SMC_ERR_BUSY if the client still owns a DMB on any device: checked on all of them first, so that a
 * refusal changes nothing. Otherwise del_dev for every device. SMC_ERR_NOTFOUND, SMC_ERR_REENTERED. */
int smc_dibs_unregister_client(struct smc_dibs *dibs, struct smc_dibs_client *client);

/* Allocates the owner table, takes a reference, calls add_dev of every client in slot order, and then
 * links the device in. SMC_ERR_NOMEM, SMC_ERR_EXISTS (this object or this GID), SMC_ERR_ARGUMENT (a
 * mandatory operation missing, a group of optional ones incomplete, GID zero, no DMBs),
 * SMC_ERR_REENTERED. A device whose last registration is still referred to: SMC_ERR_EXISTS. */
int smc_dibs_add_device(struct smc_dibs *dibs, struct smc_dibs_device *device);

/* Stops signals for all clients, calls del_dev of each, unlinks, drops the reference. DMBs that a
 * client failed to give back are unregistered. SMC_ERR_NOTFOUND, SMC_ERR_REENTERED. */
int smc_dibs_remove_device(struct smc_dibs *dibs, struct smc_dibs_device *device);

/* For whoever delivers interrupts later than they were raised. */
void smc_dibs_device_get(struct smc_dibs_device *device);
void smc_dibs_device_put(struct smc_dibs_device *device);

/* ---- Called by a device ------------------------------------------------------------------------
 * Any time, also before registration and after removal; then, and for a DMB that nobody owns or an
 * index out of range, the call is dropped. A signal goes to the DMB's owner, an event to all clients. */
void smc_dibs_irq(struct smc_dibs_device *device, uint32_t index, uint16_t mask);
void smc_dibs_event(struct smc_dibs_device *device, const struct smc_dibs_event *event);

/* ---- Called by a client ------------------------------------------------------------------------
 * As the operation of the same name in struct smc_dibs_ops, with what is common to all devices done
 * here: SMC_ERR_REENTERED (rule 2), SMC_ERR_GONE (device not registered), SMC_ERR_UNSUPPORTED
 * (operation absent), and the owner table, which is written before the token can be known to anyone
 * and cleared before the index can be used again. */
void **smc_dibs_client_data(const struct smc_dibs_client *client, struct smc_dibs_device *device);
/* Constant, so allowed from everywhere, for any device with operations. */
uint16_t smc_dibs_fabric_id(struct smc_dibs_device *device);
/* false also for a device without the operation. */
bool smc_dibs_support_mmapped_rdmb(struct smc_dibs_device *device);
int smc_dibs_query_remote_gid(struct smc_dibs_device *device, const struct smc_gid *rgid,
                              bool vlan_valid, uint16_t vlan_id);
/* SMC_ERR_PERMISSION: the client is not registered with the device's registry. SMC_ERR_IO: the device
 * handed out an index that cannot be. */
int smc_dibs_register_dmb(struct smc_dibs_client *client, struct smc_dibs_device *device,
                          struct smc_dibs_dmb *dmb);
/* SMC_ERR_PERMISSION: it is another client's. */
int smc_dibs_unregister_dmb(struct smc_dibs_client *client, struct smc_dibs_device *device,
                            struct smc_dibs_dmb *dmb);
int smc_dibs_move_data(struct smc_dibs_device *device, uint64_t token, uint32_t index, bool signal,
                       uint32_t offset, const void *data, uint32_t size);
int smc_dibs_signal_event(struct smc_dibs_device *device, const struct smc_gid *rgid,
                          bool trigger_irq, uint32_t code, uint64_t data);
int smc_dibs_add_vlan_id(struct smc_dibs_device *device, uint16_t vlan_id);
int smc_dibs_del_vlan_id(struct smc_dibs_device *device, uint16_t vlan_id);
int smc_dibs_attach_dmb(struct smc_dibs_device *device, struct smc_dibs_dmb *dmb);
int smc_dibs_detach_dmb(struct smc_dibs_device *device, uint64_t token);
/* A hint, see `wrote`; does nothing where an operation would return an error. */
void smc_dibs_wrote(struct smc_dibs_device *device, uint64_t token, uint32_t offset, uint32_t size);

#ifdef __cplusplus
}
#endif

#endif
