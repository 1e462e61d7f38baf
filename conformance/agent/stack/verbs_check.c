/* The promises of smc/rdma.h, one after the other, on a real device.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conformance/agent/stack/verbs_check.h"

#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>

#include "conformance/agent/stack/stack.h"
#include "devices/verbs.h"

enum { BYTES = 65536, HALF = BYTES / 2, SENDS = 4, RECEIVES = 8, WAIT_MS = 5000, STEP_MS = 20, MESSAGE = 44 };

struct side {
    struct smc_rdma_cq *send_cq, *receive_cq;
    struct smc_rdma_qp *qp;
    struct smc_rdma_mr mr;
    uint8_t memory[BYTES];
    unsigned told; /* how often a queue of it announced itself */
    bool refused;  /* its QP was told of a WRITE that was refused */
};

struct check {
    FILE *out;
    struct verbs *verbs;
    struct smc_rdma_device *device;
    const struct smc_rdma_ops *ops;
    struct smc_rdma_pd *pd;
    struct side side[2];
    struct smc_rdma_gid_entry gid;
    uint32_t gid_index;
    enum smc_rdma_mtu mtu;
    int inside; /* what an operation returned within a callback */
    int failed;
};

static void expect(struct check *c, int64_t got, int64_t wanted, const char *what)
{
    if (got == wanted)
        fprintf(c->out, "ok   %s\n", what);
    else
        fprintf(c->out, "FAIL %s: got %" PRId64 ", wanted %" PRId64 "\n", what, got, wanted);
    c->failed += got != wanted;
}

/* ---- callbacks ---- */

static void completed(void *user, struct smc_rdma_cq *cq)
{
    struct check *c = user;
    struct smc_rdma_pd *pd;
    for (int i = 0; i < 2; i++)
        c->side[i].told += cq == c->side[i].send_cq || cq == c->side[i].receive_cq;
    c->inside = c->ops->alloc_pd(c->device, &pd);
}

static void event(void *user, const struct smc_rdma_event *e)
{
    struct check *c = user;
    for (int i = 0; i < 2; i++)
        if (e->type == SMC_RDMA_QP_ACCESS_ERROR && e->qp == c->side[i].qp)
            c->side[i].refused = true;
}

/* ---- parts ---- */

static struct smc_rdma_qp_config config_of(const struct side *s)
{
    return (struct smc_rdma_qp_config){
        .send_cq = s->send_cq, .receive_cq = s->receive_cq, .max_send = SENDS, .max_receive = RECEIVES, .max_pieces = 2};
}

static int make_side(struct check *c, struct side *s)
{
    int error = c->ops->create_cq(c->device, SENDS, &s->send_cq);
    if (error == 0)
        error = c->ops->create_cq(c->device, RECEIVES, &s->receive_cq);
    struct smc_rdma_qp_config config = config_of(s);
    if (error == 0)
        error = c->ops->create_qp(c->device, c->pd, &config, &s->qp);
    if (error == 0)
        error = c->ops->reg_mr(c->device, c->pd, s->memory, BYTES, SMC_RDMA_LOCAL_WRITE | SMC_RDMA_REMOTE_WRITE, &s->mr);
    return error;
}

static int destroy_side(struct check *c, struct side *s)
{
    int error = c->ops->destroy_qp(c->device, s->qp);
    if (error == 0)
        error = c->ops->destroy_cq(c->device, s->send_cq);
    if (error == 0)
        error = c->ops->destroy_cq(c->device, s->receive_cq);
    return error == 0 ? c->ops->dereg_mr(c->device, &s->mr) : error;
}

static int change(struct check *c, struct side *s, enum smc_rdma_qp_state state)
{
    const struct side *other = s == &c->side[0] ? &c->side[1] : &c->side[0];
    struct smc_rdma_qp_change to = {.state = state, .init = {.port = 1}};
    to.rtr.remote_gid = c->gid.gid;
    memcpy(to.rtr.remote_mac, c->gid.mac, sizeof(to.rtr.remote_mac));
    to.rtr.remote_qp_number = c->ops->qp_number(other->qp);
    to.rtr.receive_psn = s == &c->side[0] ? 100 : 200;
    to.rtr.gid_index = c->gid_index;
    to.rtr.path_mtu = c->mtu < SMC_RDMA_MTU_1024 ? c->mtu : SMC_RDMA_MTU_1024;
    to.rtr.min_rnr_timer = 5;
    to.rtr.hop_limit = 1;
    to.rts.send_psn = s == &c->side[0] ? 200 : 100;
    to.rts.ack_timeout = 15;
    to.rts.retry_count = 7;
    to.rts.rnr_retry = 7;
    return c->ops->modify_qp(c->device, s->qp, &to);
}

static int post_receive(struct check *c, struct side *s, uint64_t id)
{
    struct smc_rdma_piece piece = {.mr = &s->mr, .offset = HALF + id * 64, .length = 64};
    struct smc_rdma_receive receive = {.id = id, .pieces = &piece, .piece_count = 1};
    return c->ops->post_receive(c->device, s->qp, &receive);
}

static int post(struct check *c, struct side *s, uint64_t id, enum smc_rdma_opcode opcode, size_t offset, uint32_t length, bool signaled,
                uint32_t rkey)
{
    const struct side *other = s == &c->side[0] ? &c->side[1] : &c->side[0];
    struct smc_rdma_piece piece = {.mr = &s->mr, .offset = offset, .length = length};
    struct smc_rdma_send send = {.id = id,
                                 .opcode = opcode,
                                 .signaled = signaled,
                                 .solicited = opcode == SMC_RDMA_SEND,
                                 .pieces = &piece,
                                 .piece_count = 1,
                                 .remote_address = other->mr.remote_address,
                                 .rkey = rkey};
    return c->ops->post_send(c->device, s->qp, &send);
}

/* The next completion; false: none in time. */
static bool next(struct check *c, struct smc_rdma_cq *cq, struct smc_rdma_completion *out)
{
    for (int waited = 0; waited < WAIT_MS; waited += STEP_MS) {
        struct pollfd ready = {.fd = verbs_fd(c->verbs), .events = POLLIN};
        if (c->ops->poll_cq(c->device, cq, out, 1) == 1)
            return true;
        (void)poll(&ready, 1, STEP_MS);
        verbs_run(c->verbs);
    }
    return false;
}

static void expect_next(struct check *c, struct smc_rdma_cq *cq, uint64_t id, enum smc_rdma_opcode opcode,
                        enum smc_rdma_status status, const char *what)
{
    struct smc_rdma_completion got = {.id = UINT64_MAX};
    if (!next(c, cq, &got))
        expect(c, 0, 1, what);
    else
        expect(c, (int64_t)(got.id << 16 | (unsigned)got.opcode << 8 | (unsigned)got.status),
               (int64_t)(id << 16 | (unsigned)opcode << 8 | (unsigned)status), what);
}

static void expect_none(struct check *c, struct smc_rdma_cq *cq, const char *what)
{
    struct smc_rdma_completion got;
    struct pollfd ready = {.fd = verbs_fd(c->verbs), .events = POLLIN};
    (void)poll(&ready, 1, 5 * STEP_MS);
    verbs_run(c->verbs);
    expect(c, c->ops->poll_cq(c->device, cq, &got, 1), 0, what);
}

/* ---- the checks ---- */

static bool find_port(struct check *c)
{
    struct smc_rdma_port port;
    expect(c, c->ops->query_port(c->device, 0, &port), SMC_ERR_NOTFOUND, "there is no port 0");
    if (c->ops->query_port(c->device, 1, &port) != 0 || !port.active) {
        expect(c, 0, 1, "port 1 is active");
        return false;
    }
    c->mtu = port.active_mtu;
    expect(c, c->ops->query_gid(c->device, 1, port.gid_count, &c->gid), SMC_ERR_NOTFOUND, "the GID table ends where it says");
    for (c->gid_index = 0; c->gid_index < port.gid_count; c->gid_index++)
        if (c->ops->query_gid(c->device, 1, c->gid_index, &c->gid) == 0 && c->gid.type == SMC_RDMA_GID_ROCE_V2 &&
            c->gid.gid.bytes[0] == 0 && c->gid.gid.bytes[10] == 0xff)
            break;
    expect(c, c->gid_index < port.gid_count, true, "there is a RoCEv2 GID of an IPv4 address");
    return c->gid_index < port.gid_count;
}

static void states(struct check *c)
{
    struct side *a = &c->side[0], *b = &c->side[1];
    expect(c, change(c, a, SMC_RDMA_QP_RTR), SMC_ERR_STATE, "RESET to RTR is refused");
    expect(c, post_receive(c, a, 0), SMC_ERR_STATE, "a receive in RESET is refused");
    expect(c, change(c, a, SMC_RDMA_QP_INIT) | change(c, b, SMC_RDMA_QP_INIT), 0, "RESET to INIT");
    expect(c, post(c, a, 0, SMC_RDMA_SEND, 0, MESSAGE, true, 0), SMC_ERR_STATE, "a send in INIT is refused");
    for (uint64_t id = 0; id < RECEIVES; id++)
        expect(c, post_receive(c, a, id) | post_receive(c, b, id), 0, "a receive in INIT");
    expect(c, post_receive(c, a, 99), SMC_ERR_NOSPACE, "one receive too many is refused");
    expect(c, change(c, a, SMC_RDMA_QP_RTR) | change(c, b, SMC_RDMA_QP_RTR), 0, "INIT to RTR");
    expect(c, change(c, a, SMC_RDMA_QP_RTS) | change(c, b, SMC_RDMA_QP_RTS), 0, "RTR to RTS");
    expect(c, change(c, a, SMC_RDMA_QP_INIT), SMC_ERR_STATE, "RTS to INIT is refused");
    expect(c, c->ops->qp_state(a->qp), SMC_RDMA_QP_RTS, "and the state is as before");
}

static void data(struct check *c)
{
    struct side *a = &c->side[0], *b = &c->side[1];
    for (size_t i = 0; i < BYTES; i++)
        a->memory[i] = (uint8_t)(i * 7 + i / 256);
    expect(c, post(c, a, 7, SMC_RDMA_WRITE, 0, HALF, false, b->mr.rkey), 0, "a WRITE that nobody wants to hear of");
    expect(c, post(c, a, 8, SMC_RDMA_SEND, 100, MESSAGE, true, 0), 0, "a SEND behind it");
    struct smc_rdma_completion got = {.id = 77};
    expect(c, next(c, b->receive_cq, &got), true, "the SEND arrives");
    expect(c, (int64_t)(got.id << 16 | (unsigned)got.opcode << 8 | got.length), SMC_RDMA_RECV << 8 | MESSAGE,
           "as a receive with its length");
    expect(c, memcmp(b->memory, a->memory, HALF), 0, "the WRITE is in place by then");
    expect(c, memcmp(b->memory + HALF, a->memory + 100, MESSAGE), 0, "and the message in the first receive");
    expect_next(c, a->send_cq, 8, SMC_RDMA_SEND, SMC_RDMA_SUCCESS, "the SEND's completion is the first one told");
    expect_none(c, a->send_cq, "the WRITE has none");
    expect(c, a->told > 0 && b->told > 0, true, "both sides' queues announced themselves");
    expect(c, c->inside, SMC_ERR_REENTERED, "an operation within a callback is refused");
    unsigned told = b->told;
    for (int round = 0; round < 6; round++) {
        expect(c, post(c, a, 9, SMC_RDMA_SEND, 0, MESSAGE, false, 0), 0, "an unsignalled SEND: there is always room again");
        expect(c, next(c, b->receive_cq, &got), true, "it arrives");
        expect(c, post_receive(c, b, got.id), 0, "its receive is posted again");
        expect_none(c, a->send_cq, "it has no completion");
    }
    expect(c, b->told > told, true, "an emptied queue announces itself again");
    expect(c, post(c, a, 10, SMC_RDMA_WRITE, BYTES - 10, 11, true, b->mr.rkey), SMC_ERR_RANGE, "a piece that leaves its MR is refused");
}

/* A device may say so by an event; rxe lets the receives tell. */
static void told_of_refusal(struct check *c, struct side *s)
{
    struct smc_rdma_completion got = {.status = SMC_RDMA_SUCCESS};
    bool told = s->refused || (next(c, s->receive_cq, &got) && got.status != SMC_RDMA_SUCCESS);
    expect(c, told, true, "the responder's side learns that it has refused something");
    expect(c, c->ops->qp_state(s->qp), SMC_RDMA_QP_ERR, "and its QP is in ERR");
    fprintf(c->out, "     (by %s)\n", s->refused ? "an event" : "its receives");
}

/* What a responder refuses breaks both QPs. */
static void refusal(struct check *c)
{
    struct side *a = &c->side[0], *b = &c->side[1];
    memset(b->memory, 0, HALF);
    expect(c, post(c, a, 20, SMC_RDMA_WRITE, 0, 100, false, b->mr.rkey ^ 0x5a), 0, "a WRITE with a wrong rkey");
    expect_next(c, a->send_cq, 20, SMC_RDMA_WRITE, SMC_RDMA_REMOTE_ACCESS_ERROR, "is told with its id and opcode, though unsignalled");
    expect(c, c->ops->qp_state(a->qp), SMC_RDMA_QP_ERR, "the QP is in ERR");
    expect(c, b->memory[0] + b->memory[50], 0, "nothing was written");
    expect(c, post(c, a, 21, SMC_RDMA_SEND, 0, MESSAGE, true, 0), 0, "a post in ERR is taken");
    expect_next(c, a->send_cq, 21, SMC_RDMA_SEND, SMC_RDMA_FLUSHED, "and flushed");
    told_of_refusal(c, b);
    expect_next(c, a->receive_cq, 0, SMC_RDMA_RECV, SMC_RDMA_FLUSHED, "receives are flushed, in order");
    expect_next(c, a->receive_cq, 1, SMC_RDMA_RECV, SMC_RDMA_FLUSHED, "one after the other");
}

static void again(struct check *c)
{
    struct side *a = &c->side[0], *b = &c->side[1];
    expect(c, change(c, a, SMC_RDMA_QP_RESET) | change(c, b, SMC_RDMA_QP_RESET), 0, "ERR to RESET");
    expect(c, c->ops->qp_state(a->qp), SMC_RDMA_QP_RESET, "forgets everything");
    expect(c, change(c, a, SMC_RDMA_QP_INIT) | change(c, b, SMC_RDMA_QP_INIT), 0, "and begins anew");
    expect(c, post_receive(c, b, 3), 0, "with a receive");
    expect(c, change(c, a, SMC_RDMA_QP_RTR) | change(c, b, SMC_RDMA_QP_RTR), 0, "to RTR");
    expect(c, change(c, a, SMC_RDMA_QP_RTS) | change(c, b, SMC_RDMA_QP_RTS), 0, "to RTS");
    expect(c, post(c, a, 30, SMC_RDMA_SEND, 0, MESSAGE, true, 0), 0, "a SEND");
    expect_next(c, b->receive_cq, 3, SMC_RDMA_RECV, SMC_RDMA_SUCCESS, "arrives");
    expect_next(c, a->send_cq, 30, SMC_RDMA_SEND, SMC_RDMA_SUCCESS, "and completes");
}

static void memory_gone(struct check *c)
{
    struct side *a = &c->side[0], *b = &c->side[1];
    uint32_t rkey = b->mr.rkey;
    expect(c, c->ops->dealloc_pd(c->device, c->pd), SMC_ERR_BUSY, "a PD in use stays");
    expect(c, verbs_close(c->verbs), SMC_ERR_BUSY, "so does the device");
    expect(c, c->ops->dereg_mr(c->device, &b->mr), 0, "an MR goes");
    expect(c, c->ops->dereg_mr(c->device, &b->mr), SMC_ERR_NOTFOUND, "once");
    expect(c, post(c, a, 40, SMC_RDMA_WRITE, 0, 10, true, rkey), 0, "a WRITE to it");
    expect_next(c, a->send_cq, 40, SMC_RDMA_WRITE, SMC_RDMA_REMOTE_ACCESS_ERROR, "is refused");
    expect(c, c->ops->reg_mr(c->device, c->pd, b->memory, BYTES, SMC_RDMA_REMOTE_WRITE, &b->mr), SMC_ERR_ARGUMENT,
           "remote writes need local ones");
    expect(c, c->ops->reg_mr(c->device, c->pd, b->memory, BYTES, SMC_RDMA_LOCAL_WRITE, &b->mr), 0, "without remote writes");
    expect(c, b->mr.rkey, 0, "there is no rkey");
}

static void run(struct check *c)
{
    c->device->handler = (struct smc_rdma_handler){.completed = completed, .event = event, .user = c};
    if (!find_port(c))
        return;
    int error = c->ops->alloc_pd(c->device, &c->pd);
    for (int i = 0; i < 2 && error == 0; i++)
        error = make_side(c, &c->side[i]);
    expect(c, error, 0, "PD, CQs, QPs and MRs are made");
    if (error != 0)
        return;
    states(c);
    data(c);
    refusal(c);
    again(c);
    memory_gone(c);
    expect(c, destroy_side(c, &c->side[0]) | destroy_side(c, &c->side[1]), 0, "QPs, CQs and MRs are destroyed");
    expect(c, c->ops->dealloc_pd(c->device, c->pd), 0, "and the PD");
}

int verbs_check(const struct smc_alloc *alloc, const char *name, FILE *out)
{
    struct verbs_config config = {.alloc = alloc, .name = name};
    const char *problem;
    struct check *c = smc_alloc_zeroed(alloc, 1, sizeof(*c));
    if (c == NULL)
        return -1;
    c->out = out;
    if (verbs_open(&config, &c->verbs, &problem) != 0) {
        fprintf(out, "%s\n", problem);
        smc_alloc_release(alloc, c, 1, sizeof(*c));
        return -1;
    }
    c->device = verbs_device(c->verbs);
    c->ops = c->device->ops;
    run(c);
    int failed = c->failed;
    if (verbs_close(c->verbs) != 0) {
        fprintf(out, "FAIL the device closes\n");
        failed++;
    }
    fprintf(out, "CHECKED %d failed\n", failed);
    smc_alloc_release(alloc, c, 1, sizeof(*c));
    return failed;
}
