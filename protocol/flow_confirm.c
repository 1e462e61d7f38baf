/* CONFIRM LINK, of the first link of a group and of later ones.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "flow.h"

enum { NO_EYECATCHER = 3 };

/* From v2.1 on CLC has settled it; before, CONFIRM LINK does [LLC-013]. */
static bool links_negotiated_here(const struct smc_group *g)
{
    return g->version == 1 || g->release == 0;
}

static uint8_t most_links(const struct smc_group *g)
{
    return links_negotiated_here(g) && g->max_links < 2 ? 2 : g->max_links;
}

static int send_confirm(struct smc_flow *f, struct smc_link *link, bool response)
{
    const struct smc_group *g = f->group;
    struct smc_llc_info m = {.type = SMC_LLC_CONFIRM_LINK,
                             .response = response,
                             .no_eyecatcher = g->eyecatcher_own && g->version == 1 ? 0 : NO_EYECATCHER, /* [LLC-012] */
                             .qpn = link->qpn,
                             .link_number = link->number, /* [LLC-010] */
                             .link_user_id = link->user_id,
                             .max_links = most_links(g),
                             .max_conns = links_negotiated_here(g) ? 0 : g->max_conns};
    memcpy(m.mac, link->mac, sizeof(m.mac));
    memcpy(m.gid, link->gid.bytes, sizeof(m.gid));
    return smc_flow_send(f, link, &m);
}

void smc_flow_confirm_request(struct smc_flow *f, struct smc_link *link)
{
    if (send_confirm(f, link, false) < 0)
        smc_flow_fail_link(f, link);
}

/* [LLC-011] as in CLC or ADD LINK. */
static bool is_peer(const struct smc_link *link, const struct smc_llc_info *m)
{
    return memcmp(link->peer_mac, m->mac, sizeof(m->mac)) == 0 && memcmp(link->peer_gid.bytes, m->gid, sizeof(m->gid)) == 0 &&
           link->peer_qpn == m->qpn;
}

/* [LLC-013] [LLC-014] */
static bool take_max_links(struct smc_group *g, const struct smc_llc_info *m)
{
    if (!links_negotiated_here(g))
        return true;
    if (m->max_links < 2 || m->max_links > 8 || (!g->client && m->max_links > most_links(g)))
        return g->ep->profile.llc_errors_dropped; /* Linux does not look */
    if (m->max_links < g->max_links)
        g->max_links = m->max_links;
    return true;
}

/* 0, or the reason to decline. */
static uint32_t take_first(struct smc_flow *f, struct smc_link *link, const struct smc_llc_info *m)
{
    struct smc_group *g = f->group;
    bool without = m->no_eyecatcher == NO_EYECATCHER;
    if (!without && g->ep->profile.require_no_eyecatcher) /* [LLC-012] */
        return SMC_DIAG_RMBE_EC;
    if (!is_peer(link, m) || !take_max_links(g, m))
        return SMC_DIAG_INTERR;
    g->eyecatcher_peer = !without;
    link->peer_user_id = m->link_user_id;
    return 0;
}

/* ---- First contact ------------------------------------------------------------------------------ */
static void first_at_client(struct smc_flow *f, struct smc_link *link, const struct smc_llc_info *m)
{
    uint32_t diagnosis = m->link_number == 0 ? SMC_DIAG_INTERR : take_first(f, link, m);
    if (diagnosis != 0) {
        smc_flow_add_fail_first(f, SMC_ERR_PROTOCOL, diagnosis);
        return;
    }
    link->number = m->link_number;
    f->group->last_link_number = link->number;
    f->add.carrier = smc_flow_ref(link);
    if (smc_link_rts(link) < 0 || send_confirm(f, link, true) < 0) {
        smc_flow_add_fail_first(f, SMC_ERR_IO, SMC_DIAG_INTERR);
        return;
    }
    smc_flow_activate(f, link);
    if (most_links(f->group) > 1)
        smc_flow_add_wait(f, FLOW_FIRST_ADD, flow_profile(f)->add_link_timeout_ns);
    else
        smc_flow_add_end(f);
}

static void first_at_server(struct smc_flow *f, struct smc_link *link, const struct smc_llc_info *m)
{
    uint32_t diagnosis = m->link_number != link->number ? SMC_DIAG_INTERR : take_first(f, link, m);
    if (diagnosis != 0) { /* own CONFIRM LINK was sent: too late to decline, but for Linux */
        bool late = diagnosis == SMC_DIAG_RMBE_EC && flow_profile(f)->confirm_link_decline;
        smc_flow_add_fail_first(f, SMC_ERR_PROTOCOL, late ? diagnosis : 0);
        return;
    }
    smc_flow_activate(f, link);
    smc_flow_server_start(f);
}

void smc_flow_first_timeout(struct smc_flow *f)
{
    bool decline = flow_profile(f)->confirm_link_decline; /* */
    if (f->first_unsent) { /* C.2 */
        smc_flow_add_fail_first(f, SMC_ERR_IO, SMC_DIAG_INTERR);
        return;
    }
    smc_flow_add_fail_first(f, SMC_ERR_TIMEOUT, decline ? SMC_DIAG_TIMEOUT_CL : 0);
}

void smc_flow_first_contact(struct smc_group *group, struct smc_connection *c)
{
    struct smc_flow *f = group->flow;
    struct smc_link *link = c->link != NULL ? c->link : group->links[0];
    const struct smc_profile *p = &group->ep->profile;
    f->add.first = c;
    if (group->client) { /* twice the time: Declines that cross must not be read as data */
        f->add.carrier = smc_flow_ref(link);
        smc_flow_add_wait(f, FLOW_FIRST_CONFIRM, 2 * p->confirm_link_timeout_ns);
        return;
    }
    if (link->number == 0)
        link->number = smc_link_next_number(group);
    f->add.carrier = smc_flow_ref(link);
    f->first_unsent = send_confirm(f, link, false) < 0;
    smc_flow_add_wait(f, FLOW_FIRST_CONFIRM, f->first_unsent ? 0 : p->confirm_link_timeout_ns);
}

void smc_flow_abandon(struct smc_group *group, struct smc_connection *c)
{
    struct smc_flow *f = group->flow;
    if (f == NULL || f->add.first != c)
        return;
    f->add.first = NULL;
    if (f->add.state == FLOW_FIRST_CONFIRM || f->add.state == FLOW_FIRST_ADD)
        smc_flow_add_end(f);
}

/* ---- Later links -------------------------------------------------------------------------------- */
static void later_at_client(struct smc_flow *f, struct smc_link *link, const struct smc_llc_info *m)
{
    if (!is_peer(link, m) || m->link_number != link->number || smc_link_rts(link) < 0 || send_confirm(f, link, true) < 0) {
        smc_flow_add_failed(f);
        return;
    }
    link->peer_user_id = m->link_user_id;
    smc_flow_activate(f, link);
    smc_flow_add_end(f);
}

static void later_at_server(struct smc_flow *f, struct smc_link *link, const struct smc_llc_info *m)
{
    if (!is_peer(link, m) || m->link_number != link->number) {
        smc_flow_add_failed(f);
        return;
    }
    link->peer_user_id = m->link_user_id;
    smc_flow_activate(f, link);
    smc_flow_server_confirmed(f);
}

/* [LLC-006]: only on the link that it is about; [LLC-009]: requests of the server, responses of the client. */
void smc_flow_confirm_input(struct smc_flow *f, struct smc_link *link, const struct smc_llc_info *m)
{
    bool client = f->group->client, first = f->add.state == FLOW_FIRST_CONFIRM && smc_flow_deref(f, f->add.carrier) == link;
    bool later = f->add.state == FLOW_ADD_CONFIRM && smc_flow_deref(f, f->add.fresh) == link;
    if (m->response == client || (!first && !later)) {
        smc_flow_drop(f);
        return;
    }
    if (first && client)
        first_at_client(f, link, m);
    else if (first)
        first_at_server(f, link, m);
    else if (client)
        later_at_client(f, link, m);
    else
        later_at_server(f, link, m);
}
