/* What smc_diag says of SMC sockets: states, modes, cursors, links, fallback reasons.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "agent_netlink.h"
#include "agent_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <linux/smc_diag.h>
#include <linux/sock_diag.h>

/* The kernel's numbers of states, with the names of the standard (net/smc/smc.h). */
static const struct {
    uint8_t number;
    const char *name;
} states[] = {
    {1, "ACTIVE"}, {2, "INIT"}, {7, "CLOSED"}, {10, "LISTEN"}, {20, "PEERCLOSEWAIT1"}, {21, "PEERCLOSEWAIT2"},
    {22, "APPCLOSEWAIT1"}, {23, "APPCLOSEWAIT2"}, {24, "APPFINCLOSEWAIT"}, {25, "PEERFINCLOSEWAIT"}, {26, "PEERABORTWAIT"},
    {27, "PROCESSABORT"},
};

static const char *state_name(uint8_t number)
{
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        if (states[i].number == number)
            return states[i].name;
    return "UNKNOWN";
}

static void put_cursor(struct agent_text *out, const char *prefix, const char *name, const struct smc_diag_cursor *c)
{
    agent_text_print(out, " %s%s=%u:%u", prefix, name, c->wrap, c->count);
}

static void put_connection(struct agent_text *out, const char *p, const struct agent_nla *a)
{
    struct smc_diag_conninfo c;
    if (a->n < sizeof(c))
        return;
    memcpy(&c, a->p, sizeof(c));
    agent_text_print(out, " %stoken=0x%x %ssndbuf=%u %srmb=%u %speer_rmb=%u", p, c.token, p, c.sndbuf_size, p, c.rmbe_size, p,
                     c.peer_rmbe_size);
    put_cursor(out, p, "rx_prod", &c.rx_prod);
    put_cursor(out, p, "rx_cons", &c.rx_cons);
    put_cursor(out, p, "tx_prod", &c.tx_prod);
    put_cursor(out, p, "tx_cons", &c.tx_cons);
    put_cursor(out, p, "tx_prep", &c.tx_prep);
    put_cursor(out, p, "tx_sent", &c.tx_sent);
    put_cursor(out, p, "tx_fin", &c.tx_fin);
    agent_text_print(out, " %srx_flags=0x%x:0x%x %stx_flags=0x%x:0x%x", p, c.rx_prod_flags, c.rx_conn_state_flags, p,
                     c.tx_prod_flags, c.tx_conn_state_flags);
}

static void put_link(struct agent_text *out, const char *p, const struct agent_nla *a)
{
    struct smc_diag_lgrinfo g;
    if (a->n < sizeof(g))
        return;
    memcpy(&g, a->p, sizeof(g));
    agent_text_print(out, " %slink=%u %srole=%s %sport=%u", p, g.lnk[0].link_id, p, g.role == 0 ? "client" : "server", p,
                     g.lnk[0].ibport);
    agent_text_print(out, " %sdevice=", p);
    agent_text_value(out, (const char *)g.lnk[0].ibname, sizeof(g.lnk[0].ibname));
    agent_text_print(out, " %sgid=", p);
    agent_text_value(out, (const char *)g.lnk[0].gid, sizeof(g.lnk[0].gid));
    agent_text_print(out, " %speer_gid=", p);
    agent_text_value(out, (const char *)g.lnk[0].peer_gid, sizeof(g.lnk[0].peer_gid));
}

static void put_dmb(struct agent_text *out, const char *p, const struct agent_nla *a)
{
    struct smcd_diag_dmbinfo d;
    if (a->n < sizeof(d))
        return;
    memcpy(&d, a->p, sizeof(d));
    agent_text_print(out, " %sgroup=0x%x %sgid=0x%" PRIx64 " %speer_gid=0x%" PRIx64 " %sdmb=0x%" PRIx64 " %speer_dmb=0x%" PRIx64, p,
                     d.linkid, p, (uint64_t)d.my_gid, p, (uint64_t)d.peer_gid, p, (uint64_t)d.token, p, (uint64_t)d.peer_token);
}

static void put_fallback(struct agent_text *out, const char *p, const struct agent_nla *a)
{
    struct smc_diag_fallback f;
    if (a->n < sizeof(f))
        return;
    memcpy(&f, a->p, sizeof(f));
    agent_text_print(out, " %sfallback=0x%08x %speer_diagnosis=0x%08x", p, f.reason, p, f.peer_diagnosis);
}

static void put_address(struct agent_text *out, const char *p, const char *name, uint8_t family, const __be32 *bytes, __be16 port)
{
    char text[INET6_ADDRSTRLEN];
    if (inet_ntop(family, bytes, text, sizeof(text)) != NULL)
        agent_text_print(out, " %s%s=%s %s%s_port=%u", p, name, text, p, name, ntohs(port));
}

/* diag_family is AF_SMC, whatever is below it: an IPv6 address shows by itself. Of IPPROTO_SMC sockets the kernel (6.12) gives no
 * addresses at all. */
static void put_addresses(struct agent_text *out, const char *p, const struct inet_diag_sockid *id)
{
    uint8_t family = AF_INET;
    for (int i = 1; i < 4; i++)
        if (id->idiag_src[i] != 0 || id->idiag_dst[i] != 0)
            family = AF_INET6;
    put_address(out, p, "own", family, id->idiag_src, id->idiag_sport);
    put_address(out, p, "peer", family, id->idiag_dst, id->idiag_dport);
}

/* What the socket is: nothing yet while the handshake goes on. */
static const char *mode_name(const struct smc_diag_msg *m)
{
    if (m->diag_mode == SMC_DIAG_MODE_FALLBACK_TCP)
        return "TCP";
    if (m->diag_state == 2 || m->diag_state == 10)
        return "none";
    return m->diag_mode == SMC_DIAG_MODE_SMCD ? "SMC-D" : "SMC-R";
}

static void put_socket(struct agent_text *out, const char *p, const struct smc_diag_msg *m, const uint8_t *from, const uint8_t *end)
{
    struct agent_nla a;
    agent_text_print(out, " %smode=%s %sstate=%s", p, mode_name(m), p, state_name(m->diag_state));
    if (*p != '\0') { /* `info` has the socket itself to ask */
        agent_text_print(out, " %sinode=%" PRIu64 " %suid=%u", p, (uint64_t)m->diag_inode, p, m->diag_uid);
        put_addresses(out, p, &m->id);
    }
    while (agent_nla_next(&from, end, &a)) {
        switch (a.type) {
        case SMC_DIAG_CONNINFO:
            put_connection(out, p, &a);
            break;
        case SMC_DIAG_LGRINFO:
            put_link(out, p, &a);
            break;
        case SMC_DIAG_DMBINFO:
            put_dmb(out, p, &a);
            break;
        case SMC_DIAG_FALLBACK:
            put_fallback(out, p, &a);
            break;
        case SMC_DIAG_SHUTDOWN:
            agent_text_print(out, " %sshutdown=%" PRIu64, p, agent_nla_number(&a));
            break;
        default:
            break;
        }
    }
}

/* False: not a message about a socket. */
static bool take_message(const struct nlmsghdr *m, struct smc_diag_msg *out)
{
    if (m->nlmsg_len < NLMSG_LENGTH(sizeof(*out)))
        return false;
    memcpy(out, (const char *)m + NLMSG_HDRLEN, sizeof(*out));
    return true;
}

static int match_socket(void *user, const struct nlmsghdr *m)
{
    struct agent_diag *d = user;
    struct smc_diag_msg head;
    struct agent_nla a;
    struct smc_diag_conninfo c;
    const uint8_t *end, *from = agent_nl_attrs(m, sizeof(head), &end);
    if (d->found || !take_message(m, &head) || head.diag_inode != d->inode)
        return 0;
    d->found = true;
    if (agent_nla_find(from, end, SMC_DIAG_CONNINFO, &a) && a.n >= sizeof(c)) {
        memcpy(&c, a.p, sizeof(c));
        d->sndbuf = c.sndbuf_size;
    }
    struct smc_diag_lgrinfo g;
    if (agent_nla_find(from, end, SMC_DIAG_LGRINFO, &a) && a.n >= sizeof(g)) {
        memcpy(&g, a.p, sizeof(g));
        d->link = g.lnk[0].link_id;
        memcpy(d->gid, g.lnk[0].gid, sizeof(g.lnk[0].gid));
        memcpy(d->peer_gid, g.lnk[0].peer_gid, sizeof(g.lnk[0].peer_gid));
    }
    if (d->out != NULL)
        put_socket(d->out, "", &head, from, end);
    return 0;
}

static int ask(agent_nl_fn *each, void *user)
{
    struct smc_diag_req request = {.diag_family = AF_SMC};
    struct agent_nl m;
    request.diag_ext = 1 << (SMC_DIAG_CONNINFO - 1) | 1 << (SMC_DIAG_LGRINFO - 1) | 1 << (SMC_DIAG_DMBINFO - 1);
    agent_nl_begin(&m, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP);
    agent_nl_add(&m, &request, sizeof(request));
    return agent_nl_talk(NETLINK_SOCK_DIAG, &m, each, user);
}

int agent_diag_find(struct agent *a, struct agent_diag *d)
{
    int status = ask(match_socket, d);
    return status != 0 ? agent_fail(a, status, "smc_diag does not answer") : 0;
}

struct all {
    struct agent_text *out;
    unsigned count;
};

static int take_one(void *user, const struct nlmsghdr *m)
{
    struct all *all = user;
    struct smc_diag_msg head;
    char prefix[32];
    const uint8_t *end, *from = agent_nl_attrs(m, sizeof(head), &end);
    if (!take_message(m, &head))
        return 0;
    snprintf(prefix, sizeof(prefix), "%u.", ++all->count);
    put_socket(all->out, prefix, &head, from, end);
    return 0;
}

int agent_diag_all(struct agent *a, struct agent_text *out)
{
    struct all all = {.out = out};
    int status = ask(take_one, &all);
    if (status != 0)
        return agent_fail(a, status, "smc_diag does not answer");
    agent_text_print(out, " count=%u", all.count);
    return 0;
}
