-- A client that wants the group to end says so; the server says the same to it, and then both end it. Nobody waits for an answer.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "DELETE LINK of all links by the client is repeated by the server",
    source = "RFC 7609 3.5.5.2, A.3.4",
    requirements = { "LLC-038", "LLC-039" },
    targets = { "sim", "ns3" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server", { delay = "1 ms" })

local c, s = connect(client, server)
c:send("x")
expect(s:receive(1), "x")
wait_quiet()
skip_messages()
c:inject { "DELETE LINK", all = true, orderly = true, reason = 0x00030000 }
expect_message { "DELETE LINK", from = "server", response = false, all = true, within = "100 ms" }
local said = now()
expect_error(c, "RESET")
expect_error(s, "RESET")
expect_true(now() - said < 100000000, "both end it at once")
expect_groups("client", 0)
expect_groups("server", 0)
wait "5 s"
