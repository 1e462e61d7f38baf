"""Our endpoint inside virtual machines, over QEMU's ivshmem-doorbell and our server: guest and guest, host and guest, a guest killed.
SPDX-License-Identifier: BSD-3-Clause

With an argument, the name of a test, only that one (as unittest has it). SMCLAB_LONG=1: also all pairs of ways to interrupt, and
many more bytes."""
import os
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import machines as m  # noqa: E402
from ivshmem_host_test import check_acknowledged  # noqa: E402

A, B = ("--address", "eth0=10.0.0.1/24"), ("--address", "eth0=10.0.0.2/24")
VFIO, POLL = "vfio", "poll"


class GuestsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.boot = {POLL: m.image("virtio_net"), VFIO: m.image("virtio_net", "vfio_iommu_type1", "vfio-pci")}

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.server = self.start(m.Server(self.folder))

    def start(self, thing):
        self.addCleanup(thing.__exit__)
        return thing

    def guest(self, name, way, nic, *words):
        return self.start(m.Guest(self.folder, name, self.boot[way], ["--ivshmem", way, *words, "--timeout", "150"], [nic], self.server,
                                  iommu=way == VFIO))

    def pair(self, ways, count, *words, serve=()):
        """Guest a serves, guest b connects."""
        ends = m.cable(self.folder, "eth0")
        a = self.guest("a", ways[0], ends[0], *A, "--listen", "10.0.0.1:5000", "--connections", str(count), "--expect", "D", *serve)
        b = self.guest("b", ways[1], ends[1], *B, "--connect", "10.0.0.1:5000", "--connections", str(count), "--expect", "D",
                       *words)
        return a, b

    def check(self, who, count, sent, received):
        result = who.result(180)
        self.assertEqual(result["broken"], [])
        self.assertEqual((result["complete"], result["modes"]["D"], result["groups"]), (count, count, 1))
        if result["role"] == "client":  # which waits with the data; its last Confirm may reach a server that has seen the first end
            self.assertEqual(result["at_once"], count)
        self.assertEqual((result["wrong"], result["sent"], result["received"]), (0, sent, received))
        self.assertGreater(who.interrupts(), 0)
        print(f"{who.name}: {count} connections, {sent} bytes sent, {received} received and right, {result['ms']} ms", file=sys.stderr)

    def both(self, ways, count, up, down):
        a, b = self.pair(ways, count, "--up", str(up), "--down", str(down))
        self.check(b, count, count * up, count * down)
        self.check(a, count, count * down, count * up)
        self.assertEqual((a.status(), b.status(), a.end(), b.end()), (0, 0, 0, 0))
        self.server.wait_for("^gone 0$")
        self.server.wait_for("^gone 1$")

    def test_two_guests_with_interrupts_by_vfio_and_without(self):
        self.both((VFIO, POLL), 60, 200001, 100003)

    def test_a_guest_and_the_host_in_both_roles(self):
        """Three machines on one region: guest b is a client of the host, the host is a client of guest a, at one time."""
        ports = m.free_port(), m.free_port()
        a = self.guest("a", POLL, m.to_host(ports[0], 5000), "--address", "eth0=10.0.2.15/24", "--listen", "10.0.2.15:5000",
                       "--connections", "30", "--expect", "D")
        host = self.start(m.Host(self.folder, "host1", "--listen", f"127.0.0.1:{ports[1]}", "--ivshmem-server", self.server.socket,
                                 "--connections", "30", "--expect", "D", "--timeout", "150"))
        host.wait_for("^LISTENING")
        b = self.guest("b", VFIO, m.to_host(), "--address", "eth0=10.0.2.15/24", "--connect", f"10.0.2.2:{ports[1]}",
                       "--connections", "30", "--expect", "D", "--kind", "mixed", "--up", "300000", "--down", "400000")
        a.wait_for("^LISTENING", 120)
        host2 = self.start(m.Host(self.folder, "host2", "--connect", f"127.0.0.1:{ports[0]}", "--ivshmem-server", self.server.socket,
                                  "--connections", "30", "--expect", "D", "--up", "100000", "--down", "200000", "--timeout", "150",
                                  "--opening", "1"))
        self.check(host2, 30, 3000000, 6000000)
        self.check(a, 30, 6000000, 3000000)
        self.check(host, 30, 15 * 400000, 15 * 300000)
        self.check(b, 30, 15 * 300000, 15 * 400000)
        self.assertEqual((a.status(), b.status(), host.end(), host2.end()), (0, 0, 0, 0))

    def test_a_guest_is_killed_and_nothing_acknowledged_is_lost(self):
        """The survivor's QEMU tells it nothing: it sees the victim's alive counter stand still."""
        endless = "1000000000000"
        a, b = self.pair((POLL, VFIO), 8, "--kind", "mixed", "--log", "--up", endless, "--down", endless, serve=["--log", "--alive-ms", "3000"])
        b.wait_for("^A 6 [0-9]{6}", 120)
        b.wait_for("^V 7 [0-9]{6}", 120)
        b.kill()
        before = time.monotonic()
        result = a.result(60)
        print(f"seen after {time.monotonic() - before:.1f} s", file=sys.stderr)
        self.assertEqual([flow["mode"] for flow in result["broken"]], ["D"] * 8)
        self.assertTrue(all(flow["error"] in ("SMC_ERR_RESET", "SMC_ERR_GONE") and not flow["wrong"] for flow in result["broken"]), result)
        self.assertEqual((a.status(), a.end()), (1, 0))
        check_acknowledged(self, a, b)


class LongGuestsTest(GuestsTest):
    test_two_guests_with_interrupts_by_vfio_and_without = None
    test_a_guest_and_the_host_in_both_roles = None
    test_a_guest_is_killed_and_nothing_acknowledged_is_lost = None

    def test_interrupts_on_both_sides_and_many_bytes(self):
        self.both((VFIO, VFIO), 120, 2000001, 1000003)

    def test_polling_on_both_sides_and_many_bytes(self):
        self.both((POLL, POLL), 120, 1000001, 2000003)

    def test_a_killed_server_guest_is_noticed_by_its_client(self):
        endless = "1000000000000"
        a, b = self.pair((VFIO, POLL), 8, "--kind", "mixed", "--log", "--up", endless, "--down", endless, "--alive-ms", "3000", serve=["--log"])
        b.wait_for("^A 6 [0-9]{7}", 120)
        b.wait_for("^V 7 [0-9]{7}", 120)
        a.kill()
        result = b.result(60)
        self.assertEqual(len(result["broken"]), 8)
        self.assertTrue(all(flow["error"] != "" and not flow["wrong"] for flow in result["broken"]), result)
        self.assertEqual((b.status(), b.end()), (1, 0))
        check_acknowledged(self, b, a)


if os.environ.get("SMCLAB_LONG") != "1":
    del LongGuestsTest

if __name__ == "__main__":
    unittest.main()
