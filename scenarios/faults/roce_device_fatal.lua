-- A device dies with all it has: connections go on over the other one, new ones too; without another they end, and TCP is left.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "DEVICE_FATAL",
    source = "devices/roce.h DEVICE_FATAL",
    requirements = { "FAILOVER-001", "FAILOVER-012", "ROCE-012" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
client:interface "eth1" { address = "10.0.0.11/24" }
server:interface "eth1" { address = "10.0.0.12/24" }
switch "sw"
for _, port in ipairs { "client", "server", "client.eth1", "server.eth1" } do link(port, "sw") end
server:listen(5000)

local all, moves = {}, {}
for i = 1, 6 do all[i] = { connect(client, server, 5000) } end
expect_links("client", 2)
for i = 1, 6 do moves[i] = transfer { from = all[i][1], to = all[i][2], bytes = "200 KiB", both_ways = true, background = true, chunk = 3000 } end
client:roce_fault("eth0", { "device fatal", first = 40 })
for i = 1, 6 do moves[i]:finish() end
local c, s = connect(client, server, 5000)
expect(c.mode, "SMC-R")
server:roce_fault("eth1", { "device fatal" })
-- What is left of either host are two devices that never had a link with each other.
s:send("last words")
wait "120 s"
local late, late_s = connect(client, server, 5000, { within = "60 s" })
late:send("hello")
expect(late_s:receive(5), "hello")
