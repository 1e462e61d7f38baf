-- The twentieth RDMA write of the client's first RNIC kills it.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The RNIC dies in the middle of a write",
    source = "RFC 7609 4.6",
    requirements = { "FAILOVER-009", "FAILOVER-014", "FAILOVER-015", "FAILOVER-018" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
link("client", "server")
link("client.eth1", "server.eth1")

local c, s = connect(client, server)
expect_links("client", 2)
client:roce_fault("eth0", { "device fatal", operations = "write", first = 20 })
transfer { from = c, to = s, bytes = "1 MiB" }
expect(c.link, 2)
wait "1 s"
