# The stage of the synthetic captures: virtual time, hosts and their NICs, TCP connections and RC queue pairs that emit frames.
# SPDX-License-Identifier: BSD-3-Clause
"""A script calls methods in the order in which the frames pass the capture point. Side "c" is the client, "s" the server."""

import hashlib
import struct
import zlib

import frames as fr
import messages as msg


def other(side):
    return "s" if side == "c" else "c"


def pattern(length, start=0):
    """Application bytes that show a shift or a hole: byte i is (start + i) mod 251."""
    return bytes((start + i) % 251 for i in range(length))


class World:
    """One capture: a clock, a random stream seeded by the name, the frames so far and what each connection carried."""

    def __init__(self, name, nano=True, order="<", vlan=None, pad=False):
        self.name, self.nano, self.order, self.vlan, self.pad = name, nano, order, vlan, pad
        self.now = 1_600_000_000 * 10**9 + zlib.crc32(name.encode()) % 10**9
        self.state = zlib.crc32(name.encode()) or 1
        self.frames, self.streams = [], []
        self.ident = 0x1000

    def rand(self, bits):
        """xorshift32, so that the same name gives the same file everywhere."""
        value = 0
        for _ in range(0, bits, 16):
            self.state ^= self.state << 13 & 0xFFFFFFFF
            self.state ^= self.state >> 17
            self.state ^= self.state << 5 & 0xFFFFFFFF
            value = value << 16 | self.state >> 8 & 0xFFFF
        return value & (1 << bits) - 1

    def pause(self, microseconds):
        self.now += microseconds * 1000

    def emit(self, frame):
        if self.pad and len(frame) < 60:
            frame = frame.ljust(60, b"\0")
        self.frames.append((self.now, frame))
        self.now += 2000 + self.rand(14) % 9000

    def next_ident(self):
        self.ident = self.ident + 1 & 0xFFFF
        return self.ident

    def stream(self, client, server):
        entry = {"client": client, "server": server, "c2s": bytearray(), "s2c": bytearray()}
        self.streams.append(entry)
        return entry

    def table(self):
        """One row a direction; "unseen" streams (SMC-D without records) have neither length nor digest."""
        rows = []
        for entry in self.streams:
            for direction in ("c2s", "s2c"):
                data = None if "unseen" in entry else bytes(entry[direction])
                rows.append({"file": self.name + ".pcap", "client": entry["client"], "server": entry["server"],
                             "direction": direction, "length": None if data is None else len(data),
                             "sha256": None if data is None else hashlib.sha256(data).hexdigest()})
        return rows

    def pcap(self):
        return fr.pcap(self.frames, self.nano, self.order)

    def arp(self, asker, owner):
        """`asker` asks for the MAC of `owner` (both NICs with IPv4 addresses)."""
        ask = fr.arp(1, asker.mac, asker.ip4, bytes(6), owner.ip4)
        self.emit(fr.ethernet(b"\xff" * 6, asker.mac, fr.ETH_ARP, ask, self.vlan))
        self.emit(fr.ethernet(asker.mac, owner.mac, fr.ETH_ARP, fr.arp(2, owner.mac, owner.ip4, asker.mac, asker.ip4), self.vlan))

    def nd(self, asker, owner, source, target):
        """Neighbour discovery; source and target are IPv6 addresses of the two NICs."""
        group = fr.solicited_node(target)
        ask = fr.ipv6(source, group, 58, fr.neighbour(135, source, group, target, asker.mac), 255)
        self.emit(fr.ethernet(fr.multicast_mac(group), asker.mac, fr.ETH_IPV6, ask, self.vlan))
        tell = fr.ipv6(target, source, 58, fr.neighbour(136, target, source, target, owner.mac), 255)
        self.emit(fr.ethernet(asker.mac, owner.mac, fr.ETH_IPV6, tell, self.vlan))


class Nic:
    """A RoCE adapter: MAC, an optional IPv4 and IPv6 address, and the GID that SMC-R uses on it."""

    def __init__(self, mac, ip4=None, ip6=None, gid=None):
        self.mac = fr.mac(mac)
        self.ip4 = fr.ip(ip4) if ip4 else None
        self.ip6 = fr.ip(ip6) if ip6 else None
        eui = bytes([self.mac[0] ^ 2]) + self.mac[1:3] + b"\xff\xfe" + self.mac[3:]
        self.link_local = bytes.fromhex("fe80000000000000") + eui
        if gid == "ipv4":
            self.gid = bytes(10) + b"\xff\xff" + self.ip4
        else:
            self.gid = self.link_local


class Host:
    def __init__(self, name, instance, nics):
        self.name, self.nics = name, nics
        self.peer_id = struct.pack(">H", instance) + nics[0].mac


def address_text(packed, port):
    import ipaddress
    text = str(ipaddress.ip_address(packed))
    return f"[{text}]:{port}" if ":" in text else f"{text}:{port}"


class Tcp:
    """One TCP connection between the first NICs of two hosts. Every segment with data is acknowledged unless ack=False."""

    def __init__(self, world, client, server, cport, sport=5000, version=4):
        self.world, self.version = world, version
        self.nic = {"c": client.nics[0], "s": server.nics[0]}
        self.port = {"c": cport, "s": sport}
        self.seq = {"c": world.rand(32), "s": world.rand(32)}
        self.got = {"c": 0, "s": 0}
        self.window = {"c": 65535, "s": 64240}
        self.history = {"c": [], "s": []}
        self.stream = world.stream(*(address_text(self.address(x), self.port[x]) for x in "cs"))

    def address(self, side):
        return self.nic[side].ip4 if self.version == 4 else self.nic[side].ip6

    def segment(self, side, flags, payload=b"", options=b"", seq=None, window=None):
        """Emits one segment of `side`; the acknowledgement number is what that side has received so far."""
        peer, start = other(side), self.seq[side] if seq is None else seq
        src, dst = self.address(side), self.address(peer)
        ack = self.got[side] if flags & fr.ACK else 0
        tcp = fr.tcp(src, dst, self.port[side], self.port[peer], start, ack, flags,
                     self.window[side] if window is None else window, options, payload)
        if self.version == 4:
            kind, packet = fr.ETH_IPV4, fr.ipv4(src, dst, 6, tcp, self.world.next_ident())
        else:
            kind, packet = fr.ETH_IPV6, fr.ipv6(src, dst, 6, tcp)
        self.world.emit(fr.ethernet(self.nic[peer].mac, self.nic[side].mac, kind, packet, self.world.vlan))
        if seq is None:
            self.seq[side] += len(payload) + (1 if flags & (fr.SYN | fr.FIN) else 0)
            self.history[side].append((start, flags, payload))

    def take(self, side):
        """`side` has received all that the other side sent."""
        self.got[side] = self.seq[other(side)]

    def handshake(self, client_option=True, server_option=True, repeat_on_ack=False):
        base = b"\x02\x04\x05\xb4" + b"\x01\x03\x03\x07"
        option = lambda yes: base + (msg.TCP_OPTION + b"\x01\x01" if yes else b"")
        self.segment("c", fr.SYN, options=option(client_option))
        self.take("s")
        self.segment("s", fr.SYN | fr.ACK, options=option(server_option))
        self.take("c")
        self.segment("c", fr.ACK, options=msg.TCP_OPTION + b"\x01\x01" if repeat_on_ack else b"")
        self.world.pause(120)

    def ack(self, side):
        self.take(side)
        self.segment(side, fr.ACK)

    def send(self, side, payload, cuts=(), ack=True):
        """Sends bytes in one segment, or in several cut at the given offsets."""
        edges = [0, *cuts, len(payload)]
        for start, end in zip(edges, edges[1:]):
            self.segment(side, fr.PSH | fr.ACK, payload[start:end])
        self.take(other(side))
        if ack:
            self.segment(other(side), fr.ACK)

    def app(self, side, payload, ack=True):
        """Application bytes of a connection that fell back to TCP, at most 1460 a segment."""
        self.stream["c2s" if side == "c" else "s2c"] += payload
        self.send(side, payload, range(1440, len(payload), 1440), ack)

    def retransmit(self, side, index=-1):
        start, flags, payload = self.history[side][index]
        self.segment(side, flags, payload, seq=start)

    def keepalive(self, side):
        """A probe one byte before the next sequence number, and its answer."""
        self.segment(side, fr.ACK, seq=self.seq[side] - 1)
        self.segment(other(side), fr.ACK)

    def fin(self, side, ack=True):
        self.segment(side, fr.FIN | fr.ACK)
        self.take(other(side))
        if ack:
            self.segment(other(side), fr.ACK)

    def close(self, first="c"):
        """Orderly end: FIN, ACK, FIN, ACK."""
        self.fin(first)
        self.fin(other(first))

    def cross_fins(self):
        for side in "cs":
            self.segment(side, fr.FIN | fr.ACK)
        for side in "sc":
            self.ack(side)

    def rst(self, side):
        self.segment(side, fr.RST | fr.ACK)


class RcPair:
    """A reliable connection between two queue pairs. Each side has its own PSN space; `carrier` is "v1", "ipv4" or "ipv6".

    ack: True: acknowledged at once, False: later (one answer may cover several messages), "lost": never arrived,
    None: as ack_each says.
    """

    def __init__(self, world, carrier, cnic, snic, qpn, psn, mtu, ack_each=True):
        self.world, self.carrier, self.mtu, self.ack_each = world, carrier, mtu, ack_each
        self.nic = {"c": cnic, "s": snic}
        self.qpn, self.psn = dict(qpn), dict(psn)
        self.msn = {"c": 0, "s": 0}  # messages each side has received
        self.history = {"c": [], "s": []}

    def frame(self, side, packet):
        a, b, vlan = self.nic[side], self.nic[other(side)], self.world.vlan
        if self.carrier == "v1":
            return fr.roce_v1(b.mac, a.mac, a.gid, b.gid, packet, vlan)
        port = 0xC000 | self.qpn[side] & 0x3FFF
        if self.carrier == "ipv4":
            return fr.roce_v2_ipv4(b.mac, a.mac, a.ip4, b.ip4, packet, vlan, port, self.world.next_ident())
        return fr.roce_v2_ipv6(b.mac, a.mac, a.gid, b.gid, packet, vlan, port)

    def request(self, side, opcode, extension, payload, solicited, ack_request, captured=True):
        pad = -len(payload) % 4
        packet = fr.bth(opcode, self.qpn[other(side)], self.psn[side], solicited, ack_request, pad) + extension + payload + bytes(pad)
        self.history[side].append((self.psn[side], packet))
        if captured:
            self.world.emit(self.frame(side, packet))
        self.psn[side] = self.psn[side] + 1 & 0xFFFFFF

    def message(self, side, opcodes, extension, payload, solicited, captured=True):
        """Cuts a message at the path MTU; opcodes: first, middle, last, only. captured: bool, or the indexes not captured."""
        chunks = [payload[i:i + self.mtu] for i in range(0, len(payload), self.mtu)] or [b""]
        for i, chunk in enumerate(chunks):
            last = i == len(chunks) - 1
            kind = 3 if len(chunks) == 1 else 0 if i == 0 else 2 if last else 1
            seen = captured if isinstance(captured, bool) else i not in captured
            self.request(side, opcodes[kind], extension if i == 0 else b"", chunk, solicited and last, last, seen)

    def send(self, side, payload, ack=None, captured=True):
        """SEND (solicited, without immediate)."""
        self.message(side, (0, 1, 2, 4), b"", payload, True, captured)
        self.done(side, ack)

    def write(self, side, rkey, va, data, ack=None, captured=True):
        """RDMA WRITE without immediate."""
        self.message(side, (6, 7, 8, 10), fr.reth(va, rkey, len(data)), data, False, captured)
        self.done(side, ack)

    def done(self, side, ack):
        if ack is None:
            ack = self.ack_each
        if ack != "lost":
            self.msn[other(side)] = self.msn[other(side)] + 1 & 0xFFFFFF
        if ack is True:
            self.ack(other(side))

    def answer(self, side, syndrome, psn):
        packet = fr.bth(fr.OP_ACK, self.qpn[other(side)], psn) + fr.aeth(syndrome, self.msn[side])
        self.world.emit(self.frame(side, packet))

    def ack(self, side, credits=31, psn=None):
        """`side` acknowledges all it was sent, or all up to `psn`."""
        self.answer(side, credits, self.psn[other(side)] - 1 if psn is None else psn)

    def nak_sequence(self, side, psn):
        """PSN sequence error: `side` expected `psn`."""
        self.answer(side, 0x60, psn)

    def nak_rnr(self, side, psn, timer=5):
        self.answer(side, 0x20 | timer, psn)

    def resend(self, side, first):
        """Sends all packets from PSN `first` on once more, byte for byte the same behind the IP header."""
        numbers = [psn for psn, _ in self.history[side]]
        start = len(numbers) - 1 - numbers[::-1].index(first)
        for _, packet in self.history[side][start:]:
            self.world.emit(self.frame(side, packet))
