"""Test: `smclab check` on a capture cut anywhere ends with a status that says so, never by a signal (each byte: cut_test.c).
SPDX-License-Identifier: BSD-3-Clause"""
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

CAPTURE = pathlib.Path(os.environ["SMCLAB_SOURCE_DIR"]) / "traces/captures/6.12.107-v2-a-first-contact.pcap"
STEP = 61


def boundaries(data):
    """Where a packet ends."""
    at, ends = 24, {24}
    while at < len(data):
        at += 16 + struct.unpack("<I", data[at + 8:at + 12])[0]
        ends.add(at)
    return ends


def main():
    data = CAPTURE.read_bytes()
    ends, faults = boundaries(data), []
    statuses = {}
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "cut.pcap")
        for size in sorted(ends | set(range(0, len(data), STEP))):
            pathlib.Path(path).write_bytes(data[:size])
            result = subprocess.run([os.environ["SMCLAB"], "check", path], capture_output=True, text=True)
            statuses[size] = result.returncode
            expected = (0, 77) if size in ends else (3,)
            if result.returncode not in expected:
                faults.append(f"cut after {size} bytes: exit {result.returncode}, not {expected}: {result.stderr[-200:]}")
    if statuses[len(data)] != 0:
        faults.append(f"the whole file: exit {statuses[len(data)]}")
    print(f"{len(statuses)} cuts, exit statuses {sorted(set(statuses.values()))}", *faults, sep="\n")
    return 1 if faults else 0


sys.exit(main())
