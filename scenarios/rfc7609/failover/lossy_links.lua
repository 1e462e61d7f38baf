-- The RNICs repair what the cables lose. No link goes down.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Loss and reordering are no failure",
    source = "RFC 7609 4.6",
    requirements = { "CDC-007", "CURSOR-001" },
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
first_cable:loss("1 %")
first_cable:reorder("1 %", "50 us")
transfer { from = c, to = s, bytes = "512 KiB", both_ways = true }
expect(counters("client").failovers, 0)
expect(c.link, 1)
wait "1 s"
