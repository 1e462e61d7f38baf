/* Real RDMA devices behind smc/rdma.h: libibverbs, so Soft-RoCE (rxe) and hardware alike.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef DEVICES_VERBS_H
#define DEVICES_VERBS_H

#include <stdbool.h>
#include <stdint.h>

#include <smc/alloc.h>
#include <smc/rdma.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One device of libibverbs. What smc/rdma.h promises beyond verbs is kept here: completions know their
 * opcode and QP also when they failed, those of a destroyed QP are gone, a queue tells when it stops
 * being empty, however often it is asked in between.
 *
 * Posts are all signaled below (an unsignaled request's completion is swallowed here), so that it is
 * known what is outstanding. Not below: RoCE addresses; the kernel finds the peer's MAC by the GID, as
 * its own users do (`remote_mac` is not used).
 *
 * One thread. verbs_fd() is readable when there is something to tell; then verbs_run() calls the
 * handler. A library of its own (`verbs`): whoever does not link it needs no libibverbs. */
struct verbs;

enum { VERBS_GIDS = 256, VERBS_PORTS = 4 };

struct verbs_config {
    const struct smc_alloc *alloc; /* borrowed */
    const char *name;              /* "rxe0"; NULL: the first device */
};

/* SMC_ERR_NOTFOUND, SMC_ERR_NOMEM, SMC_ERR_IO (errno). `problem` (may be NULL): what could not be done. */
int verbs_open(const struct verbs_config *config, struct verbs **out, const char **problem);
/* Nothing made on it may be left. SMC_ERR_BUSY. */
int verbs_close(struct verbs *verbs);

struct smc_rdma_device *verbs_device(struct verbs *verbs);
int verbs_fd(const struct verbs *verbs);
void verbs_run(struct verbs *verbs);

#ifdef __cplusplus
}
#endif

#endif
