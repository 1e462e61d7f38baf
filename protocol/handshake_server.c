/* The server's half of the CLC handshake: what it picks from a Proposal, Accept, the client's Confirm.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "handshake.h"

enum { MESSAGE_BYTES = 1024 };

static void next_step(struct smc_handshake *h, uint32_t reason)
{
    if (h->first_reason == 0)
        h->first_reason = reason; /* the first one stored is the Decline's (§1.6) */
    h->step++;
    smc_hs_server_proposal(h);
}

static void choose(struct smc_handshake *h, const struct smc_agreement *agreed)
{
    h->choice = (struct smc_choice){.smc_d = agreed->smc_d,
                                    .version = agreed->version,
                                    .release = agreed->release,
                                    .max_conns = agreed->max_conns,
                                    .max_links = agreed->max_links,
                                    .features = agreed->features,
                                    .vlan_valid = h->vlan_valid,
                                    .vlan_id = h->vlan_id,
                                    .peer_gid = agreed->peer_gid,
                                    .chid = agreed->chid,
                                    .own_ip = h->own_ip,
                                    .peer_ip = h->peer_ip};
    if (agreed->smc_d)
        h->choice.device = h->uses[agreed->device];
    memcpy(h->choice.eid, agreed->eid, sizeof(h->choice.eid));
    memcpy(h->choice.peer_id, h->proposal.peer_id, sizeof(h->choice.peer_id));
    memcpy(h->choice.peer_mac, h->proposal.mac, sizeof(h->choice.peer_mac));
}

static uint32_t set_up(struct smc_handshake *h)
{
    struct smc_connection *c = h->c;
    struct smc_link *link;
    bool no_link;
    int error = 0;
    struct smc_group *group = smc_group_find(c->ep, &h->choice, &link, &no_link);
    h->choice.first_contact = group == NULL;
    if (group == NULL)
        error = smc_group_new(c->ep, &h->choice, &group);
    if (error != 0)
        return smc_hs_diagnosis(error, h->choice.smc_d);
    error = smc_group_attach(group, h->choice.first_contact && !group->smc_d ? group->links[0] : NULL, c);
    if (error != 0 && h->choice.first_contact) {
        smc_group_terminate(group, SMC_LLC_DEL_PROGRAM, false);
        return smc_hs_diagnosis(error, h->choice.smc_d);
    }
    if (error == 0)
        error = smc_buf_rmb(c, c->rmb_wanted);
    if (error != 0)
        smc_group_detach(c);
    return error == 0 ? 0 : smc_hs_diagnosis(error, h->choice.smc_d);
}

static void ready(struct smc_handshake *h)
{
    struct smc_connection *c = h->c;
    uint32_t diagnosis = set_up(h);
    if (diagnosis != 0) {
        next_step(h, diagnosis);
    } else if (!c->group->smc_d && !h->choice.first_contact && smc_rmb_needs_confirm(c->rmb)) {
        smc_hs_wait(h, SMC_HS_RKEY, 0);
        smc_flow_confirm_rkey(c);
    } else {
        smc_hs_server_accept(h);
    }
}

void smc_hs_server_proposal(struct smc_handshake *h)
{
    if (h->step >= h->step_count) {
        smc_hs_decline(h, h->first_reason != 0 ? h->first_reason : SMC_DIAG_NOSMCDEV, false);
        return;
    }
    const struct smc_step *step = &h->steps[h->step];
    if (step->diagnosis != 0) {
        if (step->final)
            h->step = h->step_count;
        next_step(h, step->diagnosis);
        return;
    }
    choose(h, &step->agreement);
    if (h->choice.smc_d ? !smc_hs_reachable(h) : smc_hs_choose_port(h, h->choice.version, &h->choice) != 0) { /* [SMCD-025] */
        next_step(h, !h->choice.smc_d ? SMC_DIAG_NOSMCRDEV : h->choice.version >= 2 ? SMC_DIAG_NOSMCD2DEV : SMC_DIAG_NOSMCDDEV);
        return;
    }
    if (smc_hs_pend(h))
        return;
    if (!h->choice.smc_d && h->choice.version >= 2)
        smc_hs_ask_route(h);
    else
        ready(h);
}

void smc_hs_server_routed(struct smc_handshake *h, int error, const struct smc_route *route)
{
    h->choice.route = *route;
    if (error != 0)
        next_step(h, SMC_DIAG_NOROUTE);
    else if (!smc_hs_pend(h)) /* time has passed */
        ready(h);
}

void smc_hs_server_accept(struct smc_handshake *h)
{
    uint8_t bytes[MESSAGE_BYTES];
    struct smc_connection *c = h->c;
    smc_hs_fill_accept(h, &h->accept, SMC_CLC_ACCEPT);
    size_t length = smc_clc_encode_accept(&h->accept, bytes, sizeof(bytes));
    c->offered = true;
    if (length == 0 || smc_hs_send(h, bytes, length) != 0)
        smc_hs_fatal(h, SMC_ERR_RESET);
    else
        smc_hs_wait(h, SMC_HS_WAIT_CONFIRM, c->ep->profile.clc_timeout_ns);
}

static uint32_t take_link(struct smc_handshake *h, const struct smc_clc_accept_info *confirm)
{
    smc_hs_take_link(h, confirm);
    if (h->choice.version >= 2) /* the Proposal may not have said who the client is */
        memcpy(h->c->group->peer_id, confirm->peer_id, sizeof(confirm->peer_id));
    int error = smc_link_rtr(h->c->link);
    if (error == 0)
        error = smc_link_rts(h->c->link);
    if (error == 0 && confirm->has_gid_list) {
        /* Kept for a second link: the client's other GIDs. */
        struct smc_group *g = h->c->group;
        size_t bytes = smc_view_len(confirm->gids);
        g->gids = bytes > 0 ? h->c->ep->alloc->allocate(h->c->ep->alloc->user, bytes) : NULL;
        if (g->gids != NULL) {
            memcpy(g->gids, confirm->gids.p, bytes);
            g->gid_count = (unsigned)(bytes / 16);
        }
    }
    return error == 0 ? 0 : error == SMC_ERR_PROTOCOL ? SMC_DIAG_INTERR : SMC_DIAG_ERR_RDYLNK;
}

/* SMC-D: the DMB is registered for the GID that the Proposal named [SMCD-011]. */
static bool same_gid(const struct smc_handshake *h, const struct smc_clc_accept_info *confirm)
{
    bool whole = h->choice.version >= 2 && h->choice.chid >= SMC_CHID_EMULATED; /* [SMCD-017] */
    return memcmp(confirm->gid, h->c->group->peer_gid.bytes, whole ? 16 : 8) == 0;
}

void smc_hs_server_confirm(struct smc_handshake *h, const struct smc_clc_accept_info *confirm)
{
    struct smc_connection *c = h->c;
    bool llc = !c->group->smc_d && h->choice.first_contact;
    uint32_t diagnosis = smc_negotiate_confirm(&h->accept, confirm);
    if (diagnosis == 0 && h->choice.smc_d && !same_gid(h, confirm))
        diagnosis = SMC_DIAG_CNFERR;
    if (diagnosis == 0)
        diagnosis = smc_hs_take_peer(h, confirm);
    if (diagnosis == 0 && llc)
        diagnosis = take_link(h, confirm);
    if (diagnosis != 0) {
        smc_hs_decline_late(h, diagnosis);
    } else if (!llc) {
        smc_hs_established(h);
    } else {
        smc_hs_wait(h, SMC_HS_LLC, 0);
        smc_flow_first_contact(c->group, c);
    }
}
