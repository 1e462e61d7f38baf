-- It advises and forgets the link; the server's request for it is then answered with "unknown link", 0x00100000.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A Linux client frees its lost link at once",
    source = "RFC 7609 3.5.4.3, deviation",
    requirements = { "FAILOVER-014" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
client:interface "eth1" { address = "10.0.0.11/24" }
server:interface "eth1" { address = "10.0.0.12/24" }
link("client", "server")
link("client.eth1", "server.eth1")

local c, s = connect(client, server)
expect_links("client", 2)
skip_messages()
client:remove "roce eth1"
expect_message { "DELETE LINK", from = "client", response = false, link_number = 2 }
expect_message { "DELETE LINK", from = "server", response = false, link_number = 2 }
expect_message { "DELETE LINK", from = "client", response = true, link_number = 2, reason = 0x00100000 }
expect_links("server", 1)
transfer { from = c, to = s, bytes = "16 KiB", both_ways = true }
wait "1 s"
