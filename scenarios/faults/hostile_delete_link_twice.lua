-- DELETE LINK comes over the very link, twice: the client answers once, and counts the other request as dropped while its answer leaves.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "DELETE LINK repeated while it is carried out",
    source = "RFC 7609 3.5.4.3",
    requirements = { "LLC-035", "LLC-041" },
    targets = { "sim", "ns3" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
link("client", "server", { delay = "1 ms" })
link("client.eth1", "server.eth1", { delay = "1 ms" })

local c, s = connect(client, server)
expect_links("client", 2)
wait_quiet()
skip_messages()
local dropped = counters("client").llc_dropped
s:inject { "DELETE LINK", link_number = 2, reason = 0x00010000, orderly = true, link = 2 }
s:inject { "DELETE LINK", link_number = 2, reason = 0x00010000, orderly = true, link = 2 }
wait "1 s"
expect(count_messages { "DELETE LINK", from = "client", response = true, link_number = 2 }, 1)
expect(counters("client").llc_dropped, dropped + 1)
expect_links("client", 1)
transfer { from = c, to = s, bytes = "64 KiB", both_ways = true }
wait "1 s"
