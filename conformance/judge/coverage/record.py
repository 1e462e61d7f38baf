"""Records what covers each requirement: which mutations make its check fire, and which captures of the repository evaluate it.
SPDX-License-Identifier: BSD-3-Clause

record.py [--smclab PATH] [--out DIR] [--check]      writes sensitivity.json and captures.json beside itself; with --check it
writes nothing and fails if a recorded fact is no longer true. `smclab requirements` and `smclab explain` are built from them."""
import argparse
import glob
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "../../.."))
sys.path.insert(0, os.path.join(HERE, "../sensitivity"))

import bases  # noqa: E402
import corpus  # noqa: E402
from judging import counted, fresh, judge  # noqa: E402
from run import write_mutations  # noqa: E402

CAPTURES = ("traces/captures", "traces/synthetic")


class Decoder:
    """The messages of captures, as `smclab decode` says them; each capture is decoded once."""

    def __init__(self, smclab):
        self.smclab, self.known = smclab, {}

    def run(self, path, form):
        done = subprocess.run([self.smclab, "decode", "--format", form, path], capture_output=True, text=True, check=False)
        return done.stdout

    def messages(self, path):
        """[(frame, name of the message, its text)]"""
        if path not in self.known:
            names = [(m["frame"], m["message"] or m["protocol"]) for m in map(json.loads, self.run(path, "json").splitlines())]
            blocks = []
            for line in self.run(path, "text").splitlines():
                if line.startswith("frame "):
                    blocks.append([])
                blocks[-1].append(line)
            self.known[path] = [(frame, name, "\n".join(block[1:]) + "\n") for (frame, name), block in zip(names, blocks)]
        return self.known[path]

    def at(self, path, frame):
        return next(((name, text) for number, name, text in self.messages(path) if number == frame), (None, ""))

    def like(self, path, frame, name):
        """A message of that name: the one in this frame, else the first one behind it, else the first at all."""
        same = [(number, text) for number, other, text in self.messages(path) if other == name]
        later = [m for m in same if m[0] >= frame]
        return (later or same or [(0, "")])[0]


def example(decoder, expectation, finding, path, base_path):
    frame = finding["frame"] or 0
    name, bad = decoder.at(path, frame)
    good_frame, good = decoder.like(base_path, frame, name) if name else (0, "")
    base = "traces/captures/" + bases.FILES[expectation.base] + ".pcap" if expectation.base in bases.FILES else f"base {expectation.base}"
    return {"requirement": finding["requirement"], "mutation": expectation.mutation, "base": base, "bad_frame": frame, "good_frame": good_frame,
            "seen": finding["seen"] or "", "expected": finding["expected"] or "", "message": finding["message"], "bad": bad, "good": good}


def record_sensitivity(smclab, folder):
    wanted = corpus.expectations()
    base_paths, paths = write_mutations(wanted, folder)
    results = judge(smclab, sorted(set(base_paths.values()) | set(paths.values())))
    before = {name: counted(results[path]) for name, path in base_paths.items()}
    decoder, checks, examples = Decoder(smclab), [], {}
    for e in sorted(wanted, key=lambda e: e.mutation):
        fired = [f for f in fresh(results[paths[e.mutation]], before[e.base]) if f["verdict"] != "inconclusive"]
        checks.append({"name": e.mutation, "requirements": sorted({f["requirement"] for f in fired})})
        for finding in fired:
            meant = finding["requirement"] == e.requirement and finding["verdict"] in e.verdicts
            if meant and finding["requirement"] not in examples:
                examples[finding["requirement"]] = example(decoder, e, finding, paths[e.mutation], base_paths[e.base])
    return {"checks": [c for c in checks if c["requirements"]], "examples": [examples[name] for name in sorted(examples)]}


def record_captures(smclab):
    names = [os.path.relpath(path, ROOT) for folder in CAPTURES for path in sorted(glob.glob(os.path.join(ROOT, folder, "*.pcap")))]
    results = judge(smclab, [os.path.join(ROOT, name) for name in names])
    return {"tests": [{"name": name, "requirements": sorted(results[os.path.join(ROOT, name)]["exercised"])} for name in names]}


def facts(record):
    return {(kind, entry["name"], requirement) for kind in ("checks", "tests") for entry in record.get(kind, [])
            for requirement in entry["requirements"]}


def compare(name, record):
    """Recorded facts that are not true any more; 1 if there are any."""
    with open(os.path.join(HERE, name), encoding="utf-8") as file:
        old, new = facts(json.load(file)), facts(record)
    for kind, entry, requirement in sorted(old - new):
        print(f"{name}: {entry} {'made no check of' if kind == 'checks' else 'did not evaluate'} {requirement}, though the record says so")
    print(f"{name}: {len(old & new)} of {len(old)} recorded facts hold, {len(new - old)} are not recorded")
    return int(bool(old - new) or not old)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smclab", default=os.environ.get("SMCLAB", "smclab"), help="the program (default: $SMCLAB)")
    parser.add_argument("--out", default=os.path.join(os.environ.get("SMCLAB_BUILD_DIR", "."), "coverage-records"), help="where the mutated captures are written")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    records = {"sensitivity.json": record_sensitivity(options.smclab, options.out), "captures.json": record_captures(options.smclab)}
    if options.check:
        return max([compare(name, record) for name, record in records.items()])
    for name, record in records.items():
        with open(os.path.join(HERE, name), "w", encoding="utf-8") as file:
            json.dump(record, file, indent=1)
            file.write("\n")
        print(f"{name}: {len(facts(record))} facts")
    return 0


if __name__ == "__main__":
    sys.exit(main())
