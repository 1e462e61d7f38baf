-- The client refuses the server's new RMB without allowing a retry: that connection falls back to TCP, the other one goes on.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A refused CONFIRM RKEY ends the connection, not the group",
    source = "RFC 7609 3.5.5.2.1, A.3.5",
    requirements = { "LLC-051", "CLC-046" },
    targets = { "sim", "ns3", "vm" },
    roles = { "server" },
    any_version = true,
    hostile = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c1, s1 = connect(client, server)
wait_quiet()
skip_messages()
client:edit { "CONFIRM RKEY", of = "response", negative = true, retry = false }
local c2, s2 = connect(client, server)
expect_message { "CONFIRM RKEY", from = "client", response = true, negative = true }
expect_message { "CLC Decline", from = "server" }
expect(c2.mode, "TCP")
c1:send("one")
expect(s1:receive(3), "one")
c2:send("two")
expect(s2:receive(3), "two")
wait "1 s"
