-- All of the server's send slots are taken when a TEST LINK comes, and free again when the next one does: its answer does not overtake
-- that of the first, which still waits.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Two TEST LINKs are answered in their order",
    source = "RFC 7609 3.3, A.3.8",
    requirements = { "LLC-007", "LLC-042", "LLC-062" },
    targets = { "sim" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server", { delay = "10 ms" })

local c, s = connect(client, server, 5000, { nodelay = true })
s:set { nodelay = true }
wait_quiet()
skip_messages()
for _ = 1, 16 do s:send("x") end
wait "9.7 ms"
c:inject { "TEST LINK", user_data = "first" .. ("\0"):rep(11) }
wait "0.6 ms"
c:inject { "TEST LINK", user_data = "second" .. ("\0"):rep(10) }
expect_message { "TEST LINK", from = "server", response = true, user_data = "first" .. ("\0"):rep(11) }
expect_message { "TEST LINK", from = "server", response = true, user_data = "second" .. ("\0"):rep(10) }
expect(c:receive(16), ("x"):rep(16))
wait "1 s"
