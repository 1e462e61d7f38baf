/* Structure-aware mutation of SMC messages, for fuzzers: changes one message in a buffer by the layouts and grammars.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Keeps no state and allocates nothing: the same arguments give the same bytes. */
#ifndef SMC_WIRE_MUTATE_H
#define SMC_WIRE_MUTATE_H

#include <stddef.h>
#include <stdint.h>

/* Changes the `size` bytes at `data`, which have room for `max`, and returns the new size (never more than `max`;
 * never 0 unless `max` is 0). `size` <= `max`.
 *
 * The message is the whole buffer, or one found inside it (a capture, a TCP stream): then the size stays as it is.
 * A field is set to a boundary, named or random value; reserved bits are flipped; counts, offsets and lengths are moved
 * by a little or to their limits; an area is doubled, taken out or copied over another; the message is cut or extended.
 * The length field is repaired in about half of the cases where that means something. Bytes that hold no message are
 * changed blindly. */
size_t smc_mutate(uint8_t *data, size_t size, size_t max, uint64_t seed);

#endif
