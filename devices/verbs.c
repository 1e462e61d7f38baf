/* A libibverbs device: opening, memory, completion queues, events.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/verbs_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

int verbs_error(int error)
{
    switch (error < 0 ? -error : error) {
    case 0: return 0;
    case ENOMEM: return SMC_ERR_NOMEM;
    case EINVAL: return SMC_ERR_ARGUMENT;
    case EBUSY: return SMC_ERR_BUSY;
    case ENODEV:
    case EIO: return SMC_ERR_GONE;
    case ENOENT: return SMC_ERR_NOTFOUND;
    case EPERM:
    case EACCES: return SMC_ERR_PERMISSION;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ETIMEDOUT: return SMC_ERR_UNREACHABLE;
    default: return SMC_ERR_IO;
    }
}

/* ---- memory ---- */

static int alloc_pd(struct smc_rdma_device *device, struct smc_rdma_pd **out)
{
    struct verbs *v = verbs_of(device);
    if (v->calling)
        return SMC_ERR_REENTERED;
    struct smc_rdma_pd *pd = smc_alloc_zeroed(v->alloc, 1, sizeof(*pd));
    if (pd == NULL)
        return SMC_ERR_NOMEM;
    pd->pd = ibv_alloc_pd(v->context);
    if (pd->pd == NULL) {
        int error = verbs_error(errno);
        smc_alloc_release(v->alloc, pd, 1, sizeof(*pd));
        return error;
    }
    v->pds++;
    *out = pd;
    return 0;
}

static int dealloc_pd(struct smc_rdma_device *device, struct smc_rdma_pd *pd)
{
    struct verbs *v = verbs_of(device);
    if (v->calling)
        return SMC_ERR_REENTERED;
    int error = verbs_error(ibv_dealloc_pd(pd->pd));
    if (error != 0)
        return error;
    v->pds--;
    smc_alloc_release(v->alloc, pd, 1, sizeof(*pd));
    return 0;
}

static int reg_mr(struct smc_rdma_device *device, struct smc_rdma_pd *pd, void *memory, size_t length, unsigned access,
                  struct smc_rdma_mr *mr)
{
    struct verbs *v = verbs_of(device);
    int flags = (access & SMC_RDMA_LOCAL_WRITE) != 0 ? IBV_ACCESS_LOCAL_WRITE : 0;
    bool remote = (access & SMC_RDMA_REMOTE_WRITE) != 0;
    if (v->calling)
        return SMC_ERR_REENTERED;
    if (length == 0 || (remote && flags == 0))
        return SMC_ERR_ARGUMENT;
    struct verbs_mr *own = smc_alloc_zeroed(v->alloc, 1, sizeof(*own));
    if (own == NULL)
        return SMC_ERR_NOMEM;
    own->mr = ibv_reg_mr(pd->pd, memory, length, flags | (remote ? IBV_ACCESS_REMOTE_WRITE : 0));
    if (own->mr == NULL) {
        int error = verbs_error(errno);
        smc_alloc_release(v->alloc, own, 1, sizeof(*own));
        return error;
    }
    own->user = mr;
    own->next = v->mrs;
    v->mrs = own;
    *mr = (struct smc_rdma_mr){.pd = pd,
                               .memory = memory,
                               .length = length,
                               .lkey = own->mr->lkey,
                               .rkey = remote ? own->mr->rkey : 0,
                               .remote_address = (uintptr_t)memory};
    return 0;
}

static int dereg_mr(struct smc_rdma_device *device, struct smc_rdma_mr *mr)
{
    struct verbs *v = verbs_of(device);
    struct verbs_mr **link = &v->mrs;
    if (v->calling)
        return SMC_ERR_REENTERED;
    while (*link != NULL && (*link)->user != mr)
        link = &(*link)->next;
    struct verbs_mr *own = *link;
    if (own == NULL)
        return SMC_ERR_NOTFOUND;
    int error = verbs_error(ibv_dereg_mr(own->mr));
    if (error != 0)
        return error;
    *link = own->next;
    smc_alloc_release(v->alloc, own, 1, sizeof(*own));
    return 0;
}

/* ---- completion queues ---- */

static void arm(struct smc_rdma_cq *cq)
{
    cq->armed = ibv_req_notify_cq(cq->cq, 0) == 0;
}

static int create_cq(struct smc_rdma_device *device, uint32_t depth, struct smc_rdma_cq **out)
{
    struct verbs *v = verbs_of(device);
    if (v->calling)
        return SMC_ERR_REENTERED;
    if (depth == 0 || depth > INT32_MAX)
        return SMC_ERR_ARGUMENT;
    struct smc_rdma_cq *cq = smc_alloc_zeroed(v->alloc, 1, sizeof(*cq));
    if (cq == NULL)
        return SMC_ERR_NOMEM;
    cq->cq = ibv_create_cq(v->context, (int)depth, cq, v->channel, 0);
    if (cq->cq == NULL) {
        int error = verbs_error(errno);
        smc_alloc_release(v->alloc, cq, 1, sizeof(*cq));
        return error;
    }
    arm(cq);
    cq->next = v->cqs;
    v->cqs = cq;
    *out = cq;
    return 0;
}

static int destroy_cq(struct smc_rdma_device *device, struct smc_rdma_cq *cq)
{
    struct verbs *v = verbs_of(device);
    struct smc_rdma_cq **link = &v->cqs;
    if (v->calling)
        return SMC_ERR_REENTERED;
    int error = verbs_error(ibv_destroy_cq(cq->cq));
    if (error != 0)
        return error;
    while (*link != cq)
        link = &(*link)->next;
    *link = cq->next;
    smc_alloc_release(v->alloc, cq, 1, sizeof(*cq));
    return 0;
}

/* At least one, or none for ever; what nobody wants to hear of does not count. */
static int poll_some(struct verbs *v, struct smc_rdma_cq *cq, struct smc_rdma_completion *out, int count)
{
    struct ibv_wc wc;
    int taken = 0, n = 1;
    while (taken < count && (n = ibv_poll_cq(cq->cq, 1, &wc)) > 0)
        taken += verbs_take_completion(v, &wc, &out[taken]);
    return taken > 0 ? taken : n < 0 ? SMC_ERR_IO : 0;
}

/* Armed before it is looked at: what comes from now on is told, whether this poll still takes it or not, and however few the
 * caller asks for. */
static int poll_cq(struct smc_rdma_device *device, struct smc_rdma_cq *cq, struct smc_rdma_completion *out, int count)
{
    struct verbs *v = verbs_of(device);
    if (v->calling)
        return SMC_ERR_REENTERED;
    if (!cq->armed)
        arm(cq);
    return poll_some(v, cq, out, count);
}

/* ---- events ---- */

static void call(struct verbs *v, const struct smc_rdma_event *event)
{
    v->calling = true;
    if (v->device.handler.event != NULL)
        v->device.handler.event(v->device.handler.user, event);
    v->calling = false;
}

static void completions(struct verbs *v)
{
    struct ibv_cq *which;
    void *user;
    while (ibv_get_cq_event(v->channel, &which, &user) == 0) {
        struct smc_rdma_cq *cq = user;
        ibv_ack_cq_events(which, 1);
        cq->armed = false;
        v->calling = true;
        if (v->device.handler.completed != NULL)
            v->device.handler.completed(v->device.handler.user, cq);
        v->calling = false;
    }
}

static void qp_event(struct verbs *v, struct ibv_qp *which, enum smc_rdma_event_type type)
{
    for (struct smc_rdma_qp *qp = v->qps; qp != NULL; qp = qp->next) {
        if (qp->qp != which)
            continue;
        struct smc_rdma_event event = {.type = type, .qp = qp};
        qp->state = SMC_RDMA_QP_ERR;
        call(v, &event);
        return;
    }
}

static void cq_event(struct verbs *v, const struct ibv_cq *which)
{
    for (struct smc_rdma_qp *qp = v->qps; qp != NULL; qp = qp->next)
        if (qp->send_cq->cq == which || qp->receive_cq->cq == which)
            qp_event(v, qp->qp, SMC_RDMA_QP_FATAL);
}

static void port_event(struct verbs *v, int port, enum smc_rdma_event_type type)
{
    struct smc_rdma_event event = {.type = type, .port = (uint8_t)port};
    verbs_forget_gids(v);
    call(v, &event);
}

static void tell(struct verbs *v, const struct ibv_async_event *event)
{
    struct smc_rdma_event fatal = {.type = SMC_RDMA_DEVICE_FATAL};
    switch (event->event_type) {
    case IBV_EVENT_DEVICE_FATAL: call(v, &fatal); break;
    case IBV_EVENT_PORT_ERR: port_event(v, event->element.port_num, SMC_RDMA_PORT_ERROR); break;
    case IBV_EVENT_PORT_ACTIVE: port_event(v, event->element.port_num, SMC_RDMA_PORT_ACTIVE); break;
    case IBV_EVENT_GID_CHANGE: port_event(v, event->element.port_num, SMC_RDMA_GID_CHANGE); break;
    case IBV_EVENT_QP_ACCESS_ERR: qp_event(v, event->element.qp, SMC_RDMA_QP_ACCESS_ERROR); break;
    case IBV_EVENT_QP_FATAL:
    case IBV_EVENT_QP_REQ_ERR: qp_event(v, event->element.qp, SMC_RDMA_QP_FATAL); break;
    case IBV_EVENT_CQ_ERR: cq_event(v, event->element.cq); break;
    default: break;
    }
}

void verbs_run(struct verbs *v)
{
    struct ibv_async_event event;
    completions(v);
    while (ibv_get_async_event(v->context, &event) == 0) {
        tell(v, &event);
        ibv_ack_async_event(&event);
    }
}

/* ---- life ---- */

static const struct smc_rdma_ops ops = {.query_port = verbs_query_port,
                                        .query_gid = verbs_query_gid,
                                        .alloc_pd = alloc_pd,
                                        .dealloc_pd = dealloc_pd,
                                        .reg_mr = reg_mr,
                                        .dereg_mr = dereg_mr,
                                        .create_cq = create_cq,
                                        .destroy_cq = destroy_cq,
                                        .poll_cq = poll_cq,
                                        .create_qp = verbs_create_qp,
                                        .qp_number = verbs_qp_number,
                                        .qp_state = verbs_qp_state,
                                        .modify_qp = verbs_modify_qp,
                                        .destroy_qp = verbs_destroy_qp,
                                        .post_send = verbs_post_send,
                                        .post_receive = verbs_post_receive};

static int open_by_name(struct verbs *v, const char *name, const char **problem)
{
    int count = 0, error = SMC_ERR_NOTFOUND;
    struct ibv_device **list = ibv_get_device_list(&count);
    *problem = "there is no such RDMA device";
    for (int i = 0; i < count && error == SMC_ERR_NOTFOUND; i++) {
        if (name != NULL && strcmp(ibv_get_device_name(list[i]), name) != 0)
            continue;
        *problem = "the RDMA device cannot be opened";
        v->context = ibv_open_device(list[i]);
        error = v->context != NULL ? 0 : SMC_ERR_IO;
    }
    if (list != NULL)
        ibv_free_device_list(list);
    return error;
}

static int watch(struct verbs *v, int fd)
{
    struct epoll_event event = {.events = EPOLLIN};
    int flags = fcntl(fd, F_GETFL);
    return fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 && epoll_ctl(v->epoll, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : SMC_ERR_IO;
}

static int set_up(struct verbs *v, const char **problem)
{
    struct ibv_device_attr attr;
    *problem = "the RDMA device's events cannot be had";
    v->epoll = epoll_create1(EPOLL_CLOEXEC);
    v->channel = ibv_create_comp_channel(v->context);
    if (v->epoll < 0 || v->channel == NULL || watch(v, v->channel->fd) != 0 || watch(v, v->context->async_fd) != 0 ||
        ibv_query_device(v->context, &attr) != 0)
        return SMC_ERR_IO;
    v->device.ops = &ops;
    v->device.name = ibv_get_device_name(v->context->device);
    v->device.port_count = attr.phys_port_cnt < VERBS_PORTS ? attr.phys_port_cnt : VERBS_PORTS;
    return 0;
}

int verbs_open(const struct verbs_config *config, struct verbs **out, const char **problem)
{
    const char *nobody_asks;
    if (problem == NULL)
        problem = &nobody_asks;
    *problem = "no memory";
    struct verbs *v = smc_alloc_zeroed(config->alloc, 1, sizeof(*v));
    if (v == NULL)
        return SMC_ERR_NOMEM;
    v->alloc = config->alloc;
    v->epoll = -1;
    int error = open_by_name(v, config->name, problem);
    if (error == 0)
        error = set_up(v, problem);
    if (error != 0) {
        int why = errno;
        (void)verbs_close(v);
        errno = why;
        return error;
    }
    *out = v;
    return 0;
}

int verbs_close(struct verbs *v)
{
    if (v->qps != NULL || v->cqs != NULL || v->mrs != NULL || v->pds > 0)
        return SMC_ERR_BUSY;
    if (v->channel != NULL)
        (void)ibv_destroy_comp_channel(v->channel);
    if (v->epoll >= 0)
        close(v->epoll);
    if (v->context != NULL)
        (void)ibv_close_device(v->context);
    smc_alloc_release(v->alloc, v, 1, sizeof(*v));
    return 0;
}

struct smc_rdma_device *verbs_device(struct verbs *v)
{
    return &v->device;
}

int verbs_fd(const struct verbs *v)
{
    return v->epoll;
}
