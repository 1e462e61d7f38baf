-- The client's second device leaves: it asks for the end of its link, and the server begins that as a flow of its own.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The client loses a device, version 2",
    source = "linux net/smc/smc_llc.c",
    requirements = { "LLC-084" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 2 }, paths = { "R" } }
host "server" { address = "10.0.0.2/24", versions = { 2 }, paths = { "R" } }
link("client", "server")
client:interface "eth1" { address = "10.0.0.11/24" }
server:interface "eth1" { address = "10.0.0.12/24" }
link("client.eth1", "server.eth1")
local c, s = connect(client, server)
local function echo()
    c:send(pattern(20000))
    expect(s:receive(20000), pattern(20000))
    s:send(pattern(20000))
    expect(c:receive(20000), pattern(20000))
end
expect_links("client", 2)
echo()
client:remove "roce eth1"
expect_message { "DELETE LINK", from = "client", response = false }
expect_message { "DELETE LINK", from = "server", response = false }
expect_links("server", 1)
echo()
