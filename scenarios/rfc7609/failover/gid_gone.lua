-- A link whose GID is gone can send nothing any more. (Version 1 uses the GID made from the MAC, so the link must survive a
-- change of the IP address.)
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The address of an RNIC is changed",
    source = "RFC 7609 4.6",
    requirements = { "FAILOVER-014" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
client:interface "eth1" { address = "10.0.0.11/24" }
server:interface "eth1" { address = "10.0.0.12/24" }
link("client", "server")
link("client.eth1", "server.eth1")

local c, s = connect(client, server)
expect_links("client", 2)
client:set_address("eth1", "10.0.1.9/24")
wait "10 ms"
expect_links("client", 2)
transfer { from = c, to = s, bytes = "64 KiB" }
wait "1 s"
