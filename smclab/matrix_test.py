"""smclab matrix as a command: made-up results joined, real results of runs with a kernel, and what it refuses.
SPDX-License-Identifier: BSD-3-Clause"""
import hashlib
import json
import os
import subprocess
import tempfile
import unittest

import jsonschema

SMCLAB, ROOT = os.environ["SMCLAB"], os.environ["SMCLAB_SOURCE_DIR"]
REAL = os.path.join(ROOT, "traces/captures/live/results.json")  # of runs with Linux 6.12.117


def matrix(*arguments, **more):
    return subprocess.run([SMCLAB, "matrix", *arguments], capture_output=True, text=True, timeout=120, check=False, **more)


def record(implementation, side, exercised, *findings):
    """A run; findings are (requirement, verdict, deviation, at fault)."""
    listed = [{"requirement": r, "level": "MUST", "verdict": v, "deviation": d, "at_fault": who, "frame": 5, "related_frames": [],
               "connection": "c1", "offset": None, "seen": None, "expected": None, "message": "as made up"} for r, v, d, who in findings]
    counts = {id_: 1 for id_ in exercised}
    run = {"scenario": "a.lua", "seed": 1, "target": "vm" if implementation else "sim", "hostile": False, "verdict": "pass", "reason": None,
           "capture": f"a.{side}.pcap", "capture_sha256": "0" * 64, "findings": listed, "exercised": counts}
    if implementation:
        run.update(implementation=implementation, role=side, real_side=side, exercised_by={"client": counts, "server": {}})
    return run


class Matrix(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def result(self, name, *runs):
        path = os.path.join(self.folder.name, name)
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"version": 1, "runs": runs, "summary": {"pass": len(runs), "fail": 0, "error": 0, "skip": 0}}, file)
        return path

    def table(self, *paths, status=0):
        done = matrix("-f", "json", *paths)
        self.assertEqual(done.returncode, status, done.stderr)
        found = json.loads(done.stdout)
        with open(os.path.join(ROOT, "scenarios/engine/run.schema.json"), encoding="utf-8") as file:
            schema = json.load(file)
        jsonschema.validate(found, {"$ref": "#/$defs/matrix", "$defs": schema["$defs"]})
        names = [i["name"] for i in found["implementations"]]
        return found, {row["requirement"]: dict(zip(names, row["cells"])) for row in found["requirements"]}

    def test_several_results_become_one_table(self):
        one = self.result("1.json", record(None, "client", ["CLC-001", "CLC-002"]))
        two = self.result("2.json", record("Linux 6.12", "client", ["CLC-001"], ("CLC-001", "deviation", "A-45", "client")))
        three = self.result("3.json", record("Linux 7.3", "client", ["CLC-001", "CLC-002"], ("CLC-002", "fail", None, "client")))
        found, cells = self.table(one, two, three, status=1)
        self.assertEqual([i["name"] for i in found["implementations"]], ["libsmc (live)", "libsmc (sim)", "Linux 6.12", "Linux 7.3"])
        self.assertEqual({n: c["verdict"] for n, c in cells["CLC-001"].items()},
                         {"libsmc (sim)": "pass", "libsmc (live)": "not exercised", "Linux 6.12": "deviation", "Linux 7.3": "pass"})
        self.assertEqual(cells["CLC-002"]["Linux 7.3"]["verdict"], "fail")
        self.assertEqual(cells["CLC-001"]["Linux 6.12"]["evidence"][0]["capture"], "a.client.pcap")

    def test_a_result_with_a_real_host_has_the_table_and_is_of_its_schema(self):
        with open(REAL, encoding="utf-8") as file:
            result = json.load(file)
        with open(os.path.join(ROOT, "scenarios/engine/run.schema.json"), encoding="utf-8") as file:
            schema = json.load(file)
        jsonschema.validate(result, schema)
        for run in result["runs"]:
            with open(os.path.join(ROOT, run["capture"]), "rb") as file:
                self.assertEqual(hashlib.sha256(file.read()).hexdigest(), run["capture_sha256"], run["capture"])

    def test_what_the_kernel_did_is_laid_to_the_kernel(self):
        found, cells = self.table(REAL)
        kernel = found["implementations"][-1]
        self.assertRegex(kernel["name"], r"^Linux 6\.12\.")
        self.assertGreater(kernel["pass"], 90)
        self.assertEqual([i["fail"] for i in found["implementations"]], [0, 0])
        for rule, deviation in (("FAILOVER-002", "A-45"), ("CURSOR-018", "A-46"), ("LLC-035", "A-48"), ("LLC-002", "A-38")):
            self.assertEqual(cells[rule][kernel["name"]]["evidence"][0]["deviation"], deviation)
            self.assertNotIn("evidence", cells[rule]["libsmc (live)"])
            self.assertTrue(os.path.exists(os.path.join(ROOT, cells[rule][kernel["name"]]["evidence"][0]["capture"])))

    def test_text_and_page_tell_the_same(self):
        text, page = matrix(REAL), matrix("--format", "html", REAL)
        self.assertEqual((text.returncode, page.returncode), (0, 0))
        self.assertRegex(text.stdout, r"FAILOVER-002 +MUST +\w+ +deviation")
        self.assertIn('href="traces/captures/live/live-failover_number.client.pcap"', page.stdout)
        self.assertIn("Content-Security-Policy", page.stdout)
        self.assertEqual(matrix(REAL).stdout, text.stdout)

    def test_what_is_no_result_is_refused(self):
        self.assertEqual(matrix().returncode, 2)
        self.assertEqual(matrix("-f", "pdf", REAL).returncode, 2)
        self.assertEqual(matrix("/nonexistent.json").returncode, 3)
        self.assertEqual(matrix("-", input="[1]").returncode, 3)
        self.assertEqual(matrix("-", input='{"version":1}').returncode, 3)
        self.assertEqual(matrix("-", input='{"version":1,"runs":[7,null,{}]}').returncode, 77)


if __name__ == "__main__":
    unittest.main()
