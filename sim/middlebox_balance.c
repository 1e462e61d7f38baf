/* The TCP load balancer: one address for several servers, by rewriting addresses both ways.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/middlebox_internal.h"

#include <string.h>

enum {
    FLAG_SYN = 2,
    FLAG_ACK = 16,
    PROTO_TCP = 6,
    PROTO_ICMPV6 = 58,
    ND_SOLICITATION = 135,
    ND_ADVERTISEMENT = 136,
    TARGET_LINK_ADDRESS = 2,
    ARP_REQUEST = 1,
    ARP_REPLY = 2,
    HOP_LIMIT_ND = 255,
};

static bool is_ipv4(const uint8_t address[16])
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
    return memcmp(address, prefix, sizeof prefix) == 0;
}

int net_box_balance(struct net_box *box, const uint8_t address[16], const struct net_server *servers,
                    unsigned n_servers)
{
    if (servers == NULL && n_servers == 0) {
        box->n_servers = 0;
        flows_free(box, &box->balanced_flows);
        return 0;
    }
    if (servers == NULL || n_servers == 0 || n_servers > NET_SERVERS_MAX)
        return SMC_ERR_ARGUMENT;
    for (unsigned i = 0; i < n_servers; i++)
        if (is_ipv4(servers[i].address) != is_ipv4(address))
            return SMC_ERR_ARGUMENT;
    flows_free(box, &box->balanced_flows);
    memcpy(box->address, address, 16);
    memcpy(box->servers, servers, n_servers * sizeof *servers);
    box->n_servers = n_servers;
    box->next_server = 0;
    return 0;
}

/* ---- who has the address ---- */

static bool answer_arp(struct net_box *box, const struct net_frame_info *info)
{
    uint8_t frame[14 + 8 + smc_arp_size];
    struct smc_arp h;
    struct smc_view v = smc_view_of(info->bytes, info->length);
    if (info->ethertype != SMC_ETHERTYPE_ARP || info->l3 > 14 + 8 ||
        !smc_arp_at(v, info->l3, &h) || smc_arp_operation(h) != ARP_REQUEST ||
        !is_ipv4(box->address) || memcmp(h.p + 24, box->address + 12, 4) != 0)
        return false;
    memcpy(frame, info->bytes, info->l3 + (size_t)smc_arp_size);
    memcpy(frame, info->bytes + 6, 6);
    memcpy(frame + 6, box->side[0]->port.mac, 6);
    uint8_t *arp = frame + info->l3;
    smc_arp_put_operation(arp, ARP_REPLY);
    memcpy(arp + 18, h.p + 8, 10); /* its MAC and address */
    memcpy(arp + 8, box->side[0]->port.mac, 6);
    memcpy(arp + 14, box->address + 12, 4);
    box_send(box, 0, frame, info->l3 + (size_t)smc_arp_size, false);
    return true;
}

static void advertise(struct net_box *box, const struct net_frame_info *info)
{
    enum { ND_BYTES = smc_nd_size + smc_nd_option_size };
    uint8_t frame[14 + 8 + smc_ipv6_size + ND_BYTES];
    struct net_frame_info reply;
    const uint8_t *mac = box->side[0]->port.mac;
    uint8_t *ip = frame + info->l3, *nd = ip + smc_ipv6_size;
    memcpy(frame, info->bytes, info->l3);
    memcpy(frame, info->bytes + 6, 6);
    memcpy(frame + 6, mac, 6);
    memset(ip, 0, smc_ipv6_size + ND_BYTES);
    smc_ipv6_put_version(ip, 6);
    smc_ipv6_put_payload_length(ip, ND_BYTES);
    smc_ipv6_put_next_header(ip, PROTO_ICMPV6);
    smc_ipv6_put_hop_limit(ip, HOP_LIMIT_ND);
    memcpy(ip + 8, box->address, 16);
    memcpy(ip + 24, info->bytes + info->l3 + 8, 16);
    smc_nd_put_type(nd, ND_ADVERTISEMENT);
    smc_nd_put_solicited(nd, 1);
    smc_nd_put_override(nd, 1);
    memcpy(nd + 8, box->address, 16);
    nd[smc_nd_size] = TARGET_LINK_ADDRESS;
    nd[smc_nd_size + 1] = 1;
    memcpy(nd + smc_nd_size + 2, mac, 6);
    size_t length = info->l3 + (size_t)smc_ipv6_size + ND_BYTES;
    net_frame_classify(frame, length, &reply);
    smc_nd_put_checksum(nd, net_frame_transport_sum(&reply));
    box_send(box, 0, frame, length, false);
}

static bool answer_nd(struct net_box *box, const struct net_frame_info *info)
{
    static const uint8_t unspecified[16];
    if (info->ip_version != 6 || info->ip_protocol != PROTO_ICMPV6 || info->l3 > 14 + 8 ||
        info->l4 == 0 || info->payload_end - info->l4 < smc_nd_size)
        return false;
    const uint8_t *nd = info->bytes + info->l4;
    if (nd[0] != ND_SOLICITATION || memcmp(nd + 8, box->address, 16) != 0 ||
        memcmp(info->bytes + info->l3 + 8, unspecified, 16) == 0) /* a probe for duplicates */
        return false;
    advertise(box, info);
    return true;
}

/* ---- rewriting ---- */

/* Replaces an IP address (the source, or else the destination) and corrects both checksums. */
static void put_address(uint8_t *frame, const struct net_frame_info *info, bool source,
                        const uint8_t address[16])
{
    size_t n = info->ip_version == 4 ? 4 : 16;
    uint8_t *ip = frame + info->l3;
    uint8_t *at = ip + (info->ip_version == 4 ? 12 : 8) + (source ? 0 : n);
    uint32_t before = net_sum(at, n, 0);
    memcpy(at, address + 16 - n, n);
    uint32_t after = net_sum(at, n, 0);
    if (info->ip_version == 4)
        net_sum_adjust(ip + 10, before, after);
    net_sum_adjust(frame + info->l4 + 16, before, after);
}

static struct flow *choose(struct net_box *box, const struct tuple *t)
{
    struct flow *f = flow_add(box, &box->balanced_flows, t->src, t->sport, t->dst, t->dport);
    if (f == NULL)
        return NULL;
    f->chosen = box->next_server;
    box->next_server = (box->next_server + 1) % box->n_servers;
    box->stats.balanced[f->chosen]++;
    return f;
}

static enum verdict to_server(struct net_box *box, struct net_packet *packet,
                              struct net_frame_info *info)
{
    struct tuple t;
    box_tuple(info, &t);
    if (memcmp(t.dst, box->address, 16) != 0)
        return BOX_PASS;
    struct flow *f = flow_find(&box->balanced_flows, t.src, t.sport, t.dst, t.dport);
    if (f == NULL && (info->tcp_flags & (FLAG_SYN | FLAG_ACK)) == FLAG_SYN)
        f = choose(box, &t);
    if (f == NULL || !net_packet_unshare(packet))
        return BOX_TAKEN;
    f->used_ns = sim_now(box->net->sim);
    const struct net_server *server = &box->servers[f->chosen];
    uint8_t *frame = packet->buffer->bytes;
    memcpy(frame, server->mac, 6);
    put_address(frame, info, false, server->address);
    net_frame_classify(frame, packet->buffer->length, info);
    return BOX_PASS;
}

static enum verdict to_client(struct net_box *box, struct net_packet *packet,
                              struct net_frame_info *info)
{
    struct tuple t;
    box_tuple(info, &t);
    struct flow *f = flow_find(&box->balanced_flows, t.dst, t.dport, box->address, t.sport);
    if (f == NULL || memcmp(t.src, box->servers[f->chosen].address, 16) != 0)
        return BOX_PASS;
    if (!net_packet_unshare(packet))
        return BOX_TAKEN;
    f->used_ns = sim_now(box->net->sim);
    memcpy(packet->buffer->bytes + 6, box->side[0]->port.mac, 6);
    put_address(packet->buffer->bytes, info, true, box->address);
    net_frame_classify(packet->buffer->bytes, packet->buffer->length, info);
    return BOX_PASS;
}

enum verdict balance_treat(struct net_box *box, unsigned from, struct net_packet *packet,
                           struct net_frame_info *info)
{
    if (from == 0 && (answer_arp(box, info) || answer_nd(box, info)))
        return BOX_TAKEN;
    if (info->ip_protocol != PROTO_TCP || info->payload == 0)
        return BOX_PASS;
    return from == 0 ? to_server(box, packet, info) : to_client(box, packet, info);
}
