/* IPv4 and IPv6 packets in and out, their checksums, and the answer to an echo.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "sim/stack_parts.h"

enum {
    ECHO_REPLY = 0,
    ECHO_REQUEST = 8,
    ECHO6_REQUEST = 128,
    ECHO6_REPLY = 129,
    ND_SOLICITATION = 135,
    ND_ADVERTISEMENT = 136,
    ICMP_HEADER = 8, /* of an echo */
    HOP_LIMIT = 64
};

uint32_t ip_sum(uint32_t sum, const uint8_t *bytes, size_t length)
{
    uint64_t wide = sum;
    for (; length >= 2; bytes += 2, length -= 2)
        wide += (uint32_t)bytes[0] << 8 | bytes[1];
    if (length > 0)
        wide += (uint32_t)bytes[0] << 8;
    while (wide >> 16 != 0)
        wide = (wide & 0xffff) + (wide >> 16);
    return (uint32_t)wide;
}

uint16_t ip_sum_finish(uint32_t sum)
{
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

uint32_t ip_sum_pseudo(struct ip_address src, struct ip_address dst, uint8_t protocol,
                       size_t length)
{
    size_t skip = ip_is_v4(dst) ? 12 : 0;
    uint32_t sum = ip_sum((uint32_t)protocol, src.bytes + skip, 16 - skip);
    sum = ip_sum(sum, dst.bytes + skip, 16 - skip);
    return sum + (uint32_t)(length >> 16) + (uint32_t)(length & 0xffff);
}

uint8_t *ip_payload(struct ip_stack *stack)
{
    return stack->scratch + IP_HEADROOM;
}

size_t ip_payload_room(const struct ip_stack *stack)
{
    return stack->scratch_size > IP_HEADROOM ? stack->scratch_size - IP_HEADROOM : 0;
}

/* ---- out ---- */
static void write_v4(struct ip_stack *stack, uint8_t *packet, struct ip_address src,
                     struct ip_address dst, uint8_t protocol, size_t length)
{
    const struct smc_ipv4_fields header = {
        .version = 4,
        .ihl = 5,
        .total_length = (uint16_t)(smc_ipv4_size + length),
        .id = stack->packet_id++,
        .dont_fragment = 1,
        .ttl = HOP_LIMIT,
        .protocol = protocol,
        .src = (uint32_t)smc_load_be(src.bytes + 12, 4),
        .dst = (uint32_t)smc_load_be(dst.bytes + 12, 4)};
    smc_ipv4_encode(&header, packet);
    smc_ipv4_put_checksum(packet, ip_sum_finish(ip_sum(0, packet, smc_ipv4_size)));
}

void ip_write_v6(uint8_t *packet, struct ip_address src, struct ip_address dst, uint8_t next_header,
                 uint8_t hop_limit, size_t payload_length)
{
    struct smc_ipv6_fields header = {.version = 6,
                                     .payload_length = (uint16_t)payload_length,
                                     .next_header = next_header,
                                     .hop_limit = hop_limit};
    memcpy(header.src, src.bytes, 16);
    memcpy(header.dst, dst.bytes, 16);
    smc_ipv6_encode(&header, packet);
}

int ip_transmit(struct ip_stack *stack, int interface, const uint8_t mac[6], uint16_t ethertype,
                uint8_t *packet, size_t length)
{
    const struct ip_interface *out = &stack->interfaces[interface];
    size_t header = smc_eth_size + (out->vlan != 0 ? (size_t)smc_vlan_size : 0);
    uint8_t *frame = packet - header;
    memcpy(frame, mac, 6);
    memcpy(frame + 6, out->port->mac, 6);
    smc_eth_put_ethertype(frame, out->vlan != 0 ? (uint16_t)IP_TYPE_VLAN : ethertype);
    if (out->vlan != 0) {
        const struct smc_vlan_fields tag = {.vid = out->vlan, .ethertype = ethertype};
        smc_vlan_encode(&tag, frame + smc_eth_size);
    }
    stack->counters.packets_out++;
    if (port_send(out->port, frame, header + length, stack->now_ns))
        return 0;
    stack->counters.unsent++;
    return SMC_ERR_IO;
}

static int lost(struct ip_stack *stack, int error)
{
    stack->counters.unsent++;
    return error;
}

int ip_output(struct ip_stack *stack, struct ip_address src, struct ip_address dst,
              uint8_t protocol, size_t length)
{
    struct ip_hop hop;
    if (ip_route_find(stack, -1, src, dst, &hop) != 0)
        return lost(stack, SMC_ERR_UNREACHABLE);
    bool v4 = ip_is_v4(dst);
    size_t header = v4 ? smc_ipv4_size : smc_ipv6_size;
    if (header + length > ip_interface_mtu(stack, hop.interface))
        return lost(stack, SMC_ERR_RANGE);
    uint8_t *packet = ip_payload(stack) - header;
    if (v4)
        write_v4(stack, packet, src, dst, protocol, length);
    else
        ip_write_v6(packet, src, dst, protocol, HOP_LIMIT, length);
    return arp_send(stack, hop.interface, hop.next, v4 ? IP_TYPE_V4 : IP_TYPE_V6, packet,
                    header + length);
}

/* ---- in ---- */
static void answer_echo(struct ip_stack *stack, struct ip_address src, struct ip_address dst,
                        struct smc_view icmp, uint8_t type)
{
    size_t n = smc_view_len(icmp);
    if (n < ICMP_HEADER || n > ip_payload_room(stack))
        return;
    uint8_t *reply = ip_payload(stack);
    memcpy(reply, icmp.p, n);
    reply[0] = type;
    reply[2] = reply[3] = 0;
    bool v4 = ip_is_v4(dst);
    uint8_t protocol = v4 ? IP_PROTOCOL_ICMP : IP_PROTOCOL_ICMPV6;
    uint32_t sum = v4 ? 0 : ip_sum_pseudo(dst, src, protocol, n);
    smc_store_be(reply + 2, 2, ip_sum_finish(ip_sum(sum, reply, n)));
    stack->counters.echoes++;
    ip_output(stack, dst, src, protocol, n);
}

static void input_icmp(struct ip_stack *stack, struct ip_address src, struct ip_address dst,
                       struct smc_view icmp)
{
    size_t n = smc_view_len(icmp);
    if (n < ICMP_HEADER)
        stack->counters.malformed++;
    else if (ip_sum_finish(ip_sum(0, icmp.p, n)) != 0)
        stack->counters.bad_checksum++;
    else if (icmp.p[0] == ECHO_REQUEST && icmp.p[1] == 0)
        answer_echo(stack, src, dst, icmp, ECHO_REPLY);
}

/* Nobody may speak as a group, as everybody or as ourselves; a loopback port is how we speak to ourselves. */
static bool bad_source(struct ip_address src)
{
    if (ip_is_v4(src))
        return src.bytes[12] >= 224 || src.bytes[12] == 0;
    return src.bytes[0] == 0xff || ip_is_any(src);
}

void ip_input_v4(struct ip_stack *stack, struct smc_view packet)
{
    struct smc_ipv4 ip;
    if (!smc_ipv4_at(packet, 0, &ip) || smc_ipv4_version(ip) != 4 || smc_ipv4_ihl(ip) < 5 ||
        smc_ipv4_total_length(ip) < smc_ipv4_ihl(ip) * 4u ||
        smc_ipv4_total_length(ip) > smc_view_len(packet) + stack->behind) {
        stack->counters.malformed++;
        return;
    }
    size_t header = smc_ipv4_ihl(ip) * 4u;
    struct ip_address src = ip_from_v4(packet.p + 12), dst = ip_from_v4(packet.p + 16);
    struct smc_view payload = smc_view_sub(packet, header, smc_ipv4_total_length(ip) - header);
    if (ip_sum_finish(ip_sum(0, packet.p, header)) != 0)
        stack->counters.bad_checksum++;
    else if (!ip_is_mine(stack, dst) || bad_source(src))
        stack->counters.not_mine++;
    else if (smc_ipv4_more_fragments(ip) || smc_ipv4_fragment_offset(ip) != 0)
        stack->counters.fragments++;
    else {
        stack->counters.packets_in++;
        if (smc_ipv4_protocol(ip) == IP_PROTOCOL_TCP)
            tcp_input(stack, src, dst, payload);
        else if (smc_ipv4_protocol(ip) == IP_PROTOCOL_ICMP)
            input_icmp(stack, src, dst, payload);
        else
            stack->counters.not_mine++;
    }
}

struct v6_arrival {
    int interface;
    const uint8_t *src_mac;
    struct ip_address src, dst;
    uint8_t hop_limit;
};

static void input_icmpv6(struct ip_stack *stack, const struct v6_arrival *came,
                         struct smc_view icmp)
{
    size_t n = smc_view_len(icmp);
    if (n < ICMP_HEADER) {
        stack->counters.malformed++;
        return;
    }
    uint32_t sum = ip_sum_pseudo(came->src, came->dst, IP_PROTOCOL_ICMPV6, n);
    if (ip_sum_finish(ip_sum(sum, icmp.p, n)) != 0)
        stack->counters.bad_checksum++;
    else if (icmp.p[0] == ND_SOLICITATION || icmp.p[0] == ND_ADVERTISEMENT)
        arp_input_nd(stack, came->interface, came->src_mac, came->src, came->hop_limit, icmp);
    else if (icmp.p[0] == ECHO6_REQUEST && icmp.p[1] == 0 && ip_is_mine(stack, came->dst) &&
             !bad_source(came->src))
        answer_echo(stack, came->src, came->dst, icmp, ECHO6_REPLY);
}

/* Steps over hop-by-hop and destination options; anything else is left to the protocol switch. */
static bool skip_extensions(struct smc_view *payload, uint8_t *next)
{
    enum { HOP_BY_HOP = 0, DESTINATION = 60 };
    while (*next == HOP_BY_HOP || *next == DESTINATION) {
        size_t have = smc_view_len(*payload);
        if (have < 8 || (payload->p[1] + 1u) * 8u > have)
            return false;
        *next = payload->p[0];
        *payload = smc_view_sub(*payload, (payload->p[1] + 1u) * 8u, SIZE_MAX);
    }
    return true;
}

static bool group_we_hear(const struct ip_stack *stack, int interface, struct ip_address dst)
{
    static const struct ip_address all_nodes = {{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
    static const struct ip_address solicited = {
        {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0, 0, 0}};
    if (ip_equal(dst, all_nodes))
        return true;
    if (!ip_matches(dst, solicited, 104))
        return false;
    for (unsigned i = 0; i < stack->naddresses; i++)
        if (stack->addresses[i].interface == interface &&
            memcmp(stack->addresses[i].address.bytes + 13, dst.bytes + 13, 3) == 0)
            return true;
    return false;
}

void ip_input_v6(struct ip_stack *stack, int interface, const uint8_t src_mac[6],
                 struct smc_view packet)
{
    struct smc_ipv6 ip;
    if (!smc_ipv6_at(packet, 0, &ip) || smc_ipv6_version(ip) != 6 ||
        smc_ipv6_payload_length(ip) > smc_view_len(packet) - smc_ipv6_size + stack->behind) {
        stack->counters.malformed++;
        return;
    }
    struct v6_arrival came = {
        .interface = interface, .src_mac = src_mac, .hop_limit = smc_ipv6_hop_limit(ip)};
    memcpy(came.src.bytes, smc_ipv6_src(ip), 16);
    memcpy(came.dst.bytes, smc_ipv6_dst(ip), 16);
    struct smc_view payload = smc_view_sub(packet, smc_ipv6_size, smc_ipv6_payload_length(ip));
    uint8_t next = smc_ipv6_next_header(ip);
    bool mine = ip_is_mine(stack, came.dst);
    /* An IPv4 address within IPv6 has no business on a wire. */
    if ((!mine && !group_we_hear(stack, interface, came.dst)) || ip_is_v4(came.src) ||
        ip_is_v4(came.dst))
        stack->counters.not_mine++;
    else if (!skip_extensions(&payload, &next))
        stack->counters.malformed++;
    else if (next == IP_PROTOCOL_ICMPV6) {
        stack->counters.packets_in++;
        input_icmpv6(stack, &came, payload);
    } else if (next == IP_PROTOCOL_TCP && mine && !bad_source(came.src)) {
        stack->counters.packets_in++;
        tcp_input(stack, came.src, came.dst, payload);
    } else if (next == 44)
        stack->counters.fragments++;
    else
        stack->counters.not_mine++;
}
