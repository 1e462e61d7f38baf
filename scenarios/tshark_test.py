"""What simulated hosts send is what Wireshark's dissectors know: no malformed packet in any run that is not hostile.
SPDX-License-Identifier: BSD-3-Clause

The known gaps of the dissector (it calls some correct SMC messages malformed) are listed here with what they are; whatever else
tshark marks as malformed, or a wrong checksum of IPv4 or TCP, fails."""
import collections
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile

SOURCE, SMCLAB = os.environ["SMCLAB_SOURCE_DIR"], os.environ["SMCLAB"]
PROTOCOLS = "eth ethertype vlan arp ip ipv6 icmpv6 tcp udp infiniband smc data".split()
FRAMES = 20000 # of each capture: experiments and fabrics repeat the same few kinds of frames hundreds of thousands of times
BAD = ("_ws.malformed or ip.checksum.status == 0 or tcp.checksum.status == 0")


def captures(folder):
    """Runs every scenario; [(scenario, capture)] of those that passed and are not hostile."""
    out = subprocess.run([SMCLAB, "run", "-j", "2", "--format", "json", "--out", folder, os.path.join(SOURCE, "scenarios")],
                         capture_output=True, text=True)
    runs = json.loads(out.stdout)["runs"]
    if not runs:
        sys.exit("no scenario ran: " + out.stderr)
    return [(r["scenario"], r["capture"]) for r in runs if not r["hostile"] and r["verdict"] == "pass"]


def look(capture):
    """(frames, [(frame, info)] that tshark does not like)."""
    fields = ["-T", "fields", "-e", "frame.number", "-e", "_ws.col.Protocol", "-e", "_ws.col.Info", "-e", "frame.protocols"]
    options = ["-n", "-c", str(FRAMES), "-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-r", capture]
    bad = subprocess.run(["tshark", *options, "-Y", BAD, *fields], capture_output=True, text=True)
    if bad.returncode != 0:
        sys.exit(f"tshark cannot read {capture}: {bad.stderr}")
    # Others claim application data by port numbers, and RPC over RDMA claims SENDs (the kernel's captures suffer from it too).
    lines = [text.split("\t") for text in bad.stdout.splitlines()]
    return [line for line in lines if set(line[3].split(":")) <= {*PROTOCOLS, "_ws.malformed"}]


def known(protocol, info):
    """Gaps of the dissector (deviations.md B; see also the closing words of docs/wireshark.md)."""
    if protocol.startswith("SMC") or "SMC" in info:
        return "Proposal" in info or "Confirm" in info or "Accept" in info
    return False


def main():
    count, failed = collections.Counter(), []
    with tempfile.TemporaryDirectory() as folder:
        runs = captures(folder)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for (scenario, _), bad in zip(runs, pool.map(look, [c for _, c in runs])):
                count["captures"] += 1
                for frame, protocol, info, *_ in bad:
                    if known(protocol, info):
                        count["known gaps"] += 1
                    else:
                        failed.append(f"{scenario}: frame {frame}: {protocol}: {info}")
    print("\n".join(failed))
    print(f"{count['captures']} captures, {count['known gaps']} messages that the dissector is known to misread, {len(failed)} others")
    sys.exit(1 if failed or count["captures"] < 50 else 0)


main()
