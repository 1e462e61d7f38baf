"""Turns requirements.csv into catalogue_ids.h (one constant a row) and catalogue.c (the rows themselves).
SPDX-License-Identifier: BSD-3-Clause

generate_catalogue.py requirements.csv OUTPUT_FOLDER"""
import csv
import os
import re
import sys

COLUMNS = ["id", "level", "source", "area", "text", "observable", "how", "negative"]
LEVELS = ("MUST", "SHOULD", "MAY", "IMPL")
# A retired row keeps its id, so that nobody gives it to another rule; nothing checks it.
OBSERVABLE = ("wire", "api", "state", "retired")
BANNER = "/* {} Generated from requirements.csv.\n * SPDX-License-Identifier: BSD-3-Clause */\n"


def fault(row):
    """What is wrong with a row, or None."""
    if set(row) != set(COLUMNS) or None in row.values():
        return "has not exactly the columns " + ", ".join(COLUMNS)
    if not re.fullmatch(r"[A-Z]+-\d{3}", row["id"]):
        return f"id {row['id']!r} is not AREA-nnn"
    if row["id"].split("-")[0] != row["area"]:
        return f"{row['id']} stands in area {row['area']}"
    if row["level"] not in LEVELS:
        return f"{row['id']} has level {row['level']!r}"
    if row["observable"] not in OBSERVABLE:
        return f"{row['id']} is observable by {row['observable']!r}"
    if not row["text"]:
        return f"{row['id']} says nothing"
    return None


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    seen = set()
    for number, row in enumerate(rows, 2):
        wrong = fault(row)
        if wrong is None and row["id"] in seen:
            wrong = f"{row['id']} stands there twice"
        if wrong is not None:
            sys.exit(f"{path}: row {number} {wrong}")
        seen.add(row["id"])
    return rows


def quoted(text):
    """A C string literal; bytes beyond ASCII in octal, which cannot run into the character behind."""
    out = []
    for byte in text.encode("utf-8"):
        if byte in b'"\\?':
            out.append("\\" + chr(byte))
        elif 0x20 <= byte < 0x7f:
            out.append(chr(byte))
        else:
            out.append(f"\\{byte:03o}")
    return '"' + "".join(out) + '"'


def header(rows):
    lines = [BANNER.format("Index of each requirement in judge_catalogue."),
             "#ifndef JUDGE_CATALOGUE_IDS_H\n#define JUDGE_CATALOGUE_IDS_H\n", "enum judge_req {"]
    lines += [f"    REQ_{row['id'].replace('-', '_')}," for row in rows]
    lines += ["    JUDGE_REQUIREMENTS /* how many there are */", "};\n", "#endif\n"]
    return "\n".join(lines)


def table(rows):
    lines = [BANNER.format("The catalogue of requirements."), '#include "conformance/judge/result.h"\n',
             "const struct judge_requirement judge_catalogue[] = {"]
    for row in rows:
        texts = "".join(f".{name} = {quoted(row[name])},\n     "
                        for name in ("id", "source", "area", "text", "observable", "how", "negative"))
        lines.append(f"    {{{texts}.level = JUDGE_{row['level']}}},")
    lines += ["};\n", f"const size_t judge_catalogue_size = {len(rows)};\n"]
    return "\n".join(lines)


def main():
    source, folder = sys.argv[1:]
    rows = read(source)
    os.makedirs(folder, exist_ok=True)
    for name, text in (("catalogue_ids.h", header(rows)), ("catalogue.c", table(rows))):
        with open(os.path.join(folder, name), "w", encoding="ascii") as file:
            file.write(text)


if __name__ == "__main__":
    main()
