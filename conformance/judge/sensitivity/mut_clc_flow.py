# Mutations of the CLC exchange: who answers what when, declines, fallback, resets, and SMC-R connections that do not fit their group.
# SPDX-License-Identifier: BSD-3-Clause
import bases
from bases import peer_id, rkey_of
from messages import decline_v1, decline_v2
from mut_clc_parse import clc
from packet import ACK, FIN, put, u32
from registry import mutation
from scene import later


def fallback(s, after, conn=0):
    """Everything behind `after` gives way to a plain TCP exchange and a clean end."""
    s.cut_after(after)
    hello = b"Hello SMC from client, message 1"
    at = after
    for side, payload, flags in (("c", hello, None), ("s", hello, None), ("c", b"", FIN | ACK), ("s", b"", FIN | ACK), ("c", b"", ACK)):
        at = s.tcp_insert(at, side, payload, conn=conn, **({} if flags is None else {"flags": flags}))
        at.ts_ns += 3_000_000
    return s


def split(s, frame, at):
    """Cuts one segment into two; returns the second."""
    conn = s.conn_of(frame)
    rest = bytes(frame.payload[at:])
    side = s.conns[conn].side(frame)
    edge = (frame.seq + at) % (1 << 32)
    frame.payload = frame.payload[:at]
    frame.touch()
    second = s.tcp_insert(frame, side, b"", conn=conn)
    second.payload, second.seq = bytearray(rest), edge
    return second


def move_after(s, frame, after):
    s.drop(frame)
    s.put_after(after, frame)


def acked(s, frame):
    """The first segment of the other side that acknowledges all of `frame`."""
    conn = s.conn_of(frame)
    other = "s" if s.conns[conn].side(frame) == "c" else "c"
    end = (frame.seq + frame.span) % (1 << 32)
    for f in s.tcp(other, conn):
        if s.at(f) > s.at(frame) and f.flags & ACK and later(f.ack, end, 1 << 32) >= 0:
            return f
    return frame


# -- reserved bits and reserved values make somebody give up ---------------------------------------------------------------

@mutation()
def reserved_bits_make_rst(s):
    def change(m):
        m[60:80] = b"\xff" * 20
        m[85:87] = b"\xff\xff"
    s.reset(acked(s, s.edit_clc(1, change)), "s")


@mutation()
def reserved_bits_make_rst_v2(s):
    def change(m):
        m[82] = 0xFF
        m[84:86] = b"\xff\xff"
        m[108:120] = b"\xff" * 12
    s.reset(acked(s, s.edit_clc(1, change)), "s")


@mutation()
def reserved_accept_makes_rst(s):
    def change(m):
        m[51] = m[60] = 0xFF
    s.reset(acked(s, s.edit_clc(2, change)), "c")


@mutation()
def reserved_decline_makes_rst(s):
    def change(m):
        m[20] |= 0x0F
        m[21:24] = b"\xff\xff\xff"
    s.reset(acked(s, s.edit_clc(4, change)), "c")


@mutation()
def reserved_mtu_makes_rst(s):
    s.reset(acked(s, s.edit_clc(2, lambda m: put(m, 50, 0x29, 1))), "c")


@mutation()
def reserved_mtu_0_makes_rst(s):
    s.reset(acked(s, s.edit_clc(2, lambda m: put(m, 50, 0x20, 1))), "c")


@mutation()
def second_contact_mtu_rst(s):
    s.reset(acked(s, s.edit_clc(2, lambda m: put(m, 50, 0x29, 1))), "c")


@mutation()
def feature_mask_makes_rst(s):
    s.reset(acked(s, s.edit_clc(1, lambda m: put(m, 106, 0xFFFF, 2))), "s")


@mutation()
def decline_reserved_makes_rst(s):
    s.reset(acked(s, s.edit_clc(4, lambda m: put(m, 7, 0x23, 1))), "c")


@mutation()
def reserved_mtu_confirmed(s):
    s.edit_clc(2, lambda m: put(m, 50, 0x29, 1))


@mutation()
def foreign_code_makes_rst(s):
    s.reset(acked(s, s.edit_clc(4, lambda m: put(m, 16, 0x7FFFFFFF, 4))), "c")


# -- messages cut into segments --------------------------------------------------------------------------------------------

@mutation()
def answer_before_message_complete(s):
    proposal = s.clc(1)
    second = split(s, proposal, 20)
    s.drop(second)
    reset = s.reset(proposal, "s")
    reset.ack = proposal.seq + 20
    s.put_after(reset, second)


@mutation()
def decline_before_message_complete(s):
    proposal, decline = s.clc(1), s.clc(4)
    s.drop(acked(s, proposal))
    second = split(s, proposal, 20)
    move_after(s, second, decline)
    decline.ack = proposal.seq + 20


@mutation()
def accept_ends_by_fin(s):
    """The server's stream ends inside its Accept."""
    accept = s.clc(2)
    rest = split(s, accept, 40)
    s.cut_after(rest)
    s.drop(rest)
    s.tcp_insert(accept, "s", flags=FIN | ACK)


# -- time ------------------------------------------------------------------------------------------------------------------

@mutation()
def accept_after_8_seconds(s):
    s.stretch(acked(s, s.clc(1)), 8)


@mutation()
def confirm_after_9_seconds(s):
    s.stretch(acked(s, s.clc(2)), 9)


# -- declines --------------------------------------------------------------------------------------------------------------

@mutation()
def decline_28_in_v2_client(s):
    accept = s.clc(2)
    message = decline_v1(peer_id(s, 3), 0x03030000)
    message[7] = 0x20
    s.cut_after(acked(s, accept))
    fallback(s, s.tcp_insert(s.frames[-1], "c", message))


@mutation()
def decline_answered_by_decline(s):
    s.tcp_insert(acked(s, s.clc(4)), "c", decline_v2(b"\x0b\xad\x52\x54\0\0\x0a\1", 0x05000000))


@mutation()
def decline_answered_by_confirm(s):
    s.tcp_insert(acked(s, s.clc(4)), "c", bytes(bases.captured("v2-b").clc(3).payload))


@mutation()
def decline_then_accept(s):
    s.tcp_insert(s.clc(4), "s", bytes(bases.captured("v2-b").clc(2).payload))


@mutation()
def decline_chases_proposal(s):
    s.tcp_insert(acked(s, s.clc(1)), "c", decline_v2(b"\x0b\xad\x52\x54\0\0\x0a\1", 0x03010000))


@mutation()
def decline_chases_proposal_v1(s):
    accept = s.clc(2)
    s.tcp_insert(acked(s, s.clc(1)), "c", decline_v1(peer_id(s, 1), 0x03010000))
    fallback(s, acked(s, accept))


@mutation()
def proposal_after_decline(s):
    s.tcp_insert(acked(s, s.clc(4)), "c", bytes(s.clc(1).payload))


@mutation()
def decline_amid_data(s):
    after = s.last_of(s.cdc("s")[0])
    s.tcp_insert(after, "s", decline_v1(peer_id(s, 2), 0x09990000))


def server_decline(s):
    after = acked(s, s.clc(2))
    v1 = s.clc(2).payload[7] >> 4 == 1
    s.cut_after(after)
    build = decline_v1 if v1 else decline_v2
    fallback(s, s.tcp_insert(after, "s", build(peer_id(s, 2), 0x03010000)))


mutation("decline_after_accept", "decline_after_accept_v2")(server_decline)


def decline_before_confirm(s):
    server_decline(s)


mutation("decline_chases_accept", "decline_chases_accept_v2")(decline_before_confirm)


@mutation()
def decline_before_proposal(s):
    s.cut_after(s.tcp("c")[1])
    fallback(s, s.tcp_insert(s.frames[-1], "s", decline_v2(b"\x0b\xad\x52\x54\0\0\x0b\1", 0x03030000)))


@mutation()
def decline_after_silence(s):
    """CONFIRM LINK arrives and is never answered; after 3 s the server declines."""
    request = s.llc(1, "s")[0]
    after = s.acks(request)[-1]
    s.cut_after(after)
    decline = s.tcp_insert(after, "s", decline_v1(peer_id(s, 2), 0x02010000))
    fallback(s, decline)
    s.stretch(after, 3)


def client_decline(s):
    after = s.clc(3)  # in v2-d the server's TCP acknowledges it only with its FIN
    v1 = s.clc(3).payload[7] >> 4 == 1
    s.cut_after(after)
    build = decline_v1 if v1 else decline_v2
    fallback(s, s.tcp_insert(after, "c", build(peer_id(s, 3), 0x09990001)))


mutation("decline_after_confirm", "decline_after_confirm_v2")(client_decline)


@mutation()
def decline_after_confirm_link(s):
    after = s.last_of(s.llc(2, "c")[0])
    s.cut_after(after)
    fallback(s, s.tcp_insert(after, "c", decline_v1(peer_id(s, 3), 0x09990002)))


@mutation()
def decline_after_confirm_link_server(s):
    after = s.last_of(s.llc(2, "c")[0])
    s.cut_after(after)
    fallback(s, s.tcp_insert(after, "s", decline_v2(peer_id(s, 2), 0x09990002)))


# -- Accepts and Confirms that do not fit their group ----------------------------------------------------------------------

def packet_of_300(s, side, mtu_accept, mtu_confirm):
    """Both agree on a small MTU; the first WRITE of `side` then carries 300 bytes in one packet."""
    clc(2, 50, 0x20 | mtu_accept)(s)
    clc(3, 50, 0x20 | mtu_confirm)(s)
    frame = s.writes(side)[0]

    def change(f):
        f.payload = bytearray(b"A" * 300)
        f.dma_len = 300
    s.edit(frame, change)
    for cdc in s.cdc(side):
        s.set_cdc(cdc, prod=(0, 300))
    for cdc in s.cdc("c" if side == "s" else "s"):
        if u32(cdc.payload, 20):
            s.set_cdc(cdc, cons=(0, 300))


@mutation()
def packet_above_smaller_mtu(s):
    packet_of_300(s, "c", 1, 1)


@mutation()
def packet_above_smaller_mtu_v2(s):
    packet_of_300(s, "s", 3, 1)


@mutation()
def large_element(s):
    """The server's RMB has 1 MiB and lies at a multiple of it, as Linux makes them from 6.11 on."""
    rkey, old = rkey_of(s, 2)
    new = 0xffff888140000000
    s.edit_clc(2, lambda m: (put(m, 50, 6 << 4 | m[50] & 15, 1), put(m, 52, new, 8)) and None)

    def move(f):
        f.va = f.va - old + new
    for frame in s.writes("c", rkey=rkey):
        s.edit(frame, move)


@mutation()
def write_to_wrong_element(s):
    clc(2, 45, 2)(s)


@mutation()
def write_one_byte_below(s):
    def change(f):
        f.va, f.dma_len = f.va - 1, f.dma_len + 1
        f.payload = bytearray(b"?") + f.payload
    s.edit(s.writes("c")[0], change)


@mutation()
def write_one_byte_below_v2(s):
    def change(f):
        f.va, f.dma_len = f.va - 1, f.dma_len + 1
        f.payload = bytearray(b"?") + f.payload
    s.edit(s.writes("s")[0], change)


@mutation()
def write_across_the_end(s):
    def change(f):
        f.va = f.va + 65536 - 16
    s.edit(s.writes("s")[0], change)


@mutation()
def write_one_byte_beyond(s):
    first = s.writes("c")[0]
    va, rkey, before = first.va, first.rkey, s.frames[s.at(first) - 1]
    data = b"".join(bytes(p.payload) for p in s.packets(first)) + b"!"
    s.roce_delete(first)
    s.write(before, "c", va, rkey, data)


@mutation()
def rmb_offered_twice(s):
    """The second connection gets the first one's RMB, as link 2 knows it; nothing of the failover is left."""
    s.cut_after(s.frames[180])
    known = s.llc(3, "s")[0].payload
    link1, link2, va = u32(known, 8), u32(known, 12), int.from_bytes(known[16:24], "big")
    old_rkey, old_va = rkey_of(s, 2, 1)
    clc(2, 41, link2, 4, 1)(s)
    clc(2, 52, va, 8, 1)(s)
    for frame in [f for f in s.llc(6) if u32(f.payload, 5) == old_rkey]:
        for at, value, size in ((5, link2, 4), (9, va, 8), (18, link1, 4), (22, va, 8)):
            s.poke(frame, at, value, size)

    def change(f):
        f.rkey, f.va = link2, f.va - old_va + va
    for frame in s.writes("c", rkey=old_rkey):
        s.edit(frame, change)


@mutation()
def confirm_names_unknown_link(s):
    clc(3, 38, 0x55, 3, 1)(s)


@mutation("rmb_not_ready", "rmb_not_ready_v2")
def rmb_not_ready(s):
    write = s.writes("c")[0]
    for frame in s.acks(write):
        frame.ext[0] = 0x62
        frame.touch()
    nak = s.acks(write)[-1]
    s.reset(nak, "c")


@mutation()
def unknown_link_confirmed(s):
    def change(m):
        put(m, 31, 7, 1)
        put(m, 37, 7, 1)
        put(m, 38, 0x55, 3)
    s.edit_clc(2, change, 1)


@mutation()
def unknown_group_decline_without_s(s):
    clc(2, 8, 0x7777, 2, 1)(s)
    accept = acked(s, s.clc(2, 1))
    message = decline_v1(peer_id(s, 3, 1), 0x04000000)
    s.cut_after(accept)
    fallback(s, s.tcp_insert(accept, "c", message, conn=1), 1)


@mutation()
def first_contact_ignored(s):
    def change(m):
        m[7] |= 8
        put(m, 38, 0x13, 3)
        put(m, 61, 0x2468AC, 3)
    s.edit_clc(2, change, 1)


def parallel(s, same_rmb):
    """Another first contact of the same two hosts while the first group lives: QPs 0x31 instead of 0x11."""
    j = bases.load("v1-j")
    ids = peer_id(s, 2), peer_id(s, 3)
    for kind, peer in ((1, ids[1]), (2, ids[0]), (3, ids[1])):
        def change(m):
            m[8:16] = peer
            if kind != 1:
                put(m, 38, 0x31, 3)
        j.edit_clc(kind, change)
    for frame in j.llc(1):
        j.poke(frame, 26, 0x31, 3)
    for frame in j.llc(2):
        j.poke(frame, 28, 0x32, 3)
    if same_rmb:
        rkey, va = rkey_of(s, 2)
        old_rkey, old_va = rkey_of(j, 2)
        j.edit_clc(2, lambda m: (put(m, 41, rkey, 4), put(m, 52, va, 8)) and None)

        def move(f):
            f.rkey, f.va = rkey, f.va - old_va + va
        for frame in j.writes("c", rkey=old_rkey):
            j.edit(frame, move)
        for frame in j.llc(9):
            if u32(frame.payload, 8) == old_rkey:
                j.poke(frame, 8, rkey, 4)
    for frame in j.frames:
        if frame.kind == "roce":
            put(frame.bth, 5, 0x31, 3)
            frame.touch()
    for frame in s.llc(9):
        s.roce_delete(frame)
    shift = s.clc(2).ts_ns + 200_000 - j.frames[0].ts_ns
    for frame in j.frames:
        frame.ts_ns += shift
    s.frames += j.frames
    s.conns += j.conns
    s.sort()


@mutation()
def parallel_group_same_rmb(s):
    parallel(s, True)


def before_reply(s, kind, side):
    """The CLC message leaves before the response to the sender's CONFIRM RKEY."""
    request = s.llc(6, side, response=False)[0]
    message = s.clc(kind)
    rest = acked(s, message) if kind == 2 else None
    move_after(s, message, request)
    if rest is not None and not rest.payload:
        move_after(s, rest, message)


@mutation()
def accept_before_rkey_reply(s):
    before_reply(s, 2, "s")


@mutation()
def confirm_before_rkey_reply(s):
    before_reply(s, 3, "c")


@mutation()
def group_reused_out_of_sync(s):
    """The client declines with S; the next connection is offered the same group."""
    client = peer_id(s, 3)
    after = s.frames[s.at(s.clc(3)) - 1]
    s.cut_after(after)
    fallback(s, s.tcp_insert(after, "c", decline_v2(client, 0x04000000, 8)))
    s.append(bases.load("v2-d"), 0.5)


@mutation()
def group_in_two_vlans(s):
    for conn, vlan in ((0, 10), (1, 20)):
        for frame in s.tcp(None, conn):
            frame.l2[12:12] = b"\x81\x00" + vlan.to_bytes(2, "big")
            frame.touch()
