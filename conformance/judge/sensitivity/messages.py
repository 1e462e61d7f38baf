# Builders of CLC and LLC messages for what a mutation has to add to a capture.
# SPDX-License-Identifier: BSD-3-Clause
"""All numbers big endian, as the specification has it; the v2 length bytes are written as Linux on x86 writes them."""

from packet import put

SMCR, SMCD = b"\xe2\xd4\xc3\xd9", b"\xe2\xd4\xc3\xc4"
EID1, EID2 = b"SMCTEST-EID1".ljust(32), b"SMCTEST-EID2".ljust(32)
CONFIRM_LINK, ADD_LINK, ADD_CONT, DELETE_LINK, REQUEST_ADD, CONFIRM_RKEY, TEST_LINK, RKEY_CONT, DELETE_RKEY = range(1, 10)
LOST_PATH, OPERATOR, INACTIVE, VIOLATION, ASYMMETRIC = (n << 16 for n in range(1, 6))


def rfc_proposal(peer, gid, mac, net=bytes([10, 0, 0, 0]), bits=24):
    """The 52 bytes of RFC 7609: offset 0 and the IP area right behind."""
    head = SMCR + b"\x01\x00\x34\x10" + peer + gid + mac + b"\0\0"
    return bytearray(head + net + bytes([bits, 0, 0, 0]) + SMCR)


def decline_v1(peer, code=0x03030000, flags=0):
    m = bytearray(SMCR + b"\x04\x00\x1c" + bytes([0x10 | flags]) + peer)
    return m + code.to_bytes(4, "big") + bytes(4) + SMCR


def decline_v2(peer, code=0x03030000, flags=0, os=2):
    m = bytearray(SMCR + b"\x04\x00\x2c" + bytes([0x20 | flags]) + peer)
    return m + code.to_bytes(4, "big") + bytes([os << 4]) + bytes(19) + SMCR


def llc(kind, v2=False, flags=0, size=44):
    p = bytearray(size)
    p[0] = kind | (0x20 if v2 else 0)
    p[1] = size
    p[3] = flags
    return p


def test_link(v2=False, flags=0, data=bytes(16)):
    p = llc(TEST_LINK, v2, flags)
    p[4:20] = data
    return p


def delete_link(number, reason, v2=False, flags=0):
    p = llc(DELETE_LINK, v2, flags)
    p[4] = number
    put(p, 5, reason, 4)
    return p


def confirm_rkey(rkey, va, others=(), v2=False, flags=0, count=None):
    """others: [(link number, rkey, va)], two at most"""
    p = llc(CONFIRM_RKEY, v2, flags)
    p[4] = len(others) if count is None else count
    put(p, 5, rkey, 4)
    put(p, 9, va, 8)
    for at, (number, key, address) in zip((17, 30), others):
        p[at] = number
        put(p, at + 1, key, 4)
        put(p, at + 5, address, 8)
    return p


def rkey_continuation(count, entries, flags=0):
    p = llc(RKEY_CONT, False, flags)
    p[4] = count
    for at, (number, key, address) in zip((5, 18, 31), entries):
        p[at] = number
        put(p, at + 1, key, 4)
        put(p, at + 5, address, 8)
    return p


def delete_rkey(keys, v2=False, flags=0, mask=0):
    p = llc(DELETE_RKEY, v2, flags)
    p[4], p[5] = len(keys), mask
    for number, key in enumerate(keys):
        put(p, 8 + 4 * number, key, 4)
    return p


def confirm_link(mac, gid, qpn, number, user, v2=False, flags=3, links=2, conns=0):
    p = llc(CONFIRM_LINK, v2, flags)
    p[4:10], p[10:26] = mac, gid
    put(p, 26, qpn, 3)
    p[29] = number
    put(p, 30, user, 4)
    p[34], p[35] = links, conns
    return p


def add_link(mac, gid, qpn, number, psn, v2=False, flags=0, mtu=3, reason=0):
    p = llc(ADD_LINK, v2, flags)
    if not v2:
        p[2] = reason
    p[4:10], p[12:28] = mac, gid
    put(p, 28, qpn, 3)
    p[31], p[32] = number, mtu
    put(p, 33, psn, 3)
    return p


def add_cont(number, count, pairs, flags=0):
    """pairs: [(reference rkey, new rkey, new va)], two at most"""
    p = llc(ADD_CONT, False, flags)
    p[4], p[5] = number, count
    for at, (old, new, va) in zip((8, 24), pairs):
        put(p, at, old, 4)
        put(p, at + 4, new, 4)
        put(p, at + 8, va, 8)
    return p


def request_add_link(gids, flags=0, count=None):
    p = llc(REQUEST_ADD, True, flags, 28 + 16 * len(gids))
    p[24] = len(gids) if count is None else count
    for number, gid in enumerate(gids):
        p[28 + 16 * number:44 + 16 * number] = gid
    return p
