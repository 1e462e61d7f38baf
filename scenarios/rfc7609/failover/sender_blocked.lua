-- The window is closed when the link breaks. The reader's report comes over the other link, and the rest flows.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A blocked sender when the link fails",
    source = "RFC 7609 4.6, 4.5.1",
    requirements = { "FAILOVER-006", "CURSOR-003", "CURSOR-011" },
    targets = { "sim", "ns3", "vm" },
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
first_cable:down()
wait "1 ms"
expect(s:receive("40 KiB"), data)
wait "1 s"
