-- Links flap, one and the other, while data move: the connections go from link to link.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Flapping links",
    source = "RFC 7609 4.6",
    requirements = { "FAILOVER-001", "FAILOVER-020" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
local l0 = link("client", "server")
local l1 = link("client.eth1", "server.eth1")

local all, moves = {}, {}
for i = 1, 4 do
    all[i] = { connect(client, server) }
    moves[i] = transfer { from = all[i][1], to = all[i][2], bytes = "20 MiB", both_ways = true, background = true, within = "600 s", write_delay = "1 ms" }
end
for round = 1, 12 do
    local l = round % 2 == 0 and l0 or l1
    expect_links("client", 2, { within = "60 s" })
    expect_links("server", 2, { within = "60 s" })
    wait "20 ms"
    l:down()
    wait(round * 5000000)
    l:up()
    wait "3 s"
end
for i = 1, 4 do moves[i]:finish() end
