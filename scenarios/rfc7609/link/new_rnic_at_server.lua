-- The group has one link, as both hosts have one RNIC each that works. Then the second cable comes up.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A server that gets a second RNIC adds a link",
    source = "RFC 7609 3.5.4, C.8",
    requirements = { "LLC-028", "LLC-067" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
client:interface "eth1" { address = "10.0.0.11/24" }
server:interface "eth1" { address = "10.0.0.12/24" }
link("client", "server")
local second_cable = link("client.eth1", "server.eth1")

second_cable:down()
local c, s = connect(client, server, 5000)
expect_links("server", 1)
skip_messages()
second_cable:up()
expect_message { "ADD LINK", from = "server", response = false }
expect_message { "ADD LINK", from = "client", response = true, reject = false }
expect_links("client", 2)
expect_links("server", 2)
c:send("now safe")
expect(s:receive(8), "now safe")
wait "1 s"
