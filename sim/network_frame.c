/* Decodes the little that rules and queues need; changes checksums with what they cover.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/network_frame.h"

#include "sim/hash.h"

#include "wire/clc_layouts.h"

#include <string.h>

enum {
    PROTO_TCP = 6,
    PROTO_UDP = 17,
    PORT_ROCE = 4791,
    GRH_NEXT_HEADER_BTH = 0x1b,
    IP_MAX = 65535,
};

/* ---- classifying ---- */

static void classify_bth(struct net_frame_info *info, struct smc_view v, size_t at)
{
    struct smc_bth h;
    if (!smc_bth_at(v, at, &h))
        return;
    info->roce = true;
    info->opcode = smc_bth_opcode(h);
    info->dqpn = smc_bth_dqpn(h);
    info->psn = smc_bth_psn(h);
    size_t data = at + smc_bth_size;
    if (info->opcode != SMC_BTH_SEND_FIRST && info->opcode != SMC_BTH_SEND_ONLY)
        return;
    if (data + 4 > info->payload_end)
        return;
    info->payload = (uint16_t)data;
    info->message = info->bytes[data];
    info->llc_flags = info->bytes[data + 3];
}

static void classify_clc(struct net_frame_info *info)
{
    static const uint8_t eyes[2][4] = {{0xe2, 0xd4, 0xc3, 0xd9}, {0xe2, 0xd4, 0xc3, 0xc4}};
    const uint8_t *p = info->bytes + info->payload;
    if (info->payload_end - info->payload < 8)
        return;
    if (memcmp(p, eyes[0], 4) == 0 || memcmp(p, eyes[1], 4) == 0)
        info->clc_type = p[4];
}

static void classify_tcp(struct net_frame_info *info, struct smc_view v)
{
    struct smc_tcp h;
    if (!smc_tcp_at(v, info->l4, &h))
        return;
    info->sport = smc_tcp_sport(h);
    info->dport = smc_tcp_dport(h);
    info->tcp_flags = h.p[13];
    size_t data = info->l4 + 4u * smc_tcp_data_offset(h);
    if (data < (size_t)info->l4 + smc_tcp_size || data > info->payload_end)
        return;
    info->payload = (uint16_t)data;
    classify_clc(info);
}

static void classify_transport(struct net_frame_info *info, struct smc_view v)
{
    struct smc_udp h;
    if (info->ip_protocol == PROTO_TCP)
        classify_tcp(info, v);
    if (info->ip_protocol != PROTO_UDP || !smc_udp_at(v, info->l4, &h))
        return;
    info->sport = smc_udp_sport(h);
    info->dport = smc_udp_dport(h);
    if (info->dport == PORT_ROCE)
        classify_bth(info, v, info->l4 + smc_udp_size);
}

/* Ends the packet where its header says, if that lies within the frame. */
static bool end_packet(struct net_frame_info *info, size_t header, size_t length)
{
    size_t end = info->l3 + length;
    if (length < header || end > info->length)
        return false;
    info->payload_end = (uint16_t)end;
    info->l4 = (uint16_t)(info->l3 + header);
    return true;
}

static void classify_ipv4(struct net_frame_info *info, struct smc_view v)
{
    struct smc_ipv4 h;
    if (!smc_ipv4_at(v, info->l3, &h) || smc_ipv4_version(h) != 4 || smc_ipv4_ihl(h) < 5)
        return;
    info->ip_version = 4;
    info->tos = smc_ipv4_tos(h);
    info->ip_protocol = smc_ipv4_protocol(h);
    if (smc_ipv4_more_fragments(h) || smc_ipv4_fragment_offset(h) != 0)
        return;
    if (end_packet(info, 4u * smc_ipv4_ihl(h), smc_ipv4_total_length(h)))
        classify_transport(info, v);
}

static void classify_ipv6(struct net_frame_info *info, struct smc_view v)
{
    struct smc_ipv6 h;
    if (!smc_ipv6_at(v, info->l3, &h) || smc_ipv6_version(h) != 6)
        return;
    info->ip_version = 6;
    info->tos = smc_ipv6_traffic_class(h);
    info->ip_protocol = smc_ipv6_next_header(h);
    if (!end_packet(info, smc_ipv6_size, (size_t)smc_ipv6_size + smc_ipv6_payload_length(h)))
        return;
    if (info->ethertype == SMC_ETHERTYPE_ROCE && info->ip_protocol == GRH_NEXT_HEADER_BTH)
        classify_bth(info, v, info->l4);
    else if (info->ethertype == SMC_ETHERTYPE_IPV6)
        classify_transport(info, v);
}

void net_frame_classify(const uint8_t *bytes, size_t length, struct net_frame_info *info)
{
    struct smc_view v = smc_view_of(bytes, length < IP_MAX ? length : IP_MAX);
    struct smc_eth eth;
    struct smc_vlan tag;
    *info = (struct net_frame_info){
        .bytes = bytes, .length = smc_view_len(v), .clc_type = -1, .message = -1};
    if (!smc_eth_at(v, 0, &eth))
        return;
    info->ethertype = smc_eth_ethertype(eth);
    info->l3 = smc_eth_size;
    while ((info->ethertype == SMC_ETHERTYPE_VLAN || info->ethertype == SMC_ETHERTYPE_QINQ) &&
           smc_vlan_at(v, info->l3, &tag)) {
        if (info->tags++ == 0) {
            info->vlan = smc_vlan_vid(tag);
            info->pcp = (uint8_t)smc_vlan_pcp(tag);
        }
        info->ethertype = smc_vlan_ethertype(tag);
        info->l3 += smc_vlan_size;
    }
    if (info->ethertype == SMC_ETHERTYPE_IPV4)
        classify_ipv4(info, v);
    else if (info->ethertype == SMC_ETHERTYPE_IPV6 || info->ethertype == SMC_ETHERTYPE_ROCE)
        classify_ipv6(info, v);
}

uint64_t net_frame_flow(const struct net_frame_info *info, uint64_t seed)
{
    uint8_t key[37] = {0};
    const uint8_t *ip = info->bytes + info->l3;
    if (info->ip_version == 0)
        return sim_hash_64(info->bytes, info->length < 12 ? info->length : 12, seed);
    if (info->ip_version == 4)
        memcpy(key, ip + 12, 8);
    else
        memcpy(key, ip + 8, 32);
    key[32] = info->ip_protocol;
    smc_store_be(key + 33, 2, info->sport);
    smc_store_be(key + 35, 2, info->dport);
    return sim_hash_64(key, sizeof key, seed);
}

/* ---- matching ---- */

static bool is(int64_t wanted, int64_t have)
{
    return wanted < 0 || wanted == have;
}

static bool match_transport(const struct net_frame_pattern *p, const struct net_frame_info *info)
{
    if (p->tcp_flags_set > 0 && (info->tcp_flags & p->tcp_flags_set) != p->tcp_flags_set)
        return false;
    if (p->tcp_flags_clear > 0 && (info->tcp_flags & p->tcp_flags_clear) != 0)
        return false;
    if ((p->tcp_flags_set > 0 || p->tcp_flags_clear > 0) && info->ip_protocol != PROTO_TCP)
        return false;
    return is(p->sport, info->sport) && is(p->dport, info->dport) && is(p->clc_type, info->clc_type);
}

static bool match_roce(const struct net_frame_pattern *p, const struct net_frame_info *info)
{
    bool asks = p->opcode >= 0 || p->dqpn >= 0 || p->message >= 0 || p->response >= 0;
    if (!asks)
        return true;
    return info->roce && is(p->opcode, info->opcode) && is(p->dqpn, info->dqpn) &&
           is(p->message, info->message) &&
           (p->response < 0 || (info->message >= 0 && p->response == (info->llc_flags >> 7 & 1)));
}

bool net_frame_matches(void *user, const struct net_frame_info *info)
{
    const struct net_frame_pattern *p = user;
    return is(p->ethertype, info->ethertype) && is(p->ip_protocol, info->ip_protocol) &&
           (p->min_length < 0 || info->length >= (size_t)p->min_length) &&
           match_transport(p, info) && match_roce(p, info);
}

/* ---- checksums ---- */

uint32_t net_sum(const uint8_t *bytes, size_t n, uint32_t sum)
{
    uint64_t wide = sum;
    for (; n > 1; n -= 2, bytes += 2)
        wide += (uint32_t)bytes[0] << 8 | bytes[1];
    if (n == 1)
        wide += (uint32_t)bytes[0] << 8;
    while (wide >> 16 != 0)
        wide = (wide & 0xffff) + (wide >> 16);
    return (uint32_t)wide;
}

uint16_t net_sum_finish(uint32_t sum)
{
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

void net_sum_adjust(uint8_t *p, uint32_t before, uint32_t after)
{
    uint32_t old = (uint32_t)smc_load_be(p, 2);
    uint32_t less = net_sum_finish(before); /* its complement is added, which takes it away */
    uint32_t sum = (~old & 0xffff) + less + (after & 0xffff) + (after >> 16);
    smc_store_be(p, 2, net_sum_finish(sum));
}

uint16_t net_frame_transport_sum(const struct net_frame_info *info)
{
    uint32_t length = (uint32_t)(info->payload_end - info->l4);
    const uint8_t *ip = info->bytes + info->l3;
    uint32_t sum = info->ip_version == 4 ? net_sum(ip + 12, 8, 0) : net_sum(ip + 8, 32, 0);
    sum += info->ip_protocol + (length >> 16) + (length & 0xffff);
    return net_sum_finish(net_sum(info->bytes + info->l4, length, sum));
}

bool net_frame_mark_ce(uint8_t *bytes, size_t length)
{
    enum { ECN = 3 };
    struct net_frame_info info;
    net_frame_classify(bytes, length, &info);
    if (info.ip_version == 0 || (info.tos & ECN) == 0 || (info.tos & ECN) == ECN)
        return false;
    uint8_t *ip = bytes + info.l3;
    uint32_t before = net_sum(ip, 2, 0);
    if (info.ip_version == 6) {
        smc_ipv6_put_traffic_class(ip, (uint8_t)(info.tos | ECN));
        return true;
    }
    smc_ipv4_put_tos(ip, (uint8_t)(info.tos | ECN));
    net_sum_adjust(ip + 10, before, net_sum(ip, 2, 0));
    return true;
}
