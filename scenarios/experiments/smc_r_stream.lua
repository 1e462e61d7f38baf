-- SMC-R against TCP, one connection of 20 MB: how fast, and what the processors do for it.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "SMC-R against TCP: one stream",
    source = "docs/experiments/smc_r_stream.md",
    targets = { "sim", "ns3" },
}
experiment {
    parameters = {
        path = { "TCP", "SMC-R" },
        write = { 1024, 4096, 16384, 65536, 262144 }, -- bytes a call of the sender
        tcp_cost = { "half", "stated", "double" },    -- of TCP's frames: how much of the answer is that assumption?
    },
    quick = { path = { "TCP", "SMC-R" }, write = { 65536 }, tcp_cost = { "stated" } },
    repetitions = 10,
    measures = { "throughput", "cpu" },
    plots = {
        { x = "write", y = "throughput", by = "path", where = { tcp_cost = "stated" }, log = "x", title = "20 MiB over 100 Gbit/s" },
        { x = "write", y = "cpu", by = "path", where = { tcp_cost = "stated" }, log = "x", title = "20 MiB: processor time of both hosts" },
        { x = "tcp_cost", y = "throughput", by = "path", where = { write = 65536 }, title = "64 KiB writes, TCP's frames at other costs" },
    },
}

local factor = { half = 50, stated = 100, double = 200 }
local function drawn()
    local c = costs(10)
    c.tcp_packet = c.tcp_packet * factor[parameter.tcp_cost] // 100
    c.tcp_segment = c.tcp_segment * factor[parameter.tcp_cost] // 100
    return c
end
host "client" { address = "10.0.0.1/24", cpu = drawn(), autocork = true }
host "server" { address = "10.0.0.2/24", cpu = drawn(), autocork = true }
link(client, server, { rate = "100 Gbit/s", delay = 900 + random(200), mtu = 9000, queue = "4 MiB" })

local c, s = connect(client, server, 5000, { tcp_only = parameter.path == "TCP", tcp_buffer = "2 MiB", rmb = "512 KiB", sndbuf = "512 KiB" })
expect(c.mode, parameter.path)
wait "100 ms"
local a, b = cpu(client).busy, cpu(server).busy
local r = stream { from = c, to = s, bytes = "20 MiB", chunk = parameter.write }
a, b = cpu(client).busy - a, cpu(server).busy - b
measure("throughput", r.bytes * 8 / r.time, "Gbit/s")
measure("cpu", (a + b) / 20 / 1000, "us/MiB")
c:close()
s:close()
wait "1 s"
