-- A link goes silent in the middle of a stream: how long until the data go on over the other link, by how often the NIC tries.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Failover time against retry settings",
    source = "docs/experiments/failover.md",
    targets = { "sim", "ns3" },
}
experiment {
    parameters = {
        loss = { "carrier", "silent" }, -- the NIC sees its port go down; or frames vanish, and only retries tell
        ack_timeout = { 8, 10, 12, 14, 15 }, -- 4.096 us × 2^n
        retries = { 1, 3, 7 },
    },
    quick = { loss = { "carrier", "silent" }, ack_timeout = { 10 }, retries = { 3 } },
    repetitions = 10,
    measures = { "silence" },
    plots = {
        { x = "ack_timeout", y = "silence", by = "retries", where = { loss = "silent" }, log = "y",
            title = "The longest time without data at the receiver, frames vanish" },
        { x = "ack_timeout", y = "silence", by = "retries", where = { loss = "carrier" }, log = "y", title = "The same, the port goes down" },
    },
}

local function make(name, i)
    local h = host(name) { retry_count = parameter.retries, ack_timeout = parameter.ack_timeout }
    for k = 0, 1 do h:interface("eth" .. k) { address = string.format("10.0.%d.%d/24", k, i) } end
    return h
end
make("client", 1)
make("server", 2)
local links = {}
for k = 0, 1 do
    links[k + 1] = link("client.eth" .. k, "server.eth" .. k, { rate = "10 Gbit/s", delay = 4500 + random(1000), mtu = 4200, queue = "4 MiB" })
end
local c, s = connect(client, server, 5000, { rmb = "512 KiB", sndbuf = "512 KiB" })
expect(c.mode, "SMC-R")
expect_links(client, 2)
expect_links(server, 2)
wait "1 s"
local used
for _, l in ipairs(group(client, 1).links) do
    if l.number == c.link then used = l end
end
local cut = links[used.device:find("eth0", 1, true) and 1 or 2]
local flow = stream { from = c, to = s, bytes = "32 MiB", background = true }
wait(2000000 + random(2000000))
if parameter.loss == "carrier" then cut:down() else cut:partition() end
local r = flow:finish { within = "100 s" }
measure("silence", r.silence / 1e6, "ms")
expect(c.mode, "SMC-R")
c:close()
s:close()
wait "2 s"
