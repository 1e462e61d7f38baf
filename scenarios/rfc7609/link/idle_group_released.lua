-- After its last connection a group stays for ten minutes, then the server deletes all of its links.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A group without connections is released",
    source = "RFC 7609 3.5.4.4",
    requirements = { "LLC-034", "CLC-081", "CLOSE-022" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server)
c:close()
s:close()
expect_state(c, "CLOSED")
expect_groups("server", 1)
wait "590 s"
expect_groups("server", 1)
expect_message { "DELETE LINK", from = "server", all = true, link_number = 0, within = "30 s" }
expect_groups("server", 0)
expect_groups("client", 0)
wait "1 s"
