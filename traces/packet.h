/* One captured packet, taken apart down to TCP segments, RoCE packets and SMC-D records.
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Tunnels that mirror ports use (VXLAN, GRE, ERSPAN) are removed: what is described is the innermost
 * frame. All pointers lead into the caller's packet bytes and live as long as those. */
#ifndef TRACE_PACKET_H
#define TRACE_PACKET_H

#include "wire/carrier_layouts.h"
#include "wire/smcd_record_layouts.h"

/* IPv6, or IPv4 as ::ffff:a.b.c.d — the same form as a RoCEv2 GID. */
struct trace_addr {
    uint8_t b[16];
};

static inline bool trace_addr_equal(const struct trace_addr *x, const struct trace_addr *y)
{
    return memcmp(x->b, y->b, sizeof x->b) == 0;
}

enum trace_proto {
    TRACE_OTHER,  /* nothing SMC travels in; still counted */
    TRACE_TCP,
    TRACE_ROCE,   /* v1 (EtherType 0x8915) or v2 (UDP 4791) */
    TRACE_RECORD, /* SMC-D record, EtherType 0x88B5 */
};

enum trace_icrc {
    TRACE_ICRC_UNKNOWN, /* packet cut by the snap length: cannot be computed */
    TRACE_ICRC_GOOD,
    TRACE_ICRC_BAD,
};

/* How the capture file gave it. */
struct trace_raw {
    uint64_t frame;  /* counted from 1, as Wireshark does */
    uint64_t ts_ns;  /* since the epoch */
    int linktype;    /* LINKTYPE_/DLT_ value of its interface */
    uint32_t wire_len;
    struct smc_view bytes; /* what was captured of wire_len */
};

struct trace_roce {
    bool v1;
    uint8_t opcode; /* SMC_BTH_… */
    bool ackreq, solicited;
    uint32_t dqpn, psn;
    bool has_reth, has_aeth, has_imm;
    uint64_t va;
    uint32_t rkey, dma_length;
    uint8_t aeth_kind, aeth_value; /* kind: 0 ACK, 1 RNR NAK, 3 NAK */
    uint32_t msn;
    uint32_t imm;
    enum trace_icrc icrc;
};

struct trace_tcp_header {
    uint16_t sport, dport;
    uint32_t seq, ack;
    bool syn, fin, rst, has_ack, psh, urg;
    uint16_t window;
    struct smc_view options;
};

struct trace_packet {
    struct trace_raw raw;
    enum trace_proto proto;
    bool vlan_present;
    uint16_t vlan;              /* innermost VLAN id */
    const uint8_t *src_mac, *dst_mac; /* NULL if the link type has none */
    struct trace_addr src, dst; /* innermost IP or GRH addresses */
    bool ipv6;
    bool fragment;              /* an IP fragment: not reassembled, counted */
    bool cut;                   /* payload is shorter than payload_wire_len */
    struct trace_tcp_header tcp; /* if TRACE_TCP */
    struct trace_roce roce;      /* if TRACE_ROCE */
    struct smc_smcd_record record; /* if TRACE_RECORD; the data is `payload` */
    struct smc_view payload;    /* captured part of the TCP payload; of the RoCE payload without
                                   extension headers, pad and ICRC; of the record's data */
    uint32_t payload_wire_len;  /* its length on the wire */
};

/* Takes a packet apart. Never fails: what cannot be understood is TRACE_OTHER. The ICRC of complete RoCE
 * packets is verified if check_icrc. Link types: Ethernet, SLL, SLL2, NULL/LOOP, raw IP. */
void trace_packet_decode(const struct trace_raw *raw, bool check_icrc, struct trace_packet *out);

/* "10.0.0.1" or "2001:db8::1"; buf holds at least 46 bytes. Returns buf. */
char *trace_addr_text(const struct trace_addr *a, char *buf, size_t size);
/* "10.0.0.1:80", "[2001:db8::1]:80"; buf holds at least 54 bytes. Returns buf. */
char *trace_endpoint_text(const struct trace_addr *a, uint16_t port, char *buf, size_t size);

#endif
