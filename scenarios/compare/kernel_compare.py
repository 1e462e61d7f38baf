"""What two captures of the same behaviour have in common, and where they differ.
SPDX-License-Identifier: BSD-3-Clause

Messages are compared in streams whose order the protocol fixes: the handshake (TCP option, CLC and LLC in one order), the
DELETE RKEYs of either side, the TEST LINKs of either side, and the CDCs of each connection in each direction. Before,
what is arbitrary is named by its first appearance: addresses, QPNs, PSNs, rkeys, tokens, ids; so it must be equal
where it was equal in the other capture, and different where it was different."""
import difflib
import ipaddress
import json
import subprocess

SIDES = ("client", "server")
# The fields of each kind of arbitrary value. Fields of one kind share their names.
KINDS = {"instance": "instance", "peer_mac": "mac", "mac": "mac", "gid": "gid", "roce_gid": "gid", "target_gid": "gid", "ism_gid": "gid",
         "gid_ext": "gid_ext", "qpn": "qpn", "psn": "psn", "rkey": "rkey", "ref_rkey": "rkey", "ref_rkey1": "rkey", "rkey2": "rkey",
         "new_rkey": "other rkey", "new_rkey1": "other rkey", "rkey1": "other rkey", "va": "va", "rmb_va": "va", "new_va": "other va", "new_va1": "other va",
         "va1": "other va", "token": "token", "link_id": "link_id", "link_user_id": "link_user_id", "hostname": "hostname"}
PER_SIDE = ("qpn", "psn", "rkey", "other rkey", "va", "other va", "token", "link_id")


def decode(smclab, path):
    done = subprocess.run([smclab, "decode", "--format", "json", path], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 77):
        raise RuntimeError(f"{path}: {done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def field(message, name):
    return next((f["value"] for f in message["fields"] if f["name"] == name), None)


def plain_address(text):
    """IPv4 mapped into IPv6 is IPv4; the port is cut."""
    if text.startswith("["):
        text = text[1:text.index("]")]
    elif text.count(":") == 1:
        text = text[:text.index(":")]
    address = ipaddress.ip_address(text)
    return getattr(address, "ipv4_mapped", None) or address


def kind_of(message, name):
    """`rkey1` is the first of the keys to be deleted, elsewhere that of the other link."""
    return "rkey" if name == "rkey1" and "delete_rkey" in message["message"] else KINDS.get(name)


class Capture:
    """The messages of a capture from a time on, with who sent them."""

    def __init__(self, smclab, path, from_ns=0):
        messages = [m for m in decode(smclab, path) if not m["message"] or not m["message"].startswith("smcd_")]
        start = messages[0]["time_ns"] if messages else 0
        self.messages = [m for m in messages if m["time_ns"] - start >= from_ns]
        self.connections, self.links, self.names = {}, {}, {}
        self.clients = {}
        for m in self.messages:
            if m["protocol"] == "TCPOPT" and m.get("connection") not in self.clients:
                self.clients[m["connection"]] = m["from"]
        self.side_of = self.learn_sides()

    def learn_sides(self):
        sides = {plain_address(m["from"]): self.sender(m, {}) for m in self.messages if m["protocol"] in ("TCPOPT", "CLC")}
        for m in self.messages:
            gid = field(m, "gid")
            if m["protocol"] == "CLC" and field(m, "type") in (2, 3) and gid and len(gid) == 32:
                sides[plain_address(str(ipaddress.IPv6Address(bytes.fromhex(gid))))] = self.sender(m, sides)
        for m in self.messages:
            if m["message"] and m["message"].startswith("llc_add_link") and field(m, "gid") and not field(m, "reject"):
                sides.setdefault(plain_address(str(ipaddress.IPv6Address(bytes.fromhex(field(m, "gid"))))), self.sender(m, sides))
        return sides

    def sender(self, m, sides):
        if m["protocol"] in ("TCPOPT", "CLC"):
            return "client" if m["from"] == self.clients.get(m["connection"]) else "server"
        return sides.get(plain_address(m["from"]), "unknown")

    def name(self, kind, value, owner):
        """The value by its first appearance; nothing stays nothing."""
        if not value or not str(value).strip("0x"):
            return "none"
        key = (kind, value, owner if kind in PER_SIDE else None)
        if key not in self.names:
            self.names[key] = f"{kind} {sum(k[0] == kind for k in self.names) + 1}"
        return self.names[key]

    def owner(self, m, side, kind):
        """Whose value it is: an answer repeats what the other side has asked about; a CDC names the receiver's token."""
        echoes = kind == "token" and m["protocol"] == "CDC" or bool(field(m, "response")) and "rkey" in m["message"]
        return SIDES[1 - SIDES.index(side)] if echoes and side in SIDES else side

    def numbered(self, table, key):
        return table.setdefault(key, len(table) + 1)

    def stream_of(self, m, side):
        asker = SIDES[1 - SIDES.index(side)] if field(m, "response") and side in SIDES else side
        if m["protocol"] == "CDC":
            return f"CDC of the {side} on connection {self.numbered(self.connections, m.get('connection'))}"
        if "delete_rkey" in m["message"]:
            return f"DELETE RKEY of the {asker}"
        if "test_link" in m["message"]:
            return f"TEST LINK of the {asker}"
        return "handshake"

    def streams(self):
        found = {}
        for m in self.messages:
            side = self.sender(m, self.side_of)
            if m["protocol"] == "TCPOPT":
                self.numbered(self.connections, m["connection"])
            link = self.numbered(self.links, frozenset(map(plain_address, (m["from"], m["to"])))) if m["protocol"] == "LLC" else 0
            fields, counts = {}, {}
            for f in m["fields"]:
                counts[f["name"]] = counts.get(f["name"], 0) + 1
                label = f["name"] if counts[f["name"]] == 1 else f"{f['name']}#{counts[f['name']]}"
                kind = kind_of(m, f["name"])
                fields[label] = self.name(kind, f["value"], self.owner(m, side, kind)) if kind else f["value"]
            key = (side, link, m["message"], field(m, "response"), field(m, "reject"))
            found.setdefault(self.stream_of(m, side), []).append((key, fields, m))
        return found


def message_text(entry):
    return entry[0][2]


def differences(kernel, ours):
    """[(message, field or `message`, the kernel's value, ours, where)]; a message that only one has: `present` and `absent`."""
    found = []
    theirs, mine = kernel.streams(), ours.streams()
    for stream in sorted(set(theirs) | set(mine)):
        a, b = theirs.get(stream, []), mine.get(stream, [])
        matcher = difflib.SequenceMatcher(None, [e[0] for e in a], [e[0] for e in b], autojunk=False)
        for tag, i, j, k, n in matcher.get_opcodes():
            if tag == "equal":
                for left, right in zip(a[i:j], b[k:n]):
                    where = f"{stream}: frame {left[2]['frame']} of the kernel, {right[2]['frame']} of ours"
                    for name in sorted(set(left[1]) | set(right[1])):
                        if left[1].get(name) != right[1].get(name):
                            found.append((message_text(left), name, str(left[1].get(name, "absent")), str(right[1].get(name, "absent")), where))
                continue
            found += [(message_text(e), "message", "present", "absent", f"{stream}: frame {e[2]['frame']} of the kernel") for e in a[i:j]]
            found += [(message_text(e), "message", "absent", "present", f"{stream}: frame {e[2]['frame']} of ours") for e in b[k:n]]
    return found
