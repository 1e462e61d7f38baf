"""Do simulation and real kernel agree? Compares captures of runs with a kernel with those of the same scenarios, simulated.
SPDX-License-Identifier: BSD-3-Clause

Without arguments: the captures in traces/captures/live/ (SCENARIO.HOST.pcap; the folder names are joined by -). With results of
`smclab run --target vm --format json` as arguments: the runs in them that passed. The table of docs/linux.md holds what may differ,
a row each: what no row allows fails, and a row that nothing here needs is reported (and fails, without arguments)."""
import fnmatch
import json
import os
import subprocess
import sys
import tempfile
import unittest

from live_compare import STATES, differences, rows_for, short, speaks_first, table

SMCLAB = os.environ["SMCLAB"]
ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
CAPTURES, DOCUMENT = os.path.join(ROOT, "traces/captures/live"), os.path.join(ROOT, "docs/linux.md")


def rows():
    return table(DOCUMENT, "Where simulation and kernel differ")


def simulated(scenarios, folder, *more):
    """{scenario: capture}"""
    paths = [os.path.join("scenarios", name + ".lua") for name in scenarios]
    if not paths:
        return {}
    done = subprocess.run([SMCLAB, "run", *more, "--format", "json", "--out", folder, *paths], cwd=ROOT, capture_output=True, text=True, check=False)
    return {short(run["scenario"]): run["capture"] for run in json.loads(done.stdout)["runs"] if run["verdict"] == "pass"}


def left_out(scenario):
    """By the table of what is not compared."""
    return any(fnmatch.fnmatchcase(scenario, row[0]) for row in table(DOCUMENT, "What is not compared"))


def implementations(folder):
    """{capture: "Linux …"}: what the records beside the captures say."""
    found = {}
    for name in os.listdir(folder):
        if name.endswith(".json"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                found.update({os.path.basename(run["capture"]): run["implementation"] for run in json.load(file)["runs"] if run["capture"]})
    return found


def kept():
    """[(scenario, host that was real, capture, version)] in the folder, and in those in it that are named by a version."""
    found = []
    for folder in [CAPTURES] + sorted(entry.path for entry in os.scandir(CAPTURES) if entry.is_dir() and entry.name[0].isdigit()):
        versions = implementations(folder)
        for name in sorted(os.listdir(folder)):
            if name.endswith(".pcap"):
                scenario, host = name[:-5].rsplit(".", 1)
                found.append((scenario.replace("-", "/"), host, os.path.join(folder, name), versions.get(name)))
    return found


def ran(results):
    """[(scenario, host, capture, version)] of the runs that passed, without those in which a host breaks rules and what is not compared."""
    found = []
    for path in results:
        with open(path, encoding="utf-8") as file:
            runs = json.load(file)["runs"]
        found += [(short(run["scenario"]), run["role"], run["capture"], run["implementation"]) for run in runs
                  if run["verdict"] == "pass" and run["capture"] and run.get("implementation") and not run["hostile"] and not left_out(short(run["scenario"]))]
    return found


def compare(live):
    """([(scenario, host, difference, rows that allow it)], scenarios that do not run simulated)"""
    found, allowed, missing = [], rows(), set()
    with tempfile.TemporaryDirectory() as folder:
        # A kernel that has version 1 over UDP runs what is written for it in version 1; for others our hosts leave it out.
        first = {run[2] for run in live if speaks_first(SMCLAB, run[2])}
        sims = [simulated(sorted({run[0] for run in live if (run[2] in first) == v1}), os.path.join(folder, str(v1)), *([] if v1 else ["--no-v1"]))
                for v1 in (False, True)]
        for scenario, host, capture, version in live:
            sim = sims[capture in first]
            for d in differences(SMCLAB, sim[scenario], capture) if scenario in sim else []:
                found.append((scenario, host, d, rows_for(allowed, scenario, host, d, version)))
            if scenario not in sim:
                missing.add(scenario)
    return found, sorted(missing)


def tell(difference):
    scenario, host, (what, where, sim, live), _ = difference
    return f"{scenario}, {host} is the kernel: {what}, {where}: {sim} simulated, {live} live"


class Live(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        bugs = {row[1] for row in table(DOCUMENT, "What looks like a bug of the kernel")}
        cls.kept = kept()
        cls.found, cls.not_simulated = compare([run for run in cls.kept if os.path.basename(run[2]) not in bugs])
        cls.bugs = bugs

    def test_every_capture_has_its_simulation(self):
        self.assertGreaterEqual(len(self.kept), 20)
        self.assertEqual(self.not_simulated, [])

    def test_simulation_and_kernel_agree(self):
        self.assertEqual([tell(d) for d in self.found if not d[3]], [])

    def test_every_allowed_difference_occurs(self):
        used = {row for d in self.found for row in d[3]}
        self.assertEqual([row[0] for row in rows() if row[0] not in used], [])

    def test_rows_have_an_id_a_capture_and_a_reason(self):
        names = {os.path.basename(run[2]) for run in self.kept}
        self.assertEqual(len({row[0] for row in rows()}), len(rows()), "an id twice")
        for row in rows():
            self.assertEqual(len(row), 9, row)
            self.assertIn(row[7], names, row)
            self.assertTrue(row[8], row)

    def test_bugs_are_in_their_captures(self):
        """The judge finds in each what the page says of it."""
        for row in table(DOCUMENT, "What looks like a bug of the kernel"):
            done = subprocess.run([SMCLAB, "check", "--format", "json", os.path.join(CAPTURES, row[1])], capture_output=True, text=True, check=False)
            found = {(f["requirement"], f["deviation"], f["at_fault"]) for f in json.loads(done.stdout)["files"][0]["findings"]}
            self.assertIn((row[2], row[3], row[1].split(".")[-2]), found, row[0])

    def test_the_states_of_a_connection_are_fields_of_its_messages(self):
        done = subprocess.run([SMCLAB, "decode", "--format", "json", os.path.join(CAPTURES, "live-failover_number.client.pcap")], capture_output=True,
                              text=True, check=True)
        fields = next({f["name"] for f in m["fields"]} for m in map(json.loads, done.stdout.splitlines()) if m["message"] == "cdc")
        self.assertLessEqual(set(STATES), fields)

    def test_a_difference_is_noticed(self):
        """The comparison itself: a capture agrees with itself, and not with that of another scenario."""
        one, other = (os.path.join(CAPTURES, f"kernel-{name}.client.pcap") for name in ("v2_first_contact", "v2_other_eid"))
        self.assertEqual(differences(SMCLAB, one, one), [])
        found = differences(SMCLAB, one, other)
        self.assertTrue({"order", "verdict", "connections"} <= {d[0] for d in found}, found)
        self.assertEqual(rows_for([["L-0", "*", "server", "*", "*", "*", "*", "", ""]], "kernel/x", "client", found[0]), [])

    def test_a_row_is_for_some_versions(self):
        difference = ("verdict", "CLC-001", "pass", "fail")
        def allows(cell, version):
            return rows_for([["L-0", "*", cell, "*", "*", "*", "*", "", ""]], "kernel/x", "client", difference, version) == ["L-0"]
        self.assertTrue(allows("*", "Linux 6.12.117+deb13-amd64") and allows("client", None) and allows("* from 7.0", None))
        self.assertTrue(allows("* from 6.12", "Linux 6.12.117+deb13-amd64") and allows("client from 6.12 until 7.0", "Linux 6.12.117"))
        self.assertFalse(allows("* from 7.0", "Linux 6.12.117+deb13-amd64") or allows("* until 6.12.117", "Linux 6.12.117-smclab"))
        self.assertFalse(allows("server from 6.12", "Linux 6.12.117"))


def main(results):
    found, not_simulated = compare(ran(results))
    unlisted = [tell(d) for d in found if not d[3]]
    used = {row for d in found for row in d[3]}
    print("\n".join(unlisted))
    print(f"{len(ran(results))} runs compared, {len(found)} differences, {len(unlisted)} of them in no row of docs/linux.md")
    print("rows that nothing here needed: " + (", ".join(row[0] for row in rows() if row[0] not in used) or "none"))
    for scenario in not_simulated:
        print(f"{scenario} does not pass simulated: not compared")
    return 1 if unlisted else 0


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(main(sys.argv[1:]))
    unittest.main()
