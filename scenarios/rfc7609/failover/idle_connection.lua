-- The cable of the first link breaks. Each side moves on its own and says so by a CDC with "failover validation", which carries
-- the number of the last message known to have arrived.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "An idle connection moves to the other link",
    source = "RFC 7609 4.6",
    requirements = { "FAILOVER-002", "FAILOVER-003", "FAILOVER-014", "CDC-013" },
    targets = { "sim", "ns3", "vm" },
    roles = { "server" },
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
c:send("before")
expect(s:receive(6), "before")
wait_quiet()
skip_messages()
first_cable:down()
expect_message { "CDC", from = "client", failover_validation = true, seqno = 1, link = 2 }
c:send("behind")
expect_message { "CDC", from = "client", failover_validation = false, seqno = 2, link = 2 }
expect(s:receive(6), "behind")
expect(c.link, 2)
expect(s.link, 2)
wait "1 s"
