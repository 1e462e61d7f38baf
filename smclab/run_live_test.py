"""smclab run with real hosts, as far as it goes without one: what is missing is said in one sentence, and which runs there would be.
SPDX-License-Identifier: BSD-3-Clause"""
import json
import os
import socket
import subprocess
import tempfile
import threading
import unittest

SMCLAB = os.environ["SMCLAB"]
SCRIPT = """
scenario { title = "t", source = "s", targets = { %s } %s }
host "alpha" { address = "10.0.0.1/24" }
host "beta" { address = "10.0.0.2/24" }
link("alpha", "beta")
"""
TAP = ("--carrier", "tap:smcnone0")
REMOTE = ("--target", "remote", "--remote", "10.0.0.2/24")
POWERLESS = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
NO_TUN = ["unshare", "-m" if os.geteuid() == 0 else "-Urm", "sh", "-c", 'mount -t tmpfs none /dev/net && exec "$@"', "sh"]


def run(*arguments, by=(), **more):
    return subprocess.run([*by, SMCLAB, "run", *arguments], capture_output=True, text=True, timeout=120, check=False, **more)


class Listener:
    """A unix socket. What connects is told `answer` behind the number of its first request; without one it is hung up on, or, with
    answer=None, ignored."""

    def __init__(self, path, answer=None):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(path)
        self.socket.listen(8)
        self.answer, self.kept = answer, []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                peer = self.socket.accept()[0]
            except OSError:
                return
            if self.answer:
                number = peer.recv(1000).decode().split()[0]
                peer.sendall(f"{number} {self.answer}\n".encode())
            if self.answer != "":
                self.kept.append(peer)
            else:
                peer.close()

    def close(self):
        self.socket.close()


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

    def listener(self, name, answer=None):
        path = os.path.join(self.folder.name, name)
        listener = Listener(path, answer)
        self.addCleanup(listener.close)
        return path

    def host(self, answer, *more, **how):
        agent = self.listener("agent", answer)
        return self.sentence(run("--target", "host", "--agent", agent, *more, "-o", self.out, self.script('"vm"'), **how))

    def test_host_says_that_this_kernel_has_no_smc(self):
        text = self.host("ok protocol=1 kernel=6.1 smc=0", *TAP)
        self.assertIn("modprobe smc smc_diag rdma_rxe", text)

    def test_host_says_that_the_agent_does_not_answer(self):
        self.assertIn("does not answer", self.host("", *TAP))

    def test_host_says_that_a_carrier_leads_nowhere_in_this_machine(self):
        carrier = "stream:" + self.listener("stream")
        self.assertIn("tap:NAME", self.host("ok smc=1", "--carrier", carrier))

    def test_who_may_not_is_told_what_is_needed(self):
        for carrier in ("tap:smcnone0", "packet:lo"):
            text = self.sentence(run(*REMOTE, "--carrier", carrier, "-o", self.out, self.script('"remote"'), by=POWERLESS))
            self.assertIn(carrier, text)
            self.assertIn("CAP_NET_ADMIN", text)

    def test_without_tun_the_module_is_named(self):
        text = self.sentence(run(*REMOTE, *TAP, "-o", self.out, self.script('"remote"'), by=NO_TUN))
        self.assertIn("modprobe tun", text)

    def test_an_interface_that_is_not_there_is_said_not_to_be(self):
        text = self.sentence(run(*REMOTE, "--carrier", "packet:smcnone0", "-o", self.out, self.script('"remote"')))
        self.assertIn("ip link", text)

    def test_a_stream_that_nobody_serves_names_what_qemu_wants(self):
        path = os.path.join(self.folder.name, "none")
        text = self.sentence(run(*REMOTE, "--carrier", "stream:" + path, "-o", self.out, self.script('"remote"')))
        self.assertIn("-netdev stream,server=on,addr.type=unix,addr.path=" + path, text)

    def test_a_carrier_of_no_kind_is_usage(self):
        done = run(*REMOTE, "--carrier", "pigeon:1", "-o", self.out, self.script('"remote"'))
        self.assertEqual(done.returncode, 2)
        self.assertIn("pigeon:1", done.stderr)

    def test_roles_are_those_of_the_header_and_of_the_command_line(self):
        carrier = ("--carrier", "stream:" + self.listener("stream"))
        path = self.script('"remote"', ', roles = { "beta", "alpha" }')
        more = (*REMOTE, *carrier, "-f", "json", "-o", self.out, path)
        self.assertEqual([r["role"] for r in json.loads(run(*more).stdout)["runs"]], ["beta", "alpha"])
        self.assertEqual([r["role"] for r in json.loads(run("--role", "alpha", *more).stdout)["runs"]], ["alpha"])
        nobody = json.loads(run("--role", "gamma", *more).stdout)["runs"]
        self.assertEqual([r["verdict"] for r in nobody], ["skip"])
        self.assertIn("--role", nobody[0]["reason"])
        self.script('"remote"')
        self.assertEqual([r["role"] for r in json.loads(run(*more).stdout)["runs"]], ["alpha", "beta"])

    def test_standing_still_is_for_virtual_time(self):
        done = run("--target", "vm", "--pause-at", "1ms", self.script('"vm"'))
        self.assertEqual(done.returncode, 2, done.stderr)

    def test_wrong_numbers_are_usage(self):
        for wrong in (["--patience", "0"], ["--remote-port", "70000"], ["--carrier", "a", "--carrier", "b", "--carrier", "c", "--carrier",
                                                                         "d", "--carrier", "e"]):
            self.assertEqual(run("--target", "remote", *wrong, self.script('"remote"')).returncode, 2, wrong)


if __name__ == "__main__":
    unittest.main()
