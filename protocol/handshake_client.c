/* The client's half of the CLC handshake: Proposal, the server's Accept, Confirm.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "handshake.h"

enum { MESSAGE_BYTES = 1024 };

void smc_hs_client_start(struct smc_handshake *h)
{
    uint8_t bytes[MESSAGE_BYTES];
    uint32_t diagnosis = smc_negotiate_proposal(&h->own, &h->proposal, &h->offered);
    if (diagnosis != 0) { /* in place of the Proposal */
        smc_hs_decline(h, diagnosis, false);
        return;
    }
    size_t length = smc_clc_encode_proposal(&h->proposal, bytes, sizeof(bytes));
    if (length == 0 || smc_hs_send(h, bytes, length) != 0)
        smc_hs_fatal(h, SMC_ERR_RESET);
    else
        smc_hs_wait(h, SMC_HS_WAIT_ACCEPT, h->c->ep->profile.clc_timeout_ns);
}

/* Everything that the Accept says, as a choice. A diagnosis, or 0. */
static uint32_t choose(struct smc_handshake *h, const struct smc_agreement *agreed)
{
    struct smc_choice *choice = &h->choice;
    *choice = (struct smc_choice){.smc_d = agreed->smc_d,
                                  .client = true,
                                  .first_contact = h->accept.first_contact,
                                  .version = agreed->version,
                                  .release = agreed->release,
                                  .max_conns = agreed->max_conns,
                                  .max_links = agreed->max_links,
                                  .features = agreed->features,
                                  .vlan_valid = h->vlan_valid,
                                  .vlan_id = h->vlan_id,
                                  .peer_gid = agreed->peer_gid,
                                  .peer_qpn = h->accept.qpn,
                                  .chid = agreed->chid,
                                  .own_ip = h->own_ip,
                                  .peer_ip = h->peer_ip};
    memcpy(choice->eid, agreed->eid, sizeof(choice->eid));
    memcpy(choice->peer_id, h->accept.peer_id, sizeof(choice->peer_id));
    memcpy(choice->peer_mac, h->accept.mac, sizeof(choice->peer_mac));
    if (agreed->smc_d) {
        choice->device = h->uses[agreed->device];
        return smc_hs_reachable(h) ? 0 : agreed->version >= 2 ? SMC_DIAG_NOSMCD2DEV : SMC_DIAG_NOSMCDDEV;
    }
    /* A group that exists has its own ports. */
    return !choice->first_contact || smc_hs_choose_port(h, agreed->version, choice) == 0 ? 0 : SMC_DIAG_NOSMCRDEV;
}

static void subsequent(struct smc_handshake *h);
static void first(struct smc_handshake *h);

void smc_hs_client_accept(struct smc_handshake *h)
{
    struct smc_agreement agreed;
    uint32_t diagnosis = smc_negotiate_accept(&h->own, &h->proposal, &h->offered, &h->accept, &agreed);
    if (diagnosis == 0)
        diagnosis = choose(h, &agreed);
    if (diagnosis != 0) {
        smc_hs_decline(h, diagnosis, false);
        return;
    }
    if (!h->accept.first_contact)
        subsequent(h);
    else if (!h->choice.smc_d && h->choice.version >= 2)
        smc_hs_ask_route(h);
    else
        first(h);
}

void smc_hs_client_routed(struct smc_handshake *h, int error, const struct smc_route *route)
{
    if (error != 0) {
        smc_hs_decline(h, SMC_DIAG_NOROUTE, false);
        return;
    }
    h->choice.route = *route;
    if (h->accept.v2_direct != route->direct) /* [§1.10] */
        smc_hs_decline(h, SMC_DIAG_NOINDIRECT, false);
    else
        first(h);
}

static uint32_t set_up(struct smc_handshake *h, struct smc_group *group, struct smc_link *link)
{
    struct smc_connection *c = h->c;
    int error = smc_group_attach(group, link, c);
    if (error == 0)
        error = smc_buf_rmb(c, c->rmb_wanted);
    return error == 0 ? smc_hs_take_peer(h, &h->accept) : smc_hs_diagnosis(error, h->choice.smc_d);
}

static void first(struct smc_handshake *h)
{
    struct smc_group *group;
    int error = smc_group_new(h->c->ep, &h->choice, &group);
    if (error != 0) {
        smc_hs_decline(h, smc_hs_diagnosis(error, h->choice.smc_d), false);
        return;
    }
    smc_group_hold(group);
    uint32_t diagnosis = set_up(h, group, group->smc_d ? NULL : group->links[0]);
    if (diagnosis == 0 && !group->smc_d) {
        smc_hs_take_link(h, &h->accept);
        error = smc_link_rtr(h->c->link);
        diagnosis = error == 0 ? 0 : error == SMC_ERR_PROTOCOL ? SMC_DIAG_INTERR : SMC_DIAG_ERR_RDYLNK; /* C.6: reserved MTU */
    }
    if (diagnosis == 0) {
        smc_hs_client_confirm(h);
    } else {
        smc_hs_decline(h, diagnosis, false);
        if (group->connections == 0)
            smc_group_terminate(group, SMC_LLC_DEL_PROGRAM, false); /* nobody ever joined it */
    }
    (void)smc_group_release(group);
}

static void subsequent(struct smc_handshake *h)
{
    struct smc_connection *c = h->c;
    struct smc_link *link;
    bool no_link;
    struct smc_group *group = smc_group_find(c->ep, &h->choice, &link, &no_link);
    if (group == NULL) {
        if (smc_hs_pend(h))
            return;
        /* The server believes in a group, or a link of it, that we do not have: out of sync [CLC-051]. */
        smc_hs_decline(h, no_link ? SMC_DIAG_NOSRVLINK : SMC_DIAG_SYNCERR, true);
        return;
    }
    uint32_t diagnosis = set_up(h, group, link);
    if (diagnosis != 0) {
        smc_hs_decline(h, diagnosis, false);
    } else if (!group->smc_d && smc_rmb_needs_confirm(c->rmb)) {
        smc_hs_wait(h, SMC_HS_RKEY, 0); /* the flow has timers of its own */
        smc_flow_confirm_rkey(c);
    } else {
        smc_hs_client_confirm(h);
    }
}

static unsigned put_gids(struct smc_handshake *h, uint8_t *gids, unsigned room)
{
    struct smc_endpoint *ep = h->c->ep;
    unsigned n = 1;
    memcpy(gids, h->c->link->gid.bytes, 16); /* the link's own first, as Linux does */
    for (struct smc_list *node = ep->rnics.next; node != &ep->rnics; node = node->next) {
        struct smc_rnic *rnic = SMC_LIST_ENTRY(node, struct smc_rnic, node);
        struct smc_rdma_gid_entry entry;
        uint32_t index;
        for (uint8_t port = 1; port <= rnic->device->port_count && port != 0 && n < room; port++) {
            if (rnic->gone || !smc_ep_pnet_match(rnic->pnet, h->pnet) ||
                smc_rnic_find_gid(rnic, port, 2, h->vlan_valid, h->vlan_id, &index, &entry) != 0 ||
                memcmp(entry.gid.bytes, gids, 16) == 0)
                continue;
            memcpy(gids + 16 * (size_t)n++, entry.gid.bytes, 16);
        }
    }
    return n;
}

void smc_hs_client_confirm(struct smc_handshake *h)
{
    uint8_t bytes[MESSAGE_BYTES], gids[16 * 8];
    struct smc_connection *c = h->c;
    struct smc_clc_accept_info m;
    smc_hs_fill_accept(h, &m, SMC_CLC_CONFIRM);
    if (!c->group->smc_d && m.version >= 2 && h->choice.first_contact) {
        m.has_gid_list = true;
        m.gid_count = put_gids(h, gids, 8);
        m.gids = smc_view_of(gids, 16 * (size_t)m.gid_count);
    }
    size_t length = smc_clc_encode_accept(&m, bytes, sizeof(bytes));
    c->offered = true;
    if (length == 0 || smc_hs_send(h, bytes, length) != 0) {
        smc_hs_fatal(h, SMC_ERR_RESET);
        return;
    }
    h->confirmed = true;
    if (c->group->smc_d || !h->choice.first_contact) {
        smc_hs_established(h); /* it may write at once [§1.3] */
        return;
    }
    smc_hs_wait(h, SMC_HS_LLC, 0);
    smc_flow_first_contact(c->group, c);
}
