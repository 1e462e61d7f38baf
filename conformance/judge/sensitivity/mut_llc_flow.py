# Mutations of LLC exchanges: which link, in which order, at the same time as what, answered or not.
# SPDX-License-Identifier: BSD-3-Clause
import messages as msg
from bases import rkey_of
from mut_llc_message import idle, req, rsp, say, settled
from packet import u32
from registry import mutation

MAC = {name: bytes([0x52, 0x54, 0, 0, 0x0A if name[0] == "A" else 0x0B, int(name[1])]) for name in ("A1", "A2", "A3", "B1", "B2", "B3")}
GID = {name: b"\xfe\x80" + bytes(6) + b"\x50\x54\0\xff\xfe\0" + mac[4:] for name, mac in MAC.items()}


def resend(s, frame, after, side, link):
    """A message leaves its place (and link) for another one."""
    message = bytes(frame.payload)
    s.roce_delete(frame)
    return s.send(after, side, message, link)


def answer(message, flags=0x80):
    out = bytearray(message)
    out[3] = flags
    return out


# -- the link of a message -----------------------------------------------------------------------------------------------

@mutation()
def confirm_link_reply_other_link(s):
    resend(s, rsp(s, 1, "c", 1), s.last_of(req(s, 1, "s", 1)), "c", 1)


@mutation()
def confirm_link_request_other_link(s):
    request = req(s, 1, "s", 1)
    resend(s, request, s.frames[s.at(request) - 1], "s", 1)


@mutation()
def test_link_reply_other_link(s):
    at = say(s, settled(s), "s", msg.test_link(), 2)
    say(s, at, "c", msg.test_link(flags=0x80), 1)


@mutation()
def rkey_reply_other_link(s):
    resend(s, rsp(s, 6, "c"), s.last_of(req(s, 6, "s")), "c", 1)


@mutation()
def delete_rkey_reply_other_link(s):
    reply = rsp(s, 9, "s")
    resend(s, reply, s.frames[s.at(reply) - 1], "s", 2)


# -- more links ----------------------------------------------------------------------------------------------------------

def link_exchange(s, after, number, server, client, qpn, before_confirm=None):
    """ADD LINK from request to CONFIRM LINK between two devices ("B1", "A2" …), v1. before_confirm(s, at) may act in between."""
    sq, cq, spsn, cpsn = qpn, qpn + 1, 0x111100 + number, 0x222200 + number
    pairs = [[(rkey_of(s, kind)[0], 0xB00 * number + kind, rkey_of(s, kind)[1])] for kind in (2, 3)]
    at = say(s, after, "s", msg.add_link(MAC[server], GID[server], sq, number, spsn))
    at = say(s, at, "c", msg.add_link(MAC[client], GID[client], cq, number, cpsn, flags=0x80))
    at = say(s, at, "s", msg.add_cont(number, 1, pairs[0]))
    at = say(s, at, "c", msg.add_cont(number, 1, pairs[1], 0x80))
    if before_confirm:
        at = before_confirm(s, at)
    like = s.flow("s").template, s.flow("c").template
    down = s.new_link("s", like[0], MAC[server], GID[server], MAC[client], GID[client], cq, spsn)
    up = s.new_link("c", like[1], MAC[client], GID[client], MAC[server], GID[server], sq, cpsn)
    s.pair(down, up)
    at = s.last_of(s.send(at, "s", msg.confirm_link(MAC[server], GID[server], sq, number, 0x400 + number), flow=down))
    return s.last_of(s.send(at, "c", msg.confirm_link(MAC[client], GID[client], cq, number, 0x400 + number, flags=0x83), flow=up))


@mutation()
def third_symmetric_link(s):
    link_exchange(s, settled(s), 3, "B3", "A3", 0x13)


@mutation()
def second_asymmetric_link(s):
    at = link_exchange(s, settled(s), 3, "B1", "A2", 0x13)
    link_exchange(s, at, 4, "B2", "A1", 0x15)


@mutation()
def parallel_link_accepted(s):
    request, reply = req(s, 2, "s"), rsp(s, 2, "c")
    before = s.frames[s.at(request) - 1]
    s.roce_delete(reply)
    s.roce_delete(request)
    link_exchange(s, before, 2, "B1", "A1", 0x13)


@mutation()
def asymmetric_deleted_wrong_reason(s):
    at = link_exchange(s, settled(s), 3, "B1", "A2", 0x13)
    at = say(s, at, "s", msg.delete_link(3, msg.OPERATOR, flags=0x20))
    say(s, at, "c", msg.delete_link(3, 0, flags=0xA0))


@mutation("data_before_second_link_settled", "data_before_second_link_settled_v2")
def data_before_second_link_settled(s):
    resend(s, rsp(s, 2, "c"), s.last_of(s.cdc("c")[0]), "c", 1)


@mutation("add_link_unanswered", "add_link_unanswered_v2")
def add_link_unanswered(s):
    s.roce_delete(rsp(s, 2, "c"))


@mutation()
def client_add_link_answered(s):
    ask = msg.add_link(MAC["A1"], GID["A1"], 0, 0, 0, mtu=0)
    at = say(s, settled(s), "c", ask)
    say(s, at, "s", answer(ask, 0xC0))


@mutation()
def client_add_link_obeyed(s):
    at = say(s, settled(s), "c", msg.add_link(MAC["A1"], GID["A1"], 0, 0, 0, mtu=0))
    offer = msg.add_link(MAC["B1"], GID["B1"], 0x13, 3, 0x1234)
    at = say(s, at, "s", offer)
    offer = answer(offer, 0xC0)
    offer[2] = 1
    say(s, at, "c", offer)


@mutation()
def client_add_link_forgotten(s):
    say(s, settled(s), "c", msg.add_link(MAC["A2"], GID["A2"], 0, 0, 0, mtu=0))


@mutation()
def client_starts_continuation(s):
    request, reply = req(s, 3, "s"), rsp(s, 3, "c")
    first = answer(reply.payload, 0)
    before = s.frames[s.at(request) - 1]
    s.roce_delete(reply)
    s.poke(request, 3, 0x80)
    s.send(before, "c", first)


@mutation()
def continuation_count_rises(s):
    reply = rsp(s, 3, "c", 1)
    link = s.link_of(reply)
    s.poke(reply, 5, 4)
    number, pair = reply.payload[4], reply.payload[8:24]
    old, new, va = u32(pair, 0), u32(pair, 4), int.from_bytes(pair[8:], "big")
    at = say(s, s.last_of(reply), "s", msg.add_cont(number, 0, []), link)
    say(s, at, "c", msg.add_cont(number, 5, [(old, new, va)] * 2, 0x80), link)


def given_up(s, begun, in_time):
    """The server offers link 3, gives it up and offers link 4; the client's RTokens for link 3 come late: before or behind its answer."""
    pairs = [[(rkey_of(s, kind)[0], 0xB00 + kind, rkey_of(s, kind)[1])] for kind in (2, 3)]
    at = say(s, settled(s), "s", msg.add_link(MAC["B1"], GID["B1"], 0x13, 3, 0x111103))
    at = say(s, at, "c", msg.add_link(MAC["A2"], GID["A2"], 0x14, 3, 0x222203, flags=0x80))
    if begun:
        at = say(s, at, "s", msg.add_cont(3, 1, pairs[0]))
    at = say(s, at, "s", msg.delete_link(3, msg.LOST_PATH))
    at = say(s, at, "s", msg.add_link(MAC["B1"], GID["B1"], 0x15, 4, 0x111104))
    late = [msg.add_cont(3, 1, pairs[1], 0x80), msg.delete_link(3, msg.LOST_PATH, flags=0x80),
            msg.add_link(MAC["A2"], GID["A2"], 0x16, 4, 0x222204, flags=0x80)]
    for message in late if in_time else late[1:] + late[:1]:
        at = say(s, at, "c", message)
    return say(s, at, "s", msg.add_cont(4, 0, []))


@mutation()
def client_starts_continuation_given_up(s):
    given_up(s, False, True)


@mutation()
def client_continues_given_up(s):
    given_up(s, True, False)


def deleted_rmb(s, after, link, v2):
    """An RMB comes and goes: its key must not be named any more."""
    key, va = 0x700, 0xffff888007000000
    other = [(3 - link, 0x701, va)]
    at = say(s, after, "s", msg.confirm_rkey(key, va, other, v2), link)
    at = say(s, at, "c", msg.confirm_rkey(key, va, other, v2, 0x80), link)
    at = say(s, at, "s", msg.delete_rkey([key], v2), link)
    say(s, at, "c", msg.delete_rkey([0] if v2 else [key], v2, 0x80), link)
    return key, va


@mutation()
def deleted_rmb_announced(s):
    key, va = deleted_rmb(s, settled(s), 1, True)
    offer = next(f for f in s.llc(2, "s"))
    p = bytearray(offer.payload) + key.to_bytes(4, "big") + b"\0\0\x0b\x99" + va.to_bytes(8, "big")
    p[1], p[70] = p[1] + 16, p[70] + 1
    s.set_message(offer, p)


@mutation()
def deleted_rmb_announced_v1(s):
    key, va = deleted_rmb(s, s.last_of(s.cdc("s", link=2)[0]), 2, False)
    request = req(s, 3, "s", 1)
    s.poke(request, 5, 3)
    number = request.payload[4]
    reply = rsp(s, 3, "c", 1)
    at = say(s, s.last_of(reply), "s", msg.add_cont(number, 1, [(key, 0xB99, va)]), 2)
    say(s, at, "c", msg.add_cont(number, 0, [], 0x80), 2)


# -- DELETE LINK ---------------------------------------------------------------------------------------------------------

@mutation()
def delete_all_with_number(s):
    say(s, s.frames[-1], "s", msg.delete_link(1, msg.INACTIVE, flags=0x40))


@mutation()
def delete_all_with_number_v2(s):
    at = say(s, s.frames[-1], "c", msg.delete_link(1, msg.INACTIVE, True, 0x60))
    say(s, at, "s", msg.delete_link(0, msg.INACTIVE, True, 0x60))


@mutation("delete_link_unanswered", "delete_link_unanswered_v2", "delete_link_not_resent")
def delete_link_unanswered(s):
    s.roce_delete(rsp(s, 4, "c"))


def delete_77(reason):
    def change(s):
        at = say(s, s.last_of(s.cdc("s")[1]), "s", msg.delete_link(77, msg.LOST_PATH, flags=0x20))
        say(s, at, "c", msg.delete_link(77, reason, flags=0xA0))
    return change


mutation("delete_unknown_link_answered_0")(delete_77(0))
mutation("delete_unknown_link_answered_2")(delete_77(0x00200000))


@mutation()
def delete_all_ignored(s):
    say(s, idle(s), "s", msg.delete_link(0, msg.INACTIVE, flags=0x40))


@mutation()
def client_delete_all_unanswered(s):
    say(s, s.last_of(rsp(s, 9, "c")), "c", msg.delete_link(0, msg.INACTIVE, flags=0x40))


def second_answer(s):
    return s.last_of(s.cdc("s")[1])


@mutation()
def disorderly_request_ignored(s):
    at = say(s, second_answer(s), "c", msg.delete_link(2, msg.LOST_PATH))
    s.stretch(at, 5)


@mutation()
def server_answers_delete_with_response(s):
    at = say(s, second_answer(s), "c", msg.delete_link(2, msg.LOST_PATH))
    say(s, at, "s", msg.delete_link(2, 0, flags=0x80))


@mutation()
def client_runs_delete_exchange(s):
    at = say(s, second_answer(s), "c", msg.delete_link(2, msg.OPERATOR, flags=0x20))
    say(s, at, "s", msg.delete_link(2, 0, flags=0xA0))


@mutation()
def client_delete_not_forwarded(s):
    at = say(s, second_answer(s), "c", msg.delete_link(2, msg.LOST_PATH, True, 0x20))
    s.stretch(at, 5)


@mutation()
def client_delete_forwarded_wrong(s):
    at = say(s, second_answer(s), "c", msg.delete_link(2, msg.LOST_PATH, True, 0x20))
    at = say(s, at, "s", msg.delete_link(1, msg.LOST_PATH, True, 0x20), 2)
    at = say(s, at, "c", msg.delete_link(1, 0, True, 0xA0), 2)
    s.cut_after(at)


@mutation()
def delete_in_add_link_reason(s):
    request, reply = req(s, 1, "s", 1), rsp(s, 1, "c", 1)
    before = s.frames[s.at(request) - 1]
    s.roce_delete(reply)
    s.roce_delete(request)
    at = say(s, before, "s", msg.delete_link(2, msg.LOST_PATH, True))
    say(s, at, "c", msg.delete_link(2, 0, True, 0x80))


@mutation()
def termination_reason(s):
    say(s, s.frames[-1], "s", msg.delete_link(0, msg.ASYMMETRIC, True, 0x40))


@mutation()
def termination_orderly(s):
    say(s, s.frames[-1], "s", msg.delete_link(0, msg.INACTIVE, True, 0x60))


# -- TEST LINK -----------------------------------------------------------------------------------------------------------

@mutation()
def test_link_unanswered(s):
    s.roce_delete(rsp(s, 7, "c"))


@mutation()
def test_link_unanswered_v2(s):
    """After 2 s of silence; both sides go on with the link 3 s later."""
    last = s.last_of(s.cdc("c")[0])
    asked = say(s, last, "s", msg.test_link(True))
    s.stretch(last, 2)
    s.stretch(asked, 3)


@mutation()
def test_link_answered_after_exchange(s):
    say(s, s.last_of(req(s, 2, "s")), "s", msg.test_link())
    say(s, s.last_of(rsp(s, 1, "c", 1)), "c", msg.test_link(flags=0x80))


@mutation()
def test_link_without_idle(s):
    at = say(s, s.last_of(s.cdc("c")[1]), "s", msg.test_link(True))
    say(s, at, "c", msg.test_link(True, 0x80))


@mutation()
def dead_link_kept(s):
    s.stretch(say(s, second_answer(s), "s", msg.test_link()), 6)


# -- exchanges at the same time ------------------------------------------------------------------------------------------

@mutation()
def add_link_overlaps_delete(s):
    resend(s, req(s, 2, "s", 1), s.last_of(req(s, 4, "s")), "s", 2)


@mutation()
def two_add_links(s):
    offer = req(s, 2, "s")
    second = bytearray(offer.payload)
    second[30], second[31] = second[30] + 1, second[31] + 1
    say(s, s.last_of(offer), "s", second)


@mutation()
def crossing_rkey_refused(s):
    mine = req(s, 6, "c")
    at = say(s, s.last_of(req(s, 6, "s")), "c", bytes(mine.payload))
    say(s, at, "s", answer(mine.payload, 0xB0))


@mutation()
def client_add_link_during_add_link(s):
    ask = msg.add_link(MAC["A2"], GID["A2"], 0, 0, 0, mtu=0)
    at = say(s, s.last_of(req(s, 2, "s")), "c", ask)
    say(s, at, "s", answer(ask, 0xC0))


def client_deletes(serve):
    def act(s, at):
        at = say(s, at, "c", msg.delete_link(2, msg.OPERATOR, flags=0x20))
        if serve:
            at = say(s, at, "s", msg.delete_link(2, msg.OPERATOR, flags=0x20))
            at = say(s, at, "c", msg.delete_link(2, 0, flags=0xA0))
        return at
    return act


@mutation()
def client_delete_during_add_link(s):
    link_exchange(s, settled(s), 3, "B1", "A2", 0x13, client_deletes(True))


@mutation()
def client_delete_during_add_link_lost(s):
    at = link_exchange(s, settled(s), 3, "B1", "A2", 0x13, client_deletes(False))
    s.stretch(at, 5)


def rkey_during(s, at, flags, link=1, others=()):
    ask = msg.confirm_rkey(0x555, 0xffff888005550000, others)
    at = say(s, at, "c", ask, link)
    return say(s, at, "s", answer(ask, flags), link)


@mutation()
def rkey_refused_without_c(s):
    rkey_during(s, s.last_of(req(s, 2, "s")), 0xA0)


@mutation()
def refusal_with_c_not_retried(s):
    rkey_during(s, s.last_of(req(s, 2, "s")), 0xB0)
    s.stretch(second_answer(s), 5)


@mutation()
def rkey_during_delete_link(s):
    rkey_during(s, s.last_of(req(s, 4, "s")), 0x80, 2, [(1, 0x556, 0xffff888005550000)])


@mutation()
def add_link_waits_for_rkey(s):
    offer = req(s, 2, "s", 1)
    ask = msg.confirm_rkey(0x555, 0xffff888005550000)
    before = s.frames[s.at(offer) - 1]
    for frame in (rsp(s, 3, "c", 1), req(s, 3, "s", 1), rsp(s, 2, "c", 1)):
        s.roce_delete(frame)
    say(s, before, "c", ask, 2)
    later = next(f for f in s.cdc("s", link=2) if s.at(f) > s.at(offer) + 120)
    say(s, s.last_of(later), "s", answer(ask, 0xB0), 2)


# -- RKEY exchanges ------------------------------------------------------------------------------------------------------

@mutation()
def refusal_without_c_retried(s):
    request, reply = req(s, 6, "s"), rsp(s, 6, "c")
    good, again = bytes(reply.payload), bytes(request.payload)
    s.poke(reply, 3, 0xA0)
    at = say(s, s.last_of(reply), "s", again)
    say(s, at, "c", good)


@mutation()
def rmb_used_though_refused(s):
    s.poke(rsp(s, 6, "c"), 3, 0xA0)


@mutation()
def rmb_used_though_refused_v2(s):
    s.poke(rsp(s, 6, "s"), 3, 0xA0)


@mutation()
def rmb_used_though_unconfirmed(s):
    s.roce_delete(rsp(s, 6, "s"))


@mutation()
def rmb_number_256(s):
    at = settled(s)
    for number in range(256):
        ask = msg.confirm_rkey(0x10000 + number, 0xffff888100000000 + (number << 16))
        at = say(s, at, "s", ask)
        at = say(s, at, "c", answer(ask))


def delete_early(s, side, after):
    """The DELETE RKEY exchange of the end happens in the middle."""
    peer = "c" if side == "s" else "s"
    request, reply = req(s, 9, side), rsp(s, 9, peer)
    ask, answered = bytes(request.payload), bytes(reply.payload)
    s.roce_delete(reply)
    s.roce_delete(request)
    at = say(s, after, side, ask)
    say(s, at, peer, answered)


@mutation()
def rmb_deleted_in_use(s):
    delete_early(s, "s", idle(s))


@mutation()
def rmb_deleted_in_use_v2(s):
    delete_early(s, "c", second_answer(s))


@mutation()
def freed_before_peer_fin(s):
    delete_early(s, "s", s.last_of(s.cdc("s")[-1]))


@mutation()
def rmb_written_after_delete(s):
    rkey, va = rkey_of(s, 2)
    s.write(s.frames[-1], "c", va + 32, rkey, b"too late")


@mutation()
def write_unknown_rkey(s):
    def change(f):
        f.rkey = 0x9999
    s.edit(s.writes("c")[0], change)
