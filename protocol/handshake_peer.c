/* The values of Accept and Confirm: own ones put in, the peer's taken over.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "handshake.h"

enum { SAID_CLOSE = 0x60 }; /* C or A among the connection flags */

uint32_t smc_hs_diagnosis(int error, bool smc_d)
{
    switch (error) {
    case SMC_ERR_NOMEM:
        return SMC_DIAG_MEM;
    case SMC_ERR_NOSPACE:
        return smc_d ? SMC_DIAG_MAX_DMB : SMC_DIAG_MEM; /* [SMCD-016] */
    case SMC_ERR_GONE:
        return smc_d ? SMC_DIAG_NOSMCDDEV : SMC_DIAG_NOACTLINK;
    case SMC_ERR_UNSUPPORTED:
        return smc_d ? SMC_DIAG_ISMVLANERR : SMC_DIAG_INTERR; /* [SMCD-030] */
    default:
        return SMC_DIAG_INTERR;
    }
}

/* ---- Own values --------------------------------------------------------------------------------- */
static void fill_d(const struct smc_handshake *h, struct smc_clc_accept_info *m)
{
    const struct smc_group *g = h->c->group;
    memcpy(m->gid, g->device->device->gid.bytes, sizeof(m->gid));
    m->dmb_token = h->c->rmb->dmb.token;
    m->link_id = g->link_id;
    m->chid = g->device->device->ops->get_fabric_id(g->device->device);
}

static void fill_r(struct smc_handshake *h, struct smc_clc_accept_info *m)
{
    struct smc_connection *c = h->c;
    const struct smc_link *link = c->link;
    const struct smc_rdma_mr *mr = &c->rmb->mrs[link->slot];
    memcpy(m->peer_id, c->ep->peer_id, sizeof(m->peer_id));
    memcpy(m->gid, link->gid.bytes, sizeof(m->gid));
    memcpy(m->mac, link->mac, sizeof(m->mac));
    m->qpn = link->qpn;
    m->psn = link->psn;
    m->mtu = link->mtu; /* in the Confirm the smaller of both [CLC-035]: the link is in RTR */
    m->rkey = mr->rkey;
    m->rmb_va = mr->remote_address;
    m->token = c->token;
    c->rmb->announced[link->slot / 8] |= (uint8_t)(1u << (link->slot % 8));
}

static void fill_extension(const struct smc_handshake *h, struct smc_clc_accept_info *m)
{
    const struct smc_endpoint *ep = h->c->ep;
    bool smc_d = h->choice.smc_d;
    m->fce_len = smc_d && h->choice.release == 0 ? SMC_CLC_FCE_SHORT : SMC_CLC_FCE_LONG; /* [CLC-059] */
    m->os_type = ep->config.os_type;
    m->release = h->choice.release;
    memcpy(m->hostname, ep->config.hostname, sizeof(m->hostname));
    m->v2_direct = !smc_d && h->choice.route.direct;
    if (h->choice.release < 1)
        return;
    m->features = h->choice.features;
    m->max_conns = smc_d ? 0 : h->choice.max_conns;
    m->max_links = smc_d ? 0 : h->choice.max_links;
}

void smc_hs_fill_accept(struct smc_handshake *h, struct smc_clc_accept_info *m, uint8_t type)
{
    const struct smc_connection *c = h->c;
    bool first = h->choice.first_contact;
    memset(m, 0, sizeof(*m));
    m->type = type;
    m->version = h->choice.version;
    m->path = h->choice.smc_d ? SMC_PATH_D : SMC_PATH_R;
    m->first_contact = first && (type == SMC_CLC_ACCEPT || c->ep->profile.confirm_repeats_f || m->version >= 2); /* [CLC-032] */
    m->bsize = c->rmb->bsize;
    m->rmbe_index = c->rmbe_index;
    if (h->choice.smc_d)
        fill_d(h, m);
    else
        fill_r(h, m);
    if (m->version < 2)
        return;
    m->has_eid = true;
    memcpy(m->eid, h->choice.eid, sizeof(m->eid));
    if (first)
        fill_extension(h, m);
}

/* ---- The peer's --------------------------------------------------------------------------------- */
bool smc_hs_reachable(const struct smc_handshake *h)
{
    const struct smc_choice *choice = &h->choice;
    return !choice->device->gone && smc_dibs_query_remote_gid(choice->device->device, &choice->peer_gid,
                                                              choice->vlan_valid && choice->version < 2, choice->vlan_id) == 0;
}

/* The element is named although an earlier connection writes there: that one ends, without touching it (RFC 7609 4.4.2)
 * [CLC-039]. If it has sent C or A it writes no more, and the peer's own C may only have been overtaken. */
static void end_conflict(const struct smc_connection *c)
{
    struct smc_list *n, *following;
    if (c->ep->profile.rmbe_conflict_unseen) /* */
        return;
    SMC_LIST_EACH(n, following, &c->group->conns) {
        struct smc_connection *other = SMC_LIST_ENTRY(n, struct smc_connection, of_group);
        if (other == c || !other->started || other->state == SMC_STATE_CLOSED || (other->tx_conn_flags & SAID_CLOSE) != 0 ||
            other->peer_row != c->peer_row || other->peer_rmbe_index != c->peer_rmbe_index)
            continue;
        smc_close_abort(other, SMC_ERR_RESET);
        return; /* there is one at most */
    }
}

/* The link whose QP the message names: a client may confirm on another link than the Accept's [CLC-040]. NULL: none. */
static const struct smc_link *named_link(const struct smc_handshake *h, const struct smc_clc_accept_info *m)
{
    const struct smc_group *g = h->c->group;
    if (h->c->client || h->choice.first_contact)
        return h->c->link;
    for (unsigned i = 0; i < g->link_slots; i++) {
        const struct smc_link *link = g->links[i];
        if (link != NULL && link->state == SMC_LINK_ACTIVE && link->peer_qpn == m->qpn &&
            memcmp(link->peer_gid.bytes, m->gid, sizeof(m->gid)) == 0)
            return link;
    }
    return NULL;
}

static uint32_t take_rtoken(struct smc_handshake *h, const struct smc_clc_accept_info *m)
{
    struct smc_connection *c = h->c;
    struct smc_group *g = c->group;
    const struct smc_link *link = named_link(h, m);
    if (link == NULL)
        return SMC_DIAG_NOSRVLINK;
    c->peer_token = m->token;
    c->peer_rmbe_offset = (uint32_t)(m->rmbe_index - 1) * c->peer_rmbe_bytes; /* [CLC-038] */
    int row = smc_rtoken_add(g, link, m->rkey, m->rmb_va);
    if (row < 0)
        return SMC_DIAG_ERR_RTOK;
    c->peer_row = (int16_t)row;
    if (link != c->link && !g->rtokens[(size_t)row * g->link_slots + c->link->slot].valid)
        return SMC_DIAG_ERR_RTOK; /* a new RMB of which the connection's own link has not heard */
    end_conflict(c);
    return 0;
}

uint32_t smc_hs_take_peer(struct smc_handshake *h, const struct smc_clc_accept_info *m)
{
    struct smc_connection *c = h->c;
    c->peer_rmbe_bytes = (uint32_t)smc_clc_buffer_size(m->bsize); /* negotiate.c has bounded both [CLC-033] */
    c->peer_rmbe_index = m->rmbe_index;
    if (!h->choice.smc_d)
        return take_rtoken(h, m);
    c->peer_dmb_token = m->dmb_token;
    c->peer_rmbe_offset = (uint32_t)m->rmbe_index * c->peer_rmbe_bytes;
    c->group->peer_link_id = m->link_id;
    return 0;
}

void smc_hs_take_link(struct smc_handshake *h, const struct smc_clc_accept_info *m)
{
    struct smc_link *link = h->c->link;
    struct smc_group *g = h->c->group;
    memcpy(link->peer_gid.bytes, m->gid, sizeof(link->peer_gid.bytes));
    memcpy(link->peer_mac, m->mac, sizeof(link->peer_mac));
    link->peer_qpn = m->qpn;
    link->peer_psn = m->psn;
    link->peer_mtu = m->mtu; /* [CLC-034] */
    link->v2_direct = h->choice.route.direct;
    memcpy(link->next_hop_mac, h->choice.route.next_hop_mac, sizeof(link->next_hop_mac));
    memcpy(g->peer_hostname, m->hostname, sizeof(g->peer_hostname));
    g->peer_os = m->os_type;
}
