/* The SMC option in the SYNs of the kernel's own TCP sockets, by a BPF program of type sock_ops.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONFORMANCE_AGENT_OPTION_H
#define CONFORMANCE_AGENT_OPTION_H

#include "conformance/agent/stack/stack.h"

/* Loads the program and attaches it to a cgroup (a folder of a mounted cgroup2): sockets of its processes that
 * option_prepare() has marked send the option and learn whether the peer's SYN had it. 0; -1: errno, and `log` (may
 * be NULL) gets what the verifier said. */
int option_attach(const char *cgroup, char *log, uint32_t log_bytes);
/* Detaches what is attached; the program goes with the process in any case. */
void option_detach(void);

/* For struct stack_option. */
int option_prepare(void *user, int fd, bool listener);
bool option_agreed(void *user, int fd, bool client);

#endif
