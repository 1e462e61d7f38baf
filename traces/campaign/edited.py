# Test: where a rule was taught that these captures break nothing, a small edit that does break it is found, and one that does not is not.
# SPDX-License-Identifier: BSD-3-Clause
"""("swap", a, b) exchanges what two frames say; ("put", frame, offset, value) changes one byte of a message; ("late", frame, n) delays all
from there on by n seconds. RoCE, unsegmented."""

import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import zlib

HERE = pathlib.Path(__file__).resolve().parent
NETWORK, ICRC = 14, -4  # where they begin in a frame
MAC_END, GID_END = 9, 27  # of ADD LINK: last byte
ANSWER = 3  # of CONFIRM RKEY: 0x80 says that it is one, 0x20 that it refuses, 0x10 that asking again may help
KEY_END = 8  # of CONFIRM RKEY: last byte of its own key
OTHER = 17  # of CONFIRM RKEY: the first other link
NUMBER, REASON = 4, 6  # of DELETE LINK: which link, and the byte of the reason that says "unknown link"
PSN = -1  # of any: its last byte
MASK = 5  # of DELETE RKEY, response: which keys are unknown
SEQUENCE, PRODUCER_WRAP, CONSUMER_WRAP, CONSUMER, FLAGS = 3, 11, 19, 22, 25  # of a CDC: one byte each; FLAGS: those of the connection
CASES = [
    # ADD LINK is sent before the second DELETE LINK, over the link that is left, is answered.
    ("LLC-043-delete-repeated", [("swap", 406, 420)], {("LLC-043", 406)}, set()),
    # The offer came in time, and the link that carried it is deleted: the server may offer another one.
    ("LLC-043-offer-overtaken", [("swap", 231, 275), ("put", 251, NUMBER, 2), ("put", 271, NUMBER, 2)], set(), {"LLC-043"}),
    # … and that link is not deleted.
    ("LLC-043-offer-overtaken", [("swap", 231, 275), *(("put", frame, NUMBER, 1) for frame in (251, 271, 277, 333, 351))], {("LLC-043", 402)}, set()),
    # A link of which nobody has heard is deleted, and the client does not say so.
    ("LLC-043-offer-overtaken", [("put", 271, REASON, 0)], {("LLC-037", 271)}, set()),
    # … but its offer, overtaken in a queue, has reached the client first.
    ("LLC-043-offer-overtaken", [("swap", 261, 275), ("put", 271, REASON, 0)], set(), {"LLC-037"}),
    # … and here it came in time, over a link that was being deleted.
    ("LLC-043-offer-overtaken", [("swap", 231, 275), ("put", 209, NUMBER, 2), ("put", 271, REASON, 0)], set(), {"LLC-037"}),
    # Link 7 is to be parallel to link 6, which stands.
    ("LLC-017-answer-to-a-former-offer", [("put", 1173, MAC_END, 4), ("put", 1173, GID_END, 4), ("put", 1177, MAC_END, 1), ("put", 1177, GID_END, 1)],
     {("LLC-017", 1177)}, set()),
    # The client has asked for the deletion of the second F's link before that came, over the link that the server has lost.
    ("CDC-002-acknowledged-after-the-loss", [("swap", 296, 345)], set(), {"CDC-002", "FAILOVER-009"}),
    # The server skips a number there.
    ("CDC-002-acknowledged-after-the-loss", [("put", 352, SEQUENCE, 15)], {("CDC-002", 352)}, set()),
    # What stood before others when the link was left stands behind them now, and was said there before.
    ("CDC-002-held-by-the-network", [("put", 50, PSN, 0xEC), ("put", 54, PSN, 0xED), ("put", 201, PSN, 0xEE), ("put", 201, SEQUENCE, 2)], {("FAILOVER-001", 201)}, set()),
    # … or goes on over the link that was left, with a number that was not said since.
    ("CDC-002-held-by-the-network", [("put", 50, PSN, 0xEC), ("put", 54, PSN, 0xED), ("put", 201, PSN, 0xEE), ("put", 201, SEQUENCE, 6)], {("FAILOVER-001", 201)}, set()),
    # What was said over the link that was left, and arrived there, is said there once more.
    ("CDC-002-last-of-a-left-link", [("put", 88, SEQUENCE, 1)], {("FAILOVER-009", 88)}, set()),
    # The F that comes late is the younger one by its number, which had long been completed.
    ("FAILOVER-002-told-late", [("put", 584, SEQUENCE, 5)], {("FAILOVER-002", 584)}, set()),
    # The client had not closed when it reset.
    ("FAILOVER-005-closed-before-rst", [("put", 58, FLAGS, 0)], {("FAILOVER-005", 57)}, set()),
    # The ring is full once more, and the producer does not say so.
    ("CURSOR-003-said-again-twice", [("put", 489, PRODUCER_WRAP, 2)], {("CURSOR-003", 489)}, set()),
    ("CURSOR-003-nothing-completed", [("put", 474, PRODUCER_WRAP, 0)], {("CURSOR-003", 474)}, set()),
    ("CURSOR-003-written-again-or-further", [("put", 167, PRODUCER_WRAP, 0)], {("CURSOR-003", 167)}, set()),
    # The request that comes once the link has been added, and names it, is refused, too.
    ("LLC-044-link-added-meanwhile", [("put", 814, ANSWER, 0xB0)], {("LLC-044", 814)}, set()),
    # What is said again with the link that was left out is about another key.
    ("LLC-050-said-again-with-the-link", [("put", 394, KEY_END, 0)], {("LLC-050", 390)}, set()),
    # The link for whose sake the RMB was to be confirmed is not deleted: the offer should have waited.
    ("LLC-054-link-gone-after-refusal", [*(("put", frame, NUMBER, 9) for frame in (187, 193, 196)), ("late", 210, 3)], {("LLC-054", 200)}, set()),
    # … or its DELETE LINK comes a little later, out of a slow queue.
    ("LLC-054-link-gone-after-refusal", [*(("put", frame, NUMBER, 9) for frame in (187, 193, 196)), ("put", 322, NUMBER, 4), ("late", 330, 3)],
     set(), {"LLC-054"}),
    # The continuation that comes late out of the lost link's queue counts otherwise than its CONFIRM RKEY.
    ("LLC-057-continuation-overtaken", [("put", 346, NUMBER, 2)], {("LLC-057", 346)}, set()),
    # The key that is deleted again, since the first request went with its link, is known.
    ("LLC-059-delete-of-a-lost-link", [("put", 891, MASK, 0x80)], {("LLC-059", 891)}, set()),
    # The server has consumed less.
    ("CURSOR-001-validation-of-a-slow-link", [("put", 654, CONSUMER, 0), ("put", 660, CONSUMER_WRAP, 1)], {("CURSOR-001", 672)}, set()),
    # The server has lost the link over which it writes into an element that had an owner before, whose C went over that link, too.
    ("CDC-011-write-of-the-next-owner", [("put", 325, NUMBER, 1)], set(), {"CDC-011"}),
    # The server has not said that it is done, so that the client would have to send F.
    ("FAILOVER-002-done-said-by-a-straggler", [("put", 116, FLAGS, 0)], {("FAILOVER-002", 154)}, set()),
    # The server has consumed nothing, and the client does not write again from where its F says.
    ("FAILOVER-002-consumer-of-a-straggler", [("put", 308, CONSUMER, 0), ("put", 308, CONSUMER + 1, 0)], {("FAILOVER-002", 332)}, set()),
    # The list names the link over which the request was lost: that is still believed in.
    ("FAILOVER-008-begun-anew-without-the-link", [("put", 223, OTHER, 1)], {("FAILOVER-008", 223)}, set()),
]


def is_v2(frame):
    return frame[12:14] == b"\x08\x00"


def message(frame):
    """Where it begins: behind IPv4, UDP and BTH, or GRH and BTH."""
    return NETWORK + (20 + 8 if is_v2(frame) else 40) + 12


def repair(frame):
    """The invariant CRC."""
    fixed = bytearray(frame[NETWORK:ICRC])
    if is_v2(frame):
        fixed[1] = fixed[8] = 0xFF
        fixed[10:12] = fixed[26:28] = b"\xff\xff"
    else:
        fixed[0:4] = b"\x6f\xff\xff\xff"
        fixed[7] = 0xFF
    fixed[message(frame) - NETWORK - 12 + 4] = 0xFF
    frame[ICRC:] = struct.pack("<I", zlib.crc32(b"\xff" * 8 + bytes(fixed)))


def split(data):
    at, heads, frames = 24, [], []
    while at < len(data):
        have = struct.unpack_from("<4I", data, at)[2]
        heads.append(data[at:at + 16])
        frames.append(bytearray(data[at + 16:at + 16 + have]))
        at += 16 + have
    return heads, frames


def edited(data, edits):
    heads, frames = split(data)
    for what, number, *more in edits:
        one = frames[number - 1]
        if what == "late":
            heads[number - 1:] = [struct.pack("<I", struct.unpack_from("<I", head)[0] + more[0]) + head[4:] for head in heads[number - 1:]]
            continue
        if what == "swap":
            other = frames[more[0] - 1]
            at = message(one)
            one[at:ICRC], other[at:ICRC] = other[at:ICRC], one[at:ICRC]
            repair(other)
        else:
            one[message(one) + more[0]] = more[1]
        repair(one)
    return data[:24] + b"".join(head + frame for head, frame in zip(heads, frames))


def found(path):
    run = subprocess.run([os.environ["SMCLAB"], "check", "--format", "json", path], capture_output=True, text=True)
    return {(x["requirement"], x["frame"]) for x in json.loads(run.stdout)["files"][0]["findings"] if x["verdict"] == "fail"}


def main():
    faults = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, edits, broken, kept in CASES:
            path = pathlib.Path(folder) / f"{name}.pcap"
            path.write_bytes(edited((HERE / f"{name}.pcap").read_bytes(), edits))
            seen = found(path)
            print(name, edits, "breaks:", *sorted(seen))
            faults += not broken <= seen or any(rule in kept for rule, _ in seen)
    return 1 if faults else 0


sys.exit(main())
