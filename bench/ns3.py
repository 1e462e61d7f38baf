"""What ns-3 costs: the same runs on both engines, our timer heap against ns-3's schedulers, and a leaf and spine of 128 hosts with 10,000
connections on both. Options: --scale-only, --no-scale.
SPDX-License-Identifier: BSD-3-Clause"""
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
BUILD = os.environ.get("SMCLAB_BUILD_DIR", os.path.join(ROOT, "build/release"))
SCALE = os.path.join(HERE, "ns3/leaf_spine_10000.lua")


def scale(target):
    with tempfile.TemporaryDirectory() as folder:
        start = time.monotonic()
        done = subprocess.run([os.path.join(BUILD, "bin/smclab"), "run", "--target", target, "--timeout", "3600", "--format", "json", "--keep-captures",
                               "failed", "--out", folder, SCALE], capture_output=True, text=True)
        taken = time.monotonic() - start
    if not done.stdout:
        sys.exit(done.stderr)
    record = json.loads(done.stdout)["runs"][0]
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"  {target:4s} {record['verdict']:5s} {taken:7.1f} s   {record.get('events', 0):>10} events   {record.get('messages', 0):>9} messages   "
          f"{record.get('virtual_ns', 0) / 1e6:9.1f} ms of the model   at most {memory:.0f} MB so far   {record['reason'] or ''}", flush=True)
    return record["verdict"] == "pass"


def main():
    good = True
    if "--scale-only" not in sys.argv:
        for name in ("schedulers", "engines"):
            program = os.path.join(BUILD, "bench/ns3", "bench.ns3." + name)
            if not os.path.exists(program):
                sys.exit("this build has no ns-3: install g++ libns3-dev libgsl-dev libsqlite3-dev and build again")
            good &= subprocess.run([program]).returncode == 0
    if "--no-scale" not in sys.argv:
        print("leaf and spine, 128 hosts, 10,000 SMC-R connections, each sends and receives, judged:", flush=True)
        good &= all([scale("sim"), scale("ns3")])
    sys.exit(0 if good else 1)


main()
