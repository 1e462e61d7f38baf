# Scripts of the synthetic captures: SMC-Rv2 release 1 between two big-endian hosts that are not Linux.
# SPDX-License-Identifier: BSD-3-Clause

import messages as msg
from group import Connection, Group
from stage import SUBNET, capture, hosts, meet
from world import other, pattern

ZOS = 1
EIDS = [msg.eid("PLEX1.CLIENTS"), msg.eid("PLEX1.SHARED-2"), msg.eid("PLEX1.THIRD")]


class ConnectionV2(Connection):
    """CLC in version 2; everything behind the handshake is as in version 1."""

    eid, direct = EIDS[1], True
    offered = EIDS

    def proposal_v2(self, with_v1, max_conns=200, max_links=2):
        """typev2 = R; typev1 = R as well (then with an IP area) or nothing."""
        host, nic = self.group.host["c"], self.group.host["c"].nics[0]
        area = msg.smcd_area(0, 0, 36 if with_v1 else 28)
        rest = SUBNET if with_v1 else b""
        rest += msg.v2_extension(self.offered, 0, 1, False, nic.gid, max_conns, max_links, 0, 0)
        gid, mac = (nic.link_local, nic.mac) if with_v1 else (bytes(16), bytes(6))
        self.tcp.send("c", msg.proposal_offset(2, 0 if with_v1 else 2, 0, host.peer_id, gid, mac, area, rest))

    def clc_message(self, kind, side, first, mtu=None):
        link, (rmb, index) = self.link[side], self.place[side]
        lgr, host, nic, (rkey, va) = self.group, self.group.host[side], link.nic[side], rmb.token[link.number]
        mtu = lgr.mtu["s"] if side == "s" else link.mtu
        extra = self.eid + bytes(8)
        if first:
            extra += msg.first_contact_extension(ZOS, 1, "SYS" + side.upper(), lgr.max_conns, 2, 0, self.direct)
            if kind == msg.CONFIRM:
                cards = host.nics[:1]  # the second one comes up later
                extra += bytes([len(cards), 0, 0, 0]) + b"".join(card.gid for card in cards)
        return msg.accept_confirm_r(kind, 2, first, host.peer_id, nic.gid, nic.mac, link.qpn[side], rkey, index,
                                    self.token[side], rmb.size_code, mtu, va, link.psn[side], extra)

    def open(self, link, first, with_v1=False, new_rmbs=False):
        """TCP and CLC; with new_rmbs each side confirms an RMB before its message."""
        self.use_link(link)
        self.tcp.handshake()
        self.proposal_v2(with_v1)
        for side, kind in (("s", msg.ACCEPT), ("c", msg.CONFIRM)):
            if new_rmbs:
                self.set_place(side, self.group.new_rmb(side, size_code=1))
                self.group.confirm_rkey(self.place[side][0], link)
            self.tcp.send(side, self.clc_message(kind, side, first))
            self.world.pause(150)

    def close(self, first="c", tcp=True):
        """As everybody does since Linux: the active side ends TCP right behind its C."""
        self.flag(first, msg.CLOSED)
        self.tcp.fin(first)
        self.flag(other(first), msg.CLOSED)
        self.tcp.fin(other(first))


class GroupV2(Group):
    def extension(self, side, over, link):
        """Target GID (the client's) and the rkeys of all RMBs of `side` on the new link."""
        return msg.add_link_extension(True, link.nic["c"].gid, self.pairs(side, over, link))

    def reject(self, over):
        """Server offers its first NIC again, the client has no other: the request comes back with 0x40, without a reason."""
        link = self.new_link(0, 0)
        extension = self.extension("s", over, link)
        self.llc("s", over, self.add_link_message("s", link, extension=extension))
        self.llc("c", over, self.add_link_message("s", link, msg.RESPONSE | msg.ADD_REJECTED))
        self.forget(link)

    def add_link_v2(self, over, cnic, snic):
        link = self.new_link(cnic, snic)
        self.llc("s", over, self.add_link_message("s", link, extension=self.extension("s", over, link)))
        self.llc("c", over, self.add_link_message("c", link, msg.RESPONSE, mtu=link.mtu, extension=self.extension("c", over, link)))
        self.confirm_link(link)
        return link

    def request_link(self, over, granted):
        """REQUEST ADD LINK; granted: the ADD LINK that follows is the answer."""
        self.llc("c", over, msg.request_add_link(0, [card.gid for card in self.host["c"].nics]))
        if not granted:
            self.llc("s", over, msg.request_add_link(msg.RESPONSE, []))


@capture("v2-big-endian", order=">")
def v2_big_endian(world):
    client, server = hosts((2, 2), gid="ipv4")
    meet(world, client, server)
    lgr = GroupV2(world, client, server, carrier="ipv4", mtu={"c": 3, "s": 4}, eyecatcher=False, version=2)
    lgr.max_conns = 200
    link = lgr.new_link()
    conn = ConnectionV2(lgr, 44001)
    conn.set_place("s", lgr.new_rmb("s", size_code=1))
    conn.set_place("c", lgr.new_rmb("c"))
    conn.open(link, True, with_v1=True)
    lgr.confirm_link(link)
    lgr.reject(link)
    conn.exchange(b"offsets start at 0 here", pattern(3000, 1))
    conns = [conn, later(lgr, link, 44002)]
    second = second_link(lgr, link)
    conns.append(later(lgr, second, 44003))
    for conn in conns:
        conn.exchange(pattern(1500, 9), pattern(40, 10))
    no_common_eid(lgr, 44004)
    world.pause(30_000_000)
    lgr.test_link("s", link, b"any 16 byte text")
    conns[1].close("c")
    lgr.delete_rkey("c", [conns[1].place["c"][0]], link)
    lgr.delete_rkey("s", [conns[1].place["s"][0]], second)
    move(conns[2], link)
    lgr.delete_link(second, link, msg.LOST_PATH)
    conns[2].exchange(b"moved to link 1", b"so am I")
    conns[0].close("s")
    conns[2].close("c")
    lgr.delete_all(link, flags=0)


def later(lgr, link, cport):
    """Subsequent contact, v2 only, on RMBs confirmed for it."""
    conn = ConnectionV2(lgr, cport)
    conn.open(link, False, new_rmbs=True)
    conn.exchange(b"subsequent contact", b"on link %d" % link.number)
    return conn


def second_link(lgr, link):
    """The client has two GIDs: its first request is refused, its second one answered by ADD LINK."""
    lgr.request_link(link, granted=False)
    lgr.world.pause(3_000_000)
    lgr.request_link(link, granted=True)
    return lgr.add_link_v2(link, 1, 1)


def move(conn, link):
    for side in "cs":
        conn.move(side, link, conn.seq[side])


def no_common_eid(lgr, cport):
    conn = ConnectionV2(lgr, cport)
    conn.offered = [msg.eid("STRANGER")]
    conn.tcp.handshake()
    conn.proposal_v2(False)
    conn.tcp.send("s", msg.decline_v2(lgr.host["s"].peer_id, 0x03030000, ZOS))
    conn.tcp.app("c", b"plain TCP then")
    conn.tcp.app("s", b"plain TCP indeed")
    conn.tcp.close("c")
