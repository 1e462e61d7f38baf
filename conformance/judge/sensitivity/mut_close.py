# Mutations of the ways a connection ends.
# SPDX-License-Identifier: BSD-3-Clause
from bases import rkey_of
from mut_cdc import more_cdc, more_data, renumber
from mut_clc_flow import move_after
from mut_llc_message import idle, say, settled
from packet import ACK, FIN, RST
from registry import mutation
from scene import cdc_bytes, cdc_fields


def closing(s, side, number=-1):
    """The CDC in which a side says D, C or A."""
    return [f for f in s.cdc(side) if f.payload[25]][number]


def closed(s, side, number=-1):
    return s.last_of(closing(s, side, number))


@mutation("data_after_done", "data_after_done_v1")
def data_after_done(s):
    more_data(s, closed(s, "c", 0), "c", 8, cf=0x80)


@mutation()
def cdc_after_close(s):
    more_cdc(s, closed(s, "c"), "c")


@mutation("write_after_close", "write_after_close_v1")
def write_after_close(s):
    rkey, va = rkey_of(s, 3)
    s.write(closed(s, "s"), "s", va + 32, rkey, b"too late")


@mutation()
def data_after_close(s):
    more_data(s, closed(s, "c"), "c", 8, cf=0x40, consumed=False)


@mutation()
def data_sent_into_abort(s):
    """Some 40 ms later: what left at once may have been posted before A was read."""
    more_data(s, s.frames[s.at(closed(s, "c")) + 1], "s", 100)


@mutation()
def cdc_after_reset(s):
    """The server, which has reset the connection, announces that it consumed what came after."""
    last = cdc_fields(s.cdc("s")[-1])
    say(s, s.cdc("c")[-1], "s", cdc_bytes(last[0] + 1, last[1], last[2], (0, 72)))


@mutation()
def close_without_c(s):
    s.roce_delete(closing(s, "c"))


@mutation()
def close_without_c_v2(s):
    s.roce_delete(closing(s, "s"))


@mutation()
def unread_closed_with_c(s):
    for side in "cs":
        s.set_cdc(closing(s, side), cf=0x40)


@mutation()
def close_while_blocked(s):
    for frame in s.cdc("c")[12:14]:
        s.set_cdc(frame, pf=0x80)


@mutation()
def peer_close_while_blocked(s):
    """Full ring, B set; the server reads it all and closes; the client answers C although data waits."""
    keep = {id(s.writes("c")[0]), id(s.cdc("c")[0]), id(s.cdc("c")[-1]), id(s.cdc("s")[0])}
    for frame in reversed(s.cdc() + s.writes()):
        if id(frame) not in keep:
            s.roce_delete(frame)
    s.set_cdc(s.cdc("s")[0], cons=(1, 0), cf=0x40)
    s.set_cdc(s.cdc("c")[1], seq=2, prod=(1, 0), cons=(0, 0), cf=0x40)


@mutation()
def fin_wait_without_c(s):
    s.roce_delete(closing(s, "c"))


@mutation()
def data_after_own_shutdown(s):
    """The server, which has seen D, says D itself and then sends its answer."""
    token = cdc_fields(s.cdc("s")[0])[1]
    before = s.frames[s.at(s.writes("s")[0]) - 1]
    for frame in s.cdc("s"):
        s.set_cdc(frame, cf=frame.payload[25] | 0x80)
    renumber(s, "s", 0, 1)
    say(s, before, "s", cdc_bytes(1, token, (0, 0), (0, 32), 0, 0x80))


def cross(s):
    """The server's last word leaves before the client's arrived."""
    move_after(s, closing(s, "s"), closing(s, "c"))


@mutation()
def simultaneous_close_extra(s):
    cross(s)
    more_cdc(s, closed(s, "s"), "c")


@mutation()
def crossing_aborts_extra(s):
    cross(s)
    more_cdc(s, closed(s, "s"), "c")


@mutation()
def data_after_abort(s):
    more_data(s, closed(s, "c"), "c", 1, cf=0x20, consumed=False)


@mutation()
def abort_answered_by_c(s):
    s.set_cdc(closing(s, "s"), cf=0x40)


@mutation()
def abort_ping_pong(s):
    more_cdc(s, closed(s, "s"), "c")


def reset_midway(side):
    def change(s):
        after = settled(s)
        for frame in s.tcp():
            if s.at(frame) > s.at(after):
                s.drop(frame)
        s.tcp_insert(after, side, flags=RST | ACK)
    return change


mutation("reset_ignored")(reset_midway("c"))
mutation("reset_ignored_v2")(reset_midway("s"))


@mutation()
def fin_long_before_close(s):
    fin = next(f for f in s.tcp("c") if f.flags & FIN)
    move_after(s, fin, settled(s))


@mutation()
def fin_long_after_close(s):
    s.stretch(closing(s, "c"), 5)


@mutation()
def keepalive_unanswered(s):
    """Three probes, 200 ms apart, for the byte before the next one; nobody answers."""
    at = idle(s)
    for _ in range(3):
        probe = s.tcp_insert(at, "c", flags=ACK)
        probe.seq = probe.seq - 1
        s.drop(probe)
        probe.ts_ns = (at.ts_ns if at.kind == "tcp" else at.ts_ns) + 200_000_000
        s.frames.append(probe)
        s.sort()
        at = probe
