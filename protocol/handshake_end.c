/* Every way in which a CLC handshake can end: mode R or D, TCP after a Decline, RST.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "handshake.h"

enum { DECLINE_BYTES = 64 };

void smc_hs_free(struct smc_handshake *h)
{
    struct smc_connection *c = h->c;
    smc_timer_cancel(&c->ep->timers, &h->timer);
    if (h->state == SMC_HS_PENDING)
        smc_list_remove(&c->of_group);
    if (c->group != NULL && !c->group->smc_d) {
        smc_flow_abandon(c->group, c);
        smc_flow_forget(c);
    }
    if (h->vlan_device != NULL)
        smc_smcd_vlan_put(h->vlan_device, h->vlan_id);
    c->hs = NULL;
    smc_list_remove(&h->of_endpoint);
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

/* Nobody has said that the peer will not use what it was offered: a Decline of ours may cross its first WRITE, an RST be lost.
 * The element goes to nobody else before its key is taken back [CLOSE-020]. */
static void give_back(struct smc_connection *c)
{
    c->peer_silent = c->offered;
    smc_group_detach(c);
}

void smc_hs_fall_back(struct smc_handshake *h, uint32_t reason, uint32_t peer_diagnosis)
{
    struct smc_connection *c = h->c;
    c->fallback = reason;
    c->peer_diagnosis = peer_diagnosis;
    c->mode = SMC_MODE_TCP;
    smc_hs_free(h);
    if (reason == SMC_DIAG_PEERDECL || peer_diagnosis != 0 || (c->group != NULL && c->group->smc_d))
        smc_group_detach(c); /* a DMB that goes would overtake the Decline */
    else
        give_back(c);
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
    smc_hs_free(h);
    give_back(c);
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
    c->version = h->choice.version;
    c->release = g->release;
    if (c->version >= 2)
        path->connections_v2++;
    else
        path->connections_v1++;
    smc_hs_free(h);
    smc_conn_start(c);
    smc_ep_event(c, SMC_EVENT_CONNECTED);
    if (c->group == g)
        smc_group_settled(g);
}

/* ---- Declining ---------------------------------------------------------------------------------- */
int smc_hs_send(struct smc_handshake *h, const uint8_t *bytes, size_t length)
{
    struct smc_endpoint *ep = h->c->ep;
    if (h->c->tcp_dead)
        return SMC_ERR_RESET;
    return ep->config.ops->tcp_send(ep->config.host, h->c->user, bytes, length);
}

static bool v2_capable(const struct smc_handshake *h)
{
    for (unsigned i = 0; i < h->own.device_count; i++)
        if (h->own.devices[i].v2_capable)
            return h->own.v2;
    return false;
}

/* The version of the message that it answers, if one has come (wire-format §2.7, as captures show; who knows only version 1 and
 * is no Linux answers in that [CLC-004]); in place of a Proposal 2 only where SMC-Dv2 could be done. */
static uint8_t decline_version(const struct smc_handshake *h)
{
    const struct smc_endpoint *ep = h->c->ep;
    bool knows_v2 = ep->config.v2 || ep->profile.proposal_always_v2;
    uint8_t seen = h->c->client ? h->accept.version : h->proposal.version;
    if (seen == 0)
        return v2_capable(h) ? 2 : 1;
    return seen >= 2 && knows_v2 ? 2 : 1;
}

static int send_decline(struct smc_handshake *h, uint32_t diagnosis, bool out_of_sync)
{
    uint8_t bytes[DECLINE_BYTES];
    const struct smc_connection *c = h->c;
    struct smc_clc_decline_info info = {.version = decline_version(h),
                                        .out_of_sync = out_of_sync,
                                        .diagnosis = diagnosis,
                                        .os_type = c->ep->config.os_type};
    if (c->group == NULL || !c->group->smc_d) /* */
        memcpy(info.peer_id, c->ep->peer_id, sizeof(info.peer_id));
    size_t length = smc_clc_encode_decline(&info, bytes, sizeof(bytes));
    return length == 0 ? SMC_ERR_RESET : smc_hs_send(h, bytes, length);
}

/* Both sides may give up at the same time once a Confirm is under way. What the peer sends next is then its Decline, which must
 * not be read as the application's data (B-06) [CLC-053], or what its application sends, having read ours. */
static void cross(struct smc_handshake *h, uint32_t diagnosis)
{
    struct smc_connection *c = h->c;
    if (c->group != NULL) {
        smc_flow_abandon(c->group, c);
        give_back(c);
    }
    h->late_diagnosis = diagnosis;
    smc_hs_wait(h, SMC_HS_CROSSING, c->ep->profile.clc_decline_timeout_ns);
}

void smc_hs_decline(struct smc_handshake *h, uint32_t diagnosis, bool out_of_sync)
{
    if (send_decline(h, diagnosis, out_of_sync) != 0)
        smc_hs_fatal(h, SMC_ERR_RESET);
    else if (h->confirmed && h->c->ep->profile.clc_decline_timeout_ns != 0)
        cross(h, diagnosis);
    else
        smc_hs_fall_back(h, diagnosis, 0);
}

void smc_hs_decline_late(struct smc_handshake *h, uint32_t diagnosis)
{
    /* SMC-D, and a group that exists: the client has gone on already [CLC-048]. */
    if (h->c->group->smc_d || !h->choice.first_contact)
        smc_hs_fatal(h, SMC_ERR_PROTOCOL);
    else
        smc_hs_decline(h, diagnosis, false);
}
