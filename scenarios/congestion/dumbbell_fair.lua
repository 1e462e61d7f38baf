-- Four pairs of hosts share a bottleneck between two switches: lossless, marked, and shared by DCQCN without anybody being starved.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A bottleneck shared by four pairs",
    source = "Zhu et al., SIGCOMM 2015, 6.1",
    requirements = { "ROCE-008", "ROCE-012", "CURSOR-001" },
    targets = { "sim", "ns3" },
}

local pairs_, bytes = 4, 2 << 20
local net = dumbbell { left = pairs_, right = pairs_, rate = "10 Gbit/s", bottleneck = "10 Gbit/s", bottleneck_delay = "5 us", pfc = true,
    ecn = { min = 5000, max = 200000, share = "1 %" }, host = { dscp = 26, versions = { 2 }, dcqcn = true } }
local ends, moves = {}, {}
for i = 1, pairs_ do ends[i] = { connect(net.left[i], net.right[i]) } end
for i = 1, pairs_ do moves[i] = transfer { from = ends[i][1], to = ends[i][2], bytes = bytes, background = true } end
local first
wait_for(function()
    for i = 1, pairs_ do
        if moves[i]:received() == bytes then first = i end
    end
    return first
end, "nobody finished")
for i = 1, pairs_ do
    expect_true(moves[i]:received() > bytes // 3, string.format("pair %d had %d of %d bytes when pair %d was done", i, moves[i]:received(), bytes, first))
end
for i = 1, pairs_ do moves[i]:finish() end
local queue = net.bottleneck:counters(net.switches[1])
expect_true(queue.ecn_marked > 0, "the bottleneck marked nothing")
for _, sw in ipairs(net.switches) do expect(sw:counters().queue_drops, 0) end
for _, e in ipairs(ends) do
    e[1]:close()
    e[2]:close()
    expect_state(e[1], "CLOSED")
end
