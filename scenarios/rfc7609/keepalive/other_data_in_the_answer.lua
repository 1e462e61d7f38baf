-- The reply must echo the 16 bytes. Another content means that the link is not to be trusted.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A TEST LINK reply with other data",
    source = "RFC 7609 A.3.6",
    requirements = { "LLC-007", "LLC-062" },
    targets = { "sim", "ns3" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, profile = "rfc" }
host "server" { address = "10.0.0.2/24", versions = { 1 }, profile = "rfc" }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
link("client", "server")
link("client.eth1", "server.eth1")

local c, s = connect(client, server)
expect_links("server", 2)
server:edit { "TEST LINK", of = "response", user_data = "not what was sent" }
expect_finding { id = "LLC-062", by = "server" }
expect_message { "TEST LINK", from = "server", response = true, link = 1, within = "40 s" }
expect_message { "DELETE LINK", from = "client", response = false, link_number = 1 }
expect(c.link, 2, "the client's link")
c:send("moved")
expect(s:receive(5), "moved")
wait "1 s"
c:send("stays")
expect(s:receive(5), "stays")
