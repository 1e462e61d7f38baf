-- The server deletes a link in order while the client's last message is still under way on it. The client answers once that has arrived.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "An orderly DELETE LINK waits for what is under way",
    source = "RFC 7609 3.5.5.2, A.3.4",
    requirements = { "LLC-035", "LLC-036" },
    targets = { "sim" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
client:interface "eth1" { address = "10.0.0.11/24" }
server:interface "eth1" { address = "10.0.0.12/24" }
link("client", "server", { delay = "1 ms" })
link("client.eth1", "server.eth1", { delay = "10 us" })

local c, s = connect(client, server)
expect_links("client", 2)
expect_links("server", 2)
wait "1 s"
expect(c.link, 1)
c:send("under way")
wait "100 us"
skip_messages()
s:inject { "DELETE LINK", link_number = 1, orderly = true, reason = 0x00030000, link = 2 }
expect_no_message { "DELETE LINK", from = "client", within = "1.5 ms" }
expect_message { "DELETE LINK", from = "client", response = true, link_number = 1, within = "10 ms" }
wait "5 s"
