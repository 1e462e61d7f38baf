-- The client's device refuses: it declines with 0x030d0000, the server gives its DMB back, TCP goes on.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The client has no DMB left after the Accept",
    source = "linux net/smc/af_smc.c",
    requirements = { "SMCD-016" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", devices = { "ism" } }
host "server" { address = "10.0.0.2/24", machine = "m", devices = { "ism" } }
link("client", "server")
client:fault("ism", "register", { times = 100, error = "NOSPACE" })
local c, s = connect(client, server)
expect(c.mode, "TCP")
expect(c.fallback, 0x030d0000)
expect(s.peer_diagnosis, 0x030d0000)
expect_message { "CLC Accept", from = "server" }
expect_message { "CLC Decline", from = "client", diagnosis = 0x030d0000 }
transfer { from = c, to = s, bytes = "100 KiB", both_ways = true }
expect_message { "SMC-D unregister", from = "server" }
