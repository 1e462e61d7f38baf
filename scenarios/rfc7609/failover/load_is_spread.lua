-- The server gives every second connection to the other link. When a link breaks, its connections move, the others stay.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Connections are spread over the links",
    source = "RFC 7609 4.6, 2.2.1",
    requirements = { "FAILOVER-013", "LLC-006" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
client:interface "eth1" { address = "10.0.0.11/24" }
server:interface "eth1" { address = "10.0.0.12/24" }
link("client", "server")
local second_cable = link("client.eth1", "server.eth1")

connect(client, server)
expect_links("server", 2)
wait_quiet()
local cs, ss = {}, {}
local on = { 0, 0 }
for i = 1, 6 do
    cs[i], ss[i] = connect(client, server)
    on[cs[i].link] = on[cs[i].link] + 1
end
expect(on, { 3, 3 })
second_cable:down()
for i = 1, 6 do
    wait_for(function() return cs[i].link == 1 end, "connection " .. i .. " is still on the second link")
    transfer { from = cs[i], to = ss[i], bytes = "8 KiB", both_ways = true }
end
wait "1 s"
