/* The TCP option that announces SMC: found among the options of a segment, written into a SYN.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SMC_WIRE_TCP_OPTION_H
#define SMC_WIRE_TCP_OPTION_H

#include "clc_layouts.h"
#include "message.h"

enum { SMC_TCP_OPTION_KIND = 254, SMC_TCP_OPTION_PADDED = 8 };
#define SMC_TCP_OPTION_EXID UINT32_C(0xe2d4c3d9)

enum smc_tcp_option_found {
    SMC_OPTION_ABSENT,
    SMC_OPTION_PRESENT, /* kind 254, length 6, ExID SMCR */
    SMC_OPTION_LONG_EVEN, /* the same with length 8, 10 …: Linux takes it, RFC 7609 does not (deviation A-44) */
    SMC_OPTION_LONG_ODD /* the same with length 7, 9 …: nobody takes it */
};

/* Looks through the options of a TCP header. The best of several counts. *at gets the offset of its kind byte in
 * `options`, *length the option's length byte; both may be NULL. Stops at an option that does not fit. A kind 254
 * with another ExID is somebody else's experiment [TCPOPT-001]. */
enum smc_tcp_option_found smc_tcp_option_find(struct smc_view options, size_t *at,
                                              unsigned *length);

/* Writes the option as Linux does: two NOPs and the 6 bytes. Returns 8, or 0 if `cap` is less [TCPOPT-007]. */
size_t smc_tcp_option_write(uint8_t *buf, size_t cap);

#endif
