-- The first cable breaks while data flows both ways. What was lost is written again before anything new, under new numbers.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Failover in the middle of a transfer: one merged write (Linux)",
    source = "RFC 7609 4.6.2, deviation A-45",
    requirements = { "FAILOVER-002", "FAILOVER-006", "FAILOVER-009" },
    targets = { "sim", "ns3", "vm" },
    roles = { "server" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
client:interface "eth1" { address = "10.0.0.11/24" }
server:interface "eth1" { address = "10.0.0.12/24" }
local first_cable = link("client", "server")
link("client.eth1", "server.eth1")

local c, s = connect(client, server)
expect_links("client", 2)
local t = transfer { from = c, to = s, bytes = "2 MiB", both_ways = true, background = true }
wait "300 us"
first_cable:down()
t:finish()
expect_message { "CDC", failover_validation = true, link = 2 }
expect(c.link, 2)
expect(counters("client").failovers, 1)
wait "1 s"
