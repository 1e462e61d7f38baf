"""Turns the records of runs into coverage_records.c: what covers each requirement, and a bad and a good frame for it.
SPDX-License-Identifier: BSD-3-Clause

generate_coverage.py requirements.csv not_observable.csv not_exercised.csv OUTPUT_FILE RECORD.json…"""
import csv
import json
import sys

from generate_catalogue import quoted, read

KINDS = {"check": "JUDGE_COVER_CHECK", "scenario": "JUDGE_COVER_SCENARIO", "test": "JUDGE_COVER_TEST"}


def quoted_lines(text):
    """A C string of any length, a piece a line."""
    return "\n     ".join('"' + quoted(line.rstrip("\n"))[1:-1] + ("\\n" if line.endswith("\n") else "") + '"'
                          for line in text.splitlines(keepends=True) or [""])


def collect(paths, index):
    covers, examples = set(), {}
    for path in paths:
        with open(path, encoding="utf-8") as file:
            record = json.load(file)
        for kind in KINDS:
            for entry in record.get(kind + "s", []):
                unknown = [req for req in entry["requirements"] if req not in index]
                if unknown:
                    sys.exit(f"{path}: {entry['name']} names {unknown[0]}, which is not in the catalogue: record anew")
                covers |= {(index[req], kind, entry["name"]) for req in entry["requirements"]}
        for example in record.get("examples", []):
            examples.setdefault(index[example["requirement"]], example)
    return sorted(covers), dict(sorted(examples.items()))


def example_row(number, e):
    texts = ", ".join(f".{key} = {quoted(e[key])}" for key in ("mutation", "base", "seen", "expected", "message"))
    return (f"    {{.requirement = {number}, .bad_frame = {e['bad_frame']}, .good_frame = {e['good_frame']}, {texts},\n"
            f"     .bad = {quoted_lines(e['bad'])},\n     .good = {quoted_lines(e['good'])}}},")


def reasons_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return {row["requirement"]: row["reason"] for row in csv.DictReader(file)}


def reason_table(name, rows, why):
    lines = [f"    {quoted(why[row['id']]) if row['id'] in why else 'NULL'}," for row in rows]
    return [f"const char *const {name}[] = {{", *lines, "};"]


def main():
    catalogue, reasons, rest, output, *records = sys.argv[1:]
    rows = read(catalogue)
    index = {row["id"]: number for number, row in enumerate(rows)}
    covers, examples = collect(records, index)
    lines = ["/* What covers each requirement. Generated from the records in coverage/.\n * SPDX-License-Identifier: BSD-3-Clause */",
             '#include "conformance/judge/coverage.h"\n',
             # A table needs at least one row; the last one is not counted.
             "const struct judge_coverage judge_coverage[] = {"]
    lines += [f"    {{{number}, {KINDS[kind]}, {quoted(name)}}}," for number, kind, name in covers]
    lines += ["    {0}};", f"const size_t judge_coverage_size = {len(covers)};\n", "const struct judge_example judge_examples[] = {"]
    lines += [example_row(number, e) for number, e in examples.items()]
    lines += ["    {0}};", f"const size_t judge_examples_size = {len(examples)};\n"]
    lines += reason_table("judge_not_observable", rows, reasons_of(reasons))
    lines += reason_table("judge_not_exercised", rows, reasons_of(rest))
    with open(output, "w", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
