#!/usr/bin/env python3
# `smclab follow` gives the bytes that the notes of the captures say the applications sent, or the prefix that can be had.
# SPDX-License-Identifier: BSD-3-Clause
import os
import re
import subprocess
import sys

SMCLAB = os.environ["SMCLAB"]
CAPTURES = os.path.join(os.environ["SMCLAB_SOURCE_DIR"], "traces", "captures")
HELLO = b"Hello SMC from client, message 1"
SIZES = (1, 2, 43, 44, 45, 100, 1024, 4096, 8192, 16384)
B2 = b"".join(bytes(ord("A") + k % 26 for k in range(n)) for n in SIZES)


def counting(n):
    return (bytes(range(256)) * (n // 256 + 1))[:n]


def messages(n):
    return b"".join(b"msg %04d" % i for i in range(n))


# file: one row per connection in the order of the list: (client to server, server to client).
WHOLE = {
    "6.12.107-smclo-v1pure-a-first-contact": [(HELLO, HELLO)],
    "6.12.107-smclo-v1pure-b2-sizes": [(B2, B2)],
    "6.12.107-smclo-v1pure-d2-half-close-peer-sends": [(HELLO, re.compile(rb"32 \d+\n"))],
    # The note speaks of 100 x S; the capture holds 100 before and 100 after the client's byte.
    "6.12.107-smclo-v1pure-e3-close-with-unread": [(b"H", b"S" * 200)],
    "6.12.107-smclo-v1pure-g-two-links-add-link": [(messages(5), messages(5))],
    "6.12.107-smclo-v1pure-g6-failover-delete-rxe1": [(messages(25), messages(25))] * 2,
    "6.12.107-smclo-v1pure-i-ipv6": [(HELLO, HELLO)],
    "6.12.107-smclo-v1pure-j-first-contact-testlink": [(messages(2), messages(2))],
    "6.12.107-v2-a-first-contact": [(HELLO, HELLO)],
    "6.12.107-v2-b-subsequent-contact": [(HELLO, HELLO)],
    "6.12.107-v2-c2-slow-reader-300kB": [(counting(300000), b"300000 0\n")],
    "6.12.107-v2-d-half-close": [(HELLO, HELLO)],
    "6.12.107-v2-f1-server-plain-tcp": [(HELLO, HELLO)],
    "6.12.107-v2-f3-decline-no-device-server": [(HELLO, HELLO)],
    "6.12.107-v2-f5-decline-eid-mismatch": [(HELLO, HELLO)],
    "6.12.107-v2-g-two-links-add-link": [(messages(5), messages(5))],
    "6.12.107-v2-g2-failover-server-link-down": [(messages(25), messages(25))] * 2,
    "7.3.4-smclo-smcd-f5-no-eid": [(HELLO, HELLO)],
    "7.3.4-smclo-v2-e1-linger0": [(HELLO, HELLO)],
    "7.3.4-smclo-v2-e4-lgr-terminate-active": [(re.compile(rb"(msg \d{4})+"), re.compile(rb"(msg \d{4})+"))],
    "7.3.4-smclo-v2-k-urgent": [(b"Hello SMC U", b"")],
}
# What cannot be had whole, why, and the prefix that follow gives: exit status 1.
PREFIX = {
    "6.1.192-v2-a-clc-only-then-hang": (b"", b""),   # the data path never came up
    "7.3.4-smclo-smcd-a-first-contact": (b"", b""),  # SMC-D: data is on no wire
    "7.3.4-smclo-smcd-d-half-close": (b"", b""),
    "6.12.107-v2-c-bulk-4MB-snap160": (None, b"4000000 0\n"),  # packets cut at 160 bytes: a prefix of the counting bytes
}


def listed(path):
    out = subprocess.run([SMCLAB, "follow", path], capture_output=True, check=True).stdout.decode()
    return [line.split()[0] for line in out.splitlines()[1:]]


def follow(path, connection, direction):
    run = subprocess.run([SMCLAB, "follow", "--connection", connection, "--direction", direction, "--raw", path],
                         capture_output=True, check=False)
    return run.returncode, run.stdout, run.stderr.decode()


def matches(want, got):
    return want.fullmatch(got) is not None if isinstance(want, re.Pattern) else want == got


def whole(name, rows):
    path = os.path.join(CAPTURES, name + ".pcap")
    ids = listed(path)
    bad = [] if len(ids) == len(rows) else [f"{name}: {len(ids)} connections, not {len(rows)}"]
    for connection, row in zip(ids, rows):
        for direction, want in zip(("c2s", "s2c"), row):
            status, got, error = follow(path, connection, direction)
            if status != 0 or not matches(want, got):
                bad.append(f"{name} {connection} {direction}: exit {status}, {len(got)} bytes {got[:60]!r} {error}")
    return bad


def prefix(name, row):
    path = os.path.join(CAPTURES, name + ".pcap")
    bad = []
    for direction, want in zip(("c2s", "s2c"), row):
        status, got, error = follow(path, listed(path)[0], direction)
        if want is None:
            ok = status == 1 and 0 < len(got) < 4000000 and counting(4000000).startswith(got)
        elif want:
            ok = status == 0 and got == want
        else:
            ok = status == 1 and got == b""
        ok = ok and (status == 0 or f"first missing byte: {len(got)}" in error)
        if not ok:
            bad.append(f"{name} {direction}: exit {status}, {len(got)} bytes {got[:60]!r} {error}")
    return bad


def main():
    names = {f[:-5] for f in os.listdir(CAPTURES) if f.endswith(".pcap")}
    bad = [f"{name}: in no table" for name in sorted(names - set(WHOLE) - set(PREFIX))]
    for name, rows in WHOLE.items():
        bad += whole(name, rows)
    for name, row in PREFIX.items():
        bad += prefix(name, row)
    print("\n".join(bad))
    print(f"follow: {len(WHOLE)} captures whole, {len(PREFIX)} by their prefix, {len(bad)} differences")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
