# Test: `smclab follow` writes exactly the bytes that streams.json says each application sent.
# SPDX-License-Identifier: BSD-3-Clause
"""sha256 null: the data is on no wire (SMC-D without records): nothing is written and the exit status is 1."""

import hashlib
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SMCLAB = os.environ["SMCLAB"]


def identities(files):
    """(file, client) -> id of the connection."""
    run = subprocess.run([SMCLAB, "check", "--format", "json", *files], capture_output=True, text=True)
    return {(pathlib.Path(one["file"]).name, conn["client"]): conn["id"]
            for one in json.loads(run.stdout)["files"] for conn in one["connections"]}


def fault(row, identity):
    if identity is None:
        return "no such connection"
    command = [SMCLAB, "follow", "--connection", str(identity), "--direction", row["direction"], "--raw", HERE / row["file"]]
    run = subprocess.run(command, capture_output=True)
    if row["sha256"] is None:
        return None if run.returncode == 1 and not run.stdout else f"exit status {run.returncode}, {len(run.stdout)} bytes"
    if run.returncode != 0 or len(run.stdout) != row["length"]:
        return f"exit status {run.returncode}, {len(run.stdout)} of {row['length']} bytes: {run.stderr.decode(errors='replace')}"
    return None if hashlib.sha256(run.stdout).hexdigest() == row["sha256"] else "other bytes"


def main():
    rows = json.loads((HERE / "streams.json").read_text())
    assert len(rows) > 100, "the table is cut"
    ids = identities(sorted({HERE / row["file"] for row in rows}))
    faults = 0
    for row in rows:
        message = fault(row, ids.get((row["file"], row["client"])))
        if message:
            faults += 1
            print(f"{row['file']} {row['client']} {row['direction']}: {message}")
    print(f"{len(rows)} streams compared, {faults} wrong")
    return 1 if faults else 0


sys.exit(main())
