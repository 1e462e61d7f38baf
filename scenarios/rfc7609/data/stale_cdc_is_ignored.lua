-- A message with sequence number 1 and an old cursor comes after number 2.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A CDC that is older than the last is ignored",
    source = "RFC 7609 4.4.1",
    requirements = { "CDC-004" },
    targets = { "sim", "ns3" },
    hostile = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server)
c:send("first")
wait "1 ms"
c:send("second")
wait "1 ms"
expect(s.readable, 11)
expect_finding { id = "CDC-002", by = "client" }
c:inject { "CDC", seqno = 1, prod_count = 5 }
wait "1 ms"
expect(s.readable, 11)
wait "1 s"
