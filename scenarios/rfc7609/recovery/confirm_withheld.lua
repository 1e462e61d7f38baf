-- The client has sent its Confirm, which is lost for good, so the server sends no CONFIRM LINK. The client gives that 5 s and
-- declines while it still may; the server waits for a CLC message, and a Decline is one. Both fall back.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The Confirm never comes",
    source = "RFC 7609 C.5, C.2",
    requirements = { "CLC-010", "CLC-046" },
    targets = { "sim", "ns3", "vm" },
    roles = { "server" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

client:edit { "CLC Confirm", drop = true }
server:listen(5000)
local c = client:connect(server, 5000)
expect_message { "CLC Accept", from = "server" }
expect_message { "CLC Decline", from = "client", within = "6 s" }
expect(c:connected(), "TCP")
local s = server:accept(5000)
expect(s.mode, "TCP")
expect_groups("server", 0)
expect_groups("client", 0)
c:send("plain")
expect(s:receive(5), "plain")
wait "1 s"
