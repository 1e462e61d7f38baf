/* The RDMA interface: the subset of verbs that SMC-R needs, in front of modelled and real RoCE devices.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SMC_RDMA_H
#define SMC_RDMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <smc/error.h>
#include <smc/gid.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The concept
 * ===========
 * Two devices connect a queue pair (QP) each into a reliable connection (RC). What is posted to the
 * send queue is carried out in order, exactly once, or the QP breaks:
 *
 *     SEND         consumes a receive buffer that the other side posted; both sides get a completion.
 *                  SMC-R: LLC and CDC messages, 44 bytes (LLC v2: up to 8,192).
 *     RDMA WRITE   goes straight into registered memory of the other side, named by (rkey, address);
 *                  the other side is not told. SMC-R: the application's bytes, into the RMB.
 *
 * A write's bytes are in place before a SEND posted after it ON THE SAME QP is received; nothing is
 * promised between two QPs, nor before that SEND arrives. A send completion says that the other
 * DEVICE acknowledged, not that anybody looked.
 *
 * Objects: device → ports, each with a GID table; protection domain (PD); memory region (MR) in a PD;
 * completion queue (CQ); QP in a PD with two CQs. An rkey is good only for QPs of its PD, for the
 * access asked for and for its range.
 *
 * Who owns what, and who may call when
 * ====================================
 *  - Objects belong to the device and are named by pointers the caller treats as opaque. The caller
 *    destroys what it created: QPs before their CQs and PD, MRs before their PD; otherwise
 *    SMC_ERR_BUSY and nothing happens.
 *  - Memory behind an MR, a posted receive or an uncompleted send belongs to the device until
 *    deregistration or the completion; the caller allocated it and frees it afterwards.
 *  - One device is used by one thread at a time. It has no clock: time comes with the call that made
 *    the device run, outside this interface.
 *  - Callbacks (`completed`, `event`) come from within the device, maybe from within an operation. In
 *    them the caller only notes what to do; every operation returns SMC_ERR_REENTERED.
 *  - Creating anything may fail with SMC_ERR_NOMEM or SMC_ERR_NOSPACE, anything with SMC_ERR_GONE.
 */

struct smc_rdma_device;
struct smc_rdma_pd;
struct smc_rdma_cq;
struct smc_rdma_qp;

/* ---- Ports and GIDs ---------------------------------------------------------------------------- */

/* Path MTUs as CLC, CONFIRM LINK and the QP carry them: 256 × 2^(code - 1) bytes. */
enum smc_rdma_mtu {
    SMC_RDMA_MTU_256 = 1,
    SMC_RDMA_MTU_512 = 2,
    SMC_RDMA_MTU_1024 = 3,
    SMC_RDMA_MTU_2048 = 4,
    SMC_RDMA_MTU_4096 = 5
};

enum smc_rdma_gid_type {
    SMC_RDMA_GID_ROCE_V1, /* EtherType 0x8915 with a GRH; what SMC-R v1 means */
    SMC_RDMA_GID_ROCE_V2  /* UDP 4791 over IPv4 or IPv6; what SMC-Rv2 means */
};

struct smc_rdma_port {
    bool active;
    enum smc_rdma_mtu active_mtu;
    uint32_t gid_count; /* entries in the table, empty ones included */
};

struct smc_rdma_gid_entry {
    struct smc_gid gid; /* zero: the entry is empty */
    enum smc_rdma_gid_type type;
    bool vlan_valid;
    uint16_t vlan_id;
    uint8_t mac[6];
};

/* ---- Memory ------------------------------------------------------------------------------------ */

enum smc_rdma_access {
    SMC_RDMA_LOCAL_READ = 0,  /* send buffers */
    SMC_RDMA_LOCAL_WRITE = 1, /* receive buffers */
    SMC_RDMA_REMOTE_WRITE = 2 /* RMBs; needs LOCAL_WRITE as well */
};

/* `remote_address` is what a peer must name in a WRITE to hit the first byte. A real device gives the
 * memory's own address; a modelled one makes one up that is the same in every run. */
struct smc_rdma_mr {
    struct smc_rdma_pd *pd;
    uint8_t *memory;
    size_t length;
    uint32_t lkey;
    uint32_t rkey; /* 0 without REMOTE_WRITE */
    uint64_t remote_address;
};

/* ---- Completions ------------------------------------------------------------------------------- */

enum smc_rdma_status {
    SMC_RDMA_SUCCESS,
    SMC_RDMA_LOCAL_LENGTH_ERROR,     /* a message did not fit the receive buffer */
    SMC_RDMA_LOCAL_PROTECTION_ERROR, /* lkey, range or PD of one's own buffer */
    SMC_RDMA_REMOTE_INVALID_REQUEST, /* the sender's side of LOCAL_LENGTH_ERROR */
    SMC_RDMA_REMOTE_ACCESS_ERROR,    /* rkey, address, length or access refused by the responder */
    SMC_RDMA_REMOTE_OPERATION_ERROR, /* the responder could not carry it out */
    SMC_RDMA_RETRY_EXCEEDED,         /* no acknowledgement after retry_count repetitions */
    SMC_RDMA_RNR_RETRY_EXCEEDED,     /* the other side never had a receive buffer */
    SMC_RDMA_FLUSHED /* the QP was, or went, into ERR; never carried out, or unknown */
};

enum smc_rdma_opcode { SMC_RDMA_SEND, SMC_RDMA_WRITE, SMC_RDMA_RECV };

struct smc_rdma_completion {
    uint64_t id; /* of the work request */
    struct smc_rdma_qp *qp;
    enum smc_rdma_opcode opcode;
    enum smc_rdma_status status; /* not SUCCESS: only id, qp and opcode are meaningful besides */
    uint32_t length;             /* RECV: bytes received */
};

/* ---- Queue pairs ------------------------------------------------------------------------------- */

/*  RESET ──▶ INIT ──▶ RTR ──▶ RTS ──▶ ERR; any state ──▶ RESET or ERR. No other change is allowed.
 *  INIT: receives may be posted. RTR: packets are received. RTS: and sent. ERR: everything posted
 *  and everything still to be posted completes as FLUSHED, in order; incoming packets are dropped.
 *  A completion error other than FLUSHED puts the QP into ERR. */
enum smc_rdma_qp_state {
    SMC_RDMA_QP_RESET,
    SMC_RDMA_QP_INIT,
    SMC_RDMA_QP_RTR,
    SMC_RDMA_QP_RTS,
    SMC_RDMA_QP_ERR
};

struct smc_rdma_qp_config {
    struct smc_rdma_cq *send_cq;
    struct smc_rdma_cq *receive_cq; /* may be the same */
    uint32_t max_send;              /* work requests that may be outstanding */
    uint32_t max_receive;
    uint32_t max_pieces; /* of one work request, ≥ 1 */
};

/* What a QP must know to reach the next state; each change reads only its own block. */
struct smc_rdma_qp_change {
    enum smc_rdma_qp_state state;
    struct { /* to INIT */
        uint8_t port;
    } init;
    struct { /* to RTR */
        struct smc_gid remote_gid;
        uint8_t remote_mac[6];
        uint32_t remote_qp_number; /* 24 bits */
        uint32_t receive_psn;      /* 24 bits; the first PSN expected */
        uint32_t gid_index;        /* own entry: gives type, VLAN and source address */
        enum smc_rdma_mtu path_mtu;
        uint8_t min_rnr_timer; /* code 0 to 31: what a sender without buffer here is told to wait */
        uint8_t hop_limit;     /* 1 within a subnet; SMC-Rv2 through a router: more */
        uint8_t traffic_class;
    } rtr;
    struct {                 /* to RTS */
        uint32_t send_psn;   /* 24 bits; the first PSN sent */
        uint8_t ack_timeout; /* code t, 0 to 31: 4.096 µs × 2^t; 0: wait for ever */
        uint8_t retry_count; /* 0 to 7 */
        uint8_t rnr_retry;   /* 0 to 7; 7: for ever */
    } rts;
};

/* A piece of one's own memory inside an MR. */
struct smc_rdma_piece {
    const struct smc_rdma_mr *mr;
    size_t offset;
    uint32_t length;
};

/* The pieces are read at the post and need not outlive it; the memory must, until the completion. */
struct smc_rdma_send {
    uint64_t id;
    enum smc_rdma_opcode opcode; /* SEND or WRITE */
    bool signaled;               /* false: a completion only on error */
    bool solicited;              /* SEND: sets the solicited event bit on the wire */
    const struct smc_rdma_piece *pieces;
    uint32_t piece_count;    /* 0: a message of no bytes */
    uint64_t remote_address; /* WRITE */
    uint32_t rkey;           /* WRITE */
};

struct smc_rdma_receive {
    uint64_t id;
    const struct smc_rdma_piece *pieces;
    uint32_t piece_count;
};

/* ---- Events ------------------------------------------------------------------------------------ */

enum smc_rdma_event_type {
    SMC_RDMA_DEVICE_FATAL, /* every port is down; the device is of no more use */
    SMC_RDMA_PORT_ERROR,
    SMC_RDMA_PORT_ACTIVE,
    SMC_RDMA_GID_CHANGE, /* entries came or went: links whose GID vanished are dead */
    SMC_RDMA_QP_FATAL,   /* the QP is in ERR and nothing was at fault that a completion can name */
    SMC_RDMA_QP_ACCESS_ERROR /* responder: a WRITE was refused; the QP is in ERR */
};

struct smc_rdma_event {
    enum smc_rdma_event_type type;
    uint8_t port;           /* PORT_*, GID_CHANGE */
    struct smc_rdma_qp *qp; /* QP_* */
};

/* Installed once by whoever uses the device; both members mandatory. Rules for callbacks: see above. */
struct smc_rdma_handler {
    /* There is at least one completion to poll and there was none before (edge, never a count). */
    void (*completed)(void *user, struct smc_rdma_cq *cq);
    void (*event)(void *user, const struct smc_rdma_event *event);
    void *user;
};

/* ---- A device's operations ----------------------------------------------------------------------
 * All mandatory. 0, a count, or an error; besides those named anything may return SMC_ERR_ARGUMENT
 * (a field outside its range), SMC_ERR_GONE and SMC_ERR_REENTERED. */
struct smc_rdma_ops {
    /* Ports count from 1. SMC_ERR_NOTFOUND. */
    int (*query_port)(struct smc_rdma_device *device, uint8_t port, struct smc_rdma_port *out);
    int (*query_gid)(struct smc_rdma_device *device, uint8_t port, uint32_t index,
                     struct smc_rdma_gid_entry *out);

    int (*alloc_pd)(struct smc_rdma_device *device, struct smc_rdma_pd **out);
    int (*dealloc_pd)(struct smc_rdma_device *device, struct smc_rdma_pd *pd);

    /* `access` is a sum of enum smc_rdma_access. Fills in *mr, which the caller owns and keeps in
     * place; the memory must outlive the registration. */
    int (*reg_mr)(struct smc_rdma_device *device, struct smc_rdma_pd *pd, void *memory,
                  size_t length, unsigned access, struct smc_rdma_mr *mr);
    /* When it returns, no more bytes arrive in the memory, and the rkey is refused; rkeys are not
     * reused soon. SMC_ERR_NOTFOUND. */
    int (*dereg_mr)(struct smc_rdma_device *device, struct smc_rdma_mr *mr);

    /* Room for `depth` completions. The creator of QPs sees to it that they cannot overrun it: if they
     * do, the QP goes into ERR with QP_FATAL. */
    int (*create_cq)(struct smc_rdma_device *device, uint32_t depth, struct smc_rdma_cq **out);
    int (*destroy_cq)(struct smc_rdma_device *device, struct smc_rdma_cq *cq);
    /* Takes out up to `count` completions, oldest first; returns how many, 0 if there are none. */
    int (*poll_cq)(struct smc_rdma_device *device, struct smc_rdma_cq *cq,
                   struct smc_rdma_completion *out, int count);

    /* In RESET. Its number (24 bits) is unique on the device while the QP lives. */
    int (*create_qp)(struct smc_rdma_device *device, struct smc_rdma_pd *pd,
                     const struct smc_rdma_qp_config *config, struct smc_rdma_qp **out);
    uint32_t (*qp_number)(const struct smc_rdma_qp *qp);
    enum smc_rdma_qp_state (*qp_state)(const struct smc_rdma_qp *qp);
    /* SMC_ERR_STATE (no such arrow), SMC_ERR_UNREACHABLE, SMC_ERR_IO. On failure the state is as before. RESET
     * forgets everything posted, without completions. */
    int (*modify_qp)(struct smc_rdma_device *device, struct smc_rdma_qp *qp,
                     const struct smc_rdma_qp_change *change);
    /* Whatever was posted is forgotten; its completions, also those not yet polled, are gone. */
    int (*destroy_qp)(struct smc_rdma_device *device, struct smc_rdma_qp *qp);

    /* SMC_ERR_STATE (RESET; for sends also INIT and RTR), SMC_ERR_NOSPACE (max_send, max_receive
     * outstanding). In ERR they succeed and are flushed. Ranges of the pieces are checked here
     * (SMC_ERR_RANGE), PD and access when the request is carried out. */
    int (*post_send)(struct smc_rdma_device *device, struct smc_rdma_qp *qp,
                     const struct smc_rdma_send *send);
    int (*post_receive)(struct smc_rdma_device *device, struct smc_rdma_qp *qp,
                        const struct smc_rdma_receive *receive);
};

/* What the core is given: one device and how to talk to it. The device fills in `ops` and `name`, the
 * user of the device `handler`, before anything else is called. */
struct smc_rdma_device {
    const struct smc_rdma_ops *ops;
    const char *name;   /* for people and in reports: "mlx5_0", "rxe0"; borrowed */
    uint8_t port_count; /* ≥ 1; constant */
    struct smc_rdma_handler handler;
};

#ifdef __cplusplus
}
#endif

#endif
