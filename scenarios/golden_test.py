"""Same scenario, same seed, same bytes: digests of captures, recorded, hold for every compiler and optimisation.
SPDX-License-Identifier: BSD-3-Clause

golden.json holds {scenario: sha256 of its capture}. After a change that is meant to change what hosts send:
SMCLAB=… SMCLAB_SOURCE_DIR=… python3 scenarios/golden_test.py --record"""
import json
import os
import subprocess
import sys
import tempfile

SOURCE, SMCLAB = os.environ["SMCLAB_SOURCE_DIR"], os.environ["SMCLAB"]
RECORD = os.path.join(SOURCE, "scenarios", "golden.json")
SEED = "20260714"


def digests(scenarios):
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([SMCLAB, "run", "-j", "2", "--seed", SEED, "--format", "json", "--out", folder,
                               *[os.path.join(SOURCE, s) for s in scenarios]], capture_output=True, text=True)
        runs = json.loads(done.stdout)["runs"]
    return {os.path.relpath(r["scenario"], SOURCE) if os.path.isabs(r["scenario"]) else r["scenario"]: r["capture_sha256"]
            for r in runs}


def main():
    recorded = json.load(open(RECORD, encoding="utf-8"))
    now = digests(sorted(recorded))
    if "--record" in sys.argv:
        with open(RECORD, "w", encoding="utf-8") as file:
            json.dump(dict(sorted(now.items())), file, indent=1)
            file.write("\n")
        return 0
    wrong = [s for s in sorted(recorded) if now.get(s) != recorded[s]]
    for s in wrong:
        print(f"{s}: the capture is {now.get(s)}, recorded is {recorded[s]}")
    print(f"{len(recorded)} captures, {len(wrong)} with other bytes than recorded")
    return 1 if wrong or len(recorded) < 10 else 0


sys.exit(main())
