/* An RDMA device in front of a host's real one: what the endpoint sends can be changed before it leaves.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/lab_cpu.h"
#include "sim/lab_internal.h"

enum { SEND_MAX = 8192 };

struct lab_proxy {
    struct smc_rdma_device device; /* what the endpoint sees; first: found by a cast */
    struct smc_rdma_ops ops;
    struct smc_rdma_device *real;
    struct lab_host *host;
};

static struct smc_rdma_device *real_of(struct smc_rdma_device *device)
{
    return ((struct lab_proxy *)(void *)device)->real;
}

static int query_port(struct smc_rdma_device *d, uint8_t port, struct smc_rdma_port *out)
{
    return real_of(d)->ops->query_port(real_of(d), port, out);
}

static int query_gid(struct smc_rdma_device *d, uint8_t port, uint32_t index, struct smc_rdma_gid_entry *out)
{
    return real_of(d)->ops->query_gid(real_of(d), port, index, out);
}

static int alloc_pd(struct smc_rdma_device *d, struct smc_rdma_pd **out)
{
    return real_of(d)->ops->alloc_pd(real_of(d), out);
}

static int dealloc_pd(struct smc_rdma_device *d, struct smc_rdma_pd *pd)
{
    return real_of(d)->ops->dealloc_pd(real_of(d), pd);
}

static int reg_mr(struct smc_rdma_device *d, struct smc_rdma_pd *pd, void *memory, size_t length, unsigned access,
                  struct smc_rdma_mr *mr)
{
    return real_of(d)->ops->reg_mr(real_of(d), pd, memory, length, access, mr);
}

static int dereg_mr(struct smc_rdma_device *d, struct smc_rdma_mr *mr)
{
    return real_of(d)->ops->dereg_mr(real_of(d), mr);
}

static int create_cq(struct smc_rdma_device *d, uint32_t depth, struct smc_rdma_cq **out)
{
    return real_of(d)->ops->create_cq(real_of(d), depth, out);
}

static int destroy_cq(struct smc_rdma_device *d, struct smc_rdma_cq *cq)
{
    return real_of(d)->ops->destroy_cq(real_of(d), cq);
}

static int poll_cq(struct smc_rdma_device *d, struct smc_rdma_cq *cq, struct smc_rdma_completion *out, int count)
{
    struct lab_host *host = ((struct lab_proxy *)(void *)d)->host;
    int n = real_of(d)->ops->poll_cq(real_of(d), cq, out, count);
    if (host->cpu != NULL && n > 0)
        lab_cpu_polled(host->cpu, (unsigned)n);
    return n;
}

static int create_qp(struct smc_rdma_device *d, struct smc_rdma_pd *pd, const struct smc_rdma_qp_config *config,
                     struct smc_rdma_qp **out)
{
    return real_of(d)->ops->create_qp(real_of(d), pd, config, out);
}

static int modify_qp(struct smc_rdma_device *d, struct smc_rdma_qp *qp, const struct smc_rdma_qp_change *change)
{
    const struct lab_host *host = ((struct lab_proxy *)(void *)d)->host;
    struct smc_rdma_qp_change own = *change;
    if (host->retry_given && change->state == SMC_RDMA_QP_RTS) {
        own.rts.retry_count = host->retry_count;
        own.rts.ack_timeout = host->ack_timeout;
    }
    return real_of(d)->ops->modify_qp(real_of(d), qp, &own);
}

static int destroy_qp(struct smc_rdma_device *d, struct smc_rdma_qp *qp)
{
    return real_of(d)->ops->destroy_qp(real_of(d), qp);
}

static int post_receive(struct smc_rdma_device *d, struct smc_rdma_qp *qp, const struct smc_rdma_receive *receive)
{
    return real_of(d)->ops->post_receive(real_of(d), qp, receive);
}

/* The bytes lie in a send slot of the endpoint, which is theirs until the completion. A message that the hook drops leaves as
 * one of type 0x80, which receivers drop silently [LLC-003]: the QP must carry something, or it would break. */
static int post_send(struct smc_rdma_device *d, struct smc_rdma_qp *qp, const struct smc_rdma_send *send)
{
    struct lab_proxy *proxy = (struct lab_proxy *)(void *)d;
    struct lab_host *host = proxy->host;
    if (host->cpu != NULL)
        lab_cpu_posted(host->cpu, send->opcode == SMC_RDMA_SEND);
    if (host->edit == NULL || send->opcode != SMC_RDMA_SEND || send->piece_count != 1)
        return proxy->real->ops->post_send(proxy->real, qp, send);
    struct smc_rdma_piece piece = send->pieces[0];
    uint8_t *bytes = piece.mr->memory + piece.offset;
    size_t length = piece.length, room = piece.mr->length - piece.offset;
    if (!host->edit(host->edit_user, NULL, bytes, &length, length < room ? length : room) && length > 0)
        bytes[0] = 0x80;
    piece.length = (uint32_t)length;
    struct smc_rdma_send edited = *send;
    edited.pieces = &piece;
    return proxy->real->ops->post_send(proxy->real, qp, &edited);
}

static void completed(void *user, struct smc_rdma_cq *cq)
{
    const struct smc_rdma_handler *handler = &((struct lab_proxy *)user)->device.handler;
    if (handler->completed != NULL)
        handler->completed(handler->user, cq);
}

static void event(void *user, const struct smc_rdma_event *e)
{
    const struct smc_rdma_handler *handler = &((struct lab_proxy *)user)->device.handler;
    if (handler->event != NULL)
        handler->event(handler->user, e);
}

int lab_proxy_new(struct lab_host *host, struct smc_rdma_device *real, struct lab_proxy **out)
{
    static const struct smc_rdma_ops ops = {.query_port = query_port,
                                      .query_gid = query_gid,
                                      .alloc_pd = alloc_pd,
                                      .dealloc_pd = dealloc_pd,
                                      .reg_mr = reg_mr,
                                      .dereg_mr = dereg_mr,
                                      .create_cq = create_cq,
                                      .destroy_cq = destroy_cq,
                                      .poll_cq = poll_cq,
                                      .create_qp = create_qp,
                                      .modify_qp = modify_qp,
                                      .destroy_qp = destroy_qp,
                                      .post_send = post_send,
                                      .post_receive = post_receive};
    struct lab_proxy *proxy = lab_alloc(host->lab, sizeof(*proxy));
    if (proxy == NULL)
        return SMC_ERR_NOMEM;
    /* These two take the QP alone and need no way round. */
    proxy->ops = ops;
    proxy->ops.qp_number = real->ops->qp_number;
    proxy->ops.qp_state = real->ops->qp_state;
    proxy->device = (struct smc_rdma_device){.ops = &proxy->ops, .name = real->name, .port_count = real->port_count};
    proxy->real = real;
    proxy->host = host;
    real->handler = (struct smc_rdma_handler){.completed = completed, .event = event, .user = proxy};
    *out = proxy;
    return 0;
}

void lab_proxy_free(struct lab_proxy *proxy)
{
    lab_release(proxy->host->lab, proxy, sizeof(*proxy));
}

struct smc_rdma_device *lab_proxy_device(struct lab_proxy *proxy)
{
    return &proxy->device;
}
