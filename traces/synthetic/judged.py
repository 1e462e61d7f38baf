# Test: `smclab check` gives no `fail` and no `warn` in the synthetic captures, and has judged every connection.
# SPDX-License-Identifier: BSD-3-Clause
"""The capture that is too large to keep (a sequence number that wraps) is made here and judged with the others."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def connections(table):
    return {(row["file"], row["client"]) for row in table}


def main():
    with tempfile.TemporaryDirectory() as temporary:
        extra = subprocess.run([sys.executable, HERE / "generate.py", temporary, "sequence-wrap"], check=True, capture_output=True)
        wanted = connections(json.loads((HERE / "streams.json").read_text()) + json.loads(extra.stdout))
        files = sorted(HERE.glob("*.pcap")) + sorted(pathlib.Path(temporary).glob("*.pcap"))
        run = subprocess.run([os.environ["SMCLAB"], "check", "--format", "json", *files], capture_output=True, text=True)
    result = json.loads(run.stdout)
    faults = [] if run.returncode == 0 else [f"exit status {run.returncode}: {run.stderr}"]
    seen = {(pathlib.Path(one["file"]).name, conn["client"]) for one in result["files"] for conn in one["connections"]}
    faults += [f"not seen: {name} {client}" for name, client in sorted(wanted - seen)]
    for one in result["files"]:
        faults += [f"{pathlib.Path(one['file']).name} frame {found['frame']}: {found['verdict']} {found['requirement']}: "
                   f"{found['message']}" for found in one["findings"] if found["verdict"] in ("fail", "warn")]
        if not sum(one["exercised"].values()):
            faults.append(f"{one['file']}: nothing was evaluated")
    print(f"{len(files)} files, {len(wanted)} connections", *faults, sep="\n")
    return 1 if faults else 0


sys.exit(main())
