/* Layout of the SMC-D record: what a dibs device does, written into a capture (EtherType 0x88B5).
 * Carried in Ethernet; at most SMC_RECORD_MAX_DATA bytes of data follow, a longer move takes several records.
 * SPDX-License-Identifier: BSD-3-Clause */

#ifndef SMC_WIRE_SMCD_RECORD_LAYOUTS_H
#define SMC_WIRE_SMCD_RECORD_LAYOUTS_H

#include "layout.h"
#include "values.h"

enum { SMC_RECORD_MAX_DATA = 1400 };

/* SMC-D record. Source: smclab architecture, One wire */
#define SMC_FIELDS_smcd_record(F, L)                                                                  \
    F(L, version, 0, 1, 0, UINT, DEC, IN, 1, 1, NULL, "version")                                      \
    F(L, operation, 1, 1, 0, UINT, DEC, IN, 1, 7, smc_values_record_op, "operation")                  \
    F(L, signal, 2, 1, 0x01, UINT, FLAG, ANY, 0, 0, NULL, "signal")                                   \
    F(L, reserved1, 2, 1, 0xfe, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                             \
    F(L, byte_order, 3, 1, 0, UINT, DEC, IN, 0, 1, smc_values_record_order, "byte order of the data") \
    F(L, src_gid, 4, 16, 0, BYTES, GID, ANY, 0, 0, NULL, "source GID")                                \
    F(L, dst_gid, 20, 16, 0, BYTES, GID, ANY, 0, 0, NULL, "destination GID")                          \
    F(L, token, 36, 8, 0, UINT, HEX, ANY, 0, 0, NULL, "DMB token")                                    \
    F(L, index, 44, 4, 0, UINT, DEC, ANY, 0, 0, NULL, "DMB index")                                    \
    F(L, offset, 48, 4, 0, UINT, DEC, ANY, 0, 0, NULL, "offset in the DMB")                           \
    F(L, total, 52, 4, 0, UINT, DEC, ANY, 0, 0, NULL, "total length")                                 \
    F(L, fragment_offset, 56, 4, 0, UINT, DEC, ANY, 0, 0, NULL, "fragment offset")
SMC_LAYOUT(smcd_record, 60)

#endif
