-- The server's ADD LINK is lost for good. After 2 s the client has enough of waiting. (The RFC would have it reset.)
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "No ADD LINK comes; a Linux client goes on with one link",
    source = "RFC 7609 C.7.1, deviation A-12",
    requirements = { "LLC-064" },
    targets = { "sim", "ns3", "vm" },
    roles = { "client" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
link("client", "server")
link("client.eth1", "server.eth1")

server:edit { "ADD LINK", drop = true }
server:listen(5000)
local c = client:connect(server, 5000)
expect_message { "CONFIRM LINK", from = "client" }
wait "1.5 s"
expect(c.mode, "none", "before the second link's attempt is settled")
expect(c:connected(), "SMC-R")
local s = server:accept(5000)
c:send("one link")
expect(s:receive(8), "one link")
wait "1 s"
