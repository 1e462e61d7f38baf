-- Two senders share a link. While both send each has about half; when one has finished, the other's rate comes back to that of the line.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "DCQCN: reduction, and recovery when the congestion is over",
    source = "Zhu et al., SIGCOMM 2015, 3.1",
    requirements = { "ROCE-008", "ROCE-012", "CURSOR-001" },
    targets = { "sim", "ns3" },
}

local line = 1000000000
local net = star { hosts = 3, rate = "1 Gbit/s", pfc = true, ecn = { min = 5000, max = 50000, share = "10 %" },
    host = { dscp = 26, versions = { 2 }, dcqcn = { R_AI = "40 Mbit/s", R_HAI = "400 Mbit/s", B = "150 KiB" }, rmb = "256 KiB" } }
local a, b, sink = net.hosts[1], net.hosts[2], net.hosts[3]
local ca, sa = connect(a, sink)
local cb, sb = connect(b, sink)
-- The connection's QP: the one that is not at rest. A group has links without connections too.
local function rate(h)
    local lowest = line
    for _, f in ipairs(h:roce().flows) do
        expect_true(f.R_C <= f.R_T and f.R_T <= line, "R_C <= R_T <= line rate does not hold")
        if f.R_C < lowest then lowest = f.R_C end
    end
    return lowest
end
expect(a:roce().line_rate, line, "the link's rate")
expect(rate(a), line, "a flow starts at line rate")

local long = transfer { from = ca, to = sa, bytes = "12 MiB", background = true }
local short = transfer { from = cb, to = sb, bytes = "3 MiB", background = true }
wait "10 ms"
local sum, looks = { 0, 0 }, 0
while short:received() < 2 << 20 do
    wait "500 us"
    sum[1], sum[2], looks = sum[1] + rate(a), sum[2] + rate(b), looks + 1
end
expect_true(looks > 10, "too short to say anything")
for i, s in ipairs(sum) do
    expect_true(s // looks < line * 8 // 10, string.format("sender %d: %d bit/s on the average", i, s // looks))
    expect_true(s // looks > line * 2 // 10, string.format("sender %d: %d bit/s on the average", i, s // looks))
end
short:finish()
expect_true(rate(a) < line, "the other sender is gone and this one was never slowed down")
wait_for(function() return rate(a) > line * 95 // 100 end, "the rate did not come back", { within = "50 ms" })
local from, start = long:received(), now()
wait "10 ms"
local got = (long:received() - from) * 8 * 1000000000 // (now() - start)
expect_true(got > line * 85 // 100, "alone, it gets " .. got .. " bit/s")
long:finish()
expect(net.switch:counters().queue_drops, 0)
for _, e in ipairs { ca, sa, cb, sb } do e:close() end
expect_state(ca, "CLOSED")
expect_state(cb, "CLOSED")
