/* Targets of `smclab run` beyond the simulation: the one this program brings itself, and programs that bring others.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SMCLAB_TARGET_H
#define SMCLAB_TARGET_H

struct script_target;

/* smclab-ns3 says so in its main(): its target, for all commands that take --target. Borrowed. */
void smclab_bring_target(const struct script_target *target);
/* NULL: this program has none of that name. */
const struct script_target *smclab_brought_target(const char *name);
/* Continues as the program `smclab-ns3` beside this one, with the same command line (argv[0] is the subcommand). Comes back only
 * if there is none: it said what to install; EXIT_NOTHING. */
int smclab_become_ns3(char **argv);

#endif
