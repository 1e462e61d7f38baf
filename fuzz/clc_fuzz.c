/* Fuzz target: the CLC decoder. Whatever it accepts is whole inside the bytes, and encoding what was decoded is stable.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "fuzz.h"

#include "wire/clc.h"
#include <string.h>

enum { BUFFER = 1 << 16 };

static void ignore(void *ctx, const struct smc_reject *why)
{
    *(unsigned *)ctx += 1;
    fuzz_check_reject(why, BUFFER);
}

/* Encodes a parsed message by way of its decoded form; 0 if its kind has none or holds what an encoder refuses. */
static size_t again(const struct smc_parsed *m, uint8_t *buffer)
{
    struct smc_clc_proposal_info proposal;
    struct smc_clc_accept_info accept;
    struct smc_clc_decline_info decline;
    if (smc_clc_decode_proposal(m, &proposal))
        return smc_clc_encode_proposal(&proposal, buffer, BUFFER);
    if (smc_clc_decode_accept(m, &accept))
        return smc_clc_encode_accept(&accept, buffer, BUFFER);
    FUZZ_REQUIRE(smc_clc_decode_decline(m, &decline));
    return smc_clc_encode_decline(&decline, buffer, BUFFER);
}

/* The first encoding drops reserved bits and gaps; from then on nothing changes. */
static void check_identity(const struct smc_parsed *m)
{
    static uint8_t first[BUFFER], second[BUFFER];
    struct smc_parsed parsed;
    struct smc_reject why;
    size_t n = again(m, first);
    if (n == 0)
        return;
    FUZZ_REQUIRE(smc_clc_parse(smc_view_of(first, n), &parsed, &why));
    FUZZ_REQUIRE(again(&parsed, second) == n && memcmp(first, second, n) == 0);
}

static void check_parse(struct smc_view bytes)
{
    struct smc_parsed parsed;
    struct smc_reject why;
    unsigned calls = 0;
    if (!smc_clc_parse(bytes, &parsed, &why)) {
        fuzz_check_reject(&why, smc_view_len(bytes));
        return;
    }
    fuzz_check_parsed(&parsed);
    FUZZ_REQUIRE(smc_clc_check(&parsed, ignore, &calls) == calls);
    check_identity(&parsed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct smc_view bytes = smc_view_of(data, size);
    struct smc_reject why;
    size_t len = 0;
    enum smc_frame frame = smc_clc_frame(bytes, &len, &why);
    if (frame == SMC_FRAME_OK) {
        FUZZ_REQUIRE(len >= SMC_CLC_MIN && len <= size);
        check_parse(smc_view_sub(bytes, 0, len));
    } else if (frame == SMC_FRAME_BAD) {
        fuzz_check_reject(&why, size);
    }
    check_parse(bytes);
    return 0;
}
