/* The words of ARP and IPv6 neighbour discovery: questions asked and answered.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/stack_parts.h"

enum {
    ARP_REQUEST = 1,
    ARP_REPLY = 2,
    ND_SOLICITATION = 135,
    ND_ADVERTISEMENT = 136,
    ND_SOURCE_LINK_LAYER = 1,
    ND_TARGET_LINK_LAYER = 2,
    ND_HOP_LIMIT = 255
};

static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static void send_arp(struct ip_stack *stack, int interface, const uint8_t mac[6],
                     struct smc_arp_fields *arp)
{
    uint8_t buffer[IP_LINK_ROOM + smc_arp_size];
    arp->htype = 1;
    arp->ptype = IP_TYPE_V4;
    arp->hlen = 6;
    arp->plen = 4;
    memcpy(arp->sender_mac, stack->interfaces[interface].port->mac, 6);
    smc_arp_encode(arp, buffer + IP_LINK_ROOM);
    ip_transmit(stack, interface, mac, IP_TYPE_ARP, buffer + IP_LINK_ROOM, smc_arp_size);
}

static uint32_t v4_of(struct ip_address address)
{
    return (uint32_t)smc_load_be(address.bytes + 12, 4);
}

static void ask_arp(struct ip_stack *stack, int interface, struct ip_address source,
                    struct ip_address target, const uint8_t *mac)
{
    struct smc_arp_fields arp = {
        .operation = ARP_REQUEST, .sender_ip = v4_of(source), .target_ip = v4_of(target)};
    send_arp(stack, interface, mac != NULL ? mac : broadcast, &arp);
}

void arp_input(struct ip_stack *stack, int interface, struct smc_view packet)
{
    struct smc_arp arp;
    if (!smc_arp_at(packet, 0, &arp) || smc_arp_htype(arp) != 1 ||
        smc_arp_ptype(arp) != IP_TYPE_V4 || smc_arp_hlen(arp) != 6 || smc_arp_plen(arp) != 4 ||
        (smc_arp_sender_mac(arp)[0] & 1) != 0) {
        stack->counters.malformed++;
        return;
    }
    struct ip_address sender = ip_from_v4(packet.p + 14), target = ip_from_v4(packet.p + 24);
    bool mine = ip_is_mine_on(stack, interface, target);
    if (smc_arp_sender_ip(arp) != 0 && !ip_is_mine(stack, sender))
        arp_learn(stack, interface, sender, smc_arp_sender_mac(arp), mine);
    if (smc_arp_operation(arp) != ARP_REQUEST || !mine || ip_is_mine(stack, sender))
        return;
    struct smc_arp_fields reply = {.operation = ARP_REPLY,
                                   .sender_ip = smc_arp_target_ip(arp),
                                   .target_ip = smc_arp_sender_ip(arp)};
    memcpy(reply.target_mac, smc_arp_sender_mac(arp), 6);
    send_arp(stack, interface, smc_arp_sender_mac(arp), &reply);
}

/* Solicitation or advertisement with the option that carries our MAC. */
static void send_nd(struct ip_stack *stack, int interface, const uint8_t mac[6],
                    struct ip_address src, struct ip_address dst, const struct smc_nd_fields *nd)
{
    enum { LENGTH = smc_nd_size + smc_nd_option_size };
    uint8_t buffer[IP_HEADROOM + LENGTH];
    uint8_t *packet = buffer + IP_LINK_ROOM, *icmp = buffer + IP_HEADROOM;
    struct smc_nd_option_fields option = {
        .type = nd->type == ND_SOLICITATION ? ND_SOURCE_LINK_LAYER : ND_TARGET_LINK_LAYER,
        .length = 1};
    memcpy(option.mac, stack->interfaces[interface].port->mac, 6);
    smc_nd_encode(nd, icmp);
    smc_nd_option_encode(&option, icmp + smc_nd_size);
    uint32_t sum = ip_sum_pseudo(src, dst, IP_PROTOCOL_ICMPV6, LENGTH);
    smc_nd_put_checksum(icmp, ip_sum_finish(ip_sum(sum, icmp, LENGTH)));
    ip_write_v6(packet, src, dst, IP_PROTOCOL_ICMPV6, ND_HOP_LIMIT, LENGTH);
    ip_transmit(stack, interface, mac, IP_TYPE_V6, packet, smc_ipv6_size + LENGTH);
}

static void ask_nd(struct ip_stack *stack, int interface, struct ip_address source,
                   struct ip_address target, const uint8_t *mac)
{
    struct ip_address group = {{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 0}};
    memcpy(group.bytes + 13, target.bytes + 13, 3);
    uint8_t group_mac[6] = {0x33, 0x33, 0xff, target.bytes[13], target.bytes[14], target.bytes[15]};
    struct smc_nd_fields nd = {.type = ND_SOLICITATION};
    memcpy(nd.target, target.bytes, 16);
    send_nd(stack, interface, mac != NULL ? mac : group_mac, source, mac != NULL ? target : group,
            &nd);
}

void arp_ask(struct ip_stack *stack, int interface, struct ip_address target, const uint8_t *mac)
{
    struct ip_address source = ip_source_on(stack, interface, target);
    if (ip_is_any(source))
        return;
    if (ip_is_v4(target))
        ask_arp(stack, interface, source, target, mac);
    else
        ask_nd(stack, interface, source, target, mac);
}

/* The MAC in the option of that type; *wrong if the options cannot be. */
static const uint8_t *nd_mac(struct smc_view icmp, unsigned type, bool *wrong)
{
    const uint8_t *mac = NULL;
    struct smc_nd_option option;
    size_t at = smc_nd_size, n = smc_view_len(icmp);
    *wrong = false;
    while (at < n) {
        if (n - at < 8 || icmp.p[at + 1] == 0 || icmp.p[at + 1] * 8u > n - at) {
            *wrong = true;
            return NULL;
        }
        if (icmp.p[at] == type && icmp.p[at + 1] == 1 && smc_nd_option_at(icmp, at, &option) &&
            (smc_nd_option_mac(option)[0] & 1) == 0)
            mac = smc_nd_option_mac(option);
        at += icmp.p[at + 1] * 8u;
    }
    return mac;
}

/* To who checks for duplicates (source unspecified) the answer goes to all nodes. */
static void advertise(struct ip_stack *stack, int interface, const uint8_t src_mac[6],
                      struct ip_address asker, struct ip_address target)
{
    static const struct ip_address all_nodes = {{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
    static const uint8_t all_mac[6] = {0x33, 0x33, 0, 0, 0, 1};
    bool nameless = ip_is_any(asker);
    struct smc_nd_fields nd = {
        .type = ND_ADVERTISEMENT, .solicited = nameless ? 0 : 1, .override = 1};
    memcpy(nd.target, target.bytes, 16);
    send_nd(stack, interface, nameless ? all_mac : src_mac, target, nameless ? all_nodes : asker,
            &nd);
}

void arp_input_nd(struct ip_stack *stack, int interface, const uint8_t src_mac[6],
                  struct ip_address src, uint8_t hop_limit, struct smc_view icmp)
{
    struct smc_nd nd;
    bool wrong = true;
    const uint8_t *mac = NULL;
    if (smc_nd_at(icmp, 0, &nd) && hop_limit == ND_HOP_LIMIT && smc_nd_code(nd) == 0)
        mac = nd_mac(icmp, smc_nd_type(nd) == ND_SOLICITATION ? ND_SOURCE_LINK_LAYER
                                                                : ND_TARGET_LINK_LAYER,
                     &wrong);
    if (wrong) {
        stack->counters.malformed++;
        return;
    }
    struct ip_address target;
    memcpy(target.bytes, smc_nd_target(nd), 16);
    if (smc_nd_type(nd) == ND_ADVERTISEMENT) {
        if (mac != NULL && !ip_is_mine(stack, target))
            arp_learn(stack, interface, target, mac, false);
        return;
    }
    if (!ip_is_mine_on(stack, interface, target) || ip_is_mine(stack, src) || (src_mac[0] & 1) != 0)
        return;
    if (mac != NULL && !ip_is_any(src))
        arp_learn(stack, interface, src, mac, true);
    advertise(stack, interface, src_mac, src, target);
}
