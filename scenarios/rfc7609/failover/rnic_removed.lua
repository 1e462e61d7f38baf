-- No event comes before: the server's first RNIC is gone in the middle of a transfer.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The RNIC itself is taken out",
    source = "RFC 7609 4.6, C.7",
    requirements = { "FAILOVER-009", "FAILOVER-014", "FAILOVER-015" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

-- The old link of a kernel goes on for a while after its connections have left it.
known_bug { bug = "5", real = "server", failure = "is wrong", findings = { "FAILOVER-002", "FAILOVER-010" } }

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
client:interface "eth1" { address = "10.0.0.11/24" }
server:interface "eth1" { address = "10.0.0.12/24" }
link("client", "server")
link("client.eth1", "server.eth1")

local c, s = connect(client, server)
expect_links("server", 2)
local t = transfer { from = c, to = s, bytes = "1 MiB", both_ways = true, background = true }
wait "200 us"
server:remove "roce eth0"
t:finish()
expect(s.link, 2)
wait "1 s"
