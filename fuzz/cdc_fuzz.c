/* Fuzz target: CDC of SMC-R, the CDC block of SMC-D in both byte orders, the SMC-D record.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "fuzz.h"

#include "wire/cdc.h"
#include <string.h>

static void check_cdc(struct smc_view bytes)
{
    struct smc_cdc cdc;
    struct smc_cdc_fields fields;
    struct smc_reject why;
    uint8_t again[smc_cdc_size];
    if (!smc_cdc_parse(bytes, &cdc, &why)) {
        fuzz_check_reject(&why, smc_view_len(bytes));
        return;
    }
    smc_cdc_decode(cdc, &fields);
    smc_cdc_encode(&fields, again);
    FUZZ_REQUIRE(memcmp(again, bytes.p, sizeof again) == 0);
}

static void check_block(struct smc_view bytes, enum smc_record_order order)
{
    struct smc_smcd_cdc_be_fields fields;
    struct smc_reject why;
    uint8_t again[smc_smcd_cdc_be_size];
    if (!smc_smcd_cdc_parse(bytes, order, &fields, &why)) {
        fuzz_check_reject(&why, smc_view_len(bytes));
        return;
    }
    smc_smcd_cdc_write(&fields, order, again);
    FUZZ_REQUIRE(memcmp(again, bytes.p, sizeof again) == 0);
}

static void check_record(struct smc_view bytes)
{
    struct smc_smcd_record record;
    struct smc_view data;
    struct smc_reject why;
    uint8_t again[smc_smcd_record_size];
    struct smc_smcd_record_fields fields;
    if (!smc_smcd_record_parse(bytes, &record, &data, &why)) {
        fuzz_check_reject(&why, smc_view_len(bytes));
        return;
    }
    FUZZ_REQUIRE(data.p >= bytes.p && data.p <= data.end && data.end <= bytes.end);
    smc_smcd_record_decode(record, &fields);
    smc_smcd_record_encode(&fields, again);
    FUZZ_REQUIRE(memcmp(again, bytes.p, sizeof again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct smc_view bytes = smc_view_of(data, size);
    check_cdc(bytes);
    check_block(bytes, SMC_ORDER_LITTLE);
    check_block(bytes, SMC_ORDER_BIG);
    check_record(bytes);
    return 0;
}
