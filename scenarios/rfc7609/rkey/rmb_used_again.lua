-- The second connection takes the element that the first one left. Nothing of the first is left in it: each reads its own bytes.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A freed element is used again, and clean",
    source = "RFC 7609 4.4.2",
    requirements = { "CURSOR-022", "CLOSE-020", "CLC-039" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, profile = "rfc" }
host "server" { address = "10.0.0.2/24", versions = { 1 }, profile = "rfc" }
link("client", "server")

local c1, s1 = connect(client, server)
c1:send("first, and longer")
expect(s1:receive(17), "first, and longer")
c1:close()
s1:close()
expect_state(c1, "CLOSED")
expect_state(s1, "CLOSED")
local c2, s2 = connect(client, server)
expect(group("server").rmbs, 1)
local accepts = messages { "CLC Accept" }
expect(accepts[2].rmbe_index, accepts[1].rmbe_index)
c2:send("second")
expect(s2:receive(6), "second")
expect(s2.readable, 0)
wait "1 s"
