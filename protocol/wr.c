/* Work requests of a link: slots for messages, RDMA WRITEs, receive buffers, and what their completions set off.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "link.h"

#include <assert.h>

enum {
    SMALL_STRIDE = 48,
    SMALL_AREA = SMALL_STRIDE * SMC_SEND_SLOTS,
    WRITE_ID = 0x10000, /* of all WRITEs: only their errors complete */
    BATCH = 16,
    POLL_BUDGET = 1024 /* completions a poll; a peer on the same host could else keep it going for ever */
};

/* ---- Memory ---- */
int smc_wr_new(struct smc_link *link)
{
    const struct smc_alloc *alloc = link->group->ep->alloc;
    bool v2 = link->group->version >= 2;
    struct smc_wr *wr = smc_alloc_zeroed(alloc, 1, sizeof(*wr));
    if (wr == NULL)
        return SMC_ERR_NOMEM;
    wr->large_bytes = v2 ? SMC_LLC_V2_MAX : 0;
    wr->receive_bytes = v2 ? SMC_LLC_V2_MAX : SMALL_STRIDE;
    wr->receives = v2 ? SMC_WR_V2_RECEIVES : SMC_RECEIVE_BUFFERS;
    wr->bytes = SMALL_AREA + wr->large_bytes + (size_t)wr->receives * wr->receive_bytes;
    wr->memory = smc_alloc_zeroed(alloc, wr->bytes, 1);
    int error = wr->memory == NULL ? SMC_ERR_NOMEM
                                   : link->rnic->device->ops->reg_mr(link->rnic->device, link->pd, wr->memory, wr->bytes,
                                                                     SMC_RDMA_LOCAL_WRITE, &wr->mr);
    if (error != 0) {
        smc_alloc_release(alloc, wr->memory, wr->bytes, 1);
        smc_alloc_release(alloc, wr, 1, sizeof(*wr));
        return error;
    }
    link->wr = wr;
    return 0;
}

void smc_wr_free(struct smc_link *link)
{
    const struct smc_alloc *alloc = link->group->ep->alloc;
    struct smc_wr *wr = link->wr;
    if (wr == NULL)
        return;
    (void)link->rnic->device->ops->dereg_mr(link->rnic->device, &wr->mr);
    link->wr = NULL;
    smc_alloc_release(alloc, wr->memory, wr->bytes, 1);
    smc_alloc_release(alloc, wr, 1, sizeof(*wr));
}

void smc_wr_config(const struct smc_link *link, struct smc_rdma_qp_config *out)
{
    out->max_send = SMC_WR_SLOTS + SMC_WRITE_SLOTS;
    out->max_receive = link->wr->receives;
    out->max_pieces = SMC_WR_PIECES;
}

static size_t slot_offset(unsigned slot)
{
    return slot == SMC_WR_LARGE ? SMALL_AREA : (size_t)slot * SMALL_STRIDE;
}

static size_t receive_offset(const struct smc_wr *wr, unsigned i)
{
    return SMALL_AREA + wr->large_bytes + (size_t)i * wr->receive_bytes;
}

static int post_receive(struct smc_link *link, unsigned i)
{
    struct smc_wr *wr = link->wr;
    struct smc_rdma_piece piece = {.mr = &wr->mr, .offset = receive_offset(wr, i), .length = wr->receive_bytes};
    struct smc_rdma_receive receive = {.id = i, .pieces = &piece, .piece_count = 1};
    return link->rnic->device->ops->post_receive(link->rnic->device, link->qp, &receive);
}

int smc_wr_post_receives(struct smc_link *link)
{
    int error = 0;
    for (unsigned i = 0; i < link->wr->receives && error == 0; i++)
        error = post_receive(link, i);
    return error;
}

/* ---- Posting ---- */
/* A message goes out on a QP in RTS only: before, it would be refused, later, flushed [LLC: B-12]. */
static bool can_send(const struct smc_link *link)
{
    return link->wr != NULL && link->qp != NULL && !link->going_down &&
           link->rnic->device->ops->qp_state(link->qp) == SMC_RDMA_QP_RTS;
}

static int free_slot(const struct smc_wr *wr, size_t length)
{
    unsigned from = length > SMC_WR_SMALL_BYTES ? SMC_WR_LARGE : 0;
    unsigned end = length > SMC_WR_SMALL_BYTES ? SMC_WR_SLOTS : SMC_SEND_SLOTS;
    for (unsigned i = from; i < end; i++)
        if (!wr->slots[i].used)
            return (int)i;
    return SMC_ERR_NOSPACE;
}

int smc_wr_send(struct smc_link *link, const uint8_t *bytes, size_t length, smc_wr_done_fn *done, void *ctx)
{
    struct smc_wr *wr = link->wr;
    if (!can_send(link))
        return SMC_ERR_STATE;
    if (length == 0 || (length > SMC_WR_SMALL_BYTES && length > wr->large_bytes))
        return SMC_ERR_ARGUMENT;
    int slot = free_slot(wr, length);
    if (slot < 0)
        return slot;
    size_t offset = slot_offset((unsigned)slot);
    memcpy(wr->memory + offset, bytes, length);
    struct smc_rdma_piece piece = {.mr = &wr->mr, .offset = offset, .length = (uint32_t)length};
    struct smc_rdma_send send = {.id = (uint64_t)slot,
                                 .opcode = SMC_RDMA_SEND,
                                 .signaled = true,
                                 .solicited = true,
                                 .pieces = &piece,
                                 .piece_count = 1};
    int error = link->rnic->device->ops->post_send(link->rnic->device, link->qp, &send);
    if (error != 0)
        return error;
    wr->posted++;
    wr->pending++;
    wr->slots[slot] = (struct smc_wr_slot){
        .done = done, .ctx = ctx, .order = wr->posted, .writes = wr->writes_posted, .used = true};
    return 0;
}

int smc_wr_write(struct smc_link *link, const struct smc_rdma_piece *pieces, unsigned count, uint32_t rkey, uint64_t va)
{
    if (!can_send(link))
        return SMC_ERR_STATE;
    if (count == 0 || count > SMC_WR_PIECES)
        return SMC_ERR_ARGUMENT;
    if (smc_wr_write_room(link) == 0)
        return SMC_ERR_NOSPACE;
    struct smc_rdma_send send = {.id = WRITE_ID,
                                 .opcode = SMC_RDMA_WRITE,
                                 .pieces = pieces,
                                 .piece_count = count,
                                 .remote_address = va,
                                 .rkey = rkey};
    int error = link->rnic->device->ops->post_send(link->rnic->device, link->qp, &send);
    if (error == 0) {
        link->wr->posted++;
        link->wr->writes_posted++;
    }
    return error;
}

unsigned smc_wr_write_room(const struct smc_link *link)
{
    if (link->wr == NULL)
        return 0;
    return SMC_WRITE_SLOTS - (unsigned)(link->wr->writes_posted - link->wr->writes_completed);
}

unsigned smc_wr_send_room(const struct smc_link *link)
{
    unsigned room = 0;
    for (unsigned i = 0; link->wr != NULL && i < SMC_SEND_SLOTS; i++)
        room += !link->wr->slots[i].used;
    return room;
}

unsigned smc_wr_pending(const struct smc_link *link)
{
    return link->wr != NULL ? link->wr->pending : 0;
}

uint64_t smc_wr_fence(const struct smc_link *link)
{
    return link->wr != NULL && link->wr->completed < link->wr->posted ? link->wr->posted : 0;
}

bool smc_wr_passed(const struct smc_link *link, uint64_t fence)
{
    return link->wr == NULL || link->wr->completed >= fence;
}

/* ---- Callbacks that will not wait for a completion ---- */
static void dismiss(struct smc_link *link, const void *ctx, bool all, int error)
{
    struct smc_wr *wr = link->wr;
    for (unsigned i = 0; wr != NULL && i < SMC_WR_SLOTS; i++) {
        struct smc_wr_slot *slot = &wr->slots[i];
        if (!slot->used || slot->done == NULL || (!all && slot->ctx != ctx))
            continue;
        smc_wr_done_fn *done = slot->done;
        slot->done = NULL;
        done(slot->ctx, error);
    }
}

void smc_wr_dismiss(struct smc_link *link, int error)
{
    dismiss(link, NULL, true, error);
}

void smc_wr_dismiss_ctx(struct smc_link *link, const void *ctx, int error)
{
    dismiss(link, ctx, false, error);
}

/* ---- Completions ---- */
static bool is_polled(const struct smc_rnic *rnic, const struct smc_link *link)
{
    return rnic->polled == link;
}

static void send_done(struct smc_link *link, const struct smc_rdma_completion *completion)
{
    struct smc_wr *wr = link->wr;
    int error = completion->status == SMC_RDMA_SUCCESS   ? 0
                : completion->status == SMC_RDMA_FLUSHED ? SMC_ERR_GONE
                                                         : SMC_ERR_IO;
    wr->broken |= error != 0;
    if (completion->id >= SMC_WR_SLOTS || !wr->slots[completion->id].used)
        return; /* a WRITE that failed: its link is broken, and that is all there is to say */
    struct smc_wr_slot slot = wr->slots[completion->id];
    wr->slots[completion->id] = (struct smc_wr_slot){0};
    wr->pending--;
    if (error == 0) { /* in order: what was posted before it is done as well */
        wr->completed = slot.order;
        wr->writes_completed = slot.writes;
    }
    if (slot.done != NULL)
        slot.done(slot.ctx, error);
}

/* The buffer is given back before anybody looks at the message: whoever handles it may end the link, and with it the buffer. */
static void received(struct smc_link *link, const struct smc_rdma_completion *completion)
{
    struct smc_wr *wr = link->wr;
    struct smc_endpoint *ep = link->group->ep;
    uint8_t message[SMC_LLC_V2_MAX];
    if (completion->status != SMC_RDMA_SUCCESS || completion->id >= wr->receives ||
        completion->length > wr->receive_bytes) {
        wr->broken = true;
        return;
    }
    size_t length = completion->length;
    memcpy(message, wr->memory + receive_offset(wr, (unsigned)completion->id), length);
    if (post_receive(link, (unsigned)completion->id) != 0)
        wr->broken = true;
    link->last_received_ns = ep->now_ns;
    if (link->group->dying)
        return; /* lingering: only waits for its own last words to leave */
    if (length == 0)
        ep->counters.llc_dropped++;
    else if (message[0] == SMC_CDC_TYPE)
        smc_cdc_input(link, message, length);
    else
        smc_flow_input(link, message, length);
}

/* Up to BATCH completions of one queue; how many there were. A queue that cannot be polled belongs to a device that is gone. */
static unsigned drain(struct smc_link *link, struct smc_rdma_cq *cq,
                      void (*handle)(struct smc_link *, const struct smc_rdma_completion *))
{
    struct smc_rnic *rnic = link->rnic;
    struct smc_rdma_completion batch[BATCH];
    int count = rnic->device->ops->poll_cq(rnic->device, cq, batch, BATCH);
    if (count < 0)
        link->wr->broken = true;
    for (int i = 0; i < count && is_polled(rnic, link); i++)
        handle(link, &batch[i]);
    return count > 0 ? (unsigned)count : 0;
}

/* In order: the first that waits gets the first slot; who gets none waits again, behind. */
static void wake_waiters(struct smc_link *link)
{
    while (!smc_list_empty(&link->send_waiters)) {
        struct smc_connection *c = SMC_LIST_ENTRY(link->send_waiters.next, struct smc_connection, wants_slot);
        smc_list_remove(&c->wants_slot);
        smc_ep_work(c);
    }
}

static void note_again(struct smc_link *link)
{
    if (smc_list_empty(&link->completions))
        smc_list_add_tail(&link->rnic->cqs_noted, &link->completions);
    smc_ep_wake(link->group->ep);
}

/* What the peer said before the link broke is heard before the link is given up: its device has acknowledged it, so the peer
 * will not say it again on another link. */
static void after_poll(struct smc_link *link, bool more)
{
    if (smc_wr_send_room(link) > 0)
        wake_waiters(link);
    if (link->group->dying && (link->wr->pending == 0 || link->wr->broken))
        smc_link_free(link);
    else if (more)
        note_again(link);
    else if (link->wr->broken)
        smc_link_down(link);
}

void smc_wr_poll(struct smc_link *link)
{
    struct smc_rnic *rnic = link->rnic;
    unsigned budget = POLL_BUDGET, count;
    assert(rnic->polled == NULL);
    rnic->polled = link;
    do {
        count = drain(link, link->send_cq, send_done);
        if (is_polled(rnic, link))
            count += drain(link, link->receive_cq, received);
        budget -= count < budget ? count : budget;
    } while (count > 0 && budget > 0 && is_polled(rnic, link));
    if (is_polled(rnic, link))
        after_poll(link, budget == 0);
    rnic->polled = NULL;
}
