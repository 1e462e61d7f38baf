/* Inside of the libibverbs device: what stands behind the interface's opaque pointers.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef DEVICES_VERBS_INTERNAL_H
#define DEVICES_VERBS_INTERNAL_H

#include "devices/verbs.h"

#include <infiniband/verbs.h>

struct smc_rdma_pd {
    struct ibv_pd *pd;
};

struct smc_rdma_cq {
    struct smc_rdma_cq *next;
    struct ibv_cq *cq;
    bool armed;
};

/* A posted request; verbs carries its ticket, not the caller's id. */
struct verbs_request {
    uint64_t id;
    enum smc_rdma_opcode opcode;
    bool wanted; /* a completion also if all went well */
};

/* Requests of one queue complete in the order of their tickets. */
struct verbs_queue {
    struct verbs_request *requests; /* by ticket modulo `room` */
    uint32_t room;
    uint64_t posted, completed;
};

struct smc_rdma_qp {
    struct smc_rdma_qp *next;
    struct ibv_qp *qp;
    struct smc_rdma_cq *send_cq, *receive_cq;
    enum smc_rdma_qp_state state;
    uint8_t port;
    uint32_t max_pieces;
    struct verbs_queue send, receive;
};

struct verbs_mr {
    struct verbs_mr *next;
    struct ibv_mr *mr;
    const struct smc_rdma_mr *user;
};

struct verbs {
    struct smc_rdma_device device; /* first: operations cast */
    const struct smc_alloc *alloc;
    struct ibv_context *context;
    struct ibv_comp_channel *channel;
    int epoll;
    struct smc_rdma_cq *cqs;
    struct smc_rdma_qp *qps;
    struct verbs_mr *mrs;
    unsigned pds;
    bool calling; /* the handler */
    struct {
        struct smc_rdma_gid_entry entries[VERBS_GIDS];
        uint32_t count; /* up to the last that is not empty */
        bool known;
    } ports[VERBS_PORTS];
};

/* Tickets of receives have this bit. */
#define VERBS_RECEIVE ((uint64_t)1 << 63)

static inline struct verbs *verbs_of(struct smc_rdma_device *device)
{
    return (struct verbs *)device;
}

/* errno or what libibverbs returned → SMC_ERR_*. */
int verbs_error(int error);

/* verbs_gid.c */
int verbs_query_port(struct smc_rdma_device *device, uint8_t port, struct smc_rdma_port *out);
int verbs_query_gid(struct smc_rdma_device *device, uint8_t port, uint32_t index, struct smc_rdma_gid_entry *out);
void verbs_forget_gids(struct verbs *verbs);

/* verbs_qp.c */
int verbs_create_qp(struct smc_rdma_device *device, struct smc_rdma_pd *pd, const struct smc_rdma_qp_config *config,
                    struct smc_rdma_qp **out);
uint32_t verbs_qp_number(const struct smc_rdma_qp *qp);
enum smc_rdma_qp_state verbs_qp_state(const struct smc_rdma_qp *qp);
int verbs_modify_qp(struct smc_rdma_device *device, struct smc_rdma_qp *qp, const struct smc_rdma_qp_change *change);
int verbs_destroy_qp(struct smc_rdma_device *device, struct smc_rdma_qp *qp);
int verbs_post_send(struct smc_rdma_device *device, struct smc_rdma_qp *qp, const struct smc_rdma_send *send);
int verbs_post_receive(struct smc_rdma_device *device, struct smc_rdma_qp *qp, const struct smc_rdma_receive *receive);
/* false: nobody need hear of it. */
bool verbs_take_completion(struct verbs *verbs, const struct ibv_wc *wc, struct smc_rdma_completion *out);

#endif
