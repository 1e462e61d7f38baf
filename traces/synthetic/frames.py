# Byte writers for the carriers of the synthetic captures: Ethernet, ARP, IPv4, IPv6, ICMPv6 ND, TCP, RoCE v1 and v2, pcap.
# SPDX-License-Identifier: BSD-3-Clause
"""Every function returns bytes. Nothing here keeps state, reads a clock or shares code with the C sources.

RoCE: the ICRC is CRC-32 (the polynomial of Ethernet) over eight bytes of ones in place of the LRH, the network header
(GRH, IPv4 or IPv6) and all that follows it, with the fields a router or switch may change set to ones; it travels least
significant byte first.
"""

import ipaddress
import struct
import zlib

ETH_IPV4, ETH_IPV6, ETH_ARP, ETH_VLAN, ETH_ROCE, ETH_SMCD = 0x0800, 0x86DD, 0x0806, 0x8100, 0x8915, 0x88B5
ROCE_PORT = 4791
FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10

OP_SEND_FIRST, OP_SEND_MIDDLE, OP_SEND_LAST, OP_SEND_ONLY = 0x00, 0x01, 0x02, 0x04
OP_WRITE_FIRST, OP_WRITE_MIDDLE, OP_WRITE_LAST, OP_WRITE_ONLY = 0x06, 0x07, 0x08, 0x0A
OP_ACK = 0x11


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def ip(text):
    return ipaddress.ip_address(text).packed


def internet_sum(data):
    """The ones' complement sum of RFC 1071."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def ethernet(dst, src, ethertype, payload, vlan=None):
    tag = b"" if vlan is None else struct.pack(">HH", ETH_VLAN, vlan)
    return dst + src + tag + struct.pack(">H", ethertype) + payload


def arp(operation, sha, spa, tha, tpa):
    return struct.pack(">HHBBH", 1, ETH_IPV4, 6, 4, operation) + sha + spa + tha + tpa


def ipv4(src, dst, protocol, payload, ident=0, ttl=64, tos=0):
    head = struct.pack(">BBHHHBBH", 0x45, tos, 20 + len(payload), ident, 0x4000, ttl, protocol, 0) + src + dst
    return head[:10] + struct.pack(">H", internet_sum(head)) + head[12:] + payload


def ipv6(src, dst, next_header, payload, hop_limit=64, flow=0):
    return struct.pack(">IHBB", 6 << 28 | flow, len(payload), next_header, hop_limit) + src + dst + payload


def upper_sum(src, dst, protocol, segment):
    """Checksum of a TCP, UDP or ICMPv6 segment with the pseudo header of its IP version."""
    if len(src) == 4:
        pseudo = src + dst + struct.pack(">BBH", 0, protocol, len(segment))
    else:
        pseudo = src + dst + struct.pack(">II", len(segment), protocol)
    return internet_sum(pseudo + segment)


def tcp(src, dst, sport, dport, seq, ack, flags, window, options=b"", payload=b""):
    head = struct.pack(">HHIIBBHHH", sport, dport, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, (20 + len(options)) // 4 << 4,
                       flags, window, 0, 0)
    segment = head + options + payload
    return segment[:16] + struct.pack(">H", upper_sum(src, dst, 6, segment)) + segment[18:]


def neighbour(kind, src, dst, target, lladdr):
    """ICMPv6 neighbour solicitation (135) or advertisement (136), one link-layer address option."""
    flags, option = (0, 1) if kind == 135 else (0x60000000, 2)
    body = struct.pack(">BBHI", kind, 0, 0, flags) + target + bytes([option, 1]) + lladdr
    return body[:2] + struct.pack(">H", upper_sum(src, dst, 58, body)) + body[4:]


def solicited_node(address):
    return bytes.fromhex("ff0200000000000000000001ff") + address[-3:]


def multicast_mac(address):
    return b"\x33\x33" + address[-4:]


def bth(opcode, dest_qp, psn, solicited=False, ack_request=False, pad=0, migration=True):
    flags = (0x80 if solicited else 0) | (0x40 if migration else 0) | pad << 4
    return struct.pack(">BBHII", opcode, flags, 0xFFFF, dest_qp & 0xFFFFFF,
                       (0x80000000 if ack_request else 0) | psn & 0xFFFFFF)


def reth(va, rkey, length):
    return struct.pack(">QII", va, rkey, length)


def aeth(syndrome, msn):
    return struct.pack(">I", syndrome << 24 | msn & 0xFFFFFF)


def icrc(masked):
    return struct.pack("<I", zlib.crc32(b"\xff" * 8 + masked))


def mask_bth(packet):
    return packet[:4] + b"\xff" + packet[5:]


def mask_v6(head):
    """Traffic class, flow label and hop limit of a GRH or IPv6 header become ones."""
    return bytes([head[0] | 0x0F]) + b"\xff\xff\xff" + head[4:7] + b"\xff" + head[8:]


def roce_v1(dst_mac, src_mac, sgid, dgid, packet, vlan=None, hop_limit=1):
    """BTH and what follows it, without ICRC, behind a GRH in an Ethernet frame of type 0x8915."""
    grh = struct.pack(">IHBB", 6 << 28, len(packet) + 4, 0x1B, hop_limit) + sgid + dgid
    return ethernet(dst_mac, src_mac, ETH_ROCE, grh + packet + icrc(mask_v6(grh) + mask_bth(packet)), vlan)


def roce_v2_ipv4(dst_mac, src_mac, src, dst, packet, vlan=None, sport=0xC000, ident=0, ttl=1):
    """Over UDP and IPv4; the UDP checksum is zero (not used)."""
    udp = struct.pack(">HHHH", sport, ROCE_PORT, 8 + len(packet) + 4, 0)
    head = ipv4(src, dst, 17, udp + packet + b"\0\0\0\0", ident, ttl)[:20]
    masked = head[:1] + b"\xff" + head[2:8] + b"\xff" + head[9:10] + b"\xff\xff" + head[12:]
    tail = udp + packet + icrc(masked + udp[:6] + b"\xff\xff" + mask_bth(packet))
    return ethernet(dst_mac, src_mac, ETH_IPV4, head + tail, vlan)


def roce_v2_ipv6(dst_mac, src_mac, src, dst, packet, vlan=None, sport=0xC000, hop_limit=1):
    """Over UDP and IPv6, with a UDP checksum (IPv6 has no zero)."""
    udp = struct.pack(">HHHH", sport, ROCE_PORT, 8 + len(packet) + 4, 0)
    head = ipv6(src, dst, 17, udp + packet + b"\0\0\0\0", hop_limit)[:40]
    tail = udp + packet + icrc(mask_v6(head) + udp[:6] + b"\xff\xff" + mask_bth(packet))
    check = upper_sum(src, dst, 17, tail) or 0xFFFF
    return ethernet(dst_mac, src_mac, ETH_IPV6, head + tail[:6] + struct.pack(">H", check) + tail[8:], vlan)


def pcap(frames, nano=True, order="<", snaplen=262144):
    """frames: list of (time in ns, bytes)."""
    out = [struct.pack(order + "IHHiIII", 0xA1B23C4D if nano else 0xA1B2C3D4, 2, 4, 0, 0, snaplen, 1)]
    for time_ns, data in frames:
        fraction = time_ns % 10**9
        out.append(struct.pack(order + "IIII", time_ns // 10**9, fraction if nano else fraction // 1000, len(data), len(data)))
        out.append(data)
    return b"".join(out)
