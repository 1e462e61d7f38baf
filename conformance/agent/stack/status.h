/* What the endpoint has at this moment, for those who ask at a unix socket: `smclab ss --agent PATH`, `smclab stats --agent PATH`.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONFORMANCE_AGENT_STACK_STATUS_H
#define CONFORMANCE_AGENT_STACK_STATUS_H

#include "conformance/agent/stack/stack.h"

/* Of the requests of docs/agent.md: hello, connections, groups, links, stats, fallbacks. Only the owner may connect. Whoever does not read his
 * answers is dropped; nobody delays the stack. */
struct status;
/* Before stack_run(). SMC_ERR_NOMEM, SMC_ERR_NOSPACE, SMC_ERR_ARGUMENT (the path is too long), SMC_ERR_IO (errno). */
int status_open(struct stack *stack, const char *path, struct status **out);
/* After the last stack_run(). */
void status_close(struct status *status);

#endif
