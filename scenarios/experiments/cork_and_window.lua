-- Autocorking and the rule for window updates against throughput: how many messages a stream needs, and what that costs.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Autocorking and window updates",
    source = "docs/experiments/cork_and_window.md",
    targets = { "sim", "ns3" },
}
experiment {
    parameters = {
        autocork = { false, true },
        updates = { "linux", "rfc" }, -- of a consumer: Linux's max(10 %, 2304 bytes), RFC 7609 4.5.1
        write = { 256, 1024, 4096, 16384 },
        ring = { 65536, 524288 }, -- bytes of the receiver's RMBE
    },
    quick = { autocork = { false, true }, updates = { "linux", "rfc" }, write = { 4096 }, ring = { 65536 } },
    repetitions = 10,
    measures = { "throughput", "cdc", "cpu" },
    plots = {
        { x = "write", y = "throughput", by = "autocork", where = { ring = 524288, updates = "linux" }, log = "x", title = "Autocorking, a ring of 512 KiB" },
        { x = "write", y = "cdc", by = "autocork", where = { ring = 524288, updates = "linux" }, log = "xy", title = "Autocorking: CDC messages of the sender for a MiB" },
        { x = "ring", y = "throughput", by = "updates", where = { autocork = "true", write = 16384 }, log = "x", title = "Rule for window updates, autocorking, 16 KiB a write" },
    },
}

local profile = { "linux", window_update_linux = parameter.updates == "linux" }
host "client" { address = "10.0.0.1/24", cpu = costs(10), autocork = parameter.autocork, profile = profile }
host "server" { address = "10.0.0.2/24", cpu = costs(10), autocork = parameter.autocork, profile = profile }
link(client, server, { rate = "100 Gbit/s", delay = 900 + random(200), mtu = 9000, queue = "4 MiB" })

local c, s = connect(client, server, 5000, { rmb = parameter.ring, sndbuf = parameter.ring })
expect(c.mode, "SMC-R")
wait "100 ms"
local sent, busy = c.tx_cdc, cpu(client).busy + cpu(server).busy
local r = stream { from = c, to = s, bytes = "8 MiB", chunk = parameter.write }
measure("throughput", r.bytes * 8 / r.time, "Gbit/s")
measure("cdc", (c.tx_cdc - sent) / 8, "CDC/MiB")
measure("cpu", (cpu(client).busy + cpu(server).busy - busy) / 8 / 1000, "us/MiB")
c:close()
s:close()
wait "1 s"
