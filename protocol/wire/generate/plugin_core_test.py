"""Test: the plugin's parser (Lua 5.2 and 5.4) finds in each message of the corpora, and in mutations of them, what the C parser finds.
SPDX-License-Identifier: BSD-3-Clause

The plugin looks at the structure only: where the C parser refuses a value, the plugin may go on. So the fields of a
refused message are compared as far as the C parser came, those of an accepted one all, and what C accepts the plugin accepts."""
import os
import pathlib
import subprocess
import sys

SOURCE, BUILD = pathlib.Path(os.environ["SMCLAB_SOURCE_DIR"]), pathlib.Path(os.environ["SMCLAB_BUILD_DIR"])
HERE = pathlib.Path(__file__).resolve().parent
MUTATIONS = 40


def messages(text):
    """[(hex, name, fields, verdict)]"""
    result = []
    for line in text.splitlines():
        if line.startswith("message "):
            result.append([line, None, [], None])
        elif line in ("accepted", "refused"):
            result[-1][3] = line
        elif result[-1][1] is None:
            result[-1][1] = line
        else:
            result[-1][2].append(line)
    return result


def fault(ours, lua):
    if ours[:2] != lua[:2]:
        return f"C says {ours[1]}, Lua {lua[1]}"
    if ours[3] == "accepted" and lua[3] != "accepted":
        return f"{ours[1]} is accepted by C only"
    fields = lua[2] if ours[3] == "accepted" else lua[2][:len(ours[2])]
    different = [pair for pair in zip(ours[2], fields) if pair[0] != pair[1]]
    if different or len(fields) != len(ours[2]):
        return f"{ours[1]}: {different[:1] or (len(ours[2]), len(fields))}"
    return None


def main():
    files = [str(f) for kind in ("clc", "llc") for f in sorted((SOURCE / "fuzz/corpus" / kind).iterdir())]
    program = BUILD / "protocol/wire/generate/smc_print_fields"
    expected = subprocess.run([program, str(MUTATIONS), *files], check=True, capture_output=True, text=True).stdout
    ours = messages(expected)
    accepted = sum(m[3] == "accepted" for m in ours)
    faults = [] if min(accepted, len(ours) - accepted) > 1000 else [f"{accepted} of {len(ours)} accepted: one-sided"]
    for lua in ("lua5.2", "lua5.4"):
        out = subprocess.run([lua, HERE / "plugin_core_driver.lua", BUILD / "generated/smclab.lua"], input=expected,
                             check=True, capture_output=True, text=True).stdout
        theirs = messages(out)
        if len(theirs) != len(ours):
            faults.append(f"{lua}: {len(theirs)} messages of {len(ours)}")
        found = [f"{lua}: {text} in {a[0]}" for a, b in zip(ours, theirs) for text in [fault(a, b)] if text]
        print(f"{lua}: {len(ours)} messages ({accepted} accepted), {sum(len(m[2]) for m in ours)} fields, "
              f"{len(found)} differ")
        faults += found
    print(*faults[:20], sep="\n")
    return 1 if faults else 0


sys.exit(main())
