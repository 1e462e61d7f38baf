-- The client asks twice that all links be deleted. The server's own request is the answer to both: the group is ending already.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "DELETE LINK of all links by the client, repeated, is answered once",
    source = "RFC 7609 3.5.5.2, A.3.4",
    requirements = { "LLC-039" },
    targets = { "sim" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server", { delay = "1 ms" })

local c, s = connect(client, server)
wait_quiet()
c:inject { "DELETE LINK", all = true, orderly = true, reason = 0x00030000 }
wait "100 us"
c:inject { "DELETE LINK", all = true, orderly = true, reason = 0x00030000 }
expect_error(c, "RESET")
expect_error(s, "RESET")
expect_groups("client", 0)
expect_groups("server", 0)
wait "1 s"
expect(count_messages { "DELETE LINK", from = "server", all = true }, 1)
