-- The fabric answers the query with "unreachable" for each version in turn: the next way is tried, in the end SMC-R.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The device says that the GID is not reached",
    source = "linux net/smc/smc_ism.c",
    requirements = { "SMCD-025", "CLC-072" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", devices = { "ism" } }
host "server" { address = "10.0.0.2/24", machine = "m", devices = { "ism" } }
link("client", "server")
server:fault("ism", "query", { times = 1, error = "UNREACHABLE" })
local c, s = connect(client, server)
expect(c.mode, "SMC-D")
expect(c.version, 1, "version 2 was tried first")
c:close()
s:close()
server:fault("ism", "query", { times = 2, error = "UNREACHABLE" })
c, s = connect(client, server)
expect(c.mode, "SMC-R")
transfer { from = c, to = s, bytes = "50 KiB", both_ways = true }
