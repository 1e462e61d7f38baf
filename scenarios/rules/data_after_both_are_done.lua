-- The side that was second to say "sending done" announces data behind it.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Data after both sides are done with sending",
    source = "RFC 7609 4.8.1",
    requirements = { "CLOSE-011" },
    targets = { "sim", "ns3" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")
for _, id in ipairs { "CDC-007", "CLOSE-011" } do expect_finding { id = id, by = "client" } end
local c, s = connect(client, server)
c:send("all")
expect(s:receive(3), "all")
s:shutdown("write")
c:at_end()
c:shutdown("write")
s:at_end()
c:inject { "CDC", seqno = 3, prod_count = 10, sending_done = true }
wait "10 ms"
expect(s:peek(1), "")
s:close()
wait "1 s"
