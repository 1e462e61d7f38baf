"""smclab run --target remote against stacks that are not ours, over each carrier: this machine's own TCP behind a veth (AF_PACKET) and a
TAP, in both roles; a Linux kernel's AF_SMC in a virtual machine behind QEMU's `-netdev stream`.
SPDX-License-Identifier: BSD-3-Clause

Everything happens in a network namespace of its own: nothing of the machine is touched, and no root is needed where users may have
such namespaces."""
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import agent_guest as g  # noqa: E402

ECHO_PORT, OUR_PORT, MESSAGE = 5007, 5000, 100 * 1024
OWN = "10.77.0.1"


# ---- The other side: an ordinary program's TCP -------------------------------------------------------

def echo(address):
    """Echoes on ECHO_PORT, until the process ends."""
    listener = socket.create_server((address, ECHO_PORT))

    def one(peer):
        with peer:
            while data := peer.recv(65536):
                peer.sendall(data)

    def all_of_them():
        while True:
            threading.Thread(target=one, args=(listener.accept()[0],), daemon=True).start()
    threading.Thread(target=all_of_them, daemon=True).start()


def client(address, seconds=20):
    """Connects as soon as somebody listens there; sends MESSAGE bytes and reads them back. What went wrong; "": nothing."""
    end = time.monotonic() + seconds
    while True:
        try:
            with socket.create_connection((address, OUR_PORT), timeout=2) as peer:
                peer.settimeout(20)
                message = bytes(i * 7 % 251 for i in range(MESSAGE))
                threading.Thread(target=peer.sendall, args=(message,), daemon=True).start()
                came = b""
                while len(came) < MESSAGE and (data := peer.recv(65536)):
                    came += data
                return "" if came == message else f"{len(came)} bytes came, or others"
        except OSError as error:
            if time.monotonic() > end:
                return str(error)
            time.sleep(0.05)


def ip(*words):
    subprocess.run([g.program("ip"), *words], check=True)


def far_side():
    """In a namespace of its own: takes veth1 as soon as it is put there, and does as it is told on standard input."""
    while "veth1" not in (name for _, name in socket.if_nameindex()):
        time.sleep(0.02)
    ip("address", "add", sys.argv[2] + "/24", "dev", "veth1")
    ip("link", "set", "veth1", "up")
    echo(sys.argv[2])
    print("ready", flush=True)
    for _ in sys.stdin:
        print("client:" + client(OWN), flush=True)


# ---- The tests ---------------------------------------------------------------------------------------

class RemoteTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def smclab(self, carrier, address, script, *more):
        """The process of a run."""
        path = os.path.join(g.SOURCE, "scenarios/live", script)
        return subprocess.Popen([g.SMCLAB, "run", "--target", "remote", "--carrier", carrier, "--remote", address + "/24", "--own", OWN + "/24",
                                 "-f", "json", "-o", os.path.join(self.folder, "out"), *more, path], stdout=subprocess.PIPE, text=True)

    def result(self, process):
        """The judged capture of the one run, which passed."""
        text, _ = process.communicate(timeout=120)
        runs = json.loads(text)["runs"]
        self.assertEqual([(r["verdict"], r["reason"]) for r in runs], [("pass", None)])
        self.assertEqual(process.returncode, 0)
        done = subprocess.run([g.SMCLAB, "check", "--format", "json", runs[0]["capture"]], capture_output=True, text=True, check=False)
        report = json.loads(done.stdout)["files"][0]
        self.assertEqual([f for f in report["findings"] if f["verdict"] == "fail"], [])
        return report

    def tcp_in_both_roles(self, carrier, address, start_client):
        self.result(self.smclab(carrier, address, "tcp_echo.lua", "--remote-port", str(ECHO_PORT)))
        server = self.smclab(carrier, address, "tcp_client.lua")
        self.assertEqual(start_client(), "")
        self.result(server)

    def test_this_machines_tcp_behind_a_veth_by_af_packet(self):
        address = "10.77.0.2"
        far = subprocess.Popen(["unshare", "-n", sys.executable, __file__, "--far", address], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               text=True)
        self.addCleanup(far.__exit__, None, None, None)  # closes the pipes and waits
        self.addCleanup(far.kill)
        ip("link", "add", "veth0", "type", "veth", "peer", "name", "veth1")
        ip("link", "set", "veth0", "up")
        self.move("veth1", far.pid)
        self.assertEqual(far.stdout.readline(), "ready\n")

        def start_client():
            far.stdin.write("client\n")
            far.stdin.flush()
            return far.stdout.readline().strip().removeprefix("client:")
        self.tcp_in_both_roles("packet:veth0", address, start_client)

    def move(self, interface, pid):
        """Into the namespace of a process; which may be a moment before it has one of its own."""
        def space(of):
            return os.readlink(f"/proc/{of}/ns/net")
        end = time.monotonic() + 20
        while space(pid) == space("self") and time.monotonic() < end:
            time.sleep(0.02)
        ip("link", "set", interface, "netns", str(pid))

    def test_this_machines_tcp_behind_a_tap(self):
        address = "10.77.0.3"
        ip("tuntap", "add", "dev", "tap0", "mode", "tap")
        self.addCleanup(ip, "link", "delete", "tap0")
        ip("address", "add", address + "/24", "dev", "tap0")
        ip("link", "set", "tap0", "up")
        echo(address)
        self.tcp_in_both_roles("tap:tap0", address, lambda: client(OWN))

    def test_a_kernels_smc_behind_a_stream_of_qemu(self):
        address, path = "10.77.0.4", os.path.join(self.folder, "wire")
        netdev = f"stream,server=on,addr.type=unix,addr.path={path}"
        with g.Guest(self.folder, json.loads(os.environ["SMCLAB_BOOT"]), [netdev]) as guest:
            guest.ask(f"interface name=eth0 mac=02:5e:40:00:00:01 address={address}/24 rxe=1")
            guest.ask("ueid add=SMCLAB.EID")
            guest.ask(f"listen id=1 address={address} port={OUR_PORT} family=smc")
            runs = {}
            for script in ("smc_echo.lua", "smc_declined.lua"):
                process = self.smclab("stream:" + path, address, script)
                pump(guest, process)
                runs[script] = self.result(process)
            process = self.smclab("stream:" + path, address, "smc_client.lua")
            wrong = kernel_client(guest, process)
            runs["smc_client.lua"] = self.result(process)
            self.assertEqual(wrong, "")
            self.assertEqual(guest.warnings(), "")
            self.assertEqual(guest.end(), 1)  # by isa-debug-exit
        modes = {script: {c["mode"] for c in report["connections"]} for script, report in runs.items()}
        self.assertEqual(modes["smc_echo.lua"], {"SMC-R"})
        self.assertEqual(modes["smc_client.lua"], {"SMC-R"})
        self.assertNotIn("SMC-R", modes["smc_declined.lua"])


# ---- The kernel's sockets in the guest ---------------------------------------------------------------

def pump(guest, process, seconds=100):
    """Echoes in the guest whatever comes on what its listener accepts, until the process has ended."""
    end, pending = time.monotonic() + seconds, {}
    while process.poll() is None and time.monotonic() < end:
        guest.ask("hello")  # and so reads what has happened
        while guest.events:
            line = guest.events.pop(0)
            values = g.fields(line)
            if line.startswith("accepted "):
                pending[values["id"]] = b""
            elif line.startswith("socket ") and values["id"] in pending and set(values["events"].split(",")) & {"readable", "writable", "eof"}:
                pending[values["id"]] = serve(guest, values["id"], pending[values["id"]])
                if pending[values["id"]] is None:
                    del pending[values["id"]]
        time.sleep(0.01)


def serve(guest, number, waiting):
    """What is still to be echoed; None: it is over."""
    while True:
        while waiting:
            try:
                n = int(guest.ask(f"send id={number} bytes={waiting.hex()}")["n"])
            except g.Refused as refused:
                if "EAGAIN" in str(refused):
                    return waiting
                return None
            waiting = waiting[n:]
        try:
            answer = guest.ask(f"recv id={number} max=65536")
        except g.Refused as refused:
            if "EAGAIN" in str(refused):
                return b""
            return None
        waiting = bytes.fromhex(answer["bytes"])
        if not waiting and answer.get("eof") == "1":
            guest.ask(f"close id={number}")
            return None


def kernel_client(guest, process, seconds=100):
    """The guest's kernel connects to us; ten messages, each of which comes back. What went wrong."""
    end = time.monotonic() + seconds
    time.sleep(1)  # our server's host exists only then
    guest.ask(f"connect id=9 address={OWN} port={OUR_PORT} family=smc")
    connected = ""
    while "connected" not in connected and time.monotonic() < end:
        values = guest.wait("socket id=9", max(1, end - time.monotonic()))
        connected = values["events"]
        if "error" in connected.split(","):
            return str(values)
    for i in range(10):
        message, came = bytes((i + k * 3) % 253 for k in range(10 * 1024)), b""
        if int(guest.ask(f"send id=9 bytes={message.hex()}")["n"]) != len(message):
            return "not all was taken"
        while len(came) < len(message) and time.monotonic() < end and process.poll() is None:
            try:
                came += bytes.fromhex(guest.ask("recv id=9 max=65536")["bytes"])
            except g.Refused as refused:
                if "EAGAIN" not in str(refused):
                    return str(refused)
                time.sleep(0.02)
        if came != message:
            return f"message {i}: {len(came)} bytes came, or others"
    guest.ask("close id=9")
    return ""


def main():
    if sys.argv[1:2] == ["--far"]:
        far_side()
        return
    if os.environ.get("SMCLAB_BOOT") is None:  # the kernel's package may have to be fetched: while there is a network
        os.environ["SMCLAB_BOOT"] = json.dumps(g.image())
        own = "-n" if os.geteuid() == 0 else "-Urn"
        os.execvp("unshare", ["unshare", own, sys.executable, __file__, *sys.argv[1:]])
    ip("link", "set", "lo", "up")
    unittest.main()


if __name__ == "__main__":
    main()
