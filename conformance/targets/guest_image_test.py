"""Images of virtual machines, without a network: apt sources of many kinds, the archive format, what the cache does.
SPDX-License-Identifier: BSD-3-Clause"""
import importlib.util
import io
import json
import os
import stat
import subprocess
import sys
import tempfile
import time
import unittest
import unittest.mock

SCRIPT = os.path.join(os.environ["SMCLAB_SOURCE_DIR"], "conformance/targets/guest_image.py")
spec = importlib.util.spec_from_file_location("guest_image", SCRIPT)
image = importlib.util.module_from_spec(spec)
spec.loader.exec_module(image)

DEB822 = """\
# a comment
Types: deb deb-src
URIs: http://one.example/debian
  http://two.example/debian
Suites: bookworm bookworm-updates
# another
Components: main
Signed-By: /keys/one.gpg

Types: deb-src
URIs: http://source.example/debian
Suites: bookworm

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm

Types: deb
URIs: http://block.example/security
Suites: bookworm-security
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
"""
ONE_LINE = """\
# deb http://comment.example/debian bookworm main
deb [arch=amd64 signed-by=/keys/x.gpg] http://line.example/debian bookworm main contrib
deb-src http://line.example/debian bookworm main
deb http://vendor.example/apt cloud-sdk main
  deb http://plain.example/debian bookworm-security main
"""


def entries(data):
    """(name, mode, device, bytes) of a newc archive, checked as the format says."""
    at = 0
    while True:
        head = data[at:at + 110]
        assert head[:6] == b"070701", head
        field = [int(head[6 + 8 * i:14 + 8 * i], 16) for i in range(13)]
        name = data[at + 110:at + 110 + field[11]]
        assert name.endswith(b"\0") and b"\0" not in name[:-1]
        start = at + 110 + field[11]
        start += -start % 4
        body = data[start:start + field[6]]
        assert len(body) == field[6]
        at = start + field[6]
        at += -at % 4
        if name == b"TRAILER!!!\0":
            assert at == len(data)
            return
        yield name[:-1].decode(), field[1], (field[9], field[10]), body


class Sources(unittest.TestCase):
    def with_sources(self, found, codename="bookworm"):
        self.addCleanup(setattr, image, "machine_sources", image.machine_sources)
        self.addCleanup(setattr, image, "own_codename", image.own_codename)
        image.machine_sources = lambda: iter(found)
        image.own_codename = lambda: codename

    def test_stanzas_are_read_as_apt_reads_them(self):
        self.assertEqual(list(image.parse_deb822(DEB822)), [
            (["http://one.example/debian", "http://two.example/debian"], ["bookworm", "bookworm-updates"], "/keys/one.gpg"),
            (["http://block.example/security"], ["bookworm-security"], "")])

    def test_lines_are_read_as_apt_reads_them(self):
        self.assertEqual(list(image.parse_one_line(ONE_LINE)), [
            (["http://line.example/debian"], ["bookworm"], "/keys/x.gpg"), (["http://vendor.example/apt"], ["cloud-sdk"], ""),
            (["http://plain.example/debian"], ["bookworm-security"], "")])

    def test_only_the_name_of_the_suite_is_replaced(self):
        self.with_sources(list(image.parse_deb822(DEB822)) + list(image.parse_one_line(ONE_LINE)))
        text = image.sources_text("trixie")
        found = [tuple(line.split(": ", 1)[1] for line in block.split("\n")[1:3]) for block in text.strip().split("\n\n")]
        plain = ["http://one.example/debian", "http://two.example/debian", "http://line.example/debian"]
        self.assertEqual(found, [(uri, "trixie") for uri in plain] + [(uri, "trixie-updates") for uri in plain] +
                         [("http://block.example/security", "trixie-security"), ("http://plain.example/debian", "trixie-security")])
        self.assertIn("Signed-By: /keys/one.gpg", text)
        self.assertIn("Signed-By: " + image.KEYRING, text)
        self.assertNotIn("vendor", text)

    def test_backports_have_no_updates(self):
        self.with_sources([(["http://a.example/debian"], ["bookworm"], "")])
        self.assertEqual(image.sources_text("trixie-backports").count("Types:"), 1)

    def test_a_machine_without_an_archive_is_told_so(self):
        self.with_sources([(["http://vendor.example/apt"], ["stuff"], "")])
        with self.assertRaisesRegex(image.Missing, "no apt source"):
            image.sources_text("trixie")

    def test_names_of_suites_are_names(self):
        self.assertEqual(image.suite_of("debian"), "trixie")
        self.assertEqual(image.suite_of("build:backports"), "trixie-backports")
        for name in ("debian:../x", "debian:a b", "build:;x", "debian:-x", "debian:X\nURIs: y"):
            with self.assertRaises(image.Failed, msg=name):
                image.suite_of(name)


class Archive(unittest.TestCase):
    def test_the_archive_is_what_the_format_says(self):
        file = io.BytesIO()
        cpio = image.Cpio(file)
        cpio.entry("/a/b/c", stat.S_IFREG | 0o755, b"12345")
        cpio.entry("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
        cpio.entry("a/b/c", stat.S_IFREG | 0o644, b"second")
        cpio.end()
        found = list(entries(file.getvalue()))
        self.assertEqual([e[0] for e in found], ["a", "a/b", "a/b/c", "dev", "dev/console"])
        self.assertEqual(found[2][1:], (stat.S_IFREG | 0o755, (0, 0), b"12345"))
        self.assertEqual(found[4][2], (5, 1))


class Package(unittest.TestCase):
    def test_a_kernel_is_found_in_boot_and_beside_its_modules(self):
        for place, separator in (("boot", "-"), ("usr/lib/modules/7.2-x", "/")):
            with tempfile.TemporaryDirectory() as root, tempfile.TemporaryDirectory() as folder:
                os.makedirs(os.path.join(root, place))
                for name in ("vmlinuz", "config"):
                    path = os.path.join(root, place, name + ("-7.2-x" if separator == "-" else ""))
                    with open(path, "w", encoding="utf-8") as file:
                        file.write(name)
                with unittest.mock.patch.object(image, "run"):  # depmod
                    image.take_kernel(root, folder)
                for name, text in (("vmlinuz", "vmlinuz"), ("config", "config"), ("version", "7.2-x")):
                    with open(os.path.join(folder, name), encoding="utf-8") as file:
                        self.assertEqual(file.read(), text)


class Cache(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        kernel = os.path.join(self.folder.name, "kernel/build-trixie")  # one without modules
        os.makedirs(kernel)
        for name, text in (("vmlinuz", "x"), ("info.json", json.dumps({"version": "6.0", "package": "p 1"}))):
            with open(os.path.join(kernel, name), "w", encoding="utf-8") as file:
                file.write(text)

    def run_script(self, *words):
        done = subprocess.run((sys.executable, "-B", SCRIPT, *words), capture_output=True, text=True, check=False,
                              env=dict(os.environ, SMCLAB_CACHE=self.folder.name))
        return done.returncode, dict(line.split("=", 1) for line in done.stdout.splitlines()), done.stderr

    def test_an_image_is_made_once_and_again_when_something_changed(self):
        extra = os.path.join(self.folder.name, "extra")
        with open(extra, "w", encoding="utf-8") as file:
            file.write("one")
        words = ("--kernel", "build:trixie", "--init", SCRIPT, "--module", "smc", "--module=-veth?", "--file", extra + "=/etc/extra")
        status, first, _ = self.run_script(*words)
        self.assertEqual((status, first["version"], first["package"]), (0, "6.0", "p 1"))
        with open(first["initrd"], "rb") as file:
            found = {e[0]: e[3] for e in entries(file.read())}
        self.assertEqual(found["etc/extra"], b"one")
        self.assertEqual(found["modules/index"], b"+ smc\n- veth\n")
        self.assertTrue(found["init"].startswith(b'"""'))
        self.assertEqual(self.run_script(*words)[1], first)
        with open(extra, "w", encoding="utf-8") as file:
            file.write("two")
        self.assertNotEqual(self.run_script(*words)[1]["initrd"], first["initrd"])

    def test_a_dynamic_program_brings_its_libraries(self):
        status, made, error = self.run_script("--kernel", "build:trixie", "--init", sys.executable)
        self.assertEqual(status, 0, error)
        with open(made["initrd"], "rb") as file:
            names = [e[0] for e in entries(file.read())]
        self.assertTrue(any("libc.so" in name for name in names) and any("ld-linux" in name for name in names), names)

    def test_what_is_wrong_is_one_sentence(self):
        for words, status, text in ((("--kernel", "windows"), 1, "no kernel 'windows'"), (("--debug",), 1, "only a kernel that is built"),
                                    (("--kernel", "build:trixie", "--init", "/no/such"), 1, "there is no file /no/such"),
                                    (("--file", "x"), 2, "SOURCE=/DEST")):
            got, _, error = self.run_script(*words)
            self.assertEqual(got, status, error)
            self.assertIn(text, error.strip().split("\n")[-1])


class Build(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def make(self, script):
        with open(os.path.join(self.folder.name, "log"), "w", encoding="utf-8") as log:
            image.make_all(log, ("sh", "-c", script), "bzImage")

    def test_who_fails_says_what_and_whether_the_disk_is_full(self):
        self.make("true")
        with self.assertRaisesRegex(image.Failed, "make bzImage failed$"):
            self.make("false")
        with self.assertRaisesRegex(image.Failed, "the disk is full"):
            self.make("echo 'cannot write x.o: No space left on device' >&2; exit 2")

    def test_progress_is_told(self):
        said = []
        clock = iter(range(0, 10**6, 61))
        with unittest.mock.patch.object(image, "say", said.append), unittest.mock.patch.object(image.time, "monotonic", lambda: next(clock)):
            self.make("echo '  CC      a.o'; echo '  CC [M]  b.o'; echo '  LD      c.o'; sleep 0.5")
        self.assertRegex(said[-1], "^2 files compiled in [0-9]+ s$")

    def test_whoever_is_stopped_takes_the_compilers_along(self):
        pid = os.path.join(self.folder.name, "pid")
        really_sleep = time.sleep

        def until_it_runs(seconds):
            if os.path.exists(pid):
                raise KeyboardInterrupt
            really_sleep(seconds)
        with unittest.mock.patch.object(image.time, "sleep", until_it_runs):
            with self.assertRaises(KeyboardInterrupt):
                self.make(f"sleep 1000 & echo $! > {pid}.new; mv {pid}.new {pid}; wait")
        for _ in range(500):  # a process that is nobody's child is collected in its own time
            with open(pid, encoding="utf-8") as file:
                state = subprocess.run(("ps", "-o", "stat=", "-p", file.read().strip()), capture_output=True, text=True, check=False).stdout
            if state.strip() in ("", "Z"):
                return
            time.sleep(0.01)
        self.fail("a compiler goes on")

    def test_too_little_room_is_told_before_anything_is_fetched(self):
        with self.assertRaisesRegex(image.Missing, "8388608 GiB .* SMCLAB_CACHE"):
            image.need_room(self.folder.name, 1 << 53)
        image.need_room(self.folder.name, 1)

    def test_the_first_patch_that_fits_is_taken(self):
        tree, patches = (os.path.join(self.folder.name, name) for name in ("tree", "kernel-patches"))
        os.mkdir(tree)
        os.mkdir(patches)
        with open(os.path.join(tree, "file"), "w", encoding="utf-8") as file:
            file.write("two\n")
        for name, line in (("a.A.patch", "one"), ("a.B.patch", "two"), ("a.C.patch", "three"), ("other.patch", "four")):
            with open(os.path.join(patches, name), "w", encoding="utf-8") as file:
                file.write(f"--- a/file\n+++ b/file\n@@ -1 +1 @@\n-{line}\n+{line} patched\n")
        with unittest.mock.patch.object(image, "HERE", self.folder.name), unittest.mock.patch.object(image, "say") as say:
            self.assertEqual(image.apply_patches(tree), ["a"])
        say.assert_called_once_with("these patches do not fit this source: other")
        with open(os.path.join(tree, "file"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "two patched\n")


if __name__ == "__main__":
    unittest.main(verbosity=1)
