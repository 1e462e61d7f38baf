"""Scenarios over ns-3 against the plain simulation: same verdicts, same findings, same messages in the same order; runs repeat; captures
pass the judge and tshark.
SPDX-License-Identifier: BSD-3-Clause"""
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile
import unittest

SOURCE, SMCLAB = os.environ["SMCLAB_SOURCE_DIR"], os.environ["SMCLAB"]
AT_LEAST = 30 # scenarios of rfc7609 on both engines
# What had been sent when the RNIC is removed in the midst of a transfer depends on the nanoseconds of each hop: verdict and
# findings are the same, how many messages there are is not.
CUT_BY_THE_CLOCK = {"scenarios/rfc7609/failover/rnic_removed.lua"}
# Both sides speak at the same instant, and cross: the order is compared side by side.
CROSSING = {f"scenarios/rfc7609/{name}.lua" for name in ("link/asymmetric_at_client", "link/client_asks_server_short",
                                                         "link/continuation_with_many_rmbs", "rkey/link_lost_meanwhile",
                                                         "setup/path_mtu_smaller_at_server")}
BAD = "_ws.malformed or ip.checksum.status == 0 or tcp.checksum.status == 0"


def run(target, folder, *what):
    """{scenario: record}, without those that are not for the target."""
    done = subprocess.run([SMCLAB, "run", "-j", "2", "--target", target, "--format", "json", "--out", folder, *what],
                          capture_output=True, text=True, cwd=SOURCE)
    if done.returncode not in (0, 1):
        raise AssertionError(f"smclab run --target {target}: status {done.returncode}: {done.stderr}")
    return {r["scenario"]: r for r in json.loads(done.stdout)["runs"] if r["verdict"] != "skip"}


def messages(capture):
    """Who sends what to whom, in the order of the capture."""
    done = subprocess.run([SMCLAB, "decode", "--format", "json", os.path.join(SOURCE, capture)], capture_output=True, text=True)
    return [(m["from"], m["to"], m["message"]) for m in map(json.loads, done.stdout.splitlines())]


def findings(record):
    return [(f["requirement"], f["verdict"], f["deviation"], f["at_fault"], f["message"]) for f in record["findings"]]


class OverNs3(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.what = ("scenarios/rfc7609", "scenarios/networks")
        cls.ns3 = run("ns3", os.path.join(cls.folder.name, "ns3"), *cls.what)
        cls.sim = run("sim", os.path.join(cls.folder.name, "sim"), *cls.what)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def of_rfc7609(self):
        names = [n for n in self.ns3 if n.startswith("scenarios/rfc7609/")]
        self.assertGreaterEqual(len(names), AT_LEAST)
        return names

    def test_verdicts_and_findings_are_those_of_the_simulation(self):
        wrong = []
        for name, record in self.ns3.items():
            for what, ours, theirs in (("verdict", record["verdict"], self.sim[name]["verdict"]),
                                       ("reason", record["reason"], self.sim[name]["reason"]),
                                       ("findings", findings(record), findings(self.sim[name]))):
                if ours != theirs and not (what == "findings" and name.startswith("scenarios/networks/")):
                    wrong.append(f"{name}: {what}: ns-3 {ours}, simulation {theirs}")
        self.assertEqual(wrong, [])
        self.assertEqual({r["verdict"] for r in self.ns3.values()}, {"pass"})
        self.assertTrue(all(r["target"] == "ns3" for r in self.ns3.values()))

    def test_messages_come_in_the_same_order(self):
        total, names = 0, [n for n in self.of_rfc7609() if n not in CUT_BY_THE_CLOCK]
        self.assertGreaterEqual(len(names), AT_LEAST)
        for name in names:
            ours, theirs = messages(self.ns3[name]["capture"]), messages(self.sim[name]["capture"])
            total += len(ours)
            if name in CROSSING:
                ours, theirs = (sorted(m, key=lambda one: str(one[0])) for m in (ours, theirs)) # stable: in order within a side
            self.assertEqual(ours, theirs, name)
        print(f"{len(names)} scenarios of rfc7609, {total} messages: the same on both engines", file=sys.stderr)
        self.assertGreater(total, 1000)

    def test_time_is_ns3s(self):
        """Its transmission times end between nanoseconds of ours: no capture is the same byte for byte, but for links where a byte
        takes eight whole nanoseconds."""
        same = [n for n in self.of_rfc7609() if self.ns3[n]["digest"] == self.sim[n]["digest"]]
        for name in same:
            with open(os.path.join(SOURCE, name), encoding="utf-8") as file:
                self.assertIn('rate = "1 Gbit/s"', file.read(), name)
        self.assertLess(len(same), AT_LEAST)

    def test_the_same_seed_gives_the_same_capture(self):
        again = run("ns3", os.path.join(self.folder.name, "again"), *self.what)
        other = run("ns3", os.path.join(self.folder.name, "other"), "--seed", "2", "scenarios/networks")
        for name, record in self.ns3.items():
            self.assertEqual(record["capture_sha256"], again[name]["capture_sha256"], name)
        for name, record in other.items():
            self.assertEqual(record["verdict"], "pass", record["reason"])
            self.assertNotEqual(record["capture_sha256"], self.ns3[name]["capture_sha256"], name)

    def test_the_judge_and_tshark_read_the_captures(self):
        captures = [os.path.join(SOURCE, r["capture"]) for r in self.ns3.values() if not r["hostile"]]
        judged = subprocess.run([SMCLAB, "check", *captures], capture_output=True, text=True)
        self.assertEqual(judged.returncode, 0, judged.stdout[-2000:])
        captures = captures[::4] # one in four is enough for tshark: tshark_test.py reads all of the simulation
        self.assertGreaterEqual(len(captures), AT_LEAST)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for capture, bad in zip(captures, pool.map(self.malformed, captures)):
                self.assertEqual(bad, [], capture)

    def malformed(self, capture):
        """What tshark does not like, but for what its dissector of SMC is known to get wrong (scenarios/tshark_test.py)."""
        done = subprocess.run(["tshark", "-n", "-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-r", capture, "-Y", BAD,
                               "-T", "fields", "-e", "frame.number", "-e", "_ws.col.Info", "-e", "frame.protocols"],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        protocols = "eth ethertype vlan arp ip ipv6 icmpv6 tcp udp infiniband smc data".split()
        lines = [line.split("\t") for line in done.stdout.splitlines()]
        return [line for line in lines if set(line[2].split(":")) <= {*protocols, "_ws.malformed"} and
                not any(word in line[1] for word in ("Proposal", "Confirm", "Accept"))]


class Options(unittest.TestCase):
    def script(self, folder, options):
        path = os.path.join(folder, "one.lua")
        with open(path, "w", encoding="utf-8") as file:
            file.write('scenario { title = "one", targets = { "sim", "ns3" } }\n'
                       'host "client" { address = "10.0.0.1/24" }\nhost "server" { address = "10.0.0.2/24" }\n'
                       f'link(client, server, {{ ns3 = {options} }})\nlocal c, s = connect(client, server)\nc:close() s:close()\nwait_quiet()\n')
        return path

    def one(self, target, options, **more):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([SMCLAB, "run", "--target", target, "--format", "json", "--out", folder, self.script(folder, options)],
                                  capture_output=True, text=True, **more)
            return json.loads(done.stdout)["runs"][0]

    def test_the_plain_simulation_ignores_them(self):
        self.assertEqual(self.one("sim", '{ queue = "ns3::NoQueueDisc" }')["verdict"], "pass")

    def test_what_ns3_does_not_know_is_an_error_with_its_place(self):
        for options, says in (('{ queue = "ns3::NoQueueDisc" }', "is no queue disc of ns-3"), ("{ Nothing = 1 }", "has no attribute Nothing"),
                              ('{ error = { "ns3::RateErrorModel", ErrorRate = "much" } }', 'ErrorRate cannot be "much"'),
                              ("{ 7 }", "options have names"), ("{ queue = expect }", "not a function")):
            record = self.one("ns3", options)
            self.assertEqual(record["verdict"], "error", options)
            self.assertIn(says, record["reason"])
        self.assertIn("one.lua:4", record["reason"])

    def test_every_scheduler_of_ns3_gives_the_same_capture(self):
        captures = {self.one("ns3", "{}", env=dict(os.environ, SMCLAB_NS3_SCHEDULER=f"ns3::{name}Scheduler"))["capture_sha256"]
                    for name in ("PriorityQueue", "Map", "Heap", "Calendar", "List")}
        self.assertEqual(len(captures), 1)

    def test_devices_write_pcap_files_as_ns3s_helpers_do(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(self.one("ns3", "{}", env=dict(os.environ, SMCLAB_NS3_PCAP=folder))["verdict"], "pass")
            for name in ("client.eth0.pcap", "server.eth0.pcap"):
                done = subprocess.run([SMCLAB, "decode", os.path.join(folder, name)], capture_output=True, text=True)
                self.assertEqual(done.returncode, 0)
                self.assertIn("CONFIRM LINK", done.stdout.upper().replace("_", " "))

    def test_a_run_stands_still_at_a_time(self):
        path = os.path.join(SOURCE, "scenarios/networks/leaf_spine.lua")
        done = subprocess.run([SMCLAB, "run", "--target", "ns3", "--pause-at", "100us", path], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("h1_1", done.stdout)

    def test_the_command_line_of_the_program_itself(self):
        program = os.path.join(os.path.dirname(SMCLAB), "smclab-ns3")
        done = subprocess.run([program], capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("GPL", done.stderr)
        self.assertEqual(subprocess.run([program, "run", "--help"], capture_output=True).returncode, 0)
        self.assertEqual(subprocess.run([SMCLAB, "run", "--target", "ns3"], capture_output=True).returncode, 2)


unittest.main()
