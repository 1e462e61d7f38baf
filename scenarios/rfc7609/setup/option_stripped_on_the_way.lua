-- Both hosts offer SMC, but the client never sees the server's option. The server did answer with it; no CLC byte comes, so
-- it treats what does come as the application's.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A middlebox takes the option off the SYN-ACK",
    source = "RFC 7609 3.1",
    requirements = {},
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
middlebox("client", "server", "strip")

server:listen(5000)
local c = client:connect(server, 5000)
local s = server:accept(5000)
expect(c:connected(), "TCP")
expect(s.mode, "TCP")
c:send("plain")
expect(s:receive(5), "plain")
expect(count_messages { "CLC Proposal" }, 0)
wait "1 s"
