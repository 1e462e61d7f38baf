/* A host of a script that is a real kernel: its sockets by an agent, its frames by a carrier.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONFORMANCE_TARGETS_KERNEL_HOST_H
#define CONFORMANCE_TARGETS_KERNEL_HOST_H

#include "conformance/targets/kernel_agent.h"
#include "sim/lab_outside.h"
#include "sim/live/carrier.h"
#include "sim/live/live.h"

/* For one run. A NIC of the kernel is the index-th interface of the script's host: the carrier brings its frames. */
enum { KERNEL_NICS = 4 };
struct kernel_nic {
    struct live_carrier *carrier; /* borrowed */
    uint8_t mac[6];               /* as the kernel has it */
    const char *name;             /* its interface keeps this name; NULL: it takes the script's (a machine of our own) */
};

struct kernel_host_config {
    int agent_fd;
    uint64_t first_number;        /* of requests: different from those of earlier runs on the same channel */
    struct kernel_nic nics[KERNEL_NICS];
    unsigned nic_count;
    bool tidied;                  /* the caller has asked for the `reset` */
    unsigned slower;              /* times that an ordinary kernel is quicker; 0: it is one */
};

/* One host of the script is the kernel, or both are: each a network namespace with a NIC, as containers are; or both the one
 * namespace of the machine, so that they speak over its interface `lo`, where the agent captures. */
enum kernel_both { KERNEL_ONE, KERNEL_CONTAINERS, KERNEL_LO };
struct kernel_host;

/* Says hello and, unless that is done, makes the kernel forget earlier runs (`reset`: seconds). NULL, and why in `error`. */
struct kernel_host *kernel_host_new(const struct kernel_host_config *config, struct live *live, char *error, size_t error_size);
/* Begins to listen to the agent; for lab_set_outside(). */
const struct lab_outside *kernel_host_start(struct kernel_host *kernel, struct lab *lab);
/* After kernel_host_start(): the second host, for lab_set_both_outside(). NULL, and why: it cannot be both. */
const struct lab_outside *kernel_host_both(struct kernel_host *kernel, enum kernel_both how, char *error, size_t error_size);
/* Can its RoCE devices speak SMC-R version 1? */
bool kernel_host_has_v1(struct kernel_host *kernel);
/* "Linux 6.12.107+deb13-amd64" */
const char *kernel_host_version(const struct kernel_host *kernel);
/* What the kernel complained about since the run began; "": nothing. `serious`: a warning, an oops or a hang: it should not be
 * used any more. */
void kernel_host_complaints(struct kernel_host *kernel, char *out, size_t size, bool *serious);
/* After a complaint: what the kernel has logged since the run began, to be freed; NULL: nothing, or nobody answers. */
char *kernel_host_log(struct kernel_host *kernel);
/* False: the agent does not answer any more. */
bool kernel_host_alive(const struct kernel_host *kernel);
void kernel_host_free(struct kernel_host *kernel);

#endif
