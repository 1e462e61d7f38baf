-- A client that is told that all links end answers nothing and waits for nothing, also not for what it has under way.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A client ends its group at once",
    source = "RFC 7609 3.5.5.2, A.3.4",
    requirements = { "LLC-038" },
    targets = { "sim" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
local cable = link("client", "server", { delay = "1 ms" })

local c, s = connect(client, server)
wait_quiet()
cable:partition("client")
c:send("never acknowledged")
s:inject { "DELETE LINK", all = true, orderly = true, reason = 0x00030000 }
expect_error(c, "RESET", { within = "100 ms" })
expect_groups("client", 0)
wait "5 s"
