/* Interesting states inside the hosts: sampled between events and at the end.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "internal.h"

#include "devices/roce.h"

#include <string.h>

/* EXPLORE_STATES: may happen, but no plan can be made for it (docs/campaigns.md). */
void explore_saw_decline(struct explore_run *run, uint32_t code)
{
    static const struct { uint32_t code; unsigned char state; } known[] = {
        {0x01010000, EXPLORE_D_01010000}, {0x02010000, EXPLORE_D_02010000}, {0x03020000, EXPLORE_D_03020000},
        {0x03030000, EXPLORE_D_03030000}, {0x03030001, EXPLORE_D_03030001}, {0x03030002, EXPLORE_D_03030002},
        {0x03030007, EXPLORE_D_03030007}, {0x03030008, EXPLORE_D_03030008}, {0x03040000, EXPLORE_D_03040000},
        {0x03050000, EXPLORE_D_03050000}, {0x03060000, EXPLORE_D_03060000}, {0x03070000, EXPLORE_D_03070000},
        {0x03090000, EXPLORE_D_03090000}, {0x030a0000, EXPLORE_STATES}, {0x030b0000, EXPLORE_D_030B0000},
        {0x030c0000, EXPLORE_D_030C0000}, {0x030d0000, EXPLORE_D_030D0000}, {0x030e0000, EXPLORE_D_030E0000},
        {0x04000000, EXPLORE_D_04000000}, {0x09990000, EXPLORE_STATES}, {0x09990001, EXPLORE_STATES},
        {0x09990002, EXPLORE_D_09990002}, {0x09990003, EXPLORE_D_09990003}};
    for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i].code == code) {
            if (known[i].state < EXPLORE_STATES)
                explore_saw(run, (enum explore_state)known[i].state);
            return;
        }
    if (!run->corrupts)
        explore_fail(run, "a Decline without a cause", "Decline 0x%08x, which answers only what is malformed", code);
}

static const struct { int state; unsigned char reached, moved; } socket_states[] = {
    {SMC_STATE_ACTIVE, EXPLORE_ST_ACTIVE, EXPLORE_FO_ACTIVE},
    {SMC_STATE_PEERCLOSEWAIT1, EXPLORE_ST_PEERCLOSEWAIT1, EXPLORE_FO_PEERCLOSEWAIT1},
    {SMC_STATE_PEERCLOSEWAIT2, EXPLORE_ST_PEERCLOSEWAIT2, EXPLORE_FO_PEERCLOSEWAIT2},
    {SMC_STATE_APPCLOSEWAIT1, EXPLORE_ST_APPCLOSEWAIT1, EXPLORE_FO_APPCLOSEWAIT1},
    {SMC_STATE_APPCLOSEWAIT2, EXPLORE_ST_APPCLOSEWAIT2, EXPLORE_FO_APPCLOSEWAIT2},
    {SMC_STATE_APPFINCLOSEWAIT, EXPLORE_ST_APPFINCLOSEWAIT, EXPLORE_FO_APPFINCLOSEWAIT},
    {SMC_STATE_PEERFINCLOSEWAIT, EXPLORE_ST_PEERFINCLOSEWAIT, EXPLORE_FO_PEERFINCLOSEWAIT},
    {SMC_STATE_PEERABORTWAIT, EXPLORE_ST_PEERABORTWAIT, EXPLORE_ST_PEERABORTWAIT},
    {SMC_STATE_PROCESSABORT, EXPLORE_ST_PROCESSABORT, EXPLORE_ST_PROCESSABORT}};

static void note_move(struct explore_run *run, struct explore_app *app, const struct smc_connection_info *info)
{
    for (unsigned i = 0; i < sizeof(socket_states) / sizeof(socket_states[0]); i++)
        if (socket_states[i].state == app->state)
            explore_saw(run, (enum explore_state)socket_states[i].moved);
    if (++app->moves > 1)
        explore_saw(run, EXPLORE_FO_BACK);
    if ((info->tx_prod_flags & 0x80) != 0)
        explore_saw(run, EXPLORE_FO_BLOCKED);
    if ((info->tx_prod_flags & 0x60) != 0)
        explore_saw(run, EXPLORE_FO_URGENT);
}

static void note_state(struct explore_run *run, const struct smc_connection_info *info)
{
    for (unsigned i = 0; i < sizeof(socket_states) / sizeof(socket_states[0]); i++)
        if (socket_states[i].state == (int)info->state)
            explore_saw(run, (enum explore_state)socket_states[i].reached);
}

static void sample_app(struct explore_run *run, struct explore_app *app)
{
    struct smc_connection *c = app->socket != NULL && !app->ended ? lab_socket_connection(app->socket) : NULL;
    struct smc_connection_info info;
    if (c == NULL || app->mode == SMC_MODE_TCP)
        return;
    smc_connection_get_info(c, &info);
    note_state(run, &info);
    if (app->link != 0 && info.link_number != 0 && info.link_number != app->link)
        note_move(run, app, &info);
    app->state = (int)info.state;
    if (info.link_number != 0)
        app->link = info.link_number;
    if (app->plan->cork && info.mode != SMC_MODE_TCP && app->connected)
        explore_saw(run, EXPLORE_CORKED);
}

static void sample_groups(struct explore_run *run, unsigned host)
{
    struct smc_endpoint *e = lab_host_endpoint(run->hosts[host]);
    struct smc_group_info info;
    bool client = false, server = false, full = false, first = false;
    for (unsigned i = 0; e != NULL && smc_endpoint_get_group(e, i, &info); i++) {
        switch (info.type) {
        case SMC_GROUP_SINGLE: explore_saw(run, EXPLORE_GROUP_SINGLE); break;
        case SMC_GROUP_SYMMETRIC: explore_saw(run, EXPLORE_GROUP_SYMMETRIC); break;
        case SMC_GROUP_ASYMMETRIC_PEER: explore_saw(run, EXPLORE_GROUP_ASYM_PEER); break;
        case SMC_GROUP_ASYMMETRIC_LOCAL: explore_saw(run, EXPLORE_GROUP_ASYM_LOCAL); break;
        case SMC_GROUP_NONE: break;
        }
        unsigned active = 0;
        for (unsigned l = 0; l < info.link_count; l++)
            active += info.links[l].state == SMC_LINK_ACTIVE;
        if (active > 2)
            explore_saw(run, EXPLORE_GROUP_3_LINKS);
        if (full && info.connections > 0)
            explore_saw(run, EXPLORE_GROUP_SECOND);
        if (info.connections == 0 || info.smc_d)
            continue;
        full |= info.connections >= info.max_conns;
        client |= info.client;
        server |= !info.client;
        if (info.connections >= 255)
            explore_saw(run, EXPLORE_GROUP_255);
        if (first && info.link_count == 1 && strcmp(info.flow, "none") != 0)
            explore_saw(run, EXPLORE_GROUP_PARALLEL);
        first |= info.link_count <= 1;
    }
    if (client && server)
        explore_saw(run, EXPLORE_GROUP_BOTH_WAYS);
}

/* ---- congestion ---- */
static void sample_flows(struct explore_run *run, const struct roce *roce)
{
    struct roce_flow flow;
    struct roce_dcqcn params;
    bool on = roce_dcqcn_params(roce, &params);
    for (unsigned i = 0; on && roce_get_flow(roce, i, sim_now(run->sim), &flow); i++) {
        if (!flow.rp.cut)
            continue;
        explore_saw(run, flow.rp.R_C < params.line_rate ? EXPLORE_DCQCN_SLOWER : EXPLORE_DCQCN_BACK);
    }
}

/* Full queues are no fault of a plan; what they drop is repeated. But if they stay full, answers may take longer than any timer. */
static void sample_drops(struct explore_run *run)
{
    uint64_t drops = 0, now = sim_now(run->sim);
    for (unsigned i = 0; i < run->plan->link_count; i++)
        for (unsigned e = 0; e < 2; e++)
            drops += net_port_stats(run->ports[i][e])->queue_drops;
    if (drops == run->drops)
        return;
    run->drops = drops;
    if (run->drops_last_ns == 0 || now - run->drops_last_ns > EXPLORE_RESPITE_NS)
        run->drops_since_ns = now;
    run->drops_last_ns = now;
    if (now - run->drops_since_ns >= EXPLORE_CONGESTED_NS) {
        run->congested = true;
        explore_saw(run, EXPLORE_CONGESTED);
    }
}

static void sample_congestion(struct explore_run *run)
{
    sample_drops(run);
    for (unsigned h = 0; h < run->plan->host_count; h++)
        for (unsigned n = 0; n < run->plan->hosts[h].nics && run->plan->hosts[h].dcqcn && run->plan->hosts[h].roce != 3; n++)
            sample_flows(run, lab_interface_roce(run->nics[h][n]));
}

static void count_network(struct explore_run *run)
{
    const struct explore_plan *p = run->plan;
    const struct port *port;
    for (unsigned i = 0; i < p->link_count && p->xoff != 0; i++) {
        port = run->ports[i][p->links[i].a < 100 ? 0 : 1];
        if (net_port_stats(port)->pause_received == 0)
            continue;
        explore_saw(run, EXPLORE_PFC_STOPPED);
        if (run->out->states[EXPLORE_LINK_LOST])
            explore_saw(run, EXPLORE_PFC_LOST);
    }
    for (unsigned sw = 0; sw < 2; sw++)
        for (unsigned i = 0; (port = lab_switch_port(run->lab, sw == 0 ? "sw0" : "sw1", i)) != NULL; i++)
            if (net_port_stats(port)->ecn_marked > 0)
                explore_saw(run, EXPLORE_ECN_MARKED);
}

void explore_sample(struct explore_run *run)
{
    sample_congestion(run);
    for (unsigned i = 0; i < 2 * run->plan->conn_count; i++)
        sample_app(run, &run->apps[i]);
    for (unsigned h = 0; h < run->plan->host_count; h++)
        sample_groups(run, h);
}

/* ---- at the end: what counters tell ---- */
static void count_path(struct explore_run *run, const struct smc_path_counters *p)
{
    if (p->rx_buffer_reuse + p->tx_buffer_reuse > 0)
        explore_saw(run, EXPLORE_BUFFER_REUSED);
    if (p->rx_buffer_downgraded + p->tx_buffer_downgraded > 0)
        explore_saw(run, EXPLORE_BUFFER_SMALLER);
}

static void count_endpoint(struct explore_run *run, unsigned host)
{
    const struct smc_endpoint *e = lab_host_endpoint(run->hosts[host]);
    if (e == NULL)
        return;
    const struct smc_counters *c = smc_endpoint_counters(e);
    const struct explore_host *h = &run->plan->hosts[host];
    count_path(run, &c->r);
    count_path(run, &c->d);
    if (c->links_lost > 0)
        explore_saw(run, EXPLORE_LINK_LOST);
    if (c->client_fallbacks + c->server_fallbacks > 0)
        explore_saw(run, EXPLORE_MODE_TCP);
    if (c->links_lost > c->failovers && c->failovers == 0 && c->links_lost > 0)
        explore_saw(run, EXPLORE_FO_NONE_LEFT);
    for (unsigned i = 0; i < SMC_STATS_REASONS; i++) {
        if (c->client_reasons[i].count > 0 && c->client_reasons[i].code == 0x04000000)
            explore_saw(run, EXPLORE_OUT_OF_SYNC);
        if (c->server_reasons[i].count + c->client_reasons[i].count > 0 &&
            (c->server_reasons[i].code == 0x03050000 || c->client_reasons[i].code == 0x03050000))
            explore_saw(run, EXPLORE_PROFILE_CLASH);
        if (c->server_reasons[i].count > 0 && c->server_reasons[i].code == 0x030d0000)
            explore_saw(run, EXPLORE_DMB_FULL);
    }
    if (run->memory.failed > 0 && c->handshake_errors + c->client_fallbacks + c->server_fallbacks > 0)
        explore_saw(run, EXPLORE_MEMORY_HANDSHAKE);
    bool d = c->d.rx_bytes > 0;
    if (d && h->devices == 1)
        explore_saw(run, EXPLORE_DEV_ISM);
    if (d && h->devices == 2) {
        explore_saw(run, EXPLORE_DEV_LOOPBACK);
        if (h->no_copy)
            explore_saw(run, EXPLORE_NO_COPY);
    }
    if (d && h->devices == 4)
        explore_saw(run, EXPLORE_DEV_IVSHMEM);
    if (run->device_gone && d)
        explore_saw(run, EXPLORE_DEVICE_GONE);
}

static void count_nic(struct explore_run *run, const struct roce_counters *c)
{
    if (c->sequence_naks_received > 0)
        explore_saw(run, EXPLORE_RC_NAK);
    if (c->rnr_naks_received > 0)
        explore_saw(run, EXPLORE_RC_RNR);
    if (c->timeouts > 0)
        explore_saw(run, EXPLORE_RC_TIMEOUT);
    if (c->dropped_bad_icrc > 0)
        explore_saw(run, EXPLORE_RC_ICRC);
    if (c->duplicates > 0)
        explore_saw(run, EXPLORE_RC_DUPLICATE);
    if (c->qp_errors > 0)
        explore_saw(run, EXPLORE_RC_QP_ERROR);
    if (c->fatal_naks_received > 0) /* a WRITE to a key or an address that is none */
        explore_fail(run, "a fatal NAK", "%llu requests of RoCE were refused for good", (unsigned long long)c->fatal_naks_received);
}

static void count_app(struct explore_run *run, const struct explore_app *app)
{
    if (app->error == SMC_ERR_RESET)
        explore_saw(run, EXPLORE_RESET_SEEN);
    if (app->error == SMC_ERR_TIMEOUT)
        explore_saw(run, EXPLORE_TIMEOUT_SEEN);
    if (app->side == 0 && !app->connected)
        explore_saw(run, EXPLORE_CONNECT_FAILED);
    if (app->connected && app->mode != SMC_MODE_TCP && app->side == 0) {
        const struct explore_conn *c = &run->plan->conns[app->conn];
        if (run->plan->hosts[c->client].profile == 1 && run->plan->hosts[c->server].profile == 1)
            explore_saw(run, EXPLORE_MODE_RFC);
    }
}

void explore_sample_end(struct explore_run *run)
{
    if (run->memory.failed > 0)
        explore_saw(run, EXPLORE_MEMORY_FAILED);
    for (unsigned h = 0; h < run->plan->host_count; h++) {
        count_endpoint(run, h);
        for (unsigned n = 0; n < run->plan->hosts[h].nics; n++)
            if (run->plan->hosts[h].roce != 3)
                count_nic(run, roce_counters(lab_interface_roce(run->nics[h][n])));
    }
    count_network(run);
    for (unsigned i = 0; i < 2 * run->plan->conn_count; i++)
        count_app(run, &run->apps[i]);
}
