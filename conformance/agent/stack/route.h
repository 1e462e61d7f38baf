/* The way to a neighbour as the kernel of this machine knows it.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONFORMANCE_AGENT_ROUTE_H
#define CONFORMANCE_AGENT_ROUTE_H

#include <smc/endpoint.h>

/* As smc_host_ops.route, for IPv4-mapped addresses; asks the neighbour table, and has the kernel resolve
 * what is not in it. */
int stack_route(const struct smc_gid *own, const struct smc_gid *peer, struct smc_route *out);

#endif
