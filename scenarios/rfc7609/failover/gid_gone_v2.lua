-- The GID of RoCEv2 is made of the IP address. Where that is changed, the link that was made with it can send nothing any more: its
-- connection goes on by the other one, and a link with the new GID takes its place.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The GID of a link is gone",
    source = "RFC 7609 4.6; linux net/smc/smc_ib.c",
    requirements = { "FAILOVER-014" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 2 } }
host "server" { address = "10.0.0.2/24", versions = { 2 } }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
link("client", "server")
link("client.eth1", "server.eth1")

local c, s = connect(client, server)
expect_links("client", 2)
expect_links("server", 2)
while c.link ~= 2 do c, s = connect(client, server) end
skip_messages()
client:set_address("eth1", "10.0.1.9/24")
expect_message { "DELETE LINK", from = "client", link_number = 2, within = "10 ms" }
expect(c.link, 1)
transfer { from = c, to = s, bytes = "64 KiB", both_ways = true }
expect_message { "ADD LINK", from = "client", response = true, gid = hex "00000000 00000000 0000ffff 0a000109" }
expect_links("client", 2)
wait "1 s"
