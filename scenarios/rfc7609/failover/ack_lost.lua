-- The server has the data and has read it; the client's RNIC never learned that. After the failover nothing comes twice.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Data arrived, its acknowledgement did not",
    source = "RFC 7609 4.6.2",
    requirements = { "FAILOVER-006", "FAILOVER-010" },
    targets = { "sim", "ns3", "vm" },
    roles = { "client" },
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
first_cable:partition("server")
c:send("once")
expect(s:receive(4), "once")
first_cable:down()
c:send(" only")
expect(s:receive(5), " only")
expect(s.readable, 0)
wait "1 s"
