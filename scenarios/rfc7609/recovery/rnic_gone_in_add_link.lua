-- The client's second RNIC is taken out when the link over it waits for CONFIRM LINK. The client gives the link up at once and says so;
-- the server's DELETE LINK that follows names a link that the client has no more. Then the RNIC comes back, and there are two links.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The client's RNIC leaves in the middle of ADD LINK",
    source = "RFC 7609 3.5.4.3, C.7.1",
    requirements = { "LLC-025", "FAILOVER-014" },
    targets = { "sim" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
link("client", "server")
local second_cable = link("client.eth1", "server.eth1")

second_cable:down()
local c, s = connect(client, server)
server:edit { "CONFIRM LINK", of = "request", nth = 1, drop = true }
second_cable:up()
expect_message { "ADD LINK", from = "client", response = true, reject = false }
wait "10 ms"
client:remove "roce eth1"
expect_message { "DELETE LINK", from = "client", response = false, within = "100 ms" }
local told = expect_message { "DELETE LINK", from = "server", response = false, within = "100 ms" }
expect_message { "DELETE LINK", from = "client", response = true, link_number = told.link_number, reason = 0x00100000, within = "100 ms" }
expect_links("client", 1)
expect_links("server", 1)
client:restore "roce eth1"
expect_links("client", 2)
expect_links("server", 2)
transfer { from = c, to = s, bytes = "16 KiB", both_ways = true }
wait "1 s"
