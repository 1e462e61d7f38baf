-- What looks like a kernel bug (A-48): a client that waited in vain for CONFIRM LINK over a new link sends DELETE LINK, and then never
-- answers the server's DELETE LINK for the same link. docs/linux.md.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Linux leaves DELETE LINK unanswered for a link that was never confirmed",
    source = "docs/linux.md, bug 3; RFC 7609 3.5.5.1.3",
    requirements = { "LLC-035" },
    targets = { "vm" },
    roles = { "client" },
}

-- The scenario fails with a kernel that answers.
expect_finding { id = "LLC-035", by = "client", verdict = "deviation" }

host "client" { address = "10.0.0.1/24", versions = { 2 }, paths = { "R" } }
host "server" { address = "10.0.0.2/24", versions = { 2 }, paths = { "R" }, profile = { "linux", later_link_timeout_ns = "8 s" } } -- more patient than the client
link("client", "server", { mtu = 1500 })
client:interface "eth1" { address = "10.0.0.11/24" }
server:interface "eth1" { address = "10.0.0.12/24" }
link("client.eth1", "server.eth1", { mtu = 1500 })
server:edit { "CONFIRM LINK", of = "request", nth = 2, drop = true }

local c, s = connect(client, server)
wait "15 s"
c:send("still here")
expect(s:receive(10), "still here")
c:close()
s:at_end()
s:close()
wait "1 s"
