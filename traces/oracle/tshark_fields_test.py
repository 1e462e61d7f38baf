"""Test: every smc.* field that tshark decodes in the captures has the value that `smclab decode` gives it, at the same place.
SPDX-License-Identifier: BSD-3-Clause

fields.csv maps tshark's names to ours (several of ours where tshark uses one name in many places: the byte offset decides);
`a+b` joins neighbouring fields, `a[12:16]` takes bytes of one. ignored.csv lists what is not compared and why, perhaps only
where a field of ours has a value. counts.csv says how many values were compared in each capture when this was last recorded;
`--record` writes it. A field in neither list, a value that differs or a smaller number is a failure."""
import collections
import csv
import json
import os
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

HERE = pathlib.Path(__file__).resolve().parent
CAPTURES = sorted((HERE.parent / "captures").glob("*.pcap")) + sorted((HERE.parent / "synthetic").glob("*.pcap"))
SMCLAB = os.environ.get("SMCLAB", "smclab")
TYPES = ("smc.clc_msg", "smc.llc_msg")
# An ICMP error quotes the packet it is about; tshark dissects the quotation, which nobody sent.
SEQUENCE = ("infiniband.bth.psn", "infiniband.bth.destqp", "ip.dst", "ipv6.dst", "infiniband.grh.dgid")
FILTER = "smc && !icmp && !(icmpv6.type < 128)"


def table(name):
    with open(HERE / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


MAPPED = {row["tshark"]: row["ours"].split() for row in table("fields.csv")}
IGNORED = collections.defaultdict(list)
for row in table("ignored.csv"):
    IGNORED[row["tshark"]].append(row["where"])


class Theirs:
    """One field of tshark: name, offset in the message, bytes of it; `bits` is its value where it is a part of a byte."""

    def __init__(self, element, start):
        self.name = element.get("name")
        self.offset = int(element.get("pos")) - start
        self.bits = int(element.get("value"), 16) if element.get("unmaskedvalue") else None
        self.bytes = b"" if self.bits is not None else bytes.fromhex(element.get("value") or "")


class Packet:
    """What tshark sees of SMC in one frame: `messages` are (type, fields); `sequence` names a packet of RoCE, and so its
    retransmissions, which `decode` leaves out."""

    def __init__(self, packet):
        self.frame = int(packet.find("proto[@name='geninfo']/field[@name='num']").get("show"))
        self.messages = []
        for proto in packet.findall("proto[@name='smc']"):
            fields = [Theirs(e, int(proto.get("pos"))) for e in proto.iter("field") if e.get("name").startswith("smc.")]
            kind = next((int.from_bytes(f.bytes, "big") for f in fields if f.name in TYPES), None)
            self.messages.append((kind, fields))
        shown = {e.get("name"): e.get("show") for e in packet.iter("field")}
        self.sequence = tuple(shown.get(name) for name in SEQUENCE) if SEQUENCE[0] in shown else None


def tshark_packets(path):
    command = ["tshark", "-r", str(path), "-Y", FILTER, "-T", "pdml"]
    out = subprocess.run(command, check=True, capture_output=True).stdout
    return [Packet(packet) for packet in ElementTree.fromstring(out).findall("packet")]


class Ours:
    """One message of `smclab decode`: fields by name, a name can occur several times (areas that repeat)."""

    def __init__(self, message):
        self.name = message["message"]
        self.fields = collections.defaultdict(list)
        for field in message["fields"]:
            self.fields[f'{field["layout"]}.{field["name"]}'].append(field)
        self.kind = next((f["value"] for f in message["fields"] if f["name"] == "type"), None)

    def at(self, expression, offset):
        """(value, size) of a mapped expression whose first byte stands at `offset`, or None."""
        match = re.fullmatch(r"([a-z0-9_.]+)\[(\d+):(\d+)\]", expression)
        if match:
            first, last = int(match.group(2)), int(match.group(3))
            whole = self.at(match.group(1), offset - first)
            return whole and whole[first:last]
        joined = b""
        for name in expression.split("+"):
            found = [f for f in self.fields[name] if f["offset"] == offset + len(joined)]
            if not found:
                return None
            joined += to_bytes(found[0])
        return joined

    def holds(self, condition):
        name, value = condition.split("=")
        return any(str(f["value"]) == value for f in self.fields[name])


def to_bytes(field):
    """An integer becomes `size` bytes; the part of a byte becomes one of that value."""
    value = field["value"]
    if isinstance(value, str) and value.startswith("0x"):
        value = int(value, 16)
    return value.to_bytes(field["size"], "big") if isinstance(value, int) else bytes.fromhex(value)


def our_messages(path):
    out = subprocess.run([SMCLAB, "decode", "--format", "json", str(path)], check=True, capture_output=True, text=True).stdout
    frames = collections.defaultdict(list)
    for line in filter(None, out.split("\n")):
        message = json.loads(line)
        if message["protocol"] in ("CLC", "LLC", "CDC"):
            frames[message["frame"]].append(Ours(message))
    return frames


def compare_field(field, message):
    """None if ignored, "" if equal, otherwise what is wrong."""
    if any(not where or message.holds(where) for where in IGNORED.get(field.name, [])):
        return None
    if field.name not in MAPPED:
        return f"{field.name} is in neither list"
    values = [message.at(expression, field.offset) for expression in MAPPED[field.name]]
    values = [value for value in values if value is not None]
    if not values:
        return f"{field.name} at byte {field.offset} of {message.name}: `decode` has none of {MAPPED[field.name]} there"
    want = field.bytes if field.bits is None else field.bits.to_bytes(len(values[0]), "big")
    return "" if want in values else f"{field.name} at byte {field.offset} of {message.name}: " \
        f"tshark {want.hex()}, smclab {values[0].hex()}"


def partner(kind, packet, ours, sent):
    """Our message for one of tshark's: of the same frame and type, or the one that this packet repeats."""
    match = next((m for m in ours[packet.frame] if m.kind == kind), None)
    if match is not None:
        ours[packet.frame].remove(match)
        if packet.sequence:
            sent[packet.sequence] = match
    return match or sent.get(packet.sequence)


def compare(path):
    """(values compared, faults)"""
    ours, sent, compared, faults = our_messages(path), {}, 0, []
    for packet in tshark_packets(path):
        for kind, fields in packet.messages:
            match = partner(kind, packet, ours, sent)
            if match is None:
                faults.append(f"{path.name} frame {packet.frame}: tshark sees a message of type {kind}, smclab does not")
                continue
            results = [compare_field(field, match) for field in fields]
            compared += results.count("")
            faults += [f"{path.name} frame {packet.frame}: {text}" for text in results if text]
    return compared, faults


def main():
    recorded = {row["capture"]: int(row["compared"]) for row in table("counts.csv")} if "--record" not in sys.argv else {}
    counts, faults = {}, []
    for path in CAPTURES:
        name = f"{path.parent.name}/{path.name}"
        counts[name], found = compare(path)
        faults += found
        if counts[name] < recorded.get(name, 0):
            faults.append(f"{name}: {counts[name]} values compared, {recorded[name]} were")
        if name not in recorded and "--record" not in sys.argv:
            faults.append(f"{name}: not in counts.csv (run with --record)")
        print(f"{counts[name]:7} {name}")
    faults += [f"{name}: in counts.csv, but no such capture" for name in recorded if name not in counts]
    print(f"{sum(counts.values()):7} fields compared in {len(counts)} captures", *faults[:100], sep="\n")
    if "--record" in sys.argv and not faults:
        with open(HERE / "counts.csv", "w", encoding="utf-8") as file:
            file.write("capture,compared\n" + "".join(f"{name},{count}\n" for name, count in counts.items()))
    return 1 if faults else 0


sys.exit(main())
