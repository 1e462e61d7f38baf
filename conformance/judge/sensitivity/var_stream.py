# Legal variations of the TCP stream: segments, retransmissions, options, sequence numbers, and frames that the capture lost.
# SPDX-License-Identifier: BSD-3-Clause
import copy

from messages import decline_v1, decline_v2
from mut_clc_flow import acked, fallback, split
from mut_tcpopt import OPTION, final_ack, replace
from packet import ACK, FIN
from registry import variation

HANDSHAKES = ("v1-a", "v2-a", "d-a", "v2-f3", "v1-i")


def clc_frames(s):
    return [f for kind in (1, 2, 3, 4) if s.has_clc(kind) for f in [s.clc(kind)]]


def split_at(place):
    def change(s):
        for frame in clc_frames(s):
            at = place if place >= 0 else len(frame.payload) + place
            split(s, frame, at)
    change.__name__ = f"clc_split_at_{place}" if place >= 0 else f"clc_split_{-place}_before_end"
    variation(*HANDSHAKES)(change)


for where in (1, 4, 5, 6, 7, 8, 9, 40, -4, -1):
    split_at(where)


@variation(*HANDSHAKES)
def clc_split_in_three(s):
    for frame in clc_frames(s):
        split(s, split(s, frame, 7), 20)


@variation("v1-a", "v2-f3", "d-a")
def clc_byte_by_byte(s):
    for frame in clc_frames(s):
        while len(frame.payload) > 1:
            frame = split(s, frame, 1)


@variation(*HANDSHAKES)
def clc_halves_out_of_order(s):
    for frame in clc_frames(s):
        second = split(s, frame, 30)
        first_time = frame.ts_ns
        one, two = s.at(frame), s.at(second)
        s.frames[one], s.frames[two] = second, frame
        frame.ts_ns, second.ts_ns = second.ts_ns, first_time


@variation(*HANDSHAKES)
def clc_retransmitted(s):
    for frame in clc_frames(s):
        s.put_after(frame, copy.deepcopy(frame))


@variation(*HANDSHAKES)
def clc_retransmitted_late(s):
    for frame in clc_frames(s):
        s.put_after(acked(s, frame), copy.deepcopy(frame))


@variation(*HANDSHAKES)
def clc_overlapping(s):
    for frame in clc_frames(s):
        whole = bytes(frame.payload)
        second = split(s, frame, 24)
        second.payload = bytearray(whole[10:])
        second.seq = second.seq - 14


@variation(*HANDSHAKES)
def clc_part_then_whole(s):
    for frame in clc_frames(s):
        whole = copy.deepcopy(frame)
        second = split(s, frame, 12)
        s.drop(second)
        s.put_after(frame, whole)


@variation("v2-f3", "v2-f5")
def decline_and_data_in_one_segment(s):
    decline = s.clc(4)
    s.set_payload(decline, bytes(decline.payload) + b"the server speaks first")


@variation("v2-f3")
def data_with_eyecatcher_after_decline(s):
    data = next(f for f in s.tcp("c") if f.payload and s.at(f) > s.at(s.clc(4)))
    s.set_payload(data, b"\xe2\xd4\xc3\xd9 is what SMCR looks like in EBCDIC")


@variation("v1-a", "v2-a")
def duplicate_acks(s):
    for frame in [f for f in s.tcp() if f.flags == ACK and not f.payload][1:3]:
        for _ in range(3):
            s.put_after(frame, copy.deepcopy(frame))


@variation("v1-j", "v2-g")
def keepalive_answered(s):
    at = s.last_of(s.cdc("s")[1])
    for _ in range(3):
        probe = s.tcp_insert(at, "c", flags=ACK)
        probe.seq = probe.seq - 1
        at = s.tcp_insert(probe, "s", flags=ACK)


@variation("v1-a", "v2-f3", "d-a")
def syn_retransmitted(s):
    for frame in (s.syn(), s.synack()):
        twin = copy.deepcopy(frame)
        twin.ts_ns += 100
        s.put_after(frame, twin)


@variation("v1-a", "v2-a", "d-a", "v2-f3")
def sequence_numbers_wrap(s):
    delta = {"c": -s.syn().seq - 50, "s": -s.synack().seq - 20}
    for frame in s.tcp():
        side = s.conns[0].side(frame)
        frame.seq = frame.seq + delta[side]
        if frame.flags & ACK:
            frame.ack = frame.ack + delta["s" if side == "c" else "c"]
            s._shift_sack(frame, 0, delta["s" if side == "c" else "c"])


@variation("v1-a", "v2-a", "d-a")
def option_nops_behind(s):
    for frame in (s.syn(), s.synack()):
        replace(frame, OPTION + b"\x01\x01")


@variation("v1-a", "v2-a", "d-a")
def option_first(s):
    for frame in (s.syn(), s.synack()):
        replace(frame, b"")
        frame.tcp[20:20] = OPTION + b"\x01\x01"


@variation("v1-a", "v2-a")
def option_with_end_of_list(s):
    for frame in (s.syn(), s.synack()):
        replace(frame, b"")
        frame.tcp += OPTION + b"\x00\x00"


@variation("v1-a", "v2-f3", "v2-f1")
def other_experiment_beside(s):
    s.syn().tcp += b"\xfe\x04\xf9\x89"
    s.syn().touch()


@variation("v1-a", "v2-a", "d-a", "v2-f3")
def option_on_ack_too(s):
    final_ack(s).tcp += b"\x01\x01" + OPTION
    final_ack(s).touch()


@variation("v2-f3")
def client_without_device(s):
    """The client's Decline stands in the place of its Proposal."""
    at = final_ack(s)
    s.cut_after(at)
    fallback(s, s.tcp_insert(at, "c", decline_v1(bytes(8))))


@variation("v1-a", "v2-a")
def client_declines_accept(s):
    accept = s.clc(2)
    peer = bytes(s.clc(3).payload[8:16])
    message = decline_v1(peer, 0x01010000) if accept.payload[7] >> 4 == 1 else decline_v2(peer, 0x01010000)
    s.cut_after(acked(s, accept))
    fallback(s, s.tcp_insert(s.frames[-1], "c", message))


# -- what a capture may lack ---------------------------------------------------------------------------------------------

LOSSY = ("v1-a", "v2-g", "v1-e3", "v2-d", "v2-k", "v2-f3", "d-a", "v1-j", "v1-d2")


def lost(name, pick):
    def change(s):
        frames = pick(s)
        s.drop(*frames)
    change.__name__ = "lost_" + name
    variation("v1-a", "v2-g", "v2-d")(change)


lost("syn", lambda s: [s.syn()])
lost("synack", lambda s: [s.synack()])
lost("proposal", lambda s: [s.clc(1)])
lost("accept", lambda s: [s.clc(2)])
lost("confirm", lambda s: [s.clc(3)])
lost("first_llc", lambda s: s.llc()[:1])
lost("second_llc", lambda s: s.llc()[1:2])
lost("first_write", lambda s: s.writes()[:1])
lost("first_cdc", lambda s: s.cdc()[:1])
lost("last_cdc", lambda s: s.cdc()[-1:])
lost("all_acks", lambda s: [f for f in s.frames if f.is_ack])
lost("all_writes", lambda s: s.writes())
lost("all_of_tcp", lambda s: s.tcp())
lost("all_of_roce", lambda s: [f for f in s.frames if f.kind == "roce"])
lost("client_to_server", lambda s: [f for f in s.frames if f.kind == "tcp" and s.conns[0].side(f) == "c"
                                    or f.kind == "roce" and s.roce_side(f) == "c"])
lost("server_to_client", lambda s: [f for f in s.frames if f.kind == "tcp" and s.conns[0].side(f) == "s"
                                    or f.kind == "roce" and s.roce_side(f) == "s"])
lost("fins", lambda s: [f for f in s.tcp() if f.flags & FIN])


def each(s, change):
    """One file for every frame of the scene."""
    out = []
    for number in range(len(s.frames)):
        other = s.copy()
        change(other, number)
        out.append(other)
    return out


@variation(*LOSSY)
def lost_any_one(s):
    return each(s, lambda other, n: other.frames.pop(n))


@variation(*LOSSY)
def late_start(s):
    def change(other, n):
        other.frames = other.frames[n:]
    return each(s, change)


@variation(*LOSSY)
def early_end(s):
    def change(other, n):
        other.frames = other.frames[:n + 1]
    return each(s, change)


def every_nth(s, step, change):
    out = []
    for number in range(0, len(s.frames), step):
        other = s.copy()
        change(other, number)
        out.append(other)
    return out


@variation("v1-g6", "v2-g2", "v2-c2")
def late_start_long(s):
    return every_nth(s, 31, lambda other, n: setattr(other, "frames", other.frames[n:]))


@variation("v1-g6", "v2-g2", "v2-c2")
def early_end_long(s):
    return every_nth(s, 31, lambda other, n: setattr(other, "frames", other.frames[:n + 1]))


@variation("v1-g6", "v2-g2", "v2-c2", "v1-b2")
def lost_some_long(s):
    return every_nth(s, 23, lambda other, n: other.frames.pop(n))


@variation("v1-g6", "v2-g2", "v2-c2")
def lost_ten_in_a_row(s):
    return every_nth(s, 53, lambda other, n: other.frames.__delitem__(slice(n, n + 10)))


@variation("v1-a", "v2-g", "v1-e3", "v2-d", "v2-g2")
def everything_twice(s):
    """A mirror of both directions of a port: every frame comes twice."""
    s.frames = [f for frame in s.frames for f in (frame, copy.deepcopy(frame))]
