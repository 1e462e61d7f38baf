"""Our core over real Soft-RoCE (libibverbs on the kernel's rxe) in virtual machines: with itself, and with the kernel's AF_SMC.
SPDX-License-Identifier: BSD-3-Clause

What goes over the wire is judged as any capture. Buffers are small, so that rxe has little under way: in a slow machine its
retransmissions start, and those of 6.12 are not right (see docs/devices/verbs.md). So a link that was lost where the capture shows
packets repeated is rxe's or the machine's fault, and the exchange may be tried again; without repeated packets, or with one wrong byte,
it is ours."""
import json
import os
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import machines as m  # noqa: E402

MODULES = ("virtio_net", "crc32_generic?", "rdma_rxe", "smc")
OURS = ("--verbs", "rxe0", "--expect", "R", "--rmb", "16384", "--cgroup", "/cgroup")
KERNEL = ("--kernel-ueid", "SMCLAB.EID", "--socket", "kernel")


TRIES, ACKNOWLEDGE, ROCE_PORT = 3, 17, 4791


def records(path):
    """Of a pcap file, (time, the record's header and frame)."""
    with open(path, "rb") as file:
        data = file.read()
    at = 24
    while at + 16 <= len(data):
        seconds, parts, length = struct.unpack_from("<III", data, at)
        yield (seconds, parts), data[at:at + 16 + length]
        at += 16 + length


def requests(path):
    """(time in seconds, frame) of the RoCEv2 requests of a capture (Ethernet, IPv4)."""
    for (seconds, parts), record in records(path):
        frame = record[16:]
        if len(frame) < 54 or frame[12:14] != b"\x08\0" or frame[23] != 17 or struct.unpack_from(">H", frame, 36)[0] != ROCE_PORT:
            continue
        if frame[42] != ACKNOWLEDGE:
            yield seconds + parts / 1e6, frame


def repeated_packets(path):
    """How many requests had been sent before."""
    seen, count = set(), 0
    for _, frame in requests(path):
        key = (frame[26:30], frame[47:50], frame[51:54])
        count += key in seen
        seen.add(key)
    return count


def longest_silence(path):
    """The most seconds between two requests of one sender."""
    last, longest = {}, 0
    for at, frame in requests(path):
        longest = max(longest, at - last.get(frame[26:30], at))
        last[frame[26:30]] = at
    return longest


class Judged(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.boot = m.image(*MODULES)

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.capture = os.path.join(self.folder, "eth0.pcap")

    def judge(self, count, *ours):
        """No `fail` for which a side of `ours` is to blame, and all connections were seen to be SMC-R."""
        done = subprocess.run([m.SMCLAB, "check", "--format", "json", self.capture], capture_output=True, text=True, check=False)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        report = json.loads(done.stdout)["files"][0]
        fails = [f for f in report["findings"] if f["verdict"] == "fail" and f["at_fault"] not in set(("client", "server")) - set(ours)]
        self.assertEqual(fails, [])
        self.assertEqual(sum(c["mode"] == "SMC-R" for c in report["connections"]), count)  # besides: refused before there was a server
        print(f"judged: {sum(report['exercised'].values())} times {len(report['exercised'])} rules", file=sys.stderr)


class VerbsTest(Judged):
    def guest(self, number, nic, capture, words):
        guest = m.Guest(self.folder, "ab"[number - 1], self.boot, ["--address", f"eth0=10.0.0.{number}/24", "--rxe", "rxe0=eth0",
                                                                  "--timeout", "120", *words], [nic], memory=256, capture=capture)
        self.addCleanup(guest.__exit__)
        return guest

    def once(self, server, client, count, up, down, kind):
        ends = m.cable(self.folder, "eth0")
        common = ["--connections", str(count)]
        a = self.guest(1, ends[0], self.capture, [*server, "--listen", "10.0.0.1:5000", *common])
        b = self.guest(2, ends[1], None, [*client, "--connect", "10.0.0.1:5000", "--kind", kind, "--up", str(up), "--down", str(down),
                                          *common])
        results = [who.result(300) for who in (b, a)]
        status = (b.status(), a.status())
        self.assertEqual((a.end(), b.end()), (0, 0))
        self.assertEqual([r["wrong"] for r in results], [0, 0])
        return results, status

    def exchange(self, server, client, count, up, down, kind="duplex"):
        for left in range(TRIES - 1, -1, -1):
            results, status = self.once(server, client, count, up, down, kind)
            errors = {flow["error"] for r in results for flow in r["broken"]}
            repeated = repeated_packets(self.capture)
            if status == (0, 0) or left == 0 or repeated == 0 or not errors <= {"SMC_ERR_RESET", "SMC_ERR_TIMEOUT", ""}:
                break
            print(f"the link was lost after {repeated} repeated packets: once more", file=sys.stderr)
        self.assertEqual([(r["complete"], r["broken"]) for r in results], [(count, [])] * 2, f"{repeated} packets repeated")
        self.assertEqual((status, results[0]["at_once"]), ((0, 0), count))
        print(f"{count} connections, {results[0]['sent']} and {results[0]['received']} bytes, {results[0]['ms']} ms, "
              f"{repeated} packets repeated", file=sys.stderr)
        return results

    def test_the_device_keeps_what_the_interface_promises(self):
        a = m.Guest(self.folder, "a", self.boot, ["--address", "eth0=10.0.0.1/24", "--rxe", "rxe0=eth0", "--verbs-check", "rxe0"],
                    ["user,restrict=on"], memory=256)
        self.addCleanup(a.__exit__)
        self.assertEqual(a.wait_for(r"^CHECKED (\d+) failed", 180).group(1), "0", a.text())
        self.assertGreater(len(m.re.findall("^ok ", a.text(), flags=m.re.M)), 60)
        self.assertNotIn("FAIL", a.text())
        self.assertEqual((a.status(), a.end()), (0, 0))

    def test_a_device_that_is_not_there_is_said_to_be_missing(self):
        host = m.Host(self.folder, "host", "--connect", "127.0.0.1:1", "--verbs", "nosuchdevice")
        self.addCleanup(host.__exit__)
        self.assertEqual(host.end(), 77)
        host.wait_for("there is no such RDMA device")

    def test_our_endpoint_on_both_sides(self):
        client, server = self.exchange(OURS, OURS, 8, 100000, 80000)
        self.assertEqual((client["modes"]["R"], server["modes"]["R"], client["groups"], server["groups"]), (8, 8, 1, 1))
        self.judge(8, "client", "server")

    def test_the_kernel_serves_our_endpoint(self):
        client, _ = self.exchange(KERNEL, OURS, 8, 120000, 100000)
        self.assertEqual((client["modes"]["R"], client["groups"]), (8, 1))
        self.judge(8, "client")

    def test_our_endpoint_serves_the_kernel(self):
        _, server = self.exchange(OURS, KERNEL, 8, 120000, 100000, kind="mixed")
        self.assertEqual((server["modes"]["R"], server["groups"]), (8, 1))
        self.judge(8, "server")

    def test_without_the_option_the_kernel_is_not_asked(self):
        """The kernel's listener is no SMC socket: its SYN-ACK has no option, so our side stays with TCP at once."""
        client, _ = self.exchange(("--socket", "tcp"), ("--verbs", "rxe0", "--cgroup", "/cgroup"), 2, 50000, 50000)
        self.assertEqual(client["modes"]["TCP"], 2)


if __name__ == "__main__":
    unittest.main()
