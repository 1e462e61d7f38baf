/* smclab ss: connections, link groups and links of a scenario at a time, in the columns of smcss and smcr.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "commands.h"
#include "look_agent.h"
#include "ss_table.h"

#include "sim/lab.h"

#include <string.h>

static const char usage[] =
    "usage: smclab ss [OPTION…] SCENARIO\n"
    "       smclab ss [OPTION…] --agent PATH\n"
    "\n"
    "Runs a scenario up to a time and shows its connections in the columns of smcss(8): the same awk works here and on a\n"
    "kernel. Of several hosts, the last column says whose line it is; --host leaves that out. With --agent: those of a live\n"
    "machine, now: of its kernel by smclab-agent --socket PATH, of our own stack by smclab-endpoint --status PATH.\n"
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
    "Exit status: 0 shown; 1 an expectation of the scenario failed before; 2 usage; 3 the scenario has an error, or the\n"
    "agent does not answer.\n";

/* ---- sockets ---- */
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

/* As smcss: the socket's own state, whatever the mode. */
static const char *state_of(const struct lab_socket *s, const struct lab_socket_view *v)
{
    return v->listening ? "LISTEN" : v->closed ? "CLOSED" : lab_socket_mode(s) == SMC_MODE_NONE ? "INIT"
           : lab_socket_mode(s) == SMC_MODE_TCP ? "ACTIVE" : lab_socket_state(s);
}

static void put_socket(const struct look *look, struct lab_socket *s)
{
    struct lab_socket_view v;
    struct smc_connection *connection = lab_socket_connection(s);
    lab_socket_view(s, &v);
    struct ss_row r = {.host = lab_host_name(lab_socket_host(s)), .state = state_of(s, &v), .inode = lab_socket_id(s), .tcp = v.tcp,
                       .own = v.own, .peer = v.peer, .own_port = v.own_port, .peer_port = v.peer_port, .interface = v.interface,
                       .mode = lab_socket_mode(s), .info_known = connection != NULL};
    r.fallback = lab_socket_fallback(s, &r.peer_diagnosis);
    if (connection != NULL) {
        smc_connection_get_info(connection, &r.info);
        r.link_known = find_link(lab_socket_host(s), &r.info, &r.link);
    }
    ss_put_row(look, &r);
}

void look_print_ss(const struct look *look, struct lab *lab)
{
    ss_put_header(look);
    for (struct lab_host *h = look_next_host(look, lab, NULL); h != NULL; h = look_next_host(look, lab, h))
        for (struct lab_socket *s = lab_next_socket(lab, NULL); s != NULL; s = lab_next_socket(lab, s))
            if (lab_socket_host(s) == h)
                put_socket(look, s);
}

/* ---- link groups and links ---- */
static void each_group(const struct look *look, struct lab *lab, bool smc_d,
                       void (*put)(const struct look *look, const char *host, const struct smc_group_info *g))
{
    struct smc_group_info g;
    for (struct lab_host *h = look_next_host(look, lab, NULL); h != NULL; h = look_next_host(look, lab, h))
        for (unsigned i = 0; lab_host_endpoint(h) != NULL && smc_endpoint_get_group(lab_host_endpoint(h), i, &g); i++)
            if (g.smc_d == smc_d)
                put(look, lab_host_name(h), &g);
}

void look_print_groups(const struct look *look, struct lab *lab)
{
    ss_put_group_header(look, false);
    each_group(look, lab, false, ss_put_group_r);
    ss_put_group_header(look, true);
    each_group(look, lab, true, ss_put_group_d);
}

void look_print_links(const struct look *look, struct lab *lab)
{
    ss_put_link_header(look);
    each_group(look, lab, false, ss_put_links);
}

/* ---- the command line ---- */
static bool option(struct look *look, int c)
{
    switch (c) {
    case 'a': look->all = true; return true;
    case 'l': look->listening = true; return true;
    case 'e': look->extended = true; return true;
    case 'R': look->smcr = true; return true;
    case 'g':
        look->print = look_print_groups;
        look->ask = look_agent_groups;
        return true;
    case 'L':
        look->print = look_print_links;
        look->ask = look_agent_links;
        return true;
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
    struct look look = {.command = "ss", .print = look_print_ss, .ask = look_agent_ss};
    return look_command(&look, argc, argv, &syntax);
}
