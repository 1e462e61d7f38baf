# Test: the ICRC routine of the generator gives the ICRC of every uncut RoCEv2 packet that a real kernel sent.
# SPDX-License-Identifier: BSD-3-Clause
"""The same masks serve RoCEv1, whose GRH has the layout of an IPv6 header; no real RoCEv1 capture is at hand."""

import pathlib
import struct
import sys

import frames as fr

CAPTURES = pathlib.Path(__file__).resolve().parent.parent / "captures"


def packets(path):
    data = path.read_bytes()
    order = "<" if data[0] in (0xD4, 0x4D) else ">"
    at = 24
    while at < len(data):
        kept, length = struct.unpack(order + "II", data[at + 8:at + 16])
        at += 16 + kept
        if kept == length:
            yield data[at - kept:at]


def rebuilt(frame):
    """The frame as the generator writes it, from the addresses and the bytes between UDP header and ICRC; None: not RoCEv2."""
    kind = int.from_bytes(frame[12:14], "big")
    if kind == fr.ETH_IPV4 and frame[23] == 17:
        head, end = 34, 14 + int.from_bytes(frame[16:18], "big")
        src, dst, ident, ttl = frame[26:30], frame[30:34], int.from_bytes(frame[18:20], "big"), frame[22]
    elif kind == fr.ETH_IPV6 and frame[20] == 17:
        head, end = 54, 54 + int.from_bytes(frame[18:20], "big")
        src, dst, ttl = frame[22:38], frame[38:54], frame[21]
    else:
        return None
    sport, dport = struct.unpack(">HH", frame[head:head + 4])
    if dport != fr.ROCE_PORT:
        return None
    packet = frame[head + 8:end - 4]
    if kind == fr.ETH_IPV4:
        return fr.roce_v2_ipv4(frame[:6], frame[6:12], src, dst, packet, None, sport, ident, ttl)
    return fr.roce_v2_ipv6(frame[:6], frame[6:12], src, dst, packet, None, sport, ttl)


def main():
    right = wrong = 0
    for path in sorted(CAPTURES.glob("*.pcap")):
        for frame in packets(path):
            made = rebuilt(frame)
            if made is not None:
                same = made[-4:] == frame[-4:]
                right, wrong = right + same, wrong + (not same)
    print(f"{right} packets with the same ICRC, {wrong} with another")
    return 1 if wrong or right < 2000 else 0


sys.exit(main())
