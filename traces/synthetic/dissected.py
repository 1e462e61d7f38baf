# Test: tshark decodes every SMC message of the synthetic captures; checksums are right; what it cannot read is listed here.
# SPDX-License-Identifier: BSD-3-Clause
"""Wireshark 4.0 runs past the end of two correct messages and calls them malformed:
the 52-byte Proposal (it takes the IP area at offset 0 for its own reserved fields) and an SMC-D Accept with the 36-byte
first-contact extension of release 0 (it expects 52)."""

import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
CHECK = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"]
BAD_SUM = " || ".join(f"{layer}.checksum.status == 0" for layer in ("ip", "tcp", "udp", "icmpv6"))


def tshark(path, condition, *fields):
    command = ["tshark", "-r", path, *CHECK, "-Y", condition, "-T", "fields"]
    for field in fields:
        command += ["-e", field]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [line.split("\t") for line in out.splitlines()]


def excused(length, kind):
    return (length, kind) in (("52", "1"), ("114", "2"))


def main():
    faults, messages = [], 0
    for path in sorted(HERE.glob("*.pcap")):
        messages += len(tshark(path, "smc", "frame.number"))
        for number, length, kind in tshark(path, "_ws.malformed", "frame.number", "tcp.len", "smc.clc_msg"):
            if not excused(length, kind):
                faults.append(f"{path.name} frame {number}: malformed")
        faults += [f"{path.name} frame {number}: bad checksum" for (number,) in tshark(path, BAD_SUM, "frame.number")]
    print(f"{messages} SMC messages dissected", *faults, sep="\n")
    return 1 if faults or messages < 1000 else 0


sys.exit(main())
