-- The client closes behind data that does not fit. The link breaks; the rest and the "closed" come over the other one.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The link fails while the close is under way",
    source = "RFC 7609 4.6, 4.8",
    requirements = { "FAILOVER-016", "FAILOVER-019" },
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

local c, s = connect(client, server, 5000, { rmb = "16 KiB", sndbuf = "64 KiB" })
expect_links("client", 2)
local data = pattern("40 KiB")
c:send(data)
wait_for(function() return s.readable == 16384 end, "all that fits is there")
c:close()
wait "1 ms"
first_cable:down()
expect(s:receive_all(), data)
s:close()
expect_state(c, "CLOSED")
expect_state(s, "CLOSED")
wait "1 s"
