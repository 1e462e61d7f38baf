/* The CLC handshake: beginning, the peer's messages, timers, and every way in which it can end.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "handshake.h"

enum { MESSAGE_BYTES = 1024, ROUTE_RETRY_NS = 10000000, ROUTE_TRIES = 100 };

static struct smc_handshake *of_timer(struct smc_timer *timer)
{
    return SMC_LIST_ENTRY(timer, struct smc_handshake, timer);
}

/* ---- Ends ---- */
static void free_handshake(struct smc_handshake *h)
{
    struct smc_connection *c = h->c;
    smc_timer_cancel(&c->ep->timers, &h->timer);
    if (h->state == SMC_HS_PENDING)
        smc_list_remove(&c->of_group);
    if (c->group != NULL && !c->group->smc_d) {
        smc_flow_abandon(c->group, c);
        smc_flow_forget(c);
    }
    c->hs = NULL;
    smc_alloc_release(c->ep->alloc, h, 1, sizeof(*h));
}

static void count_reason(struct smc_endpoint *ep, bool client, uint32_t reason)
{
    struct smc_counters *k = &ep->counters;
    for (unsigned i = 0; i < SMC_STATS_REASONS; i++) {
        uint32_t *code = client ? &k->client_reasons[i].code : &k->server_reasons[i].code;
        uint64_t *count = client ? &k->client_reasons[i].count : &k->server_reasons[i].count;
        if (*count > 0 && *code != reason)
            continue;
        *code = reason;
        ++*count;
        return;
    }
}

void smc_hs_fall_back(struct smc_handshake *h, uint32_t reason, uint32_t peer_diagnosis)
{
    struct smc_connection *c = h->c;
    c->fallback = reason;
    c->peer_diagnosis = peer_diagnosis;
    c->mode = SMC_MODE_TCP;
    free_handshake(h);
    smc_group_detach(c);
    if (c->client)
        c->ep->counters.client_fallbacks++;
    else
        c->ep->counters.server_fallbacks++;
    count_reason(c->ep, c->client, reason);
    smc_ep_event(c, SMC_EVENT_CONNECTED);
}

void smc_hs_fatal(struct smc_handshake *h, int error)
{
    struct smc_connection *c = h->c;
    free_handshake(h);
    smc_group_detach(c);
    c->error = (int8_t)error;
    c->state = SMC_STATE_CLOSED;
    c->ep->counters.handshake_errors++;
    if (!c->tcp_dead)
        c->ep->config.ops->tcp_abort(c->ep->config.host, c->user);
    c->tcp_dead = true;
    smc_ep_event(c, SMC_EVENT_ERROR);
}

void smc_hs_established(struct smc_handshake *h)
{
    struct smc_connection *c = h->c;
    struct smc_group *g = c->group;
    struct smc_path_counters *path = g->smc_d ? &c->ep->counters.d : &c->ep->counters.r;
    if (c->version >= 2)
        path->connections_v2++;
    else
        path->connections_v1++;
    free_handshake(h);
    smc_conn_start(c);
    smc_ep_event(c, SMC_EVENT_CONNECTED);
    if (c->group == g)
        smc_group_settled(g);
}

uint32_t smc_hs_diagnosis(int error, bool smc_d)
{
    switch (error) {
    case SMC_ERR_NOMEM:
        return SMC_DIAG_MEM;
    case SMC_ERR_NOSPACE:
        return smc_d ? SMC_DIAG_MAX_DMB : SMC_DIAG_MEM;
    case SMC_ERR_GONE:
        return smc_d ? SMC_DIAG_NOSMCDDEV : SMC_DIAG_NOACTLINK;
    case SMC_ERR_UNSUPPORTED:
        return smc_d ? SMC_DIAG_ISMVLANERR : SMC_DIAG_INTERR;
    default:
        return SMC_DIAG_INTERR;
    }
}

/* ---- Sending ---- */
int smc_hs_send(struct smc_handshake *h, const uint8_t *bytes, size_t length)
{
    struct smc_endpoint *ep = h->c->ep;
    if (h->c->tcp_dead)
        return SMC_ERR_RESET;
    return ep->config.ops->tcp_send(ep->config.host, h->c->user, bytes, length);
}

void smc_hs_decline(struct smc_handshake *h, uint32_t diagnosis, bool out_of_sync)
{
    uint8_t bytes[MESSAGE_BYTES];
    const struct smc_endpoint *ep = h->c->ep;
    struct smc_clc_decline_info info = {.version = (uint8_t)(ep->config.v2 ? 2 : 1), .out_of_sync = out_of_sync, .diagnosis = diagnosis,
                                        .os_type = ep->config.os_type};
    if (h->choice.version != 0)
        info.version = h->choice.version;
    memcpy(info.peer_id, ep->peer_id, sizeof(info.peer_id));
    size_t length = smc_clc_encode_decline(&info, bytes, sizeof(bytes));
    if (length == 0 || smc_hs_send(h, bytes, length) != 0)
        smc_hs_fatal(h, SMC_ERR_RESET);
    else
        smc_hs_fall_back(h, diagnosis, 0);
}

void smc_hs_fill_accept(struct smc_handshake *h, struct smc_clc_accept_info *m, uint8_t type)
{
    struct smc_connection *c = h->c;
    const struct smc_group *g = c->group;
    bool first = h->choice.first_contact;
    memset(m, 0, sizeof(*m));
    m->type = type;
    m->version = h->choice.version;
    m->path = g->smc_d ? SMC_PATH_D : SMC_PATH_R;
    m->first_contact = first && (type == SMC_CLC_ACCEPT || c->ep->profile.confirm_repeats_f || m->version >= 2);
    m->bsize = c->rmb->bsize;
    m->rmbe_index = c->rmbe_index;
    if (g->smc_d) {
        memcpy(m->gid, g->device->device->gid.bytes, 16);
        m->dmb_token = c->rmb->dmb.token;
        m->link_id = g->link_id;
        m->chid = g->device->device->ops->get_fabric_id(g->device->device);
    } else {
        const struct smc_link *link = c->link;
        const struct smc_rdma_mr *mr = &c->rmb->mrs[link->slot];
        memcpy(m->peer_id, c->ep->peer_id, 8);
        memcpy(m->gid, link->gid.bytes, 16);
        memcpy(m->mac, link->mac, 6);
        m->qpn = link->qpn;
        m->psn = link->psn;
        m->mtu = link->mtu;
        m->rkey = mr->rkey;
        m->rmb_va = mr->remote_address;
        m->token = c->token;
        c->rmb->announced[link->slot / 8] |= (uint8_t)(1u << (link->slot % 8));
    }
    if (m->version < 2)
        return;
    m->has_eid = true;
    memcpy(m->eid, h->choice.eid, sizeof(m->eid));
    if (!first)
        return;
    m->fce_len = g->smc_d && h->choice.release == 0 ? SMC_CLC_FCE_SHORT : SMC_CLC_FCE_LONG;
    m->os_type = c->ep->config.os_type;
    m->release = h->choice.release;
    memcpy(m->hostname, c->ep->config.hostname, sizeof(m->hostname));
    m->v2_direct = !g->smc_d && h->choice.route.direct;
    if (h->choice.release >= 1) {
        m->max_conns = g->smc_d ? 0 : h->choice.max_conns;
        m->max_links = g->smc_d ? 0 : h->choice.max_links;
        m->features = h->choice.features;
    }
}

/* ---- The peer's buffer and link ---- */
uint32_t smc_hs_take_peer(struct smc_handshake *h, const struct smc_clc_accept_info *m)
{
    struct smc_connection *c = h->c;
    struct smc_group *g = c->group;
    if (m->bsize > (g->smc_d ? SMC_CLC_MAX_BSIZE_D : 15)) /* [CLC-033] */
        return SMC_DIAG_INTERR;
    c->peer_rmbe_bytes = (uint32_t)smc_clc_buffer_size(m->bsize);
    c->peer_rmbe_index = m->rmbe_index;
    if (g->smc_d) {
        c->peer_dmb_token = m->dmb_token;
        g->peer_link_id = m->link_id;
        c->peer_rmbe_offset = (uint32_t)m->rmbe_index * c->peer_rmbe_bytes;
        return 0;
    }
    if (m->rmbe_index == 0)
        return SMC_DIAG_INTERR;
    c->peer_token = m->token;
    c->peer_rmbe_offset = (uint32_t)(m->rmbe_index - 1) * c->peer_rmbe_bytes;
    int row = smc_rtoken_add(g, c->link, m->rkey, m->rmb_va);
    if (row < 0)
        return SMC_DIAG_ERR_RTOK;
    c->peer_row = (int16_t)row;
    return 0;
}

void smc_hs_take_link(struct smc_handshake *h, const struct smc_clc_accept_info *m)
{
    struct smc_link *link = h->c->link;
    memcpy(link->peer_gid.bytes, m->gid, 16);
    memcpy(link->peer_mac, m->mac, 6);
    link->peer_qpn = m->qpn;
    link->peer_psn = m->psn;
    link->peer_mtu = m->mtu;
    link->v2_direct = h->choice.route.direct;
    memcpy(link->next_hop_mac, h->choice.route.next_hop_mac, 6);
    memcpy(h->c->group->peer_hostname, m->hostname, 32);
    h->c->group->peer_os = m->os_type;
}

/* ---- Waiting ---- */
static void timed_out(struct smc_timer *timer)
{
    struct smc_handshake *h = of_timer(timer);
    if (h->state == SMC_HS_ROUTE) {
        smc_hs_ask_route(h);
    } else if (h->state == SMC_HS_LOOK_DECLINE && h->late_diagnosis != 0) {
        smc_hs_decline(h, h->late_diagnosis, false); /* */
    } else if (h->state == SMC_HS_PENDING) {
        /* The first contact it waits for does not end: nothing of this one was promised yet. */
        smc_hs_decline(h, SMC_DIAG_CNFERR, false);
    } else {
        smc_hs_fatal(h, SMC_ERR_TIMEOUT); /* RFC 7609 C.5 */
    }
}

void smc_hs_wait(struct smc_handshake *h, enum smc_hs_state state, uint64_t for_ns)
{
    struct smc_endpoint *ep = h->c->ep;
    h->state = state;
    smc_timer_cancel(&ep->timers, &h->timer);
    if (for_ns != 0)
        smc_timer_set(&ep->timers, &h->timer, ep->now_ns + for_ns, timed_out);
}

static bool same_peer(const struct smc_group *g, const struct smc_choice *choice)
{
    if (g->smc_d)
        return g->device == choice->device && smc_gid_equal(&g->peer_gid, &choice->peer_gid);
    return memcmp(g->peer_id, choice->peer_id, sizeof(g->peer_id)) == 0;
}

bool smc_hs_pend(struct smc_handshake *h)
{
    struct smc_endpoint *ep = h->c->ep;
    for (struct smc_list *n = ep->groups.next; n != &ep->groups; n = n->next) {
        const struct smc_group *g = SMC_LIST_ENTRY(n, struct smc_group, all);
        if (!g->first_contact || g->dying || g->client != h->c->client || g->smc_d != h->choice.smc_d || !same_peer(g, &h->choice))
            continue;
        smc_hs_wait(h, SMC_HS_PENDING, 2 * ep->profile.clc_timeout_ns);
        smc_list_add_tail(h->c->client ? &ep->pending_client : &ep->pending_server, &h->c->of_group);
        return true;
    }
    return false;
}

void smc_hs_ask_route(struct smc_handshake *h)
{
    struct smc_endpoint *ep = h->c->ep;
    struct smc_route route = {0};
    int error = ep->config.ops->route(ep->config.host, &h->choice.gid, &h->choice.peer_gid, &route);
    if (error == SMC_ERR_WOULDBLOCK && ++h->route_tries < ROUTE_TRIES) {
        smc_hs_wait(h, SMC_HS_ROUTE, ROUTE_RETRY_NS);
        return;
    }
    smc_timer_cancel(&ep->timers, &h->timer);
    if (h->c->client)
        smc_hs_client_routed(h, error, &route);
    else
        smc_hs_server_routed(h, error, &route);
}

void smc_hs_resume(struct smc_connection *c)
{
    struct smc_handshake *h = c->hs;
    if (h == NULL || h->state != SMC_HS_PENDING)
        return;
    h->state = c->client ? SMC_HS_WAIT_ACCEPT : SMC_HS_WAIT_PROPOSAL;
    smc_timer_cancel(&c->ep->timers, &h->timer);
    if (c->client)
        smc_hs_client_accept(h);
    else
        smc_hs_server_proposal(h);
}

/* ---- Beginning ---- */
static void copy_config(struct smc_handshake *h, const struct smc_connection_config *config)
{
    h->own_ip = config->own_ip;
    h->peer_ip = config->peer_ip;
    h->prefix_count = config->prefix_count;
    if (config->prefix_count > 0)
        memcpy(h->prefixes, config->prefixes, config->prefix_count * sizeof(h->prefixes[0]));
    h->vlan_valid = config->vlan_valid;
    h->vlan_id = config->vlan_id;
    if (config->pnet != NULL)
        memcpy(h->pnet, config->pnet, strlen(config->pnet) + 1);
}

int smc_hs_start(struct smc_connection *c, const struct smc_connection_config *config)
{
    struct smc_handshake *h = smc_alloc_zeroed(c->ep->alloc, 1, sizeof(*h));
    if (h == NULL)
        return SMC_ERR_NOMEM;
    h->c = c;
    c->hs = h;
    copy_config(h, config);
    if (c->client)
        c->ep->counters.client_handshakes++;
    else
        c->ep->counters.server_handshakes++;
    if (!config->option) /* no CLC byte at all [TCPOPT-005] */
        smc_hs_fall_back(h, SMC_DIAG_PEERNOSMC, 0);
    else if (!c->client)
        smc_hs_wait(h, SMC_HS_WAIT_PROPOSAL, c->ep->profile.clc_timeout_ns);
    if (c->hs == h && (config->ipsec || config->fast_open)) {
        /* A server says so in answer to the Proposal. */
        h->first_reason = config->ipsec ? SMC_DIAG_IPSEC : SMC_DIAG_OPTUNSUPP; /* [RFC 5.5] */
        if (c->client)
            smc_hs_decline(h, h->first_reason, false);
    } else if (c->hs == h && c->client) {
        smc_hs_client_start(h);
    }
    return 0;
}

/* ---- Input ---- */
static void declined(struct smc_handshake *h, const struct smc_parsed *m)
{
    struct smc_clc_decline_info info;
    struct smc_group *g = h->c->group;
    if (!smc_clc_decode_decline(m, &info)) {
        smc_hs_fatal(h, SMC_ERR_PROTOCOL);
        return;
    }
    if (g != NULL)
        smc_group_hold(g);
    smc_hs_fall_back(h, SMC_DIAG_PEERDECL, info.diagnosis);
    if (g == NULL)
        return; /* out of sync with what? (B-05) */
    if (info.out_of_sync && !g->dying) {
        g->sync_error = true;
        smc_group_terminate(g, SMC_LLC_DEL_PROT_VIOL, true);
    }
    (void)smc_group_release(g);
}

static void proposal_came(struct smc_handshake *h, const struct smc_parsed *m)
{
    if (!smc_clc_decode_proposal(m, &h->proposal)) {
        smc_hs_fatal(h, SMC_ERR_PROTOCOL);
        return;
    }
    if (h->first_reason != 0) {
        smc_hs_decline(h, h->first_reason, false);
        return;
    }
    smc_hs_fill_own(h);
    h->step_count = smc_negotiate_server(&h->own, &h->proposal, h->steps);
    h->step = 0;
    smc_hs_server_proposal(h);
}

static void handle(struct smc_handshake *h, const struct smc_parsed *m)
{
    unsigned type = smc_clc_type_of(m->bytes);
    struct smc_clc_accept_info confirm;
    if (type == SMC_CLC_DECLINE) { /* lenient: whenever it comes [§1.8] */
        declined(h, m);
    } else if (type == SMC_CLC_PROPOSAL && h->state == SMC_HS_WAIT_PROPOSAL) {
        smc_timer_cancel(&h->c->ep->timers, &h->timer);
        proposal_came(h, m);
    } else if (type == SMC_CLC_ACCEPT && h->state == SMC_HS_WAIT_ACCEPT && smc_clc_decode_accept(m, &h->accept)) {
        smc_timer_cancel(&h->c->ep->timers, &h->timer);
        smc_hs_client_accept(h);
    } else if (type == SMC_CLC_CONFIRM && h->state == SMC_HS_WAIT_CONFIRM && smc_clc_decode_accept(m, &confirm)) {
        smc_timer_cancel(&h->c->ep->timers, &h->timer);
        smc_hs_server_confirm(h, &confirm);
    } else {
        smc_hs_fatal(h, SMC_ERR_PROTOCOL); /* RFC 7609 C.6 */
    }
}

size_t smc_hs_input(struct smc_connection *c, const uint8_t *bytes, size_t length)
{
    size_t used = 0, message;
    while (c->hs != NULL && used < length) {
        struct smc_reject why;
        struct smc_parsed parsed;
        struct smc_view left = smc_view_of(bytes + used, length - used);
        enum smc_frame frame = smc_clc_frame(left, &message, &why);
        if (frame == SMC_FRAME_MORE)
            break;
        if (frame == SMC_FRAME_BAD || !smc_clc_parse(smc_view_of(left.p, message), &parsed, &why)) {
            smc_hs_fatal(c->hs, SMC_ERR_PROTOCOL);
            return length;
        }
        used += message;
        handle(c->hs, &parsed);
    }
    /* What follows in mode TCP is the application's; otherwise nothing may follow. */
    return c->hs == NULL && c->mode != SMC_MODE_TCP ? length : used;
}

/* The peer may be through with the first contact, and have closed, while this side still waits for a second link: then its FIN
 * ends nothing, and its C is kept [CLOSE-026]. A peer that is gone is found by the timers of LLC. */
void smc_hs_eof(struct smc_connection *c)
{
    if (c->hs->state == SMC_HS_LLC)
        smc_close_tcp_eof(c);
    else
        smc_hs_fatal(c->hs, SMC_ERR_RESET);
}

void smc_hs_reset(struct smc_connection *c)
{
    smc_hs_fatal(c->hs, SMC_ERR_RESET);
}

/* ---- From LLC ---- */
void smc_hs_llc_done(struct smc_connection *c, int error)
{
    if (c->hs == NULL)
        return;
    if (error != 0)
        smc_hs_llc_failed(c, error, 0);
    else
        smc_hs_established(c->hs);
}

void smc_hs_llc_failed(struct smc_connection *c, int error, uint32_t diagnosis)
{
    struct smc_handshake *h = c->hs;
    if (h == NULL)
        return;
    if (diagnosis == 0) {
        smc_hs_fatal(h, error == SMC_ERR_TIMEOUT ? SMC_ERR_TIMEOUT : SMC_ERR_RESET); /* C.7.1 */
    } else if (error == SMC_ERR_TIMEOUT && c->ep->profile.clc_decline_timeout_ns != 0) {
        h->late_diagnosis = diagnosis;
        smc_hs_wait(h, SMC_HS_LOOK_DECLINE, c->ep->profile.clc_decline_timeout_ns);
    } else {
        smc_hs_decline(h, diagnosis, false);
    }
}

void smc_hs_rkey_done(struct smc_connection *c, int error)
{
    struct smc_handshake *h = c->hs;
    if (h == NULL || h->state != SMC_HS_RKEY)
        return;
    if (error != 0)
        smc_hs_decline(h, error == SMC_ERR_TIMEOUT ? SMC_DIAG_TIMEOUT_AL : SMC_DIAG_ERR_REGBUF, false);
    else if (c->client)
        smc_hs_client_confirm(h);
    else
        smc_hs_server_accept(h);
}

void smc_hs_abandon(struct smc_connection *c)
{
    if (c->hs != NULL)
        free_handshake(c->hs);
}
