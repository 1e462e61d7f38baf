"""Two endpoints on this host over one ivshmem region, with `smclab ivshmem-server`: many connections, a killed peer, a killed server.
SPDX-License-Identifier: BSD-3-Clause"""
import os
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import machines as m  # noqa: E402


class HostTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.port = m.free_port()

    def start(self, thing):
        self.addCleanup(thing.__exit__)
        return thing

    def pair(self, server, count, *words, serve=(), timeout="40"):
        common = ["--ivshmem-server", server.socket, "--connections", str(count), "--expect", "D", "--timeout", timeout]
        address = f"127.0.0.1:{self.port}"
        a = self.start(m.Host(self.folder, "a", "--listen", address, *common, *serve))
        a.wait_for("^READY ivshmem id 0$")
        b = self.start(m.Host(self.folder, "b", "--connect", address, *common, *words))
        return a, b

    def check(self, who, count, sent, received):
        result = who.result()
        self.assertEqual(result["broken"], [])
        self.assertEqual((result["complete"], result["modes"]["D"], result["groups"]), (count, count, 1))
        if result["role"] == "client":  # which waits with the data; its last Confirm may reach a server that has seen the first end
            self.assertEqual(result["at_once"], count)
        self.assertEqual((result["wrong"], result["sent"], result["received"]), (0, sent, received))
        self.assertEqual(who.end(), 0)
        self.assertGreater(who.interrupts(), 0)

    def test_100_connections_at_once_deliver_every_byte(self):
        with m.Server(self.folder) as server:
            a, b = self.pair(server, 100, "--up", "300001", "--down", "200003")
            self.check(b, 100, 100 * 300001, 100 * 200003)
            self.check(a, 100, 100 * 200003, 100 * 300001)
            server.wait_for("^gone 1$")
            self.assertEqual(server.stop(), 0)
            self.assertFalse(os.path.exists(server.socket))

    def test_one_vector_carries_everything(self):
        with m.Server(self.folder, vectors=1) as server:
            a, b = self.pair(server, 10, "--kind", "mixed", "--up", "1000000", "--down", "1000000")
            self.check(b, 10, 5000000, 5000000)
            self.check(a, 10, 5000000, 5000000)

    def test_a_wrong_ueid_leaves_tcp_and_that_is_seen(self):
        with m.Server(self.folder) as server:
            a, b = self.pair(server, 2, serve=["--ueid", "ANOTHER.EID"])
            result = b.result()
            self.assertEqual((result["modes"]["TCP"], result["complete"], result["wrong"]), (2, 0, 0))
            self.assertEqual(result["received"], 200000)
            self.assertNotEqual(result["broken"][0]["fallback"], "0x00000000")
            self.assertEqual((a.end(), b.end()), (1, 1))

    def test_a_killed_peer_is_noticed_and_nothing_acknowledged_is_lost(self):
        with m.Server(self.folder) as server:
            a, b = self.pair(server, 8, "--kind", "mixed", "--log", "--up", "1000000000000", "--down", "1000000000000", serve=["--log"])
            b.wait_for("^A 6 [0-9]{7}")
            b.wait_for("^V 7 [0-9]{7}")
            b.kill()
            before = time.monotonic()
            result = a.result()
            self.assertLess(time.monotonic() - before, 3)  # the server tells; no time-out is waited for
            self.assertEqual([flow["mode"] for flow in result["broken"]], ["D"] * 8)
            self.assertTrue(all(flow["error"] != "" and not flow["wrong"] for flow in result["broken"]), result)
            self.assertEqual(a.end(), 1)
            check_acknowledged(self, a, b)

    def test_connections_outlive_the_server(self):
        with m.Server(self.folder) as server:
            a, b = self.pair(server, 4, "--kind", "mixed", "--log", "--up", "100000000", "--down", "100000000")
            b.wait_for("^A 0 [0-9]{6}")
            server.kill()
            self.check(b, 4, 200000000, 200000000)
            self.check(a, 4, 200000000, 200000000)

    def test_the_command_refuses_what_cannot_be(self):
        path = os.path.join(self.folder, "iv")
        for words, status in ((["--socket", path, "--size", "3M"], 2), (["--socket", path, "--size", "12Q"], 2), ([], 2),
                              (["--socket", path, "--vectors", "0"], 2), (["--socket", path, "extra"], 2),
                              (["--socket", self.folder + "/none/iv"], 3), (["--socket", self.folder], 3), (["--help"], 0)):
            server = self.start(m.Process(self.folder, "refused", [m.SMCLAB, "ivshmem-server", *words]))
            self.assertEqual(server.end(), status, words)
        with m.Server(self.folder) as server:
            second = self.start(m.Process(self.folder, "second", [m.SMCLAB, "ivshmem-server", "--socket", server.socket]))
            self.assertEqual(second.end(), 3)
            self.assertTrue(os.path.exists(server.socket))

    def test_without_a_server_it_says_so_and_exits_with_77(self):
        b = self.start(m.Host(self.folder, "b", "--connect", "127.0.0.1:1", "--ivshmem-server", self.folder + "/none"))
        self.assertEqual(b.end(), 77)
        b.wait_for("the server cannot be reached")


def check_acknowledged(case, survivor, victim):
    """Even connections: the victim sent. What a side was told to have arrived, the other side had verified before."""
    case.assertEqual(len(victim.totals("A")) + len(victim.totals("V")), 8)
    for number, total in victim.totals("A").items():
        case.assertLessEqual(total, survivor.totals("V")[number], f"connection {number}")
    for number, total in survivor.totals("A").items():
        case.assertLessEqual(total, victim.totals("V")[number], f"connection {number}")


if __name__ == "__main__":
    unittest.main()
