"""Records which requirements the scenarios exercise, and which of those that no capture shows the unit tests assert.
SPDX-License-Identifier: BSD-3-Clause

record_scenarios.py [--smclab PATH] [--out DIR] [--check | --check-runs | --suggest]
Without an option: runs every scenario below scenarios/, reads every *_test.c, writes scenarios.json and tests.json beside itself.
--check       writes and runs nothing: fails if a header or a test names other requirements than recorded
--check-runs  runs every scenario too: fails if one does not exercise what is recorded
--suggest     prints what scenarios exercise according to the judge but do not name, and the rows that nothing exercises

A scenario exercises a requirement if its header names it, it passes, and, for what a capture can show, the judge evaluated
it in this run or found it broken as announced. What a capture cannot show (levels api and state, and the wire rows of
sensitivity/not_observable.csv) the scenario's own expectations show. A unit test asserts such a row if the row's id stands
in a comment, `[DIBS-001]`, in or right before a test or an asserting function of a *_test.c."""
import argparse
import csv
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "../../.."))
ID = re.compile(r"\b[A-Z]+-\d{3}\b")
SCENARIOS, TESTS, CAPTURED = (os.path.join(HERE, name) for name in ("scenarios.json", "tests.json", "captures.json"))


def catalogue():
    """{id: level}; "unseen" are the wire rows that no capture can show by itself, so that the judge evaluates none."""
    with open(os.path.join(HERE, "../sensitivity/not_observable.csv"), newline="", encoding="utf-8") as file:
        unseen = {row["requirement"] for row in csv.DictReader(file)}
    with open(os.path.join(HERE, "../requirements.csv"), newline="", encoding="utf-8") as file:
        return {row["id"]: "unseen" if row["observable"] == "wire" and row["id"] in unseen else row["observable"] for row in csv.DictReader(file)}


def files_below(folder, ending):
    found = []
    for place, below, names in os.walk(os.path.join(ROOT, folder)):
        below[:] = sorted(d for d in below if not d.startswith((".", "build")) and d != "smclab-out")
        found += [os.path.relpath(os.path.join(place, name), ROOT) for name in names if name.endswith(ending)]
    return sorted(found)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


# ---- scenarios

def header_ids(text):
    """The requirements of the header of a scenario; comments in the list do not count."""
    text = re.sub(r"--[^\n]*", "", text)
    found = re.search(r"\brequirements\s*=\s*\{(.*?)\}", text, re.DOTALL)
    return sorted(set(ID.findall(found.group(1)))) if found else []


def headers():
    return {path: header_ids(read(path)) for path in files_below("scenarios", ".lua")}


def run_all(smclab, out):
    command = [smclab, "run", "--format", "json", "--keep-captures", "failed", "--out", out, "scenarios"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1, 3):
        sys.exit(f"{' '.join(command)}: status {done.returncode}\n{done.stderr}")
    return {run["scenario"]: run for run in json.loads(done.stdout)["runs"]}


def seen_by_judge(run):
    return set(run.get("exercised", {})) | {finding["requirement"] for finding in run["findings"]}


def scenario_record(named, runs, levels):
    entries = []
    for path, ids in named.items():
        run = runs.get(path)
        passed = run is not None and run["verdict"] == "pass"
        counted = [i for i in ids if passed and (levels[i] != "wire" or i in seen_by_judge(run))]
        entries.append({"name": path, "requirements": counted, "unconfirmed": [i for i in ids if i not in counted]})
    return {"scenarios": entries}


# ---- unit tests

def pieces(text):
    """The top-level pieces of a test program: a function, a test or a table each, with the comments before it."""
    piece = []
    for line in text.splitlines():
        piece.append(line)
        if re.match(r"END_TEST\b|\}", line):
            yield "\n".join(piece)
            piece = []


def asserts(piece):
    return re.search(r"\bSTART_TEST\(|\bck_(assert|abort)|\b[A-Z_]*NEED\(|^static const ", piece, re.MULTILINE) is not None


def asserted_ids(path, levels):
    found, idle = set(), []
    for piece in pieces(read(path)):
        comments = re.findall(r"/\*.*?\*/|//[^\n]*", piece, re.DOTALL)
        ids = {i for comment in comments for bracket in re.findall(r"\[([^\]]*)\]", comment) for i in ID.findall(bracket)}
        ids = {i for i in ids if levels.get(i) in ("api", "state", "unseen")}
        if ids and not asserts(piece):
            idle += sorted(ids)
        found |= ids if asserts(piece) else set()
    return sorted(found), idle


def test_record(levels):
    entries = []
    for path in files_below(".", "_test.c"):
        ids, idle = asserted_ids(path, levels)
        for requirement in idle:
            print(f"{path}: names {requirement} where nothing is asserted")
        if ids:
            entries.append({"name": path, "requirements": ids})
    return {"tests": entries}


# ---- what is recorded against what is there

def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def save(path, record):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(record, file, indent=1)
        file.write("\n")


def stale_headers(named):
    old = {e["name"]: sorted(e["requirements"] + e["unconfirmed"]) for e in load(SCENARIOS)["scenarios"]}
    return [f"{path}: names {' '.join(named.get(path, ['(no such file)']))}, recorded {' '.join(old.get(path, ['(nothing)']))}"
            for path in sorted(set(old) | set(named)) if old.get(path) != named.get(path)]


def stale_tests(levels):
    old = {e["name"]: e["requirements"] for e in load(TESTS)["tests"]}
    new = {e["name"]: e["requirements"] for e in test_record(levels)["tests"]}
    return [f"{path}: asserts {' '.join(new.get(path, []))}, recorded {' '.join(old.get(path, []))}"
            for path in sorted(set(old) | set(new)) if old.get(path) != new.get(path)]


def stale_runs(new):
    old, new = ({(e["name"], i) for e in record["scenarios"] for i in e["requirements"]} for record in (load(SCENARIOS), new))
    return [f"{name}: does not exercise {i}, though the record says so" for name, i in sorted(old - new)]


def unreasoned(levels, covered):
    """Rows that nothing exercises and nobody explains, and explained ones that are exercised."""
    with open(os.path.join(HERE, "not_exercised.csv"), newline="", encoding="utf-8") as file:
        explained = {row["requirement"] for row in csv.DictReader(file)}
    return ([f"{i}: nothing exercises it, and not_exercised.csv does not say why" for i in levels
             if i not in covered | explained and levels[i] not in ("unseen", "retired")]
            + [f"{i}: exercised, though not_exercised.csv says why it cannot be" for i in sorted(explained & covered)])


def tell(problems):
    for line in problems:
        print(line)
    print(f"{len(problems)} stale; conformance/judge/coverage/record_scenarios.py records anew" if problems else "the records hold")
    return int(bool(problems))


# ---- what is there

def share(levels, *records):
    """Rows that a recorded scenario or test exercises, captures among them."""
    covered = {i for record in records for kind in ("scenarios", "tests") for e in record.get(kind, []) for i in e["requirements"]}
    covered &= set(levels)
    return covered


def show_share(levels, covered):
    for level, members in (("api", ("api",)), ("state", ("state",)), ("wire", ("wire", "unseen"))):
        rows = [i for i in levels if levels[i] in members]
        print(f"{level:6} {sum(i in covered for i in rows):4} of {len(rows):4} exercised by a recorded scenario or test")
    print(f"{'all':6} {len(covered):4} of {len(levels):4}: {1000 * len(covered) // len(levels) / 10} %")


def suggest(named, runs, levels, covered):
    for i in sorted(set(levels) - covered):
        by = [path for path, run in sorted(runs.items()) if run["verdict"] == "pass" and i in seen_by_judge(run) and i not in named[path]]
        print(f"{i} ({levels[i]}): {'not named, but evaluated in ' + ', '.join(by[:3]) if by else 'nothing exercises it'}")
    for path, ids in named.items():
        missing = [i for i in ids if levels[i] == "wire" and path in runs and i not in seen_by_judge(runs[path])]
        if path in runs and runs[path]["verdict"] != "pass":
            print(f"{path}: {runs[path]['verdict']}: {runs[path]['reason']}")
        elif missing:
            print(f"{path}: names {' '.join(missing)}, which the judge did not evaluate in it")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smclab", default=os.environ.get("SMCLAB", "smclab"), help="the program (default: $SMCLAB)")
    parser.add_argument("--out", help="where the captures of runs that fail are kept (default: nowhere)")
    for option in ("--check", "--check-runs", "--suggest"):
        parser.add_argument(option, action="store_true")
    options = parser.parse_args()
    levels, named = catalogue(), headers()
    unknown = [f"{path}: names {i}, which is not in the catalogue" for path, ids in named.items() for i in ids if i not in levels]
    if unknown or options.check:
        covered = share(levels, load(SCENARIOS), load(TESTS), load(CAPTURED))
        return tell(unknown + (stale_headers(named) + stale_tests(levels) + unreasoned(levels, covered) if options.check else []))
    with tempfile.TemporaryDirectory() as folder:
        runs = run_all(os.path.abspath(options.smclab), os.path.abspath(options.out or folder))
    scenarios = scenario_record(named, runs, levels)
    if options.check_runs:
        return tell(stale_runs(scenarios))
    tests = test_record(levels)
    covered = share(levels, scenarios, tests, load(CAPTURED))
    show_share(levels, covered)
    for line in unreasoned(levels, covered):
        print(line)
    if options.suggest:
        suggest(named, runs, levels, covered)
    else:
        save(SCENARIOS, scenarios)
        save(TESTS, tests)
    return 0


if __name__ == "__main__":
    sys.exit(main())
