-- Where both have SMC-R too, a server without room for a DMB goes on in its order of trying; later it has room again.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "No DMB left at the server: SMC-R is tried next",
    source = "linux net/smc/af_smc.c",
    requirements = { "CLC-072", "SMCD-016" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", devices = { "ism" } }
host "server" { address = "10.0.0.2/24", machine = "m", devices = { "ism" } }
link("client", "server")
server:fault("ism", "register", { times = 16, error = "NOSPACE" })
local c, s = connect(client, server)
expect(c.mode, "SMC-R")
expect(c.version, 2)
expect_no_message { "CLC Decline", within = "1 ms" }
transfer { from = c, to = s, bytes = "100 KiB", both_ways = true }
