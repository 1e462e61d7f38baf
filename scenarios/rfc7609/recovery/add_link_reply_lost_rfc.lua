-- At first contact the RFC's server resets: the only link does not carry its messages.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The reply to ADD LINK is lost (RFC)",
    source = "RFC 7609 C.7.1",
    requirements = { "LLC-064", "CLOSE-018" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, profile = "rfc" }
host "server" { address = "10.0.0.2/24", versions = { 1 }, profile = "rfc" }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
link("client", "server")
link("client.eth1", "server.eth1")

client:edit { "ADD LINK", of = "response", drop = true }
server:listen(5000)
local c = client:connect(server, 5000)
expect_message { "TCP RST", within = "20 s" }
expect_error(c, "RESET")
wait "1 s"
