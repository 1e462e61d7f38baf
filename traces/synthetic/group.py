# Link groups, links, RMBs and connections of SMC-R for the scripts of the synthetic captures.
# SPDX-License-Identifier: BSD-3-Clause
"""The scripts decide what is sent and when; this file only keeps the numbers (link numbers, rkeys, cursors, sequence numbers)."""

import messages as msg
from world import RcPair, Tcp, other

MTU_BYTES = {1: 256, 2: 512, 3: 1024, 4: 2048, 5: 4096}


class Link:
    def __init__(self, group, number, cnic, snic, mtu, psn=None):
        world = group.world
        self.number, self.mtu = number, mtu
        self.nic = {"c": cnic, "s": snic}
        self.qpn = {x: 0x40 + world.rand(20) for x in "cs"}
        self.psn = psn or {x: world.rand(24) for x in "cs"}
        self.pair = RcPair(world, group.carrier, cnic, snic, self.qpn, self.psn, MTU_BYTES[mtu], group.ack_each)

    def psn_now(self, side):
        """The PSN of the next packet that `side` sends."""
        return self.pair.psn[side]


class Rmb:
    """A remote memory buffer of `elements` equal elements; rkey and address differ from link to link."""

    def __init__(self, group, side, elements=1, size_code=0):
        self.group, self.side, self.elements, self.size_code = group, side, elements, size_code
        assert elements << size_code + 14 <= 1 << 20  # addresses are 1 MiB apart
        self.token = {}

    def register(self, link):
        world = self.group.world
        self.token[link.number] = (0x01000000 | world.rand(24), 0x2A00_0000_0000 + (world.rand(24) << 20))
        return self.token[link.number]

    @property
    def element_bytes(self):
        return 1 << self.size_code + 14

    def element_address(self, link, index):
        return self.token[link.number][1] + self.element_bytes * (index - 1)


class Group:
    """A link group between a client and a server host. eyecatcher: RFC form (cursors start and wrap at 4)."""

    def __init__(self, world, client, server, carrier="v1", mtu=None, eyecatcher=True, max_links=None, version=1, ack_each=True):
        self.world, self.host, self.carrier, self.version = world, {"c": client, "s": server}, carrier, version
        self.mtu = mtu or {"c": 3, "s": 3}
        self.origin = 4 if eyecatcher else 0
        self.max_links = max_links or {"c": 2, "s": 2}
        self.max_conns, self.ack_each = 0, ack_each  # ack_each False: WRITEs are acknowledged with the CDC behind them
        self.links, self.rmbs = {}, []
        self.user_base = {x: world.rand(16) << 8 for x in "cs"}
        self.last_number = 0

    def new_link(self, cnic=0, snic=0, psn=None):
        """A link between two NICs, by index; its number is the next one."""
        self.last_number += 1
        mtu = min(self.mtu.values())
        link = Link(self, self.last_number, self.host["c"].nics[cnic], self.host["s"].nics[snic], mtu, psn)
        self.links[link.number] = link
        return link

    def new_rmb(self, side, links=None, **kind):
        """A new RMB, registered on the given links (default: all)."""
        rmb = Rmb(self, side, **kind)
        for link in self.links.values() if links is None else links:
            rmb.register(link)
        self.rmbs.append(rmb)
        return rmb

    def of(self, side):
        return [rmb for rmb in self.rmbs if rmb.side == side]

    def llc(self, side, link, message, ack=True, captured=True):
        link.pair.send(side, message, ack, captured)
        self.world.pause(15)

    def confirm_link_message(self, side, link, response):
        nic, flags = link.nic[side], 0 if self.origin else msg.NO_EYECATCHER
        return msg.confirm_link(flags | (msg.RESPONSE if response else 0), nic.mac, nic.gid, link.qpn[side], link.number,
                                self.user_base[side] + link.number, self.max_links[side], self.max_conns, self.version)

    def confirm_link(self, link):
        self.llc("s", link, self.confirm_link_message("s", link, False))
        self.llc("c", link, self.confirm_link_message("c", link, True))

    def add_link_message(self, side, link, flags=0, reason=0, mtu=None, extension=b""):
        nic = link.nic[side]
        return msg.add_link(flags, nic.mac, nic.gid, link.qpn[side], link.number, self.mtu[side] if mtu is None else mtu,
                            link.psn[side], reason, self.version, extension)

    def refuse_link(self, over, snic=0, echo=True):
        """The server offers a link over its NIC `snic`; the client has no other path and rejects it with reason 1."""
        link = self.new_link(0, snic)
        del self.links[link.number]
        self.llc("s", over, self.add_link_message("s", link))
        flags = msg.RESPONSE | msg.ADD_REJECTED
        if echo:
            self.llc("c", over, self.add_link_message("s", link, flags, 1))
        else:
            self.llc("c", over, msg.add_link(flags, bytes(6), bytes(16), 0, link.number, 0, 0, 1))

    def pairs(self, side, over, link):
        """Registers the RMBs of `side` on the new link; (reference rkey, new rkey, new address) of each."""
        return [(rmb.token[over.number][0], *rmb.register(link)) for rmb in self.of(side)]

    def continuation(self, over, link):
        """ADD LINK CONTINUATION: the server asks, the client answers, two pairs a message, until both lists are empty."""
        left = {x: self.pairs(x, over, link) for x in "sc"}
        while True:
            for side, flags in (("s", 0), ("c", msg.RESPONSE)):
                self.llc(side, over, msg.add_link_continuation(flags, link.number, len(left[side]), left[side][:2]))
                left[side] = left[side][2:]
            if not left["s"] and not left["c"]:
                return

    def offer_link(self, over, cnic, snic):
        """ADD LINK request and positive response."""
        link = self.new_link(cnic, snic)
        self.llc("s", over, self.add_link_message("s", link))
        self.llc("c", over, self.add_link_message("c", link, msg.RESPONSE, mtu=link.mtu))
        return link

    def add_link(self, over, cnic, snic):
        """The whole exchange of RFC 7609 for a further link."""
        link = self.offer_link(over, cnic, snic)
        self.continuation(over, link)
        self.confirm_link(link)
        return link

    def rkey_messages(self, rmb, over):
        """CONFIRM RKEY and its continuations as a list of functions of the flags."""
        rkey, va = rmb.token[over.number]
        entries = [(n, *rmb.token[n]) for n in sorted(self.links) if n != over.number]
        out = [lambda flags: msg.confirm_rkey(flags, len(entries), rkey, va, entries[:2], self.version)]
        for start in range(2, len(entries), 3):
            out.append(lambda flags, start=start: msg.confirm_rkey_continuation(flags, len(entries) - start, entries[start:start + 3]))
        return out

    def confirm_rkey(self, rmb, over):
        for message in self.rkey_messages(rmb, over):
            self.llc(rmb.side, over, message(0))
            self.llc(other(rmb.side), over, message(msg.RESPONSE))

    def delete_rkey(self, side, rmbs, over):
        keys = [rmb.token[over.number][0] for rmb in rmbs]
        self.llc(side, over, msg.delete_rkey(0, keys, version=self.version))
        if self.version == 1:
            answer = msg.delete_rkey(msg.RESPONSE, keys)
        else:
            answer = msg.delete_rkey(msg.RESPONSE, [0] * len(keys), version=2)
        self.llc(other(side), over, answer)
        for rmb in rmbs:
            self.rmbs.remove(rmb)

    def delete_link(self, link, over, reason, flags=msg.DELETE_ORDERLY, by_client=False):
        """DELETE LINK of one link: (client's request,) server's request, client's positive response."""
        if by_client:
            self.llc("c", over, msg.delete_link(flags, link.number, reason, self.version))
        self.llc("s", over, msg.delete_link(flags, link.number, reason, self.version))
        self.llc("c", over, msg.delete_link(flags | msg.RESPONSE, link.number, 0, self.version))
        self.forget(link)

    def forget(self, link):
        del self.links[link.number]
        for rmb in self.rmbs:
            rmb.token.pop(link.number, None)

    def delete_all(self, over, reason=msg.INACTIVITY, flags=msg.DELETE_ORDERLY, by_client=False):
        """DELETE LINK of the whole group: nobody answers, both sides clean up."""
        if by_client:
            self.llc("c", over, msg.delete_link(flags | msg.DELETE_ALL, 0, reason, self.version))
        self.llc("s", over, msg.delete_link(flags | msg.DELETE_ALL, 0, reason, self.version))
        self.links.clear()

    def test_link(self, side, link, data):
        self.llc(side, link, msg.test_link(0, data, self.version))
        self.llc(other(side), link, msg.test_link(msg.RESPONSE, data, self.version))


class Connection:
    """One SMC-R connection. place: side -> (RMB, index) of the element in which that side receives."""

    def __init__(self, group, cport, sport=5000, ip=4):
        self.group, self.world = group, group.world
        self.tcp = Tcp(group.world, group.host["c"], group.host["s"], cport, sport, ip)
        self.place, self.link = {}, {}
        self.token = {x: group.world.rand(32) for x in "cs"}
        self.seq = {"c": 0, "s": 0}  # last number used by each side
        self.written = {"c": 0, "s": 0}  # bytes each side wrote to its peer
        self.taken = {"c": 0, "s": 0}  # bytes each side consumed
        self.told = {"c": 0, "s": 0}  # ... and has reported to its peer
        self.conn_flags = {"c": 0, "s": 0}

    def set_place(self, side, rmb, index=1):
        self.place[side] = (rmb, index)

    def use_link(self, link):
        self.link = {"c": link, "s": link}

    def capacity(self, side):
        return self.place[side][0].element_bytes - self.group.origin

    def cursor(self, total, side):
        """(wrap, offset) in the element of `side` for a running total of bytes."""
        return total // self.capacity(side), self.group.origin + total % self.capacity(side)

    def window(self, side):
        """Bytes that `side` may write, as far as its peer has told."""
        return self.capacity(other(side)) - (self.written[side] - self.told[other(side)])

    # CLC, RFC form

    def proposal(self, area, cuts=()):
        host = self.group.host["c"]
        self.tcp.send("c", msg.proposal_v1(host.peer_id, host.nics[0].gid, host.nics[0].mac, area), cuts)

    def clc_message(self, kind, side, first, mtu=None):
        link, (rmb, index) = self.link[side], self.place[side]
        nic, (rkey, va) = link.nic[side], rmb.token[link.number]
        mtu = mtu or (self.group.mtu["s"] if side == "s" else link.mtu)
        return msg.accept_confirm_r(kind, 1, first, self.group.host[side].peer_id, nic.gid, nic.mac, link.qpn[side], rkey,
                                    index, self.token[side], rmb.size_code, mtu, va, link.psn[side])

    def accept(self, first, cuts=(), ack=True):
        self.tcp.send("s", self.clc_message(msg.ACCEPT, "s", first), cuts, ack)

    def confirm(self, cuts=(), ack=True):
        self.tcp.send("c", self.clc_message(msg.CONFIRM, "c", False), cuts, ack)

    def connect(self, area, link, server, client, first):
        """TCP handshake and the three CLC messages; server and client: (RMB, index)."""
        self.use_link(link)
        self.set_place("s", *server)
        self.set_place("c", *client)
        self.tcp.handshake()
        self.proposal(area)
        self.world.pause(300)
        self.accept(first)
        self.world.pause(200)
        self.confirm()
        self.world.pause(150)

    # Data

    def cdc_message(self, side, prod_flags=0):
        self.seq[side] += 1
        self.told[side] = self.taken[side]
        return msg.cdc(self.seq[side], self.token[other(side)], self.cursor(self.written[side], other(side)),
                       self.cursor(self.taken[side], side), prod_flags, self.conn_flags[side])

    def cdc(self, side, prod_flags=0, ack=True, link=None, captured=True):
        self.group.llc(side, link or self.link[side], self.cdc_message(side, prod_flags), ack, captured)

    def pieces(self, side, start, data):
        """(offset in the peer's element, bytes): two when the ring end lies between."""
        room = self.capacity(other(side)) - start % self.capacity(other(side))
        out = [(self.group.origin + start % self.capacity(other(side)), data[:room])]
        if len(data) > room:
            out.append((self.group.origin, data[room:]))
        return out

    def put(self, side, data, ack=None, start=None, link=None, captured=True):
        """RDMA WRITEs only; the cursor moves but is not announced."""
        link = link or self.link[side]
        (rmb, index), position = self.place[other(side)], self.written[side] if start is None else start
        for offset, chunk in self.pieces(side, position, data):
            link.pair.write(side, rmb.token[link.number][0], rmb.element_address(link, index) + offset, chunk, ack, captured)
        if start is None:
            self.written[side] += len(data)
            self.tcp.stream["c2s" if side == "c" else "s2c"] += data

    def write(self, side, data, prod_flags=0, ack=True):
        """WRITE(s), then the CDC that announces them. The window must have room; a filled window sets B."""
        window = self.window(side)
        assert len(data) <= window, (len(data), window)
        self.put(side, data, None if ack is True else ack)
        self.cdc(side, prod_flags | (msg.BLOCKED if len(data) == window else 0), ack)

    def read(self, side, count=None):
        """The application of `side` reads; nothing is sent."""
        unread = self.written[other(side)] - self.taken[side]
        count = unread if count is None else count
        assert 0 <= count <= unread, (count, unread)
        self.taken[side] += count

    def lose(self, side, data, captured=True):
        """WRITE and CDC that never arrive; returns what a replay needs: (running total before, data, CDC message)."""
        start = self.written[side]
        self.put(side, data, "lost", captured=captured)
        message = self.cdc_message(side)
        self.link[side].pair.send(side, message, "lost", captured)
        return start, data, message

    def move(self, side, link, completed):
        """The first message on another link: F with the number of the last CDC whose completion was good."""
        self.link[side] = link
        self.group.llc(side, link, msg.failover_cdc(completed, self.token[other(side)]))

    def exchange(self, question, answer):
        self.write("c", question)
        self.read("s")
        self.world.pause(60)
        self.write("s", answer)
        self.read("c")
        self.world.pause(200)

    def flag(self, side, flags, ack=True):
        """A CDC that announces D, C or A (flags stay set in later messages)."""
        self.conn_flags[side] |= flags
        self.cdc(side, ack=ack)

    def close(self, first="c", tcp=True):
        """Normal close: C, answered by C, then TCP."""
        self.flag(first, msg.CLOSED)
        self.world.pause(40)
        self.flag(other(first), msg.CLOSED)
        self.world.pause(40)
        if tcp:
            self.tcp.close(first)
