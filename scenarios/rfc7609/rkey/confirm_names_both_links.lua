-- The group has two links, so a new RMB has two keys: that of the link which carries the message, and the other one's.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "CONFIRM RKEY gives the key for every link",
    source = "RFC 7609 3.5.5.2, A.3.5",
    requirements = { "LLC-050", "LLC-051", "LLC-054", "FAILOVER-013" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
client:interface "eth1" { address = "10.0.0.11/24" }
server:interface "eth1" { address = "10.0.0.12/24" }
link("client", "server")
link("client.eth1", "server.eth1")

connect(client, server)
expect_links("client", 2)
wait_quiet()
skip_messages()
local c, s = connect(client, server)
local asked = expect_message { "CONFIRM RKEY", from = "server", response = false, other_count = 1 }
expect_true(asked.rkey1 ~= asked.rkey, "each link has a key of its own")
expect_message { "CONFIRM RKEY", from = "client", response = true, negative = false, rkey = asked.rkey, rkey1 = asked.rkey1 }
expect_message { "CLC Accept" }
transfer { from = c, to = s, bytes = "16 KiB", both_ways = true }
wait "1 s"
