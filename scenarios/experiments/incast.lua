-- Incast: many senders, one receiver. What a queue that overflows, flow control (PFC) and congestion control (DCQCN) make of it.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Incast with and without PFC and DCQCN",
    source = "docs/experiments/incast.md",
}
experiment {
    parameters = {
        network = { "lossy", "PFC", "DCQCN", "PFC and DCQCN" },
        senders = { 2, 4, 8, 16 },
    },
    quick = { network = { "lossy", "PFC and DCQCN" }, senders = { 4 } },
    repetitions = 10,
    measures = { "goodput", "slowest", "dropped", "paused", "broken" },
    plots = {
        { x = "senders", y = "goodput", by = "network", title = "Goodput at the receiver, a line of 25 Gbit/s" },
        { x = "senders", y = "slowest", by = "network", log = "y", title = "Until the last of the senders is done (4 MiB each)" },
        { x = "senders", y = "dropped", by = "network", title = "Frames dropped by the switch" },
        { x = "senders", y = "paused", by = "network", title = "PFC frames of the switch (stop and go)" },
    },
}

local pfc = parameter.network:find("PFC", 1, true) ~= nil
local dcqcn = parameter.network:find("DCQCN", 1, true) ~= nil
local n = parameter.senders
local net = star {
    hosts = n + 1, rate = "25 Gbit/s", delay = "1 us", mtu = 4200, queue = "256 KiB",
    pfc = pfc and { xoff = "100 KiB", xon = "75 KiB", headroom = "64 KiB" } or nil,
    ecn = dcqcn and { min = "5000 B", max = "200 KiB", share = "1 %" } or nil,
    host = { dscp = 26, dcqcn = dcqcn or nil },
}
local target, flows = net.hosts[n + 1], {}
for i = 1, n do
    local c, s = connect(net.hosts[i], target, 5000, { rmb = "512 KiB", sndbuf = "512 KiB", within = "30 s" })
    expect(c.mode, "SMC-R")
    flows[i] = { c = c, s = s }
end
wait "1 s" -- what the handshakes left in queues is over
local before = net.switch:counters()
for _, f in ipairs(flows) do
    wait(random(5000)) -- they do not begin at the same nanosecond
    f.run = stream { from = f.c, to = f.s, bytes = "4 MiB", background = true }
end
local begin, finish, received, broken = nil, 0, 0, 0
for _, f in ipairs(flows) do
    local r = f.run:finish { may_break = true } -- a NIC may have tried seven times in vain
    begin = begin and begin < r.begin and begin or r.begin
    finish = r.finish > finish and r.finish or finish
    received, broken = received + r.received, broken + (r.broken and 1 or 0)
end
local after = net.switch:counters()
measure("goodput", received * 8 / (finish - begin), "Gbit/s")
measure("slowest", (finish - begin) / 1e6, "ms")
measure("dropped", after.queue_drops - before.queue_drops, "frames")
measure("broken", broken, "")
measure("paused", after.pause_sent - before.pause_sent, "frames")
for _, f in ipairs(flows) do
    f.c:close()
    f.s:close()
end
wait "1 s"
