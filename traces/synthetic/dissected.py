# Test: tshark decodes every SMC message of the synthetic captures; checksums are right; what it cannot read is listed here.
# SPDX-License-Identifier: BSD-3-Clause
"""Wireshark 4.0 runs past the end of two correct messages and calls them malformed:
the 52-byte Proposal (it takes the IP area at offset 0 for its own reserved fields) and an SMC-D Accept with the 36-byte
first-contact extension of release 0 (it expects 52)."""

import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
FIELDS = ("frame.number", "frame.protocols", "tcp.len", "smc.clc_msg", "_ws.malformed", "infiniband.bth.opcode",
          "ip.checksum.status", "tcp.checksum.status", "udp.checksum.status", "icmpv6.checksum.status")
OPTIONS = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"]
SEND_ONLY, BAD = "4", "0"
TOO_LONG_FOR_TSHARK = {("52", "1"), ("114", "2")}  # length and CLC type


def packets(path):
    command = ["tshark", "-r", path, *OPTIONS, "-T", "fields", *(part for field in FIELDS for part in ("-e", field))]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [line.split("\t") for line in out.splitlines()]


def fault(protocols, length, kind, malformed, opcode, checksums):
    if malformed and (length, kind) not in TOO_LONG_FOR_TSHARK:
        return "malformed"
    if opcode == SEND_ONLY and "smc" not in protocols.split(":"):
        return "a SEND that is no SMC message"
    return "bad checksum" if BAD in checksums else None


def main():
    faults, messages = [], 0
    for path in sorted(HERE.glob("*.pcap")):
        for number, protocols, length, kind, malformed, opcode, *checksums in packets(path):
            messages += "smc" in protocols.split(":")
            what = fault(protocols, length, kind, malformed, opcode, checksums)
            if what:
                faults.append(f"{path.name} frame {number}: {what}")
    print(f"{messages} SMC messages dissected", *faults, sep="\n")
    return 1 if faults or messages < 1000 else 0


sys.exit(main())
