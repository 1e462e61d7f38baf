-- The connection is made, used and closed by the client before the server's application asks for it. Nothing is lost.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The client is gone before accept()",
    source = "RFC 7609 4.8.1",
    requirements = { "CLOSE-005", "CLOSE-026" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

server:listen(5000)
local c = client:connect(server, 5000)
c:connected()
c:send("short visit")
c:close()
wait "10 ms"
local s = server:accept(5000)
expect(s:receive_all(), "short visit")
expect(s.state, "APPCLOSEWAIT1")
s:close()
expect_state(c, "CLOSED")
expect_state(s, "CLOSED")
wait "1 s"
