-- Both RMBs are kept in reserve, known to the peer over both links, when the first connection ends. Link 1 is lost; no ADD LINK lists
-- what nobody uses when another takes its place. A connection that takes the RMBs on the new link has them confirmed over that, and link 2 is
-- named beside it: it is an RMB that the peer knows. A connection on link 2 names it by its key there, and has to reach its peer when it
-- moves to the new one.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "An RMB that is confirmed again over a new link stays one RMB",
    source = "RFC 7609 3.5.5.2.1, 4.5",
    requirements = { "LLC-050", "LLC-054", "FAILOVER-001", "FAILOVER-013" },
    targets = { "sim" },
}

host "client" { address = "10.0.0.1/24", profile = "rfc" }
host "server" { address = "10.0.0.2/24", profile = "rfc" }
client:interface "eth1" { address = "10.0.1.1/24" }
server:interface "eth1" { address = "10.0.1.2/24" }
local first_cable = link("client", "server", {})
local second_cable = link("client.eth1", "server.eth1", {})

local c1, s1 = connect(client, server)
expect_message { "CONFIRM LINK", from = "client", response = true }
c1:close()
s1:close()
expect_state(c1, "CLOSED")
expect_state(s1, "CLOSED")
wait_quiet()
skip_messages()
first_cable:down()
expect_message { "DELETE LINK", from = "client", response = true }
first_cable:up()
expect_message { "CONFIRM LINK", from = "client", response = true }
wait_quiet()
local c2, s2 = connect(client, server)
expect_message { "CONFIRM RKEY", from = "server", response = false, other_count = 1 }
expect_message { "CONFIRM RKEY", from = "client", response = false, other_count = 1 }
local c3, s3 = connect(client, server)
expect(group("server").rmbs, 1)
second_cable:down()
for _, pair in ipairs { { c2, s2 }, { c3, s3 } } do
    pair[1]:send("there")
    expect(pair[2]:receive(5), "there")
    pair[2]:send("and back")
    expect(pair[1]:receive(8), "and back")
end
wait "1 s"
