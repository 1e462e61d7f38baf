-- The server's CONFIRM LINK on the new link gets no answer: DELETE LINK takes the link back, and when that is answered the server's
-- timer for another try begins.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A link that was never confirmed is taken back, and tried again",
    source = "RFC 7609 C.7.1, C.8",
    requirements = { "LLC-025", "LLC-064", "LLC-067" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, profile = { "rfc", second_link_retry_ns = "3 s" } }
host "server" { address = "10.0.0.2/24", versions = { 1 }, profile = { "rfc", second_link_retry_ns = "3 s" } }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
link("client", "server")
link("client.eth1", "server.eth1")

client:edit { "CONFIRM LINK", of = "response", nth = 2, drop = true }
local c, s = connect(client, server, 5000, { within = "20 s" })
expect_message { "DELETE LINK", from = "server", response = false, link_number = 2, within = "10 s" }
expect_message { "DELETE LINK", from = "client", response = true, link_number = 2 }
local answered = now()
expect_message { "ADD LINK", from = "server", response = false, within = "5 s" }
expect_true(now() - answered >= 2900000000, "tried again after " .. (now() - answered) .. " ns")
expect_links("client", 2)
expect_links("server", 2)
transfer { from = c, to = s, bytes = "16 KiB", both_ways = true }
wait "1 s"
