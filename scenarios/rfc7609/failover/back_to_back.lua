-- The first cable breaks and is mended; a new link is added. Then the second one breaks: the connection moves again.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "One link fails after the other",
    source = "RFC 7609 4.6",
    requirements = { "FAILOVER-002", "FAILOVER-012", "FAILOVER-013" },
    targets = { "sim", "ns3", "vm" },
    roles = { "server" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
client:interface "eth1" { address = "10.0.0.11/24" }
server:interface "eth1" { address = "10.0.0.12/24" }
local first_cable = link("client", "server")
local second_cable = link("client.eth1", "server.eth1")

local c, s = connect(client, server)
expect_links("client", 2)
local t = transfer { from = c, to = s, bytes = "4 MiB", background = true, write_delay = real_time() and "200 ms" or "100 us" }
wait "1 ms"
first_cable:down()
expect_links("client", 1)
expect_links("server", 1)
first_cable:up()
-- A Linux server that is asked before its own port is up offers what the client cannot use, and nothing again until the cable is back once more.
for _ = 1, real_time() and 6 or 0 do
    wait "3 s"
    if #group("client").links == 2 then break end
    first_cable:down()
    wait "1 s"
    first_cable:up()
end
expect_links("client", 2)
expect_links("server", 2)
second_cable:down()
t:finish()
expect_true(c.link > 2, "a link that was added later")
expect(s.link, c.link)
expect(counters("client").failovers, 2)
wait "1 s"
