"""smclab run --target host where this machine's own kernel has AF_SMC: all of it runs inside a virtual machine, on its kernel.
SPDX-License-Identifier: BSD-3-Clause

In the machine: smclab with its shared libraries, the agent as a program (beside the one that is init there), scenarios. The kernel's
rxe stays in the initial namespace; our simulated host is behind a TAP device. SMCLAB_LONG=1, instead: behind one end of a veth; two
links and a failover over two TAP devices."""
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import agent_guest as g  # noqa: E402

FIRST = "kernel/v2_first_contact.lua"
SCRIPTS = (FIRST, "kernel/v2_other_eid.lua", "kernel/v2_half_close.lua")
TWO_LINKS = ("kernel/v2_two_links.lua", "kernel/v2_failover.lua")


class Machine(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        stripped = os.path.join(cls.folder.name, "smclab")
        subprocess.run(["strip", "-o", stripped, g.SMCLAB], check=True)
        files = [(stripped, "/bin/smclab"), (g.AGENT, "/bin/smclab-agent"), (g.program("ip"), "/bin/ip"), (g.program("rdma"), "/bin/rdma"),
                 (g.program("cat"), "/bin/cat"),
                 (os.path.join(g.SOURCE, "scenarios/kernel"), "/scenarios/kernel")]
        cls.guest = g.Guest(cls.folder.name, g.image(files, ("tun", "veth")))
        cls.addClassCleanup(cls.guest.__exit__)
        for words in ("tuntap add dev tap0 mode tap", "tuntap add dev tap1 mode tap", "link add veth0 type veth peer name veth1", "link set veth0 up",
                      "link set veth1 up"):
            cls.ok(cls.guest.run("/bin/ip", *words.split()))
        cls.guest.start("/bin/smclab-agent", "--socket", "/run/agent")
        time.sleep(0.5)

    @staticmethod
    def ok(done):
        if done[0] != 0:
            raise AssertionError(done[1].decode(errors="replace"))
        return done[1]

    def smclab(self, *words, seconds=300):
        """(status, the JSON report)"""
        status, text = self.guest.run("/bin/smclab", "run", "--target", "host", "--agent", "/run/agent", "-f", "json", "-o", "/tmp/out", *words,
                                      seconds=seconds)
        self.assertIn(b"{", text, text)
        return status, json.loads(text[text.index(b"{"):])

    def fetch(self, path):
        """A capture out of the machine."""
        to = os.path.join(self.folder.name, os.path.basename(path))
        with open(to, "wb") as file:
            file.write(self.ok(self.guest.run("/bin/cat", path)))
        return to

    def judge(self, run):
        """The capture, read by the program outside: the same frames, no fail that the run did not announce."""
        path = self.fetch(run["capture"])
        done = subprocess.run([g.SMCLAB, "check", "--format", "json", path], capture_output=True, text=True, check=False)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        report = json.loads(done.stdout)["files"][0]
        self.assertEqual([f for f in report["findings"] if f["verdict"] == "fail"], [])
        return report

    def check(self, carriers, *scripts):
        began = time.monotonic()
        status, report = self.smclab(*(f"--carrier={c}" for c in carriers.split()), *(f"/scenarios/{name}" for name in scripts))
        runs = [(os.path.basename(r["scenario"]), r["role"], r["verdict"], r.get("reason")) for r in report["runs"]]
        self.assertEqual([r for r in runs if r[2] != "pass"], [])
        self.assertEqual(status, 0)
        for run in report["runs"]:
            self.assertTrue(run["implementation"].startswith("Linux 6."), run)
            judged = self.judge(run)
            if run["scenario"].endswith(FIRST):
                self.assertEqual({c["mode"] for c in judged["connections"]}, {"SMC-R"})
        print(f"{carriers}: {', '.join(f'{r[0]} as {r[1]}' for r in runs)}: {time.monotonic() - began:.1f} s", file=sys.stderr)
        return runs

    def tearDown(self):
        self.assertEqual(self.guest.warnings(), "")


class HostTest(Machine):
    def links(self):
        return [line.split(b":")[1].strip().split(b"@")[0] for line in self.ok(self.guest.run("/bin/ip", "-o", "link")).splitlines()]

    def test_scenarios_run_with_the_kernel_in_both_roles_and_nothing_of_the_machine_changes(self):
        """The script's hosts have interfaces called eth0; so has the machine, for something else, with an rxe device."""
        self.ok(self.guest.run("/bin/ip", "link", "add", "eth0", "type", "veth", "peer", "name", "eth1"))
        self.ok(self.guest.run("/bin/rdma", "link", "add", "rxe0", "type", "rxe", "netdev", "eth0"))
        before = self.links()
        runs = self.check("tap:tap0", *SCRIPTS)
        self.assertEqual({r[1] for r in runs if r[0] == "v2_first_contact.lua"}, {"client", "server"})
        self.assertEqual(self.links(), before)
        self.assertIn(b"rxe0/1", self.ok(self.guest.run("/bin/rdma", "link")))


class LongHostTest(Machine):
    def test_two_links_and_a_failover_over_two_taps(self):
        self.check("tap:tap0 tap:tap1", *TWO_LINKS)

    def test_our_host_behind_one_end_of_a_veth(self):
        self.check("packet:veth0", *SCRIPTS)


del Machine
if os.environ.get("SMCLAB_LONG") == "1":
    del HostTest
else:
    del LongHostTest

if __name__ == "__main__":
    unittest.main()
