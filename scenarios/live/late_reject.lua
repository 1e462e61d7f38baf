-- What looks like a kernel bug (A-38): a client accepts a link, answers the server's DELETE LINK for it, and then says once more, to the
-- ADD LINK that it had accepted: rejected. docs/linux.md.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Linux rejects a link that it has accepted and that is gone",
    source = "docs/linux.md, bug 4; RFC 7609 3.5.5.1",
    requirements = { "LLC-002" },
    targets = { "vm" },
    roles = { "client" },
}

-- The scenario fails with a kernel that is silent.
expect_finding { id = "LLC-002", by = "client", verdict = "deviation" }

host "client" { address = "10.0.0.1/24", versions = { 2 }, paths = { "R" } }
host "server" { address = "10.0.0.2/24", versions = { 2 }, paths = { "R" } }
link("client", "server", { mtu = 1500 })
client:interface "eth1" { address = "10.0.0.11/24" }
server:interface "eth1" { address = "10.0.0.12/24" }
local second = link("client.eth1", "server.eth1", { mtu = 1500 })
second:drop { "CONFIRM LINK", from = "server", count = 1000 } -- each repetition, too

local c, s = connect(client, server)
wait "12 s"
c:send("still here")
expect(s:receive(10), "still here")
c:close()
s:at_end()
s:close()
wait "1 s"
