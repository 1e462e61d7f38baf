# Scripts of the synthetic captures: losses and repetitions below SMC, data ahead of Confirm, a sequence number that wraps.
# SPDX-License-Identifier: BSD-3-Clause

import messages as msg
from group import Connection
from stage import ON_REQUEST, SUBNET, capture, start
from world import other, pattern


@capture("loss-go-back-n")
def loss(world):
    """PSN sequence errors, RNR, lost acknowledgements; both PSN counters pass 0xFFFFFF."""
    lgr, link, conn = start(world, cport=43001, mtu={"c": 3, "s": 4}, psn={"c": 0xFFFFF8, "s": 0xFFFFFB})
    pair = link.pair
    nak(conn, pattern(5000, 1), 2, lost_before_capture=False)
    nak(conn, pattern(5000, 2), 1, lost_before_capture=True)
    conn.read("s")
    rnr(conn, "s", pattern(2500, 3))
    conn.read("c")
    lost_ack(conn, pattern(700, 4))
    conn.read("s")
    late_ack(conn, pattern(900, 5))
    conn.write("s", b"all of it arrived, in order")
    conn.read("c")
    conn.close("c")
    assert pair.psn["c"] < 0x1000 and pair.psn["s"] < 0x1000
    lgr.delete_all(link)


def nak(conn, data, index, lost_before_capture):
    """Packet `index` of a WRITE is lost; what follows is dropped, refused with a NAK and sent again."""
    pair = conn.link["c"].pair
    first = pair.psn["c"]
    conn.put("c", data, "lost", captured=(index,) if lost_before_capture else True)
    message = conn.cdc_message("c")
    pair.send("c", message, "lost")
    missing = first + index & 0xFFFFFF
    pair.nak_sequence("s", missing)
    pair.resend("c", missing)
    pair.done("c", False)
    pair.done("c", True)
    conn.world.pause(100)


def rnr(conn, side, data):
    """The receiver has no buffer for the SEND: RNR NAK, twice, then it goes through."""
    pair = conn.link[side].pair
    conn.put(side, data)
    psn = pair.psn[side]
    pair.send(side, conn.cdc_message(side), "lost")
    for _ in range(2):
        pair.nak_rnr(other(side), psn)
        conn.world.pause(80)
        pair.resend(side, psn)
    pair.done(side, True)


def lost_ack(conn, data):
    """Everything arrived, only the acknowledgement was lost on the way: duplicates, acknowledged again."""
    pair = conn.link["c"].pair
    psn = pair.psn["c"]
    conn.put("c", data, False)
    conn.cdc("c", ack=False)
    conn.world.pause(134_218)
    pair.resend("c", psn)
    pair.ack("s")
    conn.world.pause(50)


def late_ack(conn, data):
    """The acknowledgement is only late: it crosses the repetition, which is acknowledged too."""
    pair = conn.link["c"].pair
    psn = pair.psn["c"]
    conn.put("c", data, False)
    conn.cdc("c", ack=False)
    conn.world.pause(134_218)
    pair.ack("s")
    pair.resend("c", psn)
    pair.ack("s")
    conn.read("s")


@capture("early-data", nano=False)
def early_data(world):
    """Data on the RoCE path overtakes the Confirm on the TCP path."""
    lgr, link, conn = start(world, cport=43101, client_rmb={"elements": 3}, server_rmb={"elements": 3}, ack_each=False)
    conn.exchange(b"first", b"one")
    confirm_repeated(lgr, link)
    confirm_overtaken(lgr, link)
    conn.close("s")
    lgr.delete_all(link)


def opened(lgr, link, cport, index):
    conn = Connection(lgr, cport)
    conn.use_link(link)
    conn.set_place("s", lgr.of("s")[0], index)
    conn.set_place("c", lgr.of("c")[0], index)
    conn.tcp.handshake()
    conn.proposal(SUBNET)
    conn.accept(False)
    return conn


def confirm_repeated(lgr, link):
    """The Confirm is captured, then lost; the client writes at once; the repetition arrives after the data."""
    conn = opened(lgr, link, 43102, 2)
    conn.confirm(ack=False)
    conn.write("c", b"written right behind Confirm")
    conn.world.pause(200_000)
    conn.tcp.retransmit("c")
    conn.tcp.ack("s")
    conn.read("s")
    conn.write("s", b"withheld until Confirm was processed")
    conn.read("c")
    conn.close("c")


def confirm_overtaken(lgr, link):
    """The capture point sees WRITEs and CDCs before it sees the Confirm; both ends write at once afterwards."""
    conn = opened(lgr, link, 43103, 3)
    start_seq = conn.tcp.seq["c"]
    confirm = conn.clc_message(msg.CONFIRM, "c", False)
    conn.write("c", pattern(1800, 21))
    conn.write("c", b"two messages ahead")
    conn.world.pause(500)
    conn.tcp.send("c", confirm, ack=False)
    assert conn.tcp.seq["c"] == start_seq + len(confirm)
    conn.read("s")
    conn.write("s", b"at once, before the TCP acknowledgement")
    conn.tcp.ack("s")
    conn.read("c")
    conn.close("s")


@capture("sequence-wrap", table=ON_REQUEST)
def sequence_wrap(world):
    """65,700 CDC messages of one direction: the number passes 65535 -> 0, the ring more than a hundred times."""
    lgr, link, conn = start(world, cport=43201, ack_each=False)
    for i in range(65_700):
        conn.put("c", pattern(29, i), False)
        conn.cdc("c", ack=i % 16 == 15)
        conn.read("s")
        if conn.window("c") < conn.capacity("s") // 2 - 100:
            conn.cdc("s")
    link.pair.ack("s")
    conn.write("s", b"got 65700 messages")
    conn.read("c")
    conn.close("c")
    lgr.delete_all(link)
