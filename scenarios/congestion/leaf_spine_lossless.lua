-- Leaves and spines: flows keep to one spine each and are spread over both, nothing loops, nothing is dropped in the lossless class although
-- two leaves send to one.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A leaf-spine fabric, lossless under incast",
    source = "IEEE 802.1Qbb; RFC 2992",
    requirements = { "ROCE-008", "ROCE-012", "CURSOR-001" },
    targets = { "sim", "ns3" },
}

local net = leaf_spine { leaves = 3, spines = 2, hosts_per_leaf = 4, rate = "10 Gbit/s", uplink = "20 Gbit/s", queue = "128 KiB",
    pfc = { xoff = "32 KiB", headroom = "64 KiB" }, ecn = true, host = { dscp = 26, versions = { 2 } } }
local ends, moves = {}, {}
for l = 1, 2 do
    for i, from in ipairs(net.leaf[l]) do
        -- Two hosts of the third leaf get four flows each.
        for _, port in ipairs { 5000, 5001 } do ends[#ends + 1] = { connect(from, net.leaf[3][i % 2 + 1], port) } end
    end
end
for i, e in ipairs(ends) do
    expect(e[1].mode, "SMC-R")
    moves[i] = transfer { from = e[1], to = e[2], bytes = "256 KiB", background = true }
end
for _, m in ipairs(moves) do m:finish() end
local pauses, by_spine = 0, {}
for _, list in ipairs { net.leaves, net.spines } do
    for _, sw in ipairs(list) do
        local c = sw:counters()
        expect(c.queue_drops, 0, tostring(sw))
        pauses = pauses + c.pause_sent
    end
end
for s, spine in ipairs(net.spines) do
    by_spine[s] = net.uplinks[3][s]:counters(spine).sent
    expect_true(by_spine[s] > 0, tostring(spine) .. " carried nothing")
end
expect_true(pauses > 0, "nobody was told to stop")
for _, h in ipairs(net.hosts) do expect(h:roce().retransmissions, 0, tostring(h)) end
for _, e in ipairs(ends) do
    e[1]:close()
    e[2]:close()
    expect_state(e[1], "CLOSED")
end
