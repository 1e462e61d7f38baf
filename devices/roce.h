/* A software RoCE NIC: the RDMA device of a host, speaking real RoCEv1 and RoCEv2 packets over a port.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef DEVICES_ROCE_H
#define DEVICES_ROCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <smc/alloc.h>
#include <smc/rdma.h>

#include "devices/port.h"
#include "devices/roce_dcqcn.h"
#include "wire/crc32.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The NIC sits between a user of smc/rdma.h (the core) and one struct port per NIC port:
 *
 *     core ── smc_rdma_ops ──▶ roce ── port_send ──▶ port
 *     core ◀── completed, event ── roce ◀── roce_frame ── host ◀── receiver ── port
 *
 * It speaks the reliable connection service of InfiniBand (volume 1, chapter 9) with the SEND and RDMA
 * WRITE operations: segmentation by path MTU, 24-bit PSNs, acknowledgements (AETH), go-back-N after a
 * sequence NAK or a timeout, RNR NAKs, and the NAKs that break a connection. Opcodes with immediate
 * data, READ and atomics are refused as invalid requests. GIDs of type RoCEv1 travel in a GRH behind
 * EtherType 0x8915, those of type RoCEv2 in UDP 4791 over IPv6, or over IPv4 if IPv4-mapped.
 * Header values are those of Linux' rxe: P_Key 0xffff, UDP checksum 0, DF, credit count 31.
 *
 * It has no clock: operations only queue; packets leave from roce_run, and from roce_frame, which also
 * sends what the frame made possible. No packet causes an allocation (but for a WRITE held back by a
 * fault). Everything it does follows from configuration, calls and times alone.
 *
 * It does not connect two of its own QPs to each other: what is sent to its own GID leaves by the port. */
struct roce;

enum { ROCE_PORTS_MAX = 4, ROCE_FAULTS_MAX = 32 };

/* 0 or NULL means the default in brackets, except for `alloc`, which is mandatory. */
struct roce_config {
    const struct smc_alloc *alloc; /* borrowed */
    const char *name;              /* borrowed ["roce0"] */
    uint64_t seed;                 /* of keys and made-up addresses; the same seed, the same keys */
    smc_crc32_fn crc;              /* for the ICRC [smc_crc32] */
    uint32_t first_qp_number;      /* 24 bits; QPs count up from here [0x11] */
    uint8_t ports;                 /* 1 to ROCE_PORTS_MAX [1] */
    uint32_t gid_table_size;       /* entries a port, at most 256 [16] */
    uint32_t max_qps;              /* [65,536] */
    uint32_t max_mrs;              /* [1,048,576] */
    uint32_t window_packets;       /* sent and not acknowledged, a QP; at most 32,768 [128] */
    uint32_t ack_every;            /* packets between acknowledge requests in a long message [32] */
    uint32_t ack_delay_ns;         /* how long an ACK may wait to be joined by later ones [0] */
    uint8_t dscp;                  /* of packets whose QP was given no traffic class [0] */
    uint8_t priority;              /* PCP of packets with a VLAN tag [0] */
    /* What a GID of RoCEv1 sends and takes is carried as if it were one of RoCEv2: UDP over IPv6, between the same addresses. It is
     * how version 1 of SMC-R reaches a Soft-RoCE device, which has no other packets. */
    bool v1_over_udp;
    /* roce_next_ns may have become earlier through something else than roce_run. May be NULL. */
    void (*wake)(void *user);
    void *user;
};

/* SMC_ERR_ARGUMENT (a field outside its range), SMC_ERR_NOMEM. */
int roce_new(const struct roce_config *config, struct roce **out);
/* Frees the NIC and every object its user left behind; no callbacks. NULL is allowed. */
void roce_free(struct roce *roce);
/* For the core; it sets `handler` in it. */
struct smc_rdma_device *roce_device(struct roce *roce);

/* ---- Ports, from the host ---------------------------------------------------------------------- */

/* `number` counts from 1; another number is ignored here, or SMC_ERR_NOTFOUND. The host stays the
 * port's receiver. NULL takes the port away (frames are lost). */
void roce_attach_port(struct roce *roce, uint8_t number, struct port *port);
/* Is this frame the NIC's? Looks at EtherType, IP protocol and UDP port only. */
bool roce_is_roce(const uint8_t *frame, size_t length);
/* A frame came in; hostile until checked, borrowed for the call. */
void roce_frame(struct roce *roce, uint8_t number, const uint8_t *frame, size_t length,
                uint64_t now_ns);
/* The link went up or down: PORT_ACTIVE or PORT_ERROR if that is new. */
void roce_link(struct roce *roce, uint8_t number, bool up, uint64_t now_ns);
/* Fills or (zero GID, or NULL) clears an entry. A change raises GID_CHANGE once a handler is installed;
 * a QP that uses a changed entry can neither send nor receive any more. SMC_ERR_NOTFOUND (port, index),
 * SMC_ERR_ARGUMENT (VLAN id over 4094, unknown type, MAC zero or of a group). */
int roce_set_gid(struct roce *roce, uint8_t number, uint32_t index,
                 const struct smc_rdma_gid_entry *entry);

/* ---- Time -------------------------------------------------------------------------------------- */

/* When it wants to run: 0 at once, UINT64_MAX never. */
uint64_t roce_next_ns(struct roce *roce);
/* Does what is due. */
void roce_run(struct roce *roce, uint64_t now_ns);

/* ---- Congestion -------------------------------------------------------------------------------- */

/* Turns DCQCN on (devices/roce_dcqcn.h), or off with NULL; off at first. All flows begin at line rate. On:
 * SENDs and WRITEs over RoCEv2 leave as ECT(0), one after the other at their QP's rate; packets that came
 * in marked CE are answered by CNPs. Off: nothing of it, CNPs are counted only. SMC_ERR_ARGUMENT: a value
 * out of range, all stays as it was. */
int roce_set_dcqcn(struct roce *roce, const struct roce_dcqcn *params);
/* The parameters in use, completed; false: it is off, they are the last ones (or all 0). */
bool roce_dcqcn_params(const struct roce *roce, struct roce_dcqcn *out);

struct roce_flow {
    uint32_t qp_number, remote_qp_number;
    struct roce_rp rp; /* as of now; all 0 while DCQCN is off */
};
/* The NIC's QPs, from index 0 in order of creation; false: there is none. */
bool roce_get_flow(const struct roce *roce, unsigned index, uint64_t now_ns, struct roce_flow *out);

/* ---- Faults ------------------------------------------------------------------------------------ */

/* What a fault does, and which operations it looks at:
 *
 *   DROP_COMPLETION, DELAY_COMPLETION   a successful completion: SEND, WRITE (those signaled), RECV
 *   ERROR_COMPLETION                    an acknowledged SEND or WRITE (signaled or not)
 *   NOT_PLACED                          an incoming message: SEND or WRITE
 *   LATE_WRITE                          an incoming WRITE
 *   RNR                                 an incoming SEND that a receive buffer waits for
 *   HOLD_QP, QP_FATAL, DEVICE_FATAL     a SEND or WRITE about to be sent for the first time;
 *                                       the FATAL ones also a RECV about to complete
 *   REFUSE_MR, REFUSE_QP, REFUSE_CHANGE reg_mr, create_qp, modify_qp to INIT, RTR and RTS
 *                                       (opcode and QP number are not looked at) */
enum roce_fault_what {
    ROCE_FAULT_DROP_COMPLETION,  /* it is never seen; buffers and queue slots are free all the same */
    ROCE_FAULT_DELAY_COMPLETION, /* by `argument` ns, with all that follow in the same CQ */
    ROCE_FAULT_ERROR_COMPLETION, /* with status `argument` (enum smc_rdma_status), QP into ERR */
    ROCE_FAULT_NOT_PLACED,       /* acknowledged, but the bytes go nowhere */
    ROCE_FAULT_LATE_WRITE,       /* bytes appear when the QP receives its next SEND (or dies) */
    ROCE_FAULT_RNR,              /* answered by an RNR NAK as if there were no buffer */
    ROCE_FAULT_HOLD_QP,          /* the QP sends nothing for `argument` ns: others overtake */
    ROCE_FAULT_QP_FATAL,         /* QP into ERR, event QP_FATAL */
    ROCE_FAULT_DEVICE_FATAL,     /* as roce_fail */
    ROCE_FAULT_REFUSE_MR,        /* SMC_ERR_NOMEM */
    ROCE_FAULT_REFUSE_QP,        /* SMC_ERR_NOMEM */
    ROCE_FAULT_REFUSE_CHANGE     /* SMC_ERR_IO; the QP stays as it was */
};

enum { ROCE_ON_SEND = 1, ROCE_ON_WRITE = 2, ROCE_ON_RECV = 4 }; /* 1 << enum smc_rdma_opcode */

/* One rule. It counts the operations it matches: 1, 2, 3 …; it strikes the operation number `first`
 * (0 means 1) and after that every `every`th (0: no other), but `times` times at most (0: no limit). */
struct roce_fault {
    enum roce_fault_what what;
    unsigned operations; /* ROCE_ON_…; 0: all */
    uint32_t qp_number;  /* one's own; 0: every QP */
    uint32_t first;
    uint32_t every;
    uint32_t times;
    uint64_t argument;
    /* A further condition, or NULL; operations it refuses are not counted. Must not call the NIC. */
    bool (*matches)(void *user, uint32_t qp_number, enum smc_rdma_opcode opcode);
    void *user;
};

/* Replaces the plan by a copy of `count` rules, counts at zero; 0 rules: no faults.
 * SMC_ERR_NOSPACE (more than ROCE_FAULTS_MAX; the old plan stays), SMC_ERR_ARGUMENT. */
int roce_set_faults(struct roce *roce, const struct roce_fault *rules, size_t count);
/* How often the rule struck; 0 for an index beyond the plan. */
uint32_t roce_fault_strikes(const struct roce *roce, size_t index);

/* The device dies now: DEVICE_FATAL, all QPs in ERR and flushed; after that only poll_cq and what
 * destroys objects works, everything else returns SMC_ERR_GONE. */
void roce_fail(struct roce *roce);
/* The QP dies now: ERR and QP_FATAL. SMC_ERR_NOTFOUND. */
int roce_fail_qp(struct roce *roce, uint32_t qp_number);

/* ---- Counters ---------------------------------------------------------------------------------- */

struct roce_counters {
    uint64_t packets_sent; /* all kinds, handed to the port or lost for want of a link */
    uint64_t bytes_sent;   /* of their frames */
    uint64_t packets_received; /* that passed every check up to the QP */
    uint64_t bytes_received;
    uint64_t payload_sent; /* bytes of SENDs and WRITEs, retransmissions included */
    uint64_t payload_placed;
    uint64_t retransmissions; /* packets sent again */
    uint64_t timeouts;
    uint64_t acks_sent, acks_received;
    uint64_t sequence_naks_sent, sequence_naks_received;
    uint64_t rnr_naks_sent, rnr_naks_received;
    uint64_t fatal_naks_sent, fatal_naks_received; /* invalid request, access, operational */
    uint64_t duplicates;      /* requests that had been carried out already */
    uint64_t out_of_sequence; /* requests ahead of the expected PSN */
    uint64_t stale_acks;      /* for nothing outstanding */
    uint64_t ce_received;  /* packets marked by a switch on their way */
    uint64_t cnps_sent, cnps_received;
    uint64_t dropped_malformed;   /* headers, lengths, checksums */
    uint64_t dropped_bad_icrc;
    uint64_t dropped_not_for_us;  /* MAC, GID, VLAN, partition */
    uint64_t dropped_unknown_qp;  /* no such QP, or of another peer, port or GID */
    uint64_t dropped_wrong_state; /* QP not in RTR or RTS, or an answer to a QP not in RTS */
    uint64_t port_refusals;       /* frames the port would not take for now */
    uint64_t lost_no_link;        /* sent into a link that is down, or longer than its MTU */
    uint64_t cq_overruns;
    uint64_t qp_errors; /* QPs that went into ERR other than by modify_qp */
    uint64_t faults;    /* strikes of the plan */
};

const struct roce_counters *roce_counters(const struct roce *roce);

#ifdef __cplusplus
}
#endif

#endif
