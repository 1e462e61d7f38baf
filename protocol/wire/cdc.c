/* Parsing of CDC messages, the SMC-D CDC block and the SMC-D record.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "cdc.h"

bool smc_cdc_parse(struct smc_view bytes, struct smc_cdc *out, struct smc_reject *why)
{
    struct smc_parsed m;
    return smc_message_parse(&smc_cdc_message, bytes, &m, why) && smc_cdc_at(bytes, 0, out);
}

/* One struct serves both orders only if the lists name the same fields in the same order. */
_Static_assert(sizeof(struct smc_smcd_cdc_be_fields) == sizeof(struct smc_smcd_cdc_le_fields),
               "the two byte orders of the SMC-D CDC block differ in more than the order");

/* Turns the multi-byte integers of a block around, so that one decoder and one encoder serve both orders. */
static void swap_block(uint8_t *p)
{
    const struct smc_layout *l = &smc_smcd_cdc_le_layout;
    for (unsigned i = 0; i < l->nfields; i++) {
        const struct smc_field *f = &l->fields[i];
        if (f->kind != SMC_LEINT)
            continue;
        smc_store_be(p + f->off, f->size, smc_load_le(p + f->off, f->size));
    }
}

bool smc_smcd_cdc_parse(struct smc_view bytes, enum smc_record_order order,
                        struct smc_smcd_cdc_be_fields *out, struct smc_reject *why)
{
    struct smc_parsed m;
    uint8_t block[smc_smcd_cdc_be_size];
    bool little = order == SMC_ORDER_LITTLE;
    if (!smc_message_parse(little ? &smc_smcd_cdc_le_message : &smc_smcd_cdc_be_message, bytes, &m,
                           why))
        return false;
    memcpy(block, bytes.p, sizeof(block));
    if (little)
        swap_block(block);
    smc_smcd_cdc_be_decode((struct smc_smcd_cdc_be){block}, out);
    return true;
}

void smc_smcd_cdc_write(const struct smc_smcd_cdc_be_fields *in, enum smc_record_order order,
                        uint8_t *p)
{
    smc_smcd_cdc_be_encode(in, p);
    if (order == SMC_ORDER_LITTLE)
        swap_block(p);
}

bool smc_smcd_record_parse(struct smc_view bytes, struct smc_smcd_record *out,
                           struct smc_view *data, struct smc_reject *why)
{
    struct smc_parsed m;
    if (!smc_message_parse(&smc_smcd_record_message, bytes, &m, why) ||
        !smc_smcd_record_at(bytes, 0, out))
        return false;
    uint32_t total = smc_smcd_record_total(*out);
    uint32_t from = smc_smcd_record_fragment_offset(*out);
    if (from > total) {
        *why = (struct smc_reject){
            .offset = smc_smcd_record_layout.fields[smc_smcd_record_i_fragment_offset].off,
            .field = "fragment_offset",
            .rule = "FORMAT",
            .what = "the fragment begins behind the end of the move",
            .seen = from};
        return false;
    }
    size_t size = smc_smcd_record_operation(*out) == SMC_RECORD_MOVE ? total - from : 0;
    *data = smc_view_sub(bytes, smc_smcd_record_size, size);
    return true;
}
