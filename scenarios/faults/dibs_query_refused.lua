-- The peer cannot be reached over the fabric: something else is used.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The remote GID cannot be reached",
    source = "state-machines: dibs",
    requirements = { "DIBS-015", "CLC-071" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", machine = "m", devices = { { "ism", name = "dev" } } }
host "server" { address = "10.0.0.2/24", machine = "m", devices = { { "ism", name = "dev" } } }
link("client", "server")
server:listen(5000)
server:fault("dev", "query", { times = 2, error = "UNREACHABLE" })
local c, s = connect(client, server, 5000)
expect(c.mode, "SMC-R")
transfer { from = c, to = s, bytes = "20 KiB" }
c, s = connect(client, server, 5000)
expect(c.mode, "SMC-D")
transfer { from = c, to = s, bytes = "20 KiB" }
