"""Test: the Wireshark plugin in tshark shows every CLC and LLC message and SMC-D record with the fields of `smclab decode`.
SPDX-License-Identifier: BSD-3-Clause

Compared in both directions, by frame, layout, field and offset: a field that only one of them has is a failure too (but for
reserved fields that are zero, which the plugin hides). That includes SMC-Rv2 LLC, which tshark 4.0 alone does not decode."""
import collections
import json
import os
import pathlib
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

HERE = pathlib.Path(__file__).resolve().parent
CAPTURES = sorted((HERE.parent / "captures").glob("*.pcap")) + sorted((HERE.parent / "synthetic").glob("*.pcap"))
SMCLAB = os.environ["SMCLAB"]
PLUGIN = os.path.join(os.environ["SMCLAB_BUILD_DIR"], "generated/smclab.lua")
LEAST_FIELDS, LEAST_V2 = 10000, 60
# `decode` leaves out retransmissions (same PSN, queue pair and destination); the plugin shows each packet as it is.
SEQUENCE = ("infiniband.bth.psn", "infiniband.bth.destqp", "ip.dst", "ipv6.dst", "infiniband.grh.dgid")
FILTER = "smclab && !icmp && !(icmpv6.type < 128)"  # ICMP errors quote packets


def own_fields(element):
    """The fields below a message, without those of a message inside it (the CDC block of a record)."""
    for child in element:
        if child.find("field[@name='smclab.message']") is None:
            yield child
            yield from own_fields(child)


def number(text):
    return {"True": 1, "False": 0}[text] if text in ("True", "False") else int(text, 0)


def plugin_messages(path):
    """(frame, message) → [{(layout, field, offset): value}]; an integer, or hex digits"""
    command = ["tshark", "-X", f"lua_script:{PLUGIN}", "-r", str(path), "-Y", FILTER, "-T", "pdml"]
    result = subprocess.run(command, check=True, capture_output=True)
    if b"Lua" in result.stderr:
        sys.exit(result.stderr.decode())
    messages, sent = collections.defaultdict(list), set()
    for packet in ElementTree.fromstring(result.stdout).findall("packet"):
        frame = int(packet.find("proto[@name='geninfo']/field[@name='num']").get("show"))
        shown = {e.get("name"): e.get("show") for e in packet.iter("field")}
        sequence = tuple(shown.get(name) for name in SEQUENCE)
        if SEQUENCE[0] in shown and sequence in sent:
            continue
        sent.add(sequence)
        for element in packet.iter():
            name = element.find("field[@name='smclab.message']")
            if name is None:
                continue
            fields = {}
            for field in own_fields(element):
                parts = field.get("name", "").split(".")
                if len(parts) == 3 and parts[2] != "data":
                    offset = int(field.get("pos")) - int(name.get("pos"))
                    fields[(parts[1], parts[2], offset)] = field
            messages[frame, name.get("show")].append(fields)
    return messages


def our_messages(path):
    out = subprocess.run([SMCLAB, "decode", "--format", "json", str(path)], check=True, capture_output=True, text=True).stdout
    messages = collections.defaultdict(list)
    for line in filter(None, out.split("\n")):
        message = json.loads(line)
        if message["protocol"] in ("CLC", "LLC", "RECORD") or (message["message"] or "").startswith("smcd_cdc"):
            fields = {(f["layout"], f["name"], f["offset"]): f["value"] for f in message["fields"]}
            messages[message["frame"], message["message"]].append(fields)
    return messages


def same(ours, field):
    if isinstance(ours, str) and not ours.startswith("0x"):
        return field.get("value") == ours
    want = int(ours, 16) if isinstance(ours, str) else ours
    show = field.get("show")
    if show.count(".") == 3:
        show = str(int.from_bytes(bytes(map(int, show.split("."))), "big"))
    return number(show) == want


def hidden(key, value):
    return key[1].startswith("reserved") and (value == 0 or isinstance(value, str) and not value.strip("0x"))


def compare(ours, theirs):
    for key, value in ours.items():
        if key not in theirs:
            if not hidden(key, value):
                yield f"the plugin lacks {key}"
        elif not same(value, theirs[key]):
            yield f"{key}: smclab {value}, plugin {theirs[key].get('show')}"
    for key in theirs.keys() - ours.keys():
        yield f"only the plugin has {key}"


def main():
    faults, fields, messages, v2 = [], 0, 0, 0
    for path in CAPTURES:
        ours, theirs = our_messages(path), plugin_messages(path)
        for key in sorted(ours.keys() | theirs.keys()):
            mine, shown = ours.get(key, []), theirs.get(key, [])
            if len(mine) != len(shown):
                faults.append(f"{path.name} frame {key[0]}: {len(mine)} {key[1]} by smclab, {len(shown)} by the plugin")
            for a, b in zip(mine, shown):
                faults += [f"{path.name} frame {key[0]} {key[1]}: {text}" for text in compare(a, b)]
                fields, messages, v2 = fields + len(b), messages + 1, v2 + (key[1].startswith("llc_") and key[1].endswith("_v2"))
    print(f"{fields} fields of {messages} messages compared, {v2} messages are LLC of SMC-Rv2", *faults[:40], sep="\n")
    return 1 if faults or fields < LEAST_FIELDS or v2 < LEAST_V2 else 0


sys.exit(main())
