/* The generated mutator inside libFuzzer: every second mutation is one by the layouts, the others are libFuzzer's own.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "fuzz.h"

#include "wire/mutate.h"

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

/* libFuzzer's; not there in a build that only replays, or under AFL++. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size) __attribute__((weak));

/* In captures the ICRCs are repaired in three cases of four, so that both readings are tried. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    bool blind = LLVMFuzzerMutate != NULL && seed % 2 == 0;
    size_t n = blind ? LLVMFuzzerMutate(data, size, max_size) : smc_mutate(data, size, max_size, seed);
    if (seed / 2 % 4 != 0)
        fuzz_repair_capture(data, n);
    return n;
}
