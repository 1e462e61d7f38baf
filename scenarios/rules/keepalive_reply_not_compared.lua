-- The answer to a TEST LINK has other data: RFC 7609 calls the link down, Linux takes it and goes on.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "An answer to TEST LINK with other data, in Linux mode",
    source = "RFC 7609 A.3.6",
    requirements = { "LLC-062", "LLC-063" },
    targets = { "sim", "ns3" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, profile = { "linux", test_link_idle_ns = "2 s" } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")
local c, s = connect(client, server)
server:edit { "TEST LINK", of = "response", user_data = "not what was sent" }
expect_finding { id = "LLC-062", by = "server" }
expect_message { "TEST LINK", from = "server", response = true }
c:send("goes on")
expect(s:receive(7), "goes on")
expect_links("client", 1)
