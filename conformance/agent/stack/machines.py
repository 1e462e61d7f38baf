"""What tests of our endpoint need: an ivshmem server, endpoints on this host, and virtual machines that are nothing but an endpoint.
SPDX-License-Identifier: BSD-3-Clause

Everything here is a process of ours with its output in a file; leaving the `with` ends it. A machine's kernel comes from
conformance/targets/guest_image.py."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

SOURCE, BUILD = os.environ["SMCLAB_SOURCE_DIR"], os.environ["SMCLAB_BUILD_DIR"]
SMCLAB = os.environ.get("SMCLAB", os.path.join(BUILD, "bin/smclab"))
ENDPOINT, STATIC = (os.path.join(BUILD, "bin", name) for name in ("smclab-endpoint", "smclab-endpoint-static"))
IMAGE = os.path.join(SOURCE, "conformance/targets/guest_image.py")
NO_OFFLOADS = "csum=off,guest_csum=off,gso=off,guest_tso4=off,guest_tso6=off,guest_ecn=off,guest_ufo=off,mrg_rxbuf=off,romfile="


def missing(why):
    print(why, file=sys.stderr)
    sys.exit(77)


def image(*modules):
    """(kernel, initrd, version); exits with 77 if there can be none here."""
    if shutil.which("qemu-system-x86_64") is None:
        missing("qemu-system-x86_64 is not here: apt-get install qemu-system-x86")
    words = [word for name in modules for word in ("--module", name)]
    done = subprocess.run([sys.executable, IMAGE, "--quiet", "--init", STATIC] + words, capture_output=True, text=True, check=False)
    if done.returncode == 77:
        missing(done.stderr.strip().split("\n")[-1])
    if done.returncode != 0:
        sys.exit(f"guest_image.py: {done.stderr}")
    fields = dict(line.split("=", 1) for line in done.stdout.strip().split("\n"))
    return fields["kernel"], fields["initrd"], fields["version"]


class Process:
    """A child with its output in a file."""

    def __init__(self, folder, name, command, **more):
        self.name = name
        self.path = os.path.join(folder, name + ".log")
        with open(self.path, "wb") as log:
            self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, **more)

    def text(self):
        with open(self.path, encoding="utf-8", errors="replace") as file:
            return file.read().replace("\r", "")

    def wait_for(self, pattern, seconds=60):
        """The match of a regular expression (^ and $ at lines) in the output, as soon as it is there."""
        end = time.monotonic() + seconds
        while True:
            over = self.child.poll() is not None
            match = re.search(pattern, self.text(), flags=re.M)
            if match:
                return match
            if over or time.monotonic() > end:
                raise AssertionError(f"{self.name}: no {pattern!r} in {seconds} s{' (it ended)' if over else ''}:\n{self.text()[-3000:]}")
            time.sleep(0.05)

    def result(self, seconds=60):
        return json.loads(self.wait_for(r"^RESULT (\{.*\})$", seconds).group(1))

    def interrupts(self, seconds=30):
        return int(self.wait_for(r"^INTERRUPTS (\d+)$", seconds).group(1))

    def totals(self, letter):
        """{connection: the last total} of the lines that --log writes; only whole lines count."""
        return {int(n): int(total) for n, total in re.findall(rf"^{letter} (\d+) (\d+)\n", self.text(), flags=re.M)}

    def end(self, seconds=30):
        """The exit status."""
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} does not end:\n{self.text()[-3000:]}") from None

    def kill(self):
        self.child.kill()
        self.child.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.kill()


class Server(Process):
    """`smclab ivshmem-server`, ready."""

    def __init__(self, folder, size="64M", vectors=4):
        self.socket = os.path.join(folder, "ivshmem.sock")
        super().__init__(folder, "server", [SMCLAB, "ivshmem-server", "--socket", self.socket, "--size", size, "--vectors", str(vectors),
                                            "--verbose"])
        self.wait_for("^ready$")

    def stop(self):
        self.child.send_signal(signal.SIGTERM)
        return self.end()


class Host(Process):
    """Our endpoint on this machine."""

    def __init__(self, folder, name, *words):
        super().__init__(folder, name, [ENDPOINT, *words])


def short(words):
    """The same with each option and its value in one word: a kernel hands at most 32 words to its init."""
    out = []
    for word in words:
        if out and not word.startswith("--") and out[-1].startswith("--") and "=" not in out[-1]:
            out[-1] += "=" + word
        else:
            out.append(word)
    return " ".join(out)


class Guest(Process):
    """A machine that boots our endpoint. `nics`: QEMU's -netdev without the id; they are eth0, eth1 … `capture`: a pcap file of
    what goes over eth0, or a list: of eth0, eth1 …"""

    def __init__(self, folder, name, boot, words, nics=(), server=None, iommu=False, vectors=4, memory=192, capture=None):
        kernel, initrd, _ = boot
        command = ["qemu-system-x86_64", "-M", "q35" if iommu else "pc", "-accel", "tcg", "-cpu", "max,la57=off", "-m", str(memory),
                   "-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot", "-nodefaults", "-kernel", kernel,
                   "-initrd", initrd, "-append", "console=ttyS0 panic=-1 quiet loglevel=3 mitigations=off random.trust_cpu=on "
                   # On a busy machine TCG's interrupts come late at the start: the check fails for no reason, and a TSC measured
                   # then is wrong by far.
                   "no_timer_check clocksource=acpi_pm "
                   + ("intel_iommu=on " if iommu else "") + "-- " + short(words)]
        if iommu:
            command += ["-device", "intel-iommu,intremap=on"]
        mac = sum(name.encode()) % 250 + 1
        for i, nic in enumerate(nics):
            command += ["-netdev", nic.replace(",", f",id=n{i},", 1),
                        "-device", f"virtio-net-pci,netdev=n{i},mac=52:54:00:00:{mac:02x}:{i:02x},{NO_OFFLOADS}"]
        for i, path in enumerate([capture] if isinstance(capture, str) else capture or []):
            command += ["-object", f"filter-dump,id=dump{i},netdev=n{i},file={path}"]
        self.monitor = os.path.join(folder, name + ".monitor")
        command += ["-qmp", f"unix:{self.monitor},server=on,wait=off"]
        if server is not None:
            command += ["-chardev", f"socket,path={server.socket},id=iv", "-device", f"ivshmem-doorbell,vectors={vectors},chardev=iv"]
        super().__init__(folder, name, command)

    def unplug(self, nic):
        """The carrier of eth0, eth1 … is gone, as the machine sees it."""
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.connect(self.monitor)
            lines = monitor.makefile("rw")
            lines.readline()  # the greeting
            for order in ({"execute": "qmp_capabilities"}, {"execute": "set_link", "arguments": {"name": f"n{nic}", "up": False}}):
                lines.write(json.dumps(order) + "\n")
                lines.flush()
                while "return" not in (answer := json.loads(lines.readline())):
                    if "error" in answer:
                        raise AssertionError(str(answer))

    def status(self, seconds=60):
        """What the endpoint would have exited with."""
        return int(self.wait_for(r"^EXIT (\d+)$", seconds).group(1))


def cable(folder, name):
    """The two ends of a cable between two machines, for `nics`."""
    path = [os.path.join(folder, f"{name}{end}") for end in "ab"]
    return [f"dgram,local.type=unix,local.path={path[i]},remote.type=unix,remote.path={path[1 - i]}" for i in range(2)]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def to_host(port=None, guest_port=None):
    """QEMU's own network: the host is 10.0.2.2, the guest 10.0.2.15; maybe a port of the host that leads to the guest (QEMU
    accepts one connection after the other there: use --opening 1)."""
    forward = f",hostfwd=tcp:127.0.0.1:{port}-10.0.2.15:{guest_port}" if port else ""
    return "user,restrict=off" + forward
