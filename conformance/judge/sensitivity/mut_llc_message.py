# Mutations of single LLC messages: lengths, types, fields, answers.
# SPDX-License-Identifier: BSD-3-Clause
import messages as msg
from packet import u32
from registry import mutation

GID_A1, GID_A2 = (b"\0" * 10 + b"\xff\xff\x0a\0\0" + bytes([n]) for n in (1, 11))


def req(s, kind, side=None, number=0):
    return s.llc(kind, side, response=False)[number]


def rsp(s, kind, side=None, number=0):
    return s.llc(kind, side, response=True)[number]


def poke(find, kind, side, at, value, size=1, number=0):
    def change(s):
        s.poke(find(s, kind, side, number), at, value, size)
    return change


def say(s, after, side, message, link=1):
    """One more message behind `after`; returns the frame behind which the next thing may happen."""
    return s.last_of(s.send(after, side, message, link))


# -- length and type -----------------------------------------------------------------------------------------------------

mutation("llc_length_byte_43")(poke(req, 1, "s", 1, 43))
mutation("rkey_reply_of_other_type")(poke(rsp, 6, "c", 0, 9))
mutation("test_link_reply_without_bit")(poke(rsp, 7, "c", 3, 0))
mutation("v2_length_43")(poke(req, 6, "c", 1, 43))
mutation("v2_length_neither_order")(poke(req, 6, "s", 1, 0x1234, 2))


@mutation()
def llc_40_bytes(s):
    frame = req(s, 6, "s")
    s.set_message(frame, frame.payload[:40])


@mutation()
def llc_48_bytes(s):
    frame = req(s, 7, "s")
    s.set_message(frame, frame.payload + bytes(4))


@mutation()
def v1_type_in_v2_group(s):
    s.poke(req(s, 6, "s"), 0, 6)
    s.poke(rsp(s, 6, "c"), 0, 6)


def idle(s):
    """A quiet moment of v1-j: behind the first TEST LINK exchange."""
    return s.last_of(rsp(s, 7, "c"))


@mutation()
def response_without_request(s):
    rkey, va = 0x3de, 0xffff888002940000
    say(s, idle(s), "c", msg.confirm_rkey(rkey, va, flags=0x80))


@mutation()
def optional_opcode_punished(s):
    at = say(s, idle(s), "s", msg.llc(0x85))
    at = say(s, at, "c", msg.delete_link(1, msg.VIOLATION))
    s.reset(at, "c")


@mutation()
def unknown_opcode_0a(s):
    say(s, idle(s), "s", msg.llc(0x0A))


@mutation()
def unknown_opcode_3f(s):
    say(s, s.last_of(s.cdc("s")[0]), "c", msg.llc(0x3F))


def extra_cdc(side, kind):
    def change(s):
        last = s.cdc(side)[0]
        message = bytearray(last.payload)
        message[0] = kind
        say(s, s.last_of(last), side, message)
    return change


mutation("opcode_c0")(extra_cdc("c", 0xC0))
mutation("opcode_ff")(extra_cdc("s", 0xFF))


@mutation()
def type_23(s):
    say(s, s.last_of(s.cdc("s")[0]), "s", msg.llc(3, True))


@mutation()
def type_28(s):
    say(s, s.last_of(s.cdc("s")[0]), "c", msg.llc(8, True))


# -- CONFIRM LINK --------------------------------------------------------------------------------------------------------

mutation("link_number_not_echoed")(poke(rsp, 1, "c", 29, 2))
mutation("link_number_not_echoed_second")(poke(rsp, 1, "c", 29, 3, number=1))
mutation("confirm_link_other_qpn")(poke(req, 1, "s", 26, 0x77, 3))
mutation("confirm_link_other_gid")(poke(rsp, 1, "c", 25, 0x63))
mutation("confirm_link_other_mac")(poke(rsp, 1, "c", 9, 0x63))
mutation("confirm_link_flags_0")(poke(req, 1, "s", 3, 0))
mutation("confirm_link_flags_1")(poke(rsp, 1, "c", 3, 0x81))
mutation("client_max_links_above")(poke(rsp, 1, "c", 34, 3))


@mutation("client_confirms_link_first", "client_confirms_link_first_v2")
def client_confirms_link_first(s):
    message = bytearray(rsp(s, 1, "c").payload)
    message[3] = 3
    before = s.frames[s.at(req(s, 1, "s")) - 1]
    say(s, before, "c", message)


@mutation()
def max_links_1_v1(s):
    for frame in s.llc(1):
        s.poke(frame, 34, 1)


@mutation()
def max_links_9_v1(s):
    for frame in s.llc(1):
        s.poke(frame, 34, 9)


# -- ADD LINK ------------------------------------------------------------------------------------------------------------

mutation("reject_reason_0")(poke(rsp, 2, "c", 2, 0))
mutation("reject_reason_3")(poke(rsp, 2, "c", 2, 3))
mutation("reject_with_reason_v2")(poke(rsp, 2, "c", 3, 0xC1))
mutation("add_link_mtu_0_accepted")(poke(req, 2, "s", 32, 0))
mutation("reference_rkey_unknown")(poke(req, 3, "s", 8, 0x7777, 4))
mutation("reference_rkey_unknown_v2")(poke(rsp, 2, "c", 72, 0x7777, 4))
mutation("continuation_count_255")(poke(req, 3, "s", 5, 255))
mutation("add_link_rkey_count_ffff")(poke(req, 2, "s", 70, 0xFFFF, 2))


@mutation()
def add_link_gid_at_10(s):
    frame = req(s, 2, "s")
    p = bytearray(frame.payload)
    p[10:44] = p[12:44] + bytes(2)
    s.set_message(frame, p)


@mutation()
def reject_body_zero(s):
    frame = rsp(s, 2, "c")
    s.set_message(frame, frame.payload[:4] + bytes(40))


@mutation()
def continuation_not_solicited(s):
    frame = rsp(s, 3, "c")

    def change(f):
        f.payload[5] = 3
        f.payload[24:40] = f.payload[8:24]
    s.edit(frame, change)


def renumber(s, kinds, number):
    for kind, at in kinds:
        for frame in s.llc(kind):
            if s.at(frame) >= s.at(kinds_start(s, number)):
                s.poke(frame, at, number[1])


def kinds_start(s, number):
    return next(f for f in s.llc(2) if f.payload[31] == number[0])


@mutation("link_number_reused")
def link_number_reused(s):
    renumber(s, ((3, 4), (2, 31)), (3, 1))


@mutation()
def link_number_reused_v2(s):
    renumber(s, ((2, 31),), (3, 2))


@mutation()
def link_number_of_live_link(s):
    s.poke(s.llc(1, link=2)[0], 29, 1)
    s.poke(s.llc(1, link=2)[1], 29, 1)
    renumber(s, ((3, 4), (2, 31)), (2, 1))


@mutation()
def link_number_of_live_link_v2(s):
    renumber(s, ((2, 31),), (3, 1))


# -- RKEY messages -------------------------------------------------------------------------------------------------------

@mutation()
def rkey_without_other_link(s):
    for frame in s.llc(6)[:2]:
        s.edit(frame, lambda f: f.payload.__setitem__(slice(17, 30), bytes(13)))
        s.poke(frame, 4, 0)


@mutation()
def rkey_for_wrong_link(s):
    for find in (req, rsp):
        s.poke(find(s, 6, "c" if find is req else "s"), 17, 7)


mutation("rkey_reply_altered")(poke(rsp, 6, "c", 8, 0x11))
mutation("rkey_reply_altered_address")(poke(rsp, 6, "s", 16, 0x11))


@mutation()
def rkey_count_255(s):
    s.poke(req(s, 6, "s"), 4, 255)
    s.poke(rsp(s, 6, "c"), 4, 255)


def continuation(count):
    def change(s):
        links = [(n, 0x5000 + n, 0xffff888100000000) for n in range(2, 7)]
        at = idle(s)
        first = msg.confirm_rkey(0x5001, 0xffff888100000000, links[:2], count=5)
        more = msg.rkey_continuation(count, links[2:])
        for message in (first, more):
            at = say(s, at, "s", message)
            answer = bytearray(message)
            answer[3] = 0x80
            at = say(s, at, "c", answer)
    return change


mutation("rkey_continuation_count")(continuation(9))
mutation("rkey_continuation_count_0")(continuation(0))
mutation("delete_rkey_count_9")(poke(req, 9, "c", 4, 9))
mutation("delete_rkey_count_0")(poke(req, 9, "s", 4, 0))
mutation("delete_rkey_count_255_v2")(poke(req, 9, "c", 4, 255))


@mutation()
def unknown_rkey_deleted(s):
    at = say(s, s.frames[-1], "c", msg.delete_rkey([0x9999]))
    say(s, at, "s", msg.delete_rkey([0x9999], flags=0x80))


@mutation()
def unknown_rkey_wrong_mask(s):
    for frame, flags, mask in ((req(s, 9, "s"), 0, 0), (rsp(s, 9, "c"), 0xA0, 0x80)):
        s.poke(frame, 3, flags)
        s.poke(frame, 4, 2)
        s.poke(frame, 5, mask)
        s.poke(frame, 12, 0x9999, 4)


@mutation()
def delete_rkey_reply_echoes(s):
    key = u32(req(s, 9, "c").payload, 8)
    s.poke(rsp(s, 9, "s"), 8, key, 4)


@mutation()
def delete_rkey_reply_count(s):
    s.poke(rsp(s, 9, "c"), 3, 0xA0)
    s.poke(rsp(s, 9, "c"), 5, 1)


@mutation()
def second_response(s):
    frame = rsp(s, 6, "c")
    say(s, s.last_of(frame), "c", bytes(frame.payload))


# -- TEST LINK -----------------------------------------------------------------------------------------------------------

mutation("test_link_other_data", "test_link_other_data_ignored")(poke(rsp, 7, "c", 9, 0xA5))


@mutation()
def test_link_other_data_v2(s):
    s.edit(req(s, 7, "s"), lambda f: f.payload.__setitem__(slice(4, 20), bytes(range(1, 17))))


# -- REQUEST ADD LINK ----------------------------------------------------------------------------------------------------

def settled(s):
    """Behind the first answer of data: link set-up is over."""
    return s.last_of(s.cdc("s")[0])


def request_add(gids, side="c", count=None, answer=None):
    def change(s):
        at = say(s, settled(s), side, msg.request_add_link(gids, count=count))
        if answer is not None:
            say(s, at, "s", answer)
    return change


ZERO_ANSWER = msg.llc(5, True, 0x80)
ECHO_ANSWER = msg.request_add_link([GID_A1], 0x80)
mutation("request_add_link_count_255")(request_add([GID_A1, GID_A2], count=255, answer=ZERO_ANSWER))
mutation("request_add_link_reply_body")(request_add([GID_A1, GID_A2], answer=ECHO_ANSWER))
mutation("request_add_link_by_server")(request_add([GID_A1, GID_A2], side="s"))
mutation("request_add_link_one_gid")(request_add([GID_A1], answer=ZERO_ANSWER))
mutation("request_add_link_symmetric")(request_add([GID_A1, GID_A2], answer=ZERO_ANSWER))

# -- messages that somebody punishes -------------------------------------------------------------------------------------


@mutation()
def v2_length_big_endian_punished(s):
    """Of an answer: only then has an Accept named the link."""
    answer = rsp(s, 6, "s")
    s.poke(answer, 1, 44, 2)
    s.cut_after(s.last_of(answer))
    at = say(s, s.frames[-1], "c", msg.delete_link(0, msg.VIOLATION, True, 0x40))
    s.reset(at, "c")


@mutation()
def add_link_count_2_punished(s):
    request = req(s, 2, "s")
    s.edit(request, lambda f: f.payload.__setitem__(slice(70, 72), b"\x02\x00"))
    s.cut_after(s.last_of(request))
    at = say(s, s.frames[-1], "c", msg.delete_link(0, msg.VIOLATION, True, 0x40))
    s.reset(at, "c")


@mutation()
def stray_response_v2(s):
    say(s, settled(s), "c", msg.delete_link(2, 0, True, 0xA0))
