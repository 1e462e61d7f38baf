-- The client's half of the key exchange never comes. The second link is given up, the first one serves.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "An ADD LINK CONTINUATION is lost (Linux)",
    source = "RFC 7609 C.7.1",
    requirements = { "LLC-064", "LLC-025" },
    targets = { "sim", "ns3", "vm" },
    roles = { "server" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
link("client", "server")
link("client.eth1", "server.eth1")

client:edit { "ADD LINK CONTINUATION", drop = true }
local c, s = connect(client, server, 5000, { within = "20 s" })
expect_links("server", 1)
expect_links("client", 1)
c:send("one link")
expect(s:receive(8), "one link")
wait "1 s"
