-- The server does not answer a TEST LINK on the first link. The client gives the link up and both move to the second.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A TEST LINK without an answer is a failover",
    source = "RFC 7609 4.5.3, 4.6",
    requirements = { "LLC-062", "LLC-064" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
link("client", "server")
link("client.eth1", "server.eth1")

local c, s = connect(client, server)
expect_links("server", 2)
server:edit { "TEST LINK", of = "response", drop = true }
expect_message { "TEST LINK", from = "client", response = false, link = 1, within = "40 s" }
expect_links("client", 1, { within = "5 s" })
expect(c.link, 2, "the client's link")
c:send("moved")
expect(s:receive(5), "moved")
s:send("back")
expect(c:receive(4), "back")
wait "1 s"
