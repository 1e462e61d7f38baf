/* Enterprise ids: their syntax, a server's choice among them, and an endpoint's list.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "eid.h"

#include "core.h"

enum { UEIDS_MAX = SMC_CLC_MAX_EIDS };

static bool starts(uint8_t ch)
{
    return (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9');
}

bool smc_eid_valid(const uint8_t eid[SMC_CLC_EID_BYTES])
{
    if (!starts(eid[0]))
        return false;
    unsigned i = 1;
    while (i < SMC_CLC_EID_BYTES && (starts(eid[i]) || eid[i] == '.' || eid[i] == '-'))
        i++;
    while (i < SMC_CLC_EID_BYTES && eid[i] == ' ')
        i++;
    return i == SMC_CLC_EID_BYTES;
}

bool smc_eid_from_text(const char *text, uint8_t out[SMC_CLC_EID_BYTES])
{
    unsigned n = 0;
    memset(out, ' ', SMC_CLC_EID_BYTES);
    while (n < SMC_CLC_EID_BYTES && text[n] != '\0') {
        out[n] = (uint8_t)text[n];
        n++;
    }
    return text[n] == '\0' && smc_eid_valid(out);
}

static bool equal(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, SMC_CLC_EID_BYTES) == 0;
}

static bool known(const struct smc_eids *own, const uint8_t *ueid)
{
    for (unsigned i = 0; i < own->ueid_count; i++)
        if (equal(own->ueids[i], ueid))
            return true;
    return false;
}

bool smc_eid_choose(const struct smc_eids *own, const struct smc_clc_proposal_info *p, bool smc_d,
                    uint8_t out[SMC_CLC_EID_BYTES])
{
    /* Equal SEIDs do not match unless both say that theirs is valid [CLC-062]; SMC-R does without [CLC-064]. */
    if (smc_d && own->seid_enabled && p->seid_valid && p->has_d_ext && equal(own->seid, p->seid)) {
        memcpy(out, own->seid, SMC_CLC_EID_BYTES);
        return true;
    }
    for (unsigned i = 0; i < p->eid_count && i < SMC_CLC_MAX_EIDS; i++) {
        if (known(own, p->eids[i])) {
            memcpy(out, p->eids[i], SMC_CLC_EID_BYTES);
            return true;
        }
    }
    return false;
}

bool smc_eid_offered(const struct smc_clc_proposal_info *p, bool smc_d, const uint8_t eid[SMC_CLC_EID_BYTES])
{
    if (smc_d && p->seid_valid && p->has_d_ext && equal(p->seid, eid))
        return true;
    for (unsigned i = 0; i < p->eid_count && i < SMC_CLC_MAX_EIDS; i++)
        if (equal(p->eids[i], eid))
            return true;
    return false;
}

/* ---- The endpoint's list ------------------------------------------------------------------------ */
static unsigned find(const struct smc_endpoint *ep, const uint8_t *ueid)
{
    unsigned i = 0;
    while (i < ep->ueid_count && !equal(ep->ueids[i], ueid))
        i++;
    return i;
}

int smc_endpoint_add_ueid(struct smc_endpoint *ep, const char *ueid)
{
    uint8_t eid[SMC_CLC_EID_BYTES];
    if (!smc_eid_from_text(ueid, eid))
        return SMC_ERR_ARGUMENT;
    if (find(ep, eid) < ep->ueid_count)
        return SMC_ERR_EXISTS;
    if (ep->ueid_count == UEIDS_MAX)
        return SMC_ERR_NOSPACE;
    memcpy(ep->ueids[ep->ueid_count++], eid, sizeof(eid));
    return 0;
}

int smc_endpoint_remove_ueid(struct smc_endpoint *ep, const char *ueid)
{
    uint8_t eid[SMC_CLC_EID_BYTES];
    if (!smc_eid_from_text(ueid, eid))
        return SMC_ERR_ARGUMENT;
    unsigned i = find(ep, eid);
    if (i == ep->ueid_count)
        return SMC_ERR_NOTFOUND;
    ep->ueid_count--;
    memmove(ep->ueids[i], ep->ueids[i + 1], (ep->ueid_count - i) * sizeof(ep->ueids[0]));
    return 0;
}
