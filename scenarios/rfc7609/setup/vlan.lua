-- All interfaces are of VLAN 7: so are the frames of the link.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "First contact in a VLAN",
    source = "RFC 7609 2.2.2",
    requirements = { "CLC-032", "LLC-011" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, vlan = 7 }
host "server" { address = "10.0.0.2/24", versions = { 1 }, vlan = 7 }
link("client", "server")

local c, s = connect(client, server)
expect(c.mode, "SMC-R")
transfer { from = c, to = s, bytes = "100 KiB" }
wait "1 s"
