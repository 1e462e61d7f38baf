-- The client does not answer. Linux' server waits 2 s, clears the link all the same, and offers another one.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "DELETE LINK without an answer",
    source = "RFC 7609 C.7.1",
    requirements = { "LLC-036", "LLC-064" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
link("client", "server")
link("client.eth1", "server.eth1")

local c, s = connect(client, server)
expect_links("server", 2)
skip_messages()
client:edit { "DELETE LINK", of = "response", drop = true, count = 10 }
server:remove "roce eth1"
expect_message { "DELETE LINK", from = "server", response = false }
local asked = now()
expect_message { "ADD LINK", from = "server", response = false }
expect_true(now() - asked >= 1900000000, "the old link was kept for 2 s")
c:send("goes on")
expect(s:receive(7), "goes on")
wait "1 s"
