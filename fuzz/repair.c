/* Makes the ICRCs of a mutated pcap right again: a packet with a wrong one is dropped before anything reads its content.
 * SPDX-License-Identifier: BSD-3-Clause */
#include "fuzz.h"

#include "wire/carrier_layouts.h"
#include "wire/icrc.h"

enum { FILE_HEADER = 24, RECORD_HEADER = 16, ROCE_PORT = 4791 };

/* The length of the packet from its IP header or GRH on; 0 if this is no RoCE packet that is all there. */
static size_t roce_length(struct smc_view l3, unsigned ethertype)
{
    struct smc_ipv4 ip4;
    struct smc_udp udp;
    size_t header = 40, length = 0;
    if (ethertype == SMC_ETHERTYPE_IPV4 && smc_ipv4_at(l3, 0, &ip4)) {
        header = 4 * (size_t)(l3.p[0] & 15);
        length = (size_t)smc_load_be(l3.p + 2, 2);
    } else if ((ethertype == SMC_ETHERTYPE_IPV6 || ethertype == SMC_ETHERTYPE_ROCE) && smc_view_len(l3) > header) {
        length = header + (size_t)smc_load_be(l3.p + 4, 2);
    }
    if (length > smc_view_len(l3) || length < header + smc_bth_size + SMC_ICRC_BYTES)
        return 0;
    if (ethertype != SMC_ETHERTYPE_ROCE && (!smc_udp_at(l3, header, &udp) || smc_udp_dport(udp) != ROCE_PORT))
        return 0;
    return length;
}

static void repair_frame(uint8_t *p, size_t size)
{
    uint32_t icrc;
    struct smc_eth eth;
    struct smc_view frame = smc_view_of(p, size);
    if (!smc_eth_at(frame, 0, &eth))
        return;
    struct smc_view l3 = smc_view_sub(frame, smc_eth_size, size);
    size_t length = roce_length(l3, smc_eth_ethertype(eth));
    if (length > 0 && smc_icrc(smc_view_sub(l3, 0, length - SMC_ICRC_BYTES), NULL, &icrc))
        smc_icrc_put(p + smc_eth_size + length - SMC_ICRC_BYTES, icrc);
}

/* Little-endian pcap of Ethernet frames, micro- or nanoseconds: what the corpora hold. */
void fuzz_repair_capture(uint8_t *data, size_t size)
{
    uint32_t magic = size >= FILE_HEADER ? (uint32_t)smc_load_le(data, 4) : 0;
    if (magic != 0xa1b2c3d4 && magic != 0xa1b23c4d)
        return;
    for (size_t at = FILE_HEADER; size - at >= RECORD_HEADER;) {
        size_t captured = (size_t)smc_load_le(data + at + 8, 4);
        at += RECORD_HEADER;
        if (captured > size - at)
            return;
        repair_frame(data + at, captured);
        at += captured;
    }
}
