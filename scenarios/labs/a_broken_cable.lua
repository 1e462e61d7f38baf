-- Lab 3: failover. Each host has two cards, so the link group gets two links. While data flows, one cable is cut.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Lab 3: a cable breaks",
    source = "RFC 7609 4.6",
    requirements = { "FAILOVER-002", "FAILOVER-006" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
local first_cable = link("client", "server")
link("client.eth1", "server.eth1")

-- The first contact makes the first link, then the second one.
local c, s = connect(client, server)
expect_links("client", 2)
expect(group("client").type, "SYMMETRIC")
expect(c.link, 1)

-- One MiB in each direction, in the background. Every byte that arrives is compared with what was sent.
local t = transfer { from = c, to = s, bytes = "1 MiB", both_ways = true, background = true }
wait "300 us"
expect_true(t:received() < 1048576, "the transfer still runs")

-- Snip.
first_cable:down()

-- Each side moves to the other link on its own. The first message there is a CDC with "failover validation": it carries the
-- number of the last message that is known to have arrived. If the peer had not seen that one, data would be lost although RDMA
-- had acknowledged it, and the connection would have to be reset.
expect_message { "CDC", from = "client", failover_validation = true, link = 2 }

-- Whatever was in the cable is written again; the applications notice nothing.
t:finish()
expect(c.link, 2)
expect(s.link, 2)

-- The link of the dead cable is deleted, and when the cable is whole again, a new link is made.
expect_links("server", 1)
first_cable:up()
expect_links("server", 2)
expect_links("client", 2)
wait "1 s"

-- Things to try:
-- * Cut the second cable as well, before the first one is whole. What do the applications see?
-- * Use `first_cable:partition("client")` in place of `:down()`: now no card notices. How long does it take?
