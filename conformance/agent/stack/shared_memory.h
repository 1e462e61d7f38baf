/* The ivshmem device of the endpoint program: as a client of the server on the host, or inside a machine.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONFORMANCE_AGENT_SHARED_MEMORY_H
#define CONFORMANCE_AGENT_SHARED_MEMORY_H

#include "conformance/agent/stack/stack.h"

enum shared_memory_way { SHARED_MEMORY_SERVER, SHARED_MEMORY_POLL, SHARED_MEMORY_VFIO };

struct shared_memory_config {
    const struct smc_alloc *alloc; /* borrowed, as all pointers here */
    struct stack *stack;
    enum shared_memory_way way;
    const char *path; /* SERVER: of the socket; else the function's address, NULL: the first one */
    uint32_t vectors;
    uint32_t max_dmbs; /* if this machine formats the region; 0: the device's default */
    uint64_t seed;
    uint64_t poll_ns;          /* POLL: how often the flag is looked at */
    uint64_t alive_timeout_ns; /* a peer that does not count up for so long is gone */
};

struct shared_memory;

/* `problem` gets what could not be done. SMC_ERR_*. */
int shared_memory_open(const struct shared_memory_config *config, struct shared_memory **out, const char **problem);
void shared_memory_close(struct shared_memory *m);
/* How many interrupts came (POLL: how often somebody had rung), and the machine's ID. */
uint64_t shared_memory_interrupts(const struct shared_memory *m);
uint32_t shared_memory_id(const struct shared_memory *m);

#endif
