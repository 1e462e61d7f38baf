-- An exchange of LLC is not replayed. The link that carries it breaks before the new one is there: all is lost.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The only link fails while another is being added",
    source = "RFC 7609 4.6, C.7",
    requirements = { "FAILOVER-012", "LLC-064" },
    targets = { "sim", "ns3", "vm" },
    roles = { "client" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
local first_cable = link("client", "server")
local second_cable = link("client.eth1", "server.eth1")

second_cable:down()
local c, s = connect(client, server)
server:edit { "ADD LINK CONTINUATION", drop = true }
second_cable:up()
expect_message { "ADD LINK", from = "client", response = true, reject = false }
first_cable:down()
expect_error(c, "RESET")
expect_error(s, "RESET")
wait "1 s"
