# Mutations of failover: the F message, what is written again, over which link and with which key.
# SPDX-License-Identifier: BSD-3-Clause
import messages as msg
from bases import rkey_of
from mut_llc_message import say
from registry import mutation
from scene import cdc_bytes, cdc_fields


def f_message(s, side):
    return next(f for f in s.cdc(side) if f.payload[24] & 0x08)


def token_of(s, side):
    return cdc_fields(f_message(s, side))[1]


def behind(s, frames, mark):
    index = s.at(mark)
    return [f for f in frames if s.at(f) > index]


def after_f(s, side):
    """CDCs of the moved connection behind the F of `side`."""
    return behind(s, s.cdc(side, token_of(s, side)), f_message(s, side))


@mutation()
def dead_link_used(s):
    """The first message after the failover goes over link 2 all the same."""
    cdc = after_f(s, "c")[0]
    write = s.writes("c")[[s.at(w) < s.at(cdc) for w in s.writes("c")].index(False) - 1]
    at = s.frames[s.at(write) - 1]
    va, rkey, data, message = write.va, write.rkey, bytes(write.payload), bytes(cdc.payload)
    s.roce_delete(cdc)
    s.roce_delete(write)
    first = s.write(at, "c", va, rkey, data, 2, ack=False)
    s.send(first, "c", message, 2, ack=False)


@mutation()
def failover_without_f(s):
    s.roce_delete(f_message(s, "c"))


@mutation("failover_without_f_v2", "failover_without_f_server")
def failover_without_f_v2(s):
    s.roce_delete(f_message(s, "s"))


def f_number(side, delta):
    def change(s):
        frame = f_message(s, side)
        s.set_cdc(frame, seq=cdc_fields(frame)[0] + delta)
    return change


mutation("failover_f_two_less")(f_number("c", -1))
mutation("failover_f_more")(f_number("c", 2))


@mutation()
def failover_f_not_repeated(s):
    """The second F of the base is the server's."""
    frame = [f for f in s.cdc() if f.payload[24] & 0x08][1]
    s.set_cdc(frame, seq=cdc_fields(frame)[0] - 6)


mutation("older_receiver_goes_on")(f_number("s", 3))


def skip_number(side):
    def change(s):
        for frame in after_f(s, side):
            s.set_cdc(frame, seq=cdc_fields(frame)[0] + 1)
    return change


mutation("f_takes_number")(skip_number("c"))
mutation("f_takes_number_v2")(skip_number("s"))


@mutation()
def good_f_resets(s):
    s.reset(s.last_of(f_message(s, "s")), "c")


@mutation()
def failover_cursor_applied(s):
    s.set_cdc(f_message(s, "s"), prod=(0, 120))
    s.set_cdc(after_f(s, "c")[0], cons=(0, 120))


def lose(s, count):
    """`count` WRITEs of 8 bytes with their CDCs leave the client over link 1 and are never acknowledged; everything later moves on."""
    token = token_of(s, "c")
    mark = f_message(s, "s")
    old = [f for f in s.cdc("c", token) if s.at(f) < s.at(mark)][-1]
    seq, _, prod, cons, _, _ = cdc_fields(old)
    rkey, base = rkey_of(s, 2)
    new_rkey = next(w for w in behind(s, s.writes("c", link=2), f_message(s, "c")) if base <= w.va < base + 65536).rkey
    s.shift_cdc(mark, "c", token, seq=count, prod=8 * count)
    s.shift_cdc(mark, "s", token_of(s, "s"), cons=8 * count)
    s.shift_writes(mark, "c", 8 * count, {new_rkey})
    at = s.frames[s.at(mark) - 1]
    for number in range(count):
        at = s.write(at, "c", base + prod[1] + 8 * number, rkey, b"lost %03d" % number, 1, ack=False)
        at = s.send(at, "c", cdc_bytes(seq + number + 1, token, (0, prod[1] + 8 * number + 8), cons), 1, ack=False)
    return base + prod[1], new_rkey, seq, prod[1], cons, token


@mutation()
def lost_write_not_replayed(s):
    lose(s, 1)


@mutation()
def lost_write_after_new_data(s):
    va, rkey, _, _, _, _ = lose(s, 1)
    new = after_f(s, "c")[0]
    s.write(s.last_of(new), "c", va, rkey, b"lost 000", 2)


@mutation()
def merged_replay_number(s):
    va, rkey, seq, count, cons, token = lose(s, 2)
    at = s.last_of(f_message(s, "c"))
    s.shift_cdc(at, "c", token, seq=-1)
    at = s.last_of(s.write(at, "c", va, rkey, b"lost 000lost 001", 2))
    say(s, at, "c", cdc_bytes(seq + 1, token, (0, count + 16), cons), 2)


@mutation()
def llc_replayed(s):
    """CONFIRM RKEY is lost with link 1 and comes again over link 2 before the group is stable."""
    mark = f_message(s, "s")
    ask = msg.confirm_rkey(0x555, 0xffff888005550000, [(2, 0x556, 0xffff888005550000)])
    again = msg.confirm_rkey(0x556, 0xffff888005550000, [(1, 0x555, 0xffff888005550000)])
    s.send(s.frames[s.at(mark) - 1], "s", ask, 1, ack=False)
    at = say(s, s.last_of(mark), "s", again, 2)
    reply = bytearray(again)
    reply[3] = 0x80
    say(s, at, "c", reply, 2)


@mutation()
def consumed_bytes_replayed(s):
    """The last 8 bytes, which the peer has consumed, are written and announced once more."""
    frame = f_message(s, "c")
    token = token_of(s, "c")
    old = [f for f in s.cdc("c", token) if s.at(f) < s.at(frame)][-1]
    seq, _, prod, cons, _, _ = cdc_fields(old)
    write = behind(s, s.writes("c"), after_f(s, "c")[0])
    base, rkey = rkey_of(s, 2, 1)[1], next(w for w in behind(s, s.writes("c"), frame)).rkey
    assert write
    s.shift_cdc(frame, "c", token, seq=1)
    at = s.last_of(s.write(s.last_of(frame), "c", base + prod[1] - 8, rkey, b"msg 0007"))
    say(s, at, "c", cdc_bytes(seq + 1, token, prod, cons))


@mutation()
def rkey_of_dead_link(s):
    base, old = rkey_of(s, 2)[1], rkey_of(s, 2)[0]
    write = next(w for w in behind(s, s.writes("c"), f_message(s, "c")) if base <= w.va < base + 65536)

    def change(f):
        f.rkey = old
    s.edit(write, change)


@mutation()
def rkey_of_dead_link_server(s):
    old, base = rkey_of(s, 3)
    write = next(w for w in behind(s, s.writes("s"), f_message(s, "s")) if base <= w.va < base + 65536)

    def change(f):
        f.rkey = old
    s.edit(write, change)


@mutation()
def rkey_of_dead_link_v2(s):
    """The second connection lived on link 2: its Confirm names the client's key of that link."""
    old, base = rkey_of(s, 3, 1)
    write = next(w for w in behind(s, s.writes("s"), f_message(s, "s")) if base <= w.va < base + 65536)

    def change(f):
        f.rkey = old
    s.edit(write, change)


@mutation()
def half_closed_sends_f(s):
    """The client shut its side down before the failover; it still sends F. Nothing but the end follows."""
    mark, token = f_message(s, "s"), token_of(s, "c")
    base_s, base_c = rkey_of(s, 2, 1)[1], rkey_of(s, 3, 1)[1]
    last = [f for f in s.cdc("c", token) if s.at(f) < s.at(mark)][-1]
    seq, _, prod, _, _, _ = cdc_fields(last)
    s.set_cdc(last, cf=0x80)
    gone = [f for side in "cs" for f in after_f(s, side)[:-1]]
    gone += [w for w in behind(s, s.writes(), mark) if base_s <= w.va < base_s + 65536 or base_c <= w.va < base_c + 65536]
    for frame in gone:
        s.roce_delete(frame)
    for side, cf in (("c", 0xC0), ("s", 0x40)):
        s.set_cdc(after_f(s, side)[-1], seq=seq + 1, prod=prod, cons=prod, cf=cf)
