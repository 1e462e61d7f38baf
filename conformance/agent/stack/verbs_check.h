/* Whether an RDMA device keeps what smc/rdma.h promises: two of its queue pairs, connected to each other.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONFORMANCE_AGENT_VERBS_CHECK_H
#define CONFORMANCE_AGENT_VERBS_CHECK_H

#include <stdio.h>

#include <smc/alloc.h>

/* Opens the device by libibverbs (NULL: the first) and writes a line a check: "ok …" or "FAIL …: got, wanted". How
 * many failed; -1: there is no such device. */
int verbs_check(const struct smc_alloc *alloc, const char *name, FILE *out);

#endif
