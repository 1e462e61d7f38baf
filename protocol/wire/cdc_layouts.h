/* Layouts of CDC: the 44-byte SMC-R message and the 32-byte block of SMC-D in both byte orders.
 * SPDX-License-Identifier: BSD-3-Clause */

#ifndef SMC_WIRE_CDC_LAYOUTS_H
#define SMC_WIRE_CDC_LAYOUTS_H

#include "layout.h"
#include "values.h"


/* CDC message. Source: RFC 7609 A.4 */
#define SMC_FIELDS_cdc(F, L)                                                                    \
    F(L, type, 0, 1, 0, UINT, HEX, IN, 0xfe, 0xfe, NULL, "type")                                \
    F(L, length, 1, 1, 0, UINT, DEC, IN, 44, 44, NULL, "length")                                \
    F(L, seqno, 2, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "sequence number")                         \
    F(L, token, 4, 4, 0, UINT, HEX, ANY, 0, 0, NULL, "alert token of the receiver")             \
    F(L, reserved1, 8, 2, 0, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                          \
    F(L, prod_wrap, 10, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "producer cursor wrap sequence")      \
    F(L, prod_count, 12, 4, 0, UINT, DEC, ANY, 0, 0, NULL, "producer cursor")                   \
    F(L, reserved2, 16, 2, 0, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                         \
    F(L, cons_wrap, 18, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "consumer cursor wrap sequence")      \
    F(L, cons_count, 20, 4, 0, UINT, DEC, ANY, 0, 0, NULL, "consumer cursor")                   \
    F(L, writer_blocked, 24, 1, 0x80, UINT, FLAG, ANY, 0, 0, NULL, "writer blocked")            \
    F(L, urgent_pending, 24, 1, 0x40, UINT, FLAG, ANY, 0, 0, NULL, "urgent data pending")       \
    F(L, urgent_present, 24, 1, 0x20, UINT, FLAG, ANY, 0, 0, NULL, "urgent data present")       \
    F(L, update_requested, 24, 1, 0x10, UINT, FLAG, ANY, 0, 0, NULL, "cursor update requested") \
    F(L, failover_validation, 24, 1, 0x08, UINT, FLAG, ANY, 0, 0, NULL, "failover validation")  \
    F(L, reserved3, 24, 1, 0x07, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                      \
    F(L, sending_done, 25, 1, 0x80, UINT, FLAG, ANY, 0, 0, NULL, "sending done")                \
    F(L, closed, 25, 1, 0x40, UINT, FLAG, ANY, 0, 0, NULL, "connection closed")                 \
    F(L, abnormal_close, 25, 1, 0x20, UINT, FLAG, ANY, 0, 0, NULL, "abnormal close")            \
    F(L, reserved4, 25, 1, 0x1f, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                      \
    F(L, reserved5, 26, 18, 0, BYTES, RSVD, ZERO, 0, 0, NULL, "reserved")
SMC_LAYOUT(cdc, 44)

/* SMC-D CDC block, little endian. Source: linux net/smc/smc_cdc.h */
#define SMC_FIELDS_smcd_cdc_le(F, L)                                                                \
    F(L, type, 0, 1, 0, UINT, HEX, IN, 0xfe, 0xfe, NULL, "type")                                    \
    F(L, reserved1, 1, 7, 0, BYTES, RSVD, ZERO, 0, 0, NULL, "reserved")                             \
    F(L, prod_wrap, 8, 2, 0, LEINT, DEC, ANY, 0, 0, NULL, "producer cursor wrap sequence")          \
    F(L, prod_count, 10, 4, 0, LEINT, DEC, ANY, 0, 0, NULL, "producer cursor")                      \
    F(L, reserved2, 14, 2, 0, UINT, RSVD, ZERO, 0, 0, NULL, "reserved (flags unused in this half)") \
    F(L, cons_wrap, 16, 2, 0, LEINT, DEC, ANY, 0, 0, NULL, "consumer cursor wrap sequence")         \
    F(L, cons_count, 18, 4, 0, LEINT, DEC, ANY, 0, 0, NULL, "consumer cursor")                      \
    F(L, writer_blocked, 22, 1, 0x80, UINT, FLAG, ANY, 0, 0, NULL, "writer blocked")                \
    F(L, urgent_pending, 22, 1, 0x40, UINT, FLAG, ANY, 0, 0, NULL, "urgent data pending")           \
    F(L, urgent_present, 22, 1, 0x20, UINT, FLAG, ANY, 0, 0, NULL, "urgent data present")           \
    F(L, update_requested, 22, 1, 0x10, UINT, FLAG, ANY, 0, 0, NULL, "cursor update requested")     \
    F(L, failover_validation, 22, 1, 0x08, UINT, FLAG, ANY, 0, 0, NULL, "failover validation")      \
    F(L, reserved3, 22, 1, 0x07, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                          \
    F(L, sending_done, 23, 1, 0x80, UINT, FLAG, ANY, 0, 0, NULL, "sending done")                    \
    F(L, closed, 23, 1, 0x40, UINT, FLAG, ANY, 0, 0, NULL, "connection closed")                     \
    F(L, abnormal_close, 23, 1, 0x20, UINT, FLAG, ANY, 0, 0, NULL, "abnormal close")                \
    F(L, reserved4, 23, 1, 0x1f, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                          \
    F(L, reserved5, 24, 8, 0, BYTES, RSVD, ZERO, 0, 0, NULL, "reserved")
SMC_LAYOUT(smcd_cdc_le, 32)

/* SMC-D CDC block, big endian. Source: linux net/smc/smc_cdc.h */
#define SMC_FIELDS_smcd_cdc_be(F, L)                                                                \
    F(L, type, 0, 1, 0, UINT, HEX, IN, 0xfe, 0xfe, NULL, "type")                                    \
    F(L, reserved1, 1, 7, 0, BYTES, RSVD, ZERO, 0, 0, NULL, "reserved")                             \
    F(L, prod_wrap, 8, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "producer cursor wrap sequence")           \
    F(L, prod_count, 10, 4, 0, UINT, DEC, ANY, 0, 0, NULL, "producer cursor")                       \
    F(L, reserved2, 14, 2, 0, UINT, RSVD, ZERO, 0, 0, NULL, "reserved (flags unused in this half)") \
    F(L, cons_wrap, 16, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "consumer cursor wrap sequence")          \
    F(L, cons_count, 18, 4, 0, UINT, DEC, ANY, 0, 0, NULL, "consumer cursor")                       \
    F(L, writer_blocked, 22, 1, 0x80, UINT, FLAG, ANY, 0, 0, NULL, "writer blocked")                \
    F(L, urgent_pending, 22, 1, 0x40, UINT, FLAG, ANY, 0, 0, NULL, "urgent data pending")           \
    F(L, urgent_present, 22, 1, 0x20, UINT, FLAG, ANY, 0, 0, NULL, "urgent data present")           \
    F(L, update_requested, 22, 1, 0x10, UINT, FLAG, ANY, 0, 0, NULL, "cursor update requested")     \
    F(L, failover_validation, 22, 1, 0x08, UINT, FLAG, ANY, 0, 0, NULL, "failover validation")      \
    F(L, reserved3, 22, 1, 0x07, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                          \
    F(L, sending_done, 23, 1, 0x80, UINT, FLAG, ANY, 0, 0, NULL, "sending done")                    \
    F(L, closed, 23, 1, 0x40, UINT, FLAG, ANY, 0, 0, NULL, "connection closed")                     \
    F(L, abnormal_close, 23, 1, 0x20, UINT, FLAG, ANY, 0, 0, NULL, "abnormal close")                \
    F(L, reserved4, 23, 1, 0x1f, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                          \
    F(L, reserved5, 24, 8, 0, BYTES, RSVD, ZERO, 0, 0, NULL, "reserved")
SMC_LAYOUT(smcd_cdc_be, 32)

#endif
