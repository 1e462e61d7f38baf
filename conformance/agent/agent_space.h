/* The agent's network namespaces, in which hosts of a script live as containers do.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONFORMANCE_AGENT_SPACE_H
#define CONFORMANCE_AGENT_SPACE_H

#include "conformance/agent/agent.h"

/* A request with space=NAME is done in the namespace of that name: it is made if there is none (with `lo` up), and a NIC that the
 * request names by its address (mac=) is brought there. What is made there (sockets, processes) stays there.
 * agent_space_take() takes that word out of a request: the name, or NULL. Enter: 0, or an errno. */
const char *agent_space_take(struct agent_line *line);
int agent_space_enter(struct agent *a, const struct agent_line *line, const char *name);
void agent_space_leave(struct agent *a);
/* All NICs come home, and the namespaces go as soon as nothing is in them any more. */
void agent_spaces_reset(struct agent *a);

/* Captures end; their frames are told no more. */
void agent_captures_end(struct agent *a);

#endif
