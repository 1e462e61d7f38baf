-- The server's RoCE device is unplugged: declined; back again: SMC-R.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "No active port, no SMC-R",
    source = "linux net/smc/smc_pnet.c",
    requirements = { "CLC-055", "CLC-072" },
    targets = { "sim", "ns3", "vm" },
    roles = { "server" },
}

host "client" { address = "10.0.0.1/24", paths = { "R" } }
host "server" { address = "10.0.0.2/24", paths = { "R" } }
link("client", "server")
server:remove "roce eth0"
local c, s = connect(client, server)
expect(c.mode, "TCP")
expect(s.fallback, 0x03030002)
transfer { from = c, to = s, bytes = "20 KiB", both_ways = true }
client:remove "roce eth0"
c, s = connect(client, server)
expect(c.mode, "TCP")
expect(c.fallback, 0x03030000)
expect_message { "CLC Decline", from = "client", diagnosis = 0x03030000 }
server:restore "roce eth0"
client:restore "roce eth0"
c, s = connect(client, server)
expect(c.mode, "SMC-R")
transfer { from = c, to = s, bytes = "20 KiB", both_ways = true }
