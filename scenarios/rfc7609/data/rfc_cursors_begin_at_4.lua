-- An RMBE of the RFC begins with four bytes that are no data. The first byte is at 4, and CONFIRM LINK announces it.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Data flow 1 with eyecatchers: cursors begin at 4",
    source = "RFC 7609 4.7.1, 4.1",
    requirements = { "CURSOR-004", "CDC-002" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, profile = "rfc" }
host "server" { address = "10.0.0.2/24", versions = { 1 }, profile = "rfc" }
link("client", "server")

local c, s = connect(client, server)
expect_message { "CONFIRM LINK", from = "server", no_eyecatcher = 0 }
c:send(pattern(1000))
expect_message { "CDC", from = "client", seqno = 1, prod_wrap = 0, prod_count = 1004, cons_count = 4 }
expect(s:receive(1000), pattern(1000))
wait "1 s"
