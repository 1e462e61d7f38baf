# Scripts of the synthetic captures: Declines in every phase, a group out of step, a parallel group.
# SPDX-License-Identifier: BSD-3-Clause

import frames as fr
import messages as msg
from group import Connection, Group
from stage import SUBNET, again, capture, hosts, meet, start
from world import Tcp, pattern

# Diagnosis codes are private to an implementation: these are nobody else's.
NO_COMMON_SUBNET, BAD_MTU, NO_MEMORY, LLC_FAILED = 0x52000001, 0x52000002, 0x52000003, 0x52000004


def after_decline(conn, name):
    """What follows is plain TCP: text, several segments, a segment that starts like an eyecatcher."""
    conn.tcp.app("c", b"plain TCP after " + name)
    conn.tcp.app("s", pattern(3500, len(name)))
    conn.tcp.app("c", msg.SMCR + b" is SMCR in EBCDIC, and only text here")
    conn.tcp.app("s", b"bye")
    conn.tcp.close("c")


@capture("decline-phases")
def decline_phases(world):
    client, server = hosts()
    meet(world, client, server)
    for i, phase in enumerate((no_subnet, no_memory, client_refuses, reserved_mtu, server_link_dead, client_link_dead)):
        lgr = Group(world, client, server)
        conn = Connection(lgr, 42001 + i)
        conn.use_link(lgr.new_link())
        conn.tcp.handshake()
        phase(lgr, conn, client.peer_id, server.peer_id)
        after_decline(conn, phase.__name__.encode())
    one_option_only(world, client, server)


def no_subnet(lgr, conn, _, server_id):
    """The client's mask is /25, the server's /24."""
    conn.proposal(msg.ip_area_v4(fr.ip("10.20.0.0"), 25))
    conn.tcp.send("s", msg.decline_v1(server_id, NO_COMMON_SUBNET))


def no_memory(lgr, conn, _, server_id):
    """The server application speaks first: its bytes are in the segment of the Decline."""
    conn.proposal(SUBNET)
    greeting = b"220 the server speaks first\r\n"
    conn.tcp.stream["s2c"] += greeting
    conn.tcp.send("s", msg.decline_v1(server_id, NO_MEMORY) + greeting)


def client_refuses(lgr, conn, client_id, _):
    place(lgr, conn)
    conn.proposal(SUBNET)
    conn.accept(True)
    conn.tcp.send("c", msg.decline_v1(client_id, NO_MEMORY), cuts=(7, 27))


def reserved_mtu(lgr, conn, client_id, _):
    """MTU code 9 is not assigned yet: Decline, no protocol error."""
    place(lgr, conn)
    conn.proposal(SUBNET)
    conn.tcp.send("s", conn.clc_message(msg.ACCEPT, "s", True, mtu=9))
    conn.tcp.send("c", msg.decline_v1(client_id, BAD_MTU))


def place(lgr, conn):
    for side in "sc":
        conn.set_place(side, lgr.new_rmb(side))


def until_confirm(lgr, conn):
    place(lgr, conn)
    conn.proposal(SUBNET)
    conn.accept(True)
    conn.confirm()


def server_link_dead(lgr, conn, _, server_id):
    """The server's CONFIRM LINK never arrives: its send fails, so it may still decline."""
    until_confirm(lgr, conn)
    pair = conn.link["s"].pair
    psn = pair.psn["s"]
    pair.send("s", lgr.confirm_link_message("s", conn.link["s"], False), "lost")
    repeat(lgr.world, pair, "s", psn)
    conn.tcp.send("s", msg.decline_v1(server_id, LLC_FAILED))


def client_link_dead(lgr, conn, client_id, _):
    """The client's CONFIRM LINK response never arrives."""
    until_confirm(lgr, conn)
    link = conn.link["c"]
    lgr.llc("s", link, lgr.confirm_link_message("s", link, False))
    psn = link.pair.psn["c"]
    link.pair.send("c", lgr.confirm_link_message("c", link, True), "lost")
    repeat(lgr.world, link.pair, "c", psn)
    conn.tcp.send("c", msg.decline_v1(client_id, LLC_FAILED))


def repeat(world, pair, side, psn):
    for _ in range(7):
        world.pause(134_218)
        pair.resend(side, psn)
    world.pause(134_218)


def one_option_only(world, client, server):
    """SYN with the option, SYN-ACK without: no CLC at all. Then neither has it."""
    for port, wanted in ((42011, True), (42012, False)):
        tcp = Tcp(world, client, server, port)
        tcp.handshake(client_option=wanted, server_option=False)
        tcp.app("c", b"plain from the first byte")
        tcp.app("s", pattern(2000, 65))
        tcp.close("s")


@capture("decline-out-of-sync", nano=False)
def decline_out_of_sync(world):
    """The client's side of the link dies unnoticed by the server, which offers it once more: Decline with S, then a new group."""
    lgr, link, conn = start(world, cport=42101)
    conn.exchange(b"first", b"contact")
    conn.close("c")
    world.pause(30_000_000)
    psn = link.pair.psn["c"]
    link.pair.send("c", msg.test_link(0, b"keepalive of cli"), "lost")
    repeat(world, link.pair, "c", psn)
    late = Connection(lgr, 42102)
    late.use_link(link)
    late.set_place("s", lgr.of("s")[0])
    late.tcp.handshake()
    late.proposal(SUBNET)
    late.accept(False)
    late.tcp.send("c", msg.decline_v1(lgr.host["c"].peer_id, 0x04000000, out_of_sync=True))
    after_decline(late, b"S=1")
    fresh = Group(world, lgr.host["c"], lgr.host["s"])
    first_contact(fresh, 42103).close("c")


def first_contact(lgr, cport):
    """Another first contact between hosts that have met; leaves the connection open after one exchange."""
    link = lgr.new_link()
    server, client = lgr.new_rmb("s", elements=2), lgr.new_rmb("c", elements=2)
    conn = Connection(lgr, cport)
    conn.connect(SUBNET, link, (server, 1), (client, 1), True)
    lgr.confirm_link(link)
    lgr.refuse_link(link)
    conn.exchange(b"first contact in a new group", b"link number 1 again")
    return conn


@capture("parallel-group", vlan=100)
def parallel_group(world):
    """The server answers F=1 though a group exists; later connections go to either. Everything in VLAN 100."""
    lgr, link, conn = start(world, cport=42201, client_rmb={"elements": 2}, server_rmb={"elements": 2})
    conn.exchange(b"group one", b"yes")
    second = Group(world, lgr.host["c"], lgr.host["s"])
    conn2 = first_contact(second, 42202)
    conns = [conn, conn2]
    for group, over, port in ((lgr, link, 42203), (second, conn2.link["c"], 42204)):
        conns.append(again(group, over, port, (group.of("s")[0], 2), (group.of("c")[0], 2)))
    for i in (3, 0, 2, 1):
        conns[i].exchange(b"connection %d" % (i + 1), pattern(128, i))
    for i in (1, 0, 3, 2):
        conns[i].close("c")
    second.delete_all(conn2.link["c"])
    lgr.delete_all(link)


@capture("link-timeouts")
def link_timeouts(world):
    """After the point of no return nothing is left but a reset: an ADD LINK without answer, later a last link that dies."""
    client, server = hosts()
    meet(world, client, server)
    lgr = Group(world, client, server)
    unanswered_add_link(lgr)
    lgr = Group(world, client, server)
    conn = first_contact(lgr, 42302)
    link = conn.link["c"]
    idle = again(lgr, link, 42303, (lgr.of("s")[0], 2), (lgr.of("c")[0], 2))
    for _ in range(2):  # both keepalives work while nothing is sent
        world.pause(75_000_000)
        idle.tcp.keepalive("c")
        lgr.test_link("s", link, b"idle for 75 s...")
    last_link_dies(lgr, link)
    for side, lost in (("s", conn), ("s", idle)):
        lost.tcp.rst(side)


def unanswered_add_link(lgr):
    """First contact: the server's ADD LINK is never acknowledged; no fallback any more."""
    conn = Connection(lgr, 42301)
    conn.use_link(lgr.new_link())
    conn.tcp.handshake()
    until_confirm(lgr, conn)
    link = conn.link["s"]
    lgr.confirm_link(link)
    psn = link.pair.psn["s"]
    link.pair.send("s", lgr.add_link_message("s", lgr.new_link()), "lost")
    repeat(lgr.world, link.pair, "s", psn)
    conn.tcp.rst("s")


def last_link_dies(lgr, link):
    lgr.world.pause(75_000_000)
    psn = link.pair.psn["s"]
    link.pair.send("s", msg.test_link(0, b"idle for 75 s..."), "lost")
    repeat(lgr.world, link.pair, "s", psn)
