-- MTU code 6 means nothing. The client rejects the link with reason 2 and goes on with one.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "An ADD LINK with an undefined MTU is refused",
    source = "RFC 7609 A.3.2",
    requirements = { "LLC-024", "LLC-025" },
    targets = { "sim", "ns3" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
link("client", "server")
link("client.eth1", "server.eth1")

server:edit { "ADD LINK", mtu = 6 }
local c, s = connect(client, server)
expect_message { "ADD LINK", from = "client", response = true, reject = true, reject_reason = 2 }
expect_links("server", 1)
c:send("goes on")
expect(s:receive(7), "goes on")
wait "1 s"
