-- It was to come over the new link. The link is given up by DELETE LINK over the first one; the connection lives on that.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The CONFIRM LINK of the second link is lost",
    source = "RFC 7609 C.7.1",
    requirements = { "LLC-006", "LLC-064" },
    targets = { "sim", "ns3", "vm" },
    roles = { "client" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
link("client", "server")
link("client.eth1", "server.eth1")

server:edit { "CONFIRM LINK", of = "request", nth = 2, drop = true }
local c, s = connect(client, server, 5000, { within = "20 s" })
expect_message { "DELETE LINK", link_number = 2 , within = "10 s" }
expect_links("client", 1)
expect_links("server", 1)
c:send("still here")
expect(s:receive(10), "still here")
wait "1 s"
