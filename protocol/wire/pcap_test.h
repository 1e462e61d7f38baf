/* Frames of the captures, for tests of this folder: it knows nothing of capture files, and a walk over the records of
 * a classic pcap is all that is needed.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SMC_WIRE_PCAP_TEST_H
#define SMC_WIRE_PCAP_TEST_H

#include "wire_test.h"

#include <stdio.h>

#include "wire/carrier_layouts.h"

struct file {
    uint8_t *bytes;
    size_t size;
};

/* `source_dir` is SMCLAB_SOURCE_DIR, which only test programs know. */
static inline struct file load_from(const char *source_dir, const char *name)
{
    char path[512];
    struct file f = {.bytes = malloc(1 << 22)};
    ck_assert_ptr_nonnull(f.bytes);
    snprintf(path, sizeof(path), "%s/traces/%s.pcap", source_dir, name);
    FILE *in = fopen(path, "rb");
    ck_assert_msg(in != NULL, "%s", path);
    f.size = fread(f.bytes, 1, 1 << 22, in);
    fclose(in);
    ck_assert_uint_gt(f.size, 24);
    return f;
}

/* The next frame that was kept whole; false at the end. */
static inline bool next_frame(const struct file *f, size_t *at, struct smc_view *frame)
{
    while (f->size - *at >= 16) {
        bool big = f->bytes[0] == 0xa1;
        const uint8_t *sizes = f->bytes + *at + 8;
        uint64_t kept = big ? smc_load_be(sizes, 4) : smc_load_le(sizes, 4);
        uint64_t length = big ? smc_load_be(sizes + 4, 4) : smc_load_le(sizes + 4, 4);
        *at += 16;
        if (kept > f->size - *at)
            return false;
        *frame = smc_view_of(f->bytes + *at, (size_t)kept);
        *at += (size_t)kept;
        if (kept == length)
            return true;
    }
    return false;
}

/* From the IP header or GRH to the ICRC, both included; empty if the frame is no RoCE. */
static inline struct smc_view roce_of(struct smc_view frame)
{
    struct smc_eth eth;
    struct smc_ipv4 v4;
    struct smc_ipv6 v6;
    struct smc_view none = {frame.p, frame.p};
    if (!smc_eth_at(frame, 0, &eth))
        return none;
    struct smc_view l3 = smc_view_sub(frame, smc_eth_size, SIZE_MAX);
    unsigned type = smc_eth_ethertype(eth);
    if (type == SMC_ETHERTYPE_IPV4 && smc_ipv4_at(l3, 0, &v4) && smc_ipv4_protocol(v4) == 17)
        l3 = smc_view_sub(l3, 0, smc_ipv4_total_length(v4));
    else if ((type == SMC_ETHERTYPE_IPV6 || type == SMC_ETHERTYPE_ROCE) &&
             smc_ipv6_at(l3, 0, &v6) &&
             (smc_ipv6_next_header(v6) == 17 || type == SMC_ETHERTYPE_ROCE))
        l3 = smc_view_sub(l3, 0, smc_ipv6_size + (size_t)smc_ipv6_payload_length(v6));
    else
        return none;
    struct smc_udp udp;
    size_t at = type == SMC_ETHERTYPE_IPV4 ? smc_ipv4_size : smc_ipv6_size;
    bool v2 = smc_udp_at(l3, at, &udp) && smc_udp_dport(udp) == 4791;
    return v2 || type == SMC_ETHERTYPE_ROCE ? l3 : none;
}

#endif
