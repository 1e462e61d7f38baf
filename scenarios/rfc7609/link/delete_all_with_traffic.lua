-- A DELETE LINK for all links comes from the server in the middle of a connection. The client obeys at once.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "DELETE LINK of all links resets what is open",
    source = "RFC 7609 3.5.4.3",
    requirements = { "LLC-034", "LLC-038", "CLOSE-021" },
    targets = { "sim", "ns3" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server)
wait_quiet()
s:inject { "DELETE LINK", all = true, link_number = 0, reason = 0x00020000 }
expect_error(c, "RESET")
expect_groups("client", 0)
expect_error(s, "RESET")
wait "1 s"
