-- The peer id is an instance number and the MAC of the first RNIC that has a GID; it says who a host is, so the same
-- in every message, whichever RNIC is used.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A host's peer id carries the MAC of its RNIC",
    source = "RFC 7609 A.2.2",
    requirements = { "CLC-014" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
link("client", "server")
link("client.eth1", "server.eth1")

server:listen(5000)
local c = client:connect(server, 5000)
local accept = expect_message { "CLC Accept", from = "server" }
local confirm = expect_message { "CLC Confirm", from = "client" }
expect(c:connected(), "SMC-R")
expect(accept.peer_mac, accept.mac, "the server has one RNIC first")
expect(confirm.peer_mac, confirm.mac, "and so has the client")
wait "1 s"
