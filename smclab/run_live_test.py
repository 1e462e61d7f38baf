"""smclab run with real hosts, as far as it goes without one: what is missing is said in one sentence, and which runs there would be.
SPDX-License-Identifier: BSD-3-Clause"""
import json
import os
import subprocess
import tempfile
import unittest

SMCLAB = os.environ["SMCLAB"]
SCRIPT = """
scenario { title = "t", source = "s", targets = { %s } %s }
host "alpha" { address = "10.0.0.1/24" }
host "beta" { address = "10.0.0.2/24" }
link("alpha", "beta")
connect(alpha, beta)
"""


def run(*arguments, **more):
    return subprocess.run([SMCLAB, "run", *arguments], capture_output=True, text=True, timeout=120, check=False, **more)


class Missing(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.out = os.path.join(self.folder.name, "out")

    def script(self, targets, more=""):
        path = os.path.join(self.folder.name, "s.lua")
        with open(path, "w", encoding="utf-8") as file:
            file.write(SCRIPT % (targets, more))
        return path

    def sentence(self, done):
        self.assertEqual(done.returncode, 77, done.stderr)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        return done.stderr

    def test_host_says_which_agent_and_which_way_for_frames(self):
        text = self.sentence(run("--target", "host", "-o", self.out, self.script('"host"')))
        self.assertIn("smclab-agent --socket", text)
        self.assertIn("--carrier", text)

    def test_host_says_that_nobody_listens_at_that_socket(self):
        path = os.path.join(self.folder.name, "agent")
        text = self.sentence(run("--target", "host", "--agent", path, "--carrier", "tap:none0", "-o", self.out, self.script('"host"')))
        self.assertIn(path, text)

    def test_remote_says_what_it_needs(self):
        text = self.sentence(run("--target", "remote", "-o", self.out, self.script('"remote"')))
        self.assertIn("--remote", text)

    def test_vm_says_that_there_is_no_agent_program(self):
        done = run("--target", "vm", "-o", self.out, self.script('"vm"'), env={**os.environ, "SMCLAB_AGENT": "/nowhere/agent"})
        self.assertIn("smclab-agent", self.sentence(done))

    def test_a_script_that_is_not_for_the_target_starts_nothing(self):
        done = run("--target", "vm", "-f", "json", "-o", self.out, self.script('"sim"'), env={**os.environ, "SMCLAB_AGENT": "/nowhere/agent"})
        self.assertEqual(done.returncode, 77)
        self.assertEqual([r["verdict"] for r in json.loads(done.stdout)["runs"]], ["skip"])

    def test_a_carrier_of_no_kind_is_an_error_of_the_run(self):
        done = run("--target", "remote", "--remote", "10.0.0.2/24", "--carrier", "pigeon:1", "-f", "json", "-o", self.out, self.script('"remote"'))
        runs = json.loads(done.stdout)["runs"]
        self.assertEqual([(r["verdict"], r["role"]) for r in runs], [("error", "alpha"), ("error", "beta")])
        self.assertIn("pigeon", runs[0]["reason"])

    def test_roles_are_those_of_the_header_and_of_the_command_line(self):
        path = self.script('"remote"', ', roles = { "beta", "alpha" }')
        more = ("--target", "remote", "--remote", "10.0.0.2/24", "--carrier", "pigeon:1", "-f", "json", "-o", self.out, path)
        self.assertEqual([r["role"] for r in json.loads(run(*more).stdout)["runs"]], ["beta", "alpha"])
        self.assertEqual([r["role"] for r in json.loads(run("--role", "alpha", *more).stdout)["runs"]], ["alpha"])

    def test_standing_still_is_for_virtual_time(self):
        done = run("--target", "vm", "--pause-at", "1ms", self.script('"vm"'))
        self.assertEqual(done.returncode, 2, done.stderr)

    def test_wrong_numbers_are_usage(self):
        for wrong in (["--patience", "0"], ["--remote-port", "70000"], ["--carrier", "a", "--carrier", "b", "--carrier", "c", "--carrier",
                                                                         "d", "--carrier", "e"]):
            self.assertEqual(run("--target", "remote", *wrong, self.script('"remote"')).returncode, 2, wrong)


if __name__ == "__main__":
    unittest.main()
