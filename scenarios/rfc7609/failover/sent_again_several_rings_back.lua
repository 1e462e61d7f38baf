-- Acknowledgements are lost while the peer's window updates come: what is under way without a completion is more than the peer's
-- ring holds. Then the link breaks. Each CDC is said again with the producer cursor that it had, several rings back.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "CDCs sent again name producer cursors of several rings before",
    source = "RFC 7609 4.6.1",
    requirements = { "FAILOVER-006", "CURSOR-006" },
    targets = { "sim" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, profile = "rfc" }
host "server" { address = "10.0.0.2/24", versions = { 1 }, profile = "rfc" }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
local cable = link("client", "server")
link("client.eth1", "server.eth1")

local c, s = connect(client, server, 5000, { rmb = "16 KiB", sndbuf = "128 KiB" })
expect_links("client", 2)
wait_quiet()
expect(c.link, 1)
cable:drop { "RoCE ACK", from = "server", count = 1000 }
local data = pattern("60 KiB")
c:send(data)
expect(s:receive(50000), data:sub(1, 50000))
cable:down()
expect(s:receive(#data - 50000), data:sub(50001))
transfer { from = c, to = s, bytes = "64 KiB", both_ways = true }
c:close()
s:close()
wait "1 s"
