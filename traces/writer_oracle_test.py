# Test: Wireshark and Scapy read what we write, and see in every packet what our decoder sees.
# SPDX-License-Identifier: BSD-3-Clause
from contextlib import closing
import glob
import os
import subprocess
import tempfile
import unittest

SOURCE = os.environ["SMCLAB_SOURCE_DIR"]
COPY = os.path.join(os.environ["SMCLAB_BUILD_DIR"], "traces/testing/trace_copy")

FIELDS = ["frame.number", "frame.time_epoch", "frame.len", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "tcp.srcport", "tcp.dstport",
          "tcp.seq_raw", "tcp.ack_raw", "tcp.len", "infiniband.bth.opcode", "infiniband.bth.destqp", "infiniband.bth.psn",
          "infiniband.reth.va", "infiniband.reth.r_key", "infiniband.reth.dmalen", "infiniband.aeth.msn", "infiniband.grh.sgid",
          "infiniband.grh.dgid", "icmp.type", "icmpv6.type"]


def copied(path, out):
    """Our reading of a capture: a list of fields for each packet; the same packets are written to `out`."""
    done = subprocess.run([COPY, path, out], capture_output=True, text=True, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


def dissected(path):
    """Wireshark's reading: a dictionary for each packet."""
    command = ["tshark", "-n", "-r", path, "-T", "fields", "-E", "occurrence=l", "-o", "tcp.analyze_sequence_numbers:FALSE"]
    for field in FIELDS:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [dict(zip(FIELDS, line.split("\t"))) for line in done.stdout.splitlines()]


def nanoseconds(text):
    seconds, fraction = text.split(".")
    return int(seconds) * 10**9 + int(fraction.ljust(9, "0"))


def number(text):
    return int(text, 0) if text else None


class Oracle(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.out = os.path.join(self.folder.name, "out.pcap")

    def captures(self, low):
        found = sorted(glob.glob(SOURCE + "/traces/captures/*.pcap") + glob.glob(SOURCE + "/traces/synthetic/*.pcap"))
        self.assertGreaterEqual(len(found), low)
        return found

    def compare_roce(self, ours, theirs):
        if theirs["infiniband.grh.sgid"]:
            self.assertEqual(ours[4:6], [theirs["infiniband.grh.sgid"], theirs["infiniband.grh.dgid"]])
        names = ["bth.opcode", "bth.destqp", "bth.psn", "reth.va", "reth.r_key", "reth.dmalen", "aeth.msn"]
        for value, name in zip(ours[6:13], names):
            self.assertEqual(number(value), number(theirs["infiniband." + name]), f"frame {ours[0]}: {name}")
        return len(names)

    def compare_tcp(self, ours, theirs):
        names = ["tcp.srcport", "tcp.dstport", "tcp.seq_raw", "tcp.ack_raw", "tcp.len"]
        for value, name in zip(ours[6:11], names):
            self.assertEqual(number(value), number(theirs[name]), f"frame {ours[0]}: {name}")
        return len(names)

    def compare(self, ours, theirs):
        self.assertEqual(ours[0], theirs["frame.number"])
        self.assertEqual(int(ours[1]), nanoseconds(theirs["frame.time_epoch"]))
        self.assertEqual(ours[2], theirs["frame.len"])
        if theirs["icmp.type"] or theirs["icmpv6.type"]:  # may quote a RoCE packet, which Wireshark dissects
            self.assertEqual(ours[3], "other")
            return 4
        self.assertEqual(ours[3] == "tcp", theirs["tcp.srcport"] != "", f"frame {ours[0]}")
        self.assertEqual(ours[3] == "roce", theirs["infiniband.bth.opcode"] != "", f"frame {ours[0]}")
        if ours[3] not in ("tcp", "roce"):
            return 3
        if theirs["ip.src"] or theirs["ipv6.src"]:
            self.assertEqual(ours[4:6], [theirs["ip.src"] or theirs["ipv6.src"], theirs["ip.dst"] or theirs["ipv6.dst"]])
        return 5 + (self.compare_tcp if ours[3] == "tcp" else self.compare_roce)(ours, theirs)

    def test_wireshark_sees_in_what_we_wrote_what_our_decoder_sees(self):
        packets = fields = 0
        for path in self.captures(45):
            ours, theirs = copied(path, self.out), dissected(self.out)
            self.assertEqual(len(ours), len(theirs), path)
            for line, other in zip(ours, theirs):
                with self.subTest(os.path.basename(path), frame=line[0]):
                    fields += self.compare(line, other)
            packets += len(ours)
        print(f"{packets} packets, {fields} fields the same as Wireshark's")
        self.assertGreater(packets, 10000)
        self.assertGreater(fields, 100000)

    def test_scapy_reads_what_we_wrote(self):
        from scapy.utils import RawPcapReader
        packets = 0
        for path in self.captures(45):
            ours = copied(path, self.out)
            with closing(RawPcapReader(self.out)) as reader, closing(RawPcapReader(path)) as source:
                self.assertTrue(reader.nano)
                theirs, original = list(reader), list(source)
            self.assertEqual(len(theirs), len(ours))
            for (data, info), (expected, _), line in zip(theirs, original, ours):
                self.assertEqual(data, expected)
                self.assertEqual(info.sec * 10**9 + info.usec, int(line[1]))
                self.assertEqual(info.wirelen, int(line[2]))
            packets += len(theirs)
        self.assertGreater(packets, 10000)


if __name__ == "__main__":
    unittest.main()
