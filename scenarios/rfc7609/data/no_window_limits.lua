-- A little data in both directions. Each write is followed by one CDC message; no window is reached, so no message is sent
-- only to report what was read.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "Data flow 1: nothing fills",
    source = "RFC 7609 4.7.1",
    requirements = { "CDC-001", "CDC-002", "CDC-007", "CDC-009", "CURSOR-005", "CURSOR-013" },
    targets = { "sim", "ns3", "vm" },
    any_version = true,
}

host "client" { address = "10.0.0.1/24", versions = { 1 } }
host "server" { address = "10.0.0.2/24", versions = { 1 } }
link("client", "server")

local c, s = connect(client, server)
wait_quiet()
skip_messages()
c:send(pattern(1000))
expect_message { "RDMA WRITE", from = "client", data_length = 1000 }
expect_message { "CDC", from = "client", seqno = 1, prod_wrap = 0, prod_count = 1000, cons_count = 0, writer_blocked = false }
expect(s:receive(1000), pattern(1000))
s:send(pattern(500))
expect_message { "RDMA WRITE", from = "server", data_length = 500 }
expect_message { "CDC", from = "server", seqno = 1, prod_count = 500, cons_count = 1000 }
expect(c:receive(500), pattern(500))
expect(count_messages { "CDC" }, 2)
wait "1 s"
