-- Both RMBs are kept in reserve, known to the peer, when the first connection ends; no ADD LINK lists what nobody uses. A connection
-- that takes them while the second link is being added waits for it, and has them confirmed: after a failover it would not reach
-- its peer. Messages over the second cable take 5 ms here.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "RMBs used again while a link is added are confirmed on it",
    source = "RFC 7609 3.5.5.2.1, 2.2",
    requirements = { "LLC-033", "LLC-050", "LLC-054", "FAILOVER-013" },
    targets = { "sim" },
}

host "client" { address = "10.0.0.1/24", profile = "rfc" }
host "server" { address = "10.0.0.2/24", profile = "rfc" }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
local first_cable = link("client", "server", {})
local second_cable = link("client.eth1", "server.eth1", { delay = "5 ms" })

second_cable:down()
local c1, s1 = connect(client, server)
c1:close()
s1:close()
expect_state(c1, "CLOSED")
expect_state(s1, "CLOSED")
wait_quiet()
skip_messages()
second_cable:up()
expect_message { "ADD LINK", from = "client", response = true }
local c = client:connect(server, 5000)
expect_message { "CONFIRM LINK", from = "client", response = true }
expect_message { "CONFIRM RKEY", from = "server", response = false, other_count = 1 }
expect_message { "CONFIRM RKEY", from = "client", response = false, other_count = 1 }
expect(c:connected(), "SMC-R")
local s = server:accept(5000)
expect(group("server").rmbs, 1)
first_cable:down()
c:send("there")
expect(s:receive(5), "there")
s:send("and back")
expect(c:receive(8), "and back")
wait "1 s"
