/* Layouts of what carries SMC: Ethernet, VLAN, ARP, IP, ICMPv6 ND, TCP, UDP, RoCE, PAUSE/PFC, mirror tunnels.
 * SPDX-License-Identifier: BSD-3-Clause */

#ifndef SMC_WIRE_CARRIER_LAYOUTS_H
#define SMC_WIRE_CARRIER_LAYOUTS_H

#include "layout.h"
#include "values.h"


/* Ethernet. Source: IEEE 802.3 */
#define SMC_FIELDS_eth(F, L)                                                           \
    F(L, dst, 0, 6, 0, BYTES, MAC, ANY, 0, 0, NULL, "destination MAC")                 \
    F(L, src, 6, 6, 0, BYTES, MAC, ANY, 0, 0, NULL, "source MAC")                      \
    F(L, ethertype, 12, 2, 0, UINT, HEX, ANY, 0, 0, smc_values_ethertype, "EtherType")
SMC_LAYOUT(eth, 14)

/* VLAN tag. Source: IEEE 802.1Q */
#define SMC_FIELDS_vlan(F, L)                                                         \
    F(L, pcp, 0, 2, 0xe000, UINT, DEC, ANY, 0, 0, NULL, "priority")                   \
    F(L, dei, 0, 2, 0x1000, UINT, FLAG, ANY, 0, 0, NULL, "drop eligible")             \
    F(L, vid, 0, 2, 0x0fff, UINT, DEC, ANY, 0, 0, NULL, "VLAN id")                    \
    F(L, ethertype, 2, 2, 0, UINT, HEX, ANY, 0, 0, smc_values_ethertype, "EtherType")
SMC_LAYOUT(vlan, 4)

/* Linux cooked capture. Source: libpcap LINKTYPE_LINUX_SLL */
#define SMC_FIELDS_sll(F, L)                                                         \
    F(L, packet_type, 0, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "packet type")            \
    F(L, arphrd, 2, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "ARPHRD type")                 \
    F(L, addr_len, 4, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "address length")            \
    F(L, addr, 6, 8, 0, BYTES, HEX, ANY, 0, 0, NULL, "address")                      \
    F(L, protocol, 14, 2, 0, UINT, HEX, ANY, 0, 0, smc_values_ethertype, "protocol")
SMC_LAYOUT(sll, 16)

/* Linux cooked capture v2. Source: libpcap LINKTYPE_LINUX_SLL2 */
#define SMC_FIELDS_sll2(F, L)                                                       \
    F(L, protocol, 0, 2, 0, UINT, HEX, ANY, 0, 0, smc_values_ethertype, "protocol") \
    F(L, reserved, 2, 2, 0, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")               \
    F(L, ifindex, 4, 4, 0, UINT, DEC, ANY, 0, 0, NULL, "interface index")           \
    F(L, arphrd, 8, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "ARPHRD type")                \
    F(L, packet_type, 10, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "packet type")          \
    F(L, addr_len, 11, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "address length")          \
    F(L, addr, 12, 8, 0, BYTES, HEX, ANY, 0, 0, NULL, "address")
SMC_LAYOUT(sll2, 20)

/* ARP for IPv4 over Ethernet. Source: RFC 826 */
#define SMC_FIELDS_arp(F, L)                                                   \
    F(L, htype, 0, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "hardware type")          \
    F(L, ptype, 2, 2, 0, UINT, HEX, ANY, 0, 0, NULL, "protocol type")          \
    F(L, hlen, 4, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "hardware address length") \
    F(L, plen, 5, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "protocol address length") \
    F(L, operation, 6, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "operation")          \
    F(L, sender_mac, 8, 6, 0, BYTES, MAC, ANY, 0, 0, NULL, "sender MAC")       \
    F(L, sender_ip, 14, 4, 0, UINT, IP4, ANY, 0, 0, NULL, "sender address")    \
    F(L, target_mac, 18, 6, 0, BYTES, MAC, ANY, 0, 0, NULL, "target MAC")      \
    F(L, target_ip, 24, 4, 0, UINT, IP4, ANY, 0, 0, NULL, "target address")
SMC_LAYOUT(arp, 28)

/* IPv4. Source: RFC 791 */
#define SMC_FIELDS_ipv4(F, L)                                                          \
    F(L, version, 0, 1, 0xf0, UINT, DEC, IN, 4, 4, NULL, "version")                    \
    F(L, ihl, 0, 1, 0x0f, UINT, DEC, IN, 5, 15, NULL, "header length in words")        \
    F(L, tos, 1, 1, 0, UINT, HEX, ANY, 0, 0, NULL, "DSCP and ECN")                     \
    F(L, total_length, 2, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "total length")            \
    F(L, id, 4, 2, 0, UINT, HEX, ANY, 0, 0, NULL, "identification")                    \
    F(L, dont_fragment, 6, 2, 0x4000, UINT, FLAG, ANY, 0, 0, NULL, "do not fragment")  \
    F(L, more_fragments, 6, 2, 0x2000, UINT, FLAG, ANY, 0, 0, NULL, "more fragments")  \
    F(L, evil, 6, 2, 0x8000, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                 \
    F(L, fragment_offset, 6, 2, 0x1fff, UINT, DEC, ANY, 0, 0, NULL, "fragment offset") \
    F(L, ttl, 8, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "time to live")                     \
    F(L, protocol, 9, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "protocol")                    \
    F(L, checksum, 10, 2, 0, UINT, HEX, ANY, 0, 0, NULL, "header checksum")            \
    F(L, src, 12, 4, 0, UINT, IP4, ANY, 0, 0, NULL, "source")                          \
    F(L, dst, 16, 4, 0, UINT, IP4, ANY, 0, 0, NULL, "destination")
SMC_LAYOUT(ipv4, 20)

/* IPv6 (and the GRH of RoCEv1). Source: RFC 8200 */
#define SMC_FIELDS_ipv6(F, L)                                                          \
    F(L, version, 0, 4, 0xf0000000, UINT, DEC, IN, 6, 6, NULL, "version")              \
    F(L, traffic_class, 0, 4, 0x0ff00000, UINT, HEX, ANY, 0, 0, NULL, "traffic class") \
    F(L, flow_label, 0, 4, 0x000fffff, UINT, HEX, ANY, 0, 0, NULL, "flow label")       \
    F(L, payload_length, 4, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "payload length")        \
    F(L, next_header, 6, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "next header")              \
    F(L, hop_limit, 7, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "hop limit")                  \
    F(L, src, 8, 16, 0, BYTES, GID, ANY, 0, 0, NULL, "source")                         \
    F(L, dst, 24, 16, 0, BYTES, GID, ANY, 0, 0, NULL, "destination")
SMC_LAYOUT(ipv6, 40)

/* ICMPv6 neighbour solicitation or advertisement. Source: RFC 4861 */
#define SMC_FIELDS_nd(F, L)                                               \
    F(L, type, 0, 1, 0, UINT, DEC, IN, 135, 136, NULL, "type")            \
    F(L, code, 1, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "code")               \
    F(L, checksum, 2, 2, 0, UINT, HEX, ANY, 0, 0, NULL, "checksum")       \
    F(L, router, 4, 1, 0x80, UINT, FLAG, ANY, 0, 0, NULL, "router")       \
    F(L, solicited, 4, 1, 0x40, UINT, FLAG, ANY, 0, 0, NULL, "solicited") \
    F(L, override, 4, 1, 0x20, UINT, FLAG, ANY, 0, 0, NULL, "override")   \
    F(L, reserved1, 4, 1, 0x1f, UINT, RSVD, ZERO, 0, 0, NULL, "reserved") \
    F(L, reserved2, 5, 3, 0, BYTES, RSVD, ZERO, 0, 0, NULL, "reserved")   \
    F(L, target, 8, 16, 0, BYTES, GID, ANY, 0, 0, NULL, "target")
SMC_LAYOUT(nd, 24)

/* link-layer address option. Source: RFC 4861 */
#define SMC_FIELDS_nd_option(F, L)                                        \
    F(L, type, 0, 1, 0, UINT, DEC, ANY, 0, 0, NULL, "type")               \
    F(L, length, 1, 1, 0, UINT, DEC, IN, 1, 1, NULL, "length in 8 bytes") \
    F(L, mac, 2, 6, 0, BYTES, MAC, ANY, 0, 0, NULL, "address")
SMC_LAYOUT(nd_option, 8)

/* TCP. Source: RFC 9293 */
#define SMC_FIELDS_tcp(F, L)                                                             \
    F(L, sport, 0, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "source port")                      \
    F(L, dport, 2, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "destination port")                 \
    F(L, seq, 4, 4, 0, UINT, DEC, ANY, 0, 0, NULL, "sequence number")                    \
    F(L, ack_seq, 8, 4, 0, UINT, DEC, ANY, 0, 0, NULL, "acknowledgement number")         \
    F(L, data_offset, 12, 1, 0xf0, UINT, DEC, IN, 5, 15, NULL, "header length in words") \
    F(L, reserved, 12, 1, 0x0f, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                \
    F(L, cwr, 13, 1, 0x80, UINT, FLAG, ANY, 0, 0, NULL, "CWR")                           \
    F(L, ece, 13, 1, 0x40, UINT, FLAG, ANY, 0, 0, NULL, "ECE")                           \
    F(L, urg, 13, 1, 0x20, UINT, FLAG, ANY, 0, 0, NULL, "URG")                           \
    F(L, ack, 13, 1, 0x10, UINT, FLAG, ANY, 0, 0, NULL, "ACK")                           \
    F(L, psh, 13, 1, 0x08, UINT, FLAG, ANY, 0, 0, NULL, "PSH")                           \
    F(L, rst, 13, 1, 0x04, UINT, FLAG, ANY, 0, 0, NULL, "RST")                           \
    F(L, syn, 13, 1, 0x02, UINT, FLAG, ANY, 0, 0, NULL, "SYN")                           \
    F(L, fin, 13, 1, 0x01, UINT, FLAG, ANY, 0, 0, NULL, "FIN")                           \
    F(L, window, 14, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "window")                         \
    F(L, checksum, 16, 2, 0, UINT, HEX, ANY, 0, 0, NULL, "checksum")                     \
    F(L, urgent, 18, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "urgent pointer")
SMC_LAYOUT(tcp, 20)

/* UDP. Source: RFC 768 */
#define SMC_FIELDS_udp(F, L)                                             \
    F(L, sport, 0, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "source port")      \
    F(L, dport, 2, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "destination port") \
    F(L, length, 4, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "length")          \
    F(L, checksum, 6, 2, 0, UINT, HEX, ANY, 0, 0, NULL, "checksum")
SMC_LAYOUT(udp, 8)

/* base transport header. Source: InfiniBand 9.2 */
#define SMC_FIELDS_bth(F, L)                                                     \
    F(L, opcode, 0, 1, 0, UINT, HEX, ANY, 0, 0, smc_values_bth_opcode, "opcode") \
    F(L, solicited, 1, 1, 0x80, UINT, FLAG, ANY, 0, 0, NULL, "solicited event")  \
    F(L, migreq, 1, 1, 0x40, UINT, FLAG, ANY, 0, 0, NULL, "MigReq")              \
    F(L, pad, 1, 1, 0x30, UINT, DEC, ANY, 0, 0, NULL, "pad count")               \
    F(L, tver, 1, 1, 0x0f, UINT, DEC, ANY, 0, 0, NULL, "transport version")      \
    F(L, pkey, 2, 2, 0, UINT, HEX, ANY, 0, 0, NULL, "partition key")             \
    F(L, fecn, 4, 1, 0x80, UINT, FLAG, ANY, 0, 0, NULL, "FECN")                  \
    F(L, becn, 4, 1, 0x40, UINT, FLAG, ANY, 0, 0, NULL, "BECN")                  \
    F(L, reserved1, 4, 1, 0x3f, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")        \
    F(L, dqpn, 5, 3, 0, UINT, HEX, ANY, 0, 0, NULL, "destination QP")            \
    F(L, ackreq, 8, 1, 0x80, UINT, FLAG, ANY, 0, 0, NULL, "acknowledge request") \
    F(L, reserved2, 8, 1, 0x7f, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")        \
    F(L, psn, 9, 3, 0, UINT, HEX, ANY, 0, 0, NULL, "PSN")
SMC_LAYOUT(bth, 12)

/* RDMA extended transport header. Source: InfiniBand 9.3.3 */
#define SMC_FIELDS_reth(F, L)                                            \
    F(L, va, 0, 8, 0, UINT, HEX, ANY, 0, 0, NULL, "virtual address")     \
    F(L, rkey, 8, 4, 0, UINT, HEX, ANY, 0, 0, NULL, "rkey")              \
    F(L, dma_length, 12, 4, 0, UINT, DEC, ANY, 0, 0, NULL, "DMA length")
SMC_LAYOUT(reth, 16)

/* ACK extended transport header. Source: InfiniBand 9.3.5 */
#define SMC_FIELDS_aeth(F, L)                                                         \
    F(L, reserved, 0, 1, 0x80, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")              \
    F(L, kind, 0, 1, 0x60, UINT, DEC, ANY, 0, 0, NULL, "0 ACK, 1 RNR NAK, 3 NAK")     \
    F(L, value, 0, 1, 0x1f, UINT, DEC, ANY, 0, 0, NULL, "credits, timer or NAK code") \
    F(L, msn, 1, 3, 0, UINT, DEC, ANY, 0, 0, NULL, "message sequence number")
SMC_LAYOUT(aeth, 4)

/* immediate data. Source: InfiniBand 9.3.6 */
#define SMC_FIELDS_immdt(F, L)                                       \
    F(L, imm, 0, 4, 0, UINT, HEX, ANY, 0, 0, NULL, "immediate data")
SMC_LAYOUT(immdt, 4)

/* congestion notification, payload. Source: InfiniBand A17.9.3 */
#define SMC_FIELDS_cnp(F, L)                                            \
    F(L, reserved, 0, 16, 0, BYTES, RSVD, ZERO, 0, 0, NULL, "reserved")
SMC_LAYOUT(cnp, 16)

/* PAUSE. Source: IEEE 802.3 31B */
#define SMC_FIELDS_pause(F, L)                                          \
    F(L, opcode, 0, 2, 0, UINT, HEX, IN, 1, 1, NULL, "opcode")          \
    F(L, quanta, 2, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "quanta")         \
    F(L, reserved, 4, 42, 0, BYTES, RSVD, ZERO, 0, 0, NULL, "reserved")
SMC_LAYOUT(pause, 46)

/* priority flow control. Source: IEEE 802.1Qbb */
#define SMC_FIELDS_pfc(F, L)                                                 \
    F(L, opcode, 0, 2, 0, UINT, HEX, IN, 0x101, 0x101, NULL, "opcode")       \
    F(L, enable, 2, 2, 0, UINT, HEX, ANY, 0, 0, NULL, "class enable vector") \
    F(L, quanta0, 4, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "class 0 quanta")     \
    F(L, quanta1, 6, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "class 1 quanta")     \
    F(L, quanta2, 8, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "class 2 quanta")     \
    F(L, quanta3, 10, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "class 3 quanta")    \
    F(L, quanta4, 12, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "class 4 quanta")    \
    F(L, quanta5, 14, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "class 5 quanta")    \
    F(L, quanta6, 16, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "class 6 quanta")    \
    F(L, quanta7, 18, 2, 0, UINT, DEC, ANY, 0, 0, NULL, "class 7 quanta")    \
    F(L, reserved, 20, 26, 0, BYTES, RSVD, ZERO, 0, 0, NULL, "reserved")
SMC_LAYOUT(pfc, 46)

/* VXLAN. Source: RFC 7348 */
#define SMC_FIELDS_vxlan(F, L)                                          \
    F(L, flags, 0, 1, 0, UINT, HEX, ANY, 0, 0, NULL, "flags")           \
    F(L, reserved1, 1, 3, 0, BYTES, RSVD, ZERO, 0, 0, NULL, "reserved") \
    F(L, vni, 4, 3, 0, UINT, HEX, ANY, 0, 0, NULL, "VNI")               \
    F(L, reserved2, 7, 1, 0, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")
SMC_LAYOUT(vxlan, 8)

/* GRE. Source: RFC 2784, RFC 2890 */
#define SMC_FIELDS_gre(F, L)                                                                   \
    F(L, checksum_present, 0, 1, 0x80, UINT, FLAG, ANY, 0, 0, NULL, "checksum present")        \
    F(L, reserved1, 0, 1, 0x40, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                      \
    F(L, key_present, 0, 1, 0x20, UINT, FLAG, ANY, 0, 0, NULL, "key present")                  \
    F(L, sequence_present, 0, 1, 0x10, UINT, FLAG, ANY, 0, 0, NULL, "sequence number present") \
    F(L, reserved2, 0, 2, 0x0ff8, UINT, RSVD, ZERO, 0, 0, NULL, "reserved")                    \
    F(L, version, 0, 2, 0x0007, UINT, DEC, ANY, 0, 0, NULL, "version")                         \
    F(L, protocol, 2, 2, 0, UINT, HEX, ANY, 0, 0, smc_values_ethertype, "protocol")
SMC_LAYOUT(gre, 4)

/* ERSPAN II. Source: draft-foschiano-erspan */
#define SMC_FIELDS_erspan(F, L)                                                \
    F(L, version, 0, 2, 0xf000, UINT, DEC, ANY, 0, 0, NULL, "version")         \
    F(L, vlan, 0, 2, 0x0fff, UINT, DEC, ANY, 0, 0, NULL, "VLAN")               \
    F(L, cos, 2, 2, 0xe000, UINT, DEC, ANY, 0, 0, NULL, "COS")                 \
    F(L, encap, 2, 2, 0x1800, UINT, DEC, ANY, 0, 0, NULL, "encapsulation")     \
    F(L, truncated, 2, 2, 0x0400, UINT, FLAG, ANY, 0, 0, NULL, "truncated")    \
    F(L, session, 2, 2, 0x03ff, UINT, DEC, ANY, 0, 0, NULL, "session")         \
    F(L, reserved, 4, 4, 0xfff00000, UINT, RSVD, ZERO, 0, 0, NULL, "reserved") \
    F(L, index, 4, 4, 0x000fffff, UINT, HEX, ANY, 0, 0, NULL, "index")
SMC_LAYOUT(erspan, 8)

/* ERSPAN III. Source: draft-foschiano-erspan */
#define SMC_FIELDS_erspan3(F, L)                                                             \
    F(L, version, 0, 2, 0xf000, UINT, DEC, ANY, 0, 0, NULL, "version")                       \
    F(L, vlan, 0, 2, 0x0fff, UINT, DEC, ANY, 0, 0, NULL, "VLAN")                             \
    F(L, cos, 2, 2, 0xe000, UINT, DEC, ANY, 0, 0, NULL, "COS")                               \
    F(L, bso, 2, 2, 0x1800, UINT, DEC, ANY, 0, 0, NULL, "bad, short or oversized")           \
    F(L, truncated, 2, 2, 0x0400, UINT, FLAG, ANY, 0, 0, NULL, "truncated")                  \
    F(L, session, 2, 2, 0x03ff, UINT, DEC, ANY, 0, 0, NULL, "session")                       \
    F(L, timestamp, 4, 4, 0, UINT, HEX, ANY, 0, 0, NULL, "timestamp")                        \
    F(L, sgt, 8, 2, 0, UINT, HEX, ANY, 0, 0, NULL, "security group tag")                     \
    F(L, frame_protocol, 10, 2, 0x8000, UINT, FLAG, ANY, 0, 0, NULL, "Ethernet protocol")    \
    F(L, frame_type, 10, 2, 0x7c00, UINT, DEC, ANY, 0, 0, NULL, "frame type")                \
    F(L, hardware_id, 10, 2, 0x03f0, UINT, DEC, ANY, 0, 0, NULL, "hardware id")              \
    F(L, direction, 10, 2, 0x0008, UINT, FLAG, ANY, 0, 0, NULL, "egress")                    \
    F(L, granularity, 10, 2, 0x0006, UINT, DEC, ANY, 0, 0, NULL, "timestamp granularity")    \
    F(L, optional, 10, 2, 0x0001, UINT, FLAG, ANY, 0, 0, NULL, "platform subheader present")
SMC_LAYOUT(erspan3, 12)

#endif
