/* What rules and queues want to know about a frame: just enough of it decoded.
 * SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_NETWORK_FRAME_H
#define SIM_NETWORK_FRAME_H

#include "wire/carrier_layouts.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Fields that a frame does not have are zero (type bytes: -1). */
struct net_frame_info {
    const uint8_t *bytes;
    size_t length;
    unsigned tags;       /* VLAN tags */
    uint16_t vlan;       /* outermost id */
    uint8_t pcp;         /* outermost priority */
    uint16_t ethertype;  /* behind the tags */
    uint16_t l3;         /* offset of what follows the EtherType */
    uint8_t ip_version;  /* 4, 6; GRH of RoCEv1: 6 */
    uint8_t ip_protocol; /* IPv6: behind the extension headers known */
    uint8_t tos;         /* DSCP and ECN, the traffic class */
    uint16_t l4;         /* offset of the transport header; 0: none, or a later fragment */
    uint16_t sport, dport;
    uint8_t tcp_flags;   /* as on the wire: FIN 1, SYN 2, RST 4, PSH 8, ACK 16 */
    uint16_t payload;    /* offset of the TCP payload, or of what a SEND carries; 0: none */
    uint16_t payload_end;
    int clc_type;        /* the TCP payload starts with a CLC message: its type */
    bool roce;           /* v1 or v2; the next three hold */
    uint8_t opcode;      /* SMC_BTH_… */
    uint32_t dqpn, psn;
    int message;         /* a SEND's first packet: its first byte, an LLC or CDC type */
    uint8_t llc_flags;   /* and its flags: SMC_LLC_RESPONSE … */
};

/* Never fails: what cannot be understood is left zero. The info borrows the bytes. */
void net_frame_classify(const uint8_t *bytes, size_t length, struct net_frame_info *info);

/* The same for all frames of one flow in one direction, whoever asks: of addresses, protocol and ports of
 * TCP and UDP (for RoCE: what stands in the UDP header), and of MAC addresses where there is no IP. Fragments count by addresses.
 * Switches with several ways choose by it; `seed` makes them choose differently. */
uint64_t net_frame_flow(const struct net_frame_info *info, uint64_t seed);

/* Predicates for fault rules; `user` as told. True: the frame is meant. */
typedef bool (*net_frame_match)(void *user, const struct net_frame_info *info);

/* user: const struct net_frame_pattern *. Negative: any. */
struct net_frame_pattern {
    int ethertype, ip_protocol;
    int sport, dport; /* of TCP or UDP */
    int tcp_flags_set, tcp_flags_clear; /* 0 or negative: any */
    int clc_type;
    int opcode;      /* BTH */
    int64_t dqpn;
    int message;     /* first byte of a SEND */
    int response;    /* 0 request, 1 response (LLC) */
    int min_length;
};
/* All fields any. */
#define NET_FRAME_PATTERN_ANY                                                                      \
    {                                                                                              \
        -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1                                             \
    }
bool net_frame_matches(void *user, const struct net_frame_info *info);

/* ---- changing frames ---- */

/* Ones' complement sum over bytes (an odd last one counts as the high byte), carried on from `sum`. */
uint32_t net_sum(const uint8_t *bytes, size_t n, uint32_t sum);
/* The checksum that goes with a sum. */
uint16_t net_sum_finish(uint32_t sum);
/* A checksum at p after the bytes it covers changed from sum `before` to sum `after` (RFC 1624): one that
 * was wrong stays wrong. */
void net_sum_adjust(uint8_t *p, uint32_t before, uint32_t after);
/* Checksum of a whole TCP, UDP or ICMPv6 packet with its pseudo header, the field taken as it stands: 0
 * says that it holds. The frame must have ip_version and l4 set. */
uint16_t net_frame_transport_sum(const struct net_frame_info *info);
/* Sets ECN to CE in an IPv4 or IPv6 header; false if the frame is not ECN-capable (or marked already). */
bool net_frame_mark_ce(uint8_t *bytes, size_t length);

#ifdef __cplusplus
}
#endif

#endif
