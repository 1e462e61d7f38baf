-- The cable of the second RNICs is dead at first. By the RFC the server sets a timer and tries again; then the cable works.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A second link that failed is tried again",
    source = "RFC 7609 C.8",
    requirements = { "LLC-067", "LLC-019" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, profile = { "rfc", second_link_retry_ns = "3 s" } }
host "server" { address = "10.0.0.2/24", versions = { 1 }, profile = { "rfc", second_link_retry_ns = "3 s" } }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
link("client", "server")
local second_cable = link("client.eth1", "server.eth1")

second_cable:down()
local c, s = connect(client, server, 5000, { within = "30 s" })
expect(group("server").type, "SINGLE")
second_cable:up()
expect_links("server", 2, { within = "20 s" })
expect_links("client", 2)
expect(group("server").type, "SYMMETRIC")
transfer { from = c, to = s, bytes = "16 KiB", both_ways = true }
wait "1 s"
