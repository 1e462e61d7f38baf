/* The generated mutator inside libFuzzer: every second mutation is one by the layouts, the others are libFuzzer's own.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "wire/mutate.h"

#include <stdint.h>

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

/* libFuzzer's; not there in a build that only replays, or under AFL++. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size) __attribute__((weak));

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    if (LLVMFuzzerMutate != NULL && seed % 2 == 0)
        return LLVMFuzzerMutate(data, size, max_size);
    return smc_mutate(data, size, max_size, seed);
}
