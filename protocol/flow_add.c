/* ADD LINK, what both roles share: waiting, ending, failing, the way to the peer, CONTINUATION.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "flow.h"

enum { ROUTE_AGAIN_NS = 10000000, ROUTE_TRIES = 100 };

void smc_flow_add_wait(struct smc_flow *f, uint8_t state, uint64_t ns)
{
    f->add.state = state;
    smc_flow_timer(f, &f->add.timer, ns, smc_flow_add_timeout);
}

static struct smc_connection *reset(struct smc_flow *f)
{
    struct smc_connection *first = f->add.first;
    smc_timer_cancel(&f->group->ep->timers, &f->add.timer);
    memset(&f->add, 0, sizeof(f->add));
    smc_flow_rkey_settled(f);
    return first;
}

void smc_flow_add_end(struct smc_flow *f)
{
    struct smc_connection *first = reset(f);
    if (first != NULL)
        smc_hs_llc_done(first, 0);
}

static void end_alone(struct smc_flow *f)
{
    struct smc_connection *first = reset(f);
    if (first != NULL)
        smc_hs_llc_alone(first);
}

void smc_flow_add_fail_first(struct smc_flow *f, int error, uint32_t diagnosis)
{
    smc_flow_add_free(f);
    struct smc_connection *first = reset(f);
    if (first != NULL)
        smc_hs_llc_failed(first, error, diagnosis);
}

void smc_flow_add_free(struct smc_flow *f)
{
    struct smc_link *fresh = smc_flow_deref(f, f->add.fresh);
    if (fresh == NULL)
        return;
    smc_flow_out_drop(f, f->add.fresh);
    f->down = (uint16_t)(f->down & ~(1u << fresh->slot));
    smc_flow_share_end(f, fresh->slot);
    smc_link_free(fresh);
}

/* Client: tells the server, frees the link and forgets it: no reject follows what was accepted. */
static void client_failed(struct smc_flow *f)
{
    struct smc_link *carrier = smc_flow_carrier(f, smc_flow_deref(f, f->add.carrier), smc_flow_deref(f, f->add.fresh));
    uint8_t number = f->add.fresh.number;
    smc_flow_add_free(f);
    if (carrier != NULL)
        smc_flow_delete_send(f, carrier, number, SMC_LLC_DEL_LOST_PATH, false);
    smc_flow_add_end(f);
}

/* Server: the peer is told; the RFC waits for its answer (at first contact no data may flow before). */
static void server_failed(struct smc_flow *f)
{
    struct smc_link *carrier = smc_flow_carrier(f, smc_flow_deref(f, f->add.carrier), smc_flow_deref(f, f->add.fresh));
    bool told = carrier != NULL && smc_flow_delete_send(f, carrier, f->add.fresh.number, SMC_LLC_DEL_LOST_PATH, false) == 0;
    if (!told || flow_profile(f)->carrier_survives) {
        smc_flow_server_give_up(f);
        return;
    }
    f->add.carrier = smc_flow_ref(carrier);
    smc_flow_add_wait(f, FLOW_ADD_DELETE, flow_profile(f)->llc_timeout_ns);
}

void smc_flow_add_failed(struct smc_flow *f)
{
    if (f->group->client)
        client_failed(f);
    else
        server_failed(f);
}

void smc_flow_add_silence(struct smc_flow *f)
{
    const struct smc_profile *p = flow_profile(f);
    struct smc_link *carrier = smc_flow_deref(f, f->add.carrier);
    bool enough = f->add.first == NULL || p->first_link_is_enough;
    if (!p->carrier_survives && carrier != NULL && f->add.first == NULL)
        smc_flow_fail_link(f, carrier); /* C.7.1 */
    if (!enough)
        smc_flow_add_fail_first(f, SMC_ERR_TIMEOUT, 0);
    else if (f->group->client && f->add.fresh.set && p->carrier_survives)
        client_failed(f);
    else if (f->group->client) {
        smc_flow_add_free(f);
        end_alone(f);
    } else {
        smc_flow_server_give_up(f);
    }
}

/* What was sent may still wait for a slot: then the peer has had no time yet. */
static bool not_sent_yet(struct smc_flow *f)
{
    struct smc_flow_ref on = f->add.state == FLOW_ADD_CONFIRM ? f->add.fresh : f->add.carrier;
    if (!smc_flow_waits(f, on))
        return false;
    smc_flow_add_wait(f, f->add.state, flow_profile(f)->llc_timeout_ns);
    return true;
}

static void delete_unanswered(struct smc_flow *f)
{
    struct smc_link *carrier = smc_flow_deref(f, f->add.carrier);
    uint8_t number = f->add.fresh.number;
    if (carrier != NULL)
        smc_flow_fail_link(f, carrier);
    smc_flow_want_delete(f, number, SMC_LLC_DEL_LOST_PATH, false); /* [LLC-066] over a survivor */
    smc_flow_server_give_up(f);
}

void smc_flow_add_timeout(struct smc_timer *timer)
{
    struct flow_add *add = SMC_LIST_ENTRY(timer, struct flow_add, timer);
    struct smc_flow *f = SMC_LIST_ENTRY(add, struct smc_flow, add);
    if (add->state != FLOW_ADD_ROUTE && not_sent_yet(f))
        return;
    switch (add->state) { /* [LLC-064] */
    case FLOW_FIRST_CONFIRM:
        smc_flow_first_timeout(f);
        break;
    case FLOW_ADD_ROUTE:
        smc_flow_add_routed(f, SMC_ERR_WOULDBLOCK);
        break;
    case FLOW_ADD_CONFIRM:
        smc_flow_add_failed(f);
        break;
    case FLOW_ADD_DELETE:
        delete_unanswered(f);
        break;
    default: /* FLOW_FIRST_ADD, FLOW_ADD_RESPONSE, FLOW_ADD_CONTINUE */
        smc_flow_add_silence(f);
    }
}

/* A link has failed. The one that carries the exchange: it cannot go on; the new one: as if it were not confirmed. */
void smc_flow_add_lost(struct smc_flow *f, unsigned slot)
{
    struct flow_add *add = &f->add;
    if (add->state == FLOW_ADD_IDLE)
        return;
    bool carrier = add->carrier.set && add->carrier.slot == slot, fresh = add->fresh.set && add->fresh.slot == slot;
    if (add->state == FLOW_FIRST_CONFIRM || add->state == FLOW_FIRST_ADD) {
        if (carrier)
            smc_flow_add_fail_first(f, SMC_ERR_IO, 0);
    } else if (carrier && add->state == FLOW_ADD_DELETE) {
        smc_flow_want_delete(f, add->fresh.number, SMC_LLC_DEL_LOST_PATH, false);
        smc_flow_server_give_up(f);
    } else if (fresh && !carrier && add->state == FLOW_ADD_ROUTE && f->group->client) {
        smc_flow_add_routed(f, SMC_ERR_GONE); /* the offer is still to be answered [LLC-049] */
    } else if ((fresh && add->state != FLOW_ADD_DELETE) || carrier) {
        smc_flow_add_failed(f);
    }
}

/* ---- Which links are alike ---------------------------------------------------------------------- */
bool smc_flow_add_same_rnic(const struct smc_link *a, const struct smc_llc_info *m)
{
    return memcmp(a->peer_mac, m->mac, sizeof(m->mac)) == 0 || memcmp(a->peer_gid.bytes, m->gid, sizeof(m->gid)) == 0;
}

bool smc_flow_add_has_asymmetric(const struct smc_group *group)
{
    for (unsigned i = 0; i < group->link_slots; i++)
        if (smc_flow_usable(group->links[i]) && group->links[i]->asymmetric)
            return true;
    return false;
}

unsigned smc_flow_add_symmetric(const struct smc_group *group)
{
    unsigned n = 0;
    for (unsigned i = 0; i < group->link_slots; i++)
        n += smc_flow_usable(group->links[i]) && !group->links[i]->asymmetric;
    return n;
}

/* ---- Messages ----------------------------------------------------------------------------------- */
void smc_flow_add_fill(const struct smc_link *link, const struct smc_link *carrier, struct smc_llc_info *m)
{
    m->type = SMC_LLC_ADD_LINK;
    memcpy(m->mac, link->mac, sizeof(m->mac));
    memcpy(m->gid, link->gid.bytes, sizeof(m->gid));
    m->qpn = link->qpn;
    m->link_number = link->number;
    m->mtu = link->mtu;
    m->psn = link->psn;
    if (link->group->version != 2)
        return;
    const struct smc_gid *target = link->group->ep->profile.add_link_target_own ? &link->gid : &carrier->peer_gid; /* */
    m->has_ext = true;
    m->v2_direct = carrier->v2_direct;
    memcpy(m->target_gid, target->bytes, sizeof(m->target_gid));
}

void smc_flow_add_peer(struct smc_link *link, const struct smc_llc_info *m)
{
    memcpy(link->peer_mac, m->mac, sizeof(m->mac));
    memcpy(link->peer_gid.bytes, m->gid, sizeof(m->gid));
    link->peer_qpn = m->qpn;
    link->peer_psn = m->psn;
    link->peer_mtu = m->mtu;
}

/* SMC-Rv2: the next hop to the peer's GID of the new link. */
int smc_flow_add_route(struct smc_flow *f, struct smc_link *fresh)
{
    struct smc_endpoint *ep = f->group->ep;
    struct smc_route route = {.direct = true};
    memcpy(route.next_hop_mac, fresh->peer_mac, sizeof(route.next_hop_mac));
    if (f->group->version == 2 && ep->config.ops->route != NULL) {
        int rc = ep->config.ops->route(ep->config.host, &fresh->gid, &fresh->peer_gid, &route);
        if (rc < 0)
            return rc;
    }
    fresh->v2_direct = route.direct;
    memcpy(fresh->next_hop_mac, route.next_hop_mac, sizeof(fresh->next_hop_mac));
    return 0;
}

/* Goes on once the way is known, asks again later, or gives up. SMC_ERR_WOULDBLOCK: ask (again). */
void smc_flow_add_routed(struct smc_flow *f, int rc)
{
    struct smc_link *fresh = smc_flow_deref(f, f->add.fresh);
    if (rc == SMC_ERR_WOULDBLOCK && fresh != NULL)
        rc = smc_flow_add_route(f, fresh);
    if (rc == SMC_ERR_WOULDBLOCK && f->add.route_tries++ < ROUTE_TRIES) {
        smc_flow_add_wait(f, FLOW_ADD_ROUTE, ROUTE_AGAIN_NS);
        return;
    }
    if (rc == 0 && fresh != NULL && f->group->client) {
        smc_flow_client_ready(f);
    } else if (rc == 0 && fresh != NULL) {
        smc_flow_server_ready(f);
    } else if (f->group->client) { /* nothing was accepted yet */
        struct smc_link *carrier = smc_flow_deref(f, f->add.carrier);
        smc_flow_add_free(f);
        if (carrier != NULL)
            smc_flow_client_reject(f, carrier, f->add.request, SMC_LLC_REJECT_NO_ALT_PATH);
        smc_flow_add_end(f);
    } else {
        smc_flow_add_failed(f);
    }
}

/* ---- CONTINUATION ------------------------------------------------------------------------------- */
static int send_continuation(struct smc_flow *f, struct smc_link *carrier, struct smc_link *fresh)
{
    uint8_t pairs[2 * 16] = {0};
    struct smc_llc_info m = {.type = SMC_LLC_ADD_LINK_CONT,
                             .response = f->group->client,
                             .link_number = fresh->number,
                             .count = f->add.own_left, /* this message included [LLC-030] */
                             .rtokens = pairs};
    m.nrtokens = f->add.own_left < 2 ? f->add.own_left : 2;
    smc_flow_share_take(f, carrier, fresh, m.nrtokens, pairs);
    f->add.own_left -= m.nrtokens;
    return smc_flow_send(f, carrier, &m);
}

/* The count of the first one is free, each later one is two less. */
static bool count_fits(const struct flow_add *add, const struct smc_llc_info *m)
{
    return !add->heard || m->count == add->peer_left;
}

void smc_flow_add_continuation(struct smc_flow *f, struct smc_link *link, const struct smc_llc_info *m)
{
    struct flow_add *add = &f->add;
    struct smc_link *fresh = smc_flow_deref(f, add->fresh);
    bool awaited = add->state == FLOW_ADD_CONTINUE && fresh != NULL && link == smc_flow_deref(f, add->carrier);
    if (!awaited || m->link_number != fresh->number || m->response != !f->group->client) { /* [LLC-029] */
        smc_flow_drop(f);
        return;
    }
    if (!count_fits(add, m)) {
        smc_flow_add_failed(f);
        return;
    }
    smc_flow_share_read(f, link, fresh, m);
    add->heard = true;
    add->peer_left = m->count > 2 ? m->count - 2 : 0;
    bool more = add->own_left > 0 || add->peer_left > 0; /* an empty message solicits the peer's [LLC-031] */
    if ((f->group->client || more) && send_continuation(f, link, fresh) < 0) {
        smc_flow_fail_link(f, link);
        return;
    }
    if (f->group->client)
        more = add->own_left > 0 || add->peer_left > 0;
    smc_flow_add_wait(f, more ? FLOW_ADD_CONTINUE : FLOW_ADD_CONFIRM,
                  more ? flow_profile(f)->llc_timeout_ns : flow_profile(f)->later_link_timeout_ns);
    if (!more && !f->group->client)
        smc_flow_confirm_request(f, fresh);
}

/* ---- Input -------------------------------------------------------------------------------------- */
void smc_flow_add_input(struct smc_flow *f, struct smc_link *link, const struct smc_llc_info *m, const uint8_t *bytes)
{
    if (f->group->client && !m->response)
        smc_flow_client_offer(f, link, m, bytes);
    else if (!f->group->client && m->response)
        smc_flow_server_response(f, link, m);
    else if (!f->group->client)
        smc_flow_server_asked(f, link, m);
    else
        smc_flow_drop(f); /* a client's ADD LINK is not answered by a response */
}

/* Server, v1: the first message, with which the exchange begins. */
static void begin_continuation(struct smc_flow *f, struct smc_link *fresh)
{
    struct smc_link *carrier = smc_flow_deref(f, f->add.carrier);
    smc_flow_add_wait(f, FLOW_ADD_CONTINUE, flow_profile(f)->llc_timeout_ns);
    if (carrier == NULL || send_continuation(f, carrier, fresh) < 0)
        smc_flow_add_failed(f);
}

void smc_flow_server_ready(struct smc_flow *f)
{
    struct smc_link *fresh = smc_flow_deref(f, f->add.fresh);
    if (smc_link_rtr(fresh) < 0 || smc_link_rts(fresh) < 0) {
        smc_flow_add_failed(f);
    } else if (f->group->version == 2) {
        smc_flow_add_wait(f, FLOW_ADD_CONFIRM, flow_profile(f)->later_link_timeout_ns);
        smc_flow_confirm_request(f, fresh);
    } else {
        begin_continuation(f, fresh);
    }
}
