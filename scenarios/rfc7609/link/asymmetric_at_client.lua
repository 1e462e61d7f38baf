-- The second link ends at the client's only RNIC as well. Such a group survives the loss of a server's RNIC.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The client has one RNIC, the server two",
    source = "RFC 7609 2.2.1, 3.5.1.6",
    requirements = { "LLC-016", "LLC-017", "LLC-022" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
server:interface "eth1" { address = "10.0.0.12/24" }
switch "sw0"
link("client", "sw0")
link("server", "sw0")
link("server.eth1", "sw0")

local c, s = connect(client, server)
expect_message { "ADD LINK", from = "client", response = true, reject = false }
expect_links("client", 2)
expect_links("server", 2)
expect(group("client").type, "ASYMMETRIC_LOCAL")
expect(group("server").type, "ASYMMETRIC_PEER")
transfer { from = c, to = s, bytes = "32 KiB", both_ways = true }
wait "1 s"
