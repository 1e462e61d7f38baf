-- The last write and its CDC are lost, then the cable breaks. They arrive over the other link.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "What was in the cable when it broke is sent again",
    source = "RFC 7609 4.6.2",
    requirements = { "FAILOVER-002", "FAILOVER-010" },
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
c:send("the tail")
wait "1 ms"
expect(s.readable, 0)
first_cable:down()
expect(s:receive(8), "the tail")
expect(s.link, 2)
wait "1 s"
