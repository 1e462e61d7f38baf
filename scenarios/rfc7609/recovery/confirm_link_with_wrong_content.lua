-- The message does not repeat what the Accept said. At first contact the client may still decline.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "CONFIRM LINK with another queue pair",
    source = "RFC 7609 C.7.1, A.3.1",
    requirements = { "LLC-011", "CLC-050" },
    targets = { "sim", "ns3" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

server:edit { "CONFIRM LINK", of = "request", qpn = 0x654321 }
expect_finding { id = "LLC-011", by = "server" }
server:listen(5000)
local c = client:connect(server, 5000)
expect_message { "CONFIRM LINK", from = "server" }
expect(c:connected(), "TCP")
expect_message { "CLC Decline" }
wait "1 s"
