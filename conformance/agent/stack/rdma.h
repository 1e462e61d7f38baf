/* The libibverbs device of the endpoint program.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONFORMANCE_AGENT_RDMA_H
#define CONFORMANCE_AGENT_RDMA_H

#include "conformance/agent/stack/stack.h"

struct rdma;

/* Opens the device (NULL: the first), gives it to the stack's endpoint. `problem` gets what could not be done. */
int rdma_open(const struct smc_alloc *alloc, struct stack *stack, const char *name, struct rdma **out, const char **problem);
void rdma_close(struct rdma *r);

#endif
