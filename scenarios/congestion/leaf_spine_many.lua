-- A fabric of 128 hosts in which each talks to hosts of all other leaves at once: as an experiment 10,112 connections, as a scenario an eighth
-- of them. All are SMC-R, all bytes arrive, the lossless class drops nothing, all four spines carry their share.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "128 hosts, thousands of connections",
    source = "RFC 7609 1.1.1; IEEE 802.1Qbb",
    requirements = { "ROCE-008", "ROCE-012", "CURSOR-001" },
    targets = { "sim", "ns3" },
    time_limit = "60 s",
}
experiment {
    parameters = { connections = { 10112 } },
    quick = { connections = { 1280 } },
    repetitions = 1,
    measures = { "setup_us", "transfer_us", "queue_peak_bytes", "pauses", "marks" },
}

local leaves, spines, each = 8, 4, 16
local net = leaf_spine { leaves = leaves, spines = spines, hosts_per_leaf = each, rate = "25 Gbit/s", uplink = "100 Gbit/s", queue = "512 KiB",
    pfc = { xoff = "128 KiB", headroom = "64 KiB" }, ecn = { min = "20 KiB", max = "200 KiB", share = "1 %" },
    host = { dscp = 26, versions = { 2 }, dcqcn = true, rmb = "16 KiB", sndbuf = "16 KiB" } }
local hosts, ends = net.hosts, {}
local n = #hosts
expect(n, 128)
for _, h in ipairs(hosts) do h:listen(5000) end

-- One new connection of each host at a time, to the host at its place in the next leaf, the one after that …
for round = 1, parameter.connections // n do
    local clients, shift = {}, each * (1 + (round - 1) % (leaves - 1))
    for i = 1, n do clients[i] = hosts[i]:connect(hosts[(i + shift - 1) % n + 1], 5000) end
    for i = 1, n do
        local to = (i + shift - 1) % n + 1
        ends[#ends + 1] = { clients[i], hosts[to]:accept(5000) }
    end
end
for _, e in ipairs(ends) do expect(e[1]:connected(), "SMC-R") end
expect(#ends, parameter.connections)
local connected = now()

local bytes, moves = 4096, {}
for i, e in ipairs(ends) do moves[i] = transfer { from = e[1], to = e[2], bytes = bytes, background = true } end
for _, m in ipairs(moves) do m:finish() end
measure("setup_us", connected / 1000, "us")
measure("transfer_us", (now() - connected) / 1000, "us")

local peak, pauses, marks = 0, 0, 0
for _, list in ipairs { net.leaves, net.spines } do
    for _, sw in ipairs(list) do
        local c = sw:counters()
        expect(c.queue_drops, 0, tostring(sw))
        expect(c.filtered, 0, tostring(sw))
        peak, pauses, marks = math.max(peak, c.queued_peak), pauses + c.pause_sent, marks + c.ecn_marked
    end
end
measure("queue_peak_bytes", peak, "bytes")
measure("pauses", pauses, "frames")
measure("marks", marks, "frames")
for l = 1, leaves do
    local all, least = 0, math.huge
    for s = 1, spines do
        local sent = net.uplinks[l][s]:counters(net.leaves[l]).sent
        all, least = all + sent, math.min(least, sent)
    end
    expect_true(least * spines * 4 > all, string.format("leaf %d sends %d of %d frames by one of its ways", l, least, all))
end
for _, e in ipairs(ends) do
    e[1]:close()
    e[2]:close()
end
for _, e in ipairs(ends) do expect_state(e[1], "CLOSED") end
