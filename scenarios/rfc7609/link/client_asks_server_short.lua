-- The client asks for a link when the server's RNIC can make no queue pair. It is told so once; the server tries again by itself, every
-- second, and offers the link when it can.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "REQUEST ADD LINK that the server cannot meet yet",
    source = "linux net/smc/smc_llc.c; RFC 7609 3.5.4.2, C.8",
    requirements = { "LLC-026", "LLC-067", "LLC-078" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 2 } }
host "server" { address = "10.0.0.2/24", versions = { 2 } }
client:interface "eth1" { address = "10.0.0.11/24" }
switch "sw0"
link("client", "sw0")
local late = link("client.eth1", "sw0")
link("server", "sw0")
late:down()

local c, s = connect(client, server)
expect_links("server", 1)
wait_quiet()
skip_messages()
server:roce_fault("eth0", { "refuse qp", times = 3, every = 1 })
late:up()
expect_message { "REQUEST ADD LINK", from = "client", response = false }
expect_message { "REQUEST ADD LINK", from = "server", response = true }
expect_no_message { "ADD LINK", from = "server", within = "1.5 s" }
expect_message { "ADD LINK", from = "server", response = false, within = "5 s" }
expect_links("client", 2)
expect(count_messages { "REQUEST ADD LINK", from = "server", response = true }, 1)
transfer { from = c, to = s, bytes = "64 KiB", both_ways = true }
wait "1 s"
