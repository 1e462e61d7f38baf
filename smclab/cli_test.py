"""The command line: help, wrong usage, exit statuses, standard input, reports that cannot be written.
SPDX-License-Identifier: BSD-3-Clause"""
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

SMCLAB, SOURCE = os.environ["SMCLAB"], os.environ["SMCLAB_SOURCE_DIR"]
GOOD = os.path.join(SOURCE, "traces/captures/6.12.107-v2-a-first-contact.pcap")
OTHER = os.path.join(SOURCE, "traces/captures/6.12.107-smclo-v1pure-a-first-contact.pcap")
BROKEN = os.path.join(SOURCE, "demo/broken/eid-never-offered.pcap")
COMMANDS = ("check", "decode", "follow", "requirements", "explain", "run", "experiment", "ss", "stats")
# A pcap header (Ethernet, microseconds) without packets
HEADER = bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000")


def run(*arguments, data=b"", **options):
    return subprocess.run([SMCLAB, *arguments], input=data, capture_output=True, check=False, timeout=60, **options)


class CommandLine(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name, data=None):
        path = os.path.join(self.folder.name, name)
        if data is not None:
            with open(path, "wb") as file:
                file.write(data)
        return path

    @staticmethod
    def load(path):
        with open(path, encoding="utf-8") as file:
            return json.load(file)

    def expect(self, status, *arguments, **options):
        done = run(*arguments, **options)
        self.assertEqual(done.returncode, status, f"{arguments}\n{done.stdout[:2000]}\n{done.stderr.decode(errors='replace')}")
        return done

    # ---- help and usage

    def test_version_ends_in_the_number_alone(self):
        self.assertEqual(self.expect(0, "--version").stdout.split()[-1], b"0.1.0")

    def test_help_of_the_program_names_every_command(self):
        text = self.expect(0, "--help").stdout.decode()
        for command in COMMANDS:
            self.assertRegex(text, rf"(?m)^  {command} ")

    def test_every_command_has_help_on_standard_output(self):
        for command in COMMANDS:
            done = self.expect(0, command, "--help")
            self.assertTrue(done.stdout.startswith(b"usage: smclab " + command.encode()), command)
            self.assertEqual(done.stderr, b"")

    def test_wrong_usage_is_2_and_told_on_standard_error(self):
        wrong = ([], ["bogus"], ["check"], ["check", "--bogus", GOOD], ["check", "--format", "xml", GOOD], ["check", "--format", "html", GOOD],
                 ["check", "--report", "html", GOOD], ["check", "--report", "xml=x", GOOD], ["check", "--report", "json=", GOOD],
                 ["check", "--implementation", "linux", GOOD], ["check", "--implementation", "client=bsd", GOOD],
                 ["check", "--implementation", "client=linux,", GOOD], ["check", "--implementation", "", GOOD], ["check", "-", "-"],
                 ["decode"], ["decode", "--format", "xml", GOOD], ["decode", "--bogus", GOOD], ["requirements", "x"],
                 ["requirements", "--format", "xml"], ["explain"], ["explain", "A", "B"], ["explain", "CURSOR-999"], ["explain", "--bogus"],
                 ["follow"], ["follow", "--connection", "x", GOOD])
        for arguments in wrong:
            done = self.expect(2, *arguments)
            self.assertEqual(done.stdout, b"", arguments)
            self.assertTrue(done.stderr, arguments)

    def test_a_report_never_overwrites_a_capture(self):
        capture = self.path("a.pcap")
        shutil.copy(GOOD, capture)
        link = self.path("link")
        os.symlink(capture, link)
        self.expect(2, "check", "--report", f"json={link}", capture)
        self.assertEqual(os.path.getsize(capture), os.path.getsize(GOOD))

    # ---- exit statuses of check

    def test_no_fail_is_0_and_a_fail_is_1(self):
        self.expect(0, "check", GOOD)
        self.expect(1, "check", BROKEN)
        self.expect(1, "check", GOOD, BROKEN)

    def test_a_file_that_is_no_capture_is_3_and_says_so(self):
        for name, data in (("empty", b""), ("text", b"hello, this is no capture at all\n"), ("short", HEADER[:20])):
            path = self.path(name, data)
            done = self.expect(3, "check", path)
            self.assertIn(path.encode(), done.stderr)
            self.expect(3, "decode", path)
        self.assertIn(b"No such file", self.expect(3, "check", self.path("missing")).stderr)
        self.expect(3, "check", self.folder.name)

    def test_nothing_to_judge_is_77_and_says_what_is_missing(self):
        path = self.path("header", HEADER)
        self.assertIn(b"no packet", self.expect(77, "check", path).stderr)
        self.expect(77, "decode", path)

    def test_one_that_could_be_judged_is_enough(self):
        done = self.expect(0, "check", GOOD, self.path("header", HEADER))
        self.assertIn(b"nothing to judge", done.stderr)

    def test_a_capture_cut_short_is_3_and_still_reported(self):
        with open(GOOD, "rb") as file:
            data = file.read()
        path = self.path("cut", data[:-5])
        done = self.expect(3, "check", "--format", "json", path)
        self.assertEqual(json.loads(done.stdout)["files"][0]["packets"], 39)

    def test_a_fail_counts_more_than_a_file_cut_short(self):
        with open(BROKEN, "rb") as file:
            path = self.path("cut", file.read()[:-5])
        self.expect(1, "check", path)
        self.expect(1, "check", self.path("empty", b""), BROKEN)
        self.expect(3, "check", self.path("empty", b""), GOOD)

    # ---- output

    def test_a_report_that_cannot_be_written_is_3_and_the_others_are_written(self):
        good = self.path("good.json")
        done = self.expect(3, "check", "--report", "json=/nonexistent/x.json", "--report", f"json={good}", GOOD)
        self.assertIn(b"/nonexistent/x.json", done.stderr)
        self.assertEqual(self.load(good)["summary"]["fail"], 0)
        self.assertIn(b"requirements evaluated", done.stdout)
        self.expect(3, "check", "--report", "html=/dev/full", GOOD)
        self.expect(1, "check", "--report", "html=/dev/full", BROKEN)

    def test_a_full_standard_output_is_3(self):
        for arguments in (["check", GOOD], ["check", "--format", "json", GOOD], ["decode", GOOD], ["requirements"], ["explain", "CDC-007"],
                          ["--help"]):
            with open("/dev/full", "wb") as full:
                done = subprocess.run([SMCLAB, *arguments], stdout=full, stderr=subprocess.PIPE, check=False)
            self.assertEqual(done.returncode, 3, arguments)

    def test_a_reader_that_goes_away_is_3(self):
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run([SMCLAB, "decode", GOOD], stdout=writer, stderr=subprocess.PIPE, check=False)
        os.close(writer)
        self.assertEqual(done.returncode, 3)

    def test_standard_input_gives_the_same_as_the_file(self):
        with open(GOOD, "rb") as file:
            data = file.read()
        piped = json.loads(self.expect(0, "check", "--format", "json", "-", data=data).stdout)["files"][0]
        plain = json.loads(self.expect(0, "check", "--format", "json", GOOD).stdout)["files"][0]
        self.assertEqual(piped.pop("file"), "-")
        plain.pop("file")
        self.assertEqual(piped, plain)
        self.assertEqual(self.expect(0, "decode", "-", data=data).stdout, self.expect(0, "decode", GOOD).stdout)

    # ---- options of check

    def test_strict_turns_deviations_into_fails(self):
        before = json.loads(self.expect(0, "check", "--format", "json", OTHER).stdout)["summary"]
        after = json.loads(self.expect(1, "check", "--strict", "--format", "json", OTHER).stdout)["summary"]
        self.assertGreater(before["deviation"], 0)
        self.assertEqual(after["deviation"], 0)
        self.assertEqual(after["fail"] + after["warn"], before["deviation"])

    def test_only_the_implementation_that_deviates_is_excused(self):
        self.expect(0, "check", "--implementation", "client=linux,server=linux", OTHER)
        result = json.loads(self.expect(1, "check", "--implementation", "server=other", "--format", "json", OTHER).stdout)
        for finding in result["files"][0]["findings"]:
            self.assertEqual(finding["verdict"], "fail" if finding["at_fault"] == "server" else "deviation")

    def test_merged_halves_are_the_whole(self):
        """Every packet in one of two files, some in both: the run is judged as if it had been one capture."""
        with open(GOOD, "rb") as file:
            data = file.read()
        packets, at = [], 24
        while at < len(data):
            length = int.from_bytes(data[at + 8:at + 12], "little")
            packets.append(data[at:at + 16 + length])
            at += 16 + length
        one = self.path("one", data[:24] + b"".join(p for i, p in enumerate(packets) if i % 3 != 0))
        two = self.path("two", data[:24] + b"".join(p for i, p in enumerate(packets) if i % 3 != 1))
        merged = json.loads(self.expect(0, "check", "--merge", "--format", "json", one, two).stdout)["files"]
        (whole,) = json.loads(self.expect(0, "check", "--format", "json", GOOD).stdout)["files"]
        self.assertEqual(len(merged), 1)
        self.assertEqual(merged[0].pop("file"), f"{one} + {two}")
        whole.pop("file")
        self.assertEqual(merged[0], whole)

    def test_verbose_lists_what_was_evaluated(self):
        result = json.loads(self.expect(0, "check", "--format", "json", GOOD).stdout)["files"][0]["exercised"]
        text = self.expect(0, "check", "-v", GOOD).stdout.decode()
        listed = dict(re.findall(r"(?m)^  ([A-Z]+-\d{3}) +(\d+)  ", text))
        self.assertEqual({name: int(n) for name, n in listed.items()}, result)

    # ---- the other commands

    def test_decode_json_is_one_object_a_line(self):
        lines = self.expect(0, "decode", "--format", "json", GOOD).stdout.decode().splitlines()
        messages = [json.loads(line) for line in lines]
        self.assertEqual([m["message"] for m in messages[:5]],
                         ["tcp_option", "tcp_option", "clc_proposal_v2", "clc_accept_r_v2", "clc_confirm_r_v2"])
        accept = {(f["layout"], f["name"]): f for f in messages[3]["fields"]}
        self.assertEqual(accept["clc_accept_r", "type"]["value"], 2)
        self.assertRegex(accept["clc_accept_r", "rmb_va"]["value"], r"^0x[0-9a-f]{16}$")
        self.assertEqual(accept["clc_accept_r", "gid"]["offset"], 16)
        self.assertEqual(len(accept["clc_accept_r", "gid"]["value"]), 32)
        for m in messages:
            self.assertLessEqual(max(f["offset"] + f["size"] for f in m["fields"]), m["bytes"])
            self.assertNotIn("rejected", m)

    def test_decode_counts_frames_as_the_file_does(self):
        with open(GOOD, "rb") as file:
            data = file.read()
        for m in map(json.loads, self.expect(0, "decode", "--format", "json", GOOD).stdout.splitlines()):
            if m["message"] == "cdc":
                at = 24
                for _ in range(m["frame"] - 1):
                    at += 16 + int.from_bytes(data[at + 8:at + 12], "little")
                frame = data[at + 16:at + 16 + int.from_bytes(data[at + 8:at + 12], "little")]
                token = next(f["value"] for f in m["fields"] if f["name"] == "token")
                self.assertIn(b"\xfe\x2c" + next(f["value"] for f in m["fields"] if f["name"] == "seqno").to_bytes(2, "big")
                              + token.to_bytes(4, "big"), frame)

    def test_decode_prints_records_and_names_each_file(self):
        records = os.path.join(SOURCE, "traces/synthetic/smcd-records-be.pcap")
        messages = [json.loads(line) for line in self.expect(0, "decode", "--format", "json", records).stdout.splitlines()]
        kinds = {m["protocol"] for m in messages}
        self.assertLessEqual({"RECORD", "CDC", "CLC"}, kinds)
        self.assertTrue(any(m.get("data_bytes", 0) > 0 for m in messages if m["protocol"] == "RECORD"))
        self.assertEqual({m["message"] for m in messages if m["protocol"] == "CDC"}, {"smcd_cdc_be"})
        text = self.expect(0, "decode", records, GOOD).stdout.decode()
        self.assertEqual(re.findall(r"(?m)^==> (.*) <==$", text), [records, GOOD])

    def test_decode_says_why_bytes_are_no_message(self):
        with open(GOOD, "rb") as file:
            data = bytearray(file.read())
        at = data.index(b"\xe2\xd4\xc3\xd9\x01")  # the Proposal
        length = int.from_bytes(data[at + 5:at + 7], "big")
        data[at + length - 1] ^= 1  # its end eyecatcher
        path = self.path("bad.pcap", data)
        messages = [json.loads(line) for line in run("decode", "--format", "json", path).stdout.splitlines()]
        proposal = next(m for m in messages if m["protocol"] == "CLC")
        self.assertEqual(proposal["rejected"]["rule"], "CLC-001")
        self.assertEqual(proposal["rejected"]["offset"], length - 4)
        self.assertIn("rejected: ", run("decode", path).stdout.decode())

    def test_requirements_text_says_what_covers_each(self):
        text = self.expect(0, "requirements").stdout.decode()
        rows = json.loads(self.expect(0, "requirements", "--format", "json").stdout)
        checked = sum(bool(row["checks"] or row["observable"] != "wire" and row["scenarios"] + row["tests"]) for row in rows)
        self.assertEqual(len(re.findall(r"(?m)^ +checked: ", text)), checked)
        exercised = sum(bool(row["scenarios"] + row["tests"]) for row in rows)
        share = f"{exercised * 100 // len(rows)}.{exercised * 1000 // len(rows) % 10} %"
        self.assertIn(f"{len(rows)} requirements, {checked} with a check", text)
        self.assertIn(f"{exercised} exercised by a recorded scenario or test ({share})", text)
        for row in rows:
            for name in (row["scenarios"][:3] + row["tests"][:3]):
                self.assertIn(name, text)

    def test_requirements_are_the_catalogue(self):
        rows = json.loads(self.expect(0, "requirements", "--format", "json").stdout)
        with open(os.path.join(SOURCE, "conformance/judge/requirements.csv"), encoding="utf-8") as file:
            ids = [line.split(",")[0] for line in file][1:]
        self.assertEqual([row["id"] for row in rows], ids)
        keys = ["id", "level", "area", "source", "text", "observable", "checks", "scenarios", "tests", "reason"]
        for row in rows:
            self.assertEqual(list(row), keys)
            elsewhere = row["observable"] != "wire" and row["scenarios"] + row["tests"]
            exercised = row["scenarios"] + row["tests"]
            self.assertEqual(row["reason"] is None, bool((row["checks"] or elsewhere) and exercised), row["id"])

    def test_missing_lists_what_a_run_did_not_evaluate(self):
        result = self.path("result.json", self.expect(0, "check", "--format", "json", GOOD).stdout)
        rows = json.loads(self.expect(0, "requirements", "--format", "json", "--missing", result).stdout)
        exercised = self.load(result)["files"][0]["exercised"]
        self.assertTrue(rows)
        for row in rows:
            self.assertNotIn(row["id"], exercised)
            self.assertEqual(row["observable"], "wire")
        everything = json.loads(self.expect(0, "requirements", "--format", "json").stdout)
        wire = {row["id"] for row in everything if row["observable"] == "wire"}
        self.assertEqual({row["id"] for row in rows} | set(exercised) & wire, wire)
        self.expect(3, "requirements", "--missing", self.path("bad.json", b"{}"))
        self.expect(3, "requirements", "--missing", self.path("worse.json", b'{"version":1,"runs":{}}'))
        self.expect(3, "requirements", "--missing", self.path("none.json"))

    def test_missing_reads_the_result_of_scenarios_too(self):
        scenario = os.path.join(SOURCE, "scenarios/rfc7609/first_contact.lua")
        done = self.expect(0, "run", "--format", "json", "--out", self.path("out"), scenario)
        exercised = json.loads(done.stdout)["runs"][0]["exercised"]
        rows = json.loads(self.expect(0, "requirements", "--format", "json", "--missing", "-", data=done.stdout).stdout)
        wire = {row["id"] for row in json.loads(self.expect(0, "requirements", "--format", "json").stdout) if row["observable"] == "wire"}
        self.assertIn("LLC-001", exercised)
        self.assertEqual({row["id"] for row in rows}, wire - set(exercised))

    def test_explain_knows_every_requirement(self):
        for row in json.loads(self.expect(0, "requirements", "--format", "json").stdout):
            text = self.expect(0, "explain", row["id"]).stdout.decode()
            for part in (row["id"], row["text"], row["source"], row["level"]):
                self.assertIn(part, text)
            self.assertRegex(text, r"\|[-<~=]|\+--")  # a picture
        self.expect(0, "explain", "cursor-006")


if __name__ == "__main__":
    unittest.main()
