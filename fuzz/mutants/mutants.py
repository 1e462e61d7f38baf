#!/usr/bin/env python3
"""Plants bugs in a copy of libsmc and sees whether scenarios, campaign and judge find them.
SPDX-License-Identifier: BSD-3-Clause

Two kinds: historic bugs (historic/B-NN-*.patch, named after the table in docs/bugs.md) and mechanical ones, drawn by a seed:
a comparison changed, a constant or operand off by one, a condition negated, a statement dropped. The tree itself is
never touched: each worker has a copy, built once and then one file at a time. docs/mutants.md explains the result."""
import argparse
import difflib
import filecmp
import glob
import hashlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
# Where mechanical mutants are made: cursor, data, LLC, close and failover code.
FILES = ("cursor.h", "tx.c", "rx.c", "cdc.c", "urgent.c", "close.c", "failover.c", "conn.c", "transport.c", "flow*.c", "group*.c",
         "link*.c", "buffer.c", "wr.c")
COMPARISONS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
BATCHES = (12, 40, 120, 1000)  # scenarios at a time: those that killed most come first, and one that fails is enough
MEASURED = os.path.join(HERE, "measured.json")
SEEDS_AT_ONCE = 50
CAPTURE_MOST = 2 << 30  # bytes of one file; the tree as it is runs with it, for each worker begins by that


# ---- mechanical mutants ----------------------------------------------------------------------------

def code_lines(path):
    """(number, line) of what is code inside functions: no comments, no declarations, no preprocessor."""
    text = open(path, encoding="utf-8").read()
    text = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.S)
    depth = 0
    for number, line in enumerate(text.split("\n")):
        if depth > 0 and line.strip() and not line.lstrip().startswith("#"):
            yield number, line
        depth += line.count("{") - line.count("}")


def comparison(line):
    for m in re.finditer(r"(?<![<>=!\-+&|])(<=|>=|==|!=|<(?!<)|>(?!>))(?![<>=])", line):
        if line[m.start() - 1:m.start()] in ("-",) or re.search(r"^\s*(#|static|struct)", line):
            continue
        yield line[:m.start()] + COMPARISONS[m.group(1)] + line[m.end():], f"{m.group(1)} becomes {COMPARISONS[m.group(1)]}"


def off_by_one(line):
    for m in re.finditer(r"(?<=[-+] )(\w+(?:->\w+|\.\w+)*)(?=[;,) ])", line):
        yield line[:m.start()] + f"({m.group(1)} + 1)" + line[m.end():], f"{m.group(1)} plus 1"
    for m in re.finditer(r"(?<![\w.])([1-9]\d*)(?![\w.x])", line):
        if "[" not in line[max(0, m.start() - 1):m.start()]:
            yield line[:m.start()] + str(int(m.group(1)) - 1) + line[m.end():], f"{m.group(1)} becomes {int(m.group(1)) - 1}"


def negation(line):
    m = re.match(r"(\s*(?:\} else )?if \()(.+)(\)(?: \{)?)$", line)
    if m and m.group(2).count("(") == m.group(2).count(")"):
        yield m.group(1) + "!(" + m.group(2) + ")" + m.group(3), "condition negated"


def dropped(line):
    if re.match(r"\s+(?!return|break|continue|goto|case|default|else|struct|const|static|u?int|bool|size_t|enum|unsigned|char|void)"
                r"[a-z_>\-.()*\[\]\w]+ ?(\(|[-+|&]?=|\+\+|--).*;$", line) and not re.match(r"\s+\w+ \*?\w+( =|;)", line):
        yield re.match(r"\s*", line).group() + ";", "statement dropped: " + line.strip()


def candidates(source):
    """Every mechanical mutant that could be made, in a fixed order."""
    paths = sorted({p for name in FILES for p in glob.glob(os.path.join(source, "protocol", name))
                    if not p.endswith("_test.c")})
    for path in paths:
        lines = open(path, encoding="utf-8").read().split("\n")
        for number, code in code_lines(path):
            for operator in (comparison, off_by_one, negation, dropped):
                for changed, what in operator(code):
                    if changed != code and code.strip() in lines[number]:
                        yield os.path.relpath(path, source), number, lines[number].replace(code.strip(), changed.strip()), what


class Mutant:
    """One planted bug: a patch."""

    def __init__(self, name, what, patch):
        self.name, self.what, self.patch = name, what, patch
        self.sanitize = "\n# needs: sanitizer\n" in "\n" + patch  # a line before the diff
        self.files = re.findall(r"^\+\+\+ b/(\S+)", patch, re.M)
        self.changed = tuple(line[1:].strip() for line in patch.split("\n") if re.match(r"[-+](?![-+]{2} )", line))
        self.behind = [line.strip() for line in re.split(r"^\+(?!\+\+ ).*\n", patch, flags=re.M)[-1].split("\n")]
        self.killed_by, self.why, self.seconds, self.first_seed = None, None, 0.0, None


def mechanical(source, seed):
    """Without end as far as there are any, in the order in which `seed` draws them. A line's place in it hangs on that line
    alone, so that work elsewhere in the tree leaves most of those drawn as they were."""
    drawn, met = [], {}
    for path, number, line, what in candidates(source):
        before = open(os.path.join(source, path), encoding="utf-8").read().split("\n")
        key = f"{seed} {path} {before[number].strip()} {line.strip()}"
        met[key] = met.get(key, 0) + 1
        drawn.append((hashlib.sha256(f"{key} {met[key]}".encode()).digest(), path, number, line, what, before))
    for _, path, number, line, what, before in sorted(drawn, key=lambda d: d[0]):
        after = list(before)
        after[number] = line
        diff = difflib.unified_diff(before, after, "a/" + path, "b/" + path, lineterm="")
        yield Mutant(f"{path}:{number + 1}", what, "\n".join(diff) + "\n")


def historic():
    for path in sorted(glob.glob(os.path.join(HERE, "historic", "*.patch"))):
        yield Mutant(os.path.basename(path)[:-6], "historic bug", open(path, encoding="utf-8").read())


def equivalents():
    """{(file, line before, line after): [(the lines behind them, why nothing can tell them apart)]}, of equivalent.txt."""
    found = {}
    for block in re.split(r"\n\s*\n", open(os.path.join(HERE, "equivalent.txt"), encoding="utf-8").read()):
        lines = [line for line in block.strip().split("\n") if not line.startswith("#")]
        if len(lines) >= 4:
            behind = [line.strip() for line in lines[3:] if line.startswith(" ")]
            found.setdefault((lines[0].strip(), lines[1][1:].strip(), lines[2][1:].strip()), []).append(
                (behind, " ".join(line for line in lines[3:] if not line.startswith(" "))))
    return found


def stale():
    """What historic patches and arguments say of lines that the tree no longer has."""
    found = []
    for m in historic():
        for part in re.split(r"^--- a/.*\n", m.patch, flags=re.M)[1:]:
            path, hunks = re.match(r"\+\+\+ b/(\S+)\n((?:.|\n)*)", part).groups()
            text = open(os.path.join(ROOT, path), encoding="utf-8").read()
            for hunk in re.split(r"^@@.*\n", hunks, flags=re.M)[1:]:
                before = "".join(line[1:] + "\n" for line in hunk.rstrip("\n").split("\n") if not line.startswith("+"))
                if before not in text:
                    found.append(f"{m.name}: {path} has no longer what it changes")
    made = {(m.files[0], *m.changed) for m in mechanical(ROOT, 1)}
    return found + [f"equivalent.txt: {path}: nothing becomes {after}" for path, before, after in equivalents() if (path, before, after) not in made]


def argument(mutant, argued):
    """Why nothing can tell it from the original, or None."""
    for behind, reason in argued.get((mutant.files[0], *mutant.changed), []):
        if mutant.behind[:len(behind)] == behind:
            return reason
    return None


# ---- trying one -------------------------------------------------------------------------------------

class Unclean(Exception):
    """The tree fails though nothing was planted in it."""


def sync(source, copy):
    """Makes `copy` what `source` is, without touching what is the same already: that need not be built again."""
    kept = set()
    for folder, below, names in os.walk(source):
        place = os.path.normpath(os.path.join(copy, os.path.relpath(folder, source)))
        if folder == source:
            below[:] = [n for n in below if n not in (".git", "build", "smclab-out")]
        os.makedirs(place, exist_ok=True)
        for name in names:
            path, to = os.path.join(folder, name), os.path.join(place, name)
            if folder.endswith("traces/captures") and name != "CMakeLists.txt":
                continue
            kept.add(to)
            if not os.path.exists(to) or not filecmp.cmp(path, to, shallow=False):
                shutil.copy(path, to)
    for folder, _, names in os.walk(copy):
        for name in names:
            if os.path.join(folder, name) not in kept:
                os.remove(os.path.join(folder, name))


class Worker:
    """A copy of the tree with a build of its own."""

    def __init__(self, folder, options, kills, killers, sanitize):
        self.copy, self.build = os.path.join(folder, "tree"), os.path.join(folder, "build")
        self.options, self.kills, self.killers = options, kills, killers
        sync(ROOT, self.copy)
        flags = "-O1" + (" -g -fsanitize=address,undefined -fno-sanitize-recover=all" if sanitize else "")
        if not os.path.exists(os.path.join(self.build, "build.ninja")):
            subprocess.run(["cmake", "-S", self.copy, "-B", self.build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug",
                            "-DCMAKE_C_FLAGS_DEBUG=" + flags, "-DBUILD_TESTING=OFF"], check=True, capture_output=True)
        if not self.make():
            raise Unclean("it does not build: " + self.output[-2000:])
        self.original = {p: open(p, encoding="utf-8").read() for d in ("protocol", "devices")
                         for p in glob.glob(os.path.join(self.copy, d, "**", "*.[ch]"), recursive=True)}
        self.program = self.program_hash()
        self.scenarios = sorted(glob.glob(os.path.join(self.copy, "scenarios", "**", "*.lua"), recursive=True))
        self.known, self.left_out = set(), []
        start = time.monotonic()
        while not options.campaign_only and (why := self.scenarios_say(Mutant("", "", ""))):
            broken = [p for p in self.scenarios if self.short(p) == why[0]]
            if not broken or len(self.left_out) == 5:
                raise Unclean(f"{why[0]}: {why[1]}")
            self.left_out += broken
            self.scenarios.remove(broken[0])
            print(f"fails without a bug planted, and so kills nobody: {why[0]}", flush=True)
        self.pace = time.monotonic() - start
        self.known = {seed for first in range(1, options.seeds + 1, SEEDS_AT_ONCE) for seed in self.seeds_failing(first)[0]}
        if self.known:
            print(f"seeds that fail without a bug planted, and so kill nobody: {sorted(self.known)}", flush=True)

    def make(self):
        # ccache finds what another copy has compiled already.
        env = dict(os.environ, CCACHE_BASEDIR=os.path.dirname(self.copy))
        done = subprocess.run(["ninja", "-C", self.build, "-j1", "smclab"], capture_output=True, text=True, env=env)
        self.output = done.stdout + done.stderr
        return done.returncode == 0

    def program_hash(self):
        with open(os.path.join(self.build, "bin/smclab"), "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()

    def limit(self):
        """What sends for ever must fill neither the hours nor the disk with its capture."""
        resource.setrlimit(resource.RLIMIT_CPU, (self.options.cpu, self.options.cpu))
        resource.setrlimit(resource.RLIMIT_FSIZE, (CAPTURE_MOST, CAPTURE_MOST))

    def run(self, *arguments, timeout):
        """(exit status, output), or None: it took too long. What hangs is told by processor time: a busy machine kills no mutant."""
        env = dict(os.environ, ASAN_OPTIONS="detect_leaks=0:abort_on_error=1")
        process = subprocess.Popen([os.path.join(self.build, "bin/smclab"), *arguments], stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, text=True, cwd=self.build, env=env, start_new_session=True,
                                   preexec_fn=self.limit)
        try:
            out, _ = process.communicate(timeout=timeout)
            return process.returncode, out
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # its children as well
            process.communicate()
            return None
        finally:
            shutil.rmtree(os.path.join(self.build, "out"), ignore_errors=True)

    def in_order(self, mutant):
        """Scenarios: the one that killed it before, then those of a historic bug's own number, then those that killed most."""
        own = re.match(r"B-(\d+)-", mutant.name)
        own = f"/regressions/b_{own.group(1)}_" if own else None
        killer = self.killers.get((mutant.files[0], *mutant.changed)) if mutant.files else None
        return sorted(self.scenarios, key=lambda p: (self.short(p) != killer, not (own and own in p), -self.kills.get(self.short(p), 0), p)), killer

    def short(self, path):
        return os.path.relpath(path, os.path.join(self.copy, "scenarios"))[:-4]

    def scenarios_say(self, mutant):
        """(what failed, why), or None."""
        todo, killer = self.in_order(mutant)
        for size in (1, *BATCHES) if killer else BATCHES:
            batch, todo = todo[:size], todo[size:]
            if not batch:
                break
            done = self.run("run", "-j", "1", "--timeout", "3600", "--keep-captures", "failed", "--format", "json", "--out", "out", *batch,
                            timeout=self.options.timeout)
            if done is None:
                return "scenarios", "ran too long"
            try:
                runs = json.loads(done[1])["runs"]
            except ValueError:
                return "scenarios", f"no result, exit status {done[0]}"
            for r in runs:
                if r["verdict"] in ("fail", "error"):
                    return self.short(os.path.join(self.build, r["scenario"])), (r["reason"] or r["verdict"]).split("\n")[0].replace(self.copy + "/", "")[:200]
        return None

    def seeds_failing(self, first):
        """({seed: why}, whether it ended) of the seeds from `first` on."""
        last = min(first + SEEDS_AT_ONCE - 1, self.options.seeds)
        done = self.run("explore", "-j", "1", "--shrink", "0", "--failures", "0", "--format", "json", "--out", "out",
                        "--seeds", f"{first}..{last}", timeout=self.options.timeout)
        if done is None:
            return {}, False
        try:
            return {f["seed"]: f["why"] for f in json.loads(done[1])["failures"] if f["seed"] not in self.known}, True
        except ValueError:
            return {}, False

    def campaign_says(self, mutant):
        for first in range(1, self.options.seeds + 1, SEEDS_AT_ONCE):
            failing, ended = self.seeds_failing(first)
            if failing:
                mutant.first_seed = min(failing)
                return f"seed {mutant.first_seed}", failing[mutant.first_seed][:200]
            if not ended:
                mutant.first_seed = first
                return f"seeds {first} and on", "ran too long"
        return None

    def judge(self, mutant):
        if not self.make():
            return "compiler", "does not compile"
        if self.program_hash() == self.program:
            return "compiler", "the compiler makes the same code of it"
        return (None if self.options.campaign_only else self.scenarios_say(mutant)) or self.campaign_says(mutant) or (None, None)

    def try_one(self, mutant):
        start = time.monotonic()
        try:
            done = subprocess.run(["patch", "-p1", "--no-backup-if-mismatch", "-s"], cwd=self.copy, input=mutant.patch,
                                  capture_output=True, text=True)
            if done.returncode != 0:
                mutant.killed_by, mutant.why = "patch", "does not apply: " + done.stdout.strip()
            else:
                mutant.killed_by, mutant.why = self.judge(mutant)
        finally:
            for name in mutant.files:
                path = os.path.join(self.copy, name)
                if path in self.original:
                    open(path, "w", encoding="utf-8").write(self.original[path])
        mutant.seconds = time.monotonic() - start


# ---- all of them ------------------------------------------------------------------------------------

def counts(mutant):
    """What does not compile, or compiles to the same code, is no mutant; another is drawn for it."""
    return mutant.killed_by not in ("compiler", "patch")


class Campaign:
    """Hands out mutants to workers until enough of them count, and keeps what became of them."""

    def __init__(self, options):
        self.options, self.lock, self.folder = options, threading.Lock(), options.folder or tempfile.mkdtemp(prefix="mutants-")
        self.kills, self.killers, self.done, self.survived, self.failed = {}, {}, [], [], None
        self.todo, self.argued = [], equivalents()
        self.historic = [] if options.no_historic else [m for m in historic() if not options.only or re.search(options.only, m.name)]
        self.drawn = [m for m in mechanical(ROOT, options.seed) if not options.only or re.search(options.only, m.name)]
        if options.again:
            self.take_over(options.again)
        else:
            self.remember(options.measured)
            self.todo = self.historic + self.drawn
        for place, m in enumerate(self.historic + self.drawn):
            m.place = place

    def remember(self, path):
        """What killed them before is tried first, and so are those scenarios that killed most."""
        for r in json.load(open(path, encoding="utf-8")) if os.path.exists(path) else []:
            m = Mutant(r["name"], r["what"], r["patch"])
            if r["killed_by"] and not r["killed_by"].startswith("seed"):
                self.killers[(m.files[0], *m.changed)] = r["killed_by"]
                self.kills[r["killed_by"]] = self.kills.get(r["killed_by"], 0) + 1

    def take_over(self, path):
        """What was killed before stays so; what survived is tried again, with the same patch."""
        self.historic, self.drawn = [], []
        for r in json.load(open(path, encoding="utf-8")):
            m = Mutant(r["name"], r["what"], r["patch"])
            (self.historic if r["what"] == "historic bug" else self.drawn).append(m)
            if r["killed_by"]:
                m.killed_by, m.why, m.first_seed = r["killed_by"], r["why"], r["first_seed"]
                self.kills[m.killed_by] = self.kills.get(m.killed_by, 0) + 1
                self.done.append(m)
        self.todo = [m for m in self.historic + self.drawn if not m.killed_by]
        self.options.count = len(self.drawn)

    def take(self, sanitize):
        with self.lock:
            if self.failed is not None:
                return None
            enough = sum(counts(m) for m in self.done + self.survived if m.place >= len(self.historic)) >= self.options.count
            if sanitize and self.survived:
                return self.survived.pop(0)
            for m in self.todo:
                if m.sanitize == sanitize and not (enough and m.place >= len(self.historic)):
                    self.todo.remove(m)
                    return m
        return None

    def finish(self, m, sanitized):
        with self.lock:
            if not (m.killed_by or sanitized or self.options.campaign_only or argument(m, self.argued)):
                self.survived.append(m)
                print(f"[-] {m.name}: {m.what}: survived, and meets the sanitizers later ({m.seconds:.0f} s)", flush=True)
                return
            self.done.append(m)
            if m.killed_by and counts(m) and not m.killed_by.startswith("seed"):
                self.kills[m.killed_by] = self.kills.get(m.killed_by, 0) + 1
            said = f"SURVIVED" if not m.killed_by else f"{m.why}" if not counts(m) else f"killed by {m.killed_by}: {m.why}"
            print(f"[{len(self.done)}] {m.name}: {m.what}: {said} ({m.seconds:.0f} s)", flush=True)
            if self.options.patches:
                os.makedirs(self.options.patches, exist_ok=True)
                with open(os.path.join(self.options.patches, f"{m.place:03}-{re.sub('[^A-Za-z0-9-]+', '-', m.name)}.patch"), "w") as file:
                    file.write(m.patch)
            if self.options.json:
                self.write_json()

    def write_json(self):
        with open(self.options.json, "w", encoding="utf-8") as file:
            json.dump([{"name": m.name, "what": m.what, "patch": m.patch, "killed_by": m.killed_by, "why": m.why,
                        "first_seed": m.first_seed} for m in self.counted()], file, indent=1)

    def counted(self):
        """Independent of how many workers there were: the first ones drawn."""
        good = sorted((m for m in self.done if counts(m)), key=lambda m: m.place)
        return [m for m in good if m.place < len(self.historic)] + [m for m in good if m.place >= len(self.historic)][:self.options.count]

    def work(self, number):
        try:
            for sanitize in (False, True):  # those that need it, and those that survived, come last, with a build of their own
                worker = None
                while (m := self.take(sanitize)) is not None:
                    if worker is None:
                        worker = Worker(os.path.join(self.folder, f"{number}{'-sanitized' if sanitize else ''}"), self.options,
                                        self.kills, self.killers, sanitize)
                    worker.try_one(m)
                    self.finish(m, sanitize)
        except Exception as error:  # pylint: disable=broad-except
            self.failed = error

    def run(self):
        threads = [threading.Thread(target=self.work, args=(i,)) for i in range(self.options.j)]
        try:
            for t in threads:
                t.start()
            for t in threads:
                t.join()
        finally:
            if not self.options.folder:
                shutil.rmtree(self.folder, ignore_errors=True)
        if self.failed is not None:
            print(f"the unchanged tree is not clean, or something broke: {self.failed}", file=sys.stderr)
            return 1
        return self.report()

    def report(self):
        survivors, equivalent, wrong = [], [], []
        for m in self.counted():
            reason = argument(m, self.argued)
            if reason and m.killed_by:
                wrong.append(m)
            elif reason:
                equivalent.append((m, reason))
            elif not m.killed_by:
                survivors.append(m)
        broken = [m for m in self.done if m.killed_by == "patch"]
        for m in survivors:
            print("survived:", m.name + ":", m.what)
        for m, reason in equivalent:
            print(f"equivalent: {m.name}: {m.what}: {reason}")
        for m in wrong:
            print(f"called equivalent, but killed by {m.killed_by}: {m.name}: {m.what}")
        for m in broken:
            print("broken:", m.name, m.why)
        old = [m for m in self.counted() if m.place < len(self.historic)]
        n = len(self.counted()) - len(equivalent)
        print(f"{len(old)} historic, {len(self.counted()) - len(old)} mechanical drawn by seed {self.options.seed}, of them {len(equivalent)} "
              f"equivalent as fuzz/mutants/equivalent.txt argues")
        if self.options.campaign_only:
            for m in self.counted():
                print(f"| `{m.name}` | {m.first_seed or '—'} | {(m.why or '').split(',')[0]} |")
        print(f"mutants: {n - len(survivors)} killed of {n}")
        return 0 if n > 0 and len(survivors) * 20 <= n and not broken and not wrong else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--count", type=int, default=200, help="mechanical mutants (200)")
    parser.add_argument("--seed", type=int, default=1, help="which of them are drawn (1)")
    parser.add_argument("--seeds", type=int, default=200, help="seeds of the campaign for each (200)")
    parser.add_argument("--campaign-only", action="store_true", help="no scenarios; in the end a table of the first seed that fails")
    parser.add_argument("--no-historic", action="store_true", help="mechanical ones only")
    parser.add_argument("--only", metavar="REGEX", help="only those in whose name this is found")
    parser.add_argument("--list", action="store_true", help="say which there are, and stop")
    parser.add_argument("--check", action="store_true", help="only look whether all patches and arguments still fit the tree")
    parser.add_argument("--json", help="write what happened to each here")
    parser.add_argument("--again", metavar="JSON", help="what a run with --json wrote: tries again what survived there")
    parser.add_argument("--measured", metavar="JSON", default=MEASURED, help="of an earlier run: what killed a mutant then is tried first (fuzz/mutants/measured.json)")
    parser.add_argument("--folder", help="keeps copies and builds here, and uses what is there (else a folder of its own, removed)")
    parser.add_argument("--patches", help="write each that was tried as a patch into this folder")
    parser.add_argument("--cpu", type=int, default=90, help="seconds of processor time for one process: more is a hang, and so a kill (90)")
    parser.add_argument("--timeout", type=int, default=3600, help="seconds of the clock for a batch of scenarios or seeds (3600)")
    parser.add_argument("-j", type=int, default=2, help="at one time (2)")
    options = parser.parse_args()
    if options.check:
        print(*(found := stale()), f"{len(found)} patches or arguments do not fit the tree", sep="\n")
        return 1 if found else 0
    campaign = Campaign(options)
    if options.list:
        for m in campaign.historic + campaign.drawn[:options.count]:
            print(f"{m.name}\t{m.what}")
        return 0
    print(f"mutants: {len(campaign.historic)} historic, {options.count} mechanical ones drawn by seed {options.seed}", flush=True)
    return campaign.run()


if __name__ == "__main__":
    sys.exit(main())
