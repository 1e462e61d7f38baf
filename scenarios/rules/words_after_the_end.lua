-- What follows the end is ignored: data after "sending done", anything after "closed" or after an abort. One side says it on purpose.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "CDCs after the end of a connection are ignored",
    source = "RFC 7609 A.4",
    requirements = { "CDC-010", "CDC-011", "CLOSE-013", "CLOSE-015" },
    targets = { "sim", "ns3" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")
local kept, kept_s = connect(client, server)
for _, id in ipairs { "CDC-002", "CDC-007", "LLC-061", "CDC-010", "CDC-011", "CLOSE-013", "CLOSE-015" } do expect_finding { id = id, by = "client" } end

-- Data after "sending done".
local c, s = connect(client, server)
c:send("all")
expect(s:receive(3), "all")
c:shutdown("write")
s:at_end()
c:inject { "CDC", seqno = 3, prod_count = 10, sending_done = true }
wait "10 ms"
expect(s:peek(1), "")
s:close()
c:close()
wait "1 s"

-- Something after "closed".
c, s = connect(client, server)
local token = c.peer_token
c:close()
wait "20 us"
kept:inject { "CDC", token = token, seqno = 2, closed = true }
wait "10 ms"
s:close()
wait "1 s"

-- Both close at once, and one says so again.
c, s = connect(client, server)
token = c.peer_token
c:close()
s:close()
wait "100 us"
kept:inject { "CDC", token = token, seqno = 2, closed = true }
wait "1 s"

-- Something after an abort.
c, s = connect(client, server)
token = c.peer_token
s:send("not read")
wait "1 ms"
c:close()
wait "20 us"
kept:inject { "CDC", token = token, seqno = 2, sending_done = true }
wait "1 s"
transfer { from = kept, to = kept_s, bytes = "20 KiB", both_ways = true }
