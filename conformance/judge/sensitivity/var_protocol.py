# Legal variations of what SMC itself says: reserved bits, unknown values, choices that the rules leave free.
# SPDX-License-Identifier: BSD-3-Clause
import copy
import struct

import messages as msg
from mut_cdc import more_data
from mut_clc_flow import move_after, parallel
from mut_close import closed, closing
from mut_failover import f_message, lose
from mut_llc_flow import answer, given_up, link_exchange, second_answer
from mut_llc_message import idle, req, rsp, say, settled
from packet import FIN, put
from registry import variation
from scene import cdc_bytes, cdc_fields
from smcd_record import MOVE, block


# -- reserved and unknown ------------------------------------------------------------------------------------------------

@variation("v1-a", "v1-b2", "v1-i")
def reserved_in_v1_proposal(s):
    def change(m):
        m[60:80] = b"\xa5" * 20
        m[85:87] = b"\x5a\xa5"
    s.edit_clc(1, change)


@variation("v2-a", "v2-g", "d-a")
def reserved_in_v2_proposal(s):
    def change(m):
        m[60:80] = b"\xff" * 20
        m[82] = m[84] = m[85] = 0xFF
        m[108:120] = b"\xff" * 12
    s.edit_clc(1, change)


@variation("v1-a", "v1-b2")
def reserved_in_v1_accept_and_confirm(s):
    for kind in (2, 3):
        s.edit_clc(kind, lambda m: (put(m, 51, 0xFF, 1), put(m, 60, 0xFF, 1)) and None)


@variation("v2-a", "v2-b")
def reserved_in_v2_accept_and_confirm(s):
    def change(m):
        m[96:104] = b"\xff" * 8
        if m[7] & 8:
            m[104] |= 0x7F
            m[106] = m[107] = 0xFF
            m[148:156] = b"\xff" * 8
    for kind in (2, 3):
        s.edit_clc(kind, change)


@variation("v2-f3", "v2-f5", "d-f5")
def reserved_in_decline(s):
    def change(m):
        m[7] |= 3
        m[20] |= 0x0F
        m[21:24] = b"\xff\xff\xff"
    s.edit_clc(4, change)


@variation("v1-a", "v1-g", "v1-j", "v2-a", "v2-g")
def reserved_in_llc(s):
    tails = {1: 36, 4: 9, 7: 20}
    for frame in s.llc():
        kind = frame.payload[0] & 15
        if kind in tails and (kind != 1 or frame.payload[0] & 0x20 == 0):
            s.edit(frame, lambda f: f.payload.__setitem__(slice(tails[kind], 44), b"\xff" * (44 - tails[kind])))


@variation("v1-a", "v2-g", "v1-g6", "v2-c2")
def reserved_in_cdc(s):
    def change(f):
        f.payload[8:10] = f.payload[16:18] = b"\xff\xff"
        f.payload[24] |= 0x07
        f.payload[25] |= 0x1F
        f.payload[26:44] = b"\xff" * 18
    for frame in s.cdc():
        s.edit(frame, change)


@variation("v2-a", "d-a")
def vendor_fields(s):
    s.edit_clc(1, lambda m: m.__setitem__(slice(52, 60), b"\x08\x00\x5aABCDE"))


@variation("v2-a", "v2-g")
def unknown_feature_bits(s):
    s.edit_clc(1, lambda m: put(m, 106, 0xFFFF, 2))


@variation("v2-a", "v2-g")
def first_contact_of_another_system(s):
    """z/OS and AIX, with host names and vendor options."""
    for kind, system, name in ((2, 1, b"MVS1.EXAMPLE.COM"), (3, 3, b"aixhost")):
        def change(m):
            m[105] = system << 4 | 1
            m[108:140] = name.ljust(32)
            m[144:148] = b"VEND"
        s.edit_clc(kind, change)


@variation("v2-f3", "v2-f5")
def unknown_decline_code(s):
    s.edit_clc(4, lambda m: (put(m, 16, 0x12345678, 4), put(m, 20, 0x10, 1)) and None)


@variation("v2-f3")
def decline_code_zero(s):
    s.edit_clc(4, lambda m: put(m, 16, 0, 4))


@variation("v2-f3")
def decline_with_more_codes(s):
    s.edit_clc(4, lambda m: m.__setitem__(slice(24, 40), b"\x01\2\3\4" * 4))


@variation("v2-f3")
def decline_with_s_without_group(s):
    s.edit_clc(4, lambda m: put(m, 7, 0x28, 1))


@variation("v1-a")
def proposal_in_rfc_form(s):
    s.edit_clc(1, lambda m: msg.rfc_proposal(bytes(m[8:16]), bytes(m[16:32]), bytes(m[32:38])))


@variation("v2-a")
def second_eid_offered_first_taken(s):
    def change(m):
        m[80] = 2
        m[152:152] = b"ANOTHER.EID".ljust(32)
    s.resize_clc(1, change)


@variation("v2-a")
def second_eid_taken(s):
    """The server does not know the client's first UEID."""
    def change(m):
        m[80] = 2
        m[120:120] = b"ANOTHER.EID".ljust(32)
    s.resize_clc(1, change)


@variation("v1-a", "v1-g", "v2-a")
def other_ring_sizes(s):
    """512 KiB at the server, 16 KiB at the client."""
    for kind, code in ((2, 5), (3, 0)):
        s.edit_clc(kind, lambda m: put(m, 50, m[50] & 15 | code << 4, 1))


# -- LLC -----------------------------------------------------------------------------------------------------------------

@variation("v1-j", "v2-e4")
def test_link_with_data(s):
    data = bytes(range(200, 216))
    for frame in s.llc(7)[:2]:
        s.edit(frame, lambda f: f.payload.__setitem__(slice(4, 20), data))


@variation("v1-j")
def optional_opcodes(s):
    at = idle(s)
    for opcode in (0x80, 0x9F, 0xA5, 0xBF):
        at = say(s, at, "s", msg.llc(opcode))
        at = say(s, at, "c", msg.llc(opcode + (-1 if opcode == 0xBF else 0)))


@variation("v2-b", "v2-g", "v2-g2")
def llc_lengths_big_endian(s):
    for frame in s.llc():
        size = len(frame.payload)
        s.poke(frame, 1, size, 2)
        if frame.payload[0] == 0x22 and size > 72:
            s.poke(frame, 70, (size - 72) // 16, 2)


@variation("v2-g")
def add_link_counts_more_than_present(s):
    s.edit(req(s, 2, "s"), lambda f: f.payload.__setitem__(slice(70, 72), b"\x02\x00"))


@variation("v1-g")
def asymmetric_link_comes_and_goes(s):
    at = link_exchange(s, settled(s), 3, "B1", "A2", 0x13)
    at = say(s, at, "s", msg.delete_link(3, msg.ASYMMETRIC, flags=0x20))
    say(s, at, "c", msg.delete_link(3, 0, flags=0xA0))


@variation("v1-g")
def add_link_given_up_before_answer(s):
    at = given_up(s, True, True)
    at = say(s, at, "c", msg.add_cont(4, 0, [], 0x80))
    at = say(s, at, "s", msg.delete_link(4, msg.LOST_PATH))
    say(s, at, "c", msg.delete_link(4, msg.LOST_PATH, flags=0x80))


@variation("v1-g")
def test_link_during_add_link(s):
    at = say(s, s.last_of(req(s, 2, "s")), "s", msg.test_link())
    say(s, at, "c", msg.test_link(flags=0x80))


@variation("v1-g")
def unknown_link_deleted(s):
    at = say(s, second_answer(s), "s", msg.delete_link(77, msg.LOST_PATH, flags=0x20))
    say(s, at, "c", msg.delete_link(77, 0x00100000, flags=0xA0))


@variation("v1-a", "v1-j", "v2-a")
def group_deleted_at_the_end(s):
    v2 = s.llc()[0].payload[0] & 0x20 != 0
    say(s, s.frames[-1], "s", msg.delete_link(0, msg.INACTIVE, v2, 0x40))


@variation("v1-j")
def client_asks_for_group_deletion(s):
    at = say(s, s.frames[-1], "c", msg.delete_link(0, msg.INACTIVE, flags=0x60))
    say(s, at, "s", msg.delete_link(0, msg.INACTIVE, flags=0x60))


@variation("v1-a")
def unknown_key_refused(s):
    at = say(s, s.frames[-1], "c", msg.delete_rkey([0x9999]))
    say(s, at, "s", msg.delete_rkey([0x9999], flags=0xA0, mask=0x80))


@variation("v1-b2")
def crossing_rkeys(s):
    """The client's CONFIRM RKEY crosses the server's."""
    mine, ok = req(s, 6, "c"), rsp(s, 6, "s")
    ask, yes = bytes(mine.payload), bytes(ok.payload)
    s.roce_delete(ok)
    s.roce_delete(mine)
    at = say(s, s.last_of(req(s, 6, "s")), "c", ask)
    say(s, at, "s", yes)


@variation("v1-g")
def rkey_refused_during_add_link(s):
    """Refused with Z and C, asked again and confirmed when both links stand."""
    ask = msg.confirm_rkey(0x555, 0xffff888005550000)
    at = say(s, s.last_of(req(s, 2, "s")), "c", ask)
    say(s, at, "s", answer(ask, 0xB0))
    full = msg.confirm_rkey(0x555, 0xffff888005550000, [(2, 0x556, 0xffff888005550000)])
    at = say(s, settled(s), "c", full)
    say(s, at, "s", answer(full))


@variation("v2-a")
def request_add_link(s):
    gids = [b"\0" * 10 + b"\xff\xff\x0a\0\0" + bytes([n]) for n in (1, 11)]
    at = say(s, settled(s), "c", msg.request_add_link(gids))
    say(s, at, "s", msg.llc(5, True, 0x80))


@variation("v1-a")
def parallel_link_groups(s):
    parallel(s, False)


# -- data and close ------------------------------------------------------------------------------------------------------

@variation("v1-j", "v2-g")
def one_more_message(s):
    more_data(s, second_answer(s), "c", 100)


@variation("v1-a", "v2-a", "v2-b")
def close_with_d_and_c(s):
    for side in "cs":
        s.set_cdc(closing(s, side), cf=0xC0)


@variation("v1-a", "v2-a")
def closes_cross(s):
    move_after(s, closing(s, "s"), closing(s, "c"))


@variation("v1-e3")
def aborts_cross(s):
    move_after(s, closing(s, "s"), closing(s, "c"))


@variation("v1-a", "v2-a")
def fin_before_close(s):
    fin, last = next(f for f in s.tcp("c") if f.flags & FIN), closing(s, "c")
    if s.at(fin) > s.at(last):
        move_after(s, fin, s.frames[s.at(last) - 1])


@variation("v1-a", "v2-a")
def fin_behind_close(s):
    fin = next(f for f in s.tcp("c") if f.flags & FIN)
    if s.at(fin) < s.at(closed(s, "c")):
        move_after(s, fin, closed(s, "c"))


@variation("v1-d2", "v2-d")
def done_with_the_last_data(s):
    """D comes with the last data in one CDC."""
    last, done = s.cdc("c")[0], s.cdc("c")[1]
    s.set_cdc(last, cf=0x80)
    token = cdc_fields(last)[1]
    s.roce_delete(done)
    s.shift_cdc(last, "c", token, seq=-1)


@variation("v2-c2")
def update_asked_for(s):
    """R in a message that is answered by an update anyway."""
    s.set_cdc(s.cdc("c")[1], pf=0x90)


# -- the data path of SMC-D ----------------------------------------------------------------------------------------------

@variation("dd-a")
def smcd_big_endian_hosts(s):
    for record in s.smcd:
        record.order = 1
        if record.op_code == MOVE and record.offset == 0:
            prod, cons = struct.unpack_from("<HI", record.data, 8), struct.unpack_from("<HI", record.data, 16)
            record.data = bytearray(block(prod, cons, record.data[22], record.data[23], ">"))


@variation("dd-a")
def smcd_long_move(s):
    """3000 bytes: three records that say the same offset and total length."""
    data = next(r for r in s.smcd if r.op_code == MOVE and r.offset)
    text = bytes(n % 251 for n in range(3000))
    at = data
    for start in (1400, 2800):
        part = copy.deepcopy(data)
        part.data, part.total, part.fragment = bytearray(text[start:start + 1400]), 3000, start
        at = s.put_after(at, part)
    data.data, data.total = bytearray(text[:1400]), 3000
    for record in s.smcd:
        if record.op_code == MOVE and record.offset == 0:
            at = 8 if record.token == data.token else 16
            record.data[at + 2:at + 6] = struct.pack("<I", 3000) if any(record.data[at + 2:at + 6]) else bytes(4)


@variation("dd-a")
def smcd_reserved_in_block(s):
    for record in s.smcd:
        if record.op_code == MOVE and record.offset == 0:
            record.data[1:8] = b"\xff" * 7
            record.data[24:32] = b"\xff" * 8


# -- failover ------------------------------------------------------------------------------------------------------------

@variation("v1-g6", "v2-g2")
def failover_garbage_in_f(s):
    for side in "cs":
        frame = f_message(s, side)
        s.set_cdc(frame, prod=(7, 12345), cons=(9, 54321), pf=0xE8)


@variation("v1-g6", "v2-g2")
def failover_exact_number(s):
    """F carries the last number itself, as RFC 7609 has it (Linux: one less)."""
    for side in "cs":
        frame = f_message(s, side)
        s.set_cdc(frame, seq=cdc_fields(frame)[0] + 1)


@variation("v1-g6")
def lost_write_replayed(s):
    va, rkey, seq, count, cons, token = lose(s, 1)
    at = s.last_of(s.write(s.last_of(f_message(s, "c")), "c", va, rkey, b"lost 000", 2))
    say(s, at, "c", cdc_bytes(seq + 1, token, (0, count + 8), cons), 2)


@variation("v1-g6")
def lost_writes_merged(s):
    """Two lost WRITEs come back as one with a new number, above both."""
    va, rkey, seq, count, cons, token = lose(s, 2)
    at = s.last_of(f_message(s, "c"))
    s.shift_cdc(at, "c", token, seq=1)
    at = s.last_of(s.write(at, "c", va, rkey, b"lost 000lost 001", 2))
    say(s, at, "c", cdc_bytes(seq + 3, token, (0, count + 16), cons), 2)
