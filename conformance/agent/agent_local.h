/* Link-local addresses at once, where version 1 needs them.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONFORMANCE_AGENT_LOCAL_H
#define CONFORMANCE_AGENT_LOCAL_H

#include "conformance/agent/agent.h"

/* After an interface went up: with smc.v1_over_udp it gets the address that its MAC gives, without the kernel's wait. */
void agent_local_at_once(const char *name, bool up);

#endif
