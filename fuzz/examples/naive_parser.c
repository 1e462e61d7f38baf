/* A deliberately naive CLC parser, to have something to fuzz: it believes the type and looks at nothing else.
 * SPDX-License-Identifier: BSD-3-Clause */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

int foreign_clc_type(const uint8_t *data, size_t size);

int foreign_clc_type(const uint8_t *data, size_t size)
{
    static const uint8_t smc[] = {0xe2, 0xd4, 0xc3};
    if (size < 8 || memcmp(data, smc, sizeof smc) != 0)
        return 0;
    return data[4] >= 1 && data[4] <= 4 ? data[4] : 0;
}
