/* SHA-256 (FIPS 180-4), for the digest of a capture in a result.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SCENARIOS_SHA256_H
#define SCENARIOS_SHA256_H

#include <stddef.h>
#include <stdint.h>

struct sha256 {
    uint32_t state[8];
    uint64_t length; /* bytes so far */
    uint8_t block[64];
};

enum { SHA256_BYTES = 32, SHA256_TEXT = 65 }; /* 64 hex digits and the NUL */

void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *data, size_t n);
void sha256_end(struct sha256 *s, uint8_t out[SHA256_BYTES]);
/* Of a whole file, in hex digits. 0, or -1 with errno. */
int sha256_file(const char *path, char out[SHA256_TEXT]);

#endif
