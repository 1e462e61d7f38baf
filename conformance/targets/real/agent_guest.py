"""A virtual machine with the agent (docs/agent.md) for tests in Python: requests and answers, events, programs and their output.
SPDX-License-Identifier: BSD-3-Clause"""
import os
import shutil
import socket
import subprocess
import sys
import time

SOURCE, BUILD = os.environ["SMCLAB_SOURCE_DIR"], os.environ["SMCLAB_BUILD_DIR"]
SMCLAB = os.environ.get("SMCLAB", os.path.join(BUILD, "bin/smclab"))
AGENT = os.path.join(BUILD, "bin/smclab-agent")
IMAGE = os.path.join(SOURCE, "conformance/targets/guest_image.py")
MODULES = ("virtio_pci", "virtio_console", "virtio_net", "crc32_generic?", "rdma_rxe", "smc", "smc_diag")
NO_OFFLOADS = "csum=off,guest_csum=off,gso=off,guest_tso4=off,guest_tso6=off,guest_ecn=off,guest_ufo=off,mrg_rxbuf=off,romfile="
EXIT = "-device isa-debug-exit,iobase=0xf4,iosize=0x04"  # with which the agent ends the machine


def missing(why):
    print(why, file=sys.stderr)
    sys.exit(77)


def image(files=(), modules=()):
    """(kernel, initrd) of Debian's kernel; files: (source, where in the guest). Exits with 77 if there can be none here."""
    if shutil.which("qemu-system-x86_64") is None:
        missing("qemu-system-x86_64 is not here: apt-get install qemu-system-x86")
    words = [f"--module={name}" for name in (*MODULES, *modules)] + [f"--file={source}={to}" for source, to in files]
    done = subprocess.run([sys.executable, IMAGE, "--quiet", "--init", AGENT] + words, capture_output=True, text=True, check=False)
    if done.returncode == 77:
        missing(done.stderr.strip().split("\n")[-1])
    if done.returncode != 0:
        sys.exit(f"guest_image.py: {done.stderr}")
    fields = dict(line.split("=", 1) for line in done.stdout.strip().split("\n"))
    return fields["kernel"], fields["initrd"]


def program(name):
    path = shutil.which(name) or shutil.which(name, path="/sbin:/usr/sbin")
    return path or missing(f"the program {name} is not here: apt-get install " + {"ip": "iproute2", "rdma": "iproute2"}.get(name, name))


def fields(line):
    return dict(word.split("=", 1) for word in line.split() if "=" in word)


class Refused(Exception):
    pass


class Guest:
    """`netdevs`: QEMU's -netdev without the id. Used with `with`, or ended by __exit__."""

    def __init__(self, folder, boot, netdevs=(), memory=512):
        self.agent_path, self.console = os.path.join(folder, "guest.agent"), os.path.join(folder, "guest.console")
        command = ["qemu-system-x86_64", "-M", "pc", "-accel", "tcg,thread=multi", "-cpu", "max,la57=off", "-m", str(memory), "-nodefaults",
                   "-no-user-config", "-no-reboot", "-display", "none", "-monitor", "none", *EXIT.split(), "-kernel", boot[0],
                   "-initrd", boot[1], "-append", "console=ttyS0 panic=-1 quiet loglevel=4 mitigations=off random.trust_cpu=on "
                   "net.ifnames=0 tsc=unstable clocksource=hpet no_timer_check", "-serial", "file:" + self.console,
                   "-chardev", f"socket,id=agent,path={self.agent_path},server=on,wait=off", "-device", "virtio-serial-pci,max_ports=2",
                   "-device", "virtserialport,chardev=agent,name=smclab.agent"]
        for i, netdev in enumerate(netdevs):
            command += ["-netdev", netdev.replace(",", f",id=n{i},", 1), "-device",
                        f"virtio-net-pci,netdev=n{i},mac=02:5e:40:00:00:{i + 1:02x},{NO_OFFLOADS}"]
        with open(os.path.join(folder, "guest.qemu"), "wb") as log:
            self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        self.number, self.rest, self.events, self.channel = 0, b"", [], None
        self.outputs, self.ends = {}, {}
        try:
            self.connect(time.monotonic() + 120)
        except BaseException:
            self.__exit__()
            raise

    def connect(self, until):
        while self.channel is None:
            channel = socket.socket(socket.AF_UNIX)
            try:
                channel.connect(self.agent_path)
                self.channel = channel
            except OSError:
                channel.close()
                self.still_there(until)
                time.sleep(0.05)
        while not any(line.startswith("ready") for line in self.events):
            self.line(until)

    def still_there(self, until):
        if self.child.poll() is not None or time.monotonic() > until:
            with open(self.console, encoding="utf-8", errors="replace") as file:
                raise AssertionError("the guest does not go on:\n" + file.read()[-3000:])

    def line(self, until):
        """The next line of the agent; events are kept."""
        while b"\n" not in self.rest:
            self.channel.settimeout(max(0.1, min(5, until - time.monotonic())))
            try:
                more = self.channel.recv(1 << 16)
                if not more:
                    time.sleep(0.05)
            except TimeoutError:
                more = b""
            self.rest += more
            if not more:
                self.still_there(until)
        line, self.rest = self.rest.split(b"\n", 1)
        text = line.decode()
        if text.startswith("* "):
            self.event(text[2:])
        return text

    def event(self, text):
        values = fields(text)
        if text.startswith("output "):
            number = values["program"]
            self.outputs[number] = self.outputs.get(number, b"") + bytes.fromhex(values["bytes"])
        elif text.startswith("exited "):
            self.ends[values["program"]] = int(values["status"]) if values["signal"] == "0" else -int(values["signal"])
        else:
            self.events.append(text)

    def ask(self, request, seconds=60):
        """The fields of the answer; raises Refused if it is an error."""
        self.number += 1
        self.channel.settimeout(seconds)
        self.channel.sendall(f"{self.number} {request}\n".encode())
        until = time.monotonic() + seconds
        while True:
            line = self.line(until)
            if line.startswith(f"{self.number} "):
                words = line.split(" ", 2)
                if words[1] != "ok":
                    raise Refused(f"{request}: {line}")
                return fields(line)

    def wait(self, begins, seconds=60):
        """The fields of the next event that begins so; it is taken away."""
        until = time.monotonic() + seconds
        while True:
            for i, line in enumerate(self.events):
                if (line + " ").startswith(begins + " "):
                    return fields(self.events.pop(i))
            self.line(until)

    def start(self, path, *arguments):
        number = str(self.number + 1)
        self.ask(f"run program={number} path={path} arguments={','.join(arguments)}")
        return number

    def run(self, path, *arguments, seconds=60):
        """(exit status, what it wrote)"""
        number = self.start(path, *arguments)
        until = time.monotonic() + seconds
        while number not in self.ends:
            self.line(until)
        return self.ends[number], self.outputs.get(number, b"")

    def warnings(self):
        """What the kernel complained about; "": nothing."""
        values = self.ask("dmesg")
        return values.get("text", "") if values["warnings"] != "0" else ""

    def end(self):
        self.channel.sendall(b"999999 poweroff\n")
        return self.child.wait(30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        if self.channel is not None:
            self.channel.close()
