# A capture as a scene that can be edited: messages are found by what they say, and what depends on an edit is repaired.
# SPDX-License-Identifier: BSD-3-Clause
"""Scene holds the frames of one capture. Edits keep everything else true: TCP sequence and acknowledgement numbers move when a
message grows, PSNs and MSNs move when a RoCE message comes or goes, retransmitted copies follow their original.

Sides are "c" (the TCP client) and "s". In the captures of the real kernel the fifth byte of a MAC address tells the host (0x0A client,
0x0B server) and the sixth the link; on lo only the ports tell.
"""

import copy
import struct

import pcapio
from packet import ACK, PSH, RST, SEND_ONLY, SYN, WRITE_FIRST, WRITE_LAST, WRITE_MIDDLE, WRITE_ONLY, Frame, put, u16, u32

CLC_MAGIC = (b"\xe2\xd4\xc3\xd9", b"\xe2\xd4\xc3\xc4")
CDC = 0xFE
PSN_SPACE, SEQ_SPACE = 1 << 24, 1 << 32


def later(a, b, space):
    """a - b as a signed serial difference."""
    return (a - b + space // 2) % space - space // 2


class Flow:
    """One direction of a queue pair: who sends to which QP. `template` is a frame to copy addresses from."""

    def __init__(self, template, first_psn=None):
        self.template = template
        self.first_psn = template.psn if first_psn is None else first_psn

    @property
    def key(self):
        return self.template.src, self.template.dst, self.template.qpn


class Conn:
    """One TCP connection of the scene; `model` keeps a segment of each side to copy from."""

    def __init__(self, syn):
        self.model = {}
        self.client = syn.src, syn.sport
        self.server = syn.dst, syn.dport

    def side(self, frame):
        here = frame.src, frame.sport
        there = frame.dst, frame.dport
        if (here, there) == (self.client, self.server):
            return "c"
        return "s" if (here, there) == (self.server, self.client) else None


class Scene:
    def __init__(self, frames, link=pcapio.LINK_ETHERNET):
        self.frames = frames
        self.link = link
        self.backward = {}
        self.conns = []
        for frame in frames:
            if frame.kind == "tcp" and frame.flags & (SYN | ACK) == SYN:
                self.conns.append(Conn(frame))
        for conn in self.conns:
            for frame in frames:
                if frame.kind == "tcp" and conn.side(frame) and not frame.flags & SYN:
                    conn.model.setdefault(conn.side(frame), copy.deepcopy(frame))
        seen = set()
        for frame in frames:
            if frame.is_request:
                name = frame.src, frame.dst, frame.qpn, frame.psn
                frame.dup = name in seen
                seen.add(name)

    @classmethod
    def load(cls, path):
        link, _, records = pcapio.read_pcap(path)
        return cls([Frame(r.ts_ns, r.data, r.orig_len) for r in records], link)

    def copy(self):
        return copy.deepcopy(self)

    def records(self):
        out = []
        for frame in self.frames:
            built = frame.build()
            out.append(pcapio.Record(frame.ts_ns, built, frame.wire_len(built)))
        return out

    # -- places ----------------------------------------------------------------------------------------------------------

    def at(self, frame):
        for index, other in enumerate(self.frames):
            if other is frame:
                return index
        raise ValueError("frame is not in the scene")

    def put_after(self, after, frame, gap_ns=40_000):
        """Places a frame behind another, in time too. `after` None places it first."""
        index = self.at(after) + 1 if after is not None else 0
        start = after.ts_ns if after is not None else self.frames[0].ts_ns - 2 * gap_ns
        room = self.frames[index].ts_ns - start if index < len(self.frames) else 2 * gap_ns
        frame.ts_ns = start + (min(gap_ns, room // 2) if room > 0 else 0)
        self.frames.insert(index, frame)
        return frame

    def drop(self, *frames):
        gone = {id(f) for f in frames}
        self.frames = [f for f in self.frames if id(f) not in gone]

    def cut_after(self, frame):
        self.frames = self.frames[:self.at(frame) + 1]

    def stretch(self, after, seconds):
        """Everything behind `after` happens later."""
        for frame in self.frames[self.at(after) + 1:]:
            frame.ts_ns += int(seconds * 10**9)

    def append(self, other, gap=0.1):
        """The frames of another scene follow this one's."""
        shift = self.frames[-1].ts_ns + int(gap * 10**9) - other.frames[0].ts_ns
        for frame in other.frames:
            frame.ts_ns += shift
        self.frames += other.frames
        self.conns += other.conns

    def sort(self):
        self.frames.sort(key=lambda f: f.ts_ns)

    # -- TCP -------------------------------------------------------------------------------------------------------------

    def tcp(self, side=None, conn=0):
        who = self.conns[conn]
        return [f for f in self.frames if f.kind == "tcp" and who.side(f) and side in (None, who.side(f))]

    def syn(self, conn=0):
        return self.tcp("c", conn)[0]

    def synack(self, conn=0):
        return next(f for f in self.tcp("s", conn) if f.flags & SYN)

    def clc(self, kind, conn=0, side=None):
        for frame in self.tcp(side, conn):
            if bytes(frame.payload[:4]) in CLC_MAGIC and frame.payload[4] == kind:
                return frame
        raise LookupError(f"no CLC message {kind}")

    def has_clc(self, kind, conn=0):
        return any(bytes(f.payload[:4]) in CLC_MAGIC and f.payload[4] == kind for f in self.tcp(None, conn))

    def _shift_tcp(self, conn, side, edge, delta, index):
        """From `index` on: sequence numbers of `side` from `edge` on, and what acknowledges them, move by delta."""
        for frame in self.frames[index:] if delta else ():
            if frame.kind != "tcp" or not self.conns[conn].side(frame):
                continue
            if self.conns[conn].side(frame) == side:
                if later(frame.seq, edge, SEQ_SPACE) >= 0:
                    frame.seq = frame.seq + delta
            elif frame.flags & ACK and later(frame.ack, edge, SEQ_SPACE) >= 0:
                frame.ack = frame.ack + delta
                self._shift_sack(frame, edge, delta)

    @staticmethod
    def _shift_sack(frame, edge, delta):
        at = 20
        while at < len(frame.tcp) and frame.tcp[at]:
            if frame.tcp[at] == 1:
                at += 1
                continue
            if frame.tcp[at] == 5:
                for place in range(at + 2, at + frame.tcp[at + 1], 4):
                    if later(u32(frame.tcp, place), edge, SEQ_SPACE) >= 0:
                        put(frame.tcp, place, u32(frame.tcp, place) + delta, 4)
            at += frame.tcp[at + 1]

    def conn_of(self, frame):
        for number, conn in enumerate(self.conns):
            if conn.side(frame):
                return number
        raise LookupError("no connection")

    def set_payload(self, frame, payload):
        """Gives a TCP segment another payload; the stream behind it moves."""
        conn = self.conn_of(frame)
        side = self.conns[conn].side(frame)
        twins = [f for f in self.tcp(side, conn) if f.seq == frame.seq and len(f.payload) == len(frame.payload)]
        end, delta = frame.seq + len(frame.payload), len(payload) - len(frame.payload)
        self._shift_tcp(conn, side, end % SEQ_SPACE, delta, self.at(twins[0]))
        for twin in twins:
            twin.payload = bytearray(payload)
            twin.touch()

    def edit_clc(self, kind, change, conn=0, side=None):
        """change(bytearray) edits a CLC message in place or returns a new one; its length field is the caller's business."""
        frame = self.clc(kind, conn, side)
        message = bytearray(frame.payload)
        message = change(message) or message
        self.set_payload(frame, message)
        return frame

    def resize_clc(self, kind, change, conn=0, side=None):
        """As edit_clc, and the length field follows the new length."""
        def fix(message):
            message = change(message) or message
            put(message, 5, len(message), 2)
            return message
        return self.edit_clc(kind, fix, conn, side)

    def _next_seq(self, index, conn, side):
        edge = None
        for frame in self.frames[:index]:
            if frame.kind == "tcp" and self.conns[conn].side(frame) == side and not frame.flags & RST:
                end = (frame.seq + frame.span) % SEQ_SPACE
                if edge is None or later(end, edge, SEQ_SPACE) > 0:
                    edge = end
        return edge

    def tcp_insert(self, after, side, payload=b"", flags=PSH | ACK, conn=0, ack=None):
        """A new segment behind `after`. Data and FIN move the rest of the stream; RST moves nothing."""
        index = self.at(after) + 1
        frame = copy.deepcopy(self.conns[conn].model[side])
        frame.payload = bytearray(payload)
        frame.tcp[13] = flags
        seq = self._next_seq(index, conn, side)
        other = self._next_seq(index, conn, "s" if side == "c" else "c")
        if not flags & RST:
            self._shift_tcp(conn, side, seq, frame.span, index)
        frame.seq = seq
        frame.ack = other if ack is None else ack
        return self.put_after(after, frame)

    def tcp_delete(self, frame):
        conn = self.conn_of(frame)
        side = self.conns[conn].side(frame)
        edge, span, index = (frame.seq + frame.span) % SEQ_SPACE, frame.span, self.at(frame)
        self.drop(*[f for f in self.tcp(side, conn) if f.seq == frame.seq and f.span == span and f.flags == frame.flags])
        self._shift_tcp(conn, side, edge, -span, index)

    def reset(self, after, side, conn=0):
        """TCP RST behind `after`, and nothing else any more."""
        frame = self.tcp_insert(after, side, flags=RST | ACK, conn=conn)
        self.cut_after(frame)
        return frame

    # -- RoCE: finding ---------------------------------------------------------------------------------------------------

    @staticmethod
    def roce_side(frame):
        return "c" if frame.l2[10] == 0x0A else "s"

    @staticmethod
    def link_of(frame):
        return frame.l2[11]

    def requests(self, side=None, link=None):
        return [f for f in self.frames if f.is_request and not f.dup and side in (None, self.roce_side(f)) and link in (None, self.link_of(f))]

    def llc(self, kind=None, side=None, link=None, response=None):
        """LLC messages whose low type nibble is `kind`."""
        out = []
        for f in self.requests(side, link):
            if f.op == SEND_ONLY and f.payload and f.payload[0] != CDC and kind in (None, f.payload[0] & 15):
                if response in (None, bool(f.payload[3] & 0x80)):
                    out.append(f)
        return out

    def cdc(self, side=None, token=None, link=None):
        return [f for f in self.requests(side, link) if f.op == SEND_ONLY and f.payload and f.payload[0] == CDC
                and token in (None, u32(f.payload, 4))]

    def writes(self, side=None, link=None, rkey=None):
        return [f for f in self.requests(side, link) if f.op in (WRITE_FIRST, WRITE_ONLY) and rkey in (None, f.rkey)]

    @staticmethod
    def key(frame):
        return frame.src, frame.dst, frame.qpn

    def reverse_key(self, key):
        return self.backward.get(key, (key[1], key[0], key[2]))

    def flow(self, side, link=1):
        frame = next((f for f in self.requests(side, link)), None)
        if frame is None:
            frame = next(f for f in self.frames if f.kind == "roce" and self.roce_side(f) == side and self.link_of(f) == link)
            return Flow(frame, 0x123456)
        return Flow(frame)

    def flow_of(self, frame):
        return Flow(frame)

    def copies(self, frame):
        return [f for f in self.frames if f.is_request and self.key(f) == self.key(frame) and f.psn == frame.psn]

    def acks(self, frame):
        back = self.reverse_key(self.key(frame))
        return [f for f in self.frames if f.is_ack and self.key(f) == back and f.psn == frame.psn]

    def packets(self, frame):
        """All packets of the RoCE message that begins with `frame`."""
        if frame.op != WRITE_FIRST:
            return [frame]
        out = [frame]
        for f in self.frames[self.at(frame) + 1:]:
            if f.is_request and not f.dup and self.key(f) == self.key(frame):
                out.append(f)
                if f.op not in (WRITE_MIDDLE,):
                    break
        return out

    # -- RoCE: editing ---------------------------------------------------------------------------------------------------

    def edit(self, frame, change):
        """change(frame) is done to a request and to every retransmitted copy of it."""
        for twin in self.copies(frame):
            change(twin)
            twin.touch()
        return frame

    def set_message(self, frame, payload):
        def change(f):
            f.payload = bytearray(payload)
        return self.edit(frame, change)

    def poke(self, frame, at, value, size=1):
        """Writes an integer into the payload of a request."""
        return self.edit(frame, lambda f: put(f.payload, at, value, size))

    def _shift_psn(self, key, edge, delta, messages, index):
        back = self.reverse_key(key)
        for frame in self.frames[index:]:
            if frame.kind != "roce":
                continue
            if frame.is_request and self.key(frame) == key and later(frame.psn, edge, PSN_SPACE) >= 0:
                frame.psn = frame.psn + delta
            elif frame.is_ack and self.key(frame) == back and later(frame.psn, edge, PSN_SPACE) >= 0:
                frame.psn = frame.psn + delta
                frame.msn = frame.msn + messages

    def _edge_psn(self, flow, index):
        """The PSN that a request at `index` has to take, and the MSN that its acknowledgement has to carry."""
        psn = msn = None
        for frame in self.frames[:index]:
            if frame.is_request and self.key(frame) == flow.key:
                if psn is None or later(frame.psn, psn, PSN_SPACE) >= 0:
                    psn = (frame.psn + 1) % PSN_SPACE
            elif frame.is_ack and self.key(frame) == self.reverse_key(flow.key):
                msn = frame.msn if msn is None or later(frame.msn, msn, PSN_SPACE) > 0 else msn
        if psn is None:
            rest = [f.psn for f in self.frames[index:] if f.is_request and self.key(f) == flow.key]
            psn = rest[0] if rest else flow.first_psn
        if msn is None:
            rest = [f.msn for f in self.frames[index:] if f.is_ack and self.key(f) == self.reverse_key(flow.key)]
            msn = rest[0] - 1 if rest else 0
        return psn, msn

    def roce_insert(self, after, flow, parts, ack=True):
        """One RoCE message of [(op, ext, payload)] behind `after`, with an acknowledgement; returns its first frame."""
        index = self.at(after) + 1
        psn, msn = self._edge_psn(flow, index)
        self._shift_psn(flow.key, psn, len(parts), 1, index)
        first, place = None, after
        for number, (op, ext, payload) in enumerate(parts):
            frame = copy.deepcopy(flow.template)
            frame.dup = False
            frame.cut, frame.keep = False, set()
            frame.orig_len, frame.padding = 0, b""
            frame.bth[0] = op
            frame.bth[1] = 0x80 if op == SEND_ONLY else 0
            frame.bth[8] = 0x80 if number == len(parts) - 1 else 0
            frame.ext, frame.payload = bytearray(ext), bytearray(payload)
            frame.psn = psn + number
            place = self.put_after(place, frame)
            first = first or frame
        if ack:
            self._insert_ack(place, flow, psn + len(parts) - 1, msn + 1)
        return first

    def _insert_ack(self, after, flow, psn, msn, syndrome=0x1F):
        back = self.reverse_key(flow.key)
        sample = next(f for f in self.frames if f.is_ack)
        model = next((f for f in self.frames if f.kind == "roce" and self.key(f) == back), None)
        frame = copy.deepcopy(sample)
        if model is None:
            frame.l2[0:6], frame.l2[6:12] = flow.template.l2[6:12], flow.template.l2[0:6]
            frame.ip, frame.udp = bytearray(flow.template.ip), bytearray(flow.template.udp)
            half = 16 if frame.v6 else 4
            where = 8 if frame.v6 else 12
            frame.ip[where:where + 2 * half] = frame.ip[where + half:where + 2 * half] + frame.ip[where:where + half]
        else:
            frame.l2, frame.ip, frame.udp = bytearray(model.l2), bytearray(model.ip), bytearray(model.udp)
        put(frame.bth, 5, back[2], 3)
        frame.ext[0] = syndrome
        frame.psn, frame.msn = psn, msn
        return self.put_after(after, frame)

    def roce_delete(self, first):
        """Takes a RoCE message away, with its copies and acknowledgements."""
        parts = self.packets(first)
        key, edge, index = self.key(first), parts[0].psn, self.at(first)
        for part in parts:
            self.drop(*self.copies(part), *self.acks(part))
        self._shift_psn(key, edge, -len(parts), -1, min(index, len(self.frames)))

    def send(self, after, side, payload, link=1, flow=None, ack=True):
        """An LLC or CDC message behind `after`."""
        return self.roce_insert(after, flow or self.flow(side, link), [(SEND_ONLY, b"", payload)], ack)

    def write(self, after, side, va, rkey, data, link=1, flow=None, mtu=1024, ack=True):
        """An RDMA WRITE behind `after`, in as many packets as the MTU asks for."""
        reth = struct.pack(">QII", va, rkey, len(data))
        pieces = [data[i:i + mtu] for i in range(0, len(data), mtu)] or [b""]
        parts = []
        for number, piece in enumerate(pieces):
            last = number == len(pieces) - 1
            op = (WRITE_ONLY if last else WRITE_FIRST) if number == 0 else WRITE_LAST if last else WRITE_MIDDLE
            parts.append((op, reth if number == 0 else b"", piece))
        return self.roce_insert(after, flow or self.flow(side, link), parts, ack)

    def last_of(self, frame):
        """The acknowledgement of a request if there is one behind it, else its last packet: where the next thing may happen."""
        last = self.packets(frame)[-1]
        acks = self.acks(last)
        return acks[-1] if acks and self.at(acks[-1]) > self.at(last) else last

    def swap(self, one, two):
        """Two requests of the same flow change places: bodies move, PSNs and times stay."""
        for f, g in zip(self.copies(one)[:1], self.copies(two)[:1]):
            f.bth[0], g.bth[0] = g.bth[0], f.bth[0]
            f.bth[1], g.bth[1] = g.bth[1], f.bth[1]
            f.ext, g.ext = g.ext, f.ext
            f.payload, g.payload = g.payload, f.payload
            f.padding, g.padding = g.padding, f.padding
            f.touch()
            g.touch()

    def new_link(self, side, like, mac, gid, peer_mac, peer_gid, qpn, psn):
        """A flow over addresses that the capture has not seen; pair two of them with `pair`."""
        frame = copy.deepcopy(like)
        frame.l2[0:6], frame.l2[6:12] = peer_mac, mac
        half = 16 if frame.v6 else 4
        where = 8 if frame.v6 else 12
        frame.ip[where:where + half] = gid[16 - half:]
        frame.ip[where + half:where + 2 * half] = peer_gid[16 - half:]
        put(frame.bth, 5, qpn, 3)
        frame.touch()
        return Flow(frame, psn)

    def pair(self, one, two):
        self.backward[one.key] = two.key
        self.backward[two.key] = one.key

    # -- CDC -------------------------------------------------------------------------------------------------------------

    def set_cdc(self, frame, seq=None, token=None, prod=None, cons=None, pf=None, cf=None):
        """Changes named fields of a CDC; prod and cons are (wrap, count)."""
        def change(f):
            write_cdc(f.payload, seq, token, prod, cons, pf, cf)
        return self.edit(frame, change)

    def shift_cdc(self, after, side, token, seq=0, prod=0, cons=0):
        """Moves numbers and counts of every later CDC of one direction (no wrap is expected between)."""
        index = self.at(after)
        for frame in self.cdc(side, token):
            if self.at(frame) > index and not frame.payload[24] & 0x08:
                p = frame.payload
                self.set_cdc(frame, seq=(u16(p, 2) + seq) % 65536, prod=(u16(p, 10), u32(p, 12) + prod), cons=(u16(p, 18), u32(p, 20) + cons))

    def shift_writes(self, after, side, delta, rkeys):
        index = self.at(after)
        for frame in self.writes(side):
            if self.at(frame) > index and frame.rkey in rkeys:
                def change(f):
                    f.va = f.va + delta
                self.edit(frame, change)


def write_cdc(p, seq=None, token=None, prod=None, cons=None, pf=None, cf=None):
    if seq is not None:
        put(p, 2, seq, 2)
    if token is not None:
        put(p, 4, token, 4)
    if prod is not None:
        put(p, 10, prod[0], 2)
        put(p, 12, prod[1], 4)
    if cons is not None:
        put(p, 18, cons[0], 2)
        put(p, 20, cons[1], 4)
    if pf is not None:
        p[24] = pf
    if cf is not None:
        p[25] = cf


def cdc_bytes(seq, token, prod=(0, 0), cons=(0, 0), pf=0, cf=0):
    p = bytearray(44)
    p[0], p[1] = CDC, 44
    write_cdc(p, seq, token, prod, cons, pf, cf)
    return p


def cdc_fields(frame):
    """(seq, token, (wrap, count) of producer, of consumer, producer flags, connection flags)"""
    p = frame.payload
    return u16(p, 2), u32(p, 4), (u16(p, 10), u32(p, 12)), (u16(p, 18), u32(p, 20)), p[24], p[25]
