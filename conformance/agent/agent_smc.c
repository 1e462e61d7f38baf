/* The agent's SMC verbs: UEIDs and the kernel's own account of groups, links, devices, fallbacks (generic netlink).
 * SPDX-License-Identifier: BSD-3-Clause */
#include "agent.h"
#include "agent_netlink.h"
#include "agent_socket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <linux/smc.h>

#define N AGENT_NLA_NUMBER
#define X AGENT_NLA_HEX
#define S AGENT_NLA_STRING
#define NEST AGENT_NLA_NEST
#define END {0, 0, NULL, NULL}

static const struct agent_nla_field v2_common[] = {
    {SMC_NLA_LGR_V2_VER, N, "version", NULL}, {SMC_NLA_LGR_V2_REL, N, "release", NULL}, {SMC_NLA_LGR_V2_OS, N, "os", NULL},
    {SMC_NLA_LGR_V2_NEG_EID, S, "eid", NULL}, {SMC_NLA_LGR_V2_PEER_HOST, S, "peer_host", NULL}, END,
};
static const struct agent_nla_field v2_r[] = {{SMC_NLA_LGR_R_V2_DIRECT, N, "direct", NULL}, END};
static const struct agent_nla_field group_r[] = {
    {SMC_NLA_LGR_R_ID, X, "id", NULL}, {SMC_NLA_LGR_R_ROLE, N, "role", NULL}, {SMC_NLA_LGR_R_TYPE, N, "type", NULL},
    {SMC_NLA_LGR_R_PNETID, S, "pnet", NULL}, {SMC_NLA_LGR_R_VLAN_ID, N, "vlan", NULL},
    {SMC_NLA_LGR_R_CONNS_NUM, N, "connections", NULL}, {SMC_NLA_LGR_R_BUF_TYPE, N, "buffers", NULL},
    {SMC_NLA_LGR_R_V2_COMMON, NEST, NULL, v2_common}, {SMC_NLA_LGR_R_V2, NEST, NULL, v2_r}, END,
};
static const struct agent_nla_field group_d[] = {
    {SMC_NLA_LGR_D_ID, X, "id", NULL}, {SMC_NLA_LGR_D_GID, X, "gid", NULL}, {SMC_NLA_LGR_D_PEER_GID, X, "peer_gid", NULL},
    {SMC_NLA_LGR_D_VLAN_ID, N, "vlan", NULL}, {SMC_NLA_LGR_D_CONNS_NUM, N, "connections", NULL},
    {SMC_NLA_LGR_D_PNETID, S, "pnet", NULL}, {SMC_NLA_LGR_D_CHID, X, "chid", NULL},
    {SMC_NLA_LGR_D_V2_COMMON, NEST, NULL, v2_common}, END,
};
static const struct agent_nla_field link_fields[] = {
    {SMC_NLA_LINK_ID, N, "number", NULL}, {SMC_NLA_LINK_IB_DEV, S, "device", NULL}, {SMC_NLA_LINK_IB_PORT, N, "port", NULL},
    {SMC_NLA_LINK_GID, S, "gid", NULL}, {SMC_NLA_LINK_PEER_GID, S, "peer_gid", NULL},
    {SMC_NLA_LINK_CONN_CNT, N, "connections", NULL}, {SMC_NLA_LINK_NET_DEV, N, "interface", NULL},
    {SMC_NLA_LINK_UID, X, "uid", NULL}, {SMC_NLA_LINK_PEER_UID, X, "peer_uid", NULL}, {SMC_NLA_LINK_STATE, N, "state", NULL}, END,
};
static const struct agent_nla_field device_port[] = {
    {SMC_NLA_DEV_PORT_PNET_USR, N, "pnet_by_user", NULL}, {SMC_NLA_DEV_PORT_PNETID, S, "pnet", NULL},
    {SMC_NLA_DEV_PORT_NETDEV, N, "interface", NULL}, {SMC_NLA_DEV_PORT_STATE, N, "state", NULL},
    {SMC_NLA_DEV_PORT_VALID, N, "valid", NULL}, {SMC_NLA_DEV_PORT_LNK_CNT, N, "links", NULL}, END,
};
static const struct agent_nla_field device[] = {
    {SMC_NLA_DEV_USE_CNT, N, "uses", NULL}, {SMC_NLA_DEV_IS_CRIT, N, "critical", NULL}, {SMC_NLA_DEV_PCI_ID, S, "pci", NULL},
    {SMC_NLA_DEV_PCI_CHID, X, "chid", NULL}, {SMC_NLA_DEV_IB_NAME, S, "name", NULL}, {SMC_NLA_DEV_PORT, NEST, NULL, device_port}, END,
};
static const struct agent_nla_field fallback[] = {
    {SMC_NLA_FBACK_STATS_TYPE, N, "server", NULL}, {SMC_NLA_FBACK_STATS_SRV_CNT, N, "servers", NULL},
    {SMC_NLA_FBACK_STATS_CLNT_CNT, N, "clients", NULL}, {SMC_NLA_FBACK_STATS_RSN_CODE, X, "reason", NULL},
    {SMC_NLA_FBACK_STATS_RSN_CNT, N, "count", NULL}, END,
};
static const struct agent_nla_field rmb_stats[] = {
    {SMC_NLA_STATS_RMB_SIZE_SM_PEER_CNT, N, "too_small_peer", NULL}, {SMC_NLA_STATS_RMB_SIZE_SM_CNT, N, "too_small", NULL},
    {SMC_NLA_STATS_RMB_FULL_PEER_CNT, N, "full_peer", NULL}, {SMC_NLA_STATS_RMB_FULL_CNT, N, "full", NULL},
    {SMC_NLA_STATS_RMB_REUSE_CNT, N, "reused", NULL}, {SMC_NLA_STATS_RMB_ALLOC_CNT, N, "allocated", NULL},
    {SMC_NLA_STATS_RMB_DGRADE_CNT, N, "downgraded", NULL}, END,
};
static const struct agent_nla_field sizes[] = {
    {SMC_NLA_STATS_PLOAD_8K, N, "8k", NULL}, {SMC_NLA_STATS_PLOAD_16K, N, "16k", NULL}, {SMC_NLA_STATS_PLOAD_32K, N, "32k", NULL},
    {SMC_NLA_STATS_PLOAD_64K, N, "64k", NULL}, {SMC_NLA_STATS_PLOAD_128K, N, "128k", NULL}, {SMC_NLA_STATS_PLOAD_256K, N, "256k", NULL},
    {SMC_NLA_STATS_PLOAD_512K, N, "512k", NULL}, {SMC_NLA_STATS_PLOAD_1024K, N, "1024k", NULL},
    {SMC_NLA_STATS_PLOAD_G_1024K, N, "more", NULL}, END,
};
static const struct agent_nla_field tech[] = {
    {SMC_NLA_STATS_T_CLNT_V1_SUCC, N, "client_v1", NULL}, {SMC_NLA_STATS_T_CLNT_V2_SUCC, N, "client_v2", NULL},
    {SMC_NLA_STATS_T_SRV_V1_SUCC, N, "server_v1", NULL}, {SMC_NLA_STATS_T_SRV_V2_SUCC, N, "server_v2", NULL},
    {SMC_NLA_STATS_T_URG_DATA_CNT, N, "urgent", NULL}, {SMC_NLA_STATS_T_CORK_CNT, N, "cork", NULL},
    {SMC_NLA_STATS_T_NDLY_CNT, N, "nodelay", NULL}, {SMC_NLA_STATS_T_RX_BYTES, N, "rx_bytes", NULL},
    {SMC_NLA_STATS_T_TX_BYTES, N, "tx_bytes", NULL}, {SMC_NLA_STATS_T_RX_CNT, N, "rx_calls", NULL},
    {SMC_NLA_STATS_T_TX_CNT, N, "tx_calls", NULL}, {SMC_NLA_STATS_T_TX_RMB_STATS, NEST, "tx", rmb_stats},
    {SMC_NLA_STATS_T_RX_RMB_STATS, NEST, "rx", rmb_stats}, {SMC_NLA_STATS_T_SENDPAGE_CNT, N, "sendpage", NULL},
    {SMC_NLA_STATS_T_SPLICE_CNT, N, "splice", NULL}, {SMC_NLA_STATS_T_TX_RMB_SIZE, NEST, "tx_rmb_size", sizes},
    {SMC_NLA_STATS_T_RX_RMB_SIZE, NEST, "rx_rmb_size", sizes}, {SMC_NLA_STATS_T_TXPLOAD_SIZE, NEST, "tx_size", sizes},
    {SMC_NLA_STATS_T_RXPLOAD_SIZE, NEST, "rx_size", sizes}, END,
};
static const struct agent_nla_field stats[] = {
    {SMC_NLA_STATS_SMCD_TECH, NEST, "smcd", tech}, {SMC_NLA_STATS_SMCR_TECH, NEST, "smcr", tech},
    {SMC_NLA_STATS_CLNT_HS_ERR_CNT, N, "client_handshake_errors", NULL},
    {SMC_NLA_STATS_SRV_HS_ERR_CNT, N, "server_handshake_errors", NULL}, END,
};
static const struct agent_nla_field ueid[] = {{SMC_NLA_EID_TABLE_ENTRY, S, "eid", NULL}, END};
static const struct agent_nla_field seid[] = {{SMC_NLA_SEID_ENTRY, S, "eid", NULL}, {SMC_NLA_SEID_ENABLED, N, "enabled", NULL}, END};
static const struct agent_nla_field system_info[] = {
    {SMC_NLA_SYS_VER, N, "version", NULL}, {SMC_NLA_SYS_REL, N, "release", NULL}, {SMC_NLA_SYS_IS_ISM_V2, N, "ism_v2", NULL},
    {SMC_NLA_SYS_LOCAL_HOST, S, "host", NULL}, {SMC_NLA_SYS_SEID, S, "seid", NULL}, {SMC_NLA_SYS_IS_SMCR_V2, N, "smcr_v2", NULL}, END,
};

/* One dump: the nest `outer` of each message (0: the attributes stand at the top) is printed as "N.name=value". */
struct dump {
    struct agent_text *answer;
    unsigned count;
    uint16_t outer;
    const struct agent_nla_field *fields;
    const char *kind;       /* printed as N.kind=, or NULL */
    uint16_t parent;        /* of the messages with this nest the id is remembered … */
    uint64_t parent_id;     /* … and printed as N.group= */
};

static int take_item(void *user, const struct nlmsghdr *m)
{
    struct dump *d = user;
    const uint8_t *end, *from = agent_nl_attrs(m, AGENT_GENL_HEADER, &end);
    struct agent_nla a = {.p = from, .n = (size_t)(end - from)}, id;
    char prefix[32];
    if (d->parent != 0 && agent_nla_find(from, end, d->parent, &a)) {
        if (agent_nla_find(a.p, a.p + a.n, SMC_NLA_LGR_R_ID, &id))
            d->parent_id = agent_nla_number(&id);
        return 0;
    }
    if (d->outer != 0 && !agent_nla_find(from, end, d->outer, &a))
        return 0;
    d->count++;
    snprintf(prefix, sizeof(prefix), "%u.", d->count);
    if (d->kind != NULL)
        agent_text_print(d->answer, " %skind=%s", prefix, d->kind);
    if (d->parent != 0)
        agent_text_print(d->answer, " %sgroup=0x%llx", prefix, (unsigned long long)d->parent_id);
    agent_nla_print(d->answer, prefix, d->fields, a.p, a.p + a.n);
    return 0;
}

static int run_dump(struct agent *a, uint8_t command, struct dump *d)
{
    struct agent_nl m;
    uint16_t family = agent_genl_family(SMC_GENL_FAMILY_NAME);
    if (family == 0)
        return agent_fail(a, EOPNOTSUPP, "this kernel has no SMC (no netlink family " SMC_GENL_FAMILY_NAME ")");
    agent_genl_begin(&m, family, command, SMC_GENL_FAMILY_VERSION, NLM_F_DUMP);
    return agent_nl_talk(NETLINK_GENERIC, &m, take_item, d);
}

/* "count=" comes last: it is known then. */
static int finish(int status, const struct dump *d)
{
    if (status == 0)
        agent_text_print(d->answer, " count=%u", d->count);
    return status;
}

static int verb_groups(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    struct dump d = {.answer = answer, .outer = SMC_GEN_LGR_SMCR, .fields = group_r, .kind = "SMC-R"};
    (void)line;
    int status = run_dump(a, SMC_NETLINK_GET_LGR_SMCR, &d);
    d.outer = SMC_GEN_LGR_SMCD;
    d.fields = group_d;
    d.kind = "SMC-D";
    if (status == 0)
        status = run_dump(a, SMC_NETLINK_GET_LGR_SMCD, &d);
    return finish(status, &d);
}

static int verb_links(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    struct dump d = {.answer = answer, .outer = SMC_GEN_LINK_SMCR, .fields = link_fields, .parent = SMC_GEN_LGR_SMCR};
    (void)line;
    return finish(run_dump(a, SMC_NETLINK_GET_LINK_SMCR, &d), &d);
}

static int verb_devices(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    struct dump d = {.answer = answer, .outer = SMC_GEN_DEV_SMCR, .fields = device, .kind = "SMC-R"};
    (void)line;
    int status = run_dump(a, SMC_NETLINK_GET_DEV_SMCR, &d);
    d.outer = SMC_GEN_DEV_SMCD;
    d.kind = "SMC-D";
    if (status == 0)
        status = run_dump(a, SMC_NETLINK_GET_DEV_SMCD, &d);
    return finish(status, &d);
}

static int verb_fallbacks(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    struct dump d = {.answer = answer, .outer = SMC_GEN_FBACK_STATS, .fields = fallback};
    (void)line;
    return finish(run_dump(a, SMC_NETLINK_GET_FBACK_STATS, &d), &d);
}

static int verb_stats(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    struct dump d = {.answer = answer, .outer = SMC_GEN_STATS, .fields = stats};
    (void)line;
    return finish(run_dump(a, SMC_NETLINK_GET_STATS, &d), &d);
}

static int verb_ueids(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    struct dump d = {.answer = answer, .fields = ueid, .kind = "UEID"};
    (void)line;
    int status = run_dump(a, SMC_NETLINK_DUMP_UEID, &d);
    d.fields = seid;
    d.kind = "SEID";
    if (status == 0)
        status = run_dump(a, SMC_NETLINK_DUMP_SEID, &d);
    return finish(status, &d);
}

static int verb_smc(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    struct dump d = {.answer = answer, .outer = SMC_GEN_SYS_INFO, .fields = system_info};
    (void)line;
    return finish(run_dump(a, SMC_NETLINK_GET_SYS_INFO, &d), &d);
}

/* ---- The group of a link ---- */
struct search {
    const struct agent_diag *wanted;
    uint64_t id, version;   /* of the group whose links follow */
    uint64_t found_id, found_version;
    unsigned found;
};

static bool is_text(const struct agent_nla *a, const char *text)
{
    return strnlen((const char *)a->p, a->n) == strlen(text) && memcmp(a->p, text, strlen(text)) == 0;
}

static void note_group(struct search *s, const struct agent_nla *group)
{
    struct agent_nla a, version;
    s->id = agent_nla_find(group->p, group->p + group->n, SMC_NLA_LGR_R_ID, &a) ? agent_nla_number(&a) : 0;
    s->version = 1;
    if (agent_nla_find(group->p, group->p + group->n, SMC_NLA_LGR_R_V2_COMMON, &a) &&
        agent_nla_find(a.p, a.p + a.n, SMC_NLA_LGR_V2_VER, &version))
        s->version = agent_nla_number(&version);
}

static int match_link(void *user, const struct nlmsghdr *m)
{
    struct search *s = user;
    const uint8_t *end, *from = agent_nl_attrs(m, AGENT_GENL_HEADER, &end);
    struct agent_nla link, id, gid, peer;
    if (agent_nla_find(from, end, SMC_GEN_LGR_SMCR, &link))
        note_group(s, &link);
    if (!agent_nla_find(from, end, SMC_GEN_LINK_SMCR, &link))
        return 0;
    const uint8_t *last = link.p + link.n;
    if (!agent_nla_find(link.p, last, SMC_NLA_LINK_ID, &id) || agent_nla_number(&id) != s->wanted->link ||
        !agent_nla_find(link.p, last, SMC_NLA_LINK_GID, &gid) || !is_text(&gid, s->wanted->gid) ||
        !agent_nla_find(link.p, last, SMC_NLA_LINK_PEER_GID, &peer) || !is_text(&peer, s->wanted->peer_gid))
        return 0;
    s->found++;
    s->found_id = s->id;
    s->found_version = s->version;
    return 0;
}

/* smc_diag names the link of a connection, but not its group. Two groups to one peer have links of the same number and GIDs: then
 * nobody can tell, and nothing is said. */
void agent_smc_print_group(const struct agent_diag *d, struct agent_text *out)
{
    struct search s = {.wanted = d};
    struct agent_nl m;
    uint16_t family = agent_genl_family(SMC_GENL_FAMILY_NAME);
    if (family == 0)
        return;
    agent_genl_begin(&m, family, SMC_NETLINK_GET_LINK_SMCR, SMC_GENL_FAMILY_VERSION, NLM_F_DUMP);
    if (agent_nl_talk(NETLINK_GENERIC, &m, match_link, &s) != 0 || s.found == 0)
        return;
    agent_text_print(out, " version=%llu", (unsigned long long)s.found_version);
    if (s.found == 1)
        agent_text_print(out, " group=0x%llx", (unsigned long long)s.found_id);
}

/* ---- Changes ---- */
static int command(struct agent *a, const char *family_name, uint8_t what, uint16_t attribute, const char *text)
{
    struct agent_nl m;
    uint16_t family = agent_genl_family(family_name);
    if (family == 0)
        return agent_fail(a, EOPNOTSUPP, "this kernel has no SMC (no netlink family %s)", family_name);
    agent_genl_begin(&m, family, what, 1, 0);
    if (text != NULL)
        agent_nl_string(&m, attribute, text);
    return agent_nl_talk(NETLINK_GENERIC, &m, NULL, NULL);
}

/* The kernel wants 32 characters, padded with blanks. */
static int change_ueid(struct agent *a, uint8_t what, const char *name)
{
    char padded[SMC_MAX_EID_LEN + 1];
    size_t n = strlen(name);
    if (n == 0 || n > SMC_MAX_EID_LEN)
        return agent_fail(a, EINVAL, "an EID has 1 to 32 characters");
    memset(padded, ' ', SMC_MAX_EID_LEN);
    memcpy(padded, name, n);
    padded[SMC_MAX_EID_LEN] = '\0';
    return command(a, SMC_GENL_FAMILY_NAME, what, SMC_NLA_EID_TABLE_ENTRY, padded);
}

static int verb_ueid(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    const char *add = agent_line_get(line, "add"), *gone = agent_line_get(line, "remove");
    uint64_t flush = 0, use_seid = 2;
    int status = agent_may_number(a, line, "flush", 1, &flush);
    (void)answer;
    if (status == 0)
        status = agent_may_number(a, line, "seid", 1, &use_seid);
    if (status == 0 && flush == 1)
        status = command(a, SMC_GENL_FAMILY_NAME, SMC_NETLINK_FLUSH_UEID, 0, NULL);
    if (status == 0 && use_seid != 2)
        status = command(a, SMC_GENL_FAMILY_NAME, use_seid ? SMC_NETLINK_ENABLE_SEID : SMC_NETLINK_DISABLE_SEID, 0, NULL);
    if (status == 0 && gone != NULL)
        status = change_ueid(a, SMC_NETLINK_REMOVE_UEID, gone);
    if (status == 0 && add != NULL)
        status = change_ueid(a, SMC_NETLINK_ADD_UEID, add);
    return status;
}

int agent_smc_reset(struct agent *a)
{
    (void)command(a, SMC_GENL_FAMILY_NAME, SMC_NETLINK_FLUSH_UEID, 0, NULL); /* refused when there are none */
    return command(a, SMCR_GENL_FAMILY_NAME, SMC_PNETID_FLUSH, 0, NULL);
}

const struct agent_verb agent_verbs_smc[] = {
    {"groups", "", verb_groups},   {"links", "", verb_links}, {"devices", "", verb_devices},
    {"fallbacks", "", verb_fallbacks}, {"stats", "", verb_stats}, {"ueids", "", verb_ueids},
    {"smc", "", verb_smc},         {"ueid", "add remove flush seid", verb_ueid}, {NULL, NULL, NULL},
};
