# Takes captured frames apart and puts them together again, with every length, checksum and ICRC repaired.
# SPDX-License-Identifier: BSD-3-Clause
"""An independent second reading of the carriers (Ethernet, IP, TCP, UDP, RoCEv2): only struct and zlib are used.

A Frame keeps the captured bytes and hands them back unchanged unless it was touched (`dirty`). A touched frame is rebuilt from its
parts; `keep` names what the rebuild must leave wrong ("icrc", "tcpsum", "ipsum", "len").
"""

import struct
import zlib

ETH_IP4, ETH_IP6, ETH_VLAN, ETH_QINQ = 0x0800, 0x86DD, 0x8100, 0x88A8
ROCE_PORT = 4791

# RC operations (the low five bits of the BTH opcode; the high three are 000 for RC)
SEND_FIRST, SEND_MIDDLE, SEND_LAST, SEND_LAST_IMM, SEND_ONLY, SEND_ONLY_IMM = 0, 1, 2, 3, 4, 5
WRITE_FIRST, WRITE_MIDDLE, WRITE_LAST, WRITE_LAST_IMM, WRITE_ONLY, WRITE_ONLY_IMM = 6, 7, 8, 9, 10, 11
READ_REQUEST, ACKNOWLEDGE = 12, 17
HAS_RETH = {WRITE_FIRST, WRITE_ONLY, WRITE_ONLY_IMM, READ_REQUEST}
HAS_IMM = {SEND_LAST_IMM, SEND_ONLY_IMM, WRITE_LAST_IMM, WRITE_ONLY_IMM}
SENDS = {SEND_FIRST, SEND_MIDDLE, SEND_LAST, SEND_LAST_IMM, SEND_ONLY, SEND_ONLY_IMM}
WRITES = {WRITE_FIRST, WRITE_MIDDLE, WRITE_LAST, WRITE_LAST_IMM, WRITE_ONLY, WRITE_ONLY_IMM}

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


def u16(data, at):
    return struct.unpack_from(">H", data, at)[0]


def u24(data, at):
    return int.from_bytes(data[at:at + 3], "big")


def u32(data, at):
    return struct.unpack_from(">I", data, at)[0]


def u64(data, at):
    return struct.unpack_from(">Q", data, at)[0]


def put(data, at, value, size):
    """Writes an unsigned big-endian integer of `size` bytes into a bytearray."""
    data[at:at + size] = (value % (1 << 8 * size)).to_bytes(size, "big")


def internet_sum(data):
    if len(data) % 2:
        data = bytes(data) + b"\0"
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def icrc(ip, udp, bth, rest):
    """The invariant CRC of RoCEv2: fields that a router or a NIC may change count as all ones."""
    ip, udp, bth = bytearray(ip), bytearray(udp), bytearray(bth)
    if ip[0] >> 4 == 4:
        ip[1] = ip[8] = ip[10] = ip[11] = 0xFF
    else:
        ip[0] = 0x6F
        ip[1] = ip[2] = ip[3] = ip[7] = 0xFF
    udp[6] = udp[7] = 0xFF
    bth[4] = 0xFF
    return struct.pack("<I", zlib.crc32(b"\xff" * 8 + bytes(ip) + bytes(udp) + bytes(bth) + bytes(rest)))


class Frame:
    """One frame. kind is "tcp", "roce" or "other"; only the parts of that kind are set."""

    def __init__(self, ts_ns, raw, orig_len=None):
        self.ts_ns = ts_ns
        self.raw = bytes(raw)
        self.orig_len = len(self.raw) if orig_len is None else orig_len
        self.cut = self.orig_len > len(self.raw)
        self.kind = "other"
        self.dirty = False
        self.keep = set()
        self.dup = False
        self._parse()

    # -- taking apart ----------------------------------------------------------------------------------------------------

    def _parse(self):
        raw, at = self.raw, 12
        kind = u16(raw, at) if len(raw) >= 14 else 0
        while kind in (ETH_VLAN, ETH_QINQ):
            at += 4
            kind = u16(raw, at)
        self.l2 = bytearray(raw[:at + 2])
        at += 2
        if kind == ETH_IP4:
            size, total = 4 * (raw[at] & 15), u16(raw, at + 2)
            proto = raw[at + 9]
        elif kind == ETH_IP6:
            size, total = 40, 40 + u16(raw, at + 4)
            proto = raw[at + 6]
        else:
            return
        self.ip = bytearray(raw[at:at + size])
        body = raw[at + size:at + total]
        self.pad = raw[at + total:]
        if proto == 6:
            self._parse_tcp(body)
        elif proto == 17 and u16(body, 2) == ROCE_PORT:
            self._parse_roce(body)

    def _parse_tcp(self, body):
        size = 4 * (body[12] >> 4)
        self.tcp, self.payload = bytearray(body[:size]), bytearray(body[size:])
        self.missing = max(0, self.orig_len - len(self.raw)) if self.cut else 0
        self.kind = "tcp"
        # A capture on lo holds the pseudo header's sum only: checksum offload left the rest to a NIC that never came.
        self.offloaded = u16(body, 16) == ~internet_sum(self._pseudo(6, len(body))) & 0xFFFF

    def _parse_roce(self, body):
        self.udp, self.bth = bytearray(body[:8]), bytearray(body[8:20])
        op, at = self.bth[0], 20
        size = 16 if op in HAS_RETH else 4 if op == ACKNOWLEDGE else 0
        size += 4 if op in HAS_IMM else 0
        self.ext = bytearray(body[at:at + size])
        rest = body[at + size:]
        if self.cut:
            self.payload, self.icrc = bytearray(rest), b""
        else:
            self.icrc = rest[-4:]
            pads = self.bth[1] >> 4 & 3
            self.payload = bytearray(rest[:len(rest) - 4 - pads])
            self.padding = rest[len(rest) - 4 - pads:-4]
        self.kind = "roce"

    # -- putting together ------------------------------------------------------------------------------------------------

    def touch(self):
        self.dirty = True
        return self

    def build(self):
        if not self.dirty:
            return self.raw
        if self.kind == "tcp":
            body = self._build_tcp()
        elif self.kind == "roce":
            body = self._build_roce()
        else:
            return self.raw
        return bytes(self.l2) + bytes(self.ip) + body + self.pad

    def wire_len(self, built):
        return self.orig_len if self.cut else len(built)

    def _repair_ip(self, size):
        if "len" not in self.keep and not self.cut:
            if self.v6:
                put(self.ip, 4, size, 2)
            else:
                put(self.ip, 2, len(self.ip) + size, 2)
        if not self.v6 and "ipsum" not in self.keep:
            put(self.ip, 10, 0, 2)
            put(self.ip, 10, internet_sum(self.ip), 2)

    def _pseudo(self, proto, size):
        if self.v6:
            return bytes(self.ip[8:40]) + struct.pack(">II", size, proto)
        return bytes(self.ip[12:20]) + struct.pack(">HH", proto, size)

    def _build_tcp(self):
        self.tcp[12] = (len(self.tcp) // 4) << 4 | self.tcp[12] & 15
        size = len(self.tcp) + len(self.payload)
        self._repair_ip(size)
        if "tcpsum" not in self.keep and not self.cut:
            put(self.tcp, 16, 0, 2)
            pseudo = self._pseudo(6, size)
            full = internet_sum(pseudo + bytes(self.tcp) + bytes(self.payload))
            put(self.tcp, 16, ~internet_sum(pseudo) if self.offloaded else full, 2)
        return bytes(self.tcp) + bytes(self.payload)

    def _build_roce(self):
        if self.cut:
            self._repair_ip(0)
            return bytes(self.udp + self.bth + self.ext + self.payload)
        pads = -len(self.payload) % 4
        if len(self.padding) != pads:
            self.padding = bytes(pads)
        self.bth[1] = self.bth[1] & 0xCF | pads << 4
        rest = bytes(self.ext + self.payload) + self.padding
        size = 8 + 12 + len(rest) + 4
        self._repair_ip(size)
        if "len" not in self.keep:
            put(self.udp, 4, size, 2)
        had_sum = u16(self.udp, 6) != 0
        put(self.udp, 6, 0, 2)
        if "icrc" not in self.keep:
            self.icrc = icrc(self.ip, self.udp, self.bth, rest)
        body = bytes(self.bth) + rest + self.icrc
        if had_sum:
            put(self.udp, 6, internet_sum(self._pseudo(17, size) + bytes(self.udp) + body) or 0xFFFF, 2)
        return bytes(self.udp) + body

    # -- names for the parts ---------------------------------------------------------------------------------------------

    @property
    def v6(self):
        return self.ip[0] >> 4 == 6

    @property
    def src(self):
        return bytes(self.ip[8:24] if self.v6 else self.ip[12:16])

    @property
    def dst(self):
        return bytes(self.ip[24:40] if self.v6 else self.ip[16:20])

    @property
    def sport(self):
        return u16(self.tcp, 0)

    @property
    def dport(self):
        return u16(self.tcp, 2)

    @property
    def seq(self):
        return u32(self.tcp, 4)

    @seq.setter
    def seq(self, value):
        put(self.tcp, 4, value, 4)
        self.dirty = True

    @property
    def ack(self):
        return u32(self.tcp, 8)

    @ack.setter
    def ack(self, value):
        put(self.tcp, 8, value, 4)
        self.dirty = True

    @property
    def flags(self):
        return self.tcp[13]

    @flags.setter
    def flags(self, value):
        self.tcp[13] = value
        self.dirty = True

    @property
    def span(self):
        """Sequence space the segment takes, with what a short snap length cut off."""
        return len(self.payload) + self.missing + (1 if self.flags & SYN else 0) + (1 if self.flags & FIN else 0)

    @property
    def op(self):
        return self.bth[0]

    @property
    def qpn(self):
        return u24(self.bth, 5)

    @property
    def psn(self):
        return u24(self.bth, 9)

    @psn.setter
    def psn(self, value):
        put(self.bth, 9, value, 3)
        self.dirty = True

    @property
    def msn(self):
        return u24(self.ext, 1)

    @msn.setter
    def msn(self, value):
        put(self.ext, 1, value, 3)
        self.dirty = True

    @property
    def is_ack(self):
        return self.kind == "roce" and self.op == ACKNOWLEDGE

    @property
    def is_request(self):
        return self.kind == "roce" and self.op in SENDS | WRITES

    @property
    def va(self):
        return u64(self.ext, 0)

    @va.setter
    def va(self, value):
        put(self.ext, 0, value, 8)
        self.dirty = True

    @property
    def rkey(self):
        return u32(self.ext, 8)

    @rkey.setter
    def rkey(self, value):
        put(self.ext, 8, value, 4)
        self.dirty = True

    @property
    def dma_len(self):
        return u32(self.ext, 12)

    @dma_len.setter
    def dma_len(self, value):
        put(self.ext, 12, value, 4)
        self.dirty = True
