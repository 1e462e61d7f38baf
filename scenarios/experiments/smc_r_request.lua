-- SMC-R against TCP, request and response: what a call takes, how many a host serves, and what its processor does for one.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "SMC-R against TCP: request and response",
    source = "docs/experiments/smc_r_request.md",
    targets = { "sim", "ns3" },
}
experiment {
    parameters = {
        path = { "TCP", "SMC-R" },
        bytes = { 64, 1024, 4096, 16384, 65536 }, -- of a request, and of its response
        connections = { 1, 10 },
    },
    quick = { path = { "TCP", "SMC-R" }, bytes = { 1024 }, connections = { 2 } },
    repetitions = 10,
    measures = { "latency", "calls", "cpu" },
    plots = {
        { x = "bytes", y = "latency", by = "path", where = { connections = 1 }, log = "xy", title = "One connection: a call" },
        { x = "bytes", y = "calls", by = "path", where = { connections = 10 }, log = "xy", title = "Ten connections: calls a second" },
        { x = "bytes", y = "cpu", by = "path", where = { connections = 10 }, log = "xy", title = "Ten connections: processor time of both hosts for a call" },
    },
}

-- Each seed draws both hosts' costs and the cable.
host "client" { address = "10.0.0.1/24", cpu = costs(10), autocork = true }
host "server" { address = "10.0.0.2/24", cpu = costs(10), autocork = true }
link(client, server, { rate = "100 Gbit/s", delay = 900 + random(200), mtu = 9000, queue = "4 MiB" })

local all = {}
for i = 1, parameter.connections do
    local c, s = connect(client, server, 5000, { tcp_only = parameter.path == "TCP", nodelay = true, tcp_buffer = "1 MiB",
        rmb = "512 KiB", sndbuf = "512 KiB" })
    expect(c.mode, parameter.path)
    all[i] = { c = c, s = s }
end
wait "100 ms" -- links are added, first things are over
local count = 2000 // parameter.connections
local busy = cpu(client).busy + cpu(server).busy
for _, pair in ipairs(all) do
    pair.run = calls { from = pair.c, to = pair.s, request = parameter.bytes, count = count, background = true }
end
local begin, finish, sum, done = now(), 0, 0, 0
for _, pair in ipairs(all) do
    local r = pair.run:finish()
    begin = r.begin < begin and r.begin or begin
    finish = r.finish > finish and r.finish or finish
    sum, done = sum + r.mean * r.calls, done + r.calls
end
measure("latency", sum / done / 1000, "us")
measure("calls", done * 1e9 / (finish - begin), "calls/s")
measure("cpu", (cpu(client).busy + cpu(server).busy - busy) / done / 1000, "us")
for _, pair in ipairs(all) do
    pair.c:close()
    pair.s:close()
end
wait "1 s"
