/* SMC-D: the device that an Accept chooses must be one that was offered.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "check_clc.h"

#include <string.h>

struct device {
    bool chid_offered; /* some entry has the CHID */
    bool usable;       /* ... and is whole: native, or both halves of a pair */
    uint8_t gid[16];   /* of a pair */
};

/* [CLC-070] An emulated device takes two consecutive entries with the same CHID; a half alone is passed over. */
static struct device find_device(const struct smc_clc_proposal_info *p, uint16_t chid)
{
    static const uint8_t none[8];
    struct device d = {0};
    if (p->ism_chid == chid && memcmp(p->ism_gid, none, sizeof none) != 0)
        d.chid_offered = d.usable = true;
    for (unsigned i = 0; i < p->gid_count && i < SMC_CLC_MAX_GIDS; i++) {
        const struct smc_clc_gid_chid_fields *entry = &p->entries[i];
        bool emulated = entry->chid >= SMC_CHID_EMULATED;
        bool pair = emulated && i + 1u < p->gid_count && i + 1 < SMC_CLC_MAX_GIDS && entry[1].chid == entry->chid;
        if (entry->chid == chid) {
            d.chid_offered = true;
            d.usable |= pair || !emulated;
            if (pair) {
                memcpy(d.gid, entry->gid, 8);
                memcpy(d.gid + 8, entry[1].gid, 8);
            }
        }
        i += pair;
    }
    return d;
}

void clc_smcd_accept(struct judge *j, const struct trace_clc_event *e)
{
    const struct smc_clc_proposal_info *p = &e->conn->proposal;
    const struct smc_clc_accept_info *a = &e->accept;
    if (a->version < 2 || !p->has_d_ext)
        return;
    struct device d = find_device(p, a->chid);
    struct judge_case at_fault = {.req = REQ_CLC_078, .side = e->side, .frame = e->frame,
                                  .related = {e->conn->proposal_frame}, .conn = e->conn, .offset = 32, .v2 = true};
    if (!judge_holds(j, REQ_CLC_078, d.chid_offered && a->chid != 0)) {
        judge_report(j, &at_fault, JT("CHID %#06x", a->chid), "a CHID of the Proposal",
                     "the Accept names a device that was not offered");
        return;
    }
    if (a->chid < SMC_CHID_EMULATED)
        return;
    at_fault.req = REQ_CLC_070;
    if (!judge_holds(j, REQ_CLC_070, d.usable)) {
        judge_report(j, &at_fault, JT("CHID %#06x", a->chid), "a device with both halves of its GID",
                     "the Accept uses an emulated device of which the Proposal has one half only");
        return;
    }
    if (a->chid != SMC_CHID_LOOPBACK)
        return;
    /* [CLC-071] Loopback: both ends are the same device. */
    at_fault.req = REQ_CLC_071;
    at_fault.offset = 8;
    if (!judge_holds(j, REQ_CLC_071, memcmp(d.gid, a->gid, 16) == 0))
        judge_report(j, &at_fault, JHEX(a->gid, 16), JHEX(d.gid, 16), "loopback with a GID that is not the client's");
}
