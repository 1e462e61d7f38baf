/* A host of a script that is somebody else's machine: nothing is known of it but its frames.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONFORMANCE_TARGETS_REMOTE_HOST_H
#define CONFORMANCE_TARGETS_REMOTE_HOST_H

#include "sim/lab_outside.h"
#include "sim/live/carrier.h"
#include "sim/live/live.h"

/* What the script does with sockets of this host is expected to be done by whoever has that machine: `listen` (a program listens
 * there already), `connect` (somebody starts a client there), `close`, `shutdown`. What cannot be expected (sending and receiving
 * the script's bytes) is refused. `accept` succeeds when the machine's SYN-ACK has come. */
struct remote_host_config {
    struct live_carrier *carrier; /* borrowed */
    const char *address;          /* of that machine, "192.168.1.7/24" */
    const char *own;              /* of ours; NULL: the script's */
    uint16_t port;                /* where its program listens; 0: the script's */
};
struct remote_host;
struct remote_host *remote_host_new(const struct remote_host_config *config, struct live *live); /* NULL: memory is short */
const struct lab_outside *remote_host_start(struct remote_host *remote, struct lab *lab);
void remote_host_free(struct remote_host *remote); /* NULL is allowed */

#endif
