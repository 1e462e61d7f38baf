/* CRC-32 (polynomial 0x04C11DB7, reflected: that of Ethernet, zlib and the ICRC), in plain C.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SMC_WIRE_CRC32_H
#define SMC_WIRE_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* Continues `crc` (0 to begin) over n bytes. libdeflate_crc32() and zlib's crc32_z() have this shape. */
typedef uint32_t (*smc_crc32_fn)(uint32_t crc, const void *data, size_t n);

uint32_t smc_crc32(uint32_t crc, const void *data, size_t n);

#endif
