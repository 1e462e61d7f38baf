# Scripts of the synthetic captures: the data path of SMC-D as record frames, on little-endian and on big-endian hosts.
# SPDX-License-Identifier: BSD-3-Clause

import frames as fr
import messages as msg
from script_smcd import SEID, ZOS
from stage import SUBNET, capture, hosts, meet
from world import Tcp, other, pattern

BLOCK = 32  # the CDC block in front of the ring
MOST = 1400  # data bytes in one record frame
EIDS = [msg.eid("FARM7.OTHER"), msg.eid("FARM7.LOOPED")]
URGENT = msg.URGENT_PENDING | msg.URGENT_PRESENT
HIGH, LINUX = 1 << 64, 2


class Fabric:
    """The DIBS devices of two hosts: 128-bit GIDs, CHID, byte order of the hosts; operations become record frames."""

    def __init__(self, world, client, server, gid, chid, order):
        self.world, self.host = world, {"c": client, "s": server}
        self.gid, self.chid, self.order = gid, chid, order
        self.last_index = {"c": 39, "s": 70}

    def record(self, side, operation, token, index, offset=0, total=0, signal=False, data=b""):
        """One operation of `side` towards its peer; a move longer than a frame becomes several records."""
        src, dst = (self.host[x].nics[0].mac for x in (side, other(side)))
        for start in range(0, max(len(data), 1), MOST):
            chunk = data[start:start + MOST]
            body = msg.smcd_record(operation, self.gid[side], self.gid[other(side)], token, index, offset, total, start,
                                   signal, self.order, chunk)
            self.world.emit(fr.ethernet(dst, src, fr.ETH_SMCD, body))

    def register(self, side, size_code):
        """A DMB of `side`, for its peer's GID: (token, index, length)."""
        self.last_index[side] += 1
        dmb = self.world.rand(48) << 16 | self.last_index[side], self.last_index[side], 1 << size_code + 14
        self.record(side, msg.REGISTER, dmb[0], dmb[1], total=dmb[2])
        return dmb

    def unregister(self, side, dmb):
        self.record(side, msg.UNREGISTER, dmb[0], dmb[1])


class ConnectionD:
    """One SMC-D connection whose moves are captured."""

    def __init__(self, fabric, cport, size=None):
        self.fabric, self.world, self.size = fabric, fabric.world, size or {"c": 0, "s": 0}
        self.tcp = Tcp(fabric.world, fabric.host["c"], fabric.host["s"], cport)
        self.dmb = {}
        self.written, self.taken, self.told = ({"c": 0, "s": 0} for _ in range(3))
        self.conn_flags = {"c": 0, "s": 0}

    # CLC

    def open(self, version, first, eid=None):
        """TCP, Proposal, Accept, Confirm; each side registers its DMB before it names the token."""
        self.tcp.handshake()
        self.tcp.send("c", self.proposal_v1() if version == 1 else self.proposal_v2(eid))
        for side, kind in (("s", msg.ACCEPT), ("c", msg.CONFIRM)):
            self.dmb[side] = self.fabric.register(side, self.size[side])
            self.tcp.send(side, self.answer(kind, side, version, first, eid))
            self.world.pause(80)

    def proposal_v1(self):
        area = msg.smcd_area(self.fabric.gid["c"] // HIGH, 0, 0)
        return msg.proposal_offset(1, 1, 0, bytes(8), bytes(16), bytes(6), area, SUBNET)

    def proposal_v2(self, eid):
        """Native ISM stands in the locator area; emulated ISM is two entries with the same CHID."""
        fabric = self.fabric
        native = fabric.chid < 0xFF00
        high, low = divmod(fabric.gid["c"], HIGH)
        eids = [] if eid == SEID else EIDS
        entries = [] if native else [(high, fabric.chid), (low, fabric.chid)]
        area = msg.smcd_area(high if native else 0, fabric.chid if native else 0, 36 if native else 28)
        release, features = (0, 0) if native else (1, 1)
        rest = (SUBNET if native else b"") + msg.v2_extension(eids, len(entries), release, native, bytes(16), 0, 0, features,
                                                              32 + 32 * len(eids))
        rest += msg.smcd_extension(SEID if native else bytes(32), entries)
        return msg.proposal_offset(2, 1 if native else 2, 1, bytes(8), bytes(16), bytes(6), area, rest)

    def answer(self, kind, side, version, first, eid):
        fabric, extra = self.fabric, bytes(12)
        high, low = divmod(fabric.gid[side], HIGH)
        if version == 2:
            native = fabric.chid < 0xFF00
            extra = fabric.chid.to_bytes(2, "big") + eid + low.to_bytes(8, "big")
            if first and native:
                extra += msg.first_contact_extension(ZOS, 0, "SYS" + side.upper(), long=False)
            elif first:
                extra += msg.first_contact_extension(LINUX, 1, "host-" + side, features=1)
        return msg.accept_confirm_d(kind, version, first, high, self.dmb[side][0], 0, self.size[side],
                                    0x100 if side == "c" else 0x200, extra)

    # Data

    def capacity(self, side):
        return self.dmb[side][2] - BLOCK

    def cursor(self, total, side):
        return divmod(total, self.capacity(side))

    def window(self, side):
        return self.capacity(other(side)) - (self.written[side] - self.told[other(side)])

    def signal(self, side, prod_flags=0):
        """The CDC block, moved to offset 0 of the peer's element with the signal bit."""
        peer = other(side)
        self.told[side] = self.taken[side]
        block = msg.smcd_block(self.fabric.order, self.cursor(self.written[side], peer), self.cursor(self.taken[side], side),
                               prod_flags, self.conn_flags[side])
        token, index, _ = self.dmb[peer]
        self.fabric.record(side, msg.MOVE, token, index, 0, len(block), True, block)
        self.world.pause(12)

    def write(self, side, data, prod_flags=0):
        """Moves without signal (two around the ring end), then the CDC block."""
        peer, window = other(side), self.window(side)
        assert len(data) <= window
        token, index, _ = self.dmb[peer]
        at = self.written[side] % self.capacity(peer)
        room = self.capacity(peer) - at
        for offset, piece in ((at, data[:room]), (0, data[room:])):
            if piece:
                self.fabric.record(side, msg.MOVE, token, index, BLOCK + offset, len(piece), False, piece)
        self.written[side] += len(data)
        self.tcp.stream["c2s" if side == "c" else "s2c"] += data
        self.signal(side, prod_flags | (msg.BLOCKED if len(data) == window else 0))

    def read(self, side, count=None):
        unread = self.written[other(side)] - self.taken[side]
        self.taken[side] += unread if count is None else count
        assert self.taken[side] <= self.written[other(side)]

    def exchange(self, question, answer):
        self.write("c", question)
        self.read("s")
        self.write("s", answer)
        self.read("c")
        self.world.pause(100)

    def flag(self, side, flags):
        self.conn_flags[side] |= flags
        self.signal(side)

    def close(self, first, flags=msg.CLOSED):
        """C (or A) and the FIN behind it, answered by the same; then both DMBs go."""
        for side in (first, other(first)):
            self.flag(side, flags)
            self.tcp.fin(side)
        self.unregister(first)

    def unregister(self, first):
        for side in (first, other(first)):
            self.fabric.unregister(side, self.dmb[side])


def full_ring(conn):
    """The ring filled to the last byte, reported in two steps, written again around the end."""
    whole = conn.capacity("s")
    conn.write("c", pattern(whole, 1))
    conn.read("s", 5000)
    conn.signal("s")
    conn.write("c", pattern(4000, 2))
    conn.read("s", 12000)
    conn.signal("s")
    conn.write("c", pattern(12999, 3))  # two moves around the end
    conn.read("s")
    conn.signal("s")


@capture("smcd-records-le")
def records_le(world):
    """Emulated ISM (CHID 0xFF10, 128-bit GIDs) between little-endian hosts, SMC-Dv2 release 1."""
    client, server = hosts()
    meet(world, client, server)
    gid = {"c": 0x6BA7B810_9DAD41D1_80B400C0_4FD430C8, "s": 0x6BA7B811_9DAD41D1_80B400C0_4FD430C9}
    fabric = Fabric(world, client, server, gid, 0xFF10, "<")
    conn = ConnectionD(fabric, 45201, {"c": 1, "s": 0})
    conn.open(2, True, EIDS[1])
    conn.exchange(b"little endian hosts", pattern(5000, 40))
    later = ConnectionD(fabric, 45202)
    later.open(2, False, EIDS[1])
    full_ring(later)
    later.write("s", b"got all of it")
    later.read("c")
    later.close("s")
    conn.close("c")


@capture("smcd-records-be", nano=False, order=">")
def records_be(world):
    """Native ISM between big-endian hosts: SMC-Dv2 with SEID and SMC-Dv1; urgent data, half close, abort."""
    client, server = hosts()
    meet(world, client, server)
    gid = {"c": 0x2C210500_0000A111 * HIGH, "s": 0x2C210500_0000B222 * HIGH}
    fabric = Fabric(world, client, server, gid, 0x07C0, ">")
    conn = ConnectionD(fabric, 45301, {"c": 0, "s": 2})
    conn.open(2, True, SEID)
    conn.exchange(b"big endian hosts", pattern(2000, 50))
    conn.write("c", b"now!", URGENT)
    conn.read("s")
    conn.signal("s")
    conn.write("c", b" and later")
    conn.read("s")
    half_closed(conn)
    aborted = ConnectionD(fabric, 45302)
    aborted.open(2, False, SEID)
    aborted.write("c", pattern(300, 60))
    aborted.close("s", msg.ABORT)
    old = ConnectionD(Fabric(world, client, server, gid, 0, ">"), 45303)
    old.open(1, True)
    old.exchange(b"version 1", b"version 1 too")
    old.close("c")


def half_closed(conn):
    conn.flag("c", msg.DONE)
    conn.tcp.fin("c")
    conn.write("s", b"the answer after D")
    conn.read("c")
    conn.flag("s", msg.CLOSED)
    conn.tcp.fin("s")
    conn.flag("c", msg.CLOSED)
    conn.unregister("s")
