# Legal variations of the carriers: file formats, link types, tags, tunnels, snap lengths, time, noise.
# SPDX-License-Identifier: BSD-3-Clause
import struct

import pcapio
from bases import DERIVED, FILES
from packet import internet_sum
from pcapio import Record, pcap_bytes, pcapng_bytes
from registry import variation

COMMON = ("v1-a", "v2-g", "v2-f3", "v1-i", "d-a")


# -- file formats --------------------------------------------------------------------------------------------------------

def file_format(name, write):
    def change(s):
        return write(s.records())
    change.__name__ = name
    variation(*COMMON)(change)


file_format("pcap_nanoseconds", lambda r: pcap_bytes([Record(x.ts_ns + 123, x.data, x.orig_len) for x in r], nano=True))
file_format("pcap_big_endian", lambda r: pcap_bytes(r, order=">"))
file_format("pcap_big_endian_nanoseconds", lambda r: pcap_bytes(r, order=">", nano=True))
file_format("pcap_snaplen_0", lambda r: pcap_bytes(r, snaplen=0))
file_format("pcapng_nanoseconds", lambda r: pcapng_bytes(r))
file_format("pcapng_microseconds", lambda r: pcapng_bytes(r, nano=False))
file_format("pcapng_big_endian", lambda r: pcapng_bytes(r, order=">"))
file_format("pcapng_comments", lambda r: pcapng_bytes(r, comments=True))
file_format("pcapng_two_interfaces", lambda r: pcapng_bytes(r, interfaces=2))


# -- link types ----------------------------------------------------------------------------------------------------------

def ethertype(data):
    return struct.unpack_from(">H", data, 12)[0]


def sll(r):
    head = struct.pack(">HHH", 0, 1, 6) + r.data[6:12] + b"\0\0"
    return Record(r.ts_ns, head + r.data[12:], r.orig_len + 2)


def sll2(r):
    head = r.data[12:14] + bytes(2) + struct.pack(">IHBB", 2, 1, 0, 6) + r.data[6:12] + b"\0\0"
    return Record(r.ts_ns, head + r.data[14:], r.orig_len + 6)


def raw_ip(r):
    return Record(r.ts_ns, r.data[14:], r.orig_len - 14)


def null(order, family6):
    def head(r):
        family = 2 if ethertype(r.data) == 0x0800 else family6
        return Record(r.ts_ns, struct.pack(order + "I", family) + r.data[14:], r.orig_len - 10)
    return head


def ip_only(records):
    return [r for r in records if ethertype(r.data) in (0x0800, 0x86DD)]


def link_type(name, link, head, order="<", only_ip=True):
    file_format(name, lambda r: pcap_bytes([head(x) for x in (ip_only(r) if only_ip else r)], link, order=order))


link_type("link_sll", pcapio.LINK_SLL, sll, only_ip=False)
link_type("link_sll2", pcapio.LINK_SLL2, sll2, only_ip=False)
link_type("link_raw_ip", pcapio.LINK_RAW, raw_ip)
link_type("link_null_little_endian", pcapio.LINK_NULL, null("<", 30))
link_type("link_null_big_endian", pcapio.LINK_NULL, null(">", 24), order=">")
link_type("link_null_freebsd", pcapio.LINK_NULL, null("<", 28))


# -- tags, padding, tunnels ----------------------------------------------------------------------------------------------

def every(name, change, bases=COMMON):
    """A variation that changes the bytes of every frame."""
    def variant(s):
        out = []
        for r in s.records():
            data = change(r.data)
            out.append(Record(r.ts_ns, data, r.orig_len + len(data) - len(r.data)))
        return pcap_bytes(out)
    variant.__name__ = name
    variation(*bases)(variant)


def tag(*tags):
    return lambda data: data[:12] + b"".join(struct.pack(">HH", kind, tci) for kind, tci in tags) + data[12:]


every("vlan", tag((0x8100, 100)))
every("vlan_priority_only", tag((0x8100, 0xA000)))
every("qinq", tag((0x88A8, 200), (0x8100, 100)))
every("double_vlan", tag((0x8100, 200), (0x8100, 100)))
every("padded_to_60", lambda data: data.ljust(60, b"\0"))
every("ethernet_fcs_kept", lambda data: data + b"\xde\xad\xbe\xef")
every("other_mac_addresses", lambda data: b"\x02\0\0\0\0\1\x02\0\0\0\0\2" + data[12:])

OUTER_MAC = b"\x02\0\0\0\x99\1\x02\0\0\0\x99\2"


def outer4(proto, body):
    ip = bytearray(struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 7, 0, 64, proto, 0) + bytes([192, 0, 2, 1, 192, 0, 2, 2]))
    struct.pack_into(">H", ip, 10, internet_sum(ip))
    return OUTER_MAC + b"\x08\x00" + bytes(ip) + body


def outer6(proto, body):
    address = b"\x20\1\x0d\xb8" + bytes(11)
    return OUTER_MAC + b"\x86\xdd" + struct.pack(">IHBB", 6 << 28, len(body), proto, 64) + address + b"\1" + address + b"\2" + body


def udp(port, body):
    return struct.pack(">HHHH", 49152, port, 8 + len(body), 0) + body


def vxlan(data):
    return udp(4789, struct.pack(">BxxxI", 8, 77 << 8) + data)


def erspan2(data):
    return struct.pack(">HHI", 0x1000, 100, 0) + data


def erspan3(data):
    return struct.pack(">HHIHH", 0x2000, 100, 0x12345678, 0, 0) + data


every("vxlan", lambda data: outer4(17, vxlan(data)))
every("vxlan_ipv6", lambda data: outer6(17, vxlan(data)))
every("vxlan_in_vlan", lambda data: tag((0x8100, 5))(outer4(17, vxlan(data))))
every("gre_ethernet", lambda data: outer4(47, b"\0\0\x65\x58" + data))
every("gre_key_and_sequence", lambda data: outer4(47, b"\x30\0\x65\x58" + bytes(3) + b"\7" + bytes(4) + data))
every("gre_checksum", lambda data: outer4(47, b"\x80\0\x65\x58" + bytes(4) + data))
every("gre_ip", lambda data: outer4(47, b"\0\0" + data[12:]) if ethertype(data) in (0x0800, 0x86DD) else data)
every("erspan_1", lambda data: outer4(47, b"\0\0\x88\xbe" + data))
every("erspan_2", lambda data: outer4(47, b"\x10\0\x88\xbe" + bytes(4) + erspan2(data)))
every("erspan_3", lambda data: outer4(47, b"\x10\0\x22\xeb" + bytes(4) + erspan3(data)))


# -- snap lengths and time -----------------------------------------------------------------------------------------------

def snap(size):
    def change(s):
        return pcap_bytes([Record(r.ts_ns, r.data[:size], r.orig_len) for r in s.records()], snaplen=size)
    change.__name__ = f"snaplen_{size}"
    variation("v1-a", "v2-g", "v1-b2", "v2-c2", "v2-g2", "v2-f3", "d-a", "v1-e3", "v2-k")(change)


for limit in (54, 68, 90, 96, 128, 160, 200, 256, 1000):
    snap(limit)


@variation("v1-a", "v2-g", "v2-c2")
def ten_years_later(s):
    for frame in s.frames:
        frame.ts_ns += 10 * 365 * 86400 * 10**9


@variation("v1-a", "v2-g", "v2-c2")
def time_from_zero(s):
    start = s.frames[0].ts_ns
    for frame in s.frames:
        frame.ts_ns -= start


@variation("v1-a", "v2-g2", "v1-e3")
def slower_by_half(s):
    start = s.frames[0].ts_ns
    for frame in s.frames:
        frame.ts_ns += (frame.ts_ns - start) // 2


@variation("v1-g", "v1-g6", "v2-g2", "v2-g", in_order=False)
def sorted_by_time(s):
    s.sort()


@variation(*FILES, in_order=False)
def repaired_without_a_change(s):
    for frame in s.frames:
        frame.touch()


@variation(*DERIVED)
def derived_bases(s):
    """What other mutations start from must be without a finding itself."""


# -- noise ---------------------------------------------------------------------------------------------------------------

ARP = b"\xff" * 6 + b"\x52\x54\0\0\x0a\1\x08\x06\0\1\x08\0\6\4\0\1\x52\x54\0\0\x0a\1\x0a\0\0\1" + bytes(6) + b"\x0a\0\0\2"
LLDP = b"\x01\x80\xc2\0\0\x0e\x52\x54\0\0\x0a\1\x88\xcc\x02\x07\4\x52\x54\0\0\x0a\1\x04\2\7\x31\x06\2\0\x78\0\0"
PAUSE = b"\x01\x80\xc2\0\0\1\x52\x54\0\0\x0a\1\x88\x08\0\1\xff\xff" + bytes(42)
PFC = b"\x01\x80\xc2\0\0\1\x52\x54\0\0\x0a\1\x88\x08\1\1\0\x08" + bytes(6) + b"\xff\xff" + bytes(36)
DNS = outer4(17, udp(53, b"\x12\x34\1\0\0\1\0\0\0\0\0\0\3www\7example\0\0\1\0\1"))
RUNT = b"\x52\x54\0\0\x0a\1"
BAD_ROCE = outer4(17, udp(4791, b"\x04\x40"))
FRAGMENT = outer4(17, bytes(64))[:20] + b"\x20\x10" + outer4(17, bytes(64))[22:]
CNP = outer4(17, udp(4791, b"\x81\x40\xff\xff\0\0\x44\x44\0\0\0\0" + bytes(16) + bytes(4)))
READ = outer4(17, udp(4791, b"\x0c\x40\xff\xff\0\0\x55\x55\x80\0\0\1" + bytes(16) + bytes(4)))


def noise(name, *packets):
    def change(s):
        out = []
        for number, r in enumerate(s.records()):
            out += [r, Record(r.ts_ns, packets[number % len(packets)])]
        return pcap_bytes(out)
    change.__name__ = "noise_" + name
    variation("v1-a", "v2-g", "v2-f3")(change)


noise("arp", ARP)
noise("lldp", LLDP)
noise("pause", PAUSE, PFC)
noise("dns", DNS)
noise("runts", RUNT, b"\0" * 14, b"")
noise("malformed_roce", BAD_ROCE, CNP, READ)
noise("fragments", FRAGMENT)
noise("mixed", ARP, LLDP, PAUSE, DNS, RUNT, BAD_ROCE, FRAGMENT, PFC)
