# Test: the captures that benchmarks read are whole, right, faultless, and the same each time.
# SPDX-License-Identifier: BSD-3-Clause
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import judge  # noqa: E402

COPY = pathlib.Path(os.environ["SMCLAB_BUILD_DIR"]) / "traces/testing/trace_copy"


class Traffic(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.path = pathlib.Path(cls.folder.name) / "traffic.pcap"
        cls.packets = judge.make(cls.path, 5)

    def tshark(self, *options):
        done = subprocess.run(["tshark", "-r", str(self.path), *options], capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    def test_the_same_arguments_give_the_same_bytes(self):
        again = self.path.with_name("again.pcap")
        self.assertEqual(judge.make(again, 5), self.packets)
        self.assertEqual(again.read_bytes(), self.path.read_bytes())
        self.assertGreaterEqual(self.path.stat().st_size, 5_000_000)

    def test_every_icrc_and_every_checksum_holds(self):
        out = self.path.with_name("copy.pcap")
        done = subprocess.run([COPY, self.path, out], capture_output=True, text=True, check=True)
        lines = [line.split("\t") for line in done.stdout.splitlines()]
        self.assertEqual(len(lines), self.packets)
        self.assertEqual({line[13] for line in lines if line[3] == "roce"}, {"good"})
        self.assertEqual({line[3] for line in lines}, {"tcp", "roce"})
        bad = self.tshark("-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE",
                          "-Y", "ip.checksum.status == Bad || tcp.checksum.status == Bad")
        self.assertEqual(bad, [])

    def test_psns_go_on_from_connection_to_connection(self):
        psn = {}
        for line in self.tshark("-Y", "infiniband.bth.opcode != 17", "-T", "fields", "-e", "ip.src", "-e", "infiniband.bth.psn"):
            source, number = line.split("\t")
            self.assertEqual(int(number), psn.get(source, int(number)), source)
            psn[source] = (int(number) + 1) % 2**24
        self.assertEqual(len(psn), 2 * judge.LANES)

    def test_the_judge_finds_no_fault_and_every_connection(self):
        done = subprocess.run([judge.SMCLAB, "check", "--format", "json", str(self.path)], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout[:2000] + done.stderr)
        result = json.loads(done.stdout)
        connections = result["files"][0]["connections"]
        self.assertEqual(result["summary"]["fail"], 0)
        self.assertEqual(len(connections), len(self.tshark("-Y", "tcp.flags.syn == 1 && tcp.flags.ack == 0")))
        self.assertEqual({c["mode"] for c in connections}, {"SMC-R"})
        self.assertEqual({c["closed"] for c in connections}, {"normal"})
        self.assertEqual(len({c["link_group"] for c in connections}), judge.LANES)


if __name__ == "__main__":
    unittest.main()
