-- The port is well and the device lives; the link is lost all the same, and another one is made between the same RNICs.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Only the queue pair dies",
    source = "RFC 7609 4.6",
    requirements = { "FAILOVER-009", "FAILOVER-014" },
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
client:roce_fault("eth0", { "qp fatal", operations = "write", first = 10 })
transfer { from = c, to = s, bytes = "1 MiB" }
expect(c.link, 2)
expect_links("client", 2)
wait "1 s"
