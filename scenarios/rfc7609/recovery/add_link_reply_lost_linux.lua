-- The server frees the queue pair of the second link and goes on with the first.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The reply to ADD LINK is lost (Linux)",
    source = "RFC 7609 C.7.1",
    requirements = { "LLC-025", "LLC-064" },
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

client:edit { "ADD LINK", of = "response", drop = true }
local c, s = connect(client, server, 5000, { within = "20 s" })
expect_links("server", 1)
c:send("one link")
expect(s:receive(8), "one link")
wait "1 s"
