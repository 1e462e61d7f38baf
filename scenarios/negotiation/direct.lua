-- The Accept says that the way goes through a gateway, the client's does not: Decline 0x030f0000.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Direct and indirect routes of SMC-Rv2",
    source = "linux net/smc/af_smc.c",
    requirements = { "CLC-055" },
    targets = { "sim", "ns3", "vm" },
    roles = { "client" },
}

host "client" { address = "10.0.0.1/24", versions = { 2 } }
host "server" { address = "10.0.0.2/24", versions = { 2 } }
link("client", "server")
server:edit { "CLC Accept", v2_direct = false }
local c, s = connect(client, server)
expect(c.mode, "TCP")
expect(c.fallback, 0x030f0000)
expect(s.peer_diagnosis, 0x030f0000)
transfer { from = c, to = s, bytes = "50 KiB", both_ways = true }
c, s = connect(client, server)
expect(c.mode, "SMC-R")
expect_message { "CLC Accept", from = "server", v2_direct = true, after = 0 }
