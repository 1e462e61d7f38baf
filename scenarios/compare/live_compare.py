"""The same scenario with a real kernel as one host and on simulated hosts: message order, verdicts, fallback reasons.
SPDX-License-Identifier: BSD-3-Clause

Order is compared for each sender alone: what the two sides send at once may cross in either order. Of CDCs, whose number is a
matter of timing, the states of a connection that they announce are compared, in each direction. Verdicts are those of
`smclab check`, of each rule and side, that of a rule that one capture evaluates and the other does not being `not exercised`."""
import difflib
import fnmatch
import json
import os
import re
import subprocess

from kernel_compare import Capture, decode, field

STATES = ("sending_done", "closed", "abnormal_close", "urgent_present", "failover_validation")  # announced once and for all, or for an event
RANK = ("pass", "inconclusive", "deviation", "warn", "fail")


def check(smclab, path):
    done = subprocess.run([smclab, "check", "--format", "json", path], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1, 77):
        raise RuntimeError(f"{path}: {done.stderr}")
    return json.loads(done.stdout)["files"][0]


def message_text(message):
    """What makes two messages the same one: its kind and what it says of itself that no side is free to choose."""
    words = [message["message"]]
    for name in ("response", "reject", "link_number", "all", "orderly", "reason", "diagnosis"):
        value = field(message, name)
        if value:
            words.append(name if name in ("response", "reject", "all", "orderly") else f"{name} {value}")
    return " ".join(words)


def announced(message):
    return " ".join(name for name in STATES if field(message, name)) or "open"


def streams(smclab, path):
    """{stream: [text]}: what each side sent, in its order."""
    capture, found = Capture(smclab, path), {}
    for m in capture.messages:
        m["message"] = m["message"] or "not understood"
        side = capture.sender(m, capture.side_of)
        name = capture.stream_of(m, side)
        if "test_link" in m["message"]:
            continue  # sent when it was quiet for some seconds: a matter of time alone
        if m["protocol"] == "CDC":
            states = found.setdefault(name, [])
            if not states or states[-1] != announced(m):
                states.append(announced(m))
            continue
        if m["protocol"] == "TCPOPT":
            capture.numbered(capture.connections, m["connection"])
        stream = f"{name} of the {side}" if name == "handshake" else name  # a side's DELETE RKEYs and their answers take turns
        found.setdefault(stream, []).append(message_text(m))
    return found


def verdicts(checked):
    """{(requirement, side): verdict}; side `both` for what was evaluated and not laid to one side."""
    found = {(requirement, "both"): "pass" for requirement in checked["exercised"]}
    for f in checked["findings"]:
        key = (f["requirement"], f["at_fault"] if f["verdict"] != "inconclusive" else "both")
        word = f["verdict"] if not f["deviation"] else f"{f['verdict']} {f['deviation']}"
        if RANK.index(word.split()[0]) > RANK.index(found.get(key, "pass").split()[0]):
            found[key] = word
    return found


def connections(smclab, path, checked):
    """[mode, version, Decline, fallback reason] in the order of the connections. Not those of the run before, of which a real machine
    may still have something to say: they begin in no packet of this capture."""
    begun = {m["from"] for m in decode(smclab, path) if m["protocol"] == "TCPOPT"}
    return [f"{c['mode']} {c['version']}; {c['decline']}; {c['fallback']}" for c in checked["connections"]
            if c["client"] in begun or c["mode"] != "TCP" or c["fallback"] or c["bytes"]["client_to_server"] is not None]


def speaks_first(smclab, path):
    """Is a connection of it of version 1?"""
    return any(str(c["version"]).split(".")[0] == "1" for c in check(smclab, path)["connections"])


def order_differences(sim, live):
    found = []
    for stream in sorted(set(sim) | set(live)):
        a, b = sim.get(stream, []), live.get(stream, [])
        for tag, i, j, k, n in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
            if tag != "equal":
                found.append(("order", stream, ", ".join(a[i:j]) or "nothing", ", ".join(b[k:n]) or "nothing"))
    return found


def verdict_differences(sim, live):
    found = []
    for key in sorted(set(sim) | set(live)):
        otherwise = "pass" if key[1] != "both" else "not exercised"
        a, b = sim.get(key, otherwise), live.get(key, otherwise)
        if a != b:
            found.append(("verdict", f"{key[0]} of the {key[1]}" if key[1] != "both" else key[0], a, b))
    return found


def differences(smclab, sim, live):
    """[(what, where, in the simulation, live)] of two captures."""
    checked = check(smclab, sim), check(smclab, live)
    found = order_differences(streams(smclab, sim), streams(smclab, live)) + verdict_differences(*map(verdicts, checked))
    a, b = (connections(smclab, path, c) for path, c in zip((sim, live), checked))
    if len(a) != len(b):
        found.append(("connections", "number", str(len(a)), str(len(b))))
    found += [("connections", f"connection {i + 1}", x, y) for i, (x, y) in enumerate(zip(a, b)) if x != y]
    return found


def table(document, heading):
    """The rows of the table below a heading, as lists of cells."""
    with open(document, encoding="utf-8") as file:
        section = file.read().split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [[cell.strip().strip("`") for cell in line.strip().strip("|").split("|")] for line in section.splitlines() if line.startswith("|")]
    return rows[2:]


def numbers(version):
    """"Linux 6.12.117+deb13-amd64", "6.12": (6, 12, 117), (6, 12); () if there is none."""
    match = re.match(r"(?:Linux )?(\d+(?:\.\d+)*)", version)
    return tuple(map(int, match[1].split("."))) if match else ()


def is_for(cell, role, version):
    """The cell of the real host: a pattern, and what versions of Linux the row is for: "* from 7.0", "client until 6.14". A version that is
    not known is of any."""
    pattern, since, until = re.fullmatch(r"(\S+?)(?: from ([\d.]+))?(?: until ([\d.]+))?", cell).groups()
    here = numbers(version or "")
    return fnmatch.fnmatchcase(role, pattern) and (not here or ((not since or here >= numbers(since)) and (not until or here < numbers(until))))


def rows_for(rows, scenario, role, difference, version=None):
    """Ids of the rows that allow it. Cells: id, scenario, real host, what, where, in the simulation, live, capture, reason."""
    cells = (scenario, *difference)
    return [row[0] for row in rows if is_for(row[2], role, version) and
            all(fnmatch.fnmatchcase(cell, re.sub(r"\[", "[[]", pattern)) for cell, pattern in zip(cells, row[1:2] + row[3:7]))]


def short(path):
    """`scenarios/kernel/x.lua` is `kernel/x`, wherever it was run from."""
    parts = os.path.normpath(path).split(os.sep)
    return "/".join(parts[parts.index("scenarios") + 1:] if "scenarios" in parts else parts[-2:])[:-4]
