/* The inside of the software RoCE NIC: its objects, and what its files offer each other.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef DEVICES_ROCE_INTERNAL_H
#define DEVICES_ROCE_INTERNAL_H

#include "devices/roce.h"
#include "wire/carrier_layouts.h"
#include "wire/icrc.h"

enum {
    ROCE_UDP_PORT = 4791,
    ROCE_ETHERTYPE = 0x8915,
    ROCE_HEAD_MAX = smc_eth_size + smc_vlan_size + smc_ipv6_size + smc_udp_size,
    ROCE_PAYLOAD_MAX = 4096,
    ROCE_FRAME_MAX =
        ROCE_HEAD_MAX + smc_bth_size + smc_reth_size + ROCE_PAYLOAD_MAX + SMC_ICRC_BYTES,
    ROCE_OVERHEAD = 80, /* IPv6 or GRH, UDP, BTH, RETH, ICRC: kept free below a port's MTU */
    ROCE_PSN_MASK = 0xffffff
};
#define ROCE_NEVER UINT64_MAX

/* AETH, InfiniBand 9.7.5.1 */
enum { ROCE_AETH_ACK = 0, ROCE_AETH_RNR = 1, ROCE_AETH_NAK = 3 };
enum { ROCE_CREDITS_UNKNOWN = 31 };
enum {
    ROCE_NAK_SEQUENCE = 0,
    ROCE_NAK_INVALID = 1,
    ROCE_NAK_ACCESS = 2,
    ROCE_NAK_OPERATIONAL = 3
};

/* ---- Small containers --------------------------------------------------------------------------- */

/* A ring of nodes inside the objects; the head is a node too. */
struct roce_list {
    struct roce_list *next, *prev;
};

static inline void roce_list_init(struct roce_list *head)
{
    head->next = head->prev = head;
}

static inline bool roce_list_empty(const struct roce_list *head)
{
    return head->next == head;
}

static inline void roce_list_append(struct roce_list *head, struct roce_list *node)
{
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}

/* Leaves the node a ring of its own, so that it may be removed twice. */
static inline void roce_list_remove(struct roce_list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    roce_list_init(node);
}

#define ROCE_OWNER(node, type, member) ((type *)(void *)((char *)(node) - offsetof(type, member)))

/* From 32-bit keys to objects, O(1). Never iterated: its order means nothing. */
struct roce_map_slot {
    uint32_t key;
    void *value; /* NULL: free */
};
struct roce_map {
    struct roce_map_slot *slots;
    uint32_t capacity; /* a power of two, or 0 */
    uint32_t count;
};

void *roce_map_find(const struct roce_map *map, uint32_t key);
/* The key must not be in it. SMC_ERR_NOMEM. */
int roce_map_add(struct roce_map *map, const struct smc_alloc *alloc, uint32_t key, void *value);
void roce_map_remove(struct roce_map *map, uint32_t key);
void roce_map_free(struct roce_map *map, const struct smc_alloc *alloc);

/* ---- Objects ------------------------------------------------------------------------------------ */

struct smc_rdma_pd {
    struct roce *roce;
    struct roce_list node;
    uint32_t users; /* QPs and MRs */
};

struct roce_mr {
    struct smc_rdma_pd *pd;
    struct roce_list node;
    uint8_t *memory;
    size_t length;
    uint64_t base; /* the address peers use */
    uint32_t key;
    unsigned access;
};

struct roce_cqe {
    struct smc_rdma_completion completion;
    uint64_t ready_ns; /* seen from then on */
};

struct smc_rdma_cq {
    struct roce *roce;
    struct roce_list node;
    struct roce_list delayed; /* in roce->delayed while hidden completions wait */
    struct roce_cqe *entries;
    uint32_t depth, head, count;
    uint32_t visible; /* of count; the rest waits for its time */
    uint32_t users;   /* QPs; one with both queues here counts twice */
};

struct roce_piece {
    uint64_t offset;
    uint32_t lkey;
    uint32_t length;
};

struct roce_work {
    uint64_t id;
    uint64_t remote_address;
    uint32_t rkey;
    uint32_t length;
    uint32_t piece_count;
    uint32_t first_psn;
    uint32_t packets;
    uint8_t opcode; /* enum smc_rdma_opcode */
    uint8_t status; /* enum smc_rdma_status; an error found before it was its turn to complete */
    bool signaled, solicited, started;
};

/* Positions count up for ever; the slot is position & mask. */
struct roce_queue {
    struct roce_work *works;
    struct roce_piece *pieces; /* max_pieces for each work */
    uint32_t mask;
    uint32_t limit; /* outstanding at most */
    uint32_t head, tail;
};

/* Bytes of a WRITE that a fault keeps back. */
struct roce_late {
    struct roce_late *next;
    uint64_t address;
    uint32_t rkey;
    uint32_t length;
    uint8_t bytes[];
};

/* The message that is being received. */
struct roce_incoming {
    bool active;
    bool write; /* else SEND */
    bool lost;  /* fault: not placed */
    uint32_t rkey;
    uint64_t address;
    uint32_t done, length; /* bytes; SEND: length of the receive buffer */
};

struct smc_rdma_qp {
    struct roce *roce;
    struct roce_port *port; /* from INIT on */
    struct smc_rdma_pd *pd;
    struct smc_rdma_cq *send_cq, *receive_cq;
    struct roce_list node;
    struct roce_list ready; /* in port->ready while it has something to send */
    uint32_t number;
    uint32_t max_pieces;
    enum smc_rdma_qp_state state;

    uint32_t remote_number;
    struct smc_gid remote_gid;
    uint32_t gid_index, gid_version; /* the entry as it was at RTR */
    uint32_t mtu;
    uint8_t min_rnr_timer, retry_count, rnr_retry;
    uint64_t ack_timeout_ns; /* 0: for ever */
    uint8_t head[ROCE_HEAD_MAX]; /* Ethernet to UDP, lengths and identification to be filled in */
    uint8_t head_length, l3_offset;
    uint8_t traffic_class; /* in `head`; its ECN field is 0 */
    uint16_t ip_id;

    /* Requester. una ≤ next ≤ highest: what lies before `una` is acknowledged, before `next` sent
     * in this round, before `highest` sent at least once. */
    struct roce_queue sq;
    uint32_t una, next, highest;
    uint32_t post_psn;    /* of the next request posted */
    uint32_t sq_next;     /* position of the request that `next` lies in … */
    uint32_t next_packet; /* … and which packet of it */
    uint32_t since_ack_request;
    uint8_t retries, rnr_retries;

    /* Responder. */
    struct roce_queue rq;
    uint32_t expected, msn;
    bool nak_sent; /* the gap is reported, or RNR was: silence until `expected` comes */
    struct roce_incoming in;
    struct roce_late *late, **late_end;

    /* Deadlines, ROCE_NEVER if not set; the heap is keyed by the earliest (or an earlier one). */
    uint64_t retry_ns, rnr_ns, hold_ns, ack_ns;
    uint64_t pace_ns; /* DCQCN: the next packet not before */
    uint64_t heap_key;
    uint32_t heap_index; /* UINT32_MAX: not in it */
    uint64_t serial;     /* breaks ties */

    /* DCQCN */
    struct roce_rp rp;
    uint64_t cnp_ns;    /* no CNP before */
    uint16_t pace_rest; /* of pace_ns, 1/65536 ns */
};

struct roce_port {
    uint8_t number;
    bool up;
    struct port *port;
    struct smc_rdma_gid_entry *gids;
    uint32_t *gid_versions;
    struct roce_list ready;
    uint64_t blocked_ns; /* the port refused: not before then */
};

struct roce_rule {
    struct roce_fault fault;
    uint32_t seen, strikes;
};

struct roce {
    struct smc_rdma_device device; /* first */
    struct roce_config config;
    const struct smc_alloc *alloc;
    struct roce_port ports[ROCE_PORTS_MAX];
    struct roce_list pds, cqs, qps, mrs, delayed;
    struct roce_map qp_map, mr_map;
    struct smc_rdma_qp **heap;
    uint32_t heap_count, heap_capacity;
    uint32_t next_qp_number;
    uint32_t next_key;
    uint64_t next_address;
    uint64_t next_serial;
    uint64_t now_ns;       /* of the last call that brought a time */
    uint64_t announced_ns; /* what the host believes roce_next_ns to be */
    unsigned callbacks;    /* depth */
    bool gone;
    bool running;
    struct roce_rule rules[ROCE_FAULTS_MAX];
    size_t rule_count;
    bool dcqcn_on;
    struct roce_dcqcn dcqcn;
    struct roce_counters counters;
    uint8_t frame[ROCE_FRAME_MAX]; /* where packets are built */
};

static inline struct roce *roce_of(struct smc_rdma_device *device)
{
    return (struct roce *)(void *)device;
}

/* PSN arithmetic: distance from `b` to `a`, and whether `a` lies before `b`. */
static inline uint32_t roce_psn_distance(uint32_t a, uint32_t b)
{
    return (a - b) & ROCE_PSN_MASK;
}

static inline bool roce_psn_before(uint32_t a, uint32_t b)
{
    return roce_psn_distance(a, b) > ROCE_PSN_MASK / 2;
}

static inline uint32_t roce_psn_add(uint32_t psn, uint32_t n)
{
    return (psn + n) & ROCE_PSN_MASK;
}

static inline struct roce_work *roce_work_at(const struct roce_queue *queue, uint32_t position)
{
    return &queue->works[position & queue->mask];
}

static inline struct roce_piece *roce_pieces_at(const struct smc_rdma_qp *qp,
                                                const struct roce_queue *queue, uint32_t position)
{
    return &queue->pieces[(size_t)(position & queue->mask) * qp->max_pieces];
}

/* ---- roce.c ------------------------------------------------------------------------------------- */

/* NULL: no such port. */
struct roce_port *roce_port_of(struct roce *roce, unsigned number);
/* How packets of this GID look on the wire. */
enum smc_rdma_gid_type roce_wire_type(const struct roce *roce, const struct smc_rdma_gid_entry *entry);
/* SMC_ERR_REENTERED, SMC_ERR_GONE or 0: may an operation go on? */
int roce_may(const struct roce *roce);
void roce_raise(struct roce *roce, enum smc_rdma_event_type type, uint8_t port,
                struct smc_rdma_qp *qp);
/* Tells the host if it must come earlier than it knows. */
void roce_notify(struct roce *roce);

/* ---- roce_timer.c: the heap of QPs with deadlines ------------------------------------------------ */

int roce_heap_reserve(struct roce *roce, uint32_t count);
/* Brings the heap up to date after deadlines of the QP changed. */
void roce_schedule(struct smc_rdma_qp *qp);
void roce_unschedule(struct smc_rdma_qp *qp);
/* Out of the heap: a QP whose time came, or NULL. */
struct smc_rdma_qp *roce_expired(struct roce *roce, uint64_t now_ns);
uint64_t roce_rnr_ns(uint8_t code);

/* ---- roce_memory.c: PDs and MRs ------------------------------------------------------------------ */

int roce_alloc_pd(struct smc_rdma_device *device, struct smc_rdma_pd **out);
int roce_dealloc_pd(struct smc_rdma_device *device, struct smc_rdma_pd *pd);
int roce_reg_mr(struct smc_rdma_device *device, struct smc_rdma_pd *pd, void *memory, size_t length,
                unsigned access, struct smc_rdma_mr *mr);
int roce_dereg_mr(struct smc_rdma_device *device, struct smc_rdma_mr *mr);
/* Where a WRITE goes; NULL: key, PD, access or range refused. */
uint8_t *roce_remote_memory(const struct smc_rdma_qp *qp, uint32_t rkey, uint64_t address,
                            uint32_t length);
/* May the QP use every piece (with LOCAL_WRITE if `write`)? */
bool roce_pieces_valid(const struct smc_rdma_qp *qp, const struct roce_piece *pieces,
                       uint32_t count, bool write);
/* Copies `length` bytes between a buffer and the pieces from byte `offset` of them on. False: a piece
 * is not, or no longer, the QP's, or there are fewer bytes. */
bool roce_gather(const struct smc_rdma_qp *qp, const struct roce_piece *pieces, uint32_t count,
                 uint32_t offset, uint8_t *to, uint32_t length);
bool roce_scatter(const struct smc_rdma_qp *qp, const struct roce_piece *pieces, uint32_t count,
                  uint32_t offset, const uint8_t *from, uint32_t length);
/* At the end: MRs before QPs, so that nothing is placed any more; PDs after them. */
void roce_free_mrs(struct roce *roce);
void roce_free_pds(struct roce *roce);

/* ---- roce_cq.c ----------------------------------------------------------------------------------- */

int roce_create_cq(struct smc_rdma_device *device, uint32_t depth, struct smc_rdma_cq **out);
int roce_destroy_cq(struct smc_rdma_device *device, struct smc_rdma_cq *cq);
int roce_poll_cq(struct smc_rdma_device *device, struct smc_rdma_cq *cq,
                 struct smc_rdma_completion *out, int count);
/* A completion for the QP: RECV to its receive CQ, others to its send CQ. An overrun breaks the QP. */
void roce_complete(struct smc_rdma_qp *qp, const struct roce_work *work,
                   enum smc_rdma_status status, uint32_t length);
/* Takes the QP's completions out. */
void roce_cq_forget(struct smc_rdma_cq *cq, const struct smc_rdma_qp *qp);
void roce_cq_show_due(struct roce *roce, uint64_t now_ns);
uint64_t roce_cq_next_ns(const struct roce *roce);
void roce_cq_free(struct smc_rdma_cq *cq);

/* ---- roce_qp.c: QPs, their states, and posting --------------------------------------------------- */

int roce_create_qp(struct smc_rdma_device *device, struct smc_rdma_pd *pd,
                   const struct smc_rdma_qp_config *config, struct smc_rdma_qp **out);
uint32_t roce_qp_number(const struct smc_rdma_qp *qp);
enum smc_rdma_qp_state roce_qp_state(const struct smc_rdma_qp *qp);
int roce_modify_qp(struct smc_rdma_device *device, struct smc_rdma_qp *qp,
                   const struct smc_rdma_qp_change *change);
int roce_destroy_qp(struct smc_rdma_device *device, struct smc_rdma_qp *qp);
void roce_qp_free(struct smc_rdma_qp *qp);
/* Into ERR, everything flushed; nothing if it is there already. */
void roce_qp_to_error(struct smc_rdma_qp *qp);
/* The same, counted, and followed by the event. */
void roce_qp_break(struct smc_rdma_qp *qp, enum smc_rdma_event_type event);
/* Is the GID entry it was connected with still what it was? */
bool roce_qp_has_gid(const struct smc_rdma_qp *qp);

/* ---- roce_post.c --------------------------------------------------------------------------------- */

int roce_queue_new(const struct smc_alloc *alloc, struct roce_queue *queue, uint32_t limit,
                   uint32_t max_pieces);
void roce_queue_free(const struct smc_alloc *alloc, struct roce_queue *queue, uint32_t max_pieces);
int roce_post_send(struct smc_rdma_device *device, struct smc_rdma_qp *qp,
                   const struct smc_rdma_send *send);
int roce_post_receive(struct smc_rdma_device *device, struct smc_rdma_qp *qp,
                      const struct smc_rdma_receive *receive);

/* ---- roce_packet.c: frames ----------------------------------------------------------------------- */

struct roce_packet {
    const uint8_t *destination_mac;
    bool tagged; /* with a VLAN id other than 0 */
    uint16_t vlan_id;
    enum smc_rdma_gid_type type;
    uint8_t ecn; /* of the IP header, or the GRH */
    struct smc_gid source, destination;
    struct smc_view covered; /* what the ICRC covers, and the ICRC */
    struct smc_bth bth;
    struct smc_view body; /* behind the BTH, without padding and ICRC */
};

/* False: no well-formed RoCE packet. Nothing but form is checked, not even the ICRC. */
bool roce_parse(const uint8_t *frame, size_t length, struct roce_packet *out);
/* The headers that all packets of a connected QP share, into qp->head. */
void roce_build_head(struct smc_rdma_qp *qp, const struct smc_rdma_gid_entry *own,
                     const uint8_t *remote_mac, uint8_t hop_limit, uint8_t traffic_class);

struct roce_bth {
    uint8_t opcode;
    bool solicited, ack_request, becn;
    uint32_t psn;
};

/* Starts a packet in roce->frame; returns where the bytes behind the BTH go. */
uint8_t *roce_packet_begin(struct smc_rdma_qp *qp, const struct roce_bth *bth);
/* Gives the packet that was started another traffic class (DSCP and ECN). */
void roce_packet_class(struct smc_rdma_qp *qp, uint8_t traffic_class);
/* Ends it behind `body` bytes, of which `pad` are padding, already zero. Returns the frame's length. */
size_t roce_packet_end(struct smc_rdma_qp *qp, size_t body, unsigned pad);
/* Hands roce->frame to the port: the one place by which packets leave. False: refused for now. */
bool roce_emit(struct smc_rdma_qp *qp, size_t length);

/* ---- roce_send.c: the requester ------------------------------------------------------------------ */

/* Puts the QP in line if it has something it may send. */
void roce_kick(struct smc_rdma_qp *qp);
/* Sends what QPs in line may send. */
void roce_serve(struct roce *roce);
/* An ACK or NAK came for the QP. */
void roce_acknowledged(struct smc_rdma_qp *qp, const struct roce_packet *packet);
/* A deadline of the QP came. */
void roce_qp_expire(struct smc_rdma_qp *qp, uint64_t now_ns);

/* ---- roce_respond.c: the responder --------------------------------------------------------------- */

void roce_respond(struct smc_rdma_qp *qp, const struct roce_packet *packet);
void roce_send_pending_ack(struct smc_rdma_qp *qp);

/* ---- roce_dcqcn.c -------------------------------------------------------------------------------- */

/* The QP's flow begins anew. */
void roce_dcqcn_start(struct smc_rdma_qp *qp);
/* Do packets of this QP say that they may be marked? */
bool roce_dcqcn_marks(const struct smc_rdma_qp *qp);
/* A packet of that length left: the next one has to wait for its time. */
void roce_dcqcn_sent(struct smc_rdma_qp *qp, size_t length);
/* A packet came marked. */
void roce_congestion_seen(struct smc_rdma_qp *qp);
/* A CNP came for the QP. */
void roce_cnp(struct smc_rdma_qp *qp, const struct roce_packet *packet);

/* ---- roce_fault.c -------------------------------------------------------------------------------- */

/* Does a rule of this kind strike this operation? *argument (may be NULL) gets the rule's.
 * `qp` NULL: no QP is concerned. */
bool roce_fault_strikes_now(struct roce *roce, enum roce_fault_what what,
                            const struct smc_rdma_qp *qp, enum smc_rdma_opcode opcode,
                            uint64_t *argument);
/* Keeps bytes of a WRITE back; false: no memory, place them now. */
bool roce_late_keep(struct smc_rdma_qp *qp, uint32_t rkey, uint64_t address, const uint8_t *bytes,
                    uint32_t length);
/* Places what was kept back, as far as its memory is still there. */
void roce_late_place(struct smc_rdma_qp *qp);

#endif
