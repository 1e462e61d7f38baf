/* RoCE frames: taken apart, put together, and handed to the port.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "devices/roce_internal.h"

enum {
    TPID = 0x8100,
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_IPV6 = 0x86dd,
    NEXT_UDP = 17,
    NEXT_GRH = 0x1b,
    PKEY = 0xffff,
    ECN = 3,
    BACKOFF_NS = 2000, /* before a port that refused is asked again */
};

/* ---- Checksums of RFC 1071 ----------------------------------------------------------------------- */

static uint32_t sum16(uint32_t sum, const uint8_t *p, size_t n)
{
    for (; n >= 2; n -= 2, p += 2)
        sum += (uint32_t)p[0] << 8 | p[1];
    return n > 0 ? sum + ((uint32_t)p[0] << 8) : sum;
}

static uint16_t fold(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)(sum + (sum >> 16));
}

/* RoCEv2 sends no UDP checksum, but a tunnel on the way may have put one in. */
static bool udp_holds(const uint8_t *addresses, size_t address_bytes, struct smc_view udp)
{
    struct smc_udp header;
    if (!smc_udp_at(udp, 0, &header) || smc_udp_length(header) != smc_view_len(udp))
        return false;
    if (smc_udp_checksum(header) == 0)
        return true;
    uint32_t sum = sum16(NEXT_UDP + (uint32_t)smc_view_len(udp), addresses, address_bytes);
    return fold(sum16(sum, udp.p, smc_view_len(udp))) == 0xffff;
}

/* ---- Taking apart -------------------------------------------------------------------------------- */

/* The EtherType behind at most one VLAN tag, and the offset of what follows it; 0: too short. */
static uint16_t ethertype_of(struct smc_view frame, size_t *behind, uint16_t *vlan_id)
{
    struct smc_eth eth;
    struct smc_vlan vlan;
    *vlan_id = 0;
    if (!smc_eth_at(frame, 0, &eth))
        return 0;
    *behind = smc_eth_size;
    if (smc_eth_ethertype(eth) != TPID)
        return smc_eth_ethertype(eth);
    if (!smc_vlan_at(frame, smc_eth_size, &vlan))
        return 0;
    *behind = smc_eth_size + smc_vlan_size;
    *vlan_id = smc_vlan_vid(vlan);
    return smc_vlan_ethertype(vlan);
}

bool roce_is_roce(const uint8_t *frame, size_t length)
{
    struct smc_view view = smc_view_of(frame, length);
    struct smc_ipv4 v4;
    struct smc_ipv6 v6;
    struct smc_udp udp;
    size_t l3 = 0, l4 = 0;
    uint16_t vlan_id;
    uint16_t type = ethertype_of(view, &l3, &vlan_id);
    if (type == ROCE_ETHERTYPE)
        return true;
    if (type == ETHERTYPE_IPV4 && smc_ipv4_at(view, l3, &v4) &&
        smc_ipv4_protocol(v4) == NEXT_UDP && smc_ipv4_fragment_offset(v4) == 0)
        l4 = l3 + (size_t)smc_ipv4_ihl(v4) * 4;
    if (type == ETHERTYPE_IPV6 && smc_ipv6_at(view, l3, &v6) &&
        smc_ipv6_next_header(v6) == NEXT_UDP)
        l4 = l3 + smc_ipv6_size;
    return l4 > 0 && smc_udp_at(view, l4, &udp) && smc_udp_dport(udp) == ROCE_UDP_PORT;
}

static struct smc_gid mapped_gid(const uint8_t *ipv4)
{
    struct smc_gid gid = {.bytes = {[10] = 0xff, [11] = 0xff}};
    memcpy(gid.bytes + 12, ipv4, 4);
    return gid;
}

/* Each of the three returns the offset of the BTH in out->covered, which it sets; 0: refused. */
static size_t parse_ipv4(struct smc_view l3, struct roce_packet *out)
{
    struct smc_ipv4 ip;
    if (!smc_ipv4_at(l3, 0, &ip) || smc_ipv4_version(ip) != 4)
        return 0;
    size_t header = (size_t)smc_ipv4_ihl(ip) * 4;
    size_t total = smc_ipv4_total_length(ip);
    if (header < smc_ipv4_size || total < header || total > smc_view_len(l3) ||
        fold(sum16(0, ip.p, header)) != 0xffff)
        return 0;
    if (smc_ipv4_more_fragments(ip) || smc_ipv4_fragment_offset(ip) != 0)
        return 0;
    out->type = SMC_RDMA_GID_ROCE_V2;
    out->ecn = smc_ipv4_tos(ip) & ECN;
    out->source = mapped_gid(ip.p + 12);
    out->destination = mapped_gid(ip.p + 16);
    out->covered = smc_view_sub(l3, 0, total);
    struct smc_view udp = smc_view_sub(out->covered, header, total);
    return udp_holds(ip.p + 12, 8, udp) ? header + smc_udp_size : 0;
}

static size_t parse_ipv6(struct smc_view l3, struct roce_packet *out, bool grh)
{
    struct smc_ipv6 ip;
    if (!smc_ipv6_at(l3, 0, &ip) || smc_ipv6_version(ip) != 6)
        return 0;
    size_t payload = smc_ipv6_payload_length(ip);
    if (payload > smc_view_len(l3) - smc_ipv6_size)
        return 0;
    out->type = grh ? SMC_RDMA_GID_ROCE_V1 : SMC_RDMA_GID_ROCE_V2;
    out->ecn = smc_ipv6_traffic_class(ip) & ECN;
    memcpy(out->source.bytes, smc_ipv6_src(ip), sizeof(out->source.bytes));
    memcpy(out->destination.bytes, smc_ipv6_dst(ip), sizeof(out->destination.bytes));
    out->covered = smc_view_sub(l3, 0, smc_ipv6_size + payload);
    if (grh)
        return smc_ipv6_next_header(ip) == NEXT_GRH ? smc_ipv6_size : 0;
    struct smc_view udp = smc_view_sub(out->covered, smc_ipv6_size, payload);
    return udp_holds(smc_ipv6_src(ip), 32, udp) ? smc_ipv6_size + smc_udp_size : 0;
}

static size_t parse_l3(struct smc_view frame, struct roce_packet *out)
{
    size_t l3 = 0;
    uint16_t type = ethertype_of(frame, &l3, &out->vlan_id);
    struct smc_view rest = smc_view_sub(frame, l3, SIZE_MAX);
    if (type == ROCE_ETHERTYPE)
        return parse_ipv6(rest, out, true);
    if (type == ETHERTYPE_IPV6)
        return parse_ipv6(rest, out, false);
    return type == ETHERTYPE_IPV4 ? parse_ipv4(rest, out) : 0;
}

bool roce_parse(const uint8_t *frame, size_t length, struct roce_packet *out)
{
    size_t bth = parse_l3(smc_view_of(frame, length), out);
    if (bth == 0 || !smc_bth_at(out->covered, bth, &out->bth))
        return false;
    out->destination_mac = frame;
    out->tagged = out->vlan_id != 0;
    size_t behind = smc_view_len(out->covered) - bth - smc_bth_size;
    size_t tail = SMC_ICRC_BYTES + (size_t)smc_bth_pad(out->bth);
    if (behind < tail || behind % 4 != 0 || smc_bth_tver(out->bth) != 0)
        return false;
    out->body = smc_view_sub(out->covered, bth + smc_bth_size, behind - tail);
    return true;
}

/* ---- Putting together ---------------------------------------------------------------------------- */

/* The same for all packets of a connection, so that they take one path: folded from both QP numbers
 * as the RoCEv2 annex's flow label is. */
static uint16_t source_port(uint32_t own, uint32_t remote)
{
    uint64_t product = (uint64_t)own * remote;
    product ^= product >> 20;
    product ^= product >> 40;
    uint32_t label = (uint32_t)product & 0xfffff;
    return (uint16_t)(0xc000 | ((label & 0x3fff) ^ label >> 14));
}

static uint8_t *build_l2(uint8_t *p, const struct smc_rdma_gid_entry *own,
                         const uint8_t *remote_mac, uint16_t ethertype, uint8_t priority)
{
    smc_eth_put_dst(p, remote_mac);
    smc_eth_put_src(p, own->mac);
    smc_eth_put_ethertype(p, own->vlan_valid ? TPID : ethertype);
    p += smc_eth_size;
    if (!own->vlan_valid)
        return p;
    smc_vlan_put_vid(p, own->vlan_id);
    smc_vlan_put_pcp(p, priority);
    smc_vlan_put_ethertype(p, ethertype);
    return p + smc_vlan_size;
}

static uint8_t *build_ipv4(uint8_t *p, const uint8_t *source, const uint8_t *destination,
                           uint8_t hop_limit, uint8_t traffic_class)
{
    smc_ipv4_put_version(p, 4);
    smc_ipv4_put_ihl(p, smc_ipv4_size / 4);
    smc_ipv4_put_tos(p, traffic_class);
    smc_ipv4_put_dont_fragment(p, 1);
    smc_ipv4_put_ttl(p, hop_limit);
    smc_ipv4_put_protocol(p, NEXT_UDP);
    memcpy(p + 12, source, 4);
    memcpy(p + 16, destination, 4);
    return p + smc_ipv4_size;
}

static uint8_t *build_ipv6(uint8_t *p, const uint8_t *source, const uint8_t *destination,
                           uint8_t hop_limit, uint8_t traffic_class)
{
    smc_ipv6_put_version(p, 6);
    smc_ipv6_put_traffic_class(p, traffic_class);
    smc_ipv6_put_hop_limit(p, hop_limit);
    smc_ipv6_put_src(p, source);
    smc_ipv6_put_dst(p, destination);
    return p + smc_ipv6_size;
}

void roce_build_head(struct smc_rdma_qp *qp, const struct smc_rdma_gid_entry *own,
                     const uint8_t *remote_mac, uint8_t hop_limit, uint8_t traffic_class)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    const uint8_t *source = own->gid.bytes, *destination = qp->remote_gid.bytes;
    bool grh = roce_wire_type(qp->roce, own) == SMC_RDMA_GID_ROCE_V1;
    bool v4 = !grh && memcmp(source, mapped, sizeof(mapped)) == 0;
    uint16_t udp_type = v4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6;
    if (traffic_class == 0)
        traffic_class = (uint8_t)(qp->roce->config.dscp << 2);
    traffic_class &= (uint8_t)~ECN; /* each packet has its own */
    memset(qp->head, 0, sizeof(qp->head));
    uint8_t *l3 = build_l2(qp->head, own, remote_mac, grh ? ROCE_ETHERTYPE : udp_type,
                           qp->roce->config.priority);
    uint8_t *p = v4 ? build_ipv4(l3, source + 12, destination + 12, hop_limit, traffic_class)
                    : build_ipv6(l3, source, destination, hop_limit, traffic_class);
    if (grh) {
        smc_ipv6_put_next_header(l3, NEXT_GRH);
    } else {
        if (!v4)
            smc_ipv6_put_next_header(l3, NEXT_UDP);
        smc_udp_put_sport(p, source_port(qp->number, qp->remote_number));
        smc_udp_put_dport(p, ROCE_UDP_PORT);
        p += smc_udp_size;
    }
    qp->traffic_class = traffic_class;
    qp->l3_offset = (uint8_t)(l3 - qp->head);
    qp->head_length = (uint8_t)(p - qp->head);
}

uint8_t *roce_packet_begin(struct smc_rdma_qp *qp, const struct roce_bth *bth)
{
    uint8_t *frame = qp->roce->frame;
    uint8_t *p = frame + qp->head_length;
    memcpy(frame, qp->head, qp->head_length);
    memset(p, 0, smc_bth_size);
    smc_bth_put_opcode(p, bth->opcode);
    smc_bth_put_solicited(p, bth->solicited);
    smc_bth_put_pkey(p, PKEY);
    smc_bth_put_becn(p, bth->becn);
    smc_bth_put_dqpn(p, qp->remote_number);
    smc_bth_put_ackreq(p, bth->ack_request);
    smc_bth_put_psn(p, bth->psn);
    return p + smc_bth_size;
}

void roce_packet_class(struct smc_rdma_qp *qp, uint8_t traffic_class)
{
    uint8_t *l3 = qp->roce->frame + qp->l3_offset;
    if (l3[0] >> 4 == 4)
        smc_ipv4_put_tos(l3, traffic_class);
    else
        smc_ipv6_put_traffic_class(l3, traffic_class);
}

/* Lengths count from their own header to the ICRC, except that IPv6 does not count itself. */
static void put_lengths(struct smc_rdma_qp *qp, size_t l4_bytes)
{
    uint8_t *l3 = qp->roce->frame + qp->l3_offset;
    size_t header = l3[0] >> 4 == 4 ? smc_ipv4_size : smc_ipv6_size;
    bool udp = qp->head_length > qp->l3_offset + header;
    size_t payload = l4_bytes + (udp ? smc_udp_size : 0);
    if (udp)
        smc_udp_put_length(l3 + header, (uint16_t)payload);
    if (header == smc_ipv6_size) {
        smc_ipv6_put_payload_length(l3, (uint16_t)payload);
        return;
    }
    smc_ipv4_put_total_length(l3, (uint16_t)(header + payload));
    smc_ipv4_put_id(l3, qp->ip_id++);
    smc_ipv4_put_checksum(l3, (uint16_t)~fold(sum16(0, l3, smc_ipv4_size)));
}

size_t roce_packet_end(struct smc_rdma_qp *qp, size_t body, unsigned pad)
{
    uint8_t *frame = qp->roce->frame;
    uint8_t *bth = frame + qp->head_length;
    size_t end = qp->head_length + smc_bth_size + body;
    uint32_t icrc = 0;
    smc_bth_put_pad(bth, (uint8_t)pad);
    put_lengths(qp, smc_bth_size + body + SMC_ICRC_BYTES);
    smc_icrc(smc_view_of(frame + qp->l3_offset, end - qp->l3_offset), qp->roce->config.crc, &icrc);
    smc_icrc_put(frame + end, icrc);
    return end + SMC_ICRC_BYTES;
}

/* A link that is down or too narrow loses the packet, as a wire would: retries are counted and run
 * out. A full queue is waited for. */
bool roce_emit(struct smc_rdma_qp *qp, size_t length)
{
    struct roce *roce = qp->roce;
    struct roce_port *own = qp->port;
    struct port *port = own->port;
    if (port == NULL || !port_link_up(port) || length - qp->l3_offset > port_mtu(port)) {
        roce->counters.lost_no_link++;
    } else if (!port_send(port, roce->frame, length, roce->now_ns)) {
        roce->counters.port_refusals++;
        own->blocked_ns = roce->now_ns + BACKOFF_NS;
        return false;
    }
    roce->counters.packets_sent++;
    roce->counters.bytes_sent += length;
    return true;
}
