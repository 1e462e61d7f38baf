-- A client's DELETE LINK is an advice; only the server runs the exchange. The RFC's client frees the link when it is asked to.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The client's RNIC leaves: it advises, the server deletes",
    source = "RFC 7609 3.5.4.3",
    requirements = { "LLC-040", "LLC-041", "FAILOVER-014" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, profile = "rfc" }
host "server" { address = "10.0.0.2/24", versions = { 1 }, profile = "rfc" }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
link("client", "server")
link("client.eth1", "server.eth1")

local c, s = connect(client, server)
expect_links("client", 2)
skip_messages()
client:remove "roce eth1"
expect_message { "DELETE LINK", from = "client", response = false, link_number = 2 }
expect_message { "DELETE LINK", from = "server", response = false, link_number = 2 }
expect_message { "DELETE LINK", from = "client", response = true, link_number = 2 }
expect_links("client", 1)
expect_links("server", 1)
expect(counters("client").links_added, 2)
expect(counters("client").links_lost, 1)
expect(counters("client").failovers, 0) -- the connection was on the other one
transfer { from = c, to = s, bytes = "16 KiB", both_ways = true }
wait "1 s"
