/* ss and stats of a live machine: what they show comes from an agent (docs/agent.md).
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SMCLAB_LOOK_AGENT_H
#define SMCLAB_LOOK_AGENT_H

#include "look.h"

/* Connects to look->agent, lets look->ask print. An exit status: EXIT_INPUT, with the reason, if nobody answers. */
int look_agent(const struct look *look);

int look_agent_ss(const struct look *look, struct kernel_agent *agent);
int look_agent_groups(const struct look *look, struct kernel_agent *agent);
int look_agent_links(const struct look *look, struct kernel_agent *agent);
int look_agent_stats(const struct look *look, struct kernel_agent *agent);

#endif
