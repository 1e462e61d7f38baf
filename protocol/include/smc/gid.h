/* The 128-bit global identifier by which a dibs or an RDMA device is named on the wire.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SMC_GID_H
#define SMC_GID_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* In the order of the wire. RDMA: an IPv6 address or an IPv4-mapped one. dibs, ISM: bytes 0..7 are
 * the 64-bit GID (big endian), 8..15 zero. dibs, emulated ISM: 0..7 are the GID, 8..15 its extension;
 * both count in every comparison. */
struct smc_gid {
    uint8_t bytes[16];
};

static inline bool smc_gid_equal(const struct smc_gid *a, const struct smc_gid *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* The wildcard of dibs events ("every peer") and an empty entry of a GID table. */
static inline bool smc_gid_is_zero(const struct smc_gid *gid)
{
    static const struct smc_gid zero = {{0}};
    return smc_gid_equal(gid, &zero);
}

#ifdef __cplusplus
}
#endif

#endif
