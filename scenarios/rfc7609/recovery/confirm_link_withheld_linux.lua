-- First contact; the server's CONFIRM LINK is lost for good. Both sides time out, and as both are still allowed to decline,
-- the connection falls back to TCP.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The CONFIRM LINK of the server is lost (Linux client)",
    source = "RFC 7609 C.7.1, C.2",
    requirements = { "CLC-046", "CLC-050", "LLC-064" },
    targets = { "sim", "ns3", "vm" },
    roles = { "client" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

server:edit { "CONFIRM LINK", of = "request", drop = true }
server:listen(5000)
local c = client:connect(server, 5000)
expect_message { "CLC Confirm" }
expect_message { "CLC Decline", within = "10 s" }
expect(c:connected(), "TCP")
local s = server:accept(5000)
expect(s.mode, "TCP")
c:send("plain")
expect(s:receive(5), "plain")
s:send("and back")
expect(c:receive(8), "and back")
wait "1 s"
