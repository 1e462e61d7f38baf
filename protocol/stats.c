/* Counters, states' names, and what is shown of groups and connections.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "core.h"

const char *smc_state_name(int state)
{
    switch (state) {
    case SMC_STATE_ACTIVE: return "ACTIVE";
    case SMC_STATE_INIT: return "INIT";
    case SMC_STATE_CLOSED: return "CLOSED";
    case SMC_STATE_LISTEN: return "LISTEN";
    case SMC_STATE_PEERCLOSEWAIT1: return "PEERCLOSEWAIT1";
    case SMC_STATE_PEERCLOSEWAIT2: return "PEERCLOSEWAIT2";
    case SMC_STATE_APPCLOSEWAIT1: return "APPCLOSEWAIT1";
    case SMC_STATE_APPCLOSEWAIT2: return "APPCLOSEWAIT2";
    case SMC_STATE_APPFINCLOSEWAIT: return "APPFINCLOSEWAIT";
    case SMC_STATE_PEERFINCLOSEWAIT: return "PEERFINCLOSEWAIT";
    case SMC_STATE_PEERABORTWAIT: return "PEERABORTWAIT";
    case SMC_STATE_PROCESSABORT: return "PROCESSABORT";
    default: return "?";
    }
}

const struct smc_counters *smc_endpoint_counters(const struct smc_endpoint *ep)
{
    return &ep->counters;
}

static void show_link(const struct smc_link *link, struct smc_link_info *out)
{
    *out = (struct smc_link_info){
        .number = link->number,
        .state = link->state,
        .device = link->rnic != NULL ? link->rnic->device->name : "",
        .port = link->port,
        .gid = link->gid,
        .peer_gid = link->peer_gid,
        .qp_number = link->qpn,
        .peer_qp_number = link->peer_qpn,
        .connections = link->connections,
        .asymmetric = link->asymmetric,
    };
}

static void show_group(const struct smc_group *g, struct smc_group_info *out)
{
    *out = (struct smc_group_info){
        .id = g->id,
        .client = g->client,
        .smc_d = g->smc_d,
        .version = g->version,
        .release = g->release,
        .type = g->type,
        .connections = g->connections,
        .max_conns = g->max_conns,
        .max_links = g->max_links,
        .rmbs = g->rmb_count,
        .peer_gid = g->peer_gid,
        .vlan_valid = g->vlan_valid,
        .vlan_id = g->vlan_id,
        .flow = g->smc_d ? "none" : smc_flow_name(g),
    };
    memcpy(out->peer_id, g->peer_id, sizeof(out->peer_id));
    for (unsigned row = 0; row < g->rtoken_rows; row++)
        out->rtokens += (g->rtoken_used[row / 8] >> (row % 8)) & 1;
    for (unsigned i = 0; i < g->link_slots && i < SMC_LINK_SLOTS_MAX; i++)
        if (g->links[i] != NULL)
            show_link(g->links[i], &out->links[out->link_count++]);
}

bool smc_endpoint_get_group(const struct smc_endpoint *ep, unsigned i, struct smc_group_info *out)
{
    for (const struct smc_list *n = ep->groups.next; n != &ep->groups; n = n->next) {
        if (i-- == 0) {
            show_group((const struct smc_group *)(const void *)((const char *)n - offsetof(struct smc_group, all)), out);
            return true;
        }
    }
    return false;
}
