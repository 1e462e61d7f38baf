#!/usr/bin/python3
# Writes the synthetic captures and streams.json, the table of what each connection carried.
# SPDX-License-Identifier: BSD-3-Clause
"""usage: generate.py DIRECTORY [NAME...]

Without names: all captures that are kept in the repository, and streams.json. With names: those captures, and a table
of their own on standard output. `sequence-wrap` is only made on request (20 MB).
"""

import json
import pathlib
import sys

sys.dont_write_bytecode = True

import script_basic  # noqa: E402,F401  (each script registers its captures)
import script_fallback  # noqa: E402,F401
import script_links  # noqa: E402,F401
import script_loss  # noqa: E402,F401
import script_smcd  # noqa: E402,F401
import script_smcd_data  # noqa: E402,F401
import script_v2  # noqa: E402,F401
from stage import CAPTURES, ON_REQUEST  # noqa: E402


def main(directory, names):
    out = pathlib.Path(directory)
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in names or CAPTURES:
        world = (CAPTURES | ON_REQUEST)[name]()
        (out / f"{name}.pcap").write_bytes(world.pcap())
        rows += world.table()
    lines = ",\n".join(" " + json.dumps(row) for row in rows)
    table = f"[\n{lines}\n]\n"
    if names:
        print(table, end="")
    else:
        (out / "streams.json").write_text(table)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:])
