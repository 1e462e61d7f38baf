/* Endless pseudo-random streams named by a number: what applications with a pattern send and expect, on every side of a run.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_PATTERN_H
#define SIM_PATTERN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes [from, from + n) of a pattern. The same on every machine; the agent in a guest compiles this file too. */
void sim_pattern(uint64_t pattern, uint64_t from, void *to, size_t n);

#ifdef __cplusplus
}
#endif

#endif
