-- Nothing of the client arrives any more, with no event to tell. Its RNIC gives up after its retries, and it moves; the server
-- hears of it by DELETE LINK and moves as well.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The cable is dead in one direction",
    source = "RFC 7609 4.6, 4.5.3",
    requirements = { "CDC-001", "CDC-008", "CDC-013", "FAILOVER-002" },
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
c:send("around")
expect(s:receive(6, { within = "60 s" }), "around")
expect(c.link, 2)
wait "1 s"
expect(s.link, 2)
wait "1 s"
