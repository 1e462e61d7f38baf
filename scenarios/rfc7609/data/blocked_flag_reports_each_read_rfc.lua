-- Once the writer has said that it is blocked, any consumption must be reported; without that, only a tenth of the window and
-- when less than half is free.
-- SPDX-License-Identifier: BSD-3-Clause
scenario {
    title = "A blocked writer hears of each byte (RFC)",
    source = "RFC 7609 4.5.1",
    requirements = { "CURSOR-003", "CURSOR-010", "CURSOR-011" },
    targets = { "sim", "ns3" },
}

host "client" { address = "10.0.0.1/24", versions = { 1 }, profile = "rfc" }
host "server" { address = "10.0.0.2/24", versions = { 1 }, profile = "rfc" }
link("client", "server")

local c, s = connect(client, server, 5000, { rmb = "16 KiB", sndbuf = "64 KiB" })
c:send(pattern("30 KiB"))
expect_message { "CDC", from = "client", writer_blocked = true }
wait "1 ms"
s:receive(1)
expect_message { "CDC", from = "server", cons_wrap = 0, cons_count = 5 }
expect_message { "RDMA WRITE", from = "client", data_length = 1 }
s:receive(3)
expect_message { "CDC", from = "server", cons_wrap = 0, cons_count = 8 }
expect_message { "RDMA WRITE", from = "client", data_length = 3 }
wait "1 s"
