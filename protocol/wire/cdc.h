/* CDC messages, the SMC-D CDC block and the SMC-D record: parsing. Fields: cdc_layouts.h, smcd_record_layouts.h.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SMC_WIRE_CDC_H
#define SMC_WIRE_CDC_H

#include "cdc_layouts.h"
#include "message.h"
#include "smcd_record_layouts.h"

enum { SMC_CDC_TYPE = 0xfe };

/* A CDC message of SMC-R: type 0xfe, length byte 44 and exactly 44 bytes [CDC-001]. The handle borrows `bytes`. */
bool smc_cdc_parse(struct smc_view bytes, struct smc_cdc *out, struct smc_reject *why);

/* The block at the start of a DMB element, in either byte order: the fields of the one are those of the other.
 * Exactly 32 bytes, type 0xfe [SMCD-001]. */
bool smc_smcd_cdc_parse(struct smc_view bytes, enum smc_record_order order,
                        struct smc_smcd_cdc_be_fields *out, struct smc_reject *why);

/* Writes the 32 bytes of the block in that byte order. */
void smc_smcd_cdc_write(const struct smc_smcd_cdc_be_fields *in, enum smc_record_order order,
                        uint8_t *p);

/* A record of a dibs operation and its data: for a move what stands behind the header, but no more than its `total`
 * bytes from the fragment offset on; empty for every other operation (what follows then is Ethernet padding). */
bool smc_smcd_record_parse(struct smc_view bytes, struct smc_smcd_record *out,
                           struct smc_view *data, struct smc_reject *why);

#endif
