/* The tables of smclab ss: columns as smcss(8) and smc-tools have them, wherever the rows come from.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "ss_table.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

static const char *address_text(const struct smc_gid *a, char out[INET6_ADDRSTRLEN])
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    bool v4 = memcmp(a->bytes, mapped, sizeof(mapped)) == 0;
    return inet_ntop(v4 ? AF_INET : AF_INET6, a->bytes + (v4 ? 12 : 0), out, INET6_ADDRSTRLEN);
}

static void put_address(const struct smc_gid *a, uint16_t port)
{
    char address[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 8];
    snprintf(text, sizeof(text), "%s:%u", address_text(a, address), port);
    printf("%-23s ", text);
}

static void put_host(const struct look *look, const char *host)
{
    if (look_names_hosts(look))
        printf(" %s", host);
    putchar('\n');
}

/* ---- sockets ---- */
void ss_put_header(const struct look *look)
{
    printf("State          UID   Inode   Local Address           Peer Address            Intf Mode ");
    if (look->extended)
        printf("Shutd Token    Sndbuf   Rcvbuf   Peerbuf  rxprod-Cursor rxcons-Cursor rxFlags txprod-Cursor txcons-Cursor "
               "txFlags txprep-Cursor txsent-Cursor txfin-Cursor  ");
    if (look->smcr)
        printf("Role IB-device       Port Linkid GID                                      Peer-GID");
    puts(look_names_hosts(look) ? " Host" : "");
}

static void put_cursor(struct smc_cursor_info c)
{
    printf("%04x:%08" PRIx32 " ", c.wrap, c.count);
}

static void put_extended(const struct smc_connection_info *i, enum smc_state state)
{
    bool reads = state != SMC_STATE_APPCLOSEWAIT1 && state != SMC_STATE_APPCLOSEWAIT2 && state != SMC_STATE_APPFINCLOSEWAIT;
    bool writes = state == SMC_STATE_ACTIVE || !reads;
    printf(" %c-%c  %08" PRIx32 " %08" PRIx32 " %08" PRIx32 " %08" PRIx32 " ", reads ? '<' : 'R', writes ? '>' : 'W', i->alert_token,
           i->sndbuf_bytes, i->rmb_bytes, i->peer_rmb_bytes);
    put_cursor(i->rx_prod);
    put_cursor(i->rx_cons);
    printf("%02x:%02x   ", i->rx_prod_flags, i->rx_conn_flags);
    put_cursor(i->tx_prod);
    put_cursor(i->tx_cons);
    printf("%02x:%02x   ", i->tx_prod_flags, i->tx_conn_flags);
    put_cursor(i->tx_prep);
    put_cursor(i->tx_sent);
    put_cursor(i->tx_fin);
}

static void put_smcr(const struct ss_row *r)
{
    char own[INET6_ADDRSTRLEN], peer[INET6_ADDRSTRLEN];
    const struct smc_link_info *l = &r->link;
    if (r->link_known)
        printf("%4s %-15s %02x   %02x     %-40s %s", r->info.client ? "CLNT" : "SERV", l->device, l->port, l->number,
               address_text(&l->gid, own), address_text(&l->peer_gid, peer));
}

static void put_mode(const struct ss_row *r)
{
    printf("%4s ", r->mode == SMC_MODE_R ? "SMCR" : r->mode == SMC_MODE_D ? "SMCD" : "TCP ");
    if (r->mode == SMC_MODE_TCP)
        printf("0x%08" PRIx32, r->fallback);
    if (r->mode == SMC_MODE_TCP && r->peer_diagnosis != 0)
        printf("/0x%08" PRIx32, r->peer_diagnosis);
}

static void put_connection(const struct look *look, const struct ss_row *r)
{
    put_address(&r->own, r->own_port);
    put_address(&r->peer, r->peer_port);
    printf("%04x ", r->interface);
    put_mode(r);
    if (!r->info_known || r->mode == SMC_MODE_TCP)
        return;
    if (look->extended)
        put_extended(&r->info, r->info.state);
    if (look->smcr)
        put_smcr(r);
}

static bool is_wanted(const struct look *look, const struct ss_row *r)
{
    bool special = strcmp(r->state, "LISTEN") == 0 || strcmp(r->state, "INIT") == 0 || strcmp(r->state, "CLOSED") == 0;
    if (look->listening)
        return strcmp(r->state, "LISTEN") == 0;
    return (look->all || !special) && (!look->smcr || r->mode == SMC_MODE_R);
}

void ss_put_row(const struct look *look, const struct ss_row *r)
{
    if (!is_wanted(look, r))
        return;
    printf("%-14s %05u %07" PRIu64 " ", r->state, r->uid, r->inode);
    if (strcmp(r->state, "LISTEN") == 0)
        printf("%s:%u", "0.0.0.0", r->own_port);
    else if (r->tcp)
        put_connection(look, r);
    put_host(look, r->host);
}

/* ---- link groups and links ---- */
static const char *type_of(const struct smc_group_info *g)
{
    static const char *const types[] = {"NONE", "SINGLE", "SYM", "ASYMP", "ASYML"};
    return types[(unsigned)g->type % 5];
}

void ss_put_group_r(const struct look *look, const char *host, const struct smc_group_info *g)
{
    printf("%08" PRIx32 " %-8s %-8s %#4x  %6" PRIu32 " ", g->id, g->client ? "CLNT" : "SERV", type_of(g),
           g->vlan_valid ? g->vlan_id : 0, g->connections);
    put_host(look, host);
}

void ss_put_group_d(const struct look *look, const char *host, const struct smc_group_info *g)
{
    printf("%08" PRIx32 " %#4x  %6" PRIu32 " ", g->id, g->vlan_valid ? g->vlan_id : 0, g->connections);
    put_host(look, host);
}

void ss_put_links(const struct look *look, const char *host, const struct smc_group_info *g)
{
    static const char *const states[] = {"LINK_UNUSED", "LINK_ACTIVATING", "LINK_ACTIVE", "LINK_INACTIVE"};
    char own[INET6_ADDRSTRLEN], peer[INET6_ADDRSTRLEN];
    for (unsigned i = 0; i < g->link_count; i++) {
        const struct smc_link_info *l = &g->links[i];
        printf("%08" PRIx32 " %-8s %-8s %-15s %-15s %6" PRIu32 "  %08x  %08x  %-15s %4u  %-40s  %s", g->id, g->client ? "CLNT" : "SERV",
               type_of(g), l->device, states[(unsigned)l->state & 3], l->connections, l->number, l->number, l->device, l->port,
               address_text(&l->gid, own), address_text(&l->peer_gid, peer));
        put_host(look, host);
    }
}

void ss_put_group_header(const struct look *look, bool smc_d)
{
    const char *host = look_names_hosts(look) ? " Host" : "";
    printf(smc_d ? "\nLG-ID    VLAN  #Conns %s\n" : "LG-ID    LG-Role  LG-Type  VLAN  #Conns %s\n", host);
}

void ss_put_link_header(const struct look *look)
{
    printf("LG-ID    LG-Role  LG-Type  Net-Dev         Link-State      #Conns  Link-UID  Peer-UID  IB-Dev          IB-P  "
           "Local-GID                                 Peer-GID%s\n", look_names_hosts(look) ? "  Host" : "");
}
