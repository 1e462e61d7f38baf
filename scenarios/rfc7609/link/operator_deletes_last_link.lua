-- An operator takes a link out, and in the same instant the RNIC of the other one leaves: nothing is left over which it could be said, so
-- the group ends, and tells the peer so. The next connection is a first contact.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A link is to be deleted, and is the last one",
    source = "RFC 7609 3.5.4.3",
    requirements = { "LLC-034", "FAILOVER-012" },
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
expect_links("server", 2)
skip_messages()
client:delete_link(1)
client:remove "roce eth1"
expect_message { "DELETE LINK", from = "client", all = true, within = "1 ms" }
expect_error(c, "RESET")
expect_error(s, "RESET")
expect_groups("client", 0)
expect_groups("server", 0)
c, s = connect(client, server)
expect_message { "CLC Accept", first_contact = true }
transfer { from = c, to = s, bytes = "16 KiB", both_ways = true }
wait "1 s"
