"""Judges every capture of the repository, and holds the reports against their formats: JSON Schema, TAP, JUnit, SARIF.
SPDX-License-Identifier: BSD-3-Clause"""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
import urllib.parse
import xml.etree.ElementTree as tree

import jsonschema

SMCLAB, SOURCE = os.environ["SMCLAB"], os.environ["SMCLAB_SOURCE_DIR"]
HERE = os.path.join(SOURCE, "conformance/judge")
FORMATS = ("text", "tap", "junit", "json", "sarif", "html")
HOSTILE = "a <b> & 'c' \"d\" #e \\ \x1b[31m.pcap"


def captures():
    found = [path for folder in ("traces/captures", "traces/synthetic", "demo/broken")
             for path in sorted(glob.glob(os.path.join(SOURCE, folder, "*.pcap")))]
    if len(found) < 40:
        sys.exit(f"only {len(found)} captures found")
    return found


class Reports(unittest.TestCase):
    """One run over everything, a file name that wants to be markup and a capture cut short among it."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.files = captures()
        with open(cls.files[0], "rb") as file:
            whole = file.read()
        for name, data in ((HOSTILE, whole), ("cut.pcap", whole[:len(whole) - 7]), ("empty.pcap", b""), ("late.pcap", whole[:24])):
            cls.files.append(os.path.join(cls.folder.name, name))
            with open(cls.files[-1], "wb") as file:
                file.write(data)
        cls.report = {form: cls.write(form) for form in FORMATS}
        cls.result = json.loads(cls.report["json"])

    @classmethod
    def write(cls, form):
        path = os.path.join(cls.folder.name, "report." + form)
        done = subprocess.run([SMCLAB, "check", "--report", f"{form}={path}", *cls.files], capture_output=True, check=False)
        if done.returncode != 1:  # the three broken ones
            sys.exit(f"exit status {done.returncode}: {done.stderr.decode(errors='replace')}")
        with open(path, encoding="utf-8") as file:
            return file.read()

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def each_finding(self):
        for file in self.result["files"]:
            for finding in file["findings"]:
                yield file, finding

    def test_json_keeps_its_schema(self):
        with open(os.path.join(HERE, "check.schema.json"), encoding="utf-8") as file:
            schema = json.load(file)
        jsonschema.Draft202012Validator.check_schema(schema)
        jsonschema.Draft202012Validator(schema).validate(self.result)
        self.assertEqual([file["file"] for file in self.result["files"]], self.files)

    def test_the_schema_would_notice(self):
        with open(os.path.join(HERE, "check.schema.json"), encoding="utf-8") as file:
            validator = jsonschema.Draft202012Validator(json.load(file))
        spoiled = (lambda r: r.pop("summary"), lambda r: r["files"][0].update(packets=-1),
                   lambda r: r["files"][0]["connections"][0].update(mode="SMC"),
                   lambda r: r["files"][0]["connections"][0].pop("decline"),
                   lambda r: r["files"][0]["exercised"].update({"CURSOR": 1}), lambda r: r.update(more=1))
        for change in spoiled:
            result = json.loads(self.report["json"])
            change(result)
            self.assertFalse(validator.is_valid(result))

    def test_json_agrees_with_itself(self):
        for verdict, number in self.result["summary"].items():
            listed = sum(finding["verdict"] == verdict for _, finding in self.each_finding())
            self.assertEqual(listed, number, verdict)
        for file, finding in self.each_finding():
            ids = [c["id"] for c in file["connections"]]
            self.assertIn(finding["connection"], ids + [None])
            for frame in [finding["frame"], *finding["related_frames"]]:
                self.assertLessEqual(frame or 0, file["packets"])

    def test_every_listed_id_is_in_the_catalogue(self):
        with open(os.path.join(HERE, "requirements.csv"), encoding="utf-8") as file:
            ids = {line.split(",")[0] for line in file}
        for file in self.result["files"]:
            self.assertLessEqual(set(file["exercised"]), ids)

    def test_unreadable_files_say_why(self):
        errors = {os.path.basename(file["file"]): file.get("error") for file in self.result["files"]}
        self.assertTrue(errors["cut.pcap"])
        self.assertTrue(errors["empty.pcap"])
        self.assertIsNone(errors["late.pcap"])
        cut = next(file for file in self.result["files"] if file["file"].endswith("cut.pcap"))
        whole = self.result["files"][0]
        self.assertEqual(cut["packets"], whole["packets"] - 1)  # what was readable is reported

    def test_tap_parses(self):
        lines = self.report["tap"].rstrip("\n").split("\n")
        self.assertEqual(lines[0], "TAP version 13")
        plan = re.fullmatch(r"1\.\.(\d+)", lines[-1])
        points = [line for line in lines if re.match(r"(not )?ok\b", line)]
        self.assertEqual(int(plan[1]), len(points))
        for number, line in enumerate(points, 1):
            # a description holds no '#' that is not escaped; a directive is SKIP or there is none
            self.assertRegex(line, rf"^(not )?ok {number} - ([^#\\]|\\[#\\])*( # SKIP [a-z]+)?$")
        self.blocks(lines)
        fails = {(f["file"], n["requirement"]) for f, n in self.each_finding() if n["verdict"] == "fail"}
        errors = sum("error" in file for file in self.result["files"])
        self.assertEqual(sum(line.startswith("not ok") for line in points), len(fails) + errors)

    def blocks(self, lines):
        """Each YAML block stands between its two marks, under a test point."""
        inside = False
        for before, line in zip(lines, lines[1:]):
            if line == "  ---":
                self.assertFalse(inside)
                self.assertRegex(before, r"^(not )?ok")
                inside = True
            elif line == "  ...":
                self.assertTrue(inside)
                inside = False
            elif line.startswith(" "):
                self.assertTrue(inside)
                self.assertRegex(line, r"^  (findings:|- verdict: [a-z]+|  [a-z_]+: ([\w-]+|'([^']|'')*'))$")
        self.assertFalse(inside)

    def test_junit_is_wellformed_and_counts_right(self):
        root = tree.fromstring(self.report["junit"])
        self.assertEqual(root.tag, "testsuites")
        self.assertEqual([suite.get("name").count("\\x1b") for suite in root].count(1), 1)
        self.assertEqual(len(root), len(self.files))
        for suite, file in zip(root, self.result["files"]):
            cases = suite.findall("testcase")
            self.assertEqual(int(suite.get("tests")), len(cases))
            self.assertEqual(int(suite.get("failures")), len(suite.findall("testcase/failure")))
            self.assertEqual(int(suite.get("skipped")), len(suite.findall("testcase/skipped")))
            self.assertEqual(int(suite.get("errors")), int("error" in file))
            self.assertLessEqual(set(file["exercised"]), {case.get("name") for case in cases})
            failed = {n["requirement"] for n in file["findings"] if n["verdict"] == "fail"}
            self.assertEqual({case.get("name") for case in cases if case.find("failure") is not None}, failed)

    def test_sarif_has_the_shape_of_2_1_0(self):
        log = json.loads(self.report["sarif"])
        self.assertEqual(log["version"], "2.1.0")
        (run,) = log["runs"]
        rules = run["tool"]["driver"]["rules"]
        self.assertEqual(run["tool"]["driver"]["name"], "smclab")
        self.assertEqual(len({rule["id"] for rule in rules}), len(rules))
        self.assertEqual(len(run["results"]), sum(1 for _ in self.each_finding()))
        for result, (file, finding) in zip(run["results"], self.each_finding()):
            self.assertEqual(rules[result["ruleIndex"]]["id"], result["ruleId"])
            self.assertEqual(result["ruleId"], finding["requirement"])
            # 3.27.9, 3.27.10: a level other than none only with the kind fail
            self.assertTrue(result["level"] == "none" if result["kind"] != "fail" else result["level"] in ("error", "warning", "note"))
            (location,) = result["locations"]
            uri = location["physicalLocation"]["artifactLocation"]["uri"]
            self.assertEqual(urllib.parse.unquote(urllib.parse.urlparse(uri).path), file["file"])
            self.assertRegex(uri, r"^[\w/:.%~-]+$")
            self.assertTrue(result["message"]["text"])
        (invocation,) = run["invocations"]
        self.assertFalse(invocation["executionSuccessful"])
        self.assertEqual(len(invocation["toolExecutionNotifications"]), 2)

    def test_people_see_no_control_characters(self):
        for form in ("text", "tap", "junit", "html"):
            self.assertNotRegex(self.report[form], "[\x00-\x09\x0b-\x1f\x7f-\x9f]")

    def test_a_run_again_gives_the_same_bytes(self):
        for form in ("json", "html"):
            self.assertEqual(self.report[form], self.write(form))


if __name__ == "__main__":
    unittest.main()
