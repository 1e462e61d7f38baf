-- The server's device has no room for a DMB of any size: Decline MAX_DMB. Hosts without SMC-R, so nothing else is tried.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "No DMB left: Decline 0x030d0000, and TCP goes on",
    source = "linux net/smc/af_smc.c",
    requirements = { "SMCD-016", "CLC-055" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", roce = false, devices = { "ism" } }
host "server" { address = "10.0.0.2/24", machine = "m", roce = false, devices = { "ism" } }
link("client", "server")
server:fault("ism", "register", { times = 100, error = "NOSPACE" })
local c, s = connect(client, server)
expect(c.mode, "TCP")
expect(s.fallback, 0x030d0000)
expect(c.peer_diagnosis, 0x030d0000)
expect_message { "CLC Decline", from = "server", diagnosis = 0x030d0000 }
transfer { from = c, to = s, bytes = "100 KiB", both_ways = true }
expect_groups("server", 0)
