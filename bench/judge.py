# Benchmark: how fast the judge reads a large capture, beside tshark on the same file, and how much memory it takes.
# SPDX-License-Identifier: BSD-3-Clause
"""Judges captures of 10 MB and 100 MB (with --full also 1 GB), made by bench_traffic out of real ones, ICRCs verified.

Fails if the judge does fewer than a million packets a second on one core, finds a fault in these faultless captures, misses a
packet or a connection, or takes more memory for a larger file than the connections that ended in it may leave behind.
Rates are per second of processor time, so that a busy machine does not change them much; elapsed time is shown as well.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

FLOOR = 1_000_000                # packets a second
AIM = 50                         # times tshark
KEPT_PER_CONNECTION = 256        # bytes a finished connection may leave behind
SLACK = 2 << 20                  # what an allocator may do
LANES, PAUSE_MS = 32, 10_000     # pairs of hosts; pause between two connections of a pair
FIRST = "6.12.107-v2-a-first-contact"
NEXT = ["6.12.107-v2-b-subsequent-contact", "6.12.107-v2-c2-slow-reader-300kB", "6.12.107-v2-d-half-close"]

SOURCE = pathlib.Path(os.environ.get("SMCLAB_SOURCE_DIR", "."))
BUILD = pathlib.Path(os.environ.get("SMCLAB_BUILD_DIR", "build/release"))
SMCLAB = os.environ.get("SMCLAB", str(BUILD / "bin/smclab"))


def make(path, megabytes):
    captures = [str(SOURCE / "traces/captures" / (name + ".pcap")) for name in [FIRST, *NEXT]]
    command = [str(BUILD / "bench/traffic/bench_traffic"), str(path), str(megabytes), str(LANES), str(PAUSE_MS), *captures]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


class Run:
    """One run of a program to its end: status, elapsed and processor seconds, the most memory it had, its output."""

    def __init__(self, *command):
        with tempfile.TemporaryFile() as out:
            start = time.monotonic()
            child = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
            _, status, usage = os.wait4(child.pid, 0)
            self.elapsed = time.monotonic() - start
            child.returncode = self.status = os.waitstatus_to_exitcode(status)
            self.cpu = usage.ru_utime + usage.ru_stime
            self.rss = usage.ru_maxrss * 1024
            out.seek(0)
            self.output = out.read()


def best(count, *command):
    return min((Run(*command) for _ in range(count)), key=lambda run: run.cpu)


class Bench:
    def __init__(self):
        self.failures = []

    def must(self, condition, text):
        if not condition:
            self.failures.append(text)

    def judged(self, path, packets):
        run = best(3, SMCLAB, "check", "--format", "json", str(path))
        if run.status != 0:
            print(run.output[:2000].decode(errors="replace"))
            sys.exit(f"smclab check ended with status {run.status}")
        result = json.loads(run.output)
        found = result["files"][0]
        run.connections = len(found["connections"])
        self.must(found["packets"] == packets, f"{found['packets']} packets judged of {packets}")
        self.must(result["summary"]["fail"] == 0, f"{result['summary']['fail']} faults found in a faultless capture")
        self.must(all(c["mode"] == "SMC-R" and c["closed"] == "normal" for c in found["connections"]), "a connection was not seen to be SMC-R and to end normally")
        self.must(sum(found["exercised"].values()) > packets / 4, "hardly any rule was evaluated")
        return run

    def memory(self, smaller, larger):
        growth, ended = larger.rss - smaller.rss, larger.connections - smaller.connections
        allowed = ended * KEPT_PER_CONNECTION + SLACK
        self.must(growth <= allowed, f"{growth / 1e6:.1f} MB more memory for {ended} more connections, {allowed / 1e6:.1f} allowed")


def row(name, run, packets):
    print(f"{name:28} {packets:9} {run.elapsed:8.2f} {run.cpu:8.2f} {packets / run.cpu / 1e6:12.3f} {run.rss / 1e6:10.1f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="judge 1 GB as well")
    full = parser.parse_args().full
    bench, runs = Bench(), []
    print(f"{'':28} {'packets':>9} {'elapsed':>8} {'cpu s':>8} {'million p/s':>12} {'most MB':>10}")
    with tempfile.TemporaryDirectory(dir=BUILD) as folder:
        path = pathlib.Path(folder) / "traffic.pcap"
        for megabytes in [10, 100, *([1000] if full else [])]:
            packets = make(path, megabytes)
            runs.append(bench.judged(path, packets))
            row(f"smclab check, {megabytes} MB", runs[-1], packets)
            if megabytes == 100:
                tshark = best(1, "tshark", "-r", str(path), "-Y", "smc")
                row("tshark -Y smc, 100 MB", tshark, packets)
                rate, ratio = packets / runs[-1].cpu, tshark.cpu / runs[-1].cpu
                bench.must(tshark.status == 0, "tshark failed")
    for smaller, larger in zip(runs, runs[1:]):
        bench.memory(smaller, larger)
    bench.must(rate >= FLOOR, f"{rate:.0f} packets a second, the floor is {FLOOR}")
    print(f"\n{rate / 1e6:.2f} million packets a second, {ratio:.1f} times tshark (aim: {AIM}); "
          f"{runs[-1].connections} connections in the largest file")
    for text in bench.failures:
        print("FAILED:", text)
    return 1 if bench.failures else 0


if __name__ == "__main__":
    sys.exit(main())
