/* ADD LINK, the client's side: accepts or rejects what the server offers, and asks for a link.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "flow.h"

void smc_flow_client_reject(struct smc_flow *f, struct smc_link *link, const uint8_t *request, uint8_t reason)
{
    uint8_t bytes[SMC_LLC_BYTES];
    memcpy(bytes, request, sizeof(bytes));
    if (f->group->version == 1)
        bytes[2] = reason; /* [LLC-023]; v2 has no room for it [LLC-077] */
    if (smc_flow_echo(f, link, bytes, 0x40) < 0)
        smc_flow_fail_link(f, link);
}

/* Of a link that stays: the asymmetric one goes when a symmetric one comes [LLC-018]. */
static bool same_server_rnic(const struct smc_group *g, const struct smc_llc_info *m)
{
    for (unsigned i = 0; i < g->link_slots; i++)
        if (smc_flow_usable(g->links[i]) && !g->links[i]->asymmetric && smc_flow_add_same_rnic(g->links[i], m))
            return true;
    return false;
}

/* The port for the new link. [LLC-015] [LLC-016] [LLC-017] */
static bool choose(struct smc_flow *f, const struct smc_llc_info *m, struct smc_rnic **rnic, uint8_t *port, uint32_t *gid_index,
                   bool *asymmetric)
{
    struct smc_group *g = f->group;
    bool shared = same_server_rnic(g, m), own = false;
    if (g->max_links < 2 || m->link_number == 0 || smc_group_link_by_number(g, m->link_number) != NULL)
        return false;
    if (smc_link_find_port(g, rnic, port, gid_index, &own) < 0 || (own && shared))
        return false;
    *asymmetric = own || shared;
    return *asymmetric ? !smc_flow_add_has_asymmetric(g) : smc_flow_add_symmetric(g) < g->max_links;
}

static int set_up(struct smc_flow *f, struct smc_link *link, const struct smc_llc_info *m)
{
    struct smc_rnic *rnic;
    uint8_t port;
    uint32_t gid_index;
    bool asymmetric;
    struct smc_link *fresh;
    if (!choose(f, m, &rnic, &port, &gid_index, &asymmetric))
        return SMC_ERR_NOTFOUND;
    int rc = smc_link_new(f->group, rnic, port, gid_index, &fresh);
    if (rc < 0)
        return rc;
    fresh->number = m->link_number;
    fresh->asymmetric = asymmetric;
    smc_flow_add_peer(fresh, m);
    f->group->last_link_number = fresh->number;
    f->add.fresh = smc_flow_ref(fresh);
    f->add.carrier = smc_flow_ref(link);
    smc_flow_share_read(f, link, fresh, m); /* v2 */
    rc = smc_buf_register_link(f->group, fresh);
    return rc < 0 ? rc : smc_flow_add_route(f, fresh);
}

/* A request of the server. It is served beside an RKEY exchange of our own, which will be refused [LLC-049]. */
void smc_flow_client_offer(struct smc_flow *f, struct smc_link *link, const struct smc_llc_info *m, const uint8_t *bytes)
{
    bool first = f->add.state == FLOW_FIRST_ADD && link == smc_flow_deref(f, f->add.carrier);
    if ((f->add.state != FLOW_ADD_IDLE && !first) || !smc_flow_usable(link)) {
        smc_flow_drop(f);
        return;
    }
    f->asked = false;
    smc_timer_cancel(&f->group->ep->timers, &f->ask_timer);
    memcpy(f->add.request, bytes, sizeof(f->add.request));
    f->add.carrier = smc_flow_ref(link);
    f->add.state = FLOW_ADD_ROUTE;
    if (m->mtu < SMC_RDMA_MTU_256 || m->mtu > SMC_RDMA_MTU_4096) { /* [LLC-024] */
        smc_flow_client_reject(f, link, bytes, SMC_LLC_REJECT_INVALID_MTU);
        smc_flow_add_end(f);
        return;
    }
    smc_flow_add_routed(f, set_up(f, link, m));
}

static int send_acceptance(struct smc_flow *f, struct smc_link *carrier, struct smc_link *fresh)
{
    uint8_t tokens[16 * SMC_LLC_MAX_RTOKENS];
    struct smc_llc_info m = {0};
    f->add.own_left = smc_flow_share(f, carrier, fresh);
    smc_flow_add_fill(fresh, carrier, &m);
    m.response = true;
    if (m.has_ext) {
        m.nrtokens = smc_flow_share_take(f, carrier, fresh, f->add.own_left, tokens);
        m.count = m.nrtokens;
        m.rtokens = tokens;
    }
    return smc_flow_send(f, carrier, &m);
}

void smc_flow_client_ready(struct smc_flow *f)
{
    struct smc_link *fresh = smc_flow_deref(f, f->add.fresh), *carrier = smc_flow_deref(f, f->add.carrier);
    if (carrier == NULL || smc_link_rtr(fresh) < 0) {
        smc_flow_add_routed(f, SMC_ERR_IO);
        return;
    }
    if (f->group->version == 2)
        smc_flow_add_wait(f, FLOW_ADD_CONFIRM, flow_profile(f)->later_link_timeout_ns);
    else
        smc_flow_add_wait(f, FLOW_ADD_CONTINUE, flow_profile(f)->llc_timeout_ns);
    if (send_acceptance(f, carrier, fresh) < 0)
        smc_flow_fail_link(f, carrier);
}

/* ---- Asking for a link -------------------------------------------------------------------------- */
static void ask_fired(struct smc_timer *timer)
{
    struct smc_flow *f = SMC_LIST_ENTRY(timer, struct smc_flow, ask_timer);
    f->asked = false; /* [LLC-079] */
    smc_flow_kick(f);
}

/* The new GID first: Linux looks at no other. */
static unsigned list_gids(const struct smc_group *g, const struct smc_gid *fresh, uint8_t *out)
{
    unsigned n = 0;
    memcpy(out, fresh->bytes, 16);
    n++;
    for (unsigned i = 0; i < g->link_slots; i++)
        if (smc_flow_usable(g->links[i]) && !smc_gid_equal(&g->links[i]->gid, fresh))
            memcpy(out + 16 * (size_t)n++, g->links[i]->gid.bytes, 16);
    return n;
}

static void send_ask(struct smc_flow *f, struct smc_link *carrier, const struct smc_rdma_gid_entry *entry)
{
    uint8_t gids[16 * (SMC_LINK_SLOTS_MAX + 1)];
    struct smc_llc_info m = {.type = SMC_LLC_ADD_LINK};
    if (f->group->version == 2) {
        m.type = SMC_LLC_REQ_ADD_LINK;
        m.gids = gids;
        m.count = m.ngids = list_gids(f->group, &entry->gid, gids);
        if (m.ngids < 2) /* [LLC-080] */
            return;
    }
    memcpy(m.mac, entry->mac, sizeof(m.mac));
    memcpy(m.gid, entry->gid.bytes, sizeof(m.gid));
    if (smc_flow_send(f, carrier, &m) < 0 || f->group->version != 2) /* v1: not answered [LLC-027] */
        return;
    f->asked = true;
    if (flow_profile(f)->request_add_link_timeout_ns > 0)
        smc_flow_timer(f, &f->ask_timer, flow_profile(f)->request_add_link_timeout_ns, ask_fired);
}

void smc_flow_client_ask(struct smc_flow *f)
{
    struct smc_group *g = f->group;
    struct smc_link *carrier = smc_flow_carrier(f, NULL, NULL);
    struct smc_rnic *rnic;
    struct smc_rdma_gid_entry entry;
    uint8_t port;
    uint32_t index;
    bool asymmetric = false;
    f->want_ask = false;
    if (carrier == NULL || f->asked || g->max_links < 2 || smc_flow_add_symmetric(g) >= g->max_links)
        return;
    if (smc_link_find_port(g, &rnic, &port, &index, &asymmetric) < 0 || asymmetric)
        return;
    if (smc_rnic_find_gid(rnic, port, g->version, g->vlan_valid, g->vlan_id, &index, &entry) == 0)
        send_ask(f, carrier, &entry);
}

/* The server will not add a link. */
void smc_flow_client_answer(struct smc_flow *f, struct smc_link *link)
{
    (void)link;
    if (!f->asked) { /* [LLC-068] */
        smc_flow_drop(f);
        return;
    }
    f->asked = false;
    smc_timer_cancel(&f->group->ep->timers, &f->ask_timer);
    smc_flow_kick(f);
}
