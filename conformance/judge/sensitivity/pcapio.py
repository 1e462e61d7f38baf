# Reads and writes captures for the sensitivity corpus: pcap in both byte orders and resolutions, and pcapng for writing.
# SPDX-License-Identifier: BSD-3-Clause
"""The judge's readers are under test here, so nothing of them is used: the formats are parsed again, from their published layouts."""

import struct

LINK_NULL, LINK_ETHERNET, LINK_RAW, LINK_SLL, LINK_SLL2 = 0, 1, 101, 113, 276
MAGIC_US, MAGIC_NS = 0xA1B2C3D4, 0xA1B23C4D


class Record:
    """One captured packet: time in nanoseconds, the bytes that were kept, and the length it had on the wire."""

    __slots__ = ("ts_ns", "data", "orig_len")

    def __init__(self, ts_ns, data, orig_len=None):
        self.ts_ns = ts_ns
        self.data = bytes(data)
        self.orig_len = len(self.data) if orig_len is None else orig_len


def read_pcap(path):
    """Returns (link type, snap length, [Record])."""
    with open(path, "rb") as file:
        blob = file.read()
    for order in "<>":
        magic = struct.unpack_from(order + "I", blob)[0]
        if magic in (MAGIC_US, MAGIC_NS):
            break
    else:
        raise ValueError(f"{path}: not a pcap file")
    scale = 1 if magic == MAGIC_NS else 1000
    snaplen, link = struct.unpack_from(order + "II", blob, 16)
    records, at = [], 24
    while at < len(blob):
        sec, frac, kept, orig = struct.unpack_from(order + "IIII", blob, at)
        at += 16
        records.append(Record(sec * 10**9 + frac * scale, blob[at:at + kept], orig))
        at += kept
    return link, snaplen, records


def pcap_bytes(records, link=LINK_ETHERNET, snaplen=262144, nano=False, order="<"):
    """A whole pcap file; times finer than its resolution are cut off."""
    out = [struct.pack(order + "IHHiIII", MAGIC_NS if nano else MAGIC_US, 2, 4, 0, 0, snaplen, link)]
    scale = 1 if nano else 1000
    for record in records:
        sec, ns = divmod(record.ts_ns, 10**9)
        out.append(struct.pack(order + "IIII", sec, ns // scale, len(record.data), record.orig_len))
        out.append(record.data)
    return b"".join(out)


def _block(kind, body, order):
    body += bytes(-len(body) % 4)
    size = 12 + len(body)
    return struct.pack(order + "II", kind, size) + body + struct.pack(order + "I", size)


def pcapng_bytes(records, link=LINK_ETHERNET, order="<", nano=True, comments=False, interfaces=1):
    """A pcapng file: one section, `interfaces` alike interfaces used in turn, optionally a comment on every packet."""
    out = [_block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)]
    resolution = struct.pack(order + "HH", 9, 1) + bytes([9 if nano else 6, 0, 0, 0]) + struct.pack(order + "HH", 0, 0)
    for _ in range(interfaces):
        out.append(_block(1, struct.pack(order + "HHI", link, 0, 0) + resolution, order))
    note = b"seen"
    option = struct.pack(order + "HH", 1, len(note)) + note + struct.pack(order + "HH", 0, 0) if comments else b""
    for index, record in enumerate(records):
        ticks = record.ts_ns if nano else record.ts_ns // 1000
        data = record.data + bytes(-len(record.data) % 4)
        head = struct.pack(order + "IIIII", index % interfaces, ticks >> 32, ticks & 0xFFFFFFFF, len(record.data), record.orig_len)
        out.append(_block(6, head + data + option, order))
    return b"".join(out)
