/* The invariant CRC at the end of every RoCE packet.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Computed over the packet from the IP header (RoCEv2: IPv4 or IPv6, then UDP) or the GRH (RoCEv1) to the last byte of
 * the payload and its padding, with every field that may change on the way taken as ones, behind eight bytes of
 * ones (InfiniBand 9.8.1, A17.3.3). Bytes that follow the ICRC (an Ethernet trailer) must not be in the view. */
#ifndef SMC_WIRE_ICRC_H
#define SMC_WIRE_ICRC_H

#include "crc32.h"
#include "field.h"

enum { SMC_ICRC_BYTES = 4 };

/* *icrc gets the value; on the wire it stands little endian. `crc` NULL: smc_crc32(). False: the bytes are no IPv4 or
 * IPv6 packet or GRH that is long enough to hold a BTH. An IPv6 header with next header 0x1b is a GRH. */
bool smc_icrc(struct smc_view packet, smc_crc32_fn crc, uint32_t *icrc);

/* The view ends with the ICRC: does it hold? False also where smc_icrc() says false. */
bool smc_icrc_holds(struct smc_view packet_and_icrc, smc_crc32_fn crc);

/* Writes an ICRC behind a packet. */
void smc_icrc_put(uint8_t *p, uint32_t icrc);

#endif
