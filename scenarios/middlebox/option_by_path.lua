-- A client reaches a server through a box that strips and past it: SMC on the one way, TCP on the other, at the same time.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The option on one way only",
    source = "RFC 7609 3.1",
    requirements = {},
    targets = { "sim", "ns3", "vm" },
}

host "client" { address = "10.0.0.1/24" }
host "server" { address = "10.0.0.2/24" }
link("client", "server")
client:interface "eth1" { address = "10.0.1.1/24", roce = false }
server:interface "eth1" { address = "10.0.1.2/24", roce = false }
middlebox("client.eth1", "server.eth1", "strip")
local c, s = connect(client, server)
expect(c.mode, "SMC-R")
local c2 = client:connect("10.0.1.2", 5000)
local s2 = server:accept(5000)
expect(c2:connected(), "TCP")
local moving = transfer { from = c, to = s, bytes = "1 MiB", both_ways = true, background = true }
transfer { from = c2, to = s2, bytes = "200 KiB", both_ways = true }
moving:finish()
