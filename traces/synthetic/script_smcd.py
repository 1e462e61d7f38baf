# Scripts of the synthetic captures: CLC of SMC-D, version 1 and version 2, on native ISM.
# SPDX-License-Identifier: BSD-3-Clause

import messages as msg
from stage import SUBNET, capture, hosts, meet
from world import Tcp

ISM_GID = {"c": 0x2C21_0500_0000_A111, "s": 0x2C21_0500_0000_B222}
CHID = 0x07C0
SEID = b"IBM-SYSZ-ISMSEID000000001F3A3906"
SIZE = {"c": 0, "s": 2}  # 16 KiB and 64 KiB
ZOS = 1


class ConnectionD:
    """CLC of one SMC-D connection; what is written into the DMBs is on no wire."""

    def __init__(self, world, client, server, cport):
        self.world, self.host = world, {"c": client, "s": server}
        self.tcp = Tcp(world, client, server, cport)
        self.tcp.stream["unseen"] = True
        self.token = {x: world.rand(48) << 8 | 1 for x in "cs"}
        self.links = {"c": 0x00000100, "s": 0x00000200}

    def proposal_v1(self, roce_too):
        """Version 1, typev1 = D (1) or both (3), offset 40."""
        host, nic = self.host["c"], self.host["c"].nics[0]
        peer_id, gid, mac = (host.peer_id, nic.gid, nic.mac) if roce_too else (bytes(8), bytes(16), bytes(6))
        area = msg.smcd_area(ISM_GID["c"], 0, 0)
        self.tcp.send("c", msg.proposal_offset(1, 3 if roce_too else 1, 0, peer_id, gid, mac, area, SUBNET))

    def proposal_v2(self, eids=()):
        """Version 2, typev1 = D, typev2 = D: the native device stands in the locator area, a second one in the list."""
        area = msg.smcd_area(ISM_GID["c"], CHID, 36)
        second = [(0x2C21_0500_0000_C333, 0x07C1)]
        rest = SUBNET + msg.v2_extension(eids, len(second), 0, True, bytes(16), 0, 0, 0, 32 + 32 * len(eids))
        rest += msg.smcd_extension(SEID, second)
        self.tcp.send("c", msg.proposal_offset(2, 1, 1, bytes(8), bytes(16), bytes(6), area, rest))

    def answer(self, side, version, first, eid=SEID):
        kind, extra = msg.ACCEPT if side == "s" else msg.CONFIRM, bytes(12)
        if version == 2:
            extra = CHID.to_bytes(2, "big") + eid + bytes(8)
            if first:
                extra += msg.first_contact_extension(ZOS, 0, "SYS" + side.upper(), long=False)
        self.tcp.send(side, msg.accept_confirm_d(kind, version, first, ISM_GID[side], self.token[side], 0, SIZE[side],
                                                 self.links[side], extra))
        self.world.pause(100)


def open_d(world, client, server, cport, version, first, **proposal):
    conn = ConnectionD(world, client, server, cport)
    conn.tcp.handshake()
    conn.proposal_v1(**proposal) if version == 1 else conn.proposal_v2(**proposal)
    conn.answer("s", version, first)
    conn.answer("c", version, first)
    world.pause(20_000)
    return conn


@capture("smcd-v1-clc")
def smcd_v1(world):
    client, server = hosts()
    meet(world, client, server)
    first = open_d(world, client, server, 45001, 1, True, roce_too=False)
    second = open_d(world, client, server, 45002, 1, False, roce_too=True)
    first.tcp.close("c")
    second.tcp.close("s")


@capture("smcd-v2-seid-clc", nano=False)
def smcd_v2(world):
    client, server = hosts()
    meet(world, client, server)
    first = open_d(world, client, server, 45101, 2, True)
    second = open_d(world, client, server, 45102, 2, False, eids=[msg.eid("PLEX1.SHARED")])
    first.tcp.close("c")
    second.tcp.close("c")
