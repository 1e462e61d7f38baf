"""The command smclab experiment: tables, statistics, figures; what interruptions, other people's files and full disks do to it.
SPDX-License-Identifier: BSD-3-Clause"""
import fcntl
import json
import math
import os
import pty
import re
import resource
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
import unittest

SMCLAB = os.environ["SMCLAB"]
SMALL = """
scenario { title = "A small experiment", source = "test" }
experiment {
    parameters = { path = { "TCP", "SMC-R" }, bytes = { 100, 2000 } },
    quick = { path = { "TCP", "SMC-R" } },
    repetitions = 4,
    measures = { "latency", "rate" },
    plots = { { x = "bytes", y = "latency", by = "path", log = "x" }, { x = "path", y = "rate", by = "bytes", title = "it's a 'rate'" } },
}
host "a" { address = "10.0.0.1/24", cpu = costs(10) }
host "b" { address = "10.0.0.2/24", cpu = costs(10) }
link(a, b)
local c, s = connect(a, b, 5000, { tcp_only = parameter.path == "TCP", nodelay = true })
expect(c.mode, parameter.path)
local r = calls { from = c, to = s, request = parameter.bytes, count = 50 }
measure("latency", r.mean / 1000, "us")
measure("rate", r.calls * 1e9 / r.time, "calls/s")
"""
# A body of its own behind a declaration; `parameter.n` from 1 to 6.
TEMPLATE = """scenario {{ title = "t", source = "test" }}
experiment {{ parameters = {{ n = {{ 1, 2, 3, 4, 5, 6 }} }}, repetitions = 2, measures = {{ "value" }},
    plots = {{ {{ x = "n", y = "value" }} }} }}
{body}
"""


def rows(path):
    with open(path, encoding="utf-8") as file:
        return [line for line in file.read().split("\n") if line and not line.startswith("#")]


def comments(path):
    with open(path, encoding="utf-8") as file:
        return dict(line[2:].rstrip("\n").split(": ", 1) for line in file if line.startswith("# ") and ": " in line)


class Experiment(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.file = self.write("small.lua", SMALL)
        self.out = os.path.join(self.folder, "out")
        self.csv = os.path.join(self.out, "small.csv")

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def experiment(self, *arguments, status=0, file=None, out=None, **more):
        done = subprocess.run([SMCLAB, "experiment", "--out", out or self.out, *arguments, file or self.file], capture_output=True,
                              text=True, timeout=250, check=False, **more)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def body(self, text, **more):
        return self.experiment("--no-plots", file=self.write("body.lua", TEMPLATE.format(body=text)), **more)

    # ---- what comes out ----
    def test_tables_and_figures_are_complete_and_say_where_they_come_from(self):
        done = self.experiment("-j", "2")
        self.assertIn("4 points, 16 of 16 runs", done.stdout)
        said = comments(self.csv)
        for key in ("title", "experiment", "sha256", "engine", "sweep", "commit", "build", "machine", "seeds", "command", "units"):
            self.assertTrue(said[key].strip(), key)
        self.assertEqual((said["engine"], said["seeds"], said["sweep"]), ("sim", "1..4", "full"))
        self.assertEqual(said["command"], f"smclab experiment {self.file}")
        table = rows(self.csv)
        self.assertEqual(table[0], "bytes,path,seed,latency,rate")
        wanted = [(b, p, str(s)) for b in ("100", "2000") for p in ("TCP", "SMC-R") for s in (1, 2, 3, 4)]
        self.assertEqual([tuple(row.split(",")[:3]) for row in table[1:]], wanted)
        self.assertEqual(comments(os.path.join(self.out, "small.summary.csv"))["commit"], said["commit"])
        for i in (1, 2):
            with open(os.path.join(self.out, f"small-{i}.svg"), encoding="utf-8") as file:
                figure = file.read()
            for text in (said["command"], said["commit"], said["machine"], "seeds 1..4", "engine sim"):
                self.assertIn(text, figure)
            with open(os.path.join(self.out, f"small-{i}.png"), "rb") as file:
                self.assertEqual(file.read(8), b"\x89PNG\r\n\x1a\n")

    def test_the_summary_is_what_the_rows_say(self):
        self.experiment("--no-plots")
        t = 3.182446305  # Student's, 95 %, 3 degrees of freedom
        table = [row.split(",") for row in rows(self.csv)[1:]]
        for line in rows(os.path.join(self.out, "small.summary.csv"))[1:]:
            size, path, runs, *numbers = line.split(",")
            for column in (0, 1):
                values = [float(r[3 + column]) for r in table if r[:2] == [size, path]]
                mean, deviation, interval = map(float, numbers[3 * column:3 * column + 3])
                self.assertEqual(int(runs), len(values))
                self.assertGreater(deviation, 0)  # costs were drawn
                self.assertTrue(math.isclose(mean, statistics.mean(values), rel_tol=1e-9))
                self.assertTrue(math.isclose(deviation, statistics.stdev(values), rel_tol=1e-5))
                self.assertTrue(math.isclose(interval, t * statistics.stdev(values) / 2, rel_tol=1e-5))

    def test_json_and_csv_on_standard_output(self):
        all_points = json.loads(self.experiment("--no-plots", "--format", "json").stdout)
        self.assertEqual(len(all_points["points"]), 4)
        point = all_points["points"][0]
        self.assertEqual(point["parameters"], {"bytes": "100", "path": "TCP"})
        self.assertEqual((point["runs"], point["measures"]["latency"]["unit"]), (4, "us"))
        done = self.experiment("--no-plots", "--format", "csv")
        self.assertEqual(done.stdout.split("\n")[0], "bytes,path,runs,latency,latency_deviation,latency_ci95,rate,rate_deviation,rate_ci95")

    def test_same_file_and_seeds_give_the_same_rows_whatever_the_jobs(self):
        self.experiment("--no-plots", "-j", "1")
        first = rows(self.csv)
        self.experiment("--no-plots", "-j", "5", out=self.out + "2")
        self.assertEqual(first, rows(os.path.join(self.out + "2", "small.csv")))
        self.experiment("--no-plots", "--seed", "5", "--fresh")
        self.assertNotEqual([r.split(",")[3:] for r in first], [r.split(",")[3:] for r in rows(self.csv)])

    def test_quick_runs_the_reduced_sweep_once(self):
        done = self.experiment("--quick", "--no-plots")
        self.assertIn("2 points, 2 of 2 runs", done.stdout)
        self.assertEqual([r.split(",")[:3] for r in rows(self.csv)[1:]], [["100", "TCP", "1"], ["100", "SMC-R", "1"]])
        self.assertEqual(comments(self.csv)["command"], f"smclab experiment --quick {self.file}")
        self.assertTrue(rows(os.path.join(self.out, "small.summary.csv"))[1].endswith(",,"))  # one run: no interval

    def test_a_terminal_is_shown_how_far_it_is(self):
        master, slave = pty.openpty()
        run = subprocess.Popen([SMCLAB, "experiment", "--no-plots", "-j", "1", "--out", self.out, self.file], stdout=subprocess.DEVNULL,
                               stderr=slave)
        os.close(slave)
        shown = b""
        try:
            while piece := os.read(master, 4096):
                shown += piece
        except OSError: # the other end is closed
            pass
        os.close(master)
        self.assertEqual(run.wait(100), 0)
        self.assertRegex(shown, rb"\[#{12}\.{12}\] 8/16  \d+:\d\d left  bytes=")
        self.assertRegex(shown, rb"\[#{24}\] 16/16 ")

    def test_messages_cannot_be_asked_for_in_a_sweep(self):
        self.assertIn("a sweep keeps no messages", self.body("messages() measure('value', 1)", status=3).stderr)

    def test_without_gnuplot_the_tables_are_there_and_it_says_so(self):
        done = self.experiment(status=77, env={**os.environ, "PATH": self.folder})
        self.assertIn("gnuplot", done.stderr)
        self.assertIn("16 of 16 runs", done.stdout)
        self.assertEqual(len(rows(self.csv)), 17)
        self.assertTrue(os.path.exists(os.path.join(self.out, "small-1.gp")))
        self.assertFalse(os.path.exists(os.path.join(self.out, "small-1.svg")))

    # ---- going on ----
    def test_what_is_there_is_not_run_again(self):
        self.experiment("--no-plots")
        whole = rows(self.csv)
        with open(self.csv, encoding="utf-8") as file:
            lines = file.read().split("\n")
        del lines[-4], lines[-8]
        torn = "\n".join(lines)[:-9]  # and the last line has no end
        with open(self.csv, "w", encoding="utf-8") as file:
            file.write(torn)
        done = self.experiment("--no-plots")
        self.assertIn("16 of 16 runs (13 were there before)", done.stdout)
        self.assertEqual(rows(self.csv), whole)
        self.assertIn("(16 were there before)", self.experiment("--no-plots", "--resume").stdout)
        self.assertIn("(0 were there before)", self.experiment("--no-plots", "--fresh").stdout)

    def test_a_file_cut_at_any_byte_can_be_gone_on_with(self):
        self.experiment("--no-plots")
        whole = rows(self.csv)
        with open(self.csv, "rb") as file:
            everything = file.read()
        for cut in range(0, len(everything), 61):
            with open(self.csv, "wb") as file:
                file.write(everything[:cut])
            self.experiment("--no-plots")
            self.assertEqual(rows(self.csv), whole, cut)

    SLOW = """host "a" { address = "10.0.0.1/24" }
host "b" { address = "10.0.0.2/24" }
link(a, b)
local c, s = connect(a, b)
for i = 1, 40 do transfer { from = c, to = s, bytes = "1 MiB" } end
measure("value", now() + parameter.n)"""

    def test_an_interruption_keeps_what_was_measured(self):
        path = self.write("slow.lua", TEMPLATE.format(body=self.SLOW))
        table = os.path.join(self.out, "slow.csv")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            shutil.rmtree(self.out, ignore_errors=True)
            run = subprocess.Popen([SMCLAB, "experiment", "-j", "1", "--no-plots", "--fresh", "--out", self.out, path],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            deadline = time.monotonic() + 100
            while time.monotonic() < deadline and not (os.path.exists(table) and len(rows(table)) >= 3):
                time.sleep(0.01)
            run.send_signal(number)
            _, stderr = run.communicate(timeout=100)
            before = len(rows(table)) - 1
            self.assertTrue(2 <= before < 12, f"{before} rows at signal {number}")
            if number != signal.SIGKILL:
                self.assertEqual(run.returncode, 3, stderr)
                self.assertRegex(stderr, r"interrupted; \d+ of 12 runs are in .*slow.csv: the same command goes on")
            done = self.experiment("--no-plots", file=path)
            self.assertRegex(done.stdout, r"12 of 12 runs \((%d|%d) were there before\)" % (before, before + 1))

    def test_two_at_once_do_not_share_a_table(self):
        self.experiment("--no-plots")
        with open(self.csv, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            done = self.experiment("--no-plots", "--fresh", status=3)
        self.assertIn("another smclab experiment is at work on it", done.stderr)
        self.assertEqual(len(rows(self.csv)), 17)

    # ---- other people's files ----
    def refused(self, change, why):
        with open(self.csv, "rb") as file:
            good = file.read()
        bad = change(good)
        self.assertNotEqual(good, bad)
        with open(self.csv, "wb") as file:
            file.write(bad)
        done = self.experiment("--no-plots", status=3)
        self.assertRegex(done.stderr, why)
        with open(self.csv, "rb") as file:
            self.assertEqual(file.read(), bad, "it was changed")
        with open(self.csv, "wb") as file:
            file.write(good)

    def test_a_table_that_is_not_ours_is_refused_and_left_alone(self):
        self.experiment("--no-plots")
        last = re.compile(rb"(2000,SMC-R,4),([^,\n]*),([^,\n]*)\n$")
        cases = [
            (lambda b: b"a,b\n1,2\n", "line 1: not a table of smclab experiment"),
            (lambda b: b"\0" * 100 + b"\n", "line 1: a zero byte"),
            (lambda b: b.replace(b"# sha256: ", b"# sha256: 0"), "was made with sha256"),
            (lambda b: re.sub(rb"# commit: .*", b"# commit: another", b), "was made with commit \"another\", this would be"),
            (lambda b: b.replace(b"# engine: sim", b"# engine: ns3"), "was made with engine"),
            (lambda b: b.replace(b"bytes,path,seed", b"path,bytes,seed"), "other columns"),
            (lambda b: b.replace(b"# units: latency=us", b"# units: delay=us"), "other measures"),
            (lambda b: re.sub(rb"# units: .*\n", b"", b), "results before their units"),
            (lambda b: last.sub(rb"\1,\2\n", b), "too few fields"),
            (lambda b: last.sub(rb"\1,\2,\3,1\n", b), "too many fields"),
            (lambda b: last.sub(rb"\1,nan,\3\n", b), "no number"),
            (lambda b: last.sub(rb"\1,1e999,\3\n", b), "no number"),
            (lambda b: last.sub(rb"\1,,\3\n", b), "no number"),
            (lambda b: last.sub(rb"2000,SMC-R,5,\2,\3\n", b), "a seed that this sweep does not have"),
            (lambda b: last.sub(rb"2000,SMC-R,99999999999999999999,\2,\3\n", b), "the seed is no number"),
            (lambda b: last.sub(rb"2000,SMC-R,-4,\2,\3\n", b), "the seed is no number"),
            (lambda b: last.sub(rb"3000,SMC-R,4,\2,\3\n", b), "a value that the experiment's parameters do not have"),
            (lambda b: last.sub(rb"2000\n", b), "a value that the experiment's parameters do not have"),
            (lambda b: last.sub(rb"\n", b), "a value that the experiment's parameters do not have"),
            (lambda b: last.sub(rb"2000,SMC-R,3,\2,\3\n", b), "a run that was there before"),
            (lambda b: b + b"# a comment\n", "a value that the experiment's parameters do not have"),
        ]
        for change, why in cases:
            with self.subTest(why):
                self.refused(change, why)

    def test_another_file_of_the_same_name_does_not_mix_with_it(self):
        self.experiment("--no-plots")
        self.write("small.lua", SMALL.replace("count = 50", "count = 51"))
        self.assertIn("was made with sha256", self.experiment("--no-plots", status=3).stderr)
        self.assertIn("was made with sweep", self.experiment_quick_refused().stderr)

    def experiment_quick_refused(self):
        self.write("small.lua", SMALL)
        return self.experiment("--no-plots", "--quick", status=3)

    # ---- what cannot be read or written ----
    def test_places_that_cannot_be_written_are_named(self):
        self.assertIn("small.lua", self.experiment(out=self.file, status=3).stderr)
        os.makedirs(self.csv)
        self.assertRegex(self.experiment("--no-plots", status=3).stderr, "small.csv: Is a directory")
        os.rmdir(self.csv)
        os.symlink("/dev/null", self.csv)
        self.assertIn("not a file", self.experiment("--no-plots", status=3).stderr)
        if os.geteuid() != 0:  # root may write everywhere
            locked = os.path.join(self.folder, "locked")
            os.mkdir(locked, 0o500)
            self.assertIn("Permission denied", self.experiment(out=locked, status=3).stderr)

    def test_a_full_disk_keeps_what_was_measured(self):
        def limited():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (900, 900))

        done = self.experiment("--no-plots", "-j", "1", status=3, preexec_fn=limited)
        self.assertRegex(done.stderr, "small.csv: File too large; what was measured before is kept")
        kept = len(rows(self.csv)) - 1
        self.assertTrue(0 < kept < 16, kept)
        done = self.experiment("--no-plots")
        self.assertIn(f"16 of 16 runs ({kept} were there before)", done.stdout)

    # ---- experiment files that are wrong ----
    def test_a_failed_expectation_fails_and_the_other_points_stay(self):
        done = self.body("expect_true(parameter.n ~= 4, 'four is wrong')\nmeasure('value', parameter.n, 'u')", status=1)
        self.assertIn("n=4 seed=1: ", done.stderr)
        self.assertIn("four is wrong", done.stderr)
        self.assertIn("10 of 12 runs", done.stdout)
        self.assertEqual(rows(os.path.join(self.out, "body.summary.csv"))[4], "4,0,,,")

    def test_measures_must_be_those_that_were_declared(self):
        for body, why in (("", "did not tell the measure value"), ("measure('other', 1)", "did not tell the measure value"),
                          ("measure('value', 1) measure('more', 1)", "told 2 measures"), ("measure('value', 1 / 0)", "is not finite"),
                          ("measure('value', 1, parameter.n == 1 and 'a' or 'b')", "in a before and is in b now|in b before and is in a now"),
                          ("measure('value', parameter.m)", "no parameter m"), ("measure('value', 1) measure('value', 2)", "told already")):
            with self.subTest(why):
                shutil.rmtree(self.out, ignore_errors=True)
                self.assertRegex(self.body(body, status=3).stderr, why)

    def test_declarations_that_are_wrong_are_explained(self):
        good = 'experiment { parameters = { n = { 1 } }, measures = { "v" } }'
        for text, why in ((good.replace("{ 1 }", "{ }"), "n wants a list"), (good.replace("{ 1 }", "{ 1, 1 }"), "the value 1 twice"),
                          (good.replace("{ 1 }", '{ "a,b" }'), "without commas"), (good.replace('{ "v" }', "{ }"), "measures wants"),
                          (good.replace('"v"', '"n"'), "a parameter and a measure"), (good.replace("n =", "seed ="), "cannot be"),
                          (good[:-1] + ', plots = { { x = "m", y = "v" } } }', 'no parameter "m"'),
                          (good[:-1] + ', plots = { { x = "n", y = "w" } } }', 'no measure "w"'),
                          (good[:-1] + ', repetitions = 0 }', "repetitions from 1"), (good[:-1] + ', repetition = 5 }', 'no field "repetition"'),
                          (good[:-1] + ', plots = { { x = "n", y = "v", where = { k = 1 } } } }', "no parameter k"),
                          ("", "has no experiment"), ("experiment(1)", "table expected"), ("nonsense(", "small.lua:2")):
            with self.subTest(why):
                self.write("small.lua", 'scenario { title = "t", source = "t" }\n' + text)
                self.assertIn(why, self.experiment(status=3).stderr)

    def test_a_run_that_takes_too_long_is_ended(self):
        path = self.write("body.lua", TEMPLATE.format(body="if parameter.n == 2 then for i = 1, 1e9 do pattern(1 << 20) end end measure('value', 1)"))
        done = self.experiment("--no-plots", "--timeout", "1", file=path, status=3)
        self.assertIn("it was stopped after 1 seconds", done.stderr)
        self.assertIn("10 of 12 runs", done.stdout)

    def test_command_lines(self):
        self.assertIn("usage: smclab experiment", self.experiment("--help").stdout)
        for arguments in (["--jobs", "0"], ["--target", "vm"], ["--format", "xml"], ["--repetitions", "x"], ["other.lua"], ["--what"]):
            self.assertTrue(self.experiment(*arguments, status=2).stderr)
        self.assertIn("ns3", self.experiment("--target", "ns3", status=77).stderr)


if __name__ == "__main__":
    unittest.main()
