/* RTokens of a new link: which RMBs are named to the peer, and what the peer names.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "flow.h"

static struct smc_rmb *entry(struct smc_list *n)
{
    return SMC_LIST_ENTRY(n, struct smc_rmb, node);
}

/* Used, known to the peer by its rkey on the carrying link, and registered on both [LLC-032] [LLC-033]. */
static bool eligible(const struct smc_flow *f, const struct smc_rmb *rmb, const struct smc_link *carrier, const struct smc_link *fresh)
{
    bool known = flow_bit(rmb->announced, carrier->slot) || (f->add.first != NULL && f->add.first->rmb == rmb);
    return rmb->rmbes_used > 0 && known && !rmb->deleting && flow_bit(rmb->registered, carrier->slot) &&
           flow_bit(rmb->registered, fresh->slot);
}

unsigned smc_flow_share(struct smc_flow *f, const struct smc_link *carrier, const struct smc_link *fresh)
{
    struct smc_list *n, *following;
    unsigned count = 0;
    SMC_LIST_EACH (n, following, &f->group->rmbs) {
        struct smc_rmb *rmb = entry(n);
        rmb->shared = count < SMC_LLC_MAX_RTOKENS && eligible(f, rmb, carrier, fresh);
        count += rmb->shared;
    }
    return count;
}

/* Writes at most `max` of them and returns how many. One that has gone meanwhile leaves an empty pair behind. */
unsigned smc_flow_share_take(struct smc_flow *f, const struct smc_link *carrier, const struct smc_link *fresh, unsigned max, uint8_t *out)
{
    struct smc_list *n, *following;
    unsigned count = 0;
    SMC_LIST_EACH (n, following, &f->group->rmbs) {
        struct smc_rmb *rmb = entry(n);
        if (count == max)
            break;
        if (!rmb->shared)
            continue;
        const struct smc_rdma_mr *mr = &rmb->mrs[fresh->slot];
        struct smc_llc_rtoken_fields pair = {
            .ref_rkey = rmb->mrs[carrier->slot].rkey, .new_rkey = mr->rkey, .new_va = mr->remote_address};
        smc_llc_rtoken_encode(&pair, out + 16 * (size_t)count++);
        rmb->shared = false;
        flow_bit_put(rmb->announced, fresh->slot, true);
    }
    return count;
}

void smc_flow_share_end(struct smc_flow *f, uint8_t slot)
{
    struct smc_list *n, *following;
    SMC_LIST_EACH (n, following, &f->group->rmbs) {
        entry(n)->shared = false;
        flow_bit_put(entry(n)->announced, slot, false);
    }
}

/* A reference that is unknown, and the empty pair, are skipped [LLC-032]. */
void smc_flow_share_read(struct smc_flow *f, const struct smc_link *carrier, const struct smc_link *fresh, const struct smc_llc_info *m)
{
    for (unsigned i = 0; i < m->nrtokens && i < SMC_LLC_MAX_RTOKENS; i++) {
        struct smc_llc_rtoken_fields t = smc_llc_info_rtoken(m, i);
        if (t.ref_rkey != 0 || t.new_rkey != 0)
            (void)smc_rtoken_map(f->group, carrier, t.ref_rkey, fresh, t.new_rkey, t.new_va);
    }
}
