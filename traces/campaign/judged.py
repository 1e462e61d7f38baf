# Test: `smclab check` blames nobody in these captures, and has evaluated rules of the area that each file's name begins with.
# SPDX-License-Identifier: BSD-3-Clause
"""A file is RULE-reason.pcap; RULE has the form AREA-number."""

import json
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def main():
    files = sorted(HERE.glob("*.pcap"))
    run = subprocess.run([os.environ["SMCLAB"], "check", "--format", "json", *files], capture_output=True, text=True)
    faults = [] if run.returncode == 0 and files else [f"exit status {run.returncode}: {run.stderr}"]
    for one in json.loads(run.stdout)["files"]:
        name = pathlib.Path(one["file"]).name
        area = re.match(r"[A-Z]+-", name).group()
        faults += [f"{name} frame {found['frame']}: {found['verdict']} {found['requirement']}: {found['message']}"
                   for found in one["findings"] if found["verdict"] in ("fail", "warn")]
        if not any(rule.startswith(area) and n for rule, n in one["exercised"].items()):
            faults.append(f"{name}: no rule of {area[:-1]} was evaluated")
    print(f"{len(files)} files", *faults, sep="\n")
    return 1 if faults else 0


sys.exit(main())
