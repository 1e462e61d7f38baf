"""smclab run: verdicts, the sandbox, determinism, parallel workers, reports, and the tables of ss and stats.
SPDX-License-Identifier: BSD-3-Clause"""
import hashlib
import json
import os
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

import jsonschema

SMCLAB, SOURCE = os.environ["SMCLAB"], os.environ["SMCLAB_SOURCE_DIR"]
HEAD = 'scenario { title = "A test" }\n'
HOSTS = """
host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
link("client", "server")
"""
PASS = HEAD + HOSTS + """
local c, s = connect(client, server, 5000)
expect(c.mode, "SMC-R")
c:send("hello")
expect(s:receive(5), "hello")
c:close()
s:close()
expect_state(c, "CLOSED")
"""
# Tens of seconds in one step of the script.
SLOW = HEAD + 'string.find(string.rep("a", 1500), ".-.-.-.-b")\n'
FAIL = HEAD + HOSTS + """local c = connect(client, server, 5000)
expect(c.mode, "SMC-D", "the mode")
"""
# An LLC message of a type that does not exist [LLC-004].
HOSTILE = 'scenario { title = "A hostile client", hostile = true }\n' + HOSTS + """
server:listen(5000)
local c = client:connect(server, 5000)
local s = server:accept(5000)
expect(c:connected(), "SMC-R")
expect(s:connected(), "SMC-R")
c:inject(hex "2b 2c" .. string.rep("\\0", 42))
wait "1 s"
%s
"""


class Run(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name, text=None):
        path = os.path.join(self.folder.name, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if text is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        return path

    def smclab(self, *arguments, timeout=120):
        return subprocess.run([SMCLAB, *arguments], capture_output=True, check=False, timeout=timeout, cwd=self.folder.name)

    def expect(self, status, *arguments, **options):
        done = self.smclab(*arguments, **options)
        self.assertEqual(done.returncode, status, f"{arguments}\n{done.stdout[:3000].decode()}\n{done.stderr[:3000].decode()}")
        return done

    def runs(self, status, *arguments, **options):
        return json.loads(self.expect(status, "run", "-f", "json", *arguments, **options).stdout)["runs"]

    def one(self, status, text, *arguments, **options):
        return self.runs(status, *arguments, self.path("one.lua", text), **options)[0]

    # ---- verdicts

    def test_a_scenario_that_holds_passes_and_leaves_its_capture(self):
        run = self.one(0, PASS)
        self.assertEqual((run["verdict"], run["reason"], run["seed"], run["hostile"], run["target"]), ("pass", None, 1, False, "sim"))
        with open(os.path.join(self.folder.name, run["capture"]), "rb") as file:
            self.assertEqual(hashlib.sha256(file.read()).hexdigest(), run["capture_sha256"])
        self.assertGreater(run["exercised"]["TCPOPT-001"], 0)
        self.assertEqual([f for f in run["findings"] if f["verdict"] == "fail"], [])

    def test_a_failed_expectation_says_where_what_was_expected_what_came_and_draws_the_ladder(self):
        run = self.one(1, FAIL)
        self.assertEqual(run["verdict"], "fail")
        self.assertRegex(run["reason"], r'one\.lua:7: the mode: expected "SMC-D", got "SMC-R"')
        self.assertIn("CLC Proposal", run["ladder"])
        text = self.expect(1, "run", "one.lua").stdout.decode()
        for part in ("FAIL  one.lua, seed 1", 'expected "SMC-D"', "CLC Accept", "0 pass, 1 fail, 0 error, 0 skip"):
            self.assertIn(part, text)

    def test_the_reason_stands_beside_the_capture_until_the_scenario_passes(self):
        self.one(1, FAIL)
        reason = os.path.join(self.folder.name, "smclab-out", *self.folder.name.split("/")[1:], "one.1.txt")
        with open(reason, encoding="utf-8") as file:
            self.assertIn('expected "SMC-D"', file.read())
        self.one(0, PASS)
        self.assertFalse(os.path.exists(reason))

    def test_errors_of_the_script_are_errors_and_name_their_line(self):
        for text, reason in (("scenario { title = 'x'\n", r"one\.lua:"), (HEAD + "nobody:listen(1)\n", r"one\.lua:2: .*nobody"),
                             (HEAD + "error('because')\n", r"one\.lua:2: because"), ("local x = 1\n", "a scenario begins with"),
                             (HEAD + 'host "a" { adress = "10.0.0.1/24" }\n', r"one\.lua:2: a host has no field \"adress\"")):
            run = self.one(3, text)
            self.assertEqual(run["verdict"], "error", text)
            self.assertRegex(run["reason"], reason)

    def test_a_file_that_is_not_there_is_an_error(self):
        run = self.runs(3, "nothing.lua")[0]
        self.assertRegex(run["reason"], "nothing.lua: No such file")

    def test_a_file_that_is_no_text_is_an_error(self):
        with open(self.path("binary.lua"), "wb") as file:
            file.write(b"\x1bLua\x54\x00\x19\x93\r\n\x1a\n" + bytes(range(256)))
        self.assertEqual(self.runs(3, "binary.lua")[0]["verdict"], "error")

    # ---- findings

    def test_findings_announced_and_made_pass_and_every_other_fails(self):
        quiet = self.one(1, HOSTILE % "")
        self.assertEqual((quiet["verdict"], quiet["hostile"]), ("fail", True))
        self.assertIn("which the scenario does not announce", quiet["reason"])
        made = sorted({(f["requirement"], f["at_fault"]) for f in quiet["findings"] if f["verdict"] == "fail"})
        self.assertTrue(made)
        announced = "\n".join(f'expect_finding {{ id = "{i}", by = "{by}" }}' for i, by in made)
        self.assertEqual(self.one(0, HOSTILE % announced)["verdict"], "pass")
        missing = self.one(1, HOSTILE % (announced + '\nexpect_finding { id = "CLC-008", by = "server" }'))
        self.assertEqual(missing["reason"], "the finding CLC-008 (fail, by server) was announced and did not occur")
        other = {"client": "server", "server": "client", "unknown": "client"}
        wrong = "\n".join(f'expect_finding {{ id = "{i}", by = "{other[by]}" }}' for i, by in made)
        self.assertEqual(self.one(1, HOSTILE % wrong)["verdict"], "fail")

    def test_a_finding_fails_a_scenario_that_is_not_hostile(self):
        text = (HOSTILE % "").replace(", hostile = true", "")
        run = self.one(1, text)
        self.assertRegex(run["reason"], r"^[A-Z]+-\d{3} broken by ")

    def test_only_hostile_scenarios_announce_a_fail(self):
        run = self.one(3, PASS + 'expect_finding { id = "CLC-008" }\n')
        self.assertIn("hostile = true", run["reason"])

    # ---- the sandbox

    def test_scripts_reach_nothing_of_the_machine(self):
        names = ("io", "os", "require", "load", "loadfile", "dofile", "debug", "package", "print", "collectgarbage", "next",
                 "math.random", "math.randomseed", "string.dump")
        checks = "\n".join(f'expect({name}, nil, "{name}")' for name in names)
        self.assertEqual(self.one(0, HEAD + checks)["verdict"], "pass")

    def test_an_endless_loop_ends(self):
        for loop in ("while true do end", "local function f() return f() end f()", "while true do pcall(error) end"):
            run = self.one(3, HEAD + loop, timeout=280)
            self.assertRegex(run["reason"], "too many steps")

    def test_memory_is_bounded(self):
        run = self.one(3, HEAD + "local t = {} while true do t[#t + 1] = string.rep('x', 1 << 20) .. #t end", timeout=280)
        self.assertRegex(run["reason"], "not enough memory")

    def test_what_steps_do_not_bound_the_clock_does(self):
        run = self.one(3, SLOW, "--timeout", "2")
        self.assertEqual(run["reason"], "it was stopped after 2 seconds")

    def test_pairs_has_an_order(self):
        text = HEAD + """
        local t, seen = { b = 1, a = 2, [10] = 3, [2] = 4, c = 5, [1] = 6 }, {}
        for k in pairs(t) do seen[#seen + 1] = tostring(k) end
        local once = table.concat(seen, " ")
        for i = 1, 50 do
            local again, more = {}, {}
            for k in pairs { c = 5, [1] = 6, a = 2, [10] = 3, b = 1, [2] = 4 } do again[#again + 1] = tostring(k) end
            expect(table.concat(again, " "), once)
        end
        expect(once, "1 2 10 a b c")
        """
        self.assertEqual(self.one(0, text)["verdict"], "pass")

    def test_no_address_shows(self):
        run = self.one(1, HEAD + "local t = {} lab_fail = 1 expect(tostring(t) == tostring({}), true, 'same text') expect(1, 2, tostring(print))")
        self.assertNotRegex(run["reason"], "0x[0-9a-f]{6}")

    # ---- determinism

    def test_same_seed_same_bytes_other_seed_other_bytes(self):
        first, second, other = self.one(0, PASS), self.one(0, PASS), self.one(0, PASS, "--seed", "2")
        self.assertEqual(first, second)
        self.assertNotEqual(first["capture_sha256"], other["capture_sha256"])
        self.assertNotEqual(first["capture"], other["capture"])

    def test_runs_in_parallel_give_what_runs_one_by_one_give(self):
        for i in range(6):
            self.path(f"many/{i}.lua", PASS if i % 3 else FAIL)
        one, four = self.expect(1, "run", "-j1", "-f", "json", "many").stdout, self.expect(1, "run", "-j4", "-f", "json", "many").stdout
        self.assertEqual(one, four)
        self.assertEqual(json.loads(one)["summary"], {"pass": 4, "fail": 2, "error": 0, "skip": 0})

    # ---- files, folders, targets

    def test_a_folder_is_searched_in_order_and_runs_what_is_for_the_target(self):
        self.path("all/b.lua", PASS)
        self.path("all/a/z.lua", PASS)
        self.path("all/.hidden.lua", "nonsense")
        self.path("all/a/notes.txt", "nonsense")
        self.path("all/c.lua", 'scenario { title = "x", targets = { "vm" } }\nnonsense()\n')
        runs = self.runs(0, "all/")
        self.assertEqual([(r["scenario"], r["verdict"]) for r in runs], [("all/a/z.lua", "pass"), ("all/b.lua", "pass"), ("all/c.lua", "skip")])
        self.assertIn("not applicable", runs[2]["reason"])
        self.expect(77, "run", "all/c.lua")
        self.path("empty/x.txt", "")
        self.expect(77, "run", "empty")

    def test_a_run_that_cannot_end_harms_no_other(self):
        self.path("mixed/a.lua", PASS)
        self.path("mixed/b.lua", SLOW)
        self.path("mixed/c.lua", "((")
        self.path("mixed/d.lua", PASS)
        runs = self.runs(3, "-j2", "--timeout", "5", "mixed")
        self.assertEqual([r["verdict"] for r in runs], ["pass", "error", "error", "pass"])
        self.assertEqual(runs[1]["reason"], "it was stopped after 5 seconds")

    def test_a_worker_that_is_killed_is_an_error_with_its_signal(self):
        path = self.path("slow.lua", SLOW)
        with subprocess.Popen([SMCLAB, "run", "-f", "json", path], stdout=subprocess.PIPE, cwd=self.folder.name) as parent:
            children = f"/proc/{parent.pid}/task/{parent.pid}/children"
            child = ""
            while not child:
                with open(children, encoding="ascii") as file:
                    child = file.read().strip()
            os.kill(int(child.split()[0]), 9)
            output = parent.communicate(timeout=60)[0]
        self.assertEqual(parent.returncode, 3)
        self.assertRegex(json.loads(output)["runs"][0]["reason"], r"was ended by signal 9")

    def test_other_targets_are_not_here_yet(self):
        self.path("one.lua", PASS)
        for target in ("ns3", "vm", "host", "remote"):
            done = self.expect(77, "run", "--target", target, "one.lua")
            self.assertEqual(done.stderr.decode().count("\n"), 1)
        self.expect(2, "run", "--target", "moon", "one.lua")

    def test_captures_of_what_passes_can_be_left_out(self):
        self.path("two/a.lua", PASS)
        self.path("two/b.lua", FAIL)
        runs = self.runs(1, "--keep-captures", "failed", "-o", "kept", "two")
        self.assertIsNone(runs[0]["capture"])
        self.assertEqual(len(runs[0]["capture_sha256"]), 64)
        self.assertEqual(runs[1]["capture"], "kept/two/b.1.pcap")
        self.assertFalse(os.path.exists(os.path.join(self.folder.name, "kept/two/a.1.pcap")))

    def test_a_folder_that_cannot_be_written_is_an_error(self):
        self.path("file", "")
        self.assertIn("file", self.one(3, PASS, "-o", "file")["reason"])
        run = self.one(3, PASS, "-o", "/proc/nowhere")
        self.assertEqual(run["verdict"], "error")

    def test_wrong_command_lines(self):
        self.path("one.lua", PASS)
        for arguments in ((), ("--seed", "x", "one.lua"), ("-j", "0", "one.lua"), ("--report", "pdf=x", "one.lua"), ("-f", "html", "one.lua"),
                          ("--report", "json=one.lua", "one.lua"), ("--keep-captures", "some", "one.lua"), ("--pause-at", "soon", "one.lua"),
                          ("--nonsense", "one.lua"), ("--timeout", "-1", "one.lua")):
            self.expect(2, "run", *arguments)

    # ---- reports

    def test_json_keeps_its_schema(self):
        for name, text in (("a", PASS), ("b", FAIL), ("c", "(("), ("d", HOSTILE % ""), ("e", 'scenario { title = "x", targets = { "vm" } }')):
            self.path(f"kinds/{name}.lua", text)
        result = json.loads(self.expect(1, "run", "-f", "json", "kinds").stdout)
        with open(os.path.join(SOURCE, "scenarios/engine/run.schema.json"), encoding="utf-8") as file:
            jsonschema.validate(result, json.load(file))
        with open(os.path.join(SOURCE, "conformance/judge/check.schema.json"), encoding="utf-8") as file:
            check = json.load(file)
        findings = [f for run in result["runs"] for f in run["findings"]]
        self.assertTrue(findings)
        jsonschema.validate(findings, {"type": "array", "items": check["$defs"]["finding"], "$defs": check["$defs"]})
        self.assertEqual(result["summary"], {"pass": 1, "fail": 2, "error": 1, "skip": 1})

    def test_reports_agree(self):
        for name, text in (("a", PASS), ("b", FAIL), ("c", "(("), ("e", 'scenario { title = "x", targets = { "vm" } }')):
            self.path(f"kinds/{name} <&.lua", text)
        reports = [f"{kind}=out.{kind}" for kind in ("tap", "junit", "json", "sarif", "html", "text")]
        self.expect(1, "run", *(x for r in reports for x in ("--report", r)), "kinds")
        root = xml.etree.ElementTree.parse(self.path("out.junit")).getroot()
        self.assertEqual([root.get(k) for k in ("tests", "failures", "errors", "skipped")], ["4", "1", "1", "1"])
        self.assertEqual([c.get("name") for c in root.iter("testcase")], [f"{n} <&.lua, seed 1" for n in "abce"])
        self.assertIn('expected "SMC-D"', root.find(".//failure").get("message"))
        with open(self.path("out.tap"), encoding="utf-8") as file:
            lines = file.read().splitlines()
        self.assertEqual(lines[:2], ["TAP version 13", "1..4"])
        points = [line for line in lines if line.startswith(("ok", "not ok"))]
        self.assertEqual([p.split(" - ")[0] for p in points], ["ok 1", "not ok 2", "not ok 3", "ok 4"])
        self.assertIn("# SKIP", points[3])
        with open(self.path("out.html"), encoding="utf-8") as file:
            self.assertIn("CLC", file.read())
        with open(self.path("out.sarif"), encoding="utf-8") as file:
            self.assertEqual(json.load(file)["version"], "2.1.0")

    def test_a_report_that_cannot_be_written_is_told(self):
        self.path("one.lua", PASS)
        done = self.expect(3, "run", "--report", "json=/dev/full", "one.lua")
        self.assertIn(b"/dev/full", done.stderr)

    # ---- ss and stats

    def test_ss_has_the_columns_of_smcss(self):
        self.path("one.lua", HEAD + HOSTS + 'local c, s = connect(client, server, 5000)\nc:send("hello")\nwait "1 s"\n')
        lines = self.expect(0, "ss", "--at", "500ms", "--host", "client", "one.lua").stdout.decode().splitlines()
        self.assertEqual(lines[0].split(), "State UID Inode Local Address Peer Address Intf Mode".split())
        fields = lines[1].split()
        self.assertEqual((fields[0], fields[1], fields[4], fields[6]), ("ACTIVE", "00000", "10.0.0.2:5000", "SMCR"))
        self.assertEqual(len(lines), 2)
        both = self.expect(0, "ss", "-a", "--at", "500ms", "one.lua").stdout.decode().splitlines()
        self.assertEqual(sorted(line.split()[-1] for line in both[1:]), ["client", "server", "server"])
        groups = self.expect(0, "ss", "-g", "--at", "500ms", "--host", "server", "one.lua").stdout.decode().splitlines()
        self.assertEqual(groups[0].split(), ["LG-ID", "LG-Role", "LG-Type", "VLAN", "#Conns"])
        self.assertEqual(groups[1].split()[1:], ["SERV", "SINGLE", "0", "1"])
        links = self.expect(0, "ss", "-L", "--at", "500ms", "--host", "server", "one.lua").stdout.decode()
        self.assertIn("LINK_ACTIVE", links)
        extended = self.expect(0, "ss", "-eR", "--at", "500ms", "--host", "client", "one.lua").stdout.decode().splitlines()
        self.assertIn("txprep-Cursor", extended[0])
        self.assertIn("0000:00000005", extended[1])
        self.expect(3, "ss", "--host", "nobody", "one.lua")
        self.expect(2, "ss")

    def test_stats_has_the_names_of_smcr_stats(self):
        self.path("one.lua", PASS)
        text = self.expect(0, "stats", "-R", "--host", "client", "-d", "one.lua").stdout.decode()
        self.assertRegex(text, r"(?m)^SMC-R Connections Summary\n  Total connections handled +1\n  SMC connections +1$")
        self.assertRegex(text, r"(?s)TX Stats\n  Data transmitted \(Bytes\) +5 \(5\)\n  Total requests +1\n")
        self.assertNotIn("SMC-D", text)

    def test_a_run_can_stand_still_and_show_everything(self):
        self.path("one.lua", PASS)
        text = self.expect(0, "run", "--pause-at", "10us", "one.lua").stdout.decode()
        for part in ("State ", "LG-Role", "Link-State", "SMC-R Connections Summary", "SMC-D Connections Summary", "Host server"):
            self.assertIn(part, text)
        self.path("late.lua", HEAD + HOSTS + 'wait "1 s"')
        self.assertIn(b"over before", self.expect(0, "run", "--pause-at", "2 s", "late.lua").stderr)


if __name__ == "__main__":
    unittest.main()
