/* Text of a parsed message: one line a field, with the names of values.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * No I/O and no allocation: characters go to a sink, in pieces of any size, without a final zero. */
#ifndef SMC_WIRE_DUMP_H
#define SMC_WIRE_DUMP_H

#include "message.h"

struct smc_sink {
    void (*put)(void *ctx, const char *s, size_t n);
    void *ctx;
};

/* The message, then its fields:
 *
 *   CLC Accept, SMC-R v1, 68 bytes
 *     CLC Accept/Confirm, SMC-R
 *         4  message type                            2 (Accept)
 *         7  first contact                           yes
 *       ...
 *
 * Columns: offset in the message, the standard's term, the value. Reserved fields are shown only if they are not zero,
 * bytes that belong to no field (gaps, padding, payload) as hex. `indent` blanks stand before every line. */
void smc_dump_message(const struct smc_parsed *m, unsigned indent, struct smc_sink sink);

/* One layout that starts at p, without a heading: for carriers, which are no messages. `at` is added to offsets. */
void smc_dump_layout(const struct smc_layout *layout, const uint8_t *p, size_t at, unsigned indent,
                     struct smc_sink sink);

/* A field's value alone, as the dump shows it: 0xabcd, 10.0.0.1, 02:00:5e:00:00:22, "text", 2 (Accept). `p` is where
 * its layout starts. */
void smc_dump_value(const struct smc_field *f, const uint8_t *p, struct smc_sink sink);

/* "offset 5 (length), CLC-008: shorter than header and trailer; seen 0x7" */
void smc_dump_reject(const struct smc_reject *why, struct smc_sink sink);

#endif
