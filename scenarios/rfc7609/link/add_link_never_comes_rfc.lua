-- By appendix C.7.1 a client that waited in vain for the server's ADD LINK at first contact resets the connection.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "No ADD LINK comes; the RFC's client resets",
    source = "RFC 7609 C.7.1",
    requirements = { "LLC-064" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, profile = "rfc" }
host "server" { address = "10.0.0.2/24", versions = { 1 }, profile = "rfc" }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
link("client", "server")
link("client.eth1", "server.eth1")

server:edit { "ADD LINK", drop = true }
server:listen(5000)
local c = client:connect(server, 5000)
expect_message { "CONFIRM LINK", from = "client" }
expect_message { "TCP RST", from = "client" }
expect_error(c, "TIMEOUT")
wait "1 s"
