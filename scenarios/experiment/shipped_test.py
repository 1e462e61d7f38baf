"""Every experiment that ships runs: reduced, or (SMCLAB_EXPERIMENTS=full, nightly) whole, where its page's figures are compared.
SPDX-License-Identifier: BSD-3-Clause

The experiments' own expectations are checked by the way: modes, bytes, ends. And each page in docs/experiments names its command
and its figures, and every number in bold is one of the table that it was written from."""
import csv
import glob
import os
import re
import subprocess
import sys
import tempfile

SMCLAB, SOURCE = os.environ["SMCLAB"], os.environ["SMCLAB_SOURCE_DIR"]
FULL = os.environ.get("SMCLAB_EXPERIMENTS") == "full"


def run(name, folder):
    path = os.path.join("scenarios", "experiments", name + ".lua")
    done = subprocess.run([SMCLAB, "experiment", "--out", folder, *([] if FULL else ["--quick"]), path], capture_output=True, text=True,
                          cwd=SOURCE, check=False)
    if done.returncode != 0:
        return [f"{name}: exit status {done.returncode}: {done.stderr.strip()}"]
    return []


def table(path):
    with open(path, encoding="utf-8") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def shown(value):
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def check_numbers(name, text):
    """The page's table of points against the committed summary, its bold numbers against that table."""
    summary, wrong, listed = table(os.path.join(SOURCE, "docs", "experiments", name + ".summary.csv")), [], set()
    for point, measure, value in re.findall(r"^\| (\S+=.*?) \| (\w+) \| (\S+) ±", text, re.M):
        where = dict(re.findall(r"(\w+)=(.*?)(?= \w+=|$)", point))
        found = [row for row in summary if all(row.get(k) == v for k, v in where.items())]
        listed.add(value)
        if len(found) != 1 or shown(float(found[0][measure])) != value:
            wrong.append(f"{name}: the page says {measure} {value} at {point}, the table {[row[measure] for row in found]}")
    wrong += [f"{name}: **{bold}** stands in no row of the page's table" for bold in re.findall(r"\*\*([\d.]+)\*\*", text) if bold not in listed]
    return wrong + ([] if len(listed) >= 2 else [f"{name}: the page has no table of numbers"])


def page(name, plots):
    path = os.path.join(SOURCE, "docs", "experiments", name + ".md")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    wanted = [f"smclab experiment scenarios/experiments/{name}.lua"] + [f"({name}-{i + 1}.svg)" for i in range(plots)]
    lost = [f"{name}: the page does not name {w}" for w in wanted if w not in text]
    lost += [f"{name}: {name}-{i + 1}.svg is not there" for i in range(plots)
             if not os.path.exists(os.path.join(os.path.dirname(path), f"{name}-{i + 1}.svg"))]
    return lost + check_numbers(name, text)


def numbers(row):
    found = {}
    for key, value in row.items():
        try:
            found[key] = float(value)
        except ValueError:
            pass # a name, or nothing
    return found


def compare(name, folder):
    """The rows of a whole sweep against the committed summary: the same program gives the same numbers."""
    committed = os.path.join(SOURCE, "docs", "experiments", name + ".summary.csv")
    old, new = table(committed), table(os.path.join(folder, name + ".summary.csv"))
    if len(old) != len(new):
        return [f"{name}: {len(new)} points, {len(old)} in {committed}"]
    return [f"{name}: {a} is {b} now" for a, b in zip(old, new)
            if any(abs(x - numbers(b).get(k, 1e300)) > 1e-6 * max(abs(x), 1) for k, x in numbers(a).items())]


def main():
    wrong, experiments = [], sorted(glob.glob(os.path.join(SOURCE, "scenarios", "experiments", "*.lua")))
    with tempfile.TemporaryDirectory() as folder:
        for name in (os.path.basename(e)[:-4] for e in experiments):
            wrong += run(name, folder)
            figures = glob.glob(os.path.join(folder, name + "-*.svg"))
            if not figures:
                wrong.append(f"{name}: no figure")
            wrong += page(name, len(figures))
            if FULL:
                wrong += compare(name, folder)
    for line in wrong:
        print(line)
    print(f"{len(experiments)} experiments, {'whole' if FULL else 'reduced'}: {len(wrong)} wrong")
    return 1 if wrong or len(experiments) < 6 else 0


sys.exit(main())
