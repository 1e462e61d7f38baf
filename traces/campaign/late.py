# Test: what these captures show of queues that are still being emptied, and of what is sent again, is blamed all the same when it comes long after.
# SPDX-License-Identifier: BSD-3-Clause
"""From a frame on everything comes LATE seconds later: no queue and no repetition lasts that long, so now the rules of the table are broken."""

import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
LATE = 3
CASES = {
    "CDC-011-link-left-before-the-last": (190, {"FAILOVER-001", "FAILOVER-009"}),
    "CDC-002-moved-twice-when-closing": (384, {"CDC-002"}),
    "CDC-002-number-of-a-slower-link": (308, {"CDC-002"}),
    "CDC-002-number-in-a-dying-group": (235, {"CDC-002"}),
    "CDC-002-held-behind-another": (778, {"FAILOVER-001"}),
    "CDC-002-last-of-a-left-link": (88, {"CDC-002", "FAILOVER-009"}),
    "CDC-002-next-but-one-of-a-left-link": (535, {"CDC-002", "FAILOVER-009"}),
    "CDC-002-queue-of-a-slow-link": (220, {"FAILOVER-001", "FAILOVER-009"}),
    "CDC-002-deletion-heard-of": (182, {"CDC-002"}),
    "CDC-002-aborted-elsewhere": (335, {"CDC-002", "CLOSE-015"}),
    "CDC-002-acknowledged-after-the-loss": (331, {"FAILOVER-001"}),
    "FAILOVER-005-acknowledgements-queued": (187, {"FAILOVER-005"}),
    "FAILOVER-005-completion-delayed": (108, {"FAILOVER-005"}),
    "FAILOVER-005-late-after-two-links": (160, {"FAILOVER-005"}),
    "FAILOVER-005-confirm-of-a-lost-link": (284, {"FAILOVER-005"}),
    "FAILOVER-005-confirm-answered-in-a-queue": (147, {"FAILOVER-005"}),
    "CDC-011-write-aborted-elsewhere": (489, {"CLOSE-015"}),
    "CDC-011-write-closed-elsewhere": (580, {"CDC-011"}),
    "CLOSE-015-write-of-the-former-owner": (703, {"FAILOVER-001"}),
    "FAILOVER-001-first-packet-is-long": (144, {"FAILOVER-001"}),
    "CURSOR-003-queue-before-f": (610, {"CURSOR-003"}),
    "FAILOVER-001-queue-of-a-shared-port": (444, {"FAILOVER-001"}),
    "FAILOVER-003-first-copies-lost": (898, {"FAILOVER-003"}),
    "CURSOR-001-validation-of-a-slow-link": (586, {"FAILOVER-001", "FAILOVER-009"}),
    "FAILOVER-009-first-over-a-slower-link": (104, {"FAILOVER-009"}),
    "FAILOVER-019-completions-delayed": (231, {"FAILOVER-019"}),
    "LLC-043-offer-overtaken": (275, {"LLC-019"}),
    "LLC-043-response-not-heard": (41, {"LLC-043"}),
    "LLC-017-answer-to-a-former-offer": (704, {"LLC-019"}),
}


def delayed(data, first):
    out, at, frame = bytearray(data[:24]), 24, 0
    while at < len(data):
        seconds, rest, have, long = struct.unpack_from("<4I", data, at)
        frame += 1
        out += struct.pack("<4I", seconds + (LATE if frame >= first else 0), rest, have, long) + data[at + 16:at + 16 + have]
        at += 16 + have
    return bytes(out)


def found(path):
    run = subprocess.run([os.environ["SMCLAB"], "check", "--format", "json", path], capture_output=True, text=True)
    return {x["requirement"] for x in json.loads(run.stdout)["files"][0]["findings"] if x["verdict"] in ("fail", "warn")}


def main():
    faults = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, (first, rules) in CASES.items():
            path = pathlib.Path(folder) / f"{name}.pcap"
            path.write_bytes(delayed((HERE / f"{name}.pcap").read_bytes(), first))
            seen = found(path)
            print(name, "from frame", first, "late:", *sorted(seen))
            faults += not seen & rules
    return 1 if faults else 0


sys.exit(main())
