# Mutations of CDC messages, RDMA WRITEs and cursors.
# SPDX-License-Identifier: BSD-3-Clause
import struct

from bases import rkey_of
from mut_clc_parse import clc
from mut_llc_flow import second_answer
from mut_llc_message import say, settled
from packet import WRITE_ONLY_IMM, u32
from registry import mutation
from scene import cdc_bytes, cdc_fields


def one(side, number, **fields):
    """Sets fields of the number-th CDC of one side."""
    def change(s):
        s.set_cdc(s.cdc(side)[number], **fields)
    return change


def renumber(s, side, first, delta):
    for frame in s.cdc(side)[first:]:
        s.set_cdc(frame, seq=(cdc_fields(frame)[0] + delta) % 65536)


def more_data(s, after, side, size, pf=0, cf=0, consumed=True, announce=True):
    """A WRITE behind everything written before `after`, its CDC, and every later number and cursor moved to fit."""
    peer = "c" if side == "s" else "s"
    index = s.at(after)
    last = [f for f in s.cdc(side) if s.at(f) <= index][-1]
    link = s.link_of(last)
    seq, token, prod, cons, _, _ = cdc_fields(last)
    write = [f for f in s.writes(side) if s.at(f) <= index][-1]
    base, rkey = rkey_of(s, 2 if side == "c" else 3)[1], write.rkey
    s.shift_cdc(after, side, token, seq=1 if announce else 0, prod=size)
    if consumed:
        s.shift_cdc(after, peer, cdc_fields(s.cdc(peer)[0])[1], cons=size)
    s.shift_writes(after, side, size, {rkey})
    at = s.last_of(s.write(after, side, base + prod[1], rkey, b"x" * size, link))
    if announce:
        at = say(s, at, side, cdc_bytes(seq + 1, token, (prod[0], prod[1] + size), cons, pf, cf), link)
    return at


def more_cdc(s, after, side, **fields):
    """A CDC like the last one before `after`, with the next number."""
    index = s.at(after)
    last = [f for f in s.cdc(side) if s.at(f) <= index][-1]
    seq, token, prod, cons, pf, cf = cdc_fields(last)
    s.shift_cdc(after, side, token, seq=1)
    values = {"prod": prod, "cons": cons, "pf": pf, "cf": cf} | fields
    return say(s, after, side, cdc_bytes(seq + 1, token, **values), s.link_of(last))


# -- the message ---------------------------------------------------------------------------------------------------------

@mutation()
def cdc_length_43(s):
    s.poke(s.cdc("c")[0], 1, 43)


@mutation()
def cdc_40_bytes(s):
    frame = s.cdc("s")[0]
    s.set_message(frame, frame.payload[:40])


@mutation()
def cdc_48_bytes(s):
    frame = s.cdc("s")[0]
    s.set_message(frame, frame.payload + bytes(4))


@mutation()
def cdc_first_seq_2(s):
    renumber(s, "c", 0, 1)


@mutation()
def cdc_first_seq_0(s):
    renumber(s, "s", 0, -1)


@mutation()
def cdc_seq_skipped(s):
    renumber(s, "c", 1, 1)


@mutation()
def cdc_seq_skipped_v2(s):
    renumber(s, "s", 2, 1)


mutation("cdc_seq_back")(one("c", 3, seq=2))


@mutation()
def cdc_seq_repeated(s):
    renumber(s, "s", 1, -1)


@mutation()
def cdc_seq_jump(s):
    renumber(s, "s", 3, 0x8000)


@mutation()
def cdc_old_seq_applied(s):
    """Number 1 comes again with new data; the server's next message has consumed them, before a valid number announces them."""
    after = second_answer(s)
    at = more_data(s, after, "c", 8, announce=False)
    token = cdc_fields(s.cdc("c")[0])[1]
    at = say(s, at, "c", cdc_bytes(1, token, (0, 24), (0, 16)))
    more_data(s, at, "s", 8)
    s.set_cdc(s.cdc("s")[2], cons=(0, 24))


mutation("cdc_token_zero")(one("s", 0, token=0))


@mutation()
def cdc_token_wrong(s):
    frame = s.cdc("c")[0]
    s.set_cdc(frame, token=cdc_fields(frame)[1] + 1)


@mutation()
def cdc_token_wrong_v2(s):
    frame = s.cdc("s")[2]
    s.set_cdc(frame, token=cdc_fields(frame)[1] ^ 0x80000000)


@mutation()
def cdc_token_own(s):
    tokens = sorted({cdc_fields(f)[1] for f in s.cdc("s")})
    s.set_cdc(s.cdc("s", tokens[0])[12], token=tokens[1])


@mutation()
def token_is_index(s):
    for conn, token in ((0, 0), (1, 1)):
        old = u32(s.clc(2, conn).payload, 46)
        for kind in (2, 3):
            clc(kind, 46, token, 4, conn)(s)
        for frame in s.cdc(token=old):
            s.set_cdc(frame, token=token)


# -- data and their announcement -----------------------------------------------------------------------------------------

@mutation()
def cdc_before_data(s):
    s.swap(s.writes("c")[0], s.cdc("c")[0])


@mutation()
def cdc_before_data_v2(s):
    s.swap(s.writes("s")[0], s.cdc("s")[0])


@mutation()
def cdc_without_data(s):
    s.roce_delete(s.writes("c")[1])


@mutation()
def cdc_without_data_v2(s):
    s.roce_delete(s.writes("s")[2])


@mutation()
def write_leaves_gap(s):
    def change(f):
        f.va, f.dma_len = f.va + 1, f.dma_len - 1
        del f.payload[0]
    s.edit(s.writes("c")[3], change)


@mutation()
def write_one_byte_short(s):
    def change(f):
        f.dma_len = f.dma_len - 1
        del f.payload[-1]
    s.edit(s.writes("s")[1], change)


mutation("cdc_ahead_of_data")(one("c", 1, prod=(1, 20001)))


@mutation()
def cdc_other_link_than_data(s):
    write, cdc = s.writes("c")[1], s.cdc("c")[1]
    message, before = bytes(cdc.payload), s.frames[s.at(write) - 1]
    s.roce_delete(cdc)
    s.send(before, "c", message, 2)


def immediate(side):
    def change(s):
        def with_immediate(f):
            f.bth[0] = WRITE_ONLY_IMM
            f.ext += struct.pack(">I", 1)
        s.edit(s.writes(side)[0], with_immediate)
    return change


mutation("write_with_immediate")(immediate("c"))
mutation("write_with_immediate_v2")(immediate("s"))


@mutation()
def three_writes_per_cdc(s):
    write = s.writes("c")[0]
    va, rkey, data, at = write.va, write.rkey, bytes(write.payload), s.frames[s.at(write) - 1]
    s.roce_delete(write)
    for start, end in ((0, 10), (10, 20), (20, len(data))):
        at = s.last_of(s.write(at, "c", va + start, rkey, data[start:end]))


# -- cursors -------------------------------------------------------------------------------------------------------------

mutation("consumer_goes_back")(one("c", 2, cons=(0, 4)))
mutation("consumer_goes_back_v2")(one("s", 2, cons=(0, 8)))


@mutation()
def ring_overrun(s):
    """The update that frees the ring comes behind what the client wrote into it."""
    update, cdc = s.cdc("s")[0], s.cdc("c")[1]
    message = bytes(update.payload)
    s.roce_delete(update)
    s.send(cdc, "s", message)


mutation("ring_overrun_by_one")(one("s", 0, cons=(0, 19999)))
mutation("full_ring_without_b")(one("c", 0, pf=0))
mutation("full_ring_without_wrap")(one("c", 0, prod=(0, 0)))
mutation("producer_is_size")(one("c", 1, prod=(0, 65536)))
mutation("producer_ffffffff")(one("s", 0, prod=(0, 0xFFFFFFFF)))
mutation("consumer_is_size")(one("s", 4, cons=(0, 65536)))
mutation("producer_wrap_jump")(one("c", 1, prod=(2, 16)))
mutation("producer_wrap_jump_v2")(one("s", 2, prod=(256, 24)))


@mutation()
def consumer_ahead(s):
    for frame in s.cdc("s"):
        s.set_cdc(frame, cons=(0, 40))


mutation("consumer_ahead_bulk")(one("s", 2, cons=(2, 60000)))
mutation("consumer_ahead_wrap")(one("c", 1, cons=(1, 32)))


@mutation()
def rfc_cursor_0(s):
    def back(f):
        f.va = f.va - 4
    for frame in s.writes("c"):
        s.edit(frame, back)
    for frame in s.cdc("c"):
        s.set_cdc(frame, prod=(0, 32))
    for frame in s.cdc("s"):
        s.set_cdc(frame, cons=(0, 32))


@mutation()
def rfc_write_on_eyecatcher(s):
    def wider(f):
        f.va, f.dma_len = f.va - 4, f.dma_len + 4
        f.payload = bytearray(b"EYE!") + f.payload
    s.edit(s.writes("s")[0], wider)


@mutation()
def cursor_from_4(s):
    def on(f):
        f.va = f.va + 4
    for frame in s.writes("c"):
        s.edit(frame, on)
    for frame in s.cdc("c"):
        s.set_cdc(frame, prod=(0, 36))
    for frame in s.cdc("s"):
        s.set_cdc(frame, cons=(0, 36))


@mutation()
def needless_update(s):
    more_cdc(s, settled(s), "c", cons=(0, 8))


@mutation()
def needless_update_repeated(s):
    more_cdc(s, s.last_of(s.cdc("s")[13]), "s")


@mutation()
def update_request_ignored(s):
    first = s.cdc("c")[0]
    s.set_cdc(first, pf=0x90)
    s.stretch(s.last_of(first), 2)


@mutation()
def update_below_2304(s):
    """A ring of 16 KiB with 12000 bytes in it: 2000 read bytes are above a tenth and below 2304."""
    clc(2, 50, 0x03)(s)
    write = s.writes("c")[0]
    va, rkey, before = write.va, write.rkey, s.frames[s.at(write) - 1]
    s.roce_delete(write)
    s.write(before, "c", va, rkey, b"z" * 12000)
    for frame in s.cdc("c"):
        s.set_cdc(frame, prod=(0, 12000))
    token = cdc_fields(s.cdc("s")[0])[1]
    for frame in s.cdc("s"):
        seq, _, _, _, _, _ = cdc_fields(frame)
        s.set_cdc(frame, seq=seq + 1, cons=(0, 12000))
    say(s, s.last_of(s.cdc("c")[0]), "s", cdc_bytes(1, token, (0, 0), (0, 2000)))


@mutation()
def consumer_beyond_peer_ring(s):
    clc(3, 50, 0x33)(s)
    s.set_cdc(s.cdc("s")[0], cons=(0, 70000))


@mutation()
def producer_beyond_own_ring(s):
    clc(3, 50, 0x33)(s)
    s.set_cdc(s.cdc("c")[1], prod=(1, 70000))


@mutation()
def forged_wraps(s):
    at = second_answer(s)
    for wrap in range(1, 9):
        at = more_cdc(s, at, "c", prod=(wrap, 16))
    for frame in s.cdc("c"):
        if s.at(frame) > s.at(at):
            s.set_cdc(frame, prod=(8, 16))


# -- urgent data ---------------------------------------------------------------------------------------------------------

mutation("urgent_without_pending")(one("c", 1, pf=0x20))
mutation("urgent_at_size")(one("c", 1, prod=(0, 65536)))


@mutation()
def write_past_urgent(s):
    more_data(s, s.last_of(s.cdc("c")[1]), "c", 5)
    s.set_cdc(s.cdc("s")[0], cons=(0, 16))


@mutation()
def urgent_at_0(s):
    for frame in (s.writes("c")[1], s.cdc("c")[0], s.writes("c")[0]):
        s.roce_delete(frame)
    renumber(s, "c", 0, -1)
    for frame in s.cdc("c"):
        s.set_cdc(frame, prod=(0, 0))
    s.set_cdc(s.cdc("s")[0], cons=(0, 0))
