/* What a kernel for debugging has lost of its memory while scenarios ran.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SMCLAB_RUN_LEAKS_H
#define SMCLAB_RUN_LEAKS_H

#include <stddef.h>

/* Has kmemleak look twice (what is younger than five seconds it passes over). 0: nothing is lost, or this kernel does not look; 1:
 * `out` tells what, with the first stacks; -1: the agent does not answer, `out` says so. Takes minutes. */
int run_leaks(int agent, char *out, size_t size);

#endif
