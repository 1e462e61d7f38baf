/* Fuzz target: the LLC decoder, v1 and v2. Encoding what was decoded is stable, the summary agrees with the grammar.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "fuzz.h"

#include "wire/llc.h"
#include <string.h>

/* The first encoding drops reserved bits and what no field holds; from then on nothing changes. */
static void check_identity(const struct smc_llc_info *info)
{
    static uint8_t first[SMC_LLC_V2_MAX], second[SMC_LLC_V2_MAX];
    struct smc_llc_info decoded;
    struct smc_reject why;
    size_t n = smc_llc_encode(info, first, sizeof first);
    if (n == 0)
        return;
    FUZZ_REQUIRE(smc_llc_decode(smc_view_of(first, n), &decoded, &why));
    FUZZ_REQUIRE(decoded.type == info->type && decoded.version == info->version);
    FUZZ_REQUIRE(smc_llc_encode(&decoded, second, sizeof second) == n && memcmp(first, second, n) == 0);
}

static void check_summary(const struct smc_llc_info *info, const struct smc_parsed *parsed)
{
    FUZZ_REQUIRE(info->nothers <= 3);
    if (info->version == 2) {
        FUZZ_REQUIRE(info->nrkeys == smc_part_count(parsed, &smc_llc_rkey_layout));
        FUZZ_REQUIRE(info->nrtokens == smc_part_count(parsed, &smc_llc_rtoken_layout));
    }
    for (unsigned i = 0; i < info->nrkeys; i++)
        (void)smc_llc_info_rkey(info, i);
    for (unsigned i = 0; i < info->nrtokens; i++)
        (void)smc_llc_info_rtoken(info, i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct smc_view bytes = smc_view_of(data, size);
    struct smc_parsed parsed;
    struct smc_llc_info info;
    struct smc_reject why;
    enum smc_llc_class class = smc_llc_classify(bytes);
    FUZZ_REQUIRE((class == SMC_LLC_EMPTY) == (size == 0));
    bool ok = smc_llc_parse(bytes, &parsed, &why);
    if (!ok) {
        fuzz_check_reject(&why, size);
        return 0;
    }
    FUZZ_REQUIRE(class == SMC_LLC_KNOWN && smc_llc_decode(bytes, &info, &why));
    fuzz_check_parsed(&parsed);
    check_summary(&info, &parsed);
    check_identity(&info);
    return 0;
}
