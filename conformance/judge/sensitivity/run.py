# Measures the judge: does it flag every mutation by the right requirement, and does it leave legal variations alone?
# SPDX-License-Identifier: BSD-3-Clause
"""run.py mutations|variations [--smclab PATH] [--out DIR] [--only NAME] [--area AREA] [-v] [--write-record FILE]"""

import argparse
import json
import os
import sys

import corpus
import registry
from judging import BAD, counted, fresh, judge

# Rows that the specification calls observable elsewhere and that a capture shows all the same
NOT_WIRE = {"CDC-012", "CDC-014", "CLC-054", "LLC-061", "ROCE-005"}
FLAGGED_FLOOR, PAIRS_FLOOR, ROWS_FLOOR, VARIATIONS_FLOOR = 0.95, 120, 0.80, 60


def wire_rows():
    """The rows of the catalogue that a wire can show, as far as this corpus speaks of them."""
    spoken = {e.requirement for e in corpus.expectations()} | set(corpus.not_observable())
    path = os.path.join(corpus.HERE, "..", "requirements.csv")
    if not os.path.exists(path):
        return spoken - NOT_WIRE
    import csv
    with open(path, newline="", encoding="utf-8") as file:
        return {row["id"] for row in csv.DictReader(file) if row["observable"] == "wire"}


def chosen(options):
    out = [e for e in corpus.expectations() if not options.area or e.requirement.startswith(options.area)]
    return [e for e in out if not options.only or options.only in e.mutation]


class Outcome:
    """What the judge said about one expectation."""

    def __init__(self, expectation, findings):
        self.expectation = expectation
        self.bad = sorted({f["requirement"] for f in findings if f["verdict"] in BAD})
        self.fired = sorted({f["requirement"] for f in findings if f["verdict"] != "inconclusive"})
        hits = [f for f in findings if f["requirement"] == expectation.requirement and f["verdict"] in expectation.verdicts]
        near = [f for f in findings if f["requirement"] in expectation.alternatives and f["verdict"] in BAD]
        self.exact, self.near = bool(hits), bool(near)
        wanted = expectation.at_fault
        self.fault = not hits or wanted == "any" or any(f["at_fault"] == wanted for f in hits)
        self.blamed = sorted({f["at_fault"] for f in hits})

    @property
    def right(self):
        return self.exact or self.near

    @property
    def word(self):
        return "ok" if self.exact else "ok (also right)" if self.near else "MISSED"

    def line(self):
        e = self.expectation
        fault = "" if self.fault else f"  blames {','.join(self.blamed)} instead of {e.at_fault}"
        return f"{self.word:16} {e.mutation:40} {e.base:6} {e.requirement:13} {e.verdict:15} found: {' '.join(self.fired) or '-'}{fault}"


def write_mutations(wanted, folder):
    """Files of the bases and of the mutations; the judge's result does not depend on where they lie."""
    base_paths = {name: corpus.write(os.path.join(folder, "base", f"base-{name}.pcap"), corpus.base_bytes(name))
                  for name in sorted({e.base for e in wanted})}
    paths = {e.mutation: corpus.write(os.path.join(folder, "mutations", f"{e.mutation}.pcap"), corpus.mutated(e)) for e in wanted}
    return base_paths, paths


def mutations(options):
    wanted = chosen(options)
    base_paths, paths = write_mutations(wanted, options.out)
    results = judge(options.smclab, sorted(set(base_paths.values()) | set(paths.values())))
    before = {name: counted(results[path]) for name, path in base_paths.items()}
    outcomes = [Outcome(e, fresh(results[paths[e.mutation]], before[e.base])) for e in wanted]
    for outcome in outcomes:
        if options.verbose or not outcome.right or not outcome.fault:
            print(outcome.line())
    if options.write_record:
        write_record(options.write_record, outcomes)
    return summary(options, outcomes)


def write_record(path, outcomes):
    record = [{"mutation": o.expectation.mutation, "base": o.expectation.base, "expected": o.expectation.requirement, "fired": o.fired,
               "ok": o.right} for o in outcomes]
    with open(path, "w", encoding="utf-8") as file:
        json.dump(record, file, indent=1)
        file.write("\n")


def summary(options, outcomes):
    pairs = {(o.expectation.mutation, o.expectation.requirement) for o in outcomes}
    right = {(o.expectation.mutation, o.expectation.requirement) for o in outcomes if o.right}
    rows = wire_rows()
    covered = {o.expectation.requirement for o in outcomes if o.exact} & rows
    blamed = [o for o in outcomes if o.exact and o.expectation.at_fault != "any"]
    print(f"at fault: {sum(o.fault for o in blamed)} of {len(blamed)} named right")
    print(f"sensitivity: {len(right)} of {len(pairs)} pairs flagged by the right requirement, {len(covered)} of {len(rows)} wire rows covered")
    partial = bool(options.only or options.area)
    if len(right) < FLAGGED_FLOOR * len(pairs):
        return 1
    return 0 if partial or len(pairs) >= PAIRS_FLOOR and len(covered) >= ROWS_FLOOR * len(rows) else 1


def write_variations(options):
    """[(variation, base, path)] of every file"""
    out = []
    for name, (_, bases, _) in sorted(registry.VARIATIONS.items()):
        if options.only and options.only not in name:
            continue
        for base in bases:
            for number, data in enumerate(corpus.varied(name, base)):
                path = os.path.join(options.out, "variations", f"{name}-{base}-{number}.pcap")
                out.append((name, base, corpus.write(path, data)))
    return out


def variations(options):
    written = write_variations(options)
    base_paths = {name: corpus.write(os.path.join(options.out, "base", f"base-{name}.pcap"), corpus.base_bytes(name))
                  for name in sorted({base for _, base, _ in written})}
    results = judge(options.smclab, [path for _, _, path in written] + list(base_paths.values()))
    wrong = {}
    for name, base, path in written:
        before = counted(results[base_paths[base]])
        extra = [f for f in fresh(results[path], before) if f["verdict"] in BAD]
        extra += [f for f in results[path]["findings"] if f["verdict"] == "fail" and f not in extra]
        if extra:
            wrong.setdefault(name, []).append((path, extra))
    report_variations(options, wrong)
    names = {name for name, _, _ in written}
    print(f"variations: {len(names) - len(wrong)} of {len(names)} without a finding, {len(written)} captures")
    return 1 if wrong or not options.only and len(names) < VARIATIONS_FLOOR else 0


def report_variations(options, wrong):
    for name, cases in wrong.items():
        print(f"{name}: {len(cases)} captures with findings that they must not have")
        for path, findings in cases if options.verbose else cases[:2]:
            for f in findings[:4]:
                print(f"    {os.path.basename(path)}: {f['verdict']} {f['requirement']} frame {f['frame']}: {f['message']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["mutations", "variations"])
    parser.add_argument("--smclab", default=os.environ.get("SMCLAB", "smclab"), help="the program (default: $SMCLAB)")
    build = os.environ.get("SMCLAB_BUILD_DIR", ".")
    parser.add_argument("--out", default=os.path.join(build, "sensitivity"), help="where the captures are written")
    parser.add_argument("--only", help="part of a name")
    parser.add_argument("--area", help="beginning of a requirement, such as CLC or CLC-04")
    parser.add_argument("--write-record", metavar="FILE", help="which requirements fired for which mutation, as JSON")
    parser.add_argument("-v", "--verbose", action="store_true")
    options = parser.parse_args()
    return mutations(options) if options.what == "mutations" else variations(options)


if __name__ == "__main__":
    sys.exit(main())
