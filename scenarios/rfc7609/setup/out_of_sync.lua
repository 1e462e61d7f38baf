-- The Accept of a subsequent contact names a queue pair that no link of the client has. The client declines and says "out of
-- sync"; the server drops the link group.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "The server names a link that the client does not have",
    source = "RFC 7609 3.5.2, A.2.5",
    requirements = { "CLC-052" },
    targets = { "sim", "ns3", "vm" },
    roles = { "client" },
    any_version = true,
    hostile = true,
}

expect_finding { id = "LLC-075", by = "server", maybe = true } -- why it ends the group: the judge sees a Decline that it would tolerate

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c1, s1 = connect(client, server)
server:edit { "CLC Accept", qpn = 0x123456 }
local c2 = client:connect(server, 5000)
local declined = expect_message { "CLC Decline", from = "client", out_of_sync = true }
if not real_time() then expect(declined.diagnosis, 0x030b0000) end -- the group is there, but no such link
expect(c2:connected(), "TCP")
expect_groups("server", 0)
expect_error(s1, "RESET")
wait "1 s"
