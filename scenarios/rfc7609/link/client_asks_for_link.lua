-- The server has two RNICs, the client one; its second one arrives later. It asks by an ADD LINK of its own, and does not wait
-- for an answer: the server's ADD LINK is what comes of it.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A client that gets a second RNIC asks for a link",
    source = "RFC 7609 3.5.4.2",
    requirements = { "LLC-026", "LLC-027", "LLC-028" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
client:interface "eth1" { address = "10.0.0.11/24" }
switch "sw0"
link("client", "sw0")
local late = link("client.eth1", "sw0")
link("server", "sw0")
late:down()

local c, s = connect(client, server)
expect_links("server", 1)
skip_messages()
late:up()
local asked = expect_message { "ADD LINK", from = "client", response = false }
expect_message { "ADD LINK", from = "server", response = false }
local accepted = expect_message { "ADD LINK", from = "client", response = true }
expect(asked.gid, accepted.gid, "the GID of the RNIC it asks for")
expect(asked.mac, accepted.mac)
expect_links("client", 2)
c:send("thanks")
expect(s:receive(6), "thanks")
wait "1 s"
