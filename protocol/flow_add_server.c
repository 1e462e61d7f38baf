/* ADD LINK, the server's side: offers a link, learns what became of it, tries again later.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "flow.h"

enum { SHORT_OF_MEMORY_NS = 1000000000 };

/* The client's REQUEST ADD LINK is not met by an ADD LINK [LLC-078]. */
void smc_flow_server_refuse_asker(struct smc_flow *f)
{
    struct smc_link *link = smc_flow_deref(f, f->asker);
    struct smc_llc_info m = {.type = SMC_LLC_REQ_ADD_LINK, .response = true};
    f->asker.set = false;
    if (link != NULL && smc_flow_send(f, link, &m) < 0)
        smc_flow_drop(f);
}

void smc_flow_retry_fired(struct smc_timer *timer)
{
    smc_flow_add_link(SMC_LIST_ENTRY(timer, struct smc_group, retry_timer));
}

static void retry_later(struct smc_flow *f) /* [LLC-067] */
{
    uint64_t after = flow_profile(f)->second_link_retry_ns;
    if (after > 0 && !f->group->dying && f->group->max_links > 1 && smc_flow_add_symmetric(f->group) < 2)
        smc_flow_timer(f, &f->group->retry_timer, after, smc_flow_retry_fired);
}

static void give_up(struct smc_flow *f, int error)
{
    smc_flow_add_free(f); /* [LLC-025] */
    smc_flow_server_refuse_asker(f);
    if (error == SMC_ERR_NOMEM && !f->group->dying) /* soon: a client of version 1 that has asked does not ask again [LLC-028] */
        smc_flow_timer(f, &f->group->retry_timer, SHORT_OF_MEMORY_NS, smc_flow_retry_fired);
    else
        retry_later(f);
    smc_flow_add_end(f);
}

void smc_flow_server_give_up(struct smc_flow *f)
{
    give_up(f, SMC_ERR_GONE);
}

/* [LLC-015] [LLC-016] [LLC-026] */
static bool may_grow(const struct smc_group *g, bool asymmetric)
{
    if (g->max_links < 2)
        return false;
    return asymmetric ? smc_group_active_links(g) == 1 : smc_flow_add_symmetric(g) < g->max_links;
}

/* 0, or an error after which nothing is left. */
static int new_link(struct smc_flow *f, struct smc_link *carrier, struct smc_link **out)
{
    struct smc_rnic *rnic;
    uint8_t port;
    uint32_t gid_index;
    bool asymmetric = false;
    int rc = smc_link_find_port(f->group, &rnic, &port, &gid_index, &asymmetric);
    if (rc < 0)
        return rc;
    if (!may_grow(f->group, asymmetric))
        return SMC_ERR_NOTFOUND;
    rc = smc_link_new(f->group, rnic, port, gid_index, out);
    if (rc < 0)
        return rc;
    struct smc_link *fresh = *out;
    fresh->asymmetric = asymmetric;
    if (fresh->number == 0)
        fresh->number = smc_link_next_number(f->group); /* [LLC-019] [LLC-020] */
    f->add.fresh = smc_flow_ref(fresh);
    f->add.carrier = smc_flow_ref(carrier);
    return smc_buf_register_link(f->group, fresh);
}

static int send_offer(struct smc_flow *f, struct smc_link *carrier, struct smc_link *fresh)
{
    uint8_t tokens[16 * SMC_LLC_MAX_RTOKENS];
    struct smc_llc_info m = {0};
    f->add.own_left = smc_flow_share(f, carrier, fresh);
    smc_flow_add_fill(fresh, carrier, &m);
    if (m.has_ext) {
        m.nrtokens = smc_flow_share_take(f, carrier, fresh, f->add.own_left, tokens);
        m.count = m.nrtokens;
        m.rtokens = tokens;
    }
    return smc_flow_send(f, carrier, &m);
}

void smc_flow_server_start(struct smc_flow *f)
{
    struct smc_link *carrier = smc_flow_carrier(f, smc_flow_deref(f, f->asker), NULL), *fresh;
    f->want_add = false;
    smc_timer_cancel(&f->group->ep->timers, &f->group->retry_timer);
    if (carrier == NULL || (!may_grow(f->group, false) && !may_grow(f->group, true))) {
        smc_flow_server_refuse_asker(f);
        smc_flow_add_end(f);
        return;
    }
    f->add.state = FLOW_ADD_RESPONSE;
    int rc = new_link(f, carrier, &fresh);
    if (rc < 0) {
        give_up(f, rc);
        return;
    }
    smc_flow_add_wait(f, FLOW_ADD_RESPONSE, flow_profile(f)->llc_timeout_ns);
    if (send_offer(f, carrier, fresh) < 0) {
        smc_flow_fail_link(f, carrier); /* [LLC-065]: smc_flow_add_lost() ends this */
        return;
    }
    f->asker.set = false; /* this is the answer */
}

/* ---- The client's answer ------------------------------------------------------------------------ */
/* Is the link that comes out of it allowed? Sets its asymmetric flag. [LLC-016] [LLC-017] */
static bool take_path(struct smc_flow *f, struct smc_link *fresh, const struct smc_llc_info *m)
{
    bool peer_shares = false;
    for (unsigned i = 0; i < f->group->link_slots; i++) {
        const struct smc_link *l = f->group->links[i];
        if (l != fresh && smc_flow_usable(l) && smc_flow_add_same_rnic(l, m)) {
            peer_shares = peer_shares || !l->asymmetric;
            if (l->rnic == fresh->rnic && l->port == fresh->port)
                return false; /* parallel */
        }
    }
    if ((fresh->asymmetric && peer_shares) || (peer_shares && smc_flow_add_has_asymmetric(f->group)))
        return false;
    fresh->asymmetric = fresh->asymmetric || peer_shares;
    return true;
}

static bool acceptable(const struct smc_llc_info *m) /* [LLC-024] */
{
    return m->mtu >= SMC_RDMA_MTU_256 && m->mtu <= SMC_RDMA_MTU_4096 && m->qpn != 0;
}

void smc_flow_server_response(struct smc_flow *f, struct smc_link *link, const struct smc_llc_info *m)
{
    struct smc_link *fresh = smc_flow_deref(f, f->add.fresh);
    if (f->add.state != FLOW_ADD_RESPONSE || link != smc_flow_deref(f, f->add.carrier) || fresh == NULL ||
        m->link_number != fresh->number) { /* [LLC-068] [LLC-082] */
        smc_flow_drop(f);
        return;
    }
    if (m->reject) {
        smc_flow_server_give_up(f);
        return;
    }
    if (!acceptable(m) || !take_path(f, fresh, m)) {
        smc_flow_add_failed(f);
        return;
    }
    smc_flow_add_peer(fresh, m);
    smc_flow_share_read(f, link, fresh, m); /* v2 [LLC-088] */
    smc_flow_add_routed(f, smc_flow_add_route(f, fresh));
}

/* ---- The end ------------------------------------------------------------------------------------ */
void smc_flow_server_confirmed(struct smc_flow *f)
{
    struct smc_group *g = f->group;
    unsigned symmetric = smc_flow_add_symmetric(g);
    for (unsigned i = 0; i < g->link_slots && symmetric >= 2; i++)
        if (smc_flow_usable(g->links[i]) && g->links[i]->asymmetric) /* [LLC-018] */
            smc_flow_want_delete(f, g->links[i]->number, SMC_LLC_DEL_NO_ASYM_NEEDED, true);
    if (symmetric >= 2 && symmetric < g->max_links)
        f->want_add = true;
    else
        retry_later(f); /* one day it may be symmetric */
    smc_flow_add_end(f);
}

/* ADD LINK (v1) or REQUEST ADD LINK (v2) of the client. [LLC-026] [LLC-028] [LLC-045] */
void smc_flow_server_asked(struct smc_flow *f, struct smc_link *link, const struct smc_llc_info *m)
{
    bool v2 = m->type == SMC_LLC_REQ_ADD_LINK;
    if (f->group->client || (v2 != (f->group->version == 2)) || !smc_flow_usable(link)) {
        smc_flow_drop(f);
        return;
    }
    if (f->add.state != FLOW_ADD_IDLE)
        return; /* what is under way is the answer */
    if (v2)
        f->asker = smc_flow_ref(link);
    if (!may_grow(f->group, false) && !may_grow(f->group, true)) {
        smc_flow_server_refuse_asker(f);
        return;
    }
    f->want_add = true;
    smc_flow_kick(f);
}
