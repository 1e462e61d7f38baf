-- The server's CONFIRM RKEY is unanswered when its link is lost: it begins anew over the link that is left, and the connection comes up.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "CONFIRM RKEY begins anew when its link is lost",
    source = "RFC 7609 3.5.5.2, 4.6",
    requirements = { "LLC-050", "LLC-052" },
    targets = { "sim", "ns3" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
switch "sw0"
for _, nic in ipairs { "client", "server", "client.eth1", "server.eth1" } do link(nic, "sw0") end

connect(client, server)
expect_links("client", 2)
wait_quiet()
skip_messages()
client:edit { "CONFIRM RKEY", of = "response", drop = true, nth = 1 }
local c = client:connect(server, 5000)
local asked = expect_message { "CONFIRM RKEY", from = "server", response = false }
wait "1 ms"
server:remove(asked.link == 1 and "roce eth0" or "roce eth1")
expect_message { "CONFIRM RKEY", from = "server", response = false, within = "1 s" }
expect(c:connected(), "SMC-R")
local s = server:accept(5000)
transfer { from = c, to = s, bytes = "64 KiB", both_ways = true }
wait "1 s"
