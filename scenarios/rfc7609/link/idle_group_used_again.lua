-- Nine minutes after the last connection a new one comes: it finds the group, and the group's time begins anew.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A new connection saves an idle group",
    source = "RFC 7609 3.5.4.4",
    requirements = { "CLC-081", "CLC-032" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server)
local first = c.group
c:close()
s:close()
wait "540 s"
c, s = connect(client, server)
expect(c.group, first)
wait "120 s"
expect_groups("server", 1)
c:send("still")
expect(s:receive(5), "still")
wait "1 s"
