# Scripts of the synthetic captures: further links, rkeys on all of them, deleting links, moving connections between them.
# SPDX-License-Identifier: BSD-3-Clause

import messages as msg
from group import Connection, Rmb
from stage import SUBNET, again, capture, client_asks_for_link, grow, start
from world import other, pattern


def talk(conns, text=b"request"):
    for i, conn in enumerate(conns):
        conn.exchange(text + b" %d" % i, b"reply %d " % i + pattern(64, i))


def end(lgr, over, conns):
    for conn in conns:
        conn.close("c")
    lgr.delete_all(over)


@capture("two-links-continuation")
def two_links(world):
    """Five RMBs a side when the second link comes: the continuation counts 5, 3, 1 in both directions."""
    lgr, link, conn = start(world, nics=(2, 2), cport=41001, max_links={"c": 2, "s": 3})
    conns = [conn] + [grow(lgr, link, 41001 + i) for i in range(1, 5)]
    talk(conns)
    client_asks_for_link(lgr, link, 1)
    second = lgr.add_link(link, 1, 1)
    talk(conns, b"with two links")
    conns.append(grow(lgr, second, 41006))  # on the second link, its new RMBs confirmed there for both
    conns.append(grow(lgr, link, 41007, over=second))
    talk(conns, b"seven connections")
    end(lgr, second, conns)


@capture("continuation-server-heavy", nano=False)
def server_heavy(world):
    """Five RMBs at the server, one of five elements at the client: 5, 3, 1 against 1 and two empty answers."""
    lgr, link, conn = start(world, nics=(2, 2), client_rmb={"elements": 5}, cport=41101)
    conns = [conn] + [grow(lgr, link, 41101 + i, client_new=False) for i in range(1, 5)]
    client_asks_for_link(lgr, link, 1)
    second = lgr.add_link(link, 1, 1)
    talk(conns)
    end(lgr, second, conns)


@capture("continuation-client-heavy")
def client_heavy(world):
    """One RMB at the server, five at the client: the server's second and third message are empty and only ask for more."""
    lgr, link, conn = start(world, nics=(2, 2), server_rmb={"elements": 5}, cport=41201)
    conns = [conn] + [grow(lgr, link, 41201 + i, server_new=False) for i in range(1, 5)]
    lgr.add_link(link, 1, 1)
    talk(conns)
    end(lgr, link, conns)


@capture("asymmetric-rkey-continuation")
def asymmetric(world):
    """Three symmetric links and an asymmetric one (the client's first RNIC serves two links): three other tokens per new RMB."""
    lgr, link, conn = start(world, nics=(4, 4), cport=41301, max_links={"c": 8, "s": 8},
                            second=lambda group, over: group.add_link(over, 1, 1))
    third = lgr.add_link(link, 2, 2)
    fourth = lgr.add_link(third, 0, 3)
    conns = [conn, grow(lgr, fourth, 41302), grow(lgr, lgr.links[2], 41303)]
    talk(conns)
    client_asks_for_link(lgr, link, 3)
    fifth = lgr.add_link(link, 3, 3)
    move = conns[1]
    for side in "sc":  # nothing is lost: F names the last number of each side
        move.move(side, fifth, move.seq[side])
    lgr.delete_link(fourth, link, msg.NOT_NEEDED)
    conns.append(grow(lgr, fifth, 41304))
    talk(conns, b"four symmetric links")
    end(lgr, fifth, conns)


@capture("eight-links", nano=False)
def eight_links(world):
    """As many symmetric links as the RFC allows; new RMBs at 4, 6 and 8 links: 3, 5 and 7 other tokens."""
    lgr, link, conn = start(world, nics=(8, 8), cport=41401, max_links={"c": 8, "s": 8},
                            second=lambda group, over: group.add_link(over, 1, 1))
    conns = [conn]
    for nic in range(2, 8):
        newest = lgr.add_link(link, nic, nic)
        if nic in (3, 5, 7):
            conns.append(grow(lgr, newest, 41400 + nic, over=link))
    talk(conns)
    end(lgr, newest, conns)


def two_link_group(world, cport, **group):
    """Two symmetric links and two connections, the second one on the second link, in two elements of one RMB a side."""
    two = {"elements": 2}
    links = []
    lgr, link, conn = start(world, nics=(2, 2), client_rmb=two, server_rmb=two, cport=cport,
                            second=lambda g, over: links.append(g.add_link(over, 1, 1)), **group)
    conn2 = again(lgr, links[0], cport + 1, (lgr.of("s")[0], 2), (lgr.of("c")[0], 2))
    return lgr, link, links[0], conn, conn2


def time_out(world, pair, side, psn, times=7):
    """Nothing answers: the whole window is sent again after each local ACK timeout of 134 ms."""
    for _ in range(times):
        world.pause(134_218)
        pair.resend(side, psn)
    world.pause(134_218)


def replay(conn, side, link, lost):
    """The lost WRITEs and CDCs once more on the other link, same numbers."""
    for begin, data, message in lost:
        conn.put(side, data, start=begin, link=link)
        conn.group.llc(side, link, message)


@capture("failover-same-numbers")
def failover_same(world):
    lgr, first, second, conn, conn2 = two_link_group(world, 41501, ack_each=False)
    talk([conn, conn2])
    conn.write("c", pattern(500, 1))
    conn.read("s")
    psn, completed = first.psn_now("c"), conn.seq["c"]
    lost = [conn.lose("c", pattern(300, 2)), conn.lose("c", pattern(1200, 3))]
    time_out(world, first.pair, "c", psn)
    conn.move("c", second, completed)
    replay(conn, "c", second, lost)
    lgr.llc("c", second, msg.delete_link(0, first.number, msg.LOST_PATH))
    conn.move("s", second, conn.seq["s"])
    lgr.delete_link(first, second, msg.LOST_PATH, flags=0)
    conn.read("s")
    conn.write("s", b"all 2000 of them")
    conn.read("c")
    conn2.exchange(b"not moved", b"never lost")
    third = lgr.add_link(second, 0, 0)  # the path is back; number 3, not 1
    conn2.exchange(pattern(200), pattern(100))
    for side in "cs":
        conn.move(side, third, conn.seq[side])  # rebalanced, nothing lost
    conn.exchange(b"on link 3", b"on link 3")
    end(lgr, second, [conn, conn2])


@capture("failover-merged", nano=False)
def failover_merged(world):
    """The server's TEST LINK stays unanswered; both sides have lost data and replay it in one WRITE with a higher number."""
    lgr, first, second, conn, conn2 = two_link_group(world, 41601)
    talk([conn, conn2])
    completed = dict(conn.seq)
    psn = {x: first.psn_now(x) for x in "cs"}
    begin = {x: conn.written[x] for x in "cs"}
    up, down = [pattern(900, 4), pattern(250, 40)], pattern(1024, 60)
    for data in up:
        conn.lose("c", data)
    conn.lose("s", down)
    first.pair.send("s", msg.test_link(0, bytes(range(0xA0, 0xB0))), "lost")
    for _ in range(3):
        world.pause(134_218)
        first.pair.resend("c", psn["c"])
        first.pair.resend("s", psn["s"])
    world.pause(134_218)
    conn.move("s", second, completed["s"])
    conn.put("s", down, start=begin["s"], link=second)
    conn.cdc("s")
    lgr.llc("s", second, msg.delete_link(0, first.number, msg.LOST_PATH))
    conn.move("c", second, completed["c"])
    conn.put("c", up[0] + up[1], start=begin["c"], link=second)
    conn.cdc("c")
    lgr.llc("c", second, msg.delete_link(msg.RESPONSE, first.number, 0))
    lgr.forget(first)
    conn.read("c")
    conn.read("s")
    talk([conn, conn2], b"after the move")
    end(lgr, second, [conn, conn2])


@capture("delete-link")
def delete_link(world):
    lgr, first, conn = start(world, nics=(3, 3), cport=41701, max_links={"c": 4, "s": 4},
                             client_rmb={"elements": 2}, server_rmb={"elements": 2},
                             second=lambda g, over: g.add_link(over, 1, 1))
    second = lgr.links[2]
    third = lgr.add_link(first, 2, 2)
    moving = again(lgr, second, 41702, (lgr.of("s")[0], 2), (lgr.of("c")[0], 2))
    talk([conn, moving])
    lgr.llc("c", first, msg.delete_link(msg.DELETE_ORDERLY, 2, msg.OPERATOR))  # client asks ...
    for side in "cs":
        moving.move(side, third, moving.seq[side])
    lgr.delete_link(second, first, msg.OPERATOR)  # ... server deletes
    talk([conn, moving], b"two links left")
    lgr.test_link("c", first, b"are you there ?!")
    fourth = add_link_under_test(lgr, first)
    unanswered_delete(lgr, first, fourth, moving, third)
    talk([conn, moving], b"one link left")
    conn.close("c")
    moving.close("s")
    lgr.delete_all(first, msg.OPERATOR, by_client=True)  # the client asks, the server's own request follows


def add_link_under_test(lgr, over):
    """TEST LINK from both sides in the middle of an ADD LINK exchange, answered at once."""
    link = lgr.offer_link(over, 1, 1)
    lgr.test_link("c", over, bytes.fromhex("00112233445566778899aabbccddeeff"))
    lgr.continuation(over, link)
    lgr.llc("s", link, lgr.confirm_link_message("s", link, False))
    lgr.test_link("s", over, b"SMC keepalive 42")
    lgr.llc("c", link, lgr.confirm_link_message("c", link, True))
    lgr.test_link("s", link, bytes(16))
    return link


def unanswered_delete(lgr, survivor, dead, moving, gone):
    """DELETE LINK of `gone` over `dead`, whose answer never comes: both are deleted again over the survivor."""
    for side in "cs":
        moving.move(side, survivor, moving.seq[side])
    lgr.llc("s", dead, msg.delete_link(msg.DELETE_ORDERLY, gone.number, msg.OPERATOR))
    lgr.world.pause(2_000_000)
    lgr.llc("s", survivor, msg.delete_link(0, gone.number, msg.LOST_PATH))
    lgr.llc("c", survivor, msg.delete_link(msg.RESPONSE, gone.number, msg.UNKNOWN_LINK))
    lgr.forget(gone)
    lgr.delete_link(dead, survivor, msg.LOST_PATH, flags=0)


@capture("delete-all-open")
def delete_all_open(world):
    """The server ends the group, not orderly, while two connections are open: TCP is reset on both."""
    lgr, first, second, conn, conn2 = two_link_group(world, 41801)
    talk([conn, conn2])
    conn.write("s", pattern(333))
    lgr.delete_all(second, msg.OPERATOR, flags=0)
    conn.tcp.rst("c")
    conn2.tcp.rst("s")


@capture("rkey-flows")
def rkey_flows(world):
    lgr, link, conn = start(world, nics=(2, 2), cport=41901)
    conns = [conn, *crossing_rkeys(lgr, link)]
    talk(conns)
    pool = [lgr.new_rmb("c") for _ in range(7)]  # confirmed ahead of use
    for rmb in pool:
        lgr.confirm_rkey(rmb, link)
    refused = refused_for_good(lgr, link)
    conns.append(refused_and_retried(lgr, link))
    talk(conns, b"two links now")
    delete_eight(lgr, link, pool, refused)
    for conn in conns[:2]:
        conn.close("c")
    crossing_deletes(lgr, link, conns[0].place["s"][0], conns[0].place["c"][0])
    end(lgr, link, conns[2:])


def crossing_rkeys(lgr, link):
    """Two connections at once: the server's CONFIRM RKEY for the one crosses the client's for the other."""
    a, b = Connection(lgr, 41902), Connection(lgr, 41903)
    for conn in (a, b):
        conn.use_link(link)
        conn.tcp.handshake()
    a.proposal(SUBNET)
    first = lgr.new_rmb("s")
    lgr.confirm_rkey(first, link)
    a.set_place("s", first)
    a.accept(False)
    b.proposal(SUBNET)
    server, client = lgr.new_rmb("s"), lgr.new_rmb("c")
    (from_server,), (from_client,) = lgr.rkey_messages(server, link), lgr.rkey_messages(client, link)
    lgr.llc("s", link, from_server(0), ack=False)
    lgr.llc("c", link, from_client(0))
    link.pair.ack("c")
    lgr.llc("s", link, from_client(msg.RESPONSE))
    a.set_place("c", client)
    a.confirm()
    lgr.llc("c", link, from_server(msg.RESPONSE))
    b.set_place("s", server)
    b.accept(False)
    last = lgr.new_rmb("c")
    lgr.confirm_rkey(last, link)
    b.set_place("c", last)
    b.confirm()
    return a, b


def refused_for_good(lgr, link):
    """The server has no room: Z without C. The client declines the connection, which goes on over TCP."""
    conn = Connection(lgr, 41904)
    conn.use_link(link)
    conn.tcp.handshake()
    conn.proposal(SUBNET)
    conn.set_place("s", lgr.new_rmb("s"))
    lgr.confirm_rkey(conn.place["s"][0], link)
    conn.accept(False)
    refused = Rmb(lgr, "c")
    refused.register(link)
    (message,) = lgr.rkey_messages(refused, link)
    lgr.llc("c", link, message(0))
    lgr.llc("s", link, message(msg.RESPONSE | msg.RKEY_NEGATIVE))
    conn.tcp.send("c", msg.decline_v1(lgr.host["c"].peer_id, 0x52000011))
    conn.tcp.app("c", b"without SMC then")
    conn.tcp.app("s", b"as you like")
    conn.tcp.close("c")
    return refused


def refused_and_retried(lgr, link):
    """The client's CONFIRM RKEY meets the server's ADD LINK: refused with C, repeated for two links afterwards."""
    conn = Connection(lgr, 41905)
    conn.use_link(link)
    conn.tcp.handshake()
    conn.proposal(SUBNET)
    conn.set_place("s", lgr.new_rmb("s"))
    lgr.confirm_rkey(conn.place["s"][0], link)
    conn.accept(False)
    rmb = Rmb(lgr, "c")
    rmb.register(link)
    second = lgr.new_link(1, 1)
    lgr.llc("s", link, lgr.add_link_message("s", second), ack=False)
    lgr.llc("c", link, message_for_one_link(rmb, link))  # sent before the ADD LINK arrived
    link.pair.ack("c")
    lgr.llc("s", link, message_for_one_link(rmb, link, msg.RESPONSE | msg.RKEY_NEGATIVE | msg.RKEY_RETRY))
    lgr.llc("c", link, lgr.add_link_message("c", second, msg.RESPONSE, mtu=second.mtu))
    lgr.continuation(link, second)
    lgr.confirm_link(second)
    rmb.register(second)
    lgr.rmbs.append(rmb)
    lgr.confirm_rkey(rmb, link)
    conn.set_place("c", rmb)
    conn.confirm()
    return conn


def message_for_one_link(rmb, link, flags=0):
    return msg.confirm_rkey(flags, 0, *rmb.token[link.number], [])


def delete_eight(lgr, link, pool, refused):
    """Eight keys, the third one unknown to the server: mask 0x20."""
    keys = [rmb.token[link.number][0] for rmb in (*pool[:2], refused, *pool[2:])]
    lgr.llc("c", link, msg.delete_rkey(0, keys))
    lgr.llc("s", link, msg.delete_rkey(msg.RESPONSE | msg.RKEY_NEGATIVE, keys, 0x20))
    for rmb in pool:
        lgr.rmbs.remove(rmb)


def crossing_deletes(lgr, link, server, client):
    keys = {"s": server.token[link.number][:1], "c": client.token[link.number][:1]}
    lgr.llc("s", link, msg.delete_rkey(0, keys["s"]), ack=False)
    lgr.llc("c", link, msg.delete_rkey(0, keys["c"]), ack=False)
    for side in "cs":
        link.pair.ack(side)
    for side in "cs":
        lgr.llc(side, link, msg.delete_rkey(msg.RESPONSE, keys[other(side)]))
    lgr.rmbs.remove(server)
    lgr.rmbs.remove(client)
