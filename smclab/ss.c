/* smclab ss: connections, link groups and links of a scenario at a time, in the columns of smcss and smcr.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "commands.h"
#include "look.h"

#include "sim/lab.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

static const char usage[] =
    "usage: smclab ss [OPTION…] SCENARIO\n"
    "\n"
    "Runs a scenario up to a time and shows its connections in the columns of smcss(8): the same awk works here and on a\n"
    "kernel. Of several hosts, the last column says whose line it is; --host leaves that out.\n"
    "\n"
    "      --at TIME          stands still there (250ms, 1.5s, 20us, 3ns; without a unit: nanoseconds); default: the end\n"
    "      --seed N           of the run, default 1\n"
    "      --host NAME        only this host\n"
    "  -a, --all              listening, closed and initial sockets as well\n"
    "  -l, --listening        only listening sockets\n"
    "  -e, --extended         token, buffers, cursors and flags\n"
    "  -R, --smcr             only SMC-R: role, device, port, link and GIDs\n"
    "  -g, --linkgroups       link groups instead, in the columns of `smcr linkgroup` and `smcd linkgroup`\n"
    "  -L, --links            links instead, in the columns of `smcr -dd linkgroup link-show`\n"
    "  -h, --help             this text\n"
    "\n"
    "Exit status: 0 shown; 1 an expectation of the scenario failed before; 2 usage; 3 the scenario has an error.\n";

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

static void put_host(const struct look *look, const struct lab_host *host)
{
    if (look_names_hosts(look))
        printf(" %s", lab_host_name(host));
    putchar('\n');
}

/* ---- sockets ---- */
static void put_header(const struct look *look)
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

static bool find_link(struct lab_host *host, const struct smc_connection_info *i, struct smc_link_info *out)
{
    struct smc_group_info g;
    for (unsigned n = 0; smc_endpoint_get_group(lab_host_endpoint(host), n, &g); n++)
        for (unsigned k = 0; g.id == i->group_id && k < g.link_count; k++)
            if (g.links[k].number == i->link_number) {
                *out = g.links[k];
                return true;
            }
    return false;
}

static void put_smcr(struct lab_host *host, const struct smc_connection_info *i)
{
    char own[INET6_ADDRSTRLEN], peer[INET6_ADDRSTRLEN];
    struct smc_link_info l;
    if (!find_link(host, i, &l))
        return;
    printf("%4s %-15s %02x   %02x     %-40s %s", i->client ? "CLNT" : "SERV", l.device, l.port, l.number,
           address_text(&l.gid, own), address_text(&l.peer_gid, peer));
}

static void put_mode(struct lab_socket *s)
{
    uint32_t peer = 0, reason = lab_socket_fallback(s, &peer);
    enum smc_mode mode = lab_socket_mode(s);
    printf("%4s ", mode == SMC_MODE_R ? "SMCR" : mode == SMC_MODE_D ? "SMCD" : "TCP ");
    if (mode == SMC_MODE_TCP)
        printf("0x%08" PRIx32, reason);
    if (mode == SMC_MODE_TCP && peer != 0)
        printf("/0x%08" PRIx32, peer);
}

static void put_connection(const struct look *look, struct lab_socket *s, const struct lab_socket_view *v)
{
    struct smc_connection *connection = lab_socket_connection(s);
    put_address(&v->own, v->own_port);
    put_address(&v->peer, v->peer_port);
    printf("%04x ", v->interface);
    put_mode(s);
    if (connection == NULL || lab_socket_mode(s) == SMC_MODE_TCP)
        return;
    struct smc_connection_info i;
    smc_connection_get_info(connection, &i);
    if (look->extended)
        put_extended(&i, i.state);
    if (look->smcr)
        put_smcr(lab_socket_host(s), &i);
}

/* As smcss: the socket's own state, whatever the mode. */
static const char *state_of(const struct lab_socket *s, const struct lab_socket_view *v)
{
    return v->listening ? "LISTEN" : v->closed ? "CLOSED" : lab_socket_mode(s) == SMC_MODE_NONE ? "INIT"
           : lab_socket_mode(s) == SMC_MODE_TCP ? "ACTIVE" : lab_socket_state(s);
}

static bool is_wanted(const struct look *look, const struct lab_socket *s, const char *state)
{
    bool special = strcmp(state, "LISTEN") == 0 || strcmp(state, "INIT") == 0 || strcmp(state, "CLOSED") == 0;
    if (look->listening)
        return strcmp(state, "LISTEN") == 0;
    return (look->all || !special) && (!look->smcr || lab_socket_mode(s) == SMC_MODE_R);
}

static void put_socket(const struct look *look, struct lab_socket *s)
{
    struct lab_socket_view v;
    lab_socket_view(s, &v);
    const char *state = state_of(s, &v);
    if (!is_wanted(look, s, state))
        return;
    printf("%-14s %05d %07u ", state, 0, lab_socket_id(s));
    if (v.listening)
        printf("%s:%u", "0.0.0.0", v.own_port);
    else if (v.tcp)
        put_connection(look, s, &v);
    put_host(look, lab_socket_host(s));
}

void look_print_ss(const struct look *look, struct lab *lab)
{
    put_header(look);
    for (struct lab_host *h = look_next_host(look, lab, NULL); h != NULL; h = look_next_host(look, lab, h))
        for (struct lab_socket *s = lab_next_socket(lab, NULL); s != NULL; s = lab_next_socket(lab, s))
            if (lab_socket_host(s) == h)
                put_socket(look, s);
}

/* ---- link groups and links ---- */
static const char *type_of(const struct smc_group_info *g)
{
    static const char *const types[] = {"NONE", "SINGLE", "SYM", "ASYMP", "ASYML"};
    return types[(unsigned)g->type % 5];
}

static void each_group(const struct look *look, struct lab *lab, bool smc_d,
                       void (*put)(const struct look *look, const struct lab_host *host, const struct smc_group_info *g))
{
    struct smc_group_info g;
    for (struct lab_host *h = look_next_host(look, lab, NULL); h != NULL; h = look_next_host(look, lab, h))
        for (unsigned i = 0; lab_host_endpoint(h) != NULL && smc_endpoint_get_group(lab_host_endpoint(h), i, &g); i++)
            if (g.smc_d == smc_d)
                put(look, h, &g);
}

static void put_group_r(const struct look *look, const struct lab_host *host, const struct smc_group_info *g)
{
    printf("%08" PRIx32 " %-8s %-8s %#4x  %6" PRIu32 " ", g->id, g->client ? "CLNT" : "SERV", type_of(g),
           g->vlan_valid ? g->vlan_id : 0, g->connections);
    put_host(look, host);
}

static void put_group_d(const struct look *look, const struct lab_host *host, const struct smc_group_info *g)
{
    printf("%08" PRIx32 " %#4x  %6" PRIu32 " ", g->id, g->vlan_valid ? g->vlan_id : 0, g->connections);
    put_host(look, host);
}

void look_print_groups(const struct look *look, struct lab *lab)
{
    const char *host = look_names_hosts(look) ? " Host" : "";
    printf("LG-ID    LG-Role  LG-Type  VLAN  #Conns %s\n", host);
    each_group(look, lab, false, put_group_r);
    printf("\nLG-ID    VLAN  #Conns %s\n", host);
    each_group(look, lab, true, put_group_d);
}

static void put_links(const struct look *look, const struct lab_host *host, const struct smc_group_info *g)
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

void look_print_links(const struct look *look, struct lab *lab)
{
    printf("LG-ID    LG-Role  LG-Type  Net-Dev         Link-State      #Conns  Link-UID  Peer-UID  IB-Dev          IB-P  "
           "Local-GID                                 Peer-GID%s\n", look_names_hosts(look) ? "  Host" : "");
    each_group(look, lab, false, put_links);
}

/* ---- the command line ---- */
static bool option(struct look *look, int c)
{
    switch (c) {
    case 'a': look->all = true; return true;
    case 'l': look->listening = true; return true;
    case 'e': look->extended = true; return true;
    case 'R': look->smcr = true; return true;
    case 'g': look->print = look_print_groups; return true;
    case 'L': look->print = look_print_links; return true;
    default: return false;
    }
}

int cmd_ss(int argc, char **argv)
{
    static const struct option longs[] = {
        {"all", no_argument, NULL, 'a'}, {"listening", no_argument, NULL, 'l'}, {"extended", no_argument, NULL, 'e'},
        {"smcr", no_argument, NULL, 'R'}, {"linkgroups", no_argument, NULL, 'g'}, {"links", no_argument, NULL, 'L'},
        LOOK_LONG_OPTIONS};
    static const struct look_syntax syntax = {.usage = usage, .shorts = "aleRgLh", .longs = longs, .option = option};
    struct look look = {.command = "ss", .print = look_print_ss};
    return look_command(&look, argc, argv, &syntax);
}
