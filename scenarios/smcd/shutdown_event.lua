-- A host that ends a group says so by event 0x80, once; the peer ends its group too and does not answer with another.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The shutdown event ends the groups of its sender",
    source = "linux net/smc/smc_ism.c",
    requirements = { "SMCD-013", "SMCD-015" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", devices = { "ism" } }
host "server" { address = "10.0.0.2/24", machine = "m", devices = { "ism" } }
link("client", "server")
local c, s = connect(client, server)
expect(c.mode, "SMC-D")
skip_messages()
client:remove "ism"
expect_error(c, "RESET")
expect_error(s, "RESET")
expect_groups("server", 0)
wait "1 s"
expect(#messages { "SMC-D event", from = "server" }, 0, "it answers a shutdown with a shutdown")
expect_true(#messages { "SMC-D event", from = "client" } >= 1, "the peer was told nothing")
