"""Compares the kernel's captures with those of our own hosts in scenarios/kernel/, which do the same.
SPDX-License-Identifier: BSD-3-Clause

Each scenario there names its capture in a comment, `-- capture: NAME [from TIME]`; TIME: of our capture, what comes before
is not compared. docs/kernel-differences.md holds what may differ, a row each; a row that nothing needs fails as well.
With arguments (names of scenarios without .lua): prints all differences of these, allowed or not."""
import fnmatch
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

from kernel_compare import Capture, differences

SMCLAB = os.environ["SMCLAB"]
ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
CAPTURES, DOCUMENT = os.path.join(ROOT, "traces/captures"), os.path.join(ROOT, "docs/kernel-differences.md")
UNITS = {"us": 10**3, "ms": 10**6, "s": 10**9}


def scenarios():
    """{name: (capture, from which time of our capture on in ns)}"""
    found = {}
    for file in sorted(os.listdir(os.path.join(ROOT, "scenarios/kernel"))):
        with open(os.path.join(ROOT, "scenarios/kernel", file), encoding="utf-8") as text:
            line = re.search(r"^-- capture: (\S+)(?: from (\d+) (us|ms|s))?$", text.read(), re.MULTILINE)
        if line:
            found[file[:-4]] = (line[1], int(line[2] or 0) * UNITS[line[3] or "s"])
    return found


def table(heading):
    """The rows of the table below a heading of the document, as lists of cells."""
    with open(DOCUMENT, encoding="utf-8") as file:
        section = file.read().split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("|")]
    return rows[2:]


def run_all(folder):
    command = [SMCLAB, "run", "--format", "json", "--out", folder, os.path.join("scenarios", "kernel")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return {os.path.basename(run["scenario"])[:-4]: run for run in json.loads(done.stdout)["runs"]}


def allowed_by(rows, capture, difference):
    """Numbers of the rows that allow it: each cell is a pattern."""
    cells = (capture, *difference[:4])
    return [row[0] for row in rows if all(fnmatch.fnmatchcase(cell, pattern) for cell, pattern in zip(cells, row[1:6]))]


class Kernel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.scenarios, cls.runs, cls.rows = scenarios(), run_all(cls.folder.name), table("What may differ")
        cls.found = {name: differences(Capture(SMCLAB, os.path.join(CAPTURES, capture)), Capture(SMCLAB, cls.runs[name]["capture"], start))
                     for name, (capture, start) in cls.scenarios.items() if cls.runs[name]["capture"]}

    def test_every_scenario_passes_and_has_a_capture(self):
        self.assertGreaterEqual(len(self.scenarios), 20)
        self.assertEqual(set(self.runs), set(self.scenarios))
        for name, run in self.runs.items():
            self.assertEqual(run["verdict"], "pass", f"{name}: {run['reason']}")
            self.assertIn(name, self.found)

    def test_messages_are_the_kernels(self):
        told = []
        for name, (capture, _) in self.scenarios.items():
            for d in self.found[name]:
                if not allowed_by(self.rows, capture, d):
                    told.append(f"{name}: {d[0]}, {d[1]}: {d[2]} in {capture}, {d[3]} here ({d[4]})")
        self.assertFalse(told, "\n" + "\n".join(told[:60]))

    def test_every_allowed_difference_occurs(self):
        used = {row for name, (capture, _) in self.scenarios.items() for d in self.found[name] for row in allowed_by(self.rows, capture, d)}
        self.assertEqual([row[0] for row in self.rows if row[0] not in used], [])
        self.assertEqual(len({row[0] for row in self.rows}), len(self.rows), "a number twice")
        self.assertFalse([row[0] for row in self.rows if len(row) != 7 or not row[6]], "rows without a reason")

    def test_every_capture_is_compared_or_told_why_not(self):
        here = {file for file in os.listdir(CAPTURES) if file.endswith(".pcap")}
        compared, rest = {capture for capture, _ in self.scenarios.values()}, table("What is not compared")
        self.assertEqual(compared | {row[0] for row in rest}, here)
        self.assertFalse(compared & {row[0] for row in rest})
        self.assertTrue(all(row[1] for row in rest))

    def test_a_change_of_one_field_is_noticed(self):
        """The comparison itself: a capture differs from itself in nothing, and from another one in what was changed."""
        path = os.path.join(CAPTURES, "6.12.107-v2-a-first-contact.pcap")
        self.assertEqual(differences(Capture(SMCLAB, path), Capture(SMCLAB, path)), [])
        changed = Capture(SMCLAB, path)
        last = [m for m in changed.messages if m["protocol"] == "CDC"][-1]
        next(f for f in last["fields"] if f["name"] == "prod_count")["value"] = 33
        self.assertEqual([d[:4] for d in differences(Capture(SMCLAB, path), changed)], [("cdc", "prod_count", "32", "33")])
        changed.messages.remove(last)
        self.assertEqual([d[:4] for d in differences(Capture(SMCLAB, path), changed)], [("cdc", "message", "present", "absent")])
        token = next(f for m in changed.messages if m["protocol"] == "CDC" for f in m["fields"] if f["name"] == "token")
        token["value"] = 77  # a token that no Accept has named
        self.assertIn(("cdc", "token"), [d[:2] for d in differences(Capture(SMCLAB, path), changed)])


def show(names):
    with tempfile.TemporaryDirectory() as folder:
        runs = run_all(folder)
        for name, (capture, start) in scenarios().items():
            if name not in names:
                continue
            print(f"{name} against {capture}: {runs[name]['verdict']}")
            for d in differences(Capture(SMCLAB, os.path.join(CAPTURES, capture)), Capture(SMCLAB, runs[name]["capture"], start)):
                print("  " + "; ".join(map(str, d)))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        show(sys.argv[1:])
    else:
        unittest.main()
