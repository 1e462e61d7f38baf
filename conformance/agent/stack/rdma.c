/* Joins the libibverbs device, the endpoint and the loop.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "conformance/agent/stack/rdma.h"

#include "devices/verbs.h"

struct rdma {
    const struct smc_alloc *alloc;
    struct stack *stack;
    struct verbs *verbs;
    bool added;
};

static void ready(void *user, uint64_t now_ns)
{
    (void)now_ns;
    verbs_run(((struct rdma *)user)->verbs);
}

static int add(struct rdma *r)
{
    struct stack_part part = {.fd = verbs_fd(r->verbs), .ready = ready, .user = r};
    int error = smc_endpoint_add_rdma(stack_endpoint(r->stack), verbs_device(r->verbs), NULL, stack_now_ns());
    r->added = error == 0;
    return error == 0 ? stack_add_part(r->stack, &part) : error;
}

int rdma_open(const struct smc_alloc *alloc, struct stack *stack, const char *name, struct rdma **out, const char **problem)
{
    struct verbs_config config = {.alloc = alloc, .name = name};
    *problem = "no memory";
    struct rdma *r = smc_alloc_zeroed(alloc, 1, sizeof(*r));
    if (r == NULL)
        return SMC_ERR_NOMEM;
    r->alloc = alloc;
    r->stack = stack;
    int error = verbs_open(&config, &r->verbs, problem);
    if (error == 0) {
        *problem = "the RDMA device cannot be added";
        error = add(r);
    }
    if (error != 0) {
        rdma_close(r);
        return error;
    }
    *out = r;
    return 0;
}

void rdma_close(struct rdma *r)
{
    if (r->added)
        (void)smc_endpoint_remove_rdma(stack_endpoint(r->stack), verbs_device(r->verbs), stack_now_ns());
    if (r->verbs != NULL)
        (void)verbs_close(r->verbs);
    smc_alloc_release(r->alloc, r, 1, sizeof(*r));
}
