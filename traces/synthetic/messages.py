# Builders for the SMC messages of the synthetic captures: TCP option, CLC, LLC, CDC and the SMC-D block.
# SPDX-License-Identifier: BSD-3-Clause
"""Every function returns bytes; offsets and lengths are those of RFC 7609 appendix A, of Linux for what the RFC does not have."""

import struct

SMCR, SMCD = bytes.fromhex("e2d4c3d9"), bytes.fromhex("e2d4c3c4")
PROPOSAL, ACCEPT, CONFIRM, DECLINE = 1, 2, 3, 4
TCP_OPTION = b"\xfe\x06" + SMCR

RESPONSE = 0x80
ADD_REJECTED = 0x40
DELETE_ALL, DELETE_ORDERLY = 0x40, 0x20
RKEY_NEGATIVE, RKEY_RETRY = 0x20, 0x10
NO_EYECATCHER = 0x03
LOST_PATH, OPERATOR, INACTIVITY, NOT_NEEDED = 0x00010000, 0x00020000, 0x00030000, 0x00050000
UNKNOWN_LINK = 0x00100000

BLOCKED, URGENT_PENDING, URGENT_PRESENT, UPDATE_REQUESTED, FAILOVER = 0x80, 0x40, 0x20, 0x10, 0x08
DONE, CLOSED, ABORT = 0x80, 0x40, 0x20
REGISTER, UNREGISTER, ATTACH, DETACH, MOVE, SIGNAL, EVENT = range(1, 8)  # operations of the SMC-D record


def u24(value):
    return struct.pack(">I", value & 0xFFFFFF)[1:]


def clc(kind, version, flags, body, eyecatcher=SMCR, tail=SMCR):
    return eyecatcher + struct.pack(">BHB", kind, 12 + len(body), version << 4 | flags) + body + tail


def ip_area_v4(subnet, bits):
    return subnet + bytes([bits, 0, 0, 0])


def ip_area_v6(prefixes):
    return bytes(7) + bytes([len(prefixes)]) + b"".join(prefix + bytes([bits]) for prefix, bits in prefixes)


def proposal_v1(peer_id, gid, mac, area):
    """RFC form: version 1, offset 0, the IP area directly behind it."""
    return clc(PROPOSAL, 1, 0, peer_id + gid + mac + struct.pack(">H", 0) + area)


def proposal_offset(version, typev1, typev2, peer_id, gid, mac, smcd_area, rest):
    """A Proposal whose IP area (if any) and extensions stand behind the 40-byte locator area; `rest` holds them."""
    offset = 40 if typev1 != 2 else 0
    return clc(PROPOSAL, version, typev2 << 2 | typev1, peer_id + gid + mac + struct.pack(">H", offset) + smcd_area + rest)


def smcd_area(ism_gid, chid, v2_offset):
    return struct.pack(">QHH", ism_gid, chid, v2_offset) + bytes(28)


def v2_extension(eids, gids, release, seid_valid, roce_gid, max_conns, max_links, features, smcd_offset):
    head = struct.pack(">BBBB", len(eids), gids, 0, release << 4 | (1 if seid_valid else 0))
    head += struct.pack(">HH", 0, smcd_offset) + roce_gid + struct.pack(">BBH", max_conns, max_links, features) + bytes(12)
    return head + b"".join(eids)


def smcd_extension(seid, entries):
    return seid + bytes(16) + b"".join(struct.pack(">QH", gid, chid) for gid, chid in entries)


def eid(text):
    return text.encode("ascii").ljust(32)


def first_contact_extension(os_type, release, host, max_conns=0, max_links=0, features=0, direct=False, long=True):
    body = bytes([0x80 if direct else 0, os_type << 4 | release, 0, 0]) + host.encode("ascii").ljust(32)
    if long:
        body += struct.pack(">BBH", max_conns, max_links, features) + bytes(12)
    return body


def accept_confirm_r(kind, version, first, peer_id, gid, mac, qpn, rkey, index, token, size_code, mtu, va, psn, extra=b""):
    """SMC-R Accept or Confirm; `extra` is the v2 part (EID, reserved, extensions)."""
    body = peer_id + gid + mac + u24(qpn) + struct.pack(">IBIBBQB", rkey, index, token, size_code << 4 | mtu, 0, va, 0)
    return clc(kind, version, 0x08 if first else 0, body + u24(psn) + extra)


def accept_confirm_d(kind, version, first, gid, token, index, size_code, link_id, extra=bytes(12)):
    """SMC-D Accept or Confirm; v1 has 12 reserved bytes behind the link id, v2 has CHID, EID, GID extension and FCE."""
    body = struct.pack(">QQBBHI", gid, token, index, size_code << 4, 0, link_id) + extra
    return clc(kind, version, (0x08 if first else 0) | 1, body, SMCD, SMCD)


def decline_v1(peer_id, diagnosis, out_of_sync=False):
    return clc(DECLINE, 1, 0x08 if out_of_sync else 0, peer_id + struct.pack(">II", diagnosis, 0))


def decline_v2(peer_id, diagnosis, os_type, out_of_sync=False):
    body = peer_id + struct.pack(">IB", diagnosis, os_type << 4) + bytes(19)
    return clc(DECLINE, 2, 0x08 if out_of_sync else 0, body)


def llc(kind, flags, body, byte2=0, version=1, size=44):
    """An LLC message; v2 carries a two-byte big-endian length where v1 has a length byte and byte 2."""
    length = max(size, 4 + len(body))
    head = struct.pack(">BBBB", kind, 44, byte2, flags) if version == 1 else struct.pack(">BHB", 0x20 | kind, length, flags)
    return (head + body).ljust(length, b"\0")


def confirm_link(flags, mac, gid, qpn, number, user_id, max_links, max_conns=0, version=1):
    return llc(1, flags, mac + gid + u24(qpn) + struct.pack(">BIBB", number, user_id, max_links, max_conns), version=version)


def add_link(flags, mac, gid, qpn, number, mtu, psn, reason=0, version=1, extension=b""):
    body = mac + b"\0\0" + gid + u24(qpn) + bytes([number, mtu]) + u24(psn) + bytes(8)
    return llc(2, flags, body + extension, reason, version)


def add_link_extension(direct, target_gid, pairs):
    """v2: client target GID and the rkeys of the new link, counts big endian."""
    head = bytes([0x80 if direct else 0, 0]) + target_gid + bytes(8) + struct.pack(">H", len(pairs))
    return head + b"".join(struct.pack(">IIQ", *pair) for pair in pairs)


def add_link_continuation(flags, number, left, pairs):
    return llc(3, flags, bytes([number, left, 0, 0]) + b"".join(struct.pack(">IIQ", *pair) for pair in pairs))


def delete_link(flags, number, reason, version=1):
    return llc(4, flags, struct.pack(">BI", number, reason), version=version)


def request_add_link(flags, gids):
    if flags & RESPONSE:
        return llc(5, flags, b"", version=2)
    return llc(5, flags, bytes(20) + bytes([len(gids), 0, 0, 0]) + b"".join(gids), version=2)


def confirm_rkey(flags, others, rkey, va, entries, version=1):
    """`others` counts the tokens of all other links, `entries` are the (link, rkey, VA) that fit here (two at most)."""
    body = struct.pack(">BIQ", others, rkey, va) + b"".join(struct.pack(">BIQ", *entry) for entry in entries)
    return llc(6, flags, body, version=version)


def confirm_rkey_continuation(flags, left, entries):
    return llc(8, flags, bytes([left]) + b"".join(struct.pack(">BIQ", *entry) for entry in entries))


def test_link(flags, user_data, version=1):
    return llc(7, flags, user_data, version=version)


def delete_rkey(flags, keys, mask=0, version=1):
    """`mask` is the error mask in v1, the number of unknown keys in a v2 response (whose keys are zero)."""
    body = bytes([len(keys), mask, 0, 0]) + b"".join(struct.pack(">I", key) for key in keys)
    return llc(9, flags, body, version=version)


def cdc(seq, token, prod, cons, prod_flags=0, conn_flags=0):
    """prod and cons: (wrap, offset)."""
    return (struct.pack(">BBHI", 0xFE, 44, seq & 0xFFFF, token) + struct.pack(">HHI", 0, prod[0] & 0xFFFF, prod[1])
            + struct.pack(">HHI", 0, cons[0] & 0xFFFF, cons[1]) + bytes([prod_flags, conn_flags])).ljust(44, b"\0")


def failover_cdc(seq, token):
    return cdc(seq, token, (0, 0), (0, 0), FAILOVER)


def smcd_block(order, prod, cons, prod_flags=0, conn_flags=0):
    """The 32-byte block at the start of a DMB element, in the byte order of the hosts ('<' or '>')."""
    block = b"\xfe" + bytes(7) + struct.pack(order + "HI", prod[0] & 0xFFFF, prod[1]) + b"\0\0"
    return (block + struct.pack(order + "HI", cons[0] & 0xFFFF, cons[1]) + bytes([prod_flags, conn_flags])).ljust(32, b"\0")


def smcd_record(operation, source, destination, token, index, offset, total, fragment, signal, order, data):
    """What a dibs device did: 60 bytes, then the data of this fragment. order: of the data, '<' or '>'."""
    head = struct.pack(">BBBB", 1, operation, 1 if signal else 0, 0 if order == "<" else 1)
    head += source.to_bytes(16, "big") + destination.to_bytes(16, "big")
    return head + struct.pack(">QIIII", token, index, offset, total, fragment) + data
