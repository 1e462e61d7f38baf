-- The client has said that it sends no more. Its link breaks; the server's answer arrives over the other link.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A half-closed connection when its link fails",
    source = "RFC 7609 4.6",
    requirements = { "CLOSE-004" },
    targets = { "sim", "ns3", "vm" },
    roles = { "client" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
client:interface "eth1" { address = "10.0.0.11/24" }
server:interface "eth1" { address = "10.0.0.12/24" }
local first_cable = link("client", "server")
link("client.eth1", "server.eth1")

local c, s = connect(client, server)
expect_links("client", 2)
c:send("question")
c:shutdown("write")
expect(s:receive_all(), "question")
first_cable:down()
s:send("answer")
expect(c:receive(6), "answer")
s:close()
c:at_end()
c:close()
expect_state(c, "CLOSED")
expect_state(s, "CLOSED")
wait "1 s"
