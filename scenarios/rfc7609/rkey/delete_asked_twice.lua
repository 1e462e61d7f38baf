-- A DELETE RKEY waits for what the server still writes, when the client sends a second one: one exchange is open at a time, so the first
-- is answered then, the second behind it, and neither again.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A second DELETE RKEY while the first one waits",
    source = "RFC 7609 3.5.5.2.2, A.3.7",
    requirements = { "LLC-058", "LLC-059" },
    targets = { "sim" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
link("client", "server")
link("client.eth1", "server.eth1", { delay = "5 ms" })

local a, b = connect(client, server)
expect_links("client", 2)
wait_quiet()
local c, s
for _ = 1, 2 do c, s = connect(client, server) end
expect(c.link, 2)
wait_quiet()
local keys = messages { "CONFIRM RKEY", from = "client", response = false }
local last = keys[#keys]
local key = last.link == 1 and last.rkey or last.rkey1
skip_messages()
s:send("under way")
wait "1 ms"
c:inject { "DELETE RKEY", count = 1, rkey1 = key, link = 1 }
expect_no_message { "DELETE RKEY", from = "server", response = true, within = "1 ms" }
c:inject { "DELETE RKEY", count = 1, rkey1 = 0x11111111, link = 1 }
expect_message { "DELETE RKEY", from = "server", response = true, negative = false, rkey1 = key, within = "1 ms" }
expect_message { "DELETE RKEY", from = "server", response = true, negative = true, rkey1 = 0x11111111, within = "1 ms" }
expect_no_message { "DELETE RKEY", from = "server", response = true, within = "1 s" }
transfer { from = a, to = b, bytes = "64 KiB", both_ways = true }
