-- By the RFC a request without an answer condemns the link that carried it; connections go to the other one.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "An unanswered CONFIRM RKEY means the link has failed",
    source = "RFC 7609 C.7.1",
    requirements = { "LLC-064", "LLC-008" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, profile = { "rfc", rmbes_per_rmb = 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 }, profile = { "rfc", rmbes_per_rmb = 1 } }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
link("client", "server")
link("client.eth1", "server.eth1")

local c1, s1 = connect(client, server)
expect_links("server", 2)
wait_quiet()
skip_messages()
client:edit { "CONFIRM RKEY", of = "response", drop = true }
local c2 = client:connect(server, 5000)
expect_message { "CONFIRM RKEY", from = "server", response = false }
expect_message { "DELETE LINK", from = "server", within = "5 s" }
expect_links("server", 1)
c1:send("moved")
expect(s1:receive(5), "moved")
wait "1 s"
