-- The server has two RNICs, the client one: the second link is asymmetric. When the client's second RNIC comes, a symmetric
-- link is added, and the asymmetric one is deleted, reason 0x00050000.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The asymmetric link goes when a symmetric one comes",
    source = "RFC 7609 2.2.1, 3.5.4",
    requirements = { "LLC-016", "LLC-018", "LLC-035" },
    targets = { "sim", "ns3", "vm" },
    roles = { "server" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
client:interface "eth1" { address = "10.0.0.11/24" }
server:interface "eth1" { address = "10.0.0.12/24" }
switch "sw0"
link("client", "sw0")
local late = link("client.eth1", "sw0")
link("server", "sw0")
link("server.eth1", "sw0")
late:down()

local c, s = connect(client, server)
expect_links("server", 2)
expect(group("server").type, "ASYMMETRIC_PEER")
skip_messages()
late:up()
expect_message { "ADD LINK", from = "client", response = true, reject = false }
expect_message { "CONFIRM LINK", from = "client", response = true }
expect(group("client").type, "SYMMETRIC") -- two of now three links are
expect_message { "DELETE LINK", from = "server", response = false, reason = 0x00050000, all = false }
expect_message { "DELETE LINK", from = "client", response = true }
expect_links("client", 2)
expect_links("server", 2)
expect(group("client").type, "SYMMETRIC")
expect(group("server").type, "SYMMETRIC")
transfer { from = c, to = s, bytes = "16 KiB", both_ways = true }
wait "1 s"
