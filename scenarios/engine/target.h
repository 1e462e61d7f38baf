/* What a target adds to a run: whose clock, whose network, and which hosts are not simulated.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SCENARIOS_TARGET_H
#define SCENARIOS_TARGET_H

#include "sim/lab.h"

/* The engine runs a scenario in the laboratory; the target says what of it is real. The plain simulation has none (NULL). A
 * target is made by the program (smclab, smclab-ns3), used for one run at a time, and knows nothing of Lua. */
struct script_target {
    const char *name;    /* as in a scenario's `targets`: "ns3", "vm", "host", "remote" */
    /* Before the laboratory is made: sets the clock, and what else it must know. 0, or -1 and why in `error`. May be NULL. */
    int (*prepare)(void *user, struct lab_config *config, char *error, size_t error_size);
    /* The laboratory is there, and empty. 0, or -1 and why. May be NULL. */
    int (*begin)(void *user, struct lab *lab, char *error, size_t error_size);
    /* The script has ended; the laboratory is freed next. May be NULL. `failure` (room as given) may be filled with what went
     * wrong outside (a kernel's warning): then the run fails with it. */
    void (*end)(void *user, struct lab *lab, char *failure, size_t failure_size);
    void *user;
    /* Where one host of the script is real. Before `prepare`: which one, by name, or "1", "2" …: the first, second … that the
     * script makes. May be NULL, as the next. */
    void (*role)(void *user, const char *role);
    /* Who that is, for the record: "Linux 6.12.107+deb13-amd64". */
    const char *(*implementation)(void *user);
    /* Asked after `end`: it must not be used for another run as it is. */
    bool (*spent)(void *user);
    /* How much longer than a script says everything that is waited for may take: 0 and 1: not at all. */
    unsigned patience;
    /* The real host has no version 1: in scenarios that do not depend on it, all hosts have both versions. */
    bool no_v1;
};

#endif
