-- An operator takes the link out that carries a transfer, at the server and at the client: it goes on by the other one, and every
-- byte arrives. The server makes a new link in its place; the last link of all stays.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "An operator deletes links",
    source = "RFC 7609 3.5.4.3, 4.6",
    requirements = { "LLC-008", "LLC-035", "LLC-041" },
    targets = { "sim", "ns3", "vm" },
    roles = { "server" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
client:interface "eth1" { address = "10.0.0.11/24" }
server:interface "eth1" { address = "10.0.0.12/24" }
link("client", "server", { rate = "1 Gbit/s" })
link("client.eth1", "server.eth1", { rate = "1 Gbit/s" })

local c, s = connect(client, server)
expect_links("client", 2)
skip_messages()
expect(pcall(client.delete_link, client, 9), false) -- there is none
local moving = transfer { from = c, to = s, bytes = "4 MiB", both_ways = true, background = true }
wait "5 ms"
client:delete_link(1)
local asked = expect_message { "DELETE LINK", from = "client", response = false, all = false, link_number = 1 }
expect(asked.reason, 0x00020000)
expect_message { "DELETE LINK", from = "server", response = false, link_number = 1 }
expect_message { "DELETE LINK", from = "client", response = true, link_number = 1 }
moving:finish()
expect_links("client", 2) -- the devices are still there: the group has made another link of them
expect_links("server", 2)
expect(group("client").links[1].number, 3)
server:remove "roce eth1"
expect_links("client", 1)
local ok, why = pcall(client.delete_link, client, 3) -- nothing would carry the connection then
expect(ok, false)
expect_true(why:find("cannot be deleted", 1, true), why)
transfer { from = c, to = s, bytes = "16 KiB", both_ways = true }
c:close()
s:at_end()
s:close()
