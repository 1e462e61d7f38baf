/* What the makers of child processes share.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SCENARIOS_EXPLORE_APART_H
#define SCENARIOS_EXPLORE_APART_H

#include "campaign.h"

/* The outcome of a child that died with this status; `errors` is what it wrote to its standard error. */
void explore_crashed(int status, FILE *errors, struct explore_outcome *out);
/* All n bytes; false: they could not be written, or the other end is closed. */
bool explore_write_all(int to, const void *bytes, size_t n);
bool explore_read_all(int from, void *bytes, size_t n);

#endif
