-- The urgent byte's message is lost with the link, and comes again over the other one.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Urgent data when the link fails",
    source = "RFC 7609 4.6, 4.5.2",
    requirements = { "FAILOVER-006", "CURSOR-015" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
client:interface "eth1" { address = "10.0.0.11/24" }
server:interface "eth1" { address = "10.0.0.12/24" }
local first_cable = link("client", "server")
link("client.eth1", "server.eth1")

local c, s = connect(client, server)
expect_links("client", 2)
wait_quiet()
first_cable:partition("client")
c:send("abc")
c:urgent("!")
wait "1 ms"
first_cable:down()
s:wait_urgent()
expect(s:receive(3), "abc")
expect(s:read_urgent(), "!")
wait "1 s"
