-- A switch marks what waits long, and only what may be marked: RoCEv2 of hosts with DCQCN. Each receiver notifies a sender at most once each
-- 50 µs for a flow, and TCP is not touched.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "ECN marks and congestion notifications",
    source = "RFC 3168 5; InfiniBand A17.9; Zhu et al., SIGCOMM 2015",
    requirements = { "ROCE-008", "ROCE-012", "CURSOR-001" },
    targets = { "sim", "ns3" },
}

local net = star { hosts = 5, rate = "10 Gbit/s", pfc = true, ecn = { min = 5000, max = 200000, share = "1 %" },
    host = function(i) return { dscp = 26, versions = { 2 }, dcqcn = i ~= 4 } end }
local h, sink = net.hosts, net.hosts[5]
local to_sink = net.links[5]

local function move(from, options)
    local c, s = connect(from, sink, options and 6000 or 5000, options)
    return transfer { from = c, to = s, bytes = "1 MiB", background = true }, c, s
end
local function together(list)
    for _, m in ipairs(list) do m[1]:finish() end
    for _, m in ipairs(list) do
        m[2]:close()
        m[3]:close()
        expect_state(m[2], "CLOSED")
    end
end

-- One sender: no queue, no mark.
together { { move(h[1]) } }
expect(net.switch:counters().ecn_marked, 0, "marks without a queue")

-- Host 4 has no DCQCN: it says of no packet that it may be marked. TCP neither.
together { { move(h[4]) }, { move(h[1], { tcp_only = true }) } }
expect(sink:roce().ce_received, 0)

local start = now()
together { { move(h[1]) }, { move(h[2]) }, { move(h[3]) } }
local took = now() - start
local marked, seen = net.switch:counters().ecn_marked, sink:roce()
expect_true(marked > 0, "nothing was marked")
expect(to_sink:counters(net.switch).ecn_marked, marked, "marks elsewhere than in the queue that was long")
expect(seen.ce_received, marked, "marks that arrived")
expect_true(seen.cnps_sent > 0 and seen.cnps_sent <= marked, "notifications: " .. seen.cnps_sent)
expect_true(seen.cnps_sent <= 3 * (took // 50000 + 1), "more than one notification each 50 µs for a flow")
local received = 0
for i = 1, 3 do received = received + h[i]:roce().cnps_received end
expect(received, seen.cnps_sent, "notifications that arrived")
expect(h[4]:roce().cnps_received, 0)
expect(net.switch:counters().queue_drops, 0)
