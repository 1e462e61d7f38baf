-- The server's second RNIC is taken out. It tells the client over the first link, and the client agrees.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The server deletes a link whose RNIC left",
    source = "RFC 7609 3.5.4.3",
    requirements = { "LLC-008", "LLC-035", "LLC-036", "LLC-041", "FAILOVER-014" },
    targets = { "sim", "ns3", "vm" },
    roles = { "server" },
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
server:remove "roce eth1"
local asked = expect_message { "DELETE LINK", from = "server", response = false, all = false, link = 1 }
expect_message { "DELETE LINK", from = "client", response = true, link_number = asked.link_number, link = 1 }
expect_links("client", 1)
expect_links("server", 1)
expect(group("client").type, "SINGLE")
transfer { from = c, to = s, bytes = "16 KiB", both_ways = true }
wait "1 s"
