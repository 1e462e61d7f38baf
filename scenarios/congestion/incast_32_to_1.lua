-- Thirty-two hosts send to one at once. Through a switch without flow control frames are dropped, and RoCE sends again from there on; through one
-- with a lossless class nothing is dropped, and the line is used.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Incast, 32 to 1, with and without priority flow control",
    source = "IEEE 802.1Qbb; RFC 7609 1.1.1",
    requirements = { "ROCE-008", "ROCE-012", "CURSOR-001", "CURSOR-005" },
    targets = { "sim", "ns3" },
}

local senders, bytes = 32, 256 << 10

local function incast(name, network, pfc)
    local net = star { hosts = senders + 1, name = name, switch = "sw_" .. name, network = network, rate = "10 Gbit/s", queue = "128 KiB",
        pfc = pfc, host = { dscp = 26, versions = { 2 } } }
    local sink, ends, moves = net.hosts[senders + 1], {}, {}
    for i = 1, senders do
        ends[i] = { connect(net.hosts[i], sink) }
        expect(ends[i][1].mode, "SMC-R")
    end
    local start = now()
    for i = 1, senders do moves[i] = transfer { from = ends[i][1], to = ends[i][2], bytes = bytes, background = true } end
    for i = 1, senders do moves[i]:finish() end
    local took, counted, again = now() - start, net.switch:counters(), 0
    for i = 1, senders do again = again + net.hosts[i]:roce().retransmissions end
    for _, e in ipairs(ends) do
        e[1]:close()
        e[2]:close()
        expect_state(e[1], "CLOSED")
    end
    return { took = took, switch = counted, again = again, to_sink = net.links[senders + 1]:counters(net.switch) }
end

local lossless = incast("l", "10.1", { lossless = { 3 }, xoff = "64 KiB", xon = "48 KiB", headroom = "32 KiB" })
expect(lossless.switch.queue_drops, 0, "drops with flow control")
expect(lossless.again, 0, "packets sent again with flow control")
expect_true(lossless.switch.pause_sent > 10, "nobody was told to stop")
-- 8 MiB at 10 Gbit/s take 6.7 ms, headers a few per cent more.
expect_true(lossless.took < 8000000, "the line was not used: " .. lossless.took .. " ns")

local lossy = incast("d", "10.2", nil)
expect_true(lossy.switch.queue_drops > 0, "without flow control nothing was dropped")
expect_true(lossy.again > 0, "without flow control nothing was sent again")
expect(lossy.switch.pause_sent, 0)
expect_true(lossy.to_sink.queued_peak <= 128 << 10, "the queue was longer than its limit")
expect_true(lossy.took > 2 * lossless.took, "drops cost no time")
