/* Pictures in ASCII for smclab explain: a layout, an exchange.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SMCLAB_EXPLAIN_PICTURE_H
#define SMCLAB_EXPLAIN_PICTURE_H

#include "conformance/judge/result.h"
#include "wire/field.h"

#include <stdio.h>

/* The layout that a rule speaks of, by its area and the words of its text; NULL if there is none. */
const struct smc_layout *explain_layout(const struct judge_requirement *r);
/* The exchange that a rule is about. */
const char *explain_exchange(const struct judge_requirement *r);
/* Four bytes a row; the bits of shared bytes are listed below. */
void explain_draw(const struct smc_layout *layout, FILE *out);

#endif
