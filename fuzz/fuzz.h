/* What the fuzz targets share: an assertion that always stands, checks of any parsed message, captures in memory.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef FUZZ_H
#define FUZZ_H

#include "wire/message.h"
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Aborts with the place and the text if it does not hold; the fuzzer then keeps the input. */
#define FUZZ_REQUIRE(condition)                                                                                        \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            fuzz_give_up(__FILE__, __LINE__, #condition);                                                              \
    } while (0)
_Noreturn void fuzz_give_up(const char *file, int line, const char *condition);

/* Of a parsed message: every part and gap lies inside the bytes and none over another; each part, written field by
 * field, gives its own bytes again (reserved bits included). */
void fuzz_check_parsed(const struct smc_parsed *m);

/* Of a rejection: it names offset, field, rule and reason. */
void fuzz_check_reject(const struct smc_reject *why, size_t size);

/* Computes the ICRCs of a capture in memory anew; does nothing to bytes that are no pcap. */
void fuzz_repair_capture(uint8_t *data, size_t size);

/* The bytes as a stream to read from; never NULL. */
FILE *fuzz_open(const uint8_t *data, size_t size);

#endif
