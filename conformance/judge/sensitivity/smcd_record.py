# The data path of SMC-D as records of the local EtherType 0x88B5, for captures that hold only CLC.
# SPDX-License-Identifier: BSD-3-Clause
import struct

from packet import Frame

ETHERTYPE = 0x88B5
REGISTER, UNREGISTER, ATTACH, DETACH, MOVE, SIGNAL, EVENT = range(1, 8)
LITTLE, BIG = 0, 1
DMB_SIZE = 65536


class RecordFrame(Frame):
    """One record; its fields may be changed until it is built."""

    def __init__(self, ts_ns, op, source, target, token, offset=0, data=b"", signal=0, total=None, index=0):
        self.op_code, self.source, self.target, self.token = op, source, target, token
        self.offset, self.data, self.signal, self.index = offset, bytearray(data), signal, index
        self.total, self.fragment, self.order = total, 0, LITTLE
        super().__init__(ts_ns, self._bytes())

    def _bytes(self):
        total = len(self.data) if self.total is None else self.total
        head = struct.pack(">BBBB", 1, self.op_code, self.signal, self.order) + self.source + self.target
        head += struct.pack(">QIIII", self.token, self.index, self.offset, total, self.fragment)
        return bytes(12) + struct.pack(">H", ETHERTYPE) + head + bytes(self.data)

    def build(self):
        built = self._bytes()
        self.orig_len = len(built)
        return built


def block(prod, cons, pf=0, cf=0, order="<"):
    """The 32 bytes at the start of a DMB element; prod and cons are (wrap, count)."""
    return struct.pack(order + "B7xHIHHIBB8x", 0xFE, prod[0], prod[1], 0, cons[0], cons[1], pf, cf)


def with_data_path(scene):
    """32 bytes to the server and back, then both close: what `a` says the applications did."""
    accept, confirm = scene.clc(2), scene.clc(3)
    gid = {"s": bytes(accept.payload[8:16] + accept.payload[66:74]), "c": bytes(confirm.payload[8:16] + confirm.payload[66:74])}
    token = {"s": int.from_bytes(accept.payload[16:24], "big"), "c": int.from_bytes(confirm.payload[16:24], "big")}
    peer, index = {"c": "s", "s": "c"}, {"s": 1, "c": 2}
    scene.smcd = []

    def record(after, op, side, owner, **fields):
        frame = RecordFrame(0, op, gid[side], gid[peer[side]] if op in (REGISTER, UNREGISTER) else gid[owner], token[owner],
                            index=index[owner], **fields)
        scene.smcd.append(frame)
        return scene.put_after(after, frame)

    def say(after, side, *cursors, cf=0):
        return record(after, MOVE, side, peer[side], data=block(*cursors, cf=cf), signal=1)
    record(scene.frames[scene.at(accept) - 1], REGISTER, "s", "s", total=DMB_SIZE)
    record(scene.frames[scene.at(confirm) - 1], REGISTER, "c", "c", total=DMB_SIZE)
    hello = b"Hello SMC from client, message 1"
    at = record(confirm, MOVE, "c", "s", offset=32, data=hello)
    at = say(at, "c", (0, 32), (0, 0))
    at = record(at, MOVE, "s", "c", offset=32, data=hello)
    at = say(at, "s", (0, 32), (0, 32))
    at = say(at, "c", (0, 32), (0, 32), cf=0x40)
    at = say(at, "s", (0, 32), (0, 32), cf=0x40)
    at = record(at, UNREGISTER, "c", "c")
    record(at, UNREGISTER, "s", "s")
    return scene
