-- The server offers its only RNIC a second time; the client answers with its other one.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The server has one RNIC, the client two",
    source = "RFC 7609 2.2.1, 3.5.1.6",
    requirements = { "LLC-016", "LLC-017", "LLC-022" },
    targets = { "sim", "ns3", "vm" },
    roles = { "server" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
client:interface "eth1" { address = "10.0.0.11/24" }
switch "sw0"
link("client", "sw0")
link("client.eth1", "sw0")
link("server", "sw0")

local c, s = connect(client, server)
expect_message { "ADD LINK", from = "client", response = true, reject = false }
expect_links("client", 2)
expect_links("server", 2)
expect(group("client").type, "ASYMMETRIC_PEER")
expect(group("server").type, "ASYMMETRIC_LOCAL")
transfer { from = c, to = s, bytes = "32 KiB", both_ways = true }
wait "1 s"
