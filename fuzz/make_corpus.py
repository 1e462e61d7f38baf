"""Writes the seed corpora from the captures: messages out of them, segment lists, small captures. Run it when captures change.
SPDX-License-Identifier: BSD-3-Clause

usage: make_corpus.py [OUTPUT FOLDER]    (default: corpus/ beside this file)
Only what adds something is kept: a message whose layout-relevant bytes (type, flags, counts, length) were seen before is not.
Names are the SHA-1 of the content, so that runs agree; files that fuzzing added are left where they are."""
import hashlib
import pathlib
import struct
import sys

HERE = pathlib.Path(__file__).resolve().parent
OUT = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "corpus"
CAPTURES = sorted((HERE.parent / "traces/captures").glob("*.pcap")) + sorted((HERE.parent / "traces/synthetic").glob("*.pcap"))
EYECATCHERS = (b"\xe2\xd4\xc3\xd9", b"\xe2\xd4\xc3\xc4")
CAPTURE_BYTES, JUDGE_BYTES, SEGMENTS = 6000, 12000, 60


def save(kind, data):
    folder = OUT / kind
    folder.mkdir(parents=True, exist_ok=True)
    (folder / hashlib.sha1(data).hexdigest()[:16]).write_bytes(data)


def read_pcap(path):
    """[(header, frame)] of a pcap in either byte order and resolution, and its file header."""
    data = path.read_bytes()
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    packets, at = [], 24
    while at + 16 <= len(data):
        size = struct.unpack(order + "I", data[at + 8:at + 12])[0]
        packets.append((data[at:at + 16], data[at + 16:at + 16 + size]))
        at += 16 + size
    return data[:24], packets


class Frame:
    """An Ethernet frame as far as the corpora need it: addresses, protocol, TCP or RoCE payload."""

    def __init__(self, data):
        self.tcp = self.send = self.record = None
        kind, at = struct.unpack(">H", data[12:14])[0], 14
        while kind in (0x8100, 0x88a8):
            kind, at = struct.unpack(">H", data[at + 2:at + 4])[0], at + 4
        if kind == 0x0800 and len(data) >= at + 20:
            end = at + struct.unpack(">H", data[at + 2:at + 4])[0]
            self.layer4(data[at + 9], data[at + 12:at + 20], data[at + (data[at] & 15) * 4:end])
        elif kind == 0x86dd and len(data) >= at + 40:
            end = at + 40 + struct.unpack(">H", data[at + 4:at + 6])[0]
            self.layer4(data[at + 6], data[at + 8:at + 40], data[at + 40:end])
        elif kind == 0x8915:
            self.roce(data[at + 40:at + 40 + struct.unpack(">H", data[at + 4:at + 6])[0]])
        elif kind == 0x88b5:
            self.record = data[at:]

    def layer4(self, protocol, addresses, data):
        if protocol == 17 and data[2:4] == struct.pack(">H", 4791):
            self.roce(data[8:])
        elif protocol == 6 and len(data) >= 20:
            half = len(addresses) // 2
            sport, dport, seq, ack = struct.unpack(">HHII", data[:12])
            self.tcp = (addresses[:half], sport), (addresses[half:], dport), seq, ack, data[13], data[(data[12] >> 4) * 4:]

    def roce(self, data):
        if len(data) > 16 and data[0] == 4:  # RC SEND only
            pad = data[1] >> 4 & 3
            self.send = data[12:len(data) - 4 - pad]


def clc_messages(frames):
    """CLC messages at the start of each direction of each TCP connection."""
    streams = {}
    for frame in frames:
        if frame.tcp and frame.tcp[5]:
            source, target, seq, _, _, payload = frame.tcp
            streams.setdefault((source, target), {}).setdefault(seq, payload)
    for segments in streams.values():
        data = b"".join(segments[seq] for seq in sorted(segments))
        while data[:4] in EYECATCHERS and len(data) >= 8:
            size = struct.unpack(">H", data[5:7])[0]
            yield data[:size]
            data = data[max(size, 8):]


def shape(message):
    """What decides how a parser walks through a message."""
    if message[:4] in EYECATCHERS:
        return message[4:8] + message[38:40] + message[50:52] + message[80:84] + message[88:92]
    if message[:1] == b"\xfe":
        return message[:2] + message[24:26] + bytes([message[10:12] != b"\0\0", len(message)])
    return message[:6] + struct.pack(">H", len(message))


def segment_list(frames):
    """The input of the `tcp` target: the TCP segments of a capture, relative to the first sequence number of each side."""
    result, first, client = b"", {}, None
    for frame in [f for f in frames if f.tcp][:SEGMENTS]:
        source, target, seq, ack, flags, payload = frame.tcp
        client = client or source
        server = source[0] != client[0] or source[1] == 5000
        port = target[1] if server else source[1]
        seq -= first.setdefault((source, target), seq)
        ack -= first.setdefault((target, source), ack)
        kind = (server and 1) | (flags & 2) | (flags & 1 and 4) | (flags & 4 and 8) | (flags & 16)
        result += struct.pack(">BBHHBB", kind, port % 4, seq & 0xffff, ack & 0xffff, min(len(payload), 255), 0) + payload[:255]
    return result


def cut_capture(head, packets, limit):
    data = head
    for header, frame in packets:
        if len(data) + 16 + len(frame) > limit:
            break
        data += header + frame
    return data


def pcapng(packets):
    """The same as pcapng with one Ethernet interface."""
    def block(kind, body):
        body += b"\0" * (-len(body) % 4)
        return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)
    data = block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1)) + block(1, struct.pack("<HHI", 1, 0, 0))
    for number, (_, frame) in enumerate(packets):
        data += block(6, struct.pack("<IIIII", 0, 0, number * 1000, len(frame), len(frame)) + frame)
    return data


def main():
    seen = set()
    for path in CAPTURES:
        head, packets = read_pcap(path)
        frames = [Frame(frame) for _, frame in packets]
        messages = [("clc", m) for m in clc_messages(frames)]
        messages += [("cdc" if f.send[:1] == b"\xfe" else "llc", f.send) for f in frames if f.send]
        messages += [("cdc", f.record) for f in frames if f.record]
        messages += [("cdc", f.record[60:92]) for f in frames if f.record and f.record[60:61] == b"\xfe"]
        for kind, message in messages:
            if (kind, shape(message)) not in seen:
                seen.add((kind, shape(message)))
                save(kind, message)
        save("tcp", segment_list(frames))
        save("capture", cut_capture(head, packets, CAPTURE_BYTES))
        save("judge", cut_capture(head, packets, JUDGE_BYTES))
    for path in CAPTURES[::8]:
        save("capture", pcapng(read_pcap(path)[1][:20]))
    for folder in sorted(OUT.iterdir()):
        files = list(folder.iterdir())
        print(f"{len(files):5} files {sum(f.stat().st_size for f in files):8} bytes  {folder.name}")


main()
