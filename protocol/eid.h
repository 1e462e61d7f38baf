/* Enterprise ids: UEIDs and the system EID (SEID) by which SMC version 2 decides who may talk to whom.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SMC_EID_H
#define SMC_EID_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/clc.h"

/* The EIDs of one host. All members are borrowed. */
struct smc_eids {
    const uint8_t (*ueids)[SMC_CLC_EID_BYTES]; /* in order of preference */
    unsigned ueid_count;
    bool seid_enabled;
    const uint8_t *seid; /* 32 bytes; read only if enabled */
};

/* Is this [A-Z0-9][A-Z0-9.-]*, blank padded to 32 bytes? [CLC-063] */
bool smc_eid_valid(const uint8_t eid[SMC_CLC_EID_BYTES]);
/* Text, 1 to 32 characters, blanks at its end allowed; false: it is no EID (out is then undefined). */
bool smc_eid_from_text(const char *text, uint8_t out[SMC_CLC_EID_BYTES]);

/* A server's choice (state-machines §1.10). SMC-D: the SEID if both enabled it and they are equal, else as SMC-R: the first UEID
 * in the client's order that the server knows. False: there is none in common. [CLC-062] */
bool smc_eid_choose(const struct smc_eids *own, const struct smc_clc_proposal_info *proposal, bool smc_d,
                    uint8_t out[SMC_CLC_EID_BYTES]);
/* Did this Proposal offer that EID for SMC-D or SMC-R? [CLC-061] */
bool smc_eid_offered(const struct smc_clc_proposal_info *proposal, bool smc_d, const uint8_t eid[SMC_CLC_EID_BYTES]);

#endif
