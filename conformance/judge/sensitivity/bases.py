# The captures that mutations start from: short names, and three scenes derived from real ones.
# SPDX-License-Identifier: BSD-3-Clause
"""v1-… SMC-R as RFC 7609 has it, v2-… SMC-Rv2, d-… SMC-Dv2. lab-f: two stacks of this project, a failover whose F names a number that
was acknowledged just before (the completions were delayed). Derived: rfc-a (v1-a in the RFC's own form: 52-byte Proposal, eyecatcher),
d1-a (d-a with an SMC-D v1 handshake), dd-a (d-a with its data path in records of the local EtherType)."""

import os

from messages import SMCD, SMCR, rfc_proposal
from packet import u32
from scene import Scene, cdc_fields

CAPTURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "traces", "captures")
FILES = {
    "v1-a": "6.12.107-smclo-v1pure-a-first-contact", "v1-b2": "6.12.107-smclo-v1pure-b2-sizes",
    "v1-d2": "6.12.107-smclo-v1pure-d2-half-close-peer-sends", "v1-e3": "6.12.107-smclo-v1pure-e3-close-with-unread",
    "v1-g": "6.12.107-smclo-v1pure-g-two-links-add-link", "v1-g6": "6.12.107-smclo-v1pure-g6-failover-delete-rxe1",
    "v1-i": "6.12.107-smclo-v1pure-i-ipv6", "v1-j": "6.12.107-smclo-v1pure-j-first-contact-testlink",
    "v2-a": "6.12.107-v2-a-first-contact", "v2-b": "6.12.107-v2-b-subsequent-contact", "v2-c": "6.12.107-v2-c-bulk-4MB-snap160",
    "v2-c2": "6.12.107-v2-c2-slow-reader-300kB", "v2-d": "6.12.107-v2-d-half-close", "v2-f1": "6.12.107-v2-f1-server-plain-tcp",
    "v2-f3": "6.12.107-v2-f3-decline-no-device-server", "v2-f5": "6.12.107-v2-f5-decline-eid-mismatch",
    "v2-g": "6.12.107-v2-g-two-links-add-link", "v2-g2": "6.12.107-v2-g2-failover-server-link-down", "v2-e1": "7.3.4-smclo-v2-e1-linger0",
    "v2-e4": "7.3.4-smclo-v2-e4-lgr-terminate-active", "v2-k": "7.3.4-smclo-v2-k-urgent", "v2-6.1": "6.1.192-v2-a-clc-only-then-hang",
    "d-a": "7.3.4-smclo-smcd-a-first-contact", "d-d": "7.3.4-smclo-smcd-d-half-close", "d-f5": "7.3.4-smclo-smcd-f5-no-eid",
}
_loaded = {}


def path(name):
    return os.path.join(CAPTURES, FILES[name] + ".pcap")


def captured(name):
    """The scene as it was captured."""
    if name not in _loaded:
        _loaded[name] = Scene.load(path(name))
    return _loaded[name].copy()


def _rfc_a():
    s = captured("v1-a")

    def proposal(m):
        return rfc_proposal(bytes(m[8:16]), bytes(m[16:32]), bytes(m[32:38]))
    s.edit_clc(1, proposal)
    for frame in s.llc(1):
        s.poke(frame, 3, frame.payload[3] & 0x80)
    for frame in s.cdc():
        _, _, prod, cons, _, _ = cdc_fields(frame)
        s.set_cdc(frame, prod=(prod[0], prod[1] + 4), cons=(cons[0], cons[1] + 4))

    def move(f):
        f.va = f.va + 4
    for frame in s.writes():
        s.edit(frame, move)
    return s


def _d1_a():
    s = captured("d-a")

    def proposal(m):
        p = bytearray(SMCR + b"\x01\x00\x5c\x29") + bytes(30) + b"\x00\x28"
        p += b"\x11\x22\x33\x44\x55\x66\x77\x88" + b"\x07\xc0" + bytes(30)
        return p + bytes([127, 0, 0, 0, 8, 0, 0, 0]) + SMCR

    def answer(gid):
        def build(m):
            return bytearray(SMCD + bytes([m[4], 0, 48, 0x19]) + gid + m[16:24] + m[24:32] + bytes(12) + SMCD)
        return build
    s.edit_clc(1, proposal)
    s.edit_clc(2, answer(b"\x99\xaa\xbb\xcc\xdd\xee\xff\x01"))
    s.edit_clc(3, answer(b"\x11\x22\x33\x44\x55\x66\x77\x88"))
    return s


def _dd_a():
    from smcd_record import with_data_path
    return with_data_path(captured("d-a"))


def _lab_f():
    return Scene.load(os.path.join(CAPTURES, "..", "campaign", "FAILOVER-002-completions-delayed.pcap"))


DERIVED = {"rfc-a": _rfc_a, "d1-a": _d1_a, "dd-a": _dd_a, "lab-f": _lab_f}


def load(name):
    """The scene that a mutation gets: in the order of time, which two of the captures are not quite."""
    scene = DERIVED[name]() if name in DERIVED else captured(name)
    scene.sort()
    return scene


def peer_id(scene, kind, conn=0):
    return bytes(scene.clc(kind, conn).payload[8:16])


def rkey_of(scene, kind, conn=0):
    """(rkey, address) that an SMC-R Accept or Confirm announces"""
    m = scene.clc(kind, conn).payload
    return u32(m, 41), int.from_bytes(m[52:60], "big")
