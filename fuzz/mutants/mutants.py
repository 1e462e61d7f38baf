#!/usr/bin/env python3
"""Plants bugs in a copy of libsmc and sees whether scenarios, campaign and judge find them.
SPDX-License-Identifier: BSD-3-Clause

Two kinds: historic bugs (historic/B-NN-*.patch, named after the table in docs/bugs.md) and mechanical ones, drawn by a seed:
a comparison changed, a constant or operand off by one, a condition negated, a statement dropped. The tree itself is
never touched: each worker has a copy, built once and then one file at a time."""
import argparse
import concurrent.futures
import glob
import json
import os
import random
import re
import shutil
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
    def __init__(self, name, what, apply):
        self.name, self.what, self.apply = name, what, apply
        self.killed_by, self.seconds = None, 0.0


def mechanical(source, count, seed):
    everything = list(candidates(source))
    chosen = sorted(random.Random(seed).sample(range(len(everything)), min(count, len(everything))))
    for index in chosen:
        path, number, line, what = everything[index]

        def apply(copy, path=path, number=number, line=line):
            full = os.path.join(copy, path)
            lines = open(full, encoding="utf-8").read().split("\n")
            lines[number] = line
            open(full, "w", encoding="utf-8").write("\n".join(lines))
            return [path]
        yield Mutant(f"{path}:{number + 1}", what, apply)


def historic():
    for patch in sorted(glob.glob(os.path.join(HERE, "historic", "*.patch"))):
        def apply(copy, patch=patch):
            done = subprocess.run(["patch", "-p1", "--no-backup-if-mismatch", "-s", "-i", patch], cwd=copy, capture_output=True, text=True)
            if done.returncode != 0:
                raise RuntimeError(f"{os.path.basename(patch)} does not apply: {done.stdout.strip()}")
            return re.findall(r"^\+\+\+ b/(\S+)", open(patch).read(), re.M)
        yield Mutant(os.path.basename(patch)[:-6], "historic bug", apply)


class Worker:
    """A copy of the tree with a build of its own."""

    def __init__(self, folder, options):
        self.copy, self.build, self.options = os.path.join(folder, "tree"), os.path.join(folder, "build"), options
        ignore = shutil.ignore_patterns(".git", "build", "smclab-out", "captures")
        shutil.copytree(ROOT, self.copy, ignore=ignore)
        os.makedirs(os.path.join(self.copy, "traces/captures"), exist_ok=True)
        for name in os.listdir(os.path.join(ROOT, "traces/captures")):
            if name.endswith("CMakeLists.txt"):
                shutil.copy(os.path.join(ROOT, "traces/captures", name), os.path.join(self.copy, "traces/captures"))
        subprocess.run(["cmake", "-S", self.copy, "-B", self.build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=RelWithDebInfo",
                        "-DBUILD_TESTING=OFF"], check=True, capture_output=True)
        if not self.make():
            raise RuntimeError("the unchanged tree does not build: " + self.output[-2000:])

    def make(self):
        done = subprocess.run(["ninja", "-C", self.build, "-j1", "smclab"], capture_output=True, text=True)
        self.output = done.stdout + done.stderr
        return done.returncode == 0

    def run(self, *arguments, timeout):
        out = os.path.join(self.build, "out")
        try:
            done = subprocess.run([os.path.join(self.build, "bin/smclab"), *arguments], capture_output=True, text=True,
                                  timeout=timeout, cwd=self.build)
        except subprocess.TimeoutExpired:
            return "ran too long"
        finally:
            shutil.rmtree(out, ignore_errors=True)
        return None if done.returncode == 0 else done.stdout + done.stderr or f"exit {done.returncode}"

    def verdict(self):
        """None if nothing noticed; else by what it was killed."""
        why = self.run("run", "-j", "1", "--out", "out", os.path.join(self.copy, "scenarios"), timeout=self.options.timeout)
        if why:
            failed = re.findall(r"^(?:FAIL|error)\s+\S*scenarios/(\S+)\.lua", why, re.M)
            return "scenario " + (failed[0] if failed else why.strip().split("\n")[-1][:80])
        why = self.run("explore", "-j", "1", "--seeds", f"1..{self.options.seeds}", timeout=self.options.timeout)
        return "campaign" if why else None

    def try_one(self, mutant):
        start, saved = time.monotonic(), {}
        try:
            for path in (p for folder in ("protocol", "devices")
                         for p in glob.glob(os.path.join(self.copy, folder, "**", "*.[ch]"), recursive=True)):
                saved[path] = open(path, encoding="utf-8").read()
            mutant.apply(self.copy)
            mutant.killed_by = self.verdict() if self.make() else "compiler"
        finally:
            for path, text in saved.items():
                if open(path, encoding="utf-8").read() != text:
                    open(path, "w", encoding="utf-8").write(text)
        mutant.seconds = time.monotonic() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=200, help="mechanical mutants (200)")
    parser.add_argument("--seed", type=int, default=1, help="which of them are drawn (1)")
    parser.add_argument("--seeds", type=int, default=200, help="seeds of the campaign for each (200)")
    parser.add_argument("--no-historic", action="store_true", help="mechanical ones only")
    parser.add_argument("--only", help="only those whose name contains this")
    parser.add_argument("--list", action="store_true", help="say which there are, and stop")
    parser.add_argument("--json", help="write what happened to each here")
    parser.add_argument("--timeout", type=int, default=300, help="seconds for scenarios, and for the campaign (300)")
    parser.add_argument("-j", type=int, default=2, help="at one time (2)")
    options = parser.parse_args()
    mutants = ([] if options.no_historic else list(historic())) + list(mechanical(ROOT, options.count, options.seed))
    if options.only:
        mutants = [m for m in mutants if options.only in m.name]
    if options.list:
        for m in mutants:
            print(f"{m.name}\t{m.what}")
        return 0
    return campaign(mutants, options)


def campaign(mutants, options):
    print(f"mutants: {len(mutants)}, mechanical ones drawn by seed {options.seed}", flush=True)
    local, folder, done = threading.local(), tempfile.mkdtemp(prefix="mutants-"), []

    def one(mutant):
        if not hasattr(local, "worker"):
            local.worker = Worker(os.path.join(folder, threading.current_thread().name), options)
            why = local.worker.verdict()
            if why:
                raise RuntimeError(f"the unchanged tree is not clean: {why[-2000:]}")
        local.worker.try_one(mutant)
        done.append(mutant)
        print(f"[{len(done)}/{len(mutants)}] {mutant.name}: {mutant.what}: "
              f"{'killed by ' + mutant.killed_by if mutant.killed_by else 'SURVIVED'} ({mutant.seconds:.0f} s)", flush=True)

    try:
        with concurrent.futures.ThreadPoolExecutor(options.j) as pool:
            for future in [pool.submit(one, m) for m in mutants]:
                future.result()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return report(done, options)


def report(done, options):
    counted = [m for m in done if m.killed_by != "compiler"]  # what does not compile is no mutant
    survivors = sorted(m.name + ": " + m.what for m in counted if not m.killed_by)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump([{"name": m.name, "what": m.what, "killed_by": m.killed_by} for m in sorted(done, key=lambda m: m.name)],
                      file, indent=1)
    for survivor in survivors:
        print("survived:", survivor)
    print(f"mutants: {len(counted) - len(survivors)} killed of {len(counted)}")
    return 0 if counted and len(survivors) * 20 <= len(counted) else 1


if __name__ == "__main__":
    sys.exit(main())
