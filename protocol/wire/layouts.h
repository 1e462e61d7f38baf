/* All descriptors in one list, for what walks over every layout (dump, docs, plugin, mutator).
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SMC_WIRE_LAYOUTS_H
#define SMC_WIRE_LAYOUTS_H

#include "field.h"

/* Every layout of this folder, ended by NULL. */
extern const struct smc_layout *const smc_layouts[];

#endif
