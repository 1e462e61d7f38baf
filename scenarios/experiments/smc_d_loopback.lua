-- SMC-D over the loopback device against TCP, between two containers of one host that have a processor each.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "SMC-D loopback against TCP on one host",
    source = "docs/experiments/smc_d_loopback.md",
}
experiment {
    parameters = {
        path = { "TCP", "SMC-D", "SMC-D mapped" }, -- mapped: the peer's ring is the send buffer
        bytes = { 14, 100, 1024, 4096, 16384, 64000 },
    },
    quick = { path = { "TCP", "SMC-D", "SMC-D mapped" }, bytes = { 1024 } },
    repetitions = 10,
    measures = { "latency", "messages", "throughput" },
    plots = {
        { x = "bytes", y = "latency", by = "path", log = "xy", title = "One way: half of a call with its response" },
        { x = "bytes", y = "messages", by = "path", log = "xy", title = "Calls a second, one at a time" },
        { x = "bytes", y = "throughput", by = "path", log = "x", title = "A stream of 16 MiB, so many bytes a write" },
    },
}

-- Nothing crosses a cable: the interrupt is a softirq on the other processor.
local changes = { interrupt = 500 }
local mapped = parameter.path == "SMC-D mapped"
host "first" { address = "10.0.0.1/24", machine = "m", roce = false, cpu = costs(10, changes), no_copy = mapped, devices = { "loopback" } }
host "second" { address = "10.0.0.2/24", machine = "m", roce = false, cpu = costs(10, changes), no_copy = mapped, devices = { "loopback" } }
link(first, second, { rate = "1000 Gbit/s", delay = 10, mtu = 65535, queue = "16 MiB" }) -- the loopback interface

local function pair(port)
    local c, s = connect(first, second, port, { tcp_only = parameter.path == "TCP", nodelay = true, tcp_buffer = "2 MiB", rmb = "1 MiB",
        sndbuf = "1 MiB" })
    expect(c.mode, parameter.path:sub(1, 5))
    return c, s
end
local c, s = pair(5000)
wait "10 ms"
local r = calls { from = c, to = s, request = parameter.bytes, count = 2000 }
measure("latency", r.mean / 2 / 1000, "us")
measure("messages", r.calls * 1e9 / r.time, "calls/s")
local d, t = pair(5001)
local x = stream { from = d, to = t, bytes = "16 MiB", chunk = parameter.bytes }
measure("throughput", x.bytes * 1000 / x.time, "MB/s")
for _, socket in ipairs { c, s, d, t } do socket:close() end
wait "1 s"
