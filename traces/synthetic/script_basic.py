# Scripts of the synthetic captures: first contact, shared RMBs, ring and urgent data, all kinds of close, on one link.
# SPDX-License-Identifier: BSD-3-Clause

import messages as msg
from group import Connection, Group
from stage import PREFIXES, again, capture, hosts, meet, start
from world import pattern

URGENT = msg.URGENT_PENDING | msg.URGENT_PRESENT


@capture("first-contact-rocev1")
def first_contact(world):
    lgr, link, conn = start(world, mtu={"c": 3, "s": 5}, max_links={"c": 4, "s": 8})
    conn.exchange(b"GET /account/4711", b"balance 1024")
    conn.exchange(pattern(1500), pattern(3000, 7))
    conn.close("c")
    world.pause(5_000_000)
    lgr.delete_all(link)


@capture("first-contact-ipv6", nano=False, pad=True)
def first_contact_ipv6(world):
    client, server = hosts()
    meet(world, client, server, ipv6=True)
    lgr = Group(world, client, server, carrier="ipv6", mtu={"c": 4, "s": 3}, max_links={"c": 2, "s": 4})
    link = lgr.new_link()
    conn = Connection(lgr, 40101, ip=6)
    conn.use_link(link)
    conn.set_place("s", lgr.new_rmb("s", size_code=1))
    conn.set_place("c", lgr.new_rmb("c", size_code=2))
    conn.tcp.handshake(repeat_on_ack=True)
    conn.proposal(PREFIXES, cuts=(8, 40))
    conn.accept(True)
    conn.confirm(cuts=(67,))
    world.nd(server.nics[0], client.nics[0], server.nics[0].gid, client.nics[0].gid)
    lgr.confirm_link(link)
    lgr.refuse_link(link, echo=False)
    conn.exchange(b"hello over IPv6", b"hello, prefix two")
    conn.write("c", pattern(2048))
    conn.read("s")
    conn.write("s", pattern(5000, 3))
    conn.read("c")
    conn.close("s")
    lgr.delete_rkey("c", lgr.of("c"), link)
    lgr.delete_rkey("s", lgr.of("s"), link)


@capture("shared-rmb")
def shared_rmb(world):
    """Four connections in the elements 1..4 of one RMB a side, interleaved; element 2 is used again by a fifth."""
    four = {"elements": 4}
    lgr, link, conn = start(world, client_rmb=four, server_rmb=four, cport=40201)
    (srmb,), (crmb,) = lgr.of("s"), lgr.of("c")
    conns = {1: conn}
    for index in (2, 3, 4):
        conns[index] = again(lgr, link, 40200 + index, (srmb, index), (crmb, index if index == 2 else 7 - index))
    interleave(conns)
    conns[2].close("c")
    conns[5] = again(lgr, link, 40205, (srmb, 2), (crmb, 2))
    conns[5].exchange(b"second use of element 2", b"starts at offset 4, wrap 0")
    conns[3].exchange(b"others are not disturbed", b"no")
    for index in (1, 5, 3, 4):
        conns[index].close("s" if index == 3 else "c")
    lgr.delete_all(link)


def interleave(conns):
    """Requests of all connections, then answers in another order; the second round is announced before anything is read."""
    for index, conn in conns.items():
        conn.write("c", b"question of connection %d" % index)
    for index in (3, 1, 4, 2):
        conns[index].read("s")
        conns[index].write("s", b"answer to %d " % index + pattern(200 * index, index))
    for index in (4, 3, 2, 1):
        conns[index].read("c")
        conns[index].write("c", pattern(700 + index, 100 * index))
    for index, conn in conns.items():
        conn.write("c", pattern(100, index))
        conn.read("s")
        conn.write("s", b"got both, %d" % index)
        conn.read("c")


@capture("ring-wrap-eyecatcher")
def ring_wrap(world):
    """16 KiB elements: 16,380 bytes of ring between the eyecatcher and the end."""
    lgr, link, conn = start(world, cport=40301, ack_each=False)
    whole = conn.capacity("s")
    fill(conn, "c", pattern(whole))  # (0,4) -> (1,4): full, B
    take(conn, "s", 4096)  # B is set: every consumption is reported
    fill(conn, "c", pattern(4096, 11))  # full again, offset 4100
    take(conn, "s", 6000)
    fill(conn, "c", pattern(3000, 12))  # B cleared, 3,000 bytes left
    take(conn, "s", whole - 3000)  # less than half was free, more than a tenth gained
    fill(conn, "c", pattern(12000, 13))  # two WRITEs around the end
    take(conn, "s", 12000)
    fill(conn, "c", pattern(100, 14), msg.UPDATE_REQUESTED)
    take(conn, "s", 100)  # asked for by R
    fill(conn, "c", pattern(whole - conn.written["c"] % whole, 15))  # ends exactly at the end: next offset 4
    conn.read("s")
    big_answer(conn, pattern(45000, 99))
    conn.close("c")
    lgr.delete_all(link)


def fill(conn, side, data, flags=0):
    conn.write(side, data, flags)
    conn.world.pause(30)


def take(conn, side, count):
    """The application of `side` reads and the consumer cursor is sent at once."""
    conn.read(side, count)
    conn.cdc(side)


def big_answer(conn, data):
    """More than the ring holds: the server fills every window it gets and stays blocked until the last piece."""
    done = 0
    while done < len(data):
        piece = data[done:done + conn.window("s")]
        fill(conn, "s", piece)
        done += len(piece)
        unread = conn.written["s"] - conn.taken["c"]
        if done < len(data):
            take(conn, "c", min(unread, 2500 if done < 30000 else 9000))
        else:
            conn.read("c")


@capture("urgent")
def urgent(world):
    lgr, link, conn = start(world, client_rmb={"elements": 2}, server_rmb={"elements": 2}, cport=40401)
    conn.write("c", b"before ")
    conn.read("s")
    conn.write("c", b"abc!", URGENT)  # the cursor points one beyond "!"
    take(conn, "s", 4)  # consumption of urgent data is reported whatever the window
    conn.write("c", b" after")
    conn.read("s")
    conn.cdc("s", msg.URGENT_PENDING)  # announced before the data
    conn.write("s", b"?", URGENT)
    take(conn, "c", 1)
    conn.write("s", b"and on")
    conn.read("c")
    closed = again(lgr, link, 40402, (lgr.of("s")[0], 2), (lgr.of("c")[0], 2))
    urgent_closed_window(closed)
    closed.close("s")
    conn.close("c")
    lgr.delete_all(link)


def urgent_closed_window(conn):
    whole = conn.capacity("s")
    conn.write("c", pattern(whole))
    conn.cdc("c", msg.BLOCKED | msg.URGENT_PENDING)  # no room: only the notice
    take(conn, "s", 9000)
    conn.write("c", pattern(600) + b"!", URGENT)  # B is off: 9,000 bytes were free
    take(conn, "s", whole - 9000 + 601)
    conn.write("c", pattern(300, 5))
    conn.read("s")
    to_end = whole - conn.written["c"] % whole
    conn.write("c", pattern(to_end - 1, 6) + b"!", URGENT)  # the urgent byte is the last of the ring, the cursor (2,4)
    take(conn, "s", to_end)
    conn.write("c", b"done")
    conn.read("s")


@capture("half-close")
def half_close(world):
    three = {"elements": 3}
    lgr, link, conn = start(world, client_rmb=three, server_rmb=three, cport=40501)
    (srmb,), (crmb,) = lgr.of("s"), lgr.of("c")
    conn.write("c", pattern(2000))
    conn.flag("c", msg.DONE)
    conn.read("s")
    conn.write("s", b"2000 bytes, sum 249028")
    conn.read("c")
    conn.flag("s", msg.CLOSED)
    conn.flag("c", msg.CLOSED)  # D stays set
    conn.tcp.close("s")

    both = again(lgr, link, 40502, (srmb, 2), (crmb, 2))
    both.conn_flags["c"] = msg.DONE
    both.write("c", b"last words with D in the same message")
    both.read("s")
    both.write("s", b"mine come later")
    both.read("c")
    both.flag("s", msg.DONE)
    both.flag("s", msg.CLOSED)
    both.flag("c", msg.CLOSED)
    both.tcp.close("c")

    server_first = again(lgr, link, 40503, (srmb, 3), (crmb, 3))
    server_first.write("s", b"220 ready, and that is all I say")
    server_first.flag("s", msg.DONE)
    server_first.read("c")
    server_first.write("c", pattern(777, 9))
    server_first.read("s")
    server_first.conn_flags["s"] = 0  # D is not repeated with C
    server_first.flag("s", msg.CLOSED)
    server_first.flag("c", msg.CLOSED)
    server_first.tcp.close("c")
    lgr.delete_all(link)


@capture("abort", nano=False)
def abort(world):
    three = {"elements": 3}
    lgr, link, conn = start(world, client_rmb=three, server_rmb=three, cport=40601)
    (srmb,), (crmb,) = lgr.of("s"), lgr.of("c")
    conn.write("c", b"H")
    conn.read("s")
    conn.write("s", b"S" * 100)
    conn.flag("c", msg.ABORT)  # 100 bytes unread
    conn.flag("s", msg.ABORT)
    conn.tcp.rst("c")

    second = again(lgr, link, 40602, (srmb, 2), (crmb, 2))
    second.write("c", pattern(5000))
    second.flag("s", msg.ABORT)
    second.flag("c", msg.ABORT)
    second.tcp.close("s")

    third = again(lgr, link, 40603, (srmb, 3), (crmb, 3))
    third.exchange(b"one", b"two")
    third.tcp.rst("c")  # TCP breaks first
    third.flag("s", msg.ABORT)
    third.flag("c", msg.ABORT)
    lgr.delete_all(link)


@capture("simultaneous-close")
def simultaneous_close(world):
    three = {"elements": 3}
    lgr, link, conn = start(world, client_rmb=three, server_rmb=three, cport=40701)
    (srmb,), (crmb,) = lgr.of("s"), lgr.of("c")
    conn.exchange(b"ping", b"pong")
    cross(conn, msg.CLOSED, msg.CLOSED)
    conn.tcp.cross_fins()

    aborted = again(lgr, link, 40702, (srmb, 2), (crmb, 2))
    aborted.write("c", pattern(300))
    aborted.write("s", pattern(300, 50))
    cross(aborted, msg.ABORT, msg.ABORT)
    aborted.tcp.rst("c")

    mixed = again(lgr, link, 40703, (srmb, 3), (crmb, 3))
    mixed.write("c", b"nobody reads this")
    cross(mixed, msg.CLOSED, msg.ABORT)
    mixed.tcp.rst("s")
    lgr.delete_all(link)


def cross(conn, client_flags, server_flags):
    """Both messages are on their way before either arrives."""
    conn.flag("c", client_flags, ack=False)
    conn.flag("s", server_flags, ack=False)
    conn.link["c"].pair.ack("s")
    conn.link["c"].pair.ack("c")
    conn.world.pause(60)
