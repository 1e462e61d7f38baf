/* The invariant CRC of RoCE packets.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Headers are copied, masked and summed; the payload is summed where it stands. */
#include "icrc.h"
#include "carrier_layouts.h"

enum {
    LRH_ONES = 8, /* in place of the local routing header that RoCE has not */
    NEXT_UDP = 17,
    NEXT_GRH = 0x1b, /* IBA transport: the header is a GRH */
    IPV4_MAX = 60,
    HEADERS_MAX = LRH_ONES + IPV4_MAX + smc_udp_size + smc_bth_size
};

/* Bytes from the first header to the start of the BTH; 0 if this carries no RoCE. */
static size_t bth_offset(struct smc_view packet)
{
    struct smc_ipv4 v4;
    struct smc_ipv6 v6;
    if (smc_ipv4_at(packet, 0, &v4) && smc_ipv4_version(v4) == 4) {
        size_t ihl = (size_t)smc_ipv4_ihl(v4) * 4;
        return ihl >= smc_ipv4_size && smc_ipv4_protocol(v4) == NEXT_UDP ? ihl + smc_udp_size : 0;
    }
    if (!smc_ipv6_at(packet, 0, &v6) || smc_ipv6_version(v6) != 6)
        return 0;
    if (smc_ipv6_next_header(v6) == NEXT_GRH)
        return smc_ipv6_size;
    return smc_ipv6_next_header(v6) == NEXT_UDP ? smc_ipv6_size + smc_udp_size : 0;
}

/* Takes as ones what routers and switches may change. */
static void mask(uint8_t *l3, size_t bth)
{
    bool v4 = l3[0] >> 4 == 4;
    bool grh = !v4 && bth == smc_ipv6_size;
    if (v4) {
        smc_ipv4_put_tos(l3, 0xff);
        smc_ipv4_put_ttl(l3, 0xff);
        smc_ipv4_put_checksum(l3, 0xffff);
    } else {
        smc_ipv6_put_traffic_class(l3, 0xff);
        smc_ipv6_put_flow_label(l3, 0xfffff);
        smc_ipv6_put_hop_limit(l3, 0xff);
    }
    if (!grh)
        smc_udp_put_checksum(l3 + bth - smc_udp_size, 0xffff);
    smc_store_be(l3 + bth + 4, 1, 0xff); /* FECN, BECN and reserved bits */
}

bool smc_icrc(struct smc_view packet, smc_crc32_fn crc, uint32_t *icrc)
{
    uint8_t head[HEADERS_MAX];
    size_t bth = bth_offset(packet);
    size_t headers = bth + smc_bth_size;
    if (bth == 0 || smc_view_len(packet) < headers)
        return false;
    memset(head, 0xff, LRH_ONES);
    memcpy(head + LRH_ONES, packet.p, headers);
    mask(head + LRH_ONES, bth);
    smc_crc32_fn sum = crc ? crc : smc_crc32;
    uint32_t value = sum(0, head, LRH_ONES + headers);
    size_t rest = smc_view_len(packet) - headers;
    *icrc = rest > 0 ? sum(value, packet.p + headers, rest) : value;
    return true;
}

bool smc_icrc_holds(struct smc_view packet_and_icrc, smc_crc32_fn crc)
{
    uint32_t value;
    if (smc_view_len(packet_and_icrc) < SMC_ICRC_BYTES)
        return false;
    const uint8_t *icrc = packet_and_icrc.end - SMC_ICRC_BYTES;
    struct smc_view packet = {packet_and_icrc.p, icrc};
    return smc_icrc(packet, crc, &value) && value == smc_load_le(icrc, SMC_ICRC_BYTES);
}

void smc_icrc_put(uint8_t *p, uint32_t icrc)
{
    smc_store_le(p, SMC_ICRC_BYTES, icrc);
}
