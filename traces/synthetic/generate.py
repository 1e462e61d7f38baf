#!/usr/bin/python3
# Writes the synthetic captures and streams.json, the table of what each connection carried.
# SPDX-License-Identifier: BSD-3-Clause
"""usage: generate.py DIRECTORY [NAME...]      (with names: only those, and no table)"""

import json
import pathlib
import sys

sys.dont_write_bytecode = True

import script_basic  # noqa: E402,F401  (each script registers its captures)
from stage import CAPTURES  # noqa: E402


def main(directory, names):
    out = pathlib.Path(directory)
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in names or CAPTURES:
        world = CAPTURES[name]()
        (out / f"{name}.pcap").write_bytes(world.pcap())
        rows += world.table()
    if not names:
        lines = ",\n".join(" " + json.dumps(row) for row in rows)
        (out / "streams.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:])
