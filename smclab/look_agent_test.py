"""smclab ss and stats with --agent: of our endpoints while they run, of answers that a real kernel's agent gave, and of nobody.
SPDX-License-Identifier: BSD-3-Clause"""
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

SOURCE, SMCLAB, BUILD = os.environ["SMCLAB_SOURCE_DIR"], os.environ["SMCLAB"], os.environ["SMCLAB_BUILD_DIR"]
sys.path.insert(0, os.path.join(SOURCE, "conformance", "agent", "stack"))
import machines as m  # noqa: E402


def smclab(*words):
    done = subprocess.run([SMCLAB, *words], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


class Replay(threading.Thread):
    """An agent that says what another one has said."""

    def __init__(self, folder, answers):
        super().__init__(daemon=True)
        self.path, self.answers = os.path.join(folder, "agent.sock"), answers
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.path)
        self.listener.listen(1)
        self.start()

    def run(self):
        while True:
            try:
                there, _ = self.listener.accept()
            except OSError:
                return
            with there, there.makefile("rw", encoding="utf-8", newline="\n") as stream:
                for line in stream:
                    number, verb = line.split()[:2]
                    stream.write(f"{number} {self.answers.get(verb, 'error EINVAL there is no such verb')}\n")
                    stream.flush()


class KernelTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        answers = {"hello": "ok protocol=1 kernel=6.12.117 smc=1"}
        with open(os.path.join(SOURCE, "smclab", "look_agent_test.txt"), encoding="utf-8") as file:
            for line in file:
                if not line.startswith("#"):
                    verb, rest = line.rstrip("\n").split(" ", 1)
                    answers[verb] = "ok " + rest
        self.agent = Replay(folder.name, answers)
        self.addCleanup(self.agent.listener.close)

    def show(self, *words):
        status, out, err = smclab(*words, "--agent", self.agent.path)
        self.assertEqual((status, err), (0, ""))
        return out.splitlines()

    def test_sockets_stand_in_the_columns_of_smcss(self):
        lines = self.show("ss")
        self.assertEqual(len(lines), 3)
        self.assertRegex(lines[1], r"^ACTIVE +00000 0000395 10\.0\.0\.2:5001 +10\.0\.0\.1:32774 +0000 TCP  0x05000000/0x03030000$")
        self.assertRegex(lines[2], r"^ACTIVE +00000 0000391 10\.0\.0\.2:5000 +10\.0\.0\.1:50160 +0000 SMCR *$")
        self.assertEqual([line.split()[0] for line in self.show("ss", "-a")[1:]], ["ACTIVE", "ACTIVE", "LISTEN", "LISTEN"])
        self.assertEqual([line.split()[3] for line in self.show("ss", "-l")[1:]], ["0.0.0.0:5001", "0.0.0.0:5000"])
        self.assertIn("0000:00000005", self.show("ss", "-e")[2])
        self.assertRegex(self.show("ss", "-R")[1], r"SERV rxe_eth0 +01 +01 +10\.0\.0\.2 +10\.0\.0\.1$")

    def test_groups_and_links(self):
        self.assertRegex(self.show("ss", "-g")[1], r"^00000100 SERV +SINGLE +0 +1 *$")
        self.assertRegex(self.show("ss", "-L")[1], r"^00000100 SERV +SINGLE +rxe_eth0 +LINK_ACTIVE +1 .* 10\.0\.0\.2 +10\.0\.0\.1$")

    def test_counters(self):
        text = "\n".join(self.show("stats", "-R", "-d"))
        for wanted in (r"SMC connections +1\n", r"  v2 +1\n", r"TCP fallback +1 \(client 0, server 1\)", r"0x05000000 +1\n",
                       r"RX Stats\n.*5 \(5\)\n +Total requests +1\n", r"Reqs +1 +0 "):
            self.assertRegex(text, wanted)
        self.assertNotIn("SMC-D", text)


class EndpointTest(unittest.TestCase):
    def test_our_own_stack_tells_while_it_runs(self):
        with tempfile.TemporaryDirectory() as folder, m.Server(folder) as server:
            status = os.path.join(folder, "status.sock")
            address = f"127.0.0.1:{m.free_port()}"
            common = ["--ivshmem-server", server.socket, "--connections", "3", "--expect", "D", "--timeout", "60", "--up", "1000000000000",
                      "--down", "1000000000000"]
            # More than can be sent until the test is over: both are ended then.
            with m.Host(folder, "a", "--listen", address, *common, "--status", status) as a:
                a.wait_for("^READY ivshmem id 0$")
                with m.Host(folder, "b", "--connect", address, *common):
                    sent = self.transmitted(status, 1000000)
                    code, out, err = smclab("ss", "--agent", status, "-a", "-e")
                    self.assertEqual((code, err), (0, ""))
                    rows = [line.split() for line in out.splitlines()[1:]]
                    self.assertEqual(sorted(row[0] for row in rows), ["ACTIVE", "ACTIVE", "ACTIVE", "LISTEN"], out)
                    active = [row for row in rows if row[0] == "ACTIVE"]
                    self.assertEqual({(row[3], row[6]) for row in active}, {(address, "SMCD")})
                    self.assertEqual(len({row[4] for row in active}), 3)
                    self.assertRegex(smclab("ss", "--agent", status, "-g")[1], r"LG-ID +VLAN +#Conns *\n[0-9a-f]{8} +0 +3 *\n")
                    text = smclab("stats", "--agent", status, "-D")[1]
                    self.assertRegex(text, r"SMC connections +3\n")
                    self.hostile(status)
                    self.transmitted(status, sent)

    def transmitted(self, path, most):
        """Waits until more than that was."""
        until = time.monotonic() + 40
        while time.monotonic() < until:
            text = smclab("stats", "--agent", path, "-D")[1]
            sent = int(re.search(r"TX Stats\n +Data transmitted \(Bytes\) +([0-9]+)", text).group(1))
            if sent > most:
                return sent
            time.sleep(0.2)
        self.fail(f"{sent} bytes sent after 40 s: {text}")

    def hostile(self, path):
        """What is no request is refused or dropped, and twenty who never read hold up nobody."""
        idle = []
        for _ in range(20):
            s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            s.connect(path)
            idle.append(s)
        for s in idle:
            s.close()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
            s.connect(path)
            s.settimeout(20)
            s.sendall(b"1 dance\n\xff\xff\n2 hello\n")
            answers = b""
            while answers.count(b"\n") < 3:
                answers += s.recv(4096)
            self.assertRegex(answers, rb"^1 error EINVAL .*\n0 error EINVAL .*\n2 ok protocol=1 ")
            s.sendall(b"x" * 300)
            try:
                self.assertEqual(s.recv(10), b"")
            except ConnectionResetError: # it was closed before all was read
                pass


class NobodyTest(unittest.TestCase):
    def test_what_is_missing_is_said(self):
        status, _, err = smclab("ss", "--agent", "/nowhere/at/all")
        self.assertEqual(status, 3)
        self.assertIn("smclab-endpoint", err)
        self.assertEqual(smclab("ss", "--agent", "x" * 200)[0], 2)
        self.assertEqual(smclab("stats", "--agent", "/nowhere", "scenario.lua")[0], 2)

    def test_an_agent_that_refuses_is_reported(self):
        with tempfile.TemporaryDirectory() as folder:
            agent = Replay(folder, {"hello": "ok"})
            self.addCleanup(agent.listener.close)
            status, _, err = smclab("stats", "--agent", agent.path)
            self.assertEqual(status, 3)
            self.assertIn("there is no such verb", err)


if __name__ == "__main__":
    unittest.main()
