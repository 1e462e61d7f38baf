-- A mismatch is only remembered: SMC-D of version 1 is used all the same, SMC-R of version 1 is not.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "SMC-Dv1 needs no common subnet",
    source = "linux net/smc/af_smc.c",
    requirements = { "CLC-072" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/16", machine = "m", versions = { 1 }, devices = { "ism" } }
host "server" { address = "10.0.0.2/24", machine = "m", versions = { 1 }, devices = { "ism" } }
link("client", "server")
local c, s = connect(client, server)
expect(c.mode, "SMC-D")
expect(c.version, 1)
server:remove "ism"
c, s = connect(client, server)
expect(c.mode, "TCP")
expect(s.fallback, 0x03070000)
