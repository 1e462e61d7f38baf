/* What this host has for a connection: ports and dibs devices on its physical network, EIDs, addresses.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "handshake.h"

static bool port_active(struct smc_rnic *rnic, uint8_t port)
{
    struct smc_rdma_port info;
    return rnic->device->ops->query_port(rnic->device, port, &info) == 0 && info.active;
}

int smc_hs_choose_port(struct smc_handshake *h, uint8_t version, struct smc_choice *choice)
{
    struct smc_endpoint *ep = h->c->ep;
    struct smc_rdma_gid_entry entry;
    for (struct smc_list *n = ep->rnics.next; n != &ep->rnics; n = n->next) {
        struct smc_rnic *rnic = SMC_LIST_ENTRY(n, struct smc_rnic, node);
        if (rnic->gone || !smc_ep_pnet_match(rnic->pnet, h->pnet))
            continue;
        for (uint8_t port = 1; port <= rnic->device->port_count && port != 0; port++) {
            if (!port_active(rnic, port) ||
                smc_rnic_find_gid(rnic, port, version, h->vlan_valid, h->vlan_id, &choice->gid_index, &entry) != 0)
                continue;
            choice->rnic = rnic;
            choice->port = port;
            choice->gid = entry.gid;
            memcpy(choice->mac, entry.mac, sizeof(choice->mac));
            return 0;
        }
    }
    return SMC_ERR_NOTFOUND;
}

static void add_devices(struct smc_handshake *h)
{
    struct smc_endpoint *ep = h->c->ep;
    struct smc_own *own = &h->own;
    for (struct smc_list *n = ep->dibs_devices.next; n != &ep->dibs_devices && own->device_count < SMC_OWN_DEVICES_MAX; n = n->next) {
        struct smc_dibs_use *use = SMC_LIST_ENTRY(n, struct smc_dibs_use, node);
        if (use->gone || !smc_ep_pnet_match(use->pnet, h->pnet))
            continue;
        h->uses[own->device_count] = use;
        own->devices[own->device_count++] = (struct smc_own_device){.gid = use->device->gid,
                                                                    .chid = use->device->ops->get_fabric_id(use->device),
                                                                    .v2_capable = smc_dibs_v2_capable(use)};
    }
}

/* The device that version 1 is offered on is on the connection's VLAN from the Proposal on; one that refuses is not offered. */
static void hold_vlan(struct smc_handshake *h)
{
    for (unsigned i = 0; i < h->own.device_count; i++) {
        struct smc_own_device *d = &h->own.devices[i];
        if (d->chid >= SMC_CHID_EMULATED)
            continue;
        if (smc_smcd_vlan_get(h->uses[i], h->vlan_id) == 0) {
            h->vlan_device = h->uses[i];
            return;
        }
        d->no_v1 = true;
    }
}

void smc_hs_fill_own(struct smc_handshake *h)
{
    const struct smc_endpoint *ep = h->c->ep;
    const struct smc_endpoint_config *config = &ep->config;
    struct smc_choice port = {0};
    h->own = (struct smc_own){.v1 = config->v1,
                              .v2 = config->v2,
                              .smc_r = config->smc_r,
                              .smc_d = config->smc_d,
                              .release = config->release,
                              .emulated = config->emulated_ism,
                              .max_conns = ep->profile.max_conns,
                              .max_links = ep->profile.max_links,
                              .smcd_area = ep->profile.proposal_smcd_area,
                              .always_v2 = ep->profile.proposal_always_v2,
                              .subnet_number = ep->profile.subnet_number,
                              .eids = {.ueids = ep->ueids,
                                       .ueid_count = ep->ueid_count,
                                       .seid_enabled = config->seid_enabled,
                                       .seid = config->seid},
                              .own_ip = h->own_ip,
                              .peer_ip = h->peer_ip,
                              .prefixes = h->prefixes,
                              .prefix_count = h->prefix_count};
    memcpy(h->own.peer_id, ep->peer_id, sizeof(h->own.peer_id));
    if (smc_hs_choose_port(h, 1, &port) == 0) {
        h->own.r1 = true;
        h->own.r1_gid = port.gid;
        memcpy(h->own.r1_mac, port.mac, sizeof(port.mac));
    }
    if (smc_hs_choose_port(h, 2, &port) == 0) {
        h->own.r2 = true;
        h->own.r2_gid = port.gid;
    }
    add_devices(h);
    if (h->c->client && h->vlan_valid && h->own.v1 && h->own.smc_d && h->vlan_device == NULL) /* [SMCD-030] */
        hold_vlan(h);
}
