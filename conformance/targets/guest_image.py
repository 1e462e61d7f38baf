"""Makes what a virtual machine boots: a kernel from Debian (fetched by a private apt state, or built from its source) and an initramfs.
SPDX-License-Identifier: BSD-3-Clause

usage: guest_image.py [--kernel NAME] [--debug] [--refresh] [--quiet] [--init PROGRAM] [--module NAME]… [--file SOURCE=/DEST]…

Prints kernel=, version=, package= and, with --init, initrd=, a line each, with paths in the cache: $SMCLAB_CACHE,
or ${XDG_CACHE_HOME:-~/.cache}/smclab. What is there already is taken from there. Exit status: 0; 1 it went wrong; 77 something
is missing here. The last line on standard error says what in one sentence.

NAME: debian (what Debian trixie's linux-image-amd64 depends on) · debian:SUITE (another suite's; `backports` is short for
trixie-backports) · build:SUITE (built from that suite's linux-source; with --debug KASAN, KMEMLEAK and PROVE_LOCKING).

The addresses of Debian's archive are the machine's own (its apt sources with the suite's name replaced), and so are proxies and
keys; what apt writes goes into the cache, so the machine's own apt is left alone, and nothing here needs root.

The initramfs holds /init, the files, the modules (unpacked, in /modules) and /modules/index, a line a module that was asked
for: "+" (load at the start) or "-" (when asked for), its name, then the files to load, in this order. A MODULE may begin with
"-" (not at the start) and end with "?" (no error if this kernel has none)."""
import argparse
import fcntl
import glob
import gzip
import hashlib
import json
import lzma
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
DEFAULT_SUITE = "trixie"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
SUITE_ENDINGS = ("", "-updates", "-security")
KERNEL_PACKAGE = re.compile(r"^linux-(image|binary|modules|base)(-unsigned)?-[0-9]")
KEEP_INITRDS = 12


class Missing(Exception):
    """Something is not here that somebody could bring."""


class Failed(Exception):
    pass


quiet = False


def say(text):
    if not quiet:
        print(f"smclab: {text}", file=sys.stderr, flush=True)


def run(*command, **more):
    """A program's standard output; Failed with its last words."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **more)
    except FileNotFoundError:
        raise Missing(f"the program {command[0]} is not here: install {PACKAGE_OF.get(command[0], command[0])}") from None
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip().split("\n")
        raise Failed(f"{os.path.basename(command[0])}: {words[-1] if words else 'failed'}")
    return done.stdout


PACKAGE_OF = {"apt-get": "apt", "apt-cache": "apt", "dpkg-deb": "dpkg", "modprobe": "kmod", "depmod": "kmod", "make": "make",
              "tar": "tar", "patch": "patch", "ldd": "libc-bin"}


def cache_folder():
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    folder = os.path.abspath(os.environ.get("SMCLAB_CACHE") or os.path.join(home, "smclab"))
    os.makedirs(folder, exist_ok=True)
    return folder


# ---- Where Debian's archive is ---------------------------------------------------------------------

def own_codename():
    with open("/etc/os-release", encoding="utf-8") as file:
        match = re.search(r'^VERSION_CODENAME="?([a-z]+)', file.read(), flags=re.M)
    if match is None:
        raise Missing("this machine does not say which Debian it is (VERSION_CODENAME in /etc/os-release)")
    return match.group(1)


def parse_deb822(text):
    """Stanzas of a .sources file: dictionaries with lower-case keys."""
    for block in re.split(r"\n\s*\n", text):
        fields, key = {}, None
        for line in block.split("\n"):
            if line.startswith("#") or not line.strip():
                continue
            if line[0] in " \t" and key is not None:
                fields[key] += " " + line.strip()
            elif ":" in line:
                key, value = line.split(":", 1)
                key = key.strip().lower()
                fields[key] = value.strip()
        if "uris" in fields and "deb" in fields.get("types", "deb").split() and fields.get("enabled", "yes") != "no":
            # A key block in the file itself has lines that only apt may read: such a source keeps the default keyring.
            keys = fields.get("signed-by", "")
            yield fields["uris"].split(), fields.get("suites", "").split(), keys if keys.startswith("/") else ""


def parse_one_line(text):
    for line in text.split("\n"):
        match = re.match(r"\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)", line)
        if match:
            keys = re.search(r"signed-by=(/\S+)", match.group(1) or "")
            yield [match.group(2)], [match.group(3)], keys.group(1) if keys else ""


def machine_sources():
    places = ["/etc/apt/sources.list"]
    parts = "/etc/apt/sources.list.d"
    if os.path.isdir(parts):
        places += [os.path.join(parts, name) for name in sorted(os.listdir(parts))]
    for place in places:
        if not place.endswith((".list", ".sources")) or not os.path.isfile(place):
            continue
        with open(place, encoding="utf-8", errors="replace") as file:
            text = file.read()
        yield from (parse_deb822 if place.endswith(".sources") else parse_one_line)(text)


def archive_addresses():
    """{"": [(uri, keyring)…], "-security": […]}: where this machine gets its Debian from."""
    found = {"": [], "-security": []}
    names = (own_codename(), "stable", "oldstable", "testing", "sid", "unstable", "forky", "trixie", "bookworm")
    for uris, suites, keys in machine_sources():
        for suite in suites:
            base = re.sub(r"(-updates|-security|-backports|/updates)$", "", suite)
            kind = "-security" if suite.endswith(("-security", "/updates")) else ""
            if base in names:
                found[kind] += [(uri, keys) for uri in uris if (uri, keys) not in found[kind]]
    if not found[""]:
        raise Missing("no apt source of this machine is a Debian archive: the kernel must come from one (or put it into the "
                      "cache by hand, see docs/linux.md)")
    return found


def sources_text(suite):
    """A .sources file for one suite, and its updates and security updates if it is a release."""
    found = archive_addresses()
    plain = "-" not in suite and suite not in ("sid", "unstable", "experimental")
    text = ""
    for ending in SUITE_ENDINGS if plain else ("",):
        for uri, keys in found["-security" if ending == "-security" else ""]:
            text += f"Types: deb\nURIs: {uri}\nSuites: {suite}{ending}\nComponents: main\nSigned-By: {keys or KEYRING}\n\n"
    return text


class Apt:
    """apt with a state of its own for one suite."""

    def __init__(self, cache, suite):
        self.suite = suite
        self.folder = os.path.join(cache, "apt", suite)
        for name in ("lists/partial", "cache/archives/partial", "sources", "none"):
            os.makedirs(os.path.join(self.folder, name), exist_ok=True)
        with open(os.path.join(self.folder, "sources", "suite.sources"), "w", encoding="utf-8") as file:
            file.write(sources_text(suite))
        with open(os.path.join(self.folder, "status"), "w", encoding="utf-8"):
            pass
        at = self.folder
        options = (f"Dir::State={at}", f"Dir::State::status={at}/status", f"Dir::Cache={at}/cache",
                   "Dir::Etc::SourceList=/dev/null", f"Dir::Etc::SourceParts={at}/sources", "Dir::Etc::Preferences=/dev/null",
                   f"Dir::Etc::PreferencesParts={at}/none", "Acquire::Languages=none", "APT::Sandbox::User=root",
                   "Acquire::Retries=2", "APT::Update::Post-Invoke=", "APT::Update::Post-Invoke-Success=",
                   "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false",
                   "Acquire::IndexTargets::deb::CNF::DefaultEnabled=false")
        self.options = [word for option in options for word in ("-o", option)]

    def run(self, *command, **more):
        with open(os.path.join(self.folder, "lock"), "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # apt would not wait for another one
            return run(command[0], *self.options, *command[1:], **more)

    def update(self):
        say(f"asking Debian's archive what {self.suite} has")
        try:
            self.run("apt-get", "-q", "update")
        except Failed as error:
            raise Missing(f"Debian's archive does not answer for {self.suite}: {error}") from None
        if not any("Packages" in name for name in os.listdir(os.path.join(self.folder, "lists"))):
            raise Missing(f"Debian's archive has no lists of packages for {self.suite}")

    def show(self, package):
        """Version and dependencies (names) of the newest version of a package."""
        text = self.run("apt-cache", "show", "--no-all-versions", package)
        version = re.search(r"^Version: (\S+)", text, flags=re.M)
        depends = re.search(r"^Depends: (.*)", text, flags=re.M)
        if version is None:
            raise Failed(f"{self.suite} has no package {package}")
        names = [re.split(r"[ (|]", item.strip())[0] for item in depends.group(1).split(",")] if depends else []
        return version.group(1), names

    def unpack(self, package, to):
        """Downloads a package and unpacks its files: nothing is installed."""
        folder = to + ".deb"
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        try:
            try:
                self.run("apt-get", "-q", "download", package, cwd=folder)
            except Failed as error:
                raise Missing(f"{package} could not be fetched: {error}") from None
            for name in os.listdir(folder):
                run("dpkg-deb", "-x", os.path.join(folder, name), to)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def architecture():
    machine = os.uname().machine
    if machine != "x86_64":
        raise Missing(f"virtual machines are made for x86_64 only so far, this is {machine}")
    return "amd64"


# ---- Kernels ----------------------------------------------------------------------------------------

def suite_of(name):
    suite = name.partition(":")[2] or DEFAULT_SUITE
    if suite == "backports":
        suite = DEFAULT_SUITE + "-backports"
    if not re.fullmatch(r"[a-z]+(-[a-z]+)*", suite):
        raise Failed(f"'{suite}' is not the name of a suite")
    return suite


def packages_of_kernel(apt):
    """The kernel's packages (newer ones are split) and the version of the first."""
    todo, found, version = ["linux-image-" + architecture()], [], None
    while todo:
        package = todo.pop(0)
        this, depends = apt.show(package)
        if KERNEL_PACKAGE.match(package):
            found.append(package)
            version = version or this
        todo += [name for name in depends if KERNEL_PACKAGE.match(name) and name not in found + todo]
    if not found:
        raise Failed(f"linux-image-{architecture()} of {apt.suite} depends on no kernel")
    return found, version


def fetch(cache, name, folder):
    """A kernel as Debian ships it, into `folder`: vmlinuz, config, modules/lib/modules/VERSION."""
    suite = suite_of(name)
    apt = Apt(cache, suite)
    apt.update()
    packages, version = packages_of_kernel(apt)
    root = folder + ".root"
    shutil.rmtree(root, ignore_errors=True)
    os.makedirs(root)
    try:
        for package in packages:
            say(f"fetching {package} {version}")
            apt.unpack(package, root)
        take_kernel(root, folder)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return f"{packages[0]} {version}"


def gather_boot(root):
    """Newer packages have kernel and configuration beside the modules: to /boot, where older ones have them."""
    boot = os.path.join(root, "boot")
    for image in sorted(glob.glob(os.path.join(root, "usr/lib/modules/*/vmlinuz"))):
        version = os.path.basename(os.path.dirname(image))
        os.makedirs(boot, exist_ok=True)
        for name in ("vmlinuz", "config"):
            if os.path.exists(os.path.join(os.path.dirname(image), name)):
                shutil.move(os.path.join(os.path.dirname(image), name), os.path.join(boot, f"{name}-{version}"))
    return boot


def take_kernel(root, folder):
    boot = gather_boot(root)
    images = sorted(n for n in os.listdir(boot) if n.startswith("vmlinuz-")) if os.path.isdir(boot) else []
    if not images:
        raise Failed("the package has no kernel in it")
    version = images[-1][len("vmlinuz-"):]
    shutil.move(os.path.join(boot, images[-1]), os.path.join(folder, "vmlinuz"))
    config = os.path.join(boot, "config-" + version)
    if os.path.exists(config):
        shutil.move(config, os.path.join(folder, "config"))
    for place in ("usr/lib/modules", "lib/modules"):
        modules = os.path.join(root, place, version)
        if os.path.isdir(modules):
            os.makedirs(os.path.join(folder, "modules/lib/modules"))
            shutil.move(modules, os.path.join(folder, "modules/lib/modules", version))
            run("depmod", "-b", os.path.join(folder, "modules"), version)
            break
    with open(os.path.join(folder, "version"), "w", encoding="utf-8") as file:
        file.write(version)


BUILD_NEEDS = {"gcc": "gcc", "make": "make", "bc": "bc", "bison": "bison", "flex": "flex", "xz": "xz-utils", "patch": "patch",
               "perl": "perl", "depmod": "kmod"}
BUILD_ROOM = 5 << 30  # what source and objects of a kernel take, in bytes, with a reserve
SYSTEM_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"  # where depmod is, also for those who are not root


def need_room(folder, size):
    free = shutil.disk_usage(folder).free
    if free < size:
        raise Missing(f"building a kernel takes {size >> 30} GiB in {folder}, and {free / (1 << 30):.1f} GiB are free there: make "
                      "room, or name another folder in SMCLAB_CACHE")


def make_all(log, command, what):
    """Runs a long `make` and tells once a minute how far it is. Whoever is stopped takes the compilers along."""
    begin = told = time.monotonic()
    environment = dict(os.environ, KBUILD_BUILD_USER="smclab", KBUILD_BUILD_HOST="smclab", PATH=SYSTEM_PATH)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=environment)
    try:
        while process.poll() is None:
            time.sleep(0.2)
            if time.monotonic() - told > 60:
                told = time.monotonic()
                with open(log.name, encoding="utf-8", errors="replace") as file:
                    files = sum(line.startswith("  CC") for line in file)
                say(f"{files} files compiled in {told - begin:.0f} s")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
    if process.returncode != 0:
        with open(log.name, encoding="utf-8", errors="replace") as file:
            full = "No space left on device" in file.read()
        raise Failed(f"make {what} failed" + (": the disk is full" if full else ""))


def build(cache, name, folder, debug):
    """A kernel from Debian's source with our configuration and our patches."""
    missing = [package for program, package in BUILD_NEEDS.items() if shutil.which(program, path=SYSTEM_PATH) is None]
    missing += [package for header, package in (("libelf.h", "libelf-dev"), ("openssl/opensslv.h", "libssl-dev"))
                if not os.path.exists("/usr/include/" + header)]
    if missing:
        raise Missing("building a kernel needs: apt-get install " + " ".join(missing))
    apt = Apt(cache, suite_of(name))
    apt.update()
    sources = [n for n in apt.show("linux-source")[1] if re.match(r"^linux-source-[0-9]", n)]
    if not sources:
        raise Failed(f"linux-source of {apt.suite} depends on no source")
    version = apt.show(sources[0])[0]
    work = folder + ".build"
    shutil.rmtree(work, ignore_errors=True)
    need_room(cache, BUILD_ROOM)
    os.makedirs(work)
    try:
        say(f"fetching {sources[0]} {version}")
        apt.unpack(sources[0], work)
        patches = compile_kernel(work, sources[0], folder, debug)
    except BaseException:
        if os.path.exists(os.path.join(work, "build.log")):
            shutil.copy(os.path.join(work, "build.log"), folder + ".log")
            say(f"the compiler's words are in {folder}.log")
        raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return f"{sources[0]} {version}{patches}"


def compile_kernel(work, package, folder, debug):
    archive = os.path.join(work, "usr/src", package + ".tar.xz")
    say("unpacking the source")
    run("tar", "-C", work, "-xf", archive)
    os.unlink(archive)
    tree = os.path.join(work, package)
    out = os.path.join(work, "out")
    os.makedirs(out)
    patched = apply_patches(tree)
    with open(os.path.join(work, "build.log"), "w", encoding="utf-8") as log:
        def make(*what):
            make_all(log, ("make", "-C", tree, f"O={out}", *what), what[-1])
        make("tinyconfig")
        with open(os.path.join(out, ".config"), "a", encoding="utf-8") as config:
            for fragment in ["base.config"] + (["debug.config"] if debug else []):
                with open(os.path.join(HERE, "kernel-config", fragment), encoding="utf-8") as file:
                    config.write(file.read())
        make("olddefconfig")
        check_config(os.path.join(out, ".config"), debug)
        jobs = os.environ.get("SMCLAB_JOBS") or str(os.cpu_count() or 1)
        say(f"compiling the kernel with {jobs} jobs: this takes minutes")
        begin = time.monotonic()
        make("-j" + jobs, "bzImage", "modules")
        make("INSTALL_MOD_PATH=" + os.path.join(folder, "modules"), "modules_install")
        say(f"compiled in {time.monotonic() - begin:.0f} s")
    shutil.move(os.path.join(out, "arch/x86/boot/bzImage"), os.path.join(folder, "vmlinuz"))
    shutil.move(os.path.join(out, ".config"), os.path.join(folder, "config"))
    with open(os.path.join(out, "include/config/kernel.release"), encoding="utf-8") as file:
        release = file.read().strip()
    for link in ("build", "source"):
        place = os.path.join(folder, "modules/lib/modules", release, link)
        if os.path.islink(place):
            os.unlink(place)  # to the tree that goes away
    with open(os.path.join(folder, "version"), "w", encoding="utf-8") as file:
        file.write(release)
    with open(os.path.join(folder, "patched"), "w", encoding="utf-8") as file:
        file.write(" ".join(patched))
    return (" with " + ", ".join(patched)) if patched else ""


def apply_patches(tree):
    """Each patch of ours that fits this source. One whose name ends in .A.patch, .B.patch … is one of several for one thing: the
    first that fits is taken. Returns the names."""
    folder = os.path.join(HERE, "kernel-patches")
    done = []
    for name in sorted(os.listdir(folder)):
        thing = name.split(".")[0]
        if not name.endswith(".patch") or thing in done:
            continue
        path = os.path.join(folder, name)
        try:
            run("patch", "-p1", "--dry-run", "--force", "-i", path, cwd=tree)
        except Failed:
            continue
        run("patch", "-p1", "--force", "-i", path, cwd=tree)
        done.append(thing)
    every = {name.split(".")[0] for name in os.listdir(folder) if name.endswith(".patch")}
    if every - set(done):
        say("these patches do not fit this source: " + ", ".join(sorted(every - set(done))))
    return done


def check_config(path, debug):
    """What nobody may lose silently by a renamed option."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    needed = ["SMC", "SMC_DIAG", "RDMA_RXE", "VIRTIO_NET", "VIRTIO_CONSOLE", "SERIAL_8250_CONSOLE"]
    needed += ["KASAN", "DEBUG_KMEMLEAK", "PROVE_LOCKING"] if debug else []
    lost = [option for option in needed if f"CONFIG_{option}=y\n" not in text and f"CONFIG_{option}=m\n" not in text]
    if lost:
        raise Failed("this source does not take the options " + " ".join(lost))
    if "CONFIG_SMC_LO=y\n" not in text and "CONFIG_DIBS_LO=y\n" not in text:
        raise Failed("this source has neither SMC_LO nor DIBS_LO")


def kernel(cache, name, debug, refresh):
    """The folder of a kernel in the cache; makes it if it is not there."""
    kind = name.partition(":")[0]
    if kind not in ("debian", "build"):
        raise Failed(f"there is no kernel '{name}': debian, debian:SUITE or build:SUITE")
    if debug and kind != "build":
        raise Failed("only a kernel that is built (build:SUITE) can be one for debugging")
    suite_of(name)
    plain = kind + "-" + suite_of(name) + ("-debug" if debug else "")
    final = os.path.join(cache, "kernel", plain)
    if os.path.exists(os.path.join(final, "info.json")) and not refresh:
        return final
    os.makedirs(os.path.dirname(final), exist_ok=True)
    with open(final + ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one makes it, others wait for it
        if refresh or not os.path.exists(os.path.join(final, "info.json")):
            make_kernel(cache, name, debug, final)
    return final


def make_kernel(cache, name, debug, final):
    work = final + ".new"
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    try:
        package = build(cache, name, work, debug) if name.startswith("build") else fetch(cache, name, work)
        with open(os.path.join(work, "version"), encoding="utf-8") as file:
            version = file.read()
        with open(os.path.join(work, "info.json"), "w", encoding="utf-8") as file:
            json.dump({"version": version, "package": package, "name": name}, file)
        shutil.rmtree(final, ignore_errors=True)
        os.rename(work, final)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    say(f"{package} is in the cache")


# ---- The initramfs ----------------------------------------------------------------------------------

class Cpio:
    """A cpio archive in the `newc` form, as Documentation/driver-api/early-userspace/buffer-format.rst of Linux says."""

    def __init__(self, file):
        self.file = file
        self.number = 0
        self.known = set()

    def entry(self, name, mode, data=b"", device=(0, 0)):
        name = name.strip("/")
        parent = os.path.dirname(name)
        if parent and parent not in self.known:
            self.entry(parent, stat.S_IFDIR | 0o755)
        if name in self.known:
            return
        self.known.add(name)
        self.number += 1
        self.write(name, mode, data, device)

    def write(self, name, mode, data, device):
        raw = name.encode() + b"\0"
        fields = (self.number, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(raw), 0)
        head = b"070701" + b"".join(b"%08x" % value for value in fields) + raw
        self.file.write(head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4))

    def end(self):
        self.write("TRAILER!!!", 0, b"", (0, 0))


def read(path):
    with open(path, "rb") as file:
        return file.read()


def module_bytes(path):
    data = read(path)
    if path.endswith(".xz"):
        return lzma.decompress(data)
    if path.endswith(".gz"):
        return gzip.decompress(data)
    if path.endswith(".zst"):
        return subprocess.run(("zstd", "-dcq", path), check=True, capture_output=True).stdout
    return data


def module_files(folder, version, name):
    """The files that make up a module, in loading order; [] if it is built in; None if there is none."""
    modules = os.path.join(folder, "modules")
    if not os.path.isdir(modules):
        return []
    try:
        text = run("modprobe", "-d", modules, "-S", version, "-C", "/dev/null", "--show-depends", name)
    except Failed:
        return None
    files = []
    for line in text.split("\n"):
        match = re.match(r"insmod (\S+)", line)
        if match and match.group(1) not in files:
            files.append(match.group(1))
    return files


def plain_module_name(path):
    return re.sub(r"\.(xz|gz|zst)$", "", os.path.basename(path))


def add_modules(cpio, folder, version, wanted):
    index = ""
    for word in wanted:
        when = "-" if word.startswith("-") else "+"
        name = word.lstrip("-").rstrip("?")
        files = module_files(folder, version, name)
        if files is None and not word.endswith("?"):
            raise Missing(f"this kernel ({version}) has no module {name}")
        for path in files or []:
            cpio.entry("modules/" + plain_module_name(path), stat.S_IFREG | 0o644, module_bytes(path))
        if files is not None:
            index += " ".join([when, name] + [plain_module_name(path) for path in files]) + "\n"
    cpio.entry("modules/index", stat.S_IFREG | 0o644, index.encode())


def is_dynamic(path):
    with open(path, "rb") as file:
        if file.read(4) != b"\x7fELF":
            return False
    done = subprocess.run(("ldd", path), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return done.returncode == 0 and "statically linked" not in done.stdout


def libraries(path):
    for line in run("ldd", path).split("\n"):
        match = re.search(r"(?:=> )?(/\S+) \(0x", line)
        if match:
            yield match.group(1)
        elif "not found" in line:
            raise Missing(f"{path} needs a library that is not here: {line.strip()}")


def add_file(cpio, source, to):
    if os.path.isdir(source):
        for name in sorted(os.listdir(source)):
            add_file(cpio, os.path.join(source, name), to + "/" + name)
        return
    mode = 0o755 if os.access(source, os.X_OK) else 0o644
    cpio.entry(to, stat.S_IFREG | mode, read(source))
    if is_dynamic(source):
        for library in libraries(source):
            add_file(cpio, os.path.realpath(library), library)


def fingerprint(folder, init, modules, files):
    """Names an initramfs by everything that goes into it."""
    total = hashlib.sha256(read(os.path.join(folder, "info.json")))
    total.update(read(os.path.abspath(__file__)))
    total.update(json.dumps([modules, [pair[1] for pair in files]]).encode())
    for path in [init] + [pair[0] for pair in files]:
        for name in sorted(tree_files(path)):
            total.update(name.encode() + b"\0" + hashlib.sha256(read(name)).digest())
    return total.hexdigest()[:24]


def tree_files(path):
    if os.path.isdir(path):
        for folder, _, names in os.walk(path):
            yield from (os.path.join(folder, name) for name in names)
    else:
        yield path


def initramfs(cache, folder, version, init, modules, files):
    for path in [init] + [pair[0] for pair in files]:
        if not os.path.exists(path):
            raise Failed(f"there is no file {path}")
    place = os.path.join(cache, "initrd")
    os.makedirs(place, exist_ok=True)
    final = os.path.join(place, fingerprint(folder, init, modules, files) + ".cpio")
    if os.path.exists(final):
        os.utime(final)
        return final
    new = f"{final}.{os.getpid()}"
    with open(new, "wb") as file:
        cpio = Cpio(file)
        for name in ("proc", "sys", "dev", "run", "tmp", "etc", "var"):
            cpio.entry(name, stat.S_IFDIR | 0o755)
        cpio.entry("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
        add_file(cpio, init, "init")
        for source, to in files:
            add_file(cpio, source, to)
        add_modules(cpio, folder, version, modules)
        cpio.end()
    os.rename(new, final)
    forget_old(place)
    return final


def forget_old(place):
    every = sorted((os.path.join(place, name) for name in os.listdir(place)), key=os.path.getmtime, reverse=True)
    for path in every[KEEP_INITRDS:]:
        if time.time() - os.path.getmtime(path) > 3600:  # a machine that boots from it has read it by now
            os.unlink(path)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.replace("SPDX-License-Identifier: BSD-3-Clause\n\n", ""),
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kernel", default="debian")
    for flag in ("--debug", "--refresh", "--quiet"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("--init")
    parser.add_argument("--module", action="append", default=[])
    parser.add_argument("--file", action="append", default=[])
    args = parser.parse_args()
    pairs = [item.partition("=")[::2] for item in args.file]
    if any(not to.startswith("/") for _, to in pairs):
        parser.error("a file is given as SOURCE=/DEST")
    args.files = pairs
    return args


def work(args):
    cache = cache_folder()
    folder = kernel(cache, args.kernel, args.debug, args.refresh)
    with open(os.path.join(folder, "info.json"), encoding="utf-8") as file:
        info = json.load(file)
    print("kernel=" + os.path.join(folder, "vmlinuz"))
    print("version=" + info["version"])
    print("package=" + info["package"])
    if args.init:
        print("initrd=" + initramfs(cache, folder, info["version"], args.init, args.module, args.files))


def main():
    global quiet
    args = arguments()
    quiet = args.quiet
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what is half done is removed
    try:
        work(args)
    except Missing as error:
        print(error, file=sys.stderr)
        sys.exit(77)
    except (Failed, OSError, lzma.LZMAError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
