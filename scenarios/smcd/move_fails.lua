-- The device refuses the fifth move: the connection is aborted at both ends, another connection of the group is not touched.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A move that fails ends the connection",
    source = "linux net/smc/smc_ism.c",
    requirements = { "SMCD-010" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", devices = { "ism" } }
host "server" { address = "10.0.0.2/24", machine = "m", devices = { "ism" } }
link("client", "server")
local c, s = connect(client, server)
local other, other_s = connect(client, server)
expect(c.mode, "SMC-D")
client:fault("ism", "move", { after = 4, times = 1, error = "IO" })
transfer { from = c, to = s, bytes = "1 MiB", background = true }
expect_error(c, "RESET")
expect_error(s, "RESET")
transfer { from = other, to = other_s, bytes = "100 KiB", both_ways = true }
expect_groups("client", 1)
