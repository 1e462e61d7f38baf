/* The agent's network verbs: interfaces, addresses, routes, neighbours (rtnetlink) and rxe devices (RDMA netlink).
 * SPDX-License-Identifier: BSD-3-Clause */
#include "agent.h"
#include "agent_local.h"
#include "agent_netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/smc.h>
#include <rdma/rdma_netlink.h>

enum { RESET_MS = 10000 };

struct address {
    int family;
    unsigned prefix;
    size_t size; /* 4 or 16 */
    uint8_t bytes[16];
};

/* "10.0.0.1/24", "fd00::1/64"; without "/": the whole address. */
static bool parse_address(const char *text, size_t n, struct address *out)
{
    char copy[INET6_ADDRSTRLEN + 8], *slash, *end;
    if (n >= sizeof(copy))
        return false;
    memcpy(copy, text, n);
    copy[n] = '\0';
    if ((slash = strchr(copy, '/')) != NULL)
        *slash++ = '\0';
    memset(out, 0, sizeof(*out));
    out->family = strchr(copy, ':') != NULL ? AF_INET6 : AF_INET;
    out->size = out->family == AF_INET6 ? 16 : 4;
    out->prefix = (unsigned)out->size * 8;
    if (inet_pton(out->family, copy, out->bytes) != 1)
        return false;
    if (slash == NULL)
        return true;
    unsigned long prefix = slash[0] >= '0' && slash[0] <= '9' ? strtoul(slash, &end, 10) : 999;
    if (prefix > out->prefix || *end != '\0')
        return false;
    out->prefix = (unsigned)prefix;
    return true;
}

static bool parse_mac(const char *text, uint8_t out[6])
{
    unsigned b[6];
    char rest;
    if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5], &rest) != 6)
        return false;
    for (int i = 0; i < 6; i++)
        out[i] = (uint8_t)b[i];
    return true;
}

/* ---- Links ---- */
struct find_mac {
    uint8_t mac[6];
    int index;
};

static int match_mac(void *user, const struct nlmsghdr *m)
{
    struct find_mac *find = user;
    struct ifinfomsg info;
    struct agent_nla a;
    const uint8_t *end, *from = agent_nl_attrs(m, sizeof(info), &end);
    if (m->nlmsg_type != RTM_NEWLINK || m->nlmsg_len < NLMSG_LENGTH(sizeof(info)))
        return 0;
    memcpy(&info, (const char *)m + NLMSG_HDRLEN, sizeof(info));
    if (info.ifi_type == ARPHRD_ETHER && agent_nla_find(from, end, IFLA_ADDRESS, &a) && a.n == 6 &&
        memcmp(a.p, find->mac, 6) == 0 && find->index == 0)
        find->index = info.ifi_index;
    return 0;
}

static int index_of_mac(const uint8_t mac[6])
{
    struct find_mac find = {.index = 0};
    struct ifinfomsg info = {.ifi_family = AF_UNSPEC};
    struct agent_nl m;
    memcpy(find.mac, mac, 6);
    agent_nl_begin(&m, RTM_GETLINK, NLM_F_DUMP);
    agent_nl_add(&m, &info, sizeof(info));
    return agent_nl_talk(NETLINK_ROUTE, &m, match_mac, &find) == 0 ? find.index : 0;
}

int agent_net_by_mac(const char *text)
{
    uint8_t mac[6];
    return parse_mac(text, mac) ? index_of_mac(mac) : 0;
}

static int change_link(int index, unsigned flags, unsigned change, const char *name, uint32_t mtu)
{
    struct ifinfomsg info = {.ifi_family = AF_UNSPEC, .ifi_index = index, .ifi_flags = flags, .ifi_change = change};
    struct agent_nl m;
    agent_nl_begin(&m, RTM_NEWLINK, 0);
    agent_nl_add(&m, &info, sizeof(info));
    if (name != NULL)
        agent_nl_string(&m, IFLA_IFNAME, name);
    if (mtu != 0)
        agent_nl_u32(&m, IFLA_MTU, mtu);
    return agent_nl_talk(NETLINK_ROUTE, &m, NULL, NULL);
}

int agent_net_set_up(int index, bool up)
{
    return change_link(index, up ? IFF_UP : 0, IFF_UP, NULL, 0);
}

/* Another one that has the name already gets out of the way. */
static int rename_link(int index, const char *name)
{
    char spare[IFNAMSIZ];
    int other = (int)if_nametoindex(name);
    if (other == index)
        return 0;
    if (other != 0) {
        snprintf(spare, sizeof(spare), "spare%d", other);
        int status = change_link(other, 0, IFF_UP, spare, 0);
        if (status != 0)
            return status;
    }
    return change_link(index, 0, IFF_UP, name, 0);
}

/* ---- Addresses ---- */
static int change_address(uint16_t type, uint16_t flags, int index, const struct address *a)
{
    struct ifaddrmsg head = {.ifa_family = (uint8_t)a->family, .ifa_prefixlen = (uint8_t)a->prefix, .ifa_index = (unsigned)index};
    struct agent_nl m;
    head.ifa_flags = a->family == AF_INET6 ? IFA_F_NODAD : 0;
    agent_nl_begin(&m, type, flags);
    agent_nl_add(&m, &head, sizeof(head));
    agent_nl_attr(&m, IFA_LOCAL, a->bytes, a->size);
    agent_nl_attr(&m, IFA_ADDRESS, a->bytes, a->size);
    return agent_nl_talk(NETLINK_ROUTE, &m, NULL, NULL);
}

enum { ADDRESSES = 32 };
struct address_list {
    int index;
    unsigned count;
    struct address list[ADDRESSES];
};

static int take_address(void *user, const struct nlmsghdr *m)
{
    struct address_list *all = user;
    struct ifaddrmsg head;
    struct agent_nla a;
    const uint8_t *end, *from = agent_nl_attrs(m, sizeof(head), &end);
    if (m->nlmsg_type != RTM_NEWADDR || m->nlmsg_len < NLMSG_LENGTH(sizeof(head)))
        return 0;
    memcpy(&head, (const char *)m + NLMSG_HDRLEN, sizeof(head));
    if ((int)head.ifa_index != all->index || head.ifa_scope == RT_SCOPE_LINK || all->count == ADDRESSES)
        return 0;
    struct address *to = &all->list[all->count];
    *to = (struct address){.family = head.ifa_family, .prefix = head.ifa_prefixlen, .size = head.ifa_family == AF_INET6 ? 16 : 4};
    if ((!agent_nla_find(from, end, IFA_LOCAL, &a) && !agent_nla_find(from, end, IFA_ADDRESS, &a)) || a.n != to->size)
        return 0;
    memcpy(to->bytes, a.p, to->size);
    all->count++;
    return 0;
}

static int addresses_of(int index, struct address_list *out)
{
    struct ifaddrmsg head = {.ifa_family = AF_UNSPEC};
    struct agent_nl m;
    memset(out, 0, sizeof(*out));
    out->index = index;
    agent_nl_begin(&m, RTM_GETADDR, NLM_F_DUMP);
    agent_nl_add(&m, &head, sizeof(head));
    return agent_nl_talk(NETLINK_ROUTE, &m, take_address, out);
}

static bool has_address(const struct address_list *all, const struct address *a)
{
    for (unsigned i = 0; i < all->count; i++)
        if (all->list[i].family == a->family && all->list[i].prefix == a->prefix &&
            memcmp(all->list[i].bytes, a->bytes, a->size) == 0)
            return true;
    return false;
}

static int parse_list(struct agent *a, const char *text, struct address_list *out)
{
    memset(out, 0, sizeof(*out));
    while (*text != '\0') {
        size_t n = strcspn(text, ",");
        if (out->count == ADDRESSES || !parse_address(text, n, &out->list[out->count]))
            return agent_fail(a, EINVAL, "an address is A/LEN, and there are at most %d", ADDRESSES);
        out->count++;
        text += n;
        text += *text == ',';
    }
    return 0;
}

/* What is there and not wanted goes; what is wanted and not there comes, in its order. */
static int replace_addresses(struct agent *a, int index, const char *text)
{
    struct address_list now, want;
    int status = parse_list(a, text, &want);
    if (status == 0)
        status = addresses_of(index, &now);
    for (unsigned i = 0; status == 0 && i < now.count; i++)
        if (!has_address(&want, &now.list[i]))
            status = change_address(RTM_DELADDR, 0, index, &now.list[i]);
    for (unsigned i = 0; status == 0 && i < want.count; i++)
        if (!has_address(&now, &want.list[i]))
            status = change_address(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, index, &want.list[i]);
    return status;
}

static int set_gateway(struct agent *a, int index, const char *text)
{
    struct address gateway;
    struct agent_nl m;
    if (!parse_address(text, strlen(text), &gateway))
        return agent_fail(a, EINVAL, "a gateway is an address");
    struct rtmsg route = {.rtm_family = (uint8_t)gateway.family, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_STATIC,
                          .rtm_scope = RT_SCOPE_UNIVERSE, .rtm_type = RTN_UNICAST};
    agent_nl_begin(&m, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
    agent_nl_add(&m, &route, sizeof(route));
    agent_nl_attr(&m, RTA_GATEWAY, gateway.bytes, gateway.size);
    agent_nl_u32(&m, RTA_OIF, (uint32_t)index);
    return agent_nl_talk(NETLINK_ROUTE, &m, NULL, NULL);
}

/* ---- RoCE devices ---- */
struct rdma_find {
    const char *name; /* NULL: any that begins with "rxe" */
    uint32_t index;
    bool found;
};

static int match_device(void *user, const struct nlmsghdr *m)
{
    struct rdma_find *find = user;
    struct agent_nla name, index;
    const uint8_t *end, *from = agent_nl_attrs(m, 0, &end);
    if (find->found || !agent_nla_find(from, end, RDMA_NLDEV_ATTR_DEV_NAME, &name) || name.n == 0 || name.p[name.n - 1] != '\0' ||
        !agent_nla_find(from, end, RDMA_NLDEV_ATTR_DEV_INDEX, &index))
        return 0;
    const char *text = (const char *)name.p;
    find->found = find->name != NULL ? strcmp(text, find->name) == 0 : strncmp(text, "rxe", 3) == 0;
    if (find->found)
        find->index = (uint32_t)agent_nla_number(&index);
    return 0;
}

static bool find_device(const char *name, uint32_t *index)
{
    struct rdma_find find = {.name = name};
    struct agent_nl m;
    agent_nl_begin(&m, RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, RDMA_NLDEV_CMD_GET), NLM_F_DUMP);
    if (agent_nl_talk(NETLINK_RDMA, &m, match_device, &find) != 0 || !find.found)
        return false;
    *index = find.index;
    return true;
}

static int make_rxe(const char *device, const char *netdev)
{
    struct agent_nl m;
    agent_nl_begin(&m, RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, RDMA_NLDEV_CMD_NEWLINK), 0);
    agent_nl_string(&m, RDMA_NLDEV_ATTR_DEV_NAME, device);
    agent_nl_string(&m, RDMA_NLDEV_ATTR_LINK_TYPE, "rxe");
    agent_nl_string(&m, RDMA_NLDEV_ATTR_NDEV_NAME, netdev);
    return agent_nl_talk(NETLINK_RDMA, &m, NULL, NULL);
}

static int remove_rxe(uint32_t index)
{
    struct agent_nl m;
    agent_nl_begin(&m, RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, RDMA_NLDEV_CMD_DELLINK), 0);
    agent_nl_u32(&m, RDMA_NLDEV_ATTR_DEV_INDEX, index);
    return agent_nl_talk(NETLINK_RDMA, &m, NULL, NULL);
}

static int remove_rxe_work(void *user)
{
    return remove_rxe(*(const uint32_t *)user);
}

/* On a machine of others (we are not its init) only what was set up here is undone: the interfaces that `interface` was asked for,
 * as long as this process lives, whoever asked. */
enum { TAKEN = 16 };
static char taken[TAKEN][IFNAMSIZ];
static unsigned taken_count;

static bool take_interface(const char *name)
{
    for (unsigned i = 0; i < taken_count; i++)
        if (strcmp(taken[i], name) == 0)
            return true;
    if (taken_count == TAKEN)
        return false;
    snprintf(taken[taken_count++], IFNAMSIZ, "%s", name);
    return true;
}

static int remove_all_rxe(void *user)
{
    const struct agent *a = user;
    uint32_t index;
    int status = 0;
    while (a->init && status == 0 && find_device(NULL, &index))
        status = remove_rxe(index);
    for (unsigned i = 0; !a->init && status == 0 && i < taken_count; i++) {
        char device[64];
        snprintf(device, sizeof(device), "rxe_%s", taken[i]);
        if (find_device(device, &index))
            status = remove_rxe(index);
    }
    return status;
}

static void forget_addresses(struct agent *a)
{
    for (unsigned i = 0; i < taken_count; i++)
        if (if_nametoindex(taken[i]) != 0)
            (void)replace_addresses(a, (int)if_nametoindex(taken[i]), "");
}

int agent_net_reset(struct agent *a)
{
    int status = agent_child_wait(a, "rxe, all away", remove_all_rxe, a, agent_patience(RESET_MS));
    struct if_nameindex *all = if_nameindex();
    for (struct if_nameindex *i = all; a->init && i != NULL && i->if_index != 0; i++)
        if (strcmp(i->if_name, "lo") != 0) {
            (void)replace_addresses(a, (int)i->if_index, "");
            (void)agent_net_set_up((int)i->if_index, false);
        }
    if_freenameindex(all);
    if (!a->init)
        forget_addresses(a);
    return status;
}

/* ---- The verbs ---- */
static int need_interface(struct agent *a, const struct agent_line *line, const char **name, int *index)
{
    int status = agent_need(a, line, "name", name);
    *index = 0;
    if (status != 0)
        return status;
    if (strlen(*name) >= IFNAMSIZ || strchr(*name, '/') != NULL || **name == '\0')
        return agent_fail(a, EINVAL, "a name of an interface has 1 to 15 bytes and no slash");
    *index = (int)if_nametoindex(*name);
    return 0;
}

static int find_interface(struct agent *a, const struct agent_line *line, const char **name, int *index)
{
    int status = need_interface(a, line, name, index);
    return status == 0 && *index == 0 ? agent_fail(a, ENODEV, "there is no interface %s", *name) : status;
}

static int pick_by_mac(struct agent *a, const struct agent_line *line, const char *name, int *index)
{
    const char *text = agent_line_get(line, "mac");
    uint8_t mac[6];
    if (text == NULL)
        return *index != 0 ? 0 : agent_fail(a, ENODEV, "there is no interface %s", name);
    if (!parse_mac(text, mac))
        return agent_fail(a, EINVAL, "a mac is six pairs of hex digits with colons");
    *index = index_of_mac(mac);
    return *index != 0 ? rename_link(*index, name) : agent_fail(a, ENODEV, "no interface has the address %s", text);
}

/* What an IPv4 host with several NICs in one network needs so that each answers for itself; and no IPv6 noise. */
static void settle(const char *name)
{
    static const struct {
        const char *family, *key, *value;
    } all[] = {
        {"ipv4", "rp_filter", "0"},  {"ipv4", "arp_ignore", "1"}, {"ipv4", "arp_announce", "2"},
        {"ipv6", "accept_dad", "0"}, {"ipv6", "accept_ra", "0"},  {"ipv6", "router_solicitations", "0"},
    };
    char path[128];
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        snprintf(path, sizeof(path), "net/%s/conf/%s/%s", all[i].family, name, all[i].key);
        (void)agent_sysctl_write(path, all[i].value);
    }
}

static int set_pnet(struct agent *a, const char *pnet, const char *interface, const char *device)
{
    struct agent_nl m;
    uint16_t family = agent_genl_family(SMCR_GENL_FAMILY_NAME);
    if (family == 0)
        return agent_fail(a, EOPNOTSUPP, "this kernel has no SMC (no netlink family " SMCR_GENL_FAMILY_NAME ")");
    agent_genl_begin(&m, family, SMC_PNETID_ADD, SMCR_GENL_FAMILY_VERSION, 0);
    agent_nl_string(&m, SMC_PNETID_NAME, pnet);
    if (interface != NULL)
        agent_nl_string(&m, SMC_PNETID_ETHNAME, interface);
    if (device != NULL) {
        agent_nl_string(&m, SMC_PNETID_IBNAME, device);
        agent_nl_u8(&m, SMC_PNETID_IBPORT, 1);
    }
    int status = agent_nl_talk(NETLINK_GENERIC, &m, NULL, NULL);
    return status == EEXIST ? 0 : status;
}

static int bring_rxe(const char *interface, const char *pnet, struct agent *a)
{
    char device[64];
    uint32_t index;
    snprintf(device, sizeof(device), "rxe_%s", interface);
    if (find_device(device, &index))
        return 0;
    int status = make_rxe(device, interface);
    if (status != 0)
        return agent_fail(a, status, "the kernel makes no rxe device on %s", interface);
    return pnet != NULL && *pnet != '\0' ? set_pnet(a, pnet, NULL, device) : 0;
}

static int verb_interface(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    const char *name, *text, *pnet = agent_line_get(line, "pnet");
    uint64_t mtu = 0, up = 1, rxe = 0;
    int index, status = need_interface(a, line, &name, &index);
    if (status == 0)
        status = agent_may_number(a, line, "mtu", 65535, &mtu);
    if (status == 0)
        status = agent_may_number(a, line, "up", 1, &up);
    if (status == 0)
        status = agent_may_number(a, line, "rxe", 1, &rxe);
    if (status == 0)
        status = pick_by_mac(a, line, name, &index);
    if (status != 0)
        return status;
    if (!a->init && !take_interface(name))
        return agent_fail(a, ENOSPC, "%d interfaces are enough", TAKEN);
    settle(name);
    if (mtu != 0 && (status = change_link(index, 0, 0, NULL, (uint32_t)mtu)) != 0)
        return agent_fail(a, status, "the interface does not take this mtu");
    if ((status = agent_net_set_up(index, up == 1)) != 0)
        return status;
    agent_local_at_once(name, up == 1);
    if ((text = agent_line_get(line, "address")) != NULL && (status = replace_addresses(a, index, text)) != 0)
        return status;
    if ((text = agent_line_get(line, "gateway")) != NULL && (status = set_gateway(a, index, text)) != 0)
        return status;
    if (pnet != NULL && *pnet != '\0' && (status = set_pnet(a, pnet, name, NULL)) != 0)
        return status;
    agent_text_print(answer, " index=%d", index);
    return rxe == 1 ? bring_rxe(name, pnet, a) : 0;
}

static int verb_link(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    const char *name;
    uint64_t up;
    int index, status = find_interface(a, line, &name, &index);
    (void)answer;
    if (status == 0)
        status = agent_need_number(a, line, "up", 1, &up);
    if (status == 0)
        status = agent_net_set_up(index, up == 1);
    if (status == 0)
        agent_local_at_once(name, up == 1);
    return status;
}

static int verb_rxe(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    const char *name;
    char device[64], what[128];
    uint64_t present;
    int index, status = need_interface(a, line, &name, &index);
    (void)answer;
    if (status == 0)
        status = agent_need_number(a, line, "present", 1, &present);
    if (status != 0)
        return status;
    if (present == 1)
        return bring_rxe(name, agent_line_get(line, "pnet"), a);
    uint32_t *rdma_index = malloc(sizeof(*rdma_index));
    if (rdma_index == NULL)
        return ENOMEM;
    snprintf(device, sizeof(device), "rxe_%s", name);
    snprintf(what, sizeof(what), "rxe name=%s present=0", name);
    status = find_device(device, rdma_index) ? agent_child_slowly(a, what, remove_rxe_work, rdma_index)
                                             : agent_fail(a, ENODEV, "there is no device %s", device);
    free(rdma_index);
    return status;
}

static int verb_address(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    const char *name, *address;
    int index, status = find_interface(a, line, &name, &index);
    (void)answer;
    if (status == 0)
        status = agent_need(a, line, "address", &address);
    return status != 0 ? status : replace_addresses(a, index, address);
}

static int verb_neighbour(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    const char *name, *text, *mac_text;
    struct address address;
    struct agent_nl m;
    uint8_t mac[6];
    int index, status = find_interface(a, line, &name, &index);
    (void)answer;
    if (status == 0 && (status = agent_need(a, line, "address", &text)) == 0)
        status = agent_need(a, line, "mac", &mac_text);
    if (status != 0)
        return status;
    if (!parse_address(text, strlen(text), &address) || !parse_mac(mac_text, mac))
        return agent_fail(a, EINVAL, "a neighbour has an address and a mac");
    struct ndmsg head = {.ndm_family = (uint8_t)address.family, .ndm_ifindex = index, .ndm_state = NUD_PERMANENT};
    agent_nl_begin(&m, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE);
    agent_nl_add(&m, &head, sizeof(head));
    agent_nl_attr(&m, NDA_DST, address.bytes, address.size);
    agent_nl_attr(&m, NDA_LLADDR, mac, sizeof(mac));
    return agent_nl_talk(NETLINK_ROUTE, &m, NULL, NULL);
}

static int verb_pnet(struct agent *a, const struct agent_line *line, struct agent_text *answer)
{
    const char *name;
    int status = agent_need(a, line, "name", &name);
    (void)answer;
    return status != 0 ? status : set_pnet(a, name, agent_line_get(line, "interface"), agent_line_get(line, "device"));
}

const struct agent_verb agent_verbs_net[] = {
    {"interface", "name mac address mtu gateway pnet rxe up", verb_interface},
    {"link", "name up", verb_link},
    {"rxe", "name present pnet", verb_rxe},
    {"address", "name address", verb_address},
    {"neighbour", "name address mac", verb_neighbour},
    {"pnet", "name interface device", verb_pnet},
    {NULL, NULL, NULL},
};
