# What the capture scripts share: the registry of captures, the hosts, a first contact.
# SPDX-License-Identifier: BSD-3-Clause

import frames as fr
import messages as msg
from group import Connection, Group
from world import Host, Nic, World

CAPTURES = {}  # name -> function that returns a World
ON_REQUEST = {}  # the same, too large to keep
SUBNET = msg.ip_area_v4(fr.ip("10.20.0.0"), 24)
PREFIXES = msg.ip_area_v6([(fr.ip("2001:db8:1::"), 64), (fr.ip("2001:db8:2::"), 64)])


def capture(name, table=CAPTURES, **world):
    """Registers a script: it gets a new World and plays on it."""
    def register(script):
        def play():
            stage = World(name, **world)
            script(stage)
            return stage
        table[name] = play
        return script
    return register


def hosts(nics=(1, 1), gid=None):
    """Client 10.20.0.1x and server 10.20.0.2x, also 2001:db8:1::1x and ::2x, with the given numbers of NICs."""
    out = []
    for which, count in enumerate(nics, 1):
        cards = [Nic(f"02:00:5e:0{which}:00:{n:02x}", f"10.20.0.{which}{n}", f"2001:db8:1::{which}{n}", gid) for n in range(1, count + 1)]
        out.append(Host("client" if which == 1 else "server", 0x1A00 + which, cards))
    return out


def meet(world, client, server, ipv6=False):
    """The two hosts learn each other's MAC."""
    a, b = client.nics[0], server.nics[0]
    if ipv6:
        world.nd(a, b, a.ip6, b.ip6)
    else:
        world.arp(a, b)
    world.pause(100)


def start(world, nics=(1, 1), client_rmb=None, server_rmb=None, cport=40001, second=None, psn=None, **group):
    """Hosts, group, first link, one RMB a side and the CLC messages of the first contact; then CONFIRM LINK.

    second: what the server does next: None (its ADD LINK is rejected), or a function of the group and the link.
    psn: initial PSNs of the first link, if they matter.
    """
    client, server = hosts(nics)
    meet(world, client, server)
    lgr = Group(world, client, server, **group)
    link = lgr.new_link(psn=psn)
    srmb = lgr.new_rmb("s", **(server_rmb or {}))
    crmb = lgr.new_rmb("c", **(client_rmb or {}))
    conn = Connection(lgr, cport)
    conn.connect(SUBNET, link, (srmb, 1), (crmb, 1), True)
    lgr.confirm_link(link)
    (second or (lambda g, over: g.refuse_link(over)))(lgr, link)
    world.pause(400)
    return lgr, link, conn


def again(lgr, link, cport, server, client, sport=5000):
    """Subsequent contact on elements that the peer knows already."""
    conn = Connection(lgr, cport, sport)
    conn.connect(SUBNET, link, server, client, False)
    return conn


def grow(lgr, link, cport, server_new=True, client_new=True, over=None, **rmb):
    """Subsequent contact for which one or both sides confirm a new RMB first; the CLC exchange waits meanwhile."""
    over = over or link
    conn = Connection(lgr, cport)
    conn.use_link(link)
    conn.tcp.handshake()
    conn.proposal(SUBNET)
    for side, new, message in (("s", server_new, conn.accept), ("c", client_new, conn.confirm)):
        if new:
            fresh = lgr.new_rmb(side, **rmb)
            lgr.confirm_rkey(fresh, over)
            conn.set_place(side, fresh)
        else:
            conn.set_place(side, *new_element(lgr, side))
        if side == "s":
            message(False)
        else:
            message()
        lgr.world.pause(150)
    return conn


def new_element(lgr, side):
    """The next free element of the first RMB of a side (scripts that use this free none)."""
    rmb = lgr.of(side)[0]
    rmb.used = getattr(rmb, "used", 1) + 1
    assert rmb.used <= rmb.elements
    return rmb, rmb.used


def client_asks_for_link(lgr, over, cnic):
    """The client's advisory ADD LINK: a new RNIC is there. Link number 0, that is for the server to assign."""
    nic, world = lgr.host["c"].nics[cnic], lgr.world
    qpn, psn = 0x40 + world.rand(20), world.rand(24)
    lgr.llc("c", over, msg.add_link(0, nic.mac, nic.gid, qpn, 0, lgr.mtu["c"], psn))
