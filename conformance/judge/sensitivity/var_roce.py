# Legal variations of RoCE traffic: retransmissions, acknowledgements, other numbers for the same things.
# SPDX-License-Identifier: BSD-3-Clause
import copy

from packet import WRITE_FIRST, WRITE_LAST, WRITE_MIDDLE, put, u24, u32
from registry import variation

LINKED = ("v1-a", "v2-g", "v1-g6", "v1-i", "v2-k")


@variation(*LINKED)
def requests_twice(s):
    for frame in s.requests():
        s.put_after(frame, copy.deepcopy(frame), 10_000)


@variation("v1-a", "v2-g", "v1-j")
def requests_twice_later(s):
    """Retransmitted after the acknowledgement was lost on its way: the copy comes behind it."""
    for frame in s.requests():
        s.put_after(s.last_of(frame), copy.deepcopy(frame))


@variation("v1-a", "v2-g", "v1-b2")
def acks_twice(s):
    for frame in [f for f in s.frames if f.is_ack]:
        s.put_after(frame, copy.deepcopy(frame), 5_000)


@variation("v1-a", "v2-g", "v1-b2")
def acks_coalesced(s):
    """Every second acknowledgement is left out where a later one covers it."""
    for side in "cs":
        acks = [f for f in s.frames if f.is_ack and s.roce_side(f) == side]
        s.drop(*acks[0:-1:2])


def pair_of(s, side="c", number=0):
    """A WRITE and the CDC that announces it."""
    write = s.writes(side)[number]
    return write, [f for f in s.cdc(side) if s.at(f) > s.at(write)][0]


@variation("v1-a", "v2-a")
def lost_before_capture_then_nak(s):
    """The WRITE is lost before it is captured; NAK (sequence error), then both again."""
    write, cdc = pair_of(s)
    acks = s.acks(write) + s.acks(cdc)
    flow = s.flow_of(write)
    s.drop(write)
    nak = s._insert_ack(cdc, flow, write.psn, acks[0].msn - 1, 0x60)
    again = s.put_after(nak, copy.deepcopy(write))
    s.put_after(again, copy.deepcopy(cdc))


@variation("v1-a", "v2-a")
def receiver_not_ready(s):
    write, cdc = pair_of(s)
    msn = s.acks(cdc)[0].msn - 2
    nak = s._insert_ack(cdc, s.flow_of(cdc), cdc.psn, msn, 0x21)
    s.put_after(nak, copy.deepcopy(cdc))


@variation("v1-j", "v2-g")
def go_back_three(s):
    """The last three requests of the client come once more."""
    requests = s.requests("c")[:5]
    at = s.last_of(requests[-1])
    for frame in requests[-3:]:
        at = s.put_after(at, copy.deepcopy(frame))


@variation("v1-b2")
def path_mtu_256(s):
    """Accept and Confirm agree on 256, and so does every packet."""
    for kind in (2, 3):
        s.edit_clc(kind, lambda m: put(m, 50, m[50] & 0xF0 | 1, 1))
    for frame in s.writes():
        side, at = s.roce_side(frame), s.frames[s.at(frame) - 1]
        va, rkey, data = frame.va, frame.rkey, b"".join(bytes(p.payload) for p in s.packets(frame))
        s.roce_delete(frame)
        s.write(at, side, va, rkey, data, mtu=256)


@variation("v1-a", "v2-a", "v1-j")
def two_writes_per_cdc(s):
    """Data in two WRITEs where Linux has one."""
    for side in "cs":
        write = s.writes(side)[0]
        at, va, rkey, data = s.frames[s.at(write) - 1], write.va, write.rkey, bytes(write.payload)
        s.roce_delete(write)
        half = len(data) // 2
        at = s.last_of(s.write(at, side, va, rkey, data[:half]))
        s.write(at, side, va + half, rkey, data[half:])


# -- other numbers -------------------------------------------------------------------------------------------------------

@variation(*LINKED)
def other_psns(s):
    """Initial PSNs close to the end of their space: they wrap during the capture."""
    ends = {}
    for frame in s.requests():
        ends.setdefault(s.key(frame), frame.psn)
    delta = {key: (1 << 24) - 3 - psn for key, psn in ends.items()}
    announced = {psn: delta[key] for key, psn in ends.items()}

    def moved(psn):
        return (psn + announced.get(psn, 0)) % (1 << 24)
    for conn in range(len(s.conns)):
        for kind in (2, 3):
            s.edit_clc(kind, lambda m: put(m, 61, moved(u24(m, 61)), 3), conn)
    for frame in s.llc(2):
        s.edit(frame, lambda f: put(f.payload, 33, moved(u24(f.payload, 33)), 3))
    back = {s.reverse_key(key): value for key, value in delta.items()}
    for frame in s.frames:
        if frame.is_request:
            frame.psn = frame.psn + delta[s.key(frame)]
        elif frame.is_ack and s.key(frame) in back:
            frame.psn = frame.psn + back[s.key(frame)]


def every_number(s, clc_at, llc_at, size, new):
    """Renames a number wherever CLC and LLC say it. llc_at: low type nibble -> offsets."""
    for conn in range(len(s.conns)):
        for kind in (2, 3):
            s.edit_clc(kind, lambda m: put(m, clc_at, new(int.from_bytes(m[clc_at:clc_at + size], "big")), size), conn)
    for frame in s.llc():
        for at in llc_at.get(frame.payload[0] & 15, ()):
            old = int.from_bytes(frame.payload[at:at + size], "big")
            if at + size <= len(frame.payload) and old:
                s.poke(frame, at, new(old), size)


RKEY_PLACES = {2: (72, 76, 88, 92), 3: (8, 12, 24, 28), 6: (5, 18, 31), 9: (8,)}
VA_PLACES = {2: (80, 96), 3: (16, 32), 6: (9, 22, 35)}


@variation("v1-a", "v2-g", "v1-g6", "v2-g2", "v1-b2")
def other_rkeys(s):
    def new(old):
        return old ^ 0x5A000000
    every_number(s, 41, RKEY_PLACES, 4, new)
    for frame in s.writes():
        def change(f):
            f.rkey = new(f.rkey)
        s.edit(frame, change)


@variation("v1-a", "v2-g", "v1-g6", "v2-g2", "v1-b2")
def other_addresses_of_rmbs(s):
    """RMBs somewhere else, the first at the very end of the address space."""
    def new(old):
        return old ^ 0xFFFF000000000000
    every_number(s, 52, VA_PLACES, 8, new)
    for frame in s.writes():
        def change(f):
            f.va = new(f.va)
        s.edit(frame, change)


@variation("v1-a", "v2-g", "v1-g6", "v2-g2")
def other_tokens(s):
    def new(old):
        return (old * 0x9E3779B1) % (1 << 32)
    every_number(s, 46, {}, 4, new)
    for frame in s.cdc():
        s.set_cdc(frame, token=new(u32(frame.payload, 4)))


@variation("v1-a", "v2-a", "v1-b2")
def other_qp_numbers(s):
    """Client 0xABCDEF, server 0x000201, where Linux has 0x11 on both sides."""
    number = {"c": 0xABCDEF, "s": 0x000201}
    for kind, side in ((2, "s"), (3, "c")):
        s.edit_clc(kind, lambda m: put(m, 38, number[side], 3))
    for frame in s.llc(1):
        s.poke(frame, 26, number[s.roce_side(frame)], 3)
    for frame in s.frames:
        if frame.kind == "roce":
            put(frame.bth, 5, number["s" if s.roce_side(frame) == "c" else "c"], 3)
            frame.touch()


@variation("v2-a", "v2-g", "v2-b", "v2-c2")
def other_ip_addresses(s):
    """10.0.x.y becomes 172.31.x.y in headers and in messages."""
    def text(data):
        data[:] = data.replace(b"\xff\xff\x0a\0", b"\xff\xff\xac\x1f")
    for frame in s.frames:
        if frame.kind == "other":
            continue
        for at in (12, 16):
            if frame.ip[at:at + 2] == b"\x0a\0":
                frame.ip[at:at + 2] = b"\xac\x1f"
        text(frame.payload)
        frame.touch()


@variation("v1-a", "v1-g", "v1-b2")
def other_gids(s):
    """The link-local GIDs of SMC-R v1 become routable ones."""
    for frame in s.frames:
        if frame.kind == "other":
            continue
        frame.payload[:] = frame.payload.replace(b"\xfe\x80" + bytes(6) + b"\x50\x54", b"\xfd\x77" + bytes(6) + b"\x50\x54")
        if frame.kind == "roce":
            for at in (8, 24):
                if frame.ip[at:at + 2] == b"\xfe\x80":
                    frame.ip[at:at + 2] = b"\xfd\x77"
        frame.touch()


@variation("v1-a", "v2-a", "d-a", "v2-f3")
def other_ports(s):
    """Client port 7, server port 65535: the smaller number is the client's here."""
    ports = {s.conns[0].client[1]: 7, s.conns[0].server[1]: 65535}
    for frame in s.tcp():
        for at in (0, 2):
            put(frame.tcp, at, ports[int.from_bytes(frame.tcp[at:at + 2], "big")], 2)
        frame.touch()
    s.conns[0].client = s.conns[0].client[0], 7
    s.conns[0].server = s.conns[0].server[0], 65535


@variation("v1-a", "v2-g")
def ip_header_fields(s):
    """What a router may change: TTL, DSCP, identification."""
    for frame in s.frames:
        if frame.kind == "other":
            continue
        if frame.v6:
            frame.ip[0], frame.ip[1], frame.ip[7] = 0x6B, 0x80, 61
        else:
            frame.ip[1], frame.ip[8] = 0xB8, 61
        frame.touch()


@variation("v1-a", "v2-g")
def congestion_marks(s):
    for frame in s.frames:
        if frame.kind == "roce":
            frame.bth[4] |= 0xC0
            frame.touch()


@variation("v1-b2", "v2-c2")
def long_write_interleaved_with_copies(s):
    """Single packets of long WRITEs come twice."""
    for frame in [f for f in s.frames if f.is_request and f.op in (WRITE_FIRST, WRITE_MIDDLE, WRITE_LAST)][::7]:
        s.put_after(frame, copy.deepcopy(frame), 1_000)
