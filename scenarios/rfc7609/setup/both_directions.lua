-- The roles in a link group follow the TCP connection. With the roles reversed, another link group is needed.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Each host is client once",
    source = "RFC 7609 2.2.3",
    requirements = { "CLC-032", "LLC-009" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server, 5000)
local c2, s2 = connect(server, client, 6000)
expect(c2.mode, "SMC-R")
expect_groups("client", 2)
expect_groups("server", 2)
expect_true(group("client", 1).role ~= group("client", 2).role, "once client, once server")
expect(count_messages { "CLC Accept", first_contact = true }, 2)
expect(count_messages { "CONFIRM LINK", from = "server", response = false }, 1)
expect(count_messages { "CONFIRM LINK", from = "client", response = false }, 1)
c:send("there")
c2:send("and back")
expect(s:receive(5), "there")
expect(s2:receive(8), "and back")
wait "1 s"
