# Mutations of single CLC messages: eyecatchers, types, lengths, counts, offsets, fields.
# SPDX-License-Identifier: BSD-3-Clause
from messages import EID1, decline_v1, rfc_proposal
from packet import put, u16
from registry import mutation


def clc(kind, at, value, size=1, conn=0):
    """A change that writes one number into one CLC message."""
    def change(s):
        s.edit_clc(kind, lambda m: put(m, at, value, size), conn)
    return change


def insert(m, at, data):
    m[at:at] = data


def cut(m, at, size):
    del m[at:at + size]


# -- eyecatchers ---------------------------------------------------------------------------------------------------------

@mutation("accept_trailer_bad")
def accept_trailer_bad(s):
    s.edit_clc(2, lambda m: put(m, len(m) - 1, m[-1] ^ 1, 1))


@mutation()
def accept_trailer_bad_v2(s):
    s.edit_clc(2, lambda m: put(m, len(m) - 4, 0xE3, 1))


@mutation()
def confirm_trailer_zero(s):
    s.edit_clc(3, lambda m: put(m, len(m) - 4, 0, 4))


@mutation()
def proposal_trailer_ascii(s):
    s.edit_clc(1, lambda m: put(m, len(m) - 4, int.from_bytes(b"SMCR", "big"), 4))


@mutation()
def decline_trailer_bad(s):
    s.edit_clc(4, lambda m: put(m, len(m) - 2, 0, 1))


@mutation()
def confirm_trailer_bad_smcd(s):
    s.edit_clc(3, lambda m: put(m, len(m) - 1, 0xC5, 1))


mutation("accept_head_bad")(clc(2, 0, 0xE3))
mutation("confirm_head_bad")(clc(3, 3, 0xD8))
mutation("proposal_head_bad")(clc(1, 1, 0x4D))


# -- version and type ----------------------------------------------------------------------------------------------------

@mutation()
def accept_version_above_offer(s):
    clc(2, 7, 0x38)(s)
    clc(3, 7, 0x38)(s)


@mutation()
def v2_accept_to_v1_proposal(s):
    confirm = s.clc(3).payload
    s.edit_clc(1, lambda m: rfc_proposal(bytes(confirm[8:16]), bytes(confirm[16:32]), bytes(confirm[32:38])))


mutation("accept_version_zero")(clc(2, 7, 0x08))
mutation("confirm_answers_proposal")(clc(2, 4, 3))
mutation("type_5_answers_proposal")(clc(2, 4, 5))
mutation("accept_type_for_confirm")(clc(3, 4, 2))


@mutation()
def fallback_after_wrong_type(s):
    proposal = bytearray(s.clc(1).payload)
    s.edit_clc(4, lambda m: proposal)


# -- lengths -------------------------------------------------------------------------------------------------------------

mutation("accept_length_67")(clc(2, 5, 67, 2))
mutation("proposal_length_short")(clc(1, 5, 7, 2))
mutation("confirm_length_huge")(clc(3, 5, 65535, 2))
mutation("accept_length_zero_v2")(clc(2, 5, 0, 2))


@mutation()
def rfc_proposal_53(s):
    s.resize_clc(1, lambda m: insert(m, 48, b"\0"))


@mutation()
def rfc_proposal_51(s):
    s.resize_clc(1, lambda m: cut(m, 46, 1))


@mutation()
def accept_72_bytes(s):
    s.resize_clc(2, lambda m: insert(m, 64, bytes(4)))


@mutation()
def confirm_length_67(s):
    s.resize_clc(3, lambda m: cut(m, 60, 1))


@mutation()
def confirm_64_bytes(s):
    s.resize_clc(3, lambda m: cut(m, 60, 4))


@mutation()
def proposal_v2_length_plus_4(s):
    s.resize_clc(1, lambda m: insert(m, len(m) - 4, bytes(4)))


@mutation()
def proposal_v2_length_minus_1(s):
    s.resize_clc(1, lambda m: cut(m, len(m) - 5, 1))


@mutation()
def accept_v2_104(s):
    s.resize_clc(2, lambda m: cut(m, 96, 4))


@mutation()
def accept_v2_f_without_fce(s):
    s.resize_clc(2, lambda m: cut(m, 104, 52))


@mutation()
def fce_36_for_smcr(s):
    s.resize_clc(2, lambda m: cut(m, 140, 16))


@mutation()
def fce_36_for_smcd_release_1(s):
    s.resize_clc(3, lambda m: cut(m, 110, 16))


@mutation()
def confirm_without_gid_list(s):
    s.resize_clc(3, lambda m: cut(m, 156, 20))


mutation("confirm_gid_count_255")(clc(3, 156, 255))
mutation("decline_44_in_v1")(clc(4, 7, 0x10))


@mutation()
def decline_27_in_v1(s):
    def change(m):
        short = decline_v1(bytes(m[8:16]), 0x03030002)
        del short[20]
        return short
    s.resize_clc(4, change)


@mutation()
def decline_28_in_v2(s):
    def change(m):
        short = decline_v1(bytes(m[8:16]), 0x03030002)
        short[7] = 0x20
        return short
    s.edit_clc(4, change)


@mutation()
def smcd_v1_accept_52(s):
    s.resize_clc(2, lambda m: insert(m, 44, bytes(4)))


@mutation()
def smcd_v1_accept_smcr(s):
    def change(m):
        m[3] = m[-1] = 0xD9
    s.edit_clc(2, change)


@mutation()
def smcd_accept_77(s):
    s.resize_clc(2, lambda m: cut(m, 73, 1))


@mutation()
def smcd_accept_fce_without_f(s):
    s.resize_clc(2, lambda m: insert(m, 74, b"\0\x21\0\0" + b"server".ljust(32) + b"\0\0\0\1" + bytes(12)))


@mutation()
def smcd_accept_f_without_fce(s):
    s.resize_clc(2, lambda m: cut(m, 74, 52))


# -- Proposal: offsets, counts, IP area ----------------------------------------------------------------------------------

mutation("proposal_ip_offset_ffff")(clc(1, 38, 0xFFFF, 2))
mutation("proposal_ip_offset_41")(clc(1, 38, 41, 2))
mutation("smcd_area_offset_39")(clc(1, 38, 39, 2))
mutation("prefix_count_255")(clc(1, 87, 255))
mutation("mask_length_33_accepted")(clc(1, 84, 33))
mutation("eid_count_255")(clc(1, 80, 255))
mutation("ism_gid_count_255")(clc(1, 81, 255))
mutation("v2_offset_ffff")(clc(1, 50, 0xFFFF, 2))
mutation("smcd_offset_ffff")(clc(1, 86, 0xFFFF, 2))
mutation("typev2_used_in_version_1")(clc(1, 7, 0x12))
mutation("typev1_none_with_offset")(clc(1, 38, 40, 2))
mutation("nothing_offered_accepted")(clc(1, 7, 0x2A))


@mutation()
def nine_prefixes(s):
    def change(m):
        m[87] = 9
        for number in range(8):
            insert(m, 88 + 17, bytes([0x20, 1, 0xD, 0xB8, 0, number]) + bytes(10) + b"\x40")
    s.resize_clc(1, change)


@mutation()
def prefix_in_ipv4_flow(s):
    def change(m):
        m[87] = 1
        insert(m, 88, b"\xfd" + bytes(15) + b"\x40")
    s.resize_clc(1, change)


@mutation()
def foreign_subnet_accepted(s):
    s.edit_clc(1, lambda m: put(m, 80, 0xC0A80700, 4))


@mutation()
def subnet_mask_for_number(s):
    confirm = s.clc(3).payload

    def change(m):
        m[7] = 0x20
        m[8:16], m[16:32], m[32:38] = confirm[8:16], b"\xfe\x80" + bytes(6) + b"\x50\x54\0\xff\xfe\0\x0a\1", confirm[32:38]
        put(m, 38, 40, 2)
        put(m, 50, 36, 2)
        insert(m, 80, b"\xff\xff\xff\0\x18\0\0\0")
    s.resize_clc(1, change)


@mutation()
def typev1_none_with_ip_area(s):
    def change(m):
        put(m, 50, 36, 2)
        insert(m, 80, b"\x0a\0\0\0\x18\0\0\0")
    s.resize_clc(1, change)


@mutation()
def nine_eids(s):
    def change(m):
        m[80] = 9
        insert(m, 152, b"".join(b"EID-%d".ljust(32) % n for n in range(8)))
    s.resize_clc(1, change)


@mutation()
def nine_ism_gids(s):
    def change(m):
        entries = b"".join(bytes([0x40 + n] * 8) + (0x0100 + n).to_bytes(2, "big") for n in range(9 - m[81]))
        m[81] = 9
        insert(m, len(m) - 4, entries)
    s.resize_clc(1, change)


@mutation()
def v2_offset_past_end(s):
    s.edit_clc(1, lambda m: put(m, 50, len(m) - 12 - 52, 2))


@mutation()
def smcd_offset_past_end(s):
    s.edit_clc(1, lambda m: put(m, 86, len(m) - 4 - 88, 2))


@mutation()
def smcr_v2_without_ueid(s):
    def change(m):
        m[80] = 0
        cut(m, 120, 32)
    s.resize_clc(1, change)


# -- Accept and Confirm: fields ------------------------------------------------------------------------------------------

mutation("bsize_15")(clc(2, 50, 0xF3))
mutation("bsize_9_confirm")(clc(3, 50, 0x93))
mutation("confirm_mtu_above_accept")(clc(3, 50, 0x25))
mutation("rmb_index_0")(clc(2, 45, 0))
mutation("rmb_index_0_confirm")(clc(3, 45, 0))
mutation("confirm_release_0")(clc(3, 105, 0x20))
mutation("confirm_release_2_smcd")(clc(3, 75, 0x22))
mutation("confirm_max_conns_254")(clc(3, 140, 254))
mutation("confirm_max_links_1")(clc(3, 141, 1))
mutation("accept_chid_0")(clc(2, 32, 0, 2))
mutation("accept_chid_1234")(clc(2, 32, 0x1234, 2))
mutation("accept_mode_not_offered")(clc(1, 7, 0x26))


@mutation()
def v2_extension_missing(s):
    def change(m):
        put(m, 50, 0, 2)
        cut(m, 80, len(m) - 84)
    s.resize_clc(1, change)


@mutation()
def smcd_extension_missing(s):
    def change(m):
        at = 88 + m[86] * 256 + m[87]
        put(m, 86, 0, 2)
        cut(m, at, len(m) - 4 - at)
    s.resize_clc(1, change)


@mutation()
def accept_release_above_offer(s):
    s.edit_clc(1, lambda m: put(m, 83, m[83] & 0x0F, 1))


@mutation()
def confirm_other_eid(s):
    s.edit_clc(3, lambda m: m.__setitem__(slice(64, 96), b"SMCTEST-EID2".ljust(32)))


@mutation()
def confirm_other_version(s):
    """The Confirm is of version 1 after an Accept of version 2."""
    def change(m):
        m[7] = 0x18
        cut(m, 64, len(m) - 68)
    s.resize_clc(3, change)


@mutation()
def same_peer_id(s):
    server = bytes(s.clc(2).payload[8:16])
    s.edit_clc(3, lambda m: m.__setitem__(slice(8, 16), server))


@mutation()
def first_contact_bit_moved(s):
    clc(2, 7, 0x14)(s)
    clc(3, 7, 0x14)(s)


@mutation()
def first_contact_bit_missing(s):
    clc(2, 7, 0x10)(s)
    clc(3, 7, 0x10)(s)


def both_eids(s, eid, at, conn=0):
    for kind in (2, 3):
        s.edit_clc(kind, lambda m: m.__setitem__(slice(at, at + 32), eid), conn)


@mutation("eid_never_offered")
def eid_never_offered(s):
    both_eids(s, b"SOMEBODY-ELSES-EID".ljust(32), 64)


@mutation()
def eid_never_offered_second(s):
    both_eids(s, b"SMCTEST-EID7".ljust(32), 64)


@mutation()
def eid_never_offered_smcd(s):
    both_eids(s, b"SOMEBODY-ELSES-EID".ljust(32), 34)


@mutation()
def second_eid_preferred(s):
    second = b"SECOND.CHOICE".ljust(32)

    def change(m):
        m[80] = 2
        insert(m, 152, second)
    s.resize_clc(1, change, 1)
    assert bytes(s.clc(2, 0).payload[64:96]) == EID1
    both_eids(s, second, 64, 1)


@mutation()
def seid_without_bit(s):
    seid = b"IBM-SYSZ-ISMSEID0000000012343906"
    s.edit_clc(1, lambda m: m.__setitem__(slice(152, 184), seid))
    both_eids(s, seid, 34)


def negotiated(s, at, value, in_link):
    for kind in (2, 3):
        clc(kind, at, value)(s)
    for frame in s.llc(1):
        s.poke(frame, in_link, value)


@mutation()
def max_conns_15(s):
    negotiated(s, 140, 15, 35)


@mutation()
def max_conns_offer_10(s):
    clc(1, 104, 10)(s)
    negotiated(s, 140, 10, 35)


@mutation()
def max_links_3(s):
    negotiated(s, 141, 3, 34)


@mutation()
def max_links_0(s):
    for kind in (2, 3):
        clc(kind, 141, 0)(s)


# -- SMC-D: GIDs and devices ---------------------------------------------------------------------------------------------

mutation("emulated_pair_broken")(clc(1, 218, 0xFFFE, 2))
mutation("smcd_index_255")(clc(2, 24, 255))
mutation("smcd_size_15")(clc(2, 25, 0xF0))
mutation("smcd_size_7")(clc(2, 25, 0x70))
mutation("smcd_size_8_confirm")(clc(3, 25, 0x80))
mutation("smcd_chid_0_used")(clc(1, 48, 0, 2))


@mutation()
def emulated_half_alone(s):
    def change(m):
        m[81] = 1
        cut(m, 210, 10)
    s.resize_clc(1, change)


@mutation()
def loopback_other_gid(s):
    s.edit_clc(2, lambda m: put(m, 73, m[73] ^ 0x55, 1))


@mutation()
def loopback_other_gid_high(s):
    s.edit_clc(2, lambda m: put(m, 8, m[8] ^ 0x55, 1))


@mutation()
def smcd_accept_not_offered(s):
    def change(m):
        m[7], m[81] = 0x22, 0
        put(m, 86, 0, 2)
        m[88:104] = bytes(10) + b"\xff\xff\x7f\0\0\1"
        cut(m, 152, len(m) - 4 - 152)
    s.resize_clc(1, change)


@mutation()
def smcd_group_two_vlans(s):
    """The same handshake again in VLAN 20, from another port, with F=0: the group of VLAN 10 is used."""
    second = s.copy()
    for frame in second.frames:
        for at in (0, 2):
            if u16(frame.tcp, at) != 5000:
                put(frame.tcp, at, 42877, 2)
    second.conns[0].client = second.conns[0].client[0], 42877
    for kind in (2, 3):
        second.edit_clc(kind, lambda m: m.__setitem__(7, 0x11))
        second.edit_clc(kind, lambda m: put(m, 16, int.from_bytes(m[16:24], "big") ^ 0x1111, 8))
    for scene, vlan in ((s, 10), (second, 20)):
        for frame in scene.frames:
            frame.l2[12:12] = b"\x81\x00" + vlan.to_bytes(2, "big")
            frame.touch()
    s.append(second)


# -- GIDs of SMC-Rv2 -----------------------------------------------------------------------------------------------------

LINK_LOCAL = b"\xfe\x80" + bytes(6) + b"\x50\x54\0\xff\xfe\0\x0b\1"


@mutation()
def v2_link_local_gid(s):
    s.edit_clc(2, lambda m: m.__setitem__(slice(16, 32), LINK_LOCAL))
    frame = s.llc(1, "s")[0]
    s.edit(frame, lambda f: f.payload.__setitem__(slice(10, 26), LINK_LOCAL))


@mutation()
def v2_link_local_gid_confirm(s):
    s.edit_clc(3, lambda m: m.__setitem__(slice(176, 192), LINK_LOCAL))
