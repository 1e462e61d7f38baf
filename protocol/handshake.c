/* The CLC handshake: beginning, the peer's messages, waiting, and what LLC reports.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "handshake.h"

enum { ROUTE_RETRY_NS = 10000000, ROUTE_TRIES = 100, KEPT_BYTES = 4096 + 512 };

static struct smc_handshake *of_timer(struct smc_timer *timer)
{
    return SMC_LIST_ENTRY(timer, struct smc_handshake, timer);
}

/* ---- Waiting ------------------------------------------------------------------------------------ */
static void go_on(struct smc_handshake *h)
{
    smc_timer_cancel(&h->c->ep->timers, &h->timer);
    h->state = h->c->client ? SMC_HS_WAIT_ACCEPT : SMC_HS_WAIT_PROPOSAL;
    if (h->c->client)
        smc_hs_client_accept(h);
    else
        smc_hs_server_proposal(h);
}

static void timed_out(struct smc_timer *timer)
{
    struct smc_handshake *h = of_timer(timer);
    switch (h->state) {
    case SMC_HS_ROUTE:
        smc_hs_ask_route(h);
        break;
    case SMC_HS_PENDING: /* the first contact it waits for does not end: a server begins another, a client has no group */
        smc_list_remove(&h->c->of_group);
        h->impatient = true;
        go_on(h);
        break;
    case SMC_HS_LOOK_DECLINE:
        if (h->link_serves)
            smc_hs_established(h);
        else if (h->late_diagnosis != 0)
            smc_hs_decline(h, h->late_diagnosis, false); /* */
        else
            smc_hs_fatal(h, SMC_ERR_TIMEOUT);
        break;
    case SMC_HS_CROSSING:
        smc_hs_fall_back(h, h->late_diagnosis, 0);
        break;
    default:
        smc_hs_fatal(h, SMC_ERR_TIMEOUT); /* [CLC-011] */
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

/* Is it the first contact of `other` that h has to wait for? A group does not tell: what a Proposal of version 2 alone says of
 * its sender is the GID, and that is in no link before the Confirm. */
static bool first_contact_with_same_peer(const struct smc_handshake *other, const struct smc_handshake *h)
{
    const struct smc_choice *a = &other->choice, *b = &h->choice;
    const struct smc_group *g = other->c->group;
    if (other == h || g == NULL || !g->first_contact || g->dying || other->c->client != h->c->client || a->smc_d != b->smc_d ||
        a->version != b->version || !smc_gid_equal(&a->peer_gid, &b->peer_gid))
        return false;
    if (a->smc_d)
        return a->device == b->device;
    return a->version >= 2 || memcmp(a->peer_id, b->peer_id, sizeof(a->peer_id)) == 0;
}

bool smc_hs_pend(struct smc_handshake *h)
{
    struct smc_endpoint *ep = h->c->ep;
    if (h->impatient)
        return false;
    for (struct smc_list *n = ep->handshakes.next; n != &ep->handshakes; n = n->next) {
        if (!first_contact_with_same_peer(SMC_LIST_ENTRY(n, struct smc_handshake, of_endpoint), h))
            continue;
        /* Less than the peer, which waits for Accept or Confirm meanwhile. */
        smc_hs_wait(h, SMC_HS_PENDING, ep->profile.clc_timeout_ns / 2);
        smc_list_add_tail(h->c->client ? &ep->pending_client : &ep->pending_server, &h->c->of_group);
        return true;
    }
    return false;
}

void smc_hs_resume(struct smc_connection *c)
{
    if (c->hs != NULL && c->hs->state == SMC_HS_PENDING)
        go_on(c->hs);
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

/* ---- Beginning ---------------------------------------------------------------------------------- */
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

static void begin(struct smc_handshake *h, const struct smc_connection_config *config)
{
    struct smc_connection *c = h->c;
    if (!config->option) { /* no CLC byte at all [TCPOPT-005] */
        smc_hs_fall_back(h, SMC_DIAG_PEERNOSMC, 0);
        return;
    }
    if (config->ipsec || config->fast_open)
        h->first_reason = config->ipsec ? SMC_DIAG_IPSEC : SMC_DIAG_OPTUNSUPP; /* [RFC 5.5] A-34 */
    if (!c->client) { /* says so in answer to the Proposal */
        smc_hs_wait(h, SMC_HS_WAIT_PROPOSAL, c->ep->profile.clc_timeout_ns);
        return;
    }
    smc_hs_fill_own(h);
    if (h->first_reason != 0)
        smc_hs_decline(h, h->first_reason, false);
    else
        smc_hs_client_start(h);
}

int smc_hs_start(struct smc_connection *c, const struct smc_connection_config *config)
{
    struct smc_handshake *h = smc_alloc_zeroed(c->ep->alloc, 1, sizeof(*h));
    if (h == NULL)
        return SMC_ERR_NOMEM;
    h->c = c;
    c->hs = h;
    smc_list_add_tail(&c->ep->handshakes, &h->of_endpoint);
    copy_config(h, config);
    if (c->client)
        c->ep->counters.client_handshakes++;
    else
        c->ep->counters.server_handshakes++;
    begin(h, config);
    return 0;
}

/* ---- The peer's messages ------------------------------------------------------------------------ */
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
    if (h->state == SMC_HS_CROSSING) /* both gave up: one's own reason is the first */
        smc_hs_fall_back(h, h->late_diagnosis, info.diagnosis);
    else
        smc_hs_fall_back(h, SMC_DIAG_PEERDECL, info.diagnosis);
    if (g == NULL)
        return; /* out of sync with what? (B-05) */
    if (info.out_of_sync && !g->dying) { /* [CLC-052] */
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
        h->confirmed = true;
        smc_hs_server_confirm(h, &confirm);
    } else {
        smc_hs_fatal(h, SMC_ERR_PROTOCOL); /* [CLC-007] */
    }
}

/* ---- TCP's bytes -------------------------------------------------------------------------------- */
/* Is a message of the peer due? Otherwise what is none belongs to what follows, and is left alone [CLC-005]. */
static bool message_due(const struct smc_handshake *h)
{
    return h->state == SMC_HS_WAIT_PROPOSAL || h->state == SMC_HS_WAIT_ACCEPT || h->state == SMC_HS_WAIT_CONFIRM;
}

static size_t unparsable(struct smc_handshake *h)
{
    if (h->state == SMC_HS_CROSSING) /* the application's: the peer has read our Decline */
        smc_hs_fall_back(h, h->late_diagnosis, 0);
    else if (message_due(h))
        smc_hs_fatal(h, SMC_ERR_PROTOCOL); /* RFC 7609 C.6 */
    return 0;
}

/* A message that no parser would take is not kept until it is complete, only passed by (B-04) [CLC-013]. */
static size_t drain(struct smc_handshake *h, size_t length)
{
    size_t take = length < h->drain ? length : h->drain;
    h->drain -= (uint32_t)take;
    if (h->drain == 0)
        smc_hs_fatal(h, SMC_ERR_PROTOCOL);
    return take;
}

static size_t incomplete(struct smc_handshake *h, struct smc_view left, size_t message)
{
    if (h->state == SMC_HS_CROSSING && smc_view_len(left) > 4 && left.p[4] != SMC_CLC_DECLINE)
        return unparsable(h);
    if (message <= KEPT_BYTES) /* or fewer than 8 bytes: 0 */
        return 0;
    h->drain = (uint32_t)message;
    return drain(h, smc_view_len(left));
}

/* One message, if it is there. How many bytes were used. May free h. */
static size_t take(struct smc_handshake *h, const uint8_t *bytes, size_t length)
{
    struct smc_view left = smc_view_of(bytes, length);
    struct smc_parsed parsed;
    struct smc_reject why;
    size_t message;
    if (h->drain > 0)
        return drain(h, length);
    enum smc_frame frame = smc_clc_frame(left, &message, &why);
    if (frame == SMC_FRAME_MORE)
        return incomplete(h, left, message);
    if (frame == SMC_FRAME_BAD)
        return unparsable(h);
    bool decline = smc_clc_type_of(left) == SMC_CLC_DECLINE;
    if (!smc_clc_parse(smc_view_of(bytes, message), &parsed, &why) || (h->state == SMC_HS_CROSSING && !decline))
        return unparsable(h);
    handle(h, &parsed);
    return message;
}

size_t smc_hs_input(struct smc_connection *c, const uint8_t *bytes, size_t length)
{
    size_t used = 0, took;
    while (c->hs != NULL && used < length) {
        took = take(c->hs, bytes + used, length - used);
        if (took == 0)
            break;
        used += took;
    }
    /* What follows in mode TCP is the application's; otherwise nothing may follow. */
    return c->hs == NULL && c->mode != SMC_MODE_TCP ? length : used;
}

/* The peer may be through with the first contact, and have closed, while this side still waits for a second link: then its FIN
 * ends nothing, and its C is kept [CLOSE-026]. A peer that is gone is found by the timers of LLC. */
void smc_hs_eof(struct smc_connection *c)
{
    struct smc_handshake *h = c->hs;
    if (h->state == SMC_HS_LLC || h->link_serves)
        smc_close_tcp_eof(c);
    else if (h->state == SMC_HS_CROSSING)
        smc_hs_fall_back(h, h->late_diagnosis, 0);
    else
        smc_hs_fatal(h, SMC_ERR_RESET);
}

void smc_hs_reset(struct smc_connection *c)
{
    smc_hs_fatal(c->hs, SMC_ERR_RESET);
}

/* ---- From LLC ----------------------------------------------------------------------------------- */
void smc_hs_llc_done(struct smc_connection *c, int error)
{
    if (c->hs == NULL || c->hs->state != SMC_HS_LLC)
        return;
    if (error != 0)
        smc_hs_llc_failed(c, error, 0);
    else
        smc_hs_established(c->hs);
}

void smc_hs_llc_failed(struct smc_connection *c, int error, uint32_t diagnosis)
{
    struct smc_handshake *h = c->hs;
    uint64_t look_ns = c->ep->profile.clc_decline_timeout_ns;
    if (h == NULL || h->state != SMC_HS_LLC)
        return;
    if (error == SMC_ERR_TIMEOUT && look_ns != 0) { /* the peer may have declined: its reason is the better one (C.7.1) */
        h->late_diagnosis = diagnosis;
        smc_hs_wait(h, SMC_HS_LOOK_DECLINE, look_ns);
    } else if (diagnosis != 0) {
        smc_hs_decline(h, diagnosis, false); /* [CLC-050] */
    } else {
        smc_hs_fatal(h, error == SMC_ERR_TIMEOUT ? SMC_ERR_TIMEOUT : SMC_ERR_RESET);
    }
}

void smc_hs_llc_alone(struct smc_connection *c)
{
    struct smc_handshake *h = c->hs;
    uint64_t look_ns = c->ep->profile.clc_decline_timeout_ns;
    if (h == NULL || h->state != SMC_HS_LLC || look_ns == 0) {
        smc_hs_llc_done(c, 0);
        return;
    }
    h->link_serves = true;
    smc_hs_wait(h, SMC_HS_LOOK_DECLINE, look_ns);
}

void smc_hs_rkey_done(struct smc_connection *c, int error)
{
    struct smc_handshake *h = c->hs;
    if (h == NULL || h->state != SMC_HS_RKEY)
        return;
    if (error != 0) /* [CLC-075] */
        smc_hs_decline(h, SMC_DIAG_ERR_REGBUF, false);
    else if (c->client)
        smc_hs_client_confirm(h);
    else
        smc_hs_server_accept(h);
}

void smc_hs_abandon(struct smc_connection *c)
{
    if (c->hs != NULL)
        smc_hs_free(c->hs);
}
