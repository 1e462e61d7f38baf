"""Two links over two Soft-RoCE devices (libibverbs on our side): a port goes down in the middle of a transfer, and every byte arrives.
SPDX-License-Identifier: BSD-3-Clause

Our endpoint on both sides, and on one side with the kernel's AF_SMC on the other, in both roles. Where the
kernel is the server it is its own port that goes: told by our DELETE LINK first, it waits for its sends on that link, and rxe repeats
them for ever (docs/devices/verbs.md). What verbs_guests_test.py says of rxe's retransmissions holds here: the link that has to carry everything may be lost to them, then it is
tried again."""
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import machines as m  # noqa: E402
import verbs_guests_test as v  # noqa: E402

BOTH = ("server", "client")
LONG = os.environ.get("SMCLAB_LONG") == "1"
LLC_WAITS = 2
COUNT, BYTES, MANY = 6, 1000000, 3000000  # bytes a connection
OURS = ("--verbs", "rxe0", "--verbs", "rxe1", "--expect", "R", "--rmb", "16384", "--cgroup", "/cgroup")
KERNEL = ("--kernel-ueid", "SMCLAB.EID", "--kernel-pnet", "NET1=eth0=rxe0", "--kernel-pnet", "NET1=eth1=rxe1", "--socket", "kernel")


class LinksTest(v.Judged):
    def guest(self, number, nics, captures, words):
        guest = m.Guest(self.folder, "ab"[number - 1], self.boot,
                        ["--address", f"eth0=10.0.0.{number}/24", "--address", f"eth1=10.0.0.1{number}/24", "--rxe", "rxe0=eth0", "--rxe",
                         "rxe1=eth1", "--timeout", "240", *words], nics, memory=256, capture=captures)
        self.addCleanup(guest.__exit__)
        return guest

    def once(self, server, client, unplugged, count):
        """Each connection's bytes go one way, and are acknowledged; eth1 of these sides is unplugged when some have arrived."""
        cables = [m.cable(self.folder, f"eth{i}") for i in range(2)]
        self.captures = [os.path.join(self.folder, f"eth{i}.pcap") for i in range(2)]
        common = ["--connections", str(COUNT), "--log"]
        a = self.guest(1, [c[0] for c in cables], self.captures, [*server, "--listen", "10.0.0.1:5000", *common])
        b = self.guest(2, [c[1] for c in cables], None, [*client, "--connect", "10.0.0.1:5000", "--kind", "mixed", "--up", str(count), "--down",
                                                         str(count), "--opening", "1", *common])
        a.wait_for(rf"^V {COUNT - 2} [0-9]{{5}}", 200)
        b.wait_for(rf"^V {COUNT - 1} [0-9]{{5}}", 200)
        before = sum(a.totals("V").values()) + sum(b.totals("V").values())
        for side in unplugged:
            {"server": a, "client": b}[side].unplug(1)
        results = [who.result(150) for who in (b, a)]
        status = (b.status(), a.status())
        self.assertEqual((a.end(), b.end()), (0, 0))
        self.assertEqual([r["wrong"] for r in results], [0, 0])
        return results, status, before

    def fail_over(self, server, client, unplugged, count, *ours):
        """Once more where the machine, and not we, may be to blame: rxe repeated packets, or a whole side stood still for longer than LLC
        waits for an answer."""
        for left in range(v.TRIES - 1, -1, -1):
            results, status, before = self.once(server, client, unplugged, count)
            repeated, silence = v.repeated_packets(self.captures[0]), v.longest_silence(self.captures[0])
            print(f"{COUNT} connections of {count} bytes, eth1 of {' and '.join(unplugged)} unplugged after {before}: {results[0]['sent']} and "
                  f"{results[0]['received']} bytes right, {results[0]['ms']} ms, {repeated} packets repeated, {silence:.1f} s silent",
                  file=sys.stderr)
            try:
                self.assertLess(before, COUNT * count)  # it was in the middle
                self.check(results, status)
                self.judge(COUNT, *ours)
                return
            except AssertionError as error:
                if left == 0 or (repeated == 0 and silence < LLC_WAITS):
                    raise
                print(f"{error}: once more", file=sys.stderr)

    def check(self, results, status):
        self.assertEqual([(r["complete"], r["broken"]) for r in results], [(COUNT, [])] * 2)
        self.assertEqual(status, (0, 0))
        ours = [r for r in results if r["modes"]["R"] == COUNT]  # of the kernel's sockets nothing more is known
        for r in ours:
            self.assertEqual(r["groups"], 1)
            self.assertGreaterEqual(r["links_added"], 2)
            self.assertGreaterEqual(r["failovers"], 1)

    def judge(self, count, *ours):
        """Both cables' frames in one capture; they have one clock."""
        self.capture = os.path.join(self.folder, "both.pcap")
        every = sorted((record for path in self.captures for record in v.records(path)), key=lambda record: record[0])
        with open(self.captures[0], "rb") as first, open(self.capture, "wb") as out:
            out.write(first.read(24) + b"".join(record for _, record in every))
        super().judge(count, *ours)

    def test_our_endpoint_is_the_client_and_the_kernel_the_server(self):
        self.fail_over(KERNEL, OURS, ("server",), BYTES, "client")


class LongLinksTest(LinksTest):
    test_our_endpoint_is_the_client_and_the_kernel_the_server = None

    def test_the_kernel_is_the_client_and_our_endpoint_the_server(self):
        self.fail_over(OURS, KERNEL, BOTH, MANY, "server")

    def test_our_endpoint_on_both_sides(self):
        """The side whose port it is not hears of it only by DELETE LINK."""
        for unplugged in (BOTH, ("server",), ("client",)):
            self.fail_over(OURS, OURS, unplugged, MANY if unplugged == BOTH else BYTES, "client", "server")


if LONG:
    del LinksTest
else:
    del LongLinksTest

if __name__ == "__main__":
    unittest.main()
