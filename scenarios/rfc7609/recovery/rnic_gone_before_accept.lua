-- The RNIC leaves while TCP's handshake runs: a Decline instead of the Accept.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The server's RNIC goes before the Proposal comes",
    source = "RFC 7609 C.7.2",
    requirements = { "CLC-046", "CLC-047", "CLC-055" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

server:listen(5000)
local c = client:connect(server, 5000)
expect_message { "TCP SYN", from = "client" }
server:remove "roce eth0"
expect(c:connected(), "TCP")
expect_message { "CLC Decline", from = "server" }
local s = server:accept(5000)
c:send("plain")
expect(s:receive(5), "plain")
wait "1 s"
