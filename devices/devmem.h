/* Device Memory TCP, receive side: dma-bufs bound to the queues of a NIC whose payload the host never reads.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef DEVICES_DEVMEM_H
#define DEVICES_DEVMEM_H

#include <smc/alloc.h>

#include <stdbool.h>

/* A model of what Linux has since 6.12 (Documentation/networking/devmem.rst): a NIC splits headers from
 * payload; headers go to host memory, payload goes by DMA into chunks of a dma-buf, that is, into the
 * memory of some other device, where the host's software must not read it. TCP passes references on, the
 * application gets (offset, size, token), and the token brings the chunk back.
 *
 *      wire ─▶ steering ─▶ queue ─▶ page pool ─▶ memory provider ─▶ gen pool ─▶ net_iovs ─▶ dma-buf
 *                            │         ▲                                          (DEVMEM_PAGE each)
 *                            ▼         │ recycled when the last reference is given back
 *                           skb: headers readable, fragments unreadable
 *
 *   struct devmem          one host's part of it: descriptors, NICs by ifindex, bindings by id
 *   struct devmem_buffer   a dma-buf; counted references: whoever made it, each descriptor, each binding
 *   struct devmem_nic      a network device: receive queues, steering, header split
 *   struct devmem_netlink  a netlink socket; a binding lives as long as the one that made it is open
 *   struct devmem_skb      a received packet; owns one reference to the memory of each fragment
 *
 * Ownership: a struct devmem outlives everything made with it and every reference to a fragment
 * (packets, sockets); devmem_free() closes what is still open. One thread. Deterministic.
 *
 * The socket's half (recvmsg, cmsgs, DONTNEED) is sim/tcp_devmem.h.
 *
 * Errors are Linux's numbers, negative, because programs and requirements name them so. */
enum devmem_error {
    DEVMEM_EPERM = -1,
    DEVMEM_EIO = -5,
    DEVMEM_EBADF = -9,
    DEVMEM_EAGAIN = -11,
    DEVMEM_ENOMEM = -12,
    DEVMEM_EFAULT = -14,
    DEVMEM_EBUSY = -16,
    DEVMEM_EEXIST = -17,
    DEVMEM_ENODEV = -19,
    DEVMEM_EINVAL = -22,
    DEVMEM_ENOSPC = -28,
    DEVMEM_ERANGE = -34,
    DEVMEM_EBADFD = -77,
    DEVMEM_ENOPROTOOPT = -92,
    DEVMEM_EOPNOTSUPP = -95,
    DEVMEM_ENETDOWN = -100,
    DEVMEM_ECONNRESET = -104,
    DEVMEM_ENOBUFS = -105,
    DEVMEM_ENOTCONN = -107,
    DEVMEM_ETIMEDOUT = -110,
    DEVMEM_EHOSTUNREACH = -113,
    DEVMEM_ETOOSMALL = -525
};
/* "EPERM" …; "success" for 0 and more; "unknown error" for the rest. Static. */
const char *devmem_error_name(int64_t error);

enum {
    DEVMEM_PAGE = 4096,      /* bytes of a chunk */
    DEVMEM_QUEUES_MAX = 64,  /* of a NIC */
    DEVMEM_RULES_MAX = 64,   /* of a NIC */
    DEVMEM_SEGMENTS_MAX = 8, /* pieces in which a dma-buf is mapped */
    DEVMEM_FRAGS_MAX = 17,   /* of a packet */
    DEVMEM_FD_FIRST = 3
};

/* ---- the host ---- */

/* Where a fault may be planted: the steps of a bind and of a queue restart, in their order. */
enum devmem_step {
    DEVMEM_STEP_GET,     /* dma_buf_get: EBADFD */
    DEVMEM_STEP_ATTACH,  /* EIO */
    DEVMEM_STEP_MAP,     /* EIO */
    DEVMEM_STEP_CHUNKS,  /* gen pool: ENOMEM */
    DEVMEM_STEP_ALLOC,   /* memory of a new queue: ENOMEM */
    DEVMEM_STEP_STOP,    /* EIO */
    DEVMEM_STEP_START,   /* of the new queue: EIO */
    DEVMEM_STEP_RESTORE, /* start of the old queue after that: the queue is dead */
    DEVMEM_STEPS
};
#define DEVMEM_NO_QUEUE UINT32_MAX

struct devmem_config {
    const struct smc_alloc *alloc; /* borrowed */
    /* true: this step fails now. `queue` is DEVMEM_NO_QUEUE for the first four. May be NULL. */
    bool (*fail)(void *user, enum devmem_step step, uint32_t queue);
    /* What nobody can be told by a return value: dead queues, unbinds that could not restart. May be NULL. */
    void (*log)(void *user, const char *text, uint32_t ifindex, uint32_t queue);
    void *user;
};

struct devmem;
struct devmem_buffer;
struct devmem_nic;
struct devmem_netlink;

/* NULL: out of memory. */
struct devmem *devmem_new(const struct devmem_config *config);
/* Closes netlink sockets, unregisters NICs, closes descriptors. References held by packets, sockets and
 * makers of buffers must have been given back before. */
void devmem_free(struct devmem *host);

/* What exists at the moment; a test compares it with zero. */
struct devmem_objects {
    size_t buffers, bindings, pools, skbs;
};
struct devmem_objects devmem_objects(const struct devmem *host);

/* ---- dma-bufs ---- */
struct devmem_segment {
    uint64_t address; /* as the NIC's DMA sees it */
    uint64_t bytes;   /* a multiple of DEVMEM_PAGE */
};

/* The device whose memory it is. attach, detach, unmap, release may be NULL. */
struct devmem_exporter {
    int (*attach)(void *user); /* 0 or an error of enum devmem_error */
    void (*detach)(void *user);
    /* For DMA from the NIC into the buffer. The number of segments, which together cover the buffer in
     * order, or an error. */
    int (*map)(void *user, struct devmem_segment out[DEVMEM_SEGMENTS_MAX]);
    void (*unmap)(void *user);
    void (*dma_write)(void *user, uint64_t address, const void *data, size_t length);
    /* The device reads its own memory: how an application gets at its data. */
    void (*read)(void *user, uint64_t offset, void *out, size_t length);
    void (*release)(void *user); /* the last reference is gone */
};

/* A buffer of `size` bytes, which the exporter vouches for; one reference goes to the caller.
 * EINVAL: size is 0, not a multiple of DEVMEM_PAGE, or above 2^40; ENOMEM. */
int devmem_buffer_export(struct devmem *host, const struct devmem_exporter *exporter, void *user,
                         uint64_t size, struct devmem_buffer **out);
/* The same with memory of its own, zeroed, mapped in one piece (two from 16 pages on). */
int devmem_buffer_new(struct devmem *host, uint64_t size, struct devmem_buffer **out);
void devmem_buffer_put(struct devmem_buffer *buffer);
uint64_t devmem_buffer_size(const struct devmem_buffer *buffer);
/* As the device sees it. ERANGE: reaches beyond the buffer. */
int devmem_buffer_read(const struct devmem_buffer *buffer, uint64_t offset, void *out, size_t length);
/* A descriptor >= DEVMEM_FD_FIRST with a reference of its own; ENOMEM. */
int devmem_buffer_fd(struct devmem_buffer *buffer);
/* A binding keeps the buffer all the same. EBADF. */
int devmem_close_fd(struct devmem *host, int fd);

/* ---- NICs ---- */
struct devmem_nic_config {
    uint32_t ifindex;  /* > 0, unique in the host */
    uint32_t queues;   /* 1 … DEVMEM_QUEUES_MAX */
    bool no_queue_ops; /* the driver cannot restart single queues: no binding */
    bool no_split;     /* tcp-data-split off: no binding */
    bool no_checksum;  /* receive checksums are not verified: split packets get no further than TCP */
    bool pack;         /* several packets share a chunk */
    uint32_t split_above; /* payload up to this many bytes is not split off [0] */
    uint32_t split_late;  /* so many bytes of payload stay with the headers [0] */
};
/* Every queue runs with host pages. EINVAL, EEXIST, ENOMEM. */
int devmem_nic_new(struct devmem *host, const struct devmem_nic_config *config,
                   struct devmem_nic **out);
/* Its bindings are detached: what was received stays readable, ids stay known, until the tokens are back
 * and the netlink socket is closed. */
void devmem_nic_unregister(struct devmem_nic *nic);
/* tcp-data-split. EBUSY: off while a queue is bound. */
int devmem_nic_set_split(struct devmem_nic *nic, bool on);
/* What no rule takes is spread by hash over these queues [all]; what is not TCP over IP goes to the
 * first. ERANGE. */
int devmem_nic_set_rss(struct devmem_nic *nic, uint32_t first, uint32_t count);

/* TCP over IPv4 or IPv6. Addresses of IPv4 as ::ffff:a.b.c.d; all zero, or port 0: any. */
struct devmem_rule {
    uint8_t src[16], dst[16];
    uint16_t sport, dport;
    uint32_t queue;
};
/* The rule's number; the lowest that fits a packet decides. ERANGE: no such queue; ENOSPC. */
int devmem_nic_add_rule(struct devmem_nic *nic, const struct devmem_rule *rule);
/* EINVAL: no such rule. */
int devmem_nic_remove_rule(struct devmem_nic *nic, int number);
/* The queue for a frame. */
uint32_t devmem_nic_steer(const struct devmem_nic *nic, const uint8_t *frame, size_t length);

/* Packet socket: sees what the host may read, so of a split packet the headers only. `length` is what the
 * packet has in all. */
typedef void (*devmem_tap)(void *user, const uint8_t *bytes, size_t readable, size_t length);
void devmem_nic_set_tap(struct devmem_nic *nic, devmem_tap tap, void *user);

struct devmem_queue_info {
    bool alive;
    uint32_t dmabuf_id;      /* of the binding recorded in the queue; 0: none */
    uint32_t memory_id;      /* of the binding its memory comes from; another only if a restart failed */
    uint64_t packets, split; /* taken; of these with unreadable fragments */
    uint64_t no_memory;      /* dropped: pool empty or allocation failed */
    uint64_t dead;           /* dropped: the queue is dead */
    uint64_t restarts;       /* successful */
};
/* All zero for a queue that does not exist. */
struct devmem_queue_info devmem_nic_queue(const struct devmem_nic *nic, uint32_t queue);
/* A new queue with new memory: host pages, or chunks of the binding that is recorded. Allocate, stop, start,
 * free the old. ERANGE; ENOMEM: nothing changed; EIO: stop failed, the old queue runs on, or the start
 * failed and the old one was started again, or even that failed: logged, the queue is dead and drops
 * everything; EIO also for a dead queue. No other queue is touched. */
int devmem_queue_restart(struct devmem_nic *nic, uint32_t queue);

/* ---- bindings ---- */

/* `admin`: may bind. ENOMEM. */
int devmem_netlink_open(struct devmem *host, bool admin, struct devmem_netlink **out);
/* Also what happens when the process dies. Every binding made with it is undone: the queues restart with host
 * pages; chunks still referenced keep the binding alive until they come back. */
void devmem_netlink_close(struct devmem_netlink *netlink);

enum devmem_queue_type { DEVMEM_QUEUE_RX, DEVMEM_QUEUE_TX };
struct devmem_queue_id {
    enum devmem_queue_type type;
    uint32_t id;
};
struct devmem_bind {
    uint32_t ifindex;
    int fd;
    const struct devmem_queue_id *queues;
    size_t count;
    bool other_provider; /* as io_uring's zero copy: not this socket API's memory */
};
/* bind-rx. The dma-buf's id (>= 1), or an error, after which everything is as before. Checked in this order,
 * all before any change: EPERM; ENODEV (ifindex); EOPNOTSUPP (no queue operations, no split); EINVAL (no
 * queue, a queue twice, type not rx); ERANGE (no such queue); EEXIST (queue bound); EBADFD (fd).
 * Then: EIO, EINVAL (the exporter's mapping makes no sense), ENOMEM, what the exporter or
 * devmem_queue_restart() returned. If undoing cannot restart a queue that is logged.
 * A dma-buf may be bound twice: as in Linux nobody keeps the two pools over the same memory apart. */
int64_t devmem_bind_rx(struct devmem_netlink *netlink, const struct devmem_bind *bind);

struct devmem_binding_info {
    bool known, bound; /* bound: not undone yet */
    uint32_t ifindex;  /* 0: the device is gone */
    uint64_t chunks;   /* in all */
    uint64_t available; /* not referenced by anybody: in the gen pool or in the cache of a page pool */
};
struct devmem_binding_info devmem_binding(const struct devmem *host, uint32_t id);

/* ---- received packets ---- */

/* A reference to a page of host memory or to a net_iov: the low bit is 1 for a net_iov. 0: none. */
typedef uintptr_t devmem_netmem;
static inline bool devmem_is_iov(devmem_netmem mem)
{
    return (mem & 1) != 0;
}
void devmem_netmem_get(devmem_netmem mem);
void devmem_netmem_put(devmem_netmem mem); /* the last one recycles */
/* The host's view: NULL for a net_iov. */
const uint8_t *devmem_netmem_bytes(devmem_netmem mem);
/* Where a net_iov stands in its dma-buf, and that one's id. */
uint64_t devmem_netmem_offset(devmem_netmem mem);
uint32_t devmem_netmem_id(devmem_netmem mem);
/* Bound by devmem_bind_rx() without other_provider. */
bool devmem_netmem_is_dmabuf(devmem_netmem mem);

struct devmem_frag {
    devmem_netmem mem;
    uint32_t offset, size; /* within the page or chunk */
};

enum devmem_checksum {
    DEVMEM_CHECKSUM_NONE, /* nobody looked */
    DEVMEM_CHECKSUM_GOOD, /* the NIC verified the TCP checksum */
    DEVMEM_CHECKSUM_BAD
};

struct devmem_skb {
    struct devmem *host;
    uint32_t length; /* from the Ethernet header on; padding is cut off where the payload was split off */
    uint32_t linear; /* of these the first stand in head */
    uint32_t queue;
    bool unreadable; /* the fragments are net_iovs, all of them; else none is [DEVMEM-019] */
    bool bound;      /* came by a bound queue */
    enum devmem_checksum checksum;
    unsigned nfrags;
    struct devmem_frag frags[DEVMEM_FRAGS_MAX];
    uint8_t head[];
};

/* A frame from the wire, of any content. 0: *out is the caller's. Dropped and counted: ENETDOWN (dead queue),
 * ENOBUFS (no chunk left), ENOMEM; EINVAL: shorter than an Ethernet header or longer than 65,600 bytes. */
int devmem_nic_rx(struct devmem_nic *nic, const uint8_t *frame, size_t length,
                  struct devmem_skb **out);
void devmem_skb_free(struct devmem_skb *skb);
/* Copies bytes for the host. EFAULT: some are unreadable; ERANGE. */
int devmem_skb_copy(const struct devmem_skb *skb, uint32_t offset, void *out, uint32_t length);

#endif
