-- Each host has two RNICs. Behind the first link's confirmation the server adds a second link: ADD LINK over the first, the
-- buffers' keys by CONTINUATION, CONFIRM LINK over the new one.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The second link, of two other RNICs",
    source = "RFC 7609 3.5.1.6, figure 8",
    requirements = { "LLC-001", "LLC-002", "LLC-006", "LLC-008", "LLC-009", "LLC-010", "LLC-011", "LLC-022",
        "LLC-029", "LLC-030", "LLC-032", "LLC-033" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
client:interface "eth1" { address = "10.0.0.11/24" }
server:interface "eth1" { address = "10.0.0.12/24" }
link("client", "server")
link("client.eth1", "server.eth1")

local c, s = connect(client, server)
expect_message { "CONFIRM LINK", from = "server", response = false }
expect_message { "CONFIRM LINK", from = "client", response = true, link_number = 1 }
expect_message { "ADD LINK", from = "server", response = false, link_number = 2, link = 1 }
expect_message { "ADD LINK", from = "client", response = true, reject = false, link = 1 }
expect_message { "ADD LINK CONTINUATION", from = "server", response = false, link = 1 }
expect_message { "ADD LINK CONTINUATION", from = "client", response = true, link = 1 }
expect_message { "CONFIRM LINK", from = "server", response = false, link_number = 2 }
expect_message { "CONFIRM LINK", from = "client", response = true, link = 2 }
expect_links("client", 2)
expect_links("server", 2)
expect(group("client").type, "SYMMETRIC")
expect(group("server").type, "SYMMETRIC")
transfer { from = c, to = s, bytes = "32 KiB", both_ways = true }
wait "1 s"
