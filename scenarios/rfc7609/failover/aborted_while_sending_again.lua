-- The server's second link has slots for a part only of what it has to send again when the client, which has not read all, aborts. What
-- is under way then completes later, and belongs to nothing any more.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Aborted by the peer while messages are sent again",
    source = "RFC 7609 4.6.1, 4.8.2",
    requirements = { "FAILOVER-009", "CDC-012", "CDC-018" },
    targets = { "sim" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, profile = "rfc" }
host "server" { address = "10.0.0.2/24", versions = { 1 }, profile = "rfc" }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
local first_cable = link("client", "server", { delay = "1 ms" })
link("client.eth1", "server.eth1", { delay = "1 ms" })

connect(client, server)
expect_links("client", 2)
local c, s = {}, {}
for i = 1, 2 do c[i], s[i] = connect(client, server, 5000, { nodelay = true }) end
for i = 1, 2 do s[i]:set { nodelay = true } end
expect(c[1].link, 1)
expect(c[2].link, 2)
s[1]:send("unread")
wait_quiet()
skip_messages()
server:roce_fault("eth1", { "delay completion", operations = "send", every = 1, times = 0, argument = "100 ms" })
for _ = 1, 10 do s[2]:send("x") end
for _ = 1, 12 do s[1]:send("y") end
wait "100 us"
first_cable:down()
wait "5 ms"
c[1]:close()
expect_message { "CDC", from = "client", abnormal_close = true }
wait "500 ms"
s[1]:close()
expect(c[2]:receive(10), ("x"):rep(10))
transfer { from = c[2], to = s[2], bytes = "64 KiB", both_ways = true }
wait "1 s"
