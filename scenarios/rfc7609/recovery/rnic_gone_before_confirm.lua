-- Instead of its Confirm the client sends a Decline; the server frees the link that it had begun.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The client's RNIC goes between Proposal and Confirm",
    source = "RFC 7609 C.7.2",
    requirements = { "CLC-046", "CLC-047" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

server:listen(5000)
local c = client:connect(server, 5000)
expect_message { "CLC Proposal", from = "client" }
client:remove "roce eth0"
expect(c:connected(), "TCP")
expect_message { "CLC Accept", from = "server" }
expect_message { "CLC Decline", from = "client" }
local s = server:accept(5000)
expect_groups("server", 0)
c:send("plain")
expect(s:receive(5), "plain")
wait "1 s"
