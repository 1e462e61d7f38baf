-- A Proposal of version 1 in which the bits are set that say in version 2 what version 2 offers: they mean nothing.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The modes of version 2 in a Proposal of version 1",
    source = "linux net/smc/smc_clc.h",
    requirements = { "CLC-028" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", profile = "rfc", versions = { 1 } }
host "server" { address = "10.0.0.2/24", profile = "rfc", versions = { 1, 2 } }
link("client", "server")
client:edit { "CLC Proposal", typev2 = 3 }
local c, s = connect(client, server)
expect(c.mode, "SMC-R")
expect(c.version, 1)
expect(s.version, 1)
c:send("version 1")
expect(s:receive(9), "version 1")
