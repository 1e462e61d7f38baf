/* Two RoCE NICs and a wire between them, for tests: frames can be dropped, doubled, held back or damaged.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef DEVICES_ROCE_LAB_TEST_H
#define DEVICES_ROCE_LAB_TEST_H

#include <string.h>

#include "devices/roce.h"
#include "testing/check_main.h"
#include "wire/carrier_layouts.h"
#include "wire/icrc.h"

enum { WIRE_MTU = 4200, WIRE_FRAME_MAX = WIRE_MTU + 18, HOP_NS = 500, QUEUE_FRAMES = 8192 };
enum { SIDES = 2, MEMORY = 1 << 18, LOG = 4096 };

/* ---- Memory that is counted and can fail --------------------------------------------------------- */

struct heap {
    size_t outstanding;
    unsigned long calls;
    unsigned long fail_at; /* this call fails; 0: none */
};

static inline bool heap_fails(struct heap *heap)
{
    return ++heap->calls == heap->fail_at;
}

static inline void *heap_allocate(void *user, size_t size)
{
    struct heap *heap = user;
    void *block = heap_fails(heap) ? NULL : malloc(size);
    if (block != NULL)
        heap->outstanding += size;
    return block;
}

static inline void *heap_resize(void *user, void *block, size_t old_size, size_t new_size)
{
    struct heap *heap = user;
    void *moved = heap_fails(heap) ? NULL : realloc(block, new_size);
    if (moved != NULL)
        heap->outstanding += new_size - old_size;
    return moved;
}

static inline void heap_release(void *user, void *block, size_t size)
{
    struct heap *heap = user;
    ck_assert_uint_ge(heap->outstanding, size);
    heap->outstanding -= size;
    free(block);
}

/* ---- The wire ------------------------------------------------------------------------------------ */

enum fate { FATE_PASS, FATE_DROP, FATE_TWICE, FATE_LATER };

struct lab;
struct test_port {
    struct port port; /* first */
    struct lab *lab;
    unsigned side;
    bool up;
    unsigned refuse; /* so many sends are refused */
    uint32_t mtu;
};

struct wire_frame {
    unsigned to;
    size_t length;
    uint8_t *bytes;
};

/* What an end remembers: everything that was reported to it. */
struct end {
    struct heap heap;
    struct smc_alloc alloc;
    struct test_port wire;
    struct roce *roce;
    struct smc_rdma_device *device;
    const struct smc_rdma_ops *ops;
    struct smc_rdma_pd *pd;
    struct smc_rdma_cq *cq;
    struct smc_rdma_qp *qp;
    struct smc_rdma_mr mr;
    struct smc_gid gid;
    uint8_t *memory;
    struct smc_rdma_event events[LOG];
    unsigned event_count;
    struct smc_rdma_completion done[LOG]; /* polled */
    unsigned done_count;
    unsigned edges, wakes;
    bool manual; /* the harness does not poll */
};

struct lab {
    struct end ends[SIDES];
    uint64_t now_ns;
    struct wire_frame queue[QUEUE_FRAMES];
    unsigned first, count;
    unsigned long frames;
    /* Decides on each frame that enters the wire; may change its bytes. NULL: all pass. */
    enum fate (*fate)(struct lab *lab, unsigned from, uint8_t *frame, size_t length);
    unsigned long counter; /* the filter's */
    uint64_t random;
    bool ragged; /* frames may be damaged: no check of the ICRC */
};

static inline uint32_t lab_random(struct lab *lab, uint32_t below)
{
    lab->random = lab->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((lab->random >> 33) % below);
}

static inline size_t l3_of(const uint8_t *frame)
{
    return smc_load_be(frame + 12, 2) == 0x8100 ? 18 : 14;
}

/* Offset of the BTH in a frame of ours. */
static inline size_t bth_of(const uint8_t *frame)
{
    size_t l3 = l3_of(frame);
    if (smc_load_be(frame + l3 - 2, 2) == 0x0800)
        return l3 + 28;
    return smc_load_be(frame + l3 - 2, 2) == 0x8915 ? l3 + 40 : l3 + 48;
}

static inline struct smc_bth bth_in(const uint8_t *frame)
{
    return (struct smc_bth){frame + bth_of(frame)};
}

static inline bool is_request(const uint8_t *frame)
{
    return smc_bth_opcode(bth_in(frame)) != SMC_BTH_ACK;
}

static inline void seal(uint8_t *frame, size_t length)
{
    uint32_t icrc = 0;
    size_t l3 = l3_of(frame);
    ck_assert(smc_icrc(smc_view_of(frame + l3, length - l3 - 4), NULL, &icrc));
    smc_icrc_put(frame + length - 4, icrc);
}

/* What a switch with a long queue does; the ICRC does not cover it. */
static inline void mark_ce(uint8_t *frame)
{
    enum { CE = 3 };
    uint8_t *ip = frame + l3_of(frame);
    uint32_t sum = 0;
    if (ip[0] >> 4 != 4) {
        ip[1] |= CE << 4;
        return;
    }
    ip[1] |= CE;
    smc_store_be(ip + 10, 2, 0);
    for (unsigned i = 0; i < 20; i += 2)
        sum += (uint32_t)smc_load_be(ip + i, 2);
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    smc_store_be(ip + 10, 2, ~sum & 0xffff);
}

static inline void wire_put(struct lab *lab, unsigned to, const uint8_t *bytes, size_t length,
                            unsigned position)
{
    ck_assert_uint_lt(lab->count, QUEUE_FRAMES);
    for (unsigned i = lab->count; i > position; i--)
        lab->queue[(lab->first + i) % QUEUE_FRAMES] =
            lab->queue[(lab->first + i - 1) % QUEUE_FRAMES];
    struct wire_frame *slot = &lab->queue[(lab->first + position) % QUEUE_FRAMES];
    *slot = (struct wire_frame){.to = to, .length = length, .bytes = malloc(length)};
    memcpy(slot->bytes, bytes, length);
    lab->count++;
}

static inline bool wire_send(struct port *port, const uint8_t *frame, size_t length,
                             uint64_t now_ns)
{
    struct test_port *own = (struct test_port *)port;
    struct lab *lab = own->lab;
    ck_assert_uint_eq(now_ns, lab->now_ns);
    if (!own->up || (own->refuse > 0 && own->refuse--))
        return false;
    size_t l3 = l3_of(frame);
    ck_assert(roce_is_roce(frame, length));
    ck_assert(smc_icrc_holds(smc_view_of(frame + l3, length - l3), NULL));
    lab->frames++;
    uint8_t copy[WIRE_FRAME_MAX];
    ck_assert_uint_le(length, sizeof(copy));
    memcpy(copy, frame, length);
    enum fate fate = lab->fate != NULL ? lab->fate(lab, own->side, copy, length) : FATE_PASS;
    unsigned to = own->side ^ 1;
    if (fate == FATE_LATER) /* before the youngest: two change places */
        wire_put(lab, to, copy, length, lab->count > 0 ? lab->count - 1 : 0);
    else if (fate != FATE_DROP)
        wire_put(lab, to, copy, length, lab->count);
    if (fate == FATE_TWICE)
        wire_put(lab, to, copy, length, lab->count);
    return true;
}

static inline uint32_t wire_mtu(const struct port *port)
{
    return ((const struct test_port *)port)->mtu;
}

static inline bool wire_up(const struct port *port)
{
    return ((const struct test_port *)port)->up;
}

static const struct port_ops wire_ops = {wire_send, wire_mtu, wire_up};

/* ---- An end -------------------------------------------------------------------------------------- */

static inline void end_poll(struct end *end, struct smc_rdma_cq *cq)
{
    int n;
    do {
        ck_assert_uint_lt(end->done_count + 16, LOG);
        n = end->ops->poll_cq(end->device, cq, end->done + end->done_count, 16);
        ck_assert_int_ge(n, 0);
        end->done_count += (unsigned)n;
    } while (n > 0);
}

static inline void end_completed(void *user, struct smc_rdma_cq *cq)
{
    struct end *end = user;
    (void)cq;
    end->edges++;
}

static inline void end_event(void *user, const struct smc_rdma_event *event)
{
    struct end *end = user;
    ck_assert_uint_lt(end->event_count, LOG);
    end->events[end->event_count++] = *event;
}

static inline void end_wake(void *user)
{
    ((struct end *)user)->wakes++;
}

/* What a test may choose before lab_open; the rest is done there. */
struct setup {
    struct roce_config config;
    enum smc_rdma_gid_type type;
    bool ipv6;
    uint16_t vlan_id; /* 0: none */
    enum smc_rdma_mtu mtu;
    uint32_t psn[SIDES]; /* first sent by that side */
    uint8_t ack_timeout, retry_count, rnr_retry, min_rnr_timer;
    uint32_t max_send, max_receive, cq_depth;
};

static inline struct setup plain_setup(void)
{
    return (struct setup){.type = SMC_RDMA_GID_ROCE_V2,
                          .mtu = SMC_RDMA_MTU_1024,
                          .psn = {1000, 2000},
                          .ack_timeout = 8,
                          .retry_count = 7,
                          .rnr_retry = 7,
                          .min_rnr_timer = 1,
                          .max_send = 64,
                          .max_receive = 64,
                          .cq_depth = 512};
}

static inline struct smc_rdma_gid_entry end_gid(const struct setup *setup, unsigned side)
{
    struct smc_rdma_gid_entry entry = {.type = setup->type,
                                       .vlan_valid = setup->vlan_id != 0,
                                       .vlan_id = setup->vlan_id,
                                       .mac = {0x52, 0x54, 0, 0, 0, (uint8_t)(side + 1)}};
    static const uint8_t v4[16] = {[10] = 0xff, [11] = 0xff, [12] = 10};
    static const uint8_t v6[16] = {0xfe, 0x80};
    memcpy(entry.gid.bytes, setup->ipv6 || setup->type == SMC_RDMA_GID_ROCE_V1 ? v6 : v4, 16);
    entry.gid.bytes[15] = (uint8_t)(side + 1);
    return entry;
}

/* SMC_OK, or the error that creation met: an end half made can be closed. */
static inline int end_open(struct lab *lab, unsigned side, const struct setup *setup)
{
    struct end *end = &lab->ends[side];
    struct roce_config config = setup->config;
    end->alloc = (struct smc_alloc){heap_allocate, heap_resize, heap_release, &end->heap};
    end->wire = (struct test_port){.port = {.ops = &wire_ops}, .lab = lab, .side = side};
    end->wire.up = true;
    end->wire.mtu = WIRE_MTU;
    config.alloc = &end->alloc;
    config.seed += side;
    config.wake = end_wake;
    config.user = end;
    int error = roce_new(&config, &end->roce);
    if (error < 0)
        return error;
    end->device = roce_device(end->roce);
    end->ops = end->device->ops;
    end->device->handler = (struct smc_rdma_handler){end_completed, end_event, end};
    roce_attach_port(end->roce, 1, &end->wire.port);
    struct smc_rdma_gid_entry gid = end_gid(setup, side);
    end->gid = gid.gid;
    ck_assert_int_eq(roce_set_gid(end->roce, 1, 3, &gid), 0);
    error = end->ops->alloc_pd(end->device, &end->pd);
    if (error == 0)
        error = end->ops->create_cq(end->device, setup->cq_depth, &end->cq);
    if (error == 0)
        error = end->ops->reg_mr(end->device, end->pd, end->memory, MEMORY,
                                 SMC_RDMA_LOCAL_WRITE | SMC_RDMA_REMOTE_WRITE, &end->mr);
    struct smc_rdma_qp_config qp = {end->cq, end->cq, setup->max_send, setup->max_receive, 3};
    if (error == 0)
        error = end->ops->create_qp(end->device, end->pd, &qp, &end->qp);
    return error;
}

static inline struct smc_rdma_qp_change to_rtr(const struct lab *lab, unsigned side,
                                               const struct setup *setup)
{
    const struct end *peer = &lab->ends[side ^ 1];
    struct smc_rdma_qp_change change = {.state = SMC_RDMA_QP_RTR};
    struct smc_rdma_gid_entry gid = end_gid(setup, side ^ 1);
    change.rtr.remote_gid = gid.gid;
    memcpy(change.rtr.remote_mac, gid.mac, 6);
    change.rtr.remote_qp_number = peer->ops->qp_number(peer->qp);
    change.rtr.receive_psn = setup->psn[side ^ 1];
    change.rtr.gid_index = 3;
    change.rtr.path_mtu = setup->mtu;
    change.rtr.min_rnr_timer = setup->min_rnr_timer;
    change.rtr.hop_limit = 1;
    return change;
}

static inline struct smc_rdma_qp_change to_rts(const struct setup *setup, unsigned side)
{
    struct smc_rdma_qp_change change = {.state = SMC_RDMA_QP_RTS};
    change.rts.send_psn = setup->psn[side];
    change.rts.ack_timeout = setup->ack_timeout;
    change.rts.retry_count = setup->retry_count;
    change.rts.rnr_retry = setup->rnr_retry;
    return change;
}

static inline void connect_qp(struct lab *lab, unsigned side, const struct setup *setup)
{
    struct end *end = &lab->ends[side];
    struct smc_rdma_qp_change change = {.state = SMC_RDMA_QP_INIT, .init = {.port = 1}};
    ck_assert_int_eq(end->ops->modify_qp(end->device, end->qp, &change), 0);
    change = to_rtr(lab, side, setup);
    ck_assert_int_eq(end->ops->modify_qp(end->device, end->qp, &change), 0);
    change = to_rts(setup, side);
    ck_assert_int_eq(end->ops->modify_qp(end->device, end->qp, &change), 0);
}

static inline struct lab *lab_new(void)
{
    struct lab *lab = calloc(1, sizeof(*lab));
    lab->now_ns = 1000000;
    lab->random = 1;
    for (unsigned side = 0; side < SIDES; side++) {
        lab->ends[side].memory = malloc(MEMORY);
        for (size_t i = 0; i < MEMORY; i++)
            lab->ends[side].memory[i] = (uint8_t)(i * 31 + (i >> 8) * 7 + side * 101);
    }
    return lab;
}

static inline struct lab *lab_open(const struct setup *setup)
{
    struct lab *lab = lab_new();
    for (unsigned side = 0; side < SIDES; side++)
        ck_assert_int_eq(end_open(lab, side, setup), 0);
    for (unsigned side = 0; side < SIDES; side++)
        connect_qp(lab, side, setup);
    return lab;
}

/* Frees everything; whatever a NIC allocated must be back. */
static inline void lab_close(struct lab *lab)
{
    for (unsigned i = 0; i < lab->count; i++)
        free(lab->queue[(lab->first + i) % QUEUE_FRAMES].bytes);
    for (unsigned side = 0; side < SIDES; side++) {
        roce_free(lab->ends[side].roce);
        ck_assert_uint_eq(lab->ends[side].heap.outstanding, 0);
        free(lab->ends[side].memory);
    }
    free(lab);
}

/* ---- Time ---------------------------------------------------------------------------------------- */

static inline void lab_deliver(struct lab *lab)
{
    struct wire_frame frame = lab->queue[lab->first];
    lab->first = (lab->first + 1) % QUEUE_FRAMES;
    lab->count--;
    lab->now_ns += HOP_NS;
    roce_frame(lab->ends[frame.to].roce, 1, frame.bytes, frame.length, lab->now_ns);
    free(frame.bytes);
}

static inline bool lab_run_due(struct lab *lab)
{
    bool ran = false;
    for (unsigned side = 0; side < SIDES; side++) {
        if (roce_next_ns(lab->ends[side].roce) > lab->now_ns)
            continue;
        roce_run(lab->ends[side].roce, lab->now_ns);
        ran = true;
    }
    return ran;
}

static inline void lab_poll(struct lab *lab)
{
    for (unsigned side = 0; side < SIDES; side++)
        if (!lab->ends[side].manual)
            end_poll(&lab->ends[side], lab->ends[side].cq);
}

/* One thing happens: somebody's time has come, a frame arrives, or the clock jumps to what is next
 * (at most to `until`). False: nothing is left to happen until then. */
static inline bool lab_step(struct lab *lab, uint64_t until_ns)
{
    bool ran = lab_run_due(lab);
    lab_poll(lab);
    if (ran)
        return true;
    if (lab->count > 0) {
        lab_deliver(lab);
        lab_poll(lab);
        return true;
    }
    uint64_t a = roce_next_ns(lab->ends[0].roce), b = roce_next_ns(lab->ends[1].roce);
    uint64_t next = a < b ? a : b;
    if (next == UINT64_MAX || next > until_ns)
        return false;
    lab->now_ns = next;
    return true;
}

/* Until nothing happens any more. */
static inline void lab_settle(struct lab *lab)
{
    for (unsigned long steps = 0; lab_step(lab, UINT64_MAX); steps++)
        ck_assert_uint_lt(steps, 20000000);
}

static inline void lab_run_until(struct lab *lab, uint64_t until_ns)
{
    while (lab_step(lab, until_ns))
        ;
    if (lab->now_ns < until_ns)
        lab->now_ns = until_ns;
}

/* ---- Posting ------------------------------------------------------------------------------------- */

static inline int try_receive(struct end *end, uint64_t id, size_t offset, uint32_t length)
{
    struct smc_rdma_piece piece = {&end->mr, offset, length};
    struct smc_rdma_receive receive = {id, &piece, 1};
    return end->ops->post_receive(end->device, end->qp, &receive);
}

static inline void receive(struct end *end, uint64_t id, size_t offset, uint32_t length)
{
    ck_assert_int_eq(try_receive(end, id, offset, length), 0);
}

static inline int try_send(struct end *end, uint64_t id, size_t offset, uint32_t length)
{
    struct smc_rdma_piece piece = {&end->mr, offset, length};
    struct smc_rdma_send send = {.id = id,
                                 .opcode = SMC_RDMA_SEND,
                                 .signaled = true,
                                 .solicited = true,
                                 .pieces = &piece,
                                 .piece_count = 1};
    return end->ops->post_send(end->device, end->qp, &send);
}

static inline void post_send(struct end *end, uint64_t id, size_t offset, uint32_t length)
{
    ck_assert_int_eq(try_send(end, id, offset, length), 0);
}

/* From `offset` of one's memory to `to` of the peer's. */
static inline int try_write(struct lab *lab, unsigned side, uint64_t id, size_t offset, size_t to,
                            uint32_t length)
{
    struct end *end = &lab->ends[side], *peer = &lab->ends[side ^ 1];
    struct smc_rdma_piece piece = {&end->mr, offset, length};
    struct smc_rdma_send send = {.id = id,
                                 .opcode = SMC_RDMA_WRITE,
                                 .signaled = true,
                                 .pieces = &piece,
                                 .piece_count = 1,
                                 .remote_address = peer->mr.remote_address + to,
                                 .rkey = peer->mr.rkey};
    return end->ops->post_send(end->device, end->qp, &send);
}

static inline void post_write(struct lab *lab, unsigned side, uint64_t id, size_t offset, size_t to,
                              uint32_t length)
{
    ck_assert_int_eq(try_write(lab, side, id, offset, to, length), 0);
}

static inline void expect_done(const struct end *end, unsigned index, uint64_t id,
                               enum smc_rdma_opcode opcode, enum smc_rdma_status status)
{
    ck_assert_uint_gt(end->done_count, index);
    ck_assert_uint_eq(end->done[index].id, id);
    ck_assert_int_eq(end->done[index].opcode, opcode);
    ck_assert_int_eq(end->done[index].status, status);
    ck_assert_ptr_eq(end->done[index].qp, end->qp);
}

static inline enum smc_rdma_qp_state state_of(const struct end *end)
{
    return end->ops->qp_state(end->qp);
}

static inline void expect_event(const struct end *end, enum smc_rdma_event_type type)
{
    for (unsigned i = 0; i < end->event_count; i++)
        if (end->events[i].type == type)
            return;
    ck_abort_msg("event %d did not come", (int)type);
}

#endif
