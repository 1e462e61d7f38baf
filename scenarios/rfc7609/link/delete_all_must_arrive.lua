-- The server's word that all links end is lost at first. The server keeps its link until the client has it: then both end.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "DELETE LINK of all links is repeated until it arrives",
    source = "RFC 7609 3.5.5.2, A.3.4",
    requirements = { "LLC-038", "LLC-039" },
    targets = { "sim" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
local cable = link("client", "server", { delay = "1 ms" })

local c, s = connect(client, server)
c:send("x")
expect(s:receive(1), "x")
wait_quiet()
c:inject { "DELETE LINK", all = true, orderly = true, reason = 0x00030000 }
cable:partition("server")
wait "15 ms"
expect_groups("server", 1, { within = "0 s" })
expect_groups("client", 1, { within = "0 s" })
cable:heal()
expect_error(c, "RESET", { within = "1 s" })
expect_error(s, "RESET", { within = "1 s" })
expect_groups("client", 0)
expect_groups("server", 0)
wait "5 s"
